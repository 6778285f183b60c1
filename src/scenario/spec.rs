//! The resolved scenario: what `sim`, `analysis` and `run` work from. Values are SI; names are checked; nothing is left to look up.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::catalog::OptionValue;
use crate::core::units::Dimension;
use crate::equation::{System, TimeUnit};
use crate::model::Definition;
use crate::signal::TimeBase;

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

/// How spike times are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpikeTimes {
    /// The end of the step in which the threshold is crossed.
    #[default]
    Grid,
    /// Linear interpolation inside the step.
    Interpolated,
    /// Closed-form crossing (linear models).
    Exact,
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

/// A value that may differ from unit to unit or connection to connection.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// The same for all, in SI.
    Constant(f64),
    /// One given value each, in SI.
    Each(Arc<[f64]>),
    /// Drawn.
    Drawn(Distribution),
    /// An expression in `i`, `N`, `x`, `y`, `z` (positions in metres; only where the population has them) and, for parameters
    /// and initial values, the parameters of the model; kept as text that has been checked.
    Expression(String),
}

/// A distribution; parameters in SI.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// Uniform in `[low, high)`.
    Uniform {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// Normal, redrawn until inside the bounds.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        sd: f64,
        /// Least value.
        min: Option<f64>,
        /// Greatest value.
        max: Option<f64>,
    },
    /// Lognormal, by mean and sd of the logarithm of the value divided by `unit`.
    Lognormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
        /// SI value of the unit that the logarithm is of.
        unit: f64,
    },
    /// Gamma by shape and scale.
    Gamma {
        /// Shape.
        shape: f64,
        /// Scale.
        scale: f64,
    },
    /// Evenly spaced over the units, ends included.
    Linspace {
        /// First value.
        from: f64,
        /// Last value.
        to: f64,
    },
}

/// Positions of units, in metres.
#[derive(Debug, Clone, PartialEq)]
pub enum Positions {
    /// A regular lattice: number of units and spacing along each axis.
    Grid {
        /// Units along each axis (product is the size).
        shape: Vec<usize>,
        /// Spacing.
        spacing: f64,
    },
    /// Uniform in a box.
    Uniform {
        /// Edge lengths.
        extent: Vec<f64>,
    },
    /// Listed.
    Listed(Arc<[[f64; 3]]>),
}

/// A receptor that a population carries.
#[derive(Debug, Clone)]
pub struct ReceptorSpec {
    /// Name in the population (`ampa`).
    pub name: String,
    /// Its definition.
    pub definition: Arc<Definition>,
}

/// A population.
#[derive(Debug, Clone)]
pub struct PopulationSpec {
    /// Name.
    pub name: String,
    /// Definition of its model.
    pub model: Arc<Definition>,
    /// Receptors it carries.
    pub receptors: Vec<ReceptorSpec>,
    /// Model with receptors merged in: the system that is simulated.
    pub system: System,
    /// Number of units.
    pub size: usize,
    /// One value for each of `system.parameters()`, in that order.
    pub parameters: Vec<Value>,
    /// One initial value for each of `system.states()`, in that order.
    pub initial: Vec<Value>,
    /// Positions.
    pub positions: Option<Positions>,
    /// Integrator by name; `None` is `auto`.
    pub integrator: Option<String>,
    /// Integration steps inside one step of the simulation.
    pub substeps: u32,
    /// Preset, if chosen.
    pub preset: Option<String>,
}

impl PopulationSpec {
    /// What time means in its equations.
    pub fn time_unit(&self) -> TimeUnit {
        self.system.time_unit()
    }
}

/// Where a projection or stimulus ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Index of the population.
    pub population: usize,
    /// What of it.
    pub port: Port,
}

/// What of a population is targeted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// Index into `system.event_ports()`.
    Event(usize),
    /// Index into `system.inputs()`.
    Input(usize),
}

