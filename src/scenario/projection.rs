//! `[projections.NAME]`: who connects to whom, by which rule, with what weight and delay.

use super::connect::{self, RULES};
use super::continuous::{carried_value, check_implicit, dimension_of};
use super::language::{Key, Of, Section, Table, Takes, Words, words};
use super::lookup::OwnModels;
use super::plasticity::{self, Ends, PLASTICITY};
use super::resolver::{Resolver, suggest};
use super::selector::Units;
use super::spec::{Apart, Coupling, PairName, PopulationId, PopulationSpec, Port, ProjectionSpec, Rule, Value, pairs};
use super::target::target;
use super::value::{KnownNames, Wanted};
use spikedeck_core::units::{Dimension, display_unit};
use spikedeck_model::document::{Entry, Node};
use spikedeck_model::name_of;

words! {
    /// What a projection carries.
    #[derive(Default)]
    enum Carries {
        /// spikes, into a receptor
        #[default]
        Event = "event",
        /// a value that acts all the time, into an input
        Continuous = "continuous",
    }
}

/// `[projections.NAME]`.
pub(super) static PROJECTION: Section = Section::new(
    "projections",
    "connections from one population to another, or to itself",
    &[
        Key::required("from", Takes::Text("a population"), "exc", "the population that it starts from"),
        Key::required(
            "to",
            Takes::Text("`POP.RECEPTOR`, or `POP.INPUT` for continuous projections"),
            "exc.ampa",
            "where it ends",
        ),
        Key::default("kind", Takes::Choice(Carries::WORDS), "event", "what it carries"),
        Key::required(
            "connect",
            Takes::Either(&[Takes::Bare(&RULES), Takes::One(&RULES)]),
            "{ rule = \"probability\", p = 0.1 }",
            "the rule by which units are connected, or a file that lists pairs",
        ),
        Key::optional(
            "weight",
            Takes::Value(Of::Said("that of the receptor; any for a continuous projection")),
            "required for events unless a file brings weights; 1 for a continuous projection",
            "weight of a connection: peak of the current or conductance, `w` of a continuous projection",
        ),
        Key::default(
            "delay",
            Takes::Value(Of::Time),
            "0 s",
            "from spike to arrival: a multiple of the step where it is not drawn; 0 acts from the next step",
        ),
        Key::optional(
            "value",
            Takes::Value(Of::Said("that of the input")),
            "required for a continuous projection",
            "expression in `w`, `NAME_pre`, `NAME_post` whose sum over connections arrives",
        ),
        Key::default(
            "allow_unstable",
            Takes::Flag,
            "false",
            "run a continuous coupling that this step makes swing without bound",
        ),
        Key::default(
            "implicit",
            Takes::Flag,
            "false",
            "solve for what this coupling brings at the end of each step: stable at any step; for w*(X_pre - X_post)",
        ),
        Key::optional(
            "draws_of",
            Takes::Text("another projection"),
            "its own",
            "projection whose random numbers this one uses: the same connections and weights where the rules are the \
             same",
        ),
        Key::optional(
            "plasticity",
            Takes::Either(&[Takes::Table(&PLASTICITY), Takes::Tables(&PLASTICITY)]),
            "connections stay as they are",
            "how connections change: one rule, or a list of rules that act in turn",
        ),
    ],
);

/// The population called `name`; unknown names are reported.
pub(super) fn population(
    resolver: &mut Resolver<'_>,
    node: &Node,
    name: &str,
    all: &[PopulationSpec],
    known: &[&str],
) -> Option<PopulationId> {
    if let Some(i) = all.iter().position(|p| p.name == name) {
        return Some(PopulationId::new(i));
    }
    // A population that is there but wrong has its own errors; a second one here would only be noise.
    if !known.contains(&name) {
        let help = suggest(name, known.iter().copied());
        resolver.error_help(&node.place, format!("there is no population `{name}`"), help);
    }
    None
}

