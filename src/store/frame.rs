//! Tables ↔ polars frames.

use std::sync::Arc;

use polars::prelude::{
    BooleanChunked, Categorical32Type, CategoricalChunked, CategoricalPhysical, Categories, ChunkedArray,
    Column as PolarsColumn, DataFrame, DataType, IntoColumn, IntoSeries, NamedFrom, PolarsError, Schema, Series,
    UInt32Chunked,
};

use super::column::{Column, Kind, Table};

/// The polars type of a column. Categories are those of its name, whatever the file, so that columns of two runs are of
/// one type and their tables can be read as one.
fn data_type(name: &str, kind: &Kind) -> Result<DataType, PolarsError> {
    Ok(match kind {
        Kind::F64 | Kind::OptF64 => DataType::Float64,
        Kind::U32 => DataType::UInt32,
        Kind::U64 | Kind::OptU64 => DataType::UInt64,
        Kind::Bool => DataType::Boolean,
        Kind::Text => DataType::String,
        Kind::Category(names) => {
            let categories = Categories::new(name.into(), "spikedeck".into(), CategoricalPhysical::U32);
            let mapping = categories.mapping();
            for category in names.iter() {
                mapping.insert_cat(category)?;
            }
            DataType::from_categories(categories)
        }
    })
}

/// Types of all columns, with one set of categories that every batch of a file shares.
pub(super) fn schema_of(columns: &[(String, Kind)]) -> Result<Schema, PolarsError> {
    let mut schema = Schema::default();
    for (name, kind) in columns {
        schema.insert(name.as_str().into(), data_type(name, kind)?);
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
            Column::Category { names, codes } => {
                let dtype = schema.get(name).cloned().unwrap_or(DataType::Null);
                let mapping = dtype.cat_mapping()?;
                let shared: Vec<u32> = names.iter().map(|n| mapping.insert_cat(n)).collect::<Result<_, _>>()?;
                let codes = codes[from..to].iter().map(|&c| shared[c as usize]).collect();
                CategoricalChunked::<Categorical32Type>::from_cats_and_dtype(
                    UInt32Chunked::from_vec(label, codes),
                    dtype,
                )
                .into_series()
            }
        };
        columns.push(series.into_column());
    }
    DataFrame::new(to - from, columns)
}

/// The table of a frame.
pub(super) fn from_frame(frame: &DataFrame) -> Result<Table, PolarsError> {
    let mut table = Table::new();
    for column in frame.columns() {
        let series = column.as_materialized_series();
        table.columns.push((series.name().to_string(), from_series(series)?));
    }
    Ok(table)
}

fn from_series(series: &Series) -> Result<Column, PolarsError> {
    let missing = series.null_count() > 0;
    Ok(match series.dtype() {
        DataType::Float64 | DataType::Float32 => {
            let wide = series.cast(&DataType::Float64)?;
            let values = wide.f64()?;
            if missing { Column::OptF64(values.iter().collect()) } else { Column::F64(all(values)) }
        }
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 if !missing => {
            let wide = series.cast(&DataType::UInt32)?;
            Column::U32(all(wide.u32()?))
        }
        DataType::UInt64 if !missing => Column::U64(all(series.u64()?)),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
            let wide = series.cast(&DataType::UInt64)?;
            Column::OptU64(wide.u64()?.iter().collect())
        }
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            let wide = series.cast(&DataType::Int64)?;
            let values = wide.i64()?;
            let negative = values.iter().flatten().any(|v| v < 0);
            match (missing, negative) {
                (false, false) => Column::U64(values.iter().flatten().map(|v| v as u64).collect()),
                (true, false) => Column::OptU64(values.iter().map(|v| v.map(|v| v as u64)).collect()),
                (false, true) => Column::F64(values.iter().flatten().map(|v| v as f64).collect()),
                (true, true) => Column::OptF64(values.iter().map(|v| v.map(|v| v as f64)).collect()),
            }
        }
        DataType::Boolean => {
            let values: &BooleanChunked = series.bool()?;
            if missing {
                Column::OptU64(values.iter().map(|v| v.map(u64::from)).collect())
            } else {
                Column::Bool(values.iter().flatten().collect())
            }
        }
        DataType::Enum(_, mapping) | DataType::Categorical(_, mapping) => {
            // Codes may be sparse in a mapping shared with other columns: renumber by first appearance of the mapping.
            let physical = series.to_physical_repr().cast(&DataType::UInt32)?;
            let codes = physical.u32()?;
            let highest = codes.iter().flatten().max().map_or(0, |m| m + 1).max(mapping.num_cats_upper_bound() as u32);
            let mut names: Vec<String> = (0..highest).map(|c| mapping.cat_to_str(c).unwrap_or("").to_owned()).collect();
            if missing {
                names.push(String::new());
            }
            let codes = codes.iter().map(|c| c.unwrap_or(highest)).collect();
            Column::Category { names: Arc::from(names), codes }
        }
        DataType::Null => Column::OptF64(vec![None; series.len()]),
        DataType::String => Column::Text(series.str()?.iter().map(|t| t.unwrap_or("").to_owned()).collect()),
        other => {
            return Err(PolarsError::SchemaMismatch(
                format!(
                    "column `{}` has the type {other}, which is neither numbers, text nor true/false",
                    series.name()
                )
                .into(),
            ));
        }
    })
}

/// All values of a column without gaps.
fn all<T>(values: &ChunkedArray<T>) -> Vec<T::Native>
where
    T: polars::prelude::PolarsNumericType,
{
    let mut out = Vec::with_capacity(values.len());
    for chunk in values.downcast_iter() {
        out.extend_from_slice(chunk.values().as_slice());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text columns of two files are of one type, so that those who read both have one table.
    #[test]
    fn categories_of_two_files_are_of_one_type() {
        let frame = |texts: &[&str]| {
            let table = Table::new().with("scenario", Column::categories(texts.iter().copied()));
            let kinds: Vec<_> = table.columns.iter().map(|(name, column)| (name.clone(), column.kind())).collect();
            to_frame(&table, &schema_of(&kinds).unwrap(), 0, texts.len()).unwrap()
        };
        let (mut one, other) = (frame(&["a", "b", "a"]), frame(&["c", "a"]));
        one.vstack_mut(&other).unwrap();
        let Column::Category { names, codes } = from_frame(&one).unwrap().columns.remove(0).1 else { panic!() };
        assert_eq!(codes.iter().map(|&c| names[c as usize].as_str()).collect::<Vec<_>>(), ["a", "b", "a", "c", "a"]);
    }
}
