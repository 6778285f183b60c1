//! Units of columns: at the end of their names, in their types, in the metadata of the file.

use spikedeck_core::units::{Dimension, parse_unit};

/// A unit that a file or a person states.
#[derive(Debug, Clone, PartialEq)]
pub struct FileUnit {
    /// As it was written.
    pub text: String,
    /// SI value of one.
    pub scale: f64,
    /// What it measures.
    pub dimension: Dimension,
}

impl FileUnit {
    /// A unit as files write it: as in scenarios, or spelled out (`seconds`), or as the end of a name
    /// (`uA_per_cm2`).
    pub fn parse(text: &str) -> Option<Self> {
        let trimmed = text.trim();
        let spelled = match trimmed.to_ascii_lowercase().as_str() {
            "sec" | "secs" | "second" | "seconds" => "s".to_owned(),
            "msec" | "msecs" | "millisecond" | "milliseconds" => "ms".to_owned(),
            "usec" | "usecs" | "microsecond" | "microseconds" | "µs" | "μs" => "us".to_owned(),
            "nsec" | "nanosecond" | "nanoseconds" => "ns".to_owned(),
            "min" | "minute" | "minutes" | "hour" | "hours" => return None,
            _ => powers(&trimmed.replace("_per_", "/").replace(['µ', 'μ'], "u")),
        };
        let (scale, dimension) = parse_unit(&spelled).ok().filter(|_| !spelled.is_empty())?;
        Some(Self { text: trimmed.to_owned(), scale, dimension })
    }

    /// `value` in SI. Of the neighbours of the product the one is taken that gives `value` back when it is written in
    /// this unit again: a table that was written and read is the same table.
    pub fn si(&self, value: f64) -> f64 {
        let near = value * self.scale;
        let ends = |si: &f64| si / self.scale == value;
        let up = std::iter::successors(Some(near), |v| Some(v.next_up())).take(4).find(ends);
        up.or_else(|| std::iter::successors(Some(near), |v| Some(v.next_down())).take(4).find(ends)).unwrap_or(near)
    }

    /// Whether two statements say the same.
    pub fn agrees(&self, other: &Self) -> bool {
        self.dimension == other.dimension && (self.scale / other.scale - 1.0).abs() < 1e-12
    }
}

/// Digits after letters as powers: `cm2` is `cm**2`.
fn powers(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    let mut before = ' ';
    for c in text.chars() {
        if c.is_ascii_digit() && before.is_alphabetic() {
            out.push_str("**");
        }
        out.push(c);
        before = c;
    }
    out
}

/// The ways in which a name splits into what it is and a unit: `weight_pA`, `time (ms)`, `I [uA/cm**2]`.
pub(super) fn splits(name: &str) -> impl Iterator<Item = (&str, FileUnit)> {
    let bracket = [('(', ')'), ('[', ']')].into_iter().find_map(|(open, close)| {
        let inner = name.trim_end().strip_suffix(close)?;
        let (base, unit) = inner.split_once(open)?;
        Some((base.trim_end().trim_end_matches('_'), FileUnit::parse(unit)?))
    });
    let ends =
        name.match_indices('_').filter_map(move |(at, _)| Some((&name[..at], FileUnit::parse(&name[at + 1..])?)));
    bracket.into_iter().chain(ends)
}
