//! What a population carries: receptors, and on a tree channels; and how the parameters of models and of these are
//! read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::language::{Key, Others, Section, Table, Takes};
use super::population::VALUE;
use super::resolver::{Resolver, suggest};
use super::spec::{ReceptorSpec, Value};
use super::tree::{self, Elsewhere, TreeShape};
use super::value::{KnownNames, Wanted};
use spikedeck_equation::System;
use spikedeck_model::document::{Entry, Item, Node};
use spikedeck_model::report::SourceSpan;
use spikedeck_model::{Definition, DefinitionKind, Preset, name_of, redirect};

/// Names that other tools use, and what they are called here.
const ALIASES: &[(&str, &str)] = &[
    ("v_rest", "E_L"),
    ("v_leak", "E_L"),
    ("V_rest", "E_L"),
    ("cm", "C_m"),
    ("c_m", "C_m"),
    ("gl", "g_L"),
    ("g_leak", "g_L"),
    ("tau_refrac", "t_ref"),
    ("tau_ref", "t_ref"),
    ("v_thresh", "V_th"),
    ("v_threshold", "V_th"),
    ("v_reset", "V_reset"),
    ("v_spike", "V_peak"),
    ("delta_T", "Delta_T"),
    ("e_rev", "E_rev"),
    ("e_rev_E", "E_rev"),
    ("e_rev_I", "E_rev"),
    ("tau_syn_E", "tau"),
    ("tau_syn_I", "tau"),
    ("tau_syn_ex", "tau"),
    ("tau_syn_in", "tau"),
    ("tau_syn", "tau"),
];

/// `receptors.NAME` of a population.
pub(super) static RECEPTOR: Section = Section::open(
    "receptor",
    "where spikes arrive, and what they do there; a conductance or a current of its own equations",
    &[
        Key::required(
            "kind",
            Takes::Definition(DefinitionKind::Receptor),
            "exp_current",
            "a built-in receptor, one of `receptors`, or a file beside the scenario",
        ),
        PORT,
        PRESET,
        Key::optional(
            "at",
            Takes::OneOrMore("a place on the tree"),
            "everywhere",
            "compartments of a tree that have it",
        ),
    ],
    Others { about: "a parameter of the receptor", takes: VALUE, parameters_of: Some(DefinitionKind::Receptor) },
);

/// `channels.NAME` of a population on a tree.
pub(super) static CHANNEL: Section = Section::open(
    "channel",
    "a current or an ion pool of the membrane of a tree",
    &[
        Key::required(
            "kind",
            Takes::Definition(DefinitionKind::Channel),
            "hh_na",
            "a built-in channel, one of `channels`, or a file beside the scenario",
        ),
        PORT,
        PRESET,
        Key::optional("in", Takes::OneOrMore("a place on the tree"), "everywhere", "compartments that have it"),
    ],
    Others { about: "a parameter of the channel", takes: VALUE, parameters_of: Some(DefinitionKind::Channel) },
);

const PORT: Key = Key::optional(
    "port",
    Takes::Text("an input of the model"),
    "the one that its file names",
    "input that its current adds to",
);
const PRESET: Key = Key::optional(
    "preset",
    Takes::OneOrMore("a preset of its file"),
    "the defaults of its file",
    "named set of values",
);

pub(super) fn hint_parameter(definition: &Definition, key: &str) -> Option<String> {
    if matches!(key, "i_offset" | "I_e" | "i_e") {
        return Some("a constant current is a stimulus: `[stimuli.NAME]` with `kind = \"constant\"`".to_owned());
    }
    if key == "v_init" {
        return Some("start values stand in `initial = { V_m = ... }`".to_owned());
    }
    let (_, ours) = ALIASES.iter().find(|(theirs, _)| *theirs == key)?;
    if definition.parameter(ours).is_some() {
        Some(format!("this is called `{ours}` here"))
    } else if *ours == "tau" && definition.kind == DefinitionKind::Model {
        Some(
            "synaptic time constants belong to receptors: `receptors.NAME = { kind = \"exp_current\", tau = ... }`"
                .to_owned(),
        )
    } else {
        Some(format!(
            "what other tools call `{key}` is `{ours}` here, which `{}` does not have; its parameters: {}",
            definition.name,
            list(definition)
        ))
    }
}

