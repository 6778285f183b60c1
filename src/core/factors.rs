//! How many directions the variance of many signals fills: principal components, participation ratio, factor analysis.

use super::statistics::{mean, variance};
use nalgebra::DMatrix;

/// Eigenvalues of the covariance (divisor n − 1) of columns of equal length, largest first, and the eigenvectors as
/// columns in this order. `None` where a value is not finite or there are fewer than two samples. O(n m² + m³).
pub fn principal(columns: &[&[f64]]) -> Option<(Vec<f64>, DMatrix<f64>)> {
    decomposed(covariance(columns)?)
}

/// Covariance (divisor n − 1) of columns.
pub fn covariance(columns: &[&[f64]]) -> Option<DMatrix<f64>> {
    let (m, n) = (columns.len(), columns.first().map_or(0, |c| c.len()));
    if n < 2 || columns.iter().any(|c| c.iter().any(|v| !v.is_finite())) {
        return None;
    }
    let centred = DMatrix::from_fn(n, m, {
        let means: Vec<f64> = columns.iter().map(|c| mean(c)).collect();
        move |t, i| columns[i][t] - means[i]
    });
    Some(centred.tr_mul(&centred) / (n as f64 - 1.0))
}

fn decomposed(matrix: DMatrix<f64>) -> Option<(Vec<f64>, DMatrix<f64>)> {
    let m = matrix.nrows();
    let found = nalgebra::SymmetricEigen::try_new(matrix, f64::EPSILON, 10_000)?;
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&a, &b| found.eigenvalues[b].total_cmp(&found.eigenvalues[a]));
    let values = order.iter().map(|&k| found.eigenvalues[k].max(0.0)).collect();
    Some((values, DMatrix::from_fn(m, m, |i, k| found.eigenvectors[(i, order[k])])))
}

/// (Σλ)²/Σλ²: as many directions of equal variance would scatter so (Gao and others 2017, doi:10.1101/214262).
pub fn participation_ratio(eigenvalues: &[f64]) -> f64 {
    let (sum, squares) = eigenvalues.iter().fold((0.0, 0.0), |(s, q), v| (s + v, q + v * v));
    sum * sum / squares
}

/// How many of the largest make up this share of the sum.
pub fn directions_for(eigenvalues: &[f64], share: f64) -> usize {
    let all: f64 = eigenvalues.iter().sum();
    let mut sum = 0.0;
    eigenvalues
        .iter()
        .position(|v| {
            sum += v;
            sum >= share * all * (1.0 - 1e-12)
        })
        .map_or(eigenvalues.len(), |k| k + 1)
}

/// Factor analysis: covariance = loadings loadingsᵀ + diagonal of own variances.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors {
    /// A row a signal, a column a factor.
    pub loadings: DMatrix<f64>,
    /// Own variance of each signal.
    pub own: Vec<f64>,
}

/// Least own variance, as a share of the signal's variance (against Heywood cases).
const LEAST_OWN: f64 = 1e-3;

impl Factors {
    /// Greatest likelihood by expectation and maximisation (Rubin and Thayer 1982, doi:10.1007/BF02293851) from the
    /// principal components; `None` where a matrix is not positive definite.
    pub fn fit(covariance: &DMatrix<f64>, count: usize, rounds: usize) -> Option<Self> {
        let m = covariance.nrows();
        let (values, vectors) = decomposed(covariance.clone())?;
        let rest = values[count..].iter().sum::<f64>() / (m - count).max(1) as f64;
        let mut of = Self {
            loadings: DMatrix::from_fn(m, count, |i, k| {
                vectors[(i, k)] * (values[k] - rest).max(1e-6 * values[0]).sqrt()
            }),
            own: (0..m).map(|i| covariance[(i, i)]).collect(),
        };
        for i in 0..m {
            let shared: f64 = of.loadings.row(i).iter().map(|v| v * v).sum();
            of.own[i] = (covariance[(i, i)] - shared).max(LEAST_OWN * covariance[(i, i)]);
        }
        let mut before = f64::NEG_INFINITY;
        for _ in 0..rounds {
            let weighted = DMatrix::from_fn(m, count, |i, k| of.loadings[(i, k)] / of.own[i]);
            let inner = (DMatrix::identity(count, count) + of.loadings.tr_mul(&weighted)).try_inverse()?;
            // β = (1 + LᵀΨ⁻¹L)⁻¹ LᵀΨ⁻¹
            let beta = &inner * weighted.transpose();
            let cross = covariance * beta.transpose();
            let second = &inner + &beta * &cross;
            of.loadings = &cross * second.try_inverse()?;
            for i in 0..m {
                let explained: f64 = (0..count).map(|k| of.loadings[(i, k)] * cross[(i, k)]).sum();
                of.own[i] = (covariance[(i, i)] - explained).max(LEAST_OWN * covariance[(i, i)]);
            }
            let now = of.log_likelihood(covariance)?;
            if (now - before).abs() < 1e-9 * now.abs() {
                break;
            }
            before = now;
        }
        Some(of)
    }

