//! The Fano factor of the units of a population.

use super::Options;
use crate::prelude::*;
use crate::stretches;
use spikedeck_core::statistics::{mean, mean_interval, variance};
use spikedeck_signal::Window;

/// Spikes of each unit counted in the windows of the Fano factor.
pub struct Counts {
    window: Window,
    windows: usize,
    per_unit: Vec<f64>,
    /// The counts of the last unit that fired in the windows.
    last: Vec<f64>,
    total: f64,
    pub outside: subject::Outside,
}

impl Counts {
    pub fn new(window: Window, o: &Options) -> Self {
        let windows = subject::bin_count(window, o.fano_window.axis);
        let outside = subject::Outside::new(window, o.fano_window);
        Self { window, windows, per_unit: Vec::new(), last: Vec::new(), total: 0.0, outside }
    }

    /// Counts a unit; its Fano factor if it has one.
    pub fn look(&mut self, train: &[f64], o: &Options) -> Option<f64> {
        self.outside.look(train);
        if self.windows < 2 {
            return None;
        }
        let mut counts = vec![0.0; self.windows];
        for &time in train {
            let window = subject::bin_of(time, self.window.start, o.fano_window.axis);
            if let Some(c) = window.and_then(|i| counts.get_mut(i)) {
                *c += 1.0;
            }
        }
        let sum: f64 = counts.iter().sum();
        (sum > 0.0).then(|| {
            let fano = variance(&counts, o.ddof) / mean(&counts);
            self.total += sum;
            self.per_unit.push(fano);
            self.last = counts;
            fano
        })
    }

    /// The Fano factor, and whether counts are too low to tell anything.
    pub fn fano(&self, name: &str, o: &Options) -> (Metric, bool) {
        let (windows, ddof, n) = (self.windows, o.ddof, self.windows as u64);
        if windows < 2 {
            return (Metric::missing(name, "fano", "", n, "needs two windows; shorten fano_window"), false);
        }
        let sparse = self.total < 0.25 * (windows * self.per_unit.len().max(1)) as f64;
        let what = format!("{windows} windows, ddof {ddof}");
        let by_chance = |m: Metric| m.chance(1.0).note(&what).chance_by("chance: Poisson");
        let metric = match self.per_unit.as_slice() {
            [] => return (Metric::missing(name, "fano", "", n, "no spikes in the windows"), false),
            [one] => {
                let m = by_chance(Metric::new(name, "fano", *one, "", n));
                let sums = stretches::moments(&self.last, windows, 0.0);
                match stretches::interval(&sums, |s| stretches::variance(s, ddof) / (s[1] / s[0])) {
                    Some((low, high)) => {
                        m.interval(low, high).interval_by("95 % interval by the jackknife over windows")
                    }
                    None => m.note("no interval: too few windows"),
                }
            }
            many => {
                let (m, low, high) = mean_interval(many, 0.95);
                by_chance(Metric::new(name, "fano", m, "", n))
                    .interval(low.max(0.0), high)
                    .interval_by(format!("mean and 95 % interval over {} units (t)", many.len()))
            }
        };
        (metric, sparse)
    }
}
