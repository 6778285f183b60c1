//! Firing rates by kernels on spike times, and the bandwidth that fits them best.

use super::math::exp;
use super::spike_distance::Edges;
use statrs::function::erf::erf;
use std::f64::consts::{PI, SQRT_2};

/// Form of a kernel of unit area; its width is its standard deviation in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateKernel {
    /// Constant over √12 widths.
    Box,
    /// Normal.
    Gaussian,
    /// exp(-t/τ) after the spike, τ the width.
    Exponential,
    /// t exp(-t/τ) after the spike, τ the width over √2.
    Alpha,
}

impl RateKernel {
    /// Value at a time after the spike.
    pub fn at(self, time: f64, width: f64) -> f64 {
        let z = time / width;
        match self {
            Self::Box => {
                let half = 3.0f64.sqrt();
                if z.abs() <= half { 0.5 / (half * width) } else { 0.0 }
            }
            Self::Gaussian => exp(-0.5 * z * z) / (width * (2.0 * PI).sqrt()),
            Self::Exponential => {
                if z >= 0.0 {
                    exp(-z) / width
                } else {
                    0.0
                }
            }
            Self::Alpha => {
                if z >= 0.0 {
                    2.0 * z / width * exp(-SQRT_2 * z)
                } else {
                    0.0
                }
            }
        }
    }

    /// Its area up to a time after the spike.
    pub fn area(self, time: f64, width: f64) -> f64 {
        let z = time / width;
        match self {
            Self::Box => (0.5 * (1.0 + z / 3.0f64.sqrt())).clamp(0.0, 1.0),
            Self::Gaussian => 0.5 * (1.0 + erf(z / SQRT_2)),
            Self::Exponential => {
                if z > 0.0 {
                    1.0 - exp(-z)
                } else {
                    0.0
                }
            }
            Self::Alpha => {
                if z > 0.0 {
                    1.0 - (1.0 + SQRT_2 * z) * exp(-SQRT_2 * z)
                } else {
                    0.0
                }
            }
        }
    }

    /// How long before and after a spike it is more than 1e-7 of its greatest value.
    pub fn reach(self, width: f64) -> (f64, f64) {
        match self {
            Self::Box => (3.0f64.sqrt() * width, 3.0f64.sqrt() * width),
            Self::Gaussian => (6.0 * width, 6.0 * width),
            Self::Exponential => (0.0, 17.0 * width),
            Self::Alpha => (0.0, 15.0 * width),
        }
    }
}

/// A rate at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateAt {
    /// Spikes per unit of time.
    pub rate: f64,
    /// How many spikes of equal weight it is worth: (Σk)²/Σk².
    pub worth: f64,
    /// What one spike under the kernel's peak would give: the step in which a rate near nothing is known.
    pub one: f64,
}

/// Rate of ascending spikes at ascending times inside the window, divided by the share of the kernel that looks into
/// the window, so that it does not fall towards the edges. O((times + spikes in reach) each).
pub fn rate_at(train: &[f64], times: &[f64], kernel: RateKernel, width: f64, edges: Edges) -> Vec<RateAt> {
    let (before, after) = kernel.reach(width);
    let peak = match kernel {
        RateKernel::Alpha => kernel.at(width / SQRT_2, width),
        _ => kernel.at(0.0, width),
    };
    let mut from = 0;
    times
        .iter()
        .map(|&t| {
            while from < train.len() && t - train[from] > after {
                from += 1;
            }
            let near = train[from..].iter().take_while(|s| **s - t <= before);
            let (sum, squares) = near.fold((0.0, 0.0), |(sum, squares), s| {
                let k = kernel.at(t - s, width);
                (sum + k, squares + k * k)
            });
            let inside = kernel.area(t - edges.start, width) - kernel.area(t - edges.stop, width);
            let worth = if squares > 0.0 { sum * sum / squares } else { 0.0 };
            RateAt { rate: sum / inside, worth, one: peak / inside }
        })
        .collect()
}

/// Pairs of spikes over their distance in fine bins.
struct Distances {
    /// Width of a bin.
    bin: f64,
    pairs: Vec<f64>,
    spikes: f64,
}

/// Spikes whose pairs are counted one by one.
const FEW: usize = 4000;
/// Bins for the distances of these, and bins of the counts of more.
const FINE: usize = 65_536;
const COARSE: usize = 16_384;

