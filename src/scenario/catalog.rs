//! What analyses (and others) declare, so that scenarios are checked without knowing them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::spec::{InputId, ProjectionId, StateId, VariableId};
use spikedeck_core::number::literal;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_signal::TimeBase;

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
    /// A state of the population that is looked at.
    State(StateId),
    /// An input of the population that is looked at.
    Input(InputId),
    /// A parameter or an input of the population that is looked at.
    Adjustable(VariableId),
    /// Two ends in SI, the first below the second.
    Range(f64, f64),
    /// Values for parameters and inputs of the population that is looked at, each of which is there once.
    Assignments(Vec<Assignment>),
    /// Bands of frequency, each of which is called otherwise.
    Bands(Vec<Band>),
    /// Projections among the populations that are looked at.
    Projections(Vec<ProjectionId>),
    /// A symmetric matrix from a file.
    Matrix(FileMatrix),
}

/// A value that takes the place of what the scenario says.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// A parameter or an input.
    pub variable: VariableId,
    /// Its name.
    pub name: String,
    /// Its dimension.
    pub dimension: Dimension,
    /// The value in SI.
    pub value: f64,
}

/// A symmetric matrix of finite numbers, as a file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct FileMatrix {
    /// The last part of the file's name.
    pub file: String,
    /// Number of rows, and of columns.
    pub size: usize,
    /// Its values, row by row.
    pub values: Arc<[f64]>,
    /// What its rows are called, if the file says it.
    pub names: Option<Vec<String>>,
}

/// What two lists of names of regions, as many in each, say of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// They are the same, in the same order.
    Alike,
    /// No name of one is one of the other: they are names of other kinds, and the order alone is known.
    Unrelated,
    /// Some are the same, and not all at the same place: the first that differs. Nothing says which region is which.
    Differ(usize),
}

impl Named {
    /// Of two lists.
    pub fn of(a: &[impl AsRef<str>], b: &[impl AsRef<str>]) -> Self {
        let differs = a.iter().zip(b).position(|(a, b)| a.as_ref() != b.as_ref());
        match differs {
            None => Self::Alike,
            Some(k) => {
                let known: BTreeSet<&str> = a.iter().map(AsRef::as_ref).collect();
                if b.iter().any(|name| known.contains(name.as_ref())) { Self::Differ(k) } else { Self::Unrelated }
            }
        }
    }
}

/// A band of frequency.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// What it is called.
    pub name: String,
    /// Where it begins, in hertz (per unit of time where time has none).
    pub low: f64,
    /// Where it ends.
    pub high: f64,
}

impl fmt::Display for OptionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(v) => f.write_str(&literal(*v)),
            Self::Integer(v) => write!(f, "{v}"),
            Self::Flag(v) => write!(f, "{v}"),
            Self::Text(word) => write!(f, "`{word}`"),
            Self::State(id) => write!(f, "state {}", id.index()),
            Self::Input(id) | Self::Adjustable(VariableId::Input(id)) => write!(f, "input {}", id.index()),
            Self::Adjustable(VariableId::Parameter(id)) => write!(f, "parameter {}", id.index()),
            Self::Adjustable(VariableId::State(_) | VariableId::Subexpression(_)) => {
                unreachable!("what is computed is not adjusted")
            }
            Self::Range(low, high) => write!(f, "[{}, {}]", literal(*low), literal(*high)),
            Self::Assignments(list) => {
                let each = list
                    .iter()
                    .map(|a| format!("{} = {}", a.name, Quantity { value: a.value, dimension: a.dimension }));
                write!(f, "[{}]", each.collect::<Vec<_>>().join(", "))
            }
            Self::Bands(list) => {
                let each = list.iter().map(|b| format!("{} {} {}", b.name, literal(b.low), literal(b.high)));
                write!(f, "[{}]", each.collect::<Vec<_>>().join(", "))
            }
            Self::Projections(list) => write!(f, "{} projections", list.len()),
            Self::Matrix(m) => write!(f, "{} ({} by {})", m.file, m.size, m.size),
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
    /// The name of a variable that was recorded of all that is looked at. The default need not be there.
    Variable,
    /// The name of a state of the population that is looked at; without it the first, or the first but one that another
    /// option names.
    State {
        /// The key of that other option, which is declared before.
        not: Option<&'static str>,
        /// Whether there is none where none is named.
        only_named: bool,
    },
    /// The name of an input of the population that is looked at; without it the first.
    Input,
    /// The name of a parameter or an input of the population that is looked at; without it the first input, or the
    /// first parameter where there is no input.
    Adjustable,
    /// A quantity of the input or parameter that the option of this key names, which is declared before.
    OfInput(&'static str),
    /// Two ends, the first below the second, in the unit of the state that the option of this key names, which is
    /// declared before.
    RangeOf(&'static str),
    /// A list of `NAME = QUANTITY`: values for parameters and inputs of the population that is looked at.
    Assignments,
    /// A list of `NAME LOW HIGH`: bands of frequency.
    Bands,
    /// The name of an input or receptor, for the projections among the populations that are looked at that end there;
    /// without it that of the first of them.
    Arrival,
    /// The name of a file that holds a symmetric matrix.
    Matrix,
}

/// What an option is to the stretch of time that an analysis looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeRole {
    /// Nothing in particular.
    #[default]
    Other,
    /// The length of a piece into which the stretch is cut: a small one makes many.
    Piece,
    /// The length of the stretch, where it is not the run's.
    Stretch,
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
    /// What it is to the stretch of time that is looked at.
    pub time: TimeRole,
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
            OptionKind::Choice(_) | OptionKind::Variable => Some(OptionValue::Text(text.to_owned())),
            OptionKind::State { .. }
            | OptionKind::Input
            | OptionKind::Adjustable
            | OptionKind::OfInput(_)
            | OptionKind::RangeOf(_)
            | OptionKind::Assignments
            | OptionKind::Bands
            | OptionKind::Arrival
            | OptionKind::Matrix => self.no_default(text),
        }
    }
}

