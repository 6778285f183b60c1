//! Analyses on a pool of threads, stopped when nobody wants them any more: at the end of a run, or of what is there
//! already.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::heard::heard;
use super::measure::{Asked, measure_each};
use super::single::stage;
use super::{Finished, Options, RunError, Status, Tell, expect, trials};
use spikedeck_scenario::{AnalysisSpec, Spec};
use spikedeck_signal::{Outcome, Recording};

/// What is measured, and in which setting.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub analyses: Vec<AnalysisSpec>,
    pub scenario: Option<Arc<Spec>>,
    pub seed: u64,
}

impl Work {
    /// What a scenario asks for.
    pub fn of(spec: &Arc<Spec>) -> Self {
        Self { analyses: spec.analyses.clone(), scenario: Some(spec.clone()), seed: spec.simulation.seed }
    }
}

/// All analyses of a complete run; the cheap ones, on what there is, of a run that was stopped or failed. Of a run that
/// was stopped those that are done in no time: somebody waits for the end.
pub(super) fn analyse(
    work: Work,
    recording: &Arc<Recording>,
    status: Status,
    threads: usize,
    cancel: &AtomicBool,
    tell: &Tell,
) -> Result<(Vec<Outcome>, Status), RunError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| RunError::System(format!("no threads: {e}")))?;
    let count = work.analyses.len().max(1);
    let stopped = AtomicBool::new(status == Status::Interrupted);
    let cancel = if status == Status::Interrupted { &stopped } else { cancel };
    let outcomes: Arc<Mutex<Vec<Outcome>>> = Arc::default();
    let (recording, tell, kept) = (recording.clone(), tell.clone(), outcomes.clone());
    let whole = heard(cancel, move |halt| {
        let never = AtomicBool::new(false);
        let halt = if status == Status::Interrupted { &never } else { halt };
        let told = |name: &str, done: f64| stage(&tell, &format!("analysing {name}"), done / count as f64);
        let mut keep = |outcome| kept.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
        let cheap = status != Status::Complete;
        let asked = Asked { analyses: &work.analyses, scenario: work.scenario.as_deref(), seed: work.seed };
        pool.install(|| measure_each(asked, &recording, cheap, halt, &told, &mut keep))
    })?;
    let outcomes = std::mem::take(&mut *outcomes.lock().unwrap_or_else(PoisonError::into_inner));
    let is_cut = status == Status::Complete && (whole != Some(true) || cancel.load(Ordering::Relaxed));
    Ok((outcomes, if is_cut { Status::Interrupted } else { status }))
}

/// `finished`, a run or somebody's recording, with `analyses` of what it holds in place of those that it had: also of a
/// run that was stopped or killed, as far as it went. Expectations are looked at where a run came to its end. Gives
/// whether all were made before `cancel` was raised. `seed` is that of surrogates and bootstraps.
///
/// # Errors
/// When no thread can be started.
pub fn analyze(
    finished: &Finished,
    analyses: Vec<AnalysisSpec>,
    seed: u64,
    options: &Options,
    cancel: &AtomicBool,
    tell: &Tell,
) -> Result<(Finished, bool), RunError> {
    let began = Instant::now();
    let mut measured = finished.clone();
    for old in &finished.outcomes {
        measured.warnings.retain(|w| !w.starts_with(&format!("{}: ", old.name)));
    }
    // Expectations are about the analyses of the scenario, and none that are called as they are.
    let expected = finished.spec.as_ref().filter(|s| finished.status == Status::Complete && s.analyses == analyses);
    let work = Work { analyses, scenario: finished.spec.clone(), seed };
    let threads = options.thread_count();
    let (outcomes, status) = match &finished.spec {
        Some(spec) if !finished.recording.trials.is_empty() => {
            let asked = Arc::new(Spec { analyses: work.analyses, ..(**spec).clone() });
            trials::again(finished, &asked, seed, threads, cancel, tell)?
        }
        _ => analyse(work, &finished.recording, Status::Complete, threads, cancel, tell)?,
    };
    measured.outcomes = outcomes;
    for outcome in &measured.outcomes {
        measured.warnings.extend(outcome.warnings.iter().map(|w| format!("{}: {w}", outcome.name)));
    }
    measured.facts.analyse_seconds = began.elapsed().as_secs_f64();
    measured.facts.threads = threads;
    measured.checks = expected.map_or_else(Vec::new, |spec| expect::check(&spec.expect, &measured.outcomes));
    Ok((measured, status == Status::Complete))
}
