//! The expression graph: every subexpression once, constants folded, trivial terms gone.
//!
//! Nodes are only ever appended and refer to earlier nodes, so identifiers are a topological order: whoever walks a
//! graph loops over identifiers and never recurses.

use std::collections::{HashMap, HashSet};

pub use super::node::{Binary, Id, Node, Symbol, Unary, fused};
use spikedeck_core::units::Dimension;

/// Hash-consed expressions.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    index: HashMap<Node, Id>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The node.
    pub fn node(&self, id: Id) -> Node {
        self.nodes[id.index()]
    }

    fn intern(&mut self, node: Node) -> Id {
        if let Some(&id) = self.index.get(&node) {
            return id;
        }
        if let Node::Binary(op, a, b) = node
            && op.commutes()
            && let Some(&id) = self.index.get(&Node::Binary(op, b, a))
        {
            return id;
        }
        let id = Id(self.nodes.len() as u32);
        self.nodes.push(node);
        self.index.insert(node, id);
        id
    }

    /// A plain number.
    pub fn number(&mut self, value: f64) -> Id {
        self.constant(value, Dimension::NONE)
    }

    /// A number with a dimension.
    pub fn constant(&mut self, value: f64, dimension: Dimension) -> Id {
        // One zero and one NaN, so that equal constants are one node.
        let value = if value == 0.0 { 0.0 } else { value };
        let dimension = if value == 0.0 { Dimension::NONE } else { dimension };
        self.intern(Node::Constant(value.to_bits(), dimension))
    }

    /// Something given from outside.
    pub fn symbol(&mut self, symbol: Symbol) -> Id {
        self.intern(Node::Symbol(symbol))
    }

    /// The value, if the node is a constant.
    pub fn value(&self, id: Id) -> Option<f64> {
        match self.node(id) {
            Node::Constant(bits, _) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    fn plain(&self, id: Id) -> Option<f64> {
        match self.node(id) {
            Node::Constant(bits, d) if d.is_none() => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    fn is_zero(&self, id: Id) -> bool {
        self.value(id) == Some(0.0)
    }

    fn negated(&self, id: Id) -> Option<Id> {
        match self.node(id) {
            Node::Unary(Unary::Neg, x) => Some(x),
            _ => None,
        }
    }

    /// A function of one argument, simplified.
    pub fn unary(&mut self, op: Unary, x: Id) -> Id {
        if let Node::Constant(bits, d) = self.node(x)
            && let Some(dimension) = op.dimension(d)
        {
            return self.constant(op.apply(f64::from_bits(bits)), dimension);
        }
        let simpler = match op {
            Unary::Neg => self.negative(x),
            Unary::Powi(0) => Some(self.number(1.0)),
            Unary::Powi(1) => Some(x),
            _ => None,
        };
        match simpler {
            Some(id) => id,
            None => self.intern(Node::Unary(op, x)),
        }
    }

    /// `-x`, if that is a simpler node.
    fn negative(&mut self, x: Id) -> Option<Id> {
        match self.node(x) {
            Node::Unary(Unary::Neg, y) => Some(y),
            Node::Binary(Binary::Sub, a, b) => Some(self.binary(Binary::Sub, b, a)),
            Node::Binary(op @ (Binary::Mul | Binary::Div), c, y) if self.value(c).is_some() => {
                let minus = self.unary(Unary::Neg, c);
                Some(self.binary(op, minus, y))
            }
            _ => None,
        }
    }

    /// A function of two arguments, simplified.
    pub fn binary(&mut self, op: Binary, a: Id, b: Id) -> Id {
        if let (Node::Constant(x, dx), Node::Constant(y, dy)) = (self.node(a), self.node(b)) {
            // Zero has every dimension.
            let (x, y) = (f64::from_bits(x), f64::from_bits(y));
            let dx = if x == 0.0 && !matches!(op, Binary::Mul | Binary::Div) { dy } else { dx };
            let dy = if y == 0.0 && !matches!(op, Binary::Mul | Binary::Div) { dx } else { dy };
            if let Some(dimension) = op.dimension(dx, dy) {
                return self.constant(op.apply(x, y), dimension);
            }
        }
        if let Some(id) = self.simpler(op, a, b) {
            return id;
        }
        self.intern(Node::Binary(op, a, b))
    }

    /// What a function of two arguments is, if it is something simpler.
    fn simpler(&mut self, op: Binary, a: Id, b: Id) -> Option<Id> {
        match op {
            Binary::Add => {
                if self.is_zero(a) {
                    return Some(b);
                }
                if self.is_zero(b) {
                    return Some(a);
                }
                if let Some(y) = self.negated(b) {
                    return Some(self.binary(Binary::Sub, a, y));
                }
                if let Some(x) = self.negated(a) {
                    return Some(self.binary(Binary::Sub, b, x));
                }
            }
            Binary::Sub => {
                if self.is_zero(b) {
                    return Some(a);
                }
                if self.is_zero(a) {
                    return Some(self.unary(Unary::Neg, b));
                }
                if a == b {
                    return Some(self.number(0.0));
                }
                if let Some(y) = self.negated(b) {
                    return Some(self.binary(Binary::Add, a, y));
                }
            }
            Binary::Mul => {
                if self.is_zero(a) || self.is_zero(b) {
                    return Some(self.number(0.0));
                }
                if self.plain(a) == Some(1.0) {
                    return Some(b);
                }
                if self.plain(b) == Some(1.0) {
                    return Some(a);
                }
                if self.value(b).is_some() && self.value(a).is_none() {
                    return Some(self.binary(Binary::Mul, b, a));
                }
                if self.plain(a) == Some(-1.0) {
                    return Some(self.unary(Unary::Neg, b));
                }
                if let (Some(_), Node::Binary(Binary::Mul, c, y)) = (self.value(a), self.node(b))
                    && self.value(c).is_some()
                {
                    let both = self.binary(Binary::Mul, a, c);
                    return Some(self.binary(Binary::Mul, both, y));
                }
                if let Some(y) = self.negated(b) {
                    let product = self.binary(Binary::Mul, a, y);
                    return Some(self.unary(Unary::Neg, product));
                }
                if let Some(x) = self.negated(a) {
                    let product = self.binary(Binary::Mul, x, b);
                    return Some(self.unary(Unary::Neg, product));
                }
            }
            Binary::Div => {
                if self.is_zero(a) && !self.is_zero(b) {
                    return Some(a);
                }
                if self.plain(b) == Some(1.0) {
                    return Some(a);
                }
                if let Some(x) = self.negated(a) {
                    let quotient = self.binary(Binary::Div, x, b);
                    return Some(self.unary(Unary::Neg, quotient));
                }
            }
            Binary::Pow => {
                if let Some(y) = self.plain(b) {
                    if y == 0.5 {
                        return Some(self.unary(Unary::Sqrt, a));
                    }
                    if y.fract() == 0.0 && y.abs() <= 64.0 {
                        return Some(self.unary(Unary::Powi(y as i32), a));
                    }
                }
            }
            Binary::Min | Binary::Max if a == b => return Some(a),
            Binary::And if (self.is_zero(a) || self.is_zero(b)) => {
                return Some(self.number(0.0));
            }
            _ => return None,
        }
        None
    }

    /// A sum.
    pub fn add(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Add, a, b)
    }

    /// A difference.
    pub fn sub(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Sub, a, b)
    }

    /// A product.
    pub fn mul(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Mul, a, b)
    }

    /// A quotient.
    pub fn div(&mut self, a: Id, b: Id) -> Id {
        self.binary(Binary::Div, a, b)
    }

    /// `where(condition, then, otherwise)`, simplified.
    pub fn choose(&mut self, condition: Id, then: Id, otherwise: Id) -> Id {
        if then == otherwise {
            return then;
        }
        match self.value(condition) {
            Some(c) if c.is_nan() => condition,
            Some(c) => {
                if c == 0.0 {
                    otherwise
                } else {
                    then
                }
            }
            None => self.intern(Node::Where(condition, then, otherwise)),
        }
    }

    /// `±(a b) ± c`, with one rounding.
    pub fn fma(&mut self, a: Id, b: Id, c: Id, minus_product: bool, minus_term: bool) -> Id {
        self.intern(Node::Fma { a, b, c, minus_product, minus_term })
    }

    /// The arguments of a node.
    pub fn arguments(&self, id: Id) -> impl Iterator<Item = Id> + use<> {
        let list = match self.node(id) {
            Node::Constant(..) | Node::Symbol(_) => [None, None, None],
            Node::Unary(_, x) => [Some(x), None, None],
            Node::Binary(_, a, b) => [Some(a), Some(b), None],
            Node::Where(a, b, c) | Node::Fma { a, b, c, .. } => [Some(a), Some(b), Some(c)],
        };
        list.into_iter().flatten()
    }

    /// Which nodes `roots` need, as a flag for each node.
    pub fn reachable(&self, roots: &[Id]) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        for r in roots {
            needed[r.index()] = true;
        }
        // Nothing is made of what comes after it.
        let last = roots.iter().map(|r| r.index() + 1).max().unwrap_or(0);
        for i in (0..last).rev() {
            if needed[i] {
                for a in self.arguments(Id(i as u32)) {
                    needed[a.index()] = true;
                }
            }
        }
        needed
    }

    /// The symbols that `id` depends on.
    pub fn symbols(&self, id: Id) -> Vec<Symbol> {
        let (mut seen, mut open, mut list) = (HashSet::from([id]), vec![id], Vec::new());
        while let Some(at) = open.pop() {
            if let Node::Symbol(s) = self.nodes[at.index()] {
                list.push(s);
            }
            open.extend(self.arguments(at).filter(|a| seen.insert(*a)));
        }
        list.sort_unstable();
        list
    }

    /// Whether `id` depends on a symbol that fits.
    pub fn depends(&self, id: Id, fits: impl Fn(Symbol) -> bool) -> bool {
        self.symbols(id).into_iter().any(fits)
    }

    /// Copies `roots` of `from` into this graph, replacing symbols by what `replace` gives (`None` keeps them) and
    /// constants by what `constant` makes of value and dimension. Everything is simplified anew.
    pub fn import(
        &mut self,
        from: &Graph,
        roots: &[Id],
        mut replace: impl FnMut(&mut Graph, Symbol) -> Option<Id>,
        constant: impl Fn(f64, Dimension) -> (f64, Dimension),
    ) -> Vec<Id> {
        let needed = from.reachable(roots);
        let mut map = vec![Id(0); from.nodes.len()];
        for i in (0..from.nodes.len()).filter(|&i| needed[i]) {
            let m = |id: Id| map[id.index()];
            map[i] = match from.nodes[i] {
                Node::Constant(bits, d) => {
                    let (value, dimension) = constant(f64::from_bits(bits), d);
                    self.constant(value, dimension)
                }
                Node::Symbol(s) => match replace(self, s) {
                    Some(id) => id,
                    None => self.symbol(s),
                },
                Node::Unary(op, x) => self.unary(op, m(x)),
                Node::Binary(op, a, b) => self.binary(op, m(a), m(b)),
                Node::Where(a, b, c) => self.choose(m(a), m(b), m(c)),
                Node::Fma { a, b, c, minus_product, minus_term } => {
                    self.fma(m(a), m(b), m(c), minus_product, minus_term)
                }
            };
        }
        roots.iter().map(|r| map[r.index()]).collect()
    }

    /// `roots` with symbols replaced.
    pub fn substitute(&mut self, roots: &[Id], replace: impl FnMut(&mut Graph, Symbol) -> Option<Id>) -> Vec<Id> {
        let from = self.clone();
        self.import(&from, roots, replace, |v, d| (v, d))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_expressions_are_one_node_and_trivial_terms_vanish() {
        let mut g = Graph::new();
        let (x, y) = (g.symbol(Symbol::State(0)), g.symbol(Symbol::State(1)));
        let (one, zero) = (g.number(1.0), g.number(0.0));
        assert_eq!(g.add(x, y), g.add(y, x));
        let product = g.mul(x, one);
        assert_eq!(g.add(product, zero), x);
        let minus = g.unary(Unary::Neg, y);
        assert_eq!(g.add(x, minus), g.sub(x, y));
        assert_eq!(g.sub(x, x), zero);
        let (two, three) = (g.number(2.0), g.number(3.0));
        let inner = g.mul(x, three);
        let six = g.number(6.0);
        assert_eq!(g.mul(two, inner), g.mul(six, x));
        assert_eq!(g.value(g.node(six).into_id(&g)), Some(6.0));
    }

    impl Node {
        fn into_id(self, g: &Graph) -> Id {
            g.index[&self]
        }
    }
}
