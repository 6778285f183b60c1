//! Spec → network in memory → time: integrators, projections, stimuli, recorder, engine.
//!
//! CONTRACT (owners: equation room for `stepper` and `integrator`; sim room for the rest).

pub mod integrator;
pub mod stepper;

use std::sync::atomic::AtomicBool;

use crate::scenario::Spec;
use crate::signal::Recording;

/// Told once an epoch (at most 50 ms of wall time).
pub trait Observer {
    /// How far the run is; return false to stop it (partial data stays usable).
    fn progress(&mut self, step: u64, steps: u64) -> bool;
    /// Whether a live snapshot is wanted now; if so [`Observer::snapshot`] is called with what there is.
    fn wants_snapshot(&mut self) -> bool {
        false
    }
    /// What was recorded so far.
    fn snapshot(&mut self, _so_far: &Recording) {}
    /// Whole parts of what was recorded since the last call, when recording streams to disk because it would not fit the
    /// memory budget. Return an error text to stop (a full disk).
    fn part(&mut self, _part: Recording) -> Result<(), String> {
        Ok(())
    }
}

/// How a simulation ended, with what it recorded.
#[derive(Debug)]
pub struct SimulationResult {
    /// What was recorded (complete, or until it stopped).
    pub recording: Recording,
    /// Steps done.
    pub steps: u64,
    /// Why it stopped before the end.
    pub stopped: Option<Stop>,
    /// Synaptic events delivered.
    pub events: u64,
}

/// Why a simulation stopped before its end.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// The observer said so.
    Cancelled,
    /// A state became NaN or infinite.
    NotFinite {
        /// Population.
        population: String,
        /// Unit.
        unit: u32,
        /// State.
        variable: String,
        /// Time on the recording's axis.
        time: f64,
    },
    /// The sink failed (disk full).
    Sink(String),
}

/// A network in memory, ready to run.
#[derive(Debug)]
pub struct Network {
    _private: (),
}

/// Why a network could not be built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BuildError {
    /// It would need more memory than allowed.
    #[error("this network needs about {needed} bytes, and {allowed} are allowed ({largest})")]
    Memory {
        /// Estimated bytes.
        needed: u64,
        /// Allowed bytes.
        allowed: u64,
        /// What takes most of it.
        largest: String,
    },
    /// A scheme is unstable or does not fit, a value is out of range after drawing, ...
    #[error("{place}: {message}")]
    Unsuitable {
        /// Path in the scenario (`populations.exc`).
        place: String,
        /// What is wrong and what would be right.
        message: String,
    },
}

impl Network {
    /// Estimated bytes that building and running takes, before anything is allocated, with what takes most.
    pub fn estimate(_spec: &Spec) -> (u64, String) {
        todo!()
    }

    /// Builds the network for `threads` threads (results do not depend on the number).
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn build(_spec: &Spec, _threads: usize, _cancel: &AtomicBool) -> Result<Self, BuildError> {
        todo!()
    }

    /// Integrator of each population and why.
    pub fn integrators(&self) -> Vec<(String, String)> {
        todo!()
    }

    /// Number of connections, and of drawn delays rounded up to one step.
    pub fn connections(&self) -> (u64, u64) {
        todo!()
    }

    /// Runs to the end, or until the observer, a numerical failure or the sink stops it.
    pub fn run(self, _observer: &mut dyn Observer) -> SimulationResult {
        todo!()
    }
}
