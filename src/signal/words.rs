//! Shapes in words: for screen readers, logs, and people who do not see the pane.

use spikedeck_core::number::{count, counted, shown, with_unit};

use super::card::CardSection;
use super::metric::Metric;
use super::shape::{
    Axis, Curve, Distribution, FixedPoint, GraphEdge, Image, Matrix, PhasePortrait, Raster, ScalarRow, Series, Shape,
};

/// Rows of a table, curves and sets that are told one by one.
const TOLD: usize = 6;

impl Shape {
    /// The shape in one line: what it is, how much of it there is, its range, and where its largest value stands.
    pub fn in_words(&self) -> String {
        match self {
            Self::Scalars(s) if s.rows.is_empty() => "no values".into(),
            Self::Scalars(s) => told(s.rows.iter().map(row), "; and {} more"),
            Self::Series(s) => series(s),
            Self::Distribution(d) => distribution(d),
            Self::Matrix(m) => matrix(m),
            Self::Raster(r) => raster(r),
            Self::Image(i) => image(i),
            Self::Phase(p) => phase(p),
            Self::Graph { nodes, edges } => graph(nodes, edges),
            Self::Card(c) => c.sections.iter().map(section).collect::<Vec<_>>().join("; "),
        }
    }
}

/// The first few of a list, and how many more there are (`{}` in `more`).
fn told(list: impl ExactSizeIterator<Item = String>, more: &str) -> String {
    let left = list.len().saturating_sub(TOLD);
    let mut text = list.take(TOLD).collect::<Vec<_>>().join("; ");
    if left > 0 {
        let more = more.replace("{}", &count(left as u64));
        // What is left may be one.
        text.push_str(if left == 1 { more.trim_end_matches('s') } else { &more });
    }
    text
}

fn finite_range(values: &[f64]) -> Option<(f64, f64)> {
    let finite = values.iter().copied().filter(|v| v.is_finite());
    finite.fold(None, |range, v| Some(range.map_or((v, v), |(low, high): (f64, f64)| (low.min(v), high.max(v)))))
}

fn span(values: &[f64], axis: &Axis) -> String {
    finite_range(values)
        .map_or_else(|| "no values".into(), |(low, high)| format!("{} to {}", shown(low), with_unit(high, &axis.unit)))
}

/// Index of the largest value that is a number.
fn largest(values: impl Iterator<Item = f64>) -> Option<usize> {
    values.enumerate().filter(|v| v.1.is_finite()).max_by(|a, b| a.1.total_cmp(&b.1)).map(|v| v.0)
}

/// A section of a card: its heading and the first line of its text.
fn section(s: &CardSection) -> String {
    let first = s.text.lines().next().unwrap_or_default();
    if s.heading.is_empty() { first.to_owned() } else { format!("{}: {first}", s.heading) }
}

/// A place on an axis: `time 250 ms`.
fn place(axis: &Axis, at: f64) -> String {
    format!("{} {}", axis.label, with_unit(at, &axis.unit))
}

/// A number with what it rests on: every number that screens show beside it; why it is missing, if it is.
fn row(row: &ScalarRow) -> String {
    let m: &Metric = &row.measured;
    let value = match m.value {
        Some(v) => with_unit(v, &m.unit),
        None if m.note.is_empty() => "missing".into(),
        None => format!("missing ({})", m.note),
    };
    let beside = Metric::shown().filter(|(column, _)| column.is_number() && !column.is_required());
    let beside = beside.map(|(column, shown)| (shown.heading, column.text(m))).filter(|(_, text)| !text.is_empty());
    beside.fold(format!("{} {value}", row.name), |told, (heading, text)| format!("{told}, {heading} {text}"))
}

fn series(s: &Series) -> String {
    let one = |c: &Curve| {
        let at = largest(c.y.iter().copied())
            .and_then(|k| c.x.get(k))
            .map_or_else(String::new, |x| format!(", largest at {}", with_unit(*x, &s.x.unit)));
        let name = if c.name.is_empty() { "a curve" } else { &c.name };
        format!("{name} from {}{at}", span(&c.y, &s.y))
    };
    let curves =
        if s.curves.is_empty() { "no curves".into() } else { told(s.curves.iter().map(one), "; and {} more curves") };
    format!("{} over {}: {curves}", s.y.title(), s.x.title())
}

