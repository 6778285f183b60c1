//! The dashboard in words, for screen readers: what has the focus as plain lines, each said when it is another than
//! before. Nothing is drawn, nothing said is taken back; keys do what they do on the screen.

use std::fmt::Write as _;

use crate::describe;
use crate::draw::ascii;
use crate::input::commands::{COMMANDS, Command, explained, offered};
use crate::number::{short, shown_or_missing, with_unit};
use crate::panes::pane::Pane;
use crate::readout;
use crate::state::app::{App, Screen};
use crate::state::columns::Column;
use crate::state::compare::{self, DifferenceRow};
use crate::state::jobs::{JobState, STOPPED_EARLY};
use crate::state::overlay::{EXPORTS, Overlay, points_found, what_is_lost};
use spikedeck_plot::Marker;
use spikedeck_run::Status;
use spikedeck_signal::{Axis, Shape};

/// Rows of a long list that are said at once.
const ROWS: usize = 20;

/// What was said last.
#[derive(Debug, Default)]
pub struct Reader {
    said: Vec<(&'static str, String)>,
}

impl Reader {
    /// What is to be said now, in lines; empty where nothing is another than before.
    pub fn news(&mut self, app: &App) -> String {
        let lines = lines(app);
        let new = lines.iter().filter(|l| !self.said.iter().any(|(about, mark)| *about == l.about && *mark == l.mark));
        let text = new.flat_map(|l| l.text.lines()).fold(String::new(), |text, line| text + line + "\r\n");
        self.said = lines.into_iter().map(|l| (l.about, l.mark)).collect();
        if app.look.marker == Marker::Ascii { ascii::text(&text) } else { text }
    }

