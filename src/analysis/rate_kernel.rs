//! Firing rates smoothed by a kernel on the spike times, with automatic bandwidth.

use super::prelude::*;
use spikedeck_core::kernel_rate::{RateAt, RateKernel, best_bandwidth, rate_at};
use spikedeck_core::number::{counted, shown};
use spikedeck_core::spike_distance::Edges;
use spikedeck_core::spike_surrogate::{SurrogateMaker, TrainSurrogate};
use spikedeck_core::statistics::{deviation, mean, poisson_interval_of};
use spikedeck_core::surrogate::p_value;
use spikedeck_signal::{Axis, Curve, CurveStyle, Series, Shape};

/// The analysis `rate_kernel`.
pub struct RateByKernel;

const CARD: AnalysisCard = AnalysisCard {
    title: "Rate by a kernel",
    synonyms: &["sskernel", "shimazaki", "smoothed_rate", "firing_rate_estimate", "kernel_rate"],
    summary: "firing rate over time from spike times and a kernel, bandwidth by Shimazaki and Shinomoto, with band",
    formula: "r(t) = Σ k(t − t_i)/(N ∫ k(t − s) ds over the window)\nbandwidth: least Σ ψ(t_i − t_j) − 2 Σ_(i≠j) k(t_i \
              − t_j), ψ = k convolved with itself\ndeparture = max |N(t)/N − t/T|",
    assumptions: "The width is the standard deviation of every kernel (Gaussian and box look to both sides, \
                  exponential and alpha into the past alone). The automatic bandwidth takes the spikes of all units \
                  together as a Poisson process with a smooth rate. The band is of the smoothed rate at each time \
                  alone: an exact Poisson interval of as many spikes as the kernel's weights are worth.",
    bias: "Smoothing lowers peaks and fills gaps. Near the edges the rate is divided by the share of the kernel that \
           looks into the window.",
    cost: "O(times · spikes under the kernel); bandwidth O(spikes²) up to 4000 spikes, then of 16384 bins",
    caveats: "Regular trains have bandwidths that see single spikes; the highest of many times is high by choice, so \
              that a peak has no interval. The p-value is of the departure from a constant rate against surrogates \
              with each unit's intervals in another order; it sees slow changes best.",
    references: &[
        "Shimazaki and Shinomoto 2010, doi:10.1007/s10827-009-0180-4",
        "Nawrot, Aertsen, Rotter 1999, doi:10.1016/S0165-0270(99)00127-2",
    ],
};

words! {
    for RateKernel {
        Box = "box",
        Gaussian = "gaussian",
        Exponential = "exponential",
        Alpha = "alpha",
    }
}

options! {
    /// What `rate_kernel` can be told.
    pub struct Options {
        kernel: RateKernel = choice(RateKernel::Gaussian), "form of the kernel";
        width: Option<Time> = time_if_given(), "its standard deviation (default: the one that fits best)";
        points: usize = integer("1000").between(2.0, 1e6), "times at which the rate is worked out";
        surrogates: usize = integer("199").between(0.0, 100_000.0), "number of surrogates (0: none)";
    }
}

impl Estimator for RateByKernel {
    type Options = Options;
    const KIND: &'static str = "rate_kernel";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let mut series =
            Series { x: Axis::time(f.base), y: Axis::new("rate", f.base.rate_unit()), ..Series::default() };
        f.each_spiking(|f, s| {
            let t = subject::trains(f.request, s)?;
            let edges = Edges { start: t.window.start, stop: t.window.stop };
            let mut pooled: Vec<f64> = t.trains.iter().flatten().copied().collect();
            pooled.sort_by(f64::total_cmp);
            let n = pooled.len() as u64;
            let (unit, per) = (f.base.unit(), f.base.rate_unit());
            let width = o.width.map(|w| w.axis).or_else(|| best_bandwidth(&pooled, edges));
            let named = ["bandwidth", "peak_rate", "peak_time", "rate_variation", "departure"];
            let Some(width) = width.filter(|_| n > 0) else {
                let why = if n == 0 { "nothing fired" } else { "one spike has no best bandwidth; say `width`" };
                let units = [unit, per, unit, "", ""];
                f.metrics(named.iter().zip(units).map(|(m, unit)| Metric::missing(&s.text, *m, unit, n, why)));
                f.word(format!("{}: {why}", s.text));
                return Ok(());
            };
            let scale = 1.0 / (t.trains.len().max(1) as f64 * f.base.seconds());
            let step = (edges.stop - edges.start) / o.points as f64;
            let times: Vec<f64> = (1..=o.points).map(|k| edges.start + k as f64 * step).collect();
            let rates = rate_at(&pooled, &times, o.kernel, width, edges);
            let curve = banded(&s.text, &times, &rates, scale);
            let (at, peak) = times.iter().zip(&curve.y).max_by(|a, b| a.1.total_cmp(b.1)).expect("there are times");
            let how = match o.width {
                Some(_) => "as given",
                None => "least expected squared error of a Gaussian kernel (Shimazaki and Shinomoto); no interval",
            };
            let many = t.trains.len();
            f.metric(Metric::new(&s.text, "bandwidth", width, unit, n).note(how));
            let chosen = "the highest of all times: no interval";
            f.metric(Metric::new(&s.text, "peak_rate", *peak, per, n).note(chosen));
            f.metric(Metric::new(&s.text, "peak_time", *at, unit, n).note(chosen));
            f.metric(
                Metric::new(&s.text, "rate_variation", deviation(&curve.y, 0) / mean(&curve.y), "", n)
                    .note("standard deviation over mean of the smoothed rate; n = spikes"),
            );
            let departure = departure(o, f, &s.text, &t, edges)?;
            f.metric(departure);
            f.word(format!("{}: {} kernel of {} {unit}", s.text, o.kernel.word(), shown(width)));
            if width >= 0.99 * (edges.stop - edges.start) && o.width.is_none() {
                f.warn(format!("{}: no bandwidth fits better than a constant rate", s.text));
            }
            if n < 20 {
                f.warn(format!(
                    "{}: {} of {} {} few for a rate over time",
                    s.text,
                    counted(n as usize, "spike", "spikes"),
                    counted(many, "unit", "units"),
                    if n == 1 { "is" } else { "are" }
                ));
            }
            series.curves.push(curve);
            Ok(())
        })?;
        if !series.curves.is_empty() {
            f.shape("rate", Shape::Series(series));
        }
        Ok(())
    }
}

