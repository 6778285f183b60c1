//! spikedeck: a terminal laboratory for neural dynamics.
//!
//! A scenario file goes in; simulators run it; estimators measure it; panes show it; tables and figures leave it.
//!
//! # The house, in reading order
//!
//! Data flows one way: scenario text → [`scenario::Spec`] → `sim::Network` → [`signal::Recording`] →
//! `analysis::Outcome` → `plot::Scene` or a table. A stranger reads the rooms in that order. Each room is a crate of
//! its own (`src/ROOM/Cargo.toml`), so that a room uses only what its manifest names, and that is rooms above it:
//!
//! | room | what lives there |
//! |---|---|
//! | [`core`] | numbers only: units, diagnostics, random numbers, FFT, linear algebra, neighbours, statistics |
//! | [`signal`] | what flows between the stages: spikes, traces, recordings, shapes, metrics |
//! | `store` | named columns ↔ Parquet and CSV; recordings of HDF5 (NWB, SONATA) and arrays (npy); knows file formats |
//! | [`equation`] | text → syntax tree → unit check → expression graph → derivative → kernel |
//! | [`model`] | model and receptor files → typed definitions; the built-in library |
//! | [`scenario`] | scenario file as written → all errors with carets → resolved [`scenario::Spec`] |
//! | [`sim`] | spec → network in memory → time: integrators, projections, stimuli, recorder, engine |
//! | `analysis` | trait `Analysis` and the one list; one file an estimator |
//! | `run` | jobs: run, seeds, sweep, compare; progress, cancel; opens recordings, writes what was done in words |
//! | `table` | outcomes → columns → files; manifest; and back |
//! | `plot` | shape → scene → terminal cells, SVG, PNG |
//! | `tui` | the dashboard: pure state, update, commands, layout, draw; reports as documents, without a terminal |
//! | `cli` | one file a subcommand |
//!
//! The engine is `core`, `signal`, `equation`, `model`, `scenario` and `sim`; it needs neither terminal nor tables and
//! is what `default-features = false` leaves. The feature `laboratory` (the default) is the rest.
//!
//! # The engine as a library
//!
//! ```
//! use spikedeck::sim::{SimulateError, simulate};
//!
//! fn main() -> Result<(), SimulateError> {
//!     let result = simulate(
//!         r#"
//!         [simulation]
//!         duration = "1 s"
//!         dt = "0.1 ms"
//!
//!         [populations.cell]
//!         model = "adex"
//!         parameters = { b = "60 pA" }
//!
//!         [stimuli.step]
//!         target = "cell.I"
//!         kind = "step"
//!         amplitude = "700 pA"
//!         start = "100 ms"
//!
//!         [record.cell]
//!         spikes = true
//!         "#,
//!     )?;
//!     let spikes = result.recording.spikes_of("cell").expect("they are recorded");
//!     println!("{} spikes, the first at {} ms", spikes.len(), spikes.times[0]);
//!     Ok(())
//! }
//! ```
//!
//! [`sim::understand`] stops at the [`scenario::Spec`], which [`sim::Network`] builds with as many threads as wanted
//! and runs under a [`sim::Observer`].

#[cfg(feature = "laboratory")]
pub use spikedeck_analysis as analysis;
#[cfg(feature = "laboratory")]
pub use spikedeck_cli as cli;
pub use spikedeck_core as core;
pub use spikedeck_equation as equation;
pub use spikedeck_model as model;
#[cfg(feature = "laboratory")]
pub use spikedeck_plot as plot;
#[cfg(feature = "laboratory")]
pub use spikedeck_run as run;
pub use spikedeck_scenario as scenario;
pub use spikedeck_signal as signal;
pub use spikedeck_sim as sim;
#[cfg(feature = "laboratory")]
pub use spikedeck_store as store;
#[cfg(feature = "laboratory")]
pub use spikedeck_table as table;
#[cfg(feature = "laboratory")]
pub use spikedeck_tui as tui;
