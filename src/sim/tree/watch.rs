//! Thresholds at the watched places of trees, resets, and rest after them.

use smallvec::{SmallVec, smallvec};

use super::{Tree, Zone};
use crate::firing::{self, Firing, Refractory};
use crate::snapshot::{Pass, Snapshot};
use crate::stepper::LaneSpike;
use spikedeck_core::math::holds;
use spikedeck_equation::graph::{Binary, Node, Symbol};
use spikedeck_equation::tape::{Tape, Values};

/// What watches a tree.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Index of row and cell of each watched place: cell by cell.
    pub at: Vec<usize>,
    firing: Firing,
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
    /// Resting places whose voltage is held: index of row and cell, value.
    resting: Vec<(usize, f64)>,
    /// Step of the simulation in the equations' time.
    dt: f64,
    /// Parameters of each watched place, in the order of the population's system.
    parameters: Vec<Vec<f64>>,
    /// For each zone, what number its states have in the population's system.
    numbers: Vec<Numbers>,
}

/// Number of each state of a zone among those of the population.
type Numbers = Vec<usize>;

/// States of one place.
type PlaceValues = SmallVec<[f64; 32]>;

#[derive(Debug)]
struct Reset {
    states: Vec<usize>,
    tape: Tape,
}

impl Watch {
    /// From the equations of a population and its zones; `parameters` gives those of each watched place, and `nodes`
    /// says which of them are nodes.
    ///
    /// # Errors
    /// Held states other than the voltage; conditions on what a watched place does not have.
    pub fn new(
        tree: &spikedeck_equation::system::Parts,
        zones: &[Zone],
        state: usize,
        (at, nodes): (Vec<usize>, &[bool]),
        parameters: &dyn Fn(usize) -> Vec<f64>,
        interpolated: bool,
        dt: f64,
    ) -> Result<Self, String> {
        let mut watch = Self { interpolated, dt, ..Self::default() };
        let Some(t) = tree.threshold else { return Ok(watch) };
        let mut read = tree.reset.iter().map(|r| r.1).chain(tree.refractory).chain([t.condition]);
        if read.any(|id| tree.graph.depends(id, |s| matches!(s, Symbol::Input(_)))) {
            return Err(
                "on a tree threshold, reset and refractory time depend on states and parameters, not on inputs"
                    .to_owned(),
            );
        }
        let of_membrane = |s| matches!(s, Symbol::State(i) if i as usize != state);
        if nodes.iter().any(|n| *n) && tree.graph.depends(t.condition, of_membrane) {
            return Err(
                "a place between compartments has a voltage and no other state, and the threshold asks for one: \
                        watch a place inside, such as `soma(0.5)`"
                    .to_owned(),
            );
        }
        watch.parameters = (0..at.len()).map(parameters).collect();
        if let Some((s, id)) = t.cut.filter(|c| c.0 == state) {
            let tape = Tape::new(&tree.graph, &[id]);
            let bound = |parameters: &Vec<f64>| tape.value(&Values { parameters, ..Values::default() });
            let bounds = watch.parameters.iter().map(bound).collect();
            debug_assert_eq!(s, state);
            let inclusive = matches!(tree.graph.node(t.condition), Node::Binary(Binary::GreaterEqual, ..));
            watch.bound = Some((bounds, inclusive));
        }
        watch.condition = Some(Tape::new(&tree.graph, &[t.condition]));
        if !tree.reset.is_empty() {
            let ids: Vec<_> = tree.reset.iter().map(|r| r.1).collect();
            watch.reset =
                Some(Reset { states: tree.reset.iter().map(|r| r.0).collect(), tape: Tape::new(&tree.graph, &ids) });
        }
        watch.refractory = tree.refractory.map(|id| Tape::new(&tree.graph, &[id]));
        if tree.hold.iter().any(|s| *s != state) {
            return Err("on a tree only the voltage is held while refractory".to_owned());
        }
        watch.holds = !tree.hold.is_empty();
        watch.numbers = zones.iter().map(|z| z.parts.states.iter().map(|id| id.index()).collect()).collect();
        watch.at = at;
        Ok(watch)
    }

    /// Begins a step: who rests in it, and the voltages before it.
    pub fn begin(&mut self, step: u64, voltage: &[f64]) {
        self.firing.begin(step);
        self.hold(step, voltage);
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

    /// Looks up who rests when `step` begins.
    pub fn hold(&mut self, step: u64, voltage: &[f64]) {
        self.resting.clear();
        if self.holds {
            let at = |r: Refractory| self.at[r.unit as usize];
            self.resting.extend(self.firing.resting_before(step).map(|r| (at(r), voltage[at(r)])));
        }
    }

    /// Places that rest, with the value at which they are held.
    pub fn resting(&self) -> impl Iterator<Item = &(usize, f64)> {
        self.resting.iter()
    }
}

impl Snapshot for Watch {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self {
            at: _,
            firing,
            bound: _,
            condition: _,
            reset: _,
            refractory: _,
            holds: _,
            interpolated: _,
            // These are of one step.
            earlier: _,
            integrated: _,
            resting: _,
            dt: _,
            parameters: _,
            numbers: _,
        } = self;
        firing.visit(pass);
    }
}

