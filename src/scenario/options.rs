//! Options of analyses as they are read: each by the kind that is declared for it, those that name parts of a
//! population by what that population has.

use std::collections::BTreeMap;

use super::analysis::Places;
use super::bands::bands;
use super::catalog::{AnalysisDeclaration, Assignment, OptionKind, OptionValue, ParamSpec, WithoutUnits};
use super::connectome::symmetric_matrix;
use super::language::Table;
use super::resolver::{Resolver, suggest};
use super::spec::{InputId, PopulationId, PopulationSpec, ProjectionSpec, StateId, Subject, VariableId};
use super::spec::{ParameterId, ProjectionId};
use super::value::show;
use spikedeck_core::diagnostic::Diagnostic;
use spikedeck_core::units::Dimension;
use spikedeck_equation::{System, Variable};
use spikedeck_model::document::{Item, Node};

/// What options may name: parts of what the analysis looks at.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub populations: &'a [PopulationSpec],
    pub projections: &'a [ProjectionSpec],
    pub places: &'a dyn Places,
    /// What `of` names.
    pub of: &'a [Subject],
}

impl<'a> Around<'a> {
    /// The first population that is looked at; none where that is wrong, which is said then.
    fn population(&self) -> Option<&'a PopulationSpec> {
        self.populations().next().map(|id| &self.populations[id.index()])
    }

    fn populations(&self) -> impl Iterator<Item = PopulationId> + use<'a> {
        let all = self.populations;
        self.of.iter().filter_map(|s| s.place.population()).filter(move |id| id.index() < all.len())
    }
}

/// Reads the options that an analysis declares; `kind` is where its kind stands.
pub(super) fn read(
    resolver: &mut Resolver<'_>,
    f: &mut Table<'_>,
    kind: &Node,
    declaration: &AnalysisDeclaration,
    around: Around<'_>,
) -> BTreeMap<&'static str, OptionValue> {
    let before = resolver.report.errors();
    let mut reading = Reading { kind, name: declaration.kind, around, read: BTreeMap::new(), unsound: false };
    let mut places = BTreeMap::new();
    for spec in &declaration.options {
        if matches!(spec.key, "kind" | "of" | "source" | "target") {
            continue;
        }
        if let Some(node) = f.named(spec.key) {
            places.insert(spec.key, &node.place);
            match reading.option(resolver, node, spec) {
                Some(value) => {
                    in_range(resolver, node, spec, &value);
                    reading.read.insert(spec.key, value);
                }
                None => reading.unsound = true,
            }
        } else if let Some(value) = spec.default_value(!resolver.time_dimension().is_none()) {
            reading.read.insert(spec.key, value);
        } else if let Some(value) = reading.usual(resolver, spec) {
            reading.read.insert(spec.key, value);
        } else if resolver.time_dimension().is_none()
            && declaration.without_units(spec.key) == Some(WithoutUnits::Required)
        {
            resolver.error_help(
                &kind.place,
                format!("`{}` needs `{}` where time has no unit: a plain number", declaration.kind, spec.key),
                spec.about.to_owned(),
            );
        }
    }
    if resolver.report.errors() == before
        && let Err(wrong) = declaration.together.check(&reading.read, resolver.times())
    {
        // What is wrong of an option that is not written is so of all.
        let place = places.get(wrong.key).copied().unwrap_or(&kind.place);
        resolver.error_help(place, wrong.message, wrong.help);
    }
    reading.read
}

/// The options of one analysis while they are read.
struct Reading<'a> {
    kind: &'a Node,
    name: &'static str,
    around: Around<'a>,
    read: BTreeMap<&'static str, OptionValue>,
    /// Whether one that others go by is wrong.
    unsound: bool,
}

