//! `[circuits.NAME]`: populations from a list and the projections among them from tables, scaled as a whole.
//!
//! A circuit is written out before anything else is understood: its populations, projections, stimuli and records
//! become entries of the tables `populations`, `projections`, `stimuli` and `record`, each with the place of what it
//! was made of, and are read as if they stood there. So the resolved scenario, its identity and its numbers are those
//! of the long form.

mod amount;
mod keys;
mod make;
mod pairs;
mod read;
mod scaling;

pub(super) use keys::CIRCUIT;

use std::collections::BTreeSet;

use super::overrides::{Flat, set};
use super::resolver::Resolver;
use amount::entry;
use spikedeck_model::document::{Entry, Item, Node};

/// The tables of a scenario in which circuits make entries.
pub(super) const MADE: [&str; 4] = ["populations", "projections", "stimuli", "record"];

/// What a circuit makes, in the order of [`MADE`].
type Made = [Vec<Entry>; 4];

/// Writes the circuits of a scenario out. What is wrong with them is reported.
pub(super) fn expand(resolver: &mut Resolver<'_>, root: &mut Node) {
    let circuits = root.get("circuits").and_then(Node::entries).unwrap_or_default().to_vec();
    let mut taken = BTreeSet::new();
    for circuit in &circuits {
        let made = read::circuit(resolver, root, circuit).and_then(|c| c.make(resolver, root));
        for (table, list) in MADE.into_iter().zip(made.into_iter().flatten()) {
            put(resolver, root, table, list, &mut taken);
        }
    }
}

/// The scenario as its circuits make it, whatever is wrong with them.
pub(super) fn expanded(resolver: &mut Resolver<'_>, root: &Node) -> Node {
    let mut all = root.clone();
    if root.get("circuits").is_some() {
        let said = resolver.report.clone();
        expand(resolver, &mut all);
        resolver.report = said;
    }
    all
}

/// Whether a path leads into an entry that does not stand in the scenario, but may be made by a circuit.
pub(super) fn may_make(root: &Node, parts: &[String]) -> bool {
    let [table, name, ..] = parts else { return false };
    let has_circuits = root.get("circuits").and_then(Node::entries).is_some_and(|list| !list.is_empty());
    has_circuits && MADE.contains(&table.as_str()) && root.get(table).is_none_or(|t| t.get(name).is_none())
}

/// Puts entries that a circuit made into a table of the scenario. One that stands there under the same name is put over
/// what was made, key by key; `false` takes it away.
fn put(
    resolver: &mut Resolver<'_>,
    root: &mut Node,
    table: &'static str,
    made: Vec<Entry>,
    taken: &mut BTreeSet<(&'static str, String)>,
) {
    if made.is_empty() {
        return;
    }
    let place = made[0].place.clone();
    let Item::Table(tables) = &mut root.item else { return };
    if !tables.iter().any(|e| e.key == table) {
        tables.push(entry(table, &place, Node { place: place.clone(), item: Item::Table(Vec::new()) }));
    }
    let list = tables.iter_mut().find(|e| e.key == table).map(|e| &mut e.value.item);
    // What is no table is told where tables are read.
    let Some(Item::Table(list)) = list else { return };
    let mut over = Vec::new();
    for one in made {
        if !taken.insert((table, one.key.clone())) {
            resolver.error_help(
                &one.place,
                format!("another circuit makes `{table}.{}` already", one.key),
                "give one of the circuits a `prefix`, which stands before the names of what it makes",
            );
            continue;
        }
        match list.iter().position(|e| e.key == one.key) {
            None => list.push(one),
            Some(at) => {
                let own = list.remove(at);
                if !matches!(own.value.item, Item::Flag(false)) {
                    list.push(one);
                    over.push(own);
                }
            }
        }
    }
    for own in over {
        let whole = own.place.clone();
        let inside = Node { place: whole.clone(), item: Item::Table(vec![own]) };
        let mut flat = Flat { report: &resolver.report, root: &*root, changes: Vec::new() };
        flat.of(&entry(table, &whole, inside));
        for (path, place, value) in flat.changes {
            set(&mut resolver.report, root, &path, &place, value);
        }
    }
}

#[cfg(test)]
mod tests;
