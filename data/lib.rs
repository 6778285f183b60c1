//! The files that are built into the program, as they stand in the repository: models, receptors, channels, plasticity
//! rules, morphologies, scenarios, numbers of other tools and the checklist of capabilities.
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
/// Matrices of weights and lengths between regions.
pub static CONNECTOMES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/connectomes");
/// Scenario files and the folders of them.
pub static SCENARIOS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");
/// Numbers of NEURON on cables and trees, JSON (`reference/trees_neuron.py` made them).
pub static TREES_NEURON: &str = include_str!("reference/trees_neuron.json");
/// Weights of NEST's plastic synapses, JSON (`reference/plasticity_nest.py` made them).
pub static PLASTICITY_NEST: &str = include_str!("reference/plasticity_nest.json");
/// What each scenario shows first, small, as text (`.ci/tour` made them; `spikedeck_plot::thumbnail` reads one).
pub static THUMBNAILS: &str = include_str!("thumbnails.txt");
/// The checklist of capabilities, TOML.
pub static COVERAGE: &str = include_str!("coverage.toml");
