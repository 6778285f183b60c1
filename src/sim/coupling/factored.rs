//! Continuous projections whose value is a sum of products, each of a part of the weight, one of the source and one of
//! the target: `Σ_k u_k(w) p_k(pre) q_k(post)`.
//!
//! What depends on the source is evaluated once a source and not once a connection, what depends on the target once a
//! lane; between them stand products with the matrices `u_k(w)`. `w*rate_pre` is one product, as is every difference
//! (`w*(V_m_pre - V_m_post)`, whose second sum does not change), and a sine of a difference is two.

use std::borrow::Cow;
use std::ops::Range;

use smallvec::SmallVec;

use super::matrix::{Entries, Matrix};
use super::window::Window;
use super::{Carried, History};
use crate::expression::{Expression, Operand};
use crate::separate::{Split, separate};
use crate::stepper::all_finite;
use spikedeck_equation::Formula;
use spikedeck_equation::graph::{Graph, Id, Node};
use spikedeck_scenario::CarriedName;

/// Most matrices, and most sums over each.
const MOST: usize = 2;

/// The parts of a value, as nodes of a graph.
#[derive(Debug)]
pub(super) struct Parts {
    graph: Graph,
    /// For each product its part of the weight, of the source and of the target.
    products: Vec<[Id; 3]>,
}

impl Parts {
    /// Those of what a projection carries, if it is such a sum.
    pub fn of(value: &Formula<CarriedName>) -> Option<Self> {
        let names = value.names();
        let (graph, root) = value.expression().graph();
        let mut graph = graph.clone();
        let of_target = |i: u32| matches!(names[i as usize], CarriedName::Target(_));
        let of_weight = |i: u32| matches!(names[i as usize], CarriedName::Weight);
        // Products of differences are not multiplied out: the square of what is small against both its ends would be
        // lost.
        // A difference itself is two sums, each with the rounding of its own size.
        let targets = Split { is_post: &of_target, expands: false };
        let weights = Split { is_post: &of_weight, expands: false };
        let mut products = Vec::new();
        for (rest, target) in separate(&mut graph, root, targets)? {
            for (source, weight) in separate(&mut graph, rest, weights)? {
                products.push([weight, source, target]);
            }
        }
        Some(Self { graph, products })
    }

    /// How many sums over the connections vary: each keeps the values of its part of the source.
    pub fn varying(&self) -> usize {
        let mut sums: Vec<[Id; 2]> = Vec::new();
        for &[weight, source, _] in &self.products {
            if self.graph.value(source).is_none() && !sums.contains(&[weight, source]) {
                sums.push([weight, source]);
            }
        }
        sums.len()
    }
}

/// The connections of a projection into some lanes, sorted by lane, then source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connections<'a> {
    /// Number of source units.
    pub sources: u32,
    /// Source of each.
    pub source: &'a [u32],
    /// Lane of each.
    pub lane: &'a [u32],
    /// Weight of each, or of all.
    pub weight: Operand<'a>,
    /// Delay of each in steps; none if it is `same` for all.
    pub delay: &'a [u16],
    /// Delay of all.
    pub same: u16,
}

/// What is summed with coefficients.
#[derive(Debug)]
enum Part {
    /// A part of the source, by a matrix.
    Of { matrix: usize, expression: Expression, window: Window },
    /// A number: the sum of each lane, which does not change.
    Fixed(Vec<f64>),
}

/// A sum over the connections of each lane.
#[derive(Debug)]
struct Sum {
    part: Part,
    /// What it is multiplied with in each lane: parts of the target, of which 1 is none.
    factors: Vec<Option<Expression>>,
}

/// A projection as products with matrices.
#[derive(Debug)]
pub(super) struct Factored {
    /// Histories of the source's quantities, and of the target's.
    pre: Vec<usize>,
    post: Vec<usize>,
    range: Range<usize>,
    /// Delay of all connections; 0 if each has its own.
    same: u16,
    /// For how many steps values are looked back at, at most; the same for all shares of the targets.
    back: u64,
    matrices: Vec<Matrix>,
    sums: Vec<Sum>,
    out: Vec<f64>,
    factor: Vec<f64>,
    /// Lanes without a connection, at which nothing arrives whatever the parts of their targets are.
    alone: Vec<usize>,
    /// The last step at whose beginning a part of some source was no finite number.
    broken: Option<u64>,
}

