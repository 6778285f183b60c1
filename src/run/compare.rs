//! Finished runs against each other: which numbers differ, and by how much more than their intervals.

use std::collections::BTreeMap;

use super::contrast;
use super::ensemble::{Ensemble, PointResult};
use super::{Finished, Status};
use spikedeck_core::surrogate;
use spikedeck_signal::Metric;

/// One metric across runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Full name.
    pub metric: String,
    /// Unit.
    pub unit: String,
    /// Value in each run, in the order of [`Comparison::labels`].
    pub values: Vec<Option<f64>>,
    /// Interval in each run.
    pub intervals: Vec<Option<(f64, f64)>>,
    /// Each run's value less the first run's, over the seeds of both where it is paired; of angles the short way
    /// round.
    pub differences: Vec<Option<f64>>,
    /// Interval of each difference: paired over the seeds that both runs have (common random numbers), else from the
    /// intervals of both values, taken as independent (half widths add in squares).
    pub difference_intervals: Vec<Option<(f64, f64)>>,
    /// Number of seeds that each difference is paired over; 0 where it is not.
    pub pairs: Vec<usize>,
    /// Probability of a difference at least as large if there is none: by Student's t over pairs of seeds, by Welch's
    /// over seeds that are others. Single runs have none.
    pub p_values: Vec<Option<f64>>,
    /// The same corrected over all metrics of a run (Benjamini and Hochberg).
    pub p_adjusted: Vec<Option<f64>>,
    /// Size of the effect, where differences are paired over three seeds and more: their mean in units of their
    /// standard deviation over the seeds, corrected for few of them (Hedges' g_z).
    pub effects: Vec<Option<f64>>,
    /// What each difference is to: the first run's value, over the seeds that the difference is of.
    pub bases: Vec<Option<f64>>,
}

impl Difference {
    /// The difference of run `k` to the first as a share of the first's size; nothing where that is zero, and of
    /// angles.
    pub fn relative(&self, k: usize) -> Option<f64> {
        let base = self.bases.get(k).copied().flatten().filter(|_| !Metric::is_angle(&self.unit))?.abs();
        let difference = self.differences.get(k).copied().flatten()?;
        (base > 0.0).then(|| difference / base)
    }

    /// Whether the interval of the difference of run `k` to the first excludes zero.
    pub fn is_clear(&self, k: usize) -> bool {
        self.difference_intervals.get(k).copied().flatten().is_some_and(|(low, high)| low > 0.0 || high < 0.0)
    }
}

/// Runs held against each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Names of the runs; the first is what the others are compared with.
    pub labels: Vec<String>,
    /// Metrics in the order of the first run, then those that only others have.
    pub rows: Vec<Difference>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// The value of each metric (by full name) at each seed of an ensemble without sweep axes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeedValues(BTreeMap<String, BTreeMap<u64, f64>>);

impl SeedValues {
    /// Those of an ensemble; empty if it has axes, because its points then differ by more than the seed. Of trials
    /// those of each network: what was measured of all of its trials together.
    pub fn of(ensemble: &Ensemble) -> Self {
        Self::of_points(ensemble.measured())
    }

    /// The same of its points and networks.
    pub(crate) fn of_points<'a>(points: impl Iterator<Item = &'a PointResult>) -> Self {
        let mut values = Self::default();
        // A run that did not reach its end has numbers of another stretch.
        // Trials of one seed are no further seeds: what they have in common is in their mean alone.
        let is_whole = |p: &&PointResult| {
            p.point.axes.is_empty() && p.point.trial.is_none() && p.finished.status == Status::Complete
        };
        for result in points.filter(is_whole) {
            for metric in result.finished.outcomes.iter().flat_map(|o| &o.metrics) {
                if let Some(value) = metric.value {
                    values.insert(metric.full_name(), result.point.seed, value);
                }
            }
        }
        values
    }

    /// Adds a value.
    pub fn insert(&mut self, metric: String, seed: u64, value: f64) {
        self.0.entry(metric).or_default().insert(seed, value);
    }

    /// Values of this and of another at the seeds that both have, in the order of seeds.
    fn pairs(&self, other: &Self, metric: &str) -> Vec<(f64, f64)> {
        let (Some(a), Some(b)) = (self.0.get(metric), other.0.get(metric)) else { return Vec::new() };
        a.iter().filter_map(|(seed, value)| Some((*value, *b.get(seed)?))).collect()
    }

    /// All values of a metric, in the order of seeds.
    fn values(&self, metric: &str) -> Vec<f64> {
        self.0.get(metric).map_or_else(Vec::new, |all| all.values().copied().collect())
    }

    /// Most seeds that a metric has.
    fn seeds(&self) -> usize {
        self.0.values().map(BTreeMap::len).max().unwrap_or_default()
    }
}

