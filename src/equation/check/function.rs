//! Functions in expressions: which there are, what they take, and what unit they give.

use std::ops::Range;

use super::{Checker, Type, Typed, describe};
use crate::graph::{Binary, Id, Unary};
use crate::space::OPERATORS;
use crate::syntax::Expr;
use spikedeck_core::diagnostic::{Diagnostic, did_you_mean};
use spikedeck_core::units::Dimension;

/// A function of the language.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it gives.
    pub about: &'static str,
    form: Form,
}

/// What a function takes, and what unit it gives.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// A plain number, and gives one.
    Plain(Unary),
    /// Any number, and gives one of the same unit.
    SameUnit(Unary),
    /// Any number, and gives a plain one.
    AnyUnit(Unary),
    /// Any number whose unit has a root.
    Root,
    /// Two numbers of one unit.
    Two(Binary),
    /// A number and its bounds, of one unit.
    Clip,
    /// A condition and two numbers of one unit.
    Where,
}

impl Function {
    /// How it is called: `min(x, y)`.
    pub fn written(&self) -> String {
        let arguments = match self.form {
            Form::Clip => "x, low, high",
            Form::Where => "condition, x, y",
            Form::Two(_) => "x, y",
            Form::Plain(_) | Form::SameUnit(_) | Form::AnyUnit(_) | Form::Root => "x",
        };
        format!("{}({arguments})", self.name)
    }
}

impl Form {
    fn arguments(self) -> usize {
        match self {
            Self::Plain(_) | Self::SameUnit(_) | Self::AnyUnit(_) | Self::Root => 1,
            Self::Two(_) => 2,
            Self::Clip | Self::Where => 3,
        }
    }
}

const fn function(name: &'static str, form: Form, about: &'static str) -> Function {
    Function { name, about, form }
}

/// The functions of the language, with what they take.
pub const FUNCTIONS: &[Function] = &[
    function("exp", Form::Plain(Unary::Exp), "e to the power x"),
    function("log", Form::Plain(Unary::Log), "natural logarithm"),
    function("expm1", Form::Plain(Unary::Expm1), "exp(x) - 1, accurate near zero"),
    function("exprel", Form::Plain(Unary::Exprel), "(exp(x) - 1)/x, 1 at zero"),
    function("sqrt", Form::Root, "square root"),
    function("sin", Form::Plain(Unary::Sin), "sine"),
    function("cos", Form::Plain(Unary::Cos), "cosine"),
    function("tan", Form::Plain(Unary::Tan), "tangent"),
    function("tanh", Form::Plain(Unary::Tanh), "hyperbolic tangent"),
    function("sinh", Form::Plain(Unary::Sinh), "hyperbolic sine"),
    function("cosh", Form::Plain(Unary::Cosh), "hyperbolic cosine"),
    function("abs", Form::SameUnit(Unary::Abs), "absolute value"),
    function("sign", Form::AnyUnit(Unary::Sign), "-1, 0 or 1"),
    function("floor", Form::Plain(Unary::Floor), "greatest whole number not above x"),
    function("min", Form::Two(Binary::Min), "the lesser of two"),
    function("max", Form::Two(Binary::Max), "the greater of two"),
    function("clip", Form::Clip, "clip(x, low, high)"),
    function("step", Form::AnyUnit(Unary::Step), "1 for x >= 0, else 0"),
    function("sigmoid", Form::Plain(Unary::Sigmoid), "1/(1 + exp(-x))"),
    function("where", Form::Where, "where(condition, then, otherwise)"),
];

