//! What steps the units of a population on one thread: points, cells of a grid, the compartments of trees, or units
//! that play spikes.

mod cells;
mod player;
mod points;
mod sheet;

pub(super) use self::cells::Cells;
pub(super) use self::player::Player;
pub(super) use self::points::Points;
pub(super) use self::sheet::Sheet;

use super::port::InputPort;
use super::snapshot::Snapshot;
use super::stepper::LaneSpike;
use spikedeck_scenario::VariableId;

/// What a value that is not finite began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// A state grew beyond all numbers.
    State(usize),
    /// An expression has no value though all that it is made of has: by its number among the subexpressions, or that of
    /// a state's rate after them.
    Expression(usize),
    /// A scheme that adapts inside a step did not come to its end, though all is finite.
    Unfollowed,
}

/// An observer that a body keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProbeId(usize);

/// The units of a population on one thread.
pub(super) trait Body: Snapshot + std::fmt::Debug + Send {
    /// How many places its spikes may come from: `lanes`, but of cells with a tree each the watched ones.
    fn sources(&self, lanes: usize) -> usize {
        lanes
    }

    /// Compiles an observer of a quantity of the population.
    fn probe(&mut self, variable: VariableId) -> ProbeId;

    /// Whether an observer reads an input port.
    fn reads(&self, probe: ProbeId, port: usize) -> bool;

    /// Appends the values of an observer for `lanes` at grid point `k`, in SI.
    fn sample(&mut self, probe: ProbeId, k: u64, inputs: &[&[f64]], lanes: &[u32], out: &mut Vec<f64>);

    /// Before step `k`: what reaches across space, into the ports that carry it.
    fn before(&mut self, _k: u64, _inputs: &mut [InputPort]) {}

    /// All that reaches across space from the states at grid point `k`, for who records it.
    fn look_around(&mut self, _k: u64, _inputs: &mut [InputPort]) {}

    /// How many stages a step has that others are to see, and where in the step one of them stands.
    fn stages(&self) -> usize {
        0
    }

    /// See [`super::stepper::Stepper::stage_at`].
    fn stage_at(&self, _number: usize) -> f64 {
        0.0
    }

    /// A stage of a step; see [`super::stepper::Stepper::stage`].
    fn stage(&mut self, _step: u64, _number: usize, _inputs: &[&[f64]]) {}

    /// See [`super::stepper::Stepper::foresee`].
    fn foresee(&mut self, _step: u64, _inputs: &[&[f64]], _state: usize, _ends: &mut Vec<f64>, _answers: &mut [f64]) {}

    /// One step; see [`super::stepper::Stepper::advance`].
    fn advance(&mut self, step: u64, inputs: &[&[f64]], arrivals: &mut [&mut [f64]], spikes: &mut Vec<LaneSpike>);

    /// What arrived without delay acts before a step.
    fn deliver_before(&mut self, step: u64, arrivals: &mut [&mut [f64]]);

    /// Shows every state of what spiked, in a fixed order.
    fn each_state(&mut self, spikes: &[LaneSpike], act: &mut dyn FnMut(&mut f64));

    /// Resets what spiked.
    fn reset(&mut self, step: u64, spikes: &[LaneSpike]);

    /// The first lane and state that is not finite.
    fn not_finite(&self) -> Option<(u32, usize)>;

    /// Whether a unit whose condition held had a state that is not finite: then it did not spike.
    fn is_alarmed(&self) -> bool {
        false
    }

    /// Where and what made `state` of `lane` what it is at grid point `k`: a state that is not finite.
    fn blame(&self, lane: u32, state: usize, k: u64, inputs: &[&[f64]]) -> (u32, Blame);

    /// Itself, if it is a few points without a threshold, which make many steps in one go.
    fn few(&mut self) -> Option<&mut Points> {
        None
    }

    /// Itself, if it is cells with a tree each, driven at few places, of which each makes many steps before the next.
    fn cells_apart(&mut self) -> Option<&mut Cells> {
        None
    }
}
