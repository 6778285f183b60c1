//! `[recordings.NAME]`: somebody's recording beside what is simulated, or in its place.

use std::sync::Arc;

use super::files::{Opened, Said};
use super::language::{Key, Of, Range, Section, Table, Takes};
use super::recorded::RecordedPlace;
use super::resolver::Resolver;
use super::spec::RecordingSpec;
use spikedeck_core::units::{Dimension, parse_unit, short};
use spikedeck_model::document::{Entry, Node};
use spikedeck_model::strings;
use spikedeck_signal::data::{SPANS, TRIALS, TrialKeys};
use spikedeck_signal::{Population, Recording, Spikes, TimeBase, Trace, TrialTimes, Window};

/// A moment on the time axis of a file: times of runs are not negative, and those of files may be.
const MOMENT: Takes = Takes::Quantity(Of::Fixed(Dimension::SECOND));

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
            MOMENT,
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
        Key::optional("first", MOMENT, "0 s", "time of the first sample likewise"),
        Key::optional(
            "unit",
            Takes::Text("a unit, such as `mV`"),
            "as the file says",
            "unit of values that state \
             none",
        ),
        Key::optional(
            "observed",
            Takes::File(&SPANS),
            "as the file says",
            "a file of the stretches in which each unit was observed",
        ),
        Key::optional(
            "trials",
            Takes::File(&TRIALS),
            "its table `trials`, if it has one",
            "what says when trials were, for analyses that look at them: a table of the file, or a file of events",
        ),
        Key::optional("align", Takes::Text("a column of moments"), "its start", "the moment that is time 0 of a trial"),
        Key::optional("before", MOMENT, "back to the start", "how much before that moment belongs to a trial"),
        Key::optional("after", MOMENT, "up to the end of the shortest", "how much after it does"),
        Key::optional("by", Takes::Texts("a column"), "all are alike", "the columns that tell conditions of trials"),
    ],
);

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
    let start = f.get("start").map_or(Some(0.0), |n| moment(resolver, n, "`start`"))?;
    let rate = match f.get("rate") {
        Some(n) => Some(above_zero(resolver, n)?),
        None => None,
    };
    let first = match f.get("first") {
        Some(n) => Some(moment(resolver, n, "`first`")?),
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
    let trials = trial_keys(resolver, &mut f)?;
    let observed = match f.get("observed") {
        Some(n) => {
            let text = resolver.text(n, "`observed`")?.to_owned();
            Some(resolver.path(&text))
        }
        None => None,
    };
    f.finish(resolver);
    let path = resolver.path(&file);
    let said = Said { rate, first, unit, trials, observed };
    let opened = match resolver.files.recording(&path, &said) {
        Ok(opened) => opened,
        Err(error) => {
            resolver.unread(node, error);
            return None;
        }
    };
    if let Some(file) = resolver.files.file(&path) {
        resolver.uses(file);
    }
    for path in said.trials.iter().map(|keys| &keys.path).chain(&said.observed) {
        if let Some(file) = resolver.files.file(path) {
            resolver.uses(file);
        }
    }
    let Opened { recording: found, events, own_signals, notes } = opened;
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
    if let Some(what) = left_out(&found, &events, shift, window, resolver.time_base) {
        let help = "let `start` and `duration` lie in that stretch: what is outside it is no measurement";
        resolver.error_help(&node.place, format!("`{name}`: {what}"), help);
        return None;
    }
    let said = uncovered(&found, &events, shift, window, resolver.time_base);
    if let Some(what) = said {
        let help = "what is not in the file is not silence: let `start` and `duration` lie in what was recorded";
        resolver.warn(&node.place, format!("`{name}`: {what}"), help);
    }
    if let Some((what, help)) = before(&found, shift, window, resolver.time_base) {
        resolver.warn(&node.place, format!("`{name}`: {what}"), help);
    }
    let trials = found.trial_times.first().cloned();
    let (populations, spikes, traces) = placed(name, found, (events.as_slice(), own_signals), shift, window);
    if spikes.iter().all(Spikes::is_empty) && traces.iter().all(|t| t.values.is_empty()) {
        let what = "nothing of this recording lies within the run";
        resolver.error_help(&node.place, what, "say `start`, the time of the file at which the run begins");
        return None;
    }
    let trials = trials.map(|times| {
        let is_own = |p: &&Population| !events.iter().any(|e| p.name == format!("{name}.{e}"));
        TrialTimes {
            populations: populations.iter().filter(is_own).map(|p| p.name.clone()).collect(),
            at: times.at.iter().map(|t| t - shift).collect(),
            ..times
        }
    });
    let (spikes, traces) = (Arc::new(spikes), Arc::new(traces));
    Some(RecordingSpec { name: name.clone(), start, populations, spikes, traces, trials })
}

