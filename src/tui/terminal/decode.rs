//! What the bytes from a terminal say: keys, the mouse, pasted text, and answers to what it was asked.
//!
//! Crossterm's reader drops the answer to a status report unseen, and takes an escape sequence that a slow line cuts in
//! two for the key Esc and letters. So bytes are read here, into crossterm's own events, as xterm writes them.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// Something that a terminal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A key.
    Key(KeyEvent),
    /// The mouse.
    Mouse(MouseEvent),
    /// Text that was pasted.
    Paste(String),
    /// The answer to a status report (`CSI 5 n`): all that was written before has arrived.
    Well,
}

/// Silence after which what has begun is taken for what it is: the key Esc, and no sequence.
const SILENCE: Duration = Duration::from_millis(50);
/// The same on a slow line on which an answer is under way, which may be cut behind its first byte.
const SLOW_SILENCE: Duration = Duration::from_millis(200);
/// The same for what is more than that key: hardly anybody types it.
const BEGUN: Duration = Duration::from_millis(500);
/// The same for pasted text whose end does not come.
const PASTED: Duration = Duration::from_secs(5);
/// Around pasted text.
const PASTE: (&[u8], &[u8]) = (b"\x1b[200~", b"\x1b[201~");

/// Most bytes of pasted text that are kept: a name or a value is pasted, or a file by mistake.
const MOST_PASTED: usize = 1 << 20;

/// Takes bytes as they come.
#[derive(Debug, Default)]
pub struct Decoder {
    held: Vec<u8>,
    /// How much of pasted text has been searched for its end.
    searched: usize,
}

/// What stands at the beginning of some bytes.
enum Next {
    /// This, in so many bytes.
    Said(Said, usize),
    /// So many bytes that say nothing to us.
    Nothing(usize),
    /// It has begun.
    More,
}

impl Decoder {
    /// Everything that is said in full, these bytes after those before.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Said> {
        self.held.extend_from_slice(bytes);
        if self.held.starts_with(PASTE.0) {
            let overlap = PASTE.1.len() - 1;
            let from = self.searched.saturating_sub(overlap);
            if !self.held[from..].windows(PASTE.1.len()).any(|w| w == PASTE.1) {
                // The end may have begun.
                let last = self.held.len() - overlap;
                if last > PASTE.0.len() + MOST_PASTED {
                    self.held.drain(PASTE.0.len() + MOST_PASTED..last);
                }
                self.searched = self.held.len();
                return Vec::new();
            }
        }
        self.searched = 0;
        self.take(next)
    }

    /// How long to wait for the rest of what has begun; nothing where nothing has. Longer where a slow line carries an
    /// answer (`is_slow`).
    pub fn patience(&self, is_slow: bool) -> Option<Duration> {
        match &self.held[..] {
            [] => None,
            [0x1b] if is_slow => Some(SLOW_SILENCE),
            [0x1b] => Some(SILENCE),
            held if held.starts_with(PASTE.0) => Some(PASTED),
            _ => Some(BEGUN),
        }
    }

    /// No more came: what has begun is keys, or text without its end.
    pub fn give_up(&mut self) -> Vec<Said> {
        if let Some(text) = self.held.strip_prefix(PASTE.0) {
            let said = vec![Said::Paste(text_of(text))];
            self.held.clear();
            self.searched = 0;
            return said;
        }
        self.take(|bytes| match (next(bytes), bytes) {
            (Next::More, [0x1b]) => key(KeyCode::Esc, KeyModifiers::NONE, 1),
            // Alt and a bracket, or what is left of an answer.
            (Next::More, [0x1b, b @ (b'[' | b'O')]) => {
                key(KeyCode::Char(char::from(*b)), KeyModifiers::ALT | shift_of(char::from(*b)), 2)
            }
            (Next::More, all) => Next::Nothing(all.len()),
            (known, _) => known,
        })
    }

    fn take(&mut self, next: impl Fn(&[u8]) -> Next) -> Vec<Said> {
        let (mut said, mut from) = (Vec::new(), 0);
        while from < self.held.len() {
            match next(&self.held[from..]) {
                Next::Said(what, bytes) => {
                    said.push(what);
                    from += bytes;
                }
                Next::Nothing(bytes) => from += bytes,
                Next::More => break,
            }
        }
        self.held.drain(..from);
        said
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers, bytes: usize) -> Next {
    Next::Said(Said::Key(KeyEvent::new(code, modifiers)), bytes)
}

