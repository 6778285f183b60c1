//! The run view: a line of panes, columns with their headings, panes with their titles, the crosshair's values.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::draw::cells::{bar, blit, line, line_right, tint};
use crate::draw::footer::footer;
use crate::draw::gallery::hint;
use crate::draw::heading::heading;
use crate::draw::panel;
use crate::number::{clock, fit, lasted, three};
use crate::panes::pane::Pane;
use crate::readout;
use crate::state::app::App;
use crate::state::columns::Column;
use crate::state::jobs::{Job, JobState, STOPPED_EARLY};
use crate::state::layout::{PlacedColumn, PlacedPane, RunLayout, part};
use crate::state::tabs::{GAP, Tabs, title_of};
use spikedeck_run::Status;

/// Draws the run view.
pub fn draw(app: &App, buf: &mut Buffer) {
    let layout = app.layout();
    tabs(app, buf, &layout);
    for (i, placed) in layout.columns.iter().enumerate() {
        let Some(column) = app.columns.get(placed.column) else { continue };
        match app.columns.combined() {
            Some(_) => heads(app, buf, placed),
            None => head(app, buf, placed, column),
        }
        if i > 0 && placed.area.x >= 2 {
            for y in placed.area.top()..placed.area.bottom() {
                line(buf, Rect::new(placed.area.x - 2, y, 1, 1), &[("│", app.theme.faint)]);
            }
        }
        if placed.panes.is_empty() {
            waiting(app, buf, placed, column);
        }
        for p in &placed.panes {
            let Some(key) = app.columns.keys().get(p.pane) else { continue };
            pane(app, buf, placed, *p, key);
        }
        if app.columns.combined().is_some() {
            continue;
        }
        if column.is_of_before() {
            let below = part(placed.area, 0, 1, placed.area.width, placed.area.height.saturating_sub(1));
            tint(buf, below, Style::new().add_modifier(ratatui::style::Modifier::DIM));
        }
        error(app, buf, placed, column);
    }
    panel::draw(app, buf, layout.panel);
    footer(app, buf, layout.footer);
}

/// Names of all panes; those on this page brighter, the focused one marked.
fn tabs(app: &App, buf: &mut Buffer, layout: &RunLayout) {
    let t = &app.theme;
    let area = layout.tabs;
    if area.height == 0 {
        return;
    }
    let tabs = Tabs::of(app, layout);
    let used = line_right(buf, area, &[(&tabs.page, t.dim)]);
    let area = part(area, 0, 0, area.width.saturating_sub(used), 1);
    let visible: Vec<usize> =
        layout.columns.first().map(|c| c.panes.iter().map(|p| p.pane).collect()).unwrap_or_default();
    let focus = app.columns.pane_index();
    let mut pieces: Vec<(&str, Style)> = vec![(if tabs.first > 0 { "‹" } else { " " }, t.dim)];
    for (i, label) in tabs.labels.iter().enumerate().skip(tabs.first) {
        let style = if i == focus {
            t.accent
        } else if visible.contains(&i) {
            t.text
        } else {
            t.dim
        };
        pieces.push((label, style));
        pieces.push((GAP, t.text));
    }
    line(buf, area, &pieces);
}

/// Name of the column, how its run stands.
fn head(app: &App, buf: &mut Buffer, placed: &PlacedColumn, column: &Column) {
    let t = &app.theme;
    let area = placed.head;
    if area.height == 0 {
        return;
    }
    let focused = placed.column == app.columns.focus();
    let label_style = if focused { t.strong } else { t.dim };
    let status = status(app, placed.column, column, usize::from(area.width));
    let borrowed: Vec<(&str, Style)> = status.iter().map(|(s, st)| (s.as_str(), *st)).collect();
    let used = line_right(buf, area, &borrowed);
    let left = part(area, 0, 0, area.width.saturating_sub(used + 1), 1);
    let letter = if app.columns.len() > 1 {
        format!("{} ", char::from(b'A' + (placed.column % 26) as u8))
    } else {
        String::new()
    };
    let changed = if column.changed { "  file changed" } else { "" };
    let said = line(
        buf,
        left,
        &[
            (" ", t.text),
            (&letter, if focused { t.accent } else { t.dim }),
            (&column.label, label_style),
            (changed, t.warn),
        ],
    );
    // Of one run that is over, a newcomer is told what can be done with it.
    let is_over = app.columns.len() == 1 && column.content().is_some_and(|c| c.finished.is_some());
    let is_stored = column.source.asked().is_none();
    let step = app.steps.in_run(is_stored).filter(|_| is_over && !app.job_of(placed.column).is_some_and(Job::active));
    if let Some(step) = step {
        hint(app, buf, part(left, said + 3, 0, left.width.saturating_sub(said + 3), 1), step);
    }
}

