//! Thresholds at the watched places of trees, resets, and rest after them.

use super::{Tree, Zone};
use crate::equation::graph::{Binary, Node, Symbol};
use crate::equation::tape::{Tape, Values};
use crate::sim::stepper::LaneSpike;

/// What watches a tree.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Index of row and cell of each watched place: cell by cell.
    pub at: Vec<usize>,
    /// Whether the condition held after the last step.
    above: Vec<bool>,
    /// Bound of the voltage at each, where the condition is a comparison with a value of parameters.
    bound: Option<(Vec<f64>, bool)>,
    condition: Option<Tape>,
    reset: Option<Reset>,
    refractory: Option<Tape>,
    holds: bool,
    /// Whether spikes carry the moment of the crossing.
    interpolated: bool,
    earlier: Vec<f64>,
    /// Voltages at the end of the step before anything arrives.
    integrated: Vec<f64>,
    /// First step in which each place may spike again.
    quiet: Vec<u64>,
    /// Resting places: index of row and cell with the value held; and the first step in which they move.
    resting: Vec<(usize, f64)>,
    until: Vec<u64>,
    /// Steps of the simulation in a unit of the equations' time.
    per_time: f64,
}

#[derive(Debug)]
struct Reset {
    states: Vec<usize>,
    tape: Tape,
}

impl Watch {
    /// From the equations of a population; `parameters` gives those of each watched place.
    ///
    /// # Errors
    /// Held states other than the voltage.
    pub fn new(
        tree: &crate::equation::system::Parts,
        state: usize,
        at: Vec<usize>,
        parameters: &dyn Fn(usize) -> Vec<f64>,
        interpolated: bool,
        per_time: f64,
    ) -> Result<Self, String> {
        let mut watch = Self { above: vec![false; at.len()], quiet: vec![0; at.len()], interpolated, per_time, ..Self::default() };
        let Some(t) = tree.threshold else { return Ok(watch) };
        let mut read = tree.reset.iter().map(|r| r.1).chain(tree.refractory).chain([t.condition]);
        if read.any(|id| tree.graph.depends(id, |s| matches!(s, Symbol::Input(_)))) {
            return Err("on a tree threshold, reset and refractory time depend on states and parameters, not on inputs".to_owned());
        }
        if let Some((s, id)) = t.cut.filter(|c| c.0 == state) {
            let tape = Tape::new(&tree.graph, &[id]);
            let bounds = (0..at.len()).map(|k| tape.value(&Values { parameters: &parameters(k), ..Values::default() })).collect();
            debug_assert_eq!(s, state);
            let inclusive = matches!(tree.graph.node(t.condition), Node::Binary(Binary::GreaterEqual, ..));
            watch.bound = Some((bounds, inclusive));
        }
        watch.condition = Some(Tape::new(&tree.graph, &[t.condition]));
        if !tree.reset.is_empty() {
            let ids: Vec<_> = tree.reset.iter().map(|r| r.1).collect();
            watch.reset = Some(Reset { states: tree.reset.iter().map(|r| r.0).collect(), tape: Tape::new(&tree.graph, &ids) });
        }
        watch.refractory = tree.refractory.map(|id| Tape::new(&tree.graph, &[id]));
        if tree.hold.iter().any(|s| *s != state) {
            return Err("on a tree only the voltage is held while refractory".to_owned());
        }
        watch.holds = !tree.hold.is_empty();
        watch.at = at;
        Ok(watch)
    }

    /// Keeps the voltages before a step.
    pub fn before(&mut self, voltage: &[f64]) {
        if self.interpolated {
            self.earlier.clear();
            self.earlier.extend(self.at.iter().map(|&a| voltage[a]));
        }
    }

    /// Keeps the voltages after a step, before events arrive.
    pub fn after(&mut self, voltage: &[f64]) {
        if self.interpolated {
            self.integrated.clear();
            self.integrated.extend(self.at.iter().map(|&a| voltage[a]));
        }
    }

    /// Places that rest, with the value at which they are held.
    pub fn resting(&self) -> impl Iterator<Item = &(usize, f64)> {
        self.resting.iter()
    }
}

