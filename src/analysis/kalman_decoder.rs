//! Kalman decoder: signals read from many others, with what is known of how they go on, cross-validated.

use super::dependence::signals::{Signal, pairs};
use super::prelude::*;
use rayon::prelude::*;
use spikedeck_core::kalman::{Belief, Kalman};
use spikedeck_core::number::shown;
use spikedeck_core::statistics::{mean, pearson};
use spikedeck_core::surrogate::p_value;
use spikedeck_signal::{Axis, Curve, CurveStyle, Series, Shape, TimeBase};
use std::sync::atomic::{AtomicBool, Ordering};

/// The analysis `kalman_decoder`.
pub struct KalmanDecoder;

const CARD: AnalysisCard = AnalysisCard {
    title: "Kalman decoder",
    synonyms: &["kalman", "kalman_filter", "linear_gaussian_decoder", "state_space_decoder", "brain_machine_interface"],
    summary: "signals read from the spikes of many units by a Kalman filter: cross-validated error, information gain, \
              chance",
    formula: "x(t) = A x(t−1) + w;  z(t) = H x(t) + q;  A, H and the covariances of w and q by least squares\n\
              x: the targets of `order` bins; z: the sources in bins; both about their means\n\
              rms error = √(mean (x̂ − x)²) of the filtered estimate, from bins up to and with the one it is of\n\
              information gain = mean of log₂ N(x; x̂, P) − log₂ N(x; 0, C), P the filter's covariance, C that of the \
              targets",
    assumptions: "Counts follow the targets linearly with normal noise whose size does not change, and the targets go \
                  on linearly. What is decoded is a contiguous fold that was not fitted; each begins knowing nothing. \
                  Where targets went through a filter (`prefilter`), bins within its reach of a fold are not fitted \
                  either. Chance and p of all measures are those of targets shifted on a circle, fitted anew.",
    bias: "Cross-validation makes the error slightly too large (fitted to fewer bins). Counts are no normal numbers: \
           where they are few the filter is worse than the best reader, and its covariance is that of the model \
           (`inside` says how often the truth lies in its 95 %).",
    cost: "O(N (c² + d³) folds (1 + surrogates)) for c sources and d targets times `order`",
    caveats: "An angle is no linear signal: decode its cosine and its sine. A unit that is tuned without a slope (a \
              bump in the middle) tells a linear reader nothing: `decoder` reads it. A slow target is foretold by its \
              own course, and a shifted one may correlate with what is read by far: chance is that of shifted targets, \
              and not 0.",
    references: &[
        "Kalman 1960, J Basic Eng 82:35-45, doi:10.1115/1.3662552",
        "Wu, Gao, Bienenstock, Donoghue, Black 2006, Neural Comput 18:80-118, doi:10.1162/089976606774841585",
    ],
};

options! {
    /// What `kalman_decoder` can be told.
    pub struct Options {
        bin: Time = time("100 ms").or(derived::TWO).piece(),
            "width of the bins that spikes are counted in and signals are averaged over";
        order: usize = integer("1").between(1.0, 8.0),
            "bins of the targets in the state: 2 lets them have a velocity";
        folds: usize = integer("5").between(2.0, 100.0), "stretches that are left out in turn";
        surrogates: usize = integer("39").between(0.0, 1e5),
            "circular shifts of the targets against the sources; the least p-value is 1/(number + 1)";
    }
}

/// Why error and gain have no interval.
const NO_INTERVAL: &str =
    "no interval: all folds share targets and fit, and scatter less than runs do (several seeds show the scatter)";

/// Targets and sources in bins.
struct Data<'a> {
    targets: Vec<&'a [f64]>,
    sources: Vec<&'a [f64]>,
    order: usize,
    folds: usize,
    /// Bins on either side of a fold that are not fitted either.
    gap: usize,
    cancel: &'a AtomicBool,
}

/// What was decoded in each bin, and the error of a reader without sources.
struct Found {
    beliefs: Vec<Belief>,
    blind: Vec<Vec<f64>>,
}