impl ParamSpec {
    /// A declaration whose default is no value of its kind.
    fn no_default(&self, text: &str) -> ! {
        unreachable!("the default of `{}` is a value of its kind, and `{text}` is none", self.key)
    }
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

/// The times of a run, in seconds (or time units).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunTimes {
    /// What the numbers on its time axis mean.
    pub base: TimeBase,
    /// The step.
    pub dt: f64,
    /// How long it is.
    pub duration: f64,
    /// What of it analyses leave out.
    pub transient: f64,
}

impl RunTimes {
    /// A time as a person would write it.
    pub fn show(self, time: f64) -> String {
        let dimension = match self.base {
            TimeBase::Milliseconds => Dimension::SECOND,
            TimeBase::Dimensionless => Dimension::NONE,
        };
        Quantity { value: time, dimension }.to_string()
    }
}

/// What is wrong with options that are each sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Wrong {
    /// At which of them.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

/// Whether options fit each other and the run.
#[derive(Clone, Copy)]
pub struct Together(fn(&BTreeMap<&'static str, OptionValue>, RunTimes) -> Result<(), Wrong>);

impl Together {
    /// As this says.
    pub const fn new(check: fn(&BTreeMap<&'static str, OptionValue>, RunTimes) -> Result<(), Wrong>) -> Self {
        Self(check)
    }

    /// Any do.
    pub const fn any() -> Self {
        Self(|_, _| Ok(()))
    }

    /// Whether these do.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(self, options: &BTreeMap<&'static str, OptionValue>, times: RunTimes) -> Result<(), Wrong> {
        (self.0)(options, times)
    }
}

impl fmt::Debug for Together {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Together")
    }
}

/// What an analysis declares about itself.
#[derive(Debug, Clone)]
pub struct AnalysisDeclaration {
    /// Name in `kind = ...`.
    pub kind: &'static str,
    /// What else it is called elsewhere.
    pub synonyms: &'static [&'static str],
    /// What it looks at.
    pub subjects: Subjects,
    /// Its options.
    pub options: Vec<ParamSpec>,
    /// Options whose default has a unit of time, and what stands for it in scenarios whose time has none.
    pub without_units: Vec<(&'static str, WithoutUnits)>,
    /// Whether the options fit each other and the run.
    pub together: Together,
}

impl AnalysisDeclaration {
    /// Whether this is what somebody means by `word`: a synonym, in whatever letters and with whatever between words.
    pub fn is_called(&self, word: &str) -> bool {
        let word = word.trim().to_lowercase().replace([' ', '-'], "_");
        self.kind == word || self.synonyms.contains(&word.as_str())
    }

    /// What stands for the default of option `key` where time has no unit; `None` if the default itself does.
    pub fn without_units(&self, key: &str) -> Option<WithoutUnits> {
        self.without_units.iter().find(|w| w.0 == key).map(|w| w.1)
    }

    /// Into how many pieces these options cut the time of a run of this length at the most, and which of them does.
    pub fn pieces(&self, options: &BTreeMap<&'static str, OptionValue>, run: f64) -> Option<(f64, &'static str)> {
        let lengths = |role: TimeRole| {
            self.options.iter().filter(move |o| o.time == role).filter_map(|o| match options.get(o.key) {
                // The highest of frequencies has two samples a turn.
                Some(OptionValue::Number(v)) if *v > 0.0 && o.kind == OptionKind::Frequency => Some((0.5 / v, o.key)),
                Some(OptionValue::Number(v)) if *v > 0.0 => Some((*v, o.key)),
                _ => None,
            })
        };
        let stretch = lengths(TimeRole::Stretch).map(|l| l.0).fold(run, f64::max);
        lengths(TimeRole::Piece).map(|(piece, key)| (stretch / piece, key)).max_by(|a, b| a.0.total_cmp(&b.0))
    }
}

/// The analyses that a scenario may name: filled by `run` from the list.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Analyses by kind.
    pub analyses: BTreeMap<&'static str, AnalysisDeclaration>,
}
