//! One population's lanes on one thread: which, how they are stepped, what is recorded of them and acts on them.

use std::ops::Range;

use super::Group;
use crate::BuildError;
use crate::body::{Body, Cells, Points, Sheet};
use crate::build::{Common, Found, unsuitable};
use crate::grid::Space;
use crate::inputs::Heard;
use crate::recorder::Tap;
use crate::stepper::{Column, Stepper, StepperSpec};
use crate::stimulus::Local;
use crate::tree::{Forest, TreeBuild, scheme, together};
use crate::values::slice;
use spikedeck_core::units::display_unit;
use spikedeck_scenario::{
    Coupling, EventId, Integrator, Place, PopulationId, PopulationSpec, Port, Recorded, Spec, TreeSpec,
};

/// The lanes of thread `index` of `threads`: equal shares in whole vectors of 16.
pub(crate) fn share(size: usize, index: usize, threads: usize) -> Range<usize> {
    let edge = |w: usize| if w == threads { size } else { (size * w / threads).next_multiple_of(16).min(size) };
    edge(index)..edge(index + 1)
}

/// The lanes of thread `index` of a population: whole cells of a tree, and all cells of a grid on one thread.
pub(crate) fn lanes(population: &PopulationSpec, p: PopulationId, index: usize, threads: usize) -> Range<usize> {
    if let Some(tree) = &population.tree {
        let edge = |w: usize| {
            if w == threads { tree.cells } else { (tree.cells * w / threads).next_multiple_of(4).min(tree.cells) }
        };
        return edge(index) * tree.units()..edge(index + 1) * tree.units();
    }
    // Operators of space reach across all cells, so these stay on one thread.
    let whole = !population.system.operators().is_empty();
    if whole {
        0..if p.index() % threads == index { population.size } else { 0 }
    } else {
        share(population.size, index, threads)
    }
}

/// What a port numbers on this thread: units, but on a tree the compartments that carry a receptor.
pub(crate) fn port_range(population: &PopulationSpec, port: Port, group: &Group) -> Range<u32> {
    let (first, lanes) = (group.first, group.lanes as u32);
    match (&population.tree, port) {
        (Some(tree), Port::Event(e)) => {
            let (units, slots) = (tree.units() as u32, tree.slots[e.index()].len() as u32);
            first / units * slots..(first + lanes) / units * slots
        }
        _ => first..first + lanes,
    }
}

/// How spikes of a population are heard by connections into `range` of what arrives at an event port.
pub(crate) fn heard(population: &PopulationSpec, port: EventId, range: Range<u32>) -> Heard {
    let Some(tree) = &population.tree else { return Heard::Units(range) };
    let (spiking, places) = (tree.spiking.len().max(1) as u32, tree.slots[port.index()].len().max(1) as u32);
    Heard::Cells { cells: range.start / places..range.end / places, spiking, places }
}

/// The cells of a tree on this thread.
fn cells(
    common: &Common<'_>,
    p: PopulationId,
    (population, tree): (&PopulationSpec, &TreeSpec),
    found: &Found,
    range: &Range<usize>,
) -> Result<Forest, BuildError> {
    let spec = common.spec;
    let driven: Vec<Vec<u32>> = population
        .input_ids()
        .map(|port| {
            let here = |t: &spikedeck_scenario::Target| t.population == p && t.port == Port::Input(port);
            let continuous = spec.projections.iter().any(|x| here(&x.to) && x.coupling != Coupling::Event);
            let mut units: Vec<u32> = Vec::new();
            for s in spec.stimuli.iter().filter(|s| here(&s.target)) {
                if s.units.is_empty() { units.extend(0..population.size as u32) } else { units.extend(&s.units) }
            }
            if continuous {
                units = (0..population.size as u32).collect();
            }
            units.sort_unstable();
            units.dedup();
            units
        })
        .collect();
    let cells = range.start / tree.units()..range.end / tree.units();
    let (mut trees, side_by_side) = (Vec::new(), together(tree.units()));
    for first in cells.clone().step_by(side_by_side) {
        let build = TreeBuild {
            population,
            tree,
            parameters: &found.parameters,
            initial: &found.initial,
            cells: first..(first + side_by_side).min(cells.end),
            dt: spec.simulation.dt,
            seed: spec.simulation.seed,
            driven: &driven,
            second_order: common.choices[p.index()].0 == Integrator::CrankNicolson,
            spike_times: spec.simulation.spike_times,
        };
        trees.push(build.build().map_err(|m| unsuitable(format!("populations.{}", population.name), m))?);
    }
    let here = |units: &Vec<u32>| {
        units.iter().filter(|u| range.contains(&(**u as usize))).map(|u| u - range.start as u32).collect()
    };
    let driven = driven.iter().map(here).collect();
    Ok(Forest::new(trees, tree.units(), tree.spiking.len(), driven))
}

/// The integrator of a population and why, by its first unit.
pub(crate) fn choice(
    spec: &Spec,
    population: &PopulationSpec,
    found: &Found,
) -> Result<(Integrator, String), BuildError> {
    if population.tree.is_some() {
        let (second_order, why) = scheme(population.integrator);
        let integrator = if second_order { Integrator::CrankNicolson } else { Integrator::BackwardEuler };
        return Ok((integrator, why.to_owned()));
    }
    let asked = found.layout.as_ref().map_or(population.integrator, |l| l.pointwise);
    let first = stepper(spec, population, found, &(0..population.size.min(1)), asked)?;
    let (integrator, why) = first.integrator();
    Ok((integrator, why.to_owned()))
}

