//! The files that are built into the program, as they stand in the repository: models, receptors, channels, plasticity
//! rules, morphologies, scenarios and the checklist of capabilities.
//!
//! A crate of its own, so that every other crate can be packaged alone and none needs a folder beside it. `scenarios`
//! is a link to the folder of that name at the top.

pub use include_dir::{Dir, File};

use include_dir::include_dir;

/// Model files.
pub static MODELS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/models");
/// Receptor files.
pub static RECEPTORS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/receptors");
/// Channel files.
pub static CHANNELS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/channels");
/// Files of plasticity rules.
pub static PLASTICITY: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/plasticity");
/// SWC files.
pub static MORPHOLOGIES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/morphologies");
/// Scenario files and the folders of them.
pub static SCENARIOS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");
/// The checklist of capabilities, TOML.
pub static COVERAGE: &str = include_str!("coverage.toml");
