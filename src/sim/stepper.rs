//! One lane range of one population in time: compiled equations over columns of state.
//!
//! Each thread owns a stepper for its own range of units, so nothing is shared while time advances; bits do not depend
//! on how units are split.

mod alone;
mod by_lane;
mod compile;
mod early;
mod locate;
mod probe;
mod rest;
mod threshold;

pub use self::probe::Probe;

use smallvec::SmallVec;

use self::alone::Course;
use self::by_lane::ByLane;
use self::locate::Locate;
use self::threshold::{Threshold, add_products, add_scaled};
use crate::firing::{Firing, Rest};
use spikedeck_core::normal::Normals;
use spikedeck_equation::System;
use spikedeck_equation::kernel::{Kernel, Memory, Place};
use spikedeck_equation::tape::Tape;
use spikedeck_scenario::{Integrator, SpikeTimes};

/// What the stepper is made from.
pub struct StepperSpec<'a> {
    /// Equations.
    pub system: &'a System,
    /// Integrator.
    pub integrator: Integrator,
    /// Step in the unit that the system's time is measured in for `TimeUnit` conversion: seconds, or plain for
    /// dimensionless.
    pub dt: f64,
    /// Integration steps inside one step.
    pub substeps: u32,
    /// One value a parameter: the same for all lanes, or one a lane.
    pub parameters: Vec<Column>,
    /// Initial states: one column a state.
    pub initial: Vec<Column>,
    /// First unit of the population that this stepper holds (keys the noise).
    pub first_unit: u32,
    /// Number of lanes.
    pub lanes: usize,
    /// Seed and full name of the population (keys the noise).
    pub seed: u64,
    /// Full name of the population, `populations.exc`.
    pub entity: &'a str,
    /// How spike times are found.
    pub spike_times: SpikeTimes,
}

/// Values of one quantity over lanes.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// The same everywhere (folded into the kernel).
    Shared(f64),
    /// One a lane.
    Each(Vec<f64>),
}

/// A spike inside a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaneSpike {
    /// Lane, `0..lanes`.
    pub lane: u32,
    /// Where in the step: 1 is its end (`grid`), less when interpolated or exact.
    pub fraction: f64,
}

/// States or parameters of one lane.
type LaneValues = SmallVec<[f64; 16]>;

/// What an event does to a state.
#[derive(Debug, Clone)]
struct Effect {
    state: usize,
    /// A number, a column, or a register that `gains` computes for the block.
    gain: Place,
}

#[derive(Debug, Clone)]
struct Noise {
    scratch: usize,
    source: Normals,
}

/// How the states move.
#[derive(Debug, Clone)]
enum Motion {
    Kernel(Kernel),
    Lanes(Box<ByLane>),
}

/// A compiled lane range.
#[derive(Debug)]
pub struct Stepper {
    system: System,
    /// Integrator, and why.
    chosen: (Integrator, String),
    memory: Memory,
    /// A block's worth of lanes, for those that are refractory.
    side: Memory,
    states: usize,
    columns: usize,
    /// Where each parameter is.
    parameters: Vec<Place>,
    motion: Motion,
    /// The motion of refractory lanes, if others states depend on those that are held.
    held_motion: Option<Motion>,
    gains: Kernel,
    /// Input ports that the kernels read, and their scratch registers.
    inputs: Vec<(usize, usize)>,
    /// Ports whose register holds something else than zeros.
    filled: Vec<bool>,
    noise: Vec<Noise>,
    time: Option<usize>,
    effects: Vec<Vec<Effect>>,
    threshold: Option<Threshold>,
    condition: Tape,
    reset: Tape,
    reset_states: Vec<usize>,
    refractory_time: Option<Tape>,
    hold: Vec<usize>,
    firing: Firing,
    /// If crossings are located.
    locate: Option<Locate>,
    /// Lanes whose rest ends inside the current step.
    releasing: Vec<Rest>,
    candidates: Vec<u32>,
    /// Inputs of the lanes that crossed in the last step, port by port, in the order of the spikes.
    at_crossing: Vec<f64>,
    kept: Vec<f64>,
    moved: Vec<f64>,
    /// Part of the step that was done, where an integrator locates crossings itself.
    fractions: Vec<f64>,
    /// Steps that are made in one go.
    course: Course,
    /// Step in the time of the equations.
    dt: f64,
    substeps: u32,
}

