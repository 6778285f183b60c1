//! Measures of pairs of spike trains, and rates by a kernel.

use super::processes::{on_grid, renewal, units};
use super::{Case, Looked, Truth, Wanted, analyse, key};
use crate::Outcome;
use crate::testing::{recording, subject};
use spikedeck_core::bursts::poisson_bursts;
use spikedeck_scenario::OptionValue;
use spikedeck_signal::Recording;

/// All units, with fewer surrogates than usual.
fn of_all(kind: &'static str, seed: u64, recording: &Recording) -> Outcome {
    let few = [("surrogates", OptionValue::Integer(99))];
    analyse(kind, seed, recording, None, Looked::of(vec![subject("spikes", &[])]), &few)
}

/// Poisson units of 20 Hz that each keep a share of the events of one train.
fn common(seed: u64, count: u32, share: f64, stop: f64) -> Recording {
    let all = renewal(seed, 99, 1, 20.0 / share, stop);
    let thinned = |unit: u32| {
        let mut thin = key(seed, "common").stream(unit, 0);
        all.iter().copied().filter(|_| thin.uniform() < share).collect()
    };
    recording(&(0..count).map(thinned).collect::<Vec<Vec<f64>>>(), stop)
}

pub fn cases() -> Vec<Case> {
    // Two spikes within ± 5 ms by chance, and with a partner in a share of the cases.
    let tiles = 1.0 - (-0.2f64).exp();
    let near = |share: f64| 1.0 - (1.0 - share) * (1.0 - tiles);
    let sttc = (near(0.2) - tiles) / (1.0 - near(0.2) * tiles);
    let mut all = vec![
        Case::new("8 Poisson units, 20 Hz, 10 s", |s| of_all("sttc", s, &units(s, 8, 1, 20.0, 10_000.0)))
            .times(1000, 100)
            .holds("sttc", 0.0)
            .null("sttc"),
        Case::new("two gamma(4) units on a grid, 20 Hz, 10 s", |s| {
            of_all("sttc", s, &on_grid(units(s, 2, 4, 20.0, 10_000.0)))
        })
        .times(1000, 0)
        .holds("sttc", 0.0)
        .null("sttc"),
        Case::new("8 Poisson units that keep a fifth of the events of one train, 20 Hz, 10 s", |s| {
            of_all("sttc", s, &common(s, 8, 0.2, 10_000.0))
        })
        .times(1000, 0)
        .holds("sttc", sttc),
        Case::new("two Poisson units that keep a fifth of the events of one train, 20 Hz, 20 s", |s| {
            of_all("sttc", s, &common(s, 2, 0.2, 20_000.0))
        })
        .times(1000, 100)
        .holds("sttc", sttc),
        Case::new("8 Poisson units, 20 Hz, 20 s", |s| {
            of_all("spike_count_correlation", s, &units(s, 8, 1, 20.0, 20_000.0))
        })
        .times(1000, 0)
        .at_least("spike_count_correlation", 0.0, "an interval over units is too wide where units are independent")
        .null("spike_count_correlation"),
        Case::new("8 Poisson units that keep a fifth of the events of one train, 20 Hz, 20 s", |s| {
            of_all("spike_count_correlation", s, &common(s, 8, 0.2, 20_000.0))
        })
        .times(1000, 0)
        .holds("spike_count_correlation", 0.2),
        Case::new("two Poisson units that keep a fifth of the events of one train, 20 Hz, 20 s", |s| {
            of_all("spike_count_correlation", s, &common(s, 2, 0.2, 20_000.0))
        })
        .times(1000, 100)
        .holds("spike_count_correlation", 0.2),
        Case::new("8 Poisson units, 20 Hz, 10 s", |s| of_all("victor_purpura", s, &units(s, 8, 1, 20.0, 10_000.0)))
            .times(400, 0)
            .holds_its_average("victor_purpura")
            .holds_its_average("victor_purpura_share")
            .null("victor_purpura"),
        Case::new("two gamma(4) units, 20 Hz, 10 s", |s| of_all("victor_purpura", s, &units(s, 2, 4, 20.0, 10_000.0)))
            .times(1000, 0)
            .holds_its_average("victor_purpura")
            .holds_its_average("victor_purpura_share")
            .null("victor_purpura"),
        Case::new("8 Poisson units, 20 Hz, 10 s", |s| of_all("van_rossum", s, &units(s, 8, 1, 20.0, 10_000.0)))
            .times(400, 0)
            .holds_its_average("van_rossum")
            .null("van_rossum"),
        Case::new("two gamma(4) units, 20 Hz, 10 s", |s| of_all("van_rossum", s, &units(s, 2, 4, 20.0, 10_000.0)))
            .times(1000, 0)
            .holds_its_average("van_rossum")
            .null("van_rossum"),
        Case::new("one gamma(4) unit, 20 Hz, 10 s", |s| of_all("rate_kernel", s, &units(s, 1, 4, 20.0, 10_000.0)))
            .times(1000, 0)
            .null("departure"),
        Case::new("5 Poisson units, 10 Hz, 5 s", |s| of_all("rate_kernel", s, &units(s, 5, 1, 10.0, 5000.0)))
            .times(1000, 100)
            .null("departure"),
    ];
    for (kind, truth) in [("isi_distance", 0.5), ("spike_distance", 0.2956), ("spike_synchronization", 0.25)] {
        all.push(
            Case::new("8 Poisson units, 20 Hz, 10 s", move |s| of_all(kind, s, &units(s, 8, 1, 20.0, 10_000.0)))
                .times(400, 0)
                .holds(kind, truth)
                .null(kind),
        );
        all.push(
            Case::new("two Poisson units, 20 Hz, 20 s", move |s| of_all(kind, s, &units(s, 2, 1, 20.0, 20_000.0)))
                .times(1000, 0)
                .holds(kind, truth)
                .null(kind),
        );
        all.push(
            Case::new("two gamma(4) units, 20 Hz, 20 s", move |s| of_all(kind, s, &units(s, 2, 4, 20.0, 20_000.0)))
                .times(1000, 0)
                .holds_its_average(kind)
                .null(kind),
        );
    }
    all.extend(single());
    all
}

