//! Analyses: trait [`Analysis`] and the one list, [`ANALYSES`].
//!
//! Adding an analysis is one file and one line in the list; it then appears in panes, tables, figures, `list`,
//! `explain`, the schema and the docs by itself. [`subject`] resolves what an analysis looks at to data.

pub mod ap_shape;
pub mod attenuation;
pub mod cable;
mod channel_capacity;
pub mod subject;

// Spikes, rates, spectra, synchrony: one line a file.
pub mod agreement;
pub mod avalanches;
pub mod correlogram;
pub mod front;
pub mod growth;
pub mod isi;
pub mod lags;
pub mod levels;
pub mod places;
pub mod plane;
pub mod population_rate;
pub mod psd;
pub mod raster;
pub mod rates;
#[cfg(test)]
#[path = "../core/reference_sets.rs"]
mod reference_sets;
pub mod rhythm;
pub mod signal_to_noise;
pub mod space;
pub mod spectrogram;
pub mod synchrony;
pub mod value_distribution;

// Information and dynamics: one line a file.
pub mod binding;
pub mod decoder;
pub mod dependence;
#[cfg(test)]
pub(crate) mod equation_fixtures;
pub mod fi_curve;
pub mod lyapunov;
pub mod mutual_information;
pub mod phase_plane;
pub mod transfer_entropy;
pub mod weight_spectrum;

pub use spikedeck_scenario::catalog::{AnalysisDeclaration, Subjects};
pub use spikedeck_signal::{Metric, Outcome};

use spikedeck_core::rng::Key;
use spikedeck_core::units::Quantity;
use spikedeck_scenario::{AnalysisSpec, OptionKind, OptionValue, ParamSpec, Spec};
use spikedeck_signal::{NamedShape, Recording, Scalars, Shape};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// Every analysis, one line each.
pub static ANALYSES: &[&dyn Analysis] = &[
    // Spikes, rates, spectra, synchrony.
    &rates::Rates,
    &isi::Isi,
    &levels::Levels,
    &raster::RasterOfSpikes,
    &population_rate::PopulationRate,
    &psd::Psd,
    &spectrogram::Spectrogram,
    &value_distribution::ValueDistribution,
    &correlogram::Correlogram,
    &lags::Lags,
    &synchrony::Synchrony,
    &avalanches::Avalanches,
    &rhythm::Rhythm,
    &signal_to_noise::SignalToNoise,
    &agreement::Agreement,
    &growth::Growth,
    &ap_shape::ApShape,
    &attenuation::Attenuation,
    &cable::Cable,
    &front::Front,
    &space::Space,
    &plane::Plane,
    // Information and dynamics.
    &fi_curve::FiCurve,
    &lyapunov::Lyapunov,
    &mutual_information::MutualInformation,
    &channel_capacity::ChannelCapacity,
    &phase_plane::PhasePlane,
    &transfer_entropy::TransferEntropy,
    &decoder::Decoder,
    &weight_spectrum::WeightSpectrum,
];

/// The analysis called `kind`.
pub fn find(kind: &str) -> Option<&'static dyn Analysis> {
    ANALYSES.iter().copied().find(|a| a.declaration().kind == kind)
}

/// What every analysis declares, by kind: what `run` hands to the scenario's catalog.
pub fn declarations() -> BTreeMap<&'static str, AnalysisDeclaration> {
    ANALYSES.iter().map(|a| a.declaration()).map(|d| (d.kind, d)).collect()
}

/// The options of a declaration at their defaults, as a scenario would fill them in (lists have no defaults).
pub fn default_options(declaration: &AnalysisDeclaration) -> BTreeMap<&'static str, OptionValue> {
    let value = |spec: &ParamSpec| {
        let text = spec.default?;
        match spec.kind {
            OptionKind::Quantity(_) | OptionKind::Time | OptionKind::Frequency => {
                Quantity::parse(text).ok().map(|q| OptionValue::Number(q.value))
            }
            OptionKind::Integer => text.parse().ok().map(OptionValue::Integer),
            OptionKind::Flag => text.parse().ok().map(OptionValue::Flag),
            OptionKind::Choice(_) | OptionKind::Text => Some(OptionValue::Text(text.to_owned())),
            OptionKind::Quantities(_) | OptionKind::Texts => None,
        }
    };
    declaration.options.iter().filter_map(|spec| value(spec).map(|v| (spec.key, v))).collect()
}

