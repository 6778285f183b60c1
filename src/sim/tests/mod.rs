//! Tests of whole networks, from scenario text to recording.

mod arrivals;
mod coupled;
mod coupling;
mod crossings;
mod divergence;
mod driven;
mod endings;
mod finite;
mod invariance;
mod jumps;
mod miscounts;
mod networks;
mod places;
mod plasticity;
mod rate_rules;
mod rests;
mod sources;
mod states;
mod stimuli;
mod temperatures;
mod upstrokes;

use std::sync::atomic::AtomicBool;

use super::*;
use spikedeck_model::library;
use spikedeck_scenario::{Catalog, NoFiles, Overrides, load};

/// An observer that lets everything run.
pub(super) struct Quiet;

impl Observer for Quiet {
    fn progress(&mut self, _step: u64, _steps: u64) -> bool {
        true
    }
}

/// The resolved scenario of a text that has nothing wrong with it.
pub(super) fn spec(text: &str) -> Spec {
    match load(text, None, "test", &Overrides::default(), library(), &Catalog::default(), &NoFiles) {
        Ok((spec, _)) => spec,
        Err(report) => panic!("{report:?}"),
    }
}

/// Runs a scenario on `threads` threads.
pub(super) fn run_on(text: &str, threads: usize) -> SimulationResult {
    let network = Network::build(&spec(text), threads, &AtomicBool::new(false)).unwrap_or_else(|e| panic!("{e}"));
    network.run(&mut Quiet)
}

/// Runs a scenario to its end.
pub(super) fn run(text: &str) -> SimulationResult {
    let result = run_on(text, 1);
    assert_eq!(result.stopped, None);
    result
}

/// Values of a recorded variable, sample by sample, unit by unit.
pub(super) fn trace<'a>(result: &'a SimulationResult, population: &'a str, variable: &'a str) -> &'a [f64] {
    &result.recording.traces_of(population, variable).next().expect("recorded").values
}
