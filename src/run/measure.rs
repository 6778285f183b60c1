//! Analyses over a recording.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use super::memory;
use super::seen::{seen, without_trials_of_the_run};
use spikedeck_analysis::{self as analysis, AnalysisError, Request};
use spikedeck_core::units::short;
use spikedeck_scenario::{AnalysisSpec, Spec};
use spikedeck_signal::{Outcome, Recording, SpikeTrains};

/// Least share of an analysis after which its progress is told again.
const TOLD: f64 = 0.01;

/// What is measured, and in which setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// Analyses, in order.
    pub analyses: &'a [AnalysisSpec],
    /// The scenario; none of recordings from elsewhere.
    pub scenario: Option<&'a Spec>,
    /// Seed of surrogates and bootstraps.
    pub seed: u64,
}

impl<'a> Asked<'a> {
    /// What a scenario asks for.
    pub fn by(spec: &'a Spec) -> Self {
        Self { analyses: &spec.analyses, scenario: Some(spec), seed: spec.simulation.seed }
    }
}

/// Runs the analyses of `spec` (only the live ones if asked so) in the order of the file. An analysis that cannot say
/// anything leaves an outcome whose warning says why.
///
/// Returns the outcomes and whether all wanted ones ran (false when cancelled).
pub(crate) fn measure(
    spec: &Spec,
    recording: &Recording,
    live_only: bool,
    cancel: &AtomicBool,
) -> (Vec<Outcome>, bool) {
    let mut outcomes = Vec::new();
    let whole =
        measure_each(Asked::by(spec), recording, live_only, cancel, &|_, _| {}, &mut |outcome| outcomes.push(outcome));
    (outcomes, whole)
}

/// The same, handing each outcome to `keep` when it is there; `told` gets the name of each analysis and how many are
/// done, with the share of the present one.
pub(crate) fn measure_each(
    asked: Asked<'_>,
    recording: &Recording,
    live_only: bool,
    cancel: &AtomicBool,
    told: &(dyn Fn(&str, f64) + Sync),
    keep: &mut dyn FnMut(Outcome),
) -> bool {
    let trains = SpikeTrains::new(recording);
    for (done, entry) in asked.analyses.iter().enumerate() {
        let Some(analysis) = analysis::find(&entry.kind) else { continue };
        if live_only && !analysis.live() {
            continue;
        }
        // One trial of several leaves to all of them what is about all of them.
        let is_one_of_several = recording.trial.is_none() && asked.scenario.is_some_and(|s| s.trials.is_some());
        if is_one_of_several && analysis.across_trials() {
            continue;
        }
        told(&entry.name, done as f64);
        let last = Mutex::new(0.0);
        let progress = |share: f64| {
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            if share >= *last + TOLD {
                *last = share;
                told(&entry.name, done as f64 + share);
            }
        };
        let alone = match asked.scenario.filter(|_| analysis.across_trials() && recording.trial.is_some()) {
            Some(spec) => without_trials_of_the_run(recording, entry, spec),
            None => Ok(None),
        };
        let alone = match alone {
            Ok(alone) => alone,
            Err(why) => {
                keep(empty(entry, analysis.card().title, &why));
                continue;
            }
        };
        let recording = alone.as_ref().unwrap_or(recording);
        let own = match seen(recording, entry, (analysis.across_trials(), asked.scenario.is_some())) {
            Ok(own) => own,
            Err(why) => {
                keep(empty(entry, analysis.card().title, &why));
                continue;
            }
        };
        let looked = own.as_ref().map_or(recording, |own| &own.recording);
        if let Some(why) = too_many_pieces(entry, asked.scenario, looked) {
            keep(empty(entry, analysis.card().title, &why));
            continue;
        }
        let own_trains = (own.is_some() || alone.is_some()).then(|| SpikeTrains::new(looked));
        let request = Request {
            spec: entry,
            scenario: asked.scenario,
            recording: looked,
            trains: own_trains.as_ref().unwrap_or(&trains),
            seed: asked.seed,
            cancel,
        };
        match analysis.run_telling(&request, &progress) {
            Ok(mut outcome) => {
                outcome.warnings.splice(0..0, own.iter().flat_map(|own| own.notes.iter().cloned()));
                keep(named(outcome, entry));
            }
            Err(AnalysisError::Cancelled) => return false,
            Err(error) => {
                // What was left out may be why.
                let notes = own.iter().flat_map(|own| &own.notes).map(|note| format!(" ({note})"));
                keep(empty(entry, analysis.card().title, &(error.to_string() + &notes.collect::<String>())));
            }
        }
    }
    true
}

