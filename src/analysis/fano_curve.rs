//! Fano factor over the length of the windows that spikes are counted in.

use super::prelude::*;
use super::stretches;
use spikedeck_core::number::shown;
use spikedeck_core::statistics::{mean, mean_interval, variance};
use spikedeck_core::units::short;
use spikedeck_signal::{Axis, Curve, CurveStyle, ReferenceLine, Series, Shape};

/// The analysis `fano_curve`.
pub struct FanoCurve;

const CARD: AnalysisCard = AnalysisCard {
    title: "Fano factor over window lengths",
    synonyms: &["fano_time_curve", "allan_factor", "count_variance"],
    summary: "variance over mean of spike counts, from short windows to long ones: regularity, bursts, slow changes",
    formula: "F(T) = var(n_T)/mean(n_T) (ddof 1), n_T = spikes in windows (left, right] of length T\nexponent = slope \
              of log F over log T in the upper half of the lengths",
    assumptions: "Windows stand side by side, at least `least` of them; lengths are evenly spaced in their logarithm. \
                  A population's value is the mean over units that fired in the windows.",
    bias: "F tends to 1 for windows so short that they hold no second spike, whatever the train. With ddof 1 it is \
           unbiased for a Poisson process.",
    cost: "O(lengths · (spikes + windows))",
    caveats: "For a renewal process F tends to CV²; where it lies above that, intervals are correlated or the rate \
              changes. A rise over long windows, as a power of the length, is what slow changes of the rate give. \
              Values at neighbouring lengths are of the same spikes.",
    references: &[
        "Fano 1947, doi:10.1103/PhysRev.72.26",
        "Teich and others 1997, doi:10.1364/JOSAA.14.000529",
        "Nawrot and others 2008, doi:10.1016/j.jneumeth.2007.10.013",
    ],
};

options! {
    /// What `fano_curve` can be told.
    pub struct Options {
        shortest: Time = time("1 ms").or(derived::TWENTIETH).piece(), "shortest window";
        longest: Option<Time> = time_if_given(), "longest window (default: what leaves `least` windows)";
        lengths: usize = integer("25").between(2.0, 1000.0), "number of lengths";
        least: usize = integer("20").between(10.0, 1e6), "windows that a length needs";
        ddof: usize = integer("1").between(0.0, 1.0), "divisor n − ddof of the count variance (0: as Elephant)";
    }
}

/// The Fano factor at one length.
struct At {
    length: f64,
    windows: usize,
    value: f64,
    ends: Option<(f64, f64)>,
}

impl Estimator for FanoCurve {
    type Options = Options;
    const KIND: &'static str = "fano_curve";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let mut series = Series {
            x: Axis::new("window", f.base.unit()).log(),
            y: Axis::new("Fano factor", "").log(),
            curves: Vec::new(),
            references: vec![ReferenceLine { name: "Poisson".into(), at: 1.0, vertical: false }],
        };
        f.each_spiking(|f, s| {
            let t = subject::trains(f.request, s)?;
            let unit = f.base.unit();
            let longest = o.longest.map_or(t.window.length() / o.least as f64, |l| l.axis);
            if longest <= o.shortest.axis {
                return Err(AnalysisError::Unsuitable(format!(
                    "{}: {} windows of {} {unit} do not fit into {} {unit}; shorten `shortest`",
                    s.text,
                    o.least,
                    short(o.shortest.axis),
                    short(t.window.length())
                )));
            }
            let ratio = (longest / o.shortest.axis).powf(1.0 / (o.lengths - 1) as f64);
            let mut found = Vec::with_capacity(o.lengths);
            for k in 0..o.lengths {
                f.progress(k as f64 / o.lengths as f64)?;
                let length = if k + 1 == o.lengths { longest } else { o.shortest.axis * ratio.powi(k as i32) };
                found.extend(at(&t, length, o));
            }
            let n = t.count() as u64;
            let Some((first, last)) = found.first().zip(found.last()) else {
                let why =
                    if n == 0 { "nothing fired".to_owned() } else { format!("no length has {} windows", o.least) };
                for name in ["fano_shortest", "fano_longest", "exponent"] {
                    f.metric(Metric::missing(&s.text, name, "", n, &why));
                }
                f.word(format!("{}: {why}", s.text));
                return Ok(());
            };
            let told = |name: &str, at: &At| {
                let metric = Metric::new(&s.text, name, at.value, "", at.windows as u64).chance(1.0);
                let metric = metric
                    .note(format!("n = windows, of {} {unit}", short(at.length)))
                    .chance_by("chance: Poisson")
                    .note(format!("ddof {}", o.ddof));
                match at.ends {
                    Some((low, high)) => metric.interval(low, high).interval_by(match t.trains.len() {
                        1 => "95 % interval by the jackknife over windows".to_owned(),
                        _ => "mean and 95 % interval over units (t)".to_owned(),
                    }),
                    None => metric.note("no interval: too few units or windows, or all alike"),
                }
            };
            f.metrics([told("fano_shortest", first), told("fano_longest", last)]);
            f.metric(exponent(&s.text, &found, n));
            f.word(format!(
                "{}: Fano factor {} in {} {unit}, {} in {} {unit}",
                s.text,
                shown(first.value),
                shown(first.length),
                shown(last.value),
                shown(last.length)
            ));
            series.curves.push(Curve {
                name: s.text.clone(),
                x: found.iter().map(|a| a.length).collect(),
                y: found.iter().map(|a| a.value).collect(),
                band: Some(found.iter().map(|a| a.ends.unwrap_or((f64::NAN, f64::NAN))).unzip()),
                style: CurveStyle::Line,
            });
            Ok(())
        })?;
        if !series.curves.is_empty() {
            f.shape("Fano factor", Shape::Series(series));
        }
        Ok(())
    }
}

