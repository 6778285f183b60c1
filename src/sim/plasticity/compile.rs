//! The rules of a projection, joined and compiled: one list of variables, flows between events, programs at events.

use std::collections::HashMap;

use super::flow::Flow;
use spikedeck_equation::derive::derivatives;
use spikedeck_equation::formulas::Formulas;
use spikedeck_equation::graph::{Graph, Id, Symbol};
use spikedeck_equation::rule::{EFFICACY, Side, WEIGHT};
use spikedeck_equation::tape::{Tape, Values};
use spikedeck_scenario::PlasticitySpec;

/// Rules between spikes, ready to be run by every thread. Variables are numbered: states of the source, of the target,
/// of the connection (the weight is the first of these).
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    /// Names as recordings have them, in the order of the variables.
    pub names: Vec<String>,
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
            let before: [f64; 16] = std::array::from_fn(|i| state.get(i).copied().unwrap_or(0.0));
            tape.evaluate(&Values { variables: &before[..state.len()], ..Values::default() }, state);
        }
    }
}

/// A state of a rule with its number.
struct Numbered {
    rule: usize,
    state: usize,
    name: String,
    initial: f64,
}

/// States of one side that are kept at most (they pass through small arrays).
const MOST: usize = 16;

impl Compiled {
    /// Names of the values of a connection, the weight first.
    pub fn of_connections(&self) -> &[String] {
        &self.names[self.pre.len() + self.post.len()..]
    }

