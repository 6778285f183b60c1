//! Recordings from elsewhere: somebody's spikes or signals, opened as a run without a scenario.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::observed::fell_silent;
use super::part::part_of;
use super::recorded::{of_recorded, trial_tables};
use super::sampled::of_signal;
use super::trial_times as trials;
use super::{Facts, Finished, Status, free_memory};
use spikedeck_core::diagnostic::InText;
use spikedeck_signal::data::{
    FileTable, FileUnit, Ids, Numbered, Refused, SIGNAL, SPIKES, SignalKeys, SpikeFile, SpikeKeys, even_in, signal,
    spikes,
};
use spikedeck_signal::{FileColumns, Population, Recording, Spikes, TimeBase, Window};
use spikedeck_store::{self as store, FileKind, Recorded, StoreError};

/// Ids up to this many times as many as there are, and [`FEW`] more, are numbers of units; beyond it they are names.
pub(super) const SPARSE: i64 = 10;
/// See [`SPARSE`].
pub(super) const FEW: i64 = 1000;
/// How what is said of a list of spikes begins, of which nobody knows when it was observed.
pub(super) const LISTED: &str = "the file lists spikes only";

/// Why a file is not read as a recording.
#[derive(Debug, thiserror::Error)]
pub enum NotRead {
    /// It cannot be read, or is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is something else.
    #[error("{} is no recording: {why}", path.display())]
    NoRecording {
        /// File.
        path: PathBuf,
        /// What is wrong with it.
        why: Refused,
    },
    /// What is said of it beside its file cannot be taken: its trials, when it was observed.
    #[error("{0}")]
    Beside(Refused),
    /// It is a text in which something is wrong.
    #[error("{0}")]
    InText(Box<InText>),
}

impl NotRead {
    /// What is wrong with the text of the file, and where, if it is one.
    pub fn in_text(&self) -> Option<&InText> {
        match self {
            Self::InText(wrong) | Self::Store(StoreError::Text(wrong)) => Some(wrong),
            Self::Store(_) | Self::NoRecording { .. } | Self::Beside(_) => None,
        }
    }

    /// Why a file is refused, where in it if that is a place of its text.
    fn of(path: &Path, why: Refused, located: &dyn Fn(&Refused) -> Option<Box<InText>>) -> Self {
        match located(&why) {
            Some(wrong) => Self::InText(wrong),
            None => Self::NoRecording { path: path.to_owned(), why },
        }
    }
}

/// What a signal does not say itself: when its samples were taken, and the unit of its values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampling {
    /// Samples a second, of a table or an array without times.
    pub rate: Option<f64>,
    /// Seconds of the first sample likewise.
    pub start: Option<f64>,
    /// The unit of values that state none.
    pub unit: Option<String>,
}

/// Opens somebody's spikes or signals as a recording without scenario: from a table (Parquet, text), from an HDF5 file
/// (NWB, SONATA), or from an array of NumPy. A table of times, units and populations holds spikes; one that has other
/// columns of numbers too holds signals, if they are evenly sampled.
///
/// # Errors
/// When the file is none of these; what is accepted and what is there.
pub fn recording_from(path: &Path, sampling: &Sampling) -> Result<Finished, NotRead> {
    let label = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let most = free_memory() / 4 * 3;
    let read = |columns: &FileColumns| store::file_table(path, columns, most);
    match FileKind::of(path) {
        Some(FileKind::Hdf5) => hdf5_of(label, path, store::recorded(path, most)?, sampling),
        Some(FileKind::Npy) => array_of(label, path, &read(&SIGNAL)?, sampling),
        _ => {
            let table = store::describe(path)?;
            table_of(label, &table, &read, sampling)
                .map_err(|e| e.told(&|why| NotRead::of(path, why, &|why| store::located(path, why))))
        }
    }
}

/// The same of what is no file, as its bytes begin; `label` is what its population and the recording are called, `name`
/// the table in messages.
///
/// # Errors
/// As [`recording_from`].
pub fn recording_from_bytes(
    label: &str,
    name: &Path,
    bytes: &Arc<[u8]>,
    sampling: &Sampling,
) -> Result<Finished, NotRead> {
    let label = label.to_owned();
    let most = free_memory() / 4 * 3;
    let read = |columns: &FileColumns| store::bytes_table(name, bytes, columns, most);
    match FileKind::of_bytes(bytes) {
        FileKind::Hdf5 => hdf5_of(label, name, store::bytes_recorded(name, bytes, most)?, sampling),
        FileKind::Npy => array_of(label, name, &read(&SIGNAL)?, sampling),
        FileKind::Parquet | FileKind::Text => {
            let table = store::describe_bytes(name, bytes)?;
            table_of(label, &table, &read, sampling)
                .map_err(|e| e.told(&|why| NotRead::of(name, why, &|why| store::bytes_located(name, bytes, why))))
        }
    }
}

