//! A model, receptor, channel or plasticity file, or the same keys inline in a scenario, → [`Definition`]; every error
//! with its place.

use super::document::{Fields, Item, Node};
use super::parameters::{read_parameters, read_presets, written};
use super::report::{Report, SourceSpan};
use super::{Definition, DefinitionKind};
use spikedeck_core::diagnostic::{Diagnostic, did_you_mean};
use spikedeck_core::units::{Dimension, Quantity, parse_unit};
use spikedeck_equation::rule::{RulePart, RuleTexts};
use spikedeck_equation::{Declaration, Part, Rule, Source, System, TimeUnit};

/// The dimension that the weights of a rule have while its file is checked; a scenario says what they are there.
/// Weights of a rule in plain numbers have none.
const ANY_WEIGHT: Dimension = Dimension::AMPERE;

/// Reads a definition from the table `node`. `None` when something is wrong (it is in `report` then).
///
/// Keys: `title`, `summary`, `description`, `mathematics`, `relevance`, `applications`, `references`, `equations`,
/// `threshold`, `reset`, `refractory = { time, hold }`, `inputs`, `parameters`, `initial`, `circular`, `presets`,
/// `time_unit`, `integrator`, `on_event`, for models `plays_spikes`, and for receptors and channels `given`, `provides`
/// and `port`; for plasticity rules `given`, `on_pre` and `on_post`.
pub fn read_definition(report: &mut Report, node: &Node, kind: DefinitionKind, name: &str) -> Option<Definition> {
    let before = report.errors();
    let mut fields = Fields::of(report, node, format!("{} `{name}`", kind.word()))?;
    let mut line =
        |report: &mut Report, key: &str| fields.get(key).and_then(|n| string(report, n)).map(|s| s.trim().to_owned());
    let title = line(report, "title").unwrap_or_else(|| name.to_owned());
    let summary = line(report, "summary").unwrap_or_default();
    let [description, mathematics, relevance, applications] =
        ["description", "mathematics", "relevance", "applications"].map(|key| line(report, key).unwrap_or_default());
    let references = fields.get("references").map(|n| strings(report, n)).unwrap_or_default();
    let integrator = fields.get("integrator").and_then(|n| string(report, n)).map(str::to_owned);

    let Texts { source, nodes, on_pre, on_post, parameters, port, plays } = texts(report, &mut fields, kind);
    let initial_node = fields.get("initial");
    let circular_node = fields.get("circular");
    let presets_node = fields.get("presets");
    fields.finish(report);
    if nodes.equations.is_none() || report.errors() > before {
        return None;
    }

    let (system, rule) = understand(report, &nodes, (&source, on_pre, on_post), (kind, plays), node)?;
    let initial = initial_node.map(|n| read_initial(report, n, &system)).unwrap_or_default();
    let circular = circular_node.map(|n| read_circular(report, n, &system)).unwrap_or_default();
    let presets = presets_node.map(|n| read_presets(report, n, &parameters, &system)).unwrap_or_default();
    (report.errors() == before).then_some(Definition {
        kind,
        name: name.to_owned(),
        title,
        summary,
        description,
        mathematics,
        relevance,
        applications,
        references,
        parameters,
        initial,
        circular,
        presets,
        integrator,
        texts: source,
        port,
        rule,
        system,
    })
}

/// The texts of a definition with where they stand, and what is read before they are understood.
struct Texts<'a> {
    source: Source,
    nodes: Nodes<'a>,
    on_pre: Option<String>,
    on_post: Option<String>,
    parameters: Vec<super::Parameter>,
    port: Option<String>,
    plays: bool,
}

