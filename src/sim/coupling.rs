//! Continuous projections: at every step each connection gives the value of an expression over its two units; what
//! arrives is the sum over the connections of a target, in the order of the sources.
//!
//! Delay 0 takes the source's value at the beginning of the step that it drives; a delay of d steps the value d steps
//! earlier. Before time 0 a source had its initial value.

mod factored;
mod matrix;
mod snapshot;
mod window;

use std::ops::Range;

use self::factored::{Connections, Factored, Parts};
use super::connect::{Link, Wiring};
use super::expression::{Expression, Operand};
use super::plasticity::{self, Learning, Rates};
use super::separate::{Split, separate};
use spikedeck_equation::Formula;
use spikedeck_scenario::{CarriedName, ConnectionVariableId, Rule, VariableId};

/// Connections that are evaluated at once.
const CHUNK: usize = 1024;

/// Connections for each unit of both ends from which on parts of their values are evaluated once a unit.
const LEAST: f64 = 4.0;

/// Whether a projection has so many connections.
fn is_many(wiring: &Wiring<'_>) -> bool {
    wiring.expected() >= LEAST * (f64::from(wiring.sources) + f64::from(wiring.targets))
}

/// Bytes of the values that are kept of parts of the sources, for delays of up to `slots` steps, where connections with
/// weights or delays of their own are held one by one and do not change.
pub(super) fn bytes_of_parts(value: &Formula<CarriedName>, wiring: &Wiring<'_>, slots: u64) -> u64 {
    let sums = if is_many(wiring) { Parts::of(value).map_or(0, |parts| parts.varying()) } else { 0 };
    let rows = slots.saturating_add(slots / 4);
    rows.saturating_mul(8 * sums as u64).saturating_mul(u64::from(wiring.sources) + 1)
}

/// Values of one variable of one whole population over the last steps.
#[derive(Debug)]
pub(super) struct History {
    mask: usize,
    rows: Vec<Vec<f64>>,
}

impl History {
    /// For delays up to `longest` steps, with the initial values everywhere.
    pub fn new(size: usize, longest: usize) -> Self {
        let slots = (longest + 1).next_power_of_two();
        Self { mask: slots - 1, rows: vec![vec![0.0; size]; slots] }
    }

    /// The values at grid point `k`.
    pub fn row(&self, k: u64) -> &[f64] {
        &self.rows[k as usize & self.mask]
    }

    /// The values at grid point `k`, to be written.
    pub fn row_mut(&mut self, k: u64) -> &mut [f64] {
        &mut self.rows[k as usize & self.mask]
    }

    /// The row of grid point `k + 1`, to be written, holding the values at `k`.
    pub fn carry(&mut self, k: u64) -> &mut [f64] {
        let (from, to) = (k as usize & self.mask, (k + 1) as usize & self.mask);
        if let Ok([from, to]) = self.rows.get_disjoint_mut([from, to]) {
            to.copy_from_slice(from);
        }
        &mut self.rows[to]
    }

    /// Makes the values at grid point 0 those of all times before.
    pub fn start(&mut self) {
        let first = self.rows[0].clone();
        self.rows.iter_mut().skip(1).for_each(|row| row.copy_from_slice(&first));
    }
}

/// What a continuous projection carries, with the histories of what it names.
#[derive(Debug, Clone)]
pub(super) struct Carried<'a> {
    formula: &'a Formula<CarriedName>,
    /// Histories of the source's quantities, and of the target's.
    pre: Vec<usize>,
    post: Vec<usize>,
    /// For each name of the expression its place among the operands: the source's, the target's, then the weight.
    operands: Vec<usize>,
}

