//! Trials, events and graphs in which there is nothing to find: p-values alone.

use super::processes::{ar1, on_grid, renewal, units};
use super::{Case, Looked, Settings, analyse, key};
use crate::Outcome;
use crate::testing::{recording, subject, traces};
use spikedeck_core::normal::normal;
use spikedeck_scenario::{Band, OptionValue};
use spikedeck_signal::{Recording, Trial};
use std::f64::consts::TAU;
use std::sync::Arc;

pub(super) fn few() -> (&'static str, OptionValue) {
    ("surrogates", OptionValue::Integer(99))
}

/// Trials one after the other, of so many conditions in turn.
pub(super) fn trials(count: u32, conditions: u32, one: impl Fn(u32) -> Recording) -> Recording {
    let made = |k: u32| {
        let condition = if conditions > 1 { format!("c={}", k % conditions) } else { String::new() };
        Recording { trial: Some(Trial { number: u64::from(k), condition }), ..one(k) }
    };
    let first = made(0);
    Recording { trials: (1..count).map(|k| Arc::new(made(k))).collect(), ..first }
}

/// Units of a renewal process in each of so many trials of so many ms.
pub(super) fn renewals(s: u64, shape: u32, count: u32, rate: f64, (n, conditions): (u32, u32), stop: f64) -> Recording {
    trials(n, conditions, |k| units(s * 1000 + u64::from(k), count, shape, rate, stop))
}

pub(super) fn of_spikes(kind: &'static str, s: u64, r: &Recording, options: Settings<'_>) -> Outcome {
    analyse(kind, s, r, None, Looked::of(vec![subject("spikes", &[])]), options)
}

/// Spikes of unit 0 beside a signal.
pub(super) fn beside(kind: &'static str, s: u64, train: Vec<f64>, signal: Vec<f64>, options: Settings<'_>) -> Outcome {
    let stop = signal.len() as f64;
    let mut r = recording(&[train], stop);
    r.traces = traces(&[signal], 1.0).traces;
    analyse(kind, s, &r, None, Looked::pair(subject("spikes", &[0]), subject("V_m", &[0])), options)
}

pub(super) fn ms(key: &'static str, value: f64) -> (&'static str, OptionValue) {
    (key, OptionValue::Number(value * 1e-3))
}

/// A rhythm of 8 Hz whose phase wanders, a place from 0 to 100 again every 4 s, and a unit that is locked to the rhythm
/// in a field about 50; its phase is 0.5 there and turns by `slope` cycles in one unit. 40 s.
pub(super) fn run_through_a_field(s: u64, slope: f64) -> (Recording, Looked) {
    let key = key(s, "precession");
    let mut draw = key.stream(1, 0);
    let (mut phase, mut rhythm, mut place, mut train) = (0.0_f64, Vec::new(), Vec::new(), Vec::new());
    for k in 0..40_000_u64 {
        phase += TAU * 0.008 + 0.02 * normal(key, 0, k);
        let x = (k % 4000) as f64 / 40.0;
        rhythm.push(phase.cos());
        place.push(x);
        let off = phase - 0.5 - TAU * slope * (x - 50.0);
        let rate = 0.06 * (-((x - 50.0) / 15.0).powi(2) / 2.0).exp() * (2.0 * (off.cos() - 1.0)).exp();
        if draw.uniform() < rate {
            train.push(k as f64);
        }
    }
    let mut r = recording(&[train], 40_000.0);
    r.traces = traces(&[rhythm, place], 1.0).traces;
    let source = vec![subject("V_m", &[0]), subject("V_m", &[1])];
    (r, Looked { of: Vec::new(), source, target: vec![subject("spikes", &[])] })
}

/// What [`run_through_a_field`] is looked at with.
pub(super) fn precession(s: u64, slope: f64, replicates: i64) -> Outcome {
    let (r, looked) = run_through_a_field(s, slope);
    let theta = OptionValue::Bands(vec![Band { name: "theta".into(), low: 5.0, high: 11.0 }]);
    let options = [("band", theta), few(), ("replicates", OptionValue::Integer(replicates))];
    analyse("phase_precession", s, &r, None, looked, &options)
}

