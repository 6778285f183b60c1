//! The order of panes: what a scenario is about comes first.
//!
//! What a pane is decides its rank, what it is about decides among equals: the scenario's expectations and analyses say
//! which populations and connections matter. No scenario, model or analysis is known by its name here.

use std::sync::Arc;

use crate::panes::pane::Pane;
use crate::panes::recorded::{self, PaneKind, Recorded};
use spikedeck_scenario::{AnalysisSpec, Observable, Spec, Subject};
use spikedeck_signal::{Metric, NamedShape, Outcome, Recording, Scalars, Series, Shape};

/// Panes of what was recorded and measured, in the order in which one wants to see them: what happened, all numbers,
/// then of each recorded variable and each analysis its first figure, then their second ones. What happened is, in this
/// order: a field or tree in space; connections, where they are what the scenario is about; the raster of many units;
/// the first trace. Histograms come after curves and matrices: there is one for every population.
pub fn arranged(
    recording: &Arc<Recording>,
    outcomes: &[Outcome],
    spec: Option<&Spec>,
    time: Option<(f64, f64)>,
) -> Vec<Pane> {
    let topic = Topic::of(spec);
    let recorded = recorded::panes(recording, spec, time);
    let mut ranked: Vec<(usize, usize, Pane)> = Vec::new();
    // Pictures of analyses that show a recorded variable in space stand for its traces.
    let pictured: Vec<&str> =
        outcomes.iter().filter(|o| o.shapes.iter().any(|s| in_space(s, recording))).map(|o| o.name.as_str()).collect();
    let seen = |r: &Recorded| r.kind != PaneKind::Plane && pictured.iter().any(|analysis| topic.shows(analysis, r));
    let planes: Vec<Arc<NamedShape>> =
        recorded.iter().filter(|r| r.kind == PaneKind::Plane).map(|r| r.pane.shape.clone()).collect();
    let units: usize = recording.spikes.iter().filter(|s| !topic.feeds(&s.population)).map(|s| s.size).sum();
    let traced = |population: &str| recording.traces.iter().any(|t| t.population == population);
    let mut traces: Vec<(usize, Recorded)> = Vec::new();
    for r in recorded {
        let relevance = r.places.iter().map(|p| topic.rank(p)).min().unwrap_or(0);
        let learnt = r.places.iter().any(|p| topic.learns(p));
        let rank = match r.kind {
            PaneKind::Map if seen(&r) => continue,
            // An analysis shows the same.
            PaneKind::Profile if outcomes.iter().any(|o| topic.shows(&o.name, &r) && by_unit(o, &r)) => continue,
            PaneKind::Plane => 0,
            PaneKind::Map | PaneKind::Profile if learnt => 0,
            // A population that an analysis shows in space has its picture: what else was recorded comes later.
            PaneKind::Map if topic.in_space(&r.places[0]) => {
                if pictured.iter().any(|analysis| topic.places(analysis).any(|p| p == r.places[0])) { 5 } else { 0 }
            }
            PaneKind::Raster if units > FEW => 1,
            PaneKind::Map => 2,
            PaneKind::Profile => 4,
            // A raster of few units says less than their traces.
            PaneKind::Raster if recording.spikes.iter().all(|s| traced(&s.population)) => 6,
            PaneKind::Raster => 3,
            PaneKind::Trace => {
                traces.push((relevance, r));
                continue;
            }
        };
        ranked.push((rank, if rank == 0 && learnt { 1 } else { relevance }, r.pane));
    }
    traces.sort_by_key(|t| t.0);
    let mut first = true;
    for (nth, (relevance, r)) in traces.into_iter().enumerate() {
        let shown = seen(&r) || ranked.iter().any(|p| p.2.key == format!("plane/{}.{}", r.places[0], r.variable));
        let rank = match () {
            () if shown || r.crowd => (5, relevance),
            // All curves say more than values at the end, some of them less.
            () if r.places.iter().any(|p| topic.learns(p)) => (0, if r.all { 0 } else { 2 }),
            () if std::mem::take(&mut first) => (2, relevance),
            () => (3 + nth, relevance),
        };
        ranked.push((rank.0, rank.1, r.pane));
    }
    let all = recording.spikes.len();
    for outcome in outcomes {
        let mut nth = 0;
        for (named, pane) in outcome.shapes.iter().zip(measured(outcome)) {
            // All spikes, planes and numbers are shown already.
            let known = match &named.shape {
                Shape::Raster(r) => all > 0 && r.groups.len() == all,
                Shape::Image(_) => planes.iter().any(|p| same_picture(p, named)),
                _ => is_metrics(outcome, named),
            };
            if known {
                continue;
            }
            let rank = match &named.shape {
                _ if in_space(named, recording) => (0, 0),
                Shape::Series(series) if !series.x.is_time && topic.places(&outcome.name).any(|p| topic.learns(p)) => {
                    (0, 1)
                }
                Shape::Distribution(_) => (5 + nth, 1),
                // Of analyses the one that most is expected of goes first.
                _ => (3 + nth, usize::from(!topic.expects(&outcome.name))),
            };
            ranked.push((rank.0, rank.1, pane));
            nth += 1;
        }
    }
    ranked.sort_by_key(|r| (r.0, r.1));
    let mut panes: Vec<Pane> = ranked.into_iter().map(|r| r.2).collect();
    if let Some(numbers) = numbers(outcomes) {
        panes.insert(panes.len().min(1), numbers);
    }
    name(&mut panes, outcomes);
    panes
}

