//! One pair: the estimate, what chance gives, how probable that is, and how sure the number is.

use std::f64::consts::LN_2;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::interval::trusted_interval;
use crate::entropy::By as Entropies;
use spikedeck_core::capacity::capacity;
use spikedeck_core::entropy::Counts;
use spikedeck_core::information::{self, Table};
use spikedeck_core::ksg::{self, Algorithm, KsgError, Neighbourhood};
use spikedeck_core::rng::Key;
use spikedeck_core::statistics::{deviation, mean};
use spikedeck_core::surrogate::{Surrogate, Surrogates, p_value};

/// How a plug-in value is corrected for its bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BiasCorrection {
    /// Not at all.
    None,
    /// Miller and Madow: occupied words.
    MillerMadow,
    /// Panzeri and Treves with their Bayes-like count of relevant bins.
    PanzeriTreves,
    /// Panzeri and Treves with the occupied bins.
    PanzeriTrevesNaive,
    /// Quadratic extrapolation from halves and quarters of the data.
    Quadratic,
}

crate::options::words! {
    for BiasCorrection {
        None = "none",
        MillerMadow = "miller_madow",
        PanzeriTreves = "panzeri_treves",
        PanzeriTrevesNaive = "panzeri_treves_naive",
        Quadratic = "quadratic",
    }
}

/// An estimator with what it needs to know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// Frequencies of symbols.
    PlugIn(BiasCorrection),
    /// Entropies of symbols and of their combinations by one estimator: what they share.
    Shared(Entropies),
    /// Distances to the k-th neighbour.
    Ksg(Neighbourhood, Algorithm),
    /// Variances, as if all were Gaussian.
    Gaussian,
}

/// Realisations of one pair: what the source was, what the target became, and what is given (the target's past).
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Words of symbols with the number of possible ones.
    Symbols {
        /// Source.
        source: (Vec<u32>, usize),
        /// Target.
        target: (Vec<u32>, usize),
        /// Given; no column for mutual information.
        given: Option<(Vec<u32>, usize)>,
    },
    /// Numbers in columns.
    Values {
        /// Source.
        source: Vec<Vec<f64>>,
        /// Target.
        target: Vec<f64>,
        /// Given; empty for mutual information.
        given: Vec<Vec<f64>>,
    },
}

impl Data {
    /// Number of realisations.
    pub fn len(&self) -> usize {
        match self {
            Self::Symbols { target, .. } => target.0.len(),
            Self::Values { target, .. } => target.len(),
        }
    }

    /// The same with the source's realisations in another order.
    fn reordered(&self, order: &[u32]) -> Self {
        let pick = |v: &[f64]| order.iter().map(|&i| v[i as usize]).collect();
        match self {
            Self::Symbols { source, target, given } => Self::Symbols {
                source: (order.iter().map(|&i| source.0[i as usize]).collect(), source.1),
                target: target.clone(),
                given: given.clone(),
            },
            Self::Values { source, target, given } => Self::Values {
                source: source.iter().map(|c| pick(c)).collect(),
                target: target.clone(),
                given: given.clone(),
            },
        }
    }

    /// The realisations for which `keep` holds.
    pub(super) fn subset(&self, keep: impl Fn(usize) -> bool + Copy) -> Self {
        fn pick<T: Copy>(v: &[T], keep: impl Fn(usize) -> bool) -> Vec<T> {
            v.iter().enumerate().filter(|(i, _)| keep(*i)).map(|(_, x)| *x).collect()
        }
        match self {
            Self::Symbols { source, target, given } => Self::Symbols {
                source: (pick(&source.0, keep), source.1),
                target: (pick(&target.0, keep), target.1),
                given: given.as_ref().map(|g| (pick(&g.0, keep), g.1)),
            },
            Self::Values { source, target, given } => Self::Values {
                source: source.iter().map(|c| pick(c, keep)).collect(),
                target: pick(target, keep),
                given: given.iter().map(|c| pick(c, keep)).collect(),
            },
        }
    }
}

