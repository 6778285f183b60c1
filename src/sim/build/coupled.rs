//! The network as one system of equations: see [`Coupled`].

mod pulses;
mod turns;

use std::sync::atomic::{AtomicBool, Ordering};

use super::prepare::{Prepared, Tries, prepare};
use super::projection::PreparedProjection;
use super::unsuitable;
use crate::BuildError;
use crate::coupled::{Bringing, Coupled, Links, Operand, Part, Sent};
use crate::estimate;
use crate::values::at;
use spikedeck_equation::derive::{derivative, derivatives};
use spikedeck_equation::flow::jacobian;
use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::tape::Tape;
use spikedeck_scenario::{CarriedName, Coupling, PopulationId, PopulationSpec, Port, Spec, VariableId};

/// Bytes of a continuous connection while it is listed and put in order: lists grow by doubling.
const PAIR: u64 = 48;
/// The same of one that brings pulses, which are sorted by what they come from afterwards.
const PULSE: u64 = 112;
/// Connections between two looks at whether they are still wanted.
const LOOK: u64 = 1 << 10;

/// See `Coupled`.
pub(super) fn coupled(spec: &Spec, populations: &[PopulationId], cancel: &AtomicBool) -> Result<Coupled, BuildError> {
    prepare(spec, Tries::No, cancel, |prepared| whole(prepared, populations, cancel))
}

fn whole(prepared: &Prepared<'_>, populations: &[PopulationId], cancel: &AtomicBool) -> Result<Coupled, BuildError> {
    let inside = |p: PopulationId| populations.iter().position(|q| *q == p);
    let among = |x: &&PreparedProjection<'_>| inside(x.spec.from).is_some() && inside(x.spec.to.population).is_some();
    let projections: Vec<&PreparedProjection<'_>> = prepared.projections.iter().filter(among).collect();
    // What connections look at, by population.
    let mut seen: Vec<Vec<VariableId>> = vec![Vec::new(); populations.len()];
    let mut driven: Vec<Vec<usize>> = vec![Vec::new(); populations.len()];
    let mut links = Vec::new();
    let mut room = Room { allowed: prepared.memory.1, taken: 0, count: 0, cancel };
    let (continuous, events): (Vec<_>, Vec<_>) =
        projections.into_iter().partition(|p| matches!(p.spec.coupling, Coupling::Continuous { .. }));
    for projection in &continuous {
        links.push(connections(projection, &inside, &mut seen, &mut driven, &mut room)?);
    }
    let (mut parts, mut initial, mut autonomous, mut before) = (Vec::new(), Vec::new(), true, 0);
    for (k, &p) in populations.iter().enumerate() {
        let spikes = events.iter().any(|e| e.spec.from == p);
        let turns = !spikes && turns::ignored(prepared.spec, p, &seen[k], &continuous);
        let place = Place { first: initial.len(), before, driven: &driven[k], seen: &seen[k], turns };
        let part = part(prepared, p, place, &mut autonomous)?;
        let values = &prepared.populations[p.index()];
        initial.extend((0..part.units).flat_map(|unit| values.initial.iter().map(move |c| at(c, unit))));
        before += part.units;
        parts.push(part);
    }
    let mut sent: Vec<Sent> = Vec::new();
    sent.resize_with(before, Sent::default);
    for projection in events {
        pulses::add(prepared, projection, &parts, &mut sent, &mut room)?;
    }
    Ok(Coupled { parts, links, sent, initial, autonomous, allowed: prepared.memory.1 })
}

/// How many connections there is memory for, and whether they are still wanted.
struct Room<'c> {
    allowed: u64,
    taken: u64,
    count: u64,
    cancel: &'c AtomicBool,
}

impl Room<'_> {
    /// Whether there is room for one more of so many bytes, and somebody who wants it. Who hears no asks no more.
    fn holds(&mut self, bytes: u64) -> bool {
        self.taken = self.taken.saturating_add(bytes);
        self.count += 1;
        self.taken <= self.allowed && !(self.count.is_multiple_of(LOOK) && self.cancel.load(Ordering::Relaxed))
    }

    /// # Errors
    /// When there was not.
    fn check(&self, name: &str) -> Result<(), BuildError> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(BuildError::Cancelled);
        }
        if self.taken <= self.allowed {
            return Ok(());
        }
        let largest = format!(
            "the connections of projections.{name} and those before it, which are held one by one, take {}",
            estimate::size(self.taken)
        );
        Err(BuildError::Memory { needed: self.taken, allowed: self.allowed, largest })
    }
}

/// The place of `value` in the list, in which it is from now on.
fn place<T: PartialEq>(list: &mut Vec<T>, value: T) -> usize {
    list.iter().position(|v| *v == value).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    })
}

/// Whether all that moves the units of a population is in their equations and at their spikes.
fn has_equations(population: &PopulationSpec) -> Result<(), &'static str> {
    let parts = population.system.parts();
    if parts.plays {
        Err("it plays spikes and has no equations")
    } else if population.tree.is_some() || population.grid.is_some() || !parts.operators.is_empty() {
        Err("its parts are coupled in space, which is no connection")
    } else if population.clamp.is_some() {
        Err("a state of it is clamped, and does not follow its equation")
    } else {
        Ok(())
    }
}

