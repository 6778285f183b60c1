//! Observers for anything that has a name.

use smallvec::SmallVec;

use super::{Stepper, StepperError};
use crate::core::diagnostic::did_you_mean;
use crate::equation::graph::{Graph, Id, Symbol};
use crate::equation::kernel::Place;
use crate::equation::tape::{Tape, Values};

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
    Expression(Tape),
}

impl Stepper {
    /// An observer for any state, parameter, input (with the currents of receptors) or subexpression, compiled once.
    ///
    /// # Errors
    /// When there is no such name.
    pub fn probe(&self, variable: &str) -> Result<Probe, StepperError> {
        let p = self.system.parts();
        let place = |list: &[crate::equation::Variable]| list.iter().position(|v| v.name == variable);
        if let Some(i) = place(&p.states) {
            return Ok(Probe::plain(Kind::State(i)));
        }
        if let Some(i) = place(&p.parameters) {
            return Ok(Probe::plain(Kind::Parameter(i)));
        }
        let Some((id, _)) = self.system.observable(variable) else {
            let names = p.states.iter().chain(&p.subexpressions).chain(&p.inputs).chain(&p.parameters).map(|v| v.name.as_str());
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
            |v, _| (v, crate::core::units::Dimension::NONE),
        );
        let read = g.symbols(ids[0]).into_iter();
        let ports = read.filter_map(|s| if let Symbol::Input(i) = s { Some(i as usize) } else { None }).collect();
        Probe { kind: Kind::Expression(Tape::new(&g, &ids)), ports }
    }

    /// Evaluates a probe at time of step `step` for `lanes`, in SI, appending to `out`.
    pub fn sample(&self, probe: &Probe, step: u64, inputs: &[&[f64]], lanes: &[u32], out: &mut Vec<f64>) {
        match &probe.kind {
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
            Kind::Expression(tape) => {
                let (needs_parameters, time) = (tape.parameters() > 0, step as f64 * self.dt);
                let mut values = vec![0.0; inputs.len()];
                for &lane in lanes {
                    let lane = lane as usize;
                    let states = self.lane_states(lane);
                    let parameters = if needs_parameters { self.lane_parameters(lane) } else { SmallVec::new() };
                    for (v, port) in values.iter_mut().zip(inputs) {
                        *v = port.get(lane).copied().unwrap_or(0.0);
                    }
                    out.push(tape.value(&Values { states: &states, parameters: &parameters, inputs: &values, time, ..Values::default() }));
                }
            }
        }
    }
}
