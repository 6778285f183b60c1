//! Transfer entropy of spike trains in continuous time: no bins, rates of information.

use super::prelude::*;
use rayon::prelude::*;
use spikedeck_core::number::{self, shown};
use spikedeck_core::spike_distance::Edges;
use spikedeck_core::spike_surrogate::{SurrogateMaker, TrainSurrogate, common_grid};
use spikedeck_core::spike_transfer::{Histories, Transfer};
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::{Correction, adjust, p_value};
use spikedeck_scenario::{Observable, Subject};
use spikedeck_signal::{Axis, Matrix, Shape, TimeBase};
use std::f64::consts::LN_2;

/// The analysis `spike_transfer_entropy`.
pub struct SpikeTransferEntropy;

const CARD: AnalysisCard = AnalysisCard {
    title: "Transfer entropy of spikes in continuous time",
    synonyms: &[
        "continuous_time_transfer_entropy",
        "continuous_transfer_entropy",
        "ctte",
        "te_spikes",
        "point_process_transfer_entropy",
        "te_spike_trains",
    ],
    summary: "bits a second that the source's spikes tell of when the target fires, beyond its own spikes, without \
              bins",
    formula: "Ṫ(X→Y) = λ ⟨log₂ λ_Y(t | pasts of both) − log₂ λ_Y(t | own past)⟩ over Y's spikes, λ their rate\n\
              past: time since the last spike, and the intervals before it, in mean intervals of the train\n\
              = (1/T) Σ_i ψ(n_i + 1) − ψ(m_i + 1) − ψ(n°_i + 1) + ψ(m°_i + 1) over ln 2: neighbours of the joint past \
              of spike i among those at spikes (n) and at times drawn evenly (m), of the own past alone (n°, m°), all \
              closer than the larger of the distances to the k-th in both joint spaces",
    assumptions: "Stationary trains; the intervals asked for hold what matters of the pasts; no unseen common driver.",
    bias: "Balls that are wide against what changes the rate smear it, towards 0: more spikes, or fewer intervals, \
           help. Without transfer the estimate scatters about 0; values below 0 are kept.",
    cost: "O(n log n) a pair and surrogate",
    caveats: "It is not causation: a common driver gives it too. Each interval more needs many times the spikes. Local \
              surrogates ask whether the source tells anything that the target's past does not. Where the mean of \
              surrogates lies below 0 all are raised until it is 0, for chance and p alike, and a value that is not \
              above 0 has p 1, so that p is too large rather than too small. Shifted sources ask \
              whether the trains have to do with each other at all, either way. Spikes on a grid of time steps are \
              spread evenly over their step.",
    references: &[
        "Spinney, Prokopenko, Lizier 2017, Phys Rev E 95:032319, doi:10.1103/PhysRevE.95.032319",
        "Shorten, Spinney, Lizier 2021, PLoS Comput Biol 17:e1008054, doi:10.1371/journal.pcbi.1008054",
        "Runge 2018, arXiv:1709.01447",
    ],
};

words! {
    /// How chance is made.
    pub enum Chance {
        /// Pasts of the source from times at which the target's is alike.
        Local = "local",
        /// The source's spikes by one shift on a circle.
        Shift = "shift",
        /// Not at all.
        None = "none",
    }
}

options! {
    /// What `spike_transfer_entropy` can be told.
    pub struct Options {
        target_history: usize = integer("1").between(1.0, 3.0), "intervals of the target's past";
        source_history: usize = integer("1").between(1.0, 3.0), "intervals of the source's past";
        neighbours: usize = integer("4").between(1.0, 100.0), "k, neighbours that set the radius";
        samples: usize = integer("5").between(1.0, 100.0),
            "times drawn evenly, for each spike of the target: few scatter the estimate";
        surrogate: Chance = choice(Chance::Local),
            "how chance is made: local: the source's past at each spike from another time at which the target's past \
             is alike; shift: the source on a circle; none";
        near: usize = integer("5").between(1.0, 100.0), "local: pasts alike, one of which is taken";
        surrogates: usize = integer("99").between(19.0, 100_000.0), "number of surrogates";
        fdr: Correction = choice(Correction::BenjaminiHochberg), "correction of p-values over all pairs";
        level: f64 = number("0.05").between(0.0, 1.0), "level at which a corrected p-value counts as significant";
    }
}

/// Fewest spikes of either train.
const LEAST: usize = 30;
/// Most pairs.
const MOST_PAIRS: usize = 2500;

/// A unit, or several as one.
struct Train {
    name: String,
    times: Vec<f64>,
    edges: Edges,
}

/// What was found of a pair.
struct Found {
    pair: (usize, usize),
    /// Nats per unit of the time axis.
    rate: f64,
    drawn: Vec<f64>,
    spikes: usize,
    length: f64,
}

