//! Integrators that decide by lane: adaptive steps, and linear solves.

use std::cell::Cell;

use super::LaneValues;
use crate::integrator::{Surface, Watch, rk45, rosenbrock};
use spikedeck_equation::program::Program;
use spikedeck_equation::tape::{Tape, Values};

/// One lane at a time, by the plain evaluator.
#[derive(Debug, Clone)]
pub struct ByLane {
    /// ROS2 instead of Dormand-Prince.
    pub implicit: bool,
    /// Rates of all states.
    pub rate: Tape,
    /// Jacobian and derivative by time.
    pub jacobian: Tape,
    /// Positive once the threshold is crossed, at which a step stops for its reset.
    pub surface: Option<Tape>,
    /// The same where nothing is reset, of steps that are made in adaptive parts: what crosses and comes back within
    /// one of them is seen.
    pub passing: Option<Tape>,
    /// Threshold variable and its bound.
    pub cut: Option<(usize, Tape)>,
    /// Number of input ports.
    pub ports: usize,
    /// Step.
    pub h: f64,
}

impl ByLane {
    /// Advances one lane (whose inputs stand at `slot` of their registers); returns the part of the step that was done,
    /// and the part after which the threshold was crossed upwards, if the lane is below it again at the end; nothing
    /// where the step could not be done.
    pub fn advance(
        &self,
        program: &mut Program,
        lane: usize,
        slot: usize,
        time: f64,
        armed: bool,
    ) -> Option<(f64, Option<f64>)> {
        let parameters: LaneValues = program.lane_parameters(lane).collect();
        let inputs = program.lane_inputs(slot, self.ports);
        let mut x: LaneValues = program.lane_states(lane).collect();
        let evaluate = |tape: &Tape, t: f64, states: &[f64], out: &mut [f64]| {
            tape.evaluate(
                &Values { states, parameters: &parameters, inputs: &inputs, time: Some(t), ..Values::default() },
                out,
            );
        };
        let rate = |t: f64, states: &[f64], out: &mut [f64]| evaluate(&self.rate, t, states, out);
        let cut = self.cut.as_ref().map(|(s, bound)| {
            let mut v = [0.0];
            evaluate(bound, time, &x, &mut v);
            (*s, v[0])
        });
        let surface = |t: f64, states: &[f64]| {
            let mut v = [0.0];
            if let Some(tape) = &self.surface {
                evaluate(tape, t, states, &mut v);
            }
            v[0]
        };
        let surface: Option<&Surface<'_>> = if armed && self.surface.is_some() { Some(&surface) } else { None };
        // Where the surface was last, how high it was there, and where it was first crossed upwards.
        let (last, passed) = (Cell::new((0.0, f64::INFINITY)), Cell::new(None));
        let height = |tape: &Tape, t: f64, states: &[f64]| {
            let mut v = [0.0];
            evaluate(tape, t, states, &mut v);
            v[0]
        };
        let watch = |done: f64, t: f64, states: &[f64]| {
            let Some(tape) = &self.passing else { return };
            let (now, (before, low)) = (height(tape, t, states), last.get());
            if low <= 0.0 && now > 0.0 && passed.get().is_none() {
                passed.set(Some((low / (low - now)).mul_add(done - before, before)));
            }
            last.set((done, now));
        };
        if let Some(tape) = &self.passing {
            last.set((0.0, height(tape, time, &x)));
        }
        let seen: Option<&Watch<'_>> = if self.passing.is_some() { Some(&watch) } else { None };
        let part = if self.implicit {
            let jacobian = |t: f64, states: &[f64], out: &mut [f64]| evaluate(&self.jacobian, t, states, out);
            rosenbrock::advance(
                &rosenbrock::Lane { rate: &rate, jacobian: &jacobian, surface, cut },
                time,
                self.h,
                &mut x,
            )
        } else {
            rk45::advance(&rk45::Lane { rate: &rate, surface, cut, seen }, time, self.h, &mut x)
        };
        let back = passed.get().filter(|_| last.get().1 <= 0.0);
        program.set_lane_states(lane, &x);
        Some((part?, back))
    }
}
