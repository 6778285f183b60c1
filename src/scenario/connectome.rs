//! `connect = { connectome = "FILE" }`: regions that a matrix of weights connects, with delays by a matrix of tract
//! lengths along which signals travel at one speed.

mod symmetric;

use std::path::Path;
use std::sync::Arc;

use super::catalog::Named;
use super::files::FileUse;
use super::language::{Key, Of, Section, Table, Takes};
use super::projection::MOST_DELAY;
use super::resolver::Resolver;
use super::spec::Rule;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_data::CONNECTOMES;
use spikedeck_model::document::Node;
use spikedeck_signal::data::{FileUnit, MATRIX, MatrixFile, Refused};

pub(super) use symmetric::symmetric_matrix;

/// The table that names such files.
pub(super) static CONNECTOME: Section = Section::new(
    "connectome",
    "a matrix of weights from a file, with delays if there is a matrix of lengths: each row is a target, each column a \
     source",
    &[
        Key::required(
            "connectome",
            Takes::Text("a file of numbers in rows"),
            "weights.csv",
            "the weights: text apart by commas, semicolons, tabs or spaces, with or without names of regions above the \
             columns and before the rows; an array of NumPy (.npy); a Parquet table; or `generated76_weights.csv`, \
             which is built in. 0 is no connection. To bring your own, write weights and tract lengths as they are \
             (`numpy.save`, the text files of TVB), a row a target (transpose a matrix that has a row a source), and \
             give the population as many units as there are regions",
        ),
        Key::optional(
            "weight_unit",
            Takes::Text("a unit, such as `pA`"),
            "the weights are plain numbers",
            "unit of the weights",
        ),
        Key::default("gain", Takes::Quantity(Of::Number), "1", "a number that all weights are multiplied with"),
        Key::optional(
            "lengths",
            Takes::Text("a file of numbers in rows"),
            "connections have the `delay` of the projection",
            "the lengths of the connections, a matrix like that of the weights (`generated76_lengths.csv` is built \
             in); needs `speed`",
        ),
        Key::default(
            "length_unit",
            Takes::Text("a unit of length"),
            "mm",
            "unit of the lengths (scenarios without units: plain numbers)",
        ),
        Key::optional(
            "speed",
            Takes::Quantity(Of::Said("length per time")),
            "there are no `lengths`",
            "how fast signals travel: each delay is length/speed, to the nearest step",
        ),
    ],
);

/// What a matrix needs to fit: numbers of sources and targets, and whether they are one population.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fits {
    pub sources: usize,
    pub targets: usize,
    pub recurrent: bool,
}

/// The connections of a matrix from a file, and what their weights measure.
pub(super) fn connectome(
    resolver: &mut Resolver<'_>,
    f: &mut Table<'_>,
    fits: Option<Fits>,
) -> Option<(Rule, Option<Dimension>)> {
    let node = f.get("connectome")?;
    let weight_unit = match f.get("weight_unit") {
        Some(n) => Some(unit(resolver, n, "`weight_unit`", "pA")?),
        None => None,
    };
    let gain = f.get("gain").map(|n| resolver.quantity(n, Dimension::NONE, "`gain`"));
    let gain = gain.unwrap_or_else(|| Some(f.default_number("gain")));
    let lengths = f.get("lengths");
    let (length_unit, speed) = (f.get("length_unit"), f.get("speed"));
    let way = way(resolver, lengths, length_unit, speed);
    let weights = matrix(resolver, node, "`connectome`");
    let lengths = match lengths {
        Some(n) => Some((n, matrix(resolver, n, "`lengths`")?)),
        None => None,
    };
    let (weights, fits, gain) = (weights?, fits?, gain?);
    resolver.taken(node, weights.check(fits), |()| &[])?;
    if let Some((n, lengths)) = &lengths {
        let fit = lengths.check(fits).and_then(|()| lengths.agrees(&weights, fits));
        let fit = fit.and_then(|()| lengths.check_lengths());
        resolver.taken(n, fit, |()| &[])?;
    }
    let way = way?;
    let scale = |v: f64| gain * weight_unit.as_ref().map_or(v, |u| u.si(v));
    let (mut source, mut target, mut weight, mut delay) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (row, values) in weights.rows.iter().enumerate() {
        for (column, v) in values.iter().enumerate().filter(|(_, v)| **v != 0.0) {
            source.push(column as u32);
            target.push(row as u32);
            weight.push(scale(*v));
            if let (Some((_, lengths)), Some(way)) = (&lengths, &way) {
                delay.push((lengths.rows[row][column] * way.time_of_one / resolver.dt).round() * resolver.dt);
            }
        }
    }
    if let (Some((n, _)), true) = (&lengths, resolver.dt > 0.0) {
        let longest = delay.iter().copied().fold(0.0, f64::max);
        if longest / resolver.dt > MOST_DELAY as f64 + 0.5 {
            let shown = Quantity { value: longest, dimension: resolver.time_dimension() };
            resolver.error_help(
                &n.place,
                format!("the longest delay is {shown}, and at most {MOST_DELAY} steps are kept"),
                "a longer step or a higher `speed` makes it fewer; look at `length_unit` too",
            );
            return None;
        }
    }
    let delay = lengths.is_some().then(|| Arc::from(delay));
    let dimension = weight_unit.map_or(Dimension::NONE, |u| u.dimension);
    let rule = Rule::Edges { source: source.into(), target: target.into(), weight: Some(weight.into()), delay };
    Some((rule, Some(dimension)))
}

