//! A table of a scenario while it is read by its declaration.

use super::{Field, Key, Need, Of, Range, Table, WEIGHT};
use crate::resolver::{Resolver, unit_example};
use crate::value::KnownNames;
use spikedeck_core::units::Dimension;
use spikedeck_model::document::Node;
use spikedeck_model::report::SourceSpan;

/// What the values of a table are for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context<'c> {
    /// The dimension of the target.
    pub target: Dimension,
    /// Number of units or connections where it is known.
    pub count: Option<usize>,
    /// Names that expressions may use; none where no expression is possible.
    pub names: Option<KnownNames<'c>>,
    /// What the units belong to, for messages.
    pub place: &'c str,
    /// Where what is read begins, once that is known.
    pub start: f64,
    /// Whether the events that are read are the spikes of a population, which have no weight.
    pub plays: bool,
}

/// A table while it is read: gives the values of declared keys, and refuses the others at the end.
pub(crate) struct Reader<'d, 'l, 'a, 'c> {
    /// Where errors go, and what else readers need.
    pub resolver: &'d mut Resolver<'l>,
    /// What the values are for.
    pub context: Context<'c>,
    table: Table<'a>,
}

impl<'d, 'l, 'a, 'c> Reader<'d, 'l, 'a, 'c> {
    /// Starts reading the table at `node`, which is called `what` in messages.
    pub fn of(
        resolver: &'d mut Resolver<'l>,
        node: &'a Node,
        what: impl Into<String>,
        keys: &'static [Key],
        context: Context<'c>,
    ) -> Option<Self> {
        let table = Table::of(resolver, node, what, keys)?;
        Some(Self { resolver, context, table })
    }

    /// Further keys that this table may have.
    pub fn with(&mut self, keys: &'static [Key]) {
        self.table.with_but(keys, self.context.plays.then_some(WEIGHT));
    }

    /// What stands at a key, if anything does.
    pub fn node(&mut self, name: &str) -> Option<&'a Node> {
        self.table.get(name)
    }

    /// What stands at a key; its absence is an error where the declaration requires it.
    pub fn require(&mut self, name: &str) -> Option<&'a Node> {
        let key = self.table.key(name);
        match key.need {
            Need::Required(example) => {
                let example = self.example(key, example);
                self.table.require_as(self.resolver, name, &example)
            }
            Need::Default(_) | Need::Optional(_) => self.node(name),
        }
    }

    /// The table itself.
    pub fn place(&self) -> &SourceSpan {
        self.table.place()
    }

    /// What the table is called in messages.
    pub fn what(&self) -> &str {
        self.table.what()
    }

    /// Says that something is wrong with what stands at a key, or with the table where nothing does.
    pub fn error(&mut self, name: &str, message: impl Into<String>) {
        let place = self.node(name).map_or_else(|| self.table.place().clone(), |n| n.place.clone());
        self.resolver.error(&place, message);
    }

    /// The same, with what would be right.
    pub fn error_help(&mut self, name: &str, message: impl Into<String>, help: impl Into<String>) {
        let place = self.node(name).map_or_else(|| self.table.place().clone(), |n| n.place.clone());
        self.resolver.error_help(&place, message, help);
    }

    /// The value of a key as its declaration says, or what holds without it.
    pub fn field<F: Field>(&mut self, name: &str) -> Option<F::Out> {
        if let Some(value) = F::played().filter(|_| self.context.plays) {
            return Some(value);
        }
        let key = self.table.key(name);
        match self.require(name) {
            Some(node) => F::read(self, key, node),
            None if matches!(key.need, Need::Required(_)) => None,
            None => F::absent(self, key),
        }
    }

    /// The dimension that a unit has here.
    pub fn dimension(&mut self, of: Of) -> Dimension {
        match of {
            Of::Number | Of::Said(_) => Dimension::NONE,
            Of::Time => self.resolver.time_dimension(),
            Of::Frequency => self.resolver.rate_dimension(),
            Of::Fixed(dimension) => dimension,
            Of::Target => self.context.target,
            Of::Density => {
                self.context.target.times(self.resolver.time_dimension().power(0.5).unwrap_or(Dimension::NONE))
            }
        }
    }

    /// Refuses every key that is not declared.
    pub fn finish(self) {
        self.table.finish(self.resolver);
    }

    /// Whether a number is inside the bounds of its key; if not, that is said.
    pub fn within(&mut self, key: &Key, node: &Node, value: f64) -> bool {
        let what = format!("`{}`", key.name);
        let wrong = match key.range {
            Range::Above(low) if value <= low || value.is_nan() => {
                if low == 0.0 {
                    format!("{what} is above zero")
                } else {
                    format!("{what} is above {low}")
                }
            }
            Range::From(low) if value < low || value.is_nan() => format!("{what} is at least {low}, not {value}"),
            Range::Within(low, high) if value < low || value > high || value.is_nan() => {
                format!("{what} is from {low} to {high}, not {value}")
            }
            Range::Any | Range::Above(_) | Range::From(_) | Range::Within(..) => return true,
        };
        self.resolver.error(&node.place, wrong);
        false
    }

    /// The example of a required key as it would be written here: `{unit}` stands for the unit of its target.
    fn example(&mut self, key: &Key, text: &'static str) -> String {
        let of = key.takes.of();
        if !text.contains("{unit}") {
            return super::toml(text);
        }
        let unit = unit_example(self.dimension(of));
        if unit.is_empty() { "1.0".to_owned() } else { super::toml(&text.replace("{unit}", &unit)) }
    }
}
