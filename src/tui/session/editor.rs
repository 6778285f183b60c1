//! The editor of whoever sits there, as git starts it: $VISUAL, else $EDITOR, else vi.

use std::path::Path;
use std::process::Command;

/// Exit status of a shell that has not found the command.
const NOT_FOUND: i32 = 127;

/// Edits a file; comes back when the editor is left.
///
/// # Errors
/// A sentence when there is no editor, or it ended with an error.
pub fn edit(path: &Path, env: impl Fn(&str) -> Option<String>) -> Result<(), String> {
    let named = ["VISUAL", "EDITOR"].into_iter().find_map(|name| env(name).filter(|v| !v.trim().is_empty()));
    let editor = named.unwrap_or_else(|| "vi".to_owned());
    // The variable may hold arguments: it is the shell's to read.
    let status = Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(path).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) if status.code() == Some(NOT_FOUND) => {
            Err(format!("there is no editor `{editor}`: $EDITOR names one, and {} is the file", path.display()))
        }
        Ok(status) => Err(format!("the editor `{editor}` ended with {status}")),
        Err(e) => Err(format!("the editor `{editor}` cannot be started: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_may_have_arguments_and_are_answered_when_they_are_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a file.toml");
        std::fs::write(&path, "one").unwrap();
        let with = |editor: &str| {
            let editor = editor.to_owned();
            edit(&path, move |name| (name == "EDITOR").then(|| editor.clone()))
        };
        with("sed -i s/one/two/").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().trim(), "two");
        assert!(with("no-such-editor").unwrap_err().starts_with("there is no editor `no-such-editor`"));
        assert!(with("false").unwrap_err().contains("ended with"));
    }
}
