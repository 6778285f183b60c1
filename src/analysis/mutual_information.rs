//! Mutual information of pairs of signals: plug-in on bins or counts, Kraskov's two estimators, Gaussian.

use super::dependence::assess::{Data, Estimator};
use super::dependence::report::{self, PairResult};
use super::dependence::signals::{Pairs, Signal};
use super::dependence::{assess, pairs};
use super::{
    Analysis, AnalysisCard, AnalysisDeclaration, AnalysisError, Metric, Outcome, Request, Subjects, bounded, option,
};
use spikedeck_core::information::{entropy, equal_width, quantile_bins, whole_numbers};
use spikedeck_core::ksg::{Algorithm, Neighbourhood, standardise};
use spikedeck_core::neighbours::SortedAxis;
use spikedeck_core::rng::Key;
use spikedeck_scenario::OptionKind;
use spikedeck_signal::{NamedShape, Scalars, Shape};

/// `kind = "mutual_information"`.
#[derive(Debug, Clone, Copy)]
pub struct MutualInformation;

static CARD: AnalysisCard = AnalysisCard {
    title: "Mutual information",
    summary: "how many bits two signals tell about each other, with chance level and p-value",
    formula: "I(X;Y) = Σ p(x,y) log₂ p(x,y)/(p(x)p(y))\n\
              ksg1: ψ(k) + ψ(N) − ⟨ψ(nₓ+1) + ψ(n_y+1)⟩, strict counts inside the distance of the k-th neighbour\n\
              ksg2: ψ(k) − 1/k + ψ(N) − ⟨ψ(nₓ) + ψ(n_y)⟩, counts inside each variable's own distance\n\
              gaussian: −½ log₂(1 − ρ²)",
    assumptions: "Stationary signals. Plug-in: bins fine enough to hold the dependence, and many samples in each. KSG: continuous \
                  values without ties, smooth density. Gaussian: jointly normal; sees linear dependence only. p-values: circular shifts \
                  need a window much longer than the autocorrelation; permutations need samples independent in time.",
    bias: "Plug-in is too large by about (R−1)(S−1)/(2N ln 2) bits; Miller-Madow, Panzeri-Treves (Bayes or naive count of bins) or \
           quadratic extrapolation take it off, and the value before stands beside it. KSG may be negative when there is no \
           dependence: such values are kept. Neighbours in time are no independent samples: give a Theiler window.",
    cost: "O(N) plug-in and gaussian, O(N log N) ksg; times surrogates and blocks.",
    caveats: "It is symmetric and says nothing about direction. Common input and slow drift count as information: compare with the chance \
              level of circular shifts. Quantised values (spike times on a grid) are ties for KSG: the note counts them, `jitter` breaks them.",
    references: &[
        "Kraskov, Stögbauer, Grassberger 2004, Phys Rev E 69:066138, doi:10.1103/PhysRevE.69.066138",
        "Panzeri, Treves 1996, Network 7:87-107, doi:10.1080/0954898X.1996.11978656",
        "Panzeri, Senatore, Montemurro, Petersen 2007, J Neurophysiol 98:1064-1072, doi:10.1152/jn.00559.2007",
        "Strong, Koberle, de Ruyter van Steveninck, Bialek 1998, Phys Rev Lett 80:197-200, doi:10.1103/PhysRevLett.80.197",
        "Phipson, Smyth 2010, Stat Appl Genet Mol Biol 9:39, doi:10.2202/1544-6115.1585",
        "Benjamini, Hochberg 1995, J R Stat Soc B 57:289-300, doi:10.1111/j.2517-6161.1995.tb02031.x",
    ],
};

impl Analysis for MutualInformation {
    fn declaration(&self) -> AnalysisDeclaration {
        let mut options = vec![
            option(
                "estimator",
                OptionKind::Choice(&["auto", "plugin", "ksg1", "ksg2", "gaussian"]),
                Some("auto"),
                "auto: plugin where spike counts are involved, else ksg2",
            ),
            option(
                "correction",
                OptionKind::Choice(&["none", "miller_madow", "panzeri_treves", "panzeri_treves_naive", "quadratic"]),
                Some("panzeri_treves"),
                "bias correction of plugin (the source is the stimulus, the target the response)",
            ),
            bounded(
                option(
                    "lag",
                    OptionKind::Time,
                    None,
                    "the target is taken this much later than the source (default 0)",
                ),
                -f64::MAX,
                f64::MAX,
            ),
        ];
        options.extend(report::estimator_options("8", 4096.0));
        options.extend(report::shared_options());
        AnalysisDeclaration { kind: "mutual_information", subjects: Subjects::Directed, options }
    }

