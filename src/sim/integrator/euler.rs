//! Forward Euler.

use super::Problem;
use spikedeck_equation::graph::Id;

/// x + h f(x).
pub fn step(p: &mut Problem<'_>) -> Vec<Id> {
    let x = p.all_states();
    let (h, f) = (p.h, p.drift.clone());
    p.moved(&x, h, &f)
}
