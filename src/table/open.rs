//! Reading runs back, whole or cut short, and recordings from elsewhere.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::claim::SCENARIO;
use super::cut_short::{add_spikes, cut};
use super::error::TableError;
use super::manifest::{FILE, Manifest, TraceEntry, sha256_of, status_text};
use super::outcomes;
use super::recording::{NAME, TRIAL};
use super::ro_crate;
use super::sameness::Sameness;
use super::stored::Stored;
use super::sweep;
use super::tables::{Tables, free_for_tables};
use spikedeck_run::{Finished, SeedValues, Status};
use spikedeck_scenario::Spec;
use spikedeck_signal::{Absent, Connections, Population, Recording, Spikes, Trace, Trial};
use spikedeck_store::{Column, Table};

/// Whether `path` is the folder of a run.
pub fn is_run(path: &Path) -> bool {
    path.join(FILE).is_file()
}

/// Opens a run's folder: the same panes as having just run it. The scenario is resolved again from `scenario.toml` and
/// the overrides in the manifest; where that gives another scenario than was run, [`Finished::spec`] is none and a
/// warning says what differs. Where that cannot be told, because an older program wrote the manifest, a warning says
/// so.
///
/// Every table is held against the rows and the checksum in the manifest: one that is not what the run wrote is left
/// out with a warning, and what it held is absent. For that every file is read once more, about a second a gigabyte.
///
/// # Errors
/// When there is no manifest, or the table of metrics is not what the run wrote.
pub fn open(path: &Path) -> Result<Finished, TableError> {
    let (mut finished, damage) = open_telling(path)?;
    finished.warnings.extend(damage);
    Ok(finished)
}

/// The same, with what is not as the run wrote it apart from what the run itself warned of.
///
/// # Errors
/// As [`open()`].
pub fn open_telling(path: &Path) -> Result<(Finished, Vec<String>), TableError> {
    let manifest = Manifest::read(path)?;
    let mut damage = Vec::new();
    if manifest.is_altered {
        damage.push(format!("{} was changed after the run wrote it", path.join(FILE).display()));
    }
    damage.extend(ro_crate::damage(path, &manifest));
    let tables = Tables { folder: path, manifest: &manifest, most: &free_for_tables };
    if let Some(finished) = unfinished_sweep(&tables, &mut damage)? {
        return Ok((finished, damage));
    }
    let mut recording = recording(&tables, &mut damage);
    let mut facts = manifest.facts();
    let mut warnings = manifest.warnings.clone();
    if manifest.is_in_parts() {
        warnings.push(cut(&mut recording, manifest.recording.until));
        facts.spikes = recording.spikes.iter().map(|s| s.len() as u64).sum();
    }
    let metrics_file = if manifest.points.is_some() { "across" } else { "metrics" };
    let metrics_file = tables.name(metrics_file);
    let metrics = if tables.lists(&metrics_file) || path.join(&metrics_file).exists() {
        super::metrics::from_table(&tables.read(&metrics_file)?)?
    } else {
        if !manifest.analyses.is_empty() {
            damage.push(format!(
                "{} is missing: the numbers of the analyses are not known",
                path.join(metrics_file).display()
            ));
        }
        Vec::new()
    };
    let outcomes = outcomes::read(&tables, &metrics, &mut damage);
    let label = if manifest.label.is_empty() {
        path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
    } else {
        manifest.label.clone()
    };
    let spec = scenario(&tables, &mut warnings, &mut damage);
    let finished = Finished {
        label,
        spec,
        status: manifest.status(),
        failure: manifest.failure.clone(),
        recording: Arc::new(recording),
        outcomes,
        checks: manifest.checks.clone(),
        warnings,
        facts,
    };
    Ok((finished, damage))
}

/// A sweep of which points are missing: what the points that are there say together.
fn unfinished_sweep(tables: &Tables<'_>, damage: &mut Vec<String>) -> Result<Option<Finished>, TableError> {
    if tables.manifest.status() != Status::Interrupted {
        return Ok(None);
    }
    let mut warnings = tables.manifest.warnings.clone();
    let Some(spec) = scenario(tables, &mut warnings, damage) else { return Ok(None) };
    let Some(found) = sweep::so_far(tables.folder, &spec, damage)? else { return Ok(None) };
    let mut finished = (*found).clone();
    finished.warnings.splice(0..0, warnings);
    Ok(Some(finished))
}

