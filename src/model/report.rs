//! All that is wrong with the texts of one scenario, rendered for the person who wrote them.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use super::document::{Node, decoded_offset};
use super::excerpt::Excerpt;
use spikedeck_core::diagnostic::{Diagnostic, InText, Severity};
use spikedeck_core::visible::{visible, visible_line};

/// A place in one of the texts of a [`Report`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpan {
    /// Index of the text.
    pub text: usize,
    /// Bytes of it.
    pub span: Range<usize>,
}

/// A text that diagnostics are about: a scenario, a model file beside it, a `--set` on the command line.
#[derive(Debug, Clone)]
pub struct Text {
    /// What stands before `:line:column`.
    pub name: String,
    /// The text.
    pub text: Arc<str>,
}

/// Diagnostics with the texts they are about. Collects while reading; everything wrong is reported at once.
#[derive(Debug, Clone, Default)]
pub struct Report {
    texts: Vec<Text>,
    problems: Vec<(usize, Diagnostic)>,
    /// What has been said, and where.
    said: HashSet<(usize, Range<usize>, String)>,
}

impl Report {
    /// A report without texts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text and gives its index.
    pub fn text(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> usize {
        self.texts.push(Text { name: name.into(), text: text.into() });
        self.texts.len() - 1
    }

    /// The text with this index.
    pub fn text_of(&self, index: usize) -> &str {
        self.texts.get(index).map_or("", |t| &t.text)
    }

    /// Adds a diagnostic at `place` (its own span is replaced).
    pub fn put(&mut self, place: &SourceSpan, mut diagnostic: Diagnostic) {
        diagnostic.span = place.span.clone();
        self.add(place.text, diagnostic);
    }

    /// Adds an error at `place`.
    pub fn error(&mut self, place: &SourceSpan, message: impl Into<String>) {
        self.put(place, Diagnostic::error(message, 0..0));
    }

    /// Adds an error at `place` with what would be right.
    pub fn error_help(&mut self, place: &SourceSpan, message: impl Into<String>, help: impl Into<String>) {
        self.put(place, Diagnostic::error(message, 0..0).help(help));
    }

    /// Adds a diagnostic whose span is inside the string `node`.
    pub fn put_inside(&mut self, node: &Node, mut diagnostic: Diagnostic) {
        let raw = self.text_of(node.place.text);
        let start = decoded_offset(raw, &node.place.span, diagnostic.span.start);
        let end = decoded_offset(raw, &node.place.span, diagnostic.span.end).max(start);
        diagnostic.span = start..end;
        self.add(node.place.text, diagnostic);
    }

    /// Adds what is wrong with another text, which is shown as those of the report are.
    pub fn put_in_text(&mut self, wrong: &InText) {
        let known = self.texts.iter().position(|t| t.name == wrong.name && t.text == wrong.text);
        let text = known.unwrap_or_else(|| self.text(wrong.name.as_str(), wrong.text.clone()));
        self.add(text, wrong.diagnostic.clone());
    }

    /// The report of what is wrong with one text.
    pub fn of_text(wrong: &InText) -> Self {
        let mut report = Self::new();
        report.put_in_text(wrong);
        report
    }

    fn add(&mut self, text: usize, diagnostic: Diagnostic) {
        if self.said.insert((text, diagnostic.span.clone(), diagnostic.message.clone())) {
            self.problems.push((text, diagnostic));
        }
    }

    /// Number of errors.
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|(_, d)| d.severity == Severity::Error).count()
    }

    /// Whether there is at least one error.
    pub fn failed(&self) -> bool {
        self.errors() > 0
    }

    /// Texts of the warnings with their places, one line each, and how many more there are.
    pub fn warnings(&self) -> Vec<String> {
        let all: Vec<_> = self.sorted().into_iter().filter(|(_, d)| d.severity == Severity::Warning).collect();
        let mut told: Vec<String> = all
            .iter()
            .take(SHOWN)
            .map(|(t, d)| {
                let help = d.help.as_ref().map(|h| format!(" ({})", sentence(h))).unwrap_or_default();
                format!("{}: {}{help}", self.location(*t, d.span.start), sentence(&d.message))
            })
            .collect();
        if all.len() > SHOWN {
            told.push(format!("and {} more warnings", all.len() - SHOWN));
        }
        told
    }

    /// The diagnostics, sorted by place.
    pub fn sorted(&self) -> Vec<&(usize, Diagnostic)> {
        let mut list: Vec<_> = self.problems.iter().collect();
        list.sort_by_key(|p| (p.0, p.1.span.start, p.1.span.end));
        list
    }

    /// `file:line:column` of a byte of a text; line and column count from 1, columns in characters.
    pub fn location(&self, text: usize, byte: usize) -> String {
        let Some(t) = self.texts.get(text) else { return String::new() };
        let before = &t.text[..floor(&t.text, byte)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        format!("{}:{line}:{column}", t.name)
    }

    /// The report for people: every diagnostic with its line, a caret and help, then a count. `colour` also allows
    /// terminal escapes; without it the text is the same on every machine.
    pub fn render(&self, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(110).with_links(false);
        let mut out = String::new();
        let mut shown = [0; 2];
        for (text, diagnostic) in self.sorted() {
            let count = &mut shown[usize::from(diagnostic.severity == Severity::Error)];
            *count += 1;
            if *count > SHOWN {
                continue;
            }
            let diagnostic = &Diagnostic {
                message: sentence(&diagnostic.message),
                label: sentence(&diagnostic.label),
                help: diagnostic.help.as_deref().map(sentence),
                ..diagnostic.clone()
            };
            let view = View { source: self.texts.get(*text).map(|t| excerpt(t, diagnostic)), diagnostic };
            let mut one = String::new();
            if handler.render_report(&mut one, &view).is_err() {
                let place = self.location(*text, diagnostic.span.start);
                one = format!("{}: {}\n", visible_line(&place), diagnostic.message);
            }
            for line in one.lines() {
                out.push_str(line.trim_end());
                out.push('\n');
            }
        }
        for (count, what) in shown.into_iter().zip(["warnings", "errors"]) {
            if count > SHOWN {
                out.extend(["and ".to_owned(), (count - SHOWN).to_string(), format!(" more {what}\n")]);
            }
        }
        let (errors, all) = (self.errors(), self.problems.len());
        let plural = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
        match (errors, all - errors) {
            (0, 0) => {}
            (e, 0) => out.push_str(&plural(e, "error")),
            (0, w) => out.push_str(&plural(w, "warning")),
            (e, w) => out.extend([plural(e, "error"), ", ".to_owned(), plural(w, "warning")]),
        }
        if all > 0 {
            out.push('\n');
        }
        out
    }
}

