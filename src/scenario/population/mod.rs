//! `[populations.NAME]`: which model, how many, with what parameters, receptors, initial values and positions.

mod carried;
mod initial;
mod keys;
mod parameters;
mod source;

pub(super) use self::keys::{POPULATION, VALUE};

use std::collections::BTreeMap;
use std::sync::Arc;

use self::carried::{Carried, carried};
use self::initial::Initial;
use self::parameters::{check_order, check_refractory, hint_refractory, parameters};
use super::language::Table;
use super::lookup::OwnModels;
use super::mechanism::{Reading, preset};
use super::resolver::{Resolver, suggest};
use super::spec::{GridSpec, Integrator, PopulationSpec, Positions, StimulusKind, Value};
use super::value::KnownNames;
use super::{fit, grid, positions, tree};
use spikedeck_model::document::{Entry, Node};
use spikedeck_model::report::SourceSpan;
use spikedeck_model::{Definition, DefinitionKind, Preset};

/// What a stimulus has as its target in a population, and its name where it is recorded by itself.
pub(super) struct Driven<'a> {
    pub what: &'a str,
    pub recorded: Option<&'a str>,
}

/// Values that the scenario states, and where, by the names of the population's parameters.
type Given = BTreeMap<String, (Value, SourceSpan)>;

/// The model of a population, a preset of it if one is chosen, and where the population stands.
struct Chosen<'a> {
    model: &'a Arc<Definition>,
    preset: Option<&'a Preset>,
    at: &'a SourceSpan,
}

