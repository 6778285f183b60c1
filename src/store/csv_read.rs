//! Tables of text: a heading, then a row a line.
//!
//! Cells are separated by `,`, `;`, a tab or blanks (whichever the heading has), may be quoted, and a point or, where
//! commas do not separate, a comma stands before decimals. Lines that begin with `#` or `%`, empty lines and a byte
//! order mark are no data.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::column::Column;
use super::error::StoreError;
use spikedeck_core::diagnostic::{Diagnostic, InText};
use spikedeck_signal::data::Spot;

/// A table of text: names, and the columns that were asked for.
pub(super) struct Text {
    pub names: Vec<String>,
    pub rows: usize,
    pub columns: Vec<Option<Column>>,
}

/// What is wrong with a text, and where.
type Wrong = Box<Diagnostic>;

/// Reads the columns of `bytes` for which `wanted` holds.
///
/// # Errors
/// When it is no table of text; the line is named.
pub(super) fn read(path: &Path, bytes: &[u8], wanted: &dyn Fn(&str) -> bool) -> Result<Text, StoreError> {
    let text = decoded(bytes).map_err(|message| StoreError::Malformed { path: path.to_owned(), message })?;
    columns(&text, wanted).map_err(|wrong| {
        let (name, text) = (path.display().to_string(), Arc::from(text.as_ref()));
        StoreError::Text(Box::new(InText { name, text, diagnostic: *wrong }))
    })
}

/// The text of a table, and the bytes of it in which `spot` is; none where it is no table, or has no such place.
pub(super) fn locate(bytes: &[u8], spot: &Spot) -> Option<(Arc<str>, Range<usize>)> {
    let text = decoded(bytes).ok()?;
    let mut records = Records::of(&text).ok()?;
    records.spans = Some(Vec::new());
    let mut cells = Vec::new();
    records.next(&mut cells).ok()??;
    let column = match &spot.column {
        // Of two columns of one name the second is one too many.
        Some(name) => Some(cells.iter().rposition(|c| c.trim() == name.trim())?),
        None => None,
    };
    for _ in 0..spot.row.map_or(0, |row| row + 1) {
        records.next(&mut cells).ok()??;
    }
    let spans = records.spans?;
    let span = match column {
        Some(column) => spans.get(column)?.clone(),
        None => spans.first()?.start..spans.last()?.end,
    };
    Some((Arc::from(text.as_ref()), span))
}

/// Bytes as text, without a byte order mark, with ends of lines as they are today.
fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("it is text in UTF-16; save it as UTF-8".into());
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].split(|b| *b == b'\n').count();
        format!("line {line} is not text in UTF-8")
    })?;
    // Programs of long ago end lines with a carriage return alone.
    Ok(if text.contains('\n') { Cow::Borrowed(text) } else { Cow::Owned(text.replace('\r', "\n")) })
}

