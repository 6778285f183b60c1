//! What failures are called: populations, projections, stimuli and their variables.

use crate::failure::{Broken, Failure};
use crate::{Cause, Stop};
use spikedeck_core::units::{DisplayUnit, display_unit};
use spikedeck_equation::System;
use spikedeck_equation::drive::Drive;
use spikedeck_scenario::Spec;

/// Names for what fails.
#[derive(Debug)]
pub(crate) struct FailureNames {
    populations: Vec<(String, System)>,
    /// Projections, with the values of their connections if these change.
    projections: Vec<(String, Vec<String>)>,
    stimuli: Vec<String>,
    /// What the weights of each projection are divided by where they are recorded.
    pub(super) weights: Vec<DisplayUnit>,
}

impl FailureNames {
    /// Those of a scenario; `projections` as they are kept.
    pub fn of(spec: &Spec, projections: Vec<(String, Vec<String>)>) -> Self {
        let populations = spec.populations.iter().map(|p| (p.name.clone(), p.system.clone())).collect();
        let stimuli = spec.stimuli.iter().map(|s| s.name.clone()).collect();
        let weights = spec.projections.iter().map(|p| display_unit(p.weight_dimension)).collect();
        Self { populations, projections, stimuli, weights }
    }

    /// What a failure stops the run with.
    pub(super) fn stop(&self, failure: Failure, time: f64) -> Stop {
        let Failure { place, unit, state, .. } = failure;
        let (population, cause) = match place {
            Broken::Stimulus { stimulus, population } => {
                (population, Cause::Stimulus(self.stimuli[stimulus as usize].clone()))
            }
            Broken::Range { stimulus, population } => {
                (population, Cause::Range(self.stimuli[stimulus as usize].clone()))
            }
            Broken::Events { stimulus, population } => {
                (population, Cause::Rate(self.stimuli[stimulus as usize].clone()))
            }
            Broken::Arriving(population) => (population, Cause::Projections),
            Broken::Expression(population) => (population, Cause::Expression),
            Broken::Population(population) => (population, Cause::Growth),
            Broken::Unfollowed(population) => (population, Cause::Unfollowed),
            Broken::Connection { projection, source } => {
                let (projection, values) = &self.projections[projection.index()];
                let variable = values[state].clone();
                return Stop::Diverged { projection: projection.clone(), source, target: unit, variable, time };
            }
        };
        let (name, system) = &self.populations[population.index()];
        let variable = match cause {
            Cause::Rate(_) => {
                // Only what plays spikes gets events without a receptor.
                system.event_ports().get(state).map_or_else(|| "spikes".to_owned(), |port| port.name.clone())
            }
            Cause::Stimulus(_) | Cause::Projections => system.inputs()[state].name.clone(),
            Cause::Range(_) => match system.drive(state) {
                Some(Drive::Change(parameter)) => system.parameters()[parameter].name.clone(),
                Some(Drive::Source(_) | Drive::Clamp) | None => unreachable!("only what is changed has a range"),
            },
            Cause::Growth | Cause::Unfollowed => system.states()[state].name.clone(),
            Cause::Expression => named(system, state),
        };
        Stop::NotFinite { population: name.clone(), unit, variable, time, cause }
    }
}

/// An expression by its number among those that have names, then the rates of the states, then what decides about
/// spikes.
fn named(system: &System, number: usize) -> String {
    let (expressions, states) = (system.subexpressions(), system.states());
    match number.checked_sub(expressions.len()) {
        None => expressions[number].name.clone(),
        Some(rate) if rate < states.len() => format!("d{}/dt", states[rate].name),
        Some(rate) if rate == states.len() => "the threshold".to_owned(),
        Some(_) => "the refractory time".to_owned(),
    }
}
