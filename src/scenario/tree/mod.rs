//! Populations on a tree: `sections`, `cable` or `morphology`, what is where, and values by place.

mod coupling;
mod finish;
mod keys;
mod read;
#[cfg(test)]
mod tests;

pub(super) use keys::{COMPARTMENTS, SECTION};
pub(super) use read::{SHAPES, read};

use std::collections::BTreeMap;
use std::sync::Arc;

use super::distribution::DISTRIBUTIONS;
use super::resolver::Resolver;
use super::spec::{Positions, UnitName, Value};
use super::value::{Wanted, show};
use spikedeck_model::document::{Item, Node};
use spikedeck_model::morphology::{Compartments, place};
use spikedeck_model::report::SourceSpan;
use spikedeck_model::{Definition, Geometry, Parameter};

/// What expressions of a tree population may name beside `i`, `N`, `x`, `y` and `z`: path from the root, and diameter.
pub(super) const NAMES: [(&str, UnitName); 2] =
    [("distance", UnitName::PathDistance), ("diameter", UnitName::Diameter)];

/// The key that stands for all places not named.
const REST: &str = "default";

/// A tree while its population is read.
pub(super) struct TreeShape {
    pub compartments: Arc<Compartments>,
    /// Units of a cell whose threshold is watched.
    pub spiking: Vec<u32>,
    /// Units of a cell whose voltage is held.
    pub held: Vec<(u32, f64)>,
}

/// What holds in a unit of which a value by place says nothing.
pub(super) enum Elsewhere {
    /// This value.
    Value(f64),
    /// There is no such thing.
    Nothing,
    /// A value that is not known when the scenario is read, and why.
    Unknown(String),
}

/// Whether a value is stated by place (`{ soma = ..., axon = ... }`) and not as a distribution.
pub(super) fn is_by_place(node: &Node) -> bool {
    node.entries().is_some_and(|e| !e.is_empty() && !e.iter().any(|e| DISTRIBUTIONS.key(&e.key).is_some()))
}

impl TreeShape {
    /// Units of `cells` cells.
    pub fn units(&self, cells: usize) -> usize {
        self.compartments.units().saturating_mul(cells)
    }

    /// The unit of a cell that a unit of the population is.
    pub fn of_cell(&self, unit: usize) -> usize {
        unit % self.compartments.units()
    }

    /// Positions of the units of `cells` cells, which all lie in one place.
    pub fn positions(&self, cells: usize) -> Positions {
        let one = &self.compartments.position;
        Positions::Listed((0..cells).flat_map(|_| one.iter().copied()).collect())
    }

    /// Repeats what is known of each unit of a cell.
    fn repeated(cells: usize, one: &[f64]) -> Value {
        Value::Each((0..cells).flat_map(|_| one.iter().copied()).collect())
    }

    /// The compartments of a cell at the places that `node` lists: all without it. A node means the compartment beside
    /// it.
    pub fn compartments_of(&self, resolver: &mut Resolver<'_>, node: Option<&Node>) -> Vec<u32> {
        let Some(node) = node else { return (0..self.compartments.count as u32).collect() };
        let mut units: Vec<u32> = self.units_at(resolver, node).into_iter().map(|u| self.beside(u)).collect();
        units.sort_unstable();
        units.dedup();
        units
    }

    /// The compartment whose membrane is meant by a unit that has none.
    fn beside(&self, unit: u32) -> u32 {
        let c = &self.compartments;
        if (unit as usize) < c.count {
            return unit;
        }
        let s = c.section_of(unit as usize);
        let (first, n) = c.ranges[s];
        (if c.ends[s].1 == unit as usize { first + n - 1 } else { first }) as u32
    }

    /// The units of a cell that a place or a list of places names.
    pub fn units_at(&self, resolver: &mut Resolver<'_>, node: &Node) -> Vec<u32> {
        let single = std::slice::from_ref(node);
        let nodes: &[Node] = match &node.item {
            Item::List(list) => list,
            _ => single,
        };
        let mut units = Vec::new();
        for n in nodes {
            let Some(text) = resolver.text(n, "a place").map(str::to_owned) else { continue };
            match place::units(&self.compartments, &text) {
                Ok(list) => units.extend(list),
                Err((message, help)) => resolver.error_help(&n.place, message, help),
            }
        }
        units
    }

