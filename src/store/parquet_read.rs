//! Parquet files: footer and columns, read with the care that files from elsewhere need.
//!
//! Only the columns that are asked for are read. What the footer claims is held against the size of the file before
//! anything is allocated for it, and a panic of the table engine becomes a refusal with the name of the file.

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, DTYPE_ENUM_VALUES_LEGACY, DTYPE_ENUM_VALUES_NEW, Field, Metadata};
use polars_buffer::Buffer;
use polars_parquet::parquet::page::CompressedPage;
use polars_parquet::read::{
    BasicDecompressor, ColumnChunkMetadata, FileMetadata, PageReader, column_iter_to_arrays, infer_schema,
    read_metadata,
};

use super::array_read::{reading, values};
use super::column::Column;
use super::error::StoreError;
use super::guard::guarded;
use super::read::Stream;

/// A column as it stands in a file.
pub(super) struct FileColumn {
    pub name: String,
    /// Its values, or what it holds where that is nothing that can be read.
    pub column: Result<Column, String>,
    /// What its type or its metadata say of its unit.
    pub unit: Option<String>,
}

/// An open Parquet file.
pub(super) struct ParquetFile {
    file: Box<dyn Stream>,
    length: u64,
    metadata: FileMetadata,
    fields: Vec<Field>,
}

impl ParquetFile {
    /// Reads the footer of `path`.
    ///
    /// # Errors
    /// When it is no Parquet file, or its footer cannot be true.
    pub fn open(path: &Path, mut file: Box<dyn Stream>) -> Result<Self, StoreError> {
        let length = file.seek(SeekFrom::End(0)).map_err(|e| StoreError::io(path, e))?;
        let (metadata, fields) = guarded(path, || {
            let metadata = read_metadata(&mut file).map_err(|e| e.to_string())?;
            let schema = infer_schema(&metadata).map_err(|e| e.to_string())?;
            let fields: Vec<Field> = schema.iter_values().cloned().collect();
            Ok((metadata, fields))
        })?;
        let opened = Self { file, length, metadata, fields };
        opened.check().map_err(|what| StoreError::Damaged { path: path.to_owned(), what })?;
        Ok(opened)
    }

    /// What the footer says has to fit into the file.
    fn check(&self) -> Result<(), String> {
        let rows: Option<usize> =
            self.metadata.row_groups.iter().try_fold(0_usize, |sum, group| sum.checked_add(group.num_rows()));
        if rows != Some(self.metadata.num_rows) {
            return Err(format!(
                "its footer counts {} rows, and its row groups another number",
                self.metadata.num_rows
            ));
        }
        // The columns of a group without rows stand nowhere.
        for group in self.metadata.row_groups.iter().filter(|group| group.num_rows() > 0) {
            for chunk in group.parquet_columns() {
                let (start, size) = place(chunk);
                let inside = start.zip(size).is_some_and(|(start, size)| {
                    start >= 4 && start.checked_add(size).is_some_and(|end| end <= self.length.saturating_sub(8))
                });
                if !inside {
                    return Err("its footer names places that are not in the file".to_owned());
                }
            }
        }
        Ok(())
    }

    pub fn rows(&self) -> usize {
        self.metadata.num_rows
    }

    pub fn names(&self) -> Vec<String> {
        self.fields.iter().map(|f| f.name.to_string()).collect()
    }

    /// Key-value metadata, without what only concerns types.
    pub fn key_values(&self) -> Vec<(String, String)> {
        self.metadata
            .key_value_metadata()
            .iter()
            .flatten()
            .filter(|kv| kv.key != "ARROW:schema")
            .filter_map(|kv| kv.value.clone().map(|v| (kv.key.clone(), v)))
            .collect()
    }

