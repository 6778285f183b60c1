//! Permutation entropy: how many bits the order of neighbouring values holds.

use super::prelude::*;
use super::series::chance::{self, Null, Side};
use super::series::{self, Series};
use spikedeck_core::information::entropy;
use spikedeck_core::number::{counted, shown};
use spikedeck_core::ordinal::{counts, patterns, possible, tied};
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::jackknife_blocks;
use spikedeck_signal::{Axis, Distribution, ReferenceLine, Shape};

/// `kind = "permutation_entropy"`.
#[derive(Debug, Clone, Copy)]
pub struct PermutationEntropy;

const CARD: AnalysisCard = AnalysisCard {
    title: "Permutation entropy",
    synonyms: &["ordinal_patterns", "bandt_pompe"],
    summary: "how many bits the order of neighbouring values holds: 0 of what only rises, most of what has no memory",
    formula: "H = −Σ p(π) log₂ p(π) over the d! orders π of x_t, x_{t+τ}, …, x_{t+(d−1)τ}\n\
              relative = H/log₂ d!",
    assumptions: "Differences of the series are stationary over the window; orders are few against windows (five \
                  windows \
                  an order or more). Each unit is a series of its own.",
    bias: "Plug-in: too low by about (orders that occur − 1)/(2 N ln 2) bits for windows that do not overlap, as it is \
           given everywhere. Surrogates, which are as long, are too low by as much; the interval is centred on the \
           value \
           without the bias that leaving out blocks shows.",
    cost: "O(N d²) a series, times surrogates",
    caveats: "Of equal values the earlier counts as the lower, so that a state on a coarse grid looks ordered; \
              surrogates have the same values, and the share of windows with ties is warned of. A smooth state sampled \
              fast only rises and falls: H tells the sampling then, raise `delay`. Noise with memory is below the \
              chance \
              of shuffled samples too: that is no sign of chaos, take `surrogate = \"spectrum\"`. Near the greatest \
              entropy the estimate has no normal law, and no interval is given.",
    references: &[
        "Bandt, Pompe 2002, Phys Rev Lett 88:174102, doi:10.1103/PhysRevLett.88.174102",
        "Bandt, Shiha 2007, J Time Ser Anal 28:646-665 (closed forms), doi:10.1111/j.1467-9892.2007.00528.x",
        "Theiler, Eubank, Longtin, Galdrikian, Farmer 1992, Physica D 58:77-94, doi:10.1016/0167-2789(92)90102-S",
        "Phipson, Smyth 2010, Stat Appl Genet Mol Biol 9:39, doi:10.2202/1544-6115.1585",
    ],
};

/// Blocks of the window that the interval rests on.
const BLOCKS: usize = 20;
/// Windows an order that a plug-in entropy needs.
const LEAST_WINDOWS: usize = 5;
/// Largest order whose patterns are drawn one by one.
const MOST_DRAWN: usize = 5;

options! {
    /// What `permutation_entropy` can be told.
    pub struct Options {
        order: usize = integer("3").between(2.0, 8.0), "d, values in a pattern";
        delay: Option<Time> = time_if_given(), "τ, time between the values of a pattern (default one sample)";
        surrogate: Null = chance::null();
        surrogates: usize = chance::surrogates("99");
        bin: Time = rate_bin(), "bin of rates (states are taken at their own samples)";
    }
}

