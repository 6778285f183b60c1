//! When units spike: condition, latch and rest, the same for points and for the watched places of trees.
//!
//! At each grid point, after what is due there has been delivered, a unit is one of three things. *Free*: if its
//! condition holds it spikes. *Latched*: its condition has held ever since a spike (the reset did not end it, or there
//! is none), and has to become false before the unit spikes again. *At rest*, for exactly `t_ref`: a spike in step s
//! stands at grid point s + 1, and a rest of n steps takes the steps s + 1 to s + n and the grid points up to s + 1 +
//! n, the last included. What arrives at held states there is lost, as in NEST, the condition is not tested, and
//! nothing is latched: when the rest is over the condition is tested afresh, and a unit in which it holds spikes (as in
//! NEST and Brian2).
//!
//! Few units are latched or at rest at a time, so these are lists in ascending order, and whoever tests many units at
//! once needs to ask only about those whose condition holds.

use super::snapshot::{Pass, Snapshot};

/// The refractory period of a unit: until when it is at rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Refractory {
    pub unit: u32,
    /// The first step in which it moves again, after `part` of that step.
    pub until: u64,
    pub part: f64,
}

impl Refractory {
    /// The rest of `steps` after a spike at the end of `step`, or after `fraction` of it; `None` if there is none.
    pub fn after(unit: u32, step: u64, fraction: Option<f64>, steps: u64) -> Option<Self> {
        // One that begins inside a step ends inside another.
        let (until, part) =
            fraction.map_or((step.saturating_add(steps).saturating_add(1), 0.0), |f| (step.saturating_add(steps), f));
        (steps > 0).then_some(Self { unit, until, part })
    }

    /// Whether the unit rests when `step` begins.
    fn begins(&self, step: u64) -> bool {
        self.until > step || (self.until == step && self.part > 0.0)
    }
}

/// A rest in whole steps.
pub(super) fn steps(time: f64, dt: f64) -> u64 {
    (time / dt).round().max(0.0) as u64
}

/// Which part of a step it takes a straight line from `before` to `after` to become zero, if it starts below and does
/// not end there.
pub(super) fn share(before: f64, after: f64) -> Option<f64> {
    (before < 0.0 && after >= 0.0).then(|| (before / (before - after)).clamp(0.0, 1.0))
}

/// Which units of a population are latched, and which are at rest.
#[derive(Debug, Clone, Default)]
pub(super) struct Firing {
    resting: Vec<Refractory>,
    latched: Vec<u32>,
    /// Those that were latched at the grid point before.
    before: Vec<u32>,
    /// How far [`Firing::holds`] has come in `resting` and `before`.
    seen: (usize, usize),
}

impl Firing {
    /// Begins `step`: units whose rest covered the step before only are free again.
    pub fn begin(&mut self, step: u64) {
        self.resting.retain(|r| r.until > step);
        std::mem::swap(&mut self.latched, &mut self.before);
        self.latched.clear();
        self.seen = (0, 0);
    }

    /// Units whose rest ends inside `step`, which [`Firing::begin`] has not yet begun.
    pub fn ending(&self, step: u64) -> impl Iterator<Item = Refractory> + '_ {
        self.resting.iter().filter(move |r| r.until == step && r.part > 0.0).copied()
    }

    /// Units that rest when `step` begins, of those whose rest has not yet been ended.
    pub fn resting_before(&self, step: u64) -> impl Iterator<Item = Refractory> + '_ {
        self.resting.iter().filter(move |r| r.begins(step)).copied()
    }

    /// Units from `first` up to `end` that rest during this step.
    pub fn resting_in(&self, first: usize, end: usize) -> &[Refractory] {
        let at = |unit: usize| self.resting.partition_point(|r| (r.unit as usize) < unit);
        &self.resting[at(first)..at(end)]
    }

    /// Whether a unit may spike in this step.
    pub fn is_armed(&self, unit: u32) -> bool {
        self.before.binary_search(&unit).is_err() && self.resting.binary_search_by_key(&unit, |r| r.unit).is_err()
    }

    /// Says that the condition of `unit` holds at the end of the step; units come in ascending order. Whether it
    /// spikes.
    pub fn holds(&mut self, unit: u32) -> bool {
        // Both lists are ascending as well, so each is passed through once a step.
        let (rest, before) = &mut self.seen;
        *rest += self.resting[*rest..].iter().take_while(|r| r.unit < unit).count();
        *before += self.before[*before..].iter().take_while(|&&u| u < unit).count();
        if self.resting.get(*rest).is_some_and(|r| r.unit == unit) {
            return false;
        }
        if self.before.get(*before) == Some(&unit) {
            self.latched.push(unit);
            return false;
        }
        true
    }

    /// After the resets of a step: units in which the condition holds on, and those that rest, both in ascending order.
    pub fn settle(&mut self, latched: &[u32], resting: &[Refractory]) {
        merge(&mut self.latched, latched, |&u| u);
        merge(&mut self.resting, resting, |r| r.unit);
    }
}

