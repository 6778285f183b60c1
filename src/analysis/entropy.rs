//! Entropy of a signal's symbols or words, by every estimator side by side.

use super::dependence::Binning;
use super::dependence::prepare::Alphabet;
use super::dependence::report;
use super::dependence::signals::{self, Signal};
use super::prelude::*;
use super::series::chance;
use spikedeck_core::entropy::Counts;
use spikedeck_core::information::words as joined;
use spikedeck_core::statistics::correlation_time;
use spikedeck_core::surrogate::jackknife_blocks;
use spikedeck_core::ties::Ties;
use spikedeck_core::units::short;
use spikedeck_signal::{Axis, Distribution, NamedShape, Shape};
use std::f64::consts::LN_2;

/// `kind = "entropy"`.
#[derive(Debug, Clone, Copy)]
pub struct Entropy;

const CARD: AnalysisCard = AnalysisCard {
    title: "Entropy",
    synonyms: &["shannon_entropy", "nsb", "chao_shen", "grassberger", "miller_madow", "entropy_rate", "direct_method"],
    summary: "entropy of a signal's symbols or words, by eight estimators side by side, with what they differ by",
    formula: "plugin: −Σ p log₂ p;  miller_madow: + (m − 1)/(2N ln 2) for m symbols seen;  panzeri_treves: the same \
              with \
              the Bayes-like count of relevant symbols\n\
              chao_shen: −Σ Cp log₂(Cp)/(1 − (1 − Cp)^N), C = 1 − (seen once)/N\n\
              grassberger: (ln N − Σ n G(n)/N)/ln 2, G(n) = ψ(n) + ½(−1)ⁿ(ψ((n+1)/2) − ψ(n/2))\n\
              shrinkage: plug-in of λ/K + (1 − λ)p, λ = (1 − Σp²)/((N − 1) Σ(1/K − p)²)\n\
              nsb: posterior mean under priors that expect every entropy alike\n\
              words: `word` symbols in turn are one; entropy_rate = H(words)/(word · bin)",
    assumptions: "Symbols are counts of spikes in bins, distinct values that occur often, or bins of a continuous \
                  state \
                  (whose entropy then is that of the bins). Samples enough that the estimators agree.",
    bias: "Plug-in is too low, by some (m − 1)/(2N ln 2) bits and by more where most symbols were never seen; the \
           others \
           take off what they can. K, the number of possible symbols, counts for shrinkage and nsb: those that \
           occur, to \
           the power of `word`.",
    cost: "O(N log N), and one integral for nsb",
    caveats: "Where the estimators differ by more than their intervals the samples are too few, whatever each says. \
              Neighbouring symbols that depend on each other are worth fewer samples than they are: the interval, by \
              leaving out blocks, sees it, the corrections do not. The intervals are of the estimate and know no \
              bias that \
              is left. An entropy has no chance level: that of equally likely symbols is the greatest, and is given.",
    references: &[
        "Miller 1955, in Information Theory in Psychology, 95-100 (review: Paninski 2003, Neural Comput 15:1191-1253, \
         doi:10.1162/089976603321780272)",
        "Panzeri, Treves 1996, Network 7:87-107, doi:10.1080/0954898X.1996.11978656",
        "Chao, Shen 2003, Environ Ecol Stat 10:429-443, doi:10.1023/A:1026096204727",
        "Grassberger 2003, arXiv:physics/0307138",
        "Hausser, Strimmer 2009, J Mach Learn Res 10:1469-1484, arXiv:0811.3579",
        "Nemenman, Shafee, Bialek 2002, Adv Neural Inf Process Syst 14, arXiv:physics/0108025",
        "Strong, Koberle, de Ruyter van Steveninck, Bialek 1998, Phys Rev Lett 80:197-200, \
         doi:10.1103/PhysRevLett.80.197",
    ],
};

words! {
    /// What is made of counts.
    pub enum By {
        /// Frequencies.
        PlugIn = "plugin",
        /// With Miller's term.
        MillerMadow = "miller_madow",
        /// With Panzeri's and Treves' count.
        PanzeriTreves = "panzeri_treves",
        /// By coverage.
        ChaoShen = "chao_shen",
        /// By digammas.
        Grassberger = "grassberger",
        /// Drawn towards uniform.
        Shrinkage = "shrinkage",
        /// Under a mixture of priors.
        Nsb = "nsb",
    }
}

