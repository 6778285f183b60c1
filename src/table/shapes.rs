//! Shapes ↔ tables: the bulk of a shape as columns, the rest as a shape without data.

use super::error::TableError;
use spikedeck_core::units::parse_unit;
use spikedeck_signal::{Axis, Curve, GraphEdge, PhasePortrait, RasterGroup, ScalarRow, Shape};
use spikedeck_store::{Column, StoreError, Table};

/// The table of a shape, and the shape with its bulk data taken out.
pub fn to_table(shape: &Shape) -> (Table, Shape) {
    let mut rest = shape.clone();
    let table = match &mut rest {
        Shape::Scalars(s) => {
            let rows = std::mem::take(&mut s.rows);
            Table::new()
                .with("name", Column::Text(rows.iter().map(|r| r.name.clone()).collect()))
                .with("value", Column::OptF64(rows.iter().map(|r| r.value).collect()))
                .with("unit", Column::categories(rows.iter().map(|r| &r.unit)))
                .with("ci_low", Column::OptF64(rows.iter().map(|r| r.interval.map(|i| i.0)).collect()))
                .with("ci_high", Column::OptF64(rows.iter().map(|r| r.interval.map(|i| i.1)).collect()))
                .with("chance", Column::OptF64(rows.iter().map(|r| r.chance).collect()))
                .with("p_value", Column::OptF64(rows.iter().map(|r| r.p_value).collect()))
                .with("n", Column::OptU64(rows.iter().map(|r| r.n).collect()))
                .with("note", Column::Text(rows.iter().map(|r| r.note.clone()).collect()))
        }
        Shape::Series(s) => {
            let [x, y] = column_names([&s.x, &s.y], &["curve", "low", "high"]);
            curves_table(&mut s.curves, x, y)
        }
        Shape::Distribution(d) => {
            let edges = std::mem::take(&mut d.edges);
            let bins = edges.len().saturating_sub(1);
            let [x] = column_names([&d.x], &["set", "height"]);
            let mut rows: (Vec<String>, Vec<f64>, Vec<f64>, Vec<f64>) = Default::default();
            for (name, heights) in &mut d.heights {
                for (k, h) in std::mem::take(heights).into_iter().enumerate().take(bins) {
                    rows.0.push(name.clone());
                    rows.1.push(edges[k]);
                    rows.2.push(edges[k + 1]);
                    rows.3.push(h);
                }
            }
            Table::new()
                .with("set", Column::categories(rows.0))
                .with(format!("{x}_from"), Column::F64(rows.1))
                .with(format!("{x}_to"), Column::F64(rows.2))
                .with("height", Column::measured(rows.3))
        }
        Shape::Matrix(m) => {
            let columns = m.columns.len();
            let at = |k: usize| (k / columns.max(1), k % columns.max(1));
            let n = m.values.len();
            let mut table = Table::new()
                .with("row", Column::categories((0..n).map(|k| &m.rows[at(k).0])))
                .with("column", Column::categories((0..n).map(|k| &m.columns[at(k).1])))
                .with("value", Column::measured(std::mem::take(&mut m.values)));
            if let Some(chance) = &mut m.chance {
                table = table.with("chance", Column::measured(std::mem::take(chance)));
            }
            if let Some(significant) = &mut m.significant {
                table = table.with("significant", Column::Bool(std::mem::take(significant)));
            }
            table
        }
        Shape::Raster(r) => {
            let time = if r.x.unit.is_empty() { "time".to_owned() } else { format!("time_{}", r.x.unit) };
            let mut rows: (Vec<String>, Vec<u32>, Vec<f64>) = Default::default();
            for group in &mut r.groups {
                rows.0.extend(std::iter::repeat_n(group.name.clone(), group.times.len()));
                rows.1.append(&mut group.units);
                rows.2.append(&mut group.times);
            }
            Table::new()
                .with("population", Column::categories(rows.0))
                .with("unit", Column::U32(rows.1))
                .with(time, Column::F64(rows.2))
        }
        Shape::Image(i) => {
            let [x, y] = column_names([&i.x, &i.y], &["value"]);
            let place = |range: (f64, f64), n: usize, k: usize| {
                if n < 2 { range.0 } else { range.0 + (range.1 - range.0) * k as f64 / (n - 1) as f64 }
            };
            let cells = i.width * i.height;
            Table::new()
                .with(x, Column::F64((0..cells).map(|c| place(i.x_range, i.width, c / i.height)).collect()))
                .with(y, Column::F64((0..cells).map(|c| place(i.y_range, i.height, c % i.height)).collect()))
                .with("value", Column::measured(std::mem::take(&mut i.values)))
        }
        Shape::Phase(p) => phase_table(p),
        Shape::Graph { nodes, edges } => {
            let edges = std::mem::take(edges);
            Table::new()
                .with("source", Column::categories(edges.iter().map(|e| &nodes[e.from])))
                .with("target", Column::categories(edges.iter().map(|e| &nodes[e.to])))
                .with("source_index", Column::U32(edges.iter().map(|e| e.from as u32).collect()))
                .with("target_index", Column::U32(edges.iter().map(|e| e.to as u32).collect()))
                .with("weight", Column::F64(edges.iter().map(|e| e.weight).collect()))
        }
        Shape::Card(c) => Table::new()
            .with("section", Column::Text(c.sections.iter().map(|s| s.0.clone()).collect()))
            .with("text", Column::Text(c.sections.iter().map(|s| s.1.clone()).collect())),
    };
    (table, rest)
}

