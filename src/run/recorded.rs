//! Units and signals of an HDF5 file as a recording.

use std::collections::HashSet;

use super::elsewhere::{by_time, numbered, repeated, window_of};
use super::observed::fell_silent;
use spikedeck_core::number::counted;
use spikedeck_core::units::short;
use spikedeck_signal::data::{FileUnit, Ids, TrialTable};
use spikedeck_signal::stretches::{self, Stretch};
use spikedeck_signal::{Population, Recording, Spikes, TimeBase, Trace, Window};
use spikedeck_store::{Recorded, RecordedEvents, RecordedSignal, RecordedSpikes, RecordedUnits};

/// The time axis of such recordings.
const BASE: TimeBase = TimeBase::Milliseconds;

/// How it is said that a file does not say when its units were observed.
pub(super) const UNKNOWN: &str = "the file does not say when units were observed";

/// What signals of a population are called.
const VARIABLE: &str = "data";

/// The recording, which of its populations are events, and what should be known of it. `label` is the name of a
/// population that has none.
pub(super) fn of_recorded(label: &str, file: Recorded) -> (Recording, Vec<String>, Vec<String>) {
    let Recorded { spikes, signals, events, invalid, observed, left, mut notes } = file;
    let several = spikes.len() > 1;
    let mut taken = HashSet::new();
    let mut known = true;
    let mut trains: Vec<Spikes> = Vec::with_capacity(spikes.len());
    let mut units: Vec<Population> = Vec::with_capacity(spikes.len());
    for own in spikes {
        let population = free(own.name.clone().unwrap_or_else(|| label.to_owned()), &mut taken);
        known &= matches!(own.units, RecordedUnits::Listed { .. });
        let of = if several { format!("{population}: ") } else { String::new() };
        let (own, described) = train(population, own, &invalid, &mut |note| notes.push(format!("{of}{note}")));
        trains.push(own);
        units.push(described);
    }
    let mut traces: Vec<Trace> = Vec::with_capacity(signals.len());
    for signal in signals {
        if !signal.unit.is_empty() && FileUnit::parse(&signal.unit).is_none() {
            let what = "which is no unit here: its values are plain numbers";
            notes.push(format!("`{}` is in `{}`, {what}", signal.place, signal.unit));
        }
        traces.push(trace(signal, &mut taken));
    }
    let (happened, tables): (Vec<Spikes>, Vec<Population>) =
        events.into_iter().map(|own| moments(own, &mut taken, &mut notes)).unzip();
    units.extend(tables);
    let window = window(&trains, &traces, &happened, observed, known, &mut notes);
    if observed.is_none() {
        notes.extend(trains.iter().zip(&units).filter_map(|(own, p)| fell_silent(own, &p.names, window, BASE)));
    }
    let window = without(window, &invalid, &mut notes);
    let event_populations: Vec<String> = happened.iter().map(|s| s.population.clone()).collect();
    trains.extend(happened);
    if !left.is_empty() {
        let more = if left.len() > 8 { format!(", and {} more", left.len() - 8) } else { String::new() };
        let named = &left[..left.len().min(8)];
        notes.push(format!("what this file holds besides is not read: {}{more}", named.join(", ")));
    }
    let of_traces =
        traces.iter().map(|t| Population { name: t.population.clone(), size: t.units.len(), ..Population::default() });
    let recording = Recording {
        window,
        populations: units.into_iter().chain(of_traces).collect(),
        spikes: trains,
        traces,
        ..Recording::default()
    };
    (recording, event_populations, notes)
}

/// Events as a population of which each column of times is a unit.
fn moments(own: RecordedEvents, taken: &mut HashSet<String>, notes: &mut Vec<String>) -> (Spikes, Population) {
    let population = free(own.name, taken);
    let mut columns = own.columns;
    for (_, times) in &mut columns {
        times.retain(|t| t.is_finite());
    }
    columns.retain(|(_, times)| !times.is_empty());
    let named: Vec<String> = columns.iter().enumerate().map(|(k, (name, _))| format!("[{k}] {name}")).collect();
    notes.push(format!("`{population}.spikes` are events: {}", named.join(", ")));
    let size = columns.len();
    let names = columns.iter().map(|(name, _)| name.clone()).collect();
    let all = columns.into_iter().enumerate();
    let all = all.flat_map(|(k, (_, times))| times.into_iter().map(move |t| (t, k as u32)));
    let (times, units) = all.map(|(t, k)| (t / TimeBase::Milliseconds.seconds(), k)).unzip();
    let (times, units) = by_time(times, units);
    let described = Population { name: population.clone(), size, names, ..Population::default() };
    (Spikes { population, size, times, units }, described)
}

