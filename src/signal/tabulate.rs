//! Shapes ↔ columns: the bulk of a shape as named columns, the rest as a shape without data.

use std::collections::HashSet;

use super::column::{Categories, Column, Values, axis_names};
use super::metric::Metric;
use super::metric_column::MetricKind;
use super::shape::{Axis, Curve, Distribution, GraphEdge, Image, Matrix, PhasePortrait, Raster, ScalarRow, Shape};

impl Shape {
    /// The data of the shape as columns of one length, in the order in which files, figures and the clipboard have
    /// them.
    pub fn columns(&self) -> Vec<Column> {
        match self {
            Self::Scalars(s) => scalar_columns(&s.rows),
            Self::Series(s) => curve_columns(&s.curves, &s.x, &s.y),
            Self::Distribution(d) => bin_columns(d),
            Self::Matrix(m) => entry_columns(m),
            Self::Raster(r) => spike_columns(r),
            Self::Image(i) => pixel_columns(i),
            Self::Phase(p) => plane_columns(p),
            Self::Graph { nodes, edges } => vec![
                Column::new("source", Values::Categories(edges.iter().map(|e| nodes[e.from].as_str()).collect())),
                Column::new("target", Values::Categories(edges.iter().map(|e| nodes[e.to].as_str()).collect())),
                Column::new("source_index", Values::Indices(edges.iter().map(|e| e.from as u32).collect())),
                Column::new("target_index", Values::Indices(edges.iter().map(|e| e.to as u32).collect())),
                Column::new("weight", Values::Numbers(edges.iter().map(|e| e.weight).collect())),
            ],
            Self::Card(c) => vec![
                Column::new("section", Values::Texts(c.sections.iter().map(|s| s.heading.clone()).collect())),
                Column::new("text", Values::Texts(c.sections.iter().map(|s| s.text.clone()).collect())),
            ],
        }
    }

    /// The shape without what its columns hold: axes, names, reference lines, fixed points, text.
    #[must_use]
    pub fn without_data(&self) -> Self {
        match self {
            Self::Scalars(_) => Self::Scalars(super::shape::Scalars::default()),
            Self::Series(s) => Self::Series(super::shape::Series {
                x: s.x.clone(),
                y: s.y.clone(),
                curves: empty_curves(&s.curves),
                references: s.references.clone(),
            }),
            Self::Distribution(d) => Self::Distribution(Distribution {
                x: d.x.clone(),
                y: d.y.clone(),
                edges: Vec::new(),
                heights: distinct(d.heights.iter().map(|h| &h.0)).into_iter().map(|name| (name, Vec::new())).collect(),
                references: d.references.clone(),
            }),
            Self::Matrix(m) => Self::Matrix(Matrix {
                value: m.value.clone(),
                row_axis: m.row_axis.clone(),
                column_axis: m.column_axis.clone(),
                rows: m.rows.clone(),
                columns: m.columns.clone(),
                values: Vec::new(),
                chance: m.chance.as_ref().map(|_| Vec::new()),
                significant: m.significant.as_ref().map(|_| Vec::new()),
                diverging: m.diverging,
            }),
            Self::Raster(r) => Self::Raster(Raster {
                x: r.x.clone(),
                extent: r.extent,
                groups: distinct(r.groups.iter().map(|g| &g.name))
                    .into_iter()
                    .zip(&r.groups)
                    .map(|(name, g)| super::shape::RasterGroup { name, size: g.size, ..Default::default() })
                    .collect(),
                rate: r.rate.clone(),
            }),
            Self::Image(i) => {
                Self::Image(Image { x: i.x.clone(), y: i.y.clone(), value: i.value.clone(), values: Vec::new(), ..*i })
            }
            Self::Phase(p) => Self::Phase(PhasePortrait {
                x: p.x.clone(),
                y: p.y.clone(),
                trajectories: empty_curves(&p.trajectories),
                nullclines: distinct(p.nullclines.iter().map(|n| &n.0))
                    .into_iter()
                    .map(|name| (name, Vec::new()))
                    .collect(),
                fixed_points: p.fixed_points.clone(),
                field: Vec::new(),
            }),
            Self::Graph { nodes, .. } => Self::Graph { nodes: nodes.clone(), edges: Vec::new() },
            Self::Card(c) => Self::Card(c.clone()),
        }
    }

