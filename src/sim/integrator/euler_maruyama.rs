//! Euler-Maruyama (Maruyama 1955): forward Euler with noise, in the sense of Itô.

use super::Problem;
use spikedeck_equation::graph::Id;

/// x + h f(x) + g(x) sqrt(h) N.
pub fn step(p: &mut Problem<'_>) -> Vec<Id> {
    let mut x = super::euler::step(p);
    for (i, x) in x.iter_mut().enumerate() {
        if let Some(factor) = p.diffusion[i] {
            let w = p.noise(i);
            let kick = p.graph.mul(factor, w);
            *x = p.graph.add(*x, kick);
        }
    }
    x
}
