//! Tables and cards as figures.

use super::{Anchor, Page};
use crate::cells::role_of;
use crate::colour::Role;
use crate::grid::{fit, wrap};
use spikedeck_core::number::{MISSING, typeset};
use spikedeck_signal::{CardSection, Metric, ScalarRow};

/// A column of a table.
struct Column {
    heading: &'static str,
    cells: Vec<(String, Role)>,
    is_right: bool,
    /// Greatest part of the width that it may take.
    most: f64,
}

fn table(rows: &[ScalarRow]) -> Vec<Column> {
    let names = rows.iter().map(|r| (r.name.clone(), Role::Text)).collect();
    let mut all = vec![Column { heading: "measure", cells: names, is_right: false, most: 0.34 }];
    for (column, shown) in Metric::shown() {
        let cell = |row: &ScalarRow| {
            let text = column.text(&row.measured);
            let text = if column.is_number() { typeset(&text) } else { text };
            let role = if text == MISSING { Role::Warning } else { role_of(shown.tone) };
            (text, role)
        };
        let cells: Vec<_> = rows.iter().map(cell).collect();
        if shown.weight == 0 || cells.iter().any(|t| !t.0.is_empty()) {
            all.push(Column { heading: shown.heading, cells, is_right: column.is_right(), most: f64::INFINITY });
        }
    }
    all
}

/// A table; returns the height of the page.
pub(crate) fn scalars(rows: &[ScalarRow], title: &str, page: &mut Page) -> usize {
    let font = page.figure.font;
    let (left, right) = (font * 1.2, page.figure.width as f64 - font * 1.2);
    let mut y = font * 2.2;
    page.text((left, y), title, font * 1.25, Role::Title, Anchor::Start);
    y += font * 2.0;
    let ink = page.colour(Role::Axis);
    page.line((left, y + font * 0.5), (right, y + font * 0.5), &ink, 1.0, "");
    let mut x = left;
    for Column { heading, cells, is_right, most } in table(rows) {
        let widest = cells.iter().map(|c| Page::text_width(&c.0, font)).fold(Page::text_width(heading, font), f64::max);
        let width = widest.min((right - x).max(0.0)).min((right - left) * most);
        let most = ((width / (font * 0.56)) + 0.01) as usize;
        let (at, anchor) = if is_right { (x + width, Anchor::End) } else { (x, Anchor::Start) };
        page.text((at, y), &fit(heading, most), font * 0.9, Role::Dim, anchor);
        for (k, (text, role)) in cells.iter().enumerate() {
            page.text((at, y + font * 1.6 * (k + 1) as f64), &fit(text, most), font, *role, anchor);
        }
        x += width + font * 1.1;
    }
    y += font * 1.6 * rows.len() as f64;
    if rows.is_empty() {
        y += font * 1.6;
        page.text((left, y), "no values", font, Role::Dim, Anchor::Start);
    }
    (y + font * 1.5).ceil() as usize
}

/// Headings and wrapped text; returns the height of the page.
pub(crate) fn sections(sections: &[CardSection], title: &str, page: &mut Page) -> usize {
    let font = page.figure.font;
    let columns = ((page.figure.width as f64 - font * 2.4) / (font * 0.52)).max(8.0) as usize;
    let mut y = font * 2.2;
    page.text((font * 1.2, y), title, font * 1.25, Role::Title, Anchor::Start);
    for CardSection { heading, text, .. } in sections {
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
