//! What lies over the screen: help, palette, differences, jobs, log, export, a question. Its keys and its lines.

use crossterm::event::KeyCode;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use crate::input::commands::{Action, COMMANDS, Command, Context};
use crate::state::app::{App, JobState, Overlay};
use crate::state::keys::Key;
use crate::state::layout::dialog;
use crate::state::message::{Effect, ExportKind};
use crate::state::search::{Hit, search};
use crate::update::{cancel, perform, status};

/// What can be written out, in the order of the list.
pub const EXPORTS: &[(ExportKind, char, &str, &str)] = &[
    (ExportKind::Svg, 's', "Pane as SVG", "a vector figure, as the pane is zoomed now"),
    (ExportKind::Png, 'p', "Pane as PNG", "the same figure in pixels"),
    (ExportKind::Text, 'a', "Pane as text", "as on the screen, with colours (ANSI)"),
    (ExportKind::Parquet, 't', "Table as Parquet", "the numbers behind the pane"),
    (ExportKind::Csv, 'c', "Table as CSV", "the numbers behind the pane"),
    (ExportKind::Run, 'r', "Whole run", "a folder with manifest, spikes, traces, metrics and all tables"),
];

/// Commands that the palette offers for a query, best first.
pub fn palette(app: &App, query: &str) -> Vec<(&'static Command, Hit)> {
    let context = app.context();
    let offered: Vec<&Command> = COMMANDS
        .iter()
        .filter(|c| (c.context == context || c.context == Context::Everywhere) && !is_motion(c.action))
        .collect();
    search(query, offered.iter().map(|c| [c.title, c.id, c.help])).into_iter().map(|h| (offered[h.index], h)).collect()
}

fn is_motion(action: Action) -> bool {
    matches!(
        action,
        Action::Up
            | Action::Down
            | Action::Left
            | Action::Right
            | Action::PageUp
            | Action::PageDown
            | Action::Home
            | Action::End
            | Action::Escape
            | Action::Palette
    )
}

/// Commands that the help shows for a query, in the order of the table, those of this context first.
pub fn help(app: &App, query: &str) -> Vec<&'static Command> {
    let context = app.context();
    let rank = |c: &Command| if c.context == context { 0 } else { usize::from(c.context != Context::Everywhere) + 1 };
    let mut rows: Vec<&Command> = COMMANDS.iter().filter(|c| !matches!(c.action, Action::Pane(2..))).collect();
    rows.sort_by_key(|c| rank(c));
    let mut found: Vec<usize> =
        search(query, rows.iter().map(|c| [c.title, c.id, c.help])).into_iter().map(|h| h.index).collect();
    found.sort_unstable();
    found.into_iter().map(|i| rows[i]).collect()
}

/// Where the log lies.
pub fn log_area(app: &App) -> Rect {
    dialog(app.size, 116, app.size.1.saturating_sub(4).max(4))
}

/// Lines of the log as they are shown, the long ones in several rows, and whether they tell of a failure.
pub fn log_rows(app: &App) -> Vec<(String, bool)> {
    let width = usize::from(log_area(app).width.saturating_sub(4)).max(1);
    let rows =
        |text: &str| if text.width() > width { spikedeck_plot::grid::wrap(text, width) } else { vec![text.to_owned()] };
    app.log.iter().flat_map(|l| rows(&l.text).into_iter().map(|r| (r, l.bad))).collect()
}

/// A character that goes into whatever is being typed.
pub fn type_char(app: &mut App, c: char) {
    match &mut app.overlay {
        Some(Overlay::Help { query, scroll }) => {
            query.push(c);
            *scroll = 0;
        }
        Some(Overlay::Palette { query, selected }) => {
            query.push(c);
            *selected = 0;
        }
        None if app.gallery.typing => {
            app.gallery.query.push(c);
            app.gallery.filter();
        }
        Some(_) | None => {}
    }
}

