//! Unitary events: coincidences of units over trials beyond those of their rates, in sliding windows.

use super::noise_correlation::{stretch, trial_trains, two_sided_p};
use super::prelude::*;
use super::psth::conditions;
use super::subject::{bin_count, bin_of};
use spikedeck_core::number;
use spikedeck_core::rng::Key;
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::{Correction, adjust, jackknife_interval, p_value};
use spikedeck_core::unitary::{Expected, Fires, Placed, Windows, coincidences, expected, joint_surprise};
use spikedeck_scenario::Subject;
use spikedeck_signal::{Axis, Curve, CurveStyle, ReferenceLine, Series, Shape, Window};
use std::ops::Range;

/// The analysis `unitary_events`.
pub struct UnitaryEvents;

const CARD: AnalysisCard = AnalysisCard {
    title: "Unitary events",
    synonyms: &["joint_surprise", "unitary_event_analysis", "uea", "excess_coincidences", "coincident_spikes"],
    summary: "coincidences of units over trials beyond those of their rates, in sliding windows, as joint surprise",
    formula: "n = bins of a window in which all units of a group fire, over trials\n\
              n_exp: trial_by_trial Σ_t w Π p_i(t), trial_average T w Π p̄_i, trial_shuffled Σ_bins T Π p̄_i(bin)\n\
              S = log₁₀((1 − Ψ)/Ψ), Ψ = P(N ≥ n) of a Poisson count of mean n_exp\n\
              excess = mean over windows of (n − n_exp)/(T w bin)",
    assumptions: "Trials are alike but for their noise, within each condition, and independent. Counts in a bin are \
                  clipped at one. Rates are constant within a window (trial_by_trial, trial_average) or the same in \
                  all trials (trial_average, trial_shuffled). p: the trials of each unit but the first in orders of \
                  their own; of the largest surprise over all windows, and two-sided of the excess. Interval of the \
                  excess: jackknife over trials.",
    bias: "None of the excess for independent units whose rates are constant in a window. Clipping loses coincidences \
           at high rates. The largest of many windows is large by chance: look at the chance column, not at 1.28 (Ψ = \
           0.05 in one window alone).",
    cost: "O(spikes + groups trials (bins + windows) surrogates)",
    caveats: "Rates that go up together in both units within a window, or from trial to trial, are coincidences that \
              rates explain and that a window of constant rates does not know: take shorter windows or another \
              `expectation`. Orders of trials destroy what varies from trial to trial in all units at once, so that \
              such covariation is significant. Coincidences that jitter by more than a bin are cut.",
    references: &[
        "Grün, Diesmann, Aertsen 2002, Neural Comput 14:43-80, doi:10.1162/089976602753284455",
        "Grün, Diesmann, Aertsen 2002, Neural Comput 14:81-119, doi:10.1162/089976602753284464",
        "Grün 2009, J Neurophysiol 101:1126-1140, doi:10.1152/jn.00093.2008",
    ],
};

words! {
    for Expected {
        TrialByTrial = "trial_by_trial",
        TrialAverage = "trial_average",
        TrialShuffled = "trial_shuffled",
    }
}

options! {
    /// What `unitary_events` can be told.
    pub struct Options {
        bin: Time = time("5 ms").or(derived::TENTH).piece(), "bins in which spikes are coincident";
        window: Time = time("100 ms").or(derived::TWO).piece(), "length of the sliding window";
        step: usize = integer("1").between(1.0, 10_000.0), "bins from one window to the next";
        together: usize = integer("2").between(2.0, 6.0), "units of a group, of which every one is looked at";
        expectation: Expected = choice(Expected::TrialByTrial),
            "where the expected number comes from: trial_by_trial: rates of each trial in the window; trial_average: \
             their means over trials; trial_shuffled: means over trials in each bin (all orders of the trials)";
        from: Option<Time> = time_if_given().or_zero(), "begin of the bins in each trial (default that of the window)";
        to: Option<Time> = time_if_given(), "their end (default that of the window)";
        surrogates: usize = integer("199").between(19.0, 100_000.0), "orders of the trials";
    }
}