impl Tree {
    pub(super) fn detect(&mut self, step: u64, spikes: &mut Vec<LaneSpike>) {
        for k in 0..self.watch.at.len() {
            let at = self.watch.at[k];
            let holds = match &self.watch.bound {
                Some((bounds, true)) => self.voltage[at] >= bounds[k],
                Some((bounds, false)) => self.voltage[at] > bounds[k],
                None => self.condition(k, step),
            };
            if !(holds && self.voltage[at].is_finite() && self.watch.firing.holds(k as u32)) {
                continue;
            }
            // What arrives at the end of the step may have lifted it over the threshold: that is on the grid.
            let located = self.watch.bound.as_ref().filter(|_| self.watch.interpolated);
            let share =
                located.and_then(|(b, _)| firing::share(self.watch.earlier[k] - b[k], self.watch.integrated[k] - b[k]));
            spikes.push(LaneSpike { lane: k as u32, fraction: share.unwrap_or(1.0) });
        }
    }

    /// Whether the threshold holds at watched place `k` after `step`.
    fn condition(&self, k: usize, step: u64) -> bool {
        let Some(tape) = &self.watch.condition else { return false };
        let time = (step + 1) as f64 * self.h * f64::from(self.substeps);
        holds(self.value_at(tape, k, time))
    }

    /// Value of an expression of the population's system at watched place `k`.
    fn value_at(&self, tape: &Tape, k: usize, time: f64) -> f64 {
        let (states, parameters) = (self.states_at(k), &self.watch.parameters[k]);
        tape.value(&Values { states: &states, parameters, time: Some(time), ..Values::default() })
    }

    /// States of the population's system at watched place `k`; zero what is not there, which nobody asks for.
    fn states_at(&self, k: usize) -> PlaceValues {
        let at = self.watch.at[k];
        let mut states: PlaceValues = smallvec![0.0; self.system.states().len()];
        if let Some((z, lane)) = self.lane(at / self.cells, at % self.cells) {
            for (own, &i) in self.watch.numbers[z].iter().enumerate() {
                states[i] = self.zones[z].program.state(own)[lane];
            }
        }
        states[self.state] = self.voltage[at];
        states
    }

    /// Latches the places that start above a threshold without a reset: they have not crossed it.
    pub fn latch(&mut self) {
        if self.watch.reset.is_some() || self.watch.condition.is_none() {
            return;
        }
        let above: Vec<u32> = (0..self.watch.at.len()).filter(|&k| self.condition(k, 0)).map(|k| k as u32).collect();
        self.watch.firing.settle(&above, &[]);
    }

    /// Applies the reset at the places that spiked, and starts their rest.
    pub fn reset(&mut self, step: u64, spikes: &[LaneSpike]) {
        let time = (step + 1) as f64 * self.h * f64::from(self.substeps);
        let (mut latched, mut resting) = (SmallVec::<[u32; 8]>::new(), SmallVec::<[Refractory; 8]>::new());
        for spike in spikes {
            let k = spike.lane as usize;
            let at = self.watch.at[k];
            let mut changes: SmallVec<[(usize, f64); 8]> = SmallVec::new();
            if let Some(reset) = &self.watch.reset {
                let (states, parameters) = (self.states_at(k), &self.watch.parameters[k]);
                let mut new: PlaceValues = smallvec![0.0; reset.states.len()];
                reset
                    .tape
                    .evaluate(&Values { states: &states, parameters, time: Some(time), ..Values::default() }, &mut new);
                changes.extend(reset.states.iter().copied().zip(new));
            }
            changes.into_iter().for_each(|(state, value)| self.set(at, state, value));
            if let Some(tape) = &self.watch.refractory {
                let refractory = self.value_at(tape, k, time);
                resting.extend(Refractory::after(spike.lane, step, None, firing::steps(refractory, self.watch.dt)));
            }
            // Without a reset the condition holds on as it was found.
            if self.watch.reset.is_none() || self.condition(k, step) {
                latched.push(spike.lane);
            }
        }
        self.watch.firing.settle(&latched, &resting);
    }

    /// Shows every state of the places that spiked, place by place.
    pub fn each_state(&mut self, spikes: &[LaneSpike], act: &mut dyn FnMut(&mut f64)) {
        for spike in spikes {
            let at = self.watch.at[spike.lane as usize];
            act(&mut self.voltage[at]);
            if let Some((z, lane)) = self.lane(at / self.cells, at % self.cells) {
                let zone = &mut self.zones[z];
                (0..zone.system.states().len()).for_each(|i| act(&mut zone.program.state_mut(i)[lane]));
            }
        }
    }

    /// Gives a state of the population's system a value at an index of row and cell, if it is there.
    fn set(&mut self, at: usize, state: usize, value: f64) {
        if state == self.state {
            self.voltage[at] = value;
        } else if let Some((z, lane)) = self.lane(at / self.cells, at % self.cells)
            && let Some(own) = self.watch.numbers[z].iter().position(|i| *i == state)
        {
            self.zones[z].program.state_mut(own)[lane] = value;
        }
    }
}
