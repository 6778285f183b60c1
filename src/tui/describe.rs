//! Panes in words and as plain tables: for people who do not see the picture, for `--describe`, and for the clipboard.

use std::fmt::Write as _;

use super::content::{Content, Pane};
use super::number::{short, with_unit};
use spikedeck_signal::{Curve, Shape};

/// One line of text for a pane.
pub fn line(pane: &Pane) -> String {
    let shown = match &pane.shape.shape {
        Shape::Scalars(s) => {
            let rows: Vec<String> = s
                .rows
                .iter()
                .take(4)
                .map(|r| format!("{} {}", r.name, r.value.map_or_else(|| "no value".into(), |v| with_unit(v, &r.unit))))
                .collect();
            let more = s.rows.len().saturating_sub(4);
            format!("{}{}", rows.join(", "), if more > 0 { format!(", and {more} more") } else { String::new() })
        }
        Shape::Series(s) => {
            let curves: Vec<String> = s.curves.iter().take(4).filter_map(|c| curve(c, &s.x.unit, &s.y.unit)).collect();
            format!("{} over {}: {}", s.y.title(), s.x.title(), curves.join("; "))
        }
        Shape::Distribution(d) => format!(
            "histogram of {} in {} bins from {} to {}",
            d.x.title(),
            d.edges.len().saturating_sub(1),
            short(d.edges.first().copied().unwrap_or(f64::NAN)),
            short(d.edges.last().copied().unwrap_or(f64::NAN))
        ),
        Shape::Matrix(m) => {
            let (lo, hi) = extremes(&m.values);
            format!(
                "{} by {} matrix of {}, {} to {}",
                m.rows.len(),
                m.columns.len(),
                m.value.title(),
                short(lo),
                short(hi)
            )
        }
        Shape::Raster(r) => {
            let groups: Vec<String> =
                r.groups.iter().map(|g| format!("{}: {} spikes of {} units", g.name, g.times.len(), g.size)).collect();
            format!("{}, from {} to {}", groups.join("; "), short(r.extent.0), with_unit(r.extent.1, &r.x.unit))
        }
        Shape::Image(i) => {
            let (lo, hi) = extremes(&i.values);
            format!("{} over {} and {}, {} to {}", i.value.title(), i.x.title(), i.y.title(), short(lo), short(hi))
        }
        Shape::Phase(p) => {
            let points: Vec<String> = p
                .fixed_points
                .iter()
                .map(|f| format!("{:?} at ({}, {})", f.stability, short(f.x), short(f.y)).to_lowercase())
                .collect();
            let points = if points.is_empty() { "no fixed points".to_owned() } else { points.join(", ") };
            format!("{} against {}: {points}", p.y.title(), p.x.title())
        }
        Shape::Graph { nodes, edges } => format!("{} nodes, {} edges", nodes.len(), edges.len()),
        Shape::Card(c) => c
            .sections
            .first()
            .map_or_else(String::new, |s| format!("{}: {}", s.0, s.1.lines().next().unwrap_or_default())),
    };
    let summary = if pane.summary.is_empty() || shown.contains(&pane.summary) {
        shown
    } else {
        format!("{}. {shown}", pane.summary.trim_end_matches('.'))
    };
    format!("{}: {summary}", pane.title)
}

/// One line for each pane.
pub fn all(content: &Content) -> Vec<String> {
    content.panes.iter().map(line).collect()
}

fn extremes(values: &[f64]) -> (f64, f64) {
    let finite = values.iter().copied().filter(|v| v.is_finite());
    finite.fold((f64::NAN, f64::NAN), |(lo, hi), v| (lo.min(v), hi.max(v)))
}

fn curve(c: &Curve, x_unit: &str, y_unit: &str) -> Option<String> {
    let (lo, hi) = extremes(&c.y);
    let at = c.x.iter().zip(&c.y).filter(|p| p.1.is_finite()).max_by(|a, b| a.1.total_cmp(b.1)).map(|p| *p.0)?;
    let name = if c.name.is_empty() { String::new() } else { format!("{} ", c.name) };
    Some(format!("{name}{} to {}, largest at {}", short(lo), with_unit(hi, y_unit), with_unit(at, x_unit)))
}

