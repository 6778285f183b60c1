//! Every door that takes a file comes back from inputs that nobody would write: fixed mutations of sound ones.
//! `fuzz/run` looks further.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use spikedeck::core::rng::{Key, Stream};

#[path = "../../fuzz/targets.rs"]
mod targets;

use targets::{TARGETS, Target};

/// Changes a few places of an input: bytes, words of its language, pieces taken away, doubled or from another input.
fn mutate(input: &[u8], other: &[u8], target: &Target, random: &mut Stream) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() as u32 + 1) as usize;
        let length = (random.below(40) as usize).min(bytes.len() - at);
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            2 => drop(bytes.drain(at..at + length)),
            3 => bytes.truncate(at),
            4 if !target.words.is_empty() => {
                let word = target.words[random.below(target.words.len() as u32) as usize];
                drop(bytes.splice(at..at + length.min(3), word.bytes()));
            }
            5 => {
                let piece = bytes[at..at + length].to_vec();
                drop(bytes.splice(at..at, piece));
            }
            _ => {
                let from = random.below(other.len() as u32 + 1) as usize;
                let piece = other[from..(from + length).min(other.len())].to_vec();
                drop(bytes.splice(at..at + length, piece));
            }
        }
    }
    bytes
}

/// Tries the seeds of a target and `times` mutations of them.
fn tried(name: &str, times: usize) {
    let target = TARGETS.iter().find(|t| t.name == name).unwrap();
    let mut seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{name} has inputs to begin from");
    let known = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(&known).into_iter().flatten().map(|e| e.unwrap().path()).collect();
    files.sort();
    seeds.extend(files.iter().map(|file| fs::read(file).unwrap()));
    let mut random = Key::new(1, "fuzz", name).stream(0, 0);
    let broken = |bytes: &[u8]| {
        let came_back = catch_unwind(AssertUnwindSafe(|| (target.take)(bytes))).is_ok();
        assert!(came_back, "{name} breaks at {:?}", String::from_utf8_lossy(bytes));
    };
    for seed in &seeds {
        broken(seed);
    }
    for k in 0..times {
        let other = &seeds[random.below(seeds.len() as u32) as usize];
        broken(&mutate(&seeds[k % seeds.len()], other, target, &mut random));
    }
}

#[test]
fn equations_come_back() {
    tried("equation", 600);
}

#[test]
fn scenarios_come_back() {
    tried("scenario", 300);
}

#[test]
fn morphologies_come_back() {
    tried("swc", 400);
}

#[test]
fn tables_in_csv_come_back() {
    tried("csv", 600);
}

#[test]
fn tables_in_parquet_come_back() {
    tried("parquet", 400);
}

#[test]
fn hdf5_files_come_back() {
    tried("hdf5", 400);
}

#[test]
fn arrays_come_back() {
    tried("npy", 400);
}

#[test]
fn folders_of_runs_come_back() {
    tried("folder", 200);
}

#[test]
fn states_come_back() {
    tried("state", 400);
}
