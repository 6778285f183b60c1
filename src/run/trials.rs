//! What is measured of all trials of a network together.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::across::Across;
use super::analyze::{Work, analyse};
use super::ensemble::PointResult;
use super::{Finished, Point, RunError, Status, Tell};
use spikedeck_analysis::Analysis;
use spikedeck_scenario::Spec;
use spikedeck_signal::{Outcome, Recording};

/// The names of the analyses of `spec` that look at all trials together.
pub(super) fn together(spec: &Spec) -> HashSet<String> {
    let across = |kind: &str| spikedeck_analysis::find(kind).is_some_and(Analysis::across_trials);
    spec.analyses.iter().filter(|a| spec.trials.is_some() && across(&a.kind)).map(|a| a.name.clone()).collect()
}

/// The names of the analyses that only whole networks have, and no trial by itself, in order.
pub fn of_all_trials(spec: &Spec) -> Vec<String> {
    let mut names: Vec<String> = together(spec).into_iter().collect();
    names.sort_unstable();
    names
}

/// The trials of each network, in order: those that reached their end in one recording, which is measured, and which
/// the first network keeps. Points of a sweep, each with the analyses that look at all trials; no points where there
/// are no trials. Whether all was measured, too.
///
/// # Errors
/// When no thread can be started.
pub(super) fn measured(
    spec: &Spec,
    points: &[PointResult],
    threads: usize,
    cancel: &AtomicBool,
    tell: &Tell,
) -> Result<(Vec<PointResult>, bool), RunError> {
    let (names, mut networks, mut whole) = (together(spec), Vec::new(), true);
    for trials in points.chunk_by(|a, b| a.point.is_trial_with(&b.point)) {
        let first = &trials[0];
        let Some((_, swept)) = first.point.trial else { continue };
        // What did not fit was forgotten, and its recording is none.
        let kept = |p: &&PointResult| p.finished.status == Status::Complete && p.finished.recording.trial.is_some();
        let Some(recording) = joined(trials.iter().filter(kept).map(|p| &p.finished.recording)) else { continue };
        let work = Work {
            analyses: spec.analyses.iter().filter(|a| names.contains(&a.name)).cloned().collect(),
            ..Work::of(&first.point.spec)
        };
        let recording = Arc::new(recording);
        let (outcomes, status) = analyse(work, &recording, Status::Complete, threads, cancel, tell)?;
        whole &= status == Status::Complete;
        let warnings = outcomes.iter().flat_map(|o| o.warnings.iter().map(|w| format!("{}: {w}", o.name))).collect();
        let finished = Finished {
            // Trials of the first network are shown and written; those of the others have been measured.
            recording: if networks.is_empty() { recording } else { Arc::default() },
            outcomes,
            status: Status::Complete,
            warnings,
            checks: Vec::new(),
            ..(*first.finished).clone()
        };
        let point = Point { axes: first.point.axes[..swept].to_vec(), trial: None, ..first.point.clone() };
        networks.push(PointResult { point, finished: Arc::new(finished) });
    }
    Ok((networks, whole))
}

/// What the analyses of `asked` find in trials that are there already: over them, as when they were run, and of all of
/// them together.
///
/// # Errors
/// When no thread can be started.
pub(super) fn again(
    finished: &Finished,
    asked: &Arc<Spec>,
    seed: u64,
    threads: usize,
    cancel: &AtomicBool,
    tell: &Tell,
) -> Result<(Vec<Outcome>, Status), RunError> {
    let names = together(asked);
    let (joint, single) = asked.analyses.iter().cloned().partition::<Vec<_>, _>(|a| names.contains(&a.name));
    let of = |analyses: &Vec<_>| Work { analyses: analyses.clone(), scenario: Some(asked.clone()), seed };
    let first = Arc::new(Recording { trials: Vec::new(), ..(*finished.recording).clone() });
    let conditions: HashSet<&str> =
        finished.recording.each_trial().filter_map(|r| Some(r.trial.as_ref()?.condition.as_str())).collect();
    let mut points = Vec::new();
    for recording in std::iter::once(&first).chain(&finished.recording.trials) {
        let (outcomes, status) = analyse(of(&single), recording, Status::Complete, threads, cancel, tell)?;
        if status != Status::Complete {
            return Ok((outcomes, status));
        }
        let trial = recording.trial.clone().expect("each of several trials says which it is");
        let axes = if conditions.len() > 1 { vec![("condition".into(), trial.condition)] } else { Vec::new() };
        let point = Point { axes, seed, trial: Some((trial.number, 0)), spec: asked.clone() };
        let own = Finished { recording: Arc::default(), outcomes, status, ..finished.clone() };
        points.push(PointResult { point, finished: Arc::new(own) });
    }
    let mut outcomes = Across::new(&points).outcomes(asked);
    let (more, status) = analyse(of(&joint), &finished.recording, Status::Complete, threads, cancel, tell)?;
    outcomes.extend(more);
    outcomes.sort_by_key(|o| asked.analyses.iter().position(|a| a.name == o.name));
    Ok((outcomes, status))
}