/// Trials of 2.5 s with a rhythm of 10 Hz that begins anywhere. In half of its cycles there is a spike, at a quarter of
/// the cycle that `quarter` says of the condition and of a draw.
pub(super) fn phases(s: u64, (count, conditions): (u32, u32), quarter: impl Fn(u32, f64) -> u32) -> Outcome {
    let one = |k: u32| {
        let mut draw = key(s, "phases").stream(k, 0);
        let first = draw.uniform();
        let rhythm = (0..2500).map(|t| (TAU * (f64::from(t) / 100.0 + first)).cos()).collect();
        let mut train = Vec::new();
        for cycle in 0..25 {
            let (fires, other) = (draw.uniform() < 0.5, draw.uniform());
            let turn = (f64::from(quarter(k % conditions, other)) + 0.5) / 4.0;
            if fires {
                train.push(100.0 * (f64::from(cycle) + (turn - first).rem_euclid(1.0)));
            }
        }
        let mut r = recording(&[train], 2500.0);
        r.traces = traces(&[rhythm], 1.0).traces;
        r
    };
    let alpha = OptionValue::Bands(vec![Band { name: "alpha".into(), low: 7.0, high: 14.0 }]);
    let options = [
        ("band", alpha),
        ("filter", OptionValue::Text("butterworth".into())),
        ms("bin", 100.0),
        ms("start", 500.0),
        ms("stop", 2000.0),
        few(),
    ];
    let looked = Looked::pair(subject("V_m", &[]), subject("spikes", &[]));
    analyse("phase_of_firing", s, &trials(count, conditions, one), None, looked, &options)
}

pub fn cases() -> Vec<Case> {
    let mut all = of_trials();
    all.extend(of_events());
    all
}

fn of_trials() -> Vec<Case> {
    let response =
        || [ms("onset", 100.0), ms("response", 100.0), ms("bin", 10.0), ("replicates", OptionValue::Integer(199))];
    let counts = "counts are whole numbers: many orders give the same";
    vec![
        Case::of_p("20 trials of three Poisson units, 20 Hz, 200 ms", 100, move |s| {
            of_spikes("psth", s, &renewals(s, 1, 3, 20.0, (20, 1), 200.0), &response())
        })
        .null_at_most("peak", counts)
        .null_at_most("change", counts),
        Case::of_p("20 trials of three gamma(4) units, 40 Hz, 200 ms", 0, move |s| {
            of_spikes("psth", s, &renewals(s, 4, 3, 40.0, (20, 1), 200.0), &response())
        })
        .null_at_most("peak", counts)
        .null_at_most("change", counts),
        Case::of_p("20 trials of two Poisson units on a grid, 100 Hz, 200 ms", 0, |s| {
            let r = trials(20, 1, |k| on_grid(units(s * 1000 + u64::from(k), 2, 1, 100.0, 200.0)));
            of_spikes("joint_psth", s, &r, &[few()])
        })
        .null("coincidence"),
        Case::of_p("20 trials of two Poisson units, 40 Hz, 300 ms", 100, |s| {
            of_spikes("unitary_events", s, &renewals(s, 1, 2, 40.0, (20, 1), 300.0), &[few()])
        })
        .null("surprise_max")
        .null("excess"),
        Case::of_p("20 trials of two gamma(4) units, 40 Hz, 300 ms, two conditions", 0, |s| {
            of_spikes("unitary_events", s, &renewals(s, 4, 2, 40.0, (20, 2), 300.0), &[few()])
        })
        .null("surprise_max")
        .null("excess"),
        Case::of_p("30 trials of four Poisson units, 20 Hz, 500 ms, five conditions", 100, |s| {
            of_spikes("noise_correlation", s, &renewals(s, 1, 4, 20.0, (30, 5), 500.0), &[few()])
        })
        .null("noise_correlation")
        .null("signal_correlation"),
        Case::of_p("30 trials of a Poisson unit, 20 Hz, 100 ms, three conditions", 0, |s| {
            of_spikes("stimulus_information", s, &renewals(s, 1, 1, 20.0, (30, 3), 100.0), &[few()])
        })
        .null_at_most("information", counts),
        Case::of_p("30 trials of a gamma(4) unit, 40 Hz, 200 ms, by time", 0, |s| {
            of_spikes("stimulus_information", s, &renewals(s, 4, 1, 40.0, (30, 1), 200.0), &[few()])
        })
        .null_at_most("information", counts),
        Case::of_p("24 trials of three conditions, spikes in half of the cycles at any phase", 100, |s| {
            phases(s, (24, 3), |_, draw| (4.0 * draw) as u32)
        })
        .null("gain"),
        Case::of_p("24 trials, spikes in half of the cycles at any phase, by time", 0, |s| {
            phases(s, (24, 1), |_, draw| (4.0 * draw) as u32)
        })
        .null("gain"),
    ]
}

