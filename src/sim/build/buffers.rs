//! Room for what is under way: events that have not arrived, and values that are looked at later, as far back as the
//! longest delay.

use super::lanes::port_range;
use super::prepare::Prepared;
use crate::BuildError;
use crate::coupling::History;
use crate::delivery::Ring;
use crate::group::Group;
use crate::worker::{ContinuousInput, EventInput};
use spikedeck_scenario::{Coupling, EventId, Port, ProjectionSpec, Value};

/// Whether the delays of a projection are computed, so that no estimate knows them.
fn computed(projection: &ProjectionSpec) -> bool {
    matches!(projection.delay, Value::Expression(_))
}

/// Gives every port at which something arrives its room.
///
/// # Errors
/// When computed delays need more memory than there is.
pub(super) fn make_room(
    prepared: &Prepared<'_>,
    groups: &mut [Group],
    event_inputs: &[EventInput],
    continuous_inputs: &[ContinuousInput],
) -> Result<(), BuildError> {
    for (g, group) in groups.iter_mut().enumerate() {
        if prepared.spec.population(group.population).system.plays() {
            group.rings[0] = Some(Ring::new(group.lanes, 0));
        }
        for port in prepared.spec.population(group.population).event_ids() {
            let here = event_inputs.iter().filter(|i| i.to == g && i.port == port.index());
            group.rings[port.index()] = ring(prepared, group, port, here)?;
        }
        for input in continuous_inputs.iter().filter(|i| i.to == g) {
            let port = &mut group.inputs[input.port];
            port.total = vec![0.0; group.lanes];
            port.stimulus.resize(group.lanes, 0.0);
        }
    }
    Ok(())
}

/// The ring of an event port, as long as the longest delay of the connections that end `here`; none where neither
/// connections nor stimuli do.
fn ring<'a>(
    prepared: &Prepared<'_>,
    group: &Group,
    event: EventId,
    here: impl Iterator<Item = &'a EventInput>,
) -> Result<Option<Ring>, BuildError> {
    let longest = here.filter_map(|i| i.table.delays()).map(|d| usize::from(d.1)).max();
    let stimulated = group.events.iter().any(|e| e.0 == event.index());
    if longest.is_none() && !stimulated {
        return Ok(None);
    }
    let port = Port::Event(event);
    let lanes = port_range(prepared.spec.population(group.population), port, group).len();
    // Stimuli arrive without delay.
    let longest = longest.unwrap_or(0);
    let ends = |p: &ProjectionSpec| p.to.population == group.population && p.to.port == port;
    if prepared.spec.projections.iter().any(|p| ends(p) && computed(p)) {
        prepared.afford_computed(group.population, longest, Ring::bytes(lanes, longest))?;
    }
    let adds_up = prepared.spec.population(group.population).system.superposes(event.index());
    Ok(Some(if adds_up { Ring::new(lanes, longest) } else { Ring::of_singles(lanes, longest) }))
}

/// Histories of what continuous projections look at, as far back as the longest of this thread's delays.
///
/// # Errors
/// When computed delays need more memory than there is.
pub(super) fn histories(
    prepared: &Prepared<'_>,
    continuous_inputs: &[ContinuousInput],
) -> Result<Vec<History>, BuildError> {
    let spec = prepared.spec;
    // Without connections nothing is looked at later.
    let longest = continuous_inputs.iter().map(|i| i.coupling.longest()).max().unwrap_or(0);
    for &(population, _) in prepared.histories {
        let rows = (longest as u64 + 1).next_power_of_two();
        let starts = |p: &ProjectionSpec| matches!(p.coupling, Coupling::Continuous { .. }) && p.from == population;
        if spec.projections.iter().any(|p| starts(p) && computed(p)) {
            prepared.afford_computed(population, longest, rows * spec.population(population).size as u64 * 8)?;
        }
    }
    Ok(prepared.histories.iter().map(|(p, _)| History::new(spec.population(*p).size, longest)).collect())
}
