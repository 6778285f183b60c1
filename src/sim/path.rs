//! A projection of the scenario, ready to be walked into tables.

use super::BuildError;
use super::axis::Axis;
use super::build::{Found, unsuitable};
use super::connect::Wiring;
use super::coupling::Carried;
use super::plasticity::{self, Compiled, Rates};
use super::properties::Finder;
use spikedeck_core::rng::Key;
use spikedeck_core::units::Dimension;
use spikedeck_scenario::{Coupling, PopulationId, Port, ProjectionId, ProjectionSpec, Spec, VariableId};

/// A projection ready to be walked.
pub(super) struct Path<'a> {
    pub id: ProjectionId,
    pub spec: &'a ProjectionSpec,
    pub wiring: Wiring<'a>,
    pub finder: Finder<'a>,
    /// What continuous projections carry.
    pub continuous: Option<Carried<'a>>,
    /// Rules between spikes, and between rates.
    pub plastic: Option<Compiled>,
    pub rates: Option<Rates>,
}

/// Finds what a projection needs before it is walked; histories that it looks at are added to `histories`.
///
/// # Errors
/// When the rule of connection, its values, what it carries or its plasticity do not fit.
pub(super) fn path<'a>(
    spec: &'a Spec,
    id: ProjectionId,
    found: &'a [Found],
    histories: &mut Vec<(PopulationId, VariableId)>,
    axis: Axis,
) -> Result<Path<'a>, BuildError> {
    let projection = spec.projection(id);
    let place = || format!("projections.{}", projection.name);
    let (from, to) = (projection.from, projection.to.population);
    let no_self = from == to && !projection.autapses;
    let counts = projection.ends(&spec.populations);
    let wiring = Wiring {
        rule: &projection.rule,
        sources: counts.0 as u32,
        targets: counts.1 as u32,
        no_self,
        multapses: projection.multapses,
        key: Key::new(spec.simulation.seed, &projection.draw_key(), "connect"),
        from: found[from.index()]
            .sources
            .as_ref()
            .filter(|_| projection.coupling == Coupling::Event)
            .unwrap_or(&found[from.index()].place),
        to: found[to.index()].port(projection.to.port),
    };
    wiring.check().map_err(|m| unsuitable(format!("{}.connect", place()), m))?;
    let area = Dimension::METRE.times(Dimension::METRE);
    let conductance = match projection.to.port {
        Port::Event(_) => {
            let weight = projection.weight_dimension;
            weight == Dimension::SIEMENS || weight == Dimension::SIEMENS.per(area)
        }
        Port::Input(_) => false,
    };
    let finder = Finder::new(projection, &wiring, spec.simulation.seed, axis, conductance);
    let continuous = match &projection.coupling {
        Coupling::Event => None,
        Coupling::Continuous { value } => {
            let shared = std::cell::RefCell::new(&mut *histories);
            let of = |population: PopulationId| {
                let shared = &shared;
                move |variable: VariableId| history(&mut shared.borrow_mut(), (population, variable))
            };
            Some(Carried::new(value, of(from), of(to)))
        }
    };
    let spiking = projection.plasticity.as_ref().filter(|_| projection.coupling == Coupling::Event);
    let plastic = spiking.map(|p| Compiled::new(p, spec.simulation.dt)).transpose();
    let plastic = plastic.map_err(|m| unsuitable(format!("{}.plasticity", place()), m))?;
    let rates = learning(spec, projection, histories);
    Ok(Path { id, spec: projection, wiring, finder, continuous, plastic, rates })
}

/// The history of a quantity of a population, which is there from now on.
fn history(histories: &mut Vec<(PopulationId, VariableId)>, key: (PopulationId, VariableId)) -> usize {
    histories.iter().position(|h| *h == key).unwrap_or_else(|| {
        histories.push(key);
        histories.len() - 1
    })
}

/// The rules of a projection between rates, with histories of what they look at.
fn learning(
    spec: &Spec,
    projection: &ProjectionSpec,
    histories: &mut Vec<(PopulationId, VariableId)>,
) -> Option<Rates> {
    let rules = projection.plasticity.as_ref().filter(|_| projection.coupling != Coupling::Event)?;
    let mut observed: [Vec<plasticity::Observed>; 2] = [Vec::new(), Vec::new()];
    for rule in &rules.rules {
        for (declared, formula) in rule.rule.texts().source.given.iter().zip(&rule.given) {
            let (end, population) =
                if declared.name.ends_with("_pre") { (0, projection.from) } else { (1, projection.to.population) };
            for &variable in formula.names() {
                if !observed[end].iter().any(|o| o.0 == variable) {
                    observed[end].push((variable, history(histories, (population, variable))));
                }
            }
        }
    }
    Some(Rates::new(rules, [&observed[0], &observed[1]], spec.simulation.dt))
}

/// Whether connections have values of their own that change.
pub(super) fn changes(path: &Path<'_>) -> bool {
    path.spec.plasticity.as_ref().is_some_and(spikedeck_scenario::PlasticitySpec::has_connection_states)
}
