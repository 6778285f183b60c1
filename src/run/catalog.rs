//! What scenarios may name besides models: filled from the one list of analyses.

use crate::analysis::{ANALYSES, Analysis, declarations};
use crate::scenario::Catalog;

/// The one list of analyses.
pub fn analyses() -> &'static [&'static dyn Analysis] {
    ANALYSES
}

/// Everything a scenario may name besides models.
pub fn catalog() -> Catalog {
    Catalog { analyses: declarations(), integrators: integrators().to_vec() }
}

/// Names of integrators with one line each, `auto` left out.
pub fn integrators() -> &'static [(&'static str, &'static str)] {
    INTEGRATORS
}

const INTEGRATORS: &[(&str, &str)] = &[
    ("exact", "matrix exponential of a linear system: no error at any step"),
    ("exponential_euler", "each state exact for its own linear part, first order in the coupling; for gates of conductance models"),
    ("euler", "explicit Euler, first order"),
    ("euler_sequential", "explicit Euler, each equation seeing the new values of those before it"),
    ("izhikevich_2003", "the scheme of Izhikevich's 2003 script: two half steps for v, one step for u"),
    ("rk4", "classical Runge-Kutta, fourth order"),
    ("rk45", "Dormand-Prince, fifth order with adaptive substeps"),
    ("rosenbrock", "implicit, second order, for stiff systems; needs no iteration"),
    ("euler_maruyama", "explicit Euler for white noise in the sense of Ito"),
    ("heun_stratonovich", "Heun's scheme for white noise in the sense of Stratonovich"),
];
