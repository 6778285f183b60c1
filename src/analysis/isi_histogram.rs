//! Histogram of intervals and their hazard.

use super::prelude::*;
use spikedeck_core::number::shown;
use spikedeck_core::statistics::{mean, mean_interval, median, quantile, share_interval};
use spikedeck_core::surrogate::p_value;
use spikedeck_core::units::short;
use spikedeck_signal::{Axis, Curve, CurveStyle, Distribution, ReferenceLine, Series, Shape};

/// The analysis `isi_histogram`.
pub struct IsiHistogram;

const CARD: AnalysisCard = AnalysisCard {
    title: "Interval histogram and hazard",
    synonyms: &["hazard", "isih", "interval_histogram"],
    summary: "distribution of interspike intervals, hazard over the time since the last spike, refractory violations, \
              distance from a Poisson process",
    formula: "h(t) = −ln(1 − d/n)/Δ, d of the n intervals that last to t end within Δ\nexponential distance = max \
              |F(x) − (1 − exp(−x))| of intervals over the mean of their unit\nviolations = share of intervals below \
              `refractory`",
    assumptions: "Intervals of all units together; each unit's intervals count over its own mean for the exponential \
                  distance. The hazard is the chance to fire now, given that the unit has not since its last spike: \
                  constant for a Poisson process, rising after a refractory time, falling where units burst.",
    bias: "Long intervals are cut by the window, and missing: the hazard at times near the window's length is too \
           high. Units of different rates pooled have a falling hazard, even if that of each is constant.",
    cost: "O(intervals · surrogates)",
    caveats: "Intervals that are correlated in a row are no renewal process: the interval of a share takes them as \
              independent. The p-value is of exponential intervals with the mean taken from the data (Lilliefors), by \
              drawing such intervals.",
    references: &[
        "Cox and Lewis 1966, doi:10.1007/978-94-011-7801-3",
        "Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404",
        "Lilliefors 1969, doi:10.1080/01621459.1969.10500983",
        "Hill, Mehta, Kleinfeld 2011, doi:10.1523/JNEUROSCI.0971-11.2011",
    ],
};

options! {
    /// What `isi_histogram` can be told.
    pub struct Options {
        bin: Option<Time> = time_if_given().piece(), "width of a bin (default: by Freedman and Diaconis)";
        max_isi: Option<Time> = time_if_given(), "longest interval shown (default: the 99th percentile)";
        refractory: Time = time("2 ms").or(derived::TWENTIETH), "intervals below this are violations";
        surrogates: usize = integer("199").between(0.0, 100_000.0), "number of surrogates (0: none)";
    }
}

/// Bins at the most.
const MOST_BINS: usize = 10_000;
/// Intervals that must last to a time for its hazard.
const AT_RISK: u64 = 5;

impl Estimator for IsiHistogram {
    type Options = Options;
    const KIND: &'static str = "isi_histogram";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_spiking(|f, s| {
            let t = subject::trains(f.request, s)?;
            let unit = f.base.unit();
            let of_units: Vec<Vec<f64>> =
                t.trains.iter().map(|t| t.windows(2).map(|w| w[1] - w[0]).collect()).collect();
            let mut all: Vec<f64> = of_units.iter().flatten().copied().collect();
            all.sort_by(f64::total_cmp);
            let n = all.len() as u64;
            if n < 2 {
                let why = format!("needs two intervals; there are {n}");
                for (name, unit) in
                    [("median_isi", unit), ("shortest_isi", unit), ("violations", ""), ("exponential_distance", "")]
                {
                    f.metric(Metric::missing(&s.text, name, unit, n, &why));
                }
                f.word(format!("{}: {why}", s.text));
                return Ok(());
            }
            f.metric(middle(&s.text, &of_units, &all, unit));
            f.metric(
                Metric::new(&s.text, "shortest_isi", all[0], unit, n)
                    .note("n = intervals; the least of many: no interval"),
            );
            // An interval as long as that, to rounding, is none.
            let short_ones = all.partition_point(|i| *i < o.refractory.axis * (1.0 - 1e-9)) as u64;
            let (low, high) = share_interval(short_ones, n, 0.95);
            let poisson = mean(&of_units.iter().flat_map(|i| poisson_below(i, o.refractory.axis)).collect::<Vec<_>>());
            f.metric(
                Metric::new(&s.text, "violations", short_ones as f64 / n as f64, "", n)
                    .interval(low, high)
                    .chance(poisson)
                    .note(format!("{short_ones} of {n} intervals below {} {unit}", short(o.refractory.axis)))
                    .interval_by("exact 95 % interval")
                    .chance_by("chance: Poisson trains of these rates"),
            );
            let distance = exponential_distance(o, f, &s.text, &of_units)?;
            let p = distance.p_value;
            f.metric(distance);
            f.word(format!("{}: median interval {} {unit} of {n}", s.text, shown(quantile(&all, 0.5))));
            if p.is_some_and(|p| p > 0.05) {
                f.word("not told from a Poisson process");
            }
            let edges = edges(o, &all);
            f.shape(format!("intervals of {}", s.text), Shape::Distribution(histogram(&all, &edges, unit)));
            let poisson_line = || ReferenceLine {
                name: "Poisson of the same mean".into(),
                at: 1.0 / (mean(&all) * f.base.seconds()),
                vertical: false,
            };
            let lines = (mean(&all) > 0.0).then(poisson_line).into_iter().collect();
            let curve = hazard(&s.text, &all, &edges, f.base.seconds());
            f.shape(
                format!("hazard of {}", s.text),
                Shape::Series(Series {
                    x: Axis::new("time since the last spike", unit),
                    y: Axis::new("hazard", f.base.rate_unit()),
                    curves: vec![curve],
                    references: lines,
                }),
            );
            Ok(())
        })
    }
}

