//! Avalanches: runs of bins with events between empty ones; exponents of whole numbers that fall as a power; branching.

use super::math::{log, pow};

/// An avalanche.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avalanche {
    /// Events.
    pub size: u64,
    /// Bins.
    pub duration: u64,
    /// Events of the first bin.
    pub seeds: u64,
}

/// The avalanches of `counts`, those that touch the ends left out: where they began or ended is not known.
pub fn avalanches(counts: &[u32]) -> Vec<Avalanche> {
    let mut found = Vec::new();
    let mut now: Option<Avalanche> = None;
    let mut whole = false;
    for &count in counts {
        if count == 0 {
            if let Some(done) = now.take().filter(|_| whole) {
                found.push(done);
            }
            whole = true;
            continue;
        }
        let count = u64::from(count);
        let a = now.get_or_insert(Avalanche { size: 0, duration: 0, seeds: count });
        a.size += count;
        a.duration += 1;
    }
    found
}

/// Events that follow an event in the next bin, on average: (all - first ones)/all, the maximum-likelihood estimate of
/// the mean offspring of a branching process (Harris 1948, doi:10.1214/aoms/1177730146). `None` without events.
pub fn branching_ratio(avalanches: &[Avalanche]) -> Option<f64> {
    let all: u64 = avalanches.iter().map(|a| a.size).sum();
    let seeds: u64 = avalanches.iter().map(|a| a.seeds).sum();
    (all > 0).then(|| (all - seeds) as f64 / all as f64)
}

/// Hurwitz' zeta function, the sum of (q + k)^-s over k = 0, 1, ..., for s > 1 and q >= 1 (Euler and Maclaurin from the
/// twelfth term).
pub fn hurwitz_zeta(s: f64, q: f64) -> f64 {
    const TERMS: u32 = 12;
    let head: f64 = (0..TERMS).map(|k| pow(q + f64::from(k), -s)).sum();
    let x = q + f64::from(TERMS);
    let p = pow(x, -s);
    head + p * x / (s - 1.0) + 0.5 * p + s * p / (12.0 * x) - s * (s + 1.0) * (s + 2.0) * p / (720.0 * x * x * x)
}

/// Exponent of P(x) ~ x^-a among the values of at least `least`, by maximum likelihood, with its standard error from
/// the curvature (Clauset, Shalizi, Newman 2009, doi:10.1137/070710111), and how many values there are. `None` below
/// ten values, or if all are `least`.
pub fn power_exponent(values: &[u64], least: u64) -> Option<(f64, f64, u64)> {
    let chosen: Vec<f64> = values.iter().filter(|v| **v >= least).map(|v| *v as f64).collect();
    let n = chosen.len() as f64;
    let q = least as f64;
    if chosen.len() < 10 || least == 0 || chosen.iter().all(|v| *v <= q) {
        return None;
    }
    let logs: f64 = chosen.iter().map(|v| log(*v)).sum();
    let likelihood = |a: f64| -n * log(hurwitz_zeta(a, q)) - a * logs;
    // The likelihood has one maximum: golden sections.
    let ratio = 0.5 * (5f64.sqrt() - 1.0);
    let (mut low, mut high) = (1.000_1, 20.0);
    for _ in 0..80 {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        if likelihood(a) < likelihood(b) {
            low = a;
        } else {
            high = b;
        }
    }
    let best = 0.5 * (low + high);
    let h = 1e-3 * (best - 1.0);
    let curvature = (likelihood(best + h) - 2.0 * likelihood(best) + likelihood(best - h)) / (h * h);
    (curvature < 0.0).then(|| (best, (-1.0 / curvature).sqrt(), chosen.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    #[test]
    fn runs_between_empty_bins_are_avalanches() {
        let found = avalanches(&[3, 0, 0, 1, 2, 0, 4, 0, 1, 1, 1, 0, 5]);
        let list: Vec<(u64, u64, u64)> = found.iter().map(|a| (a.size, a.duration, a.seeds)).collect();
        assert_eq!(list, [(3, 2, 1), (4, 1, 4), (3, 3, 1)]);
        assert_eq!(branching_ratio(&found), Some(0.4));
        assert_eq!(branching_ratio(&[]), None);
    }

    #[test]
    fn zeta_has_its_values() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * b, "{a} {b}");
        close(hurwitz_zeta(2.0, 1.0), std::f64::consts::PI.powi(2) / 6.0);
        close(hurwitz_zeta(1.5, 1.0), 2.612_375_348_685_488);
        close(hurwitz_zeta(3.0, 4.0), 1.202_056_903_159_594_2 - 1.0 - 0.125 - 1.0 / 27.0);
    }

    /// Offspring are Poisson with mean `m`: sizes are Borel, with mean 1/(1 - m), and fall as s^-3/2 for m = 1.
    fn branching(m: f64, count: u32, most: u64) -> Vec<Avalanche> {
        let key = Key::new(1, "testing", "branching");
        (0..count)
            .map(|k| {
                let mut stream = key.stream(k, 0);
                let (mut alive, mut size, mut duration) = (1u64, 0, 0);
                while alive > 0 && size < most {
                    size += alive;
                    duration += 1;
                    let (mut next, mut time) = (0, -(1.0 - stream.uniform()).ln());
                    while time < m * alive as f64 {
                        next += 1;
                        time -= (1.0 - stream.uniform()).ln();
                    }
                    alive = next;
                }
                Avalanche { size, duration, seeds: 1 }
            })
            .collect()
    }

    #[test]
    fn a_branching_process_has_its_ratio_and_its_sizes() {
        let found = branching(0.8, 20_000, 100_000);
        let ratio = branching_ratio(&found).unwrap();
        assert!((ratio - 0.8).abs() < 0.01, "{ratio}");
        let mean = found.iter().map(|a| a.size as f64).sum::<f64>() / 20_000.0;
        assert!((mean - 5.0).abs() < 0.3, "{mean}");
        // Borel: one alone with probability exp(-m).
        let alone = found.iter().filter(|a| a.size == 1).count() as f64 / 20_000.0;
        assert!((alone - (-0.8f64).exp()).abs() < 0.01, "{alone}");
    }

    #[test]
    fn critical_sizes_fall_with_the_power_three_halves() {
        let found = branching(1.0, 20_000, 1_000_000);
        let sizes: Vec<u64> = found.iter().map(|a| a.size).collect();
        let (exponent, error, n) = power_exponent(&sizes, 10).unwrap();
        assert!((exponent - 1.5).abs() < 4.0 * error && error < 0.02 && n > 1000, "{exponent} {error} {n}");
        let durations: Vec<u64> = found.iter().map(|a| a.duration).collect();
        let (exponent, error, _) = power_exponent(&durations, 10).unwrap();
        // Kolmogorov: the chance to live beyond t falls as 2/t, so that durations fall as t^-2.
        assert!((exponent - 2.0).abs() < 5.0 * error + 0.05, "{exponent} {error}");
        assert!(power_exponent(&[3; 50], 3).is_none() && power_exponent(&sizes[..5], 1).is_none());
    }
}