/// The rate below a raster, as a shape of its own (it has its own table).
pub(super) fn raster_rate(shape: &mut Shape) -> Option<Shape> {
    match shape {
        Shape::Raster(r) if r.rate.curves.iter().any(|c| !c.x.is_empty()) => {
            let rate = r.rate.clone();
            for curve in &mut r.rate.curves {
                *curve = Curve { name: curve.name.clone(), style: curve.style, ..Curve::default() };
            }
            Some(Shape::Series(rate))
        }
        _ => None,
    }
}

/// A number, if it is one.
fn known(v: f64) -> Option<f64> {
    (!v.is_nan()).then_some(v)
}

/// Gives curves of one name numbers, so that a table tells them apart.
fn distinct(curves: &mut [Curve]) {
    let mut used: Vec<String> = Vec::with_capacity(curves.len());
    for curve in curves {
        let name = curve.name.clone();
        let mut k = 2;
        while used.contains(&curve.name) {
            curve.name = format!("{name} ({k})");
            k += 1;
        }
        used.push(curve.name.clone());
    }
}

#[expect(clippy::type_complexity, reason = "columns of one table, written out where they are named")]
fn curves_table(curves: &mut [Curve], x: String, y: String) -> Table {
    distinct(curves);
    let banded = curves.iter().any(|c| c.band.is_some());
    let mut rows: (Vec<String>, Vec<f64>, Vec<f64>, Vec<Option<f64>>, Vec<Option<f64>>) = Default::default();
    for curve in curves {
        let n = curve.x.len();
        rows.0.extend(std::iter::repeat_n(curve.name.clone(), n));
        rows.1.append(&mut curve.x);
        rows.2.append(&mut curve.y);
        match &mut curve.band {
            Some((low, high)) => {
                rows.3.extend(std::mem::take(low).into_iter().map(known));
                rows.4.extend(std::mem::take(high).into_iter().map(known));
            }
            None => {
                rows.3.extend(std::iter::repeat_n(None, n));
                rows.4.extend(std::iter::repeat_n(None, n));
            }
        }
    }
    let mut table = Table::new()
        .with("curve", Column::categories(rows.0))
        .with(x, Column::F64(rows.1))
        .with(y, Column::measured(rows.2));
    if banded {
        table = table.with("low", Column::OptF64(rows.3)).with("high", Column::OptF64(rows.4));
    }
    table
}

#[expect(clippy::type_complexity, reason = "columns of one table, written out where they are named")]
fn phase_table(p: &mut PhasePortrait) -> Table {
    let [x, y] = column_names([&p.x, &p.y], &["what", "name", "x_end", "y_end"]);
    let mut rows: (Vec<&str>, Vec<String>, Vec<f64>, Vec<f64>, Vec<Option<f64>>, Vec<Option<f64>>) = Default::default();
    let mut push = |what: &'static str, name: &str, from: (f64, f64), to: Option<(f64, f64)>| {
        rows.0.push(what);
        rows.1.push(name.to_owned());
        rows.2.push(from.0);
        rows.3.push(from.1);
        rows.4.push(to.map(|t| t.0));
        rows.5.push(to.map(|t| t.1));
    };
    distinct(&mut p.trajectories);
    for curve in &mut p.trajectories {
        for (x, y) in std::mem::take(&mut curve.x).into_iter().zip(std::mem::take(&mut curve.y)) {
            push("trajectory", &curve.name, (x, y), None);
        }
    }
    for (name, segments) in &mut p.nullclines {
        for [x0, y0, x1, y1] in std::mem::take(segments) {
            push("nullcline", name, (x0, y0), Some((x1, y1)));
        }
    }
    for [x, y, dx, dy] in std::mem::take(&mut p.field) {
        push("field", "", (x, y), Some((dx, dy)));
    }
    for point in &p.fixed_points {
        push("fixed point", &format!("{:?}", point.stability).to_lowercase(), (point.x, point.y), None);
    }
    Table::new()
        .with("what", Column::categories(rows.0))
        .with("name", Column::categories(rows.1))
        .with(x, Column::F64(rows.2))
        .with(y, Column::F64(rows.3))
        .with("x_end", Column::OptF64(rows.4))
        .with("y_end", Column::OptF64(rows.5))
}

