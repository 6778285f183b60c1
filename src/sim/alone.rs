//! Stretches of steps in which the groups of a thread do not meet each other: one neural mass, a few oscillators.
//!
//! What a step of a population of a few units costs is less its equations than finding out that there is nothing else to do. Where
//! that is known for many steps, they are made in one go. Values, and so all bits, are those of single steps.

use super::body::Body;
use super::inputs::{Broken, Failure};
use super::worker::{Group, Worker};

impl Worker {
    /// Steps from grid point `from` to `to`.
    pub fn stretch(&mut self, from: u64, to: u64) {
        let apart = self.event_inputs.is_empty()
            && self.continuous_inputs.is_empty()
            && self.histories.is_empty()
            && self.groups.iter().all(Group::is_apart);
        if !apart {
            (from..to).for_each(|k| self.step(k));
            return;
        }
        for group in 0..self.groups.len() {
            let found = self.alone(group, from, to);
            Failure::note(&mut self.failure, found);
        }
    }

    /// Steps of one group, and what is recorded in between.
    fn alone(&mut self, group: usize, from: u64, to: u64) -> Option<Failure> {
        let Self { groups, axis, take, .. } = self;
        let Group { body, inputs, taps, lanes, population, first, due, scratch, .. } = &mut groups[group];
        let mut k = from;
        while k < to {
            let Body::Points(stepper) = body else { return None };
            let until = to.min(k + stepper.stride());
            due.clear();
            for (index, tap) in taps.iter().enumerate() {
                if !taps[..index].iter().any(|t| t.is_due_with(tap)) {
                    due.extend(tap.due_in(k..until));
                }
            }
            due.sort_unstable();
            due.dedup();
            let broken = stepper.alone(k..until, due, |step, port, rows| inputs[port].refresh_many(step, axis, rows, *lanes));
            let made = k..broken.map_or(until, |b| b.0 + 1);
            due.retain(|&k| k < made.end);
            for tap in taps.iter_mut() {
                tap.recall(made.clone(), due, body, *lanes as u32, scratch, &mut take.traces[tap.trace]);
            }
            if let Some((step, lane, state)) = broken {
                return Some(Failure { step: step + 1, place: Broken::Population(*population), unit: *first + lane, state });
            }
            k = until;
        }
        None
    }
}