/// Most units, of which all groups are looked at.
const MOST_UNITS: usize = 12;
/// Most bins of a trial.
const MOST_BINS: usize = 20_000;
/// Most groups.
const MOST_GROUPS: usize = 220;
/// Groups up to which each has its curve.
const MOST_DRAWN: usize = 6;
/// Fewest trials of which orders and intervals say anything.
const LEAST_TRIALS: usize = 3;

impl Estimator for UnitaryEvents {
    type Options = Options;
    const KIND: &'static str = "unitary_events";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const ACROSS_TRIALS: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let (mut units, mut spans, mut of_conditions) = (Vec::new(), Vec::new(), Vec::new());
        for s in subject::of_or_all_spikes(f.request)? {
            let window = stretch(f, &s, o.from, o.to)?;
            let (more, conditions) = counted(f, &s, window, o)?;
            units.extend(more);
            spans.push(window);
            of_conditions = conditions;
        }
        let groups = groups(units.len(), o.together);
        if units.len() > MOST_UNITS || groups.is_empty() || groups.len() > MOST_GROUPS {
            return Err(AnalysisError::Unsuitable(format!(
                "{} units make {} groups of {}; from 1 to {MOST_GROUPS} groups of at most {MOST_UNITS} units are \
                 looked at: choose some, as in `POP.spikes[0..4]`",
                units.len(),
                groups.len(),
                o.together
            )));
        }
        let (mut found, mut curves) = (Vec::new(), Vec::new());
        f.each(&groups, |f, group| {
            let of: Vec<&Unit> = group.iter().map(|&u| &units[u]).collect();
            let one = look(f, &of, &of_conditions, spans[0], o)?;
            curves.extend(one.curve);
            found.push((one.name, one.p));
            Ok(())
        })?;
        if found.len() > 1 {
            let p: Vec<Option<f64>> = found.iter().map(|f| f.1).collect();
            let adjusted = adjust(&p, Correction::BenjaminiHochberg);
            for ((name, _), p) in found.iter().zip(adjusted) {
                if let Some(p) = p {
                    let how = "of the largest surprise; Benjamini-Hochberg over all groups";
                    f.metric(Metric::adjusted(name, p, found.len() as u64, how).note("n = groups"));
                }
            }
        }
        drawn(f, curves);
        Ok(())
    }
}

/// A unit in all trials, those of each condition after those of the one before.
struct Unit {
    name: String,
    fires: Fires,
}

type Counted = (Vec<Unit>, Vec<Range<usize>>);

fn counted(f: &Findings<'_>, s: &Subject, window: Window, o: &Options) -> Result<Counted, AnalysisError> {
    let (bins, width) = (bin_count(window, o.bin.axis), (o.window.axis / o.bin.axis).round() as usize);
    let windows = Windows { bins, width, step: o.step };
    if windows.is_empty() || width < 2 || bins > MOST_BINS {
        return Err(AnalysisError::Unsuitable(format!(
            "{}: a trial has {bins} bins and a window {width}; two bins at least make a window, and {MOST_BINS} at \
             most a trial that holds one",
            s.text
        )));
    }
    let (mut names, mut trials): (Vec<String>, Vec<Vec<Vec<usize>>>) = (Vec::new(), Vec::new());
    let (mut ranges, mut done) = (Vec::new(), 0);
    for (_, list) in conditions(f.recording) {
        ranges.push(done..done + list.len());
        done += list.len();
        for trial in list {
            let found = trial_trains(f, s, trial, window)?;
            if names.is_empty() {
                names = found.units.iter().map(|&u| subject::unit_name(f.request, s, u)).collect();
                trials = vec![Vec::new(); names.len()];
            }
            if names.len() > MOST_UNITS {
                return Err(AnalysisError::Unsuitable(format!(
                    "{} means {} units, and at most {MOST_UNITS} are looked at: choose some, as in `{}[0..4]`",
                    s.text,
                    names.len(),
                    subject::stem(f.request, s)
                )));
            }
            for (rows, train) in trials.iter_mut().zip(&found.trains) {
                rows.push(train.iter().filter_map(|&t| bin_of(t, window.start, o.bin.axis)).collect());
            }
        }
    }
    let unit = |(name, rows): (String, Vec<Vec<usize>>)| Unit {
        name,
        fires: Fires::new(rows.iter().map(Vec::as_slice), windows),
    };
    Ok((names.into_iter().zip(trials).map(unit).collect(), ranges))
}

