//! Jobs: run, seeds, sweep, compare; progress and cancel; used alike by the command line and the dashboard.
//!
//! CONTRACT (owner: run room).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::scenario::Spec;
use crate::signal::{Outcome, Recording};

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
    /// Folder it was opened from or written to.
    pub folder: Option<PathBuf>,
}

/// An expectation and what became of it.
#[derive(Debug, Clone, PartialEq)]
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
    /// Whether it holds.
    pub passed: bool,
    /// Where the range comes from, or why there is no value.
    pub note: String,
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
    /// Estimated bytes the network and recording need.
    pub estimated_bytes: u64,
    /// Number of spikes.
    pub spikes: u64,
    /// Number of synaptic events.
    pub events: u64,
}

/// What a job tells while it lasts.
#[derive(Debug, Clone)]
pub enum Event {
    /// Building, simulating, analysing: how far.
    Progress(Progress),
    /// A picture of what there is so far; a newer one replaces it.
    Snapshot(Arc<Snapshot>),
    /// A line for the log.
    Log(String),
    /// Over.
    Done(Arc<Finished>),
    /// It could not start or crashed.
    Failed(String),
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is being done (`building`, `simulating`, `psd`).
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
