//! Finds and resolves scenarios: built-in names, files, variants, overrides, and the files they name.

use std::borrow::Cow;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::part::part_of;
use super::{NotRead, RunError, Sampling, other, recording_from, take_observed, take_trials};
use spikedeck_core::diagnostic::{InText, Severity, did_you_mean};
use spikedeck_model::{Report, library};
use spikedeck_scenario::{self as scenario, FileError, FileLoader, FileTable, FileUse, Opened, Overrides, Said, Spec};
use spikedeck_signal::FileColumns;
use spikedeck_signal::data::Refused;
use spikedeck_store::{self as store, FileKind, StoreError};

/// Why a scenario gave no [`Spec`].
#[derive(Debug)]
pub enum LoadError {
    /// No such scenario.
    NotFound(String),
    /// Everything that is wrong with it.
    Wrong(Box<Report>),
}

impl LoadError {
    /// The text for people; `colour` allows terminal escapes.
    pub fn render(&self, colour: bool) -> String {
        match self {
            Self::NotFound(text) => text.clone(),
            Self::Wrong(report) => report.render(colour),
        }
    }

    /// The first thing that is wrong, on one line.
    pub fn first(&self) -> String {
        match self {
            Self::NotFound(text) => text.clone(),
            Self::Wrong(report) => {
                let mut all = report.sorted().into_iter().map(|(_, d)| d);
                let first = all.find(|d| d.severity == Severity::Error);
                first.map_or_else(String::new, |d| d.message.clone())
            }
        }
    }
}

impl From<LoadError> for RunError {
    fn from(error: LoadError) -> Self {
        Self::Scenario(error.render(false))
    }
}

/// Reads the files that scenarios name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Files;

/// The file that a path means as a table: the spikes of a finished run where it is the run's folder.
fn table_at(path: &Path) -> Cow<'_, Path> {
    let inside = path.join("spikes.parquet");
    if inside.is_file() { Cow::Owned(inside) } else { Cow::Borrowed(path) }
}

/// The same, unless the folder is of a run whose spikes are not all there: the file itself can be named.
///
/// # Errors
/// What is not there.
fn whole_table_at(path: &Path) -> Result<Cow<'_, Path>, FileError> {
    let at = table_at(path);
    if matches!(at, Cow::Borrowed(_)) && path.join("manifest.json").is_file() {
        let (csv, shown) = (path.join("spikes.csv"), path.display());
        return Err(FileError::Unreadable(if csv.is_file() {
            format!("{shown} is the folder of a run that wrote CSV; `{}` takes its spikes", csv.display())
        } else {
            format!(
                "{shown} is the folder of a run and has no `spikes.parquet`: it recorded no spikes, or was ended from \
                 outside; then `spikedeck analyze {shown} --out NEW` writes those that are there"
            )
        }));
    }
    let part = match &at {
        Cow::Owned(inside) => store::describe(inside).ok().and_then(|contents| part_of(&contents)),
        Cow::Borrowed(_) => None,
    };
    match part {
        Some(what) => Err(FileError::Unreadable(format!(
            "{} is the folder of a run whose spikes are not all there: {what}; `{}` takes these",
            path.display(),
            at.display()
        ))),
        None => Ok(at),
    }
}

/// Whether nothing is where a file was looked for.
fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