    /// Joins and compiles the rules for steps of `dt` seconds.
    ///
    /// # Errors
    /// When a rate is not finite, or there are too many states.
    pub fn new(spec: &PlasticitySpec, dt: f64) -> Result<Self, String> {
        let mut sides: [Vec<Numbered>; 3] = [Vec::new(), Vec::new(), Vec::new()];
        let mut weights = Vec::new();
        for (rule, r) in spec.rules.iter().enumerate() {
            for (state, v) in r.rule.states().iter().enumerate().filter(|(_, v)| v.name != EFFICACY) {
                let entry = Numbered { rule, state, name: spec.variable(rule, &v.name), initial: r.initial[state] };
                match Side::of(&v.name) {
                    _ if v.name == WEIGHT => weights.push(entry),
                    Side::Pre => sides[0].push(entry),
                    Side::Post => sides[1].push(entry),
                    Side::Connection => sides[2].push(entry),
                }
            }
        }
        if sides.iter().any(|s| s.len() >= MOST) {
            return Err(format!("rules with more than {} states on one side are not run", MOST - 1));
        }
        // All rules share the weight.
        let (n, m) = (sides[0].len(), sides[1].len());
        let mut number: HashMap<(usize, usize), usize> = weights.iter().map(|w| ((w.rule, w.state), n + m)).collect();
        let first = Numbered { rule: 0, state: weights[0].state, name: WEIGHT.to_owned(), initial: 0.0 };
        sides[2].insert(0, first);
        let all: Vec<&Numbered> = sides.iter().flatten().collect();
        for (k, v) in all.iter().enumerate() {
            number.insert((v.rule, v.state), k);
        }
        let count = all.len();

        let mut g = Graph::new();
        let variables: Vec<Id> = (0..count).map(|i| g.symbol(Symbol::Variable(i as u32))).collect();
        let one = g.number(1.0);
        let (mut drift, zero) = (vec![g.number(0.0); count], g.number(0.0));
        let (mut pre, mut post) = (variables.clone(), variables.clone());
        let mut efficacy = one;
        for (rule, r) in spec.rules.iter().enumerate() {
            let states = r.rule.states();
            let per_second = r.rule.pre.time_unit().per_second();
            for (system, values, effect) in [(&r.rule.pre, &mut pre, true), (&r.rule.post, &mut post, false)] {
                let parts = system.parts();
                let replace = |g: &mut Graph, symbol: Symbol, now: &[Id]| match symbol {
                    Symbol::State(i) => Some(number.get(&(rule, i as usize)).map_or(one, |&k| now[k])),
                    Symbol::Parameter(i) => Some(g.number(r.parameters[i as usize])),
                    _ => None,
                };
                if effect {
                    let ids = g.import(
                        &parts.graph,
                        &parts.drift,
                        |g, s| replace(g, s, &variables),
                        |v, _| (v, spikedeck_core::units::Dimension::NONE),
                    );
                    for (state, id) in ids.into_iter().enumerate() {
                        if let Some(&k) = number.get(&(rule, state)) {
                            let factor = g.number(per_second);
                            let id = g.mul(factor, id);
                            drift[k] = g.add(drift[k], id);
                        }
                    }
                }
                let now = values.clone();
                let roots: Vec<Id> = parts.reset.iter().map(|r| r.1).collect();
                let ids = g.import(
                    &parts.graph,
                    &roots,
                    |g, s| replace(g, s, &now),
                    |v, _| (v, spikedeck_core::units::Dimension::NONE),
                );
                for (&(state, _), id) in parts.reset.iter().zip(ids) {
                    match number.get(&(rule, state)) {
                        Some(&k) => values[k] = id,
                        None if effect && states[state].name == EFFICACY => efficacy = g.mul(efficacy, id),
                        None => {}
                    }
                }
            }
        }
        let half = |g: &mut Graph, range: std::ops::Range<usize>, after: &[Id]| -> Result<Half, String> {
            let own: Vec<usize> = range.clone().collect();
            let mut a = Vec::new();
            let mut b = Vec::new();
            let number_of = |g: &Graph, id: Id| Tape::new(g, &[id]).value(&Values::default());
            for &i in &own {
                for &j in &own {
                    let slope = derivatives(g, &[drift[i]], Symbol::Variable(j as u32))[0];
                    a.push(number_of(g, slope));
                }
                let rest = g.substitute(&[drift[i]], |_, s| matches!(s, Symbol::Variable(_)).then_some(zero))[0];
                b.push(number_of(g, rest));
            }
            if a.iter().chain(&b).any(|v| !v.is_finite()) {
                return Err("between spikes the rule changes at an infinite rate: a time constant is zero".to_owned());
            }
            let jumps = own.iter().any(|&i| after[i] != variables[i]);
            // A unit's own states are numbered from 0 in its tape.
            let roots: Vec<Id> = own.iter().map(|&i| after[i]).collect();
            let mut shifted = g.clone();
            let roots = shifted.substitute(&roots, |g, s| match s {
                Symbol::Variable(i) if range.contains(&(i as usize)) => {
                    Some(g.symbol(Symbol::Variable(i - range.start as u32)))
                }
                _ => None,
            });
            Ok(Half {
                initial: all[range.clone()].iter().map(|v| v.initial).collect(),
                flow: Flow::new(&a, &b, dt),
                jump: jumps.then(|| Tape::new(&shifted, &roots)),
            })
        };
        let halves =
            (half(&mut g, 0..n, &pre)?, half(&mut g, n..n + m, &post)?, half(&mut g, n + m..count, &variables)?);
        let changed = |after: &[Id]| -> Vec<usize> { (n + m..count).filter(|&k| after[k] != variables[k]).collect() };
        let (changed_by_pre, changed_by_post) = (changed(&pre), changed(&post));
        let shared = !g.depends(efficacy, |s| matches!(s, Symbol::Variable(i) if i as usize >= n));
        let mut roots: Vec<Id> = changed_by_pre.iter().map(|&k| pre[k]).collect();
        if !shared {
            roots.push(efficacy);
        }
        let on_pre = (!roots.is_empty()).then(|| Formulas::new(&g, &roots));
        let roots: Vec<Id> = changed_by_post.iter().map(|&k| post[k]).collect();
        let on_post = (!roots.is_empty()).then(|| Formulas::new(&g, &roots));
        Ok(Self {
            names: all.iter().map(|v| v.name.clone()).collect(),
            pre: halves.0,
            post: halves.1,
            connection: halves.2,
            on_pre,
            changed_by_pre,
            efficacy_each: !shared,
            efficacy_shared: (shared && efficacy != one).then(|| Tape::new(&g, &[efficacy])),
            on_post,
            changed_by_post,
        })
    }
}