/// How units are connected.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// Unit i to unit i.
    OneToOne,
    /// Every unit to every unit.
    AllToAll,
    /// Each pair independently.
    Probability {
        /// Probability.
        p: f64,
    },
    /// Each target draws this many sources.
    FixedIndegree {
        /// Number of sources.
        indegree: usize,
    },
    /// Each source draws this many targets.
    FixedOutdegree {
        /// Number of targets.
        outdegree: usize,
    },
    /// This many connections, both ends drawn.
    FixedTotalNumber {
        /// Number of connections.
        total: usize,
    },
    /// All pairs within a distance (metres), or nearest lattice neighbours.
    Neighbours {
        /// Greatest distance.
        radius: f64,
        /// Whether distances wrap around the grid's extent.
        periodic: bool,
    },
    /// Each pair with probability `p_max * exp(-d²/(2 sigma²))`.
    Gaussian {
        /// Probability at distance zero.
        p_max: f64,
        /// Width in metres.
        sigma: f64,
        /// Whether distances wrap around the grid's extent.
        periodic: bool,
    },
    /// Watts-Strogatz: ring of nearest neighbours, rewired.
    SmallWorld {
        /// Neighbours of each unit (both sides together).
        neighbours: usize,
        /// Probability of rewiring.
        p_rewire: f64,
    },
    /// Listed pairs, with weights and delays if the file has them.
    Edges {
        /// Source units.
        source: Arc<[u32]>,
        /// Target units.
        target: Arc<[u32]>,
        /// Weights in SI.
        weight: Option<Arc<[f64]>>,
        /// Delays in seconds.
        delay: Option<Arc<[f64]>>,
    },
}

/// What a projection carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Coupling {
    /// Spikes.
    Event,
    /// A value that acts all the time: an expression in `w`, `NAME_pre`, `NAME_post`; checked text.
    Continuous {
        /// The expression; what arrives is its sum over connections.
        value: String,
    },
}

/// A projection.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectionSpec {
    /// Name.
    pub name: String,
    /// Index of the source population.
    pub from: usize,
    /// Where it ends.
    pub to: Target,
    /// How units are connected.
    pub rule: Rule,
    /// Whether a unit may connect to itself.
    pub autapses: bool,
    /// Whether a pair may be connected more than once (rules that draw).
    pub multapses: bool,
    /// Weight in SI of the target port (plain number for continuous coupling unless stated).
    pub weight: Value,
    /// Delay in seconds; 0 acts from the next step.
    pub delay: Value,
    /// What it carries.
    pub coupling: Coupling,
}

/// A stimulus.
#[derive(Debug, Clone, PartialEq)]
pub struct StimulusSpec {
    /// Name.
    pub name: String,
    /// Where it acts.
    pub target: Target,
    /// Which units; all if empty.
    pub units: Vec<u32>,
    /// What it is; all values SI, times in seconds.
    pub kind: StimulusKind,
}

