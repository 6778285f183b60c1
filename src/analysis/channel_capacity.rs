//! How much of what a signal could carry about another it does carry: capacity, information and their ratio.

use super::dependence::assess::{Assessed, Method, assess_by, channel, channel_capacity, estimate};
use super::dependence::interval::interval;
use super::dependence::prepare::{self, Alphabet};
use super::dependence::{BiasCorrection, Binning, Data, PairEstimate, PairOptions, Resampling, assess, pairs, report};
use super::prelude::*;
use spikedeck_core::capacity::capacity;
use spikedeck_core::information::{Table, entropy};
use spikedeck_core::surrogate::adjust;
use spikedeck_signal::{Axis, Curve, CurveStyle, Series, Shape};

/// Bounds of the capacity further apart than this are told, in bits.
const LOOSE: f64 = 1e-5;

/// `kind = "channel_capacity"`.
#[derive(Debug, Clone, Copy)]
pub struct ChannelCapacity;

const CARD: AnalysisCard = AnalysisCard {
    title: "Channel capacity",
    synonyms: &["blahut_arimoto", "capacity"],
    summary: "how many bits a response could carry about a stimulus at most, and which part of them it does carry",
    formula: "C = max over p(s) of Σ p(s) p(r|s) log₂ p(r|s)/p(r), by Blahut and Arimoto from the p(r|s) that was \
              measured\n\
              efficiency = I(S;R)/C; of the response's entropy: I(S;R)/H(R)\n\
              quadratic: the value of endless data from those of all, of halves and of quarters",
    assumptions: "Stationary, and without memory: each sample of the response depends on the stimulus of its own bin \
                  (or `lag` before) \
                  only. All stimuli that may be used occur often enough for their p(r|s) to be known. The stimulus is \
                  the source.",
    bias: "Upwards, and more than information: the best input prefers stimuli whose few responses look distinct by \
           chance. Quadratic \
           extrapolation takes most of it off when each stimulus occurs some hundred times; capacity_raw is the value \
           before. The chance \
           level is the capacity after the stimulus was rotated in time. The efficiency of weak channels (capacities \
           of a few hundredths \
           of a bit) is biased upwards too, and its interval wide; H(R) is taken as it was counted, a little too \
           small.",
    cost: "O(N) and rounds of stimuli times responses, until the bounds meet within 1e-9 bits, or 5000 rounds, after \
           which \
           the note says how far they are apart; times surrogates and blocks.",
    caveats: "It is the capacity of the channel as it was binned and measured, with these stimuli only: other bins, \
              longer words or \
              stronger stimuli give another one. Per bin, not per second. A memory (adaptation, slow synapses) makes \
              p(r|s) depend on \
              how often stimuli occur, so that the best input need not reach C. The efficiency has no chance level: \
              it is left out \
              where the capacity is not above its own (corrected for all pairs), or its interval reaches zero.",
    references: &[
        "Shannon 1948, Bell Syst Tech J 27:379-423, doi:10.1002/j.1538-7305.1948.tb01338.x",
        "Blahut 1972, IEEE Trans Inf Theory 18:460-473, doi:10.1109/TIT.1972.1054855",
        "Arimoto 1972, IEEE Trans Inf Theory 18:14-20, doi:10.1109/TIT.1972.1054753",
        "Strong, Koberle, de Ruyter van Steveninck, Bialek 1998, Phys Rev Lett 80:197-200, \
         doi:10.1103/PhysRevLett.80.197",
        "Rieke, Warland, de Ruyter van Steveninck, Bialek 1997, Spikes, MIT Press, ISBN 978-0-262-18174-7",
    ],
};

words! {
    /// How a capacity is corrected for its bias.
    pub enum Correction {
        /// Not at all.
        None = "none",
        /// Halves and quarters of the data.
        Quadratic = "quadratic",
    }
}

impl From<Correction> for BiasCorrection {
    fn from(correction: Correction) -> Self {
        match correction {
            Correction::None => Self::None,
            Correction::Quadratic => Self::Quadratic,
        }
    }
}

options! {
    /// What `channel_capacity` can be told.
    pub struct Options {
        correction: Correction = choice(Correction::Quadratic),
            "bias correction: extrapolation from halves and quarters of the data, or none";
        lag: Option<Time> = time_if_given().between(0.0, f64::MAX),
            "the response is taken this much later than the stimulus (default 0)";
        bins: usize = report::bins("8", 4096.0);
        binning: Binning = report::binning();
        pairs: PairOptions = shared();
    }
}

