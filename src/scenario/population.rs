//! `[populations.NAME]`: which model, how many, with what parameters, receptors, initial values and positions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::desk::{Desk, suggest};
use super::lookup::OwnModels;
use super::spec::{PopulationSpec, Positions, ReceptorSpec, Value};
use super::value::{Names, Wanted, is_expression};
use super::{grid, positions};
use crate::core::units::{Dimension, Quantity};
use crate::equation::{System, TimeUnit};
use crate::model::document::{Entry, Fields, Item, Node};
use crate::model::report::Place;
use crate::model::{Definition, Kind, Preset, name_of, redirect};

/// Names that other tools use, and what they are called here.
const ALIASES: &[(&str, &str)] = &[
    ("v_rest", "E_L"),
    ("v_leak", "E_L"),
    ("V_rest", "E_L"),
    ("cm", "C_m"),
    ("c_m", "C_m"),
    ("gl", "g_L"),
    ("g_leak", "g_L"),
    ("tau_refrac", "t_ref"),
    ("tau_ref", "t_ref"),
    ("v_thresh", "V_th"),
    ("v_threshold", "V_th"),
    ("v_reset", "V_reset"),
    ("v_spike", "V_peak"),
    ("delta_T", "Delta_T"),
    ("e_rev", "E_rev"),
    ("e_rev_E", "E_rev"),
    ("e_rev_I", "E_rev"),
    ("tau_syn_E", "tau"),
    ("tau_syn_I", "tau"),
    ("tau_syn_ex", "tau"),
    ("tau_syn_in", "tau"),
    ("tau_syn", "tau"),
];

fn hint_parameter(definition: &Definition, key: &str) -> Option<String> {
    if matches!(key, "i_offset" | "I_e" | "i_e") {
        return Some("a constant current is a stimulus: `[stimuli.NAME]` with `kind = \"constant\"`".to_owned());
    }
    if key == "v_init" {
        return Some("start values stand in `initial = { V_m = ... }`".to_owned());
    }
    let (_, ours) = ALIASES.iter().find(|(theirs, _)| *theirs == key)?;
    if definition.parameter(ours).is_some() {
        Some(format!("this is called `{ours}` here"))
    } else if *ours == "tau" && definition.kind == Kind::Model {
        Some("synaptic time constants belong to receptors: `receptors.NAME = { kind = \"exp_current\", tau = ... }`".to_owned())
    } else {
        Some(format!(
            "what other tools call `{key}` is `{ours}` here, which `{}` does not have; its parameters: {}",
            definition.name,
            list(definition)
        ))
    }
}

