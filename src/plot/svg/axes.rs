//! Frames, ticks, titles, legends and colour bars of figures.

use std::fmt::Write as _;

use super::{Anchor, Framed, Page, hex, length, marks};
use crate::colour::Role;
use crate::grid::fit;
use crate::map::LEVELS;
use crate::scene::{ColourBar, Plot, Stroke};
use crate::ticks;
use spikedeck_core::number::typeset;

/// Rows of entries above the panels; returns where they end.
pub(crate) fn legend(plot: &Plot<'_>, top: f64, page: &mut Page) -> f64 {
    let font = page.figure.font;
    if plot.legend.is_empty() {
        return top;
    }
    let (start, limit) = (font * 1.4, page.figure.width as f64 - font);
    let (mut x, mut y) = (start, top + font);
    for entry in &plot.legend {
        let name = fit(&entry.name, 40);
        let width = font * 2.6 + Page::text_width(&name, font);
        if x > start && x + width > limit {
            x = start;
            y += font * 1.5;
        }
        let colour = page.colour(entry.role);
        let (a, b, middle) = (x, x + font * 1.6, y - font * 0.35);
        match entry.stroke {
            Stroke::Box => {
                let _ = writeln!(
                    page.out,
                    "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{colour}\"/>",
                    length(a + font * 0.5),
                    length(middle - font * 0.35),
                    length(font * 0.7),
                    length(font * 0.7)
                );
            }
            Stroke::Points => {
                let d = marks::marker(f64::midpoint(a, b), middle, font * 0.28, entry.role);
                page.path(&d, &colour, "none", 0.0, "");
            }
            stroke => page.line(
                (a, middle),
                (b, middle),
                &colour,
                2.0,
                if entry.dense { "" } else { marks::dashes(stroke, entry.role) },
            ),
        }
        page.text((b + font * 0.4, y), &name, font, Role::Text, Anchor::Start);
        x += width + font * 0.8;
    }
    y + font * 0.3
}

/// Frame, ticks, labels and titles of a panel.
pub(crate) fn frame(f: &Framed<'_, '_>, last: bool, widest: f64, page: &mut Page) {
    let (font, area) = (page.figure.font, f.placed.area);
    let (x0, y0, w, h) = (area.x as f64, area.y as f64, area.width as f64, area.height as f64);
    let (x1, y1) = (x0 + w, y0 + h);
    let ink = page.colour(Role::Axis);
    page.line((x0, y0), (x0, y1), &ink, 1.0, "");
    page.line((x0, y1), (x1, y1), &ink, 1.0, "");
    for tick in &f.y_ticks {
        let y = y0 + f.placed.down(tick.value, area.height);
        let size = if tick.label.is_empty() { 3.0 } else { 5.0 };
        page.line((x0 - size, y), (x0, y), &ink, 1.0, "");
        if !tick.label.is_empty() {
            let most = ((widest / (font * 0.56)).ceil() as usize).max(3);
            page.text((x0 - 8.0, y + font * 0.36), &fit(&typeset(&tick.label), most), font, Role::Text, Anchor::End);
        }
    }
    let axis = &f.panel.x;
    let ticks = match &axis.names {
        None => ticks::fit(
            axis.range,
            axis.log,
            area.width,
            (area.width / 70).clamp(2, 12),
            |t| Page::text_width(t, font),
            font,
        ),
        Some(names) => ticks::names(names, axis.range, w, |n| Page::text_width(n, font) + font * 0.6),
    };
    for tick in &ticks {
        let x = x0 + f.placed.across(tick.value, area.width);
        let size = if tick.label.is_empty() { 3.0 } else { 5.0 };
        page.line((x, y1), (x, y1 + size), &ink, 1.0, "");
        if last && !tick.label.is_empty() {
            page.text((x, y1 + 7.0 + font), &typeset(&tick.label), font, Role::Text, Anchor::Middle);
        }
    }
    if last && !axis.title.is_empty() {
        page.text((x0 + w / 2.0, y1 + font * 2.9), &axis.title, font * 1.08, Role::Text, Anchor::Middle);
    }
    if !f.panel.y.title.is_empty() {
        let (x, y) = (x0 - widest - font * 1.5, y0 + h / 2.0);
        let _ = writeln!(page.out, "<g transform=\"rotate(-90 {} {})\">", length(x), length(y));
        let most = ((h / (font * 0.6)) as usize).max(6);
        page.text((x, y), &fit(&f.panel.y.title, most), font * 1.08, Role::Text, Anchor::Middle);
        page.out.push_str("</g>\n");
    }
    beyond(f, page);
}

