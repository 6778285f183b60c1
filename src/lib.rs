//! spikedeck: a terminal laboratory for neural dynamics.
//!
//! A scenario file goes in; simulators run it; estimators measure it; panes show it; tables and figures leave it.
//!
//! # The house, in reading order
//!
//! Data flows one way: scenario text → [`scenario::Spec`] → `sim::Network` → [`signal::Recording`] →
//! [`analysis::Outcome`] → `plot::Scene` or a table. A stranger reads the rooms in that order; a room uses only
//! rooms above it (a test holds this):
//!
//! | room | what lives there |
//! |---|---|
//! | [`core`] | numbers only: units, diagnostics, random numbers, FFT, linear algebra, neighbours, statistics |
//! | [`signal`] | what flows between the stages: spikes, traces, recordings, shapes, metrics |
//! | [`store`] | named columns ↔ Parquet and CSV; the only room that knows polars |
//! | [`equation`] | text → syntax tree → unit check → expression graph → derivative → kernel |
//! | [`model`] | model and receptor files → typed definitions; the built-in library |
//! | [`scenario`] | scenario file as written → all errors with carets → resolved [`scenario::Spec`] |
//! | [`sim`] | spec → network in memory → time: integrators, projections, stimuli, recorder, engine |
//! | [`analysis`] | trait [`analysis::Analysis`] and the one list; one file an estimator |
//! | [`run`] | jobs: run, seeds, sweep, compare; progress, cancel |
//! | [`table`] | outcomes → columns → files; manifest; and back |
//! | [`plot`] | shape → scene → terminal cells, SVG, PNG |
//! | [`tui`] | the dashboard: pure state, update, commands, layout, draw |
//! | [`cli`] | one file a subcommand |

pub mod analysis;
pub mod cli;
pub mod core;
pub mod equation;
pub mod model;
pub mod plot;
pub mod run;
pub mod scenario;
pub mod signal;
pub mod sim;
pub mod store;
pub mod table;
pub mod tui;
