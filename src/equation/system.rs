//! Texts of a model file → an understood system of equations.

use std::sync::Arc;

use super::drive::Drive;
use super::graph::{Graph, Id, Node, Symbol};
use super::print::Printer;
use super::space::Operator;
use super::{EventPort, Part, Source, TimeUnit, Variable};
use spikedeck_core::diagnostic::Diagnostic;
use spikedeck_core::units::Dimension;

/// An understood set of equations: parsed, unit-checked, simplified, ready to be merged, differentiated and compiled.
///
/// Cheap to clone (shared graph).
#[derive(Debug, Clone)]
pub struct System {
    inner: Arc<Parts>,
}

/// The threshold of a system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// The condition.
    pub condition: Id,
    /// `h` of `h > 0` (or `h >= 0`), when the condition is one comparison.
    pub surface: Option<Id>,
    /// The state that is compared and the value that it is compared with, when that does not depend on states.
    pub cut: Option<(usize, Id)>,
}

/// What a [`System`] consists of, for those that compile it.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// All expressions.
    pub graph: Graph,
    /// States.
    pub states: Vec<Variable>,
    /// Parameters.
    pub parameters: Vec<Variable>,
    /// Input ports.
    pub inputs: Vec<Variable>,
    /// Names that a carrier gives.
    pub given: Vec<Variable>,
    /// Names under which what is carried is given to others, with their expressions.
    pub provided: Vec<(Variable, Id)>,
    /// Named subexpressions.
    pub subexpressions: Vec<Variable>,
    /// Their expressions.
    pub subexpression_ids: Vec<Id>,
    /// Rate of each state in its time unit, without noise.
    pub drift: Vec<Id>,
    /// Factor of white noise of each state.
    pub diffusion: Vec<Option<Id>>,
    /// Input ports that the equations as written do not have, and what they drive.
    pub driven: Vec<(usize, Drive)>,
    /// What each input port carries in the equations: itself, and the currents of receptors.
    pub port_totals: Vec<Id>,
    /// Operators of space, each with an input port of its own, in an order in which they can be computed.
    pub operators: Vec<Operator>,
    /// Threshold.
    pub threshold: Option<Threshold>,
    /// New value of each state that a spike changes, all from the values before it.
    pub reset: Vec<(usize, Id)>,
    /// Refractory time in the unit of time of the equations.
    pub refractory: Option<Id>,
    /// States held while refractory.
    pub hold: Vec<usize>,
    /// Event ports.
    pub events: Vec<EventPort>,
    /// For each event port, the states that an event changes, with the gain: state += weight * gain.
    pub effects: Vec<Vec<(usize, Id)>>,
    /// The same for given names (`V_m += w` in a receptor), until carried.
    pub given_effects: Vec<(usize, Id)>,
    /// What time means.
    pub time_unit: TimeUnit,
    /// Whether its units play spikes that nothing in it makes: it has no equations.
    pub plays: bool,
    /// Warnings.
    pub warnings: Vec<(Part, Diagnostic)>,
}

impl TimeUnit {
    /// Units of the equations' time in a second (1 for systems without dimension).
    pub fn per_second(self) -> f64 {
        match self {
            Self::Millisecond => 1000.0,
            Self::Dimensional | Self::Second | Self::Dimensionless => 1.0,
        }
    }

    pub(super) fn time(self) -> Dimension {
        if self == Self::Dimensional { Dimension::SECOND } else { Dimension::NONE }
    }

    /// Dimension of lengths in equations with operators of space.
    pub fn length(self) -> Dimension {
        if self == Self::Dimensional { Dimension::METRE } else { Dimension::NONE }
    }

    pub(super) fn noise(self) -> Dimension {
        if self == Self::Dimensional { Dimension::SECOND.power(-0.5).unwrap_or_default() } else { Dimension::NONE }
    }
}

/// What a typeset line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typeset {
    /// That there are no equations: its spikes are played.
    Plays,
    /// What a named subexpression is, by its number.
    Subexpression(usize),
    /// The rate of a state.
    Rate(usize),
    /// When there is a spike.
    Threshold,
    /// What a spike changes.
    Reset,
    /// How long nothing moves after a spike.
    Refractory,
    /// What an event does, by the number of its port.
    Event(usize),
}

