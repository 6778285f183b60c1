//! Reading tables back.

use std::fs::{self, File};
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Format;
use super::column::Table;
use super::csv_read;
use super::error::StoreError;
use super::kind::FileKind;
use super::parquet_read::ParquetFile;

/// What a file holds, without its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Number of rows.
    pub rows: u64,
    /// Key-value metadata (Parquet).
    pub metadata: Vec<(String, String)>,
}

/// A file of tables: a regular one (a pipe or a device may never end), in a format that is read.
pub(super) fn open(path: &Path) -> Result<(Format, File), StoreError> {
    regular(path)?;
    let format = Format::of(path).ok_or_else(|| StoreError::UnknownFormat { path: path.to_owned() })?;
    Ok((format, File::open(path).map_err(|e| StoreError::io(path, e))?))
}

/// The same of everything that spikes and signals are read from.
pub(super) fn open_any(path: &Path) -> Result<(FileKind, File), StoreError> {
    regular(path)?;
    let kind = FileKind::of(path).ok_or_else(|| StoreError::UnknownFormat { path: path.to_owned() })?;
    Ok((kind, File::open(path).map_err(|e| StoreError::io(path, e))?))
}

fn regular(path: &Path) -> Result<(), StoreError> {
    let kind = fs::metadata(path).map_err(|e| StoreError::io(path, e))?;
    if kind.is_file() { Ok(()) } else { Err(StoreError::NoFile { path: path.to_owned(), folder: kind.is_dir() }) }
}

/// What the pages of a table are read from.
pub(super) trait Stream: Read + Seek + Send {}

impl<T: Read + Seek + Send> Stream for T {}

/// The format of a table that has no name: what Parquet files begin with says that it is one, all else is text.
pub(super) fn format_of(bytes: &[u8]) -> Format {
    if bytes.starts_with(b"PAR1") { Format::Parquet } else { Format::Csv }
}

/// Reads a Parquet or CSV file, all columns or those named (in the order asked for).
///
/// # Errors
/// When the file cannot be opened, is no table, is damaged, or lacks a named column.
pub fn read(path: &Path, columns: Option<&[&str]>) -> Result<Table, StoreError> {
    let (format, file) = open(path)?;
    let mut table = Table::new();
    match format {
        Format::Parquet => {
            let mut file = ParquetFile::open(path, Box::new(file))?;
            let present = file.names();
            if let Some(wanted) = columns {
                check_present(path, wanted, &present)?;
            }
            table.metadata = file.key_values();
            let wanted: Vec<&str> = columns.map_or_else(|| present.iter().map(String::as_str).collect(), <[_]>::to_vec);
            for name in wanted {
                let Some(at) = present.iter().position(|p| p == name) else { continue };
                let read = file.column(path, at)?;
                let column = read.column.map_err(|found| StoreError::WrongKind {
                    column: name.to_owned(),
                    found,
                    wanted: "numbers, text or true/false",
                })?;
                table.columns.push((name.to_owned(), column));
            }
        }
        Format::Csv => {
            let bytes = fs::read(path).map_err(|e| StoreError::io(path, e))?;
            let text = csv_read::read(path, &bytes, &|name| columns.is_none_or(|wanted| wanted.contains(&name)))?;
            if let Some(wanted) = columns {
                check_present(path, wanted, &text.names)?;
            }
            let mut found: Vec<_> =
                text.names.into_iter().zip(text.columns).filter_map(|(n, c)| c.map(|c| (n, c))).collect();
            if let Some(wanted) = columns {
                found.sort_by_key(|(name, _)| wanted.iter().position(|w| w == name));
            }
            table.columns = found;
        }
    }
    Ok(table)
}

/// Bytes of a value while a table is read and made into what it stands for: as it is in the file, and as a number.
const VALUE: u64 = 16;

/// Bytes that a text takes: itself, and each cell of at least two letters as a number.
pub(super) fn text_needs(size: u64) -> u64 {
    size.saturating_mul(5)
}

/// Bytes that a number of values take.
pub(super) fn value_needs(values: u64) -> u64 {
    values.saturating_mul(VALUE)
}

/// Bytes of memory that reading all of a file takes. Parquet: from the footer alone.
///
/// # Errors
/// When the file cannot be opened, is no table, or is damaged.
pub fn needs(path: &Path) -> Result<u64, StoreError> {
    let (format, file) = open(path)?;
    Ok(match format {
        Format::Parquet => {
            let file = ParquetFile::open(path, Box::new(file))?;
            value_needs((file.rows() as u64).saturating_mul(file.names().len() as u64))
        }
        Format::Csv => text_needs(file.metadata().map_err(|e| StoreError::io(path, e))?.len()),
    })
}

/// Columns, number of rows and metadata of a file. Parquet: from the footer alone.
///
/// # Errors
/// As [`read`].
pub fn describe(path: &Path) -> Result<Contents, StoreError> {
    let (format, file) = open(path)?;
    if format == Format::Parquet {
        let file = ParquetFile::open(path, Box::new(file))?;
        return Ok(Contents { columns: file.names(), rows: file.rows() as u64, metadata: file.key_values() });
    }
    let bytes = fs::read(path).map_err(|e| StoreError::io(path, e))?;
    describe_text(path, &bytes)
}

/// The same of a table that is no file: Parquet or text, as its bytes begin; `name` is what it is called.
///
/// # Errors
/// When it is no table, or damaged.
pub fn describe_bytes(name: &Path, bytes: &Arc<[u8]>) -> Result<Contents, StoreError> {
    if format_of(bytes) == Format::Csv {
        return describe_text(name, bytes);
    }
    let file = ParquetFile::open(name, Box::new(Cursor::new(bytes.clone())))?;
    Ok(Contents { columns: file.names(), rows: file.rows() as u64, metadata: file.key_values() })
}

fn describe_text(path: &Path, bytes: &[u8]) -> Result<Contents, StoreError> {
    let text = csv_read::read(path, bytes, &|_| false)?;
    Ok(Contents { columns: text.names, rows: text.rows as u64, metadata: Vec::new() })
}

fn check_present(path: &Path, wanted: &[&str], present: &[String]) -> Result<(), StoreError> {
    match wanted.iter().find(|w| !present.iter().any(|p| p == *w)) {
        None => Ok(()),
        Some(missing) => Err(StoreError::NoColumn {
            path: PathBuf::from(path),
            column: (*missing).to_owned(),
            present: present.join(", "),
        }),
    }
}
