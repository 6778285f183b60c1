//! What options hold: times, frequencies, quantities, numbers, words; and how each is read from a checked value.

use spikedeck_core::units::{Dimension, parse_unit};
use spikedeck_scenario::{Assignment, Band, FileMatrix, InputId, OptionValue, ProjectionId, StateId, VariableId};
use spikedeck_signal::TimeBase;

/// A time, in both of the units that estimators work in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Time {
    /// Seconds; units of time where time has no unit.
    pub seconds: f64,
    /// Units of the recording's time axis.
    pub axis: f64,
}

impl Time {
    /// From seconds (or units of time).
    pub fn of_seconds(seconds: f64, base: TimeBase) -> Self {
        Self { seconds, axis: seconds / base.seconds() }
    }

    /// From units of the time axis.
    pub fn on_axis(axis: f64, base: TimeBase) -> Self {
        Self { seconds: axis * base.seconds(), axis }
    }
}

/// A frequency or rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frequency {
    /// Hertz; per unit of time where time has no unit.
    pub hertz: f64,
}

/// A quantity with a dimension of its own, in SI.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// SI value.
    pub si: f64,
}

impl Quantity {
    /// Its value in a display unit (`mV`): what samples in that unit are held against. `None` where that unit is not
    /// one of `dimension`.
    pub fn in_unit(self, unit: &str, dimension: Dimension) -> Option<f64> {
        let (scale, _) = parse_unit(unit).ok().filter(|u| u.1 == dimension)?;
        Some(self.si * (1.0 / scale))
    }
}

/// What one option can hold.
pub trait Value: Sized {
    /// From a checked value of a scenario; `None` for a value of another kind.
    fn of(value: &OptionValue, base: TimeBase) -> Option<Self>;

    /// What an option without value and default is; `None` where there has to be one.
    fn absent() -> Option<Self> {
        None
    }
}

impl Value for Time {
    fn of(value: &OptionValue, base: TimeBase) -> Option<Self> {
        f64::of(value, base).map(|seconds| Self::of_seconds(seconds, base))
    }
}

impl Value for Frequency {
    fn of(value: &OptionValue, base: TimeBase) -> Option<Self> {
        f64::of(value, base).map(|hertz| Self { hertz })
    }
}

impl Value for Quantity {
    fn of(value: &OptionValue, base: TimeBase) -> Option<Self> {
        f64::of(value, base).map(|si| Self { si })
    }
}

impl Value for f64 {
    fn of(value: &OptionValue, _: TimeBase) -> Option<Self> {
        match value {
            OptionValue::Number(v) => Some(*v),
            OptionValue::Integer(v) => Some(*v as f64),
            _ => None,
        }
    }
}

impl Value for usize {
    fn of(value: &OptionValue, _: TimeBase) -> Option<Self> {
        if let OptionValue::Integer(v) = value { Self::try_from(*v).ok() } else { None }
    }
}

impl Value for bool {
    fn of(value: &OptionValue, _: TimeBase) -> Option<Self> {
        if let OptionValue::Flag(v) = value { Some(*v) } else { None }
    }
}

impl Value for String {
    fn of(value: &OptionValue, _: TimeBase) -> Option<Self> {
        if let OptionValue::Text(v) = value { Some(v.clone()) } else { None }
    }
}

/// Two ends in SI, the first below the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ends {
    /// The lower.
    pub low: f64,
    /// The upper.
    pub high: f64,
}

impl Value for Ends {
    fn of(value: &OptionValue, _: TimeBase) -> Option<Self> {
        if let OptionValue::Range(low, high) = *value { Some(Self { low, high }) } else { None }
    }
}

impl Value for StateId {
    fn of(value: &OptionValue, _: TimeBase) -> Option<Self> {
        if let OptionValue::State(id) = value { Some(*id) } else { None }
    }
}

impl Value for InputId {
    fn of(value: &OptionValue, _: TimeBase) -> Option<Self> {
        if let OptionValue::Input(id) = value { Some(*id) } else { None }
    }
}

impl Value for VariableId {
    fn of(value: &OptionValue, _: TimeBase) -> Option<Self> {
        if let OptionValue::Adjustable(id) = value { Some(*id) } else { None }
    }
}

impl Value for Vec<Assignment> {
    fn of(value: &OptionValue, _: TimeBase) -> Option<Self> {
        if let OptionValue::Assignments(list) = value { Some(list.clone()) } else { None }
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

impl Value for Vec<Band> {
    fn of(value: &OptionValue, _: TimeBase) -> Option<Self> {
        if let OptionValue::Bands(list) = value { Some(list.clone()) } else { None }
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

impl Value for FileMatrix {
    fn of(value: &OptionValue, _: TimeBase) -> Option<Self> {
        if let OptionValue::Matrix(matrix) = value { Some(matrix.clone()) } else { None }
    }
}

impl Value for Vec<ProjectionId> {
    fn of(value: &OptionValue, _: TimeBase) -> Option<Self> {
        if let OptionValue::Projections(list) = value { Some(list.clone()) } else { None }
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

impl<T: Value> Value for Option<T> {
    fn of(value: &OptionValue, base: TimeBase) -> Option<Self> {
        T::of(value, base).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// A choice among words: an enum whose variants have names in scenarios. Made by `words!`.
pub trait Choice: Value + Copy {
    /// The words, in the order of declaration.
    const WORDS: &'static [&'static str];
    /// The word of a variant.
    fn word(self) -> &'static str;
}
