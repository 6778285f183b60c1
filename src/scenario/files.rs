//! Files that a scenario names: how they are read, which they were, and what was in them.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::identity::hexadecimal;
use spikedeck_core::diagnostic::InText;
use spikedeck_signal::data::{Refused, TrialKeys};
use spikedeck_signal::{FileColumns, Recording};

pub use spikedeck_signal::data::FileTable;

/// Why a file that a scenario names was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    /// There is none at this path.
    Missing(PathBuf),
    /// It is there and cannot be read, is damaged, or is something else: one sentence.
    Unreadable(String),
    /// It is a text in which something is wrong.
    InText(Box<InText>),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "there is no file {}", path.display()),
            Self::Unreadable(why) => f.write_str(why),
            Self::InText(wrong) => wrong.fmt(f),
        }
    }
}

impl std::error::Error for FileError {}

impl From<String> for FileError {
    fn from(why: String) -> Self {
        Self::Unreadable(why)
    }
}

/// How files that a scenario names are read; `run` hands one in, so that scenarios know no file formats.
pub trait FileLoader {
    /// The text of a file, or nothing if there is no such file.
    ///
    /// # Errors
    /// When it is there but cannot be read.
    fn text(&self, path: &Path) -> Result<Option<String>, FileError>;

    /// What a Parquet or CSV file holds of the declared columns, and the names of its others.
    ///
    /// # Errors
    /// When it is not there, cannot be read, is damaged, or is no table.
    fn table(&self, path: &Path, columns: &FileColumns) -> Result<FileTable, FileError>;

    /// The recording in a file, of which `said` is what it does not say itself.
    ///
    /// # Errors
    /// When it is not there, cannot be read, is damaged, or holds neither spikes nor signals.
    fn recording(&self, path: &Path, _said: &Said) -> Result<Opened, FileError> {
        Err(FileError::Missing(path.to_owned()))
    }

    /// Where in a file what was refused of its table is wrong; nothing where that cannot be shown.
    fn located(&self, _path: &Path, _refused: &Refused) -> Option<Box<InText>> {
        None
    }

    /// What is in a file as a whole, so that a run can say which it read; nothing where that is not known.
    fn file(&self, _path: &Path) -> Option<FileUse> {
        None
    }
}

/// What a scenario says of a recording beside its file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// Samples a second, of a signal without times.
    pub rate: Option<f64>,
    /// Seconds of the first sample likewise.
    pub first: Option<f64>,
    /// The unit of values that state none.
    pub unit: Option<String>,
    /// Which trials lie in it.
    pub trials: Option<TrialKeys>,
    /// The file that says when its units were observed.
    pub observed: Option<PathBuf>,
}

/// A recording from a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Opened {
    /// What it holds.
    pub recording: Recording,
    /// Which of its populations are events (trials, epochs) and not units.
    pub events: Vec<String>,
    /// Whether each signal is a population of its own, called as the signal is: otherwise variables are.
    pub own_signals: bool,
    /// What should be known of it.
    pub notes: Vec<String>,
}

/// A loader that knows no files: for scenarios without files, and tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl FileLoader for NoFiles {
    fn text(&self, _path: &Path) -> Result<Option<String>, FileError> {
        Ok(None)
    }

    fn table(&self, path: &Path, _columns: &FileColumns) -> Result<FileTable, FileError> {
        Err(FileError::Missing(path.to_owned()))
    }
}

/// Largest file whose contents are kept with the scenario, so that a run can store them.
pub const SMALL_FILE: u64 = 16 << 20;

/// A file that a scenario was read from: edges, spikes, a signal, a morphology, a model beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileUse {
    /// The path by which the reader looked for it.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes (hexadecimal).
    pub sha256: String,
    /// Its bytes, unless they are more than [`SMALL_FILE`].
    pub contents: Option<Arc<[u8]>>,
}

impl FileUse {
    /// What there is to know of `bytes`, read from `path`.
    pub fn of(path: &Path, bytes: &[u8]) -> Self {
        Self {
            path: path.to_owned(),
            bytes: bytes.len() as u64,
            sha256: hexadecimal(&Sha256::digest(bytes)),
            contents: (bytes.len() as u64 <= SMALL_FILE).then(|| Arc::from(bytes)),
        }
    }

    /// The same of all that `reader` gives; large files are not held in memory.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path, mut reader: impl Read) -> io::Result<Self> {
        let mut digest = Sha256::new();
        let mut kept = Some(Vec::new());
        let mut bytes = 0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            bytes += n as u64;
            digest.update(&buffer[..n]);
            if bytes > SMALL_FILE {
                kept = None;
            }
            if let Some(kept) = &mut kept {
                kept.extend_from_slice(&buffer[..n]);
            }
        }
        Ok(Self {
            path: path.to_owned(),
            bytes,
            sha256: hexadecimal(&digest.finalize()),
            contents: kept.map(Arc::from),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_alike_however_it_is_read_and_large_ones_are_not_held() {
        let path = Path::new("edges.csv");
        let bytes = b"source,target\n0,1\n".repeat(9_000);
        let whole = FileUse::of(path, &bytes);
        assert_eq!(FileUse::read(path, bytes.as_slice()).unwrap(), whole);
        assert_eq!((whole.bytes, whole.contents.as_deref()), (bytes.len() as u64, Some(bytes.as_slice())));
        let large = FileUse::read(path, io::repeat(7).take(SMALL_FILE + 1)).unwrap();
        assert_eq!((large.bytes, large.contents), (SMALL_FILE + 1, None));
        assert_eq!(FileUse::of(path, b"").sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
