//! Steps whose stages see what other units are at the same stage, and steps that are tried before they are made.
//!
//! Heun's and Runge and Kutta's schemes are made of Euler steps: with `E(x) = x + c h f(x)`, Heun's is
//! `x + (E(x) - x + E(E(x)) - E(x))/2` with c = 1, and the classical one has four of them with c = 1/2. So the compiled
//! equations are one Euler step, and between the stages the inputs are brought up to date.

use super::{Motion, Stepper};
use spikedeck_scenario::Integrator;

/// One stage of a scheme: where in the step it stands, how much its move counts, and how much of it leads to the next.
#[derive(Debug, Clone, Copy)]
struct Stage {
    at: f64,
    weight: f64,
    ahead: f64,
}

/// The stages of Heun's scheme, and of the classical one of Runge and Kutta.
const HEUN: &[Stage] = &[Stage { at: 0.0, weight: 0.5, ahead: 1.0 }, Stage { at: 1.0, weight: 0.5, ahead: 0.0 }];
const RK4: &[Stage] = &[
    Stage { at: 0.0, weight: 1.0 / 3.0, ahead: 1.0 },
    Stage { at: 0.5, weight: 2.0 / 3.0, ahead: 1.0 },
    Stage { at: 0.5, weight: 2.0 / 3.0, ahead: 2.0 },
    Stage { at: 1.0, weight: 1.0 / 3.0, ahead: 0.0 },
];

/// Which part of the step the Euler steps of a scheme make; nothing for schemes that are not made in stages.
pub fn part(integrator: Integrator) -> Option<f64> {
    match integrator {
        Integrator::Heun => Some(1.0),
        Integrator::Rk4 => Some(0.5),
        _ => None,
    }
}

/// How many stages a scheme has that others see.
pub fn count(integrator: Integrator) -> usize {
    Stages::new(integrator).map_or(0, |s| s.scheme.len())
}

/// A step in stages.
#[derive(Debug)]
pub(super) struct Stages {
    scheme: &'static [Stage],
    /// States at the beginning of the step, at the current stage, and what the moves add up to.
    base: Vec<f64>,
    at: Vec<f64>,
    sum: Vec<f64>,
}

impl Stages {
    /// The stages of a scheme that has them.
    pub fn new(integrator: Integrator) -> Option<Self> {
        let scheme = match integrator {
            Integrator::Heun => HEUN,
            Integrator::Rk4 => RK4,
            _ => return None,
        };
        Some(Self { scheme, base: Vec::new(), at: Vec::new(), sum: Vec::new() })
    }

    /// Puts the states of a block where the stages lead, with what has changed them since the step began.
    pub fn place(&self, data: &mut [f64], padded: usize, start: usize, count: usize) {
        for first in (0..self.at.len()).step_by(padded.max(1)) {
            let range = first + start..first + start + count;
            let led = self.at[range.clone()].iter().zip(&self.base[range.clone()]);
            data[range].iter_mut().zip(led).for_each(|(x, (at, base))| *x = at + (*x - base));
        }
    }
}

impl Stepper {
    /// How many stages a step has that others are to see; none if it is made in one go.
    pub fn stages(&self) -> usize {
        self.stages.as_ref().map_or(0, |s| s.scheme.len())
    }

    /// Where in the step stage `number` stands.
    pub fn stage_at(&self, number: usize) -> f64 {
        self.stages.as_ref().map_or(0.0, |s| s.scheme[number].at)
    }

    /// Stage `number` of step `step`, with what is known of the inputs: the states are those of the next stage then,
    /// and after the last stage those of the beginning, to which the step leads from there as from anywhere.
    pub fn stage(&mut self, step: u64, number: usize, inputs: &[&[f64]]) {
        let Some(mut stages) = self.stages.take() else { return };
        if let (Some(stage), Motion::Kernel(kernel)) = (stages.scheme.get(number).copied(), &self.motion) {
            if number == 0 {
                stages.base.clear();
                stages.base.extend_from_slice(self.program.all_states());
                stages.at.clone_from(&stages.base);
                stages.sum.clear();
                stages.sum.resize(stages.base.len(), 0.0);
            }
            let time = (step as f64 + stage.at) * self.dt;
            for (start, count) in self.program.memory.blocks() {
                self.program.fill_inputs(inputs, start, count);
                self.program.fill_time(count, time);
                self.program.run(kernel, start, count);
            }
            let Stages { base, at, sum, scheme } = &mut stages;
            let states = &mut self.program.memory.data[..base.len()];
            for (((x, base), at), sum) in states.iter_mut().zip(&*base).zip(&mut *at).zip(&mut *sum) {
                let moved = *x - *at;
                *sum = stage.weight.mul_add(moved, *sum);
                *x = stage.ahead.mul_add(moved, *base);
                *at = *x;
            }
            if number + 1 == scheme.len() {
                at.iter_mut().zip(&*base).zip(&*sum).for_each(|((at, base), sum)| *at = base + sum);
                states.copy_from_slice(base);
            }
        }
        self.stages = Some(stages);
    }

    /// Makes step `step` and takes it back: appends what `state` is at its end in every lane to `ends`, and sets
    /// `answers` of lanes in which it is held to zero.
    pub fn foresee(&mut self, step: u64, inputs: &[&[f64]], state: usize, ends: &mut Vec<f64>, answers: &mut [f64]) {
        let first = ends.len();
        let firing = std::mem::take(&mut self.firing);
        let mut begun = std::mem::take(&mut self.begun);
        begun.clear();
        begun.extend_from_slice(self.program.all_states());
        for (start, count) in self.program.memory.blocks() {
            self.program.fill_inputs(inputs, start, count);
            self.integrate(step, start, count, &firing);
        }
        self.work.passed.clear();
        ends.extend_from_slice(self.program.state(state));
        self.program.memory.data[..begun.len()].copy_from_slice(&begun);
        self.begun = begun;
        if self.reset.hold.contains(&state) {
            for r in firing.resting_before(step) {
                let lane = r.unit as usize;
                ends[first + lane] = self.program.state(state)[lane];
                answers[lane] = 0.0;
            }
        }
        self.firing = firing;
    }
}
