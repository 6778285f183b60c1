//! Detrended fluctuation analysis: how the fluctuations of a summed series about its trends grow with the length of the
//! windows (Peng, Buldyrev, Havlin, Simons, Stanley, Goldberger 1994, doi:10.1103/PhysRevE.49.1685).

use super::statistics::{mean, variance, varies};
use std::ops::Range;

/// Mean squares of what is left of a summed series in windows of one length, window by window.
#[derive(Debug, Clone, PartialEq)]
pub struct Fluctuation {
    /// Samples of a window.
    pub scale: usize,
    /// First sample and mean square of each window.
    pub windows: Vec<(usize, f64)>,
}

impl Fluctuation {
    /// F: root of the mean over windows, those left out that share a sample with `without`.
    pub fn root(&self, without: Option<&Range<usize>>) -> f64 {
        let kept = self.windows.iter().filter(|w| without.is_none_or(|r| w.0 >= r.end || w.0 + self.scale <= r.start));
        let (sum, count) = kept.fold((0.0, 0_u32), |(sum, count), w| (sum + w.1, count + 1));
        (sum / f64::from(count)).sqrt()
    }
}

/// Lengths of windows from `least` to `most`, about as many as `count`, evenly spaced in their logarithm.
pub fn scales(least: usize, most: usize, count: usize) -> Vec<usize> {
    let ratio = (most as f64 / least as f64).ln() / (count.max(2) - 1) as f64;
    let mut all: Vec<usize> = (0..count).map(|k| (least as f64 * (ratio * k as f64).exp()).round() as usize).collect();
    all.retain(|s| *s >= least && *s <= most);
    all.dedup();
    all
}

/// The fluctuations of `values` about polynomials of `degree` in windows of these lengths, which begin at every half of
/// a window. `None` of a series that is constant. O(values · degree) a length.
pub fn fluctuations(values: &[f64], degree: usize, scales: &[usize]) -> Option<Vec<Fluctuation>> {
    let level = mean(values);
    if !varies(variance(values, 0), level.abs()) {
        return None;
    }
    let mut sum = 0.0;
    let profile: Vec<f64> = values
        .iter()
        .map(|v| {
            sum += v - level;
            sum
        })
        .collect();
    Some(
        scales
            .iter()
            .map(|&scale| {
                let basis = polynomials(scale, degree);
                let step = (scale / 2).max(1);
                let last = profile.len().checked_sub(scale);
                let starts = last.into_iter().flat_map(|last| (0..=last).step_by(step));
                let windows = starts.map(|at| (at, residual(&profile[at..at + scale], &basis))).collect();
                Fluctuation { scale, windows }
            })
            .collect(),
    )
}

/// Orthonormal polynomials up to `degree` on `n` points, by Gram and Schmidt twice.
fn polynomials(n: usize, degree: usize) -> Vec<Vec<f64>> {
    let place = |i: usize| if n > 1 { 2.0 * i as f64 / (n - 1) as f64 - 1.0 } else { 0.0 };
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for d in 0..=degree {
        let mut p: Vec<f64> = match basis.last() {
            None => vec![1.0; n],
            Some(before) => before.iter().enumerate().map(|(i, v)| v * place(i)).collect(),
        };
        for _ in 0..2 {
            for q in &basis {
                let along: f64 = p.iter().zip(q).map(|(a, b)| a * b).sum();
                p.iter_mut().zip(q).for_each(|(a, b)| *a -= along * b);
            }
        }
        let norm = p.iter().map(|v| v * v).sum::<f64>().sqrt();
        if norm <= 1e-12 || d >= n {
            break;
        }
        for v in &mut p {
            *v /= norm;
        }
        basis.push(p);
    }
    basis
}

/// Mean square of a window less its projection on the basis.
fn residual(window: &[f64], basis: &[Vec<f64>]) -> f64 {
    let mut rest: Vec<f64> = window.iter().map(|v| v - window[0]).collect();
    for q in basis {
        let along: f64 = rest.iter().zip(q).map(|(a, b)| a * b).sum();
        rest.iter_mut().zip(q).for_each(|(a, b)| *a -= along * b);
    }
    rest.iter().map(|v| v * v).sum::<f64>() / window.len() as f64
}

