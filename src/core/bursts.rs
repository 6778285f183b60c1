//! Bursts: runs of spikes with short intervals, and stretches of a signal above a level.

use super::math::{exp, log};
use std::f64::consts::LN_10;

/// A burst: first and last event, and how many there are (0 for stretches of a signal).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burst {
    /// Time of the first spike, or of the crossing upwards.
    pub start: f64,
    /// Time of the last spike, or of the crossing downwards.
    pub stop: f64,
    /// Spikes in it.
    pub spikes: usize,
}

/// Runs of at least `least` spikes whose intervals are at most `gap`, in an ascending train inside (`from`,
/// `to`]. Runs that may have begun before `from` or may go on after `to` are left out. O(spikes).
pub fn of_spikes(train: &[f64], gap: f64, least: usize, (from, to): (f64, f64)) -> Vec<Burst> {
    let mut found = Vec::new();
    let mut first = 0;
    for k in 1..=train.len() {
        if k < train.len() && train[k] - train[k - 1] <= gap {
            continue;
        }
        let (start, stop, spikes) = (train[first], train[k - 1], k - first);
        if spikes >= least && start - from > gap && to - stop > gap {
            found.push(Burst { start, stop, spikes });
        }
        first = k;
    }
    found
}

/// Share of the spikes of a Poisson train that lie in such runs, and runs per spike, where an interval is short with
/// probability `short` = 1 - exp(-rate gap): cluster sizes are geometric.
pub fn poisson_bursts(short: f64, least: usize) -> (f64, f64) {
    let tail = short.powi(least.max(1) as i32 - 1);
    (tail * (least.max(1) as f64 * (1.0 - short) + short), tail * (1.0 - short))
}

/// Where the logarithms of intervals part into those within bursts and those between them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// The interval between both.
    pub gap: f64,
    /// How empty it is there: 1 less the height at the gap over the geometric mean of the peaks to either side.
    pub void: f64,
    /// The most frequent intervals within bursts and between them.
    pub peaks: (f64, f64),
}

/// Bins of the histogram of logarithms, a decade.
const PER_DECADE: f64 = 10.0;
/// Void from which on two peaks are told apart (Selinger and others 2007, doi:10.1371/journal.pone.0000439).
const VOID: f64 = 0.7;
/// Intervals between bursts that there must be, and their share of all.
const LEAST_LONG: f64 = 5.0;
const LEAST_SHARE: f64 = 0.02;
/// Intervals that a histogram of logarithms needs.
const LEAST_INTERVALS: usize = 20;

/// The gap between intervals within and between bursts, from the smoothed histogram of their logarithms (Pasquale,
/// Martinoia, Chiappalone 2010, doi:10.1007/s10827-009-0175-1): the least height between the greatest peak up to `most`
/// and the first later one from which a void of 0.7 parts it. `None` where there are fewer than 20 intervals or no such
/// peaks: the train has one kind of intervals. O(n).
pub fn log_split(intervals: &[f64], most: f64) -> Option<Split> {
    let logs: Vec<f64> = intervals.iter().filter(|i| **i > 0.0).map(|i| log(*i) / LN_10).collect();
    if logs.len() < LEAST_INTERVALS {
        return None;
    }
    let least = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Two empty bins at either end, so that a peak in the first or last is one.
    let start = least - 2.5 / PER_DECADE;
    let bins = ((greatest - start) * PER_DECADE) as usize + 3;
    let mut counts = vec![0.0; bins];
    for v in &logs {
        counts[((v - start) * PER_DECADE) as usize] += 1.0;
    }
    let smooth = |old: &[f64]| -> Vec<f64> {
        let at = |k: usize, by: isize| k.checked_add_signed(by).and_then(|k| old.get(k)).copied().unwrap_or(0.0);
        (0..old.len()).map(|k| 0.25 * at(k, -1) + 0.5 * old[k] + 0.25 * at(k, 1)).collect()
    };
    let heights = smooth(&smooth(&counts));
    let interval = |k: usize| exp(LN_10 * (start + (k as f64 + 0.5) / PER_DECADE));
    let peak = |k: &usize| {
        let k = *k;
        k > 0 && k + 1 < bins && heights[k] > heights[k - 1] && heights[k] >= heights[k + 1]
    };
    let peaks: Vec<usize> = (0..bins).filter(peak).collect();
    let inside = peaks.iter().copied().filter(|k| interval(*k) <= most).max_by(|a, b| {
        // The shorter of equals.
        heights[*a].total_cmp(&heights[*b]).then(b.cmp(a))
    })?;
    peaks.iter().copied().filter(|k| *k > inside).find_map(|between| {
        let lowest = (inside..=between).min_by(|a, b| heights[*a].total_cmp(&heights[*b]))?;
        let void = 1.0 - heights[lowest] / (heights[inside] * heights[between]).sqrt();
        // A few long intervals are the tail of the others, and no second kind.
        let longer = counts[lowest..].iter().sum::<f64>();
        let enough = longer >= (LEAST_SHARE * logs.len() as f64).max(LEAST_LONG);
        (void >= VOID && enough).then(|| Split {
            gap: interval(lowest),
            void,
            peaks: (interval(inside), interval(between)),
        })
    })
}

