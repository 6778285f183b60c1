//! Partial information decomposition: what two sources tell of a target both, each alone, and only together.

use super::dependence::prepare::Alphabet;
use super::dependence::report::Chance;
use super::dependence::signals::Signal;
use super::dependence::{Binning, Pairs, pairs, report};
use super::prelude::*;
use rayon::prelude::*;
use spikedeck_core::decomposition::{Distribution, MOST_FREE, Parts, Triples};
use spikedeck_core::information::words;
use spikedeck_core::number::shown;
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::{Surrogate, Surrogates, jackknife_blocks, jackknife_interval, p_value};
use spikedeck_core::worth::samples_for_one;
use spikedeck_signal::{Axis, Distribution as Bars, Shape};

/// The analysis `partial_information`.
pub struct PartialInformation;

const CARD: AnalysisCard = AnalysisCard {
    title: "Partial information decomposition",
    synonyms: &["pid", "broja", "i_min", "synergy", "redundancy", "unique_information"],
    summary: "what two sources tell about a target: both the same, each alone, and only both together",
    formula: "I(S; A, B) = redundant + unique_a + unique_b + synergistic;  I(S; A) = redundant + unique_a\n\
              broja: unique_a = least I_Q(S; A | B) over all Q with the pairs (S, A) and (S, B) of the data\n\
              i_min: redundant = Σ p(s) min over A, B of Σ p(x|s) log₂(p(s|x)/p(s))",
    assumptions: "Symbols: counts of spikes, few distinct values, or bins; samples many against the number of triples. \
                  p and chance: the target rotated against both sources.",
    bias: "Plug-in: all parts, and most the synergy, are too large by what few samples give; the chance column says \
           how much. It is not taken off: it belongs to the joint information, and how it divides is not known.",
    cost: "O(N) and, for broja, Newton's steps over (A − 1)(B − 1)S free numbers (at most 800), once for each \
           surrogate and block",
    caveats: "Redundancy by i_min is that of the same amount of information, not of the same information: two \
              independent coins that are both copied are redundant by it; by broja they are not. Sources that are \
              correlated can be redundant without the target's doing.",
    references: &[
        "Williams and Beer 2010, arXiv:1004.2515",
        "Bertschinger, Rauh, Olbrich, Jost, Ay 2014, Entropy 16:2161-2183, doi:10.3390/e16042161",
        "Timme, Lapish 2018, eNeuro 5:ENEURO.0052-18.2018, doi:10.1523/ENEURO.0052-18.2018",
    ],
};

words! {
    /// What redundancy is.
    pub enum By {
        /// The rest that the least synergy leaves.
        Broja = "broja",
        /// The least specific information.
        IMin = "i_min",
    }
}

options! {
    /// What `partial_information` can be told.
    pub struct Options {
        measure: By = choice(By::Broja), "what redundancy is: broja or i_min";
        delay: Option<Time> = time_if_given().or_zero(), "how much later than the sources the target is (default 0)";
        bin: Option<Time> = signal_bin();
        bins: usize = report::bins("3", 16.0);
        binning: Binning = report::binning();
        surrogate: Chance = choice(Chance::Circular),
            "how chance is made: the target rotated in time, permuted (only for samples independent in time), or not \
             at all";
        surrogates: usize = integer("199").between(19.0, 100_000.0), "number of surrogates";
        blocks: usize = integer("20").between(0.0, 1000.0), "blocks of the jackknife that gives intervals; 0 for none";
    }
}

/// Samples that a decomposition needs.
const LEAST: usize = 50;
/// Most triples.
const MOST: usize = 500;
/// Names of the parts.
const PARTS: [&str; 4] = ["redundant", "unique_first", "unique_second", "synergistic"];
/// p-value above which the sources are not known to tell anything.
const AT_ZERO: f64 = 0.05;
/// Share of the half width of an interval that chance may give by itself.
const LEFT_BIAS: f64 = 0.25;

