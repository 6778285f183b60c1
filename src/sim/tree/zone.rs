//! Compartments that carry the same mechanisms: one program makes their states a step later, and from these the
//! membrane's current and its slope.

use crate::integrator::Problem;
use spikedeck_core::normal;
use spikedeck_core::rng::Key;
use spikedeck_core::units::Dimension;
use spikedeck_equation::System;
use spikedeck_equation::derive::derivative;
use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::kernel::{Kernel, Memory, Place, Plan, fill_hoisted};
use spikedeck_equation::tape::{Tape, Values};

/// What all zones of a tree have in common.
pub struct Common<'a> {
    /// State whose change along the tree is implicit, and the input port of its operator.
    pub state: usize,
    pub port: usize,
    /// Step in the time of the equations, and the part of it after which the first states stand.
    pub h: f64,
    pub first: f64,
    /// Number of cells, units of a cell.
    pub cells: usize,
    pub units: usize,
    /// First unit (keys the noise).
    pub first_unit: u32,
    pub seed: u64,
    pub entity: &'a str,
    /// Index of a port in the population's system by name, and whether something drives it.
    pub ports: &'a dyn Fn(&str) -> (usize, bool),
    /// Value of a parameter or initial state of the population by name, for a unit on this thread.
    pub value: &'a dyn Fn(&str, usize) -> f64,
    /// Whether a state starts where its rate is zero.
    pub steady: &'a dyn Fn(&str) -> bool,
}

/// A zone at run time. Lanes: compartment by compartment, in each all cells.
#[derive(Debug)]
pub struct Zone {
    pub system: System,
    /// Compartments of a cell.
    pub compartments: Vec<u32>,
    pub memory: Memory,
    /// Columns of the current and its slope.
    pub current: usize,
    pub slope: usize,
    /// The program of the first step, where states stand between the steps of the voltage, and of all others.
    first: Option<Kernel>,
    kernel: Kernel,
    /// Where each parameter is.
    pub parameters: Vec<Place>,
    /// Ports that the program reads, and their registers.
    ports: Vec<(usize, usize)>,
    noise: Vec<(Key, usize)>,
    time: Option<usize>,
    cells: usize,
    units: usize,
    first_unit: u32,
    /// Coefficient of each port that adds to the current in proportion: expression of parameters.
    pub proportional: Vec<Option<Tape>>,
}

/// A system with its shared parameters as numbers.
struct Folded {
    graph: Graph,
    drift: Vec<Id>,
    diffusion: Vec<Option<Id>>,
}

/// Current into the membrane, its slope, and the coefficients of ports that add to it in proportion.
struct Membrane {
    current: Id,
    slope: Id,
    proportional: Vec<Option<Tape>>,
    graph: Graph,
}

