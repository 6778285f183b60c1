//! How often intervals hold the truth, and how p-values are distributed where there is nothing to find.
//!
//! Each case is a process of which the truth is known, and an analysis of it. All of them with all their repeats are
//! the pages `data/reference/coverage.md` (intervals) and `data/reference/p_values.md` (p-values, in `uniform.rs`),
//! which
//!
//! ```sh
//! cargo test -p spikedeck-analysis --lib coverage::page -- --ignored
//! cargo test -p spikedeck-analysis --lib coverage::uniform::page -- --ignored
//! ```
//!
//! measure anew: all cases (minutes), with `CASES=new` those that have no row yet, or with `CASES="psd:|Poisson"` those
//! whose `ESTIMATOR: PROCESS` holds one of these texts; the other rows stay. The cheap cases are tested with every
//! other test, with the same seeds each time.

mod bands;
mod dynamics;
mod groups;
mod information;
mod networks;
mod null_groups;
mod null_signals;
mod null_trains;
mod page;
mod places;
mod processes;
mod series;
mod signals;
mod spectra;
mod spikes;
mod synchrony;
mod trains;
mod uniform;

use crate::{Metric, Outcome, Request, find};
use page::{Page, most_repeats};
use rayon::prelude::*;
use spikedeck_core::rng::Key;
use spikedeck_scenario::{AnalysisSpec, OptionValue, Spec, Subject};
use spikedeck_signal::{Recording, SpikeTrains};
use statrs::distribution::{Binomial, DiscreteCDF};
use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;

