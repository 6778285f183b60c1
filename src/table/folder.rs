//! A run's folder, written while the run lasts and when it is over.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::claim::{Claim, SCENARIO};
use super::error::TableError;
use super::kept::{self, FileEntry};
use super::manifest::Manifest;
use super::parts::Parts;
use super::place::RunPlace;
use super::recording::{
    connection_batches, each_trial, entry, population_names, spike_batches, spikes_schema, trace_batches, trace_groups,
    trace_schema, trace_stem, units_table, with_trial,
};
use super::{cut_short, metrics, outcomes, ro_crate};
use spikedeck_run::{Ensemble, Finished, Sink, Status};
use spikedeck_scenario::{Place, Spec};
use spikedeck_signal::{Recording, TimeBase, Trace};
use spikedeck_store::{self as store, Format};

/// The folder of a run. As a [`Sink`] it takes parts while the run lasts; [`Folder::finish`] writes everything and
/// removes them.
#[derive(Debug)]
pub struct Folder {
    claim: Claim,
    /// Where the run is or will be, as it is said.
    path: PathBuf,
    format: Format,
    /// Whether spikes are written as SONATA has them, too.
    sonata: bool,
    parts: Parts,
    /// What was recorded, without values, where values left memory.
    streamed: Option<Recording>,
    /// Files that the scenario was read from, as far as they have been kept.
    files: Vec<FileEntry>,
    /// Whether tables have been written.
    has_tables: bool,
    /// What stands in the folder as long as the run lasts.
    begun: Option<Manifest>,
}

impl Folder {
    /// Claims `path`: it must not exist or be empty, unless `force`; then a run that is there is replaced when this one
    /// is whole, and not before.
    ///
    /// # Errors
    /// When something is there, another process writes there, or the folder cannot be made.
    pub fn create(path: &Path, format: Format, force: bool) -> Result<Self, TableError> {
        Ok(Self {
            claim: Claim::take(path, force)?,
            path: path.to_owned(),
            format,
            sonata: false,
            parts: Parts::default(),
            streamed: None,
            files: Vec::new(),
            has_tables: false,
            begun: None,
        })
    }

    /// The same of a run that goes on from a state: it replaces an interrupted run of the same scenario, too.
    ///
    /// # Errors
    /// As [`Folder::create`].
    pub fn go_on(path: &Path, format: Format, force: bool, spec: &Spec) -> Result<Self, TableError> {
        let is_its_own = |old: &Manifest| old.status() == Status::Interrupted && old.scenario.hash == spec.hash;
        let cut_short = Manifest::read(path).is_ok_and(|old| is_its_own(&old));
        Self::create(path, format, force || cut_short)
    }

