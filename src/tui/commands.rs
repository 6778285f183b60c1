//! The one table of commands. Keymap, footer, help, palette and key configuration all come from it.

use std::collections::{BTreeMap, HashMap};

use super::keys::Key;
use spikedeck_core::diagnostic::did_you_mean;

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is explained by its row in COMMANDS")]
pub enum Action {
    Help,
    Palette,
    Quit,
    Interrupt,
    Suspend,
    Escape,
    Redraw,
    Mouse,
    Jobs,
    Log,
    Gallery,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Search,
    Run,
    Mark,
    FocusNext,
    FocusPrevious,
    NextColumn,
    Pane(u8),
    Maximise,
    ZoomIn,
    ZoomOut,
    Fit,
    UndoZoom,
    Crosshair,
    NextEvent,
    PreviousEvent,
    LogAxis,
    Unlink,
    Freeze,
    Play,
    StepOn,
    StepBack,
    Rerun,
    Reload,
    CloseColumn,
    Difference,
    Export,
    Picture,
    Copy,
}

/// Where a command applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// On every screen.
    Everywhere,
    /// In the list of scenarios.
    Gallery,
    /// In the view of runs.
    Run,
}

impl Context {
    /// Heading in the help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Gallery => "Gallery",
            Self::Run => "Runs",
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    /// Name in the configuration (`zoom-in`).
    pub id: &'static str,
    /// Title in palette and help.
    pub title: &'static str,
    /// Default keys.
    pub keys: &'static [&'static str],
    /// One line of help.
    pub help: &'static str,
    /// Where it applies.
    pub context: Context,
    /// What it does.
    pub action: Action,
    /// Word in the footer and how early it is dropped when the line is narrow (smaller stays longer).
    pub hint: Option<(u8, &'static str)>,
}

macro_rules! command {
    ($context:ident $action:expr, $id:literal, [$($key:literal),*], $title:literal, $help:literal $(, $priority:literal $word:literal)?) => {
        Command { id: $id, title: $title, keys: &[$($key),*], help: $help, context: Context::$context, action: $action,
            hint: command!(@hint $($priority $word)?) }
    };
    (@hint) => { None };
    (@hint $priority:literal $word:literal) => { Some(($priority, $word)) };
}