/// Stretches above `level` of samples one unit of time apart; a stretch begins at an upward crossing (interpolated)
/// after the signal has been below `armed`, and ends at the last downward crossing before the next one begins.
/// Stretches cut by an end are left out. O(samples).
pub fn of_signal(values: &[f64], level: f64, armed: f64) -> Vec<Burst> {
    let (mut found, mut ready): (Vec<Burst>, bool) = (Vec::new(), false);
    let (mut open, mut last_down): (Option<f64>, Option<f64>) = (None, None);
    for (k, w) in values.windows(2).enumerate() {
        let crossing = || k as f64 + (level - w[0]) / (w[1] - w[0]);
        ready |= w[0] < armed;
        if w[0] < level && w[1] >= level && ready {
            if let (Some(start), Some(stop)) = (open, last_down) {
                found.push(Burst { start, stop, spikes: 0 });
            }
            (open, last_down, ready) = (Some(crossing()), None, false);
        } else if w[0] >= level && w[1] < level {
            last_down = Some(crossing());
        }
    }
    // The last one has ended when the signal has come down far enough to begin anew.
    if let (Some(start), Some(stop), true) = (open, last_down, ready || values.last().is_some_and(|v| *v < armed)) {
        found.push(Burst { start, stop, spikes: 0 });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    #[test]
    fn bursts_at_the_edges_are_left_out() {
        let train = [1.0, 2.0, 3.0, 20.0, 21.0, 22.0, 23.0, 40.0, 50.0, 51.0, 98.0, 99.0];
        let found = of_spikes(&train, 4.0, 2, (0.0, 100.0));
        assert_eq!(found, [Burst { start: 20.0, stop: 23.0, spikes: 4 }, Burst { start: 50.0, stop: 51.0, spikes: 2 }]);
        assert_eq!(of_spikes(&train, 4.0, 3, (-10.0, 110.0)).len(), 2);
        assert!(of_spikes(&[], 1.0, 1, (0.0, 1.0)).is_empty());
    }

    #[test]
    fn a_poisson_train_bursts_as_the_formula_says() {
        let mut s = Key::new(3, "bursts", "poisson").stream(0, 0);
        let mut t = 0.0;
        let train: Vec<f64> = (0..200_000)
            .map(|_| {
                t -= (1.0 - s.uniform()).ln();
                t
            })
            .collect();
        for least in [1, 2, 3, 5] {
            let found = of_spikes(&train, 0.7, least, (-1.0, t + 1.0));
            let spikes: usize = found.iter().map(|b| b.spikes).sum();
            let (share, runs) = poisson_bursts(1.0 - (-0.7f64).exp(), least);
            let n = train.len() as f64;
            assert!((spikes as f64 / n - share).abs() < 0.005, "{least}: {} {share}", spikes as f64 / n);
            assert!((found.len() as f64 / n - runs).abs() < 0.005);
        }
    }

    /// Bursts of intervals around 4 ms, 300 ms apart on average; Poisson and regular trains have one kind of intervals.
    #[test]
    fn logarithms_part_bursts_from_pauses_and_nothing_from_nothing() {
        for seed in 0..20 {
            let mut s = Key::new(seed, "bursts", "log").stream(0, 0);
            let mut draw = |mean: f64| -mean * (1.0 - s.uniform()).ln();
            let mut intervals = Vec::new();
            for _ in 0..80 {
                intervals.extend((0..4).map(|_| 2.0 + draw(2.0)));
                intervals.push(100.0 + draw(200.0));
            }
            let split = log_split(&intervals, 100.0).unwrap();
            assert!(split.gap > 8.0 && split.gap < 110.0, "{split:?}");
            assert!(split.peaks.0 < 8.0 && split.peaks.1 > 100.0 && split.void >= VOID);
            // The unit of time does not matter.
            let seconds: Vec<f64> = intervals.iter().map(|i| i * 1e-3).collect();
            let again = log_split(&seconds, 0.1).unwrap();
            assert!((again.gap * 1e3 / split.gap - 1.0).abs() < 1e-9);
            let poisson: Vec<f64> = (0..400).map(|_| draw(50.0)).collect();
            assert_eq!(log_split(&poisson, 100.0).filter(|s| s.gap > 1.0), None);
        }
        assert_eq!(log_split(&[5.0; 100], 100.0), None);
        assert_eq!(log_split(&[1.0, 100.0], 100.0), None);
    }

    #[test]
    fn a_sine_is_above_its_middle_half_of_the_time() {
        let wave: Vec<f64> = (0..1000).map(|k| (std::f64::consts::TAU * f64::from(k) / 100.0).sin()).collect();
        let found = of_signal(&wave, 0.0, -0.5);
        assert_eq!(found.len(), 9);
        for (k, b) in found.iter().enumerate() {
            assert!((b.start - 100.0 * (k + 1) as f64).abs() < 1e-6 || k == 0);
            assert!((b.stop - b.start - 50.0).abs() < 1e-3);
        }
    }
}
