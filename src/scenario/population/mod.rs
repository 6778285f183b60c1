//! `[populations.NAME]`: which model, how many, with what parameters, receptors, initial values and positions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::desk::{Desk, suggest};
use super::grid::GRID;
use super::language::{Key, Of, Others, Range, Section, Table, Takes, Words};
use super::lookup::OwnModels;
use super::mechanism::{self, CHANNEL, Mechanism, RECEPTOR, Reading, hint_parameter, preset, read_parameters};
use super::positions::POSITIONS;
use super::spec::{Integrator, PopulationSpec, Positions, UnitName, Value};
use super::tree::{COMPARTMENTS, SECTION};
use super::value::{Names, Wanted};
use super::{fit, grid, positions, tree};
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_equation::{Formula, System, TimeUnit, Variable};
use spikedeck_model::document::{Entry, Node};
use spikedeck_model::morphology::swc::Soma;
use spikedeck_model::report::Place;
use spikedeck_model::{Definition, Kind, Preset, name_of};

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
        (false, Some(_)) => Names::of_units(true).on_tree(),
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
        let names = unit_names().with_parameters(model, &model.system, "");
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

    check_order(desk, &system, &parameters, &given, &entry.place);

    let initial_node = f.get("initial");
    let start = Start {
        system: &system,
        definitions: &definitions,
        preset: chosen,
        parameters: &parameters,
        reading: &reading,
        names: unit_names(),
        place: &entry.place,
    };
    let initial = start.values(desk, initial_node);
    let stated = chosen.and_then(|p| p.integrator.as_deref()).or(model.integrator.as_deref());
    let integrator = match (f.get("integrator"), stated) {
        (Some(node), _) => integrator(desk, node),
        (None, Some(name)) => named(desk, &entry.place, name, &format!("`{}` names an integrator: ", model.name)),
        (None, None) => Some(desk.integrator),
    };
    let nodes = fit::Nodes {
        integrator: f.get("integrator"),
        grid: grid_node,
        substeps: f.get("substeps"),
        population: &entry.place,
    };
    let least = f.key("substeps").least();
    let substeps = nodes
        .substeps
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
        positions: places,
        grid,
        integrator: integrator.unwrap_or_default(),
        substeps,
        preset: preset.map(|p| p.name),
    };
    fit::check(desk, &population, &nodes);
    Some(population)
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
                desk.error_help(&e.place, format!("{} `{}` needs `kind`", kind.word(), e.key), "add `kind = \"...\"`");
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
        .map(|p| p.default)
        .expect("every parameter of a population is declared by its model, a receptor or a channel")
}

/// Refuses computed parameters that name others which are computed after them.
fn check_order(
    desk: &mut Desk<'_>,
    system: &System,
    parameters: &[Value],
    given: &BTreeMap<String, (Value, Place)>,
    fallback: &Place,
) {
    for (index, (value, variable)) in parameters.iter().zip(system.parameters()).enumerate() {
        let Value::Expression(formula) = value else { continue };
        let later = formula.names().iter().find_map(|name| match name {
            UnitName::Parameter(id) if id.index() >= index => {
                matches!(parameters[id.index()], Value::Expression(_)).then(|| &system.parameters()[id.index()].name)
            }
            _ => None,
        });
        if let Some(later) = later {
            let place = given.get(&variable.name).map_or(fallback, |g| &g.1);
            desk.error_help(
                place,
                format!("`{}` is computed from `{later}`, which is computed itself and not before it", variable.name),
                "parameters are computed in the order of the model file, each from plain ones and those before it",
            );
        }
    }
}

/// What a population knows when its initial values are read.
struct Start<'a> {
    system: &'a System,
    /// Model, receptors and channels, with what their names begin with in the system.
    definitions: &'a [(String, Arc<Definition>)],
    preset: Option<&'a Preset>,
    parameters: &'a [Value],
    reading: &'a Reading<'a>,
    /// What expressions may name besides parameters.
    names: Names<'a>,
    /// The population.
    place: &'a Place,
}

