//! How p-values are distributed where there is nothing to find.
//!
//! A p-value of a continuous statistic is uniform over 0 to 1 then; one of m surrogates is uniform over the multiples
//! of 1/(m + 1), of which as many are at most p as p says. Both are held against that law by the distance of Kolmogorov
//! and Smirnov. Its p-value is that of continuous laws, which for steps is too large rather than too small (Noether
//! 1963, doi:10.1093/biomet/50.1-2.243).

use super::page::{Page, most_repeats};
use super::{Case, Counted, Law, cases, count, fewer_than, share};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Repeats of the page.
const SEEDS: u32 = 400;
/// p-value of the distance below which the ordinary tests, whose seeds are fixed, call p-values not uniform.
const DOUBT: f64 = 1e-3;

/// How far the p-values are from uniform.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Departure {
    /// By how much more of them are small than should be, at most.
    more: f64,
    /// By how much fewer.
    fewer: f64,
    n: f64,
}

impl Departure {
    fn of(p: &[f64]) -> Self {
        let mut sorted = p.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (n, step) = (p.len() as f64, step(p));
        let (mut more, mut fewer, mut before) = (0.0_f64, 0.0_f64, 0);
        for same in sorted.chunk_by(|a, b| (a - b).abs() < 1e-9) {
            // Just below this value, and at it.
            fewer = fewer.max(same[0] - step - before as f64 / n);
            before += same.len();
            more = more.max(before as f64 / n - same[0]);
        }
        Self { more, fewer, n }
    }

    /// The chance of a distance of this size from the law (Stephens 1970,
    /// doi:10.1111/j.2517-6161.1970.tb00821.x).
    fn p(self, law: Law) -> f64 {
        let scale = self.n.sqrt() + 0.12 + 0.11 / self.n.sqrt();
        match law {
            Law::Uniform => kolmogorov(scale * self.more.max(self.fewer)),
            Law::AtMost(_) => (-2.0 * (scale * self.more).powi(2)).exp(),
        }
    }
}

/// The largest step of which all of these are multiples, if it is that of at most 5000 surrogates; else 0.
fn step(p: &[f64]) -> f64 {
    let all = |m: &f64| p.iter().all(|p| (p * m - (p * m).round()).abs() < 1e-7);
    (2..=5000).map(f64::from).find(all).map_or(0.0, f64::recip)
}

