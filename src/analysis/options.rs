//! Options of estimators: one declaration gives the keys of the scenario, their checks and docs, a typed struct, and
//! its reader.
//!
//! ```text
//! options! {
//!     /// What `isi` can be told.
//!     pub struct Options {
//!         fano_window: Time = time("100 ms").or(derived::TEN_INTERVALS), "length of the windows";
//!         ddof: usize = integer("1").between(0.0, 1.0), "divisor n − ddof of the count variance";
//!         pairs: Pairing = choice(Pairing::Auto), "which units are paired";
//!     }
//! }
//! ```
//!
//! A default in units of time does not compile without what stands for it where time has none: `.or(...)`, which
//! derives a value from the data, or `.required()`.

mod reader;

pub use reader::Reader;

use std::marker::PhantomData;

use spikedeck_core::units::Dimension;
use spikedeck_scenario::{
    Assignment, Band, FileMatrix, InputId, OptionKind, OptionValue, ParamSpec, ProjectionId, StateId, TimeRole,
    VariableId, WithoutUnits,
};
use spikedeck_signal::{Setting, TimeBase};

use crate::AnalysisError;
use crate::derived::{self, Derivation};
use crate::value::{Choice, Ends, Frequency, Quantity, Time, Value};

/// An option before it has a key: kind, default, range, and what stands for the default where time has no unit.
#[derive(Debug)]
pub struct Opt<T> {
    kind: OptionKind,
    default: Option<&'static str>,
    range: Option<(f64, f64)>,
    time: TimeRole,
    about: &'static str,
    without_units: Option<(WithoutUnits, Option<Derivation>)>,
    /// What is taken, in seconds, where time has units and nothing is said.
    usually: Option<Derivation>,
    holds: PhantomData<T>,
}

impl<T> Opt<T> {
    fn new(kind: OptionKind, default: Option<&'static str>) -> Self {
        let (range, time, about, without_units, holds) = (None, TimeRole::Other, "", None, PhantomData);
        Self { kind, default, range, time, about, without_units, usually: None, holds }
    }

    /// With a least and a greatest value in SI.
    #[must_use]
    pub fn between(mut self, least: f64, greatest: f64) -> Self {
        self.range = Some((least, greatest));
        self
    }

    /// The length of a piece into which time is cut: a small one makes many, which take memory.
    #[must_use]
    pub fn piece(mut self) -> Self {
        self.time = TimeRole::Piece;
        self
    }

    /// The length of the time that is cut into pieces, where it is not the run's.
    #[must_use]
    pub fn stretch(mut self) -> Self {
        self.time = TimeRole::Stretch;
        self
    }

    /// Zero makes sense as well (without bounds a time or a frequency has to be greater).
    #[must_use]
    pub fn or_zero(self) -> Self {
        self.between(0.0, f64::MAX)
    }

    /// With its meaning, for options that several estimators share.
    #[must_use]
    pub fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// What is taken, in seconds, where nothing is said, time has units, and it matters for what is looked at: the
    /// outcome says so.
    #[must_use]
    pub fn usually(mut self, derivation: Derivation) -> Self {
        self.usually = Some(derivation);
        self
    }

    fn spec(&self, key: &'static str, about: &'static str) -> ParamSpec {
        let about = if about.is_empty() { self.about } else { about };
        ParamSpec { key, kind: self.kind.clone(), default: self.default, range: self.range, time: self.time, about }
    }
}

/// A default with a unit of time, of which it is not yet said what stands for it where time has none.
#[derive(Debug)]
pub struct InUnits<T>(Opt<T>);

impl<T> InUnits<T> {
    /// Where time has no unit, the value is derived from the data.
    #[must_use]
    pub fn or(mut self, derivation: Derivation) -> Opt<T> {
        self.0.without_units = Some((WithoutUnits::Derived(derivation.how), Some(derivation)));
        self.0
    }

    /// Where time has no unit, the scenario has to say the value.
    #[must_use]
    pub fn required(mut self) -> Opt<T> {
        self.0.without_units = Some((WithoutUnits::Required, None));
        self.0
    }
}

/// A time with a default such as `"1 ms"`.
pub fn time(default: &'static str) -> InUnits<Time> {
    InUnits(Opt::new(OptionKind::Time, Some(default)))
}

/// The bin of a population rate, which is a sampled signal then; of no account where no rate is looked at.
pub fn rate_bin() -> Opt<Time> {
    time("1 ms").or(derived::RATE_BIN).piece()
}

/// A time without default.
pub fn time_if_given() -> Opt<Option<Time>> {
    Opt::new(OptionKind::Time, None)
}

/// The bin of signals: traces have an interval of their own.
pub fn signal_bin() -> Opt<Option<Time>> {
    time_if_given().piece().usually(derived::SIGNAL_BIN).about(
        "counts and rates in bins of this length, traces averaged in them (default 10 ms for spikes and rates, the \
         recorded interval for traces)",
    )
}

