//! Metrics → a table (one row a metric) and JSON (one object a metric), and back.

use serde_json::{Map, Value, json};

use super::error::TableError;
use spikedeck_core::units::{Quantity, display_unit};
use spikedeck_run::{Finished, PointResult, original_of};
use spikedeck_signal::Metric;
use spikedeck_store::{Column, Table};

/// A metric as one JSON object: the columns of the metrics table.
pub fn metric_json(finished: &Finished, metric: &Metric, axes: &[(String, String)], seed: Option<u64>) -> Value {
    let mut object = Map::new();
    object.insert("scenario".into(), json!(finished.label));
    object.insert("seed".into(), json!(seed.or_else(|| finished.spec.as_ref().map(|s| s.simulation.seed))));
    for (path, value) in axes {
        let (name, value) = axis_column(path, value);
        object.insert(name, value);
    }
    object.insert("analysis".into(), json!(metric.analysis));
    object.insert("subject".into(), json!(metric.subject));
    object.insert("metric".into(), json!(metric.metric));
    object.insert("value".into(), json!(metric.value));
    object.insert("unit".into(), json!(metric.unit));
    object.insert("ci_low".into(), json!(metric.ci_low));
    object.insert("ci_high".into(), json!(metric.ci_high));
    object.insert("chance".into(), json!(metric.chance));
    object.insert("p_value".into(), json!(metric.p_value));
    object.insert("n".into(), json!(metric.n));
    object.insert("note".into(), json!(metric.note));
    if let Some((value, reason)) = finished.spec.as_ref().and_then(|s| original_of(&s.expect, metric)) {
        object.insert("original".into(), json!(value));
        object.insert("reason".into(), json!(reason));
    }
    Value::Object(object)
}

/// Column of a sweep axis (path and unit) and a value of it.
fn axis_column(path: &str, toml: &str) -> (String, Value) {
    match Quantity::parse(toml.trim().trim_matches('"')) {
        Ok(quantity) => (display_unit(quantity.dimension).column(path), json!(quantity.in_display_unit())),
        Err(_) => (path.to_owned(), json!(toml.trim().trim_matches('"'))),
    }
}

/// One row a metric of one run.
struct Row<'a> {
    scenario: &'a str,
    seed: Option<u64>,
    axes: &'a [(String, String)],
    metric: &'a Metric,
    /// What an earlier program gave, and why ours differs.
    original: Option<(f64, &'a str)>,
}

/// What the scenario of a run says an earlier program gave.
fn original<'a>(finished: &'a Finished, metric: &Metric) -> Option<(f64, &'a str)> {
    finished.spec.as_ref().and_then(|s| original_of(&s.expect, metric))
}

/// The metrics of one run.
pub(crate) fn metrics_table(finished: &Finished) -> Table {
    let seed = finished.spec.as_ref().map(|s| s.simulation.seed);
    let rows: Vec<Row> = finished
        .outcomes
        .iter()
        .flat_map(|o| &o.metrics)
        .map(|metric| Row { scenario: &finished.label, seed, axes: &[], metric, original: original(finished, metric) })
        .collect();
    table(&rows)
}

/// The metrics of all points, with a column for each axis.
pub(crate) fn points_table(points: &[PointResult]) -> Table {
    let names: Vec<String> = points
        .iter()
        .map(|p| {
            p.finished.spec.as_ref().map_or_else(String::new, |s| match &s.variant {
                Some(v) => format!("{}:{v}", s.name),
                None => s.name.clone(),
            })
        })
        .collect();
    let rows: Vec<Row> = points
        .iter()
        .zip(&names)
        .flat_map(|(p, name)| {
            p.finished.outcomes.iter().flat_map(|o| &o.metrics).map(move |metric| Row {
                scenario: name,
                seed: Some(p.point.seed),
                axes: &p.point.axes,
                metric,
                original: original(&p.finished, metric),
            })
        })
        .collect();
    table(&rows)
}

fn table(rows: &[Row]) -> Table {
    let text = |f: &dyn Fn(&Row) -> String| Column::categories(rows.iter().map(f));
    let number = |f: &dyn Fn(&Metric) -> Option<f64>| Column::OptF64(rows.iter().map(|r| f(r.metric)).collect());
    let mut table = Table::new()
        .with("scenario", text(&|r| r.scenario.to_owned()))
        .with("seed", Column::OptU64(rows.iter().map(|r| r.seed).collect()));
    for at in 0..rows.first().map_or(0, |r| r.axes.len()) {
        let cells: Vec<(String, Value)> =
            rows.iter().filter_map(|r| r.axes.get(at)).map(|(p, v)| axis_column(p, v)).collect();
        let Some((name, _)) = cells.first() else { continue };
        let name = name.clone();
        let numbers: Option<Vec<f64>> = cells.iter().map(|c| c.1.as_f64()).collect();
        let column = if let Some(numbers) = numbers {
            Column::F64(numbers)
        } else {
            Column::categories(cells.iter().map(|c| c.1.as_str().map_or_else(|| c.1.to_string(), ToOwned::to_owned)))
        };
        table = table.with(name, column);
    }
    let table = table
        .with("analysis", text(&|r| r.metric.analysis.clone()))
        .with("subject", text(&|r| r.metric.subject.clone()))
        .with("metric", text(&|r| r.metric.metric.clone()))
        .with("value", number(&|m| m.value))
        .with("unit", text(&|r| r.metric.unit.clone()))
        .with("ci_low", number(&|m| m.ci_low))
        .with("ci_high", number(&|m| m.ci_high))
        .with("chance", number(&|m| m.chance))
        .with("p_value", number(&|m| m.p_value))
        .with("n", Column::OptU64(rows.iter().map(|r| r.metric.n).collect()))
        .with("note", Column::Text(rows.iter().map(|r| r.metric.note.clone()).collect()));
    // Only scenarios that repeat an earlier program have these two.
    if rows.iter().all(|r| r.original.is_none()) {
        return table;
    }
    table.with("original", Column::OptF64(rows.iter().map(|r| r.original.map(|o| o.0)).collect())).with(
        "reason",
        Column::Text(rows.iter().map(|r| r.original.map_or_else(String::new, |o| o.1.to_owned())).collect()),
    )
}

/// The metrics of a table, in order.
pub(super) fn from_table(table: &Table) -> Result<Vec<Metric>, TableError> {
    let [analysis, subject, metric, unit, note] = [
        table.texts("analysis")?,
        table.texts("subject")?,
        table.texts("metric")?,
        table.texts("unit")?,
        table.texts("note")?,
    ];
    let [value, low, high, chance, p] = [
        table.optional_numbers("value")?,
        table.optional_numbers("ci_low")?,
        table.optional_numbers("ci_high")?,
        table.optional_numbers("chance")?,
        table.optional_numbers("p_value")?,
    ];
    let n = table.optional_whole_numbers("n")?;
    Ok((0..value.len())
        .map(|k| Metric {
            analysis: analysis[k].clone(),
            subject: subject[k].clone(),
            metric: metric[k].clone(),
            value: value[k],
            unit: unit[k].clone(),
            ci_low: low[k],
            ci_high: high[k],
            chance: chance[k],
            p_value: p[k],
            n: n[k],
            note: note[k].clone(),
        })
        .collect())
}
