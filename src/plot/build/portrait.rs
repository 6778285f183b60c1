//! Phase portraits and graphs.

use std::borrow::Cow;

use super::curves::curve_marks;
use super::range::axis;
use crate::colour::Role;
use crate::reduce::Extremes;
use crate::scene::{Glyph, LegendEntry, Mark, Panel, PanelAxis, Plot, Pyramids, Stroke};
use crate::view::View;
use spikedeck_signal::{GraphEdge, PhasePortrait, Stability};

pub(crate) fn phase<'a>(p: &'a PhasePortrait, view: &View, pyramids: &'a Pyramids) -> Plot<'a> {
    let (mut xs, mut ys) = (Extremes::NONE, Extremes::NONE);
    for c in &p.trajectories {
        (xs, ys) = (xs.and(Extremes::of(&c.x)), ys.and(Extremes::of(&c.y)));
    }
    for f in &p.fixed_points {
        (xs, ys) = (xs.and(Extremes::of(&[f.x])), ys.and(Extremes::of(&[f.y])));
    }
    for a in &p.field {
        (xs, ys) = (xs.and(Extremes::of(&[a[0]])), ys.and(Extremes::of(&[a[1]])));
    }
    if xs.range().is_none() {
        for s in p.nullclines.iter().flat_map(|n| &n.1) {
            (xs, ys) = (xs.and(Extremes::of(&[s[0], s[2]])), ys.and(Extremes::of(&[s[1], s[3]])));
        }
    }
    let x = axis(&p.x, view.x, view.x_log, xs, 0.04);
    let y = axis(&p.y, view.y, view.y_log, ys, 0.04);
    let mut marks = vec![Mark::Arrows { arrows: &p.field }];
    let mut legend = Vec::new();
    let first = p.trajectories.len() as u16;
    for (k, (name, segments)) in p.nullclines.iter().enumerate() {
        let role = Role::Series(first.max(1) + k as u16);
        marks.push(Mark::Segments { segments: Cow::Borrowed(segments), role });
        legend.push(LegendEntry { name: name.clone(), role, stroke: Stroke::Line, dense: true });
    }
    let (curves, names) = curve_marks(&p.trajectories, view.focus, pyramids);
    marks.extend(curves);
    legend.extend(names);
    for f in &p.fixed_points {
        let (glyph, role) = match f.stability {
            Stability::Stable => (Glyph::Stable, Role::Stable),
            Stability::Unstable => (Glyph::Unstable, Role::Unstable),
            Stability::Saddle => (Glyph::Saddle, Role::Saddle),
            Stability::Marginal => (Glyph::Marginal, Role::Marginal),
        };
        let word = f.stability.word();
        marks.push(Mark::Glyph { at: (f.x, f.y), glyph, role });
        let kind = match (f.stability, f.spiral) {
            (Stability::Saddle | Stability::Marginal, _) => word.to_owned(),
            (_, true) => format!("{word} spiral"),
            (_, false) => format!("{word} node"),
        };
        marks.push(Mark::Text { at: (f.x, f.y), text: Cow::Owned(kind), role, left: false });
    }
    Plot { panels: vec![Panel { x, y, marks, share: 1.0, framed: true }], legend, ..Plot::default() }
}

/// Nodes on a circle, first at the top, clockwise.
pub(crate) fn graph<'a>(nodes: &'a [String], edges: &[GraphEdge]) -> Plot<'a> {
    let count = nodes.len().max(1) as f64;
    let place = |k: usize| {
        if nodes.len() == 1 {
            return (0.0, 0.0);
        }
        let angle = std::f64::consts::TAU * k as f64 / count;
        (angle.sin(), angle.cos())
    };
    let most = edges.iter().map(|e| e.weight.abs()).filter(|w| w.is_finite()).fold(0.0, f64::max);
    let mut marks = Vec::new();
    let mut sorted: Vec<&GraphEdge> = edges.iter().filter(|e| e.from < nodes.len() && e.to < nodes.len()).collect();
    sorted.sort_by(|a, b| a.weight.abs().total_cmp(&b.weight.abs()));
    for e in sorted {
        let strength = if most > 0.0 && e.weight.is_finite() { e.weight.abs() / most } else { 0.0 };
        let ((x0, y0), (x1, y1)) = (place(e.from), place(e.to));
        let role = Role::Series(u16::from(e.weight < 0.0));
        if e.from != e.to {
            marks.push(Mark::Edge { segment: [x0, y0, x1, y1], strength, role });
        }
    }
    for (k, name) in nodes.iter().enumerate() {
        let (x, y) = place(k);
        marks.push(Mark::Glyph { at: (x, y), glyph: Glyph::Node, role: Role::Title });
        let loops = if edges.iter().any(|e| e.from == k && e.to == k) { " ↻" } else { "" };
        marks.push(Mark::Text {
            at: (x, y),
            text: Cow::Owned(format!("{name}{loops}")),
            role: Role::Text,
            left: x < -1e-9,
        });
    }
    let plain = |pad: f64| PanelAxis { range: (-1.0 - pad, 1.0 + pad), ..PanelAxis::default() };
    let signs = edges.iter().any(|e| e.weight < 0.0) && edges.iter().any(|e| e.weight > 0.0);
    let legend = if signs {
        [("positive", 0), ("negative", 1)]
            .map(|(n, k)| LegendEntry { name: n.into(), role: Role::Series(k), stroke: Stroke::Line, dense: false })
            .into()
    } else {
        Vec::new()
    };
    let panel = Panel { x: plain(0.1), y: plain(0.1), marks, share: 1.0, framed: false };
    Plot { panels: vec![panel], legend, equal: true, ..Plot::default() }
}
