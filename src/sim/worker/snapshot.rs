//! The state of a thread's share between two epochs, when all that was sent has been taken in.

use super::{ContinuousInput, EventInput, PlasticInput, Worker};
use crate::plasticity::Changing;
use crate::snapshot::{Pass, Snapshot};

impl Snapshot for Worker {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self {
            axis,
            groups,
            event_inputs,
            continuous_inputs,
            histories,
            // Exchanged within a step.
            rounds: _,
            // Handed over at the end of an epoch.
            record: _,
            outbox: _,
            events: _,
            emitters: _,
            // With one a run has ended.
            failure: _,
            spiking: _,
            targets: _,
        } = self;
        let now = pass.now();
        for group in groups {
            if pass.saves() {
                // Some are there already, where something was recorded: all are to be at the same grid point.
                group.inputs.iter_mut().for_each(|port| port.refresh(now, axis));
            }
            pass.inside(&format!("population {}", group.population.index()), |pass| group.visit(pass));
            if !pass.saves() {
                group.inputs.iter_mut().for_each(|port| port.begin_again(now, axis));
            }
        }
        for input in event_inputs.iter_mut() {
            input.visit(pass);
        }
        for input in continuous_inputs.iter_mut() {
            input.visit(pass);
        }
        for (index, history) in histories.iter_mut().enumerate() {
            pass.inside(&format!("history {index}"), |pass| history.visit(pass));
        }
    }
}

impl Worker {
    /// Whether a connection that was looked at when the state was saved has a value that is no finite number.
    pub fn has_failed(&self) -> bool {
        self.failure.is_some() || self.event_inputs.iter().any(|input| input.failure().is_some())
    }
}

impl Snapshot for EventInput {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        // The table is part of the state where its weights change.
        let Self { projection: _, table, to: _, port: _, first, from: _, plastic } = self;
        let Some(PlasticInput { plastic, projection, to: _, heard, samplers: _, written: _ }) = plastic else { return };
        let (first, lanes) = (u64::from(*first), heard.len());
        pass.inside(&format!("projection {}", projection.index()), |pass| {
            pass.along(first, lanes, |pass| Changing { plastic, table, lanes }.visit(pass));
        });
    }
}

impl Snapshot for ContinuousInput {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        // What is looked at of connections that change is no state; the coupling has what they have learnt.
        let Self { projection, coupling, looked: _, to: _, port: _, plastic: _ } = self;
        pass.inside(&format!("projection {}", projection.index()), |pass| coupling.visit(pass));
    }
}
