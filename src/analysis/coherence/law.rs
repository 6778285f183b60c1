//! How estimates of coherence scatter: what they rest on, and what neighbours share.

use spikedeck_core::coherence::{CrossSpectra, Cut, moments, unchosen};

/// Rounds after which those that are as coherent as the peak are settled.
const ROUNDS: usize = 3;
/// Standard deviations below the coherence within which most of its estimates lie.
const LOWER: f64 = 1.96;

/// What the estimates of all pairs have in common.
pub(super) struct Law {
    /// Independent transforms.
    pub worth: f64,
    /// Correlation of estimates at ordinates 0, 1, ... apart.
    pub correlation: Vec<f64>,
}

impl Law {
    /// Of spectra that are cut in this way.
    pub fn new(cut: &Cut, spectra: &CrossSpectra) -> Self {
        let reach = if cut.tapers.len() == 1 { 4 } else { cut.tapers.len() + 2 };
        Self {
            worth: cut.worth(spectra.segments),
            correlation: cut.correlation(spectra.segments, reach.min(cut.segment / 2)),
        }
    }

    /// Independent ordinates that the mean of some neighbours is worth, of spectra whose last ordinate is `last`. An
    /// ordinate k hangs together with m as far as they are apart, and as far as k and the mirror image −m are (and that
    /// about Nyquist): near the ends the two transforms see the same, and their real and imaginary parts differ.
    pub fn independent(&self, ordinates: std::ops::Range<usize>, last: usize) -> f64 {
        let size = ordinates.len() as f64;
        let inner = |(m, c): (usize, &f64)| {
            if m == 0 { *c } else { 2.0 * c * (1.0 - m as f64 / size).max(0.0) }
        };
        let mut sum = size * self.correlation.iter().enumerate().map(inner).sum::<f64>();
        let reach = self.correlation.len();
        for (from, to) in [(ordinates.start, ordinates.end), (last + 1 - ordinates.end, last + 1 - ordinates.start)] {
            // Steps from the end at which the transforms are real: only those within reach of it have near images.
            for k in from..to.min(reach) {
                sum += (from..to.min(reach - k)).map(|m| self.correlation[k + m]).sum::<f64>();
            }
        }
        size * size / sum
    }

    /// Ordinates over which a line is smeared.
    pub fn width(&self) -> usize {
        1 + 2 * self.correlation[1..].iter().filter(|c| **c > 0.05).count()
    }

    /// The coherence at the peak `c` of an ordinate of the range, less what it owes to having been chosen: among all
    /// first, then among those that may be as coherent as that. A peak that stands alone was no choice.
    pub fn unchosen(&self, coherence: &[f64], c: f64) -> f64 {
        let mut squared = unchosen(c, self.worth, self.choices(coherence.len()));
        for _ in 0..ROUNDS {
            let level = squared - LOWER * moments(self.worth, squared).1.sqrt();
            let alike = coherence.iter().filter(|v| **v >= level).count();
            squared = unchosen(c, self.worth, self.choices(alike));
        }
        squared
    }

    /// How many of `count` neighbours the largest of them is chosen among: correlated ones are fewer choices, and a
    /// quarter of their correlation is what counts of it (measured: 0.89 of all under Hann, 0.5 to 0.6 under seven
    /// tapers).
    pub fn choices(&self, count: usize) -> f64 {
        let shared: f64 = self.correlation[1..].iter().sum();
        (count as f64 / (1.0 + 0.25 * shared)).max(1.0)
    }
}