    /// The same, and spikes are written as SONATA has them, too, where `wanted`.
    #[must_use]
    pub fn with_sonata(mut self, wanted: bool) -> Self {
        self.sonata = wanted;
        self
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses a run that reads a file of the run that it would replace.
    ///
    /// # Errors
    /// When it does.
    pub fn spare(&self, spec: &Spec) -> Result<(), TableError> {
        self.claim.spare(spec.files.iter().map(|f| f.path.as_path()))
    }

    /// Lets go of a run that gave nothing to finish. Parts that were written stay; gives where they are.
    pub fn give_up(&mut self) -> Option<PathBuf> {
        self.claim.give_up(self.has_tables || !self.parts.is_empty())
    }

    /// Writes the scenario, the files it was read from, and a manifest that says `interrupted`: what a killed run
    /// leaves says the truth by itself.
    ///
    /// # Errors
    /// When the disk is full or the folder cannot be written to.
    pub fn begin(&mut self, label: &str, spec: &Spec) -> Result<(), TableError> {
        let work = self.claim.work().to_owned();
        let finished = Finished {
            label: label.to_owned(),
            spec: Some(Arc::new(spec.clone())),
            status: Status::Interrupted,
            failure: None,
            recording: Arc::default(),
            outcomes: Vec::new(),
            checks: Vec::new(),
            warnings: Vec::new(),
            facts: spikedeck_run::Facts::default(),
        };
        let mut manifest = Manifest::of(&finished);
        manifest.format = self.format.extension().into();
        manifest.recording = planned(spec);
        // First, so that whatever is written is known to be of a run.
        manifest.write(&work)?;
        store::write_text(&work.join(SCENARIO), &spec.source)?;
        kept::keep(&work, &spec.files, &mut self.files)?;
        manifest.files = Some(self.files.clone());
        manifest.write(&work)?;
        self.begun = Some(manifest);
        Ok(())
    }

    /// Says what is recorded and what its units are, before the first part is written: whatever a run leaves that is
    /// ended from outside is described.
    fn describe(&mut self, recording: &Recording) -> Result<(), TableError> {
        let work = self.claim.work();
        let Some(manifest) = self.begun.as_mut().filter(|m| m.recording.until.is_none()) else { return Ok(()) };
        let mut described = entry(recording, recording, self.format);
        described.window = manifest.recording.window;
        // These are written at the end alone.
        described.connections.clear();
        described.until = Some(recording.window.start);
        manifest.recording = described;
        if !recording.populations.is_empty() {
            let place = RunPlace::of(work, self.format, manifest);
            let file = place.file("units");
            let n = place.write(&file, &units_table(recording))?;
            manifest.rows.insert(file, n);
            manifest.seal(work)?;
        }
        manifest.write(work)
    }

    /// Takes down up to which time everything is written.
    fn reached(&mut self, time: f64) -> Result<(), TableError> {
        let Some(manifest) = &mut self.begun else { return Ok(()) };
        manifest.recording.until = Some(time);
        manifest.write(self.claim.work())
    }

    /// Writes a part between what describes it and what says how far it reaches.
    fn written(
        &mut self,
        recording: &Recording,
        write: impl FnOnce(&mut Parts, &Path, Format) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        self.describe(recording)?;
        write(&mut self.parts, self.claim.work(), self.format)?;
        self.reached(recording.window.stop)
    }

    /// Writes all tables and the manifest, removes the parts, and puts the run in its place. A run that was interrupted
    /// does not replace one that was not: [`Folder::path`] says where it is.
    ///
    /// # Errors
    /// When the disk is full or the folder cannot be written to; parts then stay.
    pub fn finish(&mut self, finished: &Finished) -> Result<Manifest, TableError> {
        self.finish_with(finished, metrics::metrics_table(finished), None)
    }

    /// The same for an ensemble: metrics of every point with a column for each axis, analyses across points, spikes and
    /// traces of the first point.
    ///
    /// # Errors
    /// As [`Folder::finish`].
    pub fn finish_ensemble(&mut self, ensemble: &Ensemble) -> Result<Manifest, TableError> {
        // An axis may be one of files.
        let files = ensemble.points.iter().flat_map(|p| &p.point.spec.files);
        kept::keep(self.claim.work(), files, &mut self.files)?;
        self.finish_with(&ensemble.finished, metrics::points_table(ensemble), Some(ensemble.points.len()))
    }

    fn finish_with(
        &mut self,
        finished: &Finished,
        table: store::Table,
        points: Option<usize>,
    ) -> Result<Manifest, TableError> {
        self.has_tables = true;
        let mut manifest = Manifest { points, ..Manifest::of(finished) };
        self.recorded(&finished.recording, &mut manifest)?;
        let place = RunPlace::of(self.claim.work(), self.format, &manifest);
        measured(&place, finished, &table, points, &mut self.files, &mut manifest)?;
        manifest.seal(self.claim.work())?;
        ro_crate::write(self.claim.work(), &mut manifest)?;
        manifest.write(self.claim.work())?;
        self.parts.remove();
        let place = self.claim.publish(finished.status == Status::Interrupted)?;
        // As it was said, unless it is elsewhere.
        if fs::canonicalize(&self.path).ok().as_ref() != Some(&place) {
            self.path = place;
        }
        Ok(manifest)
    }

    /// Writes the metrics of the points that are done so far, and what they say together: what a killed ensemble keeps.
    fn points_so_far(&mut self, ensemble: &Ensemble) -> Result<(), TableError> {
        self.has_tables = true;
        self.begun = None;
        let mut manifest = Manifest::of(&ensemble.finished);
        "interrupted".clone_into(&mut manifest.status);
        manifest.warnings.push(format!("the run was ended from outside after {} points", ensemble.points.len()));
        manifest.recording = ensemble.finished.spec.as_deref().map(planned).unwrap_or_default();
        let table = metrics::points_table(ensemble);
        let (place, points) = (RunPlace::of(self.claim.work(), self.format, &manifest), Some(ensemble.points.len()));
        measured(&place, &ensemble.finished, &table, points, &mut self.files, &mut manifest)?;
        manifest.is_growing = true;
        manifest.write(self.claim.work())
    }

    /// Writes what was recorded.
    fn recorded<'a>(&self, recording: &'a Recording, manifest: &mut Manifest) -> Result<(), TableError> {
        // What left memory is described as it was, whether or not it has come back.
        let described = self.streamed.as_ref().unwrap_or(recording);
        manifest.recording = entry(described, recording, self.format);
        let place = RunPlace::of_recorded(self.claim.work(), self.format, manifest);
        let rows = &mut manifest.rows;
        if !described.spikes.is_empty() {
            let file = place.file("spikes");
            let names = population_names(described);
            let time = described.time_base.column();
            let schema = with_trial(spikes_schema(&names, time), recording);
            let n = if self.streamed.is_some() {
                merge(&place, &file, &schema)?
            } else {
                let batches = move |r: &'a Recording| spike_batches(&r.spikes, vec![0; r.spikes.len()], &names, time);
                place.write_batches(&file, &schema, each_trial(recording, batches))?
            };
            rows.insert(file, n);
        }
        if self.sonata {
            match spikes_of_sonata(described, recording) {
                Ok(()) => {
                    let n = store::write_sonata(&place.path(SONATA), &recording.spikes)?;
                    rows.insert(SONATA.to_owned(), n);
                }
                Err(why) => manifest.warnings.push(format!("{SONATA} was not written: {why}")),
            }
        }
        if !recording.populations.is_empty() {
            let file = place.file("units");
            let n = place.write(&file, &units_table(recording))?;
            rows.insert(file, n);
        }
        for ((population, name), indices) in trace_groups(&described.traces) {
            let traces: Vec<&Trace> = indices.iter().map(|&k| &described.traces[k]).collect();
            let folder = place.path("traces");
            fs::create_dir_all(&folder).map_err(|e| TableError::io(&folder, e))?;
            let file = place.file(&format!("traces/{}", trace_stem(&population, &name)));
            let time = described.time_base.column();
            let schema = with_trial(trace_schema(&traces, time), recording);
            let n = if self.streamed.is_some() {
                merge(&place, &file, &schema)?
            } else {
                let of =
                    move |r: &'a Recording| trace_batches(indices.iter().map(|&k| &r.traces[k]).collect(), 0, time);
                place.write_batches(&file, &schema, each_trial(recording, of))?
            };
            rows.insert(file, n);
        }
        if !recording.connections.is_empty() {
            let file = place.file("connections");
            let (schema, batches) = connection_batches(recording);
            let n = place.write_batches(&file, &schema, batches)?;
            rows.insert(file, n);
        }
        Ok(())
    }
}

