//! Many points side by side: seeds and small sweeps in memory, with common random numbers.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::across::{Across, Grouped};
use super::compare::SeedValues;
use super::footprint::Footprint;
use super::single::{execute_point, stage};
use super::{Event, Finished, Options, Point, RunError, Sink, Snapshot, Status, Tell, trials};
use spikedeck_scenario::{Expect, Spec};

/// One point with what came out of it.
#[derive(Debug, Clone)]
pub struct PointResult {
    /// The point.
    pub point: Point,
    /// Its run; recordings are dropped but for the first point, metrics stay. Of trials the first network's stay, in
    /// the recording of the whole.
    pub finished: Arc<Finished>,
}

/// All points, and what they say together.
#[derive(Debug, Clone)]
pub struct Ensemble {
    /// The run to show: the first point's recording, outcomes across points.
    pub finished: Arc<Finished>,
    /// Each point, in order.
    pub points: Vec<PointResult>,
    /// What was measured of all trials of each network together: points of the sweep, which are no trial.
    pub networks: Vec<PointResult>,
}

impl Ensemble {
    /// All that has metrics: each point, then each network with all of its trials.
    pub fn measured(&self) -> impl Iterator<Item = &PointResult> {
        self.points.iter().chain(&self.networks)
    }
}

/// Runs `points` over the threads of `options`, one point a thread at a time. Stops early when cancelled, with the
/// points that are done. A sink is told of those that are done so far while the others are made.
///
/// # Errors
/// When a point cannot be built; the first such error.
pub fn ensemble(
    spec: &Arc<Spec>,
    points: &[Point],
    options: Options,
    cancel: &AtomicBool,
    tell: &Tell,
) -> Result<Ensemble, RunError> {
    let began = Instant::now();
    let (all, is_live) = (options.thread_count(), options.live);
    let workers = all.min(points.len()).max(1);
    // Fewer points than threads: the threads left over simulate.
    let threads_each = (all / workers).max(1);
    let sum = Sum { spec, planned: points.len(), threads: all, streams: options.sink.is_some(), began };
    let left = super::memory::budget(spec);
    let done = Mutex::new(Done {
        results: BTreeMap::new(),
        sink: options.sink,
        next_write: began,
        next_picture: began,
        unwritten: None,
        left,
        forgotten: 0,
    });
    let silent: Tell = Arc::new(|_: Event| {});
    side_by_side(points.len(), workers, cancel, &|at| {
        let each = Options { threads: threads_each, ..Options::default() };
        let result = execute_point(&points[at].spec, (at, points.len()), each, cancel, &silent);
        let is_cut = match &result {
            // What was cut short is no point of the ensemble: its numbers are of another stretch.
            Ok(finished) => finished.status == Status::Interrupted,
            Err(_) => cancel.load(Ordering::Relaxed),
        };
        if is_cut {
            return ControlFlow::Break(());
        }
        let failed = result.is_err();
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        let count = done.add(&points[at], at, result, &sum, points);
        if is_live && let Some(picture) = done.picture(&sum, points) {
            tell(Event::Snapshot(Arc::new(picture)));
        }
        stage(tell, &format!("point {count} of {}", points.len()), count as f64 / points.len() as f64);
        if failed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut whole = Vec::new();
    for (at, result) in done.results {
        whole.push(PointResult { point: points[at].clone(), finished: result? });
    }
    let nothing = || RunError::System("cancelled before the first point was done".into());
    if whole.is_empty() {
        return Err(nothing());
    }
    let (networks, measured) = trials::measured(spec, &whole, all, cancel, tell)?;
    // The trials of the first network stay, in one recording; where there is none, the first trial.
    let kept = usize::from(networks.is_empty());
    for trial in whole.iter_mut().skip(kept).filter(|p| p.point.trial.is_some()) {
        Arc::make_mut(&mut trial.finished).recording = Arc::default();
    }
    let mut ensemble = sum.of(whole, networks).ok_or_else(nothing)?;
    if !measured {
        Arc::make_mut(&mut ensemble.finished).status = Status::Interrupted;
    }
    if done.forgotten > 0 {
        let text = format!(
            "what {} of the trials recorded does not fit into memory: they are not in what is measured of all trials \
             together, nor in the tables of spikes and traces",
            done.forgotten
        );
        Arc::make_mut(&mut ensemble.finished).warnings.push(text);
    }
    if let Some(why) = done.unwritten {
        let text = format!("points were not written while the others were made, from some time on: {why}");
        Arc::make_mut(&mut ensemble.finished).warnings.push(text);
    }
    Ok(ensemble)
}

/// Does `work` for each number below `count`, in order, on `workers` threads, until it is cancelled or one of them says
/// that it is enough.
pub(super) fn side_by_side(
    count: usize,
    workers: usize,
    cancel: &AtomicBool,
    work: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..workers.min(count).max(1) {
            scope.spawn(|| {
                while !cancel.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        break;
                    }
                    if work(at).is_break() {
                        next.store(count, Ordering::Relaxed);
                        break;
                    }
                }
            });
        }
    });
}

