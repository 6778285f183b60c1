//! Commands of the panel of parameters: which value, what becomes of it, and when it is run.

use std::path::PathBuf;

use crossterm::event::KeyCode;

use crate::input::bench::{ask, ask_change, go};
use crate::input::motion::Motion;
use crate::state::app::{App, Screen};
use crate::state::axis::{axis_of, axis_typed, axis_written};
use crate::state::bench::{Kind, Want, with};
use crate::state::columns::Column;
use crate::state::keys::Key;
use crate::state::message::Effect;
use crate::state::panel::{Panel, Typing};
use crate::state::source::{Asked, split_variant, unquoted};
use crate::state::stepping::{Step, next_word, stepped};
use spikedeck_scenario::Adjustable;

/// What a run that is stored, or a recording, has no panel for.
const NO_SCENARIO: &str = "a finished run stays as it was: open its scenario to change a value";

/// Opens the panel on the focused column, or closes it.
pub fn toggle(app: &mut App) -> Vec<Effect> {
    if app.panel.take().is_some() { Vec::new() } else { open(app, None) }
}

/// Opens the panel, with something to be typed.
fn open(app: &mut App, typing: Option<(Typing, String)>) -> Vec<Effect> {
    let focus = app.columns.focus();
    let Some(column) = app.columns.get(focus).filter(|c| c.source.asked().is_some()) else {
        app.say(NO_SCENARIO, false);
        return Vec::new();
    };
    let is_known = column.bench.list.is_some();
    app.panel.get_or_insert_default().typing = typing;
    if is_known { Vec::new() } else { look(app, focus, false) }
}

/// Asks for the values of a column as they are, and runs it then if it is to.
pub fn look(app: &mut App, index: usize, run: bool) -> Vec<Effect> {
    let Some(asked) = app.columns.get(index).and_then(|c| c.source.asked()) else { return Vec::new() };
    let want = Want { set: asked.set.clone(), kind: Kind::Look, run };
    ask(app, index, want)
}

/// The panel, the focused column and the chosen value, where there are all of them.
fn chosen(app: &App) -> Option<(&Panel, &Column, &Adjustable)> {
    let (panel, column) = (app.panel.as_ref()?, app.columns.focused()?);
    Some((panel, column, panel.chosen(&column.bench)?))
}

/// Moves the choice, or the chosen value.
pub fn moved(app: &mut App, motion: Motion) -> Vec<Effect> {
    let Some((panel, column)) = app.panel.as_ref().zip(app.columns.focused()) else { return Vec::new() };
    let hits = panel.hits(&column.bench);
    let (now, last) = (panel.index(&hits), hits.len().saturating_sub(1));
    let to = match motion {
        Motion::Up => now.saturating_sub(1),
        Motion::Down => now + 1,
        Motion::PageUp => now.saturating_sub(10),
        Motion::PageDown => now + 10,
        Motion::Home => 0,
        Motion::End => last,
        Motion::Left => return step(app, Step::Fine(-1.0)),
        Motion::Right => return step(app, Step::Fine(1.0)),
    };
    let path = hits.get(to.min(last)).map(|a| a.path.clone());
    choose(app, path);
    Vec::new()
}

/// Chooses a value; what was refused at another is forgotten.
pub fn choose(app: &mut App, path: Option<String>) {
    let focus = app.columns.focus();
    if let Some(column) = app.columns.get_mut(focus) {
        column.bench.refused.take_if(|r| Some(&r.path) != path.as_ref());
    }
    if let Some(panel) = &mut app.panel {
        panel.path = path;
    }
}

fn step(app: &mut App, step: Step) -> Vec<Effect> {
    let Some((_, column, value)) = chosen(app) else { return Vec::new() };
    let path = value.path.clone();
    let Some(now) = column.bench.shown(&path) else {
        app.say(format!("`{path}` has no value yet: Enter types one"), false);
        return Vec::new();
    };
    match stepped(value, &now, step).or_else(|| next_word(value, &now)) {
        Some(next) => ask_change(app, &path, Some(next), true, false),
        None => {
            let text = match value.bounds.as_str() {
                bounds if !bounds.is_empty() && now.trim_matches('"').starts_with(|c: char| c.is_ascii_digit()) => {
                    format!("`{path}` is {bounds}")
                }
                _ => format!("`{path}` is no single number: Enter types it"),
            };
            app.say(text, false);
            Vec::new()
        }
    }
}

