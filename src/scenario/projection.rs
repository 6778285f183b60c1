//! `[projections.NAME]`: who connects to whom, by which rule, with what weight and delay.

use std::sync::Arc;

use super::continuous::{carried_value, dimension_of};
use super::desk::{Desk, suggest};
use super::lookup::OwnModels;
use super::plasticity::{self, Ends};
use super::spec::{
    Coupling, PairName, PopulationId, PopulationSpec, Port, Positions, ProjectionSpec, Rule, Target, Value,
};
use super::value::{Names, Wanted};
use spikedeck_core::units::Dimension;
use spikedeck_model::document::{Entry, Fields, Node};

const RULES: [&str; 9] = [
    "one_to_one",
    "all_to_all",
    "probability",
    "fixed_indegree",
    "fixed_outdegree",
    "fixed_total_number",
    "neighbours",
    "gaussian",
    "small_world",
];

/// The population called `name`; unknown names are reported.
pub(super) fn population(
    desk: &mut Desk<'_>,
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
        desk.error_help(&node.place, format!("there is no population `{name}`"), help);
    }
    None
}

/// `POP.PORT`: an event port (receptor) or an input.
pub(super) fn target(
    desk: &mut Desk<'_>,
    node: &Node,
    what: &str,
    all: &[PopulationSpec],
    known: &[&str],
) -> Option<Target> {
    let text = desk.text(node, what)?.to_owned();
    let (name, port) = text.split_once('.').map_or((text.as_str(), ""), |(a, b)| (a, b));
    let index = population(desk, node, name, all, known)?;
    let p = &all[index.index()];
    if let Some(port) = p.port(port) {
        return Some(Target { population: index, port });
    }
    let events: Vec<&str> = p.system.event_ports().iter().map(|e| e.name.as_str()).collect();
    let inputs: Vec<&str> = p.system.inputs().iter().map(|v| v.name.as_str()).collect();
    let help = suggest(port, events.iter().chain(&inputs).copied());
    if port.is_empty() {
        let list = |names: &[&str], none: &str| if names.is_empty() { none.to_owned() } else { names.join(", ") };
        desk.error_help(
            &node.place,
            format!("`{text}` names a population, but not where in it this arrives"),
            format!("write `{name}.PORT`; receptors: {}; inputs: {}", list(&events, "none"), list(&inputs, "none")),
        );
    } else {
        desk.error_help(&node.place, format!("population `{name}` has no receptor or input `{port}`"), help);
    }
    None
}