    /// Logarithm of the likelihood of a sample with this covariance, for each sample.
    pub fn log_likelihood(&self, covariance: &DMatrix<f64>) -> Option<f64> {
        let m = self.own.len();
        let model = &self.loadings * self.loadings.transpose() + DMatrix::from_diagonal(&self.own.clone().into());
        let factor = model.cholesky()?;
        let determinant = 2.0 * factor.l().diagonal().iter().map(|d| d.ln()).sum::<f64>();
        let trace = factor.solve(covariance).trace();
        Some(-0.5 * (m as f64 * std::f64::consts::TAU.ln() + determinant + trace))
    }

    /// Share of each signal's variance that it has in common with others.
    pub fn shared(&self) -> Vec<f64> {
        (0..self.own.len())
            .map(|i| {
                let common: f64 = self.loadings.row(i).iter().map(|v| v * v).sum();
                common / (common + self.own[i])
            })
            .collect()
    }
}

/// Mean log likelihood per sample of parts of the data that were left out of the fit, for no factor, one, and so on up
/// to `most`. Parts are contiguous stretches. `None` where one cannot be fitted.
pub fn cross_validated(columns: &[&[f64]], most: usize, folds: usize) -> Option<Vec<f64>> {
    let n = columns.first().map_or(0, |c| c.len());
    let mut sums = vec![0.0; most + 1];
    for fold in 0..folds {
        let (from, to) = (fold * n / folds, (fold + 1) * n / folds);
        let kept: Vec<Vec<f64>> = columns.iter().map(|c| c[..from].iter().chain(&c[to..]).copied().collect()).collect();
        let kept: Vec<&[f64]> = kept.iter().map(Vec::as_slice).collect();
        let trained = covariance(&kept)?;
        let means: Vec<f64> = kept.iter().map(|c| mean(c)).collect();
        // Second moments of what was left out about the means of what was kept.
        let out = to - from;
        let moved = DMatrix::from_fn(out, columns.len(), |t, i| columns[i][from + t] - means[i]);
        let tested = moved.tr_mul(&moved) / out as f64;
        for (count, sum) in sums.iter_mut().enumerate() {
            let likelihood = if count == 0 {
                Factors {
                    loadings: DMatrix::zeros(columns.len(), 0),
                    own: trained.diagonal().iter().copied().collect(),
                }
            } else {
                Factors::fit(&trained, count, 200)?
            };
            *sum += likelihood.log_likelihood(&tested)? * out as f64 / n as f64;
        }
    }
    Some(sums)
}

/// Signals with mean 0 and variance 1; `None` where one does not vary.
pub fn standardised(columns: &[&[f64]]) -> Option<Vec<Vec<f64>>> {
    columns
        .iter()
        .map(|c| {
            let (middle, sd) = (mean(c), variance(c, 1).sqrt());
            (sd > 0.0).then(|| c.iter().map(|v| (v - middle) / sd).collect())
        })
        .collect()
}

