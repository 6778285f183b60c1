//! Time as recordings carry it.

use serde::{Deserialize, Serialize};

/// What a number on the time axis means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TimeBase {
    /// Milliseconds: every scenario with units. The column is `time_ms`.
    #[default]
    Milliseconds,
    /// A plain number: dimensionless systems such as Lorenz. The column is `time`.
    Dimensionless,
}

impl TimeBase {
    /// Seconds (or dimensionless units) of one unit on the time axis.
    pub fn seconds(self) -> f64 {
        match self {
            Self::Milliseconds => 1e-3,
            Self::Dimensionless => 1.0,
        }
    }

    /// Name of the time column in tables.
    pub fn column(self) -> &'static str {
        match self {
            Self::Milliseconds => "time_ms",
            Self::Dimensionless => "time",
        }
    }

    /// Unit on a time axis (`ms`, or nothing).
    pub fn unit(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Dimensionless => "",
        }
    }

    /// Unit of a rate or frequency on this base (`Hz`, or `1/time`).
    pub fn rate_unit(self) -> &'static str {
        match self {
            Self::Milliseconds => "Hz",
            Self::Dimensionless => "1/time",
        }
    }

    /// What a rate is counted in, in words (`second`, or `unit of time`).
    pub fn second(self) -> &'static str {
        match self {
            Self::Milliseconds => "second",
            Self::Dimensionless => "unit of time",
        }
    }

    /// Unit of what grows or changes in time (`1/s`, or `1/time`): as a rate, but of no events.
    pub fn per_time(self) -> &'static str {
        match self {
            Self::Milliseconds => "1/s",
            Self::Dimensionless => "1/time",
        }
    }
}

/// A stretch of time `(start, stop]`, in units of the time axis. All analysis windows are open at the start and closed
/// at the stop, as NEST's recorders are.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Window {
    /// Not part of the window.
    pub start: f64,
    /// Part of the window.
    pub stop: f64,
}

impl Window {
    /// Length in units of the time axis.
    pub fn length(self) -> f64 {
        self.stop - self.start
    }
}
