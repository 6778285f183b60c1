//! The panel of parameters: what is searched, chosen and typed in it. What the values are stands in the workbench of
//! the focused column.

use crate::state::bench::Bench;
use crate::state::layout::scroll_to;
use crate::state::search::search;
use spikedeck_scenario::{Adjustable, SCENARIO, is_named};

/// What a line of text is typed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typing {
    /// What is looked for.
    Search,
    /// A value.
    Value,
    /// The values that a parameter goes through.
    Sweep,
    /// How many seeds.
    Seeds,
    /// The file that the scenario is written to; whether it is edited then.
    File {
        /// Whether the editor follows.
        edit: bool,
    },
}

/// The panel.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Panel {
    /// What was looked for.
    pub query: String,
    /// Path of the chosen value.
    pub path: Option<String>,
    /// What is typed, and for what.
    pub typing: Option<(Typing, String)>,
}

impl Panel {
    /// Values that match what is looked for, in their order; best first where something is.
    pub fn hits<'b>(&self, bench: &'b Bench) -> Vec<&'b Adjustable> {
        let values = bench.values();
        // Paths are words with dots between them.
        let words: Vec<String> = values.iter().map(|a| a.path.replace('.', " ")).collect();
        let fields = values.iter().zip(&words).map(|(a, words)| [a.path.as_str(), words.as_str(), a.about.as_str()]);
        search(&self.query, fields).into_iter().map(|hit| &values[hit.index]).collect()
    }

    /// Place of the chosen value among the hits: the first, where it is not there.
    pub fn index(&self, hits: &[&Adjustable]) -> usize {
        hits.iter().position(|a| Some(&a.path) == self.path.as_ref()).unwrap_or_default()
    }

    /// The rows of the list: each table once, where nothing orders them otherwise, and its values.
    pub fn rows(&self, hits: &[&Adjustable]) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut last = "";
        for (index, value) in hits.iter().enumerate() {
            let (table, _) = group(&value.path);
            if table != last && self.query.trim().is_empty() {
                rows.push(Row::Table(table.to_owned()));
            }
            last = table;
            rows.push(Row::Value(index));
        }
        rows
    }

    /// The chosen value.
    pub fn chosen<'b>(&self, bench: &'b Bench) -> Option<&'b Adjustable> {
        let hits = self.hits(bench);
        hits.get(self.index(&hits)).copied()
    }
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// The heading of a table.
    Table(String),
    /// A value, by its place among the hits.
    Value(usize),
}

/// The row to show first so that a value is seen, with its heading where that is the row above.
pub fn first_row(rows: &[Row], chosen: usize, height: usize) -> usize {
    let at = rows.iter().position(|r| *r == Row::Value(chosen)).unwrap_or_default();
    let first = scroll_to(at, height, rows.len());
    if at > 0 && first == at { at - 1 } else { first }
}

/// The table that a value stands in and its name there: `populations.exc` and `parameters.tau_m`.
pub fn group(path: &str) -> (&str, &str) {
    let first = path.find('.').unwrap_or(path.len());
    let table = &path[..first];
    // What is there once has no names of its own.
    let named = SCENARIO.key(table).is_some_and(is_named);
    let second = path[first..].get(1..).and_then(|rest| rest.find('.')).map(|i| first + 1 + i);
    match second.filter(|_| named) {
        Some(end) => (&path[..end], &path[end + 1..]),
        None => (table, path.get(first + 1..).unwrap_or("")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_under_their_tables() {
        assert_eq!(group("populations.exc.parameters.tau_m"), ("populations.exc", "parameters.tau_m"));
        assert_eq!(group("simulation.seed"), ("simulation", "seed"));
        assert_eq!(group("sweep.axes.\"a.b.c\""), ("sweep", "axes.\"a.b.c\""));
        assert_eq!(group("record.exc"), ("record", "exc"));
        assert_eq!(group("recordings.data.start"), ("recordings.data", "start"));
        assert_eq!(group("x"), ("x", ""));
    }
}