/// Ten times as far up.
pub fn coarse_up(app: &mut App) -> Vec<Effect> {
    step(app, Step::Coarse(1.0))
}

/// Ten times as far down.
pub fn coarse_down(app: &mut App) -> Vec<Effect> {
    step(app, Step::Coarse(-1.0))
}

/// Half of it.
pub fn halve(app: &mut App) -> Vec<Effect> {
    step(app, Step::Factor(0.5))
}

/// Twice of it.
pub fn double(app: &mut App) -> Vec<Effect> {
    step(app, Step::Factor(2.0))
}

/// The next of the words.
pub fn turn(app: &mut App) -> Vec<Effect> {
    let Some((_, column, value)) = chosen(app) else { return Vec::new() };
    let path = value.path.clone();
    let now = column.bench.shown(&path).unwrap_or_default();
    match next_word(value, &now) {
        Some(next) => ask_change(app, &path, Some(next), false, false),
        None => {
            app.say(format!("`{path}` is no word of a list: Enter types it"), false);
            Vec::new()
        }
    }
}

/// Runs what was changed; where nothing waits, a value is typed.
pub fn enter(app: &mut App) -> Vec<Effect> {
    let focus = app.columns.focus();
    if app.columns.get(focus).is_some_and(|c| c.bench.stale) {
        return go(app, focus, true);
    }
    type_value(app);
    Vec::new()
}

/// Types the chosen value.
pub fn type_value(app: &mut App) {
    let text = chosen(app).map(|(_, column, value)| {
        let now = column.bench.shown(&value.path).unwrap_or_default();
        unquoted(&now).to_owned()
    });
    start_typing(app, Typing::Value, text);
}

/// Searches the values.
pub fn search(app: &mut App) {
    let query = app.panel.as_ref().map(|p| p.query.clone());
    start_typing(app, Typing::Search, query);
}

fn start_typing(app: &mut App, typing: Typing, text: Option<String>) {
    if let (Some(panel), Some(text)) = (&mut app.panel, text) {
        panel.typing = Some((typing, text));
    }
}

/// Asks through which values the chosen parameter is to go.
pub fn vary(app: &mut App) {
    let text = chosen(app).map(|(_, column, value)| {
        let axis = axis_of(&value.path);
        let written = column.source.asked().and_then(|a| a.set.iter().rev().find(|(p, _)| *p == axis));
        if let Some((_, text)) = written {
            return axis_typed(text);
        }
        let now = column.bench.shown(&value.path).unwrap_or_default();
        let by = |factor| stepped(value, &now, Step::Factor(factor));
        match (by(0.5), by(1.5)) {
            (Some(from), Some(to)) => format!("{} .. {} / 5", unquoted(&from), unquoted(&to)),
            _ => unquoted(&now).to_owned(),
        }
    });
    start_typing(app, Typing::Sweep, text);
}

/// Asks with how many seeds each point is to be run.
pub fn seeds(app: &mut App) {
    let now = app.columns.focused().and_then(|c| c.bench.shown("sweep.seeds"));
    start_typing(app, Typing::Seeds, now);
}

/// One change back.
pub fn undo(app: &mut App) -> Vec<Effect> {
    back_or_on(app, Kind::Undo)
}

/// One change on.
pub fn redo(app: &mut App) -> Vec<Effect> {
    back_or_on(app, Kind::Redo)
}

fn back_or_on(app: &mut App, kind: Kind) -> Vec<Effect> {
    let focus = app.columns.focus();
    let Some(bench) = app.columns.get(focus).map(|c| &c.bench) else { return Vec::new() };
    if bench.is_asking() {
        // What is under way has no place in the row of changes yet.
        app.say("a value is being checked: again in a moment", false);
        return Vec::new();
    }
    let set = if kind == Kind::Undo { bench.before() } else { bench.after() };
    let Some(set) = set.cloned() else {
        app.say(if kind == Kind::Undo { "nothing was changed before" } else { "nothing was taken back" }, false);
        return Vec::new();
    };
    ask(app, focus, Want { set, kind, run: false })
}

