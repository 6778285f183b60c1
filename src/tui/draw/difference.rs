//! The table of all columns: a row a metric, a column a run, and what differs from the first.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

use crate::draw::cells::line;
use crate::draw::overlay::{ListRow, frame, query_line, rows};
use crate::number::{MISSING, fit, short, shown_or_missing};
use crate::state::app::App;
use crate::state::compare::{self, DifferenceRow, Differences, Order};
use crate::state::layout::{dialog, part};
use spikedeck_core::number::{interval as interval_text, p_value, unit_text};

/// Cells of a number.
const NUMBER: usize = 10;
/// Cells of an interval.
const INTERVAL: usize = 24;
/// Cells of a p-value, and of the size of an effect.
const P: usize = 8;

/// Draws the table.
pub fn draw(app: &App, buf: &mut Buffer, query: &str, scroll: usize, order: Order) {
    let t = &app.theme;
    let height = app.size.1.saturating_sub(2);
    let Some(d) = compare::of(&app.columns, query, order) else {
        let area = dialog(app.size, 60, 5);
        let inner = frame(app, buf, area, "Differences", "Esc close");
        line(buf, inner, &[("differences can be told when two runs are over", t.dim)]);
        return;
    };
    let area = dialog(app.size, 118, height.min(d.rows.len() as u16 + 9).max(12));
    let names: Vec<String> = d.letters.iter().zip(&d.labels).map(|(l, name)| format!("{l} {name}")).collect();
    let title = format!("{} against {}", names[1..].join(", "), names[0]);
    let foot = format!("{} · Tab orders · ↑ ↓ scroll · Esc close", order.words(&d.letters));
    let inner = frame(app, buf, area, &title, &foot);
    let width = usize::from(inner.width);
    let mut top = 0;
    for l in spikedeck_plot::grid::wrap(&d.words, width) {
        line(buf, part(inner, 0, top, inner.width, 1), &[(&l, t.strong)]);
        top += 1;
    }
    let below =
        query_line(app, buf, part(inner, 0, top, inner.width, inner.height - top.min(inner.height)), query, "search");
    let columns = Columns::of(&d, width);
    line(buf, part(below, 0, 0, below.width, 1), &[(&columns.head(&d), t.dim)]);
    let list = part(below, 0, 1, below.width, below.height.saturating_sub(2));
    let all: Vec<ListRow> = d.rows.iter().map(|r| (columns.row(app, r), false)).collect();
    rows(app, buf, list, &all, scroll.min(all.len().saturating_sub(usize::from(list.height))));
    let mut legend = format!("● the interval of the difference to {} excludes zero", d.letters[0]);
    if columns.has_effect {
        legend.push_str(" · g_z: mean difference over its standard deviation across seeds");
    }
    legend.push_str(" · e d writes the table");
    line(buf, part(inner, 0, inner.height.saturating_sub(1), inner.width, 1), &[(&legend, t.dim)]);
}

/// What there is room for.
struct Columns {
    name: usize,
    runs: usize,
    /// Two runs have their difference written out.
    has_difference: bool,
    has_interval: bool,
    has_p: bool,
    /// Differences are paired over seeds.
    has_effect: bool,
}

impl Columns {
    fn of(d: &Differences, width: usize) -> Self {
        // A mark stands before each number.
        let runs = d.labels.len().min(width.saturating_sub(14) / (NUMBER + 2)).max(1);
        let has_difference = d.labels.len() == 2 && runs == 2;
        let numbers = runs * (NUMBER + 2) + if has_difference { NUMBER + 1 } else { 0 } + 9;
        let name =
            d.rows.iter().map(|r| r.metric.width()).max().unwrap_or(6).min(width.saturating_sub(numbers).max(12));
        let has_p = has_difference && width >= name + numbers + P;
        let paired = d.rows.iter().any(|r| r.effects[1].is_some());
        let has_effect = has_p && paired && width >= name + numbers + 2 * P;
        let extra = P * (usize::from(has_p) + usize::from(has_effect));
        let has_interval = has_difference && width >= name + numbers + extra + INTERVAL;
        Self { name, runs, has_difference, has_interval, has_p, has_effect }
    }

    fn head(&self, d: &Differences) -> String {
        let mut head = format!("{:<n$}", "metric", n = self.name);
        for letter in d.letters.iter().take(self.runs) {
            let _ = write!(head, "  {letter:>NUMBER$}");
        }
        if self.has_difference {
            let _ = write!(head, " {:>NUMBER$}", format!("{} − {}", d.letters[1], d.letters[0]));
        }
        if self.has_interval {
            let _ = write!(head, "  {:<i$}", "interval", i = INTERVAL - 2);
        }
        if self.has_p {
            let _ = write!(head, "{:>P$}", "p adj");
        }
        if self.has_effect {
            let _ = write!(head, "{:>P$}", "g_z");
        }
        head + "  unit"
    }

    fn row(&self, app: &App, r: &DifferenceRow) -> Vec<(String, ratatui::style::Style)> {
        let t = &app.theme;
        let style = if r.is_clear() { t.text } else { t.dim };
        let mut pieces = vec![(format!("{:<n$}", fit(&r.metric, self.name), n = self.name), style)];
        for k in 0..self.runs {
            let is_clear = r.clear.get(k).copied().unwrap_or(false);
            pieces.push((if is_clear { " ●" } else { "  " }.to_owned(), t.accent));
            let value = shown_or_missing(r.values.get(k).copied().flatten());
            pieces.push((format!("{value:>NUMBER$}"), if is_clear { t.strong } else { style }));
        }
        if self.has_difference {
            let difference = r.differences[1]
                .map_or_else(|| MISSING.to_owned(), |v| if v > 0.0 { format!("+{}", short(v)) } else { short(v) });
            pieces.push((format!(" {difference:>NUMBER$}"), if r.clear[1] { t.strong } else { t.dim }));
        }
        if self.has_interval {
            let range = r.intervals[1].map_or_else(|| MISSING.to_owned(), |(low, high)| interval_text(low, high));
            pieces.push((format!("  {range:<i$}", i = INTERVAL - 2), t.dim));
        }
        if self.has_p {
            let p = r.p_values[1].map_or_else(String::new, p_value);
            pieces.push((format!("{p:>P$}"), if r.clear[1] { t.strong } else { t.dim }));
        }
        if self.has_effect {
            let effect = r.effects[1].map_or_else(String::new, short);
            pieces.push((format!("{effect:>P$}"), t.dim));
        }
        pieces.push((format!("  {}", unit_text(&r.unit)), t.dim));
        pieces
    }
}
