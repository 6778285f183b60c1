//! Information.

use super::processes::{ar1, normals, units};
use super::{Case, Looked, analyse, key};
use crate::dependence::fixtures::{traces, variable};
use crate::testing::subject;
use spikedeck_scenario::OptionValue;

fn word(text: &str) -> OptionValue {
    OptionValue::Text(text.into())
}

fn of_states(kind: &'static str, seed: u64, x: &[f64], y: &[f64], options: super::Settings<'_>) -> crate::Outcome {
    let mut options = options.to_vec();
    options.push(("surrogates", OptionValue::Integer(99)));
    analyse(kind, seed, &traces(&[x, y]), None, Looked::pair(variable(0), variable(1)), &options)
}

/// y = r x + sqrt(1 - r^2) e.
fn correlated(seed: u64, r: f64, n: usize) -> (Vec<f64>, Vec<f64>) {
    let (x, e) = (normals(seed, 0, n), normals(seed, 1, n));
    let y = x.iter().zip(&e).map(|(x, e)| r * x + (1.0 - r * r).sqrt() * e).collect();
    (x, y)
}

/// y' = 0.5 y + 0.5 x + e.
fn driven(seed: u64, n: usize) -> (Vec<f64>, Vec<f64>) {
    let (x, e) = (normals(seed, 0, n), normals(seed, 1, n));
    let mut y = vec![e[0]];
    for k in 1..n {
        y.push(0.5 * y[k - 1] + 0.5 * x[k - 1] + e[k]);
    }
    (x, y)
}

/// A bit, and the same heard wrongly once in ten times.
fn channel(seed: u64, n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut s = key(seed, "channel").stream(0, 0);
    (0..n)
        .map(|_| {
            let x = s.uniform() < 0.5;
            let y = x != (s.uniform() < 0.1);
            (f64::from(u8::from(x)), f64::from(u8::from(y)))
        })
        .unzip()
}

fn spikes(kind: &'static str, seed: u64, rate: f64, stop: f64, options: super::Settings<'_>) -> crate::Outcome {
    let mut options = options.to_vec();
    options.push(("surrogates", OptionValue::Integer(99)));
    let looked = Looked::pair(subject("spikes", &[0]), subject("spikes", &[1]));
    analyse(kind, seed, &units(seed, 2, 1, rate, stop), None, looked, &options)
}

