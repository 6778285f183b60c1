//! Initial values of the states of a population.

use std::collections::BTreeMap;

use super::Chosen;
use super::carried::Carried;
use crate::mechanism::Reading;
use crate::resolver::{Resolver, suggest};
use crate::spec::{ParameterId, UnitName, Value};
use crate::tree::{self, Elsewhere, TreeShape};
use crate::value::{KnownNames, Wanted};
use spikedeck_core::units::Quantity;
use spikedeck_equation::{Formula, Variable};
use spikedeck_model::document::Node;
use spikedeck_model::name_of;
use spikedeck_model::report::SourceSpan;

/// What a population knows when its initial values are read.
pub(super) struct Initial<'a> {
    pub carried: &'a Carried,
    pub chosen: &'a Chosen<'a>,
    pub parameters: &'a [Value],
    pub reading: &'a Reading<'a>,
    /// What expressions may name besides parameters.
    pub names: &'a KnownNames<'a>,
}

impl Initial<'_> {
    /// One initial value a state, from each place that may state it: scenario, preset, model file.
    pub fn values(&self, resolver: &mut Resolver<'_>, node: Option<&Node>) -> Vec<Value> {
        // Without `initial` the scenario states none.
        let written = node.map(|n| self.written(resolver, n)).unwrap_or_default();
        let system = &self.carried.system;
        let names = self.names.clone().with_parameters(self.chosen.model, system, "");
        let mut values = Vec::new();
        for state in system.states() {
            let Some(node) = written.get(&state.name) else {
                values.push(self.of_file(resolver, state));
                continue;
            };
            let wanted = Wanted {
                dimension: state.dimension,
                what: format!("the initial value of `{}`", state.name),
                count: Some(self.reading.size),
                names: Some(names.clone()),
            };
            let value = match self.reading.tree.filter(|_| tree::is_by_place(node)) {
                Some(tree) => {
                    let file = self.of_file(resolver, state);
                    let elsewhere = |unit: usize| self.elsewhere(tree, state, &file, unit);
                    tree.by_place(resolver, node, &wanted, None, &elsewhere)
                }
                None if self.reading.lost && tree::is_by_place(node) => None,
                None => resolver.value(node, &wanted),
            };
            // What could not be understood was reported, and fails the load.
            values.push(value.map_or(Value::Constant(0.0), |v| self.plain(v)));
        }
        values
    }

    /// The entries of `initial` by the names of the states.
    fn written<'n>(&self, resolver: &mut Resolver<'_>, node: &'n Node) -> BTreeMap<String, &'n Node> {
        let mut written: BTreeMap<String, &Node> = BTreeMap::new();
        let Some(entries) = node.entries() else {
            resolver.error(&node.place, format!("`initial` is a table, not {}", node.what()));
            return written;
        };
        let states: Vec<&str> = self.carried.system.states().iter().map(|s| s.name.as_str()).collect();
        for e in entries {
            let carried = self.carried.definitions.iter().any(|(prefix, _)| *prefix == format!("{}.", e.key));
            let list: Vec<(String, &SourceSpan, &Node)> = match e.value.entries().filter(|_| carried) {
                Some(entries) => entries.iter().map(|i| (format!("{}.{}", e.key, i.key), &i.place, &i.value)).collect(),
                None => vec![(e.key.clone(), &e.place, &e.value)],
            };
            for (name, place, value) in list {
                if states.contains(&name.as_str()) {
                    written.insert(name, value);
                } else {
                    let help = suggest(&name, states.iter().copied());
                    resolver.error_help(place, format!("`{name}` is no state of this population"), help);
                }
            }
        }
        written
    }

    /// The initial value that the preset or a file states, zero if they say nothing. Expressions name the parameters of
    /// the file that they stand in, then those of the model.
    fn of_file(&self, resolver: &mut Resolver<'_>, state: &Variable) -> Value {
        let definitions = &self.carried.definitions;
        let of_preset = self.chosen.preset.and_then(|p| p.initial.iter().find(|(n, _)| *n == state.name));
        let found = of_preset.map(|(_, text)| (&definitions[0], text)).or_else(|| {
            definitions.iter().find_map(|d| {
                let own = state.name.strip_prefix(d.0.as_str())?;
                d.1.initial.iter().find(|(n, _)| n == own).map(|(_, text)| (d, text))
            })
        });
        let Some(((prefix, definition), text)) = found else { return Value::Constant(0.0) };
        let wrong = match Quantity::parse(text) {
            // Zero has every dimension.
            Ok(q) if q.dimension == state.dimension || q.value == 0.0 => return Value::Constant(q.value),
            Ok(q) => format!("this is {}, and the state is {}", name_of(q.dimension), name_of(state.dimension)),
            Err(_) => {
                let own = self.names.clone().with_parameters(definition, &self.carried.system, prefix);
                let names = own.with_parameters(&definitions[0].1, &self.carried.system, "");
                match Formula::parse(text, &names.scope(), state.dimension) {
                    Ok(formula) => return self.plain(Value::Expression(formula)),
                    Err(problems) => problems.into_iter().map(|d| d.message).collect::<Vec<_>>().join("; "),
                }
            }
        };
        let file = &definition.name;
        resolver.error(self.chosen.at, format!("`{file}` lets `{}` begin at `{text}`: {wrong}", state.name));
        Value::Constant(0.0)
    }

    /// An expression that is only the name of a parameter with a constant or listed value is that value.
    fn plain(&self, value: Value) -> Value {
        if let Value::Expression(formula) = &value
            && let [UnitName::Parameter(id)] = formula.names()
            && formula.text().trim() == self.carried.system.parameters()[id.index()].name
            && let Value::Constant(_) | Value::Each(_) = &self.parameters[id.index()]
        {
            return self.parameters[id.index()].clone();
        }
        value
    }

    /// What a state of a tree begins at where the scenario says nothing: what the preset or its `file` says.
    fn elsewhere(&self, tree: &TreeShape, state: &Variable, file: &Value, unit: usize) -> Elsewhere {
        let compartment = tree.of_cell(unit) as u32;
        let mechanism = self.carried.of(&state.name);
        if mechanism.is_some_and(|m| m.on.binary_search(&compartment).is_err()) {
            return Elsewhere::Nothing;
        }
        if mechanism.is_some_and(|m| m.is_steady(&state.name)) {
            return Elsewhere::Unknown("it begins where it settles at the first voltage".to_owned());
        }
        match self.number(tree, file, unit) {
            Some(v) => Elsewhere::Value(v),
            None => Elsewhere::Unknown("its file lets it begin at a value that is drawn".to_owned()),
        }
    }

    /// The number that a value is in a unit, unless it is drawn.
    fn number(&self, tree: &TreeShape, value: &Value, unit: usize) -> Option<f64> {
        let parameter = |id: ParameterId| self.number(tree, &self.parameters[id.index()], unit);
        match value {
            Value::Constant(v) => Some(*v),
            Value::Each(list) => list.get(unit).copied(),
            Value::Drawn(_) => None,
            Value::Expression(formula) => {
                let known = formula.names().iter().all(|n| match n {
                    UnitName::Parameter(id) => parameter(*id).is_some(),
                    _ => true,
                });
                known.then(|| {
                    formula.evaluate(|name| match name {
                        UnitName::Index => unit as f64,
                        UnitName::Count => self.reading.size as f64,
                        UnitName::Position(axis) => tree.compartments.position[tree.of_cell(unit)][*axis],
                        UnitName::PathDistance => tree.compartments.distance[tree.of_cell(unit)],
                        UnitName::Diameter => tree.compartments.diameter[tree.of_cell(unit)],
                        UnitName::Parameter(id) => parameter(*id).expect("it was known a moment ago"),
                        UnitName::Time => unreachable!("values of units do not know time"),
                    })
                })
            }
        }
    }
}
