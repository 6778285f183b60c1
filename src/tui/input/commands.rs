//! The one table of commands. Keymap, footer, help, palette and key configuration all come from it, and a row names the
//! function that does it: a command without one does not compile.

use crate::input::{everywhere, gallery, pane, panel, play, run};
use crate::state::app::App;
use crate::state::keymap::{Binding, Call, Context, Keymap};
use crate::state::message::Effect;
use crate::state::search::{Hit, search};

/// What a command does.
#[derive(Debug, Clone, Copy)]
pub enum Does {
    /// Changes the state.
    Changes(fn(&mut App)),
    /// Changes the state and asks for something to be done outside.
    Asks(fn(&mut App) -> Vec<Effect>),
    /// Changes the state by a number, counted from one: that of the key, or the one typed in the palette.
    Numbered(fn(&mut App, usize)),
}

/// A word in the footer.
#[derive(Debug, Clone, Copy)]
pub struct Hint {
    /// How early it is dropped when the line is narrow: smaller stays longer.
    pub priority: u8,
    /// What it says.
    pub word: &'static str,
    /// Whether it makes sense now.
    pub useful: fn(&App) -> bool,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// Name in the configuration, keys, and where it applies.
    pub binding: Binding,
    /// Title in palette and help.
    pub title: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// The function.
    pub does: Does,
    /// Word in the footer.
    pub hint: Option<Hint>,
    /// Whether the palette offers it: what is only good as a key is left out.
    pub offered: bool,
}

impl Command {
    const fn new(
        context: Context,
        id: &'static str,
        keys: &'static [&'static str],
        title: &'static str,
        help: &'static str,
        does: Does,
    ) -> Self {
        let numbered = matches!(does, Does::Numbered(_));
        Self { binding: Binding { id, context, keys, numbered }, title, help, does, hint: None, offered: true }
    }

    const fn hint(self, priority: u8, word: &'static str) -> Self {
        self.hint_if(priority, word, |_| true)
    }

    const fn hint_if(mut self, priority: u8, word: &'static str, useful: fn(&App) -> bool) -> Self {
        self.hint = Some(Hint { priority, word, useful });
        self
    }

    const fn only_key(mut self) -> Self {
        self.offered = false;
        self
    }
}

/// Rows of two lines: `CONTEXT "id" [KEYS] "title" => What(function)`, more about it, and after a colon the help.
macro_rules! commands {
    ($($context:ident $id:literal [$($key:literal),*] $title:literal => $does:ident($function:expr)
        $(.$more:ident($($argument:expr),*))*: $help:literal;)*) => {
        &[$(Command::new(Context::$context, $id, &[$($key),*], $title, $help, Does::$does($function))
            $(.$more($($argument),*))*),*]
    };
}

