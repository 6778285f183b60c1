//! Reading tables back.

use std::fs::File;
use std::path::{Path, PathBuf};

use polars::prelude::PolarsError;
use polars_io::SerReader;
use polars_io::csv::read::CsvReadOptions;
use polars_io::parquet::read::ParquetReader;

use super::Format;
use super::column::Table;
use super::error::StoreError;
use super::frame::from_frame;

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

/// Reads a Parquet or CSV file, all columns or those named (in the order asked for).
///
/// # Errors
/// When the file cannot be opened, is no table, or lacks a named column.
pub fn read(path: &Path, columns: Option<&[&str]>) -> Result<Table, StoreError> {
    let format = Format::of(path).ok_or_else(|| StoreError::UnknownFormat { path: path.to_owned() })?;
    let file = File::open(path).map_err(|e| StoreError::io(path, e))?;
    let malformed = |e: PolarsError| StoreError::Malformed { path: path.to_owned(), message: first_line(&e) };
    let (frame, metadata) = match format {
        Format::Parquet => {
            let mut reader = ParquetReader::new(file);
            let present: Vec<String> =
                reader.schema().map_err(malformed)?.iter_names().map(ToString::to_string).collect();
            let metadata = key_values(&mut reader).map_err(malformed)?;
            if let Some(wanted) = columns {
                check_present(path, wanted, &present)?;
                reader = reader.with_columns(Some(wanted.iter().map(ToString::to_string).collect()));
            }
            (reader.finish().map_err(malformed)?, metadata)
        }
        Format::Csv => {
            let frame = CsvReadOptions::default()
                .with_has_header(true)
                .with_infer_schema_length(None)
                .into_reader_with_file_handle(file)
                .finish()
                .map_err(malformed)?;
            (frame, Vec::new())
        }
    };
    let mut table = from_frame(&frame).map_err(malformed)?;
    if let Some(wanted) = columns {
        let present: Vec<String> = table.columns.iter().map(|c| c.0.clone()).collect();
        check_present(path, wanted, &present)?;
        let mut kept = Vec::with_capacity(wanted.len());
        for name in wanted {
            if let Some(at) = table.columns.iter().position(|c| c.0 == *name) {
                kept.push(table.columns.swap_remove(at));
            }
        }
        table.columns = kept;
    }
    table.metadata = metadata;
    Ok(table)
}

/// Columns, number of rows and metadata of a file. Parquet: from the footer alone.
///
/// # Errors
/// As [`read`].
pub fn describe(path: &Path) -> Result<Contents, StoreError> {
    if Format::of(path) == Some(Format::Parquet) {
        let file = File::open(path).map_err(|e| StoreError::io(path, e))?;
        let malformed = |e: PolarsError| StoreError::Malformed { path: path.to_owned(), message: first_line(&e) };
        let mut reader = ParquetReader::new(file);
        let columns = reader.schema().map_err(malformed)?.iter_names().map(ToString::to_string).collect();
        let rows = reader.num_rows().map_err(malformed)? as u64;
        return Ok(Contents { columns, rows, metadata: key_values(&mut reader).map_err(malformed)? });
    }
    let table = read(path, None)?;
    Ok(Contents {
        rows: table.rows() as u64,
        columns: table.columns.into_iter().map(|c| c.0).collect(),
        metadata: Vec::new(),
    })
}

fn key_values(reader: &mut ParquetReader<File>) -> Result<Vec<(String, String)>, PolarsError> {
    let metadata = reader.get_metadata()?;
    Ok(metadata
        .key_value_metadata()
        .iter()
        .flatten()
        .filter(|kv| kv.key != "ARROW:schema")
        .filter_map(|kv| kv.value.clone().map(|v| (kv.key.clone(), v)))
        .collect())
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

/// The first line of what polars says: the rest is its advice to programmers.
fn first_line(error: &PolarsError) -> String {
    error.to_string().lines().next().unwrap_or_default().trim().to_owned()
}
