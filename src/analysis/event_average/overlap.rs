//! What a mean over events is worth whose stretches overlap.

use spikedeck_core::statistics::{mean, student_quantile_of};

/// Events that are worth so many at the least have an interval.
const LEAST: f64 = 5.0;

/// Events, ascending, of which those nearer to each other than a stretch is long share what their stretches share.
pub(super) struct Overlap<'a> {
    pub times: &'a [f64],
    pub length: f64,
}

impl Overlap<'_> {
    /// Σ w(|t_i − t_j|) `of`(i, j) over all pairs, with the share w of a stretch that both see.
    fn sum(&self, of: impl Fn(usize, usize) -> f64) -> f64 {
        let mut sum = 0.0;
        for (i, t) in self.times.iter().enumerate() {
            sum += of(i, i);
            let later = self.times[i + 1..].iter().take_while(|u| *u - t < self.length);
            sum += later.enumerate().map(|(k, u)| 2.0 * (1.0 - (u - t) / self.length) * of(i, i + 1 + k)).sum::<f64>();
        }
        sum
    }

    /// Independent events that they are worth.
    pub fn worth(&self) -> f64 {
        let n = self.times.len() as f64;
        n * n / self.sum(|_, _| 1.0)
    }

    /// Half of the 95 % interval of the mean of `values`, one an event; none where the events are worth too few.
    pub fn half_width(&self, values: &[f64]) -> Option<f64> {
        let (n, worth, middle) = (values.len() as f64, self.worth(), mean(values));
        let square = self.sum(|i, j| (values[i] - middle) * (values[j] - middle)) / (n * n);
        let error = (square.max(0.0) * worth / (worth - 1.0)).sqrt();
        (worth >= LEAST.min(n) && worth > 1.0 && error > 0.0).then(|| student_quantile_of(worth - 1.0) * error)
    }

    /// Sums of `values` over runs of events of which each overlaps the next.
    pub fn sums(&self, values: &[f64]) -> Vec<f64> {
        let mut sums = Vec::new();
        for (k, v) in values.iter().enumerate() {
            match sums.last_mut() {
                Some(sum) if self.times[k] - self.times[k - 1] < self.length => *sum += v,
                _ => sums.push(*v),
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_overlap_count_less() {
        let values: Vec<f64> = (0..20).map(|k| f64::from(k * 7 % 11)).collect();
        let apart: Vec<f64> = (0..20).map(|k| 100.0 * f64::from(k)).collect();
        let alone = Overlap { times: &apart, length: 100.0 };
        let (_, low, high) = spikedeck_core::statistics::mean_interval(&values, 0.95);
        assert!((alone.half_width(&values).unwrap() - 0.5 * (high - low)).abs() < 1e-9 && alone.worth() == 20.0);
        let twice = |v: &[f64]| v.iter().flat_map(|x| [*x, *x]).collect::<Vec<f64>>();
        let (times, doubled) = (twice(&apart), twice(&values));
        let doubled_events = Overlap { times: &times, length: 100.0 };
        assert!((doubled_events.worth() - 20.0).abs() < 1e-9);
        assert!((doubled_events.half_width(&doubled).unwrap() - alone.half_width(&values).unwrap()).abs() < 1e-9);
        assert_eq!(doubled_events.sums(&doubled), values.iter().map(|v| 2.0 * v).collect::<Vec<f64>>());
        let dense: Vec<f64> = (0..20).map(f64::from).collect();
        assert!(Overlap { times: &dense, length: 100.0 }.half_width(&values).is_none());
    }
}
