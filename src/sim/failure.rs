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
    /// State, input port or event port of the unit, or number among the values of the connection (0 is the weight).
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

/// Where a value is not finite; of what is noticed at one grid point the first of these is the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Broken {
    /// What a stimulus brings to a population.
    Stimulus { stimulus: u32, population: PopulationId },
    /// A parameter that a stimulus drives out of the range that its model declares.
    Range { stimulus: u32, population: PopulationId },
    /// The rate at which events of a stimulus arrive at a population.
    Events { stimulus: u32, population: PopulationId },
    /// A connection of a projection, from this source.
    Connection { projection: ProjectionId, source: u32 },
    /// What continuous projections bring to a population.
    Arriving(PopulationId),
    /// An expression of the equations, where the states are finite: by its number among those that have names, or that
    /// of a state's rate after them, then the threshold and the time at rest.
    Expression(PopulationId),
    /// A state of a population, which grew.
    Population(PopulationId),
    /// A step of a population that a scheme which adapts inside it could not do.
    Unfollowed(PopulationId),
}
