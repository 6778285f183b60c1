//! Levels one after the other.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Arrives, AtRest, FromKeys, Lost, Stimulus, StimulusKind, TimeCourse, Wave, course};
use crate::Clock;
use crate::language::{Declared, Field, Key, Of, Reader, Start, Takes, Writer, declare};
use crate::spec::Value;
use spikedeck_model::document::{Item, Node};

declare! {
    /// levels one after the other, each for its duration: the steps of a voltage or current clamp
    pub struct Protocol = "protocol" {
        /// the levels
        levels: Vec<f64> = Levels, needs "[\"1 {unit}\", \"2 {unit}\"]";
        /// how long each lasts; one less than levels where the last lasts to the end of the run
        durations: Vec<f64> = Durations, needs "[\"10 ms\"]";
        /// when the first begins; zero before it and after the last; in a step of change each counts by its part
        start: f64 = Start, or "0 s";
    }
}

/// The quantities of a list, each read by `read`.
fn list(
    reader: &mut Reader<'_, '_, '_, '_>,
    key: &Key,
    node: &Node,
    read: impl Fn(&mut Reader<'_, '_, '_, '_>, &Node) -> Option<f64>,
) -> Option<Vec<f64>> {
    let Item::List(nodes) = &node.item else {
        reader.resolver.error(&node.place, format!("`{}` is a list, not {}", key.name, node.what()));
        return None;
    };
    if nodes.is_empty() {
        reader.resolver.error(&node.place, format!("`{}` is empty", key.name));
        return None;
    }
    // All are read before the first that is wrong ends it.
    let found: Vec<Option<f64>> = nodes.iter().map(|n| read(reader, n)).collect();
    found.into_iter().collect()
}

/// Values in the unit of the target.
struct Levels;

impl Field for Levels {
    type Out = Vec<f64>;
    const TAKES: Takes = Takes::Quantities(Of::Target, None);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<Vec<f64>> {
        list(reader, key, node, |reader, n| {
            let target = reader.context.target;
            reader.resolver.quantity(n, target, "a level")
        })
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<Vec<f64>> {
        None
    }

    fn write(value: &Vec<f64>, writer: &dyn Writer) -> Json {
        writer.list(value, Of::Target)
    }
}

/// Times above zero.
struct Durations;

impl Field for Durations {
    type Out = Vec<f64>;
    const TAKES: Takes = Takes::Quantities(Of::Time, None);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<Vec<f64>> {
        list(reader, key, node, |reader, n| {
            let time = reader.resolver.time(n, "a duration")?;
            if time <= 0.0 {
                reader.resolver.error(&n.place, "a level lasts for a time above zero");
                return None;
            }
            Some(time)
        })
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<Vec<f64>> {
        None
    }

    fn write(value: &Vec<f64>, writer: &dyn Writer) -> Json {
        writer.list(value, Of::Time)
    }
}

impl FromKeys for Protocol {
    type Keys = Self;
    const ARRIVES: Arrives = Arrives::Input;

    fn resolve(keys: Self, reader: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        let (levels, durations) = (keys.levels.len(), keys.durations.len());
        if durations != levels && durations + 1 != levels {
            reader.error_help(
                "durations",
                format!("{levels} levels have {durations} durations"),
                "give one for each level, or one less where the last lasts to the end of the run",
            );
            return None;
        }
        Some(keys.into())
    }
}

/// The amplitude that the levels are factors of.
static ONE: Value = Value::Constant(1.0);

/// Levels with the places at which they begin, in steps, and the one from which on there is none.
#[derive(Debug)]
struct Levelled {
    from: Vec<(f64, f64)>,
}

impl Wave for Levelled {
    fn at(&self, k: u64, _: Clock) -> (f64, f64) {
        let (mut place, end) = (k as f64, (k + 1) as f64);
        let passed = self.from.partition_point(|level| level.0 <= place);
        let mut level = if passed == 0 { 0.0 } else { self.from[passed - 1].1 };
        let mut sum = 0.0;
        for &(change, next) in self.from[passed..].iter().take_while(|next| next.0 < end) {
            sum += level * (change - place);
            (place, level) = (change, next);
        }
        (sum + level * (end - place), 0.0)
    }
}

impl Stimulus for Protocol {
    fn course(&self, clock: Clock) -> TimeCourse<'_> {
        let mut time = self.start;
        let mut from = Vec::with_capacity(self.levels.len() + 1);
        for (k, level) in self.levels.iter().enumerate() {
            from.push((clock.place(time), *level));
            time += self.durations.get(k).copied().unwrap_or(f64::INFINITY);
        }
        from.push((clock.place(time), 0.0));
        TimeCourse::Wave {
            amplitude: course::Amount::new("levels", &ONE),
            less: None,
            offset: None,
            wave: Arc::new(Levelled { from }),
        }
    }

    fn at_rest(&self, _: f64) -> AtRest<'_> {
        AtRest::Changes
    }

    fn drawn_in_steps(&self) -> bool {
        false
    }

    fn lost_in_steps(&self, _: f64, duration: f64) -> Option<Lost> {
        let begins = self.durations.iter().scan(self.start, |time, d| {
            *time += d;
            Some(*time)
        });
        let late = begins.take(self.levels.len() - 1).filter(|time| *time >= duration).count();
        let told = || format!("has {late} of its {} levels after the end of the run", self.levels.len());
        (late > 0).then(|| Lost::outside(told()))
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.write(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::super::course::factors;
    use super::*;

    #[test]
    fn levels_bring_what_they_are_and_the_last_lasts() {
        let levels = vec![1.0, 5.0, -2.0];
        let mut protocol = Protocol { levels, durations: vec![0.2e-3, 0.3e-3, 0.1e-3], start: 0.1e-3 };
        assert_eq!(factors(&protocol, 9), [0.0, 1.0, 1.0, 5.0, 5.0, 5.0, -2.0, 0.0, 0.0]);
        protocol.durations.pop();
        assert_eq!(factors(&protocol, 9), [0.0, 1.0, 1.0, 5.0, 5.0, 5.0, -2.0, -2.0, -2.0]);
        // Wherever levels change, also several times within a step, they bring their charge.
        for (durations, start) in [([0.23e-3, 0.31e-3, 0.14e-3], 0.12e-3), ([0.02e-3, 0.03e-3, 1.11e-3], 0.04e-3)] {
            let levels = vec![1.0, 5.0, -2.0];
            let charge: f64 = levels.iter().zip(durations).map(|(level, time)| level * time).sum();
            let found = factors(&Protocol { levels, durations: durations.to_vec(), start }, 20);
            assert!((found.iter().sum::<f64>() * 1e-4 - charge).abs() < 1e-15, "{found:?}");
            assert_eq!(found[0] > 0.0, start < 1e-4);
        }
    }
}
