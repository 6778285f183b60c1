//! Renewal spikes: each interval is drawn by itself from one distribution.

use serde_json::{Map, Value as Json, json};

use super::{Arrives, AtRest, EventRate, FromKeys, Lost, Rate, Stimulus, StimulusKind, TimeCourse, course, rate};
use crate::Clock;
use crate::language::{Field, Number, Of, Reader, Start, Stop, Time, Weight, Word, Words, Writer, declare, words};
use crate::spec::Value;
use spikedeck_core::math::exp;
use spikedeck_core::statistics::log_gamma;

words! {
    /// How intervals are distributed.
    pub(super) enum Intervals {
        /// gamma of shape 1/cv**2; at `cv = 1` a Poisson process
        Gamma = "gamma",
        /// inverse Gaussian: first passages of a perfect integrator driven by white noise
        InverseGaussian = "inverse_gaussian",
        /// log-normal: many short intervals and a long tail
        Lognormal = "lognormal",
        /// Weibull: the chance of a spike is a power of the time since the last
        Weibull = "weibull",
    }
}

declare! {
    /// renewal spikes with intervals from one distribution, into a receptor or played by a population
    pub(super) struct Drawn = "renewal" {
        /// mean rate of each unit: a value, a file, or an expression in `t`, which stretches the time of the intervals
        rate: Rate = rate::EventRate, needs "1 {unit}";
        /// how intervals are distributed
        distribution: Intervals = Word<Intervals>, or "gamma";
        /// standard deviation of an interval (of its part beyond `dead_time`) over its mean; 0 is regular, 1 as Poisson
        cv: f64 = Number, needs "0.5", from 0.0;
        /// time after each spike in which none comes; `rate` is that of all spikes
        dead_time: f64 = Time, or "0 s", from 0.0;
        /// weight of each spike
        weight: Value = Weight, needs "1 {unit}";
        /// when it begins, as if it had begun long before
        start: f64 = Start, or "0 s";
        /// when it ends
        stop: f64 = Stop, without "the end of the run";
    }
}

/// A distribution of intervals of mean 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    /// Gamma.
    Gamma {
        /// Shape: 1/cv**2.
        shape: f64,
    },
    /// Inverse Gaussian.
    InverseGaussian {
        /// Coefficient of variation.
        cv: f64,
    },
    /// Log-normal.
    Lognormal {
        /// Coefficient of variation.
        cv: f64,
    },
    /// Weibull.
    Weibull {
        /// Shape.
        shape: f64,
    },
    /// All alike, from a random phase on.
    Regular,
}

impl Law {
    /// How its intervals are distributed, in a word.
    fn word(self) -> &'static str {
        match self {
            Self::Gamma { .. } => Intervals::Gamma,
            Self::InverseGaussian { .. } => Intervals::InverseGaussian,
            Self::Lognormal { .. } => Intervals::Lognormal,
            Self::Weibull { .. } => Intervals::Weibull,
            Self::Regular => return "regular",
        }
        .word()
    }

    /// Its coefficient of variation.
    pub fn cv(self) -> f64 {
        match self {
            Self::Gamma { shape } => 1.0 / shape.sqrt(),
            Self::InverseGaussian { cv } | Self::Lognormal { cv } => cv,
            Self::Weibull { shape } => weibull_cv(shape),
            Self::Regular => 0.0,
        }
    }
}

/// Coefficient of variation of a Weibull distribution.
fn weibull_cv(shape: f64) -> f64 {
    let ratio = log_gamma(1.0 + 2.0 / shape) - 2.0 * log_gamma(1.0 + 1.0 / shape);
    (exp(ratio) - 1.0).max(0.0).sqrt()
}

/// Shapes of Weibull distributions that are looked for.
const SHAPES: (f64, f64) = (0.1, 1000.0);

