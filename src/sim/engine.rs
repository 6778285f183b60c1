//! Time: threads in lockstep, epochs with progress and cancel, and what is left when a run ends early.

mod names;
mod saving;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

pub(super) use self::names::FailureNames;
pub(super) use self::saving::Begun;
use super::barrier::Barrier;
use super::failure::Failure;
use super::recorder::{EpochRecord, Recorder};
use super::worker::{Finals, Outbox, Row, Worker};
use super::{Observer, SimulationResult, State, Stop};
use spikedeck_scenario::ProjectionId;

/// Wall time that an epoch aims at: short enough for a cancel to be felt at once, long enough to cost nothing.
const EPOCH: Duration = Duration::from_millis(25);

/// What is needed to run.
#[derive(Debug)]
pub(super) struct Setup {
    pub workers: Vec<Worker>,
    pub recorder: Recorder,
    /// Where it begins.
    pub begun: Begun,
    pub steps: u64,
    /// Steps between exchanges of spikes: the shortest delay.
    pub interval: u64,
    /// Bytes that the recording may take; where somebody takes parts, it is handed over in parts of a share of that.
    pub recording_budget: u64,
    /// Names for failures.
    pub names: FailureNames,
}

/// Parts in which a recording that fills the memory allowed goes to disk: while one is written, it is there beside the
/// table that is made of it, which takes up to three times as much.
pub const PARTS: u64 = 4;

/// What the threads share.
struct Shared {
    barrier: Barrier,
    /// Two outboxes a thread: one is read while the other is written.
    outboxes: Vec<[RwLock<Outbox>; 2]>,
    /// The same for what is told within a step.
    rounds: Vec<[RwLock<Vec<Row>>; 2]>,
    records: Vec<Mutex<EpochRecord>>,
    epoch_end: AtomicU64,
    stop: AtomicBool,
    failure: Mutex<Option<Failure>>,
    events: AtomicU64,
    /// Steps that were made by the run whose state this goes on from.
    begun: u64,
    /// Whether the state is saved at the end of this epoch, and what each thread has of it.
    saving: AtomicBool,
    states: Vec<Mutex<Option<State>>>,
    steps: u64,
    interval: u64,
    finals: Vec<Mutex<Finals>>,
}

/// Lets the others go if its thread panics.
struct Alarm<'a>(&'a Barrier);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.break_up();
        }
    }
}

/// Runs to the end, or until something stops it.
pub(super) fn run(setup: Setup, observer: &mut dyn Observer) -> SimulationResult {
    let Setup { mut workers, mut recorder, begun, steps, interval, recording_budget, names } = setup;
    let Begun { step: begun, events } = begun;
    let columns: Vec<Vec<Vec<u32>>> = workers
        .iter()
        .map(|w| {
            let mut columns = vec![Vec::new(); recorder.recording.traces.len()];
            w.groups
                .iter()
                .flat_map(|g| &g.samplers)
                .for_each(|sampler| columns[sampler.trace.index()].clone_from(&sampler.columns));
            let plastic = w.event_inputs.iter().filter_map(|i| i.plastic.as_ref());
            plastic
                .flat_map(|p| &p.samplers)
                .for_each(|sampler| columns[sampler.trace.index()].clone_from(&sampler.columns));
            let learning = w.continuous_inputs.iter().filter_map(|i| i.plastic.as_ref());
            learning
                .flat_map(|p| &p.samplers)
                .for_each(|sampler| columns[sampler.trace.index()].clone_from(&sampler.columns));
            columns
        })
        .collect();
    let empty = || EpochRecord::new(recorder.recording.spikes.len(), recorder.recording.traces.len());
    let shared = Shared {
        barrier: Barrier::new(workers.len()),
        outboxes: workers.iter().map(|_| [RwLock::default(), RwLock::default()]).collect(),
        rounds: workers.iter().map(|_| [RwLock::default(), RwLock::default()]).collect(),
        records: workers.iter().map(|_| Mutex::new(empty())).collect(),
        epoch_end: AtomicU64::new((begun + interval).min(steps)),
        stop: AtomicBool::new(steps == 0),
        failure: Mutex::new(None),
        events: AtomicU64::new(events),
        begun,
        saving: AtomicBool::new(false),
        states: workers.iter().map(|_| Mutex::default()).collect(),
        steps,
        interval,
        finals: workers.iter().map(|_| Mutex::default()).collect(),
    };
    let mut first = workers.remove(0);
    let mut stopped = None;
    let mut done = begun;
    // Where the threads stand, which is behind what a failure leaves.
    let mut reached = begun;
    std::thread::scope(|scope| {
        for (index, mut worker) in workers.into_iter().enumerate() {
            let shared = &shared;
            scope.spawn(move || {
                let _alarm = Alarm(&shared.barrier);
                start(&mut worker, index + 1, shared);
                let mut k = shared.begun;
                while !shared.stop.load(Ordering::Acquire) {
                    k = epoch(&mut worker, index + 1, shared, k);
                    // Meet once so that the records are complete, once more when the next epoch is decided.
                    if !(shared.barrier.wait() && shared.barrier.wait() && shared.save(&mut worker, index + 1, k)) {
                        return;
                    }
                }
                finish(&mut worker, index + 1, shared, k);
            });
        }
        let _alarm = Alarm(&shared.barrier);
        start(&mut first, 0, &shared);
        let mut length = interval;
        while !shared.stop.load(Ordering::Acquire) {
            let began = Instant::now();
            let k = epoch(&mut first, 0, &shared, done);
            if !shared.barrier.wait() {
                return;
            }
            let (ran, took) = (k - done, began.elapsed());
            let recorded = recorded(&shared);
            (done, reached) = (k, k);
            stopped = close_epoch(&shared, &mut recorder, &columns, (done, recording_budget), &names, observer);
            if stopped.is_some() || done >= steps {
                shared.stop.store(true, Ordering::Release);
            }
            length = next_length(length, ran, took, interval).min(room(recorded, ran, recording_budget, interval));
            shared.epoch_end.store((done + length).min(steps), Ordering::Release);
            shared.ask(stopped.as_ref(), done, observer);
            if !(shared.barrier.wait() && shared.save_first(&mut first, done, &mut recorder, observer)) {
                return;
            }
        }
        finish(&mut first, 0, &shared, reached);
    });
    // What came about earlier may be noticed last, when all connections have seen everything.
    let failure = *shared.failure.lock().unwrap_or_else(PoisonError::into_inner);
    match failure {
        Some(failure) if matches!(stopped, None | Some(Stop::NotFinite { .. } | Stop::Diverged { .. })) => {
            recorder.truncate(failure.step);
            done = failure.step;
            stopped = Some(names.stop(failure, recorder.time(failure.step)));
        }
        // Weights at the moment at which a failure was noticed say nothing.
        _ => keep_finals(&shared, &mut recorder, &names),
    }
    SimulationResult {
        recording: recorder.recording,
        steps: done,
        stopped,
        events: shared.events.load(Ordering::Relaxed),
    }
}