/// Writes what was measured, and the scenario with its files.
pub(super) fn measured(
    place: &RunPlace<'_>,
    finished: &Finished,
    table: &store::Table,
    points: Option<usize>,
    files: &mut Vec<FileEntry>,
    manifest: &mut Manifest,
) -> Result<(), TableError> {
    manifest.points = points;
    place.format().extension().clone_into(&mut manifest.format);
    if let Some(spec) = &finished.spec {
        store::write_text(&place.path(SCENARIO), &spec.source)?;
        kept::keep(place.folder(), &spec.files, files)?;
    }
    manifest.files = Some(files.clone());
    let file = place.file("metrics");
    let n = place.write(&file, table)?;
    manifest.rows.insert(file, n);
    if points.is_some() {
        let file = place.file("across");
        let n = place.write(&file, &metrics::metrics_table(finished))?;
        manifest.rows.insert(file, n);
    }
    manifest.analyses = outcomes::write(place, &finished.outcomes, &mut manifest.rows)?;
    Ok(())
}

/// The spikes of a run in the layout of SONATA.
const SONATA: &str = "spikes.h5";

/// Whether the spikes that were recorded can be written as SONATA has them; else why not.
fn spikes_of_sonata(described: &Recording, recording: &Recording) -> Result<(), &'static str> {
    if described.time_base != TimeBase::Milliseconds {
        Err("times of this run have no unit, and those of SONATA are milliseconds")
    } else if described.spikes.is_empty() {
        Err("no spikes were recorded")
    } else if recording.spikes.len() != described.spikes.len() {
        Err("the spikes of this run do not fit into memory")
    } else {
        Ok(())
    }
}

