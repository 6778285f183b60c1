//! Exponential Euler: every equation by itself, linearised in its own state (Rush and Larsen 1978,
//! doi:10.1109/TBME.1978.326270; NEURON's `cnexp` where the equation is linear in its state).

use super::Problem;
use spikedeck_equation::graph::Id;

/// x + h exprel(h a) f(x), a = df/dx.
pub fn step(p: &mut Problem<'_>) -> Vec<Id> {
    (0..p.states()).map(|i| p.exponential_step(i)).collect()
}
