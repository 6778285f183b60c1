//! Autocorrelogram of units: refractoriness, bursts, and what surrogates give.

use super::prelude::*;
use super::train_pairs::DITHER;
use spikedeck_core::number::shown;
use spikedeck_core::spike_distance::Edges;
use spikedeck_core::spike_lags::lags_within;
use spikedeck_core::spike_surrogate::{SurrogateMaker, TrainSurrogate, common_grid};
use spikedeck_core::statistics::{mean, mean_interval, quantile};
use spikedeck_core::surrogate::{jackknife_interval, p_value};
use spikedeck_core::units::short;
use spikedeck_signal::{Axis, Curve, CurveStyle, ReferenceLine, Series, Shape};

/// The analysis `autocorrelogram`.
pub struct Autocorrelogram;

const CARD: AnalysisCard = AnalysisCard {
    title: "Autocorrelogram",
    synonyms: &["autocorrelation", "acg", "acf", "autocorrelation_histogram"],
    summary: "spikes after a spike of the same unit, over the rate: refractory period, burst index, band of surrogates",
    formula: "g(τ) = pairs of spikes of a unit in a bin of lags (τ − Δ, τ]/(Σ_units n² Δ/T (1 − τ/T))\nburst index = \
              (a − b)/max(a, b), a = greatest g up to `burst`, b = mean g from 4 to 5 times `burst`\nrefractory period \
              = lag at which g first reaches half of its mean over the longer half of the lags",
    assumptions: "Units pooled, each with itself alone; lags to one side (the other is its mirror). A burst index is \
                  of each unit, and their mean is told: 0 for a Poisson process with enough spikes, 1 where a burst \
                  stands before silence, −1 where nothing fires up to `burst`.",
    bias: "a is the greatest of several bins, and above b by chance where bins hold few pairs: compare with the \
           surrogates, which have as many spikes. The refractory period is known to a bin.",
    cost: "O(pairs within the greatest lag), once for each surrogate",
    caveats: "The band is of each bin alone: one bin in twenty lies outside. Slow changes of the rate raise all of g; \
              surrogates with each spike dithered keep them, uniform ones do not.",
    references: &[
        "Perkel, Gerstein, Moore 1967, doi:10.1016/S0006-3495(67)86596-2",
        "Royer and others 2012, doi:10.1038/nn.3077",
        "Louis, Gerstein, Grün, Diesmann 2010, doi:10.3389/fncom.2010.00127",
    ],
};

options! {
    /// What `autocorrelogram` can be told.
    pub struct Options {
        max_lag: Time = time("100 ms").or(derived::FIVE), "greatest lag";
        bin: Time = time("1 ms").or(derived::TWENTIETH).piece(), "width of a bin";
        burst: Time = time("10 ms").or(derived::QUARTER), "lags up to which spikes are of one burst";
        surrogate: TrainSurrogate = choice(TrainSurrogate::Uniform),
            "how chance is made: as many spikes anywhere (uniform); each spike moved (dither, dead_time_dither, \
             isi_dither, joint_isi_dither); the intervals in another order (isi_shuffle). A shift keeps all of it";
        dither: Time = time("20 ms").or(DITHER), "how far a dither goes to either side";
        surrogates: usize = integer("199").between(0.0, 100_000.0), "number of surrogates (0: none)";
    }
}

/// Values of all bins and surrogates together at the most.
const MOST_BINS: usize = 50_000_000;
/// Stretches of time that the interval of one unit leaves out in turn.
const STRETCHES: usize = 20;

