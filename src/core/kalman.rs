//! Kalman filter that reads signals from counts: a linear Gaussian state and observations, both fitted by least squares
//! (Kalman 1960, doi:10.1115/1.3662552; Wu, Gao, Bienenstock, Donoghue, Black 2006, doi:10.1162/089976606774841585).

use nalgebra::{DMatrix, DVector};
use std::f64::consts::{LN_2, TAU};

/// x(t) = A x(t-1) + w, z(t) = H x(t) + q, about their means; w and q are normal and independent from time to time.
#[derive(Debug, Clone, PartialEq)]
pub struct Kalman {
    /// Signals in the state, each with its values of `order` times.
    signals: usize,
    order: usize,
    state_mean: DVector<f64>,
    observed_mean: DVector<f64>,
    /// Covariance of the state without any observation.
    prior: DMatrix<f64>,
    transition: DMatrix<f64>,
    noise: DMatrix<f64>,
    /// Hᵀ Q⁻¹ and Hᵀ Q⁻¹ H.
    weights: DMatrix<f64>,
    information: DMatrix<f64>,
}

/// What is believed of the signals at one time, of observations up to then.
#[derive(Debug, Clone, PartialEq)]
pub struct Belief {
    /// Mean of each signal.
    pub mean: Vec<f64>,
    /// Standard deviation of each.
    pub deviation: Vec<f64>,
    /// Density of the true signals here over their density without observations, in bits.
    pub gain: f64,
}

impl Kalman {
    /// From `signals[i][t]` and `observed[j][t]` at the times that `train` accepts. The state holds the signals of
    /// `order` times, so that their course may be as smooth as they are. `None` where a matrix is singular: signals or
    /// observations that are made of others or do not vary, or fewer times than numbers to be fitted. O(n c² + c³) for
    /// c observations.
    pub fn fit(signals: &[&[f64]], observed: &[&[f64]], order: usize, train: impl Fn(usize) -> bool) -> Option<Self> {
        let (d, c, n) = (signals.len(), observed.len(), signals.first()?.len());
        let order = order.max(1);
        let size = d * order;
        let all = |t: usize, back: usize| t >= back && (0..=back).all(|k| train(t - k));
        let states: Vec<usize> = (0..n).filter(|&t| all(t, order - 1)).collect();
        let steps: Vec<usize> = (0..n).filter(|&t| all(t, order)).collect();
        if d == 0 || c == 0 || steps.len() < 2 * (size + c) + 2 {
            return None;
        }
        let mean = |x: &[f64]| states.iter().map(|&t| x[t]).sum::<f64>() / states.len() as f64;
        let means: Vec<f64> = signals.iter().map(|x| mean(x)).collect();
        let observed_mean = DVector::from_iterator(c, observed.iter().map(|z| mean(z)));
        let state = |times: &[usize], back: usize| {
            DMatrix::from_fn(times.len(), size, |r, k| signals[k % d][times[r] - back - k / d] - means[k % d])
        };
        let now = state(&states, 0);
        let prior = now.tr_mul(&now) / states.len() as f64;
        // The signals from the state before; the rest of the state is that of the time before, moved on.
        let before = state(&steps, 1);
        let next = DMatrix::from_fn(steps.len(), d, |r, i| signals[i][steps[r]] - means[i]);
        let (fitted, residual) = regress(&before, &next)?;
        let mut transition = DMatrix::zeros(size, size);
        transition.view_mut((0, 0), (d, size)).copy_from(&fitted);
        for k in d..size {
            transition[(k, k - d)] = 1.0;
        }
        let mut noise = DMatrix::zeros(size, size);
        noise.view_mut((0, 0), (d, d)).copy_from(&residual);
        let z = DMatrix::from_fn(states.len(), c, |r, j| observed[j][states[r]] - observed_mean[j]);
        let present = now.columns(0, d).into_owned();
        let (seen, scatter) = regress(&present, &z)?;
        let mut h = DMatrix::zeros(c, size);
        h.view_mut((0, 0), (c, d)).copy_from(&seen);
        let own: Vec<f64> = scatter.diagonal().iter().copied().collect();
        let factor = scatter.cholesky()?;
        // What others leave of an observation is rounding where it is made of them.
        if factor.l_dirty().diagonal().iter().zip(&own).any(|(l, q)| l * l < 1e-10 * q) {
            return None;
        }
        let weights = factor.solve(&h).transpose();
        let information = &weights * &h;
        let state_mean = DVector::from_fn(size, |k, _| means[k % d]);
        let whole =
            Self { signals: d, order, state_mean, observed_mean, prior, transition, noise, weights, information };
        whole.is_finite().then_some(whole)
    }

    fn is_finite(&self) -> bool {
        [&self.prior, &self.transition, &self.noise, &self.weights, &self.information]
            .into_iter()
            .all(|m| m.iter().all(|v| v.is_finite()))
    }

