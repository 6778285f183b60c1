//! The hot loops, one bench each: kernels, delivery, Poisson input, estimators. `cargo bench --bench hot [FILTER]`.
//!
//! `spikedeck bench` times whole cases as JSON for holding against other simulators; these here are for seeing what a
//! change to a loop does. Simulations are built outside the timed part.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use divan::Bencher;
use spikedeck::core::rng::Key;
use spikedeck::core::welch::{Settings, welch};
use spikedeck::core::{ksg, spike_distance};
use spikedeck::run;
use spikedeck::sim::{Network, Observer};

fn main() {
    divan::main();
}

/// Runs to the end and looks at nothing.
struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _: u64, _: u64) -> bool {
        true
    }
}

/// Times the simulation phase of a shipped scenario with overrides, on one thread.
fn simulate(bencher: Bencher<'_, '_>, name: &str, set: &[(&str, &str)]) {
    let set: Vec<(String, String)> = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let spec = Arc::new(run::load(name, &set).expect("a shipped scenario").0);
    bencher
        .with_inputs(|| Network::build(&spec, 1, &AtomicBool::new(false)).expect("it fits"))
        .bench_local_values(|network| network.run(&mut Silent).steps);
}

/// A leaky membrane with two exponential currents: what the exact integrator costs.
#[divan::bench(sample_count = 10)]
fn cuba_100_ms(bencher: Bencher<'_, '_>) {
    simulate(bencher, "balanced-cuba", &[("simulation.duration", "\"100 ms\""), ("simulation.transient", "\"0 ms\"")]);
}

/// A leaky membrane with two exponential conductances.
#[divan::bench(sample_count = 10)]
fn coba_100_ms(bencher: Bencher<'_, '_>) {
    simulate(bencher, "balanced-coba", &[("simulation.duration", "\"100 ms\""), ("simulation.transient", "\"0 ms\"")]);
}

/// Poisson input and 1250 events a spike.
#[divan::bench(sample_count = 3)]
fn brunel_100_ms(bencher: Bencher<'_, '_>) {
    simulate(bencher, "brunel-2000", &[("simulation.duration", "\"100 ms\""), ("simulation.transient", "\"0 ms\"")]);
}

/// Three gates and six exponentials a step.
#[divan::bench(sample_count = 10)]
fn hodgkin_huxley_1000_neurons_1000_steps(bencher: Bencher<'_, '_>) {
    let set = [
        ("populations.hh.size", "1000"),
        ("populations.hh.integrator", "\"exponential_euler\""),
        ("simulation.duration", "\"10 ms\""),
        ("stimuli.step.stop", "\"10 ms\""),
    ];
    simulate(bencher, "hodgkin-huxley-step", &set);
}

fn noise(n: usize, unit: u32) -> Vec<f64> {
    let mut s = Key::new(1, "benches", "noise").stream(unit, 0);
    (0..n).map(|_| s.uniform() - 0.5).collect()
}

#[divan::bench(sample_count = 10)]
fn welch_of_a_million_samples(bencher: Bencher<'_, '_>) {
    let signal = noise(1_000_000, 0);
    let settings = Settings::new(4096);
    bencher.bench_local(|| welch(&signal, 1000.0, &settings));
}

#[divan::bench(sample_count = 10)]
fn spike_distance_of_two_trains_of_1000(bencher: Bencher<'_, '_>) {
    let train = |unit: u32| {
        let mut t = noise(1000, unit);
        for x in &mut t {
            *x = (*x + 0.5) * 1e5;
        }
        t.sort_by(f64::total_cmp);
        t
    };
    let edges = spike_distance::Edges { start: 0.0, stop: 1e5 };
    let [a, b] = [train(1), train(2)].map(|t| spike_distance::Framed::new(&t, edges));
    bencher.bench_local(|| spike_distance::spike_distance_framed(&a, &b));
}

#[divan::bench(sample_count = 10)]
fn ksg_of_ten_thousand_pairs(bencher: Bencher<'_, '_>) {
    let x = noise(10_000, 3);
    let y: Vec<f64> = x.iter().zip(noise(10_000, 4)).map(|(x, e)| 0.6 * x + 0.8 * e).collect();
    bencher.bench_local(|| {
        ksg::mutual_information(&[&x], &[&y], ksg::Neighbourhood { k: 4, window: 0 }, ksg::Algorithm::Two)
            .map_err(|e| e.to_string())
    });
}
