//! A model carrying receptors: their states join it, their currents add to its input ports.

use std::collections::HashMap;

use super::graph::{Graph, Id, Node, Symbol};
use super::system::{Parts, System};
use super::{EventPort, TimeUnit, Variable};
use spikedeck_core::diagnostic::Diagnostic;
use spikedeck_core::units::Dimension;

impl System {
    /// This system carrying `receptor` under `name`: its states, parameters and subexpressions become `name.VAR`, and
    /// each of its subexpressions that is called as one of the host's input ports (`I`) adds to that port.
    ///
    /// A receptor is written for a current in A and a potential in V. Where the host's port has another dimension
    /// (A/m², or none), ampere is replaced by it in all dimensions of the receptor, and volt by the host's dimension of
    /// the potential; so a conductance in S becomes one in S/m², and the unit check that the receptor passed stays
    /// passed.
    ///
    /// # Errors
    /// When the host lacks a name that the receptor is given, has no port for its current, or dimensions do not fit.
    pub fn carrying(&self, name: &str, receptor: &System) -> Result<Self, Vec<Diagnostic>> {
        let mut out = self.parts().clone();
        let r = receptor.parts();
        let mut wrong = Vec::new();
        let mut fail = |m: String| wrong.push(Diagnostic::error(m, 0..0));
        if out.events.iter().any(|e| e.name == name) {
            fail(format!("there is already an event port `{name}`"));
        }
        if r.threshold.is_some() {
            fail(format!("`{name}` has a threshold, so it is a model and no receptor"));
        }
        if !r.operators.is_empty() {
            fail(format!(
                "`{name}` has operators of space in its equations; these belong to the model that carries it"
            ));
        }
        // What an event adds is made of what stands at a grid point.
        let read = |g: usize| {
            r.effects
                .iter()
                .flatten()
                .chain(&r.given_effects)
                .any(|&(_, gain)| r.graph.depends(gain, |s| s == Symbol::Given(g as u32)))
        };
        for (_, variable) in r.given.iter().enumerate().filter(|(g, _)| read(*g)) {
            if let Some((id, _)) = self.observable(&variable.name)
                && self.parts().graph.depends(id, |s| matches!(s, Symbol::Input(_)))
            {
                fail(format!(
                    "what an event adds by `{name}` depends on `{}`, which in this model depends on an input; an event \
                     arrives at a grid point, where one input ends and the next begins",
                    variable.name
                ));
            }
        }
        // Time: a receptor in seconds is carried by plain-number models as well.
        let (drift_factor, time_factor) = match (out.time_unit, r.time_unit) {
            (a, b) if a == b => (1.0, 1.0),
            (TimeUnit::Millisecond, TimeUnit::Dimensional | TimeUnit::Second) => (1e-3, 1e-3),
            (TimeUnit::Second, TimeUnit::Dimensional) => (1.0, 1.0),
            (TimeUnit::Dimensionless, _) => {
                fail(format!("`{name}` counts in seconds, but the model has no unit of time"));
                (1.0, 1.0)
            }
            _ => {
                fail(format!("`{name}` and the model count time in different units"));
                (1.0, 1.0)
            }
        };
        // What the receptor is given, and where its currents go.
        let given: Vec<Option<(Id, Dimension)>> = r.given.iter().map(|g| self.observable(&g.name)).collect();
        for (g, found) in r.given.iter().zip(&given) {
            if found.is_none() {
                fail(format!(
                    "`{name}` needs `{}` of the model that carries it, which has no state or quantity of this name",
                    g.name
                ));
            }
        }
        let ports: Vec<(usize, usize)> = r
            .subexpressions
            .iter()
            .enumerate()
            .filter_map(|(s, v)| out.inputs.iter().position(|i| i.name == v.name).map(|p| (s, p)))
            .collect();
        if ports.is_empty() && r.given_effects.is_empty() && r.provided.is_empty() {
            let list: Vec<&str> = out.inputs.iter().map(|i| i.name.as_str()).collect();
            let have = if list.is_empty() {
                "the model has no input port".to_owned()
            } else {
                format!("the model's input ports are: {}", list.join(", "))
            };
            fail(format!(
                "`{name}` adds to no input port of the model: a receptor has a line such as `I = g*(E_rev - V_m) : \
                 A`; {have}"
            ));
        }
        let volt =
            first(r.given.iter().zip(&given).filter_map(|(v, g)| Some((v.dimension, g.as_ref()?.1))), Dimension::VOLT);
        let ampere = first(
            ports.iter().map(|&(s, p)| (r.subexpressions[s].dimension, out.inputs[p].dimension)),
            Dimension::AMPERE,
        );
        let rebase = |d: Dimension| d.rebased(volt, ampere).unwrap_or(d);
        for (v, found) in r.given.iter().zip(&given) {
            if let Some((_, d)) = found.filter(|f| f.1 != rebase(v.dimension)) {
                fail(format!(
                    "`{name}` needs `{}` with unit {}, but in the model it has unit {d}",
                    v.name,
                    rebase(v.dimension)
                ));
            }
        }
        for &(s, p) in &ports {
            let (have, want) = (rebase(r.subexpressions[s].dimension), out.inputs[p].dimension);
            if have != want {
                fail(format!(
                    "`{name}` adds a quantity with unit {have} to `{}`, which has unit {want}",
                    out.inputs[p].name
                ));
            }
        }
        let literals = literals(r);
        if let Some(d) = literals.into_iter().find(|&d| rebase(d) != d) {
            fail(format!(
                "`{name}` contains a literal quantity in {d}, which would have to become one in {} for this model; \
                 make it a parameter",
                rebase(d)
            ));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        append(&mut out, r, name, &rebase, &Bound { given, ports, drift_factor, time_factor });
        Ok(Self::from_parts(out))
    }
}

/// The host's dimension for `base`: of the first pair whose own dimension is `base`.
fn first(mut pairs: impl Iterator<Item = (Dimension, Dimension)>, base: Dimension) -> Dimension {
    pairs.find(|p| p.0 == base).map_or(base, |p| p.1)
}

/// Dimensions of all literal quantities that the receptor uses.
fn literals(r: &Parts) -> Vec<Dimension> {
    let roots: Vec<Id> = r
        .drift
        .iter()
        .copied()
        .chain(r.diffusion.iter().copied().flatten())
        .chain(r.subexpression_ids.iter().copied())
        .chain(r.effects.iter().flatten().chain(&r.given_effects).map(|e| e.1))
        .collect();
    let needed = r.graph.reachable(&roots);
    (0..r.graph.len())
        .filter(|&i| needed[i])
        .filter_map(|i| match r.graph.node(Id(i as u32)) {
            Node::Constant(_, d) => Some(d),
            _ => None,
        })
        .collect()
}

struct Bound {
    given: Vec<Option<(Id, Dimension)>>,
    /// Subexpression of the receptor and port of the host.
    ports: Vec<(usize, usize)>,
    drift_factor: f64,
    time_factor: f64,
}

fn append(out: &mut Parts, r: &Parts, name: &str, rebase: &dyn Fn(Dimension) -> Dimension, bound: &Bound) {
    let (states, parameters, inputs) = (out.states.len() as u32, out.parameters.len() as u32, out.inputs.len() as u32);
    let renamed = |list: &[Variable]| -> Vec<Variable> {
        list.iter().map(|v| Variable { name: format!("{name}.{}", v.name), dimension: rebase(v.dimension) }).collect()
    };
    out.states.extend(renamed(&r.states));
    out.parameters.extend(renamed(&r.parameters));
    out.inputs.extend(renamed(&r.inputs));
    let roots: Vec<Id> = r
        .drift
        .iter()
        .copied()
        .chain(r.diffusion.iter().copied().flatten())
        .chain(r.subexpression_ids.iter().copied())
        .chain(r.port_totals.iter().copied())
        .chain(r.provided.iter().map(|p| p.1))
        .chain(r.effects.iter().flatten().chain(&r.given_effects).map(|e| e.1))
        .collect();
    let symbols: HashMap<Symbol, Symbol> = (0..r.states.len() as u32)
        .map(|i| (Symbol::State(i), Symbol::State(states + i)))
        .chain((0..r.parameters.len() as u32).map(|i| (Symbol::Parameter(i), Symbol::Parameter(parameters + i))))
        .chain((0..r.inputs.len() as u32).map(|i| (Symbol::Input(i), Symbol::Input(inputs + i))))
        .collect();
    for s in symbols.values() {
        out.graph.symbol(*s);
    }
    let time_factor = bound.time_factor;
    let ids = out.graph.import(
        &r.graph,
        &roots,
        |g: &mut Graph, s| match s {
            Symbol::Given(i) => bound.given[i as usize].map(|b| b.0),
            Symbol::Time => {
                let (f, t) = (g.number(time_factor), g.symbol(Symbol::Time));
                Some(g.mul(f, t))
            }
            other => symbols.get(&other).map(|&s| g.symbol(s)),
        },
        |v, d| (v, d),
    );
    let mut ids = ids.into_iter();
    let mut next = || ids.next().expect("every expression that is asked for below is a root that was imported");
    let g = &mut out.graph;
    for _ in &r.drift {
        let (id, factor) = (next(), g.number(bound.drift_factor));
        out.drift.push(g.mul(factor, id));
    }
    for d in &r.diffusion {
        // White noise has the density of its own unit of time: sqrt(dt) scales with the square root.
        let scaled = d.map(|_| (next(), g.number(bound.drift_factor.sqrt())));
        out.diffusion.push(scaled.map(|(id, f)| g.mul(f, id)));
    }
    out.subexpressions.extend(renamed(&r.subexpressions));
    let subs: Vec<Id> = r.subexpression_ids.iter().map(|_| next()).collect();
    out.subexpression_ids.extend(&subs);
    for _ in &r.port_totals {
        out.port_totals.push(next());
    }
    for (variable, _) in &r.provided {
        let id = next();
        // The first to provide a name is the one that is read.
        if !out.provided.iter().any(|(v, _)| v.name == variable.name) {
            out.provided.push((Variable { name: variable.name.clone(), dimension: rebase(variable.dimension) }, id));
        }
    }
    let effects: Vec<Vec<(usize, Id)>> =
        r.effects.iter().map(|list| list.iter().map(|(s, _)| (s + states as usize, next())).collect()).collect();
    let given_effects: Vec<(usize, Id)> = r.given_effects.iter().map(|(g, _)| (*g, next())).collect();
    for (port, mut list) in r.events.iter().zip(effects) {
        for &(given, gain) in &given_effects {
            // A given name that events change is a state of the host.
            if let Some((id, _)) = bound.given[given]
                && let Node::Symbol(Symbol::State(s)) = out.graph.node(id)
            {
                list.push((s as usize, gain));
            }
        }
        out.events.push(EventPort { name: name.to_owned(), weight: rebase(port.weight) });
        out.effects.push(list);
    }
    // The currents: wherever the host reads the port, it now reads the sum.
    let mut totals: HashMap<u32, Id> = HashMap::new();
    for &(s, p) in &bound.ports {
        let port = totals.get(&(p as u32)).copied().unwrap_or_else(|| out.graph.symbol(Symbol::Input(p as u32)));
        let sum = out.graph.add(port, subs[s]);
        totals.insert(p as u32, sum);
    }
    substitute_ports(out, &totals);
}

fn substitute_ports(out: &mut Parts, totals: &HashMap<u32, Id>) {
    if totals.is_empty() {
        return;
    }
    let mut places: Vec<&mut Id> = out.drift.iter_mut().collect();
    places.extend(out.diffusion.iter_mut().flatten());
    places.extend(&mut out.subexpression_ids);
    places.extend(&mut out.port_totals);
    places.extend(out.provided.iter_mut().map(|p| &mut p.1));
    places.extend(out.operators.iter_mut().map(|o| &mut o.argument));
    places.extend(out.reset.iter_mut().map(|r| &mut r.1));
    places.extend(out.effects.iter_mut().flatten().map(|e| &mut e.1));
    places.extend(&mut out.refractory);
    if let Some(t) = &mut out.threshold {
        places.push(&mut t.condition);
        places.extend(&mut t.surface);
        places.extend(t.cut.as_mut().map(|c| &mut c.1));
    }
    let roots: Vec<Id> = places.iter().map(|p| **p).collect();
    let new = out.graph.substitute(&roots, |_, s| match s {
        Symbol::Input(i) => totals.get(&i).copied(),
        _ => None,
    });
    for (place, id) in places.into_iter().zip(new) {
        *place = id;
    }
}
