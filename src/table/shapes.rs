//! Shapes ↔ tables: the columns of a shape, the rest as a shape without data, and back.

use super::error::TableError;
use spikedeck_signal::{Categories, Curve, PLACE_OF_ENTRY, Shape, Values};
use spikedeck_store::{Column, Table};

/// The table of a shape, and the shape with its bulk data taken out.
pub fn to_table(shape: &Shape) -> (Table, Shape) {
    (table_of(shape.columns()), shape.without_data())
}

/// A table of columns.
pub(super) fn table_of(columns: Vec<spikedeck_signal::Column>) -> Table {
    columns.into_iter().fold(Table::new(), |table, column| table.with(column.name, stored(column.values)))
}

fn stored(values: Values) -> Column {
    match values {
        Values::Numbers(v) => Column::F64(v),
        Values::Measured(v) => Column::measured(v),
        Values::Optional(v) => Column::OptF64(v),
        Values::Indices(v) => Column::U32(v),
        Values::Counts(v) => Column::OptU64(v),
        Values::Flags(v) => Column::Bool(v),
        Values::Texts(v) => Column::Text(v),
        Values::Categories(Categories { names, codes }) => Column::Category { names: names.into(), codes },
    }
}

/// Puts the data of `table` back into the shape that [`to_table`] left.
///
/// # Errors
/// When a column is missing or holds something else.
pub(super) fn from_table(rest: &Shape, table: &Table) -> Result<Shape, TableError> {
    let mut columns = rest.columns();
    for (k, column) in columns.iter_mut().enumerate() {
        // Where an entry stands follows from its place; tables of older programs have names where numbers are now.
        if matches!(rest, Shape::Matrix(_)) && PLACE_OF_ENTRY.contains(&column.name.as_str()) {
            continue;
        }
        // Columns are found by name. An axis may have had another name when the file was written; then its place says
        // which column it is.
        let name = match table.columns.get(k) {
            Some((there, _)) if table.get(&column.name).is_none() => there.as_str(),
            _ => column.name.as_str(),
        };
        column.values = match column.values {
            Values::Numbers(_) => Values::Numbers(table.numbers(name)?),
            Values::Measured(_) => Values::Measured(table.numbers(name)?),
            Values::Optional(_) => Values::Optional(table.optional_numbers(name)?),
            Values::Indices(_) => Values::Indices(table.unit_numbers(name)?),
            Values::Counts(_) => Values::Counts(table.optional_whole_numbers(name)?),
            Values::Flags(_) => Values::Flags(table.texts(name)?.iter().map(|t| t == "true").collect()),
            Values::Texts(_) => Values::Texts(table.texts(name)?),
            Values::Categories(_) => {
                let (names, codes) = table.categories(name)?;
                Values::Categories(Categories { names: names.to_vec(), codes })
            }
        };
    }
    let mut shape = rest.clone();
    shape.fill(columns);
    Ok(shape)
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

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_signal::{
        Axis, Card, CardSection, CurveStyle, Distribution, FixedPoint, GraphEdge, Image, Matrix, Metric, PhasePortrait,
        Raster, RasterGroup, ScalarRow, Scalars, Series, Stability,
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
                    measured: Metric::new("", "", 1.0, "mV", 4).interval(0.0, 2.0).note("y"),
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
            Shape::Card(Card { sections: vec![CardSection::kept("What", "text\nmore")] }),
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

    /// `row` and `column` are numbers, whatever the names are; tables of older programs, with names there, are read.
    #[test]
    fn an_entry_of_a_matrix_stands_at_numbers() {
        let names = |n: usize| (0..n).map(|k| format!("exc.spikes[{k}]")).collect::<Vec<_>>();
        for (rows, columns) in [(1, 1), (2, 3), (12, 11)] {
            let values: Vec<f64> = (0..rows * columns).map(|k| k as f64).collect();
            let matrix = Matrix { rows: names(rows), columns: names(columns), values, ..Matrix::default() };
            let (table, rest) = to_table(&Shape::Matrix(matrix.clone()));
            let of = |name: &str| table.unit_numbers(name).unwrap();
            for ((row, column), value) in of("row").iter().zip(of("column")).zip(table.numbers("value").unwrap()) {
                assert_eq!(f64::from(row * columns as u32 + column), value);
            }
            let said = table.texts("column_name").unwrap();
            assert!(of("column").iter().zip(said).all(|(k, name)| name == format!("exc.spikes[{k}]")));
            let old = Table::new()
                .with("row", Column::Text(table.texts("row_name").unwrap()))
                .with("column", Column::Text(table.texts("column_name").unwrap()))
                .with("value", Column::F64(table.numbers("value").unwrap()));
            assert_eq!(from_table(&rest, &old).unwrap(), Shape::Matrix(matrix));
        }
    }

    #[test]
    fn columns_are_named_by_axis_and_unit() {
        let shape = &shapes()[1];
        let names: Vec<String> = to_table(shape).0.columns.into_iter().map(|c| c.0).collect();
        assert_eq!(names, ["curve", "frequency_Hz", "power_mV2_per_Hz", "low", "high"]);
    }
}
