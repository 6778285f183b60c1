//! Forward Euler in which each equation sees the states already updated: the scheme of many published scripts.

use super::Problem;
use spikedeck_equation::graph::{Binary, Id, Symbol};

/// In the order of the equations.
pub fn step(p: &mut Problem<'_>) -> Vec<Id> {
    let mut x = p.all_states();
    let h = p.graph.number(p.h);
    for i in 0..x.len() {
        let seen = x.clone();
        let f = p.drift[i];
        let rate = p.graph.substitute(&[f], |_, s| match s {
            Symbol::State(k) => seen.get(k as usize).copied(),
            _ => None,
        })[0];
        let change = p.graph.mul(h, rate);
        x[i] = p.graph.add(x[i], change);
        // What comes after a spike current sees no more of it than the spike.
        if let Some(cap) = p.past_the_cut(i) {
            x[i] = p.graph.binary(Binary::Min, x[i], cap);
        }
    }
    x
}
