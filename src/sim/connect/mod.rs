//! Which units are connected: every rule as a walk over its connections.
//!
//! A walk is a pure function of seed, projection and rule. It visits the connections into a range of targets, always in
//! the same order, so that each thread walks only what it owns and a table can be filled in two passes (count, place)
//! without ever holding a list of pairs.

mod distance;
mod drawn;
mod listed;
mod ring;

use std::ops::Range;

use super::geometry::Geometry;
use spikedeck_core::rng::Key;
use spikedeck_scenario::{Apart, Rule, pairs};

/// One connection as a walk visits it. `row` and `draw` key what is drawn for it (weight, delay); `listed` is its place
/// among the connections sorted by source, then target, where the rule has such an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    /// Source unit.
    pub source: u32,
    /// Target unit.
    pub target: u32,
    /// Unit that the rule draws for (target for most rules).
    pub row: u32,
    /// Number of the draw.
    pub draw: u32,
}

/// Targets of a part of a walk that may end before the whole.
const BLOCK: u32 = 256;

/// A rule between two populations.
pub(super) struct Wiring<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Number of source units.
    pub sources: u32,
    /// Number of target units.
    pub targets: u32,
    /// Which units are one cell, where both ends are the same population and no cell may connect to itself.
    pub apart: Option<Apart>,
    /// Whether a pair may be connected more than once.
    pub multapses: bool,
    /// Keys the draws: seed, `projections.NAME`, `connect`.
    pub key: Key,
    /// Where the sources are.
    pub from: &'a Geometry,
    /// Where the targets are.
    pub to: &'a Geometry,
}

