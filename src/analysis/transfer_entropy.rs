//! Transfer entropy of pairs of signals: what the source's past tells about the target now, beyond the target's own
//! past.

use super::dependence::assess::{Data, Estimator, estimate};
use super::dependence::report::{self, PairResult};
use super::dependence::signals::{Pairs, Signal};
use super::dependence::{assess, pairs};
use super::mutual_information::{outcome, prepare_for_neighbours, symbols};
use super::{
    Analysis, AnalysisCard, AnalysisDeclaration, AnalysisError, Metric, Outcome, Request, Subjects, bounded, from_zero,
    option,
};
use spikedeck_core::information::words;
use spikedeck_core::ksg::{Algorithm, Neighbourhood};
use spikedeck_scenario::OptionKind;
use spikedeck_signal::{Axis, Curve, CurveStyle, NamedShape, Scalars, Series, Shape};

/// `kind = "transfer_entropy"`.
#[derive(Debug, Clone, Copy)]
pub struct TransferEntropy;

static CARD: AnalysisCard = AnalysisCard {
    title: "Transfer entropy",
    summary: "how many bits the source's past tells about the target now, beyond the target's own past",
    formula: "TE(X→Y) = I(Y_t ; X_{t−u}, …, X_{t−u−(l−1)} | Y_{t−1}, …, Y_{t−k})\n\
              plugin: entropies of words of symbols; gaussian: ½ log₂(Var(Y|Y⁻)/Var(Y|Y⁻,X⁻)), half of Granger's;\n\
              ksg: ψ(k) + ⟨ψ(n_z+1) − ψ(n_xz+1) − ψ(n_yz+1)⟩, z the target's past\n\
              lagged_information_sum: Σ_τ I(Y_t ; X_{t−τ} | Y_{t−1}), which is not transfer entropy",
    assumptions: "Stationary signals; the histories k and l hold what matters of the past; no unseen common driver. Plug-in: words are \
                  few against samples. Gaussian: linear and jointly normal. p-values: circular shifts by more than all lags, window much \
                  longer than the autocorrelation.",
    bias: "Plug-in grows with the number of possible words over N; Miller-Madow takes the leading term off, the chance level shows the \
           rest, and the value before correction stands beside it. Too short a target history lets the target's own memory pass for \
           transfer. KSG may be negative when there is nothing: such values are kept.",
    cost: "O(N) plug-in and gaussian (times (k + l)²), O(N log N) ksg; times surrogates, blocks and pairs.",
    caveats: "It is not causation: a common driver or a third signal between gives it too. Sampling slower than the delay mixes the \
              directions. The sum over lags counts a persistent source again at each lag (0.57 for a true 0.33 bits in the textbook example): \
              it is offered only under its own name.",
    references: &[
        "Schreiber 2000, Phys Rev Lett 85:461-464, doi:10.1103/PhysRevLett.85.461",
        "Barnett, Barrett, Seth 2009, Phys Rev Lett 103:238701, doi:10.1103/PhysRevLett.103.238701",
        "Frenzel, Pompe 2007, Phys Rev Lett 99:204101, doi:10.1103/PhysRevLett.99.204101",
        "Wibral and others 2013, PLoS ONE 8:e55809, doi:10.1371/journal.pone.0055809",
        "Phipson, Smyth 2010, Stat Appl Genet Mol Biol 9:39, doi:10.2202/1544-6115.1585",
        "Benjamini, Hochberg 1995, J R Stat Soc B 57:289-300, doi:10.1111/j.2517-6161.1995.tb02031.x",
    ],
};

/// Histories and lags in samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Embedding {
    /// Samples of the target's past, and how far apart.
    k: usize,
    k_step: usize,
    /// Samples of the source's past, and how far apart.
    l: usize,
    l_step: usize,
    /// From the newest sample of the source's past to the target.
    delay: usize,
}

impl Embedding {
    /// Samples that are only past.
    fn lost(self) -> usize {
        (1 + (self.k - 1) * self.k_step).max(self.delay + (self.l - 1) * self.l_step)
    }

    /// The columns of a signal's past for the targets from `lost()` on.
    fn past<T: Copy>(self, values: &[T], source: bool, lost: usize) -> Vec<Vec<T>> {
        let (count, step, newest) = if source { (self.l, self.l_step, self.delay) } else { (self.k, self.k_step, 1) };
        (0..count).map(|i| values[lost - newest - i * step..values.len() - newest - i * step].to_vec()).collect()
    }
}

