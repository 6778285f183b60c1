//! Rules by chance: pairwise probability, fixed degrees, fixed number.

use std::collections::HashSet;
use std::ops::Range;

use super::{Link, Wiring};
use spikedeck_core::math::log;
use spikedeck_core::rng::{Bulk, Key, SIDE, is_doubtful, philox_blocks, philox_side, unit_interval_wide};
use spikedeck_core::vector::vectorised;

/// Each pair independently with probability `p`: gaps between connected sources are geometric, so the work is
/// proportional to the connections and not to the pairs.
pub(super) fn probability(wiring: &Wiring<'_>, p: f64, targets: Range<u32>, mut visit: impl FnMut(Link)) {
    if p <= 0.0 {
        return;
    }
    if p >= 1.0 {
        return super::listed::all_to_all(wiring, targets, visit);
    }
    let scale = 1.0 / log(1.0 - p);
    let mut chosen = Vec::new();
    for target in targets {
        let own = wiring.own_sources(target);
        successes(wiring.key, target, scale, wiring.sources - own.len() as u32, &mut chosen);
        for (draw, &n) in chosen.iter().enumerate() {
            visit(Link { source: past(&own, n), target, row: target, draw: draw as u32 });
        }
    }
}

vectorised! {
    /// Which of `candidates` independent trials of a target succeed. Before each success lie floor(ln(1 - u) / ln(1 -
    /// p)) failures, with the uniform numbers u of the target's stream.
    fn successes(key: Key, target: u32, scale: f64, candidates: u32, chosen: &mut Vec<u32>) {
        chosen.clear();
        let (mut next, mut block) = (0_u64, 0_u32);
        loop {
            let [a, b, c, d] = philox_blocks(key, target, 0, block);
            block = block.wrapping_add(SIDE as u32);
            let mut gaps = [[0.0; 2]; SIDE];
            for i in 0..SIDE {
                gaps[i][0] = log(1.0 - unit_interval_wide(a[i], b[i])) * scale;
            }
            for i in 0..SIDE {
                gaps[i][1] = log(1.0 - unit_interval_wide(c[i], d[i])) * scale;
            }
            for gap in gaps.as_flattened() {
                next = next.saturating_add(*gap as u64);
                if next >= u64::from(candidates) {
                    return;
                }
                chosen.push(next as u32);
                next += 1;
            }
        }
    }
}

/// The `n`-th unit that is not among `own`.
#[inline]
fn past(own: &Range<u32>, n: u32) -> u32 {
    if n >= own.start { n + own.len() as u32 } else { n }
}

/// Each target draws `indegree` sources.
pub(super) fn fixed_indegree(wiring: &Wiring<'_>, indegree: usize, targets: Range<u32>, mut visit: impl FnMut(Link)) {
    let mut chooser = Chooser::new(wiring.sources, wiring.multapses);
    for target in targets {
        let own = wiring.own_sources(target);
        let mut stream = Bulk::new(wiring.key, target, 0);
        chooser.choose(wiring.sources - own.len() as u32, indegree as u32, &mut stream, |draw, n| {
            visit(Link { source: past(&own, n), target, row: target, draw });
        });
    }
}

/// Each source draws `outdegree` targets. Every thread draws all and keeps its own.
pub(super) fn fixed_outdegree(wiring: &Wiring<'_>, outdegree: usize, range: &Range<u32>, mut visit: impl FnMut(Link)) {
    let mut chooser = Chooser::new(wiring.targets, wiring.multapses);
    for source in 0..wiring.sources {
        let own = wiring.own_targets(source);
        let mut stream = Bulk::new(wiring.key, source, 0);
        chooser.choose(wiring.targets - own.len() as u32, outdegree as u32, &mut stream, |draw, n| {
            let target = past(&own, n);
            if range.contains(&target) {
                visit(Link { source, target, row: source, draw });
            }
        });
    }
}

