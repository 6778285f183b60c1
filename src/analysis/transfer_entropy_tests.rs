use std::f64::consts::LN_2;

use super::*;
use crate::dependence::fixtures::{run, spikes, traces, trains, value, variable};
use crate::reference_sets::{MinStd, copy_process, coupled_pair};
use spikedeck_scenario::OptionValue;

fn word(text: &str) -> OptionValue {
    OptionValue::Text(text.into())
}

fn near(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{got} is not {want}");
}

/// Both directions of the AR pair of ground truth C12, by each estimator (nats there, bits here).
#[test]
fn the_portable_pair_in_both_directions() {
    let (x, y) = coupled_pair(12_345, 1000);
    let recording = traces(&[&x, &y]);
    let both = |options: &[(&'static str, OptionValue)]| {
        let out =
            run(&TransferEntropy, &recording, vec![variable(0), variable(1)], vec![variable(0), variable(1)], options)
                .unwrap();
        (
            value(&out, "p.v[0]->p.v[1]", "transfer_entropy") * LN_2,
            value(&out, "p.v[1]->p.v[0]", "transfer_entropy") * LN_2,
            out,
        )
    };
    let (forward, backward, out) = both(&[("estimator", word("gaussian"))]);
    near(forward, 0.148_933_593, 1e-9);
    near(backward, 0.000_148_730, 1e-9);
    let forward_metric = &out.metrics[0];
    assert_eq!((forward_metric.p_value, forward_metric.n), (Some(0.005), Some(999)));
    assert!(forward_metric.chance.unwrap() < 0.01 && forward_metric.ci_low.unwrap() > 0.1);
    let Shape::Matrix(matrix) = &out.shapes[0].shape else { panic!("{:?}", out.shapes) };
    assert_eq!(matrix.significant, Some(vec![false, true, false, false]));
    assert!(matrix.values[0].is_nan() && matrix.values[1] > 0.2);

    let (forward, _, _) = both(&[
        ("estimator", word("gaussian")),
        ("target_history", OptionValue::Integer(2)),
        ("source_history", OptionValue::Integer(2)),
    ]);
    near(forward, 0.149_840_206, 1e-9);
    let (forward, backward, _) = both(&[
        ("estimator", word("ksg")),
        ("theiler", OptionValue::Number(0.0)),
        ("surrogates", OptionValue::Integer(9)),
        ("blocks", OptionValue::Integer(0)),
    ]);
    // C12 standardises the two signals as wholes (0.120250919 and 0.002661530); JIDT, and so this, each of the three
    // columns of past and present samples by itself. Counted again in NumPy, with all pairs of samples.
    near(forward, 0.120_331_488_466_148_6, 1e-12);
    near(backward, 0.002_556_463_046_254_7, 1e-12);
    let (forward, backward, _) = both(&[
        ("estimator", word("ksg")),
        ("theiler", OptionValue::Number(0.0)),
        ("standardise", OptionValue::Flag(false)),
        ("surrogate", word("none")),
        ("blocks", OptionValue::Integer(0)),
    ]);
    near(forward, 0.128_625_624, 1e-9);
    near(backward, 0.015_930_592, 1e-9);
}

/// Copy process of C12: plug-in .532306999801 bits before correction, in spike counts and in values alike.
#[test]
fn the_copy_process() {
    let (x, y) = copy_process(777, 10_000, 0.1);
    let as_train =
        |bits: &[u32]| bits.iter().enumerate().filter(|b| *b.1 == 1).map(|b| b.0 as f64 + 0.5).collect::<Vec<f64>>();
    let recording = trains(&[as_train(&x), as_train(&y)], 10_000.0);
    let out = run(&TransferEntropy, &recording, vec![spikes()], vec![spikes()], &[("bin", OptionValue::Number(0.001))])
        .unwrap();
    near(value(&out, "p.spikes[0]->p.spikes[1]", "transfer_entropy_raw"), 0.532_306_999_801, 1e-11);
    near(value(&out, "p.spikes[1]->p.spikes[0]", "transfer_entropy_raw"), 0.000_042_443_5, 1e-9);
    // Theory 1 - H(.1) within the jackknife's interval; nothing flows back.
    let forward = &out.metrics[0];
    assert!(forward.ci_low.unwrap() < 0.531_004 && 0.531_004 < forward.ci_high.unwrap());
    assert!(value(&out, "p.spikes[0]->p.spikes[1]", "p_adjusted") <= 0.01);
    assert!(value(&out, "p.spikes[1]->p.spikes[0]", "p_adjusted") > 0.05);
}

/// Linear pair x_t = .5 x + .4 y_{t-1} + e, y white: .107062 bits exactly (prior systems 6.19).
#[test]
fn a_linear_pair_converges_to_theory() {
    let mut g = MinStd::new(4321);
    let n = 200_000;
    let y: Vec<f64> = (0..n).map(|_| g.normal()).collect();
    let mut x = vec![0.0; n];
    for t in 1..n {
        x[t] = 0.5 * x[t - 1] + 0.4 * y[t - 1] + g.normal();
    }
    let options = [("estimator", word("gaussian")), ("surrogate", word("none"))];
    let out = run(&TransferEntropy, &traces(&[&y, &x]), vec![variable(0)], vec![variable(1)], &options).unwrap();
    near(value(&out, "p.v[0]->p.v[1]", "transfer_entropy"), 0.107_062, 0.004);
}

/// A persistent binary source (stay .9), copied with flips of .1: transfer entropy .33263 bits, the sum over ten lags
/// .56993 (prior systems 6.19). They are different numbers, and each has its own name.
#[test]
fn the_sum_over_lags_is_not_transfer_entropy() {
    let mut g = MinStd::new(2024);
    let n = 1_000_000;
    let mut y = vec![0.0; n];
    let mut x = vec![0.0; n];
    for t in 1..n {
        y[t] = if g.uniform() < 0.9 { y[t - 1] } else { 1.0 - y[t - 1] };
        x[t] = if g.uniform() < 0.1 { 1.0 - y[t - 1] } else { y[t - 1] };
    }
    let options = [
        ("estimator", word("plugin")),
        ("bins", OptionValue::Integer(2)),
        ("binning", word("equal_width")),
        ("surrogate", word("none")),
        ("blocks", OptionValue::Integer(0)),
        ("lagged_information_sum", OptionValue::Integer(10)),
    ];
    let out = run(&TransferEntropy, &traces(&[&y, &x]), vec![variable(0)], vec![variable(1)], &options).unwrap();
    near(value(&out, "p.v[0]->p.v[1]", "transfer_entropy"), 0.332_63, 0.002);
    near(value(&out, "p.v[0]->p.v[1]", "lagged_information_sum"), 0.569_93, 0.006);
    let series = out.shapes.iter().find(|s| s.name == "lagged information").unwrap();
    let Shape::Series(series) = &series.shape else { panic!() };
    near(series.curves[0].y[1], 0.121_55, 0.002);
}

#[test]
fn delays_find_their_lag_and_what_does_not_fit_is_refused() {
    let mut g = MinStd::new(8);
    let x: Vec<f64> = (0..3000).map(|_| g.normal()).collect();
    let y: Vec<f64> = (0..3000).map(|t| if t < 3 { 0.0 } else { x[t - 3] } + g.normal()).collect();
    let recording = traces(&[&x, &y]);
    let at = |delay: f64| {
        let options =
            [("estimator", word("gaussian")), ("surrogate", word("none")), ("delay", OptionValue::Number(delay))];
        run(&TransferEntropy, &recording, vec![variable(0)], vec![variable(1)], &options)
    };
    let te = |delay| value(&at(delay).unwrap(), "p.v[0]->p.v[1]", "transfer_entropy");
    assert!(te(0.003) > 0.4 && te(0.002) < 0.01 && te(0.004) < 0.01);
    assert!(at(0.0015).unwrap_err().to_string().contains("no multiple"));
    assert!(at(0.0).unwrap_err().to_string().contains("at least"));
}

#[test]
fn too_few_surrogates_for_many_pairs_are_told() {
    let mut g = MinStd::new(5);
    let columns: Vec<Vec<f64>> = (0..4).map(|_| (0..400).map(|_| g.normal()).collect()).collect();
    let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let all: Vec<_> = (0..4).map(variable).collect();
    let options = [("surrogates", OptionValue::Integer(19))];
    let out = run(&TransferEntropy, &traces(&slices), all.clone(), all, &options).unwrap();
    assert!(out.warnings.iter().any(|w| w.contains("at least 240 surrogates")), "{:?}", out.warnings);
}

#[test]
fn too_few_spikes_are_no_value() {
    let recording = trains(&[vec![5.0, 20.0], (0..90).map(|i| f64::from(i) * 11.0 + 1.0).collect()], 1000.0);
    let out = run(&TransferEntropy, &recording, vec![spikes()], vec![spikes()], &[]).unwrap();
    assert!(out.metrics.iter().all(|m| m.value.is_none() && m.note.contains("2 spikes")), "{:?}", out.metrics);
}

/// Values with ties: a copy one sample later tells the entropy, independent values tell nothing within the interval, by
/// default and by nearest neighbours.
#[test]
fn ties_tell_what_they_tell() {
    let mut g = MinStd::new(21);
    let n = 2000;
    let mut draw = |levels: f64| (0..n).map(|_| (g.uniform() * levels).floor()).collect::<Vec<f64>>();
    let (x, z) = (draw(3.0), draw(3.0));
    let later: Vec<f64> = std::iter::once(0.0).chain(x[..n - 1].iter().copied()).collect();
    let (p, q): (Vec<f64>, Vec<f64>) = (0..n).map(|_| ((g.normal() * 2.0).round(), (g.normal() * 2.0).round())).unzip();
    for estimator in ["auto", "ksg"] {
        let options = [("estimator", word(estimator)), ("surrogates", OptionValue::Integer(39))];
        let te = |columns: &[&[f64]]| {
            run(&TransferEntropy, &traces(columns), vec![variable(0)], vec![variable(1)], &options).unwrap()
        };
        let copied = value(&te(&[&x, &later]), "p.v[0]->p.v[1]", "transfer_entropy");
        // Neighbours in three dimensions lose at the edges of cells with a few hundred samples.
        near(copied, 3_f64.log2(), if estimator == "auto" { 0.03 } else { 0.25 });
        for pair in [[&x, &z], [&p, &q]] {
            let out = te(&[pair[0], pair[1]]);
            let m = &out.metrics[0];
            assert!(m.value.unwrap().abs() < 0.06, "{estimator}: {m:?}");
            assert!(m.ends().is_none_or(|(low, high)| low <= 0.0 && 0.0 <= high), "{estimator}: {m:?}");
            assert!(m.p_value.unwrap() > 0.02, "{estimator}: {m:?}");
        }
    }
    // A rare event, one sample later.
    let mut rare = MinStd::new(3);
    let x: Vec<f64> = (0..n).map(|_| if rare.uniform() < 0.1 { 1.0 } else { 0.0 }).collect();
    let later: Vec<f64> = std::iter::once(0.0).chain(x[..n - 1].iter().copied()).collect();
    let out = run(
        &TransferEntropy,
        &traces(&[&x, &later]),
        vec![variable(0)],
        vec![variable(1)],
        &[("estimator", word("plugin"))],
    )
    .unwrap();
    near(value(&out, "p.v[0]->p.v[1]", "transfer_entropy"), 0.469, 0.05);
}

/// y hears x after four samples: the greatest stands there, beyond chance's greatest; of independent signals the
/// greatest of ten delays is not small more often than p says.
#[test]
fn the_delay_is_found_and_chance_is_that_of_the_greatest() {
    let noise = |seed: u64| crate::series::fixtures::noise(seed, 1200);
    let (x, e) = (noise(1), noise(2));
    let mut y = e.clone();
    for k in 4..1200 {
        y[k] += 0.5 * y[k - 1] + 0.4 * x[k - 4];
    }
    let options = |surrogates: i64| {
        [
            ("scan", OptionValue::Number(0.01)),
            ("surrogates", OptionValue::Integer(surrogates)),
            ("estimator", word("gaussian")),
        ]
    };
    let scanned = |x: &[f64], y: &[f64], surrogates: i64| {
        run(&TransferEntropy, &traces(&[x, y]), vec![variable(0)], vec![variable(1)], &options(surrogates)).unwrap()
    };
    let o = scanned(&x, &y, 199);
    let of = |o: &crate::Outcome, name: &str| o.metrics.iter().find(|m| m.metric == name).unwrap().clone();
    let (top, delay) = (of(&o, "scan_max"), of(&o, "scan_delay"));
    assert!(delay.value == Some(4.0) && top.p_value == Some(0.005) && top.n == Some(1190), "{top:?} {delay:?}");
    // ½ log₂(1 + 0.16) bits.
    near(top.value.unwrap(), 0.5 * 1.16_f64.log2(), 0.03);
    let p: Vec<f64> = (0..60)
        .map(|k| of(&scanned(&noise(100 + 2 * k), &noise(101 + 2 * k), 19), "scan_max").p_value.unwrap())
        .collect();
    let below = |level: f64| p.iter().filter(|p| **p <= level).count();
    // Binomial of 60: 0.1 gives more than 13 with a chance of 0.003, 0.5 gives fewer than 18 with one of 0.001.
    assert!(below(0.1) <= 13 && (18..=42).contains(&below(0.5)), "{p:?}");
    let wrong = run(
        &TransferEntropy,
        &traces(&[&x, &y]),
        vec![variable(0)],
        vec![variable(1)],
        &[("scan", OptionValue::Number(0.001))],
    );
    assert!(wrong.unwrap_err().to_string().contains("largest delay"));
}
