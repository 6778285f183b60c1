//! Many cells of one morphology, a few at a time: so many that their values fill vectors, so few that they stay in the cache.

use super::{Tree, TreeProbe};
use crate::sim::stepper::LaneSpike;

/// Cells that are stepped side by side: a vector of the widest instruction set, or half of it where that would not stay in the cache.
pub(in crate::sim) fn together(units: usize) -> usize {
    /// Units, times cells, whose values stay near.
    const NEAR: usize = 4096;
    if 8 * units <= NEAR { 8 } else { 4 }
}

/// The cells of a population that one thread holds.
#[derive(Debug)]
pub(in crate::sim) struct Forest {
    trees: Vec<Tree>,
    /// Cells of a tree.
    together: usize,
    /// Units of a cell, and places of a cell at each event port and of its watched threshold.
    units: usize,
    slots: Vec<usize>,
    watched: usize,
    spikes: Vec<LaneSpike>,
}

impl Forest {
    /// From trees of [`together`] cells each, the last of what is left.
    pub fn new(trees: Vec<Tree>, units: usize, slots: Vec<usize>, watched: usize) -> Self {
        Self { trees, together: together(units), units, slots, watched, spikes: Vec::new() }
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

    /// Adds what arrives without delay before `step` begins.
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

    /// See [`Tree::each_state`].
    pub fn each_state(&mut self, spikes: &[LaneSpike], act: &mut dyn FnMut(&mut f64)) {
        self.each(spikes, |tree, own| tree.each_state(own, act));
    }

    /// Applies the reset at the places that spiked.
    pub fn reset(&mut self, step: u64, spikes: &[LaneSpike]) {
        self.each(spikes, |tree, own| tree.reset(step, own));
    }

    /// Hands each tree its own spikes, of those that are in order.
    fn each(&mut self, spikes: &[LaneSpike], mut act: impl FnMut(&mut Tree, &[LaneSpike])) {
        let per_tree = (self.together * self.watched) as u32;
        for list in spikes.chunk_by(|a, b| a.lane / per_tree == b.lane / per_tree) {
            let index = list[0].lane / per_tree;
            self.spikes.clear();
            self.spikes.extend(list.iter().map(|s| LaneSpike { lane: s.lane - index * per_tree, ..*s }));
            if let Some(tree) = self.trees.get_mut(index as usize) {
                act(tree, &self.spikes);
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
        let per_tree = self.together * self.units;
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
        let per_tree = (self.together * self.units) as u32;
        self.trees.iter().enumerate().find_map(|(k, t)| t.not_finite().map(|(unit, state)| (unit + k as u32 * per_tree, state)))
    }
}
