//! The rules of a projection, joined and compiled: one list of variables, flows between events, programs at events.

use std::collections::HashMap;
use std::ops::Range;

use super::flow::Flow;
use super::numbering::Numbering;
use spikedeck_core::units::Dimension;
use spikedeck_equation::derive::derivatives;
use spikedeck_equation::formulas::Formulas;
use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::{ConnectionVariableId, PlasticitySpec};

/// Rules between spikes, ready to be run by every thread. Variables are numbered: states of the source, of the target,
/// of the connection (the weight is the first of these).
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    /// Names as recordings have them, in the order of the variables.
    pub names: Vec<String>,
    /// Number of each state of each rule; the efficacy has none.
    numbers: HashMap<(usize, usize), usize>,
    pub pre: Half,
    pub post: Half,
    pub connection: Half,
    /// What a spike of the source does to connections: new values of `changed_by_pre`, and the efficacy if it differs
    /// between connections.
    pub(super) on_pre: Option<Formulas>,
    pub changed_by_pre: Vec<usize>,
    /// The efficacy is the last result of `on_pre`.
    pub efficacy_each: bool,
    /// The efficacy as a function of the states of the source, before its spike acts on them.
    pub efficacy_shared: Option<Tape>,
    /// What a spike of the target does to connections: new values of `changed_by_post`.
    pub(super) on_post: Option<Formulas>,
    pub changed_by_post: Vec<usize>,
}

/// States of one side.
#[derive(Debug, Clone)]
pub(crate) struct Half {
    pub initial: Vec<f64>,
    pub(super) flow: Flow,
    /// New values after a spike of their own unit (units' states only).
    pub(super) jump: Option<Tape>,
}

impl Half {
    pub fn len(&self) -> usize {
        self.initial.len()
    }

    /// Lets a spike of the unit act on its states.
    pub(super) fn spike(&self, state: &mut [f64]) {
        if let Some(tape) = &self.jump {
            let before = side(state);
            tape.evaluate(&Values { variables: &before[..state.len()], ..Values::default() }, state);
        }
    }
}

/// States of one side that are kept at most (they pass through small arrays).
pub(super) const MOST: usize = 16;

/// The states of one side, with zeros behind them.
pub(super) fn side(state: &[f64]) -> [f64; MOST] {
    let mut all = [0.0; MOST];
    all[..state.len()].copy_from_slice(state);
    all
}

/// The rules as one: rates of all states, and their values after a spike of either end.
struct Joined {
    graph: Graph,
    variables: Vec<Id>,
    drift: Vec<Id>,
    pre: Vec<Id>,
    post: Vec<Id>,
    efficacy: Id,
    one: Id,
    zero: Id,
}

impl Joined {
    fn new(spec: &PlasticitySpec, numbering: &Numbering) -> Self {
        let mut g = Graph::new();
        let variables: Vec<Id> = (0..numbering.all.len()).map(|i| g.symbol(Symbol::Variable(i as u32))).collect();
        let (one, zero) = (g.number(1.0), g.number(0.0));
        let mut out = Self {
            graph: g,
            drift: vec![zero; variables.len()],
            pre: variables.clone(),
            post: variables.clone(),
            variables,
            efficacy: one,
            one,
            zero,
        };
        for rule in 0..spec.rules.len() {
            out.flow(spec, numbering, rule);
            out.spike_of_source(spec, numbering, rule);
            out.spike_of_target(spec, numbering, rule);
        }
        out
    }

    /// Expressions of a rule, with what its states are `now`.
    fn import(
        &mut self,
        (numbering, rule): (&Numbering, usize),
        parameters: &[f64],
        (from, roots): (&Graph, &[Id]),
        now: &[Id],
    ) -> Vec<Id> {
        let one = self.one;
        self.graph.import(
            from,
            roots,
            |g, symbol| match symbol {
                Symbol::State(i) => Some(numbering.number(rule, i as usize).map_or(one, |k| now[k])),
                Symbol::Parameter(i) => Some(g.number(parameters[i as usize])),
                Symbol::Time
                | Symbol::Given(_)
                | Symbol::Input(_)
                | Symbol::Noise(_)
                | Symbol::Weight
                | Symbol::Variable(_) => unreachable!("a rule between spikes is refused if it reads {symbol:?}"),
            },
            |v, _| (v, Dimension::NONE),
        )
    }

    /// Adds the rates of a rule.
    fn flow(&mut self, spec: &PlasticitySpec, numbering: &Numbering, rule: usize) {
        let r = &spec.rules[rule];
        let (p, variables) = (r.rule.pre.parts(), self.variables.clone());
        let ids = self.import((numbering, rule), &r.parameters, (&p.graph, &p.drift), &variables);
        for (state, id) in ids.into_iter().enumerate() {
            if let Some(k) = numbering.number(rule, state) {
                let factor = self.graph.number(p.time_unit.per_second());
                let id = self.graph.mul(factor, id);
                self.drift[k] = self.graph.add(self.drift[k], id);
            }
        }
    }

    fn spike_of_source(&mut self, spec: &PlasticitySpec, numbering: &Numbering, rule: usize) {
        let r = &spec.rules[rule];
        let (p, now) = (r.rule.pre.parts(), self.pre.clone());
        let roots: Vec<Id> = p.reset.iter().map(|r| r.1).collect();
        let ids = self.import((numbering, rule), &r.parameters, (&p.graph, &roots), &now);
        for (&(state, _), id) in p.reset.iter().zip(ids) {
            if let Some(k) = numbering.number(rule, state) {
                self.pre[k] = id;
            } else {
                // The one state that has no number is the efficacy.
                self.efficacy = self.graph.mul(self.efficacy, id);
            }
        }
    }

