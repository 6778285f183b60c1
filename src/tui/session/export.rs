//! Out of the dashboard: figures, tables, whole runs into files that are never overwritten; text into the clipboard.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::panes::content::{Content, Pane};
use crate::report::{Form, report};
use crate::state::message::ExportKind;
use spikedeck_plot::{self as plot, View};
use spikedeck_run::Finished;
use spikedeck_store::{self as store, Format};
use spikedeck_table as table;

/// Writes one thing into the current directory and gives its path.
///
/// # Errors
/// What could not be written, and why.
pub fn write(
    kind: ExportKind,
    content: &Content,
    all: &[Arc<Content>],
    pane: usize,
    view: &View,
    size: (u16, u16),
    look: plot::Look,
) -> Result<PathBuf, String> {
    if matches!(kind, ExportKind::Differences | ExportKind::Report | ExportKind::Markdown) {
        let folder = std::env::current_dir().map_err(|e| format!("the current directory: {e}"))?;
        return of_all(&folder, kind, all);
    }
    let pane = content.panes.get(pane).ok_or("there is no pane to write")?;
    let folder = std::env::current_dir().map_err(|e| format!("the current directory: {e}"))?;
    write_into(&folder, kind, content, pane, view, size, look)
}

fn write_into(
    folder: &Path,
    kind: ExportKind,
    content: &Content,
    pane: &Pane,
    view: &View,
    size: (u16, u16),
    look: plot::Look,
) -> Result<PathBuf, String> {
    let stem = format!("{}-{}", content.label, pane.key);
    match kind {
        ExportKind::Svg | ExportKind::Png => {
            let mut scene = pane.scene(view);
            scene.title = format!("{} · {}", content.label, pane.title);
            let figure = plot::svg::Figure::default();
            if kind == ExportKind::Svg {
                let text = plot::svg::figure(&scene, &figure);
                at_free(folder, &stem, "svg", |path| store::write_text(path, &text).map_err(|e| e.to_string()))
            } else {
                let bytes = plot::png::from_svg(&plot::svg::figure(&scene, &figure), 2.0).map_err(|e| e.to_string())?;
                at_free(folder, &stem, "png", |path| store::write_bytes(path, &bytes).map_err(|e| e.to_string()))
            }
        }
        ExportKind::Text => {
            let scene = pane.scene(view);
            let look = plot::Look { title: true, ..look };
            let picture = plot::cells::render(&scene, usize::from(size.0), usize::from(size.1) + 1, &look);
            let text = plot::ansi::of_grid(&picture.grid);
            at_free(folder, &stem, "txt", |path| store::write_text(path, &text).map_err(|e| e.to_string()))
        }
        ExportKind::Parquet | ExportKind::Csv => {
            let format = if kind == ExportKind::Csv { Format::Csv } else { Format::Parquet };
            let (mut table, _) = table::shape_to_table(&pane.shape.shape);
            table = table.meta("run", content.label.clone());
            if let Some(spec) = content.finished.as_ref().and_then(|f| f.spec.as_ref()) {
                table = table.meta("scenario_hash", spec.hash.clone());
            }
            let write = |path: &Path| store::write(path, &table, format).map(drop).map_err(|e| e.to_string());
            at_free(folder, &stem, format.extension(), write)
        }
        ExportKind::Differences | ExportKind::Report | ExportKind::Markdown => {
            unreachable!("what is of all columns is written by `of_all`")
        }
        ExportKind::Run => {
            let finished = content.finished.as_ref().ok_or("the run is not over yet")?;
            let save = |path: &Path| table::save(path, finished, Format::Parquet, false).map(drop);
            at_free(folder, &content.label, "", |path| save(path).map_err(|e| e.to_string()))
        }
    }
}

/// Writes what is of all columns into a folder.
fn of_all(folder: &Path, kind: ExportKind, all: &[Arc<Content>]) -> Result<PathBuf, String> {
    let contents: Vec<&Content> = all.iter().map(AsRef::as_ref).filter(|c| c.finished.is_some()).collect();
    let labels: Vec<&str> = contents.iter().map(|c| c.label.as_str()).collect();
    let stem = labels.join("-");
    let form = match kind {
        ExportKind::Report => Form::Html,
        ExportKind::Markdown => Form::Markdown,
        _ => {
            let runs: Vec<&Finished> = contents.iter().filter_map(|c| c.finished.as_deref()).collect();
            if runs.len() < 2 {
                return Err("differences can be written when two runs are over".to_owned());
            }
            let table = table::differences(&spikedeck_run::compare(&runs));
            let write = |path: &Path| store::write(path, &table, Format::Parquet).map(drop).map_err(|e| e.to_string());
            return at_free(folder, &format!("{stem}-differences"), Format::Parquet.extension(), write);
        }
    };
    let text = report(&contents, form).ok_or("no run is over yet")?;
    let extension = if form == Form::Html { "html" } else { "md" };
    at_free(folder, &format!("{stem}-report"), extension, |path| {
        store::write_text(path, &text).map_err(|e| e.to_string())
    })
}

/// Writes a picture of the whole screen into the current directory and gives its path.
///
/// # Errors
/// What could not be written, and why.
pub fn screen(grid: &plot::grid::CellGrid, palette: plot::Palette) -> Result<PathBuf, String> {
    let folder = std::env::current_dir().map_err(|e| format!("the current directory: {e}"))?;
    let text = plot::svg::of_grid(grid, palette);
    at_free(&folder, "spikedeck-screen", "svg", |path| store::write_text(path, &text).map_err(|e| e.to_string()))
}

