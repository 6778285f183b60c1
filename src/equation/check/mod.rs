//! Syntax tree → graph, with units and names checked on the way.
//!
//! Here are names, numbers and what stands between them; functions are in `function`, operators of space in `operator`.

mod function;
mod operator;

pub use self::function::{FUNCTIONS, Function};

use super::graph::{Binary, Graph, Id, Node, Unary};
use super::space::Space;
use super::syntax::{Expr, ExprKind};
use super::units_as_names::is_unit;
use spikedeck_core::diagnostic::{Diagnostic, did_you_mean};
use spikedeck_core::units::Dimension;

/// The one number that has a name.
const PI: &str = "pi";

/// Names that cannot be declared.
pub const RESERVED: [&str; 6] = ["t", "xi", "and", "or", "not", "dt"];

/// What kind of value an expression has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Type {
    /// A number with a dimension.
    Number(Dimension),
    /// The literal zero, which has every dimension.
    Zero,
    /// True or false.
    Condition,
}

/// A checked expression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Typed {
    /// Its node.
    pub id: Id,
    /// What it is.
    pub kind: Type,
}

/// What a name stands for: `Ok` a node with its dimension, `Err` why it cannot stand here.
pub type Lookup<'a> = dyn Fn(&mut Graph, &str) -> Option<Result<(Id, Dimension), Diagnostic>> + 'a;

/// Checks expressions against names.
pub struct Checker<'a> {
    /// Where nodes go.
    pub graph: &'a mut Graph,
    /// What names mean.
    pub lookup: &'a Lookup<'a>,
    /// All names, for suggestions.
    pub known: &'a [String],
    /// What is wrong.
    pub diagnostics: &'a mut Vec<Diagnostic>,
    /// Where operators of space may stand: in the equations of a model.
    pub space: Option<Space<'a>>,
}

/// `V`, or `no unit` for plain numbers.
pub fn describe(d: Dimension) -> String {
    if d.is_none() { "no unit".to_owned() } else { format!("unit {d}") }
}