/// A capital is typed with shift.
fn shift_of(c: char) -> KeyModifiers {
    if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE }
}

/// What stands at the beginning of bytes, of which there is at least one.
fn next(bytes: &[u8]) -> Next {
    let control = |c: u8| key(KeyCode::Char(char::from(c)), KeyModifiers::CONTROL, 1);
    match bytes[0] {
        0x1b => escaped(bytes),
        b'\r' => key(KeyCode::Enter, KeyModifiers::NONE, 1),
        b'\t' => key(KeyCode::Tab, KeyModifiers::NONE, 1),
        0x7f => key(KeyCode::Backspace, KeyModifiers::NONE, 1),
        0 => control(b' '),
        c @ 0x01..=0x1a => control(c - 1 + b'a'),
        c @ 0x1c..=0x1f => control(c - 0x1c + b'4'),
        _ => letter(bytes),
    }
}

/// A letter in UTF-8; what is none of it says nothing.
fn letter(bytes: &[u8]) -> Next {
    let length = match bytes[0] {
        0..0x80 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf8 => 4,
        _ => return Next::Nothing(1),
    };
    let known = &bytes[..length.min(bytes.len())];
    match std::str::from_utf8(known) {
        Ok(text) => text.chars().next().map_or(Next::Nothing(1), |c| key(KeyCode::Char(c), shift_of(c), length)),
        Err(why) if why.error_len().is_none() && bytes.len() < length => Next::More,
        Err(_) => Next::Nothing(1),
    }
}

/// What begins with the byte of Esc.
fn escaped(bytes: &[u8]) -> Next {
    match bytes.get(1) {
        None => Next::More,
        Some(0x1b) => key(KeyCode::Esc, KeyModifiers::NONE, 1),
        Some(b'[') => sequence(bytes),
        Some(b'O') => match bytes.get(2) {
            None => Next::More,
            Some(last) => named(*last).map_or(Next::Nothing(3), |code| key(code, KeyModifiers::NONE, 3)),
        },
        Some(_) => match next(&bytes[1..]) {
            Next::Said(Said::Key(mut event), length) => {
                event.modifiers |= KeyModifiers::ALT;
                Next::Said(Said::Key(event), length + 1)
            }
            Next::Said(_, length) | Next::Nothing(length) => Next::Nothing(length + 1),
            Next::More => Next::More,
        },
    }
}

/// The keys whose sequences end in a letter of their own.
fn named(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        _ => return None,
    })
}

/// The keys that are numbered (`CSI n ~`).
fn numbered(n: u16) -> Option<KeyCode> {
    Some(match n {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F((n - 10) as u8),
        17..=21 => KeyCode::F((n - 11) as u8),
        23..=26 => KeyCode::F((n - 12) as u8),
        28..=29 => KeyCode::F((n - 13) as u8),
        31..=34 => KeyCode::F((n - 14) as u8),
        _ => return None,
    })
}