/// Reads one population whose model is known, with the spikes that it plays if it does; stimuli have `driven` of it as
/// their targets.
pub(super) fn read(
    resolver: &mut Resolver<'_>,
    own: &mut OwnModels,
    entry: &Entry,
    model: &Arc<Definition>,
    driven: &[Driven<'_>],
) -> Option<(PopulationSpec, Option<StimulusKind>)> {
    let mut f = Table::of(resolver, &entry.value, format!("population `{}`", entry.key), POPULATION.keys)?;
    let grid_node = f.get("grid");
    let Extent { count, positions, grid } = extent(resolver, &mut f, model, &entry.place);
    if model.system.plays() {
        return Some(source::read(resolver, f, entry, model, (count, positions)));
    }
    if let Some(node) = f.get("spikes") {
        resolver.error_help(
            &node.place,
            format!("`{}` spikes by its own equations: `spikes` is for `model = \"spike_source\"`", model.name),
            "stimuli and projections bring spikes to its receptors; `[record.NAME]` keeps those that it fires",
        );
    }
    let shaped = tree::SHAPES.iter().any(|key| f.get(key).is_some());
    let tree = tree::read(resolver, &mut f, model, &entry.place);
    // On a tree what is counted are cells, and units are the compartments of all.
    let (size, positions) = match &tree {
        Some(t) => (t.units(count), Some(t.positions(count))),
        None => (count, positions),
    };
    let names = match (grid.as_ref().is_some_and(|g| g.length.is_none()), &tree) {
        (true, _) => KnownNames::of_plain_cells(),
        (false, Some(_)) => KnownNames::of_units(true).on_tree(),
        (false, None) => KnownNames::of_units(positions.is_some()),
    };
    let lost = shaped && tree.is_none();
    let reading = Reading { size, tree: tree.as_ref(), lost };

    let mut given = Given::new();
    let mut carried = carried(resolver, own, &mut f, model, &reading, &names, &mut given);
    let apart = grid.is_none() && tree.is_none() && !shaped;
    let clamp = f.get("clamp").and_then(|n| clamp(resolver, n, &mut carried, apart));
    let preset = f.get("preset").and_then(|n| preset(resolver, n, model));
    let chosen = Chosen { model, preset: preset.as_ref(), at: &entry.place };
    let parameters = parameters(resolver, &mut f, &chosen, &reading, &names, &mut given, &carried);
    check_order(resolver, &carried.system, &parameters, &given, &entry.place);
    let initial_node = f.get("initial");
    let initial =
        Initial { carried: &carried, chosen: &chosen, parameters: &parameters, reading: &reading, names: &names };
    let initial = initial.values(resolver, initial_node);
    let integrator = integrator_of(resolver, f.get("integrator"), &chosen);
    let nodes = fit::Nodes {
        integrator: f.get("integrator"),
        grid: grid_node,
        substeps: f.get("substeps"),
        population: &entry.place,
    };
    let least = f.key("substeps").least();
    let substeps = nodes.substeps.and_then(|n| resolver.whole(n, "`substeps`", least)).map(|v| v as u32);
    let substeps = substeps.or(chosen.preset.and_then(|p| p.substeps)).unwrap_or(1);
    f.finish_with(resolver, &|key| {
        model
            .parameter(key)
            .map(|_| format!("`{key}` is a parameter of the model: write `parameters = {{ {key} = ... }}`"))
            .or_else(|| hint_refractory(model, key))
    });
    let mut system = carried.system;
    if apart {
        for Driven { what, recorded } in driven {
            // Other names are ports, or wrong.
            system = system.with_changing(what).unwrap_or(system);
            if let Some(stimulus) = recorded {
                system = system.with_source(what, stimulus).unwrap_or(system);
            }
        }
    }
    let mechanisms = carried.mechanisms;
    let tree = tree.map(|t| t.finish(resolver, &system, model, &mechanisms, count, initial_node));
    let (channels, receptors) =
        mechanisms.into_iter().map(|m| m.spec).partition(|m| m.definition.kind == DefinitionKind::Channel);
    check_refractory(resolver, model, &system, &parameters, &given, &entry.place);
    // Returned even when something is wrong, so that what names this population is checked as well; the report fails
    // the load.
    let population = PopulationSpec {
        name: entry.key.clone(),
        model: model.clone(),
        receptors,
        channels,
        tree: tree.map(Arc::new),
        system,
        size,
        parameters,
        initial,
        positions,
        grid,
        integrator,
        substeps,
        clamp,
    };
    fit::check(resolver, &population, &nodes);
    // Without its tree it has other units and other places than are meant: whatever names them would be said to be
    // wrong.
    (!lost).then_some((population, None))
}

/// How many units a population of points or of a grid has, or cells a population on a tree, and where they are.
struct Extent {
    count: usize,
    positions: Option<Positions>,
    grid: Option<GridSpec>,
}

fn extent(resolver: &mut Resolver<'_>, f: &mut Table<'_>, model: &Arc<Definition>, at: &SourceSpan) -> Extent {
    let positions_node = f.get("positions");
    let grid_node = f.get("grid");
    let grid = grid_node.and_then(|n| grid::read(resolver, n, model));
    let positions = match &grid {
        Some(g) => Some(Positions::Grid { shape: g.shape.clone(), spacing: g.spacing }),
        None => positions_node.and_then(|n| positions::read(resolver, n)),
    };
    let size = f.get("size");
    grid::check(resolver, grid_node, [("size", size), ("positions", positions_node)], (model, at));
    let least = f.key("size").least();
    let count = match size {
        Some(n) => resolver.whole(n, "`size`", least).filter(|v| {
            let fits = u32::try_from(*v).is_ok();
            if !fits {
                resolver.error_help(
                    &n.place,
                    format!("a population has at most {} units, not {v}", u32::MAX),
                    "a run of this size would not fit any memory",
                );
            }
            fits
        }),
        None => Some(match &positions {
            Some(Positions::Grid { shape, .. }) => shape.iter().product::<usize>() as u64,
            Some(Positions::Listed(list)) => list.len() as u64,
            Some(Positions::Uniform { .. }) | None => 1,
        }),
    };
    // After a wrong size the most likely one is used, so that what else is wrong is found without following errors.
    let likely = || size.and_then(Node::as_number).map_or(1e6, |v| v.abs().clamp(1.0, 1e6));
    let count = count.map_or_else(likely, |v| v as f64) as usize;
    positions::check(resolver, positions_node, positions.as_ref(), count);
    Extent { count, positions, grid }
}

/// The state that is clamped: it becomes an input.
fn clamp(resolver: &mut Resolver<'_>, node: &Node, carried: &mut Carried, apart: bool) -> Option<String> {
    let state = resolver.text(node, "`clamp`")?.to_owned();
    if !apart {
        resolver.error_help(
            &node.place,
            "a clamp holds a state of points, which are apart",
            "on a tree `held = { \"soma(0.5)\" = \"-65 mV\" }` holds the voltage of a place",
        );
        return None;
    }
    let inputs: Vec<&str> = carried.system.inputs().iter().map(|v| v.name.as_str()).collect();
    let charging = match inputs[..] {
        [one] => one.to_owned(),
        _ => "I".to_owned(),
    };
    match carried.system.clamped(&state, &charging) {
        Ok(system) => {
            carried.system = system;
            Some(state)
        }
        Err(why) => {
            let states: Vec<&str> = carried.system.states().iter().map(|v| v.name.as_str()).collect();
            let help = format!("states: {}; the current of the clamp goes into `{charging}`", states.join(", "));
            resolver.error_help(&node.place, format!("`{state}` cannot be clamped: {why}"), help);
            None
        }
    }
}

/// The integrator that the population, its preset or its model names, and otherwise that of the simulation.
fn integrator_of(resolver: &mut Resolver<'_>, node: Option<&Node>, chosen: &Chosen<'_>) -> Integrator {
    let Chosen { model, preset, at } = *chosen;
    let stated = preset.and_then(|p| p.integrator.as_deref()).or(model.integrator.as_deref());
    let found = match (node, stated) {
        (Some(node), _) => integrator(resolver, node),
        (None, Some(name)) => named(resolver, at, name, &format!("`{}` names an integrator: ", model.name)),
        (None, None) => Some(resolver.integrator),
    };
    // One that is unknown is an error, which fails the load.
    found.unwrap_or(resolver.integrator)
}

/// The integrator that `node` names.
pub(super) fn integrator(resolver: &mut Resolver<'_>, node: &Node) -> Option<Integrator> {
    let name = resolver.text(node, "`integrator`")?.to_owned();
    named(resolver, &node.place, &name, "")
}

/// The integrator called `name`, or an error at `place` after the words `who`.
fn named(resolver: &mut Resolver<'_>, place: &SourceSpan, name: &str, who: &str) -> Option<Integrator> {
    let found = Integrator::named(name);
    if found.is_none() {
        let help = suggest(name, Integrator::LIST.iter().map(|i| i.1));
        resolver.error_help(place, format!("{who}there is no integrator `{name}`"), help);
    }
    found
}