/// Holds `runs` against the first of them, seed by seed where they know what was measured at each.
pub fn compare(runs: &[&Finished]) -> Comparison {
    let seeds: Vec<SeedValues> = runs.iter().map(|r| r.facts.seeds.clone()).collect();
    compare_seeds(runs, &seeds)
}

/// Holds `runs` against the first of them. Where two runs have values at the same seeds (`seeds`, one entry a run),
/// their differences are taken seed by seed: runs of one seed share their random numbers, so most of the chance
/// cancels.
pub fn compare_seeds(runs: &[&Finished], seeds: &[SeedValues]) -> Comparison {
    let labels = distinct_labels(runs);
    let mut names: Vec<(String, String)> = Vec::new();
    for metric in runs.iter().flat_map(|r| &r.outcomes).flat_map(|o| &o.metrics) {
        let key = (metric.full_name(), metric.unit.clone());
        if !names.contains(&key) {
            names.push(key);
        }
    }
    let mut rows: Vec<Difference> = names
        .into_iter()
        .map(|(name, unit)| {
            let found: Vec<Option<&Metric>> = runs
                .iter()
                .map(|r| r.outcomes.iter().flat_map(|o| &o.metrics).find(|m| m.full_name() == name && m.unit == unit))
                .collect();
            let values: Vec<Option<f64>> = found.iter().map(|m| m.and_then(|m| m.value)).collect();
            let intervals: Vec<Option<(f64, f64)>> =
                found.iter().map(|m| m.and_then(|m| m.ci_low.zip(m.ci_high))).collect();
            let is_angle = Metric::is_angle(&unit);
            let base = (values[0], intervals[0]);
            let n = values.len();
            let mut row = Difference {
                metric: name,
                unit,
                bases: vec![base.0; n],
                differences: values.iter().map(|v| Some(difference(base.0?, (*v)?, is_angle))).collect(),
                difference_intervals: values
                    .iter()
                    .zip(&intervals)
                    .enumerate()
                    .map(
                        |(k, (v, i))| {
                            if k == 0 { None } else { interval_of((base.0?, base.1?), ((*v)?, (*i)?), is_angle) }
                        },
                    )
                    .collect(),
                pairs: vec![0; n],
                p_values: vec![None; n],
                p_adjusted: vec![None; n],
                effects: vec![None; n],
                values,
                intervals,
            };
            for k in 1..n {
                let (Some(first), Some(other)) = (seeds.first(), seeds.get(k)) else { continue };
                let pairs = first.pairs(other, &row.metric);
                let by_seed = contrast::paired(&pairs, is_angle);
                row.pairs[k] = if by_seed.is_some() { pairs.len() } else { 0 };
                let apart = || {
                    let (a, b) = (first.values(&row.metric), other.values(&row.metric));
                    contrast::independent(&a, &b, is_angle)
                };
                if let Some(found) = by_seed.or_else(apart) {
                    (row.bases[k], row.differences[k]) = (Some(found.base), Some(found.difference));
                    (row.difference_intervals[k], row.p_values[k]) = (found.interval, found.p);
                    row.effects[k] = found.effect;
                }
            }
            row
        })
        .collect();
    for k in 1..runs.len() {
        let all: Vec<Option<f64>> = rows.iter().map(|r| r.p_values[k]).collect();
        for (row, p) in rows.iter_mut().zip(surrogate::adjust(&all, surrogate::Correction::BenjaminiHochberg)) {
            row.p_adjusted[k] = p;
        }
    }
    let notes = notes(runs, seeds, &labels, &rows);
    Comparison { labels, rows, notes }
}