impl Distances {
    fn of(train: &[f64], edges: Edges) -> Self {
        let length = edges.stop - edges.start;
        let spikes = train.len() as f64;
        if train.len() <= FEW {
            let bin = length / FINE as f64;
            let mut pairs = vec![0.0; FINE + 1];
            for (k, a) in train.iter().enumerate() {
                for b in &train[k + 1..] {
                    pairs[(((b - a) / bin) as usize).min(FINE)] += 1.0;
                }
            }
            return Self { bin, pairs, spikes };
        }
        let bin = length / COARSE as f64;
        let mut counts = vec![0.0; COARSE];
        for t in train {
            counts[(((t - edges.start) / bin) as usize).min(COARSE - 1)] += 1.0;
        }
        let mut pairs: Vec<f64> =
            (0..COARSE).map(|lag| counts[lag..].iter().zip(&counts).map(|(a, b)| a * b).sum()).collect();
        pairs[0] = counts.iter().map(|c| c * (c - 1.0) / 2.0).sum();
        Self { bin, pairs, spikes }
    }

    /// Expected squared error of a Gaussian kernel's rate, up to what does not depend on its width.
    fn cost(&self, width: f64) -> f64 {
        let last = ((9.0 * width / self.bin) as usize + 1).min(self.pairs.len());
        let by = -0.25 / (width * width);
        let sum: f64 = self.pairs[..last]
            .iter()
            .enumerate()
            .filter(|(_, n)| **n > 0.0)
            .map(|(k, n)| {
                let d = (k as f64 + 0.5) * self.bin;
                let wide = exp(by * d * d);
                n * (2.0 * wide - 4.0 * SQRT_2 * wide * wide)
            })
            .sum();
        (self.spikes + sum) / width
    }
}