impl By {
    const ALL: [Self; 7] = [
        Self::PlugIn,
        Self::MillerMadow,
        Self::PanzeriTreves,
        Self::ChaoShen,
        Self::Grassberger,
        Self::Shrinkage,
        Self::Nsb,
    ];

    /// In bits.
    pub fn bits(self, counts: &Counts) -> f64 {
        let nats = match self {
            Self::PlugIn => counts.plug_in(),
            Self::MillerMadow => counts.miller_madow(),
            Self::PanzeriTreves => counts.panzeri_treves(),
            Self::ChaoShen => counts.chao_shen(),
            Self::Grassberger => counts.grassberger(),
            Self::Shrinkage => counts.shrinkage(),
            Self::Nsb => counts.nsb().0,
        };
        nats / LN_2
    }
}

/// Samples that an entropy needs.
const LEAST: usize = 20;
/// Most words that are drawn one by one.
const MOST_DRAWN: usize = 64;

options! {
    /// What `entropy` can be told.
    pub struct Options {
        estimator: By = choice(By::Nsb), "which estimate is called `entropy`; all stand in the table under their own \
        names";
        word: usize = integer("1").between(1.0, 64.0), "symbols in turn that make one word (windows that overlap)";
        bin: Option<Time> = signal_bin();
        bins: usize = report::bins("8", 4096.0);
        binning: Binning = choice(Binning::EqualWidth).about("bins of equal width, or with equal shares of samples \
        (whose \
             entropy is their number's logarithm)");
        possible: Option<f64> = number_if_given().between(2.0, 1e15),
            "K, how many symbols or words are possible, for shrinkage and nsb (default: the symbols that occur, to the \
             power of `word`)";
        blocks: usize = integer("20").between(0.0, 1000.0), "blocks of the jackknife that gives intervals; 0 for none";
    }
}

impl Estimator for Entropy {
    type Options = Options;
    const KIND: &'static str = "entropy";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;
    const TABLE: &'static str = "estimators";

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_subject(|f, s| {
            let all = signals::of(f.request, std::slice::from_ref(s), o.bin)?;
            f.each(&all, |f, signal| {
                if let Some(outside) = &signal.outside {
                    f.warn(outside);
                }
                one(o, f, signal);
                Ok(())
            })
        })
    }
}

/// What is wrong with a signal.
fn unsuitable(o: &Options, signal: &Signal) -> Option<String> {
    let n = signal.values.len();
    let bad = signal.values.iter().filter(|v| !v.is_finite()).count();
    if bad > 0 {
        return Some(format!("{bad} of {n} samples are no finite numbers"));
    }
    if n < o.word {
        return Some(format!("{n} samples hold no word of {}", o.word));
    }
    if n > 0 && signal.values.iter().all(|v| *v == signal.values[0]) {
        return Some(format!("constant: all {n} samples are one symbol, of which nothing can be told"));
    }
    let words = n + 1 - o.word;
    (words < LEAST).then(|| format!("{words} words, fewer than {LEAST}"))
}

fn one(o: &Options, f: &mut Findings<'_>, signal: &Signal) {
    if let Some(why) = unsuitable(o, signal) {
        f.metric(Metric::missing(&signal.name, "entropy", "bits", signal.values.len() as u64, &why));
        f.word(format!("entropy of {}: no value, {why}", signal.name));
        return;
    }
    let found = Words::of(o, signal);
    let table: Vec<Metric> = By::ALL.iter().map(|by| found.metric(signal, *by, by.word(), o)).collect();
    let mut first = found.metric(signal, o.estimator, "entropy", o);
    first = first.note(o.estimator.word()).note(found.how.clone());
    f.word(format!(
        "entropy of {}: {} bits ({})",
        signal.name,
        first.value.map_or("no".into(), short),
        o.estimator.word()
    ));
    rates(o, f, signal, &found, &first);
    f.metric(first);
    f.metric(
        Metric::new(&signal.name, "greatest", found.possible.log2(), "bits", found.n)
            .note(format!("log₂ of the {} symbols or words that are possible", short(found.possible))),
    );
    spread(f, signal, &table);
    f.metrics(table);
    if found.total.len() <= MOST_DRAWN {
        f.shapes([found.histogram(&signal.name)]);
    }
}

