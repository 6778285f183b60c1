//! A file while it is read by its declaration.

use std::borrow::Cow;
use std::collections::HashSet;

use super::super::column::Categories;
use super::super::file_columns::{FileColumn, FileColumns};
use super::unit::splits;
use super::{Cells, FileData, FileTable, FileUnit, Ids, Refused, counted, quoted};
use spikedeck_core::diagnostic::did_you_mean;
use spikedeck_core::units::Dimension;

/// Whether `name` is one of the names of a column, with a unit at its end or without; `unitID`, `Unit ID` and `unit-id`
/// are `unit_id`.
pub(crate) fn is_named(column: &FileColumn, name: &str) -> bool {
    named(column, name).is_some()
}

/// The unit in the name of a column, if the name is one of those declared.
fn named(column: &FileColumn, name: &str) -> Option<Option<FileUnit>> {
    let name = name.trim();
    let known = |text: &str| {
        let text = text.to_lowercase().replace([' ', '-', '.'], "_");
        // Where a name may end with a unit, `time_s` is no `times`.
        let joined = (column.ending.is_empty() || !text.contains('_')).then(|| text.replace('_', ""));
        column.names.iter().any(|n| *n == text || joined.as_deref() == Some(n.replace('_', "").as_str()))
    };
    if known(name) {
        return Some(None);
    }
    if column.ending.is_empty() {
        return None;
    }
    splits(name).find(|(base, _)| known(base)).map(|(_, unit)| Some(unit))
}

/// A column that was found: where, and the unit in its name.
#[derive(Debug, Clone)]
pub(super) struct ColumnMatch<'a> {
    pub column: &'a FileData,
    pub unit: Option<FileUnit>,
}

/// A file while it is read: what was used of it is kept.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    pub table: &'a FileTable,
    columns: &'static FileColumns,
    used: Vec<bool>,
}

impl<'a> Opened<'a> {
    /// Begins reading `table` as what `columns` declare.
    ///
    /// # Errors
    /// Two columns of one name.
    pub fn new(table: &'a FileTable, columns: &'static FileColumns) -> Result<Self, Refused> {
        let mut names: Vec<&str> = table.columns.iter().map(|c| c.name.trim()).filter(|n| !n.is_empty()).collect();
        names.sort_unstable();
        if let Some([twice, _]) = names.array_windows().find(|[a, b]| a == b) {
            return Err(Refused::new(
                format!("this file has two columns `{twice}`"),
                "give one of them another name, or remove it",
            )
            .in_name(*twice));
        }
        Ok(Self { table, columns, used: vec![false; table.columns.len()] })
    }

