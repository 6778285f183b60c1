//! What an estimator finds: the loop over what it looks at, and the collector of metrics, shapes, words and warnings.

use spikedeck_core::rng::Key;
use spikedeck_core::units::short;
use spikedeck_scenario::{Spec, Subject};
use spikedeck_signal::{Curve, Metric, NamedShape, Outcome, Recording, Scalars, Setting, Shape, TimeBase};

use crate::{AnalysisError, Request, subject};

/// Nothing more to say, or why there is nothing at all to say.
pub type Measured = Result<(), AnalysisError>;

/// The collector that an estimator is handed.
pub struct Findings<'a> {
    /// What was asked.
    pub request: &'a Request<'a>,
    /// What was recorded.
    pub recording: &'a Recording,
    /// What the numbers on the time axis mean.
    pub base: TimeBase,
    metrics: Vec<Metric>,
    shapes: Vec<NamedShape>,
    warnings: Vec<String>,
    words: Vec<String>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(request: &'a Request<'a>) -> Self {
        Self {
            request,
            recording: request.recording,
            base: request.recording.time_base,
            metrics: Vec::new(),
            shapes: Vec::new(),
            warnings: Vec::new(),
            words: Vec::new(),
        }
    }

    /// Looks at each subject of `of` in turn, and stops when the result is no longer wanted.
    ///
    /// # Errors
    /// `Cancelled`, and what `look` fails with.
    pub fn each_subject(&mut self, mut look: impl FnMut(&mut Self, &Subject) -> Measured) -> Measured {
        self.each(&self.request.spec.of, |f, s| look(f, s))
    }

    /// The same, with the spikes of every population that recorded them where `of` names nothing.
    ///
    /// # Errors
    /// As [`Findings::each_subject`]; `NotRecorded` when there are neither subjects nor spikes.
    pub fn each_spiking(&mut self, mut look: impl FnMut(&mut Self, &Subject) -> Measured) -> Measured {
        self.each(&subject::of_or_all_spikes(self.request)?, |f, s| look(f, s))
    }

    /// Looks at each of some items in turn, and stops when the result is no longer wanted.
    ///
    /// # Errors
    /// `Cancelled`, and what `look` fails with.
    pub fn each<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut look: impl FnMut(&mut Self, T) -> Measured,
    ) -> Measured {
        for item in items {
            self.request.check_cancelled()?;
            look(self, item)?;
        }
        Ok(())
    }

    /// Looks at each two of some items, the earlier first: pairs without direction.
    ///
    /// # Errors
    /// As [`Findings::each`].
    pub fn each_two<T>(&mut self, items: &[T], mut look: impl FnMut(&mut Self, &T, &T) -> Measured) -> Measured {
        for (i, first) in items.iter().enumerate() {
            self.each(&items[i + 1..], |f, second| look(f, first, second))?;
        }
        Ok(())
    }

    /// A number.
    pub fn metric(&mut self, metric: Metric) {
        self.metrics.push(metric);
    }

    /// Several numbers.
    pub fn metrics(&mut self, metrics: impl IntoIterator<Item = Metric>) {
        self.metrics.extend(metrics);
    }

    /// Something to draw.
    pub fn shape(&mut self, name: impl Into<String>, shape: Shape) {
        self.shapes.push(NamedShape::new(name, shape));
    }

    /// Something to draw that has its name.
    pub fn shapes(&mut self, shapes: impl IntoIterator<Item = NamedShape>) {
        self.shapes.extend(shapes);
    }

    /// What a reader should know before believing it.
    pub fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// A part of the one line in words.
    pub fn word(&mut self, word: impl Into<String>) {
        self.words.push(word.into());
    }

    /// Whether nothing is said in words yet.
    pub fn is_wordless(&self) -> bool {
        self.words.is_empty()
    }

    /// The scenario; none for recordings from elsewhere.
    pub fn scenario(&self) -> Option<&'a Spec> {
        self.request.scenario
    }

    /// A key for the surrogates and bootstraps of one subject.
    pub fn key(&self, subject: &str, purpose: &str) -> Key {
        self.request.key(subject, purpose)
    }

    /// The outcome: shapes first, then the metrics as a list of numbers called `table`; every metric learns the
    /// analysis' name.
    pub(crate) fn outcome(mut self, title: &str, table: &str, settings: Vec<Setting>) -> Outcome {
        let spec = self.request.spec;
        for metric in &mut self.metrics {
            metric.analysis.clone_from(&spec.name);
        }
        // Values without a unit leave a gap where their unit would stand.
        let summary = self.words.join("; ").replace(" ,", ",").replace(" ;", ";").trim_end().to_owned();
        if !self.metrics.is_empty() {
            self.shapes.push(NamedShape::new(table, Shape::Scalars(Scalars::from_metrics(&self.metrics))));
        }
        self.warnings.extend(derived(&settings));
        Outcome {
            failure: None,
            name: spec.name.clone(),
            kind: spec.kind.clone(),
            title: title.to_owned(),
            shapes: self.shapes,
            metrics: self.metrics,
            summary,
            warnings: self.warnings,
            settings,
        }
    }
}

/// What a reader should know of values that no one wrote.
fn derived(settings: &[Setting]) -> Option<String> {
    let list: Vec<String> = settings.iter().map(|s| format!("`{}` is {} ({})", s.key, short(s.value), s.how)).collect();
    (!list.is_empty()).then(|| format!("time has no unit here, and nothing else is said, so that {}", list.join(", ")))
}

/// A curve by points, drawn as `style`.
pub fn curve(name: impl Into<String>, x: Vec<f64>, y: Vec<f64>, style: spikedeck_signal::CurveStyle) -> Curve {
    Curve { name: name.into(), x, y, band: None, style }
}
