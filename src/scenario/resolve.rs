//! A scenario as it is written → the resolved [`Spec`], table by table.

use std::sync::Arc;

use super::catalog::Catalog;
use super::files::FileLoader;
use super::language::Table;
use super::resolver::Resolver;
use super::spec::{Integrator, PopulationSpec, Spec, SpikeTimes, StimulusSpec};
use super::{
    SCENARIO, analysis, later, lookup, plan, population, projection, record, recordings, selector, stimulus, sweep,
    target,
};
use spikedeck_core::diagnostic::did_you_mean;
use spikedeck_model::document::{Entry, Item, Node};
use spikedeck_model::{Definition, DefinitionKind, Library, Report, report, strings};
use spikedeck_signal::TimeBase;

impl<'a> Resolver<'a> {
    /// What is at hand before anything of a scenario is understood.
    pub fn of(report: Report, library: &'a Library, catalog: &'a Catalog, files: &'a dyn FileLoader) -> Self {
        Self {
            report,
            library,
            catalog,
            files,
            used: Vec::new(),
            folder: None,
            time_base: TimeBase::Milliseconds,
            dt: 0.0,
            duration: 0.0,
            transient: 0.0,
            integrator: Integrator::Auto,
            spike_times: SpikeTimes::Grid,
            names: Vec::new(),
        }
    }
}

/// Longest name, in bytes: two of them with what belongs to a temporary name fit into the 255 of a file's name.
const LONGEST_NAME: usize = 100;

/// Names are parts of paths, selectors and files.
pub(super) fn check_name(resolver: &mut Resolver<'_>, name: &str, place: &report::SourceSpan, what: &str) {
    let sound = name.starts_with(|c: char| c.is_alphabetic())
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    if !sound {
        resolver.error_help(
            place,
            format!("`{name}` cannot be the name of a {what}"),
            "names are made of letters, digits, `_` and `-`, and start with a letter",
        );
    }
    if name.len() > LONGEST_NAME {
        resolver.error(
            place,
            format!(
                "the name of a {what} is {} bytes long; names are parts of file names, and have {LONGEST_NAME} at most",
                name.len()
            ),
        );
    }
}

/// Entries of a table of named things, their names checked.
fn entries<'a>(resolver: &mut Resolver<'_>, node: Option<&'a Node>, table: &str, what: &str) -> &'a [Entry] {
    let Some(node) = node else { return &[] };
    let Some(list) = node.entries() else {
        resolver.error_help(
            &node.place,
            format!("`{table}` holds one table a {what}, not {}", node.what()),
            format!("write `[{table}.NAME]`"),
        );
        return &[];
    };
    for e in list {
        check_name(resolver, &e.key, &e.place, what);
    }
    list
}

/// The populations, and what they play themselves, which stands before the stimuli.
fn populations(
    resolver: &mut Resolver<'_>,
    own: &mut lookup::OwnModels,
    models: &[(&Entry, Option<Arc<Definition>>)],
    stimuli: Option<&Node>,
) -> (Vec<PopulationSpec>, Vec<StimulusSpec>) {
    let mut populations: Vec<PopulationSpec> = Vec::new();
    let mut played = Vec::new();
    for (entry, model) in models {
        match model {
            Some(model) => {
                let driven = driven(stimuli, &entry.key);
                if let Some((population, spikes)) = population::read(resolver, own, entry, model, &driven) {
                    played.extend(spikes.map(|kind| StimulusSpec::played(&population, populations.len(), kind)));
                    populations.push(population);
                }
            }
            None => {
                if let Some(table) = entry.value.entries().filter(|t| !t.iter().any(|e| e.key == "model")) {
                    let near = table.iter().find(|e| did_you_mean(&e.key, ["model"]).is_some());
                    let help = near.map_or_else(
                        || "add `model = \"lif\"`".to_owned(),
                        |e| format!("`{}`: did you mean `model`?", e.key),
                    );
                    resolver.error_help(&entry.place, format!("population `{}` needs `model`", entry.key), help);
                }
            }
        }
    }
    (populations, played)
}