/// How long a signal takes for a length of 1 in the file.
struct Way {
    time_of_one: f64,
}

/// Reads `speed` and `length_unit`, which belong to `lengths`.
fn way(
    resolver: &mut Resolver<'_>,
    lengths: Option<&Node>,
    length_unit: Option<&Node>,
    speed: Option<&Node>,
) -> Option<Option<Way>> {
    let Some(lengths) = lengths else {
        if let Some(n) = speed.or(length_unit) {
            resolver.error_help(
                &n.place,
                "a speed is of signals along lengths, and there are none",
                "add `lengths = \"FILE\"`, or write `delay` in the projection",
            );
            return None;
        }
        return Some(None);
    };
    let plain = resolver.time_dimension().is_none();
    let (dimension, example) = if plain { (Dimension::NONE, "3.0") } else { (Dimension::METRE, "\"3 m/s\"") };
    let one = match length_unit {
        None if plain => 1.0,
        None => 1e-3,
        Some(n) => {
            let unit = unit(resolver, n, "`length_unit`", "mm")?;
            if unit.dimension != dimension {
                let (message, help) = if plain {
                    ("a scenario without units has lengths without them", "remove `length_unit`")
                } else {
                    ("`length_unit` is a unit of length", "write `mm`, `cm` or `m`")
                };
                resolver.error_help(&n.place, message, help);
                return None;
            }
            unit.scale
        }
    };
    let Some(n) = speed else {
        resolver.error_help(
            &lengths.place,
            "`lengths` make delays by a speed, and there is none",
            format!("add `speed = {example}`"),
        );
        return None;
    };
    let speed = resolver.quantity(n, dimension.per(resolver.time_dimension()), "`speed`")?;
    if speed <= 0.0 || !speed.is_finite() {
        resolver.error_help(&n.place, "a speed is above 0", format!("write `speed = {example}`"));
        return None;
    }
    Some(Some(Way { time_of_one: one / speed }))
}

/// A unit that is stated beside a file.
fn unit(resolver: &mut Resolver<'_>, node: &Node, what: &str, example: &str) -> Option<FileUnit> {
    let text = resolver.text(node, what)?.to_owned();
    let unit = FileUnit::parse(&text);
    if unit.is_none() {
        resolver.error_help(&node.place, format!("`{text}` is no unit"), format!("write `{example}`"));
    }
    unit
}

