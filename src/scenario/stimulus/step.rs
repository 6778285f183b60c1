//! One value from one time to another.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Arrives, AtRest, FromKeys, Stimulus, StimulusKind, TimeCourse, course, course::Window};
use crate::Clock;
use crate::language::{Amount, Declared, Reader, Start, Stop, Target, Writer, declare};
use crate::spec::Value;

declare! {
    /// one value from `start` to `stop`
    pub struct Step = "step" {
        /// value inside
        amplitude: Value = Amount<Target>, needs "1 {unit}";
        /// when it begins; within a step it acts for a part of it: that part of the amplitude, for the whole step
        start: f64 = Start, or "0 s";
        /// when it ends, in the same way
        stop: f64 = Stop, without "the end of the run";
    }
}

impl FromKeys for Step {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Input;

    fn resolve(keys: Self, _: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        Some(keys.into())
    }
}

impl Stimulus for Step {
    fn course(&self, clock: Clock) -> TimeCourse<'_> {
        TimeCourse::Wave {
            amplitude: course::Amount::new("amplitude", &self.amplitude),
            less: None,
            offset: None,
            wave: Arc::new(Window::between(self.start, self.stop, clock)),
        }
    }

    fn at_rest(&self, end: f64) -> AtRest<'_> {
        // A step that still acts at the end is what the equations see for good.
        if self.start < end && self.stop >= end * (1.0 - 1e-12) { AtRest::Is(&self.amplitude) } else { AtRest::Zero }
    }

    fn drawn_in_steps(&self) -> bool {
        false
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.write(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::course::factors;
    use super::*;

    #[test]
    fn steps_act_for_the_part_of_a_step_that_they_cover() {
        let amplitude = Value::Constant(1.0);
        let v = factors(&Step { amplitude: amplitude.clone(), start: 0.3e-3, stop: 0.7e-3 }, 10);
        assert_eq!(v, [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(factors(&Step { amplitude: amplitude.clone(), start: 0.0, stop: f64::INFINITY }, 3), [1.0; 3]);
        // Whatever the ends, the charge is the length.
        for (start, stop) in [(0.33e-3, 0.7e-3), (0.3e-3, 0.75e-3), (0.31e-3, 0.39e-3), (0.999e-3, 1.234e-3)] {
            let v = factors(&Step { amplitude: amplitude.clone(), start, stop }, 20);
            assert!((v.iter().sum::<f64>() * 1e-4 - (stop - start)).abs() < 1e-15, "{start} {stop}: {v:?}");
            let (first, last) = ((start / 1e-4 + 1e-6) as usize, (stop / 1e-4 - 1e-6).ceil() as usize);
            assert!(v.iter().enumerate().all(|(k, v)| (*v > 0.0) == (first..last).contains(&k)), "{v:?}");
        }
    }
}
