//! Writing: whole tables at once or batch by batch, always under a temporary name first.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Format;
use super::column::{ColumnType, Table};
use super::csv_write::CsvWriter;
use super::error::StoreError;
use super::leftover::{sweep_once, temporary_name};
use super::parquet_write::ParquetWriter;

/// What is written to and what the system last said about it. Shared, because the writers keep what they are given.
#[derive(Clone)]
struct Output {
    file: Arc<Mutex<BufWriter<File>>>,
    fault: Arc<Mutex<Option<io::Error>>>,
}

impl Output {
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let copy = io::Error::from(error.kind());
            *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            copy
        })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.file.lock().unwrap_or_else(PoisonError::into_inner).write(bytes);
        self.note(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.file.lock().unwrap_or_else(PoisonError::into_inner).flush();
        self.note(result)
    }
}

#[expect(clippy::large_enum_variant, reason = "one exists for each open file, and it is never moved")]
enum Batches {
    Parquet(ParquetWriter<Output>),
    Csv(CsvWriter<Output>),
}

/// Writes one table batch by batch: a file larger than memory is written as it arrives.
///
/// Dropped before [`Writer::finish`], it leaves nothing behind.
pub struct Writer {
    path: PathBuf,
    temporary: PathBuf,
    output: Output,
    batches: Batches,
    columns: Vec<String>,
    rows: u64,
    finished: bool,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("path", &self.path).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Writer {
    /// Begins the file `path` with these columns. Category columns of later batches must have the names given here.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn create(
        path: &Path,
        columns: &[(String, ColumnType)],
        metadata: &[(String, String)],
        format: Format,
    ) -> Result<Self, StoreError> {
        prepare(path)?;
        let temporary = temporary_name(path);
        let file = File::create(&temporary).map_err(|e| StoreError::io(path, e))?;
        let output =
            Output { file: Arc::new(Mutex::new(BufWriter::with_capacity(1 << 20, file))), fault: Arc::default() };
        let fault = output.fault.clone();
        let batches = match format {
            Format::Parquet => ParquetWriter::new(output.clone(), columns, metadata).map(Batches::Parquet),
            Format::Csv => CsvWriter::new(output.clone(), columns).map(Batches::Csv),
        };
        let batches = batches.map_err(|message| {
            let _ = fs::remove_file(&temporary);
            error(path, &fault, message)
        })?;
        let columns = columns.iter().map(|(name, _)| name.clone()).collect();
        Ok(Self { path: path.to_owned(), temporary, output, batches, columns, rows: 0, finished: false })
    }

    /// Adds rows, in row groups of at most 262,144.
    ///
    /// # Errors
    /// When columns differ from those the file began with, or the disk is full.
    pub fn write(&mut self, batch: &Table) -> Result<(), StoreError> {
        let rows = batch.rows();
        if let Some((name, column)) = batch.columns.iter().find(|c| c.1.len() != rows) {
            return Err(StoreError::Uneven(format!(
                "column `{name}` has {} rows where the first has {rows}",
                column.len()
            )));
        }
        if !batch.columns.iter().map(|c| &c.0).eq(&self.columns) {
            return Err(StoreError::Uneven(format!(
                "a batch for {} has other columns than the file",
                self.path.display()
            )));
        }
        let written = match &mut self.batches {
            Batches::Parquet(file) => file.write(batch),
            Batches::Csv(file) => file.write(batch),
        };
        written.map_err(|message| error(&self.path, &self.output.fault, message))?;
        self.rows += rows as u64;
        Ok(())
    }

    /// Ends the file: footer, sync, and its real name. Returns the number of rows.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn finish(mut self) -> Result<u64, StoreError> {
        let ended = match &mut self.batches {
            Batches::Parquet(file) => file.finish(),
            Batches::Csv(file) => file.finish(),
        };
        ended.map_err(|message| error(&self.path, &self.output.fault, message))?;
        {
            let mut file = self.output.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.flush().and_then(|()| file.get_ref().sync_all()).map_err(|e| StoreError::io(&self.path, e))?;
        }
        put_in_place(&self.temporary, &self.path)?;
        self.finished = true;
        Ok(self.rows)
    }
}

/// What the system said if it said something, else what the writer says.
fn error(path: &Path, fault: &Mutex<Option<io::Error>>, message: String) -> StoreError {
    match fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(fault) => StoreError::io(path, fault),
        None => StoreError::Malformed { path: path.to_owned(), message },
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished {
            // Nothing can be done about a file that cannot be removed while giving up.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Writes one table at once.
///
/// # Errors
/// When the disk is full, the folder cannot be written to, or columns differ in length.
pub fn write(path: &Path, table: &Table, format: Format) -> Result<u64, StoreError> {
    let mut writer = Writer::create(path, &table.schema(), &table.metadata, format)?;
    writer.write(table)?;
    writer.finish()
}

/// Writes a text file the same way: temporary name, sync, rename.
///
/// # Errors
/// When the disk is full or the folder cannot be written to.
pub fn write_text(path: &Path, text: &str) -> Result<(), StoreError> {
    write_bytes(path, text.as_bytes())
}

/// Writes any file the same way.
///
/// # Errors
/// When the disk is full or the folder cannot be written to.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    put_in_place(&whole(path, bytes)?, path)
}

/// Writes any file the same way, but not over one that is there, however late it came.
///
/// # Errors
/// As [`write_bytes`]; [`StoreError::Exists`] when there is a file.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = whole(path, bytes)?;
    // A second name for the same file is refused where the name is taken, in one step.
    let linked = fs::hard_link(&temporary, path);
    if linked.is_err() && !path.exists() {
        // A file system without second names.
        return put_in_place(&temporary, path);
    }
    let _ = fs::remove_file(&temporary);
    linked.map_err(|_| StoreError::Exists { path: path.to_owned() })
}

/// The temporary file that holds all of `bytes`.
fn whole(path: &Path, bytes: &[u8]) -> Result<PathBuf, StoreError> {
    prepare(path)?;
    let temporary = temporary_name(path);
    let result = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    match result {
        Ok(()) => Ok(temporary),
        Err(error) => {
            let _ = fs::remove_file(&temporary);
            Err(StoreError::io(path, error))
        }
    }
}

/// Makes ready to write `path`: a device or a pipe is not replaced by a file.
fn prepare(path: &Path) -> Result<(), StoreError> {
    if fs::metadata(path).is_ok_and(|m| !m.is_file()) {
        return Err(StoreError::NotAFile { path: path.to_owned() });
    }
    sweep_once(path.parent().unwrap_or(Path::new("")));
    Ok(())
}

fn put_in_place(temporary: &Path, path: &Path) -> Result<(), StoreError> {
    fs::rename(temporary, path).map_err(|e| {
        let _ = fs::remove_file(temporary);
        StoreError::io(path, e)
    })?;
    // The new name is only safe once the folder is on disk; file systems that cannot sync a folder have done so
    // already.
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let _ = File::open(folder).and_then(|f| f.sync_all());
    }
    Ok(())
}
