//! Finished runs ↔ files: columns, manifest, and back.
//!
//! A run's folder holds `manifest.json`, `ro-crate-metadata.json`, `scenario.toml`, `spikes`, `units`, `connections`,
//! `metrics` (Parquet or CSV), `traces/POP-NAME`, `analyses/NAME`, and of single units `analyses/NAME-units-SUBJECT`.
//! [`Folder`] writes one, also part by part while the run lasts; [`save`] writes a run that is finished; [`open()`]
//! reads one back, whole or cut short; [`Stored`] is what to run to repeat it: the scenario, what was set in it, and
//! the files it was read from, which lie in `files` where they are small. [`SweepFolder`] is a sweep that several
//! processes fill. [`metric_json`] is a metric as one JSON object.
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::AtomicBool;
//!
//! use spikedeck_run::{Options, Source, Tell, execute, resolve};
//! use spikedeck_store::Format;
//! use spikedeck_table::{open, save};
//!
//! let text = "
//!     simulation = { duration = '100 ms', dt = '0.1 ms' }
//!     populations.cell.model = 'lif'
//!     stimuli.step = { target = 'cell.I', kind = 'constant', amplitude = '500 pA' }
//!     record.cell = { spikes = true }
//!     analyses.rates = { kind = 'rates', of = 'cell.spikes' }
//! ";
//! let source = Source { text: text.into(), name: "demo".into(), origin: None, variant: None };
//! let tell: Tell = Arc::new(|_| ());
//! let options = Options { threads: 1, ..Options::default() };
//! let (spec, _) = resolve(&source, &[]).map_err(|e| e.render(false))?;
//! let finished = execute(&Arc::new(spec), options, &AtomicBool::new(false), &tell)?;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("demo");
//! save(&path, &finished, Format::Parquet, false)?;
//! let back = open(&path)?;
//! assert_eq!(back.recording.spikes, finished.recording.spikes);
//! assert_eq!(back.outcomes[0].metrics.len(), finished.outcomes[0].metrics.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod checkpoint;
mod claim;
mod cut_short;
mod differences;
mod error;
mod folder;
mod kept;
mod ledger;
mod manifest;
mod metrics;
mod open;
mod outcomes;
mod parts;
mod place;
mod recording;
mod ro_crate;
mod sameness;
mod shapes;
mod stored;
mod sweep;
mod tables;

pub use checkpoint::Checkpoint;
pub use differences::differences;
pub use error::TableError;
pub use folder::{Folder, save};
pub use kept::FileEntry;
pub use ledger::Line;
pub use manifest::Manifest;
pub use metrics::{json_rows, metric_json, point_json, words_json};
pub use open::{is_run, open, open_telling, seed_values};
pub use shapes::to_table as shape_to_table;
pub use stored::Stored;
pub use sweep::{OpenShard, Shard, SweepFolder, SweepProgress};
