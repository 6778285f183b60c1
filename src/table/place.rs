//! Where the tables of a run are written, in which format, and what each of them says of where it comes from.

use std::path::{Path, PathBuf};

use super::error::TableError;
use super::manifest::Manifest;
use spikedeck_run::{OF_RUN, POINTS, STATUS, Status};
use spikedeck_store::{ColumnType, Format, Table, Writer};

/// The folder of a run that is being written.
pub(super) struct RunPlace<'a> {
    folder: &'a Path,
    format: Format,
    /// Provenance: keys and values that stand in the metadata of every Parquet file.
    about: Vec<(String, String)>,
}

impl<'a> RunPlace<'a> {
    /// Tables of the run that `manifest` describes, in `folder`.
    pub fn of(folder: &'a Path, format: Format, manifest: &Manifest) -> Self {
        Self { folder, format, about: about(manifest) }
    }

    /// The same for tables of what was recorded: who takes such a file alone is told where there was more.
    pub fn of_recorded(folder: &'a Path, format: Format, manifest: &Manifest) -> Self {
        let mut place = Self::of(folder, format, manifest);
        if let Some(points) = manifest.points.filter(|n| *n > manifest.recording.trials.len().max(1)) {
            place.about.push(pair(POINTS, &points.to_string()));
        }
        if manifest.status() != Status::Complete {
            place.about.push(pair(STATUS, &manifest.status));
        }
        place
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder
    }

    /// How its tables are written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The file of a table: `stem` and the ending of the format, relative to the folder.
    pub fn file(&self, stem: &str) -> String {
        format!("{stem}.{}", self.format.extension())
    }

    /// Where the file of a table is.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// Writes a table at once; returns the number of rows.
    pub fn write(&self, file: &str, table: &Table) -> Result<u64, TableError> {
        let mut writer = self.begin(file, &table.schema(), &table.metadata)?;
        writer.write(table)?;
        Ok(writer.finish()?)
    }

    /// Writes all batches into one file; returns the number of rows.
    pub fn write_batches(
        &self,
        file: &str,
        schema: &[(String, ColumnType)],
        batches: impl Iterator<Item = Table>,
    ) -> Result<u64, TableError> {
        let mut writer = self.begin(file, schema, &[])?;
        for batch in batches {
            writer.write(&batch)?;
        }
        Ok(writer.finish()?)
    }

    /// Begins a file: its own metadata follow the provenance.
    pub fn begin(
        &self,
        file: &str,
        schema: &[(String, ColumnType)],
        metadata: &[(String, String)],
    ) -> Result<Writer, TableError> {
        let all: Vec<(String, String)> = self.about.iter().chain(metadata).cloned().collect();
        Ok(Writer::create(&self.path(file), schema, &all, self.format)?)
    }
}

/// A word of what a table says of its run.
fn pair(key: &str, value: &str) -> (String, String) {
    (format!("{OF_RUN}{key}"), value.to_owned())
}

/// What a table says of the run that it is of. Nothing of the machine and the time: equal runs have equal bytes.
fn about(manifest: &Manifest) -> Vec<(String, String)> {
    let mut about = vec![pair("program", "spikedeck"), pair("version", &manifest.version)];
    // A recording that was only measured is of no scenario.
    if !manifest.scenario.hash.is_empty() {
        about.push(pair("scenario", &manifest.scenario.name));
        about.push(pair("scenario_hash", &manifest.scenario.hash));
        about.push(pair("seed", &manifest.seed.to_string()));
    }
    about
}
