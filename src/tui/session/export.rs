//! Out of the dashboard: figures, tables, whole runs into files that are never overwritten; text into the clipboard.

use std::path::{Path, PathBuf};

use crate::panes::content::{Content, Pane};
use crate::state::message::ExportKind;
use spikedeck_plot::{self as plot, View};
use spikedeck_store::{self as store, Format};
use spikedeck_table as table;

/// Writes one thing into the current directory and gives its path.
///
/// # Errors
/// What could not be written, and why.
pub fn write(
    kind: ExportKind,
    content: &Content,
    pane: usize,
    view: &View,
    size: (u16, u16),
    look: plot::Look,
) -> Result<PathBuf, String> {
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
                let path = free(folder, &stem, "svg");
                store::write_text(&path, &plot::svg::figure(&scene, &figure)).map_err(|e| e.to_string())?;
                Ok(path)
            } else {
                let path = free(folder, &stem, "png");
                let bytes = plot::png::from_svg(&plot::svg::figure(&scene, &figure), 2.0).map_err(|e| e.to_string())?;
                std::fs::write(&path, bytes).map_err(|e| format!("{}: {e}", path.display()))?;
                Ok(path)
            }
        }
        ExportKind::Text => {
            let path = free(folder, &stem, "txt");
            let scene = pane.scene(view);
            let look = plot::Look { title: true, ..look };
            let picture = plot::cells::render(&scene, usize::from(size.0), usize::from(size.1) + 1, &look);
            store::write_text(&path, &plot::ansi::of_grid(&picture.grid)).map_err(|e| e.to_string())?;
            Ok(path)
        }
        ExportKind::Parquet | ExportKind::Csv => {
            let format = if kind == ExportKind::Csv { Format::Csv } else { Format::Parquet };
            let path = free(folder, &stem, format.extension());
            let (mut table, _) = table::shape_to_table(&pane.shape.shape);
            table = table.meta("run", content.label.clone());
            if let Some(spec) = content.finished.as_ref().and_then(|f| f.spec.as_ref()) {
                table = table.meta("scenario_hash", spec.hash.clone());
            }
            store::write(&path, &table, format).map_err(|e| e.to_string())?;
            Ok(path)
        }
        ExportKind::Run => {
            let finished = content.finished.as_ref().ok_or("the run is not over yet")?;
            let path = free(folder, &content.label, "");
            table::save(&path, finished, Format::Parquet, false).map_err(|e| e.to_string())?;
            Ok(path)
        }
    }
}

/// Writes a picture of the whole screen into the current directory and gives its path.
///
/// # Errors
/// What could not be written, and why.
pub fn screen(grid: &plot::grid::CellGrid, palette: plot::Palette) -> Result<PathBuf, String> {
    let folder = std::env::current_dir().map_err(|e| format!("the current directory: {e}"))?;
    let path = free(&folder, "spikedeck-screen", "svg");
    store::write_text(&path, &plot::svg::of_grid(grid, palette)).map_err(|e| e.to_string())?;
    Ok(path)
}

/// A path that is not taken: `stem.ext`, `stem-2.ext`, ...
fn free(folder: &Path, stem: &str, extension: &str) -> PathBuf {
    let clean: String = stem.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let clean = clean.trim_matches(['-', '.']);
    let dot = if extension.is_empty() { "" } else { "." };
    let name =
        |n: usize| if n == 1 { format!("{clean}{dot}{extension}") } else { format!("{clean}-{n}{dot}{extension}") };
    (1..10_000).map(|n| folder.join(name(n))).find(|p| !p.exists()).unwrap_or_else(|| folder.join(name(1)))
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
    fn the_clipboard_sequence_is_wrapped_for_tmux() {
        assert_eq!(osc52("hi", false), "\x1b]52;c;aGk=\x1b\\");
        assert!(osc52("hi", true).ends_with("\x1bPtmux;\x1b\x1b]52;c;aGk=\x1b\x1b\\\x1b\\"));
    }
}