/// A frequency with a default such as `"10 Hz"`.
pub fn frequency(default: &'static str) -> InUnits<Frequency> {
    InUnits(Opt::new(OptionKind::Frequency, Some(default)))
}

/// A frequency without default.
pub fn frequency_if_given() -> Opt<Option<Frequency>> {
    Opt::new(OptionKind::Frequency, None)
}

/// A quantity of this dimension with a default such as `"-10 mV"`.
pub fn quantity(dimension: Dimension, default: &'static str) -> Opt<Quantity> {
    Opt::new(OptionKind::Quantity(dimension), Some(default))
}

/// A quantity of this dimension without default.
pub fn quantity_if_given(dimension: Dimension) -> Opt<Option<Quantity>> {
    Opt::new(OptionKind::Quantity(dimension), None)
}

/// A plain number.
pub fn number(default: &'static str) -> Opt<f64> {
    Opt::new(OptionKind::Quantity(Dimension::NONE), Some(default))
}

/// A plain number without default.
pub fn number_if_given() -> Opt<Option<f64>> {
    Opt::new(OptionKind::Quantity(Dimension::NONE), None)
}

/// A whole number.
pub fn integer(default: &'static str) -> Opt<usize> {
    Opt::new(OptionKind::Integer, Some(default))
}

/// A whole number without default.
pub fn integer_if_given() -> Opt<Option<usize>> {
    Opt::new(OptionKind::Integer, None)
}

/// Yes or no.
pub fn flag(default: bool) -> Opt<bool> {
    Opt::new(OptionKind::Flag, Some(if default { "true" } else { "false" }))
}

/// One of the words of an enum.
pub fn choice<C: Choice>(default: C) -> Opt<C> {
    Opt::new(OptionKind::Choice(C::WORDS), Some(default.word()))
}

/// One of the words of an enum, if any is said.
pub fn choice_if_given<C: Choice>() -> Opt<Option<C>> {
    Opt::new(OptionKind::Choice(C::WORDS), None)
}

/// The name of a variable of what is looked at, with one that is taken if it was recorded.
pub fn variable(default: &'static str) -> Opt<String> {
    Opt::new(OptionKind::Variable, Some(default))
}

/// A state of the population that is looked at: the first, if none is named.
pub fn state() -> Opt<StateId> {
    Opt::new(OptionKind::State { not: None, only_named: false }, None)
}

/// A state of the population that is looked at, if one is named.
pub fn state_if_given() -> Opt<Option<StateId>> {
    Opt::new(OptionKind::State { not: None, only_named: true }, None)
}

/// Another state than the one that option `key` names: the first such, if none is named.
pub fn another_state(key: &'static str) -> Opt<StateId> {
    Opt::new(OptionKind::State { not: Some(key), only_named: false }, None)
}

/// An input of the population that is looked at: the first, if none is named.
pub fn input() -> Opt<InputId> {
    Opt::new(OptionKind::Input, None)
}

/// A parameter or an input of the population that is looked at: the first input, if none is named.
pub fn adjustable() -> Opt<VariableId> {
    Opt::new(OptionKind::Adjustable, None)
}

/// A quantity of the input or parameter that option `key` names, which stands before it.
pub fn of_input(key: &'static str) -> Opt<Option<Quantity>> {
    Opt::new(OptionKind::OfInput(key), None)
}

/// Two ends of the state that option `key` names, which stands before it.
pub fn range_of(key: &'static str) -> Opt<Option<Ends>> {
    Opt::new(OptionKind::RangeOf(key), None)
}

/// Values for parameters and inputs of the population that is looked at.
pub fn assignments() -> Opt<Vec<Assignment>> {
    Opt::new(OptionKind::Assignments, None)
}

/// Bands of frequency.
pub fn bands() -> Opt<Vec<Band>> {
    Opt::new(OptionKind::Bands, None)
}

/// A symmetric matrix from a file.
pub fn matrix_if_given() -> Opt<Option<FileMatrix>> {
    Opt::new(OptionKind::Matrix, None)
}

/// Projections among the populations that are looked at which end at one input or receptor: that of the first, if none
/// is named.
pub fn arrival() -> Opt<Vec<ProjectionId>> {
    Opt::new(OptionKind::Arrival, None)
}

/// A struct of options: what [`options!`] makes.
pub trait Options: Sized {
    /// Adds its options to a declaration.
    fn declare(to: &mut Declared);
    /// Reads them.
    ///
    /// # Errors
    /// `Unsuitable` for one that is missing, or of another kind than was declared.
    fn read(from: &mut Reader<'_>) -> Result<Self, AnalysisError>;
}

/// No options.
impl Options for () {
    fn declare(_: &mut Declared) {}

