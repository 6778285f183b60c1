//! Coloured noise.

use serde_json::{Map, Value as Json};

use super::{Arrives, AtRest, FromKeys, Stimulus, StimulusKind, TimeCourse, course};
use crate::Clock;
use crate::language::{Amount, Declared, Reader, Target, Time, Writer, declare};
use crate::spec::Value;

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

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.write(writer)
    }
}
