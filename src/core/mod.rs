//! Numbers only: units, diagnostics, random numbers, transforms, linear algebra, neighbours, statistics.
//!
//! Nothing here knows files, clocks or terminals.

pub mod diagnostic;
pub mod expm;
pub mod math;
pub mod normal;
pub mod rng;
pub mod units;
