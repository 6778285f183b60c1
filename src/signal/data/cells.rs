//! A file as it is: columns of cells.

use std::collections::HashMap;

use super::super::column::Categories;

/// The cells of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Numbers; not a number where a cell is missing.
    Numbers(Vec<f64>),
    /// Whole numbers; 0 where a cell is missing.
    Whole(Vec<i64>),
    /// Text; empty where a cell is missing.
    Texts(Categories),
    /// Nothing that can be read here: what it is, in words (`lists`, `dates`).
    Unreadable(String),
    /// Left in the file, because nobody asked for it.
    Unread,
}

impl Cells {
    /// Whether they are of a type that can be read here.
    pub(super) fn are_readable(&self) -> bool {
        !matches!(self, Self::Unreadable(_))
    }
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileData {
    /// Its name, as it stands there.
    pub name: String,
    /// Its cells.
    pub cells: Cells,
    /// Rows, from 0, whose cell is missing, ascending.
    pub missing: Vec<usize>,
    /// What the type or the metadata of the column says of its unit.
    pub unit: Option<String>,
}

impl FileData {
    /// A column without missing cells and without a unit of its own.
    pub fn new(name: impl Into<String>, cells: Cells) -> Self {
        Self { name: name.into(), cells, missing: Vec::new(), unit: None }
    }

    /// A column of numbers without gaps.
    pub fn numbers(name: impl Into<String>, values: Vec<f64>) -> Self {
        Self::new(name, Cells::Numbers(values))
    }

    /// A column of texts; empty ones are missing.
    pub fn texts<S: AsRef<str>>(name: impl Into<String>, texts: impl IntoIterator<Item = S>) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut known: HashMap<String, u32> = HashMap::new();
        let (mut codes, mut missing) = (Vec::new(), Vec::new());
        for (row, text) in texts.into_iter().enumerate() {
            let text = text.as_ref();
            if text.is_empty() {
                missing.push(row);
            }
            let code = known.get(text).copied().unwrap_or_else(|| {
                names.push(text.to_owned());
                known.insert(text.to_owned(), names.len() as u32 - 1);
                names.len() as u32 - 1
            });
            codes.push(code);
        }
        Self { missing, ..Self::new(name, Cells::Texts(Categories { names, codes })) }
    }
}

impl FileData {
    /// Its numbers, not a number where a cell is missing; none where it holds something else.
    pub(super) fn as_numbers(&self) -> Option<Vec<f64>> {
        let mut values = match &self.cells {
            Cells::Numbers(values) => values.clone(),
            Cells::Whole(values) => values.iter().map(|v| *v as f64).collect(),
            Cells::Texts(_) | Cells::Unreadable(_) | Cells::Unread => return None,
        };
        for &row in &self.missing {
            values[row] = f64::NAN;
        }
        Some(values)
    }

    /// Its cells in words, empty where one is missing; none where they are not read.
    pub(super) fn as_texts(&self) -> Option<Vec<String>> {
        let mut texts: Vec<String> = match &self.cells {
            Cells::Numbers(values) => values.iter().map(ToString::to_string).collect(),
            Cells::Whole(values) => values.iter().map(ToString::to_string).collect(),
            Cells::Texts(texts) => (0..texts.codes.len()).map(|row| texts.text(row).trim().to_owned()).collect(),
            Cells::Unreadable(_) | Cells::Unread => return None,
        };
        for &row in &self.missing {
            texts[row].clear();
        }
        Some(texts)
    }

    /// The same column of the rows that are `kept`: all others stand in their places, as nothing that could be wrong.
    pub(super) fn only(&self, kept: &[bool]) -> Self {
        fn filled<T: Copy>(values: &[T], kept: &[bool], other: T) -> Vec<T> {
            values.iter().zip(kept).map(|(v, k)| if *k { *v } else { other }).collect()
        }
        let missing = self.missing.iter().copied().filter(|&row| kept[row]).collect();
        let cells = match &self.cells {
            Cells::Numbers(values) => Cells::Numbers(filled(values, kept, 0.0)),
            Cells::Whole(values) => Cells::Whole(filled(values, kept, 0)),
            Cells::Texts(texts) => {
                let own = |row: usize| self.missing.binary_search(&row).is_err() && kept[row];
                let other = (0..texts.codes.len()).find(|&row| own(row)).or_else(|| kept.iter().position(|k| *k));
                let text = |row: usize| if kept[row] { row } else { other.unwrap_or(row) };
                let all = (0..texts.codes.len()).map(|row| texts.text(text(row)));
                Self::texts("", all).cells
            }
            unread @ (Cells::Unreadable(_) | Cells::Unread) => unread.clone(),
        };
        Self { cells, missing, name: self.name.clone(), unit: self.unit.clone() }
    }
}

/// A file as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FileTable {
    /// Columns in the order of the file, all of one length.
    pub columns: Vec<FileData>,
    /// Number of rows.
    pub rows: usize,
    /// Key-value metadata.
    pub metadata: Vec<(String, String)>,
}

impl FileTable {
    /// The table of these columns.
    pub fn of(columns: Vec<FileData>) -> Self {
        let rows = columns.iter().map(|c| match &c.cells {
            Cells::Numbers(v) => v.len(),
            Cells::Whole(v) => v.len(),
            Cells::Texts(v) => v.codes.len(),
            Cells::Unreadable(_) | Cells::Unread => 0,
        });
        Self { rows: rows.max().unwrap_or(0), columns, metadata: Vec::new() }
    }

    /// Names of the columns, in quotes.
    pub(super) fn present(&self) -> String {
        super::quoted(self.columns.iter().map(|c| if c.name.is_empty() { "(no name)" } else { c.name.as_str() }))
    }
}
