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
use super::manifest::{Manifest, status_text};
use super::{kept, metrics};
use spikedeck_run::{Ensemble, Facts, Finished, Options, Plan, PointResult, Status, together};
use spikedeck_scenario::{Spec, identity};
use spikedeck_signal::{Metric, Outcome};
use spikedeck_store::{self as store, Format, StoreError};

/// Where the ledgers are.
const POINTS: &str = "points";
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
    /// The sweep.
    sweep: Option<serde_json::Value>,
    /// Number of points.
    points: usize,
}

impl Known {
    fn of(spec: &Spec, plan: &Plan) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            scenario: spec.hash.clone(),
            sweep: spec.sweep.as_ref().map(identity::sweep),
            points: plan.len(),
        }
    }

    /// What differs from `other`, in words.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        match () {
            () if self.version != other.version => Some("another version of spikedeck began it"),
            () if self.scenario != other.scenario => Some("its scenario is another"),
            () if self.sweep != other.sweep || self.points != other.points => Some("its axes or seeds are others"),
            () => None,
        }
    }
}

/// A point in a ledger.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    point: usize,
    label: String,
    status: String,
    failure: Option<String>,
    warnings: Vec<String>,
    spikes: u64,
    events: u64,
    outcomes: Vec<Measured>,
}

/// What an analysis found at a point: its numbers.
#[derive(Debug, Serialize, Deserialize)]
struct Measured {
    name: String,
    kind: String,
    title: String,
    warnings: Vec<String>,
    failure: Option<String>,
    metrics: Vec<Metric>,
}

impl Record {
    fn of(point: usize, finished: &Finished) -> Self {
        let measured = |o: &Outcome| Measured {
            name: o.name.clone(),
            kind: o.kind.clone(),
            title: o.title.clone(),
            warnings: o.warnings.clone(),
            failure: o.failure.clone(),
            metrics: o.metrics.clone(),
        };
        Self {
            point,
            label: finished.label.clone(),
            status: status_text(finished.status).into(),
            failure: finished.failure.clone(),
            warnings: finished.warnings.clone(),
            spikes: finished.facts.spikes,
            events: finished.facts.events,
            outcomes: finished.outcomes.iter().map(measured).collect(),
        }
    }

    fn result(self, plan: &Plan, spec: &Arc<Spec>) -> PointResult {
        let outcome = |m: Measured| Outcome {
            name: m.name,
            kind: m.kind,
            title: m.title,
            warnings: m.warnings,
            failure: m.failure,
            metrics: m.metrics,
            ..Outcome::default()
        };
        let status = if self.status == status_text(Status::Complete) { Status::Complete } else { Status::Failed };
        let finished = Finished {
            label: self.label,
            spec: Some(spec.clone()),
            status,
            failure: self.failure,
            recording: Arc::default(),
            outcomes: self.outcomes.into_iter().map(outcome).collect(),
            checks: Vec::new(),
            warnings: self.warnings,
            facts: Facts { spikes: self.spikes, events: self.events, ..Facts::default() },
        };
        PointResult { point: plan.point_with(self.point, spec.clone()), finished: Arc::new(finished) }
    }
}

/// The folder of a sweep, open for one shard.
#[derive(Debug)]
pub struct SweepFolder {
    path: PathBuf,
    format: Format,
    spec: Arc<Spec>,
    plan: Plan,
    shard: Shard,
    /// Locked as long as this process writes it.
    ledger: File,
}

