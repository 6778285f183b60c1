//! Sampled signals: for a stimulus, or recorded elsewhere.

use super::super::file_columns::{FileColumn, FileColumns};
use super::columns::{ColumnMatch, Opened, ids, is_named, numbers, rounded};
use super::spikes::{CHANNEL, TIME, TRIAL, UNIT};
use super::unit::splits;
use super::{Cells, FileData, FileTable, FileUnit, Ids, Refused, counted, quoted};
use spikedeck_core::diagnostic::did_you_mean;

/// Columns of a file with a signal.
pub static SIGNAL: FileColumns = FileColumns {
    name: "signals",
    about: "samples of an input, evenly spaced in time: `file` of a `file` stimulus, or somebody's recording that \
            is opened in the place of a run",
    columns: &[
        FileColumn {
            required: false,
            about: "when the sample is taken; without it `interval` or `rate` beside the file's name says \
                    how far apart samples are",
            ..TIME
        },
        FileColumn {
            about: "the unit that the sample is of, where all units stand below each other; traces of a run are \
                    such files",
            ..UNIT
        },
        FileColumn { about: "the channel that the sample is of, in a file that has no column of units", ..CHANNEL },
        TRIAL,
    ],
    others: Some(
        "values, in the unit at the end of their names or in the `unit` that the stimulus states: one column \
         for all units, or one each",
    ),
};

/// A column of values.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalColumn {
    /// Its name in the file.
    pub name: String,
    /// Its name without the unit.
    pub base: String,
    /// The unit that its name or type says, if it does.
    pub unit: Option<FileUnit>,
    /// Whether that is said in so many words: by the type, the metadata, in brackets, or by a column of units of
    /// measure. A letter at the end of a name (`V_m`) may be part of it.
    pub is_stated: bool,
    /// The number of the unit, where units stand below each other; else 0.
    pub id: i64,
    /// Samples.
    pub values: Vec<f64>,
}

/// A signal of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalFile {
    /// Times of the samples in `unit`; none without such a column.
    pub times: Option<Vec<f64>>,
    /// Their unit; none where they are plain numbers.
    pub unit: Option<FileUnit>,
    /// What the column of times is called in the file.
    pub time_column: String,
    /// The first row, from 1, of each time; empty where each time has the row of its place.
    pub rows: Vec<usize>,
    /// Whether units stand below each other in the file.
    pub long: bool,
    /// What these units are called, where that is not their number; else empty.
    pub names: Vec<String>,
    /// Columns of values, in the order of the file; of units below each other variable by variable.
    pub columns: Vec<SignalColumn>,
    /// What should be known of the file.
    pub notes: Vec<String>,
}

/// What the reader of signals is told.
#[derive(Debug, Clone, Default)]
pub struct SignalKeys<'a> {
    /// The unit of times that was stated beside the file.
    pub time_unit: Option<FileUnit>,
    /// Whether times are plain numbers; not known of recordings.
    pub plain: Option<bool>,
    /// The columns that are meant; all of numbers without it.
    pub columns: Option<&'a [String]>,
}

/// Reads a table of samples.
///
/// # Errors
/// Every row and column that cannot be taken, with what is accepted and what is there.
pub fn signal(table: &FileTable, keys: &SignalKeys<'_>) -> Result<SignalFile, Refused> {
    let mut file = Opened::new(table, &SIGNAL)?;
    let (time, unit_column) = (file.find("time")?, file.find_unit()?);
    // A column that was asked for by name is a column of values, whatever it is called.
    let asked = |name: &str| keys.columns.is_some_and(|list| list.iter().any(|n| n == name));
    let unit_column = unit_column.filter(|found| !asked(&found.column.name));
    let found = |name: &str, column: &Option<ColumnMatch<'_>>| column.as_ref().is_some_and(|c| c.column.name == name);
    let is_channel = |name: &str| unit_column.is_some() && is_named(&CHANNEL, name) && !asked(name);
    let is_trial = |name: &str| is_named(&TRIAL, name) && !asked(name);
    let is_axis = |name: &str| found(name, &time) || found(name, &unit_column) || is_channel(name) || is_trial(name);
    if table.columns.iter().any(|c| is_trial(&c.name)) {
        file.one_trial()?;
    }
    if table.rows == 0 {
        return Err(Refused::new(
            "this file has a heading and no rows: 0 rows, so that it holds no samples",
            "a signal has at least two samples",
        )
        .in_heading());
    }
    let chosen = columns_of_values(table, keys, is_axis)?;
    file.uses(&chosen);
    let mut notes = Vec::new();
    notes.extend(chosen.iter().copied().chain(time.as_ref().map(|t| t.column)).filter_map(rounded));
    if time.is_none() && chosen.len() > table.rows {
        notes.push(format!(
            "{} of {} each: a row is a sample of all channels; where the file has a row a channel, turn it first",
            counted(chosen.len(), "column", "columns"),
            counted(table.rows, "sample", "samples")
        ));
    }
    if keys.columns.is_none() {
        notes.extend(left_out(&file)?);
    }
    if chosen.is_empty() {
        return Err(Refused::new(
            format!("this file has no column of values; its columns are {}", table.present()),
            "a signal has one column for all units, or one each",
        )
        .in_heading());
    }
    let mut columns = chosen.into_iter().map(values_of).collect::<Result<Vec<_>, _>>()?;
    // A column called `unit` may hold what the values are measured in.
    let measure = unit_column.as_ref().map(|found| measured_in(found.column, "V")).transpose()?.flatten();
    if let Some((measure, found)) = measure.as_ref().zip(unit_column.as_ref()) {
        notes.push(take_measure(&mut columns, measure, &found.column.name)?);
    }
    let unit_column = unit_column.filter(|_| measure.is_none());
    let unit = match (&time, keys.plain) {
        (None, _) => None,
        (Some(found), Some(plain)) => file.time_unit(found, "time", keys.time_unit.as_ref(), plain)?,
        (Some(found), None) => match file.unit(found, "time", keys.time_unit.as_ref())? {
            None => None,
            Some(_) => file.time_unit(found, "time", keys.time_unit.as_ref(), false)?,
        },
    };
    let time_column = time.as_ref().map_or_else(String::new, |found| found.column.name.clone());
    let times = time.map(|found| numbers(found.column).map(std::borrow::Cow::into_owned)).transpose()?;
    let whole =
        SignalFile { times, unit, time_column, rows: Vec::new(), long: false, names: Vec::new(), columns, notes };
    match unit_column {
        None => Ok(whole),
        Some(found) => whole.unfolded(&ids(found.column)?, &found.column.name),
    }
}