impl System {
    /// A system without equations, whose units play spikes that somebody else lists or draws.
    pub fn of_played_spikes() -> Self {
        Self::from_parts(Parts { plays: true, ..Parts::default() })
    }

    /// Wraps parts.
    pub fn from_parts(parts: Parts) -> Self {
        Self { inner: Arc::new(parts) }
    }

    /// The expressions behind it.
    pub fn parts(&self) -> &Parts {
        &self.inner
    }

    /// Understands `source`, reporting all that is wrong at once (spans are inside the text of the named part).
    ///
    /// # Errors
    /// Every syntax, name and unit error found, each with its part.
    pub fn parse(source: &Source) -> Result<Self, Vec<(Part, Diagnostic)>> {
        super::understand::understand(source).map(Self::from_parts)
    }

    /// States in the order of their columns.
    pub fn states(&self) -> &[Variable] {
        &self.inner.states
    }
    /// Parameters, receptors' included (`ampa.tau`).
    pub fn parameters(&self) -> &[Variable] {
        &self.inner.parameters
    }
    /// Input ports.
    pub fn inputs(&self) -> &[Variable] {
        &self.inner.inputs
    }
    /// What an input port drives that the equations as written do not have; none for one that they have.
    pub fn drive(&self, input: usize) -> Option<Drive> {
        self.inner.driven.iter().find(|d| d.0 == input).map(|d| d.1)
    }
    /// Named subexpressions (recordable).
    pub fn subexpressions(&self) -> &[Variable] {
        &self.inner.subexpressions
    }
    /// Event ports: what projections and spike stimuli may target (`ampa`, or `event` for a model's own `on_event`).
    pub fn event_ports(&self) -> &[EventPort] {
        &self.inner.events
    }
    /// Whether events at a port add up: a sum of weights does what its terms do one by one. Where a rule multiplies the
    /// weight by a state that it changes (`s += w*(1 - s)`), each event finds what those before it left.
    pub fn superposes(&self, port: usize) -> bool {
        let p = &*self.inner;
        let effects = p.effects.get(port).map_or(&[][..], Vec::as_slice);
        let changed = |s: Symbol| effects.iter().any(|(state, _)| s == Symbol::State(*state as u32));
        !effects.iter().any(|(_, gain)| p.graph.depends(*gain, changed))
    }
    /// What time means.
    pub fn time_unit(&self) -> TimeUnit {
        self.inner.time_unit
    }
    /// Operators of space in the equations: such a system lives on a grid.
    pub fn operators(&self) -> &[Operator] {
        &self.inner.operators
    }
    /// Whether its units spike: at a threshold, or because they play spikes.
    pub fn spikes(&self) -> bool {
        self.inner.threshold.is_some() || self.inner.plays
    }
    /// Whether its units play spikes, without equations.
    pub fn plays(&self) -> bool {
        self.inner.plays
    }
    /// Whether an equation has white noise.
    pub fn is_stochastic(&self) -> bool {
        self.inner.diffusion.iter().any(Option::is_some)
    }
    /// What is probably not meant, though it can be run.
    pub fn warnings(&self) -> &[(Part, Diagnostic)] {
        &self.inner.warnings
    }

    /// The expression of anything that can be observed: a state, a parameter, an input (with the currents of
    /// receptors), or a subexpression; with its dimension.
    pub fn observable(&self, name: &str) -> Option<(Id, Dimension)> {
        let p = &*self.inner;
        let find = |list: &[Variable]| list.iter().position(|v| v.name == name).map(|i| (i, list[i].dimension));
        let symbol =
            |s: Symbol| (0..p.graph.len()).map(|i| Id(i as u32)).find(|&id| p.graph.node(id) == Node::Symbol(s));
        if let Some((i, d)) = find(&p.states) {
            return symbol(Symbol::State(i as u32)).map(|id| (id, d));
        }
        if let Some((i, d)) = find(&p.subexpressions) {
            return Some((p.subexpression_ids[i], d));
        }
        if let Some((i, d)) = find(&p.inputs) {
            return Some((p.port_totals[i], d));
        }
        if let Some((i, d)) = find(&p.parameters) {
            return symbol(Symbol::Parameter(i as u32)).map(|id| (id, d));
        }
        p.provided.iter().find(|(v, _)| v.name == name).map(|(v, id)| (*id, v.dimension))
    }

