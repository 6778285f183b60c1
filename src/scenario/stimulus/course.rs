//! What a stimulus does in time, in the terms that simulators carry out: each kind gives one of these, and each of
//! these is carried out in one place, whatever kind it came from.

use std::fmt::Debug;
use std::sync::Arc;

use crate::spec::{Generator, Law, Rate, Value};
use crate::{Clock, UnitName};
use spikedeck_core::math::sin;
use spikedeck_equation::Formula;

/// A value together with the name of its key, by which what is drawn of it is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Amount<'a> {
    /// The value.
    pub value: &'a Value,
    /// The key that random numbers are keyed by.
    pub key: &'static str,
}

impl<'a> Amount<'a> {
    /// The value of this key.
    pub fn new(key: &'static str, value: &'a Value) -> Self {
        Self { value, key }
    }
}

/// How much a normal number counts.
#[derive(Debug, Clone, Copy)]
pub enum Spread<'a> {
    /// Standard deviation of each draw.
    Deviation(Amount<'a>),
    /// A density (unit times s**0.5): each draw has the standard deviation density/sqrt(step).
    Density(Amount<'a>),
}

/// How often events come.
#[derive(Debug, Clone, Copy)]
pub enum EventRate<'a> {
    /// The same all the time.
    Steady(Amount<'a>),
    /// An expression in `t`, `i`, `N` and positions.
    InTime(&'a Formula<UnitName>),
    /// Samples at even times.
    Sampled(Samples<'a>),
}

impl<'a> EventRate<'a> {
    /// That of the key `rate`.
    pub(super) fn of(rate: &'a Rate) -> Self {
        match rate {
            Rate::Steady(value) => Self::Steady(Amount::new("rate", value)),
            Rate::InTime(formula) => Self::InTime(formula),
            Rate::Sampled(signal) => Self::Sampled(signal.samples()),
        }
    }
}

/// Samples at even times.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    /// Time of the first.
    pub start: f64,
    /// From each to the next.
    pub interval: f64,
    /// One column for all units, or one each.
    pub columns: &'a Arc<[Vec<f64>]>,
    /// Linear between samples; otherwise each holds until the next.
    pub linear: bool,
    /// Factor.
    pub gain: f64,
    /// What it is before the first sample and after the last; the nearest sample without it.
    pub outside: Option<f64>,
}

/// What a stimulus does in time.
#[derive(Debug)]
pub enum TimeCourse<'a> {
    /// `amplitude * f + offset * g` into an input, where `(f, g)` is the wave at a grid point.
    Wave {
        /// What the first factor of the wave multiplies.
        amplitude: Amount<'a>,
        /// Is taken from the amplitude.
        less: Option<Amount<'a>>,
        /// What the second factor multiplies.
        offset: Option<Amount<'a>>,
        /// The factors.
        wave: Arc<dyn Wave>,
    },
    /// An Ornstein-Uhlenbeck process for each unit, exact in distribution, into an input.
    OrnsteinUhlenbeck {
        /// Mean.
        mean: Amount<'a>,
        /// Stationary standard deviation.
        sigma: Amount<'a>,
        /// Correlation time.
        tau: f64,
    },
    /// A normal number for each unit, drawn every so many steps, into an input.
    Normal {
        /// Mean.
        mean: Amount<'a>,
        /// Size.
        spread: Spread<'a>,
        /// Steps from draw to draw.
        every: u64,
        /// Where the numbers come from.
        generator: Generator,
    },
    /// Samples at even times into an input.
    Samples(Samples<'a>),
    /// An expression in `t`, `i`, `N` and positions into an input.
    Expression {
        /// The expression, in the dimension of the input.
        value: &'a Formula<UnitName>,
    },
    /// Poisson events for each unit into a receptor.
    Poisson {
        /// Rate of a source.
        rate: EventRate<'a>,
        /// Sources of each unit.
        sources: u64,
        /// Weight of an event.
        weight: Amount<'a>,
        /// When events come.
        window: Window,
    },
    /// Renewal events for each unit into a receptor.
    Renewal {
        /// Mean rate.
        rate: EventRate<'a>,
        /// Distribution of an interval beyond the dead time, over its mean.
        law: Law,
        /// Dead time.
        dead_time: f64,
        /// Weight of an event.
        weight: Amount<'a>,
        /// When events come.
        window: Window,
    },
    /// Poisson events that units share, into a receptor.
    Shared {
        /// Rate of the shared train.
        shared: f64,
        /// Probability that a unit has an event of it.
        kept: f64,
        /// Rate of the events that a unit has by itself.
        own: f64,
        /// Longest delay of a shared event at a unit.
        jitter: f64,
        /// Weight of an event.
        weight: Amount<'a>,
        /// When events come.
        window: Window,
    },
    /// Listed events into a receptor.
    Spikes {
        /// Times, ascending.
        times: &'a Arc<[f64]>,
        /// For each the unit that it arrives at; all that are targeted without it.
        units: Option<&'a Arc<[u32]>>,
        /// Weight of an event.
        weight: Amount<'a>,
    },
}

/// A formula in time.
pub trait Wave: Debug + Send + Sync {
    /// Factor of the amplitude and factor of the offset at grid point `k`.
    fn at(&self, k: u64, clock: Clock) -> (f64, f64);
}

/// One from a time on until another, zero outside, for amplitude and offset alike. A level holds for a whole step: in a
/// step of which a part is inside it is that part, so that it integrates to what was written whatever the step is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Where it begins, in steps.
    on: f64,
    /// Where it ends.
    off: f64,
}

impl Window {
    /// All the time.
    pub(super) const ALWAYS: Self = Self { on: 0.0, off: f64::INFINITY };

    /// From `start` to `stop`.
    pub fn between(start: f64, stop: f64, clock: Clock) -> Self {
        Self { on: clock.place(start), off: clock.place(stop) }
    }

    /// Which part of step `k` is inside: exactly 0 and 1 where both ends are grid points.
    #[inline]
    pub fn share(self, k: u64) -> f64 {
        let begin = k as f64;
        (self.off.min(begin + 1.0) - self.on.max(begin)).max(0.0)
    }

    /// Whether a moment of step `k` is inside: the part of the step that has passed by then.
    pub fn holds(self, k: u64, passed: f64) -> bool {
        let begin = k as f64;
        passed >= self.on - begin && passed < self.off - begin
    }

    /// The first step of which a part can be inside.
    pub fn first(self) -> u64 {
        self.on.max(0.0) as u64
    }
}

impl Wave for Window {
    fn at(&self, k: u64, _: Clock) -> (f64, f64) {
        let share = self.share(k);
        (share, share)
    }
}

/// What comes of a wave that turns so often in a step, where that is more than a quarter of a turn: one value holds for
/// the whole step.
pub(super) fn aliased(turns: f64) -> Option<String> {
    let turns = turns.abs();
    let what = if turns > 0.5 {
        "what acts is of another frequency"
    } else {
        "what acts is smaller, and later, than the wave"
    };
    (turns > 0.25)
        .then(|| format!("turns once in {:.3} steps, and holds one value for a whole step: {what}", 1.0 / turns))
}

/// Places at which an expression in time is looked at.
const LOOKED_AT: u64 = 256;

/// Whether an expression in time does within most steps what its values at their ends do not show.
pub(super) fn too_fast(formula: &Formula<UnitName>, dt: f64, duration: f64) -> Option<String> {
    if !formula.names().contains(&UnitName::Time) {
        return None;
    }
    let at = |t: f64| {
        formula.evaluate(|name| match name {
            UnitName::Time => t,
            // Some unit, somewhere; parameters are not known here.
            UnitName::Parameter(_) => f64::NAN,
            _ => 1.0,
        })
    };
    let steps = (duration / dt).floor().max(1.0);
    // All over the run, at no even distance.
    let places = (0..LOOKED_AT).map(|k| (k as f64 * 0.618_033_988_749_895).fract() * steps).map(f64::floor);
    // Where in a step: its ends, and inside where no whole number of turns returns to them.
    let parts = [0.0, 0.191, 0.5, 1.0];
    let looks: Vec<[f64; 4]> = places.map(|k| parts.map(|part| at((k + part) * dt))).collect();
    let all = || looks.iter().flatten().copied();
    let range = all().fold(f64::NEG_INFINITY, f64::max) - all().fold(f64::INFINITY, f64::min);
    let differs = |look: &&[f64; 4]| {
        let line = |part: f64| part.mul_add(look[3] - look[0], look[0]);
        (1..3).any(|k| (look[k] - line(parts[k])).abs() > 0.2 * range)
    };
    let lost = looks.iter().filter(differs).count();
    if range > 0.0 && lost > looks.len() / 8 {
        return Some(format!(
            "changes within {:.0} % of the steps in a way that its values at their ends do not show, and holds the \
             first for a whole step: what acts is something else",
            100.0 * lost as f64 / looks.len() as f64
        ));
    }
    let step = between_ends(&at, steps, dt)?;
    Some(format!(
        "reaches a value within step {step} that it has at no end of a step, and holds the first for a whole step: \
         what acts lacks it"
    ))
}

/// The step within which an expression goes furthest beyond all values that it has at the ends of steps, if that is
/// more than a tenth of their range and happens seldom: a peak that no step sees.
fn between_ends(at: &dyn Fn(f64) -> f64, steps: f64, dt: f64) -> Option<u64> {
    let shown = steps.min(MOST_STEPS);
    let place = |k: f64| (k / shown * steps).floor();
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let (mut least, mut most) = ((f64::INFINITY, 0.0), (f64::NEG_INFINITY, 0.0));
    let mut k = 0.0;
    while k < shown {
        let step = place(k);
        for end in [at(step * dt), at((step + 1.0) * dt)] {
            (low, high) = (low.min(end), high.max(end));
        }
        for part in [0.1, 0.3, 0.5, 0.7, 0.9] {
            let value = at((step + part) * dt);
            if value < least.0 {
                least = (value, step);
            }
            if value > most.0 {
                most = (value, step);
            }
        }
        k += 1.0;
    }
    let (below, above) = (low - least.0, most.0 - high);
    let range = most.0.max(high) - least.0.min(low);
    let found = if above > below { (above, most.1) } else { (below, least.1) };
    (found.0 > 0.1 * range && found.0.is_finite()).then_some(found.1 as u64)
}

/// Steps that are looked into; of a longer run so many, evenly spaced.
const MOST_STEPS: f64 = 20_000.0;

/// The sine of a number of turns plus a phase; whole turns are dropped first, so that long runs lose nothing.
pub(super) fn turn(cycles: f64, phase: f64) -> f64 {
    sin(std::f64::consts::TAU.mul_add(cycles - cycles.floor(), phase))
}

/// What a stimulus is for an analysis of the equations, in which nothing changes in time.
#[derive(Debug, Clone, Copy)]
pub enum AtRest<'a> {
    /// This value.
    Is(&'a Value),
    /// Nothing.
    Zero,
    /// Noise about this value.
    Mean(&'a Value),
    /// It changes in time, and no one value stands for it.
    Changes,
}

/// The courses of waves, for the tests of kinds.
#[cfg(test)]
pub(super) fn factors(stimulus: &dyn super::Stimulus, steps: u64) -> Vec<f64> {
    let clock = Clock { dt: 1e-4 };
    let TimeCourse::Wave { wave, .. } = stimulus.course(clock) else { unreachable!("a formula in time") };
    (0..steps).map(|k| wave.at(k, clock).0).collect()
}

#[cfg(test)]
mod tests {
    use super::between_ends;

    /// A peak that no step sees is found wherever it is; what steps follow, and what stays between its ends, is not.
    #[test]
    fn peaks_between_the_ends_of_steps_are_found() {
        let dt = 1e-4;
        for place in [3.5, 17.31, 998.82] {
            let narrow = move |t: f64| (-0.5 * ((t / dt - place) / 0.05).powi(2)).exp();
            assert_eq!(between_ends(&narrow, 1000.0, dt), Some(place as u64), "{place}");
            assert_eq!(between_ends(&|t| 3.0 - narrow(t), 1000.0, dt), Some(place as u64), "{place}, a dip");
            let wide = move |t: f64| (-0.5 * ((t / dt - place) / 3.0).powi(2)).exp();
            assert_eq!(between_ends(&wide, 1000.0, dt), None, "{place}");
        }
        assert_eq!(between_ends(&|_| 1.0, 1000.0, dt), None);
        assert_eq!(between_ends(&|t| (t / dt).floor(), 1000.0, dt), None);
        assert_eq!(between_ends(&|t| (std::f64::consts::TAU * t / (10.0 * dt)).sin(), 1000.0, dt), None);
        assert_eq!(between_ends(&|_| f64::NAN, 1000.0, dt), None);
    }
}
