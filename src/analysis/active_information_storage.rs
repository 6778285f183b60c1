//! Active information storage: what the past of a signal tells of its next sample, and how long a past does.

use super::dependence::assess::{Method, estimate};
use super::dependence::prepare::{self, Alphabet};
use super::dependence::{
    BiasCorrection, Binning, Data, NeighbourOptions, Pair, PairEstimate, PairOptions, alone, assess, report,
};
use super::prelude::*;
use spikedeck_core::information::words;
use spikedeck_core::ksg::{Algorithm, Neighbourhood};
use spikedeck_core::prediction;
use spikedeck_core::statistics::chi_squared_quantile;
use spikedeck_core::ties::Ties;
use spikedeck_signal::{Axis, Curve, CurveStyle, Series, Shape};
use std::f64::consts::LN_2;

/// The analysis `active_information_storage`.
pub struct ActiveInformationStorage;

const CARD: AnalysisCard = AnalysisCard {
    title: "Active information storage",
    synonyms: &["ais", "information_storage", "ragwitz", "history_length", "predictive_information"],
    summary: "how many bits a signal's past tells about its next sample, and how long a past tells most",
    formula: "A = I(X_t ; X_{t−1}, X_{t−1−s}, …, X_{t−1−(k−1)s})\n\
              history, where it is not said: max_corrected: the shortest k beyond which no longer one tells more, \
              each less its bias, than chance gives in one of twenty cases;  ragwitz: the k whose pasts foretell the \
              next sample best by the mean of what followed the 4 nearest",
    assumptions: "A stationary signal. Plug-in: words are few against samples. Gaussian: linear and jointly normal. p: \
                  the past rotated against the present by more than the history; window much longer than the \
                  autocorrelation.",
    bias: "As mutual information; a past that was chosen because it tells most tells a little too much.",
    cost: "O(N max_history) (plugin), times max_history more (gaussian), O(N log N) each (ksg, ragwitz); times \
           surrogates and blocks",
    caveats: "A slow signal sampled finely stores much because the samples are near, not because it computes: compare \
              signals at one interval. It is in the unit of one sample's entropy, not a rate.",
    references: &[
        "Lizier, Prokopenko, Zomaya 2012, Inf Sci 208:39-54, doi:10.1016/j.ins.2012.04.016",
        "Wibral, Lizier, Vögler, Priesemann, Galuske 2014, Front Neuroinform 8:1, doi:10.3389/fninf.2014.00001",
        "Ragwitz, Kantz 2002, Phys Rev E 65:056201, doi:10.1103/PhysRevE.65.056201",
        "Garland, James, Bradley 2016, Phys Rev E 93:022221, doi:10.1103/PhysRevE.93.022221",
    ],
};

words! {
    /// Which estimate is made.
    pub enum By {
        /// By what the signals are.
        Auto = "auto",
        /// Frequencies of words of symbols.
        PlugIn = "plugin",
        /// Variances.
        Gaussian = "gaussian",
        /// Nearest neighbours.
        Ksg = "ksg",
    }
}

words! {
    /// How long a past is looked at where that is not said.
    pub enum Choose {
        /// The largest value less its bias.
        MaxCorrected = "max_corrected",
        /// The least error of what is foretold.
        Ragwitz = "ragwitz",
    }
}

options! {
    /// What `active_information_storage` can be told.
    pub struct Options {
        estimator: By = choice(By::Auto),
            "auto: plugin for spike counts and few distinct values (then these are the symbols), else gaussian";
        history: Option<usize> = integer_if_given().between(1.0, 12.0),
            "k, samples of the past (default: chosen as `choose` says)";
        choose: Choose = choice(Choose::MaxCorrected),
            "how k is chosen: max_corrected: the shortest beyond which none tells more than chance gives, each less \
             its bias; ragwitz: the least error of the sample that is foretold";
        max_history: usize = integer("8").between(1.0, 12.0), "longest past that is tried, in samples";
        step: Option<Time> = time_if_given().piece(), "time between samples of the past (default one sample)";
        bins: usize = report::bins("4", 256.0);
        binning: Binning = report::binning();
        neighbours: NeighbourOptions = shared();
        pairs: PairOptions = shared();
    }
}

