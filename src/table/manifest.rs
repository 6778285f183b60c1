//! `manifest.json`: what a run was, how it ended, and what its files hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::claim::SCENARIO;
use super::error::TableError;
use super::kept::FileEntry;
use spikedeck_run::{Check, Facts, Finished, SeedValues, Status};
use spikedeck_scenario::{FileUse, Spec, identity};
use spikedeck_signal::stretches::Stretch;
use spikedeck_signal::{Ground, Setting, Shape, TimeBase, Trace, TrialTimes, UnitTable, Window};
use spikedeck_store as store;

/// Name of the file.
pub(super) const FILE: &str = "manifest.json";

/// The manifest of a run's folder.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// SHA-256 of this file as it is with nothing between these quotes; empty in runs of older programs.
    pub sha256: String,
    /// `complete`, `interrupted` (also a run that was killed), `failed`.
    pub status: String,
    /// What went wrong, if anything.
    pub failure: Option<String>,
    /// Version of the program.
    pub version: String,
    /// Name shown.
    pub label: String,
    /// The scenario.
    pub scenario: ScenarioEntry,
    /// Seed.
    pub seed: u64,
    /// Number of points, if this is an ensemble; spikes and traces are those of the first.
    pub points: Option<usize>,
    /// Integrator of each population and why.
    pub integrators: BTreeMap<String, String>,
    /// How long what took, in seconds.
    pub timings: Timings,
    /// The machine.
    pub host: Host,
    /// Numbers of connections, events and the like.
    pub counts: Counts,
    /// Rows of each table, by file.
    pub rows: BTreeMap<String, u64>,
    /// Whether the tables may be newer than this file: they are written anew as points are done, and a process that is
    /// killed stops between two of them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_growing: bool,
    /// Whether the run wrote `ro-crate-metadata.json`: in the folder of an older program it is somebody's own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_crate: bool,
    /// SHA-256 of each table, of the scenario and of `ro-crate-metadata.json`, by file; not known of runs of older
    /// programs.
    pub checksums: BTreeMap<String, String>,
    /// `parquet` or `csv`.
    pub format: String,
    /// What was recorded.
    pub recording: RecordingEntry,
    /// Analyses with their shapes (bulk data stands in the tables).
    pub analyses: Vec<AnalysisEntry>,
    /// Expectations and what was found.
    pub checks: Vec<Check>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// Files that the scenario was read from besides its own; not known of runs of older programs.
    pub files: Option<Vec<FileEntry>>,
    /// Everything that decides the result, as canonical JSON: what `scenario.hash` is the hash of.
    pub resolved: serde_json::Value,
    /// Whether it was changed after it was written.
    #[serde(skip)]
    pub is_altered: bool,
}

/// The scenario a run was made from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ScenarioEntry {
    /// Name.
    pub name: String,
    /// Variant.
    pub variant: Option<String>,
    /// Title.
    pub title: String,
    /// SHA-256 of everything that decides the result, see `resolved`.
    pub hash: String,
    /// The points of the sweep, if the scenario has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sweep: Option<serde_json::Value>,
    /// Overrides in the order applied.
    pub overrides: Vec<(String, String)>,
    /// Where the file was (none for built-in scenarios).
    pub path: Option<String>,
}

/// Seconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "the names are keys of the manifest, and say the unit")]
pub struct Timings {
    /// To build the network.
    pub build_s: f64,
    /// To simulate.
    pub simulate_s: f64,
    /// To analyse.
    pub analyse_s: f64,
}

/// The machine a run was made on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Host {
    /// Name.
    pub name: String,
    /// Operating system and architecture.
    pub system: String,
    /// Number of cores.
    pub cores: usize,
    /// Number of threads used.
    pub threads: usize,
    /// When the manifest was written (UTC).
    pub written: String,
}

/// Numbers of things.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Spikes.
    pub spikes: u64,
    /// Synaptic events.
    pub events: u64,
    /// Connections.
    pub connections: u64,
    /// Drawn delays rounded up to one step.
    pub rounded_delays: u64,
    /// Estimated bytes of the network and its recording.
    pub estimated_bytes: u64,
}

