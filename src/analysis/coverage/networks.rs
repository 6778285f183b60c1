//! Memory, networks of signals, and what is told of stimuli.

use super::processes::{ar1, normals, ringing};
use super::{Case, Looked, Settings, analyse, key};
use crate::testing::{subject, traces};
use spikedeck_scenario::OptionValue;
use spikedeck_signal::{Outcome, Recording};

fn of_all(kind: &'static str, seed: u64, columns: &[Vec<f64>], options: Settings<'_>) -> Outcome {
    analyse(kind, seed, &traces(columns, 1.0), None, Looked::of(vec![subject("V_m", &[])]), options)
}

/// `m` normal signals that share a common one with weight 1 (a correlation of a half), or nothing.
fn common(seed: u64, m: u32, n: usize, shared: bool) -> Vec<Vec<f64>> {
    let of = normals(seed, 1000, n);
    let weight = f64::from(u8::from(shared));
    (0..m).map(|k| normals(seed, k, n).iter().zip(&of).map(|(e, c)| e + weight * c).collect()).collect()
}

/// Two coins and a rule.
fn gate(seed: u64, n: usize, rule: impl Fn(bool, bool, bool) -> bool) -> Recording {
    let mut s = key(seed, "gate").stream(0, 0);
    let mut columns = vec![Vec::new(); 3];
    for _ in 0..n {
        let [a, b, c] = [0, 1, 2].map(|_| s.uniform() < 0.5);
        for (column, v) in columns.iter_mut().zip([a, b, rule(a, b, c)]) {
            column.push(f64::from(u8::from(v)));
        }
    }
    traces(&columns, 1.0)
}

fn decomposed(seed: u64, r: &Recording) -> Outcome {
    let unit = |u: u32| subject("V_m", &[u]);
    let looked = Looked { of: Vec::new(), source: vec![unit(0), unit(1)], target: vec![unit(2)] };
    analyse("partial_information", seed, r, None, looked, &[("surrogates", OptionValue::Integer(99))])
}

pub fn cases() -> Vec<Case> {
    let log2 = |v: f64| v.ln() / std::f64::consts::LN_2;
    let zero = "at 0 the estimate has no normal law";
    let and = 0.811_278_124_459_132_8 - 0.5;
    // Entropies of n normals with correlations of a half, up to n times a constant.
    let h = move |n: f64| 0.5 * log2(0.5_f64.powf(n - 1.0) * (1.0 + (n - 1.0) * 0.5));
    vec![
        Case::new("AR(1) 0.8, 4000 samples, gaussian, history 1", |s| {
            let history = [("history", OptionValue::Integer(1)), ("surrogates", OptionValue::Integer(39))];
            of_all("active_information_storage", s, &[ar1(s, 0, 0.8, 4000)], &history)
        })
        .times(400, 0)
        .holds("active_information_storage", -0.5 * log2(1.0 - 0.64)),
        Case::new("white noise, 1000 samples, gaussian, history 1", |s| {
            let history = [("history", OptionValue::Integer(1)), ("surrogates", OptionValue::Integer(99))];
            of_all("active_information_storage", s, &[normals(s, 0, 1000)], &history)
        })
        .times(400, 0)
        .without("active_information_storage", zero)
        .null("active_information_storage"),
        Case::new("AR(1) exp(-1/20), 20000 samples", |s| {
            of_all("autocorrelation_time", s, &[ar1(s, 0, (-1.0_f64 / 20.0).exp(), 20_000)], &[])
        })
        .times(200, 0)
        .holds("tau", 20.0)
        .holds("integrated", 0.5 + 1.0 / ((1.0_f64 / 20.0).exp() - 1.0))
        .holds("amplitude", 1.0),
        Case::new("a common part of four normal signals, 4000 samples", |s| {
            of_all("o_information", s, &common(s, 4, 4000, true), &[("surrogates", OptionValue::Integer(39))])
        })
        .times(200, 0)
        .holds("o_information", 2.0 * h(4.0) - 4.0 * h(3.0))
        .holds("total_correlation", -h(4.0))
        .holds("dual_total_correlation", 4.0 * h(3.0) - 3.0 * h(4.0)),
        Case::new("four independent normal signals, 500 samples", |s| {
            of_all("o_information", s, &common(s, 4, 500, false), &[("surrogates", OptionValue::Integer(99))])
        })
        .times(200, 0)
        .without("o_information", zero)
        .without("total_correlation", zero)
        .without("dual_total_correlation", zero)
        .null("o_information")
        .null("total_correlation"),
        Case::new("AND of two coins, 3000 samples, broja", |s| decomposed(s, &gate(s, 3000, |a, b, _| a && b)))
            .times(200, 0)
            .holds("redundant", and)
            .holds("synergistic", 0.5)
            .without("unique_first", zero)
            .without("unique_second", zero),
        Case::new("three coins, 500 samples, broja", |s| decomposed(s, &gate(s, 500, |_, _, c| c)))
            .times(200, 0)
            .without("redundant", zero)
            .without("synergistic", zero)
            .without("unique_first", zero)
            .without("unique_second", zero)
            .null("joint_information"),
        Case::new("two normal signals that correlate by a half, AR(1) 0.7 each, 2000 samples", |s| {
            let (a, b, c) = (ar1(s, 0, 0.7, 2000), ar1(s, 1, 0.7, 2000), ar1(s, 2, 0.7, 2000));
            let sum = |x: &[f64]| x.iter().zip(&c).map(|(x, c)| x + c).collect::<Vec<f64>>();
            of_all("functional_connectivity", s, &[sum(&a), sum(&b)], &[])
        })
        .times(400, 0)
        .holds("correlation", 0.5),
        Case::new("independent AR(1) 0.9, 1000 samples", |s| {
            of_all("functional_connectivity", s, &[ar1(s, 0, 0.9, 1000), ar1(s, 1, 0.9, 1000)], &[])
        })
        .times(400, 0)
        .holds("correlation", 0.0)
        .null("correlation"),
        Case::new("two signals that ring at 9.6 and 9.8 Hz, each on its own, 500 Hz, 10 s", |s| {
            let of = |unit: u32, f: f64| ringing(s, unit, 0.997_4, f / 500.0, 5000);
            of_all("functional_connectivity", s, &[of(0, 9.6), of(1, 9.8)], &[])
        })
        .times(400, 0)
        .holds("correlation", 0.0)
        .null("correlation"),
        Case::new("a common part of eight normal signals, 2000 samples", |s| {
            let options = [("surrogates", OptionValue::Integer(19)), ("max_factors", OptionValue::Integer(0))];
            of_all("dimensionality", s, &common(s, 8, 2000, true), &options)
        })
        .times(200, 0)
        // λ = 4.5 and seven times 0.5.
        .holds("participation_ratio", 64.0 / (4.5 * 4.5 + 7.0 * 0.25)),
    ]
}
