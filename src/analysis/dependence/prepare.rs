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
    /// Whether signals whose values occur often are written in these, however many bins there are.
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
            if ties.repeats(values) {
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

/// Columns as nearest neighbours want them: each with mean 0 and standard deviation 1, if the options say so.
pub fn scaled(o: &NeighbourOptions, column: Vec<f64>) -> Vec<f64> {
    if o.standardise { standardise(&column) } else { column }
}

/// Spreads ties and jitters for nearest neighbours as the options say.
pub fn for_neighbours(seed: u64, o: &NeighbourOptions, columns: &mut [(&mut Vec<f64>, &String)]) -> Spread {
    let (mut notes, mut atoms) = (Vec::new(), false);
    for (values, name) in columns {
        let key = Key::new(seed, name, "jitter");
        let ties = if o.jitter { Ties { nature: Nature::Atoms, ..Ties::of(values) } } else { Ties::of(values) };
        **values = ties.spread(values, key);
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

/// Whether a table of words has too few realisations for its size to be believed.
pub fn sparse(data: &Data) -> Option<String> {
    let Data::Symbols { source, target, given } = data else { return None };
    let words = source.1 * target.1 * given.as_ref().map_or(1, |g| g.1);
    (data.len() < 4 * words).then(|| {
        format!("{} samples for {words} possible words: mostly bias, take fewer bins or shorter histories", data.len())
    })
}

/// What a pair is for the estimator `auto` to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// Spike counts on one side at least: frequencies, of counts and of what the other side has in bins.
    Counts,
    /// Distinct values on both sides that occur often, and in few enough combinations: frequencies of the values.
    Values,
    /// None of these.
    Continuous,
}

impl Chosen {
    /// What a pair is, `words` being asked how many combinations of symbols of source and target occur.
    pub fn of(pair: &Pair<'_>, words: impl Fn((&[u32], usize), (&[u32], usize)) -> usize) -> Self {
        if pair.source.counts || pair.target.counts {
            return Self::Counts;
        }
        let (source, target) = (Ties::of(&pair.source.values), Ties::of(&pair.target.values));
        if !source.repeats(&pair.source.values) || !target.repeats(&pair.target.values) {
            return Self::Continuous;
        }
        let (x, y) = (source.symbols(&pair.source.values), target.symbols(&pair.target.values));
        let occurring = words((&x, source.levels.len()), (&y, target.levels.len()));
        // Four samples for each combination that occurs, and few that occur once: else there are more that did not
        // occur, and the table is mostly bias.
        let once = occurring_once(&x, &y, target.levels.len());
        if 4 * occurring <= x.len() && MOST_ONCE * once <= x.len() { Self::Values } else { Self::Continuous }
    }
}

/// One in so many samples may be the only one of its combination: as much of the whole has not been seen (Good 1953,
/// doi:10.1093/biomet/40.3-4.237).
const MOST_ONCE: usize = 50;

/// Combinations that occur once.
fn occurring_once(x: &[u32], y: &[u32], size: usize) -> usize {
    let mut both: Vec<usize> = x.iter().zip(y).map(|(a, b)| *a as usize * size + *b as usize).collect();
    both.sort_unstable();
    both.chunk_by(|a, b| a == b).filter(|same| same.len() == 1).count()
}
