//! All cells of a grid: points, with operators of space and diffusion between them.

use super::{Blame, Body, Points, ProbeId};
use crate::grid::Space;
use crate::port::InputPort;
use crate::snapshot::{Pass, Snapshot};
use crate::stepper::{LaneSpike, Stepper};
use spikedeck_scenario::VariableId;

/// All cells of a grid.
#[derive(Debug)]
pub(crate) struct Sheet {
    points: Points,
    space: Space,
    /// What the operators are worth, one row a port.
    rows: Vec<Vec<f64>>,
}

impl Sheet {
    /// The cells of `stepper` in `space`, with so many input ports.
    pub fn new(stepper: Stepper, space: Space, ports: usize) -> Self {
        Self { points: Points::new(stepper), space, rows: vec![Vec::new(); ports] }
    }

    /// Lends the rows of the ports to the operators while `act` computes them.
    fn with_rows(&mut self, inputs: &mut [InputPort], act: impl FnOnce(&mut Space, &mut Stepper, &mut [Vec<f64>])) {
        exchange(inputs, &mut self.rows);
        act(&mut self.space, &mut self.points.stepper, &mut self.rows);
        exchange(inputs, &mut self.rows);
    }
}

/// Lends the rows of ports to the operators of space, or takes them back: other ports as their arguments read them.
fn exchange(inputs: &mut [InputPort], rows: &mut [Vec<f64>]) {
    for (port, row) in inputs.iter_mut().zip(rows.iter_mut()) {
        std::mem::swap(if port.total.is_empty() { &mut port.stimulus } else { &mut port.total }, row);
    }
}

impl Snapshot for Sheet {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        // What operators are worth is computed before each step.
        let Self { points, space, rows: _ } = self;
        points.visit(pass);
        space.visit(pass);
    }
}

impl Body for Sheet {
    fn probe(&mut self, variable: VariableId) -> ProbeId {
        self.points.probe(variable)
    }

    fn reads(&self, probe: ProbeId, port: usize) -> bool {
        self.points.reads(probe, port)
    }

    fn sample(&mut self, probe: ProbeId, k: u64, inputs: &[&[f64]], lanes: &[u32], out: &mut Vec<f64>) {
        self.points.sample(probe, k, inputs, lanes, out);
    }

    fn before(&mut self, k: u64, inputs: &mut [InputPort]) {
        self.with_rows(inputs, |space, stepper, rows| space.before(k, stepper, rows));
    }

    fn look_around(&mut self, k: u64, inputs: &mut [InputPort]) {
        self.with_rows(inputs, |space, stepper, rows| space.operators(k, stepper, rows, true));
    }

    fn advance(&mut self, step: u64, inputs: &[&[f64]], arrivals: &mut [&mut [f64]], spikes: &mut Vec<LaneSpike>) {
        self.points.advance(step, inputs, arrivals, spikes);
        self.space.after(&mut self.points.stepper);
    }

    fn deliver_before(&mut self, step: u64, arrivals: &mut [&mut [f64]]) {
        self.points.deliver_before(step, arrivals);
    }

    fn each_state(&mut self, spikes: &[LaneSpike], act: &mut dyn FnMut(&mut f64)) {
        self.points.each_state(spikes, act);
    }

    fn reset(&mut self, step: u64, spikes: &[LaneSpike]) {
        self.points.reset(step, spikes);
    }

    fn not_finite(&self) -> Option<(u32, usize)> {
        self.points.not_finite()
    }

    fn is_alarmed(&self) -> bool {
        self.points.is_alarmed()
    }

    fn blame(&self, lane: u32, state: usize, k: u64, inputs: &[&[f64]]) -> (u32, Blame) {
        self.points.blame(lane, state, k, inputs)
    }
}