/// Nearest pasts whose sequels foretell a sample.
const FORETELLING: usize = 4;

impl Estimator for ActiveInformationStorage {
    type Options = Options;
    const KIND: &'static str = "active_information_storage";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const CAUSAL: Option<&str> = Some(crate::prefilter::BEFORE_AND_AFTER);
    const TABLE: &'static str = "values";

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let request = f.request;
        let pairs = alone(request, o.pairs.bin)?;
        let step = match o.step {
            None => 1,
            Some(time) => pairs.samples("step", time)?.max(1),
        };
        let (mut extra, mut curves) = (Vec::new(), Vec::new());
        let most = o.history.unwrap_or(o.max_history);
        // All histories are held against each other over the same samples.
        let lost = 1 + (most - 1) * step;
        let results = pairs.each(f, lost, |pair| {
            let look = Look::of(o, pair, o.neighbours.of(&pairs, pair)?, step, request.seed);
            let history = match o.history {
                Some(k) => k,
                None => {
                    let (k, curve) = look.choose(o, lost);
                    request.check_cancelled()?;
                    curves.push(curve);
                    k
                }
            };
            let data = look.data(history, lost);
            let resampling = report::resampling(request, &o.pairs, &pairs, lost, pair)?;
            let found = assess(&data, look.method, resampling);
            let n = (pairs.len() - lost) as u64;
            let how = if o.history.is_some() { "as said" } else { o.choose.word() };
            extra.push(Metric::new(&pair.subject, "history", history as f64, "samples", n).note(how));
            let corrected = matches!(look.method, Method::PlugIn(_));
            let warning = prepare::sparse(&data);
            let method = format!("{}, history of {history}", look.name());
            Ok(PairEstimate { found, method, corrected, note: look.note, warning })
        })?;
        report::report(f, &o.pairs, &pairs, &results, "active_information_storage", "active information storage");
        f.metrics(extra);
        if !curves.is_empty() && curves.len() <= 12 {
            let what = match o.choose {
                Choose::MaxCorrected => Axis::new("storage less its bias", "bits"),
                Choose::Ragwitz => Axis::new("error of the next sample over its variance", ""),
            };
            let shape = Series { x: Axis::new("history", "samples"), y: what, curves, references: Vec::new() };
            f.shape("choice of the history", Shape::Series(shape));
        }
        Ok(())
    }
}

/// A signal as its estimate is made.
struct Look<'p> {
    name: &'p str,
    /// Values as they are used.
    values: Vec<f64>,
    /// Symbols, where frequencies are counted.
    symbols: Option<(Vec<u32>, usize)>,
    method: Method,
    step: usize,
    note: String,
}

impl<'p> Look<'p> {
    fn of(o: &Options, pair: &Pair<'p>, how: Neighbourhood, step: usize, seed: u64) -> Self {
        let signal = pair.source;
        let mut values = signal.values.clone();
        let by_value = o.estimator == By::Auto && !signal.counts;
        let few = by_value && {
            let ties = Ties::of(&values);
            ties.repeats(&values) && ties.levels.len() * ties.levels.len() * 4 <= values.len()
        };
        let plug_in = Method::PlugIn(BiasCorrection::MillerMadow);
        let method = match o.estimator {
            By::PlugIn => plug_in,
            By::Auto if signal.counts || few => plug_in,
            By::Auto | By::Gaussian => Method::Gaussian,
            By::Ksg => Method::Ksg(how, Algorithm::One),
        };
        let (mut symbols, mut note) = (None, String::new());
        match method {
            Method::PlugIn(_) => {
                let alphabet = Alphabet { bins: o.bins, binning: o.binning, by_value: few };
                let of = alphabet.symbols(signal, &values);
                note = format!("{} symbols", of.1);
                symbols = Some(of);
            }
            Method::Ksg(..) => {
                note = prepare::for_neighbours(seed, &o.neighbours, &mut [(&mut values, &signal.name)]).note;
                values = prepare::scaled(&o.neighbours, values);
            }
            Method::Gaussian | Method::Shared(_) => {}
        }
        Self { name: &signal.name, values, symbols, method, step, note }
    }

