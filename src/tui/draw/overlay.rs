//! What lies over the screen: one box with a title, rows and a foot.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::draw::cells::{bar, line, line_right, tint};
use crate::draw::difference;
use crate::input::commands::{COMMANDS, explained, offered};
use crate::number::{clock, fit};
use crate::state::app::App;
use crate::state::jobs::JobState;
use crate::state::layout::{dialog, part, scroll_to};
use crate::state::overlay::{EXPORTS, Overlay, PointRow, log_area, log_rows, points_found, what_is_lost};

/// A row: pieces of text, and whether it is the chosen one.
pub(super) type ListRow = (Vec<(String, Style)>, bool);

/// Draws what lies over the screen, if anything does.
pub fn draw(app: &App, buf: &mut Buffer) {
    match &app.overlay {
        None => {}
        Some(Overlay::Help { query, scroll }) => help(app, buf, query, *scroll),
        Some(Overlay::Palette { query, selected }) => palette(app, buf, query, *selected),
        Some(Overlay::Difference { query, scroll, order }) => difference::draw(app, buf, query, *scroll, *order),
        Some(Overlay::Jobs { selected }) => jobs(app, buf, *selected),
        Some(Overlay::Log { up }) => log(app, buf, *up),
        Some(Overlay::Points { rows, query, selected }) => points(app, buf, rows, query, *selected),
        Some(Overlay::Export { selected }) => export(app, buf, *selected),
        Some(Overlay::Quit) => quit(app, buf),
    }
}

/// A frame with a title; returns what is inside.
pub(super) fn frame(app: &App, buf: &mut Buffer, area: Rect, title: &str, foot: &str) -> Rect {
    let t = &app.theme;
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
    if area.width < 24 || area.height < 4 {
        return area;
    }
    let wide = usize::from(area.width) - 2;
    line(buf, part(area, 0, 0, area.width, 1), &[("╭", t.faint), (&"─".repeat(wide), t.faint), ("╮", t.faint)]);
    for row in 1..area.height - 1 {
        line(buf, part(area, 0, row, 1, 1), &[("│", t.faint)]);
        line(buf, part(area, area.width - 1, row, 1, 1), &[("│", t.faint)]);
    }
    line(
        buf,
        part(area, 0, area.height - 1, area.width, 1),
        &[("╰", t.faint), (&"─".repeat(wide), t.faint), ("╯", t.faint)],
    );
    line(buf, part(area, 2, 0, area.width - 4, 1), &[(" ", t.text), (&fit(title, wide - 4), t.accent), (" ", t.text)]);
    if !foot.is_empty() {
        line_right(
            buf,
            part(area, 2, area.height - 1, area.width - 4, 1),
            &[(" ", t.text), (&fit(foot, wide - 4), t.dim), (" ", t.text)],
        );
    }
    part(area, 2, 1, area.width - 4, area.height - 2)
}

pub(super) fn rows(app: &App, buf: &mut Buffer, area: Rect, all: &[ListRow], first: usize) {
    for (at, (pieces, chosen)) in all.iter().skip(first).take(usize::from(area.height)).enumerate() {
        let place = part(area, 0, at as u16, area.width, 1);
        let borrowed: Vec<(&str, Style)> = pieces.iter().map(|(s, st)| (s.as_str(), *st)).collect();
        line(buf, place, &borrowed);
        if *chosen {
            tint(buf, place, app.theme.selection);
        }
    }
}

pub(super) fn query_line(app: &App, buf: &mut Buffer, inner: Rect, query: &str, hint: &str) -> Rect {
    let t = &app.theme;
    if query.is_empty() {
        line(buf, inner, &[("▏", t.accent), (hint, t.dim)]);
    } else {
        line(buf, inner, &[(query, t.strong), ("▏", t.accent)]);
    }
    part(inner, 0, 1, inner.width, inner.height.saturating_sub(1))
}

fn help(app: &App, buf: &mut Buffer, query: &str, scroll: usize) {
    let t = &app.theme;
    let found = explained(app, query);
    let mut all: Vec<ListRow> = Vec::new();
    let mut context = None;
    for command in &found {
        let binding = command.binding;
        if context != Some(binding.context) {
            all.push((Vec::new(), false));
            all.push((vec![(binding.context.title().to_owned(), t.dim)], false));
            context = Some(binding.context);
        }
        let (keys, title) = (app.keymap.keys_text(binding.id), command.title);
        let text = command.help.to_owned();
        all.push((vec![(format!("  {keys:<12} "), t.key), (format!("{title:<18} "), t.text), (text, t.dim)], false));
    }
    let area = dialog(app.size, 112, (all.len() as u16 + 4).min(app.size.1.saturating_sub(2)).max(8));
    let inner = frame(app, buf, area, "Help", "type to search · ↑ ↓ scroll · Esc close");
    let list = query_line(app, buf, inner, query, "search keys and commands");
    let first = scroll.min(all.len().saturating_sub(usize::from(list.height)));
    rows(app, buf, list, &all, first);
}

