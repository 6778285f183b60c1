//! The card of a model, receptor or plasticity rule, as `explain` and the dashboard show it.

use super::{Definition, DefinitionKind};
use spikedeck_core::units::{Quantity, display_unit};
use spikedeck_equation::TimeUnit;
use spikedeck_equation::system::Typeset;
use spikedeck_signal::{Card, CardSection};

/// The heading of the table of parameters.
pub const PARAMETERS: &str = "Parameters";

/// Sections of the card: what it is, its equations typeset, parameters with units and meaning, presets, references.
pub fn card(definition: &Definition) -> Card {
    let d = definition;
    let starts = columns(&d.initial.iter().map(|(n, v)| vec![n.clone(), v.clone()]).collect::<Vec<_>>());
    let sections = [
        CardSection::prose("What it is", format!("{}\n\n{}", d.summary, d.description).trim()),
        CardSection::kept("Equations", equations(d)),
        CardSection::prose("Mathematics", &d.mathematics),
        CardSection::kept(PARAMETERS, parameters(d)),
        CardSection::kept("Starts from", starts),
        CardSection::kept("Presets", presets(d)),
        CardSection::prose("Relevance", &d.relevance),
        CardSection::prose("Applications", &d.applications),
        CardSection::list("References", d.references.join("\n")),
    ];
    Card { sections: sections.into_iter().filter(|s| !s.text.trim().is_empty()).collect() }
}

fn equations(d: &Definition) -> String {
    let line = |(part, text)| match part {
        // What is carried has one port, and its name says nothing.
        Typeset::Event(_) => format!("at an arriving event: {text}"),
        _ => text,
    };
    let mut lines: Vec<String> = match &d.rule {
        Some(rule) => rule.typeset(),
        None => d.system.typeset_parts().into_iter().map(line).collect(),
    };
    let texts = &d.texts;
    if !texts.inputs.is_empty() {
        let ports: Vec<String> = texts.inputs.iter().map(|i| format!("{} ({})", i.name, i.dimension)).collect();
        lines.push(format!("inputs: {}", ports.join(", ")));
    }
    if !texts.given.is_empty() && d.kind == DefinitionKind::Plasticity {
        let names: Vec<String> = texts.given.iter().map(|i| format!("{} ({})", i.name, i.dimension)).collect();
        lines.push(format!("given by the two units: {}", names.join(", ")));
    }
    if let (DefinitionKind::Receptor | DefinitionKind::Channel, Some(port)) = (d.kind, &d.port) {
        lines.push(format!("adds to the input {port} of the model that carries it"));
    }
    match d.system.time_unit() {
        TimeUnit::Dimensional => {}
        TimeUnit::Millisecond => lines.push("plain numbers; time in milliseconds".to_owned()),
        TimeUnit::Second => lines.push("plain numbers; time in seconds".to_owned()),
        TimeUnit::Dimensionless => lines.push("dimensionless; durations are bare numbers".to_owned()),
    }
    lines.join("\n")
}

fn parameters(d: &Definition) -> String {
    let rows: Vec<Vec<String>> = d
        .parameters
        .iter()
        .map(|p| {
            let shown = |v: f64| Quantity { value: v, dimension: p.dimension }.to_string();
            let range = match (p.min, p.max) {
                (Some(a), Some(b)) => format!("{} to {}", shown(a), shown(b)),
                (Some(a), None) => format!("from {}", shown(a)),
                (None, Some(b)) => format!("up to {}", shown(b)),
                (None, None) => String::new(),
            };
            vec![p.name.clone(), p.default_text.clone(), p.about.clone(), range]
        })
        .collect();
    columns(&rows)
}

fn presets(d: &Definition) -> String {
    let mut lines = Vec::new();
    for preset in &d.presets {
        let mut values: Vec<String> = preset
            .parameters
            .iter()
            .map(|(name, value)| {
                let dimension = d.parameter(name).map_or_else(Default::default, |p| p.dimension);
                let unit = display_unit(dimension);
                let number = spikedeck_core::units::short(value / unit.scale);
                if unit.symbol.is_empty() {
                    format!("{name} = {number}")
                } else {
                    format!("{name} = {number} {}", unit.symbol)
                }
            })
            .collect();
        values.extend(preset.initial.iter().map(|(n, v)| format!("{n}(0) = {v}")));
        values.extend(preset.integrator.iter().map(|i| format!("integrator {i}")));
        values.extend(preset.substeps.iter().map(|s| format!("{s} substeps")));
        let about = if preset.about.is_empty() { String::new() } else { format!(": {}", preset.about) };
        lines.push(format!("{}{about}", preset.name));
        if !values.is_empty() {
            lines.push(format!("    {}", values.join(", ")));
        }
    }
    lines.join("\n")
}

/// Rows with aligned columns.
fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |c: usize| rows.iter().filter_map(|r| r.get(c)).map(|s| s.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .enumerate()
                .map(|(c, s)| format!("{s}{}", " ".repeat(widths[c] - s.chars().count())))
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect();
    lines.join("\n")
}
