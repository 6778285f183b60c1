//! Intervals by leaving out one stretch of the data at a time.

use spikedeck_core::statistics::{mean, mean_interval};

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

/// The places of `n` values in `count` stretches (in `n`, where that is less): all values are in one, and lengths
/// differ by one at the most.
pub fn tiles(n: usize, count: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let count = count.min(n);
    (0..count).map(move |k| k * n / count..(k + 1) * n / count)
}

/// Means of the values in each of `count` [`tiles`].
pub fn means(values: &[f64], count: usize) -> Vec<f64> {
    tiles(values.len(), count).map(|tile| mean(&values[tile])).collect()
}

/// 95 % interval of the mean of all values, about that mean: Student's t over the means of `count` stretches. `None`
/// with fewer than two.
pub fn mean_about(values: &[f64], count: usize) -> Option<(f64, f64)> {
    let (of, low, high) = mean_interval(&means(values, count), 0.95);
    // Where stretches differ in length, the mean of their means is not quite that of all values.
    let moved = mean(values) - of;
    (high - low).is_finite().then_some((low + moved, high + moved))
}

/// Number, sum and sum of squares of each of `count` stretches of values, which hold all of them. `about` is taken off
/// first, so that squares stay small.
pub fn moments(values: &[f64], count: usize, about: f64) -> Vec<[f64; 3]> {
    let of = |stretch: &[f64]| {
        stretch.iter().fold([0.0; 3], |s, v| {
            let d = v - about;
            [s[0] + 1.0, s[1] + d, s[2] + d * d]
        })
    };
    tiles(values.len(), count).map(|tile| of(&values[tile])).collect()
}

/// Variance of [`moments`] with divisor `n - ddof`.
pub fn variance(&[n, sum, squares]: &[f64; 3], ddof: usize) -> f64 {
    (squares - sum * sum / n) / (n - ddof as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever is left of a division: every value is in one stretch, and an interval holds the value that it is of.
    #[test]
    fn an_interval_over_stretches_is_about_the_value_of_all() {
        for n in 2..120usize {
            for count in 2..15 {
                let all: Vec<usize> = tiles(n, count).flatten().collect();
                assert_eq!(all, (0..n).collect::<Vec<_>>(), "{n} {count}");
                let lengths: Vec<usize> = tiles(n, count).map(|t| t.len()).collect();
                assert!(lengths.iter().max().unwrap() - lengths.iter().min().unwrap() <= 1);
                // All that differs is at the end.
                let values: Vec<f64> = (0..n).map(|k| if k + n / 7 + 1 >= n { 1000.0 } else { 0.0 }).collect();
                let (low, high) = mean_about(&values, count).unwrap();
                let value = mean(&values);
                assert!(
                    low <= value && value <= high && (f64::midpoint(low, high) - value).abs() < 1e-9,
                    "{n} {count}"
                );
                let sums = moments(&values, count, 0.0);
                let total = sums.iter().fold([0.0; 2], |t, s| [t[0] + s[0], t[1] + s[1]]);
                assert_eq!(total, [n as f64, values.iter().sum()], "{n} {count}");
            }
        }
        assert_eq!(mean_about(&[1.0], 10), None);
    }

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