/// The matrix in the file that `node` names.
fn matrix(resolver: &mut Resolver<'_>, node: &Node, what: &str) -> Option<Matrix> {
    let name = resolver.text(node, what)?.to_owned();
    let path = resolver.path(&name);
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    if let Some("npy" | "parquet") = ending.as_deref() {
        let table = resolver.file_table(node, what, &MATRIX)?;
        let read =
            spikedeck_signal::data::matrix(&table).map(|m| Matrix::of_table(m, ending.as_deref() == Some("npy")));
        return resolver.taken(node, read.map_err(|e| in_file(&path, e)), |_| &[]);
    }
    let beside = match resolver.files.text(&path) {
        Ok(text) => text,
        Err(error) => {
            resolver.error(&node.place, error.to_string());
            return None;
        }
    };
    if let Some(text) = &beside {
        resolver.uses(FileUse::of(&path, text.as_bytes()));
    }
    let Some(text) = beside.as_deref().or_else(|| built_in(&name)) else {
        let help =
            format!("relative paths start from the folder of the scenario file; built in are: {}", all_built_in());
        resolver.error_help(&node.place, format!("there is no file {}", path.display()), help);
        return None;
    };
    resolver.taken(node, Matrix::read(text).map_err(|e| in_file(&path, e)), |_| &[])
}

/// The text of a built-in matrix by the name of its file.
fn built_in(file: &str) -> Option<&'static str> {
    CONNECTOMES.get_file(file).and_then(|f| f.contents_utf8())
}

/// File names of the built-in matrices, one after the other.
fn all_built_in() -> String {
    let matrices = CONNECTOMES.files().filter(|f| f.path().extension().is_some_and(|e| e == "csv"));
    let names: Vec<&str> = matrices.filter_map(|f| f.path().file_name()?.to_str()).collect();
    names.join(", ")
}

/// What is wrong, with the file in which it is.
fn in_file(path: &Path, wrong: Refused) -> Refused {
    Refused::new(format!("{}: {}", shown(path), wrong.message), wrong.help)
}

/// The last part of a path.
fn shown(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
}

/// Numbers in rows, with the names of rows and columns if the file has some.
#[derive(Debug, Clone, PartialEq)]
struct Matrix {
    rows: Vec<Vec<f64>>,
    /// Line of the file that each row stands in, counted from 1; rows of tables are counted likewise.
    lines: Vec<usize>,
    row_names: Option<Vec<String>>,
    column_names: Option<Vec<String>>,
}

impl Matrix {
    /// The matrix of a table; an array names no regions, and names that a library made up are none.
    fn of_table(file: MatrixFile, is_array: bool) -> Self {
        let made_up = |first: usize, before: &str| {
            file.column_names.iter().enumerate().all(|(k, name)| *name == format!("{before}{}", k + first))
        };
        let named = !is_array && !["", "column_", "column "].iter().any(|b| made_up(0, b) || made_up(1, b));
        let lines = (1..=file.rows.len()).collect();
        let column_names = named.then_some(file.column_names);
        Self { rows: file.rows, lines, row_names: file.row_names, column_names }
    }

    /// Reads rows of numbers; a first row that is not all numbers names the columns, a first column the rows.
    fn read(text: &str) -> Result<Self, Refused> {
        // `\r\n` is one end of a line.
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        let lines = text.split(['\n', '\r']).enumerate().map(|(k, line)| (k + 1, line.trim()));
        let lines: Vec<(usize, &str)> = lines.filter(|(_, l)| !l.is_empty() && !l.starts_with('#')).collect();
        let comma = [';', '\t', ','].into_iter().find(|c| lines.iter().any(|l| l.1.contains(*c)));
        let cells = |line: &str| -> Vec<String> {
            let bare = |cell: &str| cell.trim().trim_matches(['"', '\'']).to_owned();
            match comma {
                Some(comma) => line.split(comma).map(bare).collect(),
                None => line.split_whitespace().map(bare).collect(),
            }
        };
        let mut table: Vec<(usize, Vec<String>)> = lines.into_iter().map(|(k, line)| (k, cells(line))).collect();
        let is_name = |cell: &String| cell.parse::<f64>().is_err();
        let is_heading = |row: &[String]| match row {
            [first, rest @ ..] if !rest.is_empty() => first.is_empty() || rest.iter().all(is_name),
            _ => false,
        };
        let heading = (table.len() > 1 && is_heading(&table[0].1)).then(|| table.remove(0).1);
        let corner = heading.as_ref().is_some_and(|names| names[0].is_empty());
        let names_rows = corner || table.iter().all(|(_, row)| row.first().is_some_and(is_name));
        let mut row_names = names_rows.then(Vec::new);
        let (mut rows, mut numbers) = (Vec::new(), Vec::new());
        for (line, mut row) in table {
            if let Some(names) = &mut row_names {
                names.push(row.remove(0));
            }
            let wrong = row.iter().position(|cell| !cell.parse::<f64>().is_ok_and(f64::is_finite));
            if let Some(k) = wrong {
                return Err(Refused::new(
                    format!("line {line}, number {}: `{}` is no finite number", k + 1, row[k]),
                    "a matrix is rows of numbers, in which 0 is no connection",
                ));
            }
            let values: Vec<f64> = row.iter().map(|c| c.parse().expect("it was read as a number above")).collect();
            rows.push(values);
            numbers.push(line);
        }
        let Some(width) = rows.first().map(Vec::len).filter(|n| *n > 0) else {
            return Err(Refused::new("there are no numbers", "a matrix is rows of numbers, a target each"));
        };
        if let Some(k) = rows.iter().position(|row| row.len() != width) {
            return Err(Refused::new(
                format!("line {} has {} numbers, and line {} has {width}", numbers[k], rows[k].len(), numbers[0]),
                "all rows of a matrix are equally long",
            ));
        }
        let column_names = match heading {
            None => None,
            Some(names) if names.len() == width => Some(names),
            Some(names) if names.len() == width + 1 && row_names.is_some() => Some(names[1..].to_vec()),
            Some(names) => {
                return Err(Refused::new(
                    format!("{} names stand above {width} columns", names.len()),
                    "name each column, or none",
                ));
            }
        };
        Ok(Self { rows, lines: numbers, row_names, column_names })
    }

