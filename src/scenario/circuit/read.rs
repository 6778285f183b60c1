//! `[circuits.NAME]` as it is written → what is said of each population and of each pair.

use super::keys::{BACKGROUND, CIRCUIT, Drive};
use super::pairs::{Pair, pairs};
use super::scaling::Scaling;
use crate::language::Table;
use crate::resolver::{Resolver, suggest};
use spikedeck_core::number::counted;
use spikedeck_core::units::Dimension;
use spikedeck_model::document::{Entry, Item, Node};
use spikedeck_model::report::SourceSpan;

/// A circuit as it is written.
pub(super) struct Circuit<'n> {
    pub members: Vec<Member<'n>>,
    /// What its populations are, if it makes them.
    pub each: Option<&'n Node>,
    pub pairs: Vec<Pair<'n>>,
    pub background: Option<Background<'n>>,
    pub record: Option<&'n Node>,
    /// Where the rates stand, and the rate of each member in hertz.
    pub rates: Option<(&'n Node, Vec<f64>)>,
    pub current: String,
    pub scaling: Scaling,
    pub decimals: Option<u64>,
    pub prefix: String,
    pub autapses: bool,
    pub multapses: Option<bool>,
}

/// A population of a circuit.
#[derive(Clone)]
pub(super) struct Member<'n> {
    pub name: &'n str,
    pub place: &'n SourceSpan,
    /// Its size at full scale, where it is known, and where that stands.
    pub size: Option<f64>,
    pub size_place: &'n SourceSpan,
}

/// What arrives from outside.
pub(super) struct Background<'n> {
    pub drive: Drive,
    /// Of each member, at full scale, with where it stands.
    pub sources: Vec<(f64, &'n SourceSpan)>,
    pub rate: &'n Node,
    pub weight: &'n Node,
    pub receptor: (&'n str, &'n SourceSpan),
}

/// Reads a circuit; nothing where something is wrong with it.
pub(super) fn circuit<'n>(resolver: &mut Resolver<'_>, root: &Node, written: &'n Entry) -> Option<Circuit<'n>> {
    let before = resolver.report.errors();
    let mut f = Table::of(resolver, &written.value, format!("circuit `{}`", written.key), CIRCUIT.keys)?;
    let scaling = scaling(resolver, &mut f);
    let (members, sides) = members(resolver, root, &mut f, &written.place)?;
    let each = each(resolver, &mut f, &members, scaling);
    let receptor = f.get("receptor");
    let pairs = pairs(resolver, &mut f, &members, &sides, receptor);
    let background = f.get("background").map(|n| background(resolver, n, receptor, &members));
    let rates = f.get("rates").and_then(|n| {
        let list = one_each(resolver, n, "rates", &members)?;
        let rates: Vec<f64> = list.iter().filter_map(|n| resolver.quantity(n, Dimension::HERTZ, "a rate")).collect();
        (rates.len() == list.len()).then_some((n, rates))
    });
    let decimals = f.get("decimals").and_then(|n| resolver.whole(n, "`decimals`", 0));
    let (current, prefix) = (f.text(resolver, "current"), f.text(resolver, "prefix"));
    let autapses = f.flag(resolver, "autapses");
    let multapses = f.get("multapses").and_then(|n| resolver.flag(n, "`multapses`"));
    let record = f.get("record");
    if let (Some(n), true, None) = (f.get("scale").or(f.get("indegree_scale")), !scaling.keeps_connections(), &rates) {
        resolver.warn(
            &n.place,
            "scaled connections lose a part of the mean of what arrives",
            "`rates = [...]`, the rates at full scale, replace it by constant currents",
        );
    }
    f.finish(resolver);
    let background = background.map_or(Some(None), |b| b.map(Some));
    (resolver.report.errors() == before).then_some(())?;
    Some(Circuit {
        members,
        each,
        pairs: pairs?,
        background: background?,
        record,
        rates,
        current,
        scaling,
        decimals,
        prefix,
        autapses,
        multapses,
    })
}

