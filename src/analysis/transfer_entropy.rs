//! Transfer entropy of pairs of signals: what the source's past tells about the target now, beyond the target's own
//! past.

mod scan;

use super::dependence::assess::{Method, estimate};
use super::dependence::prepare::{self, Alphabet, Chosen};
use super::dependence::{
    BiasCorrection, Binning, Data, NeighbourOptions, Pair, PairEstimate, PairOptions, Pairs, assess, pairs, report,
};
use super::prelude::*;
use spikedeck_core::information::words;
use spikedeck_core::ksg::{Algorithm, Neighbourhood};
use spikedeck_signal::{Axis, CurveStyle, Series, Shape};

/// `kind = "transfer_entropy"`.
#[derive(Debug, Clone, Copy)]
pub struct TransferEntropy;

const CARD: AnalysisCard = AnalysisCard {
    title: "Transfer entropy",
    synonyms: &["te", "information_transfer", "directed_information", "delay_scan", "interaction_delay"],
    summary: "how many bits the source's past tells about the target now, beyond the target's own past",
    formula: "TE(X→Y) = I(Y_t ; X_{t−u}, …, X_{t−u−(l−1)} | Y_{t−1}, …, Y_{t−k})\n\
              plugin: entropies of words of symbols; gaussian: ½ log₂(Var(Y|Y⁻)/Var(Y|Y⁻,X⁻)), half of Granger's;\n\
              ksg: ψ(k) + ⟨ψ(n_z+1) − ψ(n_xz+1) − ψ(n_yz+1)⟩, z the target's past\n\
              scan: max over u of TE, against the max over the same u of each surrogate (of the source as a whole)\n\
              lagged_information_sum: Σ_τ I(Y_t ; X_{t−τ} | Y_{t−1}), which is not transfer entropy",
    assumptions: "Stationary signals; the histories k and l hold what matters of the past; no unseen common driver. \
                  Plug-in: words are \
                  few against samples. Gaussian: linear and jointly normal. p-values: circular shifts by more than \
                  all lags, window much \
                  longer than the autocorrelation.",
    bias: "Plug-in grows with the number of possible words over N; Miller-Madow takes the leading term off, the \
           chance level shows the \
           rest, and the value before correction stands beside it. Too short a target history lets the target's own \
           memory pass for \
           transfer. KSG may be negative when there is nothing: such values are kept.",
    cost: "O(N) plug-in and gaussian (times (k + l)²), O(N log N) ksg; times surrogates, blocks and pairs.",
    caveats: "It is not causation: a common driver or a third signal between gives it too. Sampling slower than the \
              delay mixes the \
              directions. The sum over lags counts a persistent source again at each lag (0.57 for a true 0.33 bits \
              in the textbook example): \
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
    /// Samples before the first target, at least.
    least: usize,
}

impl Embedding {
    /// Samples that are only past.
    fn lost(self) -> usize {
        (1 + (self.k - 1) * self.k_step).max(self.delay + (self.l - 1) * self.l_step).max(self.least)
    }

    /// The columns of a signal's past for the targets from `lost()` on.
    fn past<T: Copy>(self, values: &[T], source: bool, lost: usize) -> Vec<Vec<T>> {
        let (count, step, newest) = if source { (self.l, self.l_step, self.delay) } else { (self.k, self.k_step, 1) };
        (0..count).map(|i| values[lost - newest - i * step..values.len() - newest - i * step].to_vec()).collect()
    }
}

words! {
    /// Which estimate is made.
    pub enum By {
        /// By what the signals are.
        Auto = "auto",
        /// Frequencies of words of symbols.
        PlugIn = "plugin",
        /// Variances: Granger.
        Gaussian = "gaussian",
        /// Nearest neighbours.
        Ksg = "ksg",
    }
}

words! {
    /// How a plug-in value is corrected for its bias.
    pub enum Correction {
        /// Not at all.
        None = "none",
        /// Occupied words.
        MillerMadow = "miller_madow",
        /// Halves and quarters of the data.
        Quadratic = "quadratic",
    }
}

impl From<Correction> for BiasCorrection {
    fn from(correction: Correction) -> Self {
        match correction {
            Correction::None => Self::None,
            Correction::MillerMadow => Self::MillerMadow,
            Correction::Quadratic => Self::Quadratic,
        }
    }
}