    fn spike_of_target(&mut self, spec: &PlasticitySpec, numbering: &Numbering, rule: usize) {
        let r = &spec.rules[rule];
        let (p, now) = (r.rule.post.parts(), self.post.clone());
        let roots: Vec<Id> = p.reset.iter().map(|r| r.1).collect();
        let ids = self.import((numbering, rule), &r.parameters, (&p.graph, &roots), &now);
        for (&(state, _), id) in p.reset.iter().zip(ids) {
            let k = numbering.number(rule, state);
            self.post[k.expect("a spike of the target sets no efficacy, and all else is numbered")] = id;
        }
    }

    /// The states `range`: their rates as a flow, and what a spike of their own unit makes of them (`after`).
    ///
    /// # Errors
    /// When a rate is not finite.
    fn half(&mut self, numbering: &Numbering, range: Range<usize>, after: &[Id], dt: f64) -> Result<Half, String> {
        let (g, zero) = (&mut self.graph, self.zero);
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let number_of = |g: &Graph, id: Id| Tape::new(g, &[id]).value(&Values::default());
        for i in range.clone() {
            for j in range.clone() {
                let slope = derivatives(g, &[self.drift[i]], Symbol::Variable(j as u32))[0];
                a.push(number_of(g, slope));
            }
            let rest = g.substitute(&[self.drift[i]], |_, s| matches!(s, Symbol::Variable(_)).then_some(zero))[0];
            b.push(number_of(g, rest));
        }
        if a.iter().chain(&b).any(|v| !v.is_finite()) {
            return Err("between spikes the rule changes at an infinite rate: a time constant is zero".to_owned());
        }
        let jumps = range.clone().any(|i| after[i] != self.variables[i]);
        // A unit's own states are numbered from 0 in its tape.
        let mut shifted = g.clone();
        let roots = shifted.substitute(&after[range.clone()], |g, s| match s {
            Symbol::Variable(i) if range.contains(&(i as usize)) => {
                Some(g.symbol(Symbol::Variable(i - range.start as u32)))
            }
            _ => None,
        });
        Ok(Half {
            initial: numbering.all[range].iter().map(|v| v.initial).collect(),
            flow: Flow::new(&a, &b, dt),
            jump: jumps.then(|| Tape::new(&shifted, &roots)),
        })
    }

    /// States of the connection that are others `after` a spike.
    fn changed(&self, numbering: &Numbering, after: &[Id]) -> Vec<usize> {
        (numbering.ends()..numbering.all.len()).filter(|&k| after[k] != self.variables[k]).collect()
    }

    fn compiled(&self, roots: &[Id]) -> Option<Formulas> {
        (!roots.is_empty()).then(|| Formulas::new(&self.graph, roots))
    }
}

impl Compiled {
    /// Names of the values of a connection, the weight first.
    pub fn of_connections(&self) -> &[String] {
        &self.names[self.pre.len() + self.post.len()..]
    }

    /// The number of a value of a connection; none where it is the efficacy.
    pub fn number(&self, variable: ConnectionVariableId) -> Option<usize> {
        self.numbers.get(&(variable.rule(), variable.state())).copied()
    }

    /// Joins and compiles the rules for steps of `dt` seconds.
    ///
    /// # Errors
    /// When a rate is not finite, or there are too many states.
    pub fn new(spec: &PlasticitySpec, dt: f64) -> Result<Self, String> {
        let numbering = Numbering::of(spec);
        let [sources, targets, connections] = numbering.sides;
        // The weight is kept apart.
        if [sources, targets, connections - 1].iter().any(|n| *n >= MOST) {
            return Err(format!("rules with more than {} states on one side are not run", MOST - 1));
        }
        let mut joined = Joined::new(spec, &numbering);
        let (n, ends, count) = (sources, numbering.ends(), numbering.all.len());
        let (after_pre, after_post, unchanged) = (joined.pre.clone(), joined.post.clone(), joined.variables.clone());
        let pre = joined.half(&numbering, 0..n, &after_pre, dt)?;
        let post = joined.half(&numbering, n..ends, &after_post, dt)?;
        let connection = joined.half(&numbering, ends..count, &unchanged, dt)?;
        let changed_by_pre = joined.changed(&numbering, &after_pre);
        let changed_by_post = joined.changed(&numbering, &after_post);
        let Joined { efficacy, one, .. } = joined;
        let shared = !joined.graph.depends(efficacy, |s| matches!(s, Symbol::Variable(i) if i as usize >= n));
        let mut roots: Vec<Id> = changed_by_pre.iter().map(|&k| after_pre[k]).collect();
        if !shared {
            roots.push(efficacy);
        }
        let on_pre = joined.compiled(&roots);
        let roots: Vec<Id> = changed_by_post.iter().map(|&k| after_post[k]).collect();
        Ok(Self {
            names: numbering.all.into_iter().map(|v| v.name).collect(),
            numbers: numbering.numbers,
            pre,
            post,
            connection,
            on_pre,
            changed_by_pre,
            efficacy_each: !shared,
            efficacy_shared: (shared && efficacy != one).then(|| Tape::new(&joined.graph, &[efficacy])),
            on_post: joined.compiled(&roots),
            changed_by_post,
        })
    }
}