impl Estimator for SpikeTransferEntropy {
    type Options = Options;
    const KIND: &'static str = "spike_transfer_entropy";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let spec = f.request.spec;
        let of = |given: &[Subject]| units(f.request, if given.is_empty() { &spec.of } else { given });
        let (sources, targets) = (of(&spec.source)?, of(&spec.target)?);
        let all = (0..sources.len()).flat_map(|i| (0..targets.len()).map(move |j| (i, j)));
        let links: Vec<(usize, usize)> = all.filter(|&(i, j)| sources[i].name != targets[j].name).collect();
        if links.is_empty() || links.len() > MOST_PAIRS {
            return Err(AnalysisError::Unsuitable(format!(
                "{} pairs of trains: 1 to {MOST_PAIRS} are looked at; name `source` and `target`, such as \
                 \"POP.spikes[0]\", or `of`",
                links.len()
            )));
        }
        let mut results = Vec::new();
        f.each(&links, |f, &(i, j)| {
            results.push(look(o, f, (i, j), &sources[i], &targets[j])?);
            Ok(())
        })?;
        report(o, f, &results, &links, (&sources, &targets));
        Ok(())
    }
}

/// Trains by unit, or of a mean in one.
fn units(request: &Request<'_>, subjects: &[Subject]) -> Result<Vec<Train>, AnalysisError> {
    let mut all = Vec::new();
    for s in subjects {
        if s.what != Observable::Spikes {
            return Err(AnalysisError::Unsuitable(format!("{}: this looks at spikes, such as \"POP.spikes\"", s.text)));
        }
        let t = subject::trains(request, s)?;
        let edges = Edges { start: t.window.start, stop: t.window.stop };
        if s.mean {
            let mut times: Vec<f64> = t.trains.iter().flat_map(|t| t.iter().copied()).collect();
            times.sort_by(f64::total_cmp);
            all.push(Train { name: s.text.clone(), times, edges });
        } else {
            let names = t.units.iter().map(|&u| subject::unit_name(request, s, u));
            all.extend(names.zip(&t.trains).map(|(name, train)| Train { name, times: train.to_vec(), edges }));
        }
    }
    Ok(all)
}

