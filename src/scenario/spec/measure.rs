//! Resolved recordings, analyses, expectations, sweeps and trials.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ids::{Place, TraceId, TracedId, VariableId};
use crate::catalog::OptionValue;
use crate::language::words;
use spikedeck_core::units::Dimension;
use spikedeck_equation::Variable;
use spikedeck_signal::{Population, Spikes, Trace, TrialTimes};

/// What is recorded of a population or a projection.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordSpec {
    /// Of what.
    pub place: Place,
    /// Whether spikes are kept.
    pub spikes: bool,
    /// Traces.
    pub traces: Vec<TraceRequest>,
    /// Whether connections from this population are written.
    pub connections: bool,
}

impl RecordSpec {
    /// Nothing of `place`, for now.
    pub fn of(place: Place) -> Self {
        Self { place, spikes: false, traces: Vec::new(), connections: false }
    }
}

/// A request to sample variables.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceRequest {
    /// Name (file `traces/POP-NAME.parquet`).
    pub name: String,
    /// What is sampled.
    pub variables: Vec<Traced>,
    /// Units; connections of a projection, in the order of source and target, and all of them if empty.
    pub units: Vec<u32>,
    /// Steps between samples.
    pub every: u64,
    /// Whether analyses imply it: the scenario does not ask for it.
    pub implied: bool,
}

/// A variable of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Traced {
    /// What it is.
    pub id: TracedId,
    /// Its name, as recordings have it.
    pub name: String,
    /// Its dimension.
    pub dimension: Dimension,
}

impl Traced {
    /// A quantity of the units of a population that this is the system of.
    pub fn of_unit((id, variable): (VariableId, &Variable)) -> Self {
        Self { id: TracedId::Unit(id), name: variable.name.clone(), dimension: variable.dimension }
    }
}

/// A variable that is recorded: what a trace of the recording is made of.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// Its trace.
    pub id: TraceId,
    /// Of what.
    pub place: Place,
    /// The request that it belongs to.
    pub request: &'a TraceRequest,
    /// The variable.
    pub variable: &'a Traced,
}

/// What an analysis looks at, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// As written (`exc.V_m[0..10]`).
    pub text: String,
    /// Of what.
    pub place: Place,
    /// What of it.
    pub what: Observable,
    /// Which units; all if empty.
    pub units: Vec<u32>,
    /// Whether units are averaged (`mean(...)`).
    pub mean: bool,
}

/// What of a population an analysis looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Observable {
    /// `POP.spikes`.
    Spikes,
    /// `POP.rate`: the population rate in bins.
    Rate,
    /// `POP.VAR` or `POP.RECEPTOR.VAR`.
    Variable(String),
    /// `POP`: the population itself (its equations).
    Population,
}

/// An analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisSpec {
    /// Name in the scenario.
    pub name: String,
    /// Kind.
    pub kind: String,
    /// Subjects of `of`.
    pub of: Vec<Subject>,
    /// Subjects of `source`.
    pub source: Vec<Subject>,
    /// Subjects of `target`.
    pub target: Vec<Subject>,
    /// Options as given, with defaults filled in where the declaration has them.
    pub options: BTreeMap<&'static str, OptionValue>,
}

/// A recording beside what is simulated: what of it lies within the run, on the time axis of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordingSpec {
    /// Name in the scenario.
    pub name: String,
    /// Time of the file at which the run begins, in seconds (or time units).
    pub start: f64,
    /// Its populations, which follow those of the scenario in a recording of the run.
    pub populations: Vec<Population>,
    /// Its spikes.
    pub spikes: Arc<Vec<Spikes>>,
    /// Its signals.
    pub traces: Arc<Vec<Trace>>,
    /// Its trials, if it has any.
    pub trials: Option<TrialTimes>,
}

/// An expectation.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    /// Name in the scenario.
    pub name: String,
    /// Full name of the metric.
    pub metric: String,
    /// Least value in the metric's unit.
    pub min: Option<f64>,
    /// Greatest value in the metric's unit.
    pub max: Option<f64>,
    /// Unit that the bounds were written in (empty for bare numbers).
    pub unit: String,
    /// Where the number comes from.
    pub source: String,
    /// What an earlier program gave for the same experiment, if the scenario repeats one.
    pub original: Option<Original>,
}

/// The number of an earlier program beside which ours is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Original {
    /// Its value as written.
    pub value: f64,
    /// Unit that it was written in (empty for a bare number).
    pub unit: String,
    /// Why ours differs, or `same`.
    pub reason: String,
}

/// A sweep.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sweep {
    /// Axes: path and values as TOML text.
    pub axes: Vec<(String, Vec<String>)>,
    /// Number of seeds.
    pub seeds: u32,
    /// What another seed draws anew.
    pub redraws: Redraws,
    /// How the values of the axes are put together.
    pub design: Design,
}

impl Sweep {
    /// Number of combinations of axis values.
    pub fn combinations(&self) -> u64 {
        let lengths = self.axes.iter().map(|(_, values)| values.len() as u64);
        match self.design {
            Design::Product => lengths.fold(1, u64::saturating_mul),
            _ => lengths.max().unwrap_or(1),
        }
    }
}

words! {
    /// How the values of axes make points.
    #[derive(Default)]
    pub enum Design {
        /// every value of each axis with every value of the others
        #[default]
        Product = "product",
        /// the first value of each axis, then the second of each: all axes are of one length
        Zip = "zip",
        /// `points` places drawn at random between the ends of the axes
        Random = "random",
        /// `points` places, one in each of as many equal parts of each axis
        LatinHypercube = "latin_hypercube",
        /// `points` places of a Sobol sequence with a random shift: evenest for powers of two
        Sobol = "sobol",
    }
}

words! {
    /// What the seeds of a sweep draw anew.
    #[derive(Default)]
    pub enum Redraws {
        /// everything: seeds are other networks with other noise
        #[default]
        All = "all",
        /// noise and drawn stimuli alone, on one network (see also `[trials]`)
        Noise = "noise",
        /// drawn parameters and initial values alone
        Values = "values",
        /// connections with their drawn weights and delays alone
        Wiring = "wiring",
    }
}

impl Redraws {
    /// The key of `[simulation]` that a sweep sets for each of its seeds.
    pub fn key(self) -> &'static str {
        match self {
            Self::All => "seed",
            Self::Noise => "noise_seed",
            Self::Values => "values_seed",
            Self::Wiring => "wiring_seed",
        }
    }
}

/// Trials of one network.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trials {
    /// What differs between conditions: path and values as TOML text; a condition is a combination of them.
    pub axes: Vec<(String, Vec<String>)>,
    /// Number of trials of each condition.
    pub count: u32,
}
