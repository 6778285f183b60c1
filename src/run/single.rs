//! One run: build, simulate, analyse, check.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::live::Live;
use super::measure::measure;
use super::watch::Watch;
use super::{Event, Facts, Finished, Options, Progress, RunError, Status, Tell, expect, halve, memory, requests};
use spikedeck_equation::rule::WEIGHT;
use spikedeck_scenario::Spec;
use spikedeck_signal::Recording;
use spikedeck_sim::{BuildError, Network, Stop};

/// Runs `spec` once on the calling thread. Cancelled or failed runs come back with what there is, their status says so.
///
/// # Errors
/// When nothing could be computed: the network cannot be built, does not fit the memory, or the sink fails at once.
pub fn execute(spec: &Arc<Spec>, mut options: Options, cancel: &AtomicBool, tell: &Tell) -> Result<Finished, RunError> {
    let threads = options.thread_count();
    let allowed = memory::budget(spec);
    let (full, mut warnings) = requests::with_implied_records(spec, allowed);
    let full = Arc::new(full);
    let mut facts = Facts { threads, ..Facts::default() };
    stage(tell, "building", 0.0);
    let (mut needed, mut largest) = Network::estimate(&full);
    if options.sink.is_none() {
        // What is recorded stays in memory, twice while it grows.
        let traces = 2 * recorded_bytes(&full);
        if traces > needed {
            largest = format!(
                "the traces that are recorded take {} of it; with --out they go to disk",
                spikedeck_core::units::short((traces as f64 / 1e6).round()) + " MB"
            );
        }
        needed = needed.saturating_add(traces);
    }
    facts.estimated_bytes = needed;
    if needed > allowed {
        return Err(BuildError::Memory { needed, allowed, largest }.into());
    }
    let began = Instant::now();
    let network = Network::build(&full, threads, cancel)?;
    facts.build_seconds = began.elapsed().as_secs_f64();
    facts.integrators = network.integrators();
    (facts.connections, facts.rounded_delays) = network.connections();
    if facts.rounded_delays > 0 {
        warnings.push(format!(
            "{} drawn or computed delays were shorter than a step and rounded up to one",
            facts.rounded_delays
        ));
    }

    let live = if options.live { Live::start(full.clone(), tell.clone()).ok() } else { None };
    let began = Instant::now();
    let mut sink = options.sink.take();
    let simulation = &full.simulation;
    let mut watch = Watch::new(
        tell,
        cancel,
        live.as_ref(),
        sink.as_deref_mut().map(|s| s as &mut dyn super::Sink),
        simulation.dt,
        simulation.time_base.seconds(),
    );
    let result = network.run(&mut watch);
    let streamed = watch.streamed;
    warnings.extend(watch.unwritten.take().map(|why| format!("no parts were written from some time on: {why}")));
    drop(live);
    facts.simulate_seconds = began.elapsed().as_secs_f64();
    facts.events = result.events;

    if let (true, Some(Stop::Sink(why))) = (streamed, &result.stopped) {
        // What left memory is on disk, the rest is nowhere to go: no number of the whole can be had.
        return Err(RunError::Sink(format!(
            "{why}; the parts that were written before it stay where they are, and open as a run"
        )));
    }
    let mut recording = result.recording;
    if streamed && let Some(sink) = sink.as_mut() {
        let (gathered, left_out) = sink.gather(recording, allowed / 2).map_err(RunError::Sink)?;
        recording = gathered;
        warnings.extend(
            left_out.into_iter().map(|w| {
                format!("{w} stays on disk, because it does not fit into memory; analyses of it have no result")
            }),
        );
    }
    let failed_at = match &result.stopped {
        Some(Stop::NotFinite { time, .. } | Stop::Diverged { time, .. }) => Some(*time),
        _ => None,
    };
    let (status, failure) = match result.stopped {
        Some(Stop::Sink(error)) => (Status::Failed, Some(error)),
        Some(Stop::Cancelled) => (Status::Interrupted, None),
        Some(Stop::NotFinite { population, unit, variable, time }) => {
            let unit_of_time = simulation.time_base.unit();
            let advice = format!("a smaller step than {} may help", step_text(&full));
            (
                Status::Failed,
                Some(format!(
                    "{variable} of unit {unit} of {population} is no longer finite at {}; {advice}",
                    format!("{time} {unit_of_time}").trim_end()
                )),
            )
        }
        Some(Stop::Diverged { projection, source, target, variable, time }) => {
            let time = format!("{time} {}", simulation.time_base.unit());
            let value = if variable == WEIGHT { "the weight".to_owned() } else { format!("`{variable}`") };
            let what = format!(
                "{value} of connection {source} -> {target} of {projection} is no longer finite at {}",
                time.trim_end()
            );
            (
                Status::Failed,
                Some(format!("{what}; its rule has no bound that holds it: clip it, or let it depend on the weight")),
            )
        }
        None => (Status::Complete, None),
    };
    facts.spikes = recording.spikes.iter().map(|s| s.len() as u64).sum();

    let began = Instant::now();
    let (outcomes, status) = analyse(&full, &recording, status, threads, cancel, tell)?;
    let mut finished = Finished {
        label: label_of(spec),
        spec: Some(full.clone()),
        status,
        failure,
        recording: Arc::new(recording),
        outcomes,
        checks: Vec::new(),
        warnings,
        facts,
        folder: None,
    };
    if (options.halve_dt || spec.simulation.check_halve_dt) && status == Status::Complete {
        stage(tell, "half the step", 0.0);
        let check = halve::check(&full, &finished, threads, cancel, tell)?;
        finished.outcomes.push(check);
    }
    finished.facts.analyse_seconds = began.elapsed().as_secs_f64();
    for outcome in &finished.outcomes {
        finished.warnings.extend(outcome.warnings.iter().map(|w| format!("{}: {w}", outcome.name)));
    }
    match status {
        Status::Complete => finished.checks = expect::check(&full.expect, &finished.outcomes),
        Status::Failed => finished.checks = expect::check_failure(&full.expect, failed_at, simulation.time_base.unit()),
        Status::Interrupted => {}
    }
    Ok(finished)
}

