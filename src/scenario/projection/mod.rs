//! `[projections.NAME]`: who connects to whom, by which rule, with what weight and delay.

mod delay;
mod ends;
mod strength;

pub(super) use delay::MOST_DELAY;
pub(super) use ends::ProjectionEnds;

use super::connect::{self, RULES, Wiring};
use super::continuous::check_implicit;
use super::language::{Key, Of, Section, Table, Takes, Words, words};
use super::lookup::OwnModels;
use super::plasticity::{self, Ends, PLASTICITY};
use super::resolver::{Resolver, suggest};
use super::spec::{PairName, PlasticitySpec, PopulationId, PopulationSpec, ProjectionSpec, Rule, Value};
use super::target::target;
use spikedeck_core::units::Dimension;
use spikedeck_model::document::{Entry, Node};

words! {
    /// What a projection carries.
    #[derive(Default)]
    pub(super) enum Carries {
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

/// The population that a projection starts from.
fn source(resolver: &mut Resolver<'_>, node: &Node, all: &[PopulationSpec], known: &[&str]) -> Option<PopulationId> {
    let name = resolver.text(node, "`from`")?.to_owned();
    if let Some((first, _)) = name.split_once(['.', '[']).filter(|(first, _)| known.contains(first)) {
        resolver.error_help(
            &node.place,
            "a projection starts from a whole population",
            format!("write `from = \"{first}\"`"),
        );
        return None;
    }
    population(resolver, node, &name, all, known)
}

/// What is written of a projection, beside its ends and the rule of its connections.
struct Written<'n> {
    entry: &'n Entry,
    from: Option<&'n Node>,
    to: Option<&'n Node>,
    connect: Option<&'n Node>,
    weight: Option<&'n Node>,
    value: Option<&'n Node>,
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
    let written = Written {
        entry,
        from: f.require(resolver, "from"),
        to: f.require(resolver, "to"),
        connect: f.require(resolver, "connect"),
        weight: f.get("weight"),
        value: f.get("value"),
    };
    let from = written.from.and_then(|n| source(resolver, n, all, known));
    let to = written.to.and_then(|n| target(resolver, n, "`to`", all, known));
    let carries = f.word::<Carries>(resolver, "kind", "kind of projection");
    let ends = from.zip(to).map(|(from, to)| ProjectionEnds::new(all, from, to, carries));
    let wiring = written.connect.and_then(|n| connect::read(resolver, n, ends.as_ref()));
    let (delay_node, plasticity_node, implicit_node) = (f.get("delay"), f.get("plasticity"), f.get("implicit"));
    let no_delay = f.default_number("delay");
    let draws_of = f.get("draws_of").and_then(Node::as_text).map(str::to_owned);
    let allow_unstable = f.flag(resolver, "allow_unstable");
    let implicit = f.flag(resolver, "implicit");
    f.finish(resolver);

    let (ends, wiring) = (ends?, wiring?);
    strength::check_listed_weights(resolver, &written, &ends, &wiring)?;
    warn_of_unused(resolver, [("weight", written.weight), ("delay", delay_node)], &wiring);
    let count = ends.count(&wiring);
    let strength = strength::read(resolver, &written, &ends, &wiring, count)?;
    let weights = strength.weights(written.connect, written.weight);
    if let Some((value, node)) = weights.filter(|_| !ends.is_continuous()) {
        resolver.conductance(node, strength.dimension, value);
    }
    let plasticity = plasticity_node.and_then(|n| learning(resolver, own, n, &ends, strength.dimension, weights));
    let delay = match delay_node {
        Some(n) => delay::read(resolver, n, count, ends.names()),
        None => Some(Value::Constant(no_delay)),
    };
    let coupling = strength.coupling?;
    if let Some(n) = implicit_node.filter(|_| implicit) {
        check_implicit(resolver, n, (ends.is_continuous(), delay.as_ref(), plasticity.is_some()));
    }
    if resolver.report.errors() > before {
        return None;
    }
    Some(ProjectionSpec {
        name: entry.key.clone(),
        from: ends.from,
        to: ends.to,
        rule: wiring.rule,
        autapses: wiring.autapses,
        multapses: wiring.multapses,
        weight: strength.weight?,
        weight_dimension: strength.dimension,
        delay: delay?,
        coupling,
        allow_unstable,
        implicit,
        draws_of,
        plasticity,
    })
}

/// Says of keys that they are not used, where a file has values of its own for each connection.
fn warn_of_unused(resolver: &mut Resolver<'_>, keys: [(&str, Option<&Node>); 2], wiring: &Wiring) {
    let has_delays = matches!(&wiring.rule, Rule::Edges { delay: Some(_), .. });
    for ((key, node), is_listed) in keys.into_iter().zip([wiring.weights.is_some(), has_delays]) {
        if let Some(n) = node.filter(|_| is_listed) {
            resolver.warn(
                &n.place,
                format!("`{key}` is not used: the file has a {key} for each connection"),
                "remove it",
            );
        }
    }
}

/// Reads `plasticity`, for weights of this dimension.
fn learning(
    resolver: &mut Resolver<'_>,
    own: &mut OwnModels,
    node: &Node,
    ends: &ProjectionEnds<'_>,
    weight: Dimension,
    weights: Option<(&Value<PairName>, &Node)>,
) -> Option<PlasticitySpec> {
    let (source, target, continuous) = (ends.source, ends.target, ends.is_continuous());
    let of_rule = Ends { weight, weights, continuous, from: source, to: target };
    let plasticity = plasticity::read(resolver, own, node, &of_rule);
    if continuous && (source.tree.is_some() || target.tree.is_some()) {
        resolver.error_help(
            &node.place,
            "a rule between rates needs point populations or grids at both ends",
            "let spikes arrive at a receptor of the tree, with a rule between spikes",
        );
    }
    if !continuous && !target.system.spikes() {
        resolver.error(
            &node.place,
            format!(
                "a rule between spikes needs a target that spikes; the model of `{}` has no threshold",
                target.name
            ),
        );
    }
    plasticity
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
