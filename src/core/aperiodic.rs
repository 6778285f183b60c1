//! The aperiodic level under the peaks of a spectrum: L(f) = b − χ log10 f in log10 power, with Gaussian peaks on the
//! flattened spectrum.
//!
//! The algorithm of specparam (Donoghue and others 2020, doi:10.1038/s41593-020-00744-x), fixed mode, its defaults:
//! robust line, peaks found one by one above 2 standard deviations of what is left, Gaussians fitted together, line
//! fitted again with the peaks taken off. One departure: a guess wider than the greatest width starts there, as the
//! paper says (specparam 2.0.0rc7 starts it at the least width).

use super::statistics::{chi_squared_quantile, deviation, mean, quantile};
use nalgebra::{DMatrix, DVector};
use statrs::function::gamma::digamma;

/// How peaks are sought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeakSearch {
    /// Least and greatest full width (two standard deviations) in hertz.
    pub width: (f64, f64),
    /// Greatest number of peaks.
    pub most: usize,
    /// Least height over the aperiodic level, in log10 power.
    pub least_height: f64,
    /// Least height in standard deviations of the flattened spectrum.
    pub threshold: f64,
}

impl Default for PeakSearch {
    fn default() -> Self {
        Self { width: (0.5, 12.0), most: 8, least_height: 0.0, threshold: 2.0 }
    }
}

/// A Gaussian on the flattened spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// Frequency.
    pub centre: f64,
    /// Height over the aperiodic level in log10 power.
    pub height: f64,
    /// Standard deviation in hertz.
    pub sd: f64,
}

impl Peak {
    fn at(&self, f: f64) -> f64 {
        let z = (f - self.centre) / self.sd;
        self.height * (-0.5 * z * z).exp()
    }
}

/// A fitted spectrum.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// b: log10 power at 1 Hz.
    pub offset: f64,
    /// χ.
    pub exponent: f64,
    /// Standard error of χ from the residuals (bins taken as independent).
    pub exponent_se: f64,
    /// Standard error of b.
    pub offset_se: f64,
    /// Peaks by frequency.
    pub peaks: Vec<Peak>,
    /// Share of the variance of log10 power that line and peaks explain.
    pub r_squared: f64,
}

impl Fit {
    /// log10 of the aperiodic level at a frequency above 0.
    pub fn level(&self, f: f64) -> f64 {
        self.offset - self.exponent * f.log10()
    }

    /// log10 of the whole fitted spectrum.
    pub fn model(&self, f: f64) -> f64 {
        self.level(f) + self.peaks.iter().map(|p| p.at(f)).sum::<f64>()
    }
}

/// Fits log10 power at ascending, evenly spaced frequencies above 0. `None` with fewer than eight of them or with power
/// that is not positive.
pub fn fit(frequencies: &[f64], power: &[f64], search: &PeakSearch) -> Option<Fit> {
    let n = frequencies.len();
    if n < 8 || power.len() != n || frequencies[0] <= 0.0 || power.iter().any(|&p| !(p > 0.0 && p.is_finite())) {
        return None;
    }
    let x: Vec<f64> = frequencies.iter().map(|f| f.log10()).collect();
    let y: Vec<f64> = power.iter().map(|p| p.log10()).collect();
    let (b, chi) = robust_line(&x, &y);
    let flat: Vec<f64> = x.iter().zip(&y).map(|(x, y)| y - (b - chi * x)).collect();
    let guesses = guess(frequencies, &flat, search);
    let peaks = refine(frequencies, &flat, guesses, search);
    let rest: Vec<f64> =
        frequencies.iter().zip(&y).map(|(&f, y)| y - peaks.iter().map(|p| p.at(f)).sum::<f64>()).collect();
    let (offset, exponent) = line(&x, &rest);
    let mut fit = Fit { offset, exponent, exponent_se: f64::NAN, offset_se: f64::NAN, peaks, r_squared: f64::NAN };
    let model: Vec<f64> = frequencies.iter().map(|&f| fit.model(f)).collect();
    fit.r_squared = super::statistics::pearson(&model, &y).powi(2);
    let squares: f64 = model.iter().zip(&y).map(|(m, y)| (m - y) * (m - y)).sum();
    let freedom = n as f64 - 2.0 - 3.0 * fit.peaks.len() as f64;
    if freedom > 0.0 {
        let mx = mean(&x);
        let sxx: f64 = x.iter().map(|x| (x - mx) * (x - mx)).sum();
        fit.exponent_se = (squares / freedom / sxx).sqrt();
        fit.offset_se = (squares / freedom * (1.0 / n as f64 + mx * mx / sxx)).sqrt();
    }
    Some(fit)
}

