//! Axes, headers, legends and colour bars in cells.

use super::dots::letter;
use super::layout::{Laid, Layout};
use super::spikes::is_dense;
use super::{Look, Marker};
use crate::colour::{Depth, Role, Style};
use crate::grid::{CellGrid, columns, fit};
use crate::scene::{ColourBar, LegendEntry, Panel, Plot, Stroke};
use crate::ticks::{self, Tick};

struct Lines {
    vertical: char,
    vertical_tick: char,
    vertical_minor: char,
    horizontal: char,
    horizontal_tick: char,
    horizontal_minor: char,
    corner: char,
    up: char,
    down: char,
    left: char,
    right: char,
}

const UNICODE: Lines = Lines {
    vertical: '│',
    vertical_tick: '┤',
    vertical_minor: '├',
    horizontal: '─',
    horizontal_tick: '┬',
    horizontal_minor: '┴',
    corner: '└',
    up: '▲',
    down: '▼',
    left: '◀',
    right: '▶',
};
const ASCII: Lines = Lines {
    vertical: '|',
    vertical_tick: '+',
    vertical_minor: '-',
    horizontal: '-',
    horizontal_tick: '+',
    horizontal_minor: '\'',
    corner: '+',
    up: '^',
    down: 'v',
    left: '<',
    right: '>',
};

fn lines(look: &Look) -> &'static Lines {
    if look.marker == Marker::Ascii { &ASCII } else { &UNICODE }
}

/// The vertical axis of a panel: line, ticks, labels, and arrows where data lie outside.
pub(crate) fn vertical(panel: &Panel<'_>, laid: &Laid, grid: &mut CellGrid, look: &Look) {
    let (set, area) = (lines(look), laid.placed.area);
    if area.x == 0 || area.height == 0 {
        return;
    }
    let style = look.palette.style(Role::Axis);
    for row in 0..area.height {
        grid.set(area.x - 1, area.y + row, set.vertical, style);
    }
    for value in ticks::minor(&laid.y_ticks, panel.y.range, panel.y.log, area.height) {
        if let Some(row) = laid.placed.row_of(value) {
            grid.set(area.x - 1, row, set.vertical_minor, style);
        }
    }
    for tick in &laid.y_ticks {
        let Some(row) = laid.placed.row_of(tick.value) else { continue };
        if tick.label.is_empty() {
            continue;
        }
        grid.set(area.x - 1, row, set.vertical_tick, style);
        let text = fit(&tick.label, area.x - 1);
        grid.text(area.x - 1 - columns(&text), row, &text, style, area.x);
    }
    let warning = look.palette.style(Role::Warning);
    let (low, high) = panel.y.beyond;
    let (top, bottom) = if panel.y.inverted { (low, high) } else { (high, low) };
    if top {
        grid.set(area.x - 1, area.y, set.up, warning);
    }
    if bottom {
        grid.set(area.x - 1, area.y + area.height - 1, set.down, warning);
    }
}

fn x_ticks(panel: &Panel<'_>, length: usize) -> Vec<Tick> {
    let axis = &panel.x;
    let Some(names) = &axis.names else {
        return ticks::horizontal(axis.range, axis.log, length);
    };
    let each = (length as f64 / (axis.range.1 - axis.range.0)).max(0.0);
    let widest = names.iter().map(|n| columns(&n.1)).max().unwrap_or(0);
    // Cut names are written when every entry gets one of at least three letters; else every second, fifth, ... in full.
    let slot = (each as usize).saturating_sub(1);
    let room = if slot >= 3 { widest.min(slot) } else { widest.min(16) };
    let cut: Vec<(f64, String)> = names.iter().map(|n| (n.0, fit(&n.1, room))).collect();
    ticks::names(&cut, axis.range, length as f64, |n| columns(n) as f64 + 1.0)
}

