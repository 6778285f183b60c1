//! Scenario file as written → all errors with carets → resolved [`Spec`].
//!
//! Reading order: [`load`] below, `desk` (what every reader needs), `value` (quantities, distributions, expressions),
//! then one file a table of the scenario: `population`, `projection`, `stimulus`, `selector` (record and subjects),
//! `analysis`, `plan` (simulation, expect, variants, sweep). `overrides` changes the tree before it is understood.

mod analysis;
pub mod catalog;
mod connections;
mod continuous;
mod coverage;
mod desk;
mod fingerprint;
mod fit;
mod gallery;
mod grid;
mod lookup;
mod mechanism;
mod overrides;
mod plan;
mod plasticity;
mod population;
mod positions;
mod projection;
mod schema;
mod selector;
pub mod spec;
mod stimulus;
mod tree;
mod value;
mod weights;

pub use catalog::{Catalog, OptionKind, OptionValue, ParamSpec};
pub use coverage::{CoverageLine, coverage};
pub use desk::{FileLoader, FileTable, NoFiles};
pub use gallery::{BuiltIn, built_in, find_built_in};
pub use overrides::Overrides;
pub use plan::FAILURE_TIME;
pub use schema::schema;
pub use spec::*;
pub use stimulus::STIMULUS_KINDS;

use std::path::Path;
use std::sync::Arc;

use desk::Desk;
use spikedeck_model::document::{Entry, Fields, Node, parse};
use spikedeck_model::report;
use spikedeck_model::{Definition, Kind, Library, Report, strings};
use spikedeck_signal::TimeBase;

/// Reads a scenario: everything wrong with it at once, or the resolved [`Spec`] with warnings.
///
/// `origin` is the file it was read from (relative paths start from its folder; none for built-in scenarios), `name`
/// what it is called. Models are looked up inline, then beside the file, then in `library`; analyses in
/// `catalog`.
///
/// # Errors
/// A [`Report`] of everything that is wrong, in the scenario, in model files beside it, and in the overrides.
pub fn load(
    text: &str,
    origin: Option<&Path>,
    name: &str,
    overrides: &Overrides,
    library: &Library,
    catalog: &Catalog,
    files: &dyn FileLoader,
) -> Result<(Spec, Vec<String>), Report> {
    let mut report = Report::new();
    let shown = origin.map_or_else(|| format!("{name}.toml"), |p| p.display().to_string());
    let index = report.text(shown, text);
    let mut root = parse(&mut report, index);
    if report.failed() {
        return Err(report);
    }
    let written = root.clone();
    let applied = overrides::apply(&mut report, &mut root, overrides);
    let folder = origin.map(|p| p.parent().map_or_else(Default::default, Path::to_path_buf));
    let mut desk = Desk {
        report,
        library,
        catalog,
        files,
        folder,
        time_base: TimeBase::Milliseconds,
        dt: 0.0,
        duration: 0.0,
        integrator: Integrator::Auto,
        spike_times: SpikeTimes::Grid,
    };
    let spec = resolve(&mut desk, &root, &written);
    match spec {
        Some(mut spec) if !desk.report.failed() => {
            name.clone_into(&mut spec.name);
            spec.variant.clone_from(&overrides.variant);
            spec.source = Arc::from(text);
            spec.overrides = applied;
            spec.path = origin.map(Path::to_path_buf);
            spec.hash = fingerprint::fingerprint(&spec);
            Ok((spec, desk.report.warnings()))
        }
        _ => Err(desk.report),
    }
}

/// Names are parts of paths, selectors and files.
fn check_name(desk: &mut Desk<'_>, name: &str, place: &report::Place, what: &str) {
    let sound = name.starts_with(|c: char| c.is_alphabetic())
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    if !sound {
        desk.error_help(
            place,
            format!("`{name}` cannot be the name of a {what}"),
            "names are made of letters, digits, `_` and `-`, and start with a letter",
        );
    }
}

/// Entries of a table of named things, their names checked.
fn entries<'a>(desk: &mut Desk<'_>, node: Option<&'a Node>, table: &str, what: &str) -> &'a [Entry] {
    let Some(node) = node else { return &[] };
    let Some(list) = node.entries() else {
        desk.error_help(
            &node.place,
            format!("`{table}` holds one table a {what}, not {}", node.what()),
            format!("write `[{table}.NAME]`"),
        );
        return &[];
    };
    for e in list {
        check_name(desk, &e.key, &e.place, what);
    }
    list
}

