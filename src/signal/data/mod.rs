//! What stands in files that people bring, and the one way in which it is read.
//!
//! A [`FileTable`] is a file as it is: named columns of cells, what its types and metadata say of units, and the rows
//! that are missing. [`FileColumns`](super::FileColumns) declare what a kind of file may have. [`spikes()`],
//! [`edges()`] and [`signal()`] read the one by the other, whoever asks: a stimulus, a projection, the dashboard. Every
//! column and every row is used, or named in a [`Refused`] or in a note with counts.

mod cells;
mod columns;
mod edges;
mod even;
mod ids;
mod matrix;
mod signal;
mod spans;
mod spikes;
mod trials;
mod unit;

pub use cells::{Cells, FileData, FileTable};
pub(crate) use columns::is_named;
pub use edges::{EDGES, EdgeFile, EdgeKeys, edges};
pub use even::{Even, even, even_in};
pub use ids::{Ids, Numbered};
pub use matrix::{MATRIX, MatrixFile, matrix};
pub use signal::{SIGNAL, SignalColumn, SignalFile, SignalKeys, signal};
pub use spans::{SPANS, SpanFile, spans};
pub use spikes::{SPIKES, SpikeFile, SpikeKeys, spikes};
pub use trials::{TRIALS, TrialKeys, TrialTable, trials};
pub use unit::FileUnit;

use std::fmt;
use std::ops::Range;

use spikedeck_core::diagnostic::Diagnostic;

/// Why a file is not what it should be: what is wrong, where in the file, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
    /// Where; nothing where it is no place of the file that is wrong.
    pub spot: Option<Spot>,
}

/// A place of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The row, from 0; the heading without it.
    pub row: Option<usize>,
    /// The name of the column as the file has it; the whole row without it.
    pub column: Option<String>,
}

impl Refused {
    /// What is wrong, and what would be right.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), spot: None }
    }

    /// The same, wrong in the cell of `row` (from 0) in a column.
    #[must_use]
    pub fn in_cell(self, row: usize, column: impl Into<String>) -> Self {
        Self { spot: Some(Spot { row: Some(row), column: Some(column.into()) }), ..self }
    }

    /// The same, wrong in `row` (from 0) of what was listed; [`Refused::of_rows`] says which of the file that is.
    #[must_use]
    pub fn in_row(self, row: usize) -> Self {
        Self { spot: Some(Spot { row: Some(row), column: None }), ..self }
    }

    /// The same of what was listed in `column` of a file, in these rows of it (from 1).
    #[must_use]
    pub fn of_rows(self, rows: &[usize], column: &str) -> Self {
        let row = |listed: usize| rows.get(listed).map_or(listed, |row| row - 1);
        let spot = self.spot.map(|s| Spot { row: s.row.map(row), column: Some(column.to_owned()) });
        Self { spot, ..self }
    }

    /// The same, wrong in the name of a column.
    #[must_use]
    pub fn in_name(self, column: impl Into<String>) -> Self {
        Self { spot: Some(Spot { row: None, column: Some(column.into()) }), ..self }
    }

    /// The same, wrong in the heading as a whole.
    #[must_use]
    pub fn in_heading(self) -> Self {
        Self { spot: Some(Spot { row: None, column: None }), ..self }
    }

    /// What is wrong with a text, at `span` of it.
    pub fn diagnostic(&self, span: Range<usize>) -> Diagnostic {
        Diagnostic::error(self.message.as_str(), span).help(self.help.as_str())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

/// A number of things, in words: `1 row`, `12 rows`.
fn counted(n: usize, one: &str, many: &str) -> String {
    spikedeck_core::number::counted(n, one, many)
}

/// Names in quotes, at most eight of them.
fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<&str> = names.into_iter().collect();
    let mut list: Vec<String> = all.iter().take(8).map(|n| format!("`{n}`")).collect();
    if all.len() > 8 {
        list.push(format!("and {} more", all.len() - 8));
    }
    list.join(", ")
}

#[cfg(test)]
mod tests;
