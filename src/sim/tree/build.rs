//! From a resolved tree to cells in memory.

use std::ops::Range;

use super::solver::{Solver, order};
use super::watch::Watch;
use super::zone::{Common, Zone};
use super::{Effects, Electrode, Events, Neighbour, Rows, Tree};
use crate::stepper::UnitValues;
use crate::values::at;
use spikedeck_equation::graph::{Node, Symbol};
use spikedeck_equation::space::OperatorKind;
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::{EventId, Integrator, PopulationSpec, SpikeTimes, TreeSpec};

/// What a tree is built from.
pub(crate) struct TreeBuild<'a> {
    pub population: &'a PopulationSpec,
    pub tree: &'a TreeSpec,
    /// Values of all units of the population.
    pub parameters: &'a [UnitValues],
    pub initial: &'a [UnitValues],
    /// The cells of this thread.
    pub cells: Range<usize>,
    pub dt: f64,
    pub seed: u64,
    /// For each input port, the units of the population that something drives.
    pub driven: &'a [Vec<u32>],
    pub second_order: bool,
    pub spike_times: SpikeTimes,
}

/// The scheme of a tree, with the reason: whether it is of second order.
pub(crate) fn scheme(asked: Integrator) -> (bool, &'static str) {
    match asked {
        Integrator::Auto => {
            (false, "implicit along the tree, of order 1; gates by exponential Euler (crank_nicolson is of order 2)")
        }
        Integrator::BackwardEuler => (false, "named in the scenario or model; gates by exponential Euler"),
        Integrator::CrankNicolson => {
            (true, "named in the scenario or model; gates stand half a step beside the voltage")
        }
        other => unreachable!("the scenario refuses {other:?} on a tree"),
    }
}

/// What is coupled along a tree.
struct Axial {
    /// The state, and the port of its operator.
    state: usize,
    port: usize,
    resistivity: Tape,
}

/// What stands beside the couplings in the linear system, one value a row and cell.
struct Membranes {
    voltage: Vec<f64>,
    capacity: Vec<f64>,
    base: Vec<f64>,
}

impl Rows {
    /// Rows zone by zone, then nodes, which are the last of all units; `order` names the units as the solver has them.
    fn new(zones: &[Zone], (nodes, units): (usize, usize), order: &[usize]) -> Self {
        let (mut starts, mut units_of) = (Vec::new(), Vec::with_capacity(units));
        for zone in zones {
            starts.push(units_of.len());
            units_of.extend(zone.compartments.iter().copied());
        }
        let membranes = units_of.len();
        units_of.extend(nodes as u32..units as u32);
        let (mut of, mut place) = (vec![0; units], vec![0; units]);
        units_of.iter().enumerate().for_each(|(row, &u)| of[u as usize] = row as u32);
        order.iter().enumerate().for_each(|(k, &u)| place[of[u] as usize] = k as u32);
        Self { starts, membranes, units: units_of, of, place }
    }
}