impl Analysis for TransferEntropy {
    fn declaration(&self) -> AnalysisDeclaration {
        let mut options = vec![
            option(
                "estimator",
                OptionKind::Choice(&["auto", "plugin", "gaussian", "ksg"]),
                Some("auto"),
                "auto: plugin where spike counts are involved, else gaussian",
            ),
            bounded(
                option("target_history", OptionKind::Integer, Some("1"), "k, samples of the target's past"),
                1.0,
                10.0,
            ),
            bounded(
                option("source_history", OptionKind::Integer, Some("1"), "l, samples of the source's past"),
                1.0,
                10.0,
            ),
            option(
                "target_step",
                OptionKind::Time,
                None,
                "time between samples of the target's past (default one sample)",
            ),
            option(
                "source_step",
                OptionKind::Time,
                None,
                "time between samples of the source's past (default one sample)",
            ),
            from_zero(option(
                "delay",
                OptionKind::Time,
                None,
                "u, from the source's newest past sample to the target (default one sample)",
            )),
            option(
                "correction",
                OptionKind::Choice(&["none", "miller_madow", "quadratic"]),
                Some("miller_madow"),
                "bias correction of plugin",
            ),
            bounded(
                option(
                    "lagged_information_sum",
                    OptionKind::Integer,
                    Some("0"),
                    "also the sum over this many lags of I(Y_t; X_{t-lag} | Y_{t-1}), which double-counts and is not transfer entropy; 0 for not",
                ),
                0.0,
                1000.0,
            ),
        ];
        options.extend(report::estimator_options("4", 256.0));
        options.extend(report::shared_options());
        AnalysisDeclaration { kind: "transfer_entropy", subjects: Subjects::Directed, options }
    }

    fn card(&self) -> &'static AnalysisCard {
        &CARD
    }

    fn run(&self, request: &Request<'_>) -> Result<Outcome, AnalysisError> {
        let pairs = pairs(request, false)?;
        let e = embedding(request, &pairs)?;
        let theiler = pairs.samples("theiler", request.number("theiler").unwrap_or(0.0))?;
        let lags = request.integer("lagged_information_sum").unwrap_or(0).max(0) as usize;
        let n = pairs.len().saturating_sub(e.lost());
        let mut results = Vec::new();
        let mut extra = Vec::new();
        let mut curves = Vec::new();
        let mut warnings = Vec::new();
        let mut methods = Vec::new();
        for &(i, j) in &pairs.pairs {
            request.check_cancelled()?;
            let (source, target) = (&pairs.sources[i], &pairs.targets[j]);
            let subject = format!("{}->{}", source.name, target.name);
            if let Some(why) = report::too_little(source, target, n) {
                results.push(PairResult { pair: (i, j), subject, found: Err(why), n, note: String::new() });
                continue;
            }
            let estimator = estimator(request, source, target, theiler);
            let (data, note) = data(request, source, target, e, estimator);
            warnings.extend(report::sparse(&data).map(|w| format!("{subject}: {w}")));
            let plan = report::plan(request, &pairs, e.lost(), (i, j))?;
            let found = assess(&data, estimator, plan).map_err(|e| report::reason(&e));
            request.check_cancelled()?;
            methods.push(describe(request, estimator, e));
            if lags > 0 && pairs.len() > lags + 20 {
                let terms = lagged_terms(request, source, target, lags, estimator);
                let sum = Metric::new(
                    &subject,
                    "lagged_information_sum",
                    terms.iter().sum(),
                    "bits",
                    (pairs.len() - lags) as u64,
                );
                extra.push(sum.note(format!(
                    "sum of I(Y_t; X_t-lag | Y_t-1) over {lags} lags: counts a lasting source again at each lag, not transfer entropy"
                )));
                curves.push(Curve {
                    name: subject.clone(),
                    x: (1..=lags).map(|l| l as f64).collect(),
                    y: terms,
                    band: None,
                    style: CurveStyle::Points,
                });
            }
            results.push(PairResult { pair: (i, j), subject, found, n, note });
        }
        methods.dedup();
        let raw = methods.iter().any(|m| m.starts_with("plug-in"));
        let mut out = report::report(
            request,
            &pairs,
            &results,
            "transfer_entropy",
            "transfer entropy",
            &methods.join(" / "),
            raw,
        );
        warnings.truncate(5);
        out.warnings.extend(warnings);
        out.metrics.extend(extra);
        if !curves.is_empty() && curves.len() <= 12 {
            let (x, y) = (Axis::new("lag", "samples"), Axis::new("I(Y; X at lag | Y before)", "bits"));
            out.shapes.push(NamedShape::new(
                "lagged information",
                Shape::Series(Series { x, y, curves, references: Vec::new() }),
            ));
        }
        out.shapes.push(NamedShape::new("values", Shape::Scalars(Scalars::from_metrics(&out.metrics))));
        Ok(outcome(request, &CARD, out, &pairs))
    }
}