impl Checker<'_> {
    /// `name(...)`: a function or an operator of space.
    pub(super) fn call(&mut self, name: &str, name_span: &Range<usize>, list: &[Expr], e: &Expr) -> Option<Typed> {
        if OPERATORS.iter().any(|o| o.0 == name) {
            return self.operator(name, name_span, list, e);
        }
        let Some(&Function { form, .. }) = FUNCTIONS.iter().find(|f| f.name == name) else {
            let d = self.unknown_function(name, name_span);
            return self.fail(d);
        };
        let wanted = form.arguments();
        if list.len() != wanted {
            let plural = if wanted == 1 { "argument" } else { "arguments" };
            return self.fail(Diagnostic::error(
                format!("`{name}` takes {wanted} {plural}, not {}", list.len()),
                e.span.clone(),
            ));
        }
        match form {
            Form::Plain(op) => self.plain(name, op, &list[0]),
            Form::SameUnit(op) => {
                let (x, d) = self.number(&list[0])?;
                Some(Typed { id: self.graph.unary(op, x), kind: d.map_or(Type::Zero, Type::Number) })
            }
            Form::AnyUnit(op) => {
                let (x, _) = self.number(&list[0])?;
                Some(Typed { id: self.graph.unary(op, x), kind: Type::Number(Dimension::NONE) })
            }
            Form::Root => self.root(&list[0], e),
            Form::Two(op) => {
                let (values, kind) = self.of_one_unit(name, list)?;
                Some(Typed { id: self.graph.binary(op, values[0], values[1]), kind })
            }
            Form::Clip => {
                let (values, kind) = self.of_one_unit(name, list)?;
                let low = self.graph.binary(Binary::Max, values[0], values[1]);
                Some(Typed { id: self.graph.binary(Binary::Min, low, values[2]), kind })
            }
            Form::Where => {
                let c = self.condition(&list[0]);
                let (values, kind) = self.of_one_unit(name, &list[1..])?;
                Some(Typed { id: self.graph.choose(c?, values[0], values[1]), kind })
            }
        }
    }

    fn unknown_function(&mut self, name: &str, span: &Range<usize>) -> Diagnostic {
        let d = Diagnostic::error(format!("unknown function `{name}`"), span.clone());
        match (name, did_you_mean(name, FUNCTIONS.iter().map(|f| f.name))) {
            ("ln", _) => d.help("the natural logarithm is `log`"),
            ("heaviside" | "H", _) => d.help("the Heaviside function is `step`"),
            ("int", _) => d.help("write `where(condition, 1, 0)`"),
            (_, Some(near)) => d.help(format!("did you mean `{near}`?")),
            _ if (self.lookup)(self.graph, name).is_some() => {
                d.help(format!("`{name}` is a quantity; a product is written `{name}*(...)`"))
            }
            _ => {
                let names: Vec<&str> = FUNCTIONS.iter().map(|f| f.name).collect();
                d.help(format!("known functions: {}", names.join(", ")))
            }
        }
    }

    /// A function of a plain number.
    fn plain(&mut self, name: &str, op: Unary, argument: &Expr) -> Option<Typed> {
        let (x, d) = self.number(argument)?;
        if let Some(d) = d.filter(|d| !d.is_none()) {
            return self.fail(
                Diagnostic::error(
                    format!("`{name}` takes a plain number, this has {}", describe(d)),
                    argument.span.clone(),
                )
                .label(format!("has {}", describe(d)))
                .help("divide by a quantity of the same unit, such as a parameter or a literal like [1 mV]"),
            );
        }
        Some(Typed { id: self.graph.unary(op, x), kind: Type::Number(Dimension::NONE) })
    }

    fn root(&mut self, argument: &Expr, whole: &Expr) -> Option<Typed> {
        let (x, d) = self.number(argument)?;
        let Some(root) = d.map_or(Some(Dimension::NONE), |d| d.power(0.5)) else {
            return self.fail(Diagnostic::error("the root of this unit is no unit", whole.span.clone()));
        };
        Some(Typed { id: self.graph.unary(Unary::Sqrt, x), kind: Type::Number(root) })
    }

    /// Numbers of one unit, and what they are.
    fn of_one_unit(&mut self, name: &str, list: &[Expr]) -> Option<(Vec<Id>, Type)> {
        // All are looked at, so that all that is wrong is said.
        let values: Vec<_> = list.iter().map(|x| self.number(x)).collect();
        let values: Vec<(Id, Option<Dimension>)> = values.into_iter().collect::<Option<_>>()?;
        let pairs: Vec<_> = values.iter().zip(list).map(|(v, x)| (v.1, x)).collect();
        let kind = self.same(name, &pairs)?.map_or(Type::Zero, Type::Number);
        Some((values.into_iter().map(|v| v.0).collect(), kind))
    }
}
