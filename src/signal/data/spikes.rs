//! Spikes: listed for a stimulus, or recorded elsewhere.

use super::super::column::Categories;
use super::super::file_columns::{FileColumn, FileColumns};
use super::columns::{Opened, ids, numbers, rounded, texts};
use super::signal::measured_in;
use super::{FileTable, FileUnit, Ids, Refused, quoted};

/// When something happens.
pub(super) const TIME: FileColumn = FileColumn {
    names: &["time", "times", "t", "spike_time", "spike_times", "timestamp", "timestamps"],
    unit: "at the end of its name, in its type, in the metadata `time_unit`, or as `time_unit` beside the file's name; \
           none in dimensionless scenarios",
    required: true,
    about: "when it is",
    ending: "ms",
};

/// The unit that something is of.
pub(super) const UNIT: FileColumn = FileColumn {
    names: &[
        "unit",
        "units",
        "unit_id",
        "unit_ids",
        "neuron",
        "neurons",
        "neuron_id",
        "neuron_ids",
        "id",
        "ids",
        "node_id",
        "node_ids",
        "cell",
        "cells",
        "cell_id",
        "cell_ids",
        "gid",
        "gids",
        "sender",
        "senders",
        "cluster",
        "clusters",
        "cluster_id",
        "unit_index",
    ],
    unit: "",
    required: false,
    about: "its unit: numbered from 0 (see `first_id` and `ids`), or by name: units are then numbered in the order of \
            the names",
    ending: "",
};

/// Where something was recorded: what stands for a unit where nothing else does.
pub(super) const CHANNEL: FileColumn = FileColumn {
    names: &["channel", "channels", "channel_id", "channel_ids", "electrode", "electrodes", "electrode_id"],
    unit: "",
    required: false,
    about: "where it was recorded: its unit, in a file that has no column of units",
    ending: "",
};

/// The trial that something happened in, as tables of runs with trials have it.
pub(super) const TRIAL: FileColumn = FileColumn {
    names: &["trial", "trials", "trial_id", "trial_index", "trial_number"],
    unit: "",
    required: false,
    about: "its trial; all rows are of one, because times begin anew in each (the folder of a run with trials is \
            opened as a whole)",
    ending: "",
};

const POPULATION: FileColumn = FileColumn {
    names: &["population", "populations", "region", "brain_region"],
    unit: "",
    required: false,
    about: "its population; of several, `population` beside the file's name says which is meant",
    ending: "",
};

/// Columns of a file of spikes.
pub static SPIKES: FileColumns = FileColumns {
    name: "spikes",
    about: "one spike a row: `file` of a `spikes` stimulus, or somebody's recording that is opened in the place of a \
            run",
    columns: &[TIME, UNIT, CHANNEL, POPULATION, TRIAL],
    others: None,
};

/// Spikes of a file, in the order of its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeFile {
    /// Times in `unit`.
    pub times: Vec<f64>,
    /// Their unit; none where they are plain numbers.
    pub unit: Option<FileUnit>,
    /// The unit of each; none without such a column.
    pub ids: Option<Ids>,
    /// The population of each; none without such a column, or where one was chosen.
    pub populations: Option<Categories>,
    /// Row, from 1, of each.
    pub rows: Vec<usize>,
    /// What the columns of times and of units are called in the file.
    pub columns: [String; 2],
    /// What should be known of the file.
    pub notes: Vec<String>,
}

/// What the reader of spikes is told.
#[derive(Debug, Clone, Default)]
pub struct SpikeKeys<'a> {
    /// The unit of times that was stated beside the file.
    pub time_unit: Option<FileUnit>,
    /// Whether times are plain numbers; not known of recordings.
    pub plain: Option<bool>,
    /// The population that is meant.
    pub population: Option<&'a str>,
    /// Whether several populations may stand side by side.
    pub several: bool,
}

/// Reads a table of spikes.
///
/// # Errors
/// Every row and column that cannot be taken, with what is accepted and what is there.
pub fn spikes(table: &FileTable, keys: &SpikeKeys<'_>) -> Result<SpikeFile, Refused> {
    let mut file = Opened::new(table, &SPIKES)?;
    let time = file.need("time")?;
    let unit_column = file.find_unit()?;
    let population_column = file.find("population")?;
    file.one_trial()?;
    if let Some(found) = &unit_column
        && let Some(measure) = measured_in(found.column, "s")?
    {
        let what =
            format!("column `{}` holds `{}`, a unit of measure and no name of a unit", found.column.name, measure.text);
        let help = "leave it out: times are in the unit at the end of the name of their column (`time_ms`)";
        return Err(Refused::new(what, help).in_name(found.column.name.as_str()));
    }
    let times = numbers(time.column)?;
    let unit = match keys.plain {
        Some(plain) => file.time_unit(&time, "time", keys.time_unit.as_ref(), plain)?,
        None => match file.unit(&time, "time", keys.time_unit.as_ref())? {
            None => None,
            Some(_) => file.time_unit(&time, "time", keys.time_unit.as_ref(), false)?,
        },
    };
    let units = unit_column.as_ref().map_or_else(String::new, |found| found.column.name.clone());
    let columns = [time.column.name.clone(), units];
    let ids = unit_column.map(|found| ids(found.column)).transpose()?;
    let populations = population_column.map(|found| texts(found.column)).transpose()?;
    let mut notes = Vec::new();
    notes.extend(rounded(time.column));
    notes.extend(file.left());
    notes.extend(file.none());
    let rows = (1..=times.len()).collect();
    let whole = SpikeFile { rows, columns, times: times.into_owned(), unit, ids, populations, notes };
    let Some(names) = &whole.populations else {
        return match keys.population {
            None => Ok(whole),
            Some(_) => Err(Refused::new(
                "this file has no column `population`",
                "remove `population`, or name the population of each row in such a column",
            )),
        };
    };
    match (keys.population, names.names.as_slice()) {
        (Some(wanted), all) => match all.iter().position(|n| n == wanted) {
            Some(code) => Ok(whole.picked(code as u32)),
            // What is said of such a file is said.
            None if all.is_empty() => Ok(SpikeFile { populations: None, ..whole }),
            None => Err(Refused::new(
                format!("this file has no population `{wanted}`; it has {}", quoted(all.iter().map(String::as_str))),
                "choose one of them",
            )),
        },
        (None, [_] | []) if !keys.several => Ok(SpikeFile { populations: None, ..whole }),
        (None, all) if !keys.several => Err(Refused::new(
            format!("this file holds spikes of several populations: {}", quoted(all.iter().map(String::as_str))),
            format!("say which is meant: `population = \"{}\"`", all[0]),
        )),
        (None, _) => Ok(whole),
    }
}

impl SpikeFile {
    /// The spikes of one population.
    fn picked(self, code: u32) -> Self {
        let Some(names) = &self.populations else { return self };
        let rows: Vec<usize> = (0..self.times.len()).filter(|&k| names.codes[k] == code).collect();
        Self {
            times: rows.iter().map(|&k| self.times[k]).collect(),
            unit: self.unit,
            ids: self.ids.map(|ids| ids.of_rows(&rows)),
            populations: None,
            rows: rows.iter().map(|&k| self.rows[k]).collect(),
            columns: self.columns,
            notes: self.notes,
        }
    }
}