/// What is known of the ordinates of a spectrum beside their values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ordinates<'a> {
    /// Degrees of freedom of each.
    pub freedom: f64,
    /// How estimates that are 0, 1, ... apart are correlated.
    pub correlation: &'a [f64],
    /// Shares of the power of one that come from those 0, 1, ... away on either side.
    pub smear: &'a [f64],
}

/// The aperiodic level: what peaks are held against, and what exponent and offset are read off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Background {
    /// b: log10 of the expected power at 1 Hz.
    pub offset: f64,
    /// χ.
    pub exponent: f64,
    /// Standard error of b.
    pub offset_se: f64,
    /// Standard error of χ.
    pub exponent_se: f64,
    /// Root mean square of log10 power about the whole model (line and peaks) in units of what chance gives, and in
    /// decades: far above 1 where the spectrum is not a line with peaks.
    pub misfit: (f64, f64),
    /// The parabola beside the line.
    bend: Bend,
}

/// What a parabola adds to a line in x = log10 f: c ((x − m)² − a − s (x − m)), which is neither offset nor slope.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Bend {
    middle: f64,
    offset: f64,
    slope: f64,
    by: f64,
}

impl Bend {
    /// By least squares of what is left of a line.
    fn new(x: &[f64], rest: &[f64]) -> Self {
        let middle = mean(x);
        let squares: Vec<f64> = x.iter().map(|x| (x - middle) * (x - middle)).collect();
        let away: Vec<f64> = x.iter().map(|x| x - middle).collect();
        let (offset, exponent) = line(&away, &squares);
        let mut bend = Self { middle, offset, slope: -exponent, by: 1.0 };
        let shape: Vec<f64> = x.iter().map(|&x| bend.at(x)).collect();
        let size: f64 = shape.iter().map(|q| q * q).sum();
        bend.by = if size > 0.0 { shape.iter().zip(rest).map(|(q, r)| q * r).sum::<f64>() / size } else { 0.0 };
        bend
    }

    fn at(&self, x: f64) -> f64 {
        let away = x - self.middle;
        self.by * (away * away - self.offset - self.slope * away)
    }
}

impl Background {
    /// The expected power at a frequency above 0.
    pub fn level(&self, f: f64) -> f64 {
        10f64.powf(self.offset - self.exponent * f.log10())
    }

    /// What a peak is held against: the line or, where it is higher, a parabola. Between two slopes a spectrum lies
    /// above its line, and that is no peak.
    pub fn under_peak(&self, f: f64) -> f64 {
        self.level(f) * 10f64.powf(self.bend.at(f.log10()).max(0.0))
    }

    /// Whether line and peaks do not describe the spectrum: log power lies twice as far from them as chance would have
    /// it, and more than a tenth of a decade.
    pub fn bends(&self) -> bool {
        self.misfit.0 > 2.0 && self.misfit.1 > 0.1
    }
}