impl<'a> Carried<'a> {
    /// `source` and `target` give the history of a quantity of either end.
    pub fn new(
        formula: &'a Formula<CarriedName>,
        mut source: impl FnMut(VariableId) -> usize,
        mut target: impl FnMut(VariableId) -> usize,
    ) -> Self {
        let (mut sources, mut targets) = (Vec::new(), Vec::new());
        for name in formula.names() {
            match name {
                CarriedName::Source(v) => sources.push(*v),
                CarriedName::Target(v) => targets.push(*v),
                CarriedName::Weight => {}
            }
        }
        let rank = |list: &[VariableId], v| {
            list.iter().position(|x| *x == v).expect("every name of the expression was sorted into its list above")
        };
        let operands = formula.names().iter().map(|name| match name {
            CarriedName::Source(v) => rank(&sources, *v),
            CarriedName::Target(v) => sources.len() + rank(&targets, *v),
            CarriedName::Weight => sources.len() + targets.len(),
        });
        let operands = operands.collect();
        let pre = sources.iter().map(|v| source(*v)).collect();
        let post = targets.iter().map(|v| target(*v)).collect();
        Self { formula, pre, post, operands }
    }

    fn compiled(&self) -> Expression {
        let (graph, root) = self.formula.expression().graph();
        Expression::compile(graph, root, &self.operands, None)
    }

    /// The products of a source's part and a target's part that it is a sum of, if it is.
    fn products(&self) -> Option<Vec<(Expression, Expression)>> {
        let (graph, root) = self.formula.expression().graph();
        let mut graph = graph.clone();
        let of_target = |i: u32| matches!(self.formula.names()[i as usize], CarriedName::Target(_));
        let list = separate(&mut graph, root, Split { is_post: &of_target, expands: true })?;
        let compile = |id| Expression::compile(&graph, id, &self.operands, None);
        Some(list.into_iter().map(|(p, q)| (compile(p), compile(q))).collect())
    }
}

/// A continuous projection into one lane range.
#[derive(Debug)]
pub(super) struct Coupling {
    expression: Expression,
    /// Histories of the source's variables, and of the target's.
    pre: Vec<usize>,
    post: Vec<usize>,
    range: Range<u32>,
    links: Links,
    /// Weight and delay of all connections, unless links hold their own.
    weight: f64,
    delay: u16,
    out: Vec<f64>,
    gathered: Vec<Vec<f64>>,
    learning: Option<Learning>,
    /// Where connections are many and their values sums of products.
    factored: Option<Factored>,
}

/// A sum over sources that does not need all pairs: see [`super::separate`].
#[derive(Debug)]
struct Products {
    /// For each product, the source's part and the target's part.
    parts: Vec<(Expression, Expression)>,
    /// Values of a source's part, whole population.
    values: Vec<f64>,
}

#[derive(Debug)]
enum Links {
    /// Every source to every lane (without itself if so).
    All { sources: u32, no_self: bool, products: Option<Products> },
    /// Sorted by lane.
    Some { sources: Vec<u32>, lanes: Vec<u32>, weights: Vec<f64>, delays: Vec<u16> },
}

impl Coupling {
    /// The projection into the targets `range`.
    pub fn new(
        carried: &Carried<'_>,
        wiring: &Wiring<'_>,
        range: Range<u32>,
        properties: &super::delivery::Properties<'_>,
    ) -> Self {
        use super::delivery::Property;
        let same_delay = if let Property::Same(d) = properties.delay { Some(d) } else { None };
        let same_weight = if let Property::Same(w) = properties.weight { Some(w) } else { None };
        let links = if let (Rule::AllToAll, Some(_), Some(_)) = (wiring.rule, same_delay, same_weight) {
            let products =
                carried.products().map(|parts| Products { parts, values: vec![0.0; wiring.sources as usize] });
            // Values are those of units, also on trees: what is kept apart is each unit from itself.
            Links::All { sources: wiring.sources, no_self: wiring.apart.is_some(), products }
        } else {
            let mut found: Vec<Link> = Vec::new();
            wiring.walk(range.clone(), |link| found.push(link));
            found.sort_by_key(|l| (l.target, l.source));
            Links::Some {
                sources: found.iter().map(|l| l.source).collect(),
                lanes: found.iter().map(|l| l.target - range.start).collect(),
                weights: properties.weight.of(&found),
                delays: properties.delay.of(&found),
            }
        };
        let (pre, post) = (carried.pre.clone(), carried.post.clone());
        let gathered = vec![vec![0.0; CHUNK]; pre.len() + post.len() + 1];
        let out = vec![0.0; CHUNK.max(range.len())];
        let expression = carried.compiled();
        let (weight, delay) = (same_weight.unwrap_or(0.0), same_delay.unwrap_or(0));
        Self { expression, pre, post, range, links, weight, delay, out, gathered, learning: None, factored: None }
    }

