//! A population that plays spikes: how many units, where they are, and what they play.

use std::sync::Arc;

use super::POPULATION;
use crate::language::{Context, Table};
use crate::resolver::Resolver;
use crate::spec::{PopulationSpec, Positions, StimulusKind};
use crate::stimulus::{self, Stimulus};
use crate::value::KnownNames;
use spikedeck_model::Definition;
use spikedeck_model::document::Entry;

/// Keys that a population without equations may have.
const KEYS: [&str; 4] = ["model", "size", "positions", "spikes"];

/// Fewest units for each id of a file that are told to be silent.
const SPARSE: usize = 10;

/// Reads a population whose model plays spikes; `count` and `positions` are those that it states.
pub(super) fn read(
    resolver: &mut Resolver<'_>,
    mut f: Table<'_>,
    entry: &Entry,
    model: &Arc<Definition>,
    (count, positions): (usize, Option<Positions>),
) -> (PopulationSpec, Option<StimulusKind>) {
    let of_equations: Vec<&str> = POPULATION.keys.iter().map(|k| k.name).filter(|k| !KEYS.contains(k)).collect();
    for key in of_equations {
        if let Some(node) = f.get(key) {
            let help = if key == "parameters" {
                "what it plays stands in `spikes = { kind = \"poisson\", rate = \"10 Hz\" }`"
            } else {
                "remove it"
            };
            let what = format!("`{key}` is for models with equations, and `{}` plays spikes", model.name);
            resolver.error_help(&node.place, what, help);
        }
    }
    let stated = f.get("size").is_some() || f.get("positions").is_some();
    let context = Context {
        count: stated.then_some(count),
        names: Some(KnownNames::of_units(positions.is_some())),
        place: &entry.key,
        plays: true,
        ..Context::default()
    };
    let node = f.get("spikes");
    if node.is_none() {
        resolver.error_help(
            &entry.place,
            format!("population `{}` plays spikes, and does not say which", entry.key),
            "add `spikes = { kind = \"poisson\", rate = \"10 Hz\" }`, or another kind",
        );
    }
    let is_file = node.is_some_and(|n| n.get("file").is_some());
    let played = node.and_then(|n| stimulus::played(resolver, n, &format!("`spikes` of `{}`", entry.key), context));
    f.finish(resolver);
    let size = match played.as_ref().and_then(Stimulus::listed_units) {
        Some(units) if !stated => {
            let size = units.iter().max().map_or(0, |most| *most as usize + 1);
            let mut ids: Vec<u32> = units.to_vec();
            ids.sort_unstable();
            ids.dedup();
            if size > SPARSE * ids.len() {
                let place = &node.expect("something is played").place;
                let what = format!(
                    "ids go up to {}, so that this population has {size} units, and only {} of them ever spike",
                    size - 1,
                    ids.len()
                );
                resolver.warn(place, what, "`ids = \"in_order\"` gives each id of the file a unit, and no other");
            } else if let Some(least) = ids.first().filter(|least| **least > 0 && is_file) {
                let place = &node.expect("something is played").place;
                let what = format!(
                    "ids in this file are {least} to {}: units 0 to {} are silent, or the ids begin at {least}",
                    size - 1,
                    least - 1
                );
                let help = format!("`first_id = {least}` says so, or `ids = \"in_order\"` gives each id a unit");
                resolver.warn(place, what, help);
            }
            if size == 0 {
                let what = "nothing says how many units this population has: the file has no spikes";
                resolver.error_help(&entry.place, what, "add `size`");
            }
            size
        }
        _ => count,
    };
    let population = PopulationSpec {
        name: entry.key.clone(),
        model: model.clone(),
        receptors: Vec::new(),
        channels: Vec::new(),
        system: model.system.clone(),
        size,
        parameters: Vec::new(),
        initial: Vec::new(),
        positions,
        grid: None,
        tree: None,
        integrator: resolver.integrator,
        substeps: 1,
        clamp: None,
    };
    (population, played)
}
