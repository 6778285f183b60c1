//! Reading what a run wrote while it lasted: parts of a run that was killed, and of rows that left memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::TableError;
use super::parts::list;
use spikedeck_core::units::short;
use spikedeck_signal::{Absent, OnDisk, Recording, Rows, Spikes, TimeBase, Trace, Window};
use spikedeck_store::{self as store, Table};

/// What a run that was ended from outside holds, in words: up to which time, of which the parts are whole.
pub(super) fn cut(recording: &mut Recording, until: Option<f64>) -> String {
    let (whole, unit) = (recording.window.stop, recording.time_base.unit());
    let time = |t: f64| format!("{} {unit}", short(t)).trim_end().to_owned();
    let Some(until) = until else {
        recording.window.stop = recording.window.start;
        return "the run was ended from outside before anything that it recorded was written".to_owned();
    };
    recording.window.stop = until.min(whole);
    // What was written of the next part is not all that happened then.
    for spikes in &mut recording.spikes {
        let keep = spikes.times.partition_point(|&t| t <= until);
        spikes.times.truncate(keep);
        spikes.units.truncate(keep);
    }
    for trace in &mut recording.traces {
        // Half a billionth of an interval more, as everywhere where windows are cut.
        let samples = if until < trace.start { 0 } else { trace.range(before(trace, until)).end };
        trace.values.truncate(samples * trace.units.len());
    }
    format!("the run was ended from outside: it is known up to {} of {}", time(until), time(whole))
}

/// Everything of a trace up to a time.
fn before(trace: &Trace, until: f64) -> Window {
    Window { start: trace.start - trace.interval, stop: until }
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

/// Everything that left memory during a run, from its parts, as far as it fits into `bytes`: spikes first, then traces.
/// What does not fit is absent, and read back from its parts where it is looked at. With it, all that was recorded
/// without its values: what the tables hold.
pub(super) fn gather(path: &Path, rest: Recording, bytes: u64) -> Result<(Recording, Recording), TableError> {
    let mut described = rest.without_data();
    for trace in &mut described.traces {
        // The remainder in memory starts late; the parts start at the beginning.
        trace.start = described.window.start;
    }
    let mut whole = Recording { traces: Vec::new(), connections: rest.connections, ..described.clone() };
    let why = "it stays on disk, because it does not fit into memory";
    let rows = PartRows { folder: path.to_owned(), time: described.time_base.column() };
    let mut stored = OnDisk { spikes: Vec::new(), traces: Vec::new(), room: 0, rows: Arc::new(rows) };
    let mut used = 0;
    let rows = rows_of(&path.join("spikes.parts"))?;
    if used + rows * 12 <= bytes {
        used += rows * 12;
        for part in list(&path.join("spikes.parts")) {
            add_spikes(&mut whole.spikes, &store::read(&part, None)?, described.time_base)?;
        }
    } else {
        stored.spikes = std::mem::take(&mut whole.spikes);
        whole.absent.extend(stored.spikes.iter().map(|s| Absent {
            population: s.population.clone(),
            variable: None,
            why: why.to_owned(),
        }));
    }
    let time = described.time_base.column();
    for trace in &mut described.traces {
        let folder = parts_of(path, trace);
        let parts = list(&folder);
        if let Some(first) = parts.first() {
            let times = store::read(first, Some(&[time]))?.numbers(time)?;
            trace.start = times.first().copied().unwrap_or(trace.start);
        }
        let rows = rows_of(&folder)?;
        if used + rows * 8 <= bytes {
            used += rows * 8;
            let mut values = Vec::new();
            for part in &parts {
                values.extend(store::read(part, Some(&[&trace.column]))?.numbers(&trace.column)?);
            }
            whole.traces.push(Trace { values, ..trace.clone() });
        } else {
            stored.traces.push(trace.clone());
            whole.absent.push(Absent {
                population: trace.population.clone(),
                variable: Some(trace.variable.clone()),
                why: why.to_owned(),
            });
        }
    }
    // Beside what is held stand the part that is read and what is made of it.
    stored.room = (bytes - used) / 2;
    whole.on_disk = (!whole.absent.is_empty()).then_some(stored);
    Ok((whole, described))
}

/// The folder of the parts of a trace.
fn parts_of(path: &Path, trace: &Trace) -> PathBuf {
    let stem = super::recording::trace_stem(&trace.population, &trace.name);
    path.join("traces").join(format!("{stem}.parts"))
}

/// The parts of a run as rows that can be read back.
#[derive(Debug)]
struct PartRows {
    folder: PathBuf,
    time: &'static str,
}

impl Rows for PartRows {
    fn spikes(&self, population: &str, take: &mut dyn FnMut(&[f64], &[u32])) -> Result<(), String> {
        for part in list(&self.folder.join("spikes.parts")) {
            let (times, units) = self.part(&part, population).map_err(|e| e.to_string())?;
            take(&times, &units);
        }
        Ok(())
    }

    fn samples(&self, trace: &Trace, take: &mut dyn FnMut(&[f64])) -> Result<(), String> {
        for part in list(&parts_of(&self.folder, trace)) {
            let read = store::read(&part, Some(&[&trace.column])).and_then(|table| table.numbers(&trace.column));
            take(&read.map_err(|e| e.to_string())?);
        }
        Ok(())
    }
}

impl PartRows {
    /// Times and units of the spikes of a population in one part.
    fn part(&self, part: &Path, population: &str) -> Result<(Vec<f64>, Vec<u32>), store::StoreError> {
        let table = store::read(part, None)?;
        let (names, codes) = table.categories("population")?;
        let (units, times) = (table.unit_numbers("unit")?, table.numbers(self.time)?);
        let Some(code) = names.iter().position(|n| n == population) else { return Ok((Vec::new(), Vec::new())) };
        let rows = (0..codes.len()).filter(|&k| codes[k] as usize == code);
        Ok(rows.map(|k| (times[k], units[k])).unzip())
    }
}

fn rows_of(parts: &Path) -> Result<u64, TableError> {
    let mut rows = 0;
    for part in list(parts) {
        rows += store::describe(&part)?.rows;
    }
    Ok(rows)
}
