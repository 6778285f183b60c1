//! Cell assemblies: pairs of units that fire together at a lag, and what they grow into.

use super::prelude::*;
use super::subject::{bin_count, bin_of};
use spikedeck_core::assembly::{Assembly, Counts, PairFound, PairTest, agglomerate};
use spikedeck_core::number;
use spikedeck_core::surrogate::{Correction, adjust};
use spikedeck_core::units::short;
use spikedeck_scenario::Subject;
use spikedeck_signal::{Axis, GraphEdge, Matrix, Shape};

/// The analysis `cell_assemblies`.
pub struct CellAssemblies;

const CARD: AnalysisCard = AnalysisCard {
    title: "Cell assemblies",
    synonyms: &["cad", "assembly_detection", "cell_assembly_detection", "spike_patterns", "spike_sequences"],
    summary: "units that fire in one sequence again and again: pairs at their best lag with a false discovery rate, \
              and the assemblies that grow from them",
    formula: "#AB(l) = Σ min(n_a(t), n_b(t + l)),  l* = the lag with the largest, up to ± max_lag\n\
              score = (|#AB(l*) − #AB(−l*)| − ½)/σ, σ² = Σ over stretches 2 a b (n − a)(n − b)/(n²(n − 1))\n\
              times 1 − 1/(n − 1), of counts of one level (a, b filled of n bins)\n\
              p from Student's t, times the lags; Benjamini-Hochberg over pairs",
    assumptions: "Counts in bins, independent from bin to bin, with rates that are constant within `stretch`. An \
                  assembly takes in the unit that is the most significant with its activations, at `level` after \
                  Bonferroni over units and lags, until there is none. Only one width of bins is looked at: it is the \
                  algorithm of Russo and Durstewitz for one time scale, and each assembly goes on by its best unit \
                  alone (theirs by each that is significant).",
    bias: "The difference to the opposite lag takes off what rates that change together give, as long as they change \
           slowly against max_lag; it also takes off what units do as often at both. Synchrony is held \
           against a lag of two bins: peaks wider than that are not seen.",
    cost: "O(pairs spikes² max_lag/time), then as much for each significant pair and step",
    caveats: "Trains with bursts or strong rhythms fill neighbouring bins together, and their joint counts vary more \
              than the test knows: the p-values are too small. Fewer than five joint counts by chance are not tested, \
              so that small bins and rare units need long recordings. A common drive makes pairs of all units that it \
              reaches: it is an assembly by this definition.",
    references: &[
        "Russo, Durstewitz 2017, eLife 6:e19428, doi:10.7554/eLife.19428",
        "Benjamini, Hochberg 1995, J R Stat Soc B 57:289-300, doi:10.1111/j.2517-6161.1995.tb02031.x",
    ],
};

options! {
    /// What `cell_assemblies` can be told.
    pub struct Options {
        bin: Time = time("10 ms").or(derived::QUARTER).piece(),
            "bins in which spikes are counted: how exact a sequence is";
        max_lag: Time = time("50 ms").or(derived::FIVE), "largest lag between two units of an assembly";
        stretch: Time = time("1 s").or(derived::TEN).piece(), "time in which rates are taken as constant";
        level: f64 = number("0.05").between(1e-6, 0.5),
            "false discovery rate of pairs, and p-value of each step that makes them grow";
    }
}

/// Most units, of which each two are looked at.
const MOST_UNITS: usize = 300;
/// Assemblies that have numbers of their own.
const MOST_TOLD: usize = 12;
/// Units up to which the graph has all of them.
const MOST_NODES: usize = 60;

impl Estimator for CellAssemblies {
    type Options = Options;
    const KIND: &'static str = "cell_assemblies";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        // Defaults may come from all of them: what cannot be read is told before what is too short.
        for s in &subject::of_or_all_spikes(f.request)? {
            subject::trains(f.request, s)?;
        }
        f.each_spiking(|f, s| look(f, s, o))
    }
}

/// Two units, what was found, and p after the correction over pairs.
type Tested = (usize, usize, PairFound, f64);