options! {
    /// What `transfer_entropy` can be told.
    pub struct Options {
        estimator: By = choice(By::Auto),
            "auto: plugin where spike counts are involved, or few distinct values (then these are the symbols), else \
             gaussian";
        target_history: usize = integer("1").between(1.0, 10.0), "k, samples of the target's past";
        source_history: usize = integer("1").between(1.0, 10.0), "l, samples of the source's past";
        target_step: Option<Time> = time_if_given().piece(), "time between samples of the target's past (default one \
            sample)";
        source_step: Option<Time> = time_if_given().piece(), "time between samples of the source's past (default one \
            sample)";
        delay: Option<Time> = time_if_given().or_zero(),
            "u, from the source's newest past sample to the target (default one sample)";
        scan: Option<Time> = time_if_given().or_zero(),
            "largest delay: all from `delay` to this one are tried, and the greatest is held against the greatest of \
             each surrogate (default: no scan)";
        correction: Correction = choice(Correction::MillerMadow), "bias correction of plugin";
        lagged_information_sum: usize = integer("0").between(0.0, 1000.0),
            "also the sum over this many lags of I(Y_t; X_{t-lag} | Y_{t-1}), which double-counts and is not transfer \
             entropy; 0 for not";
        bins: usize = report::bins("4", 256.0);
        binning: Binning = report::binning();
        neighbours: NeighbourOptions = shared();
        pairs: PairOptions = shared();
    }
}

impl Estimator for TransferEntropy {
    type Options = Options;
    const KIND: &'static str = "transfer_entropy";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const CAUSAL: Option<&str> = Some(crate::prefilter::BEFORE_AND_AFTER);
    const TABLE: &'static str = "values";

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let request = f.request;
        let pairs = pairs(request, o.pairs.bin, false)?;
        let e = embedding(o, &pairs)?;
        let lags = o.lagged_information_sum;
        let (mut extra, mut curves) = (Vec::new(), Vec::new());
        let results = pairs.each(f, e.lost(), |pair| {
            let (method, by_value) = method(o, pair, o.neighbours.of(&pairs, pair)?, e);
            let (data, note) = data(request.seed, o, pair, e, (method, by_value));
            let tied = (matches!(method, Method::Ksg(..)) && !note.is_empty()).then(|| note.clone());
            let resampling = report::resampling(request, &o.pairs, &pairs, e.lost(), pair)?;
            let found = assess(&data, method, resampling);
            request.check_cancelled()?;
            if lags > 0 && pairs.len() <= lags + 20 {
                let why = format!("needs more than {} samples for {lags} lags", lags + 20);
                let n = pairs.len() as u64;
                extra.push(Metric::missing(&pair.subject, "lagged_information_sum", "bits", n, why));
            } else if lags > 0 {
                let terms = lagged_terms(request.seed, o, pair, lags, (method, by_value));
                let n = (pairs.len() - lags) as u64;
                let sum = Metric::new(&pair.subject, "lagged_information_sum", terms.iter().sum(), "bits", n);
                extra.push(sum.note(format!(
                    "sum of I(Y_t; X_t-lag | Y_t-1) over {lags} lags: counts a lasting source again at each lag, not \
                     transfer entropy"
                )));
                curves.push(curve(&pair.subject, (1..=lags).map(|l| l as f64).collect(), terms, CurveStyle::Points));
            }
            let corrected = matches!(method, Method::PlugIn(_));
            let warning = tied.or_else(|| prepare::sparse(&data));
            Ok(PairEstimate { found, method: describe(method, e), corrected, note, warning })
        })?;
        report::report(f, &o.pairs, &pairs, &results, "transfer_entropy", "transfer entropy");
        if let Some(time) = o.scan {
            let last = pairs.samples("scan", time)?;
            if last <= e.delay {
                let unit = f.base.unit();
                return Err(AnalysisError::Unsuitable(format!(
                    "`scan` is the largest delay that is tried, and {} {unit} is not more than `delay`",
                    time.axis
                )));
            }
            scan::scan(o, f, &pairs, e, last)?;
        }
        f.metrics(extra);
        if !curves.is_empty() && curves.len() <= 12 {
            let (x, y) = (Axis::new("lag", "samples"), Axis::new("I(Y; X at lag | Y before)", "bits"));
            f.shape("lagged information", Shape::Series(Series { x, y, curves, references: Vec::new() }));
        }
        Ok(())
    }
}