/// Median of all intervals; its interval is over units, or of one unit the order statistics that a binomial count says.
fn middle(name: &str, of_units: &[Vec<f64>], all: &[f64], unit: &str) -> Metric {
    let n = all.len();
    let metric = Metric::new(name, "median_isi", quantile(all, 0.5), unit, n as u64).note("n = intervals");
    let medians: Vec<f64> = of_units.iter().filter(|i| i.len() >= 2).map(|i| median(i)).collect();
    if of_units.iter().filter(|i| !i.is_empty()).count() > 1 {
        return metric.note(match medians.as_slice() {
            [_, _, ..] => {
                let (m, low, high) = mean_interval(&medians, 0.95);
                format!(
                    "mean over {} units {}, 95 % {} to {} {unit}",
                    medians.len(),
                    short(m),
                    short(low.max(0.0)),
                    short(high)
                )
            }
            _ => "no interval: of several units together".to_owned(),
        });
    }
    // The sign test turned round: so many order statistics to either side of the middle.
    let half = 0.98 * (n as f64).sqrt();
    let (low, high) = ((0.5 * n as f64 - half).floor(), (0.5 * n as f64 + half).ceil());
    if low < 1.0 {
        return metric.note("no interval: too few intervals");
    }
    let (low, high) = (all[low as usize - 1], all[(high as usize).min(n) - 1]);
    metric.interval(low, high).interval_by("95 % interval by order statistics (sign test)")
}

/// What share of a Poisson unit's intervals is below a time, once for each interval.
fn poisson_below(intervals: &[f64], below: f64) -> Vec<f64> {
    let m = mean(intervals);
    vec![if m > 0.0 { 1.0 - (-below / m).exp() } else { 1.0 }; intervals.len()]
}

/// How far intervals are from those of a Poisson process, against drawn ones.
fn exponential_distance(
    o: &Options,
    f: &Findings<'_>,
    name: &str,
    of_units: &[Vec<f64>],
) -> Result<Metric, AnalysisError> {
    let used: Vec<&Vec<f64>> = of_units.iter().filter(|i| i.len() >= 2 && mean(i) > 0.0).collect();
    let n: usize = used.iter().map(|i| i.len()).sum();
    if n == 0 {
        return Ok(Metric::missing(name, "exponential_distance", "", 0, "no unit has two intervals of some length"));
    }
    let found = distance(used.iter().map(|i| i.as_slice()));
    let metric = Metric::new(name, "exponential_distance", found, "", n as u64)
        .note("largest difference of the distributions (Kolmogorov), each unit's intervals over their mean");
    if o.surrogates == 0 {
        return Ok(metric);
    }
    let key = f.key(name, "exponential");
    let mut drawn = Vec::with_capacity(o.surrogates);
    for k in 0..o.surrogates {
        f.progress(k as f64 / o.surrogates as f64)?;
        let made: Vec<Vec<f64>> = used
            .iter()
            .zip(0..)
            .map(|(i, unit)| {
                let mut stream = key.stream(unit, k as u64);
                i.iter().map(|_| -(1.0 - stream.uniform()).ln()).collect()
            })
            .collect();
        drawn.push(distance(made.iter().map(Vec::as_slice)));
    }
    Ok(metric
        .chance(mean(&drawn))
        .p(p_value(found - 1e-12, &drawn))
        .null_by(format!("chance and p: {} drawings of as many exponential intervals", drawn.len())))
}