    /// Puts data back into a shape without: `columns` are those of [`Shape::columns`] of this shape, in the same order
    /// and of the same kinds, with rows.
    pub fn fill(&mut self, columns: Vec<Column>) {
        let mut next = Next(columns.into_iter());
        match self {
            Self::Scalars(s) => s.rows = scalar_rows(&mut next),
            Self::Series(s) => fill_curves(&mut s.curves, &mut next),
            Self::Distribution(d) => fill_bins(d, &mut next),
            Self::Matrix(m) => {
                for _ in &PLACE_OF_ENTRY {
                    drop(next.values());
                }
                m.values = next.numbers();
                if let Some(chance) = &mut m.chance {
                    *chance = next.numbers();
                }
                if let Some(significant) = &mut m.significant {
                    *significant = next.flags();
                }
            }
            Self::Raster(r) => {
                let (names, units, times) = (next.names(), next.indices(), next.numbers());
                for group in &mut r.groups {
                    let rows = names.rows_of(&group.name);
                    group.units = rows.iter().map(|&k| units[k]).collect();
                    group.times = rows.iter().map(|&k| times[k]).collect();
                }
            }
            Self::Image(i) => {
                next.numbers();
                next.numbers();
                i.values = next.numbers();
            }
            Self::Phase(p) => fill_plane(p, &mut next),
            Self::Graph { edges, .. } => {
                next.names();
                next.names();
                let (from, to, weight) = (next.indices(), next.indices(), next.numbers());
                *edges = (0..weight.len())
                    .map(|k| GraphEdge { from: from[k] as usize, to: to[k] as usize, weight: weight[k] })
                    .collect();
            }
            Self::Card(_) => {}
        }
    }
}

/// Columns one after the other, each of the kind that is expected.
struct Next(std::vec::IntoIter<Column>);

impl Next {
    fn values(&mut self) -> Values {
        self.0.next().expect("columns are those of the shape that is filled").values
    }

    fn numbers(&mut self) -> Vec<f64> {
        match self.values() {
            Values::Numbers(v) | Values::Measured(v) => v,
            Values::Optional(v) => v.into_iter().map(|x| x.unwrap_or(f64::NAN)).collect(),
            _ => unreachable!("columns are of the kinds of the shape that is filled"),
        }
    }

    fn indices(&mut self) -> Vec<u32> {
        let Values::Indices(v) = self.values() else { unreachable!("the shape has unit numbers here") };
        v
    }

    fn flags(&mut self) -> Vec<bool> {
        let Values::Flags(v) = self.values() else { unreachable!("the shape has yes or no here") };
        v
    }

    fn names(&mut self) -> Categories {
        let Values::Categories(v) = self.values() else { unreachable!("the shape has names here") };
        v
    }
}

/// A number, if it is one.
fn known(v: f64) -> Option<f64> {
    (!v.is_nan()).then_some(v)
}

fn scalar_columns(rows: &[ScalarRow]) -> Vec<Column> {
    let mut columns = vec![Column::new("name", Values::Texts(rows.iter().map(|r| r.name.clone()).collect()))];
    columns.extend(Metric::measured().map(|column| {
        let of = rows.iter().map(|r| &r.measured);
        let values = match column.kind {
            MetricKind::Key(get, _) | MetricKind::Name(get, _) => Values::Categories(of.map(get).collect()),
            MetricKind::Text(get, _) => Values::Texts(of.map(|m| get(m).to_owned()).collect()),
            MetricKind::Value(get, _) | MetricKind::Number(get, _) | MetricKind::P(get, _) => {
                Values::Optional(of.map(get).collect())
            }
            MetricKind::Count(get, _) => Values::Counts(of.map(get).collect()),
        };
        Column::new(column.name, values)
    }));
    columns
}

fn scalar_rows(next: &mut Next) -> Vec<ScalarRow> {
    let Values::Texts(names) = next.values() else { unreachable!("rows of numbers begin with their name") };
    let mut rows: Vec<ScalarRow> = names.into_iter().map(|name| ScalarRow { name, ..ScalarRow::default() }).collect();
    for (column, found) in Metric::measured().zip(next.0.by_ref()) {
        let of = rows.iter_mut().map(|r| &mut r.measured);
        match (column.kind, found.values) {
            (MetricKind::Key(_, set) | MetricKind::Name(_, set), Values::Categories(v)) => {
                of.enumerate().for_each(|(k, m)| set(m, v.text(k).to_owned()));
            }
            (MetricKind::Text(_, set), Values::Texts(v)) => of.zip(v).for_each(|(m, v)| set(m, v)),
            (MetricKind::Value(_, set) | MetricKind::Number(_, set) | MetricKind::P(_, set), Values::Optional(v)) => {
                of.zip(v).for_each(|(m, v)| set(m, v));
            }
            (MetricKind::Count(_, set), Values::Counts(v)) => of.zip(v).for_each(|(m, v)| set(m, v)),
            (kind, _) => unreachable!("a column of the kind {kind:?} is read as it is written"),
        }
    }
    rows
}

