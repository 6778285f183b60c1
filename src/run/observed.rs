//! Stretches in which the units of a recording were observed, where a table of its own says it.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::elsewhere::{FEW, LISTED, SPARSE};
use super::recorded::UNKNOWN;
use super::{Finished, NotRead, free_memory};
use spikedeck_core::number::counted;
use spikedeck_core::units::short;
use spikedeck_signal::data::{Ids, Refused, SPANS, SpanFile, spans};
use spikedeck_signal::stretches::{Stretch, common, joined, longest};
use spikedeck_signal::{Recording, Spikes, TimeBase, Window};
use spikedeck_store as store;

/// Takes the stretches in which units were observed from the table at `path`: those of each unit, where it has a column
/// of units, else those of all. A unit that was observed is there, also where it never fired.
///
/// # Errors
/// When the table cannot be read, or names units of a recording that has several populations.
pub fn take_observed(opened: &mut Finished, path: &Path) -> Result<(), NotRead> {
    let located = |why: Refused| match store::located(path, &why) {
        Some(wrong) => NotRead::InText(wrong),
        None => NotRead::NoRecording { path: path.to_owned(), why },
    };
    if !path.exists() {
        let what = format!("there is no file {}", path.display());
        return Err(NotRead::Beside(Refused::new(what, "name a table of start_s, stop_s and unit")));
    }
    let table = store::file_table(path, &SPANS, free_memory() / 4 * 3)?;
    let read = spans(&table, opened.recording.time_base).map_err(located)?;
    let events = opened.facts.event_populations.clone();
    let notes = put(Arc::make_mut(&mut opened.recording), &events, read).map_err(located)?;
    // What was not known is known now.
    opened.warnings.retain(|w| !w.starts_with(LISTED) && !w.starts_with(UNKNOWN) && !w.contains(ASKED));
    opened.warnings.extend(notes);
    Ok(())
}

/// Puts stretches into a recording; what should be known of it.
fn put(recording: &mut Recording, events: &[String], file: SpanFile) -> Result<Vec<String>, Refused> {
    let base = recording.time_base;
    let axis = |(start, stop): Stretch| (start / base.seconds(), stop / base.seconds());
    let spans: Vec<Stretch> = file.spans.into_iter().map(axis).collect();
    let own: Vec<usize> =
        (0..recording.spikes.len()).filter(|&k| !events.contains(&recording.spikes[k].population)).collect();
    if own.is_empty() {
        return Err(Refused::new("the recording has no units", "stretches are of units that spike"));
    }
    if let (Some(_), [_, _, ..]) = (&file.ids, &own[..]) {
        let what = format!("the recording has {} populations, and these units are of one", own.len());
        let help = "leave the column out: the stretches are then those of all units";
        return Err(Refused::new(what, help).in_name(file.unit_column));
    }
    let mut all: Vec<Vec<Stretch>> = Vec::new();
    let (mut outside, mut unknown) = (0, 0);
    for k in own {
        let name = recording.spikes[k].population.clone();
        let place = recording.populations.iter().position(|p| p.name == name);
        let population = &mut recording.populations[place.expect("what spikes is a population")];
        let units = match &file.ids {
            None => None,
            Some(ids) => Some(
                units(ids, &mut population.names, population.size, spans.len())
                    .map_err(|(row, what, help)| Refused::new(what, help).in_cell(row, file.unit_column.as_str()))?,
            ),
        };
        let last = units.iter().flatten().max().map_or(0, |u| *u as usize + 1);
        population.size = population.size.max(last);
        let mut observed: Vec<Vec<Stretch>> = vec![Vec::new(); population.size];
        for (row, span) in spans.iter().enumerate() {
            match &units {
                None => observed.iter_mut().for_each(|own| own.push(*span)),
                Some(units) => observed[units[row] as usize].push(*span),
            }
        }
        for own in &mut observed {
            *own = joined(own);
        }
        let spikes = &mut recording.spikes[k];
        spikes.size = population.size;
        let saw = |t: f64, own: &[Stretch]| own.is_empty() || own.iter().any(|s| s.0 <= t && t <= s.1);
        outside += spikes.times.iter().zip(&spikes.units).filter(|(t, u)| !saw(**t, &observed[**u as usize])).count();
        unknown += observed.iter().filter(|own| own.is_empty()).count();
        all.extend(observed.iter().filter(|own| !own.is_empty()).cloned());
        population.observed = observed;
    }
    let mut notes = Vec::new();
    if outside > 0 {
        let lie = counted(outside, "spike lies", "spikes lie");
        notes.push(format!("{lie} outside the stretches in which their units were observed"));
    }
    if unknown > 0 {
        notes.push(format!("it is not said when {} observed", counted(unknown, "unit was", "units were")));
    }
    let shared = common(&all);
    match longest(&shared) {
        Some((start, stop)) => {
            // What a run leaves out at its start stays out.
            let transient = recording.transient > 0.0;
            let start = if transient { start.max(recording.analysis_window().start) } else { start };
            recording.transient = 0.0;
            let fired = recording.spikes.iter().any(|s| s.times.binary_search_by(|t| t.total_cmp(&start)).is_ok());
            recording.window = Window { start: if fired { start.next_down() } else { start }, stop };
            if all.iter().any(|own| *own != all[0]) || shared.len() > 1 {
                let gaps = match shared.len() {
                    1 => String::new(),
                    n => format!(", the longest of {n} such stretches; the others are left out"),
                };
                notes.push(format!(
                    "units were not all observed at all times: all of them were from {} to {} {}{gaps}",
                    short(start),
                    short(stop),
                    base.unit()
                ));
            }
        }
        None => {
            notes.push("no stretch of time was observed in all units: choose some that were observed together".into());
        }
    }
    Ok(notes)
}

