//! The integer clock of a run: times and grid points.

/// The grid of a run: grid point `k` is at `k * dt`; nothing accumulates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// Step in seconds (or time units).
    pub dt: f64,
}

impl Clock {
    /// Time of grid point `k` in seconds (or time units).
    #[inline]
    pub fn seconds(self, k: u64) -> f64 {
        k as f64 * self.dt
    }

    /// `time` (seconds or time units) in steps; a time within a millionth of a step of a grid point counts as that
    /// point.
    #[inline]
    pub fn place(self, time: f64) -> f64 {
        let place = time / self.dt;
        let point = place.round();
        if (place - point).abs() <= 1e-6 { point } else { place }
    }

    /// The grid point nearest to `time`, of two that are as near the later one, and how far from it the time is; 0 for
    /// a time within a millionth of a step of it. Negative times give 0.
    #[inline]
    pub fn nearest(self, time: f64) -> (u64, f64) {
        let place = time / self.dt;
        let point = (place + 0.5 + 1e-6).floor().max(0.0);
        let away = (place - point).abs();
        (point as u64, if away <= 1e-6 { 0.0 } else { away * self.dt })
    }

    /// Number of steps nearest to a duration.
    #[inline]
    pub fn steps(self, duration: f64) -> u64 {
        (duration / self.dt).round().max(0.0) as u64
    }
}