impl Data<'_> {
    fn len(&self) -> usize {
        self.targets[0].len()
    }

    /// Every fold from a filter that has not seen it; `None` where one cannot be fitted, or nobody wants it any more.
    fn decode(&self) -> Option<Found> {
        let n = self.len();
        let (mut beliefs, mut blind) = (Vec::with_capacity(n), vec![Vec::with_capacity(n); self.targets.len()]);
        for fold in 0..self.folds {
            if self.cancel.load(Ordering::Relaxed) {
                return None;
            }
            let inside = fold * n / self.folds..(fold + 1) * n / self.folds;
            let near = inside.start.saturating_sub(self.gap)..inside.end + self.gap;
            let filter = Kalman::fit(&self.targets, &self.sources, self.order, |t| !near.contains(&t))?;
            for ((errors, target), m) in blind.iter_mut().zip(&self.targets).zip(filter.means()) {
                errors.extend(target[inside.clone()].iter().map(|v| m - v));
            }
            beliefs.extend(filter.run(&self.sources, &self.targets, inside)?);
        }
        Some(Found { beliefs, blind })
    }

    /// What is read of the targets later by some bins, those beyond the end at the beginning.
    fn shifted(&self, by: usize) -> Option<Scores> {
        let turned: Vec<Vec<f64>> = self
            .targets
            .iter()
            .map(|t| {
                let mut t = t.to_vec();
                t.rotate_right(by);
                t
            })
            .collect();
        let targets = turned.iter().map(Vec::as_slice).collect();
        let turned = Data { targets, sources: self.sources.clone(), ..*self };
        Some(turned.scores(&turned.decode()?))
    }

    fn scores(&self, found: &Found) -> Scores {
        let one = |(i, target): (usize, &&[f64])| {
            let read: Vec<f64> = found.beliefs.iter().map(|b| b.mean[i]).collect();
            let errors: Vec<f64> = read.iter().zip(*target).map(|(a, b)| a - b).collect();
            let (error, blind) = (rms(&errors), rms(&found.blind[i]));
            [error, 1.0 - (error / blind).powi(2), pearson(&read, target)]
        };
        let gain = found.beliefs.iter().map(|b| b.gain).sum::<f64>() / found.beliefs.len() as f64;
        Scores { gain, targets: self.targets.iter().enumerate().map(one).collect() }
    }
}

/// How well all was read.
struct Scores {
    /// Mean gain of information in bits.
    gain: f64,
    /// Of each target root mean square error, explained share, and correlation.
    targets: Vec<[f64; 3]>,
}

fn rms(errors: &[f64]) -> f64 {
    (errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64).sqrt()
}

impl Estimator for KalmanDecoder {
    type Options = Options;
    const KIND: &'static str = "kalman_decoder";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const CAUSAL: Option<&str> = Some(crate::prefilter::LEFT_OUT);

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let pairs = pairs(f.request, Some(o.bin), false)?;
        pairs.tell_outside(f);
        let spec = f.request.spec;
        let joined =
            |list: &[spikedeck_scenario::Subject]| list.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join("+");
        let name = format!("{}->{}", joined(&spec.source), joined(&spec.target));
        for t in &pairs.targets {
            if let Some(why) = super::coherence::unfit(t) {
                return Err(AnalysisError::Unsuitable(format!("{why}: there is nothing to read")));
            }
        }
        let sources: Vec<&Signal> = pairs.sources.iter().filter(|s| super::coherence::unfit(s).is_none()).collect();
        let silent = pairs.sources.len() - sources.len();
        if silent > 0 {
            f.warn(format!("{name}: {silent} of {} sources do not vary and tell nothing", pairs.sources.len()));
        }
        let data = Data {
            targets: pairs.targets.iter().map(|t| t.values.as_slice()).collect(),
            sources: sources.iter().map(|s| s.values.as_slice()).collect(),
            order: o.order,
            folds: o.folds,
            gap: crate::prefilter::gap(f.request, o.bin),
            cancel: f.request.cancel,
        };
        let n = data.len() as u64;
        let decoded = data.decode();
        f.request.check_cancelled()?;
        let Some(found) = decoded else {
            let why = "no filter can be fitted: fewer bins than it needs (shorten `bin`), a fold in which a source \
                       does not vary, targets or sources that are made of each other, or a `prefilter` that reaches \
                       as far as the folds";
            f.metric(Metric::missing(&name, "information_gain", "bits", n, why));
            f.word(format!("{name}: nothing, {why}"));
            return Ok(());
        };
        f.progress(1.0 / (o.surrogates as f64 + 1.0))?;
        let drawn = surrogates(o, f, &name, &data)?;
        let scores = data.scores(&found);
        told(f, &name, &pairs.targets, (&found, &scores, &drawn), (sources.len(), o.bin));
        f.shapes(courses(f, &pairs.targets, &found));
        Ok(())
    }
}

