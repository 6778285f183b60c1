//! The last rewriting before a kernel: sums of products become fused multiply-adds, divisions by what does not change
//! become multiplications.
//!
//! The plain evaluator and the kernel both run the fused graph, so that they give the same bits.

use std::collections::HashMap;

use super::graph::{Binary, Graph, Id, Node, Symbol, Unary};

/// What an expression varies with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Varies {
    /// A number.
    Never,
    /// Differs between lanes, but not in time (parameters, propagators).
    Lane,
    /// Changes from step to step.
    Step,
}

/// What each node that is `needed` varies with; nobody is asked about symbols that are not.
pub fn varies(graph: &Graph, needed: &[bool], symbol: &dyn Fn(Symbol) -> Varies) -> Vec<Varies> {
    let mut out: Vec<Varies> = Vec::with_capacity(graph.len());
    for (i, needed) in needed.iter().enumerate() {
        let id = Id(i as u32);
        let v = match graph.node(id) {
            _ if !needed => Varies::Never,
            Node::Constant(..) => Varies::Never,
            Node::Symbol(s) => symbol(s),
            _ => graph.arguments(id).map(|a| out[a.index()]).max().unwrap_or(Varies::Never),
        };
        out.push(v);
    }
    out
}

/// Copies `roots` into a new graph with fused operations.
pub fn fuse(from: &Graph, roots: &[Id], symbol: &dyn Fn(Symbol) -> Varies) -> (Graph, Vec<Id>) {
    let needed = from.reachable(roots);
    let class = varies(from, &needed, symbol);
    let mut uses = vec![0u32; needed.len()];
    for i in (0..needed.len()).filter(|&i| needed[i]) {
        for a in from.arguments(Id(i as u32)) {
            uses[a.index()] += 1;
        }
    }
    for r in roots {
        uses[r.index()] += 2;
    }
    let mut f = Fuser { from, class: &class, uses: &uses, out: Graph::new(), map: HashMap::new() };
    // Sums that are used once, by another sum, are part of that.
    for i in (0..needed.len()).filter(|&i| needed[i]) {
        f.copy(Id(i as u32));
    }
    let ids = roots.iter().map(|r| f.map[r]).collect();
    (f.out, ids)
}

/// Functions that are far from zero where their argument is: the last bit of the argument is a last bit of the value.
/// It is not in one that is zero there (`tanh`, `expm1`), in a root or a comparison.
fn is_smooth(op: Unary) -> bool {
    matches!(op, Unary::Exp | Unary::Exprel | Unary::ExprelDerivative | Unary::Bernoulli | Unary::Sigmoid)
}

struct Fuser<'a> {
    from: &'a Graph,
    class: &'a [Varies],
    uses: &'a [u32],
    out: Graph,
    map: HashMap<Id, Id>,
}

