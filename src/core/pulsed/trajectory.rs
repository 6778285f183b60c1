//! The trajectory of a pulsed system with its vectors.

mod vectors;

use std::collections::BTreeMap;

use super::Pulsed;
use crate::bracket::Bracket;
use crate::trajectory::TrajectoryError;

/// Tolerated error of one step, relative to the largest value that each state has had.
const TOLERANCE: f64 = 1e-9;
/// How often a step may be halved.
const HALVINGS: i32 = 60;
/// Rounds in which a crossing is located.
const ROUNDS: usize = 100;
/// Share of a step in which no unit spikes more often than [`MOST_SPIKES`]: beyond it time does not move.
const CROWDED: f64 = 1e-3;
const MOST_SPIKES: u64 = 100;

/// Copies of its vectors that a trajectory makes on its way: those of a step, and those in other units.
const COPIES: u64 = 10;
/// Copies of a row of what is under way: its own, and those in other units.
const ROWS: u64 = 3;
/// Bytes of an event under way beside its row.
const EVENT: u64 = 128;

/// An event under way.
#[derive(Debug, Clone)]
struct Pending {
    what: What,
    /// By how much each vector shifts it.
    shift: Vec<f64>,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// Pulses of this unit with this delay arrive.
    Arrival(usize, usize),
    /// This unit ends its rest.
    Release(usize),
}

/// A trajectory of a pulsed system with `k` tangent vectors (none: an integrator that locates its spikes).
#[derive(Debug)]
pub struct PulsedTrajectory<'a, P: Pulsed> {
    system: &'a P,
    n: usize,
    k: usize,
    step: f64,
    /// Time.
    pub t: f64,
    /// State.
    pub x: Vec<f64>,
    /// Changes of the states along each vector, row-major `frame[i * k + j]`.
    frame: Vec<f64>,
    /// By time (the bits of positive numbers are in their order), then in the order in which they were sent.
    pending: BTreeMap<(u64, u64), Pending>,
    sent: u64,
    held: Vec<bool>,
    resting: Vec<bool>,
    /// Whether a unit has been at or below its threshold since its last spike.
    armed: Vec<bool>,
    last_step: f64,
    largest: Vec<f64>,
    /// Since when time has hardly moved, and how many spikes there were since then.
    crowd: (f64, u64),
    /// Number of spikes so far.
    pub spikes: u64,
    /// Crossings so flat that what they do to vectors means nothing.
    pub grazing: u64,
    /// Events under way that vectors have room for.
    most_pending: usize,
    /// For rates before and after an event.
    rates: [Vec<f64>; 2],
}

impl<'a, P: Pulsed> PulsedTrajectory<'a, P> {
    /// Starts at state `x` at time 0 with the vectors given, with steps of at most `step`.
    pub fn new(system: &'a P, x: &[f64], frame: Vec<f64>, step: f64) -> Self {
        let n = system.dimension();
        let units = system.units();
        let k = frame.len().checked_div(n).unwrap_or(0);
        let left = system.room().saturating_sub(8 * (COPIES * n as u64 + 1).saturating_mul(k as u64));
        Self {
            system,
            n,
            k,
            step,
            t: 0.0,
            x: x.to_vec(),
            frame,
            pending: BTreeMap::new(),
            sent: 0,
            held: vec![false; n],
            resting: vec![false; units],
            armed: vec![true; units],
            last_step: step,
            largest: x.iter().map(|v| v.abs()).collect(),
            crowd: (f64::NEG_INFINITY, 0),
            spikes: 0,
            grazing: 0,
            most_pending: usize::try_from(left / (EVENT + 8 * ROWS * k as u64)).unwrap_or(usize::MAX),
            rates: [vec![0.0; n], vec![0.0; n]],
        }
    }

    /// The vectors as they are.
    pub fn frame(&self) -> &[f64] {
        &self.frame
    }

