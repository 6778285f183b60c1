//! Decoder: reading a stimulus from the spikes of a population, cross-validated, beside chance and the Fisher bound.

mod pictures;

use super::prelude::*;
use spikedeck_core::decoding::{StimulusAxis, Tuning, largest};
use spikedeck_core::number::{counted, shown};
use spikedeck_core::statistics::{mean, median};
use spikedeck_core::units::short;
use spikedeck_signal::{Axis, Curve, CurveStyle, Series, Shape, TimeBase, Train};
use std::f64::consts::TAU;

/// The analysis `decoder`.
pub struct Decoder;

const CARD: AnalysisCard = AnalysisCard {
    title: "Decoder",
    synonyms: &[
        "decoding",
        "bayesian_decoder",
        "population_vector",
        "maximum_likelihood",
        "maximum_a_posteriori",
        "map_decoder",
        "fisher_information",
        "cross_validated_log_likelihood",
        "log_posterior",
        "template_matching",
        "decode_bayes",
    ],
    summary: "a stimulus read from the spikes of a population: cross-validated error, information gain, chance level, \
              Fisher bound",
    formula: "P(s|n) ∝ P(s) Π_i f_i(s)^{n_i} e^{−Δ f_i(s)};  estimate: posterior mean;  rms error = √(mean (ŝ − s)²)\n\
              map: s of the largest P(s|n);  ml: s of the largest P(n|s)\n\
              log posterior = mean of log₂ P(s|n) at the true s, of folds that were not fitted (it falls with finer \
              bins of the stimulus)\n\
              information gain = mean of log₂ P(s|n) − log₂ P(s) at the true s\n\
              Fisher bound = √(mean of 1/J(s)) under P(s),  J = Δ Σ_i f_i'²/f_i\n\
              template: s whose column of f correlates best with n;  vector: mean of preferred s weighted by n_i \
              above the least rate",
    assumptions: "Tuning curves f_i and prior P(s) come from the folds that are not decoded (contiguous stretches). \
                  Units are independent Poisson given s, counts of one bin depend on s of that bin alone. \
                  Where the stimulus went through a filter (`prefilter`), bins within its reach of a fold are not \
                  fitted either. On a circle (`circular`) differences and means go the short way around.",
    bias: "Cross-validation makes the error slightly too large (curves from fewer data). The Fisher bound is from \
           noisy curves, whose slopes are too steep: it is too low by the order of bins/(spikes a unit). \
           A finite stimulus bin w adds about w²/12 to the squared error.",
    cost: "O(bins · units · stimulus bins · (1 + surrogates))",
    caveats: "The bound is for Poisson units and unbiased estimates: cells more regular than Poisson, and a posterior \
              mean that leans on the prior, may be below it. Neighbouring bins of a slow stimulus are no independent \
              samples: \
              p comes from circular shifts of the stimulus against the spikes, refitted each time.",
    references: &[
        "Georgopoulos, Schwartz and Kettner 1986, Science 233:1416-1419, doi:10.1126/science.3749885",
        "Zhang, Ginzburg, McNaughton and Sejnowski 1998, J Neurophysiol 79:1017-1044, doi:10.1152/jn.1998.79.2.1017",
        "Pouget, Dayan and Zemel 2000, Nat Rev Neurosci 1:125-132, doi:10.1038/35039062",
        "Seung and Sompolinsky 1993, Proc Natl Acad Sci 90:10749-10753, doi:10.1073/pnas.90.22.10749",
    ],
};

options! {
    /// What `decoder` can be told.
    pub struct Options {
        bin: Time = time("100 ms").or(derived::TWO).piece(),
            "width of the bins that spikes are counted in and the stimulus is averaged over";
        stimulus_bins: usize = integer("20").between(3.0, 1000.0), "bins of the stimulus";
        circular: bool = flag(false), "whether the stimulus is an angle in radians, from 0 to 2 pi";
        folds: usize = integer("5").between(2.0, 100.0), "stretches that are left out in turn";
        floor: Frequency = frequency("0.01 Hz").or(derived::THOUSANDTH_OF_RATE).between(0.0, 1e6),
            "rate added to every tuning curve, so that none vetoes";
        surrogates: usize = integer("39").between(0.0, 1e5), "circular shifts of the stimulus";
    }
}

