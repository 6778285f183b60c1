//! Morphologies: samples of an SWC file or sections of a scenario → a tree of sections → compartments.
//!
//! Reading order: [`swc`] (a file's text → sections, everything wrong with its line), [`section`] (unbranched cables
//! and how they hang together), [`compartment`] (sections cut into compartments, with areas and axial resistances),
//! [`place`] (`apical(0.7)` → a compartment).

pub mod compartment;
pub mod place;
pub mod section;
pub mod swc;

pub use compartment::{Compartments, Cut, cut};
pub use section::{Point, Section, Tree};
