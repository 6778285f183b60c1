//! Poisson events: the number that arrives at each unit in each step, drawn by inversion from a table.
//!
//! Four units share one Philox block (counter: unit / 4 and step), so a draw costs a quarter of a block and one
//! look-up. Numbers are drawn with 32 bits: probabilities are exact to 2.3e-10, and counts rarer than that never come.

use crate::snapshot::{Pass, Snapshot};
use spikedeck_core::rng::{Key, SIDE, philox_side};
use spikedeck_core::vector::vectorised;
use spikedeck_scenario::Window;

/// Greatest mean number of events of a unit in a step.
pub(super) const MOST: f64 = 1e7;

/// Greatest number of events that are kept one by one, for all units of a population in a step: where they do not add
/// up.
const MOST_KEPT: f64 = 2e7;

/// Greatest mean number of events of each of `units` units in a step, at a receptor whose events add up or do not.
pub(crate) fn most(units: usize, adds_up: bool) -> f64 {
    if adds_up { MOST } else { MOST.min(MOST_KEPT / units.max(1) as f64) }
}

/// Cells of the guide: the first 12 bits of a draw say the count, but for the few cells in which it changes.
const CELL_BITS: u32 = 12;

/// Marks a cell of the guide in which the count changes.
const MIXED: u32 = 1 << 31;

/// The Poisson distribution of one mean, ready to be inverted.
#[derive(Debug, Clone)]
pub(super) struct Inverse {
    /// `cumulative[j]`: draws below it mean at most `least + j` events; the last entry is never reached.
    cumulative: Vec<u32>,
    guide: Vec<u32>,
    least: u32,
}

impl Inverse {
    /// The table for a mean between 0 and [`MOST`]. Terms are built from the mode outwards by their ratios and summed
    /// from the smallest, so neither exponentials nor factorials are needed.
    pub fn new(mean: f64) -> Self {
        let mode = mean.floor();
        let cut = 1e-12;
        let mut below = Vec::new();
        let (mut term, mut k) = (1.0, mode);
        while k > 0.0 && term > cut {
            term *= k / mean;
            k -= 1.0;
            below.push(term);
        }
        let least = k as u32;
        let mut terms: Vec<f64> = below.into_iter().rev().collect();
        terms.push(1.0);
        let (mut term, mut k) = (1.0, mode);
        while mean > 0.0 && term > cut {
            k += 1.0;
            term *= mean / k;
            terms.push(term);
        }
        let total: f64 = terms.iter().sum();
        let mut sum = 0.0;
        let mut cumulative: Vec<u32> = terms
            .iter()
            .map(|t| {
                sum += t;
                (sum / total * 4_294_967_296.0).round().min(f64::from(u32::MAX)) as u32
            })
            .collect();
        if let Some(last) = cumulative.last_mut() {
            *last = u32::MAX;
        }
        let index = |draw: u32| cumulative.partition_point(|&c| c <= draw && c < u32::MAX) as u32;
        let guide = (0..1_u32 << CELL_BITS)
            .map(|cell| {
                let first = cell << (32 - CELL_BITS);
                let (low, high) = (index(first), index(first | (u32::MAX >> CELL_BITS)));
                if low == high { low } else { low | MIXED }
            })
            .collect();
        Self { cumulative, guide, least }
    }

    /// The count that a draw means.
    #[inline(always)]
    pub fn count(&self, draw: u32) -> u32 {
        let cell = self.guide[(draw >> (32 - CELL_BITS)) as usize];
        if cell & MIXED == 0 { self.least + cell } else { self.searched(draw, cell & !MIXED) }
    }
}

impl Inverse {
    /// The count of a draw in a cell in which it changes, from `j` on.
    #[cold]
    fn searched(&self, draw: u32, j: u32) -> u32 {
        let mut j = j as usize;
        while draw >= self.cumulative[j] && j + 1 < self.cumulative.len() {
            j += 1;
        }
        self.least + j as u32
    }
}

vectorised! {
    /// Draws for the units `4 * quad ..` of one step.
    pub(super) fn draws(key: Key, first_quad: u32, step: u64, out: &mut [[u32; 4]]) {
        let mut quad = first_quad;
        let mut chunks = out.chunks_exact_mut(SIDE);
        for chunk in &mut chunks {
            let [a, b, c, d] = philox_side(key, quad, step);
            for (i, four) in chunk.iter_mut().enumerate() {
                *four = [a[i] as u32, b[i] as u32, c[i] as u32, d[i] as u32];
            }
            quad = quad.wrapping_add(SIDE as u32);
        }
        for four in chunks.into_remainder() {
            *four = key.block(quad, step, 0);
            quad = quad.wrapping_add(1);
        }
    }
}

/// A Poisson source for each of some lanes.
#[derive(Debug)]
pub(crate) struct Poisson {
    key: Key,
    /// First unit of the lane range, and the first of the four that share its block.
    first_quad: u32,
    /// Draws of all lanes of one step.
    buffer: Vec<[u32; 4]>,
    /// Distinct means.
    tables: Vec<Inverse>,
    /// For each targeted lane: draw index, lane, table.
    lanes: Lanes,
    weight: Weight,
    window: Window,
    /// Number of lanes.
    size: usize,
}

