//! Events as analyses look at them: spikes of units (of a population, of trials in a file), or the moments at which a
//! signal rises through a level.

use super::subject::{self, Columns};
use super::value::Time;
use super::{AnalysisError, Request};
use spikedeck_core::rng::Key;
use spikedeck_core::units::short;
use spikedeck_scenario::{Observable, Subject};
use spikedeck_signal::Window;

/// Most rows of units; more are to be pooled.
const MOST_UNITS: usize = 128;

/// Events of one kind, ascending, on the recording's axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// What they are called.
    pub name: String,
    /// When they are.
    pub times: Vec<f64>,
}

/// The events that a subject means: one row a unit, or all units of `mean(...)` in one; of a signal where it rises
/// through `level`, half-way between its least and its greatest value where that is not given.
///
/// # Errors
/// When it was not recorded, or means too many units.
pub fn moments(
    request: &Request<'_>,
    s: &Subject,
    level: Option<f64>,
    bin: Time,
) -> Result<Vec<Moments>, AnalysisError> {
    if s.what != Observable::Spikes {
        let columns = subject::columns(request, s, bin)?;
        let rows =
            (0..columns.columns.len()).map(|k| Moments { name: columns.name(k), times: rises(&columns, k, level) });
        return Ok(rows.collect());
    }
    let t = subject::trains(request, s)?;
    if s.mean || t.trains.len() == 1 {
        let mut times: Vec<f64> = t.trains.iter().flat_map(|t| t.iter().copied()).collect();
        times.sort_by(f64::total_cmp);
        return Ok(vec![Moments { name: s.text.clone(), times }]);
    }
    if t.trains.len() > MOST_UNITS {
        return Err(AnalysisError::Unsuitable(format!(
            "{} means {} units, and at most {MOST_UNITS} are looked at one by one: choose some, as in `{}[0..20]`, or \
             pool them with `mean({})`",
            s.text,
            t.trains.len(),
            subject::stem(request, s),
            s.text
        )));
    }
    let row = |(&unit, train): (&u32, &spikedeck_signal::Train)| Moments {
        name: subject::unit_name(request, s, unit),
        times: train.to_vec(),
    };
    Ok(t.units.iter().zip(&t.trains).map(row).collect())
}

/// Whether a stretch around an event fits into what is analysed.
///
/// # Errors
/// `Unsuitable` where it does not.
pub fn fits(request: &Request<'_>, before: Time, after: Time) -> Result<(), AnalysisError> {
    let length = request.recording.analysis_window().length();
    if before.axis + after.axis <= length {
        return Ok(());
    }
    Err(AnalysisError::Unsuitable(format!(
        "`before` and `after`, {} s together, are longer than the {} s that are analysed",
        short(before.seconds + after.seconds),
        short(length * request.recording.time_base.seconds())
    )))
}

/// When a column is at or above a level for the first time after it was below.
fn rises(columns: &Columns, column: usize, level: Option<f64>) -> Vec<f64> {
    let values = &columns.columns[column];
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let level = level.unwrap_or(f64::midpoint(least, greatest));
    let is_rise = |pair: &[f64]| pair[0] < level && pair[1] >= level;
    let at = |k: usize| columns.start + (k + 1) as f64 * columns.interval;
    values.windows(2).enumerate().filter(|(_, pair)| is_rise(pair)).map(|(k, _)| at(k)).collect()
}

/// The window without what is nearer to its ends than `before` and `after`: where events have all around them.
pub fn surrounded(window: Window, before: f64, after: f64) -> Window {
    Window { start: window.start + before, stop: window.stop - after }
}

/// Events inside a window, both ends of which are part of it.
pub fn inside(times: &[f64], window: Window) -> &[f64] {
    let slack = 1e-9 * window.length();
    let from = times.partition_point(|&t| t < window.start - slack);
    let to = times.partition_point(|&t| t <= window.stop + slack);
    &times[from.min(to)..to]
}

/// The same events, all later by one drawn time, those that leave the window at its beginning again: their own rhythm,
/// and nothing that ties them to anything else.
pub fn rotated(times: &[f64], window: Window, key: Key, number: usize) -> Vec<f64> {
    let length = window.length();
    // A small shift would keep what is slower than it.
    let by = length * (0.05 + 0.9 * key.stream(number as u32, 0).uniform());
    let mut moved: Vec<f64> = times.iter().map(|t| window.start + (t - window.start + by) % length).collect();
    moved.sort_by(f64::total_cmp);
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{recording, subject as named, traces};
    use spikedeck_scenario::AnalysisSpec;
    use spikedeck_signal::{Recording, SpikeTrains};
    use std::collections::BTreeMap;
    use std::sync::atomic::AtomicBool;

    fn of(r: &Recording, s: &Subject, level: Option<f64>) -> Vec<Moments> {
        let (name, none) = ("x".to_owned(), Vec::new());
        let spec = AnalysisSpec {
            name: name.clone(),
            kind: name,
            of: none.clone(),
            source: none.clone(),
            target: none,
            options: BTreeMap::new(),
        };
        let (trains, cancel) = (SpikeTrains::new(r), AtomicBool::new(false));
        let request = Request { spec: &spec, scenario: None, recording: r, trains: &trains, seed: 1, cancel: &cancel };
        moments(&request, s, level, Time::of_seconds(1e-3, r.time_base)).unwrap()
    }

    #[test]
    fn spikes_of_units_are_events_each_by_itself_or_pooled() {
        let r = recording(&[vec![3.0, 7.0], vec![5.0]], 10.0);
        let rows = of(&r, &named("spikes", &[]), None);
        assert_eq!(rows[0], Moments { name: "p.spikes[0]".into(), times: vec![3.0, 7.0] });
        assert_eq!(rows[1].times, [5.0]);
        let pooled = of(&r, &Subject { mean: true, ..named("spikes", &[]) }, None);
        assert_eq!((pooled.len(), pooled[0].times.as_slice()), (1, &[3.0, 5.0, 7.0][..]));
    }

    #[test]
    fn a_signal_that_rises_through_a_level_makes_events() {
        let r = traces(&[vec![0.0, 0.0, 2.0, 2.0, 0.0, 1.0, 0.0]], 0.5);
        // Half-way is 1, which the second rise reaches.
        assert_eq!(of(&r, &named("V_m", &[]), None)[0].times, [1.0, 2.5]);
        assert_eq!(of(&r, &named("V_m", &[]), Some(1.5))[0].times, [1.0]);
        assert!(of(&r, &named("V_m", &[]), Some(9.0))[0].times.is_empty());
        assert!(of(&traces(&[vec![4.0; 5]], 0.5), &named("V_m", &[]), None)[0].times.is_empty());
    }

    #[test]
    fn rotations_keep_how_many_there_are_and_stay_inside() {
        let window = Window { start: -2.0, stop: 8.0 };
        let times = [-2.0, 0.0, 1.0, 7.5];
        for number in 0..50 {
            let moved = rotated(&times, window, Key::new(1, "a", "b"), number);
            assert!(moved.len() == 4 && moved.is_sorted() && moved.iter().all(|t| (-2.0..8.0).contains(t)));
        }
        assert_eq!(inside(&times, Window { start: 0.0, stop: 7.5 }), [0.0, 1.0, 7.5]);
        assert!(inside(&times, Window { start: 5.0, stop: 2.0 }).is_empty());
    }
}
