//! `connect` of a projection: the rules by which units are connected, each with its keys, and listed pairs or a matrix
//! from a file.

use super::connectome::{CONNECTOME, Fits, connectome};
use super::edges::{LISTED, listed};
use super::language::{
    Context, Declared, Family, Flag, Key, Length, Number, Reader, Size, Table, Takes, Whole, declare,
};
use super::projection::ProjectionEnds;
use super::resolver::Resolver;
use super::spec::{Apart, PopulationSpec, Positions, Rule};
use spikedeck_core::units::Dimension;
use spikedeck_model::document::{Entry, Item, Node};

/// How the units of two populations are connected.
pub(super) struct Wiring {
    pub rule: Rule,
    pub autapses: bool,
    pub multapses: bool,
    /// What the weights of listed pairs measure, if the file has some.
    pub weights: Option<Dimension>,
}

/// The two populations, and what the common keys say.
struct Pairs<'a> {
    ends: Option<(&'a PopulationSpec, &'a PopulationSpec)>,
    /// Numbers of sources and of targets.
    counts: (usize, usize),
    /// Which of them are one cell, if both ends are one population.
    apart: Option<Apart>,
    /// Where the name of the rule stands.
    name: &'a Node,
    /// Whether a pair may be connected more than once.
    multapses: bool,
}

impl Pairs<'_> {
    /// Sources and targets of other cells than a unit's own.
    fn others(&self) -> (usize, usize) {
        let own = self.apart.map_or((0, 0), |a| (a.sources as usize, a.targets as usize));
        (self.counts.0.saturating_sub(own.0), self.counts.1.saturating_sub(own.1))
    }

    /// A drawn number, if there are as many different ones to draw from: `most` beside those of the cell itself.
    fn limit(&self, reader: &mut Reader<'_, '_, '_, '_>, key: &str, n: u64, most: usize, what: &str) -> Option<usize> {
        if n > 0 && most == 0 {
            let but = if self.apart.is_some() { " but those of the cell itself" } else { "" };
            reader.error(key, format!("there are no {what} to draw from{but}"));
            return None;
        }
        if n > most as u64 && !self.multapses {
            reader.error_help(
                key,
                format!("{n} different {what} are asked for, but there are {most}"),
                "lower the number, or allow pairs to be connected more than once with `multapses = true`",
            );
            return None;
        }
        Some(n as usize)
    }

    /// Refuses distances that wrap around where the positions have no extent.
    fn need_extent(&self, reader: &mut Reader<'_, '_, '_, '_>, periodic: bool) {
        let listed = |p: &PopulationSpec| matches!(p.positions, Some(Positions::Listed(_)));
        if periodic && self.ends.is_some_and(|(_, to)| listed(to)) {
            reader.error("periodic", "periodic distances need `grid` or `uniform` positions, which have an extent");
        }
    }

    /// Says which of the populations has no positions.
    fn need_positions(&self, resolver: &mut Resolver<'_>, word: &str) {
        for end in self.ends.into_iter().flat_map(|(a, b)| [a, b]).filter(|end| end.positions.is_none()) {
            resolver.error_help(
                &self.name.place,
                format!("rule `{word}` needs positions, and `{}` has none", end.name),
                format!("add `positions = {{ grid = [...], spacing = \"100 um\" }}` to `populations.{}`", end.name),
            );
        }
    }
}