impl Reading<'_> {
    fn option(&self, resolver: &mut Resolver<'_>, node: &Node, spec: &ParamSpec) -> Option<OptionValue> {
        let what = format!("`{}`", spec.key);
        Some(match &spec.kind {
            OptionKind::Quantity(d) => OptionValue::Number(resolver.quantity(node, *d, &what)?),
            OptionKind::Time => {
                let d = resolver.time_dimension();
                OptionValue::Number(resolver.quantity(node, d, &what)?)
            }
            OptionKind::Frequency => {
                let d = resolver.rate_dimension();
                OptionValue::Number(resolver.quantity(node, d, &what)?)
            }
            OptionKind::Integer => match node.item {
                Item::Integer(v) => OptionValue::Integer(v),
                _ => {
                    resolver.error(&node.place, format!("{what} is a whole number, not {}", node.what()));
                    return None;
                }
            },
            OptionKind::Flag => OptionValue::Flag(resolver.flag(node, &what)?),
            OptionKind::Choice(words) => {
                let given = resolver.text(node, &what)?.to_owned();
                if !words.contains(&given.as_str()) {
                    resolver.error_help(
                        &node.place,
                        format!("{what} cannot be `{given}`"),
                        suggest(&given, words.iter().copied()),
                    );
                    return None;
                }
                OptionValue::Text(given)
            }
            OptionKind::Variable => {
                let name = resolver.text(node, &what)?.to_owned();
                let Around { places, of, .. } = self.around;
                let everywhere = of.iter().all(|subject| places.has_variable(resolver, node, subject, &name));
                everywhere.then_some(OptionValue::Text(name))?
            }
            OptionKind::State { .. } => {
                let states = self.around.population()?.system.states();
                OptionValue::State(StateId::new(named(resolver, node, states, "state")?))
            }
            OptionKind::Input => {
                let inputs = self.around.population()?.system.inputs();
                OptionValue::Input(InputId::new(named(resolver, node, inputs, "input")?))
            }
            OptionKind::Adjustable => {
                let system = &self.around.population()?.system;
                let name = resolver.text(node, "a parameter or an input")?.trim().to_owned();
                let Some((id, _)) = adjustable(system).find(|(_, v)| v.name == name) else {
                    let help = suggest(&name, adjustable(system).map(|(_, v)| v.name.as_str()));
                    resolver.error_help(&node.place, format!("there is no parameter or input `{name}`"), help);
                    return None;
                };
                OptionValue::Adjustable(id)
            }
            OptionKind::OfInput(key) => {
                let input = self.variable(key)?;
                let what = format!("{what}, as `{}`,", input.name);
                OptionValue::Number(resolver.quantity(node, input.dimension, &what)?)
            }
            OptionKind::RangeOf(key) => {
                let state = self.variable(key)?;
                let what = format!("{what}, as `{}`,", state.name);
                let (low, high) = ends(resolver, node, state.dimension, &what)?;
                OptionValue::Range(low, high)
            }
            OptionKind::Assignments => {
                OptionValue::Assignments(assignments(resolver, node, self.around.population()?, &what)?)
            }
            OptionKind::Bands => OptionValue::Bands(bands(resolver, node, &what)?),
            OptionKind::Matrix => OptionValue::Matrix(symmetric_matrix(resolver, node, &what)?),
            OptionKind::Arrival => {
                let text = resolver.text(node, &what)?.to_owned();
                let all = self.arrivals();
                let found = all.iter().filter(|a| a.1 == text).map(|a| a.0).collect::<Vec<_>>();
                if found.is_empty() {
                    let mut names: Vec<&str> = all.iter().map(|a| a.1).collect();
                    names.dedup();
                    let message = format!("nothing connects these populations at an input or receptor `{text}`");
                    resolver.error_help(&node.place, message, suggest(&text, names.into_iter()));
                    return None;
                }
                OptionValue::Projections(found)
            }
        })
    }

    /// What holds without an option where the population says it.
    fn usual(&mut self, resolver: &mut Resolver<'_>, spec: &ParamSpec) -> Option<OptionValue> {
        let cannot = |resolver: &mut Resolver<'_>, why: String| {
            resolver.error(&self.kind.place, format!("`{}` {why}", self.name));
        };
        match spec.kind {
            OptionKind::State { not, only_named: false } => {
                let population = self.around.population()?;
                let taken = match not.map(|key| self.read.get(key)) {
                    None => None,
                    Some(Some(OptionValue::State(id))) => Some(id.index()),
                    // What it is not is wrong, and said.
                    Some(_) => return None,
                };
                let states = population.system.states();
                let Some(first) = (0..states.len()).find(|k| Some(*k) != taken) else {
                    let least = if not.is_some() { "two states" } else { "a state" };
                    let why = format!("needs {least}, and `{}` has {}", population.name, states.len());
                    cannot(resolver, why);
                    self.unsound = true;
                    return None;
                };
                Some(OptionValue::State(StateId::new(first)))
            }
            OptionKind::Input => {
                let population = self.around.population()?;
                if population.system.inputs().is_empty() {
                    cannot(resolver, format!("needs an input, and `{}` has none", population.name));
                    self.unsound = true;
                    return None;
                }
                Some(OptionValue::Input(InputId::new(0)))
            }
            OptionKind::Adjustable => {
                let population = self.around.population()?;
                let system = &population.system;
                let inputs = adjustable(system).filter(|(id, _)| matches!(id, VariableId::Input(_)));
                let Some((id, _)) = inputs.chain(adjustable(system)).next() else {
                    let why = format!("needs a parameter or an input, and `{}` has neither", population.name);
                    cannot(resolver, why);
                    self.unsound = true;
                    return None;
                };
                Some(OptionValue::Adjustable(id))
            }
            OptionKind::Arrival => {
                let all = self.arrivals();
                let (_, name) = all.first()?;
                Some(OptionValue::Projections(all.iter().filter(|a| a.1 == *name).map(|a| a.0).collect()))
            }
            OptionKind::State { only_named: true, .. }
            | OptionKind::Quantity(_)
            | OptionKind::Time
            | OptionKind::Frequency
            | OptionKind::Integer
            | OptionKind::Flag
            | OptionKind::Choice(_)
            | OptionKind::Variable
            | OptionKind::OfInput(_)
            | OptionKind::RangeOf(_)
            | OptionKind::Assignments
            | OptionKind::Bands
            | OptionKind::Matrix => None,
        }
    }

    /// The state or input that an option names, which is read before those that go by it.
    fn variable(&self, key: &str) -> Option<&Variable> {
        let system = &self.around.population()?.system;
        match self.read.get(key) {
            Some(OptionValue::State(id)) => Some(&system.states()[id.index()]),
            Some(OptionValue::Input(id)) => Some(&system.inputs()[id.index()]),
            Some(OptionValue::Adjustable(id)) => Some(id.of(system)),
            Some(_) => unreachable!("`{key}` is declared as a state, an input or a parameter"),
            None if self.unsound => None,
            None => unreachable!("`{key}` is declared before what goes by it"),
        }
    }

    /// Projections among the populations looked at, and where each ends.
    fn arrivals(&self) -> Vec<(ProjectionId, &str)> {
        let looked: Vec<PopulationId> = self.around.populations().collect();
        let inside = |p: &&ProjectionSpec| looked.contains(&p.from) && looked.contains(&p.to.population);
        let all = self.around.projections.iter().enumerate().filter(|(_, p)| inside(p));
        all.map(|(k, p)| {
            let target = &self.around.populations[p.to.population.index()];
            (ProjectionId::new(k), target.port_name(p.to.port))
        })
        .collect()
    }
}

