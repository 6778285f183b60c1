//! The folder of a sweep that several processes fill: a ledger of points for each shard, and the tables of all.
//!
//! A point is a line of `points/K-of-N.jsonl`, written when it is done: a process that is killed loses the points that
//! it was at. The tables (`metrics`, `across`, `analyses`) are made of all ledgers when every point is there, in the
//! order of the plan, so that their bytes do not depend on how the points were dealt out. `points/plan.json` says what
//! sweep it is.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::TableError;
use super::folder::{measured, planned};
use super::ledger::{Line, POINTS, Record, files_of, records, unchanged};
use super::manifest::{FILE, Manifest};
use super::place::RunPlace;
use super::{kept, metrics, ro_crate};
use spikedeck_run::{Ensemble, Facts, Finished, Options, Plan, PointResult, Status, together};
use spikedeck_scenario::{FileUse, Spec};
use spikedeck_store::{self as store, Format, StoreError};

/// What sweep it is.
const PLAN: &str = "plan.json";

/// A part of the points of a sweep: those whose number leaves `number - 1` when divided by `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1 to `of`.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

impl Shard {
    /// All points.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    fn has(self, point: usize) -> bool {
        point % self.of == self.number - 1
    }

    fn ledger(self) -> String {
        format!("{}-of-{}.jsonl", self.number, self.of)
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// What tells one sweep from another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Known {
    /// Version of the program: another may give other numbers.
    version: String,
    /// SHA-256 of what decides the result, without the sweep.
    scenario: String,
    /// SHA-256 of what is set for the points: axes, seeds and trials.
    plan: String,
    /// Number of points.
    points: usize,
}

impl Known {
    fn of(spec: &Spec, plan: &Plan) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            scenario: spec.hash.clone(),
            plan: plan.digest(),
            points: plan.len(),
        }
    }

    /// What differs from `other`, in words.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        match () {
            () if self.version != other.version => Some("another version of spikedeck began it"),
            () if self.scenario != other.scenario => Some("its scenario is another"),
            () if self != other => Some("its axes, seeds or trials are others"),
            () => None,
        }
    }
}

/// The folder of a sweep.
#[derive(Debug)]
pub struct SweepFolder {
    path: PathBuf,
    format: Format,
    spec: Arc<Spec>,
    plan: Plan,
}

/// A shard that this process makes the points of; no other does as long as it lives.
#[derive(Debug)]
pub struct OpenShard<'f> {
    folder: &'f SweepFolder,
    shard: Shard,
    ledger: File,
}

impl SweepFolder {
    /// Opens or begins the sweep of `spec` in `path`.
    ///
    /// # Errors
    /// When something else is there.
    pub fn open(path: &Path, (spec, plan): (&Arc<Spec>, &Plan), format: Format) -> Result<Self, TableError> {
        if path.exists() && !path.is_dir() {
            return Err(TableError::NotAFolder { path: path.to_owned() });
        }
        begin(path, spec, plan, format)?;
        Ok(Self { path: path.to_owned(), format, spec: spec.clone(), plan: plan.clone() })
    }