fn floor(text: &str, byte: usize) -> usize {
    let mut b = byte.min(text.len());
    while !text.is_char_boundary(b) {
        b -= 1;
    }
    b
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Report {}

/// Most errors that are shown, and most warnings.
const SHOWN: usize = 50;
/// Most characters of a message, a label or a help.
const LONGEST: usize = 300;

/// A sentence as it is shown: nothing in it acts on a terminal, and it has an end.
fn sentence(text: &str) -> String {
    let text = visible(text);
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}… (and {} more characters)", &text[..cut], text[cut..].chars().count()),
        None => text.into_owned(),
    }
}

/// What is shown of a text.
fn excerpt(of: &Text, diagnostic: &Diagnostic) -> Excerpt {
    let (start, end) = (floor(&of.text, diagnostic.span.start), floor(&of.text, diagnostic.span.end));
    // A caret stands under the first line of what is wrong only: a whole table would be drawn as a wall.
    let end = of.text[start..end.max(start)].find('\n').map_or(end.max(start), |n| start + n);
    Excerpt::new(&of.name, &of.text, start, end)
}

/// One diagnostic as miette wants it.
#[derive(Debug)]
struct View<'a> {
    source: Option<Excerpt>,
    diagnostic: &'a Diagnostic,
}

impl View<'_> {
    fn start(&self) -> usize {
        self.source.as_ref().map_or(0, Excerpt::start)
    }
}

impl fmt::Display for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for View<'_> {}

