//! A run's folder as something that can be run again: its scenario, what was changed in it, and its files.

use std::path::{Path, PathBuf};

use super::error::TableError;
use super::kept::FileEntry;
use super::manifest::Manifest;
use super::sameness::{self, Sameness};
use spikedeck_core::diagnostic::InText;
use spikedeck_run::{self as run, Files, LoadError};
use spikedeck_scenario::{FileError, FileLoader, FileTable, FileUse, Opened, Said, Spec};
use spikedeck_signal::FileColumns;
use spikedeck_signal::data::Refused;
use spikedeck_store::Format;

/// What a run's folder says of what was run.
#[derive(Debug)]
pub struct Stored {
    folder: PathBuf,
    manifest: Manifest,
    source: run::Source,
    files: StoredFiles,
}

impl Stored {
    /// Reads the folder of a run that was made from a scenario.
    ///
    /// # Errors
    /// When there is no manifest, or no scenario.
    pub fn read(folder: &Path) -> Result<Self, TableError> {
        Self::of(folder, Manifest::read(folder)?)
    }

    pub(super) fn of(folder: &Path, manifest: Manifest) -> Result<Self, TableError> {
        let entry = &manifest.scenario;
        if entry.hash.is_empty() {
            let why = "it was not made from a scenario".to_owned();
            return Err(TableError::NoRun { path: folder.to_owned(), why });
        }
        let file = folder.join("scenario.toml");
        let text = std::fs::read_to_string(&file).map_err(|e| TableError::io(&file, e))?;
        // What its variant changed is among the overrides.
        let origin = entry.path.as_ref().map(PathBuf::from);
        let source = run::Source { text, origin, name: entry.name.clone(), variant: None };
        let files = StoredFiles { folder: folder.to_owned(), entries: manifest.files.clone(), others: false };
        Ok(Self { folder: folder.to_owned(), manifest, source, files })
    }

    /// The same, but files that the run did not read may be read as well: for what is changed in it now.
    #[must_use]
    pub fn with_other_files(mut self) -> Self {
        self.files.others = true;
        self
    }

    /// The format of its tables.
    pub fn format(&self) -> Format {
        if self.manifest.format == Format::Csv.extension() { Format::Csv } else { Format::Parquet }
    }

    /// The scenario with `more` set after all that was set when it was run, and warnings.
    ///
    /// # Errors
    /// Everything that is wrong with it: a file that is gone or has changed, or what an older program understood
    /// otherwise.
    pub fn resolve(&self, more: &[(String, String)]) -> Result<(Spec, Vec<String>), LoadError> {
        let set: Vec<(String, String)> = self.manifest.scenario.overrides.iter().chain(more).cloned().collect();
        let (mut spec, warnings) = run::resolve_with(&self.source, &set, &self.files)?;
        spec.variant.clone_from(&self.manifest.scenario.variant);
        // A point of a sweep is run again as that point, unless a sweep is asked for now.
        let is_point = self.manifest.points.is_none() && self.manifest.scenario.sweep.is_none();
        if is_point && !more.iter().any(|(path, _)| path.starts_with("sweep")) {
            spec.sweep = None;
        }
        Ok((spec, warnings))
    }

    /// `spec` with `more` set: a point of its sweep.
    ///
    /// # Errors
    /// As [`Stored::resolve`], as text.
    pub fn again(&self, spec: &Spec, more: &[(String, String)]) -> Result<Spec, String> {
        run::again_with(spec, more, &self.files)
    }

    /// What is run again, checked to be what was run, with warnings.
    ///
    /// # Errors
    /// As [`Stored::resolve`], and in words what differs, if anything does.
    pub fn repeat(&self, more: &[(String, String)]) -> Result<(Spec, Vec<String>), LoadError> {
        let (spec, mut warnings) = self.resolve(&[])?;
        match self.sameness(&spec) {
            Sameness::Same => {}
            Sameness::Unknown(why) => warnings.push(format!("{why}; it is run as this program reads it")),
            Sameness::Other(what) => {
                let folder = self.folder.display();
                return Err(LoadError::NotFound(format!(
                    "the scenario in {folder} is not the one that was run any more ({what}); `spikedeck run \
                     {folder}/scenario.toml` runs it as it stands there"
                )));
            }
        }
        if more.is_empty() { Ok((spec, warnings)) } else { self.resolve(more) }
    }