    /// Takes a shard. What it has done already stays, and is gone on with where that is asked for (`resume`).
    ///
    /// # Errors
    /// When another process works on the shard, or it was begun before and is not to be gone on with.
    pub fn shard(&self, shard: Shard, resume: bool) -> Result<OpenShard<'_>, TableError> {
        let file = self.path.join(POINTS).join(shard.ledger());
        let io = |e| TableError::io(&file, e);
        let mut ledger = OpenOptions::new().read(true).append(true).create(true).open(&file).map_err(io)?;
        match ledger.try_lock() {
            // File systems without locks do without.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(TableError::ShardBusy { path: self.path.clone(), shard: shard.to_string() });
            }
        }
        let length = ledger.seek(SeekFrom::End(0)).map_err(io)?;
        if length > 0 && !resume {
            return Err(TableError::ShardBegun { path: self.path.clone(), shard: shard.to_string() });
        }
        // A line that was cut short when the process was killed is no point.
        let mut bytes = Vec::new();
        ledger.seek(SeekFrom::Start(0)).and_then(|_| ledger.read_to_end(&mut bytes)).map_err(io)?;
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at as u64 + 1);
        if whole < length {
            ledger.set_len(whole).map_err(io)?;
        }
        Ok(OpenShard { folder: self, shard, ledger })
    }

    /// The points that are there, whoever made them, and what could not be read of others.
    ///
    /// # Errors
    /// When a ledger cannot be read, or a file that points were made of has changed.
    pub fn made(&self) -> Result<(BTreeMap<usize, Line>, Vec<String>), TableError> {
        let found = records::<Line>(&self.path, self.plan.len())?;
        unchanged(&self.path, found.0.values())?;
        Ok(found)
    }

    /// Writes the tables and the manifest of all points, if none is missing.
    ///
    /// # Errors
    /// When a ledger cannot be read, a file that points were made of has changed, or a table cannot be written.
    pub fn gather(&self, options: &Options) -> Result<Option<(Ensemble, Manifest)>, TableError> {
        // One process at a time.
        let plan = self.path.join(POINTS).join(PLAN);
        let guard = File::open(&plan).map_err(|e| TableError::io(&plan, e))?;
        let _ = guard.lock();
        let (made, _) = self.made()?;
        if made.len() < self.plan.len() {
            return Ok(None);
        }
        let (done, damage) = records::<Record>(&self.path, self.plan.len())?;
        let points: Vec<PointResult> = done.into_values().map(|r| r.result(&self.plan, &self.spec)).collect();
        let Some(mut ensemble) = together(&self.spec, points, self.plan.len(), options) else { return Ok(None) };
        let old = Manifest::read(&self.path).ok();
        let describes = ro_crate::may_be_written(&self.path, old.as_ref());
        let finished = Arc::make_mut(&mut ensemble.finished);
        finished.warnings.extend(damage);
        if !describes {
            let name = ro_crate::FILE;
            finished.warnings.push(format!(
                "{name} was changed by somebody, and stays as it is: what it says of the tables may be out of date"
            ));
        }
        let mut manifest = head(&self.spec, &ensemble.finished);
        let table = metrics::points_table(&ensemble);
        // Copies that are there already are not made again.
        let mut files = old.and_then(|m| m.files).unwrap_or_default();
        let own: Vec<FileUse> = files_of(made.values())
            .into_keys()
            .map(|path| FileUse::read(Path::new(path), File::open(path)?))
            .collect::<std::io::Result<_>>()
            .map_err(|e| TableError::io(&self.path, e))?;
        kept::keep(&self.path, &own, &mut files)?;
        let place = RunPlace::of(&self.path, self.format, &manifest);
        measured(&place, &ensemble.finished, &table, Some(self.plan.len()), &mut files, &mut manifest)?;
        manifest.seal(&self.path)?;
        if describes {
            ro_crate::write(&self.path, &mut manifest)?;
        }
        manifest.write(&self.path)?;
        Ok(Some((ensemble, manifest)))
    }
}

impl OpenShard<'_> {
    /// The points of this shard that are not among those that are there.
    pub fn left(&self, made: &BTreeMap<usize, Line>) -> Vec<usize> {
        (0..self.folder.plan.len()).filter(|at| self.shard.has(*at) && !made.contains_key(at)).collect()
    }

    /// Takes down a point that is done.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn add(&mut self, at: usize, point: &PointResult) -> Result<(), TableError> {
        let file = self.folder.path.join(POINTS).join(self.shard.ledger());
        let io = |e| TableError::io(&file, e);
        let mut line = serde_json::to_vec(&Record::of(at, point, &self.folder.spec)).map_err(|e| io(e.into()))?;
        line.push(b'\n');
        let length = self.ledger.seek(SeekFrom::End(0)).map_err(io)?;
        // One call, so that of a process that is killed there is a line or there is none.
        self.ledger.write_all(&line).map_err(|e| {
            // What is behind a part of a line would be lost with it.
            let _ = self.ledger.set_len(length);
            io(e)
        })
    }
}

/// How far a sweep is, by its ledgers alone.
#[derive(Debug)]
pub struct SweepProgress {
    /// Number of its points.
    pub points: usize,
    /// Those that are there, by number.
    pub made: BTreeMap<usize, Line>,
    /// What could not be read.
    pub damage: Vec<String>,
    /// Whether the tables of all points are written.
    pub is_gathered: bool,
}

impl SweepProgress {
    /// Reads it in the folder of a sweep.
    ///
    /// # Errors
    /// When the folder is not of a sweep, or a ledger cannot be read.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        let file = path.join(POINTS).join(PLAN);
        let no_sweep = |why: String| TableError::NoSweep { path: path.to_owned(), why };
        if !file.is_file() {
            return Err(no_sweep(format!("there is no {POINTS}/{PLAN}, which `spikedeck sweep` writes first")));
        }
        let text = fs::read_to_string(&file).map_err(|e| TableError::io(&file, e))?;
        let known: Known = serde_json::from_str(&text).map_err(|e| no_sweep(format!("{PLAN} is damaged ({e})")))?;
        let (made, damage) = records::<Line>(path, known.points)?;
        let is_gathered = made.len() == known.points
            && Manifest::read(path).is_ok_and(|manifest| manifest.points == Some(known.points));
        Ok(Self { points: known.points, made, damage, is_gathered })
    }

    /// The shards, of so many, that have points which are not there.
    pub fn shards_left(&self, of: usize) -> Vec<usize> {
        let left = |shard: Shard| (0..self.points).any(|at| shard.has(at) && !self.made.contains_key(&at));
        (1..=of).filter(|number| left(Shard { number: *number, of })).collect()
    }
}

