//! Steps of a few units without a threshold, one after the other.

use std::ops::Range;

use super::{Motion, Stepper};
use crate::equation::kernel::Feed;

/// Steps that are made in one go.
const BLOCK: u64 = 64;

/// What registers hold in steps that are made in one go.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    list: Vec<Feed>,
    /// For which steps.
    steps: Range<u64>,
}

impl Stepper {
    /// Whether [`Stepper::alone`] can step it.
    pub fn is_short(&self) -> bool {
        self.threshold.is_none() && matches!(&self.motion, Motion::Kernel(kernel) if kernel.short(&self.memory).is_some())
    }

    /// Whether the equations read an input port.
    pub fn reads(&self, port: usize) -> bool {
        self.inputs.iter().any(|x| x.0 == port)
    }

    /// Makes the steps from `from` to `to` of units to which nothing arrives, neither then nor until `horizon`; `input` writes what a
    /// port carries in steps from a given one on, one number a lane, step by step. A value that is not finite ends it: the step that
    /// left it, lane and state.
    pub fn alone(
        &mut self,
        (from, to): (u64, u64),
        horizon: u64,
        mut input: impl FnMut(u64, usize, &mut [f64]),
    ) -> Option<(u64, u32, usize)> {
        let substeps = self.substeps as usize;
        let mut step = from;
        while step < to {
            if !self.feeds.steps.contains(&step) {
                self.feed(step, BLOCK.min(horizon - step) as usize, &mut input);
            }
            let Motion::Kernel(kernel) = &self.motion else { return None };
            let program = kernel.short(&self.memory)?;
            let until = to.min(self.feeds.steps.end);
            let runs = [step, until].map(|s| (s - self.feeds.steps.start) as usize * substeps);
            if let Some((run, lane)) = program.run_many(&mut self.memory, &self.feeds.list, runs[0]..runs[1], substeps, self.states) {
                let state = (0..self.states).find(|&s| !self.memory.column(s)[lane].is_finite())?;
                return Some((self.feeds.steps.start + (run / substeps) as u64, lane as u32, state));
            }
            step = until;
        }
        None
    }

    /// Writes down what registers hold in `steps` steps from `step` on.
    fn feed(&mut self, step: u64, steps: usize, input: &mut impl FnMut(u64, usize, &mut [f64])) {
        let (lanes, substeps) = (self.memory.lanes, self.substeps as usize);
        let runs = steps * substeps;
        let feeds = &mut self.feeds.list;
        feeds.resize_with(self.inputs.len() + self.noise.len() + usize::from(self.time.is_some()), Feed::default);
        for feed in feeds.iter_mut() {
            feed.rows.resize(runs * lanes, 0.0);
        }
        let (inputs, others) = feeds.split_at_mut(self.inputs.len());
        let (noises, times) = others.split_at_mut(self.noise.len());
        for (feed, &(port, scratch)) in inputs.iter_mut().zip(&self.inputs) {
            feed.scratch = scratch;
            input(step, port, &mut feed.rows[..steps * lanes]);
            // Each step's row for all its parts, from behind.
            for k in (0..if substeps > 1 { runs } else { 0 }).rev() {
                feed.rows.copy_within(k / substeps * lanes..(k / substeps + 1) * lanes, k * lanes);
            }
            self.filled[port] = true;
        }
        let first = step * substeps as u64;
        for (feed, noise) in noises.iter_mut().zip(&mut self.noise) {
            feed.scratch = noise.scratch;
            for (row, draw) in feed.rows.chunks_exact_mut(lanes).zip(first..) {
                noise.source.fill(0, draw, row);
            }
        }
        for (feed, scratch) in times.iter_mut().zip(self.time) {
            feed.scratch = scratch;
            for (k, row) in feed.rows.chunks_exact_mut(lanes).enumerate() {
                let part = (k % substeps) as f64 / substeps as f64;
                row.fill(((step + (k / substeps) as u64) as f64 + part) * self.dt);
            }
        }
        self.feeds.steps = step..step + steps as u64;
    }
}
