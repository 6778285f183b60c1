//! How estimates of coherence scatter: what they rest on, and what neighbours share.

use spikedeck_core::coherence::{CrossSpectra, Cut};

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

    /// Independent ordinates that the mean of `count` neighbours is worth.
    pub fn independent(&self, count: usize) -> f64 {
        let size = count as f64;
        let inner = |(m, c): (usize, &f64)| {
            if m == 0 { *c } else { 2.0 * c * (1.0 - m as f64 / size).max(0.0) }
        };
        size / self.correlation.iter().enumerate().map(inner).sum::<f64>()
    }

    /// Ordinates over which a line is smeared.
    pub fn width(&self) -> usize {
        1 + 2 * self.correlation[1..].iter().filter(|c| **c > 0.05).count()
    }

    /// How many of `count` neighbours the largest of them is chosen among: correlated ones are fewer choices, and a
    /// quarter of their correlation is what counts of it (measured: 0.89 of all under Hann, 0.5 to 0.6 under seven
    /// tapers).
    pub fn choices(&self, count: usize) -> f64 {
        let shared: f64 = self.correlation[1..].iter().sum();
        (count as f64 / (1.0 + 0.25 * shared)).max(1.0)
    }
}