/// The connections of a projection; what they look at, and where they arrive, is added to the lists.
fn connections(
    projection: &PreparedProjection<'_>,
    inside: &impl Fn(PopulationId) -> Option<usize>,
    seen: &mut [Vec<VariableId>],
    driven: &mut [Vec<usize>],
    room: &mut Room<'_>,
) -> Result<Links, BuildError> {
    let refuse = |why: &str| {
        unsuitable(format!("projections.{}", projection.spec.name), format!("the whole has no equations: {why}"))
    };
    let (Coupling::Continuous { value }, Port::Input(port)) = (&projection.spec.coupling, projection.spec.to.port)
    else {
        return Err(refuse("what it brings arrives at no input"));
    };
    if projection.values.same_delay() != Some(0) {
        return Err(refuse("it is continuous and has a delay"));
    }
    if projection.spec.plasticity.is_some() {
        return Err(refuse("its weights change by rules of their own"));
    }
    let chosen = "projections among the populations were chosen";
    let (from, to) =
        (inside(projection.spec.from).expect(chosen), inside(projection.spec.to.population).expect(chosen));
    let names: Vec<Operand> = value
        .names()
        .iter()
        .map(|name| match name {
            CarriedName::Source(v) => Operand::Source(place(&mut seen[from], *v)),
            CarriedName::Target(v) => Operand::Target(place(&mut seen[to], *v)),
            CarriedName::Weight => Operand::Weight,
        })
        .collect();
    let mut list = Vec::new();
    projection.wiring.walk_while(|link| {
        let holds = room.holds(PAIR);
        if holds {
            list.push((link.source, link.target, projection.values.weight(&link)));
        }
        holds
    });
    room.check(&projection.spec.name)?;
    // In an order that does not depend on the rule: sums are then the same however the pairs are said.
    list.sort_by_key(|l| (l.1, l.0));
    let port = place(&mut driven[to], port.index());
    let (graph, root) = value.expression().graph();
    Ok(Links { from, to, port, bringing: bringing(graph, root, &names), names, list })
}

/// What a connection brings, with its derivatives.
fn bringing(graph: &Graph, root: Id, names: &[Operand]) -> Bringing {
    let mut g = graph.clone();
    let variable = |k: usize| Symbol::Variable(k as u32);
    let weight = names.iter().position(|n| *n == Operand::Weight);
    let of_target = |s: Symbol| matches!(s, Symbol::Variable(k) if matches!(names[k as usize], Operand::Target(_)));
    if let Some(weight) = weight {
        // The weight times something of the source: the slope by the weight has all.
        let slope = derivative(&mut g, root, variable(weight));
        let again = derivative(&mut g, slope, variable(weight));
        let zero = g.number(0.0);
        let rest = g.substitute(&[root], |g, s| (s == variable(weight)).then(|| g.number(0.0)));
        if again == zero && rest[0] == zero && !g.depends(slope, of_target) {
            let mut roots = vec![slope];
            for k in (0..names.len()).filter(|k| *k != weight) {
                roots.push(derivative(&mut g, slope, variable(k)));
            }
            return Bringing::BySource(Tape::new(&g, &roots));
        }
    }
    let mut roots = vec![root];
    for k in (0..names.len()).filter(|k| names[*k] != Operand::Weight) {
        roots.push(derivative(&mut g, root, variable(k)));
    }
    Bringing::ByPair(Tape::new(&g, &roots))
}

/// Where a population stands in the whole, and what of it the others see.
struct Place<'p> {
    first: usize,
    before: usize,
    driven: &'p [usize],
    seen: &'p [VariableId],
    /// Whether its resets are turns that nobody sees.
    turns: bool,
}

/// The units of a population.
fn part(prepared: &Prepared<'_>, p: PopulationId, place: Place<'_>, autonomous: &mut bool) -> Result<Part, BuildError> {
    let Place { first, before, driven, seen, turns } = place;
    let (population, values) = prepared.population(p);
    let refuse = |why: String| {
        unsuitable(format!("populations.{}", population.name), format!("the whole has no equations: {why}"))
    };
    has_equations(population).map_err(|why| refuse(why.to_owned()))?;
    let parts = population.system.parts();
    let n = parts.states.len();
    let mut g = parts.graph.clone();
    let per_second = parts.time_unit.per_second();
    let scale = g.number(per_second);
    // Noise is left out, as in all that is about equations.
    let rate: Vec<Id> = parts.drift.iter().map(|&d| g.mul(scale, d)).collect();
    *autonomous &= rate.iter().all(|&r| !g.depends(r, |s| s == Symbol::Time));
    let mut slopes = jacobian(&mut g, &rate, n);
    for &port in driven {
        slopes.extend(derivatives(&mut g, &rate, Symbol::Input(port as u32)));
    }
    let mut quantities = Vec::new();
    for variable in seen {
        let id = match *variable {
            VariableId::State(s) => g.symbol(Symbol::State(s.index() as u32)),
            VariableId::Parameter(s) => g.symbol(Symbol::Parameter(s.index() as u32)),
            VariableId::Subexpression(s) => parts.subexpression_ids[s.index()],
            VariableId::Input(s) => g.symbol(Symbol::Input(s.index() as u32)),
        };
        if g.depends(id, |s| matches!(s, Symbol::Input(_) | Symbol::Time)) {
            let name = &variable.of(&population.system).name;
            return Err(refuse(format!("`{name}`, which connections look at, depends on what arrives, or on time")));
        }
        quantities.push(id);
    }
    let seen_slopes = jacobian(&mut g, &quantities, n);
    let firing = if turns { None } else { pulses::firing(population, &mut g, driven).map_err(refuse)? };
    let effects = pulses::effects(population, &mut g, driven).map_err(refuse)?;
    Ok(Part {
        population: p,
        first,
        units: population.size,
        states: n,
        parameters: values.parameters.clone(),
        inputs: vec![vec![0.0; population.size]; parts.inputs.len()],
        rate: Tape::new(&g, &rate),
        slopes: Tape::new(&g, &slopes),
        driven: driven.to_vec(),
        seen: Tape::new(&g, &quantities),
        quantities: quantities.len(),
        seen_slopes: Tape::new(&g, &seen_slopes),
        per_second,
        before,
        firing,
        effects,
    })
}
