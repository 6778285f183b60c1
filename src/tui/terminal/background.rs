//! Is the terminal's background dark or light? It is asked (OSC 11), and nobody waits: frames are drawn for a dark
//! background until the answer is there. A reader that waited would lose keys or miss the answers of slow links.
//!
//! The answer comes as keys: Alt-], the text, and Ctrl-G or Alt-\. It is taken out of the stream here, so that `;r` in
//! it is no command.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::state::theme::ThemeChoice;

/// The question, ended by BEL: answers end as questions do.
pub const QUERY: &str = "\x1b]11;?\x07";
/// An answer that begins later is taken for keys.
const START_WITHIN: Duration = Duration::from_secs(5);
/// Time from the start of an answer to its end; a longer silence means that the rest was lost.
const END_WITHIN: Duration = Duration::from_secs(1);
/// No answer is longer.
const MOST_CHARACTERS: usize = 48;
/// What an answer is sure to begin with; fewer characters may still be somebody's keys.
const PREFIX: &str = "11;rgb";

/// Whether to ask: nothing else says what the background is, and the terminal is of a kind that does not print the
/// question.
pub fn unknown(choice: ThemeChoice, env: impl Fn(&str) -> Option<String>) -> bool {
    let term = env("TERM").unwrap_or_default();
    let answers = !["", "dumb", "linux", "vt100", "vt220", "ansi"].contains(&term.as_str());
    choice == ThemeChoice::Auto && env("COLORFGBG").is_none() && answers
}

/// What becomes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// These are keys, in this order: the one that was given, after those that were held back and turned out to be
    /// keys.
    Keys(Vec<KeyEvent>),
    /// It belongs to the answer, or may do.
    Part,
    /// It ends the answer: light or not.
    Light(bool),
}

/// Listens for the answer among the keys.
#[derive(Debug, Default)]
pub struct Listener {
    until: Option<Instant>,
    held: Vec<KeyEvent>,
}

impl Listener {
    /// Starts to listen; the question was sent `now`.
    pub fn asked(now: Instant) -> Self {
        Self { until: Some(now + START_WITHIN), held: Vec::new() }
    }

    /// Looks at a key.
    pub fn take(&mut self, key: KeyEvent, now: Instant) -> Taken {
        let Some(until) = self.until else { return Taken::Keys(vec![key]) };
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if self.held.is_empty() {
            if now > until {
                *self = Self::default();
            } else if alt && key.code == KeyCode::Char(']') {
                self.until = Some(now + END_WITHIN);
                self.held.push(key);
                return Taken::Part;
            }
            return Taken::Keys(vec![key]);
        }
        if now > until {
            return self.give_up(key);
        }
        let text = self.text();
        match key.code {
            KeyCode::Char('g') if control => self.end(key, &text),
            KeyCode::Char('\\') if alt => self.end(key, &text),
            KeyCode::Char(c) if !control && !alt => {
                let more = format!("{text}{c}");
                let fits = PREFIX.starts_with(&more) || more.strip_prefix(PREFIX).is_some_and(is_colour);
                if !fits || more.len() > MOST_CHARACTERS {
                    return self.give_up(key);
                }
                self.held.push(key);
                Taken::Part
            }
            // Ctrl-C, Esc, an arrow: no terminal says these in an answer, and whoever presses them is heard at once.
            _ => Taken::Keys(vec![key]),
        }
    }

    /// Characters of the answer so far.
    fn text(&self) -> String {
        self.held.iter().skip(1).filter_map(|k| k.code.as_char()).collect()
    }

    /// The terminator: of an answer, or a key after what only looked like one.
    fn end(&mut self, key: KeyEvent, text: &str) -> Taken {
        match is_light(text) {
            Some(light) => {
                *self = Self::default();
                Taken::Light(light)
            }
            None => self.give_up(key),
        }
    }

    /// This was no answer, or one that lost its end: what may have been keys is given back, with the key that showed
    /// it.
    fn give_up(&mut self, key: KeyEvent) -> Taken {
        // Half an answer is not given back: its letters would be taken for commands.
        let sure = self.text().starts_with(PREFIX);
        let mut keys = std::mem::take(self).held;
        if sure {
            keys.clear();
        }
        keys.push(key);
        Taken::Keys(keys)
    }
}

/// Whether this may be what follows [`PREFIX`], whole or in part: `:RRRR/GGGG/BBBB`, `a:` before it for a fourth part.
fn is_colour(text: &str) -> bool {
    let text = text.strip_prefix('a').unwrap_or(text);
    let Some(parts) = text.strip_prefix(':') else { return text.is_empty() };
    parts.split('/').count() <= 4 && parts.split('/').all(|p| p.len() <= 4 && p.chars().all(|c| c.is_ascii_hexdigit()))
}

