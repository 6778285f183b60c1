//! Tests of the reader as a whole.

use super::catalog::{AnalysisDeclaration, Subjects};
use super::*;
use crate::core::units::Dimension;
use crate::model::library;

/// A catalog with one analysis of each form, as the lists of other rooms would fill it.
pub(crate) fn catalog() -> Catalog {
    let option = |key, kind, default, range| ParamSpec { key, kind, default, range, about: "an option" };
    let list = [
        AnalysisDeclaration {
            kind: "psd",
            subjects: Subjects::Of,
            options: vec![
                option("segment", OptionKind::Time, Some("1 s"), Some((0.0, f64::INFINITY))),
                option("overlap", OptionKind::Quantity(Dimension::NONE), Some("0.5"), Some((0.0, 0.95))),
                option("window", OptionKind::Choice(&["hann", "boxcar"]), Some("hann"), None),
                option("bin", OptionKind::Time, Some("1 ms"), None),
            ],
        },
        AnalysisDeclaration { kind: "rates", subjects: Subjects::Of, options: vec![] },
        AnalysisDeclaration {
            kind: "transfer_entropy",
            subjects: Subjects::Directed,
            options: vec![option("surrogates", OptionKind::Integer, Some("100"), Some((0.0, 1e6)))],
        },
        AnalysisDeclaration { kind: "lyapunov", subjects: Subjects::Population, options: vec![] },
    ];
    Catalog {
        analyses: list.into_iter().map(|d| (d.kind, d)).collect(),
        integrators: vec![("euler", ""), ("euler_sequential", ""), ("exact", ""), ("exponential_euler", ""), ("rk4", ""), ("izhikevich_2003", "")],
    }
}

pub(crate) fn read(text: &str, overrides: &Overrides) -> Result<(Spec, Vec<String>), Report> {
    load(text, None, "test", overrides, library(), &catalog(), &NoFiles)
}