/// Reads the texts and declarations of a definition.
fn texts<'a>(report: &mut Report, fields: &mut Fields<'a>, kind: DefinitionKind) -> Texts<'a> {
    let mut source = Source::default();
    let plays = kind == DefinitionKind::Model && fields.get("plays_spikes").is_some_and(|n| flag(report, n));
    let mut nodes =
        Nodes { equations: fields.require(report, "equations", "\"dx/dt = ... : unit\""), ..Nodes::default() };
    nodes.equations.and_then(|n| string(report, n)).unwrap_or("").clone_into(&mut source.equations);
    let mut take = |report: &mut Report, key: &str| {
        let node = fields.get(key);
        (node, node.and_then(|n| string(report, n)).map(str::to_owned))
    };
    (nodes.threshold, source.threshold) = take(report, "threshold");
    (nodes.reset, source.reset) = take(report, "reset");
    (nodes.on_event, source.on_event) = take(report, "on_event");
    let (mut on_pre, mut on_post) = (None, None);
    if kind == DefinitionKind::Plasticity {
        (nodes.on_pre, on_pre) = take(report, "on_pre");
        (nodes.on_post, on_post) = take(report, "on_post");
    }
    if let (Some(node), None) = (nodes.reset, nodes.threshold) {
        report.error_help(&node.place, "a reset without a threshold never happens", "add `threshold = \"V_m > V_th\"`");
    }
    if let Some(node) = fields.get("refractory") {
        refractory(report, node, &mut source, &mut nodes);
    }
    source.time_unit = fields.get("time_unit").and_then(|n| time_unit(report, n)).unwrap_or_default();
    source.inputs = fields.get("inputs").map(|n| declarations(report, n, "input")).unwrap_or_default();
    let mut port = None;
    if kind != DefinitionKind::Model {
        source.given = fields.get("given").map(|n| declarations(report, n, "given name")).unwrap_or_default();
    }
    if matches!(kind, DefinitionKind::Receptor | DefinitionKind::Channel) {
        port = fields.get("port").and_then(|n| string(report, n)).map(str::to_owned);
        source.provides = fields.get("provides").map(|n| strings(report, n)).unwrap_or_default();
        if kind == DefinitionKind::Receptor && source.on_event.is_none() {
            report.error_help(
                &fields.place,
                "a receptor says what an arriving event does",
                "add `on_event = \"g += w\"`",
            );
        }
    }
    let parameters = fields
        .get("parameters")
        .map(|n| read_parameters(report, n, kind == DefinitionKind::Plasticity))
        .unwrap_or_default();
    let weight = if source.time_unit == TimeUnit::Dimensionless { Dimension::NONE } else { ANY_WEIGHT };
    source.weight = (kind == DefinitionKind::Plasticity).then_some(weight);
    let dimension = |p: &super::Parameter| if p.is_weight { weight } else { p.dimension };
    source.parameters =
        parameters.iter().map(|p| Declaration { name: p.name.clone(), dimension: dimension(p) }).collect();
    if plays && source != Source::default() {
        report.error_help(
            &fields.place,
            "a model that plays spikes has no equations, and nothing that belongs to them",
            "write `equations = \"\"`, or leave `plays_spikes` out",
        );
    }
    Texts { source, nodes, on_pre, on_post, parameters, port, plays }
}

/// Understands the equations; what is wrong with them is said where it stands.
fn understand(
    report: &mut Report,
    nodes: &Nodes<'_>,
    (source, on_pre, on_post): (&Source, Option<String>, Option<String>),
    (kind, plays): (DefinitionKind, bool),
    node: &Node,
) -> Option<(System, Option<Rule>)> {
    let mut rule = None;
    if kind == DefinitionKind::Plasticity {
        match Rule::parse(&RuleTexts { source: source.clone(), on_pre, on_post }) {
            Ok(found) => rule = Some(found),
            Err(problems) => {
                for (part, diagnostic) in problems {
                    nodes.put_rule(report, part, diagnostic, &node.place);
                }
                return None;
            }
        }
    }
    let understood = match &rule {
        Some(rule) => Ok(rule.pre.clone()),
        None if plays => Ok(System::of_played_spikes()),
        None => System::parse(source),
    };
    match understood {
        Ok(system) => {
            for (part, diagnostic) in system.warnings() {
                nodes.put(report, *part, diagnostic.clone(), &node.place);
            }
            Some((system, rule))
        }
        Err(problems) => {
            for (part, diagnostic) in problems {
                nodes.put(report, part, diagnostic, &node.place);
            }
            None
        }
    }
}

