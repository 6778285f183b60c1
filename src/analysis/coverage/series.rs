//! Single series: their entropies and exponents.

use super::processes::{ar1, normals};
use super::{Case, Looked, analyse, key};
use crate::dependence::fixtures::{traces, variable};
use spikedeck_scenario::OptionValue;

fn of(kind: &'static str, seed: u64, values: &[f64], options: super::Settings<'_>) -> crate::Outcome {
    analyse(kind, seed, &traces(&[values]), None, Looked::of(vec![variable(0)]), options)
}

/// The logistic map at 4 from another beginning.
fn logistic(seed: u64, n: usize) -> Vec<f64> {
    let mut x = 0.1 + 0.8 * key(seed, "logistic").stream(0, 0).uniform();
    (0..n + 100)
        .map(|_| {
            x = 4.0 * x * (1.0 - x);
            x
        })
        .skip(100)
        .collect()
}

/// Symbols 0, 1, 2 with shares of 0.6, 0.3 and 0.1; a symbol stays with a chance of `stays`.
fn symbols(seed: u64, stays: f64, n: usize) -> Vec<f64> {
    let mut s = key(seed, "symbols").stream(0, 0);
    let mut now = 0.0;
    (0..n)
        .map(|k| {
            let keep = s.uniform() < stays;
            let u = s.uniform();
            if k == 0 || !keep {
                now = f64::from(u8::from(u >= 0.6) + u8::from(u >= 0.9));
            }
            now
        })
        .collect()
}

pub fn cases() -> Vec<Case> {
    let bits = |p: &[f64]| -p.iter().map(|p| p * p.log2()).sum::<f64>();
    // Differences of AR(1) 0.5 in turn correlate by −(1 − a)/2 (Bandt and Shiha 2007).
    let rising = 0.25 + (-0.25_f64).asin() / std::f64::consts::TAU;
    let other = (1.0 - 2.0 * rising) / 4.0;
    let orders = bits(&[rising, rising, other, other, other, other]);
    let three = bits(&[0.6, 0.3, 0.1]);
    let without = |surrogates: &'static str| [("surrogate", OptionValue::Text(surrogates.into()))];
    let uniform = "so near the greatest entropy the estimate has no normal law";
    let entropies = move |process: &'static str, stays: f64| {
        let mut case = Case::new(process, move |s| of("entropy", s, &symbols(s, stays, 1000), &[])).times(400, 0);
        for name in
            ["entropy", "plugin", "miller_madow", "panzeri_treves", "chao_shen", "grassberger", "shrinkage", "nsb"]
        {
            case = case.holds(name, three);
        }
        // A sample a millisecond.
        case.holds("entropy_rate", 1000.0 * three)
    };
    vec![
        Case::new("AR(1) 0.5, 2000 samples", move |s| {
            of("permutation_entropy", s, &ar1(s, 0, 0.5, 2000), &without("none"))
        })
        .times(1000, 200)
        .holds("permutation_entropy", orders)
        .holds("relative", orders / 6_f64.log2()),
        Case::new("independent values, 500 samples", |s| of("permutation_entropy", s, &normals(s, 0, 500), &[]))
            .times(1000, 0)
            .without("permutation_entropy", uniform)
            .without("relative", uniform)
            .null("permutation_entropy"),
        Case::new("independent values, 1000 samples", |s| {
            of("sample_entropy", s, &normals(s, 0, 1000), &[("scales", OptionValue::Integer(1))])
        })
        .times(400, 0)
        .holds("sample_entropy", 2.185_131_747)
        .null("sample_entropy"),
        Case::new("AR(1) 0.8, 2000 samples", |s| {
            let options = [("scales", OptionValue::Integer(2)), ("surrogate", OptionValue::Text("none".into()))];
            of("sample_entropy", s, &ar1(s, 0, 0.8, 2000), &options)
        })
        .times(400, 0)
        .holds_its_average("sample_entropy")
        .holds_its_average("sample_entropy_2"),
        Case::new("a linear process, AR(1) 0.8, 500 samples, surrogates of its spectrum", |s| {
            let options = [("scales", OptionValue::Integer(1)), ("surrogate", OptionValue::Text("spectrum".into()))];
            of("sample_entropy", s, &ar1(s, 0, 0.8, 500), &options)
        })
        .times(400, 0)
        .holds_its_average("sample_entropy")
        .null("sample_entropy"),
        Case::new("independent values, 500 samples", |s| of("lempel_ziv", s, &normals(s, 0, 500), &[]))
            .times(1000, 0)
            .null("complexity"),
        Case::new("independent values, 4000 samples", |s| of("dfa", s, &normals(s, 0, 4000), &[]))
            .times(400, 0)
            .holds("alpha", 0.5)
            .null("alpha"),
        Case::new("1/f^0.6 noise, 4000 samples", move |s| {
            of("dfa", s, &crate::series::fixtures::power_law_noise(s, 4000, 0.8), &without("none"))
        })
        .times(400, 0)
        .holds("alpha", 0.8),
        Case::new("the logistic map at 4, 2000 values", |s| of("rosenstein", s, &logistic(s, 2000), &[]))
            .times(400, 0)
            .holds_its_average("lambda"),
        Case::new("the logistic map at 4, 2000 values", |s| of("kantz", s, &logistic(s, 2000), &[]))
            .times(400, 0)
            .holds_its_average("lambda"),
        entropies("independent symbols with shares of 0.6, 0.3 and 0.1, 1000 samples", 0.0),
        entropies("the same symbols, which stay half of the time, 1000 samples", 0.5),
    ]
}
