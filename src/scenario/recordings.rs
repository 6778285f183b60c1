//! `[recordings.NAME]`: somebody's recording beside what is simulated, or in its place.

use std::sync::Arc;

use super::files::{FileError, Opened};
use super::language::{Key, Of, Range, Section, Table, Takes};
use super::recorded::RecordedPlace;
use super::resolver::Resolver;
use super::spec::RecordingSpec;
use spikedeck_core::units::{parse_unit, short};
use spikedeck_model::document::{Entry, Node};
use spikedeck_signal::{Population, Recording, Spikes, TimeBase, Trace, Window};

/// `[recordings.NAME]`.
pub(super) static RECORDING: Section = Section::new(
    "recording",
    "a recording that analyses look at beside what is simulated, or in its place: its spikes are `NAME.spikes` (of \
     several populations `NAME.POPULATION.spikes`), its events `NAME.TABLE.spikes`, its signals `NAME.SIGNAL`",
    &[
        Key::required(
            "file",
            Takes::Text("a table (Parquet, CSV), an HDF5 file (NWB, SONATA) or an array (.npy)"),
            "session.nwb",
            "the file; a relative path starts from the folder of the scenario",
        ),
        Key::default(
            "start",
            Takes::Quantity(Of::Time),
            "0 s",
            "time of the file at which the run begins: what is before it, and after the end of the run, is left out",
        ),
        Key::optional(
            "rate",
            Takes::Quantity(Of::Frequency),
            "as the file says",
            "samples per time, of a signal \
             without times",
        )
        .range(Range::Above(0.0)),
        Key::optional("first", Takes::Quantity(Of::Time), "0 s", "time of the first sample likewise"),
        Key::optional(
            "unit",
            Takes::Text("a unit, such as `mV`"),
            "as the file says",
            "unit of values that state \
             none",
        ),
    ],
);

/// The variable of a signal that is a population of its own.
const ONLY: &str = "data";

/// Reads a recording; `taken` are the names that others have.
pub(super) fn read(resolver: &mut Resolver<'_>, entry: &Entry, taken: &[&str]) -> Option<RecordingSpec> {
    let name = &entry.key;
    if taken.contains(&name.as_str()) {
        let what = format!("`{name}` is the name of a population or a projection already");
        resolver.error_help(&entry.place, what, "give the recording a name of its own");
        return None;
    }
    let mut f = Table::of(resolver, &entry.value, format!("recording `{name}`"), RECORDING.keys)?;
    let node = f.require(resolver, "file")?;
    let file = resolver.text(node, "`file`")?.to_owned();
    let start = f.get("start").map_or(Some(0.0), |n| resolver.time(n, "`start`"))?;
    let rate = match f.get("rate") {
        Some(n) => Some(above_zero(resolver, n)?),
        None => None,
    };
    let first = match f.get("first") {
        Some(n) => Some(resolver.time(n, "`first`")?),
        None => None,
    };
    let unit = match f.get("unit") {
        Some(n) => {
            let text = resolver.text(n, "`unit`")?.to_owned();
            if let Err(why) = parse_unit(&text) {
                resolver.report.put_inside(n, why);
                return None;
            }
            Some(text)
        }
        None => None,
    };
    f.finish(resolver);
    let path = resolver.path(&file);
    let opened = match resolver.files.recording(&path, (rate, first, unit.as_deref())) {
        Ok(opened) => opened,
        Err(error) => {
            match error {
                FileError::Missing(_) => {
                    let help = "relative paths start from the folder of the scenario file";
                    resolver.error_help(&node.place, error.to_string(), help);
                }
                FileError::Unreadable(why) => resolver.error(&node.place, why),
            }
            return None;
        }
    };
    if let Some(file) = resolver.files.file(&path) {
        resolver.uses(file);
    }
    let Opened { recording: found, events, notes } = opened;
    if found.time_base != resolver.time_base {
        let of = |base: TimeBase| if base == TimeBase::Milliseconds { "seconds" } else { "plain numbers" };
        let what = format!(
            "times of this file are {}, and those of the scenario {}",
            of(found.time_base),
            of(resolver.time_base)
        );
        resolver.error(&node.place, what);
        return None;
    }
    for note in notes {
        resolver.warn(&node.place, format!("`{name}`: {note}"), "");
    }
    let shift = start / resolver.time_base.seconds();
    let window = Window { start: 0.0, stop: resolver.duration / resolver.time_base.seconds() };
    let said = uncovered(&found, shift, window, resolver.time_base);
    if let Some(what) = said {
        let help = "what is not in the file is not silence: let `start` and `duration` lie in what was recorded";
        resolver.warn(&node.place, format!("`{name}`: {what}"), help);
    }
    let (populations, spikes, traces) = placed(name, found, &events, shift, window);
    if spikes.iter().all(Spikes::is_empty) && traces.iter().all(|t| t.values.is_empty()) {
        let what = "nothing of this recording lies within the run";
        resolver.error_help(&node.place, what, "say `start`, the time of the file at which the run begins");
        return None;
    }
    Some(RecordingSpec { name: name.clone(), start, populations, spikes: Arc::new(spikes), traces: Arc::new(traces) })
}