/// What is asked of such units.
const ASKED: &str = "was it observed?";
/// Spikes that a unit has at least, so that its longest interval says something.
const LEAST: usize = 10;
/// So many times the longest interval of a unit is longer than it is ever silent by chance.
const TIMES: f64 = 5.0;
/// The share of a recording that is silent then at least.
const SHARE: f64 = 0.1;

/// What to ask of units that are silent at an end of a recording for much longer than ever in between, where nobody
/// says when they were observed.
pub(super) fn fell_silent(own: &Spikes, names: &[String], window: Window, base: TimeBase) -> Option<String> {
    let mut of: Vec<Option<(f64, f64, f64, usize)>> = vec![None; own.size];
    for (&t, &unit) in own.times.iter().zip(&own.units) {
        let seen = of.get_mut(unit as usize)?;
        *seen = Some(match *seen {
            None => (t, t, 0.0, 1),
            Some((first, last, longest, n)) => (first, t, f64::max(longest, t - last), n + 1),
        });
    }
    let is_long = |silent: f64, longest: f64| silent > (TIMES * longest).max(SHARE * window.length());
    let lost: Vec<(usize, &str, f64)> = of
        .iter()
        .enumerate()
        .filter_map(|(unit, seen)| {
            let (first, last, longest, _) = seen.filter(|(.., n)| *n >= LEAST)?;
            let (before, after) = (first - window.start, window.stop - last);
            let ends = [("last", after), ("first", before)];
            ends.into_iter().find(|(_, silent)| is_long(*silent, longest)).map(|(which, silent)| (unit, which, silent))
        })
        .collect();
    let &(unit, which, silent) = lost.first()?;
    let name = names.get(unit).cloned().unwrap_or_else(|| unit.to_string());
    let more = match lost.len() - 1 {
        0 => String::new(),
        n => format!(" (and so {})", counted(n, "other is at an end", "others are at an end")),
    };
    let much = format!("{} {}", short(silent), base.unit());
    Some(format!(
        "unit {name} is silent for the {which} {}{more}, much longer than ever in between: {ASKED} \
         `--observed` (`observed` of a `[recordings]` table) takes a table that says when units were",
        much.trim_end()
    ))
}

