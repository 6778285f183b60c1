//! What can go wrong between columns and files, for the person who reads it.

use std::io;
use std::path::{Path, PathBuf};

use spikedeck_core::diagnostic::InText;

/// Why a table could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room left.
    #[error("the disk is full: {} could not be written; nothing was left half-written", path.display())]
    Full {
        /// File.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// File.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The bytes are no table.
    #[error("{} is no readable table: {message}", path.display())]
    Malformed {
        /// File.
        path: PathBuf,
        /// What the reader said.
        message: String,
    },
    /// The bytes are those of a table, but cannot be true.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// File.
        path: PathBuf,
        /// What cannot be.
        what: String,
    },
    /// The text is no table: where it is not.
    #[error("{} is no readable table: {}", .0.name, .0.diagnostic.message)]
    Text(Box<InText>),
    /// A folder, a pipe or a device.
    #[error("{} is {}, and a table is a file", path.display(), if *folder { "a folder" } else { "a pipe or a device" })]
    NoFile {
        /// Path.
        path: PathBuf,
        /// Whether it is a folder.
        folder: bool,
    },
    /// More rows than memory can hold.
    #[error("{}: column `{column}` has {rows} rows, which do not fit into memory", path.display())]
    TooLarge {
        /// File.
        path: PathBuf,
        /// Column.
        column: String,
        /// Rows that the file claims.
        rows: u64,
    },
    /// More than may be held.
    #[error("{} would take about {} in memory, and {} are there", path.display(),
        spikedeck_core::number::bytes(*needed), spikedeck_core::number::bytes(*most))]
    OverBudget {
        /// File.
        path: PathBuf,
        /// Bytes that it would take.
        needed: u64,
        /// Bytes that it may.
        most: u64,
    },
    /// A column is missing.
    #[error("there is no column `{column}`{}; there are: {present}", inside(path))]
    NoColumn {
        /// File (empty for tables in memory).
        path: PathBuf,
        /// Column that was asked for.
        column: String,
        /// Columns that are there.
        present: String,
    },
    /// A column has another type than is needed.
    #[error("column `{column}` holds {found}, and {wanted} is needed")]
    WrongKind {
        /// Column.
        column: String,
        /// What it holds.
        found: String,
        /// What is needed.
        wanted: &'static str,
    },
    /// Neither the name of the file nor its beginning says what it is.
    #[error("{}: recordings are read from .parquet, .csv, .nwb, .h5 and .npy files", path.display())]
    UnknownFormat {
        /// File.
        path: PathBuf,
    },
    /// There is a file where one should be written.
    #[error("{} exists; choose another name with -o, or write over it with --force", path.display())]
    Exists {
        /// File.
        path: PathBuf,
    },
    /// What is there is no file that could be replaced.
    #[error("{} is a folder, a device or a pipe, and would be replaced by a file", path.display())]
    NotAFile {
        /// Path.
        path: PathBuf,
    },
    /// What is to be written cannot stand in such a file.
    #[error("{} cannot be written: {why}", path.display())]
    Unwritable {
        /// File.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// Columns of one table differ in length or name.
    #[error("{0}")]
    Uneven(String),
}

/// Where a column is missing; nothing of tables in memory.
fn inside(path: &Path) -> String {
    if path.as_os_str().is_empty() { String::new() } else { format!(" in {}", path.display()) }
}

impl StoreError {
    /// From an error of the system about `path`.
    pub fn io(path: &Path, source: io::Error) -> Self {
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            Self::Full { path: path.to_owned() }
        } else {
            Self::Io { path: path.to_owned(), source }
        }
    }
}
