//! How numbers were come by, in a paragraph for the methods section of a paper: made from the card, the options, and
//! what the numbers say of themselves.

use std::collections::BTreeSet;

use super::seen::looked_at;
use spikedeck_analysis as analysis;
use spikedeck_core::number;
use spikedeck_core::units::{Dimension, Quantity};
use spikedeck_scenario::{AnalysisSpec, OptionKind, OptionValue, Subject};
use spikedeck_signal::{Basis, Outcome, Recording, TimeBase};

/// A paragraph about one analysis of a recording, alone or in a scenario; `None` where it has no result.
pub fn methods(
    outcome: &Outcome,
    spec: &AnalysisSpec,
    (recording, in_scenario): (&Recording, bool),
    (seed, version): (u64, &str),
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
    text.push(format!("spikedeck {version}; {}.", card.references.join("; ")));
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

/// What the numbers rest on, what chance was, what kind of interval they have and how p-values were corrected: as the
/// estimator says it, each once.
fn numbers(outcome: &Outcome) -> Vec<String> {
    let mut text = Vec::new();
    let n: BTreeSet<u64> = outcome.metrics.iter().filter_map(|m| m.n).filter(|n| *n > 0).collect();
    match (n.first(), n.last()) {
        (Some(least), Some(most)) if least == most => text.push(format!("n = {least}.")),
        (Some(least), Some(most)) => text.push(format!("n = {least} to {most} (each number has its own).")),
        (None, _) | (_, None) => {}
    }
    let uncertain = grounds(outcome, &[Basis::Interval, Basis::Chance, Basis::Null]);
    if !uncertain.is_empty() {
        text.push(format!("Uncertainty: {}.", uncertain.join("; ")));
    }
    let family = outcome.metrics.iter().filter(|m| m.is_adjusted()).count();
    if family > 0 {
        let mut tests = vec![format!("a family of {family}")];
        tests.extend(grounds(outcome, &[Basis::Correction]).into_iter().map(str::to_owned));
        text.push(format!("Multiple tests: {}.", tests.join(", ")));
    }
    text
}

/// What is told of some kinds; sentences that differ in their numbers alone are one.
fn grounds<'o>(outcome: &'o Outcome, of: &[Basis]) -> Vec<&'o str> {
    let mut seen = BTreeSet::new();
    let is_number = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
    let told = outcome.grounds.iter().filter(|g| of.contains(&g.of)).map(|g| g.words.as_str());
    told.filter(|words| seen.insert(words.replace(is_number, ""))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_signal::Metric;
    use std::collections::BTreeMap;

    #[test]
    fn a_paragraph_has_parameters_n_null_seed_version_and_doi() {
        let number = |name: &str, n: u64| Metric::new(name, "transfer_entropy", 0.1, "bits", n);
        let tested = |name: &str, by: &str| number(name, 900).p(0.01).null_by(by).interval_by("95 % jackknife");
        let mut outcome = Outcome {
            metrics: vec![
                tested("a->b", "p against 199 surrogates").interval(0.0, 1.0),
                // A word in a note is no ground, nor is what is told of an interval that is none.
                tested("b->a", "p against 250 surrogates").note("the 95 % quantile of surrogates by chance"),
                Metric::adjusted("a->b", 0.01, 900, "Holm over all pairs"),
                Metric::adjusted("b->a", 0.5, 900, "Holm over all pairs"),
            ],
            ..Outcome::default()
        };
        outcome.gather_grounds();
        let options = BTreeMap::from([
            ("bin", OptionValue::Number(0.005)),
            ("target_history", OptionValue::Integer(2)),
            ("estimator", OptionValue::Text("plugin".into())),
        ]);
        let (of, source, target) = (Vec::new(), Vec::new(), Vec::new());
        let spec = AnalysisSpec { name: "x".into(), kind: "transfer_entropy".into(), of, source, target, options };
        let text = methods(&outcome, &spec, (&Recording::default(), false), (7, "1.2.3")).unwrap();
        for part in [
            "Transfer entropy (transfer_entropy)",
            "bin 5 ms",
            "target history 2",
            "estimator plugin",
            "n = 900.",
            "Uncertainty: 95 % jackknife; p against 199 surrogates.",
            "Multiple tests: a family of 2, Holm over all pairs.",
            "seed 7",
            "spikedeck 1.2.3;",
            "doi:10.1103/PhysRevLett.85.461",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("250") && !text.contains("quantile") && !text.contains('\n'));
        assert!(methods(&Outcome::default(), &spec, (&Recording::default(), false), (7, "1.2.3")).is_none());
    }
}
