//! Units that fire in step after step: a unit fires at most once in a step, so that its rate is then that of the steps
//! and not that of the model.

use std::collections::HashMap;

use spikedeck_core::number;
use spikedeck_core::units::short;
use spikedeck_scenario::{Integrator, Spec};
use spikedeck_signal::Recording;

/// The part of a population's spikes from which on it is said.
const SHARE: f64 = 0.01;

/// Counts of spikes that follow one of the same unit by no more than a step, over all parts of a recording.
#[derive(Debug, Default)]
pub(super) struct Crowded {
    /// Step in the unit of recorded times.
    step: f64,
    /// How the step is written.
    shown: String,
    populations: HashMap<String, Counts>,
}

/// What was seen of a population.
#[derive(Debug, Default)]
struct Counts {
    last: Vec<f64>,
    spikes: u64,
    close: u64,
    /// Unit and time of the first that is.
    first: Option<(u32, f64)>,
}

impl Crowded {
    /// For the populations of a scenario whose units fire by their equations in steps that are no unit of time of
    /// their own (as maps are written).
    pub fn of(spec: &Spec) -> Self {
        let simulation = &spec.simulation;
        let seconds = simulation.time_base.seconds();
        let unit = simulation.time_base.unit();
        let is_map =
            |integrator: Integrator| unit.is_empty() && simulation.dt == 1.0 && integrator == Integrator::Euler;
        let fires = spec.populations.iter().filter(|p| !p.system.plays() && !is_map(p.integrator));
        let step = simulation.dt / seconds;
        Self {
            step,
            shown: format!("{} {unit}", short(step)).trim_end().to_owned(),
            populations: fires.map(|p| (p.name.clone(), Counts::default())).collect(),
        }
    }

    /// Counts in `part`, which is what follows what was looked at before.
    pub fn look(&mut self, part: &Recording) {
        for spikes in &part.spikes {
            let Some(counts) = self.populations.get_mut(&spikes.population) else { continue };
            counts.last.resize(counts.last.len().max(spikes.size), f64::NEG_INFINITY);
            counts.spikes += spikes.len() as u64;
            for (&time, &unit) in spikes.times.iter().zip(&spikes.units) {
                let last = &mut counts.last[unit as usize];
                if time - *last <= 1.000_001 * self.step {
                    counts.close += 1;
                    counts.first.get_or_insert((unit, time));
                }
                *last = time;
            }
        }
    }

    /// One sentence a population.
    pub fn warnings(&self) -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
        for (name, counts) in &self.populations {
            let Some((unit, time)) = counts.first.filter(|_| counts.close as f64 >= SHARE * counts.spikes as f64)
            else {
                continue;
            };
            told.push(format!(
                "{} of {} spikes of {name} come no later than a step of {} after one of the same unit (unit \
                 {unit} at {} \
                 for the first time): a unit fires once in a step at most, and rates are cut off there; give it a \
                 refractory time, or take a shorter step",
                number::count(counts.close),
                number::count(counts.spikes),
                self.shown,
                short(time)
            ));
        }
        told.sort();
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_signal::Spikes;

    #[test]
    fn spikes_in_step_after_step_are_counted_over_all_parts() {
        let part = |times: Vec<f64>, units: Vec<u32>| Recording {
            spikes: vec![Spikes { population: "p".into(), size: 3, times, units }],
            ..Recording::default()
        };
        let fresh = || Crowded {
            step: 0.1,
            shown: "0.1 ms".into(),
            populations: std::iter::once(("p".to_owned(), Counts::default())).collect(),
        };
        let mut crowded = fresh();
        crowded.look(&part(vec![0.1, 0.2, 0.3], vec![0, 1, 0]));
        assert!(crowded.warnings().is_empty(), "two steps apart");
        crowded.look(&part(vec![0.4, 0.5], vec![0, 2]));
        let told = crowded.warnings();
        let start = "1 of 5 spikes of p come no later than a step of 0.1 ms after one of the same unit (unit 0 at 0.4";
        assert!(told.len() == 1 && told[0].starts_with(start), "{told:?}");
        let mut rare = fresh();
        rare.look(&part((1..300).map(f64::from).chain([299.1]).collect(), vec![1; 300]));
        assert!(rare.warnings().is_empty(), "one of three hundred");
    }
}
