//! Compartments that carry the same mechanisms: one program makes their states a step later, and from these the
//! membrane's current and its slope.

use crate::integrator::Problem;
use spikedeck_core::normal;
use spikedeck_core::rng::Key;
use spikedeck_core::units::Dimension;
use spikedeck_equation::System;
use spikedeck_equation::derive::{derivative, jumps};
use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::kernel::Kernel;
use spikedeck_equation::program::{Builder, ColumnId, Columns, Program, Register, Target, UnitValues, symbols};
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::{InputId, ParameterId, StateId, ZoneParts};

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
    /// Whether something drives a port of the population.
    pub driven: &'a dyn Fn(InputId) -> bool,
    /// Value of a parameter of the population, for a unit on this thread.
    pub parameter: &'a dyn Fn(ParameterId, usize) -> f64,
    /// The same of a state at the start.
    pub initial: &'a dyn Fn(StateId, usize) -> f64,
    /// Whether a state starts where its rate is zero.
    pub steady: &'a dyn Fn(StateId) -> bool,
}

/// A zone at run time. Lanes: compartment by compartment, in each all cells.
#[derive(Debug)]
pub struct Zone {
    pub system: System,
    /// Compartments of a cell.
    pub compartments: Vec<u32>,
    pub program: Program,
    /// Columns of the current and its slope.
    current: ColumnId,
    slope: ColumnId,
    /// The kernel of the first step, where states stand between the steps of the voltage, and of all others.
    first: Option<Kernel>,
    kernel: Kernel,
    /// What of the population its parts are.
    pub parts: ZoneParts,
    noise: Vec<(Key, Register)>,
    cells: usize,
    units: usize,
    first_unit: u32,
    /// Coefficient of each port that adds to the current in proportion: expression of parameters.
    proportional: Vec<Option<Tape>>,
    /// States of the first lane at the start.
    begun: Vec<f64>,
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

/// A step written down: the states after it in the order in which they are solved, then current and slope.
struct Step {
    graph: Graph,
    states: Vec<usize>,
    roots: Vec<Id>,
}

impl Zone {
    /// Compiles the equations of a zone.
    ///
    /// # Errors
    /// Equations that do not fit an implicit tree, in words.
    pub fn new(zone: &spikedeck_scenario::Zone, c: &Common<'_>) -> Result<Self, String> {
        let system = zone.system.clone();
        let p = system.parts();
        let lanes = zone.compartments.len() * c.cells;
        let unit = |lane: usize| lane % c.cells * c.units + zone.compartments[lane / c.cells] as usize;
        let values = |value: &dyn Fn(usize) -> f64| UnitValues::of((0..lanes).map(|lane| value(unit(lane))).collect());
        let parts = zone.parts.clone();
        let parameters: Vec<UnitValues> =
            parts.parameters.iter().map(|&id| values(&|unit| (c.parameter)(id, unit))).collect();
        let states: Vec<UnitValues> = parts.states.iter().map(|&id| values(&|unit| (c.initial)(id, unit))).collect();
        let folded = fold(&system, &parts, &parameters, c);
        let membrane = membrane(&system, folded.graph.clone(), folded.drift[c.state], c)?;
        if folded.diffusion[c.state].is_some() {
            return Err(format!(
                "`{}` has white noise, which an implicit tree does not; put a noisy stimulus on its input",
                p.states[c.state].name
            ));
        }
        let whole = Step::new(&folded, &membrane, c.state, c.h);
        let begun = (c.first < c.h).then(|| Step::new(&folded, &membrane, c.state, c.first));
        let columns = Columns { states: &states, parameters: &parameters, ..Columns::default() };
        let read = std::iter::once(&whole).chain(&begun).flat_map(|step| symbols(&step.graph, &step.roots));
        let mut builder = Builder::new(columns, read);
        let (current, slope) = (builder.column(), builder.column());
        let kernel = whole.compile(&mut builder, current, slope);
        let first = begun.map(|step| step.compile(&mut builder, current, slope));
        let program = builder.finish(lanes);
        let key = |state: usize| Key::new(c.seed, c.entity, &format!("xi.{}", p.states[state].name));
        let mut out = Self {
            compartments: zone.compartments.clone(),
            current,
            slope,
            first,
            kernel,
            parts,
            noise: program.noise().iter().map(|&(state, register)| (key(state), register)).collect(),
            cells: c.cells,
            units: c.units,
            first_unit: c.first_unit,
            proportional: membrane.proportional,
            begun: Vec::new(),
            program,
            system,
        };
        out.settle(c);
        out.begun = out.states(0);
        Ok(out)
    }

