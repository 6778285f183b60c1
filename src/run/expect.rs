//! Expectations: ranges that metrics must lie in.

use super::Check;
use spikedeck_core::number::distinct;
use spikedeck_core::units::Quantity;
use spikedeck_scenario::{Expect, FAILURE_TIME};
use spikedeck_signal::{Metric, Outcome};

impl Check {
    /// A value in enough digits to tell what was found from the ends of the range, and these from each other.
    fn shown(&self, v: f64) -> String {
        let known: Vec<f64> = [self.found, self.min, self.max].into_iter().flatten().collect();
        distinct(v, &known)
    }

    /// What was found, without its unit: `11.9`.
    pub fn found_in_words(&self) -> String {
        self.found.map_or_else(|| "no value".to_owned(), |v| self.shown(v))
    }

    /// What was expected, without its unit: `8 to 12`, `at least 8`.
    pub fn range_in_words(&self) -> String {
        match (self.min, self.max) {
            (Some(a), Some(b)) if a == b => self.shown(a),
            (Some(a), Some(b)) => format!("{} to {}", self.shown(a), self.shown(b)),
            (Some(a), None) => format!("at least {}", self.shown(a)),
            (None, Some(b)) => format!("at most {}", self.shown(b)),
            (None, None) => "any value".to_owned(),
        }
    }
}

/// Holds the metrics of `outcomes` against `expectations`. A metric that is missing, or has no value, fails.
pub(crate) fn check(expectations: &[Expect], outcomes: &[Outcome]) -> Vec<Check> {
    expectations.iter().map(|e| check_one(e, outcomes)).collect()
}

/// Of a run that ended by a value that is not finite at `time`, only the time of that can be expected.
pub fn check_failure(expectations: &[Expect], time: Option<f64>, unit: &str) -> Vec<Check> {
    let wanted: Vec<Expect> = expectations.iter().filter(|e| e.metric == FAILURE_TIME).cloned().collect();
    let names: Vec<&str> = FAILURE_TIME.split('.').collect();
    let (Some(time), &[analysis, subject, name]) = (time, names.as_slice()) else { return Vec::new() };
    let metric = Metric { analysis: analysis.to_owned(), ..Metric::new(subject, name, time, unit, 1) };
    check(&wanted, &[Outcome { metrics: vec![metric], ..Outcome::default() }])
}

fn check_one(expect: &Expect, outcomes: &[Outcome]) -> Check {
    let mut check = Check {
        name: expect.name.clone(),
        metric: expect.metric.clone(),
        found: None,
        min: expect.min,
        max: expect.max,
        unit: expect.unit.clone(),
        passed: false,
        note: expect.source.clone(),
        original: None,
        reason: String::new(),
    };
    let Some(metric) = outcomes.iter().flat_map(|o| &o.metrics).find(|m| m.full_name() == expect.metric) else {
        check.note = no_metric(expect, outcomes);
        return check;
    };
    let bounds = [expect.min, expect.max].into_iter().flatten();
    let factor = match factor(&expect.unit, &metric.unit, bounds) {
        Ok(factor) => factor,
        Err(why) => {
            check.note = why;
            return check;
        }
    };
    check.unit.clone_from(&metric.unit);
    check.min = expect.min.map(|v| v * factor);
    check.max = expect.max.map(|v| v * factor);
    if let Some(original) = &expect.original {
        check.reason.clone_from(&original.reason);
        match self::factor(&original.unit, &metric.unit, [original.value]) {
            Ok(factor) => check.original = Some(original.value * factor),
            Err(_) => {
                let (written, unit) = (named(&original.unit), named(&metric.unit));
                check.note = format!("`original` is written in {written}, and the metric is in {unit}");
                return check;
            }
        }
    }
    match metric.value {
        None => check.note = missing(metric),
        Some(value) => {
            check.found = Some(value);
            check.passed = check.min.is_none_or(|min| value >= min) && check.max.is_none_or(|max| value <= max);
        }
    }
    check
}

/// What an earlier program gave for `metric`, in its unit, and why ours differs, where the scenario says so.
pub fn original_of<'a>(expectations: &'a [Expect], metric: &Metric) -> Option<(f64, &'a str)> {
    let name = metric.full_name();
    let original = expectations.iter().filter(|e| e.metric == name).find_map(|e| e.original.as_ref())?;
    Some((original.value * factor(&original.unit, &metric.unit, [original.value]).ok()?, &original.reason))
}

fn missing(metric: &Metric) -> String {
    if metric.note.is_empty() {
        "the metric has no value".into()
    } else {
        format!("the metric has no value: {}", metric.note)
    }
}

fn no_metric(expect: &Expect, outcomes: &[Outcome]) -> String {
    if expect.metric == FAILURE_TIME {
        return "the run was expected to leave the finite numbers, and did not".into();
    }
    // An analysis that could say nothing at all has said why.
    let silent = outcomes.iter().find(|o| {
        o.metrics.is_empty() && expect.metric.strip_prefix(&o.name).is_some_and(|rest| rest.starts_with('.'))
    });
    if let Some(outcome) = silent {
        return format!("the metric has no value: `{}` has {}", outcome.name, outcome.summary);
    }
    let names: Vec<String> =
        outcomes.iter().flat_map(|o| &o.metrics).map(spikedeck_signal::Metric::full_name).collect();
    match spikedeck_core::diagnostic::did_you_mean(&expect.metric, names.iter().map(String::as_str)) {
        Some(near) => format!("no analysis gives `{}`; did you mean `{near}`?", expect.metric),
        None => format!("no analysis gives `{}`", expect.metric),
    }
}