/// The columns of a text for which `wanted` holds.
fn columns(text: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Text, Wrong> {
    let mut records = Records::of(text)?;
    let separator = records.separator;
    let mut cells = Vec::new();
    let names: Vec<String> = match records.next(&mut cells)? {
        Some(_) => cells.iter().map(|c| c.trim().to_owned()).collect(),
        None => return Err(Box::new(nothing())),
    };
    if names.iter().all(|n| n.parse::<f64>().is_ok()) {
        let line = records.begin..records.at;
        let what = format!("it has no heading: its first line is `{}`", text[line.clone()].trim());
        let help = "the first line names the columns, such as `time_ms,unit`";
        return Err(Box::new(Diagnostic::error(what, trimmed(text, line)).help(help)));
    }
    let start = Records { spans: None, ..records };
    let mut records = Records { spans: None, ..start };
    let mut builders: Vec<Builder> = names.iter().map(|n| Builder::new(wanted(n), separator != ',')).collect();
    let mut rows = 0;
    while let Some(line) = records.next(&mut cells)? {
        if cells.len() != names.len() {
            let hint = if names.len() == 1 { "; is there a heading, and one separator throughout?" } else { "" };
            let what = format!(
                "line {line} has {}, and the heading has {}{hint}",
                counted(cells.len(), "cell", "cells"),
                counted(names.len(), "column", "columns")
            );
            let help = format!("each line has a cell for each of {}", names.join(", "));
            return Err(Box::new(Diagnostic::error(what, surplus(records, names.len())).help(help)));
        }
        for (builder, cell) in builders.iter_mut().zip(&cells) {
            builder.take(cell);
        }
        rows += 1;
    }
    for (builder, name) in builders.iter().zip(&names) {
        if let Some((cell, row)) = builder.doubt() {
            let what =
                format!("`{cell}` in column `{name}` may be {} or {}", cell.replace(',', "."), cell.replace(',', ""));
            let spot = Spot { row: Some(row), column: Some(name.clone()) };
            let at = locate(text.as_bytes(), &spot).map_or(0..0, |(_, span)| span);
            return Err(Box::new(Diagnostic::error(what, at).help("write decimals with a point")));
        }
    }
    // Columns that are not numbers are read once more, as text.
    if builders.iter().any(Builder::is_text) {
        let mut again = start;
        while again.next(&mut cells)?.is_some() {
            for (builder, cell) in builders.iter_mut().zip(&cells).filter(|(b, _)| b.is_text()) {
                builder.keep(cell);
            }
        }
    }
    Ok(Text { names, rows, columns: builders.into_iter().map(Builder::finish).collect() })
}

/// That there is nothing.
fn nothing() -> Diagnostic {
    Diagnostic::error("it is empty", 0..0).help("the first line names the columns, such as `time_ms,unit`")
}

/// What of the row that was read last is beyond `count` cells; all of it where it has fewer.
fn surplus(read: Records<'_>, count: usize) -> Range<usize> {
    let text = read.text;
    let line = read.begin..read.at;
    let mut again = Records { at: read.begin, line: read.line, spans: Some(Vec::new()), ..read };
    let spans = again.next(&mut Vec::new()).ok().flatten().and(again.spans);
    match spans.as_deref().and_then(|spans| Some((spans.get(count)?.start, spans.last()?.end))) {
        Some((from, to)) => from..to,
        None => trimmed(text, line),
    }
}

/// A stretch of a text without the blanks and the end of the line after it.
fn trimmed(text: &str, span: Range<usize>) -> Range<usize> {
    let end = span.start + text[span.clone()].trim_end().len();
    span.start..end
}

fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Whether a line is a comment or empty.
fn skipped(line: &str) -> bool {
    let trimmed = line.trim_start();
    trimmed.is_empty() || trimmed.starts_with('#') || trimmed.starts_with('%')
}

/// What separates the cells of a heading.
fn separator(heading: &str) -> char {
    let mut quoted = false;
    let mut counts = [0; 3];
    for c in heading.chars() {
        match c {
            '"' => quoted = !quoted,
            '\t' if !quoted => counts[0] += 1,
            ';' if !quoted => counts[1] += 1,
            ',' if !quoted => counts[2] += 1,
            _ => {}
        }
    }
    match counts {
        [tabs, ..] if tabs > 0 => '\t',
        [_, semicolons, _] if semicolons > 0 => ';',
        [_, _, commas] if commas > 0 => ',',
        // Names in one column may have blanks: words that all look like names are a heading of columns.
        _ if heading.split_whitespace().count() > 1 && !heading.contains(['"', '(', '[']) => ' ',
        _ => ',',
    }
}

/// The rows of a text.
struct Records<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    separator: char,
    /// Where the row that was read last begins.
    begin: usize,
    /// Where its cells are, if that is asked for.
    spans: Option<Vec<Range<usize>>>,
}

impl<'a> Records<'a> {
    /// Those of a text, the heading first.
    fn of(text: &'a str) -> Result<Self, Wrong> {
        let heading = text.lines().find(|line| !skipped(line)).ok_or_else(|| Box::new(nothing()))?;
        Ok(Self { text, at: 0, line: 1, separator: separator(heading), begin: 0, spans: None })
    }

