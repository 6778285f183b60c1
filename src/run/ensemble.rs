//! Many points side by side: seeds and small sweeps in memory, with common random numbers.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::single::{label_of, stage};
use super::{Event, Finished, Options, Point, RunError, Sink, Status, Tell, execute, expect};
use spikedeck_core::units::{Quantity, display_unit};
use spikedeck_scenario::Spec;
use spikedeck_signal::{Axis, Curve, Metric, NamedShape, Outcome, Scalars, Series, Shape};

/// One point with what came out of it.
#[derive(Debug, Clone)]
pub struct PointResult {
    /// The point.
    pub point: Point,
    /// Its run; recordings are dropped but for the first point, metrics stay.
    pub finished: Arc<Finished>,
}

/// All points, and what they say together.
#[derive(Debug, Clone)]
pub struct Ensemble {
    /// The run to show: the first point's recording, outcomes across points.
    pub finished: Arc<Finished>,
    /// Each point, in order.
    pub points: Vec<PointResult>,
}

/// Runs `points` over the threads of `options`, one point a thread at a time. Stops early when cancelled, with the points
/// that are done. A sink is told of those that are done so far while the others are made.
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
    let all = options.thread_count();
    let workers = all.min(points.len()).max(1);
    // Fewer points than threads: the threads left over simulate.
    let threads_each = (all / workers).max(1);
    let next = AtomicUsize::new(0);
    let sum = Sum { spec, points, threads: all, began };
    let done = Mutex::new(Done { results: BTreeMap::new(), sink: options.sink, next_write: began, unwritten: None });
    let silent: Tell = Arc::new(|_: Event| {});
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while !cancel.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(point) = points.get(at) else { break };
                    let options = Options { threads: threads_each, ..Options::default() };
                    let result = execute(&point.spec, options, cancel, &silent);
                    let is_cut = match &result {
                        // What was cut short is no point of the ensemble: its numbers are of another stretch.
                        Ok(finished) => finished.status == Status::Interrupted,
                        Err(_) => cancel.load(Ordering::Relaxed),
                    };
                    if is_cut {
                        break;
                    }
                    if result.is_err() {
                        next.store(points.len(), Ordering::Relaxed);
                    }
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    let count = done.add(at, result, &sum);
                    stage(tell, &format!("point {count} of {}", points.len()), count as f64 / points.len() as f64);
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut whole = Vec::new();
    for (at, result) in done.results {
        whole.push(PointResult { point: points[at].clone(), finished: result? });
    }
    let mut ensemble =
        sum.of(whole).ok_or_else(|| RunError::System("cancelled before the first point was done".into()))?;
    if let Some(why) = done.unwritten {
        let text = format!("points were not written while the others were made, from some time on: {why}");
        Arc::make_mut(&mut ensemble.finished).warnings.push(text);
    }
    Ok(ensemble)
}

/// Points that are done, and where they go meanwhile.
struct Done {
    results: BTreeMap<usize, Result<Arc<Finished>, RunError>>,
    sink: Option<Box<dyn Sink>>,
    next_write: Instant,
    /// Why nothing is written any more: no reason to end a run, whose tables may yet fit.
    unwritten: Option<String>,
}

impl Done {
    /// Takes in a point, tells the sink of all so far, and says how many there are.
    fn add(&mut self, at: usize, result: Result<Finished, RunError>, sum: &Sum<'_>) -> usize {
        let result = result.map(|mut finished| {
            finished.label = format!("{} {}", label_of(sum.spec), sum.points[at].label());
            if at > 0 {
                finished.recording = Arc::default();
            }
            Arc::new(finished)
        });
        self.results.insert(at, result);
        if let Some(sink) = &mut self.sink
            && self.unwritten.is_none()
            && self.results.len() < sum.points.len()
            && Instant::now() >= self.next_write
        {
            let writing = Instant::now();
            let good =
                self.results.iter().filter_map(|(at, r)| Some((sum.points[*at].clone(), r.as_ref().ok()?.clone())));
            let whole = good.map(|(point, finished)| PointResult { point, finished }).collect();
            self.unwritten = sum.of(whole).and_then(|so_far| sink.points(&so_far).err());
            // A twentieth of the time at most.
            self.next_write = Instant::now() + writing.elapsed() * 20;
        }
        self.results.len()
    }
}

/// What is said of all points together.
struct Sum<'a> {
    spec: &'a Arc<Spec>,
    points: &'a [Point],
    threads: usize,
    began: Instant,
}