/// What cannot be compiled or would not be stable.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct StepperError {
    /// What is wrong and what would be right.
    pub message: String,
}

impl Stepper {
    /// Compiles.
    ///
    /// # Errors
    /// An integrator that does not fit the equations, or that is unstable for the step (with the step that would be
    /// stable).
    #[expect(clippy::needless_pass_by_value, reason = "a specification is used once")]
    pub fn new(spec: StepperSpec<'_>) -> Result<Self, StepperError> {
        compile::compile(&spec).map_err(|message| StepperError { message })
    }

    /// Which integrator was chosen, and why, for the manifest.
    pub fn integrator(&self) -> (Integrator, &str) {
        (self.chosen.0, &self.chosen.1)
    }

    /// Integrates from step `step` to `step + 1`, delivers arrivals, tests the threshold, all block by block.
    ///
    /// `inputs[p]` is the value of input port p for each lane during this step (all slices as long as there are lanes;
    /// an empty slice means zero). `arrivals[e]` is the summed weight that arrives at event port e at the end of this
    /// step; it is set to zero after use (an empty slice means nothing arrives). Lanes in which the threshold condition
    /// becomes true are appended to `spikes` in ascending order; they are not reset yet, so that a recorder sees the
    /// crossing value.
    pub fn advance(&mut self, step: u64, inputs: &[&[f64]], arrivals: &mut [&mut [f64]], spikes: &mut Vec<LaneSpike>) {
        let mut firing = std::mem::take(&mut self.firing);
        if self.threshold.is_none() {
            // Nothing spikes, so nothing rests.
            for (start, count) in self.memory.blocks() {
                self.prepare(inputs, start, count);
                self.integrate(step, start, count, &firing);
                self.deliver(arrivals, start, count);
            }
            self.firing = firing;
            return;
        }
        self.at_crossing.clear();
        if let Some(locate) = &mut self.locate {
            locate.clear();
            self.releasing.clear();
            self.releasing.extend(firing.ending(step));
        }
        firing.begin(step);
        let releasing = std::mem::take(&mut self.releasing);
        for (start, count) in self.memory.blocks() {
            let resting = firing.resting_in(start, start + count);
            self.prepare(inputs, start, count);
            self.keep(resting, inputs, step);
            self.integrate(step, start, count, &firing);
            self.place_moved(resting);
            if let Some(locate) = &mut self.locate {
                locate.end(&self.memory.data, self.memory.padded, start, count);
            }
            self.release(&releasing, start, count, step);
            self.deliver(arrivals, start, count);
            self.restore(resting);
            self.detect(start, count, &mut firing, step, spikes);
        }
        self.firing = firing;
        self.releasing = releasing;
    }

    /// Inputs of a block into their registers; states before the step, if they will be needed.
    fn prepare(&mut self, inputs: &[&[f64]], start: usize, count: usize) {
        let lanes = self.memory.lanes;
        for &(port, scratch) in &self.inputs {
            let register = &mut self.memory.scratch_mut(scratch)[..count];
            let source = inputs.get(port).copied().unwrap_or(&[]);
            let end = lanes.min(start + count).min(source.len());
            if end > start {
                register[..end - start].copy_from_slice(&source[start..end]);
                register[end - start..].fill(0.0);
                self.filled[port] = true;
            } else if std::mem::replace(&mut self.filled[port], false) {
                // Zeros stay where they are, for all blocks.
                self.memory.scratch_mut(scratch).fill(0.0);
            }
        }
        if let Some(locate) = &mut self.locate {
            locate.begin(&self.memory.data, self.memory.padded, start, count);
        }
    }

    fn integrate(&mut self, step: u64, start: usize, count: usize, firing: &Firing) {
        for sub in 0..self.substeps {
            let draw = step * u64::from(self.substeps) + u64::from(sub);
            for noise in &mut self.noise {
                let register = &mut self.memory.scratch_mut(noise.scratch)[..count];
                noise.source.fill(start, draw, register);
            }
            let time = |substeps: u32| (step as f64 + f64::from(sub) / f64::from(substeps)) * self.dt;
            if let Some(t) = self.time {
                self.memory.scratch_mut(t)[..count].fill(time(self.substeps));
            }
            match &self.motion {
                Motion::Kernel(kernel) => kernel.run(&mut self.memory, start, count),
                Motion::Lanes(lanes) => {
                    let time = time(self.substeps);
                    for lane in start..(start + count).min(self.memory.lanes) {
                        let done = sub > 0 && self.fractions[lane] < 1.0;
                        if done {
                            continue;
                        }
                        let part =
                            lanes.advance(&mut self.memory, lane, lane - start, time, firing.is_armed(lane as u32));
                        self.fractions[lane] =
                            if part < 1.0 { (f64::from(sub) + part) / f64::from(self.substeps) } else { 1.0 };
                    }
                }
            }
        }
    }

