//! How fast events come at each unit: a steady rate, one that changes in time, or one of samples.

use std::sync::Arc;

use crate::axis::Axis;
use crate::expression::{Expression, Operand};
use crate::stepper::UnitValues;
use crate::values::at;

/// A time that is less than this part of an interval before a sample counts as the sample's.
const SLACK: f64 = 1e-6;

/// A sampled signal of some lanes.
#[derive(Debug)]
pub(crate) struct Sampled {
    pub columns: Arc<[Vec<f64>]>,
    /// Index of the column of each lane.
    pub column: Vec<u32>,
    /// Time of the first sample, and from each to the next.
    pub start: f64,
    pub interval: f64,
    pub linear: bool,
    pub gain: f64,
    pub outside: Option<f64>,
}

impl Sampled {
    /// The values at a time in seconds (or time units).
    pub fn fill(&self, time: f64, out: &mut [f64]) {
        let place = (time - self.start) / self.interval + SLACK;
        for (now, &c) in out.iter_mut().zip(&self.column) {
            let values = &self.columns[c as usize];
            *now = match self.outside {
                Some(value) if !lasts(values, place) => value,
                _ => self.gain * sampled(values, place, self.linear),
            };
        }
    }
}

/// Whether a signal lasts at `place` samples from its first: until the end of its last sample's interval, which is no
/// longer part of it.
fn lasts(values: &[f64], place: f64) -> bool {
    place >= 0.0 && place < values.len() as f64
}

/// A signal at `place` samples from its first; the nearest sample before the first and after the last.
fn sampled(values: &[f64], place: f64, linear: bool) -> f64 {
    let k = (place.max(0.0) as usize).min(values.len() - 1);
    if !linear || place < 0.0 {
        return values[k];
    }
    let next = values.get(k + 1).copied().unwrap_or(values[k]);
    let f = ((place - k as f64) - SLACK).max(0.0);
    (next - values[k]).mul_add(f, values[k])
}

/// Rates of some lanes, one entry a lane.
#[derive(Debug)]
pub(crate) enum Pace {
    /// The same all the time.
    Steady(UnitValues),
    /// An expression of time, and what else it is of.
    InTime(Expression, Vec<UnitValues>),
    /// Samples.
    Sampled(Sampled),
}

impl Pace {
    /// The rates of step `k`: those in its middle, so that for a smooth rate the error is of the second order in the
    /// step.
    pub fn fill(&mut self, k: u64, axis: &Axis, out: &mut [f64]) {
        let middle = axis.seconds(k) + 0.5 * axis.dt;
        match self {
            Self::Steady(values) => out.iter_mut().enumerate().for_each(|(j, rate)| *rate = at(values, j)),
            Self::InTime(expression, operands) => {
                let operands: Vec<Operand<'_>> = operands.iter().map(Operand::from).collect();
                expression.evaluate(middle, &operands, out);
            }
            Self::Sampled(samples) => samples.fill(middle, out),
        }
    }
}
