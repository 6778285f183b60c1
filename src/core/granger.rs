//! Granger causality of vector autoregressions: how much better the past of one signal lets another be foretold, in
//! time (Geweke 1982, doi:10.1080/01621459.1982.10477803; conditional: Geweke 1984,
//! doi:10.1080/01621459.1984.10477110) and over frequency.

use super::fft::Complex64;
use super::linear::residual_variance;
use super::statistics::{chi_squared_quantile, chi_squared_tail, normal_two_sided};
use nalgebra::DMatrix;
use std::f64::consts::TAU;

/// Sums of products of signals and their past, from which regressions of any order and any choice of signals follow.
#[derive(Debug, Clone)]
pub struct Moments {
    signals: usize,
    most: usize,
    /// Present values that the sums go over.
    n: usize,
    /// Products of the columns: lag 1 of all signals, lag 2 of all, ..., then the present of all.
    products: Vec<f64>,
}

impl Moments {
    /// Of signals without their means, with orders up to `most`; `None` with fewer present values than twice the
    /// columns. O(n (signals · most)²).
    pub fn new(signals: &[&[f64]], most: usize) -> Option<Self> {
        let m = signals.len();
        let length = signals.first().map_or(0, |s| s.len());
        let columns = m * (most + 1);
        let n = length.checked_sub(most)?;
        if most == 0 || n < 2 * columns {
            return None;
        }
        let centred: Vec<Vec<f64>> = signals
            .iter()
            .map(|s| {
                let mean = s.iter().sum::<f64>() / length as f64;
                s.iter().map(|v| v - mean).collect()
            })
            .collect();
        // Column c stands for signal c % m, that many steps back.
        let back = |c: usize| if c / m == most { 0 } else { c / m + 1 };
        let column = |c: usize| &centred[c % m][most - back(c)..length - back(c)];
        let mut products = vec![0.0; columns * columns];
        for i in 0..columns {
            for j in 0..=i {
                let sum: f64 = column(i).iter().zip(column(j)).map(|(a, b)| a * b).sum();
                products[i * columns + j] = sum;
                products[j * columns + i] = sum;
            }
        }
        Some(Self { signals: m, most, n, products })
    }

    /// Present values that regressions rest on.
    pub fn n(&self) -> usize {
        self.n
    }

    fn lags(&self, of: &[usize], order: usize) -> Vec<usize> {
        (0..order).flat_map(|lag| of.iter().map(move |s| lag * self.signals + s)).collect()
    }

    fn present(&self, signal: usize) -> usize {
        self.most * self.signals + signal
    }

    fn block(&self, columns: &[usize]) -> Vec<f64> {
        let all = self.signals * (self.most + 1);
        columns.iter().flat_map(|&i| columns.iter().map(move |&j| self.products[i * all + j])).collect()
    }

    /// Variance of signal `target` that the past of the signals `of` leaves; `None` where these are collinear.
    pub fn residual(&self, target: usize, of: &[usize], order: usize) -> Option<f64> {
        let mut columns = self.lags(of, order);
        columns.push(self.present(target));
        residual_variance(&self.block(&columns), columns.len()).map(|v| v / self.n as f64)
    }

    /// The regression of all signals on the past of all.
    pub fn model(&self, order: usize) -> Option<Model> {
        let m = self.signals;
        let past = self.lags(&(0..m).collect::<Vec<_>>(), order);
        let size = past.len();
        let all = m * (self.most + 1);
        let at = |i: usize, j: usize| self.products[i * all + j];
        let own = DMatrix::from_fn(size, size, |i, j| at(past[i], past[j]));
        let cross = DMatrix::from_fn(size, m, |i, j| at(past[i], self.present(j)));
        let factor = own.cholesky()?;
        let solved = factor.solve(&cross);
        let mut covariance = vec![0.0; m * m];
        for i in 0..m {
            for j in 0..m {
                let explained = solved.column(i).dot(&cross.column(j));
                covariance[i * m + j] = (at(self.present(i), self.present(j)) - explained) / self.n as f64;
            }
        }
        // coefficients[lag][to * m + from]
        let coefficients =
            (0..order).map(|lag| (0..m * m).map(|k| solved[(lag * m + k % m, k / m)]).collect()).collect();
        let model = Model { signals: m, n: self.n, coefficients, covariance };
        model.log_determinant().is_finite().then_some(model)
    }