impl Snapshot for Firing {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        // The last two are of one step.
        let Self { resting, latched, before: _, seen: _ } = self;
        let mut held: Vec<(u32, u32)> = latched.iter().map(|unit| (*unit, 1)).collect();
        pass.lists("latched", &mut held);
        let mut until: Vec<(u32, u64)> = resting.iter().map(|r| (r.unit, r.until)).collect();
        let mut part: Vec<(u32, f64)> = resting.iter().map(|r| (r.unit, r.part)).collect();
        pass.lists("resting until", &mut until);
        pass.lists("resting part", &mut part);
        if !pass.saves() {
            *latched = held.into_iter().map(|(unit, _)| unit).collect();
            let rests = until.into_iter().zip(part);
            *resting = rests.map(|((unit, until), (_, part))| Refractory { unit, until, part }).collect();
        }
    }
}

/// Merges a list that is in order of unit into another.
fn merge<T: Copy>(into: &mut Vec<T>, new: &[T], unit: impl Fn(&T) -> u32) {
    let mut at = into.len();
    let mut left = new.len();
    into.extend_from_slice(new);
    for k in (0..into.len()).rev() {
        if left == 0 {
            break;
        }
        if at > 0 && unit(&into[at - 1]) > unit(&new[left - 1]) {
            at -= 1;
            into[k] = into[at];
        } else {
            left -= 1;
            into[k] = new[left];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps in which unit 3 spikes, given in which its condition holds before a reset and whether it holds after one.
    fn spikes(holds: &[u8], after_reset: bool, rest: u64) -> Vec<u64> {
        let mut firing = Firing::default();
        let mut found = Vec::new();
        for (step, &h) in holds.iter().enumerate() {
            let step = step as u64;
            firing.begin(step);
            // Others rest and are latched around it.
            if h == 1 && firing.holds(3) {
                found.push(step);
                let latched: &[u32] = if after_reset { &[3] } else { &[] };
                let resting: Vec<Refractory> = Refractory::after(3, step, None, rest).into_iter().collect();
                firing.settle(latched, &resting);
                firing.settle(&[1, 5], &Refractory::after(2, step, None, 9).into_iter().collect::<Vec<_>>());
            }
        }
        found
    }

    #[test]
    fn a_condition_that_holds_on_is_one_spike() {
        assert_eq!(spikes(&[0, 1, 1, 1, 0, 1], true, 0), [1, 5]);
        // A reset that ended it: driven over the threshold again, it spikes again.
        assert_eq!(spikes(&[0, 1, 1, 1, 0, 1], false, 0), [1, 2, 3, 5]);
    }

    #[test]
    fn a_rest_takes_its_last_grid_point_and_then_the_condition_is_tested_afresh() {
        // A spike in step 1 and a rest of two steps: grid points of steps 2 and 3 are rest, that of step 4 is not.
        assert_eq!(spikes(&[0, 1, 0, 1, 0, 0], false, 2), [1]);
        assert_eq!(spikes(&[0, 1, 0, 0, 1, 0], false, 2), [1, 4]);
        for after_reset in [false, true] {
            assert_eq!(spikes(&[0, 1, 1, 1, 1, 1], after_reset, 2), [1, 4], "{after_reset}");
        }
    }

    #[test]
    fn rests_that_begin_inside_a_step_end_inside_a_step() {
        let rest = Refractory::after(0, 10, Some(0.25), 3).unwrap();
        assert_eq!((rest.until, rest.part), (13, 0.25));
        let mut firing = Firing::default();
        firing.settle(&[], &[rest]);
        assert_eq!(firing.resting_before(13).count(), 1);
        assert_eq!(firing.ending(13).count(), 1);
        firing.begin(12);
        assert!(!firing.is_armed(0) && firing.resting_in(0, 1).len() == 1 && firing.resting_in(1, 9).is_empty());
        firing.begin(13);
        assert!(firing.is_armed(0));
        assert!(Refractory::after(0, 10, None, 0).is_none());
        assert_eq!(steps(2e-3, 1e-4), 20);
    }

    #[test]
    fn straight_lines_cross_where_they_are_zero() {
        assert_eq!((share(-1.0, 3.0), share(-1.0, 0.0)), (Some(0.25), Some(1.0)));
        assert_eq!((share(0.0, 1.0), share(-1.0, -0.5), share(f64::NAN, 1.0)), (None, None, None));
    }

    #[test]
    fn lists_stay_in_order() {
        let mut list = vec![2, 5, 9];
        merge(&mut list, &[1, 6, 10], |u| *u);
        assert_eq!(list, [1, 2, 5, 6, 9, 10]);
    }
}