/// Kinds of stimuli. `amplitude` and the like may differ between units.
#[derive(Debug, Clone, PartialEq)]
pub enum StimulusKind {
    /// Always the same.
    Constant {
        /// Value.
        amplitude: Value,
    },
    /// From `start` (inclusive) to `stop` (exclusive).
    Step {
        /// Value inside.
        amplitude: Value,
        /// Start.
        start: f64,
        /// Stop.
        stop: f64,
    },
    /// Linear from one value to another, then held.
    Ramp {
        /// Value at the start.
        from: Value,
        /// Value at the stop.
        to: Value,
        /// Start.
        start: f64,
        /// Stop.
        stop: f64,
    },
    /// Rectangular pulses.
    PulseTrain {
        /// Value inside a pulse.
        amplitude: Value,
        /// First onset.
        start: f64,
        /// No pulse starts at or after this.
        stop: f64,
        /// Onset to onset.
        period: f64,
        /// Length of a pulse.
        width: f64,
    },
    /// One Gaussian in time.
    GaussianPulse {
        /// Peak.
        amplitude: Value,
        /// Time of the peak.
        center: f64,
        /// Standard deviation in time.
        sigma: f64,
    },
    /// `offset + amplitude * sin(2 pi f t + phase)`, or its absolute value.
    Sine {
        /// Amplitude.
        amplitude: Value,
        /// Frequency.
        frequency: f64,
        /// Phase in radians.
        phase: f64,
        /// Offset.
        offset: Value,
        /// Rectified: `|sin|`.
        rectified: bool,
        /// Start.
        start: f64,
        /// Stop.
        stop: f64,
    },
    /// Sine with frequency linear (or exponential) in time.
    Chirp {
        /// Amplitude.
        amplitude: Value,
        /// Frequency at the start.
        f_start: f64,
        /// Frequency at the stop.
        f_stop: f64,
        /// Start.
        start: f64,
        /// Stop.
        stop: f64,
        /// Offset.
        offset: Value,
        /// Exponential instead of linear.
        exponential: bool,
    },
    /// Ornstein-Uhlenbeck process, independent for each unit.
    OuNoise {
        /// Mean.
        mean: Value,
        /// Stationary standard deviation.
        sigma: Value,
        /// Correlation time.
        tau: f64,
    },
    /// White noise of a density (unit of the port times s**0.5): each step has sd density/sqrt(dt).
    WhiteNoise {
        /// Mean.
        mean: Value,
        /// Density.
        amplitude: Value,
    },
    /// Normal values redrawn every interval.
    GaussianSteps {
        /// Mean.
        mean: Value,
        /// Standard deviation.
        sigma: Value,
        /// Interval between draws (at least a step).
        interval: f64,
    },
    /// Poisson spikes into an event port.
    Poisson {
        /// Rate of each source.
        rate: Value,
        /// Sources for each unit; their sum is drawn.
        sources: u64,
        /// Weight of each spike.
        weight: Value,
        /// Start.
        start: f64,
        /// Stop.
        stop: f64,
    },
    /// Listed spikes into an event port: times and, for each, the unit it arrives at (all targeted units if `None`).
    Spikes {
        /// Times, ascending.
        times: Arc<[f64]>,
        /// Units.
        units: Option<Arc<[u32]>>,
        /// Weight.
        weight: Value,
    },
    /// A sampled signal; between samples the last value holds (or linear).
    Signal {
        /// Time of the first sample.
        start: f64,
        /// Interval.
        interval: f64,
        /// Columns of values, one for all units or one each.
        columns: Arc<[Vec<f64>]>,
        /// Linear interpolation instead of hold.
        linear: bool,
        /// Factor.
        gain: f64,
    },
    /// An expression in `t` (seconds; a plain number in dimensionless scenarios), `i`, `N` and positions (metres); checked text.
    Expression {
        /// The text.
        value: String,
    },
}

/// What is recorded of a population.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordSpec {
    /// Index of the population.
    pub population: usize,
    /// Whether spikes are kept.
    pub spikes: bool,
    /// Traces.
    pub traces: Vec<TraceRequest>,
    /// Whether connections from this population are written.
    pub connections: bool,
}

/// A request to sample variables.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceRequest {
    /// Name (file `traces/POP-NAME.parquet`).
    pub name: String,
    /// States, parameters, inputs or subexpressions: name and dimension.
    pub variables: Vec<(String, Dimension)>,
    /// Units.
    pub units: Vec<u32>,
    /// Steps between samples.
    pub every: u64,
}

/// What an analysis looks at, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// As written (`exc.V_m[0..10]`).
    pub text: String,
    /// Index of the population.
    pub population: usize,
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
}

/// A sweep.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sweep {
    /// Axes: path and values as TOML text.
    pub axes: Vec<(String, Vec<String>)>,
    /// Number of seeds.
    pub seeds: u32,
}
