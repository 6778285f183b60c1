//! Reading runs back, whole or cut short, and recordings from elsewhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::TableError;
use super::manifest::{FILE, Manifest, RecordingEntry, TraceEntry};
use super::outcomes;
use super::parts::{list, read_table_or_parts};
use super::sameness::Sameness;
use super::stored::Stored;
use spikedeck_core::units::split_column;
use spikedeck_run::{Finished, SeedValues, Status};
use spikedeck_scenario::Spec;
use spikedeck_signal::{Connections, Population, Recording, Spikes, TimeBase, Trace};
use spikedeck_store::{self as store, Format, Table};

/// Whether `path` is the folder of a run.
pub fn is_run(path: &Path) -> bool {
    path.join(FILE).is_file()
}

/// Opens a run's folder: the same panes as having just run it. The scenario is resolved again from `scenario.toml` and
/// the overrides in the manifest; where that gives another scenario than was run, [`Finished::spec`] is none and a
/// warning says what differs. Where that cannot be told, because an older program wrote the manifest, a warning says
/// so.
///
/// # Errors
/// When there is no manifest or spikes cannot be read; a missing table of an analysis is a warning.
pub fn open(path: &Path) -> Result<Finished, TableError> {
    let manifest = Manifest::read(path)?;
    let mut warnings = manifest.warnings.clone();
    let extension = if manifest.format == "csv" { "csv" } else { "parquet" };
    let recording = recording(path, &manifest.recording, extension, manifest.status(), &mut warnings)?;
    let metrics_file = if manifest.points.is_some() { "across" } else { "metrics" };
    let metrics_path = path.join(format!("{metrics_file}.{extension}"));
    let metrics = if metrics_path.exists() {
        outcomes::read_metrics(&metrics_path)?
    } else {
        if !manifest.analyses.is_empty() {
            warnings.push(format!("{} is missing: the numbers of the analyses are not known", metrics_path.display()));
        }
        Vec::new()
    };
    let outcomes = outcomes::read(path, &manifest.analyses, &metrics, &mut warnings);
    let label = if manifest.label.is_empty() {
        path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
    } else {
        manifest.label.clone()
    };
    let spec = scenario(path, &manifest, &mut warnings);
    Ok(Finished {
        label,
        spec,
        status: manifest.status(),
        failure: manifest.failure.clone(),
        recording: Arc::new(recording),
        outcomes,
        checks: manifest.checks.clone(),
        warnings,
        facts: manifest.facts(),
    })
}

/// The values of each metric at each seed, if `path` is an ensemble over seeds without sweep axes; else nothing.
///
/// # Errors
/// When there is no manifest, or the table of metrics cannot be read.
pub fn seed_values(path: &Path) -> Result<SeedValues, TableError> {
    let manifest = Manifest::read(path)?;
    let mut values = SeedValues::default();
    let extension = if manifest.format == "csv" { "csv" } else { "parquet" };
    let file = path.join(format!("metrics.{extension}"));
    if manifest.points.is_none() || !file.exists() {
        return Ok(values);
    }
    let table = store::read(&file, None)?;
    // Columns between `seed` and `analysis` are sweep axes.
    if table.columns.get(2).is_none_or(|c| c.0 != "analysis") {
        return Ok(values);
    }
    let seeds = table.optional_whole_numbers("seed")?;
    for (metric, seed) in super::metrics::from_table(&table)?.into_iter().zip(seeds) {
        if let (Some(value), Some(seed)) = (metric.value, seed) {
            values.insert(metric.full_name(), seed, value);
        }
    }
    Ok(values)
}