fn look(f: &mut Findings<'_>, s: &Subject, o: &Options) -> Measured {
    let trains = subject::trains(f.request, s)?;
    let bins = bin_count(trains.window, o.bin.axis);
    let lags = (o.max_lag.axis / o.bin.axis + 1e-9).floor() as usize;
    if lags < 2 || bins < 20 * lags {
        return Err(AnalysisError::Unsuitable(format!(
            "{}: `max_lag` is {lags} bins, and the recording has {bins}: two bins at least are wanted, and twenty \
             times `max_lag` of them",
            s.text
        )));
    }
    let m = trains.trains.len();
    if m > MOST_UNITS {
        return Err(AnalysisError::Unsuitable(format!(
            "{} means {m} units, and at most {MOST_UNITS} are looked at two by two: choose some, as in `{}[0..50]`",
            s.text,
            subject::stem(f.request, s)
        )));
    }
    if let Some(told) = trains.outside(o.bin) {
        f.warn(told);
    }
    let counts: Vec<Counts> = trains
        .trains
        .iter()
        .map(|t| {
            let at = t.iter().filter_map(|&t| bin_of(t, trains.window.start, o.bin.axis)).filter(|b| *b < bins);
            Counts::new(at).above_least(bins)
        })
        .collect();
    let stretch = ((o.stretch.axis / o.bin.axis).round() as usize).clamp(2 * lags, bins);
    let test = PairTest { bins, most: lags, stretch };
    let mut found: Vec<(usize, usize, PairFound)> = Vec::new();
    for a in 0..m {
        f.progress(0.5 * a as f64 / m as f64)?;
        found.extend((a + 1..m).filter_map(|b| Some((a, b, test.test(&counts[a], &counts[b])?))));
    }
    let pairs = m * m.saturating_sub(1) / 2;
    if found.is_empty() {
        let why = if pairs == 0 {
            "there are no two units".to_owned()
        } else {
            format!("none of {pairs} pairs has five joint counts by chance: take larger bins or a longer recording")
        };
        for metric in ["strongest_pair", "assemblies"] {
            f.metric(Metric::missing(&s.text, metric, "", pairs as u64, &why));
        }
        f.word(format!("{}: no value, {why}", s.text));
        return Ok(());
    }
    let p: Vec<Option<f64>> = found.iter().map(|t| Some(t.2.p)).collect();
    let adjusted = adjust(&p, Correction::BenjaminiHochberg);
    let tested: Vec<Tested> = found
        .iter()
        .zip(adjusted)
        .map(|(&(a, b, found), p)| (a, b, found, p.expect("every pair that was tested has a p-value")))
        .collect();
    // Fewer together at the best lag than at its opposite is no assembly.
    let significant: Vec<Tested> = tested.iter().copied().filter(|t| t.3 <= o.level && t.2.score > 0.0).collect();
    let of = significant.len().max(1) as f64;
    let assemblies = agglomerate(&counts, test, &significant, o.level, |k| f.progress(0.5 + 0.5 * k as f64 / of))?;
    let names: Vec<String> = trains.units.iter().map(|&u| subject::unit_name(f.request, s, u)).collect();
    let inside = Inside { s, o, names: &names, units: &trains.units, counts: &counts, seconds: trains.duration() };
    inside.pairs(f, pairs, &tested, significant.len());
    inside.assemblies(f, &assemblies);
    inside.drawn(f, &tested, &significant, &assemblies);
    Ok(())
}

/// What was looked at.
struct Inside<'i> {
    s: &'i Subject,
    o: &'i Options,
    names: &'i [String],
    units: &'i [u32],
    counts: &'i [Counts],
    seconds: f64,
}