/// Names of the parts of a shape, of which those that repeat have numbers, so that a table tells them apart.
fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut used: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    for written in names {
        let mut name = written.clone();
        let mut k = 2;
        while !known.insert(name.clone()) {
            name = format!("{written} ({k})");
            k += 1;
        }
        used.push(name);
    }
    used
}

/// The same of curves.
fn distinct_curves(curves: &[Curve]) -> Vec<String> {
    distinct(curves.iter().map(|c| &c.name))
}

/// Lower and upper ends of a band.
type Ends = (Vec<f64>, Vec<f64>);

fn empty_curves(curves: &[Curve]) -> Vec<Curve> {
    let empty = |(name, c): (String, &Curve)| Curve {
        name,
        band: c.band.as_ref().map(|_| Default::default()),
        style: c.style,
        ..Curve::default()
    };
    distinct_curves(curves).into_iter().zip(curves).map(empty).collect()
}

fn curve_columns(curves: &[Curve], x: &Axis, y: &Axis) -> Vec<Column> {
    let [x_name, y_name] = axis_names([x, y], &["curve", "low", "high"]);
    let mut names = Categories::default();
    for (name, curve) in distinct_curves(curves).iter().zip(curves) {
        names.push(name, curve.x.len());
    }
    let all = |of: fn(&Curve) -> &[f64]| curves.iter().flat_map(|c| of(c).iter().copied()).collect();
    let mut columns = vec![
        Column::new("curve", Values::Categories(names)),
        Column::new(x_name, Values::Numbers(all(|c| &c.x))).of_unit(&x.unit),
        Column::new(y_name, Values::Measured(all(|c| &c.y))).of_unit(&y.unit),
    ];
    if curves.iter().any(|c| c.band.is_some()) {
        let ends = |of: fn(&Ends) -> &[f64]| {
            let each = curves.iter().flat_map(|c| -> Vec<Option<f64>> {
                match &c.band {
                    Some(band) => of(band).iter().map(|v| known(*v)).collect(),
                    None => vec![None; c.x.len()],
                }
            });
            Values::Optional(each.collect())
        };
        columns.push(Column::new("low", ends(|b| &b.0)).of_unit(&y.unit));
        columns.push(Column::new("high", ends(|b| &b.1)).of_unit(&y.unit));
    }
    columns
}

fn fill_curves(curves: &mut [Curve], next: &mut Next) {
    let (names, x, y) = (next.names(), next.numbers(), next.numbers());
    let band = curves.iter().any(|c| c.band.is_some()).then(|| (next.numbers(), next.numbers()));
    for curve in curves {
        let rows = names.rows_of(&curve.name);
        let of = |values: &[f64]| rows.iter().map(|&k| values[k]).collect();
        curve.x = of(&x);
        curve.y = of(&y);
        if let (Some(ends), Some((low, high))) = (&mut curve.band, &band) {
            *ends = (of(low), of(high));
        }
    }
}

fn bin_columns(d: &Distribution) -> Vec<Column> {
    let height = d.y.unit_after("height");
    let [x] = axis_names([&d.x], &["set", &height]);
    let bins = d.edges.len().saturating_sub(1);
    let (mut sets, mut from, mut to, mut all) = (Categories::default(), Vec::new(), Vec::new(), Vec::new());
    for (name, (_, heights)) in distinct(d.heights.iter().map(|h| &h.0)).iter().zip(&d.heights) {
        let n = heights.len().min(bins);
        sets.push(name, n);
        from.extend_from_slice(&d.edges[..n]);
        to.extend(d.edges.iter().skip(1).take(n));
        all.extend_from_slice(&heights[..n]);
    }
    vec![
        Column::new("set", Values::Categories(sets)),
        Column::new(format!("{x}_from"), Values::Numbers(from)).of_unit(&d.x.unit),
        Column::new(format!("{x}_to"), Values::Numbers(to)).of_unit(&d.x.unit),
        Column::new(height, Values::Measured(all)).of_unit(&d.y.unit),
    ]
}

fn fill_bins(d: &mut Distribution, next: &mut Next) {
    let (sets, from, to, all) = (next.names(), next.numbers(), next.numbers(), next.numbers());
    for (name, heights) in &mut d.heights {
        let rows = sets.rows_of(name);
        *heights = rows.iter().map(|&k| all[k]).collect();
        if d.edges.is_empty() {
            d.edges = rows.iter().map(|&k| from[k]).chain(rows.last().map(|&k| to[k])).collect();
        }
    }
}

