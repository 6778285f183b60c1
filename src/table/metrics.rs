//! Metrics → a table (one row a metric) and JSON (one object a metric), and back.

use serde_json::{Map, Value, json};

use super::error::TableError;
use super::manifest::status_text;
use super::recording::TRIAL;
use spikedeck_core::units::{Quantity, display_unit};
use spikedeck_run::{Ensemble, Finished, PointResult, Status, original_of};
use spikedeck_signal::{Metric, MetricColumn, MetricKind};
use spikedeck_store::{Column, Table};

/// How a point ended, in tables of ensembles of which some did not reach their end.
pub(super) const STATUS: &str = "status";

/// A metric of a run as one JSON object: the columns of the metrics table.
pub fn metric_json(finished: &Finished, metric: &Metric, axes: &[(String, String)], seed: Option<u64>) -> Value {
    object(finished, metric, axes, seed, None)
}

/// The same of a point of an ensemble: with its axes and seed, and how it ended if it did not reach its end.
pub fn point_json(ensemble: &Finished, point: &PointResult, metric: &Metric) -> Value {
    let ended = Some(point.finished.status).filter(|s| *s != Status::Complete);
    let mut told = object(ensemble, metric, &point.point.axes, Some(point.point.seed), ended);
    if let (Some((number, _)), Some(object)) = (point.point.trial, told.as_object_mut()) {
        object.insert(TRIAL.into(), json!(number));
    }
    told
}

fn object(
    finished: &Finished,
    metric: &Metric,
    axes: &[(String, String)],
    seed: Option<u64>,
    ended: Option<Status>,
) -> Value {
    let mut object = Map::new();
    object.insert("scenario".into(), json!(finished.label));
    object.insert("seed".into(), json!(seed.or_else(|| finished.spec.as_ref().map(|s| s.simulation.seed))));
    for (path, value) in axes {
        let (name, value) = axis_column(path, value);
        object.insert(name, value);
    }
    for column in Metric::COLUMNS {
        object.insert(column.name.into(), cell(column, metric));
    }
    if let Some(ended) = ended {
        object.insert(STATUS.into(), json!(status_text(ended)));
    }
    if let Some((value, reason)) = finished.spec.as_ref().and_then(|s| original_of(&s.expect, metric)) {
        object.insert("original".into(), json!(value));
        object.insert("reason".into(), json!(reason));
    }
    Value::Object(object)
}

/// What a run says beside its numbers, as one JSON object each: warnings (those of reading the scenario, `loaded`,
/// first; each once), analyses without a result and why, checks, and how it ended.
pub fn words_json(finished: &Finished, loaded: &[String]) -> Vec<Value> {
    let told = |key: &str, value: Value| {
        let mut object = Map::new();
        object.insert("scenario".into(), json!(finished.label));
        object.insert(key.into(), value);
        object
    };
    // The run has taken over most of what reading it warned of.
    let first = loaded.iter().filter(|w| !finished.warnings.contains(w));
    let mut objects: Vec<_> = first.map(|w| told("warning", json!(w))).collect();
    let failures = || finished.outcomes.iter().filter_map(|o| o.failure.as_ref().map(|why| (&o.name, why)));
    // The reason why there is no result is also a warning of that analysis, for those who read warnings alone.
    let is_failure = |w: &str| failures().any(|(name, why)| w.strip_prefix(&format!("{name}: ")) == Some(why));
    objects.extend(finished.warnings.iter().filter(|w| !is_failure(w)).map(|w| told("warning", json!(w))));
    for (name, why) in failures() {
        let mut object = told("analysis", json!(name));
        object.insert("failure".into(), json!(why));
        objects.push(object);
    }
    for check in &finished.checks {
        let mut object = told("check", json!(check.name));
        object.insert("passed".into(), json!(check.passed));
        object.insert("metric".into(), json!(check.metric));
        object.insert("found".into(), json!(check.found));
        object.insert("min".into(), json!(check.min));
        object.insert("max".into(), json!(check.max));
        object.insert("unit".into(), json!(check.unit));
        objects.push(object);
    }
    let mut end = told("status", json!(status_text(finished.status)));
    if let Some(why) = &finished.failure {
        end.insert("failure".into(), json!(why));
    }
    objects.push(end);
    objects.into_iter().map(Value::Object).collect()
}

/// A value of a metric in JSON.
fn cell(column: &MetricColumn, metric: &Metric) -> Value {
    match column.kind {
        MetricKind::Key(get, _) | MetricKind::Name(get, _) | MetricKind::Text(get, _) => json!(get(metric)),
        MetricKind::Value(get, _) | MetricKind::Number(get, _) | MetricKind::P(get, _) => json!(get(metric)),
        MetricKind::Count(get, _) => json!(get(metric)),
    }
}

/// The values of a column in a table.
fn values<'a>(column: &MetricColumn, metrics: impl Iterator<Item = &'a Metric>) -> Column {
    match column.kind {
        MetricKind::Key(get, _) | MetricKind::Name(get, _) => Column::categories(metrics.map(get)),
        MetricKind::Text(get, _) => Column::Text(metrics.map(|m| get(m).to_owned()).collect()),
        MetricKind::Value(get, _) | MetricKind::Number(get, _) | MetricKind::P(get, _) => {
            Column::OptF64(metrics.map(get).collect())
        }
        MetricKind::Count(get, _) => Column::OptU64(metrics.map(get).collect()),
    }
}

