//! What a recording says about the network itself: populations, and connections on request.

use super::population::PopulationValues;
use crate::axis::Axis;
use crate::stepper::UnitValues;
use crate::worker::Worker;
use spikedeck_core::units::display_unit;
use spikedeck_scenario::{Place, PopulationId, PopulationSpec, ProjectionId, Spec};
use spikedeck_signal::{Connections, Population};

/// Populations as the recording knows them.
pub(super) fn described(spec: &Spec, values: &[PopulationValues]) -> Vec<Population> {
    let one = |(population, values): (&PopulationSpec, &PopulationValues)| {
        let differing = population.system.parameters().iter().zip(&values.parameters).enumerate().filter_map(
            |(at, (variable, column))| match column {
                UnitValues::Shared(_) => None,
                UnitValues::Each(values) => {
                    let unit = display_unit(variable.dimension);
                    let measure = population.is_measure(at);
                    let has = |k: usize| !measure || population.tree.as_ref().is_none_or(|t| t.has_membrane(k));
                    let shown = |(k, v): (usize, &f64)| if has(k) { v / unit.scale } else { f64::NAN };
                    Some((unit.column(&variable.name), values.iter().enumerate().map(shown).collect()))
                }
            },
        );
        let positions: Vec<[f64; 3]> = values.geometry.positions.iter().map(|p| p.map(|x| x / 1e-6)).collect();
        Population {
            name: population.name.clone(),
            size: population.size,
            // Positions are lengths; cells of a grid in plain numbers have none.
            positions: (!positions.is_empty() && !values.geometry.length.is_none()).then_some(positions),
            parameters: differing.collect(),
            ..Population::default()
        }
    };
    spec.populations.iter().zip(values).map(one).collect()
}

/// The connections that the scenario wants written, sorted by source, then target.
pub(super) fn wanted_connections(spec: &Spec, workers: &[Worker], axis: Axis) -> Vec<(ProjectionId, Connections)> {
    let wanted = |p: PopulationId| spec.records.iter().any(|r| r.place == Place::Population(p) && r.connections);
    let mut all = Vec::new();
    for (id, projection) in spec.projection_ids().filter(|(_, p)| wanted(p.from)) {
        let mut rows: Vec<(u32, u32, f64, u16)> = Vec::new();
        for worker in workers {
            let shift = |first: u32| move |(s, lane, w, d): (u32, u32, f64, u16)| (s, lane + first, w, d);
            // On trees lanes are places at which something arrives.
            let event = worker.event_inputs.iter().filter(|i| i.projection == id);
            rows.extend(event.flat_map(|i| i.table.connections().map(shift(i.first))));
            let continuous = worker.continuous_inputs.iter().filter(|i| i.projection == id);
            rows.extend(
                continuous.flat_map(|i| i.coupling.connections().into_iter().map(shift(worker.groups[i.to].first))),
            );
        }
        rows.sort_by_key(|r| (r.0, r.1));
        let unit = display_unit(projection.weight_dimension);
        let connections = Connections {
            projection: projection.name.clone(),
            source: rows.iter().map(|r| r.0).collect(),
            target: rows.iter().map(|r| r.1).collect(),
            weight: rows.iter().map(|r| unit.as_written(r.2)).collect(),
            weight_unit: unit.symbol,
            weight_final: Vec::new(),
            delay: rows.iter().map(|r| axis.time(f64::from(r.3))).collect(),
        };
        all.push((id, connections));
    }
    all
}
