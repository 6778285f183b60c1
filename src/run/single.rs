//! One run: build, simulate, analyse, check.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::live::Live;
use super::measure::measure;
use super::watch::Watch;
use super::{
    Check, Event, Facts, Finished, Options, Progress, RunError, Sink, Status, Tell, expect, halve, memory, requests,
};
use spikedeck_scenario::Spec;
use spikedeck_signal::Recording;
use spikedeck_sim::{BuildError, Network, Stop};

/// Runs `spec` once on the calling thread. Cancelled or failed runs come back with what there is, their status says so.
///
/// # Errors
/// When nothing could be computed: the network cannot be built, does not fit the memory, or the sink fails at once.
pub fn execute(spec: &Arc<Spec>, options: Options, cancel: &AtomicBool, tell: &Tell) -> Result<Finished, RunError> {
    let mut job = Job::new(spec, &options, cancel, tell);
    job.budget(options.sink.is_some())?;
    let network = job.build()?;
    let recorded = job.simulate(network, options.live, options.sink)?;
    let stopped = recorded.stopped.clone();
    let began = Instant::now();
    let mut finished = job.analyse(recorded)?;
    if job.full.simulation.check_halve_dt && finished.status == Status::Complete {
        stage(tell, "half the step", 0.0);
        finished.outcomes.push(halve::check(&job.full, &finished, job.threads, cancel, tell)?);
    }
    finished.facts.analyse_seconds = began.elapsed().as_secs_f64();
    for outcome in &finished.outcomes {
        finished.warnings.extend(outcome.warnings.iter().map(|w| format!("{}: {w}", outcome.name)));
    }
    finished.checks = job.checks(&finished, stopped.as_ref());
    Ok(finished)
}

/// A run while it is made.
struct Job<'a> {
    /// The scenario as it was asked for.
    spec: &'a Arc<Spec>,
    /// The same with all that its analyses need recorded.
    full: Arc<Spec>,
    threads: usize,
    /// Bytes that it may hold.
    allowed: u64,
    cancel: &'a AtomicBool,
    tell: &'a Tell,
    facts: Facts,
    warnings: Vec<String>,
}

/// What a simulation left.
struct Recorded {
    recording: Recording,
    stopped: Option<Stop>,
}

impl<'a> Job<'a> {
    fn new(spec: &'a Arc<Spec>, options: &Options, cancel: &'a AtomicBool, tell: &'a Tell) -> Self {
        let threads = options.thread_count();
        let allowed = memory::budget(spec);
        let (full, implied) = requests::with_implied_records(spec, allowed);
        let warnings = spec.warnings.iter().cloned().chain(implied).collect();
        let facts = Facts { threads, ..Facts::default() };
        Self { spec, full: Arc::new(full), threads, allowed, cancel, tell, facts, warnings }
    }

    /// Refuses what does not fit; without a sink (`streams`) all that is recorded stays in memory, twice while it
    /// grows.
    fn budget(&mut self, streams: bool) -> Result<(), RunError> {
        stage(self.tell, "building", 0.0);
        let (mut needed, mut largest) = Network::estimate(&self.full);
        if !streams {
            let traces = 2 * recorded_bytes(&self.full);
            if traces > needed {
                largest = format!(
                    "the traces that are recorded take {} of it; with --out they go to disk",
                    spikedeck_core::units::short((traces as f64 / 1e6).round()) + " MB"
                );
            }
            needed = needed.saturating_add(traces);
        }
        self.facts.estimated_bytes = needed;
        if needed > self.allowed {
            return Err(BuildError::Memory { needed, allowed: self.allowed, largest }.into());
        }
        Ok(())
    }

    fn build(&mut self) -> Result<Network, RunError> {
        let began = Instant::now();
        let network = Network::build(&self.full, self.threads, self.cancel)?;
        let facts = &mut self.facts;
        facts.build_seconds = began.elapsed().as_secs_f64();
        facts.threads = network.threads();
        facts.integrators = network.integrators();
        (facts.connections, facts.rounded_delays) = network.connections();
        if facts.rounded_delays > 0 {
            self.warnings.push(format!(
                "{} drawn or computed delays were shorter than a step and rounded up to one",
                facts.rounded_delays
            ));
        }
        Ok(network)
    }