/// Every command of the dashboard.
pub const COMMANDS: &[Command] = &[
    command!(Everywhere Action::Help, "help", ["?", "f1"], "Help", "Every key, from this very table; type to search", 0 "help"),
    command!(Everywhere Action::Palette, "palette", [":", "ctrl-p"], "Command palette", "Find a command by its name and run it", 7 "commands"),
    command!(Everywhere Action::Quit, "quit", ["q"], "Quit", "Leave; asks first only if something runs", 1 "quit"),
    command!(Everywhere Action::Interrupt, "interrupt", ["ctrl-c"], "Interrupt", "Stop what runs; if nothing runs, leave"),
    command!(Everywhere Action::Suspend, "suspend", ["ctrl-z"], "Suspend", "Back to the shell; `fg` returns"),
    command!(Everywhere Action::Escape, "escape", ["esc"], "Close or cancel", "Close what is open; else stop the run in the focused column; else back to the gallery"),
    command!(Everywhere Action::Redraw, "redraw", ["ctrl-l"], "Redraw", "Draw the whole screen again"),
    command!(Everywhere Action::Mouse, "mouse", ["m"], "Mouse on or off", "Wheel zooms, click focuses, drag zooms into a box; off keeps the terminal's own selection"),
    command!(Everywhere Action::Jobs, "jobs", ["J"], "Jobs", "What runs and what ran, with progress and time left"),
    command!(Everywhere Action::Log, "log", ["G"], "Log", "Messages of runs and of the program"),
    command!(Everywhere Action::Picture, "export-screen", ["P"], "Export screen", "A picture of the whole screen as SVG, into the current directory"),
    command!(Everywhere Action::Up, "up", ["up", "k"], "Up", "Move, scroll or pan up"),
    command!(Everywhere Action::Down, "down", ["down", "j"], "Down", "Move, scroll or pan down"),
    command!(Everywhere Action::Left, "left", ["left", "h"], "Left", "Move the crosshair or pan left"),
    command!(Everywhere Action::Right, "right", ["right", "l"], "Right", "Move the crosshair or pan right"),
    command!(Everywhere Action::PageUp, "page-up", ["pageup", "ctrl-b"], "Page up", "A page up or back"),
    command!(Everywhere Action::PageDown, "page-down", ["pagedown", "ctrl-f"], "Page down", "A page down or on"),
    command!(Everywhere Action::Home, "home", ["home"], "First", "To the first line or the start of the axis"),
    command!(Everywhere Action::End, "end", ["end"], "Last", "To the last line or the end of the axis"),
    command!(Gallery Action::Run, "run", ["enter"], "Run", "Run the chosen scenario, or all that are marked side by side", 2 "run"),
    command!(Gallery Action::Search, "search", ["/"], "Search", "Filter by name, title, tag or text", 3 "search"),
    command!(Gallery Action::Mark, "mark", ["c"], "Mark to compare", "Mark the scenario; Enter then runs all marked ones side by side", 4 "compare"),
    command!(Gallery Action::FocusNext, "runs", ["tab"], "To the runs", "Back to the runs that are open", 6 "runs"),
    command!(Run Action::FocusNext, "focus-next", ["tab"], "Next pane", "Focus the next pane", 4 "pane"),
    command!(Run Action::FocusPrevious, "focus-previous", ["shift-tab"], "Previous pane", "Focus the previous pane"),
    command!(Run Action::NextColumn, "next-column", ["w"], "Next column", "Focus the same pane in the next column"),
    command!(Run Action::Pane(1), "pane-1", ["1"], "Pane 1", "Focus the first pane"),
    command!(Run Action::Pane(2), "pane-2", ["2"], "Pane 2", "Focus the second pane"),
    command!(Run Action::Pane(3), "pane-3", ["3"], "Pane 3", "Focus the third pane"),
    command!(Run Action::Pane(4), "pane-4", ["4"], "Pane 4", "Focus the fourth pane"),
    command!(Run Action::Pane(5), "pane-5", ["5"], "Pane 5", "Focus the fifth pane"),
    command!(Run Action::Pane(6), "pane-6", ["6"], "Pane 6", "Focus the sixth pane"),
    command!(Run Action::Pane(7), "pane-7", ["7"], "Pane 7", "Focus the seventh pane"),
    command!(Run Action::Pane(8), "pane-8", ["8"], "Pane 8", "Focus the eighth pane"),
    command!(Run Action::Pane(9), "pane-9", ["9"], "Pane 9", "Focus the ninth pane"),
    command!(Run Action::Maximise, "maximise", ["z"], "Maximise", "One pane on the whole screen, and back", 5 "maximise"),
    command!(Run Action::ZoomIn, "zoom-in", ["+"], "Zoom in", "Half the range, about the crosshair or the middle", 6 "zoom"),
    command!(Run Action::ZoomOut, "zoom-out", ["-"], "Zoom out", "Twice the range"),
    command!(Run Action::Fit, "fit", ["0"], "Fit", "Show everything"),
    command!(Run Action::UndoZoom, "undo-zoom", ["u"], "Undo zoom", "Back to the view before"),
    command!(Run Action::Crosshair, "crosshair", ["c"], "Crosshair", "Read values; arrows move it, it snaps to samples and is shared by all time axes", 5 "values"),
    command!(Run Action::NextEvent, "next-event", ["]"], "Next event", "Crosshair to the next spike or peak"),
    command!(Run Action::PreviousEvent, "previous-event", ["["], "Previous event", "Crosshair to the spike or peak before"),
    command!(Run Action::LogAxis, "log-axis", ["L"], "Log axis", "Linear or logarithmic y, then x, then both"),
    command!(Run Action::Unlink, "unlink", ["="], "Link time axes", "Whether this pane's time axis moves with the others"),
    command!(Run Action::Freeze, "freeze", ["space"], "Freeze", "Hold the picture; the run goes on", 8 "freeze"),
    command!(Run Action::Play, "play", ["p"], "Play", "Play the planes of a finished run through time, and stop", 3 "play"),
    command!(Run Action::StepOn, "step-on", ["."], "Next frame", "The planes one recorded sample later"),
    command!(Run Action::StepBack, "step-back", [","], "Frame before", "The planes one recorded sample earlier"),
    command!(Run Action::Rerun, "rerun", ["r"], "Run again", "Run the focused column again", 9 "rerun"),
    command!(Run Action::Reload, "reload", ["R"], "Reload file", "Read the scenario file again and run it"),
    command!(Run Action::CloseColumn, "close-column", ["x"], "Close column", "Take the focused column away; what it runs is stopped"),
    command!(Run Action::Difference, "difference", ["d"], "Differences", "Every metric of two columns: values, difference, interval", 7 "difference"),
    command!(Run Action::Export, "export", ["e"], "Export", "The pane as SVG or PNG, its table as Parquet or CSV, the whole run", 6 "export"),
    command!(Run Action::Copy, "copy", ["y"], "Copy", "Copy the values at the crosshair, or the pane's table, through the terminal (OSC 52)"),
    command!(Run Action::Gallery, "gallery", ["g"], "Gallery", "Choose another scenario; what is open stays", 8 "gallery"),
];

