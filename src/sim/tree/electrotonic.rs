//! What passive theory says of a tree as it is at the start: length constants, time constants, input resistances.

use super::Tree;
use spikedeck_equation::derive::derivative;
use spikedeck_equation::graph::Symbol;
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::TreeSpec;

/// A section by passive theory; SI.
#[derive(Debug, Clone, PartialEq)]
pub struct Electrotonic {
    /// Name.
    pub section: String,
    /// Path length.
    pub length: f64,
    /// Diameter of a cylinder of the same area and length.
    pub diameter: f64,
    /// Time constant of the membrane: capacitance over the slope of its current.
    pub tau: f64,
    /// Length constant: `sqrt(d/(4 R_a g))`.
    pub lambda: f64,
    /// Length in length constants, compartment by compartment.
    pub electrotonic: f64,
    /// Voltage by current at the beginning of the section, when nothing changes any more.
    pub input_resistance: f64,
}

impl Tree {
    /// The sections of the first cell, its membrane linearised where it stands.
    pub fn electrotonic(&mut self, tree: &TreeSpec, resistivity: &dyn Fn(usize) -> f64) -> Vec<Electrotonic> {
        let c = &tree.compartments;
        let (mut siemens, mut farads) = (vec![0.0; c.count], vec![0.0; c.count]);
        let half = if self.second_order { 0.5 } else { 1.0 };
        let tapes: Vec<Tape> = self
            .zones
            .iter()
            .map(|z| {
                let p = z.system.parts();
                let mut g = p.graph.clone();
                let slope = derivative(&mut g, p.drift[self.state], Symbol::State(self.state as u32));
                Tape::new(&g, &[slope])
            })
            .collect();
        for unit in 0..c.count {
            let row = self.rows.of[unit] as usize;
            let (z, lane) = self.lane(row, 0).expect("every compartment is in a zone");
            let (mut states, parameters) = (self.zones[z].states(lane), self.zones[z].lane_parameters(lane));
            states[self.state] = self.voltage[row * self.cells];
            // As it stands at the start, where nothing is driven.
            let inputs = self.zones[z].inputs(|_| 0.0);
            let values = Values {
                states: &states,
                parameters: &parameters,
                inputs: &inputs,
                time: Some(0.0),
                ..Values::default()
            };
            let rate = tapes[z].value(&values);
            farads[unit] = self.capacity[row * self.cells] * half * self.h;
            siemens[unit] = -rate * farads[unit];
        }
        // Conductance out of each row: to its neighbours, and through the membrane where it is no node.
        let mut out = self.solver.sums();
        for (unit, &row) in self.rows.of.iter().enumerate().filter(|(unit, _)| *unit < c.count) {
            let k = self.rows.place[row as usize] as usize * self.cells;
            out[k..k + self.cells].iter_mut().for_each(|sum| *sum += siemens[unit]);
        }
        let mut resistance_at = |unit: usize| {
            self.solver.diagonal.copy_from_slice(&out);
            self.solver.right.fill(0.0);
            let k = self.rows.place[self.rows.of[unit] as usize] as usize * self.cells;
            self.solver.right[k] = 1.0;
            self.solver.solve();
            self.solver.right[k]
        };
        c.tree
            .sections
            .iter()
            .zip(&c.ranges)
            .enumerate()
            .map(|(s, (section, &(first, n)))| {
                let range = first..first + n;
                let sum = |list: &[f64]| list[range.clone()].iter().sum::<f64>();
                let (area, length) = (sum(&c.area), sum(&c.length));
                let constant = |u: usize| (c.diameter[u] / (4.0 * resistivity(u) * siemens[u] / c.area[u])).sqrt();
                let electrotonic: f64 = range.clone().map(|u| c.length[u] / constant(u)).sum();
                Electrotonic {
                    section: section.name.clone(),
                    length,
                    diameter: area / (std::f64::consts::PI * length),
                    tau: sum(&farads) / sum(&siemens),
                    lambda: length / electrotonic,
                    electrotonic,
                    input_resistance: resistance_at(c.ends[s].0),
                }
            })
            .collect()
    }
}
