//! Rates, intervals, correlograms, lags, rhythms, avalanches.

use super::processes::{ar1, on_grid, renewal, units};
use super::{Case, Looked, analyse, key};
use crate::Outcome;
use crate::testing::{recording, subject, traces};
use spikedeck_core::normal::normal;
use spikedeck_scenario::OptionValue;
use spikedeck_signal::Recording;
use std::f64::consts::TAU;

/// The analysis of the spikes of all units.
fn of_all(kind: &'static str, seed: u64, recording: &Recording) -> Outcome {
    analyse(kind, seed, recording, None, Looked::of(vec![subject("spikes", &[])]), &[])
}

/// Units 0 and 1, in this order.
fn of_two(kind: &'static str, seed: u64, recording: &Recording, options: super::Settings<'_>) -> Outcome {
    let of = vec![subject("spikes", &[0]), subject("spikes", &[1])];
    analyse(kind, seed, recording, None, Looked::of(of), options)
}

const COUNT: &str = "never narrower than a Poisson count of all spikes";
const EXACT: &str = "exact for counts, which are whole numbers";

pub fn cases() -> Vec<Case> {
    let mut all = rates();
    all.extend(intervals());
    all.extend(pairs());
    all.extend(bursts());
    all
}

fn rates() -> Vec<Case> {
    let share = 1.0 - (-0.5f64).exp();
    vec![
        Case::new("one Poisson unit, 20 Hz, 2 s", |s| of_all("rates", s, &units(s, 1, 1, 20.0, 2000.0)))
            .holds("mean_rate", 20.0),
        Case::new("one Poisson unit, 2 Hz, 1 s", |s| of_all("rates", s, &units(s, 1, 1, 2.0, 1000.0))).at_least(
            "mean_rate",
            2.0,
            EXACT,
        ),
        Case::new("20 Poisson units, 0.5 Hz, 1 s", |s| of_all("rates", s, &units(s, 20, 1, 0.5, 1000.0)))
            .holds("mean_rate", 0.5)
            .at_least("active_share", share, EXACT),
        Case::new("20 gamma(4) units, 20 Hz, 2 s", |s| of_all("rates", s, &units(s, 20, 4, 20.0, 2000.0)))
            .at_least("mean_rate", 20.0, COUNT)
            .at_least("active_share", 1.0, EXACT),
        Case::new("20 Poisson units of 5 to 35 Hz, 2 s", |s| {
            let mut rates = key(s, "rates").stream(0, 0);
            let trains: Vec<Vec<f64>> =
                (0..20).map(|u| renewal(s, u, 1, 5.0 + 30.0 * rates.uniform(), 2000.0)).collect();
            of_all("rates", s, &recording(&trains, 2000.0))
        })
        .holds("mean_rate", 20.0)
        .at_least("active_share", 1.0, EXACT),
        Case::new("20 Poisson units, 20 Hz, 2 s", |s| of_all("population_rate", s, &units(s, 20, 1, 20.0, 2000.0)))
            .holds("mean", 20.0)
            .holds("fano", 1.0),
        Case::new("20 Poisson units with a common rate of 5 to 35 Hz each 100 ms, 2 s", |s| {
            let mut stream = key(s, "common").stream(0, 0);
            let rates: Vec<f64> = (0..20).map(|_| 5.0 + 30.0 * stream.uniform()).collect();
            let trains: Vec<Vec<f64>> = (0..20)
                .map(|u| {
                    let mut thin = key(s, "thin").stream(u, 0);
                    let all = renewal(s, u, 1, 35.0, 2000.0);
                    all.into_iter().filter(|t| 35.0 * thin.uniform() < rates[((t / 100.0) as usize).min(19)]).collect()
                })
                .collect();
            of_all("population_rate", s, &recording(&trains, 2000.0))
        })
        .holds("mean", 20.0)
        .holds_its_average("fano"),
        Case::new("500 Poisson units, 4 Hz, 500 ms", |s| of_all("population_rate", s, &units(s, 500, 1, 4.0, 500.0)))
            .holds("mean", 4.0)
            .holds("fano", 1.0),
    ]
}

