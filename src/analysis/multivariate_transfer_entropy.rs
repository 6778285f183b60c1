//! Multivariate transfer entropy: which sources, and which samples of their pasts, together tell of each target; the
//! effective network.

use super::dependence::prepare::Alphabet;
use super::dependence::report::Chance;
use super::dependence::signals::Signal;
use super::dependence::{Binning, Pairs, pairs, report};
use super::prelude::*;
use spikedeck_core::selection::{Chosen, Realisations, Search, Tested};
use spikedeck_core::surrogate::{Correction, Surrogate, adjust};
use spikedeck_core::ties::Ties;
use spikedeck_core::units::short;
use spikedeck_signal::{Axis, GraphEdge, Shape};
use std::cell::Cell;

/// The analysis `multivariate_transfer_entropy`.
pub struct MultivariateTransferEntropy;

const CARD: AnalysisCard = AnalysisCard {
    title: "Multivariate transfer entropy",
    synonyms: &["mte", "idtxl", "conditional_transfer_entropy", "effective_network", "network_inference", "cte"],
    summary: "which sources, at which lags, tell of each target beyond its past and beyond each other: the effective \
              network",
    formula: "1. of the target's past, then of the sources' pasts, one sample after the other is taken: the one with \
              the largest I(Y_t ; sample | taken), as long as that exceeds the largest of all open samples in \
              surrogates (p ≤ level)\n\
              2. of the sources' samples the one with the least I(Y_t ; sample | all other taken) is dropped, as long \
              as it does not exceed the least of all in surrogates\n\
              omnibus: I(Y_t ; all taken of the sources | taken of Y), corrected over targets (FDR)\n\
              transfer_entropy X→Y = I(Y_t ; taken of X | all other taken)",
    assumptions: "Stationary signals, all that matters among them, lags that reach as far as the transfer does. \
                  Gaussian: linear and jointly normal; plug-in: few symbols. p: the candidates' realisations rotated \
                  together against the target, by more than all lags.",
    bias: "What was chosen because it tells much tells a little too much; of symbols the plug-in value is too large by \
           what the chance column says. Where nothing of a source was chosen there is no value.",
    cost: "O(taken · candidates · surrogates · N) a target, in parallel",
    caveats: "A greedy search does not see sources that tell only together (exclusive or). Steps at a level of 0.05 \
              each find something where there is nothing in about one target of twenty, which the correction of the \
              omnibus over targets holds down. p of a link is taken after the choice, by the same data: it is no \
              independent test, and there is no interval for this reason.",
    references: &[
        "Novelli, Wollstadt, Mediano, Wibral, Lizier 2019, Netw Neurosci 3:827-847, doi:10.1162/netn_a_00092",
        "Wollstadt and others 2019, J Open Source Softw 4:1081, doi:10.21105/joss.01081",
        "Faes, Nollo, Porta 2011, Phys Rev E 83:051112, doi:10.1103/PhysRevE.83.051112",
        "Benjamini, Hochberg 1995, J R Stat Soc B 57:289-300, doi:10.1111/j.2517-6161.1995.tb02031.x",
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
    }
}

options! {
    /// What `multivariate_transfer_entropy` can be told.
    pub struct Options {
        estimator: By = choice(By::Auto),
            "auto: plugin where all signals are spike counts or have few distinct values, else gaussian";
        target_lags: usize = integer("5").between(1.0, 50.0), "samples of the target's past that are candidates";
        source_lags: usize = integer("5").between(1.0, 50.0), "samples of each source's past that are candidates";
        least_delay: usize = integer("1").between(1.0, 1000.0), "samples from a source to the target at the least";
        bin: Option<Time> = signal_bin();
        bins: usize = report::bins("3", 16.0);
        binning: Binning = report::binning();
        surrogate: Chance = choice(Chance::Circular),
            "how chance is made: candidates rotated in time (keeps their autocorrelation), or permuted (only for \
             samples independent in time)";
        surrogates: usize = integer("199").between(19.0, 100_000.0), "surrogates of each test";
        level: f64 = number("0.05").between(0.001, 0.5), "level of each test, and of the corrected omnibus";
        fdr: Correction = choice(Correction::BenjaminiHochberg), "correction of the omnibus p-values over targets";
    }
}

/// Realisations that a choice needs.
const LEAST: usize = 50;
/// Most signals of a graph that can still be read.
const MOST_DRAWN: usize = 40;