impl Wiring<'_> {
    /// Whether the two belong to one cell, which may not connect to itself.
    fn own(&self, source: u32, target: u32) -> bool {
        self.apart.is_some_and(|a| a.same(source, target))
    }

    /// The sources that may not connect to `target`.
    fn own_sources(&self, target: u32) -> Range<u32> {
        self.apart.map_or(0..0, |a| a.sources_at(target))
    }

    /// The targets that `source` may not connect to.
    fn own_targets(&self, source: u32) -> Range<u32> {
        self.apart.map_or(0..0, |a| a.targets_at(source))
    }

    /// Whether the rule can be carried out.
    ///
    /// # Errors
    /// What is impossible, and what would be right.
    pub fn check(&self) -> Result<(), String> {
        let (n, m) = (self.sources as usize, self.targets as usize);
        let own = self.apart.map_or((0, 0), |a| (a.sources as usize, a.targets as usize));
        let (other_sources, other_targets) = (n.saturating_sub(own.0), m.saturating_sub(own.1));
        match self.rule {
            Rule::OneToOne if n != m => {
                Err(format!("one_to_one connects populations of equal size, and these have {n} and {m} units"))
            }
            Rule::FixedIndegree { indegree }
                if *indegree > 0 && (other_sources == 0 || (!self.multapses && *indegree > other_sources)) =>
            {
                Err(format!(
                    "an in-degree of {indegree} is more than the {other_sources} possible sources; set multapses = \
                     true or lower it"
                ))
            }
            Rule::FixedOutdegree { outdegree }
                if *outdegree > 0 && (other_targets == 0 || (!self.multapses && *outdegree > other_targets)) =>
            {
                Err(format!(
                    "an out-degree of {outdegree} is more than the {other_targets} possible targets; set multapses = \
                     true or lower it"
                ))
            }
            Rule::FixedTotalNumber { total } => {
                let pairs = pairs(n, m, self.apart) as u64;
                if *total > 0 && (pairs == 0 || (!self.multapses && *total as u64 > pairs)) {
                    return Err(format!(
                        "{total} connections are more than the {pairs} possible pairs; set multapses = true or lower \
                         the number"
                    ));
                }
                Ok(())
            }
            Rule::SmallWorld { neighbours, .. } if n != m || *neighbours > n.saturating_sub(own.1.max(1)) => {
                Err(format!(
                    "small_world connects a population to itself with fewer neighbours than units; here {neighbours} \
                 neighbours, {n} and {m} units"
                ))
            }
            Rule::Neighbours { periodic, .. } | Rule::Gaussian { periodic, .. } => {
                if self.from.positions.is_empty() || self.to.positions.is_empty() {
                    return Err("a rule by distance needs positions in both populations".to_owned());
                }
                if *periodic && self.to.extent == [0.0; 3] {
                    return Err(
                        "periodic distances need `grid` or `uniform` positions, which have an extent".to_owned()
                    );
                }
                Ok(())
            }
            Rule::Edges { source, target, .. } => listed::check(source, target, n, m),
            _ => Ok(()),
        }
    }

    /// Visits every connection into `targets`, in an order that depends on the rule alone.
    pub fn walk(&self, targets: Range<u32>, mut visit: impl FnMut(Link)) {
        match self.rule {
            Rule::OneToOne => listed::one_to_one(self, targets, visit),
            Rule::AllToAll => listed::all_to_all(self, targets, visit),
            Rule::Edges { source, target, .. } => listed::edges(self, source, target, &targets, visit),
            Rule::Probability { p } => drawn::probability(self, *p, targets, visit),
            Rule::FixedIndegree { indegree } => drawn::fixed_indegree(self, *indegree, targets, visit),
            Rule::FixedOutdegree { outdegree } => drawn::fixed_outdegree(self, *outdegree, &targets, visit),
            Rule::FixedTotalNumber { total } => drawn::fixed_total_number(self, *total, &targets, visit),
            Rule::Neighbours { radius, .. } => distance::within(self, *radius, targets, |link, _, _| visit(link)),
            Rule::Gaussian { p_max, sigma, .. } => distance::gaussian(self, *p_max, *sigma, targets, visit),
            Rule::SmallWorld { neighbours, p_rewire } => {
                ring::small_world(self, *neighbours, *p_rewire, &targets, visit);
            }
        }
    }

    /// Visits every connection for as long as `visit` says that it is to go on. Rules that begin anew with each range
    /// of targets come to their end, in silence.
    pub fn walk_while(&self, mut visit: impl FnMut(Link) -> bool) {
        let begins_anew = match self.rule {
            Rule::OneToOne
            | Rule::AllToAll
            | Rule::Probability { .. }
            | Rule::FixedIndegree { .. }
            | Rule::Neighbours { .. }
            | Rule::Gaussian { .. } => false,
            Rule::Edges { .. }
            | Rule::FixedOutdegree { .. }
            | Rule::FixedTotalNumber { .. }
            | Rule::SmallWorld { .. } => true,
        };
        let block = if begins_anew { self.targets.max(1) } else { BLOCK };
        let mut goes_on = true;
        for first in (0..self.targets).step_by(block as usize) {
            if goes_on {
                let last = self.targets.min(first.saturating_add(block));
                self.walk(first..last, |link| goes_on = goes_on && visit(link));
            }
        }
    }

    /// Expected number of connections, for the estimate before anything is allocated.
    pub fn expected(&self) -> f64 {
        let (n, m) = (f64::from(self.sources), f64::from(self.targets));
        let pairs = n * (m - self.apart.map_or(0.0, |a| f64::from(a.targets)));
        match self.rule {
            Rule::OneToOne => n,
            Rule::AllToAll => pairs,
            Rule::Probability { p } => pairs * p,
            Rule::FixedIndegree { indegree } => m * *indegree as f64,
            Rule::FixedOutdegree { outdegree } => n * *outdegree as f64,
            Rule::FixedTotalNumber { total } => *total as f64,
            Rule::SmallWorld { neighbours, .. } => n * *neighbours as f64,
            Rule::Edges { source, .. } => source.len() as f64,
            Rule::Neighbours { radius, .. } => {
                distance::expected(self, |d2| if d2 <= radius * radius { 1.0 } else { 0.0 })
            }
            Rule::Gaussian { p_max, sigma, .. } => {
                distance::expected(self, |d2| distance::gaussian_probability(*p_max, *sigma, d2))
            }
        }
    }

    /// Edge lengths that distances wrap around; zeros where they do not.
    pub fn wrap(&self) -> [f64; 3] {
        match self.rule {
            Rule::Neighbours { periodic: true, .. } | Rule::Gaussian { periodic: true, .. } => self.to.extent,
            _ => [0.0; 3],
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn links(rule: &Rule, n: u32, m: u32, no_self: bool, multapses: bool) -> Vec<Link> {
        placed(rule, n, m, no_self, multapses, &Geometry::default(), &Geometry::default())
    }

    pub(crate) fn placed(
        rule: &Rule,
        n: u32,
        m: u32,
        no_self: bool,
        multapses: bool,
        from: &Geometry,
        to: &Geometry,
    ) -> Vec<Link> {
        apart(rule, (n, m), no_self.then_some(Apart { sources: 1, targets: 1 }), multapses, (from, to))
    }

    /// What a rule connects, however its targets are shared out.
    fn apart(
        rule: &Rule,
        (n, m): (u32, u32),
        apart: Option<Apart>,
        multapses: bool,
        (from, to): (&Geometry, &Geometry),
    ) -> Vec<Link> {
        let wiring = Wiring {
            rule,
            sources: n,
            targets: m,
            apart,
            multapses,
            key: Key::new(7, "projections.p", "connect"),
            from,
            to,
        };
        wiring.check().unwrap();
        let mut all = Vec::new();
        wiring.walk(0..m, |l| all.push(l));
        // What is walked until somebody says no is the beginning of the same.
        for most in [all.len() / 2, all.len()] {
            let mut some = Vec::new();
            wiring.walk_while(|l| {
                some.push(l);
                some.len() < most.max(1)
            });
            assert_eq!(some, all[..most.max(1).min(all.len())]);
        }
        // Split in three ranges: together the same connections, each with the same key.
        let mut parts = Vec::new();
        for range in [0..m / 3, m / 3..m / 2, m / 2..m] {
            wiring.walk(range.clone(), |l| {
                assert!(range.contains(&l.target));
                parts.push(l);
            });
        }
        let sorted = |mut v: Vec<Link>| {
            v.sort_by_key(|l| (l.source, l.target, l.row, l.draw));
            v
        };
        assert_eq!(sorted(all.clone()), sorted(parts));
        let own = |l: &Link| apart.is_some_and(|a| l.source / a.sources == l.target / a.targets);
        assert!(!all.iter().any(own), "no cell connects to itself");
        if !multapses {
            let mut pairs: Vec<(u32, u32)> = all.iter().map(|l| (l.source, l.target)).collect();
            pairs.sort_unstable();
            let before = pairs.len();
            pairs.dedup();
            assert_eq!(pairs.len(), before, "no pair twice");
        }
        all
    }

    /// Cells with several places at either end: every rule reaches all pairs of different cells, and no others.
    #[test]
    fn cells_are_kept_apart_whatever_their_places_are() {
        let line = |n: u32| Geometry {
            positions: (0..n).map(|u| [f64::from(u), 0.0, 0.0]).collect(),
            extent: [f64::from(n), 0.0, 0.0],
            ..Geometry::default()
        };
        for (cells, p, q) in [(1, 2, 3), (2, 1, 1), (5, 1, 2), (5, 2, 1), (4, 3, 3), (7, 3, 2)] {
            let (n, m) = (cells * p, cells * q);
            let (others_from, others_to) = ((cells - 1) * p, (cells - 1) * q);
            let all = n * others_to;
            let own = Some(Apart { sources: p, targets: q });
            let (from, to) = (line(n), line(m));
            let of = |rule: Rule| apart(&rule, (n, m), own, false, (&from, &to)).len() as u32;
            assert_eq!(of(Rule::AllToAll), all);
            assert_eq!(of(Rule::Probability { p: 1.0 }), all);
            assert!(of(Rule::Probability { p: 0.5 }) <= all);
            assert_eq!(of(Rule::FixedIndegree { indegree: others_from as usize }), all);
            assert_eq!(of(Rule::FixedOutdegree { outdegree: others_to as usize }), all);
            assert_eq!(of(Rule::FixedTotalNumber { total: all as usize }), all);
            assert_eq!(of(Rule::Neighbours { radius: f64::from(n + m), periodic: false }), all);
            assert_eq!(of(Rule::Gaussian { p_max: 1.0, sigma: 1e9, periodic: false }), all);
            if p == q {
                assert_eq!(of(Rule::OneToOne), 0);
                let neighbours = others_to as usize;
                assert_eq!(of(Rule::SmallWorld { neighbours, p_rewire: 0.5 }), all);
                if neighbours > 2 {
                    assert_eq!(of(Rule::SmallWorld { neighbours: 2, p_rewire: 0.5 }), 2 * n);
                }
            }
        }
    }

    #[test]
    fn impossible_rules_are_refused() {
        let place = Geometry::default();
        let wiring = |rule, multapses| {
            Wiring {
                rule,
                sources: 10,
                targets: 20,
                apart: None,
                multapses,
                key: Key::new(1, "a", "b"),
                from: &place,
                to: &place,
            }
            .check()
        };
        assert!(wiring(&Rule::OneToOne, false).unwrap_err().contains("10 and 20"));
        assert!(wiring(&Rule::FixedIndegree { indegree: 11 }, false).is_err());
        assert!(wiring(&Rule::FixedIndegree { indegree: 11 }, true).is_ok());
        assert!(wiring(&Rule::FixedOutdegree { outdegree: 21 }, false).is_err());
        assert!(wiring(&Rule::FixedTotalNumber { total: 201 }, false).is_err());
        assert!(wiring(&Rule::Neighbours { radius: 1.0, periodic: false }, false).unwrap_err().contains("positions"));
        let edges = Rule::Edges { source: vec![0, 10].into(), target: vec![0, 1].into(), weight: None, delay: None };
        assert!(wiring(&edges, false).unwrap_err().contains("10"));
    }
}
