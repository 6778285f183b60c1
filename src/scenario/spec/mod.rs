//! The resolved scenario: what `sim`, `analysis` and `run` work from. Values are SI; names are checked; nothing is left
//! to look up.

mod measure;
mod network;
mod plasticity;
mod stimulus;
mod tree;

pub use measure::*;
pub use network::*;
pub use plasticity::*;
pub use stimulus::*;
pub use tree::*;

use std::path::PathBuf;
use std::sync::Arc;

use crate::language::words;
use spikedeck_signal::TimeBase;

/// A resolved scenario.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Name: the file's stem.
    pub name: String,
    /// Variant, if one was chosen.
    pub variant: Option<String>,
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// References with DOI.
    pub references: Vec<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Time, step, seed.
    pub simulation: Simulation,
    /// Populations in the order of the file.
    pub populations: Vec<PopulationSpec>,
    /// Projections in the order of the file.
    pub projections: Vec<ProjectionSpec>,
    /// Stimuli in the order of the file.
    pub stimuli: Vec<StimulusSpec>,
    /// What is recorded, one entry a population that records something.
    pub records: Vec<RecordSpec>,
    /// Analyses in the order of the file.
    pub analyses: Vec<AnalysisSpec>,
    /// Expectations.
    pub expect: Vec<Expect>,
    /// Names of the variants that the file offers.
    pub variants: Vec<String>,
    /// Sweep, if any.
    pub sweep: Option<Sweep>,
    /// Hash of everything that decides the result (hexadecimal SHA-256).
    pub hash: String,
    /// The scenario as written.
    pub source: Arc<str>,
    /// Overrides (`--set`, variant, sweep point) in the order applied: path and TOML value text.
    pub overrides: Vec<(String, String)>,
    /// Where the file is (none for built-in scenarios).
    pub path: Option<PathBuf>,
}

impl Spec {
    /// The name that a recording has for what a record or a subject calls `index`: populations first, projections after
    /// them.
    pub fn place_name(&self, index: usize) -> &str {
        let projection = || self.projections.get(index.checked_sub(self.populations.len())?).map(|p| p.name.as_str());
        self.populations.get(index).map(|p| p.name.as_str()).or_else(projection).unwrap_or("")
    }
}

words! {
    /// How spike times are found.
    #[derive(Default)]
    pub enum SpikeTimes {
        /// the end of the step in which the threshold is crossed
        #[default]
        Grid = "grid",
        /// linear interpolation inside the step
        Interpolated = "interpolated",
        /// closed-form crossing (linear models)
        Exact = "exact",
    }
}

/// `[simulation]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulation {
    /// Milliseconds, or plain numbers for dimensionless systems.
    pub time_base: TimeBase,
    /// Step in seconds (or time units).
    pub dt: f64,
    /// Number of steps.
    pub steps: u64,
    /// Steps left out of every analysis.
    pub transient_steps: u64,
    /// Seed.
    pub seed: u64,
    /// Memory budget in bytes, if the file sets one.
    pub memory: Option<u64>,
    /// How spike times are found.
    pub spike_times: SpikeTimes,
    /// Whether the run is repeated at half the step.
    pub check_halve_dt: bool,
    /// Integrator for all populations that do not name one.
    pub integrator: Option<String>,
}