impl Estimator for MultivariateTransferEntropy {
    type Options = Options;
    const KIND: &'static str = "multivariate_transfer_entropy";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const CAUSAL: Option<&str> = Some(crate::prefilter::BEFORE_AND_AFTER);
    const TABLE: &'static str = "links";

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        if o.surrogate == Chance::None {
            return Err(AnalysisError::Unsuitable("without surrogates nothing can be chosen".into()));
        }
        let pairs = pairs(f.request, o.bin, false)?;
        pairs.tell_outside(f);
        let lost = o.target_lags.max(o.least_delay + o.source_lags - 1);
        let mut found = Vec::new();
        let of: Vec<usize> = (0..pairs.targets.len()).collect();
        f.each(of, |f, j| {
            let one = Target::of(o, f, &pairs, j, lost)?;
            found.push(one);
            Ok(())
        })?;
        report(o, f, &pairs, lost, &found);
        Ok(())
    }
}

/// What was found for a target.
struct Target {
    /// Sources that were looked at.
    sources: Vec<usize>,
    /// What was chosen, or why nothing could be.
    chosen: Result<Chosen, String>,
    /// Of each source with chosen samples: its lags, and what they tell.
    links: Vec<(usize, Vec<usize>, Tested)>,
    how: &'static str,
}

impl Target {
    fn of(o: &Options, f: &Findings<'_>, pairs: &Pairs, j: usize, lost: usize) -> Result<Self, AnalysisError> {
        let target = &pairs.targets[j];
        let sources: Vec<usize> = (0..pairs.sources.len()).filter(|&i| pairs.sources[i].name != target.name).collect();
        let all: Vec<&Signal> = std::iter::once(target).chain(sources.iter().map(|&i| &pairs.sources[i])).collect();
        let mut of = Self { sources, chosen: Err(String::new()), links: Vec::new(), how: "" };
        let n = pairs.len().saturating_sub(lost);
        if let Some(why) = all.iter().find_map(|s| super::coherence::unfit(s)) {
            of.chosen = Err(why);
            return Ok(of);
        }
        // Rotations by more than all lags need room.
        let least = LEAST.max(4 * (lost + 1));
        if n < least {
            of.chosen = Err(format!("{n} samples, fewer than {least}"));
            return Ok(of);
        }
        let (realisations, how) = realisations(o, &all, lost, pairs.len());
        of.how = how;
        let own: Vec<usize> = (0..o.target_lags).collect();
        let others: Vec<usize> = (o.target_lags..realisations.candidates()).collect();
        let search = Search {
            surrogate: if o.surrogate == Chance::Permutation {
                Surrogate::Permutation
            } else {
                Surrogate::CircularShift
            },
            surrogates: o.surrogates,
            gap: (n / 50).max(lost + 1),
            level: o.level,
            key: f.key(&target.name, "surrogates"),
            cancel: f.request.cancel,
        };
        // Nobody knows how many steps there will be: each takes a third of what is left.
        let done = Cell::new(0.0);
        let told = || {
            done.set(done.get() + (1.0 - done.get()) / 3.0);
            // A cancel is asked for below, and by the search itself.
            f.progress(done.get()).ok();
        };
        let chosen = search.choose(&realisations, &own, &others, &told);
        f.request.check_cancelled()?;
        for (k, &i) in of.sources.iter().enumerate() {
            let first = o.target_lags + k * o.source_lags;
            let mine = |c: usize| (first..first + o.source_lags).contains(&c);
            let lags: Vec<usize> =
                chosen.others.iter().filter(|&&c| mine(c)).map(|c| c - first + o.least_delay).collect();
            if lags.is_empty() {
                continue;
            }
            let of_source: Vec<usize> = chosen.others.iter().copied().filter(|&c| mine(c)).collect();
            let given: Vec<usize> =
                chosen.own.iter().chain(chosen.others.iter().filter(|&&c| !mine(c))).copied().collect();
            of.links.push((i, lags, search.test(&realisations, &of_source, &given, 1 + k)));
        }
        f.request.check_cancelled()?;
        of.chosen = Ok(chosen);
        Ok(of)
    }
}