/// One pair, or why there is nothing to be told of it.
fn look(
    o: &Options,
    f: &Findings<'_>,
    pair: (usize, usize),
    source: &Train,
    target: &Train,
) -> Result<Result<Found, String>, AnalysisError> {
    if let Some(few) = [source, target].into_iter().find(|t| t.times.len() < LEAST) {
        return Ok(Err(format!("{}: {} spikes, fewer than {LEAST}", few.name, few.times.len())));
    }
    let name = format!("{}->{}", source.name, target.name);
    let (key, edges) = (f.key(&name, "times"), target.edges);
    let grid = common_grid(f.recording.dt, edges, [source.times.as_slice(), target.times.as_slice()]);
    let spread = |train: &[f64], unit: u32| -> Vec<f64> {
        let mut s = key.stream(unit, 0);
        // A spike of a grid happened somewhere in the step that ends there.
        let mut times: Vec<f64> = train.iter().map(|t| t - grid.map_or(0.0, |step| step * s.uniform())).collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let (x, y) = (spread(&source.times, 1), spread(&target.times, 2));
    let h = Histories { own: o.target_history, source: o.source_history, neighbours: o.neighbours, samples: o.samples };
    let made = |x: &[f64], k: u32| Transfer::new(&y, x, edges.stop, h, &mut key.stream(3, u64::from(k)));
    let Some(own) = made(&x, 0) else {
        return Ok(Err("too few spikes of the target have both pasts".into()));
    };
    let shifted = SurrogateMaker::new(TrainSurrogate::Shift, &x, edges, 0.0, None);
    let one = |k: u32| {
        let mut stream = key.stream(4, u64::from(k));
        match o.surrogate {
            Chance::Local => Some(own.surrogate(&y, &x, o.near, &mut stream)),
            Chance::Shift => made(&shifted.make(&mut stream), 0).map(|t| t.rate()),
            Chance::None => None,
        }
    };
    let numbers: Vec<u32> = (0..if o.surrogate == Chance::None { 0 } else { o.surrogates as u32 }).collect();
    let mut drawn = Vec::with_capacity(numbers.len());
    // So many at once that all threads have work, and so few that a cancelled analysis ends soon.
    for some in numbers.chunks(rayon::current_num_threads().max(1)) {
        f.progress(drawn.len() as f64 / numbers.len() as f64)?;
        drawn.par_extend(some.par_iter().filter_map(|&k| one(k)));
    }
    raised(&mut drawn);
    Ok(Ok(Found { pair, rate: own.rate(), drawn, spikes: own.spikes(), length: own.length() }))
}

/// Nats a spike that are rounding and nothing else.
const ROUNDING: f64 = 1e-9;

/// Without transfer the estimate scatters about 0: surrogates the mean of which lies below it, as it does of local ones
/// where the source follows from the target's past, are raised until it is 0. Chance and p are those of what is raised.
fn raised(drawn: &mut [f64]) {
    if !drawn.is_empty() {
        let below = mean(drawn).min(0.0);
        for d in drawn.iter_mut() {
            *d -= below;
        }
    }
}

/// p of a rate above 0: what is not above 0 is significant of nothing.
fn one_sided(r: &Found) -> f64 {
    if r.rate * r.length <= ROUNDING * r.spikes as f64 {
        return 1.0;
    }
    p_value(r.rate, &r.drawn)
}

fn report(
    o: &Options,
    f: &mut Findings<'_>,
    results: &[Result<Found, String>],
    links: &[(usize, usize)],
    (sources, targets): (&[Train], &[Train]),
) {
    let per_second = 1.0 / f.base.seconds();
    let unit = if f.base == TimeBase::Milliseconds { "bits/s" } else { "bits/time" };
    let bits = |rate: f64| rate / LN_2 * per_second;
    let p_of = |r: &Found| (!r.drawn.is_empty()).then(|| one_sided(r));
    let p: Vec<Option<f64>> = results.iter().map(|r| r.as_ref().ok().and_then(p_of)).collect();
    let adjusted = adjust(&p, o.fdr);
    let (mut cells, mut hits) = (Vec::new(), 0);
    for (((result, &(i, j)), p), adjusted) in results.iter().zip(links).zip(&p).zip(&adjusted) {
        let name = format!("{}->{}", sources[i].name, targets[j].name);
        let r = match result {
            Ok(r) => r,
            Err(why) => {
                f.metric(Metric::missing(&name, "transfer_rate", unit, 0, why));
                f.word(format!("{name}: nothing, {why}"));
                continue;
            }
        };
        let n = r.spikes as u64;
        let per_spike = r.rate * r.length / n as f64 / LN_2;
        let told = format!(
            "n = spikes of the target; histories {} and {}, k {}; no interval: pasts that share intervals are not \
             independent",
            o.target_history, o.source_history, o.neighbours
        );
        let with = |m: Metric, scale: f64| match p {
            Some(p) => m.chance(mean(&r.drawn) * scale).p(*p).null_by(format!(
                "p against {} surrogates ({})",
                r.drawn.len(),
                o.surrogate.word()
            )),
            None => m,
        };
        let rate = Metric::new(&name, "transfer_rate", bits(r.rate), unit, n).note(told);
        f.metric(with(rate, per_second / LN_2));
        let spike = Metric::new(&name, "bits_per_spike", per_spike, "bits", n).note("of the target");
        f.metric(with(spike, r.length / n as f64 / LN_2));
        if links.len() > 1
            && let Some(q) = adjusted
        {
            let note = format!("{} over all pairs", o.fdr.word());
            f.metric(Metric::adjusted(&name, *q, n, note));
        }
        let sure = adjusted.is_some_and(|q| q <= o.level);
        hits += usize::from(sure);
        cells.push((r.pair, bits(r.rate), sure));
        if links.len() <= 4 {
            f.word(format!(
                "{name}: {} {unit}{}",
                shown(bits(r.rate)),
                p.map_or(String::new(), |p| format!(" (p {})", number::p_value(p)))
            ));
        }
    }
    if links.len() > 4 {
        f.word(format!("{hits} of {} pairs significant at {}", links.len(), o.level));
    }
    if links.len() > 1 {
        let names = |all: &[Train]| all.iter().map(|t| t.name.clone()).collect();
        let (rows, columns) = (("source", names(sources)), ("target", names(targets)));
        let matrix = Matrix::of_pairs(Axis::new("transfer entropy", unit), rows, columns, false, cells);
        f.shape("transfer entropy", Shape::Matrix(matrix));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dependence::fixtures::{run, trains};
    use crate::testing::{metric, poisson, same_values, shifted, subject};
    use spikedeck_scenario::OptionValue;

    fn some(surrogates: i64) -> [(&'static str, OptionValue); 1] {
        [("surrogates", OptionValue::Integer(surrogates))]
    }

    /// A target that repeats nine of ten spikes of the source after 3 ms, and fires by itself at 1 Hz.
    fn pair(grid: bool) -> spikedeck_signal::Recording {
        let source = poisson(1, 0, 10.0, 60_000.0);
        let mut target: Vec<f64> = source.iter().enumerate().filter(|k| k.0 % 10 > 0).map(|k| k.1 + 3.0).collect();
        target.extend(poisson(1, 1, 1.0, 60_000.0));
        target.retain(|t| *t <= 60_000.0);
        target.sort_by(f64::total_cmp);
        let on = |t: Vec<f64>| t.into_iter().map(|t| if grid { (t / 0.1).ceil() * 0.1 } else { t }).collect();
        let mut r = trains(&[on(source), on(target)], 60_000.0);
        r.dt = if grid { 0.1 } else { 0.0 };
        r
    }

    /// What repeats is told of with many bits a spike, the other way with none, on a grid as off it.
    #[test]
    fn a_follower_is_told_of() {
        for grid in [false, true] {
            let of = vec![subject("spikes", &[])];
            let o = run(&SpikeTransferEntropy, &pair(grid), of.clone(), of, &some(19)).unwrap();
            let there = metric(&o, "p.spikes[0]->p.spikes[1]", "transfer_rate");
            assert!(there.value.unwrap() > 20.0 && there.p_value == Some(0.05), "{there:?}");
            assert!(there.chance.unwrap().abs() < 5.0, "{there:?}");
            let spike = metric(&o, "p.spikes[0]->p.spikes[1]", "bits_per_spike");
            let spikes = spike.n.unwrap() as f64;
            assert!((spike.value.unwrap() * spikes / 60.0 / there.value.unwrap() - 1.0).abs() < 0.02);
            let back = metric(&o, "p.spikes[1]->p.spikes[0]", "transfer_rate");
            assert!(back.value.unwrap() < 0.1 * there.value.unwrap(), "{back:?}");
            assert!(matches!(&o.shapes[0].shape, Shape::Matrix(m) if m.values[0].is_nan()));
        }
    }

    /// A source that is the target's own spikes, at once or later, tells nothing beyond the target's past; a metronome
    /// is told of by nobody. A value that is not above 0 is never significant, whatever surrogates are below it.
    #[test]
    fn what_follows_from_the_targets_own_past_tells_nothing() {
        let clock: Vec<f64> = (1..600).map(|k| 100.0 * f64::from(k)).collect();
        for seed in 3..6 {
            let x = poisson(seed, 0, 10.0, 60_000.0);
            let later: Vec<f64> = x.iter().map(|t| t + 5.0).filter(|t| *t <= 60_000.0).collect();
            let one = |source: &[f64], target: &[f64]| {
                let mut r = trains(&[source.to_vec(), target.to_vec()], 60_000.0);
                r.dt = 0.0;
                let of = |unit: u32| vec![subject("spikes", &[unit])];
                let o = run(&SpikeTransferEntropy, &r, of(0), of(1), &some(19)).unwrap();
                o.metrics.iter().find(|m| m.metric == "transfer_rate").unwrap().clone()
            };
            let back = one(&later, &x);
            assert!(back.p_value.unwrap() > 0.05, "{seed}: {back:?}");
            assert!(back.chance.unwrap() > -1e-9, "{seed}: chance is that of the raised surrogates: {back:?}");
            let same = one(&x, &x);
            assert!(same.p_value == Some(1.0) && same.value.unwrap().abs() < 1e-6, "{seed}: {same:?}");
            let regular = one(&x, &clock);
            assert!(regular.p_value.unwrap() > 0.05 && regular.chance.unwrap().abs() < 1.5, "{seed}: {regular:?}");
            let there = one(&x, &later);
            assert!(there.p_value == Some(0.05) && there.value.unwrap() > 10.0, "{seed}: {there:?}");
        }
    }

    #[test]
    fn time_is_relative() {
        let (r, of) = (pair(false), || vec![subject("spikes", &[])]);
        let o = run(&SpikeTransferEntropy, &r, of(), of(), &some(19)).unwrap();
        let later = run(&SpikeTransferEntropy, &shifted(&r, 1e6), of(), of(), &some(19)).unwrap();
        same_values(&o, &later, 0.02);
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        let r = trains(&[poisson(1, 0, 10.0, 10_000.0), vec![5.0; 3]], 10_000.0);
        let of = vec![subject("spikes", &[])];
        let o = run(&SpikeTransferEntropy, &r, of.clone(), of, &some(19)).unwrap();
        let m = metric(&o, "p.spikes[0]->p.spikes[1]", "transfer_rate");
        assert!(m.value.is_none() && m.note.contains("3 spikes, fewer than 30"), "{m:?}");
        let one = vec![subject("spikes", &[0])];
        let error = run(&SpikeTransferEntropy, &r, one.clone(), one, &some(19)).unwrap_err().to_string();
        assert!(error.starts_with("0 pairs"), "{error}");
    }
}
