//! Spikes to their targets: connection tables, and rows of summed weights that wait for their step.
//!
//! A table holds the connections of one projection into one thread's lanes. It is cut into blocks of target lanes, so
//! that the row a block adds to stays in the first-level cache; inside a block connections are sorted by source. Target
//! lanes are 16-bit offsets into their block; weights and delays are stored only when they differ. Spikes are worked
//! off in the order of step, projection, source: sums do not depend on how lanes are split into blocks or threads.

use std::ops::Range;

use super::connect::{Link, Wiring};
use spikedeck_core::aligned::Aligned;

/// Rows of summed weights of one event port over one lane range, one row a grid point, reused in a ring.
#[derive(Debug)]
pub(super) struct Ring {
    lanes: usize,
    /// Number of rows less one; the number is a power of two.
    mask: usize,
    rows: Aligned,
    pending: Vec<bool>,
    /// Where events do not add up, instead of rows: lane and weight of each that arrives at a grid point.
    singles: Vec<Vec<(u32, f64)>>,
    /// These as they are handed over.
    rounds: Vec<f64>,
}

impl Ring {
    /// A ring over `lanes` for delays up to `longest` steps.
    pub fn new(lanes: usize, longest: usize) -> Self {
        let slots = Self::slots(longest);
        let (rows, pending) = (Aligned::zeros(slots * lanes), vec![false; slots]);
        Self { lanes, mask: slots - 1, rows, pending, singles: Vec::new(), rounds: Vec::new() }
    }

    /// A ring for events of which each finds what those before it left: their weights are kept one by one.
    pub fn of_singles(lanes: usize, longest: usize) -> Self {
        let slots = Self::slots(longest);
        let (rows, pending) = (Aligned::zeros(0), vec![false; slots]);
        Self { lanes, mask: slots - 1, rows, pending, singles: vec![Vec::new(); slots], rounds: Vec::new() }
    }

    /// Whether weights are kept one by one.
    #[inline]
    pub fn keeps_singles(&self) -> bool {
        !self.singles.is_empty()
    }

    /// Adds an event of `weight` to those that arrive at grid point `at`.
    #[inline]
    pub fn add(&mut self, at: u64, lane: u32, weight: f64) {
        if self.keeps_singles() {
            let slot = at as usize & self.mask;
            self.pending[slot] = true;
            self.singles[slot].push((lane, weight));
        } else {
            self.arriving(at)[lane as usize] += weight;
        }
    }

    /// Bytes that such a ring takes.
    pub fn bytes(lanes: usize, longest: usize) -> u64 {
        (Self::slots(longest) * lanes * 8) as u64
    }

    /// Grid points for which something may wait at once: the one that is being used up, and `longest` more (at least
    /// one, for stimuli of the coming step beside late arrivals of delay 0).
    fn slots(longest: usize) -> usize {
        (longest + 1).max(2).next_power_of_two()
    }

    /// The row of what arrives at grid point `at`, to be added to.
    #[inline]
    pub fn arriving(&mut self, at: u64) -> &mut [f64] {
        let slot = at as usize & self.mask;
        self.pending[slot] = true;
        &mut self.rows[slot * self.lanes..(slot + 1) * self.lanes]
    }

    /// The row of what arrives at grid point `at`, to be used up and set to zero; empty if nothing arrives. Where
    /// weights are kept one by one there are as many numbers a lane as the lane with most events needs, lane by lane.
    #[inline]
    pub fn take(&mut self, at: u64) -> &mut [f64] {
        let slot = at as usize & self.mask;
        if !std::mem::take(&mut self.pending[slot]) {
            return &mut [];
        }
        if self.keeps_singles() {
            return self.take_singles(slot);
        }
        &mut self.rows[slot * self.lanes..(slot + 1) * self.lanes]
    }