/// A raster of no more units than this does not lead.
const FEW: usize = 4;

/// Which populations and projections a scenario is about.
struct Topic<'a> {
    spec: Option<&'a Spec>,
    /// Number of expectations about each, most first.
    expected: Vec<(&'a str, usize)>,
    /// What analyses look at.
    analysed: Vec<&'a str>,
}

impl<'a> Topic<'a> {
    fn of(spec: Option<&'a Spec>) -> Self {
        let Some(s) = spec else { return Self { spec, expected: Vec::new(), analysed: Vec::new() } };
        let names =
            || s.populations.iter().map(|p| p.name.as_str()).chain(s.projections.iter().map(|p| p.name.as_str()));
        let mut expected: Vec<(&str, usize)> =
            names().map(|name| (name, s.expect.iter().filter(|e| about(s, &e.metric, name)).count())).collect();
        expected.retain(|e| e.1 > 0);
        expected.sort_by_key(|e| std::cmp::Reverse(e.1));
        let analysed = s.analyses.iter().flat_map(subjects).map(|subject| s.place_name(subject.place)).collect();
        Self { spec, expected, analysed }
    }

    /// What an analysis looks at.
    fn subjects(&self, analysis: &str) -> impl Iterator<Item = &'a Subject> {
        let named = self.spec.into_iter().flat_map(|s| &s.analyses).find(|a| a.name == analysis);
        named.into_iter().flat_map(subjects)
    }

    /// The populations and projections that an analysis looks at.
    fn places(&self, analysis: &str) -> impl Iterator<Item = &'a str> {
        let names = |subject: &Subject| self.spec.map(|s| s.place_name(subject.place));
        self.subjects(analysis).filter_map(names)
    }

    /// Whether an analysis looks at all units of a recorded variable one by one.
    fn shows(&self, analysis: &str, r: &Recorded) -> bool {
        let is_it = |s: &Subject| matches!(&s.what, Observable::Variable(name) if *name == r.variable);
        let whole = self.subjects(analysis).zip(self.places(analysis)).filter(|(s, _)| s.units.is_empty() && !s.mean);
        whole.into_iter().any(|(subject, place)| is_it(subject) && place == r.places[0])
    }

    /// How much a population or projection matters; 0 is most.
    fn rank(&self, name: &str) -> usize {
        if self.expected.iter().any(|e| e.0 == name) {
            0
        } else if self.feeds(name) {
            3
        } else if self.analysed.contains(&name) {
            1
        } else {
            2
        }
    }

    /// Whether a population only drives others: nothing arrives at it, and no analysis looks at it.
    fn feeds(&self, name: &str) -> bool {
        let Some(spec) = self.spec else { return false };
        let Some((index, _)) = spec.population_ids().find(|(_, p)| p.name == name) else { return false };
        let (sends, hears) = (
            spec.projections.iter().any(|p| p.from == index),
            spec.projections.iter().any(|p| p.to.population == index),
        );
        sends && !hears && !self.analysed.contains(&name)
    }

    /// Whether this is a projection and the scenario expects more of it than of anything else.
    fn learns(&self, name: &str) -> bool {
        let is_projection = self.spec.is_some_and(|s| s.projections.iter().any(|p| p.name == name));
        is_projection && self.expected.first().is_some_and(|e| e.0 == name)
    }

    /// Whether the scenario expects more of this analysis than of any other.
    fn expects(&self, analysis: &str) -> bool {
        let Some(spec) = self.spec else { return false };
        let of = |name: &str| {
            spec.expect.iter().filter(|e| e.metric.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))).count()
        };
        let most = spec.analyses.iter().map(|a| of(&a.name)).max().unwrap_or(0);
        most > 0 && of(analysis) == most
    }

    fn in_space(&self, name: &str) -> bool {
        self.spec
            .is_some_and(|s| s.populations.iter().any(|p| p.name == name && (p.grid.is_some() || p.tree.is_some())))
    }
}