/// The columns of values: those that were asked for, else all that hold numbers and are no axis.
fn columns_of_values<'t>(
    table: &'t FileTable,
    keys: &SignalKeys<'_>,
    is_axis: impl Fn(&str) -> bool,
) -> Result<Vec<&'t FileData>, Refused> {
    let Some(list) = keys.columns else {
        let values = |c: &&FileData| {
            !is_axis(&c.name) && matches!(c.cells, Cells::Numbers(_) | Cells::Whole(_)) && !c.name.trim().is_empty()
        };
        return Ok(table.columns.iter().filter(values).collect());
    };
    let one = |name: &String| {
        table.columns.iter().find(|c| c.name.trim() == name.trim()).ok_or_else(|| {
            let names = table.columns.iter().map(|c| c.name.as_str()).filter(|n| !is_axis(n));
            let help = did_you_mean(name, names.clone()).map_or_else(
                || format!("its columns of values are {}", quoted(names)),
                |n| format!("did you mean `{n}`?"),
            );
            Refused::new(format!("this file has no column `{name}`"), help)
        })
    };
    list.iter().map(one).collect()
}

/// What to say of the columns that hold no numbers. One cell that is no number does not take its column away.
fn left_out(file: &Opened<'_>) -> Result<Option<String>, Refused> {
    for column in file.unused() {
        if let Cells::Texts(texts) = &column.cells
            && texts.names.iter().any(|t| t.trim().parse::<f64>().is_ok())
        {
            numbers(column)?;
        }
    }
    let left: Vec<&str> =
        file.unused().map(|c| if c.name.is_empty() { "(no name)" } else { c.name.as_str() }).collect();
    let of = quoted(left.iter().copied());
    Ok(match left.len() {
        0 => None,
        1 => Some(format!("column {of} of this file holds no numbers and is not used")),
        _ => Some(format!("columns {of} of this file hold no numbers and are not used")),
    })
}

/// The values of a column, with the unit that it states or its name ends with.
fn values_of(column: &FileData) -> Result<SignalColumn, Refused> {
    let stated = column.unit.as_deref().and_then(FileUnit::parse);
    let (base, unit) = match splits(column.name.trim()).next() {
        Some((base, unit)) => (base.to_owned(), Some(unit)),
        None => (column.name.trim().to_owned(), None),
    };
    let values = numbers(column)?.into_owned();
    let is_stated = stated.is_some() || column.name.trim().ends_with([')', ']']);
    Ok(SignalColumn { name: column.name.clone(), base, unit: stated.or(unit), is_stated, id: 0, values })
}

/// Gives the one column of values the unit that the column `stated_by` states; what should be known of it.
///
/// # Errors
/// When its name says another.
fn take_measure(columns: &mut [SignalColumn], measure: &FileUnit, stated_by: &str) -> Result<String, Refused> {
    let [only] = columns else {
        return Ok(format!(
            "column `{stated_by}` says `{}` and not of which of {} columns of values, so that none is in it: a unit at \
             the end of its name (`v_mV`) is that of a column",
            measure.text,
            columns.len()
        ));
    };
    let own = only.unit.as_ref().filter(|own| !own.agrees(measure));
    match own.filter(|own| only.is_stated || own.text.len() > 1) {
        Some(own) => Err(Refused::new(
            format!(
                "column `{}` is in {} by its name and in {} by column `{stated_by}`",
                only.name, own.text, measure.text
            ),
            "let both say the same, or leave one out",
        )
        .in_name(only.name.as_str())),
        None => {
            (only.unit, only.is_stated) = (Some(measure.clone()), true);
            Ok(format!("column `{stated_by}` says what `{}` is measured in: {}", only.name, measure.text))
        }
    }
}

