//! Coherence of sampled signals: cross-spectra of many signals at once, and the law of the estimate.
//!
//! The magnitude-squared coherence of K independent transforms of complex normal noise has a law that is known exactly:
//! given N of a negative binomial law with K failures of probability 1 − γ², it is beta (1 + N, K − 1) (Goodman 1957;
//! Carter, Knapp, Nuttall 1973, doi:10.1109/TAU.1973.1162496). Mean, interval and level are read off it, also for K
//! that is no whole number because segments overlap.

use super::fft::{Complex64, complex_plan, real_plan};
use super::tapers::Tapers;
use super::welch::{Detrend, Settings, detrend_into};
use nalgebra::DMatrix;
use statrs::distribution::{Beta, ContinuousCDF};
use std::f64::consts::TAU;

/// Cross-spectra of pairs of signals: sums over segments and tapers, without a scale.
#[derive(Debug, Clone)]
pub struct CrossSpectra {
    /// Distance of two frequencies; the first is 0.
    pub step: f64,
    /// Σ |X|² of each signal at each frequency.
    pub power: Vec<Vec<f64>>,
    /// Σ X* Y of each pair at each frequency.
    pub cross: Vec<Vec<Complex64>>,
    /// Segments.
    pub segments: usize,
}

/// How stretches are cut and weighted: one taper (Welch) or several.
#[derive(Debug, Clone)]
pub struct Cut {
    /// Samples of a segment.
    pub segment: usize,
    /// Samples from one segment to the next.
    pub step: usize,
    /// Detrending of each segment.
    pub detrend: Detrend,
    /// The tapers.
    pub tapers: Vec<Vec<f64>>,
}

impl Cut {
    /// As Welch's method cuts.
    pub fn welch(s: &Settings) -> Self {
        Self { segment: s.segment, step: s.step(), detrend: s.detrend, tapers: vec![s.taper.weights(s.segment)] }
    }

    /// Segments side by side under several tapers.
    pub fn multitaper(tapers: &Tapers, detrend: Detrend) -> Self {
        let segment = tapers.weights.first().map_or(0, Vec::len);
        Self { segment, step: segment, detrend, tapers: tapers.weights.clone() }
    }

    /// Whole segments in `n` samples.
    pub fn segments(&self, n: usize) -> usize {
        if self.segment == 0 || n < self.segment { 0 } else { (n - self.segment) / self.step.max(1) + 1 }
    }

    /// Independent transforms that `segments` of them are worth for white noise: K = 1/Σ ρ², over all pairs of
    /// tapers and segments that share samples.
    pub fn worth(&self, segments: usize) -> f64 {
        let k = (segments * self.tapers.len()) as f64;
        k / self.correlations(segments, 0)[0]
    }

    /// How estimates at frequencies 0 to `reach` steps apart are correlated (1 at 0).
    pub fn correlation(&self, segments: usize, reach: usize) -> Vec<f64> {
        let all = self.correlations(segments, reach);
        all.iter().map(|c| c / all[0]).collect()
    }

    /// Σ |Σ a_n b_(n + s) exp(−2πi m n/N)|² over pairs of tapers and shifts of segments, by tapers and segments.
    fn correlations(&self, segments: usize, reach: usize) -> Vec<f64> {
        let (n, count) = (self.segment, segments.max(1) as f64);
        let energy: Vec<f64> = self.tapers.iter().map(|t| t.iter().map(|w| w * w).sum::<f64>()).collect();
        (0..=reach)
            .map(|m| {
                let waves: Vec<Complex64> = (0..n).map(|i| Complex64::cis(-TAU * (m * i) as f64 / n as f64)).collect();
                let mut sum = 0.0;
                for s in (0..segments.max(1)).take_while(|s| s * self.step < n || *s == 0) {
                    let share = (1.0 - s as f64 / count) * if s == 0 { 1.0 } else { 2.0 };
                    for (a, of_a) in self.tapers.iter().zip(&energy) {
                        for (b, of_b) in self.tapers.iter().zip(&energy) {
                            let shared: Complex64 =
                                a.iter().zip(&b[s * self.step..]).zip(&waves).map(|((x, y), w)| *w * (x * y)).sum();
                            sum += share * shared.norm_sqr() / (of_a * of_b);
                        }
                    }
                }
                sum / self.tapers.len() as f64
            })
            .collect()
    }
}

