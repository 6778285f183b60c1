//! One binary for all integration tests: each more would be one more link.

mod architecture;
mod bad_scenarios;
mod cli;
mod pty;
mod registry;
mod scenarios;
