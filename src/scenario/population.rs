//! `[populations.NAME]`: which model, how many, with what parameters, receptors, initial values and positions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::desk::{Desk, suggest};
use super::grid::GRID;
use super::language::{Key, Of, Others, Range, Section, Table, Takes, Words};
use super::lookup::OwnModels;
use super::mechanism::{self, CHANNEL, Mechanism, RECEPTOR, Reading, hint_parameter, preset, read_parameters};
use super::positions::POSITIONS;
use super::spec::{PopulationSpec, Positions, Value};
use super::tree::{COMPARTMENTS, SECTION};
use super::value::{Names, Wanted, is_expression};
use super::{grid, positions, tree};
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_equation::{System, TimeUnit};
use spikedeck_model::document::{Entry, Node};
use spikedeck_model::morphology::swc::Soma;
use spikedeck_model::report::Place;
use spikedeck_model::{Definition, Kind, Preset};

/// `[populations.NAME]`.
pub(super) static POPULATION: Section = Section::new(
    "populations",
    "units that share a model: points, the cells of a grid, or the compartments of a tree",
    &[
        Key::required(
            "model",
            Takes::Definition(Kind::Model),
            "lif",
            "a built-in model, one of `models`, or a file beside the scenario",
        ),
        Key::optional(
            "size",
            Takes::Whole,
            "1, or as many as `grid` or `positions` have",
            "number of units; of cells on a tree",
        )
        .range(Range::From(1.0)),
        Key::optional(
            "preset",
            Takes::OneOrMore("a preset of the model"),
            "the defaults of the model",
            "named set of values of the model, or several that are joined",
        ),
        Key::optional("parameters", Takes::Open(&PARAMETERS), "the defaults of the model", "parameters of the model"),
        Key::optional("initial", Takes::Open(&INITIAL), "what the model file says", "initial values"),
        Key::optional(
            "receptors",
            Takes::Named(&RECEPTOR),
            "none",
            "receptors, by names of your own; spikes arrive at them as `POP.NAME`",
        ),
        Key::optional("channels", Takes::Named(&CHANNEL), "none", "channels of a tree, by names of your own"),
        Key::optional("grid", Takes::Table(&GRID), "points", "cells on a line or in a plane"),
        Key::optional("positions", Takes::One(&POSITIONS), "units without places", "where the units are"),
        Key::optional("sections", Takes::Named(&SECTION), "no tree", "sections of a tree, by names of your own"),
        Key::optional("cable", Takes::Table(&SECTION), "no tree", "a tree of one section"),
        Key::optional("morphology", Takes::Morphology, "no tree", "an SWC file beside the scenario, or a built-in one"),
        Key::default("soma", Takes::Choice(Soma::WORDS), "neuron", "how the soma of the file is read"),
        Key::optional("least_diameter", LENGTH, "as in the file", "diameter of what is thinner in the file")
            .range(Range::Above(0.0)),
        Key::optional(
            "compartments",
            Takes::One(&COMPARTMENTS),
            "{ d_lambda = 0.1 }",
            "how sections are cut into compartments",
        ),
        Key::optional("held", Takes::Open(&HELD), "none", "places whose voltage is held"),
        Key::optional(
            "threshold_at",
            Takes::OneOrMore("a place on the tree, such as `soma(0.5)`"),
            "the middle of the first section",
            "places whose threshold is watched",
        ),
        Key::optional(
            "integrator",
            Takes::Integrator,
            "that of the preset, of the model, or of `simulation`",
            "how time is stepped",
        ),
        Key::optional("substeps", Takes::Whole, "those of the preset, or 1", "integration steps inside one step")
            .range(Range::From(1.0)),
    ],
);

const LENGTH: Takes = Takes::Quantity(Of::Fixed(Dimension::METRE));

/// A value on a tree, by place.
static PLACES: Others = Others {
    about: "a place on a tree (a section, a region, `soma(0.5)`), or `default` for all others",
    takes: Takes::Quantity(Of::Said("that of the value")),
    parameters_of: None,
};

/// A value of a unit: one for all, drawn, or by place.
pub(super) const VALUE: Takes =
    Takes::Either(&[Takes::Value(Of::Said("that of the parameter or state")), Takes::Open(&PLACES)]);

static PARAMETERS: Others =
    Others { about: "a parameter of the model", takes: VALUE, parameters_of: Some(Kind::Model) };

