//! Rectangular pulses.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Arrives, AtRest, FromKeys, Stimulus, StimulusKind, TimeCourse, Wave, course};
use crate::Clock;
use crate::language::{Amount, Declared, Reader, Start, Stop, Target, Time, Writer, declare};
use crate::spec::Value;

declare! {
    /// rectangular pulses
    pub struct PulseTrain = "pulse_train" {
        /// value inside a pulse
        amplitude: Value = Amount<Target>, needs "1 {unit}";
        /// the first onset
        start: f64 = Start, or "0 s";
        /// no pulse starts at or after this
        stop: f64 = Stop, without "the end of the run";
        /// from onset to onset
        period: f64 = Time, needs "100 ms", above 0.0;
        /// length of a pulse; not above the period
        width: f64 = Time, needs "5 ms", above 0.0;
    }
}

impl FromKeys for PulseTrain {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Input;

    fn resolve(keys: Self, reader: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        if keys.width > keys.period {
            reader.error("width", "a pulse is not wider than the period");
            return None;
        }
        Some(keys.into())
    }
}

impl Stimulus for PulseTrain {
    fn course(&self, clock: Clock) -> TimeCourse<'_> {
        TimeCourse::Wave {
            amplitude: course::Amount::new("amplitude", &self.amplitude),
            less: None,
            offset: None,
            wave: Arc::new(Pulses {
                on: clock.first_at(self.start),
                off: self.stop,
                start: self.start,
                period: self.period,
                width: self.width,
            }),
        }
    }

    fn at_rest(&self, _: f64) -> AtRest<'_> {
        AtRest::Changes
    }

    fn drawn_in_steps(&self) -> bool {
        false
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.write(writer)
    }
}

/// One within pulses; all in seconds but the first grid point.
#[derive(Debug)]
struct Pulses {
    on: u64,
    off: f64,
    start: f64,
    period: f64,
    width: f64,
}

impl Wave for Pulses {
    fn at(&self, k: u64, clock: Clock) -> (f64, f64) {
        let Self { on, off, start, period, width } = *self;
        if k < on {
            return (0.0, 1.0);
        }
        let t = clock.seconds(k);
        // The pulse whose onset is the last one on or before grid point k; both its ends fall on grid points.
        let mut n = ((t - start) / period).floor().max(0.0);
        if clock.first_at(period.mul_add(n + 1.0, start)) <= k {
            n += 1.0;
        } else if n > 0.0 && clock.first_at(period.mul_add(n, start)) > k {
            n -= 1.0;
        }
        let onset = period.mul_add(n, start);
        let high = clock.first_at(onset) < clock.first_at(off) && k < clock.first_at(onset + width);
        (f64::from(u8::from(high)), 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::course::factors;
    use super::*;

    #[test]
    fn pulses_have_their_width_and_number() {
        let amplitude = Value::Constant(1.0);
        let train = PulseTrain { amplitude: amplitude.clone(), start: 1e-3, stop: 9e-3, period: 2e-3, width: 0.5e-3 };
        let v = factors(&train, 200);
        let onsets: Vec<usize> = (1..200).filter(|&k| v[k] > v[k - 1]).collect();
        assert_eq!(onsets, [10, 30, 50, 70], "none at or after 9 ms");
        assert_eq!(v.iter().sum::<f64>(), 4.0 * 5.0);
        // A period that is no multiple of the step: onsets at the next grid points.
        let train = PulseTrain { amplitude, start: 0.0, stop: 1.0, period: 1.0 / 3000.0, width: 1e-4 };
        let v = factors(&train, 30);
        assert_eq!((0..30).filter(|&k| v[k] == 1.0).collect::<Vec<_>>(), [0, 4, 7, 10, 14, 17, 20, 24, 27]);
    }
}
