//! Results as panes: made once when they arrive, on the thread that received them, never while drawing.

use std::sync::Arc;

use crate::panes::arrange::arranged;
use crate::panes::cards::{model_card, run_card};
use crate::panes::opening::opening;
use crate::panes::threshold;
use spikedeck_run::{Check, Finished, Snapshot, Status};
use spikedeck_scenario::Spec;
use spikedeck_signal::Shape;

pub use crate::panes::pane::Pane;

/// Everything that a column shows.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// Name of the run.
    pub label: String,
    /// Its panes.
    pub panes: Vec<Pane>,
    /// Expectations.
    pub checks: Vec<Check>,
    /// How it ended; none while it lasts.
    pub status: Option<Status>,
    /// What went wrong.
    pub failure: Option<String>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// The stretch of time that is seen first, where the whole would be a block.
    pub opening: Option<(f64, f64)>,
    /// The run, when it is over: for exports.
    pub finished: Option<Arc<Finished>>,
}

impl Content {
    /// Panes of a finished run.
    pub fn of(finished: &Arc<Finished>) -> Self {
        let spec = finished.spec.as_deref();
        let panes = arranged(&finished.recording, &finished.outcomes, spec, None, &finished.checks);
        let mut panes = threshold::drawn(panes, spec);
        let opening = opening(&panes, finished.spec.as_deref(), finished.recording.window);
        panes.push(Pane::new("run", "Run", Shape::Card(run_card(finished)), String::new()));
        if let Some(spec) = &finished.spec {
            let mut seen: Vec<&str> = Vec::new();
            for population in &spec.populations {
                if !seen.contains(&population.model.name.as_str()) {
                    seen.push(&population.model.name);
                    let (key, card) = (format!("model/{}", population.model.name), model_card(&population.model));
                    panes.push(Pane::new(
                        key,
                        format!("Model {}", population.model.name),
                        Shape::Card(card),
                        population.model.summary.clone(),
                    ));
                }
            }
        }
        unique(&mut panes);
        Self {
            label: finished.label.clone(),
            panes,
            checks: finished.checks.clone(),
            status: Some(finished.status),
            failure: finished.failure.clone(),
            warnings: finished.warnings.clone(),
            opening,
            finished: Some(finished.clone()),
        }
    }

    /// Panes of what there is so far, on the time axis that the run will fill.
    pub fn live(label: &str, snapshot: &Snapshot, spec: Option<&Spec>, time: Option<(f64, f64)>) -> Self {
        let panes = arranged(&snapshot.recording, &snapshot.outcomes, spec, time, &[]);
        let mut panes = threshold::drawn(panes, spec);
        unique(&mut panes);
        Self { label: label.to_owned(), panes, ..Self::default() }
    }

    /// How many expectations hold, and how many there are; none where nothing is expected.
    pub fn expected(&self) -> Option<(usize, usize)> {
        let all = self.checks.len();
        (all > 0).then(|| (self.checks.iter().filter(|c| c.passed).count(), all))
    }

    /// The same with every plane at the frame of a time; `None` where nothing moves.
    pub fn at_time(&self, time: f64) -> Option<Self> {
        self.panes.iter().any(|p| p.movie.is_some()).then(|| {
            let at = |p: &Pane| p.movie.as_ref().map_or_else(|| p.clone(), |m| p.at_frame(m.frame_at(time)));
            Self { panes: self.panes.iter().map(at).collect(), ..self.clone() }
        })
    }

    /// The pane of a key.
    pub fn pane(&self, key: &str) -> Option<&Pane> {
        self.panes.iter().find(|p| p.key == key)
    }
}

/// Keys are made unique, so that no pane hides another.
pub(crate) fn unique(panes: &mut [Pane]) {
    for i in 1..panes.len() {
        let (before, rest) = panes.split_at_mut(i);
        let mut n = 2;
        let base = rest[0].key.clone();
        while before.iter().any(|p| p.key == rest[0].key) {
            rest[0].key = format!("{base}#{n}");
            n += 1;
        }
    }
}