/// Events as tables of trials.
pub(super) fn trial_tables(events: &[RecordedEvents]) -> Vec<TrialTable> {
    let table = |own: &RecordedEvents| TrialTable {
        name: own.name.clone(),
        moments: own.columns.clone(),
        labels: own.labels.clone(),
        written: Vec::new(),
        // So NWB has it of all times.
        in_seconds: true,
    };
    events.iter().map(table).collect()
}

/// The longest part of `window` in which nothing is to be left out.
fn without(window: Window, invalid: &[(f64, f64)], notes: &mut Vec<String>) -> Window {
    let base = TimeBase::Milliseconds;
    let mut spans: Vec<(f64, f64)> =
        invalid.iter().map(|(start, stop)| (start / base.seconds(), stop / base.seconds())).collect();
    spans.retain(|(start, stop)| *stop > window.start && *start < window.stop);
    if spans.is_empty() {
        return window;
    }
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut best, mut from) = (Window { start: window.start, stop: window.start }, window.start);
    for (start, stop) in spans.iter().copied().chain([(window.stop, window.stop)]) {
        if start - from > best.length() {
            best = Window { start: from, stop: start };
        }
        from = from.max(stop);
    }
    notes.push(format!(
        "{} marked as invalid: the recording is {} to {} {}, the longest without any",
        counted(spans.len(), "stretch of this file is", "stretches of this file are"),
        short(best.start),
        short(best.stop),
        base.unit()
    ));
    best
}

/// A name that no other population has.
fn free(wanted: String, taken: &mut HashSet<String>) -> String {
    let others = (2..).map(|n| format!("{wanted}-{n}"));
    let name = std::iter::once(wanted.clone()).chain(others).find(|name| !taken.contains(name));
    let name = name.expect("numbers do not end");
    taken.insert(name.clone());
    name
}

/// The spikes of a population, and what is known of its units; what is `invalid` was not observed.
fn train(
    population: String,
    own: RecordedSpikes,
    invalid: &[Stretch],
    note: &mut dyn FnMut(String),
) -> (Spikes, Population) {
    let scale = own.scale / TimeBase::Milliseconds.seconds();
    let mut times = own.times;
    for t in &mut times {
        *t *= scale;
    }
    let (units, size, names) = match own.units {
        RecordedUnits::Ids(ids) => {
            let found = numbered(&Ids::Numbers(ids));
            found.note.into_iter().for_each(&mut *note);
            (found.units, found.count, found.names)
        }
        RecordedUnits::Listed { units, labels } => {
            let size = labels.len();
            let called = labels.iter().enumerate().any(|(k, label)| *label != k.to_string());
            if called {
                let list = labels.iter().take(3).enumerate().map(|(k, label)| format!("`{label}` is unit {k}"));
                let mut list: Vec<String> = list.collect();
                if size > 3 {
                    list.push(format!("and so on, {size} units"));
                }
                note(format!("units are numbered in the order of the file: {}", list.join(", ")));
            }
            let different: HashSet<&String> = labels.iter().collect();
            if different.len() < size {
                note(format!(
                    "{} of {size} units have a name that another has: they are numbered",
                    size - different.len()
                ));
            }
            let named = called && different.len() == size;
            (units, size, if named { labels } else { Vec::new() })
        }
    };
    let (times, units) = by_time(times, units);
    repeated(&times, &units).into_iter().for_each(note);
    let seen = |own: &Vec<Stretch>| -> Vec<Stretch> {
        let mut sound = stretches::without(own, invalid);
        if let (true, Some(&(start, _))) = (sound.is_empty(), own.first()) {
            // Never observed, which is not the same as unknown.
            sound.push((start, start));
        }
        sound.into_iter().map(|(a, b)| (a / BASE.seconds(), b / BASE.seconds())).collect()
    };
    let observed = own.observed.iter().map(seen).collect();
    let described = Population { name: population.clone(), size, names, observed, ..Population::default() };
    (Spikes { population, size, times, units }, described)
}

fn trace(signal: RecordedSignal, taken: &mut HashSet<String>) -> Trace {
    let population = free(signal.name().to_owned(), taken);
    let unit = FileUnit::parse(&signal.unit).map_or_else(String::new, |u| u.text);
    let column =
        if unit.is_empty() { VARIABLE.to_owned() } else { format!("{VARIABLE}_{}", unit.replace('/', "_per_")) };
    let milliseconds = |seconds: f64| seconds / TimeBase::Milliseconds.seconds();
    Trace {
        population,
        name: "file".to_owned(),
        variable: VARIABLE.to_owned(),
        unit,
        column,
        units: (0..signal.channels as u32).collect(),
        start: milliseconds(signal.start),
        interval: milliseconds(signal.interval),
        values: signal.values,
    }
}

