//! Values that may differ between units or connections: quantities, distributions, lists, expressions.

use super::desk::Desk;
use super::spec::{Distribution, PopulationSpec, Value};
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_model::Parameter;
use spikedeck_model::document::{Item, Node};

/// Names that an expression may use: `i`, `N`, positions, and what the place adds.
#[derive(Debug, Clone, Default)]
pub(super) struct Names<'a> {
    own: Vec<(&'a str, Dimension)>,
}

impl<'a> Names<'a> {
    /// `i` and `N`, and `x`, `y`, `z` where units have positions.
    pub fn of_units(positions: bool) -> Self {
        let mut own = vec![("i", Dimension::NONE), ("N", Dimension::NONE)];
        if positions {
            own.extend(["x", "y", "z"].map(|n| (n, Dimension::METRE)));
        }
        Self { own }
    }

    /// Those of a resolved population.
    pub fn of_cells(population: &PopulationSpec) -> Self {
        if population.grid.as_ref().is_some_and(|g| g.length.is_none()) {
            return Self::of_plain_cells();
        }
        let own = Self::of_units(population.positions.is_some());
        if population.tree.is_some() { own.with(super::tree::NAMES.map(|n| (n, Dimension::METRE))) } else { own }
    }

    /// The same on a grid without a unit of length.
    pub fn of_plain_cells() -> Self {
        Self { own: ["i", "N", "x", "y", "z"].map(|n| (n, Dimension::NONE)).to_vec() }
    }

    /// The same with more names.
    pub fn with(mut self, names: impl IntoIterator<Item = (&'a str, Dimension)>) -> Self {
        for (name, dimension) in names {
            if !self.own.iter().any(|(n, _)| *n == name) {
                self.own.push((name, dimension));
            }
        }
        self
    }

    /// Name and dimension of each.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Dimension)> + '_ {
        self.own.iter().copied()
    }
}

/// What a value is for: its dimension, its name in messages, and what it may be.
pub(super) struct Wanted<'a> {
    pub dimension: Dimension,
    pub what: String,
    /// Number of values where it is known (`values = [...]` must have as many).
    pub count: Option<usize>,
    /// Names an expression may use; `None` where no expression is allowed.
    pub names: Option<Names<'a>>,
}

impl Desk<'_> {
    /// A quantity, a distribution `{ normal = {...} }`, listed values or an expression.
    pub fn value(&mut self, node: &Node, wanted: &Wanted<'_>) -> Option<Value> {
        match &node.item {
            Item::Table(entries) => self.distribution(node, entries, wanted),
            Item::Text(text) => {
                if let (Some(names), true) = (&wanted.names, is_expression(text)) {
                    let names = names.clone();
                    return self
                        .expression(node, text, wanted.dimension, &names)
                        .then(|| Value::Expression(text.clone()));
                }
                self.quantity(node, wanted.dimension, &wanted.what).map(Value::Constant)
            }
            Item::List(_) => {
                self.error_help(
                    &node.place,
                    format!("{} is one value or a distribution, not a list", wanted.what),
                    "listed values are written `{ values = [...] }`",
                );
                None
            }
            _ => self.quantity(node, wanted.dimension, &wanted.what).map(Value::Constant),
        }
    }

    /// A quantity of at least zero.
    pub fn spread(&mut self, node: &Node, dimension: Dimension, what: &str) -> Option<f64> {
        let v = self.quantity(node, dimension, what)?;
        if v < 0.0 {
            self.error(&node.place, format!("{what} is not negative"));
            return None;
        }
        Some(v)
    }

    /// Reports constants outside the range that the model file declares.
    pub fn in_range(&mut self, node: &Node, parameter: &Parameter, value: &Value) {
        let (low, high) = (parameter.min.unwrap_or(f64::NEG_INFINITY), parameter.max.unwrap_or(f64::INFINITY));
        let bad = |v: f64| v < low || v > high;
        let outside = match value {
            Value::Constant(v) => bad(*v).then_some(*v),
            Value::Each(list) => list.iter().copied().find(|v| bad(*v)),
            Value::Drawn(Distribution::Uniform { low: a, high: b } | Distribution::Linspace { from: a, to: b }) => {
                [*a, *b].into_iter().find(|v| bad(*v))
            }
            Value::Drawn(Distribution::Normal { mean, .. }) => bad(*mean).then_some(*mean),
            _ => None,
        };
        if let Some(v) = outside {
            let d = parameter.dimension;
            let range = match (parameter.min, parameter.max) {
                (Some(a), Some(b)) => format!("from {} to {}", show(a, d), show(b, d)),
                (Some(a), None) => format!("at least {}", show(a, d)),
                (None, Some(b)) => format!("at most {}", show(b, d)),
                (None, None) => return,
            };
            let about = if parameter.about.is_empty() { String::new() } else { format!(" ({})", parameter.about) };
            self.error(&node.place, format!("`{}`{about} is {range}, not {}", parameter.name, show(v, d)));
        }
    }
}

/// A value as a person would write it.
pub(super) fn show(value: f64, dimension: Dimension) -> String {
    Quantity { value, dimension }.to_string()
}

/// Whether a string is meant as an expression rather than as a quantity: it does not read as a number followed by a
/// unit.
pub(super) fn is_expression(text: &str) -> bool {
    let t = text.trim();
    if Quantity::parse(t).is_ok() {
        return false;
    }
    let digits = t.trim_start_matches(['+', '-']);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return true;
    }
    let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '_')).trim_start();
    rest.starts_with(['*', '/', '+', '-', '(', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_and_quantities_are_told_apart() {
        for q in ["-65 mV", "5", "1/ms", "5 mVV", "1e-3", "0.3 mS/cm**2"] {
            assert!(!is_expression(q), "{q}");
        }
        for e in ["E_L", "E_L + 5*[1 mV]", "2*i", "-V_th", "0.5*(1 + i/N)", "1/(N - 1)"] {
            assert!(is_expression(e), "{e}");
        }
    }
}
