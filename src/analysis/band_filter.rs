//! The filter that estimators of phase and amplitude apply first: its options, and the analytic signal within a band.

use super::prelude::*;
use super::psd::BANDS;
use spikedeck_core::analytic::{BandPass, PassBand, analytic};
use spikedeck_core::fft::Complex64;
use spikedeck_core::units::short;
use spikedeck_scenario::Band;
use spikedeck_signal::TimeBase;

words! {
    for BandPass {
        Fir = "fir",
        Butterworth = "butterworth",
    }
}

/// Bands that are looked at if nothing else is said: all of the spectrum's but the slowest, of which there are few
/// cycles.
pub(super) fn usual() -> Vec<Band> {
    BANDS[1..].iter().map(|&(name, low, high)| Band { name: name.into(), low, high }).collect()
}

/// Name and edges of the bands that are written, else of the usual ones, which are in hertz: none where time has no
/// unit.
pub(super) fn given(written: &[Band], base: TimeBase) -> Vec<(&str, f64, f64)> {
    match (written.is_empty(), base) {
        (false, _) => written.iter().map(|band| (band.name.as_str(), band.low, band.high)).collect(),
        (true, TimeBase::Milliseconds) => BANDS.to_vec(),
        (true, TimeBase::Dimensionless) => Vec::new(),
    }
}

/// Which filter cuts the band out.
pub(super) fn filter() -> Opt<BandPass> {
    choice(BandPass::Fir).about(
        "filter that cuts the band out, without moving it in time: fir (a sinc under a Hamming window, its edges fall \
         within a quarter of their frequency, at least 2 Hz) or butterworth (fourth order, forward and backward)",
    )
}

/// A signal within a band, at the samples that hardly feel the ends.
pub(super) struct Within {
    /// The analytic signal there.
    pub(super) signal: Vec<Complex64>,
    /// Samples left out at either end.
    pub(super) edge: usize,
}

/// The analytic signal of samples, `rate` a second, within a band.
///
/// # Errors
/// In words: samples that are no numbers or do not vary, a band that does not fit below Nyquist, too few samples for
/// the filter.
pub(super) fn within(
    values: &[f64],
    rate: f64,
    band: &Band,
    filter: BandPass,
    base: TimeBase,
) -> Result<Within, String> {
    if let Some((k, v)) = values.iter().enumerate().find(|(_, v)| !v.is_finite()) {
        return Err(format!("sample {k} is {v}, and a filter needs finite values"));
    }
    if values.windows(2).all(|w| w[0] == w[1]) {
        return Err("the signal does not vary".into());
    }
    if !(band.low > 0.0 && band.high > band.low && band.high < 0.5 * rate) {
        return Err(format!(
            "the band from {} to {} {} is not between 0 and half of the {} samples a {}",
            short(band.low),
            short(band.high),
            base.rate_unit(),
            short(rate),
            base.second()
        ));
    }
    // Where time has no unit an edge falls within a quarter of its frequency and no least is known.
    let softest = if base == TimeBase::Milliseconds { 2.0 / rate } else { 0.0 };
    let pass = PassBand { low: band.low / rate, high: band.high / rate, softest };
    let edge = filter.reach(pass);
    if values.len() < 4 * edge.max(4) {
        return Err(format!(
            "{} samples are too few for a filter that rests on {edge} on either side (least: {})",
            values.len(),
            4 * edge.max(4)
        ));
    }
    let mut signal = analytic(values, filter, pass);
    signal.truncate(values.len() - edge);
    signal.drain(..edge);
    Ok(Within { signal, edge })
}

/// What the filter is, in words.
pub(super) fn told(band: &Band, filter: BandPass, base: TimeBase) -> String {
    let (low, high) = (short(band.low), short(band.high));
    format!("{} from {low} to {high} {}, zero phase", filter.word(), base.rate_unit())
}

/// The one band of an option, or the one of this place among the usual ones where none is said.
///
/// # Errors
/// `Unsuitable` where there are several, or none and time has no unit.
pub(super) fn one_band(key: &str, bands: &[Band], usual: usize, base: TimeBase) -> Result<Band, AnalysisError> {
    match (bands, base) {
        ([band], _) => Ok(band.clone()),
        ([], TimeBase::Milliseconds) => {
            let (name, low, high) = BANDS[usual];
            Ok(Band { name: name.into(), low, high })
        }
        ([], TimeBase::Dimensionless) => Err(AnalysisError::Unsuitable(format!(
            "time has no unit here: say `{key}`, a band such as \"slow 0.1 0.2\""
        ))),
        (more, _) => {
            Err(AnalysisError::Unsuitable(format!("`{key}` holds {} bands, and one is looked at", more.len())))
        }
    }
}