    fn name(&self) -> &'static str {
        match self.method {
            Method::PlugIn(_) | Method::Shared(_) => "plug-in, correction miller_madow",
            Method::Gaussian => "gaussian",
            Method::Ksg(..) => "ksg",
        }
    }

    /// Past and present of the samples from `lost` on.
    fn data(&self, history: usize, lost: usize) -> Data {
        fn past<T: Copy>(v: &[T], history: usize, lost: usize, step: usize) -> Vec<Vec<T>> {
            (0..history).map(|i| v[lost - 1 - i * step..v.len() - 1 - i * step].to_vec()).collect()
        }
        match &self.symbols {
            Some((symbols, size)) => Data::Symbols {
                source: words(&past(symbols, history, lost, self.step), *size),
                target: (symbols[lost..].to_vec(), *size),
                given: None,
            },
            None => Data::Values {
                source: past(&self.values, history, lost, self.step),
                target: self.values[lost..].to_vec(),
                given: Vec::new(),
            },
        }
    }

    /// The history that is best, and what each of them gives.
    fn choose(&self, o: &Options, lost: usize) -> (usize, Curve) {
        let n = (self.values.len() - lost) as f64;
        let all = 1..=o.max_history;
        let x = all.clone().map(|k| k as f64).collect();
        let (best, y) = match o.choose {
            Choose::Ragwitz => {
                let of = |k| prediction::error(&self.values, k, self.step, FORETELLING, 0, lost);
                let errors: Vec<f64> = all.map(of).collect();
                // The shortest of those that are equally good.
                let best = (0..errors.len()).min_by(|&a, &b| errors[a].total_cmp(&errors[b]));
                (best.map_or(1, |k| k + 1), errors)
            }
            Choose::MaxCorrected => {
                let tried: Vec<Tried> = all.map(|k| self.tried(k, lost, n)).collect();
                (shortest(&tried, n) + 1, tried.iter().map(|t| t.bits).collect())
            }
        };
        (best, curve(self.name, x, y, CurveStyle::Points))
    }

    fn tried(&self, history: usize, lost: usize, n: f64) -> Tried {
        let data = self.data(history, lost);
        // Of words that are too many for the samples no correction takes the bias off.
        let found = if prepare::sparse(&data).is_some() { None } else { estimate(&data, self.method).ok() };
        let Some(found) = found else { return Tried { bits: f64::NAN, freedom: 0.0 } };
        match self.method {
            Method::Gaussian => {
                let freedom = history as f64;
                Tried { bits: found.bits - freedom / (2.0 * n * LN_2), freedom }
            }
            _ => Tried { bits: found.bits, freedom: (found.raw - found.bits) * 2.0 * n * LN_2 },
        }
    }
}

/// What a history tells, less its bias, and how many numbers that are free it has for this.
struct Tried {
    bits: f64,
    freedom: f64,
}

