//! Levels, distributions, growth, agreement, signals over noise.

use super::processes::{ar1, normals, renewal, units};
use super::{Case, Looked, analyse, key};
use crate::testing::{recording, subject, traces};
use spikedeck_core::normal::normal;
use spikedeck_scenario::OptionValue;
use std::f64::consts::TAU;

fn of_states(kind: &'static str, seed: u64, columns: &[Vec<f64>], options: super::Settings<'_>) -> crate::Outcome {
    analyse(kind, seed, &traces(columns, 1.0), None, Looked::of(vec![subject("V_m", &[])]), options)
}

/// A wave whose periods are 100 samples and scatter by a tenth.
fn wave(seed: u64, unit: u32, n: usize) -> Vec<f64> {
    let key = key(seed, "wave");
    let (mut all, mut cycle) = (Vec::with_capacity(n), 0);
    let mut phase = key.stream(unit, 0).uniform();
    while all.len() < n {
        all.push((TAU * phase).sin());
        phase += 0.01 / (1.0 + 0.1 * normal(key, unit, cycle));
        if phase >= 1.0 {
            (phase, cycle) = (phase - 1.0, cycle + 1);
        }
    }
    all
}

/// A Poisson unit of 40 Hz, modulated by half at 10 Hz.
fn modulated(seed: u64, unit: u32, stop: f64) -> Vec<f64> {
    let mut thin = key(seed, "modulated").stream(unit, 0);
    let rate = |t: f64| 40.0 * (1.0 + 0.5 * (TAU * 0.01 * t).cos());
    renewal(seed, unit, 1, 60.0, stop).into_iter().filter(|t| 60.0 * thin.uniform() < rate(*t)).collect()
}

fn noise_ratio(seed: u64, r: &spikedeck_signal::Recording) -> crate::Outcome {
    let drive = [("frequency", OptionValue::Number(10.0))];
    analyse("signal_to_noise", seed, r, None, Looked::of(vec![subject("spikes", &[])]), &drive)
}

pub fn cases() -> Vec<Case> {
    let range = || [("low", OptionValue::Number(-3.0)), ("high", OptionValue::Number(3.0))];
    // What normal numbers leave below -2.4: the lowest tenth of -3 to 3.
    let tail = 0.008_197_535_924_596_131;
    vec![
        Case::new("AR(1) 0.9, 5000 samples", |s| of_states("levels", s, &[ar1(s, 0, 0.9, 5000)], &[]))
            .times(1000, 0)
            .holds("mean", 0.0)
            .without("period", "cycles differ by more than half of their mean"),
        Case::new("AR(1) 0.99, 5000 samples", |s| of_states("levels", s, &[ar1(s, 0, 0.99, 5000)], &[]))
            .times(1000, 0)
            .holds("mean", 0.0)
            .without("period", "cycles differ by more than half of their mean"),
        Case::new("AR(1) 0.999, 5000 samples", |s| of_states("levels", s, &[ar1(s, 0, 0.999, 5000)], &[]))
            .times(1000, 0)
            .without("mean", "fewer than 20 independent stretches")
            .without("period", "cycles differ by more than half of their mean"),
        Case::new("ten units AR(1) 0.9 that share half of their variance, 2000 samples", |s| {
            let common = ar1(s, 77, 0.9, 2000);
            let one = |u: u32| ar1(s, u, 0.9, 2000).iter().zip(&common).map(|(v, c)| v + c).collect();
            of_states("levels", s, &(0..10).map(one).collect::<Vec<_>>(), &[])
        })
        .times(1000, 0)
        .holds("mean", 0.0)
        .without("period", "cycles differ by more than half of their mean"),
        Case::new("periods of 100 samples that scatter by a tenth, 3000 samples", |s| {
            of_states("levels", s, &[wave(s, 0, 3000)], &[])
        })
        .holds("period", 100.0)
        .at_least("mean", 0.0, "blocks cut cycles, which even out over the window"),
        Case::new("50 normal numbers", move |s| {
            let columns: Vec<Vec<f64>> = normals(s, 0, 50).into_iter().map(|v| vec![v, v]).collect();
            of_states("value_distribution", s, &columns, &range())
        })
        .holds("mean", 0.0)
        .at_least("low_share", tail, "exact for counts, which are whole numbers")
        .at_least("high_share", tail, "exact for counts, which are whole numbers"),
        Case::new("a state that decays at 2 a second, with noise of a tenth, AR(1) 0.9, 1000 samples", |s| {
            let noise = ar1(s, 0, 0.9, 1000);
            let one = (0..1000).map(|k| (-2e-3 * k as f64 + 0.1 * noise[k]).exp()).collect();
            of_states("growth", s, &[one], &[])
        })
        .holds("rate", -2.0),
        Case::new("a state that decays at 2 a second, with noise of a tenth, independent, 500 samples", |s| {
            let noise = normals(s, 0, 500);
            let one = (0..500).map(|k| (-2e-3 * k as f64 + 0.1 * noise[k]).exp()).collect();
            of_states("growth", s, &[one], &[])
        })
        .times(1000, 0)
        .holds("rate", -2.0),
        Case::new("a walk that grows at 2 a second, steps of 0.02, 1000 samples", |s| {
            let mut sum = 0.0;
            let one = normals(s, 0, 1000)
                .iter()
                .map(|e| {
                    sum += 2e-3 + 0.02 * e;
                    f64::exp(sum)
                })
                .collect();
            of_states("growth", s, &[one], &[])
        })
        .holds("rate", 2.0),
        Case::new("two signals AR(1) 0.9, independent, 5000 samples in bins of 25", |s| {
            let columns = [ar1(s, 0, 0.9, 5000), ar1(s, 1, 0.9, 5000)];
            let of = Looked::of(vec![subject("V_m", &[0]), subject("V_m", &[1])]);
            analyse("agreement", s, &traces(&columns, 1.0), None, of, &[])
        })
        .holds_its_average("rms_difference")
        .holds_its_average("relative_difference"),
        Case::new("one Poisson unit, 20 Hz, segments of 1 s, 40 s", |s| {
            noise_ratio(s, &units(s, 1, 1, 20.0, 40_000.0))
        })
        .holds("snr", 1.0)
        .null("snr"),
        Case::new("five Poisson units, 20 Hz, segments of 1 s, 40 s", |s| {
            noise_ratio(s, &units(s, 5, 1, 20.0, 40_000.0))
        })
        .holds("snr", 1.0)
        .null("snr"),
        Case::new("a Poisson unit of 40 Hz driven by half at 10 Hz, segments of 1 s, 40 s", |s| {
            noise_ratio(s, &recording(&[modulated(s, 0, 40_000.0)], 40_000.0))
        })
        // The line: (r m/2)^2 T over the rate.
        .holds("snr", 1.0 + 40.0 * 0.25 / 4.0),
        Case::new("five Poisson units of 40 Hz driven by half at 10 Hz, segments of 1 s, 20 s", |s| {
            let trains: Vec<Vec<f64>> = (0..5).map(|u| modulated(s, u, 20_000.0)).collect();
            noise_ratio(s, &recording(&trains, 20_000.0))
        })
        .holds("snr", 1.0 + 40.0 * 0.25 / 4.0),
        Case::new("white noise, segments of 1 s, 40 s", |s| {
            let drive = [("frequency", OptionValue::Number(10.0))];
            of_states("signal_to_noise", s, &[normals(s, 0, 40_000)], &drive)
        })
        .times(400, 100)
        .holds("snr", 1.0)
        .null("snr"),
    ]
}
