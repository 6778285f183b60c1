//! What `auto` takes, and why.

use super::exact::linear_part;
use super::stability::fastest;
use super::trial::follow;
use super::{Problem, trial};
use spikedeck_scenario::Integrator;

/// Greatest h*|lambda| at the start for which classical Runge-Kutta is taken.
const RESOLVED: f64 = 0.7;

/// The same anywhere along a spike: beyond 2.78 it is not stable.
const BEARABLE: f64 = 2.5;

/// The integrator and the reason, in words.
///
/// `starts` are states of one lane from which it is tried, the initial ones first, and `parameters` its parameters:
/// stiffness is judged at the start and along the way.
pub fn choose(p: &mut Problem<'_>, starts: &[Vec<f64>], parameters: &[f64]) -> (Integrator, String) {
    if p.diffusion.iter().any(Option::is_some) {
        let states: Vec<usize> = (0..p.states()).collect();
        let factors: Vec<_> = p.diffusion.iter().flatten().copied().collect();
        let multiplicative = factors.iter().any(|&g| states.iter().any(|&i| p.depends_on(g, i)));
        return if multiplicative {
            (
                Integrator::HeunStratonovich,
                "the noise depends on the state; read in the sense of Stratonovich (name euler_maruyama for Itô)"
                    .to_owned(),
            )
        } else {
            (Integrator::EulerMaruyama, "white noise that does not depend on the state".to_owned())
        };
    }
    let linear = linear_part(p).states;
    let timeless =
        |p: &Problem<'_>, i: usize| !p.graph.depends(p.drift[i], |s| s == spikedeck_equation::graph::Symbol::Time);
    if linear.len() == p.states() {
        return (Integrator::Exact, "all equations are linear: solved by matrix exponential".to_owned());
    }
    let others: Vec<usize> = (0..p.states()).filter(|i| !linear.contains(i)).collect();
    // A membrane with conductances: linear in itself, driven by linear states only.
    let frozen = others.len() == 1 && others.iter().all(|&i| timeless(p, i) && p.linear_in_itself(i)) && {
        let a = p.own_slope(others[0]);
        let polynomial = !p.grows_exponentially(others[0]);
        polynomial && !p.depends_on(a, others[0]) && !linear.is_empty()
    };
    if frozen {
        return (
            Integrator::Exact,
            format!(
                "linear states by matrix exponential; `{}` is linear in itself and solved with its conductances \
                 frozen over the step",
                p.names[others[0]]
            ),
        );
    }
    let size = fastest(p, &starts[0], parameters) * p.h;
    // Spike currents are cut at the threshold, and would only be followed to it.
    let paths: Vec<trial::Path> = if p.cut.is_some() {
        Vec::new()
    } else {
        starts.iter().filter_map(|start| follow(p, start, parameters)).collect()
    };
    let along = paths.iter().map(|path| path.fastest(p, parameters) * p.h).fold(0.0, f64::max);
    let (integrator, why) = by_rates(p, size, along);
    let tried: &Problem<'_> = p;
    let follows = |integrator| {
        let distance = |path: &trial::Path| path.distance(tried, integrator, 1, parameters);
        paths.iter().filter_map(distance).all(|d| d.is_close())
    };
    if along <= RESOLVED || follows(integrator) {
        return (integrator, why);
    }
    if integrator != Integrator::Rosenbrock && follows(Integrator::Rosenbrock) {
        return (
            Integrator::Rosenbrock,
            format!(
                "nonlinear equations that {} does not follow at this step (h*|lambda| = {along:.2})",
                integrator.name()
            ),
        );
    }
    (
        Integrator::Rk45,
        format!(
            "no scheme of one step follows these equations at this step (h*|lambda| = {along:.2}): adaptive inside it"
        ),
    )
}

/// What fits nonlinear equations by their fastest rate at the start and along the way.
fn by_rates(p: &mut Problem<'_>, size: f64, along: f64) -> (Integrator, String) {
    if (size <= RESOLVED || !size.is_finite()) && along <= BEARABLE {
        let clip = p
            .cut
            .map_or(String::new(), |(s, _)| format!("; `{}` is clipped at its threshold in every stage", p.names[s]));
        return (
            Integrator::Rk4,
            format!(
                "nonlinear equations, and the step resolves their fastest rate at the start (h*|lambda| = \
                 {size:.2}){clip}"
            ),
        );
    }
    let size = if size.is_finite() && size > along { size } else { along };
    if (0..p.states()).all(|i| p.linear_in_itself(i)) {
        return (
            Integrator::ExponentialEuler,
            format!("equations linear in their own state, too fast for rk4 at this step (h*|lambda| = {size:.2})"),
        );
    }
    (Integrator::Rosenbrock, format!("nonlinear equations that are stiff for this step (h*|lambda| = {size:.2})"))
}
