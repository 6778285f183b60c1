//! Stretches in which units were observed.

use super::super::file_columns::{FileColumn, FileColumns};
use super::super::stretches::Stretch;
use super::super::time::TimeBase;
use super::columns::{Opened, ids, numbers};
use super::spikes::UNIT;
use super::{FileTable, Ids, Refused};

const fn end(names: &'static [&'static str], about: &'static str) -> FileColumn {
    FileColumn {
        names,
        unit: "at the end of its name, in its type, or in the metadata; none in dimensionless scenarios",
        required: true,
        about,
        ending: "ms",
    }
}

/// Columns of a file of stretches.
pub static SPANS: FileColumns = FileColumns {
    name: "stretches",
    about: "one stretch a row, in which a unit of a recording was observed: `observed` of a recording",
    columns: &[
        end(&["start", "start_time", "starts", "begin", "from"], "when it begins"),
        end(&["stop", "stop_time", "stops", "end", "end_time", "to"], "when it ends"),
        FileColumn { about: "the unit that was observed; all units without it", ..UNIT },
    ],
    others: None,
};

/// Stretches of a file, in the order of its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanFile {
    /// Start and stop of each, in seconds (or time units).
    pub spans: Vec<Stretch>,
    /// The unit of each; none without such a column.
    pub ids: Option<Ids>,
    /// What the column of units is called in the file.
    pub unit_column: String,
}

/// Reads a table of stretches for a recording on a time axis of `base`.
///
/// # Errors
/// Every row and column that cannot be taken, with what is accepted and what is there.
pub fn spans(table: &FileTable, base: TimeBase) -> Result<SpanFile, Refused> {
    let mut file = Opened::new(table, &SPANS)?;
    let plain = base == TimeBase::Dimensionless;
    let (start, stop, unit) = (file.need("start")?, file.need("stop")?, file.find("unit")?);
    file.finish()?;
    if table.rows == 0 {
        return Err(Refused::new("this file has a heading and no rows: 0 rows", "a row is a stretch").in_heading());
    }
    let mut ends = Vec::with_capacity(2);
    for (declared, found) in [("start", &start), ("stop", &stop)] {
        let scale = file.time_unit(found, declared, None, plain)?.map_or(1.0, |u| u.scale);
        ends.push(numbers(found.column)?.iter().map(|t| t * scale).collect::<Vec<f64>>());
    }
    let spans: Vec<Stretch> = ends[0].iter().copied().zip(ends[1].iter().copied()).collect();
    if let Some(row) = spans.iter().position(|(start, stop)| start >= stop) {
        let what = format!("row {} ends before it begins", row + 1);
        return Err(
            Refused::new(what, "a stretch has a start, and a stop after it").in_cell(row, stop.column.name.as_str())
        );
    }
    let unit_column = unit.as_ref().map_or_else(String::new, |found| found.column.name.clone());
    let ids = unit.map(|found| ids(found.column)).transpose()?;
    Ok(SpanFile { spans, ids, unit_column })
}

#[cfg(test)]
mod tests {
    use super::super::{Cells, FileData};
    use super::*;

    #[test]
    fn stretches_are_in_seconds_and_have_a_length() {
        let table = |stop: f64| {
            FileTable::of(vec![
                FileData::new("unit", Cells::Whole(vec![0, 3])),
                FileData::numbers("start_ms", vec![0.0, 500.0]),
                FileData::numbers("stop_s", vec![1.0, stop]),
            ])
        };
        let read = spans(&table(2.0), TimeBase::Milliseconds).unwrap();
        assert_eq!((read.spans, read.ids), (vec![(0.0, 1.0), (0.5, 2.0)], Some(Ids::Numbers(vec![0, 3]))));
        let refused = spans(&table(0.5), TimeBase::Milliseconds).unwrap_err();
        assert!(refused.message.contains("row 2 ends before"), "{refused}");
        assert_eq!(refused.spot.unwrap().column.as_deref(), Some("stop_s"));
        let bare = FileTable::of(vec![FileData::numbers("start", vec![0.0]), FileData::numbers("stop", vec![1.0])]);
        assert!(spans(&bare, TimeBase::Milliseconds).unwrap_err().message.contains("has no unit"));
        assert_eq!(spans(&bare, TimeBase::Dimensionless).unwrap().spans, [(0.0, 1.0)]);
    }
}