/// Why there is no estimate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EstimateError {
    /// Neighbours cannot be found.
    #[error(transparent)]
    Ksg(#[from] KsgError),
    /// Variances cannot be compared.
    #[error("a signal is constant, or past values determine each other, so that no variance is left to explain")]
    Degenerate,
    /// Nothing is left to tell apart.
    #[error("all samples of a signal are one symbol, of which nothing can be told: other bins, or more data")]
    OneSymbol,
    /// An estimator was given data of the other kind.
    #[error("this estimator does not take this kind of data")]
    Kind,
}

/// A value in bits, before and after correction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// After correction.
    pub bits: f64,
    /// Before it.
    pub raw: f64,
}

/// Estimates what the source says about the target beyond what is given, in bits.
///
/// # Errors
/// See [`EstimateError`].
pub fn estimate(data: &Data, method: Method) -> Result<Estimate, EstimateError> {
    let plain = |bits: f64| Estimate { bits, raw: bits };
    match (data, method) {
        (Data::Symbols { source, target, .. }, Method::PlugIn(_) | Method::Shared(_)) => {
            let alike = |symbols: &[u32]| symbols.windows(2).all(|w| w[0] == w[1]);
            if alike(&source.0) || alike(&target.0) {
                return Err(EstimateError::OneSymbol);
            }
            match method {
                Method::PlugIn(correction) => Ok(plug_in(data, correction)),
                Method::Shared(by) => shared(data, by),
                Method::Ksg(..) | Method::Gaussian => Err(EstimateError::Kind),
            }
        }
        (Data::Values { source, target, given }, Method::Gaussian) => {
            information::gaussian(target, &slices(source), &slices(given)).map(plain).ok_or(EstimateError::Degenerate)
        }
        (Data::Values { source, target, given }, Method::Ksg(how, algorithm)) => {
            let nats = if given.is_empty() {
                ksg::mutual_information(&slices(source), &[target], how, algorithm)?
            } else {
                ksg::conditional(&slices(source), &[target], &slices(given), how)?
            };
            Ok(plain(nats / LN_2))
        }
        _ => Err(EstimateError::Kind),
    }
}

fn slices(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}

/// H(source) + H(target) − H(both), each by one estimator, of as many possible symbols as there can be.
fn shared(data: &Data, by: Entropies) -> Result<Estimate, EstimateError> {
    let Data::Symbols { source, target, given: None } = data else { return Err(EstimateError::Kind) };
    let table = Table::count(&source.0, &target.0, source.1, target.1);
    let (rows, columns) = table.margins();
    let cells: Vec<u64> = table.counts.iter().map(|&c| u64::from(c)).collect();
    // Of symbols that never occur nothing is known: those that do are possible, and so are all pairs of them.
    let occurring = |c: &[u64]| c.iter().filter(|c| **c > 0).count() as f64;
    let (of_rows, of_columns) = (occurring(&rows), occurring(&columns));
    let bits = |counts: &[u64], possible: f64| by.bits(&Counts::new(counts, possible));
    let (h_rows, h_columns) = (bits(&rows, of_rows), bits(&columns, of_columns));
    let value = h_rows + h_columns - bits(&cells, of_rows * of_columns);
    Ok(Estimate { bits: value.min(h_rows.min(h_columns)), raw: table.plug_in().information() })
}

/// The corrected value is never above the lesser of the two entropies, which information cannot exceed.
fn plug_in(data: &Data, correction: BiasCorrection) -> Estimate {
    let Counted { raw, bias, most } = counted(data, correction);
    let bits = match correction {
        BiasCorrection::Quadratic => extrapolated(data, raw, |part| counted(part, BiasCorrection::None).raw),
        _ => raw - bias,
    };
    Estimate { bits: bits.min(most), raw }
}

