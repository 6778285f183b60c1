//! Notices that a file is another one: a dozen looks a second at its directory entry, and only while a file is open.
//!
//! Editors save by renaming a new file over the old one, so it is the entry (inode, length, time of change) that is
//! compared, never an open handle.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::state::message::Message;

/// Time between two looks; a change is told when two looks agree on it.
const LOOK: Duration = Duration::from_millis(80);

/// What identifies a version of a file.
type Stamp = Option<(u64, u64, i64, i64)>;

fn stamp(path: &Path) -> Stamp {
    std::fs::metadata(path).ok().map(|m| (m.ino(), m.len(), m.mtime(), m.mtime_nsec()))
}

/// A thread that watches; it sleeps without a timer while there is nothing to watch.
#[derive(Debug)]
pub struct Watcher {
    list: Sender<Vec<PathBuf>>,
}

impl Watcher {
    /// Starts it.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(tell: Sender<Message>) -> std::io::Result<Self> {
        let (list, lists) = channel::<Vec<PathBuf>>();
        std::thread::Builder::new().name("watch".into()).spawn(move || {
            // Path, version that was told, version seen last.
            let mut watched: Vec<(PathBuf, Stamp, Stamp)> = Vec::new();
            loop {
                let next = if watched.is_empty() {
                    lists.recv().map_err(|_| RecvTimeoutError::Disconnected)
                } else {
                    lists.recv_timeout(LOOK)
                };
                match next {
                    Ok(paths) => {
                        watched = paths
                            .into_iter()
                            .map(|p| {
                                let known = watched.iter().find(|w| w.0 == p).cloned();
                                known.unwrap_or_else(|| {
                                    let now = stamp(&p);
                                    (p, now, now)
                                })
                            })
                            .collect();
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                for (path, told, seen) in &mut watched {
                    let now = stamp(path);
                    if now.is_some() && now == *seen && now != *told {
                        *told = now;
                        if tell.send(Message::FileChanged(path.clone())).is_err() {
                            return;
                        }
                    }
                    *seen = now;
                }
            }
        })?;
        Ok(Self { list })
    }

    /// Watches these files and no others.
    pub fn watch(&self, paths: Vec<PathBuf>) {
        // The thread lives as long as the dashboard; when it is gone, so is everything else.
        let _ = self.list.send(paths);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn a_file_saved_by_rename_is_noticed_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.toml");
        std::fs::write(&path, "one").unwrap();
        let (tell, told) = channel();
        let watcher = Watcher::start(tell).unwrap();
        watcher.watch(vec![path.clone()]);
        assert!(told.recv_timeout(Duration::from_millis(700)).is_err(), "nothing has changed yet");
        let other = dir.path().join("a.toml~");
        std::fs::write(&other, "two").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert!(matches!(told.recv_timeout(Duration::from_secs(3)), Ok(Message::FileChanged(p)) if p == path));
        assert!(told.recv_timeout(Duration::from_millis(700)).is_err(), "told once");
    }
}