/// Small triangles where data lie outside the range.
fn beyond(f: &Framed<'_, '_>, page: &mut Page) {
    let area = f.placed.area;
    let (x0, y0) = (area.x as f64, area.y as f64);
    let (x1, y1) = (x0 + area.width as f64, y0 + area.height as f64);
    let fill = page.colour(Role::Warning);
    let (low, high) = f.panel.y.beyond;
    let (top, bottom) = if f.panel.y.inverted { (low, high) } else { (high, low) };
    let mut triangle = |shown: bool, points: [(f64, f64); 3]| {
        if shown {
            let d = points.iter().map(|p| format!("{} {}", length(p.0), length(p.1))).collect::<Vec<_>>().join("L");
            page.path(&format!("M{d}Z"), &fill, "none", 0.0, "");
        }
    };
    triangle(top, [(x0 - 4.0, y0), (x0 + 4.0, y0), (x0, y0 - 7.0)]);
    triangle(bottom, [(x0 - 4.0, y1), (x0 + 4.0, y1), (x0, y1 + 7.0)]);
    triangle(f.panel.x.beyond.0, [(x0, y1 - 4.0), (x0, y1 + 4.0), (x0 - 7.0, y1)]);
    triangle(f.panel.x.beyond.1, [(x1, y1 - 4.0), (x1, y1 + 4.0), (x1 + 7.0, y1)]);
}

/// A vertical bar with numbers, title beside it.
pub(crate) fn colour_bar(bar: &ColourBar, at: (f64, f64), size: (f64, f64), page: &mut Page) {
    let font = page.figure.font;
    let step = size.1 / LEVELS as f64;
    for k in 0..LEVELS {
        let t = (k as f64 + 0.5) / LEVELS as f64;
        let fill = hex(page.figure.palette.value_rgb(t, bar.diverging));
        let y = at.1 + size.1 - (k + 1) as f64 * step;
        let _ = writeln!(
            page.out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{fill}\"/>",
            length(at.0),
            length(y),
            length(size.0),
            length(step + 0.4)
        );
    }
    let ink = page.colour(Role::Axis);
    let height = size.1.max(1.0) as usize;
    let mut widest: f64 = 0.0;
    for tick in
        ticks::fit(bar.range, false, height, ((size.1 / (font * 4.0)) as usize).clamp(2, 7), |_| font * 1.3, font * 0.4)
    {
        let y = at.1 + size.1 * (1.0 - ticks::fraction(tick.value, bar.range, false));
        page.line((at.0 + size.0, y), (at.0 + size.0 + 4.0, y), &ink, 1.0, "");
        let label = typeset(&tick.label);
        widest = widest.max(Page::text_width(&label, font));
        page.text((at.0 + size.0 + 7.0, y + font * 0.36), &label, font, Role::Text, Anchor::Start);
    }
    let fill = page.colour(Role::Warning);
    let (x, w) = (at.0, size.0);
    if bar.beyond.1 {
        page.path(
            &format!("M{} {}h{}l{} -7Z", length(x), length(at.1), length(w), length(-w / 2.0)),
            &fill,
            "none",
            0.0,
            "",
        );
    }
    if bar.beyond.0 {
        page.path(
            &format!("M{} {}h{}l{} 7Z", length(x), length(at.1 + size.1), length(w), length(-w / 2.0)),
            &fill,
            "none",
            0.0,
            "",
        );
    }
    let (x, y) = (at.0 + size.0 + 7.0 + widest + font * 1.3, at.1 + size.1 / 2.0);
    let _ = writeln!(page.out, "<g transform=\"rotate(-90 {} {})\">", length(x), length(y));
    page.text((x, y), &bar.title, font * 1.08, Role::Text, Anchor::Middle);
    page.out.push_str("</g>\n");
}
