//! Files that people bring, as [`FileTable`]s: whatever their format, only what is asked for, nothing guessed.

use std::fs::{self, File};
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use super::column::Column;
use super::error::StoreError;
use super::kind::FileKind;
use super::parquet_read::ParquetFile;
use super::read::{Stream, open_any, text_needs, value_needs};
use super::recorded::Recorded;
use super::{csv_read, hdf5, npy};
use spikedeck_core::diagnostic::InText;
use spikedeck_signal::FileColumns;
use spikedeck_signal::data::{Cells, FileData, FileTable, Refused, Spot};

/// The columns of a file that `columns` declare; of others only the names. A file is a table (Parquet, text), an array
/// of NumPy, or an HDF5 file, of which the spikes or the one signal that it holds are a table.
///
/// # Errors
/// When it is no regular file, no table, damaged, or larger than `most` bytes in memory.
pub fn file_table(path: &Path, columns: &FileColumns, most: u64) -> Result<FileTable, StoreError> {
    let (kind, file) = open_any(path)?;
    let bytes = |most: u64, needs: fn(u64) -> u64| whole(path, &file, most, needs);
    match kind {
        FileKind::Parquet => parquet(path, Box::new(file), columns, most),
        FileKind::Text => text(path, &bytes(most, text_needs)?, columns),
        FileKind::Npy => array(path, &bytes(most, array_needs)?, columns, most),
        FileKind::Hdf5 => of_recorded(path, hdf5::read(path, Box::new(file), most)?, columns),
    }
}

/// The same of a table that is no file: as its bytes begin; `name` is what it is called.
///
/// # Errors
/// As [`file_table`].
pub fn bytes_table(name: &Path, bytes: &Arc<[u8]>, columns: &FileColumns, most: u64) -> Result<FileTable, StoreError> {
    let size = bytes.len() as u64;
    match FileKind::of_bytes(bytes) {
        FileKind::Parquet => parquet(name, Box::new(Cursor::new(bytes.clone())), columns, most),
        FileKind::Text => {
            held(name, text_needs(size), most)?;
            text(name, bytes, columns)
        }
        FileKind::Npy => {
            held(name, array_needs(size), most)?;
            array(name, bytes, columns, most)
        }
        FileKind::Hdf5 => of_recorded(name, hdf5::read(name, Box::new(Cursor::new(bytes.clone())), most)?, columns),
    }
}

/// What an HDF5 file holds: units with their spikes, and signals.
///
/// # Errors
/// When it is no regular file, no HDF5 file, damaged, holds neither, or is larger than `most` bytes in memory.
pub fn recorded(path: &Path, most: u64) -> Result<Recorded, StoreError> {
    let (_, file) = open_any(path)?;
    hdf5::read(path, Box::new(file), most)
}

/// The same of bytes; `name` is what they are called.
///
/// # Errors
/// As [`recorded`].
pub fn bytes_recorded(name: &Path, bytes: &Arc<[u8]>, most: u64) -> Result<Recorded, StoreError> {
    hdf5::read(name, Box::new(Cursor::new(bytes.clone())), most)
}

/// Where in a file what was refused is wrong, if the file is a table of text and it is said where.
pub fn located(path: &Path, refused: &Refused) -> Option<Box<InText>> {
    let spot = refused.spot.as_ref()?;
    if !path.is_file() || FileKind::of(path) != Some(FileKind::Text) {
        return None;
    }
    in_text(path, &fs::read(path).ok()?, spot, refused)
}

/// The same in what is no file; `name` is what it is called.
pub fn bytes_located(name: &Path, bytes: &[u8], refused: &Refused) -> Option<Box<InText>> {
    let spot = refused.spot.as_ref()?;
    (FileKind::of_bytes(bytes) == FileKind::Text).then(|| in_text(name, bytes, spot, refused)).flatten()
}

fn in_text(name: &Path, bytes: &[u8], spot: &Spot, refused: &Refused) -> Option<Box<InText>> {
    let (text, span) = csv_read::locate(bytes, spot)?;
    Some(Box::new(InText { name: name.display().to_string(), text, diagnostic: refused.diagnostic(span) }))
}

/// All bytes of a file, if what they need fits.
fn whole(path: &Path, file: &File, most: u64, needs: fn(u64) -> u64) -> Result<Vec<u8>, StoreError> {
    let size = file.metadata().map_err(|e| StoreError::io(path, e))?.len();
    held(path, needs(size), most)?;
    fs::read(path).map_err(|e| StoreError::io(path, e))
}

/// Bytes that an array takes: itself, and numbers of one byte as eight.
fn array_needs(size: u64) -> u64 {
    size.saturating_mul(9)
}

/// What a recording holds as the table that is asked for.
fn of_recorded(path: &Path, found: Recorded, columns: &FileColumns) -> Result<FileTable, StoreError> {
    let table = match columns.name {
        "spikes" => found.spikes_table(),
        "signals" => found.signal_table(),
        other => Err(format!("{other} are not read from HDF5 files{}", found.instead())),
    };
    table.map_err(|message| StoreError::Malformed { path: path.to_owned(), message })
}

/// An array as a table: times where times are listed, else a signal without times.
fn array(path: &Path, bytes: &[u8], columns: &FileColumns, most: u64) -> Result<FileTable, StoreError> {
    let array = npy::read(path, bytes, most)?;
    let name = |k: usize| match (array.two, columns.name) {
        (true, _) => format!("column {k}"),
        (false, "spikes") => "time".to_owned(),
        (false, _) => "value".to_owned(),
    };
    let named: Vec<String> = (0..array.columns.len()).map(name).collect();
    Ok(FileTable::of(named.into_iter().zip(array.columns).map(|(n, cells)| FileData::new(n, cells)).collect()))
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
