//! Synchrony of many units at once: Golomb's chi from traces, Kuramoto's order parameter from phases.

use super::statistics::{mean, variance, varies};
use std::f64::consts::TAU;

/// Golomb's χ² = Var_t(mean_i V_i)/mean_i Var_t(V_i) of equally long columns (Golomb 2007,
/// doi:10.4249/scholarpedia.1347): 1 for identical units, 1/N for independent ones; and its standard error by leaving
/// out one unit at a time (resampling with repetition would make units identical). NaN if nothing varies. O(units ·
/// samples).
pub fn golomb(columns: &[Vec<f64>]) -> (f64, f64) {
    let n = columns.len() as f64;
    let mut sum = vec![0.0; columns.first().map_or(0, Vec::len)];
    for column in columns {
        sum.iter_mut().zip(column).for_each(|(a, v)| *a += v);
    }
    let own: Vec<f64> = columns.iter().map(|c| variance(c, 0)).collect();
    let total: f64 = own.iter().sum();
    let size = columns.iter().flatten().fold(0.0f64, |m, v| m.max(v.abs()));
    if columns.is_empty() || !varies(total / n, size) || !total.is_finite() {
        return (f64::NAN, f64::NAN);
    }
    let ratio = |of: &[f64], count: f64, total: f64| variance(of, 0) / (count * count) / (total / count);
    let chi2 = ratio(&sum, n, total);
    let mut rest = vec![0.0; sum.len()];
    let without: Vec<f64> = columns
        .iter()
        .zip(&own)
        .filter(|(_, v)| total - **v > 0.0)
        .map(|(column, v)| {
            rest.iter_mut().zip(&sum).zip(column).for_each(|((r, s), c)| *r = s - c);
            ratio(&rest, n - 1.0, total - v)
        })
        .collect();
    let m = without.len() as f64;
    (chi2, if m < 3.0 { f64::NAN } else { ((m - 1.0) * variance(&without, 0)).sqrt() })
}

/// R(t) = |mean exp(i φ)| over the units that have a phase at each time, and their number.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// R at each time; NaN where fewer than two units have a phase.
    pub r: Vec<f64>,
    /// Units with a phase at each time.
    pub units: Vec<u32>,
}

impl Order {
    fn of(sums: &[(f64, f64)], units: Vec<u32>) -> Self {
        let r = sums
            .iter()
            .zip(&units)
            .map(|((c, s), &n)| if n < 2 { f64::NAN } else { c.hypot(*s) / f64::from(n) })
            .collect();
        Self { r, units }
    }

    /// Mean and standard deviation (ddof 0) over the times at which at least `least` units have a phase, with the
    /// number of those times.
    pub fn summary(&self, least: u32) -> (f64, f64, usize) {
        let kept = self.kept(least);
        if kept.is_empty() { (f64::NAN, f64::NAN, 0) } else { (mean(&kept), variance(&kept, 0).sqrt(), kept.len()) }
    }

    /// R at those times.
    pub fn kept(&self, least: u32) -> Vec<f64> {
        self.r.iter().zip(&self.units).filter(|(r, n)| r.is_finite() && **n >= least).map(|(r, _)| *r).collect()
    }
}

/// Order parameter from spikes: φ = 2π(t − t_k)/(t_(k+1) − t_k) between spikes, none before the first and after the
/// last.
pub fn order_of_spikes(trains: &[impl AsRef<[f64]>], start: f64, step: f64, count: usize) -> Order {
    let mut sums = vec![(0.0, 0.0); count];
    let mut units = vec![0u32; count];
    for train in trains {
        for w in train.as_ref().windows(2).filter(|w| w[1] > w[0]) {
            let from = ((w[0] - start) / step).ceil().max(0.0) as usize;
            for k in from..count {
                let t = start + k as f64 * step;
                if t >= w[1] {
                    break;
                }
                let (s, c) = (TAU * (t - w[0]) / (w[1] - w[0])).sin_cos();
                sums[k].0 += c;
                sums[k].1 += s;
                units[k] += 1;
            }
        }
    }
    Order::of(&sums, units)
}

/// Order parameter from columns of phases in radians.
pub fn order_of_phases(columns: &[Vec<f64>]) -> Order {
    let count = columns.first().map_or(0, Vec::len);
    let mut sums = vec![(0.0, 0.0); count];
    for column in columns {
        for (sum, phase) in sums.iter_mut().zip(column) {
            let (s, c) = phase.sin_cos();
            sum.0 += c;
            sum.1 += s;
        }
    }
    Order::of(&sums, vec![columns.len() as u32; count])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    #[test]
    fn chi_of_identical_opposite_and_independent_units() {
        let wave: Vec<f64> = (0..1000).map(|i| (f64::from(i) * 0.1).sin()).collect();
        let opposite: Vec<f64> = wave.iter().map(|v| -v).collect();
        assert!((golomb(&vec![wave.clone(); 3]).0 - 1.0).abs() < 1e-12);
        assert!(golomb(&[wave, opposite]).0 < 1e-20);
        assert!(golomb(&[vec![-65.1; 50], vec![0.3; 50]]).0.is_nan());
        let columns = |seed: u64| -> Vec<Vec<f64>> {
            let mut common = Key::new(seed, "order", "common").stream(0, 0);
            let shared: Vec<f64> = (0..1000).map(|_| common.uniform()).collect();
            (0..50)
                .map(|u| {
                    let mut s = Key::new(seed, "order", "golomb").stream(u, 0);
                    let weight = s.uniform();
                    shared.iter().map(|c| weight * c + s.uniform()).collect()
                })
                .collect()
        };
        // The standard error is the spread over many draws of 50 units.
        let (values, errors): (Vec<f64>, Vec<f64>) = (0..60).map(|seed| golomb(&columns(seed))).unzip();
        let (spread, said) = (variance(&values, 1).sqrt(), mean(&errors));
        assert!((said / spread - 1.0).abs() < 0.25, "{said} {spread}");
        let independent: Vec<Vec<f64>> = (0..50)
            .map(|u| {
                let mut s = Key::new(1, "order", "independent").stream(u, 0);
                (0..4000).map(|_| s.uniform()).collect()
            })
            .collect();
        let chi2 = golomb(&independent).0;
        assert!((chi2 * 50.0 - 1.0).abs() < 0.1, "{chi2}");
    }

    #[test]
    fn order_of_spikes_and_phases() {
        let train: Vec<f64> = (0..10).map(f64::from).collect();
        let o = order_of_spikes(&[train.clone(), train.clone()], 0.05, 0.1, 100);
        let (r, sd, n) = o.summary(2);
        assert!((r - 1.0).abs() < 1e-12 && sd < 1e-7, "{r} {sd}");
        assert_eq!(n, 90); // no phase after the last spike at 9
        // Half a period apart: R = 0 where both have a phase.
        let later: Vec<f64> = train.iter().map(|t| t + 0.5).collect();
        assert!(order_of_spikes(&[train, later], 0.55, 0.1, 80).summary(2).0 < 1e-12);
        let o = order_of_phases(&[vec![0.0, 1.0], vec![std::f64::consts::FRAC_PI_2, 1.0]]);
        assert!((o.r[0] - 0.5f64.sqrt()).abs() < 1e-15 && (o.r[1] - 1.0).abs() < 1e-15);
    }
}
