//! Wrong scenario files with the exact message that each must give.
//!
//! `tests/bad_scenarios/NAME.toml` with `NAME.stderr`. A first line `# --set PATH=VALUE` or `# variant NAME` is
//! applied. After a change of wording run with `UPDATE_PAGES=1` and read the difference before committing it.

use std::fs;
use std::path::{Path, PathBuf};

use spikedeck::core::diagnostic::InText;
use spikedeck::core::units::Dimension;
use spikedeck::model::library;
use spikedeck::scenario::catalog::{AnalysisDeclaration, Subjects, Together};
use spikedeck::scenario::{
    Catalog, FileError, FileLoader, FileTable, OptionKind, Overrides, ParamSpec, TimeRole, load,
};
use spikedeck::signal::FileColumns;
use spikedeck::signal::data::Refused;
use spikedeck::store::{StoreError, file_table, located};

/// Declarations of fixed wording, so that these messages do not change with the estimators.
fn catalog() -> Catalog {
    let option =
        |key, kind, default, range, about| ParamSpec { key, kind, default, range, time: TimeRole::Other, about };
    let list = [
        AnalysisDeclaration {
            kind: "psd",
            synonyms: &[],
            subjects: Subjects::Of,
            options: vec![
                option("segment", OptionKind::Time, Some("1 s"), Some((1e-3, f64::INFINITY)), "length of a segment"),
                option(
                    "overlap",
                    OptionKind::Quantity(Dimension::NONE),
                    Some("0.5"),
                    Some((0.0, 0.95)),
                    "share of a segment that the next one repeats",
                ),
                option("window", OptionKind::Choice(&["hann", "boxcar"]), Some("hann"), None, "taper"),
            ],
            without_units: vec![],
            together: Together::any(),
        },
        AnalysisDeclaration {
            kind: "transfer_entropy",
            synonyms: &[],
            subjects: Subjects::Directed,
            options: vec![option(
                "surrogates",
                OptionKind::Integer,
                Some("100"),
                Some((0.0, 1e6)),
                "number of surrogates",
            )],
            without_units: vec![],
            together: Together::any(),
        },
        AnalysisDeclaration {
            kind: "lyapunov",
            synonyms: &[],
            subjects: Subjects::Population,
            options: vec![],
            without_units: vec![],
            together: Together::any(),
        },
    ];
    Catalog { analyses: list.into_iter().map(|d| (d.kind, d)).collect() }
}

/// Files beside the scenario.
struct Folder;

impl FileLoader for Folder {
    fn text(&self, path: &Path) -> Result<Option<String>, FileError> {
        Ok(fs::read_to_string(folder().join(path)).ok())
    }

    fn table(&self, path: &Path, columns: &FileColumns) -> Result<FileTable, FileError> {
        let file = folder().join(path);
        if !file.exists() {
            return Err(FileError::Missing(path.to_owned()));
        }
        // The folder does not show in messages, so that they are the same on every machine.
        let shown = |e: StoreError| match e {
            StoreError::Text(wrong) => {
                FileError::InText(Box::new(InText { name: path.display().to_string(), ..*wrong }))
            }
            e => FileError::Unreadable(e.to_string().replace(&file.display().to_string(), &path.display().to_string())),
        };
        file_table(&file, columns, u64::MAX).map_err(shown)
    }

    fn located(&self, path: &Path, refused: &Refused) -> Option<Box<InText>> {
        let wrong = located(&folder().join(path), refused)?;
        Some(Box::new(InText { name: path.display().to_string(), ..*wrong }))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad_scenarios")
}

fn message(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).unwrap();
    let mut overrides = Overrides::default();
    let first = text.lines().next().unwrap_or("");
    if let Some((key, value)) = first.strip_prefix("# --set ").and_then(|s| s.split_once('=')) {
        overrides.set.push((key.to_owned(), value.to_owned()));
    }
    if let Some(name) = first.strip_prefix("# variant ") {
        overrides.variant = Some(name.to_owned());
    }
    // The folder does not show in messages, so that they are the same on every machine.
    let name = path.file_name().unwrap();
    let stem = path.file_stem().unwrap().to_str().unwrap();
    match load(&text, Some(Path::new(name)), stem, &overrides, library(), &catalog(), &Folder) {
        Ok(_) => Err(format!("{} was accepted", path.display())),
        Err(report) => Ok(report.render(false)),
    }
}

#[test]
fn every_wrong_file_gives_its_message() {
    let mut files: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| {
        p.extension().is_some_and(|e| e == "toml") && !p.file_stem().unwrap().to_str().unwrap().starts_with("model_")
    });
    files.sort();
    assert!(files.len() >= 45, "only {} files", files.len());
    let update = crate::update_pages();
    let mut wrong = Vec::new();
    for file in &files {
        let found = match message(file) {
            Ok(m) => m,
            Err(e) => {
                wrong.push(e);
                continue;
            }
        };
        let expected = file.with_extension("stderr");
        if update {
            fs::write(&expected, &found).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!("{} now says\n{found}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
