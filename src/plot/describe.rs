//! One line in words for every shape: for screen readers, logs, and people who do not see the pane.

use std::fmt::Write as _;

use super::cells::number;
use super::reduce::Extremes;
use spikedeck_signal::{Axis, NamedShape, Shape, Stability};

fn with_unit(value: f64, unit: &str) -> String {
    if unit.is_empty() { number(value) } else { format!("{} {unit}", number(value)) }
}

fn span(values: &[f64], axis: &Axis) -> String {
    Extremes::of(values)
        .range()
        .map_or_else(|| "no values".into(), |(a, b)| format!("{} to {}", number(a), with_unit(b, &axis.unit)))
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The shape in one line: what it is, how much of it there is, its range, and where its largest value stands.
pub fn describe(shape: &NamedShape) -> String {
    let text = match &shape.shape {
        Shape::Scalars(s) => {
            let one = |r: &spikedeck_signal::ScalarRow| {
                let mut text =
                    format!("{} {}", r.name, r.value.map_or_else(|| "missing".into(), |v| with_unit(v, &r.unit)));
                if let Some((a, b)) = r.interval {
                    let _ = write!(text, " [{}, {}]", number(a), number(b));
                }
                if let Some(c) = r.chance {
                    let _ = write!(text, " (chance {})", number(c));
                }
                text
            };
            let first: Vec<String> = s.rows.iter().take(6).map(one).collect();
            let more = if s.rows.len() > 6 { format!("; and {} more", s.rows.len() - 6) } else { String::new() };
            if first.is_empty() { "no values".into() } else { first.join("; ") + &more }
        }
        Shape::Series(s) => {
            let one = |c: &spikedeck_signal::Curve| {
                let peak =
                    c.y.iter().enumerate().filter(|p| p.1.is_finite()).max_by(|a, b| a.1.total_cmp(b.1)).map(|p| p.0);
                let at = peak
                    .and_then(|k| c.x.get(k))
                    .map_or_else(String::new, |x| format!(", largest at {}", with_unit(*x, &s.x.unit)));
                let name = if c.name.is_empty() { "a curve" } else { &c.name };
                format!("{name} from {}{at}", span(&c.y, &s.y))
            };
            let curves: Vec<String> = s.curves.iter().take(5).map(one).collect();
            let more =
                if s.curves.len() > 5 { format!("; and {} more curves", s.curves.len() - 5) } else { String::new() };
            let all = if curves.is_empty() { "no curves".into() } else { curves.join("; ") + &more };
            format!("{} over {}: {all}", s.y.title(), s.x.title())
        }
        Shape::Distribution(d) => {
            let one = |(name, heights): &(String, Vec<f64>)| {
                let peak = heights
                    .iter()
                    .enumerate()
                    .filter(|p| p.1.is_finite())
                    .max_by(|a, b| a.1.total_cmp(b.1))
                    .map(|p| p.0);
                let place = peak.and_then(|k| Some((d.edges.get(k)?, d.edges.get(k + 1)?)));
                let at = place.map_or_else(
                    || "no values".into(),
                    |(a, b)| format!("fullest bin {} to {}", number(*a), with_unit(*b, &d.x.unit)),
                );
                if name.is_empty() { at } else { format!("{name}: {at}") }
            };
            let sets: Vec<String> = d.heights.iter().map(one).collect();
            format!(
                "histogram of {} in {}; {}",
                d.x.title(),
                plural(d.edges.len().saturating_sub(1), "bin", "bins"),
                sets.join("; ")
            )
        }
        Shape::Matrix(m) => {
            let marked = m
                .significant
                .as_ref()
                .map_or_else(String::new, |s| format!(", {} significant", s.iter().filter(|v| **v).count()));
            let best =
                m.values.iter().enumerate().filter(|p| p.1.is_finite()).max_by(|a, b| a.1.total_cmp(b.1)).map(|p| p.0);
            let columns = m.columns.len().max(1);
            let place = best.and_then(|k| {
                Some(format!("; largest from {} to {}", m.rows.get(k / columns)?, m.columns.get(k % columns)?))
            });
            let size = format!("{} by {} matrix of {}", m.rows.len(), m.columns.len(), m.value.title());
            format!("{size}, {}{marked}{}", span(&m.values, &m.value), place.unwrap_or_default())
        }
        Shape::Raster(r) => {
            let length = r.extent.1 - r.extent.0;
            let one = |g: &spikedeck_signal::RasterGroup| {
                format!("{} spikes of {} in {}", g.times.len(), plural(g.size, "unit", "units"), g.name)
            };
            let groups: Vec<String> = r.groups.iter().map(one).collect();
            format!(
                "{} over {}",
                if groups.is_empty() { "no spikes".into() } else { groups.join("; ") },
                with_unit(length, &r.x.unit)
            )
        }
        Shape::Image(i) => {
            let best =
                i.values.iter().enumerate().filter(|p| p.1.is_finite()).max_by(|a, b| a.1.total_cmp(b.1)).map(|p| p.0);
            let at = |range: (f64, f64), k: usize, n: usize| {
                range.0 + (range.1 - range.0) * k as f64 / n.saturating_sub(1).max(1) as f64
            };
            let place = best
                .filter(|_| i.height > 0)
                .map(|k| (at(i.x_range, k / i.height, i.width), at(i.y_range, k % i.height, i.height)));
            let place = place.map_or_else(String::new, |(x, y)| {
                format!(
                    "; largest at {} {}, {} {}",
                    i.x.label,
                    with_unit(x, &i.x.unit),
                    i.y.label,
                    with_unit(y, &i.y.unit)
                )
            });
            format!(
                "{} over {} and {}: {}{place}",
                i.value.title(),
                i.x.title(),
                i.y.title(),
                span(&i.values, &i.value)
            )
        }
        Shape::Phase(p) => {
            let word = |s: Stability| match s {
                Stability::Stable => "stable",
                Stability::Unstable => "unstable",
                Stability::Saddle => "saddle",
                Stability::Marginal => "undecided",
            };
            let one = |f: &spikedeck_signal::FixedPoint| {
                let kind = format!("{}{}", word(f.stability), if f.spiral { " spiral" } else { "" });
                format!("{kind} at ({}, {})", with_unit(f.x, &p.x.unit), with_unit(f.y, &p.y.unit))
            };
            let points: Vec<String> = p.fixed_points.iter().map(one).collect();
            let points = if points.is_empty() { "no fixed points in view".into() } else { points.join("; ") };
            let paths = plural(p.trajectories.len(), "trajectory", "trajectories");
            format!(
                "phase plane of {} and {}: {paths}, {}; {points}",
                p.x.label,
                p.y.label,
                plural(p.nullclines.len(), "nullcline", "nullclines")
            )
        }
        Shape::Graph { nodes, edges } => {
            let best =
                edges.iter().filter(|e| e.weight.is_finite()).max_by(|a, b| a.weight.abs().total_cmp(&b.weight.abs()));
            let place = best.and_then(|e| {
                Some(format!("; strongest from {} to {} ({})", nodes.get(e.from)?, nodes.get(e.to)?, number(e.weight)))
            });
            format!(
                "graph of {} and {}{}",
                plural(nodes.len(), "node", "nodes"),
                plural(edges.len(), "edge", "edges"),
                place.unwrap_or_default()
            )
        }
        Shape::Card(c) => {
            let headings: Vec<&str> = c.sections.iter().map(|s| s.0.as_str()).filter(|h| !h.is_empty()).collect();
            format!("text: {}", headings.join(", "))
        }
    };
    format!("{}: {text}", shape.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn every_shape_is_one_line_that_says_its_numbers() {
        let all: Vec<String> = samples::all().iter().map(describe).collect();
        assert!(all.iter().all(|t| !t.contains('\n')));
        let spectrum = all.iter().find(|t| t.starts_with("spectrum")).unwrap();
        assert!(spectrum.contains("largest at") && spectrum.contains("Hz"), "{spectrum}");
        assert!(all.iter().any(|t| t.contains("unstable spiral at (-0.805, -0.131)")));
        assert!(all.iter().any(|t| t.contains("strongest from thalamus to L4 (0.9)")));
    }
}
