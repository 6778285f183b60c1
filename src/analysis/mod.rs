//! Analyses: trait [`Analysis`] and the one list, [`ANALYSES`].
//!
//! Adding an analysis is one file and one line in the list; it then appears in panes, tables, figures, `list`,
//! `explain`, the schema and the docs by itself. [`subject`] resolves what an analysis looks at to data.

pub mod subject;

// Spikes, rates, spectra, synchrony: one line a file.

// Information and dynamics: one line a file.
pub mod dependence;
pub mod mutual_information;
pub mod transfer_entropy;

pub use crate::scenario::catalog::{AnalysisDeclaration, Subjects};
pub use crate::signal::{Metric, Outcome};

use crate::core::units::Quantity;
use crate::scenario::{AnalysisSpec, OptionKind, OptionValue, ParamSpec, Spec};
use crate::signal::Recording;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// Every analysis, one line each.
pub static ANALYSES: &[&dyn Analysis] = &[
    // Spikes, rates, spectra, synchrony.
    // Information and dynamics.
    &mutual_information::MutualInformation,
    &transfer_entropy::TransferEntropy,
];

/// The analysis called `kind`.
pub fn find(kind: &str) -> Option<&'static dyn Analysis> {
    ANALYSES.iter().copied().find(|a| a.declaration().kind == kind)
}

/// What every analysis declares, by kind: what `run` hands to the scenario's catalog.
pub fn declarations() -> BTreeMap<&'static str, AnalysisDeclaration> {
    ANALYSES.iter().map(|a| a.declaration()).map(|d| (d.kind, d)).collect()
}

/// The options of a declaration at their defaults, as a scenario would fill them in (lists have no defaults).
pub fn default_options(declaration: &AnalysisDeclaration) -> BTreeMap<&'static str, OptionValue> {
    let value = |spec: &ParamSpec| {
        let text = spec.default?;
        match spec.kind {
            OptionKind::Quantity(_) | OptionKind::Time | OptionKind::Frequency => {
                Quantity::parse(text).ok().map(|q| OptionValue::Number(q.value))
            }
            OptionKind::Integer => text.parse().ok().map(OptionValue::Integer),
            OptionKind::Flag => text.parse().ok().map(OptionValue::Flag),
            OptionKind::Choice(_) | OptionKind::Text => Some(OptionValue::Text(text.to_owned())),
            OptionKind::Quantities(_) | OptionKind::Texts => None,
        }
    };
    declaration.options.iter().filter_map(|spec| value(spec).map(|v| (spec.key, v))).collect()
}

/// The card of an analysis, shown by `explain`.
#[derive(Debug, Clone, Copy)]
pub struct AnalysisCard {
    /// Title.
    pub title: &'static str,
    /// One line for lists.
    pub summary: &'static str,
    /// Formula in plain Unicode.
    pub formula: &'static str,
    /// What must hold.
    pub assumptions: &'static str,
    /// Bias and how it is corrected.
    pub bias: &'static str,
    /// Cost, O(.).
    pub cost: &'static str,
    /// When it lies.
    pub caveats: &'static str,
    /// References with DOI.
    pub references: &'static [&'static str],
}

/// What an analysis is given.
pub struct Request<'a> {
    /// Its entry in the scenario.
    pub spec: &'a AnalysisSpec,
    /// The scenario (none for recordings from elsewhere).
    pub scenario: Option<&'a Spec>,
    /// What was recorded.
    pub recording: &'a Recording,
    /// Seed for surrogates and bootstraps.
    pub seed: u64,
    /// Raised when the reader no longer wants the result.
    pub cancel: &'a AtomicBool,
}

impl Request<'_> {
    /// Whether the result is still wanted; long loops ask now and then and return [`AnalysisError::Cancelled`].
    ///
    /// # Errors
    /// `Cancelled` when it is not.
    pub fn check_cancelled(&self) -> Result<(), AnalysisError> {
        if self.cancel.load(Ordering::Relaxed) { Err(AnalysisError::Cancelled) } else { Ok(()) }
    }

    /// A number option in SI.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.spec.options.get(key) {
            Some(OptionValue::Number(v)) => Some(*v),
            Some(OptionValue::Integer(v)) => Some(*v as f64),
            _ => None,
        }
    }

    /// A whole-number option.
    pub fn integer(&self, key: &str) -> Option<i64> {
        match self.spec.options.get(key) {
            Some(OptionValue::Integer(v)) => Some(*v),
            _ => None,
        }
    }

    /// A yes-or-no option; absent is no.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.spec.options.get(key), Some(OptionValue::Flag(true)))
    }

    /// Several numbers in SI; absent is none.
    pub fn numbers(&self, key: &str) -> &[f64] {
        match self.spec.options.get(key) {
            Some(OptionValue::Numbers(v)) => v,
            _ => &[],
        }
    }

    /// A word option.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.spec.options.get(key) {
            Some(OptionValue::Text(v)) => Some(v),
            _ => None,
        }
    }
}

/// Why an analysis gave no outcome.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// The reader no longer wants it.
    #[error("cancelled")]
    Cancelled,
    /// What it needs was not recorded.
    #[error("{subject} was not recorded: {hint}")]
    NotRecorded {
        /// Subject.
        subject: String,
        /// What to write into the scenario.
        hint: String,
    },
    /// It cannot be computed on this.
    #[error("{0}")]
    Unsuitable(String),
}

/// An analysis: one file, one line in the list.
pub trait Analysis: Sync {
    /// Name, subjects and options, for checking scenarios.
    fn declaration(&self) -> AnalysisDeclaration;
    /// Its card.
    fn card(&self) -> &'static AnalysisCard;
    /// Measures.
    ///
    /// # Errors
    /// When nothing at all can be said; too few events is not an error but a missing value with a note.
    fn run(&self, request: &Request<'_>) -> Result<Outcome, AnalysisError>;
    /// Whether a live picture while the run lasts makes sense (cheap, and meaningful on part of the data).
    fn live(&self) -> bool {
        false
    }
}

/// Options, defaults and meaning that several analyses share can be built from this.
pub fn option(key: &'static str, kind: OptionKind, default: Option<&'static str>, about: &'static str) -> ParamSpec {
    ParamSpec { key, kind, default, range: None, about }
}

/// The same with a least and a greatest value in SI.
pub fn bounded(mut spec: ParamSpec, least: f64, greatest: f64) -> ParamSpec {
    spec.range = Some((least, greatest));
    spec
}
