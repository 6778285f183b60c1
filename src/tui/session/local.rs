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
use spikedeck_scenario::{self as scenario, Adjustable, ProjectionSpec, Rule, Spec};
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
        let given = self.given.iter().map(|source| Entry {
            source: source.clone(),
            name: source.label(),
            title: String::new(),
            tags: vec!["given".into()],
        });
        let built_in = scenario::built_in().iter().flat_map(|s| {
            let entry = |name: String, title: String| Entry {
                source: Source::Scenario(name.clone().into()),
                name,
                title,
                tags: s.tags.clone(),
            };
            let variants =
                s.variants.iter().map(move |v| entry(format!("{}:{v}", s.name), format!("{} ({v})", s.title)));
            std::iter::once(entry(s.name.clone(), s.title.clone())).chain(variants)
        });
        given.chain(built_in).collect()
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
        let label = variant.map_or_else(|| name.clone(), |v| format!("{name}:{v}"));
        let time = (0.0, s.steps as f64 * s.dt / s.time_base.seconds());
        let (path, threads) = (spec.path.clone(), self.threads);
        let beside = spec.files.iter().map(|f| f.path.clone()).filter(|p| p.is_file()).collect();
        let spec = Arc::new(spec);
        let known = Some(spec.clone());
        let start =
            Box::new(move || run::start(spec, points, run::Options { threads, live: true, ..run::Options::default() }));
        Ok(Prepared { label, path, beside, time: Some(time), warnings, spec: known, start })
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

    fn open(&self, path: &Path) -> Result<Arc<Finished>, String> {
        let opened = if table::is_run(path) {
            table::open(path).map_err(|e| e.to_string())
        } else {
            run::recording_from(path, &run::Sampling::default()).map_err(|e| e.to_string())
        };
        opened.map(Arc::new)
    }
}

fn preview(spec: &Spec) -> Preview {
    let s = &spec.simulation;
    let unit = s.time_base.unit();
    let axis = |t: f64| format!("{} {unit}", short(t / s.time_base.seconds())).trim_end().to_owned();
    let mut facts = vec![("time".to_owned(), format!("{} in steps of {}", axis(s.steps as f64 * s.dt), axis(s.dt)))];
    let connections: f64 = spec.projections.iter().map(|p| connections(spec, p)).sum();
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

/// Expected number of connections of a projection, without drawing any.
fn connections(spec: &Spec, p: &ProjectionSpec) -> f64 {
    let (from, to) = (spec.population(p.from).size as f64, spec.population(p.to.population).size as f64);
    match &p.rule {
        Rule::OneToOne => from.min(to),
        Rule::Probability { p } => p * from * to,
        Rule::FixedIndegree { indegree } => *indegree as f64 * to,
        Rule::FixedOutdegree { outdegree } => *outdegree as f64 * from,
        Rule::FixedTotalNumber { total } => *total as f64,
        Rule::SmallWorld { neighbours, .. } => *neighbours as f64 * to,
        Rule::Edges { source, .. } => source.len() as f64,
        // Bounded by all pairs; how many lie near enough is known when they are placed.
        Rule::AllToAll | Rule::Neighbours { .. } | Rule::Gaussian { .. } => from * to,
    }
}