fn list(definition: &Definition) -> String {
    definition.parameters.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Reads one population whose model is known.
pub(super) fn read(desk: &mut Desk<'_>, own: &mut OwnModels, entry: &Entry, model: &Arc<Definition>) -> Option<PopulationSpec> {
    let mut f = Fields::of(&mut desk.report, &entry.value, format!("population `{}`", entry.key))?;
    f.allow("model");
    let positions_node = f.get("positions");
    let grid_node = f.get("grid");
    let grid = grid_node.and_then(|n| grid::read(desk, n, model));
    let places = match &grid {
        Some(g) => Some(Positions::Grid { shape: g.shape.clone(), spacing: g.spacing }),
        None => positions_node.and_then(|n| positions::read(desk, n)),
    };
    grid::check(desk, grid_node, [("size", f.get("size")), ("positions", positions_node)], (model, &entry.place));
    let size = match f.get("size") {
        Some(n) => desk.whole(n, "`size`", 1).filter(|v| {
            let fits = u32::try_from(*v).is_ok();
            if !fits {
                desk.error_help(
                    &n.place,
                    format!("a population has at most {} units, not {v}", u32::MAX),
                    "a run of this size would not fit any memory",
                );
            }
            fits
        }),
        None => Some(match &places {
            Some(Positions::Grid { shape, .. }) => shape.iter().product::<usize>() as u64,
            Some(Positions::Listed(list)) => list.len() as u64,
            _ => 1,
        }),
    };
    // After a wrong size the most likely one is used, so that what else is wrong is found without following errors.
    let mut likely = || f.get("size").and_then(Node::as_number).map_or(1e6, |v| v.abs().clamp(1.0, 1e6));
    let size = size.map_or_else(&mut likely, |v| v as f64) as usize;
    positions::check(desk, positions_node, places.as_ref(), size);
    for place in ["cable", "morphology"] {
        if let Some(n) = f.get(place) {
            desk.error_help(
                &n.place,
                format!("`{place}` is not part of this version: populations are sets of points or grids"),
                "use `size`, and `positions` for units in space, or `grid`",
            );
        }
    }

    let mut system: System = model.system.clone();
    let mut receptors = Vec::new();
    let mut given: BTreeMap<String, (Value, Place)> = BTreeMap::new();
    let mut definitions: Vec<(String, Arc<Definition>)> = vec![(String::new(), model.clone())];
    let positioned = places.is_some();
    let plain = grid.as_ref().is_some_and(|g| g.length.is_none());
    let unit_names = || if plain { Names::of_plain_cells() } else { Names::of_units(positioned) };
    let reading = Reading { size };

    if let Some(node) = f.get("receptors") {
        for e in node.entries().unwrap_or_default() {
            let Some((spec, carried)) = receptor(desk, own, e, &system, model, &reading, &unit_names(), &mut given) else { continue };
            system = carried;
            let definition = spec.definition.clone();
            definitions.push((format!("{}.", spec.name), definition));
            receptors.push(spec);
        }
        if node.entries().is_none() {
            desk.error(&node.place, format!("`receptors` holds one table a receptor, not {}", node.what()));
        }
    }

    let preset = f.get("preset").and_then(|n| preset(desk, n, model));
    if let Some(node) = f.get("parameters")
        && let Some(mut fields) = Fields::of(&mut desk.report, node, "`parameters`")
    {
        let names = unit_names().with(model.parameters.iter().map(|p| (p.name.as_str(), p.dimension)));
        read_parameters(desk, &mut fields, model, "", &reading, &names, &mut given);
        fields.finish_with(&mut desk.report, &|key| hint_parameter(model, key));
    }
    let chosen = preset.as_ref();
    let parameters: Vec<Value> = system
        .parameters()
        .iter()
        .map(|v| given.get(&v.name).map_or_else(|| Value::Constant(default_of(&definitions, chosen, &v.name)), |g| g.0.clone()))
        .collect();

    let initial_node = f.get("initial");
    let initial = initial_values(desk, initial_node, &system, &definitions, chosen, &parameters, &reading, &unit_names());
    let integrator = f
        .get("integrator")
        .and_then(|n| integrator(desk, n))
        .or_else(|| chosen.and_then(|p| p.integrator.clone()))
        .or_else(|| model.integrator.clone());
    let substeps = f
        .get("substeps")
        .and_then(|n| desk.whole(n, "`substeps`", 1))
        .map_or_else(|| chosen.and_then(|p| p.substeps).unwrap_or(1), |v| v as u32);
    f.finish_with(&mut desk.report, &|key| {
        model.parameter(key).map(|_| format!("`{key}` is a parameter of the model: write `parameters = {{ {key} = ... }}`"))
    });
    check_refractory(desk, model, &system, &parameters, &given, &entry.place);
    // Returned even when something is wrong, so that what names this population is checked as well; the report fails the load.
    Some(PopulationSpec {
        name: entry.key.clone(),
        model: model.clone(),
        receptors,
        system,
        size,
        parameters,
        initial,
        positions: places,
        grid,
        integrator: integrator.filter(|i| i != "auto"),
        substeps,
        preset: preset.map(|p| p.name),
    })
}

/// What stays the same while a population is read.
struct Reading {
    size: usize,
}

#[expect(clippy::too_many_arguments, reason = "what the population knows so far, and where its values go")]
fn receptor(
    desk: &mut Desk<'_>,
    own: &mut OwnModels,
    entry: &Entry,
    host: &System,
    model: &Definition,
    reading: &Reading,
    names: &Names<'_>,
    given: &mut BTreeMap<String, (Value, Place)>,
) -> Option<(ReceptorSpec, System)> {
    super::check_name(desk, &entry.key, &entry.place, "receptor");
    let mut f = Fields::of(&mut desk.report, &entry.value, format!("receptor `{}`", entry.key))?;
    let kind = f.require(&mut desk.report, "kind", "\"exp_current\"")?;
    let kind_name = desk.text(kind, "`kind`")?.to_owned();
    let mut definition = own.find(desk, Kind::Receptor, &kind_name, &kind.place)?;
    if let Some(n) = f.get("port") {
        let port = desk.text(n, "`port`")?.to_owned();
        if !host.inputs().iter().any(|i| i.name == port) {
            let help = suggest(&port, host.inputs().iter().map(|i| i.name.as_str()));
            desk.error_help(&n.place, format!("model `{}` has no input `{port}`", model.name), help);
            return None;
        }
        match redirect(&definition, &port) {
            Ok(d) => definition = d,
            Err(message) => {
                desk.error(&n.place, message);
                return None;
            }
        }
    }
    let system = match host.carrying(&entry.key, &definition.system) {
        Ok(system) => system,
        Err(problems) => {
            for d in problems {
                desk.report.put(&kind.place, d);
            }
            return None;
        }
    };
    let chosen = f.get("preset").and_then(|n| preset(desk, n, &definition));
    let prefix = format!("{}.", entry.key);
    for (name, value) in chosen.iter().flat_map(|p| &p.parameters).rev() {
        given.insert(format!("{prefix}{name}"), (Value::Constant(*value), entry.place.clone()));
    }
    // On a host with densities or plain numbers the receptor's units follow the host's.
    let mut fitted = (*definition).clone();
    for p in &mut fitted.parameters {
        let now = system.parameters().iter().find(|v| v.name == format!("{prefix}{}", p.name)).map_or(p.dimension, |v| v.dimension);
        if now != p.dimension {
            p.dimension = now;
            (p.min, p.max) = (None, None);
            if p.default != 0.0 && f.get(&p.name).is_none() && !given.contains_key(&format!("{prefix}{}", p.name)) {
                desk.error_help(
                    &entry.place,
                    format!(
                        "receptor `{}` needs `{}` here: on model `{}` it is {}, and the default is {}",
                        entry.key,
                        p.name,
                        model.name,
                        name_of(now),
                        p.default_text
                    ),
                    format!("add `{} = ...`", p.name),
                );
            }
        }
    }
    let names = names.clone().with(fitted.parameters.iter().map(|p| (p.name.as_str(), p.dimension)));
    read_parameters(desk, &mut f, &fitted, &prefix, reading, &names, given);
    f.finish_with(&mut desk.report, &|key| hint_parameter(&fitted, key));
    Some((ReceptorSpec { name: entry.key.clone(), definition }, system))
}

/// One preset, or several that are applied in turn (`["chattering", "figure1"]`).
pub(super) fn preset(desk: &mut Desk<'_>, node: &Node, definition: &Definition) -> Option<Preset> {
    let single = std::slice::from_ref(node);
    let nodes: &[Node] = match &node.item {
        Item::List(list) => list,
        _ => single,
    };
    let mut merged: Option<Preset> = None;
    for n in nodes {
        let name = desk.text(n, "`preset`")?.to_owned();
        let Some(found) = definition.preset(&name) else {
            let help = suggest(&name, definition.presets.iter().map(|p| p.name.as_str()));
            desk.error_help(&n.place, format!("`{}` has no preset `{name}`", definition.name), help);
            return None;
        };
        merged = Some(match merged {
            None => found.clone(),
            Some(first) => {
                // Later values come first in the search.
                let joined = |new: &[(String, String)], old: Vec<(String, String)>| new.iter().cloned().chain(old).collect();
                Preset {
                    name: format!("{} + {name}", first.name),
                    about: first.about,
                    parameters: found.parameters.iter().cloned().chain(first.parameters).collect(),
                    initial: joined(&found.initial, first.initial),
                    integrator: found.integrator.clone().or(first.integrator),
                    substeps: found.substeps.or(first.substeps),
                }
            }
        });
    }
    merged
}

fn read_parameters(
    desk: &mut Desk<'_>,
    fields: &mut Fields<'_>,
    definition: &Definition,
    prefix: &str,
    reading: &Reading,
    names: &Names<'_>,
    given: &mut BTreeMap<String, (Value, Place)>,
) {
    for p in &definition.parameters {
        let Some(node) = fields.get(&p.name) else { continue };
        let wanted =
            Wanted { dimension: p.dimension, what: format!("`{}`", p.name), count: Some(reading.size), names: Some(names.clone()) };
        if let Some(value) = desk.value(node, &wanted) {
            desk.in_range(node, p, &value);
            given.insert(format!("{prefix}{}", p.name), (value, node.place.clone()));
        }
    }
}

fn default_of(definitions: &[(String, Arc<Definition>)], preset: Option<&Preset>, name: &str) -> f64 {
    if let Some((_, v)) = preset.and_then(|p| p.parameters.iter().find(|(n, _)| n == name)) {
        return *v;
    }
    definitions.iter().find_map(|(prefix, d)| name.strip_prefix(prefix.as_str()).and_then(|n| d.parameter(n))).map_or(0.0, |p| p.default)
}

#[expect(clippy::too_many_arguments, reason = "one value from each place that may state it: scenario, preset, model file")]
fn initial_values(
    desk: &mut Desk<'_>,
    node: Option<&Node>,
    system: &System,
    definitions: &[(String, Arc<Definition>)],
    preset: Option<&Preset>,
    parameters: &[Value],
    reading: &Reading,
    names: &Names<'_>,
) -> Vec<Value> {
    let mut written: BTreeMap<String, &Node> = BTreeMap::new();
    if let Some(node) = node {
        let states: Vec<&str> = system.states().iter().map(|s| s.name.as_str()).collect();
        for e in node.entries().unwrap_or_default() {
            let inner = e.value.entries().filter(|_| definitions.iter().any(|(prefix, _)| *prefix == format!("{}.", e.key)));
            let list: Vec<(String, &Place, &Node)> = match inner {
                Some(entries) => entries.iter().map(|i| (format!("{}.{}", e.key, i.key), &i.place, &i.value)).collect(),
                None => vec![(e.key.clone(), &e.place, &e.value)],
            };
            for (name, place, value) in list {
                if states.contains(&name.as_str()) {
                    written.insert(name, value);
                } else {
                    let help = suggest(&name, states.iter().copied());
                    desk.error_help(place, format!("`{name}` is no state of this population"), help);
                }
            }
        }
        if node.entries().is_none() {
            desk.error(&node.place, format!("`initial` is a table, not {}", node.what()));
        }
    }
    let names = names.clone().with(system.parameters().iter().map(|p| (p.name.as_str(), p.dimension)).filter(|(n, _)| !n.contains('.')));
    system
        .states()
        .iter()
        .map(|state| {
            if let Some(node) = written.get(&state.name) {
                let wanted = Wanted {
                    dimension: state.dimension,
                    what: format!("the initial value of `{}`", state.name),
                    count: Some(reading.size),
                    names: Some(names.clone()),
                };
                return desk.value(node, &wanted).map_or(Value::Constant(0.0), |v| constant(v, system, parameters));
            }
            let text = preset
                .and_then(|p| p.initial.iter().find(|(n, _)| *n == state.name))
                .map(|(_, t)| t.clone())
                .or_else(|| {
                    definitions.iter().find_map(|(prefix, d)| {
                        let own = state.name.strip_prefix(prefix.as_str())?;
                        d.initial.iter().find(|(n, _)| n == own).map(|(_, t)| t.clone())
                    })
                })
                .unwrap_or_else(|| "0".to_owned());
            let value = if is_expression(&text) {
                Value::Expression(text)
            } else {
                Value::Constant(Quantity::parse(&text).map_or(0.0, |q| q.value))
            };
            constant(value, system, parameters)
        })
        .collect()
}

/// An expression that is only the name of a parameter with a constant or listed value is that value.
fn constant(value: Value, system: &System, parameters: &[Value]) -> Value {
    if let Value::Expression(text) = &value
        && let Some(i) = system.parameters().iter().position(|p| p.name == text.trim())
        && let Value::Constant(_) | Value::Each(_) = &parameters[i]
    {
        return parameters[i].clone();
    }
    value
}

pub(super) fn integrator(desk: &mut Desk<'_>, node: &Node) -> Option<String> {
    let name = desk.text(node, "`integrator`")?.to_owned();
    let known: Vec<&str> = desk.catalog.integrators.iter().map(|i| i.0).collect();
    if name != "auto" && !known.is_empty() && !known.contains(&name.as_str()) {
        let help = suggest(&name, known.iter().copied().chain(["auto"]));
        desk.error_help(&node.place, format!("there is no integrator `{name}`"), help);
        return None;
    }
    Some(name)
}

/// Refuses a refractory time that is no multiple of the step.
fn check_refractory(
    desk: &mut Desk<'_>,
    model: &Definition,
    system: &System,
    parameters: &[Value],
    given: &BTreeMap<String, (Value, Place)>,
    fallback: &Place,
) {
    let Some(name) = model.texts.refractory_time.as_deref().map(str::trim) else { return };
    let Some(index) = system.parameters().iter().position(|p| p.name == name) else { return };
    let place = given.get(name).map_or(fallback, |g| &g.1).clone();
    // Plain-number models state the time in milliseconds or seconds.
    let unit = match (system.parameters()[index].dimension == Dimension::SECOND, system.time_unit()) {
        (false, TimeUnit::Millisecond) => 1e-3,
        _ => 1.0,
    };
    match &parameters[index] {
        Value::Constant(v) => {
            desk.multiple(&place, *v * unit, &format!("`{name}`"));
        }
        Value::Each(list) => {
            for v in list.iter() {
                if desk.multiple(&place, *v * unit, &format!("`{name}`")).is_none() {
                    break;
                }
            }
        }
        _ => {}
    }
}