impl Factored {
    /// The connections into `range`; `None` if products save nothing.
    pub fn new(carried: &Carried<'_>, range: Range<u32>, connections: Connections<'_>) -> Option<Self> {
        let Parts { mut graph, products } = Parts::of(carried.formula)?;
        let one = graph.number(1.0);
        // Products with the same part of the weight and of the source share their sum.
        let mut grouped: Vec<(Id, Id, Vec<Id>)> = Vec::new();
        for [weight, source, target] in products {
            match grouped.iter_mut().find(|g| g.0 == weight && g.1 == source) {
                Some(group) => group.2.push(target),
                None => grouped.push((weight, source, vec![target])),
            }
        }
        let fixed = |source: Id| graph.value(source);
        let mut weights: Vec<Id> = Vec::new();
        for group in grouped.iter().filter(|g| fixed(g.1).is_none()) {
            if !weights.contains(&group.0) {
                weights.push(group.0);
            }
        }
        let sources = connections.sources as usize;
        let longest = connections.delay.iter().copied().max().map_or(0, usize::from);
        let most = |weight: &Id| grouped.iter().filter(|g| g.0 == *weight && fixed(g.1).is_none()).count();
        let fits = u32::try_from(Window::len(sources, longest)).is_ok();
        if !fits || weights.len() > MOST || weights.iter().any(|w| most(w) > MOST) {
            return None;
        }
        let compile = |id| Expression::compile(&graph, id, &carried.operands, None);
        let unknown = std::iter::repeat_n(Operand::Shared(f64::NAN), carried.pre.len() + carried.post.len());
        let operands: Vec<Operand<'_>> = unknown.chain([connections.weight]).collect();
        // Lists are lent where they are what is needed: the connections are the largest part of the whole.
        let coefficients = |weight: Id| -> Cow<'_, [f64]> {
            if let (Node::Symbol(_), Operand::Each(weights)) = (graph.node(weight), connections.weight) {
                return weights.into();
            }
            let mut values = vec![0.0; connections.source.len()];
            compile(weight).evaluate(0.0, &operands, &mut values);
            values.into()
        };
        let factors = |targets: &[Id]| targets.iter().map(|&q| (q != one).then(|| compile(q))).collect();
        let mut sums = Vec::new();
        for (weight, source, targets) in &grouped {
            let part = if let Some(value) = fixed(*source) {
                let mut totals = vec![0.0; range.len()];
                for (&lane, c) in connections.lane.iter().zip(coefficients(*weight).iter()) {
                    totals[lane as usize] += c * value;
                }
                Part::Fixed(totals)
            } else {
                let matrix = weights.iter().position(|w| w == weight);
                let matrix = matrix.expect("the weights of all sums that vary are in the list");
                Part::Of { matrix, expression: compile(*source), window: Window::new(sources, longest) }
            };
            sums.push(Sum { part, factors: factors(targets) });
        }
        let places: Cow<'_, [u32]> = if connections.delay.is_empty() {
            connections.source.into()
        } else {
            let ends = connections.source.iter().zip(connections.delay);
            ends.map(|(&s, &d)| Window::place(sources, s, d) as u32).collect::<Vec<_>>().into()
        };
        let columns = connections.delay.is_empty().then_some(sources);
        let matrix = |weight: &Id| {
            let coefficient = &coefficients(*weight);
            let entries = Entries { lanes: range.len(), lane: connections.lane, place: &places, coefficient };
            Matrix::new(entries, columns, Window::zero(sources) as u32)
        };
        let matrices = weights.iter().map(matrix).collect();
        let mut alone = vec![true; range.len()];
        connections.lane.iter().for_each(|&lane| alone[lane as usize] = false);
        let alone = alone.iter().enumerate().filter(|(_, alone)| **alone).map(|(lane, _)| lane).collect();
        Some(Self {
            pre: carried.pre.clone(),
            post: carried.post.clone(),
            range: range.start as usize..range.end as usize,
            same: connections.same,
            back: if connections.delay.is_empty() { 0 } else { u16::MAX.into() },
            matrices,
            sums,
            out: vec![0.0; range.len()],
            factor: vec![0.0; range.len()],
            alone,
            broken: None,
        })
    }

    /// Adds what arrives during step `k` to `row`, one entry a lane. Whether it did: where a part of a source is no
    /// finite number, its products say nothing about those that it is not connected to, and nothing is added.
    pub fn add(&mut self, k: u64, histories: &[History], row: &mut [f64]) -> bool {
        self.see(k, histories);
        if self.broken.is_some_and(|at| k.wrapping_sub(at) <= self.back) {
            return false;
        }
        let unknown = std::iter::repeat_n(Operand::Shared(f64::NAN), self.pre.len());
        let post = self.post.iter().map(|&h| Operand::Each(&histories[h].row(k)[self.range.clone()]));
        let operands: SmallVec<[Operand<'_>; 8]> = unknown.chain(post).chain([Operand::Shared(f64::NAN)]).collect();
        for Sum { part, factors } in &mut self.sums {
            let sums = match part {
                Part::Fixed(sums) => &*sums,
                Part::Of { matrix, window, .. } => {
                    if matches!(factors.as_slice(), [None]) {
                        self.matrices[*matrix].add(window.values(), row);
                        continue;
                    }
                    self.out.fill(0.0);
                    self.matrices[*matrix].add(window.values(), &mut self.out);
                    &self.out
                }
            };
            for factor in factors {
                match factor {
                    None => row.iter_mut().zip(sums).for_each(|(r, sum)| *r += sum),
                    Some(factor) => {
                        factor.evaluate(0.0, &operands, &mut self.factor);
                        self.alone.iter().for_each(|&lane| self.factor[lane] = 0.0);
                        row.iter_mut().zip(sums).zip(&self.factor).for_each(|((r, sum), q)| *r += sum * q);
                    }
                }
            }
        }
        true
    }

    /// The last step at whose beginning a part of some source was no finite number.
    pub fn broken(&mut self) -> &mut Option<u64> {
        &mut self.broken
    }

    /// Evaluates the parts of the sources at step `k`.
    fn see(&mut self, k: u64, histories: &[History]) {
        let Self { pre, post, same, sums, broken, .. } = self;
        let mut finite = true;
        for sum in sums {
            let Part::Of { expression, window, .. } = &mut sum.part else { continue };
            window.advance(k, |back, row| {
                let at = k.wrapping_sub(u64::from(*same)).wrapping_sub(back as u64);
                let unknown = std::iter::repeat_n(Operand::Shared(f64::NAN), post.len() + 1);
                let operands: SmallVec<[Operand<'_>; 8]> =
                    pre.iter().map(|&h| Operand::Each(histories[h].row(at))).chain(unknown).collect();
                expression.evaluate(0.0, &operands, row);
                // What is older was looked at when it was new.
                finite &= back > 0 || all_finite(row);
            });
        }
        if !finite {
            *broken = Some(k);
        }
    }
}