    /// The events of a slot in ascending order of their weights: what a lane becomes depends on which events arrive,
    /// and neither on where they come from nor on what else arrives elsewhere.
    fn take_singles(&mut self, slot: usize) -> &mut [f64] {
        let list = &mut self.singles[slot];
        list.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let most = list.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len).max().unwrap_or(0);
        self.rounds.clear();
        self.rounds.resize(most * self.lanes, 0.0);
        for events in list.chunk_by(|a, b| a.0 == b.0) {
            let own = &mut self.rounds[events[0].0 as usize * most..];
            own.iter_mut().zip(events).for_each(|(to, event)| *to = event.1);
        }
        list.clear();
        &mut self.rounds
    }

    /// Whether anything arrives at grid point `at`.
    #[inline]
    pub fn is_pending(&self, at: u64) -> bool {
        self.pending[at as usize & self.mask]
    }
}

/// How the weight and delay of a connection are found while a table is filled.
pub(super) struct Properties<'a> {
    /// The weight of all connections, or how to find each.
    pub weight: Property<'a, f64>,
    /// The delay in steps of all connections, or how to find each.
    pub delay: Property<'a, u16>,
}

/// A property of connections.
pub(super) enum Property<'a, T> {
    /// The same for all.
    Same(T),
    /// Found for each.
    Each(&'a (dyn Found<T> + Sync)),
}

/// What is found for connections.
pub(super) trait Found<T> {
    /// Writes the value of each of `links` to `out`.
    fn find(&self, links: &[Link], out: &mut [T]);
}

impl<T, F: Fn(&Link) -> T> Found<T> for F {
    fn find(&self, links: &[Link], out: &mut [T]) {
        links.iter().zip(out).for_each(|(link, v)| *v = self(link));
    }
}

impl<T: Clone + Default> Property<'_, T> {
    /// The values of `links`, where they differ.
    pub fn of(&self, links: &[Link]) -> Vec<T> {
        let mut values = Vec::new();
        if let Self::Each(found) = self {
            values.resize(links.len(), T::default());
            found.find(links, &mut values);
        }
        values
    }
}

/// Connections whose weights and delays are found at once.
const AT_ONCE: usize = 1024;

/// The connections of one projection into one lane range.
#[derive(Debug)]
pub(super) struct Table {
    /// Weight of all connections, unless blocks hold their own.
    pub(super) weight: f64,
    /// Delay of all connections in steps, unless blocks hold their own.
    pub(super) delay: u16,
    pub(super) block_lanes: usize,
    pub(super) blocks: Vec<Block>,
}

/// Connections into at most 65,536 target lanes, sorted by source.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Where the connections of each source start (and of the one past the last).
    pub(super) starts: Box<[u32]>,
    /// Target lanes, counted from the block's first.
    pub(super) targets: Box<[u16]>,
    /// Weights, if they differ.
    pub(super) weights: Box<[f64]>,
    /// Delays in steps, if they differ.
    pub(super) delays: Box<[u16]>,
    /// Whether the targets of each source are neighbours in ascending order (all to all): then rows are added as a
    /// whole.
    runs: bool,
}

/// Lanes of a block: few enough for its row to stay in the nearest caches, but with enough connections of a source in
/// it (96 or more) for the start of a run of connections not to dominate. Measured for 12,500 neurons with 1250 inputs
/// each:
/// 1.35 ns an event at 2048 lanes, 1.15 at 4096 and 8192, without the warming up of [`Block::warm`] 2.4 and 1.5.
fn block_lanes(connections: f64, sources: f64, lanes: usize) -> usize {
    let density = connections / (sources * lanes as f64).max(1.0);
    let wanted = (96.0 / density.max(1e-9)).min(65_536.0) as usize;
    wanted.next_power_of_two().clamp(4096, 65_536)
}

/// Number of blocks that so many connections into `lanes` lanes are cut into.
pub(super) fn blocks(connections: f64, sources: f64, lanes: usize) -> usize {
    lanes.div_ceil(block_lanes(connections, sources, lanes))
}

