//! Results as panes: made once when they arrive, on the thread that received them, never while drawing.

use std::sync::Arc;

use super::cards::{model_card, run_card};
use crate::plot::Pyramids;
use crate::run::{Check, Finished, Snapshot, Status};
use crate::signal::{Axis, Curve, Metric, NamedShape, Outcome, Raster, RasterGroup, Recording, Scalars, Series, Shape};

/// A pane of one result.
#[derive(Debug, Clone)]
pub struct Pane {
    /// The same for the same pane of every column.
    pub key: String,
    /// Heading.
    pub title: String,
    /// What to draw.
    pub shape: Arc<NamedShape>,
    /// Block extremes of long curves.
    pub pyramids: Arc<Pyramids>,
    /// One line in words.
    pub summary: String,
    /// What a reader should know before believing it.
    pub warnings: Vec<String>,
}

impl Pane {
    fn new(key: impl Into<String>, title: impl Into<String>, shape: Shape, summary: impl Into<String>) -> Self {
        let title = title.into();
        let shape = NamedShape::new(title.clone(), shape);
        let pyramids = Arc::new(Pyramids::of(&shape));
        Self { key: key.into(), title, shape: Arc::new(shape), pyramids, summary: summary.into(), warnings: Vec::new() }
    }

    /// Its x axis is time.
    pub fn is_time(&self) -> bool {
        match &self.shape.shape {
            Shape::Series(s) => s.x.is_time,
            Shape::Raster(_) => true,
            Shape::Image(i) => i.x.is_time,
            Shape::Distribution(d) => d.x.is_time,
            _ => false,
        }
    }

    /// Whether it is text or a table, which scrolls.
    pub fn is_text(&self) -> bool {
        matches!(self.shape.shape, Shape::Card(_) | Shape::Scalars(_))
    }
}

/// Everything that a column shows.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// Name of the run.
    pub label: String,
    /// Its panes.
    pub panes: Vec<Pane>,
    /// All metrics.
    pub metrics: Vec<Metric>,
    /// Expectations.
    pub checks: Vec<Check>,
    /// How it ended; none while it lasts.
    pub status: Option<Status>,
    /// What went wrong.
    pub failure: Option<String>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// The run, when it is over: for exports.
    pub finished: Option<Arc<Finished>>,
}

impl Content {
    /// Panes of a finished run.
    pub fn of(finished: &Arc<Finished>) -> Self {
        let mut panes = arranged(&finished.recording, &finished.outcomes, None);
        panes.push(Pane::new("run", "Run", Shape::Card(run_card(finished)), String::new()));
        if let Some(spec) = &finished.spec {
            let mut seen: Vec<&str> = Vec::new();
            for population in &spec.populations {
                if !seen.contains(&population.model.name.as_str()) {
                    seen.push(&population.model.name);
                    let (key, card) = (format!("model/{}", population.model.name), model_card(&population.model));
                    panes.push(Pane::new(
                        key,
                        format!("Model {}", population.model.name),
                        Shape::Card(card),
                        population.model.summary.clone(),
                    ));
                }
            }
        }
        unique(&mut panes);
        Self {
            label: finished.label.clone(),
            panes,
            metrics: finished.outcomes.iter().flat_map(|o| o.metrics.iter().cloned()).collect(),
            checks: finished.checks.clone(),
            status: Some(finished.status),
            failure: finished.failure.clone(),
            warnings: finished.warnings.clone(),
            finished: Some(finished.clone()),
        }
    }

    /// Panes of what there is so far, on the time axis that the run will fill.
    pub fn live(label: &str, snapshot: &Snapshot, time: Option<(f64, f64)>) -> Self {
        let mut panes = arranged(&snapshot.recording, &snapshot.outcomes, time);
        unique(&mut panes);
        Self {
            label: label.to_owned(),
            panes,
            metrics: snapshot.outcomes.iter().flat_map(|o| o.metrics.iter().cloned()).collect(),
            ..Self::default()
        }
    }

    /// The pane of a key.
    pub fn pane(&self, key: &str) -> Option<&Pane> {
        self.panes.iter().find(|p| p.key == key)
    }
}