/// The shape of the Weibull distribution with this coefficient of variation, which falls with the shape; none where it
/// is beyond those that are looked for.
fn weibull_shape(cv: f64) -> Option<f64> {
    let (mut low, mut high) = SHAPES;
    if !(weibull_cv(high)..=weibull_cv(low)).contains(&cv) {
        return None;
    }
    for _ in 0..200 {
        let middle = (low * high).sqrt();
        if weibull_cv(middle) > cv {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some((low * high).sqrt())
}

/// Renewal events for each unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Renewal {
    /// Mean rate.
    pub rate: Rate,
    /// Distribution of an interval beyond the dead time, over its mean.
    pub law: Law,
    /// Dead time.
    pub dead_time: f64,
    /// Weight of an event.
    pub weight: Value,
    /// When it begins.
    pub start: f64,
    /// When it ends.
    pub stop: f64,
}

/// The distribution that the keys say.
fn law(keys: &Drawn, reader: &mut Reader<'_, '_, '_, '_>) -> Option<Law> {
    let cv = keys.cv;
    if cv == 0.0 {
        return Some(Law::Regular);
    }
    match keys.distribution {
        Intervals::Gamma => Some(Law::Gamma { shape: 1.0 / (cv * cv) }),
        Intervals::InverseGaussian => Some(Law::InverseGaussian { cv }),
        Intervals::Lognormal => Some(Law::Lognormal { cv }),
        Intervals::Weibull => {
            let shape = weibull_shape(cv);
            if shape.is_none() {
                let (low, high) = (weibull_cv(SHAPES.1), weibull_cv(SHAPES.0));
                reader.error("cv", format!("`cv` of Weibull intervals is 0, or from {low:.4} to {high:.0}"));
            }
            shape.map(|shape| Law::Weibull { shape })
        }
    }
}

impl FromKeys for Renewal {
    type Keys = Drawn;
    const ARRIVES: Arrives = Arrives::Receptor;

    fn resolve(keys: Drawn, reader: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        let law = law(&keys, reader)?;
        match keys.rate {
            Rate::Steady(Value::Constant(rate)) if rate < 0.0 => {
                reader.error("rate", "a rate is not negative");
                return None;
            }
            Rate::Steady(Value::Constant(rate)) if rate * keys.dead_time >= 1.0 => {
                reader.error_help(
                    "dead_time",
                    "after each spike this time is longer than an interval of this rate",
                    "the dead time is less than 1/rate",
                );
                return None;
            }
            Rate::InTime(_) | Rate::Sampled(_) if keys.dead_time > 0.0 => {
                reader.error_help(
                    "dead_time",
                    "a rate that changes stretches the intervals, and a dead time does not stretch",
                    "give a rate that does not change, or leave `dead_time` out",
                );
                return None;
            }
            Rate::Steady(_) | Rate::InTime(_) | Rate::Sampled(_) => {}
        }
        let Drawn { rate, dead_time, weight, start, stop, .. } = keys;
        Some(Self { rate, law, dead_time, weight, start, stop }.into())
    }
}

impl Stimulus for Renewal {
    fn course(&self, clock: Clock) -> TimeCourse<'_> {
        TimeCourse::Renewal {
            rate: EventRate::of(&self.rate),
            law: self.law,
            dead_time: self.dead_time,
            weight: course::Amount::new("weight", &self.weight),
            window: course::Window::between(self.start, self.stop, clock),
        }
    }

    fn at_rest(&self, _: f64) -> AtRest<'_> {
        AtRest::Changes
    }

    /// Intervals are drawn, not steps: another step has the same spikes, each in the step that it falls in.
    fn drawn_in_steps(&self) -> bool {
        false
    }

    fn lost_in_steps(&self, dt: f64, duration: f64) -> Option<Lost> {
        self.rate.lost_in_steps(dt, duration)
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        let Self { rate, law, dead_time, weight, start, stop } = self;
        let mut out = Map::new();
        out.insert("rate".into(), rate::EventRate::write(rate, writer));
        out.insert("distribution".into(), json!(law.word()));
        match law {
            Law::Gamma { shape } | Law::Weibull { shape } => out.insert("shape".into(), json!(shape)),
            Law::InverseGaussian { cv } | Law::Lognormal { cv } => out.insert("cv".into(), json!(cv)),
            Law::Regular => None,
        };
        out.insert("dead_time".into(), writer.quantity(*dead_time, Of::Time));
        out.insert("weight".into(), Weight::write(weight, writer));
        out.insert("start".into(), Start::write(start, writer));
        out.insert("stop".into(), Stop::write(stop, writer));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weibull_shapes_have_their_coefficient_of_variation() {
        // Closed forms: exponential at shape 1, Rayleigh at 2: sqrt(4/pi - 1).
        assert!((weibull_cv(1.0) - 1.0).abs() < 1e-12);
        assert!((weibull_cv(2.0) - (4.0 / std::f64::consts::PI - 1.0).sqrt()).abs() < 1e-12);
        assert!((weibull_shape(1.0).unwrap() - 1.0).abs() < 1e-9);
        for cv in [0.01, 0.2, 0.7, 1.5, 5.0] {
            let shape = weibull_shape(cv).unwrap();
            assert!((weibull_cv(shape) / cv - 1.0).abs() < 1e-9, "{cv} {shape}");
        }
        assert_eq!((weibull_shape(1e-9), weibull_shape(1e6)), (None, None));
    }
}
