//! The values of a population: positions, parameters, initial values, and how it is laid out in space.

use super::{ranges, unsuitable};
use crate::BuildError;
use crate::geometry::Geometry;
use crate::grid::{self, Layout};
use crate::stepper::UnitValues;
use crate::values::{UnitNames, resolve};
use spikedeck_core::rng::Key;
use spikedeck_scenario::{PopulationSpec, Port, Spec, Value};

/// A population with all its values found.
pub(super) struct PopulationValues {
    pub geometry: Geometry,
    /// Where its spikes start, on a tree.
    pub sources: Option<Geometry>,
    /// Where its event ports are, on a tree.
    ports: Vec<Geometry>,
    pub parameters: Vec<UnitValues>,
    pub initial: Vec<UnitValues>,
    /// How it is stepped on a grid.
    pub layout: Option<Layout>,
}

impl PopulationValues {
    /// The values of every population of `spec`, with the layout of those on a grid.
    ///
    /// # Errors
    /// When a parameter that is drawn or computed leaves its range, or a population cannot be stepped on its grid.
    pub fn all(spec: &Spec) -> Result<Vec<Self>, BuildError> {
        let mut all: Vec<Self> = spec.populations.iter().map(|p| Self::find(p, spec.simulation.seeds.values)).collect();
        for (population, values) in spec.populations.iter().zip(&mut all) {
            ranges::check(population, &values.parameters)?;
            if let Some(g) = &population.grid {
                let layout = grid::plan(population, g, &values.parameters, spec.simulation.dt, population.integrator);
                values.layout = Some(layout.map_err(|m| unsuitable(format!("populations.{}", population.name), m))?);
            }
        }
        Ok(all)
    }

    /// Positions, parameters and initial values of `population`.
    pub fn find(population: &PopulationSpec, seed: u64) -> Self {
        let geometry = Geometry::of(population, seed);
        assert!(
            geometry.positions.is_empty() || geometry.positions.len() == population.size,
            "the scenario refuses lists of positions that are not one a unit"
        );
        let parameters = parameters(population, &geometry, seed);
        let initial = initial(population, &geometry, &parameters, seed);
        let (sources, ports) = match &population.tree {
            Some(t) => (Some(geometry.part(t, &t.spiking)), t.slots.iter().map(|s| geometry.part(t, s)).collect()),
            None => (None, Vec::new()),
        };
        let parameters = parameters.into_iter().map(|p| p.expect("every parameter is a number or an expression"));
        Self { geometry, sources, ports, parameters: parameters.collect(), initial, layout: None }
    }

    /// Where what arrives at a port arrives.
    pub fn port(&self, port: Port) -> &Geometry {
        match port {
            // Only a tree has places of its own for what arrives.
            Port::Event(e) => self.ports.get(e.index()).unwrap_or(&self.geometry),
            Port::Input(_) | Port::Spikes => &self.geometry,
        }
    }
}

/// The key of the random numbers that a value is drawn with.
fn key(population: &PopulationSpec, seed: u64, kind: &str, name: &str) -> Key {
    Key::new(seed, &format!("populations.{}", population.name), &format!("{kind}.{name}"))
}

/// The parameters. Expressions may name parameters, so those come last, in their own order.
fn parameters(population: &PopulationSpec, geometry: &Geometry, seed: u64) -> Vec<Option<UnitValues>> {
    let mut known: Vec<Option<UnitValues>> = vec![None; population.parameters.len()];
    let all = || population.parameters.iter().zip(population.system.parameters()).enumerate();
    let is_expression = |value: &Value| matches!(value, Value::Expression(_));
    let ordered = all().filter(|(_, (v, _))| !is_expression(v)).chain(all().filter(|(_, (v, _))| is_expression(v)));
    for (index, (value, variable)) in ordered {
        let names = UnitNames { size: population.size, geometry, known: &known };
        known[index] = Some(resolve(value, &names, key(population, seed, "parameters", &variable.name)));
    }
    known
}

/// The initial values of the states.
fn initial(
    population: &PopulationSpec,
    geometry: &Geometry,
    known: &[Option<UnitValues>],
    seed: u64,
) -> Vec<UnitValues> {
    let names = UnitNames { size: population.size, geometry, known };
    let values = population.initial.iter().zip(population.system.states());
    let find = |(value, variable): (&Value, &spikedeck_equation::Variable)| {
        resolve(value, &names, key(population, seed, "initial", &variable.name))
    };
    values.map(find).collect()
}
