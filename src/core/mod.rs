//! Numbers only: units, diagnostics, random numbers, transforms, linear algebra, neighbours, statistics.
//!
//! Nothing here knows files, clocks or terminals.

pub mod diagnostic;
pub mod dynamics;
pub mod information;
pub mod ksg;
pub mod linear;
pub mod lyapunov;
pub mod neighbours;
#[cfg(test)]
pub(crate) mod reference_sets;
pub mod phase;
pub mod rng;
pub mod surrogate;
pub mod units;
