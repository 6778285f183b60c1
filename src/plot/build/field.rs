//! Images and matrices.

use super::curves::{page, sweep};
use super::range::{beyond, drawable};
use crate::reduce::Extremes;
use crate::scene::{ColourBar, ImageMark, Mark, Panel, PanelAxis, Plot};
use crate::view::View;
use spikedeck_signal::{Image, Matrix};

/// Range of the colours; symmetric about zero for diverging maps.
fn colours(values: &[f64], wanted: Option<(f64, f64)>, diverging: bool) -> ((f64, f64), (bool, bool)) {
    let data = Extremes::of(values);
    let (low, high) = match wanted {
        None => data.range().unwrap_or((0.0, 1.0)),
        Some(_) => drawable(wanted, data, false, 0.0),
    };
    let range = if diverging && wanted.is_none() {
        let size = low.abs().max(high.abs());
        if size > 0.0 { (-size, size) } else { (-1.0, 1.0) }
    } else if low < high {
        (low, high)
    } else {
        drawable(None, data, false, 0.0)
    };
    (range, beyond(data, range))
}

/// Outer edges of `count` cells whose first and last centres are given.
fn edges(centres: (f64, f64), count: usize) -> (f64, f64) {
    let half = if count > 1 { (centres.1 - centres.0) / (count - 1) as f64 / 2.0 } else { 0.5 };
    let (low, high) = (centres.0 - half, centres.1 + half);
    if low.is_finite() && high.is_finite() && low != high { (low, high) } else { (0.0, count.max(1) as f64) }
}

/// Planes this many times as long as wide are stretched to be seen at all.
const STRIP: f64 = 8.0;

/// Whether a picture keeps its proportions: a plane from above does, unless it is a strip. The sides that it shows.
pub(crate) fn proportions(i: &Image) -> Option<(f64, f64)> {
    let (x, y) = (edges(i.x_range, i.width), edges(i.y_range, i.height));
    let (across, down) = ((x.1 - x.0).abs(), (y.1 - y.0).abs());
    let is_plane = !i.x.is_time && i.x.unit == i.y.unit;
    (is_plane && across <= down * STRIP && down <= across * STRIP).then_some((across, down))
}

pub(crate) fn image<'a>(i: &'a Image, view: &View) -> Plot<'a> {
    let (z, z_beyond) = colours(&i.values, view.z, i.diverging);
    let (x, y) = (edges(i.x_range, i.width), edges(i.y_range, i.height));
    let data_x = Extremes::of(&[x.0, x.1]);
    let data_y = Extremes::of(&[y.0, y.1]);
    let sweep = sweep(view, data_x.max);
    let x_shown = sweep.map_or_else(|| drawable(view.x, data_x, false, 0.0), page);
    let y_shown = drawable(view.y, data_y, false, 0.0);
    // Half a cell beyond its last centre is no datum that is hidden.
    let centres = |(a, b): (f64, f64)| Extremes::of(&[a, b]);
    let mark = ImageMark {
        values: &i.values,
        width: i.width,
        height: i.height,
        x,
        y,
        z,
        diverging: i.diverging,
        by_rows: false,
        significant: None,
    };
    let panel = Panel {
        x: PanelAxis {
            title: i.x.title(),
            range: x_shown,
            is_time: i.x.is_time,
            beyond: if sweep.is_some() { (false, false) } else { beyond(centres(i.x_range), x_shown) },
            ..PanelAxis::default()
        },
        y: PanelAxis {
            title: i.y.title(),
            range: y_shown,
            beyond: beyond(centres(i.y_range), y_shown),
            ..PanelAxis::default()
        },
        marks: vec![Mark::Image(mark)],
        share: 1.0,
        framed: true,
    };
    let bar = ColourBar { title: i.value.title(), range: z, diverging: i.diverging, beyond: z_beyond };
    let equal = proportions(i).is_some();
    Plot { panels: vec![panel], colour_bar: Some(bar), sweep, equal, ..Plot::default() }
}

pub(crate) fn matrix<'a>(m: &'a Matrix, view: &View) -> Plot<'a> {
    let (z, z_beyond) = colours(&m.values, view.z, m.diverging);
    let (width, height) = (m.columns.len(), m.rows.len());
    let all = (Extremes { min: 0.0, max: width.max(1) as f64 }, Extremes { min: 0.0, max: height.max(1) as f64 });
    let names = |list: &[String]| Some(list.iter().enumerate().map(|(k, n)| (k as f64 + 0.5, n.clone())).collect());
    let x_shown = drawable(view.x, all.0, false, 0.0);
    let y_shown = drawable(view.y, all.1, false, 0.0);
    let mark = ImageMark {
        values: &m.values,
        width,
        height,
        x: (0.0, width.max(1) as f64),
        y: (0.0, height.max(1) as f64),
        z,
        diverging: m.diverging,
        by_rows: true,
        significant: m.significant.as_deref(),
    };
    let panel = Panel {
        x: PanelAxis {
            title: m.column_axis.clone(),
            range: x_shown,
            names: names(&m.columns),
            beyond: beyond(all.0, x_shown),
            ..PanelAxis::default()
        },
        y: PanelAxis {
            title: m.row_axis.clone(),
            range: y_shown,
            inverted: true,
            names: names(&m.rows),
            beyond: beyond(all.1, y_shown),
            ..PanelAxis::default()
        },
        marks: vec![Mark::Image(mark)],
        share: 1.0,
        framed: true,
    };
    let bar = ColourBar { title: m.value.title(), range: z, diverging: m.diverging, beyond: z_beyond };
    Plot { panels: vec![panel], colour_bar: Some(bar), ..Plot::default() }
}