/// Refuses what is said of samples where the file says it itself.
fn says_itself(sampling: &Sampling, what: &str) -> Result<(), Refused> {
    if *sampling == Sampling::default() {
        return Ok(());
    }
    Err(Refused::new(
        format!("{what}, and rate, first time and unit are for signals that do not say theirs"),
        "leave out `--rate`, `--start` and `--unit` (`rate`, `first` and `unit` of a `[recordings]` table)",
    ))
}

fn hdf5_of(label: String, path: &Path, found: Recorded, sampling: &Sampling) -> Result<Finished, NotRead> {
    says_itself(sampling, "it is an HDF5 file").map_err(|why| NotRead::NoRecording { path: path.to_owned(), why })?;
    let tables = trial_tables(&found.events);
    let (recording, events, warnings) = of_recorded(&label, found);
    let mut opened = finished(label, recording, warnings);
    opened.facts.event_populations = events;
    opened.facts.trial_tables = tables;
    trials::usual(&mut opened);
    Ok(opened)
}

fn array_of(label: String, path: &Path, table: &FileTable, sampling: &Sampling) -> Result<Finished, NotRead> {
    let opened = signal(table, &SignalKeys::default()).and_then(|file| of_signal(&label, file, sampling));
    let (recording, mut warnings) = opened.map_err(|why| NotRead::NoRecording { path: path.to_owned(), why })?;
    if table.columns.len() > table.rows {
        warnings.push(format!(
            "rows of an array are samples and its columns channels: these are {} samples of {} channels; transpose it \
             if it is the other way round",
            table.rows,
            table.columns.len()
        ));
    }
    Ok(finished(label, recording, warnings))
}

/// Why a table is not read: it cannot be, or is refused.
enum NotTaken {
    Store(StoreError),
    Refused(Refused),
}

impl NotTaken {
    fn told(self, refused: &dyn Fn(Refused) -> NotRead) -> NotRead {
        match self {
            Self::Store(error) => NotRead::Store(error),
            Self::Refused(why) => refused(why),
        }
    }
}

impl From<StoreError> for NotTaken {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refused> for NotTaken {
    fn from(why: Refused) -> Self {
        Self::Refused(why)
    }
}

fn table_of(
    label: String,
    contents: &store::Contents,
    read: &dyn Fn(&FileColumns) -> Result<FileTable, StoreError>,
    sampling: &Sampling,
) -> Result<Finished, NotTaken> {
    let has = |name: &str| contents.columns.iter().any(|c| SPIKES.asks_for_as(name, c));
    let is_of_units = ["unit", "channel", "population"].into_iter().any(has);
    let (recording, mut warnings) = if contents.columns.iter().all(|c| SPIKES.asks_for(c) || c.is_empty()) {
        says_itself(sampling, "it lists spikes")?;
        let table = read(&SPIKES)?;
        of_spikes(&label, spikes(&table, &all_spikes())?)
    } else {
        let table = read(&SIGNAL)?;
        match signal(&table, &SignalKeys::default()).and_then(|file| of_signal(&label, file, sampling)) {
            Ok(opened) => opened,
            // Spikes may have columns of their own kind beside them; a signal always has times and no such gaps.
            Err(why) if has("time") && is_of_units && *sampling == Sampling::default() => {
                let table = read(&SPIKES)?;
                // What is neither is told as the signal that it looks like.
                let Some(listed) = spikes(&table, &all_spikes()).ok().filter(|listed| !is_sampled(listed)) else {
                    return Err(why.into());
                };
                let (recording, mut warnings) = of_spikes(&label, listed);
                warnings.push(format!("it is read as spikes, because it is no signal: {}", why.message));
                (recording, warnings)
            }
            Err(mut why) => {
                if has("time") && !is_of_units {
                    why.help.push_str("; of spikes a column `unit` says whose they are");
                }
                return Err(why.into());
            }
        }
    };
    warnings.extend(part_of(contents).map(|what| format!("of this table: {what}")));
    Ok(finished(label, recording, warnings))
}

/// Whether times are those of samples: every unit with some number of them has them evenly spaced, as no spikes are.
fn is_sampled(file: &SpikeFile) -> bool {
    /// Times that are no chance: so many intervals of spikes are never alike.
    const ENOUGH: usize = 20;
    let mut by_unit: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    let units = file.ids.as_ref().map(|ids| ids.in_order().units);
    for (k, time) in file.times.iter().enumerate() {
        by_unit.entry(units.as_ref().map_or(0, |u| u[k])).or_default().push(*time);
    }
    let mut long = by_unit.values().filter(|times| times.len() >= ENOUGH).peekable();
    long.peek().is_some() && long.all(|times| even_in(times, &[], "").is_ok())
}

/// A recording as a run without scenario and without analyses.
fn finished(label: String, recording: Recording, warnings: Vec<String>) -> Finished {
    let count = recording.spikes.iter().map(|s| s.len() as u64).sum();
    Finished {
        label,
        spec: None,
        status: Status::Complete,
        failure: None,
        recording: Arc::new(recording),
        outcomes: Vec::new(),
        checks: Vec::new(),
        warnings,
        facts: Facts { spikes: count, ..Facts::default() },
    }
}

fn all_spikes() -> SpikeKeys<'static> {
    SpikeKeys { several: true, ..SpikeKeys::default() }
}