/// Reads one projection.
pub(super) fn read(
    resolver: &mut Resolver<'_>,
    own: &mut OwnModels,
    entry: &Entry,
    all: &[PopulationSpec],
    known: &[&str],
) -> Option<ProjectionSpec> {
    let before = resolver.report.errors();
    let mut f = Table::of(resolver, &entry.value, format!("projection `{}`", entry.key), PROJECTION.keys)?;
    let from_node = f.require(resolver, "from");
    let from = from_node.and_then(|n| {
        let name = resolver.text(n, "`from`")?.to_owned();
        if let Some((first, _)) = name.split_once(['.', '[']).filter(|(first, _)| known.contains(first)) {
            resolver.error_help(
                &n.place,
                "a projection starts from a whole population",
                format!("write `from = \"{first}\"`"),
            );
            return None;
        }
        population(resolver, n, &name, all, known)
    });
    let to_node = f.require(resolver, "to");
    let to = to_node.and_then(|n| target(resolver, n, "`to`", all, known));
    let continuous = match f.word::<Carries>(resolver, "kind", "kind of projection") {
        Carries::Event => false,
        Carries::Continuous => true,
    };
    let plasticity_node = f.get("plasticity");
    let connect = f.require(resolver, "connect");
    let ends = from.zip(to.as_ref()).map(|(a, t)| (&all[a.index()], &all[t.population.index()], t.port));
    let sizes = ends.map(|(from, to, _)| (from, to));
    let counts = ends.map(|(from, to, port)| (if continuous { from.size } else { from.sources() }, to.targets(port)));
    let units = ends.map(|(from, to, port)| {
        (if continuous { Units::of(from) } else { Units::sources(from) }, Units::targets(to, port))
    });
    let apart = from.zip(to.as_ref()).filter(|(a, t)| *a == t.population).map(|(a, t)| {
        let cells = &all[a.index()];
        Apart::between(cells, cells, t.port, continuous)
    });
    let wiring = connect.and_then(|n| connect::read(resolver, n, sizes, units, counts, apart));
    let weight_node = f.get("weight");
    let delay_node = f.get("delay");
    let value_node = f.get("value");
    let no_delay = f.default_number("delay");
    let draws_of = f.get("draws_of").and_then(Node::as_text).map(str::to_owned);
    let allow_unstable = f.flag(resolver, "allow_unstable");
    let implicit_node = f.get("implicit");
    let implicit = f.flag(resolver, "implicit");
    f.finish(resolver);

    let (from, to, wiring) = (from?, to?, wiring?);
    let (source, target) = (&all[from.index()], &all[to.population.index()]);
    let has_delays = matches!(&wiring.rule, Rule::Edges { delay: Some(_), .. });
    let count = match &wiring.rule {
        Rule::OneToOne => counts.map(|c| c.0),
        Rule::Edges { source, .. } => Some(source.len()),
        // Listed by source, then target.
        Rule::AllToAll => counts.map(|(n, m)| pairs(n, m, apart.filter(|_| !wiring.autapses))),
        _ => None,
    };
    let pair = KnownNames::of_pairs(source, target);
    let names_of_pair = || Some(pair.clone());
    let event_dimension = match to.port {
        Port::Event(_) => target.port_dimension(to.port),
        Port::Input(_) | Port::Spikes => Dimension::NONE,
    };
    let has_weights = wiring.weights.is_some();
    if let Some((of_file, node)) = wiring.weights.zip(connect).filter(|w| !continuous && w.0 != event_dimension) {
        let port = format!("{}.{}", target.name, target.port_name(to.port));
        let example = super::resolver::unit_example(event_dimension);
        if of_file.is_none() {
            resolver.error_help(
                &node.place,
                format!(
                    "the weights of this file have no unit, and those of `{port}` are {}",
                    name_of(event_dimension)
                ),
                format!(
                    "call the column `weight_{}`, or say `weight_unit = \"{example}\"` beside the file's name",
                    display_unit(event_dimension).suffix
                ),
            );
        } else {
            let help = if example.is_empty() {
                "write plain numbers in a column `weight`".to_owned()
            } else {
                format!("write them in {example}")
            };
            resolver.error_help(
                &node.place,
                format!(
                    "the weights of this file are {}, and those of `{port}` are {}",
                    name_of(of_file),
                    name_of(event_dimension)
                ),
                help,
            );
        }
        return None;
    }
    for (key, given) in [("weight", weight_node.filter(|_| has_weights)), ("delay", delay_node.filter(|_| has_delays))]
    {
        if let Some(n) = given {
            resolver.warn(
                &n.place,
                format!("`{key}` is not used: the file has a {key} for each connection"),
                "remove it",
            );
        }
    }
    let coupling;
    let weight;
    let weight_dimension;
    if continuous {
        let Port::Input(_) = to.port else {
            resolver.error_help(
                &to_node?.place,
                "a continuous projection adds to an input, not to a receptor",
                format!(
                    "inputs of `{}`: {}",
                    target.name,
                    names(target.system.inputs().iter().map(|v| v.name.as_str()))
                ),
            );
            return None;
        };
        // `w` has the dimension in which the weight is written (a gap junction's conductance, a plain factor).
        let dimension = match wiring.weights {
            Some(of_file) => of_file,
            None => weight_node.map_or(Some(Dimension::NONE), |n| dimension_of(resolver, n, &pair))?,
        };
        weight_dimension = dimension;
        weight = match weight_node {
            Some(n) => {
                resolver.value(n, &Wanted { dimension, what: "the weight".to_owned(), count, names: names_of_pair() })
            }
            None => Some(Value::Constant(1.0)),
        };
        let Some(value_node) = value_node else {
            resolver.error_help(
                &entry.place,
                format!("projection `{}` needs `value`", entry.key),
                "add `value = \"w*(V_m_pre - V_m_post)\"`",
            );
            return None;
        };
        let wanted = target.port_dimension(to.port);
        let value = carried_value(resolver, value_node, (source, target), dimension, wanted);
        coupling = value.map(|value| Coupling::Continuous { value });
    } else {
        if let Some(n) = value_node {
            resolver.error_help(
                &n.place,
                "`value` belongs to continuous projections",
                "add `kind = \"continuous\"`, or remove `value`",
            );
        }
        if let Port::Input(_) = to.port {
            let port = target.port_name(to.port);
            resolver.error_help(
                &to_node?.place,
                format!("spikes arrive at a receptor, and `{port}` is an input"),
                format!(
                    "receptors of `{}`: {}; or make the projection `kind = \"continuous\"`",
                    target.name,
                    names(target.system.event_ports().iter().map(|e| e.name.as_str()))
                ),
            );
            return None;
        }
        if !source.system.spikes() {
            resolver.error_help(
                &from_node?.place,
                format!(
                    "population `{}` never spikes: its model `{}` has no threshold",
                    source.name, source.model.name
                ),
                "couple it with `kind = \"continuous\"`, or choose a model that spikes",
            );
        }
        weight_dimension = event_dimension;
        weight = match weight_node {
            Some(n) => resolver.value(
                n,
                &Wanted { dimension: event_dimension, what: "the weight".to_owned(), count, names: names_of_pair() },
            ),
            None if has_weights => Some(Value::Constant(0.0)),
            None => {
                let unit = super::resolver::unit_example(event_dimension);
                let example = if unit.is_empty() { "1.0".to_owned() } else { format!("\"1 {unit}\"") };
                resolver.error_help(
                    &entry.place,
                    format!("projection `{}` needs `weight`", entry.key),
                    format!("add `weight = {example}`"),
                );
                None
            }
        };
        coupling = Some(Coupling::Event);
    }
    // Listed pairs bring weights of their own.
    let listed = match &wiring.rule {
        Rule::Edges { weight: Some(list), .. } => Some(Value::Each(list.clone())),
        _ => None,
    };
    let weights = listed.as_ref().zip(connect).or(weight.as_ref().zip(weight_node));
    if let Some((value, node)) = weights.filter(|_| !continuous) {
        resolver.conductance(node, weight_dimension, value);
    }
    let ends = Ends { weight: weight_dimension, weights, continuous, from: source, to: target };
    let plasticity = plasticity_node.and_then(|n| plasticity::read(resolver, own, n, &ends));
    if let Some(n) = plasticity_node.filter(|_| ends.continuous && (source.tree.is_some() || target.tree.is_some())) {
        resolver.error_help(
            &n.place,
            "a rule between rates needs point populations or grids at both ends",
            "let spikes arrive at a receptor of the tree, with a rule between spikes",
        );
    }
    if let Some(n) = plasticity_node.filter(|_| !ends.continuous && !target.system.spikes()) {
        resolver.error(
            &n.place,
            format!(
                "a rule between spikes needs a target that spikes; the model of `{}` has no threshold",
                target.name
            ),
        );
    }
    let delay = delay_node.map_or(Some(Value::Constant(no_delay)), |n| delay(resolver, n, count, names_of_pair()));
    let coupling = coupling?;
    if let Some(n) = implicit_node.filter(|_| implicit) {
        check_implicit(resolver, n, (continuous, delay.as_ref(), plasticity.is_some()));
    }
    (resolver.report.errors() == before).then(|| ProjectionSpec {
        name: entry.key.clone(),
        from,
        to,
        rule: wiring.rule,
        autapses: wiring.autapses,
        multapses: wiring.multapses,
        weight: weight.unwrap_or(Value::Constant(0.0)),
        weight_dimension,
        delay: delay.unwrap_or(Value::Constant(no_delay)),
        coupling,
        allow_unstable,
        implicit,
        draws_of,
        plasticity,
    })
}