/// Every command of the dashboard.
pub static COMMANDS: &[Command] = commands! {
    Everywhere "help" ["?", "f1"] "Help" => Changes(everywhere::help).hint(0, "help"):
        "Every key, from this very table; type to search";
    Everywhere "palette" [":", "ctrl-p"] "Command palette"
        => Changes(everywhere::palette).hint(7, "commands").only_key():
        "Find a command by its name and run it";
    Everywhere "quit" ["q"] "Quit" => Asks(everywhere::quit).hint(1, "quit"):
        "Leave; asks first only if something runs";
    Everywhere "interrupt" ["ctrl-c"] "Interrupt" => Asks(everywhere::interrupt):
        "Stop what runs; if nothing runs, leave";
    Everywhere "suspend" ["ctrl-z"] "Suspend" => Asks(|_| vec![Effect::Suspend]):
        "Back to the shell; `fg` returns";
    Everywhere "escape" ["esc"] "Close or cancel" => Asks(everywhere::escape).only_key():
        "Close what is open; else stop the run in the focused column; else back to the gallery";
    Everywhere "redraw" ["ctrl-l"] "Redraw" => Asks(|_| vec![Effect::Redraw]):
        "Draw the whole screen again";
    Everywhere "mouse" ["m"] "Mouse on or off" => Asks(everywhere::mouse):
        "Wheel zooms, click focuses, drag zooms into a box; off keeps the terminal's own selection";
    Everywhere "jobs" ["J"] "Jobs" => Changes(everywhere::jobs):
        "What runs and what ran, with progress and time left";
    Everywhere "log" ["G"] "Log" => Changes(everywhere::log):
        "Messages of runs and of the program";
    Everywhere "export-screen" ["P"] "Export screen" => Asks(|_| vec![Effect::Picture]):
        "A picture of the whole screen as SVG, into the current directory";
    Everywhere "up" ["up", "k"] "Up" => Asks(everywhere::up).only_key():
        "Move, scroll or pan up";
    Everywhere "down" ["down", "j"] "Down" => Asks(everywhere::down).only_key():
        "Move, scroll or pan down";
    Everywhere "left" ["left", "h"] "Left" => Asks(everywhere::left).only_key():
        "Move the crosshair or pan left";
    Everywhere "right" ["right", "l"] "Right" => Asks(everywhere::right).only_key():
        "Move the crosshair or pan right";
    Everywhere "page-up" ["pageup", "ctrl-b"] "Page up" => Asks(everywhere::page_up).only_key():
        "A page up or back";
    Everywhere "page-down" ["pagedown", "ctrl-f"] "Page down" => Asks(everywhere::page_down).only_key():
        "A page down or on";
    Everywhere "home" ["home"] "First" => Asks(everywhere::home).only_key():
        "To the first line or the start of the axis";
    Everywhere "end" ["end"] "Last" => Asks(everywhere::end).only_key():
        "To the last line or the end of the axis";
    Gallery "run" ["enter"] "Run" => Asks(gallery::run).hint(2, "run"):
        "Run the chosen scenario, or all that are marked side by side";
    Gallery "search" ["/"] "Search" => Changes(gallery::search).hint(3, "search"):
        "By words of names, titles, tags, descriptions, models and analyses; Tab marks what is found";
    Gallery "mark" ["c", "space"] "Mark to compare" => Asks(gallery::mark).hint(4, "compare"):
        "Mark the scenario; Enter then runs all marked ones side by side (Tab marks while searching)";
    Gallery "runs" ["tab"] "To the runs" => Changes(gallery::runs).hint_if(6, "runs", |app| !app.columns.is_empty()):
        "Back to the runs that are open";
    Run "focus-next" ["tab"] "Next pane" => Changes(run::focus_next).hint(4, "pane"):
        "Focus the next pane";
    Run "focus-previous" ["shift-tab"] "Previous pane" => Changes(run::focus_previous):
        "Focus the previous pane";
    Run "next-column" ["w"] "Next column" => Changes(run::next_column):
        "Focus the same pane in the next column";
    Run "pane" ["1", "2", "3", "4", "5", "6", "7", "8", "9"] "Pane 1 to 9" => Numbered(run::focus_pane):
        "Focus a pane by its number";
    Run "maximise" ["z"] "Maximise" => Changes(run::maximise).hint(5, "maximise"):
        "One pane on the whole screen, and back";
    Run "zoom-in" ["+"] "Zoom in" => Changes(pane::zoom_in).hint(6, "zoom"):
        "Half the range, about the crosshair or the middle";
    Run "zoom-out" ["-"] "Zoom out" => Changes(pane::zoom_out):
        "Twice the range";
    Run "fit" ["0"] "Fit" => Changes(pane::fit):
        "Show everything";
    Run "undo-zoom" ["u"] "Undo zoom" => Changes(pane::undo_zoom):
        "Back to the view before";
    Run "crosshair" ["c"] "Crosshair" => Changes(pane::crosshair).hint(5, "values"):
        "Read values; arrows move it, it snaps to samples and is shared by all time axes";
    Run "next-event" ["]"] "Next event" => Changes(pane::next_event):
        "Crosshair to the next spike or peak";
    Run "previous-event" ["["] "Previous event" => Changes(pane::previous_event):
        "Crosshair to the spike or peak before";
    Run "log-axis" ["L"] "Log axis" => Changes(pane::log_axis):
        "Linear or logarithmic y, then x, then both";
    Run "unlink" ["="] "Link time axes" => Changes(pane::unlink):
        "Whether this pane's time axis moves with the others";
    Run "freeze" ["space"] "Freeze" => Changes(run::freeze).hint(8, "freeze"):
        "Hold the picture; the run goes on";
    Run "play" ["p"] "Play" => Changes(play::toggle).hint_if(3, "play", |app| play::movie(app).is_some()):
        "Play the planes of a finished run through time, and stop";
    Run "step-on" ["."] "Next frame" => Changes(play::step_on):
        "The planes one recorded sample later";
    Run "step-back" [","] "Frame before" => Changes(play::step_back):
        "The planes one recorded sample earlier";
    Run "parameters" ["v"] "Parameters" => Asks(panel::toggle).hint_if(2, "change", |app| app.panel.is_none()):
        "Every value of the scenario with its meaning and bounds; change it and see, and close again";
    Run "longer" ["D"] "Run for longer" => Asks(panel::longer):
        "Run the focused column to twice its time; what is there is the first half of it";
    Run "edit" ["ctrl-e"] "Edit" => Asks(panel::edit):
        "The scenario, or the model that is looked at, in $EDITOR; a saved file is read and run by itself";
    Run "save-scenario" ["S"] "Save as scenario" => Asks(panel::save):
        "Write the scenario with its changes to a new file, comments kept";
    Run "rerun" ["r"] "Run again" => Asks(run::rerun).hint(9, "rerun"):
        "Run the focused column again";
    Run "reload" ["R"] "Reload file" => Asks(run::rerun):
        "Read the scenario file again and run it";
    Run "close-column" ["x"] "Close column" => Asks(run::close_column):
        "Take the focused column away; what it runs is stopped";
    Run "difference" ["d"] "Differences"
        => Changes(run::difference).hint_if(7, "difference", |app| app.columns.len() > 1):
        "Every metric of all columns: values, differences to the first, intervals; type to search, Tab orders";
    Run "points" ["enter"] "Points of a sweep" => Changes(run::points).hint_if(3, "points", run::is_swept):
        "Every point of the sweep in this column; Enter on one runs it alone in a column beside";
    Run "together" ["o"] "Overlay"
        => Changes(run::together).hint_if(6, "overlay", |app| app.columns.len() > 1):
        "All columns in one: laid over each other, then less the first, then side by side again";
    Run "scales" ["s"] "Own scales"
        => Changes(run::scales).hint_if(8, "scales", |app| app.columns.len() > 1):
        "Each column fitted to its own data, or the same scales in all columns";
    Run "export" ["e"] "Export" => Changes(run::export).hint(6, "export"):
        "The pane as SVG or PNG, its table as Parquet or CSV, the whole run";
    Run "copy" ["y"] "Copy" => Asks(run::copy):
        "Copy the values at the crosshair, or the pane's table, through the terminal (OSC 52)";
    Run "gallery" ["g"] "Gallery" => Changes(run::gallery).hint(8, "gallery"):
        "Choose another scenario; what is open stays";
    Panel "run-or-type" ["enter"] "Run, or type" => Asks(panel::enter).hint(2, "type, run").only_key():
        "Run what was changed and takes long; where nothing waits, type the chosen value (a digit begins one too)";
    Panel "search-value" ["/"] "Search values" => Changes(panel::search).hint(3, "search"):
        "By path or meaning";
    Panel "coarse-up" ["L", "shift-right"] "Far up" => Asks(panel::coarse_up):
        "The chosen value by one of its first digit (left and right: of its second); under a second it runs along";
    Panel "coarse-down" ["H", "shift-left"] "Far down" => Asks(panel::coarse_down):
        "The same, down";
    Panel "double" [">"] "Double" => Asks(panel::double):
        "Twice the chosen value";
    Panel "halve" ["<"] "Halve" => Asks(panel::halve):
        "Half of the chosen value";
    Panel "turn" ["space"] "Next word" => Asks(panel::turn):
        "The next of the words that the chosen value takes; yes or no";
    Panel "vary" ["s"] "Sweep" => Changes(panel::vary).hint(5, "sweep"):
        "Run with several values of the chosen parameter: FROM .. TO / STEPS, or a list; a second one makes a grid";
    Panel "seeds" ["n"] "Seeds" => Changes(panel::seeds).hint(6, "seeds"):
        "Run each point with several seeds";
    Panel "undo-change" ["u"] "Undo change" => Asks(panel::undo).hint(4, "undo"):
        "The values before the last change";
    Panel "redo-change" ["U", "ctrl-r"] "Redo change" => Asks(panel::redo):
        "The change that was taken back last";
    Panel "reset-value" ["backspace", "delete"] "Reset value" => Asks(panel::reset_value):
        "The chosen value as it was at the start";
    Panel "reset-all" ["R"] "Reset all" => Asks(panel::reset_all):
        "Every value as it was at the start";
    Panel "copy-command" ["y"] "Copy command line" => Asks(panel::copy_command).hint(5, "copy command"):
        "Copy the command line that repeats this run, through the terminal (OSC 52)";
};