/// The horizontal axis below the last panel.
pub(crate) fn horizontal(panel: &Panel<'_>, laid: &Laid, layout: &Layout, grid: &mut CellGrid, look: &Look) {
    let (set, area) = (lines(look), laid.placed.area);
    if layout.axis_rows == 0 || area.width == 0 {
        return;
    }
    let style = look.palette.style(Role::Axis);
    let mut row = area.y + area.height;
    let ticks = x_ticks(panel, area.width);
    if layout.axis_rows >= 2 {
        for column in 0..area.width {
            grid.set(area.x + column, row, set.horizontal, style);
        }
        if area.x > 0 {
            grid.set(area.x - 1, row, set.corner, style);
        }
        for value in ticks::minor(&ticks, panel.x.range, panel.x.log, area.width) {
            if let Some(column) = laid.placed.column_of(value) {
                grid.set(column, row, set.horizontal_minor, style);
            }
        }
        for tick in ticks.iter().filter(|t| panel.x.names.is_none() && !t.label.is_empty()) {
            if let Some(column) = laid.placed.column_of(tick.value) {
                grid.set(column, row, set.horizontal_tick, style);
            }
        }
        let warning = look.palette.style(Role::Warning);
        if panel.x.beyond.0 {
            grid.set(area.x, row, set.left, warning);
        }
        if panel.x.beyond.1 {
            grid.set(area.x + area.width - 1, row, set.right, warning);
        }
        row += 1;
    }
    let mut end = 0;
    for tick in ticks.iter().filter(|t| !t.label.is_empty()) {
        let at = laid.placed.across(tick.value, area.width);
        let width = columns(&tick.label);
        let start = ticks::label_start(at, width, area.width);
        if width <= area.width && (end == 0 || start > end.min(area.width)) {
            grid.text(area.x + start, row, &tick.label, style, area.width);
            end = start + width;
        }
    }
    let dim = look.palette.style(Role::Dim);
    let title = fit(&panel.x.title, area.width);
    let width = columns(&title);
    if layout.axis_rows >= 3 {
        grid.text(area.x + (area.width - width) / 2, row + 1, &title, dim, area.width);
    } else if width + 3 < area.width && layout.axis_rows == 2 {
        // No row of its own: the title lies over the right end of the axis line.
        grid.text(area.x + area.width - width - 1, row - 1, &title, dim, area.width);
    }
}

/// Header of a panel: y title on the left, legend or colour bar on the right.
pub(crate) fn header(plot: &Plot<'_>, index: usize, laid: &Laid, grid: &mut CellGrid, look: &Look) {
    let Some(row) = laid.header else { return };
    let panel = &plot.panels[index];
    let from = laid.placed.area.x.saturating_sub(1);
    let room = grid.width - from.min(grid.width);
    let mut used = 0;
    if let Some(bar) = plot.colour_bar.as_ref().filter(|_| index == 0) {
        colour_bar(bar, &panel.y.title, from, row, room, grid, look);
        return;
    }
    if !panel.y.title.is_empty() {
        let title = if is_dense(panel, &laid.placed, look.marker) {
            format!("{}, shaded by count", panel.y.title)
        } else {
            panel.y.title.clone()
        };
        used = grid.text(from, row, &title, look.palette.style(Role::Dim), room) + 2;
    }
    if index == 0 {
        legend(&plot.legend, row, room.saturating_sub(used), grid, look);
    }
}

fn sample(entry: &LegendEntry, look: &Look) -> String {
    if look.marker == Marker::Ascii {
        let c = letter(entry.role, true);
        return if entry.stroke == Stroke::Points { c.to_string() } else { format!("{c}{c}") };
    }
    match entry.stroke {
        Stroke::Points => letter(entry.role, false).to_string(),
        Stroke::Dashed => "╌╌".into(),
        Stroke::Box => "■".into(),
        Stroke::Line | Stroke::Steps if look.palette.depth == Depth::None => match entry.role {
            Role::Series(n) if n % 4 == 1 => "╌╌".into(),
            Role::Series(n) if n % 4 == 2 => "┄┄".into(),
            Role::Series(n) if n % 4 == 3 => "··".into(),
            _ => "──".into(),
        },
        Stroke::Line => "──".into(),
        Stroke::Steps => "┌┘".into(),
    }
}