/// The time axis of times in `unit`, by what they are multiplied, and what should be known of it.
pub(super) fn axis(unit: Option<&FileUnit>) -> (TimeBase, f64, Option<String>) {
    match unit {
        Some(unit) => (TimeBase::Milliseconds, unit.scale / TimeBase::Milliseconds.seconds(), None),
        None => (
            TimeBase::Dimensionless,
            1.0,
            Some("times have no unit in this file and are plain numbers; in a column `time_ms` they have one".into()),
        ),
    }
}

/// Units of a recording, whose number nobody states.
pub(super) fn numbered(ids: &Ids) -> Numbered {
    let Ids::Numbers(numbers) = ids else { return ids.in_order() };
    let (Some(&low), Some(&high)) = (numbers.iter().min(), numbers.iter().max()) else { return ids.in_order() };
    if low < 0 || high >= i64::from(u32::MAX) || high > SPARSE * different(numbers, high) + FEW {
        return ids.in_order();
    }
    let note = (low > 0).then(|| {
        format!("ids in this file are {low} to {high}: units 0 to {} are silent, or the ids begin at {low}", low - 1)
    });
    let units = numbers.iter().map(|n| *n as u32).collect();
    Numbered { units, count: high as usize + 1, note, names: Vec::new() }
}

/// How many different ones there are of `numbers` from 0 to `high`; 0 where `high` is beyond what so many could reach.
fn different(numbers: &[i64], high: i64) -> i64 {
    if high > SPARSE.saturating_mul(numbers.len() as i64).saturating_add(FEW) {
        return 0;
    }
    let mut seen = vec![false; high as usize + 1];
    for &n in numbers {
        seen[n as usize] = true;
    }
    seen.iter().filter(|s| **s).count() as i64
}

/// Spikes sorted by time, then unit. What is a few ascending stretches, as trains below each other are, is merged.
pub(super) fn by_time(times: Vec<f64>, units: Vec<u32>) -> (Vec<f64>, Vec<u32>) {
    let mut all: Vec<(f64, u32)> = times.into_iter().zip(units).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all.into_iter().unzip()
}

/// That spikes are there more than once, of what is in the order of [`by_time`].
pub(super) fn repeated(times: &[f64], units: &[u32]) -> Option<String> {
    let twice = (1..times.len()).filter(|&k| (times[k], units[k]) == (times[k - 1], units[k - 1])).count();
    let is = if twice == 1 { "is" } else { "are" };
    (twice > 0).then(|| {
        let all = times.len();
        format!("of {all} spikes {twice} {is} there more than once, at one time and one unit, and each is counted")
    })
}

