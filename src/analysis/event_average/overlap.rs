//! Events whose stretches overlap: how many independent ones they are worth, and which of them belong together.

use spikedeck_core::statistics::{mean, student_quantile_of};

/// Events that are worth so many at the least have an interval.
const LEAST: f64 = 5.0;
/// Lengths of a stretch that a block holds at the least, and at the most twice as many. What stands at both sides of a
/// cut is taken as independent and is not: fewer cuts leave less of that.
const LENGTHS: f64 = 1.5;

/// Events, ascending, of which those nearer to each other than a stretch is long share what their stretches share.
pub struct Overlap<'a> {
    times: &'a [f64],
    length: f64,
    worth: f64,
}

impl<'a> Overlap<'a> {
    /// Of events, at least one, with stretches of this length. O(n).
    pub fn new(times: &'a [f64], length: f64) -> Self {
        let n = times.len() as f64;
        let mut new = Self { times, length, worth: n };
        new.worth = n * n / new.sum(|_| 1.0);
        new
    }

    /// Σ w(|t_i − t_j|) v_i v_j over all pairs, of `of`, the v of an event, with the share w of a stretch that both see
    /// (1 − |t_i − t_j|/length, nothing beyond). O(n).
    fn sum(&self, of: impl Fn(usize) -> f64) -> f64 {
        // Of the events before, as far as a stretch reaches: Σ v, and Σ v times how long ago they were.
        let (mut near, mut ago, mut first, mut sum) = (0.0, 0.0, 0, 0.0);
        for (i, &t) in self.times.iter().enumerate() {
            if i > 0 {
                near += of(i - 1);
                ago += near * (t - self.times[i - 1]);
            }
            while first < i && t - self.times[first] >= self.length {
                near -= of(first);
                ago -= of(first) * (t - self.times[first]);
                first += 1;
            }
            if first == i {
                // None is left, but for rounding.
                (near, ago) = (0.0, 0.0);
            }
            sum += of(i) * (of(i) + 2.0 * (near - ago / self.length));
        }
        sum
    }

    /// Independent events that they are worth.
    pub fn worth(&self) -> f64 {
        self.worth
    }

    /// Half of the 95 % interval of the mean of `values`, one an event; none where the events are worth too few.
    pub fn half_width(&self, values: &[f64]) -> Option<f64> {
        let (n, worth, middle) = (values.len() as f64, self.worth, mean(values));
        let square = self.sum(|i| values[i] - middle) / (n * n);
        let error = (square.max(0.0) * worth / (worth - 1.0)).sqrt();
        (worth >= LEAST.min(n) && worth > 1.0 && error > 0.0).then(|| student_quantile_of(worth - 1.0) * error)
    }

    /// Sums of `values`, one an event, over blocks of events that follow each other. A block ends before an event that
    /// shares nothing with the one before it; where none does, where events are furthest apart between one and a half
    /// and three stretches after its first.
    pub fn sums(&self, values: &[f64]) -> Vec<f64> {
        let mut sums = Vec::new();
        let mut first = 0;
        while first < self.times.len() {
            let end = self.end(first);
            sums.push(values[first..end].iter().sum());
            first = end;
        }
        sums
    }

