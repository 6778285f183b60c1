//! What chance makes of one series: the same values in another order.

use super::Series;
use crate::prelude::*;
use rayon::prelude::*;
use spikedeck_core::series_surrogate::{fitting_ends, same_spectrum, shuffled};
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::{jackknife_interval, p_value};

words! {
    /// What a surrogate keeps of a series.
    pub enum Null {
        /// Its values.
        Shuffle = "shuffle",
        /// Its values and its spectrum.
        Spectrum = "spectrum",
        /// There is none.
        None = "none",
    }
}

impl Null {
    /// What it is, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Shuffle => "with shuffled samples",
            Self::Spectrum => "with the same values and spectrum",
            Self::None => "",
        }
    }
}

/// How chance is made.
pub fn null() -> Opt<Null> {
    choice(Null::Shuffle).about(
        "what surrogates keep: shuffle: the values alone (chance: no memory); spectrum: values and autocorrelation, by \
         iterated amplitude adjustment (chance: a linear process); none: no surrogates",
    )
}

/// How many surrogates.
pub fn surrogates(default: &'static str) -> Opt<usize> {
    integer(default).between(19.0, 1e5).about("number of surrogates; the least p-value is 1/(number + 1)")
}

/// A statistic of each of `count` surrogates of a series, those left out of which it has no value. Where the spectrum
/// is kept they are of the stretch whose ends fit together.
///
/// # Errors
/// `Cancelled`.
pub fn drawn(
    f: &Findings<'_>,
    series: &Series,
    null: Null,
    count: usize,
    statistic: impl Fn(&[f64]) -> f64 + Sync,
) -> Result<Vec<f64>, AnalysisError> {
    let all = each_drawn(f, series, null, count, |v| Some(statistic(v)).filter(|s| s.is_finite()))?;
    Ok(all.into_iter().flatten().collect())
}

/// What `look` makes of each of `count` surrogates.
///
/// # Errors
/// `Cancelled`.
pub fn each_drawn<T: Send>(
    f: &Findings<'_>,
    series: &Series,
    null: Null,
    count: usize,
    look: impl Fn(&[f64]) -> T + Sync,
) -> Result<Vec<T>, AnalysisError> {
    let key = f.key(&series.name, "surrogates");
    let of = match null {
        Null::None => return Ok(Vec::new()),
        Null::Shuffle => &series.values[..],
        Null::Spectrum => &series.values[fitting_ends(&series.values)],
    };
    let mut all = Vec::with_capacity(count);
    // So many at once that all threads have work, and so few that a cancelled analysis ends soon.
    let at_once = rayon::current_num_threads().max(1);
    let numbers: Vec<u32> = (0..count as u32).collect();
    for some in numbers.chunks(at_once) {
        f.progress(all.len() as f64 / count as f64)?;
        all.par_extend(some.par_iter().map(|&k| {
            let mut stream = key.stream(k, 0);
            let values =
                if null == Null::Spectrum { same_spectrum(of, &mut stream) } else { shuffled(of, &mut stream) };
            look(&values)
        }));
    }
    Ok(all)
}

/// On which side of chance a value counts as unlikely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Above.
    Above,
    /// Below.
    Below,
    /// Either.
    Both,
}

/// How likely it is that chance gives so much, or so little.
pub fn p(value: f64, drawn: &[f64], side: Side) -> f64 {
    let below = || p_value(-value, &drawn.iter().map(|v| -v).collect::<Vec<_>>());
    match side {
        Side::Above => p_value(value, drawn),
        Side::Below => below(),
        Side::Both => (2.0 * p_value(value, drawn).min(below())).min(1.0),
    }
}

/// A metric with chance level and p-value from surrogates, and with what they are.
pub fn beside(metric: Metric, drawn: &[f64], null: Null, side: Side) -> Metric {
    let Some(value) = metric.value.filter(|_| drawn.len() >= 19) else {
        return if null == Null::None { metric } else { metric.note("no chance level: surrogates have no value") };
    };
    let where_to = match side {
        Side::Above => "above",
        Side::Below => "below",
        Side::Both => "either side of",
    };
    metric.chance(mean(drawn)).p(p(value, drawn, side)).null_by(format!(
        "chance, and p ({where_to} it): {} surrogates {}",
        drawn.len(),
        null.words()
    ))
}

/// What is left of `values` without each of `blocks` stretches, and an interval from that: centred on the value less
/// what the estimates without a block say about its bias (Quenouille 1956, doi:10.1093/biomet/43.3-4.353). `None` with
/// less than three blocks, or where one of them has no value.
pub fn jackknife(value: f64, left_out: &[f64]) -> Option<(f64, f64)> {
    let (low, high) = jackknife_interval(value, left_out)?;
    let bias = (left_out.len() - 1) as f64 * (mean(left_out) - value);
    Some((low - bias, high - bias))
}
