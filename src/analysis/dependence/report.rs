//! Options, metrics and shapes that mutual information and transfer entropy share.

use super::assess::{Assessed, EstimateError, Resampling};
use super::signals::{Pairs, Signal};
use crate::prelude::*;
use spikedeck_core::ksg::Neighbourhood;
use spikedeck_core::number::{self, shown};
use spikedeck_core::rng::Key;
use spikedeck_core::surrogate::{Correction, Surrogate, adjust};
use spikedeck_core::units::short;
use spikedeck_core::worth::samples_for_one_of;
use spikedeck_signal::{Axis, Distribution, NamedShape, ReferenceLine, Shape};

/// Spikes that a count or rate must hold before anything is said about it.
const LEAST_EVENTS: usize = 10;
/// Realisations that an estimate needs at the least.
const LEAST_SAMPLES: usize = 20;

words! {
    /// How a continuous signal becomes symbols.
    pub enum Binning {
        /// Bins with equal shares of samples.
        Quantile = "quantile",
        /// Bins of equal width.
        EqualWidth = "equal_width",
    }
}

words! {
    /// How chance is made.
    pub enum Chance {
        /// The source rotated in time.
        Circular = "circular",
        /// The source permuted.
        Permutation = "permutation",
        /// Not at all.
        None = "none",
    }
}

words! {
    for Correction {
        BenjaminiHochberg = "benjamini_hochberg",
        BenjaminiYekutieli = "benjamini_yekutieli",
        None = "none",
    }
}

/// How many bins a continuous signal has for frequencies of symbols.
pub fn bins(default: &'static str, most: f64) -> Opt<usize> {
    integer(default).between(2.0, most).about(
        "bins of a continuous signal for plugin; counts are their own bins, and so are distinct values if they \
                are no more",
    )
}

/// Which bins these are.
pub fn binning() -> Opt<Binning> {
    choice(Binning::Quantile).about("bins with equal shares of samples, or of equal width")
}

options! {
    /// What estimates by nearest neighbours can be told.
    pub struct NeighbourOptions {
        k: usize = integer("4").between(1.0, 1000.0), "which neighbour sets the distance (ksg)";
        standardise: bool = flag(true),
            "subtract the mean and divide by the standard deviation (ddof 1) of each column of past and present \
             samples before ksg, as JIDT does";
        jitter: bool = flag(false),
            "seeded noise of 1e-8 standard deviations on every value before ksg; without it tied values alone are \
             spread, over the distance to the next value";
        theiler: Option<Time> = time_if_given().or_zero(),
            "samples at most this far apart in time are no neighbours (ksg; default: as far as samples of both signals \
             depend on those before, which is none where one of them does not; 0: none but the sample itself, as JIDT)";
    }
}

impl NeighbourOptions {
    /// How neighbours of a pair are looked for. Unless the options say it, samples that are near because little time
    /// has passed are none: as many as one independent sample of the pair takes (Theiler 1986,
    /// doi:10.1103/PhysRevA.34.2427), and a tenth of all at most.
    ///
    /// # Errors
    /// A `theiler` that is no multiple of the interval between samples.
    pub fn of(&self, pairs: &Pairs, pair: &Pair<'_>) -> Result<Neighbourhood, AnalysisError> {
        let window = match self.theiler {
            Some(time) => pairs.samples("theiler", time)?,
            None => {
                let worth = samples_for_one_of(&pair.source.values, &pair.target.values);
                // Mere chance correlates a little.
                if worth < DEPENDENT { 0 } else { (worth.round() as usize).min(pairs.len() / 10) }
            }
        };
        Ok(Neighbourhood { k: self.k, window })
    }
}

/// Samples worth one independent sample from which on they count as dependent.
const DEPENDENT: f64 = 1.5;

/// How neighbours were looked for, in words.
pub fn neighbours(how: Neighbourhood) -> String {
    match how.window {
        0 => format!("k {}", how.k),
        window => format!("k {}, none within {window} samples in time", how.k),
    }
}

options! {
    /// What everything that looks at pairs of signals can be told: bins, surrogates, corrections for many pairs,
    /// intervals.
    pub struct PairOptions {
        bin: Option<Time> = signal_bin();
        surrogate: Chance = choice(Chance::Circular),
            "how chance is made: the source rotated in time (keeps its autocorrelation), permuted (only for samples \
             independent in time), or not at all";
        surrogates: usize = integer("199").between(1.0, 100_000.0),
            "number of surrogates; the least p-value is 1/(number + 1)";
        gap: Option<Time> = time_if_given().or_zero(),
            "least rotation of a surrogate (default a fiftieth of the samples, and more than all lags)";
        fdr: Correction = choice(Correction::BenjaminiHochberg), "correction of p-values over all pairs";
        level: f64 = number("0.05").between(0.0, 1.0),
            "level at which a corrected p-value counts as significant";
        blocks: usize = integer("10").between(0.0, 1000.0),
            "blocks of the jackknife that gives the interval; 0 for none";
    }
}

