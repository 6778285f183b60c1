//! What can go wrong between runs and folders.

use std::path::{Path, PathBuf};

use spikedeck_store::StoreError;

/// Why a run could not be written or opened.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A file could not be written or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is something where the run should go.
    #[error("{} exists; choose another folder, or write over it with --force", path.display())]
    Exists {
        /// Folder.
        path: PathBuf,
    },
    /// The path is a file.
    #[error("{} is a file, and a run is a folder", path.display())]
    NotAFolder {
        /// Path.
        path: PathBuf,
    },
    /// The folder cannot be made.
    #[error("the folder {} cannot be made: {source}", path.display())]
    CannotMake {
        /// Folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A table that is no recording.
    #[error("{} is no recording: {why}", path.display())]
    NoRecording {
        /// File.
        path: PathBuf,
        /// What is wrong with it.
        why: spikedeck_signal::data::Refused,
    },
    /// No run is there.
    #[error("{} is no finished run: {why}", path.display())]
    NoRun {
        /// Folder.
        path: PathBuf,
        /// What is missing or unreadable.
        why: String,
    },
}

impl TableError {
    /// From an error of the system about `path`.
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Store(StoreError::io(path, source))
    }
}
