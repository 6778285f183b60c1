//! What many points say together: means and intervals over seeds, curves over the axes of a sweep, expectations.

mod layout;

use std::collections::HashMap;

use statrs::distribution::{ContinuousCDF, StudentsT};

pub(super) use self::layout::Grouped;
use self::layout::Layout;
use super::ensemble::PointResult;
use super::{Check, Status, expect};
use spikedeck_core::number::counted;
use spikedeck_core::units::{Quantity, display_unit};
use spikedeck_scenario::{Expect, Spec};
use spikedeck_signal::{Metric, NamedShape, Outcome, ScalarRow, Scalars, Shape};

/// The axes of a point: paths and values.
type Axes = [(String, String)];

/// Points with what they found. A run that did not reach its end has numbers of another stretch: it is a point without
/// values.
pub(super) struct Across<'a> {
    points: Vec<&'a PointResult>,
    /// The metrics of each point by their full names.
    metrics: Vec<HashMap<String, &'a Metric>>,
}

impl<'a> Across<'a> {
    pub(super) fn new(points: impl IntoIterator<Item = &'a PointResult>) -> Self {
        let points: Vec<&PointResult> = points.into_iter().collect();
        let metrics = points.iter().map(|p| if is_whole(p) { metrics_of(p) } else { HashMap::new() }).collect();
        Self { points, metrics }
    }

