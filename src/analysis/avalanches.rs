//! Avalanches: how many spikes follow each other without a pause, how long, and whether activity grows or dies.

use super::prelude::*;
use spikedeck_core::avalanche::{Avalanche, avalanches, branching_ratio, hurwitz_zeta, power_exponent};
use spikedeck_core::bootstrap;
use spikedeck_core::number::{counted, shown};
use spikedeck_core::statistics::{mean, mean_interval_above, normal_quantile};
use spikedeck_signal::{Axis, Curve, CurveStyle, Series, Shape};

/// The analysis `avalanches`.
pub struct Avalanches;

const CARD: AnalysisCard = AnalysisCard {
    title: "Avalanches",
    synonyms: &["criticality", "branching_ratio", "neuronal_avalanches", "power_law"],
    summary: "sizes and durations of uninterrupted activity, their exponents, and the branching ratio",
    formula: "spikes of all units in bins; an avalanche is a run of bins that hold spikes, between two empty ones. \
              Size = its spikes, duration = its bins.\n\
              exponent: maximum likelihood of P(s) = s^−a/ζ(a, least) for s ≥ least\nbranching ratio = (spikes − \
              spikes of first bins)/spikes",
    assumptions: "All units are seen, or the sizes are those of a sample. Avalanches do not overlap: one dies before \
                  the next begins. A power law is assumed, not tested.",
    bias: "Few or coarse bins join avalanches, fine ones cut them: the default bin is the mean interval between \
           spikes of the population, in whole steps; where spikes travel with a delay the bin should hold it. \
           Avalanches at the ends of the window are left out, which takes away long ones first. A finite network cuts \
           the power law off, which makes the exponent larger.",
    cost: "O(spikes + bins)",
    caveats: "Independent units have avalanches too, with a branching ratio of one minus the share of empty bins: \
              that is its chance level. Any exponent can be fitted to anything; look at the curve, which should be \
              straight over two decades. A subsample of units lowers the ratio.",
    references: &[
        "Beggs and Plenz 2003, J Neurosci 23:11167-11177, doi:10.1523/JNEUROSCI.23-35-11167.2003",
        "Clauset, Shalizi, Newman 2009, SIAM Rev 51:661-703, doi:10.1137/070710111",
        "Harris 1948, Ann Math Stat 19:474-494, doi:10.1214/aoms/1177730146",
    ],
};

/// Resamples of the bootstrap.
const REPLICATES: u32 = 200;

options! {
    /// What `avalanches` can be told.
    pub struct Options {
        bin: Option<Time> = time_if_given().piece(),
            "width of the bins (default: mean interval between spikes of the population, in whole steps)";
        least: usize = integer("4").between(1.0, 1e6), "least size, and duration, that the exponents rest on";
    }
}