    /// Evaluates what depends on one end alone once a unit, where the value is a sum of products and connections, which
    /// do not change, are many enough for that to be less work. Whether they are is asked of the whole projection, so
    /// that sums have the same bits however targets are shared out.
    pub fn factor(&mut self, carried: &Carried<'_>, wiring: &Wiring<'_>) {
        let Links::Some { sources, lanes, weights, delays } = &self.links else { return };
        if !is_many(wiring) {
            return;
        }
        let connections = Connections {
            sources: wiring.sources,
            source: sources,
            lane: lanes,
            weight: if weights.is_empty() { Operand::Shared(self.weight) } else { Operand::Each(weights) },
            delay: delays,
            same: self.delay,
        };
        self.factored = Factored::new(carried, self.range.clone(), connections);
    }

    /// Lets its connections change by `rates`.
    pub fn learn_by(&mut self, rates: &Rates, sources: usize) {
        self.learning = Some(Learning::new(rates, (sources, self.range.len()), self.len() as usize, self.longest()));
    }

    /// Steps the rules of step `k` (time `t`), if there are any.
    pub fn learn(&mut self, k: u64, t: f64, histories: &[History]) {
        if let (Some(learning), Links::Some { sources, lanes, weights, delays }) = (&mut self.learning, &mut self.links)
        {
            let first = self.range.start as usize;
            learning.step(
                k,
                t,
                histories,
                plasticity::Links { sources, lanes, weights, delays, delay: self.delay, first },
            );
        }
    }

    /// A connection with a value that is no finite number: source, lane, number of the value.
    pub fn failed(&self) -> Option<(u32, u32, usize)> {
        self.learning.as_ref()?.failed
    }

    /// The number of a value of a connection that changes.
    pub fn number(&self, variable: ConnectionVariableId) -> usize {
        self.learning.as_ref().expect("only connections that change are recorded").number(variable)
    }

    /// A variable of a connection that changes, at the beginning of step `k`.
    pub fn look(&self, variable: usize, connection: usize, k: u64) -> f64 {
        match (&self.links, &self.learning) {
            (Links::Some { sources, lanes, weights, delays }, Some(l)) => l.look(
                variable,
                connection,
                k,
                &plasticity::Ends { sources, lanes, weights, delays, delay: self.delay },
            ),
            _ => unreachable!("only connections that change are looked at, and these are held one by one"),
        }
    }

    /// Number of connections.
    pub fn len(&self) -> u64 {
        match &self.links {
            Links::All { sources, no_self, .. } => {
                let own =
                    if *no_self { u64::from(self.range.end.min(*sources).saturating_sub(self.range.start)) } else { 0 };
                u64::from(*sources) * self.range.len() as u64 - own
            }
            Links::Some { sources, .. } => sources.len() as u64,
        }
    }

    /// Longest delay in steps.
    pub fn longest(&self) -> usize {
        match &self.links {
            Links::Some { delays, .. } if !delays.is_empty() => usize::from(delays.iter().copied().max().unwrap_or(0)),
            _ => usize::from(self.delay),
        }
    }

    /// Every connection: source, target lane, weight, delay in steps.
    pub fn connections(&self) -> Vec<(u32, u32, f64, u16)> {
        match &self.links {
            Links::All { sources, no_self, .. } => {
                let lanes = self.range.len() as u32;
                let all = (0..*sources).flat_map(|s| (0..lanes).map(move |l| (s, l)));
                let kept = all.filter(|&(s, l)| !(*no_self && s == self.range.start + l));
                kept.map(|(s, l)| (s, l, self.weight, self.delay)).collect()
            }
            Links::Some { sources, lanes, weights, delays } => (0..sources.len())
                .map(|c| {
                    let (w, d) =
                        (weights.get(c).copied().unwrap_or(self.weight), delays.get(c).copied().unwrap_or(self.delay));
                    (sources[c], lanes[c], w, d)
                })
                .collect(),
        }
    }