    /// Adds what arrives, and empties the arrivals.
    fn deliver(&mut self, arrivals: &mut [&mut [f64]], start: usize, count: usize) {
        let end = self.memory.lanes.min(start + count);
        if start >= end || arrivals.iter().all(|a| a.is_empty()) {
            return;
        }
        if !self.gains.is_empty() {
            self.gains.run(&mut self.memory, start, count);
        }
        for (effects, arriving) in self.effects.iter().zip(arrivals.iter_mut()) {
            let Some(arriving) = arriving.get_mut(start..end) else { continue };
            let padded = self.memory.padded;
            let last = effects.len().saturating_sub(1);
            for (k, e) in effects.iter().enumerate() {
                let at = e.state * padded + start;
                match e.gain {
                    Place::Number(g) => add_scaled(&mut self.memory.data[at..at + end - start], arriving, g, k == last),
                    Place::Column(c) => add_products(&mut self.memory.data, at, c as usize * padded + start, arriving),
                    Place::Scratch(r) => {
                        let gain = self.memory.scratch_base(r as usize);
                        add_products(&mut self.memory.data, at, gain, arriving);
                    }
                }
            }
            if !matches!(effects.last(), Some(Effect { gain: Place::Number(_), .. })) {
                arriving.fill(0.0);
            }
        }
    }

    fn detect(&mut self, start: usize, count: usize, firing: &mut Firing, step: u64, spikes: &mut Vec<LaneSpike>) {
        let Some(threshold) = &self.threshold else { return };
        self.candidates.clear();
        threshold.scan(&mut self.memory, start, count, &mut self.candidates);
        for k in 0..self.candidates.len() {
            let lane = self.candidates[k];
            if lane as usize >= self.memory.lanes {
                break;
            }
            if firing.holds(lane) {
                let spike = self.located(lane, start, step);
                spikes.push(spike);
                let inputs = self.lane_inputs(lane as usize - start);
                self.at_crossing.extend(inputs);
            }
        }
    }

    fn lane_parameters(&self, lane: usize) -> LaneValues {
        self.parameters
            .iter()
            .map(|p| match p {
                Place::Number(v) => *v,
                Place::Column(c) => self.memory.data[*c as usize * self.memory.padded + lane],
                Place::Scratch(_) => f64::NAN,
            })
            .collect()
    }

    fn lane_states(&self, lane: usize) -> LaneValues {
        (0..self.states).map(|s| self.memory.data[s * self.memory.padded + lane]).collect()
    }

    /// Values of state `index` in SI.
    pub fn state(&self, index: usize) -> &[f64] {
        self.memory.column(index)
    }

    /// Values of state `index` in SI, to be set from outside (initial values, clamps).
    pub fn state_mut(&mut self, index: usize) -> &mut [f64] {
        self.memory.column_mut(index)
    }

    /// The first lane and state that is not finite, if any.
    pub fn not_finite(&self) -> Option<(u32, usize)> {
        // Columns of states stand first, in one slice. Lanes that are padding may be anything: they only make it
        // slower.
        if all_finite(&self.memory.data[..self.states * self.memory.padded]) {
            return None;
        }
        let found = (0..self.states)
            .filter_map(|s| self.state(s).iter().position(|v| !v.is_finite()).map(|lane| (lane as u32, s)));
        found.min()
    }
}

/// Whether all values are finite: zero times each, summed in sixteen lanes, so that it runs in vectors.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+fma+avx2", "x86_64+avx2+fma"))]
pub(super) fn all_finite(values: &[f64]) -> bool {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut sums = [0.0; 16];
    for chunk in chunks {
        for (sum, v) in sums.iter_mut().zip(chunk) {
            *sum = v.mul_add(0.0, *sum);
        }
    }
    (chunks.is_empty() || sums.iter().all(|v| v.is_finite())) && rest.iter().all(|v| v.is_finite())
}

#[cfg(test)]
pub(crate) mod tests;