fn distribution(d: &Distribution) -> String {
    let one = |(name, heights): &(String, Vec<f64>)| {
        let bin = largest(heights.iter().copied()).and_then(|k| Some((d.edges.get(k)?, d.edges.get(k + 1)?)));
        let fullest = bin.map_or_else(
            || "no values".into(),
            |(from, to)| format!("fullest bin {} to {}", shown(*from), with_unit(*to, &d.x.unit)),
        );
        if name.is_empty() { fullest } else { format!("{name}: {fullest}") }
    };
    let bins = counted(d.edges.len().saturating_sub(1), "bin", "bins");
    let range = match (d.edges.first(), d.edges.last()) {
        (Some(low), Some(high)) => format!(" from {} to {}", shown(*low), with_unit(*high, &d.x.unit)),
        _ => String::new(),
    };
    format!("histogram of {} in {bins}{range}; {}", d.x.title(), told(d.heights.iter().map(one), "; and {} more sets"))
}

fn matrix(m: &Matrix) -> String {
    let marked = m
        .significant
        .as_ref()
        .map_or_else(String::new, |s| format!(", {} significant", s.iter().filter(|v| **v).count()));
    let across = m.columns.len().max(1);
    let place = largest(m.values.iter().copied())
        .and_then(|k| Some(format!("; largest from {} to {}", m.rows.get(k / across)?, m.columns.get(k % across)?)))
        .unwrap_or_default();
    let size = format!("{} by {} matrix of {}", m.rows.len(), m.columns.len(), m.value.title());
    format!("{size}, {}{marked}{place}", span(&m.values, &m.value))
}

fn raster(r: &Raster) -> String {
    let one = |g: &super::shape::RasterGroup| {
        format!("{}: {} of {}", g.name, counted(g.times.len(), "spike", "spikes"), counted(g.size, "unit", "units"))
    };
    let groups = if r.groups.is_empty() {
        "no spikes".into()
    } else {
        told(r.groups.iter().map(one), "; and {} more populations")
    };
    format!("{groups}, from {} to {}", shown(r.extent.0), with_unit(r.extent.1, &r.x.unit))
}

fn image(i: &Image) -> String {
    let at = |range: (f64, f64), k: usize, n: usize| {
        range.0 + (range.1 - range.0) * k as f64 / n.saturating_sub(1).max(1) as f64
    };
    let top = largest(i.values.iter().copied()).filter(|_| i.height > 0).map_or_else(String::new, |k| {
        let (x, y) = (at(i.x_range, k / i.height, i.width), at(i.y_range, k % i.height, i.height));
        format!("; largest at {}, {}", place(&i.x, x), place(&i.y, y))
    });
    format!("{} over {} and {}: {}{top}", i.value.title(), i.x.title(), i.y.title(), span(&i.values, &i.value))
}

fn phase(p: &PhasePortrait) -> String {
    let one = |f: &FixedPoint| {
        let kind = format!("{}{}", f.stability.word(), if f.spiral { " spiral" } else { "" });
        format!("{kind} at ({}, {})", with_unit(f.x, &p.x.unit), with_unit(f.y, &p.y.unit))
    };
    let points = if p.fixed_points.is_empty() {
        "no fixed points in view".into()
    } else {
        told(p.fixed_points.iter().map(one), "; and {} more fixed points")
    };
    let names: Vec<&str> = p.trajectories.iter().map(|c| c.name.as_str()).collect();
    let paths = match names.len() {
        0 | 1 => counted(names.len(), "trajectory", "trajectories"),
        n if n <= TOLD => format!("{n} curves ({})", names.join(", ")),
        n => format!("{n} curves ({} and others)", names[..TOLD].join(", ")),
    };
    let nullclines = counted(p.nullclines.len(), "nullcline", "nullclines");
    format!("phase plane of {} and {}: {paths}, {nullclines}; {points}", p.x.title(), p.y.title())
}

