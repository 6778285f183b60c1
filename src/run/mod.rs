//! Jobs: run, seeds, sweep, compare; progress and cancel; used alike by the command line and the dashboard.
//!
//! [`execute`] runs one scenario on the calling thread; [`start`] runs whatever a scenario asks for (a single run,
//! seeds, a sweep) on its own thread and tells what happens through a [`JobHandle`]. [`ensemble()`] runs many points
//! side by side with common random numbers, [`sweep()`] makes those of a [`Plan`] one by one, [`compare()`] holds
//! finished runs against each other, [`distributions()`] two sets of them. [`catalog()`] tells scenarios what analyses
//! exist, [`load()`] finds and resolves a scenario, [`examine`] says what would keep it from running.
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::AtomicBool;
//!
//! use spikedeck_run::{Options, Source, Status, Tell, execute, resolve};
//!
//! let text = "
//!     simulation = { duration = '100 ms', dt = '0.1 ms' }
//!     populations.cell.model = 'lif'
//!     stimuli.step = { target = 'cell.I', kind = 'constant', amplitude = '500 pA' }
//!     record.cell = { spikes = true }
//!     analyses.rates = { kind = 'rates', of = 'cell.spikes' }
//! ";
//! let source = Source { text: text.into(), name: "demo".into(), origin: None, variant: None };
//! let tell: Tell = Arc::new(|_| ());
//! let options = Options { threads: 1, ..Options::default() };
//! let (spec, _) = resolve(&source, &[]).map_err(|e| e.render(false))?;
//! let finished = execute(&Arc::new(spec), options, &AtomicBool::new(false), &tell)?;
//! assert_eq!((finished.status, finished.outcomes[0].kind.as_str()), (Status::Complete, "rates"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod across;
mod analyze;
mod catalog;
mod compare;
mod contrast;
mod crowded;
mod distributions;
mod elsewhere;
mod ensemble;
mod expect;
mod footprint;
mod gaps;
mod halve;
mod heard;
mod job;
mod live;
mod load;
mod measure;
mod memory;
mod methods;
mod observed;
mod other;
mod part;
mod points;
mod recorded;
mod requests;
mod sampled;
mod seen;
mod simulate;
mod single;
mod sweep;
mod trial_times;
mod trials;
mod watch;

pub use analyze::analyze;
pub use catalog::{analyses, catalog, integrators};
pub use compare::{Comparison, Difference, SeedValues, compare, compare_seeds, difference_interval};
pub use distributions::{DistributionRow, Distributions, Member, Quantity, distributions};
pub use elsewhere::{NotRead, Sampling, recording_from, recording_from_bytes};
pub use ensemble::{Ensemble, PointResult, ensemble, together};
pub use expect::original_of;
pub use job::start;
pub use load::{
    Files, LoadError, STANDARD_INPUT, Source, again, again_with, find, is_standard_input, load, resolve, resolve_with,
    standard_input,
};
pub use memory::free_memory;
pub use methods::methods;
pub use observed::take_observed;
pub use part::{OF_RUN, POINTS, STATUS};
pub use points::{Plan, Point, Resolve, points};
pub use seen::looked_at;
pub use simulate::{Simulated, simulate};
pub use single::{examine, execute};
pub use spikedeck_sim::{State, StateError};
pub use sweep::{TakePoint, sweep};
pub use trial_times::take_trials;
pub use trials::of_all_trials;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use spikedeck_scenario::Spec;
use spikedeck_signal::data::TrialTable;
use spikedeck_signal::{Outcome, Recording};
use spikedeck_sim::BuildError;

/// How a run is to be made.
#[derive(Debug, Default)]
pub struct Options {
    /// Number of threads; 0 is one a core. Results do not depend on it.
    pub threads: usize,
    /// Whether snapshots and live analyses are told while the run lasts.
    pub live: bool,
    /// Where parts go while the run lasts, if it is kept on disk.
    pub sink: Option<Box<dyn Sink>>,
    /// Who keeps states of a single run, from which it can be gone on.
    pub keeper: Option<Box<dyn Keeper>>,
    /// The state that a single run goes on from.
    pub from: Option<State>,
}

impl Options {
    /// The number of threads to use.
    pub fn thread_count(&self) -> usize {
        if self.threads > 0 {
            self.threads
        } else {
            std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
        }
    }
}

/// Takes what is recorded while a run lasts, so that a killed run leaves whole parts. `table` has one for folders.
pub trait Sink: Send + std::fmt::Debug {
    /// Everything recorded so far (it stays in memory): what is new since the last call is to be written.
    ///
    /// # Errors
    /// A text for the person who waits (a full disk); the run stops.
    fn so_far(&mut self, recording: &Recording) -> Result<(), String>;
    /// Rows that leave memory, because all of them would not fit.
    ///
    /// # Errors
    /// As above.
    fn part(&mut self, part: &Recording) -> Result<(), String>;
    /// Gives back what left memory, as far as it fits into `bytes`, put before what `rest` holds. What does not fit is
    /// among what is absent of the recording.
    ///
    /// # Errors
    /// As above.
    fn gather(&mut self, rest: Recording, bytes: u64) -> Result<Recording, String>;
    /// The points of an ensemble that are done so far: what a killed ensemble keeps.
    ///
    /// # Errors
    /// As above.
    fn points(&mut self, so_far: &Ensemble) -> Result<(), String>;
}