    /// Beliefs at the times of a stretch, from what was known without any observation; `truth[i][t]` are the signals as
    /// they were, which only the gain rests on. `None` where a covariance is singular.
    pub fn run(&self, observed: &[&[f64]], truth: &[&[f64]], stretch: std::ops::Range<usize>) -> Option<Vec<Belief>> {
        let (d, size) = (self.signals, self.signals * self.order);
        let own = |m: &DMatrix<f64>| m.view((0, 0), (d, d)).into_owned();
        let blind = own(&self.prior);
        let (mut mean, mut covariance) = (DVector::zeros(size), self.prior.clone());
        let mut all = Vec::with_capacity(stretch.len());
        for (k, t) in stretch.enumerate() {
            if k > 0 {
                mean = &self.transition * mean;
                covariance = &self.transition * covariance * self.transition.transpose() + &self.noise;
            }
            let z = DVector::from_fn(observed.len(), |j, _| observed[j][t] - self.observed_mean[j]);
            // P⁺ = (1 + P Hᵀ Q⁻¹ H)⁻¹ P, which needs neither the inverse of P nor a matrix as large as there are units.
            let lu = (DMatrix::identity(size, size) + &covariance * &self.information).lu();
            let solved = lu.solve(&covariance)?;
            covariance = 0.5 * (&solved + solved.transpose());
            let surprise = &self.weights * z - &self.information * &mean;
            mean += &covariance * surprise;
            let off = DVector::from_fn(d, |i, _| truth[i][t] - self.state_mean[i]);
            let here = log_density(&own(&covariance), &(&off - mean.rows(0, d)))?;
            all.push(Belief {
                mean: (0..d).map(|i| mean[i] + self.state_mean[i]).collect(),
                deviation: (0..d).map(|i| covariance[(i, i)].max(0.0).sqrt()).collect(),
                gain: (here - log_density(&blind, &off)?) / LN_2,
            });
        }
        Some(all)
    }

    /// Means of the signals where they are not known.
    pub fn means(&self) -> Vec<f64> {
        self.state_mean.iter().take(self.signals).copied().collect()
    }
}

/// Coefficients (a row an outcome) of a regression without constant, and the covariance of what is left, by divisor
/// n − coefficients.
fn regress(of: &DMatrix<f64>, outcome: &DMatrix<f64>) -> Option<(DMatrix<f64>, DMatrix<f64>)> {
    let squares = of.tr_mul(of);
    // Relative to their sizes, columns that are made of each other have a Cholesky factor next to zero.
    let scale: Vec<f64> = (0..squares.nrows()).map(|k| squares[(k, k)].sqrt()).collect();
    if scale.iter().any(|s| *s <= 0.0) {
        return None;
    }
    let scaled = DMatrix::from_fn(scale.len(), scale.len(), |i, j| squares[(i, j)] / (scale[i] * scale[j]));
    let factor = scaled.cholesky()?;
    if factor.l_dirty().diagonal().iter().any(|v| *v < 1e-6) {
        return None;
    }
    let right = of.tr_mul(outcome);
    let right = DMatrix::from_fn(right.nrows(), right.ncols(), |i, j| right[(i, j)] / scale[i]);
    let solved = factor.solve(&right);
    let found = DMatrix::from_fn(solved.ncols(), solved.nrows(), |i, j| solved[(j, i)] / scale[j]);
    let left = outcome - of * found.transpose();
    let freedom = of.nrows() as f64 - of.ncols() as f64;
    Some((found, left.tr_mul(&left) / freedom))
}

