//! An open HDF5 file: the little of it that is asked for, each thing held against memory before it is read.

use std::cell::Cell;
use std::io::SeekFrom;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use hdf5_reader::error::Error;
use hdf5_reader::group::Group;
use hdf5_reader::{
    Attribute, Dataset, Datatype, FilterRegistry, H5Type, Hdf5File, OpenOptions, RangeRequestStorage, VarLenKind,
};

use super::super::error::StoreError;
use super::super::read::Stream;
use super::lzf;
use spikedeck_core::units::Dimension;
use spikedeck_signal::data::FileUnit;

/// The most names of a text column that are read.
const NAMES: u64 = 10_000_000;
/// The largest part of a dataset that is stored as one piece, decoded.
const PIECE: u64 = 256 << 20;
/// The largest list of what is said of one object.
const HEADER: u64 = 16 << 20;

/// An open file.
pub(super) struct Hdf5<'a> {
    path: &'a Path,
    root: Group,
    /// Bytes that may still be held.
    room: Cell<u64>,
    most: u64,
}

/// Numbers of a dataset, row by row.
pub(super) struct Numbers {
    pub shape: Vec<u64>,
    pub values: Vec<f64>,
}

/// A kind of number as it is stored.
#[derive(Clone, Copy)]
enum Stored {
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
}

impl Stored {
    fn of(kind: &Datatype) -> Option<Self> {
        match kind {
            Datatype::FloatingPoint { size: 4, .. } => Some(Self::F32),
            Datatype::FloatingPoint { size: 8, .. } => Some(Self::F64),
            Datatype::FixedPoint { size: 1, signed: true, .. } => Some(Self::I8),
            Datatype::FixedPoint { size: 2, signed: true, .. } => Some(Self::I16),
            Datatype::FixedPoint { size: 4, signed: true, .. } => Some(Self::I32),
            Datatype::FixedPoint { size: 8, signed: true, .. } => Some(Self::I64),
            Datatype::FixedPoint { size: 1, signed: false, .. } => Some(Self::U8),
            Datatype::FixedPoint { size: 2, signed: false, .. } => Some(Self::U16),
            Datatype::FixedPoint { size: 4, signed: false, .. } => Some(Self::U32),
            Datatype::FixedPoint { size: 8, signed: false, .. } => Some(Self::U64),
            _ => None,
        }
    }
}

impl<'a> Hdf5<'a> {
    /// Opens a file of which at most `most` bytes may be held.
    ///
    /// # Errors
    /// When it is no HDF5 file.
    pub fn open(path: &'a Path, mut stream: Box<dyn Stream>, most: u64) -> Result<Self, StoreError> {
        let length = stream.seek(SeekFrom::End(0)).map_err(|e| StoreError::io(path, e))?;
        let stream = Mutex::new(stream);
        let read = move |offset: u64, length: usize| {
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            let mut bytes = vec![0; length];
            stream.seek(SeekFrom::Start(offset))?;
            stream.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        let mut filters = FilterRegistry::new();
        let lzf = |data: &[u8]| lzf::decoded(data, bounded(PIECE)).map_err(Error::InvalidData);
        filters.register(lzf::ID, Box::new(move |_, data, _| lzf(data)));
        let options = OpenOptions { filter_registry: Some(filters), ..OpenOptions::default() }
            .with_chunk_cache_bytes(0)
            .with_max_chunk_bytes(bounded(PIECE.min(most)))
            .with_max_read_bytes(bounded(most))
            .with_max_object_header_bytes(bounded(HEADER));
        let storage = Arc::new(RangeRequestStorage::new(length, read));
        let opened = Hdf5File::from_storage_with_options(storage, options).and_then(|file| file.root_group());
        let root =
            opened.map_err(|e| StoreError::Malformed { path: path.to_owned(), message: format!("as HDF5 {e}") })?;
        Ok(Self { path, root, room: Cell::new(most), most })
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
        Ok(self.members(place)?.0)
    }

    /// Names of the datasets in a group likewise.
    pub fn datasets(&self, place: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.members(place)?.1)
    }

    /// Names of the groups and of the datasets in a group. Links that lead nowhere are not there.
    fn members(&self, place: &str) -> Result<(Vec<String>, Vec<String>), StoreError> {
        let Some(group) = self.group(place)? else { return Ok((Vec::new(), Vec::new())) };
        let (mut groups, mut datasets) = group.member_names().map_err(self.failed(place))?;
        groups.sort();
        datasets.sort();
        Ok((groups, datasets))
    }