/// Entries from the right end of a row; what does not fit is counted (`+3`).
fn legend(entries: &[LegendEntry], row: usize, room: usize, grid: &mut CellGrid, look: &Look) {
    let texts: Vec<(String, String)> = entries.iter().map(|e| (sample(e, look), fit(&e.name, 24))).collect();
    let width = |t: &(String, String)| columns(&t.0) + 1 + columns(&t.1) + 2;
    let mut shown = texts.len();
    let total =
        |shown: usize| texts[..shown].iter().map(width).sum::<usize>() + if shown < texts.len() { 4 } else { 0 };
    while shown > 0 && total(shown) > room + 2 {
        shown -= 1;
    }
    if texts.is_empty() || room < 4 {
        return;
    }
    let mut at = grid.width.saturating_sub(total(shown).saturating_sub(2));
    for (entry, (mark, name)) in entries.iter().zip(&texts).take(shown) {
        let style = look.palette.style(entry.role);
        at += grid.text(at, row, mark, style, grid.width) + 1;
        at += grid.text(at, row, name, look.palette.style(Role::Text), grid.width) + 2;
    }
    if shown < texts.len() {
        grid.text(at, row, &format!("+{}", texts.len() - shown), look.palette.style(Role::Dim), 4);
    }
}

/// Shades for values where there are no colours.
pub(crate) fn shade(t: f64, diverging: bool, ascii: bool) -> char {
    let pick = |set: &[char], t: f64| set[((t.clamp(0.0, 1.0) * set.len() as f64) as usize).min(set.len() - 1)];
    if diverging {
        let size = (t - 0.5).abs() * 2.0;
        return match (t < 0.5, ascii) {
            (true, _) => pick(&[' ', '-', '=', '~'], size),
            (false, true) => pick(&[' ', '.', '+', '#'], size),
            (false, false) => pick(&[' ', '░', '▒', '█'], size),
        };
    }
    if ascii {
        pick(&[' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'], t)
    } else {
        pick(&[' ', '░', '▒', '▓', '█'], t)
    }
}

fn colour_bar(bar: &ColourBar, y_title: &str, from: usize, row: usize, room: usize, grid: &mut CellGrid, look: &Look) {
    let step = (bar.range.1 - bar.range.0) / 100.0;
    let (low, high) = (short(bar.range.0, step), short(bar.range.1, step));
    let set = lines(look);
    let marks = usize::from(bar.beyond.0) + usize::from(bar.beyond.1);
    let fixed = columns(&low) + columns(&high) + 2 + marks;
    let title = columns(&bar.title) + 1;
    let mut length = 16usize;
    while length > 4 && fixed + length + 4 > room {
        length -= 1;
    }
    if fixed + length > room {
        return;
    }
    let with_title = fixed + length + title <= room;
    let used = fixed + length + if with_title { title } else { 0 };
    let (text, dim, warning) =
        (look.palette.style(Role::Text), look.palette.style(Role::Dim), look.palette.style(Role::Warning));
    if used + columns(y_title) + 2 <= room {
        grid.text(from, row, y_title, dim, room);
    }
    let mut at = from + room - used;
    if with_title {
        at += grid.text(at, row, &bar.title, dim, room) + 1;
    }
    at += grid.text(at, row, &low, text, room) + 1;
    if bar.beyond.0 {
        grid.set(at, row, set.left, warning);
        at += 1;
    }
    for k in 0..length {
        let t = (k as f64 + 0.5) / length as f64;
        if look.palette.depth == Depth::None {
            grid.set(at + k, row, shade(t, bar.diverging, look.marker == Marker::Ascii), text);
        } else {
            grid.set(at + k, row, ' ', Style { bg: look.palette.value(t, bar.diverging), ..Style::default() });
        }
    }
    at += length;
    if bar.beyond.1 {
        grid.set(at, row, set.right, warning);
        at += 1;
    }
    grid.text(at + 1, row, &high, text, room);
}

/// A number with about three digits of the range it stands in.
pub(crate) fn short(value: f64, step: f64) -> String {
    if step > 0.0 && step.is_finite() {
        let text = spikedeck_core::number::tick(value, step);
        if text.contains('.') && !text.contains('e') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        }
    } else {
        spikedeck_core::number::shown(value)
    }
}