impl Estimator for ChannelCapacity {
    type Options = Options;
    const KIND: &'static str = "channel_capacity";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const TABLE: &'static str = "values";

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let request = f.request;
        let pairs = pairs(request, o.pairs.bin, false)?;
        let lag = o.lag.map_or(Ok(0), |lag| pairs.samples("lag", lag))?;
        let correction = BiasCorrection::from(o.correction);
        let alphabet = Alphabet { bins: o.bins, binning: o.binning, by_value: false };
        let mut heard = Vec::new();
        let results = pairs.each(f, lag, |pair| {
            let (data, mut note) = alphabet.words(pair, lag as isize);
            let warning = prepare::sparse(&data);
            let resampling = report::resampling(request, &o.pairs, &pairs, lag, pair)?;
            let mut found = assess_by(&data, resampling, |data| channel_capacity(data, correction));
            found.iter_mut().for_each(Assessed::leave_out_at_zero);
            request.check_cancelled()?;
            if let Ok(found) = &found {
                let best = channel(&data).map(|rows| capacity(&rows)).filter(|best| best.gap > LOOSE);
                note.extend(best.map(|best| format!("; the bounds are still {:.1e} bits apart", best.gap)));
                heard.push((pair.subject.clone(), found.clone(), resampling, data));
            }
            let method = format!("of p(r|s) as measured, correction {}", o.correction.word());
            Ok(PairEstimate { found, method, corrected: o.correction == Correction::Quadratic, note, warning })
        })?;
        let mut extra = Vec::new();
        let p: Vec<Option<f64>> = heard.iter().map(|h| h.1.p()).collect();
        let adjusted = adjust(&p, o.pairs.fdr);
        f.each(heard.iter().zip(adjusted), |_, ((subject, found, resampling, data), p)| {
            extra.extend(efficiency(subject, data, correction, (found, p, o.pairs.level), *resampling));
            Ok(())
        })?;
        if let [one] = &heard[..] {
            let inputs = best_input(&one.3);
            if !inputs.is_empty() {
                let (x, y) = (Axis::new("stimulus, in order of size", ""), Axis::new("probability", ""));
                f.shape("input", Shape::Series(Series { x, y, curves: inputs, references: Vec::new() }));
            }
        }
        report::report(f, &o.pairs, &pairs, &results, "capacity", "channel capacity");
        f.metrics(extra);
        Ok(())
    }
}

/// What is carried, and the part that this is of what could be, and of the response's entropy. `p` is corrected for all
/// pairs.
fn efficiency(
    subject: &str,
    data: &Data,
    correction: BiasCorrection,
    (found, p, level): (&Assessed, Option<f64>, f64),
    resampling: Resampling<'_>,
) -> Vec<Metric> {
    let n = found.n as u64;
    let mut out = Vec::new();
    if let Ok(told) = assess(data, Method::PlugIn(correction), resampling) {
        let mut metric =
            Metric::new(subject, "information", told.estimate.bits, "bits", n).note("of the stimuli as they occurred");
        if let (Some(chance), Some(p)) = (told.chance(), told.p()) {
            metric = metric.chance(chance).p(p).ground(Basis::Null, told.null());
        }
        out.push(with_interval(metric, told.interval));
    }
    let is_chance = p.is_some_and(|p| p > level);
    // Where there is no channel there is no part of it.
    let unheard = if matches!(found.interval, Some(Ok((low, _))) if low <= 0.0) || found.estimate.bits <= 0.0 {
        Some("the interval of the capacity reaches zero")
    } else if is_chance && found.p().is_some_and(|p| p <= 1.5 / (found.surrogates.len() + 1) as f64) {
        Some("no surrogate reaches the capacity, but they are too few to tell it from chance at this level")
    } else if is_chance {
        Some("the capacity is not above its chance level")
    } else {
        None
    };
    let told = |data: &Data| estimate(data, Method::PlugIn(correction)).map_or(f64::NAN, |e| e.bits);
    let part = |data: &Data| told(data) / channel_capacity(data, correction).map_or(f64::NAN, |e| e.bits);
    let share = |data: &Data| told(data) / response_entropy(data);
    for (name, value) in [("efficiency", &part as &(dyn Fn(&Data) -> f64 + Sync)), ("entropy_used", &share)] {
        out.push(if let Some(why) = unheard {
            Metric::missing(subject, name, "", n, why)
        } else {
            let whole = value(data);
            let mut metric = Metric::new(subject, name, whole, "", n);
            if found.surrogates.is_empty() {
                metric = metric.note("not compared with chance: there are no surrogates");
            }
            let interval = (resampling.blocks >= 3).then(|| {
                interval(data, whole, resampling.blocks, value)
                    .filter(|(low, high)| high > low)
                    .map(|(low, high)| (low.clamp(0.0, 1.0), high.clamp(0.0, 1.0)))
                    .ok_or_else(|| "no interval: too few samples in a block, or all parts alike".to_owned())
            });
            with_interval(metric, interval)
        });
    }
    out
}

fn with_interval(metric: Metric, interval: Option<Result<(f64, f64), String>>) -> Metric {
    match interval {
        Some(Ok((low, high))) => metric.interval(low, high).interval_by("95 % delete-a-block jackknife"),
        Some(Err(why)) => metric.note(why),
        None => metric,
    }
}

