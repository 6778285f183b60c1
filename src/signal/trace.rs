//! Regularly sampled values of some units.

use serde::{Deserialize, Serialize};

use super::time::Window;

/// One variable of some units of one population, sampled at a fixed interval.
///
/// Sample `k` stands at time `start + k * interval`; the first sample of a run is the initial state at its time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Trace {
    /// Name of the population.
    pub population: String,
    /// Name of the trace request in the scenario (`slow`); the file is `traces/POP-NAME.parquet` (`POP.NAME` where POP
    /// has a dash).
    pub name: String,
    /// Name of the state, parameter or subexpression (`V_m`, `ampa.g`).
    pub variable: String,
    /// Display unit of the values (`mV`; empty for plain numbers).
    pub unit: String,
    /// End of the column name with the unit (`V_m_mV`).
    pub column: String,
    /// Which units of the population the columns are.
    pub units: Vec<u32>,
    /// Time of sample 0 on the recording's time axis.
    pub start: f64,
    /// Time between samples.
    pub interval: f64,
    /// Values in display units, sample by sample: `values[k * units.len() + j]`. They stand in tables, not in
    /// manifests.
    #[serde(skip)]
    pub values: Vec<f64>,
}

impl Trace {
    /// The same without its samples.
    #[must_use]
    pub fn without_values(&self) -> Self {
        let Self { population, name, variable, unit, column, units, start, interval, values: _ } = self;
        Self {
            population: population.clone(),
            name: name.clone(),
            variable: variable.clone(),
            unit: unit.clone(),
            column: column.clone(),
            units: units.clone(),
            start: *start,
            interval: *interval,
            values: Vec::new(),
        }
    }

    /// Number of samples of each unit.
    pub fn len(&self) -> usize {
        if self.units.is_empty() { 0 } else { self.values.len() / self.units.len() }
    }

    /// Whether nothing was sampled.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Time of sample `k`. A decimal that only rounding keeps from being one is one: six tenths are 0.6 in every table,
    /// not 0.6000000000000001, so that tables can be joined by time.
    pub fn time(&self, k: usize) -> f64 {
        let time = self.start + k as f64 * self.interval;
        let decimal = (time * 1e9).round() / 1e9;
        // Beyond a million there are fewer than nine decimals to round.
        if time.abs() < 1e6 && (decimal - time).abs() <= 4.0 * f64::EPSILON * time.abs() { decimal } else { time }
    }

    /// The samples of the `column`-th recorded unit with times in `(start, stop]`.
    pub fn column(&self, column: usize, window: Window) -> Vec<f64> {
        self.range(window).map(|k| self.values[k * self.units.len() + column]).collect()
    }

    /// Indices of the samples with times in `(start, stop]`, with half a billionth of an interval of tolerance.
    pub fn range(&self, window: Window) -> std::ops::Range<usize> {
        let inside = self.indices(window);
        let to = inside.end.min(self.len());
        inside.start.min(to)..to
    }

    /// The same, whatever number of samples there is.
    pub fn indices(&self, window: Window) -> std::ops::Range<usize> {
        if self.interval <= 0.0 {
            return 0..0;
        }
        let index = |t: f64| ((t - self.start) / self.interval + 1e-9).floor();
        (index(window.start) + 1.0).max(0.0) as usize..(index(window.stop) + 1.0).max(0.0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_a_window() {
        let t = Trace {
            units: vec![4, 7],
            start: 0.0,
            interval: 0.1,
            values: (0..20).map(f64::from).collect(),
            ..Trace::default()
        };
        assert_eq!(t.len(), 10);
        let w = Window { start: 0.3, stop: 0.6 };
        assert_eq!(t.range(w), 4..7);
        assert_eq!(t.column(1, w), vec![9.0, 11.0, 13.0]);
        assert_eq!(t.range(Window { start: -1.0, stop: 99.0 }), 0..10);
    }

    #[test]
    fn times_that_are_decimals_read_as_decimals() {
        let times = |start: f64, interval: f64| {
            let t = Trace { start, interval, ..Trace::default() };
            [3, 6, 7, 12_345].map(|k| t.time(k).to_string())
        };
        assert_eq!(times(0.0, 0.1), ["0.3", "0.6", "0.7", "1234.5"]);
        assert_eq!(times(0.3, 0.025), ["0.375", "0.45", "0.475", "308.925"]);
        // What is no decimal stays what it is.
        let third = Trace { interval: 1.0 / 3.0, ..Trace::default() };
        assert_eq!(third.time(7), 7.0 * (1.0 / 3.0));
        let tiny = Trace { interval: 1e-12, ..Trace::default() };
        assert_eq!(tiny.time(7), 7e-12);
    }
}