/// Understands `root`; `written` is the same before anything was overridden, which is what variants are about.
pub(super) fn resolve(resolver: &mut Resolver<'_>, root: &Node, written: &Node) -> Option<Spec> {
    let mut f = Table::of(resolver, root, "a scenario", SCENARIO.keys)?;
    let mut line = |resolver: &mut Resolver<'_>, key: &str| {
        f.get(key).and_then(|n| resolver.text(n, &format!("`{key}`"))).unwrap_or("").trim().to_owned()
    };
    let (title, description) = (line(resolver, "title"), line(resolver, "description"));
    let references = f.get("references").map(|n| strings(&mut resolver.report, n)).unwrap_or_default();
    let tags = f.get("tags").map(|n| strings(&mut resolver.report, n)).unwrap_or_default();
    let simulation_node = f.get("simulation");

    let mut own = lookup::OwnModels::default();
    for kind in DefinitionKind::ALL {
        if let Some(node) = f.get(kind.table()) {
            own.read(resolver, node, kind);
        }
    }
    // They were written out before; what is left is how they are called.
    let circuits = entries(resolver, f.get("circuits"), "circuits", "circuit");
    let population_entries = entries(resolver, f.get("populations"), "populations", "population");
    // A circuit that could not be written out has said why.
    let are_said = !circuits.is_empty() || root.get("populations").is_some() || root.get("recordings").is_some();
    if population_entries.is_empty() && !are_said {
        resolver.error_help(
            &root.place,
            "a scenario has at least one population",
            "add `[populations.NAME]` with `model = \"lif\"`, or `[recordings.NAME]` with a `file`",
        );
    }
    let models: Vec<(&Entry, Option<Arc<Definition>>)> =
        population_entries.iter().map(|e| (e, model_of(resolver, &mut own, e))).collect();
    resolver.time_base = lookup::time_base(resolver, &models);
    let simulation = plan::simulation(resolver, simulation_node, &root.place);

    let known: Vec<&str> = population_entries.iter().map(|e| e.key.as_str()).collect();
    resolver.names = known.iter().map(ToString::to_string).collect();
    let (populations, played) = populations(resolver, &mut own, &models, f.get("stimuli"));
    let mut projections = Vec::new();
    let projection_entries = entries(resolver, f.get("projections"), "projections", "projection");
    let projection_names: Vec<&str> = projection_entries.iter().map(|e| e.key.as_str()).collect();
    for e in projection_entries {
        projection::check_draws(resolver, e, &projection_names);
        projections.extend(projection::read(resolver, &mut own, e, &populations, &known));
    }
    let mut stimuli = played;
    for e in entries(resolver, f.get("stimuli"), "stimuli", "stimulus") {
        stimuli.extend(stimulus::read(resolver, e, &populations, &known));
    }
    target::held(resolver, population_entries, &populations, &stimuli);
    let mut records = Vec::new();
    for e in entries(resolver, f.get("record"), "record", "population") {
        records.extend(record::read(
            resolver,
            e,
            &record::Places { all: &populations, known: &known, projections: &projections },
        ));
    }
    let taken: Vec<&str> = known.iter().chain(&projection_names).copied().collect();
    let mut beside = Vec::new();
    for e in entries(resolver, f.get("recordings"), "recordings", "recording") {
        beside.extend(recordings::read(resolver, e, &taken));
    }
    let recorded = recordings::places(&beside);
    let analysis_entries = entries(resolver, f.get("analyses"), "analyses", "analysis");
    let mut analyses = Vec::new();
    for e in analysis_entries {
        let scope = selector::Scope {
            all: &populations,
            known: &known,
            projections: &projections,
            records: &records,
            recorded: &recorded,
            equations: false,
        };
        analyses.extend(analysis::read(resolver, e, &scope));
    }
    let named: Vec<&str> = analysis_entries.iter().map(|e| e.key.as_str()).collect();
    let expect = f.get("expect").map(|n| plan::expectations(resolver, n, &analyses, &named)).unwrap_or_default();
    let variants = sweep::variants(resolver, written);
    // Of a scenario whose simulation cannot be read nothing is drawn that is used.
    let seed = simulation.as_ref().map_or(0, |s| s.seed);
    let sweep = f.get("sweep").and_then(|n| sweep::sweep(resolver, root, n, seed));
    let trials = f.get("trials").and_then(|n| sweep::trials(resolver, root, n));
    f.finish_with(resolver, &|key| later::hint(root, &populations, key));
    Some(Spec {
        name: String::new(),
        variant: None,
        title,
        description,
        references,
        tags,
        simulation: simulation?,
        populations,
        projections,
        stimuli,
        records,
        recordings: beside,
        analyses,
        expect,
        variants,
        sweep,
        trials,
        hash: String::new(),
        canonical: Arc::from(""),
        source: Arc::from(""),
        overrides: Vec::new(),
        path: None,
        files: Vec::new(),
        warnings: Vec::new(),
    })
}

/// What stimuli have as their targets in a population.
fn driven<'a>(stimuli: Option<&'a Node>, population: &str) -> Vec<population::Driven<'a>> {
    let all = stimuli.and_then(Node::entries).unwrap_or_default();
    let one = |e: &'a Entry| {
        let (name, what) = e.value.get("target").and_then(Node::as_text)?.split_once('.')?;
        let is_recorded = matches!(e.value.get("recorded").map(|n| &n.item), Some(Item::Flag(true)));
        (name == population).then(|| population::Driven { what, recorded: is_recorded.then_some(e.key.as_str()) })
    };
    all.iter().filter_map(one).collect()
}

/// The model of a population, looked up; what is wrong is reported. A missing key is reported by the caller.
fn model_of(resolver: &mut Resolver<'_>, own: &mut lookup::OwnModels, entry: &Entry) -> Option<Arc<Definition>> {
    if entry.value.entries().is_none() {
        resolver
            .error(&entry.value.place, format!("population `{}` is a table, not {}", entry.key, entry.value.what()));
        return None;
    }
    let node = entry.value.get("model")?;
    let name = resolver.text(node, "`model`")?.to_owned();
    own.find(resolver, DefinitionKind::Model, &name, &node.place)
}
