//! Multitaper spectra (Thomson 1982, doi:10.1109/PROC.1982.12433): several spectra of the same samples, each under a
//! taper of its own that hardly shares anything with the others, with adaptive weights, intervals by leaving out one
//! taper at a time, and the F-test for lines.

use super::fft::{Complex64, real_plan};
use super::statistics::{mean, student_quantile_of, variance};
use super::tapers::Tapers;
use super::welch::{Detrend, detrend_into};
use rayon::prelude::*;
use std::f64::consts::TAU;

fn detrended(samples: &[f64], detrend: Detrend) -> Vec<f64> {
    let mut level = Vec::with_capacity(samples.len());
    detrend_into(samples, detrend, &mut level);
    level
}

/// How spectra under several tapers become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weights {
    /// Thomson's: a taper counts less where its leakage would be more than what there is.
    #[default]
    Adaptive,
    /// By concentration.
    Concentration,
    /// All alike.
    Equal,
}

/// Transforms of a stretch of samples under each taper, scaled such that their squares are two-sided densities.
#[derive(Debug, Clone)]
pub struct Eigenspectra {
    /// One transform a taper, from zero to the highest frequency.
    pub coefficients: Vec<Vec<Complex64>>,
    /// Variance of the samples over the sampling rate: the density of white noise of the same variance.
    pub white: f64,
}

impl Eigenspectra {
    /// Of samples as long as the tapers are, taken at `rate`.
    pub fn new(samples: &[f64], rate: f64, detrend: Detrend, tapers: &Tapers) -> Self {
        let n = samples.len();
        let samples = detrended(samples, detrend);
        let plan = real_plan(n);
        let scale = 1.0 / rate.sqrt();
        let under = |taper: &Vec<f64>| {
            let mut input: Vec<f64> = samples.iter().zip(taper).map(|(x, w)| x * w * scale).collect();
            let mut output = plan.make_output_vec();
            plan.process(&mut input, &mut output).expect("both are as long as the plan says");
            output
        };
        Self { coefficients: tapers.weights.par_iter().map(under).collect(), white: variance(&samples, 0) / rate }
    }
}

/// Density and what is known of it at each frequency, of one or several stretches.
#[derive(Debug, Clone, PartialEq)]
pub struct Multitaper {
    /// Distance of two frequencies; the first is 0.
    pub step: f64,
    /// Half of the band over which power is smeared.
    pub half_band: f64,
    /// One-sided density at each frequency.
    pub power: Vec<f64>,
    /// Degrees of freedom at each frequency (half of it at the ends).
    pub freedom: Vec<f64>,
    /// Standard error of the logarithm of the density, by the jackknife over tapers and stretches; empty with fewer
    /// than three of them.
    pub log_error: Vec<f64>,
    /// Tapers times stretches.
    pub estimates: usize,
    /// How densities at frequencies 0, 1, 2, ... steps apart are correlated, for white noise and equal weights.
    pub correlation: Vec<f64>,
}

/// The spectrum of stretches of `n` samples, with each taper's part in it.
pub fn multitaper(
    stretches: &[Eigenspectra],
    n: usize,
    rate: f64,
    tapers: &Tapers,
    nw: f64,
    weights: Weights,
) -> Multitaper {
    let bins = n / 2 + 1;
    let tapers_count = tapers.weights.len();
    let estimates = stretches.len() * tapers_count;
    let mut power = Vec::with_capacity(bins);
    let mut freedom = Vec::with_capacity(bins);
    let mut log_error = Vec::with_capacity(if estimates < 3 { 0 } else { bins });
    let (mut raw, mut weight) = (vec![0.0; estimates], vec![0.0; estimates]);
    for f in 0..bins {
        for (s, stretch) in stretches.iter().enumerate() {
            let here = s * tapers_count..(s + 1) * tapers_count;
            for (r, c) in raw[here.clone()].iter_mut().zip(&stretch.coefficients) {
                *r = c[f].norm_sqr();
            }
            weigh(&raw[here.clone()], &tapers.concentration, stretch.white, weights, &mut weight[here]);
        }
        let (sum, squares, mixed) =
            raw.iter().zip(&weight).fold((0.0, 0.0, 0.0), |(s, q, m), (r, w)| (s + w, q + w * w, m + w * r));
        let at_end = f == 0 || 2 * f == n;
        let sides = if at_end { 1.0 } else { 2.0 };
        power.push(sides * mixed / sum);
        freedom.push(sides * sum * sum / squares);
        if estimates >= 3 {
            let logs = raw.iter().zip(&weight).map(|(r, w)| ((mixed - w * r) / (sum - w)).ln());
            let (count, total) = (estimates as f64, logs.clone().sum::<f64>());
            let spread: f64 = logs.map(|l| (l - total / count).powi(2)).sum();
            log_error.push((spread * (count - 1.0) / count).sqrt());
        }
    }
    Multitaper {
        step: rate / n as f64,
        half_band: nw * rate / n as f64,
        power,
        freedom,
        log_error,
        estimates,
        correlation: correlation(tapers, nw),
    }
}

