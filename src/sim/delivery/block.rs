//! The connections into one block of target lanes, and how the events of spikes are added up.

use std::ops::Range;

use super::Ring;

/// Connections into at most 65,536 target lanes, sorted by source.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// Where the connections of each source start (and of the one past the last).
    pub(crate) starts: Box<[u32]>,
    /// Target lanes, counted from the block's first.
    pub(crate) targets: Box<[u16]>,
    /// Weights, if they differ.
    pub(crate) weights: Box<[f64]>,
    /// Delays in steps, if they differ and are kept one by one.
    pub(crate) delays: Box<[u16]>,
    /// Delays in steps, if they differ and the connections of each source are sorted by them.
    pub(super) sorted: Option<Sorted>,
    /// Whether the targets of each source are neighbours in ascending order (all to all): then rows are added as a
    /// whole.
    pub(super) neighbours: bool,
}

/// Delays of connections of which those of each source are sorted by delay.
#[derive(Debug)]
pub(super) struct Sorted {
    /// Where the runs of each source start (and of the one past the last).
    starts: Box<[u32]>,
    runs: Box<[Run]>,
}

/// Connections of one source and one delay, which stand side by side.
#[derive(Debug, Clone, Copy)]
struct Run {
    delay: u16,
    count: u16,
}

/// Room for sorting the connections of a source.
#[derive(Debug, Default)]
struct Room {
    order: Vec<u32>,
    counts: Vec<u32>,
    targets: Vec<u16>,
    weights: Vec<f64>,
}

impl Room {
    /// The places of `delays` in ascending order of the delay, those of one delay as they stand.
    fn sort(&mut self, delays: &[u16]) {
        self.order.clear();
        let (Some(least), Some(most)) = (delays.iter().min(), delays.iter().max()) else { return };
        let range = usize::from(most - least) + 1;
        if range > 4 * delays.len() {
            self.order.extend(0..delays.len() as u32);
            self.order.sort_by_key(|k| delays[*k as usize]);
            return;
        }
        self.counts.clear();
        self.counts.resize(range + 1, 0);
        for d in delays {
            self.counts[usize::from(d - least) + 1] += 1;
        }
        for k in 1..=range {
            self.counts[k] += self.counts[k - 1];
        }
        self.order.resize(delays.len(), 0);
        for (k, d) in delays.iter().enumerate() {
            let cursor = &mut self.counts[usize::from(d - least)];
            self.order[*cursor as usize] = k as u32;
            *cursor += 1;
        }
    }
}

impl Block {
    /// Connections of a source.
    fn own(&self, source: u32) -> Range<usize> {
        self.starts[source as usize] as usize..self.starts[source as usize + 1] as usize
    }

    /// Sorts the connections of each source by their delays, which are runs from now on. Connections of one source and
    /// delay stay in their order, so every row of events is added up as before.
    pub(super) fn sort_by_delay(&mut self) {
        if self.delays.is_empty() {
            return;
        }
        let delays = std::mem::take(&mut self.delays);
        let (mut starts, mut runs) = (Vec::with_capacity(self.starts.len()), Vec::new());
        starts.push(0);
        let mut room = Room::default();
        for source in 0..self.starts.len() as u32 - 1 {
            let own = self.own(source);
            let delays = &delays[own.clone()];
            room.sort(delays);
            let targets = &mut self.targets[own.clone()];
            room.targets.clear();
            room.targets.extend(room.order.iter().map(|k| targets[*k as usize]));
            targets.copy_from_slice(&room.targets);
            if !self.weights.is_empty() {
                let weights = &mut self.weights[own];
                room.weights.clear();
                room.weights.extend(room.order.iter().map(|k| weights[*k as usize]));
                weights.copy_from_slice(&room.weights);
            }
            let same = |a: &u32, b: &u32| delays[*a as usize] == delays[*b as usize];
            for group in room.order.chunk_by(same) {
                for part in group.chunks(usize::from(u16::MAX)) {
                    runs.push(Run { delay: delays[group[0] as usize], count: part.len() as u16 });
                }
            }
            starts.push(runs.len() as u32);
        }
        self.sorted = Some(Sorted { starts: starts.into_boxed_slice(), runs: runs.into_boxed_slice() });
        self.neighbours = false;
    }

