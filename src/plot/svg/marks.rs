//! Marks of figures as paths.

use std::fmt::Write as _;

use super::{Anchor, Framed, Page, hex, length};
use crate::cells::Placed;
use crate::colour::Role;
use crate::reduce;
use crate::scene::{CurveMark, Glyph, ImageMark, Mark, Plot, Stroke};
use crate::ticks::at_fraction;
use spikedeck_core::number::{shown, typeset};

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
struct Space<'p> {
    placed: &'p Placed,
}

impl Space<'_> {
    fn x(&self, v: f64) -> f64 {
        self.placed.area.x as f64 + self.placed.across(v, self.placed.area.width)
    }

    fn y(&self, v: f64) -> f64 {
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
        "<clipPath id=\"panel{index}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n<g clip-path=\"url(#panel{index})\">",
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
                spikes(times, units, (*first_row, *rows), *role, &space, page)
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
            Mark::Glyph { .. } | Mark::Text { .. } => {}
        }
    }
    page.out.push_str("</g>\n");
    for mark in &f.panel.marks {
        match mark {
            Mark::Rule { name, at, vertical } if !name.is_empty() => rule(name, *at, *vertical, &space, page),
            Mark::Glyph { at, glyph, role } => point(*at, *glyph, *role, &space, page),
            Mark::Text { at, text, role, left } => {
                let font = page.figure.font;
                let (x, y) = (space.x(at.0), space.y(at.1) + if plot.equal { font * 0.36 } else { -font * 0.5 });
                let (x, anchor) = if *left { (x - font * 0.8, Anchor::End) } else { (x + font * 0.8, Anchor::Start) };
                if inside(*at, &f.placed) {
                    page.text_over((x, y), text, font, *role, anchor);
                }
            }
            _ => {}
        }
    }
}

