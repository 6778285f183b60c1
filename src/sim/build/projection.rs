//! A projection of the scenario, ready to be walked into tables.

use std::cell::RefCell;

use super::population::PopulationValues;
use super::properties::ConnectionValues;
use super::unsuitable;
use crate::BuildError;
use crate::axis::Axis;
use crate::connect::Wiring;
use crate::coupling::Carried;
use crate::plasticity::{Compiled, Observed, Rates};
use spikedeck_core::rng::Key;
use spikedeck_core::units::Dimension;
use spikedeck_equation::rule::Side;
use spikedeck_scenario::{
    Coupling, PlasticitySpec, PopulationId, Port, ProjectionId, ProjectionSpec, Spec, VariableId,
};

/// Quantities of populations that are looked at in every step.
type Histories = Vec<(PopulationId, VariableId)>;

/// A projection ready to be walked.
pub(super) struct PreparedProjection<'a> {
    pub id: ProjectionId,
    pub spec: &'a ProjectionSpec,
    pub wiring: Wiring<'a>,
    /// Weights and delays.
    pub values: ConnectionValues<'a>,
    /// What continuous projections carry.
    pub continuous: Option<Carried<'a>>,
    /// Rules of plasticity between spikes, on event projections.
    pub spike_rules: Option<Compiled>,
    /// Rules of plasticity between rates, on continuous ones.
    pub rate_rules: Option<Rates>,
}

impl<'a> PreparedProjection<'a> {
    /// Finds what a projection needs before it is walked; histories that it looks at are added to `histories`.
    ///
    /// # Errors
    /// When the rule of connection, its values, what it carries or its plasticity do not fit.
    pub fn new(
        spec: &'a Spec,
        id: ProjectionId,
        populations: &'a [PopulationValues],
        histories: &mut Histories,
        axis: Axis,
    ) -> Result<Self, BuildError> {
        let projection = spec.projection(id);
        let place = || format!("projections.{}", projection.name);
        let wiring = wiring(spec, projection, populations);
        wiring.check().map_err(|m| unsuitable(format!("{}.connect", place()), m))?;
        let seed = spec.simulation.seeds.wiring;
        let values = ConnectionValues::new(projection, &wiring, seed, axis, is_conductance(projection));
        let continuous = carried(projection, histories);
        let rules = projection.plasticity.as_ref();
        let (mut spike_rules, mut rate_rules) = (None, None);
        match (&projection.coupling, rules) {
            (_, None) => {}
            (Coupling::Event, Some(rules)) => {
                let compiled = Compiled::new(rules, spec.simulation.dt);
                spike_rules = Some(compiled.map_err(|m| unsuitable(format!("{}.plasticity", place()), m))?);
            }
            (Coupling::Continuous { .. }, Some(rules)) => {
                rate_rules = Some(learning(spec, projection, rules, histories));
            }
        }
        Ok(Self { id, spec: projection, wiring, values, continuous, spike_rules, rate_rules })
    }

    /// Whether connections have values of their own that change.
    pub fn changes(&self) -> bool {
        self.spec.plasticity.as_ref().is_some_and(PlasticitySpec::has_connection_states)
    }
}

/// Who is connected to whom.
fn wiring<'a>(spec: &Spec, projection: &'a ProjectionSpec, populations: &'a [PopulationValues]) -> Wiring<'a> {
    let (from, to) = (projection.from, projection.to.population);
    let (sources, targets) = projection.ends(&spec.populations);
    let source = &populations[from.index()];
    // Spikes start at watched places of a tree, values at all of its units.
    let spiking = source.sources.as_ref().filter(|_| projection.coupling == Coupling::Event);
    Wiring {
        rule: &projection.rule,
        sources: sources as u32,
        targets: targets as u32,
        apart: projection.apart(&spec.populations),
        multapses: projection.multapses,
        key: Key::new(spec.simulation.seeds.wiring, &projection.draw_key(), "connect"),
        from: spiking.unwrap_or(&source.geometry),
        to: populations[to.index()].port(projection.to.port),
    }
}

/// Whether a weight is a conductance, which cannot be negative.
fn is_conductance(projection: &ProjectionSpec) -> bool {
    let area = Dimension::METRE.times(Dimension::METRE);
    let weight = projection.weight_dimension;
    let conductance = weight == Dimension::SIEMENS || weight == Dimension::SIEMENS.per(area);
    conductance && matches!(projection.to.port, Port::Event(_))
}

/// What a continuous projection carries, with histories of what it names.
fn carried<'a>(projection: &'a ProjectionSpec, histories: &mut Histories) -> Option<Carried<'a>> {
    let Coupling::Continuous { value } = &projection.coupling else { return None };
    let shared = RefCell::new(histories);
    let of = |population: PopulationId| {
        let shared = &shared;
        move |variable: VariableId| history(&mut shared.borrow_mut(), (population, variable))
    };
    Some(Carried::new(value, of(projection.from), of(projection.to.population)))
}

/// The history of a quantity of a population, which is there from now on.
fn history(histories: &mut Histories, key: (PopulationId, VariableId)) -> usize {
    histories.iter().position(|h| *h == key).unwrap_or_else(|| {
        histories.push(key);
        histories.len() - 1
    })
}

/// The rules of a projection between rates, with histories of what they look at.
fn learning(spec: &Spec, projection: &ProjectionSpec, rules: &PlasticitySpec, histories: &mut Histories) -> Rates {
    let mut observed: [Vec<Observed>; 2] = [Vec::new(), Vec::new()];
    for rule in &rules.rules {
        for (declared, formula) in rule.rule.texts().source.given.iter().zip(&rule.given) {
            let (end, population) = match Side::of(&declared.name) {
                Side::Pre => (0, projection.from),
                Side::Post | Side::Connection => (1, projection.to.population),
            };
            for &variable in formula.names() {
                if !observed[end].iter().any(|o| o.0 == variable) {
                    observed[end].push((variable, history(histories, (population, variable))));
                }
            }
        }
    }
    Rates::new(rules, [&observed[0], &observed[1]], spec.simulation.dt)
}
