//! The door to standard output and standard error: what acts on a terminal is written out on the way.
//!
//! Only the sequences that set colour and weight pass, and only where colour is wanted: they are what this program writes
//! itself.

use std::io::{self, Write};

use spikedeck_core::visible::{is_hidden, write_out};

/// Longest sequence that sets colours: what is longer is none.
const LONGEST: usize = 64;

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
                    out.push_str(&text[..n]);
                    text = &text[n..];
                }
                Sequence::Begun if self.colour && !last => return text,
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
    /// A sequence that sets colours, so many bytes long.
    Whole(usize),
    /// What may become one.
    Begun,
    /// None.
    None,
}

fn sequence(text: &str) -> Sequence {
    let bytes = text.as_bytes();
    let start = b"\x1b[";
    if bytes.len() < start.len() {
        return if start.starts_with(bytes) { Sequence::Begun } else { Sequence::None };
    }
    if !bytes.starts_with(start) {
        return Sequence::None;
    }
    match bytes.iter().skip(2).position(|b| !(b.is_ascii_digit() || *b == b';')) {
        Some(n) if bytes[n + 2] == b'm' && n < LONGEST => Sequence::Whole(n + 3),
        None if bytes.len() < LONGEST => Sequence::Begun,
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

    /// Whatever comes, and in whatever pieces, nothing but colours acts, and they only where they are wanted.
    #[test]
    fn nothing_but_colours_passes_whatever_the_pieces() {
        let texts: [(&[u8], &str, &str); 7] = [
            ("plain µ\n\t神".as_bytes(), "plain µ\n\t神", "plain µ\n\t神"),
            (b"\x1b[1mbold\x1b[0m", "\x1b[1mbold\x1b[0m", "\\u001b[1mbold\\u001b[0m"),
            (b"a\x1b]0;title\x07b", "a\\u001b]0;title\\u0007b", "a\\u001b]0;title\\u0007b"),
            (b"\x1b[2J\x1b[", "\\u001b[2J\\u001b[", "\\u001b[2J\\u001b["),
            ("\u{9b}31m\u{202e}".as_bytes(), "\\u009b31m\\u202e", "\\u009b31m\\u202e"),
            (b"\xff\r\x00 \xe2\x82", "\\u00ff\\u000d\\u0000 \\u00e2\\u0082", "\\u00ff\\u000d\\u0000 \\u00e2\\u0082"),
            (b"\x1b\x1b[38;2;1;2;3mx", "\\u001b\x1b[38;2;1;2;3mx", "\\u001b\\u001b[38;2;1;2;3mx"),
        ];
        for (text, coloured, plain) in texts {
            for pieces in 1..=text.len() {
                assert_eq!(shown(text, true, pieces), coloured, "{text:?} in pieces of {pieces}");
                assert_eq!(shown(text, false, pieces), plain, "{text:?} in pieces of {pieces}");
            }
        }
    }

    #[test]
    fn json_that_is_written_out_is_the_same_json() {
        let value = serde_json::json!({ "name": "a\u{1b}[2J\u{202e}b\u{9b}\u{7f}c" });
        let line = shown(value.to_string().as_bytes(), false, 7);
        assert!(!line.contains(is_hidden));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }
}