/// The weights at the end of the run, for who wants them written.
fn finish(worker: &mut Worker, index: usize, shared: &Shared, done: u64) {
    let finals = worker.finish(done);
    Failure::note(&mut shared.failure.lock().unwrap_or_else(PoisonError::into_inner), worker.failure);
    *shared.finals[index].lock().unwrap_or_else(PoisonError::into_inner) = finals;
}

/// Puts the weights of all threads beside the initial ones, which were sorted in the same way.
fn keep_finals(shared: &Shared, recorder: &mut Recorder, names: &FailureNames) {
    let all: Vec<Finals> =
        shared.finals.iter().map(|f| std::mem::take(&mut *f.lock().unwrap_or_else(PoisonError::into_inner))).collect();
    for (id, connections) in recorder.written.iter().zip(&mut recorder.recording.connections) {
        let mine = all.iter().flatten().filter(|f| f.0 == *id);
        let shown = |f: &(ProjectionId, Vec<(u32, u32, f64)>)| -> Vec<(u32, u32, f64)> {
            let unit = &names.weights[f.0.index()];
            f.1.iter().map(|&(source, target, w)| (source, target, unit.as_written(w))).collect()
        };
        let mut rows: Vec<(u32, u32, f64)> = mine.flat_map(shown).collect();
        rows.sort_by_key(|r| (r.0, r.1));
        connections.weight_final = rows.into_iter().map(|r| r.2).collect();
    }
}

/// Steps of the next epoch, a multiple of the interval: as many as should take [`EPOCH`], at most four times as many as
/// before.
fn next_length(length: u64, ran: u64, took: Duration, interval: u64) -> u64 {
    let per_step = took.as_secs_f64() / ran.max(1) as f64;
    let wanted = (EPOCH.as_secs_f64() / per_step.max(1e-12)) as u64;
    (wanted.clamp(1, length.saturating_mul(4)) / interval).max(1) * interval
}

/// Steps of an epoch in which no more is recorded than a small part of what the recording may take, at the pace of the
/// last one: what an epoch records is counted only at its end.
fn room(recorded: u64, ran: u64, budget: u64, interval: u64) -> u64 {
    const PARTS: u64 = 16;
    let most = (budget / PARTS).saturating_mul(ran) / recorded.max(1);
    (most / interval).max(1) * interval
}

/// Bytes that all threads recorded in the epoch that ends.
fn recorded(shared: &Shared) -> u64 {
    shared.records.iter().map(|r| r.lock().unwrap_or_else(PoisonError::into_inner).bytes()).sum()
}