/// Logarithm of a normal density about zero.
fn log_density(covariance: &DMatrix<f64>, at: &DVector<f64>) -> Option<f64> {
    let factor = covariance.clone().cholesky()?;
    let determinant: f64 = factor.l_dirty().diagonal().iter().map(|v| 2.0 * v.ln()).sum();
    let distance = at.dot(&factor.solve(at));
    Some(-0.5 * (determinant + distance + at.len() as f64 * TAU.ln()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::normal;
    use crate::rng::Key;

    fn normals(lane: u32, n: usize) -> Vec<f64> {
        (0..n).map(|k| normal(Key::new(3, "kalman", "noise"), lane, k as u64)).collect()
    }

    fn refs(all: &[Vec<f64>]) -> Vec<&[f64]> {
        all.iter().map(Vec::as_slice).collect()
    }

    /// x(t) = a x(t-1) + w, z = h x + q: the error of the filter is the root of Riccati's equation.
    #[test]
    fn the_error_is_riccatis() {
        let (a, n) = (0.95, 40_000);
        let gains = [0.5, -0.2, 0.1];
        let mut x = vec![0.0];
        for (t, w) in normals(0, n).into_iter().enumerate().skip(1) {
            let before: f64 = x[t - 1];
            x.push(a * before + w);
        }
        let seen = |(h, lane): (&f64, u32)| -> Vec<f64> {
            x.iter().zip(normals(lane, n)).map(|(v, q)| 3.0 + h * v + q).collect()
        };
        let z: Vec<Vec<f64>> = gains.iter().zip(1..).map(seen).collect();
        let k = Kalman::fit(&[&x], &refs(&z), 1, |t| t < n / 2).unwrap();
        let beliefs = k.run(&refs(&z), &[&x], n / 2..n).unwrap();
        // 1/P = 1/(a² P + 1) + Σ h².
        let information: f64 = gains.iter().map(|h| h * h).sum();
        let mut p: f64 = 1.0;
        for _ in 0..1000 {
            p = 1.0 / (1.0 / (a * a * p + 1.0) + information);
        }
        let square: f64 =
            beliefs.iter().zip(&x[n / 2..]).map(|(b, v)| (b.mean[0] - v).powi(2)).sum::<f64>() / (n / 2) as f64;
        assert!((square / p - 1.0).abs() < 0.04, "{square} {p}");
        assert!((beliefs[5000].deviation[0].powi(2) / p - 1.0).abs() < 0.05);
        // Bits: half of the logarithm of the ratio of variances.
        let truth = 0.5 * (1.0 / (1.0 - a * a) / p).log2();
        let gain = beliefs.iter().map(|b| b.gain).sum::<f64>() / beliefs.len() as f64;
        assert!((gain - truth).abs() < 0.04, "{gain} {truth}");
    }

    /// data/reference/kalman_scipy.py: the covariance that SciPy's `solve_discrete_are` gives for two signals that turn
    /// into each other, and estimates by the textbook's equations with the same matrices.
    #[test]
    fn two_signals_as_by_scipy() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../../data/reference/kalman_scipy.json")).unwrap();
        let list =
            |v: &serde_json::Value| -> Vec<f64> { v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect() };
        let matrix = |key: &str, rows: usize| {
            let v = list(&reference[key]);
            DMatrix::from_row_slice(rows, v.len() / rows, &v)
        };
        let (h, q) = (matrix("H", 3), matrix("Q", 3));
        let weights = q.cholesky().unwrap().solve(&h).transpose();
        let k = Kalman {
            signals: 2,
            order: 1,
            state_mean: DVector::zeros(2),
            observed_mean: DVector::zeros(3),
            prior: matrix("prior", 2),
            transition: matrix("A", 2),
            noise: matrix("W", 2),
            information: &weights * &h,
            weights,
        };
        let z: Vec<Vec<f64>> = (0..3).map(|j| list(&reference["z"][j])).collect();
        let n = z[0].len();
        let zero = vec![0.0; n];
        let beliefs = k.run(&refs(&z), &[&zero, &zero], 0..n).unwrap();
        let settled = matrix("posterior", 2);
        for i in 0..2 {
            assert!((beliefs[n - 1].deviation[i].powi(2) - settled[(i, i)]).abs() < 1e-9);
            for (b, wanted) in beliefs.iter().zip(list(&reference["estimates"][i])) {
                assert!((b.mean[i] - wanted).abs() < 1e-9, "{} {wanted}", b.mean[i]);
            }
        }
    }

    /// A wave is no process of first order: with two times in the state its course is known, with one it is not.
    #[test]
    fn smooth_signals_need_two_times() {
        let (n, own, seen) = (6000, normals(8, 6000), normals(9, 6000));
        let x: Vec<f64> = (0..n).map(|t| (0.1 * t as f64).sin() + 0.01 * own[t]).collect();
        let z = vec![x.iter().zip(&seen).map(|(v, q)| v + 2.0 * q).collect::<Vec<f64>>()];
        let error = |order: usize| {
            let k = Kalman::fit(&[&x], &refs(&z), order, |t| t < 3000).unwrap();
            let beliefs = k.run(&refs(&z), &[&x], 3000..6000).unwrap();
            beliefs.iter().zip(&x[3000..]).map(|(b, v)| (b.mean[0] - v).powi(2)).sum::<f64>().sqrt() / 3000f64.sqrt()
        };
        assert!(error(2) < 0.8 * error(1), "{} {}", error(2), error(1));
    }

    #[test]
    fn what_cannot_be_fitted_is_none() {
        let x: Vec<f64> = (0..100).map(|t| (0.3 * f64::from(t)).sin()).collect();
        let y: Vec<f64> = (0..100).map(|t| (0.77 * f64::from(t * t)).cos()).collect();
        let flat = vec![1.0; 100];
        let fit = |a: &[&[f64]], b: &[&[f64]], n: usize| Kalman::fit(a, b, 1, |t| t < n).is_some();
        assert!(fit(&[&x], &[&y], 100));
        assert!(!fit(&[&x, &x], &[&y], 100), "made of each other");
        assert!(!fit(&[&flat], &[&y], 100));
        assert!(!fit(&[&x], &[&flat], 100));
        assert!(!fit(&[&x], &[&y, &y], 100));
        assert!(!fit(&[&x], &[&y], 5), "too few");
        assert!(!fit(&[], &[&y], 100));
    }
}