/// The compiled equations of the lanes `range` of a population.
fn stepper(
    spec: &Spec,
    population: &PopulationSpec,
    found: &Found,
    range: &Range<usize>,
    integrator: Integrator,
) -> Result<Stepper, BuildError> {
    let entity = format!("populations.{}", population.name);
    let cut = |columns: &[Column]| columns.iter().map(|c| slice(c, range.start, range.len())).collect();
    Stepper::new(StepperSpec {
        system: found.layout.as_ref().map_or(&population.system, |l| &l.system),
        integrator,
        dt: spec.simulation.dt,
        substeps: population.substeps.max(1),
        parameters: cut(&found.parameters),
        initial: cut(&found.initial),
        first_unit: range.start as u32,
        lanes: range.len(),
        seed: spec.simulation.seed,
        entity: &entity,
        spike_times: spec.simulation.spike_times,
    })
    .map_err(|e| unsuitable(&entity, e.message))
}

/// What steps the lanes `range` of a population.
fn body(
    common: &Common<'_>,
    p: PopulationId,
    population: &PopulationSpec,
    found: &Found,
    range: &Range<usize>,
) -> Result<Box<dyn Body>, BuildError> {
    if let Some(tree) = &population.tree {
        return Ok(Box::new(Cells::new(cells(common, p, (population, tree), found, range)?)));
    }
    let spec = common.spec;
    let stepper = stepper(spec, population, found, range, common.choices[p.index()].0)?;
    let Some(layout) = found.layout.as_ref().filter(|l| !l.system.operators().is_empty()) else {
        return Ok(Box::new(Points::new(stepper)));
    };
    let entity = format!("populations.{}", population.name);
    let h = spec.simulation.dt * population.time_unit().per_second();
    let space = Space::new(layout, &stepper, h, spec.simulation.seed, &entity).map_err(|m| unsuitable(&entity, m))?;
    Ok(Box::new(Sheet::new(stepper, space, population.system.inputs().len())))
}

/// The lanes `range` of a population, with taps and probes.
pub(crate) fn group(
    common: &Common<'_>,
    p: PopulationId,
    population: &PopulationSpec,
    found: &Found,
    range: Range<usize>,
) -> Result<Group, BuildError> {
    let spec = common.spec;
    let entity = format!("populations.{}", population.name);
    let system = &population.system;
    let body = body(common, p, population, found, &range)?;
    let ports = [system.inputs().len(), system.event_ports().len()];
    let mut group = Group::new(p, range.start as u32, body, range.len(), ports, system.spikes());
    if let Some(tree) = &population.tree {
        group.first_source = (range.start / tree.units() * tree.spiking.len()) as u32;
    }
    group.check_every = if population.size <= 256 { 1 } else { 16 };
    group.emits = common.emitters.iter().position(|&e| e == p);
    let here = Place::Population(p);
    group.recorded = spec.records.iter().filter(|r| r.spikes).position(|r| r.place == here);
    let carried: Vec<usize> = spec
        .projections
        .iter()
        .filter(|x| x.coupling != Coupling::Event && x.to.population == p)
        .filter_map(|x| if let Port::Input(port) = x.to.port { Some(port.index()) } else { None })
        .collect();
    let mut reads_what_is_carried = false;
    for Recorded { id, request, variable, dimension, .. } in spec.recorded().filter(|r| r.place == here) {
        let scale = display_unit(dimension).scale;
        let lanes = (range.len(), request.every, scale);
        let what = group.body.probe(variable).map_err(|m| unsuitable(format!("record.{}", population.name), m))?;
        reads_what_is_carried |= carried.iter().any(|&port| group.body.reads(what, port));
        group.taps.extend(Tap::new(id, what, &request.units, range.start as u32, lanes));
    }
    group.plan_samples(reads_what_is_carried);
    for (index, (_, variable)) in common.histories.iter().enumerate().filter(|(_, h)| h.0 == p) {
        group.published.push((index, group.body.probe(&variable.of(system).name).map_err(|m| unsuitable(&entity, m))?));
    }
    Ok(group)
}

/// Hangs the stimuli on the groups they target.
pub(crate) fn attach_stimuli(common: &Common<'_>, groups: &mut [Group]) {
    for (index, (spec, stimulus)) in common.spec.stimuli.iter().zip(common.stimuli).enumerate() {
        let Some(group) = groups.iter_mut().find(|g| g.population == spec.target.population) else { continue };
        let range = port_range(common.spec.population(group.population), spec.target.port, group);
        let (first, lanes) = (range.start, range.len());
        let Some(local) = stimulus.local(first, lanes, &common.axis) else { continue };
        match (local, spec.target.port) {
            (Local::Level(level), Port::Input(port)) => {
                let input = &mut group.inputs[port.index()];
                input.stimulus.resize(group.lanes, 0.0);
                input.levels.push(*level);
                input.sources.push(index as u32);
            }
            (Local::Events(events), Port::Event(port)) => group.events.push((port.index(), events)),
            _ => unreachable!("the scenario refuses spikes into inputs and levels into receptors"),
        }
    }
}
