//! Stand-alone expressions: stimuli in `t`, couplings in `V_m_pre` and `V_m_post`, initial values in parameters and
//! positions.

use std::sync::Arc;

use super::Variable;
use super::check::Checker;
use super::graph::{Graph, Id, Symbol};
use super::syntax::expression;
use super::tape::{Tape, Values};
use super::units_as_names::told_once;
use spikedeck_core::diagnostic::{Diagnostic, Severity};
use spikedeck_core::units::Dimension;

/// A checked expression over given names.
#[derive(Debug, Clone)]
pub struct Expression {
    tape: Tape,
    graph: Arc<Graph>,
    root: Id,
    dimension: Option<Dimension>,
    warnings: Vec<Diagnostic>,
}

impl Expression {
    /// Understands `text`, in which the names of `variables` may be used (`t` among them, if it is to have a meaning).
    ///
    /// # Errors
    /// Everything wrong with it, with spans in `text`.
    pub fn parse(text: &str, variables: &[Variable]) -> Result<Self, Vec<Diagnostic>> {
        let mut found = Vec::new();
        let mut graph = Graph::new();
        let known: Vec<String> = variables.iter().map(|v| v.name.clone()).collect();
        let lookup = |g: &mut Graph, name: &str| -> Option<Result<(Id, Dimension), Diagnostic>> {
            let i = variables.iter().position(|v| v.name == name)?;
            Some(Ok((g.symbol(Symbol::Variable(i as u32)), variables[i].dimension)))
        };
        let parsed = expression(text, 0..text.len(), &mut found);
        let checked = parsed.and_then(|e| {
            Checker { graph: &mut graph, lookup: &lookup, known: &known, diagnostics: &mut found, space: None }
                .number(&e)
        });
        told_once(&mut found, |d| d);
        let (warnings, errors): (Vec<_>, Vec<_>) = found.into_iter().partition(|d| d.severity == Severity::Warning);
        match checked {
            Some((id, dimension)) if errors.is_empty() => {
                Ok(Self { tape: Tape::new(&graph, &[id]), graph: Arc::new(graph), root: id, dimension, warnings })
            }
            _ => Err(errors),
        }
    }

    /// The same, refusing every dimension but `want`.
    ///
    /// # Errors
    /// Everything wrong with it, with spans in `text`.
    pub fn parse_as(text: &str, variables: &[Variable], want: Dimension) -> Result<Self, Vec<Diagnostic>> {
        let e = Self::parse(text, variables)?;
        if e.has_dimension(want) {
            return Ok(e);
        }
        let have = e.dimension.unwrap_or_default();
        let describe = super::check::describe;
        Err(vec![Diagnostic::error(
            format!("a quantity with {} is needed, this has {}", describe(want), describe(have)),
            0..text.len(),
        )])
    }

    /// Its dimension; `None` for the literal zero, which has every dimension.
    pub fn dimension(&self) -> Option<Dimension> {
        self.dimension
    }

    /// Whether it can stand for a quantity of this dimension.
    pub fn has_dimension(&self, want: Dimension) -> bool {
        self.dimension.is_none_or(|d| d == want)
    }

    /// What is probably not meant.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The graph behind it and the node that it is, for those that compile it; variables are [`Symbol::Variable`] in
    /// the order of their names.
    pub fn graph(&self) -> (&Graph, Id) {
        (&self.graph, self.root)
    }

    /// Its value for one value a variable, all in SI.
    pub fn evaluate(&self, values: &[f64]) -> f64 {
        self.tape.value(&Values { variables: values, ..Values::default() })
    }
}
