//! The dashboard: a thin view on a pure state.

pub mod describe;
mod draw;
mod input;
pub mod number;
mod panes;
pub mod readout;
#[cfg(test)]
mod screens;
pub mod session;
pub mod settings;
mod state;
mod terminal;
#[cfg(test)]
mod testing;
mod update;

pub use panes::content;
pub use state::source::Source;
pub use terminal::present as terminal_present;

use state::app;
