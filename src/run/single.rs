//! One run: build, simulate, analyse, check.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::analyze::{Work, analyse};
use super::crowded::Crowded;
use super::footprint::{Footprint, READ_BACK, share};
use super::heard::heard;
use super::live::Live;
use super::points::is_tried;
use super::watch::{Kept, Watch};
use super::{
    Check, Event, Facts, Finished, Keeper, Options, Progress, RunError, Sink, Status, Tell, expect, halve, memory,
    requests,
};
use spikedeck_scenario::Spec;
use spikedeck_signal::Recording;
use spikedeck_sim::{BuildError, Network, State, Stop};

/// Where a run goes while it lasts: its parts, and its states.
type Outlets = (Option<Box<dyn Sink>>, Option<Box<dyn Keeper>>);

/// Runs `spec` once on the calling thread. Cancelled or failed runs come back with what there is, their status says so.
///
/// # Errors
/// When nothing could be computed: the network cannot be built, does not fit the memory, or the sink fails at once.
pub fn execute(spec: &Arc<Spec>, options: Options, cancel: &AtomicBool, tell: &Tell) -> Result<Finished, RunError> {
    execute_point(spec, (0, 1), options, cancel, tell)
}

/// The same of a point among so many.
pub(super) fn execute_point(
    spec: &Arc<Spec>,
    (at, points): (usize, usize),
    options: Options,
    cancel: &AtomicBool,
    tell: &Tell,
) -> Result<Finished, RunError> {
    let mut job = Job::new(spec, &options, cancel, tell);
    job.tries = is_tried(at, points);
    job.budget(options.sink.is_some())?;
    let mut network = job.build()?;
    let begun = options.from.as_ref().map_or(0, State::step);
    if let Some(state) = options.from {
        network.go_on_from(state)?;
    }
    let recorded = job.simulate(network, begun, options.live, (options.sink, options.keeper))?;
    let stopped = recorded.stopped.clone();
    let began = Instant::now();
    let mut finished = job.analyse(recorded)?;
    if job.full.simulation.check_halve_dt && finished.status == Status::Complete {
        stage(tell, "half the step", 0.0);
        let (spec, whole, threads, tell) = (job.full.clone(), finished.clone(), job.threads, tell.clone());
        match heard(cancel, move |halt| halve::check(&spec, &whole, threads, halt, &tell))? {
            Some(halve::Halved::Shifts(outcome)) => finished.outcomes.push(*outcome),
            Some(halve::Halved::Cancelled) | None => finished.status = Status::Interrupted,
            Some(halve::Halved::Failed(why)) => {
                finished.status = Status::Failed;
                finished.failure = Some(why);
            }
        }
    }
    finished.facts.analyse_seconds = began.elapsed().as_secs_f64();
    for outcome in &finished.outcomes {
        finished.warnings.extend(outcome.warnings.iter().map(|w| format!("{}: {w}", outcome.name)));
    }
    finished.checks = job.checks(&finished, stopped.as_ref());
    Ok(finished)
}

/// Seconds that a failed run may have taken for it to be repeated at half the step.
const LONGEST_TRIAL: f64 = 20.0;

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
    /// Whether single units are tried before the run.
    tries: bool,
}

/// What a simulation left.
struct Recorded {
    recording: Recording,
    stopped: Option<Stop>,
    /// Steps done.
    steps: u64,
}

impl<'a> Job<'a> {
    fn new(spec: &'a Arc<Spec>, options: &Options, cancel: &'a AtomicBool, tell: &'a Tell) -> Self {
        let threads = options.thread_count();
        let allowed = memory::budget(spec);
        let (full, implied) = requests::with_implied_records(spec, allowed);
        let warnings = spec.warnings.iter().cloned().chain(implied).collect();
        let facts = Facts { threads, version: env!("CARGO_PKG_VERSION").to_owned(), ..Facts::default() };
        Self { spec, full: Arc::new(full), threads, allowed, cancel, tell, facts, warnings, tries: true }
    }

