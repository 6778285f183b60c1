//! Tables of numbers with intervals, and text in sections.

use super::{Look, Marker};
use crate::colour::Role;
use crate::grid::{CellGrid, columns, fit, wrap};
use spikedeck_signal::ScalarRow;

/// A value with four significant digits, as people write it.
pub(crate) fn number(v: f64) -> String {
    if v.is_nan() {
        return "nan".into();
    }
    if v.is_infinite() {
        return if v > 0.0 { "inf".into() } else { "-inf".into() };
    }
    if v == 0.0 {
        return "0".into();
    }
    let size = v.abs().log10().floor();
    if !(-4.0..6.0).contains(&size) {
        let text = format!("{v:.3e}");
        return text
            .split_once('e')
            .map_or_else(String::new, |(m, e)| format!("{}e{e}", m.trim_end_matches('0').trim_end_matches('.')));
    }
    let decimals = (3.0 - size).clamp(0.0, 8.0) as usize;
    let text = format!("{v:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Subject and metric in a narrow column: the metric at the end says what the row is, the subject is what is cut.
fn measure(text: &str, most: usize) -> String {
    match text.rsplit_once(' ') {
        Some((subject, metric)) if columns(text) > most && columns(metric) + 6 <= most => {
            format!("{} {metric}", fit(subject, most - columns(metric) - 1))
        }
        _ => fit(text, most),
    }
}

/// A p-value.
fn p_text(p: f64) -> String {
    if p < 0.001 { "<0.001".into() } else { format!("{p:.3}") }
}

/// An interval on its own scale: where it starts, ends, and where value and chance stand in it.
fn whisker(row: &ScalarRow, width: usize, look: &Look) -> Vec<(char, Role)> {
    let ascii = look.marker == Marker::Ascii;
    let mut cells = vec![(' ', Role::Dim); width];
    let places: Vec<f64> = [row.value, row.chance, row.interval.map(|i| i.0), row.interval.map(|i| i.1)]
        .into_iter()
        .flatten()
        .filter(|v| v.is_finite())
        .collect();
    let (low, high) = places.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
    if width < 3 || low >= high || !(high - low).is_finite() {
        return cells;
    }
    let at = |v: f64| (((v - low) / (high - low)) * (width - 1) as f64).round().clamp(0.0, (width - 1) as f64) as usize;
    if let Some((a, b)) = row.interval.filter(|i| i.0.is_finite() && i.1.is_finite()) {
        let (a, b) = (at(a.min(b)), at(a.max(b)));
        for cell in &mut cells[a..=b] {
            *cell = (if ascii { '-' } else { '─' }, Role::Axis);
        }
        cells[a] = (if ascii { '[' } else { '├' }, Role::Axis);
        cells[b] = (if ascii { ']' } else { '┤' }, Role::Axis);
    }
    if let Some(c) = row.chance.filter(|c| c.is_finite()) {
        cells[at(c)] = (if ascii { ':' } else { '┊' }, Role::Warning);
    }
    if let Some(v) = row.value.filter(|v| v.is_finite()) {
        cells[at(v)] = (if ascii { 'o' } else { '●' }, Role::Series(0));
    }
    cells
}

struct ColumnText {
    head: &'static str,
    cells: Vec<String>,
    right: bool,
    role: Role,
    /// Columns with low numbers are placed first; those with 0 always.
    keep: u8,
}

/// Name, value, unit, interval (numbers and a small picture), chance, p, n, note; where there is no room for all, unit,
/// interval, chance, p, note, n and picture are placed in this order as far as they fit.
pub(crate) fn scalars(rows: &[ScalarRow], scroll: usize, grid: &mut CellGrid, top: usize, look: &Look) -> usize {
    const PICTURE: usize = 14;
    let width = grid.width;
    let text = |f: &dyn Fn(&ScalarRow) -> String| rows.iter().map(f).collect::<Vec<_>>();
    let optional = |v: Option<f64>| v.map(number).unwrap_or_default();
    let mut all = vec![
        ColumnText { head: "measure", cells: text(&|r| r.name.clone()), right: false, role: Role::Text, keep: 0 },
        ColumnText {
            head: "value",
            cells: text(&|r| r.value.map_or_else(|| "–".into(), number)),
            right: true,
            role: Role::Title,
            keep: 0,
        },
        ColumnText {
            head: "unit",
            cells: text(&|r| r.unit.replace("**2", "²")),
            right: false,
            role: Role::Dim,
            keep: 1,
        },
        ColumnText {
            head: "interval",
            cells: text(&|r| r.interval.map_or_else(String::new, |(a, b)| format!("[{}, {}]", number(a), number(b)))),
            right: false,
            role: Role::Text,
            keep: 2,
        },
        ColumnText { head: "chance", cells: text(&|r| optional(r.chance)), right: true, role: Role::Dim, keep: 3 },
        ColumnText {
            head: "p",
            cells: text(&|r| r.p_value.filter(|p| p.is_finite()).map(p_text).unwrap_or_default()),
            right: true,
            role: Role::Text,
            keep: 4,
        },
        ColumnText {
            head: "n",
            cells: text(&|r| r.n.map(|n| n.to_string()).unwrap_or_default()),
            right: true,
            role: Role::Dim,
            keep: 6,
        },
        ColumnText { head: "note", cells: text(&|r| r.note.clone()), right: false, role: Role::Dim, keep: 5 },
    ];
    all.retain(|c| c.keep == 0 || c.cells.iter().any(|t| !t.is_empty()));
    let natural = |c: &ColumnText| c.cells.iter().map(|t| columns(t)).max().unwrap_or(0).max(columns(c.head));
    let need = |c: &ColumnText| match c.head {
        "note" => natural(c).min(16),
        "measure" => natural(c).min(28),
        _ => natural(c),
    };
    let total = |all: &[ColumnText]| all.iter().map(need).sum::<usize>() + 2 * all.len().saturating_sub(1);
    // What matters most is placed first, and each further column only if it still fits.
    let mut by_weight: Vec<usize> = (0..all.len()).collect();
    by_weight.sort_by_key(|&k| all[k].keep);
    let mut used = 0;
    let mut fits = vec![false; all.len()];
    for k in by_weight {
        let more = need(&all[k]) + if used > 0 { 2 } else { 0 };
        fits[k] = all[k].keep == 0 || used + more <= width;
        used += if fits[k] { more } else { 0 };
    }
    let mut fits = fits.into_iter();
    all.retain(|_| fits.next().unwrap_or(false));
    let pictured = rows.iter().any(|r| r.interval.is_some() || (r.chance.is_some() && r.value.is_some()));
    let picture = pictured && total(&all) + PICTURE + 2 <= width && all.len() > 2;
    let mut spare = width.saturating_sub(total(&all) + if picture { PICTURE + 2 } else { 0 });
    let mut widths: Vec<usize> = all.iter().map(need).collect();
    for wide in ["measure", "note"] {
        if let Some(k) = all.iter().position(|c| c.head == wide) {
            let more = natural(&all[k]).saturating_sub(widths[k]).min(spare);
            widths[k] += more;
            spare -= more;
        }
    }
    if all.len() == 2 && widths.iter().sum::<usize>() + 2 > width {
        widths[0] = width.saturating_sub(widths[1] + 2);
    }
    let after = all
        .iter()
        .position(|c| c.head == "interval")
        .or_else(|| all.iter().position(|c| c.head == "unit"))
        .unwrap_or(1);
    let mut line = top;
    let headed = grid.height.saturating_sub(top) > 2;
    let mut x = 0;
    let mut starts = Vec::with_capacity(all.len());
    let mut picture_at = None;
    for (k, (c, &w)) in all.iter().zip(&widths).enumerate() {
        starts.push(x);
        if headed {
            let head = fit(c.head, w);
            let shift = if c.right { w.saturating_sub(columns(&head)) } else { 0 };
            let style = crate::colour::Style { underline: true, ..look.palette.style(Role::Dim) };
            grid.text(x + shift, line, &head, style, w);
        }
        x += w + 2;
        if picture && k == after {
            picture_at = Some(x);
            x += PICTURE + 2;
        }
    }
    line += usize::from(headed);
    let room = grid.height.saturating_sub(line);
    let first = scroll.min(rows.len().saturating_sub(room.max(1)));
    for (k, row) in rows.iter().enumerate().skip(first).take(room) {
        for ((c, &w), &x) in all.iter().zip(&widths).zip(&starts) {
            let cell = if c.head == "measure" { measure(&c.cells[k], w) } else { fit(&c.cells[k], w) };
            let shift = if c.right { w.saturating_sub(columns(&cell)) } else { 0 };
            let role = if c.head == "value" && row.value.is_none() { Role::Warning } else { c.role };
            grid.text(x + shift, line, &cell, look.palette.style(role), w);
        }
        if let Some(x) = picture_at {
            for (i, (ch, role)) in whisker(row, PICTURE, look).into_iter().enumerate() {
                grid.over(x + i, line, ch, look.palette.style(role));
            }
        }
        line += 1;
    }
    if rows.is_empty() {
        grid.text(0, line, "no values", look.palette.style(Role::Dim), width);
    }
    rows.len() + usize::from(headed)
}

/// Headings and wrapped text.
pub(crate) fn sections(
    sections: &[(String, String)],
    scroll: usize,
    grid: &mut CellGrid,
    top: usize,
    look: &Look,
) -> usize {
    let mut lines: Vec<(String, Role)> = Vec::new();
    for (k, (heading, text)) in sections.iter().enumerate() {
        if k > 0 {
            lines.push((String::new(), Role::Text));
        }
        if !heading.is_empty() {
            lines.push((heading.clone(), Role::Title));
        }
        lines.extend(wrap(text, grid.width).into_iter().map(|l| (l, Role::Text)));
    }
    let room = grid.height.saturating_sub(top);
    let first = scroll.min(lines.len().saturating_sub(room.max(1)));
    for (row, (line, role)) in lines.iter().skip(first).take(room).enumerate() {
        grid.text(0, top + row, line, look.palette.style(*role), grid.width);
    }
    let below = lines.len().saturating_sub(first + room);
    if below > 0 && room > 1 {
        let mark = format!(" ↓ {below} more ");
        let width = columns(&mark).min(grid.width);
        grid.text(grid.width - width, top + room - 1, &mark, look.palette.style(Role::Accent), width);
    }
    lines.len()
}

#[cfg(test)]
mod tests {
    use super::{measure, number};

    #[test]
    fn numbers_as_people_write_them() {
        let all = [0.0, 1.0, 12.3456, 0.012_345, 123_456.0, 1.5e9, 1e-7, -65.0, f64::NAN];
        let text: Vec<String> = all.into_iter().map(number).collect();
        assert_eq!(text, ["0", "1", "12.35", "0.01235", "123456", "1.5e9", "1e-7", "-65", "nan"]);
    }

    #[test]
    fn a_cut_name_keeps_its_metric() {
        assert_eq!(measure("exc.spikes rate", 20), "exc.spikes rate");
        assert_eq!(measure("delayed_regular_bursting.spikes mean_rate", 24), "delayed_regul… mean_rate");
        assert_eq!(measure("a.b an_endless_metric_name", 20), "a.b an_endless_metr…");
    }
}