    /// Lets gates start where they would settle. States that others drive (calcium by its current) need a few rounds.
    fn settle(&mut self, c: &Common<'_>) {
        let system = self.system.clone();
        let p = system.parts();
        let mut graph = p.graph.clone();
        let tapes: Vec<(usize, Tape)> = (0..p.states.len())
            .filter(|&i| (c.steady)(self.parts.states[i]))
            .map(|i| {
                let slope = derivative(&mut graph, p.drift[i], Symbol::State(i as u32));
                (i, Tape::new(&graph, &[p.drift[i], slope]))
            })
            .collect();
        let inputs = vec![0.0; p.inputs.len()];
        for _ in 0..8 {
            for (i, tape) in &tapes {
                for lane in 0..self.program.memory.lanes {
                    let (states, parameters) = (self.states(lane), self.lane_parameters(lane));
                    let mut out = [0.0; 2];
                    tape.evaluate(
                        &Values {
                            states: &states,
                            parameters: &parameters,
                            inputs: &inputs,
                            time: Some(0.0),
                            ..Values::default()
                        },
                        &mut out,
                    );
                    // One step of Newton; exact for gates, whose rates are linear in themselves.
                    let new = states[*i] - out[0] / out[1];
                    if new.is_finite() {
                        self.program.state_mut(*i)[lane] = new;
                    }
                }
            }
        }
        // Lanes that pad the last chunk repeat the last one.
        for i in 0..p.states.len() {
            let lanes = self.program.memory.lanes;
            let (own, padding) = self.program.memory.padded_mut(i).split_at_mut(lanes);
            padding.fill(*own.last().expect("a zone has compartments"));
        }
    }

    /// States of the first lane at the start.
    pub fn begun(&self) -> &[f64] {
        &self.begun
    }

    /// The population's port that one of its own is.
    pub fn port(&self, own: u32) -> usize {
        self.parts.inputs[own as usize].index()
    }

    /// What each of its ports carries, given what those of the population do.
    pub fn inputs(&self, of: impl Fn(usize) -> f64) -> Vec<f64> {
        self.parts.inputs.iter().map(|port| of(port.index())).collect()
    }

    /// States of a lane.
    pub fn states(&self, lane: usize) -> Vec<f64> {
        self.program.lane_states(lane).collect()
    }

    /// Parameters of a lane.
    pub fn lane_parameters(&self, lane: usize) -> Vec<f64> {
        self.program.lane_parameters(lane).collect()
    }

    /// By how much a port of the population adds to the current in a lane, in proportion to what it carries; nothing
    /// where the equations take it in otherwise, or not at all.
    pub fn in_proportion(&self, port: usize, lane: usize) -> Option<f64> {
        let own = self.parts.inputs.iter().position(|p| p.index() == port)?;
        let factor = self.proportional[own].as_ref()?;
        Some(factor.value(&Values { parameters: &self.lane_parameters(lane), ..Values::default() }))
    }

    /// What flows into the membrane, and by how much less with the voltage, one value a lane.
    pub fn membrane(&self) -> (&[f64], &[f64]) {
        (self.program.column(self.current), self.program.column(self.slope))
    }

