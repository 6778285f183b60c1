//! Spike trains in which there is nothing to find: p-values alone.

use super::processes::{normals, on_grid, renewal, units};
use super::{Case, Looked, Settings, analyse, key};
use crate::Outcome;
use crate::testing::{recording, subject, traces};
use spikedeck_scenario::{Band, OptionValue};
use spikedeck_signal::Recording;

fn few() -> (&'static str, OptionValue) {
    ("surrogates", OptionValue::Integer(99))
}

fn of_all(kind: &'static str, seed: u64, r: &Recording, options: Settings<'_>) -> Outcome {
    analyse(kind, seed, r, None, Looked::of(vec![subject("spikes", &[])]), options)
}

fn of_two(kind: &'static str, seed: u64, r: &Recording, options: Settings<'_>) -> Outcome {
    let of = vec![subject("spikes", &[0]), subject("spikes", &[1])];
    analyse(kind, seed, r, None, Looked::of(of), options)
}

fn directed(kind: &'static str, seed: u64, r: &Recording, options: Settings<'_>) -> Outcome {
    analyse(kind, seed, r, None, Looked::pair(subject("spikes", &[0]), subject("spikes", &[1])), options)
}

/// Poisson units of 100 Hz on a grid of 0.1 ms.
fn gridded(seed: u64, count: u32, stop: f64) -> Recording {
    on_grid(units(seed, count, 1, 100.0, stop))
}

const GRID: &str = "two Poisson units on a grid, 100 Hz, 5 s";
const GAMMA: &str = "two gamma(4) units, 20 Hz, 5 s";
const TIES: &str = "surrogates that give the same number count as reached";

pub const CHOSEN: &str = "the least over sources; 1 where none is chosen";

/// The least p-value of the sources that were chosen, or 1.
pub fn least_of_chosen(mut o: Outcome) -> Outcome {
    o.metrics.retain(|m| m.metric == "transfer_entropy");
    let least = o.metrics.iter().filter_map(|m| m.p_value).fold(1.0, f64::min);
    o.metrics.truncate(1);
    o.metrics[0].p_value = Some(least);
    o
}

pub fn cases() -> Vec<Case> {
    let mut all = pairs();
    all.extend(directions());
    all.extend(alone());
    all.extend(spectra());
    all
}

/// Measures of two trains.
fn pairs() -> Vec<Case> {
    let mut all = Vec::new();
    for (kind, tests) in [
        ("sttc", 100),
        ("spike_count_correlation", 100),
        ("victor_purpura", 0),
        ("van_rossum", 0),
        ("isi_distance", 0),
        ("spike_distance", 0),
        ("spike_synchronization", 0),
    ] {
        all.push(Case::of_p(GRID, tests, move |s| of_two(kind, s, &gridded(s, 2, 5000.0), &[few()])).null(kind));
        all.push(Case::of_p(GAMMA, 0, move |s| of_two(kind, s, &units(s, 2, 4, 20.0, 5000.0), &[few()])).null(kind));
    }
    let many = "joint counts are whole numbers, and lags that depend on each other are counted as if they did not";
    let assemblies = |case: Case| case.null_at_most("strongest_pair", many);
    all.extend([
        assemblies(Case::of_p("six Poisson units, 15 Hz, 30 s", 100, |s| {
            of_all("cell_assemblies", s, &units(s, 6, 1, 15.0, 30_000.0), &[])
        })),
        assemblies(Case::of_p("six gamma(4) units, 15 Hz, 30 s", 0, |s| {
            of_all("cell_assemblies", s, &units(s, 6, 4, 15.0, 30_000.0), &[])
        })),
    ]);
    let lags = |case: Case| case.null("coincidence_fraction").null("mean_lag").null("mean_absolute_lag");
    let correlogram = |case: Case| case.null("peak").null("peak_lag");
    all.extend([
        lags(Case::of_p(GRID, 200, |s| of_two("lags", s, &gridded(s, 2, 5000.0), &[few()]))),
        lags(Case::of_p(GAMMA, 0, |s| of_two("lags", s, &units(s, 2, 4, 20.0, 5000.0), &[few()]))),
        correlogram(Case::of_p(GRID, 0, |s| of_two("correlogram", s, &gridded(s, 2, 5000.0), &[]))),
        correlogram(Case::of_p(GAMMA, 0, |s| of_two("correlogram", s, &units(s, 2, 4, 20.0, 20_000.0), &[]))),
        correlogram(Case::of_p("two Poisson units on a grid, 100 Hz, 5 s, surrogates", 0, |s| {
            of_two("correlogram", s, &gridded(s, 2, 5000.0), &[few()])
        }))
        .null("departure"),
        Case::of_p("four Poisson units on a grid, 100 Hz, 2 s", 0, |s| {
            of_all("spike_order", s, &gridded(s, 4, 2000.0), &[few()])
        })
        .null("synfire"),
        Case::of_p("four gamma(4) units, 20 Hz, 5 s", 0, |s| {
            of_all("spike_order", s, &units(s, 4, 4, 20.0, 5000.0), &[few()])
        })
        .null("synfire"),
        Case::of_p("eight Poisson units on a grid, 100 Hz, 2 s", 0, |s| {
            of_all("synchrony", s, &gridded(s, 8, 2000.0), &[])
        })
        .null("order_mean"),
    ]);
    all
}

