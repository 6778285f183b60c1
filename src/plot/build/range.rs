//! Which stretch of an axis is shown.

use crate::reduce::Extremes;
use crate::scene::PanelAxis;
use spikedeck_signal::{Axis, Scale};

/// A range that can be drawn: finite, not empty, positive for logarithmic axes.
pub(crate) fn drawable(wanted: Option<(f64, f64)>, data: Extremes, log: bool, pad: f64) -> (f64, f64) {
    if let Some((a, b)) = wanted
        && a.is_finite()
        && b.is_finite()
        && a != b
        && (!log || (a > 0.0 && b > 0.0))
    {
        return if a < b { (a, b) } else { (b, a) };
    }
    let Some((low, high)) = data.range() else { return if log { (1.0, 10.0) } else { (0.0, 1.0) } };
    if log {
        let high = if high > 0.0 { high } else { 10.0 };
        let low = if low > 0.0 { low } else { high / 1e6 };
        return if high / low < 1.0 + 1e-9 { (low / 2.0, high * 2.0) } else { stretch_log(low, high, pad) };
    }
    let span = high - low;
    let size = low.abs().max(high.abs());
    if !span.is_finite() {
        return (low / 4.0, high / 4.0);
    }
    // Differences of values below this are rounding, and their digits would fill the axis; places (which are not
    // padded) may be far from zero, as the times of a clock.
    if span <= size * if pad > 0.0 { 1e-8 } else { 1e-12 } {
        let half = if size == 0.0 { 1.0 } else { size * 0.1 };
        return (low - half, high + half);
    }
    (low - pad * span, high + pad * span)
}

fn stretch_log(low: f64, high: f64, pad: f64) -> (f64, f64) {
    let factor = (high / low).powf(pad);
    (low / factor, high * factor)
}

/// Extremes of the values that the axis can show.
pub(crate) fn positive(values: &[f64], log: bool) -> Extremes {
    if !log {
        return Extremes::of(values);
    }
    let mut out = Extremes::NONE;
    for &v in values {
        if v.is_finite() && v > 0.0 {
            out = out.and(Extremes { min: v, max: v });
        }
    }
    out
}

/// Whether data lie below or above a range, by more than rounding.
pub(crate) fn beyond(data: Extremes, range: (f64, f64)) -> (bool, bool) {
    let slack = (range.1 - range.0).abs() * 1e-9;
    (data.min < range.0 - slack, data.max > range.1 + slack)
}

/// An axis of a shape with the range that is shown.
pub(crate) fn axis(axis: &Axis, wanted: Option<(f64, f64)>, log: Option<bool>, data: Extremes, pad: f64) -> PanelAxis {
    let log = log.unwrap_or(axis.scale == Scale::Log);
    let range = drawable(wanted, data, log, pad);
    PanelAxis {
        title: axis.title(),
        range,
        log,
        beyond: beyond(data, range),
        is_time: axis.is_time,
        ..PanelAxis::default()
    }
}
