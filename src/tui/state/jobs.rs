//! Jobs as the state knows them: what was started, how it stands, what is to be started and stopped.

use crate::state::message::{Effect, JobId};
use crate::state::source::Source;
use spikedeck_run::Progress;

/// How a job stands.
#[derive(Debug, Clone, PartialEq)]
pub enum JobState {
    /// It runs.
    Running,
    /// It was asked to stop and has not answered yet.
    Stopping,
    /// Over.
    Done,
    /// Stopped before its end.
    Stopped,
    /// It failed.
    Failed(String),
}

/// What is said of a run that was stopped while it was built.
pub const STOPPED_EARLY: &str = "stopped before there was anything to show";

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Number.
    pub id: JobId,
    /// What it runs.
    pub label: String,
    /// How it stands.
    pub state: JobState,
    /// What it does, and how far it is.
    pub progress: Progress,
}

/// Progress of work of which it is not known how far it is.
pub fn doing(stage: impl Into<String>) -> Progress {
    Progress { stage: stage.into(), fraction: 0.0, simulated: 0.0, rate: 0.0, eta: None }
}

impl Job {
    /// What it does.
    pub fn words(&self) -> &str {
        if self.state == JobState::Stopping { "stopping" } else { &self.progress.stage }
    }

    /// Whether it still works.
    pub fn active(&self) -> bool {
        matches!(self.state, JobState::Running | JobState::Stopping)
    }
}

/// All jobs, oldest first. Each start has a number of its own.
#[derive(Debug, Clone, Default)]
pub struct Jobs {
    list: Vec<Job>,
    last: JobId,
}

impl Jobs {
    /// All of them, oldest first.
    pub fn list(&self) -> &[Job] {
        &self.list
    }

    /// The job of a number.
    pub fn get(&self, id: JobId) -> Option<&Job> {
        self.list.iter().find(|j| j.id == id)
    }

    /// The same, to be changed by what it tells.
    pub fn get_mut(&mut self, id: JobId) -> Option<&mut Job> {
        self.list.iter_mut().find(|j| j.id == id)
    }

    /// Whether any of them works.
    pub fn busy(&self) -> bool {
        self.list.iter().any(Job::active)
    }

    /// Starts a job for a source: its number, and what has to be done.
    pub fn start(&mut self, source: &Source) -> (JobId, Effect) {
        self.last += 1;
        let id = self.last;
        // Said before anything was looked at: what takes long has a name in the first frame.
        let progress = doing(format!("reading {}", source.label()));
        self.list.push(Job { id, label: source.label(), state: JobState::Running, progress });
        (id, Effect::Start(id, source.clone()))
    }

    /// Asks a job to stop, if it runs and was not asked before.
    pub fn cancel(&mut self, id: JobId) -> Option<Effect> {
        let job = self.get_mut(id).filter(|j| j.state == JobState::Running)?;
        job.state = JobState::Stopping;
        Some(Effect::Cancel(id))
    }

    /// Asks every job to stop that runs and was not asked before.
    pub fn cancel_all(&mut self) -> Vec<Effect> {
        let ids: Vec<JobId> = self.list.iter().map(|j| j.id).collect();
        ids.into_iter().filter_map(|id| self.cancel(id)).collect()
    }
}
