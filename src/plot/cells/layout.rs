//! Where panels, axes and headers go in a given number of cells. Pure: the same size gives the same places.

use super::Marker;
use crate::grid::{Area, columns};
use crate::scene::{Mark, Panel, Plot};
use crate::ticks::{self, Tick};

/// Where a panel's data are, and what its axes show: the way from cells to data units and back.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Cells of the data.
    pub area: Area,
    /// Range of the x axis.
    pub x: (f64, f64),
    /// Range of the y axis.
    pub y: (f64, f64),
    /// Logarithmic x.
    pub x_log: bool,
    /// Logarithmic y.
    pub y_log: bool,
    /// Low end of y at the top.
    pub y_inverted: bool,
    /// Whether x is time, linked between panes.
    pub is_time: bool,
}

impl Placed {
    /// A panel's data in an area.
    pub(crate) fn of(panel: &Panel<'_>, area: Area) -> Self {
        Self {
            area,
            x: panel.x.range,
            y: panel.y.range,
            x_log: panel.x.log,
            y_log: panel.y.log,
            y_inverted: panel.y.inverted,
            is_time: panel.x.is_time,
        }
    }

    /// x at the middle of a column of the grid.
    pub fn x_at(&self, column: usize) -> f64 {
        let part = (column as f64 - self.area.x as f64 + 0.5) / self.area.width.max(1) as f64;
        ticks::at_fraction(part, self.x, self.x_log)
    }

    /// y at the middle of a row of the grid.
    pub fn y_at(&self, row: usize) -> f64 {
        let part = (row as f64 - self.area.y as f64 + 0.5) / self.area.height.max(1) as f64;
        ticks::at_fraction(if self.y_inverted { part } else { 1.0 - part }, self.y, self.y_log)
    }

    /// The column of the grid that shows `x`, if it is in view.
    pub fn column_of(&self, x: f64) -> Option<usize> {
        let part = ticks::fraction(x, self.x, self.x_log);
        cell(part, self.area.width).map(|c| self.area.x + c)
    }

    /// The row of the grid that shows `y`, if it is in view.
    pub fn row_of(&self, y: f64) -> Option<usize> {
        let part = ticks::fraction(y, self.y, self.y_log);
        cell(if self.y_inverted { part } else { 1.0 - part }, self.area.height).map(|r| self.area.y + r)
    }

    /// Distance from the left end in `pixels` across.
    pub(crate) fn across(&self, x: f64, pixels: usize) -> f64 {
        ticks::fraction(x, self.x, self.x_log) * pixels as f64
    }

    /// Distance from the top in `pixels` down.
    pub(crate) fn down(&self, y: f64, pixels: usize) -> f64 {
        let part = ticks::fraction(y, self.y, self.y_log);
        (if self.y_inverted { part } else { 1.0 - part }) * pixels as f64
    }
}

/// Which of `count` equal cells a fraction falls into.
fn cell(part: f64, count: usize) -> Option<usize> {
    (count > 0 && (-1e-9..=1.0 + 1e-9).contains(&part))
        .then(|| ((part * count as f64).max(0.0) as usize).min(count - 1))
}

/// A panel with its place and the ticks of its y axis.
pub(crate) struct Laid {
    pub(crate) placed: Placed,
    pub(crate) y_ticks: Vec<Tick>,
    /// Row of the header, if there is one.
    pub(crate) header: Option<usize>,
}

/// All panels.
pub(crate) struct Layout {
    pub(crate) panels: Vec<Laid>,
    /// Rows below the last panel: axis line, labels, title.
    pub(crate) axis_rows: usize,
    /// Whether y axes are drawn.
    pub(crate) y_axes: bool,
}

/// Ticks of an axis that may have names instead of numbers. `per` is the length of one row or column.
fn y_ticks(panel: &Panel<'_>, rows: usize) -> Vec<Tick> {
    let axis = &panel.y;
    let Some(names) = &axis.names else {
        return ticks::vertical(axis.range, axis.log, rows);
    };
    let tops = ticks::names(names, axis.range, rows as f64, |_| 1.0);
    if tops.len() == names.len() { tops } else { ticks::apart(names, axis.range, rows).unwrap_or(tops) }
}

