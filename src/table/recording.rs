//! Recordings → tables, in the order and with the names of the manifest, batch by batch.

use std::path::Path;
use std::sync::Arc;

use super::error::TableError;
use super::manifest::{PopulationEntry, RecordingEntry, TraceEntry};
use super::outcomes;
use spikedeck_signal::{Recording, Spikes, Trace};
use spikedeck_store::{Column, ColumnType, Format, Table, Writer};

/// The column that says which trial a row is of.
pub(super) const TRIAL: &str = "trial";

/// The column of what units are called, where some have names.
pub(super) const NAME: &str = "name";

/// Rows of one batch.
const BATCH: usize = 262_144;

/// Names of the populations, in order: the categories of every `population` column.
pub(super) fn population_names(recording: &Recording) -> Arc<[String]> {
    let mut names: Vec<String> = recording.populations.iter().map(|p| p.name.clone()).collect();
    for spikes in &recording.spikes {
        if !names.contains(&spikes.population) {
            names.push(spikes.population.clone());
        }
    }
    names.into()
}

/// Columns of a spikes table.
pub(super) fn spikes_schema(names: &Arc<[String]>, time: &str) -> Vec<(String, ColumnType)> {
    vec![
        ("population".into(), ColumnType::Category(names.clone())),
        ("unit".into(), ColumnType::U32),
        (time.into(), ColumnType::F64),
    ]
}

/// Spikes of all populations sorted by time, population, unit, from index `from[k]` of each on, in batches.
pub(super) fn spike_batches<'a>(
    spikes: &'a [Spikes],
    mut from: Vec<usize>,
    names: &Arc<[String]>,
    time: &'static str,
) -> impl Iterator<Item = Table> + use<'a> {
    // Populations in the order of `names`, so that ties in time come out in the scenario's order.
    let mut order: Vec<(u32, usize)> = (0..spikes.len())
        .map(|k| {
            let code = names.iter().position(|n| *n == spikes[k].population);
            (code.expect("every population with spikes is among the names") as u32, k)
        })
        .collect();
    order.sort_unstable();
    let names = names.clone();
    std::iter::from_fn(move || {
        let left: usize = spikes.iter().zip(&from).map(|(s, &f)| s.len() - f).sum();
        if left == 0 {
            return None;
        }
        let rows = left.min(BATCH);
        let (mut codes, mut units, mut times) =
            (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows));
        if let [(code, k)] = order[..] {
            let range = from[k]..from[k] + rows;
            codes.resize(rows, code);
            units.extend_from_slice(&spikes[k].units[range.clone()]);
            times.extend_from_slice(&spikes[k].times[range]);
            from[k] += rows;
        } else {
            while times.len() < rows {
                let mut best: Option<(f64, u32, usize)> = None;
                for &(code, k) in &order {
                    if let Some(&t) = spikes[k].times.get(from[k])
                        && best.is_none_or(|b| t < b.0)
                    {
                        best = Some((t, code, k));
                    }
                }
                let Some((t, code, k)) = best else { break };
                codes.push(code);
                units.push(spikes[k].units[from[k]]);
                times.push(t);
                from[k] += 1;
            }
        }
        Some(
            Table::new()
                .with("population", Column::Category { names: names.clone(), codes })
                .with("unit", Column::U32(units))
                .with(time, Column::F64(times)),
        )
    })
}

/// Traces that share a file: population and name, and indices into the recording.
pub(super) fn trace_groups(traces: &[Trace]) -> Vec<((String, String), Vec<usize>)> {
    let mut groups: Vec<((String, String), Vec<usize>)> = Vec::new();
    for (k, trace) in traces.iter().enumerate() {
        let key = (trace.population.clone(), trace.name.clone());
        match groups.iter_mut().find(|g| g.0 == key) {
            Some(group) => group.1.push(k),
            None => groups.push((key, vec![k])),
        }
    }
    groups
}

/// Name of a trace file without its ending: `POP-NAME`, or `POP.NAME` where the name of the population (or projection)
/// has a dash itself. Names in scenarios have letters, digits, `_` and `-`, so that two traces never have one file.
pub(super) fn trace_stem(population: &str, name: &str) -> String {
    let separator = if population.contains('-') { '.' } else { '-' };
    outcomes::cut(&outcomes::plain(&format!("{population}{separator}{name}"))).to_owned()
}

/// Columns of a trace file.
pub(super) fn trace_schema(traces: &[&Trace], time: &str) -> Vec<(String, ColumnType)> {
    let mut schema = vec![(time.to_owned(), ColumnType::F64), ("unit".to_owned(), ColumnType::U32)];
    schema.extend(traces.iter().map(|t| (t.column.clone(), ColumnType::F64)));
    schema
}

