//! Rasters: populations stacked, their rates below, one time axis.

use super::curves::{page, panel, sweep};
use super::range::drawable;
use crate::colour::Role;
use crate::reduce::Extremes;
use crate::scene::{LegendEntry, Mark, Panel, PanelAxis, Plot, Pyramids, Stroke};
use crate::view::View;
use spikedeck_signal::Raster;

pub(crate) fn raster<'a>(r: &'a Raster, view: &View, pyramids: &'a Pyramids) -> Plot<'a> {
    let sweep = sweep(view, r.extent.1);
    let shown = sweep.map_or_else(
        || drawable(view.x, Extremes::of(&[r.extent.0, r.extent.1]), false, 0.0),
        |w| (w.head - w.length, w.head),
    );
    let rows: usize = r.groups.iter().map(|g| g.size).sum();
    let all = (0.0, rows.max(1) as f64);
    let range = drawable(view.y, Extremes { min: all.0, max: all.1 }, false, 0.0);
    let mut marks = Vec::new();
    let mut names = Vec::new();
    let mut first_row = 0;
    for (k, g) in r.groups.iter().enumerate() {
        marks.push(Mark::Spikes {
            times: &g.times,
            units: &g.units,
            first_row,
            rows: g.size,
            role: Role::Series(k as u16),
            focus: view.focus == Some(k),
        });
        // In the middle of what is seen of it, so that no population that is seen is without its name.
        let seen = (range.0.max(first_row as f64), range.1.min((first_row + g.size) as f64));
        if seen.0 < seen.1 {
            names.push((f64::midpoint(seen.0, seen.1), g.name.clone()));
        }
        first_row += g.size;
    }
    let x = PanelAxis {
        title: r.x.title(),
        range: shown,
        is_time: r.x.is_time,
        beyond: (r.extent.0 < shown.0, r.extent.1 > shown.1),
        ..PanelAxis::default()
    };
    let y = PanelAxis {
        title: format!("{rows} unit{}", if rows == 1 { "" } else { "s" }),
        range,
        inverted: true,
        beyond: (range.0 > all.0, range.1 < all.1),
        names: (r.groups.len() > 1 || rows <= 1).then_some(names),
        ..PanelAxis::default()
    };
    let mut panels = vec![Panel { x, y, marks, share: 0.72, framed: true }];
    if r.rate.curves.iter().any(|c| !c.y.is_empty()) {
        let below = View { y: view.y_below, y_log: None, x_log: None, ..view.clone() };
        let (mut rate, _) = panel(&r.rate, &below, Some(shown), pyramids);
        rate.share = 0.28;
        panels.push(rate);
    }
    if let Some(w) = sweep {
        for p in &mut panels {
            p.x.range = page(w);
            p.x.beyond = (false, false);
        }
    }
    let legend = if r.groups.len() < 2 {
        Vec::new()
    } else {
        let entry = |(k, g): (usize, &spikedeck_signal::RasterGroup)| LegendEntry {
            name: g.name.clone(),
            role: Role::Series(k as u16),
            stroke: Stroke::Box,
            dense: true,
        };
        r.groups.iter().enumerate().map(entry).collect()
    };
    Plot { panels, legend, sweep, ..Plot::default() }
}
