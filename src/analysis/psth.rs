//! The peri-stimulus time histogram: the rate over trials of one network, and the response to an event in them.

use super::prelude::*;
use super::subject::{bin_count, bin_of};
use spikedeck_core::bootstrap;
use spikedeck_core::number::{self, shown};
use spikedeck_core::statistics::{mean, mean_interval, median, poisson_interval_of, variance};
use spikedeck_core::surrogate::p_value;
use spikedeck_scenario::Subject;
use spikedeck_signal::{Axis, Curve, CurveStyle, Recording, ReferenceLine, Series, Shape, SpikeTrains, Window};

/// The analysis `psth`.
pub struct Psth;

const CARD: AnalysisCard = AnalysisCard {
    title: "Peri-stimulus time histogram",
    synonyms: &["peth", "peristimulus", "peri_event", "event_triggered", "trial_average"],
    summary: "the rate in bins over trials with its band, peak and latency, the response to an event, Fano over trials",
    formula: "r_k = Σ_trials count_k/(trials N Δ)\nresponse = rate in (onset, onset + response] − rate in [onset − \
              baseline, onset)\nFano = ⟨var over trials(count)/mean over trials(count)⟩ over units (ddof 1)",
    assumptions: "Trials are alike but for their noise (of each condition, where `[trials]` has axes) and independent. \
                  Bands: `bootstrap` resamples trials; `analytic` is Student's t over trials in each bin. Both are of \
                  each bin by itself.",
    bias: "The mean rate is unbiased. The peak is the largest of many bins and therefore high; its level of chance is \
           that of the same trials, each turned round by a time of its own, which keeps their rhythm and loses what is \
           locked to the trial.",
    cost: "O(spikes + (replicates + surrogates) trials bins)",
    caveats: "Few trials have bands that are too narrow (bootstrap) or rest on normal means (analytic). Slow drifts \
              over trials raise Fano. The latency is that of the bins: it is late by up to one of them, and later \
              where the response is weak.",
    references: &[
        "Gerstein and Kiang 1960, doi:10.1016/S0006-3495(60)86872-5",
        "Kass, Ventura and Cai 2003, doi:10.1088/0954-898X/14/1/301",
        "Churchland and others 2010, doi:10.1038/nn.2501",
    ],
};

words! {
    /// How the band of a bin is found.
    pub enum Band {
        /// Percentiles over resampled trials.
        Bootstrap = "bootstrap",
        /// Student's t over trials.
        Analytic = "analytic",
    }
}

options! {
    /// What `psth` can be told.
    pub struct Options {
        bin: Time = time("5 ms").or(derived::QUARTER).piece(), "width of the bins";
        band: Band = choice(Band::Bootstrap), "how the band of a bin is found: resampled trials, or Student's t over \
            them";
        onset: Option<Time> = time_if_given().or_zero(), "when the event is in each trial; without it no response";
        response: Time = time("100 ms").or(derived::TEN), "length of the stretch after the event";
        baseline: Option<Time> = time_if_given(), "length of the stretch before the event (default all that there is)";
        replicates: usize = integer("1000").between(100.0, 1e6), "resamplings of the trials, and surrogates of the \
            peak";
    }
}

impl Estimator for Psth {
    type Options = Options;
    const KIND: &'static str = "psth";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const ACROSS_TRIALS: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_spiking(|f, s| {
            let mut curves = Vec::new();
            for (condition, trials) in conditions(f.recording) {
                let of = counted(f, s, o, &trials)?;
                let name = if condition.is_empty() { s.text.clone() } else { format!("{} {condition}", s.text) };
                curves.push(measured(f, &name, &of, o)?);
            }
            let rate = f.base.rate_unit();
            let line = |t: Time| ReferenceLine { name: "onset".into(), at: t.axis, vertical: true };
            let references = o.onset.map(line).into_iter().collect();
            let (x, y) = (axis(f), Axis::new("rate", rate));
            f.shape(format!("rate of {} over trials", s.text), Shape::Series(Series { x, y, curves, references }));
            Ok(())
        })
    }
}

