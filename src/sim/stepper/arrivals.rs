//! What arrives: events at the end of a step, and those of delay 0 between two steps.

use smallvec::SmallVec;

use super::Stepper;
use super::threshold::{add_products, add_scaled};
use crate::firing::Refractory;
use spikedeck_equation::graph::{Graph, Id};
use spikedeck_equation::kernel::{Kernel, Location};
use spikedeck_equation::program::{Builder, Program, Target};

/// What an event does to a state.
#[derive(Debug, Clone)]
struct Effect {
    state: usize,
    /// A number, a column, or a register that the kernel computes for the block.
    gain: Location,
}

/// What events do, port by port.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// Computes the gains that change in time.
    gains: Kernel,
    effects: Vec<Vec<Effect>>,
}

impl Arrivals {
    /// Compiles `gains`, those of the effects port by port; `effects` names the state of each.
    pub fn new(builder: &mut Builder<'_>, graph: &Graph, gains: &[Id], effects: &[Vec<(usize, Id)>]) -> Self {
        let (kernel, places) = builder.kernel(graph, gains, &vec![Target::Anywhere; gains.len()]);
        let mut rest = &places[..];
        let effects = effects.iter().map(|list| {
            let (own, others) = rest.split_at(list.len());
            rest = others;
            list.iter().zip(own).map(|(&(state, _), &gain)| Effect { state, gain }).collect()
        });
        Self { effects: effects.collect(), gains: kernel }
    }

    /// Adds what arrives, and empties the arrivals.
    pub fn deliver(&self, program: &mut Program, arrivals: &mut [&mut [f64]], start: usize, count: usize) {
        let end = program.memory.lanes.min(start + count);
        if start >= end || arrivals.iter().all(|a| a.is_empty()) {
            return;
        }
        if !self.gains.is_empty() {
            program.run(&self.gains, start, count);
        }
        let memory = &mut program.memory;
        for (effects, arriving) in self.effects.iter().zip(arrivals.iter_mut()) {
            if arriving.is_empty() {
                continue;
            }
            let arriving = &mut arriving[start..end];
            let padded = memory.padded;
            let last = effects.len().saturating_sub(1);
            for (k, e) in effects.iter().enumerate() {
                let at = e.state * padded + start;
                match e.gain {
                    Location::Number(g) => add_scaled(&mut memory.data[at..at + end - start], arriving, g, k == last),
                    Location::Column(c) => add_products(&mut memory.data, at, c as usize * padded + start, arriving),
                    Location::Scratch(r) => {
                        let gain = memory.scratch_base(r as usize);
                        add_products(&mut memory.data, at, gain, arriving);
                    }
                }
            }
            if !matches!(effects.last(), Some(Effect { gain: Location::Number(_), .. })) {
                arriving.fill(0.0);
            }
        }
    }
}

impl Stepper {
    /// Delivers events of delay 0 before `step` begins: they act from this step on. What arrives at held states of
    /// refractory lanes is lost, as it is at the end of a step. `arrivals` as in [`Stepper::advance`].
    pub fn deliver_before(&mut self, step: u64, arrivals: &mut [&mut [f64]]) {
        let resting: SmallVec<[Refractory; 16]> = self.firing.resting_before(step).collect();
        self.keep_held(&resting);
        for (start, count) in self.program.memory.blocks() {
            self.arrivals.deliver(&mut self.program, arrivals, start, count);
        }
        self.restore(&resting);
    }
}
