//! The place of a run: claimed for one process, filled beside what is there, and swapped when it is whole.
//!
//! A run that replaces another is written into a folder of its own beside it, `.NAME.MACHINE-PROCESS-NUMBER.part`; when
//! it is whole the two folders change places in one step, and only then is the old run removed: what its manifest
//! lists, and nothing else. At every moment one of the two is whole under the name, whenever the process is killed. The
//! folder is locked meanwhile (`flock`, which ends with the process); file systems without locks do without.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::error::TableError;
use super::manifest::{FILE, Manifest};
use super::{kept, parts, ro_crate};
use spikedeck_run::Status;
use spikedeck_store::leftover::{has_ended, made_by, sweep, temporary_name};

/// The name of the scenario in a run's folder.
pub(super) const SCENARIO: &str = "scenario.toml";

/// A file in a folder beside a run as long as everything in it is of the run that is being written.
const UNFINISHED: &str = ".unfinished";

/// A folder that this process alone writes a run for.
#[derive(Debug)]
pub(super) struct Claim {
    /// Where the run will be.
    target: PathBuf,
    /// Where it is written: there, or beside it.
    work: PathBuf,
    /// The manifest of the run that it replaces.
    old: Option<Manifest>,
    /// Whether the folder was made here.
    made: bool,
    /// Released by the system when the process ends.
    locks: Vec<File>,
    /// Whether there is nothing left to do.
    settled: bool,
}

impl Claim {
    /// Claims `path`: nothing is there, or an empty folder, or with `force` a run.
    ///
    /// # Errors
    /// When something else is there, another process writes there, or a folder cannot be made.
    pub fn take(path: &Path, force: bool) -> Result<Self, TableError> {
        let cannot_make = |e| TableError::CannotMake { path: path.to_owned(), source: e };
        if path.exists() && !path.is_dir() {
            return Err(TableError::NotAFolder { path: path.to_owned() });
        }
        let made = !path.exists();
        fs::create_dir_all(path).map_err(cannot_make)?;
        // Its own name also where it was said as `.` or by a link.
        let target = fs::canonicalize(path).map_err(cannot_make)?;
        let lock = lock(&target)?;
        let mut claim =
            Self { work: target.clone(), target, old: None, made, locks: lock.into_iter().collect(), settled: false };
        sweep(&claim.target);
        claim.remove_left_behind();
        let occupied = fs::read_dir(&claim.target).is_ok_and(|mut entries| entries.next().is_some());
        if !occupied {
            return Ok(claim);
        }
        // From here on what is there is somebody's.
        claim.settled = true;
        if !force {
            return Err(TableError::Exists { path: path.to_owned() });
        }
        let old = Manifest::read(&claim.target).map_err(|error| TableError::NotOurs {
            path: path.to_owned(),
            why: match error {
                TableError::NoRun { why, .. } => why,
                other => other.to_string(),
            },
        })?;
        let beside = temporary_name(&claim.target);
        if claim.target.parent().is_none() || std::env::current_dir().is_ok_and(|d| d.starts_with(&claim.target)) {
            return Err(TableError::Here { path: path.to_owned() });
        }
        fs::create_dir(&beside).map_err(|e| TableError::CannotMake { path: beside.clone(), source: e })?;
        claim.locks.extend(self::lock(&beside)?);
        fs::write(beside.join(UNFINISHED), "").map_err(|e| TableError::io(&beside, e))?;
        claim.work = beside;
        claim.old = Some(old);
        claim.settled = false;
        Ok(claim)
    }

    /// Where the run is written.
    pub fn work(&self) -> &Path {
        &self.work
    }

