//! What an estimator finds: the loop over what it looks at, with cancel and progress, and the collector of metrics,
//! shapes, words and warnings.

use std::collections::BTreeSet;

use spikedeck_core::rng::Key;
use spikedeck_core::units::short;
use spikedeck_scenario::{Spec, Subject};
use spikedeck_signal::{Curve, Metric, NamedShape, Outcome, Recording, Scalars, Setting, Shape, TimeBase, UnitTable};

use crate::{AnalysisError, Request, prefilter, subject};

/// Nothing more to say, or why there is nothing at all to say.
pub type Measured = Result<(), AnalysisError>;

/// Told how much of an analysis is done, from 0 to 1.
pub type Progress<'a> = &'a (dyn Fn(f64) + Sync);

/// The collector that an estimator is handed.
pub struct Findings<'a> {
    /// What was asked.
    pub request: &'a Request<'a>,
    /// What was recorded.
    pub recording: &'a Recording,
    /// What the numbers on the time axis mean.
    pub base: TimeBase,
    told: Progress<'a>,
    /// The stretch of the whole that the present item is.
    part: (f64, f64),
    metrics: Vec<Metric>,
    units: Vec<UnitTable>,
    shapes: Vec<NamedShape>,
    warnings: Vec<String>,
    words: Vec<String>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(request: &'a Request<'a>, told: Progress<'a>) -> Self {
        Self {
            request,
            recording: request.recording,
            base: request.recording.time_base,
            told,
            part: (0.0, 1.0),
            metrics: Vec::new(),
            units: Vec::new(),
            shapes: Vec::new(),
            warnings: Vec::new(),
            words: Vec::new(),
        }
    }

    /// The trials, where there are as many as an analysis over trials needs.
    ///
    /// # Errors
    /// `Unsuitable` where there are fewer.
    pub fn trials(&self, least: usize) -> Result<Vec<&'a Recording>, AnalysisError> {
        let trials: Vec<&Recording> = self.recording.each_trial().collect();
        if trials.len() >= least {
            return Ok(trials);
        }
        Err(AnalysisError::Unsuitable(format!(
            "{} trials, fewer than {least}: `[trials]` with `count = 50` runs as many",
            trials.len()
        )))
    }

    /// Looks at each subject of `of` in turn, and stops when the result is no longer wanted.
    ///
    /// # Errors
    /// `Cancelled`, and what `look` fails with; `Unsuitable` where `of` names nothing.
    pub fn each_subject(&mut self, mut look: impl FnMut(&mut Self, &Subject) -> Measured) -> Measured {
        if self.request.spec.of.is_empty() {
            return Err(AnalysisError::Unsuitable(format!(
                "{} needs `of`, such as `of = \"POP.rate\"` or `of = \"POP.V_m\"`",
                self.request.spec.kind
            )));
        }
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
        let items: Vec<T> = items.into_iter().collect();
        let of = items.len();
        for (k, item) in items.into_iter().enumerate() {
            self.part(k, of, |f| look(f, item))?;
        }
        Ok(())
    }

    /// Does the `k`-th of `of` parts of the present item, which are taken to last equally long.
    ///
    /// # Errors
    /// `Cancelled`, and what `work` fails with.
    pub fn part<R>(
        &mut self,
        k: usize,
        of: usize,
        work: impl FnOnce(&mut Self) -> Result<R, AnalysisError>,
    ) -> Result<R, AnalysisError> {
        let whole = self.part;
        let end = |k: usize| whole.0 + (whole.1 - whole.0) * k as f64 / of as f64;
        self.part = (end(k), end(k + 1));
        let done = self.progress(0.0).and_then(|()| work(self)).and_then(|r| self.progress(1.0).map(|()| r));
        self.part = whole;
        done
    }

    /// Says how much of the present item is done, from 0 to 1, and stops when the result is no longer wanted: for long
    /// loops inside an item.
    ///
    /// # Errors
    /// `Cancelled`.
    pub fn progress(&self, share: f64) -> Measured {
        self.request.check_cancelled()?;
        (self.told)(self.part.0 + (self.part.1 - self.part.0) * share.clamp(0.0, 1.0));
        Ok(())
    }

    /// Looks at each two of some items, the earlier first: pairs without direction.
    ///
    /// # Errors
    /// As [`Findings::each`].
    pub fn each_two<T>(&mut self, items: &[T], mut look: impl FnMut(&mut Self, &T, &T) -> Measured) -> Measured {
        let pairs = (0..items.len()).flat_map(|i| (i + 1..items.len()).map(move |j| (i, j)));
        self.each(pairs, |f, (i, j)| look(f, &items[i], &items[j]))
    }

    /// A number.
    pub fn metric(&mut self, metric: Metric) {
        self.metrics.push(metric);
    }

    /// Several numbers.
    pub fn metrics(&mut self, metrics: impl IntoIterator<Item = Metric>) {
        self.metrics.extend(metrics);
    }

    /// Numbers of the units of a subject, a row a unit: they are written and not shown. A single one is among the
    /// numbers already.
    pub fn units(&mut self, mut table: UnitTable) {
        if table.units.len() > 1 {
            if table.names.is_none() {
                table.names = subject::unit_names(self.request, &table);
            }
            self.units.push(table);
        }
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
    pub(crate) fn outcome(mut self, title: &str, table: &str, mut settings: Vec<Setting>) -> Outcome {
        let spec = self.request.spec;
        for metric in &mut self.metrics {
            metric.analysis.clone_from(&spec.name);
            without_width(metric);
        }
        let filtered = prefilter::outcome(self.request).and_then(|(told, ends)| {
            self.words.push(told);
            ends
        });
        // Values without a unit leave a gap where their unit would stand.
        let summary = self.words.join("; ").replace(" ,", ",").replace(" ;", ";").trim_end().to_owned();
        if !self.metrics.is_empty() {
            self.shapes.push(NamedShape::new(table, Shape::Scalars(Scalars::from_metrics(&self.metrics))));
        }
        if self.base == TimeBase::Dimensionless {
            self.warnings.extend(derived(&settings));
        }
        settings.extend(filtered);
        let mut outcome = Outcome {
            failure: None,
            name: spec.name.clone(),
            kind: spec.kind.clone(),
            title: title.to_owned(),
            shapes: self.shapes,
            metrics: self.metrics,
            units: self.units,
            summary,
            warnings: self.warnings,
            settings,
            grounds: BTreeSet::new(),
        };
        #[cfg(test)]
        for metric in &outcome.metrics {
            let groundless = metric.groundless();
            assert!(groundless.is_none(), "{}: nothing says what {groundless:?} stands on: {metric:?}", spec.kind);
        }
        outcome.gather_grounds();
        #[cfg(test)]
        assert!(!outcome.has_groundless_chance(), "{}: nothing says what chance is", spec.kind);
        outcome
    }
}

