//! Units as they are written: `mS/cm**2`, `1/(ohm*m)`, `cm2`.

use std::ops::Range;

use super::Dimension;
use super::symbols::{UNITS, symbol_value};
use crate::diagnostic::{Diagnostic, did_you_mean};

/// Length of the number that a text begins with; 0 if it begins with none.
pub(super) fn number_length(text: &str) -> usize {
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
                return Err(Diagnostic::error(format!("`{c}` does not belong in a unit"), i..i + c.len_utf8())
                    .help("write units as `mV`, `mS/cm**2` or `pA*s**0.5`"));
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
    match did_you_mean(symbol, known.iter().map(String::as_str)) {
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
