//! Syntax tree → graph, with units and names checked on the way.

use super::graph::{Binary, Graph, Id, Node, Symbol, Unary};
use super::space::{KernelShape, OPERATORS, OperatorKind, Space};
use super::syntax::{Expr, ExprKind};
use super::units_as_names::is_unit;
use spikedeck_core::diagnostic::{Diagnostic, did_you_mean};
use spikedeck_core::units::Dimension;

/// The functions of the language, with what they take.
pub const FUNCTIONS: &[(&str, &str)] = &[
    ("exp", "e to the power x"),
    ("log", "natural logarithm"),
    ("expm1", "exp(x) - 1, accurate near zero"),
    ("exprel", "(exp(x) - 1)/x, 1 at zero"),
    ("sqrt", "square root"),
    ("sin", "sine"),
    ("cos", "cosine"),
    ("tan", "tangent"),
    ("tanh", "hyperbolic tangent"),
    ("sinh", "hyperbolic sine"),
    ("cosh", "hyperbolic cosine"),
    ("abs", "absolute value"),
    ("sign", "-1, 0 or 1"),
    ("floor", "greatest whole number not above x"),
    ("min", "the lesser of two"),
    ("max", "the greater of two"),
    ("clip", "clip(x, low, high)"),
    ("step", "1 for x >= 0, else 0"),
    ("sigmoid", "1/(1 + exp(-x))"),
    ("where", "where(condition, then, otherwise)"),
];

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
        if FUNCTIONS.iter().any(|f| f.0 == name) {
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
            None => d.help("names are states, parameters, inputs, subexpressions, `t` and `xi`"),
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
                    (Some(dx), Some(dy)) if dx != dy => {
                        let verb = match op {
                            Binary::Add => "are added",
                            Binary::Sub => "are subtracted",
                            _ => "are compared",
                        };
                        return self.fail(
                            Diagnostic::error(
                                format!(
                                    "two different units {verb}: the left side has {}, the right side {}",
                                    describe(dx),
                                    describe(dy)
                                ),
                                whole.span.clone(),
                            )
                            .label(format!("{dx} and {dy}")),
                        );
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

    fn call(&mut self, name: &str, name_span: &std::ops::Range<usize>, list: &[Expr], e: &Expr) -> Option<Typed> {
        if OPERATORS.iter().any(|o| o.0 == name) {
            return self.operator(name, name_span, list, e);
        }
        let Some(&(function, _)) = FUNCTIONS.iter().find(|f| f.0 == name) else {
            let d = Diagnostic::error(format!("unknown function `{name}`"), name_span.clone());
            let d = match (name, did_you_mean(name, FUNCTIONS.iter().map(|f| f.0))) {
                ("ln", _) => d.help("the natural logarithm is `log`"),
                ("heaviside" | "H", _) => d.help("the Heaviside function is `step`"),
                ("int", _) => d.help("write `where(condition, 1, 0)`"),
                (_, Some(near)) => d.help(format!("did you mean `{near}`?")),
                _ if (self.lookup)(self.graph, name).is_some() => {
                    d.help(format!("`{name}` is a quantity; a product is written `{name}*(...)`"))
                }
                _ => {
                    d.help(format!("known functions: {}", FUNCTIONS.iter().map(|f| f.0).collect::<Vec<_>>().join(", ")))
                }
            };
            return self.fail(d);
        };
        let wanted = match function {
            "min" | "max" => 2,
            "clip" | "where" => 3,
            _ => 1,
        };
        if list.len() != wanted {
            let plural = if wanted == 1 { "argument" } else { "arguments" };
            return self.fail(Diagnostic::error(
                format!("`{name}` takes {wanted} {plural}, not {}", list.len()),
                e.span.clone(),
            ));
        }
        if function == "where" {
            let c = self.condition(&list[0]);
            let (a, b) = (self.number(&list[1]), self.number(&list[2]));
            let ((a, da), (b, db)) = (a?, b?);
            let d = self.same(name, &[(da, &list[1]), (db, &list[2])])?;
            return Some(Typed { id: self.graph.choose(c?, a, b), kind: d.map_or(Type::Zero, Type::Number) });
        }
        let values: Vec<_> = list.iter().map(|x| self.number(x)).collect();
        let values: Vec<(Id, Option<Dimension>)> = values.into_iter().collect::<Option<_>>()?;
        if wanted > 1 {
            let pairs: Vec<_> = values.iter().zip(list).map(|(v, x)| (v.1, x)).collect();
            let kind = self.same(name, &pairs)?.map_or(Type::Zero, Type::Number);
            let id = match function {
                "min" => self.graph.binary(Binary::Min, values[0].0, values[1].0),
                "max" => self.graph.binary(Binary::Max, values[0].0, values[1].0),
                _ => {
                    let low = self.graph.binary(Binary::Max, values[0].0, values[1].0);
                    self.graph.binary(Binary::Min, low, values[2].0)
                }
            };
            return Some(Typed { id, kind });
        }
        let (x, d) = values[0];
        let (op, kind) = match function {
            "abs" => (Unary::Abs, d.map_or(Type::Zero, Type::Number)),
            "sign" => (Unary::Sign, Type::Number(Dimension::NONE)),
            "step" => (Unary::Step, Type::Number(Dimension::NONE)),
            "sqrt" => {
                let root = d.map(|d| d.power(0.5));
                let Some(root) = root.unwrap_or(Some(Dimension::NONE)) else {
                    return self.fail(Diagnostic::error("the root of this unit is no unit", e.span.clone()));
                };
                (Unary::Sqrt, Type::Number(root))
            }
            _ => {
                if let Some(d) = d.filter(|d| !d.is_none()) {
                    return self.fail(
                        Diagnostic::error(
                            format!("`{name}` takes a plain number, this has {}", describe(d)),
                            list[0].span.clone(),
                        )
                        .label(format!("has {}", describe(d)))
                        .help("divide by a quantity of the same unit, such as a parameter or a literal like [1 mV]"),
                    );
                }
                let op = match function {
                    "exp" => Unary::Exp,
                    "log" => Unary::Log,
                    "expm1" => Unary::Expm1,
                    "exprel" => Unary::Exprel,
                    "sin" => Unary::Sin,
                    "cos" => Unary::Cos,
                    "tan" => Unary::Tan,
                    "tanh" => Unary::Tanh,
                    "sinh" => Unary::Sinh,
                    "cosh" => Unary::Cosh,
                    "floor" => Unary::Floor,
                    _ => Unary::Sigmoid,
                };
                (op, Type::Number(Dimension::NONE))
            }
        };
        Some(Typed { id: self.graph.unary(op, x), kind })
    }

    fn operator(&mut self, name: &str, name_span: &std::ops::Range<usize>, list: &[Expr], e: &Expr) -> Option<Typed> {
        let wanted = if matches!(name, "convolve" | "axial") { 2 } else { 1 };
        if list.len() != wanted {
            let plural = match name {
                "convolve" => "arguments, a kernel and what it is applied to",
                "axial" => "arguments, a state and a resistivity",
                _ => "argument",
            };
            return self.fail(Diagnostic::error(
                format!("`{name}` takes {wanted} {plural}, not {}", list.len()),
                e.span.clone(),
            ));
        }
        if self.space.is_none() {
            return self.fail(
                Diagnostic::error(format!("`{name}` needs neighbours in space, which there are none of here"), name_span.clone())
                    .help("operators of space stand in the `equations` of a model whose population has a `grid` (`axial`: sections)"),
            );
        }
        let kind = match name {
            "laplacian" => OperatorKind::Laplacian,
            "gradient" => OperatorKind::Gradient(None),
            "gradient_x" => OperatorKind::Gradient(Some(0)),
            "gradient_y" => OperatorKind::Gradient(Some(1)),
            "axial" => OperatorKind::Axial(self.resistivity(&list[1])?.0),
            _ => self.kernel(&list[0])?,
        };
        let resistivity = if name == "axial" { self.resistivity(&list[1])?.1 } else { Dimension::NONE };
        let (argument, d) = self.number(&list[usize::from(name == "convolve")])?;
        if name == "axial" && !matches!(self.graph.node(argument), Node::Symbol(Symbol::State(_))) {
            return self.fail(
                Diagnostic::error("`axial` is of a state", list[0].span.clone()).help("write `axial(V_m, R_a)`"),
            );
        }
        let space = self.space.as_mut()?;
        let (id, d) = space.port(self.graph, kind, (argument, d.unwrap_or_default()), resistivity, e);
        Some(Typed { id, kind: Type::Number(d) })
    }

    /// The second argument of `axial`, with its dimension.
    fn resistivity(&mut self, e: &Expr) -> Option<(Id, Dimension)> {
        let (id, d) = self.number(e)?;
        if self.graph.depends(id, |s| !matches!(s, Symbol::Parameter(_))) {
            return self.fail(Diagnostic::error(
                "a resistivity does not change: it is made of parameters only",
                e.span.clone(),
            ));
        }
        Some((id, d.unwrap_or_default()))
    }

    /// The first argument of `convolve`.
    fn kernel(&mut self, e: &Expr) -> Option<OperatorKind> {
        let names = || KernelShape::LIST.iter().map(|k| k.0);
        let known =
            || format!("kernels: {}, such as `convolve(gaussian(sigma), u)`", names().collect::<Vec<_>>().join(", "));
        let ExprKind::Call(name, span, list) = &e.kind else {
            return self
                .fail(Diagnostic::error("the first argument of `convolve` is a kernel", e.span.clone()).help(known()));
        };
        let Some((_, shape, arguments)) = KernelShape::LIST.iter().find(|k| k.0 == name) else {
            let help = did_you_mean(name, names()).map_or_else(known, |n| format!("did you mean `{n}`?"));
            return self.fail(Diagnostic::error(format!("unknown kernel `{name}`"), span.clone()).help(help));
        };
        if if arguments.is_empty() { list.is_empty() } else { list.len() != arguments.len() } {
            let count = if arguments.is_empty() { "one or more".to_owned() } else { arguments.len().to_string() };
            return self.fail(Diagnostic::error(
                format!("kernel `{name}` takes {count} arguments, not {}", list.len()),
                e.span.clone(),
            ));
        }
        let length = self.space.as_ref().map(|s| s.length).unwrap_or_default();
        let mut ids = Vec::new();
        for (x, width) in list.iter().zip(arguments.iter().copied().chain(std::iter::repeat(false))) {
            let (want, what) =
                if width { (length, "the width of a kernel") } else { (Dimension::NONE, "the strength of a kernel") };
            let id = self.expect(x, want, what)?;
            if self.graph.depends(id, |s| !matches!(s, Symbol::Parameter(_))) {
                return self.fail(Diagnostic::error(
                    "a kernel does not change: it is made of parameters only",
                    x.span.clone(),
                ));
            }
            ids.push(id);
        }
        Some(OperatorKind::Convolve(*shape, ids))
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