/// What F is of independent samples with variance 1 in windows of `scale`: the trace of their summed covariance off the
/// polynomials. Its growth is not exactly the root of the scale where windows are short, and what is measured is
/// divided by that (Kantelhardt, Koscielny-Bunde, Rego, Havlin, Bunde 2001, doi:10.1016/S0378-4371(01)00144-3).
/// O(scale · degree).
pub fn of_independent(scale: usize, degree: usize) -> f64 {
    // The sum of samples up to i is the sum over steps at j of unit steps that begin there; a step seen in the window
    // has
    // the mean square of a Heaviside function, those before the window are constants and fall out.
    let basis = polynomials(scale, degree);
    let mut tails = vec![0.0; basis.len()];
    let mut total = 0.0;
    for j in (0..scale).rev() {
        let length = (scale - j) as f64;
        let mut rest = length;
        for (tail, q) in tails.iter_mut().zip(&basis) {
            *tail += q[j];
            rest -= *tail * *tail;
        }
        total += rest;
    }
    (total / scale as f64).sqrt()
}

/// Slope of a straight line through points by weighted least squares, its offset at 0, and the share of the (weighted)
/// variance that it explains. NaN of fewer than two points.
pub fn line(x: &[f64], y: &[f64], weights: &[f64]) -> (f64, f64, f64) {
    let total: f64 = weights.iter().sum();
    let of = |v: &[f64]| v.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>() / total;
    let (mx, my) = (of(x), of(y));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for ((x, y), w) in x.iter().zip(y).zip(weights) {
        xx += w * (x - mx) * (x - mx);
        xy += w * (x - mx) * (y - my);
        yy += w * (y - my) * (y - my);
    }
    if xx <= 0.0 || x.len() < 2 {
        return (f64::NAN, f64::NAN, f64::NAN);
    }
    let slope = xy / xx;
    (slope, my - slope * mx, if yy > 0.0 { xy * xy / (xx * yy) } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::normal;
    use crate::rng::Key;

    fn noise(seed: u64, n: u64) -> Vec<f64> {
        let key = Key::new(seed, "fluctuation", "noise");
        (0..n).map(|k| normal(key, 0, k)).collect()
    }

    #[test]
    fn what_independent_samples_give_is_what_they_gave() {
        for (scale, degree) in [(4, 1), (10, 1), (16, 2), (50, 1), (50, 3)] {
            let found = fluctuations(&noise(1, 400_000), degree, &[scale]).unwrap();
            let (got, want) = (found[0].root(None), of_independent(scale, degree));
            assert!((got / want - 1.0).abs() < 0.02, "{scale} {degree}: {got} {want}");
        }
        // (s² − 4)/(15 s) for straight lines.
        let s = 30.0_f64;
        assert!((of_independent(30, 1).powi(2) - (s * s - 4.0) / (15.0 * s)).abs() < 1e-12);
    }

    #[test]
    fn polynomials_leave_nothing_of_what_they_are() {
        let line: Vec<f64> = (0..200).map(|k| 0.3 * f64::from(k) + 5.0).collect();
        // The sum of a line is a parabola.
        let found = fluctuations(&line, 2, &[20, 50]).unwrap();
        assert!(found.iter().all(|f| f.root(None) < 1e-9));
        assert!(fluctuations(&[2.5; 100], 1, &[10]).is_none());
    }

    #[test]
    fn scales_are_whole_and_rise() {
        assert_eq!(scales(10, 1000, 3), [10, 100, 1000]);
        assert!(scales(4, 40, 60).windows(2).all(|w| w[0] < w[1]));
        assert!(scales(50, 10, 5).len() <= 1);
    }

    #[test]
    fn a_line_through_points() {
        let (slope, offset, share) = line(&[0.0, 1.0, 2.0], &[1.0, 3.0, 5.0], &[1.0; 3]);
        assert_eq!((slope, offset, share), (2.0, 1.0, 1.0));
        assert!(line(&[1.0], &[1.0], &[1.0]).0.is_nan());
    }
}
