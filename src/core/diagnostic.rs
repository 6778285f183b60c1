//! What is wrong with a text, and where: plain data that every stage which reads text returns, all at once.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// How serious a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The text can be used, but probably does not mean what its author thinks.
    Warning,
    /// The text cannot be used.
    Error,
}

/// One thing that is wrong with a text: what, where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the text can still be used.
    pub severity: Severity,
    /// What is wrong, one sentence, lower case, no full stop.
    pub message: String,
    /// Where: bytes of the text it was found in.
    pub span: Range<usize>,
    /// What stands at the caret (may be empty).
    pub label: String,
    /// What would be right, when that is known.
    pub help: Option<String>,
    /// The name that nothing has, if that is what is wrong.
    pub unknown: Option<String>,
}

impl Diagnostic {
    /// An error with a caret under `span`.
    pub fn error(message: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            span,
            label: String::new(),
            help: None,
            unknown: None,
        }
    }

    /// A warning with a caret under `span`.
    pub fn warning(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message, span) }
    }

    /// The same, saying what stands at the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The same, saying what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, about a name that nothing has.
    #[must_use]
    pub fn unknown(mut self, name: impl Into<String>) -> Self {
        self.unknown = Some(name.into());
        self
    }

    /// The same, moved by `offset` bytes: from a text inside another text to the outer one.
    #[must_use]
    pub fn shifted(mut self, offset: usize) -> Self {
        self.span = self.span.start + offset..self.span.end + offset;
        self
    }
}

/// A diagnostic with the text that it is about, for whoever does not have that text: a file of data that a scenario
/// or a command names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InText {
    /// What the text is called: the path of the file.
    pub name: String,
    /// The text.
    pub text: Arc<str>,
    /// What is wrong with it, and where.
    pub diagnostic: Diagnostic,
}

impl InText {
    /// The line in which it is, from 1.
    pub fn line(&self) -> usize {
        let at = self.diagnostic.span.start.min(self.text.len());
        1 + self.text.get(..at).map_or(0, |before| before.matches('\n').count())
    }
}

impl fmt::Display for InText {
    /// In one line, without the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}", self.name, self.line(), self.diagnostic.message)?;
        match &self.diagnostic.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

/// The candidate of which alone `word` is the first part (`stdp` of `stdp_pair`), else the nearest in edit distance, if
/// it is near enough to be what was meant, else the only one that begins with `word`. Words of one or two letters are
/// only ever near to themselves in other letter case: every symbol is one letter away from every other.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let letters = word.chars().count();
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let allowed = |c: &str| match c.chars().count().min(letters) {
        0..=2 => 0,
        3..=5 => 1,
        n => 1 + n / 4,
    };
    let near = candidates
        .iter()
        // Words whose lengths differ by more are not compared: a word may be a whole file.
        .filter(|c| letters.abs_diff(c.chars().count()) <= allowed(c))
        .map(|c| (edit_distance(&lower, &c.to_lowercase()), *c))
        .filter(|(d, c)| *d <= allowed(c) && !(*d == 1 && letters <= 4 && replaced(&lower, &c.to_lowercase())))
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c);
    let begun = |by: &str| {
        let mut longer = candidates.iter().filter(|c| c.to_lowercase().starts_with(by));
        let only = longer.next().filter(|_| longer.next().is_none() && letters > 2);
        only.copied()
    };
    begun(&format!("{lower}_")).or(near).or_else(|| begun(&lower))
}

/// Whether words at a distance of 1 have a letter that became another one: of short words half of all are then near
/// (`stdp` to `step`, `psth` to `path`), and what was slipped, doubled or left out is the commoner error.
fn replaced(a: &str, b: &str) -> bool {
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    a.chars().count() == b.chars().count() && sorted(a) != sorted(b)
}

/// Damerau-Levenshtein distance with adjacent transpositions (optimal string alignment).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_is_near_and_nothing_else() {
        assert_eq!(did_you_mean("tua_m", ["tau_m", "C_m"]), Some("tau_m"));
        assert_eq!(did_you_mean("durration", ["duration", "dt"]), Some("duration"));
        assert_eq!(did_you_mean("zzzz", ["tau_m", "C_m"]), None);
        let began = std::time::Instant::now();
        assert_eq!(did_you_mean(&"tau_m".repeat(1_000_000), ["tau_m"; 100]), None);
        assert!(began.elapsed().as_secs_f64() < 5.0, "{:?}", began.elapsed());
        assert_eq!(did_you_mean("e_l", ["E_L", "g_L"]), Some("E_L"));
        assert_eq!(did_you_mean("stdp", ["step", "stdp_pair"]), Some("stdp_pair"));
    }

    /// Symbols of one or two letters, and short words that only share letters, are nothing that was meant.
    #[test]
    fn short_words_have_no_neighbours() {
        for (word, candidates) in [
            ("t", ["i", "x"]),
            ("mV", ["m", "V"]),
            ("ms", ["m", "s"]),
            ("V", ["I", "w"]),
            ("sttc", ["step", "stop"]),
            ("stdp", ["step", "stop"]),
            ("plv", ["psd", "plo"]),
        ] {
            assert_eq!(did_you_mean(word, candidates), None, "{word}");
        }
        assert_eq!(did_you_mean("VM", ["Vm", "Im"]), Some("Vm"));
        assert_eq!(did_you_mean("tau", ["tau_rec", "tau_fac"]), None, "which of them?");
    }
}