/// What is read by chance.
fn surrogates(o: &Options, f: &Findings<'_>, name: &str, data: &Data<'_>) -> Result<Vec<Scores>, AnalysisError> {
    // At least a tenth of the window lies between the targets and where they are put.
    let n = data.len() as u32;
    let least = (n / 10).max(1);
    let key = f.key(name, "shift");
    let shift = |k: u32| (least + key.stream(k, 0).below(n.saturating_sub(2 * least).max(1))) as usize;
    let numbers: Vec<u32> = (0..o.surrogates as u32).collect();
    let mut drawn = Vec::with_capacity(numbers.len());
    for some in numbers.chunks(rayon::current_num_threads().max(1)) {
        f.progress((1 + drawn.len()) as f64 / (numbers.len() + 1) as f64)?;
        drawn.par_extend(some.par_iter().filter_map(|&k| data.shifted(shift(k))));
    }
    f.request.check_cancelled()?;
    Ok(drawn)
}

/// A measure beside those of shifted targets; `sign` is that by which more is better.
fn beside(m: Metric, value: f64, drawn: &[f64], sign: f64) -> Metric {
    let drawn: Vec<f64> = drawn.iter().map(|v| sign * v).filter(|v| v.is_finite()).collect();
    if drawn.is_empty() || !value.is_finite() {
        return m.note("no surrogates");
    }
    m.chance(sign * mean(&drawn))
        .p(p_value(sign * value, &drawn))
        .null_by(format!("chance, p: {} circular shifts of the targets", drawn.len()))
}

fn told(
    f: &mut Findings<'_>,
    name: &str,
    targets: &[Signal],
    (found, scores, drawn): (&Found, &Scores, &[Scores]),
    (units, bin): (usize, Time),
) {
    let n = found.beliefs.len() as u64;
    let (value, per) = (scores.gain, if f.base == TimeBase::Milliseconds { "bits/s" } else { "bits/time" });
    let with = |m: Metric, scale: f64| {
        let gains: Vec<f64> = drawn.iter().map(|d| d.gain * scale).collect();
        beside(m.note(NO_INTERVAL), value * scale, &gains, 1.0)
    };
    let m = Metric::new(name, "information_gain", value, "bits", n);
    f.metric(with(m.note(format!("a bin, cross-validated log-likelihood ratio; n = bins, of {units} sources")), 1.0));
    let scale = 1.0 / bin.seconds;
    f.metric(with(Metric::new(name, "information_rate", value * scale, per, n), scale));
    let mut best = Vec::new();
    for (i, target) in targets.iter().enumerate() {
        let (error, blind) = (scores.targets[i][0], rms(&found.blind[i]));
        let is_inside = |(b, v): (&Belief, &f64)| (b.mean[i] - v).abs() <= 1.96 * b.deviation[i];
        let inside = found.beliefs.iter().zip(&target.values).filter(|pair| is_inside(*pair)).count();
        let known = format!("in the target's unit; n = bins; the mean of the other folds has {blind:.4}");
        for (k, (metric, sign, note)) in [
            ("rms_error", -1.0, known.as_str()),
            ("explained", 1.0, "1 − squared error/squared error of the mean"),
            ("correlation", 1.0, "of what is read and what is true"),
        ]
        .into_iter()
        .enumerate()
        {
            let by_chance: Vec<f64> = drawn.iter().map(|d| d.targets[i][k]).collect();
            let m = Metric::new(&target.name, metric, scores.targets[i][k], "", n).note(note).note(NO_INTERVAL);
            f.metric(beside(m, scores.targets[i][k], &by_chance, sign));
        }
        f.metric(Metric::new(&target.name, "inside", inside as f64 / n as f64, "", n).note(
            "share of bins whose true value lies in the filter's own 95 %; no chance level; no interval: neighbouring \
             bins err together",
        ));
        best.push(format!("{} rms error {error:.4}, of the mean {blind:.4}", target.name));
    }
    f.word(format!("{name}: {} bits a bin; {}", shown(value), best.join("; ")));
}

