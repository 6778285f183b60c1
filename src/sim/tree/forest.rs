//! Many cells of one morphology, a few at a time: so many that their values fill vectors, so few that they stay in the
//! cache.

use std::ops::Range;

use smallvec::SmallVec;

use super::{Tree, TreeProbe};
use crate::body::Blame;
use crate::stepper::LaneSpike;
use spikedeck_scenario::VariableId;

/// Cells that are stepped side by side: a vector of the widest instruction set, or half of it where that would not stay
/// in the cache.
pub(crate) fn together(units: usize) -> usize {
    /// Units, times cells, whose values stay near.
    const NEAR: usize = 4096;
    if 8 * units <= NEAR { 8 } else { 4 }
}

/// A part of what a port carries to all units; nothing if it carries nothing.
fn part(row: &[f64], range: Range<usize>) -> &[f64] {
    if row.is_empty() { row } else { &row[range] }
}

/// The cells of a population that one thread holds: one at least.
#[derive(Debug)]
pub(crate) struct Forest {
    trees: Vec<Tree>,
    /// Cells of a tree.
    together: usize,
    /// Units of a cell, and places of a cell of its watched threshold.
    units: usize,
    watched: usize,
    spikes: Vec<LaneSpike>,
    drive: Drive,
}

/// What drives cells during a row of steps, where few of their units are driven.
#[derive(Debug)]
struct Drive {
    /// For each input port the units that are driven, of those of this thread.
    ports: Vec<Vec<u32>>,
    /// Their values, step by step, port by port.
    values: Vec<f64>,
    /// What each port carries to the units of one tree.
    rows: Vec<Vec<f64>>,
}

impl Drive {
    /// Which of a port's driven units are in a range.
    fn within(&self, range: &Range<usize>) -> SmallVec<[Range<usize>; 8]> {
        let place = |units: &[u32], end: usize| units.partition_point(|u| (*u as usize) < end);
        self.ports.iter().map(|units| place(units, range.start)..place(units, range.end)).collect()
    }

    /// Lets the rows be those of the driven units of a tree, whose first unit is `first`, at the step of number `step`,
    /// or zeros again.
    fn show(&mut self, driven: &[Range<usize>], first: usize, step: Option<usize>) {
        let width: usize = self.ports.iter().map(Vec::len).sum();
        let mut at = step.unwrap_or(0) * width;
        for ((units, row), driven) in self.ports.iter().zip(&mut self.rows).zip(driven) {
            for k in driven.clone() {
                row[units[k] as usize - first] = if step.is_some() { self.values[at + k] } else { 0.0 };
            }
            at += units.len();
        }
    }
}

/// What arrives at some of `all` cells: as many numbers for each.
fn own_arrivals<'a>(arrivals: &'a mut [&mut [f64]], cells: Range<usize>, all: usize) -> Vec<&'a mut [f64]> {
    let mut own = Vec::with_capacity(arrivals.len());
    for row in arrivals {
        let each = row.len() / all.max(1);
        own.push(&mut row[cells.start * each..cells.end * each]);
    }
    own
}

impl Forest {
    /// From trees of [`together`] cells each, the last of what is left.
    /// `driven`: for each input port the units of this thread that something drives, in ascending order.
    pub fn new(trees: Vec<Tree>, units: usize, watched: usize, driven: Vec<Vec<u32>>) -> Self {
        let together = together(units);
        let rows = driven.iter().map(|list| vec![0.0; if list.is_empty() { 0 } else { together * units }]).collect();
        let drive = Drive { ports: driven, values: Vec::new(), rows };
        Self { trees, together, units, watched, spikes: Vec::new(), drive }
    }

    /// Its trees: nothing else of it outlasts a row of steps.
    pub(super) fn trees(&mut self) -> &mut [Tree] {
        let Self { trees, together: _, units: _, watched: _, spikes: _, drive: _ } = self;
        trees
    }

    /// Units of a cell, and places of a cell of its watched threshold.
    pub fn each_cell(&self) -> [usize; 2] {
        [self.units, self.watched]
    }

    /// Whether so few units are driven that it is cheap to note with what, for many steps.
    pub fn is_driven_at_few(&self) -> bool {
        let cells: usize = self.trees.iter().map(Tree::cells).sum();
        self.drive.ports.iter().map(Vec::len).sum::<usize>() <= cells * self.units / 16
    }

    /// Notes what the ports carry in one more step of those that [`Forest::advance_many`] will make.
    pub fn note(&mut self, inputs: &[&[f64]]) {
        for (units, row) in self.drive.ports.iter().zip(inputs) {
            self.drive.values.extend(units.iter().map(|&u| row[u as usize]));
        }
    }

