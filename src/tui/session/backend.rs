//! What the dashboard asks of the rest of the program: the one place where it meets scenarios, jobs and files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::state::gallery::{Entry, Preview};
use crate::state::source::{Asked, Source};
use spikedeck_run::{Finished, JobHandle};
use spikedeck_scenario::{Adjustable, Spec};

/// A scenario that is understood and can be started.
pub struct Prepared {
    /// Name with variant.
    pub label: String,
    /// File behind it, to be watched.
    pub path: Option<PathBuf>,
    /// Other files that it names, to be watched too.
    pub beside: Vec<PathBuf>,
    /// The whole time axis that it will fill.
    pub time: Option<(f64, f64)>,
    /// Its size: name and value (time, connections, memory).
    pub facts: Vec<(String, String)>,
    /// What a reader should know already.
    pub warnings: Vec<String>,
    /// What was understood, if panes are to know it before the end.
    pub spec: Option<Arc<Spec>>,
    /// Starts it.
    pub start: Box<dyn FnOnce() -> JobHandle + Send>,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("label", &self.label).field("path", &self.path).finish_non_exhaustive()
    }
}

/// Scenarios, runs and files, as the dashboard needs them. All but [`Backend::entries`] is called off the drawing
/// thread.
pub trait Backend: Send + Sync + 'static {
    /// What can be run or opened; cheap, called before the first frame.
    fn entries(&self) -> Vec<Entry>;

    /// What is known of a source without running it.
    ///
    /// # Errors
    /// What is wrong with it, for the person who reads it.
    fn preview(&self, source: &Source) -> Result<Preview, String>;

    /// Reads and checks a scenario.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn prepare(&self, asked: &Asked) -> Result<Prepared, String>;

    /// Reads and checks a scenario with its changes: every value that it has.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn understand(&self, asked: &Asked) -> Result<Vec<Adjustable>, String>;

    /// Writes a scenario with its changes to a file that is not there yet, comments kept.
    ///
    /// # Errors
    /// Why it is not written, or is another scenario there.
    fn save(&self, asked: &Asked, path: &Path) -> Result<(), String>;

    /// What opening a finished run or somebody's recording is called while it lasts: with its size, as far as that is
    /// known without reading it.
    fn opening(&self, path: &Path) -> String {
        format!("reading {}", Source::Finished(path.to_owned()).label())
    }

    /// Opens a finished run or somebody's recording.
    ///
    /// # Errors
    /// Why it cannot be opened.
    fn open(&self, path: &Path) -> Result<Arc<Finished>, String>;
}