/// Which key does what, in each context.
#[derive(Debug, Clone, Default)]
pub struct Keymap {
    forward: HashMap<(Context, Key), Action>,
    keys: BTreeMap<&'static str, Vec<Key>>,
}

impl Keymap {
    /// The table with `overrides` (command id, keys) applied, and everything that is wrong with them: unknown ids,
    /// unreadable keys, keys that two commands claim.
    pub fn new(overrides: &[(String, Vec<String>)]) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let mut map = Self::default();
        for (id, _) in overrides {
            if !COMMANDS.iter().any(|c| c.id == id) {
                let near = did_you_mean(id, COMMANDS.iter().map(|c| c.id));
                let hint = near.map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
                problems.push(format!("keys.{id}: there is no such command{hint}"));
            }
        }
        for command in COMMANDS {
            let given = overrides.iter().rev().find(|(id, _)| id == command.id);
            let texts: Vec<&str> =
                given.map_or_else(|| command.keys.to_vec(), |(_, keys)| keys.iter().map(String::as_str).collect());
            let mut own = Vec::new();
            for text in texts {
                match Key::parse(text) {
                    Ok(key) => own.push(key),
                    Err(why) => problems.push(format!("keys.{}: {why}", command.id)),
                }
            }
            map.keys.insert(command.id, own);
        }
        // What the user asked for goes first, so that a default gives way to it and the conflict is reported.
        let asked = |c: &Command| overrides.iter().any(|(id, _)| id == c.id);
        let ordered = COMMANDS.iter().filter(|c| asked(c)).chain(COMMANDS.iter().filter(|c| !asked(c)));
        let mut owner: HashMap<(Context, Key), &'static str> = HashMap::new();
        for command in ordered {
            let keys = map.keys.get(command.id).cloned().unwrap_or_default();
            let mut kept = Vec::new();
            for key in keys {
                let clash = [Context::Everywhere, Context::Gallery, Context::Run]
                    .into_iter()
                    .filter(|c| {
                        *c == command.context || command.context == Context::Everywhere || *c == Context::Everywhere
                    })
                    .find_map(|c| owner.get(&(c, key)));
                if let Some(other) = clash {
                    problems
                        .push(format!("key {key} is claimed by `{other}` and `{}`; `{other}` keeps it", command.id));
                } else {
                    owner.insert((command.context, key), command.id);
                    map.forward.insert((command.context, key), command.action);
                    kept.push(key);
                }
            }
            map.keys.insert(command.id, kept);
        }
        (map, problems)
    }

    /// What a key does here.
    pub fn action(&self, context: Context, key: Key) -> Option<Action> {
        self.forward.get(&(context, key)).or_else(|| self.forward.get(&(Context::Everywhere, key))).copied()
    }

    /// Keys of a command, the first being the one to show.
    pub fn keys(&self, id: &str) -> &[Key] {
        self.keys.get(id).map_or(&[], Vec::as_slice)
    }

    /// Keys of a command as text: `: Ctrl-P`.
    pub fn keys_text(&self, id: &str) -> String {
        self.keys(id).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_has_no_conflicts_and_ids_are_unique() {
        let (_, problems) = Keymap::new(&[]);
        assert!(problems.is_empty(), "{problems:?}");
        let ids: BTreeSet<&str> = COMMANDS.iter().map(|c| c.id).collect();
        assert_eq!(ids.len(), COMMANDS.len());
        assert!(COMMANDS.iter().all(|c| !c.title.is_empty() && !c.help.is_empty() && !c.help.ends_with('.')));
    }

    #[test]
    fn a_rebound_key_wins_and_the_conflict_is_said() {
        let (map, problems) = Keymap::new(&[("zoom-in".into(), vec!["u".into()])]);
        assert_eq!(map.action(Context::Run, Key::char('u')), Some(Action::ZoomIn));
        assert_eq!(problems, ["key u is claimed by `zoom-in` and `undo-zoom`; `zoom-in` keeps it"]);
        assert!(map.keys("undo-zoom").is_empty());
    }

    #[test]
    fn unknown_commands_and_keys_are_answered() {
        let (_, problems) = Keymap::new(&[("zoomin".into(), vec!["x".into()]), ("fit".into(), vec!["spcae".into()])]);
        assert_eq!(problems[0], "keys.zoomin: there is no such command; did you mean `zoom-in`?");
        assert_eq!(problems[1], "keys.fit: `spcae` is no key: did you mean `space`?");
    }

    #[test]
    fn arrows_always_work() {
        let (map, _) = Keymap::new(&[("left".into(), vec!["left".into(), "a".into()])]);
        for context in [Context::Gallery, Context::Run] {
            assert_eq!(map.action(context, Key::parse("left").unwrap()), Some(Action::Left));
        }
    }
}
