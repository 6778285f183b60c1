//! Observers of trees: any quantity of the population, where it is there; not a number elsewhere.

use super::Tree;
use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::VariableId;

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
    Parameter(usize),
    Expression(Tape),
}

impl Tree {
    /// An observer of a quantity of the population. A zone has it under a number of its own, or not at all: where no
    /// compartment carries the mechanism that it belongs to.
    pub fn probe(&self, variable: VariableId) -> TreeProbe {
        let mut ports: Vec<usize> = Vec::new();
        let zones = self.zones.iter().map(|z| {
            let p = z.system.parts();
            let mut expression = |graph: &Graph, id: Id| {
                let symbols = graph.symbols(id).into_iter();
                ports.extend(symbols.filter_map(|s| if let Symbol::Input(i) = s { Some(z.port(i)) } else { None }));
                Seen::Expression(Tape::new(graph, &[id]))
            };
            let Some(own) = z.parts.number(variable) else { return Seen::Absent };
            match variable {
                VariableId::State(_) => Seen::State(own),
                VariableId::Parameter(_) => Seen::Parameter(own),
                VariableId::Subexpression(_) => expression(&p.graph, p.subexpression_ids[own]),
                VariableId::Input(_) => expression(&p.graph, p.port_totals[own]),
            }
        });
        let zones = zones.collect();
        let voltage = matches!(variable, VariableId::State(id) if id.index() == self.state);
        TreeProbe { zones, voltage, flow: ports.contains(&self.port), ports }
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
        let time = self.time_at(step);
        let mut values = vec![0.0; self.system.inputs().len()];
        for &u in units {
            let (row, cell) = (self.rows.of[u as usize % self.units] as usize, u as usize / self.units);
            let Some((z, lane)) = self.lane(row, cell) else {
                out.push(f64::NAN);
                continue;
            };
            match &probe.zones[z] {
                Seen::Absent => out.push(f64::NAN),
                Seen::State(i) => out.push(self.zones[z].program.state(*i)[lane]),
                Seen::Parameter(i) => out.push(self.zones[z].program.lane_parameter(*i, lane)),
                Seen::Expression(tape) => {
                    for (v, port) in values.iter_mut().zip(inputs) {
                        *v = if port.is_empty() { 0.0 } else { port[u as usize] };
                    }
                    if probe.flow {
                        values[self.port] = self.work[self.rows.place[row] as usize * self.cells + cell];
                    }
                    let mut states = self.zones[z].states(lane);
                    states[self.state] = self.voltage[row * self.cells + cell];
                    let parameters = self.zones[z].lane_parameters(lane);
                    let inputs = self.zones[z].inputs(|port| values[port]);
                    out.push(tape.value(&Values {
                        states: &states,
                        parameters: &parameters,
                        inputs: &inputs,
                        time: Some(time),
                        ..Values::default()
                    }));
                }
            }
        }
    }
}
