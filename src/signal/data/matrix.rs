//! Matrices: weights or lengths between regions.

use super::super::file_columns::FileColumns;
use super::{Cells, FileTable, Refused};

/// Columns of a table that is a matrix.
pub static MATRIX: FileColumns = FileColumns {
    name: "matrix",
    about: "a matrix: a row a target, a column a source",
    columns: &[],
    others: Some("the columns of the matrix; one column of texts names the rows"),
};

/// A matrix as a table holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixFile {
    /// Its rows, all of one length, of finite numbers.
    pub rows: Vec<Vec<f64>>,
    /// What a column of texts calls the rows.
    pub row_names: Option<Vec<String>>,
    /// What the columns are called.
    pub column_names: Vec<String>,
}

/// Reads a table of numbers as a matrix.
///
/// # Errors
/// When a column holds no numbers (but for one of texts, which names the rows), a number is missing or not finite, or
/// there are none.
pub fn matrix(table: &FileTable) -> Result<MatrixFile, Refused> {
    let help = "a matrix is columns of numbers, in which 0 is no connection, and at most one of names";
    let mut names: Option<(&str, Vec<String>)> = None;
    let (mut columns, mut column_names) = (Vec::new(), Vec::new());
    for column in &table.columns {
        if let (Cells::Texts(_), Some(texts)) = (&column.cells, column.as_texts()) {
            if let Some((first, _)) = &names {
                let why = format!("columns `{first}` and `{}` are both texts", column.name);
                return Err(Refused::new(why, help));
            }
            names = Some((&column.name, texts));
            continue;
        }
        let Some(numbers) = column.as_numbers() else {
            let why = match &column.cells {
                Cells::Unreadable(what) => format!("column `{}` holds {what}", column.name),
                _ => format!("column `{}` holds no numbers", column.name),
            };
            return Err(Refused::new(why, help));
        };
        if let Some(row) = numbers.iter().position(|v| !v.is_finite()) {
            let what = if column.missing.contains(&row) { "nothing".to_owned() } else { numbers[row].to_string() };
            let why = format!("row {} of column `{}` holds {what}, no finite number", row + 1, column.name);
            return Err(Refused::new(why, help));
        }
        columns.push(numbers);
        column_names.push(column.name.clone());
    }
    if columns.is_empty() || table.rows == 0 {
        return Err(Refused::new("there are no numbers", help));
    }
    let rows = (0..table.rows).map(|row| columns.iter().map(|c| c[row]).collect()).collect();
    Ok(MatrixFile { rows, row_names: names.map(|n| n.1), column_names })
}

#[cfg(test)]
mod tests {
    use super::super::FileData;
    use super::*;

    #[test]
    fn columns_are_those_of_the_matrix() {
        let numbers = |name: &str, v: &[f64]| FileData::numbers(name, v.to_vec());
        let whole = FileData::new("right", Cells::Whole(vec![3, 0]));
        let table =
            FileTable::of(vec![FileData::texts("region", ["left", "right"]), numbers("left", &[0.0, 2.5]), whole]);
        let read = matrix(&table).unwrap();
        assert_eq!(read.rows, [[0.0, 3.0], [2.5, 0.0]]);
        assert_eq!(read.row_names.unwrap(), ["left", "right"]);
        assert_eq!(read.column_names, ["left", "right"]);
        let bare = matrix(&FileTable::of(vec![numbers("column 0", &[1.0]), numbers("column 1", &[2.0])])).unwrap();
        assert_eq!((bare.rows, bare.row_names), (vec![vec![1.0, 2.0]], None));
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        let numbers = |name: &str, v: &[f64]| FileData::numbers(name, v.to_vec());
        let texts = |name: &str| FileData::texts(name, ["a", "b"]);
        let unreadable = FileData::new("when", Cells::Unreadable("dates".into()));
        let gap = FileData { missing: vec![1], ..numbers("x", &[1.0, f64::NAN]) };
        for (columns, told) in [
            (vec![], "there are no numbers"),
            (vec![texts("region")], "there are no numbers"),
            (vec![numbers("x", &[])], "there are no numbers"),
            (vec![texts("one"), texts("two"), numbers("x", &[1.0, 2.0])], "columns `one` and `two`"),
            (vec![unreadable], "column `when` holds dates"),
            (vec![numbers("x", &[1.0, f64::INFINITY])], "row 2 of column `x` holds inf"),
            (vec![gap], "row 2 of column `x` holds nothing"),
        ] {
            let refused = matrix(&FileTable::of(columns)).unwrap_err();
            assert!(refused.message.contains(told), "{refused}");
        }
    }
}
