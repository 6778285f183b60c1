//! Tables as text: a heading, then a row a line.

use std::fmt::Write as _;
use std::io::Write;

use super::column::{Column, ColumnType, Table};

/// An open file of comma-separated values.
pub(super) struct CsvWriter<W: Write> {
    file: csv::Writer<W>,
}

impl<W: Write> CsvWriter<W> {
    /// Begins a file with a heading.
    ///
    /// # Errors
    /// When `output` cannot be written to.
    pub fn new(output: W, columns: &[(String, ColumnType)]) -> Result<Self, String> {
        let mut file = csv::Writer::from_writer(output);
        file.write_record(columns.iter().map(|(name, _)| name)).map_err(|e| e.to_string())?;
        Ok(Self { file })
    }

    /// Adds the rows of `table`: numbers with as many digits as they need to be read back the same, nothing where a
    /// value is missing.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write(&mut self, table: &Table) -> Result<(), String> {
        let mut cell = String::new();
        for row in 0..table.rows() {
            for (_, column) in &table.columns {
                cell.clear();
                let text = text_of(column, row, &mut cell);
                self.file.write_field(text).map_err(|e| e.to_string())?;
            }
            self.file.write_record(None::<&[u8]>).map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// Writes what is still in memory.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn finish(&mut self) -> Result<(), String> {
        self.file.flush().map_err(|e| e.to_string())
    }
}

/// A cell in words, in `room` where they have to be made.
fn text_of<'a>(column: &'a Column, row: usize, room: &'a mut String) -> &'a str {
    let mut float = zmij::Buffer::new();
    let made = match column {
        Column::F64(v) => room.write_str(float.format(v[row])),
        Column::OptF64(v) => v[row].map_or(Ok(()), |v| room.write_str(float.format(v))),
        Column::U32(v) => write!(room, "{}", v[row]),
        Column::U64(v) => write!(room, "{}", v[row]),
        Column::OptU64(v) => v[row].map_or(Ok(()), |v| write!(room, "{v}")),
        Column::Bool(v) => write!(room, "{}", v[row]),
        Column::Text(v) => return &v[row],
        Column::Category { names, codes } => return &names[codes[row] as usize],
    };
    made.expect("a text takes what is written to it");
    room
}
