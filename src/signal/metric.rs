//! Numbers that carry what they rest on, and the one list of their columns.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ground::Ground;
use super::metric_column::{MetricColumn, MetricKind, OverSeeds, Shown, Tone};
use super::shape::NamedShape;
use super::unit_table::UnitTable;

/// Declares [`Metric`] and [`Metric::COLUMNS`] from one row a column: field, kind, what becomes of it over seeds, what
/// stands on screens, meaning.
macro_rules! columns {
    ($($field:ident: $kind:ident, $seeds:ident, $shown:expr, $about:literal;)*) => {
        /// One measured number: never without its n, and with its chance level and interval where they exist.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Metric {
            $(#[doc = $about] pub $field: columns!(@type $kind),)*
            /// What its interval, chance level and p-value stand on: an outcome gathers it, and no table has it.
            #[serde(skip)]
            pub grounds: Vec<Ground>,
        }

        impl Metric {
            /// The columns of every table of metrics, in their order: Parquet, CSV, JSON, clipboard, and those that
            /// have a heading also on screens and in figures.
            pub const COLUMNS: &'static [MetricColumn] = &[$(MetricColumn {
                name: stringify!($field),
                about: $about,
                kind: columns!(@kind $kind $field),
                over_seeds: OverSeeds::$seeds,
                shown: $shown,
            }),*];
        }
    };
    (@type Key) => { String };
    (@type Name) => { String };
    (@type Text) => { String };
    (@type Count) => { Option<u64> };
    (@type $number:ident) => { Option<f64> };
    (@kind Key $field:ident) => { MetricKind::Key(|m| &m.$field, |m, v| m.$field = v) };
    (@kind Name $field:ident) => { MetricKind::Name(|m| &m.$field, |m, v| m.$field = v) };
    (@kind Text $field:ident) => { MetricKind::Text(|m| &m.$field, |m, v| m.$field = v) };
    (@kind $kind:ident $field:ident) => { MetricKind::$kind(|m| m.$field, |m, v| m.$field = v) };
}

columns! {
    analysis: Key, Set, None, "Name of the analysis in the scenario.";
    subject: Key, Set, None, "What was looked at (`exc.rate`, `exc.spikes`, `a.spikes->b.spikes`).";
    metric: Key, Set, None, "Which number (`peak`, `cv`, `lambda_1`).";
    value: Value, Set, Some(Shown::new("value", 0, Tone::Strong)),
        "The value; missing when too few events support it (then `note` says why).";
    unit: Name, Set, Some(Shown::new("unit", 1, Tone::Faint)), "Unit (`Hz`, `bits`, `1/s`; empty for plain numbers).";
    ci_low: Number, Set, Some(Shown::interval("95 % CI", 2, Tone::Plain)), "Lower end of the interval.";
    ci_high: Number, Set, None, "Upper end of the interval.";
    chance: Number, Mean, Some(Shown::new("chance", 4, Tone::Faint)), "What independence or no effect would give.";
    p_value: P, Lost, Some(Shown::new("p", 5, Tone::Plain)),
        "Probability of a value at least as extreme under the null hypothesis named in the note.";
    n: Count, Set, Some(Shown::new("n", 3, Tone::Faint)),
        "Number of events, samples or segments that the value rests on.";
    note: Text, Set, Some(Shown::new("note", 6, Tone::Faint)),
        "What kind of interval, which null hypothesis, what was left out, why a value is missing.";
}

impl Metric {
    /// The columns without the names by which a metric is found: what was measured.
    pub fn measured() -> impl Iterator<Item = &'static MetricColumn> {
        Self::COLUMNS.iter().filter(|c| !matches!(c.kind, MetricKind::Key(..)))
    }

    /// The columns that screens and figures show, with how they do.
    pub fn shown() -> impl Iterator<Item = (&'static MetricColumn, Shown)> {
        Self::COLUMNS.iter().filter_map(|c| Some((c, c.shown?)))
    }

    /// A value with its unit and n; what is no finite number is missing, and said to be.
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
            note: no_value(value).to_owned(),
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

    /// Whether values of this unit are angles, which are the same again after a turn: they have differences and no
    /// shares.
    pub fn is_angle(unit: &str) -> bool {
        unit == "rad"
    }

    /// Both ends of the interval, if both are known.
    pub fn ends(&self) -> Option<(f64, f64)> {
        self.ci_low.zip(self.ci_high)
    }

    /// Full name: `ANALYSIS.SUBJECT.METRIC`.
    pub fn full_name(&self) -> String {
        format!("{}.{}.{}", self.analysis, self.subject, self.metric)
    }
}

