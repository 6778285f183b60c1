//! Connections into the groups of one thread: walked into tables, with the rules that change them.

use std::ops::Range;

use super::lanes::{heard, port_range};
use super::prepare::Prepared;
use super::projection::PreparedProjection;
use super::properties::{Delays, Weights};
use super::unsuitable;
use crate::BuildError;
use crate::coupling::{Carried, Coupling};
use crate::delivery::{Properties, Property, Table};
use crate::group::Group;
use crate::plasticity::Plastic;
use crate::worker::{ContinuousInput, EventInput, LearningInput, PlasticInput};
use spikedeck_scenario::{EventId, Place, PopulationId, Port, Value};

/// Event and continuous projections into `groups`, each in the order of the scenario.
///
/// # Errors
/// When connections do not fit into a table, or the network is no longer wanted.
pub(super) fn inputs(
    prepared: &Prepared<'_>,
    groups: &[Group],
) -> Result<(Vec<EventInput>, Vec<ContinuousInput>), BuildError> {
    let (mut event, mut continuous) = (Vec::new(), Vec::new());
    for (projection, looked) in prepared.projections.iter().zip(&prepared.whole.looked) {
        prepared.go_on()?;
        let target = &projection.spec.to;
        // A thread need not have lanes of every population.
        let Some(to) = groups.iter().position(|g| g.population == target.population) else { continue };
        let range = port_range(prepared.spec.population(target.population), target.port, &groups[to]);
        let (weights, delays) = (Weights(&projection.values), Delays(&projection.values));
        let same_weight = projection.values.same_weight().filter(|_| !projection.changes());
        let properties = Properties {
            weight: same_weight.map_or(Property::Each(&weights), Property::Same),
            delay: projection.values.same_delay().map_or(Property::Each(&delays), Property::Same),
        };
        match (&projection.continuous, target.port) {
            (None, Port::Event(port)) => {
                event.push(event_input(prepared, projection, (to, port), range, &properties)?);
            }
            (Some(carried), Port::Input(port)) => {
                let (coupling, plastic) = coupling(prepared, projection, carried, range, &properties);
                let (projection, port) = (projection.id, port.index());
                continuous.push(ContinuousInput { projection, coupling, looked: *looked, to, port, plastic });
            }
            _ => unreachable!("the scenario lets spikes end at receptors and continuous values at inputs"),
        }
    }
    Ok((event, continuous))
}

/// Whether the weights of a projection are written, which is asked of its source.
fn is_written(prepared: &Prepared<'_>, projection: &PreparedProjection<'_>) -> bool {
    let from = Place::Population(projection.spec.from);
    prepared.spec.records.iter().any(|r| r.place == from && r.connections)
}

/// An event projection into the targets `range` of a port of a group.
fn event_input(
    prepared: &Prepared<'_>,
    projection: &PreparedProjection<'_>,
    (to, port): (usize, EventId),
    range: Range<u32>,
    properties: &Properties<'_>,
) -> Result<EventInput, BuildError> {
    let (spec, target) = (projection.spec, projection.spec.to.population);
    let emitter = |population: PopulationId| {
        let index = prepared.emitter(population);
        index.expect("both ends of every event projection that needs their spikes are among the emitters")
    };
    let table = Table::build(&projection.wiring, range.clone(), properties)
        .map_err(|m| unsuitable(format!("projections.{}", spec.name), m))?;
    // Computed ones are looked at when all are there, and said with their pair.
    if !matches!(spec.weight, Value::Expression(_)) {
        let broken = table.connections().find(|c| !c.2.is_finite());
        if let Some((source, lane, weight, _)) = broken {
            return Err(unsuitable(
                format!("projections.{}", spec.name),
                format!("the weight of connection {source} -> {} is {weight}, no finite number", lane + range.start),
            ));
        }
    }
    let first = range.start;
    let plastic = projection.spike_rules.as_ref().map(|rules| PlasticInput {
        plastic: Plastic::new(rules, &table, projection.wiring.sources as usize, range.len()),
        projection: projection.id,
        to: emitter(target),
        heard: heard(prepared.spec.population(target), port, range),
        samplers: Vec::new(),
        written: is_written(prepared, projection),
    });
    let table = if plastic.is_some() { table } else { table.sorted_by_delay() };
    let (projection, port) = (projection.id, port.index());
    Ok(EventInput { projection, table, to, port, first, from: emitter(spec.from), plastic })
}

/// A continuous projection into the targets `range`, with what is looked at if its connections change.
fn coupling(
    prepared: &Prepared<'_>,
    projection: &PreparedProjection<'_>,
    carried: &Carried<'_>,
    range: Range<u32>,
    properties: &Properties<'_>,
) -> (Coupling, Option<LearningInput>) {
    let mut coupling = Coupling::new(carried, &projection.wiring, range, properties);
    if projection.rate_rules.is_none() {
        coupling.factor(carried, &projection.wiring);
    }
    let plastic = projection.rate_rules.as_ref().map(|rules| {
        coupling.learn_by(rules, projection.wiring.sources as usize);
        let written = is_written(prepared, projection);
        LearningInput { projection: projection.id, samplers: Vec::new(), written }
    });
    (coupling, plastic)
}
