//! The dashboard: a thin view on a pure state. Each folder uses only those before it:
//!
//! | folder | what it has |
//! |---|---|
//! | `panes` | results as panes, with memories of how they were drawn; nothing of the dashboard |
//! | `state` | `App` and its parts, messages and effects, layout, themes, keys |
//! | `input` | the table of commands with their functions, what lies over the screen, the mouse |
//! | `draw` | from the state to cells |
//! | `terminal` | the terminal: taken, given back, read, written to |
//! | `session` | the loop, and what is done outside the state: jobs, files, the clipboard |
//!
//! `report` makes documents of results. `reader.rs` says in lines what `draw` draws, for screen readers; `describe.rs`
//! puts a pane into words, `readout.rs` what stands under the crosshair.
//!
//! `update.rs` takes a message to its place in `input` and `state`. A new command is a row in
//! `input/commands.rs` and a function beside its like in `input`.
//!
//! What it does without a terminal:
//!
//! ```
//! use spikedeck_tui::settings::Settings;
//!
//! let (_, wrong) = Settings::from_toml("marker = 'octants'\n[keys]\nquit = 'ctrl-q'");
//! assert_eq!(wrong.len(), 1);
//! assert!(wrong[0].ends_with("did you mean `octant`?"), "{}", wrong[0]);
//! ```

pub mod describe;
mod draw;
mod input;
mod number;
mod panes;
mod reader;
mod readout;
pub mod report;
#[cfg(test)]
mod screens;
pub mod session;
pub mod settings;
mod state;
mod terminal;
#[cfg(test)]
mod testing;
pub mod tour;
mod update;

pub use panes::content;
pub use state::source::Source;
pub use terminal::present as terminal_present;

use state::app;
