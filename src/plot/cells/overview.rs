//! The whole of what is seen a part of: one row below the axis, how high the curve reaches, and where the part is.

use super::{Look, Marker};
use crate::colour::{Role, Style};
use crate::grid::{Area, CellGrid};
use crate::reduce;
use crate::scene::{CurveMark, Mark, Panel, Plot};
use crate::ticks::at_fraction;

/// Least height of a plot that has it.
const LEAST: usize = 9;

/// Rows that it takes of a plot of a size.
pub(super) fn rows(plot: &Plot<'_>, width: usize, height: usize) -> usize {
    usize::from(plot.whole.is_some() && height >= LEAST && width >= 24)
}

/// The greatest value in each column over the whole, from 0 to 1; nothing where there are no samples.
fn heights(curves: &[&CurveMark<'_>], whole: (f64, f64), width: usize) -> Vec<Option<f64>> {
    let edge = |k: usize| at_fraction(k as f64 / width as f64, whole, false);
    let mut all = vec![reduce::Extremes::NONE; width];
    for c in curves {
        for column in reduce::columns(c.x, c.y, c.pyramid, width, edge) {
            all[column.index] = all[column.index].and(column.extremes);
        }
    }
    let whole = all.iter().fold(reduce::Extremes::NONE, |a, b| a.and(*b));
    let span = whole.max - whole.min;
    let height =
        |e: &reduce::Extremes| e.range().map(|(_, high)| if span > 0.0 { (high - whole.min) / span } else { 0.0 });
    all.iter().map(height).collect()
}

/// Paints it into a row.
pub(super) fn paint(panel: &Panel<'_>, whole: (f64, f64), row: Area, grid: &mut CellGrid, look: &Look) {
    const BLOCKS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];
    const ASCII: [char; 4] = ['_', '.', ':', '!'];
    let curves: Vec<&CurveMark<'_>> = panel
        .marks
        .iter()
        .filter_map(|m| if let Mark::Curve(c) = m { Some(c) } else { None })
        .filter(|c| c.ascending && matches!(c.role, Role::Series(_)))
        .collect();
    let place = |v: f64| ((v - whole.0) / (whole.1 - whole.0) * row.width as f64).clamp(0.0, row.width as f64);
    let from = (place(panel.x.range.0) as usize).min(row.width.saturating_sub(1));
    let to = (place(panel.x.range.1).ceil() as usize).clamp(from + 1, row.width.max(1));
    let ascii = look.marker == Marker::Ascii;
    for (column, height) in heights(&curves, whole, row.width).into_iter().enumerate() {
        let is_seen = (from..to).contains(&column);
        let set: &[char] = if ascii { &ASCII } else { &BLOCKS };
        let ch = height.map_or(' ', |h| set[((h * set.len() as f64) as usize).min(set.len() - 1)]);
        let style = look.palette.style(if is_seen { Role::Accent } else { Role::Axis });
        // Where nothing is coloured the part that is seen is underlined: a reversed block would be solid.
        grid.set(
            row.x + column,
            row.y,
            ch,
            Style { dim: !is_seen, bold: is_seen, reverse: false, underline: is_seen, ..style },
        );
    }
}
