//! The dashboard: a thin view on a pure state.

mod act;
pub mod app;
mod arrange;
pub mod backend;
mod cards;
pub mod commands;
pub mod compare;
pub mod content;
pub mod describe;
mod draw;
mod draw_gallery;
mod draw_overlay;
mod draw_run;
pub mod export;
pub mod gallery;
mod ground;
pub mod jobs;
pub mod keys;
pub mod layout;
pub mod message;
pub mod meter;
pub mod movie;
pub mod number;
pub mod overlay;
mod play;
mod pointer;
pub mod readout;
mod recorded;
#[cfg(test)]
mod screens;
pub mod search;
pub mod session;
pub mod settings;
pub mod terminal;
#[cfg(test)]
mod testing;
pub mod theme;
pub mod update;
pub mod view;
mod watcher;
pub mod workshop;

pub use draw::draw;
