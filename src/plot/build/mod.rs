//! Shape → scene: one file a family of shapes.

pub(crate) mod curves;
pub(crate) mod field;
pub(crate) mod portrait;
pub(crate) mod range;
pub(crate) mod raster;
