//! The 0-1 test for chaos: whether a series drives a walk that spreads (Gottwald and Melbourne 2009,
//! doi:10.1137/080718851).

use super::statistics::{mean, pearson};

/// K at the frequency `c`: the correlation of n with the mean square displacement of the walk that `values`, less their
/// mean, drive; with the mean a part that oscillates would have to be taken off. NaN of a constant series or fewer than
/// 20 values. O(n²/10).
pub fn correlation(values: &[f64], c: f64) -> f64 {
    let n = values.len();
    let steps = n / 10;
    if steps < 2 {
        return f64::NAN;
    }
    let (mut p, mut q) = (Vec::with_capacity(n), Vec::with_capacity(n));
    let (mut sum_p, mut sum_q) = (0.0, 0.0);
    let level = mean(values);
    for (j, v) in values.iter().enumerate() {
        let (sin, cos) = (c * (j + 1) as f64).sin_cos();
        sum_p += (v - level) * cos;
        sum_q += (v - level) * sin;
        p.push(sum_p);
        q.push(sum_q);
    }
    let kept = n - steps;
    let lags: Vec<f64> = (1..=steps).map(|k| k as f64).collect();
    let displacement: Vec<f64> = (1..=steps)
        .map(|k| {
            let along = |w: &[f64]| -> f64 { w[..kept].iter().zip(&w[k..]).map(|(a, b)| (b - a) * (b - a)).sum() };
            (along(&p) + along(&q)) / kept as f64
        })
        .collect();
    pearson(&lags, &displacement)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::median;
    use std::f64::consts::PI;

    /// Ground truth: the logistic map, 2000 values, 41 frequencies between π/5 and 4π/5.
    #[test]
    fn the_logistic_map_is_regular_or_chaotic() {
        for (r, low, high) in
            [(3.5, -0.01, 0.05), (3.55, -0.01, 0.05), (3.6, 0.9, 1.0), (3.97, 0.98, 1.0), (4.0, 0.98, 1.0)]
        {
            let mut x = 0.312_3;
            let values: Vec<f64> = (0..2500)
                .map(|_| {
                    x = r * x * (1.0 - x);
                    x
                })
                .skip(500)
                .collect();
            let all: Vec<f64> = (0..41)
                .map(|k| correlation(&values, PI / 5.0 + 3.0 * PI / 5.0 * (f64::from(k) + 0.5) / 41.0))
                .collect();
            let k = median(&all);
            assert!((low..=high).contains(&k), "r {r}: {k}");
        }
        assert!(correlation(&[1.0; 10], 1.0).is_nan());
        // Where the zero of a scale lies says nothing.
        let mut s = crate::rng::Key::new(1, "zero_one", "test").stream(0, 0);
        let x: Vec<f64> = (0..500).map(|_| s.uniform()).collect();
        let far: Vec<f64> = x.iter().map(|v| v + 1e6).collect();
        assert!((correlation(&x, 1.3) - correlation(&far, 1.3)).abs() < 1e-6);
    }
}