/// Understands `root`; `written` is the same before anything was overridden, which is what variants are about.
fn resolve(desk: &mut Desk<'_>, root: &Node, written: &Node) -> Option<Spec> {
    let mut f = Fields::of(&mut desk.report, root, "a scenario")?;
    let mut line = |desk: &mut Desk<'_>, key: &str| {
        f.get(key).and_then(|n| desk.text(n, &format!("`{key}`"))).unwrap_or("").trim().to_owned()
    };
    let (title, description) = (line(desk, "title"), line(desk, "description"));
    let references = f.get("references").map(|n| strings(&mut desk.report, n)).unwrap_or_default();
    let tags = f.get("tags").map(|n| strings(&mut desk.report, n)).unwrap_or_default();
    let simulation_node = f.get("simulation");

    let mut own = lookup::OwnModels::default();
    for kind in Kind::ALL {
        if let Some(node) = f.get(kind.table()) {
            own.read(desk, node, kind);
        }
    }
    let population_entries = entries(desk, f.get("populations"), "populations", "population");
    if population_entries.is_empty() && root.get("populations").is_none() {
        desk.error_help(
            &root.place,
            "a scenario has at least one population",
            "add `[populations.NAME]` with `model = \"lif\"`",
        );
    }
    let models: Vec<(&Entry, Option<Arc<Definition>>)> =
        population_entries.iter().map(|e| (e, model_of(desk, &mut own, e))).collect();
    desk.time_base = lookup::time_base(desk, &models);
    let simulation = plan::simulation(desk, simulation_node, &root.place);

    let known: Vec<&str> = population_entries.iter().map(|e| e.key.as_str()).collect();
    let mut populations = Vec::new();
    for (entry, model) in &models {
        match model {
            Some(model) => populations.extend(population::read(desk, &mut own, entry, model)),
            None => {
                if let Some(table) = entry.value.entries().filter(|t| !t.iter().any(|e| e.key == "model")) {
                    let near =
                        table.iter().find(|e| spikedeck_core::diagnostic::did_you_mean(&e.key, ["model"]).is_some());
                    let help = near.map_or_else(
                        || "add `model = \"lif\"`".to_owned(),
                        |e| format!("`{}`: did you mean `model`?", e.key),
                    );
                    desk.error_help(&entry.place, format!("population `{}` needs `model`", entry.key), help);
                }
            }
        }
    }
    let mut projections = Vec::new();
    let projection_entries = entries(desk, f.get("projections"), "projections", "projection");
    let projection_names: Vec<&str> = projection_entries.iter().map(|e| e.key.as_str()).collect();
    for e in projection_entries {
        projection::check_draws(desk, e, &projection_names);
        projections.extend(projection::read(desk, &mut own, e, &populations, &known));
    }
    let mut stimuli = Vec::new();
    for e in entries(desk, f.get("stimuli"), "stimuli", "stimulus") {
        stimuli.extend(stimulus::read(desk, e, &populations, &known));
    }
    let mut records = Vec::new();
    for e in entries(desk, f.get("record"), "record", "population") {
        records.extend(selector::record(
            desk,
            e,
            &selector::Places { all: &populations, known: &known, projections: &projections },
        ));
    }
    let analysis_entries = entries(desk, f.get("analyses"), "analyses", "analysis");
    let mut analyses = Vec::new();
    for e in analysis_entries {
        let scope = selector::Scope {
            all: &populations,
            known: &known,
            projections: &projections,
            records: &records,
            equations: false,
        };
        analyses.extend(analysis::read(desk, e, &scope));
    }
    let named: Vec<&str> = analysis_entries.iter().map(|e| e.key.as_str()).collect();
    let expect = f.get("expect").map(|n| plan::expectations(desk, n, &analyses, &named)).unwrap_or_default();
    f.allow("variants");
    let variants = plan::variants(desk, written);
    let sweep = f.get("sweep").and_then(|n| plan::sweep(desk, root, n));
    f.finish_with(&mut desk.report, &|key| {
        (key == "trials")
            .then(|| "repeats are not part of this version; `[sweep] seeds = N` repeats with other seeds".to_owned())
    });
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
        analyses,
        expect,
        variants,
        sweep,
        hash: String::new(),
        source: Arc::from(""),
        overrides: Vec::new(),
        path: None,
    })
}

/// The model of a population, looked up; what is wrong is reported. A missing key is reported by the caller.
fn model_of(desk: &mut Desk<'_>, own: &mut lookup::OwnModels, entry: &Entry) -> Option<Arc<Definition>> {
    if entry.value.entries().is_none() {
        desk.error(&entry.value.place, format!("population `{}` is a table, not {}", entry.key, entry.value.what()));
        return None;
    }
    let node = entry.value.get("model")?;
    let name = desk.text(node, "`model`")?.to_owned();
    own.find(desk, Kind::Model, &name, &node.place)
}

#[cfg(test)]
mod resolved_tests;
#[cfg(test)]
pub(crate) mod tests;