impl Fuser<'_> {
    fn copy(&mut self, id: Id) {
        let m = |s: &Self, x: Id| s.map[&x];
        let new = match self.from.node(id) {
            Node::Constant(bits, _) => self.out.number(f64::from_bits(bits)),
            Node::Symbol(s) => self.out.symbol(s),
            Node::Unary(op, x) => {
                let x = if is_smooth(op) && self.is_scaled_sum(x) { self.sum(x) } else { m(self, x) };
                self.out.unary(op, x)
            }
            Node::Binary(Binary::Add | Binary::Sub, ..) if self.class[id.index()] == Varies::Step => self.sum(id),
            Node::Binary(Binary::Div, a, b) if matches!(self.out.node(self.map[&b]), Node::Unary(Unary::Exprel, _)) => {
                let Node::Unary(_, x) = self.out.node(self.map[&b]) else { return };
                let (a, inverse) = (m(self, a), self.out.unary(Unary::Bernoulli, x));
                self.out.mul(a, inverse)
            }
            Node::Binary(Binary::Div, a, b)
                if self.class[id.index()] == Varies::Step && self.class[b.index()] < Varies::Step =>
            {
                let (a, b) = (m(self, a), m(self, b));
                let one = self.out.number(1.0);
                let inverse = self.out.div(one, b);
                self.out.mul(inverse, a)
            }
            Node::Binary(op, a, b) => {
                let (a, b) = (m(self, a), m(self, b));
                self.out.binary(op, a, b)
            }
            Node::Where(c, a, b) => {
                let (c, a, b) = (m(self, c), m(self, a), m(self, b));
                self.out.choose(c, a, b)
            }
            Node::Fma { a, b, c, minus_product, minus_term } => {
                let (a, b, c) = (m(self, a), m(self, b), m(self, c));
                self.out.fma(a, b, c, minus_product, minus_term)
            }
        };
        self.map.insert(id, new);
    }

    /// Whether it is a sum times a number that nothing else uses, as in `exp((V - V_half)/k)`.
    fn is_scaled_sum(&self, id: Id) -> bool {
        let inner = match self.from.node(id) {
            Node::Binary(Binary::Mul, k, a) if self.from.value(k).is_some() => a,
            Node::Binary(Binary::Div, a, k) if self.from.value(k).is_some() => a,
            _ => return false,
        };
        let once = |x: Id| self.uses[x.index()] == 1 && self.class[x.index()] == Varies::Step;
        once(id) && once(inner) && matches!(self.from.node(inner), Node::Binary(Binary::Add | Binary::Sub, ..))
    }

    /// Terms of a sum with their factors, through inner sums that nothing else uses, also where these are multiplied by
    /// a number (`x + h (a + b)` becomes `x + h a + h b`).
    fn terms(&self, id: Id) -> Vec<(Id, f64)> {
        let mut out = Vec::new();
        let mut stack = vec![(id, 1.0)];
        let step = |x: Id| self.class[x.index()] == Varies::Step;
        while let Some((x, factor)) = stack.pop() {
            let inner = x == id || self.uses[x.index()] == 1;
            match self.from.node(x) {
                Node::Binary(Binary::Add, a, b) if inner && step(x) => {
                    stack.push((b, factor));
                    stack.push((a, factor));
                }
                Node::Binary(Binary::Sub, a, b) if inner && step(x) => {
                    stack.push((b, -factor));
                    stack.push((a, factor));
                }
                Node::Unary(Unary::Neg, a) if inner && x != id => stack.push((a, -factor)),
                Node::Binary(Binary::Mul, k, a) if inner && step(x) => match self.from.value(k) {
                    Some(k) => stack.push((a, factor * k)),
                    None => out.push((x, factor)),
                },
                Node::Binary(Binary::Div, a, k) if x == id => match self.from.value(k) {
                    Some(k) => stack.push((a, factor * (1.0 / k))),
                    None => out.push((x, factor)),
                },
                _ => out.push((x, factor)),
            }
        }
        out
    }

    /// Constants and lane values first, then plain terms, then products fused one by one.
    fn sum(&mut self, id: Id) -> Id {
        let mut plain = Vec::new();
        let mut products = Vec::new();
        for (x, factor) in self.terms(id) {
            let new = self.map[&x];
            let product = match self.out.node(new) {
                Node::Binary(Binary::Mul, a, b) if self.uses[x.index()] == 1 => Some((a, b)),
                _ => None,
            };
            match product {
                Some(ab) if factor.abs() == 1.0 => products.push((ab, factor < 0.0)),
                _ if factor.abs() == 1.0 => plain.push((x, new, factor < 0.0)),
                _ if self.out.value(new).is_some() => {
                    let f = self.out.number(factor);
                    let value = self.out.mul(f, new);
                    plain.push((x, value, false));
                }
                _ => {
                    let f = self.out.number(factor);
                    products.push(((f, new), false));
                }
            }
        }
        plain.sort_by_key(|(x, ..)| self.class[x.index()]);
        // Products with a number make one instruction when they stand together, last.
        products.sort_by_key(|((a, _), _)| self.out.value(*a).is_some());
        let mut sum: Option<(Id, bool)> = None;
        for (_, x, minus) in plain {
            sum = Some(match sum {
                None => (x, minus),
                Some((s, false)) => (if minus { self.out.sub(s, x) } else { self.out.add(s, x) }, false),
                Some((s, true)) => {
                    if minus {
                        (self.out.add(s, x), true)
                    } else {
                        (self.out.sub(x, s), false)
                    }
                }
            });
        }
        for ((a, b), minus) in products {
            sum = Some(match sum {
                None => (self.out.mul(a, b), minus),
                Some((s, minus_term)) => (self.out.fma(a, b, s, minus, minus_term), false),
            });
        }
        match sum {
            Some((s, true)) => self.out.unary(Unary::Neg, s),
            Some((s, false)) => s,
            None => self.out.number(0.0),
        }
    }
}
