//! What a register program is made of.

use super::Location;
use crate::graph::{Binary, Unary};

/// One instruction.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Instruction {
    Copy(Location, Location),
    Unary(Unary, Location, Location),
    Binary(Binary, Location, Location, Location),
    Where(Location, Location, Location, Location),
    Fma {
        to: Location,
        a: Location,
        b: Location,
        c: Location,
        minus_product: bool,
        minus_term: bool,
    },
    /// `to = base + Σ factor * x`, the factors numbers; then `x = decay * x` where there is one.
    Linear {
        to: Location,
        base: Location,
        terms: Vec<Term>,
    },
    /// `to = a / (1 + exp(x))`: what firing rates and gates are made of.
    Logistic {
        to: Location,
        a: Location,
        x: Location,
    },
}

/// A term of a linear instruction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Term {
    pub factor: f64,
    pub x: Location,
    /// What `x` is multiplied with once it has been read: an exponential decay.
    pub decay: Option<f64>,
}

impl Instruction {
    /// Whether it reads or writes a place.
    fn touches(&self, place: Location) -> bool {
        match self {
            Self::Copy(to, a) | Self::Unary(_, to, a) => [*to, *a].contains(&place),
            Self::Binary(_, to, a, b) => [*to, *a, *b].contains(&place),
            Self::Where(to, c, a, b) => [*to, *c, *a, *b].contains(&place),
            Self::Fma { to, a, b, c, .. } => [*to, *a, *b, *c].contains(&place),
            Self::Linear { to, base, terms } => [*to, *base].contains(&place) || terms.iter().any(|t| t.x == place),
            Self::Logistic { to, a, x } => [*to, *a, *x].contains(&place),
        }
    }

    /// The place that is multiplied in place with a number.
    fn decay(&self) -> Option<(Location, f64)> {
        match *self {
            Self::Binary(Binary::Mul, to, Location::Number(f), x)
            | Self::Binary(Binary::Mul, to, x, Location::Number(f)) => (to == x).then_some((x, f)),
            _ => None,
        }
    }
}

/// Moves the decay of a column into the linear instruction that has just read it (a membrane and its synaptic
/// currents): the column then passes through the registers once a step.
pub(super) fn fold_decays(program: &mut Vec<Instruction>) {
    let mut i = 0;
    while i < program.len() {
        for j in (i + 1..program.len()).rev() {
            let Some((place, factor)) = program[j].decay() else { continue };
            if program[i + 1..j].iter().any(|p| p.touches(place)) {
                continue;
            }
            let Instruction::Linear { to, base, terms } = &mut program[i] else { break };
            let alone = *to != place && *base != place && terms.iter().filter(|t| t.x == place).count() == 1;
            if let (true, Some(term)) = (alone, terms.iter_mut().find(|t| t.x == place && t.decay.is_none())) {
                term.decay = Some(factor);
                program.remove(j);
            }
        }
        i += 1;
    }
}

/// Makes one instruction of `t = exp(x)`, `t = 1 + t`, `t = a / t`; what stands in `t` in between is seen by nobody.
pub(super) fn fold_logistic(program: &mut Vec<Instruction>) {
    let one = Location::Number(1.0);
    let mut k = 0;
    while k + 3 <= program.len() {
        if let [
            Instruction::Unary(Unary::Exp, t, x),
            Instruction::Binary(Binary::Add, sum, p, q),
            Instruction::Binary(Binary::Div, to, a, below),
        ] = program[k..k + 3]
            && [(one, t), (t, one)].contains(&(p, q))
            && [sum, to, below] == [t; 3]
            && a != t
        {
            program.splice(k..k + 3, [Instruction::Logistic { to, a, x }]);
        }
        k += 1;
    }
}
