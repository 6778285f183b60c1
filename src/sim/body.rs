//! What steps the units of a population on one thread: points and cells of a grid alike, or the compartments of a tree.

use super::stepper::{LaneSpike, Probe, Stepper};
use super::tree::{Forest, TreeProbe};

/// The units of a population on one thread.
#[derive(Debug)]
pub(super) enum Body {
    /// Independent units.
    Points(Box<Stepper>),
    /// Compartments of trees.
    Tree(Box<Forest>),
}

/// An observer of either.
#[derive(Debug, Clone)]
pub(super) enum BodyProbe {
    /// A state of points.
    State(usize),
    /// Anything else of points.
    Points(Box<Probe>),
    /// Of a tree.
    Tree(TreeProbe),
}

impl BodyProbe {
    /// Whether it reads an input port.
    pub fn reads(&self, port: usize) -> bool {
        match self {
            Self::State(_) => false,
            Self::Points(probe) => probe.reads(port),
            Self::Tree(probe) => probe.reads(port),
        }
    }
}

impl Body {
    /// Compiles an observer of anything that has a name.
    ///
    /// # Errors
    /// When there is no such name.
    pub fn probe(&self, variable: &str, state: Option<usize>) -> Result<BodyProbe, String> {
        match (self, state) {
            (Self::Points(_), Some(state)) => Ok(BodyProbe::State(state)),
            (Self::Points(s), None) => s.probe(variable).map(|p| BodyProbe::Points(Box::new(p))).map_err(|e| e.message),
            (Self::Tree(t), _) => t.probe(variable).map(BodyProbe::Tree),
        }
    }

    /// Appends the values of an observer for `lanes` at grid point `k`, in SI.
    pub fn sample(&mut self, probe: &mut BodyProbe, k: u64, inputs: &[&[f64]], lanes: &[u32], out: &mut Vec<f64>) {
        match (self, probe) {
            (Self::Points(s), BodyProbe::State(index)) => {
                let values = s.state(*index);
                out.extend(lanes.iter().map(|&l| values[l as usize]));
            }
            (Self::Points(s), BodyProbe::Points(probe)) => s.sample(probe, k, inputs, lanes, out),
            (Self::Tree(t), BodyProbe::Tree(probe)) => t.sample(probe, k, inputs, lanes, out),
            _ => unreachable!("an observer is used on the body that it was made for"),
        }
    }

    /// The same at the grid points that a stretch of steps remembers; see [`Stepper::sample_recalled`].
    pub fn recall(&self, probe: &mut BodyProbe, places: &[u32], out: &mut Vec<f64>) {
        match (self, probe) {
            (Self::Points(s), BodyProbe::State(index)) => {
                let values = s.recall(*index);
                out.extend(places.iter().map(|&p| values[p as usize]));
            }
            (Self::Points(s), BodyProbe::Points(probe)) => s.sample_recalled(probe, places, out),
            _ => unreachable!("only points remember a stretch of steps, and observers of points look at it"),
        }
    }

    /// One step; see [`Stepper::advance`].
    pub fn advance(&mut self, step: u64, inputs: &[&[f64]], arrivals: &mut [&mut [f64]], spikes: &mut Vec<LaneSpike>) {
        match self {
            Self::Points(s) => s.advance(step, inputs, arrivals, spikes),
            Self::Tree(t) => t.advance(step, inputs, arrivals, spikes),
        }
    }

    /// What arrived without delay acts before a step.
    pub fn deliver_before(&mut self, step: u64, arrivals: &mut [&mut [f64]]) {
        match self {
            Self::Points(s) => s.deliver_before(step, arrivals),
            Self::Tree(t) => t.deliver_before(step, arrivals),
        }
    }

    /// Shows every state of what spiked, in a fixed order.
    pub fn each_state(&mut self, spikes: &[LaneSpike], act: &mut dyn FnMut(&mut f64)) {
        match self {
            Self::Points(s) => s.each_state(spikes, act),
            Self::Tree(t) => t.each_state(spikes, act),
        }
    }

    /// Resets what spiked.
    pub fn reset(&mut self, step: u64, spikes: &[LaneSpike]) {
        match self {
            Self::Points(s) => s.reset(step, spikes),
            Self::Tree(t) => t.reset(step, spikes),
        }
    }
}