const EXACT: &str = "exact for counts, which are whole numbers";

/// What is measured of each unit by itself.
fn single() -> Vec<Case> {
    let short = 1.0 - (-0.3f64).exp();
    let (share, _) = poisson_bursts(short, 3);
    let below = 1.0 - (-0.04f64).exp();
    vec![
        Case::new("one Poisson unit, 20 Hz, 20 s", |s| of_all("isi_histogram", s, &units(s, 1, 1, 20.0, 20_000.0)))
            .times(1000, 100)
            .holds("median_isi", 50.0 * 2.0f64.ln())
            .at_least("violations", below, EXACT)
            .null("exponential_distance"),
        Case::new("8 Poisson units, 20 Hz, 5 s", |s| of_all("isi_histogram", s, &units(s, 8, 1, 20.0, 5000.0)))
            .times(1000, 0)
            .at_least("violations", below, EXACT)
            .null("exponential_distance"),
        Case::new("one Poisson unit, 30 Hz, 20 s", |s| of_all("bursts", s, &units(s, 1, 1, 30.0, 20_000.0)))
            .times(1000, 100)
            .with("burst_rate", Truth::Average, Wanted::AtLeast("that of a Poisson count, which bursts are not"))
            .holds("burst_share", share)
            .holds_its_average("spikes_per_burst")
            .holds_its_average("burst_duration")
            .holds_its_average("pause")
            .null("burst_share"),
        Case::new("8 Poisson units, 30 Hz, 10 s", |s| of_all("bursts", s, &units(s, 8, 1, 30.0, 10_000.0)))
            .times(1000, 0)
            .with("burst_rate", Truth::Average, Wanted::AtLeast("never narrower than that of a Poisson count"))
            .holds("burst_share", share)
            .holds_its_average("spikes_per_burst")
            .holds_its_average("burst_duration")
            .holds_its_average("pause")
            .null("burst_share"),
        Case::new("one Poisson unit, 30 Hz, 20 s", |s| windows(s, 1))
            .times(1000, 100)
            .holds("fano_shortest", 1.0)
            .holds("fano_longest", 1.0),
        Case::new("8 Poisson units, 30 Hz, 20 s", |s| windows(s, 8))
            .times(1000, 0)
            .holds("fano_shortest", 1.0)
            .holds("fano_longest", 1.0),
        Case::new("8 Poisson units, 20 Hz, 10 s", |s| of_all("autocorrelogram", s, &units(s, 8, 1, 20.0, 10_000.0)))
            .times(400, 0)
            .holds_its_average("burst_index")
            .null("burst_index"),
        Case::new("one Poisson unit, 30 Hz, 40 s", |s| of_all("autocorrelogram", s, &units(s, 1, 1, 30.0, 40_000.0)))
            .times(1000, 0)
            .holds_its_average("burst_index")
            .null("burst_index"),
    ]
}

/// Fano factors of Poisson units of 30 Hz, 20 s.
fn windows(seed: u64, count: u32) -> Outcome {
    let few = [("lengths", OptionValue::Integer(2)), ("shortest", OptionValue::Number(0.02))];
    let of = Looked::of(vec![subject("spikes", &[])]);
    analyse("fano_curve", seed, &units(seed, count, 1, 30.0, 20_000.0), None, of, &few)
}
