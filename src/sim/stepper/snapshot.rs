//! The state of compiled lanes between two steps: their states, and who rests.

use super::Stepper;
use crate::snapshot::{Pass, Snapshot};

impl Snapshot for Stepper {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self {
            system: _,
            integrator: _,
            doubt: _,
            program,
            // All of these are filled anew in each step.
            side: _,
            motion: _,
            held_motion: _,
            noise: _,
            arrivals: _,
            threshold: _,
            reset: _,
            firing,
            locate: _,
            excursions: _,
            fractions: _,
            stretch: _,
            stages: _,
            begun: _,
            work: _,
            dt: _,
            substeps: _,
            start: _,
            // With one of these a run has ended.
            alarmed: _,
            unfollowed: _,
            undefined: _,
        } = self;
        for state in 0..program.states() {
            pass.column(&format!("state {state}"), program.state_mut(state));
        }
        firing.visit(pass);
    }
}