impl SweepFolder {
    /// Opens or begins the sweep of `spec` in `path`. What a shard has done already stays, and is gone on with where
    /// that is asked for (`resume`).
    ///
    /// # Errors
    /// When something else is there, another process works on the shard, or it was begun before and is not to be gone
    /// on with.
    pub fn open(
        path: &Path,
        (spec, plan): (&Arc<Spec>, &Plan),
        shard: Shard,
        format: Format,
        resume: bool,
    ) -> Result<Self, TableError> {
        if path.exists() && !path.is_dir() {
            return Err(TableError::NotAFolder { path: path.to_owned() });
        }
        let points = path.join(POINTS);
        begin(path, spec, plan, format)?;
        let file = points.join(shard.ledger());
        let io = |e| TableError::io(&file, e);
        let mut ledger = OpenOptions::new().read(true).append(true).create(true).open(&file).map_err(io)?;
        match ledger.try_lock() {
            // File systems without locks do without.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(TableError::ShardBusy { path: path.to_owned(), shard: shard.to_string() });
            }
        }
        let length = ledger.seek(SeekFrom::End(0)).map_err(io)?;
        if length > 0 && !resume {
            return Err(TableError::ShardBegun { path: path.to_owned(), shard: shard.to_string() });
        }
        // A line that was cut short when the process was killed is no point.
        let mut bytes = Vec::new();
        ledger.seek(SeekFrom::Start(0)).and_then(|_| ledger.read_to_end(&mut bytes)).map_err(io)?;
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at as u64 + 1);
        if whole < length {
            ledger.set_len(whole).map_err(io)?;
        }
        Ok(Self { path: path.to_owned(), format, spec: spec.clone(), plan: plan.clone(), shard, ledger })
    }

    /// The points of this shard that nobody has made yet, and what could not be read of those that were made.
    ///
    /// # Errors
    /// When a ledger cannot be read.
    pub fn left(&self) -> Result<(Vec<usize>, Vec<String>), TableError> {
        let (done, damage) = records(&self.path, self.plan.len())?;
        let left = (0..self.plan.len()).filter(|at| self.shard.has(*at) && !done.contains_key(at)).collect();
        Ok((left, damage))
    }

    /// Takes down a point that is done.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn add(&mut self, at: usize, point: &PointResult) -> Result<(), TableError> {
        let file = self.path.join(POINTS).join(self.shard.ledger());
        let io = |e| TableError::io(&file, e);
        let mut line = serde_json::to_vec(&Record::of(at, &point.finished)).map_err(|e| io(e.into()))?;
        line.push(b'\n');
        // One call, so that of a process that is killed there is a line or there is none.
        self.ledger.write_all(&line).map_err(io)
    }

    /// All points that there are, and what they say together; the tables and the manifest are written where none is
    /// missing. Nothing where there is no point at all.
    ///
    /// # Errors
    /// When a ledger cannot be read, or a table cannot be written.
    pub fn gather(&self, options: &Options) -> Result<Option<(Ensemble, Option<Manifest>)>, TableError> {
        // One process at a time.
        let plan = self.path.join(POINTS).join(PLAN);
        let guard = File::open(&plan).map_err(|e| TableError::io(&plan, e))?;
        let _ = guard.lock();
        let (done, damage) = records(&self.path, self.plan.len())?;
        let points: Vec<PointResult> = done.into_values().map(|r| r.result(&self.plan, &self.spec)).collect();
        let Some(mut ensemble) = together(&self.spec, points, self.plan.len(), options) else { return Ok(None) };
        Arc::make_mut(&mut ensemble.finished).warnings.extend(damage);
        if ensemble.points.len() < self.plan.len() {
            return Ok(Some((ensemble, None)));
        }
        let mut manifest = head(&self.spec, &ensemble.finished);
        let table = metrics::points_table(&ensemble.points);
        let mut files = Vec::new();
        let place = (self.path.as_path(), self.format);
        measured(place, &ensemble.finished, &table, Some(self.plan.len()), &mut files, &mut manifest)?;
        manifest.seal(&self.path)?;
        manifest.write(&self.path)?;
        Ok(Some((ensemble, Some(manifest))))
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
        Some(why) => Err(TableError::OtherSweep { path: path.to_owned(), why }),
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

/// The points in all ledgers by their number, and what could not be read.
fn records(path: &Path, planned: usize) -> Result<(BTreeMap<usize, Record>, Vec<String>), TableError> {
    let points = path.join(POINTS);
    let io = |e| TableError::io(&points, e);
    let mut ledgers: Vec<PathBuf> =
        fs::read_dir(&points).and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect()).map_err(io)?;
    ledgers.retain(|p| p.extension().is_some_and(|e| e == "jsonl"));
    ledgers.sort();
    let (mut done, mut damage) = (BTreeMap::new(), Vec::new());
    for ledger in ledgers {
        let text = fs::read(&ledger).map_err(|e| TableError::io(&ledger, e))?;
        // What stands behind the last end of a line is being written.
        let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        for (k, line) in text[..whole].split(|b| *b == b'\n').enumerate().filter(|l| !l.1.is_empty()) {
            match serde_json::from_slice::<Record>(line) {
                Ok(record) if record.point < planned => {
                    done.entry(record.point).or_insert(record);
                }
                _ => damage.push(format!("line {} of {} is no point of this sweep", k + 1, ledger.display())),
            }
        }
    }
    Ok((done, damage))
}

/// What the ledgers of a folder hold, if it is of a sweep that is not whole: the points, and how many there are to be.
pub(super) fn so_far(path: &Path, spec: &Arc<Spec>) -> Option<Result<(Ensemble, Vec<String>), TableError>> {
    let text = fs::read_to_string(path.join(POINTS).join(PLAN)).ok()?;
    let known: Known = serde_json::from_str(&text).ok()?;
    let plan = Plan::of(spec).ok().filter(|plan| Known::of(spec, plan) == known)?;
    let found = records(path, known.points);
    let (done, damage) = match found {
        Ok(found) => found,
        Err(error) => return Some(Err(error)),
    };
    let points: Vec<PointResult> = done.into_values().map(|r| r.result(&plan, spec)).collect();
    let failed = points.iter().filter(|p| p.finished.status != Status::Complete).count();
    let mut ensemble = together(spec, points, known.points, &Options::default())?;
    let told = format!(
        "{} of {} points of the sweep are there, {failed} of which failed",
        ensemble.points.len(),
        known.points
    );
    Arc::make_mut(&mut ensemble.finished).warnings.insert(0, told);
    Some(Ok((ensemble, damage)))
}
