//! What arrives at a group from other units: connections of event and continuous projections, with those that change.

use std::ops::Range;

use super::coupling::Coupling;
use super::delivery::Table;
use super::plasticity::{ConnectionTap, Diverged, Plastic};
use super::recorder::Take;
use super::worker::Outbox;
use spikedeck_scenario::{PopulationId, ProjectionId};

/// An event projection into one group.
#[derive(Debug)]
pub(super) struct EventInput {
    pub table: Table,
    /// Index of the group, and its event port.
    pub to: usize,
    pub port: usize,
    /// First target: a unit, or on trees a place at which something arrives.
    pub first: u32,
    /// Index of the source population's spikes in the outboxes.
    pub from: usize,
    /// How its connections change.
    pub plastic: Option<PlasticInput>,
}

/// Connections that change.
#[derive(Debug)]
pub(super) struct PlasticInput {
    pub plastic: Plastic,
    /// The projection.
    pub projection: ProjectionId,
    /// Index of the target population's spikes in the outboxes, and what they are to the connections here.
    pub to: usize,
    pub heard: Heard,
    pub taps: Vec<ConnectionTap>,
    /// Whether its weights are written at the end.
    pub written: bool,
}

/// How spikes of a population are heard by the connections into this thread's lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// Each unit by its own connections.
    Units(Range<u32>),
    /// On trees by all connections into the cell: the cells, how many places of each spike (the first speaks for the
    /// cell), and at how many something arrives.
    Cells { cells: Range<u32>, spiking: u32, places: u32 },
}

impl Heard {
    /// Makes what spiked into lanes.
    pub fn lanes(&self, spikes: &mut Vec<u32>) {
        match self {
            Self::Units(range) => {
                spikes.retain(|u| range.contains(u));
                for u in spikes.iter_mut() {
                    *u -= range.start;
                }
            }
            Self::Cells { cells, spiking, places } => {
                spikes.retain(|u| u % spiking == 0 && cells.contains(&(u / spiking)));
                *spikes = spikes
                    .iter()
                    .flat_map(|u| (0..*places).map(move |p| (u / spiking - cells.start) * places + p))
                    .collect();
            }
        }
    }
}

impl EventInput {
    /// Records what is due at grid point `at`.
    pub fn sample(&mut self, at: u64, take: &mut Take) {
        let Some(PlasticInput { plastic, taps, .. }) = &mut self.plastic else { return };
        for tap in taps.iter().filter(|t| at.is_multiple_of(t.every)) {
            tap.sample(at, plastic, &self.table, &mut take.traces[tap.trace.index()]);
        }
    }

    /// A value of a connection that has become no finite number.
    pub fn failure(&self) -> Option<Failure> {
        let plastic = self.plastic.as_ref()?;
        let Diverged { step, source, lane, value } = plastic.plastic.failed?;
        let place = Broken::Connection { projection: plastic.projection, source };
        Some(Failure { step, place, unit: self.first + lane, state: value })
    }
}

/// Units of all threads that spiked in a step of the interval.
pub(super) fn gather(outboxes: &[&Outbox], emitter: usize, step: usize, to: &mut Vec<u32>) {
    to.clear();
    for outbox in outboxes {
        let (units, ends) = &outbox.spikes[emitter];
        // A thread that holds no lane of the population says nothing.
        if ends.is_empty() {
            continue;
        }
        let from = if step == 0 { 0 } else { ends[step - 1] as usize };
        to.extend_from_slice(&units[from..ends[step] as usize]);
    }
}

/// A continuous projection into one group.
#[derive(Debug)]
pub(super) struct ContinuousInput {
    pub coupling: Coupling,
    pub to: usize,
    pub port: usize,
    /// How its connections change.
    pub plastic: Option<LearningInput>,
}

/// What is looked at of a continuous projection whose connections change.
#[derive(Debug)]
pub(super) struct LearningInput {
    /// The projection.
    pub projection: ProjectionId,
    pub taps: Vec<ConnectionTap>,
    /// Whether its weights are written at the end.
    pub written: bool,
}

/// Weights at the end: projection, then source, target and weight in the order of the table.
pub(super) type Finals = Vec<(ProjectionId, Vec<(u32, u32, f64)>)>;

/// A value that is not finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Failure {
    /// Grid point at which it came about, as far as that is known.
    pub step: u64,
    pub place: Broken,
    /// Unit, or target of the connection.
    pub unit: u32,
    /// State or input port of the unit, or number among the values of the connection (0 is the weight).
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
    /// What continuous projections bring to a population.
    Arriving(PopulationId),
    /// An expression of the equations, where the states are finite: by its number among those that have names, or that
    /// of a state's rate after them.
    Expression(PopulationId),
    /// A state of a population, which grew.
    Population(PopulationId),
    /// A connection of a projection, from this source.
    Connection { projection: ProjectionId, source: u32 },
}
