//! One population's lanes on one thread: how they are stepped, what is recorded of them and acts on them.

use std::ops::Range;

use super::lanes::port_range;
use super::population::PopulationValues;
use super::prepare::Prepared;
use super::{ranges, unsuitable};
use crate::BuildError;
use crate::body::{Body, Cells, Player, Points, Sheet};
use crate::grid::Space;
use crate::group::Group;
use crate::port::Limits;
use crate::recorder::Sampler;
use crate::stepper::{Stepper, StepperSpec, UnitValues};
use crate::stimulus::Local;
use crate::tree::{Forest, TreeBuild, doubt, scheme, together};
use crate::values::slice;
use spikedeck_core::units::display_unit;
use spikedeck_equation::drive::Drive;
use spikedeck_scenario::{
    Coupling, InputId, Integrator, Place, PopulationId, PopulationSpec, Port, Recorded, Spec, SpikeTimes, Target,
    TracedId, TreeSpec,
};

/// The units of a population that something drives through an input port.
fn driven(spec: &Spec, p: PopulationId, port: Port) -> Vec<u32> {
    let here = |t: &Target| t.population == p && t.port == port;
    let every = 0..spec.population(p).size as u32;
    if spec.projections.iter().any(|x| here(&x.to) && x.coupling != Coupling::Event) {
        return every.collect();
    }
    let mut units: Vec<u32> = Vec::new();
    for s in spec.stimuli.iter().filter(|s| here(&s.target)) {
        if s.units.is_empty() { units.extend(every.clone()) } else { units.extend(&s.units) }
    }
    units.sort_unstable();
    units.dedup();
    units
}

/// Cells of a tree by units, with a scheme and a number of steps in one of the run.
fn cells(
    prepared: &Prepared<'_>,
    p: PopulationId,
    tree: &TreeSpec,
    range: &Range<usize>,
    trial: Trial,
) -> Result<Forest, BuildError> {
    let spec = prepared.spec;
    let (population, values) = prepared.population(p);
    let driven: Vec<Vec<u32>> = population.input_ids().map(|port| driven(spec, p, Port::Input(port))).collect();
    let cells = range.start / tree.units()..range.end / tree.units();
    let (mut trees, side_by_side) = (Vec::new(), together(tree.units()));
    for first in cells.clone().step_by(side_by_side) {
        let build = TreeBuild {
            population,
            tree,
            parameters: &values.parameters,
            initial: &values.initial,
            cells: first..(first + side_by_side).min(cells.end),
            dt: spec.simulation.dt / f64::from(trial.parts),
            seed: spec.simulation.noise_seed(),
            driven: &driven,
            second_order: trial.integrator == Integrator::CrankNicolson,
            spike_times: trial.spike_times,
        };
        trees.push(build.build().map_err(|m| unsuitable(format!("populations.{}", population.name), m))?);
    }
    let here = |units: &Vec<u32>| {
        units.iter().filter(|u| range.contains(&(**u as usize))).map(|u| u - range.start as u32).collect()
    };
    let driven = driven.iter().map(here).collect();
    Ok(Forest::new(trees, tree.units(), tree.spiking.len(), driven))
}

/// The integrator of a population.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub integrator: Integrator,
    /// In words.
    pub why: String,
    /// Why its step is too long, if it is.
    pub doubt: Option<String>,
}

/// The integrator of a population and why, by its first unit.
pub(super) fn choice(
    spec: &Spec,
    population: &PopulationSpec,
    values: &PopulationValues,
) -> Result<Choice, BuildError> {
    if population.system.plays() {
        let why = "its spikes are played, and there is nothing to integrate".to_owned();
        return Ok(Choice { integrator: Integrator::Auto, why, doubt: None });
    }
    if let Some(tree) = &population.tree {
        let (second_order, why) = scheme(population.integrator);
        let integrator = if second_order { Integrator::CrankNicolson } else { Integrator::BackwardEuler };
        let build = TreeBuild {
            population,
            tree,
            parameters: &values.parameters,
            initial: &values.initial,
            cells: 0..1,
            dt: spec.simulation.dt,
            seed: spec.simulation.noise_seed(),
            driven: &vec![Vec::new(); population.system.inputs().len()],
            second_order,
            spike_times: spec.simulation.spike_times,
        };
        let doubt = doubt(&build).map_err(|m| unsuitable(format!("populations.{}", population.name), m))?;
        return Ok(Choice { integrator, why: why.to_owned(), doubt });
    }
    let asked = values.layout.as_ref().map_or(population.integrator, |l| l.pointwise);
    let first = stepper(spec, population, values, &(0..population.size.min(1)), asked, false)?;
    let (integrator, why) = first.integrator();
    let doubt = first.doubt().filter(|_| population.grid.is_none()).map(str::to_owned);
    Ok(Choice { integrator, why: why.to_owned(), doubt })
}

