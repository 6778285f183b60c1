//! Spec → network in memory → time: integrators, projections, stimuli, recorder, engine.
//!
//! Reading order: `build` (the stages from scenario to network) with `values`, `geometry`, `connect`; `delivery`,
//! `plasticity` and `coupling` (what connections do); `stimulus`; `recorder`; `group` (one step of a population's
//! lanes); `worker` (one step of one thread, and what arrives there); `engine` (all threads, epochs). `stepper` and the
//! integrators advance the equations themselves; `tree` does so for the compartments of trees; `firing` says when
//! either spikes. `snapshot` saves what of all this a run goes on from: each part says itself what that is.
//!
//! Order within step k, from time k dt to (k + 1) dt: inputs take their values at k dt; events of delay 0 from the step
//! before act; integrate; deliver what is due at (k + 1) dt; test the threshold; record; reset. A spike carries (k + 1)
//! dt and arrives d steps later: with d = 0 it acts from the next step on, with d = 1 it is delivered at the end of the
//! next step.

mod axis;
mod barrier;
mod body;
mod build;
mod connect;
mod coupled;
mod coupling;
mod delivery;
mod engine;
mod estimate;
mod expression;
mod failure;
mod firing;
mod geometry;
mod grid;
mod group;
mod integrator;
mod joint;
mod memory;
mod plasticity;
mod port;
mod recorder;
mod separate;
mod simulate;
mod snapshot;
mod stepper;
mod stimulus;
mod tree;
mod values;
mod worker;

pub use self::coupled::Coupled;
pub use self::engine::PARTS;
pub use self::memory::free_memory;
pub use self::simulate::{SimulateError, Unobserved, simulate, understand, understand_with};
pub use self::snapshot::{State, StateError};
pub use self::stepper::{Stepper, StepperSpec, UnitValues};
pub use self::tree::Electrotonic;

use std::sync::atomic::AtomicBool;

use spikedeck_equation::rule::WEIGHT;
use spikedeck_scenario::{PopulationId, Simulation, Spec};
use spikedeck_signal::Recording;

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
    /// Whether [`Observer::part`] keeps what it is given. Without that, a recording that outgrows the memory allowed
    /// stops the run (what was recorded until then is kept).
    fn takes_parts(&self) -> bool {
        false
    }
    /// Whole parts of what was recorded since the last call, when recording streams to disk because it would not fit
    /// the memory budget.
    ///
    /// # Errors
    /// A text that says why it cannot be kept (a full disk); the run stops.
    fn part(&mut self, _part: Recording) -> Result<(), String> {
        Ok(())
    }
    /// Whether the whole state is wanted now, with what was recorded since the last part; `ends` says that the run was
    /// stopped and ends here.
    fn wants_state(&mut self, _ends: bool) -> bool {
        false
    }
    /// The state, from which a network of the same scenario goes on: see [`Network::go_on_from`].
    fn state(&mut self, _state: State) {}
}

/// How a simulation ended, with what it recorded.
#[derive(Debug)]
pub struct SimulationResult {
    /// What was recorded (complete, or until it stopped); after parts were handed to the observer, what came after the
    /// last.
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
        /// State, input port or expression: see `cause`.
        variable: String,
        /// Time on the recording's axis.
        time: f64,
        /// What it began with.
        cause: Cause,
    },
    /// A weight, or another value of a connection, became NaN or infinite.
    Diverged {
        /// Projection.
        projection: String,
        /// Source unit.
        source: u32,
        /// Target unit.
        target: u32,
        /// Which of its values; `w` is the weight.
        variable: String,
        /// Time on the recording's axis.
        time: f64,
    },
    /// The sink failed (disk full).
    Sink(String),
}

/// What a value that is not finite began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The value that a stimulus of this name brings to the input port.
    Stimulus(String),
    /// All is finite, but a stimulus of this name drives a parameter out of the range that its model declares.
    Range(String),
    /// The rate of the events that a stimulus of this name brings to the receptor.
    Rate(String),
    /// What continuous projections bring to the input port.
    Projections,
    /// The expression has no value, though all that it is made of has (a quotient of zeros, a root of less than zero).
    Expression,
    /// The state grew beyond all numbers: only this a smaller step may change.
    Growth,
    /// All is finite, but a scheme that adapts inside a step could not come to the end of one.
    Unfollowed,
}

impl Stop {
    /// When a value was no longer finite, on the recording's axis.
    pub fn failed_at(&self) -> Option<f64> {
        match self {
            Self::NotFinite { time, .. } | Self::Diverged { time, .. } => Some(*time),
            Self::Cancelled | Self::Sink(_) => None,
        }
    }

    /// Whether a state grew beyond all numbers, which it may not do at a smaller step.
    pub fn is_growth(&self) -> bool {
        matches!(self, Self::NotFinite { cause: Cause::Growth, .. })
    }

