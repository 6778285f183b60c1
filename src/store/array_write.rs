//! Tables → arrow arrays, as the Parquet writer takes them.

use polars_arrow::array::{Array, BooleanArray, DictionaryArray, PrimitiveArray, Utf8ViewArray};
use polars_arrow::datatypes::{ArrowDataType, ArrowSchema, Field, IntegerType};

use super::column::{Column, ColumnType, Table};

/// How a column is declared to readers. Text is text to them, whether it is stored row by row or as few different
/// values: columns of two runs are then of one type, and their tables can be read as one.
pub(super) fn data_type(kind: &ColumnType) -> ArrowDataType {
    match kind {
        ColumnType::F64 | ColumnType::OptF64 => ArrowDataType::Float64,
        ColumnType::U32 => ArrowDataType::UInt32,
        ColumnType::U64 | ColumnType::OptU64 => ArrowDataType::UInt64,
        ColumnType::Bool => ArrowDataType::Boolean,
        ColumnType::Text | ColumnType::Category(_) => ArrowDataType::LargeUtf8,
    }
}

/// Names and types of all columns.
pub(super) fn schema_of(columns: &[(String, ColumnType)]) -> ArrowSchema {
    columns
        .iter()
        .map(|(name, kind)| (name.as_str().into(), Field::new(name.as_str().into(), data_type(kind), true)))
        .collect()
}

/// The columns of `table` from row `from` to row `to`.
///
/// # Errors
/// When a code is outside its names.
pub(super) fn arrays(table: &Table, from: usize, to: usize) -> Result<Vec<Box<dyn Array>>, String> {
    table.columns.iter().map(|(name, column)| array(name, column, from, to)).collect()
}

fn array(name: &str, column: &Column, from: usize, to: usize) -> Result<Box<dyn Array>, String> {
    Ok(match column {
        Column::F64(v) => Box::new(PrimitiveArray::<f64>::from_slice(&v[from..to])),
        Column::OptF64(v) => Box::new(PrimitiveArray::<f64>::from(&v[from..to])),
        Column::U32(v) => Box::new(PrimitiveArray::<u32>::from_slice(&v[from..to])),
        Column::U64(v) => Box::new(PrimitiveArray::<u64>::from_slice(&v[from..to])),
        Column::OptU64(v) => Box::new(PrimitiveArray::<u64>::from(&v[from..to])),
        Column::Bool(v) => Box::new(BooleanArray::from_slice(&v[from..to])),
        Column::Text(v) => Box::new(Utf8ViewArray::from_slice_values(&v[from..to])),
        Column::Category { names, codes } => {
            let values = Utf8ViewArray::from_slice_values(names.as_ref());
            let kind = ArrowDataType::Dictionary(IntegerType::UInt32, Box::new(ArrowDataType::Utf8View), false);
            let keys = PrimitiveArray::<u32>::from_slice(&codes[from..to]);
            let array = DictionaryArray::try_new(kind, keys, Box::new(values));
            Box::new(array.map_err(|e| format!("column `{name}`: {e}"))?)
        }
    })
}