/// Weights of the tapers at one frequency.
fn weigh(raw: &[f64], concentration: &[f64], white: f64, weights: Weights, into: &mut [f64]) {
    match weights {
        Weights::Equal => into.fill(1.0),
        Weights::Concentration => into.copy_from_slice(concentration),
        Weights::Adaptive => {
            let mut density = mean(&raw[..raw.len().min(2)]);
            into.copy_from_slice(concentration);
            // Percival and Walden 1993, eq. 368a: b = S/(λS + (1 − λ)σ²Δt), weights b²λ.
            for _ in 0..1000 {
                if density <= 0.0 {
                    return;
                }
                let (mut sum, mut mixed) = (0.0, 0.0);
                for ((w, r), l) in into.iter_mut().zip(raw).zip(concentration) {
                    let b = density / (l * density + (1.0 - l) * white);
                    *w = b * b * l;
                    sum += *w;
                    mixed += *w * r;
                }
                let next = mixed / sum;
                if (next - density).abs() <= 1e-10 * next {
                    return;
                }
                density = next;
            }
        }
    }
}

/// Correlation of the mean spectrum at frequencies that are whole steps apart, up to where the bands no longer touch.
fn correlation(tapers: &Tapers, nw: f64) -> Vec<f64> {
    let n = tapers.weights.first().map_or(0, Vec::len);
    let reach = ((2.0 * nw).ceil() as usize).min(n / 2);
    let of = |m: usize| -> f64 {
        let turn = -TAU * m as f64 / n as f64;
        let waves: Vec<Complex64> = (0..n).map(|i| Complex64::cis(turn * i as f64)).collect();
        let shared = |a: &[f64], b: &[f64]| {
            a.iter().zip(b).zip(&waves).map(|((a, b), w)| *w * (a * b)).sum::<Complex64>().norm_sqr()
        };
        let count = tapers.weights.len();
        (0..count)
            .flat_map(|j| (0..=j).map(move |k| (j, k)))
            .map(|(j, k)| if j == k { 1.0 } else { 2.0 } * shared(&tapers.weights[j], &tapers.weights[k]))
            .sum()
    };
    let own = tapers.weights.len() as f64;
    std::iter::once(1.0).chain((1..=reach).map(|m| of(m) / own)).collect()
}

impl Multitaper {
    /// Adds another of the same form: power, freedom and errors are sums then.
    pub fn add(&mut self, other: &Self) {
        let sum = |a: &mut [f64], b: &[f64]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        sum(&mut self.power, &other.power);
        sum(&mut self.freedom, &other.freedom);
        sum(&mut self.log_error, &other.log_error);
    }

    /// Makes means of sums of `count`: with the errors of one, for they may depend on each other.
    pub fn divide(&mut self, count: usize) {
        let all = self.power.iter_mut().chain(&mut self.freedom).chain(&mut self.log_error);
        all.for_each(|v| *v /= count as f64);
    }

    /// Factors that turn the density at ordinate `k` into its interval: by the jackknife, Student's t of the logarithm
    /// (Thomson and Chave 1991); `None` with fewer than three estimates, or where they are all alike.
    pub fn factors(&self, k: usize) -> Option<(f64, f64)> {
        let error = *self.log_error.get(k)?;
        let half = student_quantile_of(self.estimates as f64 - 1.0) * error;
        (half.is_finite() && half > 0.0).then(|| ((-half).exp(), half.exp()))
    }