    /// Refuses what does not fit; without a sink (`streams`) all that is recorded stays in memory.
    fn budget(&mut self, streams: bool) -> Result<(), RunError> {
        stage(self.tell, "building", 0.0);
        let footprint = Footprint::of(&self.full, self.allowed, streams);
        self.facts.estimated_bytes = footprint.peak();
        let (needed, largest) = footprint.needed();
        if needed > self.allowed {
            return Err(BuildError::Memory { needed, allowed: self.allowed, largest }.into());
        }
        Ok(())
    }

    fn build(&mut self) -> Result<Network, RunError> {
        let began = Instant::now();
        let (spec, threads, tries) = (self.full.clone(), self.threads, self.tries);
        let build: fn(&Spec, usize, &AtomicBool) -> Result<Network, BuildError> =
            if tries { Network::build } else { Network::build_untried };
        let built = heard(self.cancel, move |halt| build(&spec, threads, halt))?;
        let network = built.unwrap_or(Err(BuildError::Cancelled))?;
        let facts = &mut self.facts;
        self.warnings.extend(network.warnings().iter().cloned());
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
        begun: u64,
        live: bool,
        (mut sink, mut keeper): Outlets,
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
        watch.crowded = Crowded::of(&self.full);
        watch.begun = begun;
        watch.kept = keeper.as_deref_mut().map(|keeper| Kept { spec: self.spec, keeper, stopped: None });
        let mut result = network.run(&mut watch);
        let streamed = watch.left.is_some();
        let mut spikes = result.recording.spikes.iter().map(|s| s.len() as u64).sum();
        let mut gaps = std::mem::take(&mut watch.gaps);
        gaps.look(&result.recording);
        let mut crowded = std::mem::take(&mut watch.crowded);
        crowded.look(&result.recording);
        if let Some(left) = &watch.left {
            // The rest starts where the last part ended; with the parts before it, it is the whole again.
            result.recording.window.start = left.from;
            spikes += left.spikes;
        }
        self.warnings
            .extend(watch.unwritten.take().map(|why| format!("no parts were written from some time on: {why}")));
        let unkept = watch.kept.take().and_then(|kept| kept.stopped);
        self.warnings.extend(unkept.map(|why| format!("no state was saved from some time on: {why}")));
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
            Some(_) if streamed && !self.full.recordings.is_empty() => {
                return Err(RunError::Sink(
                    "what is simulated does not fit into memory, and the recordings beside it are not written in \
                     parts: record less, or raise simulation.memory; what was written stays where it is, and opens as \
                     a run"
                        .into(),
                ));
            }
            Some(sink) if streamed => self.gather(sink, result.recording)?,
            _ => self.full.with_recordings(result.recording),
        };
        self.facts.spikes = spikes;
        self.warnings.extend(gaps.warnings());
        self.warnings.extend(crowded.warnings());
        Ok(Recorded { recording, stopped: result.stopped, steps: result.steps })
    }

    fn gather(&mut self, mut sink: Box<dyn Sink>, rest: Recording) -> Result<Recording, RunError> {
        let gathered = sink.gather(rest, share(self.allowed, READ_BACK)).map_err(RunError::Sink)?;
        self.warnings.extend(gathered.absent.iter().map(|absent| {
            let what = absent.variable.as_deref().unwrap_or("spikes");
            format!(
                "{}.{what}: {}; analyses read it back as far as they can do with parts of it",
                absent.population, absent.why
            )
        }));
        Ok(gathered)
    }

    /// All analyses of a complete run; the cheap ones, on what there is, of a run that was stopped or failed.
    fn analyse(&mut self, recorded: Recorded) -> Result<Finished, RunError> {
        let (status, failure) = match &recorded.stopped {
            None => (Status::Complete, None),
            Some(Stop::Cancelled) => (Status::Interrupted, None),
            Some(stop) => {
                let advice = if stop.is_growth() { self.advice(&recorded)? } else { None };
                let said = stop.sentence(&self.full.simulation);
                (Status::Failed, Some(advice.map_or_else(|| said.clone(), |advice| format!("{said}; {advice}"))))
            }
        };
        let recording = Arc::new(recorded.recording);
        let (outcomes, status) =
            analyse(Work::of(&self.full), &recording, status, self.threads, self.cancel, self.tell)?;
        Ok(Finished {
            label: self.spec.label(),
            spec: Some(self.full.clone()),
            status,
            failure,
            recording,
            outcomes,
            checks: Vec::new(),
            warnings: std::mem::take(&mut self.warnings),
            facts: std::mem::take(&mut self.facts),
        })
    }

    /// Whether half the step was seen to help a state that grew beyond all numbers, where that is soon found out.
    fn advice(&self, recorded: &Recorded) -> Result<Option<String>, RunError> {
        if self.facts.simulate_seconds > LONGEST_TRIAL || self.cancel.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let (spec, steps, threads, tell) = (self.full.clone(), recorded.steps, self.threads, self.tell.clone());
        let helps = match heard(self.cancel, move |halt| halve::helps(&spec, steps, threads, halt, &tell))? {
            Some(Ok(helps)) => helps,
            Some(Err(RunError::Build(BuildError::Cancelled))) | None => None,
            Some(Err(error)) => return Err(error),
        };
        Ok(helps.map(|helps| {
            if helps { "at half the step it goes on: take a smaller step" } else { "at half the step it is so, too" }
                .to_owned()
        }))
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

/// What [`execute`] would say before anything is simulated, found without building connections of spikes; warnings
/// where it would run.
///
/// # Errors
/// A scheme that is not stable for the step, a model that does not fit, too little memory, ...
pub fn examine(spec: &Spec) -> Result<Vec<String>, RunError> {
    let (full, _) = requests::with_implied_records(spec, memory::budget(spec));
    Ok(Network::examine(&full)?)
}

pub(super) fn stage(tell: &Tell, name: &str, fraction: f64) {
    tell(Event::Progress(Progress { stage: name.to_owned(), fraction, simulated: 0.0, rate: 0.0, eta: None }));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario, part of the warning, and why it stands.
    const ALLOWED: &[(&str, &str, &str)] = &[
        (
            "prior-002-sheet-kernel",
            "is drawn for each cell by itself",
            "an earlier study repeated as it was: its noise is of cells, and of no field",
        ),
        (
            "izhikevich-2004",
            "to count spikes here",
            "the scheme and the step of the figure, on which its patterns depend: its description says so",
        ),
        ("izhikevich-network-2003", "to count spikes here", "the scheme and the step of the publication"),
        (
            "inhibitory-plasticity",
            "to count spikes here",
            "the rule brings the cells to its rate whatever the excitation, so that a step of 0.5 ms is enough",
        ),
    ];

    /// A warning that stands on a scenario that is as it should be teaches to overlook warnings: before it runs,
    /// nothing is said of any that is shipped, but what is allowed.
    #[test]
    fn nothing_is_told_of_a_shipped_scenario_before_it_runs() {
        let mut looked_at = 0;
        for scenario in spikedeck_scenario::built_in() {
            let (spec, warnings) = crate::load(&scenario.name, &[]).unwrap();
            assert!(warnings.is_empty() && spec.warnings.is_empty(), "{}: {warnings:?}", scenario.name);
            // Those with very many connections take their time, and have no other parts than their small sisters.
            if spec.populations.iter().map(|p| p.size).sum::<usize>() < 20_000 {
                let mut told = examine(&spec).unwrap();
                told.retain(|t| !ALLOWED.iter().any(|(name, what, _)| *name == scenario.name && t.contains(what)));
                assert!(told.is_empty(), "{}: {told:?}", scenario.name);
                looked_at += 1;
            }
        }
        assert!(looked_at > 100, "{looked_at}");
    }
}
