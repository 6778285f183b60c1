//! Spatial information in Skaggs' sense: how many bits a spike tells about a variable, from the rate at each of its
//! values.

use super::dependence::report::{self, Pair};
use super::dependence::{PairOptions, Resampling, pairs};
use super::prelude::*;
use rayon::prelude::*;
use spikedeck_core::information::{equal_width, quantile_bins};
use spikedeck_core::number::shown;
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::{Surrogates, adjust, jackknife_blocks, jackknife_interval, p_value};
use spikedeck_signal::{Axis, CurveStyle, Series, Shape, TimeBase};

/// The analysis `spike_information`.
pub struct SpikeInformation;

const CARD: AnalysisCard = AnalysisCard {
    title: "Information per spike",
    synonyms: &["skaggs", "bits_per_spike", "spatial_information", "place_information", "sparsity", "tuning_curve"],
    summary: "bits that a spike tells about a variable, from the rate at each of its values (Skaggs), with sparsity \
              and tuning curve",
    formula: "per spike = Σ p_i (λ_i/λ) log₂(λ_i/λ);  per time = Σ p_i λ_i log₂(λ_i/λ)\n\
              p_i: share of the time in bin i of the variable, λ_i: rate there, λ = Σ p_i λ_i\n\
              sparsity = λ²/Σ p_i λ_i²",
    assumptions: "The rate is a function of the variable at that moment; spikes are Poisson given it. p: the variable \
                  rotated against the spikes.",
    bias: "Few spikes make rates differ by chance: about (bins − 1)/(2 n ln 2) bits per spike of n spikes, which is \
           taken off (Miller and Madow's term for Poisson counts); the value before stands beside it.",
    cost: "O(N) for each surrogate and block",
    caveats: "It is the information of short windows only: spikes that tell the same twice count twice. A bursting \
              cell \
              has less independent spikes than spikes, and more bias than is taken off: look at the chance column.",
    references: &[
        "Skaggs, McNaughton, Gothard, Markus 1993, Adv Neural Inf Process Syst 5:1030-1037 (analysed: Souza, Pavão, \
         Belchior, Tort 2018, Neuroscience 375:62-73, doi:10.1016/j.neuroscience.2018.01.066)",
        "Brenner, Strong, Koberle, Bialek, de Ruyter van Steveninck 2000, Neural Comput 12:1531-1552, \
         doi:10.1162/089976600300015259",
    ],
};

words! {
    /// Bins of the variable.
    pub enum Cut {
        /// Of equal width.
        EqualWidth = "equal_width",
        /// With equal shares of the time.
        Quantile = "quantile",
    }
}

options! {
    /// What `spike_information` can be told.
    pub struct Options {
        bins: usize = integer("20").between(2.0, 1000.0), "bins of the variable";
        binning: Cut = choice(Cut::EqualWidth), "bins of equal width, or with equal shares of the time";
        pairs: PairOptions = shared();
    }
}

/// Spikes that are needed.
const LEAST: f64 = 10.0;

/// Time and spikes in each bin.
#[derive(Debug, Clone, PartialEq)]
struct Tuning {
    time: Vec<f64>,
    spikes: Vec<f64>,
}

impl Tuning {
    fn of(places: &[u32], counts: &[f64], bins: usize, at: impl Fn(usize) -> Option<usize>) -> Self {
        let mut of = Self { time: vec![0.0; bins], spikes: vec![0.0; bins] };
        for (i, c) in counts.iter().enumerate() {
            if let Some(k) = at(i) {
                let place = places[k] as usize;
                of.time[place] += 1.0;
                of.spikes[place] += c;
            }
        }
        of
    }

    fn totals(&self) -> (f64, f64) {
        (self.time.iter().sum(), self.spikes.iter().sum())
    }

