//! Delay coordinates of one series: as the options say, or as the series says.

use super::Series;
use crate::prelude::*;
use spikedeck_core::delay::{
    Embedding, Falseness, MOST_DIMENSIONS, autocorrelation, bins, false_neighbours, first_minimum, lagged_information,
    mean_period,
};
use spikedeck_core::number::with_unit;

options! {
    /// How a series is unfolded.
    pub struct EmbeddingOptions {
        delay: Option<Time> = time_if_given(),
            "τ between coordinates (default: the first minimum of the mutual information of the series with itself; \
            one \
             sample where that correlates by less than 1/e already)";
        dimension: Option<usize> = integer_if_given().between(1.0, MOST_DIMENSIONS as f64),
            "coordinates of a point (default: the fewest in which less than 1 % of the nearest neighbours are false)";
        theiler: Option<Time> = time_if_given().or_zero(),
            "points at most this far apart in time are no neighbours (default: the mean period, one over the mean \
             frequency of the spectrum)";
    }
}

/// Share of false neighbours from which on a dimension is too small.
pub const FALSE: f64 = 0.01;
/// The criteria of Kennel, Brown and Abarbanel 1992.
pub const FALSENESS: Falseness = Falseness { ratio: 15.0, size: 2.0 };
/// Samples of which delay and dimension are found: more say the same.
const MOST_LOOKED: usize = 20_000;

/// Samples and dimensions that are looked at for false neighbours: with many coordinates each is held against all.
const MOST_NEIGHBOURS: usize = 5000;
const MOST_TRIED: usize = 10;

/// How a series is unfolded, and why so.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// The points.
    pub embedding: Embedding,
    /// Points at most this many samples apart are no neighbours.
    pub window: usize,
    /// In words.
    pub how: String,
}

/// What a series says of its delay.
pub struct Delays {
    /// Autocorrelation from lag 0.
    pub correlation: Vec<f64>,
    /// Mutual information in bits from lag 1.
    pub information: Vec<f64>,
    /// What independent samples reach once in a hundred times.
    pub chance: f64,
    /// The delay in samples, and why it is that.
    pub delay: usize,
    /// In words.
    pub why: &'static str,
}

/// The delay of a series: one sample where the next correlates by less than 1/e, else the first minimum of its
/// information, else where the correlation falls below 1/e.
pub fn delays(values: &[f64]) -> Delays {
    let looked = &values[..values.len().min(MOST_LOOKED)];
    // As far as five mean periods, which a minimum lies well within.
    let lags =
        ((5.0 * mean_period(looked)).ceil() as usize).clamp(10, (looked.len() / 4).max(10)).min(looked.len() / 2);
    let correlation = autocorrelation(looked, lags);
    let (information, chance) = lagged_information(looked, lags, bins(looked.len()));
    let below = correlation.iter().position(|r| *r < (-1.0_f64).exp());
    let (delay, why) = match (below, first_minimum(&information, chance)) {
        (Some(1), _) => (1, "one sample: the next correlates by less than 1/e"),
        (_, Some(lag)) => (lag, "first minimum of mutual information"),
        (Some(lag), None) => (lag, "the correlation falls below 1/e; the information has no minimum"),
        (None, None) => (lags.max(1), "neither information nor correlation fall within five periods"),
    };
    Delays { correlation, information, chance, delay, why }
}

/// Share of false neighbours by dimension, and the dimension that follows with the reason.
pub fn dimensions(values: &[f64], delay: usize, window: usize) -> (Vec<f64>, usize, &'static str) {
    let looked = &values[..values.len().min(MOST_NEIGHBOURS)];
    // As many dimensions as leave half of the samples.
    let most = (looked.len() / (2 * delay).max(1)).clamp(1, MOST_TRIED);
    let shares = false_neighbours(looked, delay, most, window, FALSENESS);
    let found = shares.iter().position(|s| *s < FALSE).map(|k| (k + 1, "less than 1 % of false neighbours"));
    let least = || {
        let known = shares.iter().copied().enumerate().filter(|s| s.1.is_finite());
        known.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(1, |s| s.0 + 1)
    };
    let (dimension, why) =
        found.unwrap_or_else(|| (least(), "the least share of false neighbours, which is above 1 %"));
    (shares, dimension, why)
}

impl EmbeddingOptions {
    /// How a series is unfolded.
    ///
    /// # Errors
    /// A time that is no multiple of the interval between samples, or a delay of none.
    pub fn of(&self, s: &Series) -> Result<Chosen, AnalysisError> {
        let (delay, why_delay) = match self.delay {
            Some(time) => (s.samples("delay", time)?, "given"),
            None => {
                let found = delays(&s.values);
                (found.delay, found.why)
            }
        };
        if delay == 0 {
            return Err(AnalysisError::Unsuitable("`delay` is at least the time between samples".into()));
        }
        let window = self.window(s)?;
        let (dimension, why_dimension) = match self.dimension {
            Some(dimension) => (dimension, "given"),
            None => {
                let found = dimensions(&s.values, delay, window);
                (found.1, found.2)
            }
        };
        let time = |samples: usize| with_unit(s.axis(samples as f64), s.base.unit());
        Ok(Chosen {
            embedding: Embedding { dimension, delay },
            window,
            how: format!(
                "{dimension} coordinates ({why_dimension}), delay {} ({why_delay}), no neighbours within {}",
                time(delay),
                time(window)
            ),
        })
    }

    /// How many samples apart neighbours are at the least.
    ///
    /// # Errors
    /// A `theiler` that is no multiple of the interval between samples.
    pub fn window(&self, s: &Series) -> Result<usize, AnalysisError> {
        match self.theiler {
            Some(time) => s.samples("theiler", time),
            None => Ok((mean_period(&s.values).ceil() as usize).clamp(1, (s.values.len() / 10).max(1))),
        }
    }
}
