//! Coincidences of units over trials in sliding windows, what rates make of them, and joint surprise (Grün, Diesmann,
//! Aertsen 2002, doi:10.1162/089976602753284455 and doi:10.1162/089976602753284464).

use super::statistics::poisson_tail;
use std::ops::Range;

/// Windows over bins, each of `width` bins and `step` bins after the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Bins of a trial.
    pub bins: usize,
    /// Bins of a window, at most those of a trial.
    pub width: usize,
    /// Bins from one window to the next.
    pub step: usize,
}

impl Windows {
    /// Number of windows that fit.
    pub fn len(&self) -> usize {
        if self.width == 0 || self.width > self.bins { 0 } else { (self.bins - self.width) / self.step + 1 }
    }

    /// Whether none fits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sums over the windows of what each bin has.
    fn sums(&self, each: &[f64]) -> Vec<f64> {
        let mut until = Vec::with_capacity(each.len() + 1);
        until.push(0.0);
        for v in each {
            until.push(until[until.len() - 1] + v);
        }
        (0..self.len()).map(|w| until[w * self.step + self.width] - until[w * self.step]).collect()
    }
}

/// Bins of one unit in which it fires at least once, by trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Fires {
    /// A bit for each bin.
    rows: Vec<Vec<u64>>,
    /// Bins with spikes in each window.
    within: Vec<Vec<f64>>,
    windows: Windows,
}

impl Fires {
    /// Of the bins with spikes of each trial; those beyond the last bin are left out.
    pub fn new<'b>(trials: impl IntoIterator<Item = &'b [usize]>, windows: Windows) -> Self {
        let row = |bins: &[usize]| {
            let mut row = vec![0_u64; windows.bins.div_ceil(64)];
            bins.iter().filter(|b| **b < windows.bins).for_each(|b| row[b / 64] |= 1 << (b % 64));
            row
        };
        let rows: Vec<Vec<u64>> = trials.into_iter().map(row).collect();
        let within = rows.iter().map(|row| windows.sums(&spread(row, windows.bins))).collect();
        Self { rows, within, windows }
    }

    /// Number of trials.
    pub fn trials(&self) -> usize {
        self.rows.len()
    }

    /// Bins with spikes in all trials.
    pub fn count(&self) -> u64 {
        self.rows.iter().flatten().map(|w| u64::from(w.count_ones())).sum()
    }
}

/// One or nothing for each bin.
fn spread(row: &[u64], bins: usize) -> Vec<f64> {
    (0..bins).map(|b| f64::from((row[b / 64] >> (b % 64) & 1) as u8)).collect()
}

/// What the number of coincidences would be if units were independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// From the rate of each unit in each trial and window.
    TrialByTrial,
    /// From its mean rate over the trials of a condition in each window.
    TrialAverage,
    /// From its mean rate over the trials of a condition in each bin: the mean over all orders of the trials.
    TrialShuffled,
}

/// Which trial of each unit stands at each place: `order[unit][place]`. Each condition is a range of places.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'p> {
    /// Trials by unit and place.
    pub order: &'p [Vec<usize>],
    /// Places of each condition.
    pub conditions: &'p [Range<usize>],
}

/// The number of bins in each window in which all units fire, over all places.
pub fn coincidences(units: &[&Fires], placed: Placed<'_>) -> Vec<f64> {
    let windows = units[0].windows;
    let mut each = vec![0.0; windows.bins];
    for place in placed.conditions.iter().cloned().flatten() {
        for word in 0..windows.bins.div_ceil(64) {
            let rows = units.iter().zip(placed.order).map(|(u, order)| u.rows[order[place]][word]);
            let mut all = rows.fold(u64::MAX, |a, b| a & b);
            while all != 0 {
                each[word * 64 + all.trailing_zeros() as usize] += 1.0;
                all &= all - 1;
            }
        }
    }
    windows.sums(&each)
}

/// The number that is expected in each window of units that are independent.
pub fn expected(units: &[&Fires], placed: Placed<'_>, how: Expected) -> Vec<f64> {
    let windows = units[0].windows;
    let width = windows.width as f64;
    let mut all = vec![0.0; windows.len()];
    for condition in placed.conditions.iter().filter(|c| !c.is_empty()) {
        let trials = condition.len() as f64;
        match how {
            Expected::TrialByTrial => {
                for place in condition.clone() {
                    for (w, sum) in all.iter_mut().enumerate() {
                        let share = units.iter().zip(placed.order).map(|(u, o)| u.within[o[place]][w] / width);
                        *sum += width * share.product::<f64>();
                    }
                }
            }
            Expected::TrialAverage => {
                for (w, sum) in all.iter_mut().enumerate() {
                    let share = units.iter().zip(placed.order).map(|(u, o)| {
                        condition.clone().map(|place| u.within[o[place]][w]).sum::<f64>() / (trials * width)
                    });
                    *sum += trials * width * share.product::<f64>();
                }
            }
            Expected::TrialShuffled => {
                let mut product = vec![trials; windows.bins];
                for (u, order) in units.iter().zip(placed.order) {
                    let mut mean = vec![0.0; windows.bins];
                    for place in condition.clone() {
                        let row = spread(&u.rows[order[place]], windows.bins);
                        mean.iter_mut().zip(row).for_each(|(m, v)| *m += v / trials);
                    }
                    product.iter_mut().zip(mean).for_each(|(p, m)| *p *= m);
                }
                all.iter_mut().zip(windows.sums(&product)).for_each(|(sum, v)| *sum += v);
            }
        }
    }
    all
}

