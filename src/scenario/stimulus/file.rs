//! A sampled signal.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::beside::TimeUnit;
use super::{Arrives, AtRest, FromKeys, Samples, Stimulus, StimulusKind, TimeCourse};
use crate::Clock;
use crate::language::{
    Declared, Field, Frequency, Key, Maybe, Number, Of, Reader, Section, Takes, Time, Word, Words, Writer, declare,
    words,
};
use spikedeck_core::units::{Quantity, parse_unit};
use spikedeck_model::document::Node;
use spikedeck_model::{name_of, strings};
use spikedeck_signal::TimeBase;
pub use spikedeck_signal::data::SIGNAL;
use spikedeck_signal::data::{Even, FileTable, FileUnit, SignalColumn, SignalFile, SignalKeys};

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
        file: FileTable = File, needs "signal.parquet";
        /// unit of the file's values; required where the input has one
        unit: Option<f64> = Maybe<Scale>, without "plain numbers";
        /// factor
        gain: f64 = Number, or "1";
        /// between samples
        interpolation: Interpolation = Word<Interpolation>, or "hold";
        /// the columns of the file that are meant
        columns: Option<Vec<String>> = Maybe<ColumnNames>, without "all of numbers but the time";
        /// unit of the file's times
        time_unit: Option<FileUnit> = Maybe<TimeUnit>, without "that which the file states";
        /// from each sample to the next, of a file without times
        interval: Option<f64> = Maybe<Time>, without "from the file's times", above 0.0;
        /// samples per time, of a file without times
        rate: Option<f64> = Maybe<Frequency>, without "from the file's times", above 0.0;
        /// time of the first sample, of a file without times
        start: Option<f64> = Maybe<Time>, without "0 s";
        /// the input before the first sample and after the last
        outside: Option<Outside> = Maybe<Outside>, without "refused if the run goes beyond the file";
    }
}

/// The keys of a sampled signal, where it is the value of a key.
pub(super) static SAMPLED: Section = <Sampled as Declared>::SECTION;

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
    /// What the input is before the first sample and after the last.
    pub outside: Outside,
}

/// What an input is where its file has no samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outside {
    /// The nearest sample; where the samples cover the run there is no other time.
    Hold,
    /// This value.
    Value(f64),
}

impl Field for Outside {
    type Out = Self;
    const TAKES: Takes = Takes::Either(&[Takes::Quantity(Of::Target), Takes::Words(&["hold"])]);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, key: &'static Key, node: &Node) -> Option<Self> {
        if node.as_text() == Some("hold") {
            return Some(Self::Hold);
        }
        let dimension = reader.context.target;
        reader.resolver.quantity(node, dimension, &format!("`{}`", key.name)).map(Self::Value)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<Self> {
        None
    }

    fn write(value: &Self, writer: &dyn Writer) -> Json {
        value.written(writer, Of::Target)
    }
}

impl Outside {
    fn written(self, writer: &dyn Writer, of: Of) -> Json {
        match self {
            Self::Hold => json!("hold"),
            Self::Value(v) => writer.quantity(v, of),
        }
    }
}

/// The file.
struct File;

impl Field for File {
    type Out = FileTable;
    const TAKES: Takes = Takes::File(&SIGNAL);

    fn read(reader: &mut Reader<'_, '_, '_, '_>, _: &'static Key, node: &Node) -> Option<FileTable> {
        reader.resolver.file_table(node, "`file`", &SIGNAL)
    }

    fn absent(_: &mut Reader<'_, '_, '_, '_>, _: &'static Key) -> Option<FileTable> {
        None
    }

    fn write(value: &FileTable, _: &dyn Writer) -> Json {
        json!(value.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>())
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

/// Names of columns.
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
        Self::of(&keys, reader).map(Into::into)
    }
}

impl Signal {
    /// Reads the keys of a signal.
    pub(super) fn read(reader: &mut Reader<'_, '_, '_, '_>) -> Option<Self> {
        let keys = Sampled::read(reader)?;
        Self::of(&keys, reader)
    }