/// The card of an analysis, shown by `explain`.
#[derive(Debug, Clone, Copy)]
pub struct AnalysisCard {
    /// Title.
    pub title: &'static str,
    /// One line for lists.
    pub summary: &'static str,
    /// Formula in plain Unicode.
    pub formula: &'static str,
    /// What must hold.
    pub assumptions: &'static str,
    /// Bias and how it is corrected.
    pub bias: &'static str,
    /// Cost, O(.).
    pub cost: &'static str,
    /// When it lies.
    pub caveats: &'static str,
    /// References with DOI.
    pub references: &'static [&'static str],
}

/// What an analysis is given.
pub struct Request<'a> {
    /// Its entry in the scenario.
    pub spec: &'a AnalysisSpec,
    /// The scenario (none for recordings from elsewhere).
    pub scenario: Option<&'a Spec>,
    /// What was recorded.
    pub recording: &'a Recording,
    /// Seed for surrogates and bootstraps.
    pub seed: u64,
    /// Raised when the reader no longer wants the result.
    pub cancel: &'a AtomicBool,
}

impl Request<'_> {
    /// Whether the result is still wanted; long loops ask now and then and return [`AnalysisError::Cancelled`].
    ///
    /// # Errors
    /// `Cancelled` when it is not.
    pub fn check_cancelled(&self) -> Result<(), AnalysisError> {
        if self.cancel.load(Ordering::Relaxed) { Err(AnalysisError::Cancelled) } else { Ok(()) }
    }

    /// A number option in SI.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.spec.options.get(key) {
            Some(OptionValue::Number(v)) => Some(*v),
            Some(OptionValue::Integer(v)) => Some(*v as f64),
            _ => None,
        }
    }

    /// A whole-number option.
    pub fn integer(&self, key: &str) -> Option<i64> {
        match self.spec.options.get(key) {
            Some(OptionValue::Integer(v)) => Some(*v),
            _ => None,
        }
    }

    /// A yes-or-no option; absent is no.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.spec.options.get(key), Some(OptionValue::Flag(true)))
    }

    /// Several numbers in SI; absent is none.
    pub fn numbers(&self, key: &str) -> &[f64] {
        match self.spec.options.get(key) {
            Some(OptionValue::Numbers(v)) => v,
            _ => &[],
        }
    }

    /// An option of time in units of the recording's axis.
    pub fn time(&self, key: &str) -> Option<f64> {
        self.number(key).map(|seconds| seconds / self.recording.time_base.seconds())
    }

    /// Several words; absent is none.
    pub fn texts(&self, key: &str) -> &[String] {
        match self.spec.options.get(key) {
            Some(OptionValue::Texts(v)) => v,
            _ => &[],
        }
    }

    /// A key for the surrogates and bootstraps of one subject.
    pub fn key(&self, subject: &str, purpose: &str) -> Key {
        Key::new(self.seed, &format!("analyses.{}.{subject}", self.spec.name), purpose)
    }

    /// The outcome: shapes first, then the metrics as a list of numbers; every metric learns the analysis' name.
    pub fn outcome(
        &self,
        title: &str,
        shapes: Vec<NamedShape>,
        metrics: Vec<Metric>,
        summary: String,
        warnings: Vec<String>,
    ) -> Outcome {
        let metrics: Vec<Metric> =
            metrics.into_iter().map(|m| Metric { analysis: self.spec.name.clone(), ..m }).collect();
        // Values without a unit leave a gap where their unit would stand.
        let summary = summary.replace(" ,", ",").replace(" ;", ";").trim_end().to_owned();
        let mut shapes = shapes;
        if !metrics.is_empty() {
            shapes.push(NamedShape::new("numbers", Shape::Scalars(Scalars::from_metrics(&metrics))));
        }
        Outcome {
            name: self.spec.name.clone(),
            kind: self.spec.kind.clone(),
            title: title.to_owned(),
            shapes,
            metrics,
            summary,
            warnings,
        }
    }

    /// A word option.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.spec.options.get(key) {
            Some(OptionValue::Text(v)) => Some(v),
            _ => None,
        }
    }
}

