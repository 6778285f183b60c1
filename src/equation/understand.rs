//! Texts of a model file → the parts of a system: names, units, order of subexpressions, noise, threshold, reset,
//! events.

use std::collections::HashMap;
use std::ops::Range;

use super::check::{Checker, FUNCTIONS, Lookup, RESERVED, describe};
use super::derive::{derivative, jumps};
use super::graph::{Binary, Graph, Id, Node, Symbol};
use super::line::{Line, read_lines};
use super::space::{OPERATORS, Space};
use super::syntax::{Assign, Statement, expression, statements};
use super::system::{Parts, Threshold};
use super::units_as_names::told_once;
use super::{Declaration, Part, Source, TimeUnit, Variable};
use spikedeck_core::diagnostic::{Diagnostic, Severity, did_you_mean};
use spikedeck_core::units::Dimension;

mod events;

/// Understands `source`, or says everything that is wrong with it.
pub(super) fn understand(source: &Source) -> Result<Parts, Vec<(Part, Diagnostic)>> {
    Builder::new(source).build()
}

#[derive(Clone, Copy)]
enum Entity {
    State(usize),
    Parameter(usize),
    Input(usize),
    Given(usize),
    Sub(usize),
}

struct Builder<'a> {
    source: &'a Source,
    parts: Parts,
    table: HashMap<String, (Entity, Dimension)>,
    known: Vec<String>,
    sub_ids: Vec<Option<Id>>,
    found: Vec<(Part, Diagnostic)>,
}

impl<'a> Builder<'a> {
    fn new(source: &'a Source) -> Self {
        let parts = Parts { time_unit: source.time_unit, ..Parts::default() };
        Self { source, parts, table: HashMap::new(), known: Vec::new(), sub_ids: Vec::new(), found: Vec::new() }
    }

    fn say(&mut self, part: Part, list: Vec<Diagnostic>) {
        self.found.extend(list.into_iter().map(|d| (part, d)));
    }

    fn declare(&mut self, name: &str, entity: Entity, dimension: Dimension, span: Range<usize>) {
        let reserved = RESERVED.contains(&name)
            || FUNCTIONS.iter().map(|f| f.name).chain(OPERATORS.iter().map(|o| o.0)).any(|n| n == name);
        let error = if reserved {
            Some(Diagnostic::error(format!("`{name}` has a meaning of its own and cannot be declared"), span))
        } else if self.table.contains_key(name) {
            Some(Diagnostic::error(format!("`{name}` is declared twice"), span))
        } else {
            self.table.insert(name.to_owned(), (entity, dimension));
            self.known.push(name.to_owned());
            None
        };
        self.say(Part::Equations, error.into_iter().collect());
    }

    fn build(mut self) -> Result<Parts, Vec<(Part, Diagnostic)>> {
        let source = self.source;
        let lines = self.lines();
        let list = |d: &[Declaration]| {
            d.iter().map(|d| Variable { name: d.name.clone(), dimension: d.dimension }).collect::<Vec<_>>()
        };
        self.parts.parameters = list(&source.parameters);
        self.parts.inputs = list(&source.inputs);
        self.parts.given = list(&source.given);
        for (i, d) in source.parameters.iter().enumerate() {
            self.declare(&d.name, Entity::Parameter(i), d.dimension, 0..0);
        }
        for (i, d) in source.inputs.iter().enumerate() {
            self.declare(&d.name, Entity::Input(i), d.dimension, 0..0);
        }
        for (i, d) in source.given.iter().enumerate() {
            self.declare(&d.name, Entity::Given(i), d.dimension, 0..0);
        }
        for line in &lines {
            let dimension = line.dimension.unwrap_or_default();
            let variable = Variable { name: line.name.clone(), dimension };
            if line.differential {
                self.declare(&line.name, Entity::State(self.parts.states.len()), dimension, line.name_span.clone());
                self.parts.states.push(variable);
            } else {
                self.declare(
                    &line.name,
                    Entity::Sub(self.parts.subexpressions.len()),
                    dimension,
                    line.name_span.clone(),
                );
                self.parts.subexpressions.push(variable);
            }
        }
        // All symbols that can be observed exist, used or not.
        for i in 0..self.parts.states.len() {
            self.parts.graph.symbol(Symbol::State(i as u32));
        }
        for i in 0..self.parts.parameters.len() {
            self.parts.graph.symbol(Symbol::Parameter(i as u32));
        }
        self.parts.port_totals =
            (0..self.parts.inputs.len()).map(|i| self.parts.graph.symbol(Symbol::Input(i as u32))).collect();
        self.subexpressions(&lines);
        self.rates(&lines);
        self.threshold();
        self.reset();
        self.refractory();
        self.on_event();
        self.provides();
        if self.parts.states.is_empty()
            && source.on_event.is_none()
            && self.found.is_empty()
            && self.parts.subexpressions.is_empty()
        {
            self.say(
                Part::Equations,
                vec![
                    Diagnostic::error("there is no equation", 0..source.equations.len())
                        .help("write `dV_m/dt = ... : V`"),
                ],
            );
        }
        told_once(&mut self.found, |(_, d)| d);
        let (warnings, errors): (Vec<_>, Vec<_>) =
            self.found.into_iter().partition(|(_, d)| d.severity == Severity::Warning);
        if errors.is_empty() {
            self.parts.warnings = warnings;
            Ok(self.parts)
        } else {
            Err(errors.into_iter().chain(warnings).collect())
        }
    }

