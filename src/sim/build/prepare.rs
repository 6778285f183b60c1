//! What belongs to no thread: the values of populations, projections ready to be walked, stimuli, integrators.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::gain;
use super::group::{Choice, choice};
use super::population::PopulationValues;
use super::projection::PreparedProjection;
use super::rehearsal::miscounts;
use super::rests;
use super::unsuitable;
use super::whole::Whole;
use crate::BuildError;
use crate::axis::Axis;
use crate::estimate;
use crate::stimulus::{Stimulus, most};
use spikedeck_scenario::{Coupling, PopulationId, PopulationSpec, Port, Spec, Stimulus as _, StimulusSpec, VariableId};

/// Everything that does not belong to one thread.
pub(super) struct Prepared<'a> {
    pub spec: &'a Spec,
    pub axis: Axis,
    /// In the order of the scenario, as are projections and stimuli.
    pub populations: &'a [PopulationValues],
    /// Integrator of each population, and why.
    pub choices: &'a [Choice],
    /// How continuous coupling is a part of the step.
    pub whole: &'a Whole,
    /// What is to be told: steps that are too long, spikes miscounted, noise that is not scaled.
    pub warnings: Vec<String>,
    pub projections: &'a [PreparedProjection<'a>],
    pub stimuli: &'a [Stimulus<'a>],
    /// Population and variable of each history.
    pub histories: &'a [(PopulationId, VariableId)],
    /// Populations whose spikes event projections look at.
    pub emitters: &'a [PopulationId],
    /// Bytes that are needed, and those that are allowed.
    pub memory: (u64, u64),
    /// Bytes that wait for delays, of all threads so far, where delays are computed.
    waiting: AtomicU64,
    cancel: &'a AtomicBool,
}

/// Whether units are tried alone before anything is built, which takes as long as short runs of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tries {
    Yes,
    No,
}

