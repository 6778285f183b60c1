//! A sine.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{
    Arrives, AtRest, FromKeys, Lost, Stimulus, StimulusKind, TimeCourse, Wave, course,
    course::{Window, turn},
};
use crate::Clock;
use crate::language::{Amount, Declared, Flag, Frequency, Number, Reader, Start, Stop, Target, Writer, declare};
use crate::spec::Value;

declare! {
    /// sine, or its absolute value (`rectified`)
    pub struct Sine = "sine" {
        /// height of the sine
        amplitude: Value = Amount<Target>, needs "1 {unit}";
        /// turns a time
        frequency: f64 = Frequency, needs "10 Hz";
        /// phase at time zero, in radians
        phase: f64 = Number, or "0";
        /// added to the sine
        offset: Value = Amount<Target>, or "0";
        /// the absolute value of the sine
        rectified: bool = Flag, or "false";
        /// when it begins
        start: f64 = Start, or "0 s";
        /// when it ends
        stop: f64 = Stop, without "the end of the run";
    }
}

impl FromKeys for Sine {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Input;

    fn resolve(keys: Self, _: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        Some(keys.into())
    }
}

impl Stimulus for Sine {
    fn course(&self, clock: Clock) -> TimeCourse<'_> {
        TimeCourse::Wave {
            amplitude: course::Amount::new("amplitude", &self.amplitude),
            less: None,
            offset: Some(course::Amount::new("offset", &self.offset)),
            wave: Arc::new(Turning {
                frequency: self.frequency,
                phase: self.phase,
                rectified: self.rectified,
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
        // The absolute value does in half a turn what the sine does in one.
        course::aliased(self.frequency * dt * if self.rectified { 2.0 } else { 1.0 }).map(Lost::by_steps)
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.write(writer)
    }
}

/// The sine in its window.
#[derive(Debug)]
struct Turning {
    frequency: f64,
    phase: f64,
    rectified: bool,
    window: Window,
}

impl Wave for Turning {
    fn at(&self, k: u64, clock: Clock) -> (f64, f64) {
        let share = self.window.share(k);
        if share == 0.0 {
            return (0.0, 0.0);
        }
        let value = turn(self.frequency * clock.seconds(k), self.phase);
        (share * if self.rectified { value.abs() } else { value }, share)
    }
}

#[cfg(test)]
mod tests {
    use super::super::course::factors;
    use super::*;

    #[test]
    fn the_sine_follows_its_formula() {
        let sine = Sine {
            amplitude: Value::Constant(1.0),
            frequency: 40.0,
            phase: 0.3,
            offset: Value::Constant(1.0),
            rectified: false,
            start: 0.0,
            stop: 0.4e-2,
        };
        let v = factors(&sine, 50);
        for (k, v) in v.iter().enumerate().take(40) {
            assert!((v - (std::f64::consts::TAU * 40.0 * k as f64 * 1e-4 + 0.3).sin()).abs() < 1e-12);
        }
        assert_eq!(v[40], 0.0);
    }
}