/// What of a system a person sets: its parameters, then its inputs.
fn adjustable(system: &System) -> impl Iterator<Item = (VariableId, &Variable)> + Clone {
    let parameters = system.parameters().iter().enumerate();
    let inputs = system.inputs().iter().enumerate();
    let parameters = parameters.map(|(i, v)| (VariableId::Parameter(ParameterId::new(i)), v));
    parameters.chain(inputs.map(|(i, v)| (VariableId::Input(InputId::new(i)), v)))
}

/// The variable that a string names.
fn named(resolver: &mut Resolver<'_>, node: &Node, of: &[Variable], what: &str) -> Option<usize> {
    let name = resolver.text(node, &format!("a {what}"))?.trim().to_owned();
    let found = of.iter().position(|v| v.name == name);
    if found.is_none() {
        let help = suggest(&name, of.iter().map(|v| v.name.as_str()));
        resolver.error_help(&node.place, format!("there is no {what} `{name}`"), help);
    }
    found
}

/// Two quantities, the first below the second.
fn ends(resolver: &mut Resolver<'_>, node: &Node, dimension: Dimension, what: &str) -> Option<(f64, f64)> {
    let Item::List(list) = &node.item else {
        resolver.error(&node.place, format!("{what} is a list of two ends, not {}", node.what()));
        return None;
    };
    let [low, high] = list.as_slice() else {
        resolver.error(&node.place, format!("{what} has two ends, and {} are given", list.len()));
        return None;
    };
    let (low, high) = (resolver.quantity(low, dimension, what), resolver.quantity(high, dimension, what));
    let (low, high) = (low?, high?);
    if low < high {
        return Some((low, high));
    }
    resolver.error(&node.place, format!("the first end of {what} lies below the second"));
    None
}

