//! The resolved scenario: what `sim`, `analysis` and `run` work from. Values are SI; names are checked; nothing is left
//! to look up.

mod ends;
mod ids;
mod integrator;
mod measure;
mod network;
mod plasticity;
mod stimulus;
mod tree;

pub use ends::*;
pub use ids::*;
pub use integrator::*;
pub use measure::*;
pub use network::*;
pub use plasticity::*;
pub use stimulus::*;
pub use tree::*;

use std::path::PathBuf;
use std::sync::Arc;

use crate::catalog::RunTimes;
use crate::files::FileUse;
use crate::language::words;
use spikedeck_core::rng::Key;
use spikedeck_signal::{Population, Recording, TimeBase};

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
    /// Recordings that stand beside what is simulated, in the order of the file.
    pub recordings: Vec<RecordingSpec>,
    /// Analyses in the order of the file.
    pub analyses: Vec<AnalysisSpec>,
    /// Expectations.
    pub expect: Vec<Expect>,
    /// Names of the variants that the file offers.
    pub variants: Vec<String>,
    /// Sweep, if any.
    pub sweep: Option<Sweep>,
    /// Trials, if any.
    pub trials: Option<Trials>,
    /// Hash of everything that decides the result: SHA-256 of `canonical`, hexadecimal.
    pub hash: String,
    /// Everything that decides the result as canonical JSON, see [`crate::identity`]; empty until
    /// [`crate::identify`] has written it.
    pub canonical: Arc<str>,
    /// The scenario as written.
    pub source: Arc<str>,
    /// Overrides (`--set`, variant, sweep point) in the order applied: path and TOML value text.
    pub overrides: Vec<(String, String)>,
    /// Where the file is (none for built-in scenarios).
    pub path: Option<PathBuf>,
    /// Other files that were read for it.
    pub files: Vec<FileUse>,
    /// What reading it warned of: stands with a run's own warnings.
    pub warnings: Vec<String>,
}

impl Spec {
    /// What it is called: `NAME`, or `NAME:VARIANT`.
    pub fn label(&self) -> String {
        self.variant.as_ref().map_or_else(|| self.name.clone(), |variant| format!("{}:{variant}", self.name))
    }

    /// The population of a handle.
    pub fn population(&self, id: PopulationId) -> &PopulationSpec {
        &self.populations[id.index()]
    }

    /// The projection of a handle.
    pub fn projection(&self, id: ProjectionId) -> &ProjectionSpec {
        &self.projections[id.index()]
    }

    /// All populations with their handles.
    pub fn population_ids(&self) -> impl Iterator<Item = (PopulationId, &PopulationSpec)> {
        self.populations.iter().enumerate().map(|(i, p)| (PopulationId::new(i), p))
    }

    /// All projections with their handles.
    pub fn projection_ids(&self) -> impl Iterator<Item = (ProjectionId, &ProjectionSpec)> {
        self.projections.iter().enumerate().map(|(i, p)| (ProjectionId::new(i), p))
    }

    /// The population that a record or a subject is of; none where it is of a projection, or of a recording.
    pub fn population_at(&self, place: Place) -> Option<&PopulationSpec> {
        self.populations.get(place.population()?.index())
    }

    /// The name that a recording has for what a record or a subject is of.
    pub fn place_name(&self, place: Place) -> &str {
        match place {
            Place::Population(id) => {
                let beside = self.beside().map(|p| &p.name);
                let name = self.populations.iter().map(|p| &p.name).chain(beside).nth(id.index());
                name.expect("handles are of populations and of what stands beside them")
            }
            Place::Projection(id) => &self.projection(id).name,
        }
    }

    /// The populations of recordings, which follow those of the scenario.
    pub fn beside(&self) -> impl Iterator<Item = &Population> {
        self.recordings.iter().flat_map(|r| &r.populations)
    }

    /// What was simulated, with the recordings of the scenario beside it.
    #[must_use]
    pub fn with_recordings(&self, mut recording: Recording) -> Recording {
        for own in &self.recordings {
            recording.populations.extend(own.populations.iter().cloned());
            recording.spikes.extend(own.spikes.iter().cloned());
            recording.traces.extend(own.traces.iter().cloned());
            recording.trial_times.extend(own.trials.clone());
        }
        recording
    }

    /// Everything that is recorded as a trace, in the order in which a recording holds it.
    pub fn recorded(&self) -> impl Iterator<Item = Recorded<'_>> {
        let requests = self.records.iter().flat_map(|r| r.traces.iter().map(|t| (r.place, t)));
        let variables = requests.flat_map(|(place, t)| t.variables.iter().map(move |v| (place, t, v)));
        variables.enumerate().map(|(i, (place, request, variable))| Recorded {
            id: TraceId::new(i),
            place,
            request,
            variable,
        })
    }
}

words! {
    /// How spike times are found.
    #[derive(Default)]
    pub enum SpikeTimes {
        /// the end of the step in which the threshold is crossed, at which the value that crossed is recorded
        #[default]
        Grid = "grid",
        /// interpolation inside the step, what comes back in it unseen; recorded is the state after the reset
        Interpolated = "interpolated",
        /// closed-form crossing (linear models), also of what comes back in the step; recorded as `interpolated`
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
    /// Seeds of what is drawn, each the seed where the file does not say another.
    pub seeds: Seeds,
    /// Which trial of one network: noise is drawn anew in each.
    pub trial: u64,
    /// Memory budget in bytes, if the file sets one.
    pub memory: Option<u64>,
    /// How spike times are found.
    pub spike_times: SpikeTimes,
    /// Whether the run is repeated at half the step.
    pub check_halve_dt: bool,
}

/// Seeds of the parts of what is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    /// Of connections with their weights and delays.
    pub wiring: u64,
    /// Of parameters and initial values.
    pub values: u64,
    /// Of noise, and of stimuli that are drawn.
    pub noise: u64,
}

impl Seeds {
    /// One seed for all.
    pub const fn all(seed: u64) -> Self {
        Self { wiring: seed, values: seed, noise: seed }
    }
}

impl Simulation {
    /// The seed that noise is drawn with: that of its part in the first trial, and another in each further one.
    pub fn noise_seed(&self) -> u64 {
        if self.trial == 0 {
            return self.seeds.noise;
        }
        let [low, high] = Key::new(self.seeds.noise, "simulation.trial", &self.trial.to_string()).0;
        u64::from(high) << 32 | u64::from(low)
    }

    /// Its times.
    pub fn times(&self) -> RunTimes {
        RunTimes {
            base: self.time_base,
            dt: self.dt,
            duration: self.steps as f64 * self.dt,
            transient: self.transient_steps as f64 * self.dt,
        }
    }
}
