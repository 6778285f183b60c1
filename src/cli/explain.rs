//! `spikedeck explain`: the card of a model, receptor, channel, plasticity rule, analysis or scenario, or of a part
//! of the scenario language.

use std::io::Write;
use std::sync::atomic::AtomicBool;

use super::error::CliError;
use super::explain_language::{self, what};
use super::output::{self, Tone, tone};
use spikedeck_analysis as analysis;
use spikedeck_core::diagnostic::did_you_mean;
use spikedeck_equation::TimeUnit;
use spikedeck_model::{self as model, DefinitionKind, library};
use spikedeck_run::{self as run, analyses, integrators};
use spikedeck_scenario::catalog::{AnalysisDeclaration, WithoutUnits};
use spikedeck_scenario::{OptionKind, built_in, find_built_in};
use spikedeck_signal::{Card, CardSection, Lines};
use spikedeck_sim::Network;

/// Kinds of things that have cards: one, and several of them.
const KINDS: [(&str, &str); 12] = [
    ("model", "models"),
    ("receptor", "receptors"),
    ("channel", "channels"),
    ("plasticity", "plasticity"),
    ("analysis", "analyses"),
    ("integrator", "integrators"),
    ("stimulus", "stimuli"),
    ("rule", "rules"),
    ("distribution", "distributions"),
    ("boundary", "boundaries"),
    ("section", "sections"),
    ("scenario", "scenarios"),
];

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name, or KIND/NAME where two kinds share it (model/, receptor/, channel/, plasticity/, analysis/, integrator/,
    /// stimulus/, rule/, distribution/, boundary/, section/, scenario/)
    #[arg(value_name = "[KIND/]NAME")]
    pub name: String,
}

/// What is wrong with a word before the `/`, and what would be right.
fn no_kind(word: &str) -> String {
    let help = match did_you_mean(word, KINDS.iter().flat_map(|k| [k.0, k.1])) {
        Some(near) => format!("did you mean `{near}/`?"),
        None => format!("there are {}", KINDS.map(|k| format!("{}/", k.0)).join(", ")),
    };
    format!("`{word}` is no kind; {help}")
}

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let (kind, name) = match args.name.split_once('/') {
        Some((kind, name)) => (Some(kind), name),
        None => (None, args.name.as_str()),
    };
    // Every kind by one word and by many of it, which is how lists and folders call it.
    let kind = match kind {
        None => None,
        Some(word) => match KINDS.iter().find(|k| k.0 == word || k.1 == word) {
            Some((one, _)) => Some(*one),
            None => return Err(CliError::Usage(no_kind(word))),
        },
    };
    let wants = |this: &str| kind.is_none_or(|k| k == this);
    let mut found: Vec<(String, Card)> = Vec::new();
    for k in DefinitionKind::ALL {
        if wants(k.word())
            && let Some(definition) = library().get(k, name)
        {
            let mut card = model::card(&definition);
            if let Some(text) = integrator(&definition).filter(|_| k == DefinitionKind::Model) {
                let parameters = card.sections.iter().position(|s| s.heading == model::PARAMETERS);
                let at = parameters.map_or(card.sections.len(), |i| i + 1);
                card.sections.insert(at, CardSection::prose("Integrator", text));
            }
            found.push((format!("{}  {}/{}", definition.title, k.word(), definition.name), card));
        }
    }
    if wants("analysis")
        && let Some(analysis) = analysis::find(name)
    {
        found.push(analysis_found(analysis));
    }
    if wants("integrator")
        && let Some((name, about)) = integrators().into_iter().find(|i| i.0 == name)
    {
        found.push((format!("{name}  integrator"), Card { sections: vec![what(about)] }));
    }
    found.extend(explain_language::found(name, &wants));
    if wants("scenario")
        && let Some(scenario) = find_built_in(name)
    {
        let mut sections = vec![CardSection::prose("What it shows", &scenario.description)];
        if !scenario.variants.is_empty() {
            sections.push(CardSection::prose("Variants", scenario.variants.join(", ")));
        }
        let lines = format!("spikedeck run {name}\nspikedeck {name}\nspikedeck show {name}");
        sections.push(CardSection::list("Run it", lines));
        found.push((format!("{}  scenario/{name}", scenario.title), Card { sections }));
    }
    if found.is_empty() && wants("analysis") {
        found.extend(analyses().iter().filter(|a| a.declaration().is_called(name)).map(|a| analysis_found(*a)));
    }
    if found.is_empty() {
        return Err(CliError::Usage(unknown(name)));
    }
    let colour = output::colour_on_stdout();
    let mut out = output::out();
    for (k, (title, card)) in found.iter().enumerate() {
        if k > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}", tone(title, Tone::Bold, colour))?;
        for CardSection { heading, text, lines } in &card.sections {
            writeln!(out)?;
            writeln!(out, "{}", tone(heading, Tone::Bold, colour))?;
            let lines = match lines {
                Lines::Kept => text.lines().map(ToOwned::to_owned).collect(),
                Lines::Each => output::wrap(text.trim(), output::width() - 2),
                Lines::Flow => output::wrap(&joined(text), output::width() - 2),
            };
            for line in lines {
                writeln!(out, "{}", format!("  {line}").trim_end())?;
            }
        }
    }
    Ok(out.flush()?)
}

