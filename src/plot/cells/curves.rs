//! Curves, bars, bands, spikes, segments and glyphs in cells.

use super::dots::{Dash, Dots, Plane, letter};
use super::layout::Placed;
use super::{Look, Marker};
use crate::colour::{Depth, Role};
use crate::reduce::{self, Column};
use crate::scene::{CurveMark, Glyph, Stroke};
use crate::ticks::at_fraction;
use spikedeck_signal::step_begin;

/// Full cells in a row that are a solid block.
const SOLID: usize = 20;

/// Ranks: who wins a shared cell.
pub(crate) fn rank(role: Role, focus: bool) -> u8 {
    match role {
        _ if focus => 6,
        Role::Chance | Role::Dim => 1,
        Role::Theory => 4,
        _ => 3,
    }
}

/// Without colours, dashes tell series apart; theory is always dashed.
fn dash(stroke: Stroke, role: Role, look: &Look) -> Option<Dash> {
    if look.marker == Marker::Ascii {
        return None;
    }
    match (stroke, role) {
        (Stroke::Dashed, _) => Some(Dash { on: 4, period: 7 }),
        (_, Role::Series(n)) if look.palette.depth == Depth::None => match n % 4 {
            1 => Some(Dash { on: 8, period: 11 }),
            2 => Some(Dash { on: 3, period: 5 }),
            3 => Some(Dash { on: 1, period: 3 }),
            _ => None,
        },
        _ => None,
    }
}

/// A canvas of cells over the data area of a panel.
pub(crate) struct Brush<'p> {
    pub(crate) plane: &'p mut Plane,
    pub(crate) placed: &'p Placed,
    pub(crate) look: &'p Look,
    /// Cell columns that may be painted (a sweep paints in two parts).
    pub(crate) clip: (usize, usize),
}

