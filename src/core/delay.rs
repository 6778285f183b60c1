//! Delay coordinates: what delay and how many dimensions unfold a series (Takens 1981, doi:10.1007/BFb0091924; Fraser
//! and Swinney 1986, doi:10.1103/PhysRevA.33.1134; Kennel, Brown, Abarbanel 1992, doi:10.1103/PhysRevA.45.3403).

use rayon::prelude::*;

use super::fft::real_plan;
use super::information::{Table, quantile_bins};
use super::neighbours::{Norm, Tree};
use super::statistics::{deviation, mean};

/// A point is (x_t, x_{t+τ}, …, x_{t+(dimension − 1)τ}).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Embedding {
    /// Coordinates of a point.
    pub dimension: usize,
    /// τ in samples.
    pub delay: usize,
}

/// Most coordinates of a point.
pub const MOST_DIMENSIONS: usize = 12;

impl Embedding {
    /// Samples from the first coordinate of a point to its last.
    pub fn span(self) -> usize {
        (self.dimension - 1) * self.delay
    }

    /// How many points a series of `n` samples makes.
    pub fn points(self, n: usize) -> usize {
        n.saturating_sub(self.span())
    }
}

/// The points of a series.
pub fn vectors<const D: usize>(values: &[f64], delay: usize) -> Vec<[f64; D]> {
    let n = Embedding { dimension: D, delay }.points(values.len());
    (0..n).map(|t| std::array::from_fn(|d| values[t + d * delay])).collect()
}

/// Runs generic code at a dimension that is known only when it runs, at most [`MOST_DIMENSIONS`].
macro_rules! at_dimension {
    ($dimension:expr, $name:ident, $arguments:tt) => {
        match $dimension {
            1 => $name::<1> $arguments,
            2 => $name::<2> $arguments,
            3 => $name::<3> $arguments,
            4 => $name::<4> $arguments,
            5 => $name::<5> $arguments,
            6 => $name::<6> $arguments,
            7 => $name::<7> $arguments,
            8 => $name::<8> $arguments,
            9 => $name::<9> $arguments,
            10 => $name::<10> $arguments,
            11 => $name::<11> $arguments,
            _ => $name::<12> $arguments,
        }
    };
}
pub(crate) use at_dimension;

/// Samples of a mean period: one over the mean frequency of the spectrum (Rosenstein, Collins, De Luca 1993). NaN of a
/// constant series. O(n log n).
pub fn mean_period(values: &[f64]) -> f64 {
    let n = values.len();
    if n < 4 {
        return f64::NAN;
    }
    let level = mean(values);
    let plan = real_plan(n);
    let mut time: Vec<f64> = values.iter().map(|v| v - level).collect();
    let mut spectrum = plan.make_output_vec();
    // Both buffers are the plan's own lengths.
    plan.process(&mut time, &mut spectrum).expect("the buffers are as long as the plan asks");
    let (mut power, mut weighted) = (0.0, 0.0);
    for (k, c) in spectrum.iter().enumerate().skip(1) {
        power += c.norm_sqr();
        weighted += c.norm_sqr() * k as f64;
    }
    n as f64 * power / weighted
}

/// Correlation of a series with itself `0..=lags` samples later, divided by that at 0. O(n lags).
pub fn autocorrelation(values: &[f64], lags: usize) -> Vec<f64> {
    let level = mean(values);
    let at = |lag: usize| values.iter().zip(&values[lag..]).map(|(a, b)| (a - level) * (b - level)).sum::<f64>();
    let own = at(0);
    (0..=lags.min(values.len().saturating_sub(1))).map(|lag| at(lag) / own).collect()
}

/// Mutual information in bits of a series and itself `1..=lags` samples later, by `bins` with equal shares and Miller
/// and Madow's correction; and what independent samples reach once in a hundred times. O(n lags).
pub fn lagged_information(values: &[f64], lags: usize, bins: usize) -> (Vec<f64>, f64) {
    let (symbols, size) = quantile_bins(values, bins);
    let of = |lag: usize| {
        let pairs = Table::count(&symbols[..symbols.len() - lag], &symbols[lag..], size, size).plug_in();
        pairs.information() - pairs.miller_madow_bias()
    };
    let list = (1..=lags.min(values.len().saturating_sub(2))).into_par_iter().map(of).collect();
    // 2 N ln 2 I is chi-squared for independent samples; the correction takes its mean off.
    let freedom = ((size.max(2) - 1) * (size.max(2) - 1)) as f64;
    let excess = super::statistics::chi_squared_quantile(freedom, 0.99) - freedom;
    (list, excess / (2.0 * values.len() as f64 * std::f64::consts::LN_2))
}

/// Bins for [`lagged_information`]: some twenty samples a cell, from 4 to 32 of them.
pub fn bins(samples: usize) -> usize {
    ((samples as f64 / 20.0).sqrt() as usize).clamp(4, 32)
}

/// The first lag (from 1) at which `information` is less than half of that at the first and least among itself and the
/// lags up to a quarter later, at least two; or at which it is down at `chance`. `None` where it keeps falling, or
/// stays.
pub fn first_minimum(information: &[f64], chance: f64) -> Option<usize> {
    (1..=information.len()).find(|&lag| {
        let here = information[lag - 1];
        let later = &information[lag..(lag + (lag / 4).max(2)).min(information.len())];
        let low = here < 0.5 * information[0];
        here <= chance || (low && !later.is_empty() && lag < information.len() - 1 && later.iter().all(|v| *v > here))
    })
}