/// What `auto` chooses for a model at its defaults, and why. A model is put where it can stand: on a point, a grid or a
/// cable.
fn integrator(definition: &model::Definition) -> Option<String> {
    let plain = definition.system.time_unit() == TimeUnit::Dimensionless;
    let (duration, dt) = if plain { ("1", "0.01") } else { ("\"10 ms\"", "\"0.1 ms\"") };
    let places = [
        "",
        "grid = { shape = [8], spacing = 1 }",
        "grid = { shape = [8], spacing = \"1 mm\" }",
        "cable = { length = \"100 um\", diameter = \"2 um\" }",
    ];
    let chosen = places.iter().find_map(|place| {
        let text = format!(
            "[simulation]\nduration = {duration}\ndt = {dt}\n[populations.p]\nmodel = \"{}\"\n{place}\n",
            definition.name
        );
        let source = run::Source { text, origin: None, name: definition.name.clone(), variant: None };
        let (spec, _) = run::resolve(&source, &[]).ok()?;
        let network = Network::build(&spec, 1, &AtomicBool::new(false)).ok()?;
        network.integrators().into_iter().next().map(|(_, why)| why)
    })?;
    Some(format!("{chosen} (dt = {}, parameters at their defaults)", dt.trim_matches('"')))
}

/// Paragraphs, each on one line: the line breaks of the file are not those of this terminal.
fn joined(text: &str) -> String {
    let mut out = String::new();
    for line in text.trim().lines() {
        let starts = line.trim().is_empty() || line.starts_with([' ', '-', '*']);
        if !out.is_empty() {
            out.push(if starts || out.ends_with('\n') { '\n' } else { ' ' });
        }
        out.push_str(line.trim_end());
    }
    out
}

fn analysis_found(analysis: &dyn analysis::Analysis) -> (String, Card) {
    (format!("{}  analysis/{}", analysis.card().title, analysis.declaration().kind), analysis_card(analysis))
}

fn analysis_card(analysis: &dyn analysis::Analysis) -> Card {
    let card = analysis.card();
    let declaration = analysis.declaration();
    let sections = [
        what(card.summary),
        CardSection::prose("Also called", card.synonyms.join(", ").replace('_', " ")),
        CardSection::kept("Equations", card.formula),
        CardSection::prose("Assumptions", card.assumptions),
        CardSection::prose("Bias", card.bias),
        CardSection::prose("Cost", card.cost),
        CardSection::prose("When it lies", card.caveats),
        CardSection::kept("Options", options(&declaration)),
        CardSection::list("References", card.references.join("\n")),
    ];
    Card { sections: sections.into_iter().filter(|s| !s.text.trim().is_empty()).collect() }
}

