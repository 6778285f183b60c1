//! Scenario file as written → all errors with carets → resolved [`Spec`].
//!
//! Reading order: [`load`] below, `resolver` (what every reader needs), `value` (quantities, expressions),
//! `distribution`, then `language` (how every part of a scenario is declared) and one file a table of the scenario:
//! `population`, `projection`, `connect`, `stimulus`, `record`, `selector` (subjects), `analysis`, `plan` (simulation,
//! expect), `sweep` (and variants). `overrides` changes the tree before it is understood, [`identity`] writes down what
//! decides the result.
//!
//! ```
//! use spikedeck_model::library;
//! use spikedeck_scenario::{Catalog, NoFiles, Overrides, load};
//!
//! let read = |text: &str| load(text, None, "demo", &Overrides::default(), library(), &Catalog::default(), &NoFiles);
//!
//! let (spec, _) = read("simulation = { duration = '1 s', dt = '0.1 ms' }\npopulations.cell.model = 'lif'").unwrap();
//! assert_eq!((spec.simulation.steps, spec.populations[0].name.as_str()), (10_000, "cell"));
//! assert_eq!(spec.hash.len(), 64);
//!
//! // Everything that is wrong is told at once.
//! let wrong = read("simulation = { duration = '1 s', dt = '0.1 mV' }\npopulations.cell.model = 'lief'").unwrap_err();
//! let text = wrong.to_string();
//! assert!(text.contains("`dt`") && text.contains("lief"), "{text}");
//! ```

mod adjustable;
mod analysis;
mod bands;
pub mod catalog;
mod circuit;
mod clock;
mod connect;
mod connections;
mod connectome;
mod continuous;
mod coverage;
mod definition;
mod design;
mod distribution;
mod edges;
mod files;
mod fit;
mod gallery;
mod grid;
pub mod identity;
pub mod language;
mod later;
mod lookup;
mod mechanism;
mod options;
mod overrides;
mod plan;
mod plasticity;
mod population;
mod positions;
mod projection;
mod record;
mod recorded;
mod recordings;
mod resolve;
mod resolver;
mod rewrite;
mod schema;
mod selector;
pub mod spec;
mod stimulus;
mod sweep;
mod target;
mod tree;
mod value;
mod weights;

pub use adjustable::{Adjustable, adjustables};
pub use catalog::{
    Assignment, Band, Catalog, FileMatrix, OptionKind, OptionValue, ParamSpec, RunTimes, TimeRole, Together,
    WithoutUnits, Wrong,
};
pub use clock::Clock;
pub use connect::RULES;
pub use coverage::{CoverageLine, coverage};
pub use distribution::DISTRIBUTIONS;
pub use files::{FileError, FileLoader, FileTable, FileUse, NoFiles, Opened, SMALL_FILE, Said};
pub use gallery::{BuiltIn, built_in, find_built_in};
pub use identity::identify;
pub use language::{Words, Writer, reference};
pub use overrides::{Overrides, is_named};
pub use plan::FAILURE_TIME;
pub use recorded::{AskedAnalysis, RecordedPlace, analyses_of};
pub use rewrite::rewritten;
pub use schema::schema;
pub use spec::*;

use std::path::Path;
use std::sync::Arc;

use language::{Family, Key, Section, Takes};
use resolve::check_name;
use resolver::Resolver;
use spikedeck_model::document::{Entry, parse};
use spikedeck_model::{Library, Report};

/// A scenario file.
pub static SCENARIO: Section = Section::new(
    "scenario",
    "Tables of named things throughout, so that every value has a path (`--set simulation.dt=\"0.05 ms\"`).",
    &[
        Key::default("title", Takes::Text("one line"), "", "what the scenario is called"),
        Key::default("description", Takes::Text(""), "", "what the scenario shows"),
        Key::optional("references", Takes::Texts("a publication with its DOI"), "none", "publications"),
        Key::optional("tags", Takes::Texts("a word"), "none", "words for the gallery"),
        Key::required(
            "simulation",
            Takes::Table(&plan::SIMULATION),
            "{ duration = \"2 s\", dt = \"0.1 ms\" }",
            plan::SIMULATION.about,
        ),
        Key::optional(
            "populations",
            Takes::Named(&population::POPULATION),
            "recordings alone",
            population::POPULATION.about,
        ),
        Key::optional("circuits", Takes::Named(&circuit::CIRCUIT), "none", circuit::CIRCUIT.about),
        Key::optional("projections", Takes::Named(&projection::PROJECTION), "none", projection::PROJECTION.about),
        Key::optional("stimuli", Takes::NamedOne(&STIMULI), "none", STIMULI.about),
        Key::optional("record", Takes::NamedOne(&record::RECORD), "nothing is kept", record::RECORD.about),
        Key::optional("recordings", Takes::Named(&recordings::RECORDING), "none", recordings::RECORDING.about),
        Key::optional("analyses", Takes::Analyses, "none", "what is measured"),
        Key::optional("expect", Takes::Named(&plan::EXPECT), "none", plan::EXPECT.about),
        Key::optional("variants", Takes::Named(&sweep::VARIANT), "none", sweep::VARIANT.about),
        Key::optional("sweep", Takes::Table(&sweep::SWEEP), "one run", sweep::SWEEP.about),
        Key::optional("trials", Takes::Table(&sweep::TRIALS), "one trial", sweep::TRIALS.about),
        Key::optional("models", Takes::Named(&definition::MODEL), "none", "models of one's own"),
        Key::optional("receptors", Takes::Named(&definition::MECHANISM), "none", "receptors of one's own"),
        Key::optional("channels", Takes::Named(&definition::MECHANISM), "none", "channels of one's own"),
        Key::optional("plasticity", Takes::Named(&definition::RULE), "none", "plasticity rules of one's own"),
    ],
);