impl Tree {
    pub(super) fn detect(&mut self, step: u64, spikes: &mut Vec<LaneSpike>) {
        if !self.watch.until.is_empty() {
            // Those that have rested through this step move in the next.
            let until = std::mem::take(&mut self.watch.until);
            let resting = std::mem::take(&mut self.watch.resting);
            for (u, r) in until.into_iter().zip(resting).filter(|(u, _)| *u > step + 1) {
                self.watch.until.push(u);
                self.watch.resting.push(r);
            }
        }
        for k in 0..self.watch.at.len() {
            let at = self.watch.at[k];
            let holds = match &self.watch.bound {
                Some((bounds, true)) => self.voltage[at] >= bounds[k],
                Some((bounds, false)) => self.voltage[at] > bounds[k],
                None => self.condition(at, step),
            };
            let rests = self.watch.quiet[k] > step + 1;
            if holds && !self.watch.above[k] && !rests {
                let fraction = match (&self.watch.bound, self.watch.interpolated) {
                    (Some((bounds, _)), true) => {
                        let (a, b) = (self.watch.earlier[k], self.watch.integrated[k]);
                        // What arrives at the end of the step may have lifted it over the threshold: that is on the grid.
                        if a < bounds[k] && b >= bounds[k] { (bounds[k] - a) / (b - a) } else { 1.0 }
                    }
                    _ => 1.0,
                };
                spikes.push(LaneSpike { lane: k as u32, fraction });
            }
            self.watch.above[k] = holds;
        }
    }

    fn condition(&self, at: usize, step: u64) -> bool {
        let Some(tape) = &self.watch.condition else { return false };
        let (states, parameters) = self.all_of(at);
        let time = (step + 1) as f64 * self.h * f64::from(self.substeps);
        tape.value(&Values { states: &states, parameters: &parameters, time, ..Values::default() }) != 0.0
    }

    /// States and parameters of the population's system at an index of row and cell; zero what is not there.
    pub(super) fn all_of(&self, at: usize) -> (Vec<f64>, Vec<f64>) {
        let system = &self.system;
        let mut states = vec![0.0; system.states().len()];
        let mut parameters = vec![0.0; system.parameters().len()];
        if let Some((z, lane)) = self.lane(at / self.cells, at % self.cells) {
            let zone: &Zone = &self.zones[z];
            for (own, value) in zone.system.states().iter().zip(zone.states(lane)) {
                if let Some(i) = system.states().iter().position(|v| v.name == own.name) {
                    states[i] = value;
                }
            }
            for (own, value) in zone.system.parameters().iter().zip(zone.lane_parameters(lane)) {
                if let Some(i) = system.parameters().iter().position(|v| v.name == own.name) {
                    parameters[i] = value;
                }
            }
        }
        states[self.state] = self.voltage[at];
        (states, parameters)
    }

    /// Applies the reset at the places that spiked, and starts their rest.
    pub fn reset(&mut self, step: u64, spikes: &[LaneSpike]) {
        let time = (step + 1) as f64 * self.h * f64::from(self.substeps);
        for spike in spikes {
            let k = spike.lane as usize;
            let at = self.watch.at[k];
            let (states, parameters) = self.all_of(at);
            let values = Values { states: &states, parameters: &parameters, time, ..Values::default() };
            let (mut new, mut changed) = (Vec::new(), Vec::new());
            if let Some(reset) = &self.watch.reset {
                new.resize(reset.states.len(), 0.0);
                reset.tape.evaluate(&values, &mut new);
                changed.clone_from(&reset.states);
            }
            let rest = self.watch.refractory.as_ref().map(|t| (t.value(&values) * self.watch.per_time).round());
            for (s, v) in changed.into_iter().zip(new) {
                if s == self.state {
                    self.voltage[at] = v;
                } else if let Some((z, lane)) = self.lane(at / self.cells, at % self.cells) {
                    let name = &self.system.states()[s].name;
                    let zone = &mut self.zones[z];
                    if let Some(own) = zone.system.states().iter().position(|v| v.name == *name) {
                        zone.memory.column_mut(own)[lane] = v;
                    }
                }
            }
            if let Some(steps) = rest.filter(|s| *s >= 1.0) {
                self.watch.quiet[k] = step + 1 + steps as u64;
                if self.watch.holds {
                    self.watch.resting.push((at, self.voltage[at]));
                    self.watch.until.push(step + 1 + steps as u64);
                }
            }
            // Without a reset the condition holds on as it was found.
            if self.watch.reset.is_some() {
                self.watch.above[k] = self.condition(at, step);
            }
        }
    }
}
