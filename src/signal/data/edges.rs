//! Connections that a file lists.

use super::super::column::Categories;
use super::super::file_columns::{FileColumn, FileColumns};
use super::columns::{ColumnMatch, Opened, ids, is_named, numbers, texts};
use super::{Cells, FileTable, FileUnit, Ids, Refused, counted, quoted};
use spikedeck_core::units::Dimension;

const fn end(names: &'static [&'static str], about: &'static str) -> FileColumn {
    FileColumn { names, unit: "", required: true, about, ending: "" }
}

const fn other(names: &'static [&'static str], about: &'static str) -> FileColumn {
    FileColumn { names, unit: "", required: false, about, ending: "" }
}

/// Columns of a file of connections; those that runs write are among them.
pub static EDGES: FileColumns = FileColumns {
    name: "connections",
    about: "listed pairs (`connect = { edges = \"FILE\" }` of a projection); connections.parquet of a run is one",
    columns: &[
        end(
            &["source", "source_id", "source_node_id", "pre", "pre_id"],
            "unit of the source population, from 0 (see `first_id`)",
        ),
        end(
            &["target", "target_id", "target_node_id", "post", "post_id"],
            "unit of the target population, from 0 (see `first_id`)",
        ),
        FileColumn {
            names: &["weight", "weights"],
            unit: "at the end of its name, in the column `weight_unit`, in the metadata `weight_unit`, or as \
                   `weight_unit` beside the file's name; none where the target takes plain numbers",
            required: false,
            about: "weight; that of the projection without it",
            ending: "pA",
        },
        other(&["weight_unit", "weight_units"], "unit of the weight"),
        FileColumn {
            names: &["delay", "delays"],
            unit: "at the end of its name, in the metadata `delay_unit`, or as `delay_unit` beside the file's name; \
                   none in dimensionless scenarios",
            required: false,
            about: "delay, a multiple of the step; that of the projection without it",
            ending: "ms",
        },
        other(&["projection"], "its projection; of several, `projection` beside the file's name says which is meant"),
        other(
            &["weight_final"],
            "weight at the end of a run that changed it: connections begin with `weight`, and this is not used",
        ),
    ],
    others: None,
};

/// What the reader of connections is told.
#[derive(Debug, Clone, Default)]
pub struct EdgeKeys<'a> {
    /// The unit of weights that was stated beside the file.
    pub weight_unit: Option<FileUnit>,
    /// The unit of delays likewise.
    pub delay_unit: Option<FileUnit>,
    /// Whether times are plain numbers.
    pub plain: bool,
    /// The projection that is meant.
    pub projection: Option<&'a str>,
}

/// Connections of a file, in the order of its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeFile {
    /// Source of each.
    pub source: Ids,
    /// Target of each.
    pub target: Ids,
    /// Weight of each in SI and what it measures; plain numbers where no unit was stated.
    pub weight: Option<(Vec<f64>, Dimension)>,
    /// Delay of each in seconds (or time units).
    pub delay: Option<Vec<f64>>,
    /// Row, from 1, of each.
    pub rows: Vec<usize>,
    /// What the columns of sources, targets and delays are called in the file.
    pub columns: [String; 3],
    /// What should be known of the file.
    pub notes: Vec<String>,
}

/// Reads a table of connections.
///
/// # Errors
/// Every row and column that cannot be taken, with what is accepted and what is there.
pub fn edges(table: &FileTable, keys: &EdgeKeys<'_>) -> Result<EdgeFile, Refused> {
    let Some(kept) = meant(table, keys)? else { return read(table, keys, table.rows) };
    // Rows of other projections have units and gaps of their own.
    let columns = table
        .columns
        .iter()
        .map(|c| if is_named(EDGES.column("projection"), &c.name) { c.clone() } else { c.only(&kept) });
    let own = FileTable { columns: columns.collect(), rows: table.rows, metadata: table.metadata.clone() };
    let rows: Vec<usize> = (0..table.rows).filter(|&row| kept[row]).collect();
    Ok(read(&own, keys, rows.len())?.picked(&rows))
}

/// The rows of the projection that is meant; none where all are.
fn meant(table: &FileTable, keys: &EdgeKeys<'_>) -> Result<Option<Vec<bool>>, Refused> {
    let names = Opened::new(table, &EDGES)?.find("projection")?.map(|found| texts(found.column)).transpose()?;
    match (keys.projection, names) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(Refused::new(
            "this file has no column `projection`",
            "remove `projection` beside the file's name, or name the projection of each row in such a column",
        )),
        (None, Some(names)) if names.names.len() <= 1 => Ok(None),
        (None, Some(names)) => Err(Refused::new(
            format!(
                "this file holds connections of several projections: {}",
                quoted(names.names.iter().map(String::as_str))
            ),
            format!("say which is meant: `connect = {{ edges = \"...\", projection = \"{}\" }}`", names.names[0]),
        )),
        (Some(wanted), Some(names)) => match names.names.iter().position(|n| n == wanted) {
            Some(code) => Ok(Some(names.codes.iter().map(|c| *c as usize == code).collect())),
            None => Err(Refused::new(
                format!(
                    "this file has no projection `{wanted}`; it has {}",
                    quoted(names.names.iter().map(String::as_str))
                ),
                "choose one of them",
            )),
        },
    }
}

