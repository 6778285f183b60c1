//! Euler-Maruyama (Maruyama 1955): forward Euler with noise, in the sense of Itô.

use super::Problem;
use crate::equation::graph::Id;

/// x + h f(x) + g(x) sqrt(h) N.
pub fn step(p: &mut Problem<'_>) -> Vec<Id> {
    let mut x = super::euler::step(p);
    for i in 0..x.len() {
        if let Some(factor) = p.diffusion[i] {
            let w = p.noise(i);
            let kick = p.graph.mul(factor, w);
            x[i] = p.graph.add(x[i], kick);
        }
    }
    x
}