    /// The order up to the largest of which Schwarz's criterion (1978, doi:10.1214/aos/1176344136) is least, all on the
    /// same present values; `None` where no order can be fitted.
    pub fn best_order(&self) -> Option<usize> {
        let cost = |order: usize| {
            let model = self.model(order)?;
            let parameters = (self.signals * self.signals * order) as f64;
            Some(self.n as f64 * model.log_determinant() + parameters * (self.n as f64).ln())
        };
        (1..=self.most).filter_map(|o| Some((o, cost(o)?))).min_by(|a, b| a.1.total_cmp(&b.1)).map(|best| best.0)
    }
}

/// A vector autoregression.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    signals: usize,
    n: usize,
    /// `coefficients[lag - 1][to * signals + from]`.
    pub coefficients: Vec<Vec<f64>>,
    /// Covariance of what is left (divisor n).
    pub covariance: Vec<f64>,
}

impl Model {
    fn log_determinant(&self) -> f64 {
        let m = self.signals;
        let matrix = DMatrix::from_row_slice(m, m, &self.covariance);
        matrix.cholesky().map_or(f64::NEG_INFINITY, |c| 2.0 * c.l().diagonal().iter().map(|d| d.ln()).sum::<f64>())
    }

    /// Geweke's measure from signal `from` to `to` at `frequency` cycles a sample, of a model of two signals:
    /// ln S/(S − (Σ_ff − Σ_ft²/Σ_tt) |H_tf|²). `None` of any other number.
    pub fn spectral(&self, from: usize, to: usize, frequency: f64) -> Option<f64> {
        if self.signals != 2 || from == to {
            return None;
        }
        // I − Σ A e^(−2πi f lag)
        let mut a = [Complex64::new(1.0, 0.0), Complex64::default(), Complex64::default(), Complex64::new(1.0, 0.0)];
        for (lag, coefficients) in self.coefficients.iter().enumerate() {
            let turn = Complex64::cis(-TAU * frequency * (lag + 1) as f64);
            a.iter_mut().zip(coefficients).for_each(|(a, c)| *a -= turn * *c);
        }
        let determinant = a[0] * a[3] - a[1] * a[2];
        let inverse = [a[3] / determinant, -a[1] / determinant, -a[2] / determinant, a[0] / determinant];
        let (own, other) = (inverse[to * 2 + to], inverse[to * 2 + from]);
        let s = |i: usize, j: usize| self.covariance[i * 2 + j];
        let (tt, ff, tf) = (s(to, to), s(from, from), s(to, from));
        let power = own.norm_sqr() * tt + 2.0 * tf * (own * other.conj()).re + other.norm_sqr() * ff;
        let alone = power - (ff - tf * tf / tt) * other.norm_sqr();
        Some((power / alone).ln())
    }
}

/// p-value of a measure of `parameters` degrees of freedom from `n` present values: n F is chi-squared without
/// causality.
pub fn tail(value: f64, n: usize, parameters: usize) -> f64 {
    chi_squared_tail(parameters as f64, n as f64 * value.max(0.0))
}

/// Interval of the measure: n F is noncentral chi-squared about n times the true one.
pub fn interval(value: f64, n: usize, parameters: usize) -> (f64, f64) {
    let x = n as f64 * value.max(0.0);
    let freedom = parameters as f64;
    let end = |tail: f64| {
        if noncentral(x, freedom, 0.0) < tail {
            return 0.0;
        }
        let (mut low, mut high) = (0.0, 2.0 * x + 50.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if noncentral(x, freedom, middle) > tail { low = middle } else { high = middle }
        }
        0.5 * (low + high) / n as f64
    };
    (end(0.975), end(0.025))
}

