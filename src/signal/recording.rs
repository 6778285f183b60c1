//! What a run leaves, or what a file of somebody's data holds.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::on_disk::OnDisk;
use super::spikes::Spikes;
use super::stretches::Stretch;
use super::time::{TimeBase, Window};
use super::trace::Trace;

/// A population as recordings know it.
#[derive(Debug, Clone, Default)]
pub struct Population {
    /// Its name in the scenario.
    pub name: String,
    /// Number of units.
    pub size: usize,
    /// Positions in micrometres, one a unit, if the scenario gives any.
    pub positions: Option<Vec<[f64; 3]>>,
    /// Parameters that differ between units: column name with unit, one value a unit in display units; NaN where a unit
    /// has none (the area of a node between sections).
    pub parameters: Vec<(String, Vec<f64>)>,
    /// What its units are called, one name each, where a file names them; else empty.
    pub names: Vec<String>,
    /// The stretches in which each unit was observed, in the order of time, where a file says it: none of a unit of
    /// which it says nothing. Else empty.
    pub observed: Vec<Vec<Stretch>>,
}

impl Population {
    /// What a unit is called: its name where it has one, else its number.
    pub fn unit_name(&self, unit: u32) -> Cow<'_, str> {
        match self.names.get(unit as usize) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(unit.to_string()),
        }
    }

    /// The same as it is written between brackets, where a bare number is the place of a unit.
    pub fn unit_written(&self, unit: u32) -> Cow<'_, str> {
        match self.names.get(unit as usize) {
            Some(name) => written(name),
            None => Cow::Owned(unit.to_string()),
        }
    }

    /// The stretches in which each of these units (all, if there are none named) was observed; those of which nothing
    /// is known are left out.
    pub fn observed_of<'a>(&'a self, units: &'a [u32]) -> impl Iterator<Item = &'a Vec<Stretch>> {
        let all = if units.is_empty() { self.observed.as_slice() } else { &[] };
        let some = units.iter().filter_map(|&u| self.observed.get(u as usize));
        all.iter().chain(some).filter(|own| !own.is_empty())
    }
}

/// The name of a unit as it is written between brackets: in quotes where it would be read as something else.
pub fn written(name: &str) -> Cow<'_, str> {
    let is_bare = name.trim() == name && !name.is_empty() && name.parse::<u32>().is_err() && !name.contains("..");
    if is_bare && !name.contains([',', '"', ']']) { Cow::Borrowed(name) } else { Cow::Owned(format!("\"{name}\"")) }
}

impl PartialEq for Population {
    /// What is missing in both is the same.
    fn eq(&self, other: &Self) -> bool {
        let Self { name, size, positions, parameters, names, observed } = self;
        let bits = |list: &[(String, Vec<f64>)]| -> Vec<(String, Vec<u64>)> {
            let of = |v: &f64| if v.is_nan() { f64::NAN.to_bits() } else { (v + 0.0).to_bits() };
            list.iter().map(|(name, values)| (name.clone(), values.iter().map(of).collect())).collect()
        };
        (name, size, positions) == (&other.name, &other.size, &other.positions)
            && (names, observed) == (&other.names, &other.observed)
            && bits(parameters) == bits(&other.parameters)
    }
}

/// Connections of one projection (written only on request).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Connections {
    /// Name of the projection.
    pub projection: String,
    /// Display unit of the weights.
    pub weight_unit: String,
    /// Source unit of each connection.
    pub source: Vec<u32>,
    /// Target unit of each connection.
    pub target: Vec<u32>,
    /// Weight at the start, in display units.
    pub weight: Vec<f64>,
    /// Weight at the end; empty where nothing is plastic.
    pub weight_final: Vec<f64>,
    /// Delay in units of the time axis.
    pub delay: Vec<f64>,
}

/// Something that was recorded and is not here: it stayed on disk, or its table is not what was written. Nothing stands
/// for it among spikes and traces, so that nobody takes it for silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// Population (or projection) that it is of.
    pub population: String,
    /// The variable of a trace; none for spikes.
    pub variable: Option<String>,
    /// Why it is not here, as the end of a sentence.
    pub why: String,
}

