//! What every model, receptor and analysis must have to be in the lists.

use spikedeck::equation::TimeUnit;
use spikedeck::model::{DefinitionKind, library};
use spikedeck::run;
use spikedeck::scenario::built_in;

#[test]
fn every_built_in_scenario_is_understood() {
    assert!(!built_in().is_empty());
    for s in built_in() {
        for variant in std::iter::once(None).chain(s.variants.iter().map(Some)) {
            let reference = variant.map_or_else(|| s.name.clone(), |v| format!("{}:{v}", s.name));
            if let Err(error) = run::load(&reference, &[]) {
                panic!("{reference}:\n{}", error.render(false));
            }
        }
        assert!(!s.title.is_empty() && !s.description.is_empty(), "{} has a title and a description", s.name);
    }
}

#[test]
fn every_model_and_receptor_has_a_card_with_references() {
    let library = library();
    assert!(library.problems().is_empty());
    for kind in DefinitionKind::ALL {
        assert!(!library.names(kind).is_empty());
        for name in library.names(kind) {
            let definition = library.get(kind, name).unwrap();
            assert!(!definition.title.is_empty() && !definition.summary.is_empty(), "{name} has a title and a summary");
            assert!(!definition.references.is_empty(), "{name} has references");
            assert!(
                definition.parameters.iter().all(|p| !p.about.is_empty()),
                "each parameter of {name} has its meaning"
            );
        }
    }
}

#[test]
fn every_analysis_has_a_card_with_references() {
    assert!(!run::analyses().is_empty());
    for analysis in run::analyses() {
        let (card, kind) = (analysis.card(), analysis.declaration().kind);
        for (what, text) in [
            ("title", card.title),
            ("summary", card.summary),
            ("formula", card.formula),
            ("assumptions", card.assumptions),
            ("cost", card.cost),
            ("caveats", card.caveats),
        ] {
            assert!(!text.is_empty(), "the card of {kind} has no {what}");
        }
        assert!(!card.references.is_empty(), "{kind} has references");
        assert!(
            analysis.declaration().options.iter().all(|o| !o.about.is_empty()),
            "each option of {kind} has its meaning"
        );
    }
}

#[test]
fn every_analysis_and_model_appears_in_a_scenario() {
    let specs: Vec<_> = built_in().iter().filter_map(|s| run::load(&s.name, &[]).ok()).map(|(spec, _)| spec).collect();
    let missing_analyses: Vec<_> = run::analyses()
        .iter()
        .map(|a| a.declaration().kind)
        .filter(|kind| !specs.iter().any(|s| s.analyses.iter().any(|a| a.kind == *kind)))
        .collect();
    assert!(missing_analyses.is_empty(), "no scenario shows {missing_analyses:?}");
    let missing_models: Vec<_> = library()
        .names(DefinitionKind::Model)
        .into_iter()
        .filter(|name| !specs.iter().any(|s| s.populations.iter().any(|p| p.model.name == *name)))
        .collect();
    assert!(missing_models.is_empty(), "no scenario shows {missing_models:?}");
}

/// Every receptor is carried by a population of a shipped scenario.
#[test]
fn every_receptor_appears_in_a_scenario() {
    let specs: Vec<_> = built_in().iter().filter_map(|s| run::load(&s.name, &[]).ok()).map(|(spec, _)| spec).collect();
    let missing: Vec<_> = library()
        .names(DefinitionKind::Receptor)
        .into_iter()
        .filter(|name| {
            !specs.iter().flat_map(|s| &s.populations).flat_map(|p| &p.receptors).any(|r| r.definition.name == *name)
        })
        .collect();
    assert!(missing.is_empty(), "no scenario shows {missing:?}");
}