/// The chosen value as the column began with it.
pub fn reset_value(app: &mut App) -> Vec<Effect> {
    let Some((_, column, value)) = chosen(app) else { return Vec::new() };
    let path = value.path.clone();
    let begun = column.bench.begun.iter().rev().find(|(p, _)| *p == path).map(|(_, v)| v.clone());
    ask_change(app, &path, begun, false, false)
}

/// Every value as the column began with it.
pub fn reset_all(app: &mut App) -> Vec<Effect> {
    let focus = app.columns.focus();
    let Some(column) = app.columns.get(focus) else { return Vec::new() };
    let set = column.bench.begun.clone();
    if column.source.asked().is_none_or(|a| *column.bench.newest(&a.set) == set) {
        app.say("nothing is changed", false);
        return Vec::new();
    }
    ask(app, focus, Want { set, kind: Kind::Change { path: String::new(), slides: false }, run: false })
}

/// Copies the command line that repeats what the focused column shows.
pub fn copy_command(app: &mut App) -> Vec<Effect> {
    let asked = app.columns.focused().and_then(|c| c.source.asked());
    asked.map(|a| Effect::Copy(a.command())).into_iter().collect()
}

/// Asks for the file that the scenario is to be written to.
pub fn save(app: &mut App) -> Vec<Effect> {
    save_as(app, false)
}

fn save_as(app: &mut App, edit: bool) -> Vec<Effect> {
    let name = app.columns.focused().and_then(|c| c.source.asked()).map(file_for).unwrap_or_default();
    open(app, Some((Typing::File { edit }, name)))
}

/// A name for the file of a scenario with its changes: beside the file that it came from, else in this folder.
fn file_for(asked: &Asked) -> String {
    match (asked.file(), split_variant(&asked.reference)) {
        (Some(file), _) => {
            let stem = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            file.with_file_name(format!("{stem}-2.toml")).display().to_string()
        }
        (None, (name, Some(variant))) => format!("{name}-{variant}.toml"),
        (None, (name, None)) => format!("{name}.toml"),
    }
}

/// Gives the scenario, or the model that is looked at, to the editor; what is built in is written to a file first.
pub fn edit(app: &mut App) -> Vec<Effect> {
    let Some(column) = app.columns.focused() else { return Vec::new() };
    let model = app.columns.pane().and_then(|p| p.key.strip_prefix("model/"));
    let is_model = |p: &&PathBuf| p.file_stem().is_some_and(|s| Some(s.to_string_lossy().as_ref()) == model);
    match column.beside.iter().find(is_model).or(column.path.as_ref()) {
        Some(path) => vec![Effect::Edit(path.clone())],
        None if column.source.asked().is_none() => {
            app.say(NO_SCENARIO, false);
            Vec::new()
        }
        None => {
            app.say("a built-in scenario is edited in a copy: this will be its file", false);
            save_as(app, true)
        }
    }
}

/// Runs the focused column again to twice its time; what was computed is its first half, bit for bit.
pub fn longer(app: &mut App) -> Vec<Effect> {
    let focus = app.columns.focus();
    let Some(column) = app.columns.get_mut(focus).filter(|c| c.source.asked().is_some()) else {
        app.say(NO_SCENARIO, false);
        return Vec::new();
    };
    if column.bench.list.is_none() {
        column.bench.longer = true;
        return look(app, focus, false);
    }
    lengthen(app, focus)
}

/// Twice the time, where the values are known.
pub fn lengthen(app: &mut App, index: usize) -> Vec<Effect> {
    let Some(column) = app.columns.get_mut(index) else { return Vec::new() };
    column.bench.longer = false;
    let path = "simulation.duration";
    let now = column.bench.shown(path).unwrap_or_default();
    let doubled = column.bench.value(path).and_then(|value| stepped(value, &now, Step::Factor(2.0)));
    match doubled {
        Some(doubled) => {
            app.say(format!("{} instead of {}", unquoted(&doubled), unquoted(&now)), false);
            let set = with(column_set(app, index).unwrap_or(&Vec::new()), path, &doubled);
            ask(app, index, Want { set, kind: Kind::Change { path: path.into(), slides: false }, run: true })
        }
        None => Vec::new(),
    }
}

