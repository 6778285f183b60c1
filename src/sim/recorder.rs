//! What is recorded: samplers on one thread, and the recorder in which the records of all threads
//! come together.

use std::iter::StepBy;
use std::ops::Range;

use spikedeck_core::units::display_unit;
use spikedeck_scenario::{ProjectionId, Recorded, Spec, TraceId};
use spikedeck_signal::{Connections, Population, Recording, Spikes, Trace, Window};

use super::axis::Axis;
use super::body::{Body, Points, ProbeId};
use super::snapshot::{Pass, Snapshot};

/// A variable of some lanes that is sampled now and then.
#[derive(Debug)]
pub(super) struct Sampler {
    /// The trace.
    pub trace: TraceId,
    /// Columns of the trace that the lanes are.
    pub columns: Vec<u32>,
    lanes: Vec<u32>,
    /// Lanes counted through many grid points.
    places: Vec<u32>,
    what: ProbeId,
    every: u64,
    scale: f64,
}

impl Sampler {
    /// A sampler of `what` of the lanes that are among `units`; `None` if none are.
    pub fn new(
        trace: TraceId,
        what: ProbeId,
        units: &[u32],
        first: u32,
        (lanes, every, scale): (usize, u64, f64),
    ) -> Option<Self> {
        let range = first..first + lanes as u32;
        let mine: Vec<(u32, u32)> =
            units.iter().enumerate().filter(|(_, u)| range.contains(u)).map(|(c, u)| (c as u32, u - first)).collect();
        if mine.is_empty() {
            return None;
        }
        let (columns, lanes) = mine.into_iter().unzip();
        Some(Self { trace, columns, lanes, places: Vec::new(), what, every: every.max(1), scale })
    }

    /// Whether grid point `k` is sampled.
    #[inline]
    pub fn is_due(&self, k: u64) -> bool {
        k.is_multiple_of(self.every)
    }

    /// Whether it is sampled whenever another is.
    pub fn is_due_with(&self, other: &Self) -> bool {
        other.every.is_multiple_of(self.every)
    }

    /// Grid points among `steps` that are sampled.
    pub fn due_in(&self, steps: Range<u64>) -> StepBy<Range<u64>> {
        (steps.start.next_multiple_of(self.every)..steps.end).step_by(self.every as usize)
    }

    /// Appends the values at its grid points among `steps`, which are among those that the last stretch of steps
    /// remembers (`due`). `lanes` are those of the population.
    pub fn recall(
        &mut self,
        steps: Range<u64>,
        due: &[u64],
        points: &mut Points,
        lanes: u32,
        scratch: &mut Vec<f64>,
        out: &mut Vec<f64>,
    ) {
        let mut mine = self.due_in(steps).peekable();
        self.places.clear();
        for (row, k) in (0..).zip(due) {
            if mine.next_if_eq(k).is_some() {
                self.places.extend(self.lanes.iter().map(|lane| row * lanes + lane));
            }
        }
        scratch.clear();
        points.recall(self.what, &self.places, scratch);
        out.extend(scratch.iter().map(|v| v / self.scale));
    }

    /// Appends the values at grid point `k` in display units.
    pub fn sample(&self, k: u64, body: &mut dyn Body, inputs: &[&[f64]], scratch: &mut Vec<f64>, out: &mut Vec<f64>) {
        scratch.clear();
        body.sample(self.what, k, inputs, &self.lanes, scratch);
        out.extend(scratch.iter().map(|v| v / self.scale));
    }
}

/// What one thread recorded during an epoch.
#[derive(Debug, Default)]
pub(super) struct EpochRecord {
    /// Times and units of spikes, one entry a recorded population.
    pub spikes: Vec<(Vec<f64>, Vec<u32>)>,
    /// Values of the lanes of each sampler, sample by sample.
    pub traces: Vec<Vec<f64>>,
}

impl EpochRecord {
    /// An empty record.
    pub fn new(spikes: usize, traces: usize) -> Self {
        Self { spikes: vec![(Vec::new(), Vec::new()); spikes], traces: vec![Vec::new(); traces] }
    }

