//! One thread's share of a network: its lanes of every population, the connections into them, and one step of them.

mod inputs;
mod rounds;
mod snapshot;
mod stretch;

pub(super) use self::inputs::{ContinuousInput, EventInput, Heard, LearningInput, Looked, PlasticInput};
pub(super) use self::rounds::{Rounds, Row};
use super::axis::Axis;
use super::coupling::History;
use super::failure::{Broken, Failure};
use super::group::Group;
use super::plasticity::Slot;
use super::recorder::EpochRecord;
use spikedeck_scenario::ProjectionId;

/// What a thread tells the others at the end of an interval.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// For each population that emits: units that spiked, step by step, and where each step ends.
    pub spikes: Vec<(Vec<u32>, Vec<u32>)>,
    /// For each history: the values of this thread's lanes, and the first unit.
    pub values: Vec<(usize, Vec<f64>)>,
}

/// Weights at the end: projection, then source, target and weight in the order of the table.
pub(super) type Finals = Vec<(ProjectionId, Vec<(u32, u32, f64)>)>;

/// Units of all threads that spiked in a step of the interval.
fn gather(outboxes: &[&Outbox], emitter: usize, step: usize, to: &mut Vec<u32>) {
    to.clear();
    for outbox in outboxes {
        let (units, ends) = &outbox.spikes[emitter];
        // A thread that holds no lane of the population says nothing.
        if ends.is_empty() {
            continue;
        }
        let from = if step == 0 { 0 } else { ends[step - 1] as usize };
        to.extend_from_slice(&units[from..ends[step] as usize]);
    }
}

/// One thread's share of a network.
#[derive(Debug)]
pub(super) struct Worker {
    pub axis: Axis,
    pub groups: Vec<Group>,
    /// In the order of the scenario.
    pub event_inputs: Vec<EventInput>,
    /// In the order of the scenario.
    pub continuous_inputs: Vec<ContinuousInput>,
    pub histories: Vec<History>,
    /// What is exchanged within a step, where coupling is a part of it.
    pub rounds: Rounds,
    pub record: EpochRecord,
    /// What the current interval emitted.
    pub outbox: Outbox,
    pub events: u64,
    /// Number of populations that emit.
    pub emitters: usize,
    pub failure: Option<Failure>,
    spiking: Vec<u32>,
    targets: Vec<u32>,
}