fn list(definition: &Definition) -> String {
    definition.parameters.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// A receptor or channel as a population carries it.
pub(super) struct Mechanism {
    /// Its name and definition.
    pub spec: ReceptorSpec,
    /// Where its kind stands.
    pub place: SourceSpan,
    /// The compartments of a cell that have it, on a tree, ascending.
    pub on: Vec<u32>,
}

impl Mechanism {
    /// What a state of the population is called in its file, if it is one of its own.
    pub fn own<'s>(&self, state: &'s str) -> Option<&'s str> {
        state.strip_prefix(self.spec.name.as_str())?.strip_prefix('.')
    }

    /// Whether a state of its own starts where it would settle at the initial voltage: gates of channels do so unless
    /// their file says otherwise.
    pub fn is_steady(&self, state: &str) -> bool {
        let own = self.own(state);
        let stated = || self.spec.definition.initial.iter().any(|(n, _)| Some(n.as_str()) == own);
        self.spec.definition.kind == DefinitionKind::Channel && own.is_some() && !stated()
    }
}

/// What stays the same while a population is read.
pub(super) struct Reading<'a> {
    /// Number of units.
    pub size: usize,
    /// The tree that the units are the compartments of.
    pub tree: Option<&'a TreeShape>,
    /// Whether there would be a tree, had it been understood: what is said by place is then neither right nor wrong.
    pub lost: bool,
}

/// Reads `receptors.NAME` or `channels.NAME`: the host carries it from then on.
#[expect(clippy::too_many_arguments, reason = "what the population knows so far, and where its values go")]
pub(super) fn read(
    resolver: &mut Resolver<'_>,
    entry: &Entry,
    mut definition: Arc<Definition>,
    host: &System,
    model: &Definition,
    reading: &Reading<'_>,
    names: &KnownNames<'_>,
    given: &mut BTreeMap<String, (Value, SourceSpan)>,
) -> Option<(Mechanism, System)> {
    let word = definition.kind.word();
    super::check_name(resolver, &entry.key, &entry.place, word);
    let (keys, where_on) =
        if definition.kind == DefinitionKind::Channel { (CHANNEL.keys, "in") } else { (RECEPTOR.keys, "at") };
    let mut f = Table::of(resolver, &entry.value, format!("{word} `{}`", entry.key), keys)?;
    let kind = f.require(resolver, "kind")?;
    let on = match reading.tree {
        Some(plan) => plan.compartments_of(resolver, f.get(where_on)),
        None => {
            if let Some(n) = f.get(where_on).filter(|_| !reading.lost) {
                resolver.error_help(
                    &n.place,
                    format!("`{where_on}` says where on a tree a {word} is, and this population is none"),
                    "leave it out: all units have it",
                );
            }
            Vec::new()
        }
    };
    if let Some(n) = f.get("port") {
        let port = resolver.text(n, "`port`")?.to_owned();
        if !host.inputs().iter().any(|i| i.name == port) {
            let help = suggest(&port, host.inputs().iter().map(|i| i.name.as_str()));
            resolver.error_help(&n.place, format!("model `{}` has no input `{port}`", model.name), help);
            return None;
        }
        match redirect(&definition, &port) {
            Ok(d) => definition = d,
            Err(message) => {
                resolver.error(&n.place, message);
                return None;
            }
        }
    }
    let system = match host.carrying(&entry.key, &definition.system) {
        Ok(system) => system,
        Err(problems) => {
            for d in problems {
                resolver.report.put(&kind.place, d);
            }
            return None;
        }
    };
    let chosen = f.get("preset").and_then(|n| preset(resolver, n, &definition));
    let prefix = format!("{}.", entry.key);
    for (name, value) in chosen.iter().flat_map(|p| &p.parameters).rev() {
        given.insert(format!("{prefix}{name}"), (Value::Constant(*value), entry.place.clone()));
    }
    // On a host with densities or plain numbers the units of a receptor follow the host's.
    let mut fitted = (*definition).clone();
    for p in &mut fitted.parameters {
        let now = system
            .parameters()
            .iter()
            .find(|v| v.name == format!("{prefix}{}", p.name))
            .map_or(p.dimension, |v| v.dimension);
        if now != p.dimension {
            p.dimension = now;
            (p.min, p.max) = (None, None);
            if p.default != 0.0 && f.named(&p.name).is_none() && !given.contains_key(&format!("{prefix}{}", p.name)) {
                resolver.error_help(
                    &entry.place,
                    format!(
                        "{word} `{}` needs `{}` here: on model `{}` it is {}, and the default is {}",
                        entry.key,
                        p.name,
                        model.name,
                        name_of(now),
                        p.default_text
                    ),
                    format!("add `{} = ...`", p.name),
                );
            }
        }
    }
    let names = names.clone().with_parameters(&fitted, &system, &prefix);
    read_parameters(resolver, &mut f, (&fitted, chosen.as_ref()), &prefix, reading, &names, given);
    f.finish_with(resolver, &|key| hint_parameter(&fitted, key));
    let spec = ReceptorSpec { name: entry.key.clone(), definition };
    Some((Mechanism { spec, place: kind.place.clone(), on }, system))
}

