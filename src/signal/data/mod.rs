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
mod signal;
mod spikes;
mod unit;

pub use cells::{Cells, FileData, FileTable};
pub(crate) use columns::is_named;
pub use edges::{EDGES, EdgeFile, EdgeKeys, edges};
pub use even::{Even, even};
pub use ids::{Ids, Numbered};
pub use signal::{SIGNAL, SignalColumn, SignalFile, SignalKeys, signal};
pub use spikes::{SPIKES, SpikeFile, SpikeKeys, spikes};
pub use unit::FileUnit;

use std::fmt;

/// Why a file is not what it should be: what is wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

impl Refused {
    /// What is wrong, and what would be right.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
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
