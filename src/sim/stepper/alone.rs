//! Steps of a few units without a threshold, one after the other, and what they were in between.

use std::ops::Range;

use super::{Motion, Stepper};
use spikedeck_equation::kernel::{Feed, Seen};

/// Runs of the equations that are made in one go.
const RUNS: u64 = 256;

/// What goes into steps that are made in one go, and what is kept of them.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    feeds: Vec<Feed>,
    pub(super) seen: Seen,
    /// The first step.
    first: u64,
}

impl Stepper {
    /// Whether [`Stepper::alone`] can step it.
    pub fn is_short(&self) -> bool {
        self.threshold.is_none()
            && matches!(&self.motion, Motion::Kernel(kernel) if kernel.short(&self.program.memory).is_some())
    }

    /// Whether the equations read an input port.
    pub fn reads(&self, port: usize) -> bool {
        self.program.inputs().any(|x| x.0 == port)
    }

    /// How many steps [`Stepper::alone`] makes at most.
    pub fn stride(&self) -> u64 {
        (RUNS / u64::from(self.substeps)).max(1)
    }

    /// Makes some steps of units to which nothing arrives, and remembers the grid points `due` among them for
    /// [`Stepper::recall`]; `input` writes what a port carries in steps from a given one on, one number a lane, step by
    /// step. A value that is not finite ends it: the step that left it, lane and state.
    pub fn alone(
        &mut self,
        steps: Range<u64>,
        due: &[u64],
        input: impl FnMut(u64, usize, &mut [f64]),
    ) -> Option<(u64, u32, usize)> {
        let substeps = self.substeps as usize;
        let runs = (steps.end - steps.start) as usize * substeps;
        self.feed(steps.start, runs, input);
        let Stretch { feeds, seen, first } = &mut self.stretch;
        seen.before.clear();
        seen.before.extend(due.iter().map(|k| (k - *first) as usize * substeps));
        let short = match &self.motion {
            Motion::Kernel(kernel) => kernel.short(&self.program.memory),
            Motion::Lanes(_) => None,
        };
        let (short, states) = (short.expect("asked of a short stepper only"), self.program.states());
        let (run, lane) = short.run_many(&mut self.program.memory, feeds, seen, [runs, substeps, states])?;
        let state = (0..states).find(|&s| !self.state(s)[lane].is_finite());
        let state = state.expect("a lane stops where one of its states is not finite");
        Some((steps.start + (run / substeps) as u64, lane as u32, state))
    }

    /// What a state was at the grid points remembered, point by point, one number a lane.
    pub fn recall(&self, state: usize) -> &[f64] {
        let Seen { before, values } = &self.stretch.seen;
        let length = before.len() * self.program.memory.lanes;
        &values[state * length..(state + 1) * length]
    }

    /// The time at the grid point remembered in row `row`, in that of the equations.
    pub(super) fn time_recalled(&self, row: usize) -> f64 {
        let step = self.stretch.first + self.stretch.seen.before[row] as u64 / u64::from(self.substeps);
        step as f64 * self.dt
    }

    /// What a port carried from the grid point remembered in row `row` on.
    pub(super) fn input_recalled(&self, port: usize, row: usize, lane: usize) -> f64 {
        let feed = self.program.inputs().position(|x| x.0 == port).map(|index| &self.stretch.feeds[index]);
        feed.map_or(0.0, |feed| feed.rows[self.stretch.seen.before[row] * self.program.memory.lanes + lane])
    }

    /// Writes down what registers hold in `runs` runs of the equations from `step` on.
    fn feed(&mut self, step: u64, runs: usize, mut input: impl FnMut(u64, usize, &mut [f64])) {
        let (lanes, substeps) = (self.program.memory.lanes, self.substeps as usize);
        let ports = self.program.inputs().len();
        let feeds = &mut self.stretch.feeds;
        feeds.resize_with(ports + self.noise.len() + usize::from(self.program.time().is_some()), Feed::default);
        for feed in feeds.iter_mut() {
            feed.rows.resize(runs * lanes, 0.0);
        }
        let (inputs, others) = feeds.split_at_mut(ports);
        let (noises, times) = others.split_at_mut(self.noise.len());
        for (feed, (port, register)) in inputs.iter_mut().zip(self.program.inputs()) {
            feed.scratch = register.index();
            input(step, port, &mut feed.rows[..runs / substeps * lanes]);
            // Each step's row for all its parts, from behind.
            for k in (0..if substeps > 1 { runs } else { 0 }).rev() {
                feed.rows.copy_within(k / substeps * lanes..(k / substeps + 1) * lanes, k * lanes);
            }
        }
        self.program.mark_inputs();
        let first = step * substeps as u64;
        for (feed, noise) in noises.iter_mut().zip(&mut self.noise) {
            feed.scratch = noise.register.index();
            noise.source.fill_rows(first, lanes, &mut feed.rows);
        }
        for (feed, register) in times.iter_mut().zip(self.program.time()) {
            feed.scratch = register.index();
            for (k, row) in feed.rows.chunks_exact_mut(lanes).enumerate() {
                let part = (k % substeps) as f64 / substeps as f64;
                row.fill(((step + (k / substeps) as u64) as f64 + part) * self.dt);
            }
        }
        self.stretch.first = step;
    }
}
