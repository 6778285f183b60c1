//! Results as panes: which there are, in which order, and what they show.

mod arrange;
pub mod cards;
pub mod content;
pub mod movie;
mod opening;
pub mod pane;
mod recorded;
mod silent;
mod threshold;
pub mod together;
