//! Marks of figures as paths.

use std::fmt::Write as _;

use super::plane::{edge, field, image, point};
use super::{Anchor, Framed, Page, hex, length};
use crate::cells::Placed;
use crate::colour::Role;
use crate::reduce;
use crate::scene::{CurveMark, Label, Mark, Plot, Stroke};
use crate::ticks::at_fraction;
use spikedeck_signal::step_begin;

/// Columns of pixels for reduction: two a CSS pixel.
const FINE: usize = 2;

/// Dashes that tell the n-th line from others without colour; theory is always dashed.
pub(crate) fn dashes(stroke: Stroke, role: Role) -> &'static str {
    match (stroke, role) {
        (Stroke::Dashed, _) => "5 4",
        (_, Role::Series(n)) => ["", "9 2", "12 3 3 3", "2 2", "7 2 2 2 2 2", "14 4", "1 3"][usize::from(n) % 7],
        (_, Role::Chance) => "1 3",
        _ => "",
    }
}

/// A marker whose shape belongs to the series.
pub(crate) fn marker(x: f64, y: f64, r: f64, role: Role) -> String {
    let l = length;
    let which = if let Role::Series(n) = role { n % 5 } else { 0 };
    match which {
        1 => format!("M{} {}h{}v{}h{}Z", l(x - r), l(y - r), l(2.0 * r), l(2.0 * r), l(-2.0 * r)),
        2 => format!("M{} {}l{} {}h{}Z", l(x), l(y - 1.2 * r), l(1.2 * r), l(2.1 * r), l(-2.4 * r)),
        3 => format!("M{} {}l{r} {r}l{n} {r}l{n} {n}Z", l(x), l(y - 1.3 * r), r = l(1.3 * r), n = l(-1.3 * r)),
        4 => format!("M{} {}l{} {}h{}Z", l(x), l(y + 1.2 * r), l(1.2 * r), l(-2.1 * r), l(-2.4 * r)),
        _ => format!(
            "M{} {}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 {m} 0Z",
            l(x - r),
            l(y),
            r = l(r),
            d = l(2.0 * r),
            m = l(-2.0 * r)
        ),
    }
}

/// From data to pixels of the page.
pub(super) struct Space<'p> {
    pub(super) placed: &'p Placed,
}

impl Space<'_> {
    pub(super) fn x(&self, v: f64) -> f64 {
        self.placed.area.x as f64 + self.placed.across(v, self.placed.area.width)
    }

    pub(super) fn y(&self, v: f64) -> f64 {
        // Far outside is cut, so that no viewer meets absurd numbers.
        let h = self.placed.area.height as f64;
        self.placed.area.y as f64 + self.placed.down(v, self.placed.area.height).clamp(-10.0 * h - 1e4, 11.0 * h + 1e4)
    }
}

/// All marks of a panel, clipped to it.
pub(crate) fn panel(f: &Framed<'_, '_>, index: usize, plot: &Plot<'_>, page: &mut Page) {
    let area = f.placed.area;
    let _ = writeln!(
        page.out,
        "<clipPath id=\"panel{index}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n<g \
         clip-path=\"url(#panel{index})\">",
        area.x,
        area.y.saturating_sub(1),
        area.width + 1,
        area.height + 2
    );
    let space = Space { placed: &f.placed };
    for mark in &f.panel.marks {
        match mark {
            Mark::Curve(c) => curve(c, &space, page),
            Mark::Band { x, low, high, role } => band(x, low, high, *role, &space, page),
            Mark::Bars { edges, heights, role, outline } => bars(edges, heights, *role, *outline, &space, page),
            Mark::Spikes { times, units, first_row, rows, role, .. } => {
                spikes(times, units, (*first_row, *rows), *role, &space, page);
            }
            Mark::Image(i) => image(i, &space, page),
            Mark::Rule { at, vertical, .. } => rule("", *at, *vertical, &space, page),
            Mark::Segments { segments, role } => {
                let mut d = String::new();
                for s in segments.iter().filter(|s| s.iter().all(|v| v.is_finite())) {
                    let _ = write!(
                        d,
                        "M{} {}L{} {}",
                        length(space.x(s[0])),
                        length(space.y(s[1])),
                        length(space.x(s[2])),
                        length(space.y(s[3]))
                    );
                }
                let colour = page.colour(*role);
                page.path(&d, "none", &colour, 1.6, " stroke-linecap=\"round\"");
            }
            Mark::Arrows { arrows } => field(arrows, &space, page),
            Mark::Edge { segment, strength, role } => edge(*segment, *strength, *role, &space, page),
            // Over all others, below.
            Mark::Glyph { .. } | Mark::Text { .. } => {}
        }
    }
    page.out.push_str("</g>\n");
    for label in f.panel.marks.iter().filter_map(Mark::label) {
        match label {
            Label::Rule { name, at, vertical } => rule(name, at, vertical, &space, page),
            Label::Glyph { at, glyph, role } => point(at, glyph, role, &space, page),
            Label::Text { at, text, role, left } => {
                let font = page.figure.font;
                let (x, y) = (space.x(at.0), space.y(at.1) + if plot.equal { font * 0.36 } else { -font * 0.5 });
                let (x, anchor) = if left { (x - font * 0.8, Anchor::End) } else { (x + font * 0.8, Anchor::Start) };
                if inside(at, &f.placed) {
                    page.text_over((x, y), text, font, role, anchor);
                }
            }
        }
    }
}

