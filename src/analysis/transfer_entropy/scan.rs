//! Transfer entropy over a range of delays, and whether the greatest of them is more than the greatest of chance
//! (Wibral and others 2013, doi:10.1371/journal.pone.0055809).

use super::{Embedding, Options, data, method};
use crate::coherence::unfit;
use crate::dependence::assess::{Method, estimate};
use crate::dependence::report::Chance;
use crate::dependence::signals::Signal;
use crate::dependence::{Pair, Pairs};
use crate::prelude::*;
use spikedeck_core::statistics::{mean, quantile};
use spikedeck_core::surrogate::{Surrogate, Surrogates, p_value};
use spikedeck_signal::{Axis, CurveStyle, ReferenceLine, Series, Shape};

/// Pairs up to which each has its curve.
const MOST_DRAWN: usize = 12;

/// What was found over the delays.
struct Scan {
    subject: String,
    /// The first delay in samples; the others follow one by one.
    first: usize,
    bits: Vec<f64>,
    /// The greatest of each surrogate.
    tops: Vec<f64>,
    n: usize,
}

/// The value at each delay from that of `e` to `last`, all over the same targets.
fn over_delays(
    seed: u64,
    o: &Options,
    pair: &Pair<'_>,
    (e, last): (Embedding, usize),
    how: (Method, bool),
) -> Vec<f64> {
    let least = Embedding { delay: last, ..e }.lost();
    let one = |delay: usize| {
        let (data, _) = data(seed, o, pair, Embedding { delay, least, ..e }, how);
        estimate(&data, how.0).map_or(f64::NAN, |v| v.bits)
    };
    (e.delay..=last).map(one).collect()
}

fn greatest(bits: &[f64]) -> f64 {
    bits.iter().copied().filter(|v| v.is_finite()).fold(f64::NEG_INFINITY, f64::max)
}

/// Samples after all delays that are needed.
const LEAST: usize = 20;

/// Scans every pair from the delay of `e` to `last` samples, and tells.
pub fn scan(o: &Options, f: &mut Findings<'_>, pairs: &Pairs, e: Embedding, last: usize) -> Measured {
    let kind = match o.pairs.surrogate {
        Chance::Circular => Some(Surrogate::CircularShift),
        Chance::Permutation => Some(Surrogate::Permutation),
        Chance::None => None,
    };
    let gap = match o.pairs.gap {
        Some(time) => pairs.samples("gap", time)?,
        None => pairs.len() / 50,
    };
    let lost = Embedding { delay: last, ..e }.lost();
    let mut all = Vec::new();
    f.each(&pairs.links, |f, &(i, j)| {
        let (source, target) = (&pairs.sources[i], &pairs.targets[j]);
        let subject = format!("{}->{}", source.name, target.name);
        let few = (pairs.len() < lost + LEAST).then(|| format!("{lost} samples are only past at the last delay"));
        if let Some(why) = [source, target].into_iter().find_map(unfit).or(few) {
            f.metric(Metric::missing(&subject, "scan_max", "bits", 0, why));
            return Ok(());
        }
        let pair = Pair { index: (i, j), source, target, subject };
        let how = method(o, &pair, o.neighbours.of(pairs, &pair)?, Embedding { delay: last, ..e });
        all.push(one(f, o, &pair, (e, last), how, (kind, gap))?);
        Ok(())
    })?;
    report(f, pairs, &all);
    Ok(())
}

/// Looks at one pair; the source is rotated in time, or put in another order, as a whole for each surrogate.
fn one(
    f: &Findings<'_>,
    o: &Options,
    pair: &Pair<'_>,
    (e, last): (Embedding, usize),
    how: (Method, bool),
    (kind, gap): (Option<Surrogate>, usize),
) -> Result<Scan, AnalysisError> {
    let seed = f.request.seed;
    let bits = over_delays(seed, o, pair, (e, last), how);
    let values = &pair.source.values;
    let mut tops = Vec::new();
    if let Some(kind) = kind {
        let key = f.key(&pair.subject, "scan");
        let all = Surrogates::new(kind, values.len(), gap.max(last + 1), o.pairs.surrogates, key);
        for k in 0..all.len() {
            f.progress(k as f64 / all.len() as f64)?;
            let moved: Vec<f64> = all.order(k).into_iter().map(|i| values[i as usize]).collect();
            let source = Signal { values: moved, ..pair.source.clone() };
            let other = Pair { index: pair.index, source: &source, target: pair.target, subject: pair.subject.clone() };
            tops.push(greatest(&over_delays(seed, o, &other, (e, last), how)));
        }
    }
    let n = values.len() - Embedding { delay: last, ..e }.lost();
    Ok(Scan { subject: pair.subject.clone(), first: e.delay, bits, tops, n })
}

/// Tells what was found of all pairs.
fn report(f: &mut Findings<'_>, pairs: &Pairs, all: &[Scan]) {
    let time = |samples: usize| Time::of_seconds(samples as f64 * pairs.interval(), f.base).axis;
    let (unit, mut curves, mut references) = (f.base.unit(), Vec::new(), Vec::new());
    let mut metrics = Vec::new();
    for s in all {
        let top = greatest(&s.bits);
        let range = format!("{} to {} {unit}", time(s.first), time(s.first + s.bits.len() - 1));
        let Some(at) = s.bits.iter().position(|v| *v == top) else {
            let why = "there is no value at any delay";
            metrics.push(Metric::missing(&s.subject, "scan_max", "bits", s.n as u64, why));
            metrics.push(Metric::missing(&s.subject, "scan_delay", unit, s.n as u64, why));
            continue;
        };
        let mut value = Metric::new(&s.subject, "scan_max", top, "bits", s.n as u64)
            .note(format!("greatest over delays of {range}; no interval: it is chosen"));
        let mut delay = Metric::new(&s.subject, "scan_delay", time(s.first + at), unit, s.n as u64)
            .note("delay of the greatest; no interval: a place on a grid");
        if !s.tops.is_empty() {
            // Tables with the same counts are summed in another order: what differs by rounding only counts as reached.
            let p = p_value(top - 1e-12, &s.tops);
            value = value
                .chance(mean(&s.tops))
                .p(p)
                .null_by(format!("chance and p: the greatest of {} surrogates over the same delays", s.tops.len()));
            if p > 0.05 {
                delay = delay.note("the greatest is not told from chance, and neither is its delay");
            }
            if all.len() == 1 {
                let mut sorted = s.tops.clone();
                sorted.sort_by(f64::total_cmp);
                let name = "95 % of the greatest of chance".into();
                references.push(ReferenceLine { name, at: quantile(&sorted, 0.95), vertical: false });
            }
        }
        metrics.extend([value, delay]);
        let x = (0..s.bits.len()).map(|k| time(s.first + k)).collect();
        curves.push(curve(&s.subject, x, s.bits.clone(), CurveStyle::Points));
    }
    f.metrics(metrics);
    if (1..=MOST_DRAWN).contains(&curves.len()) {
        let (x, y) = (Axis::new("delay", unit), Axis::new("transfer entropy", "bits"));
        f.shape("transfer entropy over delays", Shape::Series(Series { x, y, curves, references }));
    }
}
