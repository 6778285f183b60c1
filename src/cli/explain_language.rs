//! `spikedeck explain` of the parts of the scenario language: sections, and kinds of stimuli, rules, distributions and
//! boundaries, from their declarations.

use super::output::{Align, Grid, Tone};
use spikedeck_equation::FUNCTIONS;
use spikedeck_equation::space::{KernelShape, OPERATORS};
use spikedeck_scenario::language::{Family, Key, Section, Takes, WordOf};
use spikedeck_scenario::{Boundary, DISTRIBUTIONS, RULES, SCENARIO, STIMULI, Words, families, sections};
use spikedeck_signal::{Card, CardSection};

/// The heading of a line to copy.
const WRITE: &str = "Write it";

/// Everything of the language that is called `name`, where `wants` says whether a kind of thing is asked for.
pub(super) fn found(name: &str, wants: &dyn Fn(&str) -> bool) -> Vec<(String, Card)> {
    let mut found = Vec::new();
    let titled = |kind: &str| format!("{name}  {kind}");
    for family in families() {
        let (asked, title, line) = match family.name {
            n if n == STIMULI.name => ("stimulus", "stimulus".to_owned(), "[stimuli.NAME]\n".to_owned()),
            n if n == RULES.name => ("rule", "connection rule".to_owned(), "connect = ".to_owned()),
            "record" => ("section", "kind of `record`".to_owned(), "[record.NAME]\n".to_owned()),
            n => ("section", format!("kind of `{n}`"), format!("{n} = ")),
        };
        if wants(asked)
            && let Some(kind) = family.kind(name)
        {
            found.push((titled(&title), kind_card(family, kind, &line)));
        }
    }
    if wants("distribution")
        && let Some(key) = DISTRIBUTIONS.key(name)
    {
        found.push((titled("distribution"), distribution(key)));
    }
    if wants("boundary")
        && let Some(word) = Boundary::WORDS.iter().find(|w| w.name == name)
    {
        let line = format!("grid = {{ shape = [200], spacing = \"50 um\", boundary = \"{name}\" }}");
        let sections = vec![what(word.about), CardSection::kept(WRITE, line)];
        found.push((titled("boundary of a grid"), Card { sections }));
    }
    if wants("section") && name == EQUATIONS {
        found.push((titled("the language of models"), equations()));
    }
    if wants("section") {
        for section in sections().into_iter().chain([&SCENARIO, &DISTRIBUTIONS]).filter(|s| s.name == name) {
            found.push((titled("section of a scenario"), section_card(section)));
        }
        let table = |f: &Family| f.name == name || (f.name == STIMULI.name && name == "stimuli");
        for family in families().into_iter().filter(|f| table(f)) {
            found.push((titled("section of a scenario"), family_card(family)));
        }
    }
    found
}

/// Names that [`found`] knows.
pub(super) fn names() -> Vec<&'static str> {
    let kinds = |f: &'static Family| f.kinds.iter().chain(f.others).map(|k| k.name);
    let words = |w: &'static [WordOf]| w.iter().map(|w| w.name);
    families()
        .into_iter()
        .flat_map(kinds)
        .chain(DISTRIBUTIONS.keys.iter().map(|k| k.name))
        .chain(words(Boundary::WORDS))
        .chain(sections().into_iter().map(|s| s.name))
        .chain([SCENARIO.name, DISTRIBUTIONS.name, EQUATIONS])
        .chain(families().into_iter().map(|f| f.name))
        .collect()
}

/// The page of the language in which models are written.
const EQUATIONS: &str = "equations";

