//! A sine whose frequency changes.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{
    Arrives, AtRest, FromKeys, Lost, Stimulus, StimulusKind, TimeCourse, Wave, course,
    course::{Window, turn},
};
use crate::Clock;
use crate::language::{Amount, Declared, Flag, Frequency, Reader, Start, Stop, Target, Writer, declare};
use crate::spec::Value;
use spikedeck_core::math::{log, pow};

declare! {
    /// sine whose frequency changes linearly or exponentially
    pub struct Chirp = "chirp" {
        /// height of the sine
        amplitude: Value = Amount<Target>, needs "1 {unit}";
        /// frequency at the start
        f_start: f64 = Frequency, needs "10 Hz";
        /// frequency at the stop
        f_stop: f64 = Frequency, needs "10 Hz";
        /// when it begins
        start: f64 = Start, or "0 s";
        /// when it ends
        stop: f64 = Stop, without "the end of the run";
        /// added to the sine
        offset: Value = Amount<Target>, or "0";
        /// the frequency grows in ratio and not in difference
        exponential: bool = Flag, or "false";
    }
}

impl FromKeys for Chirp {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Input;

    fn resolve(keys: Self, reader: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        // A ratio of frequencies leads neither from zero nor to it.
        for (key, frequency) in [("f_start", keys.f_start), ("f_stop", keys.f_stop)] {
            if keys.exponential && (frequency.is_nan() || frequency <= 0.0) {
                reader.error_help(
                    key,
                    format!("a frequency that grows in ratio is above zero at both ends, and `{key}` is not"),
                    "give a small frequency, or leave `exponential` out",
                );
                return None;
            }
        }
        Some(keys.into())
    }
}

impl Stimulus for Chirp {
    fn course(&self, clock: Clock) -> TimeCourse<'_> {
        TimeCourse::Wave {
            amplitude: course::Amount::new("amplitude", &self.amplitude),
            less: None,
            offset: Some(course::Amount::new("offset", &self.offset)),
            wave: Arc::new(Sweeping {
                f_start: self.f_start,
                f_stop: self.f_stop,
                start: self.start,
                length: self.stop - self.start,
                exponential: self.exponential,
                window: Window::between(self.start, self.stop, clock),
            }),
        }
    }

    fn at_rest(&self, _: f64) -> AtRest<'_> {
        AtRest::Changes
    }

    fn drawn_in_steps(&self) -> bool {
        false
    }

    fn lost_in_steps(&self, dt: f64, _: f64) -> Option<Lost> {
        let lost = course::aliased(self.f_start.abs().max(self.f_stop.abs()) * dt);
        lost.map(|lost| Lost::by_steps(format!("at its fastest {lost}")))
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.write(writer)
    }
}

/// The sine in its window; times in seconds.
#[derive(Debug)]
struct Sweeping {
    f_start: f64,
    f_stop: f64,
    start: f64,
    length: f64,
    exponential: bool,
    window: Window,
}

impl Wave for Sweeping {
    fn at(&self, k: u64, clock: Clock) -> (f64, f64) {
        let Self { f_start, f_stop, start, length, exponential, window } = *self;
        let share = window.share(k);
        if share == 0.0 {
            return (0.0, 0.0);
        }
        // The step in which it begins has the value of its beginning.
        let u = (clock.seconds(k) - start).max(0.0);
        let cycles = if exponential && f_start != f_stop {
            let ratio = f_stop / f_start;
            f_start * length / log(ratio) * (pow(ratio, u / length) - 1.0)
        } else {
            u * (0.5 * (f_stop - f_start) / length).mul_add(u, f_start)
        };
        (share * turn(cycles, 0.0), share)
    }
}

#[cfg(test)]
mod tests {
    use super::super::course::factors;
    use super::*;

    #[test]
    fn chirps_follow_their_formulas() {
        for exponential in [false, true] {
            let (f0, f1, length) = (5.0, 80.0, 0.5);
            let chirp = Chirp {
                amplitude: Value::Constant(1.0),
                f_start: f0,
                f_stop: f1,
                start: 0.0,
                stop: length,
                offset: Value::Constant(1.0),
                exponential,
            };
            for (k, v) in factors(&chirp, 5000).iter().enumerate() {
                let t = k as f64 * 1e-4;
                let cycles = if exponential {
                    f0 * length / (f1 / f0).ln() * ((f1 / f0).powf(t / length) - 1.0)
                } else {
                    f0 * t + 0.5 * (f1 - f0) / length * t * t
                };
                assert!((v - (std::f64::consts::TAU * cycles).sin()).abs() < 1e-9, "{k}");
            }
        }
    }
}