fn inside(at: (f64, f64), p: &Placed) -> bool {
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
            let x = space.placed.area.x as f64 + (r.column as f64 + 0.5) / FINE as f64;
            let falls = r.first > r.last;
            let (a, b) = if falls { (r.extremes.max, r.extremes.min) } else { (r.extremes.min, r.extremes.max) };
            [r.first, a, b, r.last].map(|v| (x, space.y(v)))
        }))
    } else if c.stroke == Stroke::Steps {
        polyline((from..to).flat_map(|k| {
            let (x, y) = place(k);
            let next = if k + 1 < to { place(k + 1).0 } else { x };
            [(x, y), (next, y)]
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

/// Runs of equal colour down each column; one path a colour.
fn image(i: &ImageMark<'_>, space: &Space<'_>, page: &mut Page) {
    const MOST: (usize, usize) = (480, 320);
    if i.width == 0 || i.height == 0 {
        return;
    }
    let (columns, rows) = (i.width.min(MOST.0), i.height.min(MOST.1));
    let mut paths: std::collections::BTreeMap<(u8, u8, u8), String> = std::collections::BTreeMap::new();
    let edge = |k: usize, n: usize, (a, b): (f64, f64)| a + (b - a) * k as f64 / n as f64;
    let colour = |column: usize, row: usize| {
        let (c0, c1) =
            (column * i.width / columns, ((column + 1) * i.width / columns).max(column * i.width / columns + 1));
        let (r0, r1) = (row * i.height / rows, ((row + 1) * i.height / rows).max(row * i.height / rows + 1));
        let values: Vec<f64> = (c0..c1)
            .flat_map(|c| (r0..r1).map(move |r| (c, r)))
            .map(|(c, r)| i.get(c, r))
            .filter(|v| v.is_finite())
            .collect();
        if values.is_empty() {
            return None;
        }
        Some(page.figure.palette.value_rgb(i.place(values.iter().sum::<f64>() / values.len() as f64), i.diverging))
    };
    for column in 0..columns {
        let (a, b) = (space.x(edge(column, columns, i.x)), space.x(edge(column + 1, columns, i.x)));
        let mut row = 0;
        while row < rows {
            let this = colour(column, row);
            let from = row;
            row += 1;
            while row < rows && colour(column, row) == this {
                row += 1;
            }
            let Some(this) = this else { continue };
            let (y0, y1) = (space.y(edge(from, rows, i.y)), space.y(edge(row, rows, i.y)));
            let _ = write!(
                paths.entry(this).or_default(),
                "M{} {}H{}V{}H{}Z",
                length(a),
                length(y0),
                length(b),
                length(y1),
                length(a)
            );
        }
    }
    for (rgb, d) in paths {
        page.path(&d, &hex(rgb), "none", 0.0, " shape-rendering=\"crispEdges\"");
    }
    if i.by_rows {
        digits(i, space, page);
    }
}

fn digits(m: &ImageMark<'_>, space: &Space<'_>, page: &mut Page) {
    let (across, down) = ((space.x(1.0) - space.x(0.0)).abs(), (space.y(1.0) - space.y(0.0)).abs());
    let font = page.figure.font.min(across / 3.2).min(down * 0.6);
    if font < 5.0 {
        return;
    }
    for row in 0..m.height {
        for column in 0..m.width {
            let value = m.get(column, row);
            let starred = m.significant.is_some_and(|s| s.get(row * m.width + column).copied().unwrap_or(false));
            let (x, y) = (space.x(column as f64 + 0.5), space.y(row as f64 + 0.5) + font * 0.36);
            if !inside((column as f64 + 0.5, row as f64 + 0.5), space.placed) {
                continue;
            }
            if !value.is_finite() {
                page.text((x, y), "–", font, Role::Dim, Anchor::Middle);
                continue;
            }
            let (r, g, b) = page.figure.palette.value_rgb(m.place(value), m.diverging);
            let light = 0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b);
            let fill = if light > 130.0 { "#000000" } else { "#ffffff" };
            let size = (m.z.1 - m.z.0).abs();
            let text = typeset(&if size > 0.05 && size < 1e4 { format!("{value:.2}") } else { shown(value) });
            let weight = if starred { " font-weight=\"700\"" } else { "" };
            let _ = writeln!(
                page.out,
                "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{fill}\" text-anchor=\"middle\"{weight}>{text}{}</text>",
                length(x),
                length(y),
                length(font),
                if starred { "*" } else { "" }
            );
        }
    }
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

fn field(arrows: &[[f64; 4]], space: &Space<'_>, page: &mut Page) {
    let p = space.placed;
    let (per_x, per_y) = (p.area.width as f64 / (p.x.1 - p.x.0), p.area.height as f64 / (p.y.1 - p.y.0));
    let size = (p.area.width as f64 * p.area.height as f64 / arrows.len().max(1) as f64).sqrt() * 0.22;
    let size = size.clamp(3.0, 14.0);
    let mut d = String::new();
    for a in arrows.iter().filter(|a| a.iter().all(|v| v.is_finite())) {
        let (dx, dy) = (a[2] * per_x, -a[3] * per_y);
        let norm = dx.hypot(dy);
        let (x, y) = (space.x(a[0]), space.y(a[1]));
        if norm < 1e-12 || !x.is_finite() {
            continue;
        }
        let (ux, uy) = (dx / norm * size, dy / norm * size);
        let (tx, ty) = (x + ux, y + uy);
        let _ = write!(d, "M{} {}L{} {}", length(x - ux), length(y - uy), length(tx), length(ty));
        let (bx, by) = (tx - ux * 0.6, ty - uy * 0.6);
        let (nx, ny) = (-uy * 0.35, ux * 0.35);
        let _ = write!(
            d,
            "M{} {}L{} {}L{} {}",
            length(bx + nx),
            length(by + ny),
            length(tx),
            length(ty),
            length(bx - nx),
            length(by - ny)
        );
    }
    let colour = page.colour(Role::Dim);
    page.path(&d, "none", &colour, 0.9, " stroke-opacity=\"0.6\"");
}

fn edge(segment: [f64; 4], strength: f64, role: Role, space: &Space<'_>, page: &mut Page) {
    let (a, b) = ((space.x(segment[0]), space.y(segment[1])), (space.x(segment[2]), space.y(segment[3])));
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let norm = dx.hypot(dy).max(1e-9);
    let (ux, uy) = (dx / norm, dy / norm);
    // Beside the straight line, so that there and back can be told apart.
    let (sx, sy) = (-uy * 4.0, ux * 4.0);
    let font = page.figure.font;
    let start = (a.0 + ux * font * 0.7 + sx, a.1 + uy * font * 0.7 + sy);
    let end = (b.0 - ux * font * 0.9 + sx, b.1 - uy * font * 0.9 + sy);
    let width = 0.8 + 3.2 * strength;
    let colour = page.colour(role);
    page.line(
        start,
        (end.0 - ux * 4.0, end.1 - uy * 4.0),
        &colour,
        width,
        if role == Role::Series(1) { "7 3" } else { "" },
    );
    let size = 5.0 + width * 1.2;
    let (bx, by) = (end.0 - ux * size, end.1 - uy * size);
    let (nx, ny) = (-uy * size * 0.5, ux * size * 0.5);
    let d = format!(
        "M{} {}L{} {}L{} {}Z",
        length(end.0),
        length(end.1),
        length(bx + nx),
        length(by + ny),
        length(bx - nx),
        length(by - ny)
    );
    page.path(&d, &colour, "none", 0.0, "");
}

fn point(at: (f64, f64), glyph: Glyph, role: Role, space: &Space<'_>, page: &mut Page) {
    if !inside(at, space.placed) {
        return;
    }
    let (x, y) = (space.x(at.0), space.y(at.1));
    let (colour, ground) = (page.colour(role), hex(page.figure.palette.ground()));
    let disc = marker(x, y, 5.5, Role::Series(0));
    match glyph {
        Glyph::Stable | Glyph::Node => page.path(&disc, &colour, &ground, 1.0, ""),
        Glyph::Unstable => page.path(&disc, &ground, &colour, 2.0, ""),
        Glyph::Saddle => {
            let d = format!("M{} {}l10 10m-10 0l10 -10", length(x - 5.0), length(y - 5.0));
            page.path(&d, "none", &colour, 2.4, "");
        }
        Glyph::Marginal => page.path(&marker(x, y, 5.0, Role::Series(3)), &ground, &colour, 2.0, ""),
    }
}
