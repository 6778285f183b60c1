//! The resolved scenario as JSON, for the manifest: what was simulated, with nothing left to look up.

use serde_json::{Map, Value as Json, json};

use crate::core::units::{Dimension, Quantity};
use crate::equation::Variable;
use crate::scenario::{Distribution, OptionValue, PopulationSpec, Port, Spec, Target, Value};

/// Everything that decides the result, quantities as text in display units.
pub fn resolved(spec: &Spec) -> Json {
    let simulation = &spec.simulation;
    json!({
        "simulation": {
            "dt": time(spec, simulation.dt),
            "duration": time(spec, simulation.dt * simulation.steps as f64),
            "steps": simulation.steps,
            "transient": time(spec, simulation.dt * simulation.transient_steps as f64),
            "seed": simulation.seed,
            "spike_times": format!("{:?}", simulation.spike_times).to_lowercase(),
            "integrator": simulation.integrator,
        },
        "populations": spec.populations.iter().map(|p| (p.name.clone(), population(p))).collect::<Map<_, _>>(),
        "projections": spec.projections.iter().map(|p| {
            let weight = target_dimension(spec, &p.to);
            (p.name.clone(), json!({
                "from": spec.populations.get(p.from).map(|x| x.name.clone()),
                "to": target(spec, &p.to),
                "connect": debug(&p.rule),
                "autapses": p.autapses,
                "multapses": p.multapses,
                "weight": value(&p.weight, weight),
                "delay": value(&p.delay, time_dimension(spec)),
                "coupling": debug(&p.coupling),
            }))
        }).collect::<Map<_, _>>(),
        "stimuli": spec.stimuli.iter().map(|s| {
            (s.name.clone(), json!({ "target": target(spec, &s.target), "units": s.units, "kind_in_SI": debug(&s.kind) }))
        }).collect::<Map<_, _>>(),
        "record": spec.records.iter().filter_map(|r| {
            let name = spec.populations.get(r.population)?.name.clone();
            let traces: Vec<Json> = r.traces.iter().map(|t| json!({
                "name": t.name,
                "variables": t.variables.iter().map(|v| v.0.clone()).collect::<Vec<_>>(),
                "units": t.units.len(),
                "interval": time(spec, simulation.dt * t.every as f64),
            })).collect();
            Some((name, json!({ "spikes": r.spikes, "traces": traces, "connections": r.connections })))
        }).collect::<Map<_, _>>(),
        "analyses": spec.analyses.iter().map(|a| {
            let subjects = |list: &[crate::scenario::Subject]| list.iter().map(|s| s.text.clone()).collect::<Vec<_>>();
            let options: Map<String, Json> = a.options.iter().map(|(k, v)| ((*k).to_owned(), option(v))).collect();
            (a.name.clone(), json!({
                "kind": a.kind, "of": subjects(&a.of), "source": subjects(&a.source), "target": subjects(&a.target),
                "options_in_SI": options,
            }))
        }).collect::<Map<_, _>>(),
    })
}

fn population(p: &PopulationSpec) -> Json {
    let table = |variables: &[Variable], values: &[Value]| -> Map<String, Json> {
        variables.iter().zip(values).map(|(v, x)| (v.name.clone(), value(x, v.dimension))).collect()
    };
    json!({
        "model": p.model.name,
        "preset": p.preset,
        "size": p.size,
        "receptors": p.receptors.iter().map(|r| (r.name.clone(), json!(r.definition.name))).collect::<Map<_, _>>(),
        "parameters": table(p.system.parameters(), &p.parameters),
        "initial": table(p.system.states(), &p.initial),
        "positions": p.positions.as_ref().map(|x| debug(x)),
        "integrator": p.integrator,
        "substeps": p.substeps,
    })
}

fn value(value: &Value, dimension: Dimension) -> Json {
    let q = |v: f64| json!(Quantity { value: v, dimension }.to_string());
    match value {
        Value::Constant(v) => q(*v),
        Value::Each(list) => json!({ "values": list.len(), "first": list.first().map(|v| q(*v)) }),
        Value::Expression(text) => json!({ "expression": text }),
        Value::Drawn(d) => match d {
            Distribution::Uniform { low, high } => json!({ "uniform": [q(*low), q(*high)] }),
            Distribution::Normal { mean, sd, min, max } => {
                json!({ "normal": { "mean": q(*mean), "sd": q(*sd), "min": min.map(q), "max": max.map(q) } })
            }
            Distribution::Lognormal { mu, sigma, unit } => json!({ "lognormal": { "mu": mu, "sigma": sigma, "unit": q(*unit) } }),
            Distribution::Gamma { shape, scale } => json!({ "gamma": { "shape": shape, "scale": q(*scale) } }),
            Distribution::Linspace { from, to } => json!({ "linspace": [q(*from), q(*to)] }),
        },
    }
}

fn option(value: &OptionValue) -> Json {
    match value {
        OptionValue::Number(v) => json!(v),
        OptionValue::Numbers(v) => json!(v),
        OptionValue::Integer(v) => json!(v),
        OptionValue::Flag(v) => json!(v),
        OptionValue::Text(v) => json!(v),
        OptionValue::Texts(v) => json!(v),
    }
}

fn time_dimension(spec: &Spec) -> Dimension {
    match spec.simulation.time_base {
        crate::signal::TimeBase::Milliseconds => Dimension::SECOND,
        crate::signal::TimeBase::Dimensionless => Dimension::NONE,
    }
}

fn time(spec: &Spec, seconds: f64) -> String {
    Quantity { value: seconds, dimension: time_dimension(spec) }.to_string()
}

fn target(spec: &Spec, target: &Target) -> String {
    let Some(population) = spec.populations.get(target.population) else { return String::new() };
    let port = match target.port {
        Port::Event(k) => population.system.event_ports().get(k).map(|p| p.name.clone()),
        Port::Input(k) => population.system.inputs().get(k).map(|p| p.name.clone()),
    };
    port.map_or_else(|| population.name.clone(), |p| format!("{}.{p}", population.name))
}

fn target_dimension(spec: &Spec, target: &Target) -> Dimension {
    let Some(population) = spec.populations.get(target.population) else { return Dimension::NONE };
    match target.port {
        Port::Event(k) => population.system.event_ports().get(k).map_or(Dimension::NONE, |p| p.weight),
        Port::Input(_) => Dimension::NONE,
    }
}

/// The debug form, cut where it lists thousands of values.
fn debug(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(2000) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