/// The keys of all commands with those of the configuration, and everything that is wrong with the latter.
pub fn keymap(overrides: &[(String, Vec<String>)]) -> (Keymap, Vec<String>) {
    let bindings: Vec<Binding> = COMMANDS.iter().map(|c| c.binding).collect();
    Keymap::new(&bindings, overrides)
}

/// Does what a command says: from a key or the palette.
pub fn perform(app: &mut App, call: Call) -> Vec<Effect> {
    let command = COMMANDS[call.row];
    let mut effects = Vec::new();
    match (command.does, call.number) {
        (Does::Changes(change), _) => change(app),
        (Does::Asks(ask), _) => effects = ask(app),
        (Does::Numbered(change), Some(number)) => change(app, number),
        (Does::Numbered(_), None) => {
            let id = command.binding.id;
            app.say(format!("`{id}` needs a number after it: type `{id} 2`"), false);
        }
    }
    app.steps.taken(command.binding.id, app.panel.is_some());
    app.opened_by = app.overlay.as_ref().map(|_| call.row);
    effects
}

/// Commands that the palette offers for what is typed, best first. A number at the end is for a command that takes one.
pub fn offered(app: &App, query: &str) -> Vec<(Call, Hit)> {
    let context = app.context();
    let words = query.trim();
    let number = words.rsplit(' ').next().and_then(|last| last.parse::<usize>().ok());
    if number.is_some() {
        let stem = words.trim_end_matches(|c: char| c.is_ascii_digit());
        let found = found(stem, |c| c.offered && c.binding.numbered && c.binding.context.applies_in(context));
        if !found.is_empty() {
            return found.into_iter().map(|(row, hit)| (Call { row, number }, hit)).collect();
        }
    }
    let found = found(query, |c| c.offered && c.binding.context.applies_in(context));
    found.into_iter().map(|(row, hit)| (Call { row, number: None }, hit)).collect()
}