/// Columns of a matrix that say where an entry stands: numbers from 0, and what its row and column are called.
pub const PLACE_OF_ENTRY: [&str; 4] = ["row", "column", "row_name", "column_name"];

fn entry_columns(m: &Matrix) -> Vec<Column> {
    let across = m.columns.len().max(1);
    let entries = 0..m.values.len();
    let [row, column, row_name, column_name] = PLACE_OF_ENTRY;
    let mut columns = vec![
        Column::new(row, Values::Indices(entries.clone().map(|k| (k / across) as u32).collect())),
        Column::new(column, Values::Indices(entries.clone().map(|k| (k % across) as u32).collect())),
        Column::new(row_name, Values::Categories(entries.clone().map(|k| m.rows[k / across].as_str()).collect())),
        Column::new(column_name, Values::Categories(entries.map(|k| m.columns[k % across].as_str()).collect())),
        Column::new(m.value.unit_after("value"), Values::Measured(m.values.clone())).of_unit(&m.value.unit),
    ];
    if let Some(chance) = &m.chance {
        let name = m.value.unit_after("chance");
        columns.push(Column::new(name, Values::Measured(chance.clone())).of_unit(&m.value.unit));
    }
    if let Some(significant) = &m.significant {
        columns.push(Column::new("significant", Values::Flags(significant.clone())));
    }
    columns
}

fn spike_columns(r: &Raster) -> Vec<Column> {
    let time = if r.x.unit.is_empty() { "time".to_owned() } else { format!("time_{}", r.x.unit) };
    let mut names = Categories::default();
    for (name, group) in distinct(r.groups.iter().map(|g| &g.name)).iter().zip(&r.groups) {
        names.push(name, group.times.len());
    }
    vec![
        Column::new("population", Values::Categories(names)),
        Column::new("unit", Values::Indices(r.groups.iter().flat_map(|g| g.units.iter().copied()).collect())),
        Column::new(time, Values::Numbers(r.groups.iter().flat_map(|g| g.times.iter().copied()).collect()))
            .of_unit(&r.x.unit),
    ]
}

fn pixel_columns(i: &Image) -> Vec<Column> {
    let value = i.value.unit_after("value");
    let [x, y] = axis_names([&i.x, &i.y], &[&value]);
    let place = |range: (f64, f64), n: usize, k: usize| {
        if n < 2 { range.0 } else { range.0 + (range.1 - range.0) * k as f64 / (n - 1) as f64 }
    };
    let pixels = 0..i.width * i.height;
    let across = pixels.clone().map(|k| place(i.x_range, i.width, k / i.height)).collect();
    let up = pixels.map(|k| place(i.y_range, i.height, k % i.height)).collect();
    vec![
        Column::new(x, Values::Numbers(across)).of_unit(&i.x.unit),
        Column::new(y, Values::Numbers(up)).of_unit(&i.y.unit),
        Column::new(value, Values::Measured(i.values.clone())).of_unit(&i.value.unit),
    ]
}

/// Rows of the table of a phase portrait.
#[derive(Default)]
struct PlaneRows {
    what: Categories,
    name: Categories,
    from: [Vec<f64>; 2],
    to: [Vec<Option<f64>>; 2],
}

impl PlaneRows {
    fn push(&mut self, what: &str, name: &str, from: [f64; 2], to: [Option<f64>; 2]) {
        self.what.push(what, 1);
        self.name.push(name, 1);
        for k in 0..2 {
            self.from[k].push(from[k]);
            self.to[k].push(to[k]);
        }
    }
}

fn plane_columns(p: &PhasePortrait) -> Vec<Column> {
    let [x, y] = axis_names([&p.x, &p.y], &["what", "name", "x_end", "y_end"]);
    let mut rows = PlaneRows::default();
    for (name, curve) in distinct_curves(&p.trajectories).iter().zip(&p.trajectories) {
        for (x, y) in curve.x.iter().zip(&curve.y) {
            rows.push("trajectory", name, [*x, *y], [None, None]);
        }
    }
    for (name, (_, segments)) in distinct(p.nullclines.iter().map(|n| &n.0)).iter().zip(&p.nullclines) {
        for [x0, y0, x1, y1] in segments {
            rows.push("nullcline", name, [*x0, *y0], [Some(*x1), Some(*y1)]);
        }
    }
    for [x, y, dx, dy] in &p.field {
        rows.push("field", "", [*x, *y], [Some(*dx), Some(*dy)]);
    }
    for point in &p.fixed_points {
        rows.push("fixed point", point.stability.word(), [point.x, point.y], [None, None]);
    }
    let ([from_x, from_y], [to_x, to_y]) = (rows.from, rows.to);
    vec![
        Column::new("what", Values::Categories(rows.what)),
        Column::new("name", Values::Categories(rows.name)),
        Column::new(x, Values::Numbers(from_x)).of_unit(&p.x.unit),
        Column::new(y, Values::Numbers(from_y)).of_unit(&p.y.unit),
        Column::new("x_end", Values::Optional(to_x)).of_unit(&p.x.unit),
        Column::new("y_end", Values::Optional(to_y)).of_unit(&p.y.unit),
    ]
}

