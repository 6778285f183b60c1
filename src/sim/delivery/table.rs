//! The connections of one projection into one thread's lanes.

use std::ops::Range;

use super::{Block, Ring};
use crate::connect::{Link, Wiring};

/// How the weight and delay of a connection are found while a table is filled.
pub(crate) struct Properties<'a> {
    /// The weight of all connections, or how to find each.
    pub weight: Property<'a, f64>,
    /// The delay in steps of all connections, or how to find each.
    pub delay: Property<'a, u16>,
}

/// A property of connections.
pub(crate) enum Property<'a, T> {
    /// The same for all.
    Same(T),
    /// Found for each.
    Each(&'a (dyn Lookup<T> + Sync)),
}

/// What is found for connections.
pub(crate) trait Lookup<T> {
    /// Writes the value of each of `links` to `out`.
    fn find(&self, links: &[Link], out: &mut [T]);
}

impl<T, F: Fn(&Link) -> T> Lookup<T> for F {
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

/// Connections that are put in the order of their sources before they are placed, where a table is larger than the
/// caches: those of one source that a walk visits far apart then go to neighbouring places together.
const IN_ORDER: usize = 1 << 19;

/// The connections `links` in the order of their sources, those of one source as they stand.
fn by_source(links: &[Link], sources: usize, starts: &mut Vec<u32>, sorted: &mut Vec<Link>) {
    starts.clear();
    starts.resize(sources + 1, 0);
    for link in links {
        starts[link.source as usize + 1] += 1;
    }
    for k in 1..starts.len() {
        starts[k] += starts[k - 1];
    }
    sorted.clear();
    sorted.resize(links.len(), Link { source: 0, target: 0, row: 0, draw: 0 });
    for link in links {
        let cursor = &mut starts[link.source as usize];
        sorted[*cursor as usize] = *link;
        *cursor += 1;
    }
}

/// The connections of one projection into one lane range.
#[derive(Debug)]
pub(crate) struct Table {
    /// Weight of all connections, unless blocks hold their own.
    pub(crate) weight: f64,
    /// Delay of all connections in steps, unless blocks hold their own.
    pub(crate) delay: u16,
    pub(crate) block_lanes: usize,
    pub(crate) blocks: Vec<Block>,
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

/// Runs of connections of one source and one delay at most, where so many connections are cut into blocks and there
/// are so many different delays.
pub(crate) fn most_runs(connections: f64, sources: f64, blocks: usize, delays: u64) -> f64 {
    connections.min(sources * blocks as f64 * delays as f64)
}

/// Number of blocks that so many connections into `lanes` lanes are cut into.
pub(crate) fn blocks(connections: f64, sources: f64, lanes: usize) -> usize {
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
                ..Block::default()
            });
        }
        if overflow {
            return Err("more than 4294967295 connections into one block of targets".to_owned());
        }
        let size: usize = filled.iter().map(|b| b.targets.len()).sum();
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
        // Where connections have values of their own: targets alone are small beside what the sorting takes.
        let differ = matches!(properties.weight, Property::Each(_)) || matches!(properties.delay, Property::Each(_));
        let batch = if differ && size > 4 * IN_ORDER && sources < IN_ORDER { IN_ORDER } else { AT_ONCE };
        let (mut links, mut firsts, mut sorted) = (Vec::with_capacity(batch), Vec::new(), Vec::new());
        let mut place_all = |links: &mut Vec<Link>| {
            if batch == AT_ONCE {
                place(links);
            } else {
                by_source(links, sources, &mut firsts, &mut sorted);
                sorted.chunks(AT_ONCE).for_each(&mut place);
            }
            links.clear();
        };
        wiring.walk(range.clone(), |link| {
            links.push(link);
            if links.len() == batch {
                place_all(&mut links);
            }
        });
        place_all(&mut links);
        for (block, mut starts) in filled.iter_mut().zip(starts) {
            starts.truncate(sources + 1);
            block.starts = starts.into_boxed_slice();
            block.neighbours = block.targets_are_neighbours();
        }
        let weight = if let Property::Same(w) = properties.weight { w } else { 0.0 };
        let delay = if let Property::Same(d) = properties.delay { d } else { 0 };
        Ok(Self { weight, delay, block_lanes, blocks: filled })
    }

    /// The same connections, those of each source sorted by delay: no rule changes them one by one.
    pub fn sorted_by_delay(mut self) -> Self {
        self.blocks.iter_mut().for_each(Block::sort_by_delay);
        self
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
        let each = self.blocks.iter().flat_map(Block::all_delays);
        Some(
            each.fold(None, |range: Option<(u16, u16)>, d| {
                Some(range.map_or((d, d), |(lo, hi)| (lo.min(d), hi.max(d))))
            })
            .unwrap_or((self.delay, self.delay)),
        )
    }

    /// Every connection sorted by source, then as stored: source, target lane, weight, delay in steps.
    pub fn connections(&self) -> impl Iterator<Item = (u32, u32, f64, u16)> + '_ {
        let sources = self.blocks.first().map_or(0, |b| b.starts.len() as u32 - 1);
        let blocks = move |s: u32| self.blocks.iter().enumerate().map(move |(b, block)| (s, b, block));
        (0..sources).flat_map(blocks).flat_map(move |(s, b, block)| {
            block.by_delay(s, self.delay).flat_map(move |(delay, own)| {
                own.map(move |c| {
                    let lane = (b * self.block_lanes) as u32 + u32::from(block.targets[c]);
                    (s, lane, block.weights.get(c).copied().unwrap_or(self.weight), delay)
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
            let lanes = first..(first + self.block_lanes).min(ring.lanes());
            if block.has_delays() {
                events += block.scatter_delayed(spiking, at, lanes, self.weight, ring);
                continue;
            }
            let row = ring.arriving(at + u64::from(self.delay));
            if !block.neighbours {
                block.warm(spiking);
            }
            events += block.scatter(spiking, self.weight, &mut row[lanes]);
        }
        events
    }
}