impl Estimator for Autocorrelogram {
    type Options = Options;
    const KIND: &'static str = "autocorrelogram";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn together(o: &Options, _: RunTimes) -> Result<(), Wrong> {
        if 5.0 * o.burst.axis > o.max_lag.axis * (1.0 + 1e-9) {
            return Err(Wrong {
                key: "max_lag",
                message: "must reach five times `burst`".into(),
                help: "the burst index compares lags up to `burst` with those from four to five times that".into(),
            });
        }
        Ok(())
    }

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_spiking(|f, s| {
            let t = subject::trains(f.request, s)?;
            let edges = Edges { start: t.window.start, stop: t.window.stop };
            let unit = f.base.unit();
            let bins = ((o.max_lag.axis / o.bin.axis) + 1e-9).floor() as usize;
            if bins < 2 || o.max_lag.axis >= t.window.length() {
                return Err(AnalysisError::Unsuitable(format!(
                    "{}: max_lag must be shorter than the window, and hold two bins",
                    s.text
                )));
            }
            if bins * o.surrogates.max(1) > MOST_BINS {
                return Err(AnalysisError::Unsuitable(format!(
                    "{}: {bins} bins of {} surrogates do not fit into memory; widen `bin` or lower `surrogates`",
                    s.text, o.surrogates
                )));
            }
            let trains: Vec<&[f64]> = t.trains.iter().map(AsRef::as_ref).collect();
            let found = Found::of(&trains, edges, bins, o);
            let spikes = t.count() as u64;
            if found.expected <= 0.0 {
                let why = "no unit fired twice";
                f.metric(Metric::missing(&s.text, "burst_index", "", spikes, why));
                f.metric(Metric::missing(&s.text, "refractory_period", unit, spikes, why));
                f.word(format!("{}: {why}", s.text));
                return Ok(());
            }
            if found.expected < 10.0 {
                f.warn(format!(
                    "{}: {:.1} pairs a bin are expected by chance; wider bins or a longer run would say more",
                    s.text, found.expected
                ));
            }
            let drawn = surrogates(o, f, &s.text, &trains, edges, bins)?;
            let index = index_metric(o, &s.text, &trains, &found, &drawn, edges, bins);
            let told = index.value;
            f.metric(index);
            f.metric(refractory(&s.text, &found, o.bin.axis, unit));
            f.word(match told {
                Some(v) => format!("{}: burst index {}", s.text, shown(v)),
                None => format!("{}: no burst index", s.text),
            });
            let series = Series {
                x: Axis::new("lag", unit),
                y: Axis::new("g", ""),
                curves: curves(&s.text, &found, &drawn, o),
                references: vec![ReferenceLine { name: "Poisson".into(), at: 1.0, vertical: false }],
            };
            f.shape(format!("autocorrelogram of {}", s.text), Shape::Series(series));
            Ok(())
        })
    }
}

/// The autocorrelogram of some units.
struct Found {
    /// Over chance, a value a bin.
    height: Vec<f64>,
    /// Pairs expected in a bin at lag 0, of all units.
    expected: f64,
    /// Burst index of each unit that has one.
    index: Vec<f64>,
}

impl Found {
    fn of(trains: &[&[f64]], edges: Edges, bins: usize, o: &Options) -> Self {
        let (bin, length) = (o.bin.axis, edges.stop - edges.start);
        let share = |k: usize| 1.0 - (k as f64 + 0.5) * bin / length;
        let (mut all, mut expected, mut index) = (vec![0.0; bins], 0.0, Vec::new());
        for train in trains.iter().filter(|t| t.len() >= 2) {
            let mut counts = vec![0.0; bins];
            // A train with itself: each pair once, later spike after earlier, also where both stand at one time.
            for (k, &t) in train.iter().enumerate() {
                lags_within(&[t], &train[k + 1..], bins as f64 * bin * (1.0 + 1e-9), |lag| {
                    let place = subject::bin_of(lag, 0.0, bin).unwrap_or(0);
                    if let Some(c) = counts.get_mut(place) {
                        *c += 1.0;
                    }
                });
            }
            let own = (train.len() * (train.len() - 1)) as f64 * bin / length;
            let height: Vec<f64> = counts.iter().enumerate().map(|(k, c)| c / (own * share(k))).collect();
            index.extend(burst_index(&height, bin, o.burst.axis));
            all.iter_mut().zip(&counts).for_each(|(a, c)| *a += c);
            expected += own;
        }
        let height = all.iter().enumerate().map(|(k, c)| c / (expected * share(k))).collect();
        Self { height, expected, index }
    }
}