impl Estimator for Decoder {
    type Options = Options;
    const KIND: &'static str = "decoder";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const CAUSAL: Option<&str> = Some(crate::prefilter::LEFT_OUT);

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let data = Data::new(f.request, o)?;
        if let Some(told) = &data.outside {
            f.warn(told);
        }
        if data.stimulus.len() < 3 * o.folds {
            return Err(AnalysisError::Unsuitable(format!(
                "{} bins are too few for {} folds: shorten `bin`",
                data.stimulus.len(),
                o.folds
            )));
        }
        let (n, gap) = (data.stimulus.len(), data.gap);
        if n - n.div_ceil(o.folds) < 2 * gap + n / 10 {
            return Err(AnalysisError::Unsuitable(format!(
                "{}: the filter reaches {gap} bins, and with {} folds of {n} bins there is too little left to fit: \
                 take a lower order or a wider band, or look at more time",
                data.name, o.folds
            )));
        }
        let found = data.decode(&data.stimulus, o.folds);
        let whole = data.fit(&data.stimulus, |_| true);
        let (error, others) = measures(f.request, &data, &found, &whole, o)?;
        if let Some(v) = error.value {
            let chance = error.chance.map_or_else(String::new, |c| format!(", chance {c:.4}"));
            f.word(format!("{}: rms error {} {}{chance}", data.name, shown(v), data.unit));
        }
        f.metric(error);
        f.metrics(others);
        let spikes: f64 = data.counts.iter().flatten().sum();
        if spikes < 100.0 {
            f.warn(format!(
                "{}: {} few for tuning curves",
                data.name,
                counted(spikes as usize, "spike is", "spikes are")
            ));
        }
        f.shape("decoded", data.course(f.base, &found));
        f.shape("tuning", pictures::tuning(&data, &whole));
        f.shape("fisher information", pictures::fisher(&data, &whole));
        Ok(())
    }
}

/// Counts and stimulus in the same bins.
struct Data {
    name: String,
    unit: String,
    label: String,
    units: Vec<String>,
    counts: Vec<Vec<f64>>,
    stimulus: Vec<f64>,
    axis: StimulusAxis,
    /// What to say of spikes after the last whole bin.
    outside: Option<String>,
    /// Start and width of the bins on the recording's axis, width in seconds.
    start: f64,
    bin: f64,
    seconds: f64,
    floor: f64,
    /// Bins on either side of a fold that are not fitted either.
    gap: usize,
}

/// What was decoded in each bin, each from curves that have not seen it.
#[derive(Default)]
struct Found {
    bayes: Vec<f64>,
    template: Vec<Option<f64>>,
    vector: Vec<Option<f64>>,
    /// Peak of the posterior, and of the likelihood.
    map: Vec<Option<f64>>,
    likeliest: Vec<Option<f64>>,
    /// log₂ of the posterior at the true value, and of the prior.
    log: Vec<f64>,
    prior: Vec<f64>,
    /// Gain of information in bits.
    gain: Vec<f64>,
    /// Error of the prior's mean.
    blind: Vec<f64>,
}

