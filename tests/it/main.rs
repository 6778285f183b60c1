//! One binary for all integration tests: each more would be one more link.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod architecture;
mod bad_scenarios;
mod cli;
mod coverage;
mod estimators;
mod event_driven;
mod first_screen;
mod identity;
mod neuron;
mod plasticity;
mod pty;
mod published;
mod registry;
mod scenarios;
mod spikes;
mod trees;
