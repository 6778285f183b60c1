//! Spikes of one population.

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

    /// The same without its spikes.
    #[must_use]
    pub fn without_times(&self) -> Self {
        Self { population: self.population.clone(), size: self.size, times: Vec::new(), units: Vec::new() }
    }

    /// Whether nothing fired.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }
}