/// The unit of measure that a column of units states in each row (`mV`), if it holds such and no units of a population.
/// Of single letters `letter` alone is one: others are more often names.
///
/// # Errors
/// Rows in different ones: they are different variables below each other.
pub(super) fn measured_in(column: &FileData, letter: &str) -> Result<Option<FileUnit>, Refused> {
    let Cells::Texts(texts) = &column.cells else { return Ok(None) };
    let is_long = |text: &&String| text.trim().len() > 1 || text.trim() == letter;
    let units: Vec<FileUnit> = texts.names.iter().filter(is_long).filter_map(|t| FileUnit::parse(t)).collect();
    match &units[..] {
        [unit] if texts.names.len() == 1 => Ok(Some(unit.clone())),
        [one, other, ..] if texts.names.len() == units.len() => Err(Refused::new(
            format!("column `{}` says that some rows are in {} and others in {}", column.name, one.text, other.text),
            "give each variable a column of its own, with its unit at the end of the name (`V_m_mV`)",
        )
        .in_name(column.name.as_str())),
        _ => Ok(None),
    }
}

impl SignalFile {
    /// Units that stand below each other side by side: each has a sample at each time.
    fn unfolded(self, ids: &Ids, name: &str) -> Result<Self, Refused> {
        let Some(times) = &self.times else {
            return Err(Refused::new(
                format!("this file has a column `{name}` of units, but none of times"),
                "units below each other need the time of each sample; or give each unit a column of its own",
            )
            .in_name(name));
        };
        let (labels, units): (Vec<i64>, Vec<u32>) = match ids {
            Ids::Numbers(values) => {
                let mut known = values.clone();
                known.sort_unstable();
                known.dedup();
                let units = values.iter().map(|v| known.partition_point(|k| k < v) as u32).collect();
                (known, units)
            }
            Ids::Names { names, codes } => ((0..names.len() as i64).collect(), codes.clone()),
        };
        let names = ids.in_order().names;
        let mut moments: Vec<f64> = times.clone();
        moments.sort_by(f64::total_cmp);
        moments.dedup();
        let (n, m) = (moments.len(), labels.len());
        let row_of = grid(times, &units, (&moments, &labels)).map_err(|why| why.of_rows(&[], &self.time_column))?;
        let rows = row_of.chunks(m.max(1)).filter_map(|of| of.iter().min()).map(|row| row + 1).collect();
        let columns = self
            .columns
            .iter()
            .flat_map(|column| {
                labels
                    .iter()
                    .enumerate()
                    .map(|(at, label)| SignalColumn {
                        id: *label,
                        values: (0..n).map(|k| column.values[row_of[k * m + at]]).collect(),
                        ..column.clone()
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        Ok(Self { times: Some(moments), rows, long: true, names, columns, ..self })
    }
}

/// The row of each time and unit, unit by unit at each time, where every unit has one sample at every time. Takes as
/// much as there are rows, however many times and units they name.
fn grid(times: &[f64], units: &[u32], (moments, labels): (&[f64], &[i64])) -> Result<Vec<usize>, Refused> {
    let mut rows: Vec<usize> = (0..times.len()).collect();
    // Two zeros of different sign are one time.
    rows.sort_by(|&a, &b| (times[a] + 0.0).total_cmp(&(times[b] + 0.0)).then(units[a].cmp(&units[b])));
    let twice = |pair: &&[usize]| times[pair[0]] == times[pair[1]] && units[pair[0]] == units[pair[1]];
    if let Some(&[first, second]) = rows.windows(2).find(twice) {
        return Err(Refused::new(
            format!("rows {} and {} of this file are of one time and one unit", first + 1, second + 1),
            "a unit has one sample at each time",
        )
        .in_row(first.max(second)));
    }
    // None is there twice: where the k-th is another than the k-th of the grid, that one is missing.
    let m = labels.len();
    let is_missing = |k: usize| rows.get(k).is_none_or(|&r| times[r] != moments[k / m] || units[r] as usize != k % m);
    if moments.len().checked_mul(m) != Some(rows.len()) {
        let gap = (0..=rows.len()).find(|&k| is_missing(k)).expect("fewer rows than places leave one of them");
        return Err(Refused::new(
            format!(
                "this file has {} times and {m} units, but no sample of unit {} at time {}",
                moments.len(),
                labels[gap % m],
                moments[gap / m]
            ),
            "each unit has a sample at each time; for spikes leave out columns besides time, unit and population",
        ));
    }
    Ok(rows)
}
