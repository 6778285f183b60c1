//! The real [`Backend`]: built-in and given scenarios, jobs of `run`, finished runs of `table`.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::number::{count, short};
use crate::session::backend::{Backend, Prepared};
use crate::state::gallery::{Entry, Preview};
use crate::state::source::{Asked, Source, split_variant};
use spikedeck_run::{self as run, Finished};
use spikedeck_scenario::{self as scenario, Adjustable, Spec};
use spikedeck_sim::Network;
use spikedeck_table as table;

/// The rest of the program.
#[derive(Debug, Clone, Default)]
pub struct LocalBackend {
    /// What was named on the command line, listed first.
    pub given: Vec<Source>,
    /// Number of threads; 0 is one a core.
    pub threads: usize,
}

impl LocalBackend {
    /// What a path or name of the command line is: the folder of a run, a recording, or a scenario.
    pub fn source(text: &str) -> Source {
        let path = PathBuf::from(text);
        let recording = spikedeck_store::FileKind::of(&path).is_some();
        if table::is_run(&path) || recording { Source::Finished(path) } else { Source::Scenario(text.into()) }
    }
}

impl Backend for LocalBackend {
    fn entries(&self) -> Vec<Entry> {
        let named = |source: &Source| Entry::new(source.clone(), source.label(), String::new(), vec!["given".into()]);
        let given = self.given.iter().map(|source| named(source).own());
        let of_folder = found_in(Path::new(".")).into_iter().filter(|e| !self.given.contains(&e.source));
        let built_in = scenario::built_in().iter().flat_map(|s| {
            let entry = |name: String, title: String| {
                Entry::new(Source::Scenario(name.clone().into()), name, title, s.tags.clone())
            };
            let variants =
                s.variants.iter().map(move |v| entry(format!("{}:{v}", s.name), format!("{} ({v})", s.title)));
            std::iter::once(entry(s.name.clone(), s.title.clone()).with_text(s.text)).chain(variants)
        });
        given.chain(of_folder).chain(built_in).collect()
    }

    fn preview(&self, source: &Source) -> Result<Preview, String> {
        match source {
            Source::Scenario(asked) => {
                let (spec, _) = run::load(&asked.reference, &asked.set).map_err(|e| e.render(false))?;
                Ok(preview(&spec))
            }
            Source::Finished(path) => {
                let run = self.open(path)?;
                let facts = vec![
                    ("spikes".to_owned(), count(run.recording.spikes.iter().map(|s| s.len() as u64).sum())),
                    ("folder".to_owned(), path.display().to_string()),
                ];
                let populations =
                    run.recording.populations.iter().map(|p| (p.name.clone(), p.size as u64, String::new())).collect();
                let analyses = run.outcomes.iter().map(|o| (o.name.clone(), o.kind.clone())).collect();
                Ok(Preview {
                    title: format!("Finished run {}", run.label),
                    populations,
                    facts,
                    analyses,
                    ..Preview::default()
                })
            }
        }
    }

    fn prepare(&self, asked: &Asked) -> Result<Prepared, String> {
        let (spec, warnings) = run::load(&asked.reference, &asked.set).map_err(|e| e.render(false))?;
        let points = run::points(&spec, &|more| run::again(&spec, more)).map_err(|e| e.to_string())?;
        let s = &spec.simulation;
        let (name, variant) = (spec.name.clone(), split_variant(&asked.reference).1);
        let mut label = variant.map_or_else(|| name.clone(), |v| format!("{name}:{v}"));
        // A sweep of one point is that point.
        if let [point] = &points[..]
            && spec.sweep.is_some()
        {
            label = format!("{label} {}", point.label());
        }
        let time = (0.0, s.steps as f64 * s.dt / s.time_base.seconds());
        let (path, threads) = (spec.path.clone(), self.threads);
        let beside = spec.files.iter().map(|f| f.path.clone()).filter(|p| p.is_file()).collect();
        let facts = preview(&spec).facts;
        let spec = Arc::new(spec);
        let known = Some(spec.clone());
        let start =
            Box::new(move || run::start(spec, points, run::Options { threads, live: true, ..run::Options::default() }));
        Ok(Prepared { label, path, beside, time: Some(time), facts, warnings, spec: known, start })
    }

