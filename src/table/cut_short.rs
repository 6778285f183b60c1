//! Reading what a run wrote while it lasted: parts of a run that was killed, and of rows that left memory.

use std::path::{Path, PathBuf};

use super::error::TableError;
use super::manifest::RecordingEntry;
use super::parts::list;
use spikedeck_core::units::split_column;
use spikedeck_signal::{Absent, Recording, Spikes, TimeBase, Trace};
use spikedeck_store::{self as store, Table};

/// A run that was cut short ends where its data end.
pub(super) fn cut_window(recording: &mut Recording) {
    let last_spike = recording.spikes.iter().filter_map(|s| s.times.last().copied()).fold(f64::NEG_INFINITY, f64::max);
    let last_sample = recording
        .traces
        .iter()
        .filter(|t| !t.is_empty())
        .map(|t| t.time(t.len() - 1))
        .fold(f64::NEG_INFINITY, f64::max);
    let last = last_spike.max(last_sample);
    // Without any nothing is known of any time.
    let last = if last.is_finite() { last } else { recording.window.start };
    recording.window.stop = recording.window.stop.min(last).max(recording.window.start);
}

pub(super) fn add_spikes(all: &mut [Spikes], table: &Table, base: TimeBase) -> Result<(), TableError> {
    let (names, codes) = table.categories("population")?;
    let (units, times) = (table.unit_numbers("unit")?, table.numbers(base.column())?);
    let place: Vec<Option<usize>> = names.iter().map(|n| all.iter().position(|s| s.population == *n)).collect();
    for (k, &code) in codes.iter().enumerate() {
        if let Some(Some(at)) = place.get(code as usize) {
            all[*at].times.push(times[k]);
            all[*at].units.push(units[k]);
        }
    }
    Ok(())
}

/// Traces of a run that was killed: its manifest has no entries yet, the parts say what they hold.
pub(super) fn traces_of_parts(
    path: &Path,
    entry: &RecordingEntry,
    recording: &mut Recording,
) -> Result<(), TableError> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(path.join("traces"))
        .into_iter()
        .flatten()
        .filter_map(|e| e.ok().map(|e| e.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "parts"))
        .collect();
    folders.sort();
    for folder in folders {
        let stem = folder.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        // The longest population name that the file name begins with: names may hold dashes.
        let Some(population) =
            entry.populations.iter().filter(|p| stem.starts_with(&format!("{}-", p.name))).max_by_key(|p| p.name.len())
        else {
            continue;
        };
        let mut traces: Vec<Trace> = Vec::new();
        let mut times: Vec<f64> = Vec::new();
        for part in list(&folder) {
            let table = store::read(&part, None)?;
            times.extend(table.numbers(entry.time_base.column())?);
            if traces.is_empty() {
                let all = table.unit_numbers("unit")?;
                // One time's units stand together, in the order they were recorded in.
                let units: Vec<u32> =
                    all.iter().enumerate().take_while(|(k, u)| *k == 0 || **u != all[0]).map(|(_, u)| *u).collect();
                for (column, _) in table.columns.iter().skip(2) {
                    let (variable, unit) = split_column(column);
                    traces.push(Trace {
                        population: population.name.clone(),
                        name: stem[population.name.len() + 1..].to_owned(),
                        variable: variable.to_owned(),
                        unit: unit.to_owned(),
                        column: column.clone(),
                        units: units.clone(),
                        ..Trace::default()
                    });
                }
            }
            for trace in &mut traces {
                trace.values.extend(table.numbers(&trace.column)?);
            }
        }
        for mut trace in traces {
            let n = trace.units.len().max(1);
            trace.start = times.first().copied().unwrap_or(0.0);
            trace.interval = times.get(n).map_or(entry.dt, |t| t - trace.start);
            recording.traces.push(trace);
        }
    }
    Ok(())
}

/// Everything that left memory during a run, from its parts, as far as it fits into `bytes`: spikes first, then traces.
/// What does not fit is absent. With it, all that was recorded without its values: what the tables hold.
pub(super) fn gather(path: &Path, rest: Recording, bytes: u64) -> Result<(Recording, Recording), TableError> {
    let mut described = rest.without_data();
    for trace in &mut described.traces {
        // The remainder in memory starts late; the parts start at the beginning.
        trace.start = described.window.start;
    }
    let mut whole = Recording { traces: Vec::new(), connections: rest.connections, ..described.clone() };
    let why = "it stays on disk, because it does not fit into memory";
    let mut used = 0;
    let rows = rows_of(&path.join("spikes.parts"))?;
    if used + rows * 12 <= bytes {
        used += rows * 12;
        for part in list(&path.join("spikes.parts")) {
            add_spikes(&mut whole.spikes, &store::read(&part, None)?, described.time_base)?;
        }
    } else {
        whole.absent.extend(std::mem::take(&mut whole.spikes).into_iter().map(|s| Absent {
            population: s.population,
            variable: None,
            why: why.to_owned(),
        }));
    }
    let time = described.time_base.column();
    for trace in &mut described.traces {
        let stem = super::recording::trace_stem(&trace.population, &trace.name);
        let parts = list(&path.join("traces").join(format!("{stem}.parts")));
        if let Some(first) = parts.first() {
            let times = store::read(first, Some(&[time]))?.numbers(time)?;
            trace.start = times.first().copied().unwrap_or(trace.start);
        }
        let rows = rows_of(&path.join("traces").join(format!("{stem}.parts")))?;
        if used + rows * 8 <= bytes {
            used += rows * 8;
            let mut values = Vec::new();
            for part in &parts {
                values.extend(store::read(part, Some(&[&trace.column]))?.numbers(&trace.column)?);
            }
            whole.traces.push(Trace { values, ..trace.clone() });
        } else {
            whole.absent.push(Absent {
                population: trace.population.clone(),
                variable: Some(trace.variable.clone()),
                why: why.to_owned(),
            });
        }
    }
    Ok((whole, described))
}

fn rows_of(parts: &Path) -> Result<u64, TableError> {
    let mut rows = 0;
    for part in list(parts) {
        rows += store::describe(&part)?.rows;
    }
    Ok(rows)
}