    /// Puts the cells of the next row into `cells` and gives the line that it begins on; none at the end.
    fn next(&mut self, cells: &mut Vec<Cow<'a, str>>) -> Result<Option<usize>, Wrong> {
        cells.clear();
        loop {
            let rest = &self.text[self.at..];
            if rest.is_empty() {
                return Ok(None);
            }
            let end = rest.find('\n').map_or(rest.len(), |n| n + 1);
            if !skipped(&rest[..end]) {
                break;
            }
            self.at += end;
            self.line += 1;
        }
        let line = self.line;
        self.begin = self.at;
        if let Some(spans) = &mut self.spans {
            spans.clear();
        }
        if self.separator == ' ' {
            let rest = &self.text[self.at..];
            let end = rest.find('\n').map_or(rest.len(), |n| n + 1);
            cells.extend(rest[..end].split_whitespace().map(Cow::Borrowed));
            if let Some(spans) = &mut self.spans {
                let mut from = 0;
                for cell in rest[..end].split_whitespace() {
                    from += rest[from..end].find(cell).expect("a word of a line stands in it after those before");
                    spans.push(self.at + from..self.at + from + cell.len());
                    from += cell.len();
                }
            }
            (self.at, self.line) = (self.at + end, self.line + 1);
            return Ok(Some(line));
        }
        loop {
            let (cell, ended) = self.cell(line)?;
            cells.push(cell);
            if ended {
                return Ok(Some(line));
            }
        }
    }

    /// Notes where a cell is.
    fn is_at(&mut self, span: Range<usize>) {
        if let Some(spans) = &mut self.spans {
            spans.push(span);
        }
    }

    /// One cell, and whether it was the last of its row.
    fn cell(&mut self, line: usize) -> Result<(Cow<'a, str>, bool), Wrong> {
        let rest = &self.text[self.at..];
        let blanks = rest.len() - rest.trim_start_matches(|c| c == ' ' || (c == '\t' && self.separator != '\t')).len();
        if rest[blanks..].starts_with('"') {
            return self.quoted(blanks, line);
        }
        let separator = self.separator;
        let end = rest.find([separator, '\n']).unwrap_or(rest.len());
        let cell = rest[..end].trim();
        let from = self.at + end - rest[..end].trim_start().len();
        // An empty cell is between its separators.
        self.is_at(if cell.is_empty() { self.at..self.at } else { from..from + cell.len() });
        let ended = !rest[end..].starts_with(separator);
        self.at += (end + 1).min(rest.len());
        self.line += usize::from(rest[end..].starts_with('\n'));
        Ok((Cow::Borrowed(cell), ended))
    }

    /// A cell in quotes, which may hold separators, ends of lines and, doubled, quotes.
    fn quoted(&mut self, blanks: usize, line: usize) -> Result<(Cow<'a, str>, bool), Wrong> {
        let rest = &self.text[self.at..];
        let from = blanks + 1;
        let mut to = from;
        let mut doubled = false;
        loop {
            let Some(quote) = rest[to..].find('"') else {
                let what = format!("line {line} opens a quote that is never closed");
                let at = self.at + blanks..self.at + from;
                let help = "close it, or remove it: a quote begins a text that ends with another";
                return Err(Box::new(Diagnostic::error(what, at).help(help)));
            };
            to += quote;
            if !rest[to + 1..].starts_with('"') {
                break;
            }
            doubled = true;
            to += 2;
        }
        let inner = &rest[from..to];
        let after = &rest[to + 1..];
        let end = after.find([self.separator, '\n']).unwrap_or(after.len());
        if !after[..end].trim().is_empty() {
            let what = format!("line {line} goes on after a closing quote: `{}`", after[..end].trim());
            let at = trimmed(self.text, self.at + to + 1..self.at + to + 1 + end);
            return Err(Box::new(Diagnostic::error(what, at).help("a quote inside a text in quotes is doubled")));
        }
        self.line += inner.matches('\n').count();
        self.is_at(self.at + blanks..self.at + to + 1);
        let ended = !after[end..].starts_with(self.separator);
        self.at += (to + 1 + end + 1).min(rest.len());
        self.line += usize::from(after[end..].starts_with('\n'));
        Ok((if doubled { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) }, ended))
    }
}

/// The values of a column while they are read.
struct Builder {
    state: State,
    /// Whether a comma may stand before decimals.
    commas: bool,
    missing: Vec<usize>,
    row: usize,
    /// A number that reads either way, and its row, while none has been seen that reads one way only.
    doubtful: Option<(String, usize)>,
    certain: bool,
}

enum State {
    Unwanted,
    Whole(Vec<u64>),
    Numbers(Vec<f64>),
    Text(Vec<String>),
}

impl Builder {
    fn new(wanted: bool, commas: bool) -> Self {
        let state = if wanted { State::Whole(Vec::new()) } else { State::Unwanted };
        Self { state, commas, missing: Vec::new(), row: 0, doubtful: None, certain: false }
    }