/// `scale` and `indegree_scale`.
fn scaling(resolver: &mut Resolver<'_>, f: &mut Table<'_>) -> Scaling {
    let mut share = |key: &str| {
        let node = f.get(key)?;
        let value = resolver.quantity(node, Dimension::NONE, &format!("`{key}`"))?;
        if value <= 0.0 {
            resolver.error(&node.place, format!("`{key}` is above zero"));
            return None;
        }
        Some(value)
    };
    let (units, indegrees) = (share("scale"), share("indegree_scale"));
    let units = units.unwrap_or_else(|| f.default_number("scale"));
    Scaling { units, indegrees: indegrees.unwrap_or(units) }
}

/// The names of a list, each once.
fn names<'n>(resolver: &mut Resolver<'_>, node: &'n Node, key: &str) -> Option<Vec<Member<'n>>> {
    let Item::List(list) = &node.item else {
        resolver.error(&node.place, format!("`{key}` is a list of populations, not {}", node.what()));
        return None;
    };
    let mut found: Vec<Member<'n>> = Vec::new();
    for n in list {
        let name = resolver.text(n, "the name of a population")?;
        if found.iter().any(|m| m.name == name) {
            resolver.error(&n.place, format!("`{name}` stands in `{key}` already"));
            return None;
        }
        found.push(Member { name, place: &n.place, size: None, size_place: &n.place });
    }
    if found.is_empty() {
        resolver.error(&node.place, format!("`{key}` names no population"));
        return None;
    }
    Some(found)
}

/// The list at a key of a circuit, which has one entry for each of its populations.
fn one_each<'n>(resolver: &mut Resolver<'_>, node: &'n Node, key: &str, members: &[Member<'_>]) -> Option<&'n [Node]> {
    let Item::List(list) = &node.item else {
        resolver
            .error(&node.place, format!("`{key}` is a list with one entry for each population, not {}", node.what()));
        return None;
    };
    if list.len() != members.len() {
        let (have, need) =
            (counted(list.len(), "entry", "entries"), counted(members.len(), "population", "populations"));
        resolver.error_help(
            &node.place,
            format!("`{key}` has {have}, and there are {need}"),
            format!("one for each, in this order: {}", joined(members)),
        );
        return None;
    }
    Some(list)
}

fn joined(members: &[Member<'_>]) -> String {
    members.iter().map(|m| m.name).collect::<Vec<_>>().join(", ")
}

/// The columns and the rows of the tables, as places in the list of members.
pub(super) struct Sides {
    pub sources: Vec<usize>,
    pub targets: Vec<usize>,
}

/// The populations of a circuit with their sizes, and which are sources and targets.
fn members<'n>(
    resolver: &mut Resolver<'_>,
    root: &Node,
    f: &mut Table<'n>,
    place: &SourceSpan,
) -> Option<(Vec<Member<'n>>, Sides)> {
    let mut list =
        |resolver: &mut Resolver<'_>, key: &str| f.get(key).map_or(Some(None), |n| names(resolver, n, key).map(Some));
    let (own, sources, targets) = (list(resolver, "populations"), list(resolver, "sources"), list(resolver, "targets"));
    let (own, sources, targets) = (own?, sources?, targets?);
    let mut all = own.clone().unwrap_or_default();
    for other in sources.iter().chain(&targets).flatten() {
        if !all.iter().any(|m| m.name == other.name) {
            if own.is_some() {
                let known = all.iter().map(|m| m.name);
                let help = suggest(other.name, known);
                resolver.error_help(other.place, format!("there is no `{}` in `populations`", other.name), help);
                return None;
            }
            all.push(other.clone());
        }
    }
    if all.is_empty() {
        resolver.error_help(place, "a circuit has populations", "add `populations = [\"exc\", \"inh\"]`");
        return None;
    }
    let at = |list: &Option<Vec<Member<'_>>>| -> Vec<usize> {
        let places =
            |names: &Vec<Member<'_>>| names.iter().filter_map(|n| all.iter().position(|m| m.name == n.name)).collect();
        list.as_ref().map_or_else(|| (0..all.len()).collect(), places)
    };
    let sides = Sides { sources: at(&sources), targets: at(&targets) };
    sizes(resolver, root, f, &mut all)?;
    Some((all, sides))
}