/// Samples `from..` of traces that share units and times, in batches: time by time, unit by unit.
pub(super) fn trace_batches<'a>(
    traces: Vec<&'a Trace>,
    mut from: usize,
    time: &'static str,
) -> impl Iterator<Item = Table> + 'a {
    std::iter::from_fn(move || {
        let first = traces.first()?;
        let n = first.units.len();
        let length = traces.iter().map(|t| t.len()).min()?;
        if from >= length || n == 0 {
            return None;
        }
        let to = (from + (BATCH / n).max(1)).min(length);
        let times = (from..to).flat_map(|k| std::iter::repeat_n(first.time(k), n)).collect();
        let units = (from..to).flat_map(|_| first.units.iter().copied()).collect();
        let mut table = Table::new().with(time, Column::F64(times)).with("unit", Column::U32(units));
        for trace in &traces {
            table = table.with(trace.column.clone(), Column::F64(trace.values[from * n..to * n].to_vec()));
        }
        from = to;
        Some(table)
    })
}

/// The columns of a table of all trials: those of one, and which it is.
pub(super) fn with_trial(mut schema: Vec<(String, ColumnType)>, recording: &Recording) -> Vec<(String, ColumnType)> {
    if recording.trial.is_some() {
        schema.push((TRIAL.into(), ColumnType::U64));
    }
    schema
}

/// The batches of each trial, one trial after the other, with a column that says which it is.
pub(super) fn each_trial<'a, I: Iterator<Item = Table> + 'a>(
    recording: &'a Recording,
    batches: impl Fn(&'a Recording) -> I + 'a,
) -> impl Iterator<Item = Table> + 'a {
    recording.each_trial().flat_map(move |trial| {
        let number = trial.trial.as_ref().map(|t| t.number);
        batches(trial).map(move |table| match number {
            Some(number) => {
                let rows = table.rows();
                table.with(TRIAL, Column::U64(vec![number; rows]))
            }
            None => table,
        })
    })
}

/// Writes all batches into one file; returns the number of rows.
pub(super) fn write_batches(
    path: &Path,
    schema: &[(String, ColumnType)],
    batches: impl Iterator<Item = Table>,
    format: Format,
) -> Result<u64, TableError> {
    let mut writer = Writer::create(path, schema, &[], format)?;
    for batch in batches {
        writer.write(&batch)?;
    }
    Ok(writer.finish()?)
}

