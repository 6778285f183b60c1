//! What keys of typed structs take: how each is read, what holds without it, and how it is written.

use std::marker::PhantomData;

use serde_json::{Map, Value as Json, json};

use super::{Key, Need, Of, Reader, Section, Takes, Words, Writer};
use crate::spec::Value;
use crate::value::Wanted;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_model::document::Node;

/// A struct with its declaration.
pub(crate) trait Declared: Sized {
    /// Its keys.
    const SECTION: Section;

    /// Reads it; what is wrong is reported.
    fn read(reader: &mut Reader<'_, '_, '_, '_>) -> Option<Self>;

    /// What is written of it, key by key.
    fn write(&self, writer: &dyn Writer) -> Map<String, Json>;
}

/// What a key takes, as a type.
pub(crate) trait Field {
    /// What is read.
    type Out;

    /// What the key takes, in words.
    const TAKES: Takes;

    /// Reads what stands at the key; what is wrong is reported.
    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<Self::Out>;

    /// What holds without the key.
    fn absent(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key) -> Option<Self::Out>;

    /// What holds where events are the spikes of a population, if the key has no meaning there.
    fn played() -> Option<Self::Out> {
        None
    }

    /// What is written.
    fn write(value: &Self::Out, writer: &dyn Writer) -> Json;
}

/// A unit as a type.
pub(crate) trait Unit {
    /// The unit.
    const OF: Of;
}

/// That of the target.
pub(crate) struct Target;
/// That of the target times s**0.5.
pub(crate) struct Density;
/// Per time.
pub(crate) struct PerTime;

/// Metres.
pub(crate) struct Length;
/// None.
pub(crate) struct Plain;

impl Unit for Length {
    const OF: Of = Of::Fixed(Dimension::METRE);
}
impl Unit for Plain {
    const OF: Of = Of::Number;
}
impl Unit for Target {
    const OF: Of = Of::Target;
}
impl Unit for Density {
    const OF: Of = Of::Density;
}
impl Unit for PerTime {
    const OF: Of = Of::Frequency;
}

/// The number that a declared default says.
fn default_number(key: &Key) -> f64 {
    let Need::Default(text) = key.need else {
        unreachable!("`{}` is a number that may be left out, so it has a default", key.name)
    };
    match Quantity::parse(text) {
        Ok(q) => q.value,
        Err(_) => unreachable!("the default of `{}` is a quantity: {text}", key.name),
    }
}

/// A value that may differ between units, of unit `U`.
pub(crate) struct Amount<U>(PhantomData<U>);

impl<U: Unit> Field for Amount<U> {
    type Out = Value;
    const TAKES: Takes = Takes::Value(U::OF);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<Value> {
        let wanted = Wanted {
            dimension: reader.dimension(U::OF),
            what: format!("`{}`", key.name),
            count: reader.context.count,
            names: reader.context.names.clone(),
        };
        reader.resolver.value(node, &wanted)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, key: &'static Key) -> Option<Value> {
        Some(Value::Constant(default_number(key)))
    }

    fn write(value: &Value, writer: &dyn Writer) -> Json {
        writer.value(value, U::OF)
    }
}

/// The key of weights.
pub(crate) const WEIGHT: &str = "weight";

/// The weight of what arrives at a receptor: a conductance is not negative. Spikes of a population have none: each is
/// one.
pub(crate) struct Weight;

impl Field for Weight {
    type Out = Value;
    const TAKES: Takes = Takes::Value(Of::Target);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<Value> {
        let weight = Amount::<Target>::read(reader, key, node)?;
        reader.resolver.conductance(node, reader.context.target, &weight);
        Some(weight)
    }

    fn absent(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key) -> Option<Value> {
        Amount::<Target>::absent(reader, key)
    }

    fn played() -> Option<Value> {
        Some(Value::Constant(1.0))
    }

    fn write(value: &Value, writer: &dyn Writer) -> Json {
        Amount::<Target>::write(value, writer)
    }
}

/// A time of at least zero, in seconds (or time units).
pub(crate) struct Time;

impl Field for Time {
    type Out = f64;
    const TAKES: Takes = Takes::Quantity(Of::Time);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<f64> {
        let v = reader.resolver.time(node, &format!("`{}`", key.name))?;
        reader.within(key, node, v).then_some(v)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, key: &'static Key) -> Option<f64> {
        Some(default_number(key))
    }

    fn write(value: &f64, writer: &dyn Writer) -> Json {
        writer.quantity(*value, Of::Time)
    }
}

/// The beginning of something: a stimulus that begins after the end of the run has no effect.
pub(crate) struct Start;

impl Field for Start {
    type Out = f64;
    const TAKES: Takes = Takes::Quantity(Of::Time);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<f64> {
        let start = Time::read(reader, key, node)?;
        reader.context.start = start;
        if reader.resolver.duration > 0.0 && start >= reader.resolver.duration {
            let what = format!("{} starts after the end of the run", reader.what());
            reader.resolver.warn(&node.place, what, "it has no effect");
        }
        Some(start)
    }

    fn absent(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key) -> Option<f64> {
        Time::absent(reader, key)
    }

    fn write(value: &f64, writer: &dyn Writer) -> Json {
        Time::write(value, writer)
    }
}

/// The end of something, after its [`Start`]; without it the end of the run.
pub(crate) struct Stop;

