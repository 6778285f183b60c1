//! Cards of a run and of its models: text panes.

use spikedeck_core::number::{distinct, unit_text};
use spikedeck_run::{Check, Finished, Status};
use spikedeck_signal::Card;

/// How a run was made and whether it is what it should be.
pub(crate) fn run_card(run: &Finished) -> Card {
    let mut sections = Vec::new();
    // What there is to see comes first, unless something went wrong.
    let well = run.status == Status::Complete && run.checks.iter().all(|c| c.passed);
    let about =
        run.spec.as_ref().filter(|s| !s.description.is_empty()).map(|s| (s.title.clone(), flowing(&s.description)));
    sections.extend(about.clone().filter(|_| well));
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
            crate::number::short(spec.simulation.dt / spec.simulation.time_base.seconds()),
            spec.simulation.time_base.unit()
        ));
    }
    let counted: Vec<String> = [(f.connections, "connections"), (f.spikes, "spikes"), (f.events, "synaptic events")]
        .into_iter()
        .filter(|c| c.0 > 0)
        .map(|(n, what)| format!("{} {what}", crate::number::count(n)))
        .collect();
    if !counted.is_empty() {
        facts.push(counted.join("   "));
    }
    if f.simulate_seconds > 0.0 {
        facts.push(format!(
            "built in {}, simulated in {}, analysed in {} on {} thread{}",
            crate::number::lasted(f.build_seconds),
            crate::number::lasted(f.simulate_seconds),
            crate::number::lasted(f.analyse_seconds),
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
        sections.extend(about.filter(|_| !well));
        if !spec.references.is_empty() {
            sections.push(("References".to_owned(), spec.references.join("\n")));
        }
    }
    Card::prose(sections)
}

fn check_line(check: &Check) -> String {
    let (found, range) = (check.found_in_words(), check.range_in_words());
    let is_named = check.found.is_some() && !check.unit.is_empty();
    let unit = if is_named { format!(" {}", unit_text(&check.unit)) } else { String::new() };
    let mark = if check.passed { "✓" } else { "✗ failed" };
    let note = if check.note.is_empty() { String::new() } else { format!(" · {}", check.note) };
    format!("{mark} {}: {} = {found}{unit} ({range}){note}", check.name, check.metric)
}

/// Lines that were broken because the file is narrow flow together again; short lines (lists, equations) stay lines.
pub(crate) fn flowing(text: &str) -> String {
    let mut out = String::new();
    let mut long = false;
    for line in text.trim().lines() {
        if !out.is_empty() {
            out.push(if long && !line.trim().is_empty() && !line.starts_with(' ') { ' ' } else { '\n' });
        }
        out.push_str(line.trim_end());
        long = line.chars().count() >= BROKEN;
    }
    out
}

/// A line of at least this length ends because the file does.
const BROKEN: usize = 70;

/// Ours and the number of an earlier program, where the scenario has one.
fn original_line(check: &Check) -> Option<String> {
    let original = check.original?;
    let known: Vec<f64> = check.found.into_iter().chain([original]).collect();
    let shown = |v: f64| distinct(v, &known);
    let (original, found) = (shown(original), check.found.map_or_else(|| "no value".to_owned(), shown));
    let unit = if check.unit.is_empty() { String::new() } else { format!(" {}", check.unit) };
    Some(format!("{}: here {found}{unit}, original {original}{unit} · {}", check.name, check.reason))
}

/// What a model is, from its file.
pub(crate) fn model_card(model: &spikedeck_model::Definition) -> Card {
    let mut sections = Vec::new();
    let mut add = |title: &str, text: &str| {
        if !text.trim().is_empty() {
            sections.push((title.to_owned(), text.trim().to_owned()));
        }
    };
    add(&model.title, &model.summary);
    add("Description", &flowing(&model.description));
    add("Mathematics", &flowing(&model.mathematics));
    let parameters: Vec<String> =
        model.parameters.iter().map(|p| format!("{} = {}   {}", p.name, p.default_text, p.about)).collect();
    add("Parameters (defaults)", &parameters.join("\n"));
    add("Relevance", &flowing(&model.relevance));
    add("Applications", &flowing(&model.applications));
    add("References", &model.references.join("\n"));
    Card::prose(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_flows_and_lists_stay() {
        let long = "a".repeat(BROKEN);
        assert_eq!(
            flowing(&format!("{long}\nand on\nx = 1\n\n{long}\n\nb")),
            format!("{long} and on\nx = 1\n\n{long}\n\nb")
        );
    }

    #[test]
    fn a_narrow_range_is_told_apart() {
        let check = Check {
            name: "peak".into(),
            metric: "m".into(),
            found: Some(11.9014),
            min: Some(11.901),
            max: Some(11.902),
            unit: "ms".into(),
            passed: true,
            note: String::new(),
            original: None,
            reason: String::new(),
        };
        assert_eq!(check_line(&check), "✓ peak: m = 11.9014 ms (11.901 to 11.902)");
    }
}
