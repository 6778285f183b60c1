//! Keys and typing while something lies over the screen: help, palette, differences, jobs, log, export, a question.

use crossterm::event::KeyCode;

use crate::input::commands::{COMMANDS, explained, offered, perform};
use crate::input::{everywhere, gallery, panel, run};
use crate::state::app::App;
use crate::state::compare;
use crate::state::keys::Key;
use crate::state::message::{Effect, ExportKind};
use crate::state::overlay::{EXPORTS, Overlay, log_rows, points_found};

/// A character that goes into whatever is being typed.
pub fn type_char(app: &mut App, c: char) {
    match &mut app.overlay {
        Some(Overlay::Help { query, scroll } | Overlay::Difference { query, scroll, .. }) => {
            query.push(c);
            *scroll = 0;
        }
        Some(Overlay::Palette { query, selected } | Overlay::Points { query, selected, .. }) => {
            query.push(c);
            *selected = 0;
        }
        None if app.gallery.typing => gallery::type_char(app, c),
        None => drop(panel::type_char(app, c)),
        Some(_) => {}
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
            let rows = explained(app, query).len();
            let toggled = query.is_empty() && opened_it(app, key);
            !toggled && (line(key, scroll, rows) || edit(key, query, scroll))
        }
        Overlay::Palette { query, selected } => {
            let rows = offered(app, query);
            if key.code == KeyCode::Enter {
                let Some(call) = rows.get(*selected).map(|row| row.0) else { return Vec::new() };
                let effects = perform(app, call);
                let binding = COMMANDS[call.row].binding;
                if binding.numbered && call.number.is_none() {
                    // It has said what is missing, which can be typed at once.
                    app.overlay = Some(Overlay::Palette { query: format!("{} ", binding.id), selected: 0 });
                }
                return effects;
            }
            line(key, selected, rows.len()) || edit(key, query, selected)
        }
        Overlay::Difference { query, scroll, order } => {
            let rows = compare::of(&app.columns, query, *order).map_or(0, |c| c.rows.len());
            if key.code == KeyCode::Tab {
                *order = order.next(app.columns.len());
                true
            } else {
                let toggled = query.is_empty() && opened_it(app, key);
                !toggled && (line(key, scroll, rows) || edit(key, query, scroll))
            }
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
            line(key, up, log_rows(&app.log, app.size).len()) || !opened_it(app, key)
        }
        Overlay::Jobs { selected } => {
            if key.typed() == Some('x') {
                if let Some(id) = app.jobs.list().get(*selected).map(|j| j.id) {
                    effects.extend(app.jobs.cancel(id));
                }
                true
            } else {
                line(letters(key), selected, app.jobs.list().len()) || !opened_it(app, key)
            }
        }
        Overlay::Points { rows, query, selected } => {
            let found = points_found(rows, query);
            if key.code == KeyCode::Enter {
                return found.get(*selected).map_or_else(Vec::new, |k| run::open_point(app, &rows[*k]));
            }
            line(key, selected, found.len()) || edit(key, query, selected)
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
                None => line(letters(key), selected, EXPORTS.len()) || !opened_it(app, key),
            }
        }
        Overlay::Quit => {
            if matches!(key.typed(), Some('y' | 'q')) || key.code == KeyCode::Enter {
                return everywhere::leave(app, everywhere::status(app));
            }
            !matches!(key.typed(), Some('n'))
        }
    };
    if keep && app.overlay.is_none() {
        app.overlay = Some(overlay);
    }
    effects
}

