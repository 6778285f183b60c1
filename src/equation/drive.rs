//! A system of which more is driven from outside than its file says: parameters that change during a run, and a state
//! that is clamped. Both become input ports.

use super::Variable;
use super::derive::derivative;
use super::graph::{Graph, Id, Symbol};
use super::system::{Parts, System};

/// What follows the name of a parameter in the name of the port that changes it.
const CHANGE: &str = ".change";

/// What a port acts on that the equations as written do not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drive {
    /// It is added to the parameter of this number.
    Change(usize),
    /// It is added to the input of this number.
    Source(usize),
    /// It is what a clamped state is.
    Clamp,
}

/// The current that a clamp injects.
pub const CLAMP_CURRENT: &str = "I_clamp";

impl System {
    /// This system with one of its parameters as the sum of its value and what a new port `NAME.change` brings; a
    /// subexpression of the parameter's name is what it is now. None where there is no such parameter, or it has a port
    /// already; also where a reset, the refractory time or what an event adds needs it, since ports have no value at
    /// the moment of a spike, and at a grid point one value ends and the next begins.
    pub fn with_changing(&self, name: &str) -> Option<Self> {
        let port = format!("{name}{CHANGE}");
        let index = self.parameters().iter().position(|p| p.name == name)?;
        if self.inputs().iter().any(|i| i.name == port) {
            return None;
        }
        let p = self.parts();
        let at_events = p.effects.iter().flatten().chain(&p.given_effects).map(|e| e.1);
        let mut at_moments = p.reset.iter().map(|r| r.1).chain(p.refractory).chain(at_events);
        if at_moments.any(|id| p.graph.depends(id, |s| s == Symbol::Parameter(index as u32))) {
            return None;
        }
        let mut parts = p.clone();
        let dimension = parts.parameters[index].dimension;
        // Ten kelvin more are ten degrees Celsius more, whatever scale the parameter is on.
        let variable = Variable { name: port, dimension: dimension.difference() };
        let change = add_port(&mut parts, variable, Drive::Change(index));
        let own = parts.graph.symbol(Symbol::Parameter(index as u32));
        let sum = parts.graph.add(own, change);
        rewrite(&mut parts, |_, s| (s == Symbol::Parameter(index as u32)).then_some(sum));
        parts.subexpressions.push(Variable { name: name.to_owned(), dimension });
        parts.subexpression_ids.push(sum);
        Some(Self::from_parts(parts))
    }

    /// This system with a port of its own for one of the things that are brought to an input: `INPUT.SOURCE`, which is
    /// added to the input wherever that stands. None where there is no such input.
    pub fn with_source(&self, input: &str, source: &str) -> Option<Self> {
        let index = self.inputs().iter().position(|i| i.name == input)?;
        let mut parts = self.parts().clone();
        let variable = Variable { name: format!("{input}.{source}"), dimension: parts.inputs[index].dimension };
        let port = add_port(&mut parts, variable, Drive::Source(index));
        let whole = parts.graph.symbol(Symbol::Input(index as u32));
        let sum = parts.graph.add(whole, port);
        rewrite(&mut parts, |_, s| (s == Symbol::Input(index as u32)).then_some(sum));
        Some(Self::from_parts(parts))
    }

