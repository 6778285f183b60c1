//! What continuous projections carry: the dimension of their weights, and expressions in the quantities of both ends.

use super::resolver::Resolver;
use super::spec::{CarriedName, PairName, PopulationSpec, Value, VariableId};
use super::value::{KnownNames, is_expression};
use spikedeck_core::units::Dimension;
use spikedeck_equation::{Expression, Formula, Variable};
use spikedeck_model::document::{Item, Node};

/// The dimension in which a value is written, from its first quantity, or of an expression.
pub(super) fn dimension_of(
    resolver: &mut Resolver<'_>,
    node: &Node,
    pair: &KnownNames<'_, PairName>,
) -> Option<Dimension> {
    fn first(node: &Node) -> Option<&Node> {
        match &node.item {
            Item::Table(entries) => entries.iter().find_map(|e| first(&e.value)),
            Item::List(list) => list.first().and_then(first),
            _ => Some(node),
        }
    }
    if let Some(text) = node.as_text().filter(|t| is_expression(t)) {
        let variables: Vec<Variable> = pair.scope().into_iter().map(|n| n.variable).collect();
        // What is wrong with it is said when it is read.
        return Some(Expression::parse(text, &variables).ok().and_then(|e| e.dimension()).unwrap_or_default());
    }
    resolver.any_quantity(first(node)?, Dimension::NONE, "the weight").map(|q| q.dimension)
}

/// What continuous coupling and rules between rates may look at in a unit: states, parameters and subexpressions of the
/// model itself.
pub(super) fn carried(p: &PopulationSpec) -> impl Iterator<Item = (VariableId, &Variable)> {
    VariableId::own(&p.system).filter(|(_, v)| !v.name.contains('.'))
}

/// The value of a continuous projection: an expression in `w`, `NAME_pre` and `NAME_post`.
pub(super) fn carried_value(
    resolver: &mut Resolver<'_>,
    node: &Node,
    (from, to): (&PopulationSpec, &PopulationSpec),
    weight: Dimension,
    wanted: Dimension,
) -> Option<Formula<CarriedName>> {
    let text = resolver.text(node, "`value`")?.to_owned();
    let ends = |p, end: &'static str, meaning: fn(VariableId) -> CarriedName| {
        carried(p).map(move |(id, v)| (format!("{}_{end}", v.name), v.dimension, meaning(id))).collect::<Vec<_>>()
    };
    let own = [ends(from, "pre", CarriedName::Source), ends(to, "post", CarriedName::Target)].concat();
    let names = KnownNames::none()
        .with([("w", weight, CarriedName::Weight)])
        .with(own.iter().map(|(name, dimension, meaning)| (name.as_str(), *dimension, *meaning)));
    resolver.expression(node, &text, wanted, &names)
}

/// What `implicit` needs: a continuous projection without delay and plasticity.
pub(super) fn check_implicit(
    resolver: &mut Resolver<'_>,
    node: &Node,
    (continuous, delay, plastic): (bool, Option<&Value<PairName>>, bool),
) {
    if !continuous {
        resolver.error_help(&node.place, "`implicit` belongs to continuous projections", "remove it");
    } else if delay.is_some_and(|d| *d != Value::Constant(0.0)) || plastic {
        resolver.error(&node.place, "`implicit` needs a projection without delay and plasticity");
    }
}