fn of_spikes(label: &str, file: SpikeFile) -> (Recording, Vec<String>) {
    let (base, scale, note) = axis(file.unit.as_ref());
    let mut warnings = file.notes;
    warnings.extend(note);
    let named = file.populations.as_ref().map(|p| p.names.clone()).filter(|names| !names.is_empty());
    let names = named.unwrap_or_else(|| vec![label.to_owned()]);
    let mut spikes: Vec<Spikes> = Vec::with_capacity(names.len());
    let mut called_units: Vec<Vec<String>> = Vec::with_capacity(names.len());
    for (code, name) in names.iter().enumerate() {
        let rows: Vec<usize> = match &file.populations {
            None => (0..file.times.len()).collect(),
            Some(populations) => populations.rows_of(name),
        };
        let (units, size, called) = match &file.ids {
            None => (vec![0; rows.len()], 1, Vec::new()),
            Some(ids) => {
                let Numbered { units, count, note, names: called } = numbered(&ids.of_rows(&rows));
                let of = if names.len() > 1 { format!("{}: ", names[code]) } else { String::new() };
                warnings.extend(note.map(|note| format!("{of}{note}")));
                (units, count, called)
            }
        };
        called_units.push(called);
        let times: Vec<f64> = rows.iter().map(|&k| file.times[k] * scale).collect();
        let (times, units) = by_time(times, units);
        let of = if names.len() > 1 { format!("{name}: ") } else { String::new() };
        warnings.extend(repeated(&times, &units).map(|note| format!("{of}{note}")));
        spikes.push(Spikes { population: name.clone(), size, times, units });
    }
    let first = spikes.iter().filter_map(|s| s.times.first()).copied().min_by(f64::total_cmp);
    let last = spikes.iter().filter_map(|s| s.times.last()).copied().max_by(f64::total_cmp);
    let window = first.zip(last).map_or_else(Window::default, |(first, last)| window_of(first, last));
    let silent = spikes.iter().zip(&called_units).filter_map(|(own, names)| fell_silent(own, names, window, base));
    warnings.extend(silent);
    warnings.push(format!(
        "{LISTED}: it is taken to begin at {} and to end with its last spike, and silent units after \
         the last that fired are unknown",
        format!("{} {}", window.start, base.unit()).trim_end()
    ));
    let recording = Recording {
        time_base: base,
        window,
        populations: spikes
            .iter()
            .zip(called_units)
            .map(|(s, names)| Population { name: s.population.clone(), size: s.size, names, ..Population::default() })
            .collect(),
        spikes,
        ..Recording::default()
    };
    (recording, warnings)
}

