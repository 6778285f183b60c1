//! An open HDF5 file: the little of it that is asked for, each thing held against memory before it is read.

use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;

use hdf5_pure::{AttrValue, DType, Dataset, Error, File, ReadSeekSource, VlenStringReadOptions};

use super::super::error::StoreError;
use super::super::read::Stream;

/// The most names of a text column that are read, and the most bytes of all of them.
const NAMES: u64 = 10_000_000;

/// An open file.
pub(super) struct Hdf5<'a> {
    path: &'a Path,
    file: File,
    /// Bytes that may still be held.
    room: Cell<u64>,
    most: u64,
}

/// Numbers of a dataset, row by row.
pub(super) struct Numbers {
    pub shape: Vec<u64>,
    pub values: Vec<f64>,
}

impl<'a> Hdf5<'a> {
    /// Opens a file of which at most `most` bytes may be held.
    ///
    /// # Errors
    /// When it is no HDF5 file.
    pub fn open(path: &'a Path, stream: Box<dyn Stream>, most: u64) -> Result<Self, StoreError> {
        let refused = |message: String| StoreError::Malformed { path: path.to_owned(), message };
        let source = ReadSeekSource::new(stream).map_err(|e| refused(e.to_string()))?;
        let file = File::from_source(source).map_err(|e| refused(format!("as HDF5 {e}")))?;
        Ok(Self { path, file, room: Cell::new(most), most })
    }

    /// That something in the file is not as it should be.
    pub fn wrong(&self, place: &str, what: impl std::fmt::Display) -> StoreError {
        StoreError::Malformed { path: self.path.to_owned(), message: format!("`{place}`: {what}") }
    }

    fn failed(&self, place: &str) -> impl Fn(Error) -> StoreError {
        let (path, place) = (self.path.to_owned(), place.to_owned());
        move |e| StoreError::Malformed { path: path.clone(), message: format!("`{place}` cannot be read: {e}") }
    }

    /// Names of the groups in a group, in the order of the alphabet; none where it is not there.
    pub fn groups(&self, place: &str) -> Result<Vec<String>, StoreError> {
        let Some(group) = self.group(place)? else { return Ok(Vec::new()) };
        let mut names = group.groups().map_err(self.failed(place))?;
        names.sort();
        Ok(names)
    }

    /// Names of the datasets in a group likewise.
    pub fn datasets(&self, place: &str) -> Result<Vec<String>, StoreError> {
        let Some(group) = self.group(place)? else { return Ok(Vec::new()) };
        let mut names = group.datasets().map_err(self.failed(place))?;
        names.sort();
        Ok(names)
    }

    fn group(&self, place: &str) -> Result<Option<hdf5_pure::Group>, StoreError> {
        let mut group = self.file.root();
        for part in place.split('/').filter(|p| !p.is_empty()) {
            if !group.groups().map_err(self.failed(place))?.iter().any(|n| n == part) {
                return Ok(None);
            }
            group = group.group(part).map_err(self.failed(place))?;
        }
        Ok(Some(group))
    }

    fn dataset(&self, place: &str) -> Result<Dataset, StoreError> {
        self.file.dataset(place).map_err(self.failed(place))
    }

    /// Whether a group has a dataset of that name.
    pub fn has(&self, place: &str) -> Result<bool, StoreError> {
        let (group, name) = place.rsplit_once('/').unwrap_or(("", place));
        Ok(self.datasets(group)?.iter().any(|n| n == name))
    }

    /// The extents of a dataset.
    pub fn shape(&self, place: &str) -> Result<Vec<u64>, StoreError> {
        self.dataset(place)?.shape().map_err(self.failed(place))
    }

    /// Whether a dataset holds numbers.
    pub fn is_numeric(&self, place: &str) -> Result<bool, StoreError> {
        use DType as T;
        let kind = self.dataset(place)?.dtype().map_err(self.failed(place))?;
        Ok(matches!(kind, T::F32 | T::F64 | T::I8 | T::I16 | T::I32 | T::I64 | T::U8 | T::U16 | T::U32 | T::U64))
    }

    /// Takes what `count` values of `width` bytes need from what may be held.
    fn held(&self, count: u64, width: u64) -> Result<(), StoreError> {
        let needed = count.saturating_mul(width);
        match self.room.get().checked_sub(needed) {
            Some(left) => {
                self.room.set(left);
                Ok(())
            }
            None => Err(StoreError::OverBudget { path: self.path.to_owned(), needed, most: self.most }),
        }
    }

    /// Whether so many numbers may still be held.
    pub fn fits(&self, count: u64) -> bool {
        count.saturating_mul(8) <= self.room.get() / 2
    }

    /// The numbers of a dataset.
    ///
    /// # Errors
    /// When it is not there, holds something else, is damaged, or does not fit.
    pub fn numbers(&self, place: &str) -> Result<Numbers, StoreError> {
        let (dataset, shape) = (self.dataset(place)?, self.shape(place)?);
        self.held(product(&shape), 8)?;
        let values: Vec<f64> = dataset.read().map_err(self.failed(place))?;
        self.whole(place, &shape, values.len())?;
        Ok(Numbers { shape, values })
    }