    /// Bytes of what it holds.
    pub fn bytes(&self) -> u64 {
        let spikes: usize = self.spikes.iter().map(|(times, units)| times.len() * 8 + units.len() * 4).sum();
        let traces: usize = self.traces.iter().map(|values| values.len() * 8).sum();
        (spikes + traces) as u64
    }
}

/// The recording of all threads as it grows.
#[derive(Debug)]
pub(super) struct Recorder {
    pub recording: Recording,
    /// Whose the recorded connections are.
    pub written: Vec<ProjectionId>,
    /// Samples of each trace handed over in parts already.
    gone: Vec<u64>,
    every: Vec<u64>,
    axis: Axis,
}

impl Recorder {
    /// An empty recorder for what `spec` records.
    pub fn new(
        spec: &Spec,
        axis: Axis,
        populations: Vec<Population>,
        connections: Vec<(ProjectionId, Connections)>,
    ) -> Self {
        let (written, connections) = connections.into_iter().unzip();
        let mut traces = Vec::new();
        let mut every = Vec::new();
        for Recorded { place, request, variable, .. } in spec.recorded() {
            let unit = display_unit(variable.dimension);
            traces.push(Trace {
                population: spec.place_name(place).to_owned(),
                name: request.name.clone(),
                variable: variable.name.clone(),
                column: unit.column(&variable.name),
                unit: unit.symbol,
                units: request.units.clone(),
                start: 0.0,
                interval: axis.time(request.every.max(1) as f64),
                values: Vec::new(),
            });
            every.push(request.every.max(1));
        }
        let spikes = spec
            .records
            .iter()
            .filter(|r| r.spikes)
            .map(|r| {
                spec.population_at(r.place).expect("only populations spike; the scenario reads no spikes of others")
            })
            .map(|p| Spikes { population: p.name.clone(), size: p.sources(), times: Vec::new(), units: Vec::new() })
            .collect();
        let recording = Recording {
            time_base: axis.base,
            dt: axis.time(1.0),
            window: Window { start: 0.0, stop: 0.0 },
            transient: axis.time(spec.simulation.transient_steps as f64),
            populations,
            spikes,
            traces,
            connections,
            absent: Vec::new(),
            on_disk: None,
            trial: None,
            trials: Vec::new(),
            trial_times: Vec::new(),
        };
        Self { recording, written, gone: vec![0; every.len()], every, axis }
    }

    /// Puts the records of all threads (`columns[thread][trace]`: which columns its values are) behind what there is.
    pub fn append(&mut self, records: &mut [EpochRecord], columns: &[Vec<Vec<u32>>], done: u64) {
        for (index, spikes) in self.recording.spikes.iter_mut().enumerate() {
            let from = spikes.times.len();
            for record in records.iter_mut() {
                spikes.times.append(&mut record.spikes[index].0);
                spikes.units.append(&mut record.spikes[index].1);
            }
            sort_tail(&mut spikes.times, &mut spikes.units, from);
        }
        for (index, trace) in self.recording.traces.iter_mut().enumerate() {
            let width = trace.units.len();
            // A trace of no unit at all (a projection without connections) has no samples.
            let Some(samples) = (0..records.len())
                .find(|&w| !columns[w][index].is_empty())
                .map(|w| records[w].traces[index].len() / columns[w][index].len())
            else {
                continue;
            };
            let from = trace.values.len();
            if records.len() == 1 && from == 0 {
                trace.values = std::mem::take(&mut records[0].traces[index]);
                continue;
            }
            trace.values.resize(from + samples * width, 0.0);
            for (record, columns) in records.iter_mut().zip(columns) {
                let mine = &columns[index];
                if mine.is_empty() {
                    continue;
                }
                for (row, values) in
                    trace.values[from..].chunks_exact_mut(width).zip(record.traces[index].chunks_exact(mine.len()))
                {
                    for (&c, &v) in mine.iter().zip(values) {
                        row[c as usize] = v;
                    }
                }
                record.traces[index].clear();
            }
        }
        self.recording.window.stop = self.axis.time(done as f64);
    }

    /// Bytes that spikes and traces take now.
    pub fn bytes(&self) -> u64 {
        let spikes: usize = self.recording.spikes.iter().map(|s| s.times.capacity() * 8 + s.units.capacity() * 4).sum();
        let traces: usize = self.recording.traces.iter().map(|t| t.values.capacity() * 8).sum();
        (spikes + traces) as u64
    }