impl Estimator for PartialInformation {
    type Options = Options;
    const KIND: &'static str = "partial_information";
    const SUBJECTS: Subjects = Subjects::Directed;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const CAUSAL: Option<&str> = Some(crate::prefilter::BEFORE_AND_AFTER);
    const TABLE: &'static str = "parts";

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let pairs = pairs(f.request, o.bin, false)?;
        pairs.tell_outside(f);
        let delay = o.delay.map_or(Ok(0), |d| pairs.samples("delay", d))?;
        let sources = pairs.sources.len();
        let mut triples = Vec::new();
        for j in 0..pairs.targets.len() {
            let other = |i: &usize| pairs.sources[*i].name != pairs.targets[j].name;
            let list: Vec<usize> = (0..sources).filter(other).collect();
            for (k, &a) in list.iter().enumerate() {
                triples.extend(list[k + 1..].iter().map(|&b| (a, b, j)));
            }
        }
        if triples.is_empty() {
            return Err(AnalysisError::Unsuitable(
                "two sources and a target that is none of them are needed: write `source` as a list".into(),
            ));
        }
        if triples.len() > MOST {
            return Err(AnalysisError::Unsuitable(format!(
                "{} triples of two sources and a target are too many (at most {MOST}): choose units",
                triples.len()
            )));
        }
        f.each(triples, |f, triple| one(o, f, &pairs, triple, delay))
    }
}

/// Symbols of target, first and second source.
struct Symbols {
    of: [Vec<u32>; 3],
    sizes: [usize; 3],
}

impl Symbols {
    fn decompose(&self, o: &Options, keep: impl Fn(usize) -> Option<usize>) -> Option<([f64; 4], f64)> {
        let [s, a, b] = &self.of;
        let (mut target, mut first, mut second) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..s.len() {
            if let Some(at) = keep(i) {
                target.push(s[at]);
                first.push(a[i]);
                second.push(b[i]);
            }
        }
        let d = Distribution::new(self.sizes, Triples::count(&target, &first, &second, self.sizes).shares());
        let Parts { redundant, unique_first, unique_second, synergistic } = match o.measure {
            By::Broja => d.broja()?,
            By::IMin => d.i_min(),
        };
        Some(([redundant, unique_first, unique_second, synergistic], d.informations()[2]))
    }
}

/// Why two sources and a target cannot be taken apart.
fn unsuitable(all: &[&Signal], n: usize) -> Option<String> {
    let bad = all.iter().find_map(|s| super::coherence::unfit(s));
    bad.or_else(|| (n < LEAST).then(|| format!("{n} samples, fewer than {LEAST}")))
}

