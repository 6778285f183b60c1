//! White noise.

use serde_json::{Map, Value as Json};

use super::{Arrives, AtRest, FromKeys, GaussianSteps, Generator, Spread, Stimulus, StimulusKind, TimeCourse, course};
use crate::Clock;
use crate::language::{Amount, Declared, Density, Field, Key, Reader, Takes, Target, Word, Writer, declare, words};
use crate::spec::Value;
use spikedeck_model::document::Node;

words! {
    /// What the amplitude of white noise is.
    pub enum Scaling {
        /// a density (unit of the input times s**0.5): each step has the standard deviation amplitude/sqrt(dt)
        Density = "density",
        /// the standard deviation in each step, not scaled with it: the power of such noise depends on the step
        PerSample = "per_sample",
    }
}

declare! {
    /// white noise of a density (unit of the input times s**0.5); `scaling = "per_sample"`: not scaled with the step
    pub struct WhiteNoise = "white_noise" {
        /// mean
        mean: Value = Amount<Target>, or "0";
        /// density; with `scaling = "per_sample"` the standard deviation in a step
        amplitude: Value = Spectral, needs "1 {unit}";
        /// what the amplitude is
        scaling: Scaling = Word<Scaling>, or "density";
        /// where the normal numbers come from
        generator: Generator = Word<Generator>, or "counter";
    }
}

/// The amplitude: its unit follows `scaling`.
struct Spectral;

impl Field for Spectral {
    type Out = Value;
    const TAKES: Takes = Amount::<Density>::TAKES;

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<Value> {
        let scaling = reader.node("scaling").and_then(Node::as_text);
        if scaling.and_then(<Scaling as crate::language::Words>::of) == Some(Scaling::PerSample) {
            Amount::<Target>::read(reader, key, node)
        } else {
            Amount::<Density>::read(reader, key, node)
        }
    }

    fn absent(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key) -> Option<Value> {
        Amount::<Density>::absent(reader, key)
    }

    fn write(value: &Value, writer: &dyn Writer) -> Json {
        Amount::<Density>::write(value, writer)
    }
}

impl FromKeys for WhiteNoise {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Input;

    fn resolve(keys: Self, reader: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        let Self { mean, amplitude, scaling, generator } = keys;
        Some(match scaling {
            Scaling::Density => Self { mean, amplitude, scaling, generator }.into(),
            // Numbers of the step as it was stated: at another step they stay what they are.
            Scaling::PerSample => {
                GaussianSteps { mean, sigma: amplitude, interval: reader.resolver.dt, generator }.into()
            }
        })
    }
}

impl Stimulus for WhiteNoise {
    fn course(&self, _: Clock) -> TimeCourse<'_> {
        TimeCourse::Normal {
            mean: course::Amount::new("mean", &self.mean),
            spread: Spread::Density(course::Amount::new("amplitude", &self.amplitude)),
            every: 1,
            generator: self.generator,
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
