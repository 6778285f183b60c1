//! The dashboard's settings: flags over environment over file over default.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::input::commands::{COMMANDS, keymap};
use crate::state::theme::ThemeChoice;
use spikedeck_core::diagnostic::did_you_mean;
use spikedeck_plot::{Depth, Marker};

/// How fast the link to the terminal is taken to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkMode {
    /// Measured: frames follow the terminal's answers, or how long writing blocks.
    #[default]
    Auto,
    /// At most 4 frames a second and 256 colours.
    Slow,
    /// At most 60 frames a second.
    Fast,
}

/// Settings, resolved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// Colours for a dark or a light background.
    pub theme: ThemeChoice,
    /// Colour depth, if said.
    pub colours: Option<Depth>,
    /// Marks.
    pub marker: Marker,
    /// Link.
    pub link: LinkMode,
    /// Mouse at start; if not said: on, but off over SSH.
    pub mouse: Option<bool>,
    /// What has the focus is said in plain lines, and nothing is drawn.
    pub reader: bool,
    /// Newcomers are not told what to do next.
    pub no_hints: bool,
    /// Keys: command id, keys.
    pub keys: Vec<(String, Vec<String>)>,
}

/// A word of a setting, and what it does.
type Word = (&'static str, fn(&mut Settings));

/// A setting of the file: key, environment variable, allowed words with what each does, default, meaning.
struct Field {
    key: &'static str,
    env: &'static str,
    words: &'static [Word],
    default: &'static str,
    about: &'static str,
}

impl Field {
    fn words(&self) -> impl Iterator<Item = &'static str> {
        self.words.iter().map(|w| w.0)
    }

    fn list(&self) -> String {
        self.words().collect::<Vec<_>>().join(", ")
    }
}

const FIELDS: &[Field] = &[
    Field {
        key: "theme",
        env: "SPIKEDECK_THEME",
        words: &[
            ("auto", |s| s.theme = ThemeChoice::Auto),
            ("dark", |s| s.theme = ThemeChoice::Dark),
            ("light", |s| s.theme = ThemeChoice::Light),
        ],
        default: "auto",
        about: "colours for a dark or a light background",
    },
    Field {
        key: "colours",
        env: "SPIKEDECK_COLOURS",
        words: &[
            ("auto", |s| s.colours = None),
            ("none", |s| s.colours = Some(Depth::None)),
            ("16", |s| s.colours = Some(Depth::Sixteen)),
            ("256", |s| s.colours = Some(Depth::Indexed)),
            ("truecolor", |s| s.colours = Some(Depth::True)),
        ],
        default: "auto",
        about: "how many colours the terminal shows (auto: NO_COLOR, COLORTERM, TERM)",
    },
    Field {
        key: "marker",
        env: "SPIKEDECK_MARKER",
        words: &[
            (Marker::WORDS[0], |s| s.marker = Marker::ALL[0]),
            (Marker::WORDS[1], |s| s.marker = Marker::ALL[1]),
            (Marker::WORDS[2], |s| s.marker = Marker::ALL[2]),
            (Marker::WORDS[3], |s| s.marker = Marker::ALL[3]),
            (Marker::WORDS[4], |s| s.marker = Marker::ALL[4]),
        ],
        default: "braille",
        about: "marks that curves are drawn with (octant needs a Unicode 16 font)",
    },
    Field {
        key: "link",
        env: "SPIKEDECK_LINK",
        words: &[
            ("auto", |s| s.link = LinkMode::Auto),
            ("slow", |s| s.link = LinkMode::Slow),
            ("fast", |s| s.link = LinkMode::Fast),
        ],
        default: "auto",
        about: "how fast the line to the terminal is (auto: measured)",
    },
    Field {
        key: "images",
        env: "SPIKEDECK_IMAGES",
        // None are drawn.
        words: &[("off", |_| ())],
        default: "off",
        about: "pictures through a graphics protocol",
    },
    Field {
        key: "mouse",
        env: "SPIKEDECK_MOUSE",
        words: &[("auto", |s| s.mouse = None), ("on", |s| s.mouse = Some(true)), ("off", |s| s.mouse = Some(false))],
        default: "auto",
        about: "mouse at the start (auto: off over SSH)",
    },
    Field {
        key: "reader",
        env: "SPIKEDECK_READER",
        words: &[("off", |s| s.reader = false), ("on", |s| s.reader = true)],
        default: "off",
        about: "say what has the focus in plain lines, for screen readers, and draw nothing",
    },
    Field {
        key: "hints",
        env: "SPIKEDECK_HINTS",
        words: &[("on", |s| s.no_hints = false), ("off", |s| s.no_hints = true)],
        default: "on",
        about: "three steps for newcomers, each until it is taken",
    },
];