/// Splits `width` by `height` cells from row `top` on.
pub(crate) fn layout(plot: &Plot<'_>, width: usize, height: usize, top: usize, marker: Marker) -> Layout {
    let free = height.saturating_sub(top);
    let framed = plot.panels.iter().any(|p| p.framed);
    let axis_rows = match free {
        _ if !framed || width < 16 => 0,
        0..5 => 0,
        5..8 => 1,
        8..14 => 2,
        _ => 3,
    };
    let body = free - axis_rows.min(free);
    let shown = if plot.panels.len() > 1 && body < 9 { 1 } else { plot.panels.len() };
    let panels = &plot.panels[..shown];
    let total: f64 = panels.iter().map(|p| p.share).sum();
    let mut heights: Vec<usize> =
        panels.iter().map(|p| ((p.share / total) * body as f64).round().max(1.0) as usize).collect();
    if let Some(last) = heights.len().checked_sub(1) {
        let before: usize = heights[..last].iter().sum();
        heights[last] = body.saturating_sub(before);
    }
    let headers: Vec<bool> = heights.iter().enumerate().map(|(k, &h)| has_header(plot, k, h, width)).collect();
    let y_axes = framed && width >= 24 && free >= 3;
    let ticks: Vec<Vec<Tick>> = panels
        .iter()
        .zip(&heights)
        .zip(&headers)
        .map(
            |((p, &h), &header)| {
                if y_axes && p.framed { y_ticks(p, h.saturating_sub(usize::from(header))) } else { Vec::new() }
            },
        )
        .collect();
    let widest = ticks.iter().flatten().map(|t| columns(&t.label)).max().unwrap_or(0).min(width / 4);
    let left = if y_axes { widest + 1 } else { 0 };
    let mut row = top;
    let mut laid = Vec::with_capacity(shown);
    for (((panel, h), header), y_ticks) in panels.iter().zip(heights).zip(headers).zip(ticks) {
        let skip = usize::from(header);
        let right = usize::from(y_axes && width > 40);
        let mut area =
            Area { x: left, y: row + skip, width: width.saturating_sub(left + right), height: h.saturating_sub(skip) };
        whole_entries(panel, &mut area);
        let mut place = Placed::of(panel, area);
        let mut y_ticks = y_ticks;
        if plot.equal && panel.framed {
            proportion(&mut place.area, place.x.1 - place.x.0, place.y.1 - place.y.0);
            if y_axes {
                y_ticks = self::y_ticks(panel, place.area.height);
            }
        } else if plot.equal {
            equalise(&mut place, marker);
        }
        laid.push(Laid { placed: place, y_ticks, header: header.then_some(row) });
        row += h;
    }
    Layout { panels: laid, axis_rows, y_axes }
}

fn has_header(plot: &Plot<'_>, panel: usize, height: usize, width: usize) -> bool {
    let p = &plot.panels[panel];
    let anything = !p.y.title.is_empty() || (panel == 0 && (!plot.legend.is_empty() || plot.colour_bar.is_some()));
    anything && height >= 4 && width >= 12
}

/// A matrix gets whole cells for each entry, so that all entries are the same size.
fn whole_entries(panel: &Panel<'_>, area: &mut Area) {
    let Some(Mark::Image(image)) = panel.marks.iter().find(|m| matches!(m, Mark::Image(i) if i.by_rows)) else {
        return;
    };
    let whole = panel.x.range == image.x && panel.y.range == image.y;
    if !whole || image.width == 0 || image.height == 0 {
        return;
    }
    let across = (area.width / image.width).min(12);
    let down = area.height / image.height;
    if across >= 2 && down >= 1 {
        area.width = across * image.width;
        area.height = down.min((across / 2).max(1)) * image.height;
    }
}

/// Takes from an area what is too wide or too high for one unit to be as long across as down (a cell is twice as high
/// as wide).
fn proportion(area: &mut Area, across: f64, down: f64) {
    let shape = across / down;
    if !(shape.is_finite() && shape > 0.0) {
        return;
    }
    let width = (2.0 * area.height as f64 * shape).round() as usize;
    if width <= area.width {
        area.width = width.max(1);
    } else {
        area.height = ((area.width as f64 / shape / 2.0).round() as usize).clamp(1, area.height.max(1));
    }
}

/// Stretches the wider axis so that one unit is as long across as down (a cell is twice as high as wide).
fn equalise(p: &mut Placed, _marker: Marker) {
    let (across, down) = (p.area.width as f64, 2.0 * p.area.height as f64);
    if across < 1.0 || down < 1.0 {
        return;
    }
    // Names stand beside the nodes on the left and right.
    let per = ((p.x.1 - p.x.0) / (across * 0.75).max(1.0)).max((p.y.1 - p.y.0) / down);
    let widen = |(low, high): (f64, f64), length: f64| {
        let middle = f64::midpoint(low, high);
        (middle - per * length / 2.0, middle + per * length / 2.0)
    };
    p.x = widen(p.x, across);
    p.y = widen(p.y, down);
}
