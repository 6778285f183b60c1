//! Columns and tables in memory.

use std::ops::Range;
use std::sync::Arc;

use super::error::StoreError;

/// Values of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Floating-point numbers (NaN allowed).
    F64(Vec<f64>),
    /// Floating-point numbers that may be missing.
    OptF64(Vec<Option<f64>>),
    /// Unsigned 32-bit whole numbers.
    U32(Vec<u32>),
    /// Unsigned 64-bit whole numbers.
    U64(Vec<u64>),
    /// Unsigned 64-bit whole numbers that may be missing.
    OptU64(Vec<Option<u64>>),
    /// Yes or no.
    Bool(Vec<bool>),
    /// Text, each row its own.
    Text(Vec<String>),
    /// Text with few different values: names, and for each row which.
    Category {
        /// The different values.
        names: Arc<[String]>,
        /// Index into `names` of each row.
        codes: Vec<u32>,
    },
}

/// Type of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// [`Column::F64`].
    F64,
    /// [`Column::OptF64`].
    OptF64,
    /// [`Column::U32`].
    U32,
    /// [`Column::U64`].
    U64,
    /// [`Column::OptU64`].
    OptU64,
    /// [`Column::Bool`].
    Bool,
    /// [`Column::Text`].
    Text,
    /// [`Column::Category`] with these names.
    Category(Arc<[String]>),
}

impl Column {
    /// A category column of one value.
    pub fn same(name: &str, rows: usize) -> Self {
        Self::Category { names: Arc::from([name.to_owned()]), codes: vec![0; rows] }
    }

    /// A category column from texts, in order of first appearance.
    pub fn categories<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut index = std::collections::HashMap::new();
        let codes = texts
            .into_iter()
            .map(|text| {
                let text = text.as_ref();
                *index.entry(text.to_owned()).or_insert_with(|| {
                    names.push(text.to_owned());
                    names.len() as u32 - 1
                })
            })
            .collect();
        Self::Category { names: names.into(), codes }
    }

    /// Results, of which some may not be known: NaN is stored as missing.
    pub fn measured(values: Vec<f64>) -> Self {
        if values.iter().any(|v| v.is_nan()) {
            Self::OptF64(values.into_iter().map(|v| (!v.is_nan()).then_some(v)).collect())
        } else {
            Self::F64(values)
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::F64(v) => v.len(),
            Self::OptF64(v) => v.len(),
            Self::U32(v) => v.len(),
            Self::U64(v) => v.len(),
            Self::OptU64(v) => v.len(),
            Self::Bool(v) => v.len(),
            Self::Text(v) => v.len(),
            Self::Category { codes, .. } => codes.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same, of these rows.
    #[must_use]
    pub fn rows(&self, range: Range<usize>) -> Self {
        match self {
            Self::F64(v) => Self::F64(v[range].to_vec()),
            Self::OptF64(v) => Self::OptF64(v[range].to_vec()),
            Self::U32(v) => Self::U32(v[range].to_vec()),
            Self::U64(v) => Self::U64(v[range].to_vec()),
            Self::OptU64(v) => Self::OptU64(v[range].to_vec()),
            Self::Bool(v) => Self::Bool(v[range].to_vec()),
            Self::Text(v) => Self::Text(v[range].to_vec()),
            Self::Category { names, codes } => Self::Category { names: names.clone(), codes: codes[range].to_vec() },
        }
    }

    /// Its type.
    pub fn kind(&self) -> Kind {
        match self {
            Self::F64(_) => Kind::F64,
            Self::OptF64(_) => Kind::OptF64,
            Self::U32(_) => Kind::U32,
            Self::U64(_) => Kind::U64,
            Self::OptU64(_) => Kind::OptU64,
            Self::Bool(_) => Kind::Bool,
            Self::Text(_) => Kind::Text,
            Self::Category { names, .. } => Kind::Category(names.clone()),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::F64(_) | Self::OptF64(_) => "numbers".into(),
            Self::U32(_) | Self::U64(_) | Self::OptU64(_) => "whole numbers".into(),
            Self::Bool(_) => "true or false".into(),
            Self::Text(_) | Self::Category { .. } => "text".into(),
        }
    }
}

/// Named columns of one length, with metadata for the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Columns in order.
    pub columns: Vec<(String, Column)>,
    /// Key-value metadata (Parquet only).
    pub metadata: Vec<(String, String)>,
}

