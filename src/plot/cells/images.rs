//! Images as half blocks (two colours a cell), matrices as blocks with digits.

use super::axes::{shade, short};
use super::layout::Placed;
use super::{Look, Marker};
use crate::colour::{Colour, Depth, Role, Style, to_rgb};
use crate::grid::{CellGrid, columns};
use crate::scene::ImageMark;
use crate::ticks::at_fraction;

/// Indices of the entries under a stretch of an axis: at least the one under its middle.
fn under(low: f64, high: f64, edges: (f64, f64), count: usize) -> Option<std::ops::Range<usize>> {
    let index = |v: f64| (v - edges.0) / (edges.1 - edges.0) * count as f64;
    let (a, b) = (index(low), index(high));
    let (a, b) = (a.min(b), a.max(b));
    let middle = f64::midpoint(a, b);
    if !middle.is_finite() || middle < 0.0 || middle >= count as f64 {
        return None;
    }
    let nearest = middle as usize;
    let (from, to) = (a.round().max(0.0) as usize, (b.round().max(0.0) as usize).min(count));
    if from < to { Some(from..to) } else { Some(nearest..nearest + 1) }
}

/// Mean of the entries with values in a block.
fn mean(image: &ImageMark<'_>, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> f64 {
    let (mut sum, mut count) = (0.0, 0u32);
    for c in columns {
        for r in rows.clone() {
            let v = image.get(c, r);
            if v.is_finite() {
                sum += v;
                count += 1;
            }
        }
    }
    if count == 0 { f64::NAN } else { sum / f64::from(count) }
}

/// Paints an image into the data area; a cell shows the pixel above and the pixel below. `clip` are cell columns.
pub(crate) fn image(image: &ImageMark<'_>, placed: &Placed, clip: (usize, usize), grid: &mut CellGrid, look: &Look) {
    let area = placed.area;
    if image.width == 0 || image.height == 0 {
        return;
    }
    let part = |k: usize, n: usize| k as f64 / n as f64;
    let y_edge = |k: usize| {
        let p = part(k, area.height * 2);
        at_fraction(if placed.y_inverted { p } else { 1.0 - p }, placed.y, placed.y_log)
    };
    let rows: Vec<_> = (0..area.height * 2).map(|k| under(y_edge(k), y_edge(k + 1), image.y, image.height)).collect();
    let plain = look.palette.depth == Depth::None;
    for column in clip.0..clip.1.min(area.width) {
        let x_edge = |k: usize| at_fraction(part(k, area.width), placed.x, placed.x_log);
        let Some(across) = under(x_edge(column), x_edge(column + 1), image.x, image.width) else { continue };
        for row in 0..area.height {
            let value =
                |r: &Option<std::ops::Range<usize>>| r.clone().map_or(f64::NAN, |r| mean(image, across.clone(), r));
            let (top, bottom) = (value(&rows[2 * row]), value(&rows[2 * row + 1]));
            let (x, y) = (area.x + column, area.y + row);
            if plain {
                let both = match (top.is_finite(), bottom.is_finite()) {
                    (true, true) => f64::midpoint(top, bottom),
                    (true, false) => top,
                    _ => bottom,
                };
                if both.is_finite() {
                    grid.set(
                        x,
                        y,
                        shade(image.place(both), image.diverging, look.marker == Marker::Ascii),
                        Style::default(),
                    );
                }
                continue;
            }
            let colour = |v: f64| v.is_finite().then(|| look.palette.value(image.place(v), image.diverging));
            let (ch, fg, bg) = match (colour(top), colour(bottom)) {
                (Some(a), Some(b)) if a == b => (' ', Colour::Default, a),
                (Some(a), Some(b)) if look.marker != Marker::Ascii => ('▀', a, b),
                (Some(a), _) if look.marker == Marker::Ascii => (' ', Colour::Default, a),
                (Some(a), None) => ('▀', a, Colour::Default),
                (None, Some(b)) => ('▄', b, Colour::Default),
                _ => continue,
            };
            grid.set(x, y, ch, Style { fg, bg, ..Style::default() });
        }
    }
}

/// Black or white, whichever is read better on a colour.
fn readable(on: Colour) -> Colour {
    let (r, g, b) = to_rgb(on, (0, 0, 0));
    let light = 0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b);
    match on {
        Colour::Rgb(..) => {
            if light > 120.0 {
                Colour::Rgb(0, 0, 0)
            } else {
                Colour::Rgb(255, 255, 255)
            }
        }
        Colour::Default => Colour::Default,
        _ => {
            if light > 120.0 {
                Colour::Indexed(16)
            } else {
                Colour::Indexed(231)
            }
        }
    }
}

/// Digits that fit into `room` columns, or nothing.
fn digits(value: f64, step: f64, room: usize) -> Option<String> {
    let mut step = step;
    for _ in 0..4 {
        let mut text = short(value, step);
        if columns(&text) > room {
            text = text.replacen("0.", ".", 1);
        }
        if columns(&text) <= room {
            return Some(text);
        }
        step *= 10.0;
    }
    None
}

/// Paints a matrix: blocks of whole cells where entries are two columns wide, with digits where they fit and a mark on
/// significant entries; else as an image.
pub(crate) fn matrix(m: &ImageMark<'_>, placed: &Placed, grid: &mut CellGrid, look: &Look) {
    let area = placed.area;
    image(m, placed, (0, area.width), grid, look);
    let (span_x, span_y) = (placed.x.1 - placed.x.0, placed.y.1 - placed.y.0);
    let (across, down) = (area.width as f64 / span_x, area.height as f64 / span_y);
    if across < 2.0 || down < 1.0 {
        return;
    }
    let step = (m.z.1 - m.z.0) / 100.0;
    for row in 0..m.height {
        let Some(y) = placed.row_of(row as f64 + 0.5) else { continue };
        for column in 0..m.width {
            let Some(x) = placed.column_of(column as f64 + 0.5) else { continue };
            let value = m.get(column, row);
            let starred = m.significant.is_some_and(|s| s.get(row * m.width + column).copied().unwrap_or(false));
            let place = m.place(value);
            let ground = look.palette.value(place, m.diverging);
            let style = Style {
                fg: if value.is_finite() { readable(ground) } else { look.palette.colour(Role::Dim) },
                ..Style::default()
            };
            let star = if look.marker == Marker::Ascii { '*' } else { '•' };
            let room = (across as usize).saturating_sub(1 + usize::from(m.significant.is_some()));
            let text = if value.is_finite() {
                if room >= 3 { digits(value, step, room) } else { None }
            } else {
                Some("·".to_owned())
            };
            let mut text = text.unwrap_or_default();
            if starred {
                text.push(star);
            }
            let width = columns(&text);
            if width == 0 {
                continue;
            }
            let left = (x + 1).saturating_sub(width.div_ceil(2)).max(area.x);
            let middle = grid.get(left, y).map_or(ground, |c| c.style.bg);
            if look.palette.depth == Depth::None {
                grid.text(left, y, &text, Style { bold: starred, ..Style::default() }, width);
            } else {
                for k in 0..width {
                    let bg = if value.is_finite() { ground } else { middle };
                    grid.set(left + k, y, ' ', Style { bg, ..Style::default() });
                }
                grid.text(left, y, &text, Style { bold: starred, ..style }, width);
            }
        }
    }
}
