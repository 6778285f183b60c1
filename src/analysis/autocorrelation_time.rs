//! The time over which a signal remembers itself: exponential and integrated autocorrelation times.

use super::prelude::*;
use super::series::{self, Series};
use spikedeck_core::delay::autocorrelation;
use spikedeck_core::number::shown;
use spikedeck_core::surrogate::{jackknife_blocks, jackknife_interval};
use spikedeck_signal::{Axis, CurveStyle, Series as Curves, Shape};

/// The analysis `autocorrelation_time`.
pub struct AutocorrelationTime;

const CARD: AnalysisCard = AnalysisCard {
    title: "Autocorrelation times",
    synonyms: &["timescale", "time_scale", "intrinsic_timescale", "correlation_time", "decorrelation_time", "abctau"],
    summary: "over which time a signal forgets itself: exponential fit and integral of its autocorrelation, with the \
              bias of a short recording taken off",
    formula: "ρ(k) = c(k)/c(0), c(k) = n/(n − k) · mean product + V, V = c(0)(1 + 2Σρ)/n: what subtracting the mean of \
              the data itself took off\n\
              tau: A exp(−t/τ) by least squares from the first lag to the first at which ρ < ρ(1)/2 (A below 1 where \
              samples have noise of their own)\n\
              integrated = Δ(½ + Σρ(k)) up to the first ρ ≤ 0",
    assumptions: "A stationary signal, many times longer than it remembers. tau: one exponential.",
    bias: "Subtracting the mean lowers ρ by about 2τ/T; it is added again. What is left is of the order of (τ/T)². \
           Interval: delete-a-block jackknife.",
    cost: "O(N lags), for each block again",
    caveats: "A rhythm has no such time: ρ falls through 0 after a quarter of its period whatever it remembers. Two \
              exponentials give a τ between them. Rates in bins: the noise of counting is in ρ(0) alone, and A says \
              how much of the variance is not.",
    references: &[
        "Zeraati, Engel, Levina 2022, Nat Comput Sci 2:193-204, doi:10.1038/s43588-022-00214-3",
        "Murray and others 2014, Nat Neurosci 17:1661-1663, doi:10.1038/nn.3862",
        "Marriott, Pope 1954, Biometrika 41:390-402, doi:10.1093/biomet/41.3-4.390",
    ],
};

options! {
    /// What `autocorrelation_time` can be told.
    pub struct Options {
        max_lag: Option<Time> = time_if_given(),
            "longest lag that is looked at (default: a tenth of the signal, 10000 samples at the most)";
        blocks: usize = integer("20").between(0.0, 1000.0), "blocks of the jackknife; 0 for no interval";
        bin: Time = rate_bin(), "bin of a population rate, which is a sampled signal then";
    }
}

/// Samples that are needed.
const LEAST: usize = 50;
/// Longest lag by default, in samples.
const MOST_LAGS: usize = 10_000;
/// Least correlation at the first lag.
const LEAST_CORRELATION: f64 = 0.1;
/// Share of it down to which the exponential is fitted: further out the scatter of a single long excursion makes τ of a
/// short recording many times too large.
const FITTED: f64 = 0.5;
/// Times in a block: shorter ones are not independent.
const IN_A_BLOCK: f64 = 10.0;

/// What a stretch of a signal gives, in samples.
#[derive(Debug, Clone)]
struct Found {
    rho: Vec<f64>,
    tau: Option<(f64, f64)>,
    integrated: f64,
    /// Whether the correlation is above 0 at all lags.
    cut: bool,
}

impl Found {
    fn of(values: &[f64], lags: usize) -> Self {
        let n = values.len() as f64;
        let raw: Vec<f64> =
            autocorrelation(values, lags).into_iter().enumerate().map(|(k, r)| r * n / (n - k as f64)).collect();
        let mut rho = raw.clone();
        let (mut integrated, mut cut) = sum(&rho);
        // V in parts of c(0), which it raises as well: twice is enough.
        for _ in 0..2 {
            let lost = (2.0 * integrated / n).min(0.5);
            rho = raw.iter().map(|r| (r + lost) / (1.0 + lost)).collect();
            (integrated, cut) = sum(&rho);
        }
        Self { tau: fit(&rho), rho, integrated, cut }
    }
}

/// ½ + Σρ up to the first that is not above 0, and whether there is none.
fn sum(rho: &[f64]) -> (f64, bool) {
    let positive = rho.iter().skip(1).take_while(|r| **r > 0.0).count();
    (0.5 + rho[1..=positive].iter().sum::<f64>(), positive + 1 == rho.len())
}

