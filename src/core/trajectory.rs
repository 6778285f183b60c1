//! The trajectory of a system together with a frame of tangent vectors, which follow its variational equations:
//! Runge-Kutta steps, crossings of the threshold located inside the step, saltation at resets, refractory time.

use super::dynamics::Dynamics;
use super::linear::{log_abs_determinant, multiply};

/// Why a trajectory ended.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum TrajectoryError {
    /// A state became infinite or NaN.
    #[error("state {state} is not finite at t = {time}")]
    NotFinite {
        /// Index of the state.
        state: usize,
        /// Time.
        time: f64,
    },
    /// The reset leaves the system beyond its threshold.
    #[error("the reset at t = {time} leaves the system beyond its threshold, so that it fires without end")]
    ResetBeyondThreshold {
        /// Time.
        time: f64,
    },
    /// More is under way than fits into memory.
    #[error("{events} pulses and rests are under way at t = {time}, and their vectors take all of the memory allowed")]
    NoRoom {
        /// How many events.
        events: usize,
        /// Time.
        time: f64,
    },
}

/// Tolerated error of one step of a hybrid system, relative to the largest value each state has had: exponential spikes
/// blow up faster than any fixed step.
const TOLERANCE: f64 = 1e-9;
/// The share of a step in which no neuron fires more often than [`MOST_RESETS`].
const CROWDED: f64 = 1e-3;
/// Resets in that share of a step beyond which time does not move.
const MOST_RESETS: u32 = 100;
/// How often a step may be halved.
const HALVINGS: i32 = 60;

/// How time advances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// The flow, by the classical Runge-Kutta scheme.
    #[default]
    Flow,
    /// The map that Euler's scheme makes of the equations, with its own tangent map `1 + h J`: where time is discrete
    /// by itself. Thresholds are not looked at.
    Map,
}

/// A state with `k` tangent vectors on its way through time. With `k` = 0 it is an integrator that locates its resets.
#[derive(Debug)]
pub struct Trajectory<'a, D: Dynamics> {
    system: &'a D,
    n: usize,
    k: usize,
    scheme: Scheme,
    /// Longest step.
    step: f64,
    /// Time.
    pub t: f64,
    /// State.
    pub x: Vec<f64>,
    /// Tangent vectors as columns, row-major `frame[i * k + j]`.
    pub frame: Vec<f64>,
    /// By how much each tangent vector shifts the last spike, while that still matters (refractory).
    timing: Vec<f64>,
    /// End of the refractory time and the states held until then.
    held: Option<(f64, Vec<bool>)>,
    /// ∫ trace of the Jacobian dt, plus ln |det| of the saltations without refractory time.
    pub log_volume: f64,
    /// Number of resets so far.
    pub resets: u64,
    /// Time of the last reset.
    pub last_reset: f64,
    /// Resets with held states: their volumes are not in `log_volume`.
    pub held_resets: u64,
    /// Crossings so flat that the saltation matrix means nothing.
    pub grazing: u64,
    hybrid: bool,
    /// Since when time has hardly moved, and how many resets there were since then.
    crowd: (f64, u32),
    /// Whether the trajectory has been at or below its threshold since the last reset.
    armed: bool,
    last_step: f64,
    largest: Vec<f64>,
    work: Work,
}

/// Room for one step.
#[derive(Debug, Default)]
struct Work {
    f: [Vec<f64>; 4],
    m: [Vec<f64>; 4],
    /// For a whole Jacobian, where one is needed.
    jacobian: Vec<f64>,
    diagonal: Vec<f64>,
    x: Vec<f64>,
    frame: Vec<f64>,
    gradient: Vec<f64>,
}