/// Whether a place is inside the axes.
pub(super) fn inside(at: (f64, f64), p: &Placed) -> bool {
    at.0 >= p.x.0 && at.0 <= p.x.1 && at.1 >= p.y.0 && at.1 <= p.y.1
}

/// Joins places; missing ones interrupt.
fn polyline(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut d = String::new();
    let mut pen = false;
    let mut last = (f64::NAN, f64::NAN);
    for (x, y) in points {
        if !x.is_finite() || !y.is_finite() {
            pen = false;
            continue;
        }
        let place = ((x * 50.0).round(), (y * 50.0).round());
        if pen && place == last {
            continue;
        }
        let _ = write!(d, "{}{} {}", if pen { 'L' } else { 'M' }, length(x), length(y));
        pen = true;
        last = place;
    }
    d
}

fn curve(c: &CurveMark<'_>, space: &Space<'_>, page: &mut Page) {
    let colour = page.colour(c.role);
    let (low, high) = space.placed.x;
    let (from, to) = if c.ascending {
        (c.x.partition_point(|&v| v < low).saturating_sub(1), (c.x.partition_point(|&v| v <= high) + 1).min(c.x.len()))
    } else {
        (0, c.x.len())
    };
    let place = |k: usize| (space.x(c.x[k]), space.y(c.y[k]));
    let columns = space.placed.area.width * FINE;
    if c.stroke == Stroke::Points {
        let r = if to.saturating_sub(from) > 400 { 1.5 } else { 3.2 };
        let d: String = (from..to)
            .map(place)
            .filter(|p| p.0.is_finite() && p.1.is_finite())
            .map(|(x, y)| marker(x, y, r, c.role))
            .collect();
        page.path(&d, &colour, "none", 0.0, "");
        return;
    }
    let d = if c.ascending && to - from > 4 * columns {
        let edge = |k: usize| at_fraction(k as f64 / columns as f64, space.placed.x, space.placed.x_log);
        let reduced = reduce::columns(c.x, c.y, c.pyramid, columns, edge);
        polyline(reduced.iter().flat_map(|r| {
            let x = space.placed.area.x as f64 + (r.index as f64 + 0.5) / FINE as f64;
            let falls = r.first > r.last;
            let (a, b) = if falls { (r.extremes.max, r.extremes.min) } else { (r.extremes.min, r.extremes.max) };
            [r.first, a, b, r.last].map(|v| (x, space.y(v)))
        }))
    } else if c.stroke == Stroke::Steps {
        polyline((from..to).flat_map(|k| {
            let (x, y) = place(k);
            [(space.x(step_begin(c.x, k)), y), (x, y)]
        }))
    } else {
        polyline((from..to).map(place))
    };
    let width = match c.role {
        _ if c.focus => 2.2,
        Role::Chance => 1.0,
        _ if to - from > 4000 => 0.9,
        _ => 1.5,
    };
    let dash = dashes(c.stroke, c.role);
    // Dashes on dense traces would look like gaps in the data.
    let dash = if dash.is_empty() || (c.dense() && c.stroke != Stroke::Dashed) {
        String::new()
    } else {
        format!(" stroke-dasharray=\"{dash}\"")
    };
    page.path(&d, "none", &colour, width, &format!("{dash} stroke-linejoin=\"round\""));
}

fn band(x: &[f64], low: &[f64], high: &[f64], role: Role, space: &Space<'_>, page: &mut Page) {
    let n = x.len().min(low.len()).min(high.len());
    let good =
        |k: &usize| x[*k].is_finite() && low[*k].is_finite() && high[*k].is_finite() && space.x(x[*k]).is_finite();
    let there = (0..n).filter(good).map(|k| (space.x(x[k]), space.y(high[k])));
    let back = (0..n).rev().filter(good).map(|k| (space.x(x[k]), space.y(low[k])));
    let d = polyline(there.chain(back));
    let colour = page.colour(role);
    if !d.is_empty() {
        page.path(&format!("{d}Z"), &colour, "none", 0.0, " fill-opacity=\"0.22\"");
    }
}

