//! States of a run in a file, from which it goes on: written beside, synced and renamed, so that the file is whole at
//! every moment.
//!
//! The file is one line of JSON (form, version of the program, scenario with its hash and its identity, step), the
//! state, and the SHA-256 of both in hexadecimal digits.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::TableError;
use super::manifest::resolved;
use super::sameness::between;
use spikedeck_run::{Keeper, State};
use spikedeck_scenario::{FileUse, Spec};
use spikedeck_store as store;

/// The form of the file.
const FORM: u32 = 1;

/// How the file begins.
const BEGINNING: &[u8] = b"{\"spikedeck_state\":";

/// Hexadecimal digits of the checksum.
const DIGITS: usize = 64;

/// How long a run goes on between two states if nothing else is said: what is lost when it is killed.
const EVERY: Duration = Duration::from_mins(10);

/// States may take this part of the time at most.
const SHARE: u32 = 20;

/// The line before the state.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    spikedeck_state: u32,
    version: String,
    scenario: String,
    hash: String,
    step: u64,
    resolved: serde_json::Value,
}

/// The program's version.
fn this_version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The SHA-256 of some bytes in hexadecimal digits.
fn checksum(bytes: &[u8]) -> String {
    FileUse::of(Path::new("state"), bytes).sha256
}

/// Whether what is at `path` is a state of a run, whole or not; none where nothing is.
fn is_state(path: &Path) -> Result<Option<bool>, TableError> {
    let found = match fs::metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        found => found.map_err(|e| TableError::io(path, e))?,
    };
    if !found.is_file() {
        return Ok(Some(false));
    }
    let mut head = Vec::new();
    let file = fs::File::open(path).map_err(|e| TableError::io(path, e))?;
    file.take(BEGINNING.len() as u64).read_to_end(&mut head).map_err(|e| TableError::io(path, e))?;
    Ok(Some(head == BEGINNING))
}

/// The file that the last state of a run stands in.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    every: Duration,
    next: Instant,
}

impl Checkpoint {
    /// A state at `path` whenever so much time has passed (ten minutes if nothing is said), and when the run is
    /// interrupted.
    pub fn new(path: &Path, every: Option<Duration>) -> Self {
        let every = every.unwrap_or(EVERY);
        Self { path: path.to_owned(), every, next: Instant::now() + every }
    }

    /// Where the state is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether states may be written to `path`: there is nothing yet, or it is what `goes_on` says the run begins from.
    ///
    /// # Errors
    /// When what is there is no state of a run, or one that would be lost.
    pub fn may_stand_at(path: &Path, goes_on: bool) -> Result<(), TableError> {
        match (is_state(path)?, goes_on) {
            (None, _) | (Some(true), true) => Ok(()),
            (Some(false), _) => Err(TableError::NoState { path: path.to_owned() }),
            (Some(true), false) => Err(TableError::StateLeft { path: path.to_owned() }),
        }
    }

    /// Removes the state of a run that is whole, from which nobody goes on. What is no state stays.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn discard(&self) -> Result<(), TableError> {
        match is_state(&self.path)? {
            Some(true) => fs::remove_file(&self.path).map_err(|e| TableError::io(&self.path, e)),
            Some(false) | None => Ok(()),
        }
    }

    /// The state in a file, for a run of `spec`.
    ///
    /// # Errors
    /// When there is no file, it is no state or damaged, or the state is of another scenario or version: what differs.
    pub fn read(path: &Path, spec: &Spec) -> Result<State, TableError> {
        let refused = |why: String| TableError::State { path: path.to_owned(), why };
        let bytes = fs::read(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => refused("there is no such file".to_owned()),
            _ => TableError::io(path, e),
        })?;
        if !bytes.starts_with(BEGINNING) {
            return Err(refused("it is no state of a run".to_owned()));
        }
        let damaged = || refused("it is cut short or damaged: its checksum is another".to_owned());
        let (whole, digits) = bytes.split_at(bytes.len().saturating_sub(DIGITS));
        if checksum(whole).as_bytes() != digits {
            return Err(damaged());
        }
        let end = whole.iter().position(|b| *b == b'\n').ok_or_else(damaged)?;
        let header: Header =
            serde_json::from_slice(&whole[..end]).map_err(|_| refused("it is of another form".to_owned()))?;
        if header.version != this_version() || header.spikedeck_state != FORM {
            return Err(refused(format!(
                "it was saved by version {}, and this is version {}; a state is gone on from by the version that \
                 saved it",
                header.version,
                this_version()
            )));
        }
        if header.hash != spec.hash {
            let what = between(&header.resolved, &resolved(spec));
            return Err(refused(format!("it was saved by another scenario ({}): {what}", header.scenario)));
        }
        State::from_bytes(&whole[end + 1..]).map_err(|e| refused(e.to_string()))
    }
}

