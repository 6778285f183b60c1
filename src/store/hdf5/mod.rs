//! HDF5 files of recordings: NWB (Neurodata Without Borders) and SONATA.
//!
//! They are looked into where these formats have spikes and signals, and nowhere else: units with their times, ids,
//! regions and observed stretches, evenly sampled series, populations and reports. Everything else that stands in these
//! places is named. No size in a file is trusted: each dataset is held against memory before it is read, and a panic of
//! the reader is a refusal.

mod file;
mod intervals;
mod lzf;
mod nwb;
mod series;
mod sonata;
mod write;

pub use write::write_sonata;

use std::path::Path;

use self::file::Hdf5;
use super::error::StoreError;
use super::guard::guarded;
use super::read::Stream;
use super::recorded::Recorded;

/// Reads a file, of which at most `most` bytes may be held.
///
/// # Errors
/// When it is no HDF5 file, damaged, holds nothing that is read, or does not fit.
pub(super) fn read(path: &Path, stream: Box<dyn Stream>, most: u64) -> Result<Recorded, StoreError> {
    // What is refused with a reason of its own goes through the guard as it is.
    let found = guarded(path, || Ok(contents(path, stream, most)))??;
    if !found.spikes.is_empty() || !found.signals.is_empty() || !found.events.is_empty() {
        return Ok(found);
    }
    Err(StoreError::Malformed {
        path: path.to_owned(),
        message: format!(
            "it is an HDF5 file without spikes (NWB `/units`, SONATA `/spikes`) and without evenly sampled signals \
             (NWB series, SONATA `/report`){}",
            found.instead()
        ),
    })
}

fn contents(path: &Path, stream: Box<dyn Stream>, most: u64) -> Result<Recorded, StoreError> {
    let file = Hdf5::open(path, stream, most)?;
    let mut found = Recorded::default();
    nwb::units(&file, &mut found)?;
    sonata::spikes(&file, &mut found)?;
    series::series(&file, &mut found)?;
    intervals::intervals(&file, &mut found)?;
    sonata::reports(&file, &mut found)?;
    if found.spikes.is_empty() && found.signals.is_empty() && found.left.is_empty() {
        let all = file.groups("")?.into_iter().chain(file.datasets("")?);
        found.left = all.map(|name| format!("`{name}`")).collect();
    }
    Ok(found)
}
