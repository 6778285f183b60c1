//! What a column of the metrics table is: its name and kind in files, its heading and text on screens.

use spikedeck_core::number;

use super::metric::Metric;

/// Reads a text of a metric.
pub type GetText = fn(&Metric) -> &str;
/// Sets a text of a metric.
pub type SetText = fn(&mut Metric, String);
/// Reads a number of a metric.
pub type GetNumber = fn(&Metric) -> Option<f64>;
/// Sets a number of a metric.
pub type SetNumber = fn(&mut Metric, Option<f64>);

/// What a column holds, and how it is read from and written into a metric.
#[derive(Debug, Clone, Copy)]
pub enum MetricKind {
    /// A name by which metrics are found: few different texts; every table of metrics has it.
    Key(GetText, SetText),
    /// Few different texts.
    Name(GetText, SetText),
    /// Text, each row its own.
    Text(GetText, SetText),
    /// The number that was measured; every table of metrics has it.
    Value(GetNumber, SetNumber),
    /// A number that may be missing.
    Number(GetNumber, SetNumber),
    /// A probability that may be missing.
    P(GetNumber, SetNumber),
    /// A whole number that may be missing.
    Count(fn(&Metric) -> Option<u64>, fn(&mut Metric, Option<u64>)),
}

/// What becomes of a column where a metric is the mean over several seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverSeeds {
    /// It is of the mean: whoever makes the mean sets it.
    Set,
    /// Its mean over the seeds that have one.
    Mean,
    /// Nothing: it rests on one run.
    Lost,
}

/// How prominently a column stands on screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// What is looked for first.
    Strong,
    /// As other text.
    Plain,
    /// Behind the rest.
    Faint,
}

/// How screens and figures show a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Heading.
    pub heading: &'static str,
    /// Where there is no room for all columns those with low weights are placed first, and those with 0 always.
    pub weight: u8,
    /// How prominent it is.
    pub tone: Tone,
    /// Whether the cell shows the whole interval, of which the column in files is one end.
    is_interval: bool,
}

impl Shown {
    /// Whether names are cut before it goes: the number, its interval, and what it rests on.
    pub fn is_needed(&self) -> bool {
        self.weight <= 3
    }

    /// A column that shows its own value.
    pub(super) const fn new(heading: &'static str, weight: u8, tone: Tone) -> Self {
        Self { heading, weight, tone, is_interval: false }
    }

    /// A column that shows both ends of the interval.
    pub(super) const fn interval(heading: &'static str, weight: u8, tone: Tone) -> Self {
        Self { heading, weight, tone, is_interval: true }
    }
}

/// A column of the metrics table.
#[derive(Debug, Clone, Copy)]
pub struct MetricColumn {
    /// Name in files and in JSON.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// What it holds.
    pub kind: MetricKind,
    /// What becomes of it over seeds.
    pub over_seeds: OverSeeds,
    /// How it is shown to people, if it is.
    pub shown: Option<Shown>,
}

impl MetricColumn {
    /// The cell that people read; empty where there is nothing to say.
    pub fn text(&self, metric: &Metric) -> String {
        if self.shown.is_some_and(|s| s.is_interval) {
            return metric.ends().map_or_else(String::new, |(low, high)| number::interval(low, high));
        }
        match self.kind {
            MetricKind::Name(get, _) => number::unit_text(get(metric)),
            MetricKind::Key(get, _) | MetricKind::Text(get, _) => get(metric).to_owned(),
            MetricKind::Value(get, _) => number::shown_or_missing(get(metric)),
            MetricKind::Number(get, _) => get(metric).map_or_else(String::new, number::shown),
            MetricKind::P(get, _) => get(metric).filter(|p| p.is_finite()).map_or_else(String::new, number::p_value),
            MetricKind::Count(get, _) => get(metric).map_or_else(String::new, number::count),
        }
    }

    /// Gives the mean of a metric over seeds what the column has of it at each seed.
    pub fn carry_over_seeds(&self, seeds: &[&Metric], mean: &mut Metric) {
        match (self.over_seeds, self.kind) {
            (OverSeeds::Mean, MetricKind::Value(get, set) | MetricKind::Number(get, set) | MetricKind::P(get, set)) => {
                let values: Vec<f64> = seeds.iter().filter_map(|m| get(m)).collect();
                let same = values.first().filter(|first| values.iter().all(|v| v == *first));
                // The sum of equal numbers is rounded.
                let whole =
                    same.copied().or((!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64));
                set(mean, whole);
            }
            (OverSeeds::Mean, _) => unreachable!("a test holds that only numbers have means"),
            (OverSeeds::Set | OverSeeds::Lost, _) => {}
        }
    }

    /// Whether its cells are numbers.
    pub fn is_number(&self) -> bool {
        match self.kind {
            MetricKind::Value(..) | MetricKind::Number(..) | MetricKind::P(..) | MetricKind::Count(..) => true,
            MetricKind::Key(..) | MetricKind::Name(..) | MetricKind::Text(..) => false,
        }
    }

    /// Whether its cells are set flush right, as single numbers are.
    pub fn is_right(&self) -> bool {
        self.is_number() && !self.shown.is_some_and(|s| s.is_interval)
    }

    /// Whether its cells are sentences, which are cut where there is no room.
    pub fn is_prose(&self) -> bool {
        matches!(self.kind, MetricKind::Text(..))
    }

    /// Whether it is the number itself: the value, its unit, its interval. A picture of the number stands behind it.
    pub fn is_measure(&self) -> bool {
        matches!(self.kind, MetricKind::Value(..) | MetricKind::Name(..)) || self.shown.is_some_and(|s| s.is_interval)
    }

    /// Whether a table without it is none of metrics.
    pub fn is_required(&self) -> bool {
        matches!(self.kind, MetricKind::Key(..) | MetricKind::Value(..))
    }
}
