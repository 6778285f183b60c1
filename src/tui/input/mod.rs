//! What keys, the mouse and commands do to the state.

pub mod bench;
pub mod commands;
pub mod everywhere;
pub mod gallery;
pub mod motion;
pub mod overlay;
pub mod pane;
pub mod panel;
#[cfg(test)]
pub mod panel_tests;
pub mod play;
pub mod pointer;
pub mod run;
