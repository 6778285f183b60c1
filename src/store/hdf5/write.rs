//! Spikes in the layout of SONATA.

use std::path::Path;

use hdf5_pure::{AttrValue, FileBuilder};

use super::super::error::StoreError;
use super::super::write::write_bytes;
use spikedeck_signal::Spikes;

/// The number that files of SONATA begin with, and the version of the layout.
const MAGIC: u32 = 0x0A7A;
const VERSION: [u32; 2] = [0, 1];

/// Writes spikes, whose times are milliseconds, as SONATA has them: `/spikes/POP/timestamps` and `node_ids`, sorted by
/// time. Gives the number of spikes.
///
/// # Errors
/// When the file cannot be written, or a population has a name that HDF5 cannot hold.
pub fn write_sonata(path: &Path, spikes: &[Spikes]) -> Result<u64, StoreError> {
    let refused = |e: hdf5_pure::Error| StoreError::Unwritable { path: path.to_owned(), why: e.to_string() };
    if let Some(bad) = spikes.iter().find(|s| s.population.contains('/') || matches!(s.population.as_str(), "" | ".")) {
        let why = format!("a population is called `{}`, which cannot be the name of a group", bad.population);
        return Err(StoreError::Unwritable { path: path.to_owned(), why });
    }
    let mut file = FileBuilder::new();
    file.set_attr("magic", AttrValue::U32(MAGIC));
    file.set_attr("version", AttrValue::U32Array(VERSION.to_vec()));
    let mut all = file.create_group("spikes");
    for own in spikes {
        let mut group = all.create_group(&own.population);
        group.create_dataset("timestamps").with_f64_data(&own.times).set_attr("units", AttrValue::String("ms".into()));
        let ids: Vec<u64> = own.units.iter().map(|&u| u64::from(u)).collect();
        group.create_dataset("node_ids").with_u64_data(&ids);
        all.add_group(group.finish());
    }
    file.add_group(all.finish());
    write_bytes(path, &file.finish().map_err(refused)?)?;
    Ok(spikes.iter().map(|s| s.len() as u64).sum())
}