/// Probability that noncentral chi-squared is at most `x` (Sankaran 1959, doi:10.1093/biomet/46.1-2.235: a power of it
/// is nearly normal; exact at noncentrality 0).
fn noncentral(x: f64, freedom: f64, noncentrality: f64) -> f64 {
    if noncentrality <= 0.0 {
        return 1.0 - chi_squared_tail(freedom, x);
    }
    // Poisson mixture of chi-squared laws where the sum is short, else the power.
    let half = noncentrality / 2.0;
    if half < 400.0 {
        let spread = 10.0 * half.sqrt() + 12.0;
        let (from, to) = ((half - spread).max(0.0) as usize, (half + spread) as usize);
        let mut log = -half + (1..=from).map(|k| half.ln() - (k as f64).ln()).sum::<f64>();
        let mut sum = 0.0;
        for k in from..=to {
            if k > from {
                log += half.ln() - (k as f64).ln();
            }
            sum += log.exp() * (1.0 - chi_squared_tail(freedom + 2.0 * k as f64, x));
        }
        return sum;
    }
    let (a, b) = (freedom + noncentrality, freedom + 2.0 * noncentrality);
    let c = freedom + 3.0 * noncentrality;
    let h = 1.0 - 2.0 * a * c / (3.0 * b * b);
    let p = b / (a * a);
    let m = (h - 1.0) * (1.0 - 3.0 * h);
    let mean = 1.0 + h * p * (h - 1.0 - 0.5 * (2.0 - h) * m * p);
    let deviation = h * (2.0 * p).sqrt() * (1.0 + 0.5 * m * p);
    1.0 - upper(((x / a).powf(h) - mean) / deviation)
}

/// Probability of a standard normal score of at least `z`.
fn upper(z: f64) -> f64 {
    let two_sided = normal_two_sided(z);
    if z >= 0.0 { 0.5 * two_sided } else { 1.0 - 0.5 * two_sided }
}