/// `NAME = QUANTITY` each: parameters and inputs of a population.
fn assignments(
    resolver: &mut Resolver<'_>,
    node: &Node,
    population: &PopulationSpec,
    what: &str,
) -> Option<Vec<Assignment>> {
    let Item::List(list) = &node.item else {
        resolver.error_help(
            &node.place,
            format!("{what} is a list, not {}", node.what()),
            "write [\"NAME = QUANTITY\"], as in [\"I = 0.5 nA\"]",
        );
        return None;
    };
    let mut found: Vec<Assignment> = Vec::new();
    let mut sound = true;
    for one in list {
        match assignment(resolver, one, population) {
            Some(new) if found.iter().any(|old| old.variable == new.variable) => {
                resolver.error(&one.place, format!("`{}` is set twice", new.name));
                sound = false;
            }
            Some(new) => found.push(new),
            None => sound = false,
        }
    }
    sound.then_some(found)
}

fn assignment(resolver: &mut Resolver<'_>, node: &Node, population: &PopulationSpec) -> Option<Assignment> {
    let text = resolver.text(node, "what is set")?;
    let Some((name, value)) = text.split_once('=') else {
        resolver.error_help(
            &node.place,
            format!("`{text}` sets nothing"),
            "write a name, `=`, and a quantity, as in \"I = 0.5 nA\"",
        );
        return None;
    };
    let (at, start) = (name.len() - name.trim_start().len(), name.len() + 1);
    let (name, written) = (name.trim(), value);
    let all: Vec<(VariableId, &Variable)> = adjustable(&population.system).collect();
    let Some((id, variable)) = all.iter().find(|(_, v)| v.name == name) else {
        let what = format!("`{}` has no parameter or input `{name}`", population.name);
        let help = suggest(name, all.iter().map(|(_, v)| v.name.as_str()));
        resolver.report.put_inside(node, Diagnostic::error(what, at..at + name.len()).help(help));
        return None;
    };
    let value = resolver.quantity_inside(node, written, start, variable.dimension, &format!("`{name}`"))?;
    Some(Assignment { variable: *id, name: variable.name.clone(), dimension: variable.dimension, value })
}

fn in_range(resolver: &mut Resolver<'_>, node: &Node, spec: &ParamSpec, value: &OptionValue) {
    let dimension = match &spec.kind {
        OptionKind::Quantity(d) => *d,
        OptionKind::Time => resolver.time_dimension(),
        OptionKind::Frequency => resolver.rate_dimension(),
        _ => Dimension::NONE,
    };
    let Some((low, high)) = spec.range else {
        if let (OptionKind::Time | OptionKind::Frequency, OptionValue::Number(v)) = (&spec.kind, value)
            && (*v <= 0.0 || v.is_nan())
        {
            resolver.error_help(
                &node.place,
                format!("`{}` is greater than 0, not {}", spec.key, show(*v, dimension)),
                spec.about.to_owned(),
            );
        }
        return;
    };
    let bad = |v: f64| v < low || v > high || v.is_nan();
    let outside = match value {
        OptionValue::Number(v) => bad(*v).then_some(*v),
        OptionValue::Integer(v) => bad(*v as f64).then_some(*v as f64),
        _ => None,
    };
    if let Some(v) = outside {
        let bounds = if high.is_infinite() || high >= f64::MAX {
            format!("at least {}", show(low, dimension))
        } else {
            format!("from {} to {}", show(low, dimension), show(high, dimension))
        };
        resolver.error_help(
            &node.place,
            format!("`{}` is {bounds}, not {}", spec.key, show(v, dimension)),
            spec.about.to_owned(),
        );
    }
}