/// Bits in a second, and a symbol, of words.
fn rates(o: &Options, f: &mut Findings<'_>, signal: &Signal, found: &Words, first: &Metric) {
    let Some(value) = first.value else { return };
    let time = o.word as f64 * signal.interval;
    let unit = if f.base == spikedeck_signal::TimeBase::Milliseconds { "bits/s" } else { "bits/time" };
    let m = Metric::new(&signal.name, "entropy_rate", value / time, unit, found.n)
        .note(format!("entropy of a word over its length of {} symbols", o.word));
    f.metric(match first.ends() {
        Some((low, high)) => m
            .interval(low / time, high / time)
            .ground(Basis::Interval, "95 % interval of the entropy over the length of a word"),
        None => m,
    });
}

/// Warns where the estimators do not agree.
fn spread(f: &mut Findings<'_>, signal: &Signal, table: &[Metric]) {
    // Plug-in is known to be too low; the others should agree.
    let known: Vec<f64> = table[1..].iter().filter_map(|m| m.value).collect();
    let low = known.iter().copied().fold(f64::INFINITY, f64::min);
    let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let n = table[0].n.expect("every estimate says of how many samples it is");
    f.metric(
        Metric::new(&signal.name, "spread", high - low, "bits", n)
            .note("from the least to the greatest of the corrected estimates"),
    );
    if high - low > 0.1 * high.max(0.1) {
        f.warn(format!(
            "{}: corrected estimates of its entropy go from {low:.3} to {high:.3} bits: {n} samples are too few for \
            its \
             symbols",
            signal.name
        ));
    }
}

/// The words of a signal.
struct Words {
    words: Vec<u32>,
    total: Vec<u64>,
    possible: f64,
    n: u64,
    how: String,
    /// Samples worth one independent sample.
    worth: f64,
}

impl Words {
    fn of(o: &Options, signal: &Signal) -> Self {
        let alphabet = Alphabet { bins: o.bins, binning: o.binning, by_value: true };
        let (symbols, size) = alphabet.symbols(signal, &signal.values);
        let what = if signal.counts {
            "counts"
        } else if Ties::of(&signal.values).repeats(&signal.values) {
            "distinct values"
        } else {
            "bins"
        };
        let n = symbols.len() + 1 - o.word;
        let columns: Vec<Vec<u32>> = (0..o.word).map(|k| symbols[k..k + n].to_vec()).collect();
        let (words, count) = if o.word == 1 { (symbols, size) } else { joined(&columns, size) };
        let mut total = vec![0; count];
        for &w in &words {
            total[w as usize] += 1;
        }
        let possible = o.possible.unwrap_or((size as f64).powi(o.word as i32)).max(count as f64);
        let of = if o.word == 1 { String::new() } else { format!(", words of {}", o.word) };
        Self {
            total,
            possible,
            n: n as u64,
            how: format!("{size} symbols ({what}){of}; n = {}", if o.word == 1 { "samples" } else { "words" }),
            worth: correlation_time(&signal.values).max(1.0),
            words,
        }
    }

    /// An estimate with its interval.
    fn metric(&self, signal: &Signal, by: By, name: &str, o: &Options) -> Metric {
        let counts = Counts::new(&self.total, self.possible);
        let value = by.bits(&counts);
        let m = Metric::new(&signal.name, name, value, "bits", self.n);
        if o.blocks < 3 {
            return m;
        }
        let block = self.words.len() as f64 / o.blocks as f64;
        // Blocks that are no longer than a word, or than the samples depend on each other, are not independent.
        if block < 10.0 * self.worth.max(o.word as f64) {
            return m.note(format!(
                "no interval: blocks of {block:.0} samples are short against words of {} and samples that depend on \
                each \
                 other over {:.0}",
                o.word, self.worth
            ));
        }
        let left_out: Vec<f64> = jackknife_blocks(self.words.len(), o.blocks)
            .into_iter()
            .map(|block| {
                let mut rest = self.total.clone();
                for &w in &self.words[block] {
                    rest[w as usize] -= 1;
                }
                by.bits(&Counts::new(&rest, self.possible))
            })
            .collect();
        // All symbols alike likely: the estimate has no normal law.
        let near = self.possible.log2() - value;
        let freedom = self.possible.min(1e6) - 1.0;
        let uniform = spikedeck_core::statistics::chi_squared_quantile(freedom, 0.99) / (2.0 * self.n as f64 * LN_2);
        if near < uniform * self.worth {
            return m.note("no interval: so near the greatest entropy the estimate has no normal law");
        }
        match chance::jackknife(value, &left_out) {
            Some((low, high)) if by == By::PlugIn => m
                .interval(low.max(0.0), high)
                .interval_by("95 % interval without the bias that leaving out blocks shows"),
            Some(_) => match spikedeck_core::surrogate::jackknife_interval(value, &left_out) {
                Some((low, high)) => m.interval(low.max(0.0), high).interval_by("95 % delete-a-block jackknife"),
                None => m,
            },
            None => m.note("no interval: without a block there is no value"),
        }
    }