impl Settings {
    /// Sets one field by its words.
    ///
    /// # Errors
    /// What is wrong and what would be right.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let Some(field) = FIELDS.iter().find(|f| f.key == key) else {
            let near = did_you_mean(key, FIELDS.iter().map(|f| f.key).chain(["keys"]));
            let hint = near.map_or_else(
                || format!("known are {}, keys", FIELDS.iter().map(|f| f.key).collect::<Vec<_>>().join(", ")),
                |n| format!("did you mean `{n}`?"),
            );
            return Err(format!("{key}: there is no such setting; {hint}"));
        };
        let Some((_, set)) = field.words.iter().find(|w| w.0 == value) else {
            let near =
                did_you_mean(value, field.words()).map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
            return Err(format!("{key}: `{value}` is not one of {}{near}", field.list()));
        };
        set(self);
        Ok(())
    }

    /// Reads a file's text over the defaults; everything that is wrong is told at once.
    pub fn from_toml(text: &str) -> (Self, Vec<String>) {
        Self::default().with_toml(text)
    }

    /// The defaults of a terminal: the console of Linux has no braille, a locale that names another encoding than UTF-8
    /// has ASCII alone, and a terminal of lines gets lines.
    fn of_terminal(term: Option<&str>, locale: Option<&str>) -> Self {
        let is_utf_8 = |l: &str| l.to_ascii_lowercase().replace('-', "").contains("utf8");
        let marker = match term {
            _ if locale.is_some_and(|l| !l.is_empty() && !is_utf_8(l)) => Marker::Ascii,
            Some("linux") => Marker::Half,
            _ => Marker::default(),
        };
        Self { marker, reader: term == Some("dumb"), ..Self::default() }
    }

    fn with_toml(self, text: &str) -> (Self, Vec<String>) {
        let mut settings = self;
        let mut problems = Vec::new();
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(e) => return (settings, vec![e.to_string().trim().to_owned()]),
        };
        for (key, value) in &table {
            if key == "keys" {
                match value.as_table() {
                    Some(keys) => read_keys(keys, &mut settings, &mut problems),
                    None => {
                        problems.push("keys: write a table, `[keys]`, with lines such as `zoom-in = \"+\"`".to_owned());
                    }
                }
                continue;
            }
            let word = match value {
                toml::Value::String(s) => s.clone(),
                toml::Value::Boolean(b) => (if *b { "on" } else { "off" }).to_owned(),
                other => other.to_string(),
            };
            if let Err(why) = settings.set(key, &word) {
                problems.push(why);
            }
        }
        problems.extend(keymap(&settings.keys).1);
        (settings, problems)
    }

    /// File, then environment; flags are set by the caller on top with [`Settings::set`].
    pub fn load(env: impl Fn(&str) -> Option<String>) -> (Self, Vec<String>) {
        // The first of them that is set says what the terminal is written in.
        let set = |key: &str| env(key).filter(|value| !value.is_empty());
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let defaults = Self::of_terminal(env("TERM").as_deref(), locale.as_deref());
        let (mut settings, mut problems) = match config_path() {
            Some(path) if path.exists() => match std::fs::read_to_string(&path) {
                Ok(text) => {
                    let (s, p) = defaults.with_toml(&text);
                    (s, p.into_iter().map(|p| format!("{}: {p}", path.display())).collect())
                }
                Err(e) => (defaults, vec![format!("{}: {e}", path.display())]),
            },
            _ => (defaults, Vec::new()),
        };
        for field in FIELDS {
            if let Some(value) = env(field.env).filter(|v| !v.is_empty())
                && let Err(why) = settings.set(field.key, &value)
            {
                problems.push(format!("{} (environment): {why}", field.env));
            }
        }
        (settings, problems)
    }

    /// Whether the mouse is on at the start.
    pub fn mouse_at_start(&self, env: impl Fn(&str) -> Option<String>) -> bool {
        let ssh = env("SSH_CONNECTION").is_some() || env("SSH_TTY").is_some();
        self.mouse.unwrap_or(!ssh)
    }
}