    /// Bits per spike: Σ (spikes_i/spikes) log₂((spikes_i/spikes)/(time_i/time)).
    fn raw(&self) -> f64 {
        let (time, spikes) = self.totals();
        let of = |(t, s): (&f64, &f64)| if *s > 0.0 { s / spikes * (s / spikes / (t / time)).log2() } else { 0.0 };
        self.time.iter().zip(&self.spikes).map(of).sum()
    }

    fn visited(&self) -> usize {
        self.time.iter().filter(|t| **t > 0.0).count()
    }

    /// Less the bias of counts.
    fn corrected(&self) -> f64 {
        self.raw() - (self.visited() - 1) as f64 / (2.0 * self.totals().1 * std::f64::consts::LN_2)
    }

    fn sparsity(&self) -> f64 {
        let (time, spikes) = self.totals();
        let squares: f64 = self.time.iter().zip(&self.spikes).filter(|(t, _)| **t > 0.0).map(|(t, s)| s * s / t).sum();
        spikes * spikes / (time * squares)
    }
}

impl Estimator for SpikeInformation {
    type Options = Options;
    const KIND: &'static str = "spike_information";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const TABLE: &'static str = "values";

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let pairs = pairs(f.request, o.pairs.bin, false)?;
        pairs.tell_outside(f);
        if let Some(bad) = pairs.targets.iter().find(|t| !t.counts) {
            return Err(AnalysisError::Unsuitable(format!(
                "{} is not spikes: `source` is the variable, `target` the spikes that tell of it",
                bad.name
            )));
        }
        let mut found = Vec::new();
        let mut curves = Vec::new();
        f.each(&pairs.links, |f, &(i, j)| {
            let (source, target) = (&pairs.sources[i], &pairs.targets[j]);
            let pair = Pair { index: (i, j), source, target, subject: format!("{}->{}", source.name, target.name) };
            let spikes: f64 = target.values.iter().sum();
            let bad = super::coherence::unfit(source);
            let few = || (spikes < LEAST).then(|| format!("{spikes} spikes, fewer than {LEAST}"));
            if let Some(why) = bad.or_else(few) {
                let n = spikes as u64;
                f.metric(Metric::missing(&pair.subject, "bits_per_spike", "bits", n, &why));
                f.word(format!("{}: no value, {why}", pair.subject));
                return Ok(());
            }
            let resampling = report::resampling(f.request, &o.pairs, &pairs, 0, &pair)?;
            let one = One::of(o, &pair, pairs.interval());
            let drawn = one.surrogates(&resampling);
            f.request.check_cancelled()?;
            curves.push(one.curve());
            one.told(f, &drawn, &resampling);
            found.push((pair.subject.clone(), drawn));
            Ok(())
        })?;
        if found.len() > 1 {
            let p: Vec<Option<f64>> = found.iter().map(|(_, d)| d.1).collect();
            for ((subject, _), p) in found.iter().zip(adjust(&p, o.pairs.fdr)) {
                if let Some(p) = p {
                    f.metric(Metric::adjusted(subject, p, found.len() as u64, "over all pairs"));
                }
            }
        }
        if !curves.is_empty() && curves.len() <= 12 {
            let unit = f.base.rate_unit();
            let x = Axis::new(pairs.sources.first().map_or("", |s| s.name.as_str()), "");
            let y = Axis::new("rate", unit);
            f.shape("tuning", Shape::Series(Series { x, y, curves, references: Vec::new() }));
        }
        Ok(())
    }
}

/// A variable and the spikes that tell of it.
struct One<'p> {
    subject: &'p str,
    places: Vec<u32>,
    centres: Vec<f64>,
    counts: &'p [f64],
    /// Seconds (or units of time) of a sample.
    interval: f64,
    tuning: Tuning,
}

impl<'p> One<'p> {
    fn of(o: &Options, pair: &'p Pair<'p>, interval: f64) -> Self {
        let (x, counts) = (&pair.source.values, &pair.target.values);
        let (places, bins) = match o.binning {
            Cut::EqualWidth => (equal_width(x, o.bins), o.bins),
            Cut::Quantile => quantile_bins(x, o.bins),
        };
        let mut inside = vec![(0.0, 0.0); bins];
        for (p, v) in places.iter().zip(x) {
            inside[*p as usize].0 += v;
            inside[*p as usize].1 += 1.0;
        }
        let centres = inside.iter().map(|(sum, n)| sum / n).collect();
        let tuning = Tuning::of(&places, counts, bins, Some);
        Self { subject: &pair.subject, places, centres, counts, interval, tuning }
    }

