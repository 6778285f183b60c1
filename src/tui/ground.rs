//! Is the terminal's ground dark or light? It is asked (OSC 11), and nobody waits: frames are drawn for a dark ground until
//! the answer is there. A reader that waited would lose keys or miss the answers of slow links.
//!
//! Crossterm knows no such answers and hands them on as keys: Alt-], the text, and Ctrl-G or Alt-\. They are taken out of
//! the stream here, so that `;r` in the answer is no command.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::theme::Choice;

/// The question, ended by BEL: answers end as questions do.
pub const QUESTION: &str = "\x1b]11;?\x07";
/// An answer that takes longer is taken for keys.
const PATIENCE: Duration = Duration::from_secs(5);
/// No answer is longer.
const LONGEST: usize = 48;

/// Whether to ask: nothing else says what the ground is, and the terminal is of a kind that does not print the question.
pub fn unknown(choice: Choice, env: impl Fn(&str) -> Option<String>) -> bool {
    let term = env("TERM").unwrap_or_default();
    let answers = !["", "dumb", "linux", "vt100", "vt220", "ansi"].contains(&term.as_str());
    choice == Choice::Auto && env("COLORFGBG").is_none() && answers
}

/// What becomes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is a key.
    Key,
    /// It belongs to the answer.
    Part,
    /// It ends the answer: light or not.
    Light(bool),
}

/// Listens for the answer among the keys.
#[derive(Debug, Default)]
pub struct Listener {
    until: Option<Instant>,
    text: Option<String>,
}

impl Listener {
    /// Starts to listen; the question was sent `now`.
    pub fn asked(now: Instant) -> Self {
        Self { until: Some(now + PATIENCE), text: None }
    }

    /// Looks at a key.
    pub fn take(&mut self, key: KeyEvent, now: Instant) -> Taken {
        let Some(until) = self.until else { return Taken::Key };
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let Some(text) = &mut self.text else {
            if now > until {
                self.until = None;
            } else if alt && key.code == KeyCode::Char(']') {
                self.text = Some(String::new());
                return Taken::Part;
            }
            return Taken::Key;
        };
        let ends = matches!(key.code, KeyCode::Char('g') if control) || matches!(key.code, KeyCode::Char('\\') if alt);
        if let (KeyCode::Char(c), false) = (key.code, ends) {
            text.push(c);
        }
        if !ends && text.len() < LONGEST && now <= until {
            return Taken::Part;
        }
        let light = is_light(text);
        *self = Self::default();
        light.map_or(Taken::Part, Taken::Light)
    }
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

    /// What crossterm makes of an answer.
    fn keys(answer: &str, ended_by_bell: bool) -> Vec<KeyEvent> {
        let key = |c, m| KeyEvent::new(KeyCode::Char(c), m);
        let end = if ended_by_bell { key('g', KeyModifiers::CONTROL) } else { key('\\', KeyModifiers::ALT) };
        std::iter::once(key(']', KeyModifiers::ALT)).chain(answer.chars().map(|c| key(c, KeyModifiers::NONE))).chain([end]).collect()
    }

    #[test]
    fn answers_are_taken_out_of_the_keys() {
        let now = Instant::now();
        for (answer, light) in [("11;rgb:ffff/ffff/ffff", true), ("11;rgb:1e/1e/2e", false), ("11;rgba:ffff/f0f0/e0e0/ffff", true)] {
            for bell in [true, false] {
                let mut l = Listener::asked(now);
                assert_eq!(l.take(KeyEvent::from(KeyCode::Char('r')), now), Taken::Key, "a key before the answer is a key");
                let keys = keys(answer, bell);
                let (last, rest) = keys.split_last().unwrap();
                assert!(rest.iter().all(|k| l.take(*k, now) == Taken::Part));
                assert_eq!(l.take(*last, now), Taken::Light(light), "{answer}");
                assert_eq!(l.take(KeyEvent::from(KeyCode::Char('r')), now), Taken::Key, "and after it");
            }
        }
    }

    #[test]
    fn what_is_no_answer_ends() {
        let now = Instant::now();
        let mut l = Listener::asked(now);
        for k in keys("52;c;", true) {
            assert_eq!(l.take(k, now), Taken::Part);
        }
        let mut l = Listener::asked(now);
        let late = now + PATIENCE + Duration::from_millis(1);
        assert!(keys("11;rgb:0/0/0", true).iter().all(|k| l.take(*k, late) == Taken::Key), "nobody listens for ever");
        let mut l = Listener::asked(now);
        l.take(keys("", true)[0], now);
        let swallowed = (0..200).filter(|_| l.take(KeyEvent::from(KeyCode::Char('x')), now) == Taken::Part).count();
        assert!(swallowed <= LONGEST, "an answer without an end takes no more keys than the longest: {swallowed}");
        assert_eq!(is_light("11;rgb:zz/00/00"), None);
        assert_eq!(is_light("11;rgb:/0/0"), None);
    }

    #[test]
    fn asked_only_where_nothing_else_says_it() {
        let env = |pairs: &'static [(&'static str, &'static str)]| move |k: &str| pairs.iter().find(|p| p.0 == k).map(|p| p.1.to_owned());
        assert!(unknown(Choice::Auto, env(&[("TERM", "xterm-256color")])));
        assert!(!unknown(Choice::Dark, env(&[("TERM", "xterm-256color")])));
        assert!(!unknown(Choice::Auto, env(&[("TERM", "xterm"), ("COLORFGBG", "0;15")])));
        assert!(!unknown(Choice::Auto, env(&[("TERM", "linux")])));
        assert!(!unknown(Choice::Auto, env(&[])));
    }
}