/// Information from one train to another.
fn directions() -> Vec<Case> {
    let mut all = Vec::new();
    let kinds: [(&str, &[&'static str]); 3] = [
        ("mutual_information", &["information"]),
        ("transfer_entropy", &["transfer_entropy"]),
        ("channel_capacity", &["capacity", "information"]),
    ];
    for (kind, metrics) in kinds {
        let of = |case: Case| metrics.iter().copied().fold(case, Case::null);
        all.push(of(Case::of_p("two Poisson units on a grid, 100 Hz, 10 s", 0, move |s| {
            directed(kind, s, &gridded(s, 2, 10_000.0), &[few()])
        })));
        all.push(of(Case::of_p("two gamma(4) units, 20 Hz, 20 s", 0, move |s| {
            directed(kind, s, &units(s, 2, 4, 20.0, 20_000.0), &[few()])
        })));
    }
    let even = "pasts at the spikes of a regular train are more even than those at times drawn";
    let rates =
        |case: Case, why: &'static str| case.null_at_most("transfer_rate", why).null_at_most("bits_per_spike", why);
    all.push(rates(
        Case::of_p("two gamma(4) units, 20 Hz, 5 s", 0, |s| {
            directed("spike_transfer_entropy", s, &units(s, 2, 4, 20.0, 5000.0), &[few()])
        }),
        even,
    ));
    all.push(
        Case::of_p("two Poisson units on a grid, 100 Hz, 2 s", 0, |s| {
            directed("spike_transfer_entropy", s, &gridded(s, 2, 2000.0), &[few()])
        })
        .null("transfer_rate")
        .null("bits_per_spike"),
    );
    all.push(
        Case::of_p("two gamma(4) units, 20 Hz, 5 s, shifted", 0, |s| {
            let options = [few(), ("surrogate", OptionValue::Text("shift".into()))];
            directed("spike_transfer_entropy", s, &units(s, 2, 4, 20.0, 5000.0), &options)
        })
        .null("transfer_rate")
        .null("bits_per_spike"),
    );
    all.push(
        Case::of_p("four gamma(4) units, 20 Hz, 10 s", 0, |s| {
            let few = [few(), ("target_lags", OptionValue::Integer(2)), ("source_lags", OptionValue::Integer(2))];
            let looked = Looked::pair(subject("spikes", &[]), subject("spikes", &[0]));
            let o = analyse("multivariate_transfer_entropy", s, &units(s, 4, 4, 20.0, 10_000.0), None, looked, &few);
            least_of_chosen(o)
        })
        .null_at_most("transfer_entropy", CHOSEN),
    );
    all
}

/// Measures of one train.
fn alone() -> Vec<Case> {
    let rare = "1 where the train has no such interval";
    vec![
        Case::of_p("a Poisson unit on a grid, 100 Hz, 5 s", 400, |s| {
            of_all("isi_histogram", s, &gridded(s, 1, 5000.0), &[few()])
        })
        .null("exponential_distance"),
        Case::of_p("a Poisson unit on a grid, 100 Hz, 5 s", 400, |s| {
            of_all("bursts", s, &gridded(s, 1, 5000.0), &[few()])
        })
        .null_at_most("burst_share", TIES),
        Case::of_p("a Poisson unit, 5 Hz, 10 s", 0, |s| of_all("bursts", s, &units(s, 1, 1, 5.0, 10_000.0), &[few()]))
            .null_at_most("burst_share", rare),
        Case::of_p("a Poisson unit on a grid, 100 Hz, 5 s", 0, |s| {
            of_all("autocorrelogram", s, &gridded(s, 1, 5000.0), &[few()])
        })
        .null("burst_index"),
        Case::of_p("a gamma(4) unit, 20 Hz, 20 s", 0, |s| {
            of_all("autocorrelogram", s, &units(s, 1, 4, 20.0, 20_000.0), &[few()])
        })
        .null_at_most("burst_index", TIES),
        Case::of_p("a Poisson unit on a grid, 100 Hz, 5 s", 0, |s| {
            of_all("rate_kernel", s, &gridded(s, 1, 5000.0), &[few()])
        })
        .null("departure"),
        Case::of_p("a gamma(4) unit, 20 Hz, 5 s", 0, |s| {
            of_all("rate_kernel", s, &units(s, 1, 4, 20.0, 5000.0), &[few()])
        })
        .null("departure"),
    ]
}

fn theta() -> (&'static str, OptionValue) {
    ("bands", OptionValue::Bands(vec![Band { name: "alpha".into(), low: 8.0, high: 13.0 }]))
}

/// Trains in frequency, and beside a signal.
fn spectra() -> Vec<Case> {
    let segment = || ("segment", OptionValue::Number(0.5));
    let beside = |s: u64, train: Vec<f64>| {
        let mut r = recording(&[train], 8000.0);
        r.traces = traces(&[normals(s, 7, 8000)], 1.0).traces;
        let looked = Looked::pair(subject("spikes", &[0]), subject("V_m", &[0]));
        analyse("spike_field", s, &r, None, looked, &[few(), theta()])
    };
    let locked = |case: Case| case.null("plv_alpha").null("ppc_alpha");
    vec![
        Case::of_p("a Poisson unit on a grid, 100 Hz, 5 s in segments of 0.5 s", 0, move |s| {
            of_all("psd", s, &gridded(s, 1, 5000.0), &[segment()])
        })
        .null("peak")
        .null("peak_power"),
        Case::of_p("50 Poisson units, 10 Hz, 5 s in segments of 0.5 s", 0, move |s| {
            of_all("psd", s, &units(s, 50, 1, 10.0, 5000.0), &[segment()])
        })
        .null("peak")
        .null("peak_power"),
        Case::of_p("five Poisson units on a grid, 100 Hz, segments of 1 s, 20 s", 0, |s| {
            of_all("signal_to_noise", s, &gridded(s, 5, 20_000.0), &[("frequency", OptionValue::Number(10.0))])
        })
        .null("snr"),
        locked(Case::of_p("a Poisson unit, 20 Hz, beside white noise, 1 kHz, 8 s", 0, move |s| {
            beside(s, renewal(s, 0, 1, 20.0, 8000.0))
        }))
        .null("rayleigh_alpha"),
        locked(Case::of_p("a gamma(4) unit, 20 Hz, beside white noise, 1 kHz, 8 s", 0, move |s| {
            beside(s, renewal(s, 0, 4, 20.0, 8000.0))
        }))
        .null_at_most("rayleigh_alpha", "spikes of a regular train fill all phases more evenly than independent ones"),
        Case::of_p("two units that burst each on its own, periods of 400 ms on average, 20 s", 0, |s| {
            // Poisson bursts of four spikes.
            let of = |unit: u32| {
                let all = renewal(s, unit, 8, 2.5, 20_000.0);
                let burst = |t: &f64| (0..4).map(|j| t + 10.0 * f64::from(j)).collect::<Vec<f64>>();
                all.iter().flat_map(burst).filter(|t| *t <= 20_000.0).collect::<Vec<f64>>()
            };
            of_two("rhythm", s, &recording(&[of(0), of(1)], 20_000.0), &[])
        })
        .null("phase_locking"),
        Case::of_p("units that do not hear AR(1) 0.9 in bins of 100 ms, 20 s", 0, |s| {
            let mut r = recording(&(0..4).map(|u| renewal(s, u, 4, 12.0, 20_000.0)).collect::<Vec<_>>(), 20_000.0);
            let slow = super::processes::ar1(s, 9, 0.9, 200);
            r.traces = traces(&[slow.iter().flat_map(|v| [*v; 10]).collect()], 10.0).traces;
            r.traces[0].start = 5.0;
            let looked = Looked::pair(subject("spikes", &[]), subject("V_m", &[0]));
            let options = [few(), ("stimulus_bins", OptionValue::Integer(6))];
            analyse("decoder", s, &r, None, looked, &options)
        })
        .null("rms_error")
        .null("map_error")
        .null("ml_error"),
        Case::of_p("four units that do not hear AR(1) 0.9 in bins of 100 ms, 20 s", 0, |s| {
            let mut r = recording(&(0..4).map(|u| renewal(s, u, 2, 20.0, 20_000.0)).collect::<Vec<_>>(), 20_000.0);
            r.traces = traces(&[super::processes::ar1(s, 9, 0.9, 200)], 100.0).traces;
            r.traces[0].start = 100.0;
            let looked = Looked::pair(subject("spikes", &[]), subject("V_m", &[0]));
            analyse("kalman_decoder", s, &r, None, looked, &[few()])
        })
        .null("information_gain")
        .null("information_rate")
        .null("rms_error")
        .null("explained")
        .null("correlation"),
        Case::of_p("a gamma(4) unit that does not hear AR(1) 0.99, 20 Hz, 20 s", 0, |s| {
            let mut r = recording(&[renewal(s, 0, 4, 20.0, 20_000.0)], 20_000.0);
            r.traces = traces(&[super::processes::ar1(s, 9, 0.99, 20_000)], 1.0).traces;
            let looked = Looked::pair(subject("V_m", &[0]), subject("spikes", &[0]));
            let options = [few(), ("bin", OptionValue::Number(0.02)), ("bins", OptionValue::Integer(8))];
            analyse("spike_information", s, &r, None, looked, &options)
        })
        .null("bits_per_spike"),
        Case::of_p("a Poisson unit of 2 Hz beside a place that changes each second, 100 s", 0, |s| {
            let mut place = key(s, "place").stream(0, 0);
            let x = (0..100).flat_map(|_| [f64::from(place.below(6)); 50]).collect();
            let mut r = recording(&[renewal(s, 0, 1, 2.0, 100_000.0)], 100_000.0);
            r.traces = traces(&[x], 20.0).traces;
            let looked = Looked::pair(subject("V_m", &[0]), subject("spikes", &[0]));
            let options = [few(), ("bin", OptionValue::Number(0.1)), ("bins", OptionValue::Integer(6))];
            analyse("spike_information", s, &r, None, looked, &options)
        })
        .null("bits_per_spike"),
    ]
}