    /// The column at `at`.
    ///
    /// # Errors
    /// When its pages are damaged, or it does not fit into memory.
    pub fn column(&mut self, path: &Path, at: usize) -> Result<FileColumn, StoreError> {
        let field = self.fields[at].clone();
        let name = field.name.to_string();
        let stated = field.metadata.as_ref().and_then(|m| {
            let of =
                |key: &str| m.iter().find(|(k, _)| k.as_str().eq_ignore_ascii_case(key)).map(|(_, v)| v.to_string());
            of("unit").or_else(|| of("units"))
        });
        let mut reading = match reading(field.dtype()) {
            Ok(reading) => reading,
            Err(what) => return Ok(FileColumn { name, column: Err(what.to_owned()), unit: None }),
        };
        let lists = |m: &Metadata| m.contains_key(DTYPE_ENUM_VALUES_NEW) || m.contains_key(DTYPE_ENUM_VALUES_LEGACY);
        if reading.few && field.metadata.as_deref().is_some_and(lists) {
            (reading.listed, reading.decoded) = (true, field.dtype().clone());
        }
        // Texts that are stored as a list of different ones are few; a file of ours has no other list.
        let mut chunks =
            self.metadata.row_groups.iter().filter_map(|g| g.columns_under_root_iter(&field.name)).flatten();
        reading.few |=
            reading.decoded == ArrowDataType::Utf8View && chunks.all(|c| c.dictionary_page_offset().is_some());
        let unit = stated.or_else(|| reading.unit.map(str::to_owned));
        let rows = self.rows();
        // A number that a file claims is not asked of the allocator in earnest: refused here, it ends no process.
        Vec::<u8>::new().try_reserve_exact(rows.saturating_mul(reading.width)).map_err(|_| StoreError::TooLarge {
            path: path.to_owned(),
            column: name.clone(),
            rows: rows as u64,
        })?;
        let mut arrays: Vec<Box<dyn Array>> = Vec::new();
        for group in 0..self.metadata.row_groups.len() {
            if self.metadata.row_groups[group].num_rows() == 0 {
                continue;
            }
            let chunk = {
                let group = &self.metadata.row_groups[group];
                let found: Vec<&ColumnChunkMetadata> =
                    group.columns_under_root_iter(&field.name).into_iter().flatten().collect();
                let [chunk] = found[..] else {
                    return Err(damaged(path, format!("column `{name}` is not in each of its row groups")));
                };
                if usize::try_from(chunk.num_values()) != Ok(group.num_rows()) {
                    return Err(damaged(path, format!("column `{name}` has another number of values than rows")));
                }
                chunk
            };
            let (Some(start), Some(size)) = place(chunk) else {
                return Err(damaged(path, format!("column `{name}` is nowhere in the file")));
            };
            let mut bytes = vec![0; size as usize];
            self.file
                .seek(SeekFrom::Start(start))
                .and_then(|_| self.file.read_exact(&mut bytes))
                .map_err(|e| StoreError::io(path, e))?;
            let mut wanted = Field::new(field.name.clone(), reading.decoded.clone(), field.is_nullable);
            wanted.metadata.clone_from(&field.metadata);
            let decoded = guarded(path, || {
                let bytes = Buffer::from(bytes);
                let pages = |bytes| PageReader::new(Cursor::new(bytes), chunk, Vec::new(), LARGEST_PAGE);
                counted(pages(bytes.clone()), rows)?;
                let pages = pages(bytes);
                let kind = &chunk.descriptor().descriptor.primitive_type;
                let (arrays, _) =
                    column_iter_to_arrays(vec![BasicDecompressor::new(pages, Vec::new())], vec![kind], wanted, None)
                        .map_err(|e| e.to_string())?;
                Ok(arrays)
            })?;
            arrays.extend(decoded);
        }
        let found: usize = arrays.iter().map(|a| a.len()).sum();
        if found != rows {
            return Err(damaged(path, format!("column `{name}` has {found} values for {rows} rows")));
        }
        let column = guarded(path, || values(&arrays, &reading))?;
        Ok(FileColumn { name, column: Ok(column), unit })
    }
}

/// Refuses pages that claim to hold more than the column has rows: room is made for what they claim.
fn counted(pages: PageReader, rows: usize) -> Result<(), String> {
    for page in pages {
        if let CompressedPage::Data(page) = page.map_err(|e| e.to_string())?
            && page.num_values() > rows
        {
            return Err(format!("a page claims {} values of {rows}", page.num_values()));
        }
    }
    Ok(())
}

/// No page is as large as this; the size of one is a signed number of 32 bits.
const LARGEST_PAGE: usize = 1 << 31;

fn damaged(path: &Path, what: String) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), what }
}

/// Where a column chunk begins and how long it is, if the footer says something possible.
fn place(chunk: &ColumnChunkMetadata) -> (Option<u64>, Option<u64>) {
    let first = match chunk.dictionary_page_offset() {
        Some(dictionary) if dictionary > 0 => dictionary.min(chunk.data_page_offset()),
        _ => chunk.data_page_offset(),
    };
    (u64::try_from(first).ok(), u64::try_from(chunk.compressed_size()).ok())
}