    /// This system with a state that is what a new port of its name says, and [`CLAMP_CURRENT`]: what has to be added
    /// to the input `charging` to keep the state where it is, without what charges it when the command jumps. It no
    /// longer spikes.
    ///
    /// # Errors
    /// Why it cannot be clamped.
    pub fn clamped(&self, state: &str, charging: &str) -> Result<Self, String> {
        let index = |list: &[Variable], name: &str| list.iter().position(|v| v.name == name);
        let at = index(self.states(), state).ok_or_else(|| format!("`{state}` is no state"))?;
        let port = index(self.inputs(), charging).ok_or_else(|| format!("there is no input `{charging}`"))?;
        let mut parts = self.parts().clone();
        if parts.diffusion[at].is_some() {
            return Err(format!("the equation of `{state}` has noise, and so would the current that holds it"));
        }
        if !parts.operators.is_empty() {
            return Err("a clamp holds units that are apart, and these equations reach across space".to_owned());
        }
        let jumped = (0..).zip(&parts.effects).find(|(_, list)| list.iter().any(|e| e.0 == at));
        if let Some((event, _)) = jumped {
            return Err(format!("an event at `{}` makes `{state}` jump", parts.events[event as usize].name));
        }
        let reads = |e: &(usize, Id)| parts.graph.depends(e.1, |s| s == Symbol::State(at as u32));
        if let Some((event, _)) = (0..).zip(&parts.effects).find(|(_, list)| list.iter().any(reads)) {
            let name = &parts.events[event as usize].name;
            return Err(format!("what an event at `{name}` adds depends on it, at a moment at which it may jump"));
        }
        if index(&parts.subexpressions, CLAMP_CURRENT).is_some() {
            return Err(format!("`{CLAMP_CURRENT}` is the current of the clamp, and this model has one of its own"));
        }
        parts.threshold = None;
        parts.reset.clear();
        parts.refractory = None;
        parts.hold.clear();
        let variable = parts.states.remove(at);
        let drift = parts.drift.remove(at);
        parts.diffusion.remove(at);
        for (other, _) in parts.effects.iter_mut().flatten() {
            *other -= usize::from(*other > at);
        }
        // The rate of the state is kept through the rewriting behind the subexpressions.
        parts.subexpressions.push(Variable { name: CLAMP_CURRENT.to_owned(), dimension: parts.inputs[port].dimension });
        parts.subexpression_ids.push(drift);
        let command = add_port(&mut parts, variable, Drive::Clamp);
        rewrite(&mut parts, |graph, s| match s {
            Symbol::State(i) if i as usize == at => Some(command),
            Symbol::State(i) if i as usize > at => Some(graph.symbol(Symbol::State(i - 1))),
            _ => None,
        });
        let rate = parts.subexpression_ids.pop().expect("it was pushed");
        let slope = derivative(&mut parts.graph, rate, Symbol::Input(port as u32));
        if parts.graph.value(slope) == Some(0.0) {
            return Err(format!("the input `{charging}` does not act on `{state}`"));
        }
        let ratio = parts.graph.div(rate, slope);
        let none = parts.graph.number(0.0);
        let current = parts.graph.sub(none, ratio);
        parts.subexpression_ids.push(current);
        Ok(Self::from_parts(parts))
    }
}

/// A new port, and its symbol.
fn add_port(parts: &mut Parts, variable: Variable, drive: Drive) -> Id {
    parts.driven.push((parts.inputs.len(), drive));
    let symbol = parts.graph.symbol(Symbol::Input(parts.inputs.len() as u32));
    parts.inputs.push(variable);
    parts.port_totals.push(symbol);
    symbol
}

/// Replaces symbols in all expressions.
fn rewrite(parts: &mut Parts, replace: impl FnMut(&mut Graph, Symbol) -> Option<Id>) {
    let mut graph = std::mem::take(&mut parts.graph);
    let mut places = expressions(parts);
    let old: Vec<Id> = places.iter().map(|place| **place).collect();
    let new = graph.substitute(&old, replace);
    places.iter_mut().zip(new).for_each(|(place, id)| **place = id);
    parts.graph = graph;
}

