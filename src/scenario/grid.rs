//! `grid` of a population: cells on a line or in a plane instead of a number of points.

use super::language::{Key, Of, Range, Section, Table, Takes, Words, word};
use super::population::integrator;
use super::resolver::Resolver;
use super::spec::{Boundary, GridSpec};
use spikedeck_core::units::Dimension;
use spikedeck_equation::space::{Operator, OperatorKind};
use spikedeck_model::Definition;
use spikedeck_model::document::{Item, Node};
use spikedeck_model::report::SourceSpan;

/// `grid` of a population.
pub(super) static GRID: Section = Section::new(
    "grid",
    "cells on a line or in a plane instead of a number of points",
    &[
        Key::required("shape", Takes::Wholes(3, 2), "[200]", "cells along each axis: one axis or two"),
        Key::required(
            "spacing",
            Takes::Quantity(Of::Said("length; a plain number for models in plain numbers")),
            "50 um",
            "distance of neighbours",
        )
        .range(Range::Above(0.0)),
        Key::default(
            "boundary",
            Takes::Choices(Boundary::WORDS),
            "no_flux",
            "what lies beyond the ends of every axis: one word for both, or `[lower, upper]`",
        ),
        Key::optional(
            "noise",
            Takes::Quantity(Of::Said("that of the value that diffuses")),
            "required for `noisy` ends",
            "standard deviation of the value beyond a `noisy` end",
        ),
        Key::optional(
            "noise_per",
            Takes::Quantity(Of::Said("length; a plain number for models in plain numbers")),
            "each cell by itself, whatever the spacing",
            "noise is white in space: its strength is that of a cell of this length (in the plane, of its square)",
        )
        .range(Range::Above(0.0)),
        Key::optional(
            "pointwise",
            Takes::Integrator,
            "chosen by the program",
            "rule for what is not diffusion, where the integrator names a scheme of space",
        ),
        Key::default("allow_unstable", Takes::Flag, "false", "run a scheme that is known to blow up"),
    ],
);

/// Most cells of a grid.
const LARGEST: u64 = 1 << 28;

/// Reads `grid = { shape = [200], spacing = "50 um", boundary = "no_flux" }`.
pub(super) fn read(resolver: &mut Resolver<'_>, node: &Node, model: &Definition) -> Option<GridSpec> {
    let length = model.system.time_unit().length();
    let mut f = Table::of(resolver, node, "`grid`", GRID.keys)?;
    let shape = f.require(resolver, "shape").and_then(|n| shape(resolver, n));
    let example = if length.is_none() { "0.5" } else { "\"50 um\"" };
    let spacing = f.require_as(resolver, "spacing", example).and_then(|n| {
        let v = resolver.quantity(n, length, "`spacing`")?;
        if v <= 0.0 {
            resolver.error(&n.place, "`spacing` is a length above zero");
            return None;
        }
        Some(v)
    });
    let boundary = match f.get("boundary") {
        Some(n) => ends(resolver, n),
        None => Some([f.default_word("boundary"); 2]),
    };
    let noise = match f.get("noise") {
        Some(n) => resolver.any_quantity(n, Dimension::NONE, "`noise`").map(|q| (q.value, q.dimension)),
        None => Some((0.0, Dimension::NONE)),
    };
    if boundary.is_some_and(|b| b.contains(&Boundary::Noisy)) && f.get("noise").is_none() {
        resolver.error_help(
            &node.place,
            "noisy ends need the size of their noise",
            "add `noise = ...`, the standard deviation of the value beyond the end",
        );
    }
    let noise_per = f.get("noise_per").map(|n| {
        let v = resolver.quantity(n, length, "`noise_per`")?;
        if v <= 0.0 {
            resolver.error(&n.place, "`noise_per` is a length above zero");
            return None;
        }
        Some(v)
    });
    let pointwise = f.get("pointwise").and_then(|n| integrator(resolver, n));
    let allow_unstable = f.flag(resolver, "allow_unstable");
    f.finish(resolver);
    Some(GridSpec {
        shape: shape?,
        spacing: spacing?,
        length,
        boundary: boundary?,
        noise: noise?,
        noise_per: noise_per.map_or(Some(None), |v| v.map(Some))?,
        pointwise,
        allow_unstable,
    })
}

fn shape(resolver: &mut Resolver<'_>, node: &Node) -> Option<Vec<usize>> {
    let Item::List(list) = &node.item else {
        resolver.error_help(
            &node.place,
            "the number of cells along each axis is due here",
            "write `shape = [200]` or `shape = [64, 64]`",
        );
        return None;
    };
    if list.is_empty() || list.len() > 2 {
        resolver.error(&node.place, format!("a grid has one or two axes, not {}", list.len()));
        return None;
    }
    let shape: Option<Vec<u64>> =
        list.iter().map(|v| resolver.whole(v, "the number of cells along an axis", 3)).collect();
    let shape = shape?;
    if shape.iter().try_fold(1u64, |a, &b| a.checked_mul(b)).is_none_or(|n| n > LARGEST) {
        resolver.error(&node.place, format!("a grid has at most {LARGEST} cells"));
        return None;
    }
    Some(shape.into_iter().map(|n| n as usize).collect())
}

fn ends(resolver: &mut Resolver<'_>, node: &Node) -> Option<[Boundary; 2]> {
    let mut one = |n: &Node| -> Option<Boundary> { word(resolver, n, "boundary") };
    let both = match &node.item {
        Item::List(list) if list.len() == 2 => [one(&list[0])?, one(&list[1])?],
        Item::List(_) => {
            resolver.error(&node.place, "`boundary` is one word, or two: the lower and the upper end");
            return None;
        }
        _ => [one(node)?; 2],
    };
    if both.iter().filter(|b| **b == Boundary::Periodic).count() == 1 {
        resolver.error(&node.place, "a periodic grid has no other end: both ends are periodic, or none");
        return None;
    }
    Some(both)
}

/// A grid says how many units there are and where; equations with operators of space need one.
pub(super) fn check(
    resolver: &mut Resolver<'_>,
    grid: Option<&Node>,
    others: [(&str, Option<&Node>); 2],
    (model, place): (&Definition, &SourceSpan),
) {
    if let Some(n) = grid {
        if model.system.operators().iter().any(|o| matches!(o.kind, OperatorKind::Axial(_))) {
            resolver.error_help(
                &n.place,
                format!("`{}` has `axial` in its equations, which belongs to a tree", model.name),
                "write `sections`, `cable` or `morphology` instead of `grid`",
            );
        }
        for (key, node) in others {
            if let Some(n) = node {
                resolver.error(
                    &n.place,
                    format!("`grid` says already how many units there are and where: leave `{key}` out"),
                );
            }
        }
        return;
    }
    let of_grids = |o: &&Operator| !matches!(o.kind, OperatorKind::Axial(_));
    if let Some(operator) = model.system.operators().iter().find(of_grids) {
        let name = &model.system.inputs()[operator.input].name;
        let at = others[0].1.map_or(place, |n| &n.place);
        let spacing = if model.system.time_unit().length().is_none() { "0.5" } else { "\"50 um\"" };
        resolver.error_help(
            at,
            format!("`{}` has `{name}` in its equations, and a population of points has no space", model.name),
            format!("write `grid = {{ shape = [200], spacing = {spacing} }}` instead of `size`"),
        );
    }
}
