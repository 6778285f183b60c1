//! Building a network: from a resolved scenario to what the engine steps.
//!
//! The stages, in their order:
//!
//! 1. `prepare`: what belongs to no thread. Memory is estimated before anything is allocated (`estimate`, beside this
//!    folder); then come positions, parameters and initial values of every population (`population`), what every
//!    projection needs before its connections are walked (`projection`, with the weights and delays of `properties`),
//!    the stimuli, the integrator of every population, how continuous coupling is a part of the step (`whole`), and
//!    whether it is stable for it (`gain`); a few units are tried alone, whether they spike as often as their equations
//!    do (`rehearsal`).
//!    `examine` goes no further than trying one group of each.
//! 2. `share`: the part of one thread, on that thread: its lanes of every population (`lanes`) as groups that are
//!    stepped, recorded and stimulated (`group`), the connections into them (`inputs`), and room for what is under way
//!    as long as the longest delay (`buffers`).
//! 3. `network`: all shares together. Weights and delays that were computed are checked, samplers are put on
//!    connections (`samplers`), and the recording is laid out with what it says of the network itself (`describe`).
//!
//! Nothing here runs again once the first step begins.

mod buffers;
mod coupled;
mod describe;
mod gain;
mod group;
mod inputs;
mod lanes;
mod population;
mod prepare;
mod projection;
mod properties;
mod ranges;
mod rehearsal;
mod rests;
mod samplers;
mod share;
mod whole;

use std::sync::atomic::AtomicBool;

use self::describe::{described, wanted_connections};
use self::group::{Choice, group};
use self::population::PopulationValues;
pub(super) use self::prepare::Tries;
use self::prepare::{Prepared, prepare};
use self::share::share;
use super::coupled::Coupled;
use super::engine::{Begun, FailureNames, Setup};
use super::plasticity::{Compiled, Rates};
use super::recorder::Recorder;
use super::tree::{Electrotonic, TreeBuild};
use super::worker::Worker;
use super::{BuildError, Network};
use spikedeck_scenario::{PopulationId, Spec, SpikeTimes};

/// Fewest units a thread is started for.
const GRAIN: usize = 256;

/// Steps between exchanges where threads have nothing to tell each other.
const FREE_INTERVAL: u64 = 32;

/// Bytes that a recording may take at least.
const LEAST_RECORDING: u64 = 1 << 20;

/// What cannot be built, and where.
fn unsuitable(place: impl Into<String>, message: impl Into<String>) -> BuildError {
    BuildError::Unsuitable { place: place.into(), message: message.into() }
}

/// See [`Network::examine`].
pub(super) fn examine(spec: &Spec) -> Result<Vec<String>, BuildError> {
    prepare(spec, Tries::Yes, &AtomicBool::new(false), |prepared| {
        for (p, population) in spec.population_ids() {
            // Cells are alike in what can be wrong with them; units may differ.
            let count = population.tree.as_ref().map_or(population.size, |t| t.units().min(population.size));
            if count > 0 {
                group(prepared, p, 0..count)?;
            }
        }
        Ok(prepared.warnings.clone())
    })
}

/// See [`Network::build`] and [`Network::build_untried`].
pub(super) fn build(spec: &Spec, tries: Tries, threads: usize, cancel: &AtomicBool) -> Result<Network, BuildError> {
    prepare(spec, tries, cancel, |prepared| network(prepared, threads))
}

/// See [`Network::electrotonic`].
pub(super) fn electrotonic(spec: &Spec, population: PopulationId) -> Result<Vec<Electrotonic>, BuildError> {
    let p = spec.population(population);
    let entity = format!("populations.{}", p.name);
    let values = PopulationValues::find(p, spec.simulation.seeds.values);
    let Some(tree) = &p.tree else { return Err(unsuitable(entity, "this population is no tree")) };
    let nothing = vec![Vec::new(); p.system.inputs().len()];
    let build = TreeBuild {
        population: p,
        tree,
        parameters: &values.parameters,
        initial: &values.initial,
        cells: 0..1,
        dt: spec.simulation.dt,
        seed: spec.simulation.noise_seed(),
        driven: &nothing,
        second_order: false,
        spike_times: SpikeTimes::Grid,
    };
    let built = build.build().and_then(|mut t| Ok(t.electrotonic(tree, &build.resistivity()?)));
    built.map_err(|m| unsuitable(entity, m))
}