    /// Numbers of rows and columns.
    fn shape(&self) -> (usize, usize) {
        (self.rows.len(), self.rows.first().map_or(0, Vec::len))
    }

    /// Whether the matrix connects these units.
    fn check(&self, fits: Fits) -> Result<(), Refused> {
        let (rows, columns) = self.shape();
        if fits.recurrent && rows != columns {
            return Err(Refused::new(
                format!(
                    "the matrix has {rows} rows and {columns} columns; a population connects to itself by a square"
                ),
                "a row is a target, a column a source",
            ));
        }
        if (rows, columns) != (fits.targets, fits.sources) {
            return Err(Refused::new(
                format!(
                    "the matrix has {rows} rows and {columns} columns, but there are {} targets and {} sources",
                    fits.targets, fits.sources
                ),
                if fits.recurrent {
                    format!("write `size = {rows}` in the population")
                } else {
                    "a row is a target, a column a source".to_owned()
                },
            ));
        }
        match (&self.row_names, &self.column_names) {
            (Some(rows), Some(columns)) if fits.recurrent || are_permuted(rows, columns) => {
                same_names(rows, columns, "row", "column")
            }
            _ => Ok(()),
        }
    }

    /// Whether the names are those of the weights.
    fn agrees(&self, weights: &Self, fits: Fits) -> Result<(), Refused> {
        for (own, other, what) in
            [(&self.row_names, &weights.row_names, "row"), (&self.column_names, &weights.column_names, "column")]
        {
            if let (Some(own), Some(other)) = (own, other) {
                same_names(own, other, what, &format!("{what} of the weights"))?;
            }
        }
        // One file may name its rows alone and the other its columns.
        for (own, what, other, of_weights) in [
            (&self.row_names, "row", &weights.column_names, "column of the weights"),
            (&self.column_names, "column", &weights.row_names, "row of the weights"),
        ] {
            // Of one population names that are shared stand at the same place; of two, some regions may be in both.
            let clash = |own: &[String], other: &[String]| match Named::of(own, other) {
                Named::Differ(_) => fits.recurrent || are_permuted(own, other),
                Named::Alike | Named::Unrelated => false,
            };
            if let (Some(own), Some(other)) = (own, other)
                && clash(own, other)
            {
                same_names(own, other, what, of_weights)?;
            }
        }
        Ok(())
    }

    /// Whether no length is negative.
    fn check_lengths(&self) -> Result<(), Refused> {
        for (row, line) in self.rows.iter().zip(&self.lines) {
            if let Some(k) = row.iter().position(|v| *v < 0.0) {
                return Err(Refused::new(
                    format!("line {line}, number {}: a length is negative: {}", k + 1, row[k]),
                    "lengths are at least 0; those of pairs without a connection do not matter, write 0",
                ));
            }
        }
        Ok(())
    }
}

