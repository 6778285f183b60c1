//! `[record.NAME]`: what of a population, or of a projection whose connections change, is kept.

use super::connections;
use super::language::{Family, Key, Of, Range, Section, Table, Takes};
use super::resolver::{Resolver, suggest};
use super::selector::{Units, unit_list, variable, variables};
use super::spec::{
    Place, PopulationId, PopulationSpec, ProjectionId, ProjectionSpec, RecordSpec, TraceRequest, Traced, TracedId,
};
use spikedeck_model::document::{Entry, Item, Node};

/// `[record.POP]` and `[record.PROJECTION]`.
pub(super) static RECORD: Family = Family {
    name: "record",
    about: "what is recorded, by population, or by projection whose connections change",
    by: None,
    common: &[],
    kinds: &[],
    others: &[&OF_POPULATION, &OF_PROJECTION],
};

static OF_POPULATION: Section = Section::new(
    "record.POP",
    "what of a population is recorded",
    &[
        Key::default("spikes", Takes::Flag, "false", "keep its spikes"),
        Key::optional("traces", Takes::Tables(&TRACE), "none", "variables in time"),
        Key::default("connections", Takes::Flag, "false", "write the connections that start from it"),
    ],
);

/// `[record.PROJECTION]`.
pub(super) static OF_PROJECTION: Section = Section::new(
    "record.PROJECTION",
    "what of connections that change is recorded",
    &[Key::optional("traces", Takes::Tables(&TRACE_OF_CONNECTIONS), "none", "variables in time")],
);

static TRACE: Section = Section::new(
    "trace",
    "variables of units in time",
    &[NAME, VARIABLES, Key::optional("units", Takes::Units, "all", "the units"), INTERVAL],
);

/// A trace of connections.
pub(super) static TRACE_OF_CONNECTIONS: Section = Section::new(
    "trace",
    "variables of connections in time",
    &[NAME, VARIABLES, Key::optional("connections", Takes::Units, "all", "the connections, by number"), INTERVAL],
);

const NAME: Key = Key::default("name", Takes::Text("a name"), "trace", "name of the trace and of its file");
const VARIABLES: Key = Key::required(
    "variables",
    Takes::OneOrMore("a state, subexpression, input or parameter"),
    "[\"V_m\"]",
    "what is recorded",
);
const INTERVAL: Key =
    Key::optional("interval", Takes::Quantity(Of::Time), "one step", "time between samples: a multiple of the step")
        .range(Range::Above(0.0));

/// What can be recorded: populations (`known` names those that are wrong as well) and projections.
pub(super) struct Places<'a> {
    pub all: &'a [PopulationSpec],
    pub known: &'a [&'a str],
    pub projections: &'a [ProjectionSpec],
}

/// Reads `[record.POP]`, or `[record.PROJECTION]` of one whose connections change.
pub(super) fn read(resolver: &mut Resolver<'_>, entry: &Entry, places: &Places<'_>) -> Option<RecordSpec> {
    let Places { all, known, projections } = *places;
    if let Some(index) =
        projections.iter().position(|p| p.name == entry.key).filter(|_| !known.contains(&entry.key.as_str()))
    {
        return connections::record(resolver, entry, Place::Projection(ProjectionId::new(index)), &projections[index]);
    }
    let Some(index) = all.iter().position(|p| p.name == entry.key) else {
        if !known.contains(&entry.key.as_str()) {
            let names = known
                .iter()
                .copied()
                .chain(projections.iter().filter(|p| p.plasticity.is_some()).map(|p| p.name.as_str()));
            let help = suggest(&entry.key, names);
            resolver.error_help(&entry.place, format!("there is no population `{}`", entry.key), help);
        }
        return None;
    };
    let p = &all[index];
    let mut f = Table::of(resolver, &entry.value, format!("`[record.{}]`", entry.key), OF_POPULATION.keys)?;
    let spikes = f.flag(resolver, "spikes");
    if let Some(n) = f.get("spikes").filter(|_| spikes && !p.system.spikes()) {
        resolver.error_help(&n.place, p.why_silent(), "record variables with `traces`");
    }
    let connections = f.flag(resolver, "connections");
    let traces = traces(resolver, &mut f, &entry.key, &mut |resolver, n| trace(resolver, n, p));
    f.finish(resolver);
    let place = Place::Population(PopulationId::new(index));
    Some(RecordSpec { place, spikes, traces, connections })
}