    /// Rates as they are now: what is held does not move.
    pub fn rate(&self, out: &mut [f64]) {
        self.rate_at(self.t, &self.x, out);
    }

    fn rate_at(&self, t: f64, x: &[f64], out: &mut [f64]) {
        self.system.rate(t, x, out);
        self.hold(out, 1);
    }

    /// Rows of held states become zero.
    fn hold(&self, rows: &mut [f64], width: usize) {
        for (row, _) in rows.chunks_exact_mut(width.max(1)).zip(&self.held).filter(|(_, h)| **h) {
            row.fill(0.0);
        }
    }

    /// Flies for `duration`.
    ///
    /// # Errors
    /// See [`TrajectoryError`].
    pub fn advance(&mut self, duration: f64) -> Result<(), TrajectoryError> {
        let stop = self.t + duration;
        // Late times have fewer digits behind the point: what they cannot tell apart is the same moment.
        let tiny = 1e-12 * self.step + 4.0 * f64::EPSILON * stop;
        loop {
            while let Some(unit) = self.beyond(&self.x) {
                self.spike(unit, None)?;
            }
            let next = self.pending.keys().next().map(|k| f64::from_bits(k.0));
            if next.is_some_and(|at| at <= self.t + tiny)
                && let Some((_, pending)) = self.pending.pop_first()
            {
                self.take(&pending)?;
                continue;
            }
            if stop - self.t <= tiny {
                self.t = stop.max(self.t);
                return Ok(());
            }
            let free = next.map_or(f64::INFINITY, |at| at - self.t);
            let h = (stop - self.t).min(self.step).min(2.0 * self.last_step).min(free);
            self.controlled(h)?;
        }
    }