impl Estimator for PermutationEntropy {
    type Options = Options;
    const KIND: &'static str = "permutation_entropy";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let wanted = [("permutation_entropy", "bits"), ("relative", ""), ("patterns", "")];
        series::each(f, o.bin, o.order + 1, &wanted, |f, s| {
            let delay = delay(o, s)?;
            let all = patterns(&s.values, o.order, delay);
            if all.len() < 2 {
                let why = format!("{} samples hold no two windows of {} values {delay} apart", s.n(), o.order);
                f.metrics(wanted.iter().map(|(metric, unit)| s.missing(metric, unit, &why)));
                return Ok(());
            }
            let found = Found::of(&all, o, delay, s);
            let drawn = chance::each_drawn(f, s, o.surrogate, o.surrogates, |values| {
                let total = counts(&patterns(values, o.order, delay), possible(o.order));
                (entropy(&total), occurring(&total))
            })?;
            let (entropies, kinds): (Vec<f64>, Vec<f64>) = drawn.into_iter().unzip();
            f.metric(found.metric(s, "permutation_entropy", "bits", 1.0, (&entropies, o.surrogate)));
            f.metric(found.metric(s, "relative", "", found.most, (&entropies, o.surrogate)));
            let occur = s
                .metric("patterns", occurring(&found.total), "", found.n)
                .note(format!("orders that occur, of {}; a count of kinds has no interval", found.total.len()));
            f.metric(if kinds.is_empty() { occur } else { occur.chance(mean(&kinds)) });
            warn(o, f, s, delay, found.n);
            f.word(format!(
                "{}: permutation entropy {} bits, {} of the most",
                s.name,
                shown(found.value),
                shown(found.value / found.most)
            ));
            if o.order <= MOST_DRAWN {
                f.shape(format!("orders of {}", s.name), histogram(&s.name, &found.total));
            }
            Ok(())
        })
    }
}

/// The delay in samples: at least one.
fn delay(o: &Options, s: &Series) -> Result<usize, AnalysisError> {
    let samples = o.delay.map_or(Ok(1), |delay| s.samples("delay", delay))?;
    if samples == 0 {
        return Err(AnalysisError::Unsuitable("`delay` is at least the time between samples".into()));
    }
    Ok(samples)
}

fn occurring(counts: &[u64]) -> f64 {
    counts.iter().filter(|&&k| k > 0).count() as f64
}

/// The entropy of one series.
struct Found {
    total: Vec<u64>,
    value: f64,
    most: f64,
    n: u64,
    left_out: Vec<f64>,
    how: String,
}

impl Found {
    fn of(all: &[u32], o: &Options, delay: usize, s: &Series) -> Self {
        let total = counts(all, possible(o.order));
        // Where less than a few windows are in a block, leaving it out says nothing.
        let blocks = if all.len() < 5 * BLOCKS { 0 } else { BLOCKS };
        let left_out = jackknife_blocks(all.len(), blocks).into_iter().map(|block| {
            let mut rest = total.clone();
            for &k in &all[block] {
                rest[k as usize] -= 1;
            }
            entropy(&rest)
        });
        let apart = if delay == 1 { "in turn".to_owned() } else { format!("{delay} samples apart") };
        Self {
            value: entropy(&total),
            most: (total.len() as f64).log2(),
            n: all.len() as u64,
            left_out: left_out.collect(),
            how: format!("n = windows of {} values of {} {apart}", o.order, s.of),
            total,
        }
    }

    /// The entropy over `scale`, with its interval where it has one.
    fn metric(&self, s: &Series, name: &str, unit: &str, scale: f64, (drawn, null): (&[f64], Null)) -> Metric {
        let m = s.metric(name, self.value / scale, unit, self.n).note(&self.how);
        let m = chance::beside(m, &drawn.iter().map(|v| v / scale).collect::<Vec<_>>(), null, Side::Below);
        let ends = chance::jackknife(self.value, &self.left_out);
        let (Some((low, high)), true) = (ends, self.left_out.len() > 2) else {
            return m.note(format!("no interval: fewer than {} windows", 5 * BLOCKS));
        };
        // At the greatest entropy the first derivative is zero, and what is left has the law of a sum of squares.
        if self.most - self.value < self.near_most() {
            return m.note("no interval: so near the greatest entropy the estimate has no normal law");
        }
        m.interval(low.max(0.0) / scale, high.min(self.most) / scale).interval_by(format!(
            "95 % interval by leaving out each of {BLOCKS} blocks, without the bias that they show"
        ))
    }

    /// How far below the greatest entropy that of uniform orders may well be: the 99 % quantile of chi-squared over
    /// 2 N ln 2, times two for windows that overlap.
    fn near_most(&self) -> f64 {
        let freedom = (self.total.len() - 1) as f64;
        spikedeck_core::statistics::chi_squared_quantile(freedom, 0.99) / (self.n as f64 * std::f64::consts::LN_2)
    }
}

