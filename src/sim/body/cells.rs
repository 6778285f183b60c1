//! Cells with a tree of compartments each.

use super::{Blame, Body, ProbeId};
use crate::snapshot::{Pass, Snapshot};
use crate::stepper::LaneSpike;
use crate::tree::{Forest, TreeProbe};
use spikedeck_scenario::VariableId;

/// Cells with a tree each, and who looks at them.
#[derive(Debug)]
pub(crate) struct Cells {
    pub forest: Forest,
    probes: Vec<TreeProbe>,
}

impl Cells {
    /// Cells that nobody looks at yet.
    pub fn new(forest: Forest) -> Self {
        Self { forest, probes: Vec::new() }
    }
}

impl Snapshot for Cells {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self { forest, probes: _ } = self;
        forest.visit(pass);
    }
}

impl Body for Cells {
    fn sources(&self, lanes: usize) -> usize {
        let [units, watched] = self.forest.each_cell();
        lanes / units.max(1) * watched
    }

    fn probe(&mut self, variable: VariableId) -> ProbeId {
        self.probes.push(self.forest.probe(variable));
        ProbeId(self.probes.len() - 1)
    }

    fn reads(&self, probe: ProbeId, port: usize) -> bool {
        self.probes[probe.0].reads(port)
    }

    fn sample(&mut self, probe: ProbeId, k: u64, inputs: &[&[f64]], lanes: &[u32], out: &mut Vec<f64>) {
        self.forest.sample(&self.probes[probe.0], k, inputs, lanes, out);
    }

    fn advance(&mut self, step: u64, inputs: &[&[f64]], arrivals: &mut [&mut [f64]], spikes: &mut Vec<LaneSpike>) {
        self.forest.advance(step, inputs, arrivals, spikes);
    }

    fn deliver_before(&mut self, step: u64, arrivals: &mut [&mut [f64]]) {
        self.forest.deliver_before(step, arrivals);
    }

    fn each_state(&mut self, spikes: &[LaneSpike], act: &mut dyn FnMut(&mut f64)) {
        self.forest.each_state(spikes, act);
    }

    fn reset(&mut self, step: u64, spikes: &[LaneSpike]) {
        self.forest.reset(step, spikes);
    }

    fn not_finite(&self) -> Option<(u32, usize)> {
        if self.forest.all_finite() { None } else { self.forest.not_finite() }
    }

    fn blame(&self, lane: u32, state: usize, k: u64, inputs: &[&[f64]]) -> (u32, Blame) {
        self.forest.blame(lane, state, k, inputs)
    }

    fn cells_apart(&mut self) -> Option<&mut Cells> {
        self.forest.is_driven_at_few().then_some(self)
    }
}
