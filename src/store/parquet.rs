//! Parquet files: footer and columns, read with the care that files from elsewhere need.
//!
//! Only the columns that are asked for are read. What the footer claims is held against the size of the file before
//! anything is allocated for it, and a panic of the table engine becomes a refusal with the name of the file.

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use polars_arrow::array::{Array, BooleanArray, DictionaryArray, DictionaryKey, PrimitiveArray, Utf8ViewArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::{
    ArrowDataType, DTYPE_ENUM_VALUES_LEGACY, DTYPE_ENUM_VALUES_NEW, Field, IntegerType, Metadata, TimeUnit,
};
use polars_arrow::types::NativeType;
use polars_buffer::Buffer;
use polars_parquet::parquet::page::CompressedPage;
use polars_parquet::read::{
    BasicDecompressor, ColumnChunkMetadata, FileMetadata, PageReader, column_iter_to_arrays, infer_schema,
    read_metadata,
};

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
        for group in &self.metadata.row_groups {
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

/// How a type is read.
struct Reading {
    /// What the engine decodes it to.
    decoded: ArrowDataType,
    /// A unit that the type states.
    unit: Option<&'static str>,
    /// Digits behind the point, of whole numbers that stand for decimals.
    digits: usize,
    /// Whether texts are few different ones.
    few: bool,
    /// Whether the file lists the different texts in an order of its own, as files of ours do.
    listed: bool,
    /// Bytes of a value in memory.
    width: usize,
}

/// How a type is read, or what it is in words where it is not.
fn reading(dtype: &ArrowDataType) -> Result<Reading, &'static str> {
    use ArrowDataType as T;
    let plain = |decoded: T, width| Reading { decoded, unit: None, digits: 0, few: false, listed: false, width };
    Ok(match dtype {
        T::Null
        | T::Boolean
        | T::Int8
        | T::Int16
        | T::Int32
        | T::Int64
        | T::UInt8
        | T::UInt16
        | T::UInt32
        | T::UInt64
        | T::Float16
        | T::Float32
        | T::Float64 => plain(dtype.clone(), 16),
        T::Decimal(_, digits) | T::Decimal32(_, digits) | T::Decimal64(_, digits) => {
            Reading { digits: *digits, ..plain(T::Decimal(38, *digits), 32) }
        }
        T::Duration(unit) => Reading {
            unit: Some(match unit {
                TimeUnit::Second => "s",
                TimeUnit::Millisecond => "ms",
                TimeUnit::Microsecond => "us",
                TimeUnit::Nanosecond => "ns",
            }),
            ..plain(dtype.clone(), 16)
        },
        T::Utf8 | T::LargeUtf8 | T::Utf8View => plain(T::Utf8View, 24),
        T::Dictionary(_, inner, _) if matches!(inner.as_ref(), T::Utf8 | T::LargeUtf8 | T::Utf8View) => {
            Reading { few: true, ..plain(T::Utf8View, 24) }
        }
        T::Timestamp(..) | T::Date32 | T::Date64 => return Err("dates"),
        T::Time32(_) | T::Time64(_) => return Err("times of day"),
        T::List(_) | T::LargeList(_) | T::FixedSizeList(..) => return Err("lists"),
        T::Struct(_) => return Err("structs"),
        T::Map(..) => return Err("maps"),
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => return Err("bytes"),
        T::Decimal256(..) | T::Int128 | T::UInt128 => return Err("numbers of more than 64 bits"),
        T::Interval(_) => return Err("calendar intervals"),
        _ => return Err("values of a type that is not known here"),
    })
}

/// The values of the arrays of one column.
fn values(arrays: &[Box<dyn Array>], reading: &Reading) -> Result<Column, String> {
    use ArrowDataType as T;
    match &reading.decoded {
        T::Null => Ok(Column::OptF64(vec![None; arrays.iter().map(|a| a.len()).sum()])),
        T::Boolean => booleans(arrays),
        T::Int8 => whole::<i8>(arrays),
        T::Int16 => whole::<i16>(arrays),
        T::Int32 => whole::<i32>(arrays),
        T::Int64 | T::Duration(_) => whole::<i64>(arrays),
        T::UInt8 => narrow::<u8>(arrays),
        T::UInt16 => narrow::<u16>(arrays),
        T::UInt32 => narrow::<u32>(arrays),
        T::UInt64 => {
            let (values, missing) = natives::<u64>(arrays)?;
            Ok(match missing {
                None => Column::U64(values),
                Some(missing) => Column::OptU64(masked(values, &missing)),
            })
        }
        T::Float16 => {
            let (values, missing) = natives::<polars_utils::float16::pf16>(arrays)?;
            Ok(floats(values.into_iter().map(|v| f64::from(f32::from(v))).collect(), missing))
        }
        T::Float32 => {
            let (values, missing) = natives::<f32>(arrays)?;
            Ok(floats(values.into_iter().map(f64::from).collect(), missing))
        }
        T::Float64 => {
            let (values, missing) = natives::<f64>(arrays)?;
            Ok(floats(values, missing))
        }
        T::Decimal(..) => {
            let (values, missing) = natives::<i128>(arrays)?;
            let digits = i32::try_from(reading.digits).map_err(|e| e.to_string())?;
            // A whole number by a power of ten is rounded once.
            let one = 10_f64.powi(digits);
            Ok(floats(values.into_iter().map(|v| v as f64 / one).collect(), missing))
        }
        T::Utf8View => texts(arrays, reading.few),
        T::Dictionary(key, ..) if reading.listed => match key {
            IntegerType::UInt8 => listed::<u8>(arrays),
            IntegerType::UInt16 => listed::<u16>(arrays),
            IntegerType::UInt32 => listed::<u32>(arrays),
            _ => Err("its categories are numbered in a way that is not read".into()),
        },
        _ => Err("its type is not read".into()),
    }
}

/// Values of all arrays, and which of them are missing if any is.
type Values<T> = (Vec<T>, Option<Vec<bool>>);

fn natives<T: NativeType>(arrays: &[Box<dyn Array>]) -> Result<Values<T>, String> {
    let mut values = Vec::with_capacity(arrays.iter().map(|a| a.len()).sum());
    for array in arrays {
        let array = array.as_any().downcast_ref::<PrimitiveArray<T>>().ok_or("its pages are of another type")?;
        values.extend_from_slice(array.values().as_slice());
    }
    Ok((values, missing(arrays)))
}

/// Which values are missing; none if none are.
fn missing(arrays: &[Box<dyn Array>]) -> Option<Vec<bool>> {
    arrays.iter().any(|a| a.null_count() > 0).then(|| {
        let mut missing = Vec::new();
        for array in arrays {
            match array.validity() {
                None => missing.resize(missing.len() + array.len(), false),
                Some(valid) => missing.extend(Bitmap::iter(valid).map(|valid| !valid)),
            }
        }
        missing
    })
}

fn masked<T>(values: Vec<T>, missing: &[bool]) -> Vec<Option<T>> {
    values.into_iter().zip(missing).map(|(v, missing)| (!missing).then_some(v)).collect()
}

fn floats(values: Vec<f64>, missing: Option<Vec<bool>>) -> Column {
    match missing {
        None => Column::F64(values),
        Some(missing) => Column::OptF64(masked(values, &missing)),
    }
}

fn whole<T: NativeType + Into<i64>>(arrays: &[Box<dyn Array>]) -> Result<Column, String> {
    let (values, missing) = natives::<T>(arrays)?;
    let values: Vec<i64> = values.into_iter().map(Into::into).collect();
    let there = |k: usize| missing.as_ref().is_none_or(|m| !m[k]);
    if values.iter().enumerate().any(|(k, v)| *v < 0 && there(k)) {
        return Ok(floats(values.into_iter().map(|v| v as f64).collect(), missing));
    }
    let values: Vec<u64> = values.into_iter().map(|v| v as u64).collect();
    Ok(match missing {
        None => Column::U64(values),
        Some(missing) => Column::OptU64(masked(values, &missing)),
    })
}

fn narrow<T: NativeType + Into<u32>>(arrays: &[Box<dyn Array>]) -> Result<Column, String> {
    let (values, missing) = natives::<T>(arrays)?;
    Ok(match missing {
        None => Column::U32(values.into_iter().map(Into::into).collect()),
        Some(missing) => Column::OptU64(masked(values.into_iter().map(|v| u64::from(v.into())).collect(), &missing)),
    })
}

fn booleans(arrays: &[Box<dyn Array>]) -> Result<Column, String> {
    let mut values = Vec::new();
    for array in arrays {
        let array = array.as_any().downcast_ref::<BooleanArray>().ok_or("its pages are of another type")?;
        values.extend(array.values_iter());
    }
    Ok(match missing(arrays) {
        None => Column::Bool(values),
        Some(missing) => Column::OptU64(masked(values.into_iter().map(u64::from).collect(), &missing)),
    })
}

/// Texts; missing ones are empty.
fn texts(arrays: &[Box<dyn Array>], few: bool) -> Result<Column, String> {
    let mut all: Vec<&Utf8ViewArray> = Vec::with_capacity(arrays.len());
    for array in arrays {
        all.push(array.as_any().downcast_ref().ok_or("its pages are of another type")?);
    }
    let values = all.iter().flat_map(|a| a.iter()).map(Option::unwrap_or_default);
    Ok(if few { Column::categories(values) } else { Column::Text(values.map(str::to_owned).collect()) })
}

/// Texts by their place in the list of the file.
fn listed<K: DictionaryKey + Into<u32>>(arrays: &[Box<dyn Array>]) -> Result<Column, String> {
    let mut names: Vec<String> = Vec::new();
    let mut codes = Vec::with_capacity(arrays.iter().map(|a| a.len()).sum());
    let mut gap = None;
    for array in arrays {
        let array = array.as_any().downcast_ref::<DictionaryArray<K>>().ok_or("its pages are of another type")?;
        let values = array.values().as_any().downcast_ref::<Utf8ViewArray>().ok_or("its categories are no text")?;
        let own: Vec<&str> = values.iter().map(Option::unwrap_or_default).collect();
        if names.is_empty() {
            names = own.iter().map(ToString::to_string).collect();
        } else if own != names {
            return Err("its categories change from one row group to the next".into());
        }
        for key in array.keys() {
            let code = match key {
                Some(key) => (*key).into(),
                None => *gap.get_or_insert(u32::MAX),
            };
            if code as usize >= names.len() && code != u32::MAX {
                return Err("a row has a category that is not listed".into());
            }
            codes.push(code);
        }
    }
    if gap.is_some() {
        let missing = names.len() as u32;
        names.push(String::new());
        codes.iter_mut().filter(|c| **c == u32::MAX).for_each(|c| *c = missing);
    }
    Ok(Column::Category { names: names.into(), codes })
}
