//! Options, metrics and shapes that mutual information and transfer entropy share.

use super::assess::{Assessed, BiasCorrection, Data, EstimateError, Plan};
use super::signals::{Pairs, Signal};
use crate::{AnalysisError, Metric, Request, bounded, from_zero, option};
use spikedeck_core::rng::Key;
use spikedeck_core::surrogate::{Correction, Surrogate, adjust};
use spikedeck_core::units::{Dimension, short};
use spikedeck_scenario::{OptionKind, ParamSpec};
use spikedeck_signal::{Axis, Distribution, Matrix, NamedShape, ReferenceLine, Shape};

/// Spikes that a count or rate must hold before anything is said about it.
const LEAST_EVENTS: usize = 10;
/// Realisations that an estimate needs at the least.
const LEAST_SAMPLES: usize = 20;

/// Options of the plug-in and the nearest-neighbour estimators.
pub fn estimator_options(bins: &'static str, most_bins: f64) -> Vec<ParamSpec> {
    vec![
        bounded(
            option(
                "bins",
                OptionKind::Integer,
                Some(bins),
                "bins of a continuous signal for plugin; counts are their own bins",
            ),
            2.0,
            most_bins,
        ),
        option(
            "binning",
            OptionKind::Choice(&["quantile", "equal_width"]),
            Some("quantile"),
            "bins with equal shares of samples, or of equal width",
        ),
        bounded(option("k", OptionKind::Integer, Some("4"), "which neighbour sets the distance (ksg)"), 1.0, 1000.0),
        option(
            "standardise",
            OptionKind::Flag,
            Some("true"),
            "subtract the mean and divide by the standard deviation (ddof 1) before ksg",
        ),
        option(
            "jitter",
            OptionKind::Flag,
            Some("false"),
            "seeded noise of 1e-8 standard deviations before ksg, to break ties",
        ),
        from_zero(option(
            "theiler",
            OptionKind::Time,
            None,
            "samples at most this far apart in time are no neighbours (ksg; default none but the sample itself)",
        )),
    ]
}

/// Options of surrogates, corrections for many pairs, and intervals.
pub fn shared_options() -> Vec<ParamSpec> {
    vec![
        option(
            "bin",
            OptionKind::Time,
            None,
            "counts and rates in bins of this length, traces averaged in them (default 10 ms for spikes and rates, the recorded interval for traces)",
        ),
        option(
            "surrogate",
            OptionKind::Choice(&["circular", "permutation", "none"]),
            Some("circular"),
            "how chance is made: the source rotated in time (keeps its autocorrelation), permuted (only for samples independent in time), or not at all",
        ),
        bounded(
            option(
                "surrogates",
                OptionKind::Integer,
                Some("199"),
                "number of surrogates; the least p-value is 1/(number + 1)",
            ),
            1.0,
            100_000.0,
        ),
        from_zero(option(
            "gap",
            OptionKind::Time,
            None,
            "least rotation of a surrogate (default a fiftieth of the samples, and more than all lags)",
        )),
        option(
            "fdr",
            OptionKind::Choice(&["benjamini_hochberg", "benjamini_yekutieli", "none"]),
            Some("benjamini_hochberg"),
            "correction of p-values over all pairs",
        ),
        bounded(
            option(
                "level",
                OptionKind::Quantity(Dimension::NONE),
                Some("0.05"),
                "level at which a corrected p-value counts as significant",
            ),
            0.0,
            1.0,
        ),
        bounded(
            option(
                "blocks",
                OptionKind::Integer,
                Some("10"),
                "blocks of the jackknife that gives the interval; 0 for none",
            ),
            0.0,
            1000.0,
        ),
    ]
}

/// How chance and interval are to be worked out, from the options; `lags` is the longest lag in samples.
///
/// # Errors
/// A `gap` that is no multiple of the interval between samples.
pub fn plan<'a>(
    request: &Request<'a>,
    pairs: &Pairs,
    lags: usize,
    pair: (usize, usize),
) -> Result<Plan<'a>, AnalysisError> {
    let gap = match request.number("gap") {
        Some(time) => pairs.samples("gap", time)?,
        None => (pairs.len() / 50).max(1),
    };
    let entity = format!("{}.{}", pairs.sources[pair.0].name, pairs.targets[pair.1].name);
    Ok(Plan {
        surrogate: match request.text("surrogate") {
            Some("permutation") => Some(Surrogate::Permutation),
            Some("none") => None,
            _ => Some(Surrogate::CircularShift),
        },
        surrogates: request.integer("surrogates").unwrap_or(199).max(1) as usize,
        gap: gap.max(lags + 1),
        blocks: request.integer("blocks").unwrap_or(10).max(0) as usize,
        key: Key::new(request.seed, &entity, "surrogates"),
        cancel: request.cancel,
    })
}

