//! Text that is shown and does nothing else: characters that move a cursor, set a title or turn the order of letters
//! round are written out.
//!
//! They may stand in any name, header or message, since all of these come out of files. Everything that reaches a
//! screen goes through here: the command line's two streams, the cells of the dashboard, figures, and excerpts of
//! files.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character acts instead of being seen: C0, DEL and C1, marks of direction, separators of lines.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

/// Writes a character out: `\u001b`, which JSON reads back as what it was.
pub fn write_out(c: char, to: &mut String) {
    // Writing into a string cannot fail.
    let _ = write!(to, "\\u{:04x}", u32::from(c));
}

/// `text` with what acts written out, but for line breaks and tabs.
pub fn visible(text: &str) -> Cow<'_, str> {
    without(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'))
}

/// `text` on one line: line breaks are written out too.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    without(text, |c| is_hidden(c) && c != '\t')
}

fn without(text: &str, acts: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) {
            write_out(c, &mut out);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_written_out_and_all_else_stays() {
        assert_eq!(visible("1 m\u{1b}]0;title\u{7}s\n\tµ"), "1 m\\u001b]0;title\\u0007s\n\tµ");
        assert_eq!(visible_line("a\nb\u{202e}c\u{9b}d\u{7f}"), "a\\u000ab\\u202ec\\u009bd\\u007f");
        assert!(matches!(visible("plain – text, 神経"), Cow::Borrowed(_)));
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let text = visible_line(&c.to_string()).into_owned();
            assert!(!text.contains(|c| is_hidden(c) && c != '\t'), "{c:?}");
            assert_eq!(text.len() == c.len_utf8(), c == '\t' || !is_hidden(c), "{c:?}");
        }
    }
}