/// Keys are made unique, so that no pane hides another.
fn unique(panes: &mut [Pane]) {
    for i in 1..panes.len() {
        let (before, rest) = panes.split_at_mut(i);
        let mut n = 2;
        let base = rest[0].key.clone();
        while before.iter().any(|p| p.key == rest[0].key) {
            rest[0].key = format!("{base}#{n}");
            n += 1;
        }
    }
}

/// The raster of all recorded spikes, and one pane a recorded variable.
fn recorded(recording: &Recording, time: Option<(f64, f64)>) -> Vec<Pane> {
    let mut panes = Vec::new();
    if !recording.spikes.is_empty() {
        let raster = raster(recording, time);
        let n: usize = recording.spikes.iter().map(crate::signal::Spikes::len).sum();
        let units: usize = recording.spikes.iter().map(|s| s.size).sum();
        panes.push(Pane::new(
            "spikes",
            "Spikes",
            Shape::Raster(raster),
            format!("{n} spikes of {units} unit{}", if units == 1 { "" } else { "s" }),
        ));
    }
    // One pane a variable of a population, joining requests with other units or intervals.
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for trace in &recording.traces {
        let key = (trace.population.as_str(), trace.variable.as_str());
        if keys.contains(&key) {
            continue;
        }
        keys.push(key);
        let mut series =
            Series { x: Axis::time(recording.time_base), y: Axis::new(trace.variable.clone(), trace.unit.clone()), ..Series::default() };
        let mut shown = 0;
        let mut all = 0;
        for t in recording.traces_of(key.0, key.1) {
            let n = t.units.len();
            all += n;
            let x: Vec<f64> = (0..t.len()).map(|k| t.time(k)).collect();
            for (j, unit) in t.units.iter().enumerate() {
                if shown == TRACES_SHOWN {
                    break;
                }
                shown += 1;
                let y = (0..t.len()).map(|k| t.values[k * n + j]).collect();
                let name = if all == 1 { String::new() } else { format!("unit {unit}") };
                series.curves.push(Curve { name, x: x.clone(), y, ..Curve::default() });
            }
        }
        let title = format!("{}.{}", key.0, key.1);
        let summary = match all {
            _ if all > shown => format!("the first {shown} of {all} recorded units"),
            1 => "one unit".to_owned(),
            _ => format!("{all} units"),
        };
        panes.push(Pane::new(format!("trace/{title}"), title, Shape::Series(series), summary));
    }
    panes
}

/// More curves than this cannot be told apart in one pane; the table has them all.
const TRACES_SHOWN: usize = 6;

/// Spikes of all populations with their rates below, in about 300 bins of a round width.
fn raster(recording: &Recording, time: Option<(f64, f64)>) -> Raster {
    let window = recording.window;
    let extent = time.unwrap_or((window.start, window.stop));
    let bin = round_bin((extent.1 - extent.0) / 300.0);
    let per_second = recording.time_base.seconds();
    let groups = recording
        .spikes
        .iter()
        .map(|s| RasterGroup { name: s.population.clone(), size: s.size, times: s.times.clone(), units: s.units.clone() })
        .collect();
    let curves = recording.spikes.iter().filter_map(|s| rate_curve(s, (window.start, window.stop), bin, per_second)).collect();
    let y = Axis::new("rate", recording.time_base.rate_unit());
    Raster {
        x: Axis::time(recording.time_base),
        extent,
        groups,
        rate: Series { x: Axis::time(recording.time_base), y, curves, ..Series::default() },
    }
}

fn rate_curve(spikes: &crate::signal::Spikes, window: (f64, f64), bin: f64, per_second: f64) -> Option<Curve> {
    let count = ((window.1 - window.0) / bin + 1e-9).floor();
    if !(1.0..1e6).contains(&count) || spikes.size == 0 {
        return None;
    }
    let mut counts = vec![0u32; count as usize];
    for &t in &spikes.times {
        // Bins are open at the start and closed at the stop.
        let k = ((t - window.0) / bin - 1e-9).floor();
        if k >= 0.0 && (k as usize) < counts.len() {
            counts[k as usize] += 1;
        }
    }
    let scale = 1.0 / (bin * per_second * spikes.size as f64);
    Some(Curve {
        name: spikes.population.clone(),
        x: (0..counts.len()).map(|k| window.0 + (k as f64 + 0.5) * bin).collect(),
        y: counts.into_iter().map(|c| f64::from(c) * scale).collect(),
        ..Curve::default()
    })
}