/// The scenario of a run, if it still is what was run.
fn scenario(path: &Path, manifest: &Manifest, warnings: &mut Vec<String>) -> Option<Arc<Spec>> {
    // A recording from elsewhere was never made from a scenario.
    if manifest.scenario.hash.is_empty() {
        return None;
    }
    let stored = match Stored::of(path, manifest.clone()) {
        Ok(stored) => stored,
        Err(error) => {
            warnings.push(error.to_string());
            return None;
        }
    };
    let spec = match stored.resolve(&[]) {
        Ok((spec, _)) => spec,
        Err(error) => {
            let first = error.first();
            warnings.push(format!("scenario.toml does not resolve any more ({first}): its card is not shown"));
            return None;
        }
    };
    match stored.sameness(&spec) {
        Sameness::Same => Some(Arc::new(spec)),
        Sameness::Unknown(why) => {
            warnings.push(format!("{why}; the scenario is shown as this program reads it"));
            Some(Arc::new(spec))
        }
        Sameness::Other(what) => {
            warnings.push(format!("the scenario is not the one that was run any more ({what}): its card is not shown"));
            None
        }
    }
}

fn recording(
    path: &Path,
    entry: &RecordingEntry,
    extension: &str,
    status: Status,
    warnings: &mut Vec<String>,
) -> Result<Recording, TableError> {
    let mut recording = Recording {
        time_base: entry.time_base,
        dt: entry.dt,
        window: entry.window,
        transient: entry.transient,
        populations: entry
            .populations
            .iter()
            .map(|p| Population { name: p.name.clone(), size: p.size, ..Population::default() })
            .collect(),
        ..Recording::default()
    };
    for population in entry.populations.iter().filter(|p| p.spikes) {
        let size = if population.sources > 0 { population.sources } else { population.size };
        recording.spikes.push(Spikes { population: population.name.clone(), size, ..Spikes::default() });
    }
    for table in read_table_or_parts(&path.join(format!("spikes.{extension}")))? {
        add_spikes(&mut recording.spikes, &table, entry.time_base)?;
    }
    units(path, entry, extension, &mut recording)?;
    if entry.traces.is_empty() && status == Status::Interrupted {
        traces_of_parts(path, entry, &mut recording)?;
    }
    for TraceEntry { file, trace } in &entry.traces {
        match read_table_or_parts(&path.join(file)) {
            Ok(tables) => {
                let mut values = Vec::new();
                for table in &tables {
                    values.extend(table.numbers(&trace.column)?);
                }
                recording.traces.push(Trace { values, ..trace.clone() });
            }
            Err(error) => warnings.push(format!("{file} is left out: {error}")),
        }
    }
    connections(path, entry, extension, &mut recording)?;
    if status != Status::Complete {
        cut_window(&mut recording);
    }
    Ok(recording)
}

/// A run that was cut short ends where its data end.
fn cut_window(recording: &mut Recording) {
    let last_spike = recording.spikes.iter().filter_map(|s| s.times.last().copied()).fold(f64::NEG_INFINITY, f64::max);
    let last_sample = recording
        .traces
        .iter()
        .filter(|t| !t.is_empty())
        .map(|t| t.time(t.len() - 1))
        .fold(f64::NEG_INFINITY, f64::max);
    let last = last_spike.max(last_sample);
    if last.is_finite() {
        recording.window.stop = recording.window.stop.min(last).max(recording.window.start);
    }
}