/// The string nodes that equation diagnostics point into.
#[derive(Default)]
struct Nodes<'a> {
    equations: Option<&'a Node>,
    threshold: Option<&'a Node>,
    reset: Option<&'a Node>,
    refractory_time: Option<&'a Node>,
    hold: Vec<&'a Node>,
    on_event: Option<&'a Node>,
    on_pre: Option<&'a Node>,
    on_post: Option<&'a Node>,
}

impl Nodes<'_> {
    fn put_rule(&self, report: &mut Report, part: RulePart, diagnostic: Diagnostic, fallback: &SourceSpan) {
        let node = match part {
            RulePart::Equations => self.equations,
            RulePart::OnPre => self.on_pre,
            RulePart::OnPost => self.on_post,
        };
        match node {
            Some(node) => report.put_inside(node, diagnostic),
            None => report.put(fallback, diagnostic),
        }
    }

    fn put(&self, report: &mut Report, part: Part, diagnostic: Diagnostic, fallback: &SourceSpan) {
        let node = match part {
            Part::Equations => self.equations,
            Part::Threshold => self.threshold,
            Part::Reset => self.reset,
            Part::RefractoryTime => self.refractory_time,
            Part::RefractoryHold(i) => self.hold.get(i).copied(),
            Part::OnEvent => self.on_event,
        };
        match node {
            Some(node) => report.put_inside(node, diagnostic),
            None => report.put(fallback, diagnostic),
        }
    }
}

/// `circular = ["theta"]`: states that are angles in radians, and so plain numbers.
fn read_circular(report: &mut Report, node: &Node, system: &System) -> Vec<String> {
    let names = strings(report, node);
    for name in &names {
        let place = &node.place;
        match system.states().iter().find(|s| s.name == *name) {
            None => {
                let states: Vec<&str> = system.states().iter().map(|s| s.name.as_str()).collect();
                report.error_help(place, format!("`{name}` is no state"), format!("states: {}", states.join(", ")));
            }
            Some(state) if !state.dimension.is_none() => {
                let what = super::name_of(state.dimension);
                let help = "an angle in radians is a plain number";
                report.error_help(place, format!("`{name}` is {what}, and no angle"), help);
            }
            Some(_) => {}
        }
    }
    names
}

fn refractory<'a>(report: &mut Report, node: &'a Node, source: &mut Source, nodes: &mut Nodes<'a>) {
    if let Item::Text(time) = &node.item {
        return refractory_time(report, node, time, source, nodes);
    }
    let Some(mut fields) = Fields::of(report, node, "`refractory`") else { return };
    nodes.refractory_time = fields.require(report, "time", "\"t_ref\"");
    source.refractory_time = nodes.refractory_time.and_then(|n| string(report, n)).map(str::to_owned);
    if let Some(hold) = fields.require(report, "hold", "[\"V_m\"]") {
        match &hold.item {
            Item::List(list) => {
                for n in list {
                    if let Some(name) = string(report, n) {
                        nodes.hold.push(n);
                        source.refractory_hold.push(name.to_owned());
                    }
                }
            }
            _ => report.error(&hold.place, format!("`hold` is a list of states, not {}", hold.what())),
        }
    }
    fields.finish(report);
}

