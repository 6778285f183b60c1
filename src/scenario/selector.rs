//! What analyses look at: `POP.spikes`, `POP.rate`, `POP.VAR`, `POP.RECEPTOR.VAR`, `[0..10]`,
//! `mean(...)`.

use std::collections::HashSet;

use super::analysis::Places;
use super::connections;
use super::recorded::{self, RecordedPlace};
use super::resolver::{Resolver, suggest};
use super::spec::{
    Observable, Place, PopulationId, PopulationSpec, Port, ProjectionId, ProjectionSpec, RecordSpec, Subject,
    TraceRequest, Traced, TreeSpec, VariableId,
};
use spikedeck_model::document::{Item, Node};

/// A variable of a population that can be recorded.
pub(super) fn variable(p: &PopulationSpec, name: &str) -> Option<Traced> {
    VariableId::named(&p.system, name).map(Traced::of_unit)
}

/// Names of what can be recorded of a population.
pub(super) fn variables(p: &PopulationSpec) -> Vec<&str> {
    let s = &p.system;
    s.states()
        .iter()
        .chain(s.subexpressions())
        .chain(s.inputs())
        .chain(s.parameters())
        .map(|v| v.name.as_str())
        .collect()
}

/// What units are numbered from 0 to, and named by, where the population is a tree.
#[derive(Clone, Copy)]
pub(super) struct Units<'a> {
    pub size: usize,
    named: Option<(&'a TreeSpec, Numbering<'a>)>,
    /// What units of a recording are called, where they have names; else empty.
    called: &'a [String],
}

/// What the units of a tree are that are meant.
#[derive(Clone, Copy)]
enum Numbering<'a> {
    /// Compartments and nodes.
    All,
    /// These units of each cell, in this order: what spikes, or what carries a receptor.
    Some(&'a [u32]),
}

impl<'a> Units<'a> {
    /// The units of a population.
    pub fn of(p: &'a PopulationSpec) -> Self {
        Self { size: p.size, named: p.tree.as_deref().map(|t| (t, Numbering::All)), called: &[] }
    }

    /// Units that have numbers and no names.
    pub fn numbered(size: usize) -> Self {
        Self { size, named: None, called: &[] }
    }

    /// Units of a recording, which have these names besides their numbers.
    pub fn called(size: usize, names: &'a [String]) -> Self {
        Self { size, named: None, called: names }
    }

    /// Connections, whose number is not known before they are drawn.
    pub fn uncounted() -> Self {
        Self::numbered(u32::MAX as usize)
    }

    /// What spikes in a population.
    pub fn sources(p: &'a PopulationSpec) -> Self {
        let named = p.tree.as_deref().map(|t| (t, Numbering::Some(t.spiking.as_slice())));
        Self { size: p.sources(), named, called: &[] }
    }

    /// Where something arrives at a port of a population.
    pub fn targets(p: &'a PopulationSpec, port: Port) -> Self {
        let numbering = |t: &'a TreeSpec| match port {
            Port::Event(e) => Numbering::Some(&t.slots[e.index()]),
            Port::Input(_) | Port::Spikes => Numbering::All,
        };
        Self { size: p.targets(port), named: p.tree.as_deref().map(|t| (t, numbering(t))), called: &[] }
    }

    /// The unit of a recording that has this name.
    fn by_name(self, name: &str) -> Result<u32, (String, String)> {
        let found = self.called.iter().position(|n| n == name).map(|at| at as u32);
        let names = || self.called.iter().map(String::as_str);
        found.ok_or_else(|| (format!("there is no unit called `{name}`"), suggest(name, names())))
    }

    /// The units at a place by name; none where units have no names.
    pub fn at(self, text: &str) -> Option<Result<Vec<u32>, (String, String)>> {
        if !self.called.is_empty() {
            return Some(self.by_name(text).map(|unit| vec![unit]));
        }
        let (tree, numbering) = self.named?;
        let found = match tree.find(text) {
            Ok(found) => found,
            Err(e) => return Some(Err(e)),
        };
        let Numbering::Some(list) = numbering else { return Some(Ok(found)) };
        let per_cell = tree.units() as u32;
        let units: Vec<u32> = found
            .iter()
            .filter_map(|u| {
                Some(u / per_cell * list.len() as u32 + list.iter().position(|l| *l == u % per_cell)? as u32)
            })
            .collect();
        if units.is_empty() {
            return Some(Err((format!("`{text}` is not among the places that are meant here"), String::new())));
        }
        Some(Ok(units))
    }
}