    /// The column declared as `name`, if the file has it.
    ///
    /// # Errors
    /// Two columns that both could be it.
    pub fn find(&mut self, name: &str) -> Result<Option<ColumnMatch<'a>>, Refused> {
        let declared = self.columns.column(name);
        let named = |(at, column): (usize, &'a FileData)| {
            named(declared, &column.name).map(|unit| (at, ColumnMatch { column, unit }))
        };
        let mut found: Vec<_> = self.table.columns.iter().enumerate().filter_map(named).collect();
        // A column of dates beside one of numbers is not meant, whatever it is called.
        if found.len() > 1 && found.iter().any(|f| f.1.column.cells.are_readable()) {
            found.retain(|f| f.1.column.cells.are_readable());
        }
        if let [(_, first), (_, second), ..] = &found[..] {
            let (first, second) = (&first.column.name, &second.column.name);
            return Err(Refused::new(
                format!("columns `{first}` and `{second}` of this file both are the {name}"),
                "keep the one that is meant, or give the other a name of its own",
            )
            .in_name(second.as_str()));
        }
        Ok(found.pop().map(|(at, found)| {
            self.used[at] = true;
            found
        }))
    }

    /// The column of units, or that of channels where there is none.
    ///
    /// # Errors
    /// Two columns that both could be it.
    pub fn find_unit(&mut self) -> Result<Option<ColumnMatch<'a>>, Refused> {
        match self.find("unit")? {
            None => self.find("channel"),
            found => Ok(found),
        }
    }

    /// Refuses rows of several trials: their times begin anew, and would fall on each other.
    ///
    /// # Errors
    /// When there are several.
    pub fn one_trial(&mut self) -> Result<(), Refused> {
        let Some(found) = self.find("trial")? else { return Ok(()) };
        let all = texts(found.column)?.names;
        match &all[..] {
            [] | [_] => Ok(()),
            [first, second, ..] => Err(Refused::new(
                format!(
                    "this file holds {} of {} trials (column `{}`: {first}, {second}, ...), and times begin anew in \
                     each",
                    self.columns.name,
                    all.len(),
                    found.column.name
                ),
                "open the folder of the run, which knows how they belong together; or keep the rows of one trial; or \
                 write times on one axis, leave the column out and say with `trials` when each trial began",
            )
            .in_name(found.column.name.as_str())),
        }
    }

    /// The same of a column that has to be there.
    ///
    /// # Errors
    /// Nothing or two of them; what is accepted and what is there.
    pub fn need(&mut self, name: &str) -> Result<ColumnMatch<'a>, Refused> {
        self.find(name)?.ok_or_else(|| self.lacks(name))
    }

    /// That a column is not there: what is accepted, and what is there.
    pub fn lacks(&self, name: &str) -> Refused {
        let declared = self.columns.column(name);
        Refused::new(
            format!("this file has no column `{}`; its columns are {}", declared.recommended(), self.table.present()),
            self.accepted(),
        )
        .in_heading()
    }

    /// The columns that a file of this kind may have, in words.
    fn accepted(&self) -> String {
        let list: Vec<String> = self
            .columns
            .columns
            .iter()
            .map(|c| {
                let others: Vec<&str> = c.names[1..].to_vec();
                let mut notes = Vec::new();
                if !others.is_empty() {
                    notes.push(format!("or {}", others.join(", ")));
                }
                if !c.required {
                    notes.push("may be left out".to_owned());
                }
                let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
                format!("`{}`{notes}", c.recommended())
            })
            .collect();
        format!("{} are read from columns {}", self.columns.name, list.join(", "))
    }

    /// Marks columns of the file as used.
    pub fn uses(&mut self, columns: &[&FileData]) {
        let used: HashSet<*const FileData> = columns.iter().map(|c| std::ptr::from_ref(*c)).collect();
        for (column, own) in self.table.columns.iter().zip(&mut self.used) {
            *own |= used.contains(&std::ptr::from_ref(column));
        }
    }

    /// Columns that nothing was read from.
    pub fn unused(&self) -> impl Iterator<Item = &'a FileData> + use<'a, '_> {
        self.table.columns.iter().zip(&self.used).filter(|(_, used)| !**used).map(|(c, _)| c)
    }

    /// A note that names the columns that were not used; none if there are none.
    pub fn left(&self) -> Option<String> {
        let names: Vec<&str> = self.unused().map(shown).collect();
        let (first, rest) = names.split_first()?;
        if rest.is_empty() {
            let near = self.near(first).map_or_else(String::new, |n| format!(" (did you mean `{n}`?)"));
            return Some(format!("column `{first}` of this file has no meaning here and is not used{near}"));
        }
        Some(format!("columns {} of this file have no meaning here and are not used", quoted(names.iter().copied())))
    }

    /// A note that there is nothing but a heading.
    pub fn none(&self) -> Option<String> {
        let rows = "this file has a heading and no rows: 0 rows";
        (self.table.rows == 0).then(|| format!("{rows}, so that it lists no {}", self.columns.name))
    }

    /// Refuses columns that have no meaning.
    ///
    /// # Errors
    /// The first of them, and what may have been meant.
    pub fn finish(&self) -> Result<(), Refused> {
        // An index without a heading, which some programs put first, says nothing.
        let Some(first) = self.unused().find(|c| !c.name.trim().is_empty()) else { return Ok(()) };
        let help = self.near(&first.name).map_or_else(
            || format!("{}; remove the column", self.accepted()),
            |near| format!("did you mean `{near}`? {}", self.accepted()),
        );
        Err(Refused::new(format!("column `{}` of this file has no meaning here", first.name), help)
            .in_name(first.name.as_str()))
    }

    /// The declared name that a strange one is near to, and that no other column of the file has.
    fn near(&self, name: &str) -> Option<&'static str> {
        let free = self.columns.columns.iter().filter(|c| !self.table.columns.iter().any(|d| is_named(c, &d.name)));
        let names: Vec<&'static str> = free.flat_map(|c| c.names.iter().copied()).collect();
        let base = splits(name.trim()).next().map_or(name.trim(), |(base, _)| base);
        did_you_mean(name.trim(), names.iter().copied()).or_else(|| did_you_mean(base, names))
    }

    /// The unit of a column: what its name, its type, the metadata of the file (`NAME_unit`) and the scenario say.
    ///
    /// # Errors
    /// When two of them differ, or one is no unit.
    pub fn unit(
        &self,
        found: &ColumnMatch<'_>,
        declared: &str,
        given: Option<&FileUnit>,
    ) -> Result<Option<FileUnit>, Refused> {
        let mut said: Vec<(FileUnit, String)> = Vec::new();
        if let Some(unit) = &found.unit {
            said.push((unit.clone(), format!("its name `{}`", found.column.name)));
        }
        let key = format!("{declared}_unit");
        let metadata = self.table.metadata.iter().find(|(k, _)| k.eq_ignore_ascii_case(&key)).map(|(_, v)| v.as_str());
        for (text, where_) in [(found.column.unit.as_deref(), "its type"), (metadata, "the metadata of the file")] {
            let Some(text) = text else { continue };
            let unit = FileUnit::parse(text).ok_or_else(|| {
                Refused::new(
                    format!("{where_} says that column `{}` is in `{text}`, which is no unit", found.column.name),
                    "write a unit, such as `ms`, `s` or `pA`",
                )
                .in_name(found.column.name.as_str())
            })?;
            said.push((unit, where_.to_owned()));
        }
        if let Some(unit) = given {
            said.push((unit.clone(), format!("`{key}`")));
        }
        if let Some((first, rest)) = said.split_first()
            && let Some(other) = rest.iter().find(|s| !s.0.agrees(&first.0))
        {
            return Err(Refused::new(
                format!(
                    "the unit of column `{}` is `{}` by {} and `{}` by {}",
                    found.column.name, first.0.text, first.1, other.0.text, other.1
                ),
                "say it once",
            )
            .in_name(found.column.name.as_str()));
        }
        Ok(said.into_iter().next().map(|s| s.0))
    }

    /// The unit of a column of times in a scenario or file whose times are in seconds (or plain).
    ///
    /// # Errors
    /// When it is no unit of time, or there is none where one is due, or one where none is.
    pub fn time_unit(
        &self,
        found: &ColumnMatch<'_>,
        declared: &str,
        given: Option<&FileUnit>,
        plain: bool,
    ) -> Result<Option<FileUnit>, Refused> {
        let name = &found.column.name;
        let base = self.columns.column(declared).names[0];
        match self.unit(found, declared, given)? {
            Some(unit) if unit.dimension != Dimension::SECOND => Err(Refused::new(
                format!("column `{name}` is a time, and `{}` is no unit of time", unit.text),
                format!("call it `{base}_ms` or `{base}_s`"),
            )
            .in_name(name.as_str())),
            Some(_) if plain => Err(Refused::new(
                format!("column `{name}` has a unit of time, and all models here are dimensionless"),
                format!("call it `{base}`, and give times as plain numbers"),
            )
            .in_name(name.as_str())),
            None if !plain => Err(Refused::new(
                format!("column `{name}` of this file has no unit, and times have one here"),
                if ["spikes", "signals", "connections"].contains(&self.columns.name) {
                    format!(
                        "call it `{base}_ms` or `{base}_s`, or say `{declared}_unit = \"ms\"` beside the file's name"
                    )
                } else {
                    format!("call it `{base}_ms` or `{base}_s`")
                },
            )
            .in_name(name.as_str())),
            unit => Ok(unit),
        }
    }
}