/// `total` connections, both ends drawn. Every thread draws all and keeps its own.
pub(super) fn fixed_total_number(wiring: &Wiring<'_>, total: usize, range: &Range<u32>, mut visit: impl FnMut(Link)) {
    let mut seen = HashSet::new();
    let ends = [wiring.sources, wiring.targets];
    let mut is_new = |pair: [u32; 2]| wiring.multapses || seen.insert(u64::from(pair[0]) << 32 | u64::from(pair[1]));
    for first in (0..total as u32).step_by(SIDE) {
        let (mut drawn, mut doubtful) = ([[0; SIDE]; 2], [false; SIDE]);
        draw_pairs(wiring.key, first, ends, &mut drawn, &mut doubtful);
        for (i, k) in (first..(total as u32).min(first.saturating_add(SIDE as u32))).enumerate() {
            let mut pair = [drawn[0][i], drawn[1][i]];
            if doubtful[i] || wiring.own(pair[0], pair[1]) || !is_new(pair) {
                let mut stream = wiring.key.stream(k, 1);
                pair = loop {
                    let pair = ends.map(|n| stream.below(n));
                    if !wiring.own(pair[0], pair[1]) && is_new(pair) {
                        break pair;
                    }
                };
            }
            if range.contains(&pair[1]) {
                visit(Link { source: pair[0], target: pair[1], row: k, draw: 0 });
            }
        }
    }
}

vectorised! {
    /// The first numbers below both of `ends` that the streams of connections from `first` on draw, and which of them
    /// may have to be drawn anew.
    fn draw_pairs(
        key: Key,
        first: u32,
        ends: [u32; 2],
        drawn: &mut [[u32; SIDE]; 2],
        doubtful: &mut [bool; SIDE]
    ) {
        let [a, b, _, _] = philox_side(key, first, 1);
        for i in 0..SIDE {
            let products = [(a[i] as u32, ends[0]), (b[i] as u32, ends[1])].map(|(w, n)| u64::from(w) * u64::from(n));
            drawn[0][i] = (products[0] >> 32) as u32;
            drawn[1][i] = (products[1] >> 32) as u32;
            doubtful[i] = is_doubtful(products[0], ends[0]) || is_doubtful(products[1], ends[1]);
        }
    }
}

/// Draws numbers below n, with or without repetition.
struct Chooser {
    repeat: bool,
    taken: Vec<u64>,
    chosen: Vec<u32>,
}

impl Chooser {
    fn new(n: u32, repeat: bool) -> Self {
        Self { repeat, taken: vec![0; if repeat { 0 } else { n as usize / 64 + 1 }], chosen: Vec::new() }
    }

