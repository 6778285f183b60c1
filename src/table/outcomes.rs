//! Outcomes → `analyses/NAME`, one table a shape, and back.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::TableError;
use super::manifest::{AnalysisEntry, ShapeEntry, UnitsEntry};
use super::shapes;
use super::tables::Tables;
use spikedeck_signal::{Metric, NamedShape, Outcome, Shape, UnitTable};
use spikedeck_store::{self as store, Format};

/// Ending of the name of the shape that holds a raster's rate.
const RATE: &str = " (rate below)";

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
    folder: &Path,
    outcomes: &[Outcome],
    format: Format,
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
            shapes: Vec::new(),
            units: Vec::new(),
        };
        for (k, named) in outcome.shapes.iter().enumerate() {
            let stem =
                if k == 0 { file_name(&outcome.name) } else { file_name(&format!("{}-{}", outcome.name, named.name)) };
            let (table, mut rest) = shapes::to_table(&named.shape);
            let rate = shapes::raster_rate(&mut rest);
            let mut put = |stem: &str, name: String, table: store::Table, shape: Shape| {
                // The table carries the shape's description too, so that the file alone says what its columns are.
                let description = serde_json::to_string(&shape).unwrap_or_default();
                let file = put(folder, stem, table.meta("spikedeck.shape", description), format, rows)?;
                entry.shapes.push(ShapeEntry { name, file, shape });
                Ok::<(), TableError>(())
            };
            put(&stem, named.name.clone(), table, rest)?;
            if let Some(rate) = rate {
                let (table, rest) = shapes::to_table(&rate);
                put(&format!("{stem}-rate"), format!("{}{RATE}", named.name), table, rest)?;
            }
        }
        for units in &outcome.units {
            let stem = file_name(&format!("{}-units-{}", outcome.name, units.subject));
            let file = put(folder, &stem, shapes::table_of(units.columns()), format, rows)?;
            entry.units.push(UnitsEntry { file, table: units.without_rows() });
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Writes a table of `folder/analyses` under a name that no other has, which it returns.
fn put(
    folder: &Path,
    stem: &str,
    table: store::Table,
    format: Format,
    rows: &mut BTreeMap<String, u64>,
) -> Result<String, TableError> {
    let path = folder.join("analyses");
    std::fs::create_dir_all(&path).map_err(|e| TableError::io(&path, e))?;
    let mut file = format!("analyses/{stem}.{}", format.extension());
    let mut k = 2;
    while rows.contains_key(&file) {
        file = format!("analyses/{stem}-{k}.{}", format.extension());
        k += 1;
    }
    rows.insert(file.clone(), store::write(&folder.join(&file), &table, format)?);
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
        };
        for shape in &entry.shapes {
            let read = tables.read(&shape.file).and_then(|t| shapes::from_table(&shape.shape, &t));
            match read {
                Ok(Shape::Series(rate)) if shape.name.ends_with(RATE) => {
                    if let Some(NamedShape { shape: Shape::Raster(raster), .. }) = outcome.shapes.last_mut() {
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
fn units_of(rest: &UnitTable, table: &store::Table) -> Result<UnitTable, TableError> {
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