/// True and read course of each target, with the filter's own 95 %.
fn courses(f: &Findings<'_>, targets: &[Signal], found: &Found) -> Vec<spikedeck_signal::NamedShape> {
    let one = |(i, target): (usize, &Signal)| {
        let scale = 1.0 / f.base.seconds();
        let x: Vec<f64> =
            (0..target.values.len()).map(|k| (target.start + k as f64 * target.interval) * scale).collect();
        let read: Vec<f64> = found.beliefs.iter().map(|b| b.mean[i]).collect();
        let band = found.beliefs.iter().map(|b| (b.mean[i] - 1.96 * b.deviation[i], b.mean[i] + 1.96 * b.deviation[i]));
        let curves = vec![
            curve("true", x.clone(), target.values.clone(), CurveStyle::Line),
            Curve { name: "decoded".into(), x, y: read, band: Some(band.unzip()), style: CurveStyle::Points },
        ];
        let (x, y) = (Axis::time(f.base), Axis::new(target.name.clone(), ""));
        let series = Shape::Series(Series { x, y, curves, references: Vec::new() });
        spikedeck_signal::NamedShape::new(format!("decoded {}", target.name), series)
    };
    targets.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::dependence::fixtures;
    use crate::series::fixtures::noise;
    use crate::testing::{metric, poisson, recording, same_values, shifted, subject, traces, value};
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::Recording;

    fn run(r: &Recording, options: &[(&'static str, OptionValue)]) -> Result<Outcome, AnalysisError> {
        let (source, target) = (vec![subject("spikes", &[])], vec![subject("V_m", &[0])]);
        fixtures::run(&KalmanDecoder, r, source, target, options)
    }

    /// A target of first order (0.9 from one bin of 100 ms to the next, variance 1) and twelve units, whose rate of 40
    /// Hz follows it by 12 Hz up or down.
    fn driven(seed: u64, bins: usize, slope: f64) -> Recording {
        let w = noise(seed, bins);
        let mut x = vec![w[0]];
        for w in &w[1..] {
            x.push(0.9 * x[x.len() - 1] + (1.0_f64 - 0.81).sqrt() * w);
        }
        let stop = 100.0 * bins as f64;
        let mut s = spikedeck_core::rng::Key::new(seed, "kalman_decoder", "thinned").stream(0, 0);
        let trains: Vec<Vec<f64>> = (0..12)
            .map(|u| {
                let sign = if u % 2 == 0 { slope } else { -slope };
                let rate = |t: f64| 40.0 + sign * x[((t - 1e-9) / 100.0) as usize];
                poisson(seed, u, 100.0, stop).into_iter().filter(|t| 100.0 * s.uniform() < rate(*t)).collect()
            })
            .collect();
        let mut r = recording(&trains, stop);
        let mut target = traces(&[x], 100.0).traces.remove(0);
        // A bin ends where its sample stands.
        target.start = 100.0;
        r.traces.push(target);
        r
    }

    /// The error is Riccati's with the noise of Poisson counts: 12 units of 4 counts a bin, which change by 1.2 a unit
    /// of the target.
    #[test]
    fn a_driven_population_is_read_as_well_as_can_be() {
        let r = driven(1, 6000, 12.0);
        let o = run(&r, &[("surrogates", OptionValue::Integer(19))]).unwrap();
        let information = 12.0 * 1.2 * 1.2 / 4.0;
        let mut p: f64 = 1.0;
        for _ in 0..100 {
            p = 1.0 / (1.0 / (0.81 * p + 0.19) + information);
        }
        let error = metric(&o, "p.V_m[0]", "rms_error");
        assert!((error.value.unwrap() / p.sqrt() - 1.0).abs() < 0.06, "{error:?} {}", p.sqrt());
        assert!((error.chance.unwrap() - 1.0).abs() < 0.1 && error.p_value == Some(0.05), "{error:?}");
        for name in ["explained", "correlation"] {
            let m = metric(&o, "p.V_m[0]", name);
            assert!(m.p_value == Some(0.05) && m.chance.unwrap().abs() < 0.1, "{m:?}");
        }
        let gain = metric(&o, "p.spikes->p.V_m[0]", "information_gain");
        assert!((gain.value.unwrap() + 0.5 * p.log2()).abs() < 0.06, "{gain:?}");
        assert!(gain.p_value == Some(0.05) && gain.chance.unwrap() < 0.05, "{gain:?}");
        let rate = value(&o, "p.spikes->p.V_m[0]", "information_rate");
        assert!((rate - 10.0 * gain.value.unwrap()).abs() < 1e-9);
        assert!((value(&o, "p.V_m[0]", "inside") - 0.95).abs() < 0.02);
        assert!((value(&o, "p.V_m[0]", "explained") - (1.0 - p)).abs() < 0.05);
        let later = run(&shifted(&r, 1e6), &[("surrogates", OptionValue::Integer(19))]).unwrap();
        same_values(&o, &later, 1e-6);
    }

    /// Units that do not follow tell nothing, and p is uniform.
    #[test]
    fn nothing_is_read_where_nothing_is_told() {
        let mut small = [0; 4];
        for seed in 0..20 {
            let o = run(&driven(seed, 300, 0.0), &[("surrogates", OptionValue::Integer(19))]).unwrap();
            let gain = metric(&o, "p.spikes->p.V_m[0]", "information_gain");
            assert!(gain.value.unwrap() < 0.1, "{gain:?}");
            let of = |name: &str| metric(&o, "p.V_m[0]", name);
            let all = [gain, of("rms_error"), of("explained"), of("correlation")];
            for (small, m) in small.iter_mut().zip(all) {
                *small += u32::from(m.p_value.unwrap() <= 0.1);
            }
        }
        // Binomial of 20: 0.1 gives more than 6 with a chance of 0.002.
        assert!(small.iter().all(|s| *s <= 6), "{small:?}");
    }

    /// Targets that went through a filter are fitted away from the folds: what is read there is not known before.
    #[test]
    fn filtered_targets_leave_a_gap() {
        let r = driven(1, 1500, 12.0);
        let with = |below: f64| {
            let options = [
                ("surrogates", OptionValue::Integer(0)),
                ("prefilter", OptionValue::Text("butterworth".into())),
                ("prefilter_below", OptionValue::Number(below)),
            ];
            run(&r, &options).unwrap()
        };
        let o = with(1.0);
        assert!(value(&o, "p.V_m[0]", "correlation") > 0.5);
        assert!(o.warnings.iter().any(|w| w.contains("left out of what is fitted")), "{:?}", o.warnings);
        // A filter that reaches over all of them leaves nothing to fit.
        let o = with(0.045);
        let gain = metric(&o, "p.spikes->p.V_m[0]", "information_gain");
        assert!(gain.value.is_none() && gain.note.contains("reaches as far as the folds"), "{gain:?}");
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let mut r = driven(1, 100, 12.0);
        let o = run(&r, &[("order", OptionValue::Integer(8)), ("bin", OptionValue::Number(0.5))]).unwrap();
        assert!(metric(&o, "p.spikes->p.V_m[0]", "information_gain").note.contains("no filter can be fitted"));
        r.traces[0].values.iter_mut().for_each(|v| *v = 1.0);
        assert!(run(&r, &[]).unwrap_err().to_string().contains("nothing to read"));
        let mut r = driven(1, 200, 12.0);
        r.spikes[0].units.iter_mut().for_each(|u| *u = (*u).max(1));
        let o = run(&r, &[("surrogates", OptionValue::Integer(0))]).unwrap();
        assert!(o.warnings.iter().any(|w| w.contains("1 of 12 sources")), "{:?}", o.warnings);
        assert!(metric(&o, "p.spikes->p.V_m[0]", "information_gain").note.contains("no surrogates"));
    }
}
