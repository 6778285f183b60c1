//! The door to standard output and standard error: what acts on a terminal is written out on the way.
//!
//! Only those sequences that set colour and weight pass which this program marked as its own, and only where colour is
//! wanted: the same sequence in a name or a title could hide what follows it.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::sync::LazyLock;

use spikedeck_core::visible::{is_hidden, write_out};

/// Longest sequence that sets colours, after its mark: what is longer is none.
const LONGEST: usize = 64;

/// What sequences begin with.
const START: &str = "\x1b[";

/// What stands before each sequence of this program: nobody who writes a file can know it.
static MARK: LazyLock<String> = LazyLock::new(|| format!("\u{1}{:016x}", RandomState::new().hash_one(0)));

/// `text`, whose sequences are all of this program, so that they pass.
pub(super) fn own(text: &str) -> String {
    text.replace(START, &format!("{}{START}", *MARK))
}

/// A stream that text is shown on.
pub(super) struct Door<W: Write> {
    to: W,
    colour: bool,
    /// The beginning of a character or a sequence whose end has not come yet.
    held: Vec<u8>,
}

impl<W: Write> Door<W> {
    pub(super) fn new(to: W, colour: bool) -> Self {
        Self { to, colour, held: Vec::new() }
    }

    /// Passes on `bytes`, which follow what is held; `last` says that nothing will follow soon.
    fn pass(&mut self, bytes: &[u8], last: bool) -> io::Result<()> {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let mut rest = all.as_slice();
        let mut out = String::with_capacity(rest.len());
        while !rest.is_empty() {
            let (text, wrong) = match std::str::from_utf8(rest) {
                Ok(text) => (text, None),
                Err(e) => {
                    let (good, bad) = rest.split_at(e.valid_up_to());
                    (std::str::from_utf8(good).expect("it was valid up to here"), Some((bad, e.error_len())))
                }
            };
            let is_end = wrong.is_none();
            let left = self.show(text, last || !is_end, &mut out);
            match wrong {
                None => {
                    self.held = left.as_bytes().to_vec();
                    rest = &[];
                }
                // A character that is not whole yet.
                Some((bad, None)) if !last => {
                    self.held = bad.to_vec();
                    rest = &[];
                }
                Some((bad, length)) => {
                    let n = length.unwrap_or(bad.len());
                    bad[..n].iter().for_each(|b| write_out(char::from(*b), &mut out));
                    rest = &bad[n..];
                }
            }
        }
        self.to.write_all(out.as_bytes())
    }

    /// Writes `text` to `out`; gives back the beginning of a sequence that may go on, unless it is the `last`.
    fn show<'a>(&self, mut text: &'a str, last: bool, out: &mut String) -> &'a str {
        while let Some(at) = text.find(|c| is_hidden(c) && !matches!(c, '\n' | '\t')) {
            out.push_str(&text[..at]);
            text = &text[at..];
            match sequence(text) {
                Sequence::Whole(n) if self.colour => {
                    out.push_str(&text[MARK.len()..n]);
                    text = &text[n..];
                }
                Sequence::Begun if !last => return text,
                _ if text.starts_with(MARK.as_str()) => text = &text[MARK.len()..],
                _ => {
                    let c = text.chars().next().expect("one was found");
                    write_out(c, out);
                    text = &text[c.len_utf8()..];
                }
            }
        }
        out.push_str(text);
        ""
    }
}

/// What a text begins with.
enum Sequence {
    /// A sequence that sets colours, so many bytes long with its mark.
    Whole(usize),
    /// What may become one.
    Begun,
    /// None.
    None,
}

fn sequence(text: &str) -> Sequence {
    let start = format!("{}{START}", *MARK);
    let Some(rest) = text.strip_prefix(&start) else {
        return if start.starts_with(text) { Sequence::Begun } else { Sequence::None };
    };
    match rest.bytes().position(|b| !(b.is_ascii_digit() || b == b';')) {
        Some(n) if rest.as_bytes()[n] == b'm' && n < LONGEST => Sequence::Whole(start.len() + n + 1),
        None if rest.len() < LONGEST => Sequence::Begun,
        _ => Sequence::None,
    }
}

impl<W: Write> Write for Door<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pass(bytes, false)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.held.is_empty() {
            self.pass(&[], true)?;
        }
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &[u8], colour: bool, pieces: usize) -> String {
        let mut out = Vec::new();
        let mut door = Door::new(&mut out, colour);
        for piece in text.chunks(pieces) {
            door.write_all(piece).unwrap();
        }
        door.flush().unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Whatever comes, and in whatever pieces, nothing acts but our own colours, and they only where they are wanted.
    #[test]
    fn nothing_but_our_own_colours_passes_whatever_the_pieces() {
        let texts: [(&[u8], &str); 9] = [
            ("plain µ\n\t神".as_bytes(), "plain µ\n\t神"),
            (b"a\x1b]0;title\x07b", "a\\u001b]0;title\\u0007b"),
            (b"\x1b[2J\x1b[", "\\u001b[2J\\u001b["),
            ("\u{9b}31m\u{202e}".as_bytes(), "\\u009b31m\\u202e"),
            (b"\xff\r\x00 \xe2\x82", "\\u00ff\\u000d\\u0000 \\u00e2\\u0082"),
            // What would hide the rest of a line, or make it look like something that this program says.
            (b"\x1b[8mhidden", "\\u001b[8mhidden"),
            (b"\x1b[30;40mblack\x1b[0m", "\\u001b[30;40mblack\\u001b[0m"),
            (b"\x1b[32mgood", "\\u001b[32mgood"),
            (b"\x010123456789abcdef\x1b[1mx", "\\u00010123456789abcdef\\u001b[1mx"),
        ];
        for (text, seen) in texts {
            for pieces in 1..=text.len() {
                for colour in [true, false] {
                    assert_eq!(shown(text, colour, pieces), seen, "{text:?} in pieces of {pieces}");
                    // Between our own, too.
                    let mut ours = own("\x1b[1m").into_bytes();
                    ours.extend_from_slice(text);
                    ours.extend_from_slice(own("\x1b[0m\x1b[38;2;1;2;3m").as_bytes());
                    let wanted = format!("\x1b[1m{seen}\x1b[0m\x1b[38;2;1;2;3m");
                    assert!(!colour || shown(&ours, true, pieces) == wanted, "{text:?} in pieces of {pieces}");
                    assert!(colour || !shown(&ours, false, pieces).contains('\x1b'));
                }
            }
        }
        // Our own mark does not make anything else of a sequence.
        assert_eq!(shown(own("\x1b[2J").as_bytes(), true, 3), "\\u001b[2J");
        assert_eq!(shown(own("\x1b[1mx").as_bytes(), false, 3), "\\u001b[1mx");
    }

    #[test]
    fn json_that_is_written_out_is_the_same_json() {
        let value = serde_json::json!({ "name": "a\u{1b}[2J\u{202e}b\u{9b}\u{7f}c" });
        let line = shown(value.to_string().as_bytes(), false, 7);
        assert!(!line.contains(is_hidden));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }
}
