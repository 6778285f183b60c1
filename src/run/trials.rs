//! What is measured of all trials of a network together.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::analyze::{Work, analyse};
use super::ensemble::PointResult;
use super::{Finished, Point, RunError, Status, Tell};
use spikedeck_scenario::Spec;
use spikedeck_signal::Recording;

/// The names of the analyses of `spec` that look at all trials together.
pub(super) fn together(spec: &Spec) -> HashSet<String> {
    let across = |kind: &str| spikedeck_analysis::find(kind).is_some_and(|a| a.across_trials());
    spec.analyses.iter().filter(|a| spec.trials.is_some() && across(&a.kind)).map(|a| a.name.clone()).collect()
}

/// The trials of each network, in order: those that reached their end in one recording, which is measured. Points of a
/// sweep, each with the analyses that look at all trials; no points where there are no trials. Whether all was
/// measured, too.
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
        let complete = |p: &&PointResult| p.finished.status == Status::Complete;
        let Some(recording) = joined(trials.iter().filter(complete).map(|p| &p.finished.recording)) else { continue };
        let work = Work {
            analyses: spec.analyses.iter().filter(|a| names.contains(&a.name)).cloned().collect(),
            ..Work::of(&first.point.spec)
        };
        let recording = Arc::new(recording);
        let (outcomes, status) = analyse(work, &recording, Status::Complete, threads, cancel, tell)?;
        whole &= status == Status::Complete;
        let warnings = outcomes.iter().flat_map(|o| o.warnings.iter().map(|w| format!("{}: {w}", o.name))).collect();
        let finished = Finished {
            recording,
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
