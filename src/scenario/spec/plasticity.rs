//! Resolved plasticity of a projection.

use std::fmt;
use std::sync::Arc;

use super::ids::{ConnectionVariableId, TracedId, VariableId};
use super::measure::Traced;
use spikedeck_equation::rule::{EFFICACY, Side, WEIGHT};
use spikedeck_equation::{Formula, Rule};
use spikedeck_model::Definition;

/// How the connections of a projection change: rules that act one after another, in the order of the scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct PlasticitySpec {
    /// The rules.
    pub rules: Vec<RuleSpec>,
}

/// One rule with its values.
#[derive(Clone)]
pub struct RuleSpec {
    /// Its definition.
    pub definition: Arc<Definition>,
    /// Its equations for weights of this projection's dimension.
    pub rule: Rule,
    /// One value in SI for each parameter.
    pub parameters: Vec<f64>,
    /// One initial value for each state; that of `w` is not used (the projection has its own weights).
    pub initial: Vec<f64>,
    /// Rules between rates: one expression for each given name, in the variables of the unit at its end.
    pub given: Vec<Formula<VariableId>>,
}

impl PartialEq for RuleSpec {
    fn eq(&self, other: &Self) -> bool {
        let values = |r: &Self| (r.parameters.clone(), r.initial.clone(), r.given.clone());
        self.rule.texts() == other.rule.texts() && values(self) == values(other)
    }
}

impl fmt::Debug for RuleSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(&self.definition.name)
            .field("texts", self.rule.texts())
            .field("parameters", &self.parameters)
            .field("initial", &self.initial)
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}

impl PlasticitySpec {
    /// Name that state `name` of the `rule`-th rule has in recordings: several rules put their own name before it.
    pub fn variable(&self, rule: usize, name: &str) -> String {
        match self.rules.get(rule) {
            Some(r) if self.rules.len() > 1 && name != WEIGHT && name != EFFICACY => {
                format!("{}.{name}", r.definition.name)
            }
            _ => name.to_owned(),
        }
    }

    /// What can be recorded: `w`, the states of the rules as the connection sees them, and `efficacy` where a rule has
    /// one.
    pub fn variables(&self) -> Vec<Traced> {
        let mut list: Vec<Traced> = Vec::new();
        for (k, r) in self.rules.iter().enumerate() {
            let has_efficacy = r.rule.pre.parts().reset.iter().any(|&(s, _)| r.rule.states()[s].name == EFFICACY);
            for (s, v) in r.rule.states().iter().enumerate().filter(|(_, v)| v.name != EFFICACY || has_efficacy) {
                let name = self.variable(k, &v.name);
                if !list.iter().any(|l| l.name == name) {
                    let id = TracedId::Connection(ConnectionVariableId::new(k, s));
                    list.push(Traced { id, name, dimension: v.dimension });
                }
            }
        }
        list
    }

    /// Number of states of a side, the weight and the efficacy aside.
    pub fn states(&self, side: Side) -> u64 {
        let own = |name: &str| name != WEIGHT && name != EFFICACY && Side::of(name) == side;
        self.rules.iter().flat_map(|r| r.rule.states()).filter(|s| own(&s.name)).count() as u64
    }

    /// Whether values of a connection move between its events.
    pub fn moves(&self) -> bool {
        self.rules.iter().any(|r| {
            let parts = r.rule.pre.parts();
            let own =
                |s: usize| Side::of(&parts.states[s].name) == Side::Connection && parts.states[s].name != EFFICACY;
            parts.drift.iter().enumerate().any(|(s, &d)| own(s) && parts.graph.value(d) != Some(0.0))
        })
    }

    /// Whether a spike of the target does anything to a connection.
    pub fn answers_targets(&self) -> bool {
        self.rules.iter().any(|r| {
            let parts = r.rule.post.parts();
            parts.reset.iter().any(|&(s, _)| Side::of(&parts.states[s].name) == Side::Connection)
        })
    }

    /// Whether the weights themselves change, or any other value of a connection: not so for efficacies that are the
    /// same for all connections of a source.
    pub fn has_connection_states(&self) -> bool {
        self.rules.iter().any(|r| {
            if r.rule.is_continuous() {
                return true;
            }
            let states = r.rule.states();
            let own = |s: usize| Side::of(&states[s].name) == Side::Connection && states[s].name != EFFICACY;
            let changed = |(s, _): &(usize, spikedeck_equation::graph::Id)| own(*s);
            let drifts = r
                .rule
                .pre
                .parts()
                .drift
                .iter()
                .enumerate()
                .any(|(s, &d)| own(s) && r.rule.pre.parts().graph.value(d) != Some(0.0));
            drifts || r.rule.pre.parts().reset.iter().any(changed) || r.rule.post.parts().reset.iter().any(changed)
        })
    }
}
