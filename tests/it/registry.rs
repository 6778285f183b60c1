//! What every model, receptor and analysis must have to be in the lists.

use spikedeck::model::{Kind, library};
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
    for kind in [Kind::Model, Kind::Receptor] {
        assert!(!library.names(kind).is_empty());
        for name in library.names(kind) {
            let definition = library.get(kind, name).unwrap();
            assert!(!definition.title.is_empty() && !definition.summary.is_empty(), "{name} has a title and a summary");
            assert!(!definition.references.is_empty(), "{name} has references");
            assert!(definition.parameters.iter().all(|p| !p.about.is_empty()), "each parameter of {name} has its meaning");
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
        assert!(analysis.declaration().options.iter().all(|o| !o.about.is_empty()), "each option of {kind} has its meaning");
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
        .names(Kind::Model)
        .into_iter()
        .filter(|name| !specs.iter().any(|s| s.populations.iter().any(|p| p.model.name == *name)))
        .collect();
    assert!(missing_models.is_empty(), "no scenario shows {missing_models:?}");
}

/// Every model runs at its defaults for a short while without leaving the finite numbers.
#[test]
fn every_model_runs_at_its_defaults() {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    for name in library().names(Kind::Model) {
        let definition = library().get(Kind::Model, name).unwrap();
        let plain = definition.system.time_unit() == spikedeck::equation::TimeUnit::Dimensionless;
        let (duration, dt) = if plain { ("duration = 10", "dt = 0.01") } else { ("duration = \"100 ms\"", "dt = \"0.05 ms\"") };
        let text = format!("[simulation]\n{duration}\n{dt}\n[populations.p]\nmodel = \"{name}\"\nsize = 3\n");
        let source = run::Source { text, origin: None, name: name.to_owned(), variant: None };
        let (spec, _) = run::resolve(&source, &[]).unwrap_or_else(|e| panic!("{name}: {}", e.render(false)));
        let tell: run::Tell = Arc::new(|_| {});
        let options = run::Options { threads: 1, ..run::Options::default() };
        let finished = run::execute(&Arc::new(spec), options, &AtomicBool::new(false), &tell).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(finished.status, run::Status::Complete, "{name}: {:?}", finished.failure);
    }
}