impl Start<'_> {
    /// One initial value a state, from each place that may state it: scenario, preset, model file.
    fn values(&self, desk: &mut Desk<'_>, node: Option<&Node>) -> Vec<Value> {
        let written = node.map(|n| self.written(desk, n)).unwrap_or_default();
        let model = &self.definitions[0].1;
        let names = self.names.clone().with_parameters(model, self.system, "");
        self.system
            .states()
            .iter()
            .map(|state| {
                let Some(node) = written.get(&state.name) else { return self.of_file(desk, state) };
                let wanted = Wanted {
                    dimension: state.dimension,
                    what: format!("the initial value of `{}`", state.name),
                    count: Some(self.reading.size),
                    names: Some(names.clone()),
                };
                let value = match self.reading.tree.filter(|_| tree::is_by_place(node)) {
                    Some(plan) => {
                        let rest = tree::default_initial(&state.name, self.definitions);
                        plan.by_place(desk, node, &wanted, None, rest)
                    }
                    None if self.reading.lost && tree::is_by_place(node) => None,
                    None => desk.value(node, &wanted),
                };
                // What could not be understood was reported.
                value.map_or(Value::Constant(0.0), |v| self.plain(v))
            })
            .collect()
    }

    /// The entries of `initial` by the names of the states.
    fn written<'n>(&self, desk: &mut Desk<'_>, node: &'n Node) -> BTreeMap<String, &'n Node> {
        let mut written: BTreeMap<String, &Node> = BTreeMap::new();
        let states: Vec<&str> = self.system.states().iter().map(|s| s.name.as_str()).collect();
        for e in node.entries().unwrap_or_default() {
            let inner = e
                .value
                .entries()
                .filter(|_| self.definitions.iter().any(|(prefix, _)| *prefix == format!("{}.", e.key)));
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
        written
    }

    /// The initial value that the preset or a file states, zero if they say nothing. Expressions name the parameters of
    /// the file that they stand in, then those of the model.
    fn of_file(&self, desk: &mut Desk<'_>, state: &Variable) -> Value {
        let of_preset = self.preset.and_then(|p| p.initial.iter().find(|(n, _)| *n == state.name));
        let found = of_preset.map(|(_, text)| (&self.definitions[0], text)).or_else(|| {
            self.definitions.iter().find_map(|d| {
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
                let own = self.names.clone().with_parameters(definition, self.system, prefix);
                let names = own.with_parameters(&self.definitions[0].1, self.system, "");
                match Formula::parse(text, &names.scope(), state.dimension) {
                    Ok(formula) => return self.plain(Value::Expression(formula)),
                    Err(problems) => problems.into_iter().map(|d| d.message).collect::<Vec<_>>().join("; "),
                }
            }
        };
        let file = &definition.name;
        desk.error(self.place, format!("`{file}` lets `{}` begin at `{text}`: {wrong}", state.name));
        Value::Constant(0.0)
    }

    /// An expression that is only the name of a parameter with a constant or listed value is that value.
    fn plain(&self, value: Value) -> Value {
        if let Value::Expression(formula) = &value
            && let [UnitName::Parameter(id)] = formula.names()
            && formula.text().trim() == self.system.parameters()[id.index()].name
            && let Value::Constant(_) | Value::Each(_) = &self.parameters[id.index()]
        {
            return self.parameters[id.index()].clone();
        }
        value
    }
}

/// The integrator that `node` names.
pub(super) fn integrator(desk: &mut Desk<'_>, node: &Node) -> Option<Integrator> {
    let name = desk.text(node, "`integrator`")?.to_owned();
    named(desk, &node.place, &name, "")
}

/// The integrator called `name`, or an error at `place` after the words `who`.
fn named(desk: &mut Desk<'_>, place: &Place, name: &str, who: &str) -> Option<Integrator> {
    let found = Integrator::named(name);
    if found.is_none() {
        let help = suggest(name, Integrator::LIST.iter().map(|i| i.1));
        desk.error_help(place, format!("{who}there is no integrator `{name}`"), help);
    }
    found
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
    let fixed: &[f64] = match &parameters[index] {
        Value::Constant(v) => std::slice::from_ref(v),
        Value::Each(list) => list,
        // Drawn and computed times are rounded to the step when the network is built.
        Value::Drawn(_) | Value::Expression(_) => &[],
    };
    for v in fixed {
        if desk.multiple(&place, *v * unit, &format!("`{name}`")).is_none() {
            break;
        }
    }
}
