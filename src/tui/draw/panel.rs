//! The panel of parameters: every value by its table, what was changed, what is known of the chosen one, and the
//! command line that repeats it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr;

use crate::draw::cells::{bar, line, line_right, tint};
use crate::number::fit;
use crate::state::app::App;
use crate::state::axis::{axis_of, axis_typed};
use crate::state::bench::Bench;
use crate::state::columns::Column;
use crate::state::layout::{self, part};
use crate::state::panel::{Panel, Row, Typing, first_row, group};
use crate::state::source::unquoted;
use crate::state::stepping::place;
use spikedeck_plot::grid::wrap;
use spikedeck_scenario::Adjustable;

/// Draws the panel, if it is open.
pub fn draw(app: &App, buf: &mut Buffer, area: Rect) {
    let (Some(panel), Some(column)) = (&app.panel, app.columns.focused()) else { return };
    if area.height < 2 || area.width < 12 {
        return;
    }
    let t = &app.theme;
    let l = layout::panel(area);
    if area.x >= 2 {
        for y in area.top()..area.bottom() {
            line(buf, Rect::new(area.x - 1, y, 1, 1), &[("│", t.faint)]);
        }
    }
    title(app, buf, l.title, column);
    query(app, buf, l.line, panel);
    let hits = panel.hits(&column.bench);
    list(app, buf, l.list, (panel, column, &hits));
    match hits.get(panel.index(&hits)) {
        Some(value) => detail(app, buf, l.detail, column, value),
        None if column.bench.is_asking() => drop(line(buf, l.list, &[("reading the scenario …", t.dim)])),
        None if column.bench.list.is_some() => drop(line(buf, l.list, &[("nothing matches", t.dim)])),
        None => {}
    }
}

fn title(app: &App, buf: &mut Buffer, area: Rect, column: &Column) {
    let t = &app.theme;
    line(buf, area, &[(&"━".repeat(usize::from(area.width)), t.accent.remove_modifier(Modifier::BOLD))]);
    line(buf, part(area, 1, 0, area.width.saturating_sub(1), 1), &[(" Parameters ", t.accent)]);
    let count = column.source.asked().map_or(0, |a| column.bench.changed(&a.set).count());
    let changed = match count {
        0 => String::new(),
        1 => " 1 changed ".to_owned(),
        n => format!(" {n} changed "),
    };
    let waits = if column.bench.stale { " Enter runs it " } else { "" };
    line_right(buf, part(area, 14, 0, area.width.saturating_sub(15), 1), &[(&changed, t.warn), (waits, t.key)]);
}

/// What is looked for, or typed.
fn query(app: &App, buf: &mut Buffer, area: Rect, panel: &Panel) {
    let t = &app.theme;
    let Some((typing, text)) = &panel.typing else {
        let key = app.keymap.keys("search-value").first().map(ToString::to_string).unwrap_or_default();
        if panel.query.is_empty() {
            line(buf, area, &[(&key, t.key), (" search", t.dim)]);
        } else {
            line(buf, area, &[("/ ", t.key), (&panel.query, t.strong)]);
        }
        return;
    };
    let what = match typing {
        Typing::Search => "/ ",
        Typing::Value => "value ",
        Typing::Sweep => "values ",
        Typing::Seeds => "seeds ",
        Typing::File { .. } => "file ",
    };
    // The end of what is typed is what is looked at.
    let room = usize::from(area.width).saturating_sub(what.width() + 1);
    let skipped = text.chars().count().saturating_sub(room);
    let shown: String = text.chars().skip(skipped).collect();
    line(buf, area, &[(what, t.key), (&shown, t.strong), ("▏", t.accent)]);
}

fn list(app: &App, buf: &mut Buffer, area: Rect, (panel, column, hits): (&Panel, &Column, &[&Adjustable])) {
    let t = &app.theme;
    let set = column.source.asked().map(|a| a.set.as_slice()).unwrap_or_default();
    let rows = panel.rows(hits);
    let chosen = panel.index(hits);
    let first = first_row(&rows, chosen, usize::from(area.height));
    for (at, row) in rows.iter().skip(first).take(usize::from(area.height)).enumerate() {
        let place = part(area, 0, at as u16, area.width, 1);
        match row {
            Row::Table(name) => {
                let what = model_of(&column.bench, name).map(|m| format!("  {m}")).unwrap_or_default();
                line(buf, place, &[(name, t.strong), (&what, t.dim)]);
            }
            Row::Value(index) => {
                let value = hits[*index];
                let is_changed = !column.bench.begun.iter().any(|s| s.0 == value.path && set.contains(s))
                    && set.iter().any(|(p, _)| *p == value.path);
                let name = if panel.query.trim().is_empty() { group(&value.path).1 } else { &value.path };
                value_row(app, buf, place, column, (value, name), is_changed);
                if *index == chosen {
                    tint(buf, place, t.selection);
                }
            }
        }
    }
}