/// All groups of so many of the first `n` numbers.
fn groups(n: usize, together: usize) -> Vec<Vec<usize>> {
    if together == 0 {
        return vec![Vec::new()];
    }
    let with_last = |last: usize| {
        groups(last, together - 1).into_iter().map(move |mut group| {
            group.push(last);
            group
        })
    };
    let mut all: Vec<Vec<usize>> = (together - 1..n).flat_map(with_last).collect();
    all.sort();
    all
}

struct Found {
    name: String,
    p: Option<f64>,
    curve: Option<(String, Vec<f64>, Vec<f64>)>,
}

/// Found and expected numbers in each window.
struct Numbers {
    found: Vec<f64>,
    expected: Vec<f64>,
}

impl Numbers {
    /// The largest surprise, and in which window.
    fn largest(&self) -> Option<(f64, usize)> {
        self.surprise().enumerate().filter_map(|(w, s)| Some((s?, w))).max_by(|a, b| a.0.total_cmp(&b.0))
    }

    fn surprise(&self) -> impl Iterator<Item = Option<f64>> {
        self.found.iter().zip(&self.expected).map(|(n, e)| joint_surprise(*n, *e))
    }

    /// The mean over windows of what is found beyond what is expected.
    fn excess(&self) -> f64 {
        self.found.iter().zip(&self.expected).map(|(n, e)| n - e).sum::<f64>() / self.found.len() as f64
    }
}