/// The sections and kinds that `explain` and `list` find by name, besides [`SCENARIO`] itself: tables of a scenario.
pub fn sections() -> Vec<&'static Section> {
    vec![
        &plan::SIMULATION,
        &population::POPULATION,
        &grid::GRID,
        &mechanism::RECEPTOR,
        &mechanism::CHANNEL,
        &circuit::CIRCUIT,
        &projection::PROJECTION,
        &plasticity::PLASTICITY,
        &recordings::RECORDING,
        &plan::EXPECT,
        &sweep::VARIANT,
        &sweep::SWEEP,
        &sweep::TRIALS,
        &definition::MODEL,
        &definition::MECHANISM,
        &definition::RULE,
        &tree::SECTION,
    ]
}

/// The tables that are one of several kinds.
pub fn families() -> [&'static Family; 6] {
    [&STIMULI, &SOURCES, &RULES, &positions::POSITIONS, &tree::COMPARTMENTS, &record::RECORD]
}

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
    let folder = origin.map(|p| p.parent().map_or_else(Default::default, Path::to_path_buf));
    let mut resolver = Resolver { folder, ..Resolver::of(report, library, catalog, files) };
    let written = circuit::expanded(&mut resolver, &root);
    let applied = overrides::apply(&mut resolver.report, &mut root, overrides);
    circuit::expand(&mut resolver, &mut root);
    let applied = applied.finish(&mut resolver.report, &mut root);
    let spec = resolve::resolve(&mut resolver, &root, &written);
    match spec {
        Some(mut spec) if !resolver.report.failed() => {
            name.clone_into(&mut spec.name);
            spec.variant.clone_from(&overrides.variant);
            spec.source = Arc::from(text);
            spec.overrides = applied;
            spec.path = origin.map(Path::to_path_buf);
            spec.files = resolver.used;
            spec.warnings = resolver.report.warnings();
            identify(&mut spec, catalog);
            let warnings = spec.warnings.clone();
            Ok((spec, warnings))
        }
        _ => Err(resolver.report),
    }
}

/// Reads one more analysis for a scenario that is resolved: `text` is what would stand under `[analyses.NAME]`.
///
/// # Errors
/// A [`Report`] of everything that is wrong with it.
#[doc(hidden)]
pub fn read_analysis(spec: &Spec, catalog: &Catalog, name: &str, text: &str) -> Result<AnalysisSpec, Report> {
    let mut report = Report::new();
    let index = report.text(format!("[analyses.{name}]"), text);
    let value = parse(&mut report, index);
    let place = value.place.clone();
    let times = spec.simulation.times();
    let mut resolver = Resolver {
        names: spec.populations.iter().map(|p| p.name.clone()).collect(),
        report,
        library: spikedeck_model::library(),
        catalog,
        files: &NoFiles,
        used: Vec::new(),
        folder: None,
        time_base: times.base,
        dt: times.dt,
        duration: times.duration,
        transient: times.transient,
        integrator: Integrator::Auto,
        spike_times: spec.simulation.spike_times,
    };
    let known: Vec<&str> = spec.populations.iter().map(|p| p.name.as_str()).collect();
    let scope = selector::Scope {
        all: &spec.populations,
        known: &known,
        projections: &spec.projections,
        records: &spec.records,
        recorded: &recordings::places(&spec.recordings),
        equations: false,
    };
    let read = analysis::read(&mut resolver, &Entry { key: name.to_owned(), place, value }, &scope);
    read.filter(|_| !resolver.report.failed()).ok_or(resolver.report)
}

#[cfg(test)]
mod resolved_tests;
#[cfg(test)]
pub(crate) mod tests;
