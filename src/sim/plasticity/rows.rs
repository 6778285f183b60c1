//! Traces of targets: one row of lanes a grid point, as far back as the longest delay.

use super::compile::{Half, MOST};
use crate::snapshot::{Pass, Snapshot};

/// States of targets.
#[derive(Debug)]
pub(super) struct Rows {
    /// Values at `reached`, after its spikes; one row a state.
    now: Vec<Vec<f64>>,
    /// Values before the spikes of their grid point, `ring[state][slot]`.
    ring: Vec<Vec<Vec<f64>>>,
    /// Lanes that spiked at the grid point of each slot, ascending.
    spiked: Vec<Vec<u32>>,
    mask: usize,
    reached: u64,
}

impl Rows {
    /// Rows at grid point 0.
    pub fn new(half: &Half, lanes: usize, longest: usize) -> Self {
        let slots = (longest + 1).next_power_of_two();
        let row = |v: &f64| vec![*v; lanes];
        Self {
            now: half.initial.iter().map(row).collect(),
            ring: half.initial.iter().map(|v| vec![row(v); slots]).collect(),
            spiked: vec![Vec::new(); slots],
            mask: slots - 1,
            reached: 0,
        }
    }

    /// Goes on to grid point `at`.
    pub fn advance(&mut self, half: &Half, at: u64) {
        if self.now.is_empty() {
            return;
        }
        while self.reached < at {
            half.flow.step(&mut self.now);
            self.reached += 1;
            let slot = self.reached as usize & self.mask;
            self.spiked[slot].clear();
            for (ring, now) in self.ring.iter_mut().zip(&self.now) {
                ring[slot].copy_from_slice(now);
            }
        }
    }

    /// Lets the spikes of `lanes` at the current grid point act.
    pub fn spike(&mut self, half: &Half, lanes: &[u32]) {
        let n = self.now.len();
        if n == 0 {
            return;
        }
        self.spiked[self.reached as usize & self.mask].extend_from_slice(lanes);
        let mut state = [0.0; MOST];
        for &lane in lanes {
            for (s, row) in state.iter_mut().zip(&self.now) {
                *s = row[lane as usize];
            }
            half.spike(&mut state[..n]);
            for (s, row) in state.iter().zip(&mut self.now) {
                row[lane as usize] = *s;
            }
        }
    }

    /// The current value of a state, before the spikes of this grid point act.
    pub fn now(&self, state: usize, lane: usize) -> f64 {
        self.now[state][lane]
    }

    /// The row `delay` steps before grid point `at`, before the spikes there; before time 0 the initial values.
    #[inline]
    pub fn before(&self, state: usize, at: u64, delay: u16) -> &[f64] {
        &self.ring[state][at.saturating_sub(u64::from(delay)) as usize & self.mask]
    }

    /// What `before` says of a lane, after the spikes there.
    pub fn after(&self, half: &Half, state: usize, at: u64, delay: u16, lane: usize) -> f64 {
        let slot = at.saturating_sub(u64::from(delay)) as usize & self.mask;
        let mut all = [0.0; MOST];
        for (s, ring) in all.iter_mut().zip(&self.ring) {
            *s = ring[slot][lane];
        }
        if self.spiked[slot].binary_search(&(lane as u32)).is_ok() {
            half.spike(&mut all[..self.ring.len()]);
        }
        all[state]
    }
}

impl Snapshot for Rows {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self { now, ring, spiked, mask, reached } = self;
        if now.is_empty() {
            return;
        }
        *reached = pass.now();
        for (state, row) in now.iter_mut().enumerate() {
            pass.column(&format!("target {state}"), row);
        }
        // Threads look back as far as their own connections do: rows are counted from the newest.
        let reached = *reached as usize;
        let back = 0..=reached.min(*mask);
        let slot = |back: usize| (reached - back) & *mask;
        for back in back.clone() {
            for (state, ring) in ring.iter_mut().enumerate() {
                pass.part(&format!("target {state}, {back} before"), &mut ring[slot(back)]);
            }
        }
        let mut spikes: Vec<(u32, u64)> = Vec::new();
        for back in back.clone() {
            spikes.extend(spiked[slot(back)].iter().map(|lane| (*lane, back as u64)));
        }
        pass.lists("target spiked", &mut spikes);
        if !pass.saves() {
            spiked.iter_mut().for_each(Vec::clear);
            for (lane, before) in spikes {
                if back.contains(&(before as usize)) {
                    spiked[slot(before as usize)].push(lane);
                }
            }
        }
    }
}
