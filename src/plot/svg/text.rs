//! Tables and cards as figures.

use super::{Anchor, Page};
use crate::cells::number;
use crate::colour::Role;
use crate::grid::{fit, wrap};
use spikedeck_signal::ScalarRow;

/// A column of a table: heading, cells with roles, set flush right or left.
type Column = (&'static str, Vec<(String, Role)>, bool);

fn table(rows: &[ScalarRow]) -> Vec<Column> {
    let cells = |role: Role, f: &dyn Fn(&ScalarRow) -> String| rows.iter().map(|r| (f(r), role)).collect::<Vec<_>>();
    let some = |v: Option<f64>| v.map(number).unwrap_or_default();
    let value = |r: &ScalarRow| r.value.map_or_else(|| ("–".to_owned(), Role::Warning), |v| (number(v), Role::Title));
    let p_text = |p: f64| if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") };
    let mut all: Vec<Column> = vec![
        ("measure", cells(Role::Text, &|r| r.name.clone()), false),
        ("value", rows.iter().map(value).collect(), true),
        ("unit", cells(Role::Dim, &|r| r.unit.replace("**2", "²")), false),
        (
            "interval",
            cells(Role::Text, &|r| {
                r.interval.map_or_else(String::new, |(a, b)| format!("[{}, {}]", number(a), number(b)))
            }),
            false,
        ),
        ("chance", cells(Role::Text, &|r| some(r.chance)), true),
        ("p", cells(Role::Text, &|r| r.p_value.filter(|p| p.is_finite()).map(p_text).unwrap_or_default()), true),
        ("n", cells(Role::Dim, &|r| r.n.map(|n| n.to_string()).unwrap_or_default()), true),
        ("note", cells(Role::Dim, &|r| r.note.clone()), false),
    ];
    all.retain(|c| c.0 == "measure" || c.0 == "value" || c.1.iter().any(|t| !t.0.is_empty()));
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
    for (head, cells, flush) in table(rows) {
        let widest = cells.iter().map(|c| Page::text_width(&c.0, font)).fold(Page::text_width(head, font), f64::max);
        let width =
            widest.min((right - x).max(0.0)).min(if head == "measure" { (right - left) * 0.34 } else { f64::INFINITY });
        let most = ((width / (font * 0.56)) + 0.01) as usize;
        let (at, anchor) = if flush { (x + width, Anchor::End) } else { (x, Anchor::Start) };
        page.text((at, y), &fit(head, most), font * 0.9, Role::Dim, anchor);
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