static INITIAL: Others = Others {
    about: "a state; one of a receptor or channel is `\"NAME.STATE\"`, or stands in a table of its name",
    takes: Takes::Either(&[VALUE, Takes::Open(&INITIAL_OF)]),
    parameters_of: None,
};

static INITIAL_OF: Others = Others { about: "a state of the receptor or channel", takes: VALUE, parameters_of: None };

static HELD: Others = Others {
    about: "a place on the tree",
    takes: Takes::Quantity(Of::Said("that of the voltage")),
    parameters_of: None,
};

/// Reads one population whose model is known.
pub(super) fn read(
    desk: &mut Desk<'_>,
    own: &mut OwnModels,
    entry: &Entry,
    model: &Arc<Definition>,
) -> Option<PopulationSpec> {
    let mut f = Table::of(desk, &entry.value, format!("population `{}`", entry.key), POPULATION.keys)?;
    let positions_node = f.get("positions");
    let grid_node = f.get("grid");
    let grid = grid_node.and_then(|n| grid::read(desk, n, model));
    let places = match &grid {
        Some(g) => Some(Positions::Grid { shape: g.shape.clone(), spacing: g.spacing }),
        None => positions_node.and_then(|n| positions::read(desk, n)),
    };
    grid::check(desk, grid_node, [("size", f.get("size")), ("positions", positions_node)], (model, &entry.place));
    let least = f.key("size").least();
    let size = match f.get("size") {
        Some(n) => desk.whole(n, "`size`", least).filter(|v| {
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
    let shaped = tree::SHAPES.iter().any(|key| f.get(key).is_some());
    let plan = tree::read(desk, &mut f, model, &entry.place);
    let cells = size;
    let (size, places) = match &plan {
        Some(p) => (p.units(cells), Some(p.positions(cells))),
        None => (size, places),
    };

    let mut system: System = model.system.clone();
    let mut given: BTreeMap<String, (Value, Place)> = BTreeMap::new();
    let mut definitions: Vec<(String, Arc<Definition>)> = vec![(String::new(), model.clone())];
    let positioned = places.is_some();
    let plain = grid.as_ref().is_some_and(|g| g.length.is_none());
    let unit_names = || match (plain, &plan) {
        (true, _) => Names::of_plain_cells(),
        (false, Some(_)) => Names::of_units(true).with(tree::NAMES.map(|n| (n, Dimension::METRE))),
        (false, None) => Names::of_units(positioned),
    };
    let reading = Reading { size, tree: plan.as_ref(), lost: shaped && plan.is_none() };

    let mut mechanisms: Vec<Mechanism> = Vec::new();
    for (key, kind) in [("channels", Kind::Channel), ("receptors", Kind::Receptor)] {
        let Some(node) = f.get(key) else { continue };
        if kind == Kind::Channel && plan.is_none() {
            if shaped {
                continue;
            }
            desk.error_help(
                &node.place,
                "channels are carried by the compartments of a tree, and this population has none",
                "add `sections`, `cable` or `morphology`; a population of points states its currents in its model",
            );
            continue;
        }
        if node.entries().is_none() {
            desk.error(&node.place, format!("`{key}` holds one table a {}, not {}", kind.word(), node.what()));
        }
        for (e, definition) in known(desk, own, node, kind) {
            let Some((carried, with)) =
                mechanism::read(desk, e, definition, &system, model, &reading, &unit_names(), &mut given)
            else {
                continue;
            };
            system = with;
            definitions.push((format!("{}.", carried.spec.name), carried.spec.definition.clone()));
            mechanisms.push(carried);
        }
    }

    let preset = f.get("preset").and_then(|n| preset(desk, n, model));
    if let Some(node) = f.get("parameters")
        && let Some(mut fields) = Table::of(desk, node, "`parameters`", &[])
    {
        let names = unit_names().with(model.parameters.iter().map(|p| (p.name.as_str(), p.dimension)));
        read_parameters(desk, &mut fields, model, "", &reading, &names, &mut given);
        fields.finish_with(desk, &|key| hint_parameter(model, key));
    }
    let chosen = preset.as_ref();
    if let Some(plan) = &plan {
        plan.geometry(cells, model, &entry.place, &mut given);
    }
    let parameters: Vec<Value> = system
        .parameters()
        .iter()
        .map(|v| {
            given
                .get(&v.name)
                .map_or_else(|| Value::Constant(default_of(&definitions, chosen, &v.name)), |g| g.0.clone())
        })
        .collect();

    let initial_node = f.get("initial");
    let initial =
        initial_values(desk, initial_node, &system, &definitions, chosen, &parameters, &reading, &unit_names());
    let integrator = f
        .get("integrator")
        .and_then(|n| integrator(desk, n))
        .or_else(|| chosen.and_then(|p| p.integrator.clone()))
        .or_else(|| model.integrator.clone());
    let least = f.key("substeps").least();
    let substeps = f
        .get("substeps")
        .and_then(|n| desk.whole(n, "`substeps`", least))
        .map_or_else(|| chosen.and_then(|p| p.substeps).unwrap_or(1), |v| v as u32);
    f.finish_with(desk, &|key| {
        model
            .parameter(key)
            .map(|_| format!("`{key}` is a parameter of the model: write `parameters = {{ {key} = ... }}`"))
    });
    let tree = plan.as_ref().map(|p| p.finish(desk, &system, model, &mechanisms, cells, initial_node, &definitions));
    let (channels, receptors) =
        mechanisms.into_iter().map(|m| m.spec).partition(|m| m.definition.kind == Kind::Channel);
    check_refractory(desk, model, &system, &parameters, &given, &entry.place);
    // Returned even when something is wrong, so that what names this population is checked as well; the report fails
    // the load.
    Some(PopulationSpec {
        name: entry.key.clone(),
        model: model.clone(),
        receptors,
        channels,
        tree: tree.map(Arc::new),
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

/// The entries of a table of receptors or channels with their definitions: those that provide something to others
/// first.
fn known<'n>(
    desk: &mut Desk<'_>,
    own: &mut OwnModels,
    node: &'n Node,
    kind: Kind,
) -> Vec<(&'n Entry, Arc<Definition>)> {
    let mut found: Vec<(&Entry, Arc<Definition>)> = Vec::new();
    for e in node.entries().unwrap_or_default() {
        match e.value.get("kind") {
            Some(k) => {
                let definition =
                    desk.text(k, "`kind`").map(str::to_owned).and_then(|name| own.find(desk, kind, &name, &k.place));
                found.extend(definition.map(|d| (e, d)));
            }
            None => {
                desk.error_help(&e.place, format!("{} `{}` needs `kind`", kind.word(), e.key), "add `kind = \"...\"`")
            }
        }
    }
    found.sort_by_key(|(_, d)| d.texts.provides.is_empty());
    found
}

fn default_of(definitions: &[(String, Arc<Definition>)], preset: Option<&Preset>, name: &str) -> f64 {
    if let Some((_, v)) = preset.and_then(|p| p.parameters.iter().find(|(n, _)| n == name)) {
        return *v;
    }
    definitions
        .iter()
        .find_map(|(prefix, d)| name.strip_prefix(prefix.as_str()).and_then(|n| d.parameter(n)))
        .map_or(0.0, |p| p.default)
}

#[expect(
    clippy::too_many_arguments,
    reason = "one value from each place that may state it: scenario, preset, model file"
)]
fn initial_values(
    desk: &mut Desk<'_>,
    node: Option<&Node>,
    system: &System,
    definitions: &[(String, Arc<Definition>)],
    preset: Option<&Preset>,
    parameters: &[Value],
    reading: &Reading<'_>,
    names: &Names<'_>,
) -> Vec<Value> {
    let mut written: BTreeMap<String, &Node> = BTreeMap::new();
    if let Some(node) = node {
        let states: Vec<&str> = system.states().iter().map(|s| s.name.as_str()).collect();
        for e in node.entries().unwrap_or_default() {
            let inner =
                e.value.entries().filter(|_| definitions.iter().any(|(prefix, _)| *prefix == format!("{}.", e.key)));
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
    let names = names
        .clone()
        .with(system.parameters().iter().map(|p| (p.name.as_str(), p.dimension)).filter(|(n, _)| !n.contains('.')));
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
                let value = match reading.tree.filter(|_| tree::is_by_place(node)) {
                    Some(plan) => {
                        plan.by_place(desk, node, &wanted, None, tree::default_initial(&state.name, definitions))
                    }
                    None if reading.lost && tree::is_by_place(node) => None,
                    None => desk.value(node, &wanted),
                };
                return value.map_or(Value::Constant(0.0), |v| constant(v, system, parameters));
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
