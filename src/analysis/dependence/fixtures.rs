//! Recordings and requests for the tests of what depends on what.

use crate::testing::run_spec;
use crate::{Analysis, AnalysisError, Outcome};
use spikedeck_scenario::{AnalysisSpec, Observable, OptionValue, Place, PopulationId, Subject};
use spikedeck_signal::{Population, Recording, Spikes, Trace, Window};

/// A recording of one population `p` with a unit a column, sampled each millisecond as variable `v`.
pub(crate) fn traces(columns: &[&[f64]]) -> Recording {
    let n = columns[0].len();
    let values = (0..n).flat_map(|k| columns.iter().map(move |c| c[k])).collect();
    Recording {
        window: Window { start: -1.0, stop: n as f64 },
        populations: vec![Population { name: "p".into(), size: columns.len(), ..Population::default() }],
        traces: vec![Trace {
            population: "p".into(),
            variable: "v".into(),
            units: (0..columns.len() as u32).collect(),
            interval: 1.0,
            values,
            ..Trace::default()
        }],
        ..Recording::default()
    }
}

/// A recording of spikes of population `p`: trains in ms.
pub(crate) fn trains(trains: &[Vec<f64>], stop: f64) -> Recording {
    let mut all: Vec<(f64, u32)> =
        trains.iter().enumerate().flat_map(|(u, t)| t.iter().map(move |&t| (t, u as u32))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    Recording {
        window: Window { start: 0.0, stop },
        populations: vec![Population { name: "p".into(), size: trains.len(), ..Population::default() }],
        spikes: vec![Spikes {
            population: "p".into(),
            size: trains.len(),
            times: all.iter().map(|s| s.0).collect(),
            units: all.iter().map(|s| s.1).collect(),
        }],
        ..Recording::default()
    }
}

pub(crate) fn variable(unit: u32) -> Subject {
    Subject {
        text: format!("p.v[{unit}]"),
        place: Place::Population(PopulationId::of_recording(0)),
        what: Observable::Variable("v".into()),
        units: vec![unit],
        mean: false,
    }
}

pub(crate) fn spikes() -> Subject {
    let place = Place::Population(PopulationId::of_recording(0));
    Subject { text: "p.spikes".into(), place, what: Observable::Spikes, units: Vec::new(), mean: false }
}

/// Runs an analysis at its defaults with some options changed.
pub(crate) fn run(
    analysis: &dyn Analysis,
    recording: &Recording,
    source: Vec<Subject>,
    target: Vec<Subject>,
    options: &[(&'static str, OptionValue)],
) -> Result<Outcome, AnalysisError> {
    let declaration = analysis.declaration();
    let options = options.iter().cloned().collect();
    let spec =
        AnalysisSpec { name: "a".into(), kind: declaration.kind.into(), of: Vec::new(), source, target, options };
    run_spec(analysis, None, recording, &spec)
}

/// Value of a metric.
pub(crate) fn value(outcome: &Outcome, subject: &str, metric: &str) -> f64 {
    let found = outcome.metrics.iter().find(|m| m.subject == subject && m.metric == metric);
    found.and_then(|m| m.value).unwrap_or_else(|| panic!("no {subject}.{metric} in {:#?}", outcome.metrics))
}