/// Why an analysis gave no outcome.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// The reader no longer wants it.
    #[error("cancelled")]
    Cancelled,
    /// What it needs was not recorded.
    #[error("{subject} was not recorded: {hint}")]
    NotRecorded {
        /// Subject.
        subject: String,
        /// What to write into the scenario.
        hint: String,
    },
    /// It cannot be computed on this.
    #[error("{0}")]
    Unsuitable(String),
}

/// An analysis: one file, one line in the list.
pub trait Analysis: Sync {
    /// Name, subjects and options, for checking scenarios.
    fn declaration(&self) -> AnalysisDeclaration;
    /// Its card.
    fn card(&self) -> &'static AnalysisCard;
    /// Measures.
    ///
    /// # Errors
    /// When nothing at all can be said; too few events is not an error but a missing value with a note.
    fn run(&self, request: &Request<'_>) -> Result<Outcome, AnalysisError>;
    /// Whether a live picture while the run lasts makes sense (cheap, and meaningful on part of the data).
    fn live(&self) -> bool {
        false
    }
}

/// Options, defaults and meaning that several analyses share can be built from this.
pub fn option(key: &'static str, kind: OptionKind, default: Option<&'static str>, about: &'static str) -> ParamSpec {
    ParamSpec { key, kind, default, range: None, about }
}

/// The same where zero makes sense as well (without bounds a time or a frequency has to be greater).
pub fn from_zero(spec: ParamSpec) -> ParamSpec {
    bounded(spec, 0.0, f64::MAX)
}

/// The same with a least and a greatest value in SI.
pub fn bounded(mut spec: ParamSpec, least: f64, greatest: f64) -> ParamSpec {
    spec.range = Some((least, greatest));
    spec
}

#[cfg(test)]
pub(crate) mod testing {
    //! Recordings by hand, and analyses run on them.

    use super::{Analysis, AnalysisError, Outcome, Request, default_options, subject};
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::{AnalysisSpec, Observable, OptionValue, Place, PopulationId, Subject};
    use spikedeck_signal::{Metric, Population, Recording, Spikes, Trace, Window};
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
        let mut all = default_options(&declaration);
        for (key, value) in options {
            assert!(declaration.options.iter().any(|o| o.key == *key), "{key} is no option");
            all.insert(key, value.clone());
        }
        let spec = AnalysisSpec {
            name: "x".into(),
            kind: declaration.kind.into(),
            of,
            source: vec![],
            target: vec![],
            options: all,
        };
        let cancel = AtomicBool::new(false);
        analysis.run(&Request { spec: &spec, scenario: None, recording, seed: 1, cancel: &cancel })
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
                    assert!((p - q).abs() <= tolerance * (1.0 + p.abs()), "{}: {p} is not {q}", x.full_name())
                }
                (p, q) => assert_eq!(p, q, "{}", x.full_name()),
            }
        }
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
        for a in super::ANALYSES {
            let d = a.declaration();
            assert!(kinds.insert(d.kind), "{} twice", d.kind);
            let card = a.card();
            for text in [card.title, card.summary, card.formula, card.assumptions, card.bias, card.cost, card.caveats] {
                assert!(!text.is_empty(), "{}: its card has an empty field", d.kind);
            }
            assert!(card.references.iter().any(|r| r.contains("10.") || r.contains("arXiv")), "{}: no DOI", d.kind);
            let filled = default_options(&d);
            for o in &d.options {
                assert!(!o.about.is_empty());
                assert_eq!(
                    filled.contains_key(o.key),
                    o.default.is_some(),
                    "{}.{}: the default does not parse",
                    d.kind,
                    o.key
                );
            }
        }
        assert_eq!(super::declarations().len(), kinds.len());
        assert_eq!(super::find("isi").map(|a| a.declaration().kind), Some("isi"));
        assert!(super::find("nothing").is_none());
        assert_eq!(subject::stem("exc.V_m[0..10]"), "exc.V_m");
    }
}
