//! Marks in a plane: images with their digits, fields of arrows, edges of graphs, points.

use std::fmt::Write as _;

use super::marks::{Space, inside, marker};
use super::{Anchor, Page, hex, length};
use crate::colour::Role;
use crate::scene::{Glyph, ImageMark};
use spikedeck_core::number::{MISSING, shown, typeset};

/// Runs of equal colour down each column; one path a colour.
pub(super) fn image(i: &ImageMark<'_>, space: &Space<'_>, page: &mut Page) {
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

/// The number of each entry of a matrix, where there is room.
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
                page.text((x, y), MISSING, font, Role::Dim, Anchor::Middle);
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
                "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{fill}\" \
                 text-anchor=\"middle\"{weight}>{text}{}</text>",
                length(x),
                length(y),
                length(font),
                if starred { "*" } else { "" }
            );
        }
    }
}

/// Arrows of a vector field, all of one length.
pub(super) fn field(arrows: &[[f64; 4]], space: &Space<'_>, page: &mut Page) {
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

/// An edge of a graph with its head; its width says how strong it is.
pub(super) fn edge(segment: [f64; 4], strength: f64, role: Role, space: &Space<'_>, page: &mut Page) {
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

/// A node or a fixed point.
pub(super) fn point(at: (f64, f64), glyph: Glyph, role: Role, space: &Space<'_>, page: &mut Page) {
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