impl Zone {
    /// Compiles the equations of a zone.
    ///
    /// # Errors
    /// Equations that do not fit an implicit tree, in words.
    pub fn new(zone: &spikedeck_scenario::Zone, c: &Common<'_>) -> Result<Self, String> {
        let system = zone.system.clone();
        let p = system.parts();
        let (n, lanes) = (p.states.len(), zone.compartments.len() * c.cells);
        let unit = |lane: usize| lane % c.cells * c.units + zone.compartments[lane / c.cells] as usize;
        let columns_of = |name: &str| -> Vec<f64> { (0..lanes).map(|lane| (c.value)(name, unit(lane))).collect() };
        let mut plan = Plan { columns: n as u32, ..Plan::default() };
        let mut lists = Vec::new();
        let parameters: Vec<Place> = p
            .parameters
            .iter()
            .map(|v| {
                let list = columns_of(&v.name);
                let first = list.first().copied().unwrap_or(0.0);
                if list.iter().all(|x| x.to_bits() == first.to_bits()) {
                    return Place::Number(first);
                }
                let column = plan.column();
                lists.push((column, list));
                Place::Column(column)
            })
            .collect();
        let folded = fold(&system, &parameters, c);
        let Membrane { current, slope, proportional, graph } =
            membrane(&system, folded.graph.clone(), folded.drift[c.state], c)?;
        let (at_current, at_slope) = (plan.column() as usize, plan.column() as usize);
        // A state for each register that all programs share.
        let rates = folded.drift.iter().enumerate().filter(|(i, _)| *i != c.state).map(|(_, &id)| id);
        let rates: Vec<Id> = rates.chain(folded.diffusion.iter().flatten().copied()).collect();
        let mut read: Vec<Symbol> = rates.iter().flat_map(|&id| folded.graph.symbols(id)).collect();
        read.extend([current, slope].iter().flat_map(|&id| graph.symbols(id)));
        read.sort_unstable();
        read.dedup();
        let inner: Vec<usize> = read
            .iter()
            .filter_map(|s| match s {
                Symbol::Input(i) if proportional[*i as usize].is_none() => Some(*i as usize),
                _ => None,
            })
            .collect();
        let registers: Vec<(usize, usize)> = inner.iter().map(|&i| (i, plan.reserve() as usize)).collect();
        let ports = registers.iter().map(|&(i, register)| ((c.ports)(&p.inputs[i].name).0, register)).collect();
        let noisy: Vec<usize> = (0..n).filter(|&i| folded.diffusion[i].is_some()).collect();
        if noisy.contains(&c.state) {
            return Err(format!(
                "`{}` has white noise, which an implicit tree does not; put a noisy stimulus on its input",
                p.states[c.state].name
            ));
        }
        let noise: Vec<(Key, usize)> = noisy
            .iter()
            .map(|&i| (Key::new(c.seed, c.entity, &format!("xi.{}", p.states[i].name)), plan.reserve() as usize))
            .collect();
        let time = read.contains(&Symbol::Time).then(|| plan.reserve() as usize);
        let bind = |s: Symbol| match s {
            Symbol::State(i) => Place::Column(i),
            Symbol::Parameter(i) => parameters[i as usize],
            Symbol::Input(i) => {
                registers.iter().find(|x| x.0 == i as usize).map_or(Place::Number(0.0), |x| Place::Scratch(x.1 as u32))
            }
            Symbol::Noise(i) => noisy
                .iter()
                .position(|&x| x == i as usize)
                .map_or(Place::Number(0.0), |k| Place::Scratch(noise[k].1 as u32)),
            Symbol::Time => time.map_or(Place::Number(0.0), |t| Place::Scratch(t as u32)),
            _ => Place::Number(f64::NAN),
        };
        let steady = |s: Symbol| matches!(s, Symbol::Parameter(_));
        let no_parameters = |_: usize| Vec::new();
        let turns = turns(&folded, c.state);
        let mut program = |h: f64| -> Kernel {
            let mut problem = Problem {
                graph: graph.clone(),
                drift: folded.drift.clone(),
                diffusion: folded.diffusion.clone(),
                h,
                cut: None,
                names: Vec::new(),
                lanes,
                parameters: &no_parameters,
                lane_values: Vec::new(),
            };
            let (mut roots, mut targets) = (Vec::new(), Vec::new());
            let mut later: Vec<Option<Id>> = vec![None; n];
            for &i in &turns {
                // What was solved before is seen at the middle of the step, so that calcium and what it opens keep the
                // order.
                let drift = problem.graph.substitute(&[folded.drift[i]], |g, s| match s {
                    Symbol::State(j) => later[j as usize].map(|new| {
                        let (old, half) = (g.symbol(s), g.number(0.5));
                        let sum = g.add(old, new);
                        g.mul(half, sum)
                    }),
                    _ => None,
                })[0];
                problem.drift[i] = drift;
                let mut new = problem.exponential_step(i);
                if let Some(factor) = problem.diffusion[i] {
                    let kick = problem.noise(i);
                    let kick = problem.graph.mul(factor, kick);
                    new = problem.graph.add(new, kick);
                }
                later[i] = Some(new);
                roots.push(new);
                targets.push(Some(Place::Column(i as u32)));
            }
            // The current is that of the states a step later, at the voltage as it is.
            let out = problem.graph.substitute(&[current, slope], |_, s| match s {
                Symbol::State(i) => later[i as usize],
                _ => None,
            });
            roots.extend(out);
            targets.extend([Some(Place::Column(at_current as u32)), Some(Place::Column(at_slope as u32))]);
            Kernel::compile(&problem.graph, &roots, &targets, &bind, &steady, &mut plan).0
        };
        let kernel = program(c.h);
        let first = (c.first < c.h).then(|| program(c.first));
        let mut memory = Memory::new(lanes, plan.columns as usize, plan.scratch as usize);
        let last = lanes.saturating_sub(1);
        let fill = |memory: &mut Memory, column: usize, list: &[f64]| {
            memory
                .padded_mut(column)
                .iter_mut()
                .enumerate()
                .for_each(|(k, v)| *v = list.get(k.min(last)).copied().unwrap_or(0.0));
        };
        for (i, s) in p.states.iter().enumerate() {
            fill(&mut memory, i, &columns_of(&s.name));
        }
        for (column, list) in &lists {
            fill(&mut memory, *column as usize, list);
        }
        fill_hoisted(&plan, &mut memory, &bind);
        let mut out = Self {
            compartments: zone.compartments.clone(),
            memory,
            current: at_current,
            slope: at_slope,
            first,
            kernel,
            parameters,
            ports,
            noise,
            time,
            cells: c.cells,
            units: c.units,
            first_unit: c.first_unit,
            proportional,
            system,
        };
        out.settle(c);
        Ok(out)
    }