/// Kolmogorov's distance of intervals over the mean of their unit from exponential ones.
fn distance<'i>(units: impl Iterator<Item = &'i [f64]>) -> f64 {
    let mut all: Vec<f64> = units
        .flat_map(|i| {
            let m = mean(i);
            i.iter().map(move |v| v / m)
        })
        .collect();
    all.sort_by(f64::total_cmp);
    let n = all.len() as f64;
    all.iter()
        .enumerate()
        .map(|(k, v)| {
            let law = 1.0 - (-v).exp();
            (law - k as f64 / n).abs().max((law - (k + 1) as f64 / n).abs())
        })
        .fold(0.0, f64::max)
}

/// Edges of bins from zero: as asked for, or by Freedman and Diaconis (doi:10.1007/BF01025868), 5 to 200.
fn edges(o: &Options, sorted: &[f64]) -> Vec<f64> {
    let most = o.max_isi.map_or_else(|| quantile(sorted, 0.99), |m| m.axis).max(1.05 * sorted[0]);
    let most = if most > 0.0 { most } else { 1.0 };
    let (width, limit) = match o.bin {
        Some(bin) => (bin.axis, MOST_BINS),
        None => {
            let spread = quantile(sorted, 0.75) - quantile(sorted, 0.25);
            (2.0 * spread / (sorted.len() as f64).cbrt(), 200)
        }
    };
    let bins = if width > 0.0 { ((most / width - 1e-9).ceil() as usize).clamp(1, limit) } else { 20 };
    let bins = if o.bin.is_none() { bins.max(5) } else { bins };
    let width = if o.bin.is_some() && bins < MOST_BINS { width } else { most / bins as f64 };
    (0..=bins).map(|k| width * k as f64).collect()
}

/// How many sorted intervals are below each edge.
fn below(sorted: &[f64], edges: &[f64]) -> Vec<u64> {
    edges.iter().map(|e| sorted.partition_point(|i| i < e) as u64).collect()
}

fn histogram(sorted: &[f64], edges: &[f64], unit: &str) -> Distribution {
    let counts: Vec<f64> = below(sorted, edges).windows(2).map(|w| (w[1] - w[0]) as f64).collect();
    let (m, n) = (mean(sorted), sorted.len() as f64);
    let mut heights = vec![("intervals".to_owned(), counts)];
    if m > 0.0 {
        let poisson = edges.windows(2).map(|e| n * ((-e[0] / m).exp() - (-e[1] / m).exp())).collect();
        heights.push(("Poisson of the same mean".to_owned(), poisson));
    }
    Distribution {
        x: Axis::new("interval", unit),
        y: Axis::new("count", ""),
        edges: edges.to_vec(),
        heights,
        references: vec![ReferenceLine { name: "median".into(), at: quantile(sorted, 0.5), vertical: true }],
    }
}

