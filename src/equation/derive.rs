//! Symbolic derivatives.

use super::graph::{Binary, Graph, Id, Node, Symbol, Unary};

/// The derivative of each of `roots` with respect to `symbol`.
///
/// Conditions, `floor`, `sign` and `step` are flat; `abs`, `min`, `max` and `where` are differentiated on the side that
/// holds.
pub fn derivatives(graph: &mut Graph, roots: &[Id], symbol: Symbol) -> Vec<Id> {
    let needed = graph.reachable(roots);
    let zero = graph.number(0.0);
    let one = graph.number(1.0);
    let count = roots.iter().map(|r| r.index() + 1).max().unwrap_or(0);
    let mut d = vec![zero; count];
    for i in (0..count).filter(|&i| needed[i]) {
        let id = Id(i as u32);
        let at = |x: Id| d[x.index()];
        d[i] = match graph.node(id) {
            Node::Constant(..) => zero,
            Node::Symbol(s) => {
                if s == symbol {
                    one
                } else {
                    zero
                }
            }
            Node::Unary(op, x) => {
                let dx = at(x);
                if dx == zero { zero } else { unary(graph, op, id, x, dx) }
            }
            Node::Binary(op, a, b) => {
                let (da, db) = (at(a), at(b));
                if da == zero && db == zero { zero } else { binary(graph, op, id, (a, b), (da, db)) }
            }
            Node::Where(c, a, b) => {
                let (da, db) = (at(a), at(b));
                graph.choose(c, da, db)
            }
            Node::Fma { a, b, c, minus_product, minus_term } => {
                let (da, db, dc) = (at(a), at(b), at(c));
                let (left, right) = (graph.mul(da, b), graph.mul(a, db));
                let product = graph.add(left, right);
                let product = if minus_product { graph.unary(Unary::Neg, product) } else { product };
                if minus_term { graph.sub(product, dc) } else { graph.add(product, dc) }
            }
        };
    }
    roots.iter().map(|r| d[r.index()]).collect()
}

/// The derivative of one expression.
pub fn derivative(graph: &mut Graph, root: Id, symbol: Symbol) -> Id {
    derivatives(graph, &[root], symbol)[0]
}

/// Whether an expression depends on symbols that fit by a part that is flat but for jumps: a condition, a sign, a step,
/// a whole number below. Its derivatives are zero there, and a slope that is a number makes nothing linear of it.
pub fn jumps(graph: &Graph, root: Id, fits: impl Fn(Symbol) -> bool) -> bool {
    let needed = graph.reachable(&[root]);
    let by = |id: Id| graph.depends(id, &fits);
    let is_jump = |at: usize| match graph.node(Id(at as u32)) {
        Node::Unary(Unary::Not | Unary::Sign | Unary::Floor | Unary::Step, x) => by(x),
        Node::Where(condition, ..) => by(condition),
        Node::Binary(op, a, b) => {
            let compares = matches!(
                op,
                Binary::Less
                    | Binary::LessEqual
                    | Binary::Greater
                    | Binary::GreaterEqual
                    | Binary::Equal
                    | Binary::NotEqual
                    | Binary::And
                    | Binary::Or
            );
            compares && (by(a) || by(b))
        }
        Node::Constant(..) | Node::Symbol(_) | Node::Unary(..) | Node::Fma { .. } => false,
    };
    (0..=root.index()).any(|at| needed[at] && is_jump(at))
}

fn unary(g: &mut Graph, op: Unary, whole: Id, x: Id, dx: Id) -> Id {
    let one = g.number(1.0);
    let outer = match op {
        Unary::Neg => return g.unary(Unary::Neg, dx),
        Unary::Exp => whole,
        Unary::Expm1 => g.unary(Unary::Exp, x),
        Unary::Exprel => g.unary(Unary::ExprelDerivative, x),
        Unary::ExprelDerivative => {
            // From x² e' = e^x (x - 1) + 1: e'' = (e^x - 2 e')/x; not needed at the removable point.
            let e = g.unary(Unary::Exp, x);
            let two = g.number(2.0);
            let twice = g.mul(two, whole);
            let top = g.sub(e, twice);
            g.div(top, x)
        }
        Unary::Bernoulli => {
            // B = 1/e, so B' = -B² e'.
            let slope = g.unary(Unary::ExprelDerivative, x);
            let square = g.unary(Unary::Powi(2), whole);
            let product = g.mul(square, slope);
            g.unary(Unary::Neg, product)
        }
        Unary::Log => g.div(one, x),
        Unary::Sqrt => {
            let half = g.number(0.5);
            g.div(half, whole)
        }
        Unary::Sin => g.unary(Unary::Cos, x),
        Unary::Cos => {
            let s = g.unary(Unary::Sin, x);
            g.unary(Unary::Neg, s)
        }
        Unary::Tan => {
            let square = g.unary(Unary::Powi(2), whole);
            g.add(one, square)
        }
        Unary::Tanh => {
            let square = g.unary(Unary::Powi(2), whole);
            g.sub(one, square)
        }
        Unary::Sinh => g.unary(Unary::Cosh, x),
        Unary::Cosh => g.unary(Unary::Sinh, x),
        Unary::Abs => g.unary(Unary::Sign, x),
        Unary::Sigmoid => {
            let rest = g.sub(one, whole);
            g.mul(whole, rest)
        }
        Unary::Powi(n) => {
            let lower = g.unary(Unary::Powi(n - 1), x);
            let factor = g.number(f64::from(n));
            g.mul(factor, lower)
        }
        Unary::Not | Unary::Sign | Unary::Floor | Unary::Step => return g.number(0.0),
    };
    g.mul(outer, dx)
}

fn binary(g: &mut Graph, op: Binary, whole: Id, (a, b): (Id, Id), (da, db): (Id, Id)) -> Id {
    match op {
        Binary::Add => g.add(da, db),
        Binary::Sub => g.sub(da, db),
        Binary::Mul => {
            let (left, right) = (g.mul(da, b), g.mul(a, db));
            g.add(left, right)
        }
        Binary::Div => {
            // (da - whole db)/b
            let right = g.mul(whole, db);
            let top = g.sub(da, right);
            g.div(top, b)
        }
        Binary::Pow => {
            let one = g.number(1.0);
            let lower = g.sub(b, one);
            let power = g.binary(Binary::Pow, a, lower);
            let by = g.mul(b, power);
            let left = g.mul(by, da);
            let log = g.unary(Unary::Log, a);
            let grown = g.mul(whole, log);
            let right = g.mul(grown, db);
            g.add(left, right)
        }
        Binary::Min => {
            let c = g.binary(Binary::Less, a, b);
            g.choose(c, da, db)
        }
        Binary::Max => {
            let c = g.binary(Binary::Greater, a, b);
            g.choose(c, da, db)
        }
        _ => g.number(0.0),
    }
}
