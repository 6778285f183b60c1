//! Classical Runge-Kutta (Kutta 1901).

use super::Problem;
use spikedeck_equation::graph::Id;

/// Four rates, weights 1, 2, 2, 1.
pub fn step(p: &mut Problem<'_>) -> Vec<Id> {
    let x = p.all_states();
    let (h, k1) = (p.h, p.drift.clone());
    let at = p.moved(&x, 0.5 * h, &k1);
    let k2 = p.rates_at(&at, 0.5);
    let at = p.moved(&x, 0.5 * h, &k2);
    let k3 = p.rates_at(&at, 0.5);
    let at = p.moved(&x, h, &k3);
    let k4 = p.rates_at(&at, 1.0);
    let two = p.graph.number(2.0);
    let sum: Vec<Id> = (0..x.len())
        .map(|i| {
            let middle = p.graph.add(k2[i], k3[i]);
            let middle = p.graph.mul(two, middle);
            let ends = p.graph.add(k1[i], k4[i]);
            p.graph.add(ends, middle)
        })
        .collect();
    p.moved(&x, h / 6.0, &sum)
}
