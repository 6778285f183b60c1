//! Units and signals of an HDF5 file as a recording.

use std::collections::HashSet;

use super::elsewhere::{by_time, numbered, window_of};
use spikedeck_core::units::short;
use spikedeck_signal::data::{FileUnit, Ids};
use spikedeck_signal::{Population, Recording, Spikes, TimeBase, Trace, Window};
use spikedeck_store::{Recorded, RecordedSignal, RecordedSpikes, RecordedUnits};

/// What signals of a population are called.
const VARIABLE: &str = "data";

/// The recording, and what should be known of it. `label` is the name of a population that has none.
pub(super) fn of_recorded(label: &str, file: Recorded) -> (Recording, Vec<String>) {
    let Recorded { spikes, signals, observed, left, mut notes } = file;
    let several = spikes.len() > 1;
    let mut taken = HashSet::new();
    let mut known = true;
    let mut trains: Vec<Spikes> = Vec::with_capacity(spikes.len());
    for own in spikes {
        let population = free(own.name.clone().unwrap_or_else(|| label.to_owned()), &mut taken);
        known &= matches!(own.units, RecordedUnits::Listed { .. });
        let of = if several { format!("{population}: ") } else { String::new() };
        trains.push(train(population, own, &mut |note| notes.push(format!("{of}{note}"))));
    }
    let mut traces: Vec<Trace> = Vec::with_capacity(signals.len());
    for signal in signals {
        if !signal.unit.is_empty() && FileUnit::parse(&signal.unit).is_none() {
            let what = "which is no unit here: its values are plain numbers";
            notes.push(format!("`{}` is in `{}`, {what}", signal.place, signal.unit));
        }
        traces.push(trace(signal, &mut taken));
    }
    let window = window(&trains, &traces, observed, known, &mut notes);
    if !left.is_empty() {
        let more = if left.len() > 8 { format!(", and {} more", left.len() - 8) } else { String::new() };
        let named = &left[..left.len().min(8)];
        notes.push(format!("what this file holds besides is not read: {}{more}", named.join(", ")));
    }
    let of_spikes =
        trains.iter().map(|s| Population { name: s.population.clone(), size: s.size, ..Population::default() });
    let of_traces =
        traces.iter().map(|t| Population { name: t.population.clone(), size: t.units.len(), ..Population::default() });
    let recording = Recording {
        window,
        populations: of_spikes.chain(of_traces).collect(),
        spikes: trains,
        traces,
        ..Recording::default()
    };
    (recording, notes)
}

/// A name that no other population has.
fn free(wanted: String, taken: &mut HashSet<String>) -> String {
    let others = (2..).map(|n| format!("{wanted}-{n}"));
    let name = std::iter::once(wanted.clone()).chain(others).find(|name| !taken.contains(name));
    let name = name.expect("numbers do not end");
    taken.insert(name.clone());
    name
}

fn train(population: String, own: RecordedSpikes, note: &mut dyn FnMut(String)) -> Spikes {
    let scale = own.scale / TimeBase::Milliseconds.seconds();
    let mut times = own.times;
    for t in &mut times {
        *t *= scale;
    }
    let (units, size) = match own.units {
        RecordedUnits::Ids(ids) => {
            let found = numbered(&Ids::Numbers(ids));
            found.note.into_iter().for_each(note);
            (found.units, found.count)
        }
        RecordedUnits::Listed { units, labels } => {
            if labels.iter().enumerate().any(|(k, label)| *label != k.to_string()) {
                let list = labels.iter().take(3).enumerate().map(|(k, label)| format!("`{label}` is unit {k}"));
                let mut list: Vec<String> = list.collect();
                if labels.len() > 3 {
                    list.push(format!("and so on, {} units", labels.len()));
                }
                note(format!("units are numbered in the order of the file: {}", list.join(", ")));
            }
            (units, labels.len())
        }
    };
    let (times, units) = by_time(times, units);
    Spikes { population, size, times, units }
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
                "of {cut} of {} signals only what lies in {} to {} {} is looked at, when units were observed",
                traces.len(),
                short(start),
                short(stop),
                base.unit()
            ));
        }
        return window;
    }
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
            "the file does not say when units were observed: it is taken to begin at {} {} and to end with \
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
        }
    }

    #[test]
    fn units_without_spikes_are_units_and_all_are_sorted_by_time() {
        let spikes = vec![listed(None, &[0.5, 1.5, 0.5, 1.0], &[0, 0, 2, 2], &["7", "8", "9"])];
        let (recording, notes) = of_recorded("rec", Recorded { spikes, ..Recorded::default() });
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
        let (recording, notes) = of_recorded("rec", file);
        assert_eq!(recording.window, Window { start: 2000_f64.next_down(), stop: 9000.0 });
        let names: Vec<&str> = recording.populations.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["CA1", "CA1-2"]);
        assert_eq!((recording.traces[0].column.as_str(), recording.traces[0].interval), ("data_V", 500.0));
        assert!(notes.iter().any(|n| n.contains("of 1 of 1 signals only what lies in 2000 to 9000 ms")), "{notes:?}");
    }
}