fn look(
    f: &mut Findings<'_>,
    units: &[&Unit],
    conditions: &[Range<usize>],
    span: Window,
    o: &Options,
) -> Result<Found, AnalysisError> {
    let name = units.iter().map(|u| u.name.as_str()).collect::<Vec<_>>().join(", ");
    let fires: Vec<&Fires> = units.iter().map(|u| &u.fires).collect();
    let trials = fires[0].trials();
    let order = vec![(0..trials).collect::<Vec<usize>>(); units.len()];
    let numbers = |order: &[Vec<usize>], conditions: &[Range<usize>]| {
        let placed = Placed { order, conditions };
        Numbers { found: coincidences(&fires, placed), expected: expected(&fires, placed, o.expectation) }
    };
    let seen = numbers(&order, conditions);
    let silent = units.iter().find(|u| u.fires.count() == 0).map(|u| format!("{} does not fire", u.name));
    let few = (trials < LEAST_TRIALS).then(|| format!("{trials} trials, fewer than {LEAST_TRIALS}"));
    let Some((surprise, at)) = seen.largest().filter(|_| silent.is_none() && few.is_none()) else {
        let why = silent.or(few).unwrap_or_else(|| "there is no coincidence in any window".into());
        for (metric, unit) in [("surprise_max", ""), ("excess", f.base.rate_unit())] {
            f.metric(Metric::missing(&name, metric, unit, trials as u64, &why));
        }
        f.word(format!("{name}: no value, {why}"));
        return Ok(Found { name, p: None, curve: None });
    };
    let key = f.key(&name, "orders");
    let (mut largest, mut excesses) = (Vec::with_capacity(o.surrogates), Vec::with_capacity(o.surrogates));
    for k in 0..o.surrogates {
        f.progress(k as f64 / o.surrogates as f64)?;
        let mixed = numbers(&mixed(&order, conditions, key, k), conditions);
        // Without a coincidence in any window there is less surprise than with one.
        largest.push(mixed.largest().map_or(f64::NEG_INFINITY, |l| l.0));
        excesses.push(mixed.excess());
    }
    let p = p_value(surprise, &largest);
    let with_value: Vec<f64> = largest.iter().copied().filter(|v| v.is_finite()).collect();
    let width = (o.window.axis / o.bin.axis).round();
    let middle = |w: usize| span.start + ((w * o.step) as f64 + 0.5 * width) * o.bin.axis;
    let (unit, windows) = (f.base.unit(), seen.found.len());
    let tested = format!("p: {} orders of the trials", o.surrogates);
    f.metric(
        Metric::new(&name, "surprise_max", surprise, "", trials as u64)
            .chance(if with_value.is_empty() { f64::NAN } else { mean(&with_value) })
            .p(p)
            .note(format!("the largest of {windows} windows; n = trials; expectation {}", o.expectation.word()))
            .null_by(&tested)
            .note("no interval: the largest of many windows"),
    );
    f.metric(
        Metric::new(&name, "surprise_time", middle(at), unit, trials as u64)
            .note("middle of the window with the largest surprise; no interval: it is chosen"),
    );
    f.metric(
        Metric::new(&name, "coincidences", seen.found[at], "", trials as u64)
            .chance(seen.expected[at])
            .note("in that window, over all trials; no interval: the window is chosen"),
    );
    let seconds = trials as f64 * width * o.bin.seconds;
    let excess = seen.excess() / seconds;
    let drawn: Vec<f64> = excesses.iter().map(|e| e / seconds).collect();
    let m = Metric::new(&name, "excess", excess, f.base.rate_unit(), trials as u64)
        .chance(0.0)
        .p(two_sided_p(excess, &drawn))
        .note("coincidences beyond the expected ones, mean over windows")
        .null_by(&tested);
    f.metric(
        match left_out(trials, conditions, units.len(), |order, conditions| {
            numbers(order, conditions).excess() * trials as f64 / (trials as f64 - 1.0) / seconds
        })
        .and_then(|list| jackknife_interval(excess, &list))
        {
            Some((low, high)) => m.interval(low, high).interval_by("95 % interval by leaving out one trial at a time"),
            None => m.note("no interval: a condition has one trial alone"),
        },
    );
    f.word(format!(
        "{name}: surprise up to {} at {} {unit} (p {})",
        number::shown(surprise),
        spikedeck_core::units::short(middle(at)),
        number::p_value(p)
    ));
    // Windows without a coincidence have no surprise to draw.
    let drawn = seen.surprise().enumerate().filter_map(|(w, s)| Some((middle(w), s?)));
    let (x, y) = drawn.unzip();
    let curve = Some((name.clone(), x, y));
    Ok(Found { name, p: Some(p), curve })
}

/// The trials of each unit but the first in an order of their own, within each condition.
fn mixed(order: &[Vec<usize>], conditions: &[Range<usize>], key: Key, number: usize) -> Vec<Vec<usize>> {
    let mut mixed = order.to_vec();
    for (u, places) in mixed.iter_mut().enumerate().skip(1) {
        let mut stream = key.stream(u as u32, number as u64);
        for condition in conditions {
            for k in (1..condition.len()).rev() {
                places.swap(condition.start + k, condition.start + stream.below(k as u32 + 1) as usize);
            }
        }
    }
    mixed
}

