//! Bursts: runs of spikes with short intervals, and stretches of a signal above a level.

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