/// A name to be shown.
fn shown(column: &FileData) -> &str {
    if column.name.trim().is_empty() { "(no name)" } else { &column.name }
}

/// That rows of a column are not what they should be; rows count from 1, without the heading.
fn bad_rows(column: &FileData, rows: &[usize], what: &str) -> Refused {
    let first = rows[0] + 1;
    let more = if rows.len() > 1 {
        let next: Vec<String> = rows[1..].iter().take(3).map(|r| (r + 1).to_string()).collect();
        let end = if rows.len() > 4 { ", ..." } else { "" };
        let word = if rows.len() == 2 { "row" } else { "rows" };
        format!(", and so {} ({word} {}{end})", counted(rows.len() - 1, "other", "others"), next.join(", "))
    } else {
        String::new()
    };
    Refused::new(
        format!("row {first} of column `{}` {what}{more}", shown(column)),
        "mend or remove these rows; nothing is taken in the place of a value that is not there",
    )
    .in_cell(rows[0], column.name.as_str())
}

/// The column cannot be read.
fn unreadable(column: &FileData, what: &str, wanted: &str) -> Refused {
    Refused::new(
        format!("column `{}` holds {what}, and {wanted} are needed", shown(column)),
        format!("write the file with {wanted} in this column"),
    )
    .in_name(column.name.as_str())
}

