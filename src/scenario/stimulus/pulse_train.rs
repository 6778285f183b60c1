//! Rectangular pulses.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Arrives, AtRest, FromKeys, Stimulus, StimulusKind, TimeCourse, Wave, course, course::Window};
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
    fn course(&self, _: Clock) -> TimeCourse<'_> {
        TimeCourse::Wave {
            amplitude: course::Amount::new("amplitude", &self.amplitude),
            less: None,
            offset: None,
            wave: Arc::new(Pulses { stop: self.stop, start: self.start, period: self.period, width: self.width }),
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

/// One within pulses, and in a step that pulses cover in part that part; all in seconds.
#[derive(Debug)]
struct Pulses {
    start: f64,
    stop: f64,
    period: f64,
    width: f64,
}

impl Wave for Pulses {
    fn at(&self, k: u64, clock: Clock) -> (f64, f64) {
        let Self { start, stop, period, width } = *self;
        if period < clock.dt / MOST {
            let begin = clock.seconds(k);
            return ((self.until(begin + clock.dt) - self.until(begin)).clamp(0.0, clock.dt) / clock.dt, 1.0);
        }
        let onset = |n: f64| period.mul_add(n, start);
        // From the last pulse that began before the step (the one before it, for rounding) to the last that begins in
        // it.
        let mut n = (((clock.seconds(k) - start) / period).floor() - 1.0).max(0.0);
        let (end, last) = ((k + 1) as f64, clock.place(stop));
        let mut covered = 0.0;
        while clock.place(onset(n)) < end.min(last) {
            covered += Window::between(onset(n), onset(n) + width, clock).share(k);
            n += 1.0;
        }
        (covered, 1.0)
    }
}

/// Pulses in a step that are taken one by one. Of more than these the sum is closed.
const MOST: f64 = 64.0;

impl Pulses {
    /// For how long pulses have lasted until `t`.
    fn until(&self, t: f64) -> f64 {
        let passed = (t - self.start).max(0.0);
        let (begun, all) = ((passed / self.period).floor(), ((self.stop - self.start) / self.period).ceil().max(0.0));
        if begun >= all {
            return all * self.width;
        }
        begun.mul_add(self.width, begun.mul_add(-self.period, passed).clamp(0.0, self.width))
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
        // A period that is no multiple of the step: each pulse in the steps that it covers, 9 of a whole step in all.
        let train =
            PulseTrain { amplitude: amplitude.clone(), start: 0.0, stop: 1.0, period: 1.0 / 3000.0, width: 1e-4 };
        let v = factors(&train, 30);
        assert!((v.iter().sum::<f64>() - 9.0).abs() < 1e-12, "{v:?}");
        assert_eq!((0..30).filter(|&k| v[k] == 1.0).collect::<Vec<_>>(), [0, 10, 20]);
        assert!((v[3] - 2.0 / 3.0).abs() < 1e-12 && (v[4] - 1.0 / 3.0).abs() < 1e-12, "{v:?}");
        // Many pulses in a step, and pulses that touch.
        let train = PulseTrain { amplitude: amplitude.clone(), start: 0.0, stop: 1.0, period: 2e-5, width: 0.5e-5 };
        assert!(factors(&train, 30).iter().all(|v| (v - 0.25).abs() < 1e-12));
        let train = PulseTrain { amplitude, start: 0.33e-4, stop: 1.0, period: 1.7e-4, width: 1.7e-4 };
        let v = factors(&train, 30);
        assert!((v[0] - 0.67).abs() < 1e-12 && v[1..].iter().all(|v| (v - 1.0).abs() < 1e-12), "{v:?}");
    }

    /// Pulses that nobody would count one by one, against their share of the time, and against those that are counted.
    #[test]
    fn many_pulses_in_a_step_are_their_share_of_it() {
        let amplitude = Value::Constant(1.0);
        let train = |period: f64, width: f64| PulseTrain {
            amplitude: amplitude.clone(),
            start: 0.35e-4,
            stop: 20.5e-4,
            period,
            width,
        };
        for period in [1e-7, 1e-9, 1e-15, 1e-18] {
            for share in [0.0, 0.3, 1.0] {
                let v = factors(&train(period, share * period), 30);
                assert!((v[0] - 0.65 * share).abs() < 2e-3, "{period} {share}: {v:?}");
                assert!(v[1..20].iter().all(|v| (v - share).abs() < 2e-3 && *v <= 1.0), "{period} {share}: {v:?}");
                assert!((v[20] - 0.5 * share).abs() < 2e-3 && v[21..].iter().all(|v| *v == 0.0), "{v:?}");
            }
        }
        // On both sides of the bound, and pulses whose ends are not those of steps.
        let (one, other) = (1e-4 / 63.5, 1e-4 / 64.5);
        for (k, (a, b)) in
            factors(&train(one, 0.4 * one), 30).iter().zip(factors(&train(other, 0.4 * other), 30)).enumerate()
        {
            assert!((a - b).abs() < 0.02, "{k}: {a} {b}");
        }
    }
}
