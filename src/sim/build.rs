//! From a resolved scenario to a network in memory: values found, lanes shared out, connections walked into tables.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::axis::Axis;
use super::coupling::{Coupling as CouplingInput, History};
use super::delivery::{Properties, Property, Ring, Table};
use super::describe::{described, wanted_connections};
use super::engine::{FailureNames, Plan};
use super::estimate;
use super::grid::{self, Layout};
use super::group::{Group, attach_stimuli, choice, group, heard, lanes, port_range};
use super::inputs::{ContinuousInput, EventInput, LearningInput, PlasticInput};
use super::path::{Path, changes, path};
use super::place::Place;
use super::plasticity::{self, Compiled, Plastic, Rates};
use super::recorder::{Take, Tape};
use super::stepper::Column;
use super::stimulus::Stimulus;
use super::tree::{Electrotonic, TreeBuild};
use super::values::{Names, resolve};
use super::worker::Worker;
use super::{BuildError, Network};
use spikedeck_core::rng::Key;
use spikedeck_equation::System;
use spikedeck_scenario::{
    Coupling, Integrator, PopulationId, PopulationSpec, Port, ProjectionSpec, Spec, SpikeTimes, Value, VariableId,
};

/// Fewest units a thread is started for.
const GRAIN: usize = 256;

/// A population with all its values found.
pub(super) struct Found {
    pub place: Place,
    /// Where its spikes start and its event ports are, on a tree.
    pub sources: Option<Place>,
    ports: Vec<Place>,
    pub parameters: Vec<Column>,
    pub initial: Vec<Column>,
    /// How it is stepped on a grid.
    pub layout: Option<Layout>,
}

impl Found {
    /// Where what arrives at a port arrives.
    pub fn port(&self, port: Port) -> &Place {
        match port {
            // Only a tree has places of its own for what arrives.
            Port::Event(e) => self.ports.get(e.index()).unwrap_or(&self.place),
            Port::Input(_) => &self.place,
        }
    }
}

/// Everything that does not belong to one thread.
pub(super) struct Common<'a> {
    pub spec: &'a Spec,
    pub axis: Axis,
    found: &'a [Found],
    /// Integrator of each population, and why.
    pub choices: &'a [(Integrator, String)],
    paths: &'a [Path<'a>],
    pub stimuli: &'a [Stimulus<'a>],
    /// Population and variable of each history.
    pub histories: &'a [(PopulationId, VariableId)],
    /// Populations in which event projections start.
    pub emitters: &'a [PopulationId],
    /// Bytes that are needed, and those that are allowed.
    memory: (u64, u64),
    /// Bytes that wait for delays, of all threads so far, where delays are computed.
    waiting: AtomicU64,
    cancel: &'a AtomicBool,
}

/// What cannot be built, and where.
pub(super) fn unsuitable(place: impl Into<String>, message: impl Into<String>) -> BuildError {
    BuildError::Unsuitable { place: place.into(), message: message.into() }
}

/// Bytes that are needed, and those that are allowed.
fn affordable(spec: &Spec) -> Result<(u64, u64), BuildError> {
    let (needed, largest) = estimate::estimate(spec);
    let allowed = estimate::allowed(spec);
    if needed > allowed { Err(BuildError::Memory { needed, allowed, largest }) } else { Ok((needed, allowed)) }
}

impl Common<'_> {
    /// Delays that are computed, where they are, are known only when the connections are: what waits for them is
    /// counted then, before it is allocated.
    fn afford_computed(&self, population: PopulationId, longest: usize, bytes: u64) -> Result<(), BuildError> {
        let (estimated, allowed) = self.memory;
        let needed = estimated + self.waiting.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if needed <= allowed {
            return Ok(());
        }
        let name = &self.spec.population(population).name;
        let largest = format!("delays of up to {longest} steps at populations.{name} keep {}", estimate::size(bytes));
        Err(BuildError::Memory { needed, allowed, largest })
    }
}