/// The values of each metric at each seed, if `path` is an ensemble over seeds without sweep axes; else nothing. Of
/// trials those of each network, of what was measured of all of its trials together.
///
/// # Errors
/// When there is no manifest, or the table of metrics cannot be read.
pub fn seed_values(path: &Path) -> Result<SeedValues, TableError> {
    let manifest = Manifest::read(path)?;
    let mut values = SeedValues::default();
    let tables = Tables { folder: path, manifest: &manifest, most: &free_for_tables };
    let file = tables.name("metrics");
    if manifest.points.is_none() || !tables.lists(&file) {
        return Ok(values);
    }
    let table = tables.read(&file)?;
    // Columns between `seed` and `analysis` are sweep axes, and conditions of trials: of none of these are the rows of
    // what was measured of all trials of a network.
    let axes = table.columns.iter().skip(2).take_while(|c| c.0 != "analysis").map(|c| &c.1);
    let axes: Vec<&Column> = axes.collect();
    let is_empty = |column: &Column, row: usize| match column {
        Column::OptF64(v) => v[row].is_none(),
        Column::Category { names, codes } => names[codes[row] as usize].is_empty(),
        _ => false,
    };
    // Trials of one seed are no further seeds.
    let trials = match table.get(TRIAL) {
        Some(_) => table.optional_whole_numbers(TRIAL)?,
        None => vec![None; table.rows()],
    };
    let seeds = table.optional_whole_numbers("seed")?;
    // There where a point did not reach its end.
    let whole: Vec<bool> = match table.get(super::metrics::STATUS) {
        Some(_) => table.texts(super::metrics::STATUS)?.iter().map(|s| s == status_text(Status::Complete)).collect(),
        None => vec![true; seeds.len()],
    };
    let counts = |row: usize| whole[row] && trials[row].is_none() && axes.iter().all(|c| is_empty(c, row));
    for (row, metric) in super::metrics::from_table(&table)?.into_iter().enumerate() {
        if let (true, Some(value), Some(seed)) = (counts(row), metric.value, seeds[row]) {
            values.insert(metric.full_name(), seed, value);
        }
    }
    Ok(values)
}

