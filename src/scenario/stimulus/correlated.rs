//! Spike trains that share events of one train (Kuhn, Aertsen, Rotter 2003, doi:10.1162/089976603321043702).

use serde_json::{Map, Value as Json};

use super::{Arrives, AtRest, FromKeys, Stimulus, StimulusKind, TimeCourse, course};
use crate::Clock;
use crate::language::{Declared, Frequency, Number, Reader, Start, Stop, Time, Weight, Word, Writer, declare, words};
use crate::spec::Value;

words! {
    /// How events are shared.
    pub enum Sharing {
        /// multiple interaction process: each unit keeps each event of one train with the probability `correlation`
        Multiple = "multiple",
        /// single interaction process: one train of `correlation` times the rate goes to all, beside their own
        Single = "single",
    }
}

declare! {
    /// Poisson spikes of which units share some, into a receptor or played by a population
    pub struct Correlated = "correlated" {
        /// rate of each unit
        rate: f64 = Frequency, needs "10 {unit}", above 0.0;
        /// correlation of the counts of two units in any window that is long against `jitter`
        correlation: f64 = Number, needs "0.1", from 0.0 to 1.0;
        /// how events are shared
        sharing: Sharing = Word<Sharing>, or "multiple";
        /// each unit has a shared event later by a time of its own, uniform from zero to this
        jitter: f64 = Time, or "0 s";
        /// weight of each spike
        weight: Value = Weight, needs "1 {unit}";
        /// when it begins
        start: f64 = Start, or "0 s";
        /// when it ends
        stop: f64 = Stop, without "the end of the run";
    }
}

impl FromKeys for Correlated {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Receptor;

    fn resolve(keys: Self, reader: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        if keys.correlation == 0.0 {
            reader.error_help(
                "correlation",
                "trains without correlation share no events",
                "`kind = \"poisson\"` has independent trains",
            );
            return None;
        }
        Some(keys.into())
    }
}

impl Stimulus for Correlated {
    fn course(&self, clock: Clock) -> TimeCourse<'_> {
        let Self { rate, correlation, sharing, jitter, ref weight, start, stop } = *self;
        // The shared train, the share of its events that a unit has, and what a unit has by itself.
        let (shared, kept, own) = match sharing {
            Sharing::Multiple => (rate / correlation, correlation, 0.0),
            Sharing::Single => (rate * correlation, 1.0, rate * (1.0 - correlation)),
        };
        TimeCourse::Shared {
            shared,
            kept,
            own,
            jitter,
            weight: course::Amount::new("weight", weight),
            window: course::Window::between(start, stop, clock),
        }
    }

    fn at_rest(&self, _: f64) -> AtRest<'_> {
        AtRest::Changes
    }

    fn drawn_in_steps(&self) -> bool {
        true
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.write(writer)
    }
}
