//! The symbols of units and their prefixes.

use super::Dimension;

/// Symbols with their value in SI base units and their dimension.
pub(super) const UNITS: &[(&str, f64, Dimension)] = &[
    ("V", 1.0, Dimension::VOLT),
    ("A", 1.0, Dimension::AMPERE),
    ("S", 1.0, Dimension::SIEMENS),
    ("F", 1.0, Dimension::FARAD),
    ("ohm", 1.0, Dimension::OHM),
    ("Ohm", 1.0, Dimension::OHM),
    ("Ω", 1.0, Dimension::OHM),
    ("C", 1.0, Dimension([0, 0, 12, 12, 0, 0, 0, 0])),
    ("s", 1.0, Dimension::SECOND),
    ("Hz", 1.0, Dimension::HERTZ),
    ("m", 1.0, Dimension::METRE),
    ("g", 1e-3, Dimension([0, 12, 0, 0, 0, 0, 0, 0])),
    ("K", 1.0, Dimension::KELVIN),
    ("degC", 1.0, Dimension::CELSIUS),
    ("mol", 1.0, Dimension([0, 0, 0, 0, 0, 12, 0, 0])),
    ("M", 1e3, Dimension([-36, 0, 0, 0, 0, 12, 0, 0])),
    ("l", 1e-3, Dimension([36, 0, 0, 0, 0, 0, 0, 0])),
    ("N", 1.0, Dimension([12, 12, -24, 0, 0, 0, 0, 0])),
    ("J", 1.0, Dimension([24, 12, -24, 0, 0, 0, 0, 0])),
    ("W", 1.0, Dimension([24, 12, -36, 0, 0, 0, 0, 0])),
    ("Pa", 1.0, Dimension([-12, 12, -24, 0, 0, 0, 0, 0])),
    ("H", 1.0, Dimension([24, 12, -24, -24, 0, 0, 0, 0])),
    ("rad", 1.0, Dimension::NONE),
    ("%", 1e-2, Dimension::NONE),
    // The names of units, as Brian writes them.
    ("volt", 1.0, Dimension::VOLT),
    ("amp", 1.0, Dimension::AMPERE),
    ("ampere", 1.0, Dimension::AMPERE),
    ("siemens", 1.0, Dimension::SIEMENS),
    ("farad", 1.0, Dimension::FARAD),
    ("coulomb", 1.0, Dimension([0, 0, 12, 12, 0, 0, 0, 0])),
    ("second", 1.0, Dimension::SECOND),
    ("hertz", 1.0, Dimension::HERTZ),
    ("metre", 1.0, Dimension::METRE),
    ("meter", 1.0, Dimension::METRE),
    ("mole", 1.0, Dimension([0, 0, 0, 0, 0, 12, 0, 0])),
    ("molar", 1e3, Dimension([-36, 0, 0, 0, 0, 12, 0, 0])),
    ("radian", 1.0, Dimension::NONE),
];

/// SI prefixes with their decimal exponent.
const PREFIXES: &[(&str, i32)] = &[
    ("f", -15),
    ("p", -12),
    ("n", -9),
    ("u", -6),
    ("µ", -6),
    ("μ", -6),
    ("m", -3),
    ("c", -2),
    ("d", -1),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
];

/// Decimal exponent of the prefix, value and dimension of a symbol such as `mV`; a symbol without prefix goes first.
pub(super) fn symbol_value(symbol: &str) -> Option<(i32, (f64, Dimension))> {
    let find = |s: &str| UNITS.iter().find(|u| u.0 == s).map(|u| (u.1, u.2));
    if let Some(unit) = find(symbol) {
        return Some((0, unit));
    }
    PREFIXES.iter().find_map(|(p, e)| symbol.strip_prefix(p).and_then(find).map(|u| (*e, u)))
}