/// The time axis of a trial: of a run it is that of the run, in a recording each trial begins anew.
pub(super) fn axis(f: &Findings<'_>) -> Axis {
    let time = Axis::time(f.base);
    if f.scenario().is_some() { time } else { Axis { label: "time in the trial".into(), ..time } }
}

/// The trials of each condition, in the order of the first of each.
pub(super) fn conditions(recording: &Recording) -> Vec<(&str, Vec<&Recording>)> {
    let mut found: Vec<(&str, Vec<&Recording>)> = Vec::new();
    for trial in recording.each_trial() {
        let condition = trial.trial.as_ref().map_or("", |t| t.condition.as_str());
        match found.iter_mut().find(|f| f.0 == condition) {
            Some((_, trials)) => trials.push(trial),
            None => found.push((condition, vec![trial])),
        }
    }
    found
}

/// What is counted in the trials of a condition.
struct Counted {
    /// Right ends of the bins on the time axis.
    ends: Vec<f64>,
    /// Rate per unit of each trial in each bin.
    rates: Vec<Vec<f64>>,
    /// Rate per unit of each trial in the whole window.
    whole: Vec<f64>,
    /// Rates per unit of each trial before and after the event.
    around: Option<[Vec<f64>; 2]>,
    /// Counts of each trial (rows) and unit in the stretch after the event, or in the whole window.
    counts: Vec<Vec<f64>>,
    spikes: u64,
    /// Seconds of all units in all trials: of the whole window, before and after the event.
    seconds: [f64; 3],
}

fn counted(f: &Findings<'_>, s: &Subject, o: &Options, trials: &[&Recording]) -> Result<Counted, AnalysisError> {
    let window = f.recording.analysis_window();
    let bins = bin_count(window, o.bin.axis);
    if bins == 0 {
        return Err(AnalysisError::Unsuitable(format!("{}: no whole bin fits into a trial", s.text)));
    }
    let (before, after) = match o.onset {
        None => (None, window),
        Some(onset) => {
            let after = Window { start: onset.axis, stop: onset.axis + o.response.axis };
            let start = o.baseline.map_or(window.start, |b| onset.axis - b.axis);
            let slack = 1e-9 * window.length();
            if start < window.start - slack || after.stop > window.stop + slack || start >= onset.axis {
                return Err(AnalysisError::Unsuitable(format!(
                    "{}: the stretches before and after the event at {} {} are not inside the trial ({} to {})",
                    s.text,
                    onset.axis,
                    f.base.unit(),
                    window.start,
                    window.stop
                )));
            }
            (Some(Window { start, stop: onset.axis }), after)
        }
    };
    let mut of = Counted {
        ends: (1..=bins).map(|k| window.start + k as f64 * o.bin.axis).collect(),
        rates: Vec::new(),
        whole: Vec::new(),
        around: before.map(|_| [Vec::new(), Vec::new()]),
        counts: Vec::new(),
        spikes: 0,
        seconds: [0.0; 3],
    };
    let seconds = f.base.seconds();
    for trial in trials {
        let trains = SpikeTrains::new(trial);
        let request = Request { recording: trial, trains: &trains, ..*f.request };
        let found = subject::trains_within(&request, s, trial.window)?;
        let per_unit = 1.0 / found.trains.len().max(1) as f64;
        let rate = |count: usize, length: f64| count as f64 * per_unit / (length * seconds);
        let mut binned = vec![0_usize; bins];
        let mut row = Vec::with_capacity(found.trains.len());
        let (mut whole, mut around) = (0, [0, 0]);
        for train in &found.trains {
            let inside = train.within(window);
            whole += inside.len();
            for bin in inside.iter().filter_map(|&t| bin_of(t, window.start, o.bin.axis)).filter(|&b| b < bins) {
                binned[bin] += 1;
            }
            let count = train.within(after).len();
            around[1] += count;
            around[0] += before.map_or(0, |w| train.within(w).len());
            row.push(count as f64);
        }
        of.spikes += whole as u64;
        for (sum, length) in of.seconds.iter_mut().zip([Some(window), before, Some(after)]) {
            *sum += found.trains.len() as f64 * seconds * length.map_or(0.0, Window::length);
        }
        of.rates.push(binned.iter().map(|&n| rate(n, o.bin.axis)).collect());
        of.whole.push(rate(whole, window.length()));
        if let (Some(found), Some(before)) = (&mut of.around, before) {
            found[0].push(rate(around[0], before.length()));
            found[1].push(rate(around[1], after.length()));
        }
        of.counts.push(row);
    }
    Ok(of)
}