/// What the main thread does between epochs, while the others wait.
fn close_epoch(
    shared: &Shared,
    recorder: &mut Recorder,
    columns: &[Vec<Vec<u32>>],
    (done, budget): (u64, u64),
    names: &FailureNames,
    observer: &mut dyn Observer,
) -> Option<Stop> {
    let mut records: Vec<EpochRecord> =
        shared.records.iter().map(|t| std::mem::take(&mut *t.lock().unwrap_or_else(PoisonError::into_inner))).collect();
    recorder.append(&mut records, columns, done);
    for (slot, record) in shared.records.iter().zip(records) {
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = record;
    }
    let failure = *shared.failure.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(failure) = failure {
        recorder.truncate(failure.step);
        observer.progress(failure.step, shared.steps);
        return Some(names.stop(failure, recorder.time(failure.step)));
    }
    let takes_parts = observer.takes_parts();
    let most = if takes_parts { budget / PARTS } else { budget };
    if recorder.bytes() > most {
        if !takes_parts {
            return Some(Stop::Sink(format!(
                "what was recorded takes {} bytes, and {budget} are left of the memory allowed; record fewer units or \
                 variables, or less often, or write to a folder (--out)",
                recorder.bytes()
            )));
        }
        if let Err(message) = observer.part(recorder.take_part()) {
            return Some(Stop::Sink(message));
        }
    }
    let go_on = observer.progress(done, shared.steps);
    if observer.wants_snapshot() {
        observer.snapshot(&recorder.recording);
    }
    (!go_on && done < shared.steps).then_some(Stop::Cancelled)
}

/// The exchange before the first step: initial values into histories.
fn start(worker: &mut Worker, index: usize, shared: &Shared) {
    if worker.histories.is_empty() || shared.begun > 0 {
        return;
    }
    worker.publish(0);
    exchange(worker, index, shared, 0, 0);
    worker.histories.iter_mut().for_each(super::coupling::History::start);
}

/// Steps from `k` to the end of the epoch; returns where it ended.
fn epoch(worker: &mut Worker, index: usize, shared: &Shared, mut k: u64) -> u64 {
    let end = shared.epoch_end.load(Ordering::Acquire);
    let length = if exchanges(worker) { shared.interval } else { end };
    while k < end {
        let stop = (k + length).min(end);
        if worker.rounds.count == 0 {
            worker.stretch(k, stop);
        } else if !in_rounds(worker, index, shared, k..stop) {
            return end;
        }
        if !worker.histories.is_empty() {
            worker.publish(stop);
        }
        if !exchange(worker, index, shared, k, stop - k) {
            return end;
        }
        k = stop;
    }
    if end == shared.steps {
        worker.begin(end);
        worker.check(end);
    }
    Failure::note(&mut shared.failure.lock().unwrap_or_else(PoisonError::into_inner), worker.failure);
    shared.events.fetch_add(std::mem::take(&mut worker.events), Ordering::Relaxed);
    std::mem::swap(&mut worker.record, &mut *shared.records[index].lock().unwrap_or_else(PoisonError::into_inner));
    end
}

/// Whether threads have anything to tell each other.
fn exchanges(worker: &Worker) -> bool {
    !(worker.event_inputs.is_empty() && worker.outbox.spikes.is_empty() && worker.histories.is_empty())
}

/// Steps within which threads tell each other values, as often as their coupling asks. False if a thread is gone.
fn in_rounds(worker: &mut Worker, index: usize, shared: &Shared, steps: Range<u64>) -> bool {
    for k in steps {
        worker.begin(k);
        for round in 0..worker.rounds.count {
            worker.foresee(k, round);
            // Between two rounds of the same slot all threads meet once more, at the end of the step if not before.
            let slot = round % 2;
            {
                let mut mine = shared.rounds[index][slot].write().unwrap_or_else(PoisonError::into_inner);
                std::mem::swap(&mut *mine, &mut worker.rounds.told);
            }
            if !shared.barrier.wait() {
                return false;
            }
            for other in &shared.rounds {
                worker.hear(&other[slot].read().unwrap_or_else(PoisonError::into_inner));
            }
            let told = shared.rounds[index][slot].read().unwrap_or_else(PoisonError::into_inner).len();
            worker.rounds.told.resize_with(told, Default::default);
            worker.couple(k, round);
        }
        worker.proceed(k);
    }
    true
}

/// Sends what the interval from `from` on left, waits for the others, and takes in what they sent. False if a thread is
/// gone.
fn exchange(worker: &mut Worker, index: usize, shared: &Shared, from: u64, steps: u64) -> bool {
    if !exchanges(worker) {
        return true;
    }
    // Intervals are counted from 1; the exchange of initial values is number 0.
    let parity = ((from + steps).div_ceil(shared.interval) % 2) as usize;
    {
        let mut mine = shared.outboxes[index][parity].write().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *mine, &mut worker.outbox);
    }
    if !shared.barrier.wait() {
        return false;
    }
    let guards: Vec<_> =
        shared.outboxes.iter().map(|o| o[parity].read().unwrap_or_else(PoisonError::into_inner)).collect();
    let outboxes: Vec<&Outbox> = guards.iter().map(|g| &**g).collect();
    worker.collect(from, steps, &outboxes);
    drop(outboxes);
    drop(guards);
    // What came back is the outbox of two intervals ago: its columns are used again.
    let sizes = (worker.emitters, worker.histories.len());
    worker.outbox.spikes.resize_with(sizes.0, Default::default);
    worker.outbox.values.resize_with(sizes.1, Default::default);
    worker.outbox.spikes.iter_mut().for_each(|(units, ends)| {
        units.clear();
        ends.clear();
    });
    true
}
