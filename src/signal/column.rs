//! Named columns: what shapes are in tables.

use spikedeck_core::units::{display_unit, parse_unit};

use super::shape::Axis;

/// Few different texts: the names, and for each row which.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Names {
    /// The different texts, in order of first appearance.
    pub names: Vec<String>,
    /// Index into `names` of each row.
    pub codes: Vec<u32>,
}

impl Names {
    /// Adds `rows` rows of one text.
    pub fn push(&mut self, name: &str, rows: usize) {
        if rows == 0 {
            return;
        }
        let code = self.names.iter().position(|n| n == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        self.codes.extend(std::iter::repeat_n(code as u32, rows));
    }

    /// The rows that have one text.
    pub fn rows_of(&self, name: &str) -> Vec<usize> {
        let code = self.names.iter().position(|n| n == name);
        self.codes.iter().enumerate().filter(|c| code == Some(*c.1 as usize)).map(|c| c.0).collect()
    }

    /// The text of a row.
    pub fn text(&self, row: usize) -> &str {
        &self.names[self.codes[row] as usize]
    }
}

impl<'a> FromIterator<&'a str> for Names {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut names = Self::default();
        for text in texts {
            names.push(text, 1);
        }
        names
    }
}

/// Values of a column, all of one kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers that are all known.
    Numbers(Vec<f64>),
    /// Results; not a number where nothing is known.
    Measured(Vec<f64>),
    /// Numbers of which some are missing.
    Optional(Vec<Option<f64>>),
    /// Unit numbers and other indices.
    Indices(Vec<u32>),
    /// Whole numbers of which some are missing.
    Counts(Vec<Option<u64>>),
    /// Yes or no.
    Flags(Vec<bool>),
    /// Text, each row its own.
    Texts(Vec<String>),
    /// Text with few different values.
    Names(Names),
}

impl Values {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Numbers(v) | Self::Measured(v) => v.len(),
            Self::Optional(v) => v.len(),
            Self::Indices(v) => v.len(),
            Self::Counts(v) => v.len(),
            Self::Flags(v) => v.len(),
            Self::Texts(v) => v.len(),
            Self::Names(v) => v.codes.len(),
        }
    }

    /// A cell as text with all digits; empty where there is no value.
    pub fn cell(&self, row: usize) -> String {
        let number = |v: f64| if v.is_nan() { String::new() } else { v.to_string() };
        match self {
            Self::Numbers(v) | Self::Measured(v) => number(v[row]),
            Self::Optional(v) => v[row].map_or_else(String::new, number),
            Self::Indices(v) => v[row].to_string(),
            Self::Counts(v) => v[row].map_or_else(String::new, |n| n.to_string()),
            Self::Flags(v) => v[row].to_string(),
            Self::Texts(v) => v[row].clone(),
            Self::Names(v) => v.text(row).to_owned(),
        }
    }
}

/// A column of the table of a shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name in files: of an axis its label with its unit (`frequency_Hz`).
    pub name: String,
    /// Unit of the numbers; empty for plain numbers and text.
    pub unit: String,
    /// The values.
    pub values: Values,
}

impl Column {
    /// A column of plain numbers or text.
    pub fn new(name: impl Into<String>, values: Values) -> Self {
        Self { name: name.into(), unit: String::new(), values }
    }

    /// The same with a unit.
    #[must_use]
    pub fn of_unit(mut self, unit: &str) -> Self {
        unit.clone_into(&mut self.unit);
        self
    }

    /// Its name, with the unit if the name does not hold it.
    pub fn heading(&self) -> String {
        if self.unit.is_empty() || self.name.trim_end_matches('_').ends_with(&unit_suffix(&self.unit)) {
            self.name.clone()
        } else {
            format!("{} ({})", self.name, spikedeck_core::number::unit_text(&self.unit))
        }
    }
}

impl Axis {
    /// A name with the unit of this axis: `value_dB`, or the bare name of plain numbers.
    pub fn unit_after(&self, name: &str) -> String {
        if self.unit.is_empty() { name.to_owned() } else { format!("{name}_{}", unit_suffix(&self.unit)) }
    }
}

/// Column names of axes (`frequency_Hz`), different from each other and from `taken`.
pub(super) fn axis_names<const N: usize>(axes: [&Axis; N], taken: &[&str]) -> [String; N] {
    let mut used: Vec<String> = taken.iter().map(ToString::to_string).collect();
    axes.map(|axis| {
        let label: String = axis
            .label
            .trim()
            .chars()
            .map(|c| if c.is_alphanumeric() || c == '_' || c == '.' { c } else { '_' })
            .collect();
        let mut name = axis.unit_after(if label.is_empty() { "value" } else { &label });
        while used.contains(&name) {
            name.push('_');
        }
        used.push(name.clone());
        name
    })
}

/// A unit as the end of a column name: the table's suffix where the unit is a display unit, else letters and digits
/// only.
fn unit_suffix(unit: &str) -> String {
    if let Ok((scale, dimension)) = parse_unit(unit) {
        let display = display_unit(dimension);
        if (display.scale / scale - 1.0).abs() < 1e-12 && !display.suffix.is_empty() {
            return display.suffix;
        }
    }
    let text = unit.replace("**", "").replace('²', "2").replace('^', "").replace('/', "_per_").replace('%', "percent");
    let text: String = text.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    text.split('_').filter(|p| !p.is_empty()).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_by_axis_and_unit() {
        assert_eq!(axis_names([&Axis::new("x", "ms"), &Axis::new("x", "ms")], &[]), ["x_ms", "x_ms_"]);
        assert_eq!(axis_names([&Axis::new("power", "mV**2/Hz")], &["low"]), ["power_mV2_per_Hz"]);
        assert_eq!(unit_suffix("uA/cm**2"), "uA_per_cm2");
        assert_eq!(Axis::new("power", "dB re mV**2/Hz").unit_after("value"), "value_dB_re_mV2_per_Hz");
        assert_eq!(Axis::new("share", "").unit_after("value"), "value");
        let column = |name: &str| Column::new(name, Values::Flags(vec![])).of_unit("mV");
        assert_eq!([column("V_m_mV").heading(), column("value").heading()], ["V_m_mV", "value (mV)"]);
    }

    #[test]
    fn names_stand_in_order_of_first_appearance() {
        let mut names: Names = ["b", "a", "b"].into_iter().collect();
        names.push("silent", 0);
        names.push("a", 2);
        assert_eq!(
            (names.names.as_slice(), names.codes.as_slice()),
            (&["b".to_owned(), "a".into()][..], &[0, 1, 0, 1, 1][..])
        );
        assert_eq!((names.rows_of("a"), names.rows_of("silent"), names.text(3)), (vec![1, 3, 4], vec![], "a"));
    }
}
