//! Tables and cards as figures.

use super::{Anchor, Page};
use crate::plot::cells::number;
use crate::plot::colour::Role;
use crate::plot::grid::{fit, wrap};
use crate::signal::ScalarRow;

/// A table; returns the height of the page.
pub(crate) fn scalars(rows: &[ScalarRow], title: &str, page: &mut Page) -> usize {
    let font = page.figure.font;
    let width = page.figure.width as f64;
    let mut y = font * 2.2;
    page.text((font * 1.2, y), title, font * 1.25, Role::Title, Anchor::Start);
    y += font * 2.0;
    // Shares of the width: name, value, unit, interval, chance, p, n, note.
    let at = [0.0, 0.30, 0.375, 0.44, 0.58, 0.66, 0.73, 0.78].map(|s| font * 1.2 + s * (width - font * 2.4));
    let room =
        |from: usize, to: usize| (((if to < 8 { at[to] } else { width } - at[from]) / (font * 0.56)) as usize).saturating_sub(1).max(1);
    for (k, head) in ["measure", "value", "unit", "interval", "chance", "p", "n", "note"].iter().enumerate() {
        let anchor = if [1, 4, 5, 6].contains(&k) { Anchor::End } else { Anchor::Start };
        page.text((at[k] + if anchor == Anchor::End { font * 3.6 } else { 0.0 }, y), head, font * 0.9, Role::Dim, anchor);
    }
    let ink = page.colour(Role::Axis);
    page.line((font * 1.2, y + font * 0.5), (width - font * 1.2, y + font * 0.5), &ink, 1.0, "");
    let end = |k: usize| at[k] + font * 3.6;
    for row in rows {
        y += font * 1.6;
        page.text((at[0], y), &fit(&row.name, room(0, 1)), font, Role::Text, Anchor::Start);
        let (value, role) = row.value.map_or_else(|| ("–".to_owned(), Role::Warning), |v| (number(v), Role::Title));
        page.text((end(1), y), &value, font, role, Anchor::End);
        page.text((end(1) + font * 0.6, y), &row.unit, font, Role::Dim, Anchor::Start);
        if let Some((a, b)) = row.interval {
            page.text((at[3], y), &format!("[{}, {}]", number(a), number(b)), font, Role::Text, Anchor::Start);
        }
        if let Some(c) = row.chance {
            page.text((end(4), y), &number(c), font, Role::Text, Anchor::End);
        }
        if let Some(p) = row.p_value {
            page.text((end(5), y), &if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }, font, Role::Text, Anchor::End);
        }
        if let Some(n) = row.n {
            page.text((end(6), y), &n.to_string(), font, Role::Dim, Anchor::End);
        }
        page.text((at[7] + font * 1.2, y), &fit(&row.note, room(7, 8).saturating_sub(3)), font * 0.9, Role::Dim, Anchor::Start);
    }
    if rows.is_empty() {
        y += font * 1.6;
        page.text((font * 1.2, y), "no values", font, Role::Dim, Anchor::Start);
    }
    (y + font * 1.5).ceil() as usize
}

/// Headings and wrapped text; returns the height of the page.
pub(crate) fn sections(sections: &[(String, String)], title: &str, page: &mut Page) -> usize {
    let font = page.figure.font;
    let columns = ((page.figure.width as f64 - font * 2.4) / (font * 0.52)).max(8.0) as usize;
    let mut y = font * 2.2;
    page.text((font * 1.2, y), title, font * 1.25, Role::Title, Anchor::Start);
    for (heading, text) in sections {
        y += font * 0.8;
        if !heading.is_empty() {
            y += font * 1.5;
            page.text((font * 1.2, y), heading, font * 1.05, Role::Title, Anchor::Start);
        }
        for line in wrap(text, columns) {
            y += font * 1.45;
            let indent = line.len() - line.trim_start().len();
            page.text((font * 1.2 + indent as f64 * font * 0.5, y), line.trim_start(), font, Role::Text, Anchor::Start);
        }
    }
    (y + font * 1.5).ceil() as usize
}