/// The stretch that analyses look at: what the file says that all units were observed in, else all that it holds.
fn window(
    trains: &[Spikes],
    traces: &[Trace],
    happened: &[Spikes],
    observed: Option<(f64, f64)>,
    known: bool,
    notes: &mut Vec<String>,
) -> Window {
    let base = TimeBase::Milliseconds;
    // As everywhere each sample ends an interval: the first is part of the stretch.
    let sampled =
        traces.iter().map(|t| Window { start: t.start - t.interval, stop: t.time(t.len().saturating_sub(1)) });
    if let Some((start, stop)) = observed {
        let (start, stop) = (start / base.seconds(), stop / base.seconds());
        // Stretches are open at their start, and one of the file is not.
        let at_start = trains.iter().any(|s| s.times.contains(&start));
        let window = Window { start: if at_start { start.next_down() } else { start }, stop };
        let cut = sampled.filter(|s| s.start < window.start - 1e-6 || s.stop > window.stop + 1e-6).count();
        if cut > 0 {
            notes.push(format!(
                "of {cut} of {} signals only what lies in {} to {} {} is of the recording, when units were observed",
                traces.len(),
                short(start),
                short(stop),
                base.unit()
            ));
        }
        return window;
    }
    // Events say when something was recorded only where there is nothing else.
    let trains = if trains.is_empty() && traces.is_empty() { happened } else { trains };
    let first = trains.iter().filter_map(|s| s.times.first()).copied().min_by(f64::total_cmp);
    let last = trains.iter().filter_map(|s| s.times.last()).copied().max_by(f64::total_cmp);
    let spiking = first.zip(last).map(|(first, last)| window_of(first, last));
    let all: Vec<Window> = spiking.into_iter().chain(sampled).collect();
    let start = all.iter().map(|w| w.start).min_by(f64::total_cmp).unwrap_or_default();
    let stop = all.iter().map(|w| w.stop).max_by(f64::total_cmp).unwrap_or_default();
    if !trains.is_empty() {
        let silent = if known { "" } else { ", and silent units after the last that fired are unknown" };
        let end = if traces.is_empty() { "its last spike" } else { "its last spike or sample" };
        notes.push(format!(
            "{UNKNOWN}: it is taken to begin at {} {} and to end with \
             {end}{silent}",
            short(start),
            base.unit()
        ));
    }
    Window { start, stop }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: Option<&str>, times: &[f64], units: &[u32], labels: &[&str]) -> RecordedSpikes {
        RecordedSpikes {
            name: name.map(str::to_owned),
            times: times.to_vec(),
            scale: 1.0,
            units: RecordedUnits::Listed {
                units: units.to_vec(),
                labels: labels.iter().map(ToString::to_string).collect(),
            },
            observed: Vec::new(),
        }
    }

    #[test]
    fn units_without_spikes_are_units_and_all_are_sorted_by_time() {
        let spikes = vec![listed(None, &[0.5, 1.5, 0.5, 1.0], &[0, 0, 2, 2], &["7", "8", "9"])];
        let (recording, _, notes) = of_recorded("rec", Recorded { spikes, ..Recorded::default() });
        let own = &recording.spikes[0];
        assert_eq!((own.population.as_str(), own.size), ("rec", 3));
        assert_eq!(
            (own.times.as_slice(), own.units.as_slice()),
            (&[500.0, 500.0, 1000.0, 1500.0][..], &[0, 2, 2, 0][..])
        );
        assert_eq!(recording.window, Window { start: 0.0, stop: 1500.0 });
        assert!(notes.iter().any(|n| n.contains("`7` is unit 0, `8` is unit 1, `9` is unit 2")), "{notes:?}");
        assert!(notes.iter().all(|n| !n.contains("silent units")), "{notes:?}");
    }

    #[test]
    fn units_have_names_and_the_stretches_in_which_they_were_observed() {
        let mut own = listed(Some("CA1"), &[0.5, 1.5, 2.0], &[0, 0, 1], &["u7", "u12", "u13", "u14"]);
        own.observed = vec![vec![(0.0, 5.0)], vec![(0.0, 2.5), (3.0, 5.0)], vec![], vec![(1.0, 2.0)]];
        let file = Recorded { spikes: vec![own], invalid: vec![(0.5, 2.0)], ..Recorded::default() };
        let (recording, _, _) = of_recorded("rec", file);
        let units = recording.population("CA1").unwrap();
        assert_eq!(units.names, ["u7", "u12", "u13", "u14"]);
        assert_eq!((units.unit_name(1).as_ref(), units.unit_name(9).as_ref()), ("u12", "9"));
        assert_eq!(units.observed[0], [(0.0, 500.0), (2000.0, 5000.0)]);
        assert_eq!(units.observed[1], [(0.0, 500.0), (2000.0, 2500.0), (3000.0, 5000.0)]);
        assert!(units.observed[2].is_empty(), "nothing is known of it");
        assert!(stretches::common(&[units.observed[0].clone(), units.observed[3].clone()]).is_empty());
        let numbered = Recorded { spikes: vec![listed(None, &[0.5], &[1], &["0", "1"])], ..Recorded::default() };
        assert!(of_recorded("rec", numbered).0.populations[0].names.is_empty(), "numbers are no names");
    }

    #[test]
    fn events_are_populations_of_their_own_and_invalid_times_are_left_out() {
        let spikes = vec![listed(None, &[0.5, 9.0], &[0, 0], &["0"])];
        let columns = vec![("start_time".to_owned(), vec![4.0, 0.0]), ("stop_time".to_owned(), vec![1.0, 20.0])];
        let events = vec![RecordedEvents { name: "trials".into(), columns, labels: Vec::new() }];
        let file =
            Recorded { spikes, events, invalid: vec![(3.0, 4.0), (3.5, 4.5), (8.0, 8.5)], ..Recorded::default() };
        let (recording, events, notes) = of_recorded("rec", file);
        let trials = recording.spikes_of("trials").unwrap();
        assert_eq!((trials.times.as_slice(), trials.units.as_slice()), (&[0.0, 1e3, 4e3, 2e4][..], &[0, 1, 0, 1][..]));
        assert_eq!(events, ["trials"]);
        // That of the spikes is 0 to 9 s; the longest valid part is between the second and the third.
        assert_eq!(recording.window, Window { start: 4500.0, stop: 8000.0 });
        assert!(notes.iter().any(|n| n.contains("[0] start_time, [1] stop_time")), "{notes:?}");
        assert!(notes.iter().any(|n| n.contains("marked as invalid")), "{notes:?}");
    }

    /// A moment of the stretch that is left is in no invalid one, and no longer stretch is.
    #[test]
    fn what_is_left_is_the_longest_valid_stretch() {
        let mut state = 3_u64;
        let mut next = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        for _ in 0..500 {
            let invalid: Vec<(f64, f64)> = (0..next(6))
                .map(|_| {
                    let start = next(40) as f64 - 5.0;
                    (start, start + 1.0 + next(8) as f64)
                })
                .collect();
            let found = without(Window { start: 0.0, stop: 30_000.0 }, &invalid, &mut Vec::new());
            let free = |k: u64| !invalid.iter().any(|s| s.0 < k as f64 + 0.5 && k as f64 + 0.5 < s.1);
            let (mut longest, mut run) = (0, 0);
            for k in 0..30 {
                run = if free(k) { run + 1 } else { 0 };
                longest = longest.max(run);
            }
            assert_eq!(found.length(), 1000.0 * f64::from(longest), "{invalid:?}");
            assert!((0..30).filter(|&k| found.start <= k as f64 * 1e3 && (k as f64) * 1e3 < found.stop).all(free));
        }
    }

    #[test]
    fn the_observed_stretch_is_the_window_also_where_nothing_fired() {
        let spikes = vec![listed(Some("CA1"), &[2.0, 3.0], &[0, 1], &["0", "1"])];
        let signals = vec![RecordedSignal {
            place: "acquisition/CA1".into(),
            unit: "V".into(),
            start: 0.0,
            interval: 0.5,
            channels: 2,
            values: vec![0.0; 40],
        }];
        let file = Recorded { spikes, signals, observed: Some((2.0, 9.0)), ..Recorded::default() };
        let (recording, _, notes) = of_recorded("rec", file);
        assert_eq!(recording.window, Window { start: 2000_f64.next_down(), stop: 9000.0 });
        let names: Vec<&str> = recording.populations.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["CA1", "CA1-2"]);
        assert_eq!((recording.traces[0].column.as_str(), recording.traces[0].interval), ("data_V", 500.0));
        assert!(notes.iter().any(|n| n.contains("of 1 of 1 signals only what lies in 2000 to 9000 ms")), "{notes:?}");
    }
}
