//! What stands for defaults in milliseconds and hertz where time has no unit: values derived from what was recorded.
//!
//! The measure of nearly all is the typical interval: the median of all intervals between spikes of one unit, over the
//! units that the analysis looks at. It is to a recording without units what "some 50 ms" is to one of cortical
//! neurons, for which the defaults were made: bins are a twentieth of it, coincidences as well, bursts are told apart
//! at half.

use std::fmt;

use spikedeck_core::statistics::median;
use spikedeck_scenario::{Observable, Subject};

use crate::{Request, subject};

/// How a value comes from the data.
#[derive(Clone, Copy)]
pub struct Derivation {
    /// In words.
    pub how: &'static str,
    /// The value, in units of the recording's time axis.
    pub value: fn(&Request<'_>) -> f64,
    /// Whether the value counts for what is asked, so that it is worth telling.
    pub matters: fn(&Request<'_>) -> bool,
}

/// All that a request looks at.
fn subjects<'a>(r: &'a Request<'_>) -> impl Iterator<Item = &'a Subject> {
    r.spec.of.iter().chain(&r.spec.source).chain(&r.spec.target)
}

fn is_of_events(s: &Subject) -> bool {
    matches!(s.what, Observable::Spikes | Observable::Rate)
}

/// A value that counts where spikes are looked at.
const fn from(how: &'static str, value: fn(&Request<'_>) -> f64) -> Derivation {
    Derivation { how, value, matters: |r| !spiking(r).is_empty() }
}

impl fmt::Debug for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.how)
    }
}

/// A twentieth of the typical interval, in whole steps: bins, and coincidences.
pub const TWENTIETH: Derivation = from("a twentieth of the typical interval between spikes, in whole steps", |r| {
    whole_steps(r, typical_interval(r) / 20.0)
});

/// The same for the bins of rates, which count only where a rate is looked at.
pub const RATE_BIN: Derivation =
    Derivation { matters: |r| subjects(r).any(|s| s.what == Observable::Rate), ..TWENTIETH };

/// The usual bin of spikes and rates where time has units, in seconds.
pub const SIGNAL_BIN: Derivation =
    Derivation { how: "usual for spikes and rates", value: |_| 0.01, matters: |r| subjects(r).any(is_of_events) };

/// The same, finer where nothing but spikes and rates is looked at.
pub const FINE_BIN: Derivation =
    Derivation { value: |r| if subjects(r).all(is_of_events) { 1e-3 } else { 0.01 }, ..SIGNAL_BIN };

/// A quarter of the typical interval, in whole steps: bins of a rate that is looked at, and kernels.
pub const QUARTER: Derivation = from("a quarter of the typical interval between spikes, in whole steps", |r| {
    whole_steps(r, typical_interval(r) / 4.0)
});

/// A tenth of the typical interval: what refractoriness takes of it.
pub const TENTH: Derivation = from("a tenth of the typical interval between spikes", |r| typical_interval(r) / 10.0);

/// Half of the typical interval: how far a spike is jittered.
pub const HALF: Derivation = from("half of the typical interval between spikes", |r| typical_interval(r) / 2.0);

/// Two typical intervals, but at most a fiftieth of the window: bins in which a unit's spikes are counted to be read.
pub const TWO: Derivation = from("two typical intervals between spikes, at most a fiftieth of the window", |r| {
    whole_steps(r, (2.0 * typical_interval(r)).min(window(r) / 50.0))
});

/// Five typical intervals, but at most a quarter of the window: how far a correlogram reaches.
pub const FIVE: Derivation = from("five typical intervals between spikes, at most a quarter of the window", |r| {
    whole_steps(r, (5.0 * typical_interval(r)).min(window(r) / 4.0))
});

/// Ten typical intervals, but at most a tenth of the window: stretches that spikes are counted in.
pub const TEN: Derivation = from("ten typical intervals between spikes, at most a tenth of the window", |r| {
    whole_steps(r, (10.0 * typical_interval(r)).min(window(r) / 10.0))
});

/// Half of the mean interval of the pooled spikes, the least of the subjects: regular units have no bursts then.
pub const HALF_OF_POOLED: Derivation =
    from("half of the mean interval between the pooled spikes of a subject", half_of_pooled);

/// A thousandth of one spike in a typical interval: a rate that is told from zero by nothing.
pub const THOUSANDTH_OF_RATE: Derivation =
    from("a thousandth of one spike in a typical interval", |r| 1e-3 / typical_interval(r));

/// Nothing: zero has no unit.
pub const ZERO: Derivation = Derivation { matters: |_| false, ..from("the beginning", |_| 0.0) };

fn window(request: &Request<'_>) -> f64 {
    request.recording.analysis_window().length()
}

/// Rounded to whole integration steps, at least one; spikes stand on their grid.
fn whole_steps(request: &Request<'_>, value: f64) -> f64 {
    let step = request.recording.dt;
    if step > 0.0 { (value / step).round().max(1.0) * step } else { value }
}

/// The subjects whose spikes count: those of the analysis, or all that recorded spikes where it names none.
fn spiking(request: &Request<'_>) -> Vec<Subject> {
    let spec = request.spec;
    let named: Vec<&Subject> = spec.of.iter().chain(&spec.source).chain(&spec.target).collect();
    if named.is_empty() {
        // Where none were recorded, the analysis says so.
        return subject::of_or_all_spikes(request).unwrap_or_default();
    }
    let spiking = named.into_iter().filter(|s| matches!(s.what, Observable::Spikes | Observable::Rate));
    spiking.cloned().collect()
}

/// The median of the intervals between spikes of one unit; the window where no unit fired twice.
pub fn typical_interval(request: &Request<'_>) -> f64 {
    let mut intervals = Vec::new();
    for s in spiking(request) {
        // A subject whose spikes were not recorded has no part in it; its analysis says so.
        let Ok(t) = subject::trains(request, &s) else { continue };
        intervals.extend(t.trains.iter().flat_map(|x| x.windows(2).map(|w| w[1] - w[0])).filter(|i| *i > 0.0));
    }
    if intervals.is_empty() { window(request) } else { median(&intervals) }
}

fn half_of_pooled(request: &Request<'_>) -> f64 {
    // A subject whose spikes were not recorded has no part in it; its analysis says so.
    let count = |s: &Subject| subject::trains(request, s).map_or(0, |t| t.count());
    let most = spiking(request).iter().map(count).max().unwrap_or(0);
    window(request) / (2 * most.max(1)) as f64
}