/// Present of the first signal, its past, and the pasts of the others, over the samples from `lost` on.
fn realisations(o: &Options, all: &[&Signal], lost: usize, length: usize) -> (Realisations, &'static str) {
    let few = |s: &Signal| {
        let ties = Ties::of(&s.values);
        ties.repeats(&s.values) && ties.levels.len() <= 4
    };
    let by_value = o.estimator == By::Auto;
    let plug_in = match o.estimator {
        By::PlugIn => true,
        By::Gaussian => false,
        By::Auto => all.iter().all(|s| s.counts || few(s)),
    };
    let lags = |k: usize| {
        let (count, first) = if k == 0 { (o.target_lags, 1) } else { (o.source_lags, o.least_delay) };
        (0..count).map(move |lag| lag + first)
    };
    if plug_in {
        let alphabet = Alphabet { bins: o.bins, binning: o.binning, by_value };
        let symbols: Vec<(Vec<u32>, usize)> = all.iter().map(|s| alphabet.symbols(s, &s.values[..length])).collect();
        let back = |k: usize, lag: usize| (symbols[k].0[lost - lag..length - lag].to_vec(), symbols[k].1);
        let candidates = (0..all.len()).flat_map(|k| lags(k).map(move |lag| (k, lag))).map(|(k, lag)| back(k, lag));
        (Realisations::Symbols { target: back(0, 0), candidates: candidates.collect() }, "plug-in")
    } else {
        let back = |k: usize, lag: usize| all[k].values[lost - lag..length - lag].to_vec();
        let candidates = (0..all.len()).flat_map(|k| lags(k).map(move |lag| (k, lag))).map(|(k, lag)| back(k, lag));
        (Realisations::Values { target: back(0, 0), candidates: candidates.collect() }, "gaussian")
    }
}

fn report(o: &Options, f: &mut Findings<'_>, pairs: &Pairs, lost: usize, found: &[Target]) {
    let n = pairs.len().saturating_sub(lost) as u64;
    let p: Vec<Option<f64>> =
        found.iter().map(|t| t.chosen.as_ref().ok().map(|c| c.together.map_or(1.0, |t| t.p))).collect();
    let adjusted = adjust(&p, o.fdr);
    let mut edges = Vec::new();
    let mut links = Vec::new();
    for (j, of) in found.iter().enumerate() {
        let target = &pairs.targets[j].name;
        let chosen = match &of.chosen {
            Ok(chosen) => chosen,
            Err(why) => {
                f.metric(Metric::missing(target, "omnibus", "bits", n, why));
                continue;
            }
        };
        let lags: Vec<String> = chosen.own.iter().map(|c| (c + 1).to_string()).collect();
        let own = format!("own past of {} samples", lags.join(", "));
        f.metric(match chosen.together {
            None => Metric::missing(target, "omnibus", "bits", n, "no sample of any source was chosen").note(own),
            Some(t) => tested(Metric::new(target, "omnibus", t.bits, "bits", n), t)
                .note(format!("{}, all chosen samples of the sources; {own}", of.how)),
        });
        let passes = adjusted[j].is_some_and(|p| p <= o.level);
        if let (Some(_), Some(p)) = (chosen.together, adjusted[j].filter(|_| found.len() > 1)) {
            f.metric(Metric::adjusted(target, p, n, "omnibus, over all targets"));
        }
        for &i in &of.sources {
            let name = format!("{}->{target}", pairs.sources[i].name);
            match of.links.iter().find(|l| l.0 == i) {
                None => f.metric(Metric::missing(name, "transfer_entropy", "bits", n, "no sample of it was chosen")),
                Some((_, lags, t)) => {
                    let text: Vec<String> = lags.iter().map(ToString::to_string).collect();
                    let m = tested(Metric::new(&name, "transfer_entropy", t.bits, "bits", n), *t);
                    f.metric(m.note(format!("lags of {} samples", text.join(", "))).note(if passes {
                        "in the network"
                    } else {
                        "not in the network: the omnibus of its target does not pass the correction"
                    }));
                    links.push(((i, j), t.bits, passes));
                    if passes {
                        edges.push((i, j, t.bits));
                    }
                }
            }
        }
    }
    let possible: usize = found.iter().map(|t| t.sources.len()).sum();
    f.metric(
        Metric::new("network", "links", edges.len() as f64, "", possible as u64)
            .note(format!("of {possible} that were looked at; omnibus corrected over targets at {}", short(o.level))),
    );
    f.word(format!("{} of {possible} links", edges.len()));
    least(o, f, found.len());
    draw(f, pairs, &edges, links);
}

/// A value with chance and p.
fn tested(m: Metric, t: Tested) -> Metric {
    m.chance(t.chance)
        .p(t.p)
        .ground(Basis::Null, "chance and p: surrogates of what was chosen")
        .note("no interval: chosen by the same data")
}

/// Warns where the least p-value cannot pass.
fn least(o: &Options, f: &mut Findings<'_>, targets: usize) {
    let least = o.fdr.worst_factor(targets) / (o.surrogates + 1) as f64;
    if least > o.level {
        f.warn(format!(
            "with {} surrogates one true target alone among {targets} cannot pass the correction at {}: take at least \
             {} surrogates",
            o.surrogates,
            o.level,
            (o.fdr.worst_factor(targets) / o.level).ceil()
        ));
    }
}