    /// Lets gates start where they would settle. States that others drive (calcium by its current) need a few rounds.
    fn settle(&mut self, c: &Common<'_>) {
        let system = self.system.clone();
        let p = system.parts();
        let mut graph = p.graph.clone();
        let tapes: Vec<(usize, Tape)> = (0..p.states.len())
            .filter(|&i| (c.steady)(&p.states[i].name))
            .map(|i| {
                let slope = derivative(&mut graph, p.drift[i], Symbol::State(i as u32));
                (i, Tape::new(&graph, &[p.drift[i], slope]))
            })
            .collect();
        let inputs = vec![0.0; p.inputs.len()];
        for _ in 0..8 {
            for (i, tape) in &tapes {
                for lane in 0..self.memory.lanes {
                    let (states, parameters) = (self.states(lane), self.lane_parameters(lane));
                    let mut out = [0.0; 2];
                    tape.evaluate(
                        &Values { states: &states, parameters: &parameters, inputs: &inputs, ..Values::default() },
                        &mut out,
                    );
                    // One step of Newton; exact for gates, whose rates are linear in themselves.
                    let new = states[*i] - out[0] / out[1];
                    if new.is_finite() {
                        self.memory.column_mut(*i)[lane] = new;
                    }
                }
            }
        }
        // Lanes that pad the last chunk repeat the last one.
        for i in 0..p.states.len() {
            let last = self.memory.column(i).last().copied().unwrap_or(0.0);
            let lanes = self.memory.lanes;
            self.memory.padded_mut(i)[lanes..].fill(last);
        }
    }

    /// States of a lane.
    pub fn states(&self, lane: usize) -> Vec<f64> {
        (0..self.system.states().len()).map(|i| self.memory.column(i)[lane]).collect()
    }

    /// Parameters of a lane.
    pub fn lane_parameters(&self, lane: usize) -> Vec<f64> {
        (0..self.parameters.len()).map(|i| self.parameter(i, lane)).collect()
    }

    /// One parameter of a lane.
    pub fn parameter(&self, index: usize, lane: usize) -> f64 {
        match self.parameters[index] {
            Place::Number(v) => v,
            Place::Column(c) => self.memory.column(c as usize)[lane],
            Place::Scratch(_) => f64::NAN,
        }
    }