fn embedding(o: &Options, pairs: &Pairs) -> Result<Embedding, AnalysisError> {
    let samples = |key: &str, time: Option<Time>| match time {
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
        k: o.target_history,
        k_step: samples("target_step", o.target_step)?,
        l: o.source_history,
        l_step: samples("source_step", o.source_step)?,
        delay: samples("delay", o.delay)?,
        least: 0,
    })
}

/// The estimate, and whether symbols are the values themselves.
fn method(o: &Options, pair: &Pair<'_>, how: Neighbourhood, e: Embedding) -> (Method, bool) {
    let plug_in = Method::PlugIn(o.correction.into());
    match o.estimator {
        By::PlugIn => (plug_in, false),
        By::Ksg => (Method::Ksg(how, Algorithm::One), false),
        By::Gaussian => (Method::Gaussian, false),
        By::Auto => {
            let chosen = Chosen::of(pair, |(x, of_x), (y, of_y)| {
                let lost = e.lost();
                let mut all = vec![y[lost..].to_vec()];
                all.extend(e.past(x, true, lost));
                all.extend(e.past(y, false, lost));
                words(&all, of_x.max(of_y)).1
            });
            match chosen {
                Chosen::Counts => (plug_in, false),
                Chosen::Values => (plug_in, true),
                Chosen::Continuous => (Method::Gaussian, false),
            }
        }
    }
}

fn describe(method: Method, e: Embedding) -> String {
    let name = match method {
        Method::PlugIn(correction) => format!("plug-in, correction {}", correction.word()),
        Method::Shared(by) => format!("entropies by {}", by.word()),
        Method::Ksg(how, _) => format!("ksg, {}", report::neighbours(how)),
        Method::Gaussian => "gaussian".into(),
    };
    format!("{name}, histories {} and {}, delay {} samples", e.k, e.l, e.delay)
}

/// Realisations of target now, source's past and target's past.
fn data(seed: u64, o: &Options, pair: &Pair<'_>, e: Embedding, (method, by_value): (Method, bool)) -> (Data, String) {
    let (source, target, lost) = (pair.source, pair.target, e.lost());
    if let Method::PlugIn(_) = method {
        let alphabet = Alphabet { bins: o.bins, binning: o.binning, by_value };
        let (x, x_size) = alphabet.symbols(source, &source.values);
        let (y, y_size) = alphabet.symbols(target, &target.values);
        let data = Data::Symbols {
            source: words(&e.past(&x, true, lost), x_size),
            target: (y[lost..].to_vec(), y_size),
            given: Some(words(&e.past(&y, false, lost), y_size)),
        };
        return (data, format!("{x_size} by {y_size} symbols"));
    }
    let (mut x, mut y) = (source.values.clone(), target.values.clone());
    let mut note = String::new();
    if let Method::Ksg(..) = method {
        let columns = &mut [(&mut x, &source.name), (&mut y, &target.name)];
        note = prepare::for_neighbours(seed, &o.neighbours, columns).note;
    }
    let (past, now, own) = (e.past(&x, true, lost), y[lost..].to_vec(), e.past(&y, false, lost));
    if !matches!(method, Method::Ksg(..)) {
        return (Data::Values { source: past, target: now, given: own }, note);
    }
    // As JIDT: each column on its own.
    let scaled = |columns: Vec<Vec<f64>>| columns.into_iter().map(|c| prepare::scaled(&o.neighbours, c)).collect();
    let data = Data::Values { source: scaled(past), target: prepare::scaled(&o.neighbours, now), given: scaled(own) };
    (data, note)
}

/// I(Y_t; X_{t-lag} | Y_{t-1}) for each lag from 1, by the same estimator, over the same targets.
fn lagged_terms(seed: u64, o: &Options, pair: &Pair<'_>, lags: usize, how: (Method, bool)) -> Vec<f64> {
    let one = |lag: usize| {
        let e = Embedding { k: 1, k_step: 1, l: 1, l_step: 1, delay: lag, least: 0 };
        let (data, _) = data(seed, o, pair, e, how);
        estimate(&data, how.0).map_or(f64::NAN, |v| v.bits)
    };
    (1..=lags).map(one).collect()
}

#[cfg(test)]
#[path = "transfer_entropy_tests.rs"]
mod tests;
