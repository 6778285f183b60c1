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

/// What a block shows: the entry that lies farthest from the middle of the whole image, which is the mean of all. A
/// mean of the block would take peaks away that are narrower than a cell, and with them what the picture is looked at
/// for.
fn outstanding(
    image: &ImageMark<'_>,
    middle: f64,
    columns: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
) -> f64 {
    let mut found = f64::NAN;
    for c in columns {
        for r in rows.clone() {
            let v = image.get(c, r);
            if v.is_finite() && (found.is_nan() || (v - middle).abs() > (found - middle).abs()) {
                found = v;
            }
        }
    }
    found
}

/// Mean of all entries that have a value.
fn mean(image: &ImageMark<'_>) -> f64 {
    let finite = image.values.iter().filter(|v| v.is_finite());
    let (sum, count) = finite.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
    sum / count
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
    let middle = mean(image);
    for column in clip.0..clip.1.min(area.width) {
        let x_edge = |k: usize| at_fraction(part(k, area.width), placed.x, placed.x_log);
        let Some(across) = under(x_edge(column), x_edge(column + 1), image.x, image.width) else { continue };
        for row in 0..area.height {
            let value = |r: &Option<std::ops::Range<usize>>| {
                r.clone().map_or(f64::NAN, |r| outstanding(image, middle, across.clone(), r))
            };
            let (top, bottom) = (value(&rows[2 * row]), value(&rows[2 * row + 1]));
            let (x, y) = (area.x + column, area.y + row);
            if plain {
                let is_below = !top.is_finite() || (bottom - middle).abs() > (top - middle).abs();
                let both = if is_below { bottom } else { top };
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

#[cfg(test)]
mod tests {
    use super::*;

    /// However few cells there are for an image, what stands out most in it is seen in the cell that it belongs to,
    /// and no cell shows what is not in it.
    #[test]
    fn peaks_are_seen_however_small_the_picture() {
        for (seed, peak) in [(1_u32, 9.0), (2, -9.0), (3, 40.0)] {
            let (width, height) = (97, 13);
            let mut values: Vec<f64> =
                (0..width * height).map(|k| f64::from((k as u32 * 7919 + seed * 31) % 100) / 100.0).collect();
            let at = (seed as usize * 211) % values.len();
            values[at] = peak;
            values[(at + 5) % (width * height)] = f64::NAN;
            let (x, y, z) = ((0.0, 1.0), (0.0, 1.0), (0.0, 1.0));
            let image = ImageMark {
                values: &values,
                width,
                height,
                x,
                y,
                z,
                diverging: false,
                by_rows: false,
                significant: None,
            };
            let middle = mean(&image);
            for (across, down) in [(1, 1), (3, 2), (20, 5), (97, 13)] {
                let part = |k: usize, of: usize, n: usize| k * n / of..(k + 1) * n / of;
                for (i, j) in (0..across).flat_map(|i| (0..down).map(move |j| (i, j))) {
                    let (columns, rows) = (part(i, across, width), part(j, down, height));
                    let seen = outstanding(&image, middle, columns.clone(), rows.clone());
                    let mut block = Vec::new();
                    columns.clone().for_each(|c| block.extend(rows.clone().map(|r| image.get(c, r))));
                    assert!(seen.is_nan() || block.contains(&seen));
                    if columns.contains(&(at / height)) && rows.contains(&(at % height)) {
                        assert_eq!(seen, peak, "{across} x {down}");
                    }
                }
            }
        }
    }
}