    fn again(&self, at: impl Fn(usize) -> Option<usize>) -> f64 {
        Tuning::of(&self.places, self.counts, self.centres.len(), at).corrected()
    }

    /// Values with the variable rotated or permuted, and p.
    fn surrogates(&self, r: &Resampling<'_>) -> (Vec<f64>, Option<f64>) {
        let Some(kind) = r.surrogate else { return (Vec::new(), None) };
        let orders = Surrogates::new(kind, self.places.len(), r.gap, r.surrogates, r.key);
        let drawn: Vec<f64> = (0..orders.len())
            .into_par_iter()
            .map(|k| {
                let order = orders.order(k);
                self.again(|i| Some(order[i] as usize))
            })
            .collect();
        let p = (!drawn.is_empty()).then(|| p_value(self.tuning.corrected(), &drawn));
        (drawn, p)
    }

    fn told(&self, f: &mut Findings<'_>, (drawn, p): &(Vec<f64>, Option<f64>), r: &Resampling<'_>) {
        let t = &self.tuning;
        let (time, spikes) = t.totals();
        let n = spikes as u64;
        let (value, rate) = (t.corrected(), spikes / (time * self.interval));
        let ends = self.interval(*p, r);
        let mut m = Metric::new(self.subject, "bits_per_spike", value, "bits", n)
            .note(format!("n = spikes; {} bins of the variable", t.visited()));
        if let Some(p) = p {
            m = m.chance(mean(drawn)).p(*p).null_by(format!("p against {} surrogates", drawn.len()));
        } else {
            m = m.note("no surrogates");
        }
        m = match &ends {
            Ok((low, high)) => m.interval(*low, *high).interval_by("95 % delete-a-block jackknife"),
            Err(why) => m.note(why),
        };
        f.metric(m);
        let unit = if f.base == TimeBase::Milliseconds { "bits/s" } else { "bits/time" };
        let m = Metric::new(self.subject, "information_rate", value * rate, unit, n);
        f.metric(m.note("bits per spike times the mean rate"));
        f.metric(
            Metric::new(self.subject, "bits_per_spike_raw", t.raw(), "bits", n).note("before the bias correction"),
        );
        f.metric(
            Metric::new(self.subject, "sparsity", t.sparsity(), "", n)
                .chance(1.0)
                .chance_by("chance: 1, one rate everywhere")
                .note("no interval: a ratio that few spikes pull below 1"),
        );
        f.word(format!("{}: {} bits per spike", self.subject, shown(value)));
    }

    fn interval(&self, p: Option<f64>, r: &Resampling<'_>) -> Result<(f64, f64), String> {
        if p.is_some_and(|p| p > 0.05) {
            return Err("no interval: not told from 0, where the estimate is not normal".into());
        }
        let n = self.places.len();
        let block = n as f64 / r.blocks.max(1) as f64;
        if r.blocks < 3 || block < 10.0 * r.correlated {
            return Err("no interval: blocks are short against how long samples depend on others".into());
        }
        let list: Vec<f64> = jackknife_blocks(n, r.blocks)
            .into_iter()
            .map(|block| self.again(|i| (!block.contains(&i)).then_some(i)))
            .collect();
        let ends = jackknife_interval(self.tuning.corrected(), &list);
        ends.map(|(low, high)| (low.max(0.0), high)).ok_or_else(|| "no interval: a block has no value".into())
    }

