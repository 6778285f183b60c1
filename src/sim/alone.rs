//! Stretches of steps in which the groups of a thread neither meet each other nor a recorder: one neural mass, a few oscillators.
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
        let mut k = from;
        while k < to {
            self.step(k);
            k += 1;
            if !apart {
                continue;
            }
            let due = self.groups.iter().flat_map(|g| &g.taps).map(|t| t.due_from(k)).min();
            let until = due.map_or(to, |due| due.min(to));
            for group in 0..self.groups.len() {
                let found = self.alone(group, k, until);
                Failure::note(&mut self.failure, found);
            }
            k = until.max(k);
        }
    }

    /// Steps of one group.
    fn alone(&mut self, group: usize, from: u64, to: u64) -> Option<Failure> {
        let Self { groups, axis, .. } = self;
        let group = &mut groups[group];
        let Body::Points(stepper) = &mut group.body else { return None };
        let inputs = &mut group.inputs;
        let broken = stepper.alone(from, to, |step, port, register| {
            let port = &mut inputs[port];
            port.refresh(step, axis);
            match port.stimulus.get(..register.len()) {
                Some(row) => register.copy_from_slice(row),
                None => register.fill(0.0),
            }
        });
        let step = broken?;
        let (lane, state) = stepper.not_finite()?;
        Some(Failure { step: step + 1, place: Broken::Population(group.population), unit: group.first + lane, state })
    }
}
