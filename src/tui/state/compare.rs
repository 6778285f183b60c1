//! All columns held against the first: one row a metric, and one line in words.

use crate::number::{short, with_unit};
use crate::state::columns::Columns;
use crate::state::search::search;
use spikedeck_run as run;

/// What the difference table shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Differences {
    /// Names of the columns; the others are held against the first.
    pub labels: Vec<String>,
    /// Letters of the columns on the screen.
    pub letters: Vec<char>,
    /// Rows, in the order asked for.
    pub rows: Vec<DifferenceRow>,
    /// One line in words, of the first two.
    pub words: String,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// A metric of the columns.
#[derive(Debug, Clone, PartialEq)]
pub struct DifferenceRow {
    /// Full name.
    pub metric: String,
    /// Unit.
    pub unit: String,
    /// Value in each column.
    pub values: Vec<Option<f64>>,
    /// Each value less that of the first column.
    pub differences: Vec<Option<f64>>,
    /// Interval of each difference.
    pub intervals: Vec<Option<(f64, f64)>>,
    /// Whether that interval excludes zero.
    pub clear: Vec<bool>,
    /// Probability of a difference at least as large if there is none, corrected over all metrics.
    pub p_values: Vec<Option<f64>>,
    /// Size of the effect over paired seeds.
    pub effects: Vec<Option<f64>>,
}

impl DifferenceRow {
    /// Whether any column clearly differs from the first.
    pub fn is_clear(&self) -> bool {
        self.clear.iter().any(|c| *c)
    }

    /// The largest difference to the first, relative to it where it is not zero.
    fn size(&self) -> f64 {
        let relative = |d: f64| self.values[0].filter(|a| *a != 0.0).map_or(d.abs(), |a| (d / a).abs());
        self.differences.iter().skip(1).flatten().map(|d| relative(*d)).fold(-1.0, f64::max)
    }
}

/// How rows are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// What clearly differs first, then by relative size.
    #[default]
    Difference,
    /// As the first column has them.
    Run,
    /// By name.
    Name,
    /// By the value of a column, largest first.
    Value(usize),
}

impl Order {
    /// The next of them, with so many columns.
    pub fn next(self, columns: usize) -> Self {
        match self {
            Self::Difference => Self::Run,
            Self::Run => Self::Name,
            Self::Name => Self::Value(0),
            Self::Value(k) if k + 1 < columns => Self::Value(k + 1),
            Self::Value(_) => Self::Difference,
        }
    }

    /// What it is called on the screen.
    pub fn words(self, letters: &[char]) -> String {
        match self {
            Self::Difference => "by difference".to_owned(),
            Self::Run => "as measured".to_owned(),
            Self::Name => "by name".to_owned(),
            Self::Value(k) => format!("by {}", letters.get(k).unwrap_or(&'A')),
        }
    }
}

/// All columns whose runs are over against the first of them; `None` until there are two. Rows match `query` and are
/// in an order.
pub fn of(columns: &Columns, query: &str, order: Order) -> Option<Differences> {
    let finished = columns.list().iter().enumerate();
    let finished = finished.filter_map(|(i, c)| Some((i, c.content()?.finished.as_deref()?)));
    let (indices, runs): (Vec<usize>, Vec<&run::Finished>) = finished.unzip();
    if runs.len() < 2 {
        return None;
    }
    let letters = indices.iter().map(|i| char::from(b'A' + (i % 26) as u8)).collect();
    let mut table = table(&run::compare(&runs), letters);
    if !query.trim().is_empty() {
        let hits = search(query, table.rows.iter().map(|r| [r.metric.as_str()]));
        let mut kept: Vec<usize> = hits.into_iter().map(|h| h.index).collect();
        kept.sort_unstable();
        table.rows = kept.into_iter().map(|i| table.rows[i].clone()).collect();
    }
    let value = |r: &DifferenceRow, k: usize| r.values.get(k).copied().flatten().unwrap_or(f64::NEG_INFINITY);
    match order {
        Order::Difference => {
            table.rows.sort_by(|x, y| y.is_clear().cmp(&x.is_clear()).then(y.size().total_cmp(&x.size())));
        }
        Order::Run => {}
        Order::Name => table.rows.sort_by(|x, y| x.metric.cmp(&y.metric)),
        Order::Value(k) => table.rows.sort_by(|x, y| value(y, k).total_cmp(&value(x, k))),
    }
    Some(table)
}

