//! How numbers were come by, in a paragraph for the methods section of a paper: made from the card, the options, and
//! what the numbers say of themselves.

use std::collections::BTreeSet;

use super::seen::looked_at;
use spikedeck_analysis as analysis;
use spikedeck_core::number;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_scenario::{AnalysisSpec, OptionKind, OptionValue, Subject};
use spikedeck_signal::{Outcome, Recording, TimeBase};

/// A paragraph about one analysis of a recording, alone or in a scenario; `None` where it has no result.
pub fn methods(
    outcome: &Outcome,
    spec: &AnalysisSpec,
    (recording, in_scenario): (&Recording, bool),
    seed: u64,
) -> Option<String> {
    if outcome.metrics.is_empty() {
        return None;
    }
    let analysis = analysis::find(&spec.kind)?;
    let (card, base) = (analysis.card(), recording.time_base);
    let mut text = vec![format!("{} ({}): {}.", card.title, spec.kind, card.summary)];
    text.push(format!("Looked at: {}.", subjects(spec)));
    let (window, trials) = looked_at(recording, spec, in_scenario);
    text.push(format!(
        "Analysed: {} to {}{}.",
        number::with_unit(window.start, base.unit()),
        number::with_unit(window.stop, base.unit()),
        if trials > 1 { format!(" of each of {trials} trials") } else { String::new() }
    ));
    let given: Vec<String> = analysis
        .declaration()
        .options
        .iter()
        .filter_map(|o| Some(format!("{} {}", o.key.replace('_', " "), shown(spec.options.get(o.key)?, &o.kind, base))))
        .chain(
            outcome
                .settings
                .iter()
                .map(|s| format!("{} {} ({})", s.key.replace('_', " "), number::with_unit(s.value, &s.unit), s.how)),
        )
        .collect();
    if !given.is_empty() {
        text.push(format!("Parameters: {}.", given.join(", ")));
    }
    text.extend(numbers(outcome));
    text.push(format!("{} Random numbers: seed {seed}.", sentence(card.bias)));
    text.push(format!("spikedeck {}; {}.", env!("CARGO_PKG_VERSION"), card.references.join("; ")));
    Some(text.join(" "))
}

/// A text as a sentence that ends.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

fn subjects(spec: &AnalysisSpec) -> String {
    let names = |list: &[Subject]| list.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join(", ");
    match (spec.of.is_empty(), spec.source.is_empty()) {
        (false, _) => names(&spec.of),
        (true, false) => format!("source {}; target {}", names(&spec.source), names(&spec.target)),
        (true, true) => "all spikes".to_owned(),
    }
}

/// A value as it would be written, with its unit.
fn shown(value: &OptionValue, kind: &OptionKind, base: TimeBase) -> String {
    let timed = base == TimeBase::Milliseconds;
    match (value, kind) {
        (OptionValue::Number(v), OptionKind::Time) if timed => {
            Quantity { value: *v, dimension: Dimension::SECOND }.to_string()
        }
        (OptionValue::Number(v), OptionKind::Frequency) if timed => format!("{} Hz", number::literal(*v)),
        (OptionValue::Number(v), OptionKind::Quantity(dimension)) => {
            Quantity { value: *v, dimension: *dimension }.to_string()
        }
        (OptionValue::Text(word), _) => word.replace('_', " "),
        _ => value.to_string(),
    }
}

/// What the numbers rest on, what chance was, and what kind of interval they have: from their own notes, each said
/// once.
fn numbers(outcome: &Outcome) -> Vec<String> {
    let mut text = Vec::new();
    let n: BTreeSet<u64> = outcome.metrics.iter().filter_map(|m| m.n).filter(|n| *n > 0).collect();
    match (n.first(), n.last()) {
        (Some(least), Some(most)) if least == most => text.push(format!("n = {least}.")),
        (Some(least), Some(most)) => text.push(format!("n = {least} to {most} (each number has its own).")),
        _ => {}
    }
    // Notes that differ in their numbers alone are one.
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for piece in outcome.metrics.iter().flat_map(|m| m.note.split("; ")) {
        let tells = ["surrogate", "95 %", "chance", "permut", "corrected", "Benjamini"];
        let plain: String = piece.chars().filter(|c| !c.is_ascii_digit() && *c != '.' && *c != '-').collect();
        if tells.iter().any(|t| piece.contains(t)) && !piece.starts_with("no ") && seen.insert(plain) {
            kept.push(piece.to_owned());
        }
    }
    if !kept.is_empty() {
        text.push(format!("Uncertainty: {}.", kept.join("; ")));
    }
    let family = outcome.metrics.iter().filter(|m| m.metric == "p_adjusted").count();
    if family > 0 {
        text.push(format!("p-values were corrected over a family of {family}."));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_signal::Metric;
    use std::collections::BTreeMap;

    #[test]
    fn a_paragraph_has_parameters_n_null_seed_version_and_doi() {
        let number = |name: &str, n: u64| Metric::new(name, "transfer_entropy", 0.1, "bits", n);
        let outcome = Outcome {
            metrics: vec![
                number("a->b", 900).note("p against 199 surrogates").note("95 % delete-a-block jackknife"),
                number("b->a", 900).note("p against 150 surrogates").note("no interval: not told from 0"),
                Metric::new("a->b", "p_adjusted", 0.01, "", 900),
                Metric::new("b->a", "p_adjusted", 0.5, "", 900),
            ],
            ..Outcome::default()
        };
        let options = BTreeMap::from([
            ("bin", OptionValue::Number(0.005)),
            ("target_history", OptionValue::Integer(2)),
            ("estimator", OptionValue::Text("plugin".into())),
        ]);
        let (of, source, target) = (Vec::new(), Vec::new(), Vec::new());
        let spec = AnalysisSpec { name: "x".into(), kind: "transfer_entropy".into(), of, source, target, options };
        let text = methods(&outcome, &spec, (&Recording::default(), false), 7).unwrap();
        for part in [
            "Transfer entropy (transfer_entropy)",
            "bin 5 ms",
            "target history 2",
            "estimator plugin",
            "n = 900.",
            "p against 199 surrogates; 95 % delete-a-block jackknife.",
            "family of 2",
            "seed 7",
            env!("CARGO_PKG_VERSION"),
            "doi:10.1103/PhysRevLett.85.461",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("150") && !text.contains('\n'));
        assert!(methods(&Outcome::default(), &spec, (&Recording::default(), false), 7).is_none());
    }
}