    fn histogram(&self, name: &str) -> NamedShape {
        let share = |&c: &u64| c as f64 / self.n as f64;
        NamedShape::new(
            format!("symbols of {name}"),
            Shape::Distribution(Distribution {
                x: Axis::new("symbol", ""),
                y: Axis::new("share", ""),
                edges: (0..=self.total.len()).map(|k| k as f64 - 0.5).collect(),
                heights: vec![(name.to_owned(), self.total.iter().map(share).collect())],
                references: Vec::new(),
            }),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::noise;
    use crate::testing::{metric, poisson, recording, run, subject, traces, value};
    use spikedeck_core::normal::normal;
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::OptionValue;

    fn coin(n: usize, share: f64) -> Vec<f64> {
        let mut s = Key::new(3, "entropy", "coin").stream(0, 0);
        (0..n).map(|_| f64::from(u8::from(s.uniform() < share))).collect()
    }

    #[test]
    fn a_coin_has_its_entropy_by_all_estimators() {
        let o = run(&Entropy, &traces(&[coin(20_000, 0.2)], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        let truth = -0.2 * 0.2_f64.log2() - 0.8 * 0.8_f64.log2();
        for name in By::ALL.map(Choice::word).into_iter().chain(["entropy"]) {
            let m = metric(&o, "p.V_m", name);
            let (low, high) = m.ends().unwrap();
            assert!((m.value.unwrap() - truth).abs() < high - low && high - low < 0.03, "{m:?}");
        }
        assert!((value(&o, "p.V_m", "greatest") - 1.0).abs() < 1e-12 && value(&o, "p.V_m", "spread") < 1e-3);
        assert!((value(&o, "p.V_m", "entropy_rate") - 1000.0 * value(&o, "p.V_m", "entropy")).abs() < 1e-9);
        assert!(o.warnings.is_empty(), "{:?}", o.warnings);
    }

    /// Words of a coin that keeps its side nine times in ten: 1 + (L − 1) H(0.1) bits.
    #[test]
    fn words_have_the_entropy_of_a_chain() {
        let key = Key::new(4, "entropy", "chain");
        let mut side = 0.0;
        let chain: Vec<f64> = (0..40_000)
            .map(|k| {
                if normal(key, 0, k) > 1.281_552 {
                    side = 1.0 - side;
                }
                side
            })
            .collect();
        let word = [("word", OptionValue::Integer(6))];
        let o = run(&Entropy, &traces(&[chain], 1.0), vec![subject("V_m", &[])], &word).unwrap();
        let truth = 1.0 + 5.0 * 0.468_996;
        assert!((value(&o, "p.V_m", "nsb") - truth).abs() < 0.06, "{}", value(&o, "p.V_m", "nsb"));
        assert!((value(&o, "p.V_m", "greatest") - 6.0).abs() < 1e-12);
    }

    #[test]
    fn counts_of_spikes_and_few_samples() {
        let r = recording(&[poisson(1, 0, 30.0, 20_000.0)], 20_000.0);
        let o = run(&Entropy, &r, vec![subject("spikes", &[])], &[]).unwrap();
        // Poisson counts of mean 0.3.
        let p = [0.740_818, 0.222_245, 0.033_337, 0.003_334, 0.000_25];
        let truth: f64 = p.iter().map(|p: &f64| -p * p.log2()).sum();
        let m = metric(&o, "p.spikes", "entropy");
        assert!((m.value.unwrap() - truth).abs() < 0.06 && m.note.contains("counts"), "{truth} {m:?}");
        let word = [("word", OptionValue::Integer(12))];
        let o = run(&Entropy, &traces(&[coin(300, 0.5)], 1.0), vec![subject("V_m", &[])], &word).unwrap();
        assert!(o.warnings.iter().any(|w| w.contains("too few")), "{:?}", o.warnings);
    }

    #[test]
    fn bad_input_is_missing() {
        let mut holes = noise(1, 300);
        holes[7] = f64::NAN;
        for (values, why) in [(holes, "1 of 300"), (noise(1, 5), "5 words"), (vec![2.0; 300], "constant")] {
            let o = run(&Entropy, &traces(&[values], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
            let m = metric(&o, "p.V_m", "entropy");
            assert!(m.value.is_none() && m.note.contains(why), "{m:?}");
        }
    }
}
