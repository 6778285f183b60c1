//! The state of trees between two steps: voltages and states of all units, and who rests.

use super::{Forest, Tree};
use crate::snapshot::{Pass, Snapshot};

impl Snapshot for Tree {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self {
            system,
            state: of_voltage,
            port: _,
            cells,
            units,
            zones,
            rows,
            voltage,
            capacity: _,
            base: _,
            // Solver, currents and work are filled anew in each step.
            solver: _,
            nodes: _,
            second_order: _,
            substeps: _,
            h: _,
            electrodes: _,
            injected: _,
            held: _,
            events: _,
            // Its places are another axis: the forest has them visited.
            watch: _,
            work: _,
        } = self;
        let place = |unit: usize| (rows.of[unit % *units] as usize, unit / *units);
        let mut values: Vec<f64> = Vec::new();
        values.extend((0..*cells * *units).map(place).map(|(row, cell)| voltage[row * *cells + cell]));
        pass.column("voltage", &mut values);
        for (unit, value) in values.iter().enumerate() {
            let (row, cell) = place(unit);
            voltage[row * *cells + cell] = *value;
        }
        for state in (0..system.states().len()).filter(|state| state != of_voltage) {
            // The number of the state in each zone that has it.
            let own: Vec<Option<usize>> =
                zones.iter().map(|z| z.parts.states.iter().position(|id| id.index() == state)).collect();
            let lanes: Vec<Option<(usize, usize, usize)>> = (0..*cells * *units)
                .map(|unit| {
                    let (row, cell) = place(unit);
                    let (zone, lane) = rows.lane(zones, row, cell, *cells)?;
                    Some((zone, own[zone]?, lane))
                })
                .collect();
            let value = |at: &Option<(usize, usize, usize)>| {
                at.map_or(0.0, |(zone, own, lane)| zones[zone].program.state(own)[lane])
            };
            let mut values: Vec<f64> = lanes.iter().map(value).collect();
            pass.column(&format!("state {state}"), &mut values);
            for (at, value) in lanes.iter().zip(&values) {
                if let Some((zone, own, lane)) = *at {
                    zones[zone].program.state_mut(own)[lane] = *value;
                }
            }
        }
    }
}

impl Snapshot for Forest {
    fn visit(&mut self, pass: &mut Pass<'_>) {
        let [units, watched] = self.each_cell();
        let mut cell = pass.first() / units.max(1) as u64;
        for tree in self.trees() {
            let cells = tree.cells();
            pass.along(cell * units as u64, cells * units, |pass| tree.visit(pass));
            pass.along(cell * watched as u64, cells * watched, |pass| tree.watch.visit(pass));
            cell += cells as u64;
        }
    }
}
