//! From signals to realisations: symbols for frequencies, and values for nearest neighbours.

use super::assess::Data;
use super::report::{Binning, NeighbourOptions, Pair};
use super::signals::Signal;
use spikedeck_core::information::{equal_width, quantile_bins, whole_numbers};
use spikedeck_core::ksg::standardise;
use spikedeck_core::neighbours::SortedAxis;
use spikedeck_core::rng::Key;

/// What continuous signals are written in.
#[derive(Debug, Clone, Copy)]
pub struct Alphabet {
    /// Number of symbols.
    pub bins: usize,
    /// Which values share one.
    pub binning: Binning,
}

impl Alphabet {
    /// Symbols of a signal, and how many there can be: counts as they are, other values in bins.
    pub fn symbols(self, signal: &Signal, values: &[f64]) -> (Vec<u32>, usize) {
        if signal.counts {
            return whole_numbers(values);
        }
        let symbols = match self.binning {
            Binning::Quantile => quantile_bins(values, self.bins),
            Binning::EqualWidth => equal_width(values, self.bins),
        };
        (symbols, self.bins)
    }

    /// Symbols of a pair: the source's, and the target's `lag` samples later; and how many there are.
    pub fn words(self, pair: &Pair<'_>, lag: usize) -> (Data, String) {
        let (x, y) = lagged(pair, lag);
        let (source, target) = (self.symbols(pair.source, x), self.symbols(pair.target, y));
        let note = format!("{} by {} symbols", source.1, target.1);
        (Data::Symbols { source, target, given: None }, note)
    }
}

/// The source's samples, and the target's `lag` later.
pub fn lagged<'p>(pair: &Pair<'p>, lag: usize) -> (&'p [f64], &'p [f64]) {
    (&pair.source.values[..pair.source.values.len() - lag], &pair.target.values[lag..])
}

/// Standardises and jitters for nearest neighbours as the options say; says how many samples are tied.
pub fn for_neighbours(seed: u64, o: &NeighbourOptions, columns: &mut [(&mut Vec<f64>, &String)]) -> String {
    let mut notes = Vec::new();
    for (values, name) in columns {
        if o.standardise {
            **values = standardise(values);
        }
        if o.jitter {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
            let mut stream = Key::new(seed, name, "jitter").stream(0, 0);
            for v in values.iter_mut() {
                *v += 1e-8 * sd * (2.0 * stream.uniform() - 1.0) * 3.0_f64.sqrt();
            }
        }
        let tied = SortedAxis::new(values).tied();
        if tied > 0 {
            notes.push(format!("{tied} of {} samples of {name} are tied", values.len()));
        }
    }
    notes.join("; ")
}