/// Keeps states of a run while it lasts, from which it can be gone on. `table` has one for files.
pub trait Keeper: Send + std::fmt::Debug {
    /// Whether one is to be kept now; `ends`: the run was stopped, and this is the last.
    fn is_due(&mut self, ends: bool) -> bool;
    /// Keeps the state of a run of `spec`.
    ///
    /// # Errors
    /// A text for the person who waits (a full disk); the run goes on without.
    fn keep(&mut self, spec: &Spec, state: &State) -> Result<(), String>;
}

/// Shared, so that whoever started the run can finish the folder after it.
impl<S: Sink> Sink for Arc<Mutex<S>> {
    fn so_far(&mut self, recording: &Recording) -> Result<(), String> {
        self.lock().unwrap_or_else(PoisonError::into_inner).so_far(recording)
    }

    fn part(&mut self, part: &Recording) -> Result<(), String> {
        self.lock().unwrap_or_else(PoisonError::into_inner).part(part)
    }

    fn gather(&mut self, rest: Recording, bytes: u64) -> Result<Recording, String> {
        self.lock().unwrap_or_else(PoisonError::into_inner).gather(rest, bytes)
    }

    fn points(&mut self, so_far: &Ensemble) -> Result<(), String> {
        self.lock().unwrap_or_else(PoisonError::into_inner).points(so_far)
    }
}

/// What a job is told with while it lasts.
pub type Tell = Arc<dyn Fn(Event) + Send + Sync>;

/// Why a run gave nothing at all.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The network cannot be built as asked.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A sweep point or variant does not resolve: the text is ready to be read.
    #[error("{0}")]
    Scenario(String),
    /// What was recorded could not be written.
    #[error("{0}")]
    Sink(String),
    /// The state to go on from does not fit the network.
    #[error("it cannot go on from this state: {0}")]
    State(#[from] StateError),
    /// A thread could not be started.
    #[error("{0}")]
    System(String),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// To the end.
    Complete,
    /// Cancelled; what was computed is kept.
    Interrupted,
    /// A numerical failure; what was computed until then is kept.
    Failed,
}

/// A finished run: from this process, or opened from a folder. Panes and tables need nothing else.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Name shown: scenario, variant, sweep point or folder.
    pub label: String,
    /// The scenario (opened recordings from elsewhere have none).
    pub spec: Option<Arc<Spec>>,
    /// How it ended.
    pub status: Status,
    /// What went wrong, if anything.
    pub failure: Option<String>,
    /// What was recorded.
    pub recording: Arc<Recording>,
    /// What was measured, in the order of the scenario.
    pub outcomes: Vec<Outcome>,
    /// Expectations: name, and what was found.
    pub checks: Vec<Check>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// What goes into the manifest.
    pub facts: Facts,
}

/// An expectation and what became of it, as it also stands in a manifest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Check {
    /// Name in the scenario.
    pub name: String,
    /// Metric.
    pub metric: String,
    /// Value found.
    pub found: Option<f64>,
    /// Least value.
    pub min: Option<f64>,
    /// Greatest value.
    pub max: Option<f64>,
    /// Unit of all three.
    pub unit: String,
    /// Whether it holds.
    pub passed: bool,
    /// Where the range comes from, or why there is no value.
    pub note: String,
    /// What an earlier program gave, in the same unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original: Option<f64>,
    /// Why ours differs from it, or `same`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What a manifest says about how a run was made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Integrator of each population and why.
    pub integrators: Vec<(String, String)>,
    /// Number of connections.
    pub connections: u64,
    /// Drawn delays that were rounded up to one step.
    pub rounded_delays: u64,
    /// Seconds to build the network.
    pub build_seconds: f64,
    /// Seconds to simulate.
    pub simulate_seconds: f64,
    /// Seconds to analyse.
    pub analyse_seconds: f64,
    /// Threads.
    pub threads: usize,
    /// Bytes that the run was expected to take at its worst moment, with the program.
    pub estimated_bytes: u64,
    /// Number of spikes.
    pub spikes: u64,
    /// Number of synaptic events.
    pub events: u64,
    /// Populations of a recording that are events (trials, epochs) and not units.
    pub event_populations: Vec<String>,
    /// Tables of a recording's file in which each row may be a trial.
    pub trial_tables: Vec<TrialTable>,
    /// Version of the program that made it; empty where that is not known.
    pub version: String,
    /// Of a run over seeds alone, what was measured at each: another run with the same seeds is compared seed by seed.
    pub seeds: SeedValues,
}

/// What a job tells while it lasts.
#[derive(Debug, Clone)]
pub enum Event {
    /// Building, simulating, analysing: how far.
    Progress(Progress),
    /// A picture of what there is so far; a newer one replaces it.
    Snapshot(Arc<Snapshot>),
    /// Over.
    Done(Arc<Finished>),
    /// It could not start or crashed.
    Failed(String),
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is being done (`building`, `simulating`, `analysing psd`).
    pub stage: String,
    /// 0 to 1.
    pub fraction: f64,
    /// Simulated time on the recording's axis.
    pub simulated: f64,
    /// Simulated seconds per wall second.
    pub rate: f64,
    /// Time left, from this job's own rate.
    pub eta: Option<Duration>,
}

/// What can be seen while a run lasts.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Recording so far.
    pub recording: Arc<Recording>,
    /// Live analyses so far.
    pub outcomes: Vec<Outcome>,
}

/// A job that runs on its own threads. Dropping the handle cancels it.
#[derive(Debug)]
pub struct JobHandle {
    /// Raise to stop; partial data stays usable.
    pub cancel: Arc<AtomicBool>,
    /// What it tells.
    pub events: std::sync::mpsc::Receiver<Event>,
}

impl Drop for JobHandle {
    fn drop(&mut self) {
        self.cancel.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}
