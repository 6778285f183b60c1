//! A sampled signal.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::{Arrives, AtRest, FromKeys, Stimulus, StimulusKind, TimeCourse};
use crate::Clock;
use crate::files::FileTable;
use crate::language::{Field, Key, Maybe, Number, Of, Reader, Takes, Word, Words, Writer, declare, words};
use spikedeck_core::units::parse_unit;
use spikedeck_model::document::Node;
use spikedeck_model::{name_of, strings};
use spikedeck_signal::{FileColumn, FileColumns, TimeBase};

words! {
    /// What a signal is between its samples.
    pub(super) enum Interpolation {
        /// the last sample
        Hold = "hold",
        /// on the straight line from the last to the next
        Linear = "linear",
    }
}

declare! {
    /// a sampled signal from a Parquet or CSV file
    pub(super) struct Sampled = "file" {
        /// the file
        file: FileTable = Samples, needs "signal.parquet";
        /// unit of the file's values; required where the input has one
        unit: Option<f64> = Maybe<Scale>, without "plain numbers";
        /// factor
        gain: f64 = Number, or "1";
        /// between samples
        interpolation: Interpolation = Word<Interpolation>, or "hold";
        /// the columns of the file that are meant
        columns: Option<Vec<String>> = Maybe<ColumnNames>, without "all but the time";
    }
}

/// Columns of a file with a signal.
pub static SIGNAL: FileColumns = FileColumns {
    name: "a signal",
    about: "samples of an input, evenly spaced in time (`file` of a `file` stimulus)",
    columns: &[FileColumn {
        names: &["time_ms", "time"],
        unit: "ms (plain numbers in dimensionless scenarios)",
        required: true,
        about: "when the sample is taken",
    }],
    others: Some("values in the `unit` that the stimulus states: one column for all units, or one each"),
};

/// A sampled signal into an input; between samples the last value holds (or linear).
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Time of the first sample.
    pub start: f64,
    /// Interval.
    pub interval: f64,
    /// Columns of values, one for all units or one each.
    pub columns: Arc<[Vec<f64>]>,
    /// Linear interpolation instead of hold.
    pub linear: bool,
    /// Factor.
    pub gain: f64,
}

/// The file.
struct Samples;

impl Field for Samples {
    type Out = FileTable;
    const TAKES: Takes = Takes::File(&SIGNAL);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, _: &'static Key, node: &Node) -> Option<FileTable> {
        reader.resolver.file_table(node, "`file`")
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<FileTable> {
        None
    }

    fn write(value: &FileTable, writer: &dyn Writer) -> Json {
        value
            .columns
            .iter()
            .map(|(name, list)| json!({ "name": name, "values": writer.list(list, Of::Number) }))
            .collect()
    }
}

/// The unit of the values: SI value of one.
struct Scale;

impl Field for Scale {
    type Out = f64;
    const TAKES: Takes = Takes::Text("a unit, such as `pA`");

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<f64> {
        let target = reader.context.target;
        match parse_unit(reader.resolver.text(node, &format!("`{}`", key.name))?) {
            Ok((scale, dimension)) if dimension == target => Some(scale),
            Ok((_, dimension)) => {
                let what = format!("the input is {}, but this is the unit of {}", name_of(target), name_of(dimension));
                reader.resolver.error(&node.place, what);
                None
            }
            Err(d) => {
                reader.resolver.report.put_inside(node, d);
                None
            }
        }
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<f64> {
        None
    }

    fn write(value: &f64, _: &dyn Writer) -> Json {
        json!(value)
    }
}

/// ColumnNames of columns.
struct ColumnNames;

impl Field for ColumnNames {
    type Out = Vec<String>;
    const TAKES: Takes = Takes::Texts("a column");

    fn read(reader: &mut Reader<'_, '_, '_, '_>, _: &'static Key, node: &Node) -> Option<Vec<String>> {
        Some(strings(&mut reader.resolver.report, node))
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<Vec<String>> {
        None
    }

    fn write(value: &Vec<String>, _: &dyn Writer) -> Json {
        json!(value)
    }
}

impl FromKeys for Signal {
    type Keys = Sampled;
    const ARRIVES: Arrives = Arrives::Input;

    fn resolve(keys: Sampled, reader: &mut Reader<'_, '_, '_, '_>) -> Option<StimulusKind> {
        let Sampled { file: table, unit, gain, interpolation, columns: wanted } = keys;
        if unit.is_none() && !reader.context.target.is_none() {
            let place = reader.place().clone();
            let what = format!("{} needs `unit`", reader.what());
            reader.resolver.error_help(&place, what, "add `unit = \"pA\"`");
            return None;
        }
        let scale = unit.unwrap_or(1.0);
        let Some(times) = table.declared(&SIGNAL, "time_ms") else {
            reader.error_help(
                "file",
                "this file has no column `time_ms`",
                "a signal has the column `time_ms` and one column for all units, or one each",
            );
            return None;
        };
        if times.len() < 2 {
            reader.error("file", "a signal has at least two samples");
            return None;
        }
        let interval = (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64;
        if interval <= 0.0 || times.windows(2).any(|w| ((w[1] - w[0]) - interval).abs() > 1e-6 * interval) {
            reader.error_help(
                "file",
                "the samples of this file are not evenly spaced in time",
                "resample the signal to one interval",
            );
            return None;
        }
        let columns: Vec<Vec<f64>> = table
            .columns
            .iter()
            .filter(|(name, _)| !SIGNAL.declares(name) && wanted.as_ref().is_none_or(|w| w.contains(name)))
            .map(|(_, v)| v.iter().map(|x| x * scale).collect())
            .collect();
        let size = reader.context.count.unwrap_or(1);
        if columns.len() != 1 && columns.len() != size {
            reader.error_help(
                "file",
                format!("this file has {} columns of values for {size} units", columns.len()),
                "one column acts on all units; otherwise there is one each; choose with `columns = [...]`",
            );
            return None;
        }
        let base = if reader.resolver.time_base == TimeBase::Milliseconds { 1e-3 } else { 1.0 };
        let linear = interpolation == Interpolation::Linear;
        let columns = Arc::from(columns);
        Some(Self { start: times[0] * base, interval: interval * base, columns, linear, gain }.into())
    }
}

impl Stimulus for Signal {
    fn course(&self, _: Clock) -> TimeCourse<'_> {
        let Self { start, interval, ref columns, linear, gain } = *self;
        TimeCourse::Samples { start, interval, columns, linear, gain }
    }

    fn at_rest(&self, _: f64) -> AtRest<'_> {
        AtRest::Changes
    }

    fn drawn_in_steps(&self) -> bool {
        false
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        let Self { start, interval, columns, linear, gain } = self;
        let interpolation = if *linear { Interpolation::Linear } else { Interpolation::Hold };
        let mut out = Map::new();
        out.insert("start".into(), writer.quantity(*start, Of::Time));
        out.insert("interval".into(), writer.quantity(*interval, Of::Time));
        out.insert("columns".into(), columns.iter().map(|c| writer.list(c, Of::Target)).collect());
        out.insert("interpolation".into(), json!(interpolation.word()));
        out.insert("gain".into(), json!(gain));
        out
    }
}