fn intervals() -> Vec<Case> {
    // Of a Poisson process: 1 + 4 R r. Of gamma(4): the sum of two intervals is gamma(8).
    let lvr = |rate: f64| 1.0 + 4.0 * 0.005 * rate;
    let lvr4 = |rate: f64| (1.0 + 4.0 * 0.005 * 4.0 * rate / 7.0) / 3.0;
    vec![
        Case::new("20 Poisson units, 20 Hz, 2 s", |s| of_all("isi", s, &units(s, 20, 1, 20.0, 2000.0)))
            .holds("cv", 1.0)
            .holds("cv2", 1.0)
            .holds("lv", 1.0)
            .holds("lvr", lvr(20.0))
            .holds("fano", 1.0),
        Case::new("200 Poisson units, 20 Hz, 1 s", |s| of_all("isi", s, &units(s, 200, 1, 20.0, 1000.0)))
            .without("cv", "the bias of few intervals a unit is more than the uncertainty")
            .holds("cv2", 1.0)
            .holds("lv", 1.0)
            .holds("lvr", lvr(20.0))
            .holds("fano", 1.0),
        Case::new("20 gamma(4) units, 20 Hz, 5 s", |s| of_all("isi", s, &units(s, 20, 4, 20.0, 5000.0)))
            .holds("cv", 0.5)
            .holds("cv2", 0.546875)
            .holds("lv", 1.0 / 3.0)
            .holds("lvr", lvr4(20.0))
            .holds_its_average("fano"),
        Case::new("one Poisson unit, 20 Hz, 10 s", |s| of_all("isi", s, &units(s, 1, 1, 20.0, 10_000.0)))
            .holds("cv", 1.0)
            .holds("cv2", 1.0)
            .holds("lv", 1.0)
            .holds("lvr", lvr(20.0))
            .holds("fano", 1.0),
        Case::new("one gamma(4) unit, 20 Hz, 10 s", |s| of_all("isi", s, &units(s, 1, 4, 20.0, 10_000.0)))
            .holds("cv", 0.5)
            .holds("cv2", 0.546875)
            .holds("lv", 1.0 / 3.0)
            .holds("lvr", lvr4(20.0))
            .holds_its_average("fano"),
        Case::new("one Poisson unit, 20 Hz, 2 s", |s| of_all("isi", s, &units(s, 1, 1, 20.0, 2000.0)))
            .holds("cv", 1.0)
            .without("cv2", "fewer than 60 pairs of intervals")
            .without("lv", "fewer than 60 pairs of intervals")
            .without("lvr", "fewer than 60 pairs of intervals")
            .holds("fano", 1.0),
    ]
}

/// Unit 1 repeats a share of the spikes of unit 0, 3 ms later; both fire at `rate`.
fn followed(seed: u64, common: f64, rate: f64, stop: f64) -> Recording {
    let shared = renewal(seed, 2, 1, common, stop);
    let merged = |unit: u32, by: f64| {
        let mut train = renewal(seed, unit, 1, rate - common, stop);
        train.extend(shared.iter().map(|t| t + by).filter(|t| *t <= stop));
        train.sort_by(f64::total_cmp);
        train
    };
    recording(&[merged(0, 0.0), merged(1, 3.2)], stop)
}

