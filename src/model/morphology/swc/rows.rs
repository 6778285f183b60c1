//! The lines of an SWC file as words, and where the columns stand among them.

use std::ops::Range;

use super::{SWC, Wrong, line_of_columns};
use spikedeck_signal::FileColumn;

/// A line with words.
pub(super) struct Row<'a> {
    pub line: usize,
    pub span: Range<usize>,
    pub words: Vec<&'a str>,
    /// Where each word begins in the text.
    pub starts: Vec<usize>,
}

/// The words of each line that has any, and at which of them the columns stand.
pub(super) struct Rows<'a> {
    pub rows: Vec<Row<'a>>,
    pub places: [usize; 7],
    /// Names of columns that a heading has and SWC files do not.
    pub unknown: Vec<&'a str>,
}

/// The words of a line. Commas and semicolons stand between words only where blanks alone do not part them.
fn words(line: &str) -> Vec<&str> {
    let by_blanks: Vec<&str> = line.split_whitespace().collect();
    let parted = by_blanks.len() >= SWC.columns.len() && !by_blanks.iter().any(|w| w.ends_with([',', ';']));
    if parted || !line.contains([',', ';']) {
        return by_blanks;
    }
    line.split([',', ';']).map(str::trim).collect()
}

/// Where the words of a line begin in a text in which the line begins at `from`.
fn starts(line: &str, words: &[&str], from: usize) -> Vec<usize> {
    let mut after = 0;
    let start = |word: &&str| {
        let at = after + line[after..].find(*word).expect("the words of a line stand in it one after the other");
        after = at + word.len();
        from + at
    };
    words.iter().map(start).collect()
}

impl<'a> Rows<'a> {
    /// # Errors
    /// A heading that does not name all columns; commas that part words and may also stand before decimals.
    pub fn new(text: &'a str) -> Result<Self, Wrong> {
        // Programs of long ago end lines with a carriage return alone.
        let end = if text.contains('\n') { '\n' } else { '\r' };
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut start = text.len() - body.len();
        let mut rows = Vec::new();
        for (n, line) in body.split_inclusive(end).enumerate() {
            let visible = line.split('#').next().unwrap_or("").trim_end();
            let from = start + (visible.len() - visible.trim_start().len());
            if !visible.trim().is_empty() {
                let words = words(visible.trim());
                let starts = starts(visible.trim(), &words, from);
                rows.push(Row { line: n + 1, span: from..start + visible.len(), words, starts });
            }
            start += line.len();
        }
        let mut out = Self { rows, places: [0, 1, 2, 3, 4, 5, 6], unknown: Vec::new() };
        let names = |row: &Row<'_>| row.words.iter().all(|w| w.parse::<f64>().is_err() && !w.contains([',', '.']));
        if out.rows.first().is_some_and(names) {
            let heading = out.rows.remove(0);
            out.name(&heading)?;
        }
        let columns = SWC.columns.len() + out.unknown.len();
        let by_blanks = |row: &Row<'_>| text[row.span.clone()].split_whitespace().count();
        let doubtful = |row: &&Row<'_>| row.words.len() > columns.max(by_blanks(row));
        if let Some(row) = out.rows.iter().find(doubtful) {
            return Err(Wrong {
                span: row.span.clone(),
                message: format!("line {} has {} words between commas, not {columns}", row.line, row.words.len()),
                help: "write decimals with a point".into(),
            });
        }
        Ok(out)
    }

    /// Takes the places of the columns from a heading.
    fn name(&mut self, heading: &Row<'a>) -> Result<(), Wrong> {
        let is = |column: &FileColumn, word: &str| column.names.contains(&word.to_lowercase().as_str());
        for (place, column) in self.places.iter_mut().zip(SWC.columns) {
            let mut found = (0..heading.words.len()).filter(|&k| is(column, heading.words[k]));
            let Some(at) = found.next().filter(|_| found.next().is_none()) else {
                let there: Vec<String> = heading.words.iter().map(|w| format!("`{w}`")).collect();
                return Err(Wrong {
                    span: heading.span.clone(),
                    message: format!(
                        "line {} names no column `{}`, or more than one; its columns are {}",
                        heading.line,
                        column.names[0],
                        there.join(", ")
                    ),
                    help: line_of_columns(),
                });
            };
            *place = at;
        }
        let known = |word: &&str| SWC.columns.iter().any(|c| is(c, word));
        self.unknown = heading.words.iter().filter(|w| !known(w)).copied().collect();
        Ok(())
    }
}