    /// What was recorded since the last part, leaving nothing but the names behind. Connections go with the last part
    /// only, which is the recording itself.
    pub fn take_part(&mut self) -> Recording {
        let stop = self.recording.window.stop;
        let connections = std::mem::take(&mut self.recording.connections);
        let part = self.recording.without_data();
        let part = std::mem::replace(&mut self.recording, part);
        self.recording.connections = connections;
        self.recording.window = Window { start: stop, stop };
        for ((trace, old), (gone, every)) in
            self.recording.traces.iter_mut().zip(&part.traces).zip(self.gone.iter_mut().zip(&self.every))
        {
            *gone += old.len() as u64;
            trace.start = self.axis.time((*gone * *every) as f64);
        }
        part
    }

    /// Drops what lies after grid point `k`, at which a value was not finite, and what was sampled there: who failed is
    /// not sampled in all ways of stepping. Spikes up to it stay.
    pub fn truncate(&mut self, k: u64) {
        let limit = self.axis.time(k as f64);
        for spikes in &mut self.recording.spikes {
            let keep = spikes.times.partition_point(|&t| t <= limit);
            spikes.times.truncate(keep);
            spikes.units.truncate(keep);
        }
        for ((trace, gone), every) in self.recording.traces.iter_mut().zip(&self.gone).zip(&self.every) {
            let keep = k.div_ceil(*every).saturating_sub(*gone) as usize * trace.units.len();
            trace.values.truncate(keep);
        }
        // Parts that were handed over before a failure was noticed stay where they are.
        self.recording.window.stop = limit.max(self.recording.window.start);
    }

    /// Time of grid point `k`.
    pub fn time(&self, k: u64) -> f64 {
        self.axis.time(k as f64)
    }
}

impl Snapshot for Recorder {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self { recording, written: _, gone, every, axis: _ } = self;
        let Recording {
            time_base: _,
            dt: _,
            window,
            transient: _,
            populations: _,
            spikes,
            traces,
            // Weights at the start.
            connections: _,
            absent: _,
            on_disk: _,
            trial: _,
            trials: _,
            trial_times: _,
        } = recording;
        let mut then = every.clone();
        pass.all("sampled every", &mut then);
        if then != *every {
            pass.refuse(
                "it records other variables, or these at other intervals, than the state (where none is written in \
                 `[record]`, how often analyses sample depends on the memory that is free; simulation.memory sets it)",
            );
            return;
        }
        pass.whole("samples in parts", gone);
        let Window { start, stop } = window;
        pass.whole("window start", std::slice::from_mut(start));
        pass.whole("window stop", std::slice::from_mut(stop));
        for (index, spikes) in spikes.iter_mut().enumerate() {
            pass.all(&format!("spikes {index}, times"), &mut spikes.times);
            pass.all(&format!("spikes {index}, units"), &mut spikes.units);
            if spikes.times.len() != spikes.units.len() {
                pass.refuse("the state of another network: spikes without a time or a unit");
            }
        }
        for (index, trace) in traces.iter_mut().enumerate() {
            pass.whole(&format!("trace {index}, start"), std::slice::from_mut(&mut trace.start));
            pass.all(&format!("trace {index}, values"), &mut trace.values);
        }
    }
}

/// Sorts spikes from index `from` on by time, then unit.
fn sort_tail(times: &mut [f64], units: &mut [u32], from: usize) {
    let sorted = (from + 1..times.len()).all(|i| (times[i - 1], units[i - 1]) <= (times[i], units[i]));
    if sorted {
        return;
    }
    let mut pairs: Vec<(f64, u32)> = times[from..].iter().copied().zip(units[from..].iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for (i, (t, u)) in pairs.into_iter().enumerate() {
        times[from + i] = t;
        units[from + i] = u;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_sorted_by_time_then_unit() {
        let (mut t, mut u) = (vec![9.0, 1.0, 2.0, 1.0, 2.0], vec![0, 3, 4, 7, 1]);
        sort_tail(&mut t, &mut u, 1);
        assert_eq!((t, u), (vec![9.0, 1.0, 1.0, 2.0, 2.0], vec![0, 3, 7, 1, 4]));
    }
}
