//! A system as mathematics: right-hand side, Jacobian, resets, for estimators that need the equations.
//!
//! CONTRACT (owner: equation room).

use super::System;

/// A system with all parameters and inputs bound: dx/dt = f(t, x), per unit of the recording's time base in SI (seconds, or
/// plain time for dimensionless systems).
#[derive(Debug, Clone)]
pub struct Flow {
    _private: (),
}

impl Flow {
    /// Binds one value a parameter and one an input port.
    pub fn new(_system: &System, _parameters: &[f64], _inputs: &[f64]) -> Self {
        todo!()
    }

    /// Number of states.
    pub fn dimension(&self) -> usize {
        todo!()
    }

    /// f(t, x) into `out`.
    pub fn rate(&self, _t: f64, _x: &[f64], _out: &mut [f64]) {
        todo!()
    }

    /// The Jacobian, row-major `out[i * n + j] = df_i/dx_j`, from symbolic derivatives.
    pub fn jacobian(&self, _t: f64, _x: &[f64], _out: &mut [f64]) {
        todo!()
    }

    /// Explicit time derivative of the right-hand side is ignored; true if it does not depend on time.
    pub fn is_autonomous(&self) -> bool {
        todo!()
    }

    /// The threshold surface h(x): positive once crossed (`V_m > V_th` gives V_m - V_th), and its gradient. None without threshold.
    pub fn threshold(&self, _t: f64, _x: &[f64], _gradient: &mut [f64]) -> Option<f64> {
        todo!()
    }

    /// The reset map applied to x in place, and its Jacobian (row-major). None without reset.
    pub fn reset(&self, _t: f64, _x: &mut [f64], _jacobian: &mut [f64]) -> Option<()> {
        todo!()
    }

    /// Refractory time in SI and the states held during it.
    pub fn refractory(&self, _x: &[f64]) -> Option<(f64, Vec<usize>)> {
        todo!()
    }

    /// Value of a named subexpression.
    pub fn subexpression(&self, _name: &str, _t: f64, _x: &[f64]) -> Option<f64> {
        todo!()
    }
}
