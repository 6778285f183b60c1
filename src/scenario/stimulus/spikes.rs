//! Listed spikes.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::beside::{Moments, NameInFile, TimeUnit};
use super::{Arrives, AtRest, FromKeys, Stimulus, StimulusKind, TimeCourse, course};
use crate::Clock;
use crate::language::{Field, Key, Maybe, Of, Reader, Takes, Weight, Whole, Word, Writer, declare, words};
use crate::spec::Value;
use spikedeck_model::document::{Item, Node};
use spikedeck_signal::TimeBase;
pub use spikedeck_signal::data::SPIKES;
use spikedeck_signal::data::{FileTable, FileUnit, SpikeKeys};

declare! {
    /// listed spikes, into a receptor or played by a population
    pub(super) struct Listed = "spikes" {
        /// weight of each spike
        weight: Value = Weight, needs "1 {unit}";
        /// times at which a spike arrives at every unit, or is played by it
        times: Option<Vec<f64>> = Maybe<Times>, without "those of `file`";
        /// a file of times, and of the units that they arrive at or that play them; also the folder of a finished run
        file: Option<FileTable> = Maybe<Table>, without "`times` lists them";
        /// unit of the file's times
        time_unit: Option<FileUnit> = Maybe<TimeUnit>, without "that which the file states";
        /// the population whose spikes are meant, where the file names some
        population: Option<String> = Maybe<NameInFile>, without "the only one of the file";
        /// the id that unit 0 has in the file
        first_id: u64 = Whole, or "0", from 0.0;
        /// what the file's ids are
        ids: IdsAre = Word<IdsAre>, or "numbers";
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

/// The file.
struct Table;

impl Field for Table {
    type Out = FileTable;
    const TAKES: Takes = Takes::File(&SPIKES);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, _: &'static Key, node: &Node) -> Option<FileTable> {
        reader.resolver.file_table(node, "`file`", &SPIKES)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<FileTable> {
        None
    }

    fn write(value: &FileTable, _: &dyn Writer) -> Json {
        json!(value.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>())
    }
}

words! {
    /// What the ids of a file are.
    pub(super) enum IdsAre {
        /// numbers of units, from `first_id` on
        Numbers = "numbers",
        /// names, numbers or not: the smallest is unit 0, the next unit 1, and so on
        InOrder = "in_order",
    }
}

impl FromKeys for Spikes {
    type Keys = Listed;
    const ARRIVES: Arrives = Arrives::Receptor;

    fn resolve(keys: Listed, reader: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        let Listed { weight, times, file, .. } = &keys;
        if let (Some(_), Some(node)) = (times, reader.node("file")) {
            reader.resolver.error_help(&node.place, "`times` and `file` both list spikes", "keep one of them");
            return None;
        }
        if let Some(table) = file {
            return from_file(&keys, table, reader).map(Into::into);
        }
        for key in ["time_unit", "population", "first_id", "ids"] {
            if let Some(node) = reader.node(key) {
                reader.resolver.error_help(&node.place, format!("`{key}` is about a file"), "add `file`");
            }
        }
        let Some(times) = times else {
            let what = format!("{} needs `times`", reader.what());
            let place = reader.place().clone();
            reader.resolver.error_help(&place, what, "add `times = [\"10 ms\", \"20 ms\"]`");
            return None;
        };
        let node = reader.node("times")?;
        let plays = reader.context.plays;
        Moments { times, units: None, rows: None, plays }.told(reader.resolver, node)?;
        Some(Self { times: times.as_slice().into(), units: None, weight: weight.clone() }.into())
    }
}

/// The spikes of a file, ascending in time.
fn from_file(keys: &Listed, table: &FileTable, reader: &mut Reader<'_, '_, '_, '_>) -> Option<Spikes> {
    let node = reader.node("file")?;
    let asked = SpikeKeys {
        time_unit: keys.time_unit.clone(),
        plain: Some(reader.resolver.time_base == TimeBase::Dimensionless),
        population: keys.population.as_deref(),
        several: false,
    };
    let read = spikedeck_signal::data::spikes(table, &asked);
    let file = reader.resolver.taken(node, read, |file| &file.notes)?;
    let plays = reader.context.plays;
    // A population that does not say how many units it has has as many as the file; one where the file has no ids.
    let most = if file.ids.is_none() && plays { 1 } else { usize::MAX };
    let size = reader.context.count.unwrap_or(most);
    let units = match &file.ids {
        None => {
            if size > 1 && !file.notes.is_empty() {
                let what = format!(
                    "no column of this file says which unit: {} all {size}",
                    if plays { "each spike is played by" } else { "each spike arrives at" }
                );
                reader.resolver.warn(&node.place, what, "name units in a column `unit`");
            }
            None
        }
        Some(ids) => {
            let in_order = keys.ids == IdsAre::InOrder;
            let numbered = ids.within(size, reader.context.place, keys.first_id as i64, in_order);
            let numbered = numbered.map_err(|why| why.of_rows(&file.rows, &file.columns[1]));
            let numbered = reader.resolver.taken(node, numbered, |n| n.note.as_slice())?;
            Some(numbered.units)
        }
    };
    let times: Vec<f64> = match &file.unit {
        Some(unit) => file.times.iter().map(|t| t * unit.scale).collect(),
        None => file.times,
    };
    Moments { times: &times, units: units.as_deref(), rows: Some((&file.rows, &file.columns[0])), plays }
        .told(reader.resolver, node)?;
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by(|a, b| times[*a].total_cmp(&times[*b]));
    Some(Spikes {
        times: order.iter().map(|i| times[*i]).collect(),
        units: units.map(|u| order.iter().map(|i| u[*i]).collect()),
        weight: keys.weight.clone(),
    })
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

    fn listed_units(&self) -> Option<&[u32]> {
        self.units.as_deref()
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