/// Finds everything that belongs to no thread, and hands it on.
pub(super) fn prepare<T>(
    spec: &Spec,
    tries: Tries,
    cancel: &AtomicBool,
    then: impl FnOnce(&Prepared<'_>) -> Result<T, BuildError>,
) -> Result<T, BuildError> {
    let memory = affordable(spec)?;
    let axis = Axis::new(spec.simulation.dt, spec.simulation.time_base);
    let populations = PopulationValues::all(spec)?;
    let mut histories: Vec<(PopulationId, VariableId)> = Vec::new();
    let projections = spec
        .projection_ids()
        .map(|(projection, _)| PreparedProjection::new(spec, projection, &populations, &mut histories, axis))
        .collect::<Result<Vec<_>, _>>()?;
    let stimuli = stimuli(spec, &populations, &axis)?;
    // Chosen once a population, by its first unit: a choice by each thread's own lanes would depend on their number.
    let choices = spec.populations.iter().zip(&populations).map(|(p, values)| choice(spec, p, values));
    let choices = choices.collect::<Result<Vec<_>, _>>()?;
    let whole = Whole::new(spec, &populations, &choices, &projections)?;
    let gain = gain::examine(spec, &populations, &projections, &histories)?;
    let rests = spec.populations.iter().zip(&populations).filter_map(|(p, values)| {
        let said = rests::rounded(spec, p, values)?;
        Some(format!("populations.{}: {said}", p.name))
    });
    let warnings = warnings(spec, &choices).into_iter().chain(gain).chain(rests).collect();
    let mut prepared = Prepared {
        spec,
        axis,
        populations: &populations,
        choices: &choices,
        whole: &whole,
        warnings,
        projections: &projections,
        stimuli: &stimuli,
        histories: &histories,
        emitters: &emitters(spec),
        memory,
        waiting: AtomicU64::new(0),
        cancel,
    };
    if tries == Tries::Yes {
        let miscounts = miscounts(&prepared)?;
        prepared.warnings.extend(miscounts);
    }
    then(&prepared)
}

impl Prepared<'_> {
    /// A population and its values.
    pub fn population(&self, p: PopulationId) -> (&PopulationSpec, &PopulationValues) {
        (self.spec.population(p), &self.populations[p.index()])
    }

    /// # Errors
    /// When the network is no longer wanted.
    pub fn go_on(&self) -> Result<(), BuildError> {
        if self.cancel.load(Ordering::Relaxed) { Err(BuildError::Cancelled) } else { Ok(()) }
    }

    /// The index of a population's spikes in the outboxes, if event projections look at them.
    pub fn emitter(&self, population: PopulationId) -> Option<usize> {
        self.emitters.iter().position(|&e| e == population)
    }

    /// Delays that are computed, where they are, are known only when the connections are: what waits for them is
    /// counted then, before it is allocated.
    ///
    /// # Errors
    /// When it is more than what is allowed.
    pub fn afford_computed(&self, population: PopulationId, longest: usize, bytes: u64) -> Result<(), BuildError> {
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

/// What is said of populations: steps that are too long, and noise of which another grid would have less.
fn warnings(spec: &Spec, choices: &[Choice]) -> Vec<String> {
    let mut list = Vec::new();
    for ((p, population), choice) in spec.population_ids().zip(choices) {
        let place = format!("populations.{}", population.name);
        list.extend(choice.doubt.iter().map(|doubt| format!("{place}: {doubt}")));
        let Some(grid) = &population.grid else { continue };
        let own = population.system.is_stochastic().then(|| "its equations".to_owned());
        let is_noise = |s: &&StimulusSpec| matches!(s.target.port, Port::Input(_)) && s.kind.drawn_in_steps();
        let drawn = spec.stimuli.iter().filter(|s| s.target.population == p).filter(is_noise);
        let sources: Vec<String> = own.into_iter().chain(drawn.map(|s| format!("stimuli.{}", s.name))).collect();
        if !sources.is_empty() && grid.noise_per.is_none() {
            let power = if grid.shape.len() == 1 { "" } else { " (of the area of a cell, in the plane)" };
            list.push(format!(
                "{place}: the noise of {} is drawn for each cell by itself, whatever the spacing, so that a finer \
                 grid is \
                 another field with less noise; for noise that is white in space and time say with `noise_per` in \
                 `grid` for which length its strength is stated, or divide it by the root of the spacing{power}",
                sources.join(" and ")
            ));
        }
    }
    list
}

/// Bytes that are needed, and those that are allowed.
fn affordable(spec: &Spec) -> Result<(u64, u64), BuildError> {
    let (needed, largest) = estimate::estimate(spec);
    let allowed = estimate::allowed(spec);
    if needed > allowed { Err(BuildError::Memory { needed, allowed, largest }) } else { Ok((needed, allowed)) }
}

/// Populations whose spikes event projections look at: sources, and targets where rules look at these too.
fn emitters(spec: &Spec) -> Vec<PopulationId> {
    let event = || spec.projections.iter().filter(|p| p.coupling == Coupling::Event);
    let sources = event().map(|p| p.from);
    let mut all: Vec<PopulationId> =
        sources.chain(event().filter(|p| p.plasticity.is_some()).map(|p| p.to.population)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The stimuli, over what they arrive at.
fn stimuli<'a>(spec: &'a Spec, populations: &[PopulationValues], axis: &Axis) -> Result<Vec<Stimulus<'a>>, BuildError> {
    let one = |s: &'a StimulusSpec| {
        let p = s.target.population;
        let (units, place) = (spec.population(p).targets(s.target.port), populations[p.index()].port(s.target.port));
        let adds_up = match s.target.port {
            Port::Event(port) => spec.population(p).system.superposes(port.index()),
            Port::Input(_) => true,
            // Each is a spike of its own.
            Port::Spikes => false,
        };
        let grid = spec.population(p).grid.as_ref();
        let noise_factor = grid.map_or(1.0, spikedeck_scenario::GridSpec::noise_factor);
        Stimulus::new(s, units, place, (spec.simulation.noise_seed(), noise_factor, most(units, adds_up)), axis)
            .map_err(|m| unsuitable(s.path(), m))
    };
    spec.stimuli.iter().map(one).collect()
}
