//! Observers for anything that has a name.

use super::{Stepper, StepperError};
use spikedeck_core::diagnostic::did_you_mean;
use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::kernel::{Kernel, Memory, Place, Plan};

/// Lanes that are evaluated at once.
const BLOCK: usize = 256;

/// A compiled observer.
#[derive(Debug, Clone)]
pub struct Probe {
    kind: Kind,
    /// Input ports that it reads.
    ports: Vec<usize>,
}

impl Probe {
    fn plain(kind: Kind) -> Self {
        Self { kind, ports: Vec::new() }
    }

    /// Whether it reads an input port.
    pub fn reads(&self, port: usize) -> bool {
        self.ports.contains(&port)
    }
}

#[derive(Debug, Clone)]
enum Kind {
    State(usize),
    Parameter(usize),
    Expression(Box<Observed>),
}

/// An expression over states, parameters, inputs and time, in many lanes at once.
#[derive(Debug, Clone)]
struct Observed {
    kernel: Kernel,
    memory: Memory,
    /// For more lanes than the population has: the same ones at many grid points.
    many: Option<Memory>,
    /// What is read, and the registers that it is copied to.
    reads: Vec<(Symbol, u32)>,
    value: Place,
}

impl Observed {
    /// Compiles a node of `graph` as it is written: what is looked at has the same bits in any choice of lanes.
    fn new(graph: &Graph, id: Id, lanes: usize) -> Self {
        let mut plan = Plan::default();
        let reads: Vec<(Symbol, u32)> = graph.symbols(id).into_iter().map(|s| (s, plan.reserve())).collect();
        let bind = |s: Symbol| reads.iter().find(|r| r.0 == s).map_or(Place::Number(f64::NAN), |r| Place::Scratch(r.1));
        let (mut kernel, places) = Kernel::compile_as_written(graph, &[id], &[None], &bind, &mut plan);
        let mut memory = Memory::new(lanes.clamp(1, BLOCK), plan.columns as usize, plan.scratch as usize);
        kernel.settle(&mut memory);
        Self { kernel, memory, many: None, reads, value: places[0] }
    }

    /// Appends the values in `lanes`; `read` writes what a symbol is in each of some of them.
    fn evaluate(&mut self, lanes: &[u32], read: impl Fn(Symbol, &[u32], &mut [f64]), out: &mut Vec<f64>) {
        let memory = if lanes.len() > self.memory.lanes && self.memory.lanes < BLOCK {
            let (columns, scratch) = self.memory.shape();
            self.many.get_or_insert_with(|| Memory::new(BLOCK, columns, scratch))
        } else {
            &mut self.memory
        };
        for lanes in lanes.chunks(memory.block) {
            let n = lanes.len();
            for &(symbol, register) in &self.reads {
                read(symbol, lanes, &mut memory.scratch_mut(register as usize)[..n]);
            }
            let whole = memory.whole(n);
            self.kernel.run(memory, 0, whole);
            match self.value {
                Place::Scratch(r) => out.extend_from_slice(&memory.scratch(r as usize)[..n]),
                Place::Column(c) => out.extend_from_slice(&memory.column(c as usize)[..n]),
                Place::Number(v) => out.extend(std::iter::repeat_n(v, n)),
            }
        }
    }
}

/// Writes a value for each place.
fn each(places: &[u32], to: &mut [f64], value: impl Fn(u32) -> f64) {
    to.iter_mut().zip(places).for_each(|(v, &p)| *v = value(p));
}

/// Copies the values of `lanes`.
fn gather(from: &[f64], lanes: &[u32], to: &mut [f64]) {
    let first = lanes.first().map_or(0, |&l| l as usize);
    // Without a way out, so that it runs in vectors.
    let in_a_row = lanes.iter().zip(first as u32..).fold(0, |differences, (&l, k)| differences | (l ^ k)) == 0;
    if let (true, Some(row)) = (in_a_row, from.get(first..first + lanes.len())) {
        to.copy_from_slice(row);
    } else {
        to.iter_mut().zip(lanes).for_each(|(v, &l)| *v = from[l as usize]);
    }
}

impl Stepper {
    /// An observer for any state, parameter, input (with the currents of receptors) or subexpression, compiled once.
    ///
    /// # Errors
    /// When there is no such name.
    pub fn probe(&self, variable: &str) -> Result<Probe, StepperError> {
        let p = self.system.parts();
        let place = |list: &[spikedeck_equation::Variable]| list.iter().position(|v| v.name == variable);
        if let Some(i) = place(&p.states) {
            return Ok(Probe::plain(Kind::State(i)));
        }
        if let Some(i) = place(&p.parameters) {
            return Ok(Probe::plain(Kind::Parameter(i)));
        }
        let Some((id, _)) = self.system.observable(variable) else {
            let names =
                p.states.iter().chain(&p.subexpressions).chain(&p.inputs).chain(&p.parameters).map(|v| v.name.as_str());
            let hint = did_you_mean(variable, names).map_or(String::new(), |n| format!("; did you mean `{n}`?"));
            return Err(StepperError { message: format!("there is no `{variable}` to record{hint}") });
        };
        Ok(self.expression(&p.graph, id))
    }

