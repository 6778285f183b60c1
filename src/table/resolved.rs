//! The resolved scenario as JSON, for the manifest: what was simulated, with nothing left to look up.

use serde_json::{Map, Value as Json, json};

use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_equation::Variable;
use spikedeck_scenario::{
    Coupling, Distribution, OptionValue, PopulationSpec, Port, Positions, Rule, Spec, Stimulus as _, StimulusSpec,
    Target, Value, Words, Writer, language::Of,
};
use spikedeck_scenario::{PlasticitySpec, RuleSpec};

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
            "spike_times": simulation.spike_times.word(),
            "integrator": simulation.integrator,
        },
        "populations": spec.populations.iter().map(|p| (p.name.clone(), population(p))).collect::<Map<_, _>>(),
        "projections": spec.projections.iter().map(|p| {
            let weight = target_dimension(spec, &p.to);
            (p.name.clone(), json!({
                "from": spec.populations.get(p.from).map(|x| x.name.clone()),
                "to": target(spec, &p.to),
                "connect": rule(&p.rule),
                "autapses": p.autapses,
                "multapses": p.multapses,
                "weight": value(&p.weight, weight),
                "delay": value(&p.delay, time_dimension(spec)),
                "coupling": coupling(&p.coupling),
                "plasticity": p.plasticity.as_ref().map(plasticity),
            }))
        }).collect::<Map<_, _>>(),
        "stimuli": spec.stimuli.iter().map(|s| {
            (s.name.clone(), stimulus(spec, s))
        }).collect::<Map<_, _>>(),
        "record": spec.records.iter().map(|r| {
            let name = spec.place_name(r.population).to_owned();
            let traces: Vec<Json> = r.traces.iter().map(|t| json!({
                "name": t.name,
                "variables": t.variables.iter().map(|v| v.0.clone()).collect::<Vec<_>>(),
                "units": units(&t.units),
                "interval": time(spec, simulation.dt * t.every as f64),
            })).collect();
            (name, json!({ "spikes": r.spikes, "traces": traces, "connections": r.connections }))
        }).collect::<Map<_, _>>(),
        "analyses": spec.analyses.iter().map(|a| {
            let subjects = |list: &[spikedeck_scenario::Subject]| list.iter().map(|s| s.text.clone()).collect::<Vec<_>>();
            let options: Map<String, Json> = a.options.iter().map(|(k, v)| ((*k).to_owned(), option(v))).collect();
            (a.name.clone(), json!({
                "kind": a.kind, "of": subjects(&a.of), "source": subjects(&a.source), "target": subjects(&a.target),
                "options_in_SI": options,
            }))
        }).collect::<Map<_, _>>(),
    })
}

fn plasticity(p: &PlasticitySpec) -> Json {
    let one = |r: &RuleSpec| {
        let q =
            |v: &Variable, x: f64| (v.name.clone(), json!(Quantity { value: x, dimension: v.dimension }.to_string()));
        let parameters: Map<String, Json> =
            r.rule.pre.parameters().iter().zip(&r.parameters).map(|(v, &x)| q(v, x)).collect();
        json!({ "kind": r.definition.name, "parameters": parameters, "given": r.given })
    };
    p.rules.iter().map(one).collect()
}

