//! `positions` of a population: where its units are.

use std::sync::Arc;

use super::language::{Family, Key, Of, Section, Table, Takes};
use super::resolver::Resolver;
use super::spec::Positions;
use spikedeck_core::units::Dimension;
use spikedeck_model::document::{Item, Node};

static GRID: Section = Section::new(
    "grid",
    "a regular lattice",
    &[
        Key::required("grid", Takes::Wholes(1, 3), "[10, 20]", "units along each axis; their product is the size"),
        Key::required("spacing", LENGTH, "100 um", "distance of neighbours"),
    ],
);

static UNIFORM: Section = Section::new(
    "uniform",
    "drawn uniformly in a box",
    &[Key::required(
        "uniform",
        Takes::Quantities(Of::Fixed(Dimension::METRE), None),
        "[\"1 mm\", \"1 mm\"]",
        "edges of the box: one to three lengths",
    )],
);

static LISTED: Section = Section::new(
    "listed",
    "one place for each unit",
    &[Key::required(
        "listed",
        Takes::Anything("a list of places of one to three lengths"),
        "[[\"0 um\", \"10 um\"]]",
        "the places, in the order of the units",
    )],
);

const LENGTH: Takes = Takes::Quantity(Of::Fixed(Dimension::METRE));

/// `positions` of a population.
pub(super) static POSITIONS: Family = Family {
    name: "positions",
    about: "where the units of a population are",
    by: None,
    common: &[],
    kinds: &[],
    others: &[&GRID, &UNIFORM, &LISTED],
};

/// Reads `positions`: a grid, uniform in a box, or listed.
pub(super) fn read(resolver: &mut Resolver<'_>, node: &Node) -> Option<Positions> {
    let mut f = Table::of(resolver, node, "`positions`", &[])?;
    for section in POSITIONS.others {
        f.with(section.keys);
    }
    let lengths = |resolver: &mut Resolver<'_>, n: &Node| -> Option<Vec<f64>> {
        let Item::List(list) = &n.item else {
            resolver.error_help(&n.place, "one length an axis is due here", "write `[\"1 mm\", \"1 mm\"]`");
            return None;
        };
        if list.is_empty() || list.len() > 3 {
            resolver.error(&n.place, format!("space has one to three axes, not {}", list.len()));
            return None;
        }
        list.iter().map(|l| resolver.quantity(l, Dimension::METRE, "a length")).collect()
    };
    let found = if let Some(n) = f.get("grid") {
        let spacing = f.require(resolver, "spacing").and_then(|s| resolver.quantity(s, Dimension::METRE, "`spacing`"));
        let Item::List(list) = &n.item else {
            resolver.error_help(&n.place, "the number of units along each axis is due here", "write `grid = [10, 20]`");
            return None;
        };
        let shape: Option<Vec<usize>> = list
            .iter()
            .map(|v| resolver.whole(v, "the number of units along an axis", 1).map(|v| v as usize))
            .collect();
        Some(Positions::Grid { shape: shape?, spacing: spacing? })
    } else if let Some(n) = f.get("uniform") {
        lengths(resolver, n).map(|extent| Positions::Uniform { extent })
    } else if let Some(n) = f.get("listed") {
        let Item::List(list) = &n.item else {
            resolver.error(&n.place, "a list of positions is due here");
            return None;
        };
        let points: Option<Vec<[f64; 3]>> = list
            .iter()
            .map(|p| lengths(resolver, p).map(|v| std::array::from_fn(|i| v.get(i).copied().unwrap_or(0.0))))
            .collect();
        Some(Positions::Listed(Arc::from(points?)))
    } else {
        resolver.error_help(
            &node.place,
            "positions are a grid, uniform in a box, or listed",
            "write `{ grid = [10, 20], spacing = \"100 um\" }` or `{ uniform = [\"1 mm\", \"1 mm\"] }`",
        );
        None
    };
    f.finish(resolver);
    found
}

/// There are as many positions as units.
pub(super) fn check(resolver: &mut Resolver<'_>, node: Option<&Node>, positions: Option<&Positions>, size: usize) {
    let (Some(node), Some(positions)) = (node, positions) else { return };
    let count = match positions {
        Positions::Grid { shape, .. } => shape.iter().product(),
        Positions::Listed(list) => list.len(),
        Positions::Uniform { .. } => return,
    };
    if count != size {
        resolver.error(&node.place, format!("these are {count} positions for {size} units"));
    }
}
