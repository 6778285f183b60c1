//! Exchanges within a step, where continuous coupling is a part of it: after each stage of a scheme, or once where a
//! coupling is solved for.

use super::{Looked, Worker};
use crate::coupling::History;
use crate::joint::Joint;

/// Values of some lanes, and the first unit.
pub(crate) type Row = (usize, Vec<f64>);

/// What is exchanged within a step.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    /// How many exchanges a step has.
    pub count: usize,
    /// Values of what is looked at, history by history, at the current stage.
    pub seen: Vec<History>,
    /// What is solved for, if something is.
    pub joint: Option<Joint>,
    /// What the current round tells the others: history by history, or part by part of what is solved for.
    pub told: Vec<Row>,
}

impl Rounds {
    /// So many exchanges a step of what stands in histories of these sizes.
    pub fn new(count: usize, sizes: impl Iterator<Item = usize>, joint: Option<Joint>) -> Self {
        let seen: Vec<History> = sizes.map(|size| History::new(size, 0)).collect();
        let told = vec![(0, Vec::new()); joint.as_ref().map_or(seen.len(), |j| j.parts.len())];
        Self { count, seen, joint, told }
    }
}

impl Worker {
    /// What this thread has to tell in round `round` of step `k`.
    pub fn foresee(&mut self, k: u64, round: usize) {
        if let Some(joint) = self.rounds.joint.take() {
            // The step without what is to be solved for.
            let coupled: Vec<bool> =
                self.groups.iter().map(|g| joint.parts.iter().any(|p| p.population == g.population)).collect();
            let here = |index: usize, _: &Self| coupled[index].then_some(0.0);
            self.drive(k, here);
            for (part, told) in joint.parts.iter().zip(&mut self.rounds.told) {
                told.1.clear();
                if let Some(group) = self.groups.iter_mut().find(|g| g.population == part.population) {
                    group.foresee(k, part.state, &part.answers, told);
                }
            }
            self.rounds.joint = Some(joint);
            return;
        }
        for group in &mut self.groups {
            // The last stage of a step waits for its inputs.
            if round + 1 < group.body.stages() {
                group.stage(k, round);
            }
            group.publish_stage(k, &mut self.rounds.told);
        }
    }

    /// Takes in what a thread told in a round.
    pub fn hear(&mut self, told: &[Row]) {
        let Rounds { joint, seen, .. } = &mut self.rounds;
        if let Some(joint) = joint {
            for (part, (first, values)) in told.iter().enumerate() {
                joint.take(part, *first, values);
            }
            return;
        }
        for (history, (first, values)) in seen.iter_mut().zip(told) {
            history.row_mut(0)[*first..*first + values.len()].copy_from_slice(values);
        }
    }

    /// The inputs of what follows round `round` of step `k`: of the next stage, or of the step itself.
    pub fn couple(&mut self, k: u64, round: usize) {
        if let Some(mut joint) = self.rounds.joint.take() {
            joint.solve();
            for (index, part) in joint.parts.iter().enumerate().filter(|(_, p)| p.port != usize::MAX) {
                if let Some(group) = self.groups.iter_mut().find(|g| g.population == part.population) {
                    let first = group.first as usize;
                    joint.bring(index, first, &mut group.inputs[part.port].total);
                }
            }
            self.rounds.joint = Some(joint);
            return;
        }
        self.drive(k, |index, worker| {
            let body = &worker.groups[index].body;
            (round + 1 < body.stages()).then(|| body.stage_at(round + 1))
        });
        // The last stage of a step leads to its end.
        for group in self.groups.iter_mut().filter(|g| g.body.stages() == round + 2) {
            group.stage(k, round + 1);
        }
    }

    /// Sums up what drives the groups for which `at` says where in step `k` they stand, but for what is solved for.
    fn drive(&mut self, k: u64, at: impl Fn(usize, &Self) -> Option<f64>) {
        let at: Vec<Option<f64>> = (0..self.groups.len()).map(|index| at(index, self)).collect();
        for (group, _) in self.groups.iter_mut().zip(&at).filter(|g| g.1.is_some()) {
            for port in group.inputs.iter_mut().filter(|p| !p.total.is_empty()) {
                port.total.copy_from_slice(&port.stimulus);
            }
        }
        let Self { continuous_inputs, groups, histories, rounds, axis, .. } = self;
        for input in continuous_inputs {
            let (Some(part), false) = (at[input.to], input.looked == Looked::AtTheEnd) else { continue };
            let staged = input.looked == Looked::InStages;
            let t = axis.seconds(k) + if staged { part * axis.dt } else { 0.0 };
            let values = if staged { &rounds.seen } else { &*histories };
            input.coupling.add(k, t, values, &mut groups[input.to].inputs[input.port].total);
        }
    }
}