/// The stretch that spikes from `first` to `last` are of, open at its start. Files that begin near 0 begin there; of a
/// cut-out nothing is known of the time before, and it begins at a round time just before its first spike.
pub(super) fn window_of(first: f64, last: f64) -> Window {
    let span = last - first;
    if first > 0.0 && (first <= span || span == 0.0) {
        return Window { start: 0.0, stop: last };
    }
    // At most a thousandth of the stretch before.
    let step = if span > 0.0 { 10_f64.powf((span / 1000.0).log10().floor()) } else { 1.0 };
    let below = (first / step).floor() * step;
    let start = if below < first { below } else { below - step };
    // Of very late times a step may be nothing.
    Window { start: if start < first { start } else { first.next_down() }, stop: last }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(name: &str, text: &str) -> Result<Finished, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        recording_from(&path, &Sampling::default()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_field_potential_is_a_trace_in_its_unit() {
        let rows: String = (0..200)
            .fold(String::new(), |rows, k| format!("{rows}{},{}\n", f64::from(k) * 0.5, (f64::from(k) / 30.0).sin()));
        let run = open("lfp.csv", &format!("time_ms,lfp_mV\n{rows}")).unwrap();
        assert!(run.recording.spikes.is_empty());
        let [trace] = &run.recording.traces[..] else { panic!("{:?}", run.recording.traces) };
        assert_eq!((trace.variable.as_str(), trace.unit.as_str(), trace.len()), ("lfp", "mV", 200));
        assert_eq!((trace.start, trace.interval, run.recording.window.stop), (0.0, 0.5, 99.5));
        assert_eq!(trace.values[3], 0.1_f64.sin());
    }

    #[test]
    fn traces_of_a_run_come_back_unit_by_unit_whatever_the_order_of_rows() {
        let run = open("t.csv", "time_ms,unit,V_m_mV\n1,5,-3\n0,5,-1\n0,2,-2\n1,2,-4\n").unwrap();
        let [trace] = &run.recording.traces[..] else { panic!("one variable") };
        assert_eq!((trace.variable.as_str(), trace.units.as_slice()), ("V_m", &[0, 1][..]));
        assert_eq!(trace.values, [-2.0, -1.0, -4.0, -3.0]);
        assert!(run.warnings.iter().any(|w| w.contains("order of their ids")), "{:?}", run.warnings);
    }

    #[test]
    fn spikes_are_read_whatever_their_columns_are_called_and_their_units_named() {
        for (heading, unit) in [("unit", "1"), ("neuron", "1"), ("Node_ID", "1"), (" sender", "1"), ("unit", "ch_1")] {
            let zero = unit.replace('1', "0");
            let run = open("s.csv", &format!("{heading},time_s\n{unit},0.0205\n{zero},0.01\n{zero},0.0205\n")).unwrap();
            let spikes = &run.recording.spikes[0];
            assert_eq!(spikes.times, [10.0, 20.5, 20.5], "{heading}");
            assert_eq!((spikes.units.as_slice(), spikes.size), (&[0, 0, 1][..], 2), "{heading}");
            assert_eq!(
                run.warnings.iter().any(|w| w.contains("`ch_0` is unit 0")),
                unit == "ch_1",
                "{:?}",
                run.warnings
            );
        }
        let run = open("s.csv", "time,unit\n1,0\n").unwrap();
        assert_eq!(run.recording.time_base, TimeBase::Dimensionless);
        assert!(run.warnings.iter().any(|w| w.contains("times have no unit")), "{:?}", run.warnings);
    }

    #[test]
    fn large_ids_are_names_and_ids_from_one_are_told() {
        let run = open("s.csv", "time_ms,unit\n1,4000000000\n2,17\n").unwrap();
        assert_eq!((run.recording.spikes[0].size, run.recording.spikes[0].units.as_slice()), (2, &[1, 0][..]));
        assert!(run.warnings.iter().any(|w| w.contains("`17` is unit 0")), "{:?}", run.warnings);
        let run = open("s.csv", "time_ms,unit\n1,1\n2,2\n").unwrap();
        assert_eq!(run.recording.spikes[0].size, 3);
        assert!(run.warnings.iter().any(|w| w.contains("the ids begin at 1")), "{:?}", run.warnings);
    }

    #[test]
    fn marks_beside_spikes_are_named_and_what_is_neither_is_refused() {
        let run = open("s.csv", "time_ms,unit,amplitude_uV\n1,0,5\n1.5,1,6\n7,0,5\n").unwrap();
        assert_eq!(run.recording.spikes[0].len(), 3);
        assert!(run.warnings.iter().any(|w| w.contains("`amplitude_uV`")), "{:?}", run.warnings);
        let uneven = open("s.csv", "time_ms,x\n0,1\n1,1\n5,1\n").unwrap_err();
        assert!(uneven.contains("row 3 is 4 after row 2"), "{uneven}");
        let neither = open("s.csv", "a,b\n1,2\n").unwrap_err();
        assert!(neither.contains("no column of times"), "{neither}");
        let gap = open("s.csv", "time_ms,unit\n1,0\n,1\nnan,2\n").unwrap_err();
        assert!(gap.contains("row 2 of column `time_ms` is empty"), "{gap}");
    }

    /// Every spike and every sample is inside the stretch, which is open at its start, and as good as nothing else is.
    #[test]
    fn the_stretch_of_a_file_is_that_of_its_rows() {
        for (first, last) in [
            (10.0, 20.5),
            (3_600_000.0, 3_610_000.0),
            (3_600_000.5, 3_600_007.25),
            (0.0, 100.0),
            (-50.0, 100.0),
            (-50.0, -20.0),
            (7.0, 7.0),
            (0.0, 0.0),
            (-3.0, -3.0),
            (1e15, 1e15 + 1.0),
            (1e-9, 3e-9),
        ] {
            let Window { start, stop } = window_of(first, last);
            assert!(start < first && stop == last, "{first} {last}: {start} {stop}");
            let before = first - start;
            assert!(
                before <= ((last - first) / 500.0).max(1.0)
                    || (start == 0.0 && (first <= last - first || first == last)),
                "{start}"
            );
        }
        let run = open("s.csv", "time_ms,unit\n3600000,0\n3602500,0\n3605000,0\n3610000,0\n").unwrap();
        assert_eq!(run.recording.window, Window { start: 3_599_990.0, stop: 3_610_000.0 });
        assert!(run.warnings.iter().any(|w| w.contains("begin at 3599990 ms")), "{:?}", run.warnings);
        let run = open("l.csv", "time_ms,x_mV\n100,1\n100.5,2\n101,3\n101.5,4\n").unwrap();
        assert_eq!(run.recording.window, Window { start: 99.5, stop: 101.5 });
        assert_eq!(run.recording.traces[0].range(run.recording.window), 0..4);
    }
}
