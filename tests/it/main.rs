//! One binary for all integration tests: each more would be one more link.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::format_collect, reason = "rows of small files read best as a map")]

/// Whether generated pages are written instead of compared: data/lists.md, data/coverage.md,
/// data/scenario-reference.md, data/third-party.md, the pictures in README and the messages in tests/bad_scenarios.
/// `.ci/pages` writes all of them.
fn update_pages() -> bool {
    std::env::var_os("UPDATE_PAGES").is_some()
}

mod analyze;
mod architecture;
mod bad_scenarios;
mod beside;
mod cli;
mod coverage;
mod distributions;
mod doors;
mod ensembles;
mod estimators;
mod event_driven;
mod first_screen;
mod fuzz;
mod harm;
mod identical;
mod identity;
mod inputs;
mod neuron;
mod outputs;
mod plasticity;
mod pty;
mod pty_laboratory;
mod pty_line;
mod published;
mod readme;
mod recordings;
mod registry;
mod scenarios;
mod slurm;
mod sources;
mod spikes;
mod states;
mod supply_chain;
mod sweep;
mod tour;
mod trees;
mod trials;
mod validate;