/// Names of all columns that are shown as one, each as its run stands.
fn heads(app: &App, buf: &mut Buffer, placed: &PlacedColumn) {
    let t = &app.theme;
    let area = placed.head;
    let words = format!("{} ", app.columns.together().words());
    let used = line_right(buf, area, &[(&words, t.key)]);
    let names: Vec<(String, Style)> = app
        .columns
        .list()
        .iter()
        .enumerate()
        .flat_map(|(i, c)| {
            let state = if app.job_of(i).is_some_and(Job::active) { " …" } else { "" };
            let letter = char::from(b'A' + (i % 26) as u8);
            let is_old = c.error.is_some() || c.is_of_before();
            let of_before = if is_old { " (of before)" } else { "" };
            [(format!(" {letter} "), t.accent), (format!("{}{state}{of_before} ", c.label), t.strong)]
        })
        .collect();
    let borrowed: Vec<(&str, Style)> = names.iter().map(|(s, st)| (s.as_str(), *st)).collect();
    line(buf, part(area, 0, 0, area.width.saturating_sub(used + 1), area.height.min(1)), &borrowed);
}

fn status(app: &App, index: usize, column: &Column, width: usize) -> Vec<(String, Style)> {
    let t = &app.theme;
    let job = app.job_of(index);
    if let Some(job) = job.filter(|j| j.active()) {
        let (p, stage) = (&job.progress, job.words());
        if p.fraction <= 0.0 {
            return vec![(format!("{} … ", fit(stage, (width * 2 / 3).max(12))), t.dim)];
        }
        let eta = p.eta.map_or_else(String::new, |d| format!("  {} left", clock(d)));
        let rate = if p.rate > 0.0 { format!("  {}×", three(p.rate)) } else { String::new() };
        let percent = format!(" {:>3.0} %", p.fraction * 100.0);
        let cells = (width / 5).clamp(6, 24);
        let (done, rest) = bar(p.fraction, cells);
        let mut out = vec![(format!("{stage} "), t.dim), (done, t.bar), (rest, t.faint), (percent, t.text)];
        if width > 64 {
            out.push((rate, t.dim));
        }
        if width > 52 {
            out.push((eta, t.dim));
        }
        out.push((" ".to_owned(), t.text));
        return out;
    }
    let Some(content) = column.content().filter(|_| column.error.is_none()) else {
        return match job {
            _ if column.error.is_some() => vec![("failed ".to_owned(), t.bad)],
            Some(job) if job.state == JobState::Stopped => vec![("stopped ".to_owned(), t.warn)],
            _ => Vec::new(),
        };
    };
    let checks = content.expected().map(|(passed, all)| {
        let (mark, style) = if passed == all { ("✓", t.good) } else { ("✗", t.bad) };
        (format!("{mark} {passed} of {all} expected"), style)
    });
    let mut out = Vec::new();
    match content.status {
        Some(Status::Failed) => out.push(("failed".to_owned(), t.bad)),
        Some(Status::Interrupted) => out.push(("stopped".to_owned(), t.warn)),
        Some(Status::Complete) if checks.is_none() => out.push(("done".to_owned(), t.good)),
        Some(Status::Complete) | None => {}
    }
    out.extend(checks);
    if let Some(run) = content.finished.as_deref().filter(|r| r.facts.simulate_seconds > 0.0 && width > 40) {
        out.push((format!("  {}", lasted(run.facts.simulate_seconds)), t.dim));
    }
    out.push((" ".to_owned(), t.text));
    out
}