fn warn(o: &Options, f: &mut Findings<'_>, s: &Series, delay: usize, n: u64) {
    if n < (LEAST_WINDOWS * possible(o.order)) as u64 {
        f.warn(format!(
            "{}: {} few for {} orders: lower `order`",
            s.name,
            counted(n as usize, "window is", "windows are"),
            possible(o.order)
        ));
    }
    let tied = tied(&s.values, o.order, delay);
    if tied as f64 > 0.01 * n as f64 {
        f.warn(format!(
            "{}: {:.1} % of the windows hold equal values, whose order is a convention",
            s.name,
            100.0 * tied as f64 / n as f64
        ));
    }
}

/// Share of windows in each order, beside that of values without memory.
fn histogram(name: &str, total: &[u64]) -> Shape {
    let n: u64 = total.iter().sum();
    Shape::Distribution(Distribution {
        x: Axis::new("order (0: rising)", ""),
        y: Axis::new("share of windows", ""),
        edges: (0..=total.len()).map(|k| k as f64 - 0.5).collect(),
        heights: vec![(name.to_owned(), total.iter().map(|&c| c as f64 / n as f64).collect())],
        references: vec![ReferenceLine { name: "all alike".into(), at: 1.0 / total.len() as f64, vertical: false }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::{bad_series, logistic, noise};
    use crate::testing::{metric, run, subject, traces, value};
    use spikedeck_scenario::OptionValue;

    /// Orders of three iterates have shares 5/15, 1/15, 4/15, 2/15, 3/15 of the arcsine density, and one never occurs.
    #[test]
    fn the_logistic_map_has_its_closed_form() {
        let o = run(&PermutationEntropy, &traces(&[logistic(50_000)], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        let exact = -[5.0, 1.0, 4.0, 2.0, 3.0].iter().map(|k: &f64| k / 15.0 * (k / 15.0).log2()).sum::<f64>();
        let m = metric(&o, "p.V_m", "permutation_entropy");
        let (low, high) = m.ends().unwrap();
        assert!(low < exact && exact < high && high - low < 0.02, "{exact} {m:?}");
        assert!((m.chance.unwrap() - 6f64.log2()).abs() < 1e-3 && m.p_value == Some(0.01));
        assert_eq!(value(&o, "p.V_m", "patterns"), 5.0);
    }

    #[test]
    fn noise_is_at_chance_and_a_ramp_has_none() {
        let order = ("order", OptionValue::Integer(4));
        let of = |values| {
            run(&PermutationEntropy, &traces(&[values], 0.5), vec![subject("V_m", &[])], std::slice::from_ref(&order))
        };
        let o = of(noise(3, 3000)).unwrap();
        let m = metric(&o, "p.V_m", "relative");
        assert!((m.value.unwrap() - m.chance.unwrap()).abs() < 0.003 && m.p_value.unwrap() > 0.02, "{m:?}");
        assert!(m.ends().is_none() && m.note.contains("no normal law"));
        let o = of((0..300).map(f64::from).collect()).unwrap();
        assert_eq!(value(&o, "p.V_m", "permutation_entropy"), 0.0);
    }

    #[test]
    fn a_delay_is_a_whole_number_of_samples() {
        let r = traces(&[logistic(1000)], 0.5);
        let of = |seconds: f64| {
            run(&PermutationEntropy, &r, vec![subject("V_m", &[])], &[("delay", OptionValue::Number(seconds))])
        };
        assert_eq!(metric(&of(2e-3).unwrap(), "p.V_m", "relative").n, Some(1000 - 2 * 4));
        assert!(of(0.7e-3).unwrap_err().to_string().contains("no multiple of the 0.5 ms"));
    }

    #[test]
    fn bad_input_is_missing_and_few_or_tied_is_warned_of() {
        bad_series(&PermutationEntropy, "relative");
        let steps: Vec<f64> = (0..25).map(|k| f64::from(k / 3 % 2)).collect();
        let o = run(&PermutationEntropy, &traces(&[steps], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        assert!(o.warnings.iter().any(|w| w.contains("few")) && o.warnings.iter().any(|w| w.contains("equal values")));
    }
}