/// Reads one projection.
pub(super) fn read(
    desk: &mut Desk<'_>,
    own: &mut OwnModels,
    entry: &Entry,
    all: &[PopulationSpec],
    known: &[&str],
) -> Option<ProjectionSpec> {
    let before = desk.report.errors();
    let mut f = Fields::of(&mut desk.report, &entry.value, format!("projection `{}`", entry.key))?;
    let from_node = f.require(&mut desk.report, "from", "\"exc\"");
    let from = from_node.and_then(|n| {
        let name = desk.text(n, "`from`")?.to_owned();
        if let Some((first, _)) = name.split_once(['.', '[']).filter(|(first, _)| known.contains(first)) {
            desk.error_help(
                &n.place,
                "a projection starts from a whole population",
                format!("write `from = \"{first}\"`"),
            );
            return None;
        }
        population(desk, n, &name, all, known)
    });
    let to_node = f.require(&mut desk.report, "to", "\"exc.ampa\"");
    let to = to_node.and_then(|n| target(desk, n, "`to`", all, known));
    let kind =
        f.get("kind").and_then(|n| desk.choice(n, "kind of projection", &["event", "continuous"])).unwrap_or("event");
    let plasticity_node = f.get("plasticity");
    let connect = f.require(&mut desk.report, "connect", "{ rule = \"probability\", p = 0.1 }");
    let sizes = from.zip(to.as_ref()).map(|(a, t)| (&all[a.index()], &all[t.population.index()]));
    let counts = from.zip(to.as_ref()).map(|(a, t)| {
        let (from, to) = (&all[a.index()], &all[t.population.index()]);
        (if kind == "continuous" { from.size } else { from.sources() }, to.targets(t.port))
    });
    let wiring = connect.and_then(|n| wiring(desk, n, sizes, counts));
    let weight_node = f.get("weight");
    let delay_node = f.get("delay");
    let value_node = f.get("value");
    let draws_of = f.get("draws_of").and_then(Node::as_text).map(str::to_owned);
    f.finish(&mut desk.report);

    let (from, to, wiring) = (from?, to?, wiring?);
    let (source, target) = (&all[from.index()], &all[to.population.index()]);
    let count = match &wiring.rule {
        Rule::OneToOne => counts.map(|c| c.0),
        Rule::Edges { source, .. } => Some(source.len()),
        // Listed by source, then target.
        Rule::AllToAll => {
            let (n, m) = (source.size, target.size);
            Some(n.saturating_mul(m) - if from == to.population && !wiring.autapses { n } else { 0 })
        }
        _ => None,
    };
    let pair = Names::of_pairs(source, target);
    let names_of_pair = || Some(pair.clone());
    let event_dimension = match to.port {
        Port::Event(_) => target.port_dimension(to.port),
        Port::Input(_) => Dimension::NONE,
    };
    let has_weights = matches!(&wiring.rule, Rule::Edges { weight: Some(_), .. });
    let coupling;
    let weight;
    let weight_dimension;
    if kind == "continuous" {
        let Port::Input(_) = to.port else {
            desk.error_help(
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
        let dimension = weight_node.map_or(Some(Dimension::NONE), |n| dimension_of(desk, n, &pair))?;
        weight_dimension = dimension;
        weight = match weight_node {
            Some(n) => {
                desk.value(n, &Wanted { dimension, what: "the weight".to_owned(), count, names: names_of_pair() })
            }
            None => Some(Value::Constant(1.0)),
        };
        let Some(value_node) = value_node else {
            desk.error_help(
                &entry.place,
                format!("projection `{}` needs `value`", entry.key),
                "add `value = \"w*(V_m_pre - V_m_post)\"`",
            );
            return None;
        };
        let wanted = target.port_dimension(to.port);
        let value = carried_value(desk, value_node, (source, target), dimension, wanted);
        coupling = value.map(|value| Coupling::Continuous { value });
    } else {
        if let Some(n) = value_node {
            desk.error_help(
                &n.place,
                "`value` belongs to continuous projections",
                "add `kind = \"continuous\"`, or remove `value`",
            );
        }
        if let Port::Input(_) = to.port {
            let port = target.port_name(to.port);
            desk.error_help(
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
            desk.error_help(
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
            Some(n) => desk.value(
                n,
                &Wanted { dimension: event_dimension, what: "the weight".to_owned(), count, names: names_of_pair() },
            ),
            None if has_weights => Some(Value::Constant(0.0)),
            None => {
                let unit = super::desk::unit_example(event_dimension);
                let example = if unit.is_empty() { "1.0".to_owned() } else { format!("\"1 {unit}\"") };
                desk.error_help(
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
    if let Some((value, node)) = weights.filter(|_| kind == "event") {
        desk.conductance(node, weight_dimension, value);
    }
    let ends = Ends { weight: weight_dimension, weights, continuous: kind == "continuous", from: source, to: target };
    let plasticity = plasticity_node.and_then(|n| plasticity::read(desk, own, n, &ends));
    if let Some(n) = plasticity_node.filter(|_| ends.continuous && (source.tree.is_some() || target.tree.is_some())) {
        desk.error_help(
            &n.place,
            "a rule between rates needs point populations or grids at both ends",
            "let spikes arrive at a receptor of the tree, with a rule between spikes",
        );
    }
    if let Some(n) = plasticity_node.filter(|_| !ends.continuous && !target.system.spikes()) {
        desk.error(
            &n.place,
            format!(
                "a rule between spikes needs a target that spikes; the model of `{}` has no threshold",
                target.name
            ),
        );
    }
    let delay = delay_node.map_or(Some(Value::Constant(0.0)), |n| delay(desk, n, count, names_of_pair()));
    let coupling = coupling?;
    (desk.report.errors() == before).then(|| ProjectionSpec {
        name: entry.key.clone(),
        from,
        to,
        rule: wiring.rule,
        autapses: wiring.autapses,
        multapses: wiring.multapses,
        weight: weight.unwrap_or(Value::Constant(0.0)),
        weight_dimension,
        delay: delay.unwrap_or(Value::Constant(0.0)),
        coupling,
        draws_of,
        plasticity,
    })
}

/// Checks `draws_of`: the name of another projection, whose connections, weights and delays this one draws again.
pub(super) fn check_draws(desk: &mut Desk<'_>, entry: &Entry, names: &[&str]) {
    let Some(node) = entry.value.entries().and_then(|list| list.iter().find(|e| e.key == "draws_of")).map(|e| &e.value)
    else {
        return;
    };
    let Some(name) = desk.text(node, "`draws_of`").map(str::to_owned) else { return };
    if name == entry.key || !names.contains(&name.as_str()) {
        let help = suggest(&name, names.iter().copied().filter(|n| *n != entry.key));
        desk.error_help(&node.place, format!("there is no other projection `{name}` to draw the same as"), help);
    }
}

fn names<'a>(list: impl Iterator<Item = &'a str>) -> String {
    let list: Vec<&str> = list.collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

/// Steps that a delay may take: connections store it in two bytes.
const MOST_DELAY: u64 = u16::MAX as u64;

/// Fixed delays are multiples of the step; drawn and computed ones are rounded to at least one step when the network is
/// built.
fn delay(
    desk: &mut Desk<'_>,
    node: &Node,
    count: Option<usize>,
    names: Option<Names<'_, PairName>>,
) -> Option<Value<PairName>> {
    let dimension = desk.time_dimension();
    let value = desk.value(node, &Wanted { dimension, what: "the delay".to_owned(), count, names })?;
    let fixed: &[f64] = match &value {
        Value::Constant(v) => std::slice::from_ref(v),
        Value::Each(list) => list,
        _ => &[],
    };
    for v in fixed {
        if *v < 0.0 {
            desk.error(&node.place, "the delay is not negative");
            return None;
        }
        let steps = desk.multiple(&node.place, *v, "the delay")?;
        if steps > MOST_DELAY {
            let help = "a longer step, or a chain of units, carries a signal further";
            desk.error_help(
                &node.place,
                format!("the delay is {steps} steps, and at most {MOST_DELAY} are kept"),
                help,
            );
            return None;
        }
    }
    Some(value)
}

struct Wiring {
    rule: Rule,
    autapses: bool,
    multapses: bool,
}

/// Reads `connect`: a rule's name, or a table with its numbers, or `{ edges = "file" }`.
fn wiring(
    desk: &mut Desk<'_>,
    node: &Node,
    ends: Option<(&PopulationSpec, &PopulationSpec)>,
    counts: Option<(usize, usize)>,
) -> Option<Wiring> {
    let before = desk.report.errors();
    if let Some(word) = node.as_text() {
        let simple = ["one_to_one", "all_to_all"];
        if RULES.contains(&word) && !simple.contains(&word) {
            desk.error_help(
                &node.place,
                format!("rule `{word}` needs numbers"),
                format!("write `connect = {{ rule = \"{word}\", ... }}`"),
            );
            return None;
        }
    }
    let table;
    let node = if node.as_text().is_some() {
        table = Node {
            place: node.place.clone(),
            item: spikedeck_model::document::Item::Table(vec![Entry {
                key: "rule".into(),
                place: node.place.clone(),
                value: node.clone(),
            }]),
        };
        &table
    } else {
        node
    };
    let mut f = Fields::of(&mut desk.report, node, "`connect`")?;
    if let Some(n) = f.get("edges") {
        let rule = edges(desk, n, counts);
        f.finish(&mut desk.report);
        return Some(Wiring { rule: rule?, autapses: true, multapses: true });
    }
    let rule_node = f.require(&mut desk.report, "rule", "\"probability\"")?;
    let word = desk.choice(rule_node, "connection rule", &RULES)?;
    let autapses = f.get("autapses").and_then(|n| desk.flag(n, "`autapses`"));
    let multapses = f.get("multapses").and_then(|n| desk.flag(n, "`multapses`")).unwrap_or(false);
    let mut count = |desk: &mut Desk<'_>, key: &str| {
        f.require(&mut desk.report, key, "100")
            .and_then(|n| desk.whole(n, &format!("`{key}`"), 0).map(|v| (v as usize, n)))
    };
    let same = ends.is_some_and(|(a, b)| a.name == b.name);
    let limit = |desk: &mut Desk<'_>, found: Option<(usize, &Node)>, of: usize, what: &str| {
        let (n, place) = found?;
        let most = if same && !autapses.unwrap_or(false) { of.saturating_sub(1) } else { of };
        if n > 0 && most == 0 {
            desk.error(&place.place, format!("there are no {what} to connect to but the unit itself"));
            return None;
        }
        if n > most && !multapses {
            desk.error_help(
                &place.place,
                format!("{n} different {what} are asked for, but there are {most}"),
                "lower the number, or allow pairs to be connected more than once with `multapses = true`",
            );
            return None;
        }
        Some(n)
    };
    let (from_size, to_size) = counts.unwrap_or((usize::MAX, usize::MAX));
    let rule = match word {
        "one_to_one" => {
            if from_size != to_size {
                desk.error(
                    &rule_node.place,
                    format!("`one_to_one` needs populations of one size; these have {from_size} and {to_size} units"),
                );
            }
            Some(Rule::OneToOne)
        }
        "all_to_all" => Some(Rule::AllToAll),
        "probability" => f
            .require(&mut desk.report, "p", "0.1")
            .and_then(|n| desk.number(n, "`p`", (0.0, 1.0)))
            .map(|p| Rule::Probability { p }),
        "fixed_indegree" => {
            let found = count(desk, "indegree");
            limit(desk, found, from_size, "sources").map(|indegree| Rule::FixedIndegree { indegree })
        }
        "fixed_outdegree" => {
            let found = count(desk, "outdegree");
            limit(desk, found, to_size, "targets").map(|outdegree| Rule::FixedOutdegree { outdegree })
        }
        "fixed_total_number" => {
            let found = count(desk, "total");
            limit(desk, found, from_size.saturating_mul(to_size), "pairs").map(|total| Rule::FixedTotalNumber { total })
        }
        "neighbours" | "gaussian" => {
            for end in ends.into_iter().flat_map(|(a, b)| [a, b]) {
                if end.positions.is_none() {
                    desk.error_help(
                        &rule_node.place,
                        format!("rule `{word}` needs positions, and `{}` has none", end.name),
                        format!(
                            "add `positions = {{ grid = [...], spacing = \"100 um\" }}` to `populations.{}`",
                            end.name
                        ),
                    );
                }
            }
            let periodic_node = f.get("periodic");
            let periodic = periodic_node.and_then(|n| desk.flag(n, "`periodic`")).unwrap_or(false);
            if let (Some(n), Some((_, to))) = (periodic_node.filter(|_| periodic), ends)
                && matches!(to.positions, Some(Positions::Listed(_)))
            {
                desk.error(&n.place, "periodic distances need `grid` or `uniform` positions, which have an extent");
            }
            let mut length = |desk: &mut Desk<'_>, key: &str| {
                f.require(&mut desk.report, key, "\"100 um\"")
                    .and_then(|n| desk.spread(n, Dimension::METRE, &format!("`{key}`")))
            };
            if word == "neighbours" {
                length(desk, "radius").map(|radius| Rule::Neighbours { radius, periodic })
            } else {
                let sigma = length(desk, "sigma");
                let p_max =
                    f.require(&mut desk.report, "p_max", "1.0").and_then(|n| desk.number(n, "`p_max`", (0.0, 1.0)));
                sigma.zip(p_max).map(|(sigma, p_max)| Rule::Gaussian { p_max, sigma, periodic })
            }
        }
        _ => {
            if from_size != to_size {
                desk.error(
                    &rule_node.place,
                    "`small_world` connects a population with itself, or with one of the same size",
                );
            }
            let k = count(desk, "neighbours").and_then(|(k, n)| {
                if k % 2 == 1 || k >= from_size {
                    desk.error(
                        &n.place,
                        format!("`neighbours` counts both sides of a ring: an even number below {from_size}, not {k}"),
                    );
                    return None;
                }
                Some(k)
            });
            let p =
                f.require(&mut desk.report, "p_rewire", "0.1").and_then(|n| desk.number(n, "`p_rewire`", (0.0, 1.0)));
            k.zip(p).map(|(neighbours, p_rewire)| Rule::SmallWorld { neighbours, p_rewire })
        }
    };
    f.finish(&mut desk.report);
    let rule = rule.filter(|_| desk.report.errors() == before)?;
    let autapses = autapses.unwrap_or(matches!(rule, Rule::OneToOne));
    Some(Wiring { rule, autapses, multapses })
}

/// Listed pairs from a file with the columns `source`, `target` and optionally `weight` (SI), `delay_ms`.
fn edges(desk: &mut Desk<'_>, node: &Node, counts: Option<(usize, usize)>) -> Option<Rule> {
    let table = desk.file_table(node, "`edges`")?;
    let units = |desk: &mut Desk<'_>, column: &str, size: usize| -> Option<Arc<[u32]>> {
        let Some(values) = table.column(&[column]) else {
            let have: Vec<&str> = table.columns.iter().map(|c| c.0.as_str()).collect();
            desk.error_help(
                &node.place,
                format!("this file has no column `{column}`"),
                format!("its columns are {}", have.join(", ")),
            );
            return None;
        };
        if let Some(bad) = values.iter().find(|v| v.fract() != 0.0 || **v < 0.0 || **v >= size as f64) {
            desk.error(
                &node.place,
                format!("column `{column}` holds {bad}, but units are numbered from 0 to {}", size.saturating_sub(1)),
            );
            return None;
        }
        Some(values.iter().map(|v| *v as u32).collect())
    };
    let (a, b) = counts?;
    let source = units(desk, "source", a);
    let target = units(desk, "target", b);
    let weight = table.column(&["weight"]).map(Arc::from);
    let delay = table.column(&["delay_ms"]).map(|v| v.iter().map(|d| d * 1e-3).collect());
    Some(Rule::Edges { source: source?, target: target?, weight, delay })
}
