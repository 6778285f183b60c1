//! One lane range of one population in time: compiled equations over columns of state.
//!
//! Each thread owns a stepper for its own range of units, so nothing is shared while time advances; bits do not depend
//! on how units are split.

mod alone;
mod arrivals;
mod blame;
mod by_lane;
mod compile;
mod crossing;
mod excursion;
mod locate;
mod probe;
mod refractory;
mod snapshot;
pub mod stages;
mod threshold;
mod trust;

pub use self::probe::Probe;

use smallvec::SmallVec;

use self::alone::Stretch;
use self::arrivals::Arrivals;
use self::by_lane::ByLane;
use self::excursion::{Excursions, add_lanes};
use self::locate::Locate;
use self::refractory::Reset;
use self::stages::Stages;
use self::threshold::Threshold;
use crate::firing::{Firing, Refractory};
use spikedeck_core::normal::Normals;
use spikedeck_core::vector::vectorised;
use spikedeck_equation::System;
use spikedeck_equation::kernel::Kernel;
pub use spikedeck_equation::program::UnitValues;
use spikedeck_equation::program::{Program, Register};
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
    pub parameters: Vec<UnitValues>,
    /// Initial states: one column a state.
    pub initial: Vec<UnitValues>,
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
    /// What the factors of white noise are multiplied by; with zero the equations have none.
    pub noise_factor: f64,
    /// Whether steps are made in stages that others see; for schemes that have them.
    pub in_stages: bool,
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

/// White noise of an equation.
#[derive(Debug, Clone)]
struct Noise {
    register: Register,
    source: Normals,
}

/// How the states move.
#[derive(Debug, Clone)]
enum Motion {
    Kernel(Kernel),
    Lanes(Box<ByLane>),
}

impl Motion {
    /// Makes the program short if the lanes are few.
    fn settle(&mut self, program: &mut Program) {
        match self {
            Self::Kernel(kernel) => program.settle(kernel),
            Self::Lanes(_) => {}
        }
    }
}

/// Lists that are made anew in each step.
#[derive(Debug, Default)]
struct Work {
    /// Lanes whose rest ends inside the current step.
    releasing: Vec<Refractory>,
    candidates: Vec<u32>,
    /// Lanes that crossed the threshold and came back within the current step, where nothing is reset, and after which
    /// part of it.
    passed: Vec<(u32, f64)>,
    /// Inputs of the lanes that crossed in the last step, port by port, in the order of the spikes.
    at_crossing: Vec<f64>,
    kept: Vec<f64>,
    moved: Vec<f64>,
}

/// A compiled lane range.
#[derive(Debug)]
pub struct Stepper {
    system: System,
    /// The integrator, and why it was chosen.
    integrator: (Integrator, String),
    /// Why its step is too long, if it is.
    doubt: Option<String>,
    program: Program,
    /// A block's worth of lanes, for those that are refractory.
    side: Program,
    motion: Motion,
    /// The motion of refractory lanes, if others states depend on those that are held.
    held_motion: Option<Motion>,
    noise: Vec<Noise>,
    arrivals: Arrivals,
    threshold: Option<Threshold>,
    reset: Reset,
    firing: Firing,
    /// If crossings are located.
    locate: Option<Locate>,
    /// Where excursions over the threshold within one step are looked for.
    excursions: Option<Excursions>,
    /// Part of the step that was done, where an integrator locates crossings itself.
    fractions: Vec<f64>,
    /// Steps that are made in one go.
    stretch: Stretch,
    /// Steps that are made in stages.
    stages: Option<Stages>,
    /// States at the beginning of a step that is tried.
    begun: Vec<f64>,
    work: Work,
    /// Step in the time of the equations.
    dt: f64,
    substeps: u32,
    /// States of the first lane at the start.
    start: LaneValues,
    /// Whether a lane whose condition held had a state that is not finite.
    alarmed: bool,
    /// The first lane whose step could not be done by a scheme that adapts inside it.
    unfollowed: Option<u32>,
    /// The first lane in which something that decides about its spikes has no value.
    undefined: Option<(u32, Undefined)>,
}

