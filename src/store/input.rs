//! Files that people bring, as [`FileTable`]s: whatever their format, only what is asked for, nothing guessed.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use super::Format;
use super::column::Column;
use super::csv_read;
use super::error::StoreError;
use super::parquet_read::ParquetFile;
use super::read::{Stream, format_of, open, text_needs, value_needs};
use spikedeck_signal::FileColumns;
use spikedeck_signal::data::{Cells, FileData, FileTable};

/// The columns of a Parquet or CSV file that `columns` declare; of others only the names.
///
/// # Errors
/// When it is no regular file, no table, damaged, or larger than `most` bytes in memory.
pub fn file_table(path: &Path, columns: &FileColumns, most: u64) -> Result<FileTable, StoreError> {
    let (format, file) = open(path)?;
    match format {
        Format::Parquet => parquet(path, Box::new(file), columns, most),
        Format::Csv => {
            let size = file.metadata().map_err(|e| StoreError::io(path, e))?.len();
            held(path, text_needs(size), most)?;
            text(path, &fs::read(path).map_err(|e| StoreError::io(path, e))?, columns)
        }
    }
}

/// The same of a table that is no file: Parquet or text, as its bytes begin; `name` is what it is called.
///
/// # Errors
/// As [`file_table`].
pub fn bytes_table(name: &Path, bytes: &Arc<[u8]>, columns: &FileColumns, most: u64) -> Result<FileTable, StoreError> {
    match format_of(bytes) {
        Format::Parquet => parquet(name, Box::new(Cursor::new(bytes.clone())), columns, most),
        Format::Csv => {
            held(name, text_needs(bytes.len() as u64), most)?;
            text(name, bytes, columns)
        }
    }
}

fn parquet(path: &Path, file: Box<dyn Stream>, columns: &FileColumns, most: u64) -> Result<FileTable, StoreError> {
    let mut file = ParquetFile::open(path, file)?;
    let names = file.names();
    let asked: Vec<bool> = names.iter().map(|n| columns.asks_for(n)).collect();
    let values = file.rows() as u64 * asked.iter().filter(|a| **a).count() as u64;
    held(path, value_needs(values), most)?;
    let mut found = Vec::with_capacity(names.len());
    for (at, (name, asked)) in names.into_iter().zip(asked).enumerate() {
        if !asked {
            found.push(FileData::new(name, Cells::Unread));
            continue;
        }
        let read = file.column(path, at)?;
        let data = match read.column {
            Ok(column) => data(read.name, column),
            Err(what) => FileData::new(read.name, Cells::Unreadable(what)),
        };
        found.push(FileData { unit: read.unit, ..data });
    }
    let rows = file.rows();
    Ok(FileTable { rows, metadata: file.key_values(), columns: found })
}

fn text(path: &Path, bytes: &[u8], columns: &FileColumns) -> Result<FileTable, StoreError> {
    let text = csv_read::read(path, bytes, &|name| columns.asks_for(name))?;
    let columns = text.names.into_iter().zip(text.columns).map(|(name, column)| match column {
        Some(column) => data(name, column),
        None => FileData::new(name, Cells::Unread),
    });
    Ok(FileTable { rows: text.rows, columns: columns.collect(), metadata: Vec::new() })
}

/// Refuses what would not fit.
fn held(path: &Path, needed: u64, most: u64) -> Result<(), StoreError> {
    if needed <= most {
        return Ok(());
    }
    Err(StoreError::OverBudget { path: path.to_owned(), needed, most })
}

/// A column as files are read.
fn data(name: String, column: Column) -> FileData {
    let gaps = |missing: Vec<bool>| missing.iter().enumerate().filter(|m| *m.1).map(|m| m.0).collect();
    match column {
        Column::F64(values) => FileData::numbers(name, values),
        Column::OptF64(values) => FileData {
            missing: gaps(values.iter().map(Option::is_none).collect()),
            ..FileData::numbers(name, values.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect())
        },
        Column::U32(values) => FileData::new(name, Cells::Whole(values.into_iter().map(i64::from).collect())),
        Column::U64(values) => match values.iter().map(|v| i64::try_from(*v)).collect() {
            Ok(values) => FileData::new(name, Cells::Whole(values)),
            // Ids that are larger than any whole number of 63 bits are names.
            Err(_) => FileData::texts(name, values.iter().map(ToString::to_string)),
        },
        Column::OptU64(values) => {
            let missing = gaps(values.iter().map(Option::is_none).collect());
            match values.iter().map(|v| i64::try_from(v.unwrap_or(0))).collect() {
                Ok(values) => FileData { missing, ..FileData::new(name, Cells::Whole(values)) },
                Err(_) => FileData::texts(name, values.iter().map(|v| v.map_or_else(String::new, |v| v.to_string()))),
            }
        }
        Column::Bool(values) => FileData::texts(name, values.iter().map(ToString::to_string)),
        Column::Text(texts) => FileData::texts(name, texts),
        Column::Category { names, codes } => FileData::texts(name, codes.iter().map(|&c| &names[c as usize])),
    }
}