    /// Its samples.
    pub(super) fn samples(&self) -> Samples<'_> {
        let Self { start, interval, ref columns, linear, gain, outside } = *self;
        let outside = match outside {
            Outside::Hold => None,
            Outside::Value(value) => Some(value),
        };
        Samples { start, interval, columns, linear, gain, outside }
    }

    /// What is written of it; its values are of this unit.
    pub(super) fn written(&self, writer: &dyn Writer, of: Of) -> Map<String, Json> {
        let Self { start, interval, columns, linear, gain, outside } = self;
        let interpolation = if *linear { Interpolation::Linear } else { Interpolation::Hold };
        let mut out = Map::new();
        out.insert("start".into(), writer.quantity(*start, Of::Time));
        out.insert("interval".into(), writer.quantity(*interval, Of::Time));
        out.insert("columns".into(), columns.iter().map(|c| writer.list(c, of)).collect());
        out.insert("interpolation".into(), json!(interpolation.word()));
        out.insert("gain".into(), json!(gain));
        if *outside != Outside::Hold {
            out.insert("outside".into(), outside.written(writer, of));
        }
        out
    }

    fn of(keys: &Sampled, reader: &mut Reader<'_, '_, '_, '_>) -> Option<Self> {
        let node = reader.node("file")?;
        let asked = SignalKeys {
            time_unit: keys.time_unit.clone(),
            plain: Some(reader.resolver.time_base == TimeBase::Dimensionless),
            columns: keys.columns.as_deref(),
        };
        let read = spikedeck_signal::data::signal(&keys.file, &asked);
        let file = reader.resolver.taken(node, read, |file| &file.notes)?;
        let size = reader.context.count.unwrap_or(1);
        if file.columns.len() != 1 && file.columns.len() != size {
            let names: Vec<String> = file.columns.iter().take(8).map(|c| format!("`{}`", c.name)).collect();
            reader.error_help(
                "file",
                format!(
                    "this file has {} columns of values for {size} units: {}",
                    file.columns.len(),
                    names.join(", ")
                ),
                "one column acts on all units; otherwise there is one each; choose with `columns = [...]`",
            );
            return None;
        }
        let grid = sampling(keys, &file, reader, node)?;
        let columns: Option<Vec<Vec<f64>>> = file
            .columns
            .into_iter()
            .map(|column| {
                let scale = scale_of(keys, &column, reader)?;
                Some(column.values.into_iter().map(|x| x * scale).collect())
            })
            .collect();
        let outside = covered(keys, grid, columns.as_ref()?.first().map_or(0, Vec::len), reader, node)?;
        let linear = keys.interpolation == Interpolation::Linear;
        Some(Self {
            start: grid.start,
            interval: grid.interval,
            columns: Arc::from(columns?),
            linear,
            gain: keys.gain,
            outside,
        })
    }
}

/// When the samples of a file are: seconds (or time units).
fn sampling(keys: &Sampled, file: &SignalFile, reader: &mut Reader<'_, '_, '_, '_>, node: &Node) -> Option<Even> {
    let Some(times) = &file.times else {
        let interval = match (keys.interval, keys.rate) {
            (Some(interval), None) => interval,
            (None, Some(rate)) => 1.0 / rate,
            (Some(_), Some(_)) => {
                reader.error_help("rate", "`rate` and `interval` say the same", "keep one of them");
                return None;
            }
            (None, None) => {
                reader.error_help(
                    "file",
                    "this file has no column of times",
                    "add a column `time_ms`, or say `interval = \"1 ms\"` (or `rate = \"1 kHz\"`) beside the name",
                );
                return None;
            }
        };
        let start = keys.start.unwrap_or(0.0);
        return Some(Even { start, interval, precision: 1e-9 * interval });
    };
    for key in ["interval", "rate", "start"] {
        if reader.node(key).is_some() {
            reader.error_help(key, format!("`{key}` is for files without times"), "this one has a column of them");
            return None;
        }
    }
    let read = spikedeck_signal::data::even_in(times, &file.rows, &file.time_column);
    let Even { start, interval, precision } = reader.resolver.taken(node, read, |_| &[])?;
    let scale = file.unit.as_ref().map_or(1.0, |u| u.scale);
    let dt = reader.resolver.dt;
    let (mut start, mut interval, precision) = (start * scale, interval * scale, precision * scale);
    // What the file cannot tell from the grid is the grid.
    if dt > 0.0 {
        let steps = (interval / dt).round().max(1.0);
        let parts = (dt / interval).round().max(1.0);
        let near = if interval >= dt { dt * steps } else { dt / parts };
        if (interval - near).abs() * (times.len() - 1) as f64 <= precision + 1e-9 * near {
            interval = near;
        }
        let near = (start / dt).round() * dt;
        if (start - near).abs() <= precision {
            start = near;
        }
    }
    Some(Even { start, interval, precision })
}

