//! Mutual information of pairs of signals: plug-in on bins or counts, Kraskov's two estimators, Gaussian.

use super::dependence::assess::Method;
use super::dependence::prepare::{self, Alphabet, Chosen};
use super::dependence::{
    BiasCorrection, Binning, Data, NeighbourOptions, PairEstimate, PairOptions, assess, pairs, report,
};
use super::entropy::By as Entropies;
use super::prelude::*;
use spikedeck_core::information::{entropy, words};
use spikedeck_core::ksg::{Algorithm, Neighbourhood};
use spikedeck_core::statistics::normal_quantile;

/// `kind = "mutual_information"`.
#[derive(Debug, Clone, Copy)]
pub struct MutualInformation;

const CARD: AnalysisCard = AnalysisCard {
    title: "Mutual information",
    synonyms: &["mi", "ksg", "gaussian_copula", "shannon_information", "panzeri_treves", "information_matrix"],
    summary: "how many bits two signals tell about each other, with chance level and p-value",
    formula: "I(X;Y) = Σ p(x,y) log₂ p(x,y)/(p(x)p(y))\n\
              ksg1: ψ(k) + ψ(N) − ⟨ψ(nₓ+1) + ψ(n_y+1)⟩, strict counts inside the distance of the k-th neighbour\n\
              ksg2: ψ(k) − 1/k + ψ(N) − ⟨ψ(nₓ) + ψ(n_y)⟩, counts inside each variable's own distance\n\
              gaussian: −½ log₂(1 − ρ²);  gaussian_copula: the same of Φ⁻¹(rank/(N + 1))\n\
              chao_shen, grassberger, shrinkage, nsb: H(X) + H(Y) − H(X,Y), each entropy by that estimator (see \
              `entropy`)",
    assumptions: "Stationary signals. Plug-in: bins fine enough to hold the dependence, and many samples in each. KSG: \
                  smooth density. Gaussian: jointly normal; sees linear dependence only; the copula sees what \
                  rises or falls, whatever the values' law, and is a lower bound. p-values: circular shifts \
                  need a window much longer than the autocorrelation; permutations need samples independent in time.",
    bias: "Plug-in is too large by about (R−1)(S−1)/(2N ln 2) bits; Miller-Madow, Panzeri-Treves (Bayes or naive \
           count of bins) or \
           quadratic extrapolation take it off, and the value before stands beside it. KSG may be negative when there \
           is no \
           dependence: such values are kept. Neighbours in time are no independent samples: give a Theiler window.",
    cost: "O(N) plug-in and gaussian, O(N log N) ksg; times surrogates and blocks.",
    caveats: "It is symmetric and says nothing about direction. Common input and slow drift count as information: \
              compare with the chance \
              level of circular shifts. Distances between neighbours mean nothing among tied values (counts, states, \
              rounded \
              samples): `auto` takes frequencies for few distinct values, and before ksg tied values are spread by \
              seeded noise over the distance to the next \
              value, which leaves the information what it is; the note says so. The interval is left out where it \
              would not hold the truth: samples that depend on \
              those before for more than a tenth of a block, or a bias that surrogates show.",
    references: &[
        "Kraskov, Stögbauer, Grassberger 2004, Phys Rev E 69:066138, doi:10.1103/PhysRevE.69.066138",
        "Panzeri, Treves 1996, Network 7:87-107, doi:10.1080/0954898X.1996.11978656",
        "Panzeri, Senatore, Montemurro, Petersen 2007, J Neurophysiol 98:1064-1072, doi:10.1152/jn.00559.2007",
        "Strong, Koberle, de Ruyter van Steveninck, Bialek 1998, Phys Rev Lett 80:197-200, \
         doi:10.1103/PhysRevLett.80.197",
        "Nemenman, Shafee, Bialek 2002, Adv Neural Inf Process Syst 14, arXiv:physics/0108025",
        "Ince, Giordano, Kayser, Rousselet, Gross, Schyns 2017, Hum Brain Mapp 38:1541-1573, doi:10.1002/hbm.23471",
        "Phipson, Smyth 2010, Stat Appl Genet Mol Biol 9:39, doi:10.2202/1544-6115.1585",
        "Benjamini, Hochberg 1995, J R Stat Soc B 57:289-300, doi:10.1111/j.2517-6161.1995.tb02031.x",
    ],
};

