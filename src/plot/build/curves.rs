//! Series and distributions.

use super::range::{axis, positive};
use crate::colour::Role;
use crate::reduce::{Extremes, extremes};
use crate::scene::{CurveMark, LegendEntry, Mark, Panel, Plot, Pyramids, Stroke, Sweep};
use crate::view::View;
use spikedeck_signal::{Axis, Curve, CurveStyle, Distribution, ReferenceLine, Scale, Series, step_begin};

/// How a curve of the `number`-th data series looks.
fn look(style: CurveStyle, number: u16) -> (Stroke, Role) {
    match style {
        CurveStyle::Line => (Stroke::Line, Role::Series(number)),
        CurveStyle::Points => (Stroke::Points, Role::Series(number)),
        CurveStyle::Steps => (Stroke::Steps, Role::Series(number)),
        CurveStyle::Theory => (Stroke::Dashed, Role::Theory),
        CurveStyle::Chance => (Stroke::Line, Role::Chance),
    }
}

/// Marks of curves: bands first, then chance, data, theory, and the focused curve last.
pub(crate) fn curve_marks<'a>(
    curves: &'a [Curve],
    focus: Option<usize>,
    pyramids: &'a Pyramids,
) -> (Vec<Mark<'a>>, Vec<LegendEntry>) {
    let (mut bands, mut marks, mut legend) = (Vec::new(), Vec::new(), Vec::new());
    let mut number = 0;
    for (index, curve) in curves.iter().enumerate() {
        let (stroke, role) = look(curve.style, number);
        if matches!(role, Role::Series(_)) {
            number += 1;
        }
        if let Some((low, high)) = &curve.band {
            bands.push(Mark::Band { x: &curve.x, low, high, role });
        }
        let length = curve.x.len().min(curve.y.len());
        let pyramid = pyramids.get(index);
        let ascending = pyramid.map_or_else(|| curve.x[..length].is_sorted(), |p| p.ascending);
        let focused = focus == Some(index);
        let rank = if focused { 3 } else { u8::from(role != Role::Chance) + u8::from(role == Role::Theory) };
        let mark = CurveMark {
            x: &curve.x[..length],
            y: &curve.y[..length],
            pyramid,
            ascending,
            stroke,
            role,
            focus: focused,
        };
        marks.push((rank, Mark::Curve(mark)));
        if !curve.name.is_empty() {
            legend.push(LegendEntry { name: curve.name.clone(), role, stroke, dense: length > 4000 });
        }
    }
    marks.sort_by_key(|m| m.0);
    bands.extend(marks.into_iter().map(|m| m.1));
    (bands, legend)
}

fn x_extremes(curve: &Curve, log: bool, pyramid_ascending: bool) -> Extremes {
    let all = match (curve.x.first(), curve.x.last()) {
        (Some(first), Some(last)) if pyramid_ascending && !log => Extremes::of(&[*first, *last]),
        _ => positive(&curve.x, log),
    };
    // The first step begins before its point.
    if curve.style == CurveStyle::Steps && !curve.x.is_empty() {
        return all.and(positive(&[step_begin(&curve.x, 0)], log));
    }
    all
}

/// Extremes of what lies inside `x` (everything, for paths).
fn y_extremes(curve: &Curve, x: (f64, f64), log: bool, pyramid: Option<&crate::reduce::Pyramid>) -> Extremes {
    let length = curve.x.len().min(curve.y.len());
    let xs = &curve.x[..length];
    let ascending = pyramid.map_or_else(|| xs.is_sorted(), |p| p.ascending);
    let (from, mut to) =
        if ascending { (xs.partition_point(|&v| v < x.0), xs.partition_point(|&v| v <= x.1)) } else { (0, length) };
    // The step that ends beyond the range begins inside.
    if curve.style == CurveStyle::Steps {
        to = (to + 1).min(length);
    }
    let mut out = if log { positive(&curve.y[from.min(to)..to], true) } else { extremes(&curve.y, from, to, pyramid) };
    if let Some((low, high)) = &curve.band {
        for side in [low, high] {
            let to = to.min(side.len());
            out = out.and(positive(&side[from.min(to)..to], log));
        }
    }
    out
}

/// Reference lines belong to the fit as long as they do not dwarf the data.
fn with_references(data: Extremes, references: &[ReferenceLine], vertical: bool, log: bool) -> Extremes {
    let Some((low, high)) = data.range() else {
        let at: Vec<f64> = references.iter().filter(|r| r.vertical == vertical).map(|r| r.at).collect();
        return positive(&at, log);
    };
    let span = (high - low).max(high.abs() * 1e-3);
    references
        .iter()
        .filter(|r| r.vertical == vertical && r.at.is_finite() && (!log || r.at > 0.0))
        .filter(|r| log || (r.at > low - 2.0 * span && r.at < high + 2.0 * span))
        .fold(data, |a, r| a.and(Extremes { min: r.at, max: r.at }))
}

pub(crate) fn rules(references: &[ReferenceLine]) -> impl Iterator<Item = Mark<'_>> {
    references.iter().filter(|r| r.at.is_finite()).map(|r| Mark::Rule { name: &r.name, at: r.at, vertical: r.vertical })
}

