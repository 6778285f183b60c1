//! What a scenario asks for, simulated: one run, or all points of a sweep.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{Ensemble, Finished, Options, Point, RunError, Tell, ensemble, execute};
use spikedeck_scenario::Spec;

/// What was simulated.
#[derive(Debug, Clone)]
pub enum Simulated {
    /// One run.
    One(Arc<Finished>),
    /// Several, side by side.
    Many(Ensemble),
}

impl Simulated {
    /// The run to show.
    pub fn finished(&self) -> &Arc<Finished> {
        match self {
            Self::One(finished) => finished,
            Self::Many(ensemble) => &ensemble.finished,
        }
    }
}

/// Runs what `spec` asks for: with `points` (of a sweep or of trials, see [`super::points()`]) all of them, else one
/// run; a sweep of one point is that point.
///
/// # Errors
/// What cannot be built, or was cancelled before there was anything.
pub fn simulate(
    spec: &Arc<Spec>,
    points: &[Point],
    options: Options,
    cancel: &AtomicBool,
    tell: &Tell,
) -> Result<Simulated, RunError> {
    if points.len() > 1 || spec.trials.is_some() {
        ensemble(spec, points, options, cancel, tell).map(Simulated::Many)
    } else {
        let spec = points.first().map_or(spec, |p| &p.spec);
        execute(spec, options, cancel, tell).map(|finished| Simulated::One(Arc::new(finished)))
    }
}
