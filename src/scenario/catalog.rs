//! What analyses (and others) declare, so that scenarios are checked without knowing them.

use std::collections::BTreeMap;

use spikedeck_core::units::Dimension;

/// Value of an option after checking.
#[derive(Debug, Clone, PartialEq)]
pub enum OptionValue {
    /// A number in SI, or a plain number.
    Number(f64),
    /// Several numbers.
    Numbers(Vec<f64>),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Flag(bool),
    /// A word.
    Text(String),
    /// Several words.
    Texts(Vec<String>),
}

/// What kind of value an option takes.
#[derive(Debug, Clone, PartialEq)]
pub enum OptionKind {
    /// A quantity of this dimension.
    Quantity(Dimension),
    /// A quantity of time (a bare number in dimensionless scenarios).
    Time,
    /// A frequency (a bare number in dimensionless scenarios).
    Frequency,
    /// A list of quantities of this dimension.
    Quantities(Dimension),
    /// A whole number.
    Integer,
    /// Yes or no.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any word or name.
    Text,
    /// A list of words.
    Texts,
}

/// One option that an analysis takes: key, unit, default, range, meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamSpec {
    /// Key in the scenario.
    pub key: &'static str,
    /// What kind of value.
    pub kind: OptionKind,
    /// Default as it would be written (`"1 s"`, `"4"`, `"true"`); `None` if the analysis works it out from the data.
    pub default: Option<&'static str>,
    /// Least and greatest value in SI; without them a time or a frequency is greater than zero.
    pub range: Option<(f64, f64)>,
    /// One line of meaning.
    pub about: &'static str,
}

/// What an analysis looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subjects {
    /// `of = ...`: each subject by itself or all together.
    Of,
    /// `source = ...`, `target = ...`: directed pairs.
    Directed,
    /// Nothing recorded: the equations of a population (`of = "POP"`).
    Population,
}

/// What an analysis declares about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisDeclaration {
    /// Name in `kind = ...`.
    pub kind: &'static str,
    /// What it looks at.
    pub subjects: Subjects,
    /// Its options.
    pub options: Vec<ParamSpec>,
}

/// The analyses that a scenario may name: filled by `run` from the list.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Analyses by kind.
    pub analyses: BTreeMap<&'static str, AnalysisDeclaration>,
}
