//! How two phases go together: locking value, pairwise consistency, lag indices, and what chance gives.

use super::fft::{Complex64, complex_plan};

/// Length of the mean of unit vectors at the difference of two phases, by how far the second is rotated in time: one
/// for each rotation, the first of none (Lachaux and others 1999, doi:10.1002/(SICI)1097-0193(1999)8:4<194). All of
/// them cost three transforms.
pub fn locking_by_rotation(a: &[Complex64], b: &[Complex64]) -> Vec<f64> {
    let n = a.len();
    let unit = |z: &Complex64| if z.norm_sqr() > 0.0 { *z / z.norm() } else { Complex64::default() };
    let plan = complex_plan(n);
    let (mut x, mut y): (Vec<Complex64>, Vec<Complex64>) = (a.iter().map(unit).collect(), b.iter().map(unit).collect());
    plan.process(&mut x);
    plan.process(&mut y);
    // Σ_t a(t) b*(t + s): the transform of it is X* Y, conjugated; only lengths are asked for.
    x.iter_mut().zip(&y).for_each(|(x, y)| *x *= y.conj());
    plan.process(&mut x);
    let scale = 1.0 / (n as f64 * n as f64);
    x.iter().map(|z| z.norm() * scale).collect()
}

/// Mean over pairs of the cosine of their difference, from the length of the mean of `n` unit vectors: without the bias
/// of the length (Vinck and others 2010, doi:10.1016/j.neuroimage.2010.01.073).
pub fn pairwise_consistency(length: f64, n: f64) -> f64 {
    (n * length * length - 1.0) / (n - 1.0)
}

/// Sums over some samples of the imaginary part of the cross-product, which zero lag leaves without: of it, its size,
/// its sign, and its square.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LagSums {
    /// Samples.
    pub n: f64,
    /// Σ Im.
    pub imaginary: f64,
    /// Σ |Im|.
    pub size: f64,
    /// Σ sign Im.
    pub sign: f64,
    /// Σ Im².
    pub square: f64,
}

impl LagSums {
    /// Of the samples of `a` and of `b`.
    pub fn of<'a>(pairs: impl Iterator<Item = (&'a Complex64, &'a Complex64)>) -> Self {
        pairs.fold(Self::default(), |s, (a, b)| {
            let v = a.im * b.re - a.re * b.im;
            Self {
                n: s.n + 1.0,
                imaginary: s.imaginary + v,
                size: s.size + v.abs(),
                sign: s.sign
                    + if v > 0.0 {
                        1.0
                    } else if v < 0.0 {
                        -1.0
                    } else {
                        0.0
                    },
                square: s.square + v * v,
            }
        })
    }

    /// Phase lag index (Stam, Nolte, Daffertshofer 2007, doi:10.1002/hbm.20346).
    pub fn pli(&self) -> f64 {
        self.sign.abs() / self.n
    }

    /// Weighted phase lag index (Vinck and others 2011, doi:10.1016/j.neuroimage.2011.01.055).
    pub fn wpli(&self) -> f64 {
        self.imaginary.abs() / self.size
    }

    /// Its square without the bias of samples that are independent.
    pub fn debiased(&self) -> f64 {
        (self.imaginary * self.imaginary - self.square) / (self.size * self.size - self.square)
    }
}

/// Modulation of an amplitude by a phase: the distance of the mean amplitudes in bins of phase from equal ones, from 0
/// to 1 (Tort and others 2010, doi:10.1152/jn.00106.2010). NaN where a bin is empty, or there is no amplitude.
pub fn modulation_index(sums: &[(f64, f64)]) -> f64 {
    let means: Vec<f64> = sums.iter().map(|(amplitude, count)| amplitude / count).collect();
    let total: f64 = means.iter().sum();
    let bins = means.len() as f64;
    let entropy: f64 = means.iter().map(|m| m / total).map(|p| if p > 0.0 { -p * p.ln() } else { p * 0.0 }).sum();
    (bins.ln() - entropy) / bins.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;
    use std::f64::consts::TAU;

    fn phases(unit: u32, n: usize) -> Vec<Complex64> {
        let mut s = Key::new(1, "phases", "uniform").stream(unit, 0);
        (0..n).map(|_| Complex64::cis(TAU * s.uniform()) * (1.0 + s.uniform())).collect()
    }

    #[test]
    fn every_rotation_has_its_locking() {
        let (a, b) = (phases(0, 30), phases(1, 30));
        let found = locking_by_rotation(&a, &b);
        for (s, found) in found.iter().enumerate() {
            let turned = |t: usize| a[t] * b[(t + s) % 30].conj();
            let sum: Complex64 = (0..30).map(|t| turned(t) / turned(t).norm()).sum();
            assert!((found - sum.norm() / 30.0).abs() < 1e-13, "{s}: {found} {}", sum.norm() / 30.0);
        }
    }

    /// Without coupling consistency is 0 on average, and so is the square of the lag index without its bias.
    #[test]
    fn what_is_unbiased_is_zero_on_average() {
        let (mut consistency, mut lag) = (0.0, 0.0);
        for k in 0..2000 {
            let (a, b) = (phases(2 * k, 12), phases(2 * k + 1, 12));
            consistency += pairwise_consistency(locking_by_rotation(&a, &b)[0], 12.0) / 2000.0;
            lag += LagSums::of(a.iter().zip(&b)).debiased() / 2000.0;
        }
        assert!(consistency.abs() < 0.008 && lag.abs() < 0.02, "{consistency} {lag}");
    }

    #[test]
    fn lags_have_their_closed_forms() {
        let a: Vec<Complex64> = (0..64).map(|k| Complex64::cis(TAU * f64::from(k) / 64.0) * 2.0).collect();
        let b: Vec<Complex64> = a.iter().map(|z| z * Complex64::cis(-0.8)).collect();
        let s = LagSums::of(a.iter().zip(&b));
        assert!((s.pli() - 1.0).abs() < 1e-15 && (s.wpli() - 1.0).abs() < 1e-12 && (s.debiased() - 1.0).abs() < 1e-12);
        assert!(s.imaginary > 0.0, "the first leads");
        let same = LagSums::of(a.iter().zip(&a));
        assert!(same.pli() < 1e-15);
        assert!(modulation_index(&[(2.0, 1.0); 18]).abs() < 1e-15);
        let mut one = [(0.0, 1.0); 18];
        one[4].0 = 3.0;
        assert!((modulation_index(&one) - 1.0).abs() < 1e-15);
        assert!(modulation_index(&[(0.0, 0.0); 18]).is_nan() && modulation_index(&[(0.0, 1.0); 18]).is_nan());
    }
}