    /// Refuses to replace a run of which `files` are read: they are somebody's input, whoever wrote them.
    pub fn spare<'a>(&self, files: impl IntoIterator<Item = &'a Path>) -> Result<(), TableError> {
        let Some(old) = &self.old else { return Ok(()) };
        for file in files {
            let Ok(place) = fs::canonicalize(file) else { continue };
            if let Ok(inside) = place.strip_prefix(&self.target)
                && Own::of(&self.target, old).has(inside)
                && !inside.starts_with(kept::FOLDER)
            {
                return Err(TableError::Input { path: file.to_owned(), folder: self.target.clone() });
            }
        }
        Ok(())
    }

    /// Puts the run under its name. One that was `stopped` does not replace one that was not: it stays beside it. Gives
    /// where it is.
    pub fn publish(&mut self, stopped: bool) -> Result<PathBuf, TableError> {
        let Some(old) = self.old.take() else {
            self.settled = true;
            return Ok(self.target.clone());
        };
        if stopped && old.status() != Status::Interrupted {
            return self.put_beside("interrupted");
        }
        let _ = fs::remove_file(self.work.join(UNFINISHED));
        if let Some(path) = self.in_the_way(&old) {
            let kept = self.put_beside("new")?;
            return Err(TableError::InTheWay { path, kept });
        }
        let before = match self.swap() {
            Ok(before) => before,
            Err(source) => {
                let kept = self.put_beside("new")?;
                return Err(TableError::NotReplaced { path: self.target.clone(), kept, source });
            }
        };
        self.settled = true;
        if let Some(parent) = self.target.parent() {
            let _ = File::open(parent).and_then(|f| f.sync_all());
        }
        dissolve(&before, &old, Some(&self.target));
        self.work.clone_from(&self.target);
        Ok(self.target.clone())
    }

    /// Lets go of a run that did not come about: with `worth` something that was written can be read, and stays. Gives
    /// where it is.
    pub fn give_up(&mut self, worth: bool) -> Option<PathBuf> {
        if std::mem::replace(&mut self.settled, true) {
            return None;
        }
        if worth {
            let beside = self.work != self.target;
            return if beside { self.put_beside("interrupted").ok() } else { Some(self.work.clone()) };
        }
        if self.work == self.target {
            let own = Manifest::read(&self.work).unwrap_or_default();
            dissolve_files(&self.work, &own, None);
            if self.made {
                let _ = fs::remove_dir(&self.work);
            }
        } else {
            // It was made here, under a name of this process, and everything in it was written here.
            let _ = fs::remove_dir_all(&self.work);
        }
        None
    }

    /// Moves what was written to a free name that is seen.
    fn put_beside(&mut self, what: &str) -> Result<PathBuf, TableError> {
        let name = self.target.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let mut number = 1;
        loop {
            let free = if number == 1 { format!("{name}-{what}") } else { format!("{name}-{what}-{number}") };
            let free = self.target.with_file_name(free);
            number += 1;
            // An empty folder would be replaced: none that is there is asked for.
            if fs::symlink_metadata(&free).is_ok() {
                continue;
            }
            let _ = fs::remove_file(self.work.join(UNFINISHED));
            fs::rename(&self.work, &free).map_err(|e| TableError::io(&free, e))?;
            self.work.clone_from(&free);
            self.settled = true;
            return Ok(free);
        }
    }

    /// A file that no run wrote and that has the name of one that this run wrote.
    fn in_the_way(&self, old: &Manifest) -> Option<PathBuf> {
        let own = Own::of(&self.target, old);
        let foreign = leaves(&self.target).into_iter().filter(|inside| !own.has(inside));
        foreign.into_iter().find(|inside| self.work.join(inside).exists()).map(|inside| self.target.join(inside))
    }

    /// Lets the two folders change places; gives where the old run is then.
    fn swap(&self) -> std::io::Result<PathBuf> {
        match renameat_with(CWD, &self.work, CWD, &self.target, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(self.work.clone()),
            // A file system that cannot: for a moment there is no folder of that name, and two that are whole beside
            // it.
            Err(_) => {
                let before = temporary_name(&self.target);
                fs::rename(&self.target, &before)?;
                if let Err(e) = fs::rename(&self.work, &self.target) {
                    let _ = fs::rename(&before, &self.target);
                    return Err(e);
                }
                Ok(before)
            }
        }
    }

    /// Removes the folders that processes which were killed left beside this one. What no run wrote of an old run comes
    /// back to where it was.
    fn remove_left_behind(&self) {
        let (Some(parent), Some(name)) = (self.target.parent(), self.target.file_name().and_then(|n| n.to_str()))
        else {
            return;
        };
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let file_name = entry.file_name();
            let Some((process, of)) = file_name.to_str().and_then(made_by) else { continue };
            if of != name || !has_ended(process) || !entry.file_type().is_ok_and(|t| t.is_dir()) {
                continue;
            }
            // Its manifest may come from another machine, in a folder that was copied; a lock says that it is in use.
            let here = super::manifest::host_name();
            let manifest = Manifest::read(&entry.path()).unwrap_or_default();
            let is_elsewhere = !manifest.host.name.is_empty() && manifest.host.name != here;
            if is_elsewhere || lock(&entry.path()).is_err() {
                continue;
            }
            if entry.path().join(UNFINISHED).exists() {
                let _ = fs::remove_dir_all(entry.path());
            } else {
                dissolve(&entry.path(), &manifest, Some(&self.target));
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.give_up(false);
    }
}

/// Locks a folder, as far as its file system has locks.
fn lock(folder: &Path) -> Result<Option<File>, TableError> {
    loop {
        let Ok(file) = File::open(folder) else { return Ok(None) };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(TableError::Busy { path: folder.to_owned() }),
            Err(TryLockError::Error(_)) => return Ok(None),
        }
        // Whoever held it before may have put another folder under this name.
        if is_same(&file, folder) {
            return Ok(Some(file));
        }
    }
}

#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |m: fs::Metadata| (m.dev(), m.ino());
    match (file.metadata().map(identity), fs::metadata(path).map(identity)) {
        (Ok(a), Ok(b)) => a == b,
        // Gone: there is nothing to come back to.
        _ => true,
    }
}