    /// What happened, as one sentence without its full stop; `simulation` gives times their unit.
    pub fn sentence(&self, simulation: &Simulation) -> String {
        let base = simulation.time_base;
        let at = |time: &f64| format!("{time} {}", base.unit()).trim_end().to_owned();
        match self {
            Self::Cancelled => "it was cancelled".to_owned(),
            Self::Sink(why) => why.clone(),
            Self::NotFinite { population, unit, variable, time, cause } => {
                let place = format!("{variable} of unit {unit} of {population}");
                match cause {
                    Cause::Stimulus(name) => {
                        format!("stimulus {name} brings no finite value to {place} at {}", at(time))
                    }
                    Cause::Range(name) => format!(
                        "stimulus {name} drives {place} out of the range that its model declares (`spikedeck explain` \
                         shows it) at {}",
                        at(time)
                    ),
                    Cause::Rate(name) => format!(
                        "the rate of stimulus {name} gives no number of events, or too many for a step, to {place} at \
                         {}",
                        at(time)
                    ),
                    Cause::Projections => {
                        format!("continuous projections bring no finite value to {place} at {}", at(time))
                    }
                    Cause::Expression => format!(
                        "{place} has no finite value at {} (a quotient by zero, a root or logarithm out of range): no \
                         step \
                         changes that",
                        at(time)
                    ),
                    Cause::Growth => format!("{place} is no longer finite at {}", at(time)),
                    Cause::Unfollowed => format!(
                        "the step of unit {unit} of {population} that ends at {} cannot be done by rk45, or searched \
                         for crossings: its equations are too fast for ten thousand parts of a step, or it spikes a \
                         thousand times in it; take a smaller step, integrator = \"rosenbrock\" where they are stiff, \
                         or a refractory time where a reset leads back to the threshold at once",
                        at(time)
                    ),
                }
            }
            Self::Diverged { projection, source, target, variable, time } => {
                let value = if variable == WEIGHT { "the weight".to_owned() } else { format!("`{variable}`") };
                format!(
                    "{value} of connection {source} -> {target} of {projection} is no longer finite at {}; its rule \
                     has \
                     no bound that holds it: clip it, or let it depend on the weight",
                    at(time)
                )
            }
        }
    }
}

/// A network in memory, ready to run.
#[derive(Debug)]
pub struct Network {
    setup: engine::Setup,
    integrators: Vec<(String, String)>,
    connections: u64,
    rounded: u64,
    warnings: Vec<String>,
}

/// Why a network could not be built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BuildError {
    /// It would need more memory than allowed.
    #[error(
        "this network needs about {}, and {} are allowed; {largest}",
        estimate::size(*.needed), estimate::size(*.allowed)
    )]
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
    /// The flag was raised while the network was built.
    #[error("cancelled while the network was built")]
    Cancelled,
}

impl Network {
    /// Estimated bytes that building and running takes, before anything is allocated, with what takes most.
    pub fn estimate(spec: &Spec) -> (u64, String) {
        estimate::estimate(spec)
    }

    /// Connections to expect of all projections together, without drawing any.
    pub fn expected_connections(spec: &Spec) -> f64 {
        estimate::connections(spec)
    }

    /// Looks for all that would keep [`Network::build`] from building, without walking connections of spikes: steps for
    /// which a scheme or a coupling is not stable, models and values that do not fit, memory. What it would warn of.
    ///
    /// # Errors
    /// What `build` would say.
    pub fn examine(spec: &Spec) -> Result<Vec<String>, BuildError> {
        build::examine(spec)
    }

    /// Builds the network for `threads` threads (results do not depend on the number).
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn build(spec: &Spec, threads: usize, cancel: &AtomicBool) -> Result<Self, BuildError> {
        build::build(spec, build::Tries::Yes, threads, cancel)
    }

    /// The same without trying first whether single units spike as often as their equations do, which takes as long as
    /// short runs of them: where that has been told of a network much like it.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn build_untried(spec: &Spec, threads: usize, cancel: &AtomicBool) -> Result<Self, BuildError> {
        build::build(spec, build::Tries::No, threads, cancel)
    }

    /// The sections of a population on a tree by passive theory, its membrane linearised at the start.
    ///
    /// # Errors
    /// See [`BuildError`]; also where the population is no tree.
    pub fn electrotonic(spec: &Spec, population: PopulationId) -> Result<Vec<Electrotonic>, BuildError> {
        build::electrotonic(spec, population)
    }

    /// The units of `populations` with the connections among them, as one system of equations with what spikes do in
    /// it; what others bring is left out.
    ///
    /// # Errors
    /// What in them has no equations, or changes by itself, and where; more connections than there is memory for; and
    /// [`BuildError::Cancelled`].
    pub fn coupled(spec: &Spec, populations: &[PopulationId], cancel: &AtomicBool) -> Result<Coupled, BuildError> {
        build::coupled(spec, populations, cancel)
    }

    /// Integrator of each population and why.
    pub fn integrators(&self) -> Vec<(String, String)> {
        self.integrators.clone()
    }

    /// What a person should know: steps that are too long for a scheme, coupling that overshoots, noise per cell.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Number of connections, and of drawn delays rounded up to one step.
    pub fn connections(&self) -> (u64, u64) {
        (self.connections, self.rounded)
    }

    /// Number of threads that the network is built for: small networks get fewer than asked.
    pub fn threads(&self) -> usize {
        self.setup.workers.len()
    }

    /// Lets the run begin where a run of the same scenario was when its state was saved, on however many threads: what
    /// follows has the same bits as if it had not been interrupted.
    ///
    /// # Errors
    /// When the state does not fit the network; this has no state to run from then.
    pub fn go_on_from(&mut self, state: State) -> Result<(), StateError> {
        self.setup.restore(state)
    }

    /// Runs to the end, or until the observer, a numerical failure or the sink stops it.
    pub fn run(self, observer: &mut dyn Observer) -> SimulationResult {
        engine::run(self.setup, observer)
    }
}

#[cfg(test)]
mod tests;