    /// An observer of an expression of this system's symbols.
    pub fn expression(&self, graph: &Graph, id: Id) -> Probe {
        let mut g = Graph::new();
        let ids = g.import(
            graph,
            &[id],
            |g, s| match s {
                Symbol::Parameter(i) => match self.parameters[i as usize] {
                    Place::Number(v) => Some(g.number(v)),
                    _ => None,
                },
                _ => None,
            },
            |v, _| (v, spikedeck_core::units::Dimension::NONE),
        );
        let read = g.symbols(ids[0]).into_iter();
        let ports = read.filter_map(|s| if let Symbol::Input(i) = s { Some(i as usize) } else { None }).collect();
        Probe { kind: Kind::Expression(Box::new(Observed::new(&g, ids[0], self.memory.lanes))), ports }
    }

    /// Evaluates a probe at time of step `step` for `lanes`, in SI, appending to `out`.
    pub fn sample(&self, probe: &mut Probe, step: u64, inputs: &[&[f64]], lanes: &[u32], out: &mut Vec<f64>) {
        match &mut probe.kind {
            Kind::State(s) => {
                let column = self.memory.column(*s);
                out.extend(lanes.iter().map(|&l| column[l as usize]));
            }
            Kind::Parameter(i) => match self.parameters[*i] {
                Place::Column(c) => {
                    let column = self.memory.column(c as usize);
                    out.extend(lanes.iter().map(|&l| column[l as usize]));
                }
                Place::Number(v) => out.extend(lanes.iter().map(|_| v)),
                Place::Scratch(_) => {}
            },
            Kind::Expression(observed) => {
                let read = |symbol, lanes: &[u32], to: &mut [f64]| match symbol {
                    Symbol::State(s) => gather(self.state(s as usize), lanes, to),
                    Symbol::Parameter(i) => self.gather_parameter(i as usize, lanes, to),
                    Symbol::Input(i) => match inputs.get(i as usize) {
                        Some(row) if !row.is_empty() => gather(row, lanes, to),
                        _ => to.fill(0.0),
                    },
                    Symbol::Time => to.fill(step as f64 * self.dt),
                    _ => to.fill(f64::NAN),
                };
                observed.evaluate(lanes, read, out);
            }
        }
    }

    /// The same at the grid points that [`Stepper::alone`] remembers, point by point: `places` counts lanes through all
    /// of them.
    pub fn sample_recalled(&self, probe: &mut Probe, places: &[u32], out: &mut Vec<f64>) {
        let all = self.memory.lanes as u32;
        let (row, lane) = (|p: u32| (p / all) as usize, |p: u32| (p % all) as usize);
        match &mut probe.kind {
            Kind::State(s) => {
                let column = self.recall(*s);
                out.extend(places.iter().map(|&p| column[p as usize]));
            }
            Kind::Parameter(i) => match self.parameters[*i] {
                Place::Column(c) => out.extend(places.iter().map(|&p| self.memory.column(c as usize)[lane(p)])),
                Place::Number(v) => out.extend(places.iter().map(|_| v)),
                Place::Scratch(_) => {}
            },
            Kind::Expression(observed) => {
                let read = |symbol, places: &[u32], to: &mut [f64]| match symbol {
                    Symbol::State(s) => gather(self.recall(s as usize), places, to),
                    Symbol::Parameter(i) => {
                        let lanes: Vec<u32> = places.iter().map(|p| p % all).collect();
                        self.gather_parameter(i as usize, &lanes, to);
                    }
                    Symbol::Input(i) => each(places, to, |p| self.input_recalled(i as usize, row(p), lane(p))),
                    Symbol::Time => each(places, to, |p| self.time_recalled(row(p))),
                    _ => to.fill(f64::NAN),
                };
                observed.evaluate(places, read, out);
            }
        }
    }

    fn gather_parameter(&self, index: usize, lanes: &[u32], to: &mut [f64]) {
        match self.parameters[index] {
            Place::Column(c) => gather(self.memory.column(c as usize), lanes, to),
            Place::Number(v) => to.fill(v),
            Place::Scratch(_) => to.fill(f64::NAN),
        }
    }
}
