//! A metric over the seeds of two runs: the difference with its interval, p-value and size.

use spikedeck_core::statistics::{log_gamma, student_quantile_of, student_two_sided};

/// Differences of this share of the values themselves are rounding.
const ROUNDING: f64 = 1e-12;

/// What is said of a difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Contrast {
    pub(super) difference: f64,
    /// Mean of the first over the seeds that were used.
    pub(super) base: f64,
    pub(super) interval: Option<(f64, f64)>,
    pub(super) p: Option<f64>,
    pub(super) effect: Option<f64>,
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// Variance around a mean, with n − 1.
fn variance(values: &[f64], mean: f64) -> f64 {
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}

/// Zero where a difference is rounding beside the values.
pub(super) fn rounded(difference: f64, size: f64) -> f64 {
    if difference.abs() <= ROUNDING * size { 0.0 } else { difference }
}

/// An angle in (−π, π].
pub(super) fn wrapped(angle: f64) -> f64 {
    use std::f64::consts::{PI, TAU};
    let within = angle - TAU * (angle / TAU).round();
    if within <= -PI { within + TAU } else { within }
}

/// Hedges' correction of a standardised mean difference with so many degrees of freedom (Hedges 1981,
/// doi:10.3102/10769986006002107): without it the effect of three seeds is told 1.77 times too large. None with one,
/// where the expectation does not exist.
fn hedges(freedom: f64) -> Option<f64> {
    (freedom >= 2.0)
        .then(|| (log_gamma(freedom / 2.0) - log_gamma((freedom - 1.0) / 2.0)).exp() / (freedom / 2.0).sqrt())
}

/// Values of both runs at the same seeds: Student's t on their differences. Differences that do not vary, but for
/// rounding, have no interval. Nothing of fewer than two.
pub(super) fn paired(pairs: &[(f64, f64)], is_angle: bool) -> Option<Contrast> {
    if pairs.len() < 2 {
        return None;
    }
    let (n, freedom) = (pairs.len() as f64, pairs.len() as f64 - 1.0);
    let along = |d: f64| if is_angle { wrapped(d) } else { d };
    let differences: Vec<f64> = pairs.iter().map(|(a, b)| along(b - a)).collect();
    let size = pairs.iter().map(|(a, b)| a.abs().max(b.abs())).fold(0.0, f64::max);
    let difference = rounded(mean(differences.iter().copied()), size);
    let deviation = variance(&differences, difference).sqrt();
    let base = mean(pairs.iter().map(|p| p.0));
    if deviation <= ROUNDING * size {
        return Some(Contrast { difference, base, interval: None, p: None, effect: None });
    }
    let half = student_quantile_of(freedom) * deviation / n.sqrt();
    Some(Contrast {
        difference,
        base,
        interval: Some((difference - half, difference + half)),
        p: Some(student_two_sided(difference * n.sqrt() / deviation, freedom)),
        effect: hedges(freedom).map(|j| j * difference / deviation),
    })
}