impl FileLoader for Files {
    fn text(&self, path: &Path) -> Result<Option<String>, FileError> {
        // A device or a pipe may never end.
        if std::fs::metadata(path).is_ok_and(|m| !m.is_file()) {
            return Err(FileError::Unreadable(format!("{} is no regular file", path.display())));
        }
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(e) if is_missing(&e) => Ok(None),
            Err(e) => Err(FileError::Unreadable(format!("{} cannot be read: {e}", path.display()))),
        }
    }

    fn table(&self, path: &Path, columns: &FileColumns) -> Result<FileTable, FileError> {
        // As much as a run may hold.
        let most = super::memory::free_memory() / 4 * 3;
        store::file_table(&whole_table_at(path)?, columns, most).map_err(|e| match e {
            StoreError::Io { source, .. } if is_missing(&source) => FileError::Missing(path.to_owned()),
            StoreError::Text(wrong) => FileError::InText(wrong),
            e => FileError::Unreadable(e.to_string()),
        })
    }

    fn located(&self, path: &Path, refused: &Refused) -> Option<Box<InText>> {
        store::located(&table_at(path), refused)
    }

    fn recording(&self, path: &Path, said: &Said) -> Result<Opened, FileError> {
        let sampling = Sampling { rate: said.rate, start: said.first, unit: said.unit.clone() };
        let at = whole_table_at(path)?;
        let opened = recording_from(&at, &sampling).and_then(|mut opened| {
            said.observed.iter().try_for_each(|path| take_observed(&mut opened, path))?;
            said.trials.iter().try_for_each(|keys| take_trials(&mut opened, keys)).map(|()| opened)
        });
        match opened {
            Ok(opened) => Ok(Opened {
                recording: Arc::unwrap_or_clone(opened.recording),
                events: opened.facts.event_populations,
                own_signals: FileKind::of(&at) == Some(FileKind::Hdf5),
                notes: opened.warnings,
            }),
            Err(NotRead::Store(StoreError::Io { source, .. })) if is_missing(&source) => {
                Err(FileError::Missing(path.to_owned()))
            }
            Err(NotRead::InText(wrong) | NotRead::Store(StoreError::Text(wrong))) => Err(FileError::InText(wrong)),
            Err(e) => Err(FileError::Unreadable(e.to_string())),
        }
    }

    fn file(&self, path: &Path) -> Option<FileUse> {
        let file = std::fs::File::open(table_at(path)).ok()?;
        FileUse::read(path, file).ok()
    }
}

/// A scenario as it was asked for: text, where it is, its name and variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The text.
    pub text: String,
    /// Where it was read from; none for built-in ones.
    pub origin: Option<std::path::PathBuf>,
    /// Its name.
    pub name: String,
    /// Variant asked for.
    pub variant: Option<String>,
}

/// What standard input is called on the command line.
pub const STANDARD_INPUT: &str = "-";

/// Whether `reference` is standard input, with or without a variant.
pub fn is_standard_input(reference: &str) -> bool {
    reference.split(':').next() == Some(STANDARD_INPUT)
}

/// Reads standard input to its end, as far as it fits into memory. It can be read once.
///
/// # Errors
/// One sentence when it cannot be read, is empty, or too large.
pub fn standard_input() -> Result<Vec<u8>, String> {
    let most = super::memory::free_memory() / 4 * 3;
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(most.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|e| format!("standard input cannot be read: {e}"))?;
    if bytes.len() as u64 > most {
        return Err(format!(
            "standard input does not fit into memory: {} are free",
            spikedeck_core::number::bytes(most)
        ));
    }
    if bytes.is_empty() {
        return Err("nothing came from standard input (`-`)".to_owned());
    }
    Ok(bytes)
}

/// The scenario that comes from standard input. Paths in it start from the current folder.
fn from_standard_input(variant: Option<String>) -> Result<Source, LoadError> {
    let bytes = standard_input().map_err(LoadError::NotFound)?;
    if let Some(what) = other::what_else_came("what came from standard input", &bytes) {
        return Err(LoadError::NotFound(what));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| LoadError::NotFound("what came from standard input is no text in UTF-8".to_owned()))?;
    let name = "standard-input".to_owned();
    Ok(Source { text, origin: Some("standard input".into()), name, variant })
}

