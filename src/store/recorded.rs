//! What a file of recordings holds that is no table: units with their spikes, and sampled signals.

use spikedeck_signal::data::{Cells, FileData, FileTable};
use spikedeck_signal::stretches::Stretch;

/// What an HDF5 file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recorded {
    /// Spikes, one entry a population.
    pub spikes: Vec<RecordedSpikes>,
    /// Evenly sampled signals.
    pub signals: Vec<RecordedSignal>,
    /// Events, one entry a table of them.
    pub events: Vec<RecordedEvents>,
    /// Stretches in seconds that are to be left out (artefacts).
    pub invalid: Vec<(f64, f64)>,
    /// The stretch in seconds that all units were observed in, where the file says it.
    pub observed: Option<(f64, f64)>,
    /// What is there and is not read: names, with what it is.
    pub left: Vec<String>,
    /// What should be known besides.
    pub notes: Vec<String>,
}

/// Spikes of one population.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedSpikes {
    /// Its name (a brain region, a population of SONATA), if the file has one.
    pub name: Option<String>,
    /// Times, in any order.
    pub times: Vec<f64>,
    /// Seconds of one.
    pub scale: f64,
    /// Whose they are.
    pub units: RecordedUnits,
    /// The stretches in seconds in which each unit was observed, in the order of time; none of a unit of which the
    /// file does not say it, and empty where it says it of none.
    pub observed: Vec<Vec<Stretch>>,
}

/// Whose spikes are.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordedUnits {
    /// Ids that stand beside the times; units without spikes are not known.
    Ids(Vec<i64>),
    /// The unit of each spike, of those that the file lists.
    Listed {
        /// Place in the list.
        units: Vec<u32>,
        /// Their ids or names.
        labels: Vec<String>,
    },
}

/// Events of one table: trials, epochs, licks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordedEvents {
    /// Its name.
    pub name: String,
    /// Its columns of times: their names, and seconds; not a number where a row has none.
    pub columns: Vec<(String, Vec<f64>)>,
    /// Its other columns, in words: a text for each row.
    pub labels: Vec<(String, Vec<String>)>,
}

/// An evenly sampled signal of one or more channels.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedSignal {
    /// Where it stands in the file.
    pub place: String,
    /// Unit of the values as the file has it; empty if it has none.
    pub unit: String,
    /// Seconds of the first sample.
    pub start: f64,
    /// Seconds from sample to sample.
    pub interval: f64,
    /// Number of channels.
    pub channels: usize,
    /// Samples, `values[k * channels + j]`.
    pub values: Vec<f64>,
}

impl RecordedSignal {
    /// Its name, the last part of its place.
    pub fn name(&self) -> &str {
        self.place.rsplit('/').next().unwrap_or(&self.place)
    }
}

impl Recorded {
    /// Its spikes as a table with times in seconds; what else is there stands as columns that are not read.
    ///
    /// # Errors
    /// When it holds no spikes.
    pub(super) fn spikes_table(self) -> Result<FileTable, String> {
        if self.spikes.is_empty() {
            return Err(format!("it holds no spikes{}", self.instead()));
        }
        let (mut times, mut populations) = (Vec::new(), Vec::new());
        let mut ids: Vec<String> = Vec::new();
        let named = self.spikes.iter().any(|s| s.name.is_some());
        let mut numbers: Option<Vec<i64>> = Some(Vec::new());
        for of in self.spikes {
            populations.extend(std::iter::repeat_n(of.name.unwrap_or_default(), of.times.len()));
            times.extend(of.times.iter().map(|t| t * of.scale));
            match of.units {
                RecordedUnits::Ids(own) => match &mut numbers {
                    Some(numbers) => numbers.extend(own),
                    None => ids.extend(own.iter().map(ToString::to_string)),
                },
                RecordedUnits::Listed { units, labels } => {
                    let parsed: Option<Vec<i64>> = labels.iter().map(|l| l.parse().ok()).collect();
                    match (&mut numbers, parsed) {
                        (Some(numbers), Some(parsed)) => numbers.extend(units.iter().map(|&u| parsed[u as usize])),
                        (known, _) => {
                            ids.extend(known.take().into_iter().flatten().map(|id| id.to_string()));
                            ids.extend(units.iter().map(|&u| labels[u as usize].clone()));
                        }
                    }
                }
            }
        }
        let unit = match numbers {
            Some(numbers) => FileData::new("unit", Cells::Whole(numbers)),
            None => FileData::texts("unit", ids),
        };
        let mut columns = vec![FileData { unit: Some("s".into()), ..FileData::numbers("time", times) }, unit];
        if named {
            columns.push(FileData::texts("population", populations));
        }
        let signals = self.signals.iter().map(|s| s.place.clone());
        columns.extend(signals.chain(self.left).map(|name| FileData::new(name, Cells::Unread)));
        Ok(FileTable::of(columns))
    }

    /// Its only signal as a table with times in seconds.
    ///
    /// # Errors
    /// When it holds none, or several.
    pub(super) fn signal_table(mut self) -> Result<FileTable, String> {
        if self.signals.len() > 1 {
            let names: Vec<String> = self.signals.iter().map(|s| format!("`{}`", s.place)).collect();
            return Err(format!(
                "it holds {} signals, and one is read here: {}; write the one that is meant into a file of its own",
                names.len(),
                names.join(", ")
            ));
        }
        let Some(signal) = self.signals.pop() else {
            return Err(format!("it holds no evenly sampled signal{}", self.instead()));
        };
        let samples = signal.values.len() / signal.channels.max(1);
        let times: Vec<f64> = (0..samples).map(|k| signal.start + signal.interval * k as f64).collect();
        let mut columns = vec![FileData { unit: Some("s".into()), ..FileData::numbers("time", times) }];
        let stated = Some(signal.unit.clone()).filter(|u| !u.is_empty());
        for channel in 0..signal.channels {
            let name = if signal.channels == 1 { signal.name().to_owned() } else { format!("channel {channel}") };
            let values = signal.values.iter().skip(channel).step_by(signal.channels).copied().collect();
            columns.push(FileData { unit: stated.clone(), ..FileData::numbers(name, values) });
        }
        Ok(FileTable::of(columns))
    }

    /// What it holds, where it does not hold what is wanted.
    pub(super) fn instead(&self) -> String {
        let spikes =
            self.spikes.iter().map(|s| s.name.clone().map_or("units".to_owned(), |n| format!("spikes of {n}")));
        let all: Vec<String> =
            spikes.chain(self.signals.iter().map(|s| s.place.clone())).chain(self.left.iter().cloned()).collect();
        match all.len() {
            0 => String::new(),
            n if n > 8 => format!("; it holds {}, and {} more", all[..8].join(", "), n - 8),
            _ => format!("; it holds {}", all.join(", ")),
        }
    }
}