fn palette(app: &App, buf: &mut Buffer, query: &str, selected: usize) {
    let t = &app.theme;
    let area = dialog(app.size, 76, 18);
    let inner = frame(app, buf, area, "Commands", "Enter run · Esc close");
    let list = query_line(app, buf, inner, query, "name of a command");
    let found = offered(app, query);
    let width = usize::from(list.width);
    let all: Vec<ListRow> = found
        .iter()
        .enumerate()
        .map(|(i, (call, _))| {
            let c = &COMMANDS[call.row];
            let keys = app.keymap.keys_text(c.binding.id);
            let text = fit(c.help, width.saturating_sub(22 + keys.width() + 2));
            let gap = width.saturating_sub(20 + text.width() + keys.width());
            (
                vec![(format!("{:<20}", c.title), t.text), (text, t.dim), (" ".repeat(gap), t.text), (keys, t.key)],
                i == selected,
            )
        })
        .collect();
    if all.is_empty() {
        line(buf, list, &[("no such command", t.dim)]);
    }
    rows(app, buf, list, &all, scroll_to(selected, usize::from(list.height), all.len()));
}

fn points(app: &App, buf: &mut Buffer, all: &[PointRow], query: &str, selected: usize) {
    let t = &app.theme;
    let area = dialog(app.size, 76, 18);
    let title = spikedeck_core::number::counted(all.len(), "point", "points");
    let inner = frame(app, buf, area, &title, "Enter opens beside · type to search · Esc close");
    let list = query_line(app, buf, inner, query, "values");
    let found = points_found(all, query);
    if found.is_empty() {
        line(buf, list, &[("no such point", t.dim)]);
    }
    let first = scroll_to(selected, usize::from(list.height), found.len());
    let shown = found.iter().enumerate().skip(first).take(usize::from(list.height));
    let lines: Vec<ListRow> = shown.map(|(i, k)| (vec![(all[*k].label.clone(), t.text)], i == selected)).collect();
    rows(app, buf, list, &lines, 0);
}

fn jobs(app: &App, buf: &mut Buffer, selected: usize) {
    let t = &app.theme;
    let area = dialog(app.size, 92, (app.jobs.list().len() as u16 + 2).clamp(4, app.size.1.saturating_sub(2).max(4)));
    let inner = frame(app, buf, area, "Jobs", "x stop · Esc close");
    if app.jobs.list().is_empty() {
        line(buf, inner, &[("nothing ran yet", t.dim)]);
    }
    let all: Vec<ListRow> = app
        .jobs
        .list()
        .iter()
        .enumerate()
        .map(|(i, j)| {
            let (word, style) = match &j.state {
                JobState::Running => ("running", t.accent),
                JobState::Stopping => ("stopping", t.warn),
                JobState::Done => ("done", t.good),
                JobState::Stopped => ("stopped", t.warn),
                JobState::Failed(_) => ("failed", t.bad),
            };
            let mut pieces = vec![(format!("{:<28} ", fit(&j.label, 28)), t.text), (format!("{word:<9}"), style)];
            match (&j.state, &j.progress) {
                (JobState::Failed(why), _) => pieces.push((why.lines().next().unwrap_or_default().to_owned(), t.dim)),
                (JobState::Running | JobState::Stopping, p) => {
                    let (done, rest) = bar(p.fraction, 14);
                    // How far it is is not always known.
                    let far =
                        if p.fraction > 0.0 { format!("{:>3.0} %", p.fraction * 100.0) } else { "    …".into() };
                    pieces.extend([(done, t.bar), (rest, t.faint), (format!(" {far}  {}", p.stage), t.dim)]);
                    pieces.push((p.eta.map_or_else(String::new, |d| format!("  {} left", clock(d))), t.dim));
                }
                (JobState::Done | JobState::Stopped, _) => {}
            }
            (pieces, i == selected)
        })
        .collect();
    rows(app, buf, inner, &all, scroll_to(selected, usize::from(inner.height), all.len()));
}

fn log(app: &App, buf: &mut Buffer, up: usize) {
    let t = &app.theme;
    let area = log_area(app.size);
    let inner = frame(app, buf, area, "Log", "↑ ↓ scroll · Esc close");
    if app.log.lines().is_empty() {
        line(buf, inner, &[("nothing to tell", t.dim)]);
    }
    let height = usize::from(inner.height);
    let all: Vec<ListRow> = log_rows(&app.log, app.size)
        .into_iter()
        .map(|(text, bad)| (vec![(text, if bad { t.bad } else { t.text })], false))
        .collect();
    let first = all.len().saturating_sub(height).saturating_sub(up);
    rows(app, buf, inner, &all, first);
}

fn export(app: &App, buf: &mut Buffer, selected: usize) {
    let t = &app.theme;
    let area = dialog(app.size, 74, EXPORTS.len() as u16 + 4);
    let title = app.columns.pane().map_or_else(|| "Export".to_owned(), |p| format!("Export · {}", p.title));
    let inner = frame(app, buf, area, &title, "Enter write · Esc close");
    let all: Vec<ListRow> = EXPORTS
        .iter()
        .enumerate()
        .map(|(i, (_, key, title, text))| {
            (
                vec![(format!("{key}  "), t.key), (format!("{title:<18}"), t.text), ((*text).to_owned(), t.dim)],
                i == selected,
            )
        })
        .collect();
    rows(app, buf, inner, &all, 0);
    let place = part(inner, 0, inner.height.saturating_sub(1), inner.width, 1);
    line(buf, place, &[("into the directory that spikedeck was started in; nothing is overwritten", t.dim)]);
}

fn quit(app: &App, buf: &mut Buffer) {
    let t = &app.theme;
    let area = dialog(app.size, 56, 5);
    let inner = frame(app, buf, area, "Quit", "");
    line(buf, inner, &[(&what_is_lost(&app.jobs, &app.columns), t.text)]);
    let place = part(inner, 0, 2, inner.width, 1);
    line(buf, place, &[("y", t.key), (" quit   ", t.dim), ("n", t.key), (" stay", t.dim)]);
}
