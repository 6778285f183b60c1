//! Physical dimensions and quantities: `"281 pF"`, `"0.3 mS/cm**2"`, `"5 pA*s**0.5"`.
//!
//! Every number inside the program is in SI base units (V, A, F, S, s, m); [`display_unit`] is the one table that says
//! in which unit a dimension is written in tables, panes and files.

mod display;
mod symbols;

use std::fmt;
use std::ops::Range;

use display::NAMED;
pub use display::{DisplayUnit, display_unit, split_column};
use symbols::{UNITS, symbol_value};

use super::diagnostic::Diagnostic;
pub use super::number::{brief, literal as short};

/// Exponents are kept in twelfths, so that square, cube and fourth roots are exact. One that is written is at most
/// 10,000 twelfths ([`Dimension::power`]): no product that fits into a file leaves 32 bits.
const TWELFTHS: i32 = 12;

/// Symbols of the seven SI base units, in the order of [`Dimension`], and of the temperature that counts from another
/// zero.
const BASE: [&str; BASES] = ["m", "kg", "s", "A", "K", "mol", "cd", "degC"];
const BASES: usize = 8;

/// Kelvin and degrees Celsius among the base units.
const KELVIN: usize = 4;
const CELSIUS: usize = 7;

/// 0 degC in kelvin.
const ICE: f64 = 273.15;

/// A physical dimension: exponents of the seven SI base units. A temperature in degrees Celsius is one of its own,
/// which counts from another zero than kelvin: it may stand alone, and what two of them differ by is in kelvin. In
/// products and quotients a degree is a kelvin.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Dimension([i32; BASES]);

impl Dimension {
    /// No dimension: a plain number.
    pub const NONE: Self = Self([0; BASES]);
    /// Metre.
    pub const METRE: Self = Self([12, 0, 0, 0, 0, 0, 0, 0]);
    /// Second.
    pub const SECOND: Self = Self([0, 0, 12, 0, 0, 0, 0, 0]);
    /// Hertz, 1/s.
    pub const HERTZ: Self = Self([0, 0, -12, 0, 0, 0, 0, 0]);
    /// Ampere.
    pub const AMPERE: Self = Self([0, 0, 0, 12, 0, 0, 0, 0]);
    /// Volt.
    pub const VOLT: Self = Self([24, 12, -36, -12, 0, 0, 0, 0]);
    /// Siemens.
    pub const SIEMENS: Self = Self([-24, -12, 36, 24, 0, 0, 0, 0]);
    /// Farad.
    pub const FARAD: Self = Self([-24, -12, 48, 24, 0, 0, 0, 0]);
    /// Ohm.
    pub const OHM: Self = Self([24, 12, -36, -24, 0, 0, 0, 0]);

    /// Kelvin: a difference of temperatures, or one above absolute zero.
    pub const KELVIN: Self = Self([0, 0, 0, 0, 12, 0, 0, 0]);
    /// Degrees Celsius: a temperature.
    pub const CELSIUS: Self = Self([0, 0, 0, 0, 0, 0, 0, 12]);