/// The background of a spectrum of which `start` is the fit.
///
/// A line through log10 power of all ordinates but those that stand out (upper tail of the chi-squared law below 1e-3,
/// found by repetition from `start`), with what the taper smears taken off, raised by the bias of the mean log of a
/// chi-squared variable with ν degrees of freedom, ln(ν/2) − ψ(ν/2). The line of [`fit`] itself lies too low for a
/// test: the highest ordinates of mere noise are taken off it as peaks. Standard errors allow for correlated ordinates.
pub fn background(frequencies: &[f64], power: &[f64], of: Ordinates<'_>, start: &Fit) -> Background {
    let half = of.freedom / 2.0;
    let bias = (half.ln() - digamma(half)) / std::f64::consts::LN_10;
    let x: Vec<f64> = frequencies.iter().map(|f| f.log10()).collect();
    let (mut b, mut chi) = (start.offset, start.exponent);
    let limit = (chi_squared_quantile(of.freedom, 1.0 - 1e-3) / of.freedom).log10() + bias;
    let mut kept = vec![false; x.len()];
    let mut smeared = smeared(frequencies, chi, of.smear);
    for _ in 0..20 {
        let now: Vec<bool> =
            (0..x.len()).map(|k| power[k] > 0.0 && power[k].log10() - smeared[k] <= limit + b - chi * x[k]).collect();
        if now == kept || now.iter().filter(|k| **k).count() < 4 {
            break;
        }
        kept = now;
        let (kx, ky): (Vec<f64>, Vec<f64>) =
            (0..x.len()).filter(|k| kept[*k]).map(|k| (x[k], power[k].log10() - smeared[k])).unzip();
        (b, chi) = line(&kx, &ky);
        smeared = self::smeared(frequencies, chi, of.smear);
    }
    let scatter = trigamma(half).sqrt() / std::f64::consts::LN_10;
    let (kept_x, rest): (Vec<f64>, Vec<f64>) =
        (0..x.len()).filter(|k| kept[*k]).map(|k| (x[k], power[k].log10() - smeared[k] - (b - chi * x[k]))).unzip();
    // Where the rest scatters more than chance has it, so do the ends of the interval.
    let factor = scatter.max(deviation(&rest, 0));
    let (exponent_se, offset_se) = errors(&x, &kept, of.correlation);
    let away: Vec<f64> =
        frequencies.iter().zip(power).filter(|(_, p)| **p > 0.0).map(|(&f, p)| p.log10() - start.model(f)).collect();
    let rms = (away.iter().map(|r| r * r).sum::<f64>() / away.len() as f64).sqrt();
    Background {
        offset: b + bias,
        exponent: chi,
        offset_se: factor * offset_se,
        exponent_se: factor * exponent_se,
        misfit: (rms / scatter, rms),
        bend: Bend::new(&kept_x, &rest),
    }
}

/// What a taper adds to log10 of a power law at evenly spaced frequencies: ordinates take shares of their neighbours.
/// Nothing comes from 0, of which the mean was taken.
fn smeared(frequencies: &[f64], chi: f64, shares: &[f64]) -> Vec<f64> {
    let step = frequencies.get(1).map_or(1.0, |f| f - frequencies[0]);
    frequencies
        .iter()
        .map(|f| {
            let at = |f: f64| if f > 0.5 * step { f.powf(-chi) } else { 0.0 };
            let sum: f64 = shares
                .iter()
                .enumerate()
                .map(|(m, s)| {
                    let away = m as f64 * step;
                    if m == 0 { s * at(*f) } else { s * (at(f + away) + at(f - away)) }
                })
                .sum();
            (sum / at(*f)).log10()
        })
        .collect()
}

/// Standard errors of slope and offset of a line through correlated points of standard deviation 1.
fn errors(x: &[f64], kept: &[bool], correlation: &[f64]) -> (f64, f64) {
    let used: Vec<f64> = x.iter().zip(kept).filter(|(_, k)| **k).map(|(x, _)| *x).collect();
    let (n, mx) = (used.len() as f64, mean(&used));
    let sxx: f64 = used.iter().map(|x| (x - mx) * (x - mx)).sum();
    let weights = |of: &dyn Fn(f64) -> f64| -> Vec<f64> {
        x.iter().zip(kept).map(|(&x, &k)| if k { of(x) } else { 0.0 }).collect()
    };
    let error = |w: Vec<f64>| {
        let sum: f64 = correlation
            .iter()
            .enumerate()
            .map(|(m, c)| {
                let products: f64 = w.iter().zip(w.get(m..).unwrap_or(&[])).map(|(a, b)| a * b).sum();
                if m == 0 { products } else { 2.0 * c * products }
            })
            .sum();
        sum.max(0.0).sqrt()
    };
    (error(weights(&|x| (x - mx) / sxx)), error(weights(&|x| 1.0 / n - mx * (x - mx) / sxx)))
}