/// All rows of a table, of which `count` are meant.
fn read(table: &FileTable, keys: &EdgeKeys<'_>, count: usize) -> Result<EdgeFile, Refused> {
    let mut file = Opened::new(table, &EDGES)?;
    let (source, target) = (file.need("source")?, file.need("target")?);
    let (weight, weight_unit) = (file.find("weight")?, file.find("weight_unit")?);
    let (delay, last) = (file.find("delay")?, file.find("weight_final")?);
    file.find("projection")?;
    file.finish()?;
    let delays = delay.as_ref().map_or_else(String::new, |found| found.column.name.clone());
    let columns = [source.column.name.clone(), target.column.name.clone(), delays];
    let (source, target) = (ids(source.column)?, ids(target.column)?);
    if weight.is_none()
        && let Some(found) = &weight_unit
    {
        return Err(Refused::new(
            format!("this file has a column `{}`, but none of weights", found.column.name),
            "add a column `weight`, or remove this one",
        )
        .in_name(found.column.name.as_str()));
    }
    let weight = weight.map(|found| weights(&file, &found, (weight_unit.as_ref(), count), keys)).transpose()?;
    let delay = delay
        .map(|found| {
            let unit = file.time_unit(&found, "delay", keys.delay_unit.as_ref(), keys.plain)?;
            let values = numbers(found.column)?;
            Ok(match unit {
                Some(unit) => values.iter().map(|v| unit.si(*v)).collect(),
                None => values.into_owned(),
            })
        })
        .transpose()?;
    let mut notes: Vec<String> = file.none().into_iter().collect();
    if let Some(column) = last.map(|found| found.column) {
        let values = match &column.cells {
            Cells::Texts(_) | Cells::Whole(_) | Cells::Numbers(_) => count - column.missing.len(),
            Cells::Unreadable(_) | Cells::Unread => 0,
        };
        if values > 0 {
            notes.push(format!(
                "column `{}` of this file is not used ({}): connections begin with the weights of column `weight`",
                column.name,
                counted(values, "value", "values")
            ));
        }
    }
    Ok(EdgeFile { rows: (1..=table.rows).collect(), columns, source, target, weight, delay, notes })
}

/// Weights in SI, with what they measure.
fn weights(
    file: &Opened<'_>,
    found: &ColumnMatch<'_>,
    (unit_column, count): (Option<&ColumnMatch<'_>>, usize),
    keys: &EdgeKeys<'_>,
) -> Result<(Vec<f64>, Dimension), Refused> {
    let values = numbers(found.column)?;
    let said = file.unit(found, "weight", keys.weight_unit.as_ref())?;
    let Some(unit_column) = unit_column else {
        return Ok(match said {
            Some(unit) => (values.iter().map(|v| unit.si(*v)).collect(), unit.dimension),
            None => (values.into_owned(), Dimension::NONE),
        });
    };
    let column = unit_column.column;
    let plain = Categories { names: vec![String::new()], codes: vec![0; values.len()] };
    // Weights without a unit have an empty one in tables that runs write.
    let names = if column.missing.len() == count { plain } else { texts(column)? };
    // Where a unit first stands.
    let at = |refused: Refused, code: usize| match names.codes.iter().position(|c| *c as usize == code) {
        Some(row) => refused.in_cell(row, column.name.as_str()),
        None => refused,
    };
    let mut units = Vec::with_capacity(names.names.len());
    for (code, text) in names.names.iter().enumerate() {
        let unit = if text.is_empty() {
            FileUnit { text: String::new(), scale: 1.0, dimension: Dimension::NONE }
        } else {
            FileUnit::parse(text).ok_or_else(|| {
                let what = format!("column `{}` holds `{text}`, which is no unit", column.name);
                at(Refused::new(what, "write a unit, such as `pA`, `nS` or `mV`"), code)
            })?
        };
        if let Some(said) = &said
            && !said.agrees(&unit)
        {
            let what = format!(
                "the unit of column `{}` is `{}` by `weight_unit` of its rows and `{}` elsewhere",
                found.column.name, unit.text, said.text
            );
            return Err(at(Refused::new(what, "say it once"), code));
        }
        units.push(unit);
    }
    let dimension = units.first().map_or(Dimension::NONE, |u| u.dimension);
    if let Some(code) = units.iter().position(|u| u.dimension != dimension) {
        let what = format!("column `{}` mixes `{}` with `{}`", column.name, units[0].text, units[code].text);
        return Err(at(Refused::new(what, "weights of one projection measure one thing"), code));
    }
    let si = values.iter().zip(&names.codes).map(|(v, &code)| units[code as usize].si(*v)).collect();
    Ok((si, dimension))
}

impl EdgeFile {
    /// The connections of some rows.
    fn picked(self, rows: &[usize]) -> Self {
        let of = |values: Vec<f64>| rows.iter().map(|&k| values[k]).collect();
        Self {
            source: self.source.of_rows(rows),
            target: self.target.of_rows(rows),
            weight: self.weight.map(|(values, dimension)| (of(values), dimension)),
            delay: self.delay.map(of),
            rows: rows.iter().map(|&k| self.rows[k]).collect(),
            columns: self.columns,
            notes: self.notes,
        }
    }
}
