//! Variability of interspike intervals. Each measure is NaN with fewer than two intervals.

use super::statistics::{deviation, mean};

/// Coefficient of variation, standard deviation (ddof 0) over mean.
pub fn cv(intervals: &[f64]) -> f64 {
    if intervals.len() < 2 { f64::NAN } else { deviation(intervals, 0) / mean(intervals) }
}

/// The coefficient of variation with its bias taken off, and the interval of one unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corrected {
    /// CV less the bias of order 1/n that leaving out one interval at a time shows.
    pub value: f64,
    /// 95 % interval of one unit: of the logarithm, by the jackknife.
    pub interval: (f64, f64),
}

/// The jackknife of [`cv`] (Efron and Tibshirani 1993, doi:10.1201/9780429246593). `None` with fewer than three
/// intervals, or intervals that do not differ. O(n).
pub fn corrected_cv(intervals: &[f64]) -> Option<Corrected> {
    let n = intervals.len() as f64;
    let whole = cv(intervals);
    if intervals.len() < 3 || whole.is_nan() || whole <= 0.0 {
        return None;
    }
    let m = mean(intervals);
    let squares: f64 = intervals.iter().map(|x| (x - m) * (x - m)).sum();
    let without: Vec<f64> = intervals
        .iter()
        .map(|x| {
            let (d, rest) = (x - m, n - 1.0);
            let variance = (squares - d * d) / rest - (d / rest).powi(2);
            variance.max(0.0).sqrt() / (m - d / rest)
        })
        .collect();
    let value = n * whole - (n - 1.0) * mean(&without);
    let logarithms: Vec<f64> = without.iter().map(|c| n * whole.ln() - (n - 1.0) * c.ln()).collect();
    let (middle, low, high) = super::statistics::mean_interval(&logarithms, 0.95);
    middle.is_finite().then(|| Corrected { value, interval: (low.exp(), high.exp()) })
}

fn of_neighbours(intervals: &[f64], value: impl Fn(f64, f64) -> f64) -> f64 {
    if intervals.len() < 2 {
        return f64::NAN;
    }
    intervals.windows(2).map(|w| value(w[0], w[1])).sum::<f64>() / (intervals.len() - 1) as f64
}

/// CV2, mean of 2|I' − I|/(I' + I) over neighbours (Holt and others 1996, doi:10.1152/jn.1996.75.5.1806).
pub fn cv2(intervals: &[f64]) -> f64 {
    of_neighbours(intervals, |a, b| 2.0 * (b - a).abs() / (a + b))
}

/// Local variation, mean of 3((I − I')/(I + I'))² (Shinomoto, Shima, Tanji 2003, doi:10.1162/089976603322518759).
pub fn lv(intervals: &[f64]) -> f64 {
    of_neighbours(intervals, |a, b| 3.0 * ((a - b) / (a + b)).powi(2))
}

/// Revised local variation with the refractoriness constant `r` in the unit of the intervals (Shinomoto and others
/// 2009, doi:10.1371/journal.pcbi.1000433).
pub fn lvr(intervals: &[f64], r: f64) -> f64 {
    of_neighbours(intervals, |a, b| 3.0 * (1.0 - 4.0 * a * b / (a + b).powi(2)) * (1.0 + 4.0 * r / (a + b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ground-truth.md C10.
    #[test]
    fn four_intervals() {
        let i = [0.3, 4.5, 6.7, 9.3];
        for (got, expected) in
            [(cv(&i), 0.634615385), (cv2(&i), 0.822619048), (lv(&i), 0.830615434), (lvr(&i, 0.005), 0.833907446)]
        {
            assert!((got - expected).abs() < 6e-10, "{got} is not {expected}");
        }
    }

    #[test]
    fn regular_trains_do_not_vary_and_one_interval_says_nothing() {
        assert_eq!([cv(&[2.0; 5]), cv2(&[2.0; 5]), lv(&[2.0; 5]), lvr(&[2.0; 5], 0.005)], [0.0; 4]);
        assert!([cv(&[1.0]), cv2(&[1.0]), lv(&[1.0]), lvr(&[], 0.0)].iter().all(|v| v.is_nan()));
    }
}