/// Each unit once, in the order in which they are first named; who names one again is told.
fn once(resolver: &mut Resolver<'_>, node: &Node, units: Vec<u32>) -> Vec<u32> {
    let mut seen = HashSet::new();
    let (count, mut again) = (units.len(), None);
    let kept: Vec<u32> = units
        .into_iter()
        .filter(|u| {
            let new = seen.insert(*u);
            again = again.or((!new).then_some(*u));
            new
        })
        .collect();
    if let Some(unit) = again {
        let others = match count - kept.len() {
            1 => String::new(),
            n => format!(", and so are {} others", n - 1),
        };
        let what = format!("unit {unit} is named more than once{others}");
        resolver.warn(&node.place, what, "each counts once; name it once");
    }
    kept
}

/// Units as a list `[0, 1, 2]`, a range `"0..10"` (the end is not part of it) or `"all"`; empty means all. On a tree
/// also places, `["soma", "apical(0.7)"]`. None stands twice.
pub(super) fn unit_list(resolver: &mut Resolver<'_>, node: &Node, of: Units<'_>) -> Vec<u32> {
    let units = named_units(resolver, node, of);
    once(resolver, node, units)
}

/// The units of a list as they are named.
fn named_units(resolver: &mut Resolver<'_>, node: &Node, of: Units<'_>) -> Vec<u32> {
    let size = of.size;
    match &node.item {
        Item::List(list) => {
            let mut units = Vec::new();
            for n in list {
                if let Some(found) = n.as_text().and_then(|t| of.at(t)) {
                    match found {
                        Ok(found) => units.extend(found),
                        Err((message, help)) => resolver.error_help(&n.place, message, help),
                    }
                } else if let Some(u) = resolver.whole(n, "a unit", 0) {
                    if u >= size as u64 {
                        resolver.error(&n.place, format!("there is no unit {u}: {}", numbered(size)));
                    } else {
                        units.push(u as u32);
                    }
                }
            }
            if list.is_empty() {
                resolver.error(&node.place, "this list of units is empty");
            }
            units
        }
        Item::Text(t) if t == "all" => Vec::new(),
        Item::Text(t) => match range(t, of) {
            Ok(units) => units,
            Err(message) => {
                resolver.error(&node.place, message);
                Vec::new()
            }
        },
        _ => {
            resolver.error_help(
                &node.place,
                format!("units are a list or a range, not {}", node.what()),
                "write `[0, 1, 2]` or `\"0..10\"`",
            );
            Vec::new()
        }
    }
}

fn numbered(size: usize) -> String {
    if size == 1 { "the only unit is 0".to_owned() } else { format!("units are numbered from 0 to {}", size - 1) }
}

/// `3`, `0..10` (without 10), `1, 4, 7` inside brackets; on a tree also `apical(0.7)`.
pub(super) fn range(text: &str, of: Units<'_>) -> Result<Vec<u32>, String> {
    let size = of.size;
    let number = |t: &str| t.trim().parse::<u32>().map_err(|_| format!("`{}` is no unit", t.trim()));
    let mut units = Vec::new();
    let mut quoted = false;
    let apart = |c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    };
    for part in text.split(apart) {
        // In quotes it is a name, also where it looks like a number.
        if let Some(name) = part.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            units.push(of.by_name(name).map_err(|(message, help)| format!("{message} ({help})"))?);
            continue;
        }
        match part.split_once("..").filter(|(from, _)| of.called.is_empty() || number(from).is_ok()) {
            Some((a, b)) => {
                let (a, b) = (number(a)?, number(b)?);
                if a >= b {
                    return Err(format!("the range {a}..{b} is empty (its end is not part of it)"));
                }
                if b as usize > size {
                    return Err(format!("the range {a}..{b} ends beyond the last unit: {}", numbered(size)));
                }
                units.extend(a..b);
            }
            None => match of.at(part.trim()).filter(|_| part.trim().parse::<u32>().is_err()) {
                Some(Ok(found)) => units.extend(found),
                Some(Err((message, help))) if help.is_empty() => return Err(message),
                Some(Err((message, help))) => return Err(format!("{message} ({help})")),
                None => {
                    let place = number(part)?;
                    if of.by_name(part.trim()).is_ok_and(|unit| unit != place) {
                        return Err(format!(
                            "a bare number is the place of a unit, and a unit elsewhere is called `{place}`: write \
                             `[\"{place}\"]` for that one"
                        ));
                    }
                    units.push(place);
                }
            },
        }
    }
    match units.iter().find(|u| **u as usize >= size) {
        Some(u) => Err(format!("there is no unit {u}: {}", numbered(size))),
        None => Ok(units),
    }
}

