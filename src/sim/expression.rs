//! Expressions of a scenario over named columns: positions, times, values of two coupled units.

use super::stepper::Column;
use crate::core::units::Dimension;
use crate::equation::TimeUnit;

/// Value of one name: the same everywhere, or one a lane.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operand<'a> {
    /// The same everywhere.
    Shared(f64),
    /// One a lane.
    Each(&'a [f64]),
}

impl<'a> From<&'a Column> for Operand<'a> {
    fn from(column: &'a Column) -> Self {
        match column {
            Column::Shared(v) => Self::Shared(*v),
            Column::Each(v) => Self::Each(v),
        }
    }
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub(super) struct Expression {}

impl Expression {
    /// Compiles `text` over `names`; `t` is time.
    ///
    /// # Errors
    /// What cannot be understood.
    pub fn new(_text: &str, _names: &[(&str, Dimension)], _time_unit: TimeUnit) -> Result<Self, String> {
        todo!()
    }

    /// Evaluates at time `t` (seconds or time units), `operands` in the order of the names, one value a lane into `out`.
    pub fn evaluate(&self, _t: f64, _operands: &[Operand<'_>], _out: &mut [f64]) {
        todo!()
    }
}