fn pairs() -> Vec<Case> {
    let crossed = |kind: u32, count: u32, stop: f64, grid: bool| {
        move |s: u64| {
            let r = units(s, count, kind, 20.0, stop);
            let r = if grid { on_grid(r) } else { r };
            let of = Looked::of(vec![subject("spikes", &[])]);
            analyse("correlogram", s, &r, None, of, &[("pairs", OptionValue::Text("cross".into()))])
        }
    };
    let chosen = "no peak is told from chance";
    vec![
        Case::new("30 Poisson units, all pairs, 20 Hz, 5 s", crossed(1, 30, 5000.0, false))
            .times(400, 0)
            .holds("centre", 1.0)
            .without("peak", chosen)
            .without("peak_lag", chosen)
            .null("peak"),
        Case::new("10 Poisson units, all pairs, 20 Hz, 5 s", crossed(1, 10, 5000.0, false))
            .times(400, 0)
            .holds("centre", 1.0)
            .without("peak", chosen)
            .without("peak_lag", chosen)
            .null("peak"),
        Case::new("10 gamma(6) units on a grid, all pairs, 20 Hz, 5 s", crossed(6, 10, 5000.0, true))
            .times(400, 0)
            .holds("centre", 1.0)
            .without("peak", chosen)
            .without("peak_lag", chosen)
            .null("peak"),
        Case::new("two Poisson units, 20 Hz, 20 s", |s| of_two("correlogram", s, &units(s, 2, 1, 20.0, 20_000.0), &[]))
            .holds("centre", 1.0)
            .without("peak", chosen)
            .without("peak_lag", chosen)
            .null("peak"),
        Case::new("two gamma(6) units, 20 Hz, 20 s", |s| {
            of_two("correlogram", s, &units(s, 2, 6, 20.0, 20_000.0), &[])
        })
        .holds("centre", 1.0)
        .without("peak", chosen)
        .without("peak_lag", chosen)
        .null("peak"),
        Case::new("a Poisson unit that repeats 4 of 20 spikes of another after 3.2 ms, 20 s", |s| {
            of_two("correlogram", s, &followed(s, 4.0, 20.0, 20_000.0), &[])
        })
        .holds("centre", 1.0)
        .holds("peak", 1.0 + 4.0 / 0.4)
        .at_least("peak_lag", 3.2, "the width of a bin"),
        Case::new("two Poisson units on a grid, 100 Hz, 20 s", |s| {
            of_two("lags", s, &on_grid(units(s, 2, 1, 100.0, 20_000.0)), &few())
        })
        .times(400, 300)
        .holds("coincidence_fraction", 1.0 - (1.0 - 0.01f64).powi(41))
        .holds("mean_lag", 0.0)
        .holds("mean_absolute_lag", 5.0)
        .null("coincidence_fraction")
        .null("mean_lag")
        .null("mean_absolute_lag"),
        Case::new("two Poisson units, 20 Hz, 10 s", |s| of_two("lags", s, &units(s, 2, 1, 20.0, 10_000.0), &few()))
            .holds("coincidence_fraction", 1.0 - (-0.08f64).exp())
            .holds("mean_lag", 0.0)
            .holds("mean_absolute_lag", 25.0)
            .null("coincidence_fraction")
            .null("mean_lag")
            .null("mean_absolute_lag"),
        Case::new("two gamma(6) units on a grid, 20 Hz, 20 s", |s| {
            of_two("lags", s, &on_grid(units(s, 2, 6, 20.0, 20_000.0)), &few())
        })
        .holds_its_average("coincidence_fraction")
        .holds("mean_lag", 0.0)
        .holds_its_average("mean_absolute_lag")
        .null("coincidence_fraction")
        .null("mean_lag")
        .null("mean_absolute_lag"),
        Case::new("two Poisson units, 20 Hz, with traces AR(1) 0.9, 2 s", |s| {
            let mut r = traces(&[ar1(s, 0, 0.9, 2000), ar1(s, 1, 0.9, 2000)], 1.0);
            r.spikes = units(s, 2, 1, 20.0, 2000.0).spikes;
            of_two("lags", s, &r, &few())
        })
        .holds("membrane_correlation", 0.0)
        .holds("coincidence_fraction", 1.0 - (-0.08f64).exp())
        .holds("mean_lag", 0.0)
        .without("mean_absolute_lag", FEW_LAGS)
        .null("membrane_correlation"),
        Case::new("traces AR(1) 0.9 that correlate by 0.5, 2 s", |s| {
            let (x, y) = (ar1(s, 0, 0.9, 2000), ar1(s, 1, 0.9, 2000));
            let both: Vec<f64> = x.iter().zip(&y).map(|(x, y)| 0.5 * x + 0.75f64.sqrt() * y).collect();
            let mut r = traces(&[x, both], 1.0);
            r.spikes = units(s, 2, 1, 20.0, 2000.0).spikes;
            of_two("lags", s, &r, &few())
        })
        .holds("membrane_correlation", 0.5)
        .holds("coincidence_fraction", 1.0 - (-0.08f64).exp())
        .holds("mean_lag", 0.0)
        .without("mean_absolute_lag", FEW_LAGS),
    ]
}

