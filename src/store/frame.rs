//! Tables → polars frames.

use polars::prelude::{
    Categorical32Type, CategoricalChunked, CategoricalPhysical, Categories, Column as PolarsColumn, DataFrame,
    DataType, IntoColumn, IntoSeries, NamedFrom, PolarsError, Schema, Series, UInt32Chunked,
};

use super::column::{Column, ColumnType, Table};

/// The polars type of a column. Categories are those of its name, whatever the file, so that columns of two runs are of
/// one type and their tables can be read as one.
fn data_type(name: &str, kind: &ColumnType) -> Result<DataType, PolarsError> {
    Ok(match kind {
        ColumnType::F64 | ColumnType::OptF64 => DataType::Float64,
        ColumnType::U32 => DataType::UInt32,
        ColumnType::U64 | ColumnType::OptU64 => DataType::UInt64,
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Text => DataType::String,
        ColumnType::Category(names) => {
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
pub(super) fn schema_of(columns: &[(String, ColumnType)]) -> Result<Schema, PolarsError> {
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
        assert_eq!((one.height(), one.schema()), (5, other.schema()));
    }
}