/// Puts the data of `table` back into the shape that [`to_table`] left.
///
/// # Errors
/// When a column is missing.
pub fn from_table(rest: &Shape, table: &Table) -> Result<Shape, TableError> {
    let mut shape = rest.clone();
    let nth = |k: usize| table.columns.get(k).map_or("", |c| c.0.as_str());
    match &mut shape {
        Shape::Scalars(s) => {
            let (name, unit, note) = (table.texts("name")?, table.texts("unit")?, table.texts("note")?);
            let [value, low, high, chance, p] = [
                table.optional_numbers("value")?,
                table.optional_numbers("ci_low")?,
                table.optional_numbers("ci_high")?,
                table.optional_numbers("chance")?,
                table.optional_numbers("p_value")?,
            ];
            let n = table.optional_whole_numbers("n")?;
            s.rows = (0..name.len())
                .map(|k| ScalarRow {
                    name: name[k].clone(),
                    value: value[k],
                    unit: unit[k].clone(),
                    interval: low[k].zip(high[k]),
                    chance: chance[k],
                    p_value: p[k],
                    n: n[k],
                    note: note[k].clone(),
                })
                .collect();
        }
        Shape::Series(s) => fill_curves(&mut s.curves, table)?,
        Shape::Distribution(d) => {
            let sets = table.texts("set")?;
            let (from, to, heights) = (table.numbers(nth(1))?, table.numbers(nth(2))?, table.numbers("height")?);
            for (name, target) in &mut d.heights {
                let rows: Vec<usize> = (0..sets.len()).filter(|&k| sets[k] == *name).collect();
                *target = rows.iter().map(|&k| heights[k]).collect();
                if d.edges.is_empty() {
                    d.edges = rows.iter().map(|&k| from[k]).chain(rows.last().map(|&k| to[k])).collect();
                }
            }
        }
        Shape::Matrix(m) => {
            m.values = table.numbers("value")?;
            if let Some(chance) = &mut m.chance {
                *chance = table.numbers("chance")?;
            }
            if let Some(significant) = &mut m.significant {
                *significant = table.texts("significant")?.iter().map(|t| t == "true").collect();
            }
        }
        Shape::Raster(r) => {
            let (names, codes) = table.categories("population")?;
            let (units, times) = (table.unit_numbers("unit")?, table.numbers(nth(2))?);
            for (name, group) in group_index(&names, &r.groups) {
                let RasterGroup { units: u, times: t, .. } = &mut r.groups[group];
                for k in (0..codes.len()).filter(|&k| codes[k] == name) {
                    u.push(units[k]);
                    t.push(times[k]);
                }
            }
        }
        Shape::Image(i) => i.values = table.numbers("value")?,
        Shape::Phase(p) => fill_phase(p, table)?,
        Shape::Graph { edges, .. } => {
            let (from, to, weight) =
                (table.unit_numbers("source_index")?, table.unit_numbers("target_index")?, table.numbers("weight")?);
            *edges = (0..weight.len())
                .map(|k| GraphEdge { from: from[k] as usize, to: to[k] as usize, weight: weight[k] })
                .collect();
        }
        Shape::Card(_) => {}
    }
    Ok(shape)
}

fn group_index(names: &[String], groups: &[RasterGroup]) -> Vec<(u32, usize)> {
    names
        .iter()
        .enumerate()
        .filter_map(|(k, n)| groups.iter().position(|g| g.name == *n).map(|g| (k as u32, g)))
        .collect()
}

