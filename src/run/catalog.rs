//! What scenarios may name besides models: filled from the one list of analyses.

use spikedeck_analysis::{ANALYSES, Analysis, declarations};
use spikedeck_scenario::Catalog;

/// The one list of analyses.
pub fn analyses() -> &'static [&'static dyn Analysis] {
    ANALYSES
}

/// Everything a scenario may name besides models.
pub fn catalog() -> Catalog {
    Catalog { analyses: declarations(), integrators: integrators() }
}

/// Names of integrators with one line each, `auto` left out.
pub fn integrators() -> Vec<(&'static str, &'static str)> {
    let of_space = spikedeck_sim::grid::LIST.iter().map(|s| &s.1);
    spikedeck_sim::integrator::LIST
        .iter()
        .filter(|i| i.name != "auto")
        .chain(of_space)
        .map(|i| (i.name, i.about))
        .collect()
}
