//! What the tables of a circuit say of each pair of its populations.

use std::collections::BTreeMap;

use super::keys::{Draws, PAIR, TABLES};
use super::read::{Member, Sides, is_list};
use crate::language::{Table, word};
use crate::resolver::{Resolver, suggest};
use spikedeck_core::number::counted;
use spikedeck_model::document::{Entry, Item, Node};
use spikedeck_model::report::SourceSpan;

/// What a table says of a pair of populations.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Probability(f64),
    Indegree(f64),
    Total(f64),
}

/// What is said of a pair of populations that are connected.
pub(super) struct Pair<'n> {
    pub source: usize,
    pub target: usize,
    pub number: Number,
    /// Where the number stands.
    pub place: &'n SourceSpan,
    pub draws: Draws,
    pub receptor: (&'n str, &'n SourceSpan),
    pub weight: &'n Node,
    pub weight_spread: f64,
    pub delay: Option<&'n Node>,
    pub delay_spread: f64,
}

/// Refuses a list or a matrix that has not an entry for each source, and a row for each target.
fn fits(resolver: &mut Resolver<'_>, node: &Node, key: &str, (rows, columns): (&[&str], &[&str])) -> bool {
    let Item::List(list) = &node.item else { return true };
    let wrong = |resolver: &mut Resolver<'_>, at: &Node, what: String, help: String| {
        resolver.error_help(&at.place, what, help);
        false
    };
    let (targets, sources) = (counted(rows.len(), "target", "targets"), counted(columns.len(), "source", "sources"));
    let order =
        format!("a row for each target ({}), a column for each source ({})", rows.join(", "), columns.join(", "));
    if !list.iter().any(|n| matches!(n.item, Item::List(_))) {
        if list.len() == columns.len() {
            return true;
        }
        let have = counted(list.len(), "entry", "entries");
        let what = format!("`{key}` has {have}, and there are {sources}");
        return wrong(resolver, node, what, format!("one for each source: {}", columns.join(", ")));
    }
    if list.len() != rows.len() {
        let have = counted(list.len(), "row", "rows");
        return wrong(resolver, node, format!("`{key}` has {have}, and there are {targets}"), order);
    }
    for (row, name) in list.iter().zip(rows) {
        let Item::List(entries) = &row.item else {
            return wrong(resolver, row, format!("a row of `{key}` is a list, not {}", row.what()), order);
        };
        if entries.len() != columns.len() {
            let have = counted(entries.len(), "entry", "entries");
            let what = format!("the row of `{key}` for `{name}` has {have}, and there are {sources}");
            return wrong(resolver, row, what, order);
        }
    }
    true
}

/// What stands for a pair in what is one for all, a list of one for each source, or a row for each target.
fn at(node: &Node, row: usize, column: usize) -> Option<&Node> {
    let Item::List(list) = &node.item else { return Some(node) };
    match list.get(row).map(|n| &n.item) {
        Some(Item::List(entries)) => entries.get(column),
        _ => list.get(column),
    }
}

/// The number that stands at one of the [`TABLES`].
fn number(resolver: &mut Resolver<'_>, key: &str, node: &Node) -> Option<Number> {
    let most = if key == TABLES[0] { 1.0 } else { f64::INFINITY };
    let value = resolver.number(node, &format!("an entry of `{key}`"), (0.0, most))?;
    Some(match key {
        "probability" => Number::Probability(value),
        "indegree" => Number::Indegree(value),
        _ => Number::Total(value),
    })
}

impl Number {
    fn is_none(self) -> bool {
        matches!(self, Self::Probability(v) | Self::Indegree(v) | Self::Total(v) if v == 0.0)
    }

    /// How connections are drawn where nothing is said.
    fn draws(self) -> Draws {
        match self {
            Self::Probability(_) => Draws::Probability,
            Self::Indegree(_) => Draws::FixedIndegree,
            Self::Total(_) => Draws::FixedTotalNumber,
        }
    }
}

/// The one of the [`TABLES`] that is there.
fn table<'n>(resolver: &mut Resolver<'_>, f: &mut Table<'n>) -> Option<(&'static str, &'n Node)> {
    let found: Vec<(&str, &Node)> = TABLES.into_iter().filter_map(|key| Some((key, f.get(key)?))).collect();
    if let [(first, _), (second, node), ..] = found[..] {
        resolver.error_help(
            &node.place,
            format!("`{first}` and `{second}` both say how many connections there are"),
            "keep one of them",
        );
        return None;
    }
    found.first().copied()
}

