//! What the connections of a projection bring: weights, and of continuous projections the value that these weigh.

use super::{ProjectionEnds, Written};
use crate::connect::Wiring;
use crate::continuous::{carried_value, dimension_of};
use crate::resolver::{Resolver, unit_example};
use crate::spec::{Coupling, PairName, Port, Value};
use crate::value::Wanted;
use spikedeck_core::units::{Dimension, display_unit};
use spikedeck_model::document::Node;
use spikedeck_model::name_of;

/// What a connection brings. What is missing is wrong, and that was said.
pub(super) struct Strength {
    pub coupling: Option<Coupling>,
    pub weight: Option<Value<PairName>>,
    /// That of the weight.
    pub dimension: Dimension,
    /// The weights that a file lists.
    listed: Option<Value<PairName>>,
}

impl Strength {
    /// The weights with where they are said: those of listed pairs, or those that are written.
    pub fn weights<'a>(
        &'a self,
        connect: Option<&'a Node>,
        weight: Option<&'a Node>,
    ) -> Option<(&'a Value<PairName>, &'a Node)> {
        self.listed.as_ref().zip(connect).or(self.weight.as_ref().zip(weight))
    }
}

/// Refuses weights of a file that are none of those that the receptor takes.
pub(super) fn check_listed_weights(
    resolver: &mut Resolver<'_>,
    written: &Written<'_>,
    ends: &ProjectionEnds<'_>,
    wiring: &Wiring,
) -> Option<()> {
    let wanted = ends.event_dimension();
    let listed = wiring.weights.zip(written.connect).filter(|w| !ends.is_continuous() && w.0 != wanted);
    let Some((of_file, node)) = listed else { return Some(()) };
    let port = format!("{}.{}", ends.target.name, ends.target.port_name(ends.to.port));
    let example = unit_example(wanted);
    if of_file.is_none() {
        resolver.error_help(
            &node.place,
            format!("the weights of this file have no unit, and those of `{port}` are {}", name_of(wanted)),
            format!(
                "call the column `weight_{}`, or say `weight_unit = \"{example}\"` beside the file's name",
                display_unit(wanted).suffix
            ),
        );
    } else {
        let help = if example.is_empty() {
            "write plain numbers in a column `weight`".to_owned()
        } else {
            format!("write them in {example}")
        };
        resolver.error_help(
            &node.place,
            format!("the weights of this file are {}, and those of `{port}` are {}", name_of(of_file), name_of(wanted)),
            help,
        );
    }
    None
}

/// Reads what connections bring; nothing where the projection ends at the wrong kind of port.
pub(super) fn read(
    resolver: &mut Resolver<'_>,
    written: &Written<'_>,
    ends: &ProjectionEnds<'_>,
    wiring: &Wiring,
    count: Option<usize>,
) -> Option<Strength> {
    if ends.is_continuous() {
        continuous(resolver, written, ends, wiring, count)
    } else {
        event(resolver, written, ends, wiring, count)
    }
}

/// The weights that a file lists.
fn listed(wiring: &Wiring) -> Option<Value<PairName>> {
    wiring.rule.listed().0.map(|list| Value::Each(list.clone()))
}

/// Reads `weight`.
fn weight(
    resolver: &mut Resolver<'_>,
    node: &Node,
    ends: &ProjectionEnds<'_>,
    dimension: Dimension,
    count: Option<usize>,
) -> Option<Value<PairName>> {
    let wanted = Wanted { dimension, what: "the weight".to_owned(), count, names: Some(ends.names()) };
    resolver.value(node, &wanted)
}

/// A value that acts all the time on an input.
fn continuous(
    resolver: &mut Resolver<'_>,
    written: &Written<'_>,
    ends: &ProjectionEnds<'_>,
    wiring: &Wiring,
    count: Option<usize>,
) -> Option<Strength> {
    let (source, target) = (ends.source, ends.target);
    let Port::Input(_) = ends.to.port else {
        resolver.error_help(
            &written.to?.place,
            "a continuous projection adds to an input, not to a receptor",
            format!("inputs of `{}`: {}", target.name, names(target.system.inputs().iter().map(|v| v.name.as_str()))),
        );
        return None;
    };
    // `w` has the dimension in which the weight is written (a gap junction's conductance, a plain factor).
    let dimension = match (wiring.weights, written.weight) {
        (Some(of_file), _) => of_file,
        (None, Some(node)) => dimension_of(resolver, node, &ends.names())?,
        (None, None) => Dimension::NONE,
    };
    let weight = match written.weight {
        Some(node) => weight(resolver, node, ends, dimension, count),
        None => Some(Value::Constant(1.0)),
    };
    let Some(value) = written.value else {
        resolver.error_help(
            &written.entry.place,
            format!("projection `{}` needs `value`", written.entry.key),
            "add `value = \"w*(V_m_pre - V_m_post)\"`",
        );
        return None;
    };
    let value = carried_value(resolver, value, (source, target), dimension, target.port_dimension(ends.to.port));
    Some(Strength {
        coupling: value.map(|value| Coupling::Continuous { value }),
        weight,
        dimension,
        listed: listed(wiring),
    })
}

/// Spikes, into a receptor.
fn event(
    resolver: &mut Resolver<'_>,
    written: &Written<'_>,
    ends: &ProjectionEnds<'_>,
    wiring: &Wiring,
    count: Option<usize>,
) -> Option<Strength> {
    let (source, target) = (ends.source, ends.target);
    if let Some(n) = written.value {
        resolver.error_help(
            &n.place,
            "`value` belongs to continuous projections",
            "add `kind = \"continuous\"`, or remove `value`",
        );
    }
    if let Port::Input(_) = ends.to.port {
        let port = target.port_name(ends.to.port);
        resolver.error_help(
            &written.to?.place,
            format!("spikes arrive at a receptor, and `{port}` is an input"),
            format!(
                "receptors of `{}`: {}; or make the projection `kind = \"continuous\"`",
                target.name,
                names(target.system.event_ports().iter().map(|e| e.name.as_str()))
            ),
        );
        return None;
    }
    if !source.system.spikes() {
        resolver.error_help(
            &written.from?.place,
            source.why_silent(),
            "couple it with `kind = \"continuous\"`, or choose a model that spikes",
        );
    }
    let dimension = ends.event_dimension();
    let weight = match written.weight {
        Some(node) => weight(resolver, node, ends, dimension, count),
        // Each connection has its own.
        None if wiring.weights.is_some() => Some(Value::Constant(0.0)),
        None => {
            let unit = unit_example(dimension);
            let example = if unit.is_empty() { "1.0".to_owned() } else { format!("\"1 {unit}\"") };
            resolver.error_help(
                &written.entry.place,
                format!("projection `{}` needs `weight`", written.entry.key),
                format!("add `weight = {example}`"),
            );
            None
        }
    };
    Some(Strength { coupling: Some(Coupling::Event), weight, dimension, listed: listed(wiring) })
}

fn names<'a>(list: impl Iterator<Item = &'a str>) -> String {
    let list: Vec<&str> = list.collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}
