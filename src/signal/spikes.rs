//! Spikes of one population.

use super::time::Window;

/// Spikes of one population, sorted by time, then unit: two flat columns, never one object a unit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Spikes {
    /// Name of the population.
    pub population: String,
    /// Number of units in the population, silent ones included.
    pub size: usize,
    /// Time of each spike on the recording's time axis.
    pub times: Vec<f64>,
    /// Unit of each spike, `0..size`.
    pub units: Vec<u32>,
}

impl Spikes {
    /// Number of spikes.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether nothing fired.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The spikes with times in `(start, stop]`. O(log n + result).
    #[must_use]
    pub fn within(&self, window: Window) -> Self {
        let from = self.times.partition_point(|&t| t <= window.start);
        let to = self.times.partition_point(|&t| t <= window.stop).max(from);
        Self {
            population: self.population.clone(),
            size: self.size,
            times: self.times[from..to].to_vec(),
            units: self.units[from..to].to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_open_at_the_start_and_closed_at_the_stop() {
        let s = Spikes { population: "a".into(), size: 3, times: vec![1.0, 2.0, 2.0, 3.0], units: vec![0, 1, 2, 0] };
        let w = Window { start: 1.0, stop: 3.0 };
        assert_eq!(s.within(w).len(), 3);
        assert_eq!(s.within(w).times, [2.0, 2.0, 3.0]);
    }
}