/// The panel of a series over a given x range.
pub(crate) fn panel<'a>(
    s: &'a Series,
    view: &View,
    x: Option<(f64, f64)>,
    pyramids: &'a Pyramids,
) -> (Panel<'a>, Vec<LegendEntry>) {
    let is_log = |a: &Axis, wanted: Option<bool>| wanted.unwrap_or(a.scale == Scale::Log);
    let (x_log, y_log) = (is_log(&s.x, view.x_log), is_log(&s.y, view.y_log));
    let ascending = |k: usize| pyramids.get(k).is_some_and(|p| p.ascending);
    let data_x =
        s.curves.iter().enumerate().fold(Extremes::NONE, |a, (k, c)| a.and(x_extremes(c, x_log, ascending(k))));
    let data_x = if data_x.range().is_none() { with_references(data_x, &s.references, true, x_log) } else { data_x };
    let x_axis = axis(&s.x, x, view.x_log, data_x, 0.0);
    let data_y = s
        .curves
        .iter()
        .enumerate()
        .fold(Extremes::NONE, |a, (k, c)| a.and(y_extremes(c, x_axis.range, y_log, pyramids.get(k))));
    let fit = with_references(data_y, &s.references, false, y_log);
    let mut y_axis = axis(&s.y, view.y, view.y_log, fit, 0.04);
    if view.y.is_none() && !y_log && fit.min >= 0.0 && fit.min < 0.3 * fit.max {
        y_axis.range.0 = 0.0;
    }
    y_axis.beyond = super::range::beyond(data_y, y_axis.range);
    let (mut marks, mut legend) = curve_marks(&s.curves, view.focus, pyramids);
    if s.curves.len() < 2 {
        legend.clear();
    }
    marks.splice(0..0, rules(&s.references));
    (Panel { x: x_axis, y: y_axis, marks, share: 1.0, framed: true }, legend)
}

/// The window and head of a sweep over data that end at `head`.
pub(crate) fn sweep(view: &View, head: f64) -> Option<Sweep> {
    view.sweep
        .filter(|l| l.is_finite() && *l > 0.0 && head.is_finite() && head > *l)
        .map(|length| Sweep { length, head })
}

/// What `x` shows while sweeping: the page that the head writes on.
pub(crate) fn page(s: Sweep) -> (f64, f64) {
    let page = (s.head / s.length).floor() * s.length;
    (page, page + s.length)
}

pub(crate) fn series<'a>(s: &'a Series, view: &View, pyramids: &'a Pyramids) -> Plot<'a> {
    let head = s.curves.iter().filter_map(|c| c.x.last().copied()).fold(f64::NEG_INFINITY, f64::max);
    let sweep = sweep(view, head);
    let (mut first, legend) = panel(s, view, sweep.map_or(view.x, |w| Some((w.head - w.length, w.head))), pyramids);
    if let Some(w) = sweep {
        first.x.range = page(w);
        first.x.beyond = (false, false);
    }
    let times = s.curves.iter().filter_map(|c| Some((*c.x.first()?, *c.x.last()?)));
    let whole = times.fold(Extremes::NONE, |a, (from, to)| a.and(Extremes::of(&[from, to]))).range();
    let is_part = s.x.is_time && sweep.is_none() && (first.x.beyond.0 || first.x.beyond.1);
    let whole = whole.filter(|w| is_part && w.0 < w.1);
    Plot { panels: vec![first], legend, sweep, whole, ..Plot::default() }
}

pub(crate) fn distribution<'a>(d: &'a Distribution, view: &View) -> Plot<'a> {
    let y_log = view.y_log.unwrap_or(d.y.scale == Scale::Log);
    let x_log = view.x_log.unwrap_or(d.x.scale == Scale::Log);
    let x_axis = axis(&d.x, view.x, view.x_log, positive(&d.edges, x_log), 0.0);
    let mut data = Extremes::NONE;
    for (_, heights) in &d.heights {
        for (k, h) in heights.iter().enumerate() {
            let inside = d.edges.get(k + 1).is_some_and(|e| *e >= x_axis.range.0)
                && d.edges.get(k).is_some_and(|e| *e <= x_axis.range.1);
            if inside && h.is_finite() && (!y_log || *h > 0.0) {
                data = data.and(Extremes { min: *h, max: *h });
            }
        }
    }
    let data = with_references(data, &d.references, false, y_log);
    let mut y_axis = axis(&d.y, view.y, view.y_log, data, 0.04);
    if view.y.is_none() && !y_log {
        y_axis.range = (y_axis.range.0.min(0.0), y_axis.range.1.max(0.0));
        if data.min >= 0.0 {
            y_axis.range.0 = 0.0;
        }
    }
    y_axis.beyond = super::range::beyond(data, y_axis.range);
    let mut marks: Vec<Mark<'a>> = Vec::new();
    for (k, (_, heights)) in d.heights.iter().enumerate() {
        marks.push(Mark::Bars { edges: &d.edges, heights, role: Role::Series(k as u16), outline: k > 0 });
    }
    if let Some(k) = view.focus.filter(|&k| k < marks.len()) {
        let focused = marks.remove(k);
        marks.push(focused);
    }
    marks.extend(rules(&d.references));
    let legend = if d.heights.len() < 2 {
        Vec::new()
    } else {
        let entry = |(k, h): (usize, &(String, Vec<f64>))| LegendEntry {
            name: h.0.clone(),
            role: Role::Series(k as u16),
            stroke: Stroke::Box,
            dense: true,
        };
        d.heights.iter().enumerate().map(entry).collect()
    };
    Plot { panels: vec![Panel { x: x_axis, y: y_axis, marks, share: 1.0, framed: true }], legend, ..Plot::default() }
}
