//! What arrives at a group from other units: connections of event and continuous projections, with those that change.

use std::ops::Range;

use crate::coupling::Coupling;
use crate::delivery::Table;
use crate::failure::{Broken, Failure};
use crate::plasticity::{ConnectionSampler, Diverged, Plastic};
use crate::recorder::EpochRecord;
use spikedeck_scenario::ProjectionId;

/// An event projection into one group.
#[derive(Debug)]
pub(crate) struct EventInput {
    pub projection: ProjectionId,
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
pub(crate) struct PlasticInput {
    pub plastic: Plastic,
    /// The projection.
    pub projection: ProjectionId,
    /// Index of the target population's spikes in the outboxes, and what they are to the connections here.
    pub to: usize,
    pub heard: Heard,
    pub samplers: Vec<ConnectionSampler>,
    /// Whether its weights are written at the end.
    pub written: bool,
}

/// How spikes of a population are heard by the connections into this thread's lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Each unit by its own connections.
    Units(Range<u32>),
    /// On trees by all connections into the cell: the cells, how many places of each spike (the first speaks for the
    /// cell), and at how many something arrives.
    Cells { cells: Range<u32>, spiking: u32, places: u32 },
}

impl Heard {
    /// How many lanes hear.
    pub fn len(&self) -> usize {
        match self {
            Self::Units(range) => range.len(),
            Self::Cells { cells, places, .. } => cells.len() * *places as usize,
        }
    }

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
    pub fn sample(&mut self, at: u64, record: &mut EpochRecord) {
        let Some(PlasticInput { plastic, samplers, .. }) = &mut self.plastic else { return };
        for sampler in samplers.iter().filter(|t| at.is_multiple_of(t.every)) {
            sampler.sample(at, plastic, &self.table, &mut record.traces[sampler.trace.index()]);
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

/// When within a step what a continuous projection brings is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looked {
    /// At its beginning: it is held over the step.
    AtTheBeginning,
    /// In every stage of the scheme.
    InStages,
    /// At its end: it is solved for.
    AtTheEnd,
}

/// A continuous projection into one group.
#[derive(Debug)]
pub(crate) struct ContinuousInput {
    pub projection: ProjectionId,
    pub coupling: Coupling,
    pub looked: Looked,
    pub to: usize,
    pub port: usize,
    /// How its connections change.
    pub plastic: Option<LearningInput>,
}

/// What is looked at of a continuous projection whose connections change.
#[derive(Debug)]
pub(crate) struct LearningInput {
    /// The projection.
    pub projection: ProjectionId,
    pub samplers: Vec<ConnectionSampler>,
    /// Whether its weights are written at the end.
    pub written: bool,
}
