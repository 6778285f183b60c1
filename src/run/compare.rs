//! Finished runs against each other: which numbers differ, and by how much more than their intervals.

use std::collections::BTreeMap;

use super::across::mean_and_half_width;
use super::ensemble::{Ensemble, PointResult};
use super::{Finished, Status};
use spikedeck_core::statistics;
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
    /// Each run's value less the first run's.
    pub differences: Vec<Option<f64>>,
    /// Interval of each difference: paired over the seeds that both runs have (common random numbers), else from the
    /// intervals of both values, taken as independent (half widths add in squares).
    pub difference_intervals: Vec<Option<(f64, f64)>>,
    /// Number of seeds that each difference is paired over; 0 where it is not.
    pub pairs: Vec<usize>,
    /// Probability of a difference at least as large if there is none: Student's t over the pairs, else a normal law
    /// with the width of the interval towards zero.
    pub p_values: Vec<Option<f64>>,
    /// Size of the effect, where differences are paired: their mean in units of their standard deviation over the
    /// seeds (Cohen's d_z).
    pub effects: Vec<Option<f64>>,
}

impl Difference {
    /// The difference of run `k` to the first as a share of the first's size; nothing where that is zero.
    pub fn relative(&self, k: usize) -> Option<f64> {
        let base = self.values.first().copied().flatten()?.abs();
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
    /// Those of an ensemble; empty if it has axes, because its points then differ by more than the seed.
    pub fn of(ensemble: &Ensemble) -> Self {
        Self::of_points(&ensemble.points)
    }

    /// The same of its points.
    pub(crate) fn of_points(points: &[PointResult]) -> Self {
        let mut values = Self::default();
        // A run that did not reach its end has numbers of another stretch.
        let is_whole = |p: &&PointResult| p.point.axes.is_empty() && p.finished.status == Status::Complete;
        for result in points.iter().filter(is_whole) {
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

    /// Differences of `other` to this at the seeds that both have, in the order of seeds.
    fn differences(&self, other: &Self, metric: &str) -> Vec<f64> {
        let (Some(a), Some(b)) = (self.0.get(metric), other.0.get(metric)) else { return Vec::new() };
        a.iter().filter_map(|(seed, value)| b.get(seed).map(|v| v - value)).collect()
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
    let rows: Vec<Difference> = names
        .into_iter()
        .map(|(name, unit)| {
            let found: Vec<Option<&Metric>> = runs
                .iter()
                .map(|r| r.outcomes.iter().flat_map(|o| &o.metrics).find(|m| m.full_name() == name && m.unit == unit))
                .collect();
            let values: Vec<Option<f64>> = found.iter().map(|m| m.and_then(|m| m.value)).collect();
            let intervals: Vec<Option<(f64, f64)>> =
                found.iter().map(|m| m.and_then(|m| m.ci_low.zip(m.ci_high))).collect();
            let base = (values[0], intervals[0]);
            let mut row = Difference {
                metric: name,
                unit,
                differences: values.iter().map(|v| Some((*v)? - base.0?)).collect(),
                difference_intervals: values
                    .iter()
                    .zip(&intervals)
                    .enumerate()
                    .map(|(k, (v, i))| if k == 0 { None } else { difference_interval(base.0?, base.1?, (*v)?, (*i)?) })
                    .collect(),
                pairs: vec![0; values.len()],
                p_values: vec![None; values.len()],
                effects: vec![None; values.len()],
                values,
                intervals,
            };
            for k in 1..runs.len() {
                row.p_values[k] = row.differences[k].zip(row.difference_intervals[k]).and_then(p_of_interval);
            }
            for k in 1..runs.len() {
                let (Some(first), Some(other)) = (seeds.first(), seeds.get(k)) else { continue };
                let paired = first.differences(other, &row.metric);
                if let Some((mean, Some(half))) = mean_and_half_width(&paired) {
                    row.pairs[k] = paired.len();
                    row.differences[k] = Some(mean);
                    row.difference_intervals[k] = (half > 0.0).then_some((mean - half, mean + half));
                    (row.p_values[k], row.effects[k]) = paired_test(&paired, mean).unzip();
                }
            }
            row
        })
        .collect();
    let notes = notes(runs, &rows);
    Comparison { labels, rows, notes }
}

/// What a reader of the differences should know.
fn notes(runs: &[&Finished], rows: &[Difference]) -> Vec<String> {
    let mut notes = Vec::new();
    let pairs = rows.iter().flat_map(|r| &r.pairs).copied().max().unwrap_or(0);
    let seeds: Vec<Option<u64>> = runs.iter().map(|r| r.spec.as_ref().map(|s| s.simulation.seed)).collect();
    if pairs > 0 {
        notes.push(format!(
            "differences are taken seed by seed over {pairs} seeds that the runs share; 95 % interval by Student's t"
        ));
    } else if seeds.contains(&None) {
        notes.push("the seed of a run is not known; intervals of differences take the runs as independent".into());
    } else if seeds.windows(2).all(|w| w[0] == w[1]) {
        notes.push(
            "the runs have the same seed and share their random numbers where their structure allows it; intervals of \
             differences still \
             take them as independent and are therefore wide: with several seeds (`sweep.seeds`) they are paired"
                .into(),
        );
    } else {
        notes.push("the runs have different seeds; intervals of differences take them as independent".into());
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

/// The p-value of a difference that is known with an interval: the side towards zero is 1.96 standard errors long.
fn p_of_interval((difference, (low, high)): (f64, (f64, f64))) -> Option<f64> {
    let half = if difference >= 0.0 { difference - low } else { high - difference };
    let p = statistics::normal_two_sided(statistics::normal_quantile(0.975) * difference / half);
    (half > 0.0 && p.is_finite()).then_some(p)
}

/// The p-value of paired differences by Student's t, and their mean in units of their standard deviation.
fn paired_test(paired: &[f64], mean: f64) -> Option<(f64, f64)> {
    let n = paired.len() as f64;
    let deviation = (paired.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let effect = mean / deviation;
    let p = statistics::student_two_sided(effect * n.sqrt(), n - 1.0);
    (deviation > 0.0 && p.is_finite()).then_some((p, effect))
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
            effects: vec![],
        };
        assert_eq!((row.is_clear(0), row.is_clear(1), row.is_clear(2)), (false, true, false));
    }

    /// The p-value of an interval is below 0.05 where the interval excludes zero, and there alone.
    #[test]
    fn p_values_agree_with_intervals() {
        for (difference, low, high) in
            [(1.0, 0.0001, 3.0), (1.0, -0.0001, 3.0), (-2.0, -9.0, -0.01), (-2.0, -2.5, 0.01), (0.0, -1.0, 2.0)]
        {
            let p = p_of_interval((difference, (low, high))).unwrap();
            assert_eq!(p < 0.05, low > 0.0 || high < 0.0, "{difference} [{low}, {high}]: {p}");
        }
        // Two standard errors: 0.0455 (tables of the normal law).
        let p = p_of_interval((2.0, (2.0 - 1.959_963_985, 5.0))).unwrap();
        assert!((p - 0.045_500_26).abs() < 1e-7, "{p}");
        assert_eq!(p_of_interval((1.0, (1.0, 2.0))), None, "an interval that ends at the value");
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
        // 4, 5, 6 have mean 5 and deviation 1; t = 5 √3 = 8.660254 with two degrees of freedom, for which the tail is
        // 1/2 (1 - t / √(t² + 2)): p = 1 - 8.660254 / √77.
        assert!((row.effects[1].unwrap() - 5.0).abs() < 1e-12);
        assert!((row.p_values[1].unwrap() - (1.0 - 75f64.sqrt() / 77f64.sqrt())).abs() < 1e-9, "{:?}", row.p_values);
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
