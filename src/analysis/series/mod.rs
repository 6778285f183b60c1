//! One series of samples at a time: what each estimator of a single series asks of it, its times in samples, and what
//! chance makes of it. Shared by the entropies, exponents and measures of recurrence.

pub mod chance;
pub mod embedded;
pub mod exponent;
#[cfg(test)]
pub(crate) mod fixtures;

use crate::prelude::*;
use spikedeck_core::number::with_unit;
use spikedeck_core::statistics::{variance, varies};
use spikedeck_core::units::short;
use spikedeck_signal::TimeBase;

/// Most series of one subject.
const MOST_SERIES: usize = 64;

/// Samples of one unit (or of a mean, or of a rate).
pub struct Series {
    /// Its name: `exc.V_m[3]`, `exc.rate`.
    pub name: String,
    /// What it is of, without the unit: `exc.V_m`.
    pub of: String,
    /// Finite values that are not all alike.
    pub values: Vec<f64>,
    /// Their unit.
    pub unit: String,
    /// Units of the time axis between samples.
    pub interval: f64,
    /// What the numbers on the time axis mean.
    pub base: TimeBase,
}

impl Series {
    /// Number of samples.
    pub fn n(&self) -> u64 {
        self.values.len() as u64
    }

    /// A time in whole samples.
    ///
    /// # Errors
    /// `Unsuitable` where it is no multiple of the interval: it is never rounded.
    pub fn samples(&self, key: &str, time: Time) -> Result<usize, AnalysisError> {
        let samples = time.axis / self.interval;
        if samples < 0.0 || (samples - samples.round()).abs() > 1e-6 * samples.abs().max(1.0) {
            return Err(AnalysisError::Unsuitable(format!(
                "`{key}` is {}, which is no multiple of the {} between samples of {}",
                with_unit(time.axis, self.base.unit()),
                with_unit(self.interval, self.base.unit()),
                self.name
            )));
        }
        Ok(samples.round() as usize)
    }

    /// Seconds (or units of time) in some samples.
    pub fn seconds(&self, samples: f64) -> f64 {
        samples * self.interval * self.base.seconds()
    }

    /// Units of the time axis in some samples.
    pub fn axis(&self, samples: f64) -> f64 {
        samples * self.interval
    }

    /// A number of this series.
    pub fn metric(&self, metric: &str, value: f64, unit: &str, n: u64) -> Metric {
        Metric::new(&self.name, metric, value, unit, n)
    }

    /// A number that cannot be had, and why.
    pub fn missing(&self, metric: &str, unit: &str, why: impl Into<String>) -> Metric {
        Metric::missing(&self.name, metric, unit, self.n(), why)
    }
}

/// Looks at each series of each subject that holds `least` samples or more, all of them finite, not all alike. Of the
/// others the numbers `wanted` (name and unit) are missing, with the reason.
///
/// # Errors
/// As [`Findings::each_subject`]; `Unsuitable` for too many series.
pub fn each(
    f: &mut Findings<'_>,
    bin: Time,
    least: usize,
    wanted: &[(&str, &str)],
    mut look: impl FnMut(&mut Findings<'_>, &Series) -> Measured,
) -> Measured {
    f.each_subject(|f, s| {
        let columns = subject::columns(f.request, s, bin)?;
        let of = columns.columns.len();
        if of > MOST_SERIES {
            return Err(AnalysisError::Unsuitable(format!(
                "{} means {of} series, and each is looked at alone (at most {MOST_SERIES}): choose units, as in \
                 `{}[0..10]`, or take `mean(...)`",
                s.text, columns.stem
            )));
        }
        let items: Vec<usize> = (0..of).collect();
        f.each(items, |f, k| {
            let series = Series {
                name: columns.name(k),
                of: columns.stem.clone(),
                values: columns.columns[k].clone(),
                unit: columns.unit.clone(),
                interval: columns.interval,
                base: columns.base,
            };
            match unsuitable(&series.values, least) {
                Some(why) => {
                    f.word(format!("{}: no value, {why}", series.name));
                    f.metrics(wanted.iter().map(|(metric, unit)| series.missing(metric, unit, &why)));
                    Ok(())
                }
                None => look(f, &series),
            }
        })
    })
}

/// Why nothing can be said of a series.
fn unsuitable(values: &[f64], least: usize) -> Option<String> {
    let n = values.len();
    if n < least {
        return Some(format!("{n} samples, fewer than {least}"));
    }
    let bad = values.iter().filter(|v| !v.is_finite()).count();
    if bad > 0 {
        return Some(format!("{bad} of {n} samples are no finite numbers, and neighbours in time are needed"));
    }
    let size = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    (!varies(variance(values, 0), size)).then(|| format!("constant: all {n} samples are {}", short(values[0])))
}