impl Worker {
    /// An empty share with room for `emitters` populations that emit, and the histories given.
    pub fn new(axis: Axis, emitters: usize, histories: Vec<History>, record: EpochRecord) -> Self {
        let outbox =
            Outbox { spikes: vec![(Vec::new(), Vec::new()); emitters], values: vec![(0, Vec::new()); histories.len()] };
        Self {
            axis,
            groups: Vec::new(),
            event_inputs: Vec::new(),
            continuous_inputs: Vec::new(),
            histories,
            rounds: Rounds::default(),
            record,
            outbox,
            events: 0,
            emitters,
            failure: None,
            spiking: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Inputs of step `k`, and what is recorded at its beginning: the initial state, and every sample that waited for
    /// it, of states as they were before their reset.
    pub fn begin(&mut self, k: u64) {
        self.groups.iter_mut().for_each(|group| group.refresh(k, &self.axis));
        let t = self.axis.seconds(k);
        for input in &mut self.continuous_inputs {
            input.coupling.add(k, t, &self.histories, &mut self.groups[input.to].inputs[input.port].total);
            if let Some(LearningInput { samplers, .. }) = &input.plastic {
                for sampler in samplers.iter().filter(|t| k.is_multiple_of(t.every)) {
                    let variable = sampler.variable.expect("rules between rates have no efficacy");
                    let look = |p: &Slot| input.coupling.look(variable, p.connection as usize, k) / sampler.scale;
                    let values = sampler.places.iter().map(look);
                    self.record.traces[sampler.trace.index()].extend(values);
                }
            }
        }
        if k == 0 {
            self.event_inputs.iter_mut().for_each(|input| input.sample(0, &mut self.record));
        }
        self.groups.iter_mut().for_each(|group| group.begin(k, &mut self.record));
    }

    /// Step `k`: integrate, deliver what is due at its end, test the threshold, record, reset.
    pub fn step(&mut self, k: u64) {
        self.begin(k);
        self.proceed(k);
    }

    /// Step `k`, which has begun.
    pub fn proceed(&mut self, k: u64) {
        let t = self.axis.seconds(k);
        for input in &mut self.continuous_inputs {
            let Some(learning) = &input.plastic else { continue };
            input.coupling.learn(k, t, &self.histories);
            if let Some((source, lane, state)) = input.coupling.failed() {
                let place = Broken::Connection { projection: learning.projection, source };
                let found = Failure { step: k + 1, place, unit: self.groups[input.to].first + lane, state };
                Failure::note(&mut self.failure, Some(found));
            }
        }
        for group in &mut self.groups {
            let emitted = group.emits.map(|index| &mut self.outbox.spikes[index]);
            let found = group.step(k, &self.axis, &mut self.record, emitted, &mut self.events);
            Failure::note(&mut self.failure, found);
        }
    }

    /// Looks at all states at grid point `k`, the last.
    pub fn check(&mut self, k: u64) {
        for group in &mut self.groups {
            let found = group.broken_input(k).or_else(|| group.broken_state(k));
            Failure::note(&mut self.failure, found);
        }
    }

    /// Puts the values at the current grid point into the outbox.
    pub fn publish(&mut self, k: u64) {
        self.groups.iter_mut().for_each(|group| group.publish(k, &self.axis, &mut self.outbox.values));
    }

    /// Lets all connections that change see everything up to grid point `done`, and notices those that this makes
    /// infinite; the weights of those that are to be written.
    pub fn finish(&mut self, done: u64) -> Finals {
        let mut all = Vec::new();
        for input in &mut self.event_inputs {
            let first = input.first;
            if let Some(p) = &mut input.plastic {
                p.plastic.finish(done, &mut input.table);
            }
            Failure::note(&mut self.failure, input.failure());
            let Some(p) = input.plastic.as_ref().filter(|p| p.written) else { continue };
            all.push((p.projection, input.table.connections().map(|(s, lane, w, _)| (s, lane + first, w)).collect()));
        }
        for input in &self.continuous_inputs {
            let Some(p) = input.plastic.as_ref().filter(|p| p.written) else { continue };
            let first = self.groups[input.to].first;
            all.push((
                p.projection,
                input.coupling.connections().into_iter().map(|(s, lane, w, _)| (s, lane + first, w)).collect(),
            ));
        }
        all
    }

    /// Takes in what all threads sent for the interval of `steps` steps from `start`: values into histories, spikes to
    /// their targets, in the order of step, projection, source.
    pub fn collect(&mut self, start: u64, steps: u64, outboxes: &[&Outbox]) {
        let now = start + steps;
        for outbox in outboxes {
            for (history, (first, values)) in self.histories.iter_mut().zip(&outbox.values) {
                history.row_mut(now)[*first..*first + values.len()].copy_from_slice(values);
            }
        }
        let sampled = self.event_inputs.iter().any(|i| i.plastic.as_ref().is_some_and(|p| !p.samplers.is_empty()));
        if !sampled && outboxes.iter().all(|o| o.spikes.iter().all(|s| s.0.is_empty())) {
            return;
        }
        for step in 0..steps as usize {
            let at = start + step as u64 + 1;
            for input in &mut self.event_inputs {
                gather(outboxes, input.from, step, &mut self.spiking);
                let group = &mut self.groups[input.to];
                let ring = group.rings[input.port].as_mut();
                if let Some(PlasticInput { plastic, to, heard, .. }) = &mut input.plastic {
                    gather(outboxes, *to, step, &mut self.targets);
                    heard.lanes(&mut self.targets);
                    self.events += plastic.step(at, &self.spiking, &self.targets, &mut input.table, ring);
                    input.sample(at, &mut self.record);
                    Failure::note(&mut self.failure, input.failure());
                } else if let Some(ring) = ring {
                    self.events += input.table.deliver(&self.spiking, at, ring);
                }
            }
        }
    }
}
