//! What `auto` takes, and why.

use super::Problem;
use super::exact::linear_part;
use super::stability::fastest;
use spikedeck_scenario::Integrator;

/// The integrator and the reason, in words.
///
/// `start` are the initial states of one lane and `parameters` its parameters: stiffness is judged there.
pub fn choose(p: &mut Problem<'_>, start: &[f64], parameters: &[f64]) -> (Integrator, String) {
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
    let size = fastest(p, start, parameters) * p.h;
    if size <= 0.7 || !size.is_finite() {
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
    if (0..p.states()).all(|i| p.linear_in_itself(i)) {
        return (
            Integrator::ExponentialEuler,
            format!("equations linear in their own state, too fast for rk4 at this step (h*|lambda| = {size:.2})"),
        );
    }
    (Integrator::Rosenbrock, format!("nonlinear equations that are stiff for this step (h*|lambda| = {size:.2})"))
}
