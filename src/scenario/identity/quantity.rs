//! Numbers, lists of numbers and values as canonical JSON.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::spec::{Distribution, Value};
use spikedeck_core::units::{Dimension, display_unit};

/// Longest list that is written out; longer ones stand by their number, their unit and the SHA-256 of their values.
const WRITTEN_OUT: usize = 64;
/// Decimal exponents of the first digit between which a number is written without an exponent.
const PLAIN: std::ops::Range<i32> = -6..16;

/// A number in SI with its unit, exactly: `20 ms`, `-70.6 mV`, `0.5`. The digits are the fewest that are read back as
/// the same bits, moved to the unit of tables and panes where that is a power of ten of the SI unit; where it is not,
/// or the number would be very long, the SI unit is used.
pub fn quantity(value: f64, dimension: Dimension) -> String {
    let unit = display_unit(dimension);
    let moved = power_of_ten(unit.scale).and_then(|power| plain(value, power));
    let (number, symbol) = match moved {
        Some(number) => (number, unit.symbol),
        None => (plain(value, 0).unwrap_or_else(|| format!("{value:e}")), unit_name(dimension)),
    };
    if symbol.is_empty() { number } else { format!("{number} {symbol}") }
}

/// The name of the SI unit of a dimension; nothing for plain numbers.
pub(super) fn unit_name(dimension: Dimension) -> String {
    if dimension.is_none() { String::new() } else { dimension.to_string() }
}

/// `p` of `scale = 10^p`, if it is a power of ten.
fn power_of_ten(scale: f64) -> Option<i32> {
    let power = scale.log10().round() as i32;
    (format!("1e{power}").parse() == Ok(scale)).then_some(power)
}

/// The shortest digits of `value / 10^power` without an exponent: the digits of `value` with the point moved.
fn plain(value: f64, power: i32) -> Option<String> {
    if !value.is_finite() || value == 0.0 {
        return Some(format!("{value}"));
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent = exponent.parse::<i32>().ok()? - power;
    if !PLAIN.contains(&exponent) {
        return None;
    }
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |m| ("-", m));
    let digits: String = digits.chars().filter(|c| *c != '.').collect();
    let whole = exponent + 1;
    Some(match usize::try_from(whole) {
        Ok(n) if n >= digits.len() => format!("{sign}{digits:0<n$}"),
        Ok(n) if n > 0 => format!("{sign}{}.{}", &digits[..n], &digits[n..]),
        _ => format!("{sign}0.{}{digits}", "0".repeat(whole.unsigned_abs() as usize)),
    })
}

/// A value that may differ between units or connections.
pub(super) fn value<N>(value: &Value<N>, dimension: Dimension) -> Json {
    let q = |v: f64| json!(quantity(v, dimension));
    match value {
        Value::Constant(v) => q(*v),
        Value::Each(list) => json!({ "values": numbers(list, dimension) }),
        Value::Expression(formula) => expression(formula.text()),
        Value::Drawn(Distribution::Uniform { low, high }) => json!({ "uniform": { "low": q(*low), "high": q(*high) } }),
        Value::Drawn(Distribution::Normal { mean, sd, min, max, clip }) => json!({ "normal": {
            "mean": q(*mean), "sd": q(*sd), "min": min.map(q), "max": max.map(q), "clip": clip,
        } }),
        Value::Drawn(Distribution::Lognormal { mu, sigma, unit }) => json!({ "lognormal": {
            "mu": number(*mu), "sigma": number(*sigma), "unit": q(*unit),
        } }),
        Value::Drawn(Distribution::Gamma { shape, scale }) => {
            json!({ "gamma": { "shape": number(*shape), "scale": q(*scale) } })
        }
        Value::Drawn(Distribution::Linspace { from, to }) => json!({ "linspace": { "from": q(*from), "to": q(*to) } }),
    }
}

/// An expression as it is written, without what does not count: blanks at the ends, several in a row, comments.
pub(super) fn expression(text: &str) -> Json {
    json!({ "expression": lines(text).join(" ") })
}

/// The lines of a text of equations that say something, without comments and with single blanks.
pub(super) fn lines(text: &str) -> Vec<String> {
    let visible = |line: &str| -> String {
        let code = line.split('#').next().unwrap_or("");
        code.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    text.lines().map(visible).filter(|l| !l.is_empty()).collect()
}

/// A number without a unit.
pub(super) fn number(value: f64) -> Json {
    json!(quantity(value, Dimension::NONE))
}

/// A list of quantities: written out, or by its hash where it is long.
pub(super) fn numbers(list: &[f64], dimension: Dimension) -> Json {
    if list.len() <= WRITTEN_OUT {
        return list.iter().map(|v| json!(quantity(*v, dimension))).collect();
    }
    let mut digest = Digest::default();
    digest.numbers(list);
    json!({ "count": list.len(), "unit": dimension.to_string(), "sha256": digest.finish() })
}

/// Numbers of units: `all` if there are none, `0..10` where they follow each other (the end is not part of it), else
/// the list, or its hash where it is long.
pub(super) fn units(list: &[u32]) -> Json {
    match (list.first(), list.last()) {
        (None, _) | (_, None) => json!("all"),
        (Some(first), Some(last)) if list.len() > 2 && list.windows(2).all(|w| w[0].checked_add(1) == Some(w[1])) => {
            json!(format!("{first}..{}", u64::from(*last) + 1))
        }
        _ => whole_numbers(list),
    }
}

/// A list of whole numbers: written out, or by its hash where it is long.
pub(super) fn whole_numbers(list: &[u32]) -> Json {
    if list.len() <= WRITTEN_OUT {
        return json!(list);
    }
    let mut digest = Digest::default();
    for v in list {
        digest.count(*v as usize);
    }
    json!({ "count": list.len(), "sha256": digest.finish() })
}

/// SHA-256 of values too many to be written out: counts and bits of numbers as eight bytes each, the least significant
/// first; texts with their length before them.
#[derive(Default)]
pub(super) struct Digest(Sha256);

impl Digest {
    pub fn count(&mut self, value: usize) {
        self.0.update((value as u64).to_le_bytes());
    }

    pub fn number(&mut self, value: f64) {
        self.0.update(value.to_bits().to_le_bytes());
    }

    /// Numbers without how many they are.
    pub fn numbers(&mut self, list: &[f64]) {
        for v in list {
            self.number(*v);
        }
    }

    pub fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    pub fn finish(self) -> String {
        hexadecimal(&self.0.finalize())
    }
}

/// SHA-256 of `bytes`.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Bytes as hexadecimal text.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        write!(out, "{byte:02x}").expect("writing into a string cannot fail");
        out
    })
}
