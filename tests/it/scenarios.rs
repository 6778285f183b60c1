//! Every shipped scenario, in all its variants, runs to its end and finds what it expects.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use spikedeck::signal::Shape;
use spikedeck::tui::content::Content;
use spikedeck::{plot, run, scenario};

/// Runs one scenario and says what is wrong with it.
fn complaints(reference: &str) -> Vec<String> {
    let spec = match run::load(reference, &[]) {
        Ok((spec, _)) => Arc::new(spec),
        Err(e) => return vec![format!("{reference}: {}", e.render(false))],
    };
    let mut found = Vec::new();
    if spec.expect.is_empty() {
        found.push(format!("{reference}: a shipped scenario states what it expects"));
    }
    let options = run::Options { threads: 1, ..run::Options::default() };
    // Trials are part of what a scenario is; the points of a sweep would take long, and each stands for itself.
    let (cancel, tell): (_, run::Tell) = (AtomicBool::new(false), Arc::new(|_| {}));
    let finished = if spec.trials.is_some() {
        let points = run::points(&spec, &|more| run::again(&spec, more)).unwrap();
        run::ensemble(&spec, &points, options, &cancel, &tell).map(|e| e.finished)
    } else {
        run::execute(&spec, options, &cancel, &tell).map(Arc::new)
    };
    match finished {
        Err(e) => found.push(format!("{reference}: {e}")),
        Ok(finished) => {
            // A scenario may show how a scheme fails; then it says when.
            let fails = spec.expect.iter().any(|e| e.metric == scenario::FAILURE_TIME);
            if finished.status != if fails { run::Status::Failed } else { run::Status::Complete } {
                found.push(format!("{reference}: {:?} {:?}", finished.status, finished.failure));
            }
            if finished.checks.is_empty() {
                found.push(format!("{reference}: nothing was checked"));
            }
            found.extend(finished.checks.iter().filter(|c| !c.passed).map(|c| {
                format!(
                    "{reference}: {} = {:?}, expected in [{:?}, {:?}]: {} ({})",
                    c.metric, c.found, c.min, c.max, c.name, c.note
                )
            }));
            found.extend(solid_panes(&finished).into_iter().map(|text| format!("{reference}: {text}")));
        }
    }
    found
}

/// Panes of the dashboard in which thirty full cells stand in a row: a block from which nothing can be read. Bars are
/// filled, which is what they are.
fn solid_panes(finished: &Arc<run::Finished>) -> Vec<String> {
    let mut look = plot::Look::default();
    look.palette.depth = plot::Depth::Indexed;
    let is_full = |c: char| matches!(c, '⣿' | '█');
    let mut found = Vec::new();
    for (nth, pane) in Content::of(finished).panes.iter().enumerate() {
        if matches!(pane.shape.shape, Shape::Distribution(_) | Shape::Scalars(_) | Shape::Card(_)) {
            continue;
        }
        // As at 120x40: the first pane has the width, the others half of it.
        let (width, height) = if nth == 0 { (120, 13) } else { (59, 10) };
        let scene = plot::scene::of(&pane.shape, &plot::View::default());
        let text = plot::cells::render(&scene, width, height, &look).grid.to_plain();
        let longest = |line: &str| line.split(|c| !is_full(c)).map(|run| run.chars().count()).max().unwrap_or(0);
        let most = text.lines().map(longest).max().unwrap_or(0);
        if most >= 30 {
            found.push(format!("pane `{}` has {most} full cells in a row:\n{text}", pane.title));
        }
    }
    found
}

#[test]
fn every_shipped_scenario_finds_what_it_expects() {
    let mut references = Vec::new();
    // Circuits that take minutes and gigabytes run when asked for: SPIKEDECK_LARGE=1.
    let large = std::env::var_os("SPIKEDECK_LARGE").is_some();
    for built_in in scenario::built_in().iter().filter(|b| large || !b.tags.iter().any(|t| t == "large")) {
        references.push(built_in.name.clone());
        if let Ok((spec, _)) = run::load(&built_in.name, &[]) {
            references.extend(spec.variants.iter().map(|v| format!("{}:{v}", built_in.name)));
        }
    }
    assert!(references.len() >= 20, "only {} scenarios are shipped", references.len());
    // Two at a time: the largest networks take most of a core each.
    let queue = Mutex::new(references.into_iter());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|s| {
        for _ in 0..2 {
            s.spawn(|| {
                loop {
                    let Some(reference) = queue.lock().unwrap().next() else { break };
                    let bad = complaints(&reference);
                    found.lock().unwrap().extend(bad);
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