/// What points that were made one by one say together: `planned` is how many there are to be. Nothing of none.
pub fn together(spec: &Arc<Spec>, points: Vec<PointResult>, planned: usize, options: &Options) -> Option<Ensemble> {
    let (threads, streams) = (options.thread_count(), options.sink.is_some());
    Sum { spec, planned, threads, streams, began: Instant::now() }.of(points, Vec::new())
}

/// Least time between two pictures of the points that are done.
const PAUSE: Duration = Duration::from_millis(100);

/// Points that are done, and where they go meanwhile.
struct Done {
    results: BTreeMap<usize, Result<Arc<Finished>, RunError>>,
    sink: Option<Box<dyn Sink>>,
    next_write: Instant,
    next_picture: Instant,
    /// Why nothing is written any more: no reason to end a run, whose tables may yet fit.
    unwritten: Option<String>,
    /// Bytes that recordings of further trials may take.
    left: u64,
    /// Trials whose recordings did not fit.
    forgotten: usize,
}

impl Done {
    /// Whether what a point recorded is looked at once more, and fits.
    fn keeps(&mut self, point: &Point, finished: &Finished) -> bool {
        if point.trial.is_none() {
            return false;
        }
        let left = self.left.checked_sub(trials::bytes(&finished.recording));
        self.forgotten += usize::from(left.is_none());
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    /// What the points that are done say together while others are made: at most a twentieth of the time is spent on
    /// it.
    fn picture(&mut self, sum: &Sum<'_>, points: &[Point]) -> Option<Snapshot> {
        if self.results.len() >= sum.planned || Instant::now() < self.next_picture {
            return None;
        }
        let began = Instant::now();
        let good = self.results.iter().filter_map(|(at, r)| Some((points[*at].clone(), r.as_ref().ok()?.clone())));
        let whole: Vec<PointResult> = good.map(|(point, finished)| PointResult { point, finished }).collect();
        let so_far = sum.of(whole, Vec::new())?;
        let picture =
            Snapshot { recording: so_far.finished.recording.clone(), outcomes: so_far.finished.outcomes.clone() };
        self.next_picture = Instant::now() + (began.elapsed() * 20).max(PAUSE);
        Some(picture)
    }

    /// Takes in a point, tells the sink of all so far, and says how many there are.
    fn add(
        &mut self,
        point: &Point,
        at: usize,
        result: Result<Finished, RunError>,
        sum: &Sum<'_>,
        points: &[Point],
    ) -> usize {
        let result = result.map(|mut finished| {
            finished.label = format!("{} {}", sum.spec.label(), point.label());
            if point.trial.is_some() {
                Arc::make_mut(&mut finished.recording).trial = point.as_trial();
            }
            if at > 0 && !self.keeps(point, &finished) {
                finished.recording = Arc::default();
            }
            Arc::new(finished)
        });
        self.results.insert(at, result);
        if let Some(sink) = &mut self.sink
            && self.unwritten.is_none()
            && self.results.len() < sum.planned
            && Instant::now() >= self.next_write
        {
            let writing = Instant::now();
            let good = self.results.iter().filter_map(|(at, r)| Some((points[*at].clone(), r.as_ref().ok()?.clone())));
            let whole = good.map(|(point, finished)| PointResult { point, finished }).collect();
            self.unwritten = sum.of(whole, Vec::new()).and_then(|so_far| sink.points(&so_far).err());
            // A twentieth of the time at most.
            self.next_write = Instant::now() + writing.elapsed() * 20;
        }
        self.results.len()
    }
}

/// What is said of all points together.
struct Sum<'a> {
    spec: &'a Arc<Spec>,
    /// Number of points that there will be.
    planned: usize,
    threads: usize,
    /// Whether they go to a folder.
    streams: bool,
    began: Instant,
}