/// `units`: every unit with its position and the parameters that differ between units.
pub(super) fn units_table(recording: &Recording) -> Table {
    let names = population_names(recording);
    let total: usize = recording.populations.iter().map(|p| p.size).sum();
    let (mut codes, mut units) = (Vec::with_capacity(total), Vec::with_capacity(total));
    let mut positions: [Vec<Option<f64>>; 3] = std::array::from_fn(|_| Vec::with_capacity(total));
    let mut columns: Vec<String> = Vec::new();
    for population in &recording.populations {
        for (column, _) in &population.parameters {
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
    }
    let named = recording.populations.iter().any(|p| !p.names.is_empty());
    let mut unit_names: Vec<String> = Vec::with_capacity(if named { total } else { 0 });
    let mut parameters: Vec<Vec<Option<f64>>> = vec![Vec::with_capacity(total); columns.len()];
    for (code, population) in recording.populations.iter().enumerate() {
        for unit in 0..population.size {
            codes.push(code as u32);
            units.push(unit as u32);
            if named {
                unit_names.push(population.names.get(unit).cloned().unwrap_or_default());
            }
            for (axis, column) in positions.iter_mut().enumerate() {
                column.push(population.positions.as_ref().and_then(|p| p.get(unit)).map(|p| p[axis]));
            }
            for (name, column) in columns.iter().zip(&mut parameters) {
                let values = population.parameters.iter().find(|p| p.0 == *name).map(|p| &p.1);
                // What a node has no value of is missing.
                column.push(values.and_then(|v| v.get(unit).copied()).filter(|v| v.is_finite()));
            }
        }
    }
    let [x, y, z] = positions;
    let mut table = Table::new().with("population", Column::Category { names, codes }).with("unit", Column::U32(units));
    if named {
        table = table.with(NAME, Column::Text(unit_names));
    }
    table = table.with("x_um", Column::OptF64(x)).with("y_um", Column::OptF64(y)).with("z_um", Column::OptF64(z));
    for (name, values) in columns.into_iter().zip(parameters) {
        table = table.with(name, Column::OptF64(values));
    }
    table
}

/// `connections`, one batch a projection; none if no projection was asked for.
pub(super) fn connection_batches(
    recording: &Recording,
) -> (Vec<(String, ColumnType)>, impl Iterator<Item = Table> + '_) {
    let names: Arc<[String]> = recording.connections.iter().map(|c| c.projection.clone()).collect();
    let mut weight_units: Vec<String> = Vec::new();
    for c in &recording.connections {
        if !weight_units.contains(&c.weight_unit) {
            weight_units.push(c.weight_unit.clone());
        }
    }
    let weight_units: Arc<[String]> = weight_units.into();
    let delay = if recording.time_base == spikedeck_signal::TimeBase::Milliseconds { "delay_ms" } else { "delay" };
    let schema = vec![
        ("projection".to_owned(), ColumnType::Category(names.clone())),
        ("source".to_owned(), ColumnType::U32),
        ("target".to_owned(), ColumnType::U32),
        ("weight".to_owned(), ColumnType::F64),
        ("weight_unit".to_owned(), ColumnType::Category(weight_units.clone())),
        ("weight_final".to_owned(), ColumnType::OptF64),
        (delay.to_owned(), ColumnType::F64),
    ];
    let batches = recording.connections.iter().enumerate().map(move |(k, c)| {
        let n = c.source.len();
        let unit = weight_units.iter().position(|u| *u == c.weight_unit);
        let unit = unit.expect("the units of all connections were collected above") as u32;
        Table::new()
            .with("projection", Column::Category { names: names.clone(), codes: vec![k as u32; n] })
            .with("source", Column::U32(c.source.clone()))
            .with("target", Column::U32(c.target.clone()))
            .with("weight", Column::F64(c.weight.clone()))
            .with("weight_unit", Column::Category { names: weight_units.clone(), codes: vec![unit; n] })
            .with("weight_final", Column::OptF64((0..n).map(|i| c.weight_final.get(i).copied()).collect()))
            .with(delay, Column::F64(c.delay.clone()))
    });
    (schema, batches)
}

/// The manifest's entry of what was `described`, whose connections and units are those of `recording`.
pub(super) fn entry(described: &Recording, recording: &Recording, format: Format) -> RecordingEntry {
    RecordingEntry {
        time_base: recording.time_base,
        dt: recording.dt,
        window: recording.window,
        transient: recording.transient,
        populations: recording
            .populations
            .iter()
            .map(|p| PopulationEntry {
                name: p.name.clone(),
                size: p.size,
                sources: described.spikes_of(&p.name).map_or(0, |s| if s.size == p.size { 0 } else { s.size }),
                spikes: described.spikes_of(&p.name).is_some(),
                positions: p.positions.is_some(),
                parameters: p.parameters.iter().map(|x| x.0.clone()).collect(),
                names: !p.names.is_empty(),
                observed: p.observed.clone(),
            })
            .collect(),
        traces: described
            .traces
            .iter()
            .map(|t| TraceEntry {
                file: format!("traces/{}.{}", trace_stem(&t.population, &t.name), format.extension()),
                trace: t.without_values(),
            })
            .collect(),
        connections: recording.connections.iter().map(|c| (c.projection.clone(), c.weight_unit.clone())).collect(),
        trials: recording
            .each_trial()
            .filter_map(|r| r.trial.as_ref().map(|t| (t.number, t.condition.clone())))
            .collect(),
        trial_times: recording.trial_times.clone(),
        until: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Every population and trace of one to four signs of those that names are made of, the first a letter.
    #[test]
    fn no_two_traces_have_one_file() {
        let mut names: Vec<String> = vec!["a".into(), "b".into()];
        let mut from = 0;
        for _ in 0..3 {
            let to = names.len();
            for k in from..to {
                names.extend(["a", "-", "_"].map(|c| format!("{}{c}", names[k])));
            }
            from = to;
        }
        let mut seen = HashMap::new();
        for population in &names {
            for name in &names {
                let before = seen.insert(trace_stem(population, name), (population, name));
                assert_eq!(before, None, "{population} {name}");
            }
        }
        assert_eq!(trace_stem("exc", "slow-trace"), "exc-slow-trace");
        assert_eq!(trace_stem("exc-fast", "trace"), "exc-fast.trace");
        let longest = trace_stem(&"é".repeat(50), &"ü".repeat(50));
        assert_eq!(longest.chars().count(), 101, "the longest names that scenarios may have are whole");
    }
}