/// Every expression of a system.
fn expressions(parts: &mut Parts) -> Vec<&mut Id> {
    let Parts {
        graph: _,
        states: _,
        parameters: _,
        inputs: _,
        driven: _,
        given: _,
        provided,
        subexpressions: _,
        subexpression_ids,
        drift,
        diffusion,
        port_totals,
        operators,
        threshold,
        reset,
        refractory,
        hold: _,
        events: _,
        effects,
        given_effects,
        time_unit: _,
        plays: _,
        warnings: _,
    } = parts;
    let mut all: Vec<&mut Id> = Vec::new();
    all.extend(provided.iter_mut().map(|p| &mut p.1));
    all.extend(subexpression_ids);
    all.extend(drift);
    all.extend(diffusion.iter_mut().flatten());
    all.extend(port_totals);
    all.extend(operators.iter_mut().map(|o| &mut o.argument));
    if let Some(threshold) = threshold {
        all.push(&mut threshold.condition);
        all.extend(threshold.surface.iter_mut());
        all.extend(threshold.cut.iter_mut().map(|c| &mut c.1));
    }
    all.extend(reset.iter_mut().map(|r| &mut r.1));
    all.extend(refractory);
    all.extend(effects.iter_mut().flatten().map(|e| &mut e.1));
    all.extend(given_effects.iter_mut().map(|e| &mut e.1));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Flow;
    use crate::{Declaration, Source};
    use spikedeck_core::units::Dimension;

    fn lif() -> System {
        let declare = |list: &[(&str, Dimension)]| {
            list.iter().map(|(n, d)| Declaration { name: (*n).to_owned(), dimension: *d }).collect::<Vec<_>>()
        };
        let source = Source {
            equations: "dw/dt = -w/tau : A\ndV/dt = (g*(E - V) + I - w)/C : V\nI_L = g*(E - V) : A".to_owned(),
            parameters: declare(&[
                ("tau", Dimension::SECOND),
                ("g", Dimension::SIEMENS),
                ("E", Dimension::VOLT),
                ("C", Dimension::FARAD),
            ]),
            inputs: declare(&[("I", Dimension::AMPERE)]),
            threshold: Some("V > [0 mV]".to_owned()),
            reset: Some("V = E; w += [1 pA]".to_owned()),
            ..Source::default()
        };
        System::parse(&source).unwrap()
    }

    #[test]
    fn a_parameter_that_changes_is_its_value_and_what_its_port_brings() {
        let parameters = [0.1, 5e-9, -70e-3, 2e-10];
        let whole = Flow::new(&lif(), &[0.1, 7e-9, -70e-3, 2e-10], &[3e-11]);
        let system = lif().with_changing("g").unwrap();
        assert_eq!(system.inputs()[1].name, "g.change");
        assert_eq!([0, 1].map(|i| system.drive(i)), [None, Some(Drive::Change(1))]);
        assert!(system.with_changing("g").is_none() && system.with_changing("V").is_none());
        assert!(lif().with_changing("E").is_none(), "its reset needs it");
        let changed = Flow::new(&system, &parameters, &[3e-11, 2e-9]);
        let (mut a, mut b) = ([0.0; 2], [0.0; 2]);
        let x = [2e-12, -61e-3];
        whole.rate(0.0, &x, &mut a);
        changed.rate(0.0, &x, &mut b);
        assert!(a.iter().zip(&b).all(|(a, b)| (a / b - 1.0).abs() < 1e-12), "{a:?} {b:?}");
        // What it is now has the name; and where nothing is brought all is as before.
        let names: Vec<&str> = system.subexpressions().iter().map(|v| v.name.as_str()).collect();
        assert_eq!(names, ["I_L", "g"]);
        Flow::new(&lif(), &parameters, &[3e-11]).rate(0.0, &x, &mut a);
        Flow::new(&system, &parameters, &[3e-11, 0.0]).rate(0.0, &x, &mut b);
        assert_eq!(a, b);
    }

    #[test]
    fn a_source_of_its_own_adds_to_its_input() {
        let parameters = [0.1, 5e-9, -70e-3, 2e-10];
        let system = lif().with_source("I", "drive").unwrap();
        assert_eq!(system.inputs().iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["I", "I.drive"]);
        assert!(lif().with_source("J", "drive").is_none());
        assert_eq!([0, 1].map(|i| system.drive(i)), [None, Some(Drive::Source(0))]);
        let (mut a, mut b) = ([0.0; 2], [0.0; 2]);
        let x = [2e-12, -61e-3];
        Flow::new(&lif(), &parameters, &[5e-11]).rate(0.0, &x, &mut a);
        Flow::new(&system, &parameters, &[3e-11, 2e-11]).rate(0.0, &x, &mut b);
        assert!(a.iter().zip(&b).all(|(a, b)| (a / b - 1.0).abs() < 1e-12), "{a:?} {b:?}");
        let tape = |name: &str| crate::tape::Tape::new(&system.parts().graph, &[system.observable(name).unwrap().0]);
        let values = crate::tape::Values { inputs: &[3e-11, 2e-11], ..crate::tape::Values::default() };
        assert!((tape("I").value(&values) / 5e-11 - 1.0).abs() < 1e-12);
        assert_eq!(tape("I.drive").value(&values), 2e-11);
    }

    #[test]
    fn a_clamped_state_is_a_port_and_its_current_holds_it() {
        let system = lif().clamped("V", "I").unwrap();
        assert_eq!(system.states().iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["w"]);
        assert_eq!(system.inputs().iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["I", "V"]);
        let own = system.with_source("V", "I").unwrap();
        assert_eq!([0, 1, 2].map(|i| own.drive(i)), [None, Some(Drive::Clamp), Some(Drive::Source(1))]);
        assert!(!system.spikes());
        let (id, dimension) = system.observable(CLAMP_CURRENT).unwrap();
        assert_eq!(dimension, Dimension::AMPERE);
        let tape = crate::tape::Tape::new(&system.parts().graph, &[id]);
        let values = crate::tape::Values {
            states: &[2e-12],
            parameters: &[0.1, 5e-9, -70e-3, 2e-10],
            inputs: &[3e-11, -60e-3],
            ..crate::tape::Values::default()
        };
        // The leak, what flows in already, and the adaptation: -(g (E - V) + I - w).
        let expected = -(5e-9 * (-70e-3 + 60e-3) + 3e-11 - 2e-12);
        assert!((tape.value(&values) / expected - 1.0).abs() < 1e-12, "{}", tape.value(&values));
        for (state, port, why) in [("x", "I", "no state"), ("V", "J", "no input"), ("w", "I", "does not act")] {
            assert!(lif().clamped(state, port).unwrap_err().contains(why), "{state} {port}");
        }
    }
}