/// How chance and interval are to be worked out, from the options; `lags` is the longest lag in samples.
///
/// # Errors
/// A `gap` that is no multiple of the interval between samples.
pub fn resampling<'a>(
    request: &Request<'a>,
    o: &PairOptions,
    pairs: &Pairs,
    lags: usize,
    pair: &Pair<'_>,
) -> Result<Resampling<'a>, AnalysisError> {
    let gap = match o.gap {
        Some(time) => pairs.samples("gap", time)?,
        None => (pairs.len() / 50).max(1),
    };
    let entity = format!("{}.{}", pair.source.name, pair.target.name);
    Ok(Resampling {
        surrogate: match o.surrogate {
            Chance::Circular => Some(Surrogate::CircularShift),
            Chance::Permutation => Some(Surrogate::Permutation),
            Chance::None => None,
        },
        surrogates: o.surrogates,
        gap: gap.max(lags + 1),
        blocks: o.blocks,
        correlated: samples_for_one_of(&pair.source.values, &pair.target.values),
        key: Key::new(request.seed, &entity, "surrogates"),
        cancel: request.cancel,
    })
}

/// Why nothing can be said about a pair, before anything is computed.
fn too_little(source: &Signal, target: &Signal, n: usize) -> Option<String> {
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

/// One pair, as an estimator is shown it.
pub struct Pair<'p> {
    /// Indices of source and target.
    pub index: (usize, usize),
    /// The source.
    pub source: &'p Signal,
    /// The target.
    pub target: &'p Signal,
    /// Subject of its metrics.
    pub subject: String,
}

/// What an estimator says of one pair.
#[derive(Debug, Clone, PartialEq)]
pub struct PairEstimate {
    /// What was found.
    pub found: Result<Assessed, EstimateError>,
    /// How, in words.
    pub method: String,
    /// Whether a bias is taken off, so that the value before stands beside the estimate.
    pub corrected: bool,
    /// What belongs beside the value (ties, empty words).
    pub note: String,
    /// Why it is hardly to be believed.
    pub warning: Option<String>,
}

/// What was found for one pair, or why not.
#[derive(Debug, Clone, PartialEq)]
pub struct PairResult {
    /// Indices of source and target.
    pub pair: (usize, usize),
    /// Subject of its metrics.
    pub subject: String,
    /// Number of realisations.
    pub n: usize,
    /// What was found.
    pub found: Result<Assessed, String>,
    /// How; nothing where nothing was tried.
    method: Option<(String, bool)>,
    note: String,
    warning: Option<String>,
}

/// Most warnings of single pairs that are passed on.
const MOST_WARNINGS: usize = 5;

