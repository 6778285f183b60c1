//! What an expression graph is made of, and what each operation computes.

use spikedeck_core::math;
use spikedeck_core::units::Dimension;

/// A node of a [`super::graph::Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u32);

impl Id {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What an expression depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Symbol {
    /// The n-th state.
    State(u32),
    /// The n-th parameter.
    Parameter(u32),
    /// The n-th input port.
    Input(u32),
    /// The n-th name that the carrier gives (receptors before they are carried).
    Given(u32),
    /// The n-th variable of a stand-alone expression, or an intermediate value that an integrator computed.
    Variable(u32),
    /// Time.
    Time,
    /// Weight of an arriving event.
    Weight,
    /// White noise (`xi`), one for each equation: the index is that of the state.
    Noise(u32),
}

/// A function of one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the function of its name")]
pub enum Unary {
    Neg,
    Not,
    Exp,
    Expm1,
    Exprel,
    ExprelDerivative,
    /// x/(exp(x) - 1).
    Bernoulli,
    Log,
    Sqrt,
    Sin,
    Cos,
    Tan,
    Tanh,
    Sinh,
    Cosh,
    Abs,
    Sign,
    Floor,
    Step,
    Sigmoid,
    /// A whole power.
    Powi(i32),
}

/// A function of two arguments. Conditions are 1 or 0, or NaN where what they compare is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the operation of its name")]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Or,
}

/// One node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Node {
    /// A number: its bits and its dimension.
    Constant(u64, Dimension),
    /// Something given from outside.
    Symbol(Symbol),
    /// A function of one argument.
    Unary(Unary, Id),
    /// A function of two arguments.
    Binary(Binary, Id, Id),
    /// `where(condition, then, otherwise)`.
    Where(Id, Id, Id),
    /// `±(a b) ± c` with one rounding; made only by `fuse`, never by the parser.
    Fma {
        /// First factor.
        a: Id,
        /// Second factor.
        b: Id,
        /// Term.
        c: Id,
        /// The product is subtracted.
        minus_product: bool,
        /// The term is subtracted.
        minus_term: bool,
    },
}

impl Unary {
    /// The value.
    #[inline(always)]
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::Neg => -x,
            Self::Not => math::not(x),
            Self::Exp => math::exp(x),
            Self::Expm1 => math::expm1(x),
            Self::Exprel => math::exprel(x),
            Self::ExprelDerivative => math::exprel_derivative(x),
            Self::Bernoulli => math::bernoulli(x),
            Self::Log => math::log(x),
            Self::Sqrt => math::sqrt(x),
            Self::Sin => math::sin(x),
            Self::Cos => math::cos(x),
            Self::Tan => math::tan(x),
            Self::Tanh => math::tanh(x),
            Self::Sinh => math::sinh(x),
            Self::Cosh => math::cosh(x),
            Self::Abs => x.abs(),
            Self::Sign => math::sign(x),
            Self::Floor => x.floor(),
            Self::Step => math::step(x),
            Self::Sigmoid => math::sigmoid(x),
            Self::Powi(n) => math::powi(x, n),
        }
    }

    /// Dimension of the value for a constant of this dimension, or `None` if it cannot be folded.
    pub(super) fn dimension(self, d: Dimension) -> Option<Dimension> {
        match self {
            Self::Neg | Self::Abs => Some(d),
            Self::Sqrt => d.power(0.5),
            Self::Powi(n) => d.power(f64::from(n)),
            Self::Sign | Self::Step => Some(Dimension::NONE),
            _ if d.is_none() => Some(d),
            _ => None,
        }
    }
}

impl Binary {
    /// The value.
    #[inline(always)]
    pub fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Pow => math::pow(a, b),
            Self::Min => math::min(a, b),
            Self::Max => math::max(a, b),
            Self::Less => math::compared(a, b, a < b),
            Self::LessEqual => math::compared(a, b, a <= b),
            Self::Greater => math::compared(a, b, a > b),
            Self::GreaterEqual => math::compared(a, b, a >= b),
            Self::Equal => math::compared(a, b, a == b),
            Self::NotEqual => math::compared(a, b, a != b),
            Self::And => math::both(a, b),
            Self::Or => math::either(a, b),
        }
    }

    /// Whether the arguments may change places.
    pub fn commutes(self) -> bool {
        matches!(self, Self::Add | Self::Mul | Self::Equal | Self::NotEqual | Self::And | Self::Or)
    }

    pub(super) fn dimension(self, a: Dimension, b: Dimension) -> Option<Dimension> {
        match self {
            Self::Mul => Some(a.times(b)),
            Self::Div => Some(a.per(b)),
            Self::Sub if a == b => Some(a.difference()),
            Self::Add | Self::Min | Self::Max if a == b => Some(a),
            Self::Pow if a.is_none() && b.is_none() => Some(a),
            Self::And | Self::Or => Some(Dimension::NONE),
            Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual | Self::Equal | Self::NotEqual
                if a == b =>
            {
                Some(Dimension::NONE)
            }
            _ => None,
        }
    }
}

/// The value of a fused multiply-add node.
#[inline(always)]
pub fn fused(a: f64, b: f64, c: f64, minus_product: bool, minus_term: bool) -> f64 {
    let a = if minus_product { -a } else { a };
    a.mul_add(b, if minus_term { -c } else { c })
}
