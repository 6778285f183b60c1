//! `spikedeck list`: what there is.

use std::io::Write;

use serde_json::json;

use super::error::CliError;
use super::output::{self, Align, Grid, Tone};
use spikedeck_model::{DefinitionKind, library};
use spikedeck_run::{analyses, catalog, integrators};
use spikedeck_scenario::{Boundary, DISTRIBUTIONS, RULES, SCENARIO, STIMULI, Words, built_in, reference};

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to list
    #[arg(value_enum, default_value = "scenarios")]
    pub what: What,
    /// Print one JSON object an entry
    #[arg(long)]
    pub json: bool,
    /// Print a Markdown table (the README's lists)
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// For scenarios: which of them, and which tests, show each line of the checklist of earlier programs
    #[arg(long)]
    pub coverage: bool,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum What {
    /// Built-in scenarios
    Scenarios,
    /// Neurons, neural masses, oscillators
    Models,
    /// Receptors that models carry
    Receptors,
    /// Currents and ion pools in the membrane of trees
    Channels,
    /// Rules by which connections change
    Plasticity,
    /// Kinds of stimuli
    Stimuli,
    /// Rules by which units are connected
    Rules,
    /// Distributions of values that differ between units or connections
    Distributions,
    /// What lies beyond the ends of a grid
    Boundaries,
    /// Sections of a scenario file
    Sections,
    /// Every key of a scenario file, and the columns of files: a page in Markdown
    Keys,
    /// Estimators
    Analyses,
    /// Integrators
    Integrators,
}

/// A listed thing: name, one line, further facts.
struct Entry {
    name: String,
    summary: String,
    extra: Vec<(&'static str, serde_json::Value)>,
}

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    if args.coverage {
        return super::coverage::list(args);
    }
    if args.what == What::Keys {
        let mut out = output::out();
        write!(out, "{}", reference(&catalog(), &[]))?;
        return Ok(out.flush()?);
    }
    let entries = entries(args.what);
    let mut out = output::out();
    if args.json {
        for entry in &entries {
            let mut object = json!({ "name": entry.name, "summary": entry.summary });
            for (key, value) in &entry.extra {
                object[*key] = value.clone();
            }
            writeln!(out, "{object}")?;
        }
    } else if args.markdown {
        writeln!(out, "| Name | What it is |\n|---|---|")?;
        for entry in &entries {
            // A bar would end the cell.
            writeln!(out, "| `{}` | {} |", entry.name, entry.summary.replace('|', "\\|"))?;
        }
    } else {
        let mut grid = Grid::new(&[Align::Left, Align::Left]);
        for entry in &entries {
            grid.row([entry.name.clone(), entry.summary.clone()], Tone::Plain);
        }
        grid.write(&mut out, "", false, output::colour_on_stdout())?;
    }
    Ok(out.flush()?)
}

fn entries(what: What) -> Vec<Entry> {
    let plain =
        |name: &str, summary: &str| Entry { name: name.to_owned(), summary: summary.to_owned(), extra: Vec::new() };
    match what {
        What::Scenarios => built_in()
            .iter()
            .map(|s| {
                let variants =
                    if s.variants.is_empty() { String::new() } else { format!("  (:{})", s.variants.join(", :")) };
                Entry {
                    name: s.name.clone(),
                    summary: format!("{}{variants}", s.title),
                    extra: vec![("tags", json!(s.tags)), ("variants", json!(s.variants))],
                }
            })
            .collect(),
        What::Models => definitions(DefinitionKind::Model),
        What::Receptors => definitions(DefinitionKind::Receptor),
        What::Channels => definitions(DefinitionKind::Channel),
        What::Plasticity => definitions(DefinitionKind::Plasticity),
        What::Stimuli => STIMULI.kinds.iter().map(|k| plain(k.name, k.about)).collect(),
        What::Rules => RULES.kinds.iter().chain(RULES.others).map(|k| plain(k.name, k.about)).collect(),
        What::Distributions => DISTRIBUTIONS.keys.iter().map(|k| plain(k.name, k.about)).collect(),
        What::Boundaries => Boundary::WORDS.iter().map(|w| plain(w.name, w.about)).collect(),
        What::Sections | What::Keys => SCENARIO.keys.iter().map(|k| plain(k.name, k.about)).collect(),
        What::Analyses => analyses()
            .iter()
            .map(|a| {
                let card = a.card();
                Entry {
                    name: a.declaration().kind.to_owned(),
                    summary: card.summary.to_owned(),
                    extra: vec![
                        ("title", json!(card.title)),
                        ("synonyms", json!(card.synonyms)),
                        ("references", json!(card.references)),
                    ],
                }
            })
            .collect(),
        What::Integrators => integrators().iter().map(|(name, about)| plain(name, about)).collect(),
    }
}

/// Names with one line each, from the files' own text: nothing is compiled for a list.
fn definitions(kind: DefinitionKind) -> Vec<Entry> {
    let library = library();
    library
        .names(kind)
        .into_iter()
        .map(|name| {
            let table: toml::Table = library.text(kind, name).and_then(|t| t.parse().ok()).unwrap_or_default();
            let text = |key: &str| table.get(key).and_then(toml::Value::as_str).unwrap_or("").trim().to_owned();
            let presets: Vec<&String> =
                table.get("presets").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys).collect();
            Entry {
                name: name.to_owned(),
                summary: text("summary"),
                extra: vec![
                    ("title", json!(text("title"))),
                    ("presets", json!(presets)),
                    ("references", json!(table.get("references"))),
                ],
            }
        })
        .collect()
}