    pub(super) fn sameness(&self, spec: &Spec) -> Sameness {
        sameness::of(&self.manifest, spec)
    }
}

/// The files that a run read: from its folder, or from where they were.
#[derive(Debug)]
struct StoredFiles {
    folder: PathBuf,
    /// Nothing in runs of programs that did not say which they were.
    entries: Option<Vec<FileEntry>>,
    /// Whether files that the run did not read may be read.
    others: bool,
}

impl StoredFiles {
    /// Where the file that was looked for as `path` is now, if the run read it; its contents are what they were.
    fn place(&self, path: &Path) -> Option<Result<PathBuf, String>> {
        let asked = path.display().to_string();
        let absolute = std::path::absolute(path).map_or_else(|_| asked.clone(), |p| p.display().to_string());
        let entry =
            self.entries.as_ref()?.iter().find(|e| e.path == asked || e.absolute == asked || e.absolute == absolute)?;
        let copy = entry.copy.as_ref().map(|c| self.folder.join(c)).filter(|c| c.is_file());
        let place = copy.unwrap_or_else(|| PathBuf::from(&entry.absolute));
        if !place.exists() {
            let kept = entry.copy.as_ref().map_or_else(
                || "it was too large to be kept in the run's folder".to_owned(),
                |c| format!("so is its copy {}", self.folder.join(c).display()),
            );
            return Some(Err(format!("{}, which the run read, is gone; {kept}", entry.absolute)));
        }
        Some(match Files.file(&place) {
            Some(now) if now.sha256 == entry.sha256 => Ok(place),
            Some(now) => Err(format!(
                "{} has changed since the run: its SHA-256 was {}…, now it is {}…",
                place.display(),
                start(&entry.sha256),
                start(&now.sha256)
            )),
            None => Err(format!("{} cannot be read", place.display())),
        })
    }

    /// Whether files may be read that the manifest does not list.
    fn is_open(&self) -> bool {
        self.others || self.entries.is_none()
    }
}

/// As much of a hash as tells one from another.
fn start(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

impl FileLoader for StoredFiles {
    fn text(&self, path: &Path) -> Result<Option<String>, FileError> {
        match self.place(path) {
            Some(place) => Files.text(&place?),
            None if self.is_open() => Files.text(path),
            // A file that lies there now was not looked at then.
            None => Ok(None),
        }
    }

    fn table(&self, path: &Path, columns: &FileColumns) -> Result<FileTable, FileError> {
        match self.place(path) {
            Some(place) => Files.table(&place?, columns),
            None if self.is_open() => Files.table(path, columns),
            None => Err(FileError::Unreadable(format!("the run read no file {}", path.display()))),
        }
    }

    fn located(&self, path: &Path, refused: &Refused) -> Option<Box<InText>> {
        match self.place(path) {
            Some(place) => Files.located(&place.ok()?, refused),
            None if self.is_open() => Files.located(path, refused),
            None => None,
        }
    }

    fn recording(&self, path: &Path, said: &Said) -> Result<Opened, FileError> {
        let mut said = said.clone();
        if let Some(keys) = &mut said.trials
            && let Some(place) = self.place(&keys.path)
        {
            keys.path = place?;
        }
        if let Some(at) = &mut said.observed
            && let Some(place) = self.place(at)
        {
            *at = place?;
        }
        match self.place(path) {
            Some(place) => Files.recording(&place?, &said),
            None if self.is_open() => Files.recording(path, &said),
            None => Err(FileError::Unreadable(format!("the run read no file {}", path.display()))),
        }
    }

    fn file(&self, path: &Path) -> Option<FileUse> {
        let known = match self.place(path) {
            Some(place) => Files.file(&place.ok()?),
            None => Files.file(path),
        };
        known.map(|file| FileUse { path: path.to_owned(), ..file })
    }
}
