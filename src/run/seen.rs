//! What of a recording an analysis looks at: silence and absence are different things, and trials may lie in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use spikedeck_analysis::Analysis;
use spikedeck_core::number::counted;
use spikedeck_core::units::short;
use spikedeck_scenario::{AnalysisSpec, Place, Spec};
use spikedeck_signal::stretches::{Stretch, common, longest};
use spikedeck_signal::{Population, Recording, Spikes, TimeBase, Trial, TrialTimes, Window};

/// A recording as an analysis looks at it, where that is not as it is.
pub(super) struct Seen {
    pub recording: Recording,
    /// What should be known of it.
    pub notes: Vec<String>,
}

/// What an analysis looks at, before anything of it is copied.
struct Look<'r> {
    /// Populations, and which units of each.
    named: Vec<(&'r Population, &'r [u32])>,
    /// The stretch; nothing where it is the recording's own.
    window: Option<Window>,
    /// The trials that lie in it, by their places among all.
    trials: Option<(&'r TrialTimes, Vec<usize>)>,
    notes: Vec<String>,
}

/// What the analysis `entry` looks at: the stretch in which all units that it names were observed, and, where it looks
/// at trials (`across`), those in which they were. A recording that stands in a scenario has its `bounds` by that.
///
/// # Errors
/// When its units were never observed together, or there are no trials that can be taken.
fn look<'r>(
    recording: &'r Recording,
    entry: &'r AnalysisSpec,
    (across, bounds): (bool, bool),
) -> Result<Look<'r>, String> {
    let named = subjects(recording, entry);
    let all: Vec<Vec<Stretch>> = named.iter().flat_map(|(p, units)| p.observed_of(units)).cloned().collect();
    let mut notes = Vec::new();
    let own = recording.analysis_window();
    let known = !all.is_empty();
    let shared = if known { shared(recording, &all, bounds)? } else { vec![(own.start, own.stop)] };
    let has_none = recording.trial.is_none() && recording.trials.is_empty();
    let is_of = |times: &&TrialTimes| named.iter().all(|(p, _)| times.populations.contains(&p.name));
    let times = recording.trial_times.iter().find(is_of).filter(|_| across && has_none && !named.is_empty());
    if let Some(times) = times {
        let inside = inside(times, &shared, (known, recording.time_base), &mut notes)?;
        return Ok(Look { named, window: None, trials: Some((times, inside)), notes });
    }
    let window = if known { together(recording, &all, &shared, &mut notes) } else { None };
    Ok(Look { named, window, trials: None, notes })
}

/// The recording as an analysis looks at it; nothing where that is as it is.
///
/// # Errors
/// As [`look`].
pub(super) fn seen(recording: &Recording, entry: &AnalysisSpec, flags: (bool, bool)) -> Result<Option<Seen>, String> {
    let Look { named, window, trials, notes } = look(recording, entry, flags)?;
    let populations: BTreeSet<&str> = named.iter().map(|(p, _)| p.name.as_str()).collect();
    let recording = match (window, trials) {
        (None, None) => return Ok(None),
        (_, Some((times, inside))) => divided(recording, times, &inside, &populations),
        (Some(window), None) => part(recording, window, &populations),
    };
    Ok(Some(Seen { recording, notes }))
}

/// The recording without the trials of the run, where what an analysis of trials names was recorded elsewhere: the same
/// spikes stand in each of them. Nothing where it names what was simulated.
///
/// # Errors
/// When it names both: trials of one are none of the other.
pub(super) fn without_trials_of_the_run(
    recording: &Recording,
    entry: &AnalysisSpec,
    spec: &Spec,
) -> Result<Option<Recording>, String> {
    let elsewhere = |p: &Population| spec.recordings.iter().any(|r| r.populations.iter().any(|own| own.name == p.name));
    let named = subjects(recording, entry);
    match named.iter().filter(|(p, _)| elsewhere(p)).count() {
        0 => Ok(None),
        n if n == named.len() => {
            let populations: BTreeSet<&str> = named.iter().map(|(p, _)| p.name.as_str()).collect();
            Ok(Some(Recording {
                transient: recording.transient,
                trial_times: recording.trial_times.clone(),
                ..part(recording, recording.window, &populations)
            }))
        }
        _ => {
            Err("it looks at what is simulated, trial by trial, and at what was recorded, which has no trials of the \
                  run: look at each by itself"
                .into())
        }
    }
}

