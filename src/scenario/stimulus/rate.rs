//! The rate of events: one value a unit, or an expression that changes in time.

use serde_json::Value as Json;

use super::expression::in_time;
use crate::UnitName;
use crate::language::{Amount, Field, Key, Of, PerTime, Reader, Takes, Writer};
use crate::spec::Value;
use crate::value::is_expression;
use spikedeck_equation::Formula;
use spikedeck_model::document::{Item, Node};

/// Events per time.
#[derive(Debug, Clone, PartialEq)]
pub enum Rate {
    /// The same all the time.
    Steady(Value),
    /// Changing in time, as this expression in `t` says.
    InTime(Formula<UnitName>),
}

/// A rate, or an expression of one in `t`.
pub(super) struct EventRate;

impl Field for EventRate {
    type Out = Rate;
    const TAKES: Takes = Takes::Value(Of::Frequency);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<Rate> {
        if let Item::Text(text) = &node.item
            && is_expression(text)
        {
            let dimension = reader.dimension(Of::Frequency);
            let formula = in_time(reader, key, node, dimension)?;
            let changes = formula.names().contains(&UnitName::Time);
            return Some(if changes { Rate::InTime(formula) } else { Rate::Steady(Value::Expression(formula)) });
        }
        Amount::<PerTime>::read(reader, key, node).map(Rate::Steady)
    }

    fn absent(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key) -> Option<Rate> {
        Amount::<PerTime>::absent(reader, key).map(Rate::Steady)
    }

    fn write(rate: &Rate, writer: &dyn Writer) -> Json {
        match rate {
            Rate::Steady(value) => Amount::<PerTime>::write(value, writer),
            Rate::InTime(formula) => writer.expression(formula.text()),
        }
    }
}