/// See [`Network::coupled`].
pub(super) fn coupled(spec: &Spec, populations: &[PopulationId], cancel: &AtomicBool) -> Result<Coupled, BuildError> {
    coupled::coupled(spec, populations, cancel)
}

/// The network, built for `threads` threads.
fn network(prepared: &Prepared<'_>, threads: usize) -> Result<Network, BuildError> {
    let Prepared { spec, axis, memory: (needed, allowed), .. } = *prepared;
    let mut workers = shares(prepared, threads)?;
    for projection in prepared.projections {
        let fits = projection.values.check();
        fits.map_err(|m| unsuitable(format!("projections.{}", projection.spec.name), m))?;
    }
    let interval = interval(prepared, &workers);
    let recorded = samplers::attach(spec, &mut workers)?;
    let populations = described(spec, prepared.populations);
    let recorder = Recorder::new(&recorded, axis, populations, wanted_connections(spec, &workers, axis));
    let connections = workers.iter().map(connections).sum();
    let setup = Setup {
        workers,
        recorder,
        begun: Begun::default(),
        steps: spec.simulation.steps,
        interval,
        recording_budget: allowed.saturating_sub(needed).max(LEAST_RECORDING),
        names: FailureNames::of(spec, connection_names(prepared)),
    };
    let rounded = prepared.projections.iter().map(|p| p.values.rounded()).sum();
    let warnings = prepared.warnings.clone();
    Ok(Network { setup, integrators: integrators(prepared), connections, rounded, warnings })
}

/// The shares of all threads, each built by a thread of its own; fewer threads than asked where there is little to do.
fn shares(prepared: &Prepared<'_>, threads: usize) -> Result<Vec<Worker>, BuildError> {
    let units: usize = prepared.spec.populations.iter().map(|p| p.size).sum();
    let threads = threads.clamp(1, (units / GRAIN).max(1));
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|w| scope.spawn(move || share(prepared, w, threads))).collect();
        let mut workers = vec![share(prepared, 0, threads)];
        for handle in others {
            workers.push(
                handle.join().unwrap_or_else(|_| Err(unsuitable("threads", "a thread that built its share crashed"))),
            );
        }
        workers.into_iter().collect()
    })
}

/// Steps between exchanges of spikes: the shortest delay, and one where values are looked at in every step.
fn interval(prepared: &Prepared<'_>, workers: &[Worker]) -> u64 {
    if !prepared.histories.is_empty() {
        return 1;
    }
    let shortest = workers.iter().flat_map(|w| &w.event_inputs).filter_map(|i| i.table.delays()).map(|d| d.0).min();
    shortest.map_or(FREE_INTERVAL, |d| u64::from(d.max(1)))
}

/// Connections into the lanes of one thread.
fn connections(worker: &Worker) -> u64 {
    let event: u64 = worker.event_inputs.iter().map(|i| i.table.len()).sum();
    event + worker.continuous_inputs.iter().map(|i| i.coupling.len()).sum::<u64>()
}

/// Each population with its integrator and why.
fn integrators(prepared: &Prepared<'_>) -> Vec<(String, String)> {
    let text = |p: PopulationId, Choice { integrator, why, .. }: &Choice, values: &PopulationValues| {
        let own = match &values.layout {
            None if prepared.spec.population(p).system.plays() => why.clone(),
            Some(layout) => layout.describe(integrator.name(), why),
            None if why.is_empty() => integrator.name().to_owned(),
            None => format!("{}: {why}", integrator.name()),
        };
        own + prepared.whole.said(prepared.spec, p, *integrator)
    };
    let populations = prepared.spec.population_ids().zip(prepared.choices).zip(prepared.populations);
    populations.map(|(((p, population), choice), values)| (population.name.clone(), text(p, choice, values))).collect()
}

/// Each projection with the values of its connections that change, as failures name them.
fn connection_names(prepared: &Prepared<'_>) -> Vec<(String, Vec<String>)> {
    let named = prepared.projections.iter().map(|p| {
        let values = match (&p.spike_rules, &p.rate_rules) {
            (Some(rules), _) => Compiled::of_connections(rules).to_vec(),
            (None, Some(rules)) => Rates::of_connections(rules).to_vec(),
            (None, None) => Vec::new(),
        };
        (p.spec.name.clone(), values)
    });
    named.collect()
}