    fn group(&self, place: &str) -> Result<Option<Group>, StoreError> {
        let mut group = self.root.clone();
        for part in place.split('/').filter(|p| !p.is_empty()) {
            group = match group.group(part) {
                Ok(inner) => inner,
                Err(Error::GroupNotFound(_)) => return Ok(None),
                Err(e) => return Err(self.failed(place)(e)),
            };
        }
        Ok(Some(group))
    }

    fn dataset(&self, place: &str) -> Result<Dataset, StoreError> {
        let (group, name) = place.rsplit_once('/').unwrap_or(("", place));
        let group = self.group(group)?.ok_or_else(|| self.wrong(place, "there is none"))?;
        group.dataset(name).map_err(self.failed(place))
    }

    /// Whether a group has a dataset of that name.
    pub fn has(&self, place: &str) -> Result<bool, StoreError> {
        let (group, name) = place.rsplit_once('/').unwrap_or(("", place));
        Ok(self.datasets(group)?.iter().any(|n| n == name))
    }

    /// The extents of a dataset.
    pub fn shape(&self, place: &str) -> Result<Vec<u64>, StoreError> {
        self.extents(place, &self.dataset(place)?)
    }

    /// The same of one that is open. One without a place for data has no values.
    fn extents(&self, place: &str, dataset: &Dataset) -> Result<Vec<u64>, StoreError> {
        let shape = dataset.shape().to_vec();
        let is_empty = dataset.num_elements().map_err(self.failed(place))? == 0;
        Ok(if is_empty && shape.is_empty() { vec![0] } else { shape })
    }