/// What the channel from source to target would carry at its best input, in bits; as measured, or extrapolated to
/// endless data.
///
/// # Errors
/// Data of the other kind.
pub fn channel_capacity(data: &Data, correction: BiasCorrection) -> Result<Estimate, EstimateError> {
    let bits = |data: &Data| channel(data).map_or(f64::NAN, |rows| capacity(&rows).bits);
    let raw = bits(data);
    if raw.is_nan() {
        return Err(EstimateError::Kind);
    }
    Ok(Estimate {
        bits: if correction == BiasCorrection::Quadratic { extrapolated(data, raw, bits) } else { raw },
        raw,
    })
}

/// A value of endless data from those of all, of halves and of quarters.
fn extrapolated(data: &Data, all: f64, value: impl Fn(&Data) -> f64) -> f64 {
    let n = data.len();
    let part = |from: usize, to: usize| value(&data.subset(|i| (from..to).contains(&i)));
    let mean = |parts: usize| (0..parts).map(|p| part(p * n / parts, (p + 1) * n / parts)).sum::<f64>() / parts as f64;
    information::quadratic_extrapolation(all, mean(2), mean(4))
}

/// How probable each word of the target is after each of those words of the source that occurred.
pub fn channel(data: &Data) -> Option<Vec<Vec<f64>>> {
    let Data::Symbols { source, target, given: None } = data else { return None };
    let table = Table::count(&source.0, &target.0, source.1, target.1);
    let rows = table.counts.chunks_exact(target.1.max(1)).filter_map(|row| {
        let total: u32 = row.iter().sum();
        (total > 0).then(|| row.iter().map(|&c| f64::from(c) / f64::from(total)).collect())
    });
    Some(rows.collect())
}

/// What counting symbols gives, in bits.
struct Counted {
    raw: f64,
    bias: f64,
    /// What information cannot exceed.
    most: f64,
}

fn counted(data: &Data, correction: BiasCorrection) -> Counted {
    let Data::Symbols { source, target, given } = data else {
        return Counted { raw: f64::NAN, bias: 0.0, most: f64::INFINITY };
    };
    let n = target.0.len();
    if let Some(given) = given {
        let found = information::conditional((&target.0, target.1), (&source.0, source.1), (&given.0, given.1));
        let bias =
            if correction == BiasCorrection::None { 0.0 } else { information::conditional_bias(found.occupied, n) };
        return Counted { raw: found.bits, bias, most: found.most };
    }
    let table = Table::count(&source.0, &target.0, source.1, target.1);
    let plug = table.plug_in();
    let bias = match correction {
        BiasCorrection::None | BiasCorrection::Quadratic => 0.0,
        BiasCorrection::MillerMadow => plug.miller_madow_bias(),
        BiasCorrection::PanzeriTreves => table.panzeri_treves_bias(false),
        BiasCorrection::PanzeriTrevesNaive => table.panzeri_treves_bias(true),
    };
    Counted { raw: plug.information(), bias, most: plug.rows.min(plug.columns) }
}

/// How chance and interval are worked out.
#[derive(Debug, Clone, Copy)]
pub struct Resampling<'a> {
    /// Kind of surrogate; none if `None`.
    pub surrogate: Option<Surrogate>,
    /// Number of surrogates.
    pub surrogates: usize,
    /// Least shift in samples.
    pub gap: usize,
    /// Blocks of the jackknife (fewer than 3: no interval).
    pub blocks: usize,
    /// Samples of the signals that are worth one independent sample.
    pub correlated: f64,
    /// Keys the surrogates.
    pub key: Key,
    /// Raised to stop.
    pub cancel: &'a AtomicBool,
}

/// What was found for one pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessed {
    /// The estimate.
    pub estimate: Estimate,
    /// Estimates of the surrogates, in bits.
    pub surrogates: Vec<f64>,
    /// 95 % jackknife interval, or why there is none; nothing where none was asked for.
    pub interval: Option<Result<(f64, f64), String>>,
    /// Number of realisations.
    pub n: usize,
}

impl Assessed {
    /// Mean of the surrogates.
    pub fn chance(&self) -> Option<f64> {
        (!self.surrogates.is_empty()).then(|| self.surrogates.iter().sum::<f64>() / self.surrogates.len() as f64)
    }