/// Metrics of a condition, and its curve.
fn measured(f: &mut Findings<'_>, name: &str, of: &Counted, o: &Options) -> Result<Curve, AnalysisError> {
    let (n, rate, unit) = (of.rates.len() as u64, f.base.rate_unit(), f.base.unit());
    let bins = of.ends.len();
    let in_bin = |k: usize| of.rates.iter().map(|r| r[k]).collect::<Vec<f64>>();
    let curve: Vec<f64> = (0..bins).map(|k| mean(&in_bin(k))).collect();
    let (mut low, mut high) = (Vec::with_capacity(bins), Vec::with_capacity(bins));
    for k in 0..bins {
        if k % 64 == 0 {
            f.progress(0.5 * k as f64 / bins as f64)?;
        }
        let ends = match o.band {
            Band::Analytic if n > 1 => Some(mean_interval(&in_bin(k), 0.95)).map(|m| (m.1.max(0.0), m.2)),
            Band::Analytic => None,
            Band::Bootstrap => {
                bootstrap::mean_interval(&in_bin(k), o.replicates as u32, 0.95, f.key(name, &format!("bin {k}")))
            }
        };
        low.push(ends.map_or(f64::NAN, |e| e.0));
        high.push(ends.map_or(f64::NAN, |e| e.1));
    }
    f.metric(rate_over_trials(name, "mean_rate", &of.whole, rate, of.seconds[0]));
    peak(f, name, of, &curve, (&low, &high), o)?;
    if let Some([before, after]) = &of.around {
        let difference: Vec<f64> = after.iter().zip(before).map(|(a, b)| a - b).collect();
        f.metric(rate_over_trials(name, "baseline", before, rate, of.seconds[1]));
        f.metric(rate_over_trials(name, "response", after, rate, of.seconds[2]));
        let p = flipped(&difference, o.replicates, f.key(name, "signs"));
        let null = format!("p of a change: {} drawings of its sign in each trial", o.replicates);
        f.metric(over_trials(name, "change", &difference, rate).chance(0.0).p(p).ground(Basis::Null, null));
        f.metric(latency(name, of, &low, mean(before), o, unit, n));
    }
    f.metric(fano(name, &of.counts, n));
    f.word(format!(
        "{name}: {} {rate} over {}",
        shown(mean(&of.whole)),
        number::counted(n as usize, "trial", "trials")
    ));
    if n < 10 {
        f.warn(format!(
            "{name}: {} few: bands and p-values are coarse",
            number::counted(n as usize, "trial is", "trials are")
        ));
    }
    Ok(Curve { name: name.to_owned(), x: of.ends.clone(), y: curve, band: Some((low, high)), style: CurveStyle::Steps })
}

/// A rate over trials of `seconds` in all: nowhere below zero, and never surer than a Poisson count of all spikes.
fn rate_over_trials(name: &str, metric: &str, values: &[f64], unit: &str, seconds: f64) -> Metric {
    let over = over_trials(name, metric, values, unit);
    let (Some(value), true) = (over.value, values.len() > 1) else { return over };
    let (least, most) = poisson_interval_of(value * seconds, 0.95);
    let (low, high) = over.ends().unwrap_or((value, value));
    over.interval(low.max(0.0).min(least / seconds), high.max(most / seconds))
        .interval_by("not below that of a Poisson count")
}

fn over_trials(name: &str, metric: &str, values: &[f64], unit: &str) -> Metric {
    let n = values.len() as u64;
    if n < 2 {
        return Metric::new(name, metric, mean(values), unit, n).note("one trial has no interval");
    }
    let (value, low, high) = mean_interval(values, 0.95);
    let made = Metric::new(name, metric, value, unit, n);
    if values.iter().all(|v| *v == values[0]) {
        return made.note("n = trials, all alike: they have no interval");
    }
    made.interval(low, high).note("n = trials").interval_by("95 % interval over trials (t)")
}