impl<'a, D: Dynamics> Trajectory<'a, D> {
    /// Starts at state `x` and time `t` with the frame given (row-major, `n` times `k`), with steps of at most `step`.
    pub fn new(system: &'a D, t: f64, x: &[f64], frame: Vec<f64>, step: f64) -> Self {
        let n = system.dimension();
        let k = frame.len().checked_div(n).unwrap_or(0);
        let mut gradient = vec![0.0; n];
        let hybrid = system.threshold(t, x, &mut gradient).is_some() && jumps(system, t, x);
        let room = |size: usize| std::array::from_fn(|_| vec![0.0; size]);
        let work = Work {
            f: room(n),
            m: room(n * k),
            jacobian: Vec::new(),
            diagonal: vec![0.0; n],
            x: vec![0.0; n],
            frame: vec![0.0; n * k],
            gradient,
        };
        Self {
            system,
            n,
            k,
            scheme: Scheme::Flow,
            step,
            t,
            x: x.to_vec(),
            timing: vec![0.0; k],
            frame,
            held: None,
            log_volume: 0.0,
            resets: 0,
            last_reset: f64::NAN,
            held_resets: 0,
            grazing: 0,
            hybrid,
            crowd: (f64::NEG_INFINITY, 0),
            armed: true,
            last_step: step,
            largest: x.iter().map(|v| v.abs()).collect(),
            work,
        }
    }

    /// The same by another scheme.
    #[must_use]
    pub fn by(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self.hybrid &= scheme == Scheme::Flow;
        self
    }

    /// Whether some states are held after a spike: the frame is then no frame, and must not be orthonormalised.
    pub fn is_refractory(&self) -> bool {
        self.held.is_some()
    }

    /// Whether the system has a threshold and a reset.
    pub fn is_hybrid(&self) -> bool {
        self.hybrid
    }

    /// Flies for `duration`.
    ///
    /// # Errors
    /// See [`TrajectoryError`].
    pub fn advance(&mut self, duration: f64) -> Result<(), TrajectoryError> {
        let stop = self.t + duration;
        if !self.hybrid {
            if self.scheme == Scheme::Map {
                // Another step would be another map: what is no whole number of steps is rounded to one.
                for _ in 0..(duration / self.step).round().max(1.0) as u64 {
                    self.euler(self.step);
                    self.t += self.step;
                }
                return self.finite();
            }
            let steps = (duration / self.step - 1e-9).ceil().max(1.0);
            let h = duration / steps;
            for _ in 0..steps as u64 {
                self.runge_kutta(h);
                self.t += h;
            }
            self.t = stop;
            return self.finite();
        }
        while stop - self.t > 1e-12 * self.step {
            let mut h = (stop - self.t).min(self.step).min(2.0 * self.last_step);
            if let Some((end, _)) = &self.held {
                h = h.min(end - self.t);
            }
            if h > 0.0 {
                self.controlled(h)?;
            }
            if let Some((end, held)) = &self.held
                && *end - self.t <= 1e-12 * self.step
            {
                let held = held.clone();
                self.release(&held);
            }
        }
        self.t = stop.max(self.t);
        Ok(())
    }

    fn finite(&self) -> Result<(), TrajectoryError> {
        match self.x.iter().position(|v| !v.is_finite()) {
            Some(state) => Err(TrajectoryError::NotFinite { state, time: self.t }),
            None => Ok(()),
        }
    }

    fn threshold(&mut self, x: &[f64]) -> f64 {
        self.system.threshold(self.t, x, &mut self.work.gradient).unwrap_or(f64::NEG_INFINITY)
    }

    /// One step of a hybrid system of at most `h`: halved until its error is small, ended at a crossing.
    fn controlled(&mut self, h: f64) -> Result<(), TrajectoryError> {
        let start = self.x.clone();
        let mut h = h;
        let mut end = self.state_after(&start, h);
        for halving in 0.. {
            let whole = self.state_in_one(&start, h);
            let good = end
                .iter()
                .zip(&whole)
                .zip(&self.largest)
                .all(|((a, b), s)| a.is_finite() && (a - b).abs() <= TOLERANCE * s.max(a.abs()));
            if good {
                break;
            }
            if halving == HALVINGS {
                let state = (0..self.n).find(|i| !end[*i].is_finite()).unwrap_or(0);
                return Err(TrajectoryError::NotFinite { state, time: self.t });
            }
            h *= 0.5;
            end = self.state_after(&start, h);
        }
        self.last_step = h;
        self.largest.iter_mut().zip(&end).for_each(|(s, v)| *s = s.max(v.abs()));
        let free = self.held.is_none();
        let crossed = free && self.armed && self.threshold(&end) > 0.0;
        if crossed {
            let (mut low, mut high) = (0.0, h);
            for _ in 0..80 {
                let middle = f64::midpoint(low, high);
                if middle <= low || middle >= high {
                    break;
                }
                let there = self.state_after(&start, middle);
                if self.threshold(&there) > 0.0 { high = middle } else { low = middle }
            }
            h = high;
        }
        self.runge_kutta(0.5 * h);
        self.runge_kutta(0.5 * h);
        self.t += h;
        self.finite()?;
        if crossed {
            return self.spike();
        }
        let x = self.x.clone();
        if free && self.threshold(&x) <= 0.0 {
            self.armed = true;
        }
        Ok(())
    }