impl Data {
    fn new(request: &Request<'_>, o: &Options) -> Result<Self, AnalysisError> {
        let ([source], [target]) = (request.spec.source.as_slice(), request.spec.target.as_slice()) else {
            return Err(AnalysisError::Unsuitable(
                "the decoder reads one stimulus (`target`) from one population (`source`)".into(),
            ));
        };
        let trains = subject::trains(request, source)?;
        let columns = subject::columns(request, target, o.bin)?;
        let [column] = columns.columns.as_slice() else {
            return Err(AnalysisError::Unsuitable(format!(
                "{}: the stimulus is one signal: name one unit, as in `{}[0]`",
                target.text, target.text
            )));
        };
        let (circular, bin) = (o.circular, o.bin.axis);
        let bins = subject::bin_count(trains.window, bin);
        let (mut sums, mut turns, mut samples) = (vec![0.0; bins], vec![(0.0, 0.0); bins], vec![0.0; bins]);
        for (k, &v) in column.iter().enumerate() {
            let time = columns.start + k as f64 * columns.interval;
            if let Some(b) = subject::bin_of(time, trains.window.start, bin).filter(|b| *b < bins) {
                sums[b] += v;
                turns[b] = (turns[b].0 + v.sin(), turns[b].1 + v.cos());
                samples[b] += 1.0;
            }
        }
        if samples.contains(&0.0) {
            return Err(AnalysisError::Unsuitable(format!(
                "{}: samples {} s apart do not reach every bin of {} s: lengthen `bin` or record more often",
                target.text,
                short(columns.interval * trains.base.seconds()),
                short(bin * trains.base.seconds())
            )));
        }
        let stimulus: Vec<f64> = if circular {
            turns.iter().map(|(s, c)| s.atan2(*c).rem_euclid(TAU)).collect()
        } else {
            sums.iter().zip(&samples).map(|(s, n)| s / n).collect()
        };
        let unknown = stimulus.iter().filter(|v| !v.is_finite()).count();
        if unknown > 0 {
            return Err(AnalysisError::Unsuitable(format!(
                "{} is no finite number in {unknown} of {bins} bins: nothing can be read that is not there",
                target.text
            )));
        }
        let (low, high) = if circular {
            (0.0, TAU)
        } else {
            stimulus.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)))
        };
        if high <= low {
            return Err(AnalysisError::Unsuitable(format!(
                "{} does not vary: there is nothing to decode",
                target.text
            )));
        }
        let count = |train: &Train| {
            let mut counts = vec![0.0; bins];
            for &t in train {
                if let Some(c) = subject::bin_of(t, trains.window.start, bin).and_then(|b| counts.get_mut(b)) {
                    *c += 1.0;
                }
            }
            counts
        };
        Ok(Self {
            name: format!("{}->{}", source.text, target.text),
            unit: columns.unit.clone(),
            label: columns.label.clone(),
            units: trains.units.iter().map(|&u| subject::unit_name(request, source, u)).collect(),
            counts: trains.trains.iter().map(count).collect(),
            stimulus,
            outside: trains.outside(o.bin),
            axis: StimulusAxis { low, high, bins: o.stimulus_bins, circular },
            start: trains.window.start,
            bin,
            seconds: bin * trains.base.seconds(),
            floor: o.floor.hertz.max(1e-12),
            gap: crate::prefilter::gap(request, o.bin),
        })
    }

    fn fit(&self, stimulus: &[f64], train: impl Fn(usize) -> bool) -> Tuning {
        Tuning::fit(self.axis, &self.counts, stimulus, train, self.seconds, self.floor)
    }

    /// Each fold, and what is fitted to the rest of it.
    fn each_fold(&self, stimulus: &[f64], folds: usize, mut read: impl FnMut(std::ops::Range<usize>, &Tuning)) {
        let n = stimulus.len();
        for fold in 0..folds {
            let inside = fold * n / folds..(fold + 1) * n / folds;
            let near = inside.start.saturating_sub(self.gap)..inside.end + self.gap;
            read(inside, &self.fit(stimulus, |k| !near.contains(&k)));
        }
    }

    fn at(&self, k: usize) -> Vec<f64> {
        self.counts.iter().map(|c| c[k]).collect()
    }

    /// What is guessed without looking at the spikes: the mean of the prior, or the middle of the range.
    fn blind(&self, tuning: &Tuning) -> f64 {
        self.axis.mean(&tuning.prior).unwrap_or(f64::midpoint(self.axis.low, self.axis.high))
    }

    fn decode(&self, stimulus: &[f64], folds: usize) -> Found {
        let mut found = Found::default();
        self.each_fold(stimulus, folds, |inside, tuning| {
            let blind = self.blind(tuning);
            for k in inside {
                let counts = self.at(k);
                let posterior = tuning.posterior(&counts);
                let truth = self.axis.bin(stimulus[k]);
                let there = posterior[truth].max(f64::MIN_POSITIVE);
                found.gain.push((there / tuning.prior[truth]).log2());
                found.log.push(there.log2());
                found.prior.push(tuning.prior[truth].log2());
                found.map.push(Some(self.axis.centre(largest(&posterior))));
                found.likeliest.push(Some(tuning.likeliest(&counts)));
                found.bayes.push(self.axis.mean(&posterior).unwrap_or(blind));
                found.template.push(tuning.template(&counts));
                found.vector.push(tuning.vector(&counts));
                found.blind.push(self.axis.difference(blind, stimulus[k]));
            }
        });
        found
    }

    /// Root mean square errors of the posterior's mean, of its peak and of that of the likelihood, for surrogates.
    fn errors(&self, stimulus: &[f64], folds: usize) -> [f64; 3] {
        let mut squares = [0.0; 3];
        self.each_fold(stimulus, folds, |inside, tuning| {
            let blind = self.blind(tuning);
            for k in inside {
                let counts = self.at(k);
                let posterior = tuning.posterior(&counts);
                let peak = self.axis.centre(largest(&posterior));
                let estimates = [self.axis.mean(&posterior).unwrap_or(blind), peak, tuning.likeliest(&counts)];
                for (square, estimate) in squares.iter_mut().zip(estimates) {
                    *square += self.axis.difference(estimate, stimulus[k]).powi(2);
                }
            }
        });
        squares.map(|s| (s / stimulus.len() as f64).sqrt())
    }

    fn course(&self, base: TimeBase, found: &Found) -> Shape {
        let x: Vec<f64> = (1..=self.stimulus.len()).map(|k| self.start + k as f64 * self.bin).collect();
        let curve = |name: &str, y: Vec<f64>, style| Curve { name: name.into(), x: x.clone(), y, band: None, style };
        Shape::Series(Series {
            x: Axis::time(base),
            y: Axis::new(self.label.clone(), self.unit.clone()),
            curves: vec![
                curve("true", self.stimulus.clone(), CurveStyle::Line),
                curve("decoded", found.bayes.clone(), CurveStyle::Points),
            ],
            references: Vec::new(),
        })
    }
}

