//! Numbers that carry what they rest on.

use serde::{Deserialize, Serialize};

use super::shape::NamedShape;

/// One measured number: never without its n, and with its chance level and interval where they exist.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metric {
    /// Name of the analysis in the scenario.
    pub analysis: String,
    /// What was looked at (`exc.rate`, `exc.spikes`, `a.spikes->b.spikes`).
    pub subject: String,
    /// Which number (`peak`, `cv`, `lambda_1`).
    pub metric: String,
    /// The value; missing when too few events support it (then `note` says why).
    pub value: Option<f64>,
    /// Unit (`Hz`, `bits`, `1/s`; empty for plain numbers).
    pub unit: String,
    /// Lower end of the interval.
    pub ci_low: Option<f64>,
    /// Upper end of the interval.
    pub ci_high: Option<f64>,
    /// What independence or no effect would give.
    pub chance: Option<f64>,
    /// Probability of a value at least as extreme under the null hypothesis named in the note.
    pub p_value: Option<f64>,
    /// Number of events, samples or segments that the value rests on.
    pub n: Option<u64>,
    /// What kind of interval, which null hypothesis, what was left out, why a value is missing.
    pub note: String,
}

impl Metric {
    /// A value with its unit and n.
    pub fn new(
        subject: impl Into<String>,
        metric: impl Into<String>,
        value: f64,
        unit: impl Into<String>,
        n: u64,
    ) -> Self {
        Self {
            subject: subject.into(),
            metric: metric.into(),
            value: value.is_finite().then_some(value),
            unit: unit.into(),
            n: Some(n),
            ..Self::default()
        }
    }

    /// A value that is missing, and why.
    pub fn missing(
        subject: impl Into<String>,
        metric: impl Into<String>,
        unit: impl Into<String>,
        n: u64,
        why: impl Into<String>,
    ) -> Self {
        Self {
            subject: subject.into(),
            metric: metric.into(),
            unit: unit.into(),
            n: Some(n),
            note: why.into(),
            ..Self::default()
        }
    }

    /// The same with an interval.
    #[must_use]
    pub fn interval(mut self, low: f64, high: f64) -> Self {
        self.ci_low = low.is_finite().then_some(low);
        self.ci_high = high.is_finite().then_some(high);
        self
    }

    /// The same with a chance level.
    #[must_use]
    pub fn chance(mut self, chance: f64) -> Self {
        self.chance = chance.is_finite().then_some(chance);
        self
    }

    /// The same with a p-value.
    #[must_use]
    pub fn p(mut self, p: f64) -> Self {
        self.p_value = p.is_finite().then_some(p);
        self
    }

    /// The same with a note (added to one that is there).
    #[must_use]
    pub fn note(mut self, note: impl AsRef<str>) -> Self {
        if !self.note.is_empty() {
            self.note.push_str("; ");
        }
        self.note.push_str(note.as_ref());
        self
    }

    /// Full name: `ANALYSIS.SUBJECT.METRIC`.
    pub fn full_name(&self) -> String {
        format!("{}.{}.{}", self.analysis, self.subject, self.metric)
    }
}

/// A value that an analysis worked with although nobody wrote it: it was derived from the data.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Setting {
    /// The option.
    pub key: String,
    /// Its value, in `unit`.
    pub value: f64,
    /// Unit of the value (empty for plain numbers).
    pub unit: String,
    /// Where it comes from, in words.
    pub how: String,
}

/// What an analysis returns: shapes for panes, tables and figures, and metrics.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Name of the analysis in the scenario (`psd`, `my_spectrum`).
    pub name: String,
    /// Kind of the analysis (`psd`).
    pub kind: String,
    /// Heading of its pane.
    pub title: String,
    /// What to draw; each shape is a pane and a table.
    pub shapes: Vec<NamedShape>,
    /// The numbers.
    pub metrics: Vec<Metric>,
    /// One line in words, for people who do not see the pane.
    pub summary: String,
    /// What a reader should know before believing it (too few events, window too short, an estimator's limit).
    pub warnings: Vec<String>,
    /// Options that nobody wrote and that have no default here, as they were derived from the data.
    pub settings: Vec<Setting>,
}