/// The stretch that an analysis looks at, and of how many trials.
pub fn looked_at(recording: &Recording, entry: &AnalysisSpec, in_scenario: bool) -> (Window, usize) {
    let across = spikedeck_analysis::find(&entry.kind).is_some_and(Analysis::across_trials);
    let own = (recording.analysis_window(), recording.each_trial().count());
    match look(recording, entry, (across, in_scenario)) {
        Ok(Look { trials: Some((times, inside)), .. }) => (times.window, inside.len()),
        Ok(Look { window: Some(window), .. }) => (window, 1),
        // What was never seen together has no result, and nobody asks what it was of.
        Ok(_) | Err(_) => own,
    }
}

/// The populations that an analysis looks at, and which units of each; all that spike, where it names none.
fn subjects<'r>(recording: &'r Recording, entry: &'r AnalysisSpec) -> Vec<(&'r Population, &'r [u32])> {
    let subjects = || entry.of.iter().chain(&entry.source).chain(&entry.target);
    if subjects().next().is_none() {
        let spiking = |p: &&Population| recording.spikes_of(&p.name).is_some();
        return recording.populations.iter().filter(spiking).map(|p| (p, &[][..])).collect();
    }
    let place = |place: Place| match place {
        Place::Population(id) => recording.populations.get(id.index()),
        Place::Projection(_) => None,
    };
    subjects().filter_map(|s| Some((place(s.place)?, s.units.as_slice()))).collect()
}

/// The stretches in which all of some units were observed, within the analysed part of a run.
fn shared(recording: &Recording, all: &[Vec<Stretch>], bounds: bool) -> Result<Vec<Stretch>, String> {
    let own = recording.analysis_window();
    let mut shared = common(all);
    if bounds {
        shared = common(&[shared, vec![(own.start, own.stop)]]);
    }
    if shared.is_empty() {
        let what = if bounds { " within the run" } else { "" };
        return Err(format!(
            "no stretch of time{what} was observed in all of its {}: what is silent and what was not seen cannot be \
             told apart; choose units that were observed together",
            counted(all.len(), "unit", "units")
        ));
    }
    Ok(shared)
}

/// The longest of the stretches that some units share; nothing where it is the recording's own.
fn together(
    recording: &Recording,
    all: &[Vec<Stretch>],
    shared: &[Stretch],
    notes: &mut Vec<String>,
) -> Option<Window> {
    let (base, own) = (recording.time_base, recording.analysis_window());
    let (start, stop) = longest(shared)?;
    // Stretches are open at their start, and those of files are not.
    let fired = |s: &Spikes| s.times.binary_search_by(|t| t.total_cmp(&start)).is_ok();
    let at_start = start != own.start && recording.spikes.iter().any(fired);
    let window = Window { start: if at_start { start.next_down() } else { start }, stop };
    if (window.start, window.stop) == (own.start, own.stop) {
        return None;
    }
    let differ = all.iter().any(|own| *own != all[0]);
    let gaps =
        if shared.len() > 1 { format!(", the longest of {} such stretches", shared.len()) } else { String::new() };
    if differ || shared.len() > 1 {
        notes.push(format!(
            "its {} were not all observed at all times: it looks at {}, when all were{gaps}",
            counted(all.len(), "unit", "units"),
            in_words(start, stop, base)
        ));
    }
    Some(window)
}

/// The trials that lie in one of the stretches.
fn inside(
    times: &TrialTimes,
    shared: &[Stretch],
    (known, base): (bool, TimeBase),
    notes: &mut Vec<String>,
) -> Result<Vec<usize>, String> {
    if times.at.is_empty() {
        return Err(format!("the trials of `{}` cannot be taken: {}", times.name, times.notes.join("; ")));
    }
    notes.extend(times.notes.iter().cloned());
    let (window, of) = (times.window, times.at.len());
    let slack = 1e-9 * window.length();
    let within = |at: f64| {
        let lies = |s: &Stretch| at + window.start >= s.0 - slack && at + window.stop <= s.1 + slack;
        shared.iter().any(lies)
    };
    let inside: Vec<usize> = (0..of).filter(|&k| within(times.at[k])).collect();
    let left = of - inside.len();
    let why = match (known, shared) {
        (true, _) => "were not observed in all of its units".to_owned(),
        (false, [(start, stop)]) => format!("are not within the recording, {}", in_words(*start, *stop, base)),
        (false, _) => "are not within the recording".to_owned(),
    };
    if inside.is_empty() {
        return Err(format!("all {} of `{}` {why}", counted(of, "trial", "trials"), times.name));
    }
    if left > 0 {
        notes.push(format!("{left} of {of} trials of `{}` {why}, and are left out", times.name));
    }
    Ok(inside)
}

