//! An expression in time.

use serde_json::{Map, Value as Json};

use super::{Arrives, AtRest, FromKeys, Lost, Stimulus, StimulusKind, TimeCourse, course};
use crate::language::{Declared, Field, Key, Of, Reader, Takes, Writer, declare};
use crate::value::KnownNames;
use crate::{Clock, UnitName};
use spikedeck_core::units::Dimension;
use spikedeck_equation::Formula;
use spikedeck_model::document::Node;

declare! {
    /// an expression in t, i, N and positions
    pub struct Expression = "expression" {
        /// expression in `t` (seconds; a plain number in dimensionless scenarios), `i`, `N` and positions (metres)
        value: Formula<UnitName> = InTime, needs "[1 nA]*sin(t/[10 ms])";
    }
}

/// An expression in time, of the unit of the target.
struct InTime;

impl Field for InTime {
    type Out = Formula<UnitName>;
    const TAKES: Takes = Takes::Value(Of::Target);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<Formula<UnitName>> {
        let target = reader.context.target;
        in_time(reader, key, node, target)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<Formula<UnitName>> {
        None
    }

    fn write(value: &Formula<UnitName>, writer: &dyn Writer) -> Json {
        writer.expression(value.text())
    }
}

/// A text as an expression in time of this dimension.
pub(super) fn in_time(
    reader: &mut Reader<'_, '_, '_, '_>,
    key: &'static Key,
    node: &Node,
    dimension: Dimension,
) -> Option<Formula<UnitName>> {
    let text = reader.resolver.text(node, &format!("`{}`", key.name))?.to_owned();
    let names = reader.context.names.clone().unwrap_or_else(KnownNames::none).with([(
        "t",
        reader.resolver.time_dimension(),
        UnitName::Time,
    )]);
    reader.resolver.expression(node, &text, dimension, &names)
}

impl FromKeys for Expression {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Input;

    fn resolve(keys: Self, _: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        Some(keys.into())
    }
}

impl Stimulus for Expression {
    fn course(&self, _: Clock) -> TimeCourse<'_> {
        TimeCourse::Expression { value: &self.value }
    }

    fn at_rest(&self, _: f64) -> AtRest<'_> {
        AtRest::Changes
    }

    fn drawn_in_steps(&self) -> bool {
        false
    }

    fn lost_in_steps(&self, dt: f64, duration: f64) -> Option<Lost> {
        course::too_fast(&self.value, dt, duration).map(Lost::by_steps)
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.write(writer)
    }
}