impl Sum<'_> {
    /// The ensemble of the points that are done; nothing of none.
    fn of(&self, whole: Vec<PointResult>) -> Option<Ensemble> {
        let mut finished = (*whole.first()?.finished).clone();
        finished.label = label_of(self.spec);
        finished.spec = Some(self.spec.clone());
        finished.outcomes = across(&whole);
        finished.facts.simulate_seconds = self.began.elapsed().as_secs_f64();
        finished.facts.analyse_seconds = 0.0;
        finished.facts.threads = self.threads;
        finished.facts.spikes = whole.iter().map(|p| p.finished.facts.spikes).sum();
        finished.facts.events = whole.iter().map(|p| p.finished.facts.events).sum();
        finished.warnings = distinct_warnings(&whole);
        finished.status = if whole.len() < self.points.len() {
            Status::Interrupted
        } else {
            whole.iter().map(|p| p.finished.status).find(|s| *s != Status::Complete).unwrap_or(Status::Complete)
        };
        finished.failure =
            whole.iter().find_map(|p| p.finished.failure.as_ref().map(|f| format!("{}: {f}", p.point.label())));
        finished.checks = if finished.status == Status::Complete {
            expect::check(&self.spec.expect, &finished.outcomes)
        } else {
            Vec::new()
        };
        Some(Ensemble { finished: Arc::new(finished), points: whole })
    }
}

/// Warnings of all points, each once, with how many points said it.
fn distinct_warnings(points: &[PointResult]) -> Vec<String> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for warning in points.iter().flat_map(|p| &p.finished.warnings) {
        match counts.iter_mut().find(|c| c.0 == *warning) {
            Some(entry) => entry.1 += 1,
            None => counts.push((warning.clone(), 1)),
        }
    }
    counts
        .into_iter()
        .map(|(w, n)| if points.len() > 1 { format!("{w} ({n} of {} points)", points.len()) } else { w })
        .collect()
}

/// One outcome an analysis: each metric over the points, whichever of them has it. Without axes: mean and interval over
/// seeds. With axes: one curve over the first axis for each combination of the others.
fn across(points: &[PointResult]) -> Vec<Outcome> {
    let Some(first) = points.first() else { return Vec::new() };
    let axes: Vec<String> = first.point.axes.iter().map(|a| a.0.clone()).collect();
    let mut outcomes = Vec::new();
    for template in &first.finished.outcomes {
        let mut outcome = Outcome {
            name: template.name.clone(),
            kind: template.kind.clone(),
            title: template.title.clone(),
            summary: format!("{} points", points.len()),
            failure: failure_of(points, &template.name),
            ..Outcome::default()
        };
        if let Some(why) = &outcome.failure {
            outcome.summary = format!("no result: {why}");
        }
        for metric in metrics_of(points, &template.name) {
            if axes.is_empty() {
                outcome.metrics.push(over_seeds(metric, &values_of(points, metric), points.len()));
            } else {
                outcome.shapes.push(curve_of(points, metric, &axes[0]));
            }
        }
        if axes.is_empty() {
            outcome
                .shapes
                .push(NamedShape::new("across seeds", Shape::Scalars(Scalars::from_metrics(&outcome.metrics))));
            outcome.shapes.extend(template.shapes.iter().filter(|s| !matches!(s.shape, Shape::Scalars(_))).cloned());
        }
        outcomes.push(outcome);
    }
    outcomes
}

/// What the points have of one analysis.
fn outcomes_of<'a>(points: &'a [PointResult], analysis: &'a str) -> impl Iterator<Item = &'a Outcome> {
    points.iter().flat_map(|p| &p.finished.outcomes).filter(move |o| o.name == analysis)
}

/// The metrics of an analysis that any point has, each once, by its first appearance: a unit that is silent at the first
/// point has intervals at others.
fn metrics_of<'a>(points: &'a [PointResult], analysis: &'a str) -> Vec<&'a Metric> {
    let mut seen = HashSet::new();
    outcomes_of(points, analysis).flat_map(|o| &o.metrics).filter(|m| seen.insert(m.full_name())).collect()
}

/// Why an analysis has no result at any point, if it has none at any; the reason of the first.
fn failure_of(points: &[PointResult], analysis: &str) -> Option<String> {
    let mut failures: Vec<&Option<String>> = outcomes_of(points, analysis).map(|o| &o.failure).collect();
    failures.dedup();
    match failures.as_slice() {
        [one] => (*one).clone(),
        several if several.iter().all(|f| f.is_some()) => several[0].clone(),
        _ => None,
    }
}

fn values_of(points: &[PointResult], metric: &Metric) -> Vec<f64> {
    let name = metric.full_name();
    points.iter().filter_map(|p| value_in(&p.finished, &name)).collect()
}

fn value_in(finished: &Finished, name: &str) -> Option<f64> {
    finished.outcomes.iter().flat_map(|o| &o.metrics).find(|m| m.full_name() == name).and_then(|m| m.value)
}

