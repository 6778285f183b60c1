//! Samples at even times, to the precision with which a file writes them.

use super::Refused;

/// Evenly spaced times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Even {
    /// The first.
    pub start: f64,
    /// From each to the next.
    pub interval: f64,
    /// How far a time may be from where it should be, for all that the file can say.
    pub precision: f64,
}

/// Whether `times` are evenly spaced as far as the file can tell: rounded to decimals or written in 32 bits, they are
/// when one straight line is within the rounding of all of them, and the interval is at least twice as wide as it.
///
/// # Errors
/// The row that breaks it, with the distances.
pub fn even(times: &[f64]) -> Result<Even, Refused> {
    even_in(times, &[], "")
}

/// The same of the times in `column` of a file, in these rows of it, from 1; one after the other where none are named.
///
/// # Errors
/// As [`even`], at the row of the file.
pub fn even_in(times: &[f64], rows: &[usize], column: &str) -> Result<Even, Refused> {
    let row = |k: usize| rows.get(k).copied().unwrap_or(k + 1);
    let n = times.len();
    if n < 2 {
        return Err(Refused::new("a signal has at least two samples", "its interval follows from its times"));
    }
    let (start, end) = (times[0], times[n - 1]);
    let interval = (end - start) / (n - 1) as f64;
    if let Some(at) = times.windows(2).position(|w| w[1] <= w[0]) {
        return Err(Refused::new(
            format!(
                "the time of row {} ({}) is not after that of the row before ({})",
                row(at + 1),
                times[at + 1],
                times[at]
            ),
            "samples are in the order of their times, one a time; several units stand in a column `unit`",
        )
        .in_row(at + 1)
        .of_rows(rows, column));
    }
    let greatest = start.abs().max(end.abs());
    let precision = 1e-6 * interval + 4.0 * f64::EPSILON * greatest;
    let away = |k: usize| times[k] - (start + interval * k as f64);
    if (0..n).all(|k| away(k).abs() <= precision) {
        return Ok(Even { start, interval, precision });
    }
    if let Some(digit) = rounding(times, greatest).filter(|digit| *digit <= interval / 2.0) {
        let (slope, width) = straightest(times, interval, digit);
        if width <= digit * 1.000_001 + precision {
            return Ok(Even { start, interval: slope, precision: digit });
        }
    }
    let mut steps: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    let usual = *steps.select_nth_unstable_by((n - 2) / 2, f64::total_cmp).1;
    let off = |k: usize| (times[k + 1] - times[k] - usual).abs();
    let gap = (0..n - 1).find(|&k| off(k) > 0.25 * usual);
    let at = gap.or_else(|| (0..n - 1).max_by(|&a, &b| off(a).total_cmp(&off(b)))).unwrap_or(0);
    Err(Refused::new(
        format!(
            "the samples of this file are not evenly spaced in time: row {} is {} after row {}, others are {} apart",
            row(at + 1),
            spikedeck_core::number::brief(times[at + 1] - times[at]),
            row(at),
            spikedeck_core::number::brief(usual)
        ),
        "resample the signal to one interval, or fill the gap",
    )
    .in_row(at + 1)
    .of_rows(rows, column))
}

/// The slope of the straight line that the times are nearest to, and how wide a band about it holds all of them: times
/// that were rounded lie in one as wide as the rounding.
fn straightest(times: &[f64], interval: f64, digit: f64) -> (f64, f64) {
    let width = |slope: f64| {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for (k, t) in times.iter().enumerate() {
            let away = t - times[0] - slope * k as f64;
            (low, high) = (low.min(away), high.max(away));
        }
        high - low
    };
    // The width is convex in the slope, and both ends are off by at most half a digit.
    let reach = 1.1 * digit / (times.len() - 1) as f64;
    let (mut low, mut high) = (interval - reach, interval + reach);
    for _ in 0..60 {
        let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if width(a) <= width(b) {
            high = b;
        } else {
            low = a;
        }
    }
    let slope = low.midpoint(high);
    // Where the line from the first time to the last holds all of them, it is theirs: both ends are exact on it.
    if width(interval) <= digit * 1.000_001 { (interval, width(interval)) } else { (slope, width(slope)) }
}

/// The spacing of the numbers among which the times were rounded: 32 bits, or decimals.
fn rounding(times: &[f64], greatest: f64) -> Option<f64> {
    let single = times.iter().all(|&t| f64::from(t as f32) == t);
    let decimals = (0..=9).map(|d| 10_f64.powi(d)).find(|scale| {
        times.iter().all(|t| {
            let scaled = t * scale;
            (scaled - scaled.round()).abs() <= 1e-6 + scaled.abs() * 4.0 * f64::EPSILON
        })
    });
    let single = single.then(|| f64::from(f32::EPSILON) * greatest);
    match (single, decimals.map(f64::recip)) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