    /// Degrees of freedom of the sum of some ordinates, as of [`super::welch::Spectrum::freedom_of_sum`].
    pub fn freedom_of_sum(&self, ordinates: std::ops::Range<usize>) -> f64 {
        let power = &self.power[ordinates.clone()];
        let sum: f64 = power.iter().sum();
        let parts: Vec<f64> = power.iter().zip(&self.freedom[ordinates]).map(|(p, v)| p * (2.0 / v).sqrt()).collect();
        let spread: f64 = self
            .correlation
            .iter()
            .enumerate()
            .map(|(m, c)| {
                let products: f64 = parts.iter().zip(parts.get(m..).unwrap_or(&[])).map(|(a, b)| a * b).sum();
                if m == 0 { products } else { 2.0 * c * products }
            })
            .sum();
        2.0 * sum * sum / spread
    }
}

/// Places of the F-test for each ordinate: a line halfway between two ordinates is far from both for it.
pub const PADDED: usize = 4;

/// What the F-test finds at each frequency, of one stretch.
#[derive(Debug, Clone, PartialEq)]
pub struct LineTest {
    /// F with 2 and 2 (tapers − 1) degrees of freedom, at [`PADDED`] places for each ordinate.
    pub f: Vec<f64>,
    /// Amplitude of the sine that fits best.
    pub amplitude: Vec<f64>,
    /// Standard error of the amplitude.
    pub error: Vec<f64>,
}

/// The F-test for a sine at each frequency (Thomson 1982; Percival and Walden 1993, section 10.11); `None` with fewer
/// than two tapers. Nearer than an ordinate to zero or to the highest frequency there is none: F is 0 there.
pub fn line_test(samples: &[f64], detrend: Detrend, tapers: &Tapers) -> Option<LineTest> {
    let (n, count) = (samples.len(), tapers.weights.len());
    if count < 2 {
        return None;
    }
    let samples = detrended(samples, detrend);
    let gains = gains(tapers);
    let plan = real_plan(PADDED * n);
    let under = |taper: &Vec<f64>| {
        let mut input = plan.make_input_vec();
        input.iter_mut().zip(&samples).zip(taper).for_each(|((i, x), w)| *i = x * w);
        let mut output = plan.make_output_vec();
        plan.process(&mut input, &mut output).expect("both are as long as the plan says");
        output
    };
    let coefficients: Vec<Vec<Complex64>> = tapers.weights.par_iter().map(under).collect();
    let places = coefficients[0].len();
    let mut found = LineTest { f: vec![0.0; places], amplitude: vec![0.0; places], error: vec![0.0; places] };
    let mut here = vec![Complex64::default(); count];
    for k in PADDED..places.saturating_sub(PADDED) {
        here.iter_mut().zip(&coefficients).for_each(|(h, c)| *h = c[k]);
        (found.f[k], found.amplitude[k], found.error[k]) = fitted(&here, &gains);
    }
    Some(found)
}

/// What each taper gives of a constant; odd ones give nothing but rounding.
fn gains(tapers: &Tapers) -> Vec<f64> {
    tapers.weights.iter().enumerate().map(|(k, w)| if k % 2 == 0 { w.iter().sum() } else { 0.0 }).collect()
}

/// F, amplitude and its error of coefficients at one frequency.
fn fitted(coefficients: &[Complex64], gains: &[f64]) -> (f64, f64, f64) {
    let others = gains.len() as f64 - 1.0;
    let squares: f64 = gains.iter().map(|g| g * g).sum();
    let line = coefficients.iter().zip(gains).map(|(c, g)| *c * *g).sum::<Complex64>() / squares;
    let rest: f64 = coefficients.iter().zip(gains).map(|(c, g)| (*c - line * *g).norm_sqr()).sum();
    let f = if rest > 0.0 { others * line.norm_sqr() * squares / rest } else { 0.0 };
    // Half of the amplitude turns each way; its error is half of the complex one's variance, on one axis.
    let error = 2.0 * (rest / others / squares / 2.0).sqrt();
    (f, 2.0 * line.norm(), error)
}

