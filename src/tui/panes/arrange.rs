//! The order of panes: what a scenario is about comes first.
//!
//! What a pane is decides its rank, what it is about decides among equals: the scenario's expectations and analyses say
//! which populations and connections matter. No scenario, model or analysis is known by its name here.

use std::sync::Arc;

use crate::number::short;
use crate::panes::pane::Pane;
use crate::panes::recorded::{self, PaneKind, Recorded};
use crate::panes::silent;
use spikedeck_run::Check;
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
    checks: &[Check],
) -> Vec<Pane> {
    let topic = Topic::of(spec);
    let leads = outcomes.iter().map(|o| o.name.as_str()).find(|name| topic.expects(name));
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
            // What dies away at once is a picture of one colour.
            PaneKind::Map if time.is_none() && silent::comes_to_rest(&r.pane.shape.shape) => 5,
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
            () if std::mem::take(&mut first) => (2, relevance + usize::from(leads.is_some())),
            () => (3 + nth, relevance),
        };
        ranked.push((rank.0, rank.1, r.pane));
    }
    let all = recording.spikes.len();
    for outcome in outcomes {
        // All spikes, planes and numbers are shown already.
        let is_new = |named: &&NamedShape| match &named.shape {
            Shape::Raster(r) => all == 0 || r.groups.len() != all,
            Shape::Image(_) => !planes.iter().any(|p| same_picture(p, named)),
            _ => !is_metrics(outcome, named),
        };
        let shown: Vec<&NamedShape> = outcome.shapes.iter().filter(is_new).collect();
        for (nth, (named, pane)) in shown.iter().zip(measured(outcome, &shown)).enumerate() {
            let rank = match &named.shape {
                _ if in_space(named, recording) => (0, 0),
                Shape::Series(series) if !series.x.is_time && topic.places(&outcome.name).any(|p| topic.learns(p)) => {
                    (0, 1)
                }
                Shape::Distribution(_) => (5 + nth, 1),
                // What most is expected of leads, unless there is space, learning or a network to be seen.
                shape if nth == 0 && leads == Some(outcome.name.as_str()) && !is_text(shape) => (2, 0),
                // Of analyses the one that most is expected of goes first.
                _ => (3 + nth, usize::from(!topic.expects(&outcome.name))),
            };
            ranked.push((rank.0, rank.1, pane));
        }
    }
    // While a run lasts, what stands still may yet move.
    for (rank, _, pane) in ranked.iter_mut().filter(|_| time.is_none()) {
        if let Some(card) = silent::in_words(&pane.title, &pane.shape.shape, recording) {
            let mut said = Pane::new(pane.key.clone(), pane.title.clone(), Shape::Card(card), pane.summary.clone());
            said.warnings = std::mem::take(&mut pane.warnings);
            (*rank, *pane) = (usize::MAX, said);
        }
    }
    ranked.sort_by_key(|r| (r.0, r.1));
    let mut panes: Vec<Pane> = ranked.into_iter().map(|r| r.2).collect();
    if let Some(numbers) = numbers(outcomes, spec, checks, &panes) {
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

/// Whether a shape is read and not looked at.
fn is_text(shape: &Shape) -> bool {
    matches!(shape, Shape::Scalars(_) | Shape::Card(_))
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

/// One pane a shape of an outcome that is shown.
fn measured<'a>(outcome: &'a Outcome, shown: &'a [&'a NamedShape]) -> impl Iterator<Item = Pane> + 'a {
    let title = title_of(outcome);
    let many = outcome.shapes.len() > 1;
    shown.iter().enumerate().map(move |(nth, s)| {
        let heading = match s.name.as_str() {
            _ if !many => title.to_owned(),
            // A name of several words says by itself what it is: `spectrum of exc.rate`.
            // Unless it begins with a name of the scenario, which keeps its letters.
            name if name.split_once(' ').is_some_and(|(word, _)| word.contains('.')) => name.to_owned(),
            name if name.contains(' ') => capital(name),
            name if title.to_lowercase().contains(&name.to_lowercase()) => title.to_owned(),
            name => format!("{title}: {name}"),
        };
        let subjects = Subjects::of(outcome);
        let own = subjects.in_name(&s.name);
        let words = subjects.words(&outcome.summary, own);
        let mut pane = Pane::new(format!("{}/{}", outcome.name, s.name), heading, s.shape.clone(), words);
        // A warning of no subject that has a figure stands once, on the first.
        let has_figure = |subject: &str| shown.iter().any(|s| subjects.in_name(&s.name) == Some(subject));
        let is_own = |warning: &&String| match subjects.at_start(warning).filter(|of| has_figure(of)) {
            Some(of) => Some(of) == own,
            None => nth == 0,
        };
        pane.warnings = outcome.warnings.iter().filter(is_own).cloned().collect();
        pane
    })
}

