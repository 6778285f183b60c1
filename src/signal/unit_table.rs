//! Numbers of single units: as many as a population has, in a table of its own and not on the screen.

use serde::{Deserialize, Serialize};

use super::column::{Column, Values};
use super::shape::Axis;

/// Numbers of the units of one subject, a row a unit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct UnitTable {
    /// The subject as written (`exc.spikes`).
    pub subject: String,
    /// Which unit each row is.
    #[serde(skip)]
    pub units: Vec<u32>,
    /// What the units are called, where they have names (the places of a tree).
    #[serde(skip)]
    pub names: Option<Vec<String>>,
    /// What was measured of each.
    pub measures: Vec<UnitMeasure>,
}

/// One number of every unit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct UnitMeasure {
    /// What it is (`mean_rate`).
    pub name: String,
    /// Its unit; empty for plain numbers.
    pub unit: String,
    /// A value a row; not a number where a unit has none.
    #[serde(skip)]
    pub values: Vec<f64>,
}

impl UnitTable {
    /// A table without rows of measures, each with its unit.
    pub fn new(subject: impl Into<String>, measures: &[(&str, &str)]) -> Self {
        let empty = |&(name, unit): &(&str, &str)| UnitMeasure {
            name: name.to_owned(),
            unit: unit.to_owned(),
            values: Vec::new(),
        };
        Self { subject: subject.into(), measures: measures.iter().map(empty).collect(), ..Self::default() }
    }

    /// Adds a unit with a value for each measure, in their order; none where it has none.
    pub fn push<const N: usize>(&mut self, unit: u32, values: [Option<f64>; N]) {
        assert_eq!(N, self.measures.len(), "a unit has a value or none for each measure");
        self.units.push(unit);
        for (measure, value) in self.measures.iter_mut().zip(values) {
            measure.values.push(value.unwrap_or(f64::NAN));
        }
    }

    /// The same without its rows.
    #[must_use]
    pub fn without_rows(&self) -> Self {
        let empty = |m: &UnitMeasure| UnitMeasure { values: Vec::new(), ..m.clone() };
        Self { subject: self.subject.clone(), measures: self.measures.iter().map(empty).collect(), ..Self::default() }
    }

    /// The table as columns: the unit, its name if it has one, and the measures with their units in their names.
    pub fn columns(&self) -> Vec<Column> {
        let unit = Column::new("unit", Values::Indices(self.units.clone()));
        let name = self.names.as_ref().map(|names| Column::new("name", Values::Texts(names.clone())));
        let measure = |m: &UnitMeasure| {
            let name = Axis::new(m.name.as_str(), m.unit.as_str()).unit_after(&m.name);
            Column::new(name, Values::Measured(m.values.clone())).of_unit(&m.unit)
        };
        std::iter::once(unit).chain(name).chain(self.measures.iter().map(measure)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_a_row_and_a_measure_a_column_with_its_unit() {
        let mut table = UnitTable::new("exc.spikes", &[("rate", "Hz"), ("cv", "")]);
        table.push(3, [Some(5.0), None]);
        table.push(7, [Some(0.0), Some(0.5)]);
        let columns = table.columns();
        let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["unit", "rate_Hz", "cv"]);
        let cells: Vec<String> = columns.iter().map(|c| c.values.cell(0)).collect();
        assert_eq!(cells, ["3", "5", ""], "what is not known is empty, never zero");
        table.names = Some(vec!["soma".into(), "tip".into()]);
        assert_eq!(table.columns()[1].values.cell(1), "tip");
    }
}
