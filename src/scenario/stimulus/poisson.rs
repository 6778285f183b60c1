//! Poisson spikes.

use serde_json::{Map, Value as Json};

use super::course::EventRate;
use super::rate::{self, Rate};
use super::{Arrives, AtRest, FromKeys, Lost, Stimulus, StimulusKind, TimeCourse, course};
use crate::Clock;
use crate::language::{Declared, Reader, Start, Stop, Weight, Whole, Writer, declare};
use crate::spec::Value;

declare! {
    /// Poisson spikes, into a receptor or played by a population
    pub struct Poisson = "poisson" {
        /// rate of each source: a value, a file, or an expression in `t`, `i`, `N` and positions; none where below zero
        rate: Rate = rate::EventRate, needs "1 {unit}";
        /// sources of each unit; their sum is drawn
        sources: u64 = Whole, or "1", from 1.0;
        /// weight of each spike
        weight: Value = Weight, needs "1 {unit}";
        /// when it begins; of a step of which a part is inside each event counts with the chance of that part
        start: f64 = Start, or "0 s";
        /// when it ends
        stop: f64 = Stop, without "the end of the run";
    }
}

impl FromKeys for Poisson {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Receptor;

    fn resolve(keys: Self, reader: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        if matches!(keys.rate, Rate::Steady(Value::Constant(rate)) if rate < 0.0) {
            reader.error("rate", "a rate is not negative");
        }
        Some(keys.into())
    }
}

impl Stimulus for Poisson {
    fn course(&self, clock: Clock) -> TimeCourse<'_> {
        TimeCourse::Poisson {
            rate: EventRate::of(&self.rate),
            sources: self.sources,
            weight: course::Amount::new("weight", &self.weight),
            window: course::Window::between(self.start, self.stop, clock),
        }
    }

    fn at_rest(&self, _: f64) -> AtRest<'_> {
        AtRest::Changes
    }

    fn drawn_in_steps(&self) -> bool {
        true
    }

    fn lost_in_steps(&self, dt: f64, duration: f64) -> Option<Lost> {
        self.rate.lost_in_steps(dt, duration)
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.write(writer)
    }
}