fn draw(f: &mut Findings<'_>, pairs: &Pairs, edges: &[(usize, usize, f64)], links: Vec<((usize, usize), f64, bool)>) {
    let names = |signals: &[Signal]| signals.iter().map(|s| s.name.clone()).collect::<Vec<_>>();
    let (rows, columns) = (names(&pairs.sources), names(&pairs.targets));
    let mut nodes = rows.clone();
    nodes.extend(columns.iter().filter(|c| !rows.contains(c)).cloned());
    let place = |name: &String| nodes.iter().position(|n| n == name).expect("every target is a node");
    if nodes.len() <= MOST_DRAWN {
        let edges = edges.iter().map(|&(i, j, weight)| GraphEdge { from: i, to: place(&columns[j]), weight }).collect();
        f.shape("effective network", Shape::Graph { nodes: nodes.clone(), edges });
    }
    if rows.len() * columns.len() > 2 {
        let matrix = pairs.matrix(Axis::new("transfer entropy", "bits"), ["source", "target"], false, links);
        f.shape("links", Shape::Matrix(matrix));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dependence::fixtures::{run, spikes, trains};
    use crate::series::fixtures::noise;
    use crate::testing::{metric, poisson, subject, traces};
    use spikedeck_signal::Outcome;

    /// 0 drives 1 after two samples, 1 drives 2 after one; 3 is alone.
    fn chain(seed: u64, n: usize) -> Vec<Vec<f64>> {
        let e: Vec<Vec<f64>> = (0..4).map(|k| noise(10 * seed + k, n + 100)).collect();
        let mut s = vec![vec![0.0; n + 100]; 4];
        for t in 2..n + 100 {
            s[0][t] = 0.5 * s[0][t - 1] + e[0][t];
            s[1][t] = 0.4 * s[1][t - 1] + 0.5 * s[0][t - 2] + e[1][t];
            s[2][t] = 0.4 * s[2][t - 1] + 0.5 * s[1][t - 1] + e[2][t];
            s[3][t] = 0.6 * s[3][t - 1] + e[3][t];
        }
        s.into_iter().map(|v| v[100..].to_vec()).collect()
    }

    fn links(o: &Outcome) -> Vec<&str> {
        o.metrics
            .iter()
            .filter(|m| m.metric == "transfer_entropy" && m.note.contains("in the network") && !m.note.contains("not"))
            .map(|m| m.subject.as_str())
            .collect()
    }

    /// The chain is found with its lags, and 0 does not reach 2 but through 1.
    #[test]
    fn a_chain_is_found_and_nothing_else() {
        let v = vec![subject("V_m", &[])];
        let r = traces(&chain(1, 3000), 1.0);
        let o = run(&MultivariateTransferEntropy, &r, v.clone(), v, &[]).unwrap();
        assert_eq!(links(&o), ["p.V_m[0]->p.V_m[1]", "p.V_m[1]->p.V_m[2]"]);
        let m = metric(&o, "p.V_m[0]->p.V_m[1]", "transfer_entropy");
        // ½ log₂(1 + 0.25 Var x) less what the own past of y knows of x: that of the regressions, 0.19 to 0.21 bits.
        assert!(m.note.contains("lags of 2 samples") && (0.15..0.25).contains(&m.value.unwrap()), "{m:?}");
        assert!(m.p_value.unwrap() < 0.01 && m.ends().is_none() && m.note.contains("no interval"));
        let Shape::Graph { nodes, edges } = &o.shapes[0].shape else { panic!("{:?}", o.shapes) };
        assert_eq!((nodes.len(), edges.len(), edges[0].from, edges[0].to), (4, 2, 0, 1));
    }

    /// Independent Poisson counts: at most a link in twenty targets, over many.
    #[test]
    fn independent_trains_have_no_network() {
        let list: Vec<Vec<f64>> = (0..5).map(|u| poisson(5, u, 20.0, 20_000.0)).collect();
        let o =
            run(&MultivariateTransferEntropy, &trains(&list, 20_000.0), vec![spikes()], vec![spikes()], &[]).unwrap();
        assert!(links(&o).len() <= 1, "{:?}", links(&o));
        assert!(metric(&o, "network", "links").note.contains("of 20"));
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        let v = || vec![subject("V_m", &[])];
        for (columns, why) in [
            (vec![noise(1, 500), vec![2.0; 500]], "does not vary"),
            (vec![noise(1, 30), noise(2, 30)], "fewer than 50"),
        ] {
            let o = run(&MultivariateTransferEntropy, &traces(&columns, 1.0), v(), v(), &[]).unwrap();
            let m = metric(&o, "p.V_m[0]", "omnibus");
            assert!(m.value.is_none() && m.note.contains(why), "{m:?}");
        }
    }
}