/// The pieces into which an analysis cuts `seconds` of time at the most, with the bytes that they take: a count, its
/// curve with its times, and a smoothed copy. With the key of the option that says how long one is.
pub(crate) fn pieces(entry: &AnalysisSpec, seconds: f64) -> Option<(f64, u64, &'static str)> {
    let (n, key) = analysis::find(&entry.kind)?.declaration().pieces(&entry.options, seconds)?;
    Some((n, (n * 40.0) as u64, key))
}

/// Why an analysis cannot be made of what was recorded within the memory that is there: it asks for too many pieces.
fn too_many_pieces(entry: &AnalysisSpec, scenario: Option<&Spec>, recording: &Recording) -> Option<String> {
    let seconds = recording.window.length() * recording.time_base.seconds();
    let (n, bytes, key) = pieces(entry, seconds)?;
    // What always fits is not asked for.
    if bytes < 1 << 24 {
        return None;
    }
    let allowed = scenario.map_or_else(|| memory::free_memory() / 4 * 3, memory::budget);
    let megabytes = |bytes: u64| short((bytes as f64 / 1e6).round());
    (bytes > allowed).then(|| {
        format!(
            "`{key}` makes {} pieces of what was recorded, which take {} MB, and {} MB may be used; a longer `{key}` \
             makes fewer",
            short(n.round()),
            megabytes(bytes),
            megabytes(allowed)
        )
    })
}

/// Fills in what the analysis leaves to its entry in the scenario: its name, also in the metrics.
fn named(mut outcome: Outcome, entry: &AnalysisSpec) -> Outcome {
    outcome.name.clone_from(&entry.name);
    outcome.kind.clone_from(&entry.kind);
    for metric in &mut outcome.metrics {
        metric.analysis.clone_from(&entry.name);
    }
    outcome
}

fn empty(entry: &AnalysisSpec, title: &str, why: &str) -> Outcome {
    Outcome {
        name: entry.name.clone(),
        kind: entry.kind.clone(),
        title: title.to_owned(),
        summary: format!("no result: {why}"),
        warnings: vec![why.to_owned()],
        failure: Some(why.to_owned()),
        ..Outcome::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_scenario::{OptionKind, OptionValue, TimeRole};
    use spikedeck_signal::Window;

    /// Whatever says how finely time is cut is held against memory before anything is cut, in every analysis.
    #[test]
    fn no_analysis_cuts_time_beyond_memory() {
        let recording = Recording { window: Window { start: 0.0, stop: 2000.0 }, ..Recording::default() };
        let mut looked_at = 0;
        for analysis in analysis::ANALYSES {
            let declaration = analysis.declaration();
            for option in declaration.options.iter().filter(|o| o.time == TimeRole::Piece) {
                let fine = |value: f64| match option.kind {
                    OptionKind::Frequency => 1.0 / value,
                    _ => value,
                };
                let why = |value: f64| {
                    let entry = AnalysisSpec {
                        name: "x".into(),
                        kind: declaration.kind.into(),
                        of: vec![],
                        source: vec![],
                        target: vec![],
                        options: [(option.key, OptionValue::Number(fine(value)))].into(),
                    };
                    too_many_pieces(&entry, None, &recording)
                };
                for small in [1e-12, 1e-300] {
                    let why = why(small).unwrap_or_else(|| panic!("{} {}", declaration.kind, option.key));
                    assert!(why.contains(option.key) && why.contains("pieces"), "{why}");
                }
                assert_eq!(why(1e-3), None, "{} {}", declaration.kind, option.key);
                looked_at += 1;
            }
        }
        assert!(looked_at > 40, "{looked_at}");
    }
}