/// Finite numbers in every row.
pub(super) fn numbers(column: &FileData) -> Result<Cow<'_, [f64]>, Refused> {
    if !column.missing.is_empty() && !matches!(column.cells, Cells::Unreadable(_) | Cells::Unread) {
        return Err(bad_rows(column, &column.missing, "is empty"));
    }
    match &column.cells {
        Cells::Numbers(values) => {
            let bad: Vec<usize> = (0..values.len()).filter(|&k| !values[k].is_finite()).collect();
            match bad.first() {
                None => Ok(Cow::Borrowed(values)),
                Some(&first) => {
                    let what = if values[first].is_nan() { "is not a number (NaN)" } else { "is infinite" };
                    Err(bad_rows(column, &bad, what))
                }
            }
        }
        Cells::Whole(values) => Ok(Cow::Owned(values.iter().map(|v| *v as f64).collect())),
        Cells::Texts(texts) => {
            let parsed: Vec<Option<f64>> = texts.names.iter().map(|t| number(t)).collect();
            let bad: Vec<usize> =
                (0..texts.codes.len()).filter(|&k| parsed[texts.codes[k] as usize].is_none()).collect();
            match bad.first() {
                None => Ok(Cow::Owned(texts.codes.iter().filter_map(|&c| parsed[c as usize]).collect())),
                Some(&first) => Err(bad_rows(column, &bad, &format!("is no number: `{}`", texts.text(first)))),
            }
        }
        Cells::Unreadable(what) => Err(unreadable(column, what, "numbers")),
        Cells::Unread => Err(unreadable(column, "what was left in the file", "numbers")),
    }
}

/// A note that whole numbers of a column are larger than doubles hold to the last digit; none where they are not.
pub(super) fn rounded(column: &FileData) -> Option<String> {
    let Cells::Whole(values) = &column.cells else { return None };
    let largest = values.iter().map(|v| v.unsigned_abs()).max().filter(|v| *v > EXACT)?;
    let step = 1_u64 << (64 - largest.leading_zeros() - f64::MANTISSA_DIGITS);
    Some(format!(
        "column `{}` holds whole numbers up to {largest}, which are taken to the nearest multiple of {step}",
        shown(column)
    ))
}

/// The largest number up to which doubles hold every whole one.
const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;

/// A finite number as a text writes it.
fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|v: &f64| v.is_finite())
}

/// Ids in every row: whole numbers, or names.
pub(super) fn ids(column: &FileData) -> Result<Ids, Refused> {
    if !column.missing.is_empty() && !matches!(column.cells, Cells::Unreadable(_) | Cells::Unread) {
        return Err(bad_rows(column, &column.missing, "is empty"));
    }
    match &column.cells {
        Cells::Whole(values) => Ok(Ids::Numbers(values.clone())),
        Cells::Numbers(values) => {
            // Beyond 2^53 neighbours are one number.
            let whole = |v: f64| v.fract() == 0.0 && v.abs() < 9_007_199_254_740_992.0;
            let bad: Vec<usize> = (0..values.len()).filter(|&k| !whole(values[k])).collect();
            match bad.first() {
                None => Ok(Ids::Numbers(values.iter().map(|v| *v as i64).collect())),
                Some(&first) => Err(bad_rows(column, &bad, &format!("is no whole number: {}", values[first]))),
            }
        }
        Cells::Texts(texts) => {
            let parsed: Option<Vec<i64>> = texts.names.iter().map(|t| t.trim().parse().ok()).collect();
            Ok(match parsed {
                Some(parsed) => Ids::Numbers(texts.codes.iter().map(|&c| parsed[c as usize]).collect()),
                None => Ids::named(&texts.names, &texts.codes),
            })
        }
        Cells::Unreadable(what) => Err(unreadable(column, what, "ids")),
        Cells::Unread => Err(unreadable(column, "what was left in the file", "ids")),
    }
}

/// Text in every row.
pub(super) fn texts(column: &FileData) -> Result<Categories, Refused> {
    if !column.missing.is_empty() && !matches!(column.cells, Cells::Unreadable(_) | Cells::Unread) {
        return Err(bad_rows(column, &column.missing, "is empty"));
    }
    let of = |texts: Vec<String>| match FileData::texts("", texts).cells {
        Cells::Texts(names) => names,
        _ => unreachable!("a column of texts was made"),
    };
    match &column.cells {
        Cells::Texts(texts) => Ok(texts.clone()),
        Cells::Whole(values) => Ok(of(values.iter().map(ToString::to_string).collect())),
        Cells::Numbers(values) => Ok(of(values.iter().map(ToString::to_string).collect())),
        Cells::Unreadable(what) => Err(unreadable(column, what, "names")),
        Cells::Unread => Err(unreadable(column, "what was left in the file", "names")),
    }
}
