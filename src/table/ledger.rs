//! The ledger of a sweep: a line a point, and what the lines of all shards say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::TableError;
use super::manifest::{sha256_of, status_text};
use spikedeck_run::{Check, Facts, Finished, Plan, PointResult, Status};
use spikedeck_scenario::{FileUse, Spec};
use spikedeck_signal::{Metric, Outcome};

/// Where the ledgers are.
pub(super) const POINTS: &str = "points";

/// A point in a ledger.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    point: usize,
    label: String,
    status: String,
    failure: Option<String>,
    warnings: Vec<String>,
    spikes: u64,
    events: u64,
    checks: Vec<Check>,
    /// Files that it read and that the scenario without its axes does not, by path and SHA-256.
    files: Vec<(String, String)>,
    outcomes: Vec<Measured>,
}

/// What a ledger says of a point, without its numbers.
#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    /// Number of the point.
    pub point: usize,
    /// Its name.
    pub label: String,
    status: String,
    /// Why it failed.
    pub failure: Option<String>,
    files: Vec<(String, String)>,
}

impl Line {
    /// Whether it did not reach its end.
    pub fn is_failed(&self) -> bool {
        self.status != status_text(Status::Complete)
    }
}

/// A record of a point, or a part of one.
pub(super) trait OfPoint: for<'a> Deserialize<'a> {
    fn point(&self) -> usize;
}

impl OfPoint for Record {
    fn point(&self) -> usize {
        self.point
    }
}

impl OfPoint for Line {
    fn point(&self) -> usize {
        self.point
    }
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
    pub fn of(point: usize, result: &PointResult, spec: &Spec) -> Self {
        let finished = &result.finished;
        let own = |f: &&FileUse| spec.files.iter().all(|known| known.sha256 != f.sha256 || known.path != f.path);
        let files = result.point.spec.files.iter().filter(own);
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
            checks: finished.checks.clone(),
            files: files.map(|f| (f.path.display().to_string(), f.sha256.clone())).collect(),
            outcomes: finished.outcomes.iter().map(measured).collect(),
        }
    }

    pub fn result(self, plan: &Plan, spec: &Arc<Spec>) -> PointResult {
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
            checks: self.checks,
            warnings: self.warnings,
            facts: Facts { spikes: self.spikes, events: self.events, ..Facts::default() },
        };
        PointResult { point: plan.point_with(self.point, spec.clone()), finished: Arc::new(finished) }
    }
}

/// The points in all ledgers by their number, and what could not be read.
pub(super) fn records<R: OfPoint>(
    path: &Path,
    planned: usize,
) -> Result<(BTreeMap<usize, R>, Vec<String>), TableError> {
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
            match serde_json::from_slice::<R>(line) {
                Ok(record) if record.point() < planned => {
                    done.entry(record.point()).or_insert(record);
                }
                _ => damage.push(format!("line {} of {} is no point of this sweep", k + 1, ledger.display())),
            }
        }
    }
    Ok((done, damage))
}

/// The files of axes, by path, with what they held.
pub(super) fn files_of<'a>(made: impl Iterator<Item = &'a Line>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut files: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, sum) in made.flat_map(|line| &line.files) {
        files.entry(path).or_default().insert(sum);
    }
    files
}

/// Refuses points that were made of a file that is another now: they are not of one sweep.
pub(super) fn unchanged<'a>(folder: &Path, made: impl Iterator<Item = &'a Line>) -> Result<(), TableError> {
    for (path, sums) in files_of(made) {
        let now = sha256_of(Path::new(path))?;
        if sums.len() > 1 || !sums.contains(now.as_str()) {
            let why = format!("{path} has changed since points were made of it");
            return Err(TableError::OtherSweep { path: folder.to_owned(), why });
        }
    }
    Ok(())
}
