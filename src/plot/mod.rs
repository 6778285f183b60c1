//! Shape → scene → terminal cells, SVG, PNG.
//!
//! [`scene::of`] turns a [`spikedeck_signal::NamedShape`] and a [`View`] into a [`Scene`]: marks and axes in data
//! units, whoever draws them. [`cells::render`] paints it into a neutral [`grid::CellGrid`].

pub mod ansi;
mod build;
pub mod cells;
pub mod colour;
pub mod grid;
pub mod map;
pub mod png;
pub mod reduce;
#[cfg(test)]
mod samples;
pub mod scene;
pub mod svg;
pub mod ticks;
pub mod view;

pub use cells::{Look, Marker, Picture};
pub use colour::{Depth, Palette, Role, Theme};
pub use scene::{Pyramids, Scene};
pub use view::View;