    /// Runs the network; what left memory while it ran is put before the rest again, as far as it fits.
    fn simulate(
        &mut self,
        network: Network,
        live: bool,
        mut sink: Option<Box<dyn Sink>>,
    ) -> Result<Recorded, RunError> {
        let live = if live { Live::start(self.full.clone(), self.tell.clone()).ok() } else { None };
        let began = Instant::now();
        let simulation = &self.full.simulation;
        let mut watch = Watch::new(
            self.tell,
            self.cancel,
            live.as_ref(),
            sink.as_deref_mut().map(|s| s as &mut dyn Sink),
            simulation.dt,
            simulation.time_base.seconds(),
        );
        let result = network.run(&mut watch);
        let streamed = watch.streamed;
        self.warnings
            .extend(watch.unwritten.take().map(|why| format!("no parts were written from some time on: {why}")));
        drop(live);
        self.facts.simulate_seconds = began.elapsed().as_secs_f64();
        self.facts.events = result.events;
        if let (true, Some(Stop::Sink(why))) = (streamed, &result.stopped) {
            // What left memory is on disk, the rest is nowhere to go: no number of the whole can be had.
            return Err(RunError::Sink(format!(
                "{why}; the parts that were written before it stay where they are, and open as a run"
            )));
        }
        let recording = match sink {
            Some(sink) if streamed => self.gather(sink, result.recording)?,
            _ => result.recording,
        };
        self.facts.spikes = recording.spikes.iter().map(|s| s.len() as u64).sum();
        Ok(Recorded { recording, stopped: result.stopped })
    }

    fn gather(&mut self, mut sink: Box<dyn Sink>, rest: Recording) -> Result<Recording, RunError> {
        let (gathered, left_out) = sink.gather(rest, self.allowed / 2).map_err(RunError::Sink)?;
        self.warnings.extend(
            left_out.into_iter().map(|w| {
                format!("{w} stays on disk, because it does not fit into memory; analyses of it have no result")
            }),
        );
        Ok(gathered)
    }

    /// All analyses of a complete run; the cheap ones, on what there is, of a run that was stopped or failed.
    fn analyse(&mut self, recorded: Recorded) -> Result<Finished, RunError> {
        let Recorded { recording, stopped } = recorded;
        let (status, failure) = match &stopped {
            None => (Status::Complete, None),
            Some(Stop::Cancelled) => (Status::Interrupted, None),
            Some(stop) => (Status::Failed, Some(stop.sentence(&self.full.simulation))),
        };
        let (outcomes, status) = analyse(&self.full, &recording, status, self.threads, self.cancel, self.tell)?;
        Ok(Finished {
            label: label_of(self.spec),
            spec: Some(self.full.clone()),
            status,
            failure,
            recording: Arc::new(recording),
            outcomes,
            checks: Vec::new(),
            warnings: std::mem::take(&mut self.warnings),
            facts: std::mem::take(&mut self.facts),
        })
    }

    /// What became of the expectations.
    fn checks(&self, finished: &Finished, stopped: Option<&Stop>) -> Vec<Check> {
        let (expected, unit) = (&self.full.expect, self.full.simulation.time_base.unit());
        match finished.status {
            Status::Complete => expect::check(expected, &finished.outcomes),
            Status::Failed => expect::check_failure(expected, stopped.and_then(Stop::failed_at), unit),
            Status::Interrupted => Vec::new(),
        }
    }
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
        return Ok((pool.install(|| measure(spec, recording, true, &never, &|_, _| {})).0, status));
    }
    let (outcomes, whole) =
        pool.install(|| measure(spec, recording, false, cancel, &|name, done| stage(tell, name, done / count as f64)));
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

pub(super) fn stage(tell: &Tell, name: &str, fraction: f64) {
    tell(Event::Progress(Progress { stage: name.to_owned(), fraction, simulated: 0.0, rate: 0.0, eta: None }));
}