    /// Whether this is a plain number.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// The dimension of a product.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].saturating_add(other.0[i]))).settled()
    }

    /// The dimension of a quotient.
    #[must_use]
    pub fn per(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].saturating_sub(other.0[i]))).settled()
    }

    /// Degrees that do not stand alone are kelvin.
    fn settled(mut self) -> Self {
        if self != Self::CELSIUS {
            let degrees = std::mem::take(&mut self.0[CELSIUS]);
            self.0[KELVIN] = self.0[KELVIN].saturating_add(degrees);
        }
        self
    }

    /// The dimension of a difference of two of these.
    #[must_use]
    pub fn difference(self) -> Self {
        if self == Self::CELSIUS { Self::KELVIN } else { self }
    }

    /// The least value that a quantity of this dimension can have, where nature sets one: a temperature in degrees
    /// Celsius lies above absolute zero (by less than is shown). Kelvin may be a difference of either sign.
    #[must_use]
    pub fn least(self) -> Option<f64> {
        (self == Self::CELSIUS).then_some(1e-11 - ICE)
    }

    /// This dimension with volt replaced by `volt` and ampere by `ampere`, when it is written in volt, ampere, metre,
    /// second, kelvin, mole and candela (siemens is A/V, farad A s/V): how a receptor written for currents in A serves
    /// a density.
    #[must_use]
    pub fn rebased(self, volt: Self, ampere: Self) -> Option<Self> {
        let volts = f64::from(self.0[1]) / f64::from(TWELFTHS);
        let rest = self.per(Self::VOLT.power(volts)?);
        let amperes = f64::from(rest.0[3]) / f64::from(TWELFTHS);
        let rest = rest.per(Self::AMPERE.power(amperes)?);
        Some(rest.times(volt.power(volts)?).times(ampere.power(amperes)?))
    }

    /// The dimension of a power, or `None` if an exponent is no multiple of 1/12 or out of range.
    pub fn power(self, exponent: f64) -> Option<Self> {
        let mut out = [0i32; BASES];
        for (o, &e) in out.iter_mut().zip(&self.0) {
            let scaled = f64::from(e) * exponent;
            if (scaled - scaled.round()).abs() > 1e-9 || scaled.abs() > 1e4 {
                return None;
            }
            *o = scaled.round() as i32;
        }
        Some(Self(out).settled())
    }
}

impl fmt::Display for Dimension {
    /// The name people use (`V`, `A/m**2`), else SI base units (`kg*m**2/s**3`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(known) = NAMED.iter().find(|n| n.dimension() == *self) {
            return f.write_str(known.si);
        }
        let part = |sign: i32| {
            let list: Vec<String> =
                (0..BASES).filter(|&i| self.0[i] * sign > 0).map(|i| power_text(BASE[i], self.0[i].abs())).collect();
            list.join("*")
        };
        match (part(1), part(-1)) {
            (up, down) if up.is_empty() && down.is_empty() => f.write_str("1"),
            (up, down) if down.is_empty() => f.write_str(&up),
            (up, down) => {
                let up = if up.is_empty() { "1".to_owned() } else { up };
                if down.contains('*') && !down.starts_with("s**") || down.matches('*').count() > 2 {
                    write!(f, "{up}/({down})")
                } else {
                    write!(f, "{up}/{down}")
                }
            }
        }
    }
}

impl fmt::Debug for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn power_text(symbol: &str, twelfths: i32) -> String {
    match twelfths {
        TWELFTHS => symbol.to_owned(),
        e if e % TWELFTHS == 0 => format!("{symbol}**{}", e / TWELFTHS),
        e => format!("{symbol}**{}", f64::from(e) / f64::from(TWELFTHS)),
    }
}

/// A number with a dimension, in SI.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// Value in SI base units.
    pub value: f64,
    /// What it measures.
    pub dimension: Dimension,
}

impl Quantity {
    /// A plain number.
    pub fn number(value: f64) -> Self {
        Self { value, dimension: Dimension::NONE }
    }

