//! Listed spikes.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::{Arrives, AtRest, FromKeys, Stimulus, StimulusKind, TimeCourse, course};
use crate::Clock;
use crate::language::{Field, Key, Maybe, Of, Reader, Takes, Weight, Writer, declare};
use crate::spec::Value;
use spikedeck_model::document::{Item, Node};
use spikedeck_signal::{FileColumn, FileColumns, TimeBase};

declare! {
    /// listed spikes into a receptor
    pub(super) struct Listed = "spikes" {
        /// weight of each spike
        weight: Value = Weight, needs "1 {unit}";
        /// times at which a spike arrives at every unit
        times: Option<Vec<f64>> = Maybe<Times>, without "those of `file`";
        /// a file of times, and of the units that they arrive at
        file: Option<Train> = Maybe<Train>, without "`times` lists them";
    }
}

/// Listed spikes into an event port: times and, for each, the unit it arrives at (all targeted units if `None`).
#[derive(Debug, Clone, PartialEq)]
pub struct Spikes {
    /// Times, ascending.
    pub times: Arc<[f64]>,
    /// Units.
    pub units: Option<Arc<[u32]>>,
    /// Weight.
    pub weight: Value,
}

/// A list of times.
struct Times;

impl Field for Times {
    type Out = Vec<f64>;
    const TAKES: Takes = Takes::Quantities(Of::Time, None);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<Vec<f64>> {
        let Item::List(list) = &node.item else {
            reader.resolver.error(&node.place, format!("`{}` is a list, not {}", key.name, node.what()));
            return None;
        };
        let mut times: Vec<f64> = list.iter().filter_map(|n| reader.resolver.time(n, "a spike time")).collect();
        times.sort_by(f64::total_cmp);
        Some(times)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<Vec<f64>> {
        None
    }

    fn write(value: &Vec<f64>, writer: &dyn Writer) -> Json {
        value.iter().map(|t| writer.quantity(*t, Of::Time)).collect()
    }
}

/// Spikes of a file, ascending in time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Train {
    times: Vec<f64>,
    units: Option<Vec<u32>>,
}

/// Columns of a file of listed spikes.
pub static SPIKES: FileColumns = FileColumns {
    name: "listed spikes",
    about: "spikes that arrive at a receptor (`file` of a `spikes` stimulus)",
    columns: &[
        FileColumn {
            names: &["time_ms", "time"],
            unit: "ms (plain numbers in dimensionless scenarios)",
            required: true,
            about: "when it arrives",
        },
        FileColumn {
            names: &["unit"],
            unit: "",
            required: false,
            about: "the unit it arrives at, from 0; every unit without the column",
        },
    ],
    others: None,
};

impl Field for Train {
    type Out = Self;
    const TAKES: Takes = Takes::File(&SPIKES);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, _: &'static Key, node: &Node) -> Option<Self> {
        let table = reader.resolver.file_table(node, "`file`")?;
        let Some(times) = table.declared(&SPIKES, "time_ms") else {
            reader.resolver.error_help(
                &node.place,
                "this file has no column `time_ms`",
                "listed spikes have the columns `time_ms` and optionally `unit`",
            );
            return None;
        };
        let scale = if reader.resolver.time_base == TimeBase::Milliseconds { 1e-3 } else { 1.0 };
        let units = table.declared(&SPIKES, "unit");
        let size = reader.context.count.unwrap_or(usize::MAX);
        if let Some(bad) = units.into_iter().flatten().find(|u| **u < 0.0 || u.fract() != 0.0 || **u >= size as f64) {
            let whose = reader.context.place;
            let what = format!(
                "this file names unit {bad}; units of `{whose}` are numbered from 0 to {}",
                size.saturating_sub(1)
            );
            reader.resolver.error(&node.place, what);
            return None;
        }
        let mut order: Vec<usize> = (0..times.len()).collect();
        order.sort_by(|a, b| times[*a].total_cmp(&times[*b]));
        Some(Self {
            times: order.iter().map(|i| times[*i] * scale).collect(),
            units: units.map(|u| order.iter().map(|i| u[*i] as u32).collect()),
        })
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<Self> {
        None
    }

    fn write(value: &Self, writer: &dyn Writer) -> Json {
        json!({ "times": Times::write(&value.times, writer), "units": value.units })
    }
}

impl FromKeys for Spikes {
    type Keys = Listed;
    const ARRIVES: Arrives = Arrives::Receptor;

    fn resolve(keys: Listed, reader: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        let Listed { weight, times, file } = keys;
        if let Some(Train { times, units }) = file {
            return Some(Self { times: times.into(), units: units.map(Arc::from), weight }.into());
        }
        let Some(times) = times else {
            let what = format!("{} needs `times`", reader.what());
            let place = reader.place().clone();
            reader.resolver.error_help(&place, what, "add `times = [\"10 ms\", \"20 ms\"]`");
            return None;
        };
        Some(Self { times: times.into(), units: None, weight }.into())
    }
}

impl Stimulus for Spikes {
    fn course(&self, _: Clock) -> TimeCourse<'_> {
        TimeCourse::Spikes {
            times: &self.times,
            units: self.units.as_ref(),
            weight: course::Amount::new("weight", &self.weight),
        }
    }

    fn at_rest(&self, _: f64) -> AtRest<'_> {
        AtRest::Changes
    }

    fn drawn_in_steps(&self) -> bool {
        false
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        let Self { times, units, weight } = self;
        let mut out = Map::new();
        out.insert("times".into(), writer.list(times, Of::Time));
        out.insert("at".into(), units.as_ref().map_or(Json::Null, |u| writer.units(u)));
        out.insert("weight".into(), writer.value(weight, Of::Target));
        out
    }
}