/// An interval without width says that all parts of the data gave one value, and not that the value is known for sure:
/// it is no interval. Nor is one whose lower end lies above its upper.
fn without_width(metric: &mut Metric) {
    let Some((low, high)) = metric.ends() else { return };
    let rounding = 1e-12 * low.abs().max(high.abs());
    let why = if (high - low).abs() <= rounding {
        "no interval: all parts of the data give this value"
    } else if high < low {
        "no interval: its lower end lies above its upper"
    } else {
        return;
    };
    (metric.ci_low, metric.ci_high) = (None, None);
    *metric = std::mem::take(metric).note(why);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{recording, subject as named};
    use spikedeck_scenario::AnalysisSpec;
    use spikedeck_signal::SpikeTrains;
    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// What is told while `measure` runs over three subjects.
    fn told(cancel: &AtomicBool, measure: impl Fn(&mut Findings<'_>) -> Measured) -> (Vec<f64>, Measured) {
        let recording = recording(&[vec![1.0], vec![2.0], vec![3.0]], 10.0);
        let spec = AnalysisSpec {
            name: "x".into(),
            kind: "x".into(),
            of: (0..3).map(|k| named("spikes", &[k])).collect(),
            source: vec![],
            target: vec![],
            options: BTreeMap::new(),
        };
        let trains = SpikeTrains::new(&recording);
        let request = Request { spec: &spec, scenario: None, recording: &recording, trains: &trains, seed: 1, cancel };
        let shares = Mutex::new(Vec::new());
        let tell = |share: f64| shares.lock().unwrap().push(share);
        let end = measure(&mut Findings::new(&request, &tell));
        (shares.into_inner().unwrap(), end)
    }

    #[test]
    fn progress_grows_from_nothing_to_all_whatever_loops_stand_in_each_other() {
        let (shares, end) = told(&AtomicBool::new(false), |f| {
            f.part(0, 2, |f| f.each_subject(|f, _| f.each_two(&[1, 2, 3, 4], |f, _, _| f.progress(0.5))))?;
            f.part(1, 2, |f| f.each(0..4, |_, _| Ok(())))
        });
        assert!(end.is_ok());
        // Twice for each of the loops and items, once inside each pair.
        assert_eq!(shares.len(), 2 + 3 * (2 + 6 * 3) + 2 + 4 * 2);
        assert!(shares[0] == 0.0 && shares[shares.len() - 1] == 1.0, "{shares:?}");
        assert!(shares.windows(2).all(|w| w[0] <= w[1] + 1e-12), "{shares:?}");
        assert!(shares.iter().any(|s| (s - 0.5 / 3.0 * (1.0 + 0.5 / 6.0)).abs() < 1e-12), "{shares:?}");
    }

    #[test]
    fn intervals_have_width_and_their_ends_in_order() {
        for (low, high, why) in
            [(1.0, 2.0, ""), (2.0, 2.0, "all parts"), (2.0, 2.0 - 1e-15, "all parts"), (2.0, 1.0, "lies above")]
        {
            let mut m = Metric::new("p", "x", 1.5, "", 9).interval(low, high);
            without_width(&mut m);
            assert_eq!(m.ends().is_some(), why.is_empty(), "{m:?}");
            assert!(m.note.contains(why), "{m:?}");
        }
    }

    #[test]
    fn what_is_not_wanted_any_more_ends_at_the_next_item() {
        let cancel = AtomicBool::new(false);
        let (shares, end) = told(&cancel, |f| {
            f.each_two(&[1, 2, 3], |_, _, _| {
                cancel.store(true, Ordering::Relaxed);
                Ok(())
            })
        });
        assert!(matches!(end, Err(AnalysisError::Cancelled)));
        assert_eq!(shares, [0.0]);
    }
}
