//! A system with one parameter or input left free: its right-hand side and both derivatives, for continuation.

use super::System;
use super::derive::derivatives;
use super::flow::jacobian;
use super::graph::{Graph, Id, Symbol};
use super::tape::{Tape, Values};
use spikedeck_core::units::Dimension;

/// What is left free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Free {
    /// The n-th parameter.
    Parameter(usize),
    /// The n-th input port.
    Input(usize),
}

/// A system with all parameters and inputs bound but one: dx/dt = f(x, p), per second (or plain time) in SI. White
/// noise is left out.
#[derive(Debug, Clone)]
pub struct Family {
    states: usize,
    rate: Tape,
    /// The derivatives by the states row by row, then those by what is free.
    jacobian: Tape,
}

impl Family {
    /// Binds one value a parameter and one an input port (nothing drives a port: zero), but for what is `free`. `None`
    /// where the right side depends on time by itself.
    pub fn new(system: &System, parameters: &[f64], inputs: &[f64], free: Free) -> Option<Self> {
        let p = system.parts();
        let n = p.states.len();
        let mut g = Graph::new();
        let drift = g.import(
            &p.graph,
            &p.drift,
            |g, s| {
                let freed = match s {
                    Symbol::Parameter(i) => free == Free::Parameter(i as usize),
                    Symbol::Input(i) => free == Free::Input(i as usize),
                    _ => false,
                };
                // What is free stands behind the states, as one more of them that holds still.
                match s {
                    _ if freed => Some(g.symbol(Symbol::State(n as u32))),
                    Symbol::Parameter(i) => Some(g.number(parameters[i as usize])),
                    Symbol::Input(i) => Some(g.number(inputs[i as usize])),
                    Symbol::Noise(_) => Some(g.number(0.0)),
                    _ => None,
                }
            },
            |v, _| (v, Dimension::NONE),
        );
        let scale = g.number(p.time_unit.per_second());
        let rate: Vec<Id> = drift.into_iter().map(|d| g.mul(scale, d)).collect();
        if rate.iter().any(|&r| g.depends(r, |s| s == Symbol::Time)) {
            return None;
        }
        let mut slopes = jacobian(&mut g, &rate, n);
        slopes.extend(derivatives(&mut g, &rate, Symbol::State(n as u32)));
        Some(Self { states: n, rate: Tape::new(&g, &rate), jacobian: Tape::new(&g, &slopes) })
    }
}

impl spikedeck_core::family::Family for Family {
    fn dimension(&self) -> usize {
        self.states
    }

    fn rate(&self, x: &[f64], p: f64, out: &mut [f64]) {
        let all: Vec<f64> = x.iter().copied().chain([p]).collect();
        self.rate.evaluate(&Values { states: &all, ..Values::default() }, out);
    }

    fn jacobian(&self, x: &[f64], p: f64, out: &mut [f64], slope: &mut [f64]) {
        let all: Vec<f64> = x.iter().copied().chain([p]).collect();
        let n = self.states;
        let mut both = vec![0.0; n * (n + 1)];
        self.jacobian.evaluate(&Values { states: &all, ..Values::default() }, &mut both);
        out.copy_from_slice(&both[..n * n]);
        slope.copy_from_slice(&both[n * n..]);
    }
}
