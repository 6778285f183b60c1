//! Coupling values that are sums of products of a source's part and a target's part, `Σ_k p_k(pre) q_k(post)`: the sum
//! over all sources then costs N evaluations instead of N². `sin(a_pre - a_post)` is one of them, as is every
//! difference.

use spikedeck_equation::graph::{Binary, Graph, Id, Node, Symbol, Unary};

/// More products than this are not worth it.
const MOST: usize = 8;

/// What is separated, and how.
#[derive(Clone, Copy)]
pub(super) struct Split<'a> {
    /// Which variables belong to the target (all others, numbers and time included, may stand on either side).
    pub is_post: &'a dyn Fn(u32) -> bool,
    /// Whether products of sums are multiplied out: `(x_pre - x_post)**2` is then such a sum, of which rounding leaves
    /// little where both ends are nearly equal.
    pub expands: bool,
}

/// The products of `root`, if it is such a sum.
pub(super) fn separate(graph: &mut Graph, root: Id, split: Split<'_>) -> Option<Vec<(Id, Id)>> {
    let products = terms(graph, root, split, 0)?;
    (products.len() <= MOST).then_some(products)
}

/// Which sides a node depends on: source, target.
fn sides(graph: &Graph, id: Id, is_post: &dyn Fn(u32) -> bool) -> (bool, bool) {
    let variable = |post: bool| move |s: Symbol| matches!(s, Symbol::Variable(i) if is_post(i) == post);
    (graph.depends(id, variable(false)), graph.depends(id, variable(true)))
}

fn terms(graph: &mut Graph, id: Id, split: Split<'_>, depth: usize) -> Option<Vec<(Id, Id)>> {
    let one = graph.number(1.0);
    match sides(graph, id, split.is_post) {
        (_, false) => return Some(vec![(id, one)]),
        (false, true) => return Some(vec![(one, id)]),
        (true, true) => {}
    }
    if depth > 40 {
        return None;
    }
    let list = match graph.node(id) {
        Node::Unary(Unary::Neg, x) => {
            let list = terms(graph, x, split, depth + 1)?;
            negative(graph, list)
        }
        Node::Unary(op @ (Unary::Sin | Unary::Cos), x) => {
            let (a, b) = sum(graph, x, split, depth + 1)?;
            let (sin_a, cos_a) = (graph.unary(Unary::Sin, a), graph.unary(Unary::Cos, a));
            let (sin_b, cos_b) = (graph.unary(Unary::Sin, b), graph.unary(Unary::Cos, b));
            if op == Unary::Sin {
                vec![(sin_a, cos_b), (cos_a, sin_b)]
            } else {
                let minus = graph.unary(Unary::Neg, sin_a);
                vec![(cos_a, cos_b), (minus, sin_b)]
            }
        }
        Node::Unary(Unary::Powi(2), x) => {
            let list = terms(graph, x, split, depth + 1)?;
            product(graph, &list, &list, split)?
        }
        Node::Binary(Binary::Add, a, b) => {
            let mut list = terms(graph, a, split, depth + 1)?;
            list.extend(terms(graph, b, split, depth + 1)?);
            list
        }
        Node::Binary(Binary::Sub, a, b) => {
            let mut list = terms(graph, a, split, depth + 1)?;
            let right = terms(graph, b, split, depth + 1)?;
            list.extend(negative(graph, right));
            list
        }
        Node::Binary(Binary::Mul, a, b) => {
            let (a, b) = (terms(graph, a, split, depth + 1)?, terms(graph, b, split, depth + 1)?);
            product(graph, &a, &b, split)?
        }
        Node::Binary(Binary::Div, a, b) => {
            let list = terms(graph, a, split, depth + 1)?;
            match sides(graph, b, split.is_post) {
                (_, false) => list.into_iter().map(|(p, q)| (graph.div(p, b), q)).collect(),
                (false, true) => list.into_iter().map(|(p, q)| (p, graph.div(q, b))).collect(),
                _ => return None,
            }
        }
        _ => return None,
    };
    (list.len() <= MOST).then_some(list)
}

