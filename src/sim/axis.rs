//! Steps and times: the integer clock of a run, and how its ticks are written.

use spikedeck_scenario::Clock;
use spikedeck_signal::TimeBase;

/// The grid of a run. Time is `k * dt` with an integer `k`; nothing accumulates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    /// Step in seconds (or time units).
    pub dt: f64,
    /// What the time axis of recordings means.
    pub base: TimeBase,
    /// One step on the recording's axis is `numerator / denominator`, so that step 3 of 0.1 ms reads 0.3 and not
    /// 0.30000000000000004: the product with a whole numerator is exact and the quotient is rounded once.
    numerator: f64,
    denominator: f64,
}

impl Axis {
    /// The grid with step `dt` in seconds (or time units).
    pub fn new(dt: f64, base: TimeBase) -> Self {
        let step = dt / base.seconds();
        let fraction = (1..=1_000_000_u32).map(f64::from).find(|q| {
            let p = step * q;
            p.round() >= 1.0 && (p - p.round()).abs() <= 1e-13 * p
        });
        let (numerator, denominator) = fraction.map_or((step, 1.0), |q| ((step * q).round(), q));
        Self { dt, base, numerator, denominator }
    }

    /// Time of grid point `k` (or between grid points) on the recording's axis.
    #[inline]
    pub fn time(&self, k: f64) -> f64 {
        k * self.numerator / self.denominator
    }

    /// Times and grid points.
    #[inline]
    pub fn clock(&self) -> Clock {
        Clock { dt: self.dt }
    }

    /// Time of grid point `k` in seconds (or time units).
    #[inline]
    pub fn seconds(&self, k: u64) -> f64 {
        self.clock().seconds(k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_of_a_tenth_prints_as_tenths() {
        let axis = Axis::new(1e-4, TimeBase::Milliseconds);
        let printed: Vec<String> = (0..8).map(|k| axis.time(f64::from(k)).to_string()).collect();
        assert_eq!(printed, ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"]);
        assert_eq!(axis.time(123_456.0), 12_345.6);
        let fine = Axis::new(2.5e-5, TimeBase::Milliseconds);
        assert_eq!(fine.time(3.0), 0.075);
        let odd = Axis::new(1e-3 / 3.0, TimeBase::Milliseconds);
        assert_eq!(odd.time(3.0), 1.0);
        assert_eq!(Axis::new(0.01, TimeBase::Dimensionless).time(7.0), 0.07);
    }

    #[test]
    fn times_close_to_a_grid_point_are_that_point() {
        let clock = Axis::new(1e-4, TimeBase::Milliseconds).clock();
        assert_eq!(clock.place(0.3e-3), 3.0);
        assert!((clock.place(0.31e-3) - 3.1).abs() < 1e-12);
        assert_eq!(clock.place(f64::INFINITY), f64::INFINITY);
        assert_eq!(clock.steps(1.5e-3), 15);
    }
}