/// The correction for many pairs that the options ask for.
pub fn fdr(request: &Request<'_>) -> Correction {
    match request.text("fdr") {
        Some("benjamini_yekutieli") => Correction::BenjaminiYekutieli,
        Some("none") => Correction::None,
        _ => Correction::BenjaminiHochberg,
    }
}

/// The bias correction called `name`.
pub fn bias_correction(name: Option<&str>) -> BiasCorrection {
    match name {
        Some("miller_madow") => BiasCorrection::MillerMadow,
        Some("panzeri_treves") => BiasCorrection::PanzeriTreves,
        Some("panzeri_treves_naive") => BiasCorrection::PanzeriTrevesNaive,
        Some("quadratic") => BiasCorrection::Quadratic,
        _ => BiasCorrection::None,
    }
}

/// Why nothing can be said about a pair, before anything is computed.
pub fn too_little(source: &Signal, target: &Signal, n: usize) -> Option<String> {
    for s in [source, target] {
        if let Some(events) = s.events
            && events < LEAST_EVENTS
        {
            return Some(format!("{} has {events} spikes in the window, fewer than {LEAST_EVENTS}", s.name));
        }
        if s.values.iter().any(|v| !v.is_finite()) {
            return Some(format!("{} holds values that are not finite", s.name));
        }
        if s.values.windows(2).all(|w| w[0] == w[1]) {
            return Some(format!("{} is constant", s.name));
        }
    }
    (n < LEAST_SAMPLES).then(|| format!("{n} samples, fewer than {LEAST_SAMPLES}"))
}

/// What was found for one pair, or why not.
#[derive(Debug, Clone, PartialEq)]
pub struct PairResult {
    /// Indices of source and target.
    pub pair: (usize, usize),
    /// Subject of its metrics.
    pub subject: String,
    /// What was found.
    pub found: Result<Assessed, String>,
    /// Number of realisations.
    pub n: usize,
    /// What belongs beside the value (ties, empty words).
    pub note: String,
}

/// An estimate that could not be made becomes a reason.
pub fn reason(error: &EstimateError) -> String {
    error.to_string()
}

/// Metrics, matrix or surrogate histogram, and warnings of all pairs.
pub struct Report {
    /// The metrics.
    pub metrics: Vec<Metric>,
    /// Matrix (several pairs) or histogram of the surrogates (one).
    pub shapes: Vec<NamedShape>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// One line in words.
    pub summary: String,
}

/// Puts the results of all pairs together. `quantity` names the metric (`information`), `title` the pane.
pub fn report(
    request: &Request<'_>,
    pairs: &Pairs,
    results: &[PairResult],
    quantity: &str,
    title: &str,
    method: &str,
    raw: bool,
) -> Report {
    let level = request.number("level").unwrap_or(0.05);
    let correction = fdr(request);
    let p: Vec<f64> = results.iter().map(|r| r.found.as_ref().ok().and_then(Assessed::p).unwrap_or(f64::NAN)).collect();
    let adjusted = adjust(&p, correction);
    let mut metrics = Vec::new();
    let mut warnings = Vec::new();
    for (i, r) in results.iter().enumerate() {
        match &r.found {
            Err(why) => metrics.push(Metric::missing(&r.subject, quantity, "bits", r.n as u64, why)),
            Ok(found) => {
                let mut m = Metric::new(&r.subject, quantity, found.estimate.bits, "bits", found.n as u64).note(method);
                if let Some((low, high)) = found.interval {
                    m = m.interval(low, high).note("95 % delete-a-block jackknife");
                }
                if let (Some(chance), Some(p)) = (found.chance(), found.p()) {
                    m = m.chance(chance).p(p).note(format!("p against {} surrogates", found.surrogates.len()));
                } else if request.text("surrogate") != Some("none") {
                    m = m.note("too few samples for surrogates");
                }
                if !r.note.is_empty() {
                    m = m.note(&r.note);
                }
                metrics.push(m);
                if raw {
                    let before =
                        Metric::new(&r.subject, format!("{quantity}_raw"), found.estimate.raw, "bits", found.n as u64);
                    metrics.push(before.note("before the bias correction"));
                }
                if results.len() > 1 && adjusted[i].is_finite() {
                    metrics.push(
                        Metric::new(&r.subject, "p_adjusted", adjusted[i], "", found.n as u64)
                            .note(correction_name(correction)),
                    );
                }
            }
        }
    }
    let tested = p.iter().filter(|p| p.is_finite()).count();
    let significant = |i: usize| adjusted[i] <= level;
    let hits = (0..results.len()).filter(|&i| significant(i)).count();
    if let Some(count) =
        results.iter().filter_map(|r| r.found.as_ref().ok()).map(|f| f.surrogates.len()).filter(|&c| c > 0).min()
    {
        let least = correction.worst_factor(tested) / (count + 1) as f64;
        if least > level {
            warnings.push(format!(
                "with {count} surrogates the least p-value is {}; one true dependence alone among {tested} pairs cannot pass the correction at {level}: \
                 take at least {} surrogates",
                short(1.0 / (count + 1) as f64),
                (correction.worst_factor(tested) / level).ceil() as usize
            ));
        }
    }
    let missing = results.iter().filter(|r| r.found.is_err()).count();
    if missing > 0 && missing < results.len() {
        warnings.push(format!("{missing} of {} pairs have no value; their notes say why", results.len()));
    }
    Report {
        shapes: shapes(pairs, results, &adjusted, level, title),
        summary: summary(results, hits, tested, title),
        metrics,
        warnings,
    }
}

