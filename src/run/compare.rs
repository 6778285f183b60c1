//! Finished runs against each other: which numbers differ, and by how much more than their intervals.

use super::Finished;
use crate::signal::{Metric, NamedShape, Outcome, ScalarRow, Scalars, Shape};

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
    /// Interval of each difference, where both values have one (taken as independent: half widths add in squares).
    pub difference_intervals: Vec<Option<(f64, f64)>>,
}

impl Difference {
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

/// Holds `runs` against the first of them.
pub fn compare(runs: &[&Finished]) -> Comparison {
    let labels = distinct_labels(runs);
    let mut names: Vec<(String, String)> = Vec::new();
    for metric in runs.iter().flat_map(|r| &r.outcomes).flat_map(|o| &o.metrics) {
        let key = (metric.full_name(), metric.unit.clone());
        if !names.contains(&key) {
            names.push(key);
        }
    }
    let rows = names
        .into_iter()
        .map(|(name, unit)| {
            let found: Vec<Option<&Metric>> =
                runs.iter().map(|r| r.outcomes.iter().flat_map(|o| &o.metrics).find(|m| m.full_name() == name && m.unit == unit)).collect();
            let values: Vec<Option<f64>> = found.iter().map(|m| m.and_then(|m| m.value)).collect();
            let intervals: Vec<Option<(f64, f64)>> = found.iter().map(|m| m.and_then(|m| m.ci_low.zip(m.ci_high))).collect();
            let base = (values[0], intervals[0]);
            let differences = values.iter().map(|v| Some((*v)? - base.0?)).collect();
            let difference_intervals = values
                .iter()
                .zip(&intervals)
                .enumerate()
                .map(|(k, (v, i))| if k == 0 { None } else { difference_interval(base.0?, base.1?, (*v)?, (*i)?) })
                .collect();
            Difference { metric: name, unit, values, intervals, differences, difference_intervals }
        })
        .collect();
    let mut notes = Vec::new();
    let seeds: Vec<Option<u64>> = runs.iter().map(|r| r.spec.as_ref().map(|s| s.simulation.seed)).collect();
    if seeds.iter().all(|s| *s == seeds[0]) && seeds[0].is_some() {
        notes.push("the runs share their random numbers where their structure allows it (same seed); intervals of differences take them as independent and are therefore wide".into());
    } else {
        notes.push("the runs have different seeds".into());
    }
    Comparison { labels, rows, notes }
}

/// Ends of the difference from each side's own half widths (Newcombe's square-and-add, which keeps skewed intervals skewed;
/// doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I).
fn difference_interval(a: f64, (a_low, a_high): (f64, f64), b: f64, (b_low, b_high): (f64, f64)) -> Option<(f64, f64)> {
    let d = b - a;
    let low = d - ((b - b_low).powi(2) + (a_high - a).powi(2)).sqrt();
    let high = d + ((b_high - b).powi(2) + (a - a_low).powi(2)).sqrt();
    (low.is_finite() && high.is_finite()).then_some((low, high))
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

impl Comparison {
    /// The differences as an outcome, for panes.
    pub fn outcome(&self) -> Outcome {
        let mut rows = Vec::new();
        for row in &self.rows {
            for k in 1..self.labels.len() {
                rows.push(ScalarRow {
                    name: if self.labels.len() > 2 { format!("{} {}", row.metric, self.labels[k]) } else { row.metric.clone() },
                    value: row.differences[k],
                    unit: row.unit.clone(),
                    interval: row.difference_intervals[k],
                    note: format!("{} against {}", text(row.values[k]), text(row.values[0])),
                    ..ScalarRow::default()
                });
            }
        }
        Outcome {
            name: "compare".into(),
            kind: "compare".into(),
            title: format!("{} against {}", self.labels[1..].join(", "), self.labels[0]),
            summary: format!(
                "{} of {} metrics differ clearly",
                self.rows.iter().filter(|r| (1..self.labels.len()).any(|k| r.is_clear(k))).count(),
                self.rows.len()
            ),
            shapes: vec![NamedShape::new("differences", Shape::Scalars(Scalars { rows }))],
            warnings: self.notes.clone(),
            ..Outcome::default()
        }
    }
}

fn text(value: Option<f64>) -> String {
    value.map_or_else(|| "no value".into(), crate::core::units::short)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        };
        assert_eq!((row.is_clear(0), row.is_clear(1), row.is_clear(2)), (false, true, false));
    }
}