impl Table {
    /// Fills a table for the targets `range` by walking `wiring` twice: to count, and to place.
    ///
    /// # Errors
    /// When one block would hold more than 2^32 connections.
    pub fn build(wiring: &Wiring<'_>, range: Range<u32>, properties: &Properties<'_>) -> Result<Self, String> {
        let sources = wiring.sources as usize;
        let lanes = range.len();
        let share = lanes as f64 / f64::from(wiring.targets.max(1));
        let block_lanes = block_lanes(wiring.expected() * share, f64::from(wiring.sources), lanes);
        let shift = block_lanes.trailing_zeros();
        let blocks = lanes.div_ceil(block_lanes);

        // starts[b][s + 1] counts, then is summed, then serves as cursor: it ends as the start of source s + 1.
        let mut starts = vec![vec![0_u32; sources + 2]; blocks];
        let mut overflow = false;
        wiring.walk(range.clone(), |link| {
            let count = &mut starts[((link.target - range.start) >> shift) as usize][link.source as usize + 2];
            overflow |= *count == u32::MAX;
            *count = count.wrapping_add(1);
        });
        let mut filled = Vec::with_capacity(blocks);
        for counts in &mut starts {
            let mut total = 0_u64;
            for count in counts.iter_mut() {
                total += u64::from(*count);
                overflow |= total > u64::from(u32::MAX);
                *count = total as u32;
            }
            let n = if overflow { 0 } else { total as usize };
            filled.push(Block {
                starts: Box::default(),
                targets: vec![0; n].into_boxed_slice(),
                weights: vec![0.0; if matches!(properties.weight, Property::Each(_)) { n } else { 0 }]
                    .into_boxed_slice(),
                delays: vec![0; if matches!(properties.delay, Property::Each(_)) { n } else { 0 }].into_boxed_slice(),
                runs: false,
            });
        }
        if overflow {
            return Err("more than 4294967295 connections into one block of targets".to_owned());
        }
        let mut place = |links: &[Link]| {
            let (weights, delays) = (properties.weight.of(links), properties.delay.of(links));
            for (i, link) in links.iter().enumerate() {
                let lane = link.target - range.start;
                let b = (lane >> shift) as usize;
                let cursor = &mut starts[b][link.source as usize + 1];
                let at = *cursor as usize;
                *cursor += 1;
                let block = &mut filled[b];
                block.targets[at] = (lane & (block_lanes as u32 - 1)) as u16;
                if let Some(weight) = weights.get(i) {
                    block.weights[at] = *weight;
                }
                if let Some(delay) = delays.get(i) {
                    block.delays[at] = *delay;
                }
            }
        };
        let mut links = Vec::with_capacity(AT_ONCE);
        wiring.walk(range.clone(), |link| {
            links.push(link);
            if links.len() == AT_ONCE {
                place(&links);
                links.clear();
            }
        });
        place(&links);
        for (block, mut starts) in filled.iter_mut().zip(starts) {
            starts.truncate(sources + 1);
            block.starts = starts.into_boxed_slice();
            block.runs = block.targets_are_runs();
        }
        let weight = if let Property::Same(w) = properties.weight { w } else { 0.0 };
        let delay = if let Property::Same(d) = properties.delay { d } else { 0 };
        Ok(Self { weight, delay, block_lanes, blocks: filled })
    }

    /// Number of connections.
    pub fn len(&self) -> u64 {
        self.blocks.iter().map(|b| b.targets.len() as u64).sum()
    }

    /// Shortest and longest delay in steps; `None` without connections.
    pub fn delays(&self) -> Option<(u16, u16)> {
        if self.len() == 0 {
            return None;
        }
        let each = self.blocks.iter().flat_map(|b| b.delays.iter().copied());
        Some(
            each.fold(None, |range: Option<(u16, u16)>, d| {
                Some(range.map_or((d, d), |(lo, hi)| (lo.min(d), hi.max(d))))
            })
            .unwrap_or((self.delay, self.delay)),
        )
    }