/// Finds everything that belongs to no thread, and hands it on.
fn prepared<T>(
    spec: &Spec,
    cancel: &AtomicBool,
    then: impl FnOnce(&Common<'_>) -> Result<T, BuildError>,
) -> Result<T, BuildError> {
    let memory = affordable(spec)?;
    let seed = spec.simulation.seed;
    let axis = Axis::new(spec.simulation.dt, spec.simulation.time_base);
    let mut found: Vec<Found> = spec.populations.iter().map(|p| find(p, seed)).collect();
    for (population, found) in spec.populations.iter().zip(&mut found) {
        if let Some(g) = &population.grid {
            let layout = grid::plan(population, g, &found.parameters, spec.simulation.dt, population.integrator);
            found.layout = Some(layout.map_err(|m| unsuitable(format!("populations.{}", population.name), m))?);
        }
    }

    let mut histories: Vec<(PopulationId, VariableId)> = Vec::new();
    let mut paths = Vec::new();
    for (projection, _) in spec.projection_ids() {
        paths.push(path(spec, projection, &found, &mut histories, axis)?);
    }
    let event = spec.projections.iter().filter(|p| p.coupling == Coupling::Event);
    let mut emitters: Vec<PopulationId> = event.clone().map(|p| p.from).collect();
    emitters.extend(event.filter(|p| p.plasticity.is_some()).map(|p| p.to.population));
    emitters.sort_unstable();
    emitters.dedup();
    let stimuli = spec
        .stimuli
        .iter()
        .map(|s| {
            let p = s.target.population;
            let units = spec.population(p).targets(s.target.port);
            Stimulus::new(s, units, found[p.index()].port(s.target.port), seed, &axis)
                .map_err(|m| unsuitable(format!("stimuli.{}", s.name), m))
        })
        .collect::<Result<Vec<_>, _>>()?;

    // Chosen once a population, by its first unit: a choice by each thread's own lanes would depend on their number.
    let choices =
        spec.populations.iter().zip(&found).map(|(p, found)| choice(spec, p, found)).collect::<Result<Vec<_>, _>>()?;
    then(&Common {
        spec,
        axis,
        found: &found,
        choices: &choices,
        paths: &paths,
        stimuli: &stimuli,
        histories: &histories,
        emitters: &emitters,
        memory,
        waiting: AtomicU64::new(0),
        cancel,
    })
}

/// See [`Network::examine`].
pub(super) fn examine(spec: &Spec) -> Result<(), BuildError> {
    prepared(spec, &AtomicBool::new(false), |common| {
        for ((p, population), found) in spec.population_ids().zip(common.found) {
            // Cells are alike in what can be wrong with them; units may differ.
            let count = population.tree.as_ref().map_or(population.size, |t| t.units().min(population.size));
            if count > 0 {
                group(common, p, population, found, 0..count)?;
            }
        }
        Ok(())
    })
}

/// See [`Network::build`].
pub(super) fn build(spec: &Spec, threads: usize, cancel: &AtomicBool) -> Result<Network, BuildError> {
    prepared(spec, cancel, |common| network(common, threads))
}

/// The network, built for `threads` threads.
fn network(common: &Common<'_>, threads: usize) -> Result<Network, BuildError> {
    let Common { spec, axis, found, choices, paths, histories, memory: (needed, allowed), .. } = *common;
    let units: usize = spec.populations.iter().map(|p| p.size).sum();
    let threads = threads.clamp(1, (units / GRAIN).max(1));
    let mut workers = std::thread::scope(|scope| {
        let rest: Vec<_> = (1..threads).map(|w| scope.spawn(move || worker(common, w, threads))).collect();
        let mut workers = vec![worker(common, 0, threads)];
        for handle in rest {
            workers.push(
                handle.join().unwrap_or_else(|_| Err(unsuitable("threads", "a thread that built its share crashed"))),
            );
        }
        workers.into_iter().collect::<Result<Vec<_>, _>>()
    })?;
    for path in paths {
        path.finder.check().map_err(|m| unsuitable(format!("projections.{}", path.spec.name), m))?;
    }

    let shortest = workers.iter().flat_map(|w| &w.event_inputs).filter_map(|i| i.table.delays()).map(|d| d.0).min();
    let interval = match (histories.is_empty(), shortest) {
        (false, _) => 1,
        (true, Some(d)) => u64::from(d.max(1)),
        (true, None) => 32,
    };
    let rounded = paths.iter().map(|p| p.finder.rounded()).sum::<u64>();
    let connections = workers
        .iter()
        .map(|w| {
            w.event_inputs.iter().map(|i| i.table.len()).sum::<u64>()
                + w.continuous_inputs.iter().map(|i| i.coupling.len()).sum::<u64>()
        })
        .sum();
    let integrators = spec
        .populations
        .iter()
        .zip(choices)
        .zip(found)
        .map(|((p, (integrator, why)), found)| {
            let name = integrator.name();
            let text = match &found.layout {
                Some(layout) => layout.describe(name, why),
                None if why.is_empty() => name.to_owned(),
                None => format!("{name}: {why}"),
            };
            (p.name.clone(), text)
        })
        .collect();
    let recorded = plasticity::attach(spec, &mut workers).map_err(|(place, m)| unsuitable(place, m))?;
    let tape = Tape::new(&recorded, axis, described(spec, found), wanted_connections(spec, &workers, axis));
    let recording_budget = allowed.saturating_sub(needed).max(1 << 20);
    let projections = paths
        .iter()
        .map(|p| {
            let values =
                p.plastic.as_ref().map(Compiled::of_connections).or(p.rates.as_ref().map(Rates::of_connections));
            (p.spec.name.clone(), values.unwrap_or_default().to_vec())
        })
        .collect();
    let names = FailureNames::of(spec, projections);
    let plan = Plan { workers, tape, steps: spec.simulation.steps, interval, recording_budget, names };
    Ok(Network { plan, integrators, connections, rounded })
}

/// See [`Network::electrotonic`].
pub(super) fn electrotonic(spec: &Spec, population: PopulationId) -> Result<Vec<Electrotonic>, BuildError> {
    let p = spec.population(population);
    let entity = format!("populations.{}", p.name);
    let found = find(p, spec.simulation.seed);
    let Some(tree) = &p.tree else { return Err(unsuitable(entity, "this population is no tree")) };
    let nothing = vec![Vec::new(); p.system.inputs().len()];
    let build = TreeBuild {
        population: p,
        tree,
        parameters: &found.parameters,
        initial: &found.initial,
        cells: 0..1,
        dt: spec.simulation.dt,
        seed: spec.simulation.seed,
        driven: &nothing,
        second_order: false,
        spike_times: SpikeTimes::Grid,
    };
    let built = build.build().and_then(|mut t| Ok(t.electrotonic(tree, &build.resistivity()?)));
    built.map_err(|m| unsuitable(entity, m))
}

/// Positions, parameters and initial values of a population.
fn find(population: &PopulationSpec, seed: u64) -> Found {
    let entity = format!("populations.{}", population.name);
    let place = Place::of(population, seed);
    assert!(
        place.positions.is_empty() || place.positions.len() == population.size,
        "the scenario refuses lists of positions that are not one a unit"
    );
    let system: &System = &population.system;
    let mut parameters: Vec<Option<Column>> = vec![None; population.parameters.len()];
    // Expressions may name parameters, so those come last, in their own order.
    for expressions in [false, true] {
        for (index, (value, variable)) in population.parameters.iter().zip(system.parameters()).enumerate() {
            if matches!(value, Value::Expression(_)) != expressions {
                continue;
            }
            let names = Names { size: population.size, place: &place, known: &parameters };
            let key = Key::new(seed, &entity, &format!("parameters.{}", variable.name));
            let column = resolve(value, &names, key);
            parameters[index] = Some(column);
        }
    }
    let mut initial = Vec::new();
    for (value, variable) in population.initial.iter().zip(system.states()) {
        let names = Names { size: population.size, place: &place, known: &parameters };
        let key = Key::new(seed, &entity, &format!("initial.{}", variable.name));
        let column = resolve(value, &names, key);
        initial.push(column);
    }
    let (sources, ports) = match &population.tree {
        Some(t) => (Some(place.part(t, &t.spiking)), t.slots.iter().map(|s| place.part(t, s)).collect()),
        None => (None, Vec::new()),
    };
    Found { place, sources, ports, parameters: parameters.into_iter().flatten().collect(), initial, layout: None }
}

/// One thread's share.
fn worker(common: &Common<'_>, index: usize, threads: usize) -> Result<Worker, BuildError> {
    let spec = common.spec;
    let (spikes, traces) = (spec.records.iter().filter(|r| r.spikes).count(), spec.recorded().count());
    let mut groups = Vec::new();
    for ((p, population), found) in spec.population_ids().zip(common.found) {
        let range = lanes(population, p, index, threads);
        if range.is_empty() {
            continue;
        }
        groups.push(group(common, p, population, found, range)?);
    }
    let at = |population: PopulationId, groups: &[Group]| groups.iter().position(|g| g.population == population);
    let mut event_inputs = Vec::new();
    let mut continuous_inputs = Vec::new();
    for path in common.paths {
        if common.cancel.load(Ordering::Relaxed) {
            return Err(BuildError::Cancelled);
        }
        let target = &path.spec.to;
        let Some(to) = at(target.population, &groups) else { continue };
        let range = port_range(spec.population(target.population), target.port, &groups[to]);
        let weight = |link: &super::connect::Link| path.finder.weight(link);
        let delay = |link: &super::connect::Link| path.finder.delay(link);
        let properties = Properties {
            weight: path
                .finder
                .same_weight()
                .filter(|_| !changes(path))
                .map_or(Property::Each(&weight), Property::Same),
            delay: path.finder.same_delay().map_or(Property::Each(&delay), Property::Same),
        };
        let from = spikedeck_scenario::Place::Population(path.spec.from);
        let written = spec.records.iter().any(|r| r.place == from && r.connections);
        match (&path.continuous, target.port) {
            (None, Port::Event(port)) => {
                let table = Table::build(&path.wiring, range.clone(), &properties)
                    .map_err(|m| unsuitable(format!("projections.{}", path.spec.name), m))?;
                let emitter = |population: PopulationId| {
                    let index = common.emitters.iter().position(|&e| e == population);
                    index.expect("both ends of every event projection that needs their spikes are among the emitters")
                };
                let first = range.start;
                let plastic = path.plastic.as_ref().map(|rule| PlasticInput {
                    plastic: Plastic::new(rule, &table, path.wiring.sources as usize, range.len()),
                    projection: path.id,
                    to: emitter(target.population),
                    heard: heard(spec.population(target.population), port, range),
                    taps: Vec::new(),
                    written,
                });
                event_inputs.push(EventInput {
                    table,
                    to,
                    port: port.index(),
                    first,
                    from: emitter(path.spec.from),
                    plastic,
                });
            }
            (Some(carried), Port::Input(port)) => {
                let mut coupling = CouplingInput::new(carried, &path.wiring, range, &properties);
                let plastic = path.rates.as_ref().map(|rates| {
                    coupling.learn_by(rates, path.wiring.sources as usize);
                    LearningInput { projection: path.id, taps: Vec::new(), written }
                });
                continuous_inputs.push(ContinuousInput { coupling, to, port: port.index(), plastic });
            }
            _ => unreachable!("the scenario lets spikes end at receptors and continuous values at inputs"),
        }
    }
    attach_stimuli(common, &mut groups);
    for (g, group) in groups.iter_mut().enumerate() {
        let mut rings = Vec::new();
        for id in spec.population(group.population).event_ids() {
            let port = id.index();
            let tables = event_inputs.iter().filter(|i| i.to == g && i.port == port);
            let longest = tables.filter_map(|i| i.table.delays()).map(|d| usize::from(d.1)).max();
            let stimulated = group.events.iter().any(|e| e.0 == port);
            if longest.is_some() || stimulated {
                let lanes = port_range(spec.population(group.population), Port::Event(id), group).len();
                let longest_here = longest.unwrap_or(0);
                let here = |p: &&ProjectionSpec| p.to.population == group.population && p.to.port == Port::Event(id);
                if spec.projections.iter().filter(here).any(|p| matches!(p.delay, Value::Expression(_))) {
                    common.afford_computed(group.population, longest_here, Ring::bytes(lanes, longest_here))?;
                }
                let adds_up = spec.population(group.population).system.superposes(port);
                let ring = if adds_up { Ring::new } else { Ring::of_singles };
                rings.push((port, ring(lanes, longest_here)));
            }
        }
        for (port, ring) in rings {
            group.rings[port] = Some(ring);
        }
        for input in continuous_inputs.iter().filter(|i| i.to == g) {
            let port = &mut group.inputs[input.port];
            port.total = vec![0.0; group.lanes];
            port.stimulus.resize(group.lanes, 0.0);
        }
    }
    let longest = continuous_inputs.iter().map(|i| i.coupling.longest()).max().unwrap_or(0);
    for (population, _) in common.histories {
        let rows = (longest as u64 + 1).next_power_of_two();
        let from = |p: &&ProjectionSpec| matches!(p.coupling, Coupling::Continuous { .. }) && p.from == *population;
        if spec.projections.iter().filter(from).any(|p| matches!(p.delay, Value::Expression(_))) {
            common.afford_computed(*population, longest, rows * spec.population(*population).size as u64 * 8)?;
        }
    }
    let histories = common.histories.iter().map(|(p, _)| History::new(spec.population(*p).size, longest)).collect();
    let mut worker = Worker::new(common.axis, common.emitters.len(), histories, Take::new(spikes, traces));
    worker.groups = groups;
    worker.event_inputs = event_inputs;
    worker.continuous_inputs = continuous_inputs;
    Ok(worker)
}