fn graph(nodes: &[String], edges: &[GraphEdge]) -> String {
    let strongest = largest(edges.iter().map(|e| e.weight.abs())).map(|k| &edges[k]).and_then(|e| {
        Some(format!("; strongest from {} to {} ({})", nodes.get(e.from)?, nodes.get(e.to)?, shown(e.weight)))
    });
    let size = format!("{} and {}", counted(nodes.len(), "node", "nodes"), counted(edges.len(), "edge", "edges"));
    format!("graph of {size}{}", strongest.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::shape::{RasterGroup, Scalars, Stability};
    use super::*;

    #[test]
    fn shapes_say_their_numbers() {
        let metric = Metric::new("exc.spikes", "cv", 0.871_2, "", 10).interval(0.84, 0.9).chance(1.0);
        let missing = Metric::missing("inh.spikes", "cv", "", 0, "silent");
        let scalars = Shape::Scalars(Scalars::from_metrics(&[metric, missing]));
        assert_eq!(
            scalars.in_words(),
            "exc.spikes cv 0.8712, 95 % CI [0.84, 0.9], chance 1, n 10; inh.spikes cv missing (silent), n 0"
        );
        let curve = Curve { name: "exc".into(), x: vec![5.0, 10.0], y: vec![0.5, f64::NAN], ..Curve::default() };
        let series = Series {
            x: Axis::new("frequency", "Hz"),
            y: Axis::new("power", "mV**2/Hz"),
            curves: vec![curve; 8],
            ..Series::default()
        };
        let text = Shape::Series(series).in_words();
        assert!(text.starts_with("power (mV²/Hz) over frequency (Hz): exc from 0.5 to 0.5 mV²/Hz, largest at 5 Hz;"));
        assert!(text.ends_with("; and 2 more curves"), "{text}");
        let raster = Raster {
            x: Axis::new("time", "ms"),
            extent: (0.0, 1000.0),
            groups: vec![RasterGroup { name: "exc".into(), size: 4000, times: vec![1.0], units: vec![0] }],
            ..Raster::default()
        };
        assert_eq!(Shape::Raster(raster).in_words(), "exc: 1 spike of 4,000 units, from 0 to 1,000 ms");
    }

    #[test]
    fn planes_say_where_what_stands() {
        let image = Image {
            x: Axis::new("time", "ms"),
            y: Axis::new("frequency", "Hz"),
            value: Axis::new("power", ""),
            x_range: (0.0, 20.0),
            y_range: (5.0, 10.0),
            width: 3,
            height: 2,
            values: vec![1.0, 2.0, 3.0, f64::NAN, 5.0, 4.0],
            ..Image::default()
        };
        let text = Shape::Image(image).in_words();
        assert_eq!(text, "power over time (ms) and frequency (Hz): 1 to 5; largest at time 20 ms, frequency 5 Hz");
        let point =
            FixedPoint { x: -0.805, y: -0.131, stability: Stability::Unstable, spiral: true, eigenvalues: vec![] };
        let plane = PhasePortrait {
            x: Axis::new("V", ""),
            y: Axis::new("w", ""),
            fixed_points: vec![point],
            ..PhasePortrait::default()
        };
        assert!(Shape::Phase(plane).in_words().ends_with("; unstable spiral at (-0.805, -0.131)"));
        let edges = vec![GraphEdge { from: 1, to: 0, weight: -0.9 }, GraphEdge { from: 0, to: 1, weight: 0.5 }];
        let graph = Shape::Graph { nodes: vec!["L4".into(), "thalamus".into()], edges };
        assert_eq!(graph.in_words(), "graph of 2 nodes and 2 edges; strongest from thalamus to L4 (-0.9)");
    }

    #[test]
    fn empty_shapes_have_words_too() {
        assert_eq!(Shape::Scalars(Scalars::default()).in_words(), "no values");
        assert_eq!(Shape::Series(Series::default()).in_words(), " over : no curves");
        assert!(Shape::Distribution(Distribution::default()).in_words().contains("0 bins"));
        assert!(Shape::Matrix(Matrix::default()).in_words().contains("no values"));
        assert!(Shape::Phase(PhasePortrait::default()).in_words().contains("no fixed points"));
    }
}