/// What differences of single runs rest on.
fn of_single_runs(seeds: &[Option<u64>]) -> &'static str {
    if seeds.contains(&None) {
        "the seed of a run is not known; intervals of differences take the runs as independent"
    } else if seeds.windows(2).all(|w| w[0] == w[1]) {
        "the runs have the same seed and share their random numbers where their structure allows it; intervals of \
         differences still take them as independent and are therefore wide, and are over the units or the time of one \
         network: with several seeds (`sweep.seeds`) differences are paired and have p-values"
    } else {
        "the runs have different seeds; intervals of differences take them as independent, and are over the units or \
         the time of one network each: p-values need several seeds (`sweep.seeds`)"
    }
}

/// What a reader of the differences should know.
fn notes(runs: &[&Finished], seeds: &[SeedValues], labels: &[String], rows: &[Difference]) -> Vec<String> {
    let mut notes = Vec::new();
    let own: Vec<Option<u64>> = runs.iter().map(|r| r.spec.as_ref().map(|s| s.simulation.seed)).collect();
    let mut told = false;
    for (k, label) in labels.iter().enumerate().skip(1) {
        let pairs = rows.iter().map(|r| r.pairs[k]).max().unwrap_or_default();
        let count = |k: usize| seeds.get(k).map_or(0, SeedValues::seeds);
        let (a, b) = (count(0), count(k));
        told |= pairs > 0 || (a > 1 && b > 1);
        if pairs > 0 {
            let part =
                if pairs < a.max(b) { format!(" (of {a} and {b}: the values are of all)") } else { String::new() };
            notes.push(format!(
                "{label}: differences are taken seed by seed over {pairs} seeds that both runs have{part}; intervals \
                 and p by Student's t, effects corrected for few seeds (Hedges)"
            ));
        } else if a > 1 && b > 1 {
            notes.push(format!("{label}: its seeds are others; intervals and p by Welch's t over {a} and {b} seeds"));
        }
        let tested = rows.iter().filter(|r| r.difference_intervals[k].is_some()).count();
        let marked = rows.iter().filter(|r| r.is_clear(k)).count();
        if tested >= 20 {
            notes.push(format!(
                "{}: {marked} of {tested} intervals exclude zero; about {} would if nothing differed, so look at the \
                 adjusted p (Benjamini and Hochberg over all metrics)",
                label,
                (tested as f64 / 20.0).round()
            ));
        }
    }
    if !told {
        notes.push(of_single_runs(&own).to_owned());
    }
    for run in runs {
        match run.status {
            Status::Complete => {}
            Status::Interrupted => {
                notes.push(format!("{} was interrupted: its numbers are of what there is", run.label));
            }
            Status::Failed => notes.push(format!("{} failed: its numbers are of what there is", run.label)),
        }
        if run.outcomes.iter().all(|o| o.metrics.is_empty()) {
            let why = if run.spec.as_ref().and_then(|s| s.sweep.as_ref()).is_some_and(|s| !s.axes.is_empty()) {
                "its analyses are curves over the axes of its sweep"
            } else {
                "nothing was measured"
            };
            notes.push(format!("{} has no metrics: {why}", run.label));
        }
    }
    notes
}

/// Ends of the difference `b - a` from each side's own half widths (Newcombe's square-and-add, which keeps skewed
/// intervals skewed; doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I).
pub fn difference_interval(
    a: f64,
    (a_low, a_high): (f64, f64),
    b: f64,
    (b_low, b_high): (f64, f64),
) -> Option<(f64, f64)> {
    // Two intervals of no width say that nothing varied (equal units, say): there is nothing to estimate an interval
    // from.
    if a_low == a_high && b_low == b_high {
        return None;
    }
    let d = b - a;
    let low = d - ((b - b_low).powi(2) + (a_high - a).powi(2)).sqrt();
    let high = d + ((b_high - b).powi(2) + (a - a_low).powi(2)).sqrt();
    (low.is_finite() && high.is_finite()).then_some((low, high))
}

/// The second less the first; of angles the short way round.
fn difference(a: f64, b: f64, is_angle: bool) -> f64 {
    let along = if is_angle { contrast::wrapped(b - a) } else { b - a };
    contrast::rounded(along, a.abs().max(b.abs()))
}