/// What an analysis has measured, so that each of its figures says what is of its own subject.
struct Subjects<'a>(Vec<&'a str>);

impl<'a> Subjects<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let mut list: Vec<&str> =
            outcome.metrics.iter().map(|m| m.subject.as_str()).filter(|s| !s.is_empty()).collect();
        // The longest that fits is meant: `exc.V_m[0]` and not `exc.V_m`.
        list.sort_by_key(|s| (std::cmp::Reverse(s.len()), *s));
        list.dedup();
        Self(list)
    }

    /// The subject that the name of a shape says.
    fn in_name(&self, name: &str) -> Option<&'a str> {
        self.0.iter().copied().find(|s| name.contains(s))
    }

    /// The subject that a sentence begins with.
    fn at_start(&self, text: &str) -> Option<&'a str> {
        let ends = |rest: &str| rest.starts_with([':', ' ', ',']);
        self.0.iter().copied().find(|s| text.strip_prefix(s).is_some_and(ends))
    }

    /// What a summary says of one subject; all of it where it names no others.
    fn words(&self, summary: &str, own: Option<&str>) -> String {
        let mut of = None;
        // What follows a part that names its subject goes on with it.
        let parts: Vec<(Option<&str>, &str)> = summary
            .split("; ")
            .map(|part| {
                of = self.at_start(part).or(of);
                (of, part)
            })
            .collect();
        let is_told = own.is_some() && parts.iter().any(|p| p.0.is_some());
        let kept = parts.iter().filter(|p| !is_told || p.0.is_none() || p.0 == own);
        kept.map(|p| p.1).collect::<Vec<_>>().join("; ")
    }
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

/// What was expected of a metric, and whether it is so.
fn expected_in_words(check: &Check) -> String {
    let mark = if check.passed { '✓' } else { '✗' };
    let range = match (check.min, check.max) {
        (Some(min), Some(max)) if min == max => short(min),
        (Some(min), Some(max)) => format!("{} to {}", short(min), short(max)),
        (Some(min), None) => format!("from {}", short(min)),
        (None, Some(max)) => format!("up to {}", short(max)),
        (None, None) => return String::new(),
    };
    let source = if check.note.is_empty() { String::new() } else { format!(" ({})", check.note) };
    format!("{mark} expected {range}{source}")
}