/// The chance that a distance of Kolmogorov's, times the root of the number, is larger.
fn kolmogorov(x: f64) -> f64 {
    if x < 0.2 {
        return 1.0;
    }
    let term = |k: i32| f64::from(1 - 2 * ((k + 1) % 2)) * (-2.0 * f64::from(k * k) * x * x).exp();
    (2.0 * (1..=100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

fn up_to(p: &[f64], level: f64) -> u32 {
    p.iter().filter(|p| **p <= level + 1e-12).count() as u32
}

/// What is wrong with the p-values of the ordinary tests.
pub(super) fn judged(c: &Counted, repeats: u32) -> Vec<String> {
    let (n, Some(law)) = (c.p.len() as u32, c.law) else { return Vec::new() };
    let mut wrong = Vec::new();
    if 2 * n < repeats {
        wrong.push(format!("only {n} p-values"));
        return wrong;
    }
    let small = up_to(&c.p, 0.05);
    if fewer_than(0.15, n).is_none_or(|most| small > most) {
        wrong.push(format!("{small} of {n} p-values up to 0.05"));
    }
    let departure = Departure::of(&c.p);
    if departure.p(law) < DOUBT {
        wrong.push(format!("{n} p-values are not uniform: {departure:?}"));
    }
    wrong
}

/// How p-values are distributed.
pub(super) const P_VALUES: Page =
    Page { name: "p_values.md", head: HEAD, metrics: |case| case.nulls.iter().map(|n| n.metric).collect() };

/// Measures the p-values of the cases that `CASES` chooses, or of all, and puts their rows into the page; with
/// `REPEATS` at most so many repeats.
#[test]
#[ignore = "minutes"]
fn page() {
    P_VALUES.renew(|case| {
        let counted = count(case, SEEDS.min(most_repeats()));
        counted.iter().filter_map(|c| Some(row(case, c, c.law?))).collect()
    });
}

const HEAD: &str = "\
# How p-values are distributed where there is nothing to find

Every estimator that states a p-value was run with 400 seeds on data in which there is nothing to find. The page is
measured by `cargo test -p spikedeck-analysis --lib coverage::uniform::page -- --ignored`; the processes stand in
`src/analysis/coverage`. *D* is the distance of Kolmogorov and Smirnov from the uniform law (of p-values from
surrogates: from the uniform law over the multiples of 1/(surrogates + 1)), *p of D* its p-value. Where a remark says
why p-values may be larger than uniform, D is how much more of them are small than should be. Among so many rows some
have a p of D below 0.05 by chance: one in twenty.

| estimator | metric | process | D | p of D | p ≤ 0.05 | 95 % (Wilson) | p ≤ 0.01 | 95 % (Wilson) | tests | remark |
|---|---|---|---|---|---|---|---|---|---|---|
";

fn row(case: &Case, c: &Counted, law: Law) -> String {
    let (n, departure) = (c.p.len() as u32, Departure::of(&c.p));
    let (d, remark) = match law {
        Law::Uniform => (departure.more.max(departure.fewer), ""),
        Law::AtMost(why) => (departure.more, why),
    };
    let mut text = format!("| {} | {} | {} | ", c.kind, c.metric, case.process);
    if n == 0 {
        // Where it is always said that there is none, nothing is distributed.
        write!(text, "– | – | – | – | – | – | 0 | {remark} |").unwrap();
        return text;
    }
    write!(text, "{d:.3} | {:.3} | ", departure.p(law)).unwrap();
    write!(text, "{} | {} | {n} | {remark} |", share(up_to(&c.p, 0.05), n), share(up_to(&c.p, 0.01), n)).unwrap();
    text
}

/// Kinds that state no p-value.
const WITHOUT_P: &[&str] = &[
    "rates",
    "isi",
    "fano_curve",
    "levels",
    "raster",
    "population_rate",
    "band_power",
    "spectrogram",
    "scalogram",
    "autocorrelation_time",
    "value_distribution",
    "avalanches",
    "agreement",
    "growth",
    "ap_shape",
    "attenuation",
    "cable",
    "front",
    "space",
    "plane",
    "fi_curve",
    "first_passage",
    "lyapunov",
    "phase_plane",
    "weight_spectrum",
    "entropy",
    "embedding",
    "rosenstein",
    "kantz",
    "correlation_dimension",
    "zero_one_test",
    "bifurcation",
    "impedance",
    "phase_response",
];

/// Kinds that need a scenario: their own tests look at their p-values.
const ELSEWHERE: &[&str] = &["connectivity"];

/// Every kind has a case in which its p-values are those of nothing to find, or states none.
#[test]
fn every_kind_that_states_a_p_value_has_a_case() {
    let tested: BTreeSet<&str> = cases()
        .iter()
        .filter(|c| !c.nulls.is_empty())
        .map(|c| crate::find(&(c.run)(1).kind).unwrap().declaration().kind)
        .collect();
    let mut wrong = Vec::new();
    for kind in crate::ANALYSES.iter().map(|a| a.declaration().kind) {
        if tested.contains(kind) == (WITHOUT_P.contains(&kind) || ELSEWHERE.contains(&kind)) {
            wrong.push(kind);
        }
    }
    assert!(wrong.is_empty(), "in both lists or in none: {wrong:?}");
}

/// p-values of 99 surrogates that are uniform pass, larger ones where that is allowed; smaller ones do not.
#[test]
fn what_is_not_uniform_is_found() {
    let even: Vec<f64> = (0..400).map(|k| f64::from(k % 100 + 1) / 100.0).collect();
    let d = Departure::of(&even);
    assert!(d.more < 1e-12 && d.fewer < 1e-12 && step(&even) == 0.01 && d.p(Law::Uniform) == 1.0, "{d:?}");
    let third: Vec<f64> = (0..400).map(|k| (f64::from(k) + 0.5) / 400.0).collect();
    assert!((Departure::of(&third).more - 1.0 / 800.0).abs() < 1e-12);
    let squared: Vec<f64> = third.iter().map(|p| p * p).collect();
    let d = Departure::of(&squared);
    // √p − p is largest at a quarter.
    assert!((d.more - 0.25).abs() < 0.01 && step(&squared) == 0.0 && d.p(Law::Uniform) < 1e-9, "{d:?}");
    let large: Vec<f64> = third.iter().map(|p| p.sqrt()).collect();
    let d = Departure::of(&large);
    assert!(d.p(Law::Uniform) < 1e-9 && d.p(Law::AtMost("")) > 0.99, "{d:?}");
    // Coincidences of 17.5 % below 0.05, as was seen once.
    let skewed: Vec<f64> = third.iter().map(|p| if *p < 0.175 { p / 3.5 } else { *p }).collect();
    assert!(Departure::of(&skewed).p(Law::AtMost("")) < 1e-4);
}

/// Kolmogorov's distribution: 5 % beyond 1.3581, 1 % beyond 1.6276 (Smirnov's table of 1948).
#[test]
fn quantiles_of_kolmogorov() {
    for (x, p) in [(1.358_099, 0.05), (1.627_624, 0.01), (0.827_574, 0.5)] {
        assert!((kolmogorov(x) - p).abs() < 1e-5, "{x}: {}", kolmogorov(x));
    }
}