/// The manifest of a sweep, of which no spikes and traces are kept.
fn head(spec: &Spec, finished: &Finished) -> Manifest {
    let mut manifest = Manifest::of(finished);
    manifest.recording = planned(spec);
    for population in &mut manifest.recording.populations {
        population.spikes = false;
    }
    manifest
}

/// Makes sure that the folder is of this sweep: whoever comes first writes what it is.
fn begin(path: &Path, spec: &Arc<Spec>, plan: &Plan, format: Format) -> Result<(), TableError> {
    let file = path.join(POINTS).join(PLAN);
    let known = Known::of(spec, plan);
    if !file.exists() {
        // What the others that begin now write under a temporary name begins with a point.
        let foreign = fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.file_name()).find(|name| {
            let name = name.to_string_lossy();
            !name.starts_with('.') && name != POINTS
        });
        if let Some(name) = foreign {
            let why = format!("it holds {}", name.to_string_lossy());
            return Err(TableError::NotOurs { path: path.to_owned(), why });
        }
        let points = path.join(POINTS);
        fs::create_dir_all(&points).map_err(|e| TableError::CannotMake { path: points.clone(), source: e })?;
        let text = serde_json::to_string_pretty(&known).map_err(|e| TableError::io(&file, e.into()))?;
        match store::write_new(&file, (text + "\n").as_bytes()) {
            Ok(()) => return describe(path, spec, format),
            // Another process was first.
            Err(StoreError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let text = fs::read_to_string(&file).map_err(|e| TableError::io(&file, e))?;
    let other: Known = serde_json::from_str(&text).map_err(|e| TableError::NotOurs {
        path: path.to_owned(),
        why: format!("{} is damaged ({e})", file.display()),
    })?;
    match known.difference(&other) {
        Some(why) => Err(TableError::OtherSweep { path: path.to_owned(), why: why.to_owned() }),
        // Whoever began it was ended before it had said what it is.
        None if !path.join(FILE).exists() => describe(path, spec, format),
        None => Ok(()),
    }
}

/// What a sweep that is not whole says of itself to who opens its folder.
fn describe(path: &Path, spec: &Arc<Spec>, format: Format) -> Result<(), TableError> {
    let finished = Finished {
        label: spec.label(),
        spec: Some(spec.clone()),
        status: Status::Interrupted,
        failure: None,
        recording: Arc::default(),
        outcomes: Vec::new(),
        checks: Vec::new(),
        warnings: Vec::new(),
        facts: Facts::default(),
    };
    let mut manifest = head(spec, &finished);
    manifest.format = format.extension().into();
    manifest.points = Some(0);
    store::write_text(&path.join(super::claim::SCENARIO), &spec.source)?;
    let mut files = Vec::new();
    kept::keep(path, &spec.files, &mut files)?;
    manifest.files = Some(files);
    manifest.write(path)
}

/// What the points say together that the ledgers of a folder hold, if it is of a sweep that is not whole. What keeps
/// them from being shown is added to `damage`.
///
/// # Errors
/// When a ledger cannot be read.
pub(super) fn so_far(
    path: &Path,
    spec: &Arc<Spec>,
    damage: &mut Vec<String>,
) -> Result<Option<Arc<Finished>>, TableError> {
    let Ok(text) = fs::read_to_string(path.join(POINTS).join(PLAN)) else { return Ok(None) };
    let not_shown = |why: &str| format!("the points of this sweep are not shown: {why}");
    let Ok(known) = serde_json::from_str::<Known>(&text) else {
        damage.push(not_shown(&format!("{POINTS}/{PLAN} is damaged")));
        return Ok(None);
    };
    let plan = match Plan::of(spec) {
        Ok(plan) => plan,
        Err(error) => {
            damage.push(not_shown(&error.to_string()));
            return Ok(None);
        }
    };
    if let Some(why) = Known::of(spec, &plan).difference(&known) {
        damage.push(not_shown(why));
        return Ok(None);
    }
    let (done, unread) = records::<Record>(path, known.points)?;
    damage.extend(unread);
    let points: Vec<PointResult> = done.into_values().map(|r| r.result(&plan, spec)).collect();
    let failed = points.iter().filter(|p| p.finished.status != Status::Complete).count();
    let Some(mut ensemble) = together(spec, points, known.points, &Options::default()) else { return Ok(None) };
    let told = format!(
        "{} of {} points of the sweep are there, {failed} of which failed",
        ensemble.points.len(),
        known.points
    );
    Arc::make_mut(&mut ensemble.finished).warnings.insert(0, told);
    Ok(Some(ensemble.finished))
}
