//! Intervals by leaving out one stretch of the data at a time.

use spikedeck_core::statistics::mean_interval;

/// Stretches that an interval needs at the least.
const LEAST: usize = 10;

/// 95 % interval of a positive measure of sums over stretches of the data: Student's t of its logarithm by the
/// jackknife (Efron and Tibshirani 1993, doi:10.1201/9780429246593). `None` with fewer than ten stretches, or where the
/// measure is not a positive number without one of them.
pub fn interval<const N: usize>(sums: &[[f64; N]], measure: impl Fn(&[f64; N]) -> f64) -> Option<(f64, f64)> {
    let count = sums.len() as f64;
    let mut all = [0.0; N];
    for sum in sums {
        all.iter_mut().zip(sum).for_each(|(a, s)| *a += s);
    }
    let whole = measure(&all).ln();
    let left_out = |sum: &[f64; N]| {
        let rest: [f64; N] = std::array::from_fn(|k| all[k] - sum[k]);
        count * whole - (count - 1.0) * measure(&rest).ln()
    };
    let (_, low, high) = mean_interval(&sums.iter().map(left_out).collect::<Vec<_>>(), 0.95);
    (sums.len() >= LEAST && low.is_finite() && high.is_finite()).then(|| (low.exp(), high.exp()))
}

/// Number, sum and sum of squares of each of `count` stretches of values; values after the last whole stretch are left
/// out. `about` is taken off first, so that squares stay small.
pub fn moments(values: &[f64], count: usize, about: f64) -> Vec<[f64; 3]> {
    let of = |stretch: &[f64]| {
        stretch.iter().fold([0.0; 3], |s, v| {
            let d = v - about;
            [s[0] + 1.0, s[1] + d, s[2] + d * d]
        })
    };
    values.chunks_exact((values.len() / count).max(1)).map(of).collect()
}

/// Variance of [`moments`] with divisor `n - ddof`.
pub fn variance(&[n, sum, squares]: &[f64; 3], ddof: usize) -> f64 {
    (squares - sum * sum / n) / (n - ddof as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a mean whose parts are alike but for a little, the interval is that of Student's t.
    #[test]
    fn the_jackknife_of_a_mean_is_its_standard_error() {
        let values: Vec<f64> = (0..40).map(|k| 1000.0 + f64::from(k * 7 % 11)).collect();
        let (low, high) = interval(&moments(&values, 40, 0.0), |[n, sum, _]| sum / n).unwrap();
        let (_, below, above) = mean_interval(&values, 0.95);
        assert!((low - below).abs() < 1e-3 && (high - above).abs() < 1e-3, "{low} {high} {below} {above}");
        assert!(interval(&moments(&values, 5, 0.0), |[n, sum, _]| sum / n).is_none());
    }
}