/// The node as a part of the source plus a part of the target.
fn sum(graph: &mut Graph, id: Id, split: Split<'_>, depth: usize) -> Option<(Id, Id)> {
    let one = graph.number(1.0);
    let zero = graph.number(0.0);
    let (mut a, mut b) = (zero, zero);
    for (p, q) in terms(graph, id, split, depth)? {
        if q == one {
            a = graph.add(a, p);
        } else if graph.value(p).is_some() {
            let part = graph.mul(p, q);
            b = graph.add(b, part);
        } else {
            return None;
        }
    }
    Some((a, b))
}

fn negative(graph: &mut Graph, list: Vec<(Id, Id)>) -> Vec<(Id, Id)> {
    list.into_iter().map(|(p, q)| (graph.unary(Unary::Neg, p), q)).collect()
}

fn product(graph: &mut Graph, a: &[(Id, Id)], b: &[(Id, Id)], split: Split<'_>) -> Option<Vec<(Id, Id)>> {
    if !split.expands && a.len() > 1 && b.len() > 1 {
        return None;
    }
    let products = a
        .iter()
        .flat_map(|x| b.iter().map(move |y| (*x, *y)))
        .collect::<Vec<_>>()
        .into_iter()
        .map(|(x, y)| (graph.mul(x.0, y.0), graph.mul(x.1, y.1)))
        .collect();
    Some(products)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_core::units::Dimension;
    use spikedeck_equation::tape::{Tape, Values};
    use spikedeck_equation::{Expression, Variable};

    #[test]
    fn products_sum_to_the_expression() {
        let names = ["x_pre", "y_pre", "x_post", "w"]
            .map(|name| Variable { name: name.to_owned(), dimension: Dimension::NONE });
        let separable = [
            "w*sin(x_pre - x_post - 0.3)",
            "w*(y_pre - x_post)",
            "cos(2*x_post + x_pre)*y_pre/x_post",
            "(x_pre - x_post)**2",
            "w*y_pre",
            "x_post",
        ];
        let is_post = |i: u32| i == 2;
        let all = Split { is_post: &is_post, expands: true };
        for text in separable {
            let checked = Expression::parse(text, &names).unwrap();
            let (graph, root) = checked.graph();
            let mut graph = graph.clone();
            let products = separate(&mut graph, root, all).unwrap_or_else(|| panic!("{text}"));
            for v in [[0.3, 1.7, -2.2, 0.5, 0.0], [2.0, -0.4, 0.9, 3.0, 0.0]] {
                let at = |id: Id| Tape::new(&graph, &[id]).value(&Values { variables: &v, ..Values::default() });
                let found: f64 = products.iter().map(|&(p, q)| at(p) * at(q)).sum();
                assert!((found - at(root)).abs() < 1e-13, "{text}: {found} {}", at(root));
            }
            assert!(
                products.iter().all(|&(p, q)| !sides(&graph, p, &is_post).1 && !sides(&graph, q, &is_post).0),
                "{text}"
            );
        }
        for text in ["tanh(x_pre - x_post)", "w*max(x_pre, x_post)", "sin(x_pre*x_post)"] {
            let checked = Expression::parse(text, &names).unwrap();
            let (graph, root) = checked.graph();
            assert!(separate(&mut graph.clone(), root, all).is_none(), "{text}");
        }
        let close = Split { expands: false, ..all };
        for (text, whole) in
            [("(x_pre - x_post)**2", false), ("(w + x_pre)*(y_pre - x_post)", true), ("w*(y_pre - x_post)", true)]
        {
            let checked = Expression::parse(text, &names).unwrap();
            let (graph, root) = checked.graph();
            assert_eq!(separate(&mut graph.clone(), root, close).is_some(), whole, "{text}");
        }
    }
}
