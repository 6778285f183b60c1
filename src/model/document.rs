//! A TOML text as a tree in which every key and value knows its place, so that any later stage can point at it.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::report::{Report, SourceSpan};
use spikedeck_core::diagnostic::{Diagnostic, did_you_mean};

/// A value with its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it stands.
    pub place: SourceSpan,
    /// What it is.
    pub item: Item,
}

/// What a value is.
#[derive(Debug, Clone)]
pub enum Item {
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// Yes or no.
    Flag(bool),
    /// A date or time (nothing in spikedeck takes one).
    Date,
    /// A list.
    List(Vec<Node>),
    /// A table, entries in the order of the file.
    Table(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub place: SourceSpan,
    /// The value.
    pub value: Node,
}

impl Node {
    /// What kind of value this is, for messages.
    pub fn what(&self) -> &'static str {
        match self.item {
            Item::Text(_) => "a string",
            Item::Integer(_) => "a whole number",
            Item::Float(_) => "a number",
            Item::Flag(_) => "true or false",
            Item::Date => "a date",
            Item::List(_) => "a list",
            Item::Table(_) => "a table",
        }
    }

    /// The entries, if this is a table.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.item {
            Item::Table(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of `key`, if this is a table that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|e| e.key == key).map(|e| &e.value)
    }

    /// The string, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.item {
            Item::Text(t) => Some(t),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_number(&self) -> Option<f64> {
        match self.item {
            Item::Integer(v) => Some(v as f64),
            Item::Float(v) => Some(v),
            _ => None,
        }
    }

    /// As TOML text on one line, for overrides in the manifest.
    pub fn to_toml(&self) -> String {
        match &self.item {
            Item::Text(t) => toml::Value::String(t.clone()).to_string(),
            Item::Integer(v) => v.to_string(),
            Item::Float(v) => toml::Value::Float(*v).to_string(),
            Item::Flag(v) => v.to_string(),
            Item::Date => String::new(),
            Item::List(list) => format!("[{}]", list.iter().map(Self::to_toml).collect::<Vec<_>>().join(", ")),
            Item::Table(entries) => {
                let inner: Vec<String> =
                    entries.iter().map(|e| format!("\"{}\" = {}", e.key, e.value.to_toml())).collect();
                format!("{{ {} }}", inner.join(", "))
            }
        }
    }
}

/// Reads a whole document. Several syntax errors are reported at once; what could be read is returned.
pub fn parse(report: &mut Report, text: usize) -> Node {
    let source = report.text_of(text).to_owned();
    let (table, errors) = DeTable::parse_recoverable(&source);
    // After a syntax error the parser goes on with what it guesses; several messages at one place are one mistake.
    let mut last_line = usize::MAX;
    for e in errors {
        let mut span = e.span().unwrap_or(0..0);
        span.end = span.end.min(source.len());
        span.start = span.start.min(span.end);
        let line = source[..span.start].matches('\n').count();
        if line == last_line {
            continue;
        }
        last_line = line;
        report.put(&SourceSpan { text, span }, syntax(e.message()));
    }
    let span = table.span();
    Node {
        place: SourceSpan { text, span: span.start..span.start },
        item: table_item(report, table.into_inner(), text),
    }
}

/// Reads one value, as after `--set PATH=`; a text that is no TOML value is taken as a string, so that quotes may be
/// left out.
pub fn parse_value(report: &mut Report, text: usize, offset: usize) -> Node {
    let source = report.text_of(text).to_owned();
    let value = &source[offset..];
    let place = SourceSpan { text, span: offset..source.len() };
    match DeValue::parse(value) {
        Ok(v) => {
            let mut node = Node { place: place.clone(), item: value_item(report, v.into_inner(), text, &place) };
            point_at(&mut node, &place);
            node
        }
        Err(_) => Node { place, item: Item::Text(value.to_owned()) },
    }
}

/// Inner places of a value on the command line are not worth their arithmetic: all point at the whole value.
fn point_at(node: &mut Node, place: &SourceSpan) {
    node.place = place.clone();
    match &mut node.item {
        Item::List(list) => list.iter_mut().for_each(|n| point_at(n, place)),
        Item::Table(entries) => {
            for e in entries {
                e.place = place.clone();
                point_at(&mut e.value, place);
            }
        }
        _ => {}
    }
}

