//! O-information of several signals: whether what they share is redundant or synergistic.

use super::dependence::prepare::Alphabet;
use super::dependence::signals::{self, Signal};
use super::dependence::{Binning, report};
use super::prelude::*;
use super::series::chance::Side;
use rayon::prelude::*;
use spikedeck_core::decomposition::o_information;
use spikedeck_core::entropy::Counts;
use spikedeck_core::information::{covariance, words};
use spikedeck_core::linear::log_abs_determinant;
use spikedeck_core::number::shown;
use spikedeck_core::rng::Stream;
use spikedeck_core::statistics::{correlation_time, mean};
use spikedeck_core::surrogate::jackknife_blocks;
use spikedeck_core::ties::Ties;
use std::f64::consts::LN_2;

/// The analysis `o_information`.
pub struct OInformation;

const CARD: AnalysisCard = AnalysisCard {
    title: "O-information",
    synonyms: &["omega", "total_correlation", "multi_information", "dual_total_correlation", "high_order_information"],
    summary: "whether what three or more signals share is redundant (above 0) or synergistic (below 0)",
    formula: "Ω = (n − 2) H(X) + Σ (H(X_i) − H(X without X_i)) = total correlation − dual total correlation\n\
              total_correlation = Σ H(X_i) − H(X);  dual_total_correlation = H(X) − Σ H(X_i | X without X_i)\n\
              gaussian: H = ½ log₂ det of covariances;  plugin: frequencies of words, Miller and Madow's correction",
    assumptions: "Samples of all signals at one time. Gaussian: jointly normal. Plug-in: samples many against the \
                  words that n signals make. p: each signal rotated by a time of its own.",
    bias: "Total correlation is never negative and too large with few samples; Ω is biased less, as the biases of both \
           parts go one way. The chance column shows what is left.",
    cost: "O(N n²) (gaussian), O(N n) words (plugin); times surrogates and blocks",
    caveats: "0 may be balance as well as nothing: look at the total correlation beside it. It says nothing of single \
              pairs or triples.",
    references: &[
        "Rosas, Mediano, Gastpar, Jensen 2019, Phys Rev E 100:032305, doi:10.1103/PhysRevE.100.032305",
        "Watanabe 1960, IBM J Res Dev 4:66-82, doi:10.1147/rd.41.0066",
    ],
};

words! {
    /// Which estimate is made.
    pub enum By {
        /// By what the signals are.
        Auto = "auto",
        /// Frequencies of words of symbols.
        PlugIn = "plugin",
        /// Determinants of covariances.
        Gaussian = "gaussian",
    }
}

options! {
    /// What `o_information` can be told.
    pub struct Options {
        estimator: By = choice(By::Auto),
            "auto: plugin where all signals are spike counts or have few distinct values, else gaussian";
        bin: Option<Time> = signal_bin();
        bins: usize = report::bins("3", 16.0);
        binning: Binning = report::binning();
        surrogates: usize = integer("199").between(19.0, 100_000.0), "surrogates (each signal rotated alone)";
        blocks: usize = integer("20").between(0.0, 1000.0), "blocks of the jackknife that gives intervals; 0 for none";
    }
}

/// Most signals.
const MOST: usize = 64;
/// Samples that are needed.
const LEAST: usize = 50;
/// Names of what is measured.
const NAMES: [&str; 3] = ["o_information", "total_correlation", "dual_total_correlation"];

impl Estimator for OInformation {
    type Options = Options;
    const KIND: &'static str = "o_information";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let all = signals::aligned(f.request, &f.request.spec.of, o.bin)?;
        let m = all.len();
        if !(3..=MOST).contains(&m) {
            return Err(AnalysisError::Unsuitable(format!(
                "{m} signals: O-information is of 3 to {MOST}; of two it is always 0 (see `mutual_information`)"
            )));
        }
        let mut texts: Vec<&str> = f.request.spec.of.iter().map(|s| s.text.as_str()).collect();
        texts.dedup();
        let name = texts.join("+");
        let n = all[0].values.len();
        let bad = all.iter().find_map(super::coherence::unfit);
        if let Some(why) = bad.or_else(|| (n < LEAST).then(|| format!("{n} samples, fewer than {LEAST}"))) {
            f.word(format!("{name}: no value, {why}"));
            f.metrics(NAMES.map(|metric| Metric::missing(&name, metric, "bits", n as u64, &why)));
            return Ok(());
        }
        one(o, f, &name, &all)
    }
}

/// The signals in the form in which their entropies are taken.
enum Form {
    Values(Vec<Vec<f64>>),
    Symbols(Vec<(Vec<u32>, usize)>),
}

impl Form {
    fn of(o: &Options, all: &[Signal]) -> Self {
        let few = |s: &Signal| {
            let ties = Ties::of(&s.values);
            ties.repeats(&s.values) && ties.levels.len() <= 4
        };
        let symbols = match o.estimator {
            By::PlugIn => true,
            By::Gaussian => false,
            By::Auto => all.iter().all(|s| s.counts || few(s)),
        };
        if !symbols {
            return Self::Values(all.iter().map(|s| s.values.clone()).collect());
        }
        let alphabet = Alphabet { bins: o.bins, binning: o.binning, by_value: o.estimator == By::Auto };
        Self::Symbols(all.iter().map(|s| alphabet.symbols(s, &s.values)).collect())
    }

