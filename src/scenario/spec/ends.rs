//! The two ends of a projection: how many units each has, and which of them belong to one cell.

use std::ops::Range;

use super::network::{Coupling, PopulationSpec, Port, ProjectionSpec};

/// No cell is connected to itself. Connections are numbered by what spikes and by where something arrives; on a tree a
/// cell has several of both, and their numbers say nothing of each other: only the cell is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Apart {
    /// Sources of one cell.
    pub sources: u32,
    /// Targets of one cell.
    pub targets: u32,
}

impl Apart {
    /// What is kept apart between these ends, if cells of one population are not connected to themselves.
    pub fn between(from: &PopulationSpec, to: &PopulationSpec, port: Port, continuous: bool) -> Self {
        let sources = if continuous { 1 } else { from.tree.as_ref().map_or(1, |t| t.spiking.len()) };
        let targets = match (&to.tree, port) {
            (Some(t), Port::Event(e)) => t.slots[e.index()].len(),
            _ => 1,
        };
        Self { sources: sources as u32, targets: targets as u32 }
    }

    /// The sources of the cell of a target.
    pub fn sources_at(self, target: u32) -> Range<u32> {
        let first = target / self.targets * self.sources;
        first..first + self.sources
    }

    /// The targets of the cell of a source.
    pub fn targets_at(self, source: u32) -> Range<u32> {
        let first = source / self.sources * self.targets;
        first..first + self.targets
    }

    /// Whether the two belong to one cell.
    pub fn same(self, source: u32, target: u32) -> bool {
        source / self.sources == target / self.targets
    }
}

impl ProjectionSpec {
    /// Numbers of sources and targets.
    pub fn ends(&self, populations: &[PopulationSpec]) -> (usize, usize) {
        let from = &populations[self.from.index()];
        let sources = if self.coupling == Coupling::Event { from.sources() } else { from.size };
        (sources, populations[self.to.population.index()].targets(self.to.port))
    }

    /// Which units of both ends are kept apart, if cells are not connected to themselves.
    pub fn apart(&self, populations: &[PopulationSpec]) -> Option<Apart> {
        let (from, to) = (self.from, self.to.population);
        (from == to && !self.autapses).then(|| {
            let continuous = self.coupling != Coupling::Event;
            Apart::between(&populations[from.index()], &populations[to.index()], self.to.port, continuous)
        })
    }
}

/// Number of pairs of sources and targets of different cells.
pub fn pairs(sources: usize, targets: usize, apart: Option<Apart>) -> usize {
    sources.saturating_mul(targets.saturating_sub(apart.map_or(0, |a| a.targets as usize)))
}