    fn curve(&self) -> spikedeck_signal::Curve {
        let kept: Vec<usize> = (0..self.centres.len()).filter(|&k| self.tuning.time[k] > 0.0).collect();
        let rate = |k: usize| self.tuning.spikes[k] / (self.tuning.time[k] * self.interval);
        let x = kept.iter().map(|&k| self.centres[k]).collect();
        curve(self.subject, x, kept.iter().map(|&k| rate(k)).collect(), CurveStyle::Line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dependence::fixtures::run;
    use crate::testing::{metric, subject, value};
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::{Population, Recording, Spikes, Trace, Window};

    /// A variable that walks through ten places by chance, and a unit that fires at `rates` there (Hz), for `seconds`.
    fn walk(seed: u64, rates: &[f64], seconds: u32) -> Recording {
        let mut s = Key::new(seed, "skaggs", "walk").stream(0, 0);
        let (mut x, mut times) = (Vec::new(), Vec::new());
        for block in 0..seconds * 5 {
            let place = s.below(rates.len() as u32);
            for k in 0..200 {
                x.push(f64::from(place));
                if s.uniform() < rates[place as usize] * 1e-3 {
                    times.push(f64::from(block * 200 + k) + 0.5);
                }
            }
        }
        Recording {
            dt: 1.0,
            window: Window { start: 0.0, stop: x.len() as f64 },
            populations: vec![Population { name: "p".into(), size: 1, ..Population::default() }],
            spikes: vec![Spikes { population: "p".into(), size: 1, units: vec![0; times.len()], times }],
            traces: vec![Trace {
                population: "p".into(),
                variable: "V_m".into(),
                units: vec![0],
                start: 1.0,
                interval: 1.0,
                values: x,
                ..Trace::default()
            }],
            ..Recording::default()
        }
    }

    const NAME: &str = "p.V_m->p.spikes";

    fn measured(r: &Recording) -> spikedeck_signal::Outcome {
        let bin = [("bin", OptionValue::Number(0.02)), ("bins", OptionValue::Integer(10))];
        run(&SpikeInformation, r, vec![subject("V_m", &[])], vec![subject("spikes", &[])], &bin).unwrap()
    }

    /// A unit that fires in one of ten places alone tells log₂ 10 bits with a spike, and its sparsity is a tenth.
    #[test]
    fn a_place_cell_tells_the_logarithm_of_the_places() {
        let mut rates = [0.0; 10];
        rates[3] = 40.0;
        let o = measured(&walk(1, &rates, 200));
        let m = metric(&o, NAME, "bits_per_spike");
        assert!((m.value.unwrap() - 10_f64.log2()).abs() < 0.2 && m.p_value.unwrap() < 0.01, "{m:?}");
        assert!((value(&o, NAME, "sparsity") - 0.1).abs() < 0.02);
        // Two rates, 30 and 10 Hz, half of the time each: ¾ log₂ 1.5 + ¼ log₂ 0.5.
        let o = measured(&walk(2, &[30.0, 10.0], 400));
        let m = metric(&o, NAME, "bits_per_spike");
        let truth = 0.75 * 1.5_f64.log2() - 0.25;
        let (low, high) = m.ends().unwrap();
        assert!(low < truth && truth < high && high - low < 0.08, "{truth} {m:?}");
    }

    #[test]
    fn one_rate_everywhere_tells_nothing_and_few_spikes_say_so() {
        let o = measured(&walk(3, &[15.0; 10], 200));
        let m = metric(&o, NAME, "bits_per_spike");
        assert!(m.value.unwrap().abs() < 0.02 && m.p_value.unwrap() > 0.01, "{m:?}");
        let o = measured(&walk(3, &[0.1; 10], 20));
        assert!(metric(&o, NAME, "bits_per_spike").note.contains("fewer than 10"));
        let r = walk(3, &[15.0; 10], 20);
        let v = || vec![subject("V_m", &[])];
        let bin = [("bin", OptionValue::Number(0.02))];
        let error = run(&SpikeInformation, &r, vec![subject("spikes", &[])], v(), &bin).unwrap_err().to_string();
        assert!(error.contains("is not spikes"), "{error}");
    }
}
