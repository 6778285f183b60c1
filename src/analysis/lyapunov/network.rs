//! The spectrum of a whole network: all units with the connections among them.

use std::collections::BTreeSet;

use super::{About, Options, at_rest, settings, warn_of_drift, warn_of_grazing, warn_of_step};
use crate::binding::{Inputs, constant_inputs};
use crate::prelude::*;
use spikedeck_core::dynamics::Dynamics;
use spikedeck_core::lyapunov::{pulsed_spectrum, spectrum};
use spikedeck_core::trajectory::Scheme;
use spikedeck_scenario::{Observable, PopulationId, Spec};
use spikedeck_sim::{BuildError, Coupled, Network};

/// Most states of which the eigenvalues at a fixed point are told.
const MOST_AT_REST: usize = 500;

pub(super) fn measure(o: &Options, f: &mut Findings<'_>) -> Measured {
    let Some(spec) = f.scenario() else {
        return Err(AnalysisError::Unsuitable("exponents are of equations, and this recording has none".into()));
    };
    let populations = populations(spec, f.request)?;
    if o.unit.unit != 0 || !o.unit.set.is_empty() {
        return Err(AnalysisError::Unsuitable(
            "`unit` and `set` are about one unit, and `coupled` takes all as the scenario says: change it there".into(),
        ));
    }
    if o.scheme == Scheme::Map {
        return Err(AnalysisError::Unsuitable("`coupled` follows a flow: leave `scheme` out".into()));
    }
    let cannot = |e: BuildError| match e {
        BuildError::Cancelled => AnalysisError::Cancelled,
        e => AnalysisError::Unsuitable(format!("`coupled`: {e}")),
    };
    let mut system = Network::coupled(spec, &populations, f.request.cancel).map_err(cannot)?;
    if o.unit.inputs == Inputs::Final {
        drive(spec, &populations, &mut system, f);
    }
    left_out(spec, &populations, &system, f);
    let names: Vec<&str> = populations.iter().map(|&p| spec.population(p).name.as_str()).collect();
    let dimension = system.dimension();
    // Pulses under way are states as well, of which there is no bound.
    let all = if system.is_delayed() { usize::MAX } else { dimension };
    let about = About { subject: names.join("+"), base: spec.simulation.time_base, dimension: all };
    let settings = settings(f.request, o, dimension)?;
    system.afford(spec, settings.exponents).map_err(cannot)?;
    let steps = 200.0 + (settings.transient + settings.duration) / settings.interval;
    let mut done = 0.0;
    let proceed = || {
        done += 1.0;
        f.progress(done / steps).is_ok()
    };
    let found = if system.is_pulsed() {
        pulsed_spectrum(&system, system.initial(), settings, proceed)
    } else {
        spectrum(&system, system.initial(), settings, proceed)
    };
    f.request.check_cancelled()?;
    match &found {
        Ok(found) => {
            warn_of_step(found, settings, f);
            warn_of_grazing(found, f);
            warn_of_drift(found, f);
            if system.is_pulsed() && found.resets == 0 {
                f.warn("no unit spiked while measuring: these are the exponents of the silent network");
            }
            let rest = if dimension <= MOST_AT_REST { at_rest(found, &system) } else { None };
            if let Some(at_rest) = &rest {
                f.warn(format!("the trajectory rests at a fixed point; the largest real parts there are {at_rest}"));
            }
            let beside =
                if all > dimension { "; pulses and rests that are under way count as more of them" } else { "" };
            f.metric(
                Metric::new(&about.subject, "states", dimension as f64, "", dimension as u64)
                    .note(format!("of all units, {} connections among them{beside}", system.connections())),
            );
            about.tell(found, settings, rest.is_some(), f);
        }
        Err(error) => about.tell_failure(error, f),
    }
    Ok(())
}

/// The populations that are looked at, each once: those of `of`, or all.
fn populations(spec: &Spec, request: &Request<'_>) -> Result<Vec<PopulationId>, AnalysisError> {
    let mut list = Vec::new();
    for subject in &request.spec.of {
        let Some(p) = subject.place.population().filter(|_| subject.what == Observable::Population) else {
            return Err(AnalysisError::Unsuitable(format!(
                "{} is no population: name those whose units make the network",
                subject.text
            )));
        };
        if !list.contains(&p) {
            list.push(p);
        }
    }
    if list.is_empty() {
        // Those that play spikes have no equations.
        list.extend(spec.population_ids().filter(|(_, p)| !p.system.plays()).map(|(p, _)| p));
    }
    Ok(list)
}

/// Gives each unit what its stimuli give it at the end of the run.
fn drive(spec: &Spec, populations: &[PopulationId], system: &mut Coupled, f: &mut Findings<'_>) {
    let mut told = BTreeSet::new();
    for &p in populations {
        let population = spec.population(p);
        for unit in 0..population.size {
            let mut inputs = vec![0.0; population.system.inputs().len()];
            let mut warnings = Vec::new();
            constant_inputs(spec, p, unit, &mut inputs, &mut warnings);
            for (port, value) in inputs.into_iter().enumerate().filter(|i| i.1 != 0.0) {
                system.drive(p, unit, port, value);
            }
            told.extend(warnings);
        }
    }
    for warning in told {
        f.warn(warning);
    }
}

/// What is no part of the equations.
fn left_out(spec: &Spec, populations: &[PopulationId], system: &Coupled, f: &mut Findings<'_>) {
    let inside = |p: PopulationId| populations.contains(&p);
    for p in spec.projections.iter().filter(|p| inside(p.to.population) && !inside(p.from)) {
        f.warn(format!("projection `{}` comes from elsewhere and is left out", p.name));
    }
    for p in populations.iter().map(|&p| spec.population(p)).filter(|p| p.system.is_stochastic()) {
        f.warn(format!("the noise of `{}` is left out: this is the deterministic part", p.name));
    }
    if !system.is_autonomous() {
        f.warn("the equations depend on time: no exponent is zero for time's sake");
    }
}