/// The scenario of a run, if it still is what was run.
fn scenario(tables: &Tables<'_>, warnings: &mut Vec<String>, damage: &mut Vec<String>) -> Option<Arc<Spec>> {
    let (path, manifest) = (tables.folder, tables.manifest);
    // A recording from elsewhere was never made from a scenario.
    if manifest.scenario.hash.is_empty() {
        return None;
    }
    if let Some(sum) = manifest.checksums.get(SCENARIO)
        && sha256_of(&path.join(SCENARIO)).map_or(true, |now| now != *sum)
    {
        damage.push(format!("{} is not what the run wrote", path.join(SCENARIO).display()));
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

fn recording(tables: &Tables<'_>, damage: &mut Vec<String>) -> Recording {
    let entry = &tables.manifest.recording;
    let mut first = Recording {
        time_base: entry.time_base,
        dt: entry.dt,
        window: entry.window,
        transient: entry.transient,
        trial_times: entry.trial_times.clone(),
        populations: entry
            .populations
            .iter()
            .map(|p| Population {
                name: p.name.clone(),
                size: p.size,
                observed: p.observed.clone(),
                ..Population::default()
            })
            .collect(),
        ..Recording::default()
    };
    if let Err(error) = units(tables, &mut first) {
        damage.push(format!("positions and parameters of units are left out: {error}"));
    }
    let of = |(number, condition): &(u64, String)| Recording {
        trial: Some(Trial { number: *number, condition: condition.clone() }),
        ..first.clone()
    };
    let mut trials: Vec<Recording> = entry.trials.iter().map(of).collect();
    if trials.is_empty() {
        trials.push(first);
    }
    spikes(tables, &mut trials, damage);
    traces(tables, &mut trials, damage);
    let mut recording = trials.remove(0);
    recording.trials = trials.into_iter().map(Arc::new).collect();
    if let Err(error) = connections(tables, &mut recording) {
        damage.push(format!("connections are left out: {error}"));
        recording.connections.clear();
    }
    recording
}

/// The rows of each trial, which stand together in the order of the trials; all of a run without trials.
fn rows(table: &Table, trials: &[Recording]) -> Result<Vec<Range<usize>>, TableError> {
    if trials.iter().all(|r| r.trial.is_none()) {
        return Ok(std::iter::once(0..table.rows()).collect());
    }
    let numbers = table.optional_whole_numbers(TRIAL)?;
    let mut from = 0;
    let of = |recording: &Recording| {
        let number = recording.trial.as_ref().map(|t| t.number);
        let range = from..from + numbers[from..].iter().take_while(|n| **n == number).count();
        from = range.end;
        range
    };
    Ok(trials.iter().map(of).collect())
}

/// Traces; what cannot be read is absent.
fn traces(tables: &Tables<'_>, trials: &mut [Recording], damage: &mut Vec<String>) {
    for TraceEntry { file, trace } in &tables.manifest.recording.traces {
        let read = tables.read_or_parts(file).and_then(|tables| {
            let mut values = vec![Vec::new(); trials.len()];
            for table in tables.iter().flatten() {
                let all = table.numbers(&trace.column)?;
                for (values, range) in values.iter_mut().zip(rows(table, trials)?) {
                    values.extend_from_slice(&all[range]);
                }
            }
            Ok(values)
        });
        match read {
            Ok(values) => {
                for (values, recording) in values.into_iter().zip(trials.iter_mut()) {
                    recording.traces.push(Trace { values, ..trace.clone() });
                }
            }
            Err(error) => {
                damage.push(format!("{file} is left out: {error}"));
                for recording in trials.iter_mut() {
                    recording.absent.push(Absent {
                        population: trace.population.clone(),
                        variable: Some(trace.variable.clone()),
                        why: format!("it cannot be read: {error}"),
                    });
                }
            }
        }
    }
}

/// Spikes of all populations that recorded them; what cannot be read is absent, not silent.
fn spikes(tables: &Tables<'_>, trials: &mut [Recording], damage: &mut Vec<String>) {
    let entry = &tables.manifest.recording;
    let recorded = || entry.populations.iter().filter(|p| p.spikes);
    if recorded().next().is_none() {
        return;
    }
    let all: Vec<Spikes> = recorded()
        .map(|p| Spikes {
            population: p.name.clone(),
            size: if p.sources > 0 { p.sources } else { p.size },
            ..Spikes::default()
        })
        .collect();
    let mut found = vec![all.clone(); trials.len()];
    let file = tables.name("spikes");
    let read = tables.read_or_parts(&file).and_then(|read| {
        for table in read.iter().flatten() {
            for (found, range) in found.iter_mut().zip(rows(table, trials)?) {
                if range == (0..table.rows()) {
                    add_spikes(found, table, entry.time_base)?;
                    continue;
                }
                let columns = table.columns.iter().map(|(name, c)| (name.clone(), c.rows(range.clone())));
                add_spikes(found, &Table { columns: columns.collect(), ..Table::new() }, entry.time_base)?;
            }
        }
        // No part of a run that was ended from outside is silence as far as it is known.
        Ok(read.is_some() || entry.until.is_some())
    });
    let why = match read {
        Ok(true) => {
            trials.iter_mut().zip(found).for_each(|(recording, spikes)| recording.spikes = spikes);
            return;
        }
        Ok(false) => "nothing of it had been written when the run was ended".to_owned(),
        Err(error) => {
            damage.push(format!("{file} is left out: {error}"));
            format!("it cannot be read: {error}")
        }
    };
    let absent = |s: &Spikes| Absent { population: s.population.clone(), variable: None, why: why.clone() };
    for recording in trials.iter_mut() {
        recording.absent.extend(all.iter().map(absent));
    }
}

fn units(tables: &Tables<'_>, recording: &mut Recording) -> Result<(), TableError> {
    let (entry, file) = (&tables.manifest.recording, tables.name("units"));
    if !tables.lists(&file) {
        return Ok(());
    }
    // Also where nothing of it is needed: what is not as the run wrote it is told.
    let table = tables.read(&file)?;
    if !entry.populations.iter().any(|p| p.positions || p.names || !p.parameters.is_empty()) {
        return Ok(());
    }
    let (names, codes) = table.categories("population")?;
    let axes = [table.numbers("x_um")?, table.numbers("y_um")?, table.numbers("z_um")?];
    let own = if entry.populations.iter().any(|p| p.names) { table.texts(NAME)? } else { Vec::new() };
    for (population, described) in recording.populations.iter_mut().zip(&entry.populations) {
        let code = names.iter().position(|n| *n == population.name).map_or(u32::MAX, |c| c as u32);
        let rows: Vec<usize> = (0..codes.len()).filter(|&k| codes[k] == code).collect();
        if described.positions {
            population.positions = Some(rows.iter().map(|&k| [axes[0][k], axes[1][k], axes[2][k]]).collect());
        }
        if described.names {
            population.names = rows.iter().map(|&k| own[k].clone()).collect();
        }
        for column in &described.parameters {
            let values = table.numbers(column)?;
            population.parameters.push((column.clone(), rows.iter().map(|&k| values[k]).collect()));
        }
    }
    Ok(())
}

fn connections(tables: &Tables<'_>, recording: &mut Recording) -> Result<(), TableError> {
    let (entry, file) = (&tables.manifest.recording, tables.name("connections"));
    if entry.connections.is_empty() {
        return Ok(());
    }
    let table = tables.read(&file)?;
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