/// `CSI ...`: parameters, and a letter at the end that says what it is.
fn sequence(bytes: &[u8]) -> Next {
    match bytes.get(2) {
        // The function keys of Linux's console.
        Some(b'[') => {
            return match bytes.get(3) {
                None => Next::More,
                Some(c @ b'A'..=b'E') => key(KeyCode::F(c - b'A' + 1), KeyModifiers::NONE, 4),
                Some(_) => Next::Nothing(4),
            };
        }
        // The mouse of terminals that know no other way: three bytes follow.
        Some(b'M') => {
            return match bytes.get(3..6) {
                None => Next::More,
                Some(m) => {
                    let place = |b: u8| u16::from(b.saturating_sub(33));
                    mouse(m[0].saturating_sub(32), place(m[1]), place(m[2]), false, 6)
                }
            };
        }
        _ => {}
    }
    let Some(end) = bytes.iter().skip(2).position(|b| !(0x20..0x40).contains(b)).map(|k| k + 2) else {
        return Next::More;
    };
    let (length, last) = (end + 1, bytes[end]);
    if !(0x40..0x7f).contains(&last) {
        // Another one begins inside it.
        return Next::Nothing(end);
    }
    let text = String::from_utf8_lossy(&bytes[2..end]);
    if let (Some(place), b'M' | b'm') = (text.strip_prefix('<'), last) {
        let numbers: Vec<u16> = place.split(';').filter_map(|n| n.parse().ok()).collect();
        return match numbers[..] {
            [button, x, y] if button < 256 => {
                mouse(button as u8, x.saturating_sub(1), y.saturating_sub(1), last == b'm', length)
            }
            _ => Next::Nothing(length),
        };
    }
    let mut parts = text.split(';').map(|p| p.split(':').next().and_then(|n| n.parse::<u16>().ok()));
    let (first, second) = (parts.next().flatten(), parts.next().flatten());
    let held = modifiers(second);
    let found = match (last, first) {
        (b'n', Some(_)) => return Next::Said(Said::Well, length),
        (b'~', Some(200)) => return pasted(bytes),
        (b'~', Some(n)) => numbered(n),
        (b'Z', _) => return key(KeyCode::BackTab, KeyModifiers::SHIFT, length),
        (b'u', Some(n)) => char::from_u32(u32::from(n)).map(|c| match c {
            '\r' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            '\u{1b}' => KeyCode::Esc,
            '\u{7f}' => KeyCode::Backspace,
            c => KeyCode::Char(if held.contains(KeyModifiers::SHIFT) { c.to_ascii_uppercase() } else { c }),
        }),
        (_, first) if first.is_none_or(|n| n == 1) && !text.starts_with(['?', '>', '=']) => named(last),
        _ => None,
    };
    found.map_or(Next::Nothing(length), |code| key(code, held, length))
}

/// What is held with a key: one more than a sum of bits.
fn modifiers(number: Option<u16>) -> KeyModifiers {
    let bits = number.unwrap_or(1).saturating_sub(1);
    let known = [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)];
    known.into_iter().filter(|(bit, _)| bits & bit != 0).fold(KeyModifiers::NONE, |all, (_, m)| all | m)
}

/// Text between the marks around what is pasted.
fn pasted(bytes: &[u8]) -> Next {
    let (start, end) = PASTE;
    match bytes.windows(end.len()).position(|w| w == end) {
        Some(at) => Next::Said(Said::Paste(text_of(&bytes[start.len().min(at)..at])), at + end.len()),
        None => Next::More,
    }
}

/// What was pasted, as far as it is kept.
fn text_of(pasted: &[u8]) -> String {
    String::from_utf8_lossy(&pasted[..pasted.len().min(MOST_PASTED)]).into_owned()
}