/// Options of an analysis.
type Settings<'a> = &'a [(&'static str, OptionValue)];

/// What is looked at: `of`, or `source` and `target`.
#[derive(Default)]
struct Looked {
    of: Vec<Subject>,
    source: Vec<Subject>,
    target: Vec<Subject>,
}

impl Looked {
    fn of(of: Vec<Subject>) -> Self {
        Self { of, ..Self::default() }
    }

    fn pair(source: Subject, target: Subject) -> Self {
        Self { of: Vec::new(), source: vec![source], target: vec![target] }
    }
}

/// An analysis of a recording, with surrogates and resampling of its own seed.
fn analyse(
    kind: &'static str,
    seed: u64,
    recording: &Recording,
    scenario: Option<&Spec>,
    looked: Looked,
    options: Settings<'_>,
) -> Outcome {
    let analysis = find(kind).unwrap();
    let declaration = analysis.declaration();
    for (key, _) in options {
        assert!(declaration.options.iter().any(|o| o.key == *key), "{key} is no option of {kind}");
    }
    let spec = AnalysisSpec {
        name: "a".into(),
        kind: kind.into(),
        of: looked.of,
        source: looked.source,
        target: looked.target,
        options: options.iter().cloned().collect(),
    };
    let trains = SpikeTrains::new(recording);
    let cancel = AtomicBool::new(false);
    analysis.run(&Request { spec: &spec, scenario, recording, trains: &trains, seed, cancel: &cancel }).unwrap()
}

/// What an interval should hold.
#[derive(Clone, Copy)]
enum Truth {
    /// This.
    Is(f64),
    /// What the estimate is on average over all repeats: where no closed form says more, this tells whether the width
    /// is right, and not whether the middle is.
    Average,
}

/// How often it should.
#[derive(Clone, Copy)]
enum Wanted {
    /// In 90 to 98 % of the repeats.
    Fair,
    /// At least so often: the interval is exact for counts, which cannot be had evenly, or is never narrower than
    /// something else; the reason.
    AtLeast(&'static str),
    /// There is none, for this reason.
    None(&'static str),
}

/// An interval of a case.
struct Held {
    metric: &'static str,
    truth: Truth,
    wanted: Wanted,
}

/// How p-values are distributed where there is nothing to find.
#[derive(Clone, Copy)]
enum Law {
    /// Evenly over what they can be.
    Uniform,
    /// Small no more often than that; the reason.
    AtMost(&'static str),
}

/// A p-value of a case in which there is nothing to find.
struct Null {
    metric: &'static str,
    law: Law,
}

/// A process, an analysis of it, and what is true.
struct Case {
    process: &'static str,
    /// Repeats of the page, and of the ordinary tests (none: too slow for them).
    repeats: (u32, u32),
    run: Box<dyn Fn(u64) -> Outcome + Send + Sync>,
    held: Vec<Held>,
    /// Metrics whose p-values are those of nothing to find.
    nulls: Vec<Null>,
    /// Whether it is about p-values alone: its intervals are measured elsewhere.
    only_p: bool,
}

impl Case {
    fn new(process: &'static str, run: impl Fn(u64) -> Outcome + Send + Sync + 'static) -> Self {
        Self { process, repeats: (1000, 200), run: Box::new(run), held: Vec::new(), nulls: Vec::new(), only_p: false }
    }

    /// One of which the p-values alone are looked at, in so many repeats of the ordinary tests.
    fn of_p(process: &'static str, tests: u32, run: impl Fn(u64) -> Outcome + Send + Sync + 'static) -> Self {
        Self { repeats: (0, tests), only_p: true, ..Self::new(process, run) }
    }

    /// How often it is repeated for the page and in the ordinary tests.
    fn times(mut self, page: u32, tests: u32) -> Self {
        self.repeats = (page, tests);
        self
    }

    fn holds(self, metric: &'static str, truth: f64) -> Self {
        self.with(metric, Truth::Is(truth), Wanted::Fair)
    }

    fn holds_its_average(self, metric: &'static str) -> Self {
        self.with(metric, Truth::Average, Wanted::Fair)
    }

    fn at_least(self, metric: &'static str, truth: f64, why: &'static str) -> Self {
        self.with(metric, Truth::Is(truth), Wanted::AtLeast(why))
    }

    fn without(self, metric: &'static str, why: &'static str) -> Self {
        self.with(metric, Truth::Average, Wanted::None(why))
    }

    fn with(mut self, metric: &'static str, truth: Truth, wanted: Wanted) -> Self {
        self.held.push(Held { metric, truth, wanted });
        self
    }

    fn null(mut self, metric: &'static str) -> Self {
        self.nulls.push(Null { metric, law: Law::Uniform });
        self
    }

    fn null_at_most(mut self, metric: &'static str, why: &'static str) -> Self {
        self.nulls.push(Null { metric, law: Law::AtMost(why) });
        self
    }
}

fn cases() -> Vec<Case> {
    let mut all = spikes::cases();
    all.extend(synchrony::cases());
    all.extend(trains::cases());
    all.extend(signals::cases());
    all.extend(spectra::cases());
    all.extend(bands::cases());
    all.extend(places::cases());
    all.extend(information::cases());
    all.extend(networks::cases());
    all.extend(dynamics::cases());
    all.extend(series::cases());
    all.extend(groups::cases());
    all.extend(null_trains::cases());
    all.extend(null_groups::cases());
    all.extend(null_signals::cases());
    all
}

/// What the repeats of a case gave of one metric.
struct Counted {
    kind: String,
    metric: &'static str,
    truth: f64,
    /// Intervals, and intervals that hold the truth.
    given: u32,
    held: u32,
    mean: f64,
    width: f64,
    wanted: Option<Wanted>,
    /// p-values, and how they should be distributed.
    p: Vec<f64>,
    law: Option<Law>,
}

/// Repeats a case, and counts.
fn count(case: &Case, repeats: u32) -> Vec<Counted> {
    let outcomes: Vec<Outcome> = (0..repeats).into_par_iter().map(|k| (case.run)(u64::from(k) + 1)).collect();
    let kind = outcomes[0].kind.clone();
    let of = |metric: &str| -> Vec<&Metric> {
        outcomes.iter().filter_map(|o| o.metrics.iter().find(|m| m.metric == metric)).collect()
    };
    let mut list: Vec<Counted> = Vec::new();
    for h in &case.held {
        let found = of(h.metric);
        let values: Vec<f64> = found.iter().filter_map(|m| m.value).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let truth = match h.truth {
            Truth::Is(truth) => truth,
            Truth::Average => mean,
        };
        let ends: Vec<(f64, f64)> = found.iter().filter_map(|m| m.ends()).collect();
        let slack = 1e-9 * truth.abs();
        list.push(Counted {
            kind: kind.clone(),
            metric: h.metric,
            truth,
            given: ends.len() as u32,
            held: ends.iter().filter(|(l, u)| *l <= truth + slack && truth - slack <= *u).count() as u32,
            mean,
            width: ends.iter().map(|(l, u)| u - l).sum::<f64>() / ends.len() as f64,
            wanted: Some(h.wanted),
            p: Vec::new(),
            law: None,
        });
    }
    for &Null { metric, law } in &case.nulls {
        list.push(Counted {
            kind: kind.clone(),
            metric,
            truth: f64::NAN,
            given: 0,
            held: 0,
            mean: f64::NAN,
            width: f64::NAN,
            wanted: None,
            p: of(metric).iter().filter_map(|m| m.p_value).collect(),
            law: Some(law),
        });
    }
    undeclared(case, &outcomes);
    list
}

/// No interval and no p-value of a case stands outside its declarations: what is not measured is not given.
fn undeclared(case: &Case, outcomes: &[Outcome]) {
    for m in outcomes.iter().flat_map(|o| &o.metrics) {
        let (name, process) = (m.full_name(), case.process);
        let measured = case.only_p || case.held.iter().any(|h| h.metric == m.metric);
        assert!(m.ends().is_none() || measured, "{process}: the interval of {name} is not measured");
        let tested = !case.only_p || case.nulls.iter().any(|n| n.metric == m.metric);
        assert!(m.p_value.is_none() || tested, "{process}: the p-value of {name} is not tested");
    }
}

/// Wilson's interval of a share (1927, doi:10.1080/01621459.1927.10502953).
fn wilson(hits: u32, n: u32) -> (f64, f64) {
    let (n, z) = (f64::from(n), 1.959_963_984_540_054);
    let p = f64::from(hits) / n;
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    (middle - half, middle + half)
}

/// Chance that a wrong share passes, and that a right one fails, in the ordinary tests.
const DOUBT: f64 = 0.01;

/// The least number of hits of `n` that a share of `wrong` reaches with a chance of `DOUBT` at most.
fn more_than(wrong: f64, n: u32) -> u32 {
    let law = Binomial::new(wrong, u64::from(n)).unwrap();
    (0..=n)
        .find(|&k| k == 0 && law.sf(0) + law.cdf(0) <= DOUBT || k > 0 && law.sf(u64::from(k) - 1) <= DOUBT)
        .unwrap_or(n + 1)
}

/// The largest number of hits of `n` that a share of `wrong` stays within with a chance of `DOUBT` at most.
fn fewer_than(wrong: f64, n: u32) -> Option<u32> {
    let law = Binomial::new(wrong, u64::from(n)).unwrap();
    (0..=n).rev().find(|&k| law.cdf(u64::from(k)) <= DOUBT)
}

#[test]
fn bounds_of_the_tests_exclude_what_is_wrong() {
    let law = |p: f64, n: u64| Binomial::new(p, n).unwrap();
    for n in [100, 200, 400, 1000] {
        let least = more_than(0.8, n);
        assert!(law(0.8, u64::from(n)).sf(u64::from(least) - 1) <= DOUBT);
        assert!(law(0.95, u64::from(n)).cdf(u64::from(least) - 1) < 0.05, "{n}: a right interval passes");
        let most = fewer_than(0.15, n).unwrap();
        assert!(law(0.15, u64::from(n)).cdf(u64::from(most)) <= DOUBT);
        assert!(law(0.05, u64::from(n)).sf(u64::from(most)) < 0.3, "{n}: a right p-value passes");
    }
}

/// Every cheap case with fixed seeds: no interval that holds the truth in 80 % of the repeats passes, and no p-value
/// that is up to 0.05 in 15 % of them, or that is not uniform.
#[test]
fn intervals_hold_the_truth_and_p_values_are_uniform() {
    let mut wrong = String::new();
    for case in cases() {
        let repeats = case.repeats.1;
        if repeats == 0 {
            continue;
        }
        for c in count(&case, repeats) {
            let mut tell = |what: String| {
                writeln!(wrong, "{} {} ({}): {what}", c.kind, c.metric, case.process).unwrap();
            };
            match c.wanted {
                // Where an interval is left out unless chance is unlikely, it is there in 5 % of the repeats.
                Some(Wanted::None(_)) if fewer_than(0.15, repeats).is_none_or(|most| c.given > most) => {
                    tell(format!("{} intervals", c.given));
                }
                Some(Wanted::None(_)) => {}
                Some(wanted) => {
                    if 2 * c.given < repeats {
                        tell(format!("only {} intervals", c.given));
                    }
                    if c.held < more_than(0.8, c.given) {
                        tell(format!("{} of {} hold {}; mean {}", c.held, c.given, c.truth, c.mean));
                    }
                    if matches!(wanted, Wanted::Fair) && c.given >= 200 && c.held == c.given {
                        tell(format!("all {} hold {}: too wide", c.given, c.truth));
                    }
                }
                None => uniform::judged(&c, repeats).into_iter().for_each(tell),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// How often intervals hold the truth.
const INTERVALS: Page =
    Page { name: "coverage.md", head: HEAD, metrics: |case| case.held.iter().map(|h| h.metric).collect() };

/// Measures the intervals of the cases that `CASES` chooses, or of all, and puts their rows into the page; with
/// `REPEATS` at most so many repeats.
#[test]
#[ignore = "minutes"]
fn page() {
    INTERVALS.renew(|case| {
        let counted = count(case, case.repeats.0.min(most_repeats()));
        counted.iter().filter_map(|c| Some(row(case, c, c.wanted?))).collect()
    });
}

/// Every case with intervals that is tested with the others has its rows on the pages.
#[test]
fn the_pages_have_every_case() {
    let intervals = include_str!("../../../data/reference/coverage.md");
    let tests = include_str!("../../../data/reference/p_values.md");
    for case in cases().into_iter().filter(|c| c.repeats.1 > 0 && !c.only_p) {
        let held = case.held.iter().map(|h| (intervals, h.metric));
        for (text, metric) in held.chain(case.nulls.iter().map(|n| (tests, n.metric))) {
            let found = text.lines().any(|l| l.contains(&format!("| {metric} | {} |", case.process)));
            assert!(found, "no row for {metric} of {}: measure it with CASES=new", case.process);
        }
    }
}

const HEAD: &str = "\
# How often intervals hold the truth

Every estimator that states an interval (95 %) was run many times on data of which the truth is known. The page is
measured by `cargo test -p spikedeck-analysis --lib coverage::page -- --ignored`; the processes stand in
`src/analysis/coverage`. *Held* is the share of the intervals that hold the truth, with Wilson's interval of that share;
*average* as truth is the mean of the estimate over all repeats, where no closed form says more. Wanted are 90 to 98 %;
more where the last column says why; \"none\" where the interval is left out, with the reason. p-values have a page of
their own, `p_values.md`.

| estimator | metric | process | truth | mean estimate | held | 95 % (Wilson) | mean width | intervals | remark |
|---|---|---|---|---|---|---|---|---|---|
";

/// A share, and Wilson's interval of it, as two cells.
fn share(hits: u32, n: u32) -> String {
    let (low, high) = wilson(hits, n);
    format!("{:.3} | {:.3} to {high:.3}", f64::from(hits) / f64::from(n), low.max(0.0))
}

fn row(case: &Case, c: &Counted, wanted: Wanted) -> String {
    let start = format!("| {} | {} | {} |", c.kind, c.metric, case.process);
    let average = |h: &Held| h.metric == c.metric && matches!(h.truth, Truth::Average);
    let truth = if case.held.iter().any(average) { "average".to_owned() } else { short(c.truth) };
    match wanted {
        Wanted::None(why) => format!("{start} | {} | none | | | {} | {why} |", short(c.mean), c.given),
        wanted => {
            let remark = if let Wanted::AtLeast(why) = wanted { why } else { "" };
            let held = share(c.held, c.given);
            format!("{start} {truth} | {} | {held} | {} | {} | {remark} |", short(c.mean), short(c.width), c.given)
        }
    }
}

/// Four digits.
fn short(v: f64) -> String {
    if v == 0.0 {
        return "0".into();
    }
    let digits = (3 - v.abs().log10().floor() as i32).clamp(0, 8) as usize;
    format!("{v:.digits$}")
}

/// A key for the noise of one repeat.
fn key(seed: u64, what: &str) -> Key {
    Key::new(seed, "coverage", what)
}
