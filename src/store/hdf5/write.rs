//! Spikes in the layout of SONATA: the few parts of HDF5 that such a file has, groups and plain arrays with attributes,
//! as version 2 of the file format has them (libhdf5 1.8 and later read it).

use std::path::Path;

use hdf5_reader::checksum::jenkins_lookup3;

use super::super::error::StoreError;
use super::super::write::write_bytes;
use spikedeck_signal::Spikes;

/// The number that files of SONATA begin with, and the version of the layout.
const MAGIC: u32 = 0x0A7A;
const VERSION: [u32; 2] = [0, 1];

/// An address of nothing.
const NOWHERE: u64 = u64::MAX;
/// Bytes before the first object.
const SUPERBLOCK: usize = 48;

/// Kinds of messages in the header of an object.
const DATASPACE: u8 = 1;
const LINK_INFO: u8 = 2;
const DATATYPE: u8 = 3;
const FILL_VALUE: u8 = 5;
const LINK: u8 = 6;
const LAYOUT: u8 = 8;
const GROUP_INFO: u8 = 10;
const ATTRIBUTE: u8 = 12;

/// Writes spikes, whose times are milliseconds, as SONATA has them: `/spikes/POP/timestamps` and `node_ids`, sorted by
/// time. Gives the number of spikes.
///
/// # Errors
/// When the file cannot be written, or a population has a name that HDF5 cannot hold.
pub fn write_sonata(path: &Path, spikes: &[Spikes]) -> Result<u64, StoreError> {
    let is_bad = |name: &str| name.contains(['/', '\0']) || matches!(name, "" | "." | "..") || name.len() > 60_000;
    if let Some(bad) = spikes.iter().find(|s| is_bad(&s.population)) {
        let why = format!("a population is called `{}`, which cannot be the name of a group", bad.population);
        return Err(StoreError::Unwritable { path: path.to_owned(), why });
    }
    write_bytes(path, &sonata(spikes))?;
    Ok(spikes.iter().map(|s| s.len() as u64).sum())
}

/// The bytes of the file.
fn sonata(spikes: &[Spikes]) -> Vec<u8> {
    let mut file = File { bytes: vec![0; SUPERBLOCK] };
    let mut populations = Vec::new();
    for own in spikes {
        let times: Vec<u8> = own.times.iter().flat_map(|t| t.to_le_bytes()).collect();
        let ids: Vec<u8> = own.units.iter().flat_map(|&u| u64::from(u).to_le_bytes()).collect();
        let unit = attribute("units", &text(2), &scalar(), b"ms");
        let times = file.dataset(&double(), own.len(), &times, &unit);
        let ids = file.dataset(&whole(8), own.len(), &ids, &[]);
        let group = file.group(&[("timestamps", times), ("node_ids", ids)], &[]);
        populations.push((own.population.as_str(), group));
    }
    let all = file.group(&populations, &[]);
    let version: Vec<u8> = VERSION.iter().flat_map(|v| v.to_le_bytes()).collect();
    let said = [
        attribute("magic", &whole(4), &scalar(), &MAGIC.to_le_bytes()),
        attribute("version", &whole(4), &list(VERSION.len()), &version),
    ];
    let root = file.group(&[("spikes", all)], &said.concat());
    file.finish(root)
}

/// A file as it grows: what an object names stands before it.
struct File {
    bytes: Vec<u8>,
}

impl File {
    /// Appends bytes and gives their address.
    fn append(&mut self, bytes: &[u8]) -> u64 {
        let address = self.bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        address
    }

    /// The header of an object, of these messages.
    fn object(&mut self, messages: &[u8]) -> u64 {
        // Version 2, with four bytes for the length.
        let mut header = b"OHDR\x02\x02".to_vec();
        header.extend_from_slice(&(messages.len() as u32).to_le_bytes());
        header.extend_from_slice(messages);
        let sum = jenkins_lookup3(&header);
        header.extend_from_slice(&sum.to_le_bytes());
        self.append(&header)
    }