fn read_keys(keys: &toml::Table, settings: &mut Settings, problems: &mut Vec<String>) {
    for (id, value) in keys {
        let texts = match value {
            toml::Value::String(one) => Some(vec![one.clone()]),
            toml::Value::Array(many) => many.iter().map(|v| v.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        match texts {
            Some(texts) => settings.keys.push((id.clone(), texts)),
            None => {
                problems.push(format!("keys.{id}: write a key or a list of keys, `\"+\"` or `[\"+\", \"ctrl-up\"]`"));
            }
        }
    }
}

/// Where the settings file is looked for: `$XDG_CONFIG_HOME/spikedeck/config.toml`, on every Unix.
pub fn config_path() -> Option<PathBuf> {
    let strategy = etcetera::base_strategy::Xdg::new().ok()?;
    Some(strategy.config_dir().join("spikedeck").join("config.toml"))
}

/// A whole settings file with every default, its meaning and every key.
pub fn config_print() -> String {
    let mut out = String::from(
        "# Settings of the spikedeck dashboard. Flags go before the environment, that before this file.\n\n",
    );
    for f in FIELDS {
        let _ = writeln!(out, "# {}: {} (environment: {})\n{} = \"{}\"\n", f.about, f.list(), f.env, f.key, f.default);
    }
    out.push_str("# Keys of each command; arrows always work.\n[keys]\n");
    for c in COMMANDS {
        let keys: Vec<String> = c.binding.keys.iter().map(|k| toml::Value::from(*k).to_string()).collect();
        let _ = writeln!(out, "{} = [{}]  # {}", c.binding.id, keys.join(", "), c.help);
    }
    out
}

/// Everything that is wrong with a settings file; a file that does not exist is well.
///
/// # Errors
/// When it cannot be read.
pub fn config_check(path: &Path) -> std::io::Result<Vec<String>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    Ok(Settings::from_toml(&std::fs::read_to_string(path)?).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_file_is_a_valid_file_and_means_the_defaults() {
        let (settings, problems) = Settings::from_toml(&config_print());
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(Settings { keys: Vec::new(), ..settings }, Settings::default());
    }

    /// Every word is taken, each of a setting says something else, and the default is what stands without it.
    #[test]
    fn every_word_of_every_setting_is_taken() {
        for field in FIELDS {
            let made: Vec<Settings> = field
                .words()
                .map(|word| {
                    let mut settings = Settings::default();
                    settings.set(field.key, word).unwrap();
                    settings
                })
                .collect();
            for (k, settings) in made.iter().enumerate() {
                assert!(!made[..k].contains(settings), "{}: {}", field.key, field.words[k].0);
                assert_eq!(*settings == Settings::default(), field.words[k].0 == field.default, "{}", field.key);
            }
        }
        assert_eq!(FIELDS.iter().find(|f| f.key == "marker").unwrap().words().collect::<Vec<_>>(), Marker::WORDS);
    }

    #[test]
    fn unknown_keys_are_errors_with_a_suggestion_and_all_are_told() {
        let (_, problems) = Settings::from_toml("them = \"dark\"\nmarker = \"brail\"\n[keys]\nquitt = \"x\"\n");
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert_eq!(
            problems[0],
            "marker: `brail` is not one of braille, octant, quadrant, half, ascii; did you mean `braille`?"
        );
        assert_eq!(problems[1], "them: there is no such setting; did you mean `theme`?");
        assert_eq!(problems[2], "keys.quitt: there is no such command; did you mean `quit`?");
    }

    /// A terminal without braille has coarser marks, unless a file asks for others.
    #[test]
    fn marks_are_those_that_the_terminal_has() {
        for (term, marker) in [(Some("linux"), Marker::Half), (Some("xterm-256color"), Marker::Braille)] {
            assert_eq!(Settings::of_terminal(term, None).marker, marker);
            assert_eq!(Settings::of_terminal(term, Some("de_DE.UTF-8")).marker, marker);
            assert_eq!(Settings::of_terminal(term, Some("C")).marker, Marker::Ascii);
            assert_eq!(Settings::of_terminal(term, Some("en_US.ISO-8859-1")).marker, Marker::Ascii);
            assert_eq!(Settings::of_terminal(term, None).with_toml("marker = \"octant\"").0.marker, Marker::Octant);
        }
        assert_eq!(Settings::of_terminal(None, Some("C.utf8")), Settings::default());
        for (term, is_said) in [(Some("dumb"), true), (Some("linux"), false), (Some("xterm"), false), (None, false)] {
            assert_eq!(Settings::of_terminal(term, None).reader, is_said, "{term:?}");
        }
    }

    #[test]
    fn the_mouse_is_off_over_ssh_unless_asked_for() {
        let ssh = |k: &str| (k == "SSH_TTY").then(|| "/dev/pts/0".to_owned());
        assert!(!Settings::default().mouse_at_start(ssh));
        assert!(Settings::default().mouse_at_start(|_| None));
        let (on, _) = Settings::from_toml("mouse = true");
        assert!(on.mouse_at_start(ssh));
    }
}