    fn read(_: &mut Reader<'_>) -> Result<Self, AnalysisError> {
        Ok(())
    }
}

/// What options declare.
#[derive(Debug, Default)]
pub struct Declared {
    /// The options in order.
    pub specs: Vec<ParamSpec>,
    /// What stands for defaults in units of time.
    pub without_units: Vec<(&'static str, WithoutUnits)>,
}

/// One field of a struct of options: an option, or a struct of options that several estimators share.
pub trait Field<T> {
    /// Declares it under its key.
    fn declare(&self, key: &'static str, about: &'static str, to: &mut Declared);
    /// Reads it.
    ///
    /// # Errors
    /// As [`Options::read`].
    fn read(&self, key: &'static str, from: &mut Reader<'_>) -> Result<T, AnalysisError>;
}

impl<T: Value> Field<T> for Opt<T> {
    fn declare(&self, key: &'static str, about: &'static str, to: &mut Declared) {
        to.specs.push(self.spec(key, about));
        to.without_units.extend(self.without_units.map(|w| (key, w.0)));
    }

    fn read(&self, key: &'static str, from: &mut Reader<'_>) -> Result<T, AnalysisError> {
        let base = from.base;
        let made = |from: &mut Reader<'_>, value: &OptionValue| {
            if let (TimeRole::Piece, OptionValue::Number(length)) = (self.time, value) {
                from.pieces.push((key, *length));
            }
            T::of(value, base)
        };
        let default = || self.spec(key, "").default_value(base == TimeBase::Milliseconds);
        if let Some(value) = from.options.get(key).cloned().or_else(default) {
            return made(from, &value).ok_or_else(|| AnalysisError::Unsuitable(format!("`{key}` cannot be {value}")));
        }
        let usual = self.usually.zip(from.request).filter(|_| base == TimeBase::Milliseconds);
        if let Some((usual, request)) = usual.filter(|(usual, request)| (usual.matters)(request)) {
            let value = (usual.value)(request);
            from.settings.push(Setting {
                key: key.to_owned(),
                value: 1e3 * value,
                unit: base.unit().to_owned(),
                how: usual.how.to_owned(),
            });
            return made(from, &OptionValue::Number(value))
                .ok_or_else(|| AnalysisError::Unsuitable(format!("`{key}` cannot be {value}")));
        }
        let say = || AnalysisError::Unsuitable(format!("time has no unit here: say `{key}`, a plain number"));
        match self.without_units {
            Some((_, Some(derivation))) => {
                let Some(request) = from.request else {
                    return Err(AnalysisError::Unsuitable(format!("`{key}` is {}", derivation.how)));
                };
                let value = (derivation.value)(request);
                let unit = match self.kind {
                    OptionKind::Frequency => base.rate_unit(),
                    _ => base.unit(),
                };
                if (derivation.matters)(request) {
                    let (key, how) = (key.to_owned(), derivation.how.to_owned());
                    from.settings.push(Setting { key, value, unit: unit.to_owned(), how });
                }
                made(from, &OptionValue::Number(value)).ok_or_else(say)
            }
            Some((_, None)) => T::absent().ok_or_else(say),
            None => T::absent().ok_or_else(|| AnalysisError::Unsuitable(format!("`{key}` is not said"))),
        }
    }
}

/// A struct of options inside another, at the same level of the scenario.
#[derive(Debug)]
pub struct Shared<O>(PhantomData<O>);

/// The options of `O`, which several estimators share.
pub fn shared<O: Options>() -> Shared<O> {
    Shared(PhantomData)
}

impl<O: Options> Field<O> for Shared<O> {
    fn declare(&self, _: &'static str, _: &'static str, to: &mut Declared) {
        O::declare(to);
    }

    fn read(&self, _: &'static str, from: &mut Reader<'_>) -> Result<O, AnalysisError> {
        O::read(from)
    }
}

/// Declares a struct of options; see the head of the module `options`.
macro_rules! options {
    ($(#[$attribute:meta])* $vis:vis struct $name:ident {
        $($field:ident : $type:ty = $option:expr $(, $about:literal)? ;)*
    }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone)]
        $vis struct $name {
            $($(#[doc = $about])? pub $field: $type,)*
        }

        impl $crate::options::Options for $name {
            fn declare(to: &mut $crate::options::Declared) {
                $($crate::options::Field::<$type>::declare(&$option, stringify!($field), concat!($($about)?), to);)*
            }

            fn read(from: &mut $crate::options::Reader<'_>) -> Result<Self, $crate::AnalysisError> {
                Ok(Self {
                    $($field: $crate::options::Field::<$type>::read(&$option, stringify!($field), from)?,)*
                })
            }
        }
    };
}
pub(crate) use options;

/// Gives the variants of an enum their words in scenarios; the enum is declared here, or exists already.
macro_rules! words {
    ($(#[$attribute:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$doc])* $variant,)*
        }
        $crate::options::words! { for $name { $($variant = $word,)* } }
    };
    (for $name:ident { $($variant:ident = $word:literal,)* }) => {
        impl $crate::value::Choice for $name {
            const WORDS: &'static [&'static str] = &[$($word),*];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl $crate::value::Value for $name {
            fn of(value: &spikedeck_scenario::OptionValue, _: spikedeck_signal::TimeBase) -> Option<Self> {
                let spikedeck_scenario::OptionValue::Text(word) = value else { return None };
                match word.as_str() {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