fn above_zero(resolver: &mut Resolver<'_>, node: &Node) -> Option<f64> {
    let dimension = resolver.rate_dimension();
    let rate = resolver.quantity(node, dimension, "`rate`")?;
    if rate > 0.0 {
        return Some(rate);
    }
    resolver.error(&node.place, "`rate` is above zero");
    None
}

/// What of the run the recording does not cover.
fn uncovered(found: &Recording, shift: f64, window: Window, base: TimeBase) -> Option<String> {
    let (first, last) = (found.window.start - shift, found.window.stop - shift);
    let slack = 1e-9 * window.length();
    if first <= window.start + slack && last >= window.stop - slack {
        return None;
    }
    let time = |t: f64| format!("{} {}", short(t), base.unit()).trim_end().to_owned();
    Some(format!(
        "it was recorded from {} to {} of the run, and analyses look at all of it ({} to {})",
        time(first),
        time(last),
        time(window.start),
        time(window.stop)
    ))
}

/// The recording under its name in the scenario, on the time axis of the run: all in one population, but that several
/// that spike have one each, and each table of events.
fn placed(
    name: &str,
    found: Recording,
    events: &[String],
    shift: f64,
    window: Window,
) -> (Vec<Population>, Vec<Spikes>, Vec<Trace>) {
    let is_event = |population: &str| events.iter().any(|e| e == population);
    let several = found.spikes.iter().filter(|s| !is_event(&s.population)).count() > 1;
    let place = |population: &str| {
        if several || is_event(population) { format!("{name}.{population}") } else { name.to_owned() }
    };
    let mut populations: Vec<Population> = Vec::new();
    let mut spikes = Vec::new();
    for own in found.spikes {
        let described = found.populations.iter().find(|p| p.name == own.population).cloned().unwrap_or_default();
        let population = place(&own.population);
        populations.push(Population { name: population.clone(), size: own.size, ..described });
        let within = |t: f64| t > window.start && t <= window.stop;
        let kept = own.times.iter().map(|t| t - shift).zip(&own.units).filter(|(t, _)| within(*t));
        let (times, units) = kept.map(|(t, &u)| (t, u)).unzip();
        spikes.push(Spikes { population, size: own.size, times, units });
    }
    let mut traces: Vec<Trace> = Vec::new();
    for mut trace in found.traces {
        trace.start -= shift;
        let range = trace.range(window);
        let width = trace.units.len();
        let start = trace.time(range.start);
        let values = trace.values[range.start * width..range.end * width].to_vec();
        // A table of signals has its columns as variables, a file of several signals has a population for each.
        let is_only = trace.variable == ONLY;
        let variable = if is_only { trace.population.clone() } else { trace.variable.clone() };
        let unit = trace.unit.replace('/', "_per_");
        let column = if unit.is_empty() { variable.clone() } else { format!("{variable}_{unit}") };
        let label = format!("file-{variable}");
        traces.push(Trace { population: name.to_owned(), name: label, variable, column, start, values, ..trace });
    }
    let channels = traces.iter().map(|t| t.units.len()).max().unwrap_or(0);
    if channels > 0 {
        match populations.iter_mut().find(|p| p.name == name) {
            Some(own) => own.size = own.size.max(channels),
            None => populations.push(Population { name: name.to_owned(), size: channels, ..Population::default() }),
        }
    }
    (populations, spikes, traces)
}

/// What analyses can look at of recordings, in their order.
pub(super) fn places(recordings: &[RecordingSpec]) -> Vec<RecordedPlace> {
    let of = |r: &RecordingSpec| -> Vec<RecordedPlace> {
        let place = |p: &Population| RecordedPlace {
            name: p.name.clone(),
            size: p.size,
            spiking: r.spikes.iter().find(|s| s.population == p.name).map(|s| s.size),
            variables: r.traces.iter().filter(|t| t.population == p.name).map(|t| t.variable.clone()).collect(),
        };
        r.populations.iter().map(place).collect()
    };
    recordings.iter().flat_map(of).collect()
}