    /// Reads `"281 pF"`, `"-70.6 mV"`, `"0.3 mS/cm**2"`, `"1/ms"`, `"1/30000 s"`, `"0.5"`.
    ///
    /// # Errors
    /// A diagnostic with the place inside `text`.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let trimmed = text.trim_start();
        let start = text.len() - trimmed.len();
        let trimmed = trimmed.trim_end();
        let digits = number_length(trimmed);
        if digits == 0 {
            return Err(Diagnostic::error(
                "a quantity starts with a number",
                start..start + trimmed.len().max(1).min(text.len().max(1)),
            )
            .help("write a number and a unit, such as \"20 ms\" or \"-65 mV\""));
        }
        let value: f64 = trimmed[..digits].replace('_', "").parse().map_err(|_| {
            Diagnostic::error(format!("`{}` is not a number", &trimmed[..digits]), start..start + digits)
        })?;
        let rest = &trimmed[digits..];
        let unit = rest.trim_start();
        let infinite = || {
            Diagnostic::error(format!("`{trimmed}` is too large for a number"), start..start + trimmed.len())
                .help("numbers reach to about 1e308, in units of V, A, S, F, s, m, kg")
        };
        if !value.is_finite() {
            return Err(infinite());
        }
        if unit.is_empty() {
            return Ok(Self::number(value));
        }
        let offset = start + trimmed.len() - unit.len();
        // A ratio of two numbers, `1/30000 s`: for steps that are no decimal number.
        if let Some(below) = unit.strip_prefix('/').map(str::trim_start)
            && let n @ 1.. = number_length(below)
            && let Ok(divisor) = below[..n].replace('_', "").parse::<f64>()
        {
            let unit = below[n..].trim_start();
            if divisor == 0.0 {
                let at = start + trimmed.len() - below.len();
                return Err(Diagnostic::error("nothing is divided by zero", at..at + n));
            }
            if unit.is_empty() {
                return Ok(Self::number(value / divisor));
            }
            let (scale, dimension) = parse_unit(unit).map_err(|d| d.shifted(start + trimmed.len() - unit.len()))?;
            return Ok(Self { value: value * scale / divisor, dimension });
        }
        let (unit, inverse) = match unit.strip_prefix('/') {
            Some(u) => (u, true),
            None => (unit, false),
        };
        let (scale, dimension) = parse_unit(unit).map_err(|d| d.shifted(offset + usize::from(inverse)))?;
        // A decimal literal times a power of ten is best rounded once: 281 pF is the double nearest to 281e-12.
        let value = if inverse { value / scale } else { scaled(&trimmed[..digits], value, scale) };
        if !value.is_finite() {
            return Err(infinite());
        }
        Ok(Self { value, dimension: if inverse { Dimension::NONE.per(dimension) } else { dimension } })
    }

    /// The same value as the decimal number that a person wrote: the conversion to SI and back leaves 5e-16 of it.
    pub fn as_written(self) -> f64 {
        let value = self.in_display_unit();
        format!("{value:.14e}").parse().expect("what was formatted as a number is one")
    }

    /// The value where something of this dimension is meant: a temperature may be written in kelvin where degrees
    /// Celsius are meant (289.45 K is 16.3 degC). Not the other way round: there it may be a difference.
    pub fn meant_as(self, dimension: Dimension) -> Option<f64> {
        if (self.dimension, dimension) == (Dimension::KELVIN, Dimension::CELSIUS) {
            // To the last digit that was written, which the difference would bury in rounding.
            return Some(((self.value - ICE) * 1e9).round() / 1e9);
        }
        (self.dimension == dimension).then_some(self.value)
    }

    /// The value in the unit that its dimension is displayed in.
    fn in_display_unit(self) -> f64 {
        self.value / display_unit(self.dimension).scale
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = display_unit(self.dimension);
        let value = short(self.value / unit.scale);
        if unit.symbol.is_empty() { f.write_str(&value) } else { write!(f, "{value} {}", unit.symbol) }
    }
}

fn scaled(literal: &str, value: f64, scale: f64) -> f64 {
    let exponent = scale.log10();
    if (exponent - exponent.round()).abs() < 1e-12
        && !literal.contains(['e', 'E'])
        && let Ok(v) = format!("{}e{}", literal.replace('_', ""), exponent.round() as i32).parse()
    {
        return v;
    }
    value * scale
}

fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut i = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let first = i;
    let mut seen_digit = false;
    while i < bytes.len() && (bytes[i].is_ascii_digit() || bytes[i] == b'.' || (bytes[i] == b'_' && i > first)) {
        seen_digit |= bytes[i].is_ascii_digit();
        i += 1;
    }
    if !seen_digit {
        return 0;
    }
    if i < bytes.len() && matches!(bytes[i], b'e' | b'E') {
        let mut j = i + 1 + usize::from(matches!(bytes.get(i + 1), Some(b'+' | b'-')));
        if bytes.get(j).is_some_and(u8::is_ascii_digit) {
            while bytes.get(j).is_some_and(u8::is_ascii_digit) {
                j += 1;
            }
            i = j;
        }
    }
    i
}

/// Reads a unit, `mS/cm**2`, and gives its SI value and dimension.
///
/// # Errors
/// A diagnostic with the place inside `text` for an unknown unit or a malformed expression.
pub fn parse_unit(text: &str) -> Result<(f64, Dimension), Diagnostic> {
    let mut scale_exponent = 0.0; // decimal exponent, summed so that powers of ten stay exact
    let mut factor = 1.0;
    let mut dimension = Dimension::NONE;
    let mut sign = 1.0;
    let mut group_sign = 1.0;
    let mut groups: Vec<(f64, f64)> = Vec::new();
    let bytes = text.as_bytes();
    let mut i = 0;
    let mut expect_unit = true;
    while i < bytes.len() {
        let c = text[i..].chars().next().unwrap_or(' ');
        match c {
            ' ' => i += 1,
            '(' if expect_unit => {
                groups.push((sign, group_sign));
                group_sign *= sign;
                sign = 1.0;
                i += 1;
            }
            ')' if !expect_unit => {
                let Some((_, outer)) = groups.pop() else {
                    return Err(Diagnostic::error("unmatched `)` in a unit", i..i + 1));
                };
                group_sign = outer;
                i += 1;
            }
            '*' | '·' if !expect_unit => {
                sign = 1.0;
                expect_unit = true;
                i += c.len_utf8();
            }
            '/' if !expect_unit => {
                sign = -1.0;
                expect_unit = true;
                i += 1;
            }
            '1' if expect_unit && !bytes.get(i + 1).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'.') => {
                expect_unit = false;
                i += 1;
            }
            c if expect_unit && (c.is_alphabetic() || c == '%' || c == 'µ' || c == 'Ω') => {
                let start = i;
                while let Some(c) = text[i..].chars().next().filter(|c| c.is_alphabetic() || *c == '%') {
                    i += c.len_utf8();
                }
                let symbol = &text[start..i];
                let (prefix, (unit_scale, unit_dimension)) =
                    symbol_value(symbol).ok_or_else(|| unknown_unit(symbol, start..i))?;
                let (power, used) = exponent(&text[i..]).ok_or_else(|| {
                    Diagnostic::error("an exponent is a number", i..text.len())
                        .help("write `cm**2`, `s**0.5` or `ms**-1`")
                })?;
                i += used;
                let total = sign * group_sign * power;
                scale_exponent += f64::from(prefix) * total;
                if unit_scale != 1.0 {
                    let decimal: f64 = f64::log10(unit_scale);
                    if (decimal - decimal.round()).abs() < 1e-12 {
                        scale_exponent += decimal.round() * total;
                    } else {
                        factor *= f64::powf(unit_scale, total);
                    }
                }
                dimension = unit_dimension
                    .power(total)
                    .map(|d| dimension.times(d))
                    .ok_or_else(|| Diagnostic::error("this power of a unit is not a multiple of 1/12", start..i))?;
                expect_unit = false;
            }
            _ => {
                let d = Diagnostic::error(format!("`{c}` does not belong in a unit"), i..i + c.len_utf8());
                // What adds, or holds a quantity, is an expression that begins with one.
                return Err(d.help(match c {
                    '+' | '-' | '[' | ',' => "in an expression a quantity stands in brackets: `[20 Hz]*(1 + sin(x))`",
                    _ => "write units as `mV`, `mS/cm**2` or `pA*s**0.5`",
                }));
            }
        }
    }
    if expect_unit {
        return Err(Diagnostic::error("a unit is missing here", text.len()..text.len())
            .help("write units as `mV`, `mS/cm**2`; a plain number has the unit `1`"));
    }
    if !groups.is_empty() {
        return Err(Diagnostic::error("`(` without `)` in a unit", text.len()..text.len()));
    }
    let decimal: f64 = if (scale_exponent - scale_exponent.round()).abs() < 1e-12 {
        format!("1e{}", scale_exponent.round() as i32).parse().unwrap_or(1.0)
    } else {
        f64::powf(10.0, scale_exponent)
    };
    Ok((factor * decimal, dimension))
}