/// The curve with the interval at each time.
fn banded(name: &str, times: &[f64], rates: &[RateAt], scale: f64) -> Curve {
    let band = rates
        .iter()
        .map(|r| {
            let (low, high) = poisson_interval_of(r.worth, 0.95);
            let one = if r.worth > 0.0 { r.rate / r.worth } else { r.one };
            (low * one * scale, high * one * scale)
        })
        .unzip();
    Curve {
        name: name.to_owned(),
        x: times.to_vec(),
        y: rates.iter().map(|r| r.rate * scale).collect(),
        band: Some(band),
        style: CurveStyle::Line,
    }
}

/// How far the cumulative count departs from a straight line, against surrogates with the intervals of each unit in
/// another order.
fn departure(
    o: &Options,
    f: &Findings<'_>,
    name: &str,
    t: &subject::Trains,
    edges: Edges,
) -> Result<Metric, AnalysisError> {
    let trains: Vec<&[f64]> = t.trains.iter().map(AsRef::as_ref).filter(|t: &&[f64]| !t.is_empty()).collect();
    let pool = |trains: &[Vec<f64>]| {
        let mut all: Vec<f64> = trains.iter().flatten().copied().collect();
        all.sort_by(f64::total_cmp);
        farthest(&all, edges)
    };
    let found = pool(&trains.iter().map(|t| t.to_vec()).collect::<Vec<_>>());
    let metric = Metric::new(name, "departure", found, "", t.count() as u64)
        .note("largest distance of the share of spikes so far from the share of time");
    if o.surrogates == 0 {
        return Ok(metric);
    }
    let key = f.key(name, "departure");
    let makers: Vec<SurrogateMaker<'_>> =
        trains.iter().map(|t| SurrogateMaker::new(TrainSurrogate::IsiShuffle, t, edges, 0.0, None)).collect();
    let mut values = Vec::with_capacity(o.surrogates);
    for k in 0..o.surrogates {
        f.progress(k as f64 / o.surrogates as f64)?;
        let made: Vec<Vec<f64>> =
            makers.iter().zip(0..).map(|(m, unit)| m.make(&mut key.stream(unit, k as u64))).collect();
        values.push(pool(&made));
    }
    let count = values.len();
    Ok(metric
        .chance(mean(&values))
        .p(p_value(found - 1e-12, &values))
        .null_by(format!("chance and p: {count} surrogates with each unit's intervals in another order")))
}