fn joined(first: &str, second: &str) -> String {
    [first, second].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The numbers of all analyses that have no table of another kind, in one table: what the scenario expects first, in
/// the order in which it says so.
fn numbers(outcomes: &[Outcome], spec: Option<&Spec>, checks: &[Check], others: &[Pane]) -> Option<Pane> {
    let has_table = |o: &&Outcome| o.shapes.iter().any(|s| matches!(s.shape, Shape::Scalars(_)) && !is_metrics(o, s));
    let plain: Vec<&Outcome> = outcomes.iter().filter(|o| !has_table(o) && !o.metrics.is_empty()).collect();
    let mut owned: Vec<(&str, &Metric)> =
        plain.iter().flat_map(|o| o.metrics.iter().map(|m| (o.name.as_str(), m))).collect();
    if owned.is_empty() {
        return None;
    }
    let expected = spec.map_or(&[][..], |s| &s.expect);
    // An expectation may be of a mean over several, whose name no metric has: those are where they were.
    owned.sort_by_key(|(_, m)| {
        let name = m.full_name();
        expected.iter().position(|e| e.metric == name).map_or((1, 0), |at| (0, at))
    });
    let noted = |m: &Metric| {
        let name = m.full_name();
        let all = checks.iter().filter(|c| c.metric == name).map(expected_in_words);
        let expected = all.fold(String::new(), |before, one| joined(&before, &one));
        Metric { note: joined(&expected, &m.note), ..m.clone() }
    };
    let metrics: Vec<Metric> = owned.iter().map(|(_, m)| noted(m)).collect();
    let mut table = Scalars::from_metrics(&metrics);
    let names: Vec<String> = table.rows.iter().map(|r| r.name.clone()).collect();
    let of = |m: &Metric| {
        let name = m.full_name();
        checks.iter().filter(|c| c.metric == name).map(|c| c.passed).reduce(|a, b| a && b)
    };
    for ((i, row), (owner, metric)) in table.rows.iter_mut().enumerate().zip(&owned) {
        if names.iter().enumerate().any(|(k, n)| k != i && *n == row.name) {
            row.name = format!("{owner}: {}", row.name);
        }
        // Seen also where there is no room for the note.
        if let Some(passed) = of(metric) {
            row.name = format!("{} {}", if passed { '✓' } else { '✗' }, row.name);
        }
    }
    let summary = match checks.len() {
        0 => spikedeck_core::number::counted(table.rows.len(), "measure", "measures"),
        all => format!("{} of {all} as expected", checks.iter().filter(|c| c.passed).count()),
    };
    let mut pane = Pane::new("numbers", "Numbers", Shape::Scalars(table), summary);
    // What has a figure has its warnings there.
    let is_alone =
        |o: &&&Outcome| !others.iter().any(|p| p.key.strip_prefix(&o.name).is_some_and(|k| k.starts_with('/')));
    pane.warnings = plain.iter().filter(is_alone).flat_map(|o| o.warnings.iter().cloned()).collect();
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
        let mut panes = arranged(&Arc::new(recording()), &outcomes, None, None, &[]);
        unique(&mut panes);
        let keys: Vec<&str> = panes.iter().map(|p| p.key.as_str()).collect();
        assert_eq!(keys, ["spikes", "numbers", "early/curve of it", "late/curve of it", "early/curve of it#2"]);
        let Shape::Scalars(table) = &panes[1].shape.shape else { panic!() };
        let rows: Vec<&str> = table.rows.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(rows, ["early: exc.spikes mean", "late: exc.spikes mean"]);
        assert_eq!(panes[2].title, "early: Curve of it");
    }

    #[test]
    fn every_expectation_of_a_metric_is_shown() {
        let metric = Metric::new("exc.spikes", "mean", 10.0, "Hz", 200);
        let check = |min: Option<f64>, max: Option<f64>, passed: bool| Check {
            name: "rate".into(),
            metric: metric.full_name(),
            found: Some(10.0),
            min,
            max,
            passed,
            ..Check::default()
        };
        let checks = [check(Some(5.0), None, true), check(None, Some(8.0), false)];
        let outcome = Outcome { name: "early".into(), metrics: vec![metric], ..Outcome::default() };
        let pane = numbers(&[outcome], None, &checks, &[]).unwrap();
        let Shape::Scalars(table) = &pane.shape.shape else { panic!() };
        assert_eq!(table.rows[0].measured.note, "✓ expected from 5; ✗ expected up to 8");
        assert_eq!(table.rows[0].name, "✗ exc.spikes mean");
        assert_eq!(pane.summary, "1 of 2 as expected");
    }

    /// The second figure of an analysis speaks of its own subject, and is warned of its own.
    #[test]
    fn each_figure_says_what_is_of_its_subject() {
        let metric = |subject: &str| Metric::new(subject, "peak", 10.0, "Hz", 200);
        let shape = |name: &str| NamedShape::new(name, Shape::Series(Series::default()));
        let outcome = Outcome {
            name: "psth".into(),
            metrics: vec![metric("exc.spikes"), metric("exc.spikes[0]"), metric("inh.spikes")],
            shapes: vec![shape("rate of exc.spikes"), shape("rate of inh.spikes"), shape("rate of exc.spikes[0]")],
            summary: "exc.spikes: 5 Hz; peak at 3 ms; exc.spikes[0]: 7 Hz; inh.spikes: 9 Hz".into(),
            warnings: vec!["inh.spikes: few spikes".into(), "the bins are wide".into()],
            ..Outcome::default()
        };
        let shown: Vec<&NamedShape> = outcome.shapes.iter().collect();
        let panes: Vec<Pane> = measured(&outcome, &shown).collect();
        let words: Vec<&str> = panes.iter().map(|p| p.summary.as_str()).collect();
        assert_eq!(words, ["exc.spikes: 5 Hz; peak at 3 ms", "inh.spikes: 9 Hz", "exc.spikes[0]: 7 Hz"]);
        let warned: Vec<usize> = panes.iter().map(|p| p.warnings.len()).collect();
        assert_eq!(warned, [1, 1, 0], "each of its own subject; the wide bins are told once");
        // A subject without a figure has its warning on the first.
        let panes: Vec<Pane> = measured(&outcome, &shown[..1]).collect();
        assert_eq!(panes[0].warnings.len(), 2);
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
