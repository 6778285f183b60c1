//! Stretches of steps in which the groups of a thread do not meet each other: one neural mass, a few oscillators, cells
//! of their own.
//!
//! What a step of a population of a few units costs is less its equations than finding out that there is nothing else
//! to do, and what a step of many cells costs is less its equations than fetching all of them from memory. Where groups
//! do not meet, a few units make many steps in one go, and a few cells make many steps before the next ones do. Values,
//! and so all bits, are those of single steps.

use super::Worker;
use crate::failure::Failure;
use crate::group::Group;

impl Worker {
    /// Steps from grid point `from` to `to`.
    pub fn stretch(&mut self, from: u64, to: u64) {
        if !(self.event_inputs.is_empty() && self.continuous_inputs.is_empty() && self.histories.is_empty()) {
            (from..to).for_each(|k| self.step(k));
            return;
        }
        for index in 0..self.groups.len() {
            let group = &mut self.groups[index];
            let found = if group.is_apart() && group.is_short() {
                self.units_alone(index, from, to)
            } else if group.is_apart() && group.is_wood() {
                self.trees_alone(index, from, to)
            } else {
                // Also after a failure: others are at the same grid point.
                for k in from..to {
                    let found = self.group_alone(index, k);
                    Failure::note(&mut self.failure, found);
                }
                None
            };
            Failure::note(&mut self.failure, found);
        }
    }

    /// One step of one group.
    fn group_alone(&mut self, index: usize, k: u64) -> Option<Failure> {
        let Self { groups, axis, record, outbox, events, .. } = self;
        let group = &mut groups[index];
        group.refresh(k, axis);
        group.begin(k, record);
        let emitted = group.emits.map(|index| &mut outbox.spikes[index]);
        group.step(k, axis, record, emitted, events)
    }

    /// Steps of a group of cells, some of which make many steps before the next ones do.
    fn trees_alone(&mut self, index: usize, from: u64, to: u64) -> Option<Failure> {
        let mut k = from;
        while k < to {
            let Self { groups, axis, record, .. } = self;
            let group = &mut groups[index];
            // The last step of a stretch is made as any other: it is recorded and checked.
            let due = group.samplers.iter().filter_map(|t| t.due_in(k + 1..to).next()).min().unwrap_or(to);
            let last = due.min((k + 1).next_multiple_of(group.check_every)).min(to) - 1;
            if last > k {
                group.refresh(k, axis);
                group.begin(k, record);
                group.step_trees(k..last, axis, record);
            }
            if let Some(failure) = self.group_alone(index, last) {
                return Some(failure);
            }
            k = last + 1;
        }
        None
    }

    /// Steps of a group of a few units, and what is recorded in between.
    fn units_alone(&mut self, group: usize, from: u64, to: u64) -> Option<Failure> {
        let Self { groups, axis, record, .. } = self;
        let mut k = from;
        while k < to {
            let Group { body, inputs, samplers, lanes, due, scratch, .. } = &mut groups[group];
            let points = body.few().expect("only a few points make many steps in one go");
            let until = to.min(k + points.stepper.stride());
            due.clear();
            for (index, sampler) in samplers.iter().enumerate() {
                if !samplers[..index].iter().any(|t| t.is_due_with(sampler)) {
                    due.extend(sampler.due_in(k..until));
                }
            }
            due.sort_unstable();
            due.dedup();
            let drive = |step: u64, port: usize, rows: &mut [f64]| inputs[port].refresh_many(step, axis, rows, *lanes);
            let broken = points.stepper.alone(k..until, due, drive);
            let made = k..broken.map_or(until, |b| b.0 + 1);
            due.retain(|&k| k < made.end);
            for sampler in samplers.iter_mut() {
                sampler.recall(
                    made.clone(),
                    due,
                    points,
                    *lanes as u32,
                    scratch,
                    &mut record.traces[sampler.trace.index()],
                );
            }
            let group = &groups[group];
            let state = || broken.map(|(step, lane, state)| group.blamed(step + 1, lane, state));
            if let Some(failure) = group.broken_input(until).or_else(state) {
                return Some(failure);
            }
            k = until;
        }
        None
    }
}
