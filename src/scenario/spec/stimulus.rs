//! Resolved stimuli.

use super::ids::PopulationId;
use super::network::{PopulationSpec, Port, Target};
pub use crate::stimulus::*;

/// A stimulus.
#[derive(Debug, Clone, PartialEq)]
pub struct StimulusSpec {
    /// Name; of what a population plays its own, a dot and `spikes`.
    pub name: String,
    /// Where it acts.
    pub target: Target,
    /// Which units; all if empty.
    pub units: Vec<u32>,
    /// What it is; all values SI, times in seconds.
    pub kind: StimulusKind,
}

impl StimulusSpec {
    /// What `population` plays, which is the one of this number.
    pub(crate) fn played(population: &PopulationSpec, number: usize, kind: StimulusKind) -> Self {
        let target = Target { population: PopulationId::new(number), port: Port::Spikes };
        Self { name: format!("{}.spikes", population.name), target, units: Vec::new(), kind }
    }

    /// Where it stands in a scenario. What is drawn for it is keyed by this.
    pub fn path(&self) -> String {
        let table = if self.target.port == Port::Spikes { "populations" } else { "stimuli" };
        format!("{table}.{}", self.name)
    }
}