/// Which trials lie in a recording, where that is said.
fn trial_keys(resolver: &mut Resolver<'_>, f: &mut Table<'_>) -> Option<Option<TrialKeys>> {
    let nodes = ["trials", "align", "before", "after", "by"].map(|key| f.get(key));
    if nodes.iter().all(Option::is_none) {
        return Some(None);
    }
    let [trials, align, before, after, by] = nodes;
    let mut keys = TrialKeys { table: "trials".to_owned(), ..TrialKeys::default() };
    if let Some(n) = trials {
        resolver.text(n, "`trials`")?.clone_into(&mut keys.table);
    }
    keys.path = resolver.path(&keys.table);
    if let Some(n) = align {
        keys.align = Some(resolver.text(n, "`align`")?.to_owned());
    }
    if let Some(n) = before {
        keys.before = Some(moment(resolver, n, "`before`")?);
    }
    if let Some(n) = after {
        keys.after = Some(moment(resolver, n, "`after`")?);
    }
    if let Some(n) = by {
        keys.by = strings(&mut resolver.report, n);
    }
    Some(Some(keys))
}

/// A time of the file, before or after its time 0.
fn moment(resolver: &mut Resolver<'_>, node: &Node, what: &str) -> Option<f64> {
    let dimension = resolver.time_dimension();
    resolver.quantity(node, dimension, what)
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

/// Trains that are no events.
fn trains<'a>(found: &'a Recording, events: &'a [String]) -> impl Iterator<Item = &'a Spikes> {
    found.spikes.iter().filter(move |s| !events.contains(&s.population))
}

/// Both ends of a stretch on the time axis of the run, in words.
fn in_words(start: f64, stop: f64, base: TimeBase) -> String {
    format!("{} to {} {}", short(start), short(stop), base.unit()).trim_end().to_owned()
}

/// What the run has of the file that is outside the stretch of it that is sound: a file that states what of it is
/// invalid holds more than that stretch, and all others end with what they hold. Of units of which it is known when
/// each was observed, analyses look at no other time.
fn left_out(found: &Recording, events: &[String], shift: f64, window: Window, base: TimeBase) -> Option<String> {
    let slack = 1e-9 * window.length();
    let sound = Window { start: found.window.start - slack, stop: found.window.stop + slack };
    let run = Window { start: window.start + shift, stop: window.stop + shift };
    let both = Window { start: run.start.max(sound.start), stop: run.stop.min(sound.stop) };
    let within = |of: Window, t: f64| t > of.start && t <= of.stop;
    let unknown = |s: &&Spikes| found.population(&s.population).is_none_or(|p| p.observed.is_empty());
    let outside = |t: &&f64| within(run, **t) && !within(sound, **t);
    let spikes = trains(found, events).filter(unknown).flat_map(|s| &s.times).filter(outside).count();
    let samples: usize = found.traces.iter().map(|t| t.range(run).len() - t.range(both).len()).sum();
    if spikes == 0 && samples == 0 {
        return None;
    }
    Some(format!(
        "{spikes} spikes and {samples} samples lie in the run and outside the stretch in which the file says that its \
         units were observed and nothing is invalid, {} of the run",
        in_words(found.window.start - shift, found.window.stop - shift, base)
    ))
}

/// What of the run the recording does not cover. Of a list of spikes that ends with its last one the notes say already
/// that its end is unknown.
fn uncovered(found: &Recording, events: &[String], shift: f64, window: Window, base: TimeBase) -> Option<String> {
    // What was observed is told of each unit, and analyses look at no other time.
    let is_known = |s: &Spikes| found.population(&s.population).is_some_and(|p| !p.observed.is_empty());
    if found.traces.is_empty() && trains(found, events).all(is_known) {
        return None;
    }
    let (first, last) = (found.window.start - shift, found.window.stop - shift);
    // A sample stands for the interval around it, so that the first and the last may be one away from the ends.
    let interval = found.traces.iter().map(|t| t.interval).fold(0.0, f64::max);
    let slack = interval + 1e-9 * window.length();
    let last_spike = trains(found, events).filter_map(|s| s.times.last()).copied().max_by(f64::total_cmp);
    let end_is_unknown = found.traces.is_empty() && last_spike == Some(found.window.stop);
    if first <= window.start + slack && (end_is_unknown || last >= window.stop - slack) {
        return None;
    }
    Some(format!(
        "it was recorded from {} of the run ({}), and analyses of it look at no other time",
        in_words(first, last, base),
        in_words(window.start, window.stop, base)
    ))
}

/// That the first sample lies where the run begins, and ends an interval before it: it is left out. What takes it in.
fn before(found: &Recording, shift: f64, window: Window, base: TimeBase) -> Option<(String, String)> {
    let at_start = |t: &&Trace| (t.start - shift - window.start).abs() <= 1e-9 * t.interval && !t.values.is_empty();
    let first = found.traces.iter().find(at_start)?;
    let time = |t: f64| format!("{} {}", short(t), base.unit()).trim_end().to_owned();
    Some((
        format!(
            "a sample ends its interval, so that the first one, of {}, is of the time before the run and left out",
            time(first.start)
        ),
        format!("`start = \"{}\"` takes it in", time(first.start - first.interval)),
    ))
}

/// The stretch of the run in which a recording was made, where it does not cover the run: what is not in it is not
/// silence, so that each of its units was observed then and at no other time.
fn observed_in(found: Window, shift: f64, window: Window) -> Option<(f64, f64)> {
    let (start, stop) = (found.start - shift, found.stop - shift);
    let slack = 1e-9 * window.length();
    (start > window.start + slack || stop < window.stop - slack).then_some((start, stop))
}

/// The recording under its name in the scenario, on the time axis of the run: all in one population, but that several
/// that spike have one each, and each table of events.
fn placed(
    name: &str,
    found: Recording,
    (events, own_signals): (&[String], bool),
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
    let part = observed_in(found.window, shift, window);
    for own in found.spikes {
        let mut described = found.populations.iter().find(|p| p.name == own.population).cloned().unwrap_or_default();
        if let Some((start, stop)) = part.filter(|_| described.observed.is_empty() && !is_event(&own.population)) {
            described.observed = vec![vec![(start + shift, stop + shift)]; own.size];
        }
        described
            .observed
            .iter_mut()
            .flatten()
            .for_each(|(start, stop)| (*start, *stop) = (*start - shift, *stop - shift));
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
        let variable = if own_signals { trace.population.clone() } else { trace.variable.clone() };
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
            names: p.names.clone(),
            spiking: r.spikes.iter().find(|s| s.population == p.name).map(|s| s.size),
            variables: r.traces.iter().filter(|t| t.population == p.name).map(|t| t.variable.clone()).collect(),
        };
        r.populations.iter().map(place).collect()
    };
    recordings.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Window = Window { start: 0.0, stop: 1000.0 };

    /// Samples from the start of the run to one before its end cover it, wherever in the file it begins.
    #[test]
    fn a_signal_that_covers_the_run_is_not_warned_of() {
        for (interval, count) in [(1.0, 1000), (1.0, 1001), (0.1, 10_000), (1.0 / 3.0, 3000), (10.0, 100)] {
            for first in [0.0, -500.0, 60_000.0] {
                let window = Window { start: first - interval, stop: first + interval * (count - 1) as f64 };
                let (units, values) = (vec![0], vec![0.0; count]);
                let trace = Trace { start: first, interval, units, values, ..Trace::default() };
                let found = Recording { window, traces: vec![trace], ..Recording::default() };
                let of = |shift: f64| uncovered(&found, &[], shift, RUN, TimeBase::Milliseconds);
                assert_eq!(of(first), None, "{interval} {count} {first}");
                assert!(of(first + 3.0 * interval).is_some(), "{interval} {count} {first}");
                assert!(of(first - 3.0 * interval).is_some(), "{interval} {count} {first}");
                assert_eq!(left_out(&found, &[], first, RUN, TimeBase::Milliseconds), None);
                // The first sample is of the time before it; with the start that is told it is in the run.
                let told = |shift: f64| before(&found, shift, RUN, TimeBase::Milliseconds);
                assert!(told(first).is_some_and(|(_, help)| help.contains("takes it in")), "{interval} {first}");
                assert_eq!(told(first - interval), None, "{interval} {count} {first}");
            }
        }
    }

    /// Of a list of spikes the notes say that its end is unknown; a stretch that a file states ends where it says.
    #[test]
    fn spikes_are_measured_only_in_the_stretch_that_their_file_states() {
        let found = |stop: f64| {
            let population = "units".to_owned();
            let train = Spikes { population, size: 1, times: vec![100.0, 900.0], units: vec![0, 0] };
            Recording { window: Window { start: 0.0, stop }, spikes: vec![train], ..Recording::default() }
        };
        let base = TimeBase::Milliseconds;
        for (stop, is_covered, is_sound) in [(900.0, true, true), (950.0, false, true), (500.0, false, false)] {
            let found = found(stop);
            assert_eq!(uncovered(&found, &[], 0.0, RUN, base).is_none(), is_covered, "{stop}");
            assert_eq!(left_out(&found, &[], 0.0, RUN, base).is_none(), is_sound, "{stop}");
            // Events are no measurement, and may lie anywhere.
            assert_eq!(left_out(&found, &["units".to_owned()], 0.0, RUN, base), None);
            // A run within the stretch has nothing of what is outside it.
            assert_eq!(left_out(&found, &[], 0.0, Window { start: 0.0, stop: 400.0 }, base), None);
        }
    }
}
