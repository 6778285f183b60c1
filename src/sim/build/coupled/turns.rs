//! Resets that nobody sees: a phase that is set back by whole turns.

use std::f64::consts::TAU;

use crate::build::projection::PreparedProjection;
use spikedeck_equation::derive::derivative;
use spikedeck_equation::flow::jacobian;
use spikedeck_equation::graph::{Graph, Id, Node, Symbol, Unary};
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::{CarriedName, Coupling, PopulationId, PopulationSpec, Spec, VariableId};

/// Whether the resets of a population do nothing but move phases by whole turns, and nothing sees by how many: neither
/// its equations, nor those of its quantities that connections look at (`seen`), nor what these make of phases. Without
/// the resets the phases just go on.
pub(super) fn ignored(
    spec: &Spec,
    p: PopulationId,
    seen: &[VariableId],
    projections: &[&PreparedProjection<'_>],
) -> bool {
    let population = spec.population(p);
    let parts = population.system.parts();
    let mut g = parts.graph.clone();
    if parts.refractory.is_some() || !parts.reset.iter().all(|&(state, id)| turns(population, &mut g, state, id)) {
        return false;
    }
    parts.reset.iter().all(|&(state, _)| {
        let angle = Symbol::State(state as u32);
        if !parts.drift.iter().all(|&d| is_periodic(&mut g, d, angle)) {
            return false;
        }
        let mut bare = Vec::new();
        for &variable in seen {
            let id = match variable {
                VariableId::State(s) => g.symbol(Symbol::State(s.index() as u32)),
                VariableId::Subexpression(s) => parts.subexpression_ids[s.index()],
                VariableId::Parameter(_) | VariableId::Input(_) => continue,
            };
            if is_periodic(&mut g, id, angle) {
                continue;
            }
            // What turns as the phase does is a phase for those that look at it.
            if !whole(&mut g, id, angle) {
                return false;
            }
            bare.push(variable);
        }
        projections.iter().all(|projection| looks_at_turns(projection, p, &bare))
    })
}

/// Whether what a projection brings is the same whatever the turns of these quantities of the population.
fn looks_at_turns(projection: &PreparedProjection<'_>, p: PopulationId, bare: &[VariableId]) -> bool {
    let Coupling::Continuous { value } = &projection.spec.coupling else { return true };
    let (graph, root) = value.expression().graph();
    let mut g = graph.clone();
    value.names().iter().enumerate().all(|(k, name)| {
        let of = match name {
            CarriedName::Source(v) if projection.spec.from == p => v,
            CarriedName::Target(v) if projection.spec.to.population == p => v,
            CarriedName::Source(_) | CarriedName::Target(_) | CarriedName::Weight => return true,
        };
        !bare.contains(of) || is_periodic(&mut g, root, Symbol::Variable(k as u32))
    })
}

/// Whether a reset moves a phase by whole turns, whatever the state.
fn turns(population: &PopulationSpec, g: &mut Graph, state: usize, id: Id) -> bool {
    let parts = population.system.parts();
    let slopes = jacobian(g, &[id], parts.states.len());
    let kept = slopes.iter().enumerate().all(|(k, slope)| *slope == g.number(f64::from(u8::from(k == state))));
    if !population.model.circular.contains(&parts.states[state].name) || !kept {
        return false;
    }
    let moved = g.substitute(&[id], |g, s| matches!(s, Symbol::State(_)).then(|| g.number(0.0)))[0];
    if !g.symbols(moved).is_empty() {
        return false;
    }
    let count = Tape::new(g, &[moved]).value(&Values::default()) / TAU;
    (count - count.round()).abs() < 1e-12
}

/// Whether an expression is the same a whole turn of the angle later: it stands in sines, cosines and tangents alone,
/// multiplied by whole numbers.
fn is_periodic(g: &mut Graph, root: Id, angle: Symbol) -> bool {
    let reachable = g.reachable(&[root]);
    let ids: Vec<Id> = (0..reachable.len()).filter(|k| reachable[*k]).map(|k| Id(k as u32)).collect();
    let mut same = vec![true; reachable.len()];
    for id in ids {
        same[id.index()] = match g.node(id) {
            Node::Symbol(s) => s != angle,
            Node::Unary(Unary::Sin | Unary::Cos | Unary::Tan, x) => same[x.index()] || whole(g, x, angle),
            _ => g.arguments(id).all(|x| same[x.index()]),
        };
    }
    same[root.index()]
}

/// Whether an expression grows by a whole multiple of the angle.
fn whole(g: &mut Graph, id: Id, angle: Symbol) -> bool {
    let slope = derivative(g, id, angle);
    g.value(slope).is_some_and(|v| v == v.round())
}
