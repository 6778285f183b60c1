//! What a population carries: receptors, and channels on a tree.

use std::sync::Arc;

use super::Given;
use crate::language::Table;
use crate::lookup::OwnModels;
use crate::mechanism::{self, Mechanism, Reading};
use crate::resolver::Resolver;
use crate::value::KnownNames;
use spikedeck_equation::System;
use spikedeck_model::document::{Entry, Node};
use spikedeck_model::{Definition, DefinitionKind};

/// A model with what it carries.
pub(super) struct Carried {
    /// Its equations with those of all that it carries.
    pub system: System,
    /// The model, receptors and channels, with what their names begin with in the system.
    pub definitions: Vec<(String, Arc<Definition>)>,
    pub mechanisms: Vec<Mechanism>,
}

impl Carried {
    /// The receptor or channel that a state belongs to; none where it is the model's own.
    pub fn of(&self, state: &str) -> Option<&Mechanism> {
        self.mechanisms.iter().find(|m| m.own(state).is_some())
    }
}

/// Reads `channels` and `receptors`; what they state of their parameters goes into `given`.
pub(super) fn carried(
    resolver: &mut Resolver<'_>,
    own: &mut OwnModels,
    f: &mut Table<'_>,
    model: &Arc<Definition>,
    reading: &Reading<'_>,
    names: &KnownNames<'_>,
    given: &mut Given,
) -> Carried {
    let definitions = vec![(String::new(), model.clone())];
    let mut carried = Carried { system: model.system.clone(), definitions, mechanisms: Vec::new() };
    for (key, kind) in [("channels", DefinitionKind::Channel), ("receptors", DefinitionKind::Receptor)] {
        let Some(node) = f.get(key) else { continue };
        if kind == DefinitionKind::Channel && reading.tree.is_none() {
            if !reading.lost {
                resolver.error_help(
                    &node.place,
                    "channels are carried by the compartments of a tree, and this population has none",
                    "add `sections`, `cable` or `morphology`; a population of points states its currents in its model",
                );
            }
            continue;
        }
        for (e, definition) in known(resolver, own, node, key, kind) {
            let read = mechanism::read(resolver, e, definition, &carried.system, model, reading, names, given);
            // What could not be read was reported.
            let Some((mechanism, system)) = read else { continue };
            carried.system = system;
            carried.definitions.push((format!("{}.", mechanism.spec.name), mechanism.spec.definition.clone()));
            carried.mechanisms.push(mechanism);
        }
    }
    carried
}

/// The entries of a table of receptors or channels with their definitions: those that provide something to others
/// first.
fn known<'n>(
    resolver: &mut Resolver<'_>,
    own: &mut OwnModels,
    node: &'n Node,
    key: &str,
    kind: DefinitionKind,
) -> Vec<(&'n Entry, Arc<Definition>)> {
    let mut found: Vec<(&Entry, Arc<Definition>)> = Vec::new();
    let Some(entries) = node.entries() else {
        resolver.error(&node.place, format!("`{key}` holds one table a {}, not {}", kind.word(), node.what()));
        return found;
    };
    for e in entries {
        match e.value.get("kind") {
            Some(k) => {
                let definition = resolver
                    .text(k, "`kind`")
                    .map(str::to_owned)
                    .and_then(|name| own.find(resolver, kind, &name, &k.place));
                found.extend(definition.map(|d| (e, d)));
            }
            None => {
                resolver.error_help(
                    &e.place,
                    format!("{} `{}` needs `kind`", kind.word(), e.key),
                    "add `kind = \"...\"`",
                );
            }
        }
    }
    found.sort_by_key(|(_, d)| d.texts.provides.is_empty());
    found
}
