//! Quantities of a circuit that are written anew: scaled, spread, rounded, each in the unit that it was written in.

use crate::resolver::Resolver;
use spikedeck_core::units::Quantity;
use spikedeck_model::document::{Entry, Item, Node};
use spikedeck_model::report::SourceSpan;

/// A quantity as it is written.
#[derive(Debug, Clone)]
pub(super) struct Amount {
    /// The number before the unit.
    number: f64,
    /// The unit; empty where there is none.
    unit: String,
    /// What it means, in SI.
    pub meant: Quantity,
}

impl Amount {
    /// What stands at a node, if it is a quantity and no expression or distribution.
    pub fn of(node: &Node) -> Option<Self> {
        if let Some(number) = node.as_number().filter(|v| v.is_finite()) {
            return Some(Self { number, unit: String::new(), meant: Quantity::number(number) });
        }
        let text = node.as_text()?.trim().replace('_', "");
        let meant = Quantity::parse(&text).ok()?;
        let mut ends = (1..=text.len()).rev().filter(|end| text.is_char_boundary(*end));
        let (end, number) = ends.find_map(|end| Some((end, text[..end].trim().parse::<f64>().ok()?)))?;
        let unit = text[end..].trim().to_owned();
        let is_sound = number.is_finite() && Quantity::parse(&format!("1 {unit}")).is_ok();
        is_sound.then_some(Self { number, unit, meant })
    }

    /// The same, told where it is none: `what` is a quantity here because of `why`.
    pub fn needed(resolver: &mut Resolver<'_>, node: &Node, what: &str, why: &str) -> Option<Self> {
        let found = Self::of(node);
        if found.is_none() {
            resolver.error_help(&node.place, format!("{what} is one quantity here, not {}", node.what()), why);
        }
        found
    }

    /// The quantity divided by `divisor`, in its unit.
    pub fn over(&self, divisor: f64, decimals: Option<u64>) -> Item {
        self.written(self.number / divisor, decimals)
    }

    /// A share of the size of the same.
    pub fn spread(&self, divisor: f64, share: f64, decimals: Option<u64>) -> Item {
        self.written((self.number / divisor).abs() * share, decimals)
    }

    /// What is `value` in SI, in the unit of this one.
    pub fn in_unit(&self, value: f64, decimals: Option<u64>) -> Item {
        let one = Quantity::parse(&format!("1 {}", self.unit)).expect("its unit was read before").value;
        self.written(value / one, decimals)
    }

    /// Nothing, in the unit of this one.
    pub fn zero(&self) -> Item {
        self.written(0.0, Some(0))
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.number < 0.0
    }

    fn written(&self, number: f64, decimals: Option<u64>) -> Item {
        let text = match decimals {
            Some(n) => format!("{number:.*}", n.min(17) as usize),
            None => number.to_string(),
        };
        match text.parse::<f64>() {
            Ok(plain) if self.unit.is_empty() => Item::Float(plain),
            _ => Item::Text(format!("{text} {}", self.unit)),
        }
    }
}

/// A node that is made of what stands at `place`.
pub(super) fn node(place: &SourceSpan, item: Item) -> Node {
    Node { place: place.clone(), item }
}

/// A string that is made of what stands at `place`.
pub(super) fn text(place: &SourceSpan, text: impl Into<String>) -> Node {
    node(place, Item::Text(text.into()))
}

/// A whole number that is made of what stands at `place`.
pub(super) fn whole(place: &SourceSpan, value: f64) -> Node {
    node(place, Item::Integer(value as i64))
}

/// A table that is made of what stands at `place`.
pub(super) fn table(place: &SourceSpan, entries: impl IntoIterator<Item = (&'static str, Node)>) -> Node {
    let entry = |(key, value): (&str, Node)| Entry { key: key.to_owned(), place: place.clone(), value };
    node(place, Item::Table(entries.into_iter().map(entry).collect()))
}

/// An entry under a name.
pub(super) fn entry(name: impl Into<String>, place: &SourceSpan, value: Node) -> Entry {
    Entry { key: name.into(), place: place.clone(), value }
}

/// Normal values about a mean, on one side of a bound.
pub(super) fn normal(place: &SourceSpan, mean: Item, sd: Item, (bound, at): (&'static str, Item)) -> Node {
    let inner = [("mean", mean), ("sd", sd), (bound, at)].map(|(key, item)| (key, node(place, item)));
    table(place, [("normal", table(place, inner))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_in_their_own_units() {
        let place = SourceSpan { text: 0, span: 0..0 };
        let of = |t: &str| Amount::of(&text(&place, t)).unwrap();
        let shown = |item: Item| node(&place, item).to_toml();
        assert_eq!(shown(of("87.8081 pA").over(2.0, None)), "\"43.90405 pA\"");
        assert_eq!(shown(of("87.8081pA").over(0.05_f64.sqrt(), Some(4))), "\"392.6898 pA\"");
        assert_eq!(shown(of("-1e-3 V").over(0.5, None)), "\"-0.002 V\"");
        assert_eq!(shown(of("-8 mV").spread(2.0, 0.25, None)), "\"1 mV\"");
        assert_eq!(shown(of("2 nA").in_unit(1e-12, Some(4))), "\"0.0010 nA\"");
        assert_eq!(shown(of("0.5").over(2.0, None)), "0.25");
        assert_eq!(shown(of("3 mV").zero()), "\"0 mV\"");
        assert_eq!(shown(of("1_000 pA").over(2.0, None)), "\"500 pA\"");
        assert!(Amount::of(&text(&place, "2*distance")).is_none() && Amount::of(&text(&place, "")).is_none());
    }
}
