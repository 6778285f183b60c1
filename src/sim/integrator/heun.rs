//! Explicit trapezoid (Heun 1900).

use super::Problem;
use spikedeck_equation::graph::Id;

/// x + h/2 (f(x) + f(x + h f(x))).
pub fn step(p: &mut Problem<'_>) -> Vec<Id> {
    let x = p.all_states();
    let (h, k1) = (p.h, p.drift.clone());
    let ahead = p.moved(&x, h, &k1);
    let k2 = p.rates_at(&ahead, 1.0);
    let sum: Vec<Id> = k1.iter().zip(&k2).map(|(&a, &b)| p.graph.add(a, b)).collect();
    p.moved(&x, 0.5 * h, &sum)
}