impl Field for Stop {
    type Out = f64;
    const TAKES: Takes = Takes::Quantity(Of::Time);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<f64> {
        let stop = Time::read(reader, key, node)?;
        if stop <= reader.context.start {
            reader.resolver.error(&node.place, format!("`{}` is not after `start`", key.name));
        }
        Some(stop)
    }

    fn absent(reader: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<f64> {
        Some(reader.resolver.duration)
    }

    fn write(value: &f64, writer: &dyn Writer) -> Json {
        // A stop that never comes is none.
        if value.is_finite() { writer.quantity(*value, Of::Time) } else { Json::Null }
    }
}

/// A frequency of at least zero.
pub(crate) struct Frequency;

impl Field for Frequency {
    type Out = f64;
    const TAKES: Takes = Takes::Quantity(Of::Frequency);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<f64> {
        let dimension = reader.resolver.rate_dimension();
        let v = reader.resolver.spread(node, dimension, &format!("`{}`", key.name))?;
        reader.within(key, node, v).then_some(v)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, key: &'static Key) -> Option<f64> {
        Some(default_number(key))
    }

    fn write(value: &f64, writer: &dyn Writer) -> Json {
        writer.quantity(*value, Of::Frequency)
    }
}

/// A quantity of unit `U`.
pub(crate) struct Exact<U>(PhantomData<U>);

impl<U: Unit> Field for Exact<U> {
    type Out = f64;
    const TAKES: Takes = Takes::Quantity(U::OF);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<f64> {
        let dimension = reader.dimension(U::OF);
        let v = reader.resolver.quantity(node, dimension, &format!("`{}`", key.name))?;
        reader.within(key, node, v).then_some(v)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, key: &'static Key) -> Option<f64> {
        Some(default_number(key))
    }

    fn write(value: &f64, writer: &dyn Writer) -> Json {
        writer.quantity(*value, U::OF)
    }
}

/// A quantity of unit `U` that is not negative.
pub(crate) struct Size<U>(PhantomData<U>);

impl<U: Unit> Field for Size<U> {
    type Out = f64;
    const TAKES: Takes = Takes::Quantity(U::OF);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<f64> {
        let dimension = reader.dimension(U::OF);
        reader.resolver.spread(node, dimension, &format!("`{}`", key.name))
    }

    fn absent(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key) -> Option<f64> {
        Exact::<U>::absent(reader, key)
    }

    fn write(value: &f64, writer: &dyn Writer) -> Json {
        writer.quantity(*value, U::OF)
    }
}

/// A plain number.
pub(crate) struct Number;

impl Field for Number {
    type Out = f64;
    const TAKES: Takes = Takes::Quantity(Of::Number);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<f64> {
        let v = reader.resolver.quantity(node, Dimension::NONE, &format!("`{}`", key.name))?;
        reader.within(key, node, v).then_some(v)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, key: &'static Key) -> Option<f64> {
        Some(default_number(key))
    }

    fn write(value: &f64, _: &dyn Writer) -> Json {
        json!(value)
    }
}

/// A whole number.
pub(crate) struct Whole;

impl Field for Whole {
    type Out = u64;
    const TAKES: Takes = Takes::Whole;

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<u64> {
        let least = match key.range {
            super::Range::From(low) => low as u64,
            _ => 0,
        };
        reader.resolver.whole(node, &format!("`{}`", key.name), least)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, key: &'static Key) -> Option<u64> {
        Some(default_number(key) as u64)
    }

    fn write(value: &u64, _: &dyn Writer) -> Json {
        json!(value)
    }
}

/// Yes or no.
pub(crate) struct Flag;

impl Field for Flag {
    type Out = bool;
    const TAKES: Takes = Takes::Flag;

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<bool> {
        reader.resolver.flag(node, &format!("`{}`", key.name))
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, key: &'static Key) -> Option<bool> {
        match key.need {
            Need::Default("true") => Some(true),
            Need::Default("false") => Some(false),
            _ => unreachable!("`{}` is true or false by default", key.name),
        }
    }

    fn write(value: &bool, _: &dyn Writer) -> Json {
        json!(value)
    }
}

/// One of the words of an enum.
pub(crate) struct Word<W>(PhantomData<W>);

impl<W: Words> Field for Word<W> {
    type Out = W;
    const TAKES: Takes = Takes::Choice(W::WORDS);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<W> {
        let words: Vec<&str> = W::WORDS.iter().map(|w| w.name).collect();
        reader.resolver.choice(node, key.name, &words).and_then(W::of)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, key: &'static Key) -> Option<W> {
        let Need::Default(word) = key.need else { unreachable!("`{}` has a word by default", key.name) };
        Some(W::of(word).unwrap_or_else(|| unreachable!("`{word}` is a word of `{}`", key.name)))
    }

    fn write(value: &W, _: &dyn Writer) -> Json {
        json!(value.word())
    }
}

/// What may be left out, and has no value then.
pub(crate) struct Maybe<F>(PhantomData<F>);

impl<F: Field> Field for Maybe<F> {
    type Out = Option<F::Out>;
    const TAKES: Takes = F::TAKES;

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<Option<F::Out>> {
        F::read(reader, key, node).map(Some)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<Option<F::Out>> {
        Some(None)
    }

    fn write(value: &Option<F::Out>, writer: &dyn Writer) -> Json {
        value.as_ref().map_or(Json::Null, |v| F::write(v, writer))
    }
}