/// How equations are written: lines, units, names, functions, operators in space, and what happens at a spike.
fn equations() -> Card {
    let mut functions = Grid::new(&[Align::Left; 2]);
    for function in FUNCTIONS {
        functions.row([function.written(), function.about.to_owned()], Tone::Plain);
    }
    let mut operators = Grid::new(&[Align::Left; 2]);
    for (operator, about) in OPERATORS {
        operators.row([*operator, *about], Tone::Plain);
    }
    let kernels: Vec<&str> = KernelShape::LIST.iter().map(|k| k.0).collect();
    let said = |heading: &str, lines: &[&str]| CardSection::prose(heading, lines.join("\n"));
    let lines = |heading: &str, lines: &[(&str, &str)]| {
        let mut grid = Grid::new(&[Align::Left; 2]);
        for (line, about) in lines {
            grid.row([*line, *about], Tone::Plain);
        }
        CardSection::kept(heading, text(&grid))
    };
    Card {
        sections: vec![
            what("one equation a line, with the unit of its variable behind a colon"),
            lines(
                "Lines",
                &[
                    ("dV_m/dt = (E_L - V_m + R_m*I)/tau_m : V", "the rate of a state (`: V` is the unit of V_m)"),
                    ("I_Na = g_Na*m**3*h*(E_Na - V_m) : A", "a named subexpression, which can be recorded"),
                    (
                        "dx/dt = -x/tau + sigma*sqrt(2/tau)*xi : 1",
                        "`xi`: white noise, one a unit and equation, unit s**-0.5",
                    ),
                ],
            ),
            said(
                "Units",
                &[
                    "A quantity stands in brackets, `[13 mV]`; a bare number has no unit. Units are no names: `13*mV` \
                     is",
                    "`[13 mV]`, and `m`, `h`, `A`, `s` are free for gates and parameters. Both sides are checked.",
                    "`time_unit = \"ms\"` or `\"s\"` is for published equations of plain numbers, `\"1\"` for systems \
                     without time.",
                ],
            ),
            said(
                "Names",
                &[
                    "states, parameters, inputs, subexpressions, `t` (time), and `pi`. Operators: + - * / **, \
                     comparisons with",
                    "`and`, `or`, `not`.",
                ],
            ),
            CardSection::kept("Functions", text(&functions)),
            CardSection::kept("On grids and trees", format!("{}\nkernels: {}", text(&operators), kernels.join(", "))),
            lines(
                "At a spike",
                &[
                    ("threshold = \"V_m > V_th\"", "a condition"),
                    ("reset = \"V_m = V_reset; w += b\"", "statements, one after the other"),
                    ("refractory = { time = \"t_ref\", hold = [\"V_m\"] }", "how long which states are held"),
                    ("refractory = \"2 ms\"", "the same for the state of the threshold"),
                ],
            ),
            said("Also", &["`spikedeck show model/adex` prints a model, `spikedeck explain model` all of its keys"]),
        ],
    }
}

pub(super) fn what(about: &str) -> CardSection {
    CardSection::prose("What it is", about)
}

fn kind_card(family: &Family, kind: &Section, before: &str) -> Card {
    let mut sections = vec![what(kind.about)];
    let named = family.kinds.iter().any(|k| k.name == kind.name);
    let common = family.common.iter().filter(|_| named);
    sections.extend(table(&common.chain(kind.keys).collect::<Vec<_>>()));
    let example = family.example(kind);
    let line = if before.ends_with('\n') {
        format!("{before}{}", example.join("\n"))
    } else {
        format!("{before}{{ {} }}", example.join(", "))
    };
    sections.push(CardSection::kept(WRITE, line));
    Card { sections }
}

fn distribution(key: &Key) -> Card {
    let mut sections = vec![what(key.about)];
    let example = match key.takes {
        Takes::Table(section) => {
            sections.extend(table(&section.keys.iter().collect::<Vec<_>>()));
            format!("{{ {} }}", section.example().join(", ").replace(" nA", " mV"))
        }
        _ => "[\"1 mV\", \"2 mV\"]".to_owned(),
    };
    sections.push(CardSection::kept(WRITE, format!("V_m = {{ {} = {example} }}", key.name)));
    Card { sections }
}

fn section_card(section: &Section) -> Card {
    let mut sections = vec![what(section.about)];
    sections.extend(table(&section.keys.iter().collect::<Vec<_>>()));
    if let Some(others) = section.others {
        sections.push(CardSection::prose("Further keys", format!("{}: {}", others.about, others.takes.words())));
    }
    Card { sections }
}

fn family_card(family: &Family) -> Card {
    let mut sections = vec![what(family.about)];
    sections.extend(table(&family.common.iter().collect::<Vec<_>>()));
    let mut grid = Grid::new(&[Align::Left; 2]);
    for kind in family.kinds.iter().chain(family.others) {
        grid.row([kind.name, kind.about], Tone::Plain);
    }
    sections.push(CardSection::kept("Kinds", text(&grid)));
    Card { sections }
}

/// One line a key: what it takes, what holds without it, its bounds, its meaning.
fn table(keys: &[&Key]) -> Option<CardSection> {
    if keys.is_empty() {
        return None;
    }
    let mut grid = Grid::new(&[Align::Left; 4]);
    for key in keys {
        let bounds = key.bounds_in_words();
        let takes = key.takes.words();
        let takes = if bounds.is_empty() { takes } else { format!("{takes}, {bounds}") };
        grid.row([key.name.to_owned(), takes, key.without(), key.about.to_owned()], Tone::Plain);
    }
    Some(CardSection::kept("Keys", text(&grid)))
}

fn text(grid: &Grid) -> String {
    let mut text = Vec::new();
    match grid.write(&mut text, "", false, false) {
        Ok(()) => String::from_utf8_lossy(&text).trim_end().to_owned(),
        Err(_) => String::new(),
    }
}