/// A key while something lies over the screen.
pub fn on_key(app: &mut App, key: Key) -> Vec<Effect> {
    let Some(mut overlay) = app.overlay.take() else { return Vec::new() };
    let close = key.code == KeyCode::Esc || key == Key::ctrl('c');
    if close {
        return Vec::new();
    }
    if key == Key::ctrl('z') {
        app.overlay = Some(overlay);
        return vec![Effect::Suspend];
    }
    let mut effects = Vec::new();
    let keep = match &mut overlay {
        Overlay::Help { query, scroll } => {
            let rows = help(app, query).len();
            let toggled = query.is_empty() && app.keymap.action(app.context(), key) == Some(Action::Help);
            !toggled && (line(key, scroll, rows) || edit(key, query, scroll))
        }
        Overlay::Palette { query, selected } => {
            let rows = palette(app, query);
            if key.code == KeyCode::Enter {
                if let Some(action) = rows.get(*selected).map(|r| r.0.action) {
                    return perform(app, action);
                }
                false
            } else {
                line(key, selected, rows.len()) || edit(key, query, selected)
            }
        }
        Overlay::Difference { scroll } => {
            let rows = crate::state::compare::of(app).map_or(0, |c| c.rows.len());
            line(letters(key), scroll, rows) || app.keymap.action(app.context(), key) != Some(Action::Difference)
        }
        Overlay::Log { up } => {
            // The log counts from its end.
            let key = letters(key);
            let key = match key.code {
                KeyCode::Up => Key::plain(KeyCode::Down),
                KeyCode::Down => Key::plain(KeyCode::Up),
                KeyCode::PageUp => Key::plain(KeyCode::PageDown),
                KeyCode::PageDown => Key::plain(KeyCode::PageUp),
                _ => key,
            };
            line(key, up, log_rows(app).len()) || app.keymap.action(app.context(), key) != Some(Action::Log)
        }
        Overlay::Jobs { selected } => {
            if key.typed() == Some('x') {
                if let Some(id) = app.jobs.get(*selected).filter(|j| j.state == JobState::Running).map(|j| j.id) {
                    effects = cancel(app, id);
                }
                true
            } else {
                line(letters(key), selected, app.jobs.len())
                    || app.keymap.action(app.context(), key) != Some(Action::Jobs)
            }
        }
        Overlay::Export { selected } => {
            let chosen = match (key.code, key.typed()) {
                (KeyCode::Enter, _) => Some(*selected),
                (_, Some(c)) => EXPORTS.iter().position(|e| e.1 == c),
                _ => None,
            };
            match chosen {
                Some(k) => {
                    effects = export(app, EXPORTS[k].0);
                    false
                }
                None => {
                    line(letters(key), selected, EXPORTS.len())
                        || app.keymap.action(app.context(), key) != Some(Action::Export)
                }
            }
        }
        Overlay::Quit => {
            if matches!(key.typed(), Some('y' | 'q')) || key.code == KeyCode::Enter {
                let mut all = perform(app, Action::Interrupt);
                all.push(Effect::Quit(status(app)));
                return all;
            }
            !matches!(key.typed(), Some('n'))
        }
    };
    if keep && app.overlay.is_none() {
        app.overlay = Some(overlay);
    }
    effects
}

/// In lists without typing, j and k move too.
fn letters(key: Key) -> Key {
    match key.typed() {
        Some('j') => Key::plain(KeyCode::Down),
        Some('k') => Key::plain(KeyCode::Up),
        _ => key,
    }
}

/// Moves a line number; whether the key was for that.
fn line(key: Key, at: &mut usize, rows: usize) -> bool {
    let last = rows.saturating_sub(1);
    *at = match key.code {
        KeyCode::Up => at.saturating_sub(1),
        KeyCode::Down => at.saturating_add(1),
        KeyCode::PageUp => at.saturating_sub(10),
        KeyCode::PageDown => at.saturating_add(10),
        KeyCode::Home => 0,
        KeyCode::End => last,
        _ => return false,
    }
    .min(last);
    true
}

/// Edits a query; every other key is swallowed.
fn edit(key: Key, query: &mut String, line: &mut usize) -> bool {
    match key.code {
        KeyCode::Backspace => {
            query.pop();
        }
        _ if key == Key::ctrl('u') => query.clear(),
        _ => query.extend(key.typed()),
    }
    *line = 0;
    true
}

fn export(app: &mut App, kind: ExportKind) -> Vec<Effect> {
    let Some(pane) = app.focused().cloned() else { return Vec::new() };
    let Some(content) = app.columns.get(app.column).and_then(|c| c.content.clone()) else { return Vec::new() };
    let needs_end = matches!(kind, ExportKind::Run | ExportKind::Parquet | ExportKind::Csv);
    if needs_end && content.finished.is_none() {
        app.say("tables and whole runs can be written when the run is over", true);
        return Vec::new();
    }
    let view = Box::new(spikedeck_plot::View { cursor: None, ..app.view_of(&pane) });
    let index = content.panes.iter().position(|p| p.key == pane.key).unwrap_or(0);
    let size = app
        .layout()
        .columns
        .iter()
        .flat_map(|c| &c.panes)
        .find(|p| p.pane == app.pane_index())
        .map_or((80, 24), |p| (p.inner().width, p.inner().height));
    vec![Effect::Export { kind, content, pane: index, view, size }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{app, key, running};
    use crate::update::update;

    #[test]
    fn the_palette_finds_a_command_by_its_help_and_runs_it() {
        let mut app = running((120, 40));
        update(&mut app, key(":"));
        for c in "maxim".chars() {
            update(&mut app, Key::char(c).into_message());
        }
        let rows = palette(&app, "maxim");
        assert_eq!(rows[0].0.id, "maximise");
        update(&mut app, key("enter"));
        assert_eq!((app.overlay.clone(), app.extent), (None, crate::state::layout::Extent::Whole));
    }

    #[test]
    fn help_is_searched_and_shows_this_screens_keys_first() {
        let mut app = app((120, 40));
        update(&mut app, key("?"));
        assert_eq!(help(&app, "")[0].context, Context::Gallery);
        update(&mut app, key("z"));
        assert_eq!(app.overlay, Some(Overlay::Help { query: "z".into(), scroll: 0 }));
        assert!(help(&app, "zoom").iter().any(|c| c.id == "zoom-in"));
        update(&mut app, key("esc"));
        assert_eq!(app.overlay, None);
    }

    #[test]
    fn export_asks_for_the_pane_in_focus() {
        let mut app = running((120, 40));
        update(&mut app, key("tab"));
        let focused = app.focused().unwrap().key.clone();
        update(&mut app, key("e"));
        let effects = update(&mut app, key("s"));
        let [Effect::Export { kind: ExportKind::Svg, content, pane, .. }] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(content.panes[*pane].key, focused);
        assert_eq!(app.overlay, None);
    }
}
