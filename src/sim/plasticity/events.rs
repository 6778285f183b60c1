//! Spikes of targets, kept until every source has seen them.

use crate::snapshot::{Pass, Snapshot};

/// The last spikes of each lane: their grid points, and what the traces of the lane were just before them.
#[derive(Debug, Clone)]
pub(super) struct Events {
    /// Spikes that a lane has room for, a power of two.
    room: usize,
    /// How many traces are kept with a spike.
    kept: usize,
    times: Vec<u32>,
    values: Vec<f64>,
    /// Number of spikes so far, and of those that may be forgotten.
    count: Vec<u32>,
    first: Vec<u32>,
    /// Grid point of the last spike (the memory that is looked at most often).
    newest: Vec<u32>,
}

/// Spikes that have to be worked off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub at: u32,
    pub end: u32,
}

impl Events {
    pub fn new(lanes: usize, kept: usize) -> Self {
        let room = 16;
        Self {
            room,
            kept,
            times: vec![0; lanes * room],
            values: vec![0.0; lanes * room * kept],
            count: vec![0; lanes],
            first: vec![0; lanes],
            newest: vec![0; lanes],
        }
    }

    fn slot(&self, lane: usize, index: u32) -> usize {
        lane * self.room + (index as usize & (self.room - 1))
    }

    pub fn room(&self) -> usize {
        self.room
    }

    /// Whether another spike of `lane` would need more room.
    pub fn is_full(&self, lane: usize) -> bool {
        (self.count[lane] - self.first[lane]) as usize == self.room
    }

    /// Adds a spike at grid point `at`.
    pub fn push(&mut self, lane: usize, at: u32, traces: impl Iterator<Item = f64>) {
        let slot = self.slot(lane, self.count[lane]);
        self.times[slot] = at;
        for (to, v) in self.values[slot * self.kept..(slot + 1) * self.kept].iter_mut().zip(traces) {
            *to = v;
        }
        self.count[lane] += 1;
        self.newest[lane] = at;
    }

    /// Forgets all spikes before or at grid point `until`.
    pub fn forget(&mut self, until: i64) {
        for lane in 0..self.count.len() {
            while self.first[lane] < self.count[lane]
                && i64::from(self.times[self.slot(lane, self.first[lane])]) <= until
            {
                self.first[lane] += 1;
            }
        }
    }

    /// Doubles the room.
    pub fn grow(&mut self) {
        let mut larger = Self {
            room: self.room * 2,
            times: vec![0; self.times.len() * 2],
            values: vec![0.0; self.values.len() * 2],
            ..self.clone()
        };
        for lane in 0..self.count.len() {
            for index in self.first[lane]..self.count[lane] {
                let (from, to) = (self.slot(lane, index), larger.slot(lane, index));
                larger.times[to] = self.times[from];
                larger.values[to * self.kept..(to + 1) * self.kept]
                    .copy_from_slice(&self.values[from * self.kept..(from + 1) * self.kept]);
            }
        }
        *self = larger;
    }

    /// The spikes of `lane` after grid point `after` and up to `until`.
    #[inline]
    pub fn between(&self, lane: usize, after: i64, until: i64) -> Option<Span> {
        if i64::from(self.newest[lane]) <= after {
            return None;
        }
        let (first, mut end) = (self.first[lane], self.count[lane]);
        while end > first && i64::from(self.times[self.slot(lane, end - 1)]) > until {
            end -= 1;
        }
        let mut at = end;
        while at > first && i64::from(self.times[self.slot(lane, at - 1)]) > after {
            at -= 1;
        }
        (at < end).then_some(Span { at, end })
    }

    /// Grid point of a spike.
    #[inline]
    pub fn time(&self, lane: usize, index: u32) -> u32 {
        self.times[self.slot(lane, index)]
    }

    /// A trace just before a spike.
    #[inline]
    pub fn value(&self, lane: usize, index: u32, trace: usize) -> f64 {
        self.values[self.slot(lane, index) * self.kept + trace]
    }
}

impl Snapshot for Events {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let lanes = self.count.len();
        let each = (0..lanes).flat_map(|lane| (self.first[lane]..self.count[lane]).map(move |index| (lane, index)));
        let each: Vec<(usize, u32)> = each.collect();
        let mut at: Vec<(u32, u32)> = each.iter().map(|e| (e.0 as u32, self.time(e.0, e.1))).collect();
        pass.lists("spikes of targets", &mut at);
        let mut traces: Vec<Vec<(u32, f64)>> = Vec::new();
        for trace in 0..self.kept {
            let mut values: Vec<(u32, f64)> = each.iter().map(|e| (e.0 as u32, self.value(e.0, e.1, trace))).collect();
            pass.lists(&format!("spikes of targets, trace {trace}"), &mut values);
            traces.push(values);
        }
        if pass.saves() {
            return;
        }
        // Times and traces; how much room there is and how spikes are numbered changes nothing.
        let Self { room: _, kept, times: _, values: _, count: _, first: _, newest: _ } = self;
        *self = Self::new(lanes, *kept);
        for (k, (lane, at)) in at.into_iter().enumerate() {
            let lane = lane as usize;
            while self.is_full(lane) {
                self.grow();
            }
            self.push(lane, at, traces.iter().filter_map(|values| values.get(k)).map(|v| v.1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spikes_are_found_until_they_are_forgotten() {
        let mut e = Events::new(2, 1);
        for k in 1..=16_u32 {
            e.push(1, 10 * k, std::iter::once(f64::from(k)));
        }
        assert!(e.is_full(1) && !e.is_full(0));
        e.grow();
        e.push(1, 170, std::iter::once(17.0));
        let span = e.between(1, 30, 60).unwrap();
        assert_eq!((span.at, span.end), (3, 6));
        assert_eq!((e.time(1, 3), e.value(1, 5, 0)), (40, 6.0));
        assert!(e.between(1, 170, 200).is_none() && e.between(0, -1, 500).is_none());
        e.forget(100);
        assert_eq!(e.between(1, -5, 120).map(|s| (s.at, s.end)), Some((10, 12)));
        for k in 18..=33_u32 {
            e.push(1, 10 * k, std::iter::once(0.0));
        }
        assert_eq!(e.between(1, 320, 330).map(|s| e.time(1, s.at)), Some(330));
    }
}