impl Checker<'_> {
    fn fail<T>(&mut self, d: Diagnostic) -> Option<T> {
        self.diagnostics.push(d);
        None
    }

    /// The expression, which must be a condition.
    pub fn condition(&mut self, e: &Expr) -> Option<Id> {
        let typed = self.check(e)?;
        if typed.kind == Type::Condition {
            return Some(typed.id);
        }
        self.fail(
            Diagnostic::error("a condition is needed here, this is a number", e.span.clone())
                .help("write a comparison, such as `V_m > V_th`"),
        )
    }

    /// The expression, which must be a number.
    pub fn number(&mut self, e: &Expr) -> Option<(Id, Option<Dimension>)> {
        let typed = self.check(e)?;
        match typed.kind {
            Type::Number(d) => Some((typed.id, Some(d))),
            Type::Zero => Some((typed.id, None)),
            Type::Condition => self.fail(
                Diagnostic::error("a number is needed here, this is a condition", e.span.clone())
                    .help("write `where(condition, 1, 0)`"),
            ),
        }
    }

    /// The expression, which must have dimension `want`.
    pub fn expect(&mut self, e: &Expr, want: Dimension, what: &str) -> Option<Id> {
        let (id, d) = self.number(e)?;
        match d {
            Some(d) if d != want => self.fail(
                Diagnostic::error(
                    format!("{what} has {}, but this expression has {}", describe(want), describe(d)),
                    e.span.clone(),
                )
                .label(format!("has {}", describe(d))),
            ),
            _ => Some(id),
        }
    }

    fn check(&mut self, e: &Expr) -> Option<Typed> {
        let number = |id, d| Some(Typed { id, kind: Type::Number(d) });
        match &e.kind {
            ExprKind::Number(v) if *v == 0.0 => Some(Typed { id: self.graph.number(0.0), kind: Type::Zero }),
            ExprKind::Number(v) => number(self.graph.number(*v), Dimension::NONE),
            ExprKind::Quantity(q) => number(self.graph.constant(q.value, q.dimension), q.dimension),
            ExprKind::Name(n) => match (self.lookup)(self.graph, n) {
                Some(Ok((id, d))) => number(id, d),
                Some(Err(d)) => {
                    let span = e.span.clone();
                    self.fail(Diagnostic { span, ..d })
                }
                // Whoever declares a `pi` has their own.
                None if n == PI => number(self.graph.number(std::f64::consts::PI), Dimension::NONE),
                None => {
                    let d = self.unknown(n, e);
                    self.fail(d)
                }
            },
            ExprKind::Neg(x) => {
                let (id, d) = self.number(x)?;
                let id = self.graph.unary(Unary::Neg, id);
                Some(Typed { id, kind: d.map_or(Type::Zero, Type::Number) })
            }
            ExprKind::Not(x) => {
                let id = self.condition(x)?;
                Some(Typed { id: self.graph.unary(Unary::Not, id), kind: Type::Condition })
            }
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, e),
            ExprKind::Call(name, span, list) => self.call(name, span, list, e),
        }
    }

    fn unknown(&self, name: &str, e: &Expr) -> Diagnostic {
        if is_unit(name) {
            let d =
                Diagnostic::error(format!("`{name}` is a unit, and units are no names in equations"), e.span.clone());
            return d.unknown(name);
        }
        let d = Diagnostic::error(format!("unknown name `{name}`"), e.span.clone()).unknown(name);
        if FUNCTIONS.iter().any(|f| f.name == name) {
            return d.help(format!("`{name}` is a function: write `{name}(...)`"));
        }
        if name == "dt" {
            return d.help("equations do not know the step");
        }
        if name == "t" {
            return d.help("nothing here changes in time, so there is no `t`");
        }
        match did_you_mean(name, self.known.iter().map(String::as_str)) {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None if spikedeck_core::units::parse_unit(name).is_ok() => {
                d.help(format!("if the unit is meant, a quantity is written with it in brackets: `[1 {name}]`"))
            }
            None => d.help("names are states, parameters, inputs, subexpressions, `t`, `xi` and `pi`"),
        }
    }

    fn binary(&mut self, op: Binary, a: &Expr, b: &Expr, whole: &Expr) -> Option<Typed> {
        if matches!(op, Binary::And | Binary::Or) {
            let (x, y) = (self.condition(a), self.condition(b));
            return Some(Typed { id: self.graph.binary(op, x?, y?), kind: Type::Condition });
        }
        let (x, y) = (self.number(a), self.number(b));
        let ((x, dx), (y, dy)) = (x?, y?);
        let id = self.graph.binary(op, x, y);
        let kind = match op {
            Binary::Mul => match (dx, dy) {
                (Some(dx), Some(dy)) => Type::Number(dx.times(dy)),
                _ => Type::Zero,
            },
            Binary::Div => match (dx, dy) {
                (Some(dx), Some(dy)) => Type::Number(dx.per(dy)),
                (None, _) => Type::Zero,
                (_, None) => return self.fail(Diagnostic::error("division by zero", b.span.clone())),
            },
            Binary::Pow => self.power(dx, y, dy, a, b)?,
            _ => {
                let same = match (dx, dy) {
                    (Some(dx), Some(dy)) if op == Binary::Sub && dx == dy => Some(dx.difference()),
                    (Some(Dimension::CELSIUS), Some(Dimension::KELVIN)) if op == Binary::Add && self.is_ice(y) => dy,
                    (Some(Dimension::KELVIN), Some(Dimension::CELSIUS)) if op == Binary::Add && self.is_ice(x) => dx,
                    (Some(dx), Some(dy)) if dx != dy => {
                        let verb = match op {
                            Binary::Add => "are added",
                            Binary::Sub => "are subtracted",
                            _ => "are compared",
                        };
                        let mut wrong = Diagnostic::error(
                            format!(
                                "two different units {verb}: the left side has {}, the right side {}",
                                describe(dx),
                                describe(dy)
                            ),
                            whole.span.clone(),
                        )
                        .label(format!("{dx} and {dy}"));
                        if dx.difference() == dy.difference() {
                            wrong = wrong.help(
                                "degrees Celsius count from another zero than kelvin: write both in degC; \
                                 `T - [-273.15 degC]` is a temperature above absolute zero in K",
                            );
                        }
                        return self.fail(wrong);
                    }
                    _ => dx.or(dy),
                };
                match op {
                    Binary::Add | Binary::Sub | Binary::Min | Binary::Max => same.map_or(Type::Zero, Type::Number),
                    _ => Type::Condition,
                }
            }
        };
        if op == Binary::Div {
            self.warn_removable(x, y, whole);
        }
        Some(Typed { id, kind })
    }

    /// Whether a node is 273.15: added to degrees Celsius it makes kelvin of them.
    fn is_ice(&self, id: Id) -> bool {
        self.graph.value(id) == Some(273.15)
    }

    fn power(
        &mut self,
        base: Option<Dimension>,
        exponent: Id,
        d: Option<Dimension>,
        a: &Expr,
        b: &Expr,
    ) -> Option<Type> {
        if let Some(d) = d.filter(|d| !d.is_none()) {
            return self.fail(Diagnostic::error(
                format!("an exponent is a plain number, this has {}", describe(d)),
                b.span.clone(),
            ));
        }
        let Some(base) = base else { return Some(Type::Number(Dimension::NONE)) };
        if base.is_none() {
            return Some(Type::Number(base));
        }
        let Some(value) = self.graph.value(exponent) else {
            return self.fail(
                Diagnostic::error(
                    format!("a quantity with {} needs a constant exponent", describe(base)),
                    b.span.clone(),
                )
                .help("divide the base by a quantity of its unit, such as [1 mV]"),
            );
        };
        match base.power(value) {
            Some(d) => Some(Type::Number(d)),
            None => self
                .fail(Diagnostic::error(format!("{base} to the power {value} is no unit"), a.span.start..b.span.end)),
        }
    }

    /// `x/(exp(x) - 1)` and its kin are 0/0 where the limit is finite.
    fn warn_removable(&mut self, top: Id, bottom: Id, whole: &Expr) {
        let g = &*self.graph;
        let one = |id| g.value(id).is_some_and(|v| v.abs() == 1.0);
        let inner = |id| match g.node(id) {
            Node::Unary(Unary::Exp, x) => Some(x),
            _ => None,
        };
        let argument = match g.node(bottom) {
            Node::Binary(Binary::Sub | Binary::Add, a, b)
                if one(a) && !matches!(g.node(bottom), Node::Binary(Binary::Add, ..)) =>
            {
                inner(b)
            }
            Node::Binary(Binary::Sub, a, b) if one(b) => inner(a),
            Node::Unary(Unary::Expm1, x) => Some(x),
            Node::Unary(Unary::Neg, x) => match g.node(x) {
                Node::Unary(Unary::Expm1, y) => Some(y),
                _ => None,
            },
            _ => None,
        };
        let Some(argument) = argument else { return };
        let depends = |id| g.symbols(id);
        let (s, u) = (depends(top), depends(argument));
        if u.iter().any(|v| s.contains(v)) {
            self.diagnostics.push(
                Diagnostic::warning(
                    "this quotient is 0/0 where the exponent is zero, and gives NaN there",
                    whole.span.clone(),
                )
                .label("removable singularity")
                .help("write x/(exp(x) - 1) as 1/exprel(x), which is 1 at zero"),
            );
        }
    }

    #[expect(clippy::option_option, reason = "no dimension in common, or a zero that has every dimension")]
    fn same(&mut self, name: &str, list: &[(Option<Dimension>, &Expr)]) -> Option<Option<Dimension>> {
        let mut common: Option<Dimension> = None;
        for (d, e) in list {
            match (common, d) {
                (Some(c), Some(d)) if c != *d => {
                    return self.fail(
                        Diagnostic::error(
                            format!(
                                "the values of `{name}` have different units: {} and {}",
                                describe(c),
                                describe(*d)
                            ),
                            e.span.clone(),
                        )
                        .label(format!("has {}", describe(*d))),
                    );
                }
                (None, Some(d)) => common = Some(*d),
                (Some(_), Some(_)) | (_, None) => {}
            }
        }
        Some(common)
    }
}
