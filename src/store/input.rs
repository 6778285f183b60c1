//! Somebody's recordings: spike times from Parquet and CSV.

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