    /// Leaves the interval out where 0 may be the truth: there what is counted or squared is no normal number about it.
    pub fn leave_out_at_zero(&mut self) {
        let chance = self.p();
        if let Some(Ok((low, _))) = self.interval
            && chance.map_or(low <= 0.0, |p| p > AT_ZERO)
        {
            self.interval = Some(Err("no interval: not told from 0, where the estimate is not normal".into()));
        }
    }

    /// Leaves out the interval of a negative value, which would begin at it or lie below what information can be, where
    /// chance gives such values. One that ends below 0 although chance gives no such value stays, and is refused.
    fn leave_out_below_zero(&mut self) {
        let (middle, scatter) = (mean(&self.surrogates), deviation(&self.surrogates, 1));
        let usual = self.surrogates.len() >= LEAST_SURROGATES && self.estimate.bits >= middle - FAR * scatter;
        if self.estimate.bits < 0.0
            && let Some(Ok((_, high))) = self.interval
            && (usual || high >= 0.0)
        {
            self.interval =
                Some(Err("no interval: the estimate is below 0, which information is not: nothing is told \
                                      from chance"
                    .into()));
        }
    }

    /// What is not told from 0 has 0 in its interval: of values that happen to be above 0 alone (those below it have no
    /// interval), more than 5 % would lie too far above.
    fn reach_zero(&mut self) {
        let chance = self.p().is_some_and(|p| p > AT_ZERO);
        if let Some(Ok((low, _))) = &mut self.interval
            && chance
        {
            *low = low.min(0.0);
        }
    }

    /// How probable a surrogate at least as large is.
    pub fn p(&self) -> Option<f64> {
        (!self.surrogates.is_empty()).then(|| p_value(self.estimate.bits, &self.surrogates))
    }

    /// What p and chance stand on, in words.
    pub fn null(&self) -> String {
        format!("p against {} surrogates", self.surrogates.len())
    }
}

/// Estimates, with surrogates and a delete-a-block jackknife, in parallel; the result does not depend on the threads.
///
/// # Errors
/// See [`EstimateError`]. When cancelled, what is missing is NaN: the caller asks and drops it.
pub fn assess(data: &Data, method: Method, resampling: Resampling<'_>) -> Result<Assessed, EstimateError> {
    let neighbours = matches!(method, Method::Ksg(..));
    let mut found = assess_in(data, resampling, neighbours, |data| estimate(data, method))?;
    // Neighbours give values on both sides of 0, and normal ones.
    if !neighbours {
        found.leave_out_at_zero();
    }
    // Under independence information is 0: what the surrogates give on average is bias that no correction took off.
    if let (Some(Ok((low, high))), Some(left)) = (&found.interval, found.chance())
        && found.surrogates.len() >= LEAST_SURROGATES
        && left.abs() > LEFT_BIAS * (high - low) / 2.0
    {
        let half = (high - low) / 2.0;
        found.interval = Some(Err(format!(
            "no interval: a bias of {left:.2e} bits is left (mean of the surrogates), beside a half width of {half:.2e}"
        )));
    }
    if neighbours {
        found.leave_out_below_zero();
        found.reach_zero();
    }
    Ok(found)
}

/// The same for any estimate.
///
/// # Errors
/// Those of the estimate.
pub fn assess_by(
    data: &Data,
    resampling: Resampling<'_>,
    estimate: impl Fn(&Data) -> Result<Estimate, EstimateError> + Sync,
) -> Result<Assessed, EstimateError> {
    assess_in(data, resampling, false, estimate)
}