fn embedding(request: &Request<'_>, pairs: &Pairs) -> Result<Embedding, AnalysisError> {
    let count = |key| request.integer(key).unwrap_or(1).max(1) as usize;
    let samples = |key| match request.number(key) {
        None => Ok(1),
        Some(time) => match pairs.samples(key, time)? {
            0 => Err(AnalysisError::Unsuitable(format!(
                "`{key}` must be at least the {} s between samples",
                pairs.interval()
            ))),
            n => Ok(n),
        },
    };
    Ok(Embedding {
        k: count("target_history"),
        k_step: samples("target_step")?,
        l: count("source_history"),
        l_step: samples("source_step")?,
        delay: samples("delay")?,
    })
}

fn estimator(request: &Request<'_>, source: &Signal, target: &Signal, theiler: usize) -> Estimator {
    let plugin = Estimator::PlugIn(report::bias_correction(request.text("correction")));
    match request.text("estimator") {
        Some("plugin") => plugin,
        Some("ksg") => {
            let how = Neighbourhood { k: request.integer("k").unwrap_or(4).max(1) as usize, window: theiler };
            Estimator::Ksg(how, Algorithm::One)
        }
        Some("gaussian") => Estimator::Gaussian,
        _ if source.counts || target.counts => plugin,
        _ => Estimator::Gaussian,
    }
}

fn describe(request: &Request<'_>, estimator: Estimator, e: Embedding) -> String {
    let name = match estimator {
        Estimator::PlugIn(_) => format!("plug-in, correction {}", request.text("correction").unwrap_or("none")),
        Estimator::Ksg(how, _) => format!("ksg, k {}", how.k),
        Estimator::Gaussian => "gaussian".into(),
    };
    format!("{name}, histories {} and {}, delay {} samples", e.k, e.l, e.delay)
}

/// Realisations of target now, source's past and target's past.
fn data(request: &Request<'_>, source: &Signal, target: &Signal, e: Embedding, estimator: Estimator) -> (Data, String) {
    let lost = e.lost();
    if let Estimator::PlugIn(_) = estimator {
        let (x, x_size) = symbols(request, source, &source.values);
        let (y, y_size) = symbols(request, target, &target.values);
        let data = Data::Symbols {
            source: words(&e.past(&x, true, lost), x_size),
            target: (y[lost..].to_vec(), y_size),
            given: Some(words(&e.past(&y, false, lost), y_size)),
        };
        return (data, format!("{x_size} by {y_size} symbols"));
    }
    let (mut x, mut y) = (source.values.clone(), target.values.clone());
    let mut note = String::new();
    if let Estimator::Ksg(..) = estimator {
        note = prepare_for_neighbours(request, &mut [(&mut x, &source.name), (&mut y, &target.name)]);
    }
    (Data::Values { source: e.past(&x, true, lost), target: y[lost..].to_vec(), given: e.past(&y, false, lost) }, note)
}

/// I(Y_t; X_{t-lag} | Y_{t-1}) for each lag from 1, by the same estimator, over the same targets.
fn lagged_terms(
    request: &Request<'_>,
    source: &Signal,
    target: &Signal,
    lags: usize,
    estimator: Estimator,
) -> Vec<f64> {
    let one = |lag: usize| {
        let e = Embedding { k: 1, k_step: 1, l: 1, l_step: 1, delay: lag };
        let (data, _) = data(request, source, target, e, estimator);
        estimate(&data, estimator).map_or(f64::NAN, |v| v.bits)
    };
    (1..=lags).map(one).collect()
}

#[cfg(test)]
#[path = "transfer_entropy_tests.rs"]
mod tests;