words! {
    /// Which estimate is made.
    pub enum By {
        /// By what the signals are.
        Auto = "auto",
        /// Frequencies of symbols.
        PlugIn = "plugin",
        /// Kraskov's first.
        Ksg1 = "ksg1",
        /// Kraskov's second.
        Ksg2 = "ksg2",
        /// Correlation.
        Gaussian = "gaussian",
        /// Correlation of normal scores of ranks.
        Copula = "gaussian_copula",
        /// Entropies by coverage.
        ChaoShen = "chao_shen",
        /// Entropies by digammas.
        Grassberger = "grassberger",
        /// Entropies of frequencies drawn towards uniform.
        Shrinkage = "shrinkage",
        /// Entropies under a mixture of priors.
        Nsb = "nsb",
    }
}

options! {
    /// What `mutual_information` can be told.
    pub struct Options {
        estimator: By = choice(By::Auto),
            "auto: plugin where spike counts are involved, or few distinct values (then these are the symbols), else \
             ksg2";
        correction: BiasCorrection = choice(BiasCorrection::PanzeriTreves),
            "bias correction of plugin (the source is the stimulus, the target the response)";
        lag: Option<Time> = time_if_given().between(-f64::MAX, f64::MAX),
            "the target is taken this much later than the source, or earlier if negative (default 0)";
        bins: usize = report::bins("8", 4096.0);
        binning: Binning = report::binning();
        neighbours: NeighbourOptions = shared();
        pairs: PairOptions = shared();
    }
}

impl Estimator for MutualInformation {
    type Options = Options;
    const KIND: &'static str = "mutual_information";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const TABLE: &'static str = "values";

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let request = f.request;
        let pairs = pairs(request, o.pairs.bin, o.lag.is_none_or(|lag| lag.seconds == 0.0))?;
        let lag = o.lag.map_or(Ok(0), |lag| pairs.signed_samples("lag", lag))?;
        let lost = lag.unsigned_abs();
        let alphabet = Alphabet { bins: o.bins, binning: o.binning, by_value: false };
        let mut extra = Vec::new();
        let results = pairs.each(f, lost, |pair| {
            let how = o.neighbours.of(&pairs, pair)?;
            let chosen = Chosen::of(pair, |(x, of_x), (y, of_y)| occurring(&[x, y], of_x.max(of_y)));
            let mut method = method(o, how, chosen);
            let alphabet = Alphabet { by_value: o.estimator == By::Auto && chosen == Chosen::Values, ..alphabet };
            let mut warning = None;
            let (data, note) = if let Method::PlugIn(_) | Method::Shared(_) = method {
                let (data, note) = alphabet.words(pair, lag);
                extra.extend(entropies(&pair.subject, &data));
                (data, note)
            } else {
                let (x, y) = prepare::lagged(pair, lag);
                let (mut x, mut y) = (x.to_vec(), y.to_vec());
                if o.estimator == By::Copula {
                    (x, y) = (normal_scores(&x), normal_scores(&y));
                }
                let note = if let Method::Ksg(how, _) = method {
                    let columns = &mut [(&mut x, &pair.source.name), (&mut y, &pair.target.name)];
                    let spread = prepare::for_neighbours(request.seed, &o.neighbours, columns);
                    if spread.atoms {
                        // The box of the second algorithm is no box where a variable is a point.
                        method = Method::Ksg(how, Algorithm::One);
                    }
                    warning = (!spread.note.is_empty() && o.estimator != By::Auto).then(|| spread.note.clone());
                    (x, y) = (prepare::scaled(&o.neighbours, x), prepare::scaled(&o.neighbours, y));
                    spread.note
                } else {
                    String::new()
                };
                (Data::Values { source: vec![x], target: y, given: Vec::new() }, note)
            };
            let resampling = report::resampling(request, &o.pairs, &pairs, lost, pair)?;
            Ok(PairEstimate {
                found: assess(&data, method, resampling),
                method: if o.estimator == By::Copula { By::Copula.word().into() } else { describe(method) },
                corrected: matches!(method, Method::PlugIn(_) | Method::Shared(_)),
                note,
                warning: warning.or_else(|| prepare::sparse(&data)),
            })
        })?;
        report::report(f, &o.pairs, &pairs, &results, "information", "mutual information");
        f.metrics(extra);
        Ok(())
    }
}

/// How many combinations of symbols below `size` occur.
fn occurring(columns: &[&[u32]], size: usize) -> usize {
    words(&columns.iter().map(|c| c.to_vec()).collect::<Vec<_>>(), size).1
}