/// ψ′(x), the variance of the log of a gamma variable of shape x: recurrence to 6, then the asymptotic series.
fn trigamma(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 6.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    sum + 1.0 / x + y / 2.0 + y / x * (1.0 / 6.0 - y * (1.0 / 30.0 - y * (1.0 / 42.0 - y / 30.0)))
}

/// Least-squares b and χ of y = b − χ x.
fn line(x: &[f64], y: &[f64]) -> (f64, f64) {
    let (mx, my) = (mean(x), mean(y));
    let (xy, xx) =
        x.iter().zip(y).fold((0.0, 0.0), |(xy, xx), (x, y)| (xy + (x - mx) * (y - my), xx + (x - mx) * (x - mx)));
    let slope = if xx > 0.0 { xy / xx } else { 0.0 };
    (my - slope * mx, -slope)
}

/// A line through the points that lie on or under a first line (0.025th percentile of what rises above it).
fn robust_line(x: &[f64], y: &[f64]) -> (f64, f64) {
    let (b, chi) = line(x, y);
    let above: Vec<f64> = x.iter().zip(y).map(|(x, y)| (y - (b - chi * x)).max(0.0)).collect();
    let mut sorted = above.clone();
    sorted.sort_by(f64::total_cmp);
    let threshold = quantile(&sorted, 0.025 / 100.0);
    let (kept_x, kept_y): (Vec<f64>, Vec<f64>) =
        x.iter().zip(y).zip(&above).filter(|(_, a)| **a <= threshold).map(|((x, y), _)| (*x, *y)).unzip();
    if kept_x.len() < 2 { (b, chi) } else { line(&kept_x, &kept_y) }
}

fn guess(f: &[f64], flat: &[f64], search: &PeakSearch) -> Vec<Peak> {
    let (first, last) = (f[0], f[f.len() - 1]);
    let step = (last - first) / (f.len() - 1) as f64;
    let mut left = flat.to_vec();
    let mut found: Vec<Peak> = Vec::new();
    while found.len() < search.most {
        let Some(top) = (0..left.len()).max_by(|&a, &b| left[a].total_cmp(&left[b]).then(b.cmp(&a))) else { break };
        let height = left[top];
        if height <= search.threshold * deviation(&left, 0) || height <= search.least_height {
            break;
        }
        let low = (1..top).rev().find(|&k| left[k] <= 0.5 * height);
        let high = (top + 1..left.len()).find(|&k| left[k] <= 0.5 * height);
        let side = [low.map(|k| top - k), high.map(|k| k - top)].into_iter().flatten().min();
        let sd = side.map_or(0.5 * (search.width.0 + search.width.1), |s| {
            2.0 * s as f64 * step / (2.0 * (2.0 * 2.0f64.ln()).sqrt())
        });
        let peak = Peak { centre: f[top], height, sd: sd.clamp(0.5 * search.width.0, 0.5 * search.width.1) };
        left.iter_mut().zip(f).for_each(|(l, &f)| *l -= peak.at(f));
        found.push(peak);
    }
    found.retain(|p| (p.centre - first).abs() > p.sd && (p.centre - last).abs() > p.sd);
    found.sort_by(|a, b| a.centre.total_cmp(&b.centre));
    let mut drop = vec![false; found.len()];
    for i in 1..found.len() {
        let (a, b) = (&found[i - 1], &found[i]);
        if a.centre + 0.75 * a.sd > b.centre - 0.75 * b.sd {
            drop[if a.height <= b.height { i - 1 } else { i }] = true;
        }
    }
    let mut dropped = drop.iter();
    found.retain(|_| dropped.next() == Some(&false));
    found
}