/// The largest bin, against trials that are each turned round by a time of their own.
fn peak(
    f: &mut Findings<'_>,
    name: &str,
    of: &Counted,
    curve: &[f64],
    (low, high): (&[f64], &[f64]),
    o: &Options,
) -> Measured {
    let (n, rate, unit) = (of.rates.len() as u64, f.base.rate_unit(), f.base.unit());
    let Some(at) = (0..curve.len()).max_by(|&a, &b| curve[a].total_cmp(&curve[b]).then(b.cmp(&a))) else {
        unreachable!("there is at least one bin")
    };
    if of.spikes == 0 {
        f.metric(Metric::missing(name, "peak", rate, n, "nothing fired"));
        f.metric(Metric::missing(name, "peak_time", unit, n, "nothing fired"));
        return Ok(());
    }
    let (bins, key) = (curve.len(), f.key(name, "turned"));
    let mut largest = Vec::with_capacity(o.replicates);
    let mut sum = vec![0.0; bins];
    for replicate in 0..o.replicates {
        if replicate % 64 == 0 {
            f.progress(0.5 + 0.5 * replicate as f64 / o.replicates as f64)?;
        }
        sum.fill(0.0);
        let mut stream = key.stream(replicate as u32, 0);
        for trial in &of.rates {
            let by = stream.below(bins as u32) as usize;
            for (sum, value) in sum.iter_mut().zip(trial[by..].iter().chain(&trial[..by])) {
                *sum += value;
            }
        }
        largest.push(sum.iter().copied().fold(0.0, f64::max) / of.rates.len() as f64);
    }
    let p = p_value(curve[at] * (1.0 - 1e-12), &largest);
    let mut metric = Metric::new(name, "peak", curve[at], rate, n)
        .chance(median(&largest))
        // The same counts summed in another order: what differs by rounding only counts as reached.
        .p(p)
        .note("n = trials")
        .null_by("chance: trials turned round, each by a time of its own");
    // The largest of many bins is large by choice: where that may be all, it tells nothing of the rate there.
    metric = if p > 0.05 {
        metric.note("no interval: not told from chance")
    } else if low[at].is_finite() {
        metric.interval(low[at], high[at]).interval_by("the interval is that of this bin")
    } else {
        metric
    };
    f.metric(metric);
    f.metric(
        Metric::new(name, "peak_time", of.ends[at] - 0.5 * o.bin.axis, unit, n)
            .note("middle of the largest bin; no interval: the largest of few bins is not normal"),
    );
    Ok(())
}

/// The chance that a mean of this size comes from differences of either sign alike: signs of all trials are drawn.
fn flipped(differences: &[f64], replicates: usize, key: spikedeck_core::rng::Key) -> f64 {
    let seen = mean(differences).abs();
    let size = |k: usize| {
        let mut stream = key.stream(k as u32, 0);
        let sum: f64 = differences.iter().map(|d| if stream.uniform() < 0.5 { *d } else { -d }).sum();
        (sum / differences.len() as f64).abs()
    };
    let as_large = (0..replicates).filter(|&k| size(k) >= seen * (1.0 - 1e-12)).count();
    (1 + as_large) as f64 / (1 + replicates) as f64
}

/// The beginning of the first two bins after the event whose bands lie above the baseline.
fn latency(name: &str, of: &Counted, low: &[f64], baseline: f64, o: &Options, unit: &str, n: u64) -> Metric {
    let onset = o.onset.expect("there is a stretch before the event only where there is one").axis;
    let bin = o.bin.axis;
    let first = of.ends.partition_point(|&end| end - bin < onset - 1e-9 * bin);
    let last = of.ends.partition_point(|&end| end <= onset + o.response.axis + 1e-9 * bin);
    let found = (first..last.saturating_sub(1)).find(|&k| low[k] > baseline && low[k + 1] > baseline);
    match found {
        Some(k) => Metric::new(name, "latency", (of.ends[k] - bin - onset).max(0.0), unit, n)
            .note("to the first of two bins whose bands lie above the baseline; no interval: it is a place of bins"),
        None => Metric::missing(name, "latency", unit, n, "no two bins after the event lie above the baseline"),
    }
}

