//! One Gaussian in time.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Arrives, AtRest, FromKeys, Lost, Stimulus, StimulusKind, TimeCourse, Wave, course};
use crate::Clock;
use crate::language::{Amount, Declared, Reader, Target, Time, Writer, declare};
use crate::spec::Value;
use spikedeck_core::math::exp;

declare! {
    /// one Gaussian in time
    pub struct GaussianPulse = "gaussian_pulse" {
        /// value at the peak
        amplitude: Value = Amount<Target>, needs "1 {unit}";
        /// time of the peak
        center: f64 = Time, needs "100 ms";
        /// standard deviation in time
        sigma: f64 = Time, needs "10 ms", above 0.0;
    }
}

impl FromKeys for GaussianPulse {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Input;

    fn resolve(keys: Self, _: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        Some(keys.into())
    }
}

impl Stimulus for GaussianPulse {
    fn course(&self, _: Clock) -> TimeCourse<'_> {
        TimeCourse::Wave {
            amplitude: course::Amount::new("amplitude", &self.amplitude),
            less: None,
            offset: None,
            wave: Arc::new(Bell { center: self.center, sigma: self.sigma }),
        }
    }

    fn at_rest(&self, _: f64) -> AtRest<'_> {
        AtRest::Changes
    }

    fn drawn_in_steps(&self) -> bool {
        false
    }

    fn lost_in_steps(&self, dt: f64, duration: f64) -> Option<Lost> {
        let beside = self.center + 6.0 * self.sigma < 0.0 || self.center - 6.0 * self.sigma > duration;
        if beside {
            return Some(Lost::outside("is over before the run begins, or begins after its end".to_owned()));
        }
        // Values at even points sum up to the area as long as a step is no longer than two deviations (to 1.4 %).
        (self.sigma < 0.5 * dt).then(|| {
            Lost::by_steps(format!(
                "is {:.3} steps wide, and holds one value for a whole step: what acts depends on where its peak \
                 is between \
                 two steps",
                self.sigma / dt
            ))
        })
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.write(writer)
    }
}

/// One at the center.
#[derive(Debug)]
struct Bell {
    center: f64,
    sigma: f64,
}

impl Wave for Bell {
    fn at(&self, k: u64, clock: Clock) -> (f64, f64) {
        let z = (clock.seconds(k) - self.center) / self.sigma;
        (exp(-0.5 * z * z), 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::course::factors;
    use super::*;

    #[test]
    fn the_pulse_follows_its_formula() {
        let v = factors(&GaussianPulse { amplitude: Value::Constant(1.0), center: 2e-3, sigma: 0.5e-3 }, 50);
        assert!(v[20] == 1.0 && (v[25] - (-0.5f64).exp()).abs() < 1e-12);
    }
}
