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

    /// Steps of one group, from one grid point that is recorded to the next.
    fn alone(&mut self, group: usize, from: u64, to: u64) -> Option<Failure> {
        let Self { groups, axis, take, .. } = self;
        let group = &mut groups[group];
        // Stimuli go ahead of time as far as nobody looks at them.
        let looked_at = (0..group.inputs.len()).any(|port| group.taps.iter().any(|t| t.reads(port)));
        let mut k = from;
        while k < to {
            if group.taps.iter().any(|t| t.is_due(k)) {
                if looked_at {
                    group.inputs.iter_mut().for_each(|port| port.refresh(k, axis));
                }
                group.sample(k, take);
            }
            let until = group.taps.iter().map(|t| t.due_from(k + 1)).min().map_or(to, |due| due.min(to));
            let Body::Points(stepper) = &mut group.body else { return None };
            let (inputs, lanes) = (&mut group.inputs, group.lanes);
            let horizon = if looked_at { until } else { to };
            let broken = stepper.alone((k, until), horizon, |step, port, rows| inputs[port].refresh_many(step, axis, rows, lanes));
            if let Some((step, lane, state)) = broken {
                return Some(Failure { step: step + 1, place: Broken::Population(group.population), unit: group.first + lane, state });
            }
            k = until;
        }
        None
    }
}