fn rms(errors: impl Iterator<Item = f64>) -> (f64, usize) {
    let (sum, n) = errors.fold((0.0, 0), |(s, n), e| (s + e * e, n + 1));
    ((sum / n as f64).sqrt(), n)
}

/// Why error and gain have no interval. Parts of the window scatter less than runs do: bins reach from the least to the
/// greatest value of this run's stimulus, and curves are those of all of it. Where the stimulus goes beyond what units
/// tell apart, the few bins there hold most of the error. Intervals over twentieths held the mean of runs in 0 to 87 %.
const NO_INTERVAL: &str = "no interval: the range of the stimulus and the curves are common to all of the window, and \
                           rare excursions weigh most (several seeds show the scatter)";

fn measures(
    request: &Request<'_>,
    data: &Data,
    found: &Found,
    whole: &Tuning,
    o: &Options,
) -> Result<(Metric, Vec<Metric>), AnalysisError> {
    let folds = o.folds;
    let (name, unit, n) = (&data.name, &data.unit, data.stimulus.len());
    let errors: Vec<f64> = found.bayes.iter().zip(&data.stimulus).map(|(a, b)| data.axis.difference(*a, *b)).collect();
    let (error, _) = rms(errors.iter().copied());
    let (blind, _) = rms(found.blind.iter().copied());
    // At least a tenth of the window lies between the stimulus and where it is put.
    let count = o.surrogates as u32;
    let of = |estimates: &[Option<f64>]| {
        let pairs = estimates.iter().zip(&data.stimulus).filter_map(|(e, s)| Some(data.axis.difference((*e)?, *s)));
        rms(pairs)
    };
    let seen = [error, of(&found.map).0, of(&found.likeliest).0];
    let mut below = [0_u32; 3];
    for k in 0..count {
        request.check_cancelled()?;
        let least = (n / 10).max(1) as u32;
        let by = (least + request.key(name, "shift").stream(k, 0).below((n as u32).saturating_sub(2 * least).max(1)))
            as usize;
        let shifted: Vec<f64> = (0..n).map(|i| data.stimulus[(i + by) % n]).collect();
        for (below, (drawn, seen)) in below.iter_mut().zip(data.errors(&shifted, folds).into_iter().zip(seen)) {
            *below += u32::from(drawn <= seen);
        }
    }
    let with_p = |m: Metric, below: u32| {
        if count == 0 {
            return m;
        }
        m.p(f64::from(1 + below) / f64::from(1 + count))
            .null_by(format!("p: share of {count} circular shifts with an error as low"))
    };
    let mut first = Metric::new(name, "rms_error", error, unit, n as u64)
        .chance(blind)
        .note(format!("posterior mean, {folds} folds; n = bins"))
        .chance_by("chance: the mean of the other folds");
    first = with_p(first.note(NO_INTERVAL), below[0]);
    let log = Metric::new(name, "log_posterior", mean(&found.log), "bits", n as u64)
        .chance(mean(&found.prior))
        .note("a bin, cross-validated: log2 of the posterior at the true value")
        .chance_by("chance: of the prior")
        .note(NO_INTERVAL);
    let gain = Metric::new(name, "information_gain", mean(&found.gain), "bits", n as u64)
        .chance(0.0)
        .note("a bin, cross-validated log-likelihood ratio of posterior and prior")
        .note(NO_INTERVAL);
    let absolute: Vec<f64> = errors.iter().map(|e| e.abs()).collect();
    let bound = whole.fisher().iter().zip(&whole.prior).map(|(j, p)| p / j).sum::<f64>().sqrt();
    let mut list = vec![
        Metric::new(name, "median_error", median(&absolute), unit, n as u64).note("absolute"),
        Metric::new(name, "explained", 1.0 - (error / blind).powi(2), "", n as u64)
            .chance(0.0)
            .note("1 − squared error/squared error of the mean"),
        gain,
        log,
        if bound.is_finite() {
            Metric::new(name, "fisher_bound", bound, unit, data.counts.len() as u64)
                .note("n = units; least rms error of an unbiased estimate from Poisson units with these curves")
        } else {
            Metric::missing(
                name,
                "fisher_bound",
                unit,
                data.counts.len() as u64,
                "some values of the stimulus change no rate",
            )
        },
    ];
    for (metric, estimates, below) in [
        ("map_error", &found.map, Some(below[1])),
        ("ml_error", &found.likeliest, Some(below[2])),
        ("template_error", &found.template, None),
        ("vector_error", &found.vector, None),
    ] {
        let (value, used) = of(estimates);
        list.push(if used > 0 {
            let m = Metric::new(name, metric, value, unit, used as u64).chance(blind);
            match below {
                Some(below) => with_p(m.note("rms; n = bins").note(NO_INTERVAL), below),
                None => m.note("rms, over bins with spikes enough to decide"),
            }
        } else {
            Metric::missing(name, metric, unit, 0, "nothing fired")
        });
    }
    Ok((first, list))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::dependence::fixtures;
    use crate::testing::{poisson, recording, subject, traces};
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::Recording;

    fn run(recording: &Recording, options: &[(&'static str, OptionValue)]) -> Result<Outcome, AnalysisError> {
        fixtures::run(&Decoder, recording, vec![subject("spikes", &[])], vec![subject("V_m", &[0])], options)
    }

    /// Ten units, each of which fires at 40 Hz while the stimulus (one of ten values, drawn anew each second) is its
    /// own.
    fn tuned(seconds: usize) -> Recording {
        let stop = 1e3 * seconds as f64;
        let mut s = spikedeck_core::rng::Key::new(8, "decoder", "stimulus").stream(0, 0);
        let values: Vec<f64> = (0..=seconds).map(|_| (10.0 * s.uniform()).floor() + 0.5).collect();
        let at = |t: f64| values[(t.max(0.0) / 1e3) as usize];
        let trains: Vec<Vec<f64>> = (0..10)
            .map(|u| poisson(21, u, 40.0, stop).into_iter().filter(|&t| at(t - 1e-6).floor() as u32 == u).collect())
            .collect();
        let mut r = recording(&trains, stop);
        let mut stimulus = traces(&[(0..seconds * 20).map(|k| at(50.0 * k as f64)).collect()], 50.0).traces.remove(0);
        stimulus.start = 50.0;
        r.traces.push(stimulus);
        r
    }

    #[test]
    fn a_tuned_population_is_read_and_a_shuffled_one_is_not() {
        let fine = [("bin", OptionValue::Number(0.5)), ("stimulus_bins", OptionValue::Integer(10))];
        let o = run(&tuned(300), &fine).unwrap();
        let get = |o: &Outcome, m: &str| o.metrics.iter().find(|x| x.metric == m).unwrap().clone();
        let error = get(&o, "rms_error");
        assert!(error.value.unwrap() < 0.5 && error.chance.unwrap() > 2.5, "{error:?}");
        assert_eq!(error.p_value, Some(1.0 / 40.0));
        // Ten values, told without doubt: log2(10) bits.
        assert!(
            (get(&o, "information_gain").value.unwrap() - 10f64.log2()).abs() < 0.2,
            "{:?}",
            get(&o, "information_gain")
        );
        assert!(get(&o, "explained").value.unwrap() > 0.97);
        // All readers that know the curves are right nearly always; the prior is that of ten values.
        for reader in ["map_error", "ml_error"] {
            assert!(get(&o, reader).value.unwrap() < 0.7, "{:?}", get(&o, reader));
        }
        let log = get(&o, "log_posterior");
        assert!(log.value.unwrap() > -0.25 && (log.chance.unwrap() + 10f64.log2()).abs() < 0.1, "{log:?}");
        let gain = get(&o, "information_gain").value.unwrap();
        assert!((log.value.unwrap() - log.chance.unwrap() - gain).abs() < 1e-9);
        assert!(o.shapes.iter().any(|s| s.name == "fisher information"));
        let mut other = tuned(300);
        for s in &mut other.spikes {
            s.units.iter_mut().enumerate().for_each(|(k, u)| *u = (k * 7 % 10) as u32);
        }
        let o = run(&other, &fine).unwrap();
        assert!(get(&o, "rms_error").p_value.unwrap() > 0.05);
        assert!(get(&o, "information_gain").value.unwrap() < 0.05);
    }

    #[test]
    fn what_cannot_be_decoded_is_said() {
        let mut r = tuned(20);
        r.traces[0].values.iter_mut().for_each(|v| *v = 1.0);
        assert!(run(&r, &[]).unwrap_err().to_string().contains("does not vary"));
        assert!(run(&tuned(20), &[("bin", OptionValue::Number(5.0))]).unwrap_err().to_string().contains("too few"));
        let mut r = tuned(20);
        r.traces[0].values[7] = f64::NAN;
        assert!(run(&r, &[]).unwrap_err().to_string().contains("no finite number in 1 of"), "{:?}", run(&r, &[]));
    }

    /// Surrogates are read as the data are, also where the spikes point nowhere: the error of the stimulus itself,
    /// taken as a surrogate, is that of the data.
    #[test]
    fn surrogates_are_read_as_the_data_are() {
        for circular in [false, true] {
            for silent in [false, true] {
                // A stimulus that is in all bins equally often, so that a silent population says nothing at all.
                let stimulus: Vec<f64> = (0..160).map(|k| (f64::from(k % 8) + 0.5) * TAU / 8.0).collect();
                let count = |k: usize, u: usize| if silent { 0.0 } else { ((k * (u + 3)) % 5) as f64 };
                let data = Data {
                    name: "p->q".into(),
                    unit: String::new(),
                    label: "angle".into(),
                    units: vec!["0".into(), "1".into()],
                    counts: (0..2).map(|u| (0..160).map(|k| count(k, u)).collect()).collect(),
                    stimulus,
                    axis: StimulusAxis { low: 0.0, high: TAU, bins: 8, circular },
                    outside: None,
                    start: 0.0,
                    bin: 100.0,
                    seconds: 0.1,
                    floor: 1e-3,
                    gap: 0,
                };
                let found = data.decode(&data.stimulus, 5);
                let errors = found.bayes.iter().zip(&data.stimulus).map(|(a, b)| data.axis.difference(*a, *b));
                let (error, _) = rms(errors);
                let drawn = data.errors(&data.stimulus, 5);
                assert!((error - drawn[0]).abs() < 1e-12, "{circular} {silent}: {error}");
                for (drawn, estimates) in drawn[1..].iter().zip([&found.map, &found.likeliest]) {
                    let all = estimates.iter().zip(&data.stimulus).map(|(a, b)| data.axis.difference(a.unwrap(), *b));
                    assert!((rms(all).0 - drawn).abs() < 1e-12, "{circular} {silent}: {drawn}");
                }
            }
        }
    }
}