    fn understand(&self, asked: &Asked) -> Result<Vec<Adjustable>, String> {
        let (spec, _) = run::load(&asked.reference, &asked.set).map_err(|e| e.render(false))?;
        Ok(scenario::adjustables(&spec, &run::catalog()))
    }

    fn save(&self, asked: &Asked, path: &Path) -> Result<(), String> {
        let (spec, _) = run::load(&asked.reference, &asked.set).map_err(|e| e.render(false))?;
        let text = scenario::rewritten(&spec.source, &spec.overrides)?;
        let shown = path.display();
        let written = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => format!("{shown} is there already, and nothing is overwritten"),
            _ => format!("{shown} cannot be written: {e}"),
        })?;
        // Elsewhere the files that it names may not be found.
        let is_same = |read: &Spec| read.canonical == spec.canonical;
        match run::load(&shown.to_string(), &[]) {
            Ok((read, _)) if is_same(&read) => Ok(()),
            Ok(_) => Err(format!("{shown} is written, and gives another result than what is shown: look at it")),
            Err(why) => Err(format!("{shown} is written, and cannot be run there: {}", why.first())),
        }
    }

    fn opening(&self, path: &Path) -> String {
        let label = Source::Finished(path.to_owned()).label();
        let rows = if table::is_run(path) {
            table::Manifest::read(path).ok().map(|m| m.rows.values().sum())
        } else if spikedeck_store::FileKind::of(path) == Some(spikedeck_store::FileKind::Parquet) {
            spikedeck_store::describe(path).ok().map(|c| c.rows)
        } else {
            None
        };
        let size = || std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|m| m.len());
        match (rows, size()) {
            (Some(rows), _) => {
                format!("reading {} of {label}", spikedeck_core::number::counted(rows as usize, "row", "rows"))
            }
            (None, Some(bytes)) => format!("reading {label}, {}", spikedeck_core::number::bytes(bytes)),
            (None, None) => format!("reading {label}"),
        }
    }

    fn open(&self, path: &Path) -> Result<Arc<Finished>, String> {
        let opened = if table::is_run(path) {
            table::open(path).map_err(|e| e.to_string()).and_then(|mut run| {
                // Of seeds alone: another run with the same is compared seed by seed.
                if run.spec.as_ref().and_then(|s| s.sweep.as_ref()).is_some_and(|s| s.axes.is_empty()) {
                    run.facts.seeds = table::seed_values(path).map_err(|e| e.to_string())?;
                }
                Ok(run)
            })
        } else {
            run::recording_from(path, &run::Sampling::default()).map_err(|e| e.to_string())
        };
        opened.map(Arc::new)
    }
}

/// Most scenarios, and most runs, of a folder that are listed.
const LISTED: usize = 9;
/// Most names of a folder that are looked at.
const LOOKED_AT: usize = 2000;
/// Bytes of a file that say whether it is a scenario.
const HEAD: u64 = 64 * 1024;

/// Scenarios and finished runs of a folder (runs in `runs` too), the newest first.
fn found_in(folder: &Path) -> Vec<Entry> {
    let listed = |folder: &Path| -> Vec<PathBuf> {
        let names = std::fs::read_dir(folder).into_iter().flatten().take(LOOKED_AT);
        names.filter_map(|entry| Some(entry.ok()?.path())).collect()
    };
    let here = listed(folder);
    let scenarios = here.iter().filter(|p| p.extension().is_some_and(|e| e == "toml") && is_scenario(p));
    let in_runs = listed(&folder.join("runs"));
    let runs = here.iter().chain(&in_runs).filter(|p| table::is_run(p));
    let newest = |mut paths: Vec<PathBuf>| {
        let age = |p: &PathBuf| std::fs::metadata(p).and_then(|m| m.modified()).ok();
        paths.sort_by_cached_key(|p| std::cmp::Reverse(age(p)));
        paths.truncate(LISTED);
        paths
    };
    let plain = |p: &Path| p.strip_prefix(".").unwrap_or(p).to_path_buf();
    let scenario = |p: PathBuf| {
        let name = plain(&p).display().to_string();
        Entry::new(Source::Scenario(name.clone().into()), name, String::new(), vec!["scenario".into()]).own()
    };
    let run = |p: PathBuf| {
        let path = plain(&p);
        let name = path.display().to_string();
        Entry::new(Source::Finished(path), name, "finished run".into(), vec!["run".into()]).own()
    };
    let scenarios = newest(scenarios.cloned().collect()).into_iter().map(scenario);
    scenarios.chain(newest(runs.cloned().collect()).into_iter().map(run)).collect()
}