/// Mean over those of `seeds` seeds that gave a value, with its 95 % interval (Student's t).
fn over_seeds(metric: &Metric, values: &[f64], seeds: usize) -> Metric {
    let (n, unit) = (values.len() as u64, metric.unit.clone());
    let found = match mean_and_half_width(values) {
        None => Metric::missing(&metric.subject, &metric.metric, unit, n, "no seed gave a value"),
        Some((mean, half)) => {
            let half = half.unwrap_or(f64::NAN);
            Metric::new(&metric.subject, &metric.metric, mean, unit, n).interval(mean - half, mean + half).note(
                if values.len() == seeds {
                    format!("mean of {n} seeds, 95 % interval by Student's t")
                } else {
                    format!("mean of those {n} of {seeds} seeds that gave a value, 95 % interval by Student's t")
                },
            )
        }
    };
    // The level of chance does not depend on the seed; a p-value, and what else rests on one run, does.
    Metric { analysis: metric.analysis.clone(), chance: metric.chance, ..found }
}

/// Mean, and half the width of its 95 % interval where there are at least two values.
pub(super) fn mean_and_half_width(values: &[f64]) -> Option<(f64, Option<f64>)> {
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if values.len() < 2 {
        return Some((mean, None));
    }
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = StudentsT::new(0.0, 1.0, n - 1.0).ok().map(|t| t.inverse_cdf(0.975) * (variance / n).sqrt());
    Some((mean, half))
}

/// Places on an axis, each with the values of its seeds.
type Samples = Vec<(f64, Vec<f64>)>;

/// A metric over the first axis: mean over seeds with its interval, one curve for each combination of the other axes.
fn curve_of(points: &[PointResult], metric: &Metric, axis: &str) -> NamedShape {
    let name = metric.full_name();
    let mut curves: Vec<(String, Samples)> = Vec::new();
    let mut unit = String::new();
    for (at, result) in points.iter().enumerate() {
        let Some(((_, first), others)) = result.point.axes.split_first() else { continue };
        let (x, symbol) = axis_value(first).unwrap_or((at as f64, String::new()));
        unit = symbol;
        let label = others
            .iter()
            .map(|(p, v)| format!("{}={}", p.rsplit('.').next().unwrap_or(p), v.trim_matches('"')))
            .collect::<Vec<_>>()
            .join(" ");
        let label = if label.is_empty() { name.clone() } else { label };
        let at = curves.iter().position(|c| c.0 == label).unwrap_or_else(|| {
            curves.push((label, Vec::new()));
            curves.len() - 1
        });
        let curve = &mut curves[at].1;
        if curve.last().is_none_or(|c| c.0 != x) {
            curve.push((x, Vec::new()));
        }
        if let (Some(value), Some(last)) = (value_in(&result.finished, &name), curve.last_mut()) {
            last.1.push(value);
        }
    }
    let curves = curves
        .into_iter()
        .map(|(name, samples)| {
            let mut curve = Curve { name, ..Curve::default() };
            let (mut low, mut high) = (Vec::new(), Vec::new());
            for (x, values) in samples {
                let (mean, half) = mean_and_half_width(&values).unwrap_or((f64::NAN, None));
                curve.x.push(x);
                curve.y.push(mean);
                low.push(half.map_or(f64::NAN, |h| mean - h));
                high.push(half.map_or(f64::NAN, |h| mean + h));
            }
            if low.iter().any(|l| l.is_finite()) {
                curve.band = Some((low, high));
            }
            curve
        })
        .collect();
    let series = Series {
        x: Axis::new(axis.rsplit('.').next().unwrap_or(axis), unit),
        y: Axis::new(metric.metric.clone(), metric.unit.clone()),
        curves,
        references: Vec::new(),
    };
    NamedShape::new(format!("{} {}", metric.subject, metric.metric), Shape::Series(series))
}

/// A swept value in its display unit, if it is a number or a quantity.
pub(crate) fn axis_value(toml: &str) -> Option<(f64, String)> {
    let quantity = Quantity::parse(toml.trim().trim_matches('"')).ok()?;
    Some((quantity.as_written(), display_unit(quantity.dimension).symbol))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_over_seeds_has_a_t_interval() {
        // t(0.975, 3) = 3.182446305; sd = 1.290994449, n = 4: half width 2.054260...
        let (mean, half) = mean_and_half_width(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!(mean, 2.5);
        assert!((half.unwrap() - 3.182_446_305 * 1.290_994_449 / 2.0).abs() < 1e-6);
        assert_eq!(mean_and_half_width(&[7.0]), Some((7.0, None)));
        assert_eq!(mean_and_half_width(&[]), None);
    }

    #[test]
    fn swept_values_are_read_in_display_units() {
        assert_eq!(axis_value("\"15 ms\""), Some((15.0, "ms".into())));
        assert_eq!(axis_value("0.5"), Some((0.5, String::new())));
        assert_eq!(axis_value("\"auto\""), None);
        // 5e-10 / 1e-12 is 500.00000000000006: points of an axis are the decimal numbers that people wrote.
        for pa in 1..=1000 {
            assert_eq!(axis_value(&format!("\"{pa} pA\"")), Some((f64::from(pa), "pA".into())));
            assert_eq!(axis_value(&format!("\"{pa} us\"")), Some((f64::from(pa) / 1000.0, "ms".into())));
        }
    }
}