    /// Whether a dataset holds numbers.
    pub fn is_numeric(&self, place: &str) -> Result<bool, StoreError> {
        Ok(Stored::of(self.dataset(place)?.dtype()).is_some())
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

    /// All values of a dataset, of the kind as which they are stored.
    fn all<T: H5Type + Clone + Default>(&self, place: &str, dataset: &Dataset) -> Result<Vec<T>, StoreError> {
        let count = dataset.num_elements().map_err(self.failed(place))?;
        let count = usize::try_from(count).map_err(|_| self.wrong(place, "it is larger than this machine counts"))?;
        let mut values = vec![T::default(); count];
        dataset.read_into(&mut values).map_err(self.failed(place))?;
        Ok(values)
    }

    /// The numbers of a dataset. What was never written is its fill value, as for every reader.
    ///
    /// # Errors
    /// When it is not there, holds something else, is damaged, or does not fit.
    pub fn numbers(&self, place: &str) -> Result<Numbers, StoreError> {
        let dataset = self.dataset(place)?;
        let shape = self.extents(place, &dataset)?;
        let Some(stored) = Stored::of(dataset.dtype()) else {
            return Err(self.wrong(place, "numbers are needed, and these are none"));
        };
        self.held(product(&shape), 8)?;
        let d = &dataset;
        let values: Vec<f64> = match stored {
            Stored::F64 => self.all(place, d)?,
            Stored::F32 => self.all::<f32>(place, d)?.into_iter().map(f64::from).collect(),
            Stored::I8 => self.all::<i8>(place, d)?.into_iter().map(f64::from).collect(),
            Stored::I16 => self.all::<i16>(place, d)?.into_iter().map(f64::from).collect(),
            Stored::I32 => self.all::<i32>(place, d)?.into_iter().map(f64::from).collect(),
            Stored::I64 => self.all::<i64>(place, d)?.into_iter().map(|v| v as f64).collect(),
            Stored::U8 => self.all::<u8>(place, d)?.into_iter().map(f64::from).collect(),
            Stored::U16 => self.all::<u16>(place, d)?.into_iter().map(f64::from).collect(),
            Stored::U32 => self.all::<u32>(place, d)?.into_iter().map(f64::from).collect(),
            Stored::U64 => self.all::<u64>(place, d)?.into_iter().map(|v| v as f64).collect(),
        };
        Ok(Numbers { shape, values })
    }

    /// The whole numbers of a dataset of one dimension.
    ///
    /// # Errors
    /// As [`Self::numbers`]; also where one has a fraction.
    pub fn whole_numbers(&self, place: &str) -> Result<Vec<i64>, StoreError> {
        let dataset = self.dataset(place)?;
        let d = &dataset;
        let Some(stored) = Stored::of(d.dtype()) else {
            return Err(self.wrong(place, "whole numbers are needed, and these are none"));
        };
        if matches!(stored, Stored::F32 | Stored::F64) {
            let values = self.numbers(place)?.values;
            let bad = values.iter().find(|v| v.fract() != 0.0 || v.abs() >= 9_007_199_254_740_992.0);
            if let Some(bad) = bad {
                return Err(self.wrong(place, format_args!("{bad} is no whole number")));
            }
            return Ok(values.into_iter().map(|v| v as i64).collect());
        }
        self.held(product(&self.extents(place, d)?), 8)?;
        Ok(match stored {
            Stored::I8 => self.all::<i8>(place, d)?.into_iter().map(i64::from).collect(),
            Stored::I16 => self.all::<i16>(place, d)?.into_iter().map(i64::from).collect(),
            Stored::I32 => self.all::<i32>(place, d)?.into_iter().map(i64::from).collect(),
            Stored::U8 => self.all::<u8>(place, d)?.into_iter().map(i64::from).collect(),
            Stored::U16 => self.all::<u16>(place, d)?.into_iter().map(i64::from).collect(),
            Stored::U32 => self.all::<u32>(place, d)?.into_iter().map(i64::from).collect(),
            Stored::U64 => {
                let all: Result<Vec<i64>, _> = self.all::<u64>(place, d)?.into_iter().map(i64::try_from).collect();
                all.map_err(|_| self.wrong(place, "a number is larger than 63 bits hold"))?
            }
            Stored::I64 | Stored::F32 | Stored::F64 => self.all(place, d)?,
        })
    }

    /// The texts of a dataset; none where it holds none.
    ///
    /// # Errors
    /// When it is damaged or does not fit.
    pub fn texts(&self, place: &str) -> Result<Option<Vec<String>>, StoreError> {
        let dataset = self.dataset(place)?;
        let kind = dataset.dtype();
        let vary = matches!(kind, Datatype::VarLen { kind: VarLenKind::String, .. })
            || matches!(kind, Datatype::String { size: hdf5_reader::StringSize::Variable, .. });
        let count = dataset.num_elements().map_err(self.failed(place))?;
        if count > NAMES || !(vary || matches!(kind, Datatype::String { .. })) {
            return Ok(None);
        }
        let width = dataset.raw_element_size().map_err(self.failed(place))? as u64;
        self.held(count, width.saturating_mul(2).saturating_add(24))?;
        if vary {
            // One long text may be the text of many rows.
            let rows = dataset.read_raw_bytes().map_err(self.failed(place))?;
            let lengths = rows.chunks_exact(width.max(4) as usize).map(|row| [row[0], row[1], row[2], row[3]]);
            let all = lengths.fold(0_u64, |sum, length| sum.saturating_add(u64::from(u32::from_le_bytes(length))));
            self.held(all, 2)?;
        }
        let texts = dataset.read_strings().map_err(self.failed(place))?;
        if texts.len() as u64 != count {
            return Err(self.wrong(place, format_args!("{} texts are there, and its extents say {count}", texts.len())));
        }
        Ok(Some(texts))
    }

    /// Seconds of one of the times in a dataset, as its attribute `unit` or `units` says; none where it has neither.
    ///
    /// # Errors
    /// When it says what is no unit of time.
    pub fn seconds(&self, place: &str) -> Result<Option<f64>, StoreError> {
        let said = self.said(place)?;
        let text_of = |key| said.text(key).filter(|text| !text.trim().is_empty()).map(|text| (key, text));
        let Some((key, text)) = ["unit", "units"].into_iter().find_map(text_of) else {
            return Ok(None);
        };
        match FileUnit::parse(&text) {
            Some(unit) if unit.dimension == Dimension::SECOND => Ok(Some(unit.scale)),
            _ => Err(self.wrong(place, format!("its attribute `{key}` says `{text}`, which is no unit of time"))),
        }
    }

    /// Times in seconds, which they are where nothing else is said.
    ///
    /// # Errors
    /// As [`Self::numbers`] and [`Self::seconds`].
    pub fn times(&self, place: &str) -> Result<Numbers, StoreError> {
        let mut found = self.numbers(place)?;
        if let Some(scale) = self.seconds(place)?.filter(|scale| *scale != 1.0) {
            found.values.iter_mut().for_each(|t| *t *= scale);
        }
        Ok(found)
    }

    /// What is said beside a dataset.
    pub fn said(&self, place: &str) -> Result<Said, StoreError> {
        Ok(Said(self.dataset(place)?.attributes()))
    }
}

/// A number of bytes as this machine counts.
fn bounded(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// The number of values of these extents.
pub(super) fn product(shape: &[u64]) -> u64 {
    shape.iter().fold(1, |n: u64, &m| n.saturating_mul(m))
}

/// Attributes.
pub(super) struct Said(Vec<Attribute>);

impl Said {
    /// The attribute of this name, if it is one value.
    fn one(&self, name: &str) -> Option<&Attribute> {
        self.0.iter().find(|a| a.name == name).filter(|a| a.num_elements().is_ok_and(|n| n == 1))
    }

    /// A number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.one(name)?.read_as_f64().ok()
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<String> {
        let texts = self.one(name)?.read_strings().ok()?;
        texts.first().map(|text| text.trim().to_owned())
    }
}