impl Estimator for Avalanches {
    type Options = Options;
    const KIND: &'static str = "avalanches";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let least = o.least as u64;
        f.each_subject(|f, s| {
            let trains = subject::trains(f.request, s)?;
            let count = trains.count();
            if count < 2 {
                f.metric(Metric::missing(&s.text, "count", "", count as u64, "fewer than two spikes"));
                return Ok(());
            }
            let bin = o.bin.map_or_else(
                || {
                    // Spikes stand on the grid of the steps: finer bins would cut every avalanche.
                    let (mean, step) = (trains.window.length() / count as f64, f.recording.dt);
                    if step > 0.0 { (mean / step - 1e-9).ceil().max(1.0) * step } else { mean }
                },
                |bin| bin.axis,
            );
            let bins = subject::bin_count(trains.window, bin);
            let mut counts = vec![0u32; bins];
            for &t in trains.trains.iter().flatten() {
                if let Some(c) = subject::bin_of(t, trains.window.start, bin).and_then(|k| counts.get_mut(k)) {
                    *c += 1;
                }
            }
            if let Some(told) = trains.outside(Time::on_axis(bin, trains.base)) {
                f.warn(told);
            }
            let found = avalanches(&counts);
            let empty = counts.iter().filter(|c| **c == 0).count() as f64 / bins.max(1) as f64;
            let n = found.len() as u64;
            let unit = trains.base.unit();
            f.metric(Metric::new(&s.text, "count", n as f64, "", count as u64).note("n = spikes"));
            f.metric(Metric::new(&s.text, "bin", bin, unit, count as u64).note("n = spikes"));
            if found.is_empty() {
                f.warn(format!(
                    "{}: activity never pauses for a bin of {bin:.3} {unit}, so that there are no avalanches",
                    s.text
                ));
                let none = |name| Metric::missing(&s.text, name, "", 0, "no avalanche lies in the window");
                f.metrics(["mean_size", "largest", "branching_ratio", "size_exponent", "duration_exponent"].map(none));
                return Ok(());
            }
            let sizes: Vec<u64> = found.iter().map(|a| a.size).collect();
            let durations: Vec<u64> = found.iter().map(|a| a.duration).collect();
            let plain: Vec<f64> = sizes.iter().map(|v| *v as f64).collect();
            let size = Metric::new(&s.text, "mean_size", mean(&plain), "", n).note("n = avalanches");
            f.metric(match (heavy_tailed(&sizes), mean_interval_above(&plain, 1.0, 0.95)) {
                (Some(why), _) => size.note(why),
                (None, Some((low, high))) => size
                    .interval(low, high)
                    .interval_by("95 % interval (t) of the logarithm of what is above 1, the least size"),
                (None, None) => size.note("no interval: needs two avalanches that differ"),
            });
            let largest = plain.iter().copied().fold(0.0, f64::max);
            f.metric(Metric::new(&s.text, "largest", largest, "", n).note("n = avalanches"));
            f.metric(branching(f.request, &s.text, &found, empty));
            f.metric(exponent(&s.text, "size_exponent", &sizes, least));
            f.metric(exponent(&s.text, "duration_exponent", &durations, least));
            f.word(format!(
                "{}: {}, mean size {}",
                s.text,
                counted(n as usize, "avalanche", "avalanches"),
                shown(mean(&plain))
            ));
            let (size, duration) = (Axis::new("size", "").log(), Axis::new("duration", unit).log());
            f.shape(format!("sizes of {}", s.text), tail(size, &sizes, least, 1.0));
            f.shape(format!("durations of {}", s.text), tail(duration, &durations, least, bin));
            Ok(())
        })
    }
}

/// Exponent of a power law below which the third moment is infinite, which decides how normal a mean is.
const LEAST_EXPONENT: f64 = 4.0;

/// Why the mean size has no interval, if that is so: where sizes fall as a power rather than exponentially, the largest
/// of them, which may not have come yet, decides the mean. Both laws are fitted to all sizes by maximum likelihood.
fn heavy_tailed(sizes: &[u64]) -> Option<String> {
    if sizes.len() < 10 {
        return Some("no interval: fewer than ten avalanches do not show whether large ones are rare".into());
    }
    let (exponent, error, _) = power_exponent(sizes, 1)?;
    let n = sizes.len() as f64;
    let logarithms: f64 = sizes.iter().map(|s| (*s as f64).ln()).sum();
    let power = -n * hurwitz_zeta(exponent, 1.0).ln() - exponent * logarithms;
    let stop = n / sizes.iter().sum::<u64>() as f64;
    let geometric = n * stop.ln() + (n / stop - n) * (-stop).ln_1p();
    (power > geometric && exponent - normal_quantile(0.975) * error < LEAST_EXPONENT).then(|| {
        format!(
            "no interval: sizes fall as a power ({exponent:.2}) rather than exponentially, and the largest decide the \
             mean"
        )
    })
}

fn branching(request: &Request<'_>, name: &str, found: &[Avalanche], empty: f64) -> Metric {
    let Some(ratio) = branching_ratio(found) else {
        return Metric::missing(name, "branching_ratio", "", 0, "no spikes");
    };
    let metric = Metric::new(name, "branching_ratio", ratio, "", found.len() as u64).chance(1.0 - empty);
    let metric = metric
        .chance_by("chance: independent bins, one minus the share of empty ones")
        .interval_by("95 % bootstrap over avalanches")
        .note("n = avalanches");
    let resampled = |chosen: &[usize]| {
        let some: Vec<Avalanche> = chosen.iter().map(|&i| found[i]).collect();
        branching_ratio(&some).expect("every avalanche holds a spike")
    };
    match bootstrap::interval(found.len(), REPLICATES, 0.95, request.key(name, "avalanches"), resampled) {
        Some((low, high)) => metric.interval(low, high),
        None => metric,
    }
}

fn exponent(name: &str, what: &str, values: &[u64], least: u64) -> Metric {
    match power_exponent(values, least) {
        Some((a, error, n)) => {
            let spread = normal_quantile(0.975) * error;
            Metric::new(name, what, a, "", n)
                .interval((a - spread).max(1.0), a + spread)
                .ground(Basis::Interval, "95 % interval of an exponent (normal, of the likelihood)")
                .note(format!("n = avalanches of at least {least}"))
        }
        None => {
            let n = values.iter().filter(|v| **v >= least).count() as u64;
            Metric::missing(name, what, "", n, format!("needs ten avalanches of at least {least}, not all alike"))
        }
    }
}