fn population(p: &PopulationSpec) -> Json {
    let table = |variables: &[Variable], values: &[Value]| -> Map<String, Json> {
        variables.iter().zip(values).map(|(v, x)| (v.name.clone(), value(x, v.dimension))).collect()
    };
    json!({
        "model": p.model.name,
        "preset": p.preset,
        "size": p.size,
        "channels": p.channels.iter().map(|r| (r.name.clone(), json!(r.definition.name))).collect::<Map<_, _>>(),
        "tree": p.tree.as_ref().map(|t| json!({
            "cells": t.cells,
            "sections": t.compartments.tree.sections.len(),
            "compartments": t.compartments.count,
            "area": Quantity { value: t.compartments.area.iter().sum(), dimension: Dimension::METRE.times(Dimension::METRE) }.to_string(),
        })),
        "receptors": p.receptors.iter().map(|r| (r.name.clone(), json!(r.definition.name))).collect::<Map<_, _>>(),
        "parameters": table(p.system.parameters(), &p.parameters),
        "initial": table(p.system.states(), &p.initial),
        "positions": p.positions.as_ref().map(positions),
        "grid": p.grid.as_ref().map(|g| json!({
            "shape": g.shape,
            "spacing": Quantity { value: g.spacing, dimension: g.length }.to_string(),
            "boundary": g.boundary.map(Words::word),
            "noise": Quantity { value: g.noise.0, dimension: g.noise.1 }.to_string(),
            "pointwise": g.pointwise,
            "allow_unstable": g.allow_unstable,
        })),
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
            Distribution::Normal { mean, sd, min, max, clip } => {
                json!({ "normal": { "mean": q(*mean), "sd": q(*sd), "min": min.map(q), "max": max.map(q), "clip": clip } })
            }
            Distribution::Lognormal { mu, sigma, unit } => {
                json!({ "lognormal": { "mu": mu, "sigma": sigma, "unit": q(*unit) } })
            }
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
        spikedeck_signal::TimeBase::Milliseconds => Dimension::SECOND,
        spikedeck_signal::TimeBase::Dimensionless => Dimension::NONE,
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

/// A connection rule as a scenario writes it; lists of edges by their number.
fn rule(rule: &Rule) -> Json {
    let length = |metres: f64| quantity(metres, Dimension::METRE);
    match rule {
        Rule::OneToOne => json!({ "rule": "one_to_one" }),
        Rule::AllToAll => json!({ "rule": "all_to_all" }),
        Rule::Probability { p } => json!({ "rule": "probability", "p": p }),
        Rule::FixedIndegree { indegree } => json!({ "rule": "fixed_indegree", "indegree": indegree }),
        Rule::FixedOutdegree { outdegree } => json!({ "rule": "fixed_outdegree", "outdegree": outdegree }),
        Rule::FixedTotalNumber { total } => json!({ "rule": "fixed_total_number", "total": total }),
        Rule::Neighbours { radius, periodic } => {
            json!({ "rule": "neighbours", "radius": length(*radius), "periodic": periodic })
        }
        Rule::Gaussian { p_max, sigma, periodic } => {
            json!({ "rule": "gaussian", "p_max": p_max, "sigma": length(*sigma), "periodic": periodic })
        }
        Rule::SmallWorld { neighbours, p_rewire } => {
            json!({ "rule": "small_world", "neighbours": neighbours, "p_rewire": p_rewire })
        }
        Rule::Edges { source, weight, delay, .. } => {
            json!({ "rule": "edges", "edges": source.len(), "own_weights": weight.is_some(), "own_delays": delay.is_some() })
        }
    }
}

fn coupling(coupling: &Coupling) -> Json {
    match coupling {
        Coupling::Event => json!({ "kind": "event" }),
        Coupling::Continuous { value } => json!({ "kind": "continuous", "value": value }),
    }
}

fn positions(positions: &Positions) -> Json {
    let length = |metres: f64| quantity(metres, Dimension::METRE);
    match positions {
        Positions::Grid { shape, spacing } => json!({ "grid": shape, "spacing": length(*spacing) }),
        Positions::Uniform { extent } => json!({ "uniform": extent.iter().map(|e| length(*e)).collect::<Vec<_>>() }),
        Positions::Listed(list) => json!({ "listed": list.len() }),
    }
}

/// How the manifest writes the values of a stimulus: long lists by their number and first value.
struct Manifest<'a> {
    spec: &'a Spec,
    /// The dimension of what it acts on.
    target: Dimension,
}

impl Manifest<'_> {
    fn dimension(&self, of: Of) -> Dimension {
        let time = time_dimension(self.spec);
        match of {
            Of::Number | Of::Said(_) => Dimension::NONE,
            Of::Time => time,
            Of::Frequency => Dimension::NONE.per(time),
            Of::Fixed(dimension) => dimension,
            Of::Target => self.target,
            Of::Density => self.target.times(time.power(0.5).unwrap_or(Dimension::NONE)),
        }
    }
}

impl Writer for Manifest<'_> {
    fn value(&self, v: &Value, of: Of) -> Json {
        value(v, self.dimension(of))
    }

    fn quantity(&self, value: f64, of: Of) -> Json {
        quantity(value, self.dimension(of))
    }

    fn list(&self, values: &[f64], of: Of) -> Json {
        json!({ "values": values.len(), "first": values.first().map(|v| self.quantity(*v, of)) })
    }

    fn units(&self, list: &[u32]) -> Json {
        json!({ "values": list.len(), "first": list.first() })
    }
}

/// A stimulus as a scenario writes it. A stop that never comes is left out.
fn stimulus(spec: &Spec, s: &StimulusSpec) -> Json {
    let at = match s.target.port {
        Port::Input(k) => spec
            .populations
            .get(s.target.population)
            .and_then(|p| p.system.inputs().get(k))
            .map_or(Dimension::NONE, |v| v.dimension),
        Port::Event(_) => target_dimension(spec, &s.target),
    };
    let mut object = Json::Object(s.kind.entries(&Manifest { spec, target: at }));
    object["kind"] = json!(s.kind.name());
    object["target"] = json!(target(spec, &s.target));
    if !s.units.is_empty() {
        object["units"] = units(&s.units);
    }
    object
}

/// Unit numbers: `"0..10"` where they follow each other, else the list.
fn units(list: &[u32]) -> Json {
    match (list.first(), list.last()) {
        (Some(first), Some(last)) if list.len() > 2 && list.windows(2).all(|w| w[1] == w[0] + 1) => {
            json!(format!("{first}..{}", last + 1))
        }
        _ => json!(list),
    }
}

fn quantity(value: f64, dimension: Dimension) -> Json {
    json!(Quantity { value, dimension }.to_string())
}
