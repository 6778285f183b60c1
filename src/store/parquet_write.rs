//! Parquet files, written row group by row group.

use std::io::Write;

use polars_parquet::parquet::error::ParquetError;
use polars_parquet::write::{
    CompressionOptions, Compressor, DynIter, DynStreamingIterator, Encoding, FallibleStreamingIterator, FileWriter,
    KeyValue, ParquetType, StatisticsOptions, Version, WriteOptions, ZstdLevel, array_to_columns,
    schema_to_metadata_key,
};

use super::array_write::{arrays, data_type, schema_of};
use super::column::{ColumnType, Table};

/// Rows of one row group: large enough to compress well, small enough that a reader can skip.
const ROW_GROUP: usize = 262_144;

/// An open Parquet file.
pub(super) struct ParquetWriter<W: Write> {
    file: FileWriter<W>,
    /// How each column is stored.
    columns: Vec<(ParquetType, Encoding)>,
    options: WriteOptions,
    metadata: Vec<KeyValue>,
}

impl<W: Write> ParquetWriter<W> {
    /// Begins a file of these columns.
    ///
    /// # Errors
    /// When `output` cannot be written to.
    pub fn new(output: W, columns: &[(String, ColumnType)], metadata: &[(String, String)]) -> Result<Self, String> {
        let level = ZstdLevel::try_new(1).map_err(|e| e.to_string())?;
        let options = WriteOptions {
            statistics: StatisticsOptions::full(),
            version: Version::V1,
            compression: CompressionOptions::Zstd(Some(level)),
            data_page_size: None,
        };
        let schema = schema_of(columns);
        // The types of the columns themselves, for readers that know arrow, and what the caller wants to be kept.
        let metadata = std::iter::once(schema_to_metadata_key(&schema))
            .chain(metadata.iter().map(|(key, value)| KeyValue { key: key.clone(), value: Some(value.clone()) }))
            .collect();
        let file = FileWriter::try_new(output, schema, options).map_err(|e| e.to_string())?;
        let types = file.parquet_schema().fields().iter().cloned();
        let columns = types.zip(columns.iter().map(|(_, kind)| encoding(kind))).collect();
        Ok(Self { file, columns, options, metadata })
    }

    /// Adds the rows of `table`, whose columns are those that the file began with.
    ///
    /// # Errors
    /// When a column is of another type, or the disk is full.
    pub fn write(&mut self, table: &Table) -> Result<(), String> {
        for ((name, column), (_, declared)) in table.columns.iter().zip(self.file.schema().iter()) {
            if data_type(&column.kind()) != declared.dtype {
                return Err(format!("column `{name}` is of another type than in the batch before"));
            }
        }
        for from in (0..table.rows()).step_by(ROW_GROUP) {
            let to = (from + ROW_GROUP).min(table.rows());
            let mut columns = Vec::with_capacity(self.columns.len());
            for (array, (kind, encoding)) in arrays(table, from, to)?.iter().zip(&self.columns) {
                let mut leaves =
                    array_to_columns(array, kind.clone(), self.options, &[*encoding]).map_err(|e| e.to_string())?;
                let pages = leaves.pop().expect("a column that is not nested has one leaf");
                let pages = pages.map(|page| page.map_err(|e| ParquetError::FeatureNotSupported(e.to_string())));
                let pages = Compressor::new(pages, self.options.compression, Vec::new());
                columns.push(Ok(DynStreamingIterator::new(pages.map_err(Into::into))));
            }
            self.file.write((to - from) as u64, DynIter::new(columns.into_iter())).map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// Writes the footer.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn finish(&mut self) -> Result<(), String> {
        self.file.end(Some(std::mem::take(&mut self.metadata))).map(|_| ()).map_err(|e| e.to_string())
    }
}

/// Few different texts are a list of them and for each row its place there, as are numbers of which many are equal (the
/// encoder looks). A text for each row is written as it is: a dictionary says to the reader that there are few.
fn encoding(kind: &ColumnType) -> Encoding {
    match kind {
        ColumnType::Category(_) => Encoding::RleDictionary,
        ColumnType::Text | ColumnType::Bool => Encoding::Plain,
        ColumnType::F64 | ColumnType::OptF64 | ColumnType::U32 | ColumnType::U64 | ColumnType::OptU64 => {
            Encoding::RleDictionary
        }
    }
}
