//! Equations: text → syntax tree → unit check → simplified expression graph → derivative → kernel.
//!
//! A [`Source`] holds the texts of one model file; [`System::parse`] understands it; [`System::carrying`] adds
//! receptors; [`flow::Flow`] evaluates it as mathematics and [`program::Program`] over many units at once, by the
//! register programs of [`kernel`].
//!
//! ```
//! use spikedeck_core::units::Dimension;
//! use spikedeck_equation::flow::Flow;
//! use spikedeck_equation::{Declaration, Source, System};
//!
//! let mut source = Source { equations: "dV_m/dt = (E_L - V_m)/tau_m : V".into(), ..Source::default() };
//! for (name, dimension) in [("E_L", Dimension::VOLT), ("tau_m", Dimension::SECOND)] {
//!     source.parameters.push(Declaration { name: name.into(), dimension });
//! }
//! let system = System::parse(&source).expect("its units agree");
//! assert_eq!(system.typeset(), ["dV_m/dt = (E_L − V_m)/tau_m"]);
//!
//! // In SI: -70 mV and 20 ms, at -50 mV.
//! let (mut rate, flow) = ([0.0], Flow::new(&system, &[-0.07, 0.02], &[]));
//! flow.rate(0.0, &[-0.05], &mut rate);
//! assert!((rate[0] + 1.0).abs() < 1e-12);
//!
//! source.equations = "dV_m/dt = E_L - V_m : V".into();
//! let wrong = System::parse(&source).unwrap_err();
//! assert_eq!(wrong[0].1.message, "dV_m/dt has unit V/s, but this expression has unit V");
//! ```

mod carry;
pub mod check;
pub mod derive;
pub mod drive;
pub mod expression;
pub mod family;
pub mod flow;
mod formula;
pub mod formulas;
mod fuse;
pub mod graph;
pub mod kernel;
mod lexer;
mod line;
mod node;
mod print;
pub mod program;
pub mod rule;
pub mod space;
mod syntax;
pub mod system;
pub mod tape;
mod understand;
mod units_as_names;

use spikedeck_core::units::Dimension;

pub use self::check::{FUNCTIONS, Function};
pub use self::expression::Expression;
pub use self::formula::{Formula, Name};
pub use self::rule::Rule;
pub use self::system::System;

/// A named quantity of a system: state, parameter, input or subexpression.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Name in the equations (`V_m`); variables that a receptor brought are `RECEPTOR.NAME` (`ampa.g`).
    pub name: String,
    /// Dimension.
    pub dimension: Dimension,
}

/// What time means in the equations of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeUnit {
    /// Equations carry units; d/dt is per second.
    #[default]
    Dimensional,
    /// Plain-number equations whose derivatives are per millisecond (Izhikevich).
    Millisecond,
    /// Plain-number equations whose derivatives are per second (Jansen-Rit in numbers).
    Second,
    /// A dimensionless system (Lorenz); durations are bare numbers.
    Dimensionless,
}

/// A declared name with its dimension, as a model file states it, with the place of the declaration.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// Name.
    pub name: String,
    /// Dimension.
    pub dimension: Dimension,
}

/// The texts of one model, receptor or channel, before they are understood.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Source {
    /// `dV_m/dt = ... : V`, one a line.
    pub equations: String,
    /// Parameters.
    pub parameters: Vec<Declaration>,
    /// Input ports (`I`).
    pub inputs: Vec<Declaration>,
    /// Names given by whoever carries this receptor or channel (`V_m`).
    pub given: Vec<Declaration>,
    /// Own states or subexpressions that others of the same carrier may be given (`Ca` of a calcium pool).
    pub provides: Vec<String>,
    /// Condition, `V_m > V_th`.
    pub threshold: Option<String>,
    /// Statements at a spike, `V_m = V_reset; w += b`.
    pub reset: Option<String>,
    /// How long the unit is refractory: an expression with the dimension of time.
    pub refractory_time: Option<String>,
    /// States that are held while refractory.
    pub refractory_hold: Vec<String>,
    /// Statements at an arriving event of weight `w`, `g += w` (receptors).
    pub on_event: Option<String>,
    /// What time means.
    pub time_unit: TimeUnit,
    /// Plasticity rules: the dimension of the weights, which equations call `weight`.
    pub weight: Option<Dimension>,
}

/// Which text of a [`Source`] a diagnostic is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `equations`.
    Equations,
    /// `threshold`.
    Threshold,
    /// `reset`.
    Reset,
    /// `refractory_time`.
    RefractoryTime,
    /// The n-th entry of `refractory_hold`.
    RefractoryHold(usize),
    /// `on_event`.
    OnEvent,
}

/// Where events arrive.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPort {
    /// Name of the receptor.
    pub name: String,
    /// Dimension of a weight.
    pub weight: Dimension,
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