/// Longest text that is put into the clipboard; longer ones are cut at a line.
pub const CLIPBOARD: usize = 70_000;

/// The pane as tab-separated text with a heading, at most [`CLIPBOARD`] bytes.
pub fn table(pane: &Pane) -> String {
    let mut out = String::new();
    let mut row = |cells: &[String]| {
        if out.len() < CLIPBOARD {
            let _ = writeln!(out, "{}", cells.join("\t"));
        }
    };
    let number = |v: f64| if v.is_finite() { v.to_string() } else { String::new() };
    match &pane.shape.shape {
        Shape::Scalars(s) => {
            row(&["name", "value", "unit", "ci_low", "ci_high", "chance", "p_value", "n"].map(str::to_owned));
            for r in &s.rows {
                let o = |v: Option<f64>| v.map_or_else(String::new, number);
                let n = r.n.map_or_else(String::new, |n| n.to_string());
                row(&[
                    r.name.clone(),
                    o(r.value),
                    r.unit.clone(),
                    o(r.interval.map(|i| i.0)),
                    o(r.interval.map(|i| i.1)),
                    o(r.chance),
                    o(r.p_value),
                    n,
                ]);
            }
        }
        Shape::Series(s) => {
            row(&["curve".to_owned(), s.x.title(), s.y.title()]);
            for c in &s.curves {
                for (x, y) in c.x.iter().zip(&c.y) {
                    row(&[c.name.clone(), number(*x), number(*y)]);
                }
            }
        }
        Shape::Distribution(d) => {
            row(&["set".to_owned(), format!("{} from", d.x.title()), "to".to_owned(), d.y.title()]);
            for (name, heights) in &d.heights {
                for (e, h) in d.edges.windows(2).zip(heights) {
                    row(&[name.clone(), number(e[0]), number(e[1]), number(*h)]);
                }
            }
        }
        Shape::Matrix(m) => {
            row(&std::iter::once(format!("{} \\ {}", m.row_axis, m.column_axis))
                .chain(m.columns.iter().cloned())
                .collect::<Vec<_>>());
            for (name, values) in m.rows.iter().zip(m.values.chunks(m.columns.len().max(1))) {
                row(&std::iter::once(name.clone()).chain(values.iter().map(|v| number(*v))).collect::<Vec<_>>());
            }
        }
        Shape::Raster(r) => {
            row(&["population".to_owned(), "unit".to_owned(), r.x.title()]);
            for g in &r.groups {
                for (t, u) in g.times.iter().zip(&g.units) {
                    row(&[g.name.clone(), u.to_string(), number(*t)]);
                }
            }
        }
        Shape::Card(c) => {
            for (heading, text) in &c.sections {
                row(std::slice::from_ref(heading));
                row(&[text.clone(), String::new()]);
            }
        }
        Shape::Image(_) | Shape::Phase(_) | Shape::Graph { .. } => row(&[line(pane)]),
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::content;
    use super::*;

    #[test]
    fn every_pane_has_a_line() {
        let lines = all(&content("a", 10.0));
        assert!(lines.iter().all(|l| l.len() > 12 && !l.contains('\n')), "{lines:?}");
        assert!(lines[0] == "Spikes: exc: 200 spikes of 20 units, from 0 to 1000 ms", "{}", lines[0]);
        assert!(lines.iter().any(|l| l.contains("largest at 10 Hz")), "{lines:?}");
    }

    #[test]
    fn tables_are_cut_at_a_line() {
        let c = content("a", 10.0);
        let text = table(c.pane("spikes").unwrap());
        assert!(text.starts_with("population\tunit\ttime (ms)\nexc\t0\t5\n"));
        assert_eq!(text.lines().count(), 201);
    }
}