    /// `{ soma = "120 mS/cm**2", axon = "240 mS/cm**2" }`: later entries win, `default` is for all other places.
    /// Without it `elsewhere` says what a unit of the population has of which nothing is said.
    pub fn by_place(
        &self,
        resolver: &mut Resolver<'_>,
        node: &Node,
        wanted: &Wanted<'_>,
        range: Option<&Parameter>,
        elsewhere: &dyn Fn(usize) -> Elsewhere,
    ) -> Option<Value> {
        let before = resolver.report.errors();
        let c = &self.compartments;
        let mut values: Vec<Option<f64>> = vec![None; c.units()];
        let entries = node.entries().expect("only a table states values by place");
        for e in entries.iter().filter(|e| e.key == REST).chain(entries.iter().filter(|e| e.key != REST)) {
            let Some(v) = resolver.quantity(&e.value, wanted.dimension, &wanted.what) else { continue };
            if let Some(p) = range {
                resolver.in_range(&e.value, p, &Value::Constant(v));
            }
            if e.key == REST {
                values.fill(Some(v));
                continue;
            }
            match place::units(c, &e.key) {
                Ok(units) => units.into_iter().for_each(|u| values[u as usize] = Some(v)),
                Err((message, help)) => resolver.error_help(&e.place, message, help),
            }
        }
        let units = wanted.count.expect("values by place are those of units, which are counted");
        let mut all = Vec::with_capacity(units);
        for unit in 0..units {
            let of_cell = self.of_cell(unit);
            match values[of_cell].map_or_else(|| elsewhere(unit), Elsewhere::Value) {
                Elsewhere::Value(v) => all.push(v),
                Elsewhere::Nothing => all.push(0.0),
                Elsewhere::Unknown(why) => {
                    let name = place::name(c, of_cell);
                    resolver.error_help(
                        &node.place,
                        format!("{} is stated by place, but not for `{name}`, where {why}", wanted.what),
                        format!("add `{REST} = ...` for all other places"),
                    );
                    break;
                }
            }
        }
        (resolver.report.errors() == before).then(|| Value::Each(all.into()))
    }

    /// What compartments say of themselves goes into the parameters that ask for it; nobody else may state these.
    pub fn geometry(
        &self,
        resolver: &mut Resolver<'_>,
        units: usize,
        model: &Definition,
        at: &SourceSpan,
        given: &mut BTreeMap<String, (Value, SourceSpan)>,
    ) {
        let c = &self.compartments;
        let cells = units / c.units();
        for p in &model.parameters {
            let list = match p.geometry {
                Some(Geometry::Area) => &c.area,
                Some(Geometry::Diameter) => &c.diameter,
                Some(Geometry::Length) => &c.length,
                Some(Geometry::Distance) => &c.distance,
                None => continue,
            };
            // Nodes have no membrane; whatever divides by their area is never used.
            let known: Vec<f64> = list.iter().map(|&v| if v > 0.0 { v } else { p.default }).collect();
            if let Some((_, stated)) = given.get(&p.name) {
                let message = format!("`{}` follows from the shape of the tree, and is not stated", p.name);
                resolver.error_help(stated, message, "leave it out");
            }
            given.insert(p.name.clone(), (Self::repeated(cells, &known), at.clone()));
        }
    }
}

/// A length above zero.
fn length(resolver: &mut Resolver<'_>, node: &Node, what: &str) -> Option<f64> {
    let metre = spikedeck_core::units::Dimension::METRE;
    let v = resolver.quantity(node, metre, what)?;
    if v <= 0.0 {
        resolver.error(&node.place, format!("{what} is above zero, not {}", show(v, metre)));
        return None;
    }
    Some(v)
}