/// Makes something at a path that is not taken, `stem.ext`, `stem-2.ext`, ..., and gives the path. The name is taken
/// with an empty file (or folder) first, in one step, so that two who write at once take two.
fn at_free(
    folder: &Path,
    stem: &str,
    extension: &str,
    make: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let clean: String = stem.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let clean = clean.trim_matches(['-', '.']);
    // A file has 255 bytes for its name, with number, ending and what a temporary name adds.
    let clean = &clean[..clean.floor_char_boundary(200)];
    let dot = if extension.is_empty() { "" } else { "." };
    let name =
        |n: usize| if n == 1 { format!("{clean}{dot}{extension}") } else { format!("{clean}-{n}{dot}{extension}") };
    for path in (1..10_000).map(|n| folder.join(name(n))) {
        let taken =
            if extension.is_empty() { std::fs::create_dir(&path) } else { std::fs::File::create_new(&path).map(drop) };
        match taken {
            Ok(()) => {
                return make(&path).map(|()| path.clone()).inspect_err(|_| {
                    // Only what is still empty is ours.
                    if std::fs::metadata(&path).is_ok_and(|m| m.is_file() && m.len() == 0) {
                        let _ = std::fs::remove_file(&path);
                    } else {
                        let _ = std::fs::remove_dir(&path);
                    }
                });
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(format!("{}: {e}", path.display())),
        }
    }
    Err(format!("there are ten thousand files called {}", folder.join(name(1)).display()))
}

/// The sequence that puts text into the terminal's clipboard (OSC 52). Inside tmux it is sent a second time wrapped, so
/// that it arrives whichever way tmux is set.
pub fn osc52(text: &str, tmux: bool) -> String {
    use crossterm::Command as _;
    let mut plain = String::new();
    // Writing into a string cannot fail.
    let _ = crossterm::clipboard::CopyToClipboard::to_clipboard_from(text).write_ansi(&mut plain);
    if tmux {
        let wrapped = format!("\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b"));
        plain.push_str(&wrapped);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::content;

    #[test]
    fn files_are_named_after_run_and_pane_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let c = content("a:slow", 10.0);
        let pane = c.pane("psd/spectrum").unwrap();
        let one = write_into(dir.path(), ExportKind::Csv, &c, pane, &View::default(), (80, 20), plot::Look::default())
            .unwrap();
        let two = write_into(dir.path(), ExportKind::Csv, &c, pane, &View::default(), (80, 20), plot::Look::default())
            .unwrap();
        assert_eq!(one.file_name().unwrap(), "a-slow-psd-spectrum.csv");
        assert_eq!(two.file_name().unwrap(), "a-slow-psd-spectrum-2.csv");
        let text = std::fs::read_to_string(one).unwrap();
        assert_eq!(text.lines().count(), 101, "a heading and a hundred frequencies");
    }

    /// Many who write one thing at once take a name each.
    #[test]
    fn names_are_taken_in_one_step() {
        let dir = tempfile::tempdir().unwrap();
        let write = || {
            (0..20)
                .map(|_| at_free(dir.path(), "a", "txt", |p| std::fs::write(p, "x").map_err(|e| e.to_string())))
                .collect()
        };
        let all: Vec<Vec<Result<PathBuf, String>>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(write)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let paths: std::collections::BTreeSet<PathBuf> = all.into_iter().flatten().map(Result::unwrap).collect();
        assert_eq!(paths.len(), 80);
        let failed = at_free(dir.path(), "b", "txt", |_| Err("no".into()));
        assert!(failed.is_err() && !dir.path().join("b.txt").exists());
    }

    #[test]
    fn figures_and_text_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let c = content("a", 10.0);
        let pane = c.pane("spikes").unwrap();
        let write =
            |kind| write_into(dir.path(), kind, &c, pane, &View::default(), (60, 12), plot::Look::default()).unwrap();
        assert!(std::fs::read_to_string(write(ExportKind::Svg)).unwrap().starts_with("<svg"));
        assert!(std::fs::read(write(ExportKind::Png)).unwrap().starts_with(b"\x89PNG"));
        assert!(std::fs::read_to_string(write(ExportKind::Text)).unwrap().lines().count() >= 12);
    }

    #[test]
    fn what_is_of_all_columns_is_named_after_them() {
        let dir = tempfile::tempdir().unwrap();
        let all = [Arc::new(content("a", 10.0)), Arc::new(content("b", 14.0))];
        for (kind, name) in [
            (ExportKind::Report, "a-b-report.html"),
            (ExportKind::Markdown, "a-b-report.md"),
            (ExportKind::Differences, "a-b-differences.parquet"),
        ] {
            let path = of_all(dir.path(), kind, &all).unwrap();
            assert_eq!(path.file_name().unwrap(), name);
            assert!(std::fs::metadata(path).unwrap().len() > 100);
        }
        assert!(of_all(dir.path(), ExportKind::Differences, &all[..1]).is_err());
        assert_eq!(of_all(dir.path(), ExportKind::Report, &all[..1]).unwrap().file_name().unwrap(), "a-report.html");
    }

    #[test]
    fn the_clipboard_sequence_is_wrapped_for_tmux() {
        assert_eq!(osc52("hi", false), "\x1b]52;c;aGk=\x1b\\");
        assert!(osc52("hi", true).ends_with("\x1bPtmux;\x1b\x1b]52;c;aGk=\x1b\x1b\\\x1b\\"));
    }
}