/// Variance over mean of counts over trials: the mean over units that fired, with its interval over them.
fn fano(name: &str, counts: &[Vec<f64>], n: u64) -> Metric {
    let units = counts.first().map_or(0, Vec::len);
    if n < 2 {
        return Metric::missing(name, "fano", "", n, "one trial has no variance");
    }
    let of = |unit: usize| {
        let counts: Vec<f64> = counts.iter().map(|row| row[unit]).collect();
        let mean = mean(&counts);
        (mean > 0.0).then(|| variance(&counts, 1) / mean)
    };
    let values: Vec<f64> = (0..units).filter_map(of).collect();
    if values.is_empty() {
        return Metric::missing(name, "fano", "", 0, "no unit fired");
    }
    let metric = Metric::new(name, "fano", mean(&values), "", values.len() as u64).chance(1.0);
    if values.len() < 2 {
        return metric
            .note("n = units that fired")
            .chance_by("chance: a Poisson process")
            .note("one unit has no interval over units");
    }
    let (_, low, high) = mean_interval(&values, 0.95);
    metric
        .interval(low.max(0.0), high)
        .note("n = units that fired")
        .interval_by("95 % interval over units (t), as if independent")
        .chance_by("chance: a Poisson process")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, poisson, recording, run, subject};
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::Trial;
    use std::sync::Arc;

    /// Trials (each a list of trains) of these conditions in (0, 100] ms.
    fn trials(of: Vec<(&str, Vec<Vec<f64>>)>) -> Recording {
        let one = |(number, (condition, trains)): (usize, (&str, Vec<Vec<f64>>))| Recording {
            trial: Some(Trial { number: number as u64, condition: condition.into() }),
            ..recording(&trains, 100.0)
        };
        let mut all = of.into_iter().enumerate().map(one);
        let first = all.next().unwrap();
        Recording { trials: all.map(Arc::new).collect(), ..first }
    }

    fn ms(key: &'static str, value: f64) -> (&'static str, OptionValue) {
        (key, OptionValue::Number(value * 1e-3))
    }

    #[test]
    fn the_rate_is_the_count_over_trials_units_and_bins() {
        let r = trials(vec![("", vec![vec![12.0, 13.0], vec![55.0]]), ("", vec![vec![20.0], vec![]])]);
        let outcome =
            run(&Psth, &r, vec![subject("spikes", &[])], &[ms("bin", 10.0), ms("onset", 50.0), ms("response", 50.0)])
                .unwrap();
        let Shape::Series(series) = &outcome.shapes[0].shape else { unreachable!("a series") };
        // Bins are (left, right]: 20 ms is in the second. 3 spikes, 2 trials, 2 units, 10 ms.
        assert_eq!(series.curves[0].y[..3], [0.0, 75.0, 0.0]);
        assert_eq!(series.curves[0].x[1], 20.0);
        assert!((metric(&outcome, "p.spikes", "peak").value.unwrap() - 75.0).abs() < 1e-9);
        assert_eq!(metric(&outcome, "p.spikes", "peak_time").value, Some(15.0));
        assert!((metric(&outcome, "p.spikes", "mean_rate").value.unwrap() - 10.0).abs() < 1e-9);
        // Trials: (2 of 2 units in 50 ms, then 1), (1, then 0).
        assert!((metric(&outcome, "p.spikes", "baseline").value.unwrap() - 15.0).abs() < 1e-9);
        assert!((metric(&outcome, "p.spikes", "response").value.unwrap() - 5.0).abs() < 1e-9);
        // Counts after the event: unit 0 never, unit 1 once in two trials: variance 0.5 over mean 0.5.
        assert_eq!(metric(&outcome, "p.spikes", "fano").value, Some(1.0));
    }

    #[test]
    fn one_trial_and_stretches_outside_are_refused_in_words() {
        let one = trials(vec![("", vec![vec![1.0]])]);
        let said = run(&Psth, &one, vec![subject("spikes", &[])], &[]).unwrap_err().to_string();
        assert!(said.contains("[trials]"), "{said}");
        let two = trials(vec![("", vec![vec![]]), ("", vec![vec![]])]);
        let wrong = [ms("onset", 50.0), ms("response", 60.0)];
        let said = run(&Psth, &two, vec![subject("spikes", &[])], &wrong).unwrap_err().to_string();
        assert!(said.contains("not inside the trial"), "{said}");
        let silent = run(&Psth, &two, vec![subject("spikes", &[])], &[]).unwrap();
        for name in ["peak", "peak_time", "fano"] {
            assert_eq!(metric(&silent, "p.spikes", name).value, None, "{name}");
        }
        // As many seconds without a spike: Garwood's interval, ln 40 over two units in two trials of 100 ms.
        let rate = metric(&silent, "p.spikes", "mean_rate");
        let (low, high) = rate.ends().unwrap();
        assert!(rate.value == Some(0.0) && low == 0.0 && (high - 40f64.ln() / 0.2).abs() < 1e-6, "{rate:?}");
    }

    /// Poisson units whose rate is `after` instead of 20 Hz from 50 ms on.
    fn stepped(seed: u64, after: f64, n: u32) -> Recording {
        let train = |trial: u32, unit: u32| {
            let (calm, loud) =
                (poisson(seed, trial * 64 + unit, 20.0, 50.0), poisson(seed + 999, trial * 64 + unit, after, 50.0));
            calm.into_iter().chain(loud.into_iter().map(|t| t + 50.0)).collect()
        };
        trials((0..n).map(|trial| ("", (0..10).map(|unit| train(trial, unit)).collect())).collect())
    }

    #[test]
    fn a_step_of_the_rate_is_found_and_none_is_not() {
        let options = [ms("bin", 5.0), ms("onset", 50.0), ms("response", 50.0)];
        let outcome = run(&Psth, &stepped(3, 80.0, 30), vec![subject("spikes", &[])], &options).unwrap();
        let change = metric(&outcome, "p.spikes", "change");
        let (low, high) = change.ends().unwrap();
        assert!(low < 60.0 && high > 60.0 && low > 30.0, "{change:?}");
        assert!(change.p_value.unwrap() < 0.01 && metric(&outcome, "p.spikes", "peak").p_value.unwrap() < 0.01);
        assert!(metric(&outcome, "p.spikes", "latency").value.unwrap() <= 10.0);
        // Without a step p-values are uniform, and the interval has zero in it in 95 of 100.
        let (mut covered, mut ps) = (0, Vec::new());
        for seed in 0..60 {
            let outcome = run(&Psth, &stepped(1000 * seed, 20.0, 12), vec![subject("spikes", &[])], &options).unwrap();
            let change = metric(&outcome, "p.spikes", "change");
            let (low, high) = change.ends().unwrap();
            covered += usize::from(low <= 0.0 && high >= 0.0);
            ps.push([change.p_value.unwrap(), metric(&outcome, "p.spikes", "peak").p_value.unwrap()]);
        }
        assert!((52..=60).contains(&covered), "{covered}");
        for k in 0..2 {
            let small = ps.iter().filter(|p| p[k] <= 0.2).count();
            assert!((3..=23).contains(&small), "{small} of 60 p-values at or below 0.2 ({k})");
        }
    }

    #[test]
    fn conditions_are_apart() {
        let r = trials(vec![
            ("level=1", vec![vec![10.0]]),
            ("level=1", vec![vec![12.0]]),
            ("level=2", vec![vec![]]),
            ("level=2", vec![vec![]]),
        ]);
        let outcome = run(&Psth, &r, vec![subject("spikes", &[])], &[]).unwrap();
        let rates: Vec<(&str, Option<f64>)> =
            outcome.metrics.iter().filter(|m| m.metric == "mean_rate").map(|m| (m.subject.as_str(), m.value)).collect();
        assert_eq!(rates, [("p.spikes level=1", Some(10.0)), ("p.spikes level=2", Some(0.0))]);
    }
}