fn mouse(button: u8, column: u16, row: u16, is_up: bool, length: usize) -> Next {
    let number = (button & 3) | ((button & 0xc0) >> 4);
    let moves = button & 0x20 != 0;
    let which = |n: u8| match n {
        0 => MouseButton::Left,
        1 => MouseButton::Middle,
        _ => MouseButton::Right,
    };
    let kind = match (number, moves) {
        (n @ 0..=2, false) if is_up => MouseEventKind::Up(which(n)),
        (n @ 0..=2, false) => MouseEventKind::Down(which(n)),
        (n @ 0..=2, true) => MouseEventKind::Drag(which(n)),
        (3, false) => MouseEventKind::Up(MouseButton::Left),
        (3..=5, true) => MouseEventKind::Moved,
        (4, false) => MouseEventKind::ScrollUp,
        (5, false) => MouseEventKind::ScrollDown,
        (6, false) => MouseEventKind::ScrollLeft,
        (7, false) => MouseEventKind::ScrollRight,
        _ => return Next::Nothing(length),
    };
    let held = [(4, KeyModifiers::SHIFT), (8, KeyModifiers::ALT), (16, KeyModifiers::CONTROL)];
    let modifiers =
        held.into_iter().filter(|(bit, _)| button & bit != 0).fold(KeyModifiers::NONE, |all, (_, m)| all | m);
    Next::Said(Said::Mouse(MouseEvent { kind, column, row, modifiers }), length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8]) -> Vec<Said> {
        let mut decoder = Decoder::default();
        let mut said = decoder.feed(bytes);
        said.extend(decoder.give_up());
        assert_eq!(decoder.patience(false), None, "nothing is held for ever");
        said
    }

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Said {
        Said::Key(KeyEvent::new(code, modifiers))
    }

    const PLAIN: KeyModifiers = KeyModifiers::NONE;

    #[test]
    fn keys_as_xterm_writes_them() {
        let cases: &[(&[u8], KeyCode, KeyModifiers)] = &[
            (b"q", KeyCode::Char('q'), PLAIN),
            (b"G", KeyCode::Char('G'), KeyModifiers::SHIFT),
            ("µ".as_bytes(), KeyCode::Char('µ'), PLAIN),
            ("𝛼".as_bytes(), KeyCode::Char('𝛼'), PLAIN),
            (b"\r", KeyCode::Enter, PLAIN),
            (b"\n", KeyCode::Char('j'), KeyModifiers::CONTROL),
            (b"\t", KeyCode::Tab, PLAIN),
            (b"\x1b[Z", KeyCode::BackTab, KeyModifiers::SHIFT),
            (b"\x7f", KeyCode::Backspace, PLAIN),
            (b"\x03", KeyCode::Char('c'), KeyModifiers::CONTROL),
            (b"\x1a", KeyCode::Char('z'), KeyModifiers::CONTROL),
            (b"\x00", KeyCode::Char(' '), KeyModifiers::CONTROL),
            (b"\x1b", KeyCode::Esc, PLAIN),
            (b"\x1bx", KeyCode::Char('x'), KeyModifiers::ALT),
            (b"\x1b]", KeyCode::Char(']'), KeyModifiers::ALT),
            (b"\x1b[", KeyCode::Char('['), KeyModifiers::ALT),
            (b"\x1b[A", KeyCode::Up, PLAIN),
            (b"\x1bOA", KeyCode::Up, PLAIN),
            (b"\x1b[1;5C", KeyCode::Right, KeyModifiers::CONTROL),
            (b"\x1b[1;2D", KeyCode::Left, KeyModifiers::SHIFT),
            (b"\x1b[1;2R", KeyCode::F(3), KeyModifiers::SHIFT),
            (b"\x1bOP", KeyCode::F(1), PLAIN),
            (b"\x1b[[A", KeyCode::F(1), PLAIN),
            (b"\x1b[15~", KeyCode::F(5), PLAIN),
            (b"\x1b[24~", KeyCode::F(12), PLAIN),
            (b"\x1b[26~", KeyCode::F(14), PLAIN),
            (b"\x1b[28~", KeyCode::F(15), PLAIN),
            (b"\x1b[29~", KeyCode::F(16), PLAIN),
            (b"\x1b[31~", KeyCode::F(17), PLAIN),
            (b"\x1b[34~", KeyCode::F(20), PLAIN),
            (b"\x1b[3~", KeyCode::Delete, PLAIN),
            (b"\x1b[5;3~", KeyCode::PageUp, KeyModifiers::ALT),
            (b"\x1b[H", KeyCode::Home, PLAIN),
            (b"\x1b[4~", KeyCode::End, PLAIN),
            (b"\x1b[97;5u", KeyCode::Char('a'), KeyModifiers::CONTROL),
        ];
        for (bytes, code, modifiers) in cases {
            assert_eq!(all(bytes), [pressed(*code, *modifiers)], "{bytes:?}");
        }
        assert_eq!(all(b"\x1b\x1b"), [pressed(KeyCode::Esc, PLAIN), pressed(KeyCode::Esc, PLAIN)]);
        assert_eq!(all(b"\x1b[I\x1b[O\x1b[?62;4c\x1b[8;24;80t\xff"), [], "these are no keys");
    }

    #[test]
    fn the_mouse_and_what_is_pasted() {
        let at = |kind, column, row, modifiers| Said::Mouse(MouseEvent { kind, column, row, modifiers });
        let left = MouseButton::Left;
        assert_eq!(all(b"\x1b[<0;300;5M"), [at(MouseEventKind::Down(left), 299, 4, PLAIN)]);
        assert_eq!(all(b"\x1b[<0;3;5m"), [at(MouseEventKind::Up(left), 2, 4, PLAIN)]);
        assert_eq!(all(b"\x1b[<32;3;5M"), [at(MouseEventKind::Drag(left), 2, 4, PLAIN)]);
        assert_eq!(all(b"\x1b[<80;1;1M"), [at(MouseEventKind::ScrollUp, 0, 0, KeyModifiers::CONTROL)]);
        assert_eq!(all(b"\x1b[M !\x22"), [at(MouseEventKind::Down(left), 0, 1, PLAIN)]);
        let text = "a\x1b[A µ\nq".to_owned();
        let bytes = format!("\x1b[200~{text}\x1b[201~q");
        assert_eq!(all(bytes.as_bytes()), [Said::Paste(text.clone()), pressed(KeyCode::Char('q'), PLAIN)]);
        assert_eq!(all(&bytes.as_bytes()[..6 + text.len()]), [Said::Paste(text)], "the end was lost");
    }

    /// A file that is pasted by mistake takes no more memory than its beginning; its end is found wherever it is cut,
    /// and what follows is keys again.
    #[test]
    fn of_a_long_text_the_beginning_is_pasted() {
        for size in [4090, 4096, MOST_PASTED - 3, MOST_PASTED, MOST_PASTED + 1, 3 * MOST_PASTED + 17] {
            let text: Vec<u8> = (0..size).map(|k| b'a' + (k % 23) as u8).collect();
            let bytes = [PASTE.0, &text, PASTE.1, b"q"].concat();
            let mut decoder = Decoder::default();
            let mut said = Vec::new();
            for piece in bytes.chunks(4096) {
                said.extend(decoder.feed(piece));
                assert!(decoder.held.len() <= MOST_PASTED + 2 * 4096, "{size}");
            }
            let kept = String::from_utf8(text[..size.min(MOST_PASTED)].to_vec()).unwrap();
            assert!(said == [Said::Paste(kept), pressed(KeyCode::Char('q'), PLAIN)], "{size}");
        }
    }

    /// Everything that a terminal says, cut anywhere by a slow line: the same keys and the same answers.
    #[test]
    fn where_a_line_cuts_makes_no_difference() {
        let bytes = "q\x1b[0n\x1b[A\x1b[1;5Cµ\x1b[0n\x1b[<0;3;5MG\x1bx\x1b[200~ab\x1b[201~\x1b[3~\x1b[0nj".as_bytes();
        let whole = all(bytes);
        assert_eq!(whole.iter().filter(|s| **s == Said::Well).count(), 3);
        assert_eq!(whole.len(), 13);
        for cut in 0..=bytes.len() {
            for second in cut..=bytes.len() {
                let mut decoder = Decoder::default();
                let mut said = decoder.feed(&bytes[..cut]);
                said.extend(decoder.feed(&bytes[cut..second]));
                said.extend(decoder.feed(&bytes[second..]));
                assert_eq!(said, whole, "cut at {cut} and {second}");
            }
        }
    }

    /// The key Esc is one after a short silence, and where an answer may have been cut there after a longer one.
    #[test]
    fn a_slow_line_is_given_more_time() {
        let mut decoder = Decoder::default();
        assert!(decoder.feed(b"\x1b").is_empty());
        assert!(decoder.patience(true) > decoder.patience(false).map(|t| 3 * t));
        assert_eq!(decoder.feed(b"[0n"), [Said::Well]);
        assert_eq!(decoder.patience(true), None);
    }

    proptest! {
        /// No bytes are held for ever, and answers among typed letters take none of them and are none.
        #[test]
        fn answers_are_no_keys_and_keys_no_answers(
            typed in "[ -Z\\\\^-~µé]{0,20}", places in prop::collection::vec(0usize..20, 0..6),
            noise in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let letters: Vec<char> = typed.chars().collect();
            let mut stream = String::new();
            let mut asked = 0;
            for (k, c) in letters.iter().enumerate() {
                for _ in places.iter().filter(|p| **p == k) {
                    stream.push_str("\x1b[0n");
                    asked += 1;
                }
                stream.push(*c);
            }
            let said = all(stream.as_bytes());
            let keys: Vec<char> = said.iter().filter_map(|s| match s {
                Said::Key(k) => k.code.as_char(),
                _ => None,
            }).collect();
            prop_assert_eq!(keys, letters);
            prop_assert_eq!(said.iter().filter(|s| **s == Said::Well).count(), asked);
            all(&noise);
        }
    }
}
