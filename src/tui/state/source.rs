//! What is run or opened: a scenario, or a finished run.

use std::path::PathBuf;

/// Values that are put into a scenario: path and TOML text, in the order in which they apply.
pub type Settings = Vec<(String, String)>;

/// A scenario with what is changed in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Asked {
    /// As written on the command line: `NAME`, `NAME:VARIANT`, `PATH`, `PATH:VARIANT`.
    pub reference: String,
    /// What is changed after its variant.
    pub set: Settings,
}

impl Asked {
    /// The command line that repeats it.
    pub fn command(&self) -> String {
        let mut line = format!("spikedeck run {}", quoted(&self.reference));
        for (path, value) in &self.set {
            line.push_str(" --set ");
            line.push_str(&quoted(&format!("{path}={}", unquoted(value))));
        }
        line
    }

    /// The file that it names, if it names one.
    pub fn file(&self) -> Option<PathBuf> {
        let path = PathBuf::from(split_variant(&self.reference).0);
        let is_file = path.components().count() > 1 || path.extension().is_some_and(|e| e == "toml");
        is_file.then_some(path)
    }
}

impl From<&str> for Asked {
    fn from(reference: &str) -> Self {
        Self { reference: reference.to_owned(), set: Settings::new() }
    }
}

impl From<String> for Asked {
    fn from(reference: String) -> Self {
        Self { reference, set: Settings::new() }
    }
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '=' | '+');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A TOML string as it may be typed where it is no other TOML value: without its quotes.
pub fn unquoted(value: &str) -> &str {
    let inside = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    match inside {
        Some(text)
            if !text.contains(['"', '\\'])
                && !text.is_empty()
                && format!("v = {text}").parse::<toml::Table>().is_err() =>
        {
            text
        }
        _ => value,
    }
}

/// Where a column's panes come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// A scenario, with what is changed in it.
    Scenario(Asked),
    /// A finished run, or somebody's recording.
    Finished(PathBuf),
}

impl Source {
    /// What the column is called before anything is known of it.
    pub fn label(&self) -> String {
        match self {
            Self::Scenario(asked) => {
                let (path, variant) = split_variant(&asked.reference);
                let stem = PathBuf::from(path)
                    .file_stem()
                    .map_or_else(|| path.to_owned(), |s| s.to_string_lossy().into_owned());
                variant.map_or(stem.clone(), |v| format!("{stem}:{v}"))
            }
            Self::Finished(path) => {
                path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
            }
        }
    }

    /// The scenario, if it is one.
    pub fn asked(&self) -> Option<&Asked> {
        match self {
            Self::Scenario(asked) => Some(asked),
            Self::Finished(_) => None,
        }
    }
}

/// `NAME:VARIANT` in its parts. A colon inside a directory name is none of ours.
pub fn split_variant(reference: &str) -> (&str, Option<&str>) {
    match reference.rsplit_once(':') {
        Some((name, variant)) if !variant.is_empty() && !variant.contains('/') => (name, Some(variant)),
        _ => (reference, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_sources() {
        assert_eq!(Source::Scenario("brunel:slow".into()).label(), "brunel:slow");
        assert_eq!(Source::Scenario("/a:b/c.toml".into()).label(), "c");
        assert_eq!(Source::Scenario("x/c.toml:fast".into()).label(), "c:fast");
        assert_eq!(Source::Finished("out/run1".into()).label(), "run1");
    }

    #[test]
    fn the_command_line_can_be_given_to_a_shell() {
        let set = |list: &[(&str, &str)]| list.iter().map(|(p, v)| ((*p).to_owned(), (*v).to_owned())).collect();
        let asked = Asked {
            reference: "my files/a.toml:fast".into(),
            set: set(&[
                ("populations.e.size", "3"),
                ("populations.e.parameters.tau_m", "\"15 ms\""),
                ("title", "\"it's\""),
                ("title", "\"5\""),
            ]),
        };
        assert_eq!(
            asked.command(),
            "spikedeck run 'my files/a.toml:fast' --set populations.e.size=3 \
             --set 'populations.e.parameters.tau_m=15 ms' --set 'title=it'\\''s' --set 'title=\"5\"'"
        );
        assert_eq!(asked.file(), Some("my files/a.toml".into()));
        assert_eq!(Asked::from("brunel:slow").file(), None);
    }
}