fn subjects(analysis: &AnalysisSpec) -> impl Iterator<Item = &Subject> {
    analysis.of.iter().chain(&analysis.source).chain(&analysis.target)
}

/// Whether a metric `ANALYSIS.SUBJECT.METRIC` is about a population or projection.
fn about(spec: &Spec, metric: &str, name: &str) -> bool {
    spec.analyses.iter().any(|a| {
        metric.strip_prefix(a.name.as_str()).and_then(|rest| rest.strip_prefix('.')).is_some_and(|s| mentions(s, name))
    })
}

/// Whether a subject is of a population or projection: `NAME.VAR`, `mean(NAME.VAR)`, `A.x->NAME.y`.
fn mentions(subject: &str, name: &str) -> bool {
    subject.match_indices(name).any(|(at, _)| {
        let before = subject[..at].chars().next_back();
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        !before.is_some_and(word) && subject[at + name.len()..].starts_with('.')
    })
}

/// Whether a shape shows a recorded variable in space: over time and position, or from above.
fn in_space(named: &NamedShape, recording: &Recording) -> bool {
    let Shape::Image(image) = &named.shape else { return false };
    !image.x.is_time || recording.traces.iter().any(|t| t.variable == image.value.label)
}

/// Whether an analysis has a value of the recorded variable for every unit.
fn by_unit(outcome: &Outcome, r: &Recorded) -> bool {
    let Shape::Series(ours) = &r.pane.shape.shape else { return false };
    let units = |s: &Series| s.curves.first().map_or(0, |c| c.x.len());
    let is_same = |theirs: &Series| !theirs.x.is_time && theirs.y == ours.y && units(theirs) == units(ours);
    outcome.shapes.iter().any(|s| matches!(&s.shape, Shape::Series(theirs) if is_same(theirs)))
}

/// Whether two shapes are the same values over the same axes.
fn same_picture(a: &NamedShape, b: &NamedShape) -> bool {
    let (Shape::Image(a), Shape::Image(b)) = (&a.shape, &b.shape) else { return false };
    a.value == b.value && (a.width, a.height) == (b.width, b.height) && a.values == b.values
}

/// One pane a shape of an outcome.
fn measured(outcome: &Outcome) -> impl Iterator<Item = Pane> {
    let title = title_of(outcome);
    let many = outcome.shapes.len() > 1;
    outcome.shapes.iter().map(move |s| {
        let heading = match s.name.as_str() {
            _ if !many => title.to_owned(),
            // A name of several words says by itself what it is: `spectrum of exc.rate`.
            // Unless it begins with a name of the scenario, which keeps its letters.
            name if name.split_once(' ').is_some_and(|(word, _)| word.contains('.')) => name.to_owned(),
            name if name.contains(' ') => capital(name),
            name if title.to_lowercase().contains(&name.to_lowercase()) => title.to_owned(),
            name => format!("{title}: {name}"),
        };
        let mut pane =
            Pane::new(format!("{}/{}", outcome.name, s.name), heading, s.shape.clone(), outcome.summary.clone());
        pane.warnings.clone_from(&outcome.warnings);
        pane
    })
}

fn title_of(outcome: &Outcome) -> &str {
    if outcome.title.is_empty() { &outcome.name } else { &outcome.title }
}

