//! Temporary names, and what is left of processes that were killed while they wrote under one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

/// A name beside `path` (a rename must not cross file systems) that no other writer of this process or another has, on
/// this machine or another that shares the disk: `.NAME.MACHINE-PROCESS-NUMBER.part`.
pub fn temporary_name(path: &Path) -> PathBuf {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let (machine, process) = (machine(), std::process::id());
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".{name}.{machine}-{process}-{number}.part"))
}

/// The process of this machine that a temporary name was made by, and the name that it stands for. Nothing is known of
/// the processes of other machines.
pub fn made_by(temporary: &str) -> Option<(u32, &str)> {
    let (rest, number) = temporary.strip_prefix('.')?.strip_suffix(".part")?.rsplit_once('-')?;
    let (rest, process) = rest.rsplit_once('-')?;
    let (name, machine) = rest.rsplit_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (!name.is_empty() && machine == self::machine() && digits(number) && digits(process)).then_some(())?;
    Some((process.parse().ok()?, name))
}

/// Eight digits for the machine, or the container on it, whose list of processes is `/proc`.
fn machine() -> &'static str {
    static MACHINE: LazyLock<String> = LazyLock::new(|| {
        let read = |file: &str| fs::read(file).unwrap_or_default();
        let processes = fs::read_link("/proc/self/ns/pid").map(|p| p.into_os_string().into_encoded_bytes());
        let parts =
            [read("/proc/sys/kernel/hostname"), read("/etc/machine-id"), processes.unwrap_or_default()].join(&b'\n');
        // FNV-1a.
        let hash = parts.iter().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(*b)).wrapping_mul(0x0100_0193));
        format!("{hash:08x}")
    });
    &MACHINE
}

/// Whether a process has ended for certain. Without a list of processes to look at nothing is certain.
pub fn has_ended(process: u32) -> bool {
    let list = Path::new("/proc");
    list.join("self").exists() && !list.join(process.to_string()).exists()
}

/// Removes files of `folder` that processes which have ended left under temporary names. Looks once a process and
/// folder.
pub(super) fn sweep_once(folder: &Path) {
    static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    if SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned()) {
        sweep(folder);
    }
}

/// The same, whenever it is called.
pub fn sweep(folder: &Path) {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_left = entry.file_name().to_str().and_then(made_by).is_some_and(|(process, _)| has_ended(process));
        if is_left && entry.file_type().is_ok_and(|t| t.is_file()) {
            // What cannot be removed costs room, nothing else.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process that has ended: of a child that was waited for.
    fn ended() -> u32 {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        child.id()
    }

    #[test]
    fn only_files_of_processes_that_have_ended_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let dead = ended();
        let own = temporary_name(&folder.path().join("a.b-c.parquet"));
        let here = machine();
        let elsewhere = if here == "00000000" { "00000001" } else { "00000000" };
        let left = format!(".spikes.parquet.{here}-{dead}-3.part");
        let others = [
            format!(".spikes.parquet.{here}-{dead}-3.part.kept"),
            format!("spikes.parquet.{here}-{dead}-3.part"),
            format!(".spikes.parquet.{here}-{dead}-x.part"),
            format!("..{here}-{dead}-3.part"),
            // Of a process of another machine, which may well be running.
            format!(".spikes.parquet.{elsewhere}-{dead}-3.part"),
            // Of other programs.
            format!(".data.{dead}-3.part"),
            ".data.2024-05.part".to_owned(),
            ".part".to_owned(),
            "notes.part".to_owned(),
        ];
        fs::write(&own, "").unwrap();
        fs::write(folder.path().join(&left), "").unwrap();
        for name in &others {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join(format!(".run.{here}-{dead}-0.part"))).unwrap();
        assert_eq!(made_by(own.file_name().unwrap().to_str().unwrap()), Some((std::process::id(), "a.b-c.parquet")));
        sweep(folder.path());
        assert!(own.exists() && !folder.path().join(&left).exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), others.len() + 2);
    }
}
