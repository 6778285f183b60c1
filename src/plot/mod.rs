//! Shape → scene → terminal cells, SVG, PNG.
//!
//! [`scene::of`] turns a [`crate::signal::NamedShape`] and a [`View`] into a [`Scene`]: marks and axes in data units,
//! whoever draws them. [`cells::render`] paints it into a neutral [`grid::CellGrid`].

mod build;
pub mod cells;
pub mod colour;
pub mod grid;
pub mod map;
pub mod readout;
pub mod reduce;
pub mod scene;
pub mod ticks;
pub mod view;

pub use cells::{Look, Marker, Picture};
pub use colour::{Depth, Palette, Role, Theme};
pub use scene::{Pyramids, Scene};
pub use view::View;