/// How near is near, for false neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Falseness {
    /// How many times their distance two neighbours part in one more dimension to be false.
    pub ratio: f64,
    /// How many standard deviations they are apart then to be false as well.
    pub size: f64,
}

/// Distances below this many standard deviations are rounding.
const ROUNDING: f64 = 1e-9;

/// The share of nearest neighbours in 1, 2, …, `most` dimensions that are none in one more; neighbours in time up to
/// `window` samples are not looked at. NaN where there are no points. O(n log n) a dimension.
pub fn false_neighbours(values: &[f64], delay: usize, most: usize, window: usize, how: Falseness) -> Vec<f64> {
    let sd = deviation(values, 0);
    (1..=most.min(MOST_DIMENSIONS))
        .map(|dimension| at_dimension!(dimension, share_of_false, (values, delay, window, how, sd)))
        .collect()
}

fn share_of_false<const D: usize>(values: &[f64], delay: usize, window: usize, how: Falseness, sd: f64) -> f64 {
    let mut points = vectors::<D>(values, delay);
    points.truncate(values.len().saturating_sub(D * delay));
    let tree = Tree::new(&points);
    let (looked, wrong) = (0..tree.len())
        .into_par_iter()
        .with_min_len(256)
        .filter_map(|place| {
            let (q, i) = tree.point(place);
            let (j, near) = tree.nearest(q, Norm::Euclidean, &|j| j.abs_diff(i) as usize > window)?;
            let apart = (values[i as usize + D * delay] - values[j as usize + D * delay]).abs();
            // Twins of a series that repeats itself are no nearer than rounding lets them be.
            let parted = apart > how.ratio * near.max(ROUNDING * sd);
            Some(u64::from(parted || near.hypot(apart) > how.size * sd))
        })
        .fold(|| (0_u64, 0_u64), |sum, wrong| (sum.0 + 1, sum.1 + wrong))
        .reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    wrong as f64 / looked as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    fn henon(n: usize) -> Vec<f64> {
        let (mut x, mut y) = (0.1, 0.1);
        (0..n + 100)
            .map(|_| {
                (x, y) = (1.0 - 1.4 * x * x + y, 0.3 * x);
                x
            })
            .skip(100)
            .collect()
    }

    #[test]
    fn points_of_a_series() {
        let x: Vec<f64> = (0..6).map(f64::from).collect();
        assert_eq!(vectors::<3>(&x, 2), [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]);
        assert!(vectors::<4>(&x, 2).is_empty());
        assert_eq!(Embedding { dimension: 4, delay: 2 }.points(6), 0);
    }

    #[test]
    fn a_sine_has_its_period_and_its_delay_of_a_quarter() {
        let x: Vec<f64> = (0..4000).map(|k| (std::f64::consts::TAU * f64::from(k) / 40.0).sin()).collect();
        assert!((mean_period(&x) - 40.0).abs() < 1e-6);
        let r = autocorrelation(&x, 40);
        assert!((r[10]).abs() < 0.01 && (r[20] + 1.0).abs() < 0.02);
        // On its circle each sample tells the others, whatever the lag.
        let (information, chance) = lagged_information(&x, 60, bins(x.len()));
        assert_eq!(first_minimum(&information, chance), None, "{information:?}");
    }

    #[test]
    fn noise_tells_nothing_of_itself_and_a_fall_without_end_has_no_minimum() {
        let mut s = Key::new(1, "delay", "noise").stream(0, 0);
        let x: Vec<f64> = (0..3000).map(|_| s.uniform()).collect();
        let (information, chance) = lagged_information(&x, 20, bins(x.len()));
        assert_eq!(first_minimum(&information, chance), Some(1));
        assert_eq!(first_minimum(&[5.0, 4.0, 2.0, 1.0], 0.1), None);
        assert_eq!(first_minimum(&[5.0, 4.0, 2.0, 2.5, 3.0, 3.5], 0.1), Some(3));
        assert_eq!(first_minimum(&[5.0, 4.5, 4.0, 4.5, 5.0, 5.5], 0.1), None);
    }

    /// Hénon's map is two-dimensional, and noise of any dimension there is.
    #[test]
    fn false_neighbours_vanish_where_the_series_is_unfolded() {
        let how = Falseness { ratio: 15.0, size: 2.0 };
        let shares = false_neighbours(&henon(3000), 1, 4, 10, how);
        assert!(shares[0] > 0.2 && shares[1] < 0.01 && shares[3] < 0.01, "{shares:?}");
        let mut s = Key::new(2, "delay", "noise").stream(0, 0);
        let x: Vec<f64> = (0..3000).map(|_| s.uniform()).collect();
        let shares = false_neighbours(&x, 1, 4, 10, how);
        assert!(shares.iter().all(|s| *s > 0.05), "{shares:?}");
        let x: Vec<f64> = (0..50).map(|k| f64::from(k % 5)).collect();
        let shares = false_neighbours(&x, 1, 3, 0, how);
        assert_eq!(shares, [0.0; 3]);
    }
}