/// The hazard in each bin with its exact interval, where enough intervals last so long.
fn hazard(name: &str, sorted: &[f64], edges: &[f64], seconds: f64) -> Curve {
    let (n, below) = (sorted.len() as u64, below(sorted, edges));
    let per = 1.0 / ((edges[1] - edges[0]) * seconds);
    let of = |share: f64| -(-share).ln_1p() * per;
    let values: Vec<[f64; 3]> = below
        .windows(2)
        .map(|w| {
            let (at_risk, ended) = (n - w[0], w[1] - w[0]);
            // Where all that are left end, the hazard has no upper end.
            if at_risk < AT_RISK || ended == at_risk {
                return [f64::NAN; 3];
            }
            let (low, high) = share_interval(ended, at_risk, 0.95);
            [of(ended as f64 / at_risk as f64), of(low), of(high)]
        })
        .collect();
    let column = |k: usize| values.iter().map(|v| v[k]).collect();
    Curve {
        name: name.to_owned(),
        x: edges[1..].to_vec(),
        y: column(0),
        band: Some((column(1), column(2))),
        style: CurveStyle::Steps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{gamma, metric, poisson, recording, run, same_values, shifted, value};
    use spikedeck_scenario::OptionValue;

    fn series(o: &crate::Outcome) -> &Series {
        let found = o.shapes.iter().find_map(|s| if let Shape::Series(s) = &s.shape { Some(s) } else { None });
        found.unwrap()
    }

    /// Dead time of 10 ms and a rate of 25 Hz afterwards: no hazard before, 25 Hz after, whatever the bin.
    #[test]
    fn a_refractory_process_has_no_hazard_and_then_a_constant_one() {
        let (mut t, mut train) = (0.0, Vec::new());
        for isi in poisson(6, 0, 25.0, 2e5).windows(2).map(|w| w[1] - w[0] + 10.0) {
            t += isi;
            train.push(t);
        }
        for bin in [1.0, 5.0, 10.0] {
            let o = run(
                &IsiHistogram,
                &recording(&[train.clone()], t + 1.0),
                vec![],
                &[("bin", OptionValue::Number(bin * 1e-3)), ("max_isi", OptionValue::Number(0.06))],
            )
            .unwrap();
            let curve = &series(&o).curves[0];
            let band = curve.band.as_ref().unwrap();
            let mut held = 0;
            for (k, x) in curve.x.iter().enumerate() {
                let truth = if *x <= 10.0 + 1e-9 { 0.0 } else { 25.0 };
                assert!((curve.y[k] - truth).abs() < 15.0, "{bin} {x} {}", curve.y[k]);
                held += usize::from(band.0[k] <= truth + 1e-9 && truth <= band.1[k]);
            }
            assert!(held as f64 >= 0.75 * curve.x.len() as f64, "{held}");
            assert_eq!(value(&o, "p.spikes", "violations"), 0.0);
            assert_eq!(metric(&o, "p.spikes", "exponential_distance").p_value, Some(0.005));
            assert!((value(&o, "p.spikes", "shortest_isi") - 10.0).abs() < 0.1);
        }
    }

    #[test]
    fn poisson_trains_are_at_chance() {
        let trains: Vec<Vec<f64>> = (0..8).map(|u| poisson(7, u, 5.0 + 5.0 * f64::from(u), 20_000.0)).collect();
        let o = run(&IsiHistogram, &recording(&trains, 20_000.0), vec![], &[]).unwrap();
        let m = metric(&o, "p.spikes", "violations");
        assert!(
            (m.value.unwrap() - m.chance.unwrap()).abs() < 0.01 && m.ends().unwrap().0 <= m.chance.unwrap() + 0.005
        );
        assert!(metric(&o, "p.spikes", "exponential_distance").p_value.unwrap() > 0.005);
        let small = (0..100)
            .filter(|seed| {
                let r = recording(&[poisson(*seed, 0, 20.0, 4000.0), poisson(*seed, 1, 7.0, 4000.0)], 4000.0);
                let o = run(&IsiHistogram, &r, vec![], &[("surrogates", OptionValue::Integer(39))]).unwrap();
                metric(&o, "p.spikes", "exponential_distance").p_value.unwrap() <= 0.05
            })
            .count();
        assert!(small <= 12, "{small} of 100 Poisson trains are none at 5 %");
        // Median of an exponential of 50 ms.
        let o = run(&IsiHistogram, &recording(&[poisson(9, 0, 20.0, 200_000.0)], 200_000.0), vec![], &[]).unwrap();
        let m = metric(&o, "p.spikes", "median_isi");
        let (low, high) = m.ends().unwrap();
        assert!(low < 50.0 * 2.0f64.ln() + 1.0 && high > 50.0 * 2.0f64.ln() - 1.0 && high - low < 6.0, "{m:?}");
    }

    #[test]
    fn blind_to_absolute_time_and_bad_input_is_said() {
        let r = recording(&[gamma(2, 0, 2, 20.0, 8192.0), gamma(2, 1, 3, 10.0, 8192.0)], 8192.0);
        let none = [("surrogates", OptionValue::Integer(0))];
        let o = run(&IsiHistogram, &r, vec![], &none).unwrap();
        same_values(&o, &run(&IsiHistogram, &shifted(&r, 65536.0), vec![], &none).unwrap(), 1e-8);
        for trains in [vec![vec![]], vec![vec![5.0], vec![6.0, 7.0]]] {
            let o = run(&IsiHistogram, &recording(&trains, 100.0), vec![], &[]).unwrap();
            assert!(o.metrics.iter().all(|m| m.value.is_none() && m.note.contains("needs two intervals")));
        }
        // All spikes at one time: intervals of length zero.
        let o = run(&IsiHistogram, &recording(&[vec![50.0; 5]], 100.0), vec![], &[]).unwrap();
        assert_eq!(value(&o, "p.spikes", "median_isi"), 0.0);
        assert_eq!(value(&o, "p.spikes", "violations"), 1.0);
        assert!(metric(&o, "p.spikes", "exponential_distance").value.is_none());
        let clock: Vec<f64> = (1..=50).map(|k| f64::from(k) * 10.0).collect();
        let o = run(&IsiHistogram, &recording(&[clock], 600.0), vec![], &[]).unwrap();
        assert_eq!(value(&o, "p.spikes", "median_isi"), 10.0);
        assert!(metric(&o, "p.spikes", "median_isi").ends().is_none());
    }
}