/// Partial correlations of columns: each two given all others, from the inverse of the covariance. `None` where that is
/// singular.
pub fn partial_correlations(columns: &[&[f64]]) -> Option<DMatrix<f64>> {
    let m = columns.len();
    let scaled = standardised(columns)?;
    let scaled: Vec<&[f64]> = scaled.iter().map(Vec::as_slice).collect();
    let matrix = covariance(&scaled)?;
    let smallest = decomposed(matrix.clone())?.0.last().copied()?;
    if smallest < 1e-10 {
        return None;
    }
    let inverse = matrix.cholesky()?.inverse();
    Some(DMatrix::from_fn(m, m, |i, j| {
        if i == j { 1.0 } else { -inverse[(i, j)] / (inverse[(i, i)] * inverse[(j, j)]).sqrt() }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::normal;
    use crate::rng::Key;

    /// Signals that share `factors` normal ones with weight 1 each in turn, and have noise of variance 1.
    fn signals(seed: u64, m: usize, factors: usize, n: usize) -> Vec<Vec<f64>> {
        let key = Key::new(seed, "factors", "signals");
        (0..m)
            .map(|i| {
                let of = |t: usize| if factors == 0 { 0.0 } else { normal(key, 1000 + (i % factors) as u32, t as u64) };
                (0..n).map(|t| of(t) + normal(key, i as u32, t as u64)).collect()
            })
            .collect()
    }

    fn slices(columns: &[Vec<f64>]) -> Vec<&[f64]> {
        columns.iter().map(Vec::as_slice).collect()
    }

    #[test]
    fn eigenvalues_and_ratio_in_closed_form() {
        // Of independent signals all directions count; of copies one does.
        assert_eq!((participation_ratio(&[2.0; 5]), participation_ratio(&[3.0, 0.0])), (5.0, 1.0));
        assert_eq!((directions_for(&[6.0, 3.0, 1.0], 0.9), directions_for(&[6.0, 3.0, 1.0], 0.95)), (2, 3));
        let x = [1.0, -1.0, 2.0, -2.0];
        let y = [1.0, -1.0, -2.0, 2.0];
        let (values, vectors) = principal(&[&x, &y]).unwrap();
        // Var 10/3, covariance −2: eigenvalues 16/3 and 4/3 along (1, −1) and (1, 1).
        assert!((values[0] - 16.0 / 3.0).abs() < 1e-12 && (values[1] - 4.0 / 3.0).abs() < 1e-12);
        assert!((vectors[(0, 0)] + vectors[(1, 0)]).abs() < 1e-12);
        assert!(principal(&[&[1.0], &[2.0]]).is_none());
        // Two groups of ten with one factor each: λ = 11, 11, 1 eighteen times.
        let s = signals(1, 20, 2, 40_000);
        let (values, _) = principal(&slices(&s)).unwrap();
        assert!((values[0] - 11.0).abs() < 0.3 && (values[1] - 11.0).abs() < 0.3 && (values[2] - 1.0).abs() < 0.05);
        assert!((participation_ratio(&values) - 1600.0 / 260.0).abs() < 0.1);
    }

    #[test]
    fn factors_are_counted_and_half_of_the_variance_is_shared() {
        for (factors, seed) in [(0, 3), (1, 4), (3, 5)] {
            let s = signals(seed, 12, factors, 3000);
            let likelihood = cross_validated(&slices(&s), 5, 4).unwrap();
            let best = (0..=5).max_by(|&a, &b| likelihood[a].total_cmp(&likelihood[b])).unwrap();
            assert_eq!(best, factors, "{likelihood:?}");
            if factors > 0 {
                let fit = Factors::fit(&covariance(&slices(&s)).unwrap(), factors, 500).unwrap();
                assert!(fit.shared().iter().all(|v| (v - 0.5).abs() < 0.1), "{:?}", fit.shared());
            }
        }
    }

    /// A chain x → y → z: x and z correlate, and not given y.
    #[test]
    fn partial_correlation_leaves_out_what_others_explain() {
        let key = Key::new(1, "factors", "chain");
        let n = 20_000;
        let x: Vec<f64> = (0..n).map(|t| normal(key, 0, t)).collect();
        let y: Vec<f64> = x.iter().zip(0..).map(|(x, t)| x + normal(key, 1, t)).collect();
        let z: Vec<f64> = y.iter().zip(0..).map(|(y, t)| y + normal(key, 2, t)).collect();
        let partial = partial_correlations(&[&x, &y, &z]).unwrap();
        // Closed form: r_xy.z = √(1/3)... of the true precision matrix [2 −1 0; −1 2 −1; 0 −1 1].
        assert!(partial[(0, 2)].abs() < 0.02 && (partial[(0, 1)] - 0.5).abs() < 0.02);
        assert!((partial[(1, 2)] - 0.5_f64.sqrt()).abs() < 0.02);
        assert!(partial_correlations(&[&x, &x]).is_none());
    }
}
