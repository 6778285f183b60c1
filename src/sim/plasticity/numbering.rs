//! The states of all rules of a projection in one order: of the source, of the target, of the connection.

use std::collections::HashMap;

use spikedeck_equation::rule::{EFFICACY, Side, WEIGHT};
use spikedeck_scenario::PlasticitySpec;

/// A state of a rule.
pub(super) struct Numbered {
    rule: usize,
    state: usize,
    /// As recordings have it.
    pub name: String,
    /// What it begins with; a weight begins with that of its connection.
    pub initial: f64,
}

/// All states in their order: of the source, of the target, of the connection. The weight, which all rules share, is
/// the first of the connection; the efficacy has no number.
pub(super) struct Numbering {
    pub all: Vec<Numbered>,
    /// How many there are of the source, of the target, of the connection.
    pub sides: [usize; 3],
    /// Number of each state of each rule; the efficacy has none.
    pub numbers: HashMap<(usize, usize), usize>,
}

impl Numbering {
    pub fn of(spec: &PlasticitySpec) -> Self {
        let mut sides: [Vec<Numbered>; 3] = [Vec::new(), Vec::new(), Vec::new()];
        let mut weights = Vec::new();
        for (rule, r) in spec.rules.iter().enumerate() {
            for (state, v) in r.rule.states().iter().enumerate().filter(|(_, v)| v.name != EFFICACY) {
                let entry = Numbered { rule, state, name: spec.variable(rule, &v.name), initial: r.initial[state] };
                match Side::of(&v.name) {
                    Side::Connection if v.name == WEIGHT => weights.push(entry),
                    Side::Pre => sides[0].push(entry),
                    Side::Post => sides[1].push(entry),
                    Side::Connection => sides[2].push(entry),
                }
            }
        }
        let ends = sides[0].len() + sides[1].len();
        let mut numbers: HashMap<(usize, usize), usize> = weights.iter().map(|w| ((w.rule, w.state), ends)).collect();
        let weight = weights.into_iter().next().expect("where a rule has no weight, one that stays is added");
        sides[2].insert(0, weight);
        let counts = sides.each_ref().map(Vec::len);
        let all: Vec<Numbered> = sides.into_iter().flatten().collect();
        numbers.extend(all.iter().enumerate().map(|(k, s)| ((s.rule, s.state), k)));
        Self { all, sides: counts, numbers }
    }

    /// Number of a state of a rule; the efficacy has none.
    pub fn number(&self, rule: usize, state: usize) -> Option<usize> {
        self.numbers.get(&(rule, state)).copied()
    }

    /// How many states there are of both ends: the number of the weight.
    pub fn ends(&self) -> usize {
        self.sides[0] + self.sides[1]
    }
}
