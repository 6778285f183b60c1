//! The lines that a diagnostic shows. A list of ten thousand numbers may be one line: long lines are shown around what
//! is wrong.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use spikedeck_core::visible::visible_line;

/// Characters of a line that are shown whole.
const WIDTH: usize = 160;
/// Characters of a long line that are shown before what is wrong.
const BEFORE: usize = 50;
/// What stands for what is left out.
const CUT: &str = "…";

/// A place of a text with one line around it, each no longer than is read at a glance.
#[derive(Debug)]
pub(super) struct Excerpt {
    name: String,
    shown: String,
    /// Where the span starts in `shown`.
    start: usize,
    /// Line and column of the span, and the first line shown, from 0.
    line: usize,
    column: usize,
    first_line: usize,
    /// Bytes of `shown` that the span is.
    length: usize,
}

impl Excerpt {
    /// The excerpt of `text` (of the file `name`) around bytes `start..end`, which lie in one line.
    pub fn new(name: &str, text: &str, start: usize, end: usize) -> Self {
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |n| start + n);
        let line = before.matches('\n').count();
        let mut shown = String::new();
        let above = (line > 0).then(|| text[..line_start - 1].rsplit('\n').next().unwrap_or(""));
        if let Some(above) = above {
            shown.push_str(&head(above));
            shown.push('\n');
        }
        let whole = text[line_start..line_end].trim_end_matches('\r');
        // What is wrong may be the end of the line itself.
        let at = (start - line_start).min(whole.len());
        let (from, to) = window(whole, at);
        if from > 0 {
            shown.push_str(CUT);
        }
        shown.push_str(&visible_line(&whole[from..at]));
        let place = shown.len();
        let until = end.saturating_sub(line_start).clamp(at, to);
        shown.push_str(&visible_line(&whole[at..until]));
        let length = shown.len() - place;
        shown.push_str(&visible_line(&whole[until..to]));
        if to < whole.len() {
            shown.push_str(CUT);
        }
        shown.push('\n');
        if let Some(below) = text.get(line_end + 1..).and_then(|rest| rest.lines().next()) {
            shown.push_str(&head(below));
            shown.push('\n');
        }
        Self {
            name: visible_line(name).into_owned(),
            shown,
            start: place,
            line,
            column: text[line_start..start].chars().count(),
            first_line: line - usize::from(above.is_some()),
            length,
        }
    }

    /// Where the span starts in what is shown.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Bytes of the span that are shown.
    pub fn length(&self) -> usize {
        self.length
    }
}

/// The part of a line around byte `at` that is shown.
fn window(line: &str, at: usize) -> (usize, usize) {
    if line.chars().count() <= WIDTH {
        return (0, line.len());
    }
    // To leave out less than the mark takes would move the caret.
    let from = line[..at].char_indices().rev().nth(BEFORE - 1).map_or(0, |c| c.0);
    let from = if from <= CUT.len() { 0 } else { from };
    let to = line[from..].char_indices().nth(WIDTH).map_or(line.len(), |c| from + c.0);
    (from, to)
}

/// The beginning of a line.
fn head(line: &str) -> String {
    let line = line.trim_end_matches('\r');
    match line.char_indices().nth(WIDTH) {
        Some((cut, _)) => format!("{}{CUT}", visible_line(&line[..cut])),
        None => visible_line(line).into_owned(),
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let place = self.start;
        let (data, offset, line, column) = if lines_before == 0 && lines_after == 0 {
            (&self.shown[place..place + self.length], place, self.line, self.column)
        } else {
            (self.shown.as_str(), 0, self.first_line, 0)
        };
        let covered = SourceSpan::new(offset.into(), data.len().max(span.len()));
        let lines = data.matches('\n').count();
        Ok(Box::new(MietteSpanContents::new_named(self.name.clone(), data.as_bytes(), covered, line, column, lines)))
    }
}
