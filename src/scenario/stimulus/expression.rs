//! An expression in time.

use serde_json::{Map, Value as Json, json};

use super::{Arrives, AtRest, Course, Kind, Stimulus, StimulusKind};
use crate::Clock;
use crate::language::{Declared, Field, Key, Of, Reader, Takes, Writer, declare};
use spikedeck_model::document::Node;

declare! {
    /// an expression in t, i, N and positions
    pub struct Expression = "expression" {
        /// expression in `t` (seconds; a plain number in dimensionless scenarios), `i`, `N` and positions (metres)
        value: String = InTime, needs "[1 nA]*sin(t/[10 ms])";
    }
}

/// An expression in time, of the unit of the target; its text.
struct InTime;

impl Field for InTime {
    type Out = String;
    const TAKES: Takes = Takes::Value(Of::Target);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<String> {
        let text = reader.desk.text(node, &format!("`{}`", key.name))?.to_owned();
        let names = reader.context.names.clone().unwrap_or_default().with([("t", reader.desk.time_dimension())]);
        reader.desk.expression(node, &text, reader.context.target, &names).then_some(text)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<String> {
        None
    }

    fn write(value: &String, _: &dyn Writer) -> Json {
        json!(value)
    }
}

impl Kind for Expression {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Input;

    fn resolve(keys: Self, _: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        Some(keys.into())
    }
}

impl Stimulus for Expression {
    fn course(&self, _: Clock) -> Course<'_> {
        Course::Expression { value: &self.value }
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