/// What was recorded, without the rows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RecordingEntry {
    /// What numbers on the time axis mean.
    pub time_base: TimeBase,
    /// Step.
    pub dt: f64,
    /// The whole stretch.
    pub window: Window,
    /// Transient that analyses leave out.
    pub transient: f64,
    /// Populations: name, size, whether spikes were recorded.
    pub populations: Vec<PopulationEntry>,
    /// Traces.
    pub traces: Vec<TraceEntry>,
    /// Projections whose connections are in the table: name, unit of weights.
    pub connections: Vec<(String, String)>,
    /// Trials that the tables hold one after the other, by the column `trial`: number, and what tells its condition.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<(u64, String)>,
    /// Trials that lie in it one after the other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trial_times: Vec<TrialTimes>,
    /// Up to which time the parts hold everything, on the time axis, while a run lasts; none where its tables are
    /// written, and where nothing has been yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<f64>,
}

/// The identity of a scenario, as JSON; nothing for one that was built by hand, whose identity nobody has asked for.
pub(super) fn resolved(spec: &Spec) -> serde_json::Value {
    if spec.canonical.is_empty() {
        return serde_json::Value::Null;
    }
    serde_json::from_str(&spec.canonical).expect("an identity is written as JSON")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// A population.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PopulationEntry {
    /// Name.
    pub name: String,
    /// Number of units.
    pub size: usize,
    /// Number of what spikes, where that is not every unit (places on trees); 0 elsewhere.
    #[serde(skip_serializing_if = "is_zero")]
    pub sources: usize,
    /// Whether its spikes were recorded.
    pub spikes: bool,
    /// Whether it has positions.
    pub positions: bool,
    /// Columns of parameters that differ between units.
    pub parameters: Vec<String>,
    /// Whether its units have names.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub names: bool,
    /// The stretches in which each unit was observed, where that is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub observed: Vec<Vec<Stretch>>,
}

/// One variable of a trace file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TraceEntry {
    /// File, relative to the folder.
    pub file: String,
    /// What it is, without its samples.
    #[serde(flatten)]
    pub trace: Trace,
}

/// An analysis and its shapes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AnalysisEntry {
    /// Name in the scenario.
    pub name: String,
    /// Kind.
    pub kind: String,
    /// Heading.
    pub title: String,
    /// One line in words.
    pub summary: String,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// Why it has no result at all, if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Options that were derived from the data, as nobody wrote them and no default holds without units of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// What intervals, chance levels and p-values stand on.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub grounds: BTreeSet<Ground>,
    /// Shapes.
    pub shapes: Vec<ShapeEntry>,
    /// Tables of numbers of single units.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<UnitsEntry>,
}

/// A table of numbers of single units, without its rows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UnitsEntry {
    /// File with the rows, relative to the folder.
    pub file: String,
    /// Subject and measures.
    #[serde(flatten)]
    pub table: UnitTable,
}

/// A shape without its bulk data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShapeEntry {
    /// Name.
    pub name: String,
    /// File with the data, relative to the folder.
    pub file: String,
    /// Axes, names and everything else that is not bulk.
    pub shape: Shape,
    /// Whether it is the rate below the raster before it, and no shape of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_rate_below: bool,
}

impl Manifest {
    /// What is known from the run itself; files are added as they are written.
    pub(super) fn of(finished: &Finished) -> Self {
        let facts = &finished.facts;
        let mut manifest = Self {
            status: status_text(finished.status).into(),
            failure: finished.failure.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            label: finished.label.clone(),
            integrators: facts.integrators.iter().cloned().collect(),
            timings: Timings {
                build_s: facts.build_seconds,
                simulate_s: facts.simulate_seconds,
                analyse_s: facts.analyse_seconds,
            },
            host: host(facts.threads),
            counts: Counts {
                spikes: facts.spikes,
                events: facts.events,
                connections: facts.connections,
                rounded_delays: facts.rounded_delays,
                estimated_bytes: facts.estimated_bytes,
            },
            checks: finished.checks.clone(),
            warnings: finished.warnings.clone(),
            ..Self::default()
        };
        if let Some(spec) = &finished.spec {
            manifest.seed = spec.simulation.seed;
            manifest.scenario = ScenarioEntry {
                name: spec.name.clone(),
                variant: spec.variant.clone(),
                title: spec.title.clone(),
                hash: spec.hash.clone(),
                sweep: spec.sweep.as_ref().map(identity::sweep),
                overrides: spec.overrides.clone(),
                // A run may be opened from anywhere.
                path: spec
                    .path
                    .as_ref()
                    .map(|p| std::path::absolute(p).unwrap_or_else(|_| p.clone()).display().to_string()),
            };
            manifest.resolved = resolved(spec);
        }
        manifest
    }

