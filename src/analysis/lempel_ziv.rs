//! Lempel-Ziv complexity: of how many new words a sequence of symbols is made.

use super::prelude::*;
use super::series::chance::{self, Null, Side};
use super::series::{self, Series};
use spikedeck_core::information::{entropy, quantile_bins, whole_numbers};
use spikedeck_core::lempel_ziv::{relative, words as words_of};
use spikedeck_core::number::shown;
use spikedeck_core::ties::Ties;
use spikedeck_signal::{Axis, CurveStyle, NamedShape, Series as Curves, Shape};

/// `kind = "lempel_ziv"`.
#[derive(Debug, Clone, Copy)]
pub struct LempelZiv;

const CARD: AnalysisCard = AnalysisCard {
    title: "Lempel-Ziv complexity",
    synonyms: &["lz", "lzc", "lempel_ziv_complexity", "lz76"],
    summary: "of how many new words a sequence of symbols is made: few for what repeats itself",
    formula: "words: the sequence is cut into words, each the shortest that does not occur before (in all symbols \
              but its \
              last)\n\
              complexity = words · log₂ N/(N h), h the entropy of the symbols' frequencies (log₂ of their number for \
              equal shares): 1 in the limit of independent symbols\n\
              entropy_rate = words · log₂ N/N, in bits a sample",
    assumptions: "A stationary sequence of symbols: distinct values that occur often are symbols as they are, others \
                  fall \
                  into bins with equal shares (two: above or below the median).",
    bias: "Too large by some 5 to 10 % at N = 1000 to 10,000, as the limit is reached as 1/log N: independent \
           symbols of \
           the same length, the chance level, show by how much.",
    cost: "O(N log N), times surrogates",
    caveats: "Cutting at the median forgets sizes. Slow drifts make long runs on one side, which look simple: filter \
              or \
              difference first. Values of recordings of different lengths, or in other symbols, do not compare; over \
              chance \
              they do. One sequence gives one count of words: there is no interval, and resampling would make repeats.",
    references: &[
        "Lempel, Ziv 1976, IEEE Trans Inf Theory 22:75-81, doi:10.1109/TIT.1976.1055501",
        "Kaspar, Schuster 1987, Phys Rev A 36:842-848, doi:10.1103/PhysRevA.36.842",
        "Amigó, Szczepański, Wajnryb, Sanchez-Vives 2004, Neural Comput 16:717-736, doi:10.1162/089976604322860677",
        "Phipson, Smyth 2010, Stat Appl Genet Mol Biol 9:39, doi:10.2202/1544-6115.1585",
    ],
};

/// Samples that say anything.
const LEAST: usize = 20;

options! {
    /// What `lempel_ziv` can be told.
    pub struct Options {
        symbols: usize = integer("2").between(2.0, 64.0),
            "bins with equal shares that other values than a few distinct ones fall into";
        surrogate: Null = chance::null();
        surrogates: usize = chance::surrogates("99");
        bin: Time = rate_bin(), "bin of rates (states are taken at their own samples)";
    }
}

impl Estimator for LempelZiv {
    type Options = Options;
    const KIND: &'static str = "lempel_ziv";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let wanted = [("complexity", ""), ("words", ""), ("entropy_rate", "bits/sample")];
        let mut curves = Vec::new();
        series::each(f, o.bin, LEAST, &wanted, |f, s| {
            let found = Found::of(&s.values, o);
            let drawn = chance::drawn(f, s, o.surrogate, o.surrogates, |v| words_of(&found.again(v)) as f64)?;
            let n = s.n();
            let told = |name: &str, unit: &str, scale: f64| {
                let drawn: Vec<f64> = drawn.iter().map(|w| w * scale).collect();
                let m = s.metric(name, found.words as f64 * scale, unit, n).note(&found.how);
                chance::beside(m, &drawn, o.surrogate, Side::Below)
                    .note("no interval: one sequence has one number of words")
            };
            let rate = (n as f64).log2() / n as f64;
            f.metrics([
                told("complexity", "", rate / found.bits),
                told("words", "", 1.0),
                told("entropy_rate", "bits/sample", rate),
            ]);
            f.word(format!(
                "{}: {} words, complexity {}",
                s.name,
                found.words,
                shown(found.words as f64 * rate / found.bits)
            ));
            curves.push(growth(s, &found));
            Ok(())
        })?;
        if !curves.is_empty() {
            let (x, y) = (Axis::new("samples", ""), Axis::new("complexity", ""));
            f.shapes([NamedShape::new("growth", Shape::Series(Curves { x, y, curves, ..Curves::default() }))]);
        }
        Ok(())
    }
}