/// Spectra of `signals`, which are equally long, and cross-spectra of `pairs` of them. Each transform is made once,
/// whatever the number of pairs. `each` is told after every segment, and may stop the work.
///
/// # Errors
/// What `each` fails with.
pub fn cross_spectra<E>(
    signals: &[&[f64]],
    pairs: &[(usize, usize)],
    rate: f64,
    cut: &Cut,
    mut each: impl FnMut(usize, usize) -> Result<(), E>,
) -> Result<CrossSpectra, E> {
    let segments = signals.iter().map(|s| cut.segments(s.len())).min().unwrap_or(0);
    let (n, bins) = (cut.segment, cut.segment / 2 + 1);
    let plan = real_plan(n);
    let (mut input, mut scratch) = (plan.make_input_vec(), plan.make_scratch_vec());
    let mut transforms = vec![plan.make_output_vec(); signals.len()];
    let mut power = vec![vec![0.0; bins]; signals.len()];
    let mut cross = vec![vec![Complex64::default(); bins]; pairs.len()];
    let mut levelled: Vec<Vec<f64>> = vec![Vec::new(); signals.len()];
    for k in 0..segments {
        for (level, signal) in levelled.iter_mut().zip(signals) {
            detrend_into(&signal[k * cut.step..k * cut.step + n], cut.detrend, level);
        }
        for taper in &cut.tapers {
            for ((level, transform), power) in levelled.iter().zip(&mut transforms).zip(&mut power) {
                input.iter_mut().zip(level).zip(taper).for_each(|((x, a), w)| *x = a * w);
                plan.process_with_scratch(&mut input, transform, &mut scratch)
                    .expect("input, output and scratch are those of the plan");
                power.iter_mut().zip(&*transform).for_each(|(p, z)| *p += z.norm_sqr());
            }
            for (cross, &(a, b)) in cross.iter_mut().zip(pairs) {
                for ((c, x), y) in cross.iter_mut().zip(&transforms[a]).zip(&transforms[b]) {
                    *c += x.conj() * y;
                }
            }
        }
        each(k + 1, segments)?;
    }
    Ok(CrossSpectra { step: rate / n as f64, power, cross, segments })
}

impl CrossSpectra {
    /// Coherence of pair `pair` of signals `a` and `b` at each frequency; NaN where one of them has no power.
    pub fn coherence(&self, pair: usize, (a, b): (usize, usize)) -> Vec<f64> {
        let powers = self.power[a].iter().zip(&self.power[b]);
        self.cross[pair]
            .iter()
            .zip(powers)
            .map(|(c, (x, y))| {
                let product = x * y;
                if product > 0.0 { (c.norm_sqr() / product).min(1.0) } else { f64::NAN }
            })
            .collect()
    }

    /// Coherency of pair `pair` of `pairs` at each frequency, given all other `members` (Rosenberg and others 1998,
    /// doi:10.1016/S0165-0270(98)00061-2): of the inverse P of their matrix of spectra, −P_ij/√(P_ii P_jj). `pairs` are
    /// those the spectra were made of, every two members among them. Not a number where the members are not independent
    /// of each other.
    pub fn partial(&self, pairs: &[(usize, usize)], members: &[usize], pair: usize) -> Vec<Complex64> {
        let nothing = Complex64::new(f64::NAN, f64::NAN);
        let place = |i: usize, j: usize| pairs.iter().position(|p| *p == (i, j));
        let (a, b) = pairs[pair];
        let within = |signal: usize| members.iter().position(|m| *m == signal);
        let (Some(a), Some(b)) = (within(a), within(b)) else { return vec![nothing; self.cross[pair].len()] };
        let size = members.len();
        // Where the cross-spectrum of each two members stands, and whether it is the other way.
        let places: Vec<Option<(usize, bool)>> = (0..size * size)
            .map(|k| {
                let (i, j) = (members[k / size], members[k % size]);
                place(i, j).map(|at| (at, false)).or_else(|| place(j, i).map(|at| (at, true)))
            })
            .collect();
        (0..self.cross[pair].len())
            .map(|f| {
                // In units of each signal's own power, so that none is small beside another.
                let power = |i: usize| self.power[members[i]][f].sqrt();
                let matrix = DMatrix::from_fn(size, size, |i, j| {
                    if i == j {
                        return Complex64::new(1.0, 0.0);
                    }
                    places[i * size + j].map_or(nothing, |(at, turned)| {
                        let z = self.cross[at][f] / (power(i) * power(j));
                        if turned { z.conj() } else { z }
                    })
                });
                let Some(inverse) = matrix.try_inverse() else { return nothing };
                let product = inverse[(a, a)].re * inverse[(b, b)].re;
                if product > 0.0 { -inverse[(a, b)] / product.sqrt() } else { nothing }
            })
            .collect()
    }
}

