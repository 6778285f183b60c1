//! The door to standard output and standard error: what acts on a terminal is written out on the way.
//!
//! Only the sequences that set colour and weight pass, of this program's own and only where colour is wanted. They
//! carry a mark that is drawn when the program starts and that the door takes off: the same sequence in a name or a
//! file has no such mark, and is written out.

use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write};
use std::sync::LazyLock;

use spikedeck_core::visible::{is_hidden, write_out};

/// Longest sequence that sets colours, with its mark: what is longer is none.
const LONGEST: usize = 96;

/// What sequences begin with that a terminal acts on.
const START: &str = "\x1b[";

/// What those of this program begin with until they have passed the door.
static OWN: LazyLock<String> = LazyLock::new(|| format!("{START}{:016x};", RandomState::new().hash_one(0)));

/// A sequence of this program that sets colour or weight: `1` is bold.
pub(super) fn own(code: &str) -> String {
    format!("{}{code}m", *OWN)
}

/// A text of which all sequences that set colour and weight are this program's own: what came from elsewhere in it has
/// been written out.
pub(super) fn trusted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(START) {
        let (before, sequence) = rest.split_at(at);
        out.push_str(before);
        let codes = &sequence[START.len()..];
        match codes.find(|c: char| !(c.is_ascii_digit() || c == ';')) {
            Some(n) if codes[n..].starts_with('m') => {
                out.push_str(&own(&codes[..n]));
                rest = &codes[n + 1..];
            }
            _ => {
                out.push_str(START);
                rest = codes;
            }
        }
    }
    out + rest
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
                Sequence::Whole(codes) => {
                    if self.colour {
                        out.extend([START, codes, "m"]);
                    }
                    text = &text[OWN.len() + codes.len() + 1..];
                }
                Sequence::Begun if !last => return text,
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
enum Sequence<'a> {
    /// A sequence of this program: what it sets.
    Whole(&'a str),
    /// What may become one.
    Begun,
    /// None.
    None,
}

fn sequence(text: &str) -> Sequence<'_> {
    let Some(codes) = text.strip_prefix(OWN.as_str()) else {
        return if OWN.starts_with(text) { Sequence::Begun } else { Sequence::None };
    };
    match codes.find(|c: char| !(c.is_ascii_digit() || c == ';')) {
        Some(n) if codes[n..].starts_with('m') && n < LONGEST => Sequence::Whole(&codes[..n]),
        None if codes.len() < LONGEST => Sequence::Begun,
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

    /// Whatever comes, and in whatever pieces, nothing acts.
    #[test]
    fn nothing_that_comes_from_elsewhere_passes_whatever_the_pieces() {
        let texts: [(&[u8], &str); 8] = [
            ("plain µ\n\t神".as_bytes(), "plain µ\n\t神"),
            (b"\x1b[1mbold\x1b[0m", "\\u001b[1mbold\\u001b[0m"),
            (b"\x1b[0000000000000000;8mhidden", "\\u001b[0000000000000000;8mhidden"),
            (b"a\x1b]0;title\x07b", "a\\u001b]0;title\\u0007b"),
            (b"\x1b[2J\x1b[", "\\u001b[2J\\u001b["),
            ("\u{9b}31m\u{202e}".as_bytes(), "\\u009b31m\\u202e"),
            (b"\xff\r\x00 \xe2\x82", "\\u00ff\\u000d\\u0000 \\u00e2\\u0082"),
            (b"\x1b\x1b[38;2;1;2;3mx", "\\u001b\\u001b[38;2;1;2;3mx"),
        ];
        for (text, seen) in texts {
            for pieces in 1..=text.len() {
                for colour in [false, true] {
                    assert_eq!(shown(text, colour, pieces), seen, "{text:?} in pieces of {pieces}");
                }
            }
        }
    }

    /// Colours of one's own pass where they are wanted, are left out where they are not, and take nothing with them.
    #[test]
    fn own_colours_pass_where_they_are_wanted() {
        let foreign = "\x1b[8m";
        let text = format!("{}a{foreign}{}{}µ", own("1"), own("0;38;2;255;255;255;48;2;255;255;255"), own("0"));
        let coloured = "\x1b[1ma\\u001b[8m\x1b[0;38;2;255;255;255;48;2;255;255;255m\x1b[0mµ";
        for pieces in 1..=text.len() {
            assert_eq!(shown(text.as_bytes(), true, pieces), coloured, "{pieces}");
            assert_eq!(shown(text.as_bytes(), false, pieces), "a\\u001b[8mµ", "{pieces}");
        }
        // What is begun and does not go on is nothing.
        let half = &own("1")[..12];
        assert!(shown(half.as_bytes(), true, 5).starts_with("\\u001b["));
        assert_eq!(
            shown(trusted("\x1b[1mx\x1b[2J\x1b[m\x1b[").as_bytes(), true, 3),
            "\x1b[1mx\\u001b[2J\x1b[m\\u001b["
        );
    }

    #[test]
    fn json_that_is_written_out_is_the_same_json() {
        let value = serde_json::json!({ "name": "a\u{1b}[2J\u{202e}b\u{9b}\u{7f}c" });
        let line = shown(value.to_string().as_bytes(), false, 7);
        assert!(!line.contains(is_hidden));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }
}
