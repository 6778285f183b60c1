//! Runs held against each other as a table.

use spikedeck_run::Comparison;
use spikedeck_store::{Column, Table};

/// One row a metric and run: what the file, the JSON lines and the export of the dashboard hold.
pub fn differences(comparison: &Comparison) -> Table {
    let mut rows: Vec<(usize, usize)> = Vec::new();
    for row in 0..comparison.rows.len() {
        rows.extend((1..comparison.labels.len()).map(|k| (row, k)));
    }
    let number = |f: &dyn Fn(usize, usize) -> Option<f64>| Column::OptF64(rows.iter().map(|&(r, k)| f(r, k)).collect());
    let all = &comparison.rows;
    Table::new()
        .with("metric", Column::Text(rows.iter().map(|&(r, _)| all[r].metric.clone()).collect()))
        .with("unit", Column::categories(rows.iter().map(|&(r, _)| &all[r].unit)))
        .with("base", Column::same(&comparison.labels[0], rows.len()))
        .with("run", Column::categories(rows.iter().map(|&(_, k)| &comparison.labels[k])))
        .with("base_value", number(&|r, _| all[r].values[0]))
        .with("value", number(&|r, k| all[r].values[k]))
        .with("difference", number(&|r, k| all[r].differences[k]))
        .with("ci_low", number(&|r, k| all[r].difference_intervals[k].map(|i| i.0)))
        .with("ci_high", number(&|r, k| all[r].difference_intervals[k].map(|i| i.1)))
        .with("pairs", Column::OptU64(rows.iter().map(|&(r, k)| Some(all[r].pairs[k] as u64)).collect()))
        .with("relative", number(&|r, k| all[r].relative(k)))
        .with("p_value", number(&|r, k| all[r].p_values[k]))
        .with("effect", number(&|r, k| all[r].effects[k]))
}
