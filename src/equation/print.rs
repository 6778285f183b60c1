//! Graph → text, typeset in plain Unicode.

use super::graph::{Binary, Graph, Id, Node, Symbol, Unary};
use spikedeck_core::units::Dimension;

/// How tightly a piece of text binds: a piece is put in parentheses where something tighter is needed.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Level {
    Or,
    And,
    Not,
    Compare,
    Sum,
    Product,
    Minus,
    Power,
    Atom,
}

/// Writes expressions of one graph.
pub struct Printer<'a> {
    graph: &'a Graph,
    names: &'a dyn Fn(Symbol) -> String,
    /// Nodes that have a name of their own (subexpressions).
    named: Vec<(Id, String)>,
}

impl<'a> Printer<'a> {
    /// `named` nodes are written by their names, except where `print` starts.
    pub fn new(graph: &'a Graph, names: &'a dyn Fn(Symbol) -> String, named: Vec<(Id, String)>) -> Self {
        Self { graph, names, named }
    }

    /// The text of `id`.
    pub fn print(&self, id: Id) -> String {
        self.write(id).0
    }

    fn text(&self, id: Id) -> (String, Level) {
        if let Some((_, name)) = self.named.iter().find(|n| n.0 == id) {
            return (name.clone(), Level::Atom);
        }
        self.write(id)
    }

    fn at(&self, id: Id, level: Level) -> String {
        let (text, own) = self.text(id);
        if own < level { format!("({text})") } else { text }
    }

    fn above(&self, id: Id, level: Level) -> String {
        let (text, own) = self.text(id);
        if own <= level { format!("({text})") } else { text }
    }

    fn write(&self, id: Id) -> (String, Level) {
        match self.graph.node(id) {
            Node::Constant(bits, d) => Self::constant(f64::from_bits(bits), d),
            Node::Symbol(s) => ((self.names)(s), Level::Atom),
            Node::Unary(Unary::Neg, x) => {
                let (text, own) = self.text(x);
                // A sign before a product is one of the product, which is all that it binds to.
                match own {
                    Level::Product => (format!("−{text}"), Level::Product),
                    _ => (format!("−{}", self.at(x, Level::Product)), Level::Minus),
                }
            }
            Node::Unary(Unary::Not, x) => (format!("not {}", self.at(x, Level::Compare)), Level::Not),
            Node::Unary(Unary::Powi(n), x) => self.power(x, &n.to_string()),
            Node::Unary(Unary::Bernoulli, x) => (format!("1/exprel({})", self.text(x).0), Level::Product),
            Node::Unary(Unary::Abs, x) => (format!("|{}|", self.text(x).0), Level::Atom),
            Node::Unary(op, x) => (format!("{}({})", function(op), self.text(x).0), Level::Atom),
            Node::Binary(op, a, b) => self.binary(op, a, b),
            Node::Where(c, a, b) => {
                (format!("where({}, {}, {})", self.text(c).0, self.text(a).0, self.text(b).0), Level::Atom)
            }
            Node::Fma { a, b, c, minus_product, minus_term } => {
                let text = format!(
                    "{}{}*{} {} {}",
                    if minus_product { "-" } else { "" },
                    self.at(a, Level::Power),
                    self.at(b, Level::Power),
                    if minus_term { "-" } else { "+" },
                    self.above(c, Level::Sum)
                );
                (text, Level::Sum)
            }
        }
    }

    fn is_quotient(&self, id: Id) -> bool {
        matches!(self.graph.node(id), Node::Binary(Binary::Div, ..)) && !self.named.iter().any(|n| n.0 == id)
    }

    fn power(&self, x: Id, exponent: &str) -> (String, Level) {
        let base = self.at(x, Level::Atom);
        match exponent.chars().map(superscript).collect::<Option<String>>() {
            Some(raised) => (format!("{base}{raised}"), Level::Power),
            None => (format!("{base}**{exponent}"), Level::Power),
        }
    }

    fn binary(&self, op: Binary, a: Id, b: Id) -> (String, Level) {
        let join = |sign: &str, left: String, right: String, level| (format!("{left}{sign}{right}"), level);
        match op {
            // Sums and products need no parentheses on their right for people.
            Binary::Add => join(" + ", self.at(a, Level::Sum), self.at(b, Level::Sum), Level::Sum),
            Binary::Mul if !self.is_quotient(b) => {
                join("·", self.at(a, Level::Product), self.at(b, Level::Product), Level::Product)
            }
            Binary::Sub => join(" − ", self.at(a, Level::Sum), self.above(b, Level::Sum), Level::Sum),
            Binary::Mul => join("·", self.at(a, Level::Product), self.above(b, Level::Product), Level::Product),
            Binary::Div => join("/", self.at(a, Level::Product), self.above(b, Level::Product), Level::Product),
            Binary::Pow => self.power(a, &self.at(b, Level::Minus)),
            Binary::Min => (format!("min({}, {})", self.text(a).0, self.text(b).0), Level::Atom),
            Binary::Max => (format!("max({}, {})", self.text(a).0, self.text(b).0), Level::Atom),
            Binary::And => join(" and ", self.at(a, Level::And), self.above(b, Level::And), Level::And),
            Binary::Or => join(" or ", self.at(a, Level::Or), self.above(b, Level::Or), Level::Or),
            _ => {
                let sign = match op {
                    Binary::Less => " < ",
                    Binary::LessEqual => " ≤ ",
                    Binary::Greater => " > ",
                    Binary::GreaterEqual => " ≥ ",
                    Binary::Equal => " = ",
                    _ => " ≠ ",
                };
                join(sign, self.above(a, Level::Compare), self.above(b, Level::Compare), Level::Compare)
            }
        }
    }

    fn constant(value: f64, d: Dimension) -> (String, Level) {
        let q = spikedeck_core::units::Quantity { value, dimension: d };
        let text = q.to_string().replace('-', "−");
        let level = if d.is_none() && value >= 0.0 { Level::Atom } else { Level::Minus };
        let text = if d.is_none() { text } else { text.replace("**2", "²").replace('*', "·") };
        (text, level)
    }
}

fn function(op: Unary) -> &'static str {
    match op {
        Unary::Neg => "-",
        Unary::Not => "not",
        Unary::Exp => "exp",
        Unary::Expm1 => "expm1",
        Unary::Exprel => "exprel",
        Unary::ExprelDerivative => "exprel′",
        Unary::Bernoulli => "1/exprel",
        Unary::Log => "log",
        Unary::Sqrt => "√",
        Unary::Sin => "sin",
        Unary::Cos => "cos",
        Unary::Tan => "tan",
        Unary::Tanh => "tanh",
        Unary::Sinh => "sinh",
        Unary::Cosh => "cosh",
        Unary::Abs => "abs",
        Unary::Sign => "sign",
        Unary::Floor => "floor",
        Unary::Step => "step",
        Unary::Sigmoid => "sigmoid",
        Unary::Powi(_) => "**",
    }
}

fn superscript(c: char) -> Option<char> {
    Some(match c {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4'..='9' => char::from_u32(c as u32 - '4' as u32 + '⁴' as u32)?,
        _ => return None,
    })
}