    /// Adds what arrives during step `k` (time `t`) to `row`, one entry a lane.
    pub fn add(&mut self, k: u64, t: f64, histories: &[History], row: &mut [f64]) {
        if self.factored.as_mut().is_some_and(|factored| factored.add(k, histories, row)) {
            return;
        }
        let lanes = self.range.start as usize..self.range.end as usize;
        let before = |delay: u16| k.wrapping_sub(u64::from(delay));
        match &mut self.links {
            Links::All { sources, no_self, products: Some(products) } => {
                let pre = self.pre.iter().map(|&h| histories[h].row(before(self.delay)));
                let weight = Operand::Shared(self.weight);
                let unknown = Operand::Shared(f64::NAN);
                let source_side: Vec<Operand<'_>> =
                    pre.map(Operand::Each).chain(self.post.iter().map(|_| unknown)).chain([weight]).collect();
                let post = self.post.iter().map(|&h| Operand::Each(&histories[h].row(k)[lanes.clone()]));
                let target_side: Vec<Operand<'_>> =
                    self.pre.iter().map(|_| unknown).chain(post).chain([weight]).collect();
                let out = &mut self.out[..row.len()];
                for (source_part, target_part) in &mut products.parts {
                    source_part.evaluate(t, &source_side, &mut products.values);
                    target_part.evaluate(t, &target_side, out);
                    let sum: f64 = products.values.iter().sum();
                    for (lane, (r, v)) in row.iter_mut().zip(out.iter()).enumerate() {
                        let unit = lanes.start + lane;
                        let own = if *no_self && unit < *sources as usize { products.values[unit] } else { 0.0 };
                        *r += (sum - own) * v;
                    }
                }
            }
            Links::All { sources, no_self, products: None } => {
                let pre: Vec<&[f64]> = self.pre.iter().map(|&h| histories[h].row(before(self.delay))).collect();
                let mut operands = vec![Operand::Shared(0.0); self.pre.len()];
                operands.extend(self.post.iter().map(|&h| Operand::Each(&histories[h].row(k)[lanes.clone()])));
                operands.push(Operand::Shared(self.weight));
                let out = &mut self.out[..row.len()];
                for source in 0..*sources {
                    for (operand, column) in operands.iter_mut().zip(&pre) {
                        *operand = Operand::Shared(column[source as usize]);
                    }
                    self.expression.evaluate(t, &operands, out);
                    if *no_self && self.range.contains(&source) {
                        out[(source - self.range.start) as usize] = 0.0;
                    }
                    row.iter_mut().zip(out.iter()).for_each(|(r, v)| *r += v);
                }
            }
            Links::Some { sources, lanes: targets, weights, delays } => {
                let mut from = 0;
                while from < sources.len() {
                    let to = (from + CHUNK).min(sources.len());
                    let n = to - from;
                    for (column, &h) in self.gathered.iter_mut().zip(&self.pre) {
                        if delays.is_empty() {
                            let values = histories[h].row(before(self.delay));
                            column.iter_mut().zip(&sources[from..to]).for_each(|(v, &s)| *v = values[s as usize]);
                        } else {
                            for ((v, &s), &d) in column.iter_mut().zip(&sources[from..to]).zip(&delays[from..to]) {
                                *v = histories[h].row(before(d))[s as usize];
                            }
                        }
                    }
                    for (column, &h) in self.gathered[self.pre.len()..].iter_mut().zip(&self.post) {
                        let values = &histories[h].row(k)[lanes.clone()];
                        column.iter_mut().zip(&targets[from..to]).for_each(|(v, &l)| *v = values[l as usize]);
                    }
                    let mut operands: Vec<Operand<'_>> = self.gathered[..self.pre.len() + self.post.len()]
                        .iter()
                        .map(|c| Operand::Each(&c[..n]))
                        .collect();
                    operands.push(if weights.is_empty() {
                        Operand::Shared(self.weight)
                    } else {
                        Operand::Each(&weights[from..to])
                    });
                    self.expression.evaluate(t, &operands, &mut self.out[..n]);
                    targets[from..to].iter().zip(&self.out).for_each(|(&l, v)| row[l as usize] += v);
                    from = to;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
