//! The tables of a run's folder, held against what its manifest says of them.

use std::path::{Path, PathBuf};

use super::error::TableError;
use super::manifest::{Manifest, sha256_of};
use super::parts::list;
use spikedeck_store::{self as store, Table};

/// The tables of a run, held against its manifest.
pub(super) struct Tables<'a> {
    pub folder: &'a Path,
    pub manifest: &'a Manifest,
    /// Bytes that there are for what is read next, as far as that is known.
    pub most: &'a dyn Fn() -> u64,
}

/// Three quarters of the memory that is free.
pub(super) fn free_for_tables() -> u64 {
    spikedeck_run::free_memory() / 4 * 3
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
        // Each table is whole by itself, whenever the process was killed.
        if self.manifest.is_growing && path.exists() {
            self.afford(&[path.as_path()])?;
            return Ok(store::read(&path, None)?);
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
        self.afford(&[path.as_path()])?;
        Ok(store::read(&path, None)?)
    }

    /// Refuses files that would not fit together.
    fn afford(&self, paths: &[&Path]) -> Result<(), TableError> {
        let mut needed: u64 = 0;
        for path in paths {
            needed = needed.saturating_add(store::needs(path)?);
        }
        let most = (self.most)();
        match paths.first() {
            Some(first) if needed > most => {
                Err(store::StoreError::OverBudget { path: first.to_path_buf(), needed, most }.into())
            }
            _ => Ok(()),
        }
    }

    /// Reads a table, or its parts one after another if it was never merged; nothing if there are none.
    pub fn read_or_parts(&self, file: &str) -> Result<Option<Vec<Table>>, TableError> {
        let path = self.folder.join(file);
        if self.lists(file) || path.exists() {
            return Ok(Some(vec![self.read(file)?]));
        }
        let parts = list(&path.with_extension("parts"));
        self.afford(&parts.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
        let tables: Result<Vec<Table>, TableError> = parts.iter().map(|p| Ok(store::read(p, None)?)).collect();
        Ok(Some(tables?).filter(|t| !t.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_store::{Column, Format};

    /// What would not fit is refused from its footer or size; what fits is read, whatever the format, and parts count
    /// together.
    #[test]
    fn what_does_not_fit_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::new().with("time_ms", Column::F64(vec![1.5; 1000])).with("unit", Column::U32(vec![3; 1000]));
        for format in [Format::Parquet, Format::Csv] {
            let file = format!("spikes.{}", format.extension());
            store::write(&folder.path().join(&file), &table, format).unwrap();
            let needed = store::needs(&folder.path().join(&file)).unwrap();
            assert!(needed >= 12_000, "at least what the values are: {needed}");
            for (most, fits) in [(needed, true), (needed - 1, false), (0, false)] {
                let tables = Tables { folder: folder.path(), manifest: &Manifest::default(), most: &|| most };
                let read = tables.read(&file).map(|t| t.rows()).map_err(|e| e.to_string());
                match read {
                    Ok(rows) => assert!(fits && rows == 1000),
                    Err(why) => assert!(!fits && why.contains("would take"), "{why}"),
                }
            }
        }
        let parts = folder.path().join("v.parts");
        std::fs::create_dir(&parts).unwrap();
        for k in 0..3 {
            store::write(&parts.join(format!("{k:08}.parquet")), &table, Format::Parquet).unwrap();
        }
        let three = 3 * store::needs(&list(&parts)[0]).unwrap();
        for (most, fits) in [(three, true), (three - 1, false)] {
            let tables = Tables { folder: folder.path(), manifest: &Manifest::default(), most: &|| most };
            assert_eq!(tables.read_or_parts("v.parquet").is_ok(), fits);
        }
    }
}
