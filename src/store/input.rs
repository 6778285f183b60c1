//! Somebody's recordings: spike times and sampled signals from Parquet and CSV, for `file` stimuli and for analyses.

use std::path::Path;

use super::column::Table;
use super::error::StoreError;
use super::read::{describe, read};
use spikedeck_signal::{FileColumn, FileColumns};

/// Listed spikes, sorted by time, then unit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SpikeList {
    /// Times in seconds (or plain time units when the column is `time`).
    pub times: Vec<f64>,
    /// Unit of each spike; none if the file has no such column.
    pub units: Option<Vec<u32>>,
    /// Population of each spike, if the file names it: names and index of each spike.
    pub populations: Option<(Vec<String>, Vec<u32>)>,
}

/// A regularly sampled signal.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Signal {
    /// Time of the first sample in seconds (or plain time units when the column is `time`).
    pub start: f64,
    /// Time between samples.
    pub interval: f64,
    /// Names of the columns as in the file (`I_pA`).
    pub names: Vec<String>,
    /// Values as in the file, one vector a column.
    pub columns: Vec<Vec<f64>>,
}

const TIME: FileColumn = FileColumn {
    names: &["time_ms", "time_s", "time", "t_ms", "t_s"],
    unit: "as the name ends; `time` without an ending is in time units",
    required: true,
    about: "when",
};

/// Columns of a file of spikes that was recorded elsewhere.
pub static RECORDED_SPIKES: FileColumns = FileColumns {
    name: "recorded spikes",
    about: "spikes of somebody's recording, opened in the place of a run",
    columns: &[
        TIME,
        FileColumn {
            names: &["unit", "neuron", "id", "sender"],
            unit: "",
            required: false,
            about: "the unit that spiked, from 0; one unit without the column",
        },
        FileColumn {
            names: &["population"],
            unit: "",
            required: false,
            about: "name of its population; one population without the column",
        },
    ],
    others: None,
};

/// Columns of a file of signals that was recorded elsewhere.
pub static RECORDED_SIGNALS: FileColumns = FileColumns {
    name: "recorded signals",
    about: "evenly sampled signals of somebody's recording, opened in the place of a run",
    columns: &[TIME],
    others: Some("numbers, one signal a column, with the unit at the end of the name (`I_pA`)"),
};

/// The column of time that a file has, and how many seconds one of it is.
fn time_column(path: &Path, columns: &[String]) -> Result<(&'static str, f64), StoreError> {
    let found = TIME.names.iter().copied().find(|name| columns.iter().any(|c| c == name));
    let name = found.ok_or_else(|| StoreError::NoColumn {
        path: path.to_owned(),
        column: TIME.names[0].into(),
        present: columns.join(", "),
    })?;
    Ok((name, if name.ends_with("_ms") { 1e-3 } else { 1.0 }))
}

/// Reads spike times: a column `time_ms` (or `time_s`, `time`), and where there are several units a column `unit`
/// (or `neuron`, `id`), and `population` if the file holds several.
///
/// # Errors
/// When the file is no table or has no time column, or a time is missing.
pub fn spikes_from(path: &Path) -> Result<SpikeList, StoreError> {
    let contents = describe(path)?;
    let (time, scale) = time_column(path, &contents.columns)?;
    let unit = RECORDED_SPIKES.names_of("unit").iter().find(|name| contents.columns.iter().any(|c| c == *name));
    let population = contents.columns.iter().any(|c| c == "population");
    let mut wanted = vec![time];
    wanted.extend(unit);
    if population {
        wanted.push("population");
    }
    let table = read(path, Some(&wanted))?;
    let times = finite(&table, time, path)?;
    let units = unit.map(|u| table.unit_numbers(u)).transpose()?;
    let populations = if population { Some(table.categories("population")?) } else { None };
    let mut order: Vec<usize> = (0..times.len()).collect();
    let key = |i: usize| (times[i], units.as_ref().map_or(0, |u| u[i]));
    order.sort_by(|&a, &b| key(a).0.total_cmp(&key(b).0).then(key(a).1.cmp(&key(b).1)));
    Ok(SpikeList {
        times: order.iter().map(|&i| times[i] * scale).collect(),
        units: units.as_ref().map(|u| order.iter().map(|&i| u[i]).collect()),
        populations: populations.map(|(names, codes)| (names.to_vec(), order.iter().map(|&i| codes[i]).collect())),
    })
}

/// Reads a sampled signal: a time column (evenly spaced) and columns of numbers, all or those named.
///
/// # Errors
/// When the file is no table, lacks a column, has fewer than two samples, a gap, or uneven times.
pub fn signal_from(path: &Path, columns: Option<&[&str]>) -> Result<Signal, StoreError> {
    let contents = describe(path)?;
    let (time, scale) = time_column(path, &contents.columns)?;
    let mut wanted = vec![time];
    match columns {
        Some(named) => wanted.extend(named),
        None => wanted.extend(contents.columns.iter().map(String::as_str).filter(|c| *c != time)),
    }
    let table = read(path, Some(&wanted))?;
    let times = finite(&table, time, path)?;
    let malformed = |message: String| StoreError::Malformed { path: path.to_owned(), message };
    if times.len() < 2 {
        return Err(malformed(format!("a signal needs at least two samples, and there are {}", times.len())));
    }
    let interval = (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64;
    for (k, t) in times.iter().enumerate() {
        let expected = times[0] + k as f64 * interval;
        if interval <= 0.0 || (t - expected).abs() > 1e-6 * interval.abs() + 1e-9 * t.abs() {
            return Err(malformed(format!(
                "`{time}` is not evenly spaced: sample {k} stands at {t} where {expected} is expected; resample the signal"
            )));
        }
    }
    let mut signal = Signal { start: times[0] * scale, interval: interval * scale, ..Signal::default() };
    for name in wanted.iter().skip(1) {
        signal.columns.push(finite(&table, name, path)?);
        signal.names.push((*name).to_owned());
    }
    Ok(signal)
}

fn finite(table: &Table, column: &str, path: &Path) -> Result<Vec<f64>, StoreError> {
    let values = table.numbers(column)?;
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(values),
        Some(row) => Err(StoreError::Malformed {
            path: path.to_owned(),
            message: format!("row {} of column `{column}` has no finite number", row + 1),
        }),
    }
}
