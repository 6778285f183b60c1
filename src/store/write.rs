//! Writing: whole tables at once or batch by batch, always under a temporary name first.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use polars::prelude::{PolarsError, Schema};
use polars_io::SerWriter;
use polars_io::csv::write::{BatchedWriter as CsvBatches, CsvWriter};
use polars_io::parquet::write::{
    BatchedWriter as ParquetBatches, KeyValueMetadata, ParquetCompression, ParquetWriter, StatisticsOptions,
};

use super::Format;
use super::column::{ColumnType, Table};
use super::error::StoreError;
use super::frame::{schema_of, to_frame};
use super::leftover::{sweep_once, temporary_name};

/// Rows of one row group: large enough to compress well, small enough that a reader can skip.
const ROW_GROUP: usize = 262_144;

/// What is written to and what the system last said about it. Shared, because polars keeps the writer it is given.
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
    Parquet(ParquetBatches<Output>),
    Csv(CsvBatches<Output>),
}

/// Writes one table batch by batch: a file larger than memory is written as it arrives.
///
/// Dropped before [`Writer::finish`], it leaves nothing behind.
pub struct Writer {
    path: PathBuf,
    temporary: PathBuf,
    output: Output,
    batches: Option<Batches>,
    schema: Schema,
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
        let mut writer = Self {
            path: path.to_owned(),
            temporary,
            output: output.clone(),
            batches: None,
            schema: Schema::default(),
            rows: 0,
            finished: false,
        };
        writer.schema = schema_of(columns).map_err(|e| writer.error(&e))?;
        let batches = match format {
            Format::Parquet => ParquetWriter::new(output)
                .with_compression(ParquetCompression::Zstd(Some(
                    polars::polars_utils::compression::ZstdLevel::try_new(1).map_err(|e| writer.error(&e))?,
                )))
                .with_statistics(StatisticsOptions::full())
                .with_key_value_metadata(
                    (!metadata.is_empty()).then(|| KeyValueMetadata::from_static(metadata.to_vec())),
                )
                .batched(&writer.schema)
                .map(Batches::Parquet),
            Format::Csv => CsvWriter::new(output).include_header(true).batched(&writer.schema).map(Batches::Csv),
        };
        writer.batches = Some(batches.map_err(|e| writer.error(&e))?);
        Ok(writer)
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
        if batch.columns.len() != self.schema.len()
            || batch.columns.iter().zip(self.schema.iter_names()).any(|(c, n)| c.0 != n.as_str())
        {
            return Err(StoreError::Uneven(format!(
                "a batch for {} has other columns than the file",
                self.path.display()
            )));
        }
        let mut from = 0;
        while from < rows {
            let to = (from + ROW_GROUP).min(rows);
            let written = to_frame(batch, &self.schema, from, to).and_then(|frame| match &mut self.batches {
                Some(Batches::Parquet(b)) => b.write_batch(&frame),
                Some(Batches::Csv(b)) => b.write_batch(&frame),
                None => Ok(()),
            });
            written.map_err(|e| self.error(&e))?;
            from = to;
        }
        self.rows += rows as u64;
        Ok(())
    }

    /// Ends the file: footer, sync, and its real name. Returns the number of rows.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn finish(mut self) -> Result<u64, StoreError> {
        let ended = match &mut self.batches {
            Some(Batches::Parquet(b)) => b.finish().map(|_| ()),
            Some(Batches::Csv(b)) => b.finish(),
            None => Ok(()),
        };
        ended.map_err(|e| self.error(&e))?;
        {
            let mut file = self.output.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.flush().and_then(|()| file.get_ref().sync_all()).map_err(|e| StoreError::io(&self.path, e))?;
        }
        put_in_place(&self.temporary, &self.path)?;
        self.finished = true;
        Ok(self.rows)
    }

    /// What the system said if it said something, else what polars says.
    fn error(&self, error: &PolarsError) -> StoreError {
        match self.output.fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(fault) => StoreError::io(&self.path, fault),
            None => StoreError::Malformed { path: self.path.clone(), message: error.to_string() },
        }
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
