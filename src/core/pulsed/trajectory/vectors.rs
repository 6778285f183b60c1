//! What the vectors of a trajectory do: they follow its flow, and are changed by what happens.

use super::PulsedTrajectory;
use crate::linear::orthonormalise;
use crate::pulsed::Pulsed;

impl<P: Pulsed> PulsedTrajectory<'_, P> {
    /// One step of state and vectors by the classical Runge-Kutta scheme.
    pub(super) fn runge_kutta(&mut self, h: f64) {
        let (n, k) = (self.n, self.k);
        let (mut f, mut m) = (vec![vec![0.0; n]; 4], vec![vec![0.0; n * k]; 4]);
        let (mut diagonal, mut room) = (vec![0.0; n], Vec::new());
        for (s, c) in [0.0, 0.5, 0.5, 1.0].into_iter().enumerate() {
            let along = |from: &[f64], slopes: &[Vec<f64>]| -> Vec<f64> {
                let Some(before) = s.checked_sub(1) else { return from.to_vec() };
                from.iter().zip(&slopes[before]).map(|(x, f)| (c * h).mul_add(*f, *x)).collect()
            };
            let (x, t) = (along(&self.x, &f), self.t + c * h);
            self.rate_at(t, &x, &mut f[s]);
            if k > 0 {
                let frame = along(&self.frame, &m);
                self.system.tangent(t, &x, (&frame, k), &mut m[s], &mut diagonal, &mut room);
                self.hold(&mut m[s], k);
            }
        }
        let sum = |x: &mut [f64], f: &[Vec<f64>]| {
            for (i, x) in x.iter_mut().enumerate() {
                *x += h / 6.0 * (f[0][i] + 2.0 * (f[1][i] + f[2][i]) + f[3][i]);
            }
        };
        sum(&mut self.x, &f);
        sum(&mut self.frame, &m);
        self.t += h;
    }

    /// Rates of the states that an event at these units can change; the others are not looked at.
    pub(super) fn rates_of(&self, units: &[usize], out: &mut [f64]) {
        if !self.system.is_apart() {
            return self.rate(out);
        }
        for &unit in units {
            let rows = self.system.rows(unit);
            self.system.rate_of(unit, self.t, &self.x, &mut out[rows.clone()]);
            rows.filter(|i| self.held[*i]).for_each(|i| out[i] = 0.0);
        }
    }

    /// Applies the Jacobian of what happens to a unit to its rows of the vectors, and to the rates before.
    pub(super) fn transform(&mut self, unit: usize, jacobian: &[f64], before: &mut [f64]) {
        let (rows, k) = (self.system.rows(unit), self.k);
        let size = rows.len();
        let old = self.frame[rows.start * k..rows.end * k].to_vec();
        let rates = before[rows.clone()].to_vec();
        for (a, i) in rows.enumerate() {
            let row = &mut self.frame[i * k..(i + 1) * k];
            row.fill(0.0);
            before[i] = 0.0;
            for b in 0..size {
                let slope = jacobian[a * size + b];
                before[i] += slope * rates[b];
                row.iter_mut().zip(&old[b * k..(b + 1) * k]).for_each(|(o, v)| *o = slope.mul_add(*v, *o));
            }
        }
    }

    /// Moves the vectors by what the flow changed at an event that they shift: `before` less the rates now.
    pub(super) fn shift(&mut self, units: &[usize], before: &[f64], shift: &[f64]) {
        if self.k == 0 {
            return;
        }
        let mut after = std::mem::take(&mut self.rates[1]);
        self.rates_of(units, &mut after);
        for i in changed(self.system, units) {
            let by = before[i] - after[i];
            let row = &mut self.frame[i * self.k..(i + 1) * self.k];
            row.iter_mut().zip(shift).for_each(|(v, s)| *v = by.mul_add(*s, *v));
        }
        self.rates[1] = after;
    }

    /// Makes the vectors orthonormal, where a state counts in units of `scale` and a shift in time `speed` a unit of
    /// time; by how much each grew goes into `growth`.
    pub fn orthonormalise(&mut self, scale: &[f64], speed: f64, growth: &mut [f64]) {
        let (n, k) = (self.n, self.k);
        let rows = n + self.pending.len();
        let mut all = Vec::with_capacity(rows * k);
        for (row, s) in self.frame.chunks_exact(k).zip(scale) {
            all.extend(row.iter().map(|v| v / s));
        }
        for pending in self.pending.values() {
            all.extend(pending.shift.iter().map(|v| v * speed));
        }
        orthonormalise(&mut all, rows, k, growth);
        let (states, events) = all.split_at(n * k);
        for ((row, new), s) in self.frame.chunks_exact_mut(k).zip(states.chunks_exact(k)).zip(scale) {
            row.iter_mut().zip(new).for_each(|(v, n)| *v = n * s);
        }
        for (pending, new) in self.pending.values_mut().zip(events.chunks_exact(k)) {
            pending.shift.iter_mut().zip(new).for_each(|(v, n)| *v = n / speed);
        }
    }
}

/// The states whose rates an event at these units can change, each once: those of the units, or all.
fn changed<'u, P: Pulsed>(system: &'u P, units: &'u [usize]) -> impl Iterator<Item = usize> + 'u {
    let (units, whole) = if system.is_apart() { (units, 0) } else { (&[][..], system.dimension()) };
    units.iter().flat_map(move |unit| system.rows(*unit)).chain(0..whole)
}