/// Both ends of a stretch, in words.
fn in_words(start: f64, stop: f64, base: TimeBase) -> String {
    format!("{} to {} {}", short(start), short(stop), base.unit()).trim_end().to_owned()
}

/// A recording of these populations alone in another window; the others are there, without what was recorded of them.
fn part(recording: &Recording, window: Window, populations: &BTreeSet<&str>) -> Recording {
    let is_of = |population: &str| populations.contains(population);
    Recording {
        window,
        transient: 0.0,
        spikes: recording.spikes.iter().filter(|s| is_of(&s.population)).cloned().collect(),
        traces: recording.traces.iter().filter(|t| is_of(&t.population)).cloned().collect(),
        connections: recording.connections.clone(),
        on_disk: recording.on_disk.clone(),
        ..shell(recording)
    }
}

/// The recording without its spikes and samples.
fn shell(recording: &Recording) -> Recording {
    Recording {
        time_base: recording.time_base,
        dt: recording.dt,
        populations: recording.populations.clone(),
        absent: recording.absent.clone(),
        ..Recording::default()
    }
}

/// Some trials of a recording, by their places among all, each on a time axis of its own.
fn divided(recording: &Recording, times: &TrialTimes, inside: &[usize], populations: &BTreeSet<&str>) -> Recording {
    let window = times.window;
    let cut = |own: &Spikes, at: f64| {
        let from = own.times.partition_point(|t| *t <= at + window.start);
        let to = own.times.partition_point(|t| *t <= at + window.stop).max(from);
        Spikes {
            times: own.times[from..to].iter().map(|t| t - at).collect(),
            units: own.units[from..to].to_vec(),
            ..own.without_times()
        }
    };
    let one = |k: usize| Recording {
        window,
        trial: Some(Trial { number: k as u64, condition: times.conditions.get(k).cloned().unwrap_or_default() }),
        spikes: recording
            .spikes
            .iter()
            .filter(|s| populations.contains(s.population.as_str()))
            .map(|s| cut(s, times.at[k]))
            .collect(),
        ..shell(recording)
    };
    let mut trials = inside.iter().map(|&k| one(k));
    let first = trials.next().expect("what looks at trials has at least one");
    Recording { trials: trials.map(Arc::new).collect(), ..first }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_scenario::{Observable, PopulationId, Subject};

    fn of(index: usize, units: &[u32]) -> AnalysisSpec {
        let subject = Subject {
            text: "x.spikes".into(),
            place: Place::Population(PopulationId::of_recording(index)),
            what: Observable::Spikes,
            units: units.to_vec(),
            mean: false,
        };
        AnalysisSpec {
            name: "a".into(),
            kind: "rates".into(),
            of: vec![subject],
            source: Vec::new(),
            target: Vec::new(),
            options: std::collections::BTreeMap::new(),
        }
    }

    /// Four units that fire every 10 ms; the third is seen in the first half only, the fourth in two pieces.
    fn recording() -> Recording {
        let all: Vec<(f64, u32)> = (1..=100).flat_map(|k| (0..4).map(move |u| (f64::from(10 * k), u))).collect();
        let spikes = Spikes {
            population: "x".into(),
            size: 4,
            times: all.iter().map(|s| s.0).collect(),
            units: all.iter().map(|s| s.1).collect(),
        };
        let observed =
            vec![vec![(0.0, 1000.0)], vec![], vec![(0.0, 500.0)], vec![(0.0, 95.0), (105.0, 300.0), (400.0, 1000.0)]];
        Recording {
            window: Window { start: 0.0, stop: 1000.0 },
            populations: vec![Population { name: "x".into(), size: 4, observed, ..Population::default() }],
            spikes: vec![spikes],
            ..Recording::default()
        }
    }

    #[test]
    fn an_analysis_looks_at_what_all_of_its_units_were_observed_in() {
        let recording = recording();
        let window =
            |units: &[u32]| seen(&recording, &of(0, units), (false, false)).map(|s| s.map(|s| s.recording.window));
        assert_eq!(window(&[0]).unwrap(), None, "as it is");
        assert_eq!(window(&[1]).unwrap(), None, "nothing is known of it");
        assert_eq!(window(&[0, 1, 2]).unwrap(), Some(Window { start: 0.0, stop: 500.0 }));
        let third = window(&[3]).unwrap().unwrap();
        // A spike at the very start was observed.
        assert_eq!(third, Window { start: 400_f64.next_down(), stop: 1000.0 });
        assert_eq!(window(&[2, 3]).unwrap(), Some(Window { start: 105.0, stop: 300.0 }));
        assert_eq!(window(&[]).unwrap(), Some(Window { start: 105.0, stop: 300.0 }), "all units");
        let mut apart = recording.clone();
        apart.populations[0].observed[0] = vec![(600.0, 900.0)];
        let told = seen(&apart, &of(0, &[0, 2]), (false, false)).err().unwrap();
        assert!(told.contains("no stretch of time was observed in all of its 2 units"), "{told}");
        // In a scenario the run and its transient are bounds.
        apart.transient = 700.0;
        let bounded = seen(&apart, &of(0, &[0]), (false, true)).unwrap().unwrap();
        assert_eq!(bounded.recording.analysis_window(), Window { start: 700.0, stop: 900.0 });
    }

    /// Each spike in a trial is that of the recording, less the moment of the trial, whatever trials there are.
    #[test]
    fn trials_are_the_recording_piece_by_piece() {
        let mut recording = recording();
        recording.populations[0].observed.clear();
        recording.trial_times = vec![TrialTimes {
            name: "trials".into(),
            populations: vec!["x".into()],
            at: vec![100.0, 333.0, 950.0, 990.0, 10.0],
            window: Window { start: -20.0, stop: 50.0 },
            conditions: ["a", "b", "a", "b", "a"].map(str::to_owned).to_vec(),
            notes: vec!["look".into()],
        }];
        assert!(seen(&recording, &of(0, &[]), (false, false)).unwrap().is_none(), "not of trials");
        let seen = seen(&recording, &of(0, &[]), (true, false)).unwrap().unwrap();
        let trials: Vec<&Recording> = seen.recording.each_trial().collect();
        let told: Vec<(u64, &str)> =
            trials.iter().map(|r| r.trial.as_ref().unwrap()).map(|t| (t.number, t.condition.as_str())).collect();
        assert_eq!(told, [(0, "a"), (1, "b"), (2, "a")], "the others go beyond the recording");
        assert_eq!(seen.notes.len(), 2);
        let own = &recording.spikes[0];
        for (trial, at) in trials.iter().zip([100.0, 333.0, 950.0]) {
            assert_eq!(trial.window, Window { start: -20.0, stop: 50.0 });
            let inside = (0..own.len()).filter(|&k| own.times[k] > at - 20.0 && own.times[k] <= at + 50.0);
            let wanted: Vec<(f64, u32)> = inside.map(|k| (own.times[k] - at, own.units[k])).collect();
            let found: Vec<(f64, u32)> =
                trial.spikes[0].times.iter().copied().zip(trial.spikes[0].units.iter().copied()).collect();
            assert!(found == wanted && found.len() >= 24, "{at}");
        }
        let late = TrialTimes { at: vec![5000.0], ..recording.trial_times[0].clone() };
        recording.trial_times = vec![late];
        let told = super::seen(&recording, &of(0, &[]), (true, false)).err().unwrap();
        assert!(told.contains("all 1 trial of `trials` are not within the recording, 0 to 1000 ms"), "{told}");
        let none = TrialTimes { at: Vec::new(), notes: vec!["no length".into()], ..recording.trial_times[0].clone() };
        recording.trial_times = vec![none];
        let told = super::seen(&recording, &of(0, &[]), (true, false)).err().unwrap();
        assert!(told.contains("cannot be taken: no length"), "{told}");
    }

    /// Trials of every stretch in which all units were observed are kept, not those of the longest alone.
    #[test]
    fn trials_are_kept_wherever_their_units_were_observed() {
        let mut recording = recording();
        let window = Window { start: 0.0, stop: 50.0 };
        let at = vec![0.0, 80.0, 110.0, 250.0, 280.0, 410.0, 940.0];
        let populations = vec!["x".to_owned()];
        recording.trial_times = vec![TrialTimes { name: "t".into(), populations, at, window, ..TrialTimes::default() }];
        let numbers = |units: &[u32]| -> Vec<u64> {
            let seen = seen(&recording, &of(0, units), (true, false)).unwrap().unwrap();
            assert_eq!(looked_at_trials(&recording, units), seen.recording.each_trial().count());
            seen.recording.each_trial().map(|r| r.trial.as_ref().unwrap().number).collect()
        };
        assert_eq!(numbers(&[0]), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(numbers(&[3]), [0, 2, 3, 5, 6], "observed in three pieces");
        assert_eq!(numbers(&[2, 3]), [0, 2, 3, 5]);
    }

    fn looked_at_trials(recording: &Recording, units: &[u32]) -> usize {
        looked_at(recording, &AnalysisSpec { kind: "psth".into(), ..of(0, units) }, false).1
    }
}
