//! What scenarios may name besides models: filled from the one list of analyses.

use crate::analysis::{ANALYSES, Analysis, declarations};
use crate::scenario::Catalog;

/// The one list of analyses.
pub fn analyses() -> &'static [&'static dyn Analysis] {
    ANALYSES
}

/// Everything a scenario may name besides models.
pub fn catalog() -> Catalog {
    Catalog { analyses: declarations(), ..Catalog::default() }
}