    fn lines(&mut self) -> Vec<Line> {
        let text = self.source.equations.as_str();
        let mut found = Vec::new();
        let out = read_lines(text, self.source.weight, &mut found);
        self.say(Part::Equations, found);
        out
    }

    /// Runs `f` with a checker that knows all names; `noise` is the state whose equation it is, `weight` the dimension
    /// of `w`.
    fn checked<T>(
        &mut self,
        part: Part,
        noise: Option<usize>,
        weight: Option<Dimension>,
        changed: &HashMap<usize, Id>,
        f: impl FnOnce(&mut Checker<'_>) -> T,
    ) -> T {
        let mut list = Vec::new();
        let (table, subs, unit) = (&self.table, &self.sub_ids, self.parts.time_unit);
        let no_place = |m: &str| Some(Err(Diagnostic::error(m, 0..0)));
        let lookup = |g: &mut Graph, name: &str| -> Option<Result<(Id, Dimension), Diagnostic>> {
            if name == "t" {
                return Some(Ok((g.symbol(Symbol::Time), unit.time())));
            }
            if name == "xi" {
                return match noise {
                    Some(i) => Some(Ok((g.symbol(Symbol::Noise(i as u32)), unit.noise()))),
                    None => no_place("`xi` belongs in a differential equation"),
                };
            }
            if let (Some(d), "w") = (weight, name) {
                return Some(Ok((g.symbol(Symbol::Weight), d)));
            }
            let &(entity, dimension) = table.get(name)?;
            let id = match entity {
                Entity::State(i) => match changed.get(&i) {
                    Some(&id) => id,
                    None => g.symbol(Symbol::State(i as u32)),
                },
                Entity::Parameter(i) => g.symbol(Symbol::Parameter(i as u32)),
                Entity::Input(i) => g.symbol(Symbol::Input(i as u32)),
                Entity::Given(i) => g.symbol(Symbol::Given(i as u32)),
                // A subexpression that could not be understood was reported where it stands.
                Entity::Sub(i) => match subs.get(i).copied().flatten() {
                    // Inside a reset, after an assignment, subexpressions see the new values.
                    Some(id) if !changed.is_empty() => g.substitute(&[id], |_, s| match s {
                        Symbol::State(k) => changed.get(&(k as usize)).copied(),
                        _ => None,
                    })[0],
                    Some(id) => id,
                    None => g.number(f64::NAN),
                },
            };
            Some(Ok((id, dimension)))
        };
        let lookup: &Lookup<'_> = &lookup;
        let p = &mut self.parts;
        let space = (part == Part::Equations).then_some(Space {
            operators: &mut p.operators,
            inputs: &mut p.inputs,
            totals: &mut p.port_totals,
            length: unit.length(),
        });
        let result = f(&mut Checker { graph: &mut p.graph, lookup, known: &self.known, diagnostics: &mut list, space });
        self.say(part, list);
        result
    }

    fn subexpressions(&mut self, lines: &[Line]) {
        let subs: Vec<&Line> = lines.iter().filter(|l| !l.differential).collect();
        self.sub_ids = vec![None; subs.len()];
        let index: HashMap<&str, usize> = subs.iter().enumerate().rev().map(|(i, l)| (l.name.as_str(), i)).collect();
        let needs: Vec<Vec<usize>> = subs
            .iter()
            .map(|l| {
                let mut list = Vec::new();
                if let Some(e) = &l.expr {
                    e.names(&mut |n, _| list.extend(index.get(n)));
                }
                list
            })
            .collect();
        let mut done = vec![false; subs.len()];
        loop {
            let next: Vec<usize> = (0..subs.len()).filter(|&i| !done[i] && needs[i].iter().all(|&j| done[j])).collect();
            if next.is_empty() {
                break;
            }
            for i in next {
                done[i] = true;
                if let (Some(e), Some(d)) = (&subs[i].expr, subs[i].dimension) {
                    let what = format!("`{}`", subs[i].name);
                    self.sub_ids[i] =
                        self.checked(Part::Equations, None, None, &HashMap::new(), |c| c.expect(e, d, &what));
                }
            }
        }
        for i in (0..subs.len()).filter(|&i| !done[i]) {
            let others: Vec<&str> = needs[i].iter().filter(|&&j| !done[j]).map(|&j| subs[j].name.as_str()).collect();
            let d = Diagnostic::error(format!("`{}` depends on itself", subs[i].name), subs[i].name_span.clone())
                .help(format!("through {}", others.join(", ")));
            self.say(Part::Equations, vec![d]);
        }
        let nan = self.parts.graph.number(f64::NAN);
        self.parts.subexpression_ids = self.sub_ids.iter().map(|id| id.unwrap_or(nan)).collect();
    }

    fn rates(&mut self, lines: &[Line]) {
        for (i, line) in lines.iter().filter(|l| l.differential).enumerate() {
            let (drift, diffusion) = self.rate(i, line).unwrap_or_else(|| (self.parts.graph.number(f64::NAN), None));
            self.parts.drift.push(drift);
            self.parts.diffusion.push(diffusion);
        }
    }

    fn rate(&mut self, i: usize, line: &Line) -> Option<(Id, Option<Id>)> {
        let (e, d) = (line.expr.as_ref()?, line.dimension?);
        let want = d.per(self.parts.time_unit.time());
        let what = format!("d{}/dt", line.name);
        let id = self.checked(Part::Equations, Some(i), None, &HashMap::new(), |c| c.expect(e, want, &what))?;
        let noise = Symbol::Noise(i as u32);
        let g = &mut self.parts.graph;
        if !g.depends(id, |s| s == noise) {
            return Some((id, None));
        }
        let factor = derivative(g, id, noise);
        if g.depends(factor, |s| s == noise) || jumps(g, id, |s| s == noise) {
            let d = Diagnostic::error("`xi` may only be multiplied by other terms", e.span.clone())
                .help("write `... + sigma*xi`");
            self.say(Part::Equations, vec![d]);
            return None;
        }
        let drift = g.substitute(&[id], |g, s| (s == noise).then(|| g.number(0.0)))[0];
        Some((drift, Some(factor)))
    }

    fn threshold(&mut self) {
        let Some(text) = &self.source.threshold else { return };
        let mut list = Vec::new();
        let e = expression(text, 0..text.len(), &mut list);
        self.say(Part::Threshold, list);
        let Some(e) = e else { return };
        let Some(condition) = self.checked(Part::Threshold, None, None, &HashMap::new(), |c| c.condition(&e)) else {
            return;
        };
        let g = &mut self.parts.graph;
        let (mut surface, mut cut) = (None, None);
        if let Node::Binary(op @ (Binary::Greater | Binary::GreaterEqual | Binary::Less | Binary::LessEqual), a, b) =
            g.node(condition)
        {
            let above = matches!(op, Binary::Greater | Binary::GreaterEqual);
            surface = Some(if above { g.sub(a, b) } else { g.sub(b, a) });
            if let (true, Node::Symbol(Symbol::State(s))) = (above, g.node(a))
                && !g.depends(b, |s| matches!(s, Symbol::State(_) | Symbol::Input(_) | Symbol::Time))
            {
                cut = Some((s as usize, b));
            }
        }
        self.parts.threshold = Some(Threshold { condition, surface, cut });
    }

    fn target(&mut self, part: Part, s: &Statement) -> Option<(Entity, Dimension)> {
        let error = |m: String| Diagnostic::error(m, s.target_span.clone());
        let d = match self.table.get(&s.target) {
            Some(&(Entity::State(i), d)) => return Some((Entity::State(i), d)),
            Some(&(Entity::Given(i), d)) if part == Part::OnEvent => return Some((Entity::Given(i), d)),
            Some(_) => error(format!("`{}` is no state, so it cannot change", s.target)),
            None => {
                let d = error(format!("unknown name `{}`", s.target));
                match did_you_mean(&s.target, self.parts.states.iter().map(|v| v.name.as_str())) {
                    Some(near) => d.help(format!("did you mean `{near}`?")),
                    None => d,
                }
            }
        };
        self.say(part, vec![d]);
        None
    }

    fn reset(&mut self) {
        let Some(text) = &self.source.reset else { return };
        let mut list = Vec::new();
        let statements = statements(text, &mut list);
        if self.source.threshold.is_none() {
            list.push(
                Diagnostic::error("a reset needs a threshold", 0..text.len())
                    .help("write `threshold = \"V_m > V_th\"`"),
            );
        }
        self.say(Part::Reset, list);
        let mut changed: HashMap<usize, Id> = HashMap::new();
        for s in &statements {
            let Some((Entity::State(i), d)) = self.target(Part::Reset, s) else { continue };
            let what = format!("`{}`", s.target);
            let value = self.checked(Part::Reset, None, None, &changed, |c| match s.assign {
                Assign::Update(Binary::Mul | Binary::Div) => c.expect(&s.value, Dimension::NONE, "a factor"),
                _ => c.expect(&s.value, d, &what),
            });
            let Some(value) = value else { continue };
            let g = &mut self.parts.graph;
            let old = changed.get(&i).copied().unwrap_or_else(|| g.symbol(Symbol::State(i as u32)));
            let new = match s.assign {
                Assign::Set => value,
                Assign::Update(op) => g.binary(op, old, value),
            };
            changed.insert(i, new);
        }
        let mut reset: Vec<(usize, Id)> = changed.into_iter().collect();
        reset.sort_unstable();
        self.parts.reset = reset;
    }

    fn refractory(&mut self) {
        for (n, name) in self.source.refractory_hold.iter().enumerate() {
            if let Some(&(Entity::State(i), _)) = self.table.get(name) {
                self.parts.hold.push(i);
            } else {
                let d = Diagnostic::error(format!("`{name}` is no state, so it cannot be held"), 0..name.len());
                self.say(Part::RefractoryHold(n), vec![d]);
            }
        }
        self.parts.hold.sort_unstable();
        self.parts.hold.dedup();
        let Some(text) = &self.source.refractory_time else {
            if !self.source.refractory_hold.is_empty() {
                self.say(
                    Part::RefractoryHold(0),
                    vec![Diagnostic::error("states are held, but no refractory time is given", 0..0)],
                );
            }
            return;
        };
        let mut list = Vec::new();
        if self.source.threshold.is_none() {
            list.push(Diagnostic::error("a refractory time needs a threshold", 0..text.len()));
        }
        let e = expression(text, 0..text.len(), &mut list);
        self.say(Part::RefractoryTime, list);
        let Some(e) = e else { return };
        let unit = self.parts.time_unit;
        let result = self.checked(Part::RefractoryTime, None, None, &HashMap::new(), |c| {
            let (id, d) = c.number(&e)?;
            match d {
                None => Some((id, 1.0)),
                Some(d) if d == unit.time() => Some((id, 1.0)),
                // A time in seconds is understood by plain-number models as well.
                Some(d) if d == Dimension::SECOND && unit != TimeUnit::Dimensionless => Some((id, unit.per_second())),
                Some(d) => {
                    c.diagnostics.push(Diagnostic::error(
                        format!(
                            "a refractory time has {}, but this expression has {}",
                            describe(unit.time()),
                            describe(d)
                        ),
                        e.span.clone(),
                    ));
                    None
                }
            }
        });
        if let Some((id, factor)) = result {
            let factor = self.parts.graph.number(factor);
            self.parts.refractory = Some(self.parts.graph.mul(factor, id));
        }
    }
}