/// The SI value of one in a column.
fn scale_of(keys: &Sampled, column: &SignalColumn, reader: &mut Reader<'_, '_, '_, '_>) -> Option<f64> {
    let target = reader.context.target;
    let named = column.unit.as_ref().filter(|u| u.dimension == target && !target.is_none());
    match (keys.unit, named) {
        (Some(scale), Some(named)) if (scale / named.scale - 1.0).abs() > 1e-12 => {
            let what = format!("column `{}` is in {} by its name, and `unit` says another", column.name, named.text);
            reader.error_help("unit", what, "say it once");
            None
        }
        (Some(scale), _) => Some(scale),
        (None, Some(named)) => Some(named.scale),
        (None, None) if target.is_none() => {
            if let Some(unit) = column.unit.as_ref().filter(|u| u.text.len() > 1 && !u.dimension.is_none()) {
                let what = format!(
                    "the input has no unit: numbers of column `{}` are taken as they are, not in {}",
                    column.name, unit.text
                );
                let place = reader.node("file")?.place.clone();
                reader.resolver.warn(&place, what, "`gain` scales them");
            }
            Some(1.0)
        }
        (None, None) => {
            let place = reader.place().clone();
            let said = match column.unit.as_ref().filter(|u| u.text.len() > 1) {
                Some(unit) => format!("is in {} by its name, and the input is {}", unit.text, name_of(target)),
                None => "states none".to_owned(),
            };
            let what = format!("{} needs `unit`: column `{}` {said}", reader.what(), column.name);
            let example = crate::resolver::unit_example(target);
            reader.resolver.error_help(&place, what, format!("add `unit = \"{example}\"`"));
            None
        }
    }
}

/// What the input is where there are no samples; warns of samples that are never used, and of how the others are.
fn covered(
    keys: &Sampled,
    Even { start, interval, .. }: Even,
    samples: usize,
    reader: &mut Reader<'_, '_, '_, '_>,
    node: &Node,
) -> Option<Outside> {
    let (dt, duration) = (reader.resolver.dt, reader.resolver.duration);
    if dt <= 0.0 || duration <= 0.0 {
        return Some(keys.outside.unwrap_or(Outside::Hold));
    }
    let dimension = reader.resolver.time_dimension();
    let show = |v: f64| Quantity { value: v, dimension }.to_string();
    let end = start + interval * samples as f64;
    let slack = 1e-6 * dt.min(interval);
    let mut outside = Outside::Hold;
    if start > slack || end < duration - slack {
        let Some(said) = keys.outside else {
            let unit = crate::resolver::unit_example(reader.context.target);
            let zero = if unit.is_empty() { "0.0".to_owned() } else { format!("\"0 {unit}\"") };
            reader.error_help(
                "file",
                format!(
                    "the samples of this file last from {} to {}, and the run from 0 to {}",
                    show(start),
                    show(end),
                    show(duration)
                ),
                format!(
                    "say what it is outside them: `outside = {zero}`, or `outside = \"hold\"`; or end the run there"
                ),
            );
            return None;
        };
        outside = said;
    }
    let late = (0..samples).rev().take_while(|&k| start + interval * k as f64 > duration + slack).count();
    // The last sample before the start of the run holds at 0.
    let early = if start < 0.0 { (((-start / interval) + 1e-6).floor() as usize).min(samples) } else { 0 };
    if late + early > 0 {
        let what = format!(
            "{} of {samples} samples of this file are not used: {early} before the run, {late} after its end",
            late + early
        );
        reader.resolver.warn(&node.place, what, "a run as long as the file uses all of them");
    }
    let ratio = interval / dt;
    if ratio < 1.0 - 1e-9 {
        let what = format!(
            "samples of this file are {} apart, and the step is {}: the input is that of the grid \
             points, and what changes faster than {} is seen at wrong frequencies",
            show(interval),
            show(dt),
            show(2.0 * dt)
        );
        reader.resolver.warn(
            &node.place,
            what,
            "take the samples' interval as the step, or filter and resample the file",
        );
    } else if ratio > 1.0 + 1e-9 && reader.node("interpolation").is_none() {
        let what = format!(
            "samples of this file are {} apart, and the step is {}: each holds until the next",
            show(interval),
            show(dt)
        );
        reader.resolver.warn(&node.place, what, "`interpolation = \"hold\"` or `\"linear\"` says what is meant");
    }
    Some(outside)
}

impl Stimulus for Signal {
    fn course(&self, _: Clock) -> TimeCourse<'_> {
        TimeCourse::Samples(self.samples())
    }

    fn at_rest(&self, _: f64) -> AtRest<'_> {
        AtRest::Changes
    }

    fn drawn_in_steps(&self) -> bool {
        false
    }

    fn entries(&self, writer: &dyn Writer) -> Map<String, Json> {
        self.written(writer, Of::Target)
    }
}
