//! A stimulus that is always the same.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Arrives, AtRest, FromKeys, Stimulus, StimulusKind, TimeCourse, course, course::Window};
use crate::Clock;
use crate::language::{Amount, Declared, Reader, Target, Writer, declare};
use crate::spec::Value;

declare! {
    /// always the same
    pub struct Constant = "constant" {
        /// value
        amplitude: Value = Amount<Target>, needs "1 {unit}";
    }
}

impl FromKeys for Constant {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Input;

    fn resolve(keys: Self, _: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        Some(keys.into())
    }
}

impl Stimulus for Constant {
    fn course(&self, _: Clock) -> TimeCourse<'_> {
        TimeCourse::Wave {
            amplitude: course::Amount::new("amplitude", &self.amplitude),
            less: None,
            offset: None,
            wave: Arc::new(Window::ALWAYS),
        }
    }

    fn at_rest(&self, _: f64) -> AtRest<'_> {
        AtRest::Is(&self.amplitude)
    }

    fn drawn_in_steps(&self) -> bool {
        false
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.write(writer)
    }
}
