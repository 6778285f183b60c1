//! Many cells of one morphology, a few at a time: so many that their values fill vectors, so few that they stay in the cache.

use super::{Tree, TreeProbe};
use crate::sim::stepper::LaneSpike;

/// Cells that are stepped side by side: one vector of the widest instruction set.
pub(in crate::sim) const TOGETHER: usize = 8;

/// The cells of a population that one thread holds.
#[derive(Debug)]
pub(in crate::sim) struct Forest {
    trees: Vec<Tree>,
    /// Units of a cell, and places of a cell at each event port and of its watched threshold.
    units: usize,
    slots: Vec<usize>,
    watched: usize,
    spikes: Vec<LaneSpike>,
}

impl Forest {
    /// From trees of [`TOGETHER`] cells each, the last of what is left.
    pub fn new(trees: Vec<Tree>, units: usize, slots: Vec<usize>, watched: usize) -> Self {
        Self { trees, units, slots, watched, spikes: Vec::new() }
    }

    /// One step of all cells; see `Stepper::advance`.
    pub fn advance(&mut self, step: u64, inputs: &[&[f64]], arrivals: &mut [&mut [f64]], spikes: &mut Vec<LaneSpike>) {
        if let [tree] = &mut self.trees[..] {
            tree.advance(step, inputs, arrivals, spikes);
            return;
        }
        let mut first = 0;
        for tree in &mut self.trees {
            let cells = tree.cells();
            let units = first * self.units..(first + cells) * self.units;
            let own: Vec<&[f64]> = inputs.iter().map(|row| row.get(units.clone()).unwrap_or(&[])).collect();
            let mut arriving: Vec<&mut [f64]> = arrivals
                .iter_mut()
                .zip(&self.slots)
                .map(|(row, slots)| row.get_mut(first * slots..(first + cells) * slots).unwrap_or(&mut []))
                .collect();
            self.spikes.clear();
            tree.advance(step, &own, &mut arriving, &mut self.spikes);
            spikes.extend(self.spikes.iter().map(|s| LaneSpike { lane: s.lane + (first * self.watched) as u32, ..*s }));
            first += cells;
        }
    }

    /// Adds what arrives without delay before a step begins.
    pub fn deliver_before(&mut self, step: u64, arrivals: &mut [&mut [f64]]) {
        let mut first = 0;
        for tree in &mut self.trees {
            let cells = tree.cells();
            let mut arriving: Vec<&mut [f64]> = arrivals
                .iter_mut()
                .zip(&self.slots)
                .map(|(row, slots)| row.get_mut(first * slots..(first + cells) * slots).unwrap_or(&mut []))
                .collect();
            tree.deliver_before(step, &mut arriving);
            first += cells;
        }
    }

    /// Applies the reset at the places that spiked.
    pub fn reset(&mut self, step: u64, spikes: &[LaneSpike]) {
        let per_tree = TOGETHER * self.watched;
        for spike in spikes {
            let index = spike.lane as usize / per_tree;
            let own = LaneSpike { lane: spike.lane - (index * per_tree) as u32, ..*spike };
            if let Some(tree) = self.trees.get_mut(index) {
                tree.reset(step, &[own]);
            }
        }
    }

    /// An observer of anything that has a name.
    ///
    /// # Errors
    /// When there is no such name.
    pub fn probe(&self, variable: &str) -> Result<TreeProbe, String> {
        self.trees.first().map_or_else(|| Err("there are no cells".to_owned()), |t| t.probe(variable))
    }

    /// Appends the values at grid point `step` for units of this thread.
    pub fn sample(&mut self, probe: &TreeProbe, step: u64, inputs: &[&[f64]], units: &[u32], out: &mut Vec<f64>) {
        let per_tree = TOGETHER * self.units;
        let mut at = 0;
        while at < units.len() {
            let index = units[at] as usize / per_tree;
            let first = index * per_tree;
            let end = units[at..].iter().position(|u| *u as usize / per_tree != index).map_or(units.len(), |n| at + n);
            let Some(tree) = self.trees.get_mut(index) else { return };
            let range = first..first + tree.cells() * self.units;
            let own: Vec<&[f64]> = inputs.iter().map(|row| row.get(range.clone()).unwrap_or(&[])).collect();
            let local: Vec<u32> = units[at..end].iter().map(|u| u - first as u32).collect();
            tree.sample(probe, step, &own, &local, out);
            at = end;
        }
    }

    /// All voltages, in no particular order.
    pub fn voltages(&self) -> impl Iterator<Item = &[f64]> {
        self.trees.iter().map(Tree::voltages)
    }

    /// The first unit and state that is not finite.
    pub fn not_finite(&self) -> Option<(u32, usize)> {
        let per_tree = (TOGETHER * self.units) as u32;
        self.trees.iter().enumerate().find_map(|(k, t)| t.not_finite().map(|(unit, state)| (unit + k as u32 * per_tree, state)))
    }
}