/// Probability that F with 2 and 2 `others` degrees of freedom is at least `f`.
pub fn line_tail(f: f64, others: usize) -> f64 {
    (-(others as f64) * (f.max(0.0) / others as f64).ln_1p()).exp()
}

/// The frequency near place `k` of the F-test at which the samples fit a sine best, with its amplitude and the
/// amplitude's error: the largest |Σ U_k Y_k| within half an ordinate on either side, by golden section. O(20 n).
pub fn refined(samples: &[f64], rate: f64, detrend: Detrend, tapers: &Tapers, k: usize) -> (f64, f64, f64) {
    let samples = detrended(samples, detrend);
    let n = samples.len() as f64;
    let gains = gains(tapers);
    let at = |place: f64| -> Vec<Complex64> {
        let turn = Complex64::cis(-TAU * place / n);
        let mut wave = Complex64::new(1.0, 0.0);
        let mut sums = vec![Complex64::default(); gains.len()];
        for (i, x) in samples.iter().enumerate() {
            // A product of many turns drifts off the circle; now and then it is set right.
            if i % 1024 == 0 {
                wave = Complex64::cis(-TAU * place * i as f64 / n);
            }
            for (sum, w) in sums.iter_mut().zip(&tapers.weights) {
                *sum += wave * (x * w[i]);
            }
            wave *= turn;
        }
        sums
    };
    let fit = |place: f64| at(place).iter().zip(&gains).map(|(c, g)| *c * *g).sum::<Complex64>().norm();
    let ratio = 0.5 * (5f64.sqrt() - 1.0);
    let middle = k as f64 / PADDED as f64;
    let (mut low, mut high) = (middle - 0.5, middle + 0.5);
    let (mut a, mut b) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut of_a, mut of_b) = (fit(a), fit(b));
    for _ in 0..18 {
        if of_a > of_b {
            (high, b, of_b) = (b, a, of_a);
            a = high - ratio * (high - low);
            of_a = fit(a);
        } else {
            (low, a, of_a) = (a, b, of_b);
            b = low + ratio * (high - low);
            of_b = fit(b);
        }
    }
    let place = 0.5 * (low + high);
    let (_, amplitude, error) = fitted(&at(place), &gains);
    (place * rate / n, amplitude, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::normal;
    use crate::rng::Key;
    use crate::tapers::dpss;

    fn white(seed: u64, n: usize) -> Vec<f64> {
        let key = Key::new(seed, "multitaper", "white");
        (0..n as u64).map(|k| normal(key, 0, k)).collect()
    }

    fn of(x: &[f64], rate: f64, nw: f64, count: usize, weights: Weights) -> (Multitaper, LineTest) {
        let tapers = dpss(x.len(), nw, count).unwrap();
        let e = Eigenspectra::new(x, rate, Detrend::Constant, &tapers);
        let lines = line_test(x, Detrend::Constant, &tapers).unwrap();
        (multitaper(&[e], x.len(), rate, &tapers, nw, weights), lines)
    }

    /// The integral of the density under equal weights is the mean square of the samples (Parseval), for one taper
    /// exactly of the tapered ones; white noise has 2/fs.
    #[test]
    fn white_noise_has_its_density_and_its_freedom() {
        let x = white(1, 20_000);
        for weights in [Weights::Adaptive, Weights::Concentration, Weights::Equal] {
            let (m, _) = of(&x, 1000.0, 4.0, 7, weights);
            let total: f64 = m.power.iter().sum::<f64>() * m.step;
            assert!((total - variance(&x, 0)).abs() < 0.03, "{total}");
            let inner = &m.power[10..m.power.len() - 10];
            let spread = variance(inner, 1) / mean(inner).powi(2);
            assert!((spread - 2.0 / m.freedom[100]).abs() < 0.02, "{spread} {}", m.freedom[100]);
            assert!((m.freedom[100] - 14.0).abs() < 0.4 && (m.freedom[0] - 7.0).abs() < 0.3);
            // Neighbours are correlated as they should be.
            for lag in [1, 3, 6] {
                let centred: Vec<f64> = inner.iter().map(|p| p - mean(inner)).collect();
                let product: f64 = centred.iter().zip(&centred[lag..]).map(|(a, b)| a * b).sum();
                let own: f64 = centred.iter().map(|a| a * a).sum();
                assert!((product / own - m.correlation[lag]).abs() < 0.05, "{lag}");
            }
        }
    }

    /// Under the null the p-values of F are uniform; a sine is found with its amplitude and frequency.
    #[test]
    fn lines_are_found_where_there_are_some() {
        let x = white(2, 8000);
        let (_, lines) = of(&x, 1000.0, 4.0, 7, Weights::Adaptive);
        // One place for each ordinate: these are independent.
        let mut p: Vec<f64> = (2..3998).map(|k| line_tail(lines.f[PADDED * k], 6)).collect();
        p.sort_by(f64::total_cmp);
        let far = p.iter().enumerate().map(|(i, p)| (p - i as f64 / 3996.0).abs()).fold(0.0, f64::max);
        assert!(far < 1.6 / 3996f64.sqrt(), "{far}");
        let wave: Vec<f64> =
            x.iter().enumerate().map(|(i, e)| e + 0.3 * (TAU * 40.03 * i as f64 / 1000.0 + 1.0).sin()).collect();
        let (_, lines) = of(&wave, 1000.0, 4.0, 7, Weights::Adaptive);
        let k = (PADDED..PADDED * 4000).max_by(|&a, &b| lines.f[a].total_cmp(&lines.f[b])).unwrap();
        assert!(k.abs_diff(1281) <= 1, "{k}");
        assert!(line_tail(lines.f[k], 6) < 1e-6);
        let tapers = dpss(8000, 4.0, 7).unwrap();
        let (at, amplitude, error) = refined(&wave, 1000.0, Detrend::Constant, &tapers, k);
        assert!((at - 40.03).abs() < 0.01, "{at}");
        assert!((amplitude - 0.3).abs() < 3.0 * error && error < 0.03, "{amplitude} {error}");
    }

    /// data/reference/spectra_pairs.py: nitime's `multi_taper_psd` by eigenvalues; adaptive weights in NumPy,
    /// which move by 5e-4 where the first concentration, 3e-10 from 1, is known to 1e-12 alone.
    #[test]
    fn densities_as_nitime() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../../data/reference/spectra_pairs.json")).unwrap();
        let x: Vec<f64> = (0..1000)
            .map(f64::from)
            .map(|n| (0.1 * n).sin() + 0.5 * (0.37 * n + 1.0).cos() + 0.3 * (0.002 * n * n).sin())
            .collect();
        for (name, weights, tolerance) in
            [("multitaper_eigenvalue", Weights::Concentration, 1e-9), ("multitaper_adaptive", Weights::Adaptive, 2e-3)]
        {
            // Its number of tapers is 2 nw.
            let (m, _) = of(&x, 100.0, 4.0, 8, weights);
            for (k, (got, wanted)) in m.power.iter().zip(reference[name].as_array().unwrap()).enumerate() {
                let wanted = wanted.as_f64().unwrap();
                assert!((got / wanted - 1.0).abs() < tolerance, "{name} {k}: {got} is not {wanted}");
            }
        }
    }

    /// A spectrum that falls by seven orders of magnitude: adaptive weights keep the leakage of the last tapers out.
    #[test]
    fn adaptive_weights_keep_leakage_out() {
        let x: Vec<f64> = white(3, 4096)
            .iter()
            .enumerate()
            .map(|(i, e)| 1e-3 * e + 10.0 * (TAU * 60.0 * i as f64 / 1000.0).sin())
            .collect();
        let (adaptive, _) = of(&x, 1000.0, 4.0, 7, Weights::Adaptive);
        let (equal, _) = of(&x, 1000.0, 4.0, 7, Weights::Equal);
        let far = adaptive.power.len() - 200..adaptive.power.len() - 20;
        let noise = 2e-6 / 1000.0;
        assert!(mean(&adaptive.power[far.clone()]) < 1.5 * noise, "{}", mean(&adaptive.power[far.clone()]) / noise);
        assert!(mean(&equal.power[far]) > 1.5 * noise);
    }
}
