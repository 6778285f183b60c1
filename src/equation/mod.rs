//! Equations: text → syntax tree → unit check → simplified expression graph → derivative → kernel.
//!
//! CONTRACT (owner: equation room). The types below are what `model`, `scenario`, `sim` and `analysis` build on. The owner
//! replaces every `todo!`, splits this into files, and may add; renaming needs the others.

pub mod flow;

use std::sync::Arc;

use crate::core::diagnostic::Diagnostic;
use crate::core::units::Dimension;

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

/// An understood set of equations: parsed, unit-checked, simplified, ready to be merged, differentiated and compiled.
///
/// Cheap to clone (shared graph).
#[derive(Debug, Clone)]
pub struct System {
    _inner: Arc<()>,
}

impl System {
    /// Understands `source`, reporting all that is wrong at once (spans are inside the text of the named part).
    ///
    /// # Errors
    /// Every syntax, name and unit error found, each with its part.
    pub fn parse(_source: &Source) -> Result<Self, Vec<(Part, Diagnostic)>> {
        todo!()
    }

    /// This system carrying `receptor` under `name`: its states and parameters become `name.VAR`, the current it states
    /// adds to the host's input port.
    ///
    /// # Errors
    /// When the host lacks a name that the receptor is given, or dimensions do not fit.
    pub fn carrying(&self, _name: &str, _receptor: &System) -> Result<Self, Vec<Diagnostic>> {
        todo!()
    }

    /// States in the order of their columns.
    pub fn states(&self) -> &[Variable] {
        todo!()
    }
    /// Parameters, receptors' included (`ampa.tau`).
    pub fn parameters(&self) -> &[Variable] {
        todo!()
    }
    /// Input ports.
    pub fn inputs(&self) -> &[Variable] {
        todo!()
    }
    /// Named subexpressions (recordable).
    pub fn subexpressions(&self) -> &[Variable] {
        todo!()
    }
    /// Event ports: what projections and spike stimuli may target (`ampa`, or a model's own `on_event`).
    pub fn event_ports(&self) -> &[EventPort] {
        todo!()
    }
    /// What time means.
    pub fn time_unit(&self) -> TimeUnit {
        todo!()
    }
    /// Whether there is a threshold.
    pub fn spikes(&self) -> bool {
        todo!()
    }
    /// Whether an equation has white noise.
    pub fn is_stochastic(&self) -> bool {
        todo!()
    }
    /// The equations typeset in plain Unicode, one line each.
    pub fn typeset(&self) -> Vec<String> {
        todo!()
    }
}

/// Where events arrive.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPort {
    /// Name of the receptor.
    pub name: String,
    /// Dimension of a weight.
    pub weight: Dimension,
}