const FEW_LAGS: &str = "fewer than 60 lags";
const COMMON: &str = "the range of the stimulus is common to all of a run";

/// Fewer surrogates than usual.
fn few() -> [(&'static str, OptionValue); 1] {
    [("surrogates", OptionValue::Integer(199))]
}

/// Bursts of four spikes; periods and durations scatter by a tenth.
fn bursting(seed: u64, unit: u32, period: f64, stop: f64) -> Vec<f64> {
    let key = key(seed, "bursts");
    let draw = |k: u64| normal(key, unit, k);
    let (mut t, mut train, mut k) = (-period * key.stream(unit, 0).uniform(), Vec::new(), 0);
    while t < stop {
        let isi = 10.0 * (1.0 + 0.1 * draw(k));
        train.extend((0..4).map(|j| t + f64::from(j) * isi).filter(|t| *t > 0.0 && *t <= stop));
        t += period * (1.0 + 0.1 * draw(k + 1));
        k += 2;
    }
    train
}

fn bursts() -> Vec<Case> {
    vec![
        Case::new("bursts of a unit, periods of 400 ms that scatter by a tenth, 12 s", |s| {
            of_all("rhythm", s, &recording(&[bursting(s, 0, 400.0, 12_000.0)], 12_000.0))
        })
        .holds("period", 400.0)
        .holds_its_average("duty_cycle")
        .holds("burst_duration", 30.0)
        .without("spikes_per_burst", "all bursts alike")
        .holds_its_average("within_burst_rate"),
        Case::new("two units that burst each on its own, periods of 400 and 430 ms, 20 s", |s| {
            let r = recording(&[bursting(s, 0, 400.0, 20_000.0), bursting(s, 1, 430.0, 20_000.0)], 20_000.0);
            of_two("rhythm", s, &r, &[])
        })
        .holds("period", 400.0)
        .holds_its_average("duty_cycle")
        .holds("burst_duration", 30.0)
        .without("spikes_per_burst", "all bursts alike")
        .holds_its_average("within_burst_rate")
        .without("phase_lag", "the units are not told to be locked")
        .null("phase_locking"),
        Case::new("two units of which one bursts 0.3 cycles after the other, scattered by 0.05, 12 s", |s| {
            let first = bursting(s, 0, 400.0, 12_000.0);
            let key = key(s, "lag");
            let second = (0..first.len() / 4)
                .flat_map(|b| {
                    let at = first[4 * b] + 120.0 + 20.0 * normal(key, 0, b as u64);
                    (0..4).map(move |j| at + 10.0 * f64::from(j))
                })
                .filter(|t| *t <= 12_000.0)
                .collect();
            of_two("rhythm", s, &recording(&[first, second], 12_000.0), &[])
        })
        .holds("period", 400.0)
        .holds_its_average("duty_cycle")
        .holds("burst_duration", 30.0)
        .without("spikes_per_burst", "all bursts alike")
        .holds_its_average("within_burst_rate")
        .holds_its_average("phase_lag"),
        Case::new("pooled Poisson units, 0.5 spikes a bin of 4 ms, 20 s", |s| {
            let r = units(s, 5, 1, 25.0, 20_000.0);
            let bin = [("bin", OptionValue::Number(0.004))];
            analyse("avalanches", s, &r, None, Looked::of(vec![subject("spikes", &[])]), &bin)
        })
        .times(400, 0)
        .holds("mean_size", 0.5 / (1.0 - (-0.5f64).exp()) * 0.5f64.exp())
        .holds("branching_ratio", 1.0 - (-0.5f64).exp())
        .holds_its_average("size_exponent")
        .holds_its_average("duration_exponent"),
        Case::new("200 avalanches of geometric sizes, half of which go on", |s| {
            let mut stream = key(s, "geometric").stream(0, 0);
            let mut train = Vec::new();
            for k in 0..200 {
                let mut size = 1u32;
                while stream.uniform() < 0.5 {
                    size += 1;
                }
                let from = 10.0 + 10.0 * f64::from(k);
                train.extend((0..size).map(|j| from + 0.5 + 4.0 * f64::from(j) / f64::from(size)));
            }
            let r = recording(&[train], 2020.0);
            let bin = [("bin", OptionValue::Number(0.005))];
            analyse("avalanches", s, &r, None, Looked::of(vec![subject("spikes", &[])]), &bin)
        })
        .times(400, 0)
        .holds("mean_size", 2.0)
        .holds_its_average("size_exponent")
        .without("branching_ratio", "each is one bin long"),
        Case::new("300 avalanches of sizes that fall as s^-2.5", |s| {
            let mut stream = key(s, "sizes").stream(0, 0);
            let whole: f64 = spikedeck_core::avalanche::hurwitz_zeta(2.5, 1.0);
            let mut train = Vec::new();
            for k in 0..300 {
                let (u, mut size, mut sum) = (stream.uniform() * whole, 1.0f64, 1.0);
                while sum < u && size < 1e4 {
                    size += 1.0;
                    sum += size.powf(-2.5);
                }
                let from = 10.0 + 10.0 * f64::from(k);
                train.extend((0..size as u32).map(|j| from + 0.5 + 4.0 * f64::from(j) / size));
            }
            let r = recording(&[train], 3020.0);
            let bin = [("bin", OptionValue::Number(0.005)), ("least", OptionValue::Integer(1))];
            analyse("avalanches", s, &r, None, Looked::of(vec![subject("spikes", &[])]), &bin)
        })
        .times(400, 0)
        .holds("size_exponent", 2.5)
        .without("mean_size", "the largest decide the mean")
        .without("branching_ratio", "each is one bin long"),
        Case::new("stimulus of AR(1) 0.9 in bins of 100 ms, ten units tuned to it, 40 s", |s| decoded(s, true))
            .times(300, 0)
            .without("rms_error", COMMON)
            .without("information_gain", COMMON),
        Case::new("stimulus of AR(1) 0.9 in bins of 100 ms, ten units that do not hear it, 40 s", |s| {
            decoded(s, false)
        })
        .times(1000, 0)
        .without("rms_error", COMMON)
        .without("information_gain", COMMON)
        .null("rms_error"),
    ]
}

/// A slow stimulus (V_m of unit 0) and Poisson units with tuning curves, or without.
fn decoded(seed: u64, tuned: bool) -> Outcome {
    let stimulus = ar1(seed, 9, 0.9, 400);
    let trains: Vec<Vec<f64>> = (0..10u32)
        .map(|u| {
            let mut thin = key(seed, "tuned").stream(u, 0);
            let centre = -4.5 + f64::from(u);
            let heard = |t: f64| {
                let z = stimulus[((t / 100.0) as usize).min(399)] - centre;
                if tuned { (-0.5 * z * z).exp() } else { 0.3 }
            };
            renewal(seed, u, 1, 40.0, 40_000.0).into_iter().filter(|t| thin.uniform() < heard(*t)).collect()
        })
        .collect();
    let mut r = recording(&trains, 40_000.0);
    let held: Vec<f64> = stimulus.iter().flat_map(|v| [*v; 10]).collect();
    r.traces = traces(&[held], 10.0).traces;
    r.traces[0].start = 5.0;
    let looked = Looked::pair(subject("spikes", &[]), subject("V_m", &[0]));
    analyse("decoder", seed, &r, None, looked, &[("stimulus_bins", OptionValue::Integer(8))])
}

/// Phases that scatter evenly.
pub fn angle(seed: u64, unit: u32) -> f64 {
    TAU * key(seed, "angle").stream(unit, 0).uniform()
}
