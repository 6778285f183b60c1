//! In which unit a dimension is written in tables, panes and files.

use super::{Dimension, parse_unit};

/// A row of the display table.
pub(super) struct Named {
    /// The SI unit as people write it.
    pub si: &'static str,
    /// The unit for tables and panes.
    pub symbol: &'static str,
    /// The same as the end of a column name.
    pub(super) suffix: &'static str,
}

impl Named {
    pub fn dimension(&self) -> Dimension {
        parse_unit(self.si).map_or(Dimension::NONE, |u| u.1)
    }
}

/// The one table: dimension → how it is displayed. Everything that shows or writes a number uses it.
pub(super) const NAMED: &[Named] = &[
    Named { si: "1", symbol: "", suffix: "" },
    Named { si: "V", symbol: "mV", suffix: "mV" },
    Named { si: "A", symbol: "pA", suffix: "pA" },
    Named { si: "S", symbol: "nS", suffix: "nS" },
    Named { si: "F", symbol: "pF", suffix: "pF" },
    Named { si: "s", symbol: "ms", suffix: "ms" },
    Named { si: "m", symbol: "um", suffix: "um" },
    Named { si: "Hz", symbol: "Hz", suffix: "Hz" },
    Named { si: "ohm", symbol: "Mohm", suffix: "Mohm" },
    Named { si: "C", symbol: "pC", suffix: "pC" },
    Named { si: "A/m**2", symbol: "uA/cm**2", suffix: "uA_per_cm2" },
    Named { si: "S/m**2", symbol: "mS/cm**2", suffix: "mS_per_cm2" },
    Named { si: "F/m**2", symbol: "uF/cm**2", suffix: "uF_per_cm2" },
    Named { si: "ohm*m", symbol: "ohm*cm", suffix: "ohm_cm" },
    Named { si: "ohm*m**2", symbol: "ohm*cm**2", suffix: "ohm_cm2" },
    Named { si: "mol/m**3", symbol: "mM", suffix: "mM" },
    Named { si: "V/s", symbol: "mV/ms", suffix: "mV_per_ms" },
    Named { si: "V*s**0.5", symbol: "mV*ms**0.5", suffix: "mV_sqrt_ms" },
    Named { si: "A*s**0.5", symbol: "pA*s**0.5", suffix: "pA_sqrt_s" },
    Named { si: "V*s", symbol: "mV*ms", suffix: "mV_ms" },
    Named { si: "K", symbol: "K", suffix: "K" },
    Named { si: "degC", symbol: "degC", suffix: "degC" },
    Named { si: "m/s", symbol: "m/s", suffix: "m_per_s" },
    Named { si: "V**2", symbol: "mV**2", suffix: "mV2" },
];

/// How a dimension is written: symbol (`mV`), column suffix (`mV`), and how many SI units one of it is.
#[derive(Debug, Clone, PartialEq)]
pub struct DisplayUnit {
    /// As in a pane: `uA/cm**2`; empty for plain numbers.
    pub symbol: String,
    /// As the end of a column name: `uA_per_cm2`; empty for plain numbers.
    pub suffix: String,
    /// SI value of one display unit: 1e-3 for mV.
    pub scale: f64,
}

impl DisplayUnit {
    /// A column name with its unit: `V_m_mV`; the bare name for plain numbers.
    pub fn column(&self, name: &str) -> String {
        if self.suffix.is_empty() { name.to_owned() } else { format!("{name}_{}", self.suffix) }
    }

    /// A number that somebody may have written in this unit, from its SI value: 500 and not 500.00000000000006, which
    /// the way to SI and back leaves, where the number has at most six decimals.
    pub fn as_written(&self, si: f64) -> f64 {
        let value = si / self.scale;
        let written = (value * 1e6).round() / 1e6;
        if (written - value).abs() <= 4.0 * f64::EPSILON * value.abs() { written } else { value }
    }
}

/// The unit in which `dimension` is displayed everywhere; SI base units for those the table does not name.
pub fn display_unit(dimension: Dimension) -> DisplayUnit {
    match NAMED.iter().find(|n| n.dimension() == dimension) {
        Some(n) => DisplayUnit {
            symbol: n.symbol.to_owned(),
            suffix: n.suffix.to_owned(),
            scale: if n.symbol.is_empty() { 1.0 } else { parse_unit(n.symbol).map_or(1.0, |u| u.0) },
        },
        None => {
            let symbol = dimension.to_string();
            let suffix = symbol.replace("**", "").replace('/', "_per_").replace(['*', '(', ')', '.'], "_");
            DisplayUnit { symbol, suffix, scale: 1.0 }
        }
    }
}

/// Name and unit (as shown) of a column: `V_m_mV` is `V_m` in `mV`. The whole name, and no unit, where its end is
/// that of no dimension of the table. A single letter is no unit here: `n_K` is a gate of potassium, not a temperature.
pub fn split_column(column: &str) -> (&str, &'static str) {
    let ends = NAMED.iter().filter(|n| n.suffix.len() > 1).filter_map(|n| {
        let name = column.strip_suffix(n.suffix)?.strip_suffix('_')?;
        (!name.is_empty()).then_some((name, n.symbol))
    });
    // The longest end: `x_mV_per_ms` is no `x_mV_per` in ms.
    ends.min_by_key(|(name, _)| name.len()).unwrap_or((column, ""))
}