    /// The whole numbers of a dataset of one dimension.
    ///
    /// # Errors
    /// As [`Self::numbers`]; also where one has a fraction.
    pub fn whole_numbers(&self, place: &str) -> Result<Vec<i64>, StoreError> {
        use DType as T;
        let (dataset, shape) = (self.dataset(place)?, self.shape(place)?);
        let kind = dataset.dtype().map_err(self.failed(place))?;
        self.held(product(&shape), 8)?;
        let values: Vec<i64> = match kind {
            T::F32 | T::F64 => {
                let values: Vec<f64> = dataset.read().map_err(self.failed(place))?;
                let bad = values.iter().find(|v| v.fract() != 0.0 || v.abs() >= 9_007_199_254_740_992.0);
                if let Some(bad) = bad {
                    return Err(self.wrong(place, format_args!("{bad} is no whole number")));
                }
                values.into_iter().map(|v| v as i64).collect()
            }
            T::U64 => {
                let values: Vec<u64> = dataset.read().map_err(self.failed(place))?;
                let all: Result<Vec<i64>, _> = values.into_iter().map(i64::try_from).collect();
                all.map_err(|_| self.wrong(place, "a number is larger than 63 bits hold"))?
            }
            T::I8 | T::I16 | T::I32 | T::I64 | T::U8 | T::U16 | T::U32 => dataset.read().map_err(self.failed(place))?,
            other => return Err(self.wrong(place, format_args!("whole numbers are needed, and these are {other}"))),
        };
        self.whole(place, &shape, values.len())?;
        Ok(values)
    }

    /// The texts of a dataset; none where it holds none.
    ///
    /// # Errors
    /// When it is damaged or does not fit.
    pub fn texts(&self, place: &str) -> Result<Option<Vec<String>>, StoreError> {
        let (dataset, shape) = (self.dataset(place)?, self.shape(place)?);
        let count = product(&shape);
        let kind = dataset.dtype().map_err(self.failed(place))?;
        if count > NAMES || !matches!(kind, DType::String | DType::VariableLengthString) {
            return Ok(None);
        }
        let width = dataset.element_size().map_err(self.failed(place))?;
        self.held(count, width.saturating_mul(2).saturating_add(24))?;
        let texts = if kind == DType::VariableLengthString {
            let most = usize::try_from(self.room.get() / 2).unwrap_or(usize::MAX);
            let options = VlenStringReadOptions::new().with_max_elements(NAMES as usize).with_max_payload_bytes(most);
            dataset.read_vlen_strings(options)
        } else {
            dataset.read_string()
        };
        let texts = texts.map_err(self.failed(place))?;
        self.whole(place, &shape, texts.len())?;
        Ok(Some(texts))
    }

    fn whole(&self, place: &str, shape: &[u64], found: usize) -> Result<(), StoreError> {
        if product(shape) == found as u64 {
            return Ok(());
        }
        Err(self.wrong(place, format_args!("{found} values are there, and its extents say {}", product(shape))))
    }

    /// What is said beside a dataset.
    pub fn said(&self, place: &str) -> Result<Said, StoreError> {
        Ok(Said(self.dataset(place)?.attrs().map_err(self.failed(place))?))
    }
}

/// The number of values of these extents.
pub(super) fn product(shape: &[u64]) -> u64 {
    shape.iter().fold(1, |n: u64, &m| n.saturating_mul(m))
}

/// Attributes.
pub(super) struct Said(HashMap<String, AttrValue>);

impl Said {
    /// A number.
    pub fn number(&self, name: &str) -> Option<f64> {
        use AttrValue as A;
        match self.0.get(name)? {
            A::F32(v) => Some(f64::from(*v)),
            A::F64(v) => Some(*v),
            A::I8(v) => Some(f64::from(*v)),
            A::I16(v) => Some(f64::from(*v)),
            A::I32(v) => Some(f64::from(*v)),
            A::I64(v) => Some(*v as f64),
            A::U8(v) => Some(f64::from(*v)),
            A::U16(v) => Some(f64::from(*v)),
            A::U32(v) => Some(f64::from(*v)),
            A::U64(v) => Some(*v as f64),
            A::F32Array(v) if v.len() == 1 => Some(f64::from(v[0])),
            A::F64Array(v) if v.len() == 1 => Some(v[0]),
            _ => None,
        }
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        use AttrValue as A;
        let text = match self.0.get(name)? {
            A::String(v) | A::AsciiString(v) | A::VarLenString(v) | A::VarLenAsciiString(v) => v,
            A::StringSized { value, .. } | A::AsciiStringSized { value, .. } => value,
            A::StringArray(v)
            | A::AsciiStringArray(v)
            | A::VarLenAsciiCharArray(v)
            | A::VarLenStringArray(v)
            | A::VarLenAsciiStringArray(v)
                if v.len() == 1 =>
            {
                &v[0]
            }
            _ => return None,
        };
        Some(text.trim())
    }
}