/// What a bound is to be multiplied with to be in the metric's unit. Bounds are stated in the metric's unit; a bound
/// that was written in another one (`Hz` for a metric in `1/s`) converts if the dimension fits. A plain number says
/// nothing of a metric with a dimension, but for 0, which is the same in all units of it.
fn factor(written: &str, unit: &str, values: impl IntoIterator<Item = f64>) -> Result<f64, String> {
    let read = |u: &str| Quantity::parse(&format!("1 {u}")).ok();
    if written.is_empty() && values.into_iter().any(|v| v != 0.0) && read(unit).is_some_and(|q| !q.dimension.is_none())
    {
        return Err(format!("the range is written in plain numbers, and the metric is in {unit}: write it in {unit}"));
    }
    if written.is_empty() || written == unit {
        return Ok(1.0);
    }
    match (read(written), read(unit)) {
        (Some(a), Some(b)) if a.dimension == b.dimension => Ok(a.value / b.value),
        _ => Err(format!("the range is written in {written}, and the metric is in {}", named(unit))),
    }
}

fn named(unit: &str) -> &str {
    if unit.is_empty() { "plain numbers" } else { unit }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expect(metric: &str, min: f64, max: f64, unit: &str) -> Expect {
        Expect {
            name: "e".into(),
            metric: metric.into(),
            min: Some(min),
            max: Some(max),
            unit: unit.into(),
            source: "doi:x".into(),
            original: None,
        }
    }

    fn outcome() -> Outcome {
        let mut metric = Metric::new("exc.rate", "peak", 10.0, "Hz", 5);
        metric.analysis = "psd".into();
        let mut silent = Metric::missing("exc.spikes", "cv", "", 0, "fewer than 3 spikes");
        silent.analysis = "isi".into();
        Outcome { metrics: vec![metric, silent], ..Outcome::default() }
    }

    #[test]
    fn ranges_hold_or_fail_and_say_why() {
        let outcomes = [outcome()];
        let found = check(
            &[
                expect("psd.exc.rate.peak", 8.0, 12.0, "Hz"),
                expect("psd.exc.rate.peak", 0.0110, 0.012, "kHz"),
                expect("isi.exc.spikes.cv", 0.5, 1.5, ""),
                expect("psd.exc.rate.paek", 8.0, 12.0, ""),
                expect("psd.exc.rate.peak", 8.0, 12.0, "mV"),
                expect("psd.exc.rate.peak", 8.0, 12.0, ""),
                Expect { max: None, ..expect("psd.exc.rate.peak", 0.0, 0.0, "") },
            ],
            &outcomes,
        );
        let passed: Vec<bool> = found.iter().map(|c| c.passed).collect();
        assert_eq!(passed, [true, false, false, false, false, false, true]);
        assert_eq!((found[0].found, found[0].note.as_str()), (Some(10.0), "doi:x"));
        assert_eq!(found[1].min, Some(11.0));
        assert_eq!(found[2].note, "the metric has no value: fewer than 3 spikes");
        assert_eq!(found[3].note, "no analysis gives `psd.exc.rate.paek`; did you mean `psd.exc.rate.peak`?");
        assert_eq!(found[4].note, "the range is written in mV, and the metric is in Hz");
        assert_eq!(found[5].note, "the range is written in plain numbers, and the metric is in Hz: write it in Hz");
    }

    #[test]
    fn ranges_are_words_with_digits_that_tell_them_from_what_was_found() {
        let words = |found, min, max| {
            let check = Check { found, min, max, ..Check::default() };
            (check.found_in_words(), check.range_in_words())
        };
        let both = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(words(Some(10.0), Some(8.0), Some(12.0)), both("10", "8 to 12"));
        assert_eq!(words(Some(11.9014), Some(11.901), Some(11.902)), both("11.9014", "11.901 to 11.902"));
        assert_eq!(words(None, Some(0.5), None), both("no value", "at least 0.5"));
        assert_eq!(words(Some(3.0), None, Some(2.0)), both("3", "at most 2"));
        assert_eq!(words(Some(3.0), Some(2.0), Some(2.0)), both("3", "2"));
        assert_eq!(words(Some(3.0), None, None), both("3", "any value"));
    }

    #[test]
    fn the_number_of_an_earlier_program_comes_in_the_unit_of_the_metric() {
        let with = |value: f64, unit: &str| {
            let original =
                Some(spikedeck_scenario::Original { value, unit: unit.into(), reason: "a coarser step".into() });
            let expect = Expect { original, ..expect("psd.exc.rate.peak", 8.0, 12.0, "Hz") };
            check(&[expect], &[outcome()]).remove(0)
        };
        let found = with(0.0095, "kHz");
        assert_eq!((found.passed, found.original, found.reason.as_str()), (true, Some(9.5), "a coarser step"));
        let found = with(9.5, "mV");
        assert_eq!((found.passed, found.original), (false, None));
        assert_eq!(found.note, "`original` is written in mV, and the metric is in Hz");
        assert_eq!(with(9.5, "").note, "`original` is written in plain numbers, and the metric is in Hz");
    }
}