/// A column that has nothing to show yet: what is done and how far it is, and how large it is.
fn waiting(app: &App, buf: &mut Buffer, placed: &PlacedColumn, column: &Column) {
    let t = &app.theme;
    let area = part(placed.area, 1, 2, placed.area.width.saturating_sub(2), placed.area.height.saturating_sub(3));
    let row = |k: usize| part(area, 0, k as u16, area.width, 1);
    let job = app.job_of(placed.column);
    if let Some(why) = &column.error {
        for (k, l) in why.lines().take(usize::from(area.height)).enumerate() {
            line(buf, row(k), &[(l, t.bad)]);
        }
        return;
    }
    let Some(job) = job.filter(|j| j.active()) else {
        let is_stopped = job.is_some_and(|j| j.state == JobState::Stopped);
        line(buf, row(0), &[(if is_stopped { STOPPED_EARLY } else { "…" }, t.dim)]);
        return;
    };
    line(buf, row(0), &[(job.words(), t.strong), (" …", t.dim)]);
    let p = &job.progress;
    if p.fraction > 0.0 {
        let (done, rest) = bar(p.fraction, usize::from(area.width).clamp(20, 80) / 2);
        let left = p.eta.map_or_else(String::new, |d| format!("  {} left", clock(d)));
        let far = format!(" {:>3.0} %{left}", p.fraction * 100.0);
        line(buf, row(1), &[(&done, t.bar), (&rest, t.faint), (&far, t.text)]);
    }
    let names = column.facts.iter().map(|f| f.0.width()).max().unwrap_or(0);
    for (k, (name, value)) in column.facts.iter().enumerate() {
        line(buf, row(3 + k), &[(&format!("{name:<names$}  "), t.dim), (value, t.text)]);
    }
}

/// What is wrong with a column whose results of before are still shown: over the lower part of them, with carets.
fn error(app: &App, buf: &mut Buffer, placed: &PlacedColumn, column: &Column) {
    let Some(why) = column.error.as_ref().filter(|_| column.content().is_some() && !placed.panes.is_empty()) else {
        return;
    };
    let t = &app.theme;
    let lines: Vec<&str> = why.lines().collect();
    let height = (lines.len() as u16 + 2).min(placed.area.height * 2 / 3);
    let top = placed.area.height.saturating_sub(height);
    let area = part(placed.area, 0, top, placed.area.width, height);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
    let rule = "─".repeat(usize::from(area.width));
    line(buf, part(area, 0, 0, area.width, 1), &[(&rule, t.bad)]);
    line(buf, part(area, 1, 0, area.width.saturating_sub(1), 1), &[(" what is shown is of before ", t.bad)]);
    line_right(buf, part(area, 0, 0, area.width.saturating_sub(1), 1), &[(" Esc close ", t.dim)]);
    let room = usize::from(height).saturating_sub(1);
    for (row, text) in lines.iter().take(room).enumerate() {
        let text = if row + 1 == room && lines.len() > room { "… (G shows all)" } else { text };
        line(buf, part(area, 1, 1 + row as u16, area.width.saturating_sub(1), 1), &[(text, t.text)]);
    }
}

fn pane(app: &App, buf: &mut Buffer, column: &PlacedColumn, placed: PlacedPane, key: &str) {
    let t = &app.theme;
    let in_focus = app.columns.combined().is_some() || column.column == app.columns.focus();
    let focused = in_focus && placed.pane == app.columns.pane_index();
    let found = app.columns.shown(column.column, placed.pane);
    let title = found.map_or_else(|| title_of(app, key), |p| p.title.as_str());
    let top = part(placed.area, 0, 0, placed.area.width, 1);
    let style = if focused { t.accent } else { t.strong };
    let rule_style = if focused { t.accent.remove_modifier(ratatui::style::Modifier::BOLD) } else { t.faint };
    let rule = if focused { "━".repeat(usize::from(top.width)) } else { "─".repeat(usize::from(top.width)) };
    line(buf, top, &[(&rule, rule_style)]);
    let number = if placed.pane < 9 { format!(" {} ", placed.pane + 1) } else { " ".to_owned() };
    let lead = part(top, 1, 0, top.width.saturating_sub(1), 1);
    let number_style = if focused { style } else { t.dim };
    let Some(pane) = found else {
        line(buf, lead, &[(&number, number_style), (&fit(title, usize::from(lead.width)), style), (" ", style)]);
        line(buf, part(placed.inner(), 1, 0, placed.area.width.saturating_sub(1), 1), &[("not in this run", t.dim)]);
        return;
    };
    let area = placed.figure(pane);
    let is_told = area.y > placed.inner().y || pane.warnings.is_empty();
    let used = states(app, buf, part(lead, 0, 0, lead.width.saturating_sub(1), 1), pane, is_told);
    let room = usize::from(lead.width.saturating_sub(used + 1)).saturating_sub(number.width() + 1);
    let words = if pane.is_text() && !pane.is_table() { "" } else { pane.summary.as_str() };
    let (name, finding) = heading(title, words, room.max(1));
    line(buf, lead, &[(&number, number_style), (&name, style), (&finding, t.text), (" ", style)]);
    if area.y > placed.inner().y {
        warnings(app, buf, part(placed.inner(), 0, 0, placed.area.width, 1), pane);
    }
    figure(app, buf, area, pane);
}

