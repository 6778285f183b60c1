//! Shape → scene → terminal cells, SVG, PNG.
//!
//! [`scene::of`] turns a [`spikedeck_signal::NamedShape`] and a [`View`] into a [`Scene`]: marks and axes in data
//! units, whoever draws them. [`cells::render`] paints it into a neutral [`grid::CellGrid`].
//!
//! ```
//! use spikedeck_plot::{Look, View, cells, scene, svg};
//! use spikedeck_signal::{Axis, Curve, NamedShape, Series, Shape};
//!
//! let curve = Curve { name: "exc".into(), x: vec![0.0, 1.0, 2.0], y: vec![0.0, 4.0, 1.0], ..Curve::default() };
//! let (x, y) = (Axis::new("time", "ms"), Axis::new("rate", "Hz"));
//! let shape = NamedShape::new("rate", Shape::Series(Series { x, y, curves: vec![curve], ..Series::default() }));
//!
//! let scene = scene::of(&shape, &View::default());
//! let picture = cells::render(&scene, 40, 10, &Look::default());
//! assert_eq!((picture.grid.width, picture.grid.height), (40, 10));
//! assert!(svg::figure(&scene, &svg::Figure::default()).starts_with("<svg"));
//! ```

pub mod ansi;
mod build;
pub mod cells;
pub mod colour;
pub mod grid;
mod map;
pub mod png;
mod reduce;
#[cfg(test)]
mod samples;
pub mod scene;
pub mod svg;
pub mod thumbnail;
mod ticks;
pub mod view;

pub use cells::{Look, Marker, Picture};
pub use colour::{Depth, Palette, Role, Theme};
pub use scene::{Pyramids, Scene};
pub use ticks::nice_step;
pub use view::View;

/// The sides of a picture that is drawn with equal scales; none of one that fills its place.
pub fn proportions(image: &spikedeck_signal::Image) -> Option<(f64, f64)> {
    build::field::proportions(image)
}