impl Sum<'_> {
    /// The ensemble of the points that are done, with what was measured of all trials of each network; nothing of none.
    fn of(&self, whole: Vec<PointResult>, networks: Vec<PointResult>) -> Option<Ensemble> {
        let mut finished = (*whole.first()?.finished).clone();
        if let Some(first) = networks.first() {
            finished.recording = first.finished.recording.clone();
        }
        finished.label = self.spec.label();
        finished.spec = Some(self.spec.clone());
        let together = trials::together(self.spec);
        let (across, joint) = (Across::new(&whole), Across::new(&networks));
        finished.outcomes = across.outcomes(self.spec);
        finished.outcomes.extend(joint.outcomes(self.spec));
        // What no analysis of the scenario is (a run at half the step) stands behind them.
        finished.outcomes.sort_by_key(|o| {
            let place = self.spec.analyses.iter().position(|a| a.name == o.name);
            (place.is_none(), place)
        });
        finished.facts.simulate_seconds = self.began.elapsed().as_secs_f64();
        finished.facts.analyse_seconds = 0.0;
        finished.facts.threads = self.threads;
        let largest = whole.iter().map(|p| p.finished.facts.estimated_bytes).max().unwrap_or_default();
        let workers = self.threads.min(self.planned).max(1);
        finished.facts.estimated_bytes = Footprint::side_by_side(largest, workers, self.streams);
        finished.facts.spikes = whole.iter().map(|p| p.finished.facts.spikes).sum();
        finished.facts.events = whole.iter().map(|p| p.finished.facts.events).sum();
        finished.facts.seeds = SeedValues::of_points(whole.iter().chain(&networks));
        finished.warnings = distinct_warnings(&whole);
        finished.warnings.extend(distinct_warnings(&networks));
        finished.status = if whole.len() < self.planned {
            Status::Interrupted
        } else {
            whole.iter().map(|p| p.finished.status).find(|s| *s != Status::Complete).unwrap_or(Status::Complete)
        };
        finished.failure =
            whole.iter().find_map(|p| p.finished.failure.as_ref().map(|f| format!("{}: {f}", p.point.label())));
        // Points that are not there yet may decide.
        finished.checks = if finished.status == Status::Interrupted {
            Vec::new()
        } else {
            let is_joint = |e: &Expect| e.metric.split_once('.').is_some_and(|m| together.contains(m.0));
            [across.checks(|e| !is_joint(e)), joint.checks(is_joint)].concat()
        };
        Some(Ensemble { finished: Arc::new(finished), points: whole, networks })
    }
}

/// Warnings of all points, each once, with how many points said it.
fn distinct_warnings(points: &[PointResult]) -> Vec<String> {
    let mut counts: Grouped<&String, usize> = Grouped::default();
    for warning in points.iter().flat_map(|p| &p.finished.warnings) {
        *counts.entry(warning) += 1;
    }
    let told = |(w, n): (&String, usize)| {
        if points.len() > 1 { format!("{w} ({n} of {} points)", points.len()) } else { w.clone() }
    };
    counts.groups.into_iter().map(told).collect()
}