    /// Every connection sorted by source, then as stored: source, target lane, weight, delay in steps.
    pub fn connections(&self) -> impl Iterator<Item = (u32, u32, f64, u16)> + '_ {
        let sources = self.blocks.first().map_or(0, |b| b.starts.len() - 1);
        (0..sources).flat_map(move |s| {
            self.blocks.iter().enumerate().flat_map(move |(b, block)| {
                (block.starts[s] as usize..block.starts[s + 1] as usize).map(move |c| {
                    let lane = (b * self.block_lanes) as u32 + u32::from(block.targets[c]);
                    let weight = block.weights.get(c).copied().unwrap_or(self.weight);
                    (s as u32, lane, weight, block.delays.get(c).copied().unwrap_or(self.delay))
                })
            })
        })
    }

    /// Adds the weights of all connections of `spiking` (sources in ascending order, all at grid point `at`) to the
    /// rows of their arrival. Returns the number of events.
    pub fn deliver(&self, spiking: &[u32], at: u64, ring: &mut Ring) -> u64 {
        if spiking.is_empty() {
            return 0;
        }
        let mut events = 0;
        for (b, block) in self.blocks.iter().enumerate() {
            let first = b * self.block_lanes;
            if ring.keeps_singles() {
                events += block.list(spiking, at, (first, self.delay, self.weight), ring);
                continue;
            }
            if !block.delays.is_empty() {
                events += block.scatter_delayed(spiking, at, first, self.weight, ring);
                continue;
            }
            let row = ring.arriving(at + u64::from(self.delay));
            let end = (first + self.block_lanes).min(row.len());
            if !block.runs {
                block.warm(spiking);
            }
            events += block.scatter(spiking, self.weight, &mut row[first..end]);
        }
        events
    }
}

impl Block {
    /// Whether the targets of each source are neighbours in ascending order.
    fn targets_are_runs(&self) -> bool {
        let neighbours = |t: &[u16]| t.windows(2).all(|w| u32::from(w[0]) + 1 == u32::from(w[1]));
        self.starts.windows(2).all(|w| neighbours(&self.targets[w[0] as usize..w[1] as usize]))
    }

    /// Reads one entry of each cache line of the targets that come next. A table is larger than the caches, and runs
    /// are too short for the processor to fetch ahead; these reads do not wait for each other.
    #[inline]
    fn warm(&self, spiking: &[u32]) {
        let mut sum = 0_u16;
        for &source in spiking {
            let (from, to) = (self.starts[source as usize] as usize, self.starts[source as usize + 1] as usize);
            for line in self.targets[from..to].iter().step_by(32) {
                sum ^= line;
            }
        }
        std::hint::black_box(sum);
    }

    /// All connections of the sources, one delay: the hot loop.
    #[inline]
    fn scatter(&self, spiking: &[u32], weight: f64, row: &mut [f64]) -> u64 {
        let mut events = 0;
        for &source in spiking {
            let (from, to) = (self.starts[source as usize] as usize, self.starts[source as usize + 1] as usize);
            let targets = &self.targets[from..to];
            events += targets.len() as u64;
            if let (true, Some(&first)) = (self.runs, targets.first()) {
                let row = &mut row[first as usize..first as usize + targets.len()];
                if self.weights.is_empty() {
                    for v in row {
                        *v += weight;
                    }
                } else {
                    for (v, w) in row.iter_mut().zip(&self.weights[from..to]) {
                        *v += w;
                    }
                }
            } else if self.weights.is_empty() {
                for &target in targets {
                    row[target as usize] += weight;
                }
            } else {
                for (&target, &w) in targets.iter().zip(&self.weights[from..to]) {
                    row[target as usize] += w;
                }
            }
        }
        events
    }

    /// All connections of the sources, one by one.
    fn list(&self, spiking: &[u32], at: u64, (first, delay, weight): (usize, u16, f64), ring: &mut Ring) -> u64 {
        let mut events = 0;
        for &source in spiking {
            let own = self.starts[source as usize] as usize..self.starts[source as usize + 1] as usize;
            events += own.len() as u64;
            for c in own {
                let delay = self.delays.get(c).copied().unwrap_or(delay);
                let weight = self.weights.get(c).copied().unwrap_or(weight);
                ring.add(at + u64::from(delay), first as u32 + u32::from(self.targets[c]), weight);
            }
        }
        events
    }