/// What a reader should know before believing the pane, in a line of its own.
fn warnings(app: &App, buf: &mut Buffer, area: Rect, pane: &Pane) {
    let Some(first) = pane.warnings.first() else { return };
    let more = if pane.warnings.len() > 1 { format!(" (+{})", pane.warnings.len() - 1) } else { String::new() };
    let room = usize::from(area.width).saturating_sub(more.width() + 3);
    line(buf, area, &[(&format!(" ! {}{more}", fit(first, room)), app.theme.warn)]);
}

/// At the right end of the title: how the pane is looked at; returns the cells used.
fn states(app: &App, buf: &mut Buffer, area: Rect, pane: &Pane, is_told: bool) -> u16 {
    let t = &app.theme;
    let view = app.views.get(&pane.key);
    let zoomed = (app.linked(pane) && app.views.time.is_some()) || view.is_some_and(|v| v.x.is_some() || v.y.is_some());
    let words = [
        (!is_told, " ! "),
        (app.playing && pane.movie.is_some(), " playing "),
        (zoomed, " zoomed "),
        (view.is_some_and(|v| v.unlinked), " unlinked "),
    ];
    let pieces: Vec<(&str, Style)> =
        words.iter().filter(|w| w.0).map(|w| (w.1, if w.1 == " ! " { t.warn } else { t.key })).collect();
    line_right(buf, area, &pieces)
}

fn figure(app: &App, buf: &mut Buffer, area: Rect, pane: &Pane) {
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let mut view = app.view_of(pane);
    let mut picture = pane.picture(&view, width, height, app.look);
    let last = picture.content_rows.saturating_sub(height);
    if pane.is_text() && view.scroll > last {
        view.scroll = last;
        picture = pane.picture(&view, width, height, app.look);
    }
    blit(buf, area, &picture.grid);
    if pane.is_text() && picture.content_rows > height + view.scroll {
        let more = format!(" ↓ {} more ", picture.content_rows - height - view.scroll);
        line_right(buf, part(area, 0, area.height.saturating_sub(1), area.width, 1), &[(&more, app.theme.dim)]);
    }
    if app.views.cross_on && !pane.is_text() {
        values(app, buf, area, pane, &picture);
    }
    drag_box(app, buf, area);
}

/// The crosshair's values in a corner that the crosshair is not in.
fn values(app: &App, buf: &mut Buffer, area: Rect, pane: &Pane, picture: &spikedeck_plot::Picture) {
    let t = &app.theme;
    let Some(lines) = readout::of(app, pane) else { return };
    let Some(panel) = picture.panels.first() else { return };
    let at = app.crosshair(pane).and_then(|x| panel.column_of(x));
    let Some(at) = at else { return };
    let most = panel.area.height.min(lines.len());
    let width = lines.iter().take(most).map(|l| l.width()).max().unwrap_or(0) + 2;
    let left = panel.area.x + panel.area.width / 2 < at;
    if width + 2 > panel.area.width {
        if let Some(first) = lines.get(1).or(lines.first()) {
            line(
                buf,
                part(area, panel.area.x as u16, panel.area.y as u16, panel.area.width as u16, 1),
                &[(first, t.cross)],
            );
        }
        return;
    }
    let x = if left { panel.area.x } else { panel.area.x + panel.area.width - width };
    for (row, text) in lines.iter().take(most).enumerate() {
        let place = part(area, x as u16, (panel.area.y + row) as u16, width as u16, 1);
        let padded = format!(" {text:<w$}", w = width - 1);
        line(
            buf,
            place,
            &[(&padded, if row == 0 { t.cross.add_modifier(ratatui::style::Modifier::BOLD) } else { t.cross })],
        );
    }
}

fn drag_box(app: &App, buf: &mut Buffer, area: Rect) {
    let Some((from, to)) = app.drag else { return };
    if from == to || !area.contains(ratatui::layout::Position::new(from.0, from.1)) {
        return;
    }
    let (x0, x1) = (from.0.min(to.0), from.0.max(to.0));
    let (y0, y1) = if from.1.abs_diff(to.1) >= 2 {
        (from.1.min(to.1), from.1.max(to.1))
    } else {
        (area.y, area.bottom().saturating_sub(1))
    };
    let chosen = Rect::new(x0, y0, x1 - x0 + 1, y1 - y0 + 1).intersection(area);
    tint(buf, chosen, Style::new().add_modifier(ratatui::style::Modifier::REVERSED));
}
