//! Milstein's method (1975, doi:10.1137/1119062) for noise that depends on its own state only, in the sense of Itô.

use super::Problem;
use spikedeck_equation::derive::derivative;
use spikedeck_equation::graph::{Id, Symbol, Unary};

/// Euler-Maruyama and 1/2 g g' (dW² - h).
pub fn step(p: &mut Problem<'_>) -> Result<Vec<Id>, String> {
    let mut x = super::euler_maruyama::step(p);
    for i in 0..x.len() {
        let Some(g) = p.diffusion[i] else { continue };
        if let Some(j) = (0..x.len()).find(|&j| j != i && p.diffusion[j].is_some() && p.depends_on(g, j)) {
            return Err(format!(
                "`milstein` needs noise that depends on its own state only, but that of `{}` depends on `{}`: use \
                 heun_stratonovich or euler_maruyama",
                p.names[i], p.names[j]
            ));
        }
        let slope = derivative(&mut p.graph, g, Symbol::State(i as u32));
        let w = p.noise(i);
        let square = p.graph.unary(Unary::Powi(2), w);
        let h = p.graph.number(p.h);
        let half = p.graph.number(0.5);
        let excess = p.graph.sub(square, h);
        let product = p.graph.mul(g, slope);
        let product = p.graph.mul(product, excess);
        let correction = p.graph.mul(half, product);
        x[i] = p.graph.add(x[i], correction);
    }
    Ok(x)
}