    /// Takes a cell as a number, if all were until now.
    fn take(&mut self, cell: &str) {
        let row = self.row;
        self.row += 1;
        match &mut self.state {
            State::Unwanted | State::Text(_) => {}
            State::Whole(values) => {
                if cell.is_empty() {
                    self.missing.push(row);
                    values.push(0);
                } else if let Some(value) = cell.parse().ok().filter(|_| cell.bytes().all(|b| b.is_ascii_digit())) {
                    values.push(value);
                } else {
                    let numbers = values.iter().map(|v| *v as f64).collect();
                    self.state = State::Numbers(numbers);
                    self.row = row;
                    self.take(cell);
                }
            }
            State::Numbers(values) => {
                if cell.is_empty() {
                    self.missing.push(row);
                    values.push(f64::NAN);
                } else if let Ok(value) = cell.parse() {
                    values.push(value);
                } else if let Some(value) = self.commas.then(|| with_comma(cell)).flatten() {
                    let thousands = cell.split_once(',').is_some_and(|(whole, rest)| {
                        let whole = whole.trim_start_matches(['-', '+']);
                        rest.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0')
                    });
                    if thousands {
                        self.doubtful.get_or_insert_with(|| (cell.to_owned(), row));
                    } else {
                        self.certain = true;
                    }
                    values.push(value);
                } else {
                    self.state = State::Text(Vec::new());
                }
            }
        }
    }

    /// A number of which nobody can say whether a comma stands before decimals or thousands, and its row.
    fn doubt(&self) -> Option<(&str, usize)> {
        match (&self.state, &self.doubtful) {
            (State::Numbers(_), Some((cell, row))) if !self.certain => Some((cell, *row)),
            _ => None,
        }
    }

    fn is_text(&self) -> bool {
        matches!(self.state, State::Text(_))
    }

    fn keep(&mut self, cell: &str) {
        if let State::Text(texts) = &mut self.state {
            texts.push(cell.to_owned());
        }
    }

    fn finish(self) -> Option<Column> {
        let Self { state, missing, .. } = self;
        let gaps = |row: &usize| missing.binary_search(row).is_ok();
        Some(match state {
            State::Unwanted => return None,
            State::Whole(values) if values.len() == missing.len() => Column::OptF64(vec![None; values.len()]),
            State::Whole(values) if missing.is_empty() => Column::U64(values),
            State::Whole(values) => {
                Column::OptU64(values.into_iter().enumerate().map(|(k, v)| (!gaps(&k)).then_some(v)).collect())
            }
            State::Numbers(values) if missing.is_empty() => Column::F64(values),
            State::Numbers(values) => {
                Column::OptF64(values.into_iter().enumerate().map(|(k, v)| (!gaps(&k)).then_some(v)).collect())
            }
            State::Text(texts) if texts.iter().all(|t| t == "true" || t == "false") => {
                Column::Bool(texts.iter().map(|t| t == "true").collect())
            }
            State::Text(texts) => Column::Text(texts),
        })
    }
}