    fn card(&self) -> &'static AnalysisCard {
        &CARD
    }

    fn run(&self, request: &Request<'_>) -> Result<Outcome, AnalysisError> {
        let lag_time = request.number("lag").unwrap_or(0.0);
        let pairs = pairs(request, lag_time == 0.0)?;
        let lag = pairs.samples("lag", lag_time)?;
        let theiler = pairs.samples("theiler", request.number("theiler").unwrap_or(0.0))?;
        let mut results = Vec::new();
        let mut extra = Vec::new();
        let mut warnings = Vec::new();
        let mut methods = Vec::new();
        for &(i, j) in &pairs.pairs {
            request.check_cancelled()?;
            let (source, target) = (&pairs.sources[i], &pairs.targets[j]);
            let subject = format!("{}->{}", source.name, target.name);
            let n = pairs.len().saturating_sub(lag);
            if let Some(why) = report::too_little(source, target, n) {
                results.push(PairResult { pair: (i, j), subject, found: Err(why), n, note: String::new() });
                continue;
            }
            let estimator = estimator(request, source, target, theiler);
            let (data, note) = data(request, source, target, lag, estimator);
            warnings.extend(report::sparse(&data).map(|w| format!("{subject}: {w}")));
            if let Estimator::PlugIn(_) = estimator {
                extra.extend(entropies(&subject, &data));
            }
            let plan = report::plan(request, &pairs, lag, (i, j))?;
            let found = assess(&data, estimator, plan).map_err(|e| report::reason(&e));
            request.check_cancelled()?;
            methods.push(describe(request, estimator));
            results.push(PairResult { pair: (i, j), subject, found, n, note });
        }
        methods.dedup();
        let raw = methods.iter().any(|m| m.starts_with("plug-in"));
        let mut out =
            report::report(request, &pairs, &results, "information", "mutual information", &methods.join(" / "), raw);
        warnings.truncate(5);
        out.warnings.extend(warnings);
        out.metrics.extend(extra);
        out.shapes.push(NamedShape::new("values", Shape::Scalars(Scalars::from_metrics(&out.metrics))));
        Ok(outcome(request, &CARD, out, &pairs))
    }
}

/// The outcome of a report under its card.
pub(super) fn outcome(request: &Request<'_>, card: &AnalysisCard, mut out: report::Report, _pairs: &Pairs) -> Outcome {
    for m in &mut out.metrics {
        m.analysis.clone_from(&request.spec.name);
    }
    Outcome {
        name: request.spec.name.clone(),
        kind: request.spec.kind.clone(),
        title: card.title.into(),
        shapes: out.shapes,
        metrics: out.metrics,
        summary: out.summary,
        warnings: out.warnings,
    }
}

fn estimator(request: &Request<'_>, source: &Signal, target: &Signal, theiler: usize) -> Estimator {
    let how = Neighbourhood { k: request.integer("k").unwrap_or(4).max(1) as usize, window: theiler };
    let plugin = Estimator::PlugIn(report::bias_correction(request.text("correction")));
    match request.text("estimator") {
        Some("plugin") => plugin,
        Some("ksg1") => Estimator::Ksg(how, Algorithm::One),
        Some("ksg2") => Estimator::Ksg(how, Algorithm::Two),
        Some("gaussian") => Estimator::Gaussian,
        _ if source.counts || target.counts => plugin,
        _ => Estimator::Ksg(how, Algorithm::Two),
    }
}

fn describe(request: &Request<'_>, estimator: Estimator) -> String {
    match estimator {
        Estimator::PlugIn(_) => format!("plug-in, correction {}", request.text("correction").unwrap_or("none")),
        Estimator::Ksg(how, Algorithm::One) => format!("ksg1, k {}", how.k),
        Estimator::Ksg(how, Algorithm::Two) => format!("ksg2, k {}", how.k),
        Estimator::Gaussian => "gaussian".into(),
    }
}

/// Realisations for the estimator: the source's samples, and the target's `lag` later; and what is to be said of them.
pub(super) fn data(
    request: &Request<'_>,
    source: &Signal,
    target: &Signal,
    lag: usize,
    estimator: Estimator,
) -> (Data, String) {
    let n = source.values.len() - lag;
    let (x, y) = (&source.values[..n], &target.values[lag..]);
    if let Estimator::PlugIn(_) = estimator {
        let (a, b) = (symbols(request, source, x), symbols(request, target, y));
        let note = format!("{} by {} symbols", a.1, b.1);
        return (Data::Symbols { source: a, target: b, given: None }, note);
    }
    let (mut x, mut y) = (x.to_vec(), y.to_vec());
    let mut note = String::new();
    if let Estimator::Ksg(..) = estimator {
        note = prepare_for_neighbours(request, &mut [(&mut x, &source.name), (&mut y, &target.name)]);
    }
    (Data::Values { source: vec![x], target: y, given: Vec::new() }, note)
}

/// Standardises and jitters as the options say; says how many samples are tied.
pub(super) fn prepare_for_neighbours(request: &Request<'_>, columns: &mut [(&mut Vec<f64>, &String)]) -> String {
    let mut notes = Vec::new();
    for (values, name) in columns {
        if request.flag("standardise") {
            **values = standardise(values);
        }
        if request.flag("jitter") {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
            let mut stream = Key::new(request.seed, name, "jitter").stream(0, 0);
            for v in values.iter_mut() {
                *v += 1e-8 * sd * (2.0 * stream.uniform() - 1.0) * 3.0_f64.sqrt();
            }
        }
        let tied = SortedAxis::new(values).tied();
        if tied > 0 {
            notes.push(format!("{tied} of {} samples of {name} are tied", values.len()));
        }
    }
    notes.join("; ")
}

/// Symbols of a signal: counts as they are, other values in bins.
pub(super) fn symbols(request: &Request<'_>, signal: &Signal, values: &[f64]) -> (Vec<u32>, usize) {
    if signal.counts {
        return whole_numbers(values);
    }
    let bins = request.integer("bins").unwrap_or(8).max(2) as usize;
    let symbols = if request.text("binning") == Some("equal_width") {
        equal_width(values, bins)
    } else {
        quantile_bins(values, bins)
    };
    (symbols, bins)
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
        // A tie is told.
        let steps: Vec<f64> = (0..100).map(|i| f64::from(i % 10)).collect();
        let noise = normals(2).0;
        let options = [("surrogate", word("none")), ("estimator", word("ksg2"))];
        let out =
            run(&MutualInformation, &traces(&[&steps, &noise[..100]]), vec![variable(0)], vec![variable(1)], &options)
                .unwrap();
        assert!(out.metrics[0].note.contains("100 of 100 samples of p.v[0] are tied"), "{:?}", out.metrics[0]);
    }
}