/// Every channel is carried by a tree of a shipped scenario, and runs at its defaults beside the pool that it may need.
#[test]
fn every_channel_appears_in_a_scenario_and_runs_at_its_defaults() {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    let specs: Vec<_> = built_in().iter().filter_map(|s| run::load(&s.name, &[]).ok()).map(|(spec, _)| spec).collect();
    for name in library().names(DefinitionKind::Channel) {
        let shown =
            specs.iter().flat_map(|s| &s.populations).flat_map(|p| &p.channels).any(|c| c.definition.name == name);
        assert!(shown, "no scenario shows channel {name}");
        let definition = library().get(DefinitionKind::Channel, name).unwrap();
        let pool = if definition.texts.given.iter().any(|g| g.name == "Ca") {
            "channels.pool = { kind = \"calcium\" }\n"
        } else {
            ""
        };
        let text = format!(
            "[simulation]
duration = \"20 ms\"
dt = \"0.05 ms\"
[populations.p]
model = \"membrane\"
size = 2
cable = {{ length = \"200 um\", diameter = \"2 um\" }}
{pool}channels.c = {{ kind = \"{name}\" }}
"
        );
        let source = run::Source { text, origin: None, name: name.to_owned(), variant: None };
        let (spec, _) = run::resolve(&source, &[]).unwrap_or_else(|e| panic!("{name}: {}", e.render(false)));
        let tell: run::Tell = Arc::new(|_| {});
        let options = run::Options { threads: 1, ..run::Options::default() };
        let finished = run::execute(&Arc::new(spec), options, &AtomicBool::new(false), &tell)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(finished.status, run::Status::Complete, "{name}: {:?}", finished.failure);
    }
}

/// Every analysis runs at its defaults on a small scenario that gives it something to measure.
#[test]
fn every_analysis_runs_at_its_defaults() {
    use spikedeck::scenario::catalog::Subjects;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    const NETWORK: &str = r#"
[simulation]
duration = "2 s"
dt = "0.1 ms"
transient = "100 ms"
seed = 1
[populations.p]
model = "lif"
size = 8
receptors.syn = { kind = "exp_current", tau = "5 ms" }
[projections.pp]
from = "p"
to = "p.syn"
connect = { rule = "probability", p = 0.3 }
weight = "20 pA"
delay = "1 ms"
[stimuli.drive]
target = "p.I"
kind = "ou_noise"
mean = "0.4 nA"
sigma = "0.2 nA"
tau = "5 ms"
[record.p]
spikes = true
connections = true
traces = [{ name = "v", variables = ["V_m"], interval = "1 ms" }]
"#;
    const FLOW: &str = "[simulation]
duration = 200
dt = 0.01
[populations.p]
model = \"fitzhugh_nagumo\"
size = 1
[record.p]
traces = [{ name = \"x\", variables = [\"V\"] }]
";
    const FIELD: &str = "[simulation]
duration = 60
dt = 0.05
[populations.p]
model = \"nagumo_front\"
grid = { shape = [50], spacing = 0.5 }
initial = { u = \"where(x < 5, 1, 0)\" }
[record.p]
traces = [{ name = \"u\", variables = [\"u\"], interval = 0.5 }]
";
    const PLANE: &str = "[simulation]
duration = 10
dt = 0.05
[populations.p]
model = \"nagumo_front\"
grid = { shape = [8, 6], spacing = 0.5 }
initial = { u = \"where(x < 2, 1, 0)\" }
[record.p]
traces = [{ name = \"u\", variables = [\"u\"], interval = 0.5 }]
";
    const TREE: &str = "[simulation]
duration = \"20 ms\"
dt = \"0.025 ms\"
[populations.p]
model = \"membrane\"
cable = { length = \"1 mm\", diameter = \"2 um\" }
channels.na = { kind = \"hh_na\" }
channels.k = { kind = \"hh_k\" }
channels.leak = { kind = \"leak\", g = \"0.3 mS/cm**2\", E = \"-54.387 mV\" }
[stimuli.i]
target = \"p.I\"
units = [\"cable(0)\"]
kind = \"step\"
amplitude = \"1 nA\"
start = \"2 ms\"
[record.p]
spikes = true
traces = [{ variables = [\"V_m\"] }]
";
    const ONE_STATE: &str = "[simulation]
duration = \"1 s\"
dt = \"0.1 ms\"
[populations.p]
model = \"lif\"
[stimuli.i]
target = \"p.I\"
kind = \"constant\"
amplitude = \"0.4 nA\"
[record.p]
spikes = true
";
    for analysis in run::analyses() {
        let declaration = analysis.declaration();
        let kind = declaration.kind;
        // The first text that this analysis accepts: subjects differ between kinds, and the refusals say so.
        let candidates = match declaration.subjects {
            Subjects::Directed => vec![
                "source = \"p.spikes\"\ntarget = \"p.spikes\"",
                "source = \"p.spikes[0]\"\ntarget = \"p.spikes[1]\"",
                "source = \"p.V_m[0]\"\ntarget = \"p.V_m[1]\"",
                "source = \"p.spikes\"\ntarget = \"p.V_m[0]\"",
                "source = [\"p.V_m[0]\", \"p.V_m[1]\"]\ntarget = \"p.spikes[0]\"\nband = [\"fast 30 100\"]",
                "source = \"p.V_m[0]\"\ntarget = \"p.spikes[0]\"\nband = [\"fast 30 100\"]\nfilter = \"butterworth\"",
            ],
            _ => vec!["of = \"p.spikes\"", "of = \"p.V_m\"", "of = \"p.rate\"", "of = \"p\"", "of = \"p.u\""],
        };
        let mut refusals = Vec::new();
        let found = [NETWORK, FLOW, FIELD, PLANE, TREE, ONE_STATE]
            .iter()
            .flat_map(|base| candidates.iter().map(move |c| (base, c)))
            .find_map(|(base, subjects)| {
                let trials = if analysis.across_trials() { "[trials]\ncount = 3\n" } else { "" };
                let text = format!("{base}\n{trials}[analyses.a]\nkind = \"{kind}\"\n{subjects}\n");
                let source = run::Source { text, origin: None, name: kind.to_owned(), variant: None };
                let spec = match run::resolve(&source, &[]) {
                    Ok((spec, _)) => spec,
                    Err(e) => {
                        refusals.push(e.render(false));
                        return None;
                    }
                };
                let tell: run::Tell = Arc::new(|_| {});
                let options = run::Options { threads: 1, ..run::Options::default() };
                let (spec, never) = (Arc::new(spec), AtomicBool::new(false));
                let finished = if spec.trials.is_some() {
                    let points = run::points(&spec, &|more| run::again(&spec, more)).unwrap();
                    run::ensemble(&spec, &points, options, &never, &tell).map(|e| e.finished)
                } else {
                    run::execute(&spec, options, &never, &tell).map(Arc::new)
                };
                let finished = finished.unwrap_or_else(|e| panic!("{kind}: {e}"));
                assert_eq!(finished.status, run::Status::Complete, "{kind}: {:?}", finished.failure);
                let outcome = finished.outcomes.iter().find(|o| o.kind == kind).cloned();
                let outcome = outcome.filter(|o| !o.shapes.is_empty());
                if outcome.is_none() {
                    refusals.push(format!("{subjects}: no result: {:?}", finished.warnings));
                }
                outcome
            });
        let outcome =
            found.unwrap_or_else(|| panic!("{kind} runs on none of the small scenarios:\n{}", refusals.join("\n")));
        assert!(outcome.metrics.iter().all(|m| m.value.is_none_or(f64::is_finite)), "{kind}: {:?}", outcome.metrics);
        assert!(
            outcome.metrics.iter().all(|m| m.value.is_some() || !m.note.is_empty()),
            "{kind} says why a value is missing"
        );
    }
}

/// The page of all keys is the program's own. `UPDATE_PAGES=1` writes it.
#[test]
fn the_page_of_all_keys_is_the_programs_own() {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_spikedeck")).args(["list", "keys"]).output().unwrap();
    assert!(out.status.success());
    let wanted = String::from_utf8(out.stdout).unwrap();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/scenario-reference.md");
    if crate::update_pages() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "data/scenario-reference.md is out of date; UPDATE_PAGES=1 writes it");
}

/// Every part of the language is explained, and every name that `list` gives.
#[test]
fn every_part_of_the_language_is_explained() {
    let run = |args: &[&str]| {
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_spikedeck")).args(args).output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    for (list, kind) in
        [("stimuli", "stimulus"), ("rules", "rule"), ("distributions", "distribution"), ("boundaries", "boundary")]
    {
        let names = run(&["list", list, "--json"]);
        assert!(names.lines().count() >= 5, "{list}");
        for line in names.lines() {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            let name = entry["name"].as_str().unwrap();
            let card = run(&["explain", &format!("{kind}/{name}")]);
            assert!(card.contains("Write it") && card.contains("What it is"), "{card}");
        }
    }
    let card = run(&["explain", "simulation"]);
    for key in ["duration", "dt", "transient", "seed", "memory", "spike_times", "check", "integrator"] {
        assert!(card.contains(&format!("  {key} ")), "{key} in {card}");
    }
}

/// Every model runs at its defaults for a short while without leaving the finite numbers.
#[test]
fn every_model_runs_at_its_defaults() {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    for name in library().names(DefinitionKind::Model) {
        let definition = library().get(DefinitionKind::Model, name).unwrap();
        let plain = definition.system.time_unit() == spikedeck::equation::TimeUnit::Dimensionless;
        let (duration, dt) =
            if plain { ("duration = 10", "dt = 0.01") } else { ("duration = \"100 ms\"", "dt = \"0.05 ms\"") };
        let unit = if definition.system.time_unit().length().is_none() { "1" } else { "\"100 um\"" };
        let along = |o: &spikedeck::equation::space::Operator| {
            matches!(o.kind, spikedeck::equation::space::OperatorKind::Axial(_))
        };
        let place = if definition.system.plays() {
            "size = 3\nspikes = { kind = \"poisson\", rate = \"100 Hz\" }".to_owned()
        } else if definition.system.operators().is_empty() {
            "size = 3".to_owned()
        } else if definition.system.operators().iter().any(along) {
            "size = 3\ncable = { length = \"1 mm\", diameter = \"2 um\" }".to_owned()
        } else {
            format!("grid = {{ shape = [64], spacing = {unit} }}")
        };
        let text = format!("[simulation]\n{duration}\n{dt}\n[populations.p]\nmodel = \"{name}\"\n{place}\n");
        let source = run::Source { text, origin: None, name: name.to_owned(), variant: None };
        let (spec, _) = run::resolve(&source, &[]).unwrap_or_else(|e| panic!("{name}: {}", e.render(false)));
        let tell: run::Tell = Arc::new(|_| {});
        let options = run::Options { threads: 1, ..run::Options::default() };
        let finished = run::execute(&Arc::new(spec), options, &AtomicBool::new(false), &tell)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(finished.status, run::Status::Complete, "{name}: {:?}", finished.failure);
    }
}

/// Whatever a parameter is, a model runs, is refused, or fails with words: with one unit and with several, which may be
/// alike or not.
#[test]
fn no_value_of_a_parameter_ends_in_a_panic() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    let mut ran = 0;
    for name in library().names(DefinitionKind::Model) {
        let definition = library().get(DefinitionKind::Model, name).unwrap();
        let in_ms = definition.system.time_unit() != TimeUnit::Dimensionless;
        for parameter in &definition.parameters {
            let unit = parameter.default_text.split_once(' ').map_or("", |(_, unit)| unit);
            for value in ["0", "-0.0", "1e-300", "-1e-300", "1e300", "-1"] {
                let text = format!("\"{value} {unit}\"");
                for values in [text.clone(), format!("[{text}, \"{}\"]", parameter.default_text)] {
                    let size = if values.starts_with('[') || value != "-1" { 2 } else { 1 };
                    let times = if in_ms { ("\"0.3 ms\"", "\"0.1 ms\"") } else { ("0.3", "0.1") };
                    let text = format!(
                        "[simulation]\nduration = {}\ndt = {}\n[populations.p]\nmodel = \"{name}\"\nsize = {size}\n\
                         parameters.{} = {values}\n[record.p]\nspikes = true\n",
                        times.0, times.1, parameter.name
                    );
                    let source = run::Source { text, origin: None, name: name.to_owned(), variant: None };
                    let tried = catch_unwind(AssertUnwindSafe(|| {
                        let Ok((spec, _)) = run::resolve(&source, &[]) else { return false };
                        let tell: run::Tell = Arc::new(|_| {});
                        let options = run::Options { threads: 1, ..run::Options::default() };
                        // A refusal and a failure are answers too.
                        let _ = run::execute(&Arc::new(spec), options, &AtomicBool::new(false), &tell);
                        true
                    }));
                    ran += usize::from(tried.unwrap_or_else(|_| panic!("{name}: {} = {values}", parameter.name)));
                }
            }
        }
    }
    assert!(ran > 500, "{ran}");
}

/// A coefficient that is no number is said of one unit as of several, whose coefficients are alike.
#[test]
fn a_coefficient_that_is_no_number_is_said_for_every_number_of_units() {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    for tau in ["0 ms", "1e-320 s"] {
        for size in 1..4 {
            let text = format!(
                "simulation = {{ duration = '1 ms', dt = '0.1 ms' }}
                [models.m]
                equations = \"dx/dt = (y - x)/tau : 1\\ndy/dt = -y/tau : 1\"
                parameters.tau = {{ value = '{tau}', about = 'time' }}
                initial = {{ x = '1', y = '1' }}
                [populations.p]
                model = 'm'
                size = {size}
                [record.p]
                traces = [{{ variables = ['x'] }}]"
            );
            let source = run::Source { text, origin: None, name: "none".into(), variant: None };
            let spec = Arc::new(run::resolve(&source, &[]).unwrap_or_else(|e| panic!("{}", e.render(false))).0);
            run::examine(&spec).unwrap();
            let tell: run::Tell = Arc::new(|_| {});
            let options = run::Options { threads: 1, ..run::Options::default() };
            let ran = run::execute(&spec, options, &AtomicBool::new(false), &tell).unwrap();
            let told = ran.failure.unwrap_or_default();
            assert!(told.contains("of unit 0 of p has no finite value at 0.1 ms"), "{tau} {size}: {told}");
        }
    }
}