/// How a unit is tried.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trial {
    pub integrator: Integrator,
    pub spike_times: SpikeTimes,
    /// Steps in one of the run.
    pub parts: u32,
}

impl Trial {
    /// What the run does.
    pub fn asked(prepared: &Prepared<'_>, p: PopulationId) -> Self {
        let integrator = prepared.choices[p.index()].integrator;
        Self { integrator, spike_times: prepared.spec.simulation.spike_times, parts: 1 }
    }
}

/// The lanes `range`, one unit or one cell, to which nothing is attached, without white noise of the equations.
///
/// # Errors
/// When they cannot be stepped so.
pub(super) fn unattached(
    prepared: &Prepared<'_>,
    p: PopulationId,
    range: &Range<usize>,
    trial: Trial,
) -> Result<Box<dyn Body>, BuildError> {
    let (population, values) = prepared.population(p);
    if let Some(tree) = &population.tree {
        return Ok(Box::new(Cells::new(cells(prepared, p, tree, range, trial)?)));
    }
    let entity = format!("populations.{}", population.name);
    let own = specification(prepared.spec, population, values, range, &entity);
    let spec = StepperSpec {
        integrator: trial.integrator,
        spike_times: trial.spike_times,
        dt: own.dt / f64::from(trial.parts),
        noise_factor: 0.0,
        ..own
    };
    Ok(Box::new(Points::new(Stepper::new(spec).map_err(|e| unsuitable(&entity, e.message))?)))
}

/// What the lanes `range` of a population are compiled from, before a scheme is chosen.
fn specification<'a>(
    spec: &Spec,
    population: &'a PopulationSpec,
    values: &'a PopulationValues,
    range: &Range<usize>,
    entity: &'a str,
) -> StepperSpec<'a> {
    let cut = |columns: &[UnitValues]| columns.iter().map(|c| slice(c, range.start, range.len())).collect();
    StepperSpec {
        system: values.layout.as_ref().map_or(&population.system, |l| &l.system),
        integrator: population.integrator,
        dt: spec.simulation.dt,
        substeps: population.substeps.max(1),
        parameters: cut(&values.parameters),
        initial: cut(&values.initial),
        first_unit: range.start as u32,
        lanes: range.len(),
        seed: spec.simulation.noise_seed(),
        entity,
        spike_times: spec.simulation.spike_times,
        noise_factor: population.grid.as_ref().map_or(1.0, spikedeck_scenario::GridSpec::noise_factor),
        in_stages: false,
    }
}

/// The compiled equations of the lanes `range` of a population.
fn stepper(
    spec: &Spec,
    population: &PopulationSpec,
    values: &PopulationValues,
    range: &Range<usize>,
    integrator: Integrator,
    in_stages: bool,
) -> Result<Stepper, BuildError> {
    let entity = format!("populations.{}", population.name);
    let own = specification(spec, population, values, range, &entity);
    Stepper::new(StepperSpec { integrator, in_stages, ..own }).map_err(|e| unsuitable(&entity, e.message))
}

/// What steps the lanes `range` of a population.
fn body(prepared: &Prepared<'_>, p: PopulationId, range: &Range<usize>) -> Result<Box<dyn Body>, BuildError> {
    let (population, values) = prepared.population(p);
    if population.system.plays() {
        return Ok(Box::new(Player::default()));
    }
    if let Some(tree) = &population.tree {
        return Ok(Box::new(Cells::new(cells(prepared, p, tree, range, Trial::asked(prepared, p))?)));
    }
    let spec = prepared.spec;
    let in_stages = prepared.whole.is_in_stages(spec, p);
    let stepper = stepper(spec, population, values, range, prepared.choices[p.index()].integrator, in_stages)?;
    let Some(layout) = values.layout.as_ref().filter(|l| !l.system.operators().is_empty()) else {
        return Ok(Box::new(Points::new(stepper)));
    };
    let entity = format!("populations.{}", population.name);
    let h = spec.simulation.dt * population.time_unit().per_second();
    let space =
        Space::new(layout, &stepper, h, spec.simulation.noise_seed(), &entity).map_err(|m| unsuitable(&entity, m))?;
    Ok(Box::new(Sheet::new(stepper, space, population.system.inputs().len())))
}

