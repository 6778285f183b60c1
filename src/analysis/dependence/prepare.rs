//! From signals to realisations: symbols for frequencies, and values for nearest neighbours.
//!
//! The values decide, not where they come from: few distinct values are symbols, and values with ties are spread before
//! neighbours are looked for.

use super::assess::Data;
use super::report::{Binning, NeighbourOptions, Pair};
use super::signals::Signal;
use spikedeck_core::information::{equal_width, quantile_bins, whole_numbers};
use spikedeck_core::ksg::standardise;
use spikedeck_core::rng::Key;
use spikedeck_core::ties::{Nature, Ties};

/// What continuous signals are written in.
#[derive(Debug, Clone, Copy)]
pub struct Alphabet {
    /// Number of symbols.
    pub bins: usize,
    /// Which values share one.
    pub binning: Binning,
    /// Whether signals of few distinct values are written in these, however many bins there are.
    pub by_value: bool,
}

impl Alphabet {
    /// Symbols of a signal, and how many there can be: counts as they are, other values in bins.
    pub fn symbols(self, signal: &Signal, values: &[f64]) -> (Vec<u32>, usize) {
        if signal.counts {
            return whole_numbers(values);
        }
        if self.by_value {
            let ties = Ties::of(values);
            if ties.nature == Nature::Symbols {
                return (ties.symbols(values), ties.levels.len());
            }
        }
        match self.binning {
            Binning::Quantile => quantile_bins(values, self.bins),
            Binning::EqualWidth => (equal_width(values, self.bins), self.bins),
        }
    }

    /// Symbols of a pair: the source's, and the target's `lag` samples later; and how many there are.
    pub fn words(self, pair: &Pair<'_>, lag: isize) -> (Data, String) {
        let (x, y) = lagged(pair, lag);
        let (source, target) = (self.symbols(pair.source, x), self.symbols(pair.target, y));
        let note = format!("{} by {} symbols", source.1, target.1);
        (Data::Symbols { source, target, given: None }, note)
    }
}

/// The source's samples, and the target's `lag` later (earlier, if negative).
pub fn lagged<'p>(pair: &Pair<'p>, lag: isize) -> (&'p [f64], &'p [f64]) {
    let (source, target) = (&pair.source.values[..], &pair.target.values[..]);
    let by = lag.unsigned_abs();
    if lag < 0 { (&source[by..], &target[..target.len() - by]) } else { (&source[..source.len() - by], &target[by..]) }
}

/// What became of ties before neighbours are looked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Spread {
    /// How many samples were tied, and what was done about it; empty without ties.
    pub note: String,
    /// Whether a signal holds values that occur often among others that do not: then neighbours of it are no box.
    pub atoms: bool,
}

/// Spreads ties, standardises and jitters for nearest neighbours as the options say.
pub fn for_neighbours(seed: u64, o: &NeighbourOptions, columns: &mut [(&mut Vec<f64>, &String)]) -> Spread {
    let (mut notes, mut atoms) = (Vec::new(), false);
    for (values, name) in columns {
        let key = Key::new(seed, name, "jitter");
        let ties = if o.jitter { Ties { nature: Nature::Atoms, ..Ties::of(values) } } else { Ties::of(values) };
        **values = ties.spread(values, key);
        if o.standardise {
            **values = standardise(values);
        }
        if ties.tied > 0 {
            let by = match ties.nature {
                Nature::Continuous | Nature::Atoms => "1e-8 standard deviations".to_owned(),
                Nature::Symbols | Nature::Lattice { .. } => {
                    format!("the distance of its {} values, from which they can be told again", ties.levels.len())
                }
            };
            notes.push(format!("{} of {} samples of {name} are tied: spread over {by}", ties.tied, values.len()));
            atoms |= ties.nature == Nature::Atoms;
        }
    }
    Spread { note: notes.join("; "), atoms }
}

/// Whether a pair is one of symbols, as frequencies want it: counts, or few distinct values on both sides, with samples
/// enough for the table of `words`, which is handed how many symbols there are of source and target.
pub fn symbolic(pair: &Pair<'_>, words: impl Fn(usize, usize) -> f64) -> bool {
    if pair.source.counts || pair.target.counts {
        return true;
    }
    let (source, target) = (Ties::of(&pair.source.values), Ties::of(&pair.target.values));
    let few = |t: &Ties| t.nature == Nature::Symbols;
    let samples = pair.source.values.len() as f64;
    few(&source) && few(&target) && 4.0 * words(source.levels.len(), target.levels.len()) <= samples
}