/// The level below which 95 % (at `level` 0.95) of estimates from `worth` independent transforms stay without
/// coherence: 1 − (1 − level)^(1/(K − 1)).
pub fn chance_level(worth: f64, level: f64) -> f64 {
    if worth > 1.0 { 1.0 - (1.0 - level).powf(1.0 / (worth - 1.0)) } else { 1.0 }
}

/// Probability of an estimate of at least `c` without coherence.
pub fn chance_tail(worth: f64, c: f64) -> f64 {
    if worth > 1.0 { (1.0 - c.clamp(0.0, 1.0)).powf(worth - 1.0) } else { 1.0 }
}

/// The largest number of terms that are summed: where more are needed, the estimate is normal after Fisher's z.
const TERMS: f64 = 3000.0;

/// Probabilities of N, from the first that matters on.
fn mixture(worth: f64, squared: f64) -> impl Iterator<Item = f64> {
    let odds = squared / (1.0 - squared);
    let most = (worth * odds + 12.0 * (worth * odds * (1.0 + odds)).sqrt() + 40.0).ceil() as usize;
    let (log_start, log_ratio) = (worth * (-squared).ln_1p(), squared.max(f64::MIN_POSITIVE).ln());
    let mut log = log_start;
    (0..most).map(move |j| {
        if j > 0 {
            log += ((worth + j as f64 - 1.0) / j as f64).ln() + log_ratio;
        }
        log.exp()
    })
}

/// Probability of an estimate of at most `c` from `worth` independent transforms where the coherence is `squared`.
pub fn cumulative(c: f64, worth: f64, squared: f64) -> f64 {
    if worth <= 1.0 || c >= 1.0 {
        return 1.0;
    }
    if squared <= 0.0 {
        return 1.0 - chance_tail(worth, c);
    }
    // I_c(1 + j, K − 1) from j to j + 1 loses c^(1 + j) (1 − c)^(K − 1)/((1 + j) B(1 + j, K − 1)).
    let mut below = 1.0 - (1.0 - c).powf(worth - 1.0);
    let mut lost = c * (1.0 - c).powf(worth - 1.0) * (worth - 1.0);
    let mut sum = 0.0;
    for (j, p) in mixture(worth, squared).enumerate() {
        sum += p * below.max(0.0);
        let j = j as f64;
        below -= lost;
        lost *= c * (worth + j) / (j + 2.0);
    }
    sum.clamp(0.0, 1.0)
}

/// Mean and variance of the estimate from `worth` independent transforms where the coherence is `squared`.
pub fn moments(worth: f64, squared: f64) -> (f64, f64) {
    if squared >= 1.0 {
        return (1.0, 0.0);
    }
    if worth * squared / (1.0 - squared) > TERMS {
        let rest = 1.0 - squared;
        return (squared + rest * rest / worth, 2.0 * squared * rest * rest / worth);
    }
    let (mut first, mut second) = (0.0, 0.0);
    for (j, p) in mixture(worth, squared).enumerate() {
        let j = j as f64;
        first += p * (1.0 + j) / (worth + j);
        second += p * (1.0 + j) * (2.0 + j) / ((worth + j) * (worth + j + 1.0));
    }
    (first, (second - first * first).max(0.0))
}

/// The coherence whose estimates are `c` on average: what is left when the bias is taken off; 0 where even none gives
/// more.
pub fn unbiased(c: f64, worth: f64) -> f64 {
    if !(c > 1.0 / worth && worth > 1.0) {
        return 0.0;
    }
    bisected(|squared| moments(worth, squared).0 < c)
}

