//! Populations on a tree.

use serde_json::{Map, Value as Json, json};

use super::quantity::{Digest, quantity, units};
use crate::spec::{PopulationSpec, TreeSpec, Zone};
use spikedeck_core::units::Dimension;
use spikedeck_equation::System;
use spikedeck_model::morphology::compartment::Link;
use spikedeck_model::morphology::{Compartments, Point, Section, Tree};

/// The tree of a population: its geometry by hash, and what is where.
pub(super) fn tree(tree: &TreeSpec, population: &PopulationSpec) -> Json {
    let TreeSpec { cells, compartments, zones, spiking, slots, held, steady } = tree;
    let system = &population.system;
    let carried: Vec<&str> = population.channels.iter().chain(&population.receptors).map(|r| r.name.as_str()).collect();
    let zone = |zone: &Zone| {
        // The parts are those of the same names.
        let Zone { system, parts: _, compartments } = zone;
        let here: Vec<&str> = carried.iter().copied().filter(|name| carries(system, name)).collect();
        json!({ "carries": here, "compartments": places(compartments) })
    };
    let slots: Map<String, Json> =
        system.event_ports().iter().zip(slots).map(|(port, list)| (port.name.clone(), places(list))).collect();
    let held: Vec<Json> =
        held.iter().map(|(unit, v)| json!({ "unit": unit, "at": quantity(*v, Dimension::VOLT) })).collect();
    let steady: Vec<&str> =
        system.states().iter().zip(steady).filter(|(_, s)| **s).map(|(v, _)| v.name.as_str()).collect();
    let area = Dimension::METRE.times(Dimension::METRE);
    json!({
        "cells": cells,
        "sections": compartments.tree.sections.len(),
        "compartments": compartments.count,
        "area": quantity(compartments.area.iter().sum(), area),
        "geometry_sha256": geometry(compartments),
        "zones": zones.iter().map(zone).collect::<Vec<_>>(),
        "spiking": places(spiking),
        "receptors_at": slots,
        "held": held,
        "starts_steady": steady,
    })
}

/// Units of a cell; none is none of them.
fn places(list: &[u32]) -> Json {
    if list.is_empty() { json!([]) } else { units(list) }
}

/// Whether a zone's equations hold what is carried under `name`: every receptor and channel has at least one equation.
fn carries(system: &System, name: &str) -> bool {
    let mut all = system.states().iter().chain(system.subexpressions()).chain(system.parameters());
    all.any(|v| v.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// Hash of all that is known of a cell's sections and compartments.
fn geometry(compartments: &Compartments) -> String {
    let Compartments { tree, ranges, count, ends, area, diameter, length, distance, position, links } = compartments;
    let Tree { sections } = tree;
    let mut digest = Digest::default();
    digest.count(sections.len());
    for section in sections {
        let Section { name, region, parent, points } = section;
        digest.text(name);
        digest.text(region);
        // The root hangs on nothing; numbers of sections begin at 0.
        digest.count(parent.map_or(0, |p| p.0 + 1));
        digest.number(parent.map_or(0.0, |p| p.1));
        digest.count(points.len());
        for point in points {
            let Point { at, diameter } = point;
            digest.numbers(at);
            digest.number(*diameter);
        }
    }
    for (first, n) in ranges.iter().chain(ends) {
        digest.count(*first);
        digest.count(*n);
    }
    digest.count(*count);
    for list in [area, diameter, length, distance] {
        digest.count(list.len());
        digest.numbers(list);
    }
    for place in position {
        digest.numbers(place);
    }
    digest.count(links.len());
    for link in links {
        let Link { a, b, inside, of } = link;
        for v in [*a, *b, of[0], of[1]] {
            digest.count(v);
        }
        digest.numbers(inside);
    }
    digest.finish()
}
