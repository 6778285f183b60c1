//! Linear from one value to another.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Arrives, AtRest, FromKeys, Lost, Stimulus, StimulusKind, TimeCourse, Wave, course, course::Window};
use crate::Clock;
use crate::language::{Amount, Declared, Reader, Start, Stop, Target, Writer, declare};
use crate::spec::Value;

declare! {
    /// linear from one value to another, then held
    pub struct Ramp = "ramp" {
        /// value at the start
        from: Value = Amount<Target>, or "0";
        /// value at the stop, and after it
        to: Value = Amount<Target>, needs "1 {unit}";
        /// when it begins
        start: f64 = Start, or "0 s";
        /// when it ends
        stop: f64 = Stop, without "the end of the run";
    }
}

impl FromKeys for Ramp {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Input;

    fn resolve(keys: Self, _: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        Some(keys.into())
    }
}

impl Stimulus for Ramp {
    fn course(&self, _: Clock) -> TimeCourse<'_> {
        TimeCourse::Wave {
            amplitude: course::Amount::new("to", &self.to),
            less: Some(course::Amount::new("from", &self.from)),
            offset: Some(course::Amount::new("from", &self.from)),
            wave: Arc::new(Rise { start: self.start, stop: self.stop }),
        }
    }

    fn at_rest(&self, end: f64) -> AtRest<'_> {
        if self.stop <= end { AtRest::Is(&self.to) } else { AtRest::Changes }
    }

    fn drawn_in_steps(&self) -> bool {
        false
    }

    fn lost_in_steps(&self, dt: f64, _: f64) -> Option<Lost> {
        let steps = (self.stop - self.start) / dt;
        // The value at the beginning of a step holds until its end: half a step is lost of the rise.
        (steps > 0.0 && steps < 10.0).then(|| {
            Lost::by_steps(format!(
                "rises within {steps:.3} steps, and holds one value for a whole step: what acts is that of a ramp half \
                 a step later"
            ))
        })
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.write(writer)
    }
}

/// From 0 at `start` to 1 at `stop`, then held.
#[derive(Debug)]
struct Rise {
    start: f64,
    stop: f64,
}

impl Wave for Rise {
    fn at(&self, k: u64, clock: Clock) -> (f64, f64) {
        let t = clock.seconds(k);
        let Self { start, stop } = *self;
        let f =
            if stop > start { ((t - start) / (stop - start)).clamp(0.0, 1.0) } else { f64::from(u8::from(t >= start)) };
        (f, Window::between(start, f64::INFINITY, clock).share(k))
    }
}

#[cfg(test)]
mod tests {
    use super::super::course::factors;
    use super::*;

    #[test]
    fn ramps_are_straight_between_their_ends() {
        let one = || Value::Constant(1.0);
        let v = factors(&Ramp { from: one(), to: one(), start: 1e-3, stop: 3e-3 }, 50);
        let (steep, flat) = (
            Ramp { from: one(), to: one(), start: 2.5e-3, stop: 3.4e-3 },
            Ramp { from: one(), to: one(), start: 2.5e-3, stop: 3.5e-3 },
        );
        assert!(steep.lost_in_steps(1e-4, 1.0).is_some() && flat.lost_in_steps(1e-4, 1.0).is_none());
        assert!(v[10] == 0.0 && (v[20] - 0.5).abs() < 1e-12 && v[30] == 1.0 && v[49] == 1.0);
    }
}