    /// State after two half steps, without the frame.
    fn state_after(&self, x: &[f64], h: f64) -> Vec<f64> {
        let half = self.state_in_one(x, 0.5 * h);
        self.state_in_one(&half, 0.5 * h)
    }

    fn state_in_one(&self, x: &[f64], h: f64) -> Vec<f64> {
        let rate = |t: f64, x: &[f64]| {
            let mut f = vec![0.0; self.n];
            self.system.rate(t, x, &mut f);
            self.hold(&mut f, 1);
            f
        };
        let along = |f: &[f64], h: f64| -> Vec<f64> { x.iter().zip(f).map(|(x, f)| x + h * f).collect() };
        let a = rate(self.t, x);
        let b = rate(self.t + 0.5 * h, &along(&a, 0.5 * h));
        let c = rate(self.t + 0.5 * h, &along(&b, 0.5 * h));
        let d = rate(self.t + h, &along(&c, h));
        (0..self.n).map(|i| x[i] + h / 6.0 * (a[i] + 2.0 * (b[i] + c[i]) + d[i])).collect()
    }

    /// Rows of held states become zero.
    fn hold(&self, rows: &mut [f64], width: usize) {
        if let Some((_, held)) = &self.held {
            for (row, _) in rows.chunks_exact_mut(width.max(1)).zip(held).filter(|(_, h)| **h) {
                row.fill(0.0);
            }
        }
    }

    /// One step of state and frame by the classical Runge-Kutta scheme (time is the caller's).
    fn runge_kutta(&mut self, h: f64) {
        let (n, k) = (self.n, self.k);
        let stages = [(0.0, 1.0), (0.5, 2.0), (0.5, 2.0), (1.0, 1.0)];
        let mut work = std::mem::take(&mut self.work);
        let mut volume = 0.0;
        for (s, (c, weight)) in stages.into_iter().enumerate() {
            for i in 0..n {
                work.x[i] = if s == 0 { self.x[i] } else { (c * h).mul_add(work.f[s - 1][i], self.x[i]) };
            }
            let t = self.t + c * h;
            self.system.rate(t, &work.x, &mut work.f[s]);
            self.hold(&mut work.f[s], 1);
            if k == 0 {
                continue;
            }
            for i in 0..n * k {
                work.frame[i] = if s == 0 { self.frame[i] } else { (c * h).mul_add(work.m[s - 1][i], self.frame[i]) };
            }
            let frame = (&work.frame[..], k);
            self.system.tangent(t, &work.x, frame, &mut work.m[s], &mut work.diagonal, &mut work.jacobian);
            self.hold(&mut work.m[s], k);
            self.hold(&mut work.diagonal, 1);
            volume += weight * work.diagonal.iter().sum::<f64>();
        }
        let sum = |x: &mut [f64], f: &[Vec<f64>; 4]| {
            for (i, x) in x.iter_mut().enumerate() {
                *x += h / 6.0 * (f[0][i] + 2.0 * (f[1][i] + f[2][i]) + f[3][i]);
            }
        };
        sum(&mut self.x, &work.f);
        sum(&mut self.frame, &work.m);
        self.log_volume += h / 6.0 * volume;
        self.work = work;
    }

    /// One step of state and frame by Euler's scheme (time is the caller's).
    fn euler(&mut self, h: f64) {
        let (n, k) = (self.n, self.k);
        let Work { f, m, jacobian, .. } = &mut self.work;
        if k > 0 {
            jacobian.resize(n * n, 0.0);
            self.system.jacobian(self.t, &self.x, jacobian);
            for (i, v) in jacobian.iter_mut().enumerate() {
                *v = h.mul_add(*v, f64::from(u8::from(i / n == i % n)));
            }
            multiply(jacobian, &self.frame, &mut m[0], n, k);
            std::mem::swap(&mut self.frame, &mut m[0]);
            self.log_volume += log_abs_determinant(jacobian, n);
        }
        self.system.rate(self.t, &self.x, &mut f[0]);
        self.x.iter_mut().zip(&f[0]).for_each(|(x, f)| *x += h * f);
    }