fn one(o: &Options, f: &mut Findings<'_>, pairs: &Pairs, (a, b, j): (usize, usize, usize), delay: usize) -> Measured {
    let all = [&pairs.targets[j], &pairs.sources[a], &pairs.sources[b]];
    let name = format!("{}+{}->{}", all[1].name, all[2].name, all[0].name);
    let n = pairs.len().saturating_sub(delay);
    let missing = |f: &mut Findings<'_>, why: String| {
        f.word(format!("{name}: no value, {why}"));
        f.metrics(PARTS.map(|part| Metric::missing(&name, part, "bits", n as u64, &why)));
    };
    if let Some(why) = unsuitable(&all, n) {
        missing(f, why);
        return Ok(());
    }
    let alphabet = Alphabet { bins: o.bins, binning: o.binning, by_value: true };
    let cut = |k: usize| if k == 0 { delay..pairs.len() } else { 0..n };
    let symbols = [0, 1, 2].map(|k| alphabet.symbols(all[k], &all[k].values[cut(k)]));
    let sizes = [symbols[0].1, symbols[1].1, symbols[2].1];
    let symbols = Symbols { of: symbols.map(|s| s.0), sizes };
    let Some((parts, both)) = symbols.decompose(o, Some) else {
        let [target, one, other] = sizes;
        let why = format!(
            "{target}, {one} and {other} symbols of target and sources leave more than {MOST_FREE} numbers free: fewer \
             bins"
        );
        missing(f, why);
        return Ok(());
    };
    let occurring = words(&symbols.of.clone(), sizes.into_iter().fold(0, usize::max)).1;
    let drawn = surrogates(o, f, &name, &symbols, delay)?;
    let p = (!drawn.is_empty()).then(|| p_value(both, &drawn.iter().map(|d| d.1).collect::<Vec<_>>()));
    // The slowest two of the three decide how long a block must be.
    let values = [0, 1, 2].map(|k| all[k].values.as_slice());
    let worth = samples_for_one(&values).into_iter().fold(1.0, f64::max);
    let blocks = left_out(o, &symbols, worth);
    f.progress(1.0)?;
    let joint = Metric::new(&name, "joint_information", both, "bits", n as u64);
    f.metric(match p {
        Some(p) => joint
            .chance(mean(&drawn.iter().map(|d| d.1).collect::<Vec<_>>()))
            .p(p)
            .null_by(format!("p against {} surrogates with the target rotated or permuted", drawn.len())),
        None => joint,
    });
    for (k, part) in PARTS.into_iter().enumerate() {
        let chance = (!drawn.is_empty()).then(|| mean(&drawn.iter().map(|d| d.0[k]).collect::<Vec<_>>()));
        let mut m = Metric::new(&name, part, parts[k], "bits", n as u64).note(format!(
            "{}, {} by {} by {} symbols",
            o.measure.word(),
            sizes[1],
            sizes[2],
            sizes[0]
        ));
        if let Some(chance) = chance {
            m = m
                .chance(chance)
                .ground(Basis::Chance, "chance: the mean of the surrogates")
                .note("no p of its own: see joint_information");
        }
        f.metric(interval(m, &blocks, k, parts[k], (p, chance)));
    }
    if n < 4 * occurring.max(sizes.iter().product::<usize>() / 2) {
        f.warn(format!(
            "{name}: {n} samples for {} possible triples: mostly bias, take fewer bins",
            sizes.iter().product::<usize>()
        ));
    }
    f.word(format!(
        "{name}: {} bits, redundant {}, unique {} and {}, synergistic {}",
        shown(both),
        shown(parts[0]),
        shown(parts[1]),
        shown(parts[2]),
        shown(parts[3])
    ));
    f.shape(
        format!("parts of {name}"),
        Shape::Distribution(Bars {
            x: Axis::new("redundant, unique, unique, synergistic", ""),
            y: Axis::new("information", "bits"),
            edges: (0..5).map(f64::from).collect(),
            heights: vec![("parts".into(), parts.to_vec())],
            references: Vec::new(),
        }),
    );
    Ok(())
}

/// Parts and joint information with the target rotated or permuted.
fn surrogates(
    o: &Options,
    f: &Findings<'_>,
    name: &str,
    symbols: &Symbols,
    delay: usize,
) -> Result<Vec<([f64; 4], f64)>, AnalysisError> {
    let kind = match o.surrogate {
        Chance::Circular => Surrogate::CircularShift,
        Chance::Permutation => Surrogate::Permutation,
        Chance::None => return Ok(Vec::new()),
    };
    let n = symbols.of[0].len();
    let orders = Surrogates::new(kind, n, (n / 50).max(delay + 1), o.surrogates, f.key(name, "surrogates"));
    let mut drawn = Vec::with_capacity(orders.len());
    let numbers: Vec<usize> = (0..orders.len()).collect();
    for some in numbers.chunks(16) {
        f.progress(0.8 * drawn.len() as f64 / orders.len() as f64)?;
        drawn.par_extend(some.par_iter().filter_map(|&i| {
            let order = orders.order(i);
            symbols.decompose(o, |at| Some(order[at] as usize))
        }));
    }
    Ok(drawn)
}

/// Parts without each block of the samples, or why there are none.
fn left_out(o: &Options, symbols: &Symbols, worth: f64) -> Result<Vec<[f64; 4]>, String> {
    let n = symbols.of[0].len();
    if o.blocks < 3 {
        return Err(String::new());
    }
    if (n / o.blocks) as f64 <= 10.0 * worth {
        return Err(format!(
            "no interval: blocks of {} samples hold {:.1} independent ones",
            n / o.blocks,
            (n / o.blocks) as f64 / worth
        ));
    }
    let all: Option<Vec<[f64; 4]>> = jackknife_blocks(n, o.blocks)
        .into_par_iter()
        .map(|block| symbols.decompose(o, |i| (!block.contains(&i)).then_some(i)).map(|d| d.0))
        .collect();
    all.ok_or_else(|| "no interval: without a block there is no value".to_owned())
}