    /// The points that reached their end; all where none did.
    fn telling(&self) -> impl Iterator<Item = &'a PointResult> {
        let any = self.points.iter().any(|p| is_whole(p));
        self.points.iter().copied().filter(move |p| !any || is_whole(p))
    }

    /// One outcome an analysis, in the order of the scenario: each metric over the points, whichever of them has it.
    /// Without axes: mean and interval over seeds (or trials). With axes: one curve over the first axis for each
    /// combination of the others. One point alone says what it says.
    /// Two axes of which the second has many values make a map; points that were drawn one cloud over the first axis.
    pub(super) fn outcomes(&self, spec: &Spec) -> Vec<Outcome> {
        if let [point] = self.points.as_slice()
            && point.point.axes.is_empty()
        {
            return point.finished.outcomes.clone();
        }
        let has_axes = self.points.iter().any(|p| !p.point.axes.is_empty());
        let layout = has_axes.then(|| self.layout(spec));
        self.templates(spec).into_iter().map(|(from, t)| self.outcome(from, t, layout.as_ref())).collect()
    }

    /// Each analysis once, with the first point that has it, in the order of the scenario.
    fn templates(&self, spec: &Spec) -> Vec<(&'a PointResult, &'a Outcome)> {
        let mut templates: Vec<(&PointResult, &Outcome)> = Vec::new();
        for point in self.telling().chain(self.points.iter().copied()) {
            for outcome in &point.finished.outcomes {
                if !templates.iter().any(|t| t.1.name == outcome.name) {
                    templates.push((point, outcome));
                }
            }
        }
        // What no analysis of the scenario is (a run at half the step) stands behind them.
        let place = |name: &str| {
            let found = spec.analyses.iter().position(|a| a.name == name);
            (found.is_none(), found)
        };
        templates.sort_by_key(|t| place(&t.1.name));
        templates
    }

    fn outcome(&self, from: &PointResult, template: &Outcome, layout: Option<&Layout>) -> Outcome {
        if let Some(layout) = layout {
            let mut outcome = self.head(template);
            outcome.shapes.extend(self.metrics_of(&template.name).into_iter().map(|m| self.laid_out(m, layout)));
            return outcome;
        }
        let mut outcome = self.measured(template);
        let numbers = Shape::Scalars(Scalars::from_metrics(&outcome.metrics));
        outcome.shapes.push(NamedShape::new(format!("across {}s", self.one()), numbers));
        outcome.shapes.extend(template.shapes.iter().filter(|s| !matches!(s.shape, Shape::Scalars(_))).cloned());
        outcome.units.clone_from(&template.units);
        // Whose they are is said where it is not the first.
        if outcome.shapes.len() > 1 && self.points.first().is_some_and(|p| p.point.seed != from.point.seed) {
            outcome.summary = format!("{}, curves of {}", outcome.summary, from.point.label());
        }
        outcome
    }

    /// What the points of one place differ by.
    fn one(&self) -> &'static str {
        match self.points.as_slice() {
            [first, rest @ ..] if first.point.trial.is_some() => {
                if rest.iter().all(|p| p.point.seed == first.point.seed) { "trial" } else { "run" }
            }
            _ => "seed",
        }
    }

    /// What the points are in a heading: trials, seeds, or points of a sweep.
    fn each(&self) -> &'static str {
        let is_trial = self.points.first().is_some_and(|p| p.point.trial.is_some());
        let has_axes = self.points.iter().any(|p| !p.point.axes.is_empty());
        if has_axes && !is_trial { "point" } else { self.one() }
    }

    /// An outcome without shapes and metrics.
    fn head(&self, template: &Outcome) -> Outcome {
        let failure = self.failure_of(&template.name);
        Outcome {
            name: template.name.clone(),
            kind: template.kind.clone(),
            title: template.title.clone(),
            summary: match &failure {
                None => counted(self.points.len(), self.each(), &format!("{}s", self.each())),
                Some(why) => format!("no result: {why}"),
            },
            failure,
            ..Outcome::default()
        }
    }

    /// The metrics of an analysis over seeds, without shapes.
    fn measured(&self, template: &Outcome) -> Outcome {
        let metrics = self.metrics_of(&template.name).into_iter().map(|m| self.over_seeds(m)).collect();
        let mut measured = Outcome { metrics, ..self.head(template) };
        if self.points.len() == 1 {
            measured.grounds.clone_from(&template.grounds);
        }
        measured.gather_grounds();
        measured
    }

    /// The metrics of an analysis that any point has, each once, by its first appearance: a unit that is silent at the
    /// first point has intervals at others.
    fn metrics_of(&self, analysis: &str) -> Vec<&'a Metric> {
        let mut seen = std::collections::HashSet::new();
        let of = self.telling().flat_map(|p| &p.finished.outcomes).filter(|o| o.name == analysis);
        of.flat_map(|o| &o.metrics).filter(|m| seen.insert(m.full_name())).collect()
    }

    /// Why an analysis has no result at any point, if it has none at any; the reason of the first.
    fn failure_of(&self, analysis: &str) -> Option<String> {
        let of = self.telling().flat_map(|p| &p.finished.outcomes).filter(|o| o.name == analysis);
        let failures: Vec<Option<&String>> = of.map(|o| o.failure.as_ref()).collect();
        let all: Option<Vec<&String>> = failures.into_iter().collect();
        all?.first().map(|why| (*why).clone())
    }

    /// Mean over the seeds that gave a value, with its 95 % interval (Student's t).
    fn over_seeds(&self, metric: &Metric) -> Metric {
        let name = metric.full_name();
        let found = self.metrics.iter().filter_map(|m| m.get(&name).copied());
        let whole = self.points.iter().filter(|p| is_whole(p)).count();
        over_seeds(metric, &found.collect::<Vec<_>>(), whole, self.points.len(), self.one())
    }

    /// A metric at each combination of the axes, by their values.
    fn list(&self, metric: &Metric) -> Scalars {
        let rows = self.places().into_iter().map(|(axes, place)| {
            let measured = Scalars::from_metrics(&[place.over_seeds(metric)]).rows.remove(0).measured;
            let mut name: Vec<String> = axes.iter().take(1).map(|a| bare(&a.1).to_owned()).collect();
            name.extend(axes.iter().skip(1).map(|(p, v)| setting(p, v)));
            ScalarRow { name: name.join(" "), measured }
        });
        Scalars { rows: rows.collect() }
    }

    /// The seeds of each combination of the axes.
    fn places(&self) -> Vec<(&'a Axes, Self)> {
        let mut places: Grouped<&Axes, Vec<&PointResult>> = Grouped::default();
        for &point in &self.points {
            places.entry(point.point.axes.as_slice()).push(point);
        }
        places.groups.into_iter().map(|(axes, points)| (axes, Self::new(points))).collect()
    }

    /// What became of the expectations: of the means over the seeds, at each combination of the axes; and of each run
    /// that ended by a value that is not finite.
    pub(super) fn checks(&self, wanted: impl Fn(&Expect) -> bool) -> Vec<Check> {
        let mut checks = Vec::new();
        for (axes, place) in self.places() {
            let label = axes.iter().map(|(p, v)| setting(p, v)).collect::<Vec<_>>().join(" ");
            let (Some(first), whole) = (place.points.first(), place.points.iter().any(|p| is_whole(p))) else {
                continue;
            };
            let spec = &first.point.spec;
            if whole {
                let found: Vec<Outcome> = place.templates(spec).into_iter().map(|(_, t)| place.measured(t)).collect();
                let expected: Vec<Expect> = spec.expect.iter().filter(|e| wanted(e)).cloned().collect();
                checks.extend(labelled(expect::check(&expected, &found), &label));
            }
            for failed in place.points.iter().filter(|p| p.finished.status == Status::Failed) {
                checks.extend(labelled(failed.finished.checks.clone(), &failed.point.label()));
            }
        }
        checks
    }
}

