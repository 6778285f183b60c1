//! Keys as people write them (`ctrl-p`, `shift-tab`, `G`, `space`) and as the footer shows them.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers. Shift is folded into the character: `G`, not shift and `g`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd)]
pub struct Key {
    /// Which key.
    pub code: KeyCode,
    /// Control was held.
    pub ctrl: bool,
    /// Alt was held.
    pub alt: bool,
    /// Shift was held (only for keys that are not characters).
    pub shift: bool,
}

/// Names of keys that are not characters: as written in a configuration, and as shown.
const NAMES: &[(&str, KeyCode, &str)] = &[
    ("space", KeyCode::Char(' '), "Space"),
    ("enter", KeyCode::Enter, "Enter"),
    ("esc", KeyCode::Esc, "Esc"),
    ("tab", KeyCode::Tab, "Tab"),
    ("backspace", KeyCode::Backspace, "Backspace"),
    ("delete", KeyCode::Delete, "Del"),
    ("insert", KeyCode::Insert, "Ins"),
    ("left", KeyCode::Left, "←"),
    ("right", KeyCode::Right, "→"),
    ("up", KeyCode::Up, "↑"),
    ("down", KeyCode::Down, "↓"),
    ("home", KeyCode::Home, "Home"),
    ("end", KeyCode::End, "End"),
    ("pageup", KeyCode::PageUp, "PgUp"),
    ("pagedown", KeyCode::PageDown, "PgDn"),
    ("minus", KeyCode::Char('-'), "-"),
];

impl Key {
    /// A plain key.
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    /// A character.
    #[cfg(test)]
    pub const fn char(c: char) -> Self {
        Self::plain(KeyCode::Char(c))
    }

    /// A character with control.
    pub const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: true, alt: false, shift: false }
    }

    /// The character this key types, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }

    /// Reads `ctrl-p`, `shift-tab`, `alt-x`, `G`, `space`, `f5`, `+`.
    ///
    /// # Errors
    /// A sentence that says what a key looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut key = Self::plain(KeyCode::Null);
        let mut rest = text.trim();
        while let Some((modifier, tail)) = rest.split_once('-').filter(|(m, t)| !m.is_empty() && !t.is_empty()) {
            match modifier.to_ascii_lowercase().as_str() {
                "ctrl" | "c" => key.ctrl = true,
                "alt" | "a" => key.alt = true,
                "shift" | "s" => key.shift = true,
                other => return Err(format!("`{other}` is no modifier; use ctrl, alt or shift, as in `ctrl-p`")),
            }
            rest = tail;
        }
        let lower = rest.to_ascii_lowercase();
        let mut chars = rest.chars();
        key.code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(if key.ctrl { c.to_ascii_lowercase() } else { c }),
            _ => match NAMES.iter().find(|n| n.0 == lower) {
                Some(named) => named.1,
                None => match lower.strip_prefix('f').and_then(|n| n.parse().ok()).filter(|n| (1..=24).contains(n)) {
                    Some(number) => KeyCode::F(number),
                    None => {
                        let near = spikedeck_core::diagnostic::did_you_mean(&lower, NAMES.iter().map(|n| n.0));
                        let hint = near.map_or_else(
                            || "write `G`, `ctrl-p`, `space`, `left` or `f5`".to_owned(),
                            |n| format!("did you mean `{n}`?"),
                        );
                        return Err(format!("`{text}` is no key: {hint}"));
                    }
                },
            },
        };
        if let (KeyCode::Char(c), true) = (key.code, key.shift) {
            key.code = KeyCode::Char(c.to_ascii_uppercase());
            key.shift = false;
        }
        Ok(key)
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let (code, shift) = match event.code {
            KeyCode::BackTab => (KeyCode::Tab, true),
            KeyCode::Char(c) if ctrl => (KeyCode::Char(c.to_ascii_lowercase()), false),
            KeyCode::Char(c) => (KeyCode::Char(c), false),
            code => (code, event.modifiers.contains(KeyModifiers::SHIFT)),
        };
        Self { code, ctrl, alt: event.modifiers.contains(KeyModifiers::ALT), shift }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        if self.alt {
            f.write_str("Alt-")?;
        }
        if self.shift {
            f.write_str("Shift-")?;
        }
        match (NAMES.iter().find(|n| n.1 == self.code), self.code) {
            (Some(named), _) => f.write_str(named.2),
            (None, KeyCode::Char(c)) if self.ctrl => write!(f, "{}", c.to_ascii_uppercase()),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, KeyCode::F(n)) => write!(f, "F{n}"),
            (None, other) => write!(f, "{other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_people_write_them() {
        assert_eq!(Key::parse("ctrl-p").unwrap(), Key::ctrl('p'));
        assert_eq!(Key::parse("Ctrl-P").unwrap(), Key::ctrl('p'));
        assert_eq!(Key::parse("G").unwrap(), Key::char('G'));
        assert_eq!(Key::parse("shift-g").unwrap(), Key::char('G'));
        assert_eq!(Key::parse("-").unwrap(), Key::char('-'));
        assert_eq!(Key::parse("minus").unwrap(), Key::char('-'));
        assert_eq!(Key::parse("space").unwrap(), Key::char(' '));
        assert_eq!(Key::parse("f5").unwrap(), Key::plain(KeyCode::F(5)));
        let back = Key { shift: true, ..Key::plain(KeyCode::Tab) };
        assert_eq!(Key::parse("shift-tab").unwrap(), back);
        assert_eq!(Key::from(KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT)), back);
        assert_eq!(back.to_string(), "Shift-Tab");
    }

    #[test]
    fn a_wrong_key_is_answered_with_the_right_one() {
        assert_eq!(Key::parse("pagup").unwrap_err(), "`pagup` is no key: did you mean `pageup`?");
        assert!(Key::parse("hyper-x").unwrap_err().contains("no modifier"));
        assert!(Key::parse("").is_err());
    }
}