/// One table from its parts, one in memory at a time.
fn merge(place: &RunPlace<'_>, file: &str, schema: &[(String, store::ColumnType)]) -> Result<u64, TableError> {
    let mut writer = place.begin(file, schema, &[])?;
    let columns: Vec<&str> = schema.iter().map(|c| c.0.as_str()).collect();
    for part in super::parts::list(&place.path(file).with_extension("parts")) {
        writer.write(&store::read(&part, Some(&columns))?)?;
    }
    Ok(writer.finish()?)
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Of a run that ended without being finished what was written stays, wherever it is.
        self.give_up();
    }
}

impl Sink for Folder {
    fn so_far(&mut self, recording: &Recording) -> Result<(), String> {
        self.written(recording, |parts, work, format| parts.so_far(work, recording, format)).map_err(|e| e.to_string())
    }

    fn part(&mut self, part: &Recording) -> Result<(), String> {
        self.written(part, |parts, work, format| parts.part(work, part, format)).map_err(|e| e.to_string())
    }

    fn gather(&mut self, rest: Recording, bytes: u64) -> Result<Recording, String> {
        self.part(&rest)?;
        let (whole, described) = cut_short::gather(self.claim.work(), rest, bytes).map_err(|e| e.to_string())?;
        self.streamed = Some(described);
        Ok(whole)
    }

    fn points(&mut self, ensemble: &Ensemble) -> Result<(), String> {
        self.points_so_far(ensemble).map_err(|e| e.to_string())
    }
}

/// What will be recorded, as far as it is known before the network is built: enough to read the parts of a killed run.
pub(super) fn planned(spec: &Spec) -> super::manifest::RecordingEntry {
    use super::manifest::{PopulationEntry, RecordingEntry};
    let base = spec.simulation.time_base;
    let axis = |steps: u64| steps as f64 * spec.simulation.dt / base.seconds();
    RecordingEntry {
        time_base: base,
        dt: axis(1),
        window: spikedeck_signal::Window { start: 0.0, stop: axis(spec.simulation.steps) },
        transient: axis(spec.simulation.transient_steps),
        populations: spec
            .population_ids()
            .map(|(id, p)| PopulationEntry {
                name: p.name.clone(),
                size: p.size,
                sources: if p.tree.is_some() { p.sources() } else { 0 },
                spikes: spec.records.iter().any(|r| r.place == Place::Population(id) && r.spikes),
                ..PopulationEntry::default()
            })
            .collect(),
        ..RecordingEntry::default()
    }
}