/// Reads `11;rgb:RRRR/GGGG/BBBB` (one to four hexadecimal digits each).
fn is_light(answer: &str) -> Option<bool> {
    let colour = answer.strip_prefix("11;")?.split_once(':')?.1;
    let mut parts = colour.split('/').map(|p| {
        let most = 16_u32.checked_pow(p.len() as u32)?.checked_sub(1).filter(|m| *m > 0)?;
        Some(f64::from(u32::from_str_radix(p, 16).ok()?) / f64::from(most))
    });
    let (r, g, b) = (parts.next()??, parts.next()??, parts.next()??);
    // Relative luminance of Rec. 709 without its gamma: only the half matters.
    Some(0.2126 * r + 0.7152 * g + 0.0722 * b > 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the reader of keys makes of an answer.
    fn keys(answer: &str, ended_by_bell: bool) -> Vec<KeyEvent> {
        let key = |c, m| KeyEvent::new(KeyCode::Char(c), m);
        let end = if ended_by_bell { key('g', KeyModifiers::CONTROL) } else { key('\\', KeyModifiers::ALT) };
        std::iter::once(key(']', KeyModifiers::ALT))
            .chain(answer.chars().map(|c| key(c, KeyModifiers::NONE)))
            .chain([end])
            .collect()
    }

    fn plain(c: char) -> KeyEvent {
        KeyEvent::from(KeyCode::Char(c))
    }

    #[test]
    fn answers_are_taken_out_of_the_keys() {
        let now = Instant::now();
        for (answer, light) in
            [("11;rgb:ffff/ffff/ffff", true), ("11;rgb:1e/1e/2e", false), ("11;rgba:ffff/f0f0/e0e0/ffff", true)]
        {
            for bell in [true, false] {
                let mut l = Listener::asked(now);
                assert_eq!(l.take(plain('r'), now), Taken::Keys(vec![plain('r')]), "a key before the answer is a key");
                let keys = keys(answer, bell);
                let (last, rest) = keys.split_last().unwrap();
                assert!(rest.iter().all(|k| l.take(*k, now) == Taken::Part));
                assert_eq!(l.take(*last, now), Taken::Light(light), "{answer}");
                assert_eq!(l.take(plain('r'), now), Taken::Keys(vec![plain('r')]), "and after it");
            }
        }
    }

    /// Whatever is typed while an answer is under way: nothing of it may be lost.
    #[test]
    fn keys_that_cannot_belong_to_an_answer_pass_at_once() {
        let now = Instant::now();
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        let mut l = Listener::asked(now);
        let answer = keys("11;rgb:ffff/ffff/ffff", true);
        for (at, key) in answer.iter().enumerate() {
            let last = at + 1 == answer.len();
            assert_eq!(l.take(*key, now), if last { Taken::Light(true) } else { Taken::Part });
            for typed in [control_c, KeyEvent::from(KeyCode::Esc), KeyEvent::from(KeyCode::Down)] {
                assert_eq!(l.take(typed, now), Taken::Keys(vec![typed]), "after {at} parts");
            }
        }
    }

    #[test]
    fn what_is_no_answer_is_given_back_as_keys() {
        let now = Instant::now();
        let mut l = Listener::asked(now);
        let typed = keys("1q", true);
        assert_eq!(l.take(typed[0], now), Taken::Part);
        assert_eq!(l.take(typed[1], now), Taken::Part);
        assert_eq!(l.take(typed[2], now), Taken::Keys(typed[..3].to_vec()), "Alt-], 1 and q were keys");
        let mut l = Listener::asked(now);
        let late = now + START_WITHIN + Duration::from_millis(1);
        assert!(
            keys("11;rgb:0/0/0", true).iter().all(|k| l.take(*k, late) == Taken::Keys(vec![*k])),
            "nobody listens for ever"
        );
    }

    #[test]
    fn an_answer_without_an_end_costs_no_key() {
        let now = Instant::now();
        let start =
            |l: &mut Listener| assert!(keys("11;rgb:ff", true).iter().take(10).all(|k| l.take(*k, now) == Taken::Part));
        let mut l = Listener::asked(now);
        start(&mut l);
        assert_eq!(
            l.take(plain('q'), now),
            Taken::Keys(vec![plain('q')]),
            "no colour has a q; the half answer is no key"
        );
        let mut l = Listener::asked(now);
        start(&mut l);
        assert_eq!(
            l.take(plain('a'), now + END_WITHIN * 2),
            Taken::Keys(vec![plain('a')]),
            "the key after the silence"
        );
        assert_eq!(l.take(plain('b'), now + END_WITHIN * 2), Taken::Keys(vec![plain('b')]));
        let mut l = Listener::asked(now);
        start(&mut l);
        let held = (0..200).filter(|_| l.take(plain('f'), now) == Taken::Part).count();
        assert!(held <= 2, "a part of a colour has four digits at most: {held}");
        assert_eq!(is_light("11;rgb:zz/00/00"), None);
        assert_eq!(is_light("11;rgb:/0/0"), None);
    }

    #[test]
    fn asked_only_where_nothing_else_says_it() {
        let env = |pairs: &'static [(&'static str, &'static str)]| {
            move |k: &str| pairs.iter().find(|p| p.0 == k).map(|p| p.1.to_owned())
        };
        assert!(unknown(ThemeChoice::Auto, env(&[("TERM", "xterm-256color")])));
        assert!(!unknown(ThemeChoice::Dark, env(&[("TERM", "xterm-256color")])));
        assert!(!unknown(ThemeChoice::Auto, env(&[("TERM", "xterm"), ("COLORFGBG", "0;15")])));
        assert!(!unknown(ThemeChoice::Auto, env(&[("TERM", "linux")])));
        assert!(!unknown(ThemeChoice::Auto, env(&[])));
    }
}