/// Whether this is the key of the command that opened what lies over the screen: it closes it too.
fn opened_it(app: &App, key: Key) -> bool {
    app.keymap.call(app.context(), key).is_some_and(|call| Some(call.row) == app.opened_by)
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
    let Some(pane) = app.columns.pane().cloned() else { return Vec::new() };
    let own = app.columns.focused().and_then(|c| c.content().cloned());
    // A pane of all columns is not the focused column's.
    let joint = app.columns.combined().filter(|_| kind != ExportKind::Run).cloned();
    let Some(content) = joint.or(own) else { return Vec::new() };
    let all: Vec<_> = app.columns.list().iter().filter_map(|c| c.content().cloned()).collect();
    let over = all.iter().filter(|c| c.finished.is_some()).count();
    if kind == ExportKind::Differences && over < 2 {
        app.say("differences can be written when two runs are over", true);
        return Vec::new();
    }
    if matches!(kind, ExportKind::Report | ExportKind::Markdown) && over == 0 {
        app.say("a report can be written when a run is over", true);
        return Vec::new();
    }
    let needs_end = matches!(kind, ExportKind::Run | ExportKind::Parquet | ExportKind::Csv);
    if needs_end && content.finished.is_none() {
        app.say("tables and whole runs can be written when the run is over", true);
        return Vec::new();
    }
    let view = Box::new(spikedeck_plot::View { cursor: None, ..app.view_of(&pane) });
    let of_pane =
        !matches!(kind, ExportKind::Run | ExportKind::Differences | ExportKind::Report | ExportKind::Markdown);
    let place = content.panes.iter().position(|p| p.key == pane.key);
    let Some(index) = place.or((!of_pane).then_some(0)) else {
        app.say("this pane is no longer there: nothing is written", true);
        return Vec::new();
    };
    let size = app
        .layout()
        .columns
        .iter()
        .flat_map(|c| &c.panes)
        .find(|p| p.pane == app.columns.pane_index())
        .map_or((80, 24), |p| (p.figure(&pane).width, p.figure(&pane).height));
    if kind == ExportKind::Run
        && let Some(column) = app.columns.get_mut(app.columns.focus())
    {
        column.written = true;
    }
    vec![Effect::Export { kind, content, all, pane: index, view, size }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::keymap::Context;
    use crate::testing::{app, key, running};
    use crate::update::update;

    #[test]
    fn the_palette_finds_a_command_by_its_help_and_runs_it() {
        let mut app = running((120, 40));
        update(&mut app, key(":"));
        for c in "maxim".chars() {
            update(&mut app, Key::char(c).into_message());
        }
        let best = offered(&app, "maxim")[0].0;
        assert_eq!(COMMANDS[best.row].binding.id, "maximise");
        update(&mut app, key("enter"));
        assert_eq!((app.overlay.clone(), app.extent), (None, crate::state::layout::Extent::Whole));
    }

    #[test]
    fn a_pane_is_chosen_in_the_palette_by_its_number() {
        let mut app = running((120, 40));
        update(&mut app, key(":"));
        for c in "pane".chars() {
            update(&mut app, Key::char(c).into_message());
        }
        let row = offered(&app, "pane").iter().position(|o| COMMANDS[o.0.row].binding.id == "pane").unwrap();
        app.overlay = Some(Overlay::Palette { query: "pane".into(), selected: row });
        update(&mut app, key("enter"));
        assert!(matches!(&app.overlay, Some(Overlay::Palette { query, .. }) if query == "pane "), "{:?}", app.overlay);
        assert!(app.log.notice().is_some_and(|n| n.text.contains("needs a number")));
        update(&mut app, key("3"));
        update(&mut app, key("enter"));
        assert_eq!((app.columns.pane_index(), app.overlay), (2, None));
    }

    /// The key that opened it closes it, also when it was opened from the palette.
    #[test]
    fn the_key_of_a_command_closes_what_it_opened() {
        for (open, close) in [("J", "J"), ("G", "G"), ("?", "?"), ("d", "d"), ("e", "e"), (": j o b s enter", "J")] {
            let mut app = crate::testing::comparing((120, 40));
            crate::testing::press(&mut app, open);
            assert!(app.overlay.is_some(), "{open}");
            crate::testing::press(&mut app, close);
            assert_eq!(app.overlay, None, "{open} and {close}");
        }
    }

    #[test]
    fn help_is_searched_and_shows_this_screens_keys_first() {
        let mut app = app((120, 40));
        update(&mut app, key("?"));
        assert_eq!(explained(&app, "")[0].binding.context, Context::Gallery);
        update(&mut app, key("z"));
        assert_eq!(app.overlay, Some(Overlay::Help { query: "z".into(), scroll: 0 }));
        assert!(explained(&app, "zoom").iter().any(|c| c.binding.id == "zoom-in"));
        update(&mut app, key("esc"));
        assert_eq!(app.overlay, None);
    }

    #[test]
    fn export_asks_for_the_pane_in_focus() {
        let mut app = running((120, 40));
        update(&mut app, key("tab"));
        let focused = app.columns.pane().unwrap().key.clone();
        update(&mut app, key("e"));
        let effects = update(&mut app, key("s"));
        let [Effect::Export { kind: ExportKind::Svg, content, pane, .. }] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(content.panes[*pane].key, focused);
        assert_eq!(app.overlay, None);
    }
}