/// Whether two lists name the same regions in another order.
fn are_permuted(a: &[String], b: &[String]) -> bool {
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort_unstable();
        names
    };
    a != b && sorted(a) == sorted(b)
}

/// Whether two lists name the same regions in the same order.
fn same_names(a: &[String], b: &[String], first: &str, second: &str) -> Result<(), Refused> {
    match a.iter().zip(b).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(k) => Err(Refused::new(
            format!("{first} {} is `{}`, and {second} {0} is `{}`", k + 1, a[k], b[k]),
            "regions stand in one order everywhere",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalog, FileError, FileLoader, FileTable, Overrides, load};
    use spikedeck_model::library;
    use spikedeck_signal::FileColumns;
    use spikedeck_signal::data::FileData;

    const NAMED: &str = ",left,right\nleft,0,0.5\nright,2,0\n";

    #[test]
    fn numbers_are_read_however_they_stand_apart() {
        let expected = vec![vec![0.0, 0.5], vec![2.0, 0.0]];
        let texts = [
            "0,0.5\n2,0\n",
            "0 0.5\n2   0",
            "# weights\n0\t0.5\r\n\r\n2\t0\r\n",
            "\u{feff}0;0.5\r2;0\r",
            NAMED,
            "left,right\n0,0.5\n2,0\n",
            "left 0 0.5\nright 2 0\n",
            "\"\";\"left\";\"right\"\n\"1\";0;0.5\n\"2\";2;0\n",
        ];
        for text in texts {
            assert_eq!(Matrix::read(text).unwrap().rows, expected, "{text}");
        }
        let named = Matrix::read(NAMED).unwrap();
        assert_eq!((named.row_names.clone(), named.lines.as_slice()), (named.column_names.clone(), &[2, 3][..]));
        assert_eq!(named.row_names.unwrap(), ["left", "right"]);
        assert_eq!(Matrix::read("3.5").unwrap().rows, [[3.5]]);
    }

    #[test]
    fn what_is_no_matrix_is_told() {
        for (text, told) in [
            ("", "no numbers"),
            ("# nothing\n", "no numbers"),
            ("1,2\n3\n", "line 2 has 1 numbers, and line 1 has 2"),
            ("1,2\n3,x\n", "line 2, number 2: `x`"),
            ("1,nan\n3,4\n", "line 1, number 2: `nan`"),
            ("1,2\n3,inf\n", "line 2, number 2: `inf`"),
            ("a,b,c\n1,2\n3,4\n", "3 names stand above 2 columns"),
            ("1,2,\n3,4,\n", "number 3: ``"),
        ] {
            let refused = Matrix::read(text).unwrap_err();
            assert!(refused.message.contains(told), "{text}: {refused}");
        }
    }

    #[test]
    fn a_matrix_that_does_not_fit_is_told() {
        let square = Fits { sources: 2, targets: 2, recurrent: true };
        let of = |text: &str, fits: Fits| Matrix::read(text).unwrap().check(fits).map_err(|e| e.message);
        assert_eq!(of(NAMED, square), Ok(()));
        assert_eq!(of("1,2,3\n4,5,6\n", Fits { sources: 3, targets: 2, recurrent: false }), Ok(()));
        assert!(of("1,2,3\n4,5,6\n", square).unwrap_err().contains("2 rows and 3 columns"));
        assert!(of("1,2\n3,4\n", Fits { sources: 3, targets: 3, recurrent: true }).unwrap_err().contains("3 targets"));
        assert!(of(",l,r\nr,0,1\nl,1,0\n", square).unwrap_err().contains("row 1 is `r`, and column 1 is `l`"));
        let other = Matrix::read(",left,middle\nleft,0,5\nmiddle,5,0\n").unwrap();
        let told = other.agrees(&Matrix::read(NAMED).unwrap(), square).unwrap_err();
        assert!(told.message.contains("row 2 is `middle`, and row of the weights 2 is `right`"), "{told}");
        // Between two populations too: who names the same regions twice means the same regions.
        let apart = Fits { sources: 3, targets: 3, recurrent: false };
        for permuted in [",A,C,B\nA,0,1,2\nB,3,0,4\nC,5,6,0\n", ",C,B,A\nA,0,1,2\nB,3,0,4\nC,5,6,0\n"] {
            assert!(of(permuted, apart).unwrap_err().contains(", and column "), "{permuted}");
        }
        assert_eq!(of(",x,y,z\nA,0,1,2\nB,3,0,4\nC,5,6,0\n", apart), Ok(()), "other regions");
        let rows = Matrix::read("A 0 1\nB 2 0\n").unwrap();
        let columns = Matrix::read("B A\n0 1\n2 0\n").unwrap();
        assert!(
            columns
                .agrees(&rows, square)
                .unwrap_err()
                .message
                .contains("column 1 is `B`, and row of the weights 1 is `A`")
        );
        // Of one population: one name that is shared says that all are names of one kind.
        let columns = Matrix::read("A C\n0 1\n2 0\n").unwrap();
        let told = columns.agrees(&rows, square).unwrap_err();
        assert!(told.message.contains("column 2 is `C`, and row of the weights 2 is `B`"), "{told}");
        let two = Fits { recurrent: false, ..square };
        assert_eq!(columns.agrees(&rows, two), Ok(()), "a region may be in both");
        assert_eq!(Matrix::read("X Y\n0 1\n2 0\n").unwrap().agrees(&rows, square), Ok(()));
        let told = Matrix::read("0,1\n-3,0\n").unwrap().check_lengths().unwrap_err();
        assert!(told.message.contains("line 2, number 1") && told.message.contains("-3"), "{told}");
    }

    /// What is built in connects 76 regions both ways alike, along tracts of some length.
    #[test]
    fn the_built_in_connectome_is_whole() {
        assert_eq!(all_built_in(), "generated76_lengths.csv, generated76_weights.csv");
        let of = |name: &str| Matrix::read(built_in(name).unwrap()).unwrap();
        let (weights, lengths) = (of("generated76_weights.csv"), of("generated76_lengths.csv"));
        let fits = Fits { sources: 76, targets: 76, recurrent: true };
        for matrix in [&weights, &lengths] {
            assert_eq!(matrix.check(fits), Ok(()));
        }
        assert_eq!(lengths.agrees(&weights, fits), Ok(()));
        assert_eq!(lengths.check_lengths(), Ok(()));
        let pairs = (0..76).flat_map(|i| (0..76).map(move |j| (i, j)));
        let connected: Vec<(usize, usize)> = pairs.filter(|&(i, j)| weights.rows[i][j] != 0.0).collect();
        // 30 % of 76 x 75 pairs.
        assert_eq!(connected.len(), 1710);
        for (i, j) in connected {
            assert!(i != j && weights.rows[i][j] == weights.rows[j][i] && weights.rows[i][j] <= 1.0, "{i} {j}");
            assert!(lengths.rows[i][j] > 0.0 && lengths.rows[i][j] == lengths.rows[j][i], "{i} {j}");
        }
    }

    /// Files by their names.
    struct Texts(&'static [(&'static str, &'static str)]);

    impl FileLoader for Texts {
        fn text(&self, path: &Path) -> Result<Option<String>, FileError> {
            Ok(self.0.iter().find(|(name, _)| path == Path::new(name)).map(|(_, text)| (*text).to_owned()))
        }

        fn table(&self, path: &Path, columns: &FileColumns) -> Result<FileTable, FileError> {
            assert_eq!(columns.name, "matrix");
            let columns = |names: [&str; 2]| {
                vec![FileData::numbers(names[0], vec![0.0, 2.0]), FileData::numbers(names[1], vec![0.5, 0.0])]
            };
            match path.to_str() {
                Some("weights.npy") => Ok(FileTable::of(columns(["column 0", "column 1"]))),
                Some("weights.parquet") => Ok(FileTable::of(columns(["left", "right"]))),
                Some("Named.PARQUET") => {
                    let mut all = columns(["right", "left"]);
                    all.insert(0, FileData::texts("region", ["left", "right"]));
                    Ok(FileTable::of(all))
                }
                _ => Err(FileError::Missing(path.to_owned())),
            }
        }
    }

    const FILES: &[(&str, &str)] = &[
        ("weights.csv", NAMED),
        ("lengths.csv", "0,30\n41,0\n"),
        ("negative.csv", "0,-30\n41,0\n"),
        ("long.csv", "1,2,3\n4,5,6\n"),
    ];

    fn understood(connect: &str) -> Result<Rule, String> {
        let text = format!(
            "[simulation]\nduration = \"10 ms\"\ndt = \"0.1 ms\"\n[models.region]\nequations = \"dx/dt = (I - x)/tau : \
             1\"\nparameters = {{ tau = \"10 ms\" }}\ninputs = {{ I = \"1\" }}\ninitial = {{ x = 0.0 }}\n\
             [populations.brain]\nmodel = \"region\"\nsize = 2\n[projections.tracts]\nkind = \"continuous\"\nfrom = \
             \"brain\"\nto = \"brain.I\"\nconnect = {{ connectome = {connect} }}\nvalue = \"w*x_pre\"\n"
        );
        load(&text, None, "s", &Overrides::default(), library(), &Catalog::default(), &Texts(FILES))
            .map(|(spec, _)| spec.projections[0].rule.clone())
            .map_err(|report| report.to_string())
    }

    #[test]
    fn rows_are_targets_and_delays_are_lengths_by_speed_to_the_nearest_step() {
        let rule = understood("\"weights.csv\", gain = 2, lengths = \"lengths.csv\", speed = \"3 m/s\"").unwrap();
        let Rule::Edges { source, target, weight, delay } = rule else { panic!("{rule:?}") };
        assert_eq!((&source[..], &target[..]), (&[1, 0][..], &[0, 1][..]));
        assert_eq!(&weight.unwrap()[..], [1.0, 4.0]);
        // 30 mm and 41 mm at 3 m/s are 10 ms and 13.67 ms.
        let steps: Vec<f64> = delay.unwrap().iter().map(|d| d / 1e-4).collect();
        assert!((steps[0] - 100.0).abs() < 1e-9 && (steps[1] - 137.0).abs() < 1e-9, "{steps:?}");
        let metres = understood(
            "\"weights.csv\", gain = 2, lengths = \"lengths.csv\", speed = \"3000 m/s\", length_unit = \"m\"",
        );
        let Rule::Edges { delay: metres, .. } = metres.unwrap() else { panic!("listed") };
        assert_eq!(metres.unwrap().len(), 2);
        let Rule::Edges { delay: None, .. } = understood("\"weights.csv\"").unwrap() else { panic!("no delays") };
        // The same matrix as an array and as a table.
        for file in ["weights.npy", "weights.parquet"] {
            assert_eq!(understood(&format!("\"{file}\"")), understood("\"weights.csv\""), "{file}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_where_it_stands() {
        for (connect, told) in [
            ("\"none.csv\"", "there is no file none.csv"),
            ("\"none.npy\"", "none.npy"),
            ("\"Named.PARQUET\"", "row 1 is `left`, and column 1 is `right`"),
            ("\"long.csv\"", "2 rows and 3 columns; a population connects to itself by a square"),
            ("\"weights.csv\", lengths = \"lengths.csv\"", "add `speed = \"3 m/s\"`"),
            ("\"weights.csv\", speed = \"3 m/s\"", "there are none"),
            ("\"weights.csv\", lengths = \"negative.csv\", speed = \"3 m/s\"", "a length is negative: -30"),
            ("\"weights.csv\", lengths = \"long.csv\", speed = \"3 m/s\"", "2 rows and 3 columns"),
            ("\"weights.csv\", lengths = \"lengths.csv\", speed = \"-3 m/s\"", "a speed is above 0"),
            ("\"weights.csv\", lengths = \"lengths.csv\", speed = \"3 mV\"", "speed"),
            (
                "\"weights.csv\", lengths = \"lengths.csv\", speed = \"3 m/s\", length_unit = \"mV\"",
                "`length_unit` is a unit of length",
            ),
            ("\"weights.csv\", lengths = \"lengths.csv\", speed = \"0.001 mm/s\"", "at most 65535 steps are kept"),
            ("\"weights.csv\", weight_unit = \"pq\"", "`pq` is no unit"),
            ("\"weights.csv\", gain = \"2 mV\"", "gain"),
            ("\"weights.csv\", length = 3", "length"),
        ] {
            let said = understood(connect).unwrap_err();
            assert!(said.contains(told), "{connect}: {said}");
        }
    }
}