fn syntax(message: &str) -> Diagnostic {
    if message.contains("string values must be quoted") {
        return Diagnostic::error("a value is missing here, or a string is not in quotes", 0..0)
            .help("quantities and names are strings: `duration = \"2 s\"`");
    }
    if message.contains("duplicate key") {
        return Diagnostic::error("this key is already there", 0..0)
            .help("a key may stand only once in a table; remove one of them");
    }
    Diagnostic::error(format!("this is not TOML: {message}"), 0..0)
}

fn table_item(report: &mut Report, table: DeTable<'_>, text: usize) -> Item {
    let mut entries: Vec<Entry> = table
        .into_iter()
        .map(|(key, value)| {
            let place = SourceSpan { text, span: key.span() };
            let span = value.span();
            let value_place = SourceSpan { text, span };
            let item = value_item(report, value.into_inner(), text, &value_place);
            // The span of a `[table]` is its header; point at the key when a table has no text of its own.
            let value_place = if value_place.span.is_empty() { place.clone() } else { value_place };
            Entry { key: key.into_inner().into_owned(), place, value: Node { place: value_place, item } }
        })
        .collect();
    entries.sort_by_key(|e| e.place.span.start);
    Item::Table(entries)
}

fn value_item(report: &mut Report, value: DeValue<'_>, text: usize, place: &SourceSpan) -> Item {
    match value {
        DeValue::String(s) => Item::Text(s.into_owned()),
        DeValue::Integer(i) => match i64::from_str_radix(i.as_str(), i.radix()) {
            Ok(v) => Item::Integer(v),
            Err(_) => {
                report.error(place, format!("`{i}` is too large for a whole number"));
                Item::Integer(0)
            }
        },
        DeValue::Float(f) => match f.as_str().parse() {
            Ok(v) => Item::Float(v),
            // The parser goes on after an error of its own, and then the text need not be a number.
            Err(_) => {
                report.error(place, format!("`{}` is not a number", f.as_str()));
                Item::Float(0.0)
            }
        },
        DeValue::Boolean(b) => Item::Flag(b),
        DeValue::Datetime(_) => Item::Date,
        DeValue::Array(list) => Item::List(
            list.into_iter()
                .map(|v| {
                    let place = SourceSpan { text, span: v.span() };
                    let item = value_item(report, v.into_inner(), text, &place);
                    Node { place, item }
                })
                .collect(),
        ),
        DeValue::Table(table) => table_item(report, table, text),
    }
}

/// Byte of `source` at which byte `offset` of the decoded string stands, whose literal (quotes included) is `span`.
pub fn decoded_offset(source: &str, span: &Range<usize>, offset: usize) -> usize {
    let raw = source.get(span.clone()).unwrap_or("");
    let (quote, escapes) = if raw.starts_with("\"\"\"") {
        (3, true)
    } else if raw.starts_with("'''") {
        (3, false)
    } else if raw.starts_with('"') {
        (1, true)
    } else if raw.starts_with('\'') {
        (1, false)
    } else {
        return (span.start + offset).min(span.end);
    };
    let mut i = quote;
    if quote == 3 {
        i += if raw[i..].starts_with("\r\n") { 2 } else { usize::from(raw[i..].starts_with('\n')) };
    }
    let end = raw.len().saturating_sub(quote).max(i);
    let mut decoded = 0;
    while i < end && decoded < offset {
        let c = raw[i..].chars().next().unwrap_or(' ');
        if c == '\\' && escapes {
            let next = raw[i + 1..].chars().next().unwrap_or(' ');
            if next.is_whitespace() {
                // A line-ending backslash swallows the white space after it.
                i += 1;
                while raw[i..end].chars().next().is_some_and(char::is_whitespace) {
                    i += 1;
                }
                continue;
            }
            let digits = match next {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            let width = if digits == 0 {
                1
            } else {
                raw.get(i + 2..i + 2 + digits)
                    .and_then(|h| u32::from_str_radix(h, 16).ok())
                    .and_then(char::from_u32)
                    .map_or(1, char::len_utf8)
            };
            decoded += width;
            i += 1 + next.len_utf8() + digits;
        } else {
            decoded += c.len_utf8();
            i += c.len_utf8();
        }
    }
    span.start + i.min(end)
}

/// The keys of one table while it is read: remembers which were asked for, so that the rest can be refused.
#[derive(Debug)]
pub struct Fields<'a> {
    entries: &'a [Entry],
    known: Vec<String>,
    /// Where the table stands.
    pub place: SourceSpan,
    /// What the table is, for messages (`a population`).
    pub what: String,
}