fn correction_name(correction: Correction) -> &'static str {
    match correction {
        Correction::BenjaminiHochberg => "Benjamini-Hochberg over all pairs",
        Correction::BenjaminiYekutieli => "Benjamini-Yekutieli over all pairs",
        Correction::None => "not corrected",
    }
}

fn summary(results: &[PairResult], hits: usize, tested: usize, title: &str) -> String {
    match results {
        [one] => match &one.found {
            Err(why) => format!("{title} of {}: no value, {why}", one.subject),
            Ok(f) => {
                let chance =
                    f.chance().zip(f.p()).map_or(String::new(), |(c, p)| format!(" (chance {c:.4}, p {p:.3})"));
                format!("{title} of {}: {:.4} bits{chance}", one.subject, f.estimate.bits)
            }
        },
        _ => format!("{title}: {hits} of {tested} pairs significant after correction"),
    }
}

fn shapes(pairs: &Pairs, results: &[PairResult], adjusted: &[f64], level: f64, title: &str) -> Vec<NamedShape> {
    if let [PairResult { found: Ok(found), .. }] = results {
        return if found.surrogates.len() < 10 { Vec::new() } else { vec![histogram(found, title)] };
    }
    if results.len() < 2 {
        return Vec::new();
    }
    let (rows, columns) = (pairs.sources.len(), pairs.targets.len());
    let mut values = vec![f64::NAN; rows * columns];
    let mut chance = values.clone();
    let mut significant = vec![false; rows * columns];
    let mirrored = pairs.same && results.iter().all(|r| r.pair.0 < r.pair.1);
    for (r, q) in results.iter().zip(adjusted) {
        let Ok(found) = &r.found else { continue };
        let mut cells = vec![r.pair.0 * columns + r.pair.1];
        if mirrored {
            cells.push(r.pair.1 * columns + r.pair.0);
        }
        for cell in cells {
            values[cell] = found.estimate.bits;
            chance[cell] = found.chance().unwrap_or(f64::NAN);
            significant[cell] = *q <= level;
        }
    }
    let tested = chance.iter().any(|c| c.is_finite());
    vec![NamedShape::new(
        "matrix",
        Shape::Matrix(Matrix {
            value: Axis::new(title, "bits"),
            row_axis: "source".into(),
            column_axis: "target".into(),
            rows: pairs.sources.iter().map(|s| s.name.clone()).collect(),
            columns: pairs.targets.iter().map(|s| s.name.clone()).collect(),
            values,
            chance: tested.then_some(chance),
            significant: tested.then_some(significant),
            diverging: false,
        }),
    )]
}

/// The surrogates of one pair as a histogram, with the value as a line.
fn histogram(found: &Assessed, title: &str) -> NamedShape {
    let low = found.surrogates.iter().copied().fold(found.estimate.bits, f64::min);
    let high = found.surrogates.iter().copied().fold(found.estimate.bits, f64::max);
    let bins = 30_usize;
    let width = ((high - low) / bins as f64).max(f64::MIN_POSITIVE);
    let mut heights = vec![0.0; bins];
    for s in &found.surrogates {
        heights[(((s - low) / width) as usize).min(bins - 1)] += 1.0;
    }
    let line = |name: &str, at: f64| ReferenceLine { name: name.into(), at, vertical: true };
    NamedShape::new(
        "surrogates",
        Shape::Distribution(Distribution {
            x: Axis::new(title, "bits"),
            y: Axis::new("surrogates", ""),
            edges: (0..=bins).map(|i| low + i as f64 * width).collect(),
            heights: vec![("surrogates".into(), heights)],
            references: vec![line("observed", found.estimate.bits), line("chance", found.chance().unwrap_or(f64::NAN))],
        }),
    )
}

/// Whether a table of words has too few realisations for its size to be believed.
pub fn sparse(data: &Data) -> Option<String> {
    let Data::Symbols { source, target, given } = data else { return None };
    let words = source.1 * target.1 * given.as_ref().map_or(1, |g| g.1);
    (data.len() < 4 * words).then(|| {
        format!("{} samples for {words} possible words: mostly bias, take fewer bins or shorter histories", data.len())
    })
}
