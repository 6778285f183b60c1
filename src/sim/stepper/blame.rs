//! What a state that is not finite began with: an expression that has no value, or growth.

use super::{LaneValues, Stepper, Undefined};
use crate::body::Blame;
use smallvec::smallvec;
use spikedeck_equation::graph::{Id, Symbol};
use spikedeck_equation::tape::{Tape, Values};

impl Stepper {
    /// What made `state` of `lane` what it is at grid point `k`. States that are not finite are taken as they were at
    /// the start, all else as it is: an expression that has no value even so did not get it from them. Where all states
    /// are finite it is what decides about spikes, or a step that could not be done.
    pub(crate) fn blame(&self, lane: usize, state: usize, k: u64, inputs: &[&[f64]]) -> Blame {
        let p = self.system.parts();
        let mut states = self.lane_states(lane);
        let lost: Vec<usize> = (0..states.len()).filter(|&i| !states[i].is_finite()).collect();
        for &i in &lost {
            states[i] = self.start[i];
        }
        // A port without a row carries nothing.
        let carried = |port: usize| inputs.get(port).and_then(|row| row.get(lane)).copied().unwrap_or(0.0);
        let inputs: LaneValues = (0..p.inputs.len()).map(carried).collect();
        let parameters = self.lane_parameters(lane);
        let time = k as f64 * self.dt;
        let values =
            Values { states: &states, parameters: &parameters, inputs: &inputs, time: Some(time), ..Values::default() };
        let broken = |roots: &[Id]| -> Vec<bool> {
            let mut found: LaneValues = smallvec![0.0; roots.len()];
            Tape::new(&p.graph, roots).evaluate(&values, &mut found);
            found.iter().map(|v| !v.is_finite()).collect()
        };
        // The first broken expression with a name among those that a root is made of: nodes stand behind theirs.
        let inner = |root: Id| {
            let (read, named) = (p.graph.reachable(&[root]), broken(&p.subexpression_ids));
            let inner = (0..named.len()).filter(|&s| named[s] && read[p.subexpression_ids[s].index()]);
            inner.min_by_key(|&s| p.subexpression_ids[s])
        };
        if lost.is_empty() {
            let Some((_, what)) = self.undefined.filter(|u| u.0 as usize == lane) else { return Blame::Unfollowed };
            // After the expressions that have names and the rates of the states.
            let (root, number) = match what {
                Undefined::Threshold => (p.threshold.map(|t| t.condition), 0),
                Undefined::Refractory => (p.refractory, 1),
            };
            let named = root.and_then(inner);
            return Blame::Expression(named.unwrap_or(p.subexpressions.len() + p.drift.len() + number));
        }
        let rates = broken(&p.drift);
        if let Some(rate) = lost.iter().copied().find(|&i| rates[i]) {
            return Blame::Expression(inner(p.drift[rate]).unwrap_or(p.subexpressions.len() + rate));
        }
        let reads_lost = |i: usize| {
            let other = |s: Symbol| matches!(s, Symbol::State(j) if j as usize != i && lost.contains(&(j as usize)));
            p.graph.depends(p.drift[i], other)
        };
        Blame::State(lost.iter().copied().find(|&i| !reads_lost(i)).unwrap_or(state))
    }
}
