//! Benchmark cases that run a network: a scenario with overrides, nothing analysed.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Measured;
use crate::error::CliError;
use spikedeck_run::{self as run, Options, Tell};
use spikedeck_scenario::{PopulationSpec, Spec};

/// What is run.
pub(super) struct Network {
    pub scenario: Scenario,
    /// Overrides: path and value.
    pub set: &'static [(&'static str, &'static str)],
    pub kept: Kept,
    /// What the time is shared out to.
    pub per: Option<Per>,
    /// One network after another with seeds from 1 to this; else the scenario's own seed.
    pub seeds: Option<u64>,
}

/// Where a network is described.
pub(super) enum Scenario {
    /// A built-in scenario.
    BuiltIn(&'static str),
    /// Name and TOML text.
    Text(&'static str, &'static str),
}

/// What is recorded.
pub(super) enum Kept {
    /// Spikes only.
    Spikes,
    /// What the scenario says.
    AsWritten,
}

/// What takes time in every step.
#[derive(Clone, Copy)]
pub(super) enum Per {
    /// A unit, with the name of its time in JSON.
    Unit(&'static str),
    /// A cell of a grid.
    Cell,
    /// A compartment of a tree.
    Compartment,
}

impl Per {
    fn name(self) -> &'static str {
        match self {
            Self::Unit(name) => name,
            Self::Cell => "ns_per_cell_step",
            Self::Compartment => "ns_per_compartment_step",
        }
    }

    /// How often it is brought forward by a step in one run.
    pub fn updates(self, spec: &Spec) -> f64 {
        let count: usize = match self {
            Self::Unit(_) | Self::Cell => spec.populations.iter().map(|p| p.size).sum(),
            Self::Compartment => compartments(spec),
        };
        spec.simulation.steps as f64 * count as f64
    }
}

fn compartments(spec: &Spec) -> usize {
    spec.populations.iter().filter_map(|p| p.tree.as_ref()).map(|t| t.cells * t.compartments.count).sum()
}

impl Network {
    /// The scenario, with only that in it that is timed.
    pub fn spec(&self) -> Result<Spec, CliError> {
        let set: Vec<(String, String)> =
            self.set.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
        let (mut spec, _) = match self.scenario {
            Scenario::BuiltIn(name) => run::load(name, &set)?,
            Scenario::Text(name, text) => {
                let source = run::Source { text: text.to_owned(), origin: None, name: name.to_owned(), variant: None };
                run::resolve(&source, &set)?
            }
        };
        if matches!(self.kept, Kept::Spikes) {
            spec.analyses.clear();
            spec.expect.clear();
            spec.sweep = None;
            spec.simulation.check_halve_dt = false;
            for record in &mut spec.records {
                record.traces.clear();
                record.connections = false;
            }
        }
        Ok(spec)
    }

    /// One repeat.
    pub fn once(&self, threads: usize) -> Result<Measured, CliError> {
        let Some(seeds) = self.seeds else { return self.one(None, threads) };
        let mut whole = self.one(Some(1), threads)?;
        for seed in 2..=seeds {
            let one = self.one(Some(seed), threads)?;
            whole.seconds += one.seconds;
            for (sum, value) in whole.extra.iter_mut().zip(one.extra) {
                sum.1 += value.1;
            }
        }
        for (key, value) in &mut whole.extra {
            if matches!(*key, "rate_hz" | "neurons") {
                *value /= seeds as f64;
            }
        }
        whole.extra.push(("networks", seeds as f64));
        Ok(whole)
    }

    fn one(&self, seed: Option<u64>, threads: usize) -> Result<Measured, CliError> {
        let mut spec = self.spec()?;
        if let Some(seed) = seed {
            spec.simulation.seed = seed;
        }
        let units: usize = spec.populations.iter().map(PopulationSpec::sources).sum();
        let (steps, compartments) = (spec.simulation.steps as f64, compartments(&spec));
        let duration = spec.simulation.dt * steps;
        let per = self.per.map(|p| (p.name(), p.updates(&spec)));
        let tell: Tell = Arc::new(|_| {});
        let options = Options { threads, ..Options::default() };
        let finished = run::execute(&Arc::new(spec), options, &AtomicBool::new(false), &tell)?;
        if let Some(failure) = finished.failure {
            return Err(CliError::Other(failure));
        }
        let facts = &finished.facts;
        let seconds = facts.simulate_seconds;
        let mut extra = vec![
            ("build_s", facts.build_seconds),
            ("model_s", duration),
            ("neurons", units as f64),
            ("spikes", facts.spikes as f64),
            ("rate_hz", facts.spikes as f64 / units as f64 / duration),
            ("events", facts.events as f64),
            ("connections", facts.connections as f64),
        ];
        match self.per {
            Some(Per::Cell) => extra.push(("steps_per_s", steps / seconds)),
            Some(Per::Compartment) => extra.push(("compartments", compartments as f64)),
            Some(Per::Unit(_)) | None => {}
        }
        Ok(Measured { seconds, per, extra })
    }
}
