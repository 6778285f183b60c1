//! What stimuli and continuous projections bring to an input port.

use smallvec::SmallVec;

use super::axis::Axis;
use super::stimulus::Level;

/// An input port of a lane range.
#[derive(Debug, Default)]
pub(super) struct InputPort {
    /// Stimuli in the order of the scenario.
    pub levels: Vec<Level>,
    /// Their sum during the current step; empty if nothing drives the port.
    pub stimulus: Vec<f64>,
    /// With what continuous projections add; empty if none do.
    pub total: Vec<f64>,
}

impl InputPort {
    /// What the stepper gets.
    pub fn row(&self) -> &[f64] {
        if self.total.is_empty() { &self.stimulus } else { &self.total }
    }

    /// Brings the stimuli to grid points `from`, `from + 1`, ... and writes what they add up to at each, one number a
    /// lane.
    pub fn refresh_many(&mut self, from: u64, axis: &Axis, rows: &mut [f64], lanes: usize) {
        if self.stimulus.is_empty() {
            rows.fill(0.0);
            return;
        }
        if let [level] = &mut self.levels[..]
            && level.refresh_many(from, rows)
        {
            self.stimulus.copy_from_slice(&rows[rows.len() - lanes..]);
            return;
        }
        for (row, k) in rows.chunks_exact_mut(lanes).zip(from..) {
            self.refresh(k, axis);
            row.copy_from_slice(&self.stimulus);
        }
    }

    /// Brings the stimuli to grid point `k`.
    pub fn refresh(&mut self, k: u64, axis: &Axis) {
        let mut changed = false;
        for level in &mut self.levels {
            changed |= level.refresh(k, axis);
        }
        if let (true, Some((first, others))) = (changed, self.levels.split_first()) {
            first.put_into(&mut self.stimulus);
            for level in others {
                level.add_to(&mut self.stimulus);
            }
        }
    }
}

/// What each input port carries.
pub(super) type Rows<'a> = SmallVec<[&'a [f64]; 8]>;
