//! Parts: what a run wrote while it lasted. A killed run leaves whole parts that every reader accepts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::TableError;
use super::recording::{
    population_names, spike_batches, spikes_schema, trace_batches, trace_groups, trace_schema, trace_stem,
    write_batches,
};
use spikedeck_signal::{Recording, Trace};
use spikedeck_store::Format;

/// What has been written as parts so far.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Spikes of each population that are on disk (and, until they leave memory, also there).
    spikes: BTreeMap<String, usize>,
    /// Samples of each trace that are on disk.
    samples: BTreeMap<(String, String), usize>,
    /// Number of parts of each table.
    numbers: BTreeMap<PathBuf, u32>,
}

impl Parts {
    /// Writes what is new in `recording` since the last call (it holds everything so far).
    pub(super) fn so_far(&mut self, folder: &Path, recording: &Recording, format: Format) -> Result<(), TableError> {
        let from: Vec<usize> =
            recording.spikes.iter().map(|s| self.spikes.get(&s.population).copied().unwrap_or(0)).collect();
        self.spikes_from(folder, recording, from, format)?;
        for spikes in &recording.spikes {
            self.spikes.insert(spikes.population.clone(), spikes.len());
        }
        for (key, indices) in trace_groups(&recording.traces) {
            let traces: Vec<&Trace> = indices.iter().map(|&k| &recording.traces[k]).collect();
            let from = self.samples.get(&key).copied().unwrap_or(0);
            let length = traces.iter().map(|t| t.len()).min().unwrap_or(0);
            if length > from {
                self.trace(folder, &key, traces, from, recording, format)?;
                self.samples.insert(key, length);
            }
        }
        Ok(())
    }

    /// Writes all rows of `part`, which leave memory.
    pub(super) fn part(&mut self, folder: &Path, part: &Recording, format: Format) -> Result<(), TableError> {
        // Some of it may be on disk from an earlier call of `so_far`; those rows come first.
        let mut from = Vec::new();
        for spikes in &part.spikes {
            let written = self.spikes.entry(spikes.population.clone()).or_insert(0);
            let skip = (*written).min(spikes.len());
            *written -= skip;
            from.push(skip);
        }
        self.spikes_from(folder, part, from, format)?;
        for (key, indices) in trace_groups(&part.traces) {
            let traces: Vec<&Trace> = indices.iter().map(|&k| &part.traces[k]).collect();
            let length = traces.iter().map(|t| t.len()).min().unwrap_or(0);
            let written = self.samples.entry(key.clone()).or_insert(0);
            let skip = (*written).min(length);
            *written -= skip;
            if length > skip {
                self.trace(folder, &key, traces, skip, part, format)?;
            }
        }
        Ok(())
    }

    fn spikes_from(
        &mut self,
        folder: &Path,
        recording: &Recording,
        from: Vec<usize>,
        format: Format,
    ) -> Result<(), TableError> {
        if recording.spikes.iter().zip(&from).all(|(s, &f)| s.len() <= f) {
            return Ok(());
        }
        let names = population_names(recording);
        let time = recording.time_base.column();
        let path = self.next(&folder.join("spikes.parts"), format)?;
        write_batches(
            &path,
            &spikes_schema(&names, time),
            spike_batches(&recording.spikes, from, &names, time),
            format,
        )?;
        Ok(())
    }

    fn trace(
        &mut self,
        folder: &Path,
        (population, name): &(String, String),
        traces: Vec<&Trace>,
        from: usize,
        recording: &Recording,
        format: Format,
    ) -> Result<(), TableError> {
        let time = recording.time_base.column();
        let path = self.next(&folder.join("traces").join(format!("{}.parts", trace_stem(population, name))), format)?;
        write_batches(&path, &trace_schema(&traces, time), trace_batches(traces, from, time), format)?;
        Ok(())
    }

    fn next(&mut self, folder: &Path, format: Format) -> Result<PathBuf, TableError> {
        fs::create_dir_all(folder).map_err(|e| TableError::io(folder, e))?;
        let number = self.numbers.entry(folder.to_owned()).or_insert(0);
        *number += 1;
        Ok(folder.join(format!("{number:04}.{}", format.extension())))
    }

    /// Whether nothing has been written.
    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Removes the parts.
    pub(super) fn remove(&mut self) {
        for folder in std::mem::take(&mut self.numbers).into_keys() {
            // The merged tables are in place: parts that cannot be removed cost room, nothing else.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// The parts in `folder`, in the order they were written: by their number, which has more than four digits after some
/// hours. What has no number for a name is no part.
pub(super) fn list(folder: &Path) -> Vec<PathBuf> {
    let mut parts: Vec<(u64, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter_map(|path| Some((number(&path)?, path)))
        .collect();
    parts.sort();
    parts.into_iter().map(|(_, path)| path).collect()
}

/// The number of the part at `path`, if it is one: `0001.parquet`.
pub(super) fn number(path: &Path) -> Option<u64> {
    let digits = path.file_stem()?.to_str().filter(|s| s.len() >= 4 && s.bytes().all(|b| b.is_ascii_digit()))?;
    Format::of(path).and_then(|_| digits.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts come back in the order they were written in, however many there are; what is none is left alone.
    #[test]
    fn parts_are_listed_in_the_order_they_were_written_in() {
        let folder = tempfile::tempdir().unwrap();
        let mut parts = Parts::default();
        let mut written = Vec::new();
        for last in [0, 1, 8, 9, 98, 999, 1_000, 9_997, 9_998, 9_999, 10_000, 10_001, 99_999, 100_000, 4_000_000_000] {
            parts.numbers.insert(folder.path().to_owned(), last);
            written.push(parts.next(folder.path(), Format::Parquet).unwrap());
            fs::write(written.last().unwrap(), "").unwrap();
        }
        for other in [".0001.parquet.7-1.part", "notes.csv", "12.csv", "0001.png", "1e4.parquet", "+0001.parquet"] {
            fs::write(folder.path().join(other), "").unwrap();
        }
        assert_eq!(list(folder.path()), written);
    }
}
