//! A value that is not finite: where and when it came about.

use spikedeck_scenario::{PopulationId, ProjectionId};

/// A value that is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Failure {
    /// Grid point at which it came about, as far as that is known.
    pub step: u64,
    pub place: Broken,
    /// Unit, or target of the connection.
    pub unit: u32,
    /// State of the unit, or number among the values of the connection (0 is the weight).
    pub state: usize,
}

impl Failure {
    /// Keeps the earliest of all that are noticed.
    pub fn note(kept: &mut Option<Self>, new: Option<Self>) {
        *kept = match (*kept, new) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// Where a value is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Broken {
    /// A population.
    Population(PopulationId),
    /// A connection of a projection, from this source.
    Connection { projection: ProjectionId, source: u32 },
}
