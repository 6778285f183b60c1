//! The state of the dashboard and pure questions about it: no terminal, no file, no clock.

pub mod app;
pub mod axis;
pub mod bench;
pub mod columns;
pub mod compare;
pub mod gallery;
pub mod jobs;
pub mod keymap;
pub mod keys;
pub mod layout;
pub mod log;
pub mod message;
pub mod overlay;
pub mod panel;
mod ranges;
pub mod search;
pub mod source;
pub mod stepping;
pub mod steps;
pub mod tabs;
pub mod theme;
pub mod view;
