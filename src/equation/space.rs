//! Operators of space in equations: `laplacian(u)`, `gradient(u)`, `gradient_x(u)`, `gradient_y(u)`,
//! `convolve(kernel(...), f(u))`, `axial(V_m, R_a)`.
//!
//! Each becomes an extra input port of the system, which the place (a grid or a tree) fills before a step: so the
//! kernels that run over units stay pointwise, and the derivative of a rate by that port is the coefficient of the
//! operator.

use super::Variable;
use super::graph::{Graph, Id, Symbol};
use super::syntax::{Expr, ExprKind};
use spikedeck_core::units::Dimension;

/// The operators of the language, with what they take.
pub const OPERATORS: &[(&str, &str)] = &[
    ("laplacian", "sum of the second derivatives in space"),
    ("gradient", "first derivative along a line"),
    ("gradient_x", "first derivative along the first axis of a grid"),
    ("gradient_y", "first derivative along the second axis of a plane"),
    ("convolve", "convolve(kernel(width), x): the integral of kernel times x over the grid"),
    ("axial", "axial(V_m, R_a): on a tree, what flows along it into a compartment, by resistivity R_a"),
];

/// A kernel of a convolution; `r` is a distance and all have the unit of one over length (or area).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelShape {
    /// `gaussian(sigma)`, integral 1.
    Gaussian,
    /// `exponential(sigma)`, exp(-r/sigma), integral 1.
    Exponential,
    /// `mexican_hat(a, sigma_a, b, sigma_b)`: a gaussian(sigma_a) - b gaussian(sigma_b).
    MexicanHat,
    /// `wizard_hat(sigma)`: (1 - r/sigma) exp(-r/sigma)/sigma, integral 0 on a line.
    WizardHat,
    /// `listed(w0, w1, ...)`: weights of the cell itself, of its neighbours on both sides, of the next ones; on a line.
    Listed,
}

impl KernelShape {
    /// Kernels by name with the meaning of their arguments: true for a width (a length), false for a plain number;
    /// none: any number of plain numbers.
    pub const LIST: &'static [(&'static str, Self, &'static [bool])] = &[
        ("gaussian", Self::Gaussian, &[true]),
        ("exponential", Self::Exponential, &[true]),
        ("mexican_hat", Self::MexicanHat, &[false, true, false, true]),
        ("wizard_hat", Self::WizardHat, &[true]),
        ("listed", Self::Listed, &[]),
    ];
}

/// What an operator does.
#[derive(Debug, Clone, PartialEq)]
pub enum OperatorKind {
    /// Second differences over the spacing squared.
    Laplacian,
    /// Central difference along an axis; `None`: along the only one.
    Gradient(Option<usize>),
    /// Integral with a kernel whose arguments are these expressions of parameters.
    Convolve(KernelShape, Vec<Id>),
    /// What flows into a compartment of a tree from its neighbours; the resistivity is this expression of parameters.
    Axial(Id),
}

/// An operator of space and the port that carries its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Operator {
    /// Index of the input port.
    pub input: usize,
    /// What it does.
    pub kind: OperatorKind,
    /// To what; may name the ports of operators before it.
    pub argument: Id,
    /// Dimension of the argument.
    pub dimension: Dimension,
}

/// Where operators met in equations are collected.
pub struct Space<'a> {
    /// Operators so far.
    pub operators: &'a mut Vec<Operator>,
    /// Ports.
    pub inputs: &'a mut Vec<Variable>,
    /// What ports carry.
    pub totals: &'a mut Vec<Id>,
    /// Dimension of a length: metre where equations have units, none in plain-number models.
    pub length: Dimension,
}

impl Space<'_> {
    /// The port of an operator; equal operators share one. `resistivity` is the dimension of what `axial` divides by.
    pub fn port(
        &mut self,
        graph: &mut Graph,
        kind: OperatorKind,
        (argument, dimension): (Id, Dimension),
        resistivity: Dimension,
        e: &Expr,
    ) -> (Id, Dimension) {
        let value = match kind {
            OperatorKind::Axial(_) => dimension.times(self.length).per(resistivity),
            OperatorKind::Laplacian => dimension.per(self.length.times(self.length)),
            OperatorKind::Gradient(_) => dimension.per(self.length),
            OperatorKind::Convolve(..) => dimension,
        };
        if let Some(same) = self.operators.iter().find(|o| o.kind == kind && o.argument == argument) {
            return (graph.symbol(Symbol::Input(same.input as u32)), value);
        }
        let input = self.inputs.len();
        let id = graph.symbol(Symbol::Input(input as u32));
        self.inputs.push(Variable { name: written(e), dimension: value });
        self.totals.push(id);
        self.operators.push(Operator { input, kind, argument, dimension });
        (id, value)
    }
}

/// The operator as text, with what is not a name or a call left out.
fn written(e: &Expr) -> String {
    match &e.kind {
        ExprKind::Name(n) => n.clone(),
        ExprKind::Number(v) => v.to_string(),
        ExprKind::Call(name, _, list) => format!("{name}({})", list.iter().map(written).collect::<Vec<_>>().join(", ")),
        _ => "...".to_owned(),
    }
}
