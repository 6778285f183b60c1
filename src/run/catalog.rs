//! What scenarios may name besides models: filled from the one list of analyses.

use spikedeck_analysis::{ANALYSES, Analysis, declarations};
use spikedeck_scenario::{Catalog, Integrator};

/// The one list of analyses.
pub fn analyses() -> &'static [&'static dyn Analysis] {
    ANALYSES
}

/// Everything a scenario may name besides models.
pub fn catalog() -> Catalog {
    Catalog { analyses: declarations() }
}

/// Names of integrators with one line each, `auto` left out.
pub fn integrators() -> Vec<(&'static str, &'static str)> {
    Integrator::LIST.iter().filter(|i| i.0 != Integrator::Auto).map(|i| (i.1, i.2)).collect()
}