/// max |N(t)/N − t/T| over a window.
fn farthest(train: &[f64], edges: Edges) -> f64 {
    let (n, length) = (train.len() as f64, edges.stop - edges.start);
    train
        .iter()
        .enumerate()
        .map(|(k, t)| {
            let line = (t - edges.start) / length;
            (line - k as f64 / n).abs().max((line - (k + 1) as f64 / n).abs())
        })
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{gamma, metric, poisson, recording, run, same_values, shifted, subject, value};
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::OptionValue;

    fn rate(o: &crate::Outcome) -> &Series {
        let found = o.shapes.iter().find_map(|s| if let Shape::Series(s) = &s.shape { Some(s) } else { None });
        found.unwrap()
    }

    /// Poisson trains of 20 + 15 sin(2 pi t/2 s) Hz in 20 units: the curve follows the rate, its band holds it, and the
    /// departure of a slow ramp is found.
    #[test]
    fn follows_a_rate_that_changes() {
        let truth = |t: f64| 20.0 + 15.0 * (std::f64::consts::PI * t / 1000.0).sin();
        let trains: Vec<Vec<f64>> = (0..20)
            .map(|u| {
                let mut thin = Key::new(1, "rate_kernel", "thin").stream(u, 0);
                poisson(3, u, 40.0, 10_000.0).into_iter().filter(|t| 40.0 * thin.uniform() < truth(*t)).collect()
            })
            .collect();
        let o = run(&RateByKernel, &recording(&trains, 10_000.0), vec![], &[]).unwrap();
        let width = value(&o, "p.spikes", "bandwidth");
        assert!((80.0..400.0).contains(&width), "{width}");
        let curve = &rate(&o).curves[0];
        let (low, high) = curve.band.as_ref().unwrap();
        let mut held = 0;
        for (k, t) in curve.x.iter().enumerate() {
            assert!((curve.y[k] - truth(*t)).abs() < 12.0, "{t} {} {}", curve.y[k], truth(*t));
            held += usize::from(low[k] <= truth(*t) && truth(*t) <= high[k]);
        }
        assert!(held > 700, "{held}");
        let variation = value(&o, "p.spikes", "rate_variation");
        assert!((variation - 15.0 / 2.0f64.sqrt() / 20.0).abs() < 0.08, "{variation}");
        for (kernel, late) in [("box", 0.0), ("exponential", 100.0), ("alpha", 140.0)] {
            let options = [
                ("kernel", OptionValue::Text(kernel.into())),
                ("width", OptionValue::Number(0.1)),
                ("surrogates", OptionValue::Integer(0)),
            ];
            let o = run(&RateByKernel, &recording(&trains, 10_000.0), vec![], &options).unwrap();
            let curve = &rate(&o).curves[0];
            let k = curve.x.iter().position(|t| *t >= 5000.0).unwrap();
            assert!((curve.y[k] - truth(5000.0 - late)).abs() < 7.0, "{kernel} {}", curve.y[k]);
            assert!((value(&o, "p.spikes", "bandwidth") - 100.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_ramp_departs_and_a_renewal_process_does_not() {
        let mut thin = Key::new(2, "rate_kernel", "ramp").stream(0, 0);
        let ramp: Vec<f64> =
            poisson(4, 0, 40.0, 10_000.0).into_iter().filter(|t| 10_000.0 * thin.uniform() < *t).collect();
        let o = run(&RateByKernel, &recording(&[ramp], 10_000.0), vec![], &[]).unwrap();
        let m = metric(&o, "p.spikes", "departure");
        assert!((m.value.unwrap() - 0.25).abs() < 0.05 && m.p_value == Some(0.005), "{m:?}");
        let small = (0..100)
            .filter(|seed| {
                let r = recording(&[gamma(*seed, 0, 4, 20.0, 5000.0)], 5000.0);
                let o = run(&RateByKernel, &r, vec![], &[("surrogates", OptionValue::Integer(39))]).unwrap();
                metric(&o, "p.spikes", "departure").p_value.unwrap() <= 0.05
            })
            .count();
        assert!(small <= 12, "{small} of 100 constant rates depart at 5 %");
    }

    #[test]
    fn blind_to_absolute_time_and_bad_input_is_said() {
        let r = recording(&[poisson(5, 0, 20.0, 8192.0), poisson(5, 1, 20.0, 8192.0)], 8192.0);
        let none = [("surrogates", OptionValue::Integer(0))];
        let (o, mut later) = (
            run(&RateByKernel, &r, vec![], &none).unwrap(),
            run(&RateByKernel, &shifted(&r, 65536.0), vec![], &none).unwrap(),
        );
        let time = later.metrics.iter_mut().find(|m| m.metric == "peak_time").unwrap();
        time.value = time.value.map(|t| t - 65536.0);
        same_values(&o, &later, 1e-3);
        let two = vec![subject("spikes", &[0]), subject("spikes", &[1])];
        assert_eq!(rate(&run(&RateByKernel, &r, two, &none).unwrap()).curves.len(), 2);
        for (train, what) in [(vec![], "nothing fired"), (vec![5.0], "no best bandwidth")] {
            let o = run(&RateByKernel, &recording(&[train], 100.0), vec![], &none).unwrap();
            assert!(metric(&o, "p.spikes", "bandwidth").note.contains(what));
        }
        let o = run(&RateByKernel, &recording(&[vec![50.0; 5]], 100.0), vec![], &[]).unwrap();
        assert!(value(&o, "p.spikes", "peak_rate") > 0.0);
    }
}