/// Φ⁻¹(rank/(N + 1)); equal values have the mean of their ranks.
fn normal_scores(values: &[f64]) -> Vec<f64> {
    let n = values.len() as f64;
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let rank = |v: f64| {
        let (below, upto) = (sorted.partition_point(|w| *w < v), sorted.partition_point(|w| *w <= v));
        f64::midpoint(below as f64 + 1.0, upto as f64)
    };
    values.iter().map(|v| normal_quantile(rank(*v) / (n + 1.0))).collect()
}

fn method(o: &Options, how: Neighbourhood, chosen: Chosen) -> Method {
    match o.estimator {
        By::PlugIn => Method::PlugIn(o.correction),
        By::Ksg1 => Method::Ksg(how, Algorithm::One),
        By::Gaussian | By::Copula => Method::Gaussian,
        By::ChaoShen => Method::Shared(Entropies::ChaoShen),
        By::Grassberger => Method::Shared(Entropies::Grassberger),
        By::Shrinkage => Method::Shared(Entropies::Shrinkage),
        By::Nsb => Method::Shared(Entropies::Nsb),
        By::Auto if chosen != Chosen::Continuous => Method::PlugIn(o.correction),
        By::Ksg2 | By::Auto => Method::Ksg(how, Algorithm::Two),
    }
}

fn describe(method: Method) -> String {
    match method {
        Method::PlugIn(correction) => format!("plug-in, correction {}", correction.word()),
        Method::Shared(by) => format!("entropies by {}", by.word()),
        Method::Ksg(how, Algorithm::One) => format!("ksg1, {}", report::neighbours(how)),
        Method::Ksg(how, Algorithm::Two) => format!("ksg2, {}", report::neighbours(how)),
        Method::Gaussian => "gaussian".into(),
    }
}