/// A rule by its keys.
trait Connects: Declared {
    /// The rule that the keys say; what does not fit the populations is reported.
    fn rule(self, reader: &mut Reader<'_, '_, '_, '_>, pairs: &Pairs<'_>) -> Option<Rule>;
}

/// Makes one closed list of the rules.
macro_rules! rules {
    ($( $Kind:ident, )*) => {
        /// Every connection rule.
        pub static RULES: Family = Family {
            name: "rule",
            about: "how the units of two populations are connected (`connect` of a projection)",
            by: Some("rule"),
            common: COMMON,
            kinds: &[$( &<$Kind as Declared>::SECTION ),*],
            others: &[&LISTED, &CONNECTOME],
        };

        /// Reads the keys of the rule that `word` names.
        fn rule(reader: &mut Reader<'_, '_, '_, '_>, word: &str, pairs: &Pairs<'_>) -> Option<Rule> {
            $( if word == <$Kind as Declared>::SECTION.name {
                reader.with(<$Kind as Declared>::SECTION.keys);
                return <$Kind as Declared>::read(reader)?.rule(reader, pairs);
            } )*
            unreachable!("`{word}` is a connection rule")
        }
    };
}

rules! {
    OneToOne,
    AllToAll,
    Probability,
    FixedIndegree,
    FixedOutdegree,
    FixedTotalNumber,
    Neighbours,
    Gaussian,
    SmallWorld,
}

const COMMON: &[Key] = &[
    Key::required(
        "rule",
        Takes::KindOf,
        "probability",
        "which rule; a rule without keys of its own is also written `connect = \"all_to_all\"`",
    ),
    Key::optional(
        "autapses",
        Takes::Flag,
        "true for `one_to_one`, else false",
        "whether a unit may connect to itself, on trees a cell",
    ),
    Key::default("multapses", Takes::Flag, "false", "whether a pair may be connected more than once (rules that draw)"),
];

declare! {
    /// unit i to unit i of populations of one size
    struct OneToOne = "one_to_one" {}
}

declare! {
    /// every unit to every unit
    struct AllToAll = "all_to_all" {}
}

declare! {
    /// each pair independently with one probability
    struct Probability = "probability" {
        /// probability of a pair
        p: f64 = Number, needs "0.1", from 0.0 to 1.0;
    }
}

declare! {
    /// each target draws this many sources
    struct FixedIndegree = "fixed_indegree" {
        /// sources of each target
        indegree: u64 = Whole, needs "100", from 0.0;
    }
}

declare! {
    /// each source draws this many targets
    struct FixedOutdegree = "fixed_outdegree" {
        /// targets of each source
        outdegree: u64 = Whole, needs "100", from 0.0;
    }
}

declare! {
    /// this many connections, both ends drawn
    struct FixedTotalNumber = "fixed_total_number" {
        /// connections
        total: u64 = Whole, needs "100", from 0.0;
    }
}

declare! {
    /// all pairs within a distance; both populations have `positions`
    struct Neighbours = "neighbours" {
        /// greatest distance
        radius: f64 = Size<Length>, needs "100 um";
        /// whether distances wrap around the extent of the positions
        periodic: bool = Flag, or "false";
    }
}

declare! {
    /// each pair with probability `p_max*exp(-d**2/(2*sigma**2))` of its distance d; both populations have `positions`
    struct Gaussian = "gaussian" {
        /// width
        sigma: f64 = Size<Length>, needs "100 um";
        /// probability at distance zero
        p_max: f64 = Number, needs "1.0", from 0.0 to 1.0;
        /// whether distances wrap around the extent of the positions
        periodic: bool = Flag, or "false";
    }
}

declare! {
    /// Watts and Strogatz: a ring of nearest neighbours, rewired
    struct SmallWorld = "small_world" {
        /// neighbours of each unit, both sides of the ring together: an even number
        neighbours: u64 = Whole, needs "100", from 0.0;
        /// probability that a connection is rewired
        p_rewire: f64 = Number, needs "0.1", from 0.0 to 1.0;
    }
}

impl Connects for OneToOne {
    fn rule(self, reader: &mut Reader<'_, '_, '_, '_>, pairs: &Pairs<'_>) -> Option<Rule> {
        let (from, to) = pairs.counts;
        if from != to {
            let what = format!("`one_to_one` needs populations of one size; these have {from} and {to} units");
            reader.resolver.error(&pairs.name.place, what);
        }
        Some(Rule::OneToOne)
    }
}

impl Connects for AllToAll {
    fn rule(self, _: &mut Reader<'_, '_, '_, '_>, _: &Pairs<'_>) -> Option<Rule> {
        Some(Rule::AllToAll)
    }
}

impl Connects for Probability {
    fn rule(self, _: &mut Reader<'_, '_, '_, '_>, _: &Pairs<'_>) -> Option<Rule> {
        Some(Rule::Probability { p: self.p })
    }
}

impl Connects for FixedIndegree {
    fn rule(self, reader: &mut Reader<'_, '_, '_, '_>, pairs: &Pairs<'_>) -> Option<Rule> {
        let indegree = pairs.limit(reader, "indegree", self.indegree, pairs.others().0, "sources")?;
        Some(Rule::FixedIndegree { indegree })
    }
}

impl Connects for FixedOutdegree {
    fn rule(self, reader: &mut Reader<'_, '_, '_, '_>, pairs: &Pairs<'_>) -> Option<Rule> {
        let outdegree = pairs.limit(reader, "outdegree", self.outdegree, pairs.others().1, "targets")?;
        Some(Rule::FixedOutdegree { outdegree })
    }
}

impl Connects for FixedTotalNumber {
    fn rule(self, reader: &mut Reader<'_, '_, '_, '_>, pairs: &Pairs<'_>) -> Option<Rule> {
        let all = super::spec::pairs(pairs.counts.0, pairs.counts.1, pairs.apart);
        let total = pairs.limit(reader, "total", self.total, all, "pairs")?;
        Some(Rule::FixedTotalNumber { total })
    }
}

impl Connects for Neighbours {
    fn rule(self, reader: &mut Reader<'_, '_, '_, '_>, pairs: &Pairs<'_>) -> Option<Rule> {
        pairs.need_positions(reader.resolver, Self::SECTION.name);
        pairs.need_extent(reader, self.periodic);
        Some(Rule::Neighbours { radius: self.radius, periodic: self.periodic })
    }
}

impl Connects for Gaussian {
    fn rule(self, reader: &mut Reader<'_, '_, '_, '_>, pairs: &Pairs<'_>) -> Option<Rule> {
        pairs.need_positions(reader.resolver, Self::SECTION.name);
        pairs.need_extent(reader, self.periodic);
        Some(Rule::Gaussian { p_max: self.p_max, sigma: self.sigma, periodic: self.periodic })
    }
}

impl Connects for SmallWorld {
    fn rule(self, reader: &mut Reader<'_, '_, '_, '_>, pairs: &Pairs<'_>) -> Option<Rule> {
        let (from, to) = pairs.counts;
        if from != to {
            let what = "`small_world` connects a population with itself, or with one of the same size";
            reader.resolver.error(&pairs.name.place, what);
        }
        let k = self.neighbours;
        let most = if pairs.apart.is_some() { pairs.others().1 } else { from.saturating_sub(1) };
        if k % 2 == 1 || k > most as u64 {
            let below = most.saturating_add(1);
            let what = format!("`neighbours` counts both sides of a ring: an even number below {below}, not {k}");
            reader.error("neighbours", what);
            return None;
        }
        Some(Rule::SmallWorld { neighbours: k as usize, p_rewire: self.p_rewire })
    }
}

/// Reads `connect`: a rule's name, or a table with its numbers, or `{ edges = "file" }` or `{ connectome = "file" }`.
pub(super) fn read(resolver: &mut Resolver<'_>, node: &Node, ends: Option<&ProjectionEnds<'_>>) -> Option<Wiring> {
    let before = resolver.report.errors();
    if let Some(word) = node.as_text()
        && RULES.kind(word).is_some_and(|kind| !kind.keys.is_empty())
    {
        resolver.error_help(
            &node.place,
            format!("rule `{word}` needs numbers"),
            format!("write `connect = {{ rule = \"{word}\", ... }}`"),
        );
        return None;
    }
    let table;
    let node = if node.as_text().is_some() {
        let entry = Entry { key: "rule".into(), place: node.place.clone(), value: node.clone() };
        table = Node { place: node.place.clone(), item: Item::Table(vec![entry]) };
        &table
    } else {
        node
    };
    if node.get("edges").is_some() {
        let mut f = Table::of(resolver, node, "`connect`", LISTED.keys)?;
        let listed = listed(resolver, &mut f, ends.map(ProjectionEnds::units), ends.map(ProjectionEnds::counts));
        f.finish(resolver);
        let (rule, weights) = listed?;
        return Some(Wiring { rule, autapses: true, multapses: true, weights });
    }
    if node.get("connectome").is_some() {
        let mut f = Table::of(resolver, node, "`connect`", CONNECTOME.keys)?;
        let fits = ends.map(|e| {
            let (sources, targets) = e.counts();
            Fits { sources, targets, recurrent: e.apart().is_some() }
        });
        let found = connectome(resolver, &mut f, fits);
        f.finish(resolver);
        let (rule, weights) = found?;
        return Some(Wiring { rule, autapses: true, multapses: true, weights });
    }
    let mut reader = Reader::of(resolver, node, "`connect`", COMMON, Context::default())?;
    let name = reader.require("rule")?;
    let word = reader.resolver.choice(name, "connection rule", &RULES.words())?;
    let autapses = reader.node("autapses").and_then(|n| reader.resolver.flag(n, "`autapses`"));
    let multapses = reader.field::<Flag>("multapses").unwrap_or(false);
    let counts = ends.map_or((usize::MAX, usize::MAX), ProjectionEnds::counts);
    let autapses = autapses.unwrap_or(word == OneToOne::SECTION.name);
    let apart = ends.and_then(ProjectionEnds::apart).filter(|_| !autapses);
    let ends = ends.map(|e| (e.source, e.target));
    let rule = rule(&mut reader, word, &Pairs { ends, counts, apart, name, multapses });
    reader.finish();
    let rule = rule.filter(|_| resolver.report.errors() == before)?;
    Some(Wiring { rule, autapses, multapses, weights: None })
}
