//! Model and receptor files → typed definitions; the built-in library.
//!
//! CONTRACT (owner: model and scenario rooms).

use std::sync::Arc;

use crate::core::units::Dimension;
use crate::equation::System;

/// What a file describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A neuron, neural mass, oscillator, ...: `data/models`.
    Model,
    /// A receptor that a model carries: `data/receptors`.
    Receptor,
}

/// A parameter as its file declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Name.
    pub name: String,
    /// Dimension.
    pub dimension: Dimension,
    /// Default in SI.
    pub default: f64,
    /// The default as written (`281 pF`).
    pub default_text: String,
    /// Least allowed value in SI.
    pub min: Option<f64>,
    /// Greatest allowed value in SI.
    pub max: Option<f64>,
    /// One line of meaning.
    pub about: String,
}

/// A named set of parameter values (`adex`'s `tonic`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preset {
    /// Name.
    pub name: String,
    /// One line of meaning.
    pub about: String,
    /// Parameter values in SI.
    pub parameters: Vec<(String, f64)>,
    /// Initial values: state and expression text.
    pub initial: Vec<(String, String)>,
    /// Integrator, if the preset asks for one.
    pub integrator: Option<String>,
    /// Substeps, if the preset asks for them.
    pub substeps: Option<u32>,
}

/// A model or receptor, understood: its card and its system.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Model or receptor.
    pub kind: Kind,
    /// Name (`adex`).
    pub name: String,
    /// Title.
    pub title: String,
    /// One line for lists.
    pub summary: String,
    /// Card sections.
    pub description: String,
    /// Card: mathematics.
    pub mathematics: String,
    /// Card: relevance.
    pub relevance: String,
    /// Card: applications.
    pub applications: String,
    /// References with DOI.
    pub references: Vec<String>,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// Initial values: state and expression text in parameters (`E_L`).
    pub initial: Vec<(String, String)>,
    /// Presets.
    pub presets: Vec<Preset>,
    /// Integrator the file asks for (else `auto`).
    pub integrator: Option<String>,
    /// The understood equations.
    pub system: System,
    /// The file's text.
    pub source: Arc<str>,
}