    /// The same with what `pick` takes of each signal: its number, and its samples.
    fn picked(&self, pick: impl Fn(usize, usize) -> Vec<usize>) -> Self {
        match self {
            Self::Values(v) => Self::Values(
                v.iter().enumerate().map(|(k, v)| pick(k, v.len()).into_iter().map(|i| v[i]).collect()).collect(),
            ),
            Self::Symbols(s) => Self::Symbols(
                s.iter()
                    .enumerate()
                    .map(|(k, s)| (pick(k, s.0.len()).into_iter().map(|i| s.0[i]).collect(), s.1))
                    .collect(),
            ),
        }
    }

    /// O-information, total and dual total correlation in bits; NaN where a covariance is singular.
    fn measure(&self) -> [f64; 3] {
        let m = match self {
            Self::Values(v) => v.len(),
            Self::Symbols(s) => s.len(),
        };
        let everyone: Vec<usize> = (0..m).collect();
        let all = self.entropy(&everyone);
        let ones: Vec<f64> = (0..m).map(|i| self.entropy(&[i])).collect();
        let rest: Vec<f64> =
            (0..m).map(|i| self.entropy(&everyone.iter().copied().filter(|&k| k != i).collect::<Vec<_>>())).collect();
        let total = ones.iter().sum::<f64>() - all;
        let dual = all - rest.iter().map(|r| all - r).sum::<f64>();
        [o_information(all, &ones, &rest), total, dual]
    }

    /// Entropy of some of the signals in bits, of values up to what the number of signals adds.
    fn entropy(&self, of: &[usize]) -> f64 {
        match self {
            Self::Values(v) => {
                let columns: Vec<&[f64]> = of.iter().map(|&k| v[k].as_slice()).collect();
                let matrix = covariance(&columns);
                let scale: f64 = (0..of.len()).map(|i| matrix[i * of.len() + i].ln()).sum();
                let log = log_abs_determinant(&matrix, of.len());
                // Collinear to rounding: the entropy has no bound.
                if log - scale < -25.0 { f64::NAN } else { 0.5 * log / LN_2 }
            }
            Self::Symbols(s) => {
                let columns: Vec<Vec<u32>> = of.iter().map(|&k| s[k].0.clone()).collect();
                let size = of.iter().map(|&k| s[k].1).fold(1, usize::max);
                let (joined, count) = words(&columns, size);
                let mut counts = vec![0_u64; count];
                for w in joined {
                    counts[w as usize] += 1;
                }
                Counts::new(&counts, count as f64).miller_madow() / LN_2
            }
        }
    }
}

fn one(o: &Options, f: &mut Findings<'_>, name: &str, all: &[Signal]) -> Measured {
    let form = Form::of(o, all);
    let n = all[0].values.len();
    let values = form.measure();
    let how = match form {
        Form::Values(_) => "gaussian",
        Form::Symbols(_) => "plug-in, correction miller_madow",
    };
    if values[0].is_nan() {
        f.word(format!("{name}: no value, one signal is made of the others"));
        let why = "one signal is made of the others: the determinant is 0";
        f.metrics(NAMES.map(|metric| Metric::missing(name, metric, "bits", n as u64, why)));
        return Ok(());
    }
    let key = f.key(name, "surrogates");
    let gap = (n / 50).max(1);
    let mut drawn: Vec<[f64; 3]> = Vec::with_capacity(o.surrogates);
    let numbers: Vec<u32> = (0..o.surrogates as u32).collect();
    for some in numbers.chunks(16) {
        f.progress(0.8 * drawn.len() as f64 / o.surrogates as f64)?;
        drawn.par_extend(
            some.par_iter()
                .map(|&k| form.picked(|signal, n| rotated(n, gap, &mut key.stream(k, signal as u64))).measure()),
        );
    }
    let worth = all.iter().map(|s| correlation_time(&s.values)).fold(1.0, f64::max);
    let blocks: Vec<[f64; 3]> = if o.blocks < 3 || (n / o.blocks) as f64 <= 10.0 * worth {
        Vec::new()
    } else {
        jackknife_blocks(n, o.blocks)
            .into_par_iter()
            .map(|block| form.picked(|_, n| (0..n).filter(|i| !block.contains(i)).collect()).measure())
            .collect()
    };
    f.progress(1.0)?;
    for (k, metric) in NAMES.into_iter().enumerate() {
        let chance: Vec<f64> = drawn.iter().map(|d| d[k]).filter(|v| v.is_finite()).collect();
        let side = if k == 0 { Side::Both } else { Side::Above };
        let p = super::series::chance::p(values[k], &chance, side);
        let mut m = Metric::new(name, metric, values[k], "bits", n as u64)
            .chance(mean(&chance))
            .p(p)
            .note(how)
            .null_by(format!("p against {} surrogates, each signal rotated alone", chance.len()));
        let list: Vec<f64> = blocks.iter().map(|b| b[k]).collect();
        m = match super::series::chance::jackknife(values[k], &list) {
            _ if o.blocks < 3 => m,
            _ if blocks.is_empty() => m.note("no interval: blocks are short against how long samples depend on others"),
            _ if p > 0.05 => m.note("no interval: not told from chance, where the estimate is not normal"),
            Some((low, high)) => m.interval(low, high).interval_by("95 % delete-a-block jackknife"),
            None => m.note("no interval: without a block there is no value"),
        };
        f.metric(m);
    }
    f.word(format!("{name}: O-information {} of a total correlation of {} bits", shown(values[0]), shown(values[1])));
    Ok(())
}