fn add_spikes(all: &mut [Spikes], table: &Table, base: TimeBase) -> Result<(), TableError> {
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

fn units(path: &Path, entry: &RecordingEntry, extension: &str, recording: &mut Recording) -> Result<(), TableError> {
    let file = path.join(format!("units.{extension}"));
    if !file.exists() || !entry.populations.iter().any(|p| p.positions || !p.parameters.is_empty()) {
        return Ok(());
    }
    let table = store::read(&file, None)?;
    let (names, codes) = table.categories("population")?;
    let axes = [table.numbers("x_um")?, table.numbers("y_um")?, table.numbers("z_um")?];
    for (population, described) in recording.populations.iter_mut().zip(&entry.populations) {
        let code = names.iter().position(|n| *n == population.name).map_or(u32::MAX, |c| c as u32);
        let rows: Vec<usize> = (0..codes.len()).filter(|&k| codes[k] == code).collect();
        if described.positions {
            population.positions = Some(rows.iter().map(|&k| [axes[0][k], axes[1][k], axes[2][k]]).collect());
        }
        for column in &described.parameters {
            let values = table.numbers(column)?;
            population.parameters.push((column.clone(), rows.iter().map(|&k| values[k]).collect()));
        }
    }
    Ok(())
}

fn connections(
    path: &Path,
    entry: &RecordingEntry,
    extension: &str,
    recording: &mut Recording,
) -> Result<(), TableError> {
    let file = path.join(format!("connections.{extension}"));
    if entry.connections.is_empty() || !file.exists() {
        return Ok(());
    }
    let table = store::read(&file, None)?;
    let (names, codes) = table.categories("projection")?;
    let (source, target) = (table.unit_numbers("source")?, table.unit_numbers("target")?);
    let (weight, last) = (table.numbers("weight")?, table.optional_numbers("weight_final")?);
    let delay = table.numbers(if table.get("delay_ms").is_some() { "delay_ms" } else { "delay" })?;
    for (projection, unit) in &entry.connections {
        let Some(code) = names.iter().position(|n| n == projection) else { continue };
        let rows: Vec<usize> = (0..codes.len()).filter(|&k| codes[k] as usize == code).collect();
        recording.connections.push(Connections {
            projection: projection.clone(),
            weight_unit: unit.clone(),
            source: rows.iter().map(|&k| source[k]).collect(),
            target: rows.iter().map(|&k| target[k]).collect(),
            weight: rows.iter().map(|&k| weight[k]).collect(),
            weight_final: rows.iter().filter_map(|&k| last[k]).collect(),
            delay: rows.iter().map(|&k| delay[k]).collect(),
        });
    }
    Ok(())
}

/// Traces of a run that was killed: its manifest has no entries yet, the parts say what they hold.
fn traces_of_parts(path: &Path, entry: &RecordingEntry, recording: &mut Recording) -> Result<(), TableError> {
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
pub(super) fn gather(
    path: &Path,
    rest: Recording,
    bytes: u64,
    format: Format,
) -> Result<(Recording, Vec<String>), TableError> {
    let mut whole = Recording { connections: rest.connections.clone(), traces: Vec::new(), ..rest.without_data() };
    let mut left_out = Vec::new();
    let mut used = 0;
    let spikes = path.join("spikes.parts");
    let rows = rows_of(&spikes)?;
    if used + rows * 12 <= bytes {
        used += rows * 12;
        for part in list(&spikes) {
            add_spikes(&mut whole.spikes, &store::read(&part, None)?, rest.time_base)?;
        }
    } else {
        left_out.push("spikes".to_owned());
    }
    for trace in &rest.traces {
        let stem = super::recording::trace_stem(&trace.population, &trace.name);
        let folder = path.join("traces").join(format!("{stem}.parts"));
        let rows = rows_of(&folder)?;
        let mut copy = trace.without_values();
        // The remainder in memory starts late; the parts start at the beginning.
        copy.start = rest.window.start;
        if used + rows * 8 <= bytes {
            used += rows * 8;
            for (k, part) in list(&folder).iter().enumerate() {
                let time = rest.time_base.column();
                let table = store::read(part, Some(&[time, &trace.column]))?;
                if k == 0 {
                    copy.start = table.numbers(time)?.first().copied().unwrap_or(copy.start);
                }
                copy.values.extend(table.numbers(&trace.column)?);
            }
            whole.traces.push(copy);
        } else {
            left_out.push(format!("traces/{stem}.{}", format.extension()));
            whole.traces.push(copy);
        }
    }
    Ok((whole, left_out))
}

fn rows_of(parts: &Path) -> Result<u64, TableError> {
    let mut rows = 0;
    for part in list(parts) {
        rows += store::describe(&part)?.rows;
    }
    Ok(rows)
}