fn of_events() -> Vec<Case> {
    let around = || [few(), ms("before", 50.0), ms("after", 100.0)];
    let changes = "changes around events that lie close to each other even out";
    let averages = |case: Case| case.null_at_most("change", changes).null("peak");
    let triggered = |case: Case| case.null("peak").null("covariance_max").null("covariance_min");
    let short = || [few(), ms("length", 20.0), ("every", OptionValue::Integer(2))];
    vec![
        averages(Case::of_p("40 Poisson events in AR(1) 0.9, 10 s", 100, move |s| {
            beside("event_average", s, renewal(s, 0, 1, 4.0, 10_000.0), ar1(s, 1, 0.9, 10_000), &around())
        })),
        averages(Case::of_p("gamma(8) events of 4 Hz in AR(1) 0.9, 10 s", 0, move |s| {
            beside("event_average", s, renewal(s, 0, 8, 4.0, 10_000.0), ar1(s, 1, 0.9, 10_000), &around())
        })),
        averages(Case::of_p("40 Poisson events in a random walk, 10 s", 0, move |s| {
            beside("event_average", s, renewal(s, 0, 1, 4.0, 10_000.0), ar1(s, 1, 0.9999, 10_000), &around())
        })),
        triggered(Case::of_p("a Poisson unit of 20 Hz in AR(1) 0.9, 4 s", 0, move |s| {
            beside("spike_triggered", s, renewal(s, 0, 1, 20.0, 4000.0), ar1(s, 1, 0.9, 4000), &short())
        })),
        triggered(Case::of_p("a gamma(4) unit of 20 Hz in AR(1) 0.9, 4 s", 0, move |s| {
            beside("spike_triggered", s, renewal(s, 0, 4, 20.0, 4000.0), ar1(s, 1, 0.9, 4000), &short())
        })),
        Case::of_p("a unit that is locked to a rhythm in a field, 40 s", 100, |s| precession(s, 0.0, 99))
            .null("slope")
            .null("resultant")
            .null("correlation"),
        Case::of_p("three coins, 300 samples, as a target of two", 0, |s| {
            let mut coin = key(s, "coins").stream(0, 0);
            let columns: Vec<Vec<f64>> =
                (0..3).map(|_| (0..300).map(|_| f64::from(u8::from(coin.uniform() < 0.5))).collect()).collect();
            let unit = |u: u32| subject("V_m", &[u]);
            let looked = Looked { of: Vec::new(), source: vec![unit(0), unit(1)], target: vec![unit(2)] };
            analyse("partial_information", s, &traces(&columns, 1.0), None, looked, &[few()])
        })
        .null("joint_information"),
        Case::of_p("three signals AR(1) 0.9, 2000 samples, as a target of two", 0, |s| {
            let columns: Vec<Vec<f64>> = (0..3).map(|u| ar1(s, u, 0.9, 2000)).collect();
            let unit = |u: u32| subject("V_m", &[u]);
            let looked = Looked { of: Vec::new(), source: vec![unit(0), unit(1)], target: vec![unit(2)] };
            analyse("partial_information", s, &traces(&columns, 1.0), None, looked, &[few()])
        })
        .null("joint_information"),
    ]
}