fn is_whole(point: &PointResult) -> bool {
    point.finished.status == Status::Complete
}

fn metrics_of(point: &PointResult) -> HashMap<String, &Metric> {
    let mut found = HashMap::new();
    for metric in point.finished.outcomes.iter().flat_map(|o| &o.metrics) {
        found.entry(metric.full_name()).or_insert(metric);
    }
    found
}

/// A swept value without the quotes of the file.
fn bare(value: &str) -> &str {
    value.trim().trim_matches('"')
}

/// `tau_m=15 ms`.
pub(super) fn setting(path: &str, value: &str) -> String {
    format!("{}={}", path.rsplit('.').next().unwrap_or(path), bare(value))
}

fn labelled(checks: Vec<Check>, label: &str) -> impl Iterator<Item = Check> {
    let at = if label.is_empty() { String::new() } else { format!(" ({label})") };
    checks.into_iter().map(move |c| Check { name: format!("{}{at}", c.name), ..c })
}

/// Mean of what was found at those of `seeds` seeds that gave a value, with its 95 % interval; `whole` of them reached
/// their end.
fn over_seeds(metric: &Metric, found: &[&Metric], whole: usize, seeds: usize, one: &str) -> Metric {
    if let ([one], 1) = (found, seeds) {
        return (*one).clone();
    }
    let found: Vec<&Metric> = found.iter().copied().filter(|m| m.value.is_some()).collect();
    let values: Vec<f64> = found.iter().filter_map(|m| m.value).collect();
    let (n, unit) = (values.len(), metric.unit.clone());
    let mut over = match mean_and_half_width(&values) {
        None => {
            let why = match (whole, metric.note.as_str()) {
                (0, _) => format!("no {one} reached its end"),
                (_, "") => format!("no {one} gave a value"),
                (_, note) => format!("no {one} gave a value: {note}"),
            };
            Metric::missing(&metric.subject, &metric.metric, unit, n as u64, why)
        }
        Some((mean, half)) => {
            let of = match (n == seeds, n == whole, whole == seeds) {
                (true, ..) => format!("mean of {n} {one}s"),
                (_, true, _) => format!("mean of those {n} of {seeds} {one}s that reached their end"),
                (_, _, true) => format!("mean of those {n} of {seeds} {one}s that gave a value"),
                _ => format!("mean of those {n} of {seeds} {one}s that reached their end and gave a value"),
            };
            let over = Metric::new(&metric.subject, &metric.metric, mean, unit, n as u64);
            match half {
                Some(half) if half > 0.0 => {
                    over.interval(mean - half, mean + half).interval_by(format!("{of}, 95 % interval by Student's t"))
                }
                Some(_) => over.note(format!("{of}, the same in all of them: they say nothing of how it varies")),
                None => over.note(format!("{of}: one value has no interval")),
            }
        }
    };
    over.analysis.clone_from(&metric.analysis);
    for column in Metric::COLUMNS {
        column.carry_over_seeds(&found, &mut over);
    }
    over
}

