//! Values that may differ between units or connections: quantities, distributions, lists, expressions.

use super::resolver::Resolver;
use super::spec::{Distribution, PairName, ParameterId, PopulationSpec, UnitName, Value};
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_equation::{Name, System, Variable};
use spikedeck_model::document::{Item, Node};
use spikedeck_model::{Definition, Parameter};

/// Names that an expression may use, with what they mean: for units `i`, `N`, positions, and what the place adds.
#[derive(Debug, Clone)]
pub(super) struct KnownNames<'a, N = UnitName> {
    own: Vec<(&'a str, Dimension, N)>,
}

impl<'a> KnownNames<'a> {
    /// `i` and `N`, and `x`, `y`, `z` where units have positions.
    pub fn of_units(positions: bool) -> Self {
        let count = Self::none().with(COUNTS.map(|(n, meaning)| (n, Dimension::NONE, meaning)));
        if positions { count.with(AXES.map(|(n, meaning)| (n, Dimension::METRE, meaning))) } else { count }
    }

    /// Those of a resolved population.
    pub fn of_cells(population: &PopulationSpec) -> Self {
        if population.grid.as_ref().is_some_and(|g| g.length.is_none()) {
            return Self::of_plain_cells();
        }
        let own = Self::of_units(population.positions.is_some());
        if population.tree.is_some() { own.on_tree() } else { own }
    }

    /// The same with what compartments of a tree have besides.
    pub fn on_tree(self) -> Self {
        self.with(super::tree::NAMES.map(|(n, meaning)| (n, Dimension::METRE, meaning)))
    }

    /// The same on a grid without a unit of length.
    pub fn of_plain_cells() -> Self {
        let plain = |list: &[(&'static str, UnitName)]| {
            list.iter().map(|&(n, meaning)| (n, Dimension::NONE, meaning)).collect::<Vec<_>>()
        };
        Self::none().with(plain(&COUNTS)).with(plain(&AXES))
    }

    /// The same with the parameters of `definition`, whose names in `system` begin with `prefix`.
    pub fn with_parameters(self, definition: &'a Definition, system: &System, prefix: &str) -> Self {
        let place = |name: &str| {
            let full = format!("{prefix}{name}");
            let index = system.parameters().iter().position(|v| v.name == full)?;
            Some((system.parameters()[index].dimension, UnitName::Parameter(ParameterId::new(index))))
        };
        let found = definition.parameters.iter().filter_map(|p| place(&p.name).map(|(d, id)| (p.name.as_str(), d, id)));
        self.with(found)
    }
}

/// Names that all units have.
const COUNTS: [(&str, UnitName); 2] = [("i", UnitName::Index), ("N", UnitName::Count)];

/// Names of positions.
const AXES: [(&str, UnitName); 3] =
    [("x", UnitName::Position(0)), ("y", UnitName::Position(1)), ("z", UnitName::Position(2))];

impl<'a, N: Clone> KnownNames<'a, N> {
    /// No names.
    pub fn none() -> Self {
        Self { own: Vec::new() }
    }

    /// The same with more names; those that are known already stay what they are.
    pub fn with(mut self, names: impl IntoIterator<Item = (&'a str, Dimension, N)>) -> Self {
        for (name, dimension, meaning) in names {
            if !self.has(name) {
                self.own.push((name, dimension, meaning));
            }
        }
        self
    }

    /// Whether a name is among them.
    pub fn has(&self, name: &str) -> bool {
        self.own.iter().any(|o| o.0 == name)
    }

    /// As a scope for expressions.
    pub fn scope(&self) -> Vec<Name<N>> {
        let one = |(name, dimension, meaning): &(&str, Dimension, N)| Name {
            variable: Variable { name: (*name).to_owned(), dimension: *dimension },
            meaning: meaning.clone(),
        };
        self.own.iter().map(one).collect()
    }
}

impl KnownNames<'_, PairName> {
    /// What weights and delays of connections may name: the numbers of both units and of all, and, where both ends
    /// have positions, the distance of the two and where they are.
    pub fn of_pairs(from: &PopulationSpec, to: &PopulationSpec) -> Self {
        let length =
            |p: &PopulationSpec| p.positions.as_ref().map(|_| p.grid.as_ref().map_or(Dimension::METRE, |g| g.length));
        let placed = length(from).filter(|_| length(from) == length(to));
        let numbers = |meaning: PairName| !meaning.dimension(Dimension::METRE).is_none();
        let list = PairName::LIST.into_iter().filter(|(_, meaning)| placed.is_some() || !numbers(*meaning));
        Self::none().with(list.map(|(n, meaning)| (n, meaning.dimension(placed.unwrap_or_default()), meaning)))
    }
}

/// What a value is for: its dimension, its name in messages, and what it may be.
pub(super) struct Wanted<'a, N = UnitName> {
    pub dimension: Dimension,
    pub what: String,
    /// Number of values where it is known (`values = [...]` must have as many).
    pub count: Option<usize>,
    /// Names an expression may use; `None` where no expression is allowed.
    pub names: Option<KnownNames<'a, N>>,
}

impl Resolver<'_> {
    /// A quantity, a distribution `{ normal = {...} }`, listed values or an expression.
    pub fn value<N: Clone>(&mut self, node: &Node, wanted: &Wanted<'_, N>) -> Option<Value<N>> {
        match &node.item {
            Item::Table(entries) => self.distribution(node, entries, wanted),
            Item::Text(text) => {
                if let (Some(names), true) = (&wanted.names, is_expression(text)) {
                    return self.expression(node, text, wanted.dimension, names).map(Value::Expression);
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
        // A width of temperatures has as many degrees as kelvin.
        let v = match Quantity::parse(node.as_text().unwrap_or_default()) {
            Ok(q) if q.dimension.difference() == dimension.difference() => q.value,
            _ => self.quantity(node, dimension, what)?,
        };
        if v < 0.0 {
            self.error(&node.place, format!("{what} is not negative"));
            return None;
        }
        Some(v)
    }

    /// Reports constants outside the range that the model file declares.
    pub fn in_range(&mut self, node: &Node, parameter: &Parameter, value: &Value) {
        let bad = |v: f64| !v.is_nan() && !parameter.allows(v);
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
            let range = match (parameter.least(), parameter.max) {
                (Some(a), Some(b)) => format!("from {} to {}", show(a, d), show(b, d)),
                (Some(a), None) => format!("at least {}", show(a, d)),
                (None, Some(b)) => format!("at most {}", show(b, d)),
                (None, None) => return,
            };
            let about = if parameter.about.is_empty() { String::new() } else { format!(" ({})", parameter.about) };
            self.error(&node.place, format!("`{}`{about} is {range}, not {}", parameter.name, show(v, d)));
        } else if let (Value::Constant(v), Dimension::KELVIN) = (value, parameter.dimension)
            && *v <= 0.0
        {
            let shown = show(*v, parameter.dimension);
            let message = format!("`{}` is {shown}, which is no temperature: all lie above 0 K", parameter.name);
            self.warn(&node.place, message, "as a difference of temperatures it may be meant");
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
