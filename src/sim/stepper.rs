//! One lane range of one population in time: compiled equations over columns of state.
//!
//! CONTRACT (owner: equation room). Each thread owns a stepper for its own range of units, so nothing is shared while time
//! advances; bits do not depend on how units are split.

use crate::equation::System;

/// What the stepper is made from.
pub struct StepperSpec<'a> {
    /// Equations.
    pub system: &'a System,
    /// Integrator by name, or `auto`.
    pub integrator: &'a str,
    /// Step in the unit that the system's time is measured in for `TimeUnit` conversion: seconds, or plain for dimensionless.
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
    pub spike_times: crate::scenario::SpikeTimes,
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

/// A compiled lane range.
#[derive(Debug)]
pub struct Stepper {
    _private: (),
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
    /// An integrator that does not fit the equations, or that is unstable for the step (with the step that would be stable).
    pub fn new(_spec: StepperSpec<'_>) -> Result<Self, StepperError> {
        todo!()
    }

    /// Which integrator was chosen, and why, for the manifest.
    pub fn integrator(&self) -> (&str, &str) {
        todo!()
    }

    /// Integrates from step `step` to `step + 1`, delivers arrivals, tests the threshold, all block by block.
    ///
    /// `inputs[p]` is the value of input port p for each lane during this step (all slices as long as there are lanes; an
    /// empty slice means zero). `arrivals[e]` is the summed weight that arrives at event port e at the end of this step; it
    /// is set to zero after use (an empty slice means nothing arrives). Lanes that cross the threshold are appended to
    /// `spikes` in ascending order; they are not reset yet, so that a recorder sees the crossing value.
    pub fn advance(&mut self, _step: u64, _inputs: &[&[f64]], _arrivals: &mut [&mut [f64]], _spikes: &mut Vec<LaneSpike>) {
        todo!()
    }

    /// Delivers arrivals now, before `step`: events of delay 0.
    pub fn deliver_before(&mut self, _step: u64, _arrivals: &mut [&mut [f64]]) {
        todo!()
    }

    /// Applies the reset to the lanes that spiked in the last `advance` and starts their refractory time.
    pub fn reset(&mut self, _step: u64, _spikes: &[LaneSpike]) {
        todo!()
    }

    /// Values of state `index` in SI.
    pub fn state(&self, _index: usize) -> &[f64] {
        todo!()
    }

    /// Values of state `index` in SI, to be set from outside (initial values, clamps).
    pub fn state_mut(&mut self, _index: usize) -> &mut [f64] {
        todo!()
    }

    /// An observer for any state, parameter, input or subexpression, compiled once; evaluates the lanes listed into `out`.
    ///
    /// # Errors
    /// When there is no such name.
    pub fn probe(&self, _variable: &str) -> Result<Probe, StepperError> {
        todo!()
    }

    /// Evaluates a probe at time of step `step` for `lanes`, in SI.
    pub fn sample(&self, _probe: &Probe, _step: u64, _inputs: &[&[f64]], _lanes: &[u32], _out: &mut Vec<f64>) {
        todo!()
    }

    /// The first lane and state that is not finite, if any (called now and then, not every step).
    pub fn not_finite(&self) -> Option<(u32, usize)> {
        todo!()
    }
}

/// A compiled observer.
#[derive(Debug, Clone)]
pub struct Probe {
    _private: (),
}
