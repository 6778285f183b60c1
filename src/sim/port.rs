//! What stimuli and continuous projections bring to an input port.

use smallvec::SmallVec;

use super::axis::Axis;
use super::snapshot::{Pass, Snapshot};
use super::stepper::{UnitValues, all_finite};
use super::stimulus::Level;
use super::values::at;

/// The range of a parameter that a port changes, and its values without what the port brings.
#[derive(Debug)]
pub(super) struct Limits {
    pub own: UnitValues,
    pub least: f64,
    pub most: f64,
}

impl Limits {
    /// The first lane in which the parameter leaves its range.
    fn left(&self, change: &[f64]) -> Option<usize> {
        let inside = |(lane, change): (usize, &f64)| {
            let own = at(&self.own, lane);
            // A stimulus that ends at a bound may miss it by rounding.
            let rounding = 4.0 * f64::EPSILON * own.abs().max(change.abs());
            (self.least - rounding..=self.most + rounding).contains(&(own + change))
        };
        change.iter().enumerate().position(|c| !inside(c))
    }
}

/// An input port of a lane range.
#[derive(Debug, Default)]
pub(super) struct InputPort {
    /// Stimuli in the order of the scenario.
    pub levels: Vec<Level>,
    /// Which stimulus of the scenario each is.
    pub sources: Vec<u32>,
    /// The first value of a stimulus that was not finite: grid point, stimulus, lane.
    pub broken: Option<(u64, u32, u32)>,
    /// Where it changes a parameter that has a range.
    pub limits: Option<Limits>,
    /// The first time that a stimulus drove it out of that: the same.
    pub strayed: Option<(u64, u32, u32)>,
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
        if self.limits.is_none()
            && let [level] = &mut self.levels[..]
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
        if changed {
            self.add_up(k);
        }
    }

    /// The same of a port whose stimuli were put back to that grid point.
    pub fn begin_again(&mut self, k: u64, axis: &Axis) {
        for level in &mut self.levels {
            level.refresh(k, axis);
        }
        self.add_up(k);
    }

    /// Adds up what the stimuli bring at grid point `k`.
    fn add_up(&mut self, k: u64) {
        if let Some((first, others)) = self.levels.split_first() {
            first.put_into(&mut self.stimulus);
            for level in others {
                level.add_to(&mut self.stimulus);
            }
            if self.broken.is_none() && !all_finite(&self.stimulus) {
                self.broken = self.not_finite().map(|(stimulus, lane)| (k, stimulus, lane));
            }
            if let (None, Some(limits)) = (self.strayed, &self.limits) {
                self.strayed = limits.left(&self.stimulus).map(|lane| (k, self.greatest(lane), lane as u32));
            }
        }
    }

    /// The stimulus that brings most to a lane.
    fn greatest(&self, lane: usize) -> u32 {
        let mut row = vec![0.0; self.stimulus.len()];
        let mut size = |level: &Level| {
            level.put_into(&mut row);
            row[lane].abs()
        };
        let sizes = self.levels.iter().zip(&self.sources).map(|(level, source)| (size(level), *source));
        sizes.max_by(|a, b| a.0.total_cmp(&b.0)).expect("what changed was brought by a stimulus").1
    }

    /// The first stimulus and lane with a value that is not finite.
    fn not_finite(&self) -> Option<(u32, u32)> {
        let mut row = vec![0.0; self.stimulus.len()];
        let mut broken = |level: &Level| {
            level.put_into(&mut row);
            row.iter().position(|v: &f64| !v.is_finite())
        };
        let own = self.levels.iter().zip(&self.sources).find_map(|(level, s)| Some((*s, broken(level)? as u32)));
        // Finite values whose sum is not.
        own.or_else(|| {
            let lane = self.stimulus.iter().position(|v| !v.is_finite())?;
            Some((*self.sources.last()?, lane as u32))
        })
    }
}

impl Snapshot for InputPort {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        // What the stimuli add up to is made again; with a value that is not finite a run has ended.
        let Self { levels, sources, broken: _, limits: _, strayed: _, stimulus: _, total: _ } = self;
        for (level, source) in levels.iter_mut().zip(sources) {
            pass.inside(&format!("stimulus {source}"), |pass| level.visit(pass));
        }
    }
}

/// What each input port carries.
pub(super) type Rows<'a> = SmallVec<[&'a [f64]; 8]>;
