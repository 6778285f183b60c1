//! What a file that people bring is, by its first bytes or the end of its name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Format;

/// A kind of file that spikes and signals are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Parquet.
    Parquet,
    /// A table of text.
    Text,
    /// HDF5: NWB or SONATA.
    Hdf5,
    /// An array of NumPy.
    Npy,
}

impl FileKind {
    /// That of a file: HDF5 files and arrays are known by their first bytes, all others by the ends of their names.
    /// None where it is nothing that could hold a recording.
    pub fn of(path: &Path) -> Option<Self> {
        // What is no regular file is not read: a pipe or a device may never end.
        let begin = || {
            let mut begin = [0; 8];
            File::open(path).and_then(|mut f| f.read_exact(&mut begin)).ok().map(|()| begin)
        };
        let known = path.is_file().then(begin).flatten().and_then(|begin| Self::binary(&begin));
        known.or_else(|| Self::by_name(path))
    }

    /// That of bytes without a name: what is not known by its beginning is text.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let parquet = bytes.starts_with(b"PAR1").then_some(Self::Parquet);
        parquet.or_else(|| Self::binary(bytes)).unwrap_or(Self::Text)
    }

    fn binary(begin: &[u8]) -> Option<Self> {
        if begin.starts_with(b"\x89HDF\r\n\x1a\n") {
            Some(Self::Hdf5)
        } else if begin.starts_with(b"\x93NUMPY") {
            Some(Self::Npy)
        } else {
            None
        }
    }

    fn by_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "nwb" | "h5" | "hdf5" | "hdf" => Some(Self::Hdf5),
            "npy" => Some(Self::Npy),
            _ => Format::of(path).map(|format| match format {
                Format::Parquet => Self::Parquet,
                Format::Csv => Self::Text,
            }),
        }
    }
}
