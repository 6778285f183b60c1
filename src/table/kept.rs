//! Files that a run was read from besides its scenario: kept in its folder where they are small, else known by where
//! they were and by the hash of their contents.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::TableError;
use spikedeck_scenario::FileUse;
use spikedeck_store as store;

/// Folder of the copies in a run's folder.
pub(super) const FOLDER: &str = "files";
/// Most bytes of all copies together; the smallest files are kept first.
pub(super) const KEPT: u64 = 16 << 20;

/// A file that the scenario of a run named, or a model beside it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FileEntry {
    /// The path by which it was looked for when the scenario was read.
    pub path: String,
    /// Where that was.
    pub absolute: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Its copy, relative to the run's folder, if it has one.
    pub copy: Option<String>,
}

/// Keeps what is not among `entries` yet: as copies in `folder`, as far as [`KEPT`] goes.
pub(super) fn keep<'a>(
    folder: &Path,
    files: impl IntoIterator<Item = &'a FileUse>,
    entries: &mut Vec<FileEntry>,
) -> Result<(), TableError> {
    let mut new: Vec<&FileUse> = Vec::new();
    for file in files {
        let path = file.path.display().to_string();
        let known = entries.iter().any(|e| e.path == path && e.sha256 == file.sha256)
            || new.iter().any(|n| n.path == file.path && n.sha256 == file.sha256);
        if !known {
            new.push(file);
        }
    }
    new.sort_by_key(|f| f.bytes);
    let mut room = KEPT.saturating_sub(entries.iter().filter(|e| e.copy.is_some()).map(|e| e.bytes).sum());
    for file in new {
        let copy = match &file.contents {
            Some(bytes) if file.bytes <= room => {
                room -= file.bytes;
                Some(copy(folder, &file.path, bytes)?)
            }
            _ => None,
        };
        let absolute = std::path::absolute(&file.path).unwrap_or_else(|_| file.path.clone());
        entries.push(FileEntry {
            path: file.path.display().to_string(),
            absolute: absolute.display().to_string(),
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            copy,
        });
    }
    Ok(())
}

/// Writes a copy under a name that is not taken.
fn copy(folder: &Path, path: &Path, bytes: &[u8]) -> Result<String, TableError> {
    let files = folder.join(FOLDER);
    fs::create_dir_all(&files).map_err(|e| TableError::io(&files, e))?;
    let mut name = path.file_name().map_or_else(|| "file".to_owned(), |n| n.to_string_lossy().into_owned());
    // Of a run that is named by its folder the table of spikes is kept; formats go by the end of a name.
    if bytes.starts_with(b"PAR1") && path.extension().is_none_or(|e| e != "parquet") {
        name.push_str(".parquet");
    }
    let mut number = 1;
    let mut free = name.clone();
    while files.join(&free).exists() {
        number += 1;
        free = format!("{number}-{name}");
    }
    store::write_bytes(&files.join(&free), bytes)?;
    Ok(format!("{FOLDER}/{free}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_are_kept_each_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = |path: &str, bytes: &[u8]| FileUse::of(Path::new(path), bytes);
        let large = FileUse { bytes: KEPT + 1, contents: None, ..file("far/large.csv", b"") };
        let middle = vec![1; (KEPT - 4) as usize];
        let files = [file("a/edges.csv", b"one"), large, file("b/edges.csv", b"other"), file("middle.csv", &middle)];
        let mut entries = Vec::new();
        keep(folder.path(), &files, &mut entries).unwrap();
        let copies: Vec<(&str, Option<&str>)> = entries.iter().map(|e| (e.path.as_str(), e.copy.as_deref())).collect();
        assert_eq!(
            copies,
            [
                ("a/edges.csv", Some("files/edges.csv")),
                ("b/edges.csv", Some("files/2-edges.csv")),
                ("middle.csv", None),
                ("far/large.csv", None),
            ],
            "eight bytes leave less than the third needs"
        );
        assert_eq!(fs::read(folder.path().join("files/2-edges.csv")).unwrap(), b"other");
        assert!(Path::new(&entries[0].absolute).is_absolute());
        keep(folder.path(), &files, &mut entries).unwrap();
        assert_eq!(entries.len(), 4, "each is kept once");
    }
}
