//! The state of the dashboard and pure questions about it: no terminal, no file, no clock.

pub mod app;
pub mod compare;
pub mod gallery;
pub mod keys;
pub mod layout;
pub mod message;
pub mod search;
pub mod theme;
pub mod view;
