//! States that follow linear equations with constant coefficients, brought forward by any number of steps in one go.

use super::compile::side;
use spikedeck_core::expm::expm;
use spikedeck_core::math::{exp, exprel};

/// Steps that are tabulated.
const TABLE: usize = 4096;

/// `s' = A s + b` for a few states, stepped exactly.
#[derive(Debug, Clone, Default)]
pub(super) struct Flow {
    n: usize,
    /// Rates per step: `A dt` and `b dt`, row by row, as one matrix that ends with a row of zeros.
    rates: Vec<f64>,
    kind: FlowKind,
    /// Propagators of 0, 1, 2, ... steps.
    table: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum FlowKind {
    /// Nothing moves.
    #[default]
    Still,
    /// Each state decays by itself towards zero (or stays): one factor a state.
    Decays,
    /// Anything else: a matrix with a last column for the constant part.
    Affine,
}

impl Flow {
    /// The flow with matrix `a` (row by row) and constant part `b`, both per second, in steps of `dt` seconds.
    pub fn new(a: &[f64], b: &[f64], dt: f64) -> Self {
        let n = b.len();
        let m = n + 1;
        let mut rates = vec![0.0; m * m];
        for i in 0..n {
            for j in 0..n {
                rates[i * m + j] = a[i * n + j] * dt;
            }
            rates[i * m + n] = b[i] * dt;
        }
        let coupled = (0..n).any(|i| b[i] != 0.0 || (0..n).any(|j| i != j && a[i * n + j] != 0.0));
        let moves = rates.iter().any(|&r| r != 0.0);
        let kind = match (moves, coupled) {
            (false, _) => FlowKind::Still,
            (true, false) => FlowKind::Decays,
            (true, true) => FlowKind::Affine,
        };
        let mut flow = Self { n, rates, kind, table: Vec::new() };
        let mut table = Vec::new();
        for steps in 0..TABLE {
            match kind {
                FlowKind::Still => break,
                FlowKind::Decays => (0..n).for_each(|i| table.push(flow.decay(i, steps as u64))),
                FlowKind::Affine => table.extend(flow.propagator(steps as u64)),
            }
        }
        flow.table = table;
        flow
    }

    /// Whether nothing moves.
    pub fn is_still(&self) -> bool {
        self.kind == FlowKind::Still
    }

    fn decay(&self, i: usize, steps: u64) -> f64 {
        exp(self.rates[i * (self.n + 1) + i] * steps as f64)
    }

    /// The first n rows of the matrix exponential. A state that no other touches is brought forward by itself: beside a
    /// very fast one the exponential of the whole matrix would lose digits.
    fn propagator(&self, steps: u64) -> Vec<f64> {
        let (n, m, h) = (self.n, self.n + 1, steps as f64);
        let rate = |i: usize, j: usize| self.rates[i * m + j];
        let alone = |i: usize| (0..n).all(|j| i == j || (rate(i, j) == 0.0 && rate(j, i) == 0.0));
        let coupled: Vec<usize> = (0..n).filter(|&i| !alone(i)).chain([n]).collect();
        let k = coupled.len();
        let part: Vec<f64> = coupled.iter().flat_map(|&i| coupled.iter().map(move |&j| rate(i, j) * h)).collect();
        let part = expm(&part, k);
        let mut p = vec![0.0; n * m];
        for i in (0..n).filter(|&i| alone(i)) {
            p[i * m + i] = exp(rate(i, i) * h);
            p[i * m + n] = rate(i, n) * h * exprel(rate(i, i) * h);
        }
        for (r, &i) in coupled.iter().enumerate().filter(|(_, i)| **i < n) {
            for (c, &j) in coupled.iter().enumerate() {
                p[i * m + j] = part[r * k + c];
            }
        }
        p
    }