/// Entropy of the responses.
fn response_entropy(data: &Data) -> f64 {
    let Data::Symbols { target, .. } = data else { return f64::NAN };
    let mut counts = vec![0_u64; target.1];
    target.0.iter().for_each(|&r| counts[r as usize] += 1);
    entropy(&counts)
}

/// How often each stimulus occurred, and how often it would at capacity.
fn best_input(data: &Data) -> Vec<Curve> {
    let (Data::Symbols { source, target, .. }, Some(rows)) = (data, channel(data)) else { return Vec::new() };
    let table = Table::count(&source.0, &target.0, source.1, target.1);
    let totals: Vec<u32> = table.counts.chunks_exact(target.1.max(1)).map(|row| row.iter().sum()).collect();
    let used: Vec<usize> = (0..totals.len()).filter(|&s| totals[s] > 0).collect();
    let x: Vec<f64> = used.iter().map(|&s| s as f64).collect();
    let was = used.iter().map(|&s| f64::from(totals[s]) / data.len() as f64).collect();
    let curve = |name: &str, y| Curve { name: name.into(), x: x.clone(), y, band: None, style: CurveStyle::Points };
    vec![curve("as it was", was), curve("at capacity", capacity(&rows).input)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;
    use crate::dependence::fixtures::{run, traces, value, variable};
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::OptionValue;

    /// A stimulus of 0 and 1, of which the share `ones` are 1, and a response to it: `hear(stimulus, uniform)`.
    fn heard(n: usize, ones: f64, hear: impl Fn(bool, f64) -> bool) -> (Vec<f64>, Vec<f64>) {
        let mut stream = Key::new(3, "test", "channel").stream(0, 0);
        let number = |b: bool| if b { 1.0 } else { 0.0 };
        (0..n)
            .map(|_| {
                let s = stream.uniform() < ones;
                (number(s), number(hear(s, stream.uniform())))
            })
            .unzip()
    }

    fn found(signals: &(Vec<f64>, Vec<f64>)) -> Outcome {
        let options = [
            ("bins", OptionValue::Integer(2)),
            ("binning", OptionValue::Text("equal_width".into())),
            ("surrogates", OptionValue::Integer(99)),
            ("surrogate", OptionValue::Text("permutation".into())),
        ];
        run(&ChannelCapacity, &traces(&[&signals.0, &signals.1]), vec![variable(0)], vec![variable(1)], &options)
            .unwrap()
    }

    const PAIR: &str = "p.v[0]->p.v[1]";

    /// One symbol in ten is heard wrongly: 1 - H(.11) at even inputs. Inputs of 1 to 9 carry 0.36 of it.
    #[test]
    fn a_symmetric_channel_is_used_well_by_even_inputs_only() {
        let wrong = |s: bool, u: f64| s != (u < 0.11);
        let even = found(&heard(40_000, 0.5, wrong));
        let m = &even.metrics[0];
        assert_eq!((m.metric.as_str(), m.n, m.p_value), ("capacity", Some(40_000), Some(0.01)));
        let (low, high) = (m.ci_low.unwrap(), m.ci_high.unwrap());
        assert!(low < 0.500_084 && 0.500_084 < high && high - low < 0.06, "{low} {high}");
        assert!(m.chance.unwrap() < 1e-3);
        assert!((value(&even, PAIR, "efficiency") - 1.0).abs() < 0.001);
        // H(R) is one bit.
        assert!((value(&even, PAIR, "entropy_used") - 0.5).abs() < 0.02);
        let uneven = found(&heard(40_000, 0.1, wrong));
        assert!((value(&uneven, PAIR, "capacity") - 0.500_084).abs() < 0.03);
        // p(r = 1) is .188, so that I is H(.188) - H(.11).
        let h = |p: f64| -p * p.log2() - (1.0 - p) * (1.0 - p).log2();
        assert!((value(&uneven, PAIR, "efficiency") - (h(0.188) - h(0.11)) / 0.500_084).abs() < 0.03);
    }

    /// A silent stimulus and one that is heard half the time: log2(5/4), by using the silent one in three of five.
    #[test]
    fn the_best_input_of_a_half_heard_channel() {
        let out = found(&heard(40_000, 0.5, |s, u| s && u < 0.5));
        assert!((value(&out, PAIR, "capacity") - 0.321_928).abs() < 0.01);
        let Shape::Series(input) = &out.shapes[0].shape else { panic!() };
        assert!((input.curves[1].y[0] - 0.6).abs() < 0.01 && (input.curves[0].y[0] - 0.5).abs() < 0.01, "{input:?}");
    }

    #[test]
    fn where_nothing_is_heard_there_is_no_efficiency() {
        let out = found(&heard(2000, 0.5, |_, u| u < 0.3));
        let m = &out.metrics[0];
        assert!(m.p_value.unwrap() > 0.05 && m.value.unwrap().abs() < 0.003, "{m:?}");
        let none = out.metrics.iter().find(|m| m.metric == "efficiency").unwrap();
        assert!(
            none.value.is_none()
                && (none.note.contains("not above its chance level") || none.note.contains("reaches zero"))
        );
    }
}
