//! Spikes to their targets: connection tables, and rows of summed weights that wait for their step.
//!
//! A table holds the connections of one projection into one thread's lanes. It is cut into blocks of target lanes, so
//! that the row a block adds to stays in the first-level cache; inside a block connections are sorted by source. Target
//! lanes are 16-bit offsets into their block; weights and delays are stored only when they differ. Connections of one
//! source with different delays are sorted by delay: each (source, delay) is a run that goes into one row. Spikes are
//! worked off in the order of step, projection, source: sums do not depend on how lanes are split into blocks or
//! threads, nor on that sorting, which keeps the order inside a run.

mod block;
mod table;

pub(super) use self::block::Block;
pub(super) use self::table::{Lookup, Properties, Property, Table, blocks, most_runs};
use super::snapshot::{Pass, Snapshot};
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

    /// Number of lanes.
    pub fn lanes(&self) -> usize {
        self.lanes
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

impl Snapshot for Ring {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self { lanes, mask, rows, pending, singles, rounds: _ } = self;
        // Threads have room for delays as long as those of their own connections: rows are counted from now on.
        let (now, mask) = (pass.now() as usize, *mask);
        let slot_of = |later: usize| now.wrapping_add(later) & mask;
        if singles.is_empty() {
            for later in 0..=mask {
                let slot = slot_of(later);
                let row = &mut rows[slot * *lanes..(slot + 1) * *lanes];
                if !pass.saves() || pending[slot] {
                    pending[slot] |= pass.part(&format!("arriving {later} later"), row);
                }
            }
            return;
        }
        let mut when: Vec<(u32, u64)> = Vec::new();
        let mut weights: Vec<(u32, f64)> = Vec::new();
        for later in 0..=mask {
            let events = &singles[slot_of(later)];
            when.extend(events.iter().map(|event| (event.0, later as u64)));
            weights.extend(events);
        }
        pass.lists("arriving later", &mut when);
        pass.lists("arriving weight", &mut weights);
        if !pass.saves() {
            for ((_, later), event) in when.into_iter().zip(weights) {
                let slot = slot_of(later as usize);
                pending[slot] = true;
                singles[slot].push(event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ops::Range;

    use super::super::connect::{Link, Wiring};
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
        let rows = |ranges: &[Range<u32>], sorted: bool| -> Vec<u64> {
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
                let t = if sorted { t.sorted_by_delay() } else { t };
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
        let whole = rows(&[0..900], false);
        assert!(whole.iter().any(|&v| v != 0));
        for sorted in [false, true] {
            assert_eq!(whole, rows(&[0..301, 301..900], sorted));
            assert_eq!(whole, rows(&[0..16, 16..600, 600..900], sorted));
        }
    }

    /// Connections sorted by delay are the same connections, whatever their delays: few values, as many as there are
    /// connections, one source without any, more of one delay than a run can count.
    #[test]
    fn sorting_by_delay_keeps_every_connection_and_the_order_of_each_delay() {
        let cases: [(Rule, u32, u32, u16); 4] = [
            (Rule::FixedIndegree { indegree: 40 }, 50, 300, 5),
            (Rule::Probability { p: 0.1 }, 70, 5000, 40_000),
            (Rule::FixedTotalNumber { total: 20 }, 30, 10, 3),
            (Rule::FixedTotalNumber { total: 140_000 }, 1, 20, 1),
        ];
        for (rule, n, m, spread) in cases {
            let delay = |l: &Link| (l.source.wrapping_mul(7919) ^ l.row.wrapping_mul(31) ^ l.draw) as u16 % spread + 1;
            let weight = |l: &Link| f64::from(l.row) + f64::from(l.draw) * 1e-3;
            let properties = Properties { weight: Property::Each(&weight), delay: Property::Each(&delay) };
            let one_by_one = table(&rule, n, m, 0..m, &properties);
            let sorted = table(&rule, n, m, 0..m, &properties).sorted_by_delay();
            assert_eq!((one_by_one.len(), one_by_one.delays()), (sorted.len(), sorted.delays()));
            // Weights of each source, block and delay, in the order in which they are added up.
            let runs = |t: &Table| {
                let mut runs: BTreeMap<(u32, u32, u16), Vec<(u32, u64)>> = BTreeMap::new();
                for (s, lane, w, d) in t.connections() {
                    let block = lane / t.block_lanes as u32;
                    runs.entry((s, block, d)).or_default().push((lane, w.to_bits()));
                }
                runs
            };
            assert_eq!(runs(&one_by_one), runs(&sorted));
            let longest = usize::from(spread);
            let mut rings = [Ring::of_singles(m as usize, longest), Ring::of_singles(m as usize, longest)];
            let spiking: Vec<u32> = (0..n).collect();
            let [a, b] = &mut rings;
            assert_eq!(one_by_one.deliver(&spiking, 1, a), sorted.deliver(&spiking, 1, b));
            for at in 1..=u64::from(spread) + 1 {
                assert_eq!(a.take(at), b.take(at));
            }
        }
    }

    /// A table that is filled in batches by source holds what a small one holds that is filled as the walk goes.
    #[test]
    fn large_tables_hold_what_the_walk_visits() {
        let rule = Rule::FixedTotalNumber { total: 2_300_000 };
        let weight = |l: &Link| f64::from(l.row);
        let t = table(
            &rule,
            3000,
            4000,
            0..4000,
            &Properties { weight: Property::Each(&weight), delay: Property::Same(1) },
        );
        assert_eq!(t.len(), 2_300_000);
        // The draws of each source stand in their order, and each is there once.
        let mut seen = vec![false; 2_300_000];
        let mut last = (0, -1.0);
        for (source, _, row, _) in t.connections() {
            assert!(source > last.0 || row > last.1, "{source} {row}");
            assert!(!std::mem::replace(&mut seen[row as usize], true), "{row} twice");
            last = (source, row);
        }
        let place = Geometry::default();
        let wiring = Wiring {
            rule: &rule,
            sources: 3000,
            targets: 4000,
            apart: None,
            multapses: true,
            key: Key::new(1, "projections.p", "connect"),
            from: &place,
            to: &place,
        };
        let mut expected = vec![(0, 0); 2_300_000];
        wiring.walk(0..4000, |l| expected[l.row as usize] = (l.source, l.target));
        assert!(t.connections().all(|(s, lane, row, _)| expected[row as usize] == (s, lane)));
    }
}
