//! Heun's method with noise, in the sense of Stratonovich (Rümelin 1982, doi:10.1137/0719041).

use super::Problem;
use spikedeck_equation::graph::Id;

/// Predictor by Euler-Maruyama, then the mean of both ends.
pub fn step(p: &mut Problem<'_>) -> Vec<Id> {
    let x = p.all_states();
    let ahead = super::euler_maruyama::step(p);
    let (h, f) = (p.h, p.drift.clone());
    let f_ahead = p.rates_at(&ahead, 1.0);
    let sum: Vec<Id> = f.iter().zip(&f_ahead).map(|(&a, &b)| p.graph.add(a, b)).collect();
    let mut new = p.moved(&x, 0.5 * h, &sum);
    let half = p.graph.number(0.5);
    for (i, x) in new.iter_mut().enumerate() {
        if let Some(g) = p.diffusion[i] {
            let later = p.at(&[g], &ahead, 1.0)[0];
            let both = p.graph.add(g, later);
            let mean = p.graph.mul(half, both);
            let w = p.noise(i);
            let kick = p.graph.mul(mean, w);
            *x = p.graph.add(*x, kick);
        }
    }
    new
}