/// Fills curves by name.
pub(super) fn fill_curves(curves: &mut [Curve], table: &Table) -> Result<(), StoreError> {
    let (names, codes) = table.categories("curve")?;
    let nth = |k: usize| table.columns.get(k).map_or("", |c| c.0.as_str());
    let (x, y) = (table.numbers(nth(1))?, table.numbers(nth(2))?);
    let band = if table.get("low").is_some() { Some((table.numbers("low")?, table.numbers("high")?)) } else { None };
    for curve in curves {
        let Some(code) = names.iter().position(|n| *n == curve.name) else { continue };
        let rows: Vec<usize> = (0..codes.len()).filter(|&k| codes[k] as usize == code).collect();
        curve.x = rows.iter().map(|&k| x[k]).collect();
        curve.y = rows.iter().map(|&k| y[k]).collect();
        if let (Some((low, high)), Some(ends)) = (&mut curve.band, &band) {
            *low = rows.iter().map(|&k| ends.0[k]).collect();
            *high = rows.iter().map(|&k| ends.1[k]).collect();
        }
    }
    Ok(())
}

fn fill_phase(p: &mut PhasePortrait, table: &Table) -> Result<(), StoreError> {
    let nth = |k: usize| table.columns.get(k).map_or("", |c| c.0.as_str());
    let (what, name) = (table.texts("what")?, table.texts("name")?);
    let (x, y) = (table.numbers(nth(2))?, table.numbers(nth(3))?);
    let (x_end, y_end) = (table.numbers("x_end")?, table.numbers("y_end")?);
    for k in 0..what.len() {
        match what[k].as_str() {
            "trajectory" => {
                if let Some(curve) = p.trajectories.iter_mut().find(|c| c.name == name[k]) {
                    curve.x.push(x[k]);
                    curve.y.push(y[k]);
                }
            }
            "nullcline" => {
                if let Some((_, segments)) = p.nullclines.iter_mut().find(|n| n.0 == name[k]) {
                    segments.push([x[k], y[k], x_end[k], y_end[k]]);
                }
            }
            // What another program put into the file is left.
            other => {
                if other == "field" {
                    p.field.push([x[k], y[k], x_end[k], y_end[k]]);
                }
            }
        }
    }
    Ok(())
}

/// Column names of axes (`frequency_Hz`), different from each other and from `taken`.
fn column_names<const N: usize>(axes: [&Axis; N], taken: &[&str]) -> [String; N] {
    let mut used: Vec<String> = taken.iter().map(ToString::to_string).collect();
    axes.map(|axis| {
        let label: String = axis
            .label
            .trim()
            .chars()
            .map(|c| if c.is_alphanumeric() || c == '_' || c == '.' { c } else { '_' })
            .collect();
        let mut name = if label.is_empty() { "value".to_owned() } else { label };
        if !axis.unit.is_empty() {
            name = format!("{name}_{}", unit_suffix(&axis.unit));
        }
        while used.contains(&name) {
            name.push('_');
        }
        used.push(name.clone());
        name
    })
}