/// The model, kind or rule of a table, as it stands there.
fn model_of(bench: &Bench, table: &str) -> Option<String> {
    let found = ["model", "kind"].iter().find_map(|key| bench.value(&format!("{table}.{key}")));
    found?.value.as_deref().map(|v| unquoted(v).to_owned())
}

fn value_row(
    app: &App,
    buf: &mut Buffer,
    area: Rect,
    column: &Column,
    (value, name): (&Adjustable, &str),
    is_changed: bool,
) {
    let t = &app.theme;
    let axis = axis_of(&value.path);
    let set = column.source.asked().map(|a| a.set.as_slice()).unwrap_or_default();
    let swept = set.iter().rev().find(|(path, _)| *path == axis && axis != value.path).map(|(_, text)| text);
    let is_changed = is_changed || swept.is_some();
    let is_refused = column.bench.refused.as_ref().is_some_and(|r| r.path == value.path);
    let style = if is_refused {
        t.bad
    } else if is_changed {
        t.warn.add_modifier(Modifier::BOLD)
    } else if value.is_written {
        t.text
    } else {
        t.dim
    };
    let mark = match (is_refused, is_changed) {
        (true, _) => "✗ ",
        (false, true) => "• ",
        (false, false) => "  ",
    };
    let shown = match swept {
        Some(text) => axis_typed(text),
        None => column.bench.shown(&value.path).map_or_else(|| "–".to_owned(), |v| unquoted(&v).to_owned()),
    };
    let width = usize::from(area.width);
    let room = width.saturating_sub(name.width() + 4).max(width / 3);
    let shown = fit(&shown, room);
    let used = line_right(buf, area, &[(&shown, style), (" ", t.text)]);
    let left = part(area, 0, 0, area.width.saturating_sub(used + 1), 1);
    let names = if value.is_written || is_changed { t.text } else { t.dim };
    line(buf, left, &[(mark, style), (name, names)]);
}

/// What is known of the chosen value, or why it was refused; then the command line.
fn detail(app: &App, buf: &mut Buffer, area: Rect, column: &Column, value: &Adjustable) {
    let t = &app.theme;
    let width = usize::from(area.width).saturating_sub(1).max(1);
    let mut rows: Vec<Vec<(String, Style)>> = Vec::new();
    let text = |rows: &mut Vec<Vec<(String, Style)>>, text: &str, style: Style| {
        rows.extend(wrap(text, width).into_iter().map(|l| vec![(l, style)]));
    };
    if area.height > 4 {
        rows.push(vec![(fit(&value.path, width), t.strong)]);
    }
    match column.bench.refused.as_ref().filter(|r| r.path == value.path) {
        // As the file would be told: with its place and what would be right.
        Some(refused) => {
            for l in refused.why.lines() {
                // Carets stand below what they point at.
                if l.contains(['│', '╭', '╰', '·']) || l.trim().is_empty() {
                    rows.push(vec![(fit(l, width), t.bad)]);
                } else {
                    text(&mut rows, l, t.bad);
                }
            }
        }
        None => {
            if !value.about.is_empty() {
                text(&mut rows, &value.about, t.text);
            }
            let takes = if value.words.is_empty() { value.takes.clone() } else { value.words.join(", ") };
            let bounds = if value.bounds.is_empty() { String::new() } else { format!(", {}", value.bounds) };
            text(&mut rows, &format!("{takes}{bounds}"), t.dim);
            slider(app, &mut rows, column, value, width);
            match column.bench.was(&value.path) {
                Some("") => rows.push(vec![("was not set".to_owned(), t.warn)]),
                Some(was) => rows.push(vec![("was ".to_owned(), t.dim), (fit(was, width - 4), t.warn)]),
                None if !value.is_written => text(&mut rows, &format!("not set: {}", value.without), t.dim),
                None => {}
            }
        }
    }
    let command = column.source.asked().map(|a| wrap(&a.command(), width)).unwrap_or_default();
    let lines = command.len().min(usize::from(area.height) / 3);
    let room = usize::from(area.height).saturating_sub(lines);
    for (at, row) in rows.iter().take(room).enumerate() {
        let borrowed: Vec<(&str, Style)> = row.iter().map(|(s, st)| (s.as_str(), *st)).collect();
        line(buf, part(area, 0, at as u16, area.width, 1), &borrowed);
    }
    for (at, text) in command.iter().take(lines).enumerate() {
        let row = part(area, 0, area.height - (lines - at) as u16, area.width, 1);
        let more = if at + 1 == lines && command.len() > lines { "…" } else { "" };
        line(buf, row, &[(&fit(text, width.saturating_sub(1)), t.faint.patch(t.dim)), (more, t.dim)]);
    }
}

/// Where a number stands between its bounds.
fn slider(app: &App, rows: &mut Vec<Vec<(String, Style)>>, column: &Column, value: &Adjustable, width: usize) {
    let t = &app.theme;
    let shown = column.bench.shown(&value.path);
    let Some(at) = shown.and_then(|text| place(value, &text)) else { return };
    let (done, rest) = bar(at, width.min(24));
    rows.push(vec![(done, t.bar), (rest, t.faint)]);
}
