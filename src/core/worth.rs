//! How many independent samples two signals are worth for their correlation (Bartlett 1946, doi:10.2307/2983611).

use super::fft::{Complex64, complex_plan};
use super::statistics::mean;

/// Lags that count, in times over which a signal forgets itself (Sokal 1997, doi:10.1007/978-1-4899-0319-8_6): what is
/// left after as many is noise.
const LAGS: f64 = 5.0;

/// Samples of two signals of one length that are worth one independent sample for their correlation; see
/// [`samples_for_one`].
pub fn samples_for_one_of(x: &[f64], y: &[f64]) -> f64 {
    of_two(&autocorrelation(x), &autocorrelation(y), x.len())
}

/// Of each two of some signals of one length (the first with the second, the first with the third and so on): samples
/// that are worth one independent sample for their correlation, 1 + 2 Σ (1 − m/n) ρ_x(m) ρ_y(m), at least 1, with ρ of
/// the n − m products that there are.
///
/// Products of either sign count, so that signals that ring are worth what they are: of these, the product is below
/// zero at some lag though both remember. The sum goes to the lag that is five times 1 + Σ (ρ_x² + ρ_y²) up to there,
/// and to half of the samples at the most. NaN for signals that do not vary. O(k n log n + k² n) for k signals.
pub fn samples_for_one(all: &[&[f64]]) -> Vec<f64> {
    let own: Vec<Vec<f64>> = all.iter().map(|v| autocorrelation(v)).collect();
    let pairs = (0..all.len()).flat_map(|i| (i + 1..all.len()).map(move |j| (i, j)));
    pairs.map(|(i, j)| of_two(&own[i], &own[j], all[i].len())).collect()
}

fn of_two(x: &[f64], y: &[f64], n: usize) -> f64 {
    let (mut forgotten, mut sum) = (1.0, 1.0);
    for (m, (a, b)) in x.iter().zip(y).enumerate().skip(1) {
        forgotten += a * a + b * b;
        // Each is a sum of n − m products over n: the share of these stands in both, and counts once.
        sum += 2.0 * a * b / (1.0 - m as f64 / n as f64);
        if m as f64 >= LAGS * forgotten {
            break;
        }
    }
    // `max` would make 1 of what is no number.
    if sum < 1.0 { 1.0 } else { sum }
}

/// Autocorrelation at lags below half of the samples: sums of the products that there are over that of the squares.
fn autocorrelation(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    let middle = mean(values);
    let size = (2 * n).next_power_of_two();
    let mut z: Vec<Complex64> = values.iter().map(|v| Complex64::new(v - middle, 0.0)).collect();
    z.resize(size, Complex64::default());
    let plan = complex_plan(size);
    plan.process(&mut z);
    for z in &mut z {
        *z = Complex64::new(z.norm_sqr(), 0.0);
    }
    // Of what is real and even the forward transform is the backward one.
    plan.process(&mut z);
    z.iter().take(n / 2).map(|v| v.re / z[0].re).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::normal;
    use crate::rng::Key;
    use crate::statistics::{normal_two_sided, pearson};

    fn noise(lane: u32, n: usize) -> Vec<f64> {
        (0..n).map(|k| normal(Key::new(1, "worth", "noise"), lane, k as u64)).collect()
    }

    /// x(t) = a x(t-1) + b x(t-2) + noise, settled.
    fn process(lane: u32, n: usize, a: f64, b: f64) -> Vec<f64> {
        let mut x = vec![0.0, 0.0];
        for w in noise(lane, n + 3000) {
            x.push(a * x[x.len() - 1] + b * x[x.len() - 2] + w);
        }
        x.split_off(3002)
    }

    /// Of processes of first order the sum is (1 + ab)/(1 - ab).
    #[test]
    fn closed_forms() {
        let n = 200_000;
        let (x, y, z) = (process(1, n, 0.9, 0.0), process(2, n, 0.8, 0.0), noise(3, n));
        let w = samples_for_one(&[&x, &y, &z]);
        let wanted = (1.0 + 0.72) / (1.0 - 0.72);
        assert!((w[0] / wanted - 1.0).abs() < 0.05, "{w:?} {wanted}");
        assert!((w[1] - 1.0).abs() < 0.1 && (w[2] - 1.0).abs() < 0.1, "{w:?}");
        // A ringing of decay r and frequency f a sample: about half of what it would be without ringing.
        let (r, f) = (0.99_f64, 0.02);
        let [x, y] = [4, 5].map(|lane| process(lane, n, 2.0 * r * (std::f64::consts::TAU * f).cos(), -r * r));
        let w = samples_for_one(&[&x, &y])[0];
        let wanted = 0.5 * (1.0 + r * r) / (1.0 - r * r);
        assert!((w / wanted - 1.0).abs() < 0.15, "{w} {wanted}");
        assert!(samples_for_one(&[&[1.0; 50], &noise(1, 50)])[0].is_nan());
        assert_eq!(samples_for_one(&[&x]), [0.0; 0]);
        assert_eq!(samples_for_one_of(&x, &y), samples_for_one(&[&x, &y])[0]);
    }

    /// The sum by hand, over all lags below half of four times as many samples as they remember: with the mean products
    /// at a lag, and the share of pairs that are that far apart once.
    #[test]
    fn the_share_of_pairs_counts_once() {
        let n = 40;
        let (x, y) = (process(6, n, 0.9, 0.0), process(7, n, 0.9, 0.0));
        let rho = |v: &[f64], m: usize| {
            let middle = mean(v);
            let at = |m: usize| {
                v.iter().zip(&v[m..]).map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>() / (n - m) as f64
            };
            at(m) / at(0)
        };
        let (mut wanted, mut forgotten) = (1.0, 1.0);
        for m in 1..n / 2 {
            let (a, b, share) = (rho(&x, m), rho(&y, m), 1.0 - m as f64 / n as f64);
            wanted += 2.0 * share * a * b;
            forgotten += share * share * (a * a + b * b);
            if m as f64 >= LAGS * forgotten {
                break;
            }
        }
        let found = samples_for_one_of(&x, &y);
        assert!((found - wanted.max(1.0)).abs() < 1e-9, "{found} {wanted}");
    }

    /// p of independent signals is uniform, whether they forget at once, slowly, or ring.
    #[test]
    fn correlations_of_independent_signals_are_chance() {
        let (r, f) = (0.997_4_f64, 0.0192);
        let ring = |f: f64| (2.0 * r * (std::f64::consts::TAU * f).cos(), -r * r);
        for (n, first, second) in [
            (200, (0.0, 0.0), (0.0, 0.0)),
            (400, (0.97, 0.0), (0.97, 0.0)),
            (3000, (0.97, 0.0), (0.97, 0.0)),
            (5000, ring(f), ring(1.02 * f)),
        ] {
            let mut small = 0;
            for k in 0..200 {
                let x = process(2 * k, n, first.0, first.1);
                let y = process(2 * k + 1, n, second.0, second.1);
                let worth = n as f64 / samples_for_one(&[&x, &y])[0];
                let p = normal_two_sided(pearson(&x, &y).atanh() * (worth - 3.0).sqrt());
                small += u32::from(p < 0.1);
            }
            // Binomial of 200: 0.1 lies outside 8 to 34 with a chance of 0.003.
            assert!((8..=34).contains(&small), "{n}: {small} of 200");
        }
    }
}
