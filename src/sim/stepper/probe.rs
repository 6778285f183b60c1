//! Observers of the quantities of a population.

use super::Stepper;
use spikedeck_equation::formulas::{BLOCK, Formulas};
use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::program::Operand;
use spikedeck_scenario::VariableId;

/// A compiled observer.
#[derive(Debug, Clone)]
pub struct Probe {
    what: Observed,
    /// Input ports that it reads.
    ports: Vec<usize>,
}

impl Probe {
    fn plain(what: Observed) -> Self {
        Self { what, ports: Vec::new() }
    }

    /// Whether it reads an input port.
    pub fn reads(&self, port: usize) -> bool {
        self.ports.contains(&port)
    }
}

#[derive(Debug, Clone)]
enum Observed {
    State(usize),
    Parameter(usize),
    Expression(Box<ObservedExpression>),
}

/// An expression over states, parameters, inputs and time, in many lanes at once.
#[derive(Debug, Clone)]
struct ObservedExpression {
    formulas: Formulas,
    /// For more lanes than the population has: the same ones at many grid points.
    many: Option<Formulas>,
    lanes: usize,
    graph: Graph,
    root: Id,
}

impl ObservedExpression {
    /// Compiles a node of `graph` as it is written: what is looked at has the same bits in any choice of lanes.
    fn new(graph: Graph, root: Id, lanes: usize) -> Self {
        Self { formulas: Formulas::as_written(&graph, root, lanes), many: None, lanes, graph, root }
    }

    /// Appends the values in `lanes`; `read` writes what a symbol is in each of some of them.
    fn evaluate(&mut self, lanes: &[u32], read: impl Fn(Symbol, &[u32], &mut [f64]), out: &mut Vec<f64>) {
        let formulas = if lanes.len() > self.lanes && self.lanes < BLOCK {
            self.many.get_or_insert_with(|| Formulas::as_written(&self.graph, self.root, BLOCK))
        } else {
            &mut self.formulas
        };
        for lanes in lanes.chunks(formulas.block()) {
            for k in 0..formulas.registers().len() {
                let (symbol, register) = formulas.registers()[k];
                read(symbol, lanes, &mut formulas.register_mut(register)[..lanes.len()]);
            }
            formulas.run(lanes.len());
            formulas.append(0, lanes.len(), out);
        }
    }
}

/// What an observed expression cannot be made of.
fn foreign(symbol: Symbol) -> ! {
    unreachable!("what has a name is made of states, parameters, inputs and time, and {symbol:?} is neither")
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
    /// An observer of a state, parameter, input (with the currents of receptors) or subexpression, compiled once.
    pub fn probe(&self, variable: VariableId) -> Probe {
        let p = self.system.parts();
        match variable {
            VariableId::State(id) => Probe::plain(Observed::State(id.index())),
            VariableId::Parameter(id) => Probe::plain(Observed::Parameter(id.index())),
            VariableId::Subexpression(id) => self.expression(&p.graph, p.subexpression_ids[id.index()]),
            VariableId::Input(id) => self.expression(&p.graph, p.port_totals[id.index()]),
        }
    }

    /// An observer of an expression of this system's symbols.
    pub fn expression(&self, graph: &Graph, id: Id) -> Probe {
        let mut g = Graph::new();
        let ids = g.import(
            graph,
            &[id],
            |g, s| match s {
                Symbol::Parameter(i) => match self.program.parameter(i as usize) {
                    Operand::Shared(v) => Some(g.number(v)),
                    Operand::Each(_) => None,
                },
                _ => None,
            },
            |v, _| (v, spikedeck_core::units::Dimension::NONE),
        );
        let read = g.symbols(ids[0]).into_iter();
        let ports = read.filter_map(|s| if let Symbol::Input(i) = s { Some(i as usize) } else { None }).collect();
        Probe {
            what: Observed::Expression(Box::new(ObservedExpression::new(g, ids[0], self.program.memory.lanes))),
            ports,
        }
    }

    /// Evaluates a probe at time of step `step` for `lanes`, in SI, appending to `out`.
    pub fn sample(&self, probe: &mut Probe, step: u64, inputs: &[&[f64]], lanes: &[u32], out: &mut Vec<f64>) {
        match &mut probe.what {
            Observed::State(s) => {
                let column = self.state(*s);
                out.extend(lanes.iter().map(|&l| column[l as usize]));
            }
            Observed::Parameter(i) => match self.program.parameter(*i) {
                Operand::Each(column) => out.extend(lanes.iter().map(|&l| column[l as usize])),
                Operand::Shared(v) => out.extend(lanes.iter().map(|_| v)),
            },
            Observed::Expression(observed) => {
                let read = |symbol, lanes: &[u32], to: &mut [f64]| match symbol {
                    Symbol::State(s) => gather(self.state(s as usize), lanes, to),
                    Symbol::Parameter(i) => self.gather_parameter(i as usize, lanes, to),
                    Symbol::Input(i) => match inputs.get(i as usize) {
                        Some(row) if !row.is_empty() => gather(row, lanes, to),
                        _ => to.fill(0.0),
                    },
                    Symbol::Time => to.fill(step as f64 * self.dt),
                    other => foreign(other),
                };
                observed.evaluate(lanes, read, out);
            }
        }
    }

    /// The same at the grid points that [`Stepper::alone`] remembers, point by point: `places` counts lanes through all
    /// of them.
    pub fn sample_recalled(&self, probe: &mut Probe, places: &[u32], out: &mut Vec<f64>) {
        let all = self.program.memory.lanes as u32;
        let (row, lane) = (|p: u32| (p / all) as usize, |p: u32| (p % all) as usize);
        match &mut probe.what {
            Observed::State(s) => {
                let column = self.recall(*s);
                out.extend(places.iter().map(|&p| column[p as usize]));
            }
            Observed::Parameter(i) => match self.program.parameter(*i) {
                Operand::Each(column) => out.extend(places.iter().map(|&p| column[lane(p)])),
                Operand::Shared(v) => out.extend(places.iter().map(|_| v)),
            },
            Observed::Expression(observed) => {
                let read = |symbol, places: &[u32], to: &mut [f64]| match symbol {
                    Symbol::State(s) => gather(self.recall(s as usize), places, to),
                    Symbol::Parameter(i) => {
                        let lanes: Vec<u32> = places.iter().map(|p| p % all).collect();
                        self.gather_parameter(i as usize, &lanes, to);
                    }
                    Symbol::Input(i) => each(places, to, |p| self.input_recalled(i as usize, row(p), lane(p))),
                    Symbol::Time => each(places, to, |p| self.time_recalled(row(p))),
                    other => foreign(other),
                };
                observed.evaluate(places, read, out);
            }
        }
    }

    fn gather_parameter(&self, index: usize, lanes: &[u32], to: &mut [f64]) {
        match self.program.parameter(index) {
            Operand::Each(column) => gather(column, lanes, to),
            Operand::Shared(v) => to.fill(v),
        }
    }
}
