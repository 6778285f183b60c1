//! Looks at a simulation once an epoch: cancel, progress with ETA, snapshots, parts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::crowded::Crowded;
use super::gaps::Gaps;
use super::live::Live;
use super::{Event, Keeper, Progress, Sink, Tell};
use spikedeck_scenario::Spec;
use spikedeck_signal::Recording;
use spikedeck_sim::{Observer, State};

/// Least time between two progress events: a reader sees no more.
const PROGRESS_EVERY: Duration = Duration::from_millis(50);
/// Least time between two snapshots.
const SNAPSHOT_EVERY: Duration = Duration::from_millis(100);
/// Snapshots may cost this fraction of the time at most.
const SNAPSHOT_SHARE: u32 = 20;
/// Time between two parts on disk: what a killed run loses at most.
const PART_EVERY: Duration = Duration::from_secs(2);

/// The observer of a run.
pub(super) struct Watch<'a> {
    tell: &'a Tell,
    cancel: &'a AtomicBool,
    live: Option<&'a Live>,
    sink: Option<&'a mut dyn Sink>,
    /// Time axis units a step, and seconds (or time units) a step.
    dt_axis: f64,
    dt: f64,
    began: Instant,
    told: Option<Instant>,
    next_snapshot: Instant,
    next_part: Instant,
    /// Why parts are no longer written while everything is still in memory: no reason to end a run, whose tables may
    /// yet fit.
    pub(super) unwritten: Option<String>,
    /// What left memory, if anything did.
    pub(super) left: Option<Left>,
    /// Samples that are no numbers, of what left memory.
    pub(super) gaps: Gaps,
    /// Spikes in step after step.
    pub(super) crowded: Crowded,
    /// Steps that were made by the run whose state this goes on from.
    pub(super) begun: u64,
    /// Where states go, if any are kept.
    pub(super) kept: Option<Kept<'a>>,
}

/// Where states of a run go.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    /// The scenario as it was asked for.
    pub spec: &'a Spec,
    /// Who keeps them.
    pub keeper: &'a mut dyn Keeper,
    /// Why no more are kept.
    pub stopped: Option<String>,
}

/// What left memory while a run lasted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    /// Where the recording began, on its time axis.
    pub from: f64,
    /// Number of spikes.
    pub spikes: u64,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        tell: &'a Tell,
        cancel: &'a AtomicBool,
        live: Option<&'a Live>,
        sink: Option<&'a mut dyn Sink>,
        dt: f64,
        axis_seconds: f64,
    ) -> Self {
        let now = Instant::now();
        Self {
            tell,
            cancel,
            live,
            sink,
            dt_axis: dt / axis_seconds,
            dt,
            began: now,
            told: None,
            next_snapshot: now + SNAPSHOT_EVERY,
            next_part: now + PART_EVERY,
            unwritten: None,
            left: None,
            gaps: Gaps::default(),
            crowded: Crowded::default(),
            begun: 0,
            kept: None,
        }
    }
}

impl Observer for Watch<'_> {
    fn progress(&mut self, step: u64, steps: u64) -> bool {
        let now = Instant::now();
        if step == steps || self.told.is_none_or(|t| now - t >= PROGRESS_EVERY) {
            self.told = Some(now);
            let elapsed = (now - self.began).as_secs_f64();
            let made = step.saturating_sub(self.begun);
            let rate = if elapsed > 0.0 { made as f64 * self.dt / elapsed } else { 0.0 };
            let left =
                (made > 0).then(|| Duration::from_secs_f64(elapsed / made as f64 * steps.saturating_sub(step) as f64));
            (self.tell)(Event::Progress(Progress {
                stage: "simulating".into(),
                fraction: if steps == 0 { 1.0 } else { step as f64 / steps as f64 },
                simulated: step as f64 * self.dt_axis,
                rate,
                eta: left,
            }));
        }
        !self.cancel.load(Ordering::Relaxed)
    }

    fn wants_snapshot(&mut self) -> bool {
        let now = Instant::now();
        (self.sink.is_some() && self.unwritten.is_none() && now >= self.next_part)
            || (now >= self.next_snapshot && self.live.is_some_and(Live::idle))
    }

    fn snapshot(&mut self, so_far: &Recording) {
        let began = Instant::now();
        if began >= self.next_part
            && self.unwritten.is_none()
            && let Some(sink) = self.sink.as_mut()
        {
            self.unwritten = sink.so_far(so_far).err();
            self.next_part = Instant::now() + PART_EVERY.max(began.elapsed() * SNAPSHOT_SHARE);
        }
        if let Some(live) = self.live
            && began >= self.next_snapshot
            && live.idle()
        {
            let copying = Instant::now();
            live.take(so_far.clone());
            self.next_snapshot = Instant::now() + SNAPSHOT_EVERY.max(copying.elapsed() * SNAPSHOT_SHARE);
        }
    }

    fn wants_state(&mut self, ends: bool) -> bool {
        let Some(Kept { keeper, stopped: stopped @ None, .. }) = &mut self.kept else { return false };
        let is_due = keeper.is_due(ends);
        if is_due && self.left.is_some() {
            let why = "what was recorded has left memory, and a state holds all of it: record less, or raise \
                       simulation.memory";
            *stopped = Some(why.to_owned());
            return false;
        }
        is_due
    }

    fn state(&mut self, state: State) {
        if let Some(Kept { spec, keeper, stopped }) = &mut self.kept {
            *stopped = keeper.keep(spec, &state).err();
        }
    }

    fn takes_parts(&self) -> bool {
        self.sink.is_some()
    }

    fn part(&mut self, part: Recording) -> Result<(), String> {
        let left = self.left.get_or_insert(Left { from: part.window.start, spikes: 0 });
        left.spikes += part.spikes.iter().map(|s| s.len() as u64).sum::<u64>();
        self.gaps.look(&part);
        self.crowded.look(&part);
        match self.sink.as_mut() {
            Some(sink) => sink.part(&part),
            None => Err("what is recorded does not fit into memory; write the run to a folder (`--out DIR`), record \
                         less, or raise \
                         simulation.memory"
                .into()),
        }
    }
}