impl Brush<'_> {
    pub(super) fn dots(&self, dash: Option<Dash>) -> Dots {
        Dots::new(self.plane.cells, self.look.marker, self.clip, dash)
    }

    /// The part of an ascending curve that is in view, with one more sample on each side.
    fn visible(&self, x: &[f64]) -> (usize, usize) {
        let from = x.partition_point(|&v| v < self.placed.x.0);
        let to = x.partition_point(|&v| v <= self.placed.x.1);
        (from.saturating_sub(1), (to + 1).min(x.len()))
    }

    pub(crate) fn curve(&mut self, c: &CurveMark<'_>) {
        let mut dots = self.dots(dash(c.stroke, c.role, self.look));
        let (width, height) = dots.size();
        let (from, to) = if c.ascending { self.visible(c.x) } else { (0, c.x.len()) };
        let place = |k: usize| (self.placed.across(c.x[k], width), self.placed.down(c.y[k], height));
        let rank = rank(c.role, c.focus);
        if c.stroke == Stroke::Points {
            // Measured points stand over the theory that is drawn through them.
            let rank = rank.max(5);
            let few = to.saturating_sub(from) <= 4 * self.plane.cells.0;
            if few {
                let glyph = letter(c.role, self.look.marker == Marker::Ascii);
                for k in from..to {
                    let (x, y) =
                        (self.placed.across(c.x[k], self.plane.cells.0), self.placed.down(c.y[k], self.plane.cells.1));
                    if let Some((x, y)) = inside(x, y, self.plane.cells)
                        && x >= self.clip.0
                        && x < self.clip.1
                    {
                        self.plane.put(x, y, glyph, c.role, rank);
                    }
                }
                return;
            }
            for (x, y) in (from..to).map(place) {
                if let Some((x, y)) = inside(x, y, (width, height)) {
                    dots.set(x, y);
                }
            }
        } else if c.ascending && to - from > 2 * width {
            let all = self.columns(c, width);
            let dense = self.dense(&all, dots.size());
            self.reduced(&all, &dense, &mut dots);
            self.lay(dots, c.role, rank);
            self.envelope(c, &all, &dense);
            return;
        } else {
            for k in from..to {
                let before = k.checked_sub(1).filter(|b| *b >= from).map(place);
                let at = place(k);
                if c.stroke == Stroke::Steps {
                    let begin = self.placed.across(step_begin(c.x, k), width);
                    if let Some(before) = before {
                        dots.line((begin, before.1), (begin, at.1));
                    }
                    dots.line((begin, at.1), at);
                } else if let Some(before) = before {
                    dots.line(before, at);
                }
            }
            // Samples alone between missing ones would not show as lines.
            let finite = |k: usize| c.y.get(k).is_some_and(|v| v.is_finite());
            for k in from..to {
                if !(finite(k.wrapping_sub(1)) || finite(k + 1)) {
                    let (x, y) = place(k);
                    if let Some((x, y)) = inside(x, y, (width, height)) {
                        dots.set(x, y);
                    }
                }
            }
        }
        self.lay(dots, c.role, rank);
    }

    /// Lays the pixels of a curve; what fills whole cells in long stretches of a row is a ground instead: paths that
    /// cross themselves everywhere, clouds of points.
    pub(super) fn lay(&mut self, mut dots: Dots, role: Role, rank: u8) {
        let (across, down) = self.look.marker.pixels();
        let full = u8::try_from((1_u16 << (across * down)) - 1).unwrap_or(u8::MAX);
        let width = self.plane.cells.0;
        if self.look.marker != Marker::Ascii && width > 0 {
            for (row, line) in dots.bits.chunks_mut(width).enumerate() {
                let mut column = 0;
                for run in line.chunk_by_mut(|a, b| (*a == full) == (*b == full)) {
                    let length = run.len();
                    if run[0] == full && length >= SOLID {
                        run.fill(0);
                        (column..column + length).for_each(|c| self.plane.lay_under(c, (2 * row, 2 * row + 2), role));
                    }
                    column += length;
                }
            }
        }
        self.plane.lay(&dots, role, rank);
    }

    /// The curve in so many columns of pixels.
    fn columns(&self, c: &CurveMark<'_>, width: usize) -> Vec<Column> {
        let edge = |k: usize| at_fraction(k as f64 / width as f64, self.placed.x, self.placed.x_log);
        reduce::columns(c.x, c.y, c.pyramid, width, edge)
    }

    /// Which columns would be a solid block: in stretches of ten cells and more each shares a cell's height with the
    /// next, so that nothing of the curve could be seen but where it ends.
    fn dense(&self, all: &[Column], (_, height): (usize, usize)) -> Vec<bool> {
        let (across, down) = self.look.marker.pixels();
        let place = |c: &Column| {
            let (a, b) = (self.placed.down(c.extremes.max, height), self.placed.down(c.extremes.min, height));
            (a.min(b).floor().max(0.0), (a.max(b).floor() + 1.0).min(height as f64))
        };
        let least = down.max(2) as f64;
        let together = |a: &Column, b: &Column| {
            let (a_place, b_place) = (place(a), place(b));
            let is_there = a.extremes.range().is_some() && b.extremes.range().is_some();
            is_there && a.index + 1 == b.index && a_place.1.min(b_place.1) - a_place.0.max(b_place.0) >= least
        };
        let mut dense = vec![false; all.len()];
        let mut start = 0;
        for k in 0..all.len() {
            if k + 1 == all.len() || !together(&all[k], &all[k + 1]) {
                if k + 1 - start >= 10 * across {
                    dense[start..=k].fill(true);
                }
                start = k + 1;
            }
        }
        dense
    }

    /// Minimum and maximum of every column of pixels, where that is no solid block.
    fn reduced(&self, all: &[Column], dense: &[bool], dots: &mut Dots) {
        let height = dots.size().1;
        let mut before: Option<(usize, f64)> = None;
        for (column, is_dense) in all.iter().zip(dense) {
            if *is_dense {
                before = None;
                continue;
            }
            let (mut low, mut high) = (column.extremes.min, column.extremes.max);
            if low <= high {
                // Join with the column before, so that steep flanks have no gaps; sparse columns (a logarithmic axis)
                // by a line.
                if let Some((at, last)) = before.filter(|b| b.1.is_finite() && column.first.is_finite()) {
                    if at + 1 == column.index {
                        let middle = f64::midpoint(last, column.first);
                        (low, high) = (low.min(middle), high.max(middle));
                        dots.vertical(at, self.placed.down(last, height), self.placed.down(middle, height));
                    } else {
                        let from = (at as f64 + 0.5, self.placed.down(last, height));
                        dots.line(from, (column.index as f64 + 0.5, self.placed.down(column.first, height)));
                    }
                }
                dots.vertical(column.index, self.placed.down(high, height), self.placed.down(low, height));
            }
            before = Some((column.index, column.last));
        }
    }

    /// Where a curve would be a solid block: from its minimum to its maximum dim, and its mean as a line.
    fn envelope(&mut self, c: &CurveMark<'_>, all: &[Column], dense: &[bool]) {
        let mut dots = self.dots(None);
        let height = dots.size().1;
        let halves = 2 * self.plane.cells.1;
        let across = self.look.marker.pixels().0;
        let mut before: Option<(usize, f64)> = None;
        for (column, _) in all.iter().zip(dense).filter(|c| *c.1) {
            let (a, b) = (self.placed.down(column.extremes.max, halves), self.placed.down(column.extremes.min, halves));
            let (top, bottom) = (a.min(b).max(0.0) as usize, (a.max(b).max(0.0) as usize + 1).min(halves));
            let cell = column.index / across;
            let in_view = a.max(b) >= 0.0 && a.min(b) < halves as f64;
            if in_view && cell >= self.clip.0 && cell < self.clip.1.min(self.plane.cells.0) {
                self.plane.lay_under(cell, (top, bottom), c.role);
            }
            let mean = reduce::mean(c.y, column.samples.0, column.samples.1, c.pyramid);
            let y = self.placed.down(mean, height);
            if let Some((_, last)) = before.filter(|b| b.0 + 1 == column.index) {
                dots.vertical(column.index, last, y);
            } else {
                dots.vertical(column.index, y, y);
            }
            before = Some((column.index, y));
        }
        self.plane.lay(&dots, c.role, rank(c.role, c.focus));
    }

    /// The stretch between two curves, as the rows of each cell column: handed to `paint(column, top, bottom)`.
    pub(crate) fn band(&self, x: &[f64], low: &[f64], high: &[f64], mut paint: impl FnMut(usize, usize, usize)) {
        let length = x.len().min(low.len()).min(high.len());
        let (columns, rows) = self.plane.cells;
        if length == 0 || rows == 0 || !x[..length].is_sorted() {
            return;
        }
        for column in self.clip.0..self.clip.1.min(columns) {
            let at = at_fraction((column as f64 + 0.5) / columns as f64, self.placed.x, self.placed.x_log);
            let k = x[..length].partition_point(|&v| v < at);
            if k == 0 || k >= length {
                continue;
            }
            let part = (at - x[k - 1]) / (x[k] - x[k - 1]);
            let mix = |v: &[f64]| v[k - 1] + (v[k] - v[k - 1]) * part;
            let (top, bottom) = (self.placed.down(mix(high), rows), self.placed.down(mix(low), rows));
            let (top, bottom) = (top.min(bottom), top.max(bottom));
            if top.is_finite() && bottom.is_finite() && bottom > 0.0 && top < rows as f64 {
                paint(column, top.max(0.0) as usize, (bottom.ceil() as usize).min(rows));
            }
        }
    }

    /// Height of the bars in each column of cells, as a fraction of a row from the bottom: `paint(column, eighths)`.
    pub(crate) fn bars(&self, edges: &[f64], heights: &[f64], mut paint: impl FnMut(usize, f64, f64)) {
        let (columns, rows) = self.plane.cells;
        let base = if self.placed.y_log { self.placed.y.0 } else { 0.0f64.clamp(self.placed.y.0, self.placed.y.1) };
        for column in 0..columns {
            let edge = |k: usize| at_fraction(k as f64 / columns as f64, self.placed.x, self.placed.x_log);
            let (left, right) = (edge(column), edge(column + 1));
            let from = edges.partition_point(|&e| e <= left).saturating_sub(1);
            let to = edges.partition_point(|&e| e < right).min(heights.len());
            let all = reduce::extremes(heights, from.min(to), to, None);
            let Some((low, high)) = all.range() else { continue };
            if edges.first().is_none_or(|e| *e >= right) {
                continue;
            }
            let value = if high.abs() >= low.abs() { high } else { low };
            paint(column, self.placed.down(base, rows), self.placed.down(value, rows));
        }
    }

    /// The outline of bars.
    pub(crate) fn outline(&mut self, edges: &[f64], heights: &[f64], role: Role) {
        let mut dots = self.dots(dash(Stroke::Line, role, self.look));
        let (width, height) = dots.size();
        let base = if self.placed.y_log { self.placed.y.0 } else { 0.0 };
        let mut before = self.placed.down(base, height);
        for (pair, &h) in edges.windows(2).zip(heights) {
            let (a, b) = (self.placed.across(pair[0], width), self.placed.across(pair[1], width));
            let y = self.placed.down(if h.is_finite() { h } else { base }, height).min(height as f64 - 0.5);
            dots.line((a, before), (a, y));
            dots.line((a, y), (b, y));
            before = y;
        }
        if let Some(&last) = edges.last() {
            let x = self.placed.across(last, width);
            dots.line((x, before), (x, self.placed.down(base, height).min(height as f64 - 0.5)));
        }
        self.plane.lay(&dots, role, 4);
    }

    pub(crate) fn segments(&mut self, segments: &[[f64; 4]], role: Role, rank: u8) {
        let mut dots = self.dots(dash(Stroke::Line, role, self.look));
        let (width, height) = dots.size();
        for s in segments {
            let a = (self.placed.across(s[0], width), self.placed.down(s[1], height));
            let b = (self.placed.across(s[2], width), self.placed.down(s[3], height));
            dots.line(a, b);
        }
        self.plane.lay(&dots, role, rank);
    }

    /// Arrows of the field: one character each.
    pub(crate) fn arrows(&mut self, arrows: &[[f64; 4]]) {
        const EIGHT: [char; 8] = ['→', '↗', '↑', '↖', '←', '↙', '↓', '↘'];
        const FOUR: [char; 8] = ['>', '/', '^', '\\', '<', '/', 'v', '\\'];
        let set = if self.look.marker == Marker::Ascii { &FOUR } else { &EIGHT };
        for a in arrows {
            let (columns, rows) = self.plane.cells;
            let (x, y) = (self.placed.across(a[0], columns), self.placed.down(a[1], rows));
            let (right, up) = (a[2] / (self.placed.x.1 - self.placed.x.0), a[3] / (self.placed.y.1 - self.placed.y.0));
            let (right, up) = (right * columns as f64, up * 2.0 * rows as f64);
            if (right == 0.0 && up == 0.0) || !right.is_finite() || !up.is_finite() {
                continue;
            }
            let octant = (up.atan2(right) / std::f64::consts::FRAC_PI_4).round().rem_euclid(8.0) as usize % 8;
            if let Some((x, y)) = inside(x, y, self.plane.cells) {
                self.plane.put(x, y, set[octant], Role::Dim, 0);
            }
        }
    }

    pub(crate) fn glyph(&mut self, at: (f64, f64), glyph: Glyph, role: Role) {
        let ascii = self.look.marker == Marker::Ascii;
        let ch = match (glyph, ascii) {
            (Glyph::Stable | Glyph::Node, false) => '●',
            (Glyph::Unstable, false) => '○',
            (Glyph::Saddle, false) => '╳',
            (Glyph::Marginal, false) => '◇',
            (Glyph::Stable | Glyph::Node, true) => '@',
            (Glyph::Unstable, true) => 'O',
            (Glyph::Saddle, true) => 'X',
            (Glyph::Marginal, true) => '?',
        };
        let (columns, rows) = self.plane.cells;
        if let Some((x, y)) = inside(self.placed.across(at.0, columns), self.placed.down(at.1, rows), (columns, rows)) {
            self.plane.put(x, y, ch, role, 9);
        }
    }
}

/// A place in pixels, if it is inside; the far edge belongs to the last pixel.
pub(crate) fn inside(x: f64, y: f64, size: (usize, usize)) -> Option<(usize, usize)> {
    let (w, h) = (size.0 as f64, size.1 as f64);
    if x.is_finite()
        && y.is_finite()
        && x >= -1e-6
        && y >= -1e-6
        && x <= w + 1e-6
        && y <= h + 1e-6
        && size.0 > 0
        && size.1 > 0
    {
        Some(((x.max(0.0) as usize).min(size.0 - 1), (y.max(0.0) as usize).min(size.1 - 1)))
    } else {
        None
    }
}