/// Says how large each population is: by `sizes`, or by what stands in the scenario.
fn sizes<'n>(resolver: &mut Resolver<'_>, root: &Node, f: &mut Table<'n>, members: &mut [Member<'n>]) -> Option<()> {
    if let Some(node) = f.get("sizes") {
        let list = one_each(resolver, node, "sizes", members)?;
        for (member, n) in members.iter_mut().zip(list) {
            member.size = Some(resolver.whole(n, "a size", 1)? as f64);
            member.size_place = &n.place;
        }
        return Some(());
    }
    let populations = root.get("populations");
    let known = populations.and_then(Node::entries).unwrap_or_default();
    for member in members {
        let Some(there) = populations.and_then(|p| p.get(member.name)) else {
            let help = if known.is_empty() {
                "add `sizes = [...]` and `each = { model = \"lif\" }`, and the circuit makes its populations".to_owned()
            } else {
                suggest(member.name, known.iter().map(|e| e.key.as_str()))
            };
            resolver.error_help(member.place, format!("there is no population `{}`", member.name), help);
            return None;
        };
        let told_otherwise =
            ["grid", "positions", "cable", "sections", "morphology", "spikes"].iter().any(|k| there.get(k).is_some());
        member.size = match there.get("size") {
            Some(size) => size.as_number(),
            None => (!told_otherwise).then_some(1.0),
        };
    }
    Some(())
}

/// What the populations are that the circuit makes.
fn each<'n>(
    resolver: &mut Resolver<'_>,
    f: &mut Table<'n>,
    members: &[Member<'_>],
    scaling: Scaling,
) -> Option<&'n Node> {
    let (sizes, each) = (f.get("sizes"), f.get("each"));
    match (sizes, each) {
        (Some(sizes), None) => resolver.error_help(
            &sizes.place,
            format!("what are the populations {}?", joined(members)),
            "add `each = { model = \"lif\" }`, with all keys of a population but `size`",
        ),
        (None, Some(each)) => resolver.error_help(
            &each.place,
            "`each` is of populations that the circuit makes, and there are no `sizes`",
            "add `sizes = [...]`, one for each population",
        ),
        (None, None) if scaling.units != 1.0 => resolver.error_help(
            &f.get("scale").map_or_else(|| f.place().clone(), |n| n.place.clone()),
            "only populations that the circuit makes are scaled, and there are no `sizes`",
            "add `sizes = [...]` and `each = { ... }`, or scale connections alone by `indegree_scale`",
        ),
        (Some(_), Some(_)) | (None, None) => {}
    }
    if let Some(size) = each.and_then(|n| n.get("size")) {
        resolver.error(&size.place, "the sizes of the populations of a circuit are in `sizes`");
    }
    if let Some(n) = each.filter(|n| n.entries().is_none()) {
        resolver.error(&n.place, format!("`each` is a table, not {}", n.what()));
    }
    sizes.and(each)
}

/// Whether a list stands there.
pub(super) fn is_list(node: &Node) -> bool {
    matches!(node.item, Item::List(_))
}

/// Reads `background`.
fn background<'n>(
    resolver: &mut Resolver<'_>,
    node: &'n Node,
    receptor: Option<&'n Node>,
    members: &[Member<'_>],
) -> Option<Background<'n>> {
    let mut f = Table::of(resolver, node, "`background`", BACKGROUND.keys)?;
    let drive = f.word(resolver, "kind", "kind of background");
    let sources = f.require(resolver, "sources");
    let (rate, weight) = (f.require(resolver, "rate"), f.require(resolver, "weight"));
    let receptor = f.get("receptor").or(receptor.filter(|n| !is_list(n)));
    f.finish(resolver);
    if receptor.is_none() {
        resolver.error_help(&node.place, "`background` needs `receptor`", "add `receptor = \"syn\"`");
    }
    let sources = sources?;
    let list: Vec<&Node> = match &sources.item {
        Item::List(_) => one_each(resolver, sources, "sources", members)?.iter().collect(),
        _ => vec![sources; members.len()],
    };
    let counted: Vec<(f64, &SourceSpan)> =
        list.iter().filter_map(|n| Some((resolver.whole(n, "a number of sources", 1)? as f64, &n.place))).collect();
    let receptor = receptor?;
    (counted.len() == list.len()).then_some(())?;
    Some(Background {
        drive,
        sources: counted,
        rate: rate?,
        weight: weight?,
        receptor: (resolver.text(receptor, "a receptor")?, &receptor.place),
    })
}