/// The same; the interval is from what is left without each block, or from the blocks `alone`.
fn assess_in(
    data: &Data,
    resampling: Resampling<'_>,
    alone: bool,
    estimate: impl Fn(&Data) -> Result<Estimate, EstimateError> + Sync,
) -> Result<Assessed, EstimateError> {
    let value = estimate(data)?;
    let again = |data: &Data| {
        if resampling.cancel.load(Ordering::Relaxed) { f64::NAN } else { estimate(data).map_or(f64::NAN, |e| e.bits) }
    };
    let surrogates: Vec<f64> = match resampling.surrogate {
        None => Vec::new(),
        Some(kind) => {
            let orders = Surrogates::new(kind, data.len(), resampling.gap, resampling.surrogates, resampling.key);
            (0..orders.len()).into_par_iter().map(|i| again(&data.reordered(&orders.order(i)))).collect()
        }
    };
    let mut found = Assessed { estimate: value, surrogates, interval: None, n: data.len() };
    if resampling.blocks >= 3 {
        found.interval = Some(trusted_interval(data, &found, resampling, alone, again));
    }
    Ok(found)
}

/// p-value above which a value is not told from 0.
const AT_ZERO: f64 = 0.05;
/// What may be left of the bias, in half widths of the interval: a quarter costs two of the 95 % that it covers.
const LEFT_BIAS: f64 = 0.25;
/// Standard deviations of surrogates within which a value below them is chance.
const FAR: f64 = 4.0;
/// Surrogates whose mean tells what is left of the bias.
const LEAST_SURROGATES: usize = 19;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference_sets::normals;

    fn resampling(cancel: &AtomicBool) -> Resampling<'_> {
        Resampling {
            surrogate: Some(Surrogate::CircularShift),
            surrogates: 99,
            gap: 20,
            blocks: 10,
            correlated: 1.0,
            key: Key::new(1, "t", "s"),
            cancel,
        }
    }

    /// Correlated normals: far above chance, the interval holds the theory of the sample's correlation; independent
    /// ones not.
    #[test]
    fn dependence_is_told_from_chance() {
        let cancel = AtomicBool::new(false);
        let (x, y) = normals(1);
        let (other, _) = normals(77);
        let how = Neighbourhood { k: 4, window: 0 };
        for estimator in [Method::Gaussian, Method::Ksg(how, Algorithm::One), Method::Ksg(how, Algorithm::Two)] {
            let data =
                |source: &[f64]| Data::Values { source: vec![source.to_vec()], target: y.clone(), given: Vec::new() };
            let found = assess(&data(&x), estimator, resampling(&cancel)).unwrap();
            assert_eq!((found.p(), found.surrogates.len(), found.n), (Some(0.01), 99, 1000));
            let (low, high) = found.interval.clone().unwrap().unwrap();
            assert!(low < 0.318_690 && 0.318_690 < high && high - low < 0.4, "{estimator:?} {low} {high}");
            assert!(found.chance().unwrap().abs() < 0.02);
            let independent = assess(&data(&other), estimator, resampling(&cancel)).unwrap();
            assert!(independent.p().unwrap() > 0.05, "{estimator:?}");
        }
    }

    #[test]
    fn every_correction_lowers_a_sparse_table() {
        let mut s = Key::new(4, "t", "symbols").stream(0, 0);
        let mut draw = || (0..200).map(|_| s.below(8)).collect::<Vec<u32>>();
        let data = Data::Symbols { source: (draw(), 8), target: (draw(), 8), given: None };
        let of = |c| estimate(&data, Method::PlugIn(c)).unwrap();
        let raw = of(BiasCorrection::None);
        assert_eq!(raw.bits, raw.raw);
        for c in [
            BiasCorrection::MillerMadow,
            BiasCorrection::PanzeriTreves,
            BiasCorrection::PanzeriTrevesNaive,
            BiasCorrection::Quadratic,
        ] {
            assert!(of(c).bits < 0.6 * raw.raw && of(c).raw == raw.raw, "{c:?} {:?}", of(c));
        }
        let given = Data::Symbols { source: (draw(), 8), target: (draw(), 8), given: Some((draw(), 8)) };
        let corrected = estimate(&given, Method::PlugIn(BiasCorrection::MillerMadow)).unwrap();
        assert!(corrected.bits < corrected.raw);
        assert_eq!(estimate(&given, Method::Gaussian), Err(EstimateError::Kind));
    }
}
