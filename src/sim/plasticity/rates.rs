//! Rules between rates, joined and compiled: every state after a step, by exponential Euler, `s + h f exprel(h
//! df/ds)`: exact for what is linear in the state itself, as all common rules are.

use std::collections::HashMap;
use std::ops::Range;

use super::numbering::Numbering;
use spikedeck_core::units::Dimension;
use spikedeck_equation::derive::derivative;
use spikedeck_equation::formulas::Formulas;
use spikedeck_equation::graph::{Graph, Id, Symbol, Unary};
use spikedeck_equation::rule::Side;
use spikedeck_scenario::{ConnectionVariableId, PlasticitySpec, RuleSpec, VariableId};

/// A value of a unit that a rule looks at, and its history.
pub(crate) type Observed = (VariableId, usize);

/// Rules between rates, compiled. Variables are numbered: states of the source, of the target, of the connection (first
/// the weight), observed values of the source, of the target, time.
#[derive(Debug, Clone)]
pub(crate) struct Rates {
    pub names: Vec<String>,
    /// Number of states of the source, of the target, of the connection.
    pub(super) sides: [usize; 3],
    pub(super) initial: Vec<f64>,
    /// The values of a connection after a step.
    pub(super) connection: Formulas,
    /// The states of a source and of a target after a step, if there are any.
    pub(super) units: [Option<Formulas>; 2],
    /// Histories of the observed values.
    pub(super) observed: [Vec<usize>; 2],
    /// Number of each state of each rule.
    numbers: HashMap<(usize, usize), usize>,
}

impl Rates {
    /// Names of the values of a connection, the weight first.
    pub fn of_connections(&self) -> &[String] {
        &self.names[self.sides[0] + self.sides[1]..]
    }

    /// The number of a value of a connection.
    pub fn number(&self, variable: ConnectionVariableId) -> usize {
        *self.numbers.get(&(variable.rule(), variable.state())).expect("rules between rates have no efficacy")
    }

    /// Compiles the rules for steps of `dt` (seconds, or time units) over what they observe of source and target.
    pub fn new(spec: &PlasticitySpec, observed: [&[Observed]; 2], dt: f64) -> Self {
        let states = Numbering::of(spec);
        let mut joined = JoinedRates::new(spec, &states, observed);
        for (rule, r) in spec.rules.iter().enumerate() {
            joined.add(rule, r);
        }
        let stepped = joined.stepped(dt);
        let program = |range: Range<usize>| Formulas::new(&joined.graph, &stepped[range]);
        let sides = states.sides;
        let (n, m) = (sides[0], sides[0] + sides[1]);
        Self {
            connection: program(m..stepped.len()),
            units: [(n > 0).then(|| program(0..n)), (m > n).then(|| program(n..m))],
            observed: observed.map(|list| list.iter().map(|o| o.1).collect()),
            initial: states.all.iter().map(|s| s.initial).collect(),
            names: states.all.into_iter().map(|s| s.name).collect(),
            numbers: states.numbers,
            sides,
        }
    }
}

/// The rules as one: the rate of change of each state, over the numbered variables.
struct JoinedRates<'a> {
    states: &'a Numbering,
    observed: [&'a [Observed]; 2],
    graph: Graph,
    drift: Vec<Id>,
    /// Units of time in a second of the first rule, in which all rates of change are.
    per_second: f64,
}

impl<'a> JoinedRates<'a> {
    fn new(spec: &PlasticitySpec, states: &'a Numbering, observed: [&'a [Observed]; 2]) -> Self {
        let mut graph = Graph::new();
        let drift = vec![graph.number(0.0); states.all.len()];
        let first = spec.rules.first().expect("a projection without rules has no plasticity");
        Self { states, observed, graph, drift, per_second: first.rule.pre.time_unit().per_second() }
    }

    /// Number of the first observed value of each end, and of time.
    fn numbers(&self) -> ([usize; 2], usize) {
        let total = self.states.all.len();
        let target = total + self.observed[0].len();
        ([total, target], target + self.observed[1].len())
    }

    /// What each given name of a rule is, in observed values.
    fn given(&mut self, r: &RuleSpec) -> Vec<Id> {
        let (first, _) = self.numbers();
        let mut given = Vec::new();
        for (declared, formula) in r.rule.texts().source.given.iter().zip(&r.given) {
            let end = usize::from(Side::of(&declared.name) != Side::Pre);
            let observed = self.observed[end];
            let number = |variable: VariableId| {
                let index = observed.iter().position(|o| o.0 == variable);
                first[end] + index.expect("whatever an expression of a rule names is observed")
            };
            let (graph, root) = formula.expression().graph();
            let id = self.graph.import(
                graph,
                &[root],
                |g, s| match s {
                    Symbol::Variable(i) => Some(g.symbol(Symbol::Variable(number(formula.names()[i as usize]) as u32))),
                    _ => unreachable!("an expression of a scenario is made of its own names only"),
                },
                |v, _| (v, Dimension::NONE),
            );
            given.push(id[0]);
        }
        given
    }

    /// Adds the rates of change of a rule.
    fn add(&mut self, rule: usize, r: &RuleSpec) {
        let given = self.given(r);
        let (_, time) = self.numbers();
        let parts = r.rule.pre.parts();
        let per_second = r.rule.pre.time_unit().per_second();
        let states = self.states;
        let ids = self.graph.import(
            &parts.graph,
            &parts.drift,
            |g, s| {
                Some(match s {
                    Symbol::State(i) => match states.number(rule, i as usize) {
                        Some(k) => g.symbol(Symbol::Variable(k as u32)),
                        None => g.number(1.0),
                    },
                    Symbol::Parameter(i) => g.number(r.parameters[i as usize]),
                    Symbol::Given(i) => given[i as usize],
                    Symbol::Time => {
                        let (t, factor) = (g.symbol(Symbol::Variable(time as u32)), g.number(per_second));
                        g.mul(factor, t)
                    }
                    Symbol::Input(_) | Symbol::Variable(_) | Symbol::Weight | Symbol::Noise(_) => {
                        unreachable!("a rate of change of a rule has no such term")
                    }
                })
            },
            |v, _| (v, Dimension::NONE),
        );
        for (state, mut id) in ids.into_iter().enumerate() {
            let Some(k) = states.number(rule, state) else { continue };
            if per_second != self.per_second {
                let factor = self.graph.number(per_second / self.per_second);
                id = self.graph.mul(factor, id);
            }
            self.drift[k] = self.graph.add(self.drift[k], id);
        }
    }

    /// Each state after a step of `dt` seconds, or time units.
    fn stepped(&mut self, dt: f64) -> Vec<Id> {
        let h = dt * self.per_second;
        (0..self.drift.len()).map(|k| step(&mut self.graph, k, self.drift[k], h)).collect()
    }
}

/// One step of a state.
fn step(g: &mut Graph, k: usize, drift: Id, h: f64) -> Id {
    let state = g.symbol(Symbol::Variable(k as u32));
    let slope = derivative(g, drift, Symbol::Variable(k as u32));
    let h = g.number(h);
    let mut change = g.mul(h, drift);
    if g.value(slope) != Some(0.0) {
        let x = g.mul(h, slope);
        let stretch = g.unary(Unary::Exprel, x);
        change = g.mul(change, stretch);
    }
    g.add(state, change)
}