impl TreeBuild<'_> {
    fn value(&self, columns: &[UnitValues], index: usize, unit: usize) -> f64 {
        at(&columns[index], self.cells.start * self.tree.units() + unit)
    }

    /// The resistivity of each unit of the first cell.
    ///
    /// # Errors
    /// Equations that are not those of a tree.
    pub fn resistivity(&self) -> Result<impl Fn(usize) -> f64 + '_, String> {
        let tape = self.axial()?.resistivity;
        Ok(move |unit: usize| self.of_parameters(&tape, unit))
    }

    /// Index of the voltage among the states.
    ///
    /// # Errors
    /// Equations that are not those of a tree.
    pub(super) fn voltage(&self) -> Result<usize, String> {
        Ok(self.axial()?.state)
    }

    /// Value of an expression of parameters in a unit.
    fn of_parameters(&self, tape: &Tape, unit: usize) -> f64 {
        tape.value(&Values { parameters: &self.parameters_of(unit), ..Values::default() })
    }

    /// Parameters of a unit of the first cell.
    pub(super) fn parameters_of(&self, unit: usize) -> Vec<f64> {
        (0..self.parameters.len()).map(|i| self.value(self.parameters, i, unit)).collect()
    }

    /// Builds the cells of one thread.
    ///
    /// # Errors
    /// Equations or values that do not fit, in words.
    pub fn build(&self) -> Result<Tree, String> {
        let system = &self.population.system;
        let (units, cells) = (self.tree.units(), self.cells.len());
        let axial = self.axial()?;
        let substeps = self.population.substeps.max(1);
        let dt = self.dt * system.parts().time_unit.per_second();
        let h = dt / f64::from(substeps);
        let zones = self.zones(&axial, h)?;
        let links: Vec<(usize, usize)> = self.tree.compartments.links.iter().map(|l| (l.a, l.b)).collect();
        let (solved, parents) = order(units, &links);
        let rows = Rows::new(&zones, (self.tree.compartments.count, units), &solved);
        let solver = self.solver(&axial, &parents)?;
        let Membranes { voltage, capacity, base } = self.membranes(&axial, &rows, &solver, h)?;
        let events = self.events(&zones, &rows, axial.state);
        let held = self.tree.held.iter().flat_map(|&(u, v)| (0..cells).map(move |cell| (u, cell, v)));
        let mut out = Tree {
            system: system.clone(),
            state: axial.state,
            port: axial.port,
            cells,
            units,
            electrodes: self.electrodes(&zones, &rows, axial.port),
            nodes: self.nodes(&axial, &rows)?,
            held: held.map(|(u, cell, v)| (rows.of[u as usize] as usize * cells + cell, v)).collect(),
            watch: self.watch(&zones, &rows, axial.state, dt)?,
            zones,
            rows,
            voltage,
            capacity,
            base,
            solver,
            second_order: self.second_order,
            substeps,
            h,
            injected: vec![0.0; units * cells],
            events,
            work: Vec::new(),
        };
        // Nodes start at what their neighbours leave them.
        for &(at, value) in &out.held {
            out.voltage[at] = value;
        }
        out.follow();
        out.latch();
        Ok(out)
    }

    /// Part of a step after which the voltage is solved for.
    fn part(&self) -> f64 {
        if self.second_order { 0.5 } else { 1.0 }
    }

    /// Compartments that carry the same mechanisms, compiled.
    fn zones(&self, axial: &Axial, h: f64) -> Result<Vec<Zone>, String> {
        let common = Common {
            state: axial.state,
            port: axial.port,
            h,
            first: self.part() * h,
            cells: self.cells.len(),
            units: self.tree.units(),
            first_unit: (self.cells.start * self.tree.units()) as u32,
            seed: self.seed,
            entity: &format!("populations.{}", self.population.name),
            driven: &|port| !self.driven[port.index()].is_empty(),
            parameter: &|id, unit| self.value(self.parameters, id.index(), unit),
            initial: &|id, unit| self.value(self.initial, id.index(), unit),
            steady: &|state| self.tree.steady[state.index()],
        };
        self.tree.zones.iter().map(|z| Zone::new(z, &common)).collect()
    }

    /// What a link between two compartments of a cell conducts.
    fn conductance(&self, axial: &Axial, link: usize, cell: usize) -> Result<f64, String> {
        let l = &self.tree.compartments.links[link];
        let mut sum = 0.0;
        for side in 0..2 {
            sum += l.inside[side] * self.of_parameters(&axial.resistivity, cell * self.tree.units() + l.of[side]);
        }
        if sum > 0.0 && sum.is_finite() {
            Ok(1.0 / sum)
        } else {
            Err("the axial resistance between two compartments is not above zero".to_owned())
        }
    }

    /// The linear system of the couplings, from each unit to its parent.
    fn solver(&self, axial: &Axial, parents: &[(usize, usize)]) -> Result<Solver, String> {
        let cells = self.cells.len();
        let mut coupling = Vec::with_capacity(parents.len() * cells);
        for &(_, link) in parents {
            for cell in 0..cells {
                coupling.push(self.conductance(axial, link, cell)?);
            }
        }
        Ok(Solver::new(parents.iter().map(|x| x.0 as u32).collect(), coupling, cells))
    }

    /// Voltages at the beginning, capacitances over the step, and these with all couplings.
    fn membranes(&self, axial: &Axial, rows: &Rows, solver: &Solver, h: f64) -> Result<Membranes, String> {
        let (units, cells) = (self.tree.units(), self.cells.len());
        let zeros = || vec![0.0; units * cells];
        let mut out = Membranes { voltage: zeros(), capacity: zeros(), base: zeros() };
        let sums = solver.sums();
        let farads = self.capacitance(axial)?;
        for (r, &unit) in rows.units.iter().enumerate() {
            for cell in 0..cells {
                let at = r * cells + cell;
                let global = cell * units + unit as usize;
                out.voltage[at] = self.value(self.initial, axial.state, global);
                if r < rows.membranes {
                    let f = self.of_parameters(&farads, global);
                    if !(f > 0.0 && f.is_finite()) {
                        return Err(format!("the capacitance of {} is not above zero", self.tree.name(unit as usize)));
                    }
                    out.capacity[at] = f / (self.part() * h);
                }
                out.base[at] = out.capacity[at] + sums[rows.place[r] as usize * cells + cell];
            }
        }
        Ok(out)
    }

    /// Rows of nodes, with their neighbours and the couplings with them.
    fn nodes(&self, axial: &Axial, rows: &Rows) -> Result<Vec<(usize, Vec<Neighbour>)>, String> {
        let (units, cells) = (self.tree.units(), self.cells.len());
        let mut near: Vec<Vec<Neighbour>> = vec![Vec::new(); units];
        for (k, l) in self.tree.compartments.links.iter().enumerate() {
            let g = (0..cells).map(|cell| self.conductance(axial, k, cell)).collect::<Result<Vec<_>, _>>()?;
            near[l.a].push((rows.of[l.b] as usize, g.clone()));
            near[l.b].push((rows.of[l.a] as usize, g));
        }
        Ok((rows.membranes..units).map(|r| (r, std::mem::take(&mut near[rows.units[r] as usize]))).collect())
    }

    /// What watches the places that spike.
    fn watch(&self, zones: &[Zone], rows: &Rows, state: usize, dt: f64) -> Result<Watch, String> {
        let (units, cells, spiking) = (self.tree.units(), self.cells.len(), &self.tree.spiking);
        let places = (0..cells).flat_map(|cell| spiking.iter().map(move |&u| (u, cell)));
        let watched: Vec<usize> = places.map(|(u, cell)| rows.of[u as usize] as usize * cells + cell).collect();
        let nodes: Vec<bool> = watched.iter().map(|at| at / cells >= rows.membranes).collect();
        let parameters = |k: usize| {
            let (cell, u) = (k / spiking.len(), spiking[k % spiking.len()]);
            self.parameters_of(cell * units + u as usize)
        };
        let interpolated = self.spike_times == SpikeTimes::Interpolated;
        Watch::new(self.population.system.parts(), zones, state, (watched, &nodes), &parameters, interpolated, dt)
    }

    /// The state that is coupled along the tree, the port of its operator, and its resistivity.
    fn axial(&self) -> Result<Axial, String> {
        let p = self.population.system.parts();
        let mut found = p.operators.iter().filter_map(|o| match (&o.kind, p.graph.node(o.argument)) {
            (OperatorKind::Axial(r), Node::Symbol(Symbol::State(s))) => {
                Some(Axial { state: s as usize, port: o.input, resistivity: Tape::new(&p.graph, &[*r]) })
            }
            _ => None,
        });
        match (found.next(), found.next(), p.operators.len()) {
            (Some(one), None, 1) => Ok(one),
            _ => Err("a tree has one operator in its equations, `axial` of the voltage".to_owned()),
        }
    }

    /// Capacitance of a compartment: one over the factor before the axial current.
    fn capacitance(&self, axial: &Axial) -> Result<Tape, String> {
        let p = self.population.system.parts();
        let mut g = p.graph.clone();
        let factor =
            spikedeck_equation::derive::derivative(&mut g, p.drift[axial.state], Symbol::Input(axial.port as u32));
        if g.depends(factor, |s| !matches!(s, Symbol::Parameter(_))) {
            return Err("the factor before `axial` is made of parameters only".to_owned());
        }
        let one = g.number(1.0);
        let inverse = g.div(one, factor);
        Ok(Tape::new(&g, &[inverse]))
    }

    /// Where inputs that add in proportion act, with their factors. On nodes, which have no membrane, a current is a
    /// current.
    fn electrodes(&self, zones: &[Zone], rows: &Rows, port: usize) -> Vec<Electrode> {
        let p = self.population.system.parts();
        let (units, cells) = (self.tree.units(), self.cells.len());
        let first = self.cells.start * units;
        let mut out = Vec::new();
        for (i, driven) in self.driven.iter().enumerate().filter(|(i, d)| *i != port && !d.is_empty()) {
            let mut list = Vec::new();
            for &unit in driven.iter().filter(|u| (first..first + units * cells).contains(&(**u as usize))) {
                let local = unit as usize - first;
                let (r, cell) = (rows.of[local % units] as usize, local / units);
                let factor = if r >= rows.membranes {
                    (p.inputs[i].dimension == p.inputs[port].dimension).then_some(1.0)
                } else {
                    let (z, lane) = rows.lane(zones, r, cell, cells).expect("rows before those of nodes are of zones");
                    zones[z].in_proportion(i, lane)
                };
                list.extend(factor.map(|f| (local as u32, (r * cells + cell) as u32, f)));
            }
            out.push((i, list));
        }
        out
    }

    /// Where events arrive and what they do.
    fn events(&self, zones: &[Zone], rows: &Rows, voltage: usize) -> Events {
        let mut out = Events::default();
        for (slots, port) in self.tree.slots.iter().zip(self.population.event_ids()) {
            let find = |c: &u32| {
                let lane = rows.lane(zones, rows.of[*c as usize] as usize, 0, 1);
                let (z, compartment) = lane.expect("receptors are on compartments, not on nodes");
                (z as u32, compartment as u32)
            };
            out.slots.push(slots.iter().map(find).collect());
            out.effects.push(zones.iter().map(|z| effects(z, port)).collect());
        }
        let answers = zones.iter().enumerate().map(|(z, zone)| {
            let parts = zone.system.parts();
            let effects = out.effects.iter().flat_map(|e| e[z].iter().map(|(s, _)| *s));
            let changed: Vec<usize> = effects.filter(|s| *s != voltage).collect();
            let touched = |s: Symbol| matches!(s, Symbol::State(i) if changed.contains(&(i as usize)));
            let states =
                (0..parts.states.len()).filter(|&i| i != voltage && parts.graph.depends(parts.drift[i], touched));
            states.map(|i| (i, Tape::new(&parts.graph, &[parts.drift[i]]))).collect()
        });
        out.answers = answers.collect();
        out
    }
}

/// What an event at a port of the population does in a zone: nothing where the zone does not have it.
fn effects(zone: &Zone, port: EventId) -> Effects {
    let parts = zone.system.parts();
    let Some(own) = zone.parts.events.iter().position(|e| *e == port) else { return Vec::new() };
    parts.effects[own].iter().map(|(s, gain)| (*s, Tape::new(&parts.graph, &[*gain]))).collect()
}
