//! Which lanes of a population a thread has, and what they are to those that end there.

use std::ops::Range;

use crate::group::Group;
use crate::worker::Heard;
use spikedeck_scenario::{EventId, PopulationId, PopulationSpec, Port};

/// The lanes of thread `index` of a population: whole cells of a tree, all cells of a grid on one thread, and otherwise
/// equal shares in whole vectors of 16.
pub(super) fn lanes(population: &PopulationSpec, p: PopulationId, index: usize, threads: usize) -> Range<usize> {
    if let Some(tree) = &population.tree {
        let cells = equal_share(tree.cells, 4, index, threads);
        return cells.start * tree.units()..cells.end * tree.units();
    }
    // Operators of space reach across all cells, so these stay on one thread.
    let whole = !population.system.operators().is_empty();
    if whole {
        0..if p.index() % threads == index { population.size } else { 0 }
    } else {
        equal_share(population.size, 16, index, threads)
    }
}

/// The share of thread `index` of `threads`, in whole vectors of `width`.
fn equal_share(size: usize, width: usize, index: usize, threads: usize) -> Range<usize> {
    let edge = |w: usize| if w == threads { size } else { (size * w / threads).next_multiple_of(width).min(size) };
    edge(index)..edge(index + 1)
}

/// What a port numbers on this thread: units, but on a tree the compartments that carry a receptor.
pub(super) fn port_range(population: &PopulationSpec, port: Port, group: &Group) -> Range<u32> {
    let (first, lanes) = (group.first, group.lanes as u32);
    match (&population.tree, port) {
        (Some(tree), Port::Event(e)) => {
            let (units, slots) = (tree.units() as u32, tree.slots[e.index()].len() as u32);
            first / units * slots..(first + lanes) / units * slots
        }
        _ => first..first + lanes,
    }
}

/// How spikes of a population are heard by connections into `range` of what arrives at an event port.
pub(super) fn heard(population: &PopulationSpec, port: EventId, range: Range<u32>) -> Heard {
    let Some(tree) = &population.tree else { return Heard::Units(range) };
    let (spiking, places) = (tree.spiking.len().max(1) as u32, tree.slots[port.index()].len().max(1) as u32);
    Heard::Cells { cells: range.start / places..range.end / places, spiking, places }
}
