//! Recordings by hand, and analyses run on them.

use crate::{Analysis, AnalysisError, Outcome, Request};
use spikedeck_core::rng::Key;
use spikedeck_scenario::{AnalysisSpec, Observable, OptionValue, Place, PopulationId, Spec, Subject};
use spikedeck_signal::{Metric, Population, Recording, SpikeTrains, Spikes, Trace, Trial, Window};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// One population `p` with these trains (ms) in (0, stop] ms.
pub fn recording(trains: &[Vec<f64>], stop: f64) -> Recording {
    let mut all: Vec<(f64, u32)> =
        trains.iter().enumerate().flat_map(|(u, t)| t.iter().map(move |&t| (t, u as u32))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let (times, units) = all.into_iter().unzip();
    Recording {
        dt: 0.1,
        window: Window { start: 0.0, stop },
        populations: vec![Population { name: "p".into(), size: trains.len(), ..Population::default() }],
        spikes: vec![Spikes { population: "p".into(), size: trains.len(), times, units }],
        ..Recording::default()
    }
}

/// One population `p` with columns of `V_m` (mV) sampled at `interval` ms.
pub fn traces(columns: &[Vec<f64>], interval: f64) -> Recording {
    let len = columns[0].len();
    Recording {
        dt: interval,
        window: Window { start: -interval, stop: len as f64 * interval },
        populations: vec![Population { name: "p".into(), size: columns.len(), ..Population::default() }],
        traces: vec![Trace {
            population: "p".into(),
            name: "t".into(),
            variable: "V_m".into(),
            unit: "mV".into(),
            column: "V_m_mV".into(),
            units: (0..columns.len() as u32).collect(),
            start: 0.0,
            interval,
            values: (0..len).flat_map(|k| columns.iter().map(move |c| c[k])).collect(),
        }],
        ..Recording::default()
    }
}

/// A Poisson train (ms) of `rate` Hz in (0, stop] ms.
pub fn poisson(seed: u64, unit: u32, rate: f64, stop: f64) -> Vec<f64> {
    gamma(seed, unit, 1, rate, stop)
}

/// A gamma renewal train of whole shape.
pub fn gamma(seed: u64, unit: u32, shape: u32, rate: f64, stop: f64) -> Vec<f64> {
    let mut s = Key::new(seed, "testing", "gamma").stream(unit, 0);
    let (mut t, mut train) = (0.0, Vec::new());
    loop {
        t -= (0..shape).map(|_| (1.0 - s.uniform()).ln()).sum::<f64>() / (f64::from(shape) * rate) * 1e3;
        if t > stop {
            return train;
        }
        train.push(t);
    }
}

/// `p.WHAT` of these units.
pub fn subject(what: &str, units: &[u32]) -> Subject {
    let list = units.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    Subject {
        text: if units.is_empty() { format!("p.{what}") } else { format!("p.{what}[{list}]") },
        place: Place::Population(PopulationId::of_recording(0)),
        what: match what {
            "spikes" => Observable::Spikes,
            "rate" => Observable::Rate,
            _ => Observable::Variable(what.into()),
        },
        units: units.to_vec(),
        mean: false,
    }
}

/// Runs an analysis at its defaults but for `options`.
pub fn run(
    analysis: &dyn Analysis,
    recording: &Recording,
    of: Vec<Subject>,
    options: &[(&'static str, OptionValue)],
) -> Result<Outcome, AnalysisError> {
    let declaration = analysis.declaration();
    for (key, _) in options {
        assert!(declaration.options.iter().any(|o| o.key == *key), "{key} is no option");
    }
    let options = options.iter().cloned().collect();
    let (source, target) = (vec![], vec![]);
    let spec = AnalysisSpec { name: "x".into(), kind: declaration.kind.into(), of, source, target, options };
    run_spec(analysis, None, recording, &spec)
}

/// The same of an entry of a scenario.
pub fn run_spec(
    analysis: &dyn Analysis,
    scenario: Option<&Spec>,
    recording: &Recording,
    spec: &AnalysisSpec,
) -> Result<Outcome, AnalysisError> {
    let (trains, cancel) = (SpikeTrains::new(recording), AtomicBool::new(false));
    analysis.run(&Request { spec, scenario, recording, trains: &trains, seed: 1, cancel: &cancel })
}

/// The metric `subject.name`.
pub fn metric<'a>(outcome: &'a Outcome, subject: &str, name: &str) -> &'a Metric {
    outcome.metrics.iter().find(|m| m.subject == subject && m.metric == name).unwrap_or_else(|| {
        let names: Vec<String> = outcome.metrics.iter().map(Metric::full_name).collect();
        panic!("no {subject}.{name} among {names:?}")
    })
}

/// Its value.
pub fn value(outcome: &Outcome, subject: &str, name: &str) -> f64 {
    let m = metric(outcome, subject, name);
    m.value.unwrap_or_else(|| panic!("{subject}.{name} is missing: {}", m.note))
}

/// Every value of an outcome agrees with another's.
pub fn same_values(a: &Outcome, b: &Outcome, tolerance: f64) {
    assert_eq!(a.metrics.len(), b.metrics.len());
    for (x, y) in a.metrics.iter().zip(&b.metrics) {
        match (x.value, y.value) {
            (Some(p), Some(q)) => {
                assert!((p - q).abs() <= tolerance * (1.0 + p.abs()), "{}: {p} is not {q}", x.full_name());
            }
            (p, q) => assert_eq!(p, q, "{}", x.full_name()),
        }
    }
}

/// Recordings as the trials of one run, without conditions.
pub fn joined(mut all: Vec<Recording>) -> Recording {
    for (k, r) in all.iter_mut().enumerate() {
        r.trial = Some(Trial { number: k as u64, condition: String::new() });
    }
    let mut first = all.remove(0);
    first.trials = all.into_iter().map(Arc::new).collect();
    first
}

/// The same recording with every time later by `shift`.
pub fn shifted(recording: &Recording, shift: f64) -> Recording {
    let mut r = recording.clone();
    r.window = Window { start: r.window.start + shift, stop: r.window.stop + shift };
    r.spikes.iter_mut().for_each(|s| s.times.iter_mut().for_each(|t| *t += shift));
    r.traces.iter_mut().for_each(|t| t.start += shift);
    r
}

#[test]
fn kinds_are_unique_and_declared_well() {
    let mut kinds = std::collections::BTreeSet::new();
    for a in crate::ANALYSES {
        let d = a.declaration();
        assert!(kinds.insert(d.kind), "{} twice", d.kind);
        let card = a.card();
        for text in [card.title, card.summary, card.formula, card.assumptions, card.bias, card.cost, card.caveats] {
            assert!(!text.is_empty(), "{}: its card has an empty field", d.kind);
        }
        assert!(card.references.iter().any(|r| r.contains("10.") || r.contains("arXiv")), "{}: no DOI", d.kind);
        for name in d.synonyms {
            let written = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(name.chars().all(written), "{}: the synonym {name} is never found", d.kind);
            assert!(crate::find(name).is_none(), "{}: the synonym {name} is an analysis itself", d.kind);
        }
        for o in &d.options {
            assert!(!o.about.is_empty());
            let filled = o.default_value(true);
            assert_eq!(filled.is_some(), o.default.is_some(), "{}.{}: the default does not parse", d.kind, o.key);
        }
    }
    assert_eq!(crate::declarations().len(), kinds.len());
    assert_eq!(crate::find("isi").map(|a| a.declaration().kind), Some("isi"));
    assert!(crate::find("nothing").is_none());
}
