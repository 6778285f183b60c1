//! Trials, events, tuning, and shares of power: intervals.

use super::null_groups::{beside, few, ms, of_spikes, phases, precession, renewals};
use super::processes::{ar1, ar2, normals, renewal};
use super::{Case, Looked, analyse, key};
use crate::testing::{recording, subject, traces};
use spikedeck_scenario::OptionValue;

const COUNT: &str = "never narrower than a Poisson count of all spikes";

pub fn cases() -> Vec<Case> {
    let mut all = of_trials();
    all.extend(of_events());
    all.extend(of_power());
    all
}

fn of_trials() -> Vec<Case> {
    let response =
        || [ms("onset", 100.0), ms("response", 100.0), ms("bin", 10.0), ("replicates", OptionValue::Integer(199))];
    let chance = "not told from chance";
    vec![
        Case::new("20 trials of three Poisson units, 20 Hz, 200 ms", move |s| {
            of_spikes("psth", s, &renewals(s, 1, 3, 20.0, (20, 1), 200.0), &response())
        })
        .times(400, 0)
        .at_least("mean_rate", 20.0, COUNT)
        .at_least("baseline", 20.0, COUNT)
        .at_least("response", 20.0, COUNT)
        .holds("change", 0.0)
        .without("peak", chance)
        .holds("fano", 1.0)
        .null_at_most("peak", "counts are whole numbers: many orders give the same")
        .null_at_most("change", "counts are whole numbers: many orders give the same"),
        Case::new("40 trials of four Poisson units, 20 Hz, 500 ms", |s| {
            of_spikes("noise_correlation", s, &renewals(s, 1, 4, 20.0, (40, 1), 500.0), &[few()])
        })
        .times(400, 0)
        .holds("noise_correlation", 0.0),
        Case::new("40 trials of two Poisson units, 40 Hz, 200 ms", |s| {
            of_spikes("joint_psth", s, &renewals(s, 1, 2, 40.0, (40, 1), 200.0), &[few()])
        })
        .times(400, 0)
        .holds("coincidence", 0.0),
        Case::new("40 trials of two Poisson units, 40 Hz, 300 ms", |s| {
            of_spikes("unitary_events", s, &renewals(s, 1, 2, 40.0, (40, 1), 300.0), &[few()])
        })
        .times(400, 0)
        .without("surprise_max", "the largest of many windows")
        .holds("excess", 0.0),
        Case::new("40 trials of two Poisson units that keep a third of the events of one train, 20 Hz, 300 ms", |s| {
            let r = super::null_groups::trials(40, 1, |k| {
                let seed = s * 1000 + u64::from(k);
                let all = renewal(seed, 99, 1, 60.0, 300.0);
                let thinned = |unit: u32| -> Vec<f64> {
                    let mut thin = key(seed, "kept").stream(unit, 0);
                    all.iter().copied().filter(|_| thin.uniform() < 1.0 / 3.0).collect()
                };
                recording(&[thinned(0), thinned(1)], 300.0)
            });
            of_spikes("unitary_events", s, &r, &[few()])
        })
        .times(400, 0)
        .holds_its_average("excess"),
        Case::new("40 trials of each of two conditions, 10 and 60 Hz, 100 ms", |s| {
            let r = super::null_groups::trials(80, 2, |k| {
                let rate = if k % 2 == 0 { 10.0 } else { 60.0 };
                recording(&[renewal(s * 1000 + u64::from(k), 0, 1, rate, 100.0)], 100.0)
            });
            of_spikes("stimulus_information", s, &r, &[few(), ms("bin", 100.0)])
        })
        .times(400, 0)
        .holds_its_average("information"),
        Case::new("80 trials of four conditions, spikes in half of the cycles at a quarter of the condition", |s| {
            phases(s, (80, 4), |condition, _| condition)
        })
        .times(400, 0)
        .holds("gain", 1.0),
    ]
}

fn of_events() -> Vec<Case> {
    let around = || [few(), ms("before", 50.0), ms("after", 100.0)];
    let averages = |case: Case| case.holds("baseline", 0.0).holds("response", 0.0).holds("change", 0.0);
    vec![
        averages(
            Case::new("40 Poisson events in AR(1) 0.9, 10 s", move |s| {
                beside("event_average", s, renewal(s, 0, 1, 4.0, 10_000.0), ar1(s, 1, 0.9, 10_000), &around())
            })
            .times(400, 0),
        ),
        Case::new("a unit whose phase turns by -0.012 cycles a unit in a field, 40 s", |s| precession(s, -0.012, 199))
            .times(400, 0)
            .holds("slope", -0.012)
            .without("resultant", "the largest over slopes")
            .holds_its_average("correlation")
            .holds("phase", 0.5),
        Case::new("a unit of 30 Hz in half of the places and of 10 Hz in the other, a place a second, 200 s", |s| {
            let mut place = key(s, "place").stream(0, 0);
            let places: Vec<u32> = (0..200).map(|_| place.below(6)).collect();
            let train = renewal(s, 0, 1, 30.0, 200_000.0)
                .into_iter()
                .filter(|t| places[((t / 1000.0) as usize).min(199)].is_multiple_of(2) || place.uniform() < 1.0 / 3.0)
                .collect();
            let x = places.iter().flat_map(|p| [f64::from(*p); 50]).collect();
            let mut r = recording(&[train], 200_000.0);
            r.traces = traces(&[x], 20.0).traces;
            let looked = Looked::pair(subject("V_m", &[0]), subject("spikes", &[0]));
            let options = [few(), ms("bin", 100.0), ("bins", OptionValue::Integer(6))];
            analyse("spike_information", s, &r, None, looked, &options)
        })
        .times(400, 0)
        .holds_its_average("bits_per_spike"),
    ]
}

fn of_power() -> Vec<Case> {
    let of = |s: u64, x: Vec<f64>| {
        let segment = [("segment", OptionValue::Number(1.0))];
        analyse("band_power", s, &traces(&[x], 1.0), None, Looked::of(vec![subject("V_m", &[])]), &segment)
    };
    let bands = [("delta", 3.0), ("theta", 4.0), ("alpha", 5.0), ("beta", 17.0), ("gamma", 50.0)];
    let names = ["power_delta", "power_theta", "power_alpha", "power_beta", "power_gamma"];
    let shares = ["relative_delta", "relative_theta", "relative_alpha", "relative_beta", "relative_gamma"];
    let mut white =
        Case::new("white noise, 1 kHz, 20 s in segments of 1 s", move |s| of(s, normals(s, 0, 20_000))).times(400, 0);
    let mut resonant = Case::new("AR(2) with a resonance at 20 Hz, 1 kHz, 20 s in segments of 1 s", move |s| {
        of(s, ar2(s, 0, 0.97, 20.0, 20_000))
    })
    .times(400, 0);
    for (((_, width), name), share) in bands.into_iter().zip(names).zip(shares) {
        white = white.holds(name, 0.002 * width).holds(share, width / 79.0);
        resonant = resonant.holds_its_average(name).holds_its_average(share);
    }
    vec![white, resonant]
}