/// The interval of [`difference`].
fn interval_of((a, a_ends): (f64, (f64, f64)), (b, b_ends): (f64, (f64, f64)), is_angle: bool) -> Option<(f64, f64)> {
    let (low, high) = difference_interval(a, a_ends, b, b_ends)?;
    let turned = difference(a, b, is_angle) - (b - a);
    Some((low + turned, high + turned))
}

/// Labels with a number where two runs have the same.
fn distinct_labels(runs: &[&Finished]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for run in runs {
        let mut label = run.label.clone();
        let mut k = 2;
        while labels.contains(&label) {
            label = format!("{} ({k})", run.label);
            k += 1;
        }
        labels.push(label);
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_signal::Outcome;

    #[test]
    fn differences_carry_intervals_of_both() {
        let (low, high) = difference_interval(10.0, (9.0, 12.0), 20.0, (17.0, 21.0)).unwrap();
        assert!((low - (10.0 - 13f64.sqrt())).abs() < 1e-12);
        assert!((high - (10.0 + 2f64.sqrt())).abs() < 1e-12);
        let row = Difference {
            metric: "m".into(),
            unit: String::new(),
            values: vec![],
            intervals: vec![],
            differences: vec![],
            difference_intervals: vec![None, Some((0.1, 2.0)), Some((-1.0, 2.0))],
            pairs: vec![],
            p_values: vec![],
            p_adjusted: vec![],
            effects: vec![],
            bases: vec![],
        };
        assert_eq!((row.is_clear(0), row.is_clear(1), row.is_clear(2)), (false, true, false));
    }

    #[test]
    fn runs_with_the_same_seeds_are_paired() {
        let run = |label: &str, mean: f64| {
            let mut metric = Metric::new("exc.spikes", "mean_rate", mean, "Hz", 3);
            metric.analysis = "rates".into();
            (metric.ci_low, metric.ci_high) = (Some(mean - 50.0), Some(mean + 50.0));
            Finished {
                label: label.into(),
                spec: None,
                status: Status::Complete,
                failure: None,
                recording: std::sync::Arc::default(),
                outcomes: vec![Outcome { metrics: vec![metric], ..Outcome::default() }],
                checks: vec![],
                warnings: vec![],
                facts: crate::Facts::default(),
            }
        };
        let values = |list: &[(u64, f64)]| {
            let mut all = SeedValues::default();
            for (seed, value) in list {
                all.insert("rates.exc.spikes.mean_rate".into(), *seed, *value);
            }
            all
        };
        let (a, b) = (run("a", 20.0), run("b", 25.0));
        // Seeds spread by 30 Hz, differences by 1 Hz: 4, 5, 6 and their mean 5 ± t(0.975, 2)/sqrt(3) = 5 ± 2.484138.
        let seeds = [values(&[(1, 5.0), (2, 20.0), (3, 35.0)]), values(&[(1, 9.0), (2, 25.0), (3, 41.0), (4, 1000.0)])];
        let paired = compare_seeds(&[&a, &b], &seeds);
        let row = &paired.rows[0];
        assert_eq!((row.pairs[1], row.differences[1], row.is_clear(1)), (3, Some(5.0), true));
        let (low, high) = row.difference_intervals[1].unwrap();
        assert!((low - (5.0 - 2.484_138)).abs() < 1e-5 && (high - (5.0 + 2.484_138)).abs() < 1e-5);
        assert!(
            row.p_values[1].unwrap() < 0.05 && row.p_adjusted[1] == row.p_values[1] && row.effects[1].unwrap() > 2.0
        );
        assert_eq!(row.relative(1), Some(0.25));
        // Runs that know their seeds themselves are paired without more.
        let knowing = |run: &Finished, seeds: &SeedValues| Finished {
            facts: crate::Facts { seeds: seeds.clone(), ..run.facts.clone() },
            ..run.clone()
        };
        let (c, d) = (knowing(&a, &seeds[0]), knowing(&b, &seeds[1]));
        assert_eq!(compare(&[&c, &d]).rows, paired.rows);
        // Without seeds the wide intervals of both are all there is.
        assert!(!compare(&[&a, &b]).rows[0].is_clear(1));
    }
}
