//! Expressions that a scenario carries: understood once, with what their names mean.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::syntax::expression;
use super::{Expression, Variable};
use spikedeck_core::diagnostic::Diagnostic;
use spikedeck_core::units::Dimension;

/// A name that an expression may use.
#[derive(Debug, Clone, PartialEq)]
pub struct Name<N> {
    /// How it is written, and its dimension.
    pub variable: Variable,
    /// What it means: a handle that whoever evaluates the expression understands.
    pub meaning: N,
}

/// An expression that was understood in some scope: its text, what the names in it mean, and its dimension. Whoever
/// evaluates it looks no name up and guesses no dimension.
#[derive(Clone)]
pub struct Formula<N> {
    text: Arc<str>,
    expression: Arc<Expression>,
    names: Arc<[N]>,
    dimension: Dimension,
}

impl<N: Clone> Formula<N> {
    /// Understands `text`, in which the names of `scope` may be used, as a quantity of dimension `want`.
    ///
    /// # Errors
    /// Everything wrong with it, with spans in `text`.
    pub fn parse(text: &str, scope: &[Name<N>], want: Dimension) -> Result<Self, Vec<Diagnostic>> {
        let mut used: Vec<&Name<N>> = Vec::new();
        // What cannot be read has its errors below.
        if let Some(tree) = expression(text, 0..text.len(), &mut Vec::new()) {
            tree.names(&mut |name, _| {
                if let Some(found) = scope.iter().find(|s| s.variable.name == name)
                    && !used.iter().any(|u| u.variable.name == name)
                {
                    used.push(found);
                }
            });
        }
        let variables: Vec<Variable> = used.iter().map(|u| u.variable.clone()).collect();
        match Expression::parse_as(text, &variables, want) {
            Ok(e) => Ok(Self {
                text: Arc::from(text),
                expression: Arc::new(e),
                names: used.iter().map(|u| u.meaning.clone()).collect(),
                dimension: want,
            }),
            Err(problems) => {
                // Said again where all names are known, so that near ones are suggested.
                let all: Vec<Variable> = scope.iter().map(|s| s.variable.clone()).collect();
                Err(Expression::parse_as(text, &all, want).err().unwrap_or(problems))
            }
        }
    }
}

impl<N> Formula<N> {
    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expression over its own names: variable i is `names()[i]`.
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// What the names in it mean, in the order in which they first stand in the text.
    pub fn names(&self) -> &[N] {
        &self.names
    }

    /// Dimension of its value.
    pub fn dimension(&self) -> Dimension {
        self.dimension
    }

    /// What is probably not meant.
    pub fn warnings(&self) -> &[Diagnostic] {
        self.expression.warnings()
    }

    /// Its value where `value` says what a name stands for, all in SI.
    pub fn evaluate(&self, value: impl FnMut(&N) -> f64) -> f64 {
        // Evaluated once a connection: no allocation for the few names that expressions have.
        let values: SmallVec<[f64; 12]> = self.names.iter().map(value).collect();
        self.expression.evaluate(&values)
    }
}

/// The text only: the rest follows from it.
impl<N> fmt::Debug for Formula<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl<N: PartialEq> PartialEq for Formula<N> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.names == other.names && self.dimension == other.dimension
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Vec<Name<char>> {
        [("E_L", Dimension::VOLT, 'e'), ("i", Dimension::NONE, 'i'), ("g", Dimension::SIEMENS, 'g')]
            .into_iter()
            .map(|(name, dimension, meaning)| Name { variable: Variable { name: name.into(), dimension }, meaning })
            .collect()
    }

    #[test]
    fn names_are_those_that_stand_in_the_text() {
        let f = Formula::parse("i*[1 mV] + E_L + 0*i*E_L", &scope(), Dimension::VOLT).unwrap();
        assert_eq!(
            (f.names(), f.dimension(), f.text()),
            (&['i', 'e'][..], Dimension::VOLT, "i*[1 mV] + E_L + 0*i*E_L")
        );
        let value = f.evaluate(|n| if *n == 'i' { 3.0 } else { -0.07 });
        assert!((value + 0.067).abs() < 1e-15, "{value}");
        assert_eq!(format!("{f:?}"), "\"i*[1 mV] + E_L + 0*i*E_L\"");
    }

    #[test]
    fn what_is_wrong_is_said_with_all_names_known() {
        let wrong = |text: &str| Formula::parse(text, &scope(), Dimension::VOLT).unwrap_err();
        assert_eq!(wrong("E_l + [1 mV]")[0].help.as_deref(), Some("did you mean `E_L`?"));
        assert!(wrong("g*E_L")[0].message.contains("is needed"));
        assert_eq!(wrong("E_L +")[0].message, "the expression ends too early");
    }
}