/// The samples of a signal turned round by `gap` at the least.
fn rotated(n: usize, gap: usize, stream: &mut Stream) -> Vec<usize> {
    let by = gap + stream.below((n - 2 * gap + 1) as u32) as usize;
    (0..n).map(|i| (i + by) % n).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::noise;
    use crate::testing::{metric, run, same_values, shifted, subject, traces};
    use spikedeck_core::rng::Key;

    /// Three copies of a coin with flips, and two coins and their parity: +, −1 bit.
    #[test]
    fn copies_are_redundant_and_parity_is_synergistic() {
        let mut s = Key::new(2, "o", "coins").stream(0, 0);
        let mut coin = |p: f64| (0..5000).map(|_| f64::from(u8::from(s.uniform() < p))).collect::<Vec<f64>>();
        let (a, b) = (coin(0.5), coin(0.5));
        let flip = |x: &[f64], f: &[f64]| x.iter().zip(f).map(|(x, f)| (x - f).abs()).collect::<Vec<f64>>();
        let parity = flip(&a, &b);
        let copies = [coin(0.05), coin(0.05), coin(0.05)].map(|f| flip(&a, &f));
        let of =
            |columns: &[Vec<f64>]| run(&OInformation, &traces(columns, 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        let o = of(&[a, b, parity]);
        let m = metric(&o, "p.V_m", "o_information");
        assert!((m.value.unwrap() + 1.0).abs() < 0.01 && m.p_value.unwrap() <= 0.02, "{m:?}");
        let o = of(&copies);
        let m = metric(&o, "p.V_m", "o_information");
        assert!((0.3..0.8).contains(&m.value.unwrap()) && m.note.contains("plug-in"), "{m:?}");
    }

    /// A common part of normal signals: Ω by the determinants, in closed form for equal correlations r:
    /// det of n such = (1 − r)^(n−1) (1 + (n − 1) r).
    #[test]
    fn a_common_part_is_redundant_by_as_much_as_determinants_say() {
        let common = noise(9, 20_000);
        let columns: Vec<Vec<f64>> =
            (0..4).map(|k| noise(k, 20_000).iter().zip(&common).map(|(e, c)| e + c).collect()).collect();
        let r = traces(&columns, 1.0);
        let o = run(&OInformation, &r, vec![subject("V_m", &[])], &[]).unwrap();
        let h = |n: f64| 0.5 * (0.5_f64.powf(n - 1.0) * (1.0 + (n - 1.0) * 0.5)).log2();
        let wanted = 2.0 * h(4.0) + 4.0 * (h(1.0) - h(3.0));
        let m = metric(&o, "p.V_m", "o_information");
        let (low, high) = m.ends().unwrap();
        assert!(low < wanted && wanted < high && high - low < 0.05, "{wanted} {m:?}");
        same_values(&o, &run(&OInformation, &shifted(&r, 1e9), vec![subject("V_m", &[])], &[]).unwrap(), 1e-9);
        // Independent: nothing.
        let alone: Vec<Vec<f64>> = (0..4).map(|k| noise(20 + k, 2000)).collect();
        let o = run(&OInformation, &traces(&alone, 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        assert!(metric(&o, "p.V_m", "total_correlation").p_value.unwrap() > 0.02);
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        let x = noise(1, 300);
        let sum: Vec<f64> = x.iter().zip(noise(2, 300)).map(|(a, b)| a + b).collect();
        for (columns, why) in [
            (vec![x.clone(), noise(2, 300), sum], "made of the others"),
            (vec![x.clone(), noise(2, 300), vec![1.0; 300]], "does not vary"),
        ] {
            let o = run(&OInformation, &traces(&columns, 1.0), vec![subject("V_m", &[])], &[]).unwrap();
            let m = metric(&o, "p.V_m", "o_information");
            assert!(m.value.is_none() && m.note.contains(why), "{m:?}");
        }
        let two = traces(&[x.clone(), noise(2, 300)], 1.0);
        let error = run(&OInformation, &two, vec![subject("V_m", &[])], &[]).unwrap_err().to_string();
        assert!(error.contains("of two it is always 0"), "{error}");
    }
}
