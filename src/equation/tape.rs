//! The plain evaluator: a graph's nodes in order, one number at a time.

use super::graph::{Graph, Id, Node, Symbol, fused};
use spikedeck_core::math;
use spikedeck_core::vector::vectorised;

/// Values of the symbols. What an expression reads must be here: what is left out is unknown, and not zero.
#[derive(Debug, Clone, Copy, Default)]
pub struct Values<'a> {
    /// States.
    pub states: &'a [f64],
    /// Parameters.
    pub parameters: &'a [f64],
    /// Inputs.
    pub inputs: &'a [f64],
    /// Variables.
    pub variables: &'a [f64],
    /// Time.
    pub time: Option<f64>,
}

impl Values<'_> {
    #[inline(always)]
    fn get(&self, symbol: Symbol) -> f64 {
        let at = |list: &[f64], i: u32| *list.get(i as usize).expect("who evaluates an expression gives all it reads");
        match symbol {
            Symbol::State(i) => at(self.states, i),
            Symbol::Parameter(i) => at(self.parameters, i),
            Symbol::Input(i) => at(self.inputs, i),
            Symbol::Given(_) => unreachable!("what a carrier gives is bound when it carries"),
            Symbol::Variable(i) => at(self.variables, i),
            Symbol::Noise(_) => unreachable!("noise is drawn into registers: rates and their factors have none"),
            Symbol::Time => self.time.expect("who evaluates an expression of time says when"),
            Symbol::Weight => unreachable!("an event acts by its gain, in proportion to its weight"),
        }
    }
}

/// Some expressions of a graph, ready to be evaluated.
#[derive(Debug, Clone, Default)]
pub struct Tape {
    /// Nodes with arguments renumbered to places in this list.
    nodes: Vec<Node>,
    roots: Vec<u32>,
}

impl Tape {
    /// The nodes that `roots` need.
    pub fn new(graph: &Graph, roots: &[Id]) -> Self {
        let needed = graph.reachable(roots);
        let mut place = vec![Id(0); needed.len()];
        let mut nodes = Vec::new();
        for i in (0..needed.len()).filter(|&i| needed[i]) {
            let p = |x: Id| place[x.index()];
            let node = match graph.node(Id(i as u32)) {
                Node::Unary(op, x) => Node::Unary(op, p(x)),
                Node::Binary(op, a, b) => Node::Binary(op, p(a), p(b)),
                Node::Where(a, b, c) => Node::Where(p(a), p(b), p(c)),
                Node::Fma { a, b, c, minus_product, minus_term } => {
                    Node::Fma { a: p(a), b: p(b), c: p(c), minus_product, minus_term }
                }
                leaf => leaf,
            };
            place[i] = Id(nodes.len() as u32);
            nodes.push(node);
        }
        Self { nodes, roots: roots.iter().map(|r| place[r.index()].0).collect() }
    }

    /// Number of expressions.
    pub fn outputs(&self) -> usize {
        self.roots.len()
    }

    /// Evaluates all expressions into `out`.
    pub fn evaluate(&self, values: &Values<'_>, out: &mut [f64]) {
        // Room is cleared at each call: most expressions take a little of it.
        match self.nodes.len() {
            0..=24 => self.evaluate_in(&mut [0.0; 24], values, out),
            25..=192 => self.evaluate_in(&mut [0.0; 192], values, out),
            more => self.evaluate_in(&mut vec![0.0; more], values, out),
        }
    }

    fn evaluate_in(&self, room: &mut [f64], values: &Values<'_>, out: &mut [f64]) {
        let scratch = &mut room[..self.nodes.len()];
        run(&self.nodes, values, scratch);
        for (o, &r) in out.iter_mut().zip(&self.roots) {
            *o = scratch[r as usize];
        }
    }

    /// Evaluates the first expression.
    pub fn value(&self, values: &Values<'_>) -> f64 {
        let mut out = [0.0];
        self.evaluate(values, &mut out);
        out[0]
    }
}

vectorised! {
    fn run(nodes: &[Node], values: &Values<'_>, scratch: &mut [f64]) {
        for (i, node) in nodes.iter().enumerate() {
            let at = |x: Id| scratch[x.index()];
            let value = match *node {
                Node::Constant(bits, _) => f64::from_bits(bits),
                Node::Symbol(s) => values.get(s),
                Node::Unary(op, x) => op.apply(at(x)),
                Node::Binary(op, a, b) => op.apply(at(a), at(b)),
                Node::Where(c, a, b) => math::choose(at(c), at(a), at(b)),
                Node::Fma { a, b, c, minus_product, minus_term } => {
                    fused(at(a), at(b), at(c), minus_product, minus_term)
                }
            };
            scratch[i] = value;
        }
    }
}

impl Tape {
    fn count(&self, index: impl Fn(Symbol) -> Option<u32>) -> u32 {
        let symbols = self.nodes.iter().filter_map(|n| match n {
            Node::Symbol(s) => index(*s),
            _ => None,
        });
        symbols.map(|i| i + 1).max().unwrap_or(0)
    }

    /// Number of parameters that have to be given (the highest that is used, plus one).
    pub fn parameters(&self) -> u32 {
        self.count(|s| if let Symbol::Parameter(i) = s { Some(i) } else { None })
    }

    /// Number of inputs that have to be given (the highest that is used, plus one).
    pub fn inputs(&self) -> u32 {
        self.count(|s| if let Symbol::Input(i) = s { Some(i) } else { None })
    }

    /// Number of variables that have to be given (the highest that is used, plus one).
    pub fn variables(&self) -> u32 {
        self.count(|s| if let Symbol::Variable(i) = s { Some(i) } else { None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    /// What an expression reads and nobody gives is no zero, whatever it is.
    #[test]
    fn what_is_not_given_is_no_number() {
        let one = [1.0];
        let full = Values { states: &one, parameters: &one, inputs: &one, variables: &one, time: Some(1.0) };
        let without: [(Symbol, Values<'_>); 5] = [
            (Symbol::State(0), Values { states: &[], ..full }),
            (Symbol::Parameter(0), Values { parameters: &[], ..full }),
            (Symbol::Input(0), Values { inputs: &[], ..full }),
            (Symbol::Variable(0), Values { variables: &[], ..full }),
            (Symbol::Time, Values { time: None, ..full }),
        ];
        for (symbol, values) in without {
            let mut g = Graph::new();
            let (x, two) = (g.symbol(symbol), g.number(2.0));
            let twice = g.mul(x, two);
            let tape = Tape::new(&g, &[twice]);
            assert_eq!(tape.value(&full), 2.0, "{symbol:?}");
            assert!(catch_unwind(|| tape.value(&values)).is_err(), "{symbol:?}");
        }
    }
}
