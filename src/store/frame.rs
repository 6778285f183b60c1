//! Tables → polars frames.

use polars::prelude::{
    Categorical8Type, Categorical16Type, Categorical32Type, CategoricalChunked, Column as PolarsColumn, DataFrame,
    DataType, FrozenCategories, IntoColumn, IntoSeries, NamedFrom, PolarsError, Schema, Series, UInt8Chunked,
    UInt16Chunked, UInt32Chunked,
};

use super::column::{Column, Kind, Table};

/// The polars type of a column.
fn data_type(kind: &Kind) -> Result<DataType, PolarsError> {
    Ok(match kind {
        Kind::F64 | Kind::OptF64 => DataType::Float64,
        Kind::U32 => DataType::UInt32,
        Kind::U64 | Kind::OptU64 => DataType::UInt64,
        Kind::Bool => DataType::Boolean,
        Kind::Text => DataType::String,
        Kind::Category(names) => {
            DataType::from_frozen_categories(FrozenCategories::new(names.iter().map(String::as_str))?)
        }
    })
}

/// Types of all columns, with one set of categories that every batch of a file shares.
pub(super) fn schema_of(columns: &[(String, Kind)]) -> Result<Schema, PolarsError> {
    let mut schema = Schema::default();
    for (name, kind) in columns {
        schema.insert(name.as_str().into(), data_type(kind)?);
    }
    Ok(schema)
}

/// A frame over the values of `table` from row `from` to row `to`, in the types of `schema`.
pub(super) fn to_frame(table: &Table, schema: &Schema, from: usize, to: usize) -> Result<DataFrame, PolarsError> {
    let mut columns: Vec<PolarsColumn> = Vec::with_capacity(table.columns.len());
    for (name, column) in &table.columns {
        let label = name.as_str().into();
        let series: Series = match column {
            Column::F64(v) => Series::new(label, &v[from..to]),
            Column::OptF64(v) => Series::new(label, &v[from..to]),
            Column::U32(v) => Series::new(label, &v[from..to]),
            Column::U64(v) => Series::new(label, &v[from..to]),
            Column::OptU64(v) => Series::new(label, &v[from..to]),
            Column::Bool(v) => Series::new(label, &v[from..to]),
            Column::Text(v) => Series::new(label, &v[from..to]),
            Column::Category { codes, .. } => {
                let dtype = schema.get(name).cloned().unwrap_or(DataType::Null);
                let codes = &codes[from..to];
                match dtype.cat_physical()? {
                    polars::prelude::CategoricalPhysical::U8 => {
                        let narrow: Vec<u8> = codes.iter().map(|&c| c as u8).collect();
                        CategoricalChunked::<Categorical8Type>::from_cats_and_dtype(
                            UInt8Chunked::from_vec(label, narrow),
                            dtype,
                        )
                        .into_series()
                    }
                    polars::prelude::CategoricalPhysical::U16 => {
                        let narrow: Vec<u16> = codes.iter().map(|&c| c as u16).collect();
                        CategoricalChunked::<Categorical16Type>::from_cats_and_dtype(
                            UInt16Chunked::from_vec(label, narrow),
                            dtype,
                        )
                        .into_series()
                    }
                    polars::prelude::CategoricalPhysical::U32 => {
                        CategoricalChunked::<Categorical32Type>::from_cats_and_dtype(
                            UInt32Chunked::from_vec(label, codes.to_vec()),
                            dtype,
                        )
                        .into_series()
                    }
                }
            }
        };
        columns.push(series.into_column());
    }
    DataFrame::new(to - from, columns)
}