/// Interval of the coherence of which `c` is the estimate from `worth` independent transforms: the values under which
/// it is neither among the lowest `low_tail` nor the highest `high_tail`.
pub fn interval(c: f64, worth: f64, low_tail: f64, high_tail: f64) -> (f64, f64) {
    if worth <= 1.0 || !c.is_finite() {
        return (0.0, 1.0);
    }
    if worth * c / (1.0 - c).max(f64::EPSILON) > TERMS {
        // Fisher's z of the modulus: variance 1/(2 (K − 1)), bias 1/(2 (K − 1)).
        let others = worth - 1.0;
        let z = c.sqrt().min(1.0 - 1e-15).atanh() - 0.5 / others;
        let error = (0.5 / others).sqrt();
        let at = |tail: f64| (z + super::statistics::normal_quantile(tail) * error).max(0.0).tanh().powi(2);
        return (at(low_tail), at(1.0 - high_tail));
    }
    let low = if chance_tail(worth, c) > low_tail {
        0.0
    } else {
        bisected(|squared| 1.0 - cumulative(c, worth, squared) < low_tail)
    };
    (low, if 1.0 - chance_tail(worth, c) < high_tail { 0.0 } else { bisected(|s| cumulative(c, worth, s) > high_tail) })
}

/// The coherence under which `c` is the median of the largest of `choices` estimates from `worth` independent
/// transforms each: what is left when the choice of the largest is taken off.
pub fn unchosen(c: f64, worth: f64, choices: f64) -> f64 {
    if worth <= 1.0 || !c.is_finite() {
        return 0.0;
    }
    let tail = -(0.5_f64.ln() / choices.max(1.0)).exp_m1();
    interval(c, worth, tail, 0.5).0
}

/// The end of the values from 0 on for which `holds`.
fn bisected(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0 - 1e-12);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if holds(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Ordinates that the mean over a band is worth at the least. A band of one next to zero or Nyquist holds the least:
/// there an ordinate hangs together with its mirror image, and a transform that is real is half of a complex one.
const LEAST_INDEPENDENT: f64 = 0.5;

/// Probability that the mean of `count` estimates without coherence, which scatters as `independent` of them would, is
/// at least `mean`: a beta law of the same mean and variance (that of one estimate for one).
pub fn mean_tail(mean: f64, worth: f64, independent: f64) -> f64 {
    if worth <= 1.0 {
        return 1.0;
    }
    let (m, v) = (1.0 / worth, (worth - 1.0) / (worth * worth * (worth + 1.0)) / independent.max(LEAST_INDEPENDENT));
    let size = m * (1.0 - m) / v - 1.0;
    Beta::new(m * size, (1.0 - m) * size).map_or(f64::NAN, |law| law.sf(mean.clamp(0.0, 1.0)))
}

/// Interval of the coherence of which the mean over a band is `mean`, where that scatters as the mean of `independent`
/// estimates does: the values from which it is not farther than 1.96 standard errors, taking off the bias.
pub fn mean_interval(mean: f64, worth: f64, independent: f64) -> (f64, f64) {
    if worth <= 1.0 || !mean.is_finite() {
        return (0.0, 1.0);
    }
    let away = |squared: f64, sign: f64| {
        let (m, v) = moments(worth, squared);
        m + sign * 1.96 * (v / independent.max(LEAST_INDEPENDENT)).sqrt()
    };
    let end = |sign: f64| if away(0.0, sign) >= mean { 0.0 } else { bisected(|s| away(s, sign) < mean) };
    (end(1.0), end(-1.0))
}

/// A delay, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delay {
    /// By how much the second signal is later, in units of one over those of the frequencies.
    pub delay: f64,
    /// Its standard error.
    pub error: f64,
    /// The phase that is left at frequency zero.
    pub offset: f64,
}