    /// The name of a symbol.
    pub fn name(&self, symbol: Symbol) -> String {
        let p = &*self.inner;
        let of = |list: &[Variable], i: u32| list.get(i as usize).map_or_else(|| format!("?{i}"), |v| v.name.clone());
        match symbol {
            Symbol::State(i) => of(&p.states, i),
            Symbol::Parameter(i) => of(&p.parameters, i),
            Symbol::Input(i) => of(&p.inputs, i),
            Symbol::Given(i) => of(&p.given, i),
            Symbol::Variable(i) => format!("x{i}"),
            Symbol::Time => "t".to_owned(),
            Symbol::Weight => "w".to_owned(),
            Symbol::Noise(_) => "xi".to_owned(),
        }
    }

    /// The equations typeset in plain Unicode, one line each: subexpressions, states, threshold, reset, events.
    pub fn typeset(&self) -> Vec<String> {
        let line = |(part, text)| match part {
            Typeset::Event(port) => format!("event at {}: {text}", self.parts().events[port].name),
            _ => text,
        };
        self.typeset_parts().into_iter().map(line).collect()
    }

    /// The same, each line with what it is; of events what they do, without their port.
    pub fn typeset_parts(&self) -> Vec<(Typeset, String)> {
        let p = &*self.inner;
        let names = |s: Symbol| if matches!(s, Symbol::Noise(_)) { "ξ".to_owned() } else { self.name(s) };
        let interesting = |id: Id| !matches!(p.graph.node(id), Node::Constant(..) | Node::Symbol(_));
        let named: Vec<(Id, String)> = p
            .subexpression_ids
            .iter()
            .zip(&p.subexpressions)
            .filter(|(id, _)| interesting(**id))
            .map(|(id, v)| (*id, v.name.clone()))
            .collect();
        let printer = Printer::new(&p.graph, &names, named.clone());
        let mut lines = Vec::new();
        if p.plays {
            let text = "no equations: each unit plays the spikes that its population lists or draws";
            lines.push((Typeset::Plays, text.to_owned()));
        }
        for (i, (id, v)) in p.subexpression_ids.iter().zip(&p.subexpressions).enumerate() {
            lines.push((Typeset::Subexpression(i), format!("{} = {}", v.name, printer.print(*id))));
        }
        for (i, v) in p.states.iter().enumerate() {
            let whole = |id: Id| named.iter().find(|n| n.0 == id).map_or_else(|| printer.print(id), |n| n.1.clone());
            let name = if v.name.contains('.') { format!("({})", v.name) } else { v.name.clone() };
            let mut line = format!("d{name}/dt = {}", whole(p.drift[i]));
            if let Some(noise) = p.diffusion[i] {
                line = format!("{line} + ({})·ξ", whole(noise));
            }
            lines.push((Typeset::Rate(i), line));
        }
        if let Some(t) = &p.threshold {
            lines.push((Typeset::Threshold, format!("spike when {}", printer.print(t.condition))));
        }
        if !p.reset.is_empty() {
            let list: Vec<String> =
                p.reset.iter().map(|(s, id)| format!("{} ← {}", p.states[*s].name, printer.print(*id))).collect();
            lines.push((Typeset::Reset, format!("then {}", list.join(", "))));
        }
        if let Some(time) = p.refractory {
            let held: Vec<&str> = p.hold.iter().map(|&s| p.states[s].name.as_str()).collect();
            let held = if held.is_empty() { String::new() } else { format!(", {} held", held.join(" and ")) };
            lines.push((Typeset::Refractory, format!("refractory for {}{held}", printer.print(time))));
        }
        for (number, effects) in p.effects.iter().enumerate() {
            let list: Vec<String> = effects
                .iter()
                .map(|(s, gain)| {
                    let name = &p.states[*s].name;
                    if p.graph.value(*gain) == Some(1.0) {
                        format!("{name} ← {name} + weight")
                    } else {
                        format!("{name} ← {name} + weight·({})", printer.print(*gain))
                    }
                })
                .collect();
            let each = if self.superposes(number) { "" } else { ", one after the other" };
            lines.push((Typeset::Event(number), format!("{}{each}", list.join(", "))));
        }
        lines
    }
}
