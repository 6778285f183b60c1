//! Outcomes → `analyses/NAME`, one table a shape, and back.

use std::collections::BTreeMap;

use super::error::TableError;
use super::manifest::{AnalysisEntry, ShapeEntry, UnitsEntry};
use super::place::RunPlace;
use super::shapes;
use super::tables::Tables;
use spikedeck_signal::{Metric, NamedShape, Outcome, Shape, UnitTable};
use spikedeck_store::Table;

/// What the rate below a raster is called.
fn rate_of(raster: &str) -> String {
    format!("{raster} (rate below)")
}

/// Longest name of a file without its ending, in bytes: with ending, number and what a temporary name adds it is below
/// the 255 that file systems take. A population and its trace fit.
const LONGEST: usize = 204;

/// A file name from a name: letters, digits, `-`, `_` and `.` stay, everything else becomes `-`.
pub(super) fn file_name(name: &str) -> String {
    let text = plain(name.trim());
    let text = text.trim_matches(|c| c == '-' || c == '.');
    if text.is_empty() { "unnamed".into() } else { cut(text).to_owned() }
}

/// Everything that is no part of file names as `-`.
pub(super) fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect()
}

/// As much of a name as file systems take.
pub(super) fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST)]
}

/// Writes the shapes of `outcomes` into `folder/analyses`: the first shape of an outcome is `NAME`, others are
/// `NAME-SHAPE`.
pub(super) fn write(
    place: &RunPlace<'_>,
    outcomes: &[Outcome],
    rows: &mut BTreeMap<String, u64>,
) -> Result<Vec<AnalysisEntry>, TableError> {
    let mut entries = Vec::new();
    for outcome in outcomes {
        let mut entry = AnalysisEntry {
            name: outcome.name.clone(),
            kind: outcome.kind.clone(),
            title: outcome.title.clone(),
            summary: outcome.summary.clone(),
            warnings: outcome.warnings.clone(),
            failure: outcome.failure.clone(),
            settings: outcome.settings.clone(),
            grounds: outcome.grounds.clone(),
            shapes: Vec::new(),
            units: Vec::new(),
        };
        for (k, named) in outcome.shapes.iter().enumerate() {
            let stem =
                if k == 0 { file_name(&outcome.name) } else { file_name(&format!("{}-{}", outcome.name, named.name)) };
            let (table, mut rest) = shapes::to_table(&named.shape);
            let rate = shapes::raster_rate(&mut rest);
            let file = put(place, &stem, table, Some(&rest), rows)?;
            entry.shapes.push(ShapeEntry { name: named.name.clone(), file, shape: rest, is_rate_below: false });
            if let Some(rate) = rate {
                let (table, rest) = shapes::to_table(&rate);
                let file = put(place, &format!("{stem}-rate"), table, Some(&rest), rows)?;
                entry.shapes.push(ShapeEntry { name: rate_of(&named.name), file, shape: rest, is_rate_below: true });
            }
        }
        for units in &outcome.units {
            let stem = file_name(&format!("{}-units-{}", outcome.name, units.subject));
            let file = put(place, &stem, shapes::table_of(units.columns()), None, rows)?;
            entry.units.push(UnitsEntry { file, table: units.without_rows() });
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Writes a table, with what is left of its shape where it is of one; the file's name, which is that of no other.
fn put(
    place: &RunPlace<'_>,
    stem: &str,
    table: Table,
    rest: Option<&Shape>,
    rows: &mut BTreeMap<String, u64>,
) -> Result<String, TableError> {
    let path = place.path("analyses");
    std::fs::create_dir_all(&path).map_err(|e| TableError::io(&path, e))?;
    let mut file = place.file(&format!("analyses/{stem}"));
    let mut k = 2;
    while rows.contains_key(&file) {
        file = place.file(&format!("analyses/{stem}-{k}"));
        k += 1;
    }
    // The table carries the shape's description too, so that the file alone says what its columns are.
    let table = match rest {
        Some(rest) => table.meta("spikedeck.shape", serde_json::to_string(rest).expect("a shape is plain data")),
        None => table,
    };
    rows.insert(file.clone(), place.write(&file, &table)?);
    Ok(file)
}

/// Reads outcomes back; a shape whose table is missing is left out with a warning.
pub(super) fn read(tables: &Tables<'_>, all: &[Metric], warnings: &mut Vec<String>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for entry in &tables.manifest.analyses {
        let mut outcome = Outcome {
            name: entry.name.clone(),
            kind: entry.kind.clone(),
            title: entry.title.clone(),
            shapes: Vec::new(),
            units: Vec::new(),
            metrics: all.iter().filter(|m| m.analysis == entry.name).cloned().collect(),
            summary: entry.summary.clone(),
            warnings: entry.warnings.clone(),
            failure: entry.failure.clone(),
            settings: entry.settings.clone(),
            grounds: entry.grounds.clone(),
        };
        for (k, shape) in entry.shapes.iter().enumerate() {
            let read = tables.read(&shape.file).and_then(|t| shapes::from_table(&shape.shape, &t));
            let before = k.checked_sub(1).map(|k| entry.shapes[k].name.as_str());
            // Older programs said it by the name alone.
            let is_rate = shape.is_rate_below || before.is_some_and(|raster| shape.name == rate_of(raster));
            match read {
                Ok(Shape::Series(rate)) if is_rate => {
                    if let Some(NamedShape { name, shape: Shape::Raster(raster), .. }) = outcome.shapes.last_mut()
                        && before == Some(name.as_str())
                    {
                        raster.rate = rate;
                    }
                }
                Ok(read) => outcome.shapes.push(NamedShape::new(shape.name.clone(), read)),
                Err(error) => warnings.push(format!("{} is left out: {error}", shape.file)),
            }
        }
        for units in &entry.units {
            match tables.read(&units.file).and_then(|t| units_of(&units.table, &t)) {
                Ok(read) => outcome.units.push(read),
                Err(error) => warnings.push(format!("{} is left out: {error}", units.file)),
            }
        }
        outcomes.push(outcome);
    }
    outcomes
}

/// Numbers of single units from their table; `rest` is the same without rows.
fn units_of(rest: &UnitTable, table: &Table) -> Result<UnitTable, TableError> {
    let mut read = rest.clone();
    read.units = table.unit_numbers("unit")?;
    read.names = table.get("name").map(|_| table.texts("name")).transpose()?;
    let columns = read.columns();
    let measured = &columns[columns.len() - read.measures.len()..];
    for (measure, column) in read.measures.iter_mut().zip(measured) {
        measure.values = table.numbers(&column.name)?;
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, file_name};

    #[test]
    fn names_become_file_names() {
        assert_eq!(file_name("psd"), "psd");
        assert_eq!(file_name("../../etc/passwd"), "etc-passwd");
        assert_eq!(file_name("a b/ü"), "a-b-ü");
        assert_eq!(file_name("..."), "unnamed");
        let long = file_name(&"ü".repeat(300));
        assert!(long.len() <= LONGEST && long.chars().all(|c| c == 'ü'));
    }
}