/// What is found without each of the trials in turn; nothing where a condition would be left without any.
fn left_out(
    trials: usize,
    conditions: &[Range<usize>],
    units: usize,
    of: impl Fn(&[Vec<usize>], &[Range<usize>]) -> f64,
) -> Option<Vec<f64>> {
    if conditions.iter().any(|c| c.len() < 2) {
        return None;
    }
    let without = |out: usize| {
        let kept: Vec<usize> = (0..trials).filter(|t| *t != out).collect();
        let fewer = |end: usize| end - usize::from(end > out);
        let conditions: Vec<Range<usize>> = conditions.iter().map(|c| fewer(c.start)..fewer(c.end)).collect();
        of(&vec![kept; units], &conditions)
    };
    Some((0..trials).map(without).collect())
}

/// Surprise over time.
fn drawn(f: &mut Findings<'_>, curves: Vec<(String, Vec<f64>, Vec<f64>)>) {
    if curves.is_empty() || curves.len() > MOST_DRAWN {
        return;
    }
    let curve = |(name, x, y): (String, Vec<f64>, Vec<f64>)| Curve { name, x, y, band: None, style: CurveStyle::Line };
    let level = (0.95_f64 / 0.05).log10();
    let series = Series {
        x: super::psth::axis(f),
        y: Axis::new("joint surprise", ""),
        curves: curves.into_iter().map(curve).collect(),
        references: vec![ReferenceLine { name: "0.05 in one window".into(), at: level, vertical: false }],
    };
    f.shape("joint surprise", Shape::Series(series));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{joined, metric, recording, run, value};
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::Recording;

    const PAIR: &str = "p.spikes[0], p.spikes[1]";

    fn settings(window: f64) -> [(&'static str, OptionValue); 3] {
        [
            ("bin", OptionValue::Number(0.005)),
            ("window", OptionValue::Number(window)),
            ("surrogates", OptionValue::Integer(99)),
        ]
    }

    /// Four bins of 5 ms in three trials, windows of two bins: 0 1 | 0 1, 0 | 0 3 and 2 | 1: coincidences are 3, 1, 0
    /// in the windows that begin at bin 0, 1, 2, of which rates of each trial give 2 + ½ (bins 0 1), ½ (bin 1 of the
    /// first trial; the third has bin 2 against bin 1: ½), and ½·0.
    #[test]
    fn by_hand() {
        let at = |bins: &[u32]| bins.iter().map(|b| 2.5 + 5.0 * f64::from(*b)).collect::<Vec<f64>>();
        let trial = |a: &[u32], b: &[u32]| recording(&[at(a), at(b)], 20.0);
        let r = joined(vec![trial(&[0, 1], &[0, 1]), trial(&[0], &[0, 3]), trial(&[2], &[1])]);
        let o = run(&UnitaryEvents, &r, vec![], &settings(0.01)).unwrap();
        let m = metric(&o, PAIR, "coincidences");
        // Ψ(3; 2.5) = 0.456, Ψ(1; 1) = 0.632: the first window has the largest.
        assert_eq!((m.value, m.chance), (Some(3.0), Some(2.5)));
        let tail = 1.0 - (1.0 + 2.5 + 3.125) * (-2.5_f64).exp();
        let wanted = ((1.0 - tail) / tail).log10();
        assert!((value(&o, PAIR, "surprise_max") - wanted).abs() < 1e-9);
        assert_eq!(value(&o, PAIR, "surprise_time"), 5.0);
        // (0.5 + 0 + 0)/3 windows, in 30 ms.
        assert!((value(&o, PAIR, "excess") - 0.5 / 3.0 / 0.03).abs() < 1e-9, "{}", value(&o, PAIR, "excess"));
    }

    /// Trials of two Poisson units at 20 Hz with common spikes: `common` a second from 200 to 300 ms of 500 ms.
    fn trials(seed: u64, common: f64, n: u32) -> Recording {
        let trial = |k: u32| {
            let mut s = Key::new(seed, "unitary", "trials").stream(k, 0);
            let mut trains = [Vec::new(), Vec::new()];
            for ms in 0..500 {
                let t = f64::from(ms) + 0.5;
                if (200..300).contains(&ms) && s.uniform() < 1e-3 * common {
                    for train in &mut trains {
                        train.push(t);
                    }
                }
                for train in &mut trains {
                    if s.uniform() < 0.02 {
                        train.push(t);
                    }
                }
            }
            recording(&trains, 500.0)
        };
        joined((0..n).map(trial).collect())
    }

    #[test]
    fn common_spikes_are_found_where_they_are() {
        for how in ["trial_by_trial", "trial_average", "trial_shuffled"] {
            let mut some = settings(0.1).to_vec();
            some.push(("expectation", OptionValue::Text(how.into())));
            let o = run(&UnitaryEvents, &trials(1, 10.0, 40), vec![], &some).unwrap();
            let m = metric(&o, PAIR, "surprise_max");
            assert!(m.p_value.unwrap() < 0.02 && m.value.unwrap() > 5.0, "{how} {m:?}");
            let at = value(&o, PAIR, "surprise_time");
            assert!((225.0..=275.0).contains(&at), "{how} {at}");
        }
        // Windows of the whole trial. Both fire in a bin of the fifth with 10 a second at p = 0.05 beyond their own
        // 0.095: (0.05·0.95·0.905² /5 ms + what its higher rates give) · 1/5 = 1.62 a second.
        let o = run(&UnitaryEvents, &trials(2, 10.0, 100), vec![], &settings(0.5)).unwrap();
        let m = metric(&o, PAIR, "excess");
        let (low, high) = m.ends().unwrap();
        assert!(low < 1.62 && 1.62 < high && m.p_value.unwrap() < 0.02, "{m:?}");
    }

    #[test]
    fn independent_units_are_not_surprising() {
        let below = (0..60)
            .filter(|&seed| {
                let mut some = settings(0.1).to_vec();
                some[2] = ("surrogates", OptionValue::Integer(19));
                let o = run(&UnitaryEvents, &trials(100 + seed, 0.0, 20), vec![], &some).unwrap();
                metric(&o, PAIR, "surprise_max").p_value.unwrap() <= 0.1
            })
            .count();
        // 6 of 60 are wanted.
        assert!((1..=14).contains(&below), "{below} of 60");
    }

    #[test]
    fn groups_are_all_of_them_once() {
        assert_eq!(groups(4, 2), [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]);
        assert_eq!(groups(4, 3).len(), 4);
        assert!(groups(2, 3).is_empty());
    }

    #[test]
    fn what_cannot_be_said_is_said_so() {
        let quiet = || recording(&[vec![], vec![50.0]], 500.0);
        let o = run(&UnitaryEvents, &joined(vec![quiet(), quiet(), quiet()]), vec![], &settings(0.1)).unwrap();
        assert!(metric(&o, PAIR, "surprise_max").note.contains("p.spikes[0] does not fire"));
        let apart = || recording(&[vec![250.0], vec![50.0]], 500.0);
        let o = run(&UnitaryEvents, &joined(vec![apart(), apart(), apart()]), vec![], &settings(0.1)).unwrap();
        assert!(metric(&o, PAIR, "excess").note.contains("no coincidence in any window"));
        let o = run(&UnitaryEvents, &joined(vec![apart(), apart()]), vec![], &settings(0.1)).unwrap();
        assert!(metric(&o, PAIR, "excess").note.contains("fewer than 3"));
        let error = run(&UnitaryEvents, &joined(vec![apart(), apart()]), vec![], &settings(0.6)).unwrap_err();
        assert!(error.to_string().contains("a trial has 100 bins and a window 120"), "{error}");
        let many = || recording(&vec![vec![1.0]; 13], 500.0);
        let error = run(&UnitaryEvents, &joined(vec![many(), many()]), vec![], &settings(0.1)).unwrap_err();
        assert!(error.to_string().contains("at most 12"), "{error}");
        let one = || recording(&[vec![1.0]], 500.0);
        assert!(run(&UnitaryEvents, &joined(vec![one(), one(), one()]), vec![], &settings(0.1)).is_err());
    }
}