    /// Brings `state` forward by `steps`.
    pub fn advance(&self, state: &mut [f64], steps: u64) {
        let n = self.n;
        match self.kind {
            FlowKind::Still => {}
            FlowKind::Decays => {
                for (i, s) in state.iter_mut().enumerate() {
                    *s *= self.table.get(steps as usize * n + i).copied().unwrap_or_else(|| self.decay(i, steps));
                }
            }
            FlowKind::Affine => {
                // More steps than the table has: as many times the last entry as fit.
                let (most, mut left) = (TABLE as u64 - 1, steps);
                while left > 0 {
                    let now = left.min(most);
                    let before = side(state);
                    let rows = &self.table[now as usize * n * (n + 1)..];
                    for (i, s) in state.iter_mut().enumerate() {
                        let row = &rows[i * (n + 1)..(i + 1) * (n + 1)];
                        *s = (0..n).fold(row[n], |sum, j| row[j].mul_add(before[j], sum));
                    }
                    left -= now;
                }
            }
        }
    }

    /// State `i` of `state` after `steps`.
    #[inline]
    pub fn value(&self, state: &[f64], i: usize, steps: u64) -> f64 {
        match self.kind {
            FlowKind::Still => state[i],
            FlowKind::Decays => {
                state[i] * self.table.get(steps as usize * self.n + i).copied().unwrap_or_else(|| self.decay(i, steps))
            }
            FlowKind::Affine => {
                let mut all = side(&state[..self.n]);
                self.advance(&mut all[..self.n], steps);
                all[i]
            }
        }
    }

    /// Brings rows of states (`rows[i][lane]`) forward by one step.
    pub fn step(&self, rows: &mut [Vec<f64>]) {
        match self.kind {
            FlowKind::Still => {}
            FlowKind::Decays => {
                for (i, row) in rows.iter_mut().enumerate() {
                    let factor = self.table[self.n + i];
                    for v in row {
                        *v *= factor;
                    }
                }
            }
            FlowKind::Affine => {
                let lanes = rows.first().map_or(0, Vec::len);
                let mut state = vec![0.0; self.n];
                for lane in 0..lanes {
                    for (s, row) in state.iter_mut().zip(rows.iter()) {
                        *s = row[lane];
                    }
                    self.advance(&mut state, 1);
                    for (s, row) in state.iter().zip(rows.iter_mut()) {
                        row[lane] = *s;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_short_ways_agree_with_the_closed_form() {
        // x' = (1 - x - y)/0.8, y' = -y/0.003, in steps of 0.1 ms.
        let (r, p) = (0.8_f64, 0.003_f64);
        let flow = Flow::new(&[-1.0 / r, -1.0 / r, 0.0, -1.0 / p], &[1.0 / r, 0.0], 1e-4);
        for steps in [1_u64, 17, 4095, 4096, 10_000] {
            let t = steps as f64 * 1e-4;
            let mut s = [0.2, 0.5];
            flow.advance(&mut s, steps);
            let y = 0.5 * (-t / p).exp();
            // z = 1 - x obeys z' = (y - z)/r.
            let z = 0.8 * (-t / r).exp() + 0.5 * p / (p - r) * ((-t / p).exp() - (-t / r).exp());
            assert!((s[1] - y).abs() < 1e-14 && (s[0] - (1.0 - z)).abs() < 1e-12, "{steps}: {s:?} {} {y}", 1.0 - z);
        }
        let decay = Flow::new(&[-50.0], &[0.0], 1e-4);
        let mut s = [2.0];
        decay.advance(&mut s, 300);
        assert!((s[0] - 2.0 * (-1.5f64).exp()).abs() < 1e-15);
        let mut rows = vec![vec![2.0; 3]];
        (0..300).for_each(|_| decay.step(&mut rows));
        assert!((rows[0][2] - s[0]).abs() < 1e-13);
        assert!(Flow::new(&[0.0], &[0.0], 1e-4).is_still());
        // A state at rest stays there, however fast its neighbour is.
        let mixed = Flow::new(&[-1.0 / r, 0.0, 0.0, -1e12], &[1.0 / r, 0.0], 1e-4);
        let mut s = [1.0, 0.3];
        mixed.advance(&mut s, 100);
        assert!((s[0] - 1.0).abs() < 1e-15 && s[1] == 0.0, "{s:?}");
    }
}