pub fn cases() -> Vec<Case> {
    let log2 = |v: f64| v.ln() / std::f64::consts::LN_2;
    let gaussian = |r: f64| -0.5 * log2(1.0 - r * r);
    // Var(y | own past) = 1 + 1/4, with the source 1.
    let transfer = 0.5 * log2(1.25);
    let h = |p: f64| -p * log2(p) - (1.0 - p) * log2(1.0 - p);
    let bias = "a bias is left, or the blocks are not independent";
    let zero = "at 0 the estimate has no normal law";
    vec![
        Case::new("Gaussians that correlate by 0.6, 2000 samples, gaussian", move |s| {
            let (x, y) = correlated(s, 0.6, 2000);
            of_states("mutual_information", s, &x, &y, &[("estimator", word("gaussian"))])
        })
        .times(400, 0)
        .holds("information", gaussian(0.6)),
        Case::new("Gaussians that correlate by 0.6, 1000 samples, ksg", move |s| {
            let (x, y) = correlated(s, 0.6, 1000);
            of_states("mutual_information", s, &x, &y, &[("estimator", word("ksg2"))])
        })
        .times(200, 0)
        .holds("information", gaussian(0.6)),
        Case::new("independent Gaussians, 1000 samples, gaussian", move |s| {
            let (x, y) = correlated(s, 0.0, 1000);
            of_states("mutual_information", s, &x, &y, &[("estimator", word("gaussian"))])
        })
        .times(400, 0)
        .without("information", zero)
        .null("information"),
        Case::new("independent Gaussians, 500 samples, ksg", move |s| {
            let (x, y) = correlated(s, 0.0, 500);
            of_states("mutual_information", s, &x, &y, &[("estimator", word("ksg2"))])
        })
        .times(200, 0)
        .holds("information", 0.0)
        .null("information"),
        Case::new("independent AR(1) 0.95, 500 samples, ksg", |s| {
            let (x, y) = (ar1(s, 0, 0.95, 500), ar1(s, 1, 0.95, 500));
            of_states("mutual_information", s, &x, &y, &[("estimator", word("ksg2"))])
        })
        .times(200, 0)
        .without("information", bias)
        .null("information"),
        Case::new("independent AR(1) 0.95, 2000 samples, gaussian", |s| {
            let (x, y) = (ar1(s, 0, 0.95, 2000), ar1(s, 1, 0.95, 2000));
            of_states("mutual_information", s, &x, &y, &[("estimator", word("gaussian"))])
        })
        .times(400, 0)
        .without("information", bias)
        .null("information"),
        Case::new("a bit heard wrongly once in ten times, 2000 samples, plugin", move |s| {
            let (x, y) = channel(s, 2000);
            of_states("mutual_information", s, &x, &y, &[])
        })
        .times(400, 0)
        .holds("information", 1.0 - h(0.1)),
        Case::new("counts of independent Poisson units, 20 Hz, bins of 10 ms, 20 s", |s| {
            spikes("mutual_information", s, 20.0, 20_000.0, &[])
        })
        .times(400, 0)
        .without("information", zero)
        .null("information"),
        Case::new("a bit heard wrongly once in ten times, 2000 samples", move |s| {
            let (x, y) = channel(s, 2000);
            let options = [("bins", OptionValue::Integer(2)), ("binning", word("equal_width"))];
            of_states("channel_capacity", s, &x, &y, &options)
        })
        .times(200, 0)
        .holds("capacity", 1.0 - h(0.1))
        .holds("information", 1.0 - h(0.1))
        .at_least("efficiency", 1.0, "no part is more than the whole")
        .holds("entropy_used", 1.0 - h(0.1)),
        Case::new("counts of independent Poisson units, 20 Hz, bins of 10 ms, 20 s", |s| {
            spikes("channel_capacity", s, 20.0, 20_000.0, &[])
        })
        .times(200, 0)
        .without("capacity", zero)
        .without("information", zero)
        .without("efficiency", "there is no channel")
        .without("entropy_used", "there is no channel")
        .null("capacity"),
        Case::new("x drives y by half, 2000 samples, gaussian", move |s| {
            let (x, y) = driven(s, 2000);
            of_states("transfer_entropy", s, &x, &y, &[("estimator", word("gaussian"))])
        })
        .times(400, 0)
        .holds("transfer_entropy", transfer),
        Case::new("x drives y by half, 1000 samples, ksg", move |s| {
            let (x, y) = driven(s, 1000);
            of_states("transfer_entropy", s, &x, &y, &[("estimator", word("ksg"))])
        })
        .times(200, 0)
        .holds("transfer_entropy", transfer),
        Case::new("y tells nothing of x, 1000 samples, gaussian", |s| {
            let (x, y) = driven(s, 1000);
            of_states("transfer_entropy", s, &y, &x, &[("estimator", word("gaussian"))])
        })
        .times(400, 0)
        .without("transfer_entropy", zero)
        .null("transfer_entropy"),
        Case::new("counts of independent Poisson units, 20 Hz, bins of 5 ms, histories of 3, 20 s", |s| {
            let options = [
                ("bin", OptionValue::Number(0.005)),
                ("source_history", OptionValue::Integer(3)),
                ("target_history", OptionValue::Integer(3)),
            ];
            spikes("transfer_entropy", s, 20.0, 20_000.0, &options)
        })
        .times(200, 0)
        .without("transfer_entropy", bias)
        .null("transfer_entropy"),
        Case::new("counts of independent Poisson units, 20 Hz, bins of 10 ms, 20 s", |s| {
            spikes("transfer_entropy", s, 20.0, 20_000.0, &[])
        })
        .times(400, 0)
        .without("transfer_entropy", zero)
        .null("transfer_entropy"),
    ]
}