/// Everything that was recorded in one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recording {
    /// What the numbers on the time axis mean.
    pub time_base: TimeBase,
    /// Integration step, in units of the time axis (0 for recordings from elsewhere).
    pub dt: f64,
    /// The whole recorded stretch.
    pub window: Window,
    /// Length of the transient that analyses leave out.
    pub transient: f64,
    /// Populations in the order of the scenario.
    pub populations: Vec<Population>,
    /// Spikes, one entry for each population that records them.
    pub spikes: Vec<Spikes>,
    /// Traces, one entry a recorded variable.
    pub traces: Vec<Trace>,
    /// Connections, if asked for.
    pub connections: Vec<Connections>,
    /// What was recorded beside these and is not here.
    pub absent: Vec<Absent>,
    /// What of that can be read back, part by part.
    pub on_disk: Option<OnDisk>,
    /// Which trial this is, of a network that ran several.
    pub trial: Option<Trial>,
    /// The trials after this one, the first.
    pub trials: Vec<Arc<Recording>>,
    /// Trials that lie in it one after the other, where it was recorded without a break.
    pub trial_times: Vec<TrialTimes>,
}

/// When trials were, in a recording that has no break between them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TrialTimes {
    /// What they are called, for messages: the table of the file.
    pub name: String,
    /// The populations that were recorded in them.
    pub populations: Vec<String>,
    /// The moment of each that is time 0 in it, on the time axis of the recording.
    pub at: Vec<f64>,
    /// Where each begins and ends, before and after that moment.
    pub window: Window,
    /// What tells the condition of each, as `stimulus=left`; empty where all are alike.
    pub conditions: Vec<String>,
    /// What should be known by whoever looks at them.
    pub notes: Vec<String>,
}

/// One of several trials of a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trial {
    /// Its number, from which its noise follows.
    pub number: u64,
    /// What differs between conditions, as `amplitude=1 nA`; empty where all trials are alike.
    pub condition: String,
}

impl Recording {
    /// The same without its spikes, samples and connections: what was recorded, and nothing of it.
    #[must_use]
    pub fn without_data(&self) -> Self {
        Self {
            time_base: self.time_base,
            dt: self.dt,
            window: self.window,
            transient: self.transient,
            populations: self.populations.clone(),
            spikes: self.spikes.iter().map(Spikes::without_times).collect(),
            traces: self.traces.iter().map(Trace::without_values).collect(),
            connections: Vec::new(),
            absent: self.absent.clone(),
            on_disk: self.on_disk.clone(),
            trial: self.trial.clone(),
            trials: Vec::new(),
            trial_times: self.trial_times.clone(),
        }
    }

    /// This trial and those after it; one where there are no trials.
    pub fn each_trial(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.trials.iter().map(AsRef::as_ref))
    }

    /// The stretch that analyses look at: without the transient.
    pub fn analysis_window(&self) -> Window {
        Window { start: (self.window.start + self.transient).min(self.window.stop), stop: self.window.stop }
    }

    /// Spikes of a population, if recorded.
    pub fn spikes_of(&self, population: &str) -> Option<&Spikes> {
        self.spikes.iter().find(|s| s.population == population)
    }

    /// Traces of a variable of a population (there may be several, with other units or intervals).
    pub fn traces_of<'a>(&'a self, population: &'a str, variable: &'a str) -> impl Iterator<Item = &'a Trace> {
        self.traces.iter().filter(move |t| t.population == population && t.variable == variable)
    }

    /// Why the spikes of a population that recorded them are not here.
    pub fn spikes_are_absent(&self, population: &str) -> Option<&str> {
        self.absent.iter().find(|a| a.population == population && a.variable.is_none()).map(|a| a.why.as_str())
    }

    /// Why a trace of a variable that was recorded is not here (another of the same variable may be).
    pub fn trace_is_absent(&self, population: &str, variable: &str) -> Option<&str> {
        let of = |a: &&Absent| a.population == population && a.variable.as_deref() == Some(variable);
        self.absent.iter().find(of).map(|a| a.why.as_str())
    }

    /// A population by name.
    pub fn population(&self, name: &str) -> Option<&Population> {
        self.populations.iter().find(|p| p.name == name)
    }
}
