//! Weights and delays of connections.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::axis::Axis;
use crate::connect::{Link, Wiring};
use crate::delivery::Lookup;
use crate::geometry::{Geometry, distance_squared};
use crate::values::{draw, draw_each};
use spikedeck_core::rng::Key;
use spikedeck_equation::Formula;
use spikedeck_scenario::{Apart, Distribution, PairName, ProjectionSpec, Rule, Value, pairs};

/// How a value is found for a connection.
enum Source<'a> {
    Same(f64),
    Listed(&'a [f64], Order),
    Drawn(&'a Distribution, Key, Option<(Order, usize)>),
    Computed(&'a Formula<PairName>, Pair<'a>),
}

/// Where the two units of a connection are.
#[derive(Clone, Copy)]
struct Pair<'a> {
    from: &'a Geometry,
    to: &'a Geometry,
    wrap: [f64; 3],
    counts: [f64; 2],
}

impl Pair<'_> {
    /// What a name stands for between the two units of `link`.
    fn value(&self, name: PairName, link: &Link) -> f64 {
        let (s, t) = (link.source as usize, link.target as usize);
        match name {
            PairName::Source => s as f64,
            PairName::Target => t as f64,
            PairName::Sources => self.counts[0],
            PairName::Targets => self.counts[1],
            PairName::Distance => distance_squared(self.from.positions[s], self.to.positions[t], self.wrap).sqrt(),
            PairName::SourcePosition(axis) => self.from.positions[s][axis],
            PairName::TargetPosition(axis) => self.to.positions[t][axis],
        }
    }
}

/// The number of a connection in the order in which values are listed.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// One to one: the unit.
    Unit,
    /// Edges: the place in the list.
    Edge,
    /// All to all: by source, then target.
    Pair { targets: usize, apart: Option<Apart> },
}

impl Order {
    fn of(self, link: &Link) -> usize {
        match self {
            Self::Unit => link.source as usize,
            Self::Edge => link.draw as usize,
            Self::Pair { targets, apart } => {
                // Those of the cell itself are left out in every row.
                let (own, before) = apart.map_or((0, 0), |a| {
                    let own = a.targets_at(link.source);
                    (own.len(), if link.target >= own.end { own.len() } else { 0 })
                });
                link.source as usize * (targets - own) + link.target as usize - before
            }
        }
    }
}

impl Source<'_> {
    fn of(&self, link: &Link) -> f64 {
        match self {
            Self::Same(v) => *v,
            Self::Listed(list, order) => list[order.of(link)],
            Self::Drawn(distribution, key, placed) => {
                let mut stream = key.stream(link.row, u64::from(link.draw));
                let (index, count) = placed.map_or((0, 1), |(order, count)| (order.of(link), count));
                draw(distribution, &mut stream, index, count)
            }
            Self::Computed(formula, pair) => formula.evaluate(|name| pair.value(*name, link)),
        }
    }

    /// The values of `links`, as [`Source::of`] gives them.
    fn of_each(&self, links: &[Link], out: &mut [f64]) {
        match self {
            Self::Drawn(distribution, key, placed) => {
                let placed = |link: &Link| placed.map_or((0, 1), |(order, count)| (order.of(link), count));
                draw_each(distribution, *key, links, placed, out);
            }
            _ => links.iter().zip(out).for_each(|(link, v)| *v = self.of(link)),
        }
    }
}

/// Weights and delays of one projection.
pub(super) struct ConnectionValues<'a> {
    weight: Source<'a>,
    delay: Source<'a>,
    axis: Axis,
    /// Drawn and computed delays are at least one step; fixed ones may be 0.
    least: f64,
    rounded: AtomicU64,
    too_long: AtomicU64,
    /// Whether a weight is a conductance.
    conductance: bool,
    /// First connection (source, then target) whose computed weight or delay is none.
    no_weight: AtomicU64,
    no_delay: AtomicU64,
}

/// The weights of a projection, many at once.
pub(super) struct Weights<'a>(pub &'a ConnectionValues<'a>);

/// Its delays in steps, many at once.
pub(super) struct Delays<'a>(pub &'a ConnectionValues<'a>);

impl Lookup<f64> for Weights<'_> {
    fn find(&self, links: &[Link], out: &mut [f64]) {
        self.0.weight.of_each(links, out);
        out.iter_mut().zip(links).for_each(|(w, link)| *w = self.0.checked_weight(*w, link));
    }
}

impl Lookup<u16> for Delays<'_> {
    fn find(&self, links: &[Link], out: &mut [u16]) {
        let mut delays = [0.0; AT_ONCE];
        for (links, out) in links.chunks(AT_ONCE).zip(out.chunks_mut(AT_ONCE)) {
            self.0.delay.of_each(links, &mut delays[..links.len()]);
            for ((steps, delay), link) in out.iter_mut().zip(delays).zip(links) {
                *steps = self.0.whole_delay(delay, link);
            }
        }
    }
}

/// Delays that are drawn before they are made whole steps.
const AT_ONCE: usize = 256;

/// No connection.
const NONE: u64 = u64::MAX;

/// A connection as a number that is ordered by source, then target.
fn numbered(link: &Link) -> u64 {
    u64::from(link.source) << 32 | u64::from(link.target)
}

