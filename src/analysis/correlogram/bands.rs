//! What surrogates of the trains give of a correlogram: a band at each lag, and how far the counts leave it anywhere.

use super::Counts;
use crate::options::{Options as _, Reader};
use crate::prelude::*;
use spikedeck_core::spike_distance::Edges;
use spikedeck_core::spike_surrogate::{SurrogateMaker, TrainSurrogate, common_grid};
use spikedeck_core::statistics::{deviation, mean, quantile};
use spikedeck_core::surrogate::p_value;
use spikedeck_core::units::short;
use spikedeck_signal::{Curve, CurveStyle};

options! {
    /// How the band is made.
    pub struct Options {
        count: Asked = shared();
        surrogate: TrainSurrogate = choice(TrainSurrogate::Dither),
            "how surrogates of the second trains are made: each spike moved (dither, dead_time_dither, isi_dither, \
             joint_isi_dither), all by one shift on a circle (shift), the intervals in another order (isi_shuffle), or \
             as many spikes anywhere (uniform)";
        dither: Time = time("20 ms").or(DITHER), "how far a dither goes to either side";
    }
}

options! {
    /// How many surrogates are asked for.
    pub struct Asked {
        surrogates: usize = integer("0").between(0.0, 100_000.0),
            "surrogates for a band at each lag and a p-value over all of them (0: none, and the band is of Poisson \
             counts)";
    }
}

/// Half of the typical interval, which counts where there are surrogates.
const DITHER: derived::Derivation = derived::Derivation {
    matters: |r| Asked::read(&mut Reader::new(r)).is_ok_and(|asked| asked.surrogates > 0),
    ..derived::HALF
};

/// What surrogates give.
pub(super) struct Bands {
    /// The farthest departure from their mean, in standard deviations of a bin, as it was found and of each surrogate.
    found: f64,
    drawn: Vec<f64>,
    /// The bin that it is in.
    at: usize,
    /// Mean and 95 % of the heights of each bin.
    mean: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
    word: &'static str,
}

/// Counts surrogates of `trains`, where any are asked for and there is anything to count.
///
/// # Errors
/// `Cancelled`, and what `again` fails with.
pub(super) fn bands(
    f: &Findings<'_>,
    o: &Options,
    found: &Counts,
    trains: &subject::Trains,
    again: impl Fn(&subject::Trains) -> Result<Counts, AnalysisError>,
) -> Result<Option<Bands>, AnalysisError> {
    let (count, bins) = (o.count.surrogates, found.lags.len());
    if count == 0 || found.expected <= 0.0 {
        return Ok(None);
    }
    let edges = Edges { start: trains.window.start, stop: trains.window.stop };
    let grid = common_grid(f.recording.dt, edges, trains.trains.iter().map(AsRef::as_ref));
    let maker = |t| SurrogateMaker::new(o.surrogate, t, edges, o.dither.axis, grid);
    let makers: Vec<SurrogateMaker<'_>> = trains.trains.iter().map(|t| maker(t)).collect();
    let key = f.key(&trains.subject, "bands");
    let mut heights: Vec<Vec<f64>> = vec![Vec::with_capacity(count); bins];
    for k in 0..count {
        f.progress(k as f64 / count as f64)?;
        let made = makers.iter().zip(0..).map(|(maker, unit)| maker.make(&mut key.stream(unit, k as u64)).into());
        let moved = subject::Trains { trains: made.collect(), ..trains.clone() };
        heights.iter_mut().zip(&again(&moved)?.height).for_each(|(all, h)| all.push(*h));
    }
    let means: Vec<f64> = heights.iter().map(|h| mean(h)).collect();
    // A bin that no surrogate varies in is as unsure as one spike pair in all of them makes it.
    let spread: Vec<f64> = heights.iter().map(|h| deviation(h, 0).max(1.0 / (count as f64).sqrt())).collect();
    let far = |bin: usize, height: f64| ((height - means[bin]) / spread[bin]).abs();
    let drawn = (0..count).map(|k| (0..bins).map(|bin| far(bin, heights[bin][k])).fold(0.0, f64::max)).collect();
    let farthest = (0..bins).max_by(|a, b| far(*a, found.height[*a]).total_cmp(&far(*b, found.height[*b])));
    let at = farthest.expect("there is the bin at lag 0");
    for h in &mut heights {
        h.sort_by(f64::total_cmp);
    }
    let part = |q: f64| heights.iter().map(|h| quantile(h, q)).collect();
    let (low, high) = (part(0.025), part(0.975));
    let word = o.surrogate.word();
    Ok(Some(Bands { found: far(at, found.height[at]), drawn, at, mean: means, low, high, word }))
}

impl Bands {
    /// How far the counts leave the band.
    pub fn metric(&self, name: &str, c: &Counts, unit: &str) -> Metric {
        let count = self.drawn.len();
        Metric::new(name, "departure", self.found, "", c.total() as u64)
            .chance(mean(&self.drawn))
            .p(p_value(self.found - 1e-12, &self.drawn))
            .note(format!(
                "farthest bin from the mean of the surrogates, in their standard deviations, at lag {} {unit}",
                short(c.lags[self.at])
            ))
            .null_by(format!("chance and p: farthest bin of each of {count} surrogates ({})", self.word))
            .note("the farthest of many: no interval")
    }

    /// The band, with heights over `per`.
    pub fn curve(&self, c: &Counts, per: f64) -> Curve {
        let scaled = |values: &[f64]| values.iter().map(|v| v * per).collect();
        Curve {
            name: format!("{} surrogates ({}), 95 % of each bin", self.drawn.len(), self.word),
            x: c.lags.clone(),
            y: scaled(&self.mean),
            band: Some((scaled(&self.low), scaled(&self.high))),
            style: CurveStyle::Chance,
        }
    }
}