/// What is said of each pair of populations that are connected.
pub(super) fn pairs<'n>(
    resolver: &mut Resolver<'_>,
    f: &mut Table<'n>,
    members: &[Member<'n>],
    sides: &Sides,
    receptor: Option<&'n Node>,
) -> Option<Vec<Pair<'n>>> {
    let side = |list: &[usize]| list.iter().map(|&i| members[i].name).collect::<Vec<_>>();
    let (rows, columns) = (side(&sides.targets), side(&sides.sources));
    let own = own_pairs(resolver, f, (&rows, &columns))?;
    let before = resolver.report.errors();
    let table = table(resolver, f);
    let draws = f.get("rule").and_then(|n| word::<Draws>(resolver, n, "rule of a circuit"));
    let (weight, delay) = (f.get("weight"), f.get("delay"));
    let spreads = ["weight_spread", "delay_spread"].map(|key| match f.get(key) {
        Some(n) => resolver.number(n, &format!("`{key}`"), (0.0, f64::INFINITY)),
        None => Some(f.default_number(key)),
    });
    if let Some((key, node)) = table.filter(|t| !matches!(&t.1.item, Item::List(l) if l.iter().any(is_list))) {
        let example = "write a list of rows: `[[0.1, 0.2], [0.1, 0.2]]`";
        resolver.error_help(&node.place, format!("`{key}` is a table of rows, not {}", node.what()), example);
    }
    let lists = [("weight", weight), ("delay", delay), ("receptor", receptor)];
    let tables = table.into_iter().chain(lists.into_iter().filter_map(|(key, n)| Some((key, n?))));
    // Each is looked at, so that all that is wrong is said.
    let unfit = tables.filter(|(key, n)| !fits(resolver, n, key, (&rows, &columns))).count();
    if unfit > 0 || resolver.report.errors() > before {
        return None;
    }
    let said = Said { table, draws, weight, delay, receptor, spreads: [spreads[0]?, spreads[1]?] };
    let mut pairs = Vec::new();
    for (row, &target) in sides.targets.iter().enumerate() {
        for (column, &source) in sides.sources.iter().enumerate() {
            let name = format!("{}_{}", members[source].name, members[target].name);
            pairs.extend(pair(resolver, f.place(), &said, own.get(&name).copied(), (row, column), (source, target)));
        }
    }
    (resolver.report.errors() == before).then_some(pairs)
}

/// What is said of all pairs.
struct Said<'n> {
    table: Option<(&'static str, &'n Node)>,
    draws: Option<Draws>,
    weight: Option<&'n Node>,
    delay: Option<&'n Node>,
    receptor: Option<&'n Node>,
    /// Of the weights and of the delays.
    spreads: [f64; 2],
}

/// What single pairs have of their own; a name that is none of a pair is reported.
fn own_pairs<'n>(
    resolver: &mut Resolver<'_>,
    f: &mut Table<'n>,
    (rows, columns): (&[&str], &[&str]),
) -> Option<BTreeMap<String, &'n Entry>> {
    let Some(node) = f.get("pairs") else { return Some(BTreeMap::new()) };
    let Some(entries) = node.entries() else {
        resolver.error_help(
            &node.place,
            format!("`pairs` is a table, not {}", node.what()),
            "write `pairs.exc_inh = { ... }`",
        );
        return None;
    };
    let names: Vec<String> = rows.iter().flat_map(|t| columns.iter().map(move |s| format!("{s}_{t}"))).collect();
    let mut own = BTreeMap::new();
    for e in entries {
        if !names.contains(&e.key) {
            let help = suggest(&e.key, names.iter().map(String::as_str));
            resolver.error_help(
                &e.place,
                format!("there is no pair `{}` in this circuit: a pair is SOURCE_TARGET", e.key),
                help,
            );
            return None;
        }
        own.insert(e.key.clone(), e);
    }
    Some(own)
}

/// What is said of a pair; nothing where it is not connected.
fn pair<'n>(
    resolver: &mut Resolver<'_>,
    place: &SourceSpan,
    said: &Said<'n>,
    own: Option<&'n Entry>,
    (row, column): (usize, usize),
    (source, target): (usize, usize),
) -> Option<Pair<'n>> {
    let mut mine = match own {
        Some(e) => Some(Table::of(resolver, &e.value, format!("pair `{}`", e.key), PAIR.keys)?),
        None => None,
    };
    let own_number = mine.as_mut().and_then(|f| table(resolver, f));
    let (key, node) = own_number.or_else(|| said.table.and_then(|(key, n)| Some((key, at(n, row, column)?))))?;
    let number = number(resolver, key, node)?;
    let mut get = |key: &str| mine.as_mut().and_then(|f| f.get(key));
    let (weight, delay, receptor) = (get("weight"), get("delay"), get("receptor"));
    let spreads = ["weight_spread", "delay_spread"].map(get);
    if let Some(f) = mine {
        f.finish(resolver);
    }
    if let (true, Some(e)) = (number.is_none(), own) {
        resolver.error_help(
            &e.place,
            format!("there are no connections of `{}`: `{key}` is 0", e.key),
            "give the pair a `probability`, an `indegree` or a `total`, or take it away",
        );
    }
    if number.is_none() {
        return None;
    }
    let mut spread = |node: Option<&Node>, all: f64| match node {
        Some(n) => resolver.number(n, "a spread", (0.0, f64::INFINITY)),
        None => Some(all),
    };
    let (weight_spread, delay_spread) = (spread(spreads[0], said.spreads[0])?, spread(spreads[1], said.spreads[1])?);
    let mut needs = |node: Option<&'n Node>, key: &str, example: &str| {
        if node.is_none() {
            resolver.error_help(place, format!("a circuit with connections needs `{key}`"), example);
        }
        node
    };
    let of_all = |n: Option<&'n Node>| n.and_then(|n| at(n, row, column));
    let weight = needs(weight.or(of_all(said.weight)), "weight", "add `weight = [...]`, one for each source")?;
    let receptor = needs(receptor.or(of_all(said.receptor)), "receptor", "add `receptor = \"syn\"`")?;
    Some(Pair {
        source,
        target,
        number,
        place: &node.place,
        draws: said.draws.unwrap_or(number.draws()),
        receptor: (resolver.text(receptor, "a receptor")?, &receptor.place),
        weight,
        weight_spread,
        delay: delay.or(of_all(said.delay)),
        delay_spread,
    })
}
