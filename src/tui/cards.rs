//! Cards of a run and of its models: text panes.

use crate::run::{Check, Finished, Status};
use crate::signal::Card;

/// How a run was made and whether it is what it should be.
pub(super) fn run_card(run: &Finished) -> Card {
    let mut sections = Vec::new();
    let status = match run.status {
        Status::Complete => "complete".to_owned(),
        Status::Interrupted => "interrupted: what was computed until then is shown".to_owned(),
        Status::Failed => format!("failed: {}", run.failure.as_deref().unwrap_or("no reason given")),
    };
    sections.push(("Status".to_owned(), status));
    if !run.checks.is_empty() {
        let lines: Vec<String> = run.checks.iter().map(check_line).collect();
        sections.push(("Expectations".to_owned(), lines.join("\n")));
    }
    let originals: Vec<String> = run.checks.iter().filter_map(original_line).collect();
    if !originals.is_empty() {
        sections.push(("Beside the original".to_owned(), originals.join("\n")));
    }
    if !run.warnings.is_empty() {
        sections.push(("To know".to_owned(), run.warnings.join("\n")));
    }
    let f = &run.facts;
    let mut facts = Vec::new();
    if let Some(spec) = &run.spec {
        facts.push(format!(
            "seed {}   step {} {}",
            spec.simulation.seed,
            super::number::short(spec.simulation.dt / spec.simulation.time_base.seconds()),
            spec.simulation.time_base.unit()
        ));
    }
    let counted: Vec<String> = [(f.connections, "connections"), (f.spikes, "spikes"), (f.events, "synaptic events")]
        .into_iter()
        .filter(|c| c.0 > 0)
        .map(|(n, what)| format!("{} {what}", super::number::count(n)))
        .collect();
    if !counted.is_empty() {
        facts.push(counted.join("   "));
    }
    if f.simulate_seconds > 0.0 {
        facts.push(format!(
            "built in {}, simulated in {}, analysed in {} on {} thread{}",
            super::number::lasted(f.build_seconds),
            super::number::lasted(f.simulate_seconds),
            super::number::lasted(f.analyse_seconds),
            f.threads,
            if f.threads == 1 { "" } else { "s" }
        ));
    }
    sections.push(("Facts".to_owned(), facts.join("\n")));
    if !f.integrators.is_empty() {
        let lines: Vec<String> = f.integrators.iter().map(|(p, why)| format!("{p}: {why}")).collect();
        sections.push(("Integrators".to_owned(), lines.join("\n")));
    }
    if let Some(spec) = &run.spec {
        if !spec.description.is_empty() {
            sections.push((spec.title.clone(), spec.description.clone()));
        }
        if !spec.references.is_empty() {
            sections.push(("References".to_owned(), spec.references.join("\n")));
        }
    }
    Card { sections }
}

fn check_line(check: &Check) -> String {
    let range = match (check.min, check.max) {
        (Some(a), Some(b)) => format!("{} to {}", super::number::short(a), super::number::short(b)),
        (Some(a), None) => format!("at least {}", super::number::short(a)),
        (None, Some(b)) => format!("at most {}", super::number::short(b)),
        (None, None) => "any value".to_owned(),
    };
    let found = check.found.map_or_else(|| "no value".to_owned(), super::number::short);
    let mark = if check.passed { "✓" } else { "✗ failed" };
    let note = if check.note.is_empty() { String::new() } else { format!(" · {}", check.note) };
    format!("{mark} {}: {} = {found} ({range}){note}", check.name, check.metric)
}

/// Ours and the number of an earlier program, where the scenario has one.
fn original_line(check: &Check) -> Option<String> {
    let original = super::number::short(check.original?);
    let found = check.found.map_or_else(|| "no value".to_owned(), super::number::short);
    let unit = if check.unit.is_empty() { String::new() } else { format!(" {}", check.unit) };
    Some(format!("{}: here {found}{unit}, original {original}{unit} · {}", check.name, check.reason))
}

/// What a model is, from its file.
pub(super) fn model_card(model: &crate::model::Definition) -> Card {
    let mut sections = Vec::new();
    let mut add = |title: &str, text: &str| {
        if !text.trim().is_empty() {
            sections.push((title.to_owned(), text.trim().to_owned()));
        }
    };
    add(&model.title, &model.summary);
    add("Description", &model.description);
    add("Mathematics", &model.mathematics);
    let parameters: Vec<String> = model.parameters.iter().map(|p| format!("{} = {}   {}", p.name, p.default_text, p.about)).collect();
    add("Parameters (defaults)", &parameters.join("\n"));
    add("Relevance", &model.relevance);
    add("Applications", &model.applications);
    add("References", &model.references.join("\n"));
    Card { sections }
}