/// Finds `NAME`, `NAME:VARIANT`, `PATH` or `PATH:VARIANT`: a file if there is one, else a built-in scenario; `-` is
/// standard input.
///
/// # Errors
/// When there is neither, with the nearest name.
pub fn find(reference: &str) -> Result<Source, LoadError> {
    let (stem, variant) = match reference.rsplit_once(':') {
        Some((stem, variant)) if !stem.is_empty() && !variant.contains('/') && !Path::new(reference).exists() => {
            (stem, Some(variant.to_owned()))
        }
        _ => (reference, None),
    };
    if stem == STANDARD_INPUT {
        return from_standard_input(variant);
    }
    let path = Path::new(stem);
    if path.is_file() {
        if let Some(what) = other::what_else(path) {
            return Err(LoadError::NotFound(what));
        }
        // It may be gone since it was looked at.
        let text = Files.text(path).map_err(|e| LoadError::NotFound(e.to_string()))?;
        let text = text.ok_or_else(|| LoadError::NotFound(format!("there is no file {stem}")))?;
        let name = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        return Ok(Source { text, origin: Some(path.to_owned()), name, variant });
    }
    if let Some(built_in) = scenario::find_built_in(stem) {
        return Ok(Source { text: built_in.text.to_owned(), origin: None, name: stem.to_owned(), variant });
    }
    if path.is_dir() {
        return Err(LoadError::NotFound(format!(
            "{stem} is a folder, and a scenario is a file (or the name of a built-in one)"
        )));
    }
    if path.exists() {
        return Err(LoadError::NotFound(format!(
            "{stem} is a device or a pipe, and a scenario is a file: its name and the files it names go by it"
        )));
    }
    let looks_like_path = stem.contains('/') || path.extension().is_some_and(|e| e == "toml");
    if looks_like_path {
        return Err(LoadError::NotFound(format!("there is no file {stem}")));
    }
    let help = match did_you_mean(stem, scenario::built_in().iter().map(|s| s.name.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`spikedeck list scenarios` names all".to_owned(),
    };
    Err(LoadError::NotFound(format!("there is no scenario `{stem}`, neither a file nor a built-in one; {help}")))
}

/// Finds and resolves a scenario with `set` applied after its variant. Returns it with warnings.
///
/// # Errors
/// When there is none, or everything that is wrong with it.
pub fn load(reference: &str, set: &[(String, String)]) -> Result<(Spec, Vec<String>), LoadError> {
    resolve(&find(reference)?, set)
}

/// Resolves a scenario that was found.
///
/// # Errors
/// Everything that is wrong with it.
pub fn resolve(source: &Source, set: &[(String, String)]) -> Result<(Spec, Vec<String>), LoadError> {
    resolve_with(source, set, &Files)
}

/// Resolves a scenario that was found, with the files that `files` reads.
///
/// # Errors
/// Everything that is wrong with it.
pub fn resolve_with(
    source: &Source,
    set: &[(String, String)],
    files: &dyn FileLoader,
) -> Result<(Spec, Vec<String>), LoadError> {
    let overrides = Overrides { variant: source.variant.clone(), set: set.to_vec() };
    scenario::load(
        &source.text,
        source.origin.as_deref(),
        &source.name,
        &overrides,
        library(),
        &super::catalog(),
        files,
    )
    .map_err(|report| LoadError::Wrong(Box::new(report)))
}

/// Resolves the scenario of `spec` again, with more overrides: a point of its sweep.
///
/// # Errors
/// Everything that is wrong with it, as text.
pub fn again(spec: &Spec, more: &[(String, String)]) -> Result<Spec, String> {
    again_with(spec, more, &Files)
}

/// The same with the files that `files` reads.
///
/// # Errors
/// Everything that is wrong with it, as text.
pub fn again_with(spec: &Spec, more: &[(String, String)], files: &dyn FileLoader) -> Result<Spec, String> {
    let source =
        Source { text: spec.source.to_string(), origin: spec.path.clone(), name: spec.name.clone(), variant: None };
    // What the variant changed is among the overrides already.
    let set: Vec<(String, String)> = spec.overrides.iter().chain(more).cloned().collect();
    let (mut resolved, _) = resolve_with(&source, &set, files).map_err(|e| e.render(false))?;
    resolved.variant.clone_from(&spec.variant);
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path at which nothing is and a file that is no table are told apart by type, and so is the advice.
    #[test]
    fn a_file_that_is_missing_is_told_from_one_that_is_no_table() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("empty.csv"), "").unwrap();
        std::fs::create_dir(path("folder")).unwrap();
        let read = |name: &str| Files.table(&path(name), &spikedeck_signal::data::SPIKES).map(|_| ()).unwrap_err();
        for name in ["none.csv", "none.parquet", "empty.csv/inside.csv"] {
            assert_eq!(read(name), FileError::Missing(path(name)), "{name}");
        }
        for name in ["empty.csv", "folder"] {
            assert!(matches!(read(name), FileError::Unreadable(_) | FileError::InText(_)), "{name}");
        }
        let advice = |file: &str| {
            let text = format!(
                "[simulation]\nduration = '1 s'\ndt = '0.1 ms'\n[populations.p]\nmodel = 'lif'\n\
                 receptors.r = {{ kind = 'delta' }}\n[stimuli.s]\ntarget = 'p.r'\nkind = 'spikes'\n\
                 weight = '1 mV'\nfile = '{file}'\n"
            );
            let origin = Some(path("scenario.toml"));
            let error = resolve(&Source { text, origin, name: "scenario".into(), variant: None }, &[]).unwrap_err();
            error.render(false).contains("relative paths start from the folder of the scenario file")
        };
        assert!(advice("none.csv"));
        assert!(!advice("empty.csv"));
    }
}