/// A number with a comma before its decimals.
fn with_comma(cell: &str) -> Option<f64> {
    let one = cell.matches(',').count() == 1 && !cell.contains('.');
    one.then(|| cell.replace(',', ".").parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Text, String> {
        read(Path::new("t.csv"), text.as_bytes(), &|_| true).map_err(|e| e.to_string())
    }

    fn columns(text: &str) -> Vec<(String, Column)> {
        let read = table(text).unwrap();
        read.names.into_iter().zip(read.columns.into_iter().map(Option::unwrap)).collect()
    }

    #[test]
    fn separators_decimals_comments_marks_and_blanks_do_not_matter() {
        let wanted =
            vec![("time_ms".to_owned(), Column::F64(vec![10.5, 20.25])), ("unit".to_owned(), Column::U64(vec![0, 1]))];
        for text in [
            "time_ms,unit\n10.5,0\n20.25,1\n",
            "time_ms;unit\n10.5;0\n20.25;1\n",
            "time_ms;unit\n10,5;0\n20,25;1\n",
            "time_ms\tunit\r\n10,5\t0\r\n20,25\t1",
            "# a rig\n% of ours\n\ntime_ms, unit\n10.5, 0\n\n# half\n20.25, 1\n",
            "\u{feff}\"time_ms\" , \"unit\"\n\"10.5\",0\n20.25,\"1\"\n",
            "time_ms unit\n 10.5   0\n20.25\t1\n",
            "time_ms,unit\r10.5,0\r20.25,1\r",
        ] {
            assert_eq!(columns(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_comma_that_may_stand_before_thousands_is_refused_unless_another_number_tells() {
        assert!(table("t;u\n1,500;0\n2,250;1\n").is_err_and(|e| e.contains("may be 1.500 or 1500")));
        assert_eq!(columns("t;u\n1,500;0\n0,250;1\n")[0].1, Column::F64(vec![1.5, 0.25]));
        assert_eq!(columns("t,u\n\"1,5\",0\n")[0].1, Column::Text(vec!["1,5".into()]), "a comma separates here");
    }

    #[test]
    fn what_is_no_table_names_its_line() {
        assert!(table("a,b\n1,2\n1,2,3\n").is_err_and(|e| e.contains("line 3 has 3 cells, and the heading has 2")));
        assert!(table("10,0\n20,1\n").is_err_and(|e| e.contains("has no heading") && e.contains("`10,0`")));
        assert!(table("a,b\n\"1,2\n").is_err_and(|e| e.contains("line 2 opens a quote")));
        assert!(table("a,b\n\"1\"2,2\n").is_err_and(|e| e.contains("goes on after a closing quote")));
        assert!(table("").is_err_and(|e| e.contains("is empty")));
        let broken = read(Path::new("t.csv"), b"a\n1\n\xff\n", &|_| true);
        assert!(broken.is_err_and(|e| e.to_string().contains("line 3")));
    }

    /// However a cell is written, and whatever stands before it, its place is found.
    #[test]
    fn a_cell_is_found_where_it_stands() {
        let mut state = 5_u64;
        let mut next = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n
        };
        for _ in 0..1000 {
            let by = [",", ";", "\t", " "][next(4)];
            let end = ["\n", "\r\n"][next(2)];
            let (rows, columns) = (1 + next(6), 2 + next(3));
            let names: Vec<String> = (0..columns).map(|k| format!("c{k}")).collect();
            let mut text = ["", "\u{feff}", "# ours\n\n"][next(3)].to_owned() + &names.join(by) + end;
            let mut written = Vec::new();
            for row in 0..rows {
                text += ["", "", "% half\n"][next(3)];
                let cells: Vec<String> = (0..columns)
                    .map(|k| match if by == " " { 0 } else { next(4) } {
                        1 if k > 0 => String::new(),
                        2 => format!("\"a{by}\"\"{row}\"\"\nb\""),
                        _ => format!("{}.5", row * columns + k),
                    })
                    .collect();
                let padded = |cell: &String| if by == " " || by == "\t" { cell.clone() } else { format!(" {cell} ") };
                text += &(cells.iter().map(padded).collect::<Vec<_>>().join(by) + end);
                written.push(cells);
            }
            for (row, cells) in written.iter().enumerate() {
                for (name, cell) in names.iter().zip(cells) {
                    let spot = Spot { row: Some(row), column: Some(name.clone()) };
                    let (found, span) = locate(text.as_bytes(), &spot).unwrap();
                    assert_eq!(&found[span], cell, "{row} {name} of {text:?}");
                }
            }
            let heading = locate(text.as_bytes(), &Spot { row: None, column: None }).unwrap();
            assert_eq!(&heading.0[heading.1], names.join(by));
            assert!(locate(text.as_bytes(), &Spot { row: Some(rows), column: None }).is_none());
            assert!(locate(text.as_bytes(), &Spot { row: None, column: Some("d".into()) }).is_none());
        }
    }

    #[test]
    fn one_cell_decides_what_a_column_is_and_none_is_lost() {
        let read = columns("a,b,c,d,e\n1,1.5,x,,true\n,2,3,,false\n");
        assert_eq!(
            read.into_iter().map(|c| c.1).collect::<Vec<_>>(),
            [
                Column::OptU64(vec![Some(1), None]),
                Column::F64(vec![1.5, 2.0]),
                Column::Text(vec!["x".into(), "3".into()]),
                Column::OptF64(vec![None, None]),
                Column::Bool(vec![true, false]),
            ]
        );
    }
}
