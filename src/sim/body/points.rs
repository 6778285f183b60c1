//! Independent units.

use super::{Blame, Body, ProbeId};
use crate::snapshot::{Pass, Snapshot};
use crate::stepper::{LaneSpike, Probe, Stepper};
use spikedeck_scenario::VariableId;

/// Independent units, and who looks at them.
#[derive(Debug)]
pub(crate) struct Points {
    pub stepper: Stepper,
    probes: Vec<Probe>,
}

impl Points {
    /// Units that nobody looks at yet.
    pub fn new(stepper: Stepper) -> Self {
        Self { stepper, probes: Vec::new() }
    }

    /// Appends the values of an observer at the grid points that a stretch of steps remembers; see
    /// [`Stepper::sample_recalled`].
    pub fn recall(&mut self, probe: ProbeId, places: &[u32], out: &mut Vec<f64>) {
        self.stepper.sample_recalled(&mut self.probes[probe.0], places, out);
    }
}

impl Snapshot for Points {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self { stepper, probes: _ } = self;
        stepper.visit(pass);
    }
}

impl Body for Points {
    fn probe(&mut self, variable: VariableId) -> ProbeId {
        self.probes.push(self.stepper.probe(variable));
        ProbeId(self.probes.len() - 1)
    }

    fn reads(&self, probe: ProbeId, port: usize) -> bool {
        self.probes[probe.0].reads(port)
    }

    fn sample(&mut self, probe: ProbeId, k: u64, inputs: &[&[f64]], lanes: &[u32], out: &mut Vec<f64>) {
        self.stepper.sample(&mut self.probes[probe.0], k, inputs, lanes, out);
    }

    fn stages(&self) -> usize {
        self.stepper.stages()
    }

    fn stage_at(&self, number: usize) -> f64 {
        self.stepper.stage_at(number)
    }

    fn stage(&mut self, step: u64, number: usize, inputs: &[&[f64]]) {
        self.stepper.stage(step, number, inputs);
    }

    fn foresee(&mut self, step: u64, inputs: &[&[f64]], state: usize, ends: &mut Vec<f64>, answers: &mut [f64]) {
        self.stepper.foresee(step, inputs, state, ends, answers);
    }

    fn advance(&mut self, step: u64, inputs: &[&[f64]], arrivals: &mut [&mut [f64]], spikes: &mut Vec<LaneSpike>) {
        self.stepper.advance(step, inputs, arrivals, spikes);
    }

    fn deliver_before(&mut self, step: u64, arrivals: &mut [&mut [f64]]) {
        self.stepper.deliver_before(step, arrivals);
    }

    fn each_state(&mut self, spikes: &[LaneSpike], act: &mut dyn FnMut(&mut f64)) {
        self.stepper.each_state(spikes, act);
    }

    fn reset(&mut self, step: u64, spikes: &[LaneSpike]) {
        self.stepper.reset(step, spikes);
    }

    fn not_finite(&self) -> Option<(u32, usize)> {
        self.stepper.not_finite()
    }

    fn is_alarmed(&self) -> bool {
        self.stepper.is_alarmed()
    }

    fn blame(&self, lane: u32, state: usize, k: u64, inputs: &[&[f64]]) -> (u32, Blame) {
        (lane, self.stepper.blame(lane as usize, state, k, inputs))
    }

    fn few(&mut self) -> Option<&mut Points> {
        self.stepper.is_short().then_some(self)
    }
}