/// What the caller knows when it reads a selector.
pub(super) struct Scope<'a> {
    pub all: &'a [PopulationSpec],
    pub known: &'a [&'a str],
    pub projections: &'a [ProjectionSpec],
    pub records: &'a [RecordSpec],
    /// What stands beside the populations: the places of recordings, which follow them.
    pub recorded: &'a [RecordedPlace],
    /// Whether a bare `POP` is meant (analyses of the equations).
    pub equations: bool,
}

impl Places for Scope<'_> {
    /// Reads `of`, `source` or `target`: one selector or a list.
    fn subjects(&self, resolver: &mut Resolver<'_>, node: &Node, equations: bool) -> Vec<Subject> {
        let scope = Scope { equations, ..*self };
        match &node.item {
            Item::List(list) => list.iter().filter_map(|n| subject(resolver, n, &scope)).collect(),
            _ => subject(resolver, node, &scope).into_iter().collect(),
        }
    }

    fn has_variable(&self, resolver: &mut Resolver<'_>, node: &Node, subject: &Subject, name: &str) -> bool {
        // Of connections an option names nothing.
        let Some(id) = subject.place.population() else { return true };
        let Some(p) = self.all.get(id.index()) else {
            return recorded::has_variable(resolver, node, &self.recorded[id.index() - self.all.len()], name);
        };
        let before = resolver.report.errors();
        if is_variable(resolver, node, p, name, &[]) {
            // What spikes on a tree is counted apart from its compartments.
            let units = if p.tree.is_some() { &[][..] } else { &subject.units };
            check_recorded(resolver, node, self, id, name, units);
        }
        resolver.report.errors() == before
    }
}

/// Whether a population has a variable of this name; if not, that is said with what it has, and with what there is
/// `beside`.
fn is_variable(resolver: &mut Resolver<'_>, node: &Node, p: &PopulationSpec, name: &str, beside: &[&str]) -> bool {
    let found = variable(p, name).is_some();
    if !found {
        let mut names = variables(p);
        names.extend(beside);
        let help = suggest(name, names.iter().copied());
        resolver.error_help(&node.place, format!("population `{}` has no variable `{name}`", p.name), help);
    }
    found
}

/// The parts of a selector, as they are written.
pub(super) struct Written {
    /// All of it.
    pub text: String,
    /// What comes before a bracket.
    pub path: String,
    /// What is between brackets.
    pub bracket: Option<String>,
    /// Whether a mean is meant.
    pub mean: bool,
}

/// Takes a selector apart.
pub(super) fn written(resolver: &mut Resolver<'_>, node: &Node) -> Option<Written> {
    let text = resolver.text(node, "a subject")?.trim().to_owned();
    let (inner, mean) = match text.strip_prefix("mean(").and_then(|t| t.strip_suffix(')')) {
        Some(inner) => (inner.trim(), true),
        None => (text.as_str(), false),
    };
    let (path, bracket) = match inner.split_once('[') {
        Some((path, rest)) => match rest.strip_suffix(']') {
            Some(units) => (path.trim().to_owned(), Some(units.to_owned())),
            None => {
                resolver.error_help(
                    &node.place,
                    format!("`{text}` opens a bracket that it does not close"),
                    format!("write `{text}]`"),
                );
                return None;
            }
        },
        None => (inner.to_owned(), None),
    };
    Some(Written { text, path, bracket, mean })
}

