//! Integration tests, one binary: it links once.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failing test says where")]

mod bad_scenarios;