impl<'a> ConnectionValues<'a> {
    /// The weights and delays of `projection` over its wiring.
    pub fn new(projection: &'a ProjectionSpec, wiring: &Wiring<'a>, seed: u64, axis: Axis, conductance: bool) -> Self {
        let (n, m, apart) = (wiring.sources as usize, wiring.targets as usize, wiring.apart);
        let pair = Pair { from: wiring.from, to: wiring.to, wrap: wiring.wrap(), counts: [n as f64, m as f64] };
        let entity = projection.draw_key();
        let (order, count) = match &projection.rule {
            Rule::OneToOne => (Some(Order::Unit), n),
            Rule::Edges { source, .. } => (Some(Order::Edge), source.len()),
            Rule::AllToAll => (Some(Order::Pair { targets: m, apart }), pairs(n, m, apart)),
            _ => (None, 0),
        };
        let find = |value: &'a Value<PairName>, purpose: &str| -> Source<'a> {
            match (value, order) {
                (Value::Constant(v), _) => Source::Same(*v),
                (Value::Each(list), Some(order)) => {
                    assert_eq!(list.len(), count, "the scenario refuses lists that are not one value a connection");
                    Source::Listed(list, order)
                }
                (Value::Each(_), None) => {
                    unreachable!("the scenario refuses lists for rules whose connections have no order")
                }
                (Value::Drawn(d), order) => {
                    Source::Drawn(d, Key::new(seed, &entity, purpose), order.map(|o| (o, count)))
                }
                (Value::Expression(formula), _) => Source::Computed(formula, pair),
            }
        };
        let (weights, delays) = projection.rule.listed();
        let source = |listed: Option<&'a std::sync::Arc<[f64]>>, value, purpose| match listed {
            Some(list) => Source::Listed(list, Order::Edge),
            None => find(value, purpose),
        };
        let weight = source(weights, &projection.weight, "weight");
        let delay = source(delays, &projection.delay, "delay");
        let least = if matches!(delay, Source::Drawn(..) | Source::Computed(..)) { 1.0 } else { 0.0 };
        let count = || AtomicU64::new(0);
        let (rounded, too_long, no_weight, no_delay) = (count(), count(), AtomicU64::new(NONE), AtomicU64::new(NONE));
        Self { weight, delay, axis, least, rounded, too_long, conductance, no_weight, no_delay }
    }

    /// The weight of all connections, if they do not differ.
    pub fn same_weight(&self) -> Option<f64> {
        if let Source::Same(w) = self.weight { Some(w) } else { None }
    }

    /// The delay of all connections in steps, if they do not differ.
    pub fn same_delay(&self) -> Option<u16> {
        if let Source::Same(d) = self.delay { Some((d / self.axis.dt).round() as u16) } else { None }
    }

    /// The weight of one connection in SI.
    pub fn weight(&self, link: &Link) -> f64 {
        self.checked_weight(self.weight.of(link), link)
    }

    /// The delay of one connection in steps.
    pub fn delay_in_steps(&self, link: &Link) -> u16 {
        self.whole_delay(self.delay.of(link), link)
    }

    fn checked_weight(&self, weight: f64, link: &Link) -> f64 {
        if matches!(self.weight, Source::Computed(..)) && (!weight.is_finite() || (self.conductance && weight < 0.0)) {
            self.no_weight.fetch_min(numbered(link), Ordering::Relaxed);
        }
        weight
    }

    /// A delay in steps, at least the least.
    fn whole_delay(&self, delay: f64, link: &Link) -> u16 {
        let steps = (delay / self.axis.dt).round();
        if matches!(self.delay, Source::Computed(..)) && (steps.is_nan() || steps < 0.0) {
            self.no_delay.fetch_min(numbered(link), Ordering::Relaxed);
        }
        if steps < self.least || steps.is_nan() {
            self.rounded.fetch_add(1, Ordering::Relaxed);
        }
        if steps > f64::from(u16::MAX) {
            self.too_long.fetch_add(1, Ordering::Relaxed);
        }
        steps.max(self.least) as u16
    }

    /// Drawn or computed delays that were raised to one step, so far.
    pub fn rounded(&self) -> u64 {
        self.rounded.load(Ordering::Relaxed)
    }

    /// # Errors
    /// When a computed weight or delay was none, or a drawn or computed delay longer than a ring can hold.
    pub fn check(&self) -> Result<(), String> {
        let pair = |n: u64| format!("from unit {} to unit {}", n >> 32, n & u64::from(u32::MAX));
        match (self.no_weight.load(Ordering::Relaxed), self.no_delay.load(Ordering::Relaxed)) {
            (NONE, NONE) => {}
            (NONE, n) => return Err(format!("the delay {} is negative or no number", pair(n))),
            (n, _) => {
                let what = if self.conductance { "negative or no finite number" } else { "no finite number" };
                return Err(format!("the weight {} is {what} (the distance of a unit to itself is 0)", pair(n)));
            }
        }
        match self.too_long.load(Ordering::Relaxed) {
            0 => Ok(()),
            n => Err(format!("{n} delays are longer than {} steps; bound them (a distribution with `max`)", u16::MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Listed values of all to all stand by source, then target, whatever is left out.
    #[test]
    fn pairs_are_numbered_without_gaps() {
        let place = Geometry::default();
        for (cells, p, q) in [(3, 1, 1), (4, 2, 1), (4, 1, 3), (3, 2, 2), (1, 2, 3)] {
            for apart in [None, Some(Apart { sources: p, targets: q })] {
                let (n, m) = (cells * p, cells * q);
                let rule = Rule::AllToAll;
                let key = Key::new(1, "projections.p", "connect");
                let wiring = Wiring {
                    rule: &rule,
                    sources: n,
                    targets: m,
                    apart,
                    multapses: false,
                    key,
                    from: &place,
                    to: &place,
                };
                let order = Order::Pair { targets: m as usize, apart };
                let mut links = Vec::new();
                wiring.walk(0..m, |link| links.push(link));
                links.sort_by_key(|l| (l.source, l.target));
                assert!(links.iter().enumerate().all(|(k, link)| order.of(link) == k), "{cells} {p} {q}");
                assert_eq!(links.len(), pairs(n as usize, m as usize, apart));
            }
        }
    }
}