/// The bytes of a file.
fn file(spec: &Spec, state: &State) -> Vec<u8> {
    let header = Header {
        spikedeck_state: FORM,
        version: this_version().to_owned(),
        scenario: spec.label(),
        hash: spec.hash.clone(),
        step: state.step(),
        resolved: resolved(spec),
    };
    let mut bytes = serde_json::to_vec(&header).expect("text and numbers are written as JSON");
    bytes.push(b'\n');
    state.put_bytes(&mut bytes);
    let digits = checksum(&bytes);
    bytes.extend_from_slice(digits.as_bytes());
    bytes
}

impl Keeper for Checkpoint {
    fn is_due(&mut self, ends: bool) -> bool {
        ends || Instant::now() >= self.next
    }

    fn keep(&mut self, spec: &Spec, state: &State) -> Result<(), String> {
        let began = Instant::now();
        // What came there meanwhile is somebody's.
        if is_state(&self.path).map_err(|e| e.to_string())? == Some(false) {
            return Err(TableError::NoState { path: self.path.clone() }.to_string());
        }
        store::write_bytes(&self.path, &file(spec, state)).map_err(|e| e.to_string())?;
        self.next = Instant::now() + self.every.max(began.elapsed() * SHARE);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use spikedeck_run::{Event, Finished, Options, Source, Status, Tell, execute, resolve};

    const TEXT: &str = "
        simulation = { duration = '400 ms', dt = '0.1 ms', seed = 3 }
        populations.p = { model = 'lif', size = 300, receptors.syn = { kind = 'exp_current', tau = '5 ms' } }
        stimuli.noise = { target = 'p.I', kind = 'ou_noise', mean = '450 pA', sigma = '200 pA', tau = '5 ms' }
        projections.pp = { from = 'p', to = 'p.syn', connect = { rule = 'fixed_indegree', indegree = 20 }, \
                           weight = '20 pA', delay = '1.5 ms' }
        record.p = { spikes = true, traces = [{ variables = ['V_m'], units = [0, 299] }] }
        analyses.rates = { kind = 'rates', of = 'p.spikes' }
    ";

    fn spec(text: &str) -> Arc<Spec> {
        let source = Source { text: text.into(), name: "states".into(), origin: None, variant: None };
        Arc::new(resolve(&source, &[]).map_err(|e| e.render(false)).unwrap().0)
    }

    /// A run; with `cut` it is interrupted as soon as it has begun.
    fn run(spec: &Arc<Spec>, keeper: Option<Checkpoint>, from: Option<State>, cut: bool) -> Finished {
        let keeper = keeper.map(|c| Box::new(c) as Box<dyn Keeper>);
        let options = Options { threads: 1, keeper, from, ..Options::default() };
        let cancel = Arc::new(AtomicBool::new(false));
        let flag = cancel.clone();
        let tell: Tell = Arc::new(move |event| match event {
            Event::Progress(p) if p.stage == "simulating" => flag.store(cut, Ordering::Relaxed),
            _ => {}
        });
        execute(spec, options, &cancel, &tell).unwrap()
    }

    fn why(path: &Path, spec: &Spec) -> String {
        Checkpoint::read(path, spec).unwrap_err().to_string()
    }

    #[test]
    fn an_interrupted_run_goes_on_to_the_same_end() {
        let folder = tempfile::tempdir().unwrap();
        let (path, spec) = (folder.path().join("a.state"), spec(TEXT));
        let whole = run(&spec, None, None, false);
        let keeper = |every| Checkpoint::new(&path, every);
        let same = |run: &Finished| {
            assert_eq!(run.status, Status::Complete);
            assert_eq!(run.recording, whole.recording);
            let metrics = |f: &Finished| format!("{:?}", f.outcomes);
            assert_eq!(metrics(run), metrics(&whole));
            assert_eq!((run.facts.spikes, run.facts.events), (whole.facts.spikes, whole.facts.events));
        };
        // Saved again and again, which changes nothing; then gone on from the last state.
        same(&run(&spec, Some(keeper(Some(Duration::ZERO))), None, false));
        let last = Checkpoint::read(&path, &spec).unwrap();
        assert!(last.step() > 0 && last.step() < 4000, "{}", last.step());
        same(&run(&spec, None, Some(last), false));
        // One that would be lost is not written over; one that the run begins from is.
        assert!(Checkpoint::may_stand_at(&path, false).unwrap_err().to_string().contains("--resume"));
        Checkpoint::may_stand_at(&path, true).unwrap();
        // Interrupted twice, then whole.
        let mut from = None;
        for _ in 0..2 {
            let cut = run(&spec, Some(keeper(None)), from.take(), true);
            assert_eq!(cut.status, Status::Interrupted);
            assert!(cut.recording.window.stop < 400.0);
            from = Some(Checkpoint::read(&path, &spec).unwrap());
        }
        same(&run(&spec, Some(keeper(None)), from, false));
        keeper(None).discard().unwrap();
        assert!(!path.exists());
        keeper(None).discard().unwrap();
        Checkpoint::may_stand_at(&path, false).unwrap();
    }

    /// Whatever is there and is no state is neither written over nor removed.
    #[test]
    fn what_is_no_state_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let contents: [&[u8]; 5] = [b"", b"{", b"notes of three years", b"[simulation]\n", &BEGINNING[1..]];
        let mut places: Vec<PathBuf> = Vec::new();
        for (k, bytes) in contents.iter().enumerate() {
            places.push(folder.path().join(format!("{k}.txt")));
            fs::write(&places[k], bytes).unwrap();
        }
        let (spec, state) = (spec(TEXT), State::from_bytes(&[0; 16]).unwrap());
        for path in &places {
            for goes_on in [false, true] {
                let told = Checkpoint::may_stand_at(path, goes_on).unwrap_err().to_string();
                assert!(told.contains("no state of a run") && told.contains("another file"), "{told}");
            }
            Checkpoint::new(path, None).discard().unwrap();
            assert!(Checkpoint::new(path, None).keep(&spec, &state).unwrap_err().contains("no state of a run"));
        }
        for (path, bytes) in places.iter().zip(contents) {
            assert_eq!(fs::read(path).unwrap(), bytes);
        }
        Checkpoint::may_stand_at(folder.path(), true).unwrap_err();
        Checkpoint::may_stand_at(Path::new("/dev/null"), false).unwrap_err();
    }