    /// Moves the states on, and leaves current and slope in their columns. `voltage` has one value a lane.
    pub fn step(&mut self, state: usize, voltage: &[f64], draw: u64, time: f64, first: bool, inputs: &[&[f64]]) {
        let Self { program, parts, compartments, .. } = self;
        program.state_mut(state).copy_from_slice(voltage);
        let kernel = self.first.as_ref().filter(|_| first).unwrap_or(&self.kernel);
        let (cells, units, lanes) = (self.cells, self.units, program.memory.lanes);
        let unit = |lane: usize| {
            let lane = lane.min(lanes - 1);
            lane % cells * units + compartments[lane / cells] as usize
        };
        for (start, count) in program.memory.blocks() {
            for &(key, register) in &self.noise {
                for (k, v) in program.register_mut(register)[..count].iter_mut().enumerate() {
                    *v = normal::normal(key, self.first_unit + unit(start + k) as u32, draw);
                }
            }
            program.fill_inputs_with(count, |port| {
                let row = inputs[parts.inputs[port].index()];
                move |k| if row.is_empty() { 0.0 } else { row[unit(start + k)] }
            });
            program.fill_time(count, time);
            program.run(kernel, start, count);
        }
    }
}

impl Step {
    /// A step of length `h`; the voltage, a state, is not among those that it solves.
    fn new(folded: &Folded, membrane: &Membrane, voltage: usize, h: f64) -> Self {
        let mut problem = Problem {
            graph: membrane.graph.clone(),
            drift: folded.drift.clone(),
            diffusion: folded.diffusion.clone(),
            h,
            cut: None,
            names: Vec::new(),
            lanes: 0,
            parameters: &|_| Vec::new(),
            lane_values: Vec::new(),
        };
        let states = turns(folded, voltage);
        let mut later: Vec<Option<Id>> = vec![None; folded.drift.len()];
        let mut roots = Vec::new();
        for &i in &states {
            // What was solved before is seen at the middle of the step, so that calcium and what it opens keep the
            // order.
            problem.drift[i] = problem.graph.substitute(&[folded.drift[i]], |g, s| match s {
                Symbol::State(j) => later[j as usize].map(|new| {
                    let (old, half) = (g.symbol(s), g.number(0.5));
                    let sum = g.add(old, new);
                    g.mul(half, sum)
                }),
                _ => None,
            })[0];
            let mut new = problem.exponential_step(i);
            if let Some(factor) = problem.diffusion[i] {
                let kick = problem.noise(i);
                let kick = problem.graph.mul(factor, kick);
                new = problem.graph.add(new, kick);
            }
            later[i] = Some(new);
            roots.push(new);
        }
        // The current is that of the states a step later, at the voltage as it is.
        let out = problem.graph.substitute(&[membrane.current, membrane.slope], |_, s| match s {
            Symbol::State(i) => later[i as usize],
            _ => None,
        });
        roots.extend(out);
        Self { graph: problem.graph, states, roots }
    }

    fn compile(&self, builder: &mut Builder<'_>, current: ColumnId, slope: ColumnId) -> Kernel {
        let membrane = [Target::Column(current), Target::Column(slope)];
        let targets: Vec<Target> = self.states.iter().map(|&i| Target::State(i)).chain(membrane).collect();
        builder.kernel(&self.graph, &self.roots, &targets).0
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
        // Where each waits for another, the first.
        let free = (0..left.len()).find(|&at| !waits(left[at]));
        out.push(left.remove(free.unwrap_or(0)));
    }
    out
}

/// The equations with the parameters that all lanes share as numbers, and ports that nothing drives as zeros.
fn fold(system: &System, parts: &ZoneParts, parameters: &[UnitValues], c: &Common<'_>) -> Folded {
    let p = system.parts();
    let mut graph = Graph::new();
    let mut take = |roots: &[Id]| {
        graph.import(
            &p.graph,
            roots,
            |g, s| match s {
                Symbol::Parameter(i) => match parameters[i as usize] {
                    UnitValues::Shared(v) => Some(g.number(v)),
                    UnitValues::Each(_) => None,
                },
                Symbol::Input(i) if i as usize != c.port && !(c.driven)(parts.inputs[i as usize]) => {
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
    let bent = g.depends(per_current, |s| !matches!(s, Symbol::Parameter(_))) || jumps(&g, drift, |s| s == along);
    if bent || g.value(per_current) == Some(0.0) {
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
        let straight = !g.depends(factor, |s| !matches!(s, Symbol::Parameter(_)));
        let plain = straight && !jumps(&g, whole, |s| s == symbol) && i != c.port;
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