/// τ and A of A exp(−k/τ) from lag 1 to the first below [`FITTED`] of it; `None` without memory, or where fewer than
/// three
/// lags are above it.
fn fit(rho: &[f64]) -> Option<(f64, f64)> {
    let last = rho.iter().skip(1).take_while(|r| **r >= FITTED * rho[1]).count();
    if last < 3 || rho[1] < LEAST_CORRELATION {
        return None;
    }
    let error = |log_tau: f64| {
        let tau = log_tau.exp();
        let (mut ee, mut er, mut rr) = (0.0, 0.0, 0.0);
        for (k, r) in rho.iter().enumerate().take(last + 1).skip(1) {
            let e = (-(k as f64) / tau).exp();
            (ee, er, rr) = (ee + e * e, er + e * r, rr + r * r);
        }
        (rr - er * er / ee, er / ee)
    };
    // The error has one valley; golden section.
    let (mut low, mut high) = ((0.2_f64).ln(), (100.0 * last as f64).ln());
    let golden = 0.5 * (5.0_f64.sqrt() - 1.0);
    for _ in 0..80 {
        let (a, b) = (high - golden * (high - low), low + golden * (high - low));
        if error(a).0 < error(b).0 { high = b } else { low = a }
    }
    let middle = 0.5 * (low + high);
    Some((middle.exp(), error(middle).1))
}

impl Estimator for AutocorrelationTime {
    type Options = Options;
    const KIND: &'static str = "autocorrelation_time";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let unit = f.base.unit();
        let wanted = [("tau", unit), ("integrated", unit), ("amplitude", "")];
        let mut curves = Vec::new();
        series::each(f, o.bin, LEAST, &wanted, |f, s| {
            let n = s.values.len();
            let lags = match o.max_lag {
                Some(time) => s.samples("max_lag", time)?,
                None => (n / 10).min(MOST_LAGS),
            };
            if lags < 3 || 2 * lags > n {
                let why = format!("lags up to {lags} of {n} samples: it needs three, and twice as many samples");
                f.metrics(wanted.map(|(metric, unit)| s.missing(metric, unit, &why)));
                return Ok(());
            }
            let found = Found::of(&s.values, lags);
            let left_out = blocks(o, f, s, &found, lags)?;
            told(f, s, &found, &left_out);
            let x: Vec<f64> = (0..=lags).map(|k| s.axis(k as f64)).collect();
            if let Some((tau, a)) = found.tau {
                let y = (0..=lags).map(|k| a * (-(k as f64) / tau).exp()).collect();
                curves.push(curve(format!("{} fit", s.name), x.clone(), y, CurveStyle::Theory));
            }
            curves.push(curve(&s.name, x, found.rho, CurveStyle::Line));
            Ok(())
        })?;
        if !curves.is_empty() {
            let (x, y) = (Axis::new("lag", unit), Axis::new("autocorrelation", ""));
            f.shape("autocorrelation", Shape::Series(Curves { x, y, curves, references: Vec::new() }));
        }
        Ok(())
    }
}

/// The same without each block, or why that says nothing.
fn blocks(
    o: &Options,
    f: &Findings<'_>,
    s: &Series,
    found: &Found,
    lags: usize,
) -> Result<Result<Vec<Found>, String>, AnalysisError> {
    let n = s.values.len();
    if o.blocks < 3 {
        return Ok(Err(String::new()));
    }
    let block = n / o.blocks;
    if (block as f64) < IN_A_BLOCK * found.integrated {
        return Ok(Err(format!(
            "no interval: blocks of {block} samples hold {:.1} autocorrelation times",
            block as f64 / found.integrated
        )));
    }
    let mut list = Vec::with_capacity(o.blocks);
    for (k, block) in jackknife_blocks(n, o.blocks).into_iter().enumerate() {
        f.progress(k as f64 / o.blocks as f64)?;
        let rest: Vec<f64> = s.values[..block.start].iter().chain(&s.values[block.end..]).copied().collect();
        list.push(Found::of(&rest, lags.min(rest.len() / 2)));
    }
    Ok(Ok(list))
}