/// The lanes `range` of a population, with samplers and probes.
///
/// # Errors
/// When the equations cannot be stepped with these values.
pub(super) fn group(prepared: &Prepared<'_>, p: PopulationId, range: Range<usize>) -> Result<Group, BuildError> {
    let spec = prepared.spec;
    let population = spec.population(p);
    let system = &population.system;
    let body = body(prepared, p, &range)?;
    let ports = [system.inputs().len(), system.event_ports().len() + usize::from(system.plays())];
    let mut group = Group::new(p, range.start as u32, body, range.len(), ports, system.spikes());
    if let Some(tree) = &population.tree {
        group.first_source = (range.start / tree.units() * tree.spiking.len()) as u32;
    }
    group.check_every = if population.size <= 256 { 1 } else { 16 };
    group.emits = prepared.emitter(p);
    let here = Place::Population(p);
    group.recorded = spec.records.iter().filter(|r| r.spikes).position(|r| r.place == here);
    observe(prepared, &mut group);
    Ok(group)
}

/// Hangs on a group what is recorded of it, and what others look at.
fn observe(prepared: &Prepared<'_>, group: &mut Group) {
    let (spec, p) = (prepared.spec, group.population);
    let here = Place::Population(p);
    let carried: Vec<usize> = spec
        .projections
        .iter()
        .filter(|x| x.coupling != Coupling::Event && x.to.population == p)
        .filter_map(|x| if let Port::Input(port) = x.to.port { Some(port.index()) } else { None })
        .collect();
    let mut reads_what_is_carried = false;
    for Recorded { id, request, variable, .. } in spec.recorded().filter(|r| r.place == here) {
        let scale = display_unit(variable.dimension).scale;
        let lanes = (group.lanes, request.every, scale);
        let TracedId::Unit(variable) = variable.id else {
            unreachable!("the scenario records quantities of units of a population")
        };
        let what = group.body.probe(variable);
        reads_what_is_carried |= carried.iter().any(|&port| group.body.reads(what, port));
        group.samplers.extend(Sampler::new(id, what, &request.units, group.first, lanes));
    }
    group.plan_samples(reads_what_is_carried);
    for (index, (_, variable)) in prepared.histories.iter().enumerate().filter(|(_, h)| h.0 == p) {
        let what = group.body.probe(*variable);
        group.published.push((index, what));
    }
}

/// The range of the parameter that a port changes, if it changes one that has a range, for some lanes.
fn limits(prepared: &Prepared<'_>, p: PopulationId, port: InputId, lanes: Range<usize>) -> Option<Limits> {
    let (population, values) = prepared.population(p);
    let Some(Drive::Change(index)) = population.system.drive(port.index()) else { return None };
    let name = &population.system.parameters()[index].name;
    let declared = ranges::declared(population, name).filter(|d| d.least().is_some() || d.max.is_some())?;
    let own = slice(&values.parameters[index], lanes.start, lanes.len());
    let (least, most) = (declared.least().unwrap_or(f64::NEG_INFINITY), declared.max.unwrap_or(f64::INFINITY));
    Some(Limits { own, least, most })
}

/// Hangs the stimuli on the groups they target.
pub(super) fn attach_stimuli(prepared: &Prepared<'_>, groups: &mut [Group]) {
    for (index, (spec, stimulus)) in prepared.spec.stimuli.iter().zip(prepared.stimuli).enumerate() {
        let Some(group) = groups.iter_mut().find(|g| g.population == spec.target.population) else { continue };
        let range = port_range(prepared.spec.population(group.population), spec.target.port, group);
        let (first, lanes) = (range.start, range.len());
        let Some(local) = stimulus.local(first, lanes, &prepared.axis) else { continue };
        match (local, spec.target.port) {
            (Local::Level(level), Port::Input(port)) => {
                let input = &mut group.inputs[port.index()];
                input.stimulus.resize(group.lanes, 0.0);
                input.levels.push(*level);
                input.sources.push(index as u32);
                input.limits = limits(prepared, group.population, port, first as usize..first as usize + lanes);
            }
            (Local::Events(events), Port::Event(port)) => {
                group.events.push((port.index(), index as u32, events));
            }
            (Local::Events(events), Port::Spikes) => group.events.push((0, index as u32, events)),
            _ => unreachable!("the scenario refuses spikes into inputs and levels into receptors"),
        }
    }
}