/// The first of some trials, with the others.
fn joined<'a>(mut trials: impl Iterator<Item = &'a Arc<Recording>>) -> Option<Recording> {
    let first = trials.next()?;
    Some(Recording { trials: trials.cloned().collect(), ..(**first).clone() })
}

/// Bytes that a recording holds.
pub(super) fn bytes(recording: &Recording) -> u64 {
    let spikes: usize = recording.spikes.iter().map(|s| s.len() * 12).sum();
    let traces: usize = recording.traces.iter().map(|t| t.values.len() * 8).sum();
    (spikes + traces) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, execute};

    /// A trial whose recording did not fit is in nothing that is measured of all of them, and ends nothing.
    #[test]
    fn a_trial_that_was_forgotten_is_left_out() {
        let text = "
            simulation = { duration = '100 ms', dt = '0.1 ms' }
            populations.p = { model = 'spike_source', size = 5, spikes = { kind = 'poisson', rate = '50 Hz' } }
            record.p = { spikes = true }
            analyses.response = { kind = 'psth', of = 'p.spikes' }
            trials.count = 3
        ";
        let source = crate::Source { text: text.into(), origin: None, name: "t".into(), variant: None };
        let (spec, _) = crate::resolve(&source, &[]).map_err(|e| e.render(false)).unwrap();
        let (cancel, tell): (_, Tell) = (AtomicBool::new(false), Arc::new(|_| {}));
        let run = |(k, point): (usize, &Point)| {
            let options = Options { threads: 1, ..Options::default() };
            let mut finished = execute(&point.spec, options, &cancel, &tell).unwrap();
            finished.recording = match k {
                1 => Arc::default(),
                _ => Arc::new(Recording { trial: point.as_trial(), ..(*finished.recording).clone() }),
            };
            PointResult { point: point.clone(), finished: Arc::new(finished) }
        };
        let points = crate::points(&spec, &|more| crate::again(&spec, more)).unwrap();
        let done: Vec<PointResult> = points.iter().enumerate().map(run).collect();
        let (networks, whole) = measured(&spec, &done, 1, &cancel, &tell).unwrap();
        assert!(whole && networks.len() == 1);
        let numbers: Vec<u64> =
            networks[0].finished.recording.each_trial().map(|r| r.trial.as_ref().unwrap().number).collect();
        assert_eq!(numbers, [0, 2]);
        // Of several networks the first keeps its trials, and all have their numbers.
        let two: Vec<PointResult> = done.iter().chain(&done).cloned().collect();
        let two: Vec<PointResult> = two
            .into_iter()
            .enumerate()
            .map(|(k, p)| if k < 3 { p } else { PointResult { point: Point { seed: 99, ..p.point }, ..p } })
            .collect();
        let (each, _) = measured(&spec, &two, 1, &cancel, &tell).unwrap();
        let kept: Vec<usize> = each.iter().map(|n| n.finished.recording.spikes.len()).collect();
        assert_eq!(kept, [1, 0]);
        assert_eq!(each[0].finished.outcomes, each[1].finished.outcomes);
        let rate = networks[0].finished.outcomes[0].metrics.iter().find(|m| m.metric == "mean_rate").unwrap();
        assert_eq!(rate.n, Some(2));
    }
}