impl Inside<'_> {
    fn pairs(&self, f: &mut Findings<'_>, pairs: usize, tested: &[Tested], significant: usize) {
        let (a, b, best, _) = tested
            .iter()
            .min_by(|a, b| a.2.p.total_cmp(&b.2.p).then(b.2.score.total_cmp(&a.2.score)))
            .expect("some pair was tested");
        let p = (best.p * tested.len() as f64).min(1.0);
        let lag = best.lag as f64 * self.o.bin.axis;
        let unit = f.base.unit();
        f.metric(
            Metric::new(&self.s.text, "strongest_pair", best.score, "", tested.len() as u64)
                .chance(0.0)
                .p(p)
                .ground(Basis::Null, "p: score against no dependence at the lag, times the number of pairs tested")
                .note(format!(
                    "score of {} and {}, later by {} {unit}: {} joint counts, {} at the lag of reference",
                    self.names[*a],
                    self.names[*b],
                    short(lag),
                    short(best.joint),
                    short(best.reference)
                ))
                .note("n = pairs; p: Bonferroni over pairs and lags")
                .note("no interval: the largest of many"),
        );
        let left = pairs - tested.len();
        let mut m = Metric::new(&self.s.text, "significant_pairs", significant as f64, "", tested.len() as u64)
            .note(format!("false discovery rate {}; n = pairs", self.o.level))
            .note("no interval: a count of what is significant");
        if left > 0 {
            m = m.note(format!("{left} pairs have too few joint counts, or as many as spikes, to be tested"));
        }
        f.metric(m);
    }

    fn assemblies(&self, f: &mut Findings<'_>, assemblies: &[Assembly]) {
        let units = self.counts.len() as u64;
        let none = "no interval: a count of what is found";
        let count = Metric::new(&self.s.text, "assemblies", assemblies.len() as f64, "", units);
        f.metric(count.note(none).note("n = units"));
        let largest = assemblies.first().map_or(0, |a| a.members.len());
        f.metric(Metric::new(&self.s.text, "largest_assembly", largest as f64, "", units).note(none).note("n = units"));
        for (k, assembly) in assemblies.iter().take(MOST_TOLD).enumerate() {
            let active = assembly.active.total();
            f.metric(
                Metric::new(
                    format!("{} assembly {}", self.s.text, k + 1),
                    "activation_rate",
                    active as f64 / self.seconds,
                    f.base.rate_unit(),
                    active,
                )
                .note(self.sequence(f, assembly))
                .note(format!("n = activations; last step at p {}", number::p_value(assembly.p)))
                .note("no interval: its units were chosen by what they do together"),
            );
        }
        if assemblies.len() > MOST_TOLD {
            f.warn(format!(
                "{}: {} assemblies, of which the {MOST_TOLD} largest have numbers of their own",
                self.s.text,
                assemblies.len()
            ));
        }
        f.word(match assemblies {
            [] => format!("{}: no assembly", self.s.text),
            [one] => format!("{}: one assembly, {}", self.s.text, self.sequence(f, one)),
            [first, ..] => {
                let (n, first) = (assemblies.len(), self.sequence(f, first));
                format!("{}: {n} assemblies, the largest {first}", self.s.text)
            }
        });
    }

    /// Units with their lags, the earliest first.
    fn sequence(&self, f: &Findings<'_>, assembly: &Assembly) -> String {
        let mut members = assembly.members.clone();
        members.sort_by_key(|m| (m.1, m.0));
        let from = members[0].1;
        let at = |m: &(usize, isize)| {
            let later = (m.1 - from) as f64 * self.o.bin.axis;
            format!("{} at {}", self.units[m.0], short(later))
        };
        let unit = f.base.unit();
        format!("units {} {unit}", members.iter().map(at).collect::<Vec<_>>().join(", ")).trim_end().to_owned()
    }

    fn drawn(&self, f: &mut Findings<'_>, tested: &[Tested], significant: &[Tested], assemblies: &[Assembly]) {
        let m = self.names.len();
        let names: Vec<String> = self.units.iter().map(ToString::to_string).collect();
        let is_hit = |found: &PairFound, p: f64| p <= self.o.level && found.score > 0.0;
        let cells = tested.iter().map(|(a, b, found, p)| ((*a, *b), found.score, is_hit(found, *p)));
        let axis = ("unit", names.clone());
        let matrix = Matrix::of_pairs(Axis::new("score at the best lag", ""), axis.clone(), axis, true, cells);
        f.shape(format!("pairs of {}", self.s.text), Shape::Matrix(Matrix { diverging: true, ..matrix }));
        // Units of assemblies first hold their place where there are too many for all.
        let mut nodes: Vec<usize> = if m <= MOST_NODES {
            (0..m).collect()
        } else {
            assemblies.iter().flat_map(|a| a.members.iter().map(|m| m.0)).take(MOST_NODES).collect()
        };
        nodes.sort_unstable();
        nodes.dedup();
        let place = |unit: usize| nodes.binary_search(&unit).ok();
        let edge = |t: &Tested| {
            let (first, second) = if t.2.lag < 0 { (t.1, t.0) } else { (t.0, t.1) };
            Some(GraphEdge { from: place(first)?, to: place(second)?, weight: t.2.score })
        };
        let edges: Vec<GraphEdge> = significant.iter().filter_map(edge).collect();
        if !edges.is_empty() {
            let nodes = nodes.iter().map(|&u| names[u].clone()).collect();
            f.shape(format!("assemblies of {}", self.s.text), Shape::Graph { nodes, edges });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, poisson, recording, run, value};
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::Recording;

    /// Eight Poisson units of 5 Hz over 200 s, of which 0, 2, 4 fire one after the other, 20 ms apart, once a second.
    fn sequence(seed: u64) -> Recording {
        let mut trains: Vec<Vec<f64>> = (0..8).map(|u| poisson(seed, u, 5.0, 200_000.0)).collect();
        for (k, t) in poisson(seed, 99, 1.0, 199_000.0).into_iter().enumerate() {
            // Off the edges of bins, so that lags in bins are the same each time.
            let t = (t / 10.0).floor() * 10.0 + 3.0 + (k % 5) as f64;
            [0, 2, 4].iter().enumerate().for_each(|(i, &u): (usize, &usize)| trains[u].push(t + 20.0 * i as f64));
        }
        for t in &mut trains {
            t.sort_by(f64::total_cmp);
        }
        recording(&trains, 200_000.0)
    }

    #[test]
    fn a_sequence_is_found_with_its_lags() {
        let o = run(&CellAssemblies, &sequence(1), vec![], &[]).unwrap();
        assert_eq!(value(&o, "p.spikes", "assemblies"), 1.0);
        assert_eq!(value(&o, "p.spikes", "largest_assembly"), 3.0);
        assert_eq!(value(&o, "p.spikes", "significant_pairs"), 3.0);
        let m = metric(&o, "p.spikes assembly 1", "activation_rate");
        assert!(m.note.contains("units 0 at 0, 2 at 20, 4 at 40 ms"), "{}", m.note);
        assert!((m.value.unwrap() - 1.0).abs() < 0.2, "{m:?}");
        assert!(metric(&o, "p.spikes", "strongest_pair").p_value.unwrap() < 1e-9);
        let graph = o.shapes.iter().find_map(|s| match &s.shape {
            Shape::Graph { edges, .. } => Some(edges),
            _ => None,
        });
        let mut ends: Vec<(usize, usize)> = graph.unwrap().iter().map(|e| (e.from, e.to)).collect();
        ends.sort_unstable();
        assert_eq!(ends, [(0, 2), (0, 4), (2, 4)]);
    }

    /// Independent units, also with rates that go up and down together, make no assembly more often than they may.
    #[test]
    fn independent_units_and_common_rates_make_none() {
        let mut found = [0, 0];
        for seed in 0..40 {
            let trains: Vec<Vec<f64>> = (0..5).map(|u| poisson(seed, u, 10.0, 60_000.0)).collect();
            // Two seconds on, two seconds off.
            let slow =
                trains.iter().map(|t| t.iter().copied().filter(|t| ((t / 2000.0) as u64).is_multiple_of(2)).collect());
            for (k, r) in [trains.clone(), slow.collect()].iter().map(|t| recording(t, 60_000.0)).enumerate() {
                let o = run(&CellAssemblies, &r, vec![], &[]).unwrap();
                found[k] += usize::from(value(&o, "p.spikes", "assemblies") > 0.0);
            }
        }
        assert!(found.iter().all(|n| *n <= 6), "{found:?} of 40");
    }

    #[test]
    fn what_cannot_be_said_is_said_so() {
        let o = run(&CellAssemblies, &recording(&[vec![1.0], vec![]], 10_000.0), vec![], &[]).unwrap();
        assert!(metric(&o, "p.spikes", "assemblies").note.contains("none of 1 pairs has five joint counts"));
        let o = run(&CellAssemblies, &recording(&[vec![1.0]], 10_000.0), vec![], &[]).unwrap();
        assert!(metric(&o, "p.spikes", "strongest_pair").note.contains("no two units"));
        let short = run(&CellAssemblies, &recording(&[vec![1.0], vec![2.0]], 500.0), vec![], &[]).unwrap_err();
        assert!(short.to_string().contains("twenty times"), "{short}");
        let lag = [("max_lag", OptionValue::Number(0.015))];
        let short = run(&CellAssemblies, &recording(&[vec![1.0], vec![2.0]], 9000.0), vec![], &lag).unwrap_err();
        assert!(short.to_string().contains("`max_lag` is 1 bins"), "{short}");
    }
}
