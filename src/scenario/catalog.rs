//! What analyses (and others) declare, so that scenarios are checked without knowing them.

use std::collections::BTreeMap;
use std::fmt;

use spikedeck_core::number::literal;
use spikedeck_core::units::{Dimension, Quantity};

/// Value of an option after checking.
#[derive(Debug, Clone, PartialEq)]
pub enum OptionValue {
    /// A number in SI, or a plain number.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Flag(bool),
    /// A word.
    Text(String),
    /// Several words.
    Texts(Vec<String>),
}

impl fmt::Display for OptionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(v) => f.write_str(&literal(*v)),
            Self::Integer(v) => write!(f, "{v}"),
            Self::Flag(v) => write!(f, "{v}"),
            Self::Text(word) => write!(f, "`{word}`"),
            Self::Texts(words) => write!(f, "[{}]", words.join(", ")),
        }
    }
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

impl ParamSpec {
    /// The declared default as a value; `None` where there is none, or where it has a unit that a scenario without
    /// units of time (`with_units` false) cannot have.
    pub fn default_value(&self, with_units: bool) -> Option<OptionValue> {
        let text = self.default?;
        let time = |with: Dimension| if with_units { with } else { Dimension::NONE };
        let number = |dimension: Dimension| {
            let q = Quantity::parse(text).unwrap_or_else(|_| self.no_default(text));
            // What has a unit of time means nothing where time has none.
            let fits = q.dimension == dimension;
            if !fits && with_units {
                self.no_default(text);
            }
            fits.then_some(OptionValue::Number(q.value))
        };
        match &self.kind {
            OptionKind::Quantity(d) => number(*d),
            OptionKind::Time => number(time(Dimension::SECOND)),
            OptionKind::Frequency => number(time(Dimension::HERTZ)),
            OptionKind::Integer => {
                Some(OptionValue::Integer(text.trim().parse().unwrap_or_else(|_| self.no_default(text))))
            }
            OptionKind::Flag => Some(OptionValue::Flag(text.trim().parse().unwrap_or_else(|_| self.no_default(text)))),
            OptionKind::Choice(_) | OptionKind::Text => Some(OptionValue::Text(text.to_owned())),
            OptionKind::Texts => Some(OptionValue::Texts(list(text).map(str::to_owned).collect())),
        }
    }
}

impl ParamSpec {
    /// A declaration whose default is no value of its kind.
    fn no_default(&self, text: &str) -> ! {
        unreachable!("the default of `{}` is a value of its kind, and `{text}` is none", self.key)
    }
}

/// The members of a list as a default is written: `[1 ms, 2 ms]`.
fn list(text: &str) -> impl Iterator<Item = &str> {
    text.trim()
        .trim_start_matches('[')
        .trim_end_matches(']')
        .split(',')
        .map(|t| t.trim().trim_matches('"'))
        .filter(|t| !t.is_empty())
}

/// What takes the place of a default in milliseconds or hertz where time has no unit (`time_unit = "1"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithoutUnits {
    /// The value comes from the data: how, in words.
    Derived(&'static str),
    /// It has to be written into the scenario.
    Required,
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
    /// Options whose default has a unit of time, and what stands for it in scenarios whose time has none.
    pub without_units: Vec<(&'static str, WithoutUnits)>,
}

impl AnalysisDeclaration {
    /// What stands for the default of option `key` where time has no unit; `None` if the default itself does.
    pub fn without_units(&self, key: &str) -> Option<WithoutUnits> {
        self.without_units.iter().find(|w| w.0 == key).map(|w| w.1)
    }
}

/// The analyses that a scenario may name: filled by `run` from the list.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Analyses by kind.
    pub analyses: BTreeMap<&'static str, AnalysisDeclaration>,
}