/// The unit of each row: by its name, where units have names, else by its number. Units that never fired are added.
fn units(
    ids: &Ids,
    names: &mut Vec<String>,
    size: usize,
    rows: usize,
) -> Result<Vec<u32>, (usize, String, &'static str)> {
    let mut texts: Vec<String> = match ids {
        Ids::Numbers(numbers) => numbers.iter().map(ToString::to_string).collect(),
        Ids::Names { names, codes } => codes.iter().map(|&c| names[c as usize].clone()).collect(),
    };
    if names.is_empty() {
        let most = SPARSE as usize * (size + rows) + FEW as usize;
        let help = "units of the recording have numbers, from 0";
        let numbers = texts.iter().enumerate().map(|(row, text)| match text.parse::<u32>() {
            Ok(unit) if (unit as usize) < most => Ok(unit),
            _ => Err((row, format!("the recording has no unit `{text}`"), help)),
        });
        let numbers = numbers.collect::<Result<Vec<u32>, _>>()?;
        let named: HashSet<u32> = numbers.iter().copied().collect();
        let last = numbers.iter().max().map_or(0, |u| *u as usize + 1);
        if (size as u32..last as u32).all(|unit| named.contains(&unit)) {
            return Ok(numbers);
        }
        // Numbers between those that are there are no units: they have names from now on.
        names.extend((0..size).map(|unit| unit.to_string()));
        // What is written as `01` is unit 1.
        texts = numbers.iter().map(ToString::to_string).collect();
    }
    let mut places: HashMap<String, u32> = HashMap::new();
    for (at, name) in names.iter().enumerate() {
        // The first of those that are called alike.
        places.entry(name.clone()).or_insert(at as u32);
    }
    let place = |name: String| {
        *places.entry(name).or_insert_with_key(|name| {
            names.push(name.clone());
            names.len() as u32 - 1
        })
    };
    Ok(texts.into_iter().map(place).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_signal::Population;

    fn recording(names: &[&str]) -> Recording {
        let spikes = Spikes { population: "p".into(), size: 2, times: vec![10.0, 20.0, 900.0], units: vec![0, 1, 1] };
        let names = names.iter().map(ToString::to_string).collect();
        Recording {
            window: Window { start: 0.0, stop: 900.0 },
            populations: vec![Population { name: "p".into(), size: 2, names, ..Population::default() }],
            spikes: vec![spikes],
            ..Recording::default()
        }
    }

    fn file(spans: &[Stretch], ids: Option<Ids>) -> SpanFile {
        SpanFile { spans: spans.to_vec(), ids, unit_column: "unit".into() }
    }

    #[test]
    fn stretches_are_those_of_their_units_and_silent_units_are_there() {
        let mut own = recording(&[]);
        let ids = Ids::Numbers(vec![0, 1, 3, 1]);
        let notes = put(&mut own, &[], file(&[(0.0, 1.0), (0.0, 0.5), (0.01, 1.0), (0.4, 0.6)], Some(ids))).unwrap();
        let units = &own.populations[0];
        // Nobody says that there is a unit 2.
        assert_eq!((units.size, own.spikes[0].size), (3, 3));
        assert_eq!(units.names, ["0", "1", "3"]);
        assert_eq!(units.observed[1], [(0.0, 600.0)], "joined");
        assert_eq!(units.observed[2], [(10.0, 1000.0)]);
        // A spike at the start of the common stretch is in it.
        assert_eq!(own.window, Window { start: 10_f64.next_down(), stop: 600.0 });
        for words in ["1 spike lies outside", "from 10 to 600 ms"] {
            assert!(notes.iter().any(|n| n.contains(words)), "{words}: {notes:?}");
        }
        // A number that is written with zeros before it is that number, also where there is a gap.
        let mut written = recording(&[]);
        let ids = Ids::Names { names: vec!["01".into(), "05".into(), "0".into()], codes: vec![0, 1, 2] };
        put(&mut written, &[], file(&[(0.0, 1.0); 3], Some(ids))).unwrap();
        assert_eq!(written.populations[0].names, ["0", "1", "5"]);
        assert_eq!(written.populations[0].observed, vec![vec![(0.0, 1000.0)]; 3]);
        let mut next = recording(&[]);
        let ids = Ids::Numbers(vec![0, 2]);
        let notes = put(&mut next, &[], file(&[(0.0, 1.0), (0.0, 1.0)], Some(ids))).unwrap();
        assert!(next.populations[0].names.is_empty() && next.populations[0].size == 3, "one more without a gap");
        assert!(notes.iter().any(|n| n.contains("when 1 unit was observed")), "{notes:?}");
        let mut named = recording(&["a", "7"]);
        put(&mut named, &[], file(&[(0.0, 1.0), (0.0, 2.0)], Some(Ids::Numbers(vec![7, 9])))).unwrap();
        assert_eq!(named.populations[0].names, ["a", "7", "9"]);
        assert_eq!(named.populations[0].observed[1], [(0.0, 1000.0)]);
        // Of a gap that all units share, nothing differs between them, and still something is left out.
        let mut gap = recording(&[]);
        let notes = put(&mut gap, &[], file(&[(0.0, 0.2), (0.8, 1.2)], None)).unwrap();
        assert_eq!((gap.window.start, gap.window.stop), (800.0, 1200.0));
        assert!(notes.iter().any(|n| n.contains("the longest of 2 such stretches")), "{notes:?}");
        let mut whole = recording(&[]);
        assert!(put(&mut whole, &[], file(&[(0.0, 1.0)], None)).unwrap().is_empty());
        assert_eq!((whole.window.stop, whole.populations[0].observed.len()), (1000.0, 2));
    }

    /// A unit that stops half-way is asked about, and neither one that fires to the end nor one of a few spikes is.
    #[test]
    fn a_unit_that_falls_silent_is_asked_about() {
        let window = Window { start: 0.0, stop: 1000.0 };
        let told = |from: f64, to: f64, apart: f64| {
            let times: Vec<f64> = (0..10_000)
                .map(|k| from + apart * f64::from(k))
                .take_while(|t| *t <= to)
                .filter(|t| *t > 0.0)
                .collect();
            let own = Spikes { population: "p".into(), size: 3, units: vec![2; times.len()], times };
            fell_silent(&own, &[], window, TimeBase::Milliseconds)
        };
        for (from, to, apart, words) in [
            (0.0, 500.0, 10.0, Some("unit 2 is silent for the last 500 ms")),
            (600.0, 1000.0, 10.0, Some("unit 2 is silent for the first 600 ms")),
            (0.0, 1000.0, 10.0, None),
            (0.0, 950.0, 5.0, None),
            (0.0, 500.0, 100.0, None),
            (0.0, 850.0, 80.0, None),
        ] {
            let found = told(from, to, apart);
            assert_eq!(found.is_some(), words.is_some(), "{from} {to} {apart} {found:?}");
            assert!(words.is_none_or(|w| found.unwrap().contains(w)));
        }
    }

    #[test]
    fn units_that_are_not_there_are_refused_at_their_row() {
        let ids = Ids::Numbers(vec![0, -1]);
        let why = put(&mut recording(&[]), &[], file(&[(0.0, 1.0), (0.0, 1.0)], Some(ids))).unwrap_err();
        assert!(why.message.contains("no unit `-1`") && why.spot.unwrap().row == Some(1));
        let mut two = recording(&[]);
        two.spikes.push(Spikes { population: "q".into(), size: 1, ..Spikes::default() });
        two.populations.push(Population { name: "q".into(), size: 1, ..Population::default() });
        let ids = Some(Ids::Numbers(vec![0]));
        assert!(put(&mut two, &[], file(&[(0.0, 1.0)], ids.clone())).is_err());
        assert!(put(&mut two, &["q".into()], file(&[(0.0, 1.0)], ids)).is_ok(), "events are no units");
    }
}