/// The list of traces of one place; `read` reads one.
pub(super) fn traces(
    resolver: &mut Resolver<'_>,
    f: &mut Table<'_>,
    place: &str,
    read: &mut dyn FnMut(&mut Resolver<'_>, &Node) -> Option<TraceRequest>,
) -> Vec<TraceRequest> {
    let mut traces: Vec<TraceRequest> = Vec::new();
    if let Some(n) = f.get("traces") {
        match &n.item {
            Item::List(list) => {
                for t in list {
                    if let Some(request) = read(resolver, t) {
                        if traces.iter().any(|x| x.name == request.name) {
                            resolver.error_help(
                                &t.place,
                                format!("`{place}` has two traces called `{}`", request.name),
                                "give each a `name` of its own: it names a file",
                            );
                        }
                        traces.push(request);
                    }
                }
            }
            _ => resolver.error_help(
                &n.place,
                format!("`traces` is a list of tables, not {}", n.what()),
                "write `traces = [{ variables = [\"V_m\"] }]`",
            ),
        }
    }
    traces
}

fn trace(resolver: &mut Resolver<'_>, node: &Node, p: &PopulationSpec) -> Option<TraceRequest> {
    let mut request = sampled(
        resolver,
        node,
        &Sampled {
            what: format!("population `{}`", p.name),
            variable: &|name| variable(p, name),
            names: variables(p),
            keys: TRACE.keys,
            units: "units",
            of: Units::of(p),
        },
    )?;
    let marks: Vec<Option<Vec<bool>>> = request
        .variables
        .iter()
        .map(|v| match v.id {
            TracedId::Unit(id) => p.having(id),
            TracedId::Connection(_) => unreachable!("units have no values of connections"),
        })
        .collect();
    let here = |marks: &Option<Vec<bool>>, u: u32| marks.as_ref().is_none_or(|m| m[u as usize % m.len()]);
    let all = 0..p.size as u32;
    if request.units.is_empty() {
        // Places that have none of it are no part of it.
        request.units = all.clone().filter(|&u| marks.iter().any(|m| here(m, u))).collect();
    }
    let missed = request.variables.iter().zip(&marks).find(|(_, m)| !request.units.iter().any(|&u| here(m, u)));
    if let Some((v, marks)) = missed {
        let place = all.clone().find(|&u| here(marks, u)).zip(p.tree.as_deref());
        let help = place.map_or_else(String::new, |(u, tree)| format!("`{}` has it, for one", tree.name(u as usize)));
        resolver.error_help(&node.place, format!("none of these units has `{}`", v.name), help);
        return None;
    }
    Some(request)
}

/// Something that can be sampled.
pub(super) struct Sampled<'a> {
    /// What it is, for messages.
    pub what: String,
    /// The variable of a name.
    pub variable: &'a dyn Fn(&str) -> Option<Traced>,
    /// Names of the variables.
    pub names: Vec<&'a str>,
    /// Keys of a trace of it.
    pub keys: &'static [Key],
    /// Key of the subset.
    pub units: &'static str,
    /// What there is of them.
    pub of: Units<'a>,
}

/// One trace request; without a subset its units are left empty.
pub(super) fn sampled(resolver: &mut Resolver<'_>, node: &Node, of: &Sampled<'_>) -> Option<TraceRequest> {
    let before = resolver.report.errors();
    let mut f = Table::of(resolver, node, "a trace", of.keys)?;
    let name = f.text(resolver, "name");
    if let Some(n) = f.get("name") {
        super::check_name(resolver, &name, &n.place, "trace");
    }
    let mut list = Vec::new();
    if let Some(n) = f.require(resolver, "variables") {
        let single = std::slice::from_ref(n);
        let nodes: &[Node] = match &n.item {
            Item::List(nodes) => nodes,
            _ => single,
        };
        if nodes.is_empty() {
            resolver.error(&n.place, "this trace records nothing");
        }
        for v in nodes {
            let Some(text) = resolver.text(v, "a variable").map(str::to_owned) else { continue };
            match (of.variable)(&text) {
                Some(variable) => list.push(variable),
                None => {
                    let help = suggest(&text, of.names.iter().copied());
                    resolver.error_help(&v.place, format!("{} has no variable `{text}`", of.what), help);
                }
            }
        }
    }
    let units = f.get(of.units).map(|n| unit_list(resolver, n, of.of)).unwrap_or_default();
    let every = match f.get("interval") {
        Some(n) => match resolver.steps(n, "`interval`") {
            Some(0) => {
                resolver.error(&n.place, "`interval` is at least one step");
                1
            }
            other => other.unwrap_or(1),
        },
        None => 1,
    };
    f.finish(resolver);
    let request = TraceRequest { name, variables: list, units, every, implied: false };
    (resolver.report.errors() == before).then_some(request)
}