    /// The connections of a source, cut where the delay changes: delay, and which; `delay` is that of all if they do
    /// not differ.
    pub(super) fn by_delay(&self, source: u32, delay: u16) -> impl Iterator<Item = (u16, Range<usize>)> + '_ {
        let own = self.own(source);
        let runs = self
            .sorted
            .as_ref()
            .map_or(&[][..], |s| &s.runs[s.starts[source as usize] as usize..s.starts[source as usize + 1] as usize]);
        let mut at = own.start;
        let mut k = 0;
        std::iter::from_fn(move || {
            let from = at;
            let delay = if self.sorted.is_some() {
                let run = runs.get(k)?;
                (k, at) = (k + 1, at + usize::from(run.count));
                run.delay
            } else {
                let next = self.delays.get(at).copied();
                at = if next.is_some() { at + 1 } else { own.end };
                next.unwrap_or(delay)
            };
            (from < own.end).then_some((delay, from..at))
        })
    }

    /// Whether connections have delays of their own.
    pub(super) fn has_delays(&self) -> bool {
        self.sorted.is_some() || !self.delays.is_empty()
    }

    /// All delays, if they differ.
    pub(super) fn all_delays(&self) -> impl Iterator<Item = u16> + '_ {
        let runs = self.sorted.as_ref().map_or(&[][..], |s| &s.runs);
        runs.iter().map(|r| r.delay).chain(self.delays.iter().copied())
    }

    /// Whether the targets of each source are neighbours in ascending order.
    pub(super) fn targets_are_neighbours(&self) -> bool {
        let neighbours = |t: &[u16]| t.windows(2).all(|w| u32::from(w[0]) + 1 == u32::from(w[1]));
        self.starts.windows(2).all(|w| neighbours(&self.targets[w[0] as usize..w[1] as usize]))
    }

    /// Reads one entry of each cache line of the targets that come next. A table is larger than the caches, and runs
    /// are too short for the processor to fetch ahead; these reads do not wait for each other.
    #[inline]
    pub(super) fn warm(&self, spiking: &[u32]) {
        let mut sum = 0_u16;
        for &source in spiking {
            for line in self.targets[self.own(source)].iter().step_by(32) {
                sum ^= line;
            }
        }
        std::hint::black_box(sum);
    }

    /// Adds the connections `own`, all into one row.
    #[inline]
    fn add(&self, own: Range<usize>, weight: f64, row: &mut [f64]) {
        let targets = &self.targets[own.clone()];
        if self.weights.is_empty() {
            for &target in targets {
                row[target as usize] += weight;
            }
        } else {
            for (&target, &w) in targets.iter().zip(&self.weights[own]) {
                row[target as usize] += w;
            }
        }
    }

    /// All connections of the sources, one delay: the hot loop.
    #[inline]
    pub(super) fn scatter(&self, spiking: &[u32], weight: f64, row: &mut [f64]) -> u64 {
        let mut events = 0;
        for &source in spiking {
            let own = self.own(source);
            events += own.len() as u64;
            if let (true, Some(&first)) = (self.neighbours, self.targets[own.clone()].first()) {
                let row = &mut row[first as usize..first as usize + own.len()];
                if self.weights.is_empty() {
                    for v in row {
                        *v += weight;
                    }
                } else {
                    for (v, w) in row.iter_mut().zip(&self.weights[own]) {
                        *v += w;
                    }
                }
            } else {
                self.add(own, weight, row);
            }
        }
        events
    }

    /// All connections of the sources, one by one; `first` lane of the block, and the delay and weight of all if they
    /// do not differ.
    pub(super) fn list(
        &self,
        spiking: &[u32],
        at: u64,
        (first, delay, weight): (usize, u16, f64),
        ring: &mut Ring,
    ) -> u64 {
        let mut events = 0;
        for &source in spiking {
            events += self.own(source).len() as u64;
            for (delay, run) in self.by_delay(source, delay) {
                for c in run {
                    let weight = self.weights.get(c).copied().unwrap_or(weight);
                    ring.add(at + u64::from(delay), first as u32 + u32::from(self.targets[c]), weight);
                }
            }
        }
        events
    }

    /// All connections of the sources, those of each delay into their row; `lanes` of the block.
    pub(super) fn scatter_delayed(
        &self,
        spiking: &[u32],
        at: u64,
        lanes: Range<usize>,
        weight: f64,
        ring: &mut Ring,
    ) -> u64 {
        let mut events = 0;
        for &source in spiking {
            events += self.own(source).len() as u64;
            for (delay, run) in self.by_delay(source, 0) {
                self.add(run, weight, &mut ring.arriving(at + u64::from(delay))[lanes.clone()]);
            }
        }
        events
    }
}