/// Largest measure that chance gives in 95 % of the cases.
pub fn chance_level(n: usize, parameters: usize) -> f64 {
    chi_squared_quantile(parameters as f64, 0.95) / n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::normal;
    use crate::rng::Key;

    /// x' = 0.5 x + e, y' = 0.6 y + c x + u: y is white noise filtered without x, and the measure has a closed form.
    fn pair(seed: u64, n: usize, c: f64) -> [Vec<f64>; 2] {
        let key = Key::new(seed, "granger", "pair");
        let (mut x, mut y) = (vec![0.0], vec![0.0]);
        for k in 0..n as u64 + 200 {
            let (a, b) = (x[x.len() - 1], y[y.len() - 1]);
            x.push(0.5 * a + normal(key, 0, k));
            y.push(0.6 * b + c * a + normal(key, 1, k));
        }
        [x[201..].to_vec(), y[201..].to_vec()]
    }

    #[test]
    fn the_spectral_measure_adds_up_to_that_in_time() {
        let [x, y] = pair(1, 40_000, 0.4);
        let moments = Moments::new(&[&x, &y], 20).unwrap();
        assert_eq!(moments.best_order(), Some(1));
        // The reduced regression needs many lags; the integral over frequency needs none.
        let full = moments.residual(1, &[0, 1], 20).unwrap();
        let in_time = (moments.residual(1, &[1], 20).unwrap() / full).ln();
        let model = moments.model(1).unwrap();
        let mean = |from: usize, to: usize| -> f64 {
            (0..500).map(|k| model.spectral(from, to, (f64::from(k) + 0.5) / 1000.0).unwrap()).sum::<f64>() / 500.0
        };
        assert!((mean(0, 1) - in_time).abs() < 0.003, "{} {in_time}", mean(0, 1));
        assert!(mean(1, 0).abs() < 3e-4 && tail(in_time, moments.n(), 20) < 1e-12);
        assert!((model.coefficients[0][2] - 0.4).abs() < 0.02 && (model.covariance[3] - 1.0).abs() < 0.03);
        // At every frequency: |H_yx|² against the own noise, closed form of the true model.
        for f in [0.02, 0.1, 0.3] {
            let z = Complex64::cis(-TAU * f);
            let through = (z * 0.4 / (Complex64::new(1.0, 0.0) - z * 0.5)).norm_sqr();
            let wanted = (1.0 + through).ln();
            assert!((model.spectral(0, 1, f).unwrap() - wanted).abs() < 0.04, "{f}");
        }
    }

    /// Without causality p is uniform; with it the interval holds the truth as often as it says.
    #[test]
    fn p_is_uniform_and_the_interval_holds() {
        let (mut small, mut held) = (0, 0);
        let truth = {
            let [x, y] = pair(7, 400_000, 0.15);
            let m = Moments::new(&[&x, &y], 3).unwrap();
            (m.residual(1, &[1], 3).unwrap() / m.residual(1, &[0, 1], 3).unwrap()).ln()
        };
        for seed in 0..400 {
            let [x, y] = pair(seed + 100, 1000, 0.0);
            let m = Moments::new(&[&x, &y], 3).unwrap();
            let f = (m.residual(1, &[1], 3).unwrap() / m.residual(1, &[0, 1], 3).unwrap()).ln();
            small += u32::from(tail(f, m.n(), 3) < 0.05);
            let [x, y] = pair(seed + 1000, 1000, 0.15);
            let m = Moments::new(&[&x, &y], 3).unwrap();
            let f = (m.residual(1, &[1], 3).unwrap() / m.residual(1, &[0, 1], 3).unwrap()).ln();
            let (low, high) = interval(f, m.n(), 3);
            held += u32::from(low <= truth && truth <= high);
        }
        assert!((8..36).contains(&small), "{small}");
        assert!((364..=396).contains(&held), "{held}");
    }

    /// z drives both x and y, x earlier: conditional on z nothing is left from x to y.
    #[test]
    fn common_input_is_conditioned_away() {
        let key = Key::new(3, "granger", "common");
        let e = |unit: u32, k: usize| normal(key, unit, k as u64);
        let n = 20_000;
        let z: Vec<f64> = (0..n).map(|k| e(0, k)).collect();
        let x: Vec<f64> = (0..n).map(|k| if k < 1 { 0.0 } else { z[k - 1] + e(1, k) }).collect();
        let y: Vec<f64> = (0..n).map(|k| if k < 2 { 0.0 } else { z[k - 2] + e(2, k) }).collect();
        let m = Moments::new(&[&x, &y, &z], 4).unwrap();
        let measure = |with: &[usize], without: &[usize]| {
            (m.residual(1, without, 4).unwrap() / m.residual(1, with, 4).unwrap()).ln()
        };
        assert!(tail(measure(&[0, 1], &[1]), m.n(), 4) < 1e-12);
        assert!(tail(measure(&[0, 1, 2], &[1, 2]), m.n(), 4) > 0.001);
    }

    #[test]
    fn laws_are_known_and_what_cannot_be_is_none() {
        // SciPy 1.17: ncx2.cdf(20, 3, 10) and ncx2.cdf(1100, 5, 1000).
        assert!((noncentral(20.0, 3.0, 10.0) - 0.851_379_3).abs() < 2e-3, "{}", noncentral(20.0, 3.0, 10.0));
        assert!((noncentral(1100.0, 5.0, 1000.0) - 0.930_791_4).abs() < 2e-3, "{}", noncentral(1100.0, 5.0, 1000.0));
        let x = vec![1.0; 100];
        assert!(Moments::new(&[&x, &x], 3).is_some_and(|m| m.best_order().is_none()));
        assert!(Moments::new(&[&x[..5], &x[..5]], 3).is_none());
    }
}