impl<'a> Fields<'a> {
    /// Starts reading a table; anything else is reported and gives `None`.
    pub fn of(report: &mut Report, node: &'a Node, what: impl Into<String>) -> Option<Self> {
        let what = what.into();
        let Some(entries) = node.entries() else {
            report.error(&node.place, format!("{what} is a table, not {}", node.what()));
            return None;
        };
        Some(Self { entries, known: Vec::new(), place: node.place.clone(), what })
    }

    /// The value of `key`, if it is there.
    pub fn get(&mut self, key: &str) -> Option<&'a Node> {
        if !self.known.iter().any(|k| k == key) {
            self.known.push(key.to_owned());
        }
        self.entries.iter().find(|e| e.key == key).map(|e| &e.value)
    }

    /// The value of `key`; its absence is an error.
    pub fn require(&mut self, report: &mut Report, key: &str, example: &str) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            report.error_help(
                &self.place.clone(),
                format!("{} needs `{key}`", self.what),
                format!("add `{key} = {example}`"),
            );
        }
        found
    }

    /// Accepts a key without reading it here.
    pub fn allow(&mut self, key: &str) {
        self.get(key);
    }

    /// Refuses every key that was not asked for.
    pub fn finish(self, report: &mut Report) {
        self.finish_with(report, &|_| None);
    }

    /// The same; `hint` may know better what a strange key meant.
    pub fn finish_with(self, report: &mut Report, hint: &dyn Fn(&str) -> Option<String>) {
        for e in self.entries.iter().filter(|e| !self.known.contains(&e.key)) {
            let help =
                hint(&e.key).unwrap_or_else(|| match did_you_mean(&e.key, self.known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if self.known.is_empty() => "this table takes no keys".to_owned(),
                    None => format!("known keys: {}", self.known.join(", ")),
                });
            report.error_help(&e.place, format!("unknown key `{}` in {}", e.key, self.what), help);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Report, Node) {
        let mut report = Report::new();
        let t = report.text("t.toml", text);
        let node = parse(&mut report, t);
        (report, node)
    }

    #[test]
    fn keeps_the_order_of_the_file_and_places() {
        let (report, node) = read("b = 1\na = \"x\"\n[c.d]\ne = [1, 2.5]\n");
        assert!(!report.failed());
        let keys: Vec<&str> = node.entries().unwrap().iter().map(|e| e.key.as_str()).collect();
        assert_eq!(keys, ["b", "a", "c"]);
        let a = node.get("a").unwrap();
        assert_eq!(a.place.span, 10..13);
        assert_eq!(node.get("c").unwrap().get("d").unwrap().get("e").unwrap().to_toml(), "[1, 2.5]");
    }

    #[test]
    fn several_syntax_errors_at_once() {
        let (report, _) = read("a = \nb = 3\nc = [1, \nd == 4\n");
        assert!(report.errors() >= 2, "{report}");
    }

    #[test]
    fn offsets_inside_strings() {
        let text = "a = \"\"\"\nx\\u00b5y\\tz\"\"\"";
        let (_, node) = read(text);
        let a = node.get("a").unwrap();
        let decoded = a.as_text().unwrap();
        assert_eq!(decoded, "x\u{b5}y\tz");
        for wanted in ['x', 'y', 'z'] {
            let inside = decoded.find(wanted).unwrap();
            assert_eq!(&text[decoded_offset(text, &a.place.span, inside)..][..1], wanted.to_string());
        }
    }

    #[test]
    fn unknown_keys_are_refused_with_a_guess() {
        let (mut report, node) = read("durration = 1\n");
        let mut fields = Fields::of(&mut report, &node, "`[simulation]`").unwrap();
        fields.allow("duration");
        fields.finish(&mut report);
        let text = report.to_string();
        assert!(text.contains("unknown key `durration`") && text.contains("did you mean `duration`?"), "{text}");
    }
}