    /// How the run ended.
    pub fn status(&self) -> Status {
        status_of(&self.status).expect("a manifest is read only with a word that is known")
    }

    /// Whether the run was ended from outside before its tables were written: what there is stands in parts.
    pub(super) fn is_in_parts(&self) -> bool {
        self.status() == Status::Interrupted && (self.rows.is_empty() || self.recording.until.is_some())
    }

    /// The facts it holds.
    pub(super) fn facts(&self) -> Facts {
        Facts {
            integrators: self.integrators.clone().into_iter().collect(),
            connections: self.counts.connections,
            rounded_delays: self.counts.rounded_delays,
            build_seconds: self.timings.build_s,
            simulate_seconds: self.timings.simulate_s,
            analyse_seconds: self.timings.analyse_s,
            threads: self.host.threads,
            estimated_bytes: self.counts.estimated_bytes,
            spikes: self.counts.spikes,
            events: self.counts.events,
            event_populations: Vec::new(),
            trial_tables: Vec::new(),
            version: self.version.clone(),
            seeds: SeedValues::default(),
        }
    }

    /// Takes down what the files are that the run wrote.
    pub(super) fn seal(&mut self, folder: &Path) -> Result<(), TableError> {
        for file in self.rows.keys().map(String::as_str).chain([SCENARIO]) {
            let path = folder.join(file);
            if file == SCENARIO && !path.exists() {
                continue;
            }
            self.checksums.insert(file.to_owned(), sha256_of(&path)?);
        }
        Ok(())
    }

    /// Writes it into `folder`.
    pub(super) fn write(&self, folder: &Path) -> Result<(), TableError> {
        let path = folder.join(FILE);
        let open = Self { sha256: String::new(), ..self.clone() };
        let text = serde_json::to_string_pretty(&open).map_err(|e| TableError::io(&path, std::io::Error::other(e)))?;
        let text = text + "\n";
        let digest = FileUse::of(&path, text.as_bytes()).sha256;
        Ok(store::write_text(&path, &text.replacen(&own(""), &own(&digest), 1))?)
    }

    /// Reads it from `folder`.
    ///
    /// # Errors
    /// When there is none, or it is no manifest.
    pub fn read(folder: &Path) -> Result<Self, TableError> {
        let no_run = |why: String| TableError::NoRun { path: folder.to_owned(), why };
        let text = std::fs::read_to_string(folder.join(FILE)).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound if folder.is_dir() => no_run(format!("it has no {FILE}")),
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                no_run("there is no such folder".into())
            }
            _ => TableError::io(&folder.join(FILE), e),
        })?;
        let mut manifest: Self = serde_json::from_str(&text).map_err(|e| no_run(format!("{FILE} is damaged ({e})")))?;
        if status_of(&manifest.status).is_none() {
            let why =
                format!("{FILE} says that it is `{}`, and a run is complete, interrupted or failed", manifest.status);
            return Err(no_run(why));
        }
        let open = text.replacen(&own(&manifest.sha256), &own(""), 1);
        manifest.is_altered =
            !manifest.sha256.is_empty() && FileUse::of(folder, open.as_bytes()).sha256 != manifest.sha256;
        Ok(manifest)
    }
}

/// The line that a manifest's checksum stands in.
fn own(digest: &str) -> String {
    format!("\"sha256\": \"{digest}\"")
}

/// The checksum of a file.
pub(super) fn sha256_of(path: &Path) -> Result<String, TableError> {
    let io = |e| TableError::io(path, e);
    Ok(FileUse::read(path, std::fs::File::open(path).map_err(io)?).map_err(io)?.sha256)
}

/// How a run ended, from the word for it.
fn status_of(word: &str) -> Option<Status> {
    [Status::Complete, Status::Interrupted, Status::Failed].into_iter().find(|s| status_text(*s) == word)
}

pub(super) fn status_text(status: Status) -> &'static str {
    match status {
        Status::Complete => "complete",
        Status::Interrupted => "interrupted",
        Status::Failed => "failed",
    }
}

/// The name of this machine.
pub(super) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn host(threads: usize) -> Host {
    Host {
        name: host_name(),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads,
        written: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}