/// A series as symbols, and its words.
struct Found {
    /// The values in ascending order, with their symbols.
    known: Vec<(f64, u32)>,
    symbols: Vec<u32>,
    bits: f64,
    words: u64,
    how: String,
}

impl Found {
    fn of(values: &[f64], o: &Options) -> Self {
        let ties = Ties::of(values);
        let ((symbols, size), what) = if ties.repeats(values) {
            let levels: Vec<f64> = ties.symbols(values).into_iter().map(f64::from).collect();
            (whole_numbers(&levels), "distinct values")
        } else {
            (quantile_bins(values, o.symbols), "bins with equal shares")
        };
        let mut counts = vec![0_u64; size];
        for &s in &symbols {
            counts[s as usize] += 1;
        }
        let mut known: Vec<(f64, u32)> = values.iter().copied().zip(symbols.iter().copied()).collect();
        known.sort_by(|a, b| a.0.total_cmp(&b.0));
        known.dedup();
        let bits = entropy(&counts);
        Self { words: words_of(&symbols), known, symbols, bits, how: format!("{size} symbols ({what}); n = samples") }
    }

    /// The symbols of the same values in another order.
    fn again(&self, values: &[f64]) -> Vec<u32> {
        values
            .iter()
            .map(|v| self.known[self.known.partition_point(|k| k.0 < *v).min(self.known.len() - 1)].1)
            .collect()
    }
}

/// The complexity of the first half, quarter, ... of the series: whether it has settled.
fn growth(s: &Series, found: &Found) -> spikedeck_signal::Curve {
    let n = found.symbols.len();
    let lengths = (0..10).rev().map(|k| n >> k).filter(|&l| l >= LEAST);
    let (x, y) = lengths
        .filter_map(|l| Some((l as f64, relative(words_of(&found.symbols[..l]), &found.symbols[..l], found.bits)?)))
        .unzip();
    curve(&s.name, x, y, CurveStyle::Line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::{bad_series, logistic, noise};
    use crate::testing::{metric, run, subject, traces, value};

    fn of(values: Vec<f64>) -> crate::Outcome {
        run(&LempelZiv, &traces(&[values], 1.0), vec![subject("V_m", &[])], &[]).unwrap()
    }

    #[test]
    fn noise_and_the_symbols_of_the_logistic_map_are_at_chance() {
        // Above or below the middle, the logistic map at 4 is a fair coin: its symbols have no memory.
        for values in [noise(1, 20_000), logistic(20_000)] {
            let o = of(values);
            let m = metric(&o, "p.V_m", "complexity");
            assert!((m.value.unwrap() - m.chance.unwrap()).abs() < 0.02 && m.p_value.unwrap() > 0.02, "{m:?}");
            assert!((1.0..1.1).contains(&m.value.unwrap()));
        }
    }

    #[test]
    fn what_repeats_itself_is_made_of_few_words() {
        let o = of((0..4000).map(|k| f64::from(k % 7)).collect());
        assert!(value(&o, "p.V_m", "words") <= 8.0 && metric(&o, "p.V_m", "complexity").p_value == Some(0.01));
    }

    /// A coin that keeps its side nine times in ten: an entropy rate of H(0.1) = 0.469 bits.
    #[test]
    fn an_entropy_rate_that_is_known() {
        let mut side = 0.0;
        let values = noise(2, 60_000).into_iter().map(|v| {
            if v > 1.281_552 {
                side = 1.0 - side;
            }
            side
        });
        let none = [("surrogate", spikedeck_scenario::OptionValue::Text("none".into()))];
        let values: Vec<f64> = values.collect();
        let o = run(&LempelZiv, &traces(&[values], 1.0), vec![subject("V_m", &[])], &none).unwrap();
        let rate = value(&o, "p.V_m", "entropy_rate");
        assert!((rate / 0.468_996 - 1.0).abs() < 0.15, "{rate}");
    }

    #[test]
    fn bad_input_is_missing() {
        bad_series(&LempelZiv, "complexity");
    }
}