impl Table {
    /// An empty table without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more column.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, column: Column) -> Self {
        self.columns.push((name.into(), column));
        self
    }

    /// The same with one more metadata entry.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.push((key.into(), value.into()));
        self
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |c| c.1.len())
    }

    /// Names and types, in order.
    pub fn schema(&self) -> Vec<(String, Kind)> {
        self.columns.iter().map(|(n, c)| (n.clone(), c.kind())).collect()
    }

    /// A column by name, if there is one.
    pub fn get(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.0 == name).map(|c| &c.1)
    }

    /// A column by name.
    ///
    /// # Errors
    /// When there is none; the error lists those that are there.
    pub fn column(&self, name: &str) -> Result<&Column, StoreError> {
        self.get(name).ok_or_else(|| StoreError::NoColumn {
            path: std::path::PathBuf::new(),
            column: name.to_owned(),
            present: self.columns.iter().map(|c| c.0.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// A column as numbers; missing values are NaN. Whole numbers and number-like text convert.
    ///
    /// # Errors
    /// When it is missing or holds something else.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, StoreError> {
        Ok(self.optional_numbers(name)?.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect())
    }

    /// A column as numbers that may be missing (NaN stays NaN).
    ///
    /// # Errors
    /// When it is missing or holds something else.
    pub fn optional_numbers(&self, name: &str) -> Result<Vec<Option<f64>>, StoreError> {
        let column = self.column(name)?;
        Ok(match column {
            Column::F64(v) => v.iter().map(|&x| Some(x)).collect(),
            Column::OptF64(v) => v.clone(),
            Column::U32(v) => v.iter().map(|&x| Some(f64::from(x))).collect(),
            Column::U64(v) => v.iter().map(|&x| Some(x as f64)).collect(),
            Column::OptU64(v) => v.iter().map(|x| x.map(|x| x as f64)).collect(),
            Column::Text(v) => v
                .iter()
                .map(|t| parse_number(t))
                .collect::<Option<_>>()
                .ok_or_else(|| wrong(name, column, "numbers"))?,
            Column::Category { names, codes } => {
                let parsed: Vec<Option<f64>> = names
                    .iter()
                    .map(|t| parse_number(t))
                    .collect::<Option<_>>()
                    .ok_or_else(|| wrong(name, column, "numbers"))?;
                codes.iter().map(|&c| parsed[c as usize]).collect()
            }
            Column::Bool(_) => return Err(wrong(name, column, "numbers")),
        })
    }

    /// A column as whole numbers that may be missing.
    ///
    /// # Errors
    /// When it is missing, holds something else, or a value is negative or has a fraction.
    pub fn optional_whole_numbers(&self, name: &str) -> Result<Vec<Option<u64>>, StoreError> {
        let column = self.column(name)?;
        match column {
            Column::U64(v) => Ok(v.iter().map(|&x| Some(x)).collect()),
            Column::OptU64(v) => Ok(v.clone()),
            Column::U32(v) => Ok(v.iter().map(|&x| Some(u64::from(x))).collect()),
            _ => self
                .optional_numbers(name)?
                .into_iter()
                .map(|v| match v {
                    None => Ok(None),
                    Some(x) if x >= 0.0 && x.fract() == 0.0 => Ok(Some(x as u64)),
                    Some(_) => Err(wrong(name, column, "whole numbers from zero")),
                })
                .collect(),
        }
    }

    /// A column as unit numbers.
    ///
    /// # Errors
    /// When it is missing, holds something else, or a value is missing, negative, has a fraction or is too large.
    pub fn unit_numbers(&self, name: &str) -> Result<Vec<u32>, StoreError> {
        let column = self.column(name)?;
        if let Column::U32(v) = column {
            return Ok(v.clone());
        }
        self.optional_whole_numbers(name)?
            .into_iter()
            .map(|v| v.and_then(|x| u32::try_from(x).ok()).ok_or_else(|| wrong(name, column, "unit numbers")))
            .collect()
    }

    /// A column as text; missing values are empty.
    ///
    /// # Errors
    /// When it is missing.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, StoreError> {
        Ok(match self.column(name)? {
            Column::Text(v) => v.clone(),
            Column::Category { names, codes } => codes.iter().map(|&c| names[c as usize].clone()).collect(),
            Column::Bool(v) => v.iter().map(ToString::to_string).collect(),
            Column::F64(v) => v.iter().map(ToString::to_string).collect(),
            Column::OptF64(v) => v.iter().map(|x| x.map_or_else(String::new, |x| x.to_string())).collect(),
            Column::U32(v) => v.iter().map(ToString::to_string).collect(),
            Column::U64(v) => v.iter().map(ToString::to_string).collect(),
            Column::OptU64(v) => v.iter().map(|x| x.map_or_else(String::new, |x| x.to_string())).collect(),
        })
    }

    /// A column as few different texts: the names, and which of them each row is.
    ///
    /// # Errors
    /// When it is missing.
    pub fn categories(&self, name: &str) -> Result<(Arc<[String]>, Vec<u32>), StoreError> {
        if let Column::Category { names, codes } = self.column(name)? {
            return Ok((names.clone(), codes.clone()));
        }
        match Column::categories(self.texts(name)?) {
            Column::Category { names, codes } => Ok((names, codes)),
            other => Err(wrong(name, &other, "text")),
        }
    }
}

fn wrong(name: &str, column: &Column, wanted: &'static str) -> StoreError {
    StoreError::WrongKind { column: name.to_owned(), found: column.describe(), wanted }
}

/// `Some(None)` for an empty text, `None` for one that is no number.
fn parse_number(text: &str) -> Option<Option<f64>> {
    let text = text.trim();
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}
