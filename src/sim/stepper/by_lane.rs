//! Integrators that decide by lane: adaptive steps, and linear solves.

use super::LaneValues;
use crate::integrator::{Surface, rk45, rosenbrock};
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
    /// Positive once the threshold is crossed.
    pub surface: Option<Tape>,
    /// Threshold variable and its bound.
    pub cut: Option<(usize, Tape)>,
    /// Number of input ports.
    pub ports: usize,
    /// Step.
    pub h: f64,
}

impl ByLane {
    /// Advances one lane (whose inputs stand at `slot` of their registers); returns the part of the step that was done,
    /// none where it could not be done.
    pub fn advance(&self, program: &mut Program, lane: usize, slot: usize, time: f64, armed: bool) -> Option<f64> {
        let parameters: LaneValues = program.lane_parameters(lane).collect();
        let inputs = program.lane_inputs(slot, self.ports);
        let mut x: LaneValues = program.lane_states(lane).collect();
        let evaluate = |tape: &Tape, t: f64, states: &[f64], out: &mut [f64]| {
            tape.evaluate(
                &Values { states, parameters: &parameters, inputs: &inputs, time: t, ..Values::default() },
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
        let part = if self.implicit {
            let jacobian = |t: f64, states: &[f64], out: &mut [f64]| evaluate(&self.jacobian, t, states, out);
            rosenbrock::advance(
                &rosenbrock::Lane { rate: &rate, jacobian: &jacobian, surface, cut },
                time,
                self.h,
                &mut x,
            )
        } else {
            rk45::advance(&rk45::Lane { rate: &rate, surface, cut }, time, self.h, &mut x)
        };
        program.set_lane_states(lane, &x);
        part
    }
}