/// Why a result is no value; nothing where it is one.
fn no_value(result: f64) -> &'static str {
    if result.is_nan() {
        "no value: the result is not a number"
    } else if result.is_infinite() {
        "no value: the result is infinite"
    } else {
        ""
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
    /// Numbers of single units, which are too many for screens; each is a table.
    pub units: Vec<UnitTable>,
    /// One line in words, for people who do not see the pane.
    pub summary: String,
    /// What a reader should know before believing it (too few events, window too short, an estimator's limit).
    pub warnings: Vec<String>,
    /// Why it has no result at all, if it has none.
    pub failure: Option<String>,
    /// Options that nobody wrote and that have no default here, as they were derived from the data.
    pub settings: Vec<Setting>,
    /// What the intervals, chance levels and p-values of its numbers stand on, each sentence once.
    pub grounds: BTreeSet<Ground>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of a metric under a heading.
    fn text(metric: &Metric, heading: &str) -> String {
        Metric::shown().find(|c| c.1.heading == heading).map(|c| c.0.text(metric)).unwrap()
    }

    #[test]
    fn every_column_has_its_text_on_screens() {
        let metric = Metric::new("a.spikes", "cv", 1234.56, "mV**2", 12_000).interval(0.5, 2.0).p(0.000_1).note("x");
        for (heading, expected) in [
            ("value", "1,235"),
            ("unit", "mV²"),
            ("95 % CI", "[0.5, 2]"),
            ("chance", ""),
            ("p", "<0.001"),
            ("n", "12,000"),
            ("note", "x"),
        ] {
            assert_eq!(text(&metric, heading), expected, "{heading}");
        }
        assert_eq!(text(&Metric::default(), "value"), "–");
        // One end of an interval is no interval, and a p-value that is no number is none.
        let half = Metric { ci_low: Some(1.0), p_value: Some(f64::NAN), ..Metric::default() };
        assert_eq!((text(&half, "95 % CI"), text(&half, "p")), (String::new(), String::new()));
    }

    /// A value is there or its absence has a reason, whatever is computed.
    #[test]
    fn nothing_is_missing_without_a_word() {
        for value in [0.0, -1.5, f64::MAX, f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let metric = Metric::new("a.spikes", "ratio", value, "", 3);
            assert_eq!(metric.value.is_some(), value.is_finite());
            assert_eq!(metric.note.is_empty(), value.is_finite(), "{value}: {}", metric.note);
            let noted = metric.note("n = cells");
            assert!(noted.note.ends_with("n = cells") && noted.note.starts_with("no value") != value.is_finite());
        }
    }

    #[test]
    fn columns_are_named_once_and_explained() {
        let names: std::collections::BTreeSet<_> = Metric::COLUMNS.iter().map(|c| c.name).collect();
        assert_eq!(names.len(), Metric::COLUMNS.len());
        assert!(Metric::COLUMNS.iter().all(|c| c.about.ends_with(['.', ')'])));
        assert_eq!(Metric::measured().next().map(|c| c.name), Some("value"));
    }

    /// Every column says what becomes of it over seeds: what is not lost or set is the mean of what the seeds have.
    #[test]
    fn columns_are_carried_over_seeds_as_they_declare() {
        use crate::metric_column::OverSeeds;
        let seed = |v: f64| Metric::new("a", "m", v, "Hz", 9).interval(v, v + 1.0).chance(2.0 * v).p(0.01).note("x");
        let seeds = [seed(1.0), seed(2.0), Metric::missing("a", "m", "Hz", 0, "y")];
        let mut mean = Metric::new("a", "m", 1.5, "Hz", 2);
        for column in Metric::COLUMNS {
            column.carry_over_seeds(&seeds.iter().collect::<Vec<_>>(), &mut mean);
            let is_numeric = matches!(column.kind, MetricKind::Value(..) | MetricKind::Number(..) | MetricKind::P(..));
            assert!(column.over_seeds != OverSeeds::Mean || is_numeric, "{}", column.name);
        }
        assert_eq!(mean, Metric::new("a", "m", 1.5, "Hz", 2).chance(3.0));
        let same = vec![seed(0.1); 3];
        for column in Metric::COLUMNS {
            column.carry_over_seeds(&same.iter().collect::<Vec<_>>(), &mut mean);
        }
        assert_eq!(mean.chance, Some(0.2), "equal numbers are not rounded");
    }
}