/// Mean, and half the width of its 95 % interval where there are at least two values; 0 where all are the same.
pub(super) fn mean_and_half_width(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let (first, rest) = values.split_first()?;
    if rest.is_empty() {
        return Some((*first, None));
    }
    // Their sum is rounded, and would differ from them.
    if rest.iter().all(|v| v == first) {
        return Some((*first, Some(0.0)));
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = StudentsT::new(0.0, 1.0, n - 1.0).ok().map(|t| t.inverse_cdf(0.975) * (variance / n).sqrt());
    Some((mean, half))
}

/// A swept value in its display unit, if it is a number or a quantity.
pub(crate) fn axis_value(toml: &str) -> Option<(f64, String)> {
    let quantity = Quantity::parse(bare(toml)).ok()?;
    Some((quantity.as_written(), display_unit(quantity.dimension).symbol))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Finished;

    /// A point whose analysis `a` found `values` of one subject, in order; those that are none are missing.
    fn point(axes: &[(&str, &str)], seed: u64, status: Status, values: &[(&str, Option<f64>)]) -> PointResult {
        let metric = |&(name, value): &(&str, Option<f64>)| {
            let metric = match value {
                Some(v) => Metric::new("p.spikes", name, v, "Hz", 5).p(0.5).chance(v / 2.0),
                None => Metric::missing("p.spikes", name, "Hz", 0, "silent"),
            };
            Metric { analysis: "a".into(), ..metric }
        };
        let outcome = Outcome { name: "a".into(), metrics: values.iter().map(metric).collect(), ..Outcome::default() };
        let spec = Arc::new(crate::load("lif-fi", &[]).unwrap().0);
        let finished = Finished {
            label: "x".into(),
            spec: Some(spec.clone()),
            status,
            failure: None,
            recording: Arc::default(),
            // Only what is looked at while a run lasts is measured of one that failed.
            outcomes: if status == Status::Failed && values.is_empty() { Vec::new() } else { vec![outcome] },
            checks: Vec::new(),
            warnings: Vec::new(),
            facts: crate::Facts::default(),
        };
        let axes = axes.iter().map(|(p, v)| ((*p).to_owned(), (*v).to_owned())).collect();
        PointResult { point: crate::Point { axes, seed, trial: None, spec }, finished: Arc::new(finished) }
    }

    fn seeds(values: &[(Status, Option<f64>)]) -> Metric {
        let points: Vec<PointResult> =
            values.iter().enumerate().map(|(k, (status, v))| point(&[], k as u64, *status, &[("rate", *v)])).collect();
        let spec = points[0].point.spec.clone();
        Across::new(&points).outcomes(&spec).remove(0).metrics.remove(0)
    }

    /// A run that failed has numbers of another stretch; an interval without width says nothing.
    #[test]
    fn only_runs_that_reached_their_end_are_in_the_mean_and_the_note_says_what_it_is() {
        use Status::{Complete, Failed};
        let (ten, twelve) = ((Complete, Some(10.0)), (Complete, Some(12.0)));
        let lost = (Failed, Some(1.0));
        for (found, mean, has_interval, note) in [
            (vec![ten, twelve], Some(11.0), true, "mean of 2 seeds, 95 % interval by Student's t"),
            (vec![lost, ten, twelve], Some(11.0), true, "mean of those 2 of 3 seeds that reached their end, 95 %"),
            (vec![ten, lost], Some(10.0), false, "mean of those 1 of 2 seeds that reached their end: one value has no"),
            (vec![(Complete, None), ten, twelve], Some(11.0), true, "mean of those 2 of 3 seeds that gave a value, 95"),
            (vec![lost, (Complete, None), ten], Some(10.0), false, "that reached their end and gave a value: one"),
            (vec![(Complete, Some(0.1)); 5], Some(0.1), false, "mean of 5 seeds, the same in all of them"),
            (vec![lost, lost], None, false, "no seed reached its end"),
            (vec![(Complete, None), (Complete, None)], None, false, "no seed gave a value: silent"),
        ] {
            let metric = seeds(&found);
            assert_eq!((metric.value, metric.ends().is_some()), (mean, has_interval), "{metric:?}");
            assert!(metric.note.contains(note) && metric.note.contains("Student") == has_interval, "{}", metric.note);
            assert_eq!(metric.n, Some(found.iter().filter(|f| f.0 == Complete && f.1.is_some()).count() as u64));
            // The level of chance is that of the seeds in the mean, a p-value rests on one run.
            assert_eq!((metric.chance, metric.p_value), (mean.map(|m| m / 2.0), None));
        }
    }

    /// Two axes: curves where the second has few values, a map where it has many, which is regular where both are
    /// evenly spaced. Points that were drawn are a cloud over the first axis.
    #[test]
    fn many_values_of_a_second_axis_are_a_map() {
        let swept = |first: &[f64], second: &[f64]| {
            let mut points = Vec::new();
            for a in first {
                for b in second {
                    let axes = [("x.a", format!("\"{a} pA\"")), ("x.b", format!("\"{b} ms\""))];
                    let axes = axes.each_ref().map(|(path, value)| (*path, value.as_str()));
                    points.push(point(&axes, 1, Status::Complete, &[("rate", Some(10.0 * a + b))]));
                }
            }
            points
        };
        let shape =
            |points: &[PointResult], spec: &Spec| Across::new(points).outcomes(spec).remove(0).shapes.remove(0).shape;
        let even: Vec<f64> = (1..=9).map(f64::from).collect();
        let points = swept(&[1.0, 2.0], &even);
        let mut spec = (*points[0].point.spec).clone();
        let Shape::Image(image) = shape(&points, &spec) else { panic!("an image") };
        assert_eq!((image.width, image.height, image.x_range, image.y_range), (2, 9, (1.0, 2.0), (1.0, 9.0)));
        assert_eq!(image.values[9 + 3], 24.0, "a = 2, b = 4");
        let uneven = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
        let Shape::Matrix(matrix) = shape(&swept(&[1.0, 2.0], &uneven), &spec) else { panic!("a matrix") };
        assert_eq!((matrix.rows[3].as_str(), matrix.columns[1].as_str()), ("8", "2"));
        assert_eq!(matrix.values[3 * 2 + 1], 28.0);
        let Shape::Series(few) = shape(&swept(&[1.0, 2.0], &even[..3]), &spec) else { panic!("curves") };
        assert_eq!(few.curves.len(), 3);
        spec.sweep =
            Some(spikedeck_scenario::Sweep { design: spikedeck_scenario::Design::Random, ..Default::default() });
        let Shape::Series(cloud) = shape(&points, &spec) else { panic!("a cloud") };
        assert_eq!(cloud.curves.len(), 1);
        assert_eq!(cloud.curves[0].style, spikedeck_signal::CurveStyle::Points);
    }

    /// The first point knows no more than any other.
    #[test]
    fn what_any_point_has_is_there_whichever_failed() {
        for failed in 0..3 {
            let points: Vec<PointResult> = (0..3)
                .map(|k| {
                    if k == failed {
                        point(&[], k, Status::Failed, &[])
                    } else {
                        point(&[], k, Status::Complete, &[("rate", Some(2.0 + k as f64))])
                    }
                })
                .collect();
            let outcomes = Across::new(&points).outcomes(&points[0].point.spec);
            assert_eq!(outcomes.len(), 1, "{failed}");
            assert_eq!(outcomes[0].metrics[0].n, Some(2));
        }
    }

    fn shapes(points: &[PointResult]) -> Vec<Shape> {
        let outcomes = Across::new(points).outcomes(&points[0].point.spec);
        outcomes.into_iter().flat_map(|o| o.shapes).map(|s| s.shape).collect()
    }

    #[test]
    fn an_axis_of_quantities_is_a_curve_and_one_of_names_a_list() {
        let of = |values: &[&str], other: &[&str]| {
            let mut points = Vec::new();
            for value in values {
                for o in other {
                    for seed in 0..2 {
                        let axes = [("populations.p.parameters.I", *value), ("populations.p.size", *o)];
                        let v = value.len() as f64 + o.len() as f64 + seed as f64;
                        points.push(point(&axes, seed, Status::Complete, &[("rate", Some(v))]));
                    }
                }
            }
            points
        };
        let [Shape::Series(s)] = &shapes(&of(&["\"20 pA\"", "\"0.005 nA\""], &["1", "22"]))[..] else { panic!() };
        assert_eq!((s.x.label.as_str(), s.x.unit.as_str(), s.curves.len()), ("I", "pA", 2));
        for curve in &s.curves {
            assert_eq!(curve.x, [5.0, 20.0], "in ascending order, whatever the file's is");
            assert!(curve.band.is_some() && curve.y[0] > curve.y[1]);
        }
        for names in [["\"lif\"", "\"adex\""], ["\"5 pA\"", "\"auto\""], ["\"5 pA\"", "\"5 mV\""]] {
            let [Shape::Scalars(list)] = &shapes(&of(&names, &["1", "22"]))[..] else { panic!("{names:?}") };
            let rows: Vec<&str> = list.rows.iter().map(|r| r.name.as_str()).collect();
            let (a, b) = (bare(names[0]), bare(names[1]));
            let wanted = [format!("{a} size=1"), format!("{a} size=22"), format!("{b} size=1"), format!("{b} size=22")];
            assert_eq!(rows, wanted);
            assert!(list.rows.iter().all(|r| r.measured.n == Some(2) && r.measured.ends().is_some()));
        }
    }

    /// Expectations hold at each place of a sweep, of the means over its seeds; a failure that is expected counts, too.
    #[test]
    fn expectations_are_checked_at_each_place_of_a_sweep() {
        let expecting = |mut p: PointResult, metric: &str, low: f64, high: f64| {
            let mut spec = (*p.point.spec).clone();
            spec.expect = vec![spikedeck_scenario::Expect {
                name: "e".into(),
                metric: metric.into(),
                min: Some(low),
                max: Some(high),
                unit: "Hz".into(),
                source: String::new(),
                original: None,
            }];
            p.point.spec = Arc::new(spec);
            p
        };
        let mut points = Vec::new();
        for (value, rates) in [("\"1 pA\"", [8.0, 12.0]), ("\"2 pA\"", [18.0, 22.0])] {
            for (seed, rate) in rates.into_iter().enumerate() {
                let p = point(&[("p.I", value)], seed as u64, Status::Complete, &[("rate", Some(rate))]);
                points.push(expecting(p, "a.p.spikes.rate", 9.0, 11.0));
            }
        }
        let told = |points: &[PointResult]| -> Vec<(String, Option<f64>, bool)> {
            Across::new(points).checks(|_| true).into_iter().map(|c| (c.name, c.found, c.passed)).collect()
        };
        let wanted = [("e (I=1 pA)".to_owned(), Some(10.0), true), ("e (I=2 pA)".to_owned(), Some(20.0), false)];
        assert_eq!(told(&points), wanted);
        // One of the seeds of the first place fails: the other is held against the range, and its own check is there.
        let check = Across::new(&points).checks(|_| true).remove(0);
        let failed = Arc::make_mut(&mut points[0].finished);
        (failed.status, failed.checks) = (Status::Failed, vec![Check { name: "f".into(), ..check }]);
        let names: Vec<String> = told(&points).into_iter().map(|t| t.0).collect();
        assert_eq!(names, ["e (I=1 pA)", "f (I=1 pA seed=0)", "e (I=2 pA)"]);
    }

    #[test]
    fn mean_over_seeds_has_a_t_interval() {
        // t(0.975, 3) = 3.182446305; sd = 1.290994449, n = 4: half width 2.054260...
        let (mean, half) = mean_and_half_width(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!(mean, 2.5);
        assert!((half.unwrap() - 3.182_446_305 * 1.290_994_449 / 2.0).abs() < 1e-6);
        assert_eq!(mean_and_half_width(&[7.0]), Some((7.0, None)));
        assert_eq!(mean_and_half_width(&[]), None);
    }

    #[test]
    fn swept_values_are_read_in_display_units() {
        assert_eq!(axis_value("\"15 ms\""), Some((15.0, "ms".into())));
        assert_eq!(axis_value("0.5"), Some((0.5, String::new())));
        assert_eq!(axis_value("\"auto\""), None);
        // 5e-10 / 1e-12 is 500.00000000000006: points of an axis are the decimal numbers that people wrote.
        for pa in 1..=1000 {
            assert_eq!(axis_value(&format!("\"{pa} pA\"")), Some((f64::from(pa), "pA".into())));
            assert_eq!(axis_value(&format!("\"{pa} us\"")), Some((f64::from(pa) / 1000.0, "ms".into())));
        }
    }
}
