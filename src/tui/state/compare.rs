//! Two columns held against each other: rows of metrics, and one line in words.

use crate::number::{short, with_unit};
use crate::state::columns::Columns;
use spikedeck_run as run;

/// What the difference table shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Differences {
    /// Names of A and B.
    pub labels: (String, String),
    /// Rows: those that clearly differ first, then by relative size.
    pub rows: Vec<DifferenceRow>,
    /// One line in words.
    pub words: String,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// A metric of two runs.
#[derive(Debug, Clone, PartialEq)]
pub struct DifferenceRow {
    /// Full name.
    pub metric: String,
    /// Unit.
    pub unit: String,
    /// Value of A.
    pub a: Option<f64>,
    /// Value of B.
    pub b: Option<f64>,
    /// B less A.
    pub difference: Option<f64>,
    /// Interval of the difference.
    pub interval: Option<(f64, f64)>,
    /// Whether that interval excludes zero.
    pub clear: bool,
}

/// The focused column against the first other one (A is the one further left); `None` until two runs are over.
pub fn of(columns: &Columns) -> Option<Differences> {
    let other = usize::from(columns.focus() == 0);
    let (a, b) = (columns.focus().min(other), columns.focus().max(other));
    let finished = |i: usize| columns.get(i)?.content()?.finished.as_deref();
    Some(table(&run::compare(&[finished(a)?, finished(b)?])))
}

fn table(comparison: &run::Comparison) -> Differences {
    let mut rows: Vec<DifferenceRow> = comparison
        .rows
        .iter()
        .map(|d| DifferenceRow {
            metric: d.metric.clone(),
            unit: d.unit.clone(),
            a: d.values[0],
            b: d.values[1],
            difference: d.differences[1],
            interval: d.difference_intervals[1],
            clear: d.is_clear(1),
        })
        .collect();
    let size = |r: &DifferenceRow| match (r.a, r.difference) {
        (Some(a), Some(d)) if a != 0.0 => (d / a).abs(),
        (_, Some(d)) => d.abs(),
        _ => -1.0,
    };
    rows.sort_by(|x, y| y.clear.cmp(&x.clear).then(size(y).total_cmp(&size(x))));
    let labels = (comparison.labels[0].clone(), comparison.labels[1].clone());
    let words = words(&rows, &labels);
    Differences { labels, rows, words, notes: comparison.notes.clone() }
}

fn words(rows: &[DifferenceRow], labels: &(String, String)) -> String {
    let both = rows.iter().filter(|r| r.difference.is_some()).count();
    let with_interval = rows.iter().filter(|r| r.interval.is_some()).count();
    let clear: Vec<&DifferenceRow> = rows.iter().filter(|r| r.clear).collect();
    if both == 0 {
        return format!("{} and {} have no metric in common.", labels.0, labels.1);
    }
    let largest = |r: &DifferenceRow| {
        let (a, b) = (r.a.unwrap_or(f64::NAN), r.b.unwrap_or(f64::NAN));
        let relative = if a == 0.0 {
            String::new()
        } else {
            format!(" ({}{} %)", if b >= a { "+" } else { "" }, short((b - a) / a.abs() * 100.0))
        };
        format!("{} from {} to {}{relative}", r.metric, short(a), with_unit(b, &r.unit))
    };
    match clear.first() {
        Some(first) => format!(
            "{} of {with_interval} metrics with an interval differ clearly; most: {}.",
            clear.len(),
            largest(first)
        ),
        None if with_interval > 0 => {
            format!("No metric differs by more than its interval ({with_interval} of {both} have one).")
        }
        None => rows.iter().find(|r| r.difference.is_some()).map_or_else(String::new, |r| {
            format!("No metric has an interval, so none can be said to differ; largest change: {}.", largest(r))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(metric: &str, a: f64, b: f64, interval: Option<(f64, f64)>) -> run::Difference {
        run::Difference {
            metric: metric.into(),
            unit: "Hz".into(),
            values: vec![Some(a), Some(b)],
            intervals: vec![None, None],
            differences: vec![Some(0.0), Some(b - a)],
            difference_intervals: vec![None, interval],
            pairs: Vec::new(),
        }
    }

    #[test]
    fn what_clearly_differs_comes_first_and_is_said_in_words() {
        let rows = vec![
            row("a", 10.0, 40.0, None),
            row("b", 10.0, 12.0, Some((1.0, 3.0))),
            row("c", 10.0, 11.0, Some((-1.0, 3.0))),
        ];
        let t = table(&run::Comparison { labels: vec!["x".into(), "y".into()], rows, notes: vec![] });
        assert_eq!(t.rows.iter().map(|r| r.metric.as_str()).collect::<Vec<_>>(), ["b", "a", "c"]);
        assert_eq!(t.words, "1 of 2 metrics with an interval differ clearly; most: b from 10 to 12 Hz (+20 %).");
    }
}
