//! Symmetric matrices from files: what is measured of each two of some signals.

use super::{Matrix, in_file, matrix, same_names, shown};
use crate::catalog::FileMatrix;
use crate::resolver::Resolver;
use spikedeck_model::document::Node;
use spikedeck_signal::data::Refused;

/// The symmetric matrix in the file that `node` names.
pub fn symmetric_matrix(resolver: &mut Resolver<'_>, node: &Node, what: &str) -> Option<FileMatrix> {
    let found = matrix(resolver, node, what)?;
    let name = resolver.text(node, what)?.to_owned();
    let path = resolver.path(&name);
    let checked = found.check_symmetric().map_err(|e| in_file(&path, e));
    resolver.taken(node, checked, |()| &[])?;
    Some(FileMatrix {
        file: shown(&path),
        size: found.rows.len(),
        values: found.rows.into_iter().flatten().collect(),
        names: found.row_names.or(found.column_names),
    })
}

impl Matrix {
    /// Whether the matrix is the same if rows and columns are exchanged, but for the rounding of written numbers.
    fn check_symmetric(&self) -> Result<(), Refused> {
        let (rows, columns) = self.shape();
        if rows != columns {
            return Err(Refused::new(
                format!("the matrix has {rows} rows and {columns} columns"),
                "a matrix of pairs has as many rows as columns",
            ));
        }
        if let (Some(rows), Some(columns)) = (&self.row_names, &self.column_names) {
            same_names(rows, columns, "row", "column")?;
        }
        let largest = self.rows.iter().flatten().fold(0.0, |most: f64, v| most.max(v.abs()));
        for (i, row) in self.rows.iter().enumerate() {
            if let Some(j) = (0..i).find(|&j| (row[j] - self.rows[j][i]).abs() > 1e-4 * largest) {
                return Err(Refused::new(
                    format!(
                        "line {}, number {} is {}, and line {}, number {} is {}",
                        self.lines[i],
                        j + 1,
                        row[j],
                        self.lines[j],
                        i + 1,
                        self.rows[j][i]
                    ),
                    "a matrix of pairs is symmetric: the value of two does not depend on which is first",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_depends_on_the_order_of_two_is_no_matrix_of_pairs() {
        let check = |text: &str| Matrix::read(text).unwrap().check_symmetric().map_err(|e| e.message);
        assert_eq!(check("1 0.5\n0.5 1"), Ok(()));
        assert_eq!(check("1 0.50001\n0.5 1"), Ok(()), "rounding");
        assert!(check("1 0.6\n0.5 1").unwrap_err().contains("line 2, number 1 is 0.5"));
        assert!(check("1 0.5 0\n0.5 1 0").unwrap_err().contains("2 rows and 3 columns"));
        assert_eq!(check(",a,b\na,1,0.5\nb,0.5,1"), Ok(()));
        assert!(check(",a,b\nb,1,0.5\na,0.5,1").is_err(), "names in another order");
    }
}