impl miette::Diagnostic for View<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.diagnostic.help.as_ref().map(|h| Box::new(h) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|s| s as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = if self.diagnostic.label.is_empty() { None } else { Some(self.diagnostic.label.clone()) };
        let length = self.source.as_ref().map_or(0, Excerpt::length);
        Some(Box::new(std::iter::once(LabeledSpan::new(label, self.start(), length))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_shown_around_what_is_wrong() {
        let mut report = Report::new();
        let numbers = "12345, ".repeat(3000);
        let line = format!("values = [{numbers}oops, {numbers}]");
        let at = line.find("oops").unwrap();
        let source = format!("{line}\nx = 1\n{line}\n{line}\n");
        let text = report.text("a.toml", source.clone());
        let third = source.match_indices("oops").nth(1).unwrap().0;
        report.error(&SourceSpan { text, span: at..at + 4 }, "no number");
        report.error(&SourceSpan { text, span: third..third + 4 }, "no number either");
        let plain = report.render(false);
        assert!(plain.len() < 3000, "{}", plain.len());
        assert!(
            plain.contains(&format!("[a.toml:1:{}]", at + 1)) && plain.contains(&format!("[a.toml:3:{}]", at + 1)),
            "{plain}"
        );
        for wrong in plain.lines().filter(|l| l.contains("oops")) {
            let caret = plain.lines().skip_while(|l| *l != wrong).nth(1).unwrap();
            let column = |l: &str, what: char| l.chars().position(|c| c == what).unwrap();
            assert_eq!(column(caret, '─'), column(wrong, 'o'), "{plain}");
        }
    }

    #[test]
    fn the_end_of_a_long_line_may_be_what_is_wrong() {
        for ending in ["\n", "\r\n"] {
            let source = format!("name = \"{}{ending}x = 1{ending}", "word ".repeat(60));
            for span in [source.find(ending).unwrap(), source.find('\n').unwrap(), source.len()] {
                let mut report = Report::new();
                let text = report.text("a.toml", source.clone());
                report.error(&SourceSpan { text, span: span..span }, "the string has no end");
                assert!(report.render(false).contains("the string has no end"));
            }
        }
    }

    /// The caret stands under what is wrong also where characters before it are written out.
    #[test]
    fn nothing_of_a_text_acts_on_the_terminal() {
        let mut report = Report::new();
        let source = "a\u{1b}[2J\u{202e} = 1\nx\u{7}\u{9b}y = \"ba\u{1b}d\"\nlast\u{1b}c = 2\n";
        let text = report.text("a\u{1b}]0;t\u{7}.toml", source);
        let at = source.find("ba").unwrap();
        report.error_help(&SourceSpan { text, span: at..at + 4 }, "no \u{1b}[31mnumber", "write \u{9c}1");
        let plain = report.render(false);
        assert!(!plain.contains(|c: char| spikedeck_core::visible::is_hidden(c) && c != '\n'), "{plain:?}");
        assert!(plain.contains("ba\\u001bd") && plain.contains("a\\u001b]0;t\\u0007.toml:2:9"), "{plain}");
        let wrong = plain.lines().find(|l| l.contains("ba\\u001bd")).unwrap();
        let caret = plain.lines().skip_while(|l| *l != wrong).nth(1).unwrap();
        let column = |l: &str, what: &str| l.find(what).map(|b| l[..b].chars().count()).unwrap();
        assert_eq!(column(caret, "───"), column(wrong, "ba"), "{plain}");
    }

    #[test]
    fn a_report_has_an_end() {
        let mut report = Report::new();
        let text = report.text("a.toml", "x".repeat(20_000));
        for k in 0..20_000 {
            report.error(&SourceSpan { text, span: k..k + 1 }, format!("wrong {k} {}", "w".repeat(1000)));
        }
        let plain = report.render(false);
        assert!(plain.len() < 100_000, "{}", plain.len());
        assert!(plain.ends_with("and 19950 more errors\n20000 errors\n"), "{}", &plain[plain.len() - 200..]);
        assert!(plain.contains("wrong 49") && !plain.contains("wrong 50"));
        assert!(plain.contains("characters)"));
    }

    #[test]
    fn renders_sorted_with_caret_and_help() {
        let mut report = Report::new();
        let text = report.text("a.toml", "x = 1\nyy = 2\n");
        report.error_help(&SourceSpan { text, span: 6..8 }, "unknown key `yy`", "did you mean `y`?");
        report.put(&SourceSpan { text, span: 4..5 }, Diagnostic::warning("small", 0..0));
        let plain = report.render(false);
        assert!(plain.contains("[a.toml:2:1]"), "{plain}");
        assert!(plain.find("small").unwrap() < plain.find("unknown key").unwrap());
        assert!(plain.contains("did you mean `y`?"));
        assert!(plain.ends_with("1 error, 1 warning\n"));
        assert!(!plain.contains('\u{1b}'));
        assert_eq!(report.warnings(), ["a.toml:1:5: small"]);
    }
}