/// Joint surprise S = log₁₀((1 − Ψ)/Ψ) of `found` coincidences where `expected` are; Ψ is the chance of as many or more
/// of a Poisson count. No value without any coincidence, of which there are always as many or more.
pub fn joint_surprise(found: f64, expected: f64) -> Option<f64> {
    if found < 0.5 {
        return None;
    }
    // Beyond what numbers tell of the tail it is as good as certain.
    let tail = if expected > 0.0 { poisson_tail(expected, found) } else { 0.0 }.clamp(1e-300, 1.0 - 1e-16);
    Some(((1.0 - tail) / tail).log10())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_those_that_fit() {
        let windows = Windows { bins: 10, width: 4, step: 3 };
        assert_eq!((windows.len(), Windows { width: 11, ..windows }.len()), (3, 0));
        assert_eq!(windows.sums(&[1.0; 10]), [4.0; 3]);
        let each: Vec<f64> = (0..10).map(f64::from).collect();
        assert_eq!(windows.sums(&each), [6.0, 18.0, 30.0]);
    }

    /// Two trials of four bins and two windows of two. Unit 0 fires in bins 0 1 | 0 2, unit 1 in 0 1 | 1 2.
    #[test]
    fn counts_and_expectations_by_hand() {
        let windows = Windows { bins: 4, width: 2, step: 2 };
        let of = |a: &[usize], b: &[usize]| Fires::new([a, b], windows);
        let (x, y) = (of(&[0, 1], &[0, 2]), of(&[0, 1], &[1, 2]));
        let order = [vec![0, 1], vec![0, 1]];
        let placed = Placed { order: &order, conditions: std::slice::from_ref(&(0..2)) };
        let units = [&x, &y];
        assert_eq!(coincidences(&units, placed), [2.0, 1.0]);
        // First trial: 2·1·1, second: 2·½·½; then 0 and 2·½·½.
        assert_eq!(expected(&units, placed, Expected::TrialByTrial), [2.5, 0.5]);
        // Three of four bins of both: 4·¾·¾; one of four of both: 4·¼·¼.
        assert_eq!(expected(&units, placed, Expected::TrialAverage), [2.25, 0.25]);
        // By bin: 2·1·½ + 2·½·1, and 2·½·½ + 0.
        assert_eq!(expected(&units, placed, Expected::TrialShuffled), [2.0, 0.5]);
        // The mean over both orders of the trials of one unit is the same.
        let other = [vec![0, 1], vec![1, 0]];
        let turned = coincidences(&units, Placed { order: &other, ..placed });
        assert_eq!(turned, [2.0, 0.0]);
        assert_eq!((x.count(), x.trials()), (4, 2));
    }

    /// Bits beyond the first word, and conditions apart.
    #[test]
    fn long_trials_and_conditions() {
        let windows = Windows { bins: 130, width: 130, step: 1 };
        let x = Fires::new([&[0, 63, 64, 129, 500][..], &[128][..]], windows);
        let order = [vec![0, 1], vec![0, 1], vec![0, 1]];
        let apart = [0..1, 1..2];
        let placed = Placed { order: &order, conditions: &apart };
        assert_eq!(coincidences(&[&x, &x, &x], placed), [5.0]);
        let wanted = 130.0 * ((4.0_f64 / 130.0).powi(3) + (1.0_f64 / 130.0).powi(3));
        for how in [Expected::TrialByTrial, Expected::TrialAverage] {
            assert!((expected(&[&x, &x, &x], placed, how)[0] - wanted).abs() < 1e-12);
        }
        assert!((expected(&[&x, &x, &x], placed, Expected::TrialShuffled)[0] - 5.0).abs() < 1e-12);
    }

    /// One where ten are expected has hardly any surprise, and one where a tenth is, a little: Ψ = 1 − e^(−0.1).
    #[test]
    fn surprise_is_that_of_a_poisson_count() {
        assert!(joint_surprise(0.0, 1.0).is_none());
        let tail = 1.0 - (-0.1_f64).exp();
        assert!((joint_surprise(1.0, 0.1).unwrap() - ((1.0 - tail) / tail).log10()).abs() < 1e-12);
        // Ψ(3; 1) = 1 − 5/(2e).
        let tail = 1.0 - 2.5 / std::f64::consts::E;
        assert!((joint_surprise(3.0, 1.0).unwrap() - ((1.0 - tail) / tail).log10()).abs() < 1e-10);
        assert!(joint_surprise(1.0, 10.0).unwrap() < -4.0);
        assert!(joint_surprise(1.0, 0.0).unwrap() > 100.0);
    }
}
