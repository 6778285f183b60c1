//! Coloured noise.

use serde_json::{Map, Value as Json};

use super::{Arrives, AtRest, FromKeys, Lost, Stimulus, StimulusKind, TimeCourse, course};
use crate::Clock;
use crate::language::{Amount, Declared, Reader, Target, Time, Writer, declare};
use crate::spec::Value;
use spikedeck_core::math::tanh;

declare! {
    /// Ornstein-Uhlenbeck process, independent for each unit
    pub struct OuNoise = "ou_noise" {
        /// mean
        mean: Value = Amount<Target>, or "0";
        /// stationary standard deviation
        sigma: Value = Amount<Target>, needs "1 {unit}";
        /// correlation time
        tau: f64 = Time, needs "5 ms", above 0.0;
    }
}

impl FromKeys for OuNoise {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Input;

    fn resolve(keys: Self, _: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        Some(keys.into())
    }
}

impl Stimulus for OuNoise {
    fn course(&self, _: Clock) -> TimeCourse<'_> {
        TimeCourse::OrnsteinUhlenbeck {
            mean: course::Amount::new("mean", &self.mean),
            sigma: course::Amount::new("sigma", &self.sigma),
            tau: self.tau,
        }
    }

    fn at_rest(&self, _: f64) -> AtRest<'_> {
        AtRest::Mean(&self.mean)
    }

    fn drawn_in_steps(&self) -> bool {
        true
    }

    fn lost_in_steps(&self, dt: f64, _: f64) -> Option<Lost> {
        // Held for a step, x = dt/tau: the density at low frequencies is (x/2) coth(x/2) of what the process has.
        let half = 0.5 * dt / self.tau;
        (self.tau < dt).then(|| {
            Lost::by_steps(format!(
                "forgets in {:.3} steps, and holds one value for a whole step: its slow frequencies have {:.2} \
                 times the \
                 power that sigma and tau say (`white_noise` states its density, whatever the step is)",
                self.tau / dt,
                half / tanh(half)
            ))
        })
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.write(writer)
    }
}