/// Share of avalanches of at least each size, with the fitted power over it; `scale` brings whole numbers to the axis.
fn tail(axis: Axis, values: &[u64], least: u64, scale: f64) -> Shape {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let n = sorted.len() as f64;
    let (mut x, mut y): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for (k, v) in sorted.iter().enumerate() {
        if k == 0 || sorted[k - 1] != *v {
            x.push(*v as f64 * scale);
            y.push((n - k as f64) / n);
        }
    }
    let mut curves =
        vec![Curve { name: "share at least this".into(), x: x.clone(), y, band: None, style: CurveStyle::Points }];
    if let Some((a, _, m)) = power_exponent(values, least) {
        let above: Vec<f64> = x.iter().copied().filter(|v| *v >= least as f64 * scale).collect();
        let whole = hurwitz_zeta(a, least as f64);
        let fit = above.iter().map(|v| m as f64 / n * hurwitz_zeta(a, v / scale) / whole).collect();
        curves.push(Curve { name: format!("power {a:.2}"), x: above, y: fit, band: None, style: CurveStyle::Theory });
    }
    Shape::Series(Series { x: axis, y: Axis::new("share of avalanches", "").log(), curves, references: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{metric, poisson, recording, run, subject, value};
    use super::*;
    use spikedeck_scenario::OptionValue;

    #[test]
    fn bursts_apart_are_avalanches_of_their_size() {
        // Two units: 3 spikes in two bins, 1 alone, 4 in two bins; nothing at the ends.
        let trains = vec![vec![10.5, 11.5, 30.5, 50.5], vec![11.2, 50.2, 51.2, 51.8]];
        let o = run(
            &Avalanches,
            &recording(&trains, 100.0),
            vec![subject("spikes", &[])],
            &[("bin", OptionValue::Number(1e-3))],
        )
        .unwrap();
        assert_eq!(value(&o, "p.spikes", "count"), 3.0);
        assert!((value(&o, "p.spikes", "mean_size") - 8.0 / 3.0).abs() < 1e-12);
        assert!(metric(&o, "p.spikes", "mean_size").note.contains("fewer than ten"));
        assert_eq!(value(&o, "p.spikes", "largest"), 4.0);
        // 8 spikes, of which 1, 1 and 2 stand in first bins.
        assert_eq!(value(&o, "p.spikes", "branching_ratio"), 0.5);
        assert!(metric(&o, "p.spikes", "size_exponent").note.contains("ten avalanches"));
        assert_eq!(o.shapes.len(), 3);
    }

    #[test]
    fn independent_units_lie_at_the_chance_level() {
        let trains: Vec<Vec<f64>> = (0..20).map(|u| poisson(3, u, 10.0, 50_000.0)).collect();
        let o = run(&Avalanches, &recording(&trains, 50_000.0), vec![subject("spikes", &[])], &[]).unwrap();
        let (low, high) = metric(&o, "p.spikes", "mean_size").ends().unwrap();
        let size = value(&o, "p.spikes", "mean_size");
        assert!(1.0 < low && low < size && size < high, "{low} {high}");
        let m = metric(&o, "p.spikes", "branching_ratio");
        // The default bin holds one spike on average: 1 - exp(-1) of the bins are not empty.
        assert!((m.chance.unwrap() - (1.0 - (-1f64).exp())).abs() < 0.01, "{m:?}");
        assert!(
            (m.value.unwrap() - m.chance.unwrap()).abs() < 0.02 && m.ci_low < m.value && m.value < m.ci_high,
            "{m:?}"
        );
    }

    #[test]
    fn what_never_pauses_or_is_silent_says_so() {
        let o = run(&Avalanches, &recording(&[vec![1.0]], 10.0), vec![subject("spikes", &[])], &[]).unwrap();
        assert!(metric(&o, "p.spikes", "count").note.contains("fewer than two"));
        let busy: Vec<f64> = (1..100).map(f64::from).collect();
        let o = run(&Avalanches, &recording(&[busy], 99.0), vec![subject("spikes", &[])], &[]).unwrap();
        assert!(o.warnings[0].contains("never pauses") && metric(&o, "p.spikes", "mean_size").value.is_none());
    }
}
