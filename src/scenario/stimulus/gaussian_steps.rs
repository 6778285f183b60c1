//! Normal values that hold for an interval.

use serde_json::{Map, Value as Json};

use super::{Arrives, AtRest, FromKeys, Generator, Spread, Stimulus, StimulusKind, TimeCourse, course};
use crate::Clock;
use crate::language::{Amount, Declared, Reader, Target, Time, Word, Writer, declare};
use crate::spec::Value;

declare! {
    /// normal values redrawn every interval
    pub struct GaussianSteps = "gaussian_steps" {
        /// mean
        mean: Value = Amount<Target>, or "0";
        /// standard deviation
        sigma: Value = Amount<Target>, needs "1 {unit}";
        /// time between draws: a multiple of the step
        interval: f64 = Time, needs "1 ms", above 0.0;
        /// where the normal numbers come from
        generator: Generator = Word<Generator>, or "counter";
    }
}

impl FromKeys for GaussianSteps {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Input;

    fn resolve(keys: Self, reader: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        let place = reader.node("interval")?.place.clone();
        reader.resolver.multiple(&place, keys.interval, "`interval`")?;
        Some(keys.into())
    }
}

impl Stimulus for GaussianSteps {
    fn course(&self, clock: Clock) -> TimeCourse<'_> {
        TimeCourse::Normal {
            mean: course::Amount::new("mean", &self.mean),
            spread: Spread::Deviation(course::Amount::new("sigma", &self.sigma)),
            every: clock.steps(self.interval).max(1),
            generator: self.generator,
        }
    }

    fn at_rest(&self, _: f64) -> AtRest<'_> {
        AtRest::Mean(&self.mean)
    }

    fn drawn_in_steps(&self) -> bool {
        // The interval is a time: at another step the same numbers are drawn.
        false
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.write(writer)
    }
}
