//! Observers of trees: anything that has a name, where it is there; zero elsewhere.

use super::Tree;
use spikedeck_equation::graph::Symbol;
use spikedeck_equation::tape::{Tape, Values};

/// A compiled observer: one for each zone.
#[derive(Debug, Clone)]
pub(crate) struct TreeProbe {
    /// What it is in each zone.
    zones: Vec<Seen>,
    /// Whether it is the voltage, which nodes have as well.
    voltage: bool,
    /// Whether it reads what flows along the tree.
    flow: bool,
    /// Input ports that it reads.
    ports: Vec<usize>,
}

impl TreeProbe {
    /// Whether it reads an input port.
    pub fn reads(&self, port: usize) -> bool {
        self.ports.contains(&port)
    }
}

#[derive(Debug, Clone)]
enum Seen {
    Absent,
    State(usize),
    Expression(Tape),
}

impl Tree {
    /// An observer of any state, parameter, input or subexpression.
    ///
    /// # Errors
    /// When there is no such name.
    pub fn probe(&self, variable: &str) -> Result<TreeProbe, String> {
        if self.system.observable(variable).is_none() {
            return Err(format!("there is no `{variable}` to record"));
        }
        let mut flow = false;
        let mut ports: Vec<usize> = Vec::new();
        let zones = self
            .zones
            .iter()
            .map(|z| {
                if let Some(i) = z.system.states().iter().position(|v| v.name == variable) {
                    return Seen::State(i);
                }
                let Some((id, _)) = z.system.observable(variable) else { return Seen::Absent };
                let graph = &z.system.parts().graph;
                let inputs = graph
                    .symbols(id)
                    .into_iter()
                    .filter_map(|s| if let Symbol::Input(i) = s { Some(i as usize) } else { None });
                ports.extend(inputs);
                flow |= ports.contains(&self.port);
                Seen::Expression(Tape::new(graph, &[id]))
            })
            .collect();
        Ok(TreeProbe { zones, voltage: self.system.states()[self.state].name == variable, flow, ports })
    }

    /// Appends the values at grid point `step` for units of this thread.
    pub fn sample(&mut self, probe: &TreeProbe, step: u64, inputs: &[&[f64]], units: &[u32], out: &mut Vec<f64>) {
        if probe.voltage {
            let place = |u: u32| self.rows.of[u as usize % self.units] as usize * self.cells + u as usize / self.units;
            out.extend(units.iter().map(|&u| self.voltage[place(u)]));
            return;
        }
        if probe.flow {
            let n = self.voltage.len();
            let mut ordered = vec![0.0; n];
            for (row, &p) in self.rows.place.iter().enumerate() {
                for c in 0..self.cells {
                    ordered[p as usize * self.cells + c] = self.voltage[row * self.cells + c];
                }
            }
            self.work.clear();
            self.work.resize(n, 0.0);
            self.solver.flow(&ordered, &mut self.work);
        }
        let time = step as f64 * self.h * f64::from(self.substeps);
        let mut values = vec![0.0; inputs.len()];
        for &u in units {
            let (row, cell) = (self.rows.of[u as usize % self.units] as usize, u as usize / self.units);
            let Some((z, lane)) = self.lane(row, cell) else {
                out.push(0.0);
                continue;
            };
            match &probe.zones[z] {
                Seen::Absent => out.push(0.0),
                Seen::State(i) => out.push(self.zones[z].program.state(*i)[lane]),
                Seen::Expression(tape) => {
                    for (v, port) in values.iter_mut().zip(inputs) {
                        *v = port.get(u as usize).copied().unwrap_or(0.0);
                    }
                    if probe.flow {
                        values[self.port] = self.work[self.rows.place[row] as usize * self.cells + cell];
                    }
                    let mut states = self.zones[z].states(lane);
                    states[self.state] = self.voltage[row * self.cells + cell];
                    let parameters = self.zones[z].lane_parameters(lane);
                    out.push(tape.value(&Values {
                        states: &states,
                        parameters: &parameters,
                        inputs: &values,
                        time,
                        ..Values::default()
                    }));
                }
            }
        }
    }
}