    /// `count` of `0..n`. Without repetition by Floyd's method (Bentley and Floyd 1987, doi:10.1145/30401.315746):
    /// exactly one random number each, however many are drawn.
    #[inline]
    fn choose(&mut self, n: u32, count: u32, stream: &mut Bulk, mut visit: impl FnMut(u32, u32)) {
        if self.repeat {
            for draw in 0..count {
                visit(draw, stream.below(n));
            }
            return;
        }
        self.chosen.clear();
        for draw in 0..count {
            let last = n - count + draw;
            let mut pick = stream.below(last + 1);
            if self.taken[pick as usize / 64] >> (pick % 64) & 1 == 1 {
                pick = last;
            }
            self.taken[pick as usize / 64] |= 1 << (pick % 64);
            self.chosen.push(pick);
            visit(draw, pick);
        }
        for &pick in &self.chosen {
            self.taken[pick as usize / 64] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::Link;
    use super::super::tests::links;
    use spikedeck_core::math::log;
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::Rule;

    fn degrees(all: &[Link], n: usize, end: impl Fn(&Link) -> u32) -> Vec<f64> {
        let mut count = vec![0.0; n];
        for l in all {
            count[end(l) as usize] += 1.0;
        }
        count
    }

    fn mean_variance(v: &[f64]) -> (f64, f64) {
        let mean = v.iter().sum::<f64>() / v.len() as f64;
        (mean, v.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / v.len() as f64)
    }

    #[test]
    fn pairwise_probability_gives_binomial_degrees() {
        // 400 x 1000 pairs at p = 0.1: both degrees are binomial; sampling errors of mean and variance are a few
        // percent.
        let all = links(&Rule::Probability { p: 0.1 }, 400, 1000, false, false);
        let (mean, variance) = mean_variance(&degrees(&all, 1000, |l| l.target));
        assert!((mean - 40.0).abs() < 1.0 && (variance - 36.0).abs() < 6.0, "{mean} {variance}");
        let (mean, variance) = mean_variance(&degrees(&all, 400, |l| l.source));
        assert!((mean - 100.0).abs() < 2.0 && (variance - 90.0).abs() < 25.0, "{mean} {variance}");
        assert_eq!(links(&Rule::Probability { p: 1.0 }, 7, 8, false, false).len(), 56);
        assert!(links(&Rule::Probability { p: 0.0 }, 7, 8, false, false).is_empty());
        // Without autapses the mean in-degree is p (N - 1).
        let all = links(&Rule::Probability { p: 0.3 }, 600, 600, true, false);
        assert!((all.len() as f64 / 600.0 - 0.3 * 599.0).abs() < 2.0);
    }

    #[test]
    fn fixed_degrees_are_exact_and_sources_even() {
        for multapses in [false, true] {
            let all = links(&Rule::FixedIndegree { indegree: 50 }, 200, 300, false, multapses);
            assert!(degrees(&all, 300, |l| l.target).iter().all(|&d| d == 50.0));
            // Each source is drawn 300 * 50 / 200 = 75 times on average, with a binomial spread.
            let (mean, variance) = mean_variance(&degrees(&all, 200, |l| l.source));
            let expected = if multapses { 74.6 } else { 300.0 * 0.25 * 0.75 };
            assert!(mean == 75.0 && (variance - expected).abs() < 0.4 * expected, "{mean} {variance}");
            let all = links(&Rule::FixedOutdegree { outdegree: 9 }, 100, 80, false, multapses);
            assert!(degrees(&all, 100, |l| l.source).iter().all(|&d| d == 9.0));
        }
        // All of the others, without oneself: Floyd's method at its limit.
        let all = links(&Rule::FixedIndegree { indegree: 19 }, 20, 20, true, false);
        assert_eq!(all.len(), 380);
    }

    /// What is drawn side by side is what the stream of each target, or of each connection, draws by itself.
    #[test]
    fn connections_are_those_of_streams_one_by_one() {
        let key = Key::new(7, "projections.p", "connect");
        let sorted = |mut v: Vec<Link>| {
            v.sort_by_key(|l| (l.row, l.draw, l.source, l.target));
            v
        };
        for (p, n, m) in [(0.01, 3000, 40), (0.3, 100, 200), (0.97, 70, 9), (0.5, 1, 50)] {
            let mut expected = Vec::new();
            for target in 0..m {
                let (mut stream, mut next, mut draw) = (key.stream(target, 0), 0_u64, 0);
                loop {
                    next += (log(1.0 - stream.uniform()) * (1.0 / log(1.0 - p))) as u64;
                    if next >= u64::from(n) {
                        break;
                    }
                    expected.push(Link { source: next as u32, target, row: target, draw });
                    (next, draw) = (next + 1, draw + 1);
                }
            }
            assert_eq!(sorted(links(&Rule::Probability { p }, n, m, false, false)), sorted(expected), "{p} {n} {m}");
        }
        for (total, n, m, no_self, multapses) in
            [(1, 3, 2, false, true), (1000, 50, 60, false, true), (400, 25, 25, true, false), (77, 10, 10, true, true)]
        {
            let (mut seen, mut expected) = (HashSet::new(), Vec::new());
            for k in 0..total as u32 {
                let mut stream = key.stream(k, 1);
                let (source, target) = loop {
                    let pair = (stream.below(n), stream.below(m));
                    if !(no_self && pair.0 == pair.1) && (multapses || seen.insert(pair)) {
                        break pair;
                    }
                };
                expected.push(Link { source, target, row: k, draw: 0 });
            }
            let found = links(&Rule::FixedTotalNumber { total }, n, m, no_self, multapses);
            assert_eq!(sorted(found), sorted(expected), "{total} {n} {m}");
        }
        for (indegree, n) in [(5, 900), (400, 900), (899, 900)] {
            let mut expected = Vec::new();
            for target in 0..20 {
                let mut stream = key.stream(target, 0);
                let draws = (0..indegree as u32).map(|draw| (draw, stream.below(n)));
                expected.extend(draws.map(|(draw, source)| Link { source, target, row: target, draw }));
            }
            let found = links(&Rule::FixedIndegree { indegree }, n, 20, false, true);
            assert_eq!(sorted(found), sorted(expected), "{indegree}");
        }
    }

    #[test]
    fn a_fixed_number_is_exact() {
        assert_eq!(links(&Rule::FixedTotalNumber { total: 1234 }, 50, 60, false, true).len(), 1234);
        assert_eq!(links(&Rule::FixedTotalNumber { total: 90 }, 10, 10, true, false).len(), 90, "every pair once");
    }
}