/// The nearest 1, 2 or 5 times a power of ten not below.
fn round_bin(least: f64) -> f64 {
    if !(least > 0.0 && least.is_finite()) {
        return 1.0;
    }
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|b| *b >= least * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// Panes of what was recorded and measured, in the order in which one wants to see them: what happened (spikes, or the
/// first trace), all numbers, then of each recorded variable and each analysis its first figure, then their second ones.
/// Histograms come after curves and matrices: there is one for every population.
fn arranged(recording: &Recording, outcomes: &[Outcome], time: Option<(f64, f64)>) -> Vec<Pane> {
    let mut ranked: Vec<(usize, Pane)> = Vec::new();
    let units: usize = recording.spikes.iter().map(|s| s.size).sum();
    let mut traces = 0;
    for pane in recorded(recording, time) {
        let rank = if pane.key == "spikes" {
            // The raster of a few units says less than their traces.
            if units > FEW { 0 } else { 2 }
        } else {
            traces += 1;
            if traces == 1 { 1 } else { 2 + traces }
        };
        ranked.push((rank, pane));
    }
    let seen = recording.spikes.len();
    for outcome in outcomes {
        let mut nth = 0;
        for (named, pane) in outcome.shapes.iter().zip(measured(outcome)) {
            // All spikes and numbers are shown already.
            if matches!(&named.shape, Shape::Raster(r) if seen > 0 && r.groups.len() == seen) || is_metrics(outcome, named) {
                continue;
            }
            let late = matches!(named.shape, Shape::Distribution(_));
            ranked.push((3 + nth + usize::from(late), pane));
            nth += 1;
        }
    }
    ranked.sort_by_key(|r| r.0);
    let mut panes: Vec<Pane> = ranked.into_iter().map(|r| r.1).collect();
    if let Some(numbers) = numbers(outcomes) {
        panes.insert(panes.len().min(1), numbers);
    }
    name(&mut panes, outcomes);
    panes
}

/// A raster of no more units than this does not lead.
const FEW: usize = 4;

/// One pane a shape of an outcome.
fn measured(outcome: &Outcome) -> impl Iterator<Item = Pane> {
    let title = title_of(outcome);
    let many = outcome.shapes.len() > 1;
    outcome.shapes.iter().map(move |s| {
        let heading = match s.name.as_str() {
            _ if !many => title.to_owned(),
            // A name of several words says by itself what it is: `spectrum of exc.rate`.
            name if name.contains(' ') => capital(name),
            name if title.to_lowercase().contains(&name.to_lowercase()) => title.to_owned(),
            name => format!("{title}: {name}"),
        };
        let mut pane = Pane::new(format!("{}/{}", outcome.name, s.name), heading, s.shape.clone(), outcome.summary.clone());
        pane.warnings.clone_from(&outcome.warnings);
        pane
    })
}

fn title_of(outcome: &Outcome) -> &str {
    if outcome.title.is_empty() { &outcome.name } else { &outcome.title }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// Where several panes have the same heading, the analysis' name tells them apart.
fn name(panes: &mut [Pane], outcomes: &[Outcome]) {
    let titles: Vec<String> = panes.iter().map(|p| p.title.clone()).collect();
    for (i, pane) in panes.iter_mut().enumerate() {
        let owner = outcomes.iter().find(|o| pane.key.strip_prefix(o.name.as_str()).is_some_and(|rest| rest.starts_with('/')));
        if let Some(owner) = owner.filter(|_| titles.iter().enumerate().any(|(k, t)| k != i && *t == pane.title)) {
            pane.title = format!("{}: {}", owner.name, pane.title);
        }
    }
}

/// Whether a shape is no more than the table of the outcome's metrics.
fn is_metrics(outcome: &Outcome, shape: &NamedShape) -> bool {
    let Shape::Scalars(table) = &shape.shape else { return false };
    let same = |(row, m): (&crate::signal::ScalarRow, &Metric)| row.name == format!("{} {}", m.subject, m.metric);
    table.rows.len() == outcome.metrics.len() && table.rows.iter().zip(&outcome.metrics).all(same)
}

/// The numbers of all analyses that have no table of another kind, in one table.
fn numbers(outcomes: &[Outcome]) -> Option<Pane> {
    let has_table = |o: &&Outcome| o.shapes.iter().any(|s| matches!(s.shape, Shape::Scalars(_)) && !is_metrics(o, s));
    let plain: Vec<&Outcome> = outcomes.iter().filter(|o| !has_table(o) && !o.metrics.is_empty()).collect();
    let metrics: Vec<Metric> = plain.iter().flat_map(|o| o.metrics.iter().cloned()).collect();
    if metrics.is_empty() {
        return None;
    }
    let mut table = Scalars::from_metrics(&metrics);
    let names: Vec<String> = table.rows.iter().map(|r| r.name.clone()).collect();
    let owners = plain.iter().flat_map(|o| std::iter::repeat_n(o.name.as_str(), o.metrics.len()));
    for ((i, row), owner) in table.rows.iter_mut().enumerate().zip(owners) {
        if names.iter().enumerate().any(|(k, n)| k != i && *n == row.name) {
            row.name = format!("{owner}: {}", row.name);
        }
    }
    let summary = format!("{} measures", table.rows.len());
    let mut pane = Pane::new("numbers", "Numbers", Shape::Scalars(table), summary);
    pane.warnings = plain.iter().flat_map(|o| o.warnings.iter().cloned()).collect();
    Some(pane)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::signal::{Spikes, TimeBase, Window};

    /// A small recording with spikes that are known.
    pub fn recording() -> Recording {
        let times: Vec<f64> = (1..=200).map(|k| f64::from(k) * 5.0).collect();
        let units = (0..200u32).map(|k| (k * 7) % 20).collect();
        Recording {
            time_base: TimeBase::Milliseconds,
            dt: 0.1,
            window: Window { start: 0.0, stop: 1000.0 },
            spikes: vec![Spikes { population: "exc".into(), size: 20, times, units }],
            ..Recording::default()
        }
    }

    #[test]
    fn the_rate_below_the_raster_is_the_rate() {
        let r = raster(&recording(), None);
        assert_eq!(r.extent, (0.0, 1000.0));
        let c = &r.rate.curves[0];
        assert_eq!(c.x.len(), 200, "bins of 5 ms");
        // One spike of 20 units in every 5 ms: 10 Hz.
        assert!(c.y.iter().all(|y| (y - 10.0).abs() < 1e-9), "{:?}", c.y);
    }

    #[test]
    fn bins_are_round() {
        assert_eq!(round_bin(3.4), 5.0);
        assert!((round_bin(0.02) - 0.02).abs() < 1e-12);
        assert_eq!(round_bin(0.0), 1.0);
        assert_eq!(round_bin(f64::NAN), 1.0);
    }

    #[test]
    fn numbers_of_all_analyses_stand_in_one_table_and_keys_stay_unique() {
        let outcome = |name: &str, shapes| Outcome {
            name: name.into(),
            kind: "rates".into(),
            metrics: vec![Metric::new("exc.spikes", "mean", 10.0, "Hz", 200)],
            shapes,
            ..Outcome::default()
        };
        let curve = NamedShape::new("curve of it", Shape::Series(Series::default()));
        let outcomes = [outcome("early", vec![curve.clone(), curve.clone()]), outcome("late", vec![curve])];
        let mut panes = arranged(&recording(), &outcomes, None);
        unique(&mut panes);
        let keys: Vec<&str> = panes.iter().map(|p| p.key.as_str()).collect();
        assert_eq!(keys, ["spikes", "numbers", "early/curve of it", "late/curve of it", "early/curve of it#2"]);
        let Shape::Scalars(table) = &panes[1].shape.shape else { panic!() };
        let rows: Vec<&str> = table.rows.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(rows, ["early: exc.spikes mean", "late: exc.spikes mean"]);
        assert_eq!(panes[2].title, "early: Curve of it");
    }
}
