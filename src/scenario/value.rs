//! Values that may differ between units or connections: quantities, distributions, lists, expressions.

use std::sync::Arc;

use super::desk::Desk;
use super::spec::{Distribution, PairName, ParameterId, PopulationSpec, UnitName, Value};
use spikedeck_core::units::{Dimension, Quantity, parse_unit};
use spikedeck_equation::{Name, System, Variable};
use spikedeck_model::document::{Entry, Fields, Item, Node};
use spikedeck_model::{Definition, Parameter, name_of};

/// Names that an expression may use, with what they mean: for units `i`, `N`, positions, and what the place adds.
#[derive(Debug, Clone)]
pub(super) struct Names<'a, N = UnitName> {
    own: Vec<(&'a str, Dimension, N)>,
}

impl<'a> Names<'a> {
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

impl<'a, N: Clone> Names<'a, N> {
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

impl Names<'_, PairName> {
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
    pub names: Option<Names<'a, N>>,
}

impl Desk<'_> {
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

    fn distribution<N>(&mut self, node: &Node, entries: &[Entry], wanted: &Wanted<'_, N>) -> Option<Value<N>> {
        const KINDS: [&str; 6] = ["uniform", "normal", "lognormal", "gamma", "values", "linspace"];
        let [entry] = entries else {
            self.error_help(
                &node.place,
                format!("a distribution has one key, {} has {}", wanted.what, entries.len()),
                "write `{ uniform = [low, high] }`, `{ normal = { mean = ..., sd = ... } }`, `{ lognormal = { mu = ..., sigma = ..., unit = \"...\" } }`, `{ gamma = { shape = ..., scale = ... } }`, `{ values = [...] }` or `{ linspace = [from, to] }`",
            );
            return None;
        };
        let (d, what) = (wanted.dimension, wanted.what.as_str());
        match entry.key.as_str() {
            "uniform" => {
                let [low, high] = self.pair(&entry.value, d, what)?;
                if low > high {
                    self.error(
                        &entry.value.place,
                        format!("`uniform` goes from low to high; here {} is above {}", show(low, d), show(high, d)),
                    );
                    return None;
                }
                Some(Value::Drawn(Distribution::Uniform { low, high }))
            }
            "linspace" => {
                if wanted.count.is_none() {
                    self.error_help(
                        &entry.place,
                        "evenly spaced values are not possible here: the connections of this rule have no order",
                        "use one_to_one, all_to_all or edges, or another distribution",
                    );
                    return None;
                }
                let [from, to] = self.pair(&entry.value, d, what)?;
                Some(Value::Drawn(Distribution::Linspace { from, to }))
            }
            "normal" => {
                let mut f = Fields::of(&mut self.report, &entry.value, "`normal`")?;
                let mean = f.require(&mut self.report, "mean", "\"...\"").and_then(|n| self.quantity(n, d, "the mean"));
                let sd = f
                    .require(&mut self.report, "sd", "\"...\"")
                    .and_then(|n| self.spread(n, d, "the standard deviation"));
                let min = f.get("min").and_then(|n| self.quantity(n, d, "the bound"));
                let max = f.get("max").and_then(|n| self.quantity(n, d, "the bound"));
                let clip = f.get("clip").and_then(|n| self.flag(n, "`clip`")).unwrap_or(false);
                f.finish(&mut self.report);
                let (mean, sd) = (mean?, sd?);
                let (low, high) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
                if low >= high || (!clip && (low > mean + 6.0 * sd || high < mean - 6.0 * sd)) {
                    self.error(&entry.value.place, "these bounds leave (almost) nothing of the distribution");
                    return None;
                }
                Some(Value::Drawn(Distribution::Normal { mean, sd, min, max, clip }))
            }
            "lognormal" => {
                let mut f = Fields::of(&mut self.report, &entry.value, "`lognormal`")?;
                let mu =
                    f.require(&mut self.report, "mu", "0.0").and_then(|n| self.quantity(n, Dimension::NONE, "`mu`"));
                let sigma = f
                    .require(&mut self.report, "sigma", "1.0")
                    .and_then(|n| self.spread(n, Dimension::NONE, "`sigma`"));
                let unit = if let Some(n) = f.get("unit") {
                    self.unit(n, d, what)
                } else if d.is_none() {
                    Some(1.0)
                } else {
                    self.error_help(
                        &entry.value.place,
                        "a lognormal distribution needs the unit that the logarithm is of",
                        format!("add `unit = \"{}\"`", super::desk::unit_example(d)),
                    );
                    None
                };
                f.finish(&mut self.report);
                Some(Value::Drawn(Distribution::Lognormal { mu: mu?, sigma: sigma?, unit: unit? }))
            }
            "gamma" => {
                let mut f = Fields::of(&mut self.report, &entry.value, "`gamma`")?;
                let shape = f
                    .require(&mut self.report, "shape", "2.0")
                    .and_then(|n| self.spread(n, Dimension::NONE, "`shape`"));
                let scale = f.require(&mut self.report, "scale", "\"...\"").and_then(|n| self.spread(n, d, "`scale`"));
                f.finish(&mut self.report);
                Some(Value::Drawn(Distribution::Gamma { shape: shape?, scale: scale? }))
            }
            "values" => {
                let Item::List(list) = &entry.value.item else {
                    self.error(&entry.value.place, format!("`values` is a list, not {}", entry.value.what()));
                    return None;
                };
                let values: Vec<f64> = list.iter().filter_map(|n| self.quantity(n, d, what)).collect();
                match wanted.count {
                    Some(n) if n != list.len() => {
                        self.error(&entry.value.place, format!("{} values are listed for {n} units", list.len()));
                        None
                    }
                    None => {
                        self.error(
                            &entry.value.place,
                            "listed values are not possible here: their number is not known beforehand",
                        );
                        None
                    }
                    Some(_) => (values.len() == list.len()).then(|| Value::Each(Arc::from(values))),
                }
            }
            other => {
                self.error_help(
                    &entry.place,
                    format!("there is no distribution `{other}`"),
                    super::desk::suggest(other, KINDS.iter().copied()),
                );
                None
            }
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

    fn pair(&mut self, node: &Node, dimension: Dimension, what: &str) -> Option<[f64; 2]> {
        if let Item::List(list) = &node.item
            && let [a, b] = list.as_slice()
        {
            let a = self.quantity(a, dimension, what);
            let b = self.quantity(b, dimension, what);
            return Some([a?, b?]);
        }
        let example = super::desk::unit_example(dimension);
        let help = if example.is_empty() {
            "write `[0, 1]`".to_owned()
        } else {
            format!("write `[\"0 {example}\", \"1 {example}\"]`")
        };
        self.error_help(&node.place, "two values are due here, from and to", help);
        None
    }

    fn unit(&mut self, node: &Node, dimension: Dimension, what: &str) -> Option<f64> {
        let text = self.text(node, "`unit`")?;
        match parse_unit(text) {
            Ok((scale, d)) if d == dimension => Some(scale),
            Ok((_, d)) => {
                self.error(
                    &node.place,
                    format!("{what} is {}, but this is the unit of {}", name_of(dimension), name_of(d)),
                );
                None
            }
            Err(d) => {
                self.report.put_inside(node, d);
                None
            }
        }
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
