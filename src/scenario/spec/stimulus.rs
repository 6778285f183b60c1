//! Resolved stimuli.

use std::sync::Arc;

use super::ids::UnitName;
use super::network::{Target, Value};
use spikedeck_equation::Formula;

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

/// Where the normal numbers of a noise come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Generator {
    /// Keyed by seed, stimulus, unit and draw: a unit's noise depends on nothing else.
    #[default]
    Counter,
    /// `numpy.random.default_rng(seed).normal(size=(draws, units))`, to repeat a Python program number by number.
    NumpyPcg64,
}

impl Generator {
    /// Names in scenarios.
    pub const LIST: [(&'static str, Self); 2] = [("counter", Self::Counter), ("numpy_pcg64", Self::NumpyPcg64)];
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
        /// Where the numbers come from.
        generator: Generator,
    },
    /// Normal values redrawn every interval.
    GaussianSteps {
        /// Mean.
        mean: Value,
        /// Standard deviation.
        sigma: Value,
        /// Interval between draws (at least a step).
        interval: f64,
        /// Where the numbers come from.
        generator: Generator,
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
    /// An expression in `t` (seconds; a plain number in dimensionless scenarios), `i`, `N` and positions (metres).
    Expression {
        /// The expression, in the dimension of the input.
        value: Formula<UnitName>,
    },
}