    #[test]
    fn what_differs_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (path, here) = (folder.path().join("a.state"), spec(TEXT));
        assert!(why(&path, &here).contains("there is no such file"));
        fs::write(&path, "population,unit\n").unwrap();
        assert!(why(&path, &here).contains("it is no state of a run"));
        let state = State::from_bytes(&[0; 16]).unwrap();
        fs::remove_file(&path).unwrap();
        Checkpoint::new(&path, None).keep(&here, &state).unwrap();
        assert_eq!(Checkpoint::read(&path, &here).unwrap(), state);
        let other = why(&path, &spec(&TEXT.replace("seed = 3", "seed = 4").replace("1.5 ms", "1.6 ms")));
        let told = "saved by another scenario (states): ";
        assert!(other.contains(told) && other.contains("3 then, 4 now") && other.contains("delay"), "{other}");
        let bytes = fs::read(&path).unwrap();
        for length in [bytes.len() - 1, bytes.len() - DIGITS, bytes.len() / 2, BEGINNING.len()] {
            fs::write(&path, &bytes[..length]).unwrap();
            assert!(why(&path, &here).contains("cut short or damaged"), "{length}");
        }
        let mut changed = bytes.clone();
        let at = changed.len() - DIGITS - 3;
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        assert!(why(&path, &here).contains("cut short or damaged"));
        // A whole file of a later version.
        let text = String::from_utf8(bytes[..bytes.len() - DIGITS].to_vec()).unwrap();
        let later = text.replace(&format!("\"version\":\"{}\"", this_version()), "\"version\":\"99.0.0\"");
        fs::write(&path, [later.as_bytes(), checksum(later.as_bytes()).as_bytes()].concat()).unwrap();
        assert!(why(&path, &here).contains("saved by version 99.0.0, and this is version"));
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = folder.path().join("nowhere").join("a.state");
        Checkpoint::new(&nowhere, None).keep(&here, &state).unwrap_err();
    }
}