    /// From now on everything is said again.
    pub fn forget(&mut self) {
        self.said.clear();
    }
}

/// Something that can be said.
struct Line {
    /// What it is about: a line of each kind at a time.
    about: &'static str,
    text: String,
    /// It is said when this changes.
    mark: String,
}

impl Line {
    fn new(about: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { about, mark: text.clone(), text }
    }
}

/// Everything that can be said of the state; what lies over the screen hides what is under it.
fn lines(app: &App) -> Vec<Line> {
    let mut lines = match (&app.overlay, app.screen) {
        (Some(overlay), _) => vec![Line::new("overlay", over(app, overlay))],
        (None, Screen::Gallery) => gallery(app),
        (None, Screen::Run) => run(app),
    };
    lines.extend(app.log.notice().map(|notice| Line::new("notice", &notice.text)));
    lines
}

/// `3 of 40`.
fn place(index: usize, of: usize) -> String {
    format!("{} of {of}", index + 1)
}

fn gallery(app: &App) -> Vec<Line> {
    let g = &app.gallery;
    let help = app.keymap.keys_text("help");
    let mut lines =
        vec![Line::new("screen", format!("Gallery of {} scenarios; {help} lists the keys", g.entries.len()))];
    if g.typing || !g.query.is_empty() {
        lines.push(Line::new("search", format!("Search: {}, {} found", g.query, g.hits.len())));
    }
    let Some(index) = g.chosen() else {
        lines.push(Line::new("entry", "nothing found"));
        return lines;
    };
    let entry = &g.entries[index];
    let marked = if g.marked.contains(&index) { ", marked" } else { "" };
    lines.push(Line::new(
        "entry",
        format!("{}: {}: {}{marked}", place(g.selected, g.hits.len()), entry.name, entry.title),
    ));
    match g.previews.get(&index) {
        Some(Ok(preview)) => {
            let populations = preview.populations.iter().map(|(name, size, model)| format!("{name}, {size} {model}"));
            let facts = preview.facts.iter().map(|(name, value)| format!("{name} {value}"));
            let all: Vec<String> = populations.chain(facts).collect();
            lines.push(Line::new("preview", format!("{}\n{}", preview.description.trim(), all.join("; "))));
        }
        Some(Err(why)) => lines.push(Line::new("preview", why)),
        None => {}
    }
    lines
}

fn run(app: &App) -> Vec<Line> {
    let columns = &app.columns;
    let Some(column) = columns.focused() else { return vec![Line::new("screen", "nothing is open")] };
    let which =
        if columns.len() > 1 { format!(", column {}", place(columns.focus(), columns.len())) } else { String::new() };
    let mut lines = vec![Line::new("column", format!("{}{which}", column.label))];
    let active = app.job_of(columns.focus()).is_some_and(crate::state::jobs::Job::active);
    lines.push(Line::new("standing", standing(app, column)));
    if column.changed {
        lines.push(Line::new("file", "its file has changed"));
    }
    lines.extend(parameter(app, column));
    if columns.frozen() {
        lines.push(Line::new("frozen", "frozen: the run goes on"));
    }
    let Some(key) = columns.keys().get(columns.pane_index()) else { return lines };
    let number = format!("Pane {}", place(columns.pane_index(), columns.keys().len()));
    let Some(pane) = columns.pane() else {
        lines.push(Line::new("pane", format!("{number}: not in this run")));
        return lines;
    };
    let text = format!("{number}. {}", in_words(pane));
    // What grows while it runs, or plays, is said when it is looked at and when it is over.
    let moves = active || (app.playing && pane.movie.is_some());
    let mark = if moves { format!("{} {key}", columns.focus()) } else { text.clone() };
    lines.push(Line { about: "pane", text, mark });
    if !pane.warnings.is_empty() {
        lines.push(Line::new("warning", format!("Warning: {}", pane.warnings.join("; "))));
    }
    lines.extend(zoom(app, pane).map(|text| Line::new("zoom", text)));
    if app.views.cross_on {
        lines.extend(readout::of(app, pane).map(|values| Line::new("values", values.join(", "))));
    }
    lines
}

/// The chosen value of the panel, if that is open, and what is typed there.
fn parameter(app: &App, column: &Column) -> Vec<Line> {
    let Some(panel) = &app.panel else { return Vec::new() };
    let hits = panel.hits(&column.bench);
    let index = panel.index(&hits);
    let Some(value) = hits.get(index) else {
        let text = if column.bench.list.is_none() { "reading the scenario" } else { "no parameter is called so" };
        return vec![Line::new("parameter", text)];
    };
    let shown = column.bench.shown(&value.path);
    let text = shown.as_deref().map_or("not set", crate::state::source::unquoted);
    let bounds = if value.bounds.is_empty() { String::new() } else { format!(", {}", value.bounds) };
    let mut lines = vec![Line::new(
        "parameter",
        format!("Parameter {}: {}: {text}. {}{bounds}", place(index, hits.len()), value.path, value.about),
    )];
    if let Some(refused) = column.bench.refused.as_ref().filter(|r| r.path == value.path) {
        lines.push(Line::new("refused", format!("refused: {}", refused.why)));
    }
    if let Some((_, typed)) = &panel.typing {
        lines.push(Line::new("typed", format!("typing: {typed}")));
    }
    if column.bench.stale {
        lines.push(Line::new("stale", "changed and not run yet: Enter runs it"));
    }
    lines
}

/// A pane in one line; of a text all of it.
fn in_words(pane: &Pane) -> String {
    match pane.shape.shape {
        Shape::Card(_) => format!("{}\n{}", pane.title, describe::table(pane)),
        _ => describe::line(pane),
    }
}

/// How the run of a column stands. Progress is told in tenths.
fn standing(app: &App, column: &Column) -> String {
    if let Some(job) = app.jobs.get(column.job).filter(|j| j.active()) {
        let (stage, fraction) = (job.words(), job.progress.fraction);
        let tenths = (fraction * 10.0).floor() * 10.0;
        return if fraction > 0.0 { format!("{stage}, {tenths} %") } else { stage.to_owned() };
    }
    if let Some(why) = &column.error {
        return format!("failed: {why}");
    }
    let Some(content) = column.content() else {
        let stopped = app.jobs.get(column.job).is_some_and(|j| j.state == JobState::Stopped);
        return if stopped { STOPPED_EARLY } else { "nothing to show yet" }.to_owned();
    };
    let status = match content.status {
        Some(Status::Failed) => format!("failed: {}", content.failure.as_deref().unwrap_or("no reason given")),
        Some(Status::Interrupted) => "stopped before its end".to_owned(),
        Some(Status::Complete) => "done".to_owned(),
        None => "running".to_owned(),
    };
    match content.expected() {
        Some((passed, all)) => format!("{status}, {passed} of {all} expectations hold"),
        None => status,
    }
}

/// The stretch that is shown, where it is not all.
fn zoom(app: &App, pane: &Pane) -> Option<String> {
    let chosen = app.views.get(&pane.key);
    let zoomed =
        (app.linked(pane) && app.views.time.is_some()) || chosen.is_some_and(|v| v.x.is_some() || v.y.is_some());
    let ranges = pane.ranges(&app.view_of(pane)).filter(|_| zoomed)?;
    let (x, y) = pane.shape.shape.axes();
    let stretch = |axis: &Axis, (from, to): (f64, f64)| {
        format!("{} {} to {}", axis.label, short(from), with_unit(to, &axis.unit))
    };
    let all: Vec<String> = x.map(|x| stretch(x, ranges.x)).into_iter().chain(y.map(|y| stretch(y, ranges.y))).collect();
    Some(format!("zoomed: {}", all.join(", ")))
}

/// A command with its keys and what it does.
fn command(app: &App, command: &Command) -> String {
    let keys = app.keymap.keys_text(command.binding.id);
    let keys = if keys.is_empty() { String::new() } else { format!("{keys}: ") };
    format!("{keys}{}: {}", command.title, command.help)
}

fn over(app: &App, overlay: &Overlay) -> String {
    let typed = |query: &str| if query.is_empty() { String::new() } else { format!(" with `{query}`") };
    match overlay {
        Overlay::Help { query, .. } => {
            let all = explained(app, query).into_iter().map(|c| command(app, c));
            format!("Keys and commands{}; typing searches, Esc closes\n{}", typed(query), lined(all))
        }
        Overlay::Palette { query, selected } => {
            let found = offered(app, query);
            let head = format!("Commands{}", typed(query));
            match found.get(*selected) {
                Some((call, _)) => {
                    format!("{head}, {}: {}", place(*selected, found.len()), command(app, &COMMANDS[call.row]))
                }
                None => format!("{head}: no such command"),
            }
        }
        Overlay::Difference { query, scroll, order } => match compare::of(&app.columns, query, *order) {
            Some(d) => {
                let rows = d.rows.iter().skip(*scroll).take(ROWS).map(difference);
                format!("{} against {}. {}\n{}", d.labels[1..].join(" and "), d.labels[0], d.words, lined(rows))
            }
            None => "differences can be told when both runs are over".to_owned(),
        },
        Overlay::Jobs { selected } => {
            let list = app.jobs.list();
            let Some(job) = list.get(*selected) else { return "Jobs: nothing ran yet".to_owned() };
            let state = match &job.state {
                JobState::Running => "running",
                JobState::Stopping => "stopping",
                JobState::Done => "done",
                JobState::Stopped => "stopped",
                JobState::Failed(why) => why,
            };
            format!("Jobs, {}: {}, {state}", place(*selected, list.len()), job.label)
        }
        Overlay::Log { up } => {
            let lines = app.log.lines();
            let end = lines.len().saturating_sub(*up);
            let shown = lines[end.saturating_sub(ROWS)..end].iter().map(|l| l.text.clone());
            if lines.is_empty() { "Log: nothing to tell".to_owned() } else { format!("Log\n{}", lined(shown)) }
        }
        Overlay::Points { rows, query, selected } => {
            let found = points_found(rows, query);
            let head = format!("Points of the sweep{}", typed(query));
            match found.get(*selected) {
                Some(k) => {
                    format!("{head}, {}: {}; Enter opens it", place(*selected, found.len()), rows[*k].label)
                }
                None => format!("{head}: no such point"),
            }
        }
        Overlay::Export { selected } => {
            let (_, key, title, gives) = EXPORTS[(*selected).min(EXPORTS.len() - 1)];
            format!("Export, {}: {key}: {title}: {gives}; Enter writes", place(*selected, EXPORTS.len()))
        }
        Overlay::Quit => format!("{} y quits, n stays", what_is_lost(&app.jobs, &app.columns)),
    }
}

fn lined(rows: impl Iterator<Item = String>) -> String {
    rows.collect::<Vec<_>>().join("\n")
}

/// A row of the table of differences.
fn difference(row: &DifferenceRow) -> String {
    let unit = spikedeck_core::number::unit_text(&row.unit);
    let unit = if unit.is_empty() { unit } else { format!(" {unit}") };
    let values: Vec<String> = row.values.iter().map(|v| shown_or_missing(*v)).collect();
    let mut text = format!("{}: {}{unit}", row.metric, values.join(" and "));
    for k in 1..row.values.len() {
        let interval = row.intervals[k].map_or_else(String::new, |(low, high)| {
            let clear = if row.clear[k] { ", clearly" } else { "" };
            format!(" {}{clear}", spikedeck_core::number::interval(low, high))
        });
        let _ = write!(text, ", difference {}{interval}", shown_or_missing(row.differences[k]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{app, press, running};

    #[test]
    fn only_what_is_new_is_said() {
        let (mut app, mut reader) = (running((120, 40)), Reader::default());
        let first = reader.news(&app);
        assert!(first.starts_with("adex-patterns\r\ndone, 1 of 1 expectations hold\r\nPane 1 of "), "{first}");
        assert!(first.contains("Spikes: exc: 200 spikes of 20 units, from 0 to 1,000 ms\r\n"), "{first}");
        assert_eq!(reader.news(&app), "", "nothing changed");
        press(&mut app, "tab");
        let second = reader.news(&app);
        assert!(second.starts_with("Pane 2 of ") && !second.contains("Spikes: exc"), "{second}");
        reader.forget();
        assert!(reader.news(&app).starts_with("adex-patterns\r\ndone"), "all is said again");
    }

    #[test]
    fn what_lies_over_the_screen_is_said_row_by_row_and_then_the_pane_again() {
        let (mut app, mut reader) = (running((120, 40)), Reader::default());
        reader.news(&app);
        press(&mut app, "e");
        assert_eq!(
            reader.news(&app),
            "Export, 1 of 9: s: Pane as SVG: a vector figure, as the pane is zoomed now; Enter writes\r\n"
        );
        press(&mut app, "down");
        assert!(reader.news(&app).starts_with("Export, 2 of 9: p: Pane as PNG"));
        press(&mut app, "esc");
        assert!(reader.news(&app).starts_with("adex-patterns\r\ndone"));
        press(&mut app, "?");
        let help = reader.news(&app);
        assert!(help.starts_with("Keys and commands") && help.lines().count() > COMMANDS.len(), "{help}");
    }

    #[test]
    fn the_crosshair_says_its_values() {
        let (mut app, mut reader) = (running((120, 40)), Reader::default());
        let spectrum = app.columns.keys().iter().position(|k| k == "psd/spectrum").unwrap();
        app.columns.focus_pane(spectrum);
        press(&mut app, "c home");
        assert!(reader.news(&app).contains("largest at 10 Hz"));
        press(&mut app, "right");
        let values = reader.news(&app);
        assert!(values.starts_with("frequency "), "{values}");
        assert_eq!(values.lines().count(), 1, "the pane is the same as before: {values}");
        press(&mut app, "+");
        assert!(reader.news(&app).contains("zoomed: frequency "), "the stretch that is shown");
    }

    #[test]
    fn the_gallery_says_the_chosen_entry() {
        let (mut app, mut reader) = (app((80, 24)), Reader::default());
        let first = reader.news(&app);
        assert!(first.starts_with("Gallery of ") && first.contains("\r\n1 of "), "{first}");
        press(&mut app, "down");
        let second = reader.news(&app);
        assert!(second.starts_with("2 of "), "{second}");
    }
}
