//! Forward Euler.

use super::Problem;
use crate::equation::graph::Id;

/// x + h f(x).
pub fn step(p: &mut Problem<'_>) -> Vec<Id> {
    let x = p.all_states();
    let (h, f) = (p.h, p.drift.clone());
    p.moved(&x, h, &f)
}