    /// A list of values in one piece.
    fn dataset(&mut self, kind: &[u8], count: usize, data: &[u8], attributes: &[u8]) -> u64 {
        let address = if data.is_empty() { NOWHERE } else { self.append(data) };
        let layout = [&[3, 1][..], &address.to_le_bytes(), &(data.len() as u64).to_le_bytes()].concat();
        let parts = [
            message(DATASPACE, &list(count)),
            message(DATATYPE, kind),
            // Space is taken when it is first written, and no fill value is set.
            message(FILL_VALUE, &[3, 0x0A]),
            message(LAYOUT, &layout),
            attributes.to_vec(),
        ];
        self.object(&parts.concat())
    }

    /// A group of these objects.
    fn group(&mut self, members: &[(&str, u64)], attributes: &[u8]) -> u64 {
        let info = [&[0, 0][..], &NOWHERE.to_le_bytes(), &NOWHERE.to_le_bytes()].concat();
        let mut messages = [message(LINK_INFO, &info), message(GROUP_INFO, &[0, 0])].concat();
        for (name, address) in members {
            // The name is UTF-8, and its length has two bytes.
            let mut link = vec![1, 0x11, 1];
            link.extend_from_slice(&(name.len() as u16).to_le_bytes());
            link.extend_from_slice(name.as_bytes());
            link.extend_from_slice(&address.to_le_bytes());
            messages.extend(message(LINK, &link));
        }
        messages.extend_from_slice(attributes);
        self.object(&messages)
    }

    /// The whole file, whose root is this group.
    fn finish(mut self, root: u64) -> Vec<u8> {
        let mut first = b"\x89HDF\r\n\x1a\n\x02\x08\x08\x00".to_vec();
        for address in [0, NOWHERE, self.bytes.len() as u64, root] {
            first.extend_from_slice(&address.to_le_bytes());
        }
        let sum = jenkins_lookup3(&first);
        first.extend_from_slice(&sum.to_le_bytes());
        self.bytes[..SUPERBLOCK].copy_from_slice(&first);
        self.bytes
    }
}

fn message(kind: u8, data: &[u8]) -> Vec<u8> {
    let [low, high] = (data.len() as u16).to_le_bytes();
    [&[kind, low, high, 0], data].concat()
}

fn attribute(name: &str, kind: &[u8], space: &[u8], data: &[u8]) -> Vec<u8> {
    let mut out = vec![3, 0];
    for length in [name.len() + 1, kind.len(), space.len()] {
        out.extend_from_slice(&(length as u16).to_le_bytes());
    }
    // The name is UTF-8 and ends with a zero.
    out.push(1);
    out.extend_from_slice(name.as_bytes());
    out.push(0);
    message(ATTRIBUTE, &[&out[..], kind, space, data].concat())
}

/// The extents of one value.
fn scalar() -> Vec<u8> {
    vec![2, 0, 0, 0]
}

/// The extents of a list.
fn list(count: usize) -> Vec<u8> {
    [&[2, 1, 0, 1][..], &(count as u64).to_le_bytes()].concat()
}

/// Numbers of 64 bits as IEEE 754 has them.
fn double() -> Vec<u8> {
    let parts = [0, 0, 64, 0, 52, 11, 0, 52];
    [&[0x11, 0x20, 63, 0, 8, 0, 0, 0][..], &parts, &1023_u32.to_le_bytes()].concat()
}

/// Whole numbers without sign.
fn whole(bytes: u8) -> Vec<u8> {
    vec![0x10, 0, 0, 0, bytes, 0, 0, 0, 0, 0, bytes * 8, 0]
}

/// Texts of so many bytes in UTF-8.
fn text(bytes: u8) -> Vec<u8> {
    vec![0x13, 0x11, 0, 0, bytes, 0, 0, 0]
}