impl Pairs {
    /// Looks at each pair that holds enough to be looked at; `lost` samples are only past or future.
    ///
    /// # Errors
    /// `Cancelled`, and what `look` fails with.
    pub fn each(
        &self,
        f: &mut Findings<'_>,
        lost: usize,
        mut look: impl FnMut(&Pair<'_>) -> Result<PairEstimate, AnalysisError>,
    ) -> Result<Vec<PairResult>, AnalysisError> {
        let n = self.len().saturating_sub(lost);
        self.tell_outside(f);
        let mut results = Vec::new();
        f.each(&self.links, |f, &(i, j)| {
            let (source, target) = (&self.sources[i], &self.targets[j]);
            let subject = if source.name == target.name {
                source.name.clone()
            } else {
                format!("{}->{}", source.name, target.name)
            };
            let pair = Pair { index: (i, j), source, target, subject };
            let (found, method, note, warning) = match too_little(source, target, n) {
                Some(why) => (Err(why), None, String::new(), None),
                None => {
                    let t = look(&pair)?;
                    let warning = t.warning.map(|w| format!("{}: {w}", pair.subject));
                    (told(t.found), Some((t.method, t.corrected)), t.note, warning)
                }
            };
            f.request.check_cancelled()?;
            results.push(PairResult { pair: pair.index, subject: pair.subject, n, found, method, note, warning });
            Ok(())
        })?;
        Ok(results)
    }
}

/// What can be told of an estimate: information is not negative, and an estimate that is negative beyond its interval
/// says that what the estimator assumes does not hold.
fn told(found: Result<Assessed, EstimateError>) -> Result<Assessed, String> {
    let found = found.map_err(|e| e.to_string())?;
    match &found.interval {
        Some(Ok((_, high))) if *high < 0.0 => Err(format!(
            "the estimate is {:.3} bits and its interval ends at {high:.3}: information is not negative, so that what \
             the \
             estimator assumes does not hold (samples independent in time, a smooth density)",
            found.estimate.bits
        )),
        _ => Ok(found),
    }
}

/// Puts the results of all pairs together. `quantity` names the metric (`information`), `title` the pane.
pub fn report(
    f: &mut Findings<'_>,
    o: &PairOptions,
    pairs: &Pairs,
    results: &[PairResult],
    quantity: &str,
    title: &str,
) {
    let (level, correction) = (o.level, o.fdr);
    let mut methods: Vec<&str> = results.iter().filter_map(|r| Some(r.method.as_ref()?.0.as_str())).collect();
    methods.dedup();
    let method = methods.join(" / ");
    let corrected = results.iter().any(|r| r.method.as_ref().is_some_and(|m| m.1));
    let p: Vec<Option<f64>> = results.iter().map(|r| r.found.as_ref().ok().and_then(Assessed::p)).collect();
    let adjusted = adjust(&p, correction);
    for (i, r) in results.iter().enumerate() {
        match &r.found {
            Err(why) => f.metric(Metric::missing(&r.subject, quantity, "bits", r.n as u64, why)),
            Ok(found) => {
                let mut m =
                    Metric::new(&r.subject, quantity, found.estimate.bits, "bits", found.n as u64).note(&method);
                m = match &found.interval {
                    Some(Ok((low, high))) => m.interval(*low, *high).interval_by("95 % delete-a-block jackknife"),
                    Some(Err(why)) => m.note(why),
                    None => m,
                };
                if let (Some(chance), Some(p)) = (found.chance(), found.p()) {
                    m = m.chance(chance).p(p).null_by(found.null());
                } else if o.surrogate != Chance::None {
                    m = m.note("too few samples for surrogates");
                }
                if !r.note.is_empty() {
                    m = m.note(&r.note);
                }
                f.metric(m);
                if corrected {
                    let before =
                        Metric::new(&r.subject, format!("{quantity}_raw"), found.estimate.raw, "bits", found.n as u64);
                    f.metric(before.note("before the bias correction"));
                }
                if let Some(adjusted) = adjusted[i].filter(|_| results.len() > 1) {
                    let how = correction_name(correction);
                    f.metric(Metric::adjusted(&r.subject, adjusted, found.n as u64, how));
                }
            }
        }
    }
    let tested = p.iter().flatten().count();
    let significant = |i: usize| adjusted[i].is_some_and(|p| p <= level);
    let hits = (0..results.len()).filter(|&i| significant(i)).count();
    if let Some(count) =
        results.iter().filter_map(|r| r.found.as_ref().ok()).map(|f| f.surrogates.len()).filter(|&c| c > 0).min()
    {
        let least = correction.worst_factor(tested) / (count + 1) as f64;
        if least > level {
            f.warn(format!(
                "with {count} surrogates the least p-value is {}; one true dependence alone among {tested} pairs \
                 cannot pass the correction at {level}: \
                 take at least {} surrogates",
                short(1.0 / (count + 1) as f64),
                (correction.worst_factor(tested) / level).ceil() as usize
            ));
        }
    }
    let missing = results.iter().filter(|r| r.found.is_err()).count();
    if missing > 0 && missing < results.len() {
        f.warn(format!("{missing} of {} pairs have no value; their notes say why", results.len()));
    }
    for warning in results.iter().filter_map(|r| r.warning.as_ref()).take(MOST_WARNINGS) {
        f.warn(warning);
    }
    f.shapes(shapes(pairs, results, &adjusted, level, title));
    f.word(summary(results, hits, tested, title));
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
                let chance = f
                    .chance()
                    .zip(f.p())
                    .map_or(String::new(), |(c, p)| format!(" (chance {}, p {})", shown(c), number::p_value(p)));
                format!("{title} of {}: {} bits{chance}", one.subject, shown(f.estimate.bits))
            }
        },
        _ => format!("{title}: {hits} of {tested} pairs significant after correction"),
    }
}

fn shapes(pairs: &Pairs, results: &[PairResult], adjusted: &[Option<f64>], level: f64, title: &str) -> Vec<NamedShape> {
    if let [PairResult { found: Ok(found), .. }] = results {
        return if found.surrogates.len() < 10 { Vec::new() } else { vec![histogram(found, title)] };
    }
    // Signals that are each looked at alone make no matrix.
    if results.len() < 2 || results.iter().all(|r| r.pair.0 == r.pair.1) {
        return Vec::new();
    }
    let mirrored = pairs.same && results.iter().all(|r| r.pair.0 < r.pair.1);
    let all = results.iter().zip(adjusted);
    let found = all.filter_map(|(r, q)| Some((r.pair, r.found.as_ref().ok()?, q.is_some_and(|q| q <= level))));
    let bits = found.clone().map(|(pair, found, sure)| (pair, found.estimate.bits, sure));
    let by_chance = found.filter_map(|(pair, found, sure)| Some((pair, found.chance()?, sure)));
    let matrix = |cells: &mut dyn Iterator<Item = ((usize, usize), f64, bool)>| {
        pairs.matrix(Axis::new(title, "bits"), ["source", "target"], mirrored, cells)
    };
    let mut shown = matrix(&mut bits.into_iter());
    let chance = matrix(&mut by_chance.into_iter()).values;
    if chance.iter().any(|c| c.is_finite()) {
        shown.chance = Some(chance);
    } else {
        shown.significant = None;
    }
    vec![NamedShape::new("matrix", Shape::Matrix(shown))]
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
            references: std::iter::once(line("observed", found.estimate.bits))
                .chain(found.chance().map(|c| line("chance", c)))
                .collect(),
        }),
    )
}