/// One line an option: key, default, meaning, and what stands for the default where time has no unit.
fn options(declaration: &AnalysisDeclaration) -> String {
    let mut grid = output::Grid::new(&[output::Align::Left; 3]);
    for option in &declaration.options {
        let default = match (option.default, &option.kind) {
            (Some(text), OptionKind::Choice(words)) => format!("{text} (of {})", words.join(", ")),
            (Some(text), _) => text.to_owned(),
            // Its meaning says what holds without it.
            (None, _) => "optional".to_owned(),
        };
        let about = match declaration.without_units(option.key) {
            Some(WithoutUnits::Derived(how)) => format!("{} (where time has no unit: {how})", option.about),
            Some(WithoutUnits::Required) => format!("{} (where time has no unit it has to be said)", option.about),
            None => option.about.to_owned(),
        };
        grid.row([option.key.to_owned(), default, about], Tone::Plain);
    }
    let mut text = Vec::new();
    match grid.write(&mut text, "", false, false) {
        Ok(()) => String::from_utf8_lossy(&text).trim_end().to_owned(),
        Err(_) => String::new(),
    }
}

fn unknown(name: &str) -> String {
    let library = library();
    let mut names: Vec<&str> = library.names(DefinitionKind::Model);
    names.extend(library.names(DefinitionKind::Receptor));
    names.extend(library.names(DefinitionKind::Channel));
    names.extend(library.names(DefinitionKind::Plasticity));
    names.extend(analyses().iter().map(|a| a.declaration().kind));
    names.extend(analyses().iter().flat_map(|a| a.card().synonyms));
    names.extend(built_in().iter().map(|s| s.name.as_str()));
    names.extend(integrators().into_iter().map(|i| i.0));
    names.extend(explain_language::names());
    let begun: Vec<String> =
        names.iter().filter(|n| name.len() > 2 && n.starts_with(name)).map(|n| format!("`{n}`")).collect();
    if begun.len() > 1 {
        return format!("nothing is called `{name}` alone; there are {}", begun.join(", "));
    }
    match did_you_mean(name, names) {
        Some(near) => format!("nothing is called `{name}`; did you mean `{near}`?"),
        None => format!("nothing is called `{name}`; `spikedeck list models` and `spikedeck list analyses` name all"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_paragraph_are_joined() {
        assert_eq!(joined("one\ntwo\n\nthree\nfour\n- a\n- b\n"), "one two\n\nthree four\n- a\n- b");
    }

    #[test]
    fn kinds_are_named_by_one_or_many_and_by_nothing_else() {
        let kind = |text: &str| run(&Args { name: text.to_owned() });
        for word in ["analysi/psd", "analyse/psd", "stimulu/step", "modelss/lif", "/lif"] {
            let Err(CliError::Usage(said)) = kind(word) else { panic!("{word} is taken") };
            assert!(said.contains("is no kind"), "{said}");
        }
        for (one, many) in KINDS {
            for word in [one, many] {
                let Err(CliError::Usage(said)) = kind(&format!("{word}/nothing-of-this-name")) else {
                    panic!("{word}")
                };
                assert!(!said.contains("is no kind"), "{word}: {said}");
            }
        }
        assert!(no_kind("analysi").contains("did you mean `analysis/`?"), "{}", no_kind("analysi"));
    }

    /// What the field and other tools call it is found, and nothing that only looks alike is proposed.
    #[test]
    fn synonyms_are_found_and_nonsense_is_not_proposed() {
        for (word, kind) in [
            ("granger causality", "granger"),
            ("autocorrelation", "autocorrelogram"),
            ("plv", "phase_locking"),
            ("PLV", "phase_locking"),
            ("spike-field-coherence", "spike_field"),
            ("Welch", "psd"),
            ("te", "transfer_entropy"),
        ] {
            let meant: Vec<&str> =
                analyses().iter().map(|a| a.declaration()).filter(|d| d.is_called(word)).map(|d| d.kind).collect();
            assert_eq!(meant, [kind], "{word}");
            assert!(run(&Args { name: word.to_owned() }).is_ok(), "{word}");
        }
        for (word, nonsense) in [("stdp", "step"), ("zap", "tap"), ("mfcc", "mfc")] {
            assert!(!unknown(word).contains(&format!("`{nonsense}`?")), "{}", unknown(word));
        }
    }
}