fn fill_plane(p: &mut PhasePortrait, next: &mut Next) {
    let (what, name) = (next.names(), next.names());
    let [x, y, x_end, y_end] = std::array::from_fn(|_| next.numbers());
    for curve in &mut p.trajectories {
        for k in name.rows_of(&curve.name).into_iter().filter(|&k| what.text(k) == "trajectory") {
            curve.x.push(x[k]);
            curve.y.push(y[k]);
        }
    }
    for (nullcline, segments) in &mut p.nullclines {
        let rows = name.rows_of(nullcline).into_iter().filter(|&k| what.text(k) == "nullcline");
        segments.extend(rows.map(|k| [x[k], y[k], x_end[k], y_end[k]]));
    }
    p.field = what.rows_of("field").into_iter().map(|k| [x[k], y[k], x_end[k], y_end[k]]).collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{RasterGroup, Series};

    /// Parts keep their data through columns whatever they are called, and are called differently after it.
    #[test]
    fn parts_of_one_name_are_told_apart() {
        let lists: [&[&str]; 4] = [&["a", "a"], &["a", "b", "a", "a"], &["a", "a", "a (2)"], &["a (2)", "a", "a", "b"]];
        for names in lists {
            let numbered = || names.iter().enumerate().map(|(k, name)| ((*name).to_owned(), k as f64));
            let curve =
                |(name, k): (String, f64)| Curve { name, x: vec![k, k + 0.5], y: vec![-k, k], ..Curve::default() };
            let curves: Vec<Curve> = numbered().map(curve).collect();
            let groups = numbered().map(|(name, k)| RasterGroup {
                name,
                size: 3,
                times: vec![k; k as usize + 1],
                units: vec![k as u32; k as usize + 1],
            });
            let segments = |k: f64| vec![[k, 0.0, k, 1.0]; k as usize + 1];
            let shapes = [
                Shape::Series(Series { curves: curves.clone(), ..Series::default() }),
                Shape::Raster(Raster { groups: groups.collect(), ..Raster::default() }),
                Shape::Distribution(Distribution {
                    edges: vec![0.0, 1.0, 2.0],
                    heights: numbered().map(|(name, k)| (name, vec![k, k + 1.0])).collect(),
                    ..Distribution::default()
                }),
                Shape::Phase(PhasePortrait {
                    trajectories: curves,
                    nullclines: numbered().map(|(name, k)| (name, segments(k))).collect(),
                    ..PhasePortrait::default()
                }),
            ];
            for shape in shapes {
                let mut back = shape.without_data();
                back.fill(shape.columns());
                let (mut wanted, mut left) = (shape.clone(), Vec::new());
                rename(&mut wanted, &mut |_| String::new());
                rename(&mut back, &mut |name| {
                    left.push(name.to_owned());
                    String::new()
                });
                assert_eq!(back, wanted);
                let kinds = if matches!(shape, Shape::Phase(_)) { 2 } else { 1 };
                for kind in left.chunks(left.len() / kinds) {
                    assert_eq!(kind.iter().collect::<HashSet<_>>().len(), names.len(), "{kind:?}");
                }
            }
        }
    }

    fn rename(shape: &mut Shape, name: &mut dyn FnMut(&str) -> String) {
        match shape {
            Shape::Series(s) => s.curves.iter_mut().for_each(|c| c.name = name(&c.name)),
            Shape::Raster(r) => r.groups.iter_mut().for_each(|g| g.name = name(&g.name)),
            Shape::Distribution(d) => d.heights.iter_mut().for_each(|h| h.0 = name(&h.0)),
            Shape::Phase(p) => {
                p.trajectories.iter_mut().for_each(|c| c.name = name(&c.name));
                p.nullclines.iter_mut().for_each(|n| n.0 = name(&n.0));
            }
            Shape::Scalars(_) | Shape::Matrix(_) | Shape::Image(_) | Shape::Graph { .. } | Shape::Card(_) => {
                unreachable!("has no named parts")
            }
        }
    }
}
