//! Renewal events: each interval is drawn by itself, in a time that the rate makes run faster or slower.
//!
//! In that time, which is the integral of the rate, the mean interval is 1. The first event comes after the rest of an
//! interval that began long before (the forward recurrence time), so that the process is stationary from its beginning.
//! A unit's n-th interval is keyed by unit and n: it depends neither on the step nor on other units.

use super::pace::Pace;
use super::{Source, Tell, of_lanes};
use crate::axis::Axis;
use crate::snapshot::{Pass, Snapshot};
use crate::stepper::UnitValues;
use crate::values::{at, gamma, normal};
use spikedeck_core::math::{exp, log, pow};
use spikedeck_core::rng::{Key, Stream};
use spikedeck_core::statistics::log_gamma;
use spikedeck_scenario::{Law, Window};

/// Renewal events of some lanes.
#[derive(Debug)]
pub(crate) struct Renewal {
    key: Key,
    /// Unit of the first lane.
    first: u32,
    /// Targeted lanes.
    lanes: Vec<u32>,
    pace: Pace,
    law: Law,
    weight: UnitValues,
    /// For each targeted lane: the part of a mean interval that is dead, what is left until its next event, and how
    /// many intervals it has drawn.
    dead: Vec<f64>,
    left: Vec<f64>,
    drawn: Vec<u64>,
    /// Rate of each targeted lane in this step.
    rates: Vec<f64>,
    window: Window,
    /// The greatest mean number of events of a unit in a step, and the first rate that gives none, or more: grid point
    /// and unit.
    most: f64,
    broken: Option<(u64, u32)>,
}

impl Renewal {
    /// Events of the targeted `lanes` among those from unit `first` on, in `window`, at most `most` in a step on
    /// average; `dead` is the dead time of each in mean intervals.
    pub fn new(
        key: Key,
        (first, lanes): (u32, Vec<u32>),
        pace: Pace,
        (law, dead): (Law, Vec<f64>),
        weight: UnitValues,
        (window, most): (Window, f64),
    ) -> Self {
        let beginning = |(lane, dead): (&u32, &f64)| first_event(law, *dead, &mut key.stream(first + lane, 0));
        let left = lanes.iter().zip(&dead).map(beginning).collect();
        let (drawn, rates) = (vec![0; lanes.len()], vec![0.0; lanes.len()]);
        Self { key, first, lanes, pace, law, weight, dead, left, drawn, rates, window, most, broken: None }
    }
}

impl Snapshot for Renewal {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self {
            key: _,
            first: _,
            lanes,
            pace: _,
            law: _,
            weight: _,
            dead: _,
            left,
            drawn,
            rates: _,
            window: _,
            most: _,
            broken: _,
        } = self;
        of_lanes(pass, "left of the interval", lanes.iter().copied(), left);
        of_lanes(pass, "intervals", lanes.iter().copied(), drawn);
    }
}

impl Source for Renewal {
    fn is_active(&self, k: u64) -> bool {
        self.window.share(k) > 0.0
    }

    fn broken(&self) -> Option<(u64, u32)> {
        self.broken
    }

    fn each(&mut self, k: u64, axis: &Axis, tell: Tell<'_>) -> u64 {
        self.pace.fill(k, axis, &mut self.rates);
        let part = axis.dt * self.window.share(k);
        let mut events = 0;
        for (j, (&lane, &rate)) in self.lanes.iter().zip(&self.rates).enumerate() {
            let mean = rate.max(0.0) * part;
            if rate.is_nan() || mean > self.most {
                self.broken = self.broken.or(Some((k, self.first + lane)));
                continue;
            }
            self.left[j] -= mean;
            let mut count = 0_u64;
            while self.left[j] <= 0.0 {
                count += 1;
                self.drawn[j] += 1;
                let stream = &mut self.key.stream(self.first + lane, self.drawn[j]);
                self.left[j] += self.dead[j] + (1.0 - self.dead[j]) * interval(self.law, stream);
            }
            if count > 0 {
                tell(lane, at(&self.weight, j), count);
                events += count;
            }
        }
        events
    }
}

/// An exponential number of mean 1.
fn exponential(stream: &mut Stream) -> f64 {
    -log(1.0 - stream.uniform())
}

/// sigma of the logarithm of a log-normal number of this coefficient of variation.
fn log_spread(cv: f64) -> f64 {
    log(cv.mul_add(cv, 1.0)).sqrt()
}

/// An interval of mean 1.
fn interval(law: Law, stream: &mut Stream) -> f64 {
    match law {
        Law::Gamma { shape } => gamma(shape, stream) / shape,
        Law::InverseGaussian { cv } => inverse_gaussian(cv, stream),
        Law::Lognormal { cv } => {
            let sigma = log_spread(cv);
            exp(sigma.mul_add(normal(stream), -0.5 * sigma * sigma))
        }
        Law::Weibull { shape } => pow(exponential(stream), 1.0 / shape) / exp(log_gamma(1.0 + 1.0 / shape)),
        Law::Regular => 1.0,
    }
}