/// `refractory = "2 ms"`, or a parameter: the state that the threshold looks at is held so long.
fn refractory_time<'a>(report: &mut Report, node: &'a Node, time: &str, source: &mut Source, nodes: &mut Nodes<'a>) {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let threshold = source.threshold.as_deref().unwrap_or_default();
    let mut states: Vec<&str> = threshold
        .split(|c| !is_name(c))
        .filter(|name| !name.is_empty() && source.equations.contains(&format!("d{name}/dt")))
        .collect();
    states.sort_unstable();
    states.dedup();
    let [state] = states[..] else {
        let found = if states.is_empty() { "no state".to_owned() } else { states.join(" and ") };
        return report.error_help(
            &node.place,
            format!("a refractory time alone holds the state of the threshold, and `threshold` has {found}"),
            format!("write `refractory = {{ time = \"{time}\", hold = [\"V_m\"] }}` with the states that are held"),
        );
    };
    let is_quantity = Quantity::parse(time).is_ok_and(|q| !q.dimension.is_none());
    source.refractory_hold.push(state.to_owned());
    nodes.hold.push(node);
    source.refractory_time = Some(if is_quantity { format!("[{}]", time.trim()) } else { time.to_owned() });
    nodes.refractory_time = Some(node);
}

fn time_unit(report: &mut Report, node: &Node) -> Option<TimeUnit> {
    match string(report, node)? {
        "ms" => Some(TimeUnit::Millisecond),
        "s" => Some(TimeUnit::Second),
        "1" => Some(TimeUnit::Dimensionless),
        other => {
            report.error_help(
                &node.place,
                format!("`{other}` is no time unit"),
                "\"ms\" or \"s\" for equations in plain numbers, \"1\" for a dimensionless system; leave it out for \
                 equations with units",
            );
            None
        }
    }
}

/// Yes or no; anything else is reported.
fn flag(report: &mut Report, node: &Node) -> bool {
    let Item::Flag(yes) = node.item else {
        report.error(&node.place, format!("true or false is due here, not {}", node.what()));
        return false;
    };
    yes
}

/// The string in `node`; anything else is reported.
pub fn string<'a>(report: &mut Report, node: &'a Node) -> Option<&'a str> {
    if node.as_text().is_none() {
        report.error(&node.place, format!("a string is due here, not {}", node.what()));
    }
    node.as_text()
}

/// The strings in a list.
pub fn strings(report: &mut Report, node: &Node) -> Vec<String> {
    match &node.item {
        Item::List(list) => list.iter().filter_map(|n| string(report, n)).map(str::to_owned).collect(),
        _ => {
            report.error(&node.place, format!("a list of strings is due here, not {}", node.what()));
            Vec::new()
        }
    }
}

/// `{ I = "A" }`: names with their units.
fn declarations(report: &mut Report, node: &Node, what: &str) -> Vec<Declaration> {
    let Some(entries) = node.entries() else {
        report.error_help(&node.place, format!("every {what} is named with its unit"), "write `I = \"A\"` in a table");
        return Vec::new();
    };
    let mut list = Vec::new();
    for e in entries {
        if let Some(text) = string(report, &e.value) {
            match parse_unit(text) {
                Ok((_, dimension)) => list.push(Declaration { name: e.key.clone(), dimension }),
                Err(d) => report.put_inside(&e.value, d),
            }
        }
    }
    list
}

/// Initial values as text: a quantity, a number or an expression in the parameters.
pub(super) fn read_initial(report: &mut Report, node: &Node, system: &System) -> Vec<(String, String)> {
    let Some(entries) = node.entries() else {
        report.error(&node.place, format!("`initial` is a table, not {}", node.what()));
        return Vec::new();
    };
    let mut list = Vec::new();
    for e in entries {
        if !system.states().iter().any(|s| s.name == e.key) {
            let states: Vec<&str> = system.states().iter().map(|s| s.name.as_str()).collect();
            let help = did_you_mean(&e.key, states.iter().copied()).map_or_else(
                || format!("the states are {}", states.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            report.error_help(&e.place, format!("`{}` is no state of these equations", e.key), help);
            continue;
        }
        match &e.value.item {
            Item::Text(_) | Item::Integer(_) | Item::Float(_) => list.push((e.key.clone(), written(&e.value))),
            _ => report.error(
                &e.value.place,
                format!("an initial value is a quantity or an expression, not {}", e.value.what()),
            ),
        }
    }
    list
}