/// The files that a run wrote, as far as its manifest says so.
struct Own<'a> {
    manifest: &'a Manifest,
    listed: BTreeSet<&'a str>,
}

impl<'a> Own<'a> {
    /// Those of the run in `folder`. A crate that somebody completed (licence, authors) is somebody's.
    fn of(folder: &Path, manifest: &'a Manifest) -> Self {
        let has_crate = manifest.has_crate && ro_crate::damage(folder, manifest).is_none();
        let copies = manifest.files.iter().flatten().filter_map(|f| f.copy.as_deref());
        let listed = [FILE, SCENARIO]
            .into_iter()
            .chain(has_crate.then_some(ro_crate::FILE))
            .chain(manifest.rows.keys().map(String::as_str))
            .chain(copies)
            .collect();
        Self { manifest, listed }
    }

    /// Whether the file (or empty folder) at `inside` its folder is one of them.
    fn has(&self, inside: &Path) -> bool {
        let Some(text) = inside.to_str() else { return false };
        self.listed.contains(text) || self.has_part(text) || is_own_temporary(text)
    }

    /// Whether it is a part that a run wrote which was cut short: `spikes.parts/0001.parquet`.
    fn has_part(&self, inside: &str) -> bool {
        let Some((folder, file)) = inside.rsplit_once('/') else { return false };
        let is_part = file.ends_with(&format!(".{}", self.manifest.format)) && parts::number(Path::new(file)).is_some();
        let recording = &self.manifest.recording;
        // Older programs, and a run that was ended soon, have no list of traces.
        let of_a_trace = |stem: &str| {
            let file = format!("traces/{stem}.{}", self.manifest.format);
            recording.traces.iter().any(|t| t.file == file)
                || recording.populations.iter().any(|p| stem.starts_with(&p.name))
        };
        let is_folder = folder == "spikes.parts"
            || folder.strip_prefix("traces/").and_then(|f| f.strip_suffix(".parts")).is_some_and(of_a_trace);
        self.manifest.status() == Status::Interrupted && is_folder && is_part
    }
}

/// Whether a file has a temporary name of this process, or of one that has ended.
fn is_own_temporary(inside: &str) -> bool {
    let name = inside.rsplit('/').next().unwrap_or(inside);
    made_by(name).is_some_and(|(process, _)| process == std::process::id() || has_ended(process))
}

/// Whether a folder of this name is one that runs make.
fn is_own_folder(inside: &Path) -> bool {
    let names = ["traces", "analyses", "spikes.parts", kept::FOLDER];
    names.iter().any(|n| inside == Path::new(n))
        || (inside.starts_with("traces") && inside.extension().is_some_and(|e| e == "parts"))
}

/// Everything below `folder` that has nothing in it, by its path inside: files and empty folders. Links are not
/// followed.
fn leaves(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(inside) = open.pop() {
        let mut is_empty = true;
        for entry in fs::read_dir(folder.join(&inside)).into_iter().flatten().flatten() {
            is_empty = false;
            let path = inside.join(entry.file_name());
            if entry.file_type().is_ok_and(|t| t.is_dir()) { open.push(path) } else { found.push(path) }
        }
        if is_empty && !inside.as_os_str().is_empty() && !is_own_folder(&inside) {
            found.push(inside);
        }
    }
    found
}

/// Removes the files of a run from `folder`, and it with its folders where nothing else is in them. What else there is
/// goes to `rescue`, where its place is free.
fn dissolve(folder: &Path, manifest: &Manifest, rescue: Option<&Path>) {
    dissolve_files(folder, manifest, rescue);
    let _ = fs::remove_dir(folder);
}

fn dissolve_files(folder: &Path, manifest: &Manifest, rescue: Option<&Path>) {
    let own = Own::of(folder, manifest);
    let mut all = leaves(folder);
    // The manifest last: as long as it is there, what is left can be told.
    all.sort_by_key(|f| f == Path::new(FILE));
    for inside in &all {
        let path = folder.join(inside);
        // What cannot be removed or moved stays where it is.
        if own.has(inside) {
            let _ = fs::remove_file(path);
        } else if let Some(place) = rescue.map(|r| r.join(inside))
            && fs::symlink_metadata(&place).is_err()
        {
            let _ = place.parent().map(fs::create_dir_all);
            let _ = fs::rename(path, place);
        }
    }
    for name in ["traces", "analyses", "spikes.parts", kept::FOLDER] {
        remove_empty(&folder.join(name));
    }
    let emptied: BTreeSet<&Path> =
        all.iter().flat_map(|f| f.ancestors().skip(1)).filter(|a| !a.as_os_str().is_empty()).collect();
    // The deepest first: a path sorts before those that it begins.
    for inside in emptied.into_iter().rev() {
        let _ = fs::remove_dir(folder.join(inside));
    }
}

/// Removes a folder if there are only empty folders in it.
fn remove_empty(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            remove_empty(&entry.path());
        }
    }
    let _ = fs::remove_dir(folder);
}