/// All Gaussians at once: Levenberg-Marquardt with parameters held inside their bounds (centre within three guessed
/// standard deviations, height not negative, width inside its limits).
fn refine(f: &[f64], flat: &[f64], guesses: Vec<Peak>, search: &PeakSearch) -> Vec<Peak> {
    if guesses.is_empty() {
        return guesses;
    }
    let (first, last) = (f[0], f[f.len() - 1]);
    let bounds: Vec<(f64, f64)> = guesses
        .iter()
        .flat_map(|g| {
            [
                ((g.centre - 3.0 * g.sd).max(first), (g.centre + 3.0 * g.sd).min(last)),
                (0.0, f64::INFINITY),
                (0.5 * search.width.0, 0.5 * search.width.1),
            ]
        })
        .collect();
    let peaks =
        |p: &[f64]| -> Vec<Peak> { p.chunks_exact(3).map(|c| Peak { centre: c[0], height: c[1], sd: c[2] }).collect() };
    let residual = |p: &[f64]| -> Vec<f64> {
        let peaks = peaks(p);
        f.iter().zip(flat).map(|(&f, y)| y - peaks.iter().map(|k| k.at(f)).sum::<f64>()).collect()
    };
    let squares = |r: &[f64]| r.iter().map(|r| r * r).sum::<f64>();
    let mut p: Vec<f64> = guesses.iter().flat_map(|g| [g.centre, g.height, g.sd]).collect();
    let mut r = residual(&p);
    let mut cost = squares(&r);
    let mut damping = 1e-3;
    let m = p.len();
    for _ in 0..200 {
        let mut normal = DMatrix::<f64>::zeros(m, m);
        let mut gradient = DVector::<f64>::zeros(m);
        let mut row = vec![0.0; m];
        for (&f, &r) in f.iter().zip(&r) {
            for (c, row) in p.chunks_exact(3).zip(row.chunks_exact_mut(3)) {
                let z = (f - c[0]) / c[2];
                let e = (-0.5 * z * z).exp();
                row.copy_from_slice(&[c[1] * e * z / c[2], e, c[1] * e * z * z / c[2]]);
            }
            for i in 0..m {
                gradient[i] += row[i] * r;
                for j in 0..=i {
                    normal[(i, j)] += row[i] * row[j];
                }
            }
        }
        // What stands at a bound and is pushed against it does not move.
        for i in 0..m {
            let held = (p[i] <= bounds[i].0 && gradient[i] < 0.0) || (p[i] >= bounds[i].1 && gradient[i] > 0.0);
            for j in 0..i {
                normal[(j, i)] = normal[(i, j)];
            }
            if held {
                gradient[i] = 0.0;
                for j in 0..m {
                    normal[(i, j)] = 0.0;
                    normal[(j, i)] = 0.0;
                }
                normal[(i, i)] = 1.0;
            }
        }
        let mut improved = false;
        let mut settled = false;
        for _ in 0..30 {
            let mut damped = normal.clone();
            for i in 0..m {
                damped[(i, i)] = normal[(i, i)] * (1.0 + damping) + 1e-300;
            }
            let trial: Option<Vec<f64>> = damped
                .cholesky()
                .map(|c| c.solve(&gradient))
                .map(|s| (0..m).map(|i| (p[i] + s[i]).clamp(bounds[i].0, bounds[i].1)).collect());
            if let Some(trial) = trial {
                let new = residual(&trial);
                let new_cost = squares(&new);
                if new_cost <= cost {
                    let moved =
                        p.iter().zip(&trial).map(|(a, b)| (a - b).abs() / (1e-12 + a.abs())).fold(0.0, f64::max);
                    settled = moved < 1e-10;
                    (p, r, cost) = (trial, new, new_cost);
                    damping = (damping * 0.2).max(1e-12);
                    improved = true;
                    break;
                }
            }
            damping *= 4.0;
        }
        if settled || !improved {
            break;
        }
    }
    let mut fitted = peaks(&p);
    fitted.sort_by(|a, b| a.centre.total_cmp(&b.centre));
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() <= tolerance, "{a} is not {b}");
    }

    /// ψ′(1) = π²/6, ψ′(½) = π²/2, and the recurrence.
    #[test]
    fn trigamma_values() {
        let pi2 = std::f64::consts::PI.powi(2);
        close(trigamma(1.0), pi2 / 6.0, 1e-9);
        close(trigamma(0.5), pi2 / 2.0, 1e-9);
        close(trigamma(20.0), trigamma(21.0) + 1.0 / 400.0, 1e-12);
    }

    /// What a Hann taper makes of a power law has the law's exponent and offset again.
    #[test]
    fn smearing_is_taken_off() {
        let f: Vec<f64> = (1..=80).map(|k| f64::from(k) * 0.5).collect();
        let law = |f: f64| if f > 0.0 { 10f64.powf(1.25 - 2.0 * f.log10()) } else { 0.0 };
        let p: Vec<f64> = f.iter().map(|f| 2.0 / 3.0 * law(*f) + (law(f - 0.5) + law(f + 0.5)) / 6.0).collect();
        let start = fit(&f, &p, &PeakSearch::default()).unwrap();
        let of = Ordinates { freedom: 1e6, correlation: &[1.0], smear: &[2.0 / 3.0, 1.0 / 6.0] };
        let found = background(&f, &p, of, &start);
        close(found.exponent, 2.0, 1e-3);
        close(found.offset, 1.25, 1e-3);
    }

    #[test]
    fn a_pure_power_law_is_found_exactly() {
        let f: Vec<f64> = (2..=80).map(|k| f64::from(k) * 0.5).collect();
        let p: Vec<f64> = f.iter().map(|f| 10f64.powf(1.25 - 1.7 * f.log10())).collect();
        let fit = fit(&f, &p, &PeakSearch::default()).unwrap();
        close(fit.offset, 1.25, 1e-12);
        close(fit.exponent, 1.7, 1e-12);
    }

    /// data/reference/aperiodic_specparam.py: specparam 2.0.0rc7 on noisy spectra with two peaks.
    #[test]
    fn specparam_on_noisy_spectra() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../../data/reference/aperiodic_specparam.json")).unwrap();
        let numbers =
            |v: &serde_json::Value| -> Vec<f64> { v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect() };
        let f = numbers(&reference["frequencies"]);
        for case in reference["cases"].as_array().unwrap() {
            let log_power = numbers(&case["log10_power"]);
            let p: Vec<f64> = log_power.iter().map(|p| 10f64.powf(*p)).collect();
            let fit = fit(&f, &p, &PeakSearch::default()).unwrap();
            let aperiodic = numbers(&case["aperiodic"]);
            close(fit.offset, aperiodic[0], 2e-4);
            close(fit.exponent, aperiodic[1], 2e-4);
            let expected: Vec<Vec<f64>> = case["peaks"].as_array().unwrap().iter().map(numbers).collect();
            assert_eq!(fit.peaks.len(), expected.len());
            for (peak, e) in fit.peaks.iter().zip(&expected) {
                close(peak.centre, e[0], 5e-3);
                close(peak.height, e[1], 2e-3);
                close(peak.sd, e[2], 5e-3);
            }
            close(fit.r_squared, case["r_squared"].as_f64().unwrap(), 1e-4);
        }
    }

    #[test]
    fn what_cannot_be_fitted_is_nothing() {
        let f: Vec<f64> = (1..20).map(f64::from).collect();
        assert!(fit(&f[..5], &[1.0; 5], &PeakSearch::default()).is_none());
        assert!(fit(&f, &[0.0; 19], &PeakSearch::default()).is_none());
        assert!(fit(&f, &[1.0; 19], &PeakSearch::default()).is_some());
    }
}
