//! Spikes in cells. Where several units share a row of pixels and fire so much that the rows would be solid, each row
//! shows one unit: what single cells do stays visible (the rate of all stands below the raster), and the header says
//! so.

use super::Marker;
use super::curves::{Brush, rank};
use super::layout::Placed;
use crate::colour::Role;
use crate::scene::{Mark, Panel};

/// Share of the pixels that spikes may fill before units are left out.
const FULL: f64 = 0.8;

/// The spikes of one population on their rows.
pub(crate) struct Train<'a> {
    pub(crate) times: &'a [f64],
    pub(crate) units: &'a [u32],
    pub(crate) first_row: usize,
    pub(crate) rows: usize,
    pub(crate) role: Role,
    pub(crate) focus: bool,
}

/// How many units each drawn one stands for: 1 where all are drawn. From the mean rate of what there is, so that it
/// does not change while a sweep advances or the view moves along time.
pub(crate) fn thinned(panel: &Panel<'_>, placed: &Placed, marker: Marker) -> usize {
    let (across, down) = marker.pixels();
    let (width, height) = ((placed.area.width * across) as f64, (placed.area.height * down) as f64);
    let rows = (placed.y.1 - placed.y.0).abs();
    if rows <= height || height < 1.0 {
        return 1;
    }
    let (mut spikes, mut units) = (0, 0);
    let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
    for mark in &panel.marks {
        if let Mark::Spikes { times, rows, .. } = mark {
            spikes += times.len();
            units += rows;
            first = first.min(times.first().copied().unwrap_or(first));
            last = last.max(times.last().copied().unwrap_or(last));
        }
    }
    if last <= first {
        return 1;
    }
    let seen = spikes as f64 * rows / units.max(1) as f64 * (placed.x.1 - placed.x.0) / (last - first);
    if seen > FULL * width * height { (rows / height).ceil() as usize } else { 1 }
}

impl Brush<'_> {
    /// Spikes: one bit each, a whole row high where rows are higher than a pixel. `thinned`: one unit a row of pixels.
    pub(crate) fn spikes(&mut self, row: &Train<'_>, thinned: bool) {
        let mut dots = self.dots(None);
        let (width, height) = dots.size();
        let each = height as f64 / (self.placed.y.1 - self.placed.y.0).abs().max(1e-9);
        // A gap between rows as soon as rows are three pixels high.
        let tall = if each >= 3.0 { (each.floor() - 1.0) as usize } else { (each.floor() as usize).max(1) };
        let (low, high) = self.placed.x;
        let length = row.times.len().min(row.units.len());
        let (times, units) = (&row.times[..length], &row.units[..length]);
        let (from, to) = (times.partition_point(|&t| t < low), times.partition_point(|&t| t <= high));
        // Axes of rasters are proportional: two factors instead of a fraction for every one of millions of spikes.
        let per_x = width as f64 / (high - low);
        let start = self.placed.down(row.first_row as f64, height);
        let per_row = self.placed.down((row.first_row + 1) as f64, height) - start;
        for k in from..to.max(from) {
            let (x, top) = ((times[k] - low) * per_x, start + per_row * f64::from(units[k]));
            let shown = (units[k] as usize) < row.rows && x >= 0.0 && top > -each && top < height as f64;
            // The first unit that falls into a row of pixels is the one that is drawn there.
            if !shown || (thinned && units[k] > 0 && top.floor() == (top - per_row).floor()) {
                continue;
            }
            let x = (x as usize).min(width.saturating_sub(1));
            for y in 0..tall {
                let y = top + 1e-9 + y as f64;
                if y >= 0.0 {
                    dots.set(x, y as usize);
                }
            }
        }
        self.plane.lay(&dots, row.role, rank(row.role, row.focus));
    }
}