    /// All connections of the sources, each with its own delay.
    fn scatter_delayed(&self, spiking: &[u32], at: u64, first: usize, weight: f64, ring: &mut Ring) -> u64 {
        let mut events = 0;
        for &source in spiking {
            let (from, to) = (self.starts[source as usize] as usize, self.starts[source as usize + 1] as usize);
            events += (to - from) as u64;
            for c in from..to {
                let slot = (at as usize + self.delays[c] as usize) & ring.mask;
                ring.pending[slot] = true;
                let w = if self.weights.is_empty() { weight } else { self.weights[c] };
                ring.rows[slot * ring.lanes + first + self.targets[c] as usize] += w;
            }
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::super::geometry::Geometry;
    use super::*;
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::Rule;

    fn table(rule: &Rule, n: u32, m: u32, range: Range<u32>, properties: &Properties<'_>) -> Table {
        let place = Geometry::default();
        let wiring = Wiring {
            rule,
            sources: n,
            targets: m,
            apart: None,
            multapses: true,
            key: Key::new(1, "projections.p", "connect"),
            from: &place,
            to: &place,
        };
        Table::build(&wiring, range, properties).unwrap()
    }

    #[test]
    fn tables_hold_the_walk_sorted_by_source() {
        let rule = Rule::FixedIndegree { indegree: 30 };
        let weight = |l: &Link| f64::from(l.source) * 1000.0 + f64::from(l.target);
        let delay = |l: &Link| (l.target % 7 + 1) as u16;
        let t = table(
            &rule,
            50,
            5000,
            100..4900,
            &Properties { weight: Property::Each(&weight), delay: Property::Each(&delay) },
        );
        assert_eq!(t.len(), 4800 * 30);
        assert_eq!(t.delays(), Some((1, 7)));
        assert!(t.blocks.len() > 1);
        let all: Vec<_> = t.connections().collect();
        assert!(all.is_sorted_by_key(|c| c.0));
        assert!(all.iter().all(|&(s, lane, w, d)| w == f64::from(s) * 1000.0 + f64::from(lane + 100)
            && u32::from(d) == (lane + 100) % 7 + 1));
        let mut indegree = vec![0; 4800];
        for c in &all {
            indegree[c.1 as usize] += 1;
        }
        assert!(indegree.iter().all(|&d| d == 30));
    }

    #[test]
    fn events_arrive_at_their_grid_point_once() {
        let t =
            table(&Rule::OneToOne, 8, 8, 0..8, &Properties { weight: Property::Same(2.0), delay: Property::Same(3) });
        let mut ring = Ring::new(8, 3);
        // Spikes of a grid point are delivered once what arrives there is used up.
        assert_eq!(t.deliver(&[1, 5], 10, &mut ring), 2);
        assert!(ring.take(11).is_empty());
        assert_eq!(t.deliver(&[5], 11, &mut ring), 1);
        assert!(ring.take(12).is_empty());
        let row = ring.take(13);
        assert_eq!(row, [0.0, 2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0]);
        row.fill(0.0);
        assert_eq!(ring.take(14)[5], 2.0);
        assert!(ring.take(13).is_empty(), "used up");
    }

    #[test]
    fn sums_do_not_depend_on_the_split() {
        let rule = Rule::Probability { p: 0.2 };
        let weight = |l: &Link| Key::new(1, "projections.p", "weight").stream(l.row, u64::from(l.draw)).uniform();
        let delay = |l: &Link| (l.draw % 3) as u16 + 1;
        let spiking: Vec<u32> = (0..300).step_by(2).collect();
        let rows = |ranges: &[Range<u32>]| -> Vec<u64> {
            let mut out = vec![];
            let mut parts: Vec<Ring> = vec![];
            for range in ranges {
                let t = table(
                    &rule,
                    300,
                    900,
                    range.clone(),
                    &Properties { weight: Property::Each(&weight), delay: Property::Each(&delay) },
                );
                let mut ring = Ring::new(range.len(), 3);
                t.deliver(&spiking, 4, &mut ring);
                t.deliver(&spiking, 5, &mut ring);
                parts.push(ring);
            }
            for at in 4..9 {
                for ring in &mut parts {
                    out.extend(ring.arriving(at).iter().map(|v| v.to_bits()));
                }
            }
            out
        };
        #[expect(clippy::single_range_in_vec_init, reason = "one range is one thread")]
        let whole = rows(&[0..900]);
        assert!(whole.iter().any(|&v| v != 0));
        assert_eq!(whole, rows(&[0..301, 301..900]));
        assert_eq!(whole, rows(&[0..16, 16..600, 600..900]));
    }
}
