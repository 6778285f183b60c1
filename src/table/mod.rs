//! Finished runs ↔ files: columns, manifest, and back.
//!
//! A run's folder holds `manifest.json`, `scenario.toml`, `spikes`, `units`, `connections`, `metrics` (Parquet or CSV),
//! `traces/POP-NAME` and `analyses/NAME`. [`Folder`] writes one, also part by part while the run lasts; [`save`] writes
//! a run that is finished; [`open()`] reads one back, whole or cut short; [`Stored`] is what to run to repeat it: the
//! scenario, what was set in it, and the files it was read from, which lie in `files` where they are small.
//! [`metric_json`] is a metric as one JSON object.

mod elsewhere;
mod error;
mod folder;
mod kept;
mod manifest;
mod metrics;
mod open;
mod outcomes;
mod parts;
mod recording;
mod sameness;
mod shapes;
mod stored;

pub use elsewhere::recording_from;
pub use error::TableError;
pub use folder::{Folder, save};
pub use kept::FileEntry;
pub use manifest::Manifest;
pub use metrics::{json_rows, metric_json};
pub use open::{is_run, open, seed_values};
pub use shapes::to_table as shape_to_table;
pub use stored::Stored;