/// The shortest history beyond which none tells more by so much as chance gives, among all that are tried, in one of
/// twenty cases: what further numbers gain by chance is chi-squared over 2N ln 2, of which the mean is taken off as
/// bias already.
fn shortest(tried: &[Tried], n: f64) -> usize {
    let gained = |short: &Tried, long: &Tried| {
        let more = long.freedom - short.freedom;
        let sure = 1.0 - 0.05 / tried.len() as f64;
        let chance = if more > 0.0 { (chi_squared_quantile(more, sure) - more) / (2.0 * n * LN_2) } else { 0.0 };
        long.bits - short.bits > chance
    };
    // Where none can be estimated the first says why.
    (0..tried.len())
        .find(|&k| !tried[k].bits.is_nan() && tried[k + 1..].iter().all(|long| !gained(&tried[k], long)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::noise;
    use crate::testing::{metric, run, same_values, shifted, subject, traces, value};
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::OptionValue;

    /// x_t = a x_{t−1} + b x_{t−2} + e.
    fn autoregressive(seed: u64, n: usize, (a, b): (f64, f64)) -> Vec<f64> {
        let e = noise(seed, n + 200);
        let mut x = vec![0.0; n + 200];
        for t in 2..n + 200 {
            x[t] = a * x[t - 1] + b * x[t - 2] + e[t];
        }
        x[200..].to_vec()
    }

    /// Gaussian: ½ log₂(Var x/Var e), in closed form; the order is found.
    #[test]
    fn an_autoregression_stores_what_its_variances_say() {
        let r = traces(&[autoregressive(1, 20_000, (0.8, 0.0)), autoregressive(2, 20_000, (0.5, 0.4))], 1.0);
        let o = run(&ActiveInformationStorage, &r, vec![subject("V_m", &[])], &[]).unwrap();
        // Var x = 1/(1 − 0.64); of order 2: (1 − b)/((1 + b)((1 − b)² − a²)).
        for (name, variance, order) in [("p.V_m[0]", 1.0 / 0.36, 1.0), ("p.V_m[1]", 0.6 / (1.4 * (0.36 - 0.25)), 2.0)] {
            let m = metric(&o, name, "active_information_storage");
            let truth = 0.5 * f64::log2(variance);
            let (low, high) = m.ends().unwrap();
            assert!((m.value.unwrap() - truth).abs() < 0.03 && low < truth && truth < high, "{truth} {m:?}");
            assert!(m.p_value.unwrap() < 0.01 && m.chance.unwrap() < 0.001);
            let k = value(&o, name, "history");
            assert!(k >= order && k <= order + 3.0, "{k}");
        }
        same_values(
            &o,
            &run(&ActiveInformationStorage, &shifted(&r, 1e9), vec![subject("V_m", &[])], &[]).unwrap(),
            1e-9,
        );
    }

    /// Independent states store nothing: no history is chosen of which the words are too many for the samples.
    #[test]
    fn independent_states_store_nothing() {
        for (seed, states, n) in [(1, 2, 1500), (2, 3, 1500), (3, 5, 1500), (4, 8, 3000), (5, 3, 300)] {
            let mut s = Key::new(seed, "ais", "states").stream(0, 0);
            let x = (0..n).map(|_| f64::from(s.below(states))).collect();
            let o = run(&ActiveInformationStorage, &traces(&[x], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
            let m = metric(&o, "p.V_m", "active_information_storage");
            assert!(m.value.unwrap().abs() < 0.03 && m.p_value.unwrap() > 0.005, "{states} {n}: {m:?}");
            assert!(value(&o, "p.V_m", "history") <= 2.0, "{states} {n}");
        }
    }

    /// A coin that turns with probability 0.1: 1 − H(0.1) bits by plug-in; and a map that two samples foretell.
    #[test]
    fn symbols_and_maps() {
        let mut s = Key::new(3, "ais", "chain").stream(0, 0);
        let mut side = 0.0;
        let chain: Vec<f64> = (0..20_000)
            .map(|_| {
                if s.uniform() < 0.1 {
                    side = 1.0 - side;
                }
                side
            })
            .collect();
        let o = run(&ActiveInformationStorage, &traces(&[chain], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        let m = metric(&o, "p.V_m", "active_information_storage");
        assert!((m.value.unwrap() - 0.531).abs() < 0.02 && m.note.contains("2 symbols"), "{m:?}");
        let options = [
            ("estimator", OptionValue::Text("ksg".into())),
            ("choose", OptionValue::Text("ragwitz".into())),
            ("max_history", OptionValue::Integer(4)),
            ("surrogates", OptionValue::Integer(19)),
        ];
        let henon = crate::series::fixtures::henon(1500);
        let o = run(&ActiveInformationStorage, &traces(&[henon], 1.0), vec![subject("V_m", &[])], &options).unwrap();
        assert_eq!(value(&o, "p.V_m", "history"), 2.0);
        assert!(value(&o, "p.V_m", "active_information_storage") > 3.0);
    }

    #[test]
    fn noise_stores_nothing_and_what_cannot_be_told_says_why() {
        let o =
            run(&ActiveInformationStorage, &traces(&[noise(1, 2000)], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        let m = metric(&o, "p.V_m", "active_information_storage");
        assert!(m.value.unwrap() < 0.01 && m.p_value.unwrap() > 0.01 && m.ends().is_none(), "{m:?}");
        for (values, why) in [(noise(1, 20), "fewer than"), (vec![2.0; 300], "constant")] {
            let o = run(&ActiveInformationStorage, &traces(&[values], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
            let m = metric(&o, "p.V_m", "active_information_storage");
            assert!(m.value.is_none() && m.note.contains(why), "{m:?}");
        }
    }
}