fn column_set(app: &App, index: usize) -> Option<&crate::state::source::Settings> {
    let column = app.columns.get(index)?;
    Some(column.bench.newest(&column.source.asked()?.set))
}

/// Closes what is typed, then what was looked for, then the panel; whether there was any of it.
pub fn escape(app: &mut App) -> bool {
    let focus = app.columns.focus();
    let Some(panel) = app.panel.as_mut().filter(|_| app.screen == Screen::Run) else { return false };
    if panel.query.is_empty() {
        app.panel = None;
    } else {
        panel.query.clear();
    }
    if let Some(column) = app.columns.get_mut(focus) {
        column.bench.refused = None;
    }
    true
}

/// A character that is typed into the panel, if something is.
pub fn type_char(app: &mut App, c: char) -> bool {
    let Some((_, text)) = app.panel.as_mut().and_then(|p| p.typing.as_mut()) else { return false };
    text.push(c);
    typed(app);
    true
}

/// What is looked for takes effect at every letter.
fn typed(app: &mut App) {
    let focus = app.columns.focus();
    let Some(panel) = &mut app.panel else { return };
    if let Some((Typing::Search, text)) = &panel.typing {
        panel.query.clone_from(text);
        panel.path = None;
    }
    if let Some(column) = app.columns.get_mut(focus) {
        column.bench.refused = None;
    }
}

/// A key while something is typed into the panel, or one that begins to; none where it is for somebody else.
pub fn on_key(app: &mut App, key: Key) -> Option<Vec<Effect>> {
    let panel = app.panel.as_mut().filter(|_| app.screen == Screen::Run)?;
    let Some((_, text)) = &mut panel.typing else {
        // A number begins a value.
        let c = key.typed().filter(|c| c.is_ascii_digit() || matches!(c, '-' | '.'))?;
        chosen(app)?;
        start_typing(app, Typing::Value, Some(c.to_string()));
        return Some(Vec::new());
    };
    match key.code {
        KeyCode::Esc => {
            panel.typing = None;
            typed(app);
        }
        KeyCode::Enter => return Some(take(app)),
        KeyCode::Backspace => {
            text.pop();
            typed(app);
        }
        _ if key == Key::ctrl('u') => {
            text.clear();
            typed(app);
        }
        _ if key == Key::ctrl('c') => panel.typing = None,
        KeyCode::Up => return Some(moved(app, Motion::Up)),
        KeyCode::Down => return Some(moved(app, Motion::Down)),
        _ => {
            if let Some(c) = key.typed() {
                type_char(app, c);
            }
        }
    }
    Some(Vec::new())
}

/// Enter behind what was typed.
fn take(app: &mut App) -> Vec<Effect> {
    let Some((typing, text)) = app.panel.as_ref().and_then(|p| p.typing.clone()) else { return Vec::new() };
    let path = chosen(app).map(|(_, _, value)| value.path.clone());
    let text = text.trim().to_owned();
    match (typing, path) {
        (Typing::Search, path) => {
            if let Some(panel) = &mut app.panel {
                (panel.typing, panel.path) = (None, path);
            }
            Vec::new()
        }
        // What is typed stays until it is understood.
        (Typing::Value, Some(path)) => ask_change(app, &path, (!text.is_empty()).then_some(text), false, true),
        (Typing::Seeds, _) => ask_change(app, "sweep.seeds", (!text.is_empty()).then_some(text), false, true),
        (Typing::Sweep, Some(path)) => {
            ask_change(app, &axis_of(&path), (!text.is_empty()).then(|| axis_written(&text)), false, true)
        }
        (Typing::File { edit }, _) => {
            let asked = app.columns.focused().and_then(|c| c.source.asked()).cloned();
            let file = asked.filter(|_| !text.is_empty());
            file.map(|asked| Effect::Save { asked, path: text.into(), edit }).into_iter().collect()
        }
        (Typing::Value | Typing::Sweep, None) => Vec::new(),
    }
}