/// What decides about spikes, and has no value though all states have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undefined {
    /// A side of the threshold.
    Threshold,
    /// The time at rest.
    Refractory,
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
        (self.integrator.0, &self.integrator.1)
    }

    /// Why the step is too long for the integrator, if it is, and which would do.
    pub fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }

    /// Integrates from step `step` to `step + 1`, delivers arrivals, tests the threshold, all block by block.
    ///
    /// `inputs[p]` is the value of input port p for each lane during this step (all slices as long as there are lanes;
    /// an empty slice means zero). `arrivals[e]` is the summed weight that arrives at event port e at the end of this
    /// step; it is set to zero after use (an empty slice means nothing arrives). At a port whose events do not add up
    /// there are as many weights a lane as arrive at most, lane by lane (zero is none). Lanes in which the threshold
    /// condition becomes true are appended to `spikes` in ascending order. Those that spiked on the grid are not reset
    /// yet, so that a recorder sees the value that crossed; those that spiked inside the step stand where their reset
    /// and the rest of the step lead, as a grid point has no other state then (NEST's precise neurons record the same).
    pub fn advance(&mut self, step: u64, inputs: &[&[f64]], arrivals: &mut [&mut [f64]], spikes: &mut Vec<LaneSpike>) {
        let mut firing = std::mem::take(&mut self.firing);
        let end = (step as f64 + 1.0) * self.dt;
        if self.threshold.is_none() {
            // Nothing spikes, so nothing rests.
            for (start, count) in self.program.memory.blocks() {
                self.prepare(inputs, start, count);
                self.integrate(step, start, count, &firing);
                self.program.fill_time(count, end);
                self.arrivals.deliver(&mut self.program, arrivals, start, count, end);
            }
            self.firing = firing;
            return;
        }
        self.work.at_crossing.clear();
        self.work.passed.clear();
        if let Some(locate) = &mut self.locate {
            locate.clear();
            self.work.releasing.clear();
            self.work.releasing.extend(firing.ending(step));
        }
        firing.begin(step);
        let releasing = std::mem::take(&mut self.work.releasing);
        for (start, count) in self.program.memory.blocks() {
            let resting = firing.resting_in(start, start + count);
            self.prepare(inputs, start, count);
            self.keep(resting, inputs, step);
            self.integrate(step, start, count, &firing);
            self.place_moved(resting);
            if let Some(locate) = &mut self.locate {
                locate.end(&self.program.memory.data, self.program.memory.padded, start, count);
            }
            self.release(&releasing, start, count, step);
            self.look_for_excursions(start, count, step, resting);
            // What arrives and what is tested belong to the end of the step.
            self.program.fill_time(count, end);
            self.arrivals.deliver(&mut self.program, arrivals, start, count, end);
            self.restore(resting);
            self.detect(start, count, &mut firing, step, spikes);
        }
        self.land(spikes);
        self.firing = firing;
        self.work.releasing = releasing;
    }

    /// Inputs of a block into their registers; states before the step, if they will be needed.
    fn prepare(&mut self, inputs: &[&[f64]], start: usize, count: usize) {
        self.program.fill_inputs(inputs, start, count);
        if let Some(locate) = &mut self.locate {
            locate.begin(&self.program.memory.data, self.program.memory.padded, start, count);
        }
        if let Some(excursions) = &mut self.excursions {
            excursions.begin(&mut self.program, start, count);
        }
    }

    /// Time at the beginning of part `sub` of a step, in that of the equations.
    fn time(&self, step: u64, sub: u32) -> f64 {
        (step as f64 + f64::from(sub) / f64::from(self.substeps)) * self.dt
    }

    fn integrate(&mut self, step: u64, start: usize, count: usize, firing: &Firing) {
        if let Some(stages) = &self.stages {
            stages.place(&mut self.program.memory.data, self.program.memory.padded, start, count);
            return;
        }
        for sub in 0..self.substeps {
            let draw = step * u64::from(self.substeps) + u64::from(sub);
            for noise in &mut self.noise {
                noise.source.fill(start, draw, &mut self.program.register_mut(noise.register)[..count]);
            }
            let time = self.time(step, sub);
            self.program.fill_time(count, time);
            match &self.motion {
                Motion::Kernel(kernel) => self.program.run(kernel, start, count),
                Motion::Lanes(lanes) => {
                    for lane in start..(start + count).min(self.program.memory.lanes) {
                        let done = sub > 0 && self.fractions[lane] < 1.0;
                        if done {
                            continue;
                        }
                        let armed = firing.is_armed(lane as u32);
                        let made = lanes.advance(&mut self.program, lane, lane - start, time, armed);
                        // Resting lanes move apart where what they hold matters.
                        let counts = self.held_motion.is_none()
                            || !firing.resting_in(start, start + count).iter().any(|r| r.unit as usize == lane);
                        if made.is_none() && counts && self.unfollowed.is_none() {
                            self.unfollowed = Some(lane as u32);
                        }
                        let whole = made.map(|m| m.0).filter(|part| *part < 1.0);
                        let is_first = self.work.passed.last().is_none_or(|p| p.0 as usize != lane);
                        if let Some(passed) = made.and_then(|m| m.1).filter(|_| armed && is_first) {
                            let part = (f64::from(sub) + passed) / f64::from(self.substeps);
                            self.work.passed.push((lane as u32, part));
                        }
                        self.fractions[lane] =
                            whole.map_or(1.0, |part| (f64::from(sub) + part) / f64::from(self.substeps));
                    }
                }
            }
        }
    }

    fn detect(&mut self, start: usize, count: usize, firing: &mut Firing, step: u64, spikes: &mut Vec<LaneSpike>) {
        let Some(threshold) = &self.threshold else { return };
        self.work.candidates.clear();
        threshold.scan(&mut self.program.memory, start, count, &mut self.work.candidates);
        if let Some(locate) = &self.locate {
            add_lanes(&locate.excursions, start, count, &mut self.work.candidates);
        }
        add_lanes(&self.work.passed, start, count, &mut self.work.candidates);
        for k in 0..self.work.candidates.len() {
            let lane = self.work.candidates[k];
            if lane as usize >= self.program.memory.lanes {
                break;
            }
            // An infinite conductance lifts a voltage over any threshold: that is no spike.
            if !self.program.lane_states(lane as usize).all(f64::is_finite) {
                self.alarmed = true;
                continue;
            }
            let has_no_value = |t: &Threshold| t.has_no_value(&self.program.memory, start, lane as usize);
            if self.threshold.as_ref().is_some_and(has_no_value) {
                self.undefined.get_or_insert((lane, Undefined::Threshold));
                continue;
            }
            if firing.holds(lane) {
                let before = spikes.len();
                self.located(lane, start, step, spikes);
                let inputs = self.lane_inputs(lane as usize - start);
                (before..spikes.len()).for_each(|_| self.work.at_crossing.extend_from_slice(&inputs));
            }
        }
    }

    fn lane_inputs(&self, slot: usize) -> LaneValues {
        self.program.lane_inputs(slot, self.system.inputs().len())
    }

    fn lane_parameters(&self, lane: usize) -> LaneValues {
        self.program.lane_parameters(lane).collect()
    }

    fn lane_states(&self, lane: usize) -> LaneValues {
        self.program.lane_states(lane).collect()
    }

    /// Values of state `index` in SI.
    #[inline]
    pub fn state(&self, index: usize) -> &[f64] {
        self.program.state(index)
    }

    /// Values of state `index` in SI, to be set from outside (initial values, clamps).
    #[inline]
    pub fn state_mut(&mut self, index: usize) -> &mut [f64] {
        self.program.state_mut(index)
    }

    /// Whether a lane whose condition held had a state that is not finite, and so did not spike, a step could not be
    /// done, or it cannot be told whether or how long a lane spikes and rests.
    pub fn is_alarmed(&self) -> bool {
        self.alarmed || self.unfollowed.is_some() || self.undefined.is_some()
    }

    /// The first lane and state that is not finite, or whose step could not be done or has no spike that can be told,
    /// if any.
    pub fn not_finite(&self) -> Option<(u32, usize)> {
        // Lanes that are padding may be anything: they only make it slower.
        let state = if all_finite(self.program.all_states()) {
            None
        } else {
            let found = (0..self.program.states())
                .filter_map(|s| self.state(s).iter().position(|v| !v.is_finite()).map(|lane| (lane as u32, s)));
            found.min()
        };
        state.or_else(|| self.unfollowed.or(self.undefined.map(|u| u.0)).map(|lane| (lane, 0)))
    }
}

vectorised! {
    /// Whether all values are finite: zero times each, summed in sixteen lanes, so that it runs in vectors.
    pub(crate) fn all_finite(values: &[f64]) -> bool {
        let (chunks, rest) = values.as_chunks::<16>();
        let mut sums = [0.0; 16];
        for chunk in chunks {
            for (sum, v) in sums.iter_mut().zip(chunk) {
                *sum = v.mul_add(0.0, *sum);
            }
        }
        (chunks.is_empty() || sums.iter().all(|v| v.is_finite())) && rest.iter().all(|v| v.is_finite())
    }
}

#[cfg(test)]
pub(crate) mod tests;