impl Snapshot for Poisson {
    fn visit(&mut self, _: &mut Pass<'_>) {
        // Draws are keyed by the step.
        let Self { key: _, first_quad: _, buffer: _, tables: _, lanes: _, weight: _, window: _, size: _ } = self;
    }
}

#[derive(Debug)]
enum Lanes {
    /// All lanes, one table; the first lane's draw stands at this index.
    All { skip: usize },
    /// Listed lanes: index of the draw, lane, table.
    Some(Vec<(u32, u32, u32)>),
}

#[derive(Debug)]
enum Weight {
    Same(f64),
    Each(Vec<f64>),
}

impl Poisson {
    /// Sources for `targets` (lane of the range that starts at unit `first`, mean events a step, weight), which may be
    /// in any order. Active in `window`.
    pub fn new(key: Key, first: u32, lanes: usize, targets: &[(u32, f64, f64)], window: Window) -> Self {
        let first_quad = first / 4;
        let skip = (first % 4) as usize;
        let mut means: Vec<f64> = targets.iter().map(|t| t.1).collect();
        means.sort_by(f64::total_cmp);
        means.dedup();
        let tables = means.iter().map(|&m| Inverse::new(m)).collect();
        let in_order = targets.iter().enumerate().all(|(k, t)| t.0 as usize == k);
        let all = targets.len() == lanes && in_order && means.len() == 1;
        let selected = if all {
            Lanes::All { skip }
        } else {
            Lanes::Some(
                targets.iter().map(|t| (t.0 + skip as u32, t.0, means.partition_point(|&m| m < t.1) as u32)).collect(),
            )
        };
        let same = targets.first().is_none_or(|f| targets.iter().all(|t| t.2 == f.2));
        let weight = if same {
            Weight::Same(targets.first().map_or(0.0, |t| t.2))
        } else {
            Weight::Each(targets.iter().map(|t| t.2).collect())
        };
        Self {
            key,
            first_quad,
            buffer: vec![[0; 4]; (skip + lanes).div_ceil(4)],
            tables,
            lanes: selected,
            weight,
            window,
            size: lanes,
        }
    }

    /// Whether events can arrive in step `k`.
    pub fn is_active(&self, k: u64) -> bool {
        self.window.share(k) > 0.0 && !self.tables.is_empty()
    }

    /// Tells lane and weight of each event that arrives in step `k`. Returns their number.
    pub fn each(&mut self, k: u64, mut tell: impl FnMut(u32, f64)) -> u64 {
        draws(self.key, self.first_quad, k, &mut self.buffer);
        let draws = self.buffer.as_flattened();
        let share = self.window.share(k);
        let mut events = 0;
        let mut arrive = |number: usize, lane: usize, draw: usize, table: usize| {
            let weight = match &self.weight {
                Weight::Same(w) => *w,
                Weight::Each(each) => each[number],
            };
            let mut count = self.tables[table].count(draws[draw]);
            if share < 1.0 {
                // Of a step that is inside in part each event counts with the chance of that part: Poisson again.
                let quad = self.first_quad + (draw / 4) as u32;
                let chance = |event: u32| f64::from(self.key.block(quad, k, 1 + event)[draw % 4]) / 4_294_967_296.0;
                count = (0..count).filter(|event| chance(*event) < share).count() as u32;
            }
            events += u64::from(count);
            (0..count).for_each(|_| tell(lane as u32, weight));
        };
        match &self.lanes {
            Lanes::All { skip } => (0..self.size).for_each(|lane| arrive(lane, lane, skip + lane, 0)),
            Lanes::Some(list) => list.iter().enumerate().for_each(|(number, &(draw, lane, table))| {
                arrive(number, lane as usize, draw as usize, table as usize);
            }),
        }
        events
    }

