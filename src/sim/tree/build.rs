//! From a resolved tree to cells in memory.

use std::ops::Range;

use super::solver::{Solver, order};
use super::watch::Watch;
use super::zone::{Common, Zone};
use super::{Effects, Electrode, Tree};
use crate::stepper::Column;
use crate::values::at;
use spikedeck_equation::graph::{Node, Symbol};
use spikedeck_equation::space::OperatorKind;
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::{Integrator, PopulationSpec, SpikeTimes, TreeSpec};

/// What a tree is built from.
pub(crate) struct TreeBuild<'a> {
    pub population: &'a PopulationSpec,
    pub tree: &'a TreeSpec,
    /// Values of all units of the population.
    pub parameters: &'a [Column],
    pub initial: &'a [Column],
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

impl TreeBuild<'_> {
    fn value(&self, columns: &[Column], index: usize, unit: usize) -> f64 {
        at(&columns[index], self.cells.start * self.tree.units() + unit)
    }

    /// The resistivity of each unit of the first cell.
    ///
    /// # Errors
    /// Equations that are not those of a tree.
    pub fn resistivity(&self) -> Result<impl Fn(usize) -> f64 + '_, String> {
        let (_, _, tape) = self.axial()?;
        Ok(move |unit: usize| {
            let parameters: Vec<f64> =
                (0..self.parameters.len()).map(|i| self.value(self.parameters, i, unit)).collect();
            tape.value(&Values { parameters: &parameters, ..Values::default() })
        })
    }

    /// Builds the cells of one thread.
    ///
    /// # Errors
    /// Equations or values that do not fit, in words.
    pub fn build(&self) -> Result<Tree, String> {
        let system = &self.population.system;
        let p = system.parts();
        let (tree, units, cells) = (self.tree, self.tree.units(), self.cells.len());
        let (state, port, resistivity) = self.axial()?;
        let substeps = self.population.substeps.max(1);
        let per_second = p.time_unit.per_second();
        let h = self.dt * per_second / f64::from(substeps);
        let half = if self.second_order { 0.5 } else { 1.0 };
        let entity = format!("populations.{}", self.population.name);
        let value = |name: &str, unit: usize| -> f64 {
            if let Some(i) = p.parameters.iter().position(|v| v.name == name) {
                return self.value(self.parameters, i, unit);
            }
            let state = p.states.iter().position(|v| v.name == name);
            let state = state.expect("parameters and states of a zone are called as in the population's system");
            self.value(self.initial, state, unit)
        };
        let steady = |name: &str| p.states.iter().position(|v| v.name == name).is_some_and(|i| tree.steady[i]);
        let ports = |name: &str| {
            let i = p.inputs.iter().position(|v| v.name == name);
            let i = i.expect("ports of a zone are called as in the population's system");
            (i, !self.driven[i].is_empty())
        };
        let common = Common {
            state,
            port,
            h,
            first: half * h,
            cells,
            units,
            first_unit: (self.cells.start * units) as u32,
            seed: self.seed,
            entity: &entity,
            ports: &ports,
            value: &value,
            steady: &steady,
        };
        let zones = tree.zones.iter().map(|z| Zone::new(z, &common)).collect::<Result<Vec<_>, _>>()?;

        // Rows: zone by zone, then nodes.
        let c = &tree.compartments;
        let mut starts = Vec::new();
        let mut unit_of: Vec<usize> = Vec::with_capacity(units);
        for z in &zones {
            starts.push(unit_of.len());
            unit_of.extend(z.compartments.iter().map(|&u| u as usize));
        }
        let membranes = unit_of.len();
        unit_of.extend(c.count..units);
        let mut row = vec![0u32; units];
        unit_of.iter().enumerate().for_each(|(r, &u)| row[u] = r as u32);

        let lane_parameters = |unit: usize| -> Vec<f64> {
            (0..p.parameters.len()).map(|i| self.value(self.parameters, i, unit)).collect()
        };
        let links: Vec<(usize, usize)> = c.links.iter().map(|l| (l.a, l.b)).collect();
        let (solved, parents) = order(units, &links);
        let mut place = vec![0u32; units];
        solved.iter().enumerate().for_each(|(k, &u)| place[row[u] as usize] = k as u32);
        let mut coupling = Vec::with_capacity(parents.len() * cells);
        let axial = |link: usize, cell: usize| -> Result<f64, String> {
            let l = &c.links[link];
            let mut sum = 0.0;
            for side in 0..2 {
                let r = resistivity
                    .value(&Values { parameters: &lane_parameters(cell * units + l.of[side]), ..Values::default() });
                sum += l.inside[side] * r;
            }
            if sum > 0.0 && sum.is_finite() {
                Ok(1.0 / sum)
            } else {
                Err("the axial resistance between two compartments is not above zero".to_owned())
            }
        };
        for &(_, link) in &parents {
            for cell in 0..cells {
                coupling.push(axial(link, cell)?);
            }
        }
        let solver = Solver::new(parents.iter().map(|x| x.0 as u32).collect(), coupling, cells);
        let sums = solver.sums();

        let n = units * cells;
        let (mut voltage, mut capacity, mut base) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let farads = self.capacitance(state, port)?;
        for (r, &unit) in unit_of.iter().enumerate() {
            for cell in 0..cells {
                let at = r * cells + cell;
                let global = cell * units + unit;
                voltage[at] = self.value(self.initial, state, global);
                if r < membranes {
                    let f = farads.value(&Values { parameters: &lane_parameters(global), ..Values::default() });
                    if !(f > 0.0 && f.is_finite()) {
                        return Err(format!("the capacitance of {} is not above zero", tree.name(unit)));
                    }
                    capacity[at] = f / (half * h);
                }
                base[at] = capacity[at] + sums[place[r] as usize * cells + cell];
            }
        }
        let mut near: Vec<Vec<(usize, Vec<f64>)>> = vec![Vec::new(); units];
        for (k, l) in c.links.iter().enumerate() {
            let g = (0..cells).map(|cell| axial(k, cell)).collect::<Result<Vec<_>, _>>()?;
            near[l.a].push((row[l.b] as usize, g.clone()));
            near[l.b].push((row[l.a] as usize, g));
        }
        let nodes = (membranes..units).map(|r| (r, std::mem::take(&mut near[unit_of[r]]))).collect();

        let mut out = Tree {
            system: system.clone(),
            state,
            port,
            cells,
            units,
            electrodes: self.electrodes(&zones, &row, port, membranes),
            zones,
            starts,
            place,
            voltage,
            capacity,
            base,
            solver,
            nodes,
            second_order: self.second_order,
            substeps,
            h,
            injected: vec![0.0; n],
            held: tree
                .held
                .iter()
                .flat_map(|&(u, v)| (0..cells).map(move |cell| (u, cell, v)))
                .map(|(u, cell, v)| (row[u as usize] as usize * cells + cell, v))
                .collect(),
            slots: Vec::new(),
            effects: Vec::new(),
            answers: Vec::new(),
            watch: Watch::default(),
            work: Vec::new(),
            row,
        };
        // Nodes start at what their neighbours leave them.
        for &(at, value) in &out.held {
            out.voltage[at] = value;
        }
        out.follow();
        self.receive(&mut out);
        let watched: Vec<usize> = (0..cells)
            .flat_map(|cell| tree.spiking.iter().map(move |&u| (u, cell)))
            .map(|(u, cell)| out.row[u as usize] as usize * cells + cell)
            .collect();
        let parameters = |k: usize| {
            let (cell, u) = (k / tree.spiking.len(), tree.spiking[k % tree.spiking.len()]);
            lane_parameters(cell * units + u as usize)
        };
        let interpolated = self.spike_times == SpikeTimes::Interpolated;
        out.watch = Watch::new(p, &out.zones, state, watched, &parameters, interpolated, self.dt * per_second)?;
        Ok(out)
    }

    /// The state that is coupled along the tree, the port of its operator, and its resistivity.
    fn axial(&self) -> Result<(usize, usize, Tape), String> {
        let p = self.population.system.parts();
        let mut found = p.operators.iter().filter_map(|o| match (&o.kind, p.graph.node(o.argument)) {
            (OperatorKind::Axial(r), Node::Symbol(Symbol::State(s))) => {
                Some((s as usize, o.input, Tape::new(&p.graph, &[*r])))
            }
            _ => None,
        });
        match (found.next(), found.next(), p.operators.len()) {
            (Some(one), None, 1) => Ok(one),
            _ => Err("a tree has one operator in its equations, `axial` of the voltage".to_owned()),
        }
    }

    /// Capacitance of a compartment: one over the factor before the axial current.
    fn capacitance(&self, state: usize, port: usize) -> Result<Tape, String> {
        let p = self.population.system.parts();
        let mut g = p.graph.clone();
        let factor = spikedeck_equation::derive::derivative(&mut g, p.drift[state], Symbol::Input(port as u32));
        if g.depends(factor, |s| !matches!(s, Symbol::Parameter(_))) {
            return Err("the factor before `axial` is made of parameters only".to_owned());
        }
        let one = g.number(1.0);
        let inverse = g.div(one, factor);
        Ok(Tape::new(&g, &[inverse]))
    }

    /// Where inputs that add in proportion act, with their factors. On nodes, which have no membrane, a current is a
    /// current.
    fn electrodes(&self, zones: &[Zone], row: &[u32], port: usize, membranes: usize) -> Vec<Electrode> {
        let p = self.population.system.parts();
        let (units, cells) = (self.tree.units(), self.cells.len());
        let first = self.cells.start * units;
        let mut out = Vec::new();
        for (i, driven) in self.driven.iter().enumerate().filter(|(i, d)| *i != port && !d.is_empty()) {
            let mut list = Vec::new();
            for &unit in driven.iter().filter(|u| (first..first + units * cells).contains(&(**u as usize))) {
                let local = unit as usize - first;
                let (r, cell) = (row[local % units] as usize, local / units);
                let factor = if r >= membranes {
                    if p.inputs[i].dimension == p.inputs[port].dimension { Some(1.0) } else { None }
                } else {
                    let zone = zones.iter().find(|z| z.compartments.contains(&((local % units) as u32)));
                    zone.and_then(|z| {
                        let own = z.system.inputs().iter().position(|v| v.name == p.inputs[i].name)?;
                        let lane = z.compartments.iter().position(|u| *u as usize == local % units)? * cells + cell;
                        let parameters = z.lane_parameters(lane);
                        Some(
                            z.proportional[own]
                                .as_ref()?
                                .value(&Values { parameters: &parameters, ..Values::default() }),
                        )
                    })
                };
                list.extend(factor.map(|f| (local as u32, (r * cells + cell) as u32, f)));
            }
            out.push((i, list));
        }
        out
    }

    /// Where events arrive and what they do.
    fn receive(&self, out: &mut Tree) {
        for (slots, port) in self.tree.slots.iter().zip(self.population.system.event_ports()) {
            let find = |c: &u32| {
                let row = out.row[*c as usize] as usize;
                out.lane(row, 0).map_or((0, 0), |(z, lane)| (z as u32, (lane / out.cells) as u32))
            };
            let places = slots.iter().map(find).collect();
            let effects = out
                .zones
                .iter()
                .map(|z| -> Effects {
                    let parts = z.system.parts();
                    let own = parts.events.iter().position(|e| e.name == port.name);
                    own.map_or_else(Vec::new, |own| {
                        parts.effects[own].iter().map(|(s, gain)| (*s, Tape::new(&parts.graph, &[*gain]))).collect()
                    })
                })
                .collect();
            out.slots.push(places);
            out.effects.push(effects);
        }
        let answers = out.zones.iter().enumerate().map(|(z, zone)| {
            let parts = zone.system.parts();
            let changed: Vec<usize> =
                out.effects.iter().flat_map(|e| e[z].iter().map(|(s, _)| *s)).filter(|s| *s != out.state).collect();
            let touched = |s: Symbol| matches!(s, Symbol::State(i) if changed.contains(&(i as usize)));
            let states =
                (0..parts.states.len()).filter(|&i| i != out.state && parts.graph.depends(parts.drift[i], touched));
            states.map(|i| (i, Tape::new(&parts.graph, &[parts.drift[i]]))).collect()
        });
        out.answers = answers.collect();
    }
}