/// (a − b)/max(a, b); none where nothing fires in either stretch.
fn burst_index(height: &[f64], bin: f64, burst: f64) -> Option<f64> {
    let bins = |t: f64| ((t / bin + 1e-9).floor() as usize).clamp(1, height.len());
    let near = height[..bins(burst)].iter().copied().fold(0.0, f64::max);
    let far = &height[bins(4.0 * burst).min(height.len() - 1)..bins(5.0 * burst)];
    let base = if far.is_empty() { height[height.len() - 1] } else { mean(far) };
    let most = near.max(base);
    (most > 0.0).then(|| (near - base) / most)
}

/// What surrogates give: heights of each bin, and the mean burst index of each surrogate.
struct Drawn {
    heights: Vec<Vec<f64>>,
    index: Vec<f64>,
}

fn surrogates(
    o: &Options,
    f: &Findings<'_>,
    name: &str,
    trains: &[&[f64]],
    edges: Edges,
    bins: usize,
) -> Result<Drawn, AnalysisError> {
    let grid = common_grid(f.recording.dt, edges, trains.iter().copied());
    let makers: Vec<SurrogateMaker<'_>> =
        trains.iter().map(|t| SurrogateMaker::new(o.surrogate, t, edges, o.dither.axis, grid)).collect();
    let key = f.key(name, "surrogates");
    let mut drawn = Drawn { heights: vec![Vec::with_capacity(o.surrogates); bins], index: Vec::new() };
    for k in 0..o.surrogates {
        f.progress(k as f64 / o.surrogates as f64)?;
        let made: Vec<Vec<f64>> =
            makers.iter().zip(0..).map(|(m, unit)| m.make(&mut key.stream(unit, k as u64))).collect();
        let found = Found::of(&made.iter().map(Vec::as_slice).collect::<Vec<_>>(), edges, bins, o);
        drawn.heights.iter_mut().zip(&found.height).for_each(|(all, h)| all.push(*h));
        drawn.index.push(mean(&found.index));
    }
    drawn.index.retain(|v| v.is_finite());
    Ok(drawn)
}

fn index_metric(
    o: &Options,
    name: &str,
    trains: &[&[f64]],
    found: &Found,
    drawn: &Drawn,
    edges: Edges,
    bins: usize,
) -> Metric {
    let n = found.index.len() as u64;
    if n == 0 {
        return Metric::missing(name, "burst_index", "", 0, "no unit has a pair of spikes at these lags");
    }
    let value = mean(&found.index);
    let mut metric = Metric::new(name, "burst_index", value, "", n).note("n = units; mean over units");
    if n > 1 {
        let (_, low, high) = mean_interval(&found.index, 0.95);
        metric = metric.interval(low.max(-1.0), high.min(1.0)).interval_by("95 % interval over units (t)");
    } else {
        let stretch = (edges.stop - edges.start) / STRETCHES as f64;
        let rest = Edges { start: edges.start, stop: edges.stop - stretch };
        let left_out: Vec<f64> = (0..STRETCHES)
            .map(|k| {
                let (from, to) = (edges.start + k as f64 * stretch, edges.start + (k + 1) as f64 * stretch);
                let without = |t: &&[f64]| -> Vec<f64> {
                    let (first, last) = (t.partition_point(|x| *x <= from), t.partition_point(|x| *x <= to));
                    t[..first].iter().copied().chain(t[last..].iter().map(|x| x - stretch)).collect()
                };
                let trains: Vec<Vec<f64>> = trains.iter().map(without).collect();
                mean(&Found::of(&trains.iter().map(Vec::as_slice).collect::<Vec<_>>(), rest, bins, o).index)
            })
            .collect();
        metric = match jackknife_interval(value, &left_out) {
            Some((low, high)) => metric
                .interval(low.max(-1.0), high.min(1.0))
                .interval_by(format!("95 % interval by leaving out one of {STRETCHES} stretches of time")),
            None => metric.note("no interval: a stretch of time holds all there is"),
        };
    }
    if drawn.index.is_empty() {
        return metric;
    }
    let down: Vec<f64> = drawn.index.iter().map(|v| -v).collect();
    let p = 2.0 * p_value(value - 1e-12, &drawn.index).min(p_value(-value - 1e-12, &down));
    metric.chance(mean(&drawn.index)).p(p.min(1.0)).null_by(format!(
        "chance and two-sided p: {} surrogates ({})",
        drawn.index.len(),
        o.surrogate.word()
    ))
}