    /// Moves the states on, and leaves current and slope in their columns. `voltage` has one value a lane.
    pub fn step(&mut self, state: usize, voltage: &[f64], draw: u64, time: f64, first: bool, inputs: &[&[f64]]) {
        self.memory.column_mut(state).copy_from_slice(voltage);
        let kernel = self.first.as_ref().filter(|_| first).unwrap_or(&self.kernel);
        for (start, count) in self.memory.blocks() {
            let lanes = self.memory.lanes;
            let unit = |lane: usize| {
                let lane = lane.min(lanes - 1);
                lane % self.cells * self.units + self.compartments[lane / self.cells] as usize
            };
            for &(key, register) in &self.noise {
                for (k, v) in self.memory.scratch_mut(register)[..count].iter_mut().enumerate() {
                    *v = normal::normal(key, self.first_unit + unit(start + k) as u32, draw);
                }
            }
            for &(port, register) in &self.ports {
                let row = inputs.get(port).copied().unwrap_or(&[]);
                for (k, v) in self.memory.scratch_mut(register)[..count].iter_mut().enumerate() {
                    *v = row.get(unit(start + k)).copied().unwrap_or(0.0);
                }
            }
            if let Some(register) = self.time {
                self.memory.scratch_mut(register)[..count].fill(time);
            }
            kernel.run(&mut self.memory, start, count);
        }
    }
}

/// The states but `voltage` in an order in which each comes after those that it depends on, where there is such an
/// order.
fn turns(folded: &Folded, voltage: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..folded.drift.len()).filter(|&i| i != voltage).collect();
    let mut out = Vec::new();
    while !left.is_empty() {
        let waits = |i: usize| {
            left.iter().any(|&j| j != i && folded.graph.depends(folded.drift[i], |s| s == Symbol::State(j as u32)))
        };
        let next = left.iter().position(|&i| !waits(i)).unwrap_or(0);
        out.push(left.remove(next));
    }
    out
}

/// The equations with the parameters that all lanes share as numbers, and ports that nothing drives as zeros.
fn fold(system: &System, parameters: &[Place], c: &Common<'_>) -> Folded {
    let p = system.parts();
    let mut graph = Graph::new();
    let mut take = |roots: &[Id]| {
        graph.import(
            &p.graph,
            roots,
            |g, s| match s {
                Symbol::Parameter(i) => match parameters[i as usize] {
                    Place::Number(v) => Some(g.number(v)),
                    _ => None,
                },
                Symbol::Input(i) if i as usize != c.port && !(c.ports)(&p.inputs[i as usize].name).1 => {
                    Some(g.number(0.0))
                }
                _ => None,
            },
            |v, _| (v, Dimension::NONE),
        )
    };
    let drift = take(&p.drift);
    let diffusion = p.diffusion.iter().map(|d| d.map(|d| take(&[d])[0])).collect();
    Folded { graph, drift, diffusion }
}

/// Current into the membrane and its slope by the voltage, and the coefficients of the ports that add to it in
/// proportion.
fn membrane(system: &System, mut g: Graph, drift: Id, c: &Common<'_>) -> Result<Membrane, String> {
    let p = system.parts();
    let along = Symbol::Input(c.port as u32);
    let per_current = derivative(&mut g, drift, along);
    if g.value(per_current) == Some(0.0) || g.depends(per_current, |s| !matches!(s, Symbol::Parameter(_))) {
        return Err(format!(
            "`{}` is not in proportion to its `axial`: the factor before it is made of parameters only",
            p.states[c.state].name
        ));
    }
    let one = g.number(1.0);
    let capacity = g.div(one, per_current);
    let whole = g.mul(drift, capacity);
    // Inputs that only add, such as an electrode's current, act on the right-hand side alone.
    let mut proportional: Vec<Option<Tape>> = Vec::new();
    for i in 0..p.inputs.len() {
        let symbol = Symbol::Input(i as u32);
        let factor = derivative(&mut g, whole, symbol);
        let plain = !g.depends(factor, |s| !matches!(s, Symbol::Parameter(_))) && i != c.port;
        let elsewhere = p.drift.iter().enumerate().any(|(k, &d)| k != c.state && p.graph.depends(d, |s| s == symbol));
        proportional.push((plain && !elsewhere).then(|| Tape::new(&g, &[factor])));
    }
    let current = g.substitute(&[whole], |g, s| match s {
        Symbol::Input(i) if i as usize == c.port || proportional[i as usize].is_some() => Some(g.number(0.0)),
        _ => None,
    })[0];
    let slope = derivative(&mut g, current, Symbol::State(c.state as u32));
    Ok(Membrane { current, slope, proportional, graph: g })
}