fn told(f: &mut Findings<'_>, s: &Series, found: &Found, left_out: &Result<Vec<Found>, String>) {
    let unit = f.base.unit();
    let with = |m: Metric, value: f64, of: &dyn Fn(&Found) -> f64| match left_out {
        Err(why) if why.is_empty() => m,
        Err(why) => m.note(why),
        Ok(list) => match jackknife_interval(value, &list.iter().map(of).collect::<Vec<_>>()) {
            Some((low, high)) => m.interval(low.max(0.0), high).interval_by("95 % delete-a-block jackknife"),
            None => m.note("no interval: without a block there is no value"),
        },
    };
    match found.tau {
        Some((tau, amplitude)) => {
            let tau = s.axis(tau);
            let of = |found: &Found| found.tau.map_or(f64::NAN, |t| s.axis(t.0));
            f.metric(
                with(s.metric("tau", tau, unit, s.n()), tau, &of).note("chance: none, white noise has no lags to fit"),
            );
            let of = |found: &Found| found.tau.map_or(f64::NAN, |t| t.1);
            f.metric(with(s.metric("amplitude", amplitude, "", s.n()), amplitude, &of));
            f.word(format!("{}: τ {} {unit}", s.name, shown(tau)));
        }
        None => {
            let why = "no memory of three samples: the correlation is below 0.1, or halves sooner than that";
            f.metrics([s.missing("tau", unit, why), s.missing("amplitude", "", why)]);
            f.word(format!("{}: no τ, {why}", s.name));
        }
    }
    let integrated = s.axis(found.integrated);
    let of = |found: &Found| s.axis(found.integrated);
    let m = with(s.metric("integrated", integrated, unit, s.n()), integrated, &of).chance(s.axis(0.5));
    f.metric(m.chance_by("chance: half a sample, of white noise"));
    if found.cut {
        f.warn(format!("{}: its correlation is above 0 at all lags looked at: a longer `max_lag`, or a drift", s.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::{bad_series, noise};
    use crate::testing::{metric, run, same_values, shifted, subject, traces, value};

    /// x = φ x + e with φ = exp(−1/τ), sampled at 2 ms.
    fn memory(seed: u64, n: usize, tau: f64) -> Vec<f64> {
        let phi = (-1.0 / tau).exp();
        let mut x = 0.0;
        noise(seed, n + 1000)
            .into_iter()
            .map(|e| {
                x = phi * x + e;
                x
            })
            .skip(1000)
            .collect()
    }

    #[test]
    fn an_exponential_memory_has_its_time_by_both() {
        let r = traces(&[memory(1, 50_000, 20.0)], 2.0);
        let o = run(&AutocorrelationTime, &r, vec![subject("V_m", &[])], &[]).unwrap();
        for name in ["tau", "integrated"] {
            let m = metric(&o, "p.V_m", name);
            let (low, high) = m.ends().unwrap();
            assert!(low < 40.0 && 40.0 < high && high - low < 30.0 && m.unit == "ms", "{m:?}");
        }
        assert!((value(&o, "p.V_m", "amplitude") - 1.0).abs() < 0.05);
        same_values(&o, &run(&AutocorrelationTime, &shifted(&r, 1e6), vec![subject("V_m", &[])], &[]).unwrap(), 1e-9);
        // Noise of each sample halves the variance that is remembered, and leaves τ.
        let x: Vec<f64> = memory(2, 50_000, 20.0).iter().zip(noise(3, 50_000)).map(|(x, e)| x + 3.2 * e).collect();
        let o = run(&AutocorrelationTime, &traces(&[x], 2.0), vec![subject("V_m", &[])], &[]).unwrap();
        assert!((value(&o, "p.V_m", "tau") - 40.0).abs() < 6.0 && (value(&o, "p.V_m", "amplitude") - 0.5).abs() < 0.08);
    }

    /// Of many short recordings the middle one is the truth, and below it where the mean of the data is taken off
    /// alone.
    #[test]
    fn the_bias_of_short_recordings_is_taken_off() {
        let lags = 60;
        let all: Vec<(f64, f64)> = (0..300)
            .filter_map(|seed| {
                let x = memory(seed + 10, 400, 10.0);
                let n = x.len() as f64;
                let plain: Vec<f64> =
                    autocorrelation(&x, lags).into_iter().enumerate().map(|(k, r)| r * n / (n - k as f64)).collect();
                Some((Found::of(&x, lags).tau?.0, fit(&plain)?.0))
            })
            .collect();
        let median =
            |of: fn(&(f64, f64)) -> f64| spikedeck_core::statistics::median(&all.iter().map(of).collect::<Vec<_>>());
        let (ours, plain) = (median(|a| a.0), median(|a| a.1));
        assert!(all.len() > 280 && (ours - 10.0).abs() < 1.2 && plain < ours - 0.2, "{ours} {plain}");
    }

    #[test]
    fn noise_has_no_time_and_bad_series_say_why() {
        let o = run(&AutocorrelationTime, &traces(&[noise(5, 3000)], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        let m = metric(&o, "p.V_m", "tau");
        assert!(m.value.is_none() && m.note.contains("no memory"), "{m:?}");
        assert!(value(&o, "p.V_m", "integrated") < 0.7);
        bad_series(&AutocorrelationTime, "tau");
    }
}