/// Entropies of the two signals' symbols.
fn entropies(subject: &str, data: &Data) -> Vec<Metric> {
    let Data::Symbols { source, target, .. } = data else { return Vec::new() };
    [("entropy_source", source), ("entropy_target", target)]
        .into_iter()
        .map(|(name, (symbols, size))| {
            let mut counts = vec![0_u64; *size];
            for &s in symbols {
                counts[s as usize] += 1;
            }
            Metric::new(subject, name, entropy(&counts), "bits", symbols.len() as u64)
                .note("plug-in, of the symbols used")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::Outcome;
    use spikedeck_signal::Shape;
    use std::f64::consts::LN_2;

    use super::*;
    use crate::dependence::fixtures::{run, spikes, traces, trains, value, variable};
    use crate::reference_sets::{MinStd, normals};
    use spikedeck_scenario::OptionValue;

    fn word(text: &str) -> OptionValue {
        OptionValue::Text(text.into())
    }

    fn near(got: f64, want: f64, tolerance: f64) {
        assert!((got - want).abs() <= tolerance, "{got} is not {want}");
    }

    /// Portable set of ground truth C12, through the whole analysis (nats there).
    #[test]
    fn the_portable_set_by_every_estimator() {
        let (x, y) = normals(1);
        let recording = traces(&[&x, &y]);
        let with = |options: &[(&'static str, OptionValue)]| {
            let mut all = vec![("surrogates", OptionValue::Integer(19))];
            all.extend(options.iter().cloned());
            run(&MutualInformation, &recording, vec![variable(0)], vec![variable(1)], &all).unwrap()
        };
        let nats = |out: &Outcome| value(out, "p.v[0]->p.v[1]", "information") * LN_2;
        near(nats(&with(&[("estimator", word("gaussian"))])), 0.220_899_253, 1e-9);
        near(nats(&with(&[("estimator", word("ksg1"))])), 0.236_579_361, 1e-9);
        let auto = with(&[]);
        near(nats(&auto), 0.229_366_240, 1e-9);
        assert!(auto.metrics[0].note.contains("ksg2, k 4"));
        assert_eq!(auto.metrics[0].p_value, Some(0.05));
        near(nats(&with(&[("standardise", OptionValue::Flag(false))])), 0.231_099_972, 1e-9);
        near(nats(&with(&[("k", OptionValue::Integer(1))])), 0.196_600_775, 1e-9);
        // Jitter of 1e-8 changes the last digits only.
        near(nats(&with(&[("jitter", OptionValue::Flag(true))])), 0.229_366_240, 2e-3);
        let plug = with(&[("estimator", word("plugin")), ("bins", OptionValue::Integer(5))]);
        let (corrected, raw) = (nats(&plug), value(&plug, "p.v[0]->p.v[1]", "information_raw") * LN_2);
        // 16 / (2 N) nats of bias; binning loses a little of .2209.
        near(raw - corrected, 0.008, 1e-3);
        assert!((0.15..0.22).contains(&corrected), "{corrected}");
        near(value(&plug, "p.v[0]->p.v[1]", "entropy_source"), 5_f64.log2(), 1e-9);
    }

    /// A copula does not look at the values' law; entropies by any estimator agree on many samples.
    #[test]
    fn ranks_and_entropies_by_name() {
        let (x, y) = normals(1);
        let bent: Vec<f64> = x.iter().map(|v| v.exp()).collect();
        let of = |x: &[f64], estimator: &str, bins: i64| {
            let options = [
                ("estimator", word(estimator)),
                ("surrogates", OptionValue::Integer(19)),
                ("bins", OptionValue::Integer(bins)),
            ];
            run(&MutualInformation, &traces(&[x, &y]), vec![variable(0)], vec![variable(1)], &options).unwrap()
        };
        let bits = |o: &Outcome| value(o, "p.v[0]->p.v[1]", "information");
        let copula = bits(&of(&x, "gaussian_copula", 8));
        near(copula, bits(&of(&bent, "gaussian_copula", 8)), 1e-12);
        near(copula * LN_2, 0.220_899_253, 0.02);
        let plug = bits(&of(&x, "plugin", 3));
        for name in ["chao_shen", "grassberger", "shrinkage", "nsb"] {
            let o = of(&x, name, 3);
            near(bits(&o), plug, 0.012);
            assert!(o.metrics[0].note.contains(name) && o.metrics[0].p_value == Some(0.05), "{:?}", o.metrics[0]);
        }
    }

    /// Spikes of unit 1 repeat those of unit 0 one bin later: seen at that lag and at no other.
    #[test]
    fn spike_counts_at_a_lag() {
        let mut g = MinStd::new(31);
        let first: Vec<f64> = (0..4000).filter(|_| g.uniform() < 0.3).map(|i| f64::from(i) * 5.0 + 2.5).collect();
        let second: Vec<f64> = first.iter().map(|t| t + 5.0).filter(|t| *t < 20_000.0).collect();
        let recording = trains(&[first, second], 20_000.0);
        let at = |lag: f64| {
            let options = [("bin", OptionValue::Number(0.005)), ("lag", OptionValue::Number(lag))];
            run(&MutualInformation, &recording, vec![spikes()], vec![spikes()], &options).unwrap()
        };
        let out = at(0.005);
        let p = 0.3_f64;
        near(
            value(&out, "p.spikes[0]->p.spikes[1]", "information"),
            -p * p.log2() - (1.0 - p) * (1.0 - p).log2(),
            0.02,
        );
        assert!(value(&at(0.01), "p.spikes[0]->p.spikes[1]", "information") < 0.002);
        let out = at(0.0);
        assert!(out.metrics[0].p_value.unwrap() > 0.05);
        assert_eq!(out.metrics.iter().filter(|m| m.metric == "information").count(), 1);
    }

    #[test]
    fn a_matrix_of_all_pairs_is_symmetric() {
        let (x, y) = normals(1);
        let (z, _) = normals(5);
        let all: Vec<_> = (0..3).map(variable).collect();
        let out = run(&MutualInformation, &traces(&[&x, &y, &z]), all.clone(), all, &[("estimator", word("gaussian"))])
            .unwrap();
        let Shape::Matrix(m) = &out.shapes[0].shape else { panic!() };
        assert_eq!(m.values[1], m.values[3]);
        assert_eq!(m.significant.as_ref().unwrap()[1..4], [true, false, true]);
        assert!(m.values[0].is_nan());
    }

    #[test]
    fn what_cannot_be_measured_is_said() {
        let constant = vec![1.0; 100];
        let ramp: Vec<f64> = (0..100).map(f64::from).collect();
        let recording = traces(&[&constant, &ramp]);
        let out = run(&MutualInformation, &recording, vec![variable(0)], vec![variable(1)], &[]).unwrap();
        assert!(out.metrics[0].value.is_none() && out.metrics[0].note.contains("constant"));
        let error = run(&MutualInformation, &recording, vec![variable(1)], vec![variable(1)], &[]).unwrap_err();
        assert!(error.to_string().contains("no pair with itself"), "{error}");
        let many: Vec<Vec<f64>> = vec![vec![1.0]; 200];
        let error = run(&MutualInformation, &trains(&many, 10.0), vec![spikes()], vec![spikes()], &[]).unwrap_err();
        assert!(error.to_string().contains("p.spikes[0..20]"), "{error}");
        // Ties that ksg is asked for by name are spread, and told.
        let steps: Vec<f64> = (0..100).map(|i| f64::from(i % 10)).collect();
        let noise = normals(2).0;
        let options = [("surrogate", word("none")), ("estimator", word("ksg2"))];
        let out =
            run(&MutualInformation, &traces(&[&steps, &noise[..100]]), vec![variable(0)], vec![variable(1)], &options)
                .unwrap();
        assert!(out.metrics[0].note.contains("100 of 100 samples of p.v[0] are tied"), "{:?}", out.metrics[0]);
        assert!(out.warnings.iter().any(|w| w.contains("are tied")), "{:?}", out.warnings);
    }

    /// Symbols of `levels` values, each as likely, independent in time.
    fn symbols(seed: u64, unit: u32, n: usize, levels: u32) -> Vec<f64> {
        let mut s = spikedeck_core::rng::Key::new(seed, "ties", "symbols").stream(unit, 0);
        (0..n).map(|_| f64::from(s.below(levels)) * 1.7 - 3.0).collect()
    }

    fn entropy_of(values: &[f64]) -> f64 {
        let ties = spikedeck_core::ties::Ties::of(values);
        let mut counts = vec![0; ties.levels.len()];
        for s in ties.symbols(values) {
            counts[s as usize] += 1;
        }
        entropy(&counts)
    }

    /// Whatever the number of values: at the defaults, and by each estimator for neighbours, copies tell their entropy
    /// and independent values nothing, within the interval.
    #[test]
    fn ties_tell_what_they_tell() {
        for (levels, n) in [(2, 2000), (3, 2000), (9, 4000), (40, 2000), (90, 4000)] {
            let (x, y) = (symbols(1, 0, n, levels), symbols(1, 1, n, levels));
            for estimator in ["auto", "ksg1", "ksg2"] {
                // Neighbours need many samples of a level: its edges are a loss.
                let exact = estimator == "auto";
                if !exact && levels > 9 {
                    continue;
                }
                let options = [("estimator", word(estimator)), ("surrogates", OptionValue::Integer(39))];
                let of =
                    |r: &[&[f64]]| run(&MutualInformation, &traces(r), vec![variable(0)], vec![variable(1)], &options);
                let copies = of(&[&x, &x]).unwrap();
                let found = value(&copies, "p.v[0]->p.v[1]", "information");
                let whole = entropy_of(&x);
                assert!(
                    (found - whole).abs() < if exact { 1e-9 } else { 0.06 * whole },
                    "{levels} {estimator}: {found} is not {whole}"
                );
                let apart = of(&[&x, &y]).unwrap();
                let m = &apart.metrics[0];
                let found = m.value.unwrap();
                assert!(found.abs() < 0.06, "{levels} {estimator}: {m:?}");
                assert!(m.ends().is_none_or(|(low, high)| low <= 0.0 && 0.0 <= high), "{levels} {estimator}: {m:?}");
                assert!(m.p_value.unwrap() > 0.02, "{levels} {estimator}: {m:?}");
            }
        }
    }

    /// Gaussians of correlation 0.8 rounded to a tenth and to half of a standard deviation: 0.737 bits, less what
    /// rounding takes away. Signals that are zero half of the time: what their own copies tell is not limited, and
    /// independent ones tell nothing.
    #[test]
    fn rounded_and_resting_signals() {
        let n = 5000;
        let mut g = MinStd::new(12);
        let x: Vec<f64> = (0..n).map(|_| g.normal()).collect();
        let y: Vec<f64> = x.iter().map(|v| 0.8 * v + 0.6 * g.normal()).collect();
        let round = |v: &[f64], to: f64| v.iter().map(|v| (v / to).round() * to).collect::<Vec<f64>>();
        let quick = [("surrogates", OptionValue::Integer(19))];
        for (to, least) in [(1e-3, 0.68), (0.1, 0.68), (0.5, 0.6)] {
            let r = traces(&[&round(&x, to), &round(&y, to)]);
            let out = run(&MutualInformation, &r, vec![variable(0)], vec![variable(1)], &quick).unwrap();
            let bits = value(&out, "p.v[0]->p.v[1]", "information");
            assert!((least..0.8).contains(&bits), "{to}: {bits}");
        }
        let rest = |v: &[f64]| v.iter().map(|v| v.max(0.0)).collect::<Vec<f64>>();
        let z: Vec<f64> = (0..n).map(|_| g.normal()).collect();
        let r = traces(&[&rest(&x), &rest(&z)]);
        let out = run(&MutualInformation, &r, vec![variable(0)], vec![variable(1)], &quick).unwrap();
        assert!(value(&out, "p.v[0]->p.v[1]", "information").abs() < 0.03, "{:?}", out.metrics[0]);
        assert!(out.metrics[0].note.contains("ksg1"), "{:?}", out.metrics[0]);
    }

    /// A sparse signal and its copy: its entropy, whichever bins are asked for, at any number of ones.
    #[test]
    fn rare_events_are_symbols() {
        for share in [0.01, 0.1, 0.5, 0.95] {
            let mut g = MinStd::new(77);
            let x: Vec<f64> = (0..2000).map(|_| if g.uniform() < share { 1.0 } else { 0.0 }).collect();
            for options in [vec![("estimator", word("plugin"))], vec![]] {
                let out = run(&MutualInformation, &traces(&[&x, &x]), vec![variable(0)], vec![variable(1)], &options)
                    .unwrap();
                near(value(&out, "p.v[0]->p.v[1]", "information"), entropy_of(&x), 1e-9);
                near(value(&out, "p.v[0]->p.v[1]", "entropy_source"), entropy_of(&x), 1e-9);
            }
        }
    }

    /// Corrected information is never above the lesser entropy, and no interval has no width.
    #[test]
    fn corrected_information_stays_within_its_bounds() {
        for case in 0..40 {
            let mut s = spikedeck_core::rng::Key::new(case, "bounds", "x").stream(0, 0);
            let n = 60 + s.below(800) as usize;
            let noisy = s.uniform();
            let x: Vec<f64> = (0..n).map(|_| s.uniform()).collect();
            let y: Vec<f64> = x.iter().map(|v| if s.uniform() < noisy { s.uniform() } else { *v }).collect();
            for correction in ["none", "miller_madow", "panzeri_treves", "panzeri_treves_naive", "quadratic"] {
                let options = [
                    ("estimator", word("plugin")),
                    ("correction", word(correction)),
                    ("surrogates", OptionValue::Integer(9)),
                    ("bins", OptionValue::Integer(2 + case as i64 % 9)),
                ];
                let out = run(&MutualInformation, &traces(&[&x, &y]), vec![variable(0)], vec![variable(1)], &options)
                    .unwrap();
                let get = |m: &str| value(&out, "p.v[0]->p.v[1]", m);
                let least = get("entropy_source").min(get("entropy_target"));
                let m = &out.metrics[0];
                assert!(m.value.unwrap() <= least + 1e-12, "case {case} {correction}: {m:?}");
                assert!(m.ends().is_none_or(|(low, high)| low < high && low >= m.value.unwrap().min(0.0)), "{m:?}");
            }
        }
    }

    /// A lag of either sign is that lag: source after target is target before source.
    #[test]
    fn a_negative_lag_is_done() {
        let mut g = MinStd::new(4);
        let x: Vec<f64> = (0..1500).map(|_| g.normal()).collect();
        let y: Vec<f64> = (0..1500).map(|k| if k + 7 < 1500 { x[k + 7] } else { 0.0 } + 0.5 * g.normal()).collect();
        let bits = |from: u32, to: u32, lag: f64| {
            let options =
                [("estimator", word("gaussian")), ("lag", OptionValue::Number(lag)), ("surrogate", word("none"))];
            let r = traces(&[&x, &y]);
            let out = run(&MutualInformation, &r, vec![variable(from)], vec![variable(to)], &options).unwrap();
            value(&out, &format!("p.v[{from}]->p.v[{to}]"), "information")
        };
        assert!(bits(0, 1, -0.007) > 1.0 && bits(0, 1, 0.007) < 0.01 && bits(0, 1, -0.006) < 0.01);
        near(bits(0, 1, -0.007), bits(1, 0, 0.007), 1e-12);
    }

    /// Spikes after the last whole bin are told.
    #[test]
    fn spikes_outside_the_bins_are_told() {
        let train: Vec<f64> = (0..303).map(|k| 3.3 * f64::from(k) + 1.0).collect();
        let options = [("bin", OptionValue::Number(0.03))];
        let r = trains(&[train.clone(), train], 1000.0);
        let out = run(&MutualInformation, &r, vec![spikes()], vec![spikes()], &options).unwrap();
        assert!(
            out.warnings.iter().any(|w| w.contains("p.spikes: 6 of 606 spikes lie in the last 0.01 s")),
            "{:?}",
            out.warnings
        );
    }
}