/// Values of two runs at seeds of their own: Welch's t (1947, doi:10.1093/biomet/34.1-2.28). Nothing where one of them
/// has fewer than two, and of angles.
pub(super) fn independent(a: &[f64], b: &[f64], is_angle: bool) -> Option<Contrast> {
    if a.len() < 2 || b.len() < 2 || is_angle {
        return None;
    }
    let size = a.iter().chain(b).map(|v| v.abs()).fold(0.0, f64::max);
    let (mean_a, mean_b) = (mean(a.iter().copied()), mean(b.iter().copied()));
    let difference = rounded(mean_b - mean_a, size);
    let each = |values: &[f64], mean: f64| variance(values, mean) / values.len() as f64;
    let (of_a, of_b) = (each(a, mean_a), each(b, mean_b));
    let error = (of_a + of_b).sqrt();
    if error <= ROUNDING * size {
        return Some(Contrast { difference, base: mean_a, interval: None, p: None, effect: None });
    }
    let part = |of: f64, n: usize| of * of / (n as f64 - 1.0);
    let freedom = (of_a + of_b).powi(2) / (part(of_a, a.len()) + part(of_b, b.len()));
    let half = student_quantile_of(freedom) * error;
    Some(Contrast {
        difference,
        base: mean_a,
        interval: Some((difference - half, difference + half)),
        p: Some(student_two_sided(difference / error, freedom)),
        effect: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn independent_samples_are_told_as_scipy_does() {
        // scipy.stats.ttest_ind([4, 6, 9.5], [1, 2, 3.5, 2.5], equal_var=False)
        let found = independent(&[1.0, 2.0, 3.5, 2.5], &[4.0, 6.0, 9.5], false).unwrap();
        assert!((found.difference - 4.25).abs() < 1e-12 && (found.base - 2.25).abs() < 1e-12);
        assert!((found.p.unwrap() - 0.106_489_528_151_923_1).abs() < 1e-9, "{found:?}");
        let (low, high) = found.interval.unwrap();
        assert!(
            (low + 1.927_569_824_377_195).abs() < 1e-7 && (high - 10.427_569_824_377_194).abs() < 1e-7,
            "{found:?}"
        );
        assert!(independent(&[1.0], &[1.0, 2.0], false).is_none());
    }

    #[test]
    fn pairs_are_told_by_their_differences() {
        // 4, 5, 6: t = 5 √3 with two degrees of freedom, of which the tail is 1/2 (1 − t/√(t² + 2)); J(2) = 1/√π.
        let found = paired(&[(5.0, 9.0), (20.0, 25.0), (35.0, 41.0)], false).unwrap();
        assert_eq!((found.difference, found.base), (5.0, 20.0));
        assert!((found.p.unwrap() - (1.0 - (75f64 / 77.0).sqrt())).abs() < 1e-9);
        assert!((found.effect.unwrap() - 5.0 / std::f64::consts::PI.sqrt()).abs() < 1e-9);
        let (low, high) = found.interval.unwrap();
        assert!((low - (5.0 - 2.484_138)).abs() < 1e-5 && (high - (5.0 + 2.484_138)).abs() < 1e-5);
        assert_eq!(paired(&[(1.0, 2.0), (2.0, 4.0)], false).unwrap().effect, None, "of two seeds it does not exist");
    }

    /// What differs by rounding does not differ, and what differs by the same amount everywhere has no spread.
    #[test]
    fn rounding_marks_nothing() {
        for scale in [1e-9, 1.0, 1e12] {
            let values: Vec<f64> = [5.1, 10.1, 15.1].map(|v| v * scale).to_vec();
            let up = |v: f64, k: usize| f64::from_bits(v.to_bits() + k as u64 + 1);
            let near: Vec<(f64, f64)> = values.iter().enumerate().map(|(k, v)| (*v, up(*v, k))).collect();
            let found = paired(&near, false).unwrap();
            assert_eq!((found.difference, found.interval, found.p, found.effect), (0.0, None, None, None));
            let moved: Vec<(f64, f64)> = values.iter().map(|v| (*v, v + 10.0 * scale)).collect();
            let found = paired(&moved, false).unwrap();
            assert!(
                (found.difference - 10.0 * scale).abs() < 1e-9 * scale && found.p.is_none() && found.interval.is_none()
            );
            let same = independent(&[values[0]; 3], &[up(values[0], 0); 3], false).unwrap();
            assert_eq!((same.difference, same.p), (0.0, None));
        }
    }

    #[test]
    fn angles_differ_the_short_way() {
        let found = paired(&[(3.1, -3.1), (3.0, -3.1), (3.1, -3.0)], true).unwrap();
        assert!((found.difference - (0.083_185 + 0.183_185 + 0.183_185) / 3.0).abs() < 1e-5, "{found:?}");
        for k in -20..=20 {
            let angle = f64::from(k) * 0.7;
            let back = wrapped(angle);
            assert!(back > -std::f64::consts::PI - 1e-12 && back <= std::f64::consts::PI + 1e-12);
            let turns = (angle - back) / std::f64::consts::TAU;
            assert!((turns - turns.round()).abs() < 1e-9);
        }
    }
}
