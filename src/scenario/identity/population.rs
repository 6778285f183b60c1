//! `[populations.NAME]`.

use serde_json::{Map, Value as Json, json};

use super::equations::definition;
use super::quantity::{Digest, quantity, value};
use super::tree::tree;
use crate::spec::{Boundary, GridSpec, PopulationSpec, Positions, ReceptorSpec, Value};
use spikedeck_core::units::Dimension;
use spikedeck_equation::Variable;

/// A population by its model, its size, its values and its places.
pub(super) fn population(population: &PopulationSpec) -> Json {
    let PopulationSpec {
        name,
        model,
        receptors,
        channels,
        // The model carrying its receptors and channels.
        system,
        size,
        parameters,
        initial,
        positions,
        grid,
        tree: cells,
        integrator,
        substeps,
        clamp,
    } = population;
    let mut object = Map::new();
    object.insert("name".into(), json!(name));
    object.insert("model".into(), definition(model));
    for (key, list) in [("channels", channels), ("receptors", receptors)] {
        if !list.is_empty() {
            object.insert(key.into(), list.iter().map(carried).collect());
        }
    }
    object.insert("size".into(), json!(size));
    object.insert("integrator".into(), json!(integrator.name()));
    object.insert("substeps".into(), json!(substeps));
    object.insert("parameters".into(), table(system.parameters(), parameters));
    object.insert("initial".into(), table(system.states(), initial));
    if let Some(positions) = positions {
        object.insert("positions".into(), places(positions, grid.as_ref().map_or(Dimension::METRE, |g| g.length)));
    }
    if let Some(grid) = grid {
        object.insert("grid".into(), cells_of(grid));
    }
    if let Some(clamp) = clamp {
        object.insert("clamp".into(), json!(clamp));
    }
    if let Some(cells) = cells {
        object.insert("tree".into(), tree(cells, population));
    }
    Json::Object(object)
}

fn cells_of(grid: &GridSpec) -> Json {
    let GridSpec { shape, spacing, length, boundary, noise, noise_per, pointwise, allow_unstable } = grid;
    let mut object = json!({
        "shape": shape,
        "spacing": quantity(*spacing, *length),
        "boundary": boundary.map(end),
        "noise": quantity(noise.0, noise.1),
        "allow_unstable": allow_unstable,
    });
    if let Some(per) = noise_per {
        object["noise_per"] = json!(quantity(*per, *length));
    }
    if let Some(rule) = pointwise {
        object["pointwise"] = json!(rule.name());
    }
    object
}

/// A receptor or channel by the name that it has in the population.
fn carried(receptor: &ReceptorSpec) -> Json {
    let ReceptorSpec { name, definition: kind } = receptor;
    json!({ "name": name, "kind": definition(kind) })
}

/// One value each.
fn table(variables: &[Variable], values: &[Value]) -> Json {
    variables.iter().zip(values).map(|(v, x)| (v.name.clone(), value(x, v.dimension))).collect::<Map<_, _>>().into()
}

fn end(boundary: Boundary) -> &'static str {
    match boundary {
        Boundary::NoFlux => "no_flux",
        Boundary::Periodic => "periodic",
        Boundary::Fixed => "fixed",
        Boundary::Noisy => "noisy",
        Boundary::Killed => "killed",
    }
}

fn places(positions: &Positions, length: Dimension) -> Json {
    match positions {
        Positions::Grid { shape, spacing } => json!({ "grid": shape, "spacing": quantity(*spacing, length) }),
        Positions::Uniform { extent } => {
            json!({ "uniform": extent.iter().map(|e| quantity(*e, length)).collect::<Vec<_>>() })
        }
        Positions::Listed(list) => {
            let mut digest = Digest::default();
            for place in list.iter() {
                digest.numbers(place);
            }
            json!({ "listed": list.len(), "sha256": digest.finish() })
        }
    }
}
