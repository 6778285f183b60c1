//! The rate of events: one value a unit, an expression that changes in time, or a sampled signal.

use serde_json::Value as Json;

use super::Lost;
use super::course::too_fast;
use super::expression::in_time;
use super::file::{SAMPLED, Signal};
use crate::UnitName;
use crate::language::{Amount, Context, Field, Key, Of, PerTime, Reader, Takes, Writer};
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
    /// As a file says.
    Sampled(Signal),
}

impl Rate {
    /// What steps lose of it: the rate at a step's beginning holds for all of it.
    pub(super) fn lost_in_steps(&self, dt: f64, duration: f64) -> Option<Lost> {
        let Self::InTime(formula) = self else { return None };
        too_fast(formula, dt, duration).map(|lost| Lost::by_steps(format!("has a rate that {lost}")))
    }
}

/// A rate, an expression of one in `t`, or a file of one.
pub(super) struct EventRate;

impl Field for EventRate {
    type Out = Rate;
    const TAKES: Takes = Takes::Either(&[Takes::Value(Of::Frequency), Takes::Table(&SAMPLED)]);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<Rate> {
        if let Item::Text(text) = &node.item
            && is_expression(text)
        {
            let dimension = reader.dimension(Of::Frequency);
            let formula = in_time(reader, key, node, dimension)?;
            let changes = formula.names().contains(&UnitName::Time);
            return Some(if changes { Rate::InTime(formula) } else { Rate::Steady(Value::Expression(formula)) });
        }
        if node.get("file").is_some() {
            let what = format!("`{}` of {}", key.name, reader.what());
            let target = reader.dimension(Of::Frequency);
            let context = Context { target, plays: false, ..reader.context.clone() };
            let mut inner = Reader::of(reader.resolver, node, what, SAMPLED.keys, context)?;
            let signal = Signal::read(&mut inner);
            inner.finish();
            let signal = signal?;
            let below = signal.columns.iter().flatten().filter(|v| **v * signal.gain < 0.0).count();
            if below > 0 {
                let total: usize = signal.columns.iter().map(Vec::len).sum();
                let what = format!("{below} of {total} samples of this rate are below zero: no spikes come there");
                reader.resolver.warn(&node.place, what, "a rate is not negative");
            }
            return Some(Rate::Sampled(signal));
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
            Rate::Sampled(signal) => signal.written(writer, Of::Frequency).into(),
        }
    }
}