/// Bandwidth (standard deviation of a Gaussian kernel) at which the expected squared error of the rate of a Poisson
/// process is least (Shimazaki and Shinomoto 2010, doi:10.1007/s10827-009-0180-4), among widths from four bins of the
/// distances to the window's length. `None` with fewer than two spikes; the longest where nothing shorter fits better:
/// there is nothing to be seen but a constant rate. O(spikes²) up to 4000 spikes, then of 16384 bins.
pub fn best_bandwidth(train: &[f64], edges: Edges) -> Option<f64> {
    if train.len() < 2 || edges.stop <= edges.start {
        return None;
    }
    let distances = Distances::of(train, edges);
    let (least, most) = (4.0 * distances.bin, edges.stop - edges.start);
    let steps = 120;
    let ratio = (most / least).powf(1.0 / f64::from(steps));
    let width = |k: f64| least * ratio.powf(k);
    let best = (0..=steps)
        .map(|k| (f64::from(k), distances.cost(width(f64::from(k)))))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .expect("there are widths");
    // Golden section between its neighbours.
    let golden = 0.5 * (5.0f64.sqrt() - 1.0);
    let (mut low, mut high) = ((best.0 - 1.0).max(0.0), (best.0 + 1.0).min(f64::from(steps)));
    while high - low > 1e-4 {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if distances.cost(width(a)) < distances.cost(width(b)) {
            high = b;
        } else {
            low = a;
        }
    }
    Some(width(0.5 * (low + high)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    const KERNELS: [RateKernel; 4] =
        [RateKernel::Box, RateKernel::Gaussian, RateKernel::Exponential, RateKernel::Alpha];

    /// Poisson spikes of rate `most` thinned to `rate(t)`.
    fn thinned(seed: u64, most: f64, stop: f64, rate: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut s = Key::new(seed, "kernel_rate", "thinned").stream(0, 0);
        let (mut t, mut train) = (0.0, Vec::new());
        loop {
            t -= (1.0 - s.uniform()).ln() / most;
            if t > stop {
                return train;
            }
            if most * s.uniform() < rate(t) {
                train.push(t);
            }
        }
    }

    #[test]
    fn kernels_have_unit_area_and_their_width_as_deviation() {
        for kernel in KERNELS {
            let width = 0.7;
            let (before, after) = kernel.reach(width);
            let n = 200_000;
            let step = (before + after) / f64::from(n);
            let (mut area, mut mean, mut square) = (0.0, 0.0, 0.0);
            for k in 0..n {
                let t = -before + (f64::from(k) + 0.5) * step;
                let v = kernel.at(t, width) * step;
                area += v;
                mean += v * t;
                square += v * t * t;
                if k % 10_000 == 0 {
                    assert!((kernel.area(t, width) - area).abs() < 2e-4, "{kernel:?} {t}");
                }
            }
            assert!((area - 1.0).abs() < 1e-4, "{kernel:?} {area}");
            assert!(((square - mean * mean).sqrt() - width).abs() < 1e-3, "{kernel:?}");
        }
    }

    /// What is counted is what was there: the integral of the rate is the number of spikes, away from the edges.
    #[test]
    fn a_constant_rate_stays_constant_up_to_the_edges() {
        let e = Edges { start: 0.0, stop: 100.0 };
        let clock: Vec<f64> = (0..1000).map(|k| 0.05 + f64::from(k) * 0.1).collect();
        let times: Vec<f64> = (1..=1000).map(|k| f64::from(k) * 0.1).collect();
        for kernel in [RateKernel::Gaussian, RateKernel::Alpha, RateKernel::Exponential] {
            for r in rate_at(&clock, &times, kernel, 2.0, e).iter().skip(20) {
                assert!((r.rate - 10.0).abs() < 0.3, "{kernel:?} {r:?}");
                assert!(r.worth > 5.0);
            }
        }
        let none = rate_at(&[], &[50.0], RateKernel::Gaussian, 2.0, e)[0];
        assert_eq!((none.rate, none.worth), (0.0, 0.0));
        assert!((none.one - 1.0 / (2.0 * (2.0 * PI).sqrt())).abs() < 1e-12);
        assert_eq!(rate_at(&[50.0], &[50.0], RateKernel::Box, 1.0, e)[0].worth, 1.0);
    }

    /// The cost over a fine grid of widths, from all pairs.
    #[test]
    fn the_bandwidth_has_the_least_cost_of_all_pairs() {
        let e = Edges { start: 0.0, stop: 10.0 };
        for seed in 0..6 {
            let train = thinned(seed, 60.0, 10.0, |t| 30.0 + 29.0 * (t * 2.0).sin());
            let cost = |w: f64| {
                let mut sum = 0.0;
                for (i, a) in train.iter().enumerate() {
                    for (j, b) in train.iter().enumerate() {
                        let d = a - b;
                        sum += (-d * d / (4.0 * w * w)).exp() / (2.0 * w * PI.sqrt());
                        if i != j {
                            sum -= 2.0 * (-d * d / (2.0 * w * w)).exp() / (w * (2.0 * PI).sqrt());
                        }
                    }
                }
                sum
            };
            let found = best_bandwidth(&train, e).unwrap();
            let least = (0..80).map(|k| cost(0.02 * 1.08f64.powi(k))).fold(f64::INFINITY, f64::min);
            assert!(cost(found) <= least + 1e-3 * least.abs(), "{seed} {found} {} {least}", cost(found));
            assert!((0.05..1.0).contains(&found), "{found}");
        }
    }

    #[test]
    fn many_spikes_give_what_few_do_and_constant_rates_the_longest() {
        let e = Edges { start: 0.0, stop: 100.0 };
        let train = thinned(9, 120.0, 100.0, |t| 50.0 + 45.0 * (t * 2.0).sin());
        assert!(train.len() > FEW);
        let many = best_bandwidth(&train, e).unwrap();
        let part: Vec<f64> = train.iter().copied().filter(|t| *t < 60.0).collect();
        assert!(part.len() < FEW);
        let few = best_bandwidth(&part, Edges { start: 0.0, stop: 60.0 }).unwrap();
        assert!((many / few - 1.0).abs() < 0.3, "{many} {few}");
        let clock: Vec<f64> = (0..1000).map(|k| 0.05 + f64::from(k) * 0.1).collect();
        assert!(best_bandwidth(&clock, e).unwrap() > 0.03);
        assert_eq!([best_bandwidth(&[], e), best_bandwidth(&[1.0], e)], [None, None]);
        assert!(best_bandwidth(&[5.0, 5.0, 5.0], e).unwrap() > 0.0);
    }

    /// Elephant 1.2.1 looks for the least cost on a grid of its own: the same to a few per cent.
    #[test]
    fn the_bandwidth_of_elephant() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../../data/reference/spike_trains_elephant.json")).unwrap();
        let train: Vec<f64> = reference["rising"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
        let found = best_bandwidth(&train, Edges { start: 0.0, stop: reference["stop"].as_f64().unwrap() }).unwrap();
        let there = reference["bandwidth"].as_f64().unwrap();
        assert!((found / there - 1.0).abs() < 0.05, "{found} is not {there}");
    }
}