fn subject(resolver: &mut Resolver<'_>, node: &Node, scope: &Scope<'_>) -> Option<Subject> {
    let Written { text, path, bracket, mean } = written(resolver, node)?;
    if recorded::found(&path, scope.recorded).is_some() {
        let written = Written { text, path, bracket, mean };
        return recorded::subject_of(resolver, node, written, scope.recorded, scope.all.len(), scope.equations);
    }
    let bracket = bracket.as_deref();
    let (pop, what) = path.split_once('.').unwrap_or((&path, ""));
    if let Some(index) = scope.projections.iter().position(|p| p.name == pop).filter(|_| !scope.known.contains(&pop)) {
        let units = bracket.map(|b| range(b, Units::uncounted())).transpose();
        let units = units.map_err(|m| resolver.error(&node.place, m)).ok()?.unwrap_or_default();
        let units = once(resolver, node, units);
        let place = (Place::Projection(ProjectionId::new(index)), &scope.projections[index]);
        let what = connections::observable(resolver, node, place, what, &units, scope.records)?;
        return Some(Subject { text, place: place.0, what, units, mean });
    }
    let id = super::projection::population(resolver, node, pop, scope.all, scope.known)?;
    let (p, place) = (&scope.all[id.index()], Place::Population(id));
    let of = if matches!(what, "spikes" | "rate") && p.system.spikes() { Units::sources(p) } else { Units::of(p) };
    let units = match bracket.map(|b| range(b, of)) {
        Some(Ok(units)) => once(resolver, node, units),
        Some(Err(message)) => {
            resolver.error(&node.place, message);
            return None;
        }
        None => Vec::new(),
    };
    let observable = match what {
        "" if scope.equations => Observable::Population,
        what if scope.equations => {
            resolver.error_help(
                &node.place,
                format!("`{pop}.{what}` is a signal, and this analysis looks at the equations of `{pop}`"),
                format!("write `{pop}`; nothing that was recorded or read from a file enters it"),
            );
            return None;
        }
        "" => {
            resolver.error_help(
                &node.place,
                format!("`{text}` names a population, but not what of it"),
                format!(
                    "write `{pop}.spikes`, `{pop}.rate` or a variable: {}",
                    variables(p).into_iter().map(|v| format!("`{pop}.{v}`")).take(4).collect::<Vec<_>>().join(", ")
                ),
            );
            return None;
        }
        // A model that never spikes may have a variable of its own called `rate`.
        "spikes" | "rate" if p.system.spikes() || variable(p, what).is_none() => {
            if !p.system.spikes() {
                resolver.error_help(
                    &node.place,
                    p.why_silent(),
                    format!("its variables are {}", variables(p).join(", ")),
                );
                return None;
            }
            if !scope.records.iter().any(|r| r.place == place && r.spikes) {
                resolver.error_help(
                    &node.place,
                    format!("the spikes of `{pop}` are not recorded"),
                    format!("add `spikes = true` to `[record.{pop}]`"),
                );
            }
            if what == "spikes" { Observable::Spikes } else { Observable::Rate }
        }
        name => {
            if !is_variable(resolver, node, p, name, &["spikes", "rate"]) {
                return None;
            }
            check_recorded(resolver, node, scope, id, name, &units);
            Observable::Variable(name.to_owned())
        }
    };
    Some(Subject { text, place, what: observable, units, mean })
}

fn check_recorded(
    resolver: &mut Resolver<'_>,
    node: &Node,
    scope: &Scope<'_>,
    population: PopulationId,
    name: &str,
    units: &[u32],
) {
    let p = &scope.all[population.index()];
    let traces: Vec<&TraceRequest> = scope
        .records
        .iter()
        .filter(|r| r.place == Place::Population(population))
        .flat_map(|r| &r.traces)
        .filter(|t| t.variables.iter().any(|v| v.name == name))
        .collect();
    if traces.is_empty() {
        resolver.error_help(
            &node.place,
            format!("`{}.{name}` is not recorded", p.name),
            format!("add `traces = [{{ variables = [\"{name}\"] }}]` to `[record.{}]`", p.name),
        );
    } else if let Some(u) = units.iter().find(|u| !traces.iter().any(|t| t.units.contains(u))) {
        resolver.error_help(
            &node.place,
            format!("`{}.{name}` is recorded, but not of unit {u}", p.name),
            "add the unit to `units` of that trace",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_end_before_their_end() {
        let range = |text: &str| super::range(text, Units::numbered(5));
        assert_eq!(range("0..3"), Ok(vec![0, 1, 2]));
        assert_eq!(range("3"), Ok(vec![3]));
        assert_eq!(range("1, 3..5"), Ok(vec![1, 3, 4]));
        assert!(range("0..6").is_err() && range("3..3").is_err() && range("x").is_err() && range("5").is_err());
    }
}