/// Rows that match a query, best first.
fn found(query: &str, wanted: impl Fn(&Command) -> bool) -> Vec<(usize, Hit)> {
    let rows: Vec<usize> = (0..COMMANDS.len()).filter(|row| wanted(&COMMANDS[*row])).collect();
    let texts = rows.iter().map(|row| {
        let c = &COMMANDS[*row];
        [c.title, c.binding.id, c.help]
    });
    search(query, texts).into_iter().map(|hit| (rows[hit.index], hit)).collect()
}

/// Commands that the help shows for a query, in the order of the table, those of this context first.
pub fn explained(app: &App, query: &str) -> Vec<&'static Command> {
    let context = app.context();
    let rank = |c: Context| if c == context { 0 } else { usize::from(c != Context::Everywhere) + 1 };
    let mut rows: Vec<usize> = found(query, |_| true).into_iter().map(|f| f.0).collect();
    rows.sort_by_key(|row| (rank(COMMANDS[*row].binding.context), *row));
    rows.into_iter().map(|row| &COMMANDS[row]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_has_no_conflicts_and_ids_are_unique() {
        let (_, problems) = keymap(&[]);
        assert!(problems.is_empty(), "{problems:?}");
        let ids: BTreeSet<&str> = COMMANDS.iter().map(|c| c.binding.id).collect();
        assert_eq!(ids.len(), COMMANDS.len());
        assert!(COMMANDS.iter().all(|c| !c.title.is_empty() && !c.help.is_empty() && !c.help.ends_with('.')));
    }

    #[test]
    fn a_number_in_the_palette_is_for_the_command_that_takes_one() {
        let app = crate::testing::running((120, 40));
        let best = |query: &str| offered(&app, query)[0].0;
        let pane = best("pane 3");
        assert_eq!((COMMANDS[pane.row].binding.id, pane.number), ("pane", Some(3)));
        assert_eq!(best("3"), pane);
        assert_eq!(COMMANDS[best("osc 52").row].binding.id, "copy", "no number of a command");
    }
}
