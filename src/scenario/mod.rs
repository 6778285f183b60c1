//! Scenario file as written → all errors with carets → resolved [`Spec`].

pub mod catalog;
pub mod spec;

pub use catalog::{Catalog, OptionKind, OptionValue, ParamSpec};
pub use spec::*;
