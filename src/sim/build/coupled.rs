//! The network as one system of equations: see [`Coupled`].

use std::sync::atomic::AtomicBool;

use super::prepare::{Prepared, prepare};
use super::projection::PreparedProjection;
use super::unsuitable;
use crate::BuildError;
use crate::coupled::{Bringing, Coupled, Links, Operand, Part};
use crate::values::at;
use spikedeck_equation::derive::{derivative, derivatives};
use spikedeck_equation::flow::jacobian;
use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::tape::Tape;
use spikedeck_scenario::{CarriedName, Coupling, PopulationId, PopulationSpec, Port, Spec, VariableId};

/// Most connections that are held one by one.
const MOST: usize = 20_000_000;

/// See `Coupled`.
pub(super) fn coupled(spec: &Spec, populations: &[PopulationId]) -> Result<Coupled, BuildError> {
    prepare(spec, &AtomicBool::new(false), |prepared| whole(prepared, populations))
}

fn whole(prepared: &Prepared<'_>, populations: &[PopulationId]) -> Result<Coupled, BuildError> {
    let inside = |p: PopulationId| populations.iter().position(|q| *q == p);
    let among = |x: &&PreparedProjection<'_>| inside(x.spec.from).is_some() && inside(x.spec.to.population).is_some();
    let projections: Vec<&PreparedProjection<'_>> = prepared.projections.iter().filter(among).collect();
    // What connections look at, by population.
    let mut seen: Vec<Vec<VariableId>> = vec![Vec::new(); populations.len()];
    let mut driven: Vec<Vec<usize>> = vec![Vec::new(); populations.len()];
    let mut links = Vec::new();
    for projection in projections {
        links.push(connections(projection, &inside, &mut seen, &mut driven)?);
    }
    let (mut parts, mut initial, mut autonomous) = (Vec::new(), Vec::new(), true);
    for (k, &p) in populations.iter().enumerate() {
        let part = part(prepared, p, initial.len(), &driven[k], &seen[k], &mut autonomous)?;
        let values = &prepared.populations[p.index()];
        initial.extend((0..part.units).flat_map(|unit| values.initial.iter().map(move |c| at(c, unit))));
        parts.push(part);
    }
    Ok(Coupled { parts, links, initial, autonomous })
}

/// The place of `value` in the list, in which it is from now on.
fn place<T: PartialEq>(list: &mut Vec<T>, value: T) -> usize {
    list.iter().position(|v| *v == value).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    })
}

/// Whether all that moves the units of a population is in their equations.
fn smooth(population: &PopulationSpec) -> Result<(), &'static str> {
    let parts = population.system.parts();
    if parts.plays {
        Err("it plays spikes and has no equations")
    } else if population.tree.is_some() || population.grid.is_some() || !parts.operators.is_empty() {
        Err("its parts are coupled in space, which is no connection")
    } else if population.clamp.is_some() {
        Err("a state of it is clamped, and does not follow its equation")
    } else if !wraps(population) || parts.refractory.is_some() {
        Err("its units are reset at spikes")
    } else {
        Ok(())
    }
}

/// Whether resets do nothing but move phases by whole turns, which all that depends on them does not see: without one
/// the phase goes on.
fn wraps(population: &PopulationSpec) -> bool {
    let parts = population.system.parts();
    let mut g = parts.graph.clone();
    parts.reset.iter().all(|&(state, id)| {
        let slopes = jacobian(&mut g, &[id], parts.states.len());
        let kept = |g: &mut Graph, k: usize| slopes[k] == g.number(f64::from(u8::from(k == state)));
        population.model.circular.contains(&parts.states[state].name) && (0..slopes.len()).all(|k| kept(&mut g, k))
    })
}

/// The connections of a projection; what they look at, and where they arrive, is added to the lists.
fn connections(
    projection: &PreparedProjection<'_>,
    inside: &impl Fn(PopulationId) -> Option<usize>,
    seen: &mut [Vec<VariableId>],
    driven: &mut [Vec<usize>],
) -> Result<Links, BuildError> {
    let refuse = |why: &str| {
        unsuitable(format!("projections.{}", projection.spec.name), format!("the network is no smooth system: {why}"))
    };
    let (Coupling::Continuous { value }, Port::Input(port)) = (&projection.spec.coupling, projection.spec.to.port)
    else {
        return Err(refuse("its spikes arrive as events"));
    };
    if projection.values.same_delay() != Some(0) {
        return Err(refuse("it has a delay"));
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
    let (mut list, mut many) = (Vec::new(), false);
    projection.wiring.walk(0..projection.wiring.targets, |link| {
        if list.len() < MOST {
            list.push((link.source, link.target, projection.values.weight(&link)));
        } else {
            many = true;
        }
    });
    if many {
        return Err(refuse("it has more than 20 million connections, which are held one by one"));
    }
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

/// The units of a population.
fn part(
    prepared: &Prepared<'_>,
    p: PopulationId,
    first: usize,
    driven: &[usize],
    seen: &[VariableId],
    autonomous: &mut bool,
) -> Result<Part, BuildError> {
    let (population, values) = prepared.population(p);
    let refuse = |why: String| {
        unsuitable(format!("populations.{}", population.name), format!("the network is no smooth system: {why}"))
    };
    smooth(population).map_err(|why| refuse(why.to_owned()))?;
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
    })
}
