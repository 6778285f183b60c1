//! What arrives: events at the end of a step, and those of delay 0 between two steps.

use smallvec::{SmallVec, smallvec};

use super::threshold::{add_products, add_scaled};
use super::{LaneValues, Stepper};
use crate::firing::Refractory;
use spikedeck_equation::graph::{Graph, Id};
use spikedeck_equation::kernel::{Kernel, Location};
use spikedeck_equation::program::{Builder, Program, Target};
use spikedeck_equation::tape::{Tape, Values};

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
    /// The gains of ports at which events do not add up, and the states that they belong to.
    singly: Vec<Option<(Tape, Vec<usize>)>>,
}

impl Arrivals {
    /// Compiles `gains`, those of the effects port by port; `effects` names the state of each, `adds_up` says of a port
    /// whether its events do.
    pub fn new(
        builder: &mut Builder<'_>,
        graph: &Graph,
        gains: &[Id],
        effects: &[Vec<(usize, Id)>],
        adds_up: impl Fn(usize) -> bool,
    ) -> Self {
        let mut left = gains;
        let singly = effects.iter().enumerate().map(|(port, list)| {
            let (own, others) = left.split_at(list.len());
            left = others;
            (!adds_up(port)).then(|| (Tape::new(graph, own), list.iter().map(|e| e.0).collect()))
        });
        let singly = singly.collect();
        let (kernel, places) = builder.kernel(graph, gains, &vec![Target::Anywhere; gains.len()]);
        let mut rest = &places[..];
        let effects = effects.iter().map(|list| {
            let (own, others) = rest.split_at(list.len());
            rest = others;
            list.iter().zip(own).map(|(&(state, _), &gain)| Effect { state, gain }).collect()
        });
        Self { effects: effects.collect(), gains: kernel, singly }
    }

    /// Adds what arrives at `time`, and empties the arrivals.
    pub fn deliver(&self, program: &mut Program, arrivals: &mut [&mut [f64]], start: usize, count: usize, time: f64) {
        let end = program.memory.lanes.min(start + count);
        if start >= end || arrivals.iter().all(|a| a.is_empty()) {
            return;
        }
        if !self.gains.is_empty() {
            program.run(&self.gains, start, count);
        }
        for ((effects, singly), arriving) in self.effects.iter().zip(&self.singly).zip(arrivals.iter_mut()) {
            if let (Some((recorder, states)), false) = (singly, arriving.is_empty()) {
                one_by_one(program, (recorder, states), arriving, (start, end), time);
                continue;
            }
            let memory = &mut program.memory;
            let Some(arriving) = arriving.get_mut(start..end) else { continue };
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

/// What arrives at lanes where each event finds what those before it left.
fn one_by_one(
    program: &mut Program,
    (tape, changed): (&Tape, &[usize]),
    arriving: &mut [f64],
    (start, end): (usize, usize),
    time: f64,
) {
    let rounds = arriving.len() / program.memory.lanes;
    let ports = program.inputs().map(|x| x.0 + 1).max().unwrap_or(0);
    let mut gains: SmallVec<[f64; 4]> = smallvec![0.0; changed.len()];
    for lane in start..end {
        let events = &mut arriving[lane * rounds..(lane + 1) * rounds];
        if events.iter().all(|w| *w == 0.0) {
            continue;
        }
        let mut states: LaneValues = program.lane_states(lane).collect();
        let parameters: LaneValues = program.lane_parameters(lane).collect();
        let inputs = program.lane_inputs(lane - start, ports);
        for weight in events.iter_mut().map(std::mem::take).filter(|w| *w != 0.0) {
            let values = Values {
                states: &states,
                parameters: &parameters,
                inputs: &inputs,
                time: Some(time),
                ..Values::default()
            };
            tape.evaluate(&values, &mut gains);
            changed.iter().zip(&gains).for_each(|(&s, gain)| states[s] = gain.mul_add(weight, states[s]));
        }
        program.set_lane_states(lane, &states);
    }
}

impl Stepper {
    /// Delivers events of delay 0 before `step` begins: they act from this step on. What arrives at held states of
    /// refractory lanes is lost, as it is at the end of a step. `arrivals` as in [`Stepper::advance`].
    pub fn deliver_before(&mut self, step: u64, arrivals: &mut [&mut [f64]]) {
        let resting: SmallVec<[Refractory; 16]> = self.firing.resting_before(step).collect();
        self.keep_held(&resting);
        let time = self.dt * step as f64;
        for (start, count) in self.program.memory.blocks() {
            self.program.fill_time(count, time);
            self.arrivals.deliver(&mut self.program, arrivals, start, count, time);
        }
        self.restore(&resting);
    }
}
