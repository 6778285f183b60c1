//! Numbers only: units, diagnostics, random numbers, transforms, linear algebra, neighbours, statistics.
//!
//! Nothing here knows files, clocks or terminals.
//!
//! ```
//! use spikedeck_core::rng::Key;
//! use spikedeck_core::units::{Dimension, Quantity};
//!
//! let capacity = Quantity::parse("281 pF")?;
//! assert_eq!((capacity.value, capacity.dimension), (281e-12, Dimension::FARAD));
//! assert_eq!(capacity.to_string(), "281 pF");
//!
//! // Random numbers are keyed by who draws them: what others draw changes nothing.
//! let key = Key::new(1, "populations.exc", "V_m");
//! assert_eq!(key.stream(3, 7).uniform(), key.stream(3, 7).uniform());
//! # Ok::<(), spikedeck_core::diagnostic::Diagnostic>(())
//! ```

pub mod aligned;
pub mod analytic;
pub mod aperiodic;
pub mod assembly;
pub mod avalanche;
pub mod bootstrap;
pub mod bracket;
pub mod bursts;
pub mod capacity;
pub mod circular;
pub mod circular_convolution;
pub mod coherence;
pub mod collocation;
pub mod continuation;
pub mod correlation_sum;
pub mod cycles;
pub mod decoding;
pub mod decomposition;
pub mod delay;
pub mod diagnostic;
pub mod divergence;
pub mod dynamics;
pub mod entropy;
pub mod expm;
pub mod factors;
pub mod family;
pub mod fft;
pub mod filter;
pub mod first_passage;
pub mod fluctuation;
pub mod granger;
pub mod graph;
pub mod hopf;
pub mod information;
pub mod intervals;
pub mod kalman;
pub mod kernel_rate;
pub mod kernel_smoothing;
pub mod kolmogorov;
pub mod ksg;
pub mod lempel_ziv;
pub mod limit_cycle;
pub mod linear;
pub mod lyapunov;
pub mod math;
pub mod morlet;
pub mod multitaper;
pub mod neighbours;
pub mod normal;
pub mod number;
pub mod order;
pub mod ordinal;
pub mod pcg64;
pub mod phase;
pub mod phase_response;
pub mod phase_statistics;
pub mod precession;
pub mod prediction;
pub mod pulsed;
pub mod recurrence;
#[cfg(test)]
pub(crate) mod reference_sets;
pub mod response;
pub mod rng;
pub mod sample_entropy;
pub mod selection;
pub mod series_surrogate;
pub mod spike_distance;
pub mod spike_lags;
pub mod spike_spectrum;
pub mod spike_surrogate;
pub mod spike_tiles;
pub mod spike_transfer;
pub mod statistics;
pub mod surrogate;
pub mod tapers;
pub mod ties;
pub mod train_metric;
pub mod trajectory;
pub mod unitary;
pub mod units;
pub mod vector;
pub mod visible;
pub mod welch;
pub mod wilson;
pub mod worth;
pub mod zap;
pub mod zero_one;