/// A part with its interval where that can be believed, or with the reason why not.
fn interval(
    m: Metric,
    blocks: &Result<Vec<[f64; 4]>, String>,
    k: usize,
    value: f64,
    (p, chance): (Option<f64>, Option<f64>),
) -> Metric {
    let blocks = match blocks {
        Ok(blocks) => blocks,
        Err(why) if why.is_empty() => return m,
        Err(why) => return m.note(why),
    };
    let list: Vec<f64> = blocks.iter().map(|b| b[k]).collect();
    let Some((low, high)) = jackknife_interval(value, &list) else { return m };
    let half = (high - low) / 2.0;
    if p.is_some_and(|p| p > AT_ZERO) {
        return m.note("no interval: not told from 0, where the estimate is not normal");
    }
    if let Some(chance) = chance.filter(|c| *c > LEFT_BIAS * half) {
        return m.note(format!("no interval: chance alone gives {chance:.1e}, beside a half width of {half:.1e}"));
    }
    if value < 2.0 * half {
        return m.note("no interval: so near 0 the estimate is not normal");
    }
    m.interval(low.max(0.0), high).interval_by("95 % delete-a-block jackknife")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dependence::fixtures::run;
    use crate::testing::{metric, subject, traces, value};
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::Outcome;

    fn coins(n: usize) -> [Vec<f64>; 3] {
        let mut s = Key::new(1, "pid", "coins").stream(0, 0);
        [0, 1, 2].map(|_| (0..n).map(|_| f64::from(u8::from(s.uniform() < 0.5))).collect())
    }

    fn decomposed(columns: &[Vec<f64>], options: &[(&'static str, OptionValue)]) -> Outcome {
        let unit = |u: u32| subject("V_m", &[u]);
        run(&PartialInformation, &traces(columns, 1.0), vec![unit(0), unit(1)], vec![unit(2)], options).unwrap()
    }

    const NAME: &str = "p.V_m[0]+p.V_m[1]->p.V_m[2]";

    /// Gates of two coins: their parts in closed form (see `core::decomposition`), to what 4000 samples allow.
    #[test]
    fn gates_are_taken_apart() {
        let [a, b, c] = coins(4000);
        let of = |rule: fn(f64, f64) -> f64| a.iter().zip(&b).map(|(x, y)| rule(*x, *y)).collect::<Vec<f64>>();
        let and = [0.311, 0.0, 0.0, 0.5];
        let xor = [0.0, 0.0, 0.0, 1.0];
        let copy = [0.0, 1.0, 0.0, 0.0];
        for (target, wanted) in [(of(|x, y| x * y), and), (of(|x, y| (x - y).abs()), xor), (a.clone(), copy)] {
            let o = decomposed(&[a.clone(), b.clone(), target], &[("surrogates", OptionValue::Integer(19))]);
            for (part, wanted) in PARTS.into_iter().zip(wanted) {
                assert!((value(&o, NAME, part) - wanted).abs() < 0.03, "{part} {wanted} {:?}", metric(&o, NAME, part));
            }
            assert!(metric(&o, NAME, "joint_information").p_value.unwrap() <= 0.05);
        }
        // Nothing: the joint information is chance's.
        let o = decomposed(&[a, b, c], &[("measure", OptionValue::Text("i_min".into()))]);
        assert!(metric(&o, NAME, "joint_information").p_value.unwrap() > 0.02);
        assert!(metric(&o, NAME, "synergistic").note.contains("not told from 0"));
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        let [a, b, _] = coins(300);
        for (target, why) in [(vec![1.0; 300], "does not vary"), (vec![f64::NAN; 300], "finite")] {
            let o = decomposed(&[a.clone(), b.clone(), target], &[]);
            let m = metric(&o, NAME, "redundant");
            assert!(m.value.is_none() && m.note.contains(why), "{m:?}");
        }
        let unit = |u: u32| subject("V_m", &[u]);
        let r = traces(&[a, b], 1.0);
        let error = run(&PartialInformation, &r, vec![unit(0)], vec![unit(1)], &[]).unwrap_err().to_string();
        assert!(error.contains("two sources"), "{error}");
    }
}