    /// The unit that is farthest beyond its threshold and may spike.
    fn beyond(&self, x: &[f64]) -> Option<usize> {
        let may = (0..self.resting.len()).filter(|&u| self.armed[u] && !self.resting[u]);
        let heights = may.filter_map(|u| self.height(u, x).filter(|h| *h > 0.0).map(|h| (u, h)));
        heights.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(u, _)| u)
    }

    fn height(&self, unit: usize, x: &[f64]) -> Option<f64> {
        self.system.height(unit, self.t, x, &mut vec![0.0; self.system.rows(unit).len()])
    }

    /// One step of at most `h`: halved until its error is small, ended at the first crossing.
    fn controlled(&mut self, h: f64) -> Result<(), TrajectoryError> {
        let (mut h, longest) = (h, h);
        let mut end = self.after(h);
        for halving in 0.. {
            let whole = self.in_one(&self.x, self.t, h);
            let near = |((a, b), s): ((&f64, &f64), &f64)| a.is_finite() && (a - b).abs() <= TOLERANCE * s.max(a.abs());
            if end.iter().zip(&whole).zip(&self.largest).all(near) {
                break;
            }
            if halving == HALVINGS {
                let state = end.iter().position(|v| !v.is_finite()).unwrap_or(0);
                return Err(TrajectoryError::NotFinite { state, time: self.t });
            }
            h *= 0.5;
            end = self.after(h);
        }
        // A step that an event has cut short says nothing of how long the next may be.
        self.last_step = if h < longest { h } else { self.last_step.max(h) };
        self.largest.iter_mut().zip(&end).for_each(|(s, v)| *s = s.max(v.abs()));
        let may: Vec<usize> = (0..self.resting.len()).filter(|&u| self.armed[u] && !self.resting[u]).collect();
        let height = |x: &[f64]| may.iter().filter_map(|&u| self.height(u, x)).fold(f64::NEG_INFINITY, f64::max);
        let last = height(&end);
        let crossed = last > 0.0;
        if crossed {
            let first = height(&self.x).min(-f64::MIN_POSITIVE);
            let mut bracket = Bracket::new((0.0, first), (h, last));
            for _ in 0..ROUNDS {
                let s = bracket.place();
                bracket.take(s, height(&self.after(s)));
                if bracket.width() <= 1e-15 * (h + self.t.abs()) {
                    break;
                }
            }
            h = bracket.high();
        }
        let end = self.t + h;
        self.runge_kutta(0.5 * h);
        self.runge_kutta(0.5 * h);
        self.t = end;
        if let Some(state) = self.x.iter().position(|v| !v.is_finite()) {
            return Err(TrajectoryError::NotFinite { state, time: self.t });
        }
        if crossed {
            let top = may.iter().filter_map(|&u| self.height(u, &self.x).map(|h| (u, h)));
            if let Some((unit, _)) = top.max_by(|a, b| a.1.total_cmp(&b.1)) {
                return self.spike(unit, None);
            }
        }
        for unit in 0..self.armed.len() {
            if !self.armed[unit] && self.height(unit, &self.x).is_some_and(|h| h <= 0.0) {
                self.armed[unit] = true;
            }
        }
        Ok(())
    }

    /// State after two half steps, without the vectors.
    fn after(&self, h: f64) -> Vec<f64> {
        let half = self.in_one(&self.x, self.t, 0.5 * h);
        self.in_one(&half, self.t + 0.5 * h, 0.5 * h)
    }

    fn in_one(&self, x: &[f64], t: f64, h: f64) -> Vec<f64> {
        let rate = |t: f64, x: &[f64]| {
            let mut f = vec![0.0; self.n];
            self.rate_at(t, x, &mut f);
            f
        };
        let along = |f: &[f64], h: f64| -> Vec<f64> { x.iter().zip(f).map(|(x, f)| x + h * f).collect() };
        let a = rate(t, x);
        let b = rate(t + 0.5 * h, &along(&a, 0.5 * h));
        let c = rate(t + 0.5 * h, &along(&b, 0.5 * h));
        let d = rate(t + h, &along(&c, h));
        (0..self.n).map(|i| x[i] + h / 6.0 * (a[i] + 2.0 * (b[i] + c[i]) + d[i])).collect()
    }

    /// Resets a unit, which spikes because of its own motion or, with `cause`, of an event that is shifted by that
    /// much.
    fn spike(&mut self, unit: usize, cause: Option<&[f64]>) -> Result<(), TrajectoryError> {
        let (rows, k) = (self.system.rows(unit), self.k);
        if self.t - self.crowd.0 > CROWDED * self.step {
            self.crowd = (self.t, 0);
        }
        self.crowd.1 += 1;
        if self.crowd.1 > MOST_SPIKES * self.resting.len() as u64 {
            return Err(TrajectoryError::ResetBeyondThreshold { time: self.t });
        }
        let mut before = std::mem::take(&mut self.rates[0]);
        self.rates_of(&[unit], &mut before);
        let shift = match cause {
            Some(shift) => shift.to_vec(),
            None => {
                let mut gradient = vec![0.0; rows.len()];
                self.system.height(unit, self.t, &self.x, &mut gradient);
                let parts = || gradient.iter().zip(&before[rows.clone()]).map(|(g, f)| g * f);
                let (slope, size) = (parts().sum::<f64>(), parts().map(f64::abs).sum::<f64>());
                if slope <= 1e-12 * size || slope <= 0.0 {
                    self.grazing += 1;
                    vec![0.0; k]
                } else {
                    let along =
                        |j: usize| rows.clone().zip(&gradient).map(|(i, g)| g * self.frame[i * k + j]).sum::<f64>();
                    (0..k).map(|j| -along(j) / slope).collect()
                }
            }
        };
        let mut jacobian = vec![0.0; rows.len() * rows.len()];
        let own = self.x[rows.clone()].to_vec();
        self.system.reset_of(unit, self.t, &mut self.x, &mut jacobian);
        let marks = own == self.x[rows.clone()];
        self.spikes += 1;
        self.transform(unit, &jacobian, &mut before);
        let mut longer = vec![0.0; rows.len()];
        let (rest, held) = self.system.rest_of(unit, &self.x, &mut longer);
        // The end of a rest is shifted as the spike is, and by what it is longer for the state after the reset.
        let mut end = shift.clone();
        for (slope, i) in longer.iter().zip(rows.clone()).filter(|(slope, _)| **slope != 0.0) {
            for (j, e) in end.iter_mut().enumerate() {
                *e += slope * before[i].mul_add(shift[j], self.frame[i * k + j]);
            }
        }
        if rest > 0.0 {
            self.resting[unit] = true;
            for &s in held {
                self.held[rows.start + s] = true;
            }
        }
        self.shift(&[unit], &before, &shift);
        self.rates[0] = before;
        if rest > 0.0 {
            self.send(rest, What::Release(unit), &end)?;
        }
        for (delay, after) in self.system.delays(unit).iter().enumerate() {
            self.send(*after, What::Arrival(unit, delay), &shift)?;
        }
        self.armed[unit] = self.height(unit, &self.x).is_none_or(|h| h <= 0.0);
        // A threshold without a reset marks spikes, and the unit comes back below it by itself.
        if !self.armed[unit] && !self.resting[unit] && !marks {
            return Err(TrajectoryError::ResetBeyondThreshold { time: self.t });
        }
        Ok(())
    }

    fn send(&mut self, after: f64, what: What, shift: &[f64]) -> Result<(), TrajectoryError> {
        if self.pending.len() >= self.most_pending {
            return Err(TrajectoryError::NoRoom { events: self.pending.len(), time: self.t });
        }
        self.sent += 1;
        self.pending.insert(((self.t + after).to_bits(), self.sent), Pending { what, shift: shift.to_vec() });
        Ok(())
    }

    /// An event that is due.
    fn take(&mut self, pending: &Pending) -> Result<(), TrajectoryError> {
        match pending.what {
            What::Release(unit) => {
                let mut before = std::mem::take(&mut self.rates[0]);
                self.rates_of(&[unit], &mut before);
                self.resting[unit] = false;
                self.system.rows(unit).for_each(|i| self.held[i] = false);
                self.shift(&[unit], &before, &pending.shift);
                self.rates[0] = before;
                // A system that was let go beyond its threshold fires at once.
                self.armed[unit] = true;
                self.push_over(&[unit], &pending.shift)
            }
            What::Arrival(unit, delay) => {
                let system = self.system;
                let mut targets: Vec<usize> = Vec::new();
                system.arrive(unit, delay, &mut |target, _| targets.push(target));
                targets.sort_unstable();
                targets.dedup();
                let mut before = std::mem::take(&mut self.rates[0]);
                self.rates_of(&targets, &mut before);
                system.arrive(unit, delay, &mut |target, jump| {
                    let rows = system.rows(target);
                    let size = rows.len();
                    let mut jacobian: Vec<f64> =
                        (0..size * size).map(|i| f64::from(u8::from(i / size == i % size))).collect();
                    let kept = self.x[rows.clone()].to_vec();
                    jump(self.t, &mut self.x, &mut jacobian);
                    // What is held stays, whatever arrives.
                    for (a, i) in rows.enumerate().filter(|(_, i)| self.held[*i]) {
                        self.x[i] = kept[a];
                        (0..size).for_each(|b| jacobian[a * size + b] = f64::from(u8::from(a == b)));
                    }
                    self.transform(target, &jacobian, &mut before);
                });
                self.shift(&targets, &before, &pending.shift);
                self.rates[0] = before;
                self.push_over(&targets, &pending.shift)
            }
        }
    }

    /// Units that an event has put beyond their threshold spike with it.
    fn push_over(&mut self, units: &[usize], shift: &[f64]) -> Result<(), TrajectoryError> {
        for &unit in units {
            let may = self.armed[unit] && !self.resting[unit];
            if may && self.height(unit, &self.x).is_some_and(|h| h > 0.0) {
                self.spike(unit, Some(shift))?;
            }
        }
        Ok(())
    }
}