/// The delay of the second signal from the slope of the phase over frequency: the largest |Σ w exp(i(φ + 2πfτ))| over
/// τ, with the weights C/(1 − C) of phases of coherence C (Hannan and Thomson 1973, doi:10.1093/biomet/60.3.469), which
/// needs no unwrapping. A constant phase beside it (a sign, a filter) changes nothing. The ordinates are `(k, φ, C)` at
/// the frequencies k `step`; `correlated` is how many of them are worth one. Delays up to half of 1/`step` can be told;
/// `None` with fewer than three ordinates.
pub fn delay(ordinates: &[(usize, f64, f64)], step: f64, worth: f64, correlated: f64) -> Option<Delay> {
    let (first, last) = (ordinates.first()?.0, ordinates.last()?.0);
    if ordinates.len() < 3 {
        return None;
    }
    let frequencies: Vec<f64> = ordinates.iter().map(|o| o.0 as f64 * step).collect();
    let phases: Vec<f64> = ordinates.iter().map(|o| o.1).collect();
    let weights: Vec<f64> = ordinates.iter().map(|o| o.2 / (1.0 - o.2).max(1e-9)).collect();
    let total: f64 = weights.iter().sum();
    let sum = |tau: f64| -> Complex64 {
        frequencies.iter().zip(&phases).zip(&weights).map(|((f, p), w)| Complex64::cis(p + TAU * f * tau) * *w).sum()
    };
    // Eight places for each that can be told apart, all by one transform.
    let places = (8 * (last - first + 1)).next_power_of_two();
    let apart = 1.0 / (step * places as f64);
    let mut of_places = vec![Complex64::default(); places];
    for ((k, phase, _), w) in ordinates.iter().zip(&weights) {
        of_places[k - first] = Complex64::cis(*phase) * *w;
    }
    complex_plan(places).process(&mut of_places);
    let best = (0..places).max_by(|&a, &b| of_places[a].norm_sqr().total_cmp(&of_places[b].norm_sqr()))?;
    // The transform turns the other way: place j is the delay −j.
    let best = if 2 * best < places { -(best as f64) } else { (places - best) as f64 };
    let mut tau = best * apart;
    let centre = frequencies.iter().zip(&weights).map(|(f, w)| f * w).sum::<f64>() / total;
    for _ in 0..50 {
        let direction = sum(tau).arg();
        let (mut slope, mut curvature) = (0.0, 0.0);
        for ((f, p), w) in frequencies.iter().zip(&phases).zip(&weights) {
            let omega = TAU * (f - centre);
            let (s, c) = (p + TAU * f * tau - direction).sin_cos();
            slope -= w * omega * s;
            curvature += w * omega * omega * c;
        }
        if curvature <= 0.0 {
            break;
        }
        let move_by = (slope / curvature).clamp(-apart, apart);
        tau += move_by;
        if move_by.abs() <= 1e-12 * apart {
            break;
        }
    }
    // Var φ = (1 − C)/(2 K C).
    let spread: f64 = frequencies.iter().zip(&weights).map(|(f, w)| w * (TAU * (f - centre)).powi(2)).sum();
    let error = (correlated / (2.0 * worth * spread)).sqrt();
    Some(Delay { delay: tau, error, offset: sum(tau).arg() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::normal;
    use crate::rng::Key;
    use crate::statistics::{mean, variance};

    fn white(seed: u64, unit: u32, n: usize) -> Vec<f64> {
        let key = Key::new(seed, "coherence", "white");
        (0..n as u64).map(|k| normal(key, unit, k)).collect()
    }

    fn made(squared: f64, seed: u64, segments: usize) -> f64 {
        // Complex normal transforms of the wanted coherence.
        let g = squared.sqrt();
        let x = white(seed, 0, 2 * segments);
        let e = white(seed, 1, 2 * segments);
        let (mut xx, mut yy, mut xy) = (0.0, 0.0, Complex64::default());
        for k in 0..segments {
            let a = Complex64::new(x[2 * k], x[2 * k + 1]);
            let b = a * g + Complex64::new(e[2 * k], e[2 * k + 1]) * (1.0 - squared).sqrt();
            xx += a.norm_sqr();
            yy += b.norm_sqr();
            xy += a.conj() * b;
        }
        xy.norm_sqr() / (xx * yy)
    }

    /// Mean, scatter, distribution and interval of the law against estimates drawn by it.
    #[test]
    fn the_law_is_that_of_estimates() {
        for (squared, k) in [(0.0, 6), (0.3, 8), (0.8, 12)] {
            let drawn: Vec<f64> = (0..1500).map(|s| made(squared, s, k)).collect();
            let (m, v) = moments(k as f64, squared);
            let error = (v / 1500.0).sqrt();
            assert!((mean(&drawn) - m).abs() < 4.0 * error, "{squared} {k}: {} {m}", mean(&drawn));
            assert!((variance(&drawn, 1) / v - 1.0).abs() < 0.2, "{squared} {k}");
            for c in [0.05, 0.3, 0.7] {
                let share = drawn.iter().filter(|d| **d <= c).count() as f64 / 1500.0;
                assert!((share - cumulative(c, k as f64, squared)).abs() < 0.04, "{squared} {k} {c}: {share}");
            }
            let held = drawn
                .iter()
                .filter(|c| {
                    let (low, high) = interval(**c, k as f64, 0.025, 0.025);
                    low <= squared && squared <= high
                })
                .count();
            let most = if squared == 0.0 { 1500 } else { 1460 };
            assert!((1390..=most).contains(&held), "{squared} {k}: {held}");
            assert!((unbiased(m, k as f64) - squared).abs() < 1e-6);
        }
        assert!((chance_level(10.0, 0.95) - (1.0 - 0.05f64.powf(1.0 / 9.0))).abs() < 1e-15);
        assert!((chance_tail(10.0, chance_level(10.0, 0.95)) - 0.05).abs() < 1e-15);
        // Where terms are too many, Fisher's z takes over without a jump.
        let (a, b) = (interval(0.9, 320.0, 0.025, 0.025), interval(0.9, 340.0, 0.025, 0.025));
        assert!((a.0 - b.0).abs() < 0.003 && (a.1 - b.1).abs() < 0.003, "{a:?} {b:?}");
        assert_eq!(unbiased(0.05, 10.0), 0.0);
    }

    /// Of overlapping Hann segments K is what Welch 1967 says, and of tapers their number.
    #[test]
    fn transforms_are_worth_what_they_share() {
        let settings = Settings::new(128);
        let cut = Cut::welch(&settings);
        assert!((cut.worth(40) - settings.freedom(40) / 2.0).abs() < 1e-9);
        assert!(cut.correlation(40, 4).iter().zip(settings.correlation(40)).all(|(a, b)| (a - b).abs() < 1e-12));
        let tapers = crate::tapers::dpss(128, 4.0, 7).unwrap();
        assert!((Cut::multitaper(&tapers, Detrend::Constant).worth(5) - 35.0).abs() < 1e-9);
    }

    /// x drives y, and y drives z: x and z are coherent, and not given y; two signals given none have their coherency.
    #[test]
    fn what_lies_between_takes_the_coherence() {
        let key = Key::new(5, "coherence", "partial");
        let e = |unit: u32| (0..60_000).map(move |k| normal(key, unit, k)).collect::<Vec<f64>>();
        let add = |a: &[f64], b: &[f64], by: usize| -> Vec<f64> {
            (0..a.len()).map(|k| b[k] + k.checked_sub(by).map_or(0.0, |k| a[k])).collect()
        };
        let x = e(0);
        let y = add(&x, &e(1), 3);
        let z = add(&y, &e(2), 2);
        let pairs = [(0, 1), (0, 2), (1, 2)];
        let never = |_, _| Ok::<(), ()>(());
        let cut = Cut::welch(&Settings::new(128));
        let s = cross_spectra(&[&x, &y, &z], &pairs, 1000.0, &cut, never).unwrap();
        let mean = |all: Vec<f64>| all[4..60].iter().sum::<f64>() / 56.0;
        let given = |members: &[usize], pair: usize| {
            s.partial(&pairs, members, pair).iter().map(nalgebra::Complex::norm_sqr).collect::<Vec<f64>>()
        };
        // 1/(1 + 2) without y; a thousandth is the bias.
        assert!((mean(s.coherence(1, (0, 2))) - 1.0 / 3.0).abs() < 0.01);
        assert!(mean(given(&[0, 1, 2], 1)) < 0.003);
        // Given z: x and y have correlations 1/√2, 1/√3 and √(2/3): (1/√2 − √2/3)²/((1 − 1/3)(1 − 2/3)).
        let wanted = (0.5f64.sqrt() - 2.0f64.sqrt() / 3.0).powi(2) / (2.0 / 9.0);
        assert!((mean(given(&[0, 1, 2], 0)) - wanted).abs() < 0.01, "{wanted}");
        for (a, b) in given(&[0, 2], 1).iter().zip(s.coherence(1, (0, 2))) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
        let phases = s.partial(&pairs, &[0, 2], 1);
        assert!(phases.iter().zip(&s.cross[1]).all(|(a, b)| (a.arg() - b.arg()).abs() < 1e-9));
        assert!(s.partial(&pairs, &[0, 1], 1)[3].norm().is_nan());
        let twice = cross_spectra(&[&x, &x, &z], &pairs, 1000.0, &cut, never).unwrap();
        let same = twice.partial(&pairs, &[0, 1, 2], 1)[9].norm();
        assert!(same.is_nan() || same < 1.0 + 1e-6, "{same}");
    }

    /// y is x later by three samples and turned round, in noise: coherence 1/2 and the delay, whatever the sign.
    #[test]
    fn delays_are_slopes_of_the_phase() {
        let x = white(1, 0, 40_000);
        let noise = white(1, 1, 40_000);
        let y: Vec<f64> = (0..40_000).map(|k| noise[k] - x[(k + 39_997) % 40_000]).collect();
        let cut = Cut::welch(&Settings::new(256));
        let s = cross_spectra(&[&x, &y], &[(0, 1)], 1000.0, &cut, |_, _| Ok::<(), ()>(())).unwrap();
        let c = s.coherence(0, (0, 1));
        assert!((mean(&c[1..128]) - 0.5).abs() < 0.02, "{}", mean(&c[1..128]));
        let ordinates: Vec<(usize, f64, f64)> = (1..128).map(|k| (k, s.cross[0][k].arg(), c[k])).collect();
        let correlated = 1.0 + 2.0 * cut.correlation(s.segments, 4)[1..].iter().sum::<f64>();
        let d = delay(&ordinates, s.step, cut.worth(s.segments), correlated).unwrap();
        assert!((d.delay - 0.003).abs() < 4.0 * d.error && d.error < 2e-5, "{d:?}");
        assert!((d.offset.abs() - std::f64::consts::PI).abs() < 0.1, "{d:?}");
    }

    /// data/reference/spectra_pairs.py: SciPy's `coherence` and the angle of its `csd`.
    #[test]
    fn estimates_as_scipy() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../../data/reference/spectra_pairs.json")).unwrap();
        let n = || (0..1000).map(f64::from);
        let x: Vec<f64> =
            n().map(|n| (0.1 * n).sin() + 0.5 * (0.37 * n + 1.0).cos() + 0.3 * (0.002 * n * n).sin()).collect();
        let y: Vec<f64> =
            n().map(|n| (0.1 * n).cos() + 0.2 * (0.37 * n).sin() + 0.3 * (0.0015 * n * n + 2.0).sin()).collect();
        let hamming = Settings {
            overlap: 80,
            taper: crate::welch::Taper::Hamming,
            detrend: Detrend::Linear,
            ..Settings::new(125)
        };
        for (name, settings) in [("coherence_128", Settings::new(128)), ("coherence_hamming_125", hamming)] {
            let cut = Cut::welch(&settings);
            let s = cross_spectra(&[&x, &y], &[(0, 1)], 100.0, &cut, |_, _| Ok::<(), ()>(())).unwrap();
            for (k, (got, wanted)) in s.coherence(0, (0, 1)).iter().zip(reference[name].as_array().unwrap()).enumerate()
            {
                let wanted = wanted.as_f64().unwrap();
                // What detrending leaves of the ends is rounding.
                assert!(k == 0 || (got - wanted).abs() < 1e-9, "{name} {k}: {got} is not {wanted}");
            }
            if settings.segment == 128 {
                for (k, wanted) in reference["phase_128"].as_array().unwrap().iter().enumerate().skip(1).take(62) {
                    let far = s.cross[0][k].arg() - wanted.as_f64().unwrap();
                    assert!(far.sin().abs() < 1e-9, "{k}: {far}");
                }
            }
        }
    }

    #[test]
    fn the_mean_of_many_estimates_has_its_law() {
        let law = |seed: u64| mean(&(0..10).map(|k| made(0.0, 10 * seed + k, 8)).collect::<Vec<_>>());
        let p: Vec<f64> = (0..1000).map(|s| mean_tail(law(s), 8.0, 10.0)).collect();
        let small = p.iter().filter(|p| **p < 0.05).count();
        assert!((30..70).contains(&small), "{small}");
    }
}