/// Each row of a table as a JSON object.
pub fn json_rows(table: &Table) -> impl Iterator<Item = Value> {
    let cell = |column: &Column, row: usize| match column {
        Column::F64(v) => json!(v[row]),
        Column::OptF64(v) => json!(v[row]),
        Column::U32(v) => json!(v[row]),
        Column::U64(v) => json!(v[row]),
        Column::OptU64(v) => json!(v[row]),
        Column::Bool(v) => json!(v[row]),
        Column::Text(v) => json!(v[row]),
        Column::Category { names, codes } => json!(names[codes[row] as usize]),
    };
    (0..table.rows())
        .map(move |row| Value::Object(table.columns.iter().map(|(name, c)| (name.clone(), cell(c, row))).collect()))
}

/// Column of a sweep axis (path and unit) and a value of it.
fn axis_column(path: &str, toml: &str) -> (String, Value) {
    match Quantity::parse(toml.trim().trim_matches('"')) {
        Ok(quantity) => (display_unit(quantity.dimension).column(path), json!(quantity.as_written())),
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
    /// How the run ended.
    status: Status,
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
        .map(|metric| Row {
            scenario: &finished.label,
            seed,
            axes: &[],
            metric,
            original: original(finished, metric),
            status: finished.status,
        })
        .collect();
    table(&rows)
}

/// The metrics of all points, with a column for each axis, and of all trials of each network together, which are of no
/// trial and no condition.
pub(crate) fn points_table(ensemble: &Ensemble) -> Table {
    let points: Vec<&PointResult> = ensemble.measured().collect();
    let names: Vec<String> =
        points.iter().map(|p| p.finished.spec.as_ref().map_or_else(String::new, |s| s.label())).collect();
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
                status: p.finished.status,
            })
        })
        .collect();
    let mut table = table(&rows);
    if points.iter().any(|p| p.point.trial.is_some()) {
        let number = |p: &PointResult| p.point.trial.map(|t| t.0);
        let count = |p: &PointResult| p.finished.outcomes.iter().map(|o| o.metrics.len()).sum();
        let numbers = points.iter().flat_map(|p| std::iter::repeat_n(number(p), count(p)));
        table = table.with(TRIAL, Column::OptU64(numbers.collect()));
    }
    // What a run that did not reach its end measured is of another stretch, and says so.
    if points.iter().all(|p| p.finished.status == Status::Complete) {
        return table;
    }
    table.with(STATUS, Column::categories(rows.iter().map(|r| status_text(r.status))))
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new()
        .with("scenario", Column::categories(rows.iter().map(|r| r.scenario)))
        .with("seed", Column::OptU64(rows.iter().map(|r| r.seed).collect()));
    for at in 0..rows.iter().map(|r| r.axes.len()).max().unwrap_or(0) {
        // What was measured of all trials together is of none of their conditions.
        let cells: Vec<Option<(String, Value)>> =
            rows.iter().map(|r| r.axes.get(at).map(|(p, v)| axis_column(p, v))).collect();
        let Some((name, _)) = cells.iter().flatten().next() else { continue };
        let name = name.clone();
        let numbers: Vec<Option<f64>> = cells.iter().map(|c| c.as_ref()?.1.as_f64()).collect();
        let are_numbers = numbers.iter().zip(&cells).all(|(n, c)| n.is_some() || c.is_none());
        let text = |c: &Option<(String, Value)>| match c {
            Some((_, Value::String(text))) => text.clone(),
            Some((_, value)) => value.to_string(),
            None => String::new(),
        };
        let column = match numbers.iter().copied().collect::<Option<Vec<f64>>>() {
            Some(numbers) => Column::F64(numbers),
            None if are_numbers => Column::OptF64(numbers),
            None => Column::categories(cells.iter().map(text)),
        };
        table = table.with(name, column);
    }
    for column in Metric::COLUMNS {
        table = table.with(column.name, values(column, rows.iter().map(|r| r.metric)));
    }
    // Only scenarios that repeat an earlier program have these two.
    if rows.iter().all(|r| r.original.is_none()) {
        return table;
    }
    table.with("original", Column::OptF64(rows.iter().map(|r| r.original.map(|o| o.0)).collect())).with(
        "reason",
        Column::Text(rows.iter().map(|r| r.original.map_or_else(String::new, |o| o.1.to_owned())).collect()),
    )
}

/// The metrics of a table, in order. A column that the program which wrote it did not know is empty.
pub(super) fn from_table(table: &Table) -> Result<Vec<Metric>, TableError> {
    let mut metrics = vec![Metric::default(); table.rows()];
    for column in Metric::COLUMNS {
        if table.get(column.name).is_none() && !column.is_required() {
            continue;
        }
        let of = metrics.iter_mut();
        match column.kind {
            MetricKind::Key(_, set) | MetricKind::Name(_, set) | MetricKind::Text(_, set) => {
                of.zip(table.texts(column.name)?).for_each(|(m, v)| set(m, v));
            }
            MetricKind::Value(_, set) | MetricKind::Number(_, set) | MetricKind::P(_, set) => {
                of.zip(table.optional_numbers(column.name)?).for_each(|(m, v)| set(m, v));
            }
            MetricKind::Count(_, set) => {
                of.zip(table.optional_whole_numbers(column.name)?).for_each(|(m, v)| set(m, v));
            }
        }
    }
    Ok(metrics)
}