    /// Reset at the crossing: S = Dg + (f⁺ − Dg f⁻)∇hᵀ/(∇h·f⁻) (Aizerman and Gantmakher 1958; di Bernardo et al. 2008,
    /// doi:10.1007/978-1-84628-708-4, ch. 2). With a refractory time, f⁺ is what flows while states are held, and the
    /// shift of the spike is kept until they are let go, because that is shifted as much.
    fn spike(&mut self) -> Result<(), TrajectoryError> {
        let (n, k) = (self.n, self.k);
        let before = self.x.clone();
        let mut f_before = vec![0.0; n];
        self.system.rate(self.t, &before, &mut f_before);
        let mut gradient = vec![0.0; n];
        self.system.threshold(self.t, &before, &mut gradient);
        let mut dg = vec![0.0; n * n];
        self.system.reset(self.t, &mut self.x, &mut dg);
        self.resets += 1;
        self.last_reset = self.t;
        // A reset to the threshold itself: each crossing follows the one before at once, and time does not move.
        if self.t - self.crowd.0 > CROWDED * self.step {
            self.crowd = (self.t, 0);
        }
        self.crowd.1 += 1;
        if self.crowd.1 > MOST_RESETS {
            return Err(TrajectoryError::ResetBeyondThreshold { time: self.t });
        }
        self.armed = false;
        self.held = self
            .system
            .refractory(&self.x)
            .filter(|(time, _)| *time > 0.0)
            .map(|(time, states)| (self.t + time, (0..n).map(|s| states.contains(&s)).collect()));
        let mut f_after = vec![0.0; n];
        self.system.rate(self.t, &self.x, &mut f_after);
        self.hold(&mut f_after, 1);
        let slope: f64 = gradient.iter().zip(&f_before).map(|(g, f)| g * f).sum();
        let size: f64 = gradient.iter().zip(&f_before).map(|(g, f)| (g * f).abs()).sum();
        if slope <= 1e-12 * size || slope <= 0.0 {
            self.grazing += 1;
        } else if k > 0 {
            let mut saltation = dg.clone();
            for i in 0..n {
                let moved: f64 = (0..n).map(|j| dg[i * n + j] * f_before[j]).sum();
                for j in 0..n {
                    saltation[i * n + j] += (f_after[i] - moved) * gradient[j] / slope;
                }
            }
            for j in 0..k {
                let along: f64 = (0..n).map(|i| gradient[i] * self.frame[i * k + j]).sum();
                self.timing[j] = -along / slope;
            }
            let frame = self.frame.clone();
            multiply(&saltation, &frame, &mut self.frame, n, k);
            if self.held.is_some() {
                self.held_resets += 1;
            } else {
                self.log_volume += log_abs_determinant(&saltation, n);
            }
        }
        let x = self.x.clone();
        if self.threshold(&x) > 0.0 {
            if self.held.is_none() {
                return Err(TrajectoryError::ResetBeyondThreshold { time: self.t });
            }
        } else {
            self.armed = true;
        }
        Ok(())
    }

    /// The end of the refractory time: held states flow again, at a time shifted by as much as the spike was.
    fn release(&mut self, held: &[bool]) {
        let mut f = vec![0.0; self.n];
        self.system.rate(self.t, &self.x, &mut f);
        for i in (0..self.n).filter(|&i| held[i]) {
            for j in 0..self.k {
                self.frame[i * self.k + j] -= f[i] * self.timing[j];
            }
        }
        self.timing.fill(0.0);
        self.held = None;
        // A system that was let go beyond its threshold fires at once.
        self.armed = true;
    }
}

/// Whether the reset does anything: a threshold that only marks spikes leaves the flow smooth.
fn jumps<D: Dynamics>(system: &D, t: f64, x: &[f64]) -> bool {
    let mut after = x.to_vec();
    let n = x.len();
    let mut jacobian = vec![0.0; n * n];
    if !system.reset(t, &mut after, &mut jacobian) {
        return false;
    }
    let identity = jacobian.iter().enumerate().all(|(i, v)| *v == f64::from(u8::from(i / n == i % n)));
    !identity || after != x || system.refractory(x).is_some_and(|(time, held)| time > 0.0 && !held.is_empty())
}
