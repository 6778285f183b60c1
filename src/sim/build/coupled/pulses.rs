//! What spikes do in the network as one system.

use super::{PULSE, Room};
use crate::BuildError;
use crate::build::prepare::Prepared;
use crate::build::projection::PreparedProjection;
use crate::build::unsuitable;
use crate::coupled::{Effects, Firing, Hit, Part, Sent};
use spikedeck_equation::flow::jacobian;
use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::tape::Tape;
use spikedeck_scenario::{PopulationSpec, Port};

/// The threshold of a population with what happens there, in `g`, which holds its equations; `None` where it has none.
///
/// # Errors
/// Why what happens there has no derivatives.
pub(super) fn firing(population: &PopulationSpec, g: &mut Graph, driven: &[usize]) -> Result<Option<Firing>, String> {
    let parts = population.system.parts();
    let Some(threshold) = parts.threshold else { return Ok(None) };
    let Some(surface) = threshold.surface else {
        return Err("its threshold is not one comparison, and has no height".into());
    };
    let n = parts.states.len();
    let mut reset: Vec<Id> = (0..n).map(|k| g.symbol(Symbol::State(k as u32))).collect();
    for &(state, id) in &parts.reset {
        reset[state] = id;
    }
    let arrives = |s: Symbol| matches!(s, Symbol::Input(k) if driven.contains(&(k as usize)));
    let all = || reset.iter().copied().chain([surface]).chain(parts.refractory);
    if all().any(|id| g.depends(id, arrives)) {
        return Err("its threshold, reset or rest depends on what continuous connections bring".into());
    }
    // A shift in time would change more than what flows.
    if all().any(|id| g.depends(id, |s| s == Symbol::Time)) {
        return Err("its threshold, reset or rest depends on time by itself".into());
    }
    let height: Vec<Id> = [surface].into_iter().chain(jacobian(g, &[surface], n)).collect();
    let slopes = jacobian(g, &reset, n);
    reset.extend(slopes);
    let rest = parts.refractory.map(|r| [r].into_iter().chain(jacobian(g, &[r], n)).collect::<Vec<Id>>());
    Ok(Some(Firing {
        height: Tape::new(g, &height),
        reset: Tape::new(g, &reset),
        rest: rest.map(|roots| Tape::new(g, &roots)),
        hold: parts.hold.clone(),
    }))
}

/// What events at each port of a population do.
///
/// # Errors
/// Why that has no derivatives.
pub(super) fn effects(population: &PopulationSpec, g: &mut Graph, driven: &[usize]) -> Result<Vec<Effects>, String> {
    let parts = population.system.parts();
    let n = parts.states.len();
    let arrives = |s: Symbol| matches!(s, Symbol::Input(k) if driven.contains(&(k as usize)));
    let of = |list: &Vec<(usize, Id)>| {
        let mut gains: Vec<Id> = list.iter().map(|e| e.1).collect();
        if gains.iter().any(|id| g.depends(*id, arrives)) {
            return Err("what its events do depends on what continuous connections bring".to_owned());
        }
        if gains.iter().any(|id| g.depends(*id, |s| s == Symbol::Time)) {
            return Err("what its events do depends on time by itself".to_owned());
        }
        let slopes = jacobian(g, &gains, n);
        gains.extend(slopes);
        Ok(Effects { states: list.iter().map(|e| e.0).collect(), gains: Tape::new(g, &gains) })
    };
    parts.effects.iter().map(of).collect()
}

/// Adds the connections of a projection of spikes to what units send.
///
/// # Errors
/// What of them changes by itself, or that there are more than there is memory for.
pub(super) fn add(
    prepared: &Prepared<'_>,
    projection: &PreparedProjection<'_>,
    parts: &[Part],
    sent: &mut [Sent],
    room: &mut Room<'_>,
) -> Result<(), BuildError> {
    let refuse = |why: &str| {
        unsuitable(format!("projections.{}", projection.spec.name), format!("the whole has no equations: {why}"))
    };
    let Port::Event(port) = projection.spec.to.port else { return Err(refuse("its spikes arrive at no receptor")) };
    if projection.spec.plasticity.is_some() {
        return Err(refuse("its weights change by rules of their own"));
    }
    let place = |p| parts.iter().position(|part| part.population == p);
    let both = place(projection.spec.from).zip(place(projection.spec.to.population));
    let (from, to) = both.expect("projections among the populations were chosen");
    if parts[from].firing.is_none() {
        return Err(refuse("the units that it comes from never spike"));
    }
    let (before, port) = (parts[from].before, port.index() as u32);
    let mut list = Vec::new();
    projection.wiring.walk_while(|link| {
        let holds = room.holds(PULSE);
        if holds {
            let hit = Hit { part: to as u32, unit: link.target, port, weight: projection.values.weight(&link) };
            list.push((link.source, projection.values.delay_in_steps(&link), hit));
        }
        holds
    });
    room.check(&projection.spec.name)?;
    projection.values.check().map_err(|why| refuse(&why))?;
    // In an order that does not depend on the rule.
    list.sort_by_key(|(source, delay, hit)| (*source, *delay, hit.unit));
    for (source, steps, hit) in list {
        let sent = &mut sent[before + source as usize];
        let delay = f64::from(steps) * prepared.spec.simulation.dt;
        let at = sent.delays.iter().position(|d| *d == delay).unwrap_or_else(|| {
            sent.delays.push(delay);
            sent.hits.push(Vec::new());
            sent.delays.len() - 1
        });
        sent.hits[at].push(hit);
    }
    Ok(())
}
