//! Variability of interspike intervals. Each measure is NaN with fewer than two intervals.

use super::statistics::{deviation, mean};

/// Coefficient of variation, standard deviation (ddof 0) over mean.
pub fn cv(intervals: &[f64]) -> f64 {
    if intervals.len() < 2 { f64::NAN } else { deviation(intervals, 0) / mean(intervals) }
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
