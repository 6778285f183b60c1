//! What is run or opened: a scenario, or a finished run.

use std::path::PathBuf;

/// Where a column's panes come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// A scenario as written on the command line: `NAME`, `NAME:VARIANT`, `PATH`, `PATH:VARIANT`.
    Scenario(String),
    /// A finished run, or somebody's recording.
    Finished(PathBuf),
}

impl Source {
    /// What the column is called before anything is known of it.
    pub fn label(&self) -> String {
        match self {
            Self::Scenario(reference) => {
                let (path, variant) = split_variant(reference);
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
}