/// Checks `draws_of`: the name of another projection, whose connections, weights and delays this one draws again.
pub(super) fn check_draws(resolver: &mut Resolver<'_>, entry: &Entry, names: &[&str]) {
    let Some(node) = entry.value.entries().and_then(|list| list.iter().find(|e| e.key == "draws_of")).map(|e| &e.value)
    else {
        return;
    };
    let Some(name) = resolver.text(node, "`draws_of`").map(str::to_owned) else { return };
    if name == entry.key || !names.contains(&name.as_str()) {
        let help = suggest(&name, names.iter().copied().filter(|n| *n != entry.key));
        resolver.error_help(&node.place, format!("there is no other projection `{name}` to draw the same as"), help);
    }
}

fn names<'a>(list: impl Iterator<Item = &'a str>) -> String {
    let list: Vec<&str> = list.collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

/// Steps that a delay may take: connections store it in two bytes.
pub(super) const MOST_DELAY: u64 = u16::MAX as u64;

/// Fixed delays are multiples of the step; drawn and computed ones are rounded to at least one step when the network is
/// built.
fn delay(
    resolver: &mut Resolver<'_>,
    node: &Node,
    count: Option<usize>,
    names: Option<KnownNames<'_, PairName>>,
) -> Option<Value<PairName>> {
    let dimension = resolver.time_dimension();
    let value = resolver.value(node, &Wanted { dimension, what: "the delay".to_owned(), count, names })?;
    let fixed: &[f64] = match &value {
        Value::Constant(v) => std::slice::from_ref(v),
        Value::Each(list) => list,
        _ => &[],
    };
    for v in fixed {
        if *v < 0.0 {
            resolver.error(&node.place, "the delay is not negative");
            return None;
        }
        let steps = resolver.multiple(&node.place, *v, "the delay")?;
        if steps > MOST_DELAY {
            let help = "a longer step, or a chain of units, carries a signal further";
            resolver.error_help(
                &node.place,
                format!("the delay is {steps} steps, and at most {MOST_DELAY} are kept"),
                help,
            );
            return None;
        }
    }
    Some(value)
}