fn table(comparison: &run::Comparison, letters: Vec<char>) -> Differences {
    let row = |d: &run::Difference| DifferenceRow {
        metric: d.metric.clone(),
        unit: d.unit.clone(),
        values: d.values.clone(),
        differences: d.differences.clone(),
        intervals: d.difference_intervals.clone(),
        clear: (0..d.values.len()).map(|k| d.is_clear(k)).collect(),
        p_values: d.p_adjusted.clone(),
        effects: d.effects.clone(),
    };
    let rows: Vec<DifferenceRow> = comparison.rows.iter().map(row).collect();
    let mut ordered: Vec<&DifferenceRow> = rows.iter().collect();
    ordered.sort_by(|x, y| y.clear[1].cmp(&x.clear[1]).then(y.size().total_cmp(&x.size())));
    let words = words(&ordered, &comparison.labels);
    Differences { labels: comparison.labels.clone(), letters, rows, words, notes: comparison.notes.clone() }
}

/// The second column against the first.
fn words(rows: &[&DifferenceRow], labels: &[String]) -> String {
    let both = rows.iter().filter(|r| r.differences[1].is_some()).count();
    let with_interval = rows.iter().filter(|r| r.intervals[1].is_some()).count();
    let clear: Vec<&DifferenceRow> = rows.iter().copied().filter(|r| r.clear[1]).collect();
    if both == 0 {
        return format!("{} and {} have no metric in common.", labels[0], labels[1]);
    }
    let largest = |r: &DifferenceRow| {
        let (a, b) = r.values[0].zip(r.values[1]).expect("what differs clearly has two values");
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
        None => rows.iter().find(|r| r.differences[1].is_some()).map_or_else(String::new, |r| {
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
            p_values: vec![None, None],
            p_adjusted: vec![None, None],
            effects: vec![None, None],
            bases: vec![Some(a), Some(a)],
        }
    }

    #[test]
    fn what_clearly_differs_is_said_in_words() {
        let rows = vec![
            row("a", 10.0, 40.0, None),
            row("b", 10.0, 12.0, Some((1.0, 3.0))),
            row("c", 10.0, 11.0, Some((-1.0, 3.0))),
        ];
        let labels = vec!["x".into(), "y".into()];
        let t = table(&run::Comparison { labels, rows, notes: vec![] }, vec!['A', 'B']);
        assert_eq!(t.words, "1 of 2 metrics with an interval differ clearly; most: b from 10 to 12 Hz (+20 %).");
    }

    /// The table of all columns is searched and ordered; what clearly differs comes first unless asked otherwise.
    #[test]
    fn rows_are_found_and_ordered() {
        let app = crate::testing::comparing((120, 40));
        let names = |query: &str, order| -> Vec<String> {
            of(&app.columns, query, order).unwrap().rows.into_iter().map(|r| r.metric).collect()
        };
        let all = names("", Order::Name);
        assert!(all.len() > 1 && all.is_sorted());
        let found = names("power", Order::Name);
        assert!(!found.is_empty() && found.iter().all(|n| n.contains("power")), "{found:?}");
        let d = of(&app.columns, "", Order::Value(1)).unwrap();
        let values: Vec<f64> = d.rows.iter().filter_map(|r| r.values[1]).collect();
        assert!(values.is_sorted_by(|a, b| a >= b), "{values:?}");
        let first = of(&app.columns, "", Order::Difference).unwrap().rows.remove(0);
        assert!(first.is_clear());
        let mut order = Order::default();
        for _ in 0..5 {
            order = order.next(2);
        }
        assert_eq!(order, Order::default(), "it comes round");
    }
}