    /// The event before which the block that begins with `first` ends.
    fn end(&self, first: usize) -> usize {
        let least = LENGTHS * self.length;
        let mut widest: Option<(usize, f64)> = None;
        for k in first + 1..self.times.len() {
            let (gap, since) = (self.times[k] - self.times[k - 1], self.times[k] - self.times[first]);
            if gap >= self.length {
                return k;
            }
            if since >= 2.0 * least {
                // There is one, or this is the first that is far enough.
                return widest.map_or(k, |w| w.0);
            }
            if since >= least && widest.is_none_or(|w| gap > w.1) {
                widest = Some((k, gap));
            }
        }
        self.times.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::poisson;

    /// Events a stretch apart are independent and have the interval of a mean; each twice is worth half as many.
    #[test]
    fn events_that_overlap_count_less() {
        let values: Vec<f64> = (0..20).map(|k| f64::from(k * 7 % 11)).collect();
        let apart: Vec<f64> = (0..20).map(|k| 100.0 * f64::from(k)).collect();
        let alone = Overlap::new(&apart, 100.0);
        let (_, low, high) = spikedeck_core::statistics::mean_interval(&values, 0.95);
        assert!((alone.half_width(&values).unwrap() - 0.5 * (high - low)).abs() < 1e-9 && alone.worth() == 20.0);
        assert_eq!(alone.sums(&values), values, "each is a block of its own");
        let twice = |v: &[f64]| v.iter().flat_map(|x| [*x, *x]).collect::<Vec<f64>>();
        let (times, doubled) = (twice(&apart), twice(&values));
        let doubled_events = Overlap::new(&times, 100.0);
        assert!((doubled_events.worth() - 20.0).abs() < 1e-9);
        assert!((doubled_events.half_width(&doubled).unwrap() - alone.half_width(&values).unwrap()).abs() < 1e-9);
        assert_eq!(doubled_events.sums(&doubled), values.iter().map(|v| 2.0 * v).collect::<Vec<f64>>());
        let dense: Vec<f64> = (0..20).map(f64::from).collect();
        assert!(Overlap::new(&dense, 100.0).half_width(&values).is_none());
    }

    /// The sum in one pass is the sum over all pairs.
    #[test]
    fn one_pass_is_all_pairs() {
        for (rate, length) in [(3.0, 300.0), (40.0, 300.0), (40.0, 7.0), (40.0, 1e6)] {
            let times: Vec<f64> = poisson(1, 0, rate, 5000.0).into_iter().map(|t| t + 1.7e12).collect();
            let values: Vec<f64> = (0..times.len()).map(|k| ((k * 7) % 11) as f64 - 4.7).collect();
            let share = |i: usize, j: usize| (1.0 - (times[i] - times[j]).abs() / length).max(0.0);
            let over = |of: &dyn Fn(usize) -> f64| -> f64 {
                let pairs = (0..times.len()).flat_map(|i| (0..times.len()).map(move |j| (i, j)));
                pairs.map(|(i, j)| share(i, j) * of(i) * of(j)).sum()
            };
            let events = Overlap::new(&times, length);
            for of in [&|k: usize| values[k], &|_: usize| 1.0] as [&dyn Fn(usize) -> f64; 2] {
                let wanted = over(of);
                assert!((events.sum(of) - wanted).abs() < 1e-9 * wanted.abs().max(1.0), "{rate} {length}: {wanted}");
            }
        }
    }

    /// Blocks hold each event once, in order; they end where nothing is shared, and are neither short nor long else.
    #[test]
    fn blocks_of_events() {
        for rate in [2.0, 10.0, 80.0] {
            let times = poisson(2, 1, rate, 60_000.0);
            let events = Overlap::new(&times, 300.0);
            let (mut first, mut blocks) = (0, 0);
            while first < times.len() {
                let end = events.end(first);
                assert!(end > first);
                let long = times[end - 1] - times[first];
                let is_last = end == times.len();
                assert!(long < 900.0, "{long}");
                assert!(is_last || times[end] - times[end - 1] >= 300.0 || times[end] - times[first] >= 450.0);
                (first, blocks) = (end, blocks + 1);
            }
            assert_eq!(events.sums(&vec![1.0; times.len()]).iter().sum::<f64>(), times.len() as f64);
            assert!(blocks > 50, "{rate}: {blocks}");
        }
        // Four, a pause, two: the pause ends a block at once.
        let events = Overlap::new(&[0.0, 10.0, 20.0, 30.0, 400.0, 410.0], 300.0);
        assert_eq!(events.sums(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]), [15.0, 48.0]);
    }
}