fn capital(text: &str) -> String {
    // `f-I curve` begins with a symbol, not with a word.
    if text.chars().nth(1) == Some('-') {
        return text.to_owned();
    }
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// Where several panes have the same heading, the analysis' name tells them apart.
fn name(panes: &mut [Pane], outcomes: &[Outcome]) {
    let titles: Vec<String> = panes.iter().map(|p| p.title.clone()).collect();
    for (i, pane) in panes.iter_mut().enumerate() {
        let owner =
            outcomes.iter().find(|o| pane.key.strip_prefix(o.name.as_str()).is_some_and(|rest| rest.starts_with('/')));
        if let Some(owner) = owner.filter(|_| titles.iter().enumerate().any(|(k, t)| k != i && *t == pane.title)) {
            pane.title = format!("{}: {}", owner.name, pane.title);
        }
    }
}

/// Whether a shape is no more than the table of the outcome's metrics.
fn is_metrics(outcome: &Outcome, shape: &NamedShape) -> bool {
    let Shape::Scalars(table) = &shape.shape else { return false };
    let same = |(row, m): (&spikedeck_signal::ScalarRow, &Metric)| row.name == format!("{} {}", m.subject, m.metric);
    table.rows.len() == outcome.metrics.len() && table.rows.iter().zip(&outcome.metrics).all(same)
}

/// The numbers of all analyses that have no table of another kind, in one table.
fn numbers(outcomes: &[Outcome]) -> Option<Pane> {
    let has_table = |o: &&Outcome| o.shapes.iter().any(|s| matches!(s.shape, Shape::Scalars(_)) && !is_metrics(o, s));
    let plain: Vec<&Outcome> = outcomes.iter().filter(|o| !has_table(o) && !o.metrics.is_empty()).collect();
    let metrics: Vec<Metric> = plain.iter().flat_map(|o| o.metrics.iter().cloned()).collect();
    if metrics.is_empty() {
        return None;
    }
    let mut table = Scalars::from_metrics(&metrics);
    let names: Vec<String> = table.rows.iter().map(|r| r.name.clone()).collect();
    let owners = plain.iter().flat_map(|o| std::iter::repeat_n(o.name.as_str(), o.metrics.len()));
    for ((i, row), owner) in table.rows.iter_mut().enumerate().zip(owners) {
        if names.iter().enumerate().any(|(k, n)| k != i && *n == row.name) {
            row.name = format!("{owner}: {}", row.name);
        }
    }
    let summary = format!("{} measures", table.rows.len());
    let mut pane = Pane::new("numbers", "Numbers", Shape::Scalars(table), summary);
    pane.warnings = plain.iter().flat_map(|o| o.warnings.iter().cloned()).collect();
    Some(pane)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panes::content::unique;
    use crate::testing::recording;

    #[test]
    fn numbers_of_all_analyses_stand_in_one_table_and_keys_stay_unique() {
        let outcome = |name: &str, shapes| Outcome {
            name: name.into(),
            kind: "rates".into(),
            metrics: vec![Metric::new("exc.spikes", "mean", 10.0, "Hz", 200)],
            shapes,
            ..Outcome::default()
        };
        let curve = NamedShape::new("curve of it", Shape::Series(Series::default()));
        let outcomes = [outcome("early", vec![curve.clone(), curve.clone()]), outcome("late", vec![curve])];
        let mut panes = arranged(&Arc::new(recording()), &outcomes, None, None);
        unique(&mut panes);
        let keys: Vec<&str> = panes.iter().map(|p| p.key.as_str()).collect();
        assert_eq!(keys, ["spikes", "numbers", "early/curve of it", "late/curve of it", "early/curve of it#2"]);
        let Shape::Scalars(table) = &panes[1].shape.shape else { panic!() };
        let rows: Vec<&str> = table.rows.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(rows, ["early: exc.spikes mean", "late: exc.spikes mean"]);
        assert_eq!(panes[2].title, "early: Curve of it");
    }

    #[test]
    fn subjects_name_their_population() {
        for (subject, name, is) in [
            ("exc.spikes", "exc", true),
            ("mean(exc.V_m)", "exc", true),
            ("a.x->exc.y", "exc", true),
            ("exc_2.spikes", "exc", false),
            ("my.exc.spikes", "exc", false),
            ("exc", "exc", false),
        ] {
            assert_eq!(mentions(subject, name), is, "{subject}");
        }
    }
}