/// A unit as the end of a column name: the table's suffix where the unit is a display unit, else letters and digits
/// only.
fn unit_suffix(unit: &str) -> String {
    if let Ok((scale, dimension)) = parse_unit(unit) {
        let display = spikedeck_core::units::display_unit(dimension);
        if (display.scale / scale - 1.0).abs() < 1e-12 && !display.suffix.is_empty() {
            return display.suffix;
        }
    }
    let text = unit.replace("**", "").replace('²', "2").replace('^', "").replace('/', "_per_").replace('%', "percent");
    let text: String = text.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    text.split('_').filter(|p| !p.is_empty()).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_signal::{
        Card, CurveStyle, Distribution, FixedPoint, Image, Matrix, Raster, Scalars, Series, Stability,
    };

    fn curve(name: &str, band: bool) -> Curve {
        Curve {
            name: name.into(),
            x: vec![1.0, 2.0],
            y: vec![0.5, -1.0],
            band: band.then(|| (vec![0.0, -2.0], vec![1.0, 0.0])),
            style: CurveStyle::Steps,
        }
    }

    fn shapes() -> Vec<Shape> {
        let series = Series {
            x: Axis::new("frequency", "Hz").log(),
            y: Axis::new("power", "mV**2/Hz"),
            curves: vec![curve("a", true), curve("b", false)],
            references: vec![],
        };
        vec![
            Shape::Scalars(Scalars {
                rows: vec![ScalarRow {
                    name: "x".into(),
                    value: Some(1.0),
                    interval: Some((0.0, 2.0)),
                    n: Some(4),
                    ..ScalarRow::default()
                }],
            }),
            Shape::Series(series.clone()),
            Shape::Distribution(Distribution {
                x: Axis::new("interval", "ms"),
                edges: vec![0.0, 1.0, 3.0],
                heights: vec![("a".into(), vec![1.0, 2.0]), ("b".into(), vec![0.0, 5.0])],
                ..Distribution::default()
            }),
            Shape::Matrix(Matrix {
                rows: vec!["r0".into(), "r1".into()],
                columns: vec!["c0".into(), "c1".into(), "c2".into()],
                values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
                chance: Some(vec![0.1; 6]),
                significant: Some(vec![true, false, true, false, false, true]),
                ..Matrix::default()
            }),
            Shape::Raster(Raster {
                x: Axis::time(spikedeck_signal::TimeBase::Milliseconds),
                extent: (0.0, 10.0),
                groups: vec![
                    RasterGroup { name: "e".into(), size: 2, times: vec![1.0, 2.0], units: vec![1, 0] },
                    RasterGroup { name: "silent".into(), size: 3, ..RasterGroup::default() },
                    RasterGroup { name: "i".into(), size: 1, times: vec![0.5], units: vec![0] },
                ],
                ..Raster::default()
            }),
            Shape::Image(Image {
                x: Axis::new("time", "ms"),
                y: Axis::new("frequency", "Hz"),
                x_range: (0.0, 2.0),
                y_range: (5.0, 10.0),
                width: 3,
                height: 2,
                values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
                ..Image::default()
            }),
            Shape::Phase(PhasePortrait {
                x: Axis::new("V_m", "mV"),
                y: Axis::new("w", ""),
                trajectories: vec![curve("t", false)],
                nullclines: vec![("dV_m/dt = 0".into(), vec![[0.0, 1.0, 2.0, 3.0]]), ("dw/dt = 0".into(), vec![])],
                fixed_points: vec![FixedPoint {
                    x: 1.0,
                    y: 2.0,
                    stability: Stability::Saddle,
                    spiral: false,
                    eigenvalues: vec![(1.0, 0.0)],
                }],
                field: vec![[0.0, 0.0, 1.0, 0.0]],
            }),
            Shape::Graph {
                nodes: vec!["a".into(), "b".into()],
                edges: vec![GraphEdge { from: 1, to: 0, weight: 2.5 }],
            },
            Shape::Card(Card { sections: vec![("What".into(), "text\nmore".into())] }),
        ]
    }

    #[test]
    fn every_shape_comes_back_from_its_table_and_its_rest() {
        let folder = tempfile::tempdir().unwrap();
        for shape in shapes() {
            let (table, rest) = to_table(&shape);
            let rest: Shape = serde_json::from_str(&serde_json::to_string(&rest).unwrap()).unwrap();
            for format in [spikedeck_store::Format::Parquet, spikedeck_store::Format::Csv] {
                let path = folder.path().join(format!("s.{}", format.extension()));
                spikedeck_store::write(&path, &table, format).unwrap();
                let back = from_table(&rest, &spikedeck_store::read(&path, None).unwrap()).unwrap();
                assert_eq!(back, shape, "{format:?}");
            }
        }
    }

    #[test]
    fn what_is_not_known_is_missing_and_not_a_number_that_is_none() {
        let matrix = Matrix {
            rows: vec!["a".into()],
            columns: vec!["b".into(), "c".into()],
            values: vec![f64::NAN, 0.5],
            ..Matrix::default()
        };
        let (table, rest) = to_table(&Shape::Matrix(matrix));
        assert_eq!(table.get("value"), Some(&Column::OptF64(vec![None, Some(0.5)])));
        let Shape::Matrix(back) = from_table(&rest, &table).unwrap() else { panic!() };
        assert!(back.values[0].is_nan() && back.values[1] == 0.5);
    }

    #[test]
    fn columns_are_named_by_axis_and_unit() {
        let shape = &shapes()[1];
        let names: Vec<String> = to_table(shape).0.columns.into_iter().map(|c| c.0).collect();
        assert_eq!(names, ["curve", "frequency_Hz", "power_mV2_per_Hz", "low", "high"]);
        assert_eq!(column_names([&Axis::new("x", "ms"), &Axis::new("x", "ms")], &[]), ["x_ms", "x_ms_"]);
        assert_eq!(unit_suffix("uA/cm**2"), "uA_per_cm2");
    }
}