/// At one length; nothing where there are too few windows, or no unit fired in them.
fn at(t: &subject::Trains, length: f64, o: &Options) -> Option<At> {
    let windows = subject::bin_count(t.window, length);
    if windows < o.least {
        return None;
    }
    let mut last = Vec::new();
    let mut values = Vec::new();
    for train in &t.trains {
        let mut counts = vec![0.0; windows];
        for &time in train {
            if let Some(c) = subject::bin_of(time, t.window.start, length).and_then(|k| counts.get_mut(k)) {
                *c += 1.0;
            }
        }
        let m = mean(&counts);
        if m > 0.0 {
            values.push(variance(&counts, o.ddof) / m);
            last = counts;
        }
    }
    let ends = match values.as_slice() {
        [] => return None,
        [_] => {
            let sums = stretches::moments(&last, windows.min(200), 0.0);
            stretches::interval(&sums, |s| stretches::variance(s, o.ddof) / (s[1] / s[0]))
        }
        many => {
            let (_, low, high) = mean_interval(many, 0.95);
            Some((low.max(0.0), high))
        }
    };
    Some(At { length, windows, value: mean(&values), ends })
}

/// The slope of log F over log T among the longer half of the lengths.
fn exponent(name: &str, found: &[At], n: u64) -> Metric {
    let upper = &found[found.len() / 2..];
    let points: Vec<(f64, f64)> =
        upper.iter().filter(|a| a.value > 0.0).map(|a| (a.length.ln(), a.value.ln())).collect();
    if points.len() < 3 {
        return Metric::missing(name, "exponent", "", n, "needs three lengths");
    }
    let (mx, my) =
        (mean(&points.iter().map(|p| p.0).collect::<Vec<_>>()), mean(&points.iter().map(|p| p.1).collect::<Vec<_>>()));
    let (xy, xx) =
        points.iter().fold((0.0, 0.0), |(xy, xx), (x, y)| (xy + (x - mx) * (y - my), xx + (x - mx) * (x - mx)));
    Metric::new(name, "exponent", xy / xx, "", n)
        .chance(0.0)
        .note("n = spikes; slope over the longer half of the lengths")
        .chance_by("chance: Poisson")
        .note("no interval: values at different lengths are of the same spikes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isi::Isi;
    use crate::testing::{gamma, metric, poisson, recording, run, same_values, shifted, value};
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::OptionValue;

    fn curve(o: &crate::Outcome) -> &Curve {
        let found = o.shapes.iter().find_map(|s| if let Shape::Series(s) = &s.shape { s.curves.first() } else { None });
        found.unwrap()
    }

    #[test]
    fn poisson_is_one_at_all_lengths_and_gamma_falls_to_its_cv_squared() {
        let trains: Vec<Vec<f64>> = (0..40).map(|u| poisson(3, u, 20.0, 50_000.0)).collect();
        let o = run(&FanoCurve, &recording(&trains, 50_000.0), vec![], &[]).unwrap();
        assert!(curve(&o).y.iter().all(|y| (y - 1.0).abs() < 0.2), "{:?}", curve(&o).y);
        let m = metric(&o, "p.spikes", "fano_longest");
        let (low, high) = m.ends().unwrap();
        assert!(low < 1.1 && high > 0.9 && m.n == Some(20), "{m:?}");
        assert!(value(&o, "p.spikes", "exponent").abs() < 0.1);
        let trains: Vec<Vec<f64>> = (0..40).map(|u| gamma(3, u, 4, 20.0, 50_000.0)).collect();
        let o = run(&FanoCurve, &recording(&trains, 50_000.0), vec![], &[]).unwrap();
        assert!(value(&o, "p.spikes", "fano_shortest") > 0.95);
        assert!((value(&o, "p.spikes", "fano_longest") - 0.25).abs() < 0.08);
    }

    /// The same windows give what `isi` says of them.
    #[test]
    fn one_length_is_the_fano_factor_of_isi() {
        for count in [1, 5] {
            let trains: Vec<Vec<f64>> = (0..count).map(|u| gamma(4, u, 2, 30.0, 20_000.0)).collect();
            let r = recording(&trains, 20_000.0);
            let options = [("shortest", OptionValue::Number(0.1)), ("lengths", OptionValue::Integer(2))];
            let o = run(&FanoCurve, &r, vec![], &options).unwrap();
            let there = run(&Isi, &r, vec![], &[]).unwrap();
            let (a, b) = (metric(&o, "p.spikes", "fano_shortest"), metric(&there, "p.spikes", "fano"));
            assert!((a.value.unwrap() - b.value.unwrap()).abs() < 1e-12);
            assert!((a.ends().unwrap().0 - b.ends().unwrap().0).abs() < 1e-9);
        }
    }

    /// A rate that is drawn anew each second: F rises in proportion to the window up to there.
    #[test]
    fn slow_changes_of_the_rate_rise() {
        let trains: Vec<Vec<f64>> = (0..20)
            .map(|u| {
                let mut s = Key::new(5, "fano_curve", "rates").stream(u, 0);
                let rates: Vec<f64> = (0..100).map(|_| 40.0 * s.uniform()).collect();
                let all = poisson(5, u, 40.0, 100_000.0);
                all.into_iter().filter(|t| 40.0 * s.uniform() < rates[((t / 1000.0) as usize).min(99)]).collect()
            })
            .collect();
        let o = run(&FanoCurve, &recording(&trains, 100_000.0), vec![], &[]).unwrap();
        assert!(value(&o, "p.spikes", "exponent") > 0.3);
        // Long windows: 1 + variance of the rate over its mean times the second it lasts.
        let expected = 1.0 + (1600.0 / 12.0) / 20.0;
        assert!((value(&o, "p.spikes", "fano_longest") / expected - 1.0).abs() < 0.2);
    }

    #[test]
    fn blind_to_absolute_time_and_bad_input_is_said() {
        let r = recording(&[gamma(2, 0, 2, 20.0, 8192.0), gamma(2, 1, 3, 10.0, 8192.0)], 8192.0);
        let o = run(&FanoCurve, &r, vec![], &[]).unwrap();
        same_values(&o, &run(&FanoCurve, &shifted(&r, 65536.0), vec![], &[]).unwrap(), 1e-8);
        let o = run(&FanoCurve, &recording(&[vec![], vec![]], 100.0), vec![], &[]).unwrap();
        assert!(o.metrics.iter().all(|m| m.value.is_none() && m.note == "nothing fired"));
        let e = run(&FanoCurve, &recording(&[vec![5.0]], 10.0), vec![], &[]).unwrap_err().to_string();
        assert!(e.contains("20 windows of 1 ms do not fit into 10 ms"), "{e}");
        // A clock of one spike a window does not vary.
        let clock: Vec<f64> = (0..1000).map(|k| f64::from(k) * 10.0 + 5.0).collect();
        let options = [
            ("shortest", OptionValue::Number(0.01)),
            ("longest", OptionValue::Number(0.1)),
            ("lengths", OptionValue::Integer(2)),
        ];
        let o = run(&FanoCurve, &recording(&[clock], 10_000.0), vec![], &options).unwrap();
        assert_eq!(value(&o, "p.spikes", "fano_longest"), 0.0);
        assert!(metric(&o, "p.spikes", "exponent").value.is_none());
    }
}