/// An interval of mean 1 as a moment picked at random finds it: with a probability in proportion to its length.
fn interval_around(law: Law, stream: &mut Stream) -> f64 {
    match law {
        Law::Gamma { shape } => gamma(shape + 1.0, stream) / shape,
        // If x is inverse Gaussian of mean 1, 1/x is so by its length.
        Law::InverseGaussian { cv } => 1.0 / inverse_gaussian(cv, stream),
        Law::Lognormal { cv } => {
            let sigma = log_spread(cv);
            exp(sigma.mul_add(normal(stream), 0.5 * sigma * sigma))
        }
        // x^shape is then gamma of shape 1 + 1/shape.
        Law::Weibull { shape } => {
            pow(gamma(1.0 + 1.0 / shape, stream), 1.0 / shape) / exp(log_gamma(1.0 + 1.0 / shape))
        }
        Law::Regular => 1.0,
    }
}

/// What is left of the interval in which the process begins; `dead` is the dead part of a mean interval.
fn first_event(law: Law, dead: f64, stream: &mut Stream) -> f64 {
    // An interval d + x is met in proportion to d + x: d as one that is like any other, x by its own length.
    let free = if stream.uniform() < dead { interval(law, stream) } else { interval_around(law, stream) };
    let whole = dead + (1.0 - dead) * free;
    // Never zero, which would be an event at the beginning itself.
    whole * (1.0 - stream.uniform())
}

/// An inverse Gaussian number of mean 1 (Michael, Schucany, Haas 1976, doi:10.1080/00031305.1976.10479147).
fn inverse_gaussian(cv: f64, stream: &mut Stream) -> f64 {
    let n = normal(stream);
    let y = cv * cv * n * n;
    // The smaller root of its quadratic, without cancellation: 1 + y/2 - sqrt(y + y^2/4) = 1/(1 + y/2 + sqrt(...)).
    let x = 1.0 / (1.0 + 0.5 * y + (y + 0.25 * y * y).sqrt());
    if stream.uniform() <= 1.0 / (1.0 + x) { x } else { 1.0 / x }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAWS: [Law; 9] = [
        Law::Gamma { shape: 0.5 },
        Law::Gamma { shape: 4.0 },
        Law::InverseGaussian { cv: 0.3 },
        Law::InverseGaussian { cv: 1.5 },
        Law::Lognormal { cv: 0.5 },
        Law::Weibull { shape: 0.8 },
        Law::Weibull { shape: 3.0 },
        Law::Gamma { shape: 1.0 },
        Law::Regular,
    ];

    fn drawn(n: usize, law: impl Fn(&mut Stream) -> f64) -> Vec<f64> {
        let key = Key::new(11, "stimuli.s", "noise");
        (0..n).map(|i| law(&mut key.stream(i as u32, 1))).collect()
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn intervals_have_mean_one_and_their_coefficient_of_variation() {
        let n = 60_000;
        for law in LAWS {
            let x = drawn(n, |s| interval(law, s));
            let m = mean(&x);
            let second = mean(&x.iter().map(|v| v * v).collect::<Vec<_>>());
            let cv = law.cv();
            assert!((m - 1.0).abs() < 4.5 * cv / (n as f64).sqrt() + 1e-12, "{law:?}: mean {m}");
            // The spread of the second moment is that of the sample itself.
            let fourth = mean(&x.iter().map(|v| v.powi(4)).collect::<Vec<_>>());
            let slack = 4.5 * ((fourth - second * second).max(0.0) / n as f64).sqrt() + 1e-12;
            assert!((second - (1.0 + cv * cv)).abs() < slack, "{law:?}: second moment {second}, cv {cv}");
        }
    }

    /// Met by a random moment, an interval has the density x f(x): its mean is the second moment, (1 + cv^2); what is
    /// left of it is half of that on average.
    #[test]
    fn the_first_interval_is_met_by_its_length() {
        let n = 60_000;
        for law in LAWS {
            let square = 1.0 + law.cv() * law.cv();
            let x = drawn(n, |s| interval_around(law, s));
            let second = mean(&x.iter().map(|v| v * v).collect::<Vec<_>>());
            let sd = (second - mean(&x).powi(2)).max(0.0).sqrt();
            assert!((mean(&x) - square).abs() < 4.5 * sd / (n as f64).sqrt() + 1e-12, "{law:?}: {}", mean(&x));
            for dead in [0.0, 0.3] {
                let x = drawn(n, |s| first_event(law, dead, s));
                // E[T^2]/2 with T = d + (1 - d) x.
                let free = 1.0 - dead;
                let expected = 0.5 * (dead * dead + 2.0 * dead * free + free * free * square);
                let second = mean(&x.iter().map(|v| v * v).collect::<Vec<_>>());
                let sd = (second - mean(&x).powi(2)).max(0.0).sqrt();
                assert!(
                    (mean(&x) - expected).abs() < 4.5 * sd / (n as f64).sqrt(),
                    "{law:?} {dead}: {} {expected}",
                    mean(&x)
                );
            }
        }
    }
}