/// Writes a finished run into a folder.
///
/// # Errors
/// When the folder is taken (without `force`), or a file cannot be written.
pub fn save(path: &Path, finished: &Finished, format: Format, force: bool) -> Result<Manifest, TableError> {
    let mut folder = Folder::create(path, format, force)?;
    // Whatever ends the process meanwhile, what is there is known to be of a run.
    if let Some(spec) = &finished.spec {
        folder.begin(&finished.label, spec)?;
    }
    folder.finish(finished)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use spikedeck_signal::{
        Axis, Basis, Connections, Curve, Ground, Metric, NamedShape, Outcome, Population, Scalars, Series, Shape,
        Spikes, UnitTable, Window,
    };

    fn recording() -> Recording {
        let trace = |variable: &str, unit: &str, values: Vec<f64>| Trace {
            population: "exc".into(),
            name: "slow".into(),
            variable: variable.into(),
            unit: unit.into(),
            column: format!("{variable}_{unit}"),
            units: vec![0, 2],
            start: 0.0,
            interval: 0.5,
            values,
        };
        Recording {
            dt: 0.1,
            window: Window { start: 0.0, stop: 10.0 },
            transient: 1.0,
            populations: vec![
                Population {
                    name: "exc".into(),
                    size: 3,
                    positions: Some(vec![[0.0, 1.0, 2.0]; 3]),
                    parameters: vec![("tau_m_ms".into(), vec![1.0, 2.0, 3.0])],
                    names: vec!["a".into(), "b, c".into(), "d".into()],
                    observed: vec![vec![(0.0, 4.0), (5.0, 10.0)], vec![], vec![(0.0, 10.0)]],
                },
                Population { name: "inh".into(), size: 2, ..Population::default() },
            ],
            spikes: vec![
                Spikes { population: "exc".into(), size: 3, times: vec![0.5, 2.0, 9.0], units: vec![2, 0, 1] },
                Spikes { population: "inh".into(), size: 2, times: vec![0.5, 1.5], units: vec![1, 0] },
            ],
            traces: vec![
                trace("V_m", "mV", vec![-70.0, -60.0, -65.5, -61.0, -64.0, -50.25]),
                trace("w", "pA", vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
            ],
            connections: vec![Connections {
                projection: "ee".into(),
                weight_unit: "nS".into(),
                source: vec![0, 1],
                target: vec![2, 2],
                weight: vec![6.0, 6.5],
                weight_final: vec![],
                delay: vec![0.1, 1.0],
            }],
            ..Recording::default()
        }
    }

    fn finished() -> Finished {
        let mut metric =
            Metric::new("exc.spikes", "cv", 0.9, "", 12).interval(0.8, 1.0).chance(1.0).p(0.04).note("bootstrap");
        metric.analysis = "isi".into();
        let mut missing = Metric::missing("inh.spikes", "cv", "", 1, "fewer than 3 spikes");
        missing.analysis = "isi".into();
        let metrics = vec![metric, missing];
        let mut units = UnitTable::new("exc.spikes", &[("mean_rate", "Hz"), ("cv", ""), ("low", "")]);
        for unit in [0, 3, 4] {
            units.push(unit, [Some(0.25 * f64::from(unit)), (unit > 0).then_some(0.5), Some(-1.0)]);
        }
        units.names = Some(vec!["soma".into(), "trunk(0.5)".into(), "tip".into()]);
        let series = Series {
            x: Axis::new("time", "ms"),
            y: Axis::new("rate", "Hz"),
            curves: vec![Curve { name: "exc".into(), x: vec![1.0, 2.0], y: vec![3.0, 4.0], ..Curve::default() }],
            references: vec![],
        };
        Finished {
            label: "demo".into(),
            spec: None,
            status: Status::Complete,
            failure: None,
            recording: Arc::new(recording()),
            outcomes: vec![Outcome {
                failure: None,
                name: "isi".into(),
                kind: "isi".into(),
                title: "Intervals".into(),
                shapes: vec![
                    NamedShape::new("numbers", Shape::Scalars(Scalars::from_metrics(&metrics))),
                    NamedShape::new("rate curve", Shape::Series(series)),
                ],
                metrics,
                units: vec![units],
                summary: "irregular".into(),
                warnings: vec!["few spikes".into()],
                settings: Vec::new(),
                grounds: BTreeSet::from([Ground { of: Basis::Chance, words: "chance: Poisson".into() }]),
            }],
            checks: vec![],
            warnings: vec!["seen".into()],
            facts: spikedeck_run::Facts {
                threads: 2,
                spikes: 5,
                integrators: vec![("exc".into(), "exact: linear".into())],
                ..Default::default()
            },
        }
    }

    #[test]
    fn a_run_comes_back_from_its_folder_in_both_formats() {
        let folder = tempfile::tempdir().unwrap();
        for format in [Format::Parquet, Format::Csv] {
            let path = folder.path().join(format.extension());
            let manifest = save(&path, &finished(), format, false).unwrap();
            let extension = format.extension();
            assert_eq!(manifest.rows[&format!("spikes.{extension}")], 5);
            assert_eq!(manifest.rows[&format!("traces/exc-slow.{extension}")], 6);
            assert!(path.join(format!("analyses/isi-rate-curve.{extension}")).is_file());
            assert_eq!(manifest.rows[&format!("analyses/isi-units-exc.spikes.{extension}")], 3);
            // What is not known is not a number in the table, which is not equal to itself.
            let known = |mut outcomes: Vec<Outcome>| {
                let values = outcomes.iter_mut().flat_map(|o| &mut o.units).flat_map(|u| &mut u.measures);
                let of = values.flat_map(|m| &mut m.values).filter(|v| v.is_nan());
                let missing = of.map(|v| *v = f64::MAX).count();
                (outcomes, missing)
            };
            let back = super::super::open(&path).unwrap();
            assert_eq!(*back.recording, recording(), "{format:?}");
            assert_eq!(known(back.outcomes), known(finished().outcomes), "{format:?}");
            // A folder says which version wrote it.
            let facts = spikedeck_run::Facts { version: env!("CARGO_PKG_VERSION").into(), ..finished().facts };
            assert_eq!((back.facts, back.warnings, back.status), (facts, finished().warnings, Status::Complete));
        }
    }

    #[test]
    fn spikes_are_sorted_by_time_then_population_then_unit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        save(&path, &finished(), Format::Parquet, false).unwrap();
        let table = store::read(&path.join("spikes.parquet"), None).unwrap();
        assert_eq!(table.columns.iter().map(|c| c.0.as_str()).collect::<Vec<_>>(), ["population", "unit", "time_ms"]);
        assert_eq!(table.texts("population").unwrap(), ["exc", "inh", "inh", "exc", "exc"]);
        assert_eq!(table.numbers("time_ms").unwrap(), [0.5, 0.5, 1.5, 2.0, 9.0]);
        let traces = store::read(&path.join("traces/exc-slow.parquet"), None).unwrap();
        assert_eq!(
            traces.columns.iter().map(|c| c.0.as_str()).collect::<Vec<_>>(),
            ["time_ms", "unit", "V_m_mV", "w_pA"]
        );
        assert_eq!(traces.numbers("time_ms").unwrap(), [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]);
    }

    /// Every table of a run says which program and version wrote it and, where there is one, of which scenario and
    /// seed; equal runs say the same. The folder describes itself.
    #[test]
    fn every_table_says_where_it_comes_from() {
        let folder = tempfile::tempdir().unwrap();
        let text = "
            simulation = { duration = '50 ms', dt = '0.1 ms', seed = 7 }
            populations.cell.model = 'lif'
            populations.cell.size = 2
            stimuli.step = { target = 'cell.I', kind = 'constant', amplitude = '500 pA' }
            record.cell = { spikes = true, traces = [{ variables = ['V_m'] }] }
            analyses.isi = { kind = 'isi', of = 'cell.spikes' }
        ";
        let source = spikedeck_run::Source { text: text.into(), name: "demo".into(), origin: None, variant: None };
        let spec = Arc::new(spikedeck_run::resolve(&source, &[]).map_err(|e| e.render(false)).unwrap().0);
        let tell: spikedeck_run::Tell = Arc::new(|_| ());
        let options = spikedeck_run::Options { threads: 1, ..Default::default() };
        let never = std::sync::atomic::AtomicBool::new(false);
        let ran = spikedeck_run::execute(&spec, options, &never, &tell).unwrap();
        for (run, name) in [(&ran, "ran"), (&finished(), "bare")] {
            let path = folder.path().join(name);
            let manifest = save(&path, run, Format::Parquet, false).unwrap();
            assert!(manifest.rows.len() >= 5, "{:?}", manifest.rows.keys());
            for file in manifest.rows.keys() {
                let metadata = store::describe(&path.join(file)).unwrap().metadata;
                let of = |key: &str| metadata.iter().find(|m| m.0 == format!("spikedeck.{key}")).map(|m| m.1.as_str());
                assert_eq!(of("version"), Some(env!("CARGO_PKG_VERSION")), "{file}");
                assert_eq!(of("program"), Some("spikedeck"), "{file}");
                let of_scenario = run.spec.as_ref().map(|s| (s.hash.clone(), s.simulation.seed.to_string()));
                assert_eq!(
                    of("scenario_hash").zip(of("seed")),
                    of_scenario.as_ref().map(|(h, s)| (&**h, &**s)),
                    "{file}"
                );
            }
            let described = fs::read_to_string(path.join(ro_crate::FILE)).unwrap();
            assert!(manifest.rows.keys().all(|file| described.contains(file.as_str())), "{described}");
        }
        // A description that a run did not write is somebody's own, and stays; one that it wrote is replaced with it.
        let path = folder.path().join("ran");
        let own = fs::read_to_string(path.join("manifest.json")).unwrap();
        let older = folder.path().join("older");
        fs::create_dir(&older).unwrap();
        let mut manifest: Manifest = serde_json::from_str(&own).unwrap();
        (manifest.has_crate, manifest.rows) = (false, std::collections::BTreeMap::new());
        manifest.write(&older).unwrap();
        fs::write(older.join(ro_crate::FILE), "mine").unwrap();
        let beside = save(&older, &finished(), Format::Csv, true);
        assert!(matches!(beside, Err(TableError::InTheWay { .. })), "{beside:?}");
        assert_eq!(fs::read_to_string(older.join(ro_crate::FILE)).unwrap(), "mine");
        save(&folder.path().join("ran"), &finished(), Format::Csv, true).unwrap();
        let described = fs::read_to_string(folder.path().join("ran").join(ro_crate::FILE)).unwrap();
        assert!(described.contains("metrics.csv") && !described.contains(".parquet"));
    }

    /// A run of which it is not known how it ended is not taken for one that was interrupted, which may be replaced.
    #[test]
    fn how_a_run_ended_is_one_of_the_words() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), &finished(), Format::Csv, true).unwrap();
        let path = folder.path().join("manifest.json");
        let own = fs::read_to_string(&path).unwrap();
        for word in ["complete", "failed", "interrupted", "paused", "Complete", ""] {
            fs::write(&path, own.replacen("\"status\": \"complete\"", &format!("\"status\": \"{word}\""), 1)).unwrap();
            let known = [Status::Complete, Status::Failed, Status::Interrupted];
            match known.into_iter().find(|s| super::super::manifest::status_text(*s) == word) {
                Some(status) => assert_eq!(Manifest::read(folder.path()).unwrap().status(), status),
                None => {
                    let why = Manifest::read(folder.path()).unwrap_err().to_string();
                    assert!(why.contains(&format!("says that it is `{word}`")) && why.contains("interrupted"), "{why}");
                    assert!(save(folder.path(), &finished(), Format::Csv, false).is_err());
                }
            }
        }
    }

    #[test]
    fn nothing_is_written_over_unless_asked_and_only_what_a_run_wrote_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        save(&path, &finished(), Format::Csv, false).unwrap();
        fs::write(path.join("my notes.txt"), "keep").unwrap();
        assert!(matches!(save(&path, &finished(), Format::Parquet, false), Err(TableError::Exists { .. })));
        save(&path, &finished(), Format::Parquet, true).unwrap();
        assert!(
            path.join("my notes.txt").exists()
                && path.join("spikes.parquet").exists()
                && !path.join("spikes.csv").exists()
        );
        assert!(matches!(
            save(&path.join("my notes.txt"), &finished(), Format::Parquet, true),
            Err(TableError::NotAFolder { .. })
        ));
    }

    /// What a killed run leaves: a manifest that says interrupted, and parts; what was recorded by then is readable.
    #[test]
    fn parts_of_a_killed_run_are_read_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let mut run = Folder::create(&path, Format::Parquet, false).unwrap();
        let mut manifest = Manifest::of(&Finished { status: Status::Interrupted, ..finished() });
        manifest.recording.window = Window { start: 0.0, stop: 1000.0 };
        manifest.write(&path).unwrap();
        run.begun = Some(manifest);
        let mut half = recording();
        half.window.stop = 1.0;
        half.spikes[0].times.truncate(1);
        half.spikes[0].units.truncate(1);
        for trace in &mut half.traces {
            trace.values.truncate(2);
        }
        run.so_far(&half).unwrap();
        run.so_far(&half).unwrap();
        run.so_far(&recording()).unwrap();
        drop(run);
        assert_eq!(super::super::parts::list(&path.join("spikes.parts")).len(), 2, "nothing new, no part");
        let back = super::super::open(&path).unwrap();
        assert_eq!((back.status, back.facts.spikes), (Status::Interrupted, 5));
        // Connections are written at the end alone.
        assert_eq!(*back.recording, Recording { connections: Vec::new(), ..recording() });
        assert!(back.warnings.iter().any(|w| w.contains("up to 10 ms of 1000 ms")), "{:?}", back.warnings);
    }

    /// What was written of a part when a run was ended is not all that happened then: only what is known whole is read,
    /// and what nobody wrote because nothing happened is silence.
    #[test]
    fn a_part_that_was_begun_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for until in [0.0, 0.5, 0.75, 1.0, 2.0, 9.5, 10.0] {
            let path = folder.path().join(until.to_string());
            let mut run = Folder::create(&path, Format::Parquet, false).unwrap();
            let mut manifest = Manifest::of(&Finished { status: Status::Interrupted, ..finished() });
            manifest.recording.window = recording().window;
            run.begun = Some(manifest);
            run.so_far(&recording()).unwrap();
            let mut manifest = Manifest::read(&path).unwrap();
            manifest.recording.until = Some(until);
            manifest.write(&path).unwrap();
            drop(run);
            let back = super::super::open(&path).unwrap().recording;
            assert_eq!(back.window.stop, until);
            for (spikes, all) in back.spikes.iter().zip(&recording().spikes) {
                let known: Vec<f64> = all.times.iter().copied().filter(|t| *t <= until).collect();
                assert_eq!(spikes.times, known, "{until}");
            }
            for (trace, all) in back.traces.iter().zip(&recording().traces) {
                let samples = (0..all.len()).filter(|&k| all.time(k) <= until).count();
                assert_eq!(trace.values, all.values[..samples * 2], "{until}");
            }
        }
        let path = folder.path().join("silent");
        let mut run = Folder::create(&path, Format::Parquet, false).unwrap();
        run.begun = Some(Manifest::of(&Finished { status: Status::Interrupted, ..finished() }));
        let mut silent = recording();
        silent.spikes.iter_mut().for_each(|s| *s = s.without_times());
        run.so_far(&silent).unwrap();
        drop(run);
        let back = super::super::open(&path).unwrap().recording;
        assert_eq!((back.spikes.clone(), back.absent.len()), (silent.spikes, 0));
    }

    /// Rows that leave memory come back in order, and the merged tables hold all of them.
    #[test]
    fn rows_that_left_memory_are_merged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let mut run = Folder::create(&path, Format::Parquet, false).unwrap();
        let mut first = recording();
        let mut rest = recording();
        for (a, b) in first.spikes.iter_mut().zip(&mut rest.spikes) {
            a.times.truncate(1);
            a.units.truncate(1);
            b.times.remove(0);
            b.units.remove(0);
        }
        for (a, b) in first.traces.iter_mut().zip(&mut rest.traces) {
            a.values.truncate(4);
            b.values.drain(..4);
            b.start = 1.0;
        }
        run.part(&first).unwrap();
        let whole = run.gather(rest, 1 << 20).unwrap();
        assert_eq!(whole, recording());
        run.finish(&Finished { recording: Arc::new(whole), ..finished() }).unwrap();
        let back = super::super::open(&path).unwrap();
        assert_eq!(*back.recording, recording());
        assert!(!path.join("spikes.parts").exists());
    }

    /// A trace of `exc` called `fast-trace` and one of `exc-fast` called `trace`, held in memory and streamed.
    #[test]
    fn traces_of_populations_with_dashes_stay_apart() {
        let folder = tempfile::tempdir().unwrap();
        let mut both = recording();
        both.populations.push(Population { name: "exc-fast".into(), size: 3, ..Population::default() });
        let (first, other) = (both.traces[0].clone(), both.traces[1].clone());
        both.traces = vec![
            Trace { name: "fast-trace".into(), ..first },
            Trace { population: "exc-fast".into(), name: "trace".into(), ..other },
        ];
        both.connections.clear();
        let held = folder.path().join("held");
        save(&held, &Finished { recording: Arc::new(both.clone()), ..finished() }, Format::Parquet, false).unwrap();
        assert_eq!(super::super::open(&held).unwrap().recording.traces, both.traces);
        let path = folder.path().join("streamed");
        let mut run = Folder::create(&path, Format::Parquet, false).unwrap();
        let mut rest = both.clone();
        rest.traces.iter_mut().for_each(|t| t.values.clear());
        rest.spikes
            .iter_mut()
            .for_each(|s| *s = Spikes { population: s.population.clone(), size: s.size, ..Spikes::default() });
        run.part(&both).unwrap();
        let whole = run.gather(rest, 1 << 20).unwrap();
        assert_eq!(whole.traces, both.traces);
        run.finish(&Finished { recording: Arc::new(whole), ..finished() }).unwrap();
        assert_eq!(super::super::open(&path).unwrap().recording.traces, both.traces);
    }
}