/// What [`execute`] would say before anything is simulated, found without building connections.
///
/// # Errors
/// A scheme that is not stable for the step, a model that does not fit, too little memory, ...
pub fn examine(spec: &Spec) -> Result<(), RunError> {
    let (full, _) = requests::with_implied_records(spec, memory::budget(spec));
    Ok(Network::examine(&full)?)
}

/// Bytes of all samples that the traces of a run will hold.
fn recorded_bytes(spec: &Spec) -> u64 {
    let samples = |every: u64| spec.simulation.steps / every.max(1) + 1;
    let traces = spec.records.iter().flat_map(|r| &r.traces);
    traces.map(|t| (t.units.len() * t.variables.len()) as u64 * samples(t.every) * 8).sum()
}

/// All analyses of a complete run; the cheap ones, on what there is, of a run that was stopped or failed.
fn analyse(
    spec: &Arc<Spec>,
    recording: &Recording,
    status: Status,
    threads: usize,
    cancel: &AtomicBool,
    tell: &Tell,
) -> Result<(Vec<spikedeck_signal::Outcome>, Status), RunError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| RunError::System(format!("no threads: {e}")))?;
    let count = spec.analyses.len().max(1);
    if status != Status::Complete {
        let never = AtomicBool::new(false);
        return Ok((pool.install(|| measure(spec, recording, true, &never, &mut |_, _| {})).0, status));
    }
    let (outcomes, whole) = pool.install(|| {
        measure(spec, recording, false, cancel, &mut |name, done| stage(tell, name, done as f64 / count as f64))
    });
    let status = if whole && !cancel.load(Ordering::Relaxed) { Status::Complete } else { Status::Interrupted };
    Ok((outcomes, status))
}

/// `NAME` or `NAME:VARIANT`.
pub(super) fn label_of(spec: &Spec) -> String {
    match &spec.variant {
        Some(variant) => format!("{}:{variant}", spec.name),
        None => spec.name.clone(),
    }
}

fn step_text(spec: &Spec) -> String {
    let base = spec.simulation.time_base;
    format!("{} {}", spikedeck_core::units::short(spec.simulation.dt / base.seconds()), base.unit())
        .trim_end()
        .to_owned()
}

pub(super) fn stage(tell: &Tell, name: &str, fraction: f64) {
    tell(Event::Progress(Progress { stage: name.to_owned(), fraction, simulated: 0.0, rate: 0.0, eta: None }));
}