    /// Makes the steps that were noted, one tree after the other, with resets; appends who spiked in which step, tree
    /// by tree. No event arrives.
    pub fn advance_many(&mut self, steps: Range<u64>, fired: &mut Vec<(u64, LaneSpike)>) {
        let mut first = 0;
        for tree in &mut self.trees {
            let cells = tree.cells();
            let units = first * self.units..(first + cells) * self.units;
            let driven = self.drive.within(&units);
            for (number, step) in steps.clone().enumerate() {
                self.drive.show(&driven, units.start, Some(number));
                let inputs: SmallVec<[&[f64]; 8]> =
                    self.drive.rows.iter().map(|row| part(row, 0..units.len())).collect();
                self.spikes.clear();
                tree.advance(step, &inputs, &mut [], &mut self.spikes);
                if !self.spikes.is_empty() {
                    fired.extend(
                        self.spikes
                            .iter()
                            .map(|s| (step, LaneSpike { lane: s.lane + (first * self.watched) as u32, ..*s })),
                    );
                    tree.reset(step, &self.spikes);
                }
            }
            self.drive.show(&driven, units.start, None);
            first += cells;
        }
        self.drive.values.clear();
    }

    /// One step of all cells; see `Stepper::advance`.
    pub fn advance(&mut self, step: u64, inputs: &[&[f64]], arrivals: &mut [&mut [f64]], spikes: &mut Vec<LaneSpike>) {
        if let [tree] = &mut self.trees[..] {
            tree.advance(step, inputs, arrivals, spikes);
            return;
        }
        let all: usize = self.trees.iter().map(Tree::cells).sum();
        let mut first = 0;
        for tree in &mut self.trees {
            let cells = tree.cells();
            let units = first * self.units..(first + cells) * self.units;
            let own: Vec<&[f64]> = inputs.iter().map(|row| row.get(units.clone()).unwrap_or(&[])).collect();
            let mut arriving = own_arrivals(arrivals, first..first + cells, all);
            self.spikes.clear();
            tree.advance(step, &own, &mut arriving, &mut self.spikes);
            spikes.extend(self.spikes.iter().map(|s| LaneSpike { lane: s.lane + (first * self.watched) as u32, ..*s }));
            first += cells;
        }
    }

    /// Adds what arrives without delay before `step` begins.
    pub fn deliver_before(&mut self, step: u64, arrivals: &mut [&mut [f64]]) {
        let all: usize = self.trees.iter().map(Tree::cells).sum();
        let mut first = 0;
        for tree in &mut self.trees {
            let cells = tree.cells();
            let mut arriving = own_arrivals(arrivals, first..first + cells, all);
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
            act(&mut self.trees[index as usize], &self.spikes);
        }
    }

    /// An observer of a quantity of the population.
    pub fn probe(&self, variable: VariableId) -> TreeProbe {
        self.trees[0].probe(variable)
    }

    /// Appends the values at grid point `step` for units of this thread.
    pub fn sample(&mut self, probe: &TreeProbe, step: u64, inputs: &[&[f64]], units: &[u32], out: &mut Vec<f64>) {
        let per_tree = self.together * self.units;
        let mut at = 0;
        while at < units.len() {
            let index = units[at] as usize / per_tree;
            let first = index * per_tree;
            let end = units[at..].iter().position(|u| *u as usize / per_tree != index).map_or(units.len(), |n| at + n);
            let tree = &mut self.trees[index];
            let range = first..first + tree.cells() * self.units;
            let own: Vec<&[f64]> = inputs.iter().map(|row| part(row, range.clone())).collect();
            let local: Vec<u32> = units[at..end].iter().map(|u| u - first as u32).collect();
            tree.sample(probe, step, &own, &local, out);
            at = end;
        }
    }

    /// See [`Tree::blame`].
    pub fn blame(&self, unit: u32, state: usize, k: u64, inputs: &[&[f64]]) -> (u32, Blame) {
        let per_tree = self.together * self.units;
        let index = unit as usize / per_tree;
        let (first, tree) = (index * per_tree, &self.trees[index]);
        let range = first..first + tree.cells() * self.units;
        let own: Vec<&[f64]> = inputs.iter().map(|row| part(row, range.clone())).collect();
        let (unit, blame) = tree.blame(unit - first as u32, state, k, &own);
        (unit + first as u32, blame)
    }

    /// Whether all states are finite.
    pub fn all_finite(&self) -> bool {
        self.trees.iter().all(Tree::all_finite)
    }

    /// The first unit and state that is not finite.
    pub fn not_finite(&self) -> Option<(u32, usize)> {
        let per_tree = (self.together * self.units) as u32;
        self.trees
            .iter()
            .enumerate()
            .find_map(|(k, t)| t.not_finite().map(|(unit, state)| (unit + k as u32 * per_tree, state)))
    }
}
