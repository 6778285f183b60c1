//! Messages for the person at the terminal: a line in the footer until the next key, and the log that keeps them.

/// A line, and whether it tells of a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whether it tells of a failure.
    pub bad: bool,
    /// Text.
    pub text: String,
}

/// The log keeps this many lines.
const KEPT: usize = 2000;

/// The log.
#[derive(Debug, Clone, Default)]
pub struct Log {
    lines: Vec<Line>,
    notice: Option<Line>,
}

impl Log {
    /// All lines that are kept, oldest first.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What the footer says.
    pub fn notice(&self) -> Option<&Line> {
        self.notice.as_ref()
    }

    /// The footer says it no more.
    pub fn clear_notice(&mut self) {
        self.notice = None;
    }

    /// A message for footer and log.
    pub fn say(&mut self, text: impl Into<String>, bad: bool) {
        let text = text.into();
        let first = text.lines().next().unwrap_or_default().trim_start();
        self.notice = Some(Line { bad, text: first.strip_prefix("× ").unwrap_or(first).to_owned() });
        self.note(text, bad);
    }

    /// Lines for the log only.
    pub fn note(&mut self, text: impl AsRef<str>, bad: bool) {
        self.lines.extend(text.as_ref().lines().map(|l| Line { bad, text: l.to_owned() }));
        let over = self.lines.len().saturating_sub(KEPT);
        self.lines.drain(..over);
    }
}