fn unknown_unit(symbol: &str, span: Range<usize>) -> Diagnostic {
    let d = Diagnostic::error(format!("unknown unit `{symbol}`"), span);
    let known: Vec<String> = UNITS
        .iter()
        .flat_map(|u| ["", "m", "u", "n", "p", "k", "M", "c"].iter().map(move |p| format!("{p}{}", u.0)))
        .collect();
    match super::diagnostic::did_you_mean(symbol, known.iter().map(String::as_str)) {
        Some(near) => d.help(format!("did you mean `{near}`?")),
        None => d.help("known units: V, A, S, F, ohm, C, s, Hz, m, g, K, mol, M (mol/l), l, with SI prefixes"),
    }
}

/// Exponent after a unit symbol: `**2`, `^-1`, `2` (as in `cm2`), or nothing.
fn exponent(text: &str) -> Option<(f64, usize)> {
    let (rest, mut used, explicit) = if let Some(r) = text.strip_prefix("**") {
        (r, 2, true)
    } else if let Some(r) = text.strip_prefix('^') {
        (r, 1, true)
    } else if text.starts_with('²') {
        return Some((2.0, '²'.len_utf8()));
    } else {
        (text, 0, false)
    };
    if explicit && rest.starts_with('(') {
        let close = rest.find(')')?;
        let inner = &rest[1..close];
        let value = match inner.split_once('/') {
            Some((a, b)) => a.trim().parse::<f64>().ok()? / b.trim().parse::<f64>().ok()?,
            None => inner.trim().parse().ok()?,
        };
        return Some((value, used + close + 1));
    }
    let length = number_length(rest);
    if length == 0 || (!explicit && !rest.starts_with(|c: char| c.is_ascii_digit())) {
        return if explicit { None } else { Some((1.0, 0)) };
    }
    used += length;
    Some((rest[..length].parse().ok()?, used))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_split_where_their_unit_was_put() {
        for n in NAMED.iter().filter(|n| n.suffix.len() != 1) {
            let unit = display_unit(n.dimension());
            assert_eq!(split_column(&unit.column("V_m")), ("V_m", n.symbol), "{}", n.si);
        }
        assert_eq!(
            (split_column("n_K"), split_column("_ms"), split_column("w")),
            (("n_K", ""), ("_ms", ""), ("w", ""))
        );
    }

    #[test]
    fn quantities_are_rounded_once() {
        assert_eq!(Quantity::parse("281 pF").unwrap().value, 281e-12);
        assert_eq!(Quantity::parse("-70.6 mV").unwrap().value, -70.6e-3);
        assert_eq!(Quantity::parse("0.1ms").unwrap().value, 1e-4);
        let g = Quantity::parse("0.3 mS/cm**2").unwrap();
        assert_eq!(g.value, 3.0);
        assert_eq!(g.dimension, Dimension::SIEMENS.per(Dimension::METRE.power(2.0).unwrap()));
        assert_eq!(Quantity::parse("0.3 mS/cm2").unwrap(), g);
        assert_eq!(Quantity::parse("5 1/ms").unwrap().dimension, Dimension::HERTZ);
        assert_eq!(Quantity::parse("0.5").unwrap(), Quantity::number(0.5));
    }

    #[test]
    fn every_row_of_the_display_table_is_a_unit_of_its_dimension() {
        for n in NAMED.iter().skip(1) {
            let (_, si) = parse_unit(n.si).unwrap();
            let (_, shown) = parse_unit(n.symbol).unwrap();
            assert_eq!(si, shown, "{} is shown as {}", n.si, n.symbol);
        }
    }

    #[test]
    fn temperatures_count_from_their_own_zero_and_differences_do_not() {
        let q = |text: &str| Quantity::parse(text).unwrap();
        assert_eq!(q("289.45 K").meant_as(Dimension::CELSIUS), Some(16.3));
        assert_eq!(q("289450 mK").meant_as(Dimension::CELSIUS), Some(16.3));
        assert_eq!(q("16.3 degC").meant_as(Dimension::CELSIUS), Some(16.3));
        let possible = |text: &str| q(text).meant_as(Dimension::CELSIUS) >= Dimension::CELSIUS.least();
        assert_eq!(
            ["-300 degC", "0 K", "-1 K", "0.001 K", "-273 degC"].map(possible),
            [false, false, false, true, true]
        );
        assert_eq!((Dimension::KELVIN.least(), Dimension::VOLT.least()), (None, None));
        assert_eq!(q("16.3 degC").meant_as(Dimension::KELVIN), None, "a temperature or a difference: nobody can tell");
        for text in ["16.3 degC", "-5 degC", "10 K", "3 V/K"] {
            let read = q(text);
            assert_eq!(q(&read.to_string()), read, "{text}");
        }
        assert_eq!(q("2 mV/degC"), q("2 mV/K"));
        assert_eq!(q("2 degC/ms"), q("2 K/ms"));
        let (degrees, kelvin) = (Dimension::CELSIUS, Dimension::KELVIN);
        assert_eq!([degrees.difference(), kelvin.difference()], [kelvin; 2]);
        assert!([degrees.per(degrees), kelvin.per(degrees), degrees.per(kelvin)].iter().all(|d| d.is_none()));
        assert_eq!(degrees.times(Dimension::NONE), degrees);
        assert_eq!(degrees.power(2.0), kelvin.power(2.0));
    }

    #[test]
    fn half_powers_and_named_dimensions() {
        let d = Quantity::parse("2 pA*s**0.5").unwrap();
        assert_eq!(d.dimension, Dimension::AMPERE.times(Dimension::SECOND.power(0.5).unwrap()));
        assert_eq!(d.value, 2e-12);
        assert_eq!(Dimension::VOLT.times(Dimension::AMPERE.per(Dimension::VOLT)), Dimension::AMPERE);
        assert_eq!(Dimension::VOLT.to_string(), "V");
        assert_eq!(Quantity { value: -0.065, dimension: Dimension::VOLT }.to_string(), "-65 mV");
    }

    #[test]
    fn wrong_units_say_where_and_what() {
        let e = Quantity::parse("5 mVV").unwrap_err();
        assert_eq!(e.message, "unknown unit `mVV`");
        assert_eq!(e.span, 2..5);
        assert!(Quantity::parse("mV").is_err());
        assert!(Quantity::parse("5 mV*").is_err());
        assert!(Quantity::parse("").is_err());
    }

    /// A decimal number that went to SI, by either way, comes back as it was written; one that was drawn is not moved.
    #[test]
    fn what_was_written_in_a_unit_comes_back_as_it_was() {
        let unit = display_unit(Dimension::AMPERE);
        for k in 1..20_000_u32 {
            let written = f64::from(k) * 0.25;
            let text = Quantity::parse(&format!("{written} pA")).unwrap().value;
            for si in [written * unit.scale, written / 1e12, text] {
                assert_eq!(unit.as_written(si), written);
            }
        }
        let drawn = 12.345_678_901_234 * unit.scale;
        assert_eq!(unit.as_written(drawn), drawn / unit.scale);
        assert_eq!((unit.as_written(0.0), unit.as_written(1e300)), (0.0, 1e300 / unit.scale));
    }
}