/// The lag at which the pooled autocorrelogram first reaches half of its later mean.
fn refractory(name: &str, found: &Found, bin: f64, unit: &str) -> Metric {
    let later = mean(&found.height[found.height.len() / 2..]);
    let pairs = (found.expected * found.height.iter().sum::<f64>()).round() as u64;
    let at = found.height.iter().position(|h| *h >= 0.5 * later);
    match at.filter(|_| later > 0.0) {
        Some(k) => Metric::new(name, "refractory_period", k as f64 * bin, unit, pairs).note(format!(
            "n = pairs of spikes; g first reaches half of its later mean {} {unit} after a spike; known to a bin",
            short(k as f64 * bin)
        )),
        None => Metric::missing(name, "refractory_period", unit, pairs, "no pair of spikes at the longer lags"),
    }
}

fn curves(name: &str, found: &Found, drawn: &Drawn, o: &Options) -> Vec<Curve> {
    let x: Vec<f64> = (1..=found.height.len()).map(|k| k as f64 * o.bin.axis).collect();
    let plain =
        Curve { name: name.to_owned(), x: x.clone(), y: found.height.clone(), band: None, style: CurveStyle::Steps };
    if drawn.heights.iter().any(Vec::is_empty) {
        return vec![plain];
    }
    let sorted: Vec<Vec<f64>> = drawn
        .heights
        .iter()
        .map(|h| {
            let mut h = h.clone();
            h.sort_by(f64::total_cmp);
            h
        })
        .collect();
    let at = |q: f64| sorted.iter().map(|h| quantile(h, q)).collect::<Vec<f64>>();
    let chance = Curve {
        name: format!("surrogates ({}), 95 % of each bin", o.surrogate.word()),
        x,
        y: sorted.iter().map(|h| mean(h)).collect(),
        band: Some((at(0.025), at(0.975))),
        style: CurveStyle::Chance,
    };
    vec![plain, chance]
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

    fn none() -> [(&'static str, OptionValue); 1] {
        [("surrogates", OptionValue::Integer(0))]
    }

    /// Lags by hand: 10, 15, 25 and 15 again (bins of 10 ms to the left of their edges).
    #[test]
    fn pairs_by_hand() {
        let options = [
            ("bin", OptionValue::Number(0.01)),
            ("max_lag", OptionValue::Number(0.05)),
            ("surrogates", OptionValue::Integer(0)),
        ];
        let o =
            run(&Autocorrelogram, &recording(&[vec![100.0, 110.0, 125.0, 125.0]], 1000.0), vec![], &options).unwrap();
        let y = &series(&o).curves[0].y;
        let own = 12.0 * 10.0 / 1000.0;
        // Lags: 10, 25, 25, 15, 15, 0.
        for (k, count) in [2.0, 2.0, 2.0, 0.0, 0.0].iter().enumerate() {
            let share = 1.0 - (k as f64 + 0.5) / 100.0;
            assert!((y[k] - count / (own * share)).abs() < 1e-12, "{k} {}", y[k]);
        }
    }

    #[test]
    fn poisson_is_flat_and_dead_time_and_bursts_show() {
        let trains: Vec<Vec<f64>> = (0..10).map(|u| poisson(3, u, 30.0, 50_000.0)).collect();
        let o = run(&Autocorrelogram, &recording(&trains, 50_000.0), vec![], &[]).unwrap();
        let curves = &series(&o).curves;
        assert!(curves[0].y.iter().all(|y| (y - 1.0).abs() < 0.2));
        let (low, high) = curves[1].band.as_ref().unwrap();
        let outside = (0..100).filter(|k| curves[0].y[*k] < low[*k] || curves[0].y[*k] > high[*k]).count();
        assert!(outside < 15, "{outside} of 100 bins");
        let m = metric(&o, "p.spikes", "burst_index");
        assert!(m.p_value.unwrap() > 0.01 && (m.value.unwrap() - m.chance.unwrap()).abs() < 0.1, "{m:?}");
        assert_eq!(value(&o, "p.spikes", "refractory_period"), 0.0);
        // Every spike is followed by another after 4 ms.
        let doubled: Vec<f64> = gamma(4, 0, 4, 10.0, 50_000.0).iter().flat_map(|t| [*t, *t + 4.0]).collect();
        let o = run(&Autocorrelogram, &recording(&[doubled], 50_010.0), vec![], &[]).unwrap();
        let m = metric(&o, "p.spikes", "burst_index");
        assert!(m.value.unwrap() > 0.8 && m.p_value == Some(0.01) && m.ends().unwrap().0 > 0.6, "{m:?}");
        // A dead time of 20 ms.
        let (mut t, mut train) = (0.0, Vec::new());
        for isi in poisson(6, 0, 40.0, 1e5).windows(2).map(|w| w[1] - w[0] + 20.0) {
            t += isi;
            train.push(t);
        }
        let o = run(&Autocorrelogram, &recording(&[train], t + 1.0), vec![], &[]).unwrap();
        assert!((value(&o, "p.spikes", "refractory_period") - 20.0).abs() < 1.5);
        assert!(value(&o, "p.spikes", "burst_index") < -0.9);
    }

    /// Isi shuffles keep the intervals, and so the first peak of a renewal process: it lies within their band.
    #[test]
    fn shuffled_intervals_are_the_chance_of_a_renewal_process() {
        let mut options = vec![("surrogate", OptionValue::Text("isi_shuffle".into()))];
        options.push(("surrogates", OptionValue::Integer(99)));
        let r = recording(&[gamma(8, 0, 8, 40.0, 40_000.0)], 40_000.0);
        let o = run(&Autocorrelogram, &r, vec![], &options).unwrap();
        assert!(metric(&o, "p.spikes", "burst_index").p_value.unwrap() > 0.02);
        let o = run(&Autocorrelogram, &r, vec![], &[]).unwrap();
        assert_eq!(metric(&o, "p.spikes", "burst_index").p_value, Some(0.01));
    }

    #[test]
    fn blind_to_absolute_time_and_order_and_bad_input_is_said() {
        let mut trains = vec![gamma(2, 0, 2, 20.0, 8192.0), poisson(2, 1, 30.0, 8192.0), vec![]];
        for t in &mut trains {
            *t = t.iter().map(|t| (*t * 1024.0).round() / 1024.0).collect();
        }
        let r = recording(&trains, 8192.0);
        let o = run(&Autocorrelogram, &r, vec![], &none()).unwrap();
        same_values(&o, &run(&Autocorrelogram, &shifted(&r, 65536.0), vec![], &none()).unwrap(), 1e-9);
        trains.reverse();
        same_values(&o, &run(&Autocorrelogram, &recording(&trains, 8192.0), vec![], &none()).unwrap(), 1e-9);
        for trains in [vec![vec![]], vec![vec![5.0], vec![6.0]]] {
            let o = run(&Autocorrelogram, &recording(&trains, 1000.0), vec![], &[]).unwrap();
            assert!(o.metrics.iter().all(|m| m.value.is_none() && m.note == "no unit fired twice"));
        }
        let e = run(&Autocorrelogram, &recording(&[vec![5.0]], 50.0), vec![], &[]).unwrap_err().to_string();
        assert!(e.contains("max_lag must be shorter"), "{e}");
        let o = run(&Autocorrelogram, &recording(&[vec![50.0; 5]], 1000.0), vec![], &[]).unwrap();
        assert_eq!(value(&o, "p.spikes", "burst_index"), 1.0);
        assert!(metric(&o, "p.spikes", "refractory_period").value.is_none());
    }
}