/// One preset, or several that are applied in turn (`["chattering", "figure1"]`).
pub(super) fn preset(resolver: &mut Resolver<'_>, node: &Node, definition: &Definition) -> Option<Preset> {
    let single = std::slice::from_ref(node);
    let nodes: &[Node] = match &node.item {
        Item::List(list) => list,
        _ => single,
    };
    let mut merged: Option<Preset> = None;
    for n in nodes {
        let name = resolver.text(n, "`preset`")?.to_owned();
        let Some(found) = definition.preset(&name) else {
            let help = suggest(&name, definition.presets.iter().map(|p| p.name.as_str()));
            resolver.error_help(&n.place, format!("`{}` has no preset `{name}`", definition.name), help);
            return None;
        };
        merged = Some(match merged {
            None => found.clone(),
            Some(first) => {
                // Later values come first in the search.
                let joined =
                    |new: &[(String, String)], old: Vec<(String, String)>| new.iter().cloned().chain(old).collect();
                Preset {
                    name: format!("{} + {name}", first.name),
                    about: first.about,
                    parameters: found.parameters.iter().cloned().chain(first.parameters).collect(),
                    initial: joined(&found.initial, first.initial),
                    integrator: found.integrator.clone().or(first.integrator),
                    substeps: found.substeps.or(first.substeps),
                }
            }
        });
    }
    merged
}

/// Reads the parameters of a definition that a table states into `given`; where a value by place says nothing, that of
/// the preset holds, and then the default.
pub(super) fn read_parameters(
    resolver: &mut Resolver<'_>,
    fields: &mut Table<'_>,
    (definition, preset): (&Definition, Option<&Preset>),
    prefix: &str,
    reading: &Reading<'_>,
    names: &KnownNames<'_>,
    given: &mut BTreeMap<String, (Value, SourceSpan)>,
) {
    for p in &definition.parameters {
        let Some(node) = fields.named(&p.name) else { continue };
        let wanted = Wanted {
            dimension: p.dimension,
            what: format!("`{}`", p.name),
            count: Some(reading.size),
            names: Some(names.clone()),
        };
        let value = match reading.tree.filter(|_| tree::is_by_place(node)) {
            Some(tree) => {
                let stated = preset.and_then(|s| s.parameters.iter().find(|v| v.0 == p.name));
                let elsewhere = stated.map_or(p.default, |v| v.1);
                tree.by_place(resolver, node, &wanted, Some(p), &|_| Elsewhere::Value(elsewhere))
            }
            None if reading.lost && tree::is_by_place(node) => Some(Value::Constant(p.default)),
            None => resolver.value(node, &wanted),
        };
        if let Some(value) = value {
            resolver.in_range(node, p, &value);
            given.insert(format!("{prefix}{}", p.name), (value, node.place.clone()));
        }
    }
}