fn bars(edges: &[f64], heights: &[f64], role: Role, outline: bool, space: &Space<'_>, page: &mut Page) {
    let p = space.placed;
    let base = space.y(if p.y_log { p.y.0 } else { 0.0f64.clamp(p.y.0, p.y.1) });
    let mut d = String::new();
    for (pair, h) in edges.windows(2).zip(heights).filter(|(_, h)| h.is_finite()) {
        let (a, b, y) = (space.x(pair[0]), space.x(pair[1]), space.y(*h));
        if a.is_finite() && b.is_finite() && y.is_finite() && (y - base).abs() > 1e-9 {
            let _ = write!(d, "M{} {}V{}H{}V{}Z", length(a), length(base), length(y), length(b), length(base));
        }
    }
    let colour = page.colour(role);
    if outline {
        let edge = polyline(
            edges
                .windows(2)
                .zip(heights)
                .flat_map(|(pair, h)| [(space.x(pair[0]), space.y(*h)), (space.x(pair[1]), space.y(*h))]),
        );
        page.path(&d, &colour, "none", 0.0, " fill-opacity=\"0.15\"");
        page.path(&edge, "none", &colour, 1.8, "");
    } else {
        let ground = hex(page.figure.palette.ground());
        page.path(&d, &colour, &ground, 0.5, " fill-opacity=\"0.85\"");
    }
}

/// One path a population; spikes that fall on the same quarter of a pixel are written once.
fn spikes(
    times: &[f64],
    units: &[u32],
    (first_row, rows): (usize, usize),
    role: Role,
    space: &Space<'_>,
    page: &mut Page,
) {
    let p = space.placed;
    let each = p.area.height as f64 / (p.y.1 - p.y.0).abs().max(1e-9);
    let tall = (each * 0.8).clamp(1.2, 14.0);
    let n = times.len().min(units.len());
    let (from, to) = (times[..n].partition_point(|&t| t < p.x.0), times[..n].partition_point(|&t| t <= p.x.1));
    let mut places: Vec<(i64, i64)> = (from..to.max(from))
        .filter(|&k| (units[k] as usize) < rows)
        .map(|k| (space.x(times[k]), space.y((first_row + units[k] as usize) as f64 + 0.5) - tall / 2.0))
        .filter(|p| p.0.is_finite() && p.1.is_finite())
        .map(|(x, y)| ((x * 4.0).round() as i64, (y * 4.0).round() as i64))
        .collect();
    places.sort_unstable_by_key(|p| (p.1, p.0));
    places.dedup();
    let mut d = String::with_capacity(places.len() * 14);
    let stroke = length(tall);
    for (x, y) in places {
        let _ = write!(d, "M{} {}v{stroke}", length(x as f64 / 4.0), length(y as f64 / 4.0));
    }
    let colour = page.colour(role);
    page.path(&d, "none", &colour, if tall < 3.0 { 1.1 } else { 1.3 }, "");
}

/// The line itself (without a name), or only its name, which stands over all marks.
fn rule(name: &str, at: f64, vertical: bool, space: &Space<'_>, page: &mut Page) {
    let (font, area) = (page.figure.font, space.placed.area);
    let colour = page.colour(Role::Reference);
    let (x0, y0) = (area.x as f64, area.y as f64);
    let (x1, y1) = (x0 + area.width as f64, y0 + area.height as f64);
    if vertical {
        let x = space.x(at);
        if x.is_finite() && x >= x0 - 0.5 && x <= x1 + 0.5 {
            if name.is_empty() {
                page.line((x, y0), (x, y1), &colour, 1.0, "3 3");
                return;
            }
            let right = x + font * 0.4 + Page::text_width(name, font) < x1;
            let (tx, anchor) = if right { (x + font * 0.4, Anchor::Start) } else { (x - font * 0.4, Anchor::End) };
            page.text_over((tx, y0 + font), name, font * 0.92, Role::Dim, anchor);
        }
    } else {
        let y = space.y(at);
        if y.is_finite() && y >= y0 - 0.5 && y <= y1 + 0.5 {
            if name.is_empty() {
                page.line((x0, y), (x1, y), &colour, 1.0, "3 3");
                return;
            }
            page.text_over((x1 - 4.0, y - font * 0.35), name, font * 0.92, Role::Dim, Anchor::End);
        }
    }
}