    /// Adds the weights of what arrives in step `k` to `row` (one entry a lane). Returns the number of events.
    pub fn add(&mut self, k: u64, row: &mut [f64]) -> u64 {
        if self.window.share(k) < 1.0 {
            return self.each(k, |lane, weight| row[lane as usize] += weight);
        }
        draws(self.key, self.first_quad, k, &mut self.buffer);
        let draws = self.buffer.as_flattened();
        let mut events = 0;
        match (&self.lanes, &self.weight) {
            (Lanes::All { skip }, Weight::Same(w)) => {
                let table = &self.tables[0];
                for (sum, &draw) in row.iter_mut().zip(&draws[*skip..]) {
                    let count = table.count(draw);
                    events += u64::from(count);
                    *sum += w * f64::from(count);
                }
            }
            (Lanes::All { skip }, Weight::Each(each)) => {
                let table = &self.tables[0];
                for ((sum, &draw), w) in row.iter_mut().zip(&draws[*skip..]).zip(each) {
                    let count = table.count(draw);
                    events += u64::from(count);
                    *sum += w * f64::from(count);
                }
            }
            (Lanes::Some(list), weight) => {
                for (j, &(draw, lane, table)) in list.iter().enumerate() {
                    let count = self.tables[table as usize].count(draws[draw as usize]);
                    events += u64::from(count);
                    let w = match weight {
                        Weight::Same(w) => *w,
                        Weight::Each(each) => each[j],
                    };
                    row[lane as usize] += w * f64::from(count);
                }
            }
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_core::rng::philox;
    use spikedeck_scenario::Clock;

    /// From a moment, in steps, to step 10.
    fn window(start: f64) -> Window {
        Window::between(start, 10.0, Clock { dt: 1.0 })
    }

    #[test]
    fn vector_draws_are_philox() {
        let key = Key::new(2, "stimuli.s", "poisson");
        let mut out = vec![[0; 4]; 21];
        draws(key, 5, 1 << 33 | 9, &mut out);
        for (i, four) in out.iter().enumerate() {
            assert_eq!(*four, philox([5 + i as u32, 9, 2, 0], key.0));
        }
    }

    #[test]
    fn counts_have_mean_variance_and_probabilities_of_a_poisson() {
        let n = 200_000;
        for mean in [0.003, 0.4, 2.0, 17.3, 900.0] {
            let mut source = Poisson::new(
                Key::new(3, "stimuli.s", "poisson"),
                0,
                n,
                &(0..n as u32).map(|l| (l, mean, 1.0)).collect::<Vec<_>>(),
                window(0.0),
            );
            let mut row = vec![0.0; n];
            source.add(4, &mut row);
            let m = row.iter().sum::<f64>() / n as f64;
            let v = row.iter().map(|x| (x - m) * (x - m)).sum::<f64>() / n as f64;
            let se = (mean / n as f64).sqrt();
            assert!((m - mean).abs() < 4.5 * se, "mean {m} of {mean}");
            assert!(
                (v / mean - 1.0).abs() < 4.5 * (2.0f64 + 1.0 / mean).sqrt() / (n as f64).sqrt(),
                "variance {v} of {mean}"
            );
            let silent = row.iter().filter(|&&x| x == 0.0).count() as f64 / n as f64;
            let p0 = (-mean).exp();
            assert!((silent - p0).abs() < 4.5 * (p0 * (1.0 - p0) / n as f64).sqrt() + 1e-9, "P(0) {silent} of {p0}");
        }
    }

    #[test]
    fn a_step_that_is_inside_in_part_has_events_for_that_part() {
        let n = 100_000;
        for mean in [0.3, 12.0] {
            let lanes: Vec<_> = (0..n as u32).map(|l| (l, mean, 1.0)).collect();
            let counts = |step: u64| {
                let mut source = Poisson::new(Key::new(3, "stimuli.s", "poisson"), 0, n, &lanes, window(4.7));
                let mut row = vec![0.0; n];
                let active = source.is_active(step);
                if active {
                    source.add(step, &mut row);
                }
                (active, row)
            };
            assert!(!counts(3).0 && counts(4).0 && counts(9).0 && !counts(10).0);
            for (step, expected) in [(4, 0.3 * mean), (5, mean)] {
                let row = counts(step).1;
                let m = row.iter().sum::<f64>() / n as f64;
                let v = row.iter().map(|x| (x - m) * (x - m)).sum::<f64>() / n as f64;
                assert!((m - expected).abs() < 4.5 * (expected / n as f64).sqrt(), "mean {m} of {expected}");
                let spread = 4.5 * (2.0_f64 + 1.0 / expected).sqrt() / (n as f64).sqrt();
                assert!((v / expected - 1.0).abs() < spread, "variance {v} of {expected}");
            }
        }
    }

    #[test]
    fn tables_hold_the_distribution() {
        // P(k <= j) of mean 2 in closed form.
        let table = Inverse::new(2.0);
        let mut p = (-2.0f64).exp();
        let mut sum = p;
        for j in 0..12_u32 {
            let edge = (sum * 4_294_967_296.0).min(4_294_967_295.0) as u32;
            assert!(
                table.count(edge.saturating_sub(8)) <= j
                    && (table.count(edge.saturating_add(8)) > j || edge > u32::MAX - 9),
                "{j}"
            );
            p *= 2.0 / f64::from(j + 1);
            sum += p;
        }
        assert_eq!(Inverse::new(0.0).count(u32::MAX), 0);
        assert_eq!(table.count(0), 0);
    }

    #[test]
    fn draws_do_not_depend_on_the_lane_range_or_the_other_lanes() {
        let key = Key::new(9, "stimuli.s", "poisson");
        let all: Vec<(u32, f64, f64)> = (0..100).map(|l| (l, if l % 3 == 0 { 1.5 } else { 0.2 }, 2.0)).collect();
        let mut whole = vec![0.0; 100];
        Poisson::new(key, 0, 100, &all, window(0.0)).add(3, &mut whole);
        let some: Vec<(u32, f64, f64)> =
            (37..100).filter(|l| l % 2 == 0).map(|l| (l - 37, all[l as usize].1, 2.0)).collect();
        let mut part = vec![0.0; 63];
        Poisson::new(key, 37, 63, &some, window(0.0)).add(3, &mut part);
        for l in (38..100).step_by(2) {
            assert_eq!(part[l - 37], whole[l]);
        }
    }
}
