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
    /// What is there is no run.
    #[error(
        "{} is not empty and no run ({why}): nothing in it is written over; choose another folder", path.display()
    )]
    NotOurs {
        /// Folder.
        path: PathBuf,
        /// What tells it from a run.
        why: String,
    },
    /// Another process writes there.
    #[error("another spikedeck is writing a run into {}; wait for it, or choose another folder", path.display())]
    Busy {
        /// Folder.
        path: PathBuf,
    },
    /// The folder is of another sweep.
    #[error("{} holds another sweep ({why}); choose another folder", path.display())]
    OtherSweep {
        /// Folder.
        path: PathBuf,
        /// What differs.
        why: String,
    },
    /// A folder that no sweep fills.
    #[error("{} is no folder of a sweep: {why}", path.display())]
    NoSweep {
        /// Folder.
        path: PathBuf,
        /// What is not there.
        why: String,
    },
    /// A shard has points already.
    #[error("shard {shard} of the sweep in {} was begun before; --resume makes what is missing", path.display())]
    ShardBegun {
        /// Folder.
        path: PathBuf,
        /// Shard.
        shard: String,
    },
    /// Another process works on a shard.
    #[error("another spikedeck works on shard {shard} of the sweep in {}", path.display())]
    ShardBusy {
        /// Folder.
        path: PathBuf,
        /// Shard.
        shard: String,
    },
    /// The folder is where the process is.
    #[error("{} is the current folder (or holds it) and cannot be replaced from here; go elsewhere \
        first", path.display())]
    Here {
        /// Folder.
        path: PathBuf,
    },
    /// A file of the run that would be replaced is read by the run that would replace it.
    #[error(
        "the scenario reads {}, which belongs to the run in {}, and that would be replaced; choose another folder",
        path.display(),
        folder.display()
    )]
    Input {
        /// File.
        path: PathBuf,
        /// Folder.
        folder: PathBuf,
    },
    /// A file that no run wrote has the name of one that this run wrote.
    #[error("{} was not written by the run that is there, and is not written over; the new run is in \
        {}", path.display(), kept.display())]
    InTheWay {
        /// File.
        path: PathBuf,
        /// Where the new run is.
        kept: PathBuf,
    },
    /// The old run could not be replaced.
    #[error("{} could not be replaced ({source}); the new run is in {}", path.display(), kept.display())]
    NotReplaced {
        /// Folder.
        path: PathBuf,
        /// Where the new run is.
        kept: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of a run is not what the run wrote.
    #[error("{} is not what the run wrote: {why}", path.display())]
    Altered {
        /// File.
        path: PathBuf,
        /// What is different.
        why: String,
    },
    /// The folder cannot be made.
    #[error("the folder {} cannot be made: {source}", path.display())]
    CannotMake {
        /// Folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// States would be written over something else.
    #[error("{} is there and is no state of a run; it is left alone: name another file for states", path.display())]
    NoState {
        /// What is there.
        path: PathBuf,
    },
    /// A state would be written over by that of a run that begins anew.
    #[error(
        "{} holds the state of a run that was interrupted: --resume goes on from it; to begin anew, name another file \
         or remove it",
        path.display()
    )]
    StateLeft {
        /// The state.
        path: PathBuf,
    },
    /// A state cannot be gone on from.
    #[error("{} cannot be gone on from: {why}", path.display())]
    State {
        /// File.
        path: PathBuf,
        /// What differs.
        why: String,
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
