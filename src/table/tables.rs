//! The tables of a run's folder, held against what its manifest says of them.

use std::path::Path;

use super::error::TableError;
use super::manifest::{Manifest, sha256_of};
use super::parts::list;
use spikedeck_store::{self as store, Table};

/// The tables of a run, held against its manifest.
pub(super) struct Tables<'a> {
    pub folder: &'a Path,
    pub manifest: &'a Manifest,
}

impl Tables<'_> {
    /// The name of the file of a table.
    pub fn name(&self, stem: &str) -> String {
        format!("{stem}.{}", if self.manifest.format == "csv" { "csv" } else { "parquet" })
    }

    /// Whether the run wrote the file.
    pub fn lists(&self, file: &str) -> bool {
        self.manifest.rows.contains_key(file)
    }

    /// Reads a table.
    ///
    /// # Errors
    /// When it cannot be read, or is not what the run wrote.
    pub fn read(&self, file: &str) -> Result<Table, TableError> {
        let path = self.folder.join(file);
        let altered = |why: String| TableError::Altered { path: path.clone(), why };
        if self.lists(file) && !path.exists() {
            return Err(altered("it is missing".to_owned()));
        }
        let is_same = match self.manifest.checksums.get(file) {
            Some(sum) => sha256_of(&path)? == *sum,
            None => true,
        };
        let wrote = self.manifest.rows.get(file).copied();
        // How many rows there are says more than that a checksum is another.
        if wrote.is_some() || !is_same {
            let rows = store::describe(&path).map(|c| c.rows);
            match (rows, wrote) {
                (Ok(rows), Some(wrote)) if rows != wrote => {
                    return Err(altered(format!("it holds {rows} rows, and the run wrote {wrote}")));
                }
                _ if !is_same => return Err(altered("its checksum is another".to_owned())),
                (rows, _) => drop(rows?),
            }
        }
        Ok(store::read(&path, None)?)
    }

    /// Reads a table, or its parts one after another if it was never merged; nothing if there are none.
    pub fn read_or_parts(&self, file: &str) -> Result<Option<Vec<Table>>, TableError> {
        let path = self.folder.join(file);
        if self.lists(file) || path.exists() {
            return Ok(Some(vec![self.read(file)?]));
        }
        let parts = list(&path.with_extension("parts"));
        let tables: Result<Vec<Table>, TableError> = parts.iter().map(|p| Ok(store::read(p, None)?)).collect();
        Ok(Some(tables?).filter(|t| !t.is_empty()))
    }
}
