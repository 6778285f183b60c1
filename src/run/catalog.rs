//! What scenarios may name besides models: filled from the one list of analyses.

use crate::analysis::Analysis;
use crate::scenario::Catalog;

/// The one list of analyses.
pub fn analyses() -> &'static [&'static dyn Analysis] {
    &[]
}

/// An analysis by kind.
pub fn analysis_named(kind: &str) -> Option<&'static dyn Analysis> {
    analyses().iter().copied().find(|a| a.declaration().kind == kind)
}

/// Everything a scenario may name besides models.
pub fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for analysis in analyses() {
        let declaration = analysis.declaration();
        catalog.analyses.insert(declaration.kind, declaration);
    }
    catalog
}