/// Whether a file of settings is a scenario: it says how long to simulate.
fn is_scenario(path: &Path) -> bool {
    use std::io::Read as _;
    // A pipe would be waited for.
    if !std::fs::metadata(path).is_ok_and(|m| m.is_file()) {
        return false;
    }
    let mut head = Vec::new();
    let read = File::open(path).and_then(|f| f.take(HEAD).read_to_end(&mut head));
    // It may end inside a letter.
    let head = String::from_utf8_lossy(&head);
    read.is_ok() && head.lines().any(|l| l.trim_start().starts_with("[simulation"))
}

fn preview(spec: &Spec) -> Preview {
    let s = &spec.simulation;
    let unit = s.time_base.unit();
    let axis = |t: f64| format!("{} {unit}", short(t / s.time_base.seconds())).trim_end().to_owned();
    let mut facts = vec![("time".to_owned(), format!("{} in steps of {}", axis(s.steps as f64 * s.dt), axis(s.dt)))];
    let connections = Network::expected_connections(spec);
    if connections > 0.0 {
        facts.push(("connections".to_owned(), format!("about {}", count(connections.round() as u64))));
    }
    let (bytes, _) = Network::estimate(spec);
    facts.push(("memory".to_owned(), format!("about {}", spikedeck_core::number::bytes(bytes))));
    facts.push(("seed".to_owned(), s.seed.to_string()));
    if let Some(sweep) = &spec.sweep {
        let points = sweep.combinations() as usize * sweep.seeds.max(1) as usize;
        facts.push(("sweep".to_owned(), format!("{points} runs")));
    }
    Preview {
        title: spec.title.clone(),
        description: spec.description.clone(),
        tags: spec.tags.clone(),
        references: spec.references.clone(),
        populations: spec.populations.iter().map(|p| (p.name.clone(), p.size as u64, p.model.name.clone())).collect(),
        facts,
        analyses: spec.analyses.iter().map(|a| (a.name.clone(), a.kind.clone())).collect(),
        variants: spec.variants.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is opened is named with as much of its size as is known without reading it.
    #[test]
    fn what_is_opened_is_named_with_its_size() {
        use spikedeck_store::{Column, Format, Table, write};
        let dir = tempfile::tempdir().unwrap();
        let backend = LocalBackend::default();
        let path = dir.path().join("long.parquet");
        let table = Table { columns: vec![("time_ms".into(), Column::F64(vec![0.5; 1500]))], ..Table::default() };
        write(&path, &table, Format::Parquet).unwrap();
        assert_eq!(backend.opening(&path), "reading 1,500 rows of long.parquet");
        let text = dir.path().join("spikes.csv");
        std::fs::write(&text, "time_ms,unit\n1,0\n").unwrap();
        assert_eq!(backend.opening(&text), "reading spikes.csv, 17 B");
        assert_eq!(backend.opening(&dir.path().join("gone.csv")), "reading gone.csv");
    }

    #[test]
    fn scenarios_and_runs_of_a_folder_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("mine.toml", "title = 'a'\n[simulation]\nduration = '1 s'\n");
        write("Cargo.toml", "[package]\nname = 'b'\n");
        write("notes.txt", "[simulation]");
        std::fs::write(dir.path().join("bytes.toml"), [0xff, 0xfe, 0]).unwrap();
        for run in ["one", "runs/two"] {
            std::fs::create_dir_all(dir.path().join(run)).unwrap();
            write(&format!("{run}/manifest.json"), "{}");
        }
        let found = found_in(dir.path());
        let mut names: Vec<String> = found.iter().filter_map(|e| Some(e.name.rsplit('/').next()?.to_owned())).collect();
        names.sort();
        assert_eq!(names, ["mine.toml", "one", "two"]);
        assert!(found.iter().all(|e| e.group == crate::state::gallery::Group::Own));
        assert!(found_in(&dir.path().join("nowhere")).is_empty());
    }
}
